package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
)

const origin = "archive.example.vn/ledger"

// bed is a pair of buckets with the keys of a log.
type bed struct {
	store, work *store.Memory
	config      audit.Config
}

func clock() time.Time { return time.Date(2026, 11, 24, 3, 22, 30, 123456000, time.UTC) }

// newBed returns a bed with an empty log. The log publishes when it is closed.
func newBed(t testing.TB) *bed {
	t.Helper()
	skey, vkey, err := audit.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	b := emptyBed(audit.Config{Key: skey, VKey: vkey})
	if err := audit.Create(t.Context(), b.config); err != nil {
		t.Fatal(err)
	}
	return b
}

func emptyBed(c audit.Config) *bed {
	b := &bed{
		store: store.NewMemory(store.MemoryOptions{Versioned: true, Now: clock}),
		work:  store.NewMemory(store.MemoryOptions{}),
	}
	c.Store, c.Work, c.Now = b.store, b.work, clock
	c.Node, c.Seal, c.Publish, c.LockFor = "a", seal, -1, time.Hour
	b.config = c
	return b
}

// seal stands for encryption; unseal is its inverse.
func seal(plain []byte) ([]byte, error) { return append([]byte("sealed:"), plain...), nil }

func unseal(sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte("sealed:"))
	if !ok {
		return nil, errors.New("not sealed")
	}
	return plain, nil
}

func open(t testing.TB, c audit.Config) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func closeLog(t testing.TB, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func event(n int) audit.Event {
	return audit.Event{ID: fmt.Sprintf("event-%05d", n), Type: "viewed", Details: map[string]string{"number": fmt.Sprint(n)}}
}

// appendN appends the events from <= n < to at once, by as many goroutines as
// a batch has room for.
func appendN(t testing.TB, l *audit.Log, from, to int) {
	t.Helper()
	next := make(chan int)
	var done sync.WaitGroup
	for range min(256, to-from) {
		done.Go(func() {
			for n := range next {
				if _, err := l.Append(context.Background(), event(n)); err != nil {
					t.Errorf("event %d: %v", n, err)
				}
			}
		})
	}
	for n := from; n < to; n++ {
		next <- n
	}
	close(next)
	done.Wait()
}

// sound verifies the log in the bed.
func (b *bed) sound(t testing.TB) *audit.Report {
	t.Helper()
	r, err := audit.Verify(t.Context(), b.config)
	if err != nil {
		t.Fatalf("verify: %v\n%v", err, r)
	}
	return r
}

// list returns the entries of the log as a node that opens it sees them.
func list(t testing.TB, l *audit.Log) []*audit.Entry {
	t.Helper()
	var entries []*audit.Entry
	for e, err := range l.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

func read(t testing.TB, s store.Store, key string) []byte {
	t.Helper()
	r, _, err := s.Get(t.Context(), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keysOf(t testing.TB, s store.Store, prefix string) []string {
	t.Helper()
	var keys []string
	for info, err := range s.List(t.Context(), prefix, nil) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

// copyOf returns a bed with the same objects, unlocked, and a configuration for
// it.
func (b *bed) copyOf(t testing.TB) *bed {
	t.Helper()
	c := emptyBed(b.config)
	for _, s := range []struct{ from, to store.Store }{{b.store, c.store}, {b.work, c.work}} {
		for _, key := range keysOf(t, s.from, "") {
			if _, err := s.to.Put(t.Context(), key, read(t, s.from, key), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

func seq(n int) string { return fmt.Sprintf("ledger/seq/%016d", n) }

func short(err error) string {
	if err == nil {
		return "<nil>"
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}

// bucket reads objects that may be absent.
type bucket struct{ store.Store }

func (b bucket) get(t testing.TB, key string) ([]byte, error) {
	data, _, err := store.ReadAll(t.Context(), b.Store, key, 1<<20)
	return data, err
}
