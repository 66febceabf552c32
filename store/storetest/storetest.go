// Package storetest tests implementations of [store.Store], and breaks them
// for the tests of others.
//
// [Test] is for buckets with versions and object lock, as the archive bucket
// is, [TestPlain] for the others. Every test works under keys of its own, so
// the bucket may be shared and need not be empty. [Faulty] fails on demand.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/luutru/luutru/store"
)

// Test checks a store whose bucket has versions and object lock. It must
// implement store.Uploader and store.Locker as well. If it has a method
// Mark(ctx, key) that makes a delete marker, as store.Memory does, then
// Test looks at those, too.
func Test(t *testing.T, newStore func(*testing.T) store.Store) {
	suite(t, newStore, append(common(),
		check{"DeleteVersions", testDeleteVersions},
		check{"ListVersions", testListVersions},
		check{"GetVersion", testGetVersion},
		check{"Mark", testMark},
		check{"Lock", testLock},
		check{"LockOlder", testLockOlder},
		check{"LockPast", testLockPast},
		check{"LockUpload", testLockUpload},
		check{"LockMissing", testLockMissing},
		check{"PutLocked", testPutLocked},
		check{"PutLockedIfAbsent", testPutLockedIfAbsent},
		check{"Hold", testHold},
		check{"LockExpires", testLockExpires},
		check{"HoldOutlivesLock", testHoldOutlivesLock},
	))
}

// TestPlain checks a store whose bucket has neither versions nor object lock,
// so that deleting and overwriting are final at once. It must implement
// store.Uploader as well.
func TestPlain(t *testing.T, newStore func(*testing.T) store.Store) {
	suite(t, newStore, append(common(),
		check{"PlainOverwrite", testPlainOverwrite},
		check{"PlainLock", testPlainLock},
	))
}

func common() []check {
	return []check{
		{"GetMissing", testGetMissing},
		{"Put", testPut},
		{"PutIfAbsent", testPutIfAbsent},
		{"PutRace", testPutRace},
		{"PutInvalid", testPutInvalid},
		{"Range", testRange},
		{"Delete", testDelete},
		{"List", testList},
		{"ListAfter", testListAfter},
		{"ListMany", testListMany},
		{"ListNeighbours", testListNeighbours},
		{"Keys", testKeys},
		{"Cancelled", testCancelled},
		{"Kept", testKept},
		{"ReadAll", testReadAll},
		{"Upload", testUpload},
		{"UploadInvalid", testUploadInvalid},
		{"UploadAbort", testUploadAbort},
		{"UploadOverwrites", testUploadOverwrites},
	}
}

type check struct {
	name string
	run  func(*testing.T, *bench)
}

func suite(t *testing.T, newStore func(*testing.T) store.Store, checks []check) {
	s := newStore(t)
	run := "storetest/" + random(t)
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := &bench{Store: s, prefix: run + "-" + strings.ToLower(c.name) + "/"}
			t.Cleanup(func() { b.clean(t) })
			c.run(t, b)
		})
	}
}

// bench is a store and the prefix under which a test may work.
type bench struct {
	store.Store
	prefix string
}

func (b *bench) key(name string) string { return b.prefix + name }

func (b *bench) uploader(t *testing.T) store.Uploader {
	t.Helper()
	u, ok := b.Store.(store.Uploader)
	if !ok {
		t.Fatalf("%T is no store.Uploader", b.Store)
	}
	return u
}

// clean removes what a test left that is not locked. Errors do not matter: a
// lock is the usual one.
func (b *bench) clean(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	var keys []string
	for info, err := range b.List(ctx, b.prefix, &store.ListOptions{Versions: true}) {
		if err != nil {
			t.Errorf("list: %v", err)
			return
		}
		if info.Latest {
			keys = append(keys, info.Key)
		}
	}
	parallel(keys, func(key string) {
		if err := b.Delete(ctx, key); err != nil && !errors.Is(err, store.ErrLocked) {
			t.Errorf("clean: %v", err)
		}
	})
}

// parallel calls a function for every key, on several goroutines.
func parallel(keys []string, call func(key string)) {
	next := make(chan string)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for key := range next {
				call(key)
			}
		})
	}
	for _, key := range keys {
		next <- key
	}
	close(next)
	workers.Wait()
}

func (b *bench) put(t *testing.T, key string, data []byte, opts *store.PutOptions) *store.Info {
	t.Helper()
	info, err := b.Put(t.Context(), key, data, opts)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	if info.Key != key || info.Size != int64(len(data)) {
		t.Fatalf("Put returned %+v for %d bytes under %q", info, len(data), key)
	}
	return info
}

func (b *bench) want(t *testing.T, key string, opts *store.GetOptions, want []byte) {
	t.Helper()
	r, _, err := b.Get(t.Context(), key, opts)
	if err != nil {
		t.Fatalf("Get %q %+v: %v", key, opts, err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %q %+v: %v", key, opts, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("Get %q %+v: %d bytes %.40q, want %d bytes %.40q", key, opts, len(got), got, len(want), want)
	}
}

func (b *bench) wantMissing(t *testing.T, key, version string) {
	t.Helper()
	r, _, err := b.Get(t.Context(), key, &store.GetOptions{Version: version})
	if err == nil {
		r.Close()
	}
	wantError(t, "Get", err, fs.ErrNotExist)
}

func (b *bench) list(t *testing.T, prefix string, opts *store.ListOptions) []*store.Info {
	t.Helper()
	var infos []*store.Info
	for info, err := range b.List(t.Context(), prefix, opts) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		infos = append(infos, info)
	}
	return infos
}

func (b *bench) wantKeys(t *testing.T, prefix string, opts *store.ListOptions, want []string) {
	t.Helper()
	var got []string
	for _, info := range b.list(t, prefix, opts) {
		got = append(got, info.Key)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("List %q %+v: %d keys, want %d; from the first that differs:\ngot  %q\nwant %q", prefix, opts,
				len(got), len(want), got[min(i, len(got)):min(i+5, len(got))], want[min(i, len(want)):min(i+5, len(want))])
		}
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

// content returns n bytes that neither repeat nor compress.
func content(t *testing.T, n int) []byte {
	t.Helper()
	data := make([]byte, n)
	if _, err := rand.Read(data); err != nil {
		t.Fatal(err)
	}
	return data
}

func random(t *testing.T) string { return hex.EncodeToString(content(t, 6)) }

func names(prefix, format string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, prefix+fmt.Sprintf(format, i))
	}
	return names
}
