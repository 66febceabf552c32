package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// careless is a bucket whose server ignores the condition of a put-if-absent.
type careless struct{ *store.Memory }

func (c careless) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	o := store.PutOptions{}
	if opts != nil {
		o = *opts
	}
	o.IfAbsent = false
	return c.Memory.Put(ctx, key, data, &o)
}

func newCareless() careless {
	return careless{store.NewMemory(store.MemoryOptions{Versioned: true, Now: time.Now})}
}

func TestClaimed(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store {
		return store.Claimed(newCareless(), store.NewMemory(store.MemoryOptions{Now: time.Now}))
	})
}

// TestClaimedByMany: of many writers through stores of their own, one wins, and
// its bytes are the only ones there ever were.
func TestClaimedByMany(t *testing.T) {
	inner, claims := newCareless(), store.NewMemory(store.MemoryOptions{Now: time.Now})
	for n := range 50 {
		key := fmt.Sprintf("dossiers/x/%04d", n)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := store.Claimed(inner, claims).Put(t.Context(), key, fmt.Append(nil, i), &store.PutOptions{IfAbsent: true})
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Errorf("%s: %d winners", key, wins.Load())
		}
		want, _, err := store.ReadAll(t.Context(), inner, key, 10)
		if err != nil {
			t.Fatal(err)
		}
		for info, err := range inner.List(t.Context(), key, &store.ListOptions{Versions: true}) {
			if err != nil {
				t.Fatal(err)
			}
			r, _, err := inner.Get(t.Context(), key, &store.GetOptions{Version: info.Version})
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1)
			if _, err := r.Read(b); err != nil && b[0] == 0 || string(b) != string(want) {
				t.Errorf("%s: a version holds %q, the object %q", key, b, want)
			}
			r.Close()
		}
	}
}

// TestClaimedCrash: a winner that dies between its claim and its object is
// completed by the next who comes, and a claim that was lost leaves the key
// taken.
func TestClaimedCrash(t *testing.T) { synctest.Test(t, testClaimedCrash) }

func testClaimedCrash(t *testing.T) {
	inner, claims := newCareless(), store.NewMemory(store.MemoryOptions{Now: time.Now})
	dead := storetest.Faulty{Store: inner, OnCall: func(op, _ string) (bool, error) {
		if op == "put" {
			return false, errors.New("killed")
		}
		return true, nil
	}}
	absent := &store.PutOptions{IfAbsent: true}
	if _, err := store.Claimed(dead, claims).Put(t.Context(), "a", []byte("first"), absent); err == nil {
		t.Fatal("the dead one won")
	}
	s := store.Claimed(inner, claims)
	if _, err := s.Put(t.Context(), "a", []byte("second"), absent); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want ErrExist", err)
	}
	if got, _, err := store.ReadAll(t.Context(), s, "a", 10); err != nil || string(got) != "first" {
		t.Errorf("got %q, %v; want what was claimed first", got, err)
	}
	if err := claims.Delete(t.Context(), "claims/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a", []byte("third"), absent); !errors.Is(err, fs.ErrExist) {
		t.Errorf("after the claims were lost: got %v, want ErrExist", err)
	}
}
