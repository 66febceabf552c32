package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/torchwood"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// TestPublishedBuckets reads what is published without any log open, as static
// files, with the public tool.
func TestPublishedBuckets(t *testing.T) {
	b := newBed(t)
	for _, size := range []int{1, 300, 301, 512, 700, 1100} {
		l := open(t, b.config)
		appendN(t, l, int(l.Size()), size)
		closeLog(t, l)
		files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, s := range []*store.Memory{b.store, b.work} {
				if data, err := (bucket{s}).get(t, "ledger"+r.URL.Path); err == nil {
					w.Write(data)
					return
				}
			}
			http.NotFound(w, r)
		}))
		fetcher, err := torchwood.NewTileFetcher(files.URL)
		if err != nil {
			t.Fatal(err)
		}
		client, err := torchwood.NewClient(fetcher)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy(t, b.config.VKey))
		if err != nil || checkpoint.N != int64(size) {
			t.Fatalf("checkpoint of %d entries, %v, want %d", checkpoint.N, err, size)
		}
		read := 0
		for range client.AllEntries(t.Context(), checkpoint.Tree, 0) {
			read++
		}
		if client.Err() != nil || read != size {
			t.Errorf("read %d of %d entries, %v", read, size, client.Err())
		}
		files.Close()
		checkPartials(t, b, size)
	}
}

// checkPartials checks that the work bucket has the partial tiles of the tree,
// and no others.
func checkPartials(t *testing.T, b *bed, size int) {
	t.Helper()
	var want []string
	if w := size % 256; w > 0 {
		want = append(want, fmt.Sprintf("ledger/tile/0/%03d.p/%d", size/256, w), fmt.Sprintf("ledger/tile/entries/%03d.p/%d", size/256, w))
	}
	if w := size / 256; w > 0 {
		want = append(want, fmt.Sprintf("ledger/tile/1/000.p/%d", w))
	}
	slices.Sort(want)
	if got := keysOf(t, b.work, "ledger/tile/"); !slices.Equal(got, want) {
		t.Errorf("%d entries: partial tiles %v, want %v", size, got, want)
	}
}

// published returns the size of the checkpoint in the work bucket.
func (b *bed) published(t *testing.T) int {
	t.Helper()
	data, err := bucket{b.work}.get(t, "ledger/checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		return -1
	}
	n, err := strconv.Atoi(strings.Split(string(data), "\n")[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPublishing has a log publish now and then.
func TestPublishing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.config.Publish = 10 * time.Second
		l := open(t, b.config)
		appendN(t, l, 0, 255)
		synctest.Wait()
		if n := b.published(t); n != -1 || len(keysOf(t, b.store, "ledger/tile/")) > 0 {
			t.Errorf("published %d entries at once", n)
		}
		appendN(t, l, 255, 256)
		synctest.Wait() // full tiles do not wait
		if keys := keysOf(t, b.store, "ledger/tile/"); !slices.Equal(keys, []string{"ledger/tile/0/000", "ledger/tile/entries/000"}) {
			t.Errorf("full tiles %v", keys)
		}
		appendN(t, l, 256, 300)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if size, err := l.Published(); err != nil || size != 300 || b.published(t) != 300 {
			t.Errorf("published %d entries, %v; bucket %d", size, err, b.published(t))
		}
		checkPartials(t, b, 300)
		// Nothing new costs nothing.
		calls := count(b)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := calls(); n != 0 {
			t.Errorf("%d requests in an idle hour", n)
		}
		closeLog(t, l)
		b.sound(t)
	})
}

// count lets calls of the buckets be counted from now on. Logs opened before
// are not.
func count(b *bed) func() int {
	var mu sync.Mutex
	n := 0
	onCall := func(op, key string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return false, nil
	}
	b.config.Store = storetest.Faulty{Store: b.store, OnCall: onCall}
	b.config.Work = storetest.Faulty{Store: b.work, OnCall: onCall}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		defer func() { n = 0 }()
		return n
	}
}

// TestNeverBackwards has a node that knows less publish after one that knows
// more.
func TestNeverBackwards(t *testing.T) {
	b := newBed(t)
	behind, ahead := open(t, b.config), open(t, b.config)
	appendN(t, behind, 0, 10)
	appendN(t, ahead, 10, 400)
	closeLog(t, ahead)
	if n := b.published(t); n != 400 {
		t.Fatalf("published %d", n)
	}
	closeLog(t, behind)
	if n := b.published(t); n != 400 {
		t.Errorf("published %d after 400", n)
	}
	checkPartials(t, b, 400)
	put(t, b.work, "ledger/checkpoint", []byte("rubbish"))
	closeLog(t, open(t, b.config)) // is replaced
	if n := b.published(t); n != 400 {
		t.Errorf("published %d over rubbish", n)
	}
	b.sound(t)
}

// TestPublishFails has publishing fail for a while. Nothing else does.
func TestPublishFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		var mu sync.Mutex
		broken := true
		b.config.Publish = time.Second
		onCall := func(op, key string) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if broken && (strings.HasPrefix(key, "ledger/tile") || strings.HasPrefix(key, "ledger/checkpoint")) {
				return false, errInjected
			}
			return false, nil
		}
		l := open(t, b.config)
		closeLog(t, l)
		b.config.Store = storetest.Faulty{Store: b.store, OnCall: onCall}
		l, err := audit.Open(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		appendN(t, l, 0, 1000)
		time.Sleep(time.Minute)
		if size, err := l.Published(); !errors.Is(err, errInjected) || size != 0 {
			t.Errorf("published %d, %v", size, err)
		}
		// What is not published is read from the batches.
		audit.Forget(l)
		mu.Lock()
		broken = false
		mu.Unlock()
		for i := range uint64(1000) {
			if e, err := l.Entry(t.Context(), i); err != nil || e.Index != i {
				t.Fatalf("entry %d: %v, %v", i, e, err)
			}
		}
		time.Sleep(time.Minute)
		if size, err := l.Published(); err != nil || size != 1000 {
			t.Errorf("published %d, %v", size, err)
		}
		closeLog(t, l)
		b.config.Store = b.store
		if r := b.sound(t); r.Unpublished != 0 {
			t.Errorf("report %+v", r)
		}
	})
}

// TestRequests counts what the usual calls cost.
func TestRequests(t *testing.T) {
	b := newBed(t)
	calls := count(b)
	l := open(t, b.config)
	other := open(t, b.config)
	calls()
	expect := func(what string, want int, f func() error) {
		t.Helper()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n := calls(); n != want {
			t.Errorf("%s: %d requests, want %d", what, n, want)
		}
	}
	private := event(2)
	private.Private = map[string]string{"actor": "A"}
	expect("event", 1, func() error { _, err := l.Append(t.Context(), event(1)); return err })
	expect("event with private values", 2, func() error { _, err := l.Append(t.Context(), private); return err })
	expect("event again", 0, func() error { _, err := l.Append(t.Context(), event(1)); return err })
	expect("proof of a new entry", 0, func() error { _, err := l.Prove(t.Context(), 1); return err })
	expect("sync, nothing new", 1, func() error { return l.Sync(t.Context()) })
	expect("checkpoint", 0, func() error { _, err := l.ReadTile(t.Context(), "checkpoint"); return err })
	expect("partial tile", 0, func() error { _, err := l.ReadTile(t.Context(), "tile/entries/000.p/2"); return err })
	expect("sync, two batches", 3, func() error { return other.Sync(t.Context()) })
	if other.Size() != 2 {
		t.Errorf("%d entries", other.Size())
	}
}

// TestOldEntries asks for proofs and entries of a log of thousands of batches
// right after opening it: a few requests each.
func TestOldEntries(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	for n := range 3000 { // of very different sizes
		if n%100 < 90 {
			appendN(t, l, n, n+1)
		} else if n%100 == 90 {
			appendN(t, l, n, n+10)
		}
	}
	want, err := l.Prove(t.Context(), 1234)
	if err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	calls := count(b)
	l = open(t, b.config)
	if n := calls(); n > 300 {
		t.Errorf("%d requests for opening", n)
	}
	audit.Forget(l)
	got, err := l.Prove(t.Context(), 1234)
	if err != nil || string(got) != string(want) {
		t.Errorf("proof %s, %v", got, err)
	}
	if n := calls(); n > 16 {
		t.Errorf("%d requests for a proof", n)
	}
	if e, err := l.Entry(t.Context(), 700); err != nil || e.Index != 700 {
		t.Error(e, err)
	}
	if n := calls(); n != 1 {
		t.Errorf("%d requests for an entry", n)
	}
	if e, err := l.Append(context.Background(), event(1234)); err != nil || e.Index != 1234 {
		t.Error(e, err)
	}
	b.config.Store, b.config.Work = b.store, b.work
	b.sound(t)
}
