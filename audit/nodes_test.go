package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// slow is a store some way off: half the time passes before a call has its
// effect, half after.
type slow struct {
	store.Store
	half func() time.Duration
}

func (s slow) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	time.Sleep(s.half())
	defer func() { time.Sleep(s.half()) }()
	return s.Store.Put(ctx, key, data, opts)
}

func (s slow) Get(ctx context.Context, key string, opts *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	time.Sleep(s.half())
	defer func() { time.Sleep(s.half()) }()
	return s.Store.Get(ctx, key, opts)
}

// jitter returns about half of d.
func jitter(d time.Duration) func() time.Duration {
	return func() time.Duration { return d * time.Duration(40+rand.IntN(20)) / 100 }
}

// orders checks that every node applied the same entries in the same order,
// each once.
func orders(t *testing.T, applied map[string]*[]string, want int) {
	t.Helper()
	for node, ids := range applied {
		if !slices.Equal(*ids, *applied["a"]) {
			t.Errorf("node %s applied another order than a", node)
		}
		sorted := slices.Sorted(slices.Values(*ids))
		if len(slices.Compact(sorted)) != want || len(*ids) != want {
			t.Errorf("node %s applied %d entries, %d different, want %d", node, len(*ids), len(sorted), want)
		}
	}
}

// TestNodes has three nodes on one bucket, each with several appenders, some
// of them appending the same events, over a store that loses requests and
// answers.
func TestNodes(t *testing.T) {
	for _, lost := range []float64{0, 0.1} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testNodes(t, lost) }) })
	}
}

func testNodes(t *testing.T, lost float64) {
	b := newBed(t)
	var rough atomic.Bool
	faulty := storetest.Faulty{Store: b.store, OnCall: func(op, key string) (bool, error) {
		if rough.Load() && rand.Float64() < lost {
			return rand.IntN(2) == 0, errors.New("connection lost")
		}
		return false, nil
	}}
	const each, shared = 150, 50
	applied := map[string]*[]string{}
	var logs []*audit.Log
	var all sync.WaitGroup
	for _, node := range []string{"a", "b", "c"} {
		c := b.config
		c.Node, c.Now, c.Store = node, time.Now, slow{faulty, jitter(10 * time.Millisecond)}
		ids := new([]string)
		applied[node] = ids
		c.Apply = func(e *audit.Entry) { *ids = append(*ids, e.ID) }
		logs = append(logs, open(t, c))
	}
	rough.Store(true)
	for n, l := range logs {
		for w := range 3 {
			all.Go(func() {
				for i := w; i < each; i += 3 {
					e := event(i % shared)
					if i >= shared {
						e = event(1000*(n+1) + i)
					}
					appendSurely(t, l, e)
				}
			})
		}
	}
	all.Wait()
	rough.Store(false)
	for _, l := range logs {
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		closeLog(t, l)
	}
	orders(t, applied, shared+3*(each-shared))
	if r := b.sound(t); r.Entries != shared+3*(each-shared) {
		t.Errorf("report %+v", r)
	}
}

// appendSurely appends until it succeeds, and checks that it got the event's
// own entry.
func appendSurely(t *testing.T, l *audit.Log, e audit.Event) {
	for {
		got, err := l.Append(t.Context(), e)
		if errors.Is(err, audit.ErrTampered) || errors.Is(err, audit.ErrClosed) {
			t.Error(err)
			return
		}
		if err == nil {
			if got.ID != e.ID || l.Size() <= got.Index {
				t.Errorf("appended %q, got entry %d %q of %d", e.ID, got.Index, got.ID, l.Size())
			}
			return
		}
	}
}

// TestFairness has three nodes that append as fast as they can to a store 25 ms
// away. Each gets its share and nobody waits long.
func TestFairness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		const run = 60 * time.Second
		var mu sync.Mutex
		waits := map[string][]time.Duration{}
		var all sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), run)
		defer cancel()
		for _, node := range []string{"a", "b", "c"} {
			c := b.config
			c.Node, c.Now, c.Store = node, time.Now, slow{b.store, jitter(25 * time.Millisecond)}
			l := open(t, c)
			for w := range 4 {
				all.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						begun := time.Now()
						if _, err := l.Append(t.Context(), audit.Event{ID: fmt.Sprint(node, w, i), Type: "viewed"}); err != nil {
							t.Error(err)
						}
						mu.Lock()
						waits[node] = append(waits[node], time.Since(begun))
						mu.Unlock()
					}
				})
			}
		}
		all.Wait()
		total := 0
		for _, w := range waits {
			total += len(w)
		}
		for node, w := range waits {
			slices.Sort(w)
			p50, p99, worst := w[len(w)/2], w[len(w)*99/100], w[len(w)-1]
			t.Logf("node %s: %.1f events/s, p50 %v, p99 %v, max %v", node, float64(len(w))/run.Seconds(),
				p50.Round(time.Millisecond), p99.Round(time.Millisecond), worst.Round(time.Millisecond))
			if len(w)*5 < total {
				t.Errorf("node %s had %d of %d events", node, len(w), total)
			}
			if p99 > time.Second {
				t.Errorf("node %s waited %v (p99)", node, p99)
			}
		}
	})
}
