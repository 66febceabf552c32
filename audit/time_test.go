package audit_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/note"
)

// gate is a store whose calls wait until they are let through.
type gate struct {
	store.Store
	mu     sync.Mutex
	closed chan struct{} // nil when open
	gets   int
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.closed)
	g.closed = nil
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed == nil {
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	if err := g.pass(ctx); err != nil {
		return nil, err
	}
	return g.Store.Put(ctx, key, data, opts)
}

func (g *gate) Get(ctx context.Context, key string, opts *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	g.mu.Lock()
	g.gets++
	g.mu.Unlock()
	if err := g.pass(ctx); err != nil {
		return nil, nil, err
	}
	return g.Store.Get(ctx, key, opts)
}

// gated opens a log behind a gate, by the clock of the bubble.
func gated(t *testing.T, c func(*audit.Config)) (*bed, *gate, *audit.Log) {
	t.Helper()
	b := newBed(t)
	g := &gate{Store: b.store}
	b.config.Store, b.config.Now = g, time.Now
	if c != nil {
		c(&b.config)
	}
	return b, g, open(t, b.config)
}

// TestLoneEventDoesNotWait appends one event after another, by a clock that
// stands still unless somebody waits.
func TestLoneEventDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, l := gated(t, func(c *audit.Config) { c.MaxAge = time.Hour })
		begun := time.Now()
		for n := range 100 {
			appendN(t, l, n, n+1)
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("waited %v", d)
		}
	})
}

// TestBatches looks at the sizes of batches.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, l := gated(t, func(c *audit.Config) { c.MaxBatch, c.MaxAge = 10, time.Second })
		var all sync.WaitGroup
		add := func(from, to int) {
			for n := from; n < to; n++ {
				all.Go(func() {
					if _, err := l.Append(t.Context(), event(n)); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
		}
		batches := func() int { return len(keysOf(t, b.store, "ledger/seq/")) - 1 }
		g.shut()
		add(0, 1)
		add(1, 25) // while the first is under way
		if n := batches(); n != 0 || l.Size() != 0 {
			t.Errorf("%d batches behind the gate", n)
		}
		g.open()
		all.Wait()
		if n := batches(); n != 4 { // 1, 10, 10, 4
			t.Errorf("%d batches of up to 10 for 25 events", n)
		}
		// The last had 4, so 2 wait for more, but not for ever.
		begun := time.Now()
		add(25, 27)
		if n := batches(); n != 4 {
			t.Errorf("%d batches, and two events that should wait", n)
		}
		all.Wait()
		if d := time.Since(begun); d != time.Second || batches() != 5 {
			t.Errorf("%d batches after %v", batches(), d)
		}
		b.sound(t)
	})
}

// TestCallersGiveUp has callers give up before their event is logged and while
// it is.
func TestCallersGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, l := gated(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g.shut()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := l.Append(ctx, event(1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("under way: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if _, err := l.Append(ctx, event(2)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("in the queue: %v", err)
			}
		})
		all.Go(func() {
			if e, err := l.Append(t.Context(), event(3)); err != nil || e.Index != 1 {
				t.Errorf("patient: %v, %v", e, err)
			}
		})
		time.Sleep(2 * time.Second)
		g.open()
		all.Wait()
		var ids []string
		for _, e := range list(t, l) {
			ids = append(ids, e.ID)
		}
		// The first was sent before its caller gave up; the second never was.
		if len(ids) != 2 || ids[0] != event(1).ID || ids[1] != event(3).ID {
			t.Errorf("logged %v", ids)
		}
		b.sound(t)
	})
}

// TestStoreHangs has a store that does not answer. Callers get an error after
// a while, and Close ends.
func TestStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, l := gated(t, nil)
		g.shut()
		begun := time.Now()
		if _, err := l.Append(t.Context(), event(1)); err == nil {
			t.Error("logged to a store that does not answer")
		}
		if d := time.Since(begun); d > 10*time.Minute {
			t.Errorf("answered after %v", d)
		}
		go l.Append(t.Context(), event(2))
		synctest.Wait()
		begun = time.Now()
		l.Close()
		if d := time.Since(begun); d > 2*time.Minute {
			t.Errorf("closed after %v", d)
		}
		g.open()
		b.sound(t)
	})
}

// TestSyncShares has many callers sync at once: two reads serve them, the one
// under way and one that began after all of them called.
func TestSyncShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, g, l := gated(t, nil)
		appendN(t, open(t, func() audit.Config { c := b.config; c.Store = b.store; return c }()), 0, 1)
		g.shut()
		g.gets = 0
		var all sync.WaitGroup
		impatient, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if err := l.Sync(impatient); !errors.Is(err, context.Canceled) {
				t.Errorf("impatient: %v", err)
			}
		})
		synctest.Wait()
		for range 50 {
			all.Go(func() {
				if err := l.Sync(t.Context()); err != nil || l.Size() != 1 {
					t.Errorf("%d entries, %v", l.Size(), err)
				}
			})
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		g.open()
		all.Wait()
		if g.gets > 5 {
			t.Errorf("%d requests", g.gets)
		}
	})
}

// TestWitness opens with a checkpoint that a witness cosigned.
func TestWitness(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	appendN(t, l, 0, 5)
	wkey, wvkey, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := note.NewSigner(wkey)
	if err != nil {
		t.Fatal(err)
	}
	own, err := note.NewVerifier(b.config.VKey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(l.Checkpoint(), note.VerifierList(own))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	b.config.Known = cosigned
	appendN(t, l, 5, 9)
	closeLog(t, open(t, b.config))
	b.sound(t)
	b.config.VKey, b.config.Key = wvkey, ""
	if _, err := audit.Open(t.Context(), b.config); err == nil {
		t.Error("opened with the key of the witness")
	}
}
