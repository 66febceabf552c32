package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/store"
)

func testGetMissing(t *testing.T, b *bench) {
	b.wantMissing(t, b.key("no"), "")
	b.put(t, b.key("yes/there"), []byte("x"), nil)
	b.wantMissing(t, b.key("yes"), "")       // a directory is no object
	b.wantMissing(t, b.key("yes/the"), "")   // nor is a prefix
	b.wantMissing(t, b.key("yes/therE"), "") // and case matters
}

func testPut(t *testing.T, b *bench) {
	before := time.Now()
	for _, size := range []int{1, 100, 4096, 1<<20 + 1} {
		key, data := b.key(fmt.Sprint(size)), content(t, size)
		info := b.put(t, key, data, nil)
		b.want(t, key, nil, data)
		r, got, err := b.Get(t.Context(), key, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if got.Key != key || got.Size != int64(size) || got.Version != info.Version || got.DeleteMarker {
			t.Errorf("Get returned %+v after Put %+v", got, info)
		}
		// Servers tell whole seconds, by their own clock.
		if d := got.Modified.Sub(before); d < -time.Minute || d > time.Minute {
			t.Errorf("modified %v, put at %v", got.Modified, before)
		}
	}
}

func testPutIfAbsent(t *testing.T, b *bench) {
	key := b.key("once")
	absent := &store.PutOptions{IfAbsent: true}
	b.put(t, key, []byte("first"), absent)
	for _, data := range []string{"second", "first"} { // also for what is there already
		_, err := b.Put(t.Context(), key, []byte(data), absent)
		wantError(t, "Put over an object", err, fs.ErrExist)
	}
	b.want(t, key, nil, []byte("first"))
	b.put(t, key, []byte("third"), nil)
	b.want(t, key, nil, []byte("third"))
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.put(t, key, []byte("fourth"), absent)
	b.want(t, key, nil, []byte("fourth"))
}

func testPutRace(t *testing.T, b *bench) {
	for _, same := range []bool{false, true} {
		key := b.key(fmt.Sprintf("race-%v", same))
		const racers = 32
		var wins atomic.Int32
		var winner atomic.Value
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range racers {
			data := []byte("the same")
			if !same {
				data = fmt.Appendf(nil, "racer %d", i)
			}
			done.Go(func() {
				start.Wait()
				_, err := b.Put(t.Context(), key, data, &store.PutOptions{IfAbsent: true})
				switch {
				case err == nil:
					wins.Add(1)
					winner.Store(data)
				case !errors.Is(err, fs.ErrExist):
					t.Errorf("racer %d: %v", i, err)
				}
			})
		}
		start.Done()
		done.Wait()
		if n := wins.Load(); n != 1 {
			t.Fatalf("%d racers won", n)
		}
		b.want(t, key, nil, winner.Load().([]byte))
	}
}

func testPutInvalid(t *testing.T, b *bench) {
	_, err := b.Put(t.Context(), b.key("empty"), nil, nil)
	wantError(t, "Put of nothing", err, fs.ErrInvalid)
	b.wantMissing(t, b.key("empty"), "")
	for _, key := range []string{"", "/x", "x/", "a//b", "a/../b", ".", "a\x00b", "a\nb", `a\b`, "a\xff", strings.Repeat("k", 201)} {
		_, err := b.Put(t.Context(), key, []byte("x"), nil)
		wantError(t, fmt.Sprintf("Put %q", key), err, fs.ErrInvalid)
		_, _, err = b.Get(t.Context(), key, nil)
		wantError(t, fmt.Sprintf("Get %q", key), err, fs.ErrInvalid)
		wantError(t, fmt.Sprintf("Delete %q", key), b.Delete(t.Context(), key), fs.ErrInvalid)
		_, err = b.uploader(t).Create(t.Context(), key)
		wantError(t, fmt.Sprintf("Create %q", key), err, fs.ErrInvalid)
	}
}

func testRange(t *testing.T, b *bench) {
	key, data := b.key("range"), content(t, 1000)
	b.put(t, key, data, nil)
	for _, r := range []struct{ offset, length, end int64 }{
		{0, 0, 1000},
		{0, 1, 1},
		{0, 1000, 1000},
		{0, 1001, 1000}, // past the end
		{1, 0, 1000},
		{1, 1, 2},
		{500, 100, 600},
		{999, 0, 1000},
		{999, 1, 1000},
		{999, 1 << 40, 1000},
		{1, math.MaxInt64, 1000},
	} {
		opts := &store.GetOptions{Offset: r.offset, Length: r.length}
		b.want(t, key, opts, data[r.offset:r.end])
		body, info, err := b.Get(t.Context(), key, opts)
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
		if info.Size != 1000 {
			t.Errorf("range %+v: size %d, want that of the object", r, info.Size)
		}
	}
	for _, r := range []struct{ offset, length int64 }{{1000, 0}, {1000, 1}, {1001, 5}, {-1, 0}, {-1, 2}, {0, -1}} {
		_, _, err := b.Get(t.Context(), key, &store.GetOptions{Offset: r.offset, Length: r.length})
		wantError(t, fmt.Sprintf("range %+v", r), err, fs.ErrInvalid)
	}
	_, _, err := b.Get(t.Context(), b.key("no"), &store.GetOptions{Offset: 5, Length: 5})
	wantError(t, "range of nothing", err, fs.ErrNotExist)
}

func testDelete(t *testing.T, b *bench) {
	key := b.key("gone")
	for range 2 {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatalf("Delete of a missing object: %v", err)
		}
	}
	info := b.put(t, key, []byte("x"), nil)
	b.put(t, b.key("gone-not"), []byte("x"), nil)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, key, "")
	b.wantMissing(t, key, info.Version)
	b.wantKeys(t, b.prefix, nil, []string{b.key("gone-not")})
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, []string{b.key("gone-not")})
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatalf("second Delete: %v", err)
	}
	// The key can be used again, also as a directory.
	b.put(t, key+"/below", []byte("y"), nil)
}

func testList(t *testing.T, b *bench) {
	want := []string{"a", "b-1", "b/1", "b/2/x", "b/2/y", "b/3", "b0", "c"}
	for i := range want {
		want[i] = b.key(want[i])
	}
	for _, i := range []int{5, 0, 7, 3, 1, 6, 4, 2} {
		b.put(t, want[i], bytes.Repeat([]byte("x"), i+1), nil)
	}
	b.wantKeys(t, b.prefix, nil, want)
	b.wantKeys(t, b.key("b"), nil, want[1:7])
	b.wantKeys(t, b.key("b/"), nil, want[2:6])
	b.wantKeys(t, b.key("b/2/x"), nil, want[3:4])
	b.wantKeys(t, b.key("d"), nil, nil)
	for i, info := range b.list(t, b.prefix, nil) {
		if info.Size != int64(i+1) || info.Modified.IsZero() || !info.Latest || info.DeleteMarker || info.Version != "" {
			t.Errorf("List: %+v, want size %d", info, i+1)
		}
	}
	for range b.List(t.Context(), b.prefix, nil) {
		break // stopping early must do no harm
	}
}

func testListAfter(t *testing.T, b *bench) {
	want := names(b.prefix, "k%02d", 20)
	for _, key := range want {
		b.put(t, key, []byte("x"), nil)
	}
	for _, versions := range []bool{false, true} {
		after := func(key string) *store.ListOptions {
			return &store.ListOptions{After: key, Versions: versions}
		}
		b.wantKeys(t, b.prefix, after(want[7]), want[8:])
		b.wantKeys(t, b.prefix, after(want[7]+"x"), want[8:])
		b.wantKeys(t, b.prefix, after(want[19]), nil)
		b.wantKeys(t, b.prefix, after(b.key("a")), want)
		b.wantKeys(t, b.key("k1"), after(want[14]), want[15:20])
	}
}

// testListMany needs more than one of the pages of 1000 that servers give.
func testListMany(t *testing.T, b *bench) {
	want := names(b.prefix, "%04d", 1030)
	parallel(want, func(key string) {
		if _, err := b.Put(t.Context(), key, []byte("x"), nil); err != nil {
			t.Error(err)
		}
	})
	b.wantKeys(t, b.prefix, nil, want)
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, want)
	b.wantKeys(t, b.prefix, &store.ListOptions{After: want[3]}, want[4:])
	b.wantKeys(t, b.prefix, &store.ListOptions{After: want[3], Versions: true}, want[4:])
	b.clean(t)
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}

// testListNeighbours looks at keys that differ in characters on either side of
// the slash: order is that of bytes, not of directories.
func testListNeighbours(t *testing.T, b *bench) {
	var want []string
	for _, c := range []string{" ", "+", "-", ".", "/", "0", "=", "A", "_", "a", "~", "ê"} {
		want = append(want, b.key("d"+c+"x"))
	}
	for _, key := range slices.Backward(want) {
		b.put(t, key, []byte("x"), nil)
	}
	b.wantKeys(t, b.prefix, nil, want)
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, want)
	if err := b.Delete(t.Context(), b.key("d/x")); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, b.key("d/x"), "")
	b.want(t, b.key("d.x"), nil, []byte("x"))
}

func testKeys(t *testing.T, b *bench) {
	for i, name := range []string{
		"a.b-c_d~e", ".hidden", "-dash", "..a", "a..", "trailing.", "UPPER", "000.08.A1-2026",
		"a b", " a", "a+b", "a%20b", "a%2Fb", "a&b=c", "a?b#c", "a'b\"c", "a:b;c,d", "a@b!c$d", "a(b)[c]{d}",
		"a<b>|c^`d", "a*b", "hồ sơ/đất đai", "𠀋", "x/" + strings.Repeat("s", 200), strings.Repeat("d/", 60) + "deep",
		"checkpoint", "tile/0/x001/234.p/56", "index.html", "a/.b/c",
	} {
		key, data := b.key(fmt.Sprintf("%02d/%s", i, name)), []byte(name)
		b.put(t, key, data, &store.PutOptions{IfAbsent: true})
		b.want(t, key, nil, data)
		b.wantKeys(t, b.key(fmt.Sprintf("%02d/", i)), nil, []string{key})
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatalf("Delete %q: %v", key, err)
		}
		b.wantKeys(t, b.key(fmt.Sprintf("%02d/", i)), &store.ListOptions{Versions: true}, nil)
	}
}

func testCancelled(t *testing.T, b *bench) {
	key := b.key("cancelled")
	b.put(t, key, content(t, 1<<20), nil)
	upload, err := b.uploader(t).Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	body, _, err := b.Get(ctx, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	cancel()
	if _, err := io.ReadAll(body); err == nil {
		t.Error("reading: no error") // though what was under way already may be read
	}
	_, err = b.Put(ctx, b.key("other"), []byte("x"), nil)
	wantError(t, "Put", err, context.Canceled)
	_, _, err = b.Get(ctx, key, nil)
	wantError(t, "Get", err, context.Canceled)
	wantError(t, "Delete", b.Delete(ctx, key), context.Canceled)
	calls := 0
	for _, err := range b.List(ctx, b.prefix, nil) {
		calls++
		wantError(t, "List", err, context.Canceled)
	}
	if calls != 1 {
		t.Errorf("List yielded %d times", calls)
	}
	_, err = b.uploader(t).Create(ctx, key)
	wantError(t, "Create", err, context.Canceled)
	wantError(t, "Part", upload.Part(ctx, 1, []byte("x")), context.Canceled)
	_, err = upload.Complete(ctx)
	wantError(t, "Complete", err, context.Canceled)
	wantError(t, "Abort", upload.Abort(ctx), context.Canceled)
	if err := upload.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	b.wantKeys(t, b.prefix, nil, []string{key})
}

// testKept checks that a store does not keep the caller's buffer.
func testKept(t *testing.T, b *bench) {
	key, data := b.key("kept"), []byte("before")
	b.put(t, key, data, nil)
	copy(data, "after!")
	b.want(t, key, nil, []byte("before"))
	r, _, err := b.Get(t.Context(), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "after!")
	b.want(t, key, nil, []byte("before"))
}

func testReadAll(t *testing.T, b *bench) {
	key, data := b.key("whole"), content(t, 1000)
	b.put(t, key, data, nil)
	got, info, err := store.ReadAll(t.Context(), b.Store, key, 1000)
	if err != nil || !bytes.Equal(got, data) || info.Size != 1000 {
		t.Fatalf("ReadAll: %d bytes, %+v, %v", len(got), info, err)
	}
	if _, _, err := store.ReadAll(t.Context(), b.Store, key, 999); err == nil {
		t.Error("ReadAll of more than the limit: no error")
	}
	_, _, err = store.ReadAll(t.Context(), b.Store, b.key("no"), 1000)
	wantError(t, "ReadAll", err, fs.ErrNotExist)
}

func testPlainOverwrite(t *testing.T, b *bench) {
	key := b.key("over")
	for _, data := range []string{"one", "two", "three"} {
		if info := b.put(t, key, []byte(data), nil); info.Version != "" {
			t.Errorf("version %q in a plain bucket", info.Version)
		}
		b.want(t, key, nil, []byte(data))
	}
	infos := b.list(t, b.prefix, &store.ListOptions{Versions: true})
	if len(infos) != 1 || infos[0].Version != "" || !infos[0].Latest || infos[0].DeleteMarker || infos[0].Size != 5 {
		t.Fatalf("versions: %+v", infos)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}

func testPlainLock(t *testing.T, b *bench) {
	key, until := b.key("lock"), time.Now().Add(time.Minute)
	_, err := b.Put(t.Context(), key, []byte("x"), &store.PutOptions{Lock: until})
	wantError(t, "Put with lock", err, errors.ErrUnsupported)
	b.wantMissing(t, key, "")
	l, ok := b.Store.(store.Locker)
	if !ok {
		return
	}
	b.put(t, key, []byte("x"), nil)
	wantError(t, "Lock", l.Lock(t.Context(), key, "", until), errors.ErrUnsupported)
	wantError(t, "Hold", l.Hold(t.Context(), key, "", true), errors.ErrUnsupported)
	_, err = l.Locked(t.Context(), key, "")
	wantError(t, "Locked", err, errors.ErrUnsupported)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}
