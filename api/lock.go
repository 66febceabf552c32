package api

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/tus/tusd/v2/pkg/handler"
)

// breaker is a request's body that can be broken off from outside: when another
// request for the same upload arrives, for the client has lost this one, or when
// the server stops. What came before is kept.
type breaker struct {
	io.ReadCloser
	stop func() // makes a read that waits return

	mu  sync.Mutex
	why error
}

func newBreaker(w http.ResponseWriter, body io.ReadCloser) *breaker {
	rc := http.NewResponseController(w)
	return &breaker{ReadCloser: body, stop: func() { _ = rc.SetReadDeadline(longAgo) }}
}

// off breaks the body off.
func (b *breaker) off(why error) {
	b.mu.Lock()
	if b.why == nil {
		b.why = why
	}
	b.mu.Unlock()
	b.stop()
}

// reason is why the body was broken off, or nil.
func (b *breaker) reason() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.why
}

// Read implements io.Reader.
func (b *breaker) Read(p []byte) (int, error) {
	if why := b.reason(); why != nil {
		return 0, why
	}
	return b.ReadCloser.Read(p)
}

// locks let one request at a time work on an upload, on this node; between
// nodes package staging sees to that. It is a handler.Locker: the one that
// comes with the protocol's handler interrupts a request by a way on which that
// handler races with itself.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

// lock is held by one request, and wanted by others.
type lock struct {
	of       *locks
	id       string
	body     *breaker
	released chan struct{}
}

// NewLock implements handler.Locker.
func (l *locks) NewLock(id string) (handler.Lock, error) {
	return &lock{of: l, id: id, released: make(chan struct{})}, nil
}

// Lock implements handler.Lock: it breaks off the request that has the lock and
// waits for it to end.
func (x *lock) Lock(ctx context.Context, _ func()) error {
	x.body = callOf(ctx).body
	for {
		x.of.mu.Lock()
		holder := x.of.held[x.id]
		if holder == nil {
			x.of.held[x.id] = x
			x.of.mu.Unlock()
			return nil
		}
		x.of.mu.Unlock()
		holder.body.off(errInterrupted)
		select {
		case <-holder.released:
		case <-ctx.Done():
			return handler.ErrLockTimeout
		}
	}
}

// Unlock implements handler.Lock.
func (x *lock) Unlock() error {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	delete(x.of.held, x.id)
	close(x.released)
	return nil
}
