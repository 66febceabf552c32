package embedded

import "sync"

// together runs a function for all callers that came before it began, so that
// many who need the same directory synced have it synced once.
type together struct {
	f func() error

	mu      sync.Mutex
	cond    sync.Cond // of mu
	running bool
	next    *turn // of those who came since the last one began
}

type turn struct {
	done bool
	err  error
}

func newTogether(f func() error) *together {
	t := &together{f: f, next: new(turn)}
	t.cond.L = &t.mu
	return t
}

// do returns when f has run, from begin to end, after the call.
func (t *together) do() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.next
	for !mine.done {
		if t.running {
			t.cond.Wait()
			continue
		}
		t.running, t.next = true, new(turn)
		t.mu.Unlock()
		err := t.f()
		t.mu.Lock()
		mine.done, mine.err, t.running = true, err, false
		t.cond.Broadcast()
	}
	return mine.err
}
