package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store {
		return store.NewMemory(store.MemoryOptions{Versioned: true, Now: time.Now})
	})
}

func TestMemoryPlain(t *testing.T) {
	storetest.TestPlain(t, func(*testing.T) store.Store {
		return store.NewMemory(store.MemoryOptions{Now: time.Now})
	})
}

// TestMemoryDirectories: Memory is as strict as a server that keeps objects as
// files, or the archive would fail there first.
func TestMemoryDirectories(t *testing.T) {
	m, ctx := store.NewMemory(store.MemoryOptions{Versioned: true}), t.Context()
	put := func(key string) error {
		_, err := m.Put(ctx, key, []byte("x"), nil)
		return err
	}
	for range 2 { // the second time as new versions
		for _, key := range []string{"a/b/c", "a/b/d", "a/c", "ab"} {
			if err := put(key); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range []string{"a", "a/b", "a/b/c/d", "ab/x/y"} {
		if err := put(key); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("put %q: %v", key, err)
		}
		if err := m.Mark(ctx, key); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("mark %q: %v", key, err)
		}
	}
	for _, key := range []string{"a/b/c", "a/b/d"} {
		if err := m.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := put("a/b"); err != nil {
		t.Errorf("put of what is no longer a directory: %v", err)
	}
	if err := put("a"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("put %q: %v", "a", err)
	}
}

func TestMemoryClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m, ctx := store.NewMemory(store.MemoryOptions{Versioned: true, Now: func() time.Time { return now }}), t.Context()
	until := now.AddDate(10, 0, 0).Add(time.Millisecond)
	if _, err := m.Put(ctx, "a", []byte("x"), &store.PutOptions{Lock: until}); err != nil {
		t.Fatal(err)
	}
	lock, err := m.Locked(ctx, "a", "")
	if want := until.Truncate(time.Second).Add(time.Second); err != nil || !lock.Until.Equal(want) {
		t.Fatalf("locked %+v, want %v: %v", lock, want, err)
	}
	now = until
	if err := m.Delete(ctx, "a"); !errors.Is(err, store.ErrLocked) {
		t.Errorf("delete before the end: %v", err)
	}
	now = lock.Until
	if err := m.Delete(ctx, "a"); err != nil {
		t.Errorf("delete at the end: %v", err)
	}
}

// TestMemoryConcurrent is for the race detector.
func TestMemoryConcurrent(t *testing.T) {
	m, ctx := store.NewMemory(store.MemoryOptions{Versioned: true, Now: time.Now}), t.Context()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 200 {
				key := fmt.Sprintf("k/%d/%d", i, n%10)
				if _, err := m.Put(ctx, key, []byte("x"), nil); err != nil {
					t.Error(err)
				}
				for _, err := range m.List(ctx, "k/", &store.ListOptions{Versions: n%2 == 0}) {
					if err != nil {
						t.Error(err)
					}
				}
				if err := m.Delete(ctx, key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for info, err := range m.List(ctx, "", &store.ListOptions{Versions: true}) {
		t.Errorf("left: %+v, %v", info, err)
	}
}

func TestLockActive(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		lock store.Lock
		want bool
	}{
		{store.Lock{}, false},
		{store.Lock{Hold: true}, true},
		{store.Lock{Until: now}, false},
		{store.Lock{Until: now.Add(1)}, true},
		{store.Lock{Until: now.Add(-1), Hold: true}, true},
	} {
		if got := c.lock.Active(now); got != c.want {
			t.Errorf("%+v: %v", c.lock, got)
		}
	}
}

func TestCheckKey(t *testing.T) {
	for _, key := range []string{
		"a", "a/b", "a.b", ".a", "...", "a..b/c", "-", "~", "tile/0/x000/001.p/7", "Hồ sơ số 1", "a%2Fb",
		strings.Repeat("a", 200), strings.Repeat("ab/", 299) + "c",
	} {
		if err := store.CheckKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..", "../a", "a\\b", "a\tb", "a\x7f", "a\u0085", "\xff",
		strings.Repeat("a", 201), "a/" + strings.Repeat("b", 201), strings.Repeat("ab/", 300) + "c",
	} {
		if err := store.CheckKey(key); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// FuzzCheckKey: what passes is a path that stays where it is put, as fs.FS
// sees it, and what fails never reaches a bucket.
func FuzzCheckKey(f *testing.F) {
	for _, key := range []string{"a/b", "a//b", "../a", "a\x00", "ê", "a\\b", "."} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := store.CheckKey(key)
		if err == nil && (!fs.ValidPath(key) || key == ".") {
			t.Errorf("%q passes and is no valid path", key)
		}
		m := store.NewMemory(store.MemoryOptions{})
		_, putErr := m.Put(t.Context(), key, []byte("x"), nil)
		if (err == nil) != (putErr == nil) {
			t.Errorf("%q: CheckKey %v, Put %v", key, err, putErr)
		}
		for info := range m.List(t.Context(), "", nil) {
			if info.Key != key {
				t.Errorf("%q stored as %q", key, info.Key)
			}
		}
	})
}

func BenchmarkMemory(b *testing.B) {
	m, ctx := store.NewMemory(store.MemoryOptions{Versioned: true}), b.Context()
	data := make([]byte, 4096)
	for i := 0; b.Loop(); i++ {
		key := fmt.Sprintf("a/%d/%d", i%100, i)
		if _, err := m.Put(ctx, key, data, &store.PutOptions{IfAbsent: true}); err != nil {
			b.Fatal(err)
		}
		r, _, err := m.Get(ctx, key, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
