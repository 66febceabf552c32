package api

import (
	"context"
	"errors"
	"sync"
	"time"
)

var (
	errBusy       = errors.New("still at work")
	errUnfinished = errors.New("upload is not complete")
)

// finishing runs what follows complete uploads, each once at a time on this
// node, apart from the requests that began it.
type finishing struct {
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	running map[string]*finish
}

// finish is one of them.
type finish struct {
	done chan struct{}
	err  error // when done
}

func newFinishing() *finishing {
	ctx, stop := context.WithCancel(context.Background())
	return &finishing{ctx: ctx, stop: stop, running: map[string]*finish{}}
}

// begin starts what follows an upload, unless that is under way.
func (f *finishing) begin(id string, do func(context.Context) error) *finish {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x, ok := f.running[id]; ok {
		return x
	}
	x := &finish{done: make(chan struct{})}
	f.running[id] = x
	f.done.Go(func() {
		x.err = do(f.ctx)
		f.mu.Lock()
		delete(f.running, id)
		f.mu.Unlock()
		close(x.done)
	})
	return x
}

// wait waits so long for the end, and returns errBusy if that does not come.
func (x *finish) wait(ctx context.Context, long time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	select {
	case <-x.done:
		return x.err
	case <-ctx.Done():
		return errBusy
	}
}

// close ends everything that is under way; it can be begun again anywhere.
func (f *finishing) close() {
	f.stop()
	f.done.Wait()
}
