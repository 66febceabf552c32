package audit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
)

// interloper commits something just before a batch is put.
type interloper struct {
	*store.Memory
	once sync.Once
	act  func()
}

func (s *interloper) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	if strings.HasPrefix(key, "ledger/seq/") {
		s.once.Do(s.act)
	}
	return s.Memory.Put(ctx, key, data, opts)
}

// private is an event with a private value.
func private(n int, actor string) audit.Event {
	e := event(n)
	e.Private = map[string]string{"actor": actor}
	return e
}

// TestLostSlot has another node take the slot of a batch, with nothing of it,
// with some of its events, or with all. What is in the log already is not
// logged again, and every commitment can be opened.
func TestLostSlot(t *testing.T) {
	for _, taken := range [][]int{{100}, {0}, {0, 1, 2}, {0, 1, 2, 3}, {3, 100}} {
		t.Run(fmt.Sprint(taken), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testLostSlot(t, taken) })
		})
	}
}

func testLostSlot(t *testing.T, taken []int) {
	b := newBed(t)
	c := b.config
	c.Node = "other"
	other := open(t, c)
	b.config.Store = &interloper{Memory: b.store, act: func() {
		for _, n := range taken {
			if _, err := other.Append(context.Background(), private(n, "other")); err != nil {
				t.Error(err)
			}
		}
	}}
	l := open(t, b.config)
	var all sync.WaitGroup
	for n := range 4 {
		for range 2 { // twins
			all.Go(func() {
				if e, err := l.Append(t.Context(), private(n, "own")); err != nil || e.ID != event(n).ID {
					t.Errorf("event %d: %v, %v", n, e, err)
				}
			})
		}
	}
	all.Wait()
	entries := list(t, l)
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.ID] {
			t.Errorf("%s twice", e.ID)
		}
		seen[e.ID] = true
		want := "own"
		if e.Node == "other" {
			want = "other"
		}
		if got, err := l.Disclose(t.Context(), e.Index, unseal); err != nil || got["actor"] != want {
			t.Errorf("%s by %s: disclosed %v, %v", e.ID, e.Node, got, err)
		}
	}
	for n := range 4 {
		if !seen[event(n).ID] {
			t.Errorf("event %d is missing", n)
		}
	}
	closeLog(t, l)
	b.config.Store = b.store
	if r := b.sound(t); r.Unused != 0 || r.Undisclosed != 0 {
		t.Errorf("report %+v", r)
	}
}
