package storetest

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/luutru/luutru/store"
)

// Locks of these tests are short: on a real server nobody can remove what they
// lock before they end.
const (
	lockTime = 3 * time.Second
	waitTime = 1500 * time.Millisecond // where the test waits for the end
)

func (b *bench) locker(t *testing.T) store.Locker {
	t.Helper()
	l, ok := b.Store.(store.Locker)
	if !ok {
		t.Fatalf("%T is no store.Locker", b.Store)
	}
	return l
}

func (b *bench) lock(t *testing.T, key, version string, until time.Time) {
	t.Helper()
	if err := b.locker(t).Lock(t.Context(), key, version, until); err != nil {
		t.Fatalf("Lock: %v", err)
	}
}

func (b *bench) hold(t *testing.T, key, version string, on bool) {
	t.Helper()
	if err := b.locker(t).Hold(t.Context(), key, version, on); err != nil {
		t.Fatalf("Hold: %v", err)
	}
}

func (b *bench) wantLock(t *testing.T, key, version string, until time.Time, hold bool) {
	t.Helper()
	got, err := b.locker(t).Locked(t.Context(), key, version)
	if err != nil {
		t.Fatalf("Locked: %v", err)
	}
	if d := got.Until.Sub(until); got.Hold != hold || d < 0 || d >= time.Second {
		t.Fatalf("Locked: %+v, want until %v, hold %v", got, until, hold)
	}
}

// wantLocked checks that the object cannot be deleted and is still there.
func (b *bench) wantLocked(t *testing.T, key string, data []byte) {
	t.Helper()
	wantError(t, "Delete of a locked object", b.Delete(t.Context(), key), store.ErrLocked)
	b.want(t, key, nil, data)
}

// wantDeleted waits until the object can be deleted. That is when its lock ends
// by the server's clock, which is not the one here.
func (b *bench) wantDeleted(t *testing.T, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := b.Delete(ctx, key)
		if err == nil {
			break
		}
		wantError(t, "Delete of an object with an old lock", err, store.ErrLocked)
		<-tick.C
	}
	b.wantMissing(t, key, "")
	b.wantKeys(t, key, &store.ListOptions{Versions: true}, nil)
}

func testDeleteVersions(t *testing.T, b *bench) {
	key := b.key("many")
	for range 5 {
		b.put(t, key, []byte("x"), nil)
	}
	b.put(t, b.key("many-others"), []byte("x"), nil)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, key, "")
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, []string{b.key("many-others")})
}

func testListVersions(t *testing.T, b *bench) {
	var want []*store.Info // newest first
	for _, name := range []string{"a", "b"} {
		for size := range 3 {
			info := b.put(t, b.key(name), content(t, size+1), nil)
			if info.Version == "" {
				t.Fatal("no version in a bucket with versions")
			}
			want = append([]*store.Info{info}, want...)
		}
	}
	want = append(want[3:], want[:3]...)
	got := b.list(t, b.prefix, &store.ListOptions{Versions: true})
	if len(got) != len(want) {
		t.Fatalf("%d versions, want %d", len(got), len(want))
	}
	for i, info := range got {
		if info.Key != want[i].Key || info.Version != want[i].Version || info.Size != want[i].Size ||
			info.Latest != (i%3 == 0) || info.DeleteMarker || info.Modified.IsZero() {
			t.Errorf("version %d: %+v, want %+v", i, info, want[i])
		}
	}
	b.wantKeys(t, b.prefix, nil, []string{b.key("a"), b.key("b")})
}

func testGetVersion(t *testing.T, b *bench) {
	key := b.key("versions")
	first := b.put(t, key, []byte("first"), nil)
	second := b.put(t, key, []byte("second"), nil)
	if first.Version == second.Version {
		t.Fatalf("both versions are %q", first.Version)
	}
	b.want(t, key, nil, []byte("second"))
	b.want(t, key, &store.GetOptions{Version: first.Version}, []byte("first"))
	b.want(t, key, &store.GetOptions{Version: second.Version, Offset: 2, Length: 2}, []byte("co"))
	r, info, err := b.Get(t.Context(), key, &store.GetOptions{Version: first.Version})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if info.Version != first.Version || info.Size != 5 {
		t.Errorf("Get of the first version: %+v", info)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, key, first.Version)
}

func testMark(t *testing.T, b *bench) {
	marker, ok := b.Store.(interface {
		Mark(ctx context.Context, key string) error
	})
	if !ok {
		t.Log("not looked at: this store has no means to make a delete marker")
		return
	}
	key := b.key("marked")
	info := b.put(t, key, []byte("x"), nil)
	if err := marker.Mark(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantMissing(t, key, "")
	b.want(t, key, &store.GetOptions{Version: info.Version}, []byte("x"))
	b.wantKeys(t, b.prefix, nil, nil)
	infos := b.list(t, b.prefix, &store.ListOptions{Versions: true})
	if len(infos) != 2 || !infos[0].DeleteMarker || !infos[0].Latest || infos[1].DeleteMarker || infos[1].Latest {
		t.Fatalf("versions: %+v", infos)
	}
	b.wantMissing(t, key, infos[0].Version)
	b.markedPut(t, key)
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
	if err := marker.Mark(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}

// markedPut: S3 lets an exclusive put over a delete marker pass, some servers do
// not. Either is safe, and s3.Probe reports which it is; a put that claims to
// have failed must not have happened, though.
func (b *bench) markedPut(t *testing.T, key string) {
	t.Helper()
	_, err := b.Put(t.Context(), key, []byte("again"), &store.PutOptions{IfAbsent: true})
	if err == nil {
		b.want(t, key, nil, []byte("again"))
		return
	}
	wantError(t, "Put over a delete marker", err, fs.ErrExist)
	b.wantMissing(t, key, "")
	t.Log("an exclusive put over a delete marker is refused")
}

func testLock(t *testing.T, b *bench) {
	key, data := b.key("locked"), []byte("x")
	info := b.put(t, key, data, nil)
	lock, err := b.locker(t).Locked(t.Context(), key, info.Version)
	if err != nil || lock != (store.Lock{}) {
		t.Fatalf("Locked before: %+v, %v", lock, err)
	}
	short := time.Now().Add(lockTime)
	long := short.Add(2 * time.Second)
	b.lock(t, key, info.Version, short)
	b.wantLock(t, key, info.Version, short, false)
	b.wantLocked(t, key, data)
	b.lock(t, key, "", long) // the latest version
	b.wantLock(t, key, info.Version, long, false)
	b.lock(t, key, info.Version, short) // asking for less changes nothing
	b.wantLock(t, key, "", long, false)
	b.lock(t, key, info.Version, long)
	b.wantLock(t, key, "", long, false)
	b.wantLocked(t, key, data)
	// Overwriting is no way around it: the locked version stays.
	b.put(t, key, []byte("y"), nil)
	b.want(t, key, &store.GetOptions{Version: info.Version}, data)
}

// testLockOlder locks an older version: the latest must survive the attempt to
// delete all of them.
func testLockOlder(t *testing.T, b *bench) {
	key, until := b.key("older"), time.Now().Add(lockTime)
	first := b.put(t, key, []byte("first"), nil)
	second := b.put(t, key, []byte("second"), nil)
	b.lock(t, key, first.Version, until)
	b.wantLock(t, key, first.Version, until, false)
	lock, err := b.locker(t).Locked(t.Context(), key, second.Version)
	if err != nil || lock != (store.Lock{}) {
		t.Fatalf("Locked, second version: %+v, %v", lock, err)
	}
	b.wantLocked(t, key, []byte("second"))
	b.want(t, key, &store.GetOptions{Version: first.Version}, []byte("first"))
}

// testLockPast: a lock that would have ended already is not one, and no error,
// as it is asked for when something is repeated late.
func testLockPast(t *testing.T, b *bench) {
	key, past := b.key("past"), time.Now().Add(-time.Hour)
	b.put(t, key, []byte("x"), nil)
	b.lock(t, key, "", past)
	if _, err := b.Put(t.Context(), b.key("put"), []byte("x"), &store.PutOptions{Lock: past}); err != nil {
		t.Fatalf("Put with a lock in the past: %v", err)
	}
	for _, key := range []string{key, b.key("put")} {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}

func testLockUpload(t *testing.T, b *bench) {
	key, data, until := b.key("large"), content(t, store.MinPart+1), time.Now().Add(lockTime)
	info := b.upload(t, key, data)
	b.lock(t, key, info.Version, until)
	b.wantLock(t, key, info.Version, until, false)
	b.wantLocked(t, key, data)
	b.hold(t, key, info.Version, true)
	b.wantLock(t, key, info.Version, until, true)
	b.hold(t, key, info.Version, false)
}

func testLockMissing(t *testing.T, b *bench) {
	key, l := b.key("missing"), b.locker(t)
	wantError(t, "Lock", l.Lock(t.Context(), key, "", time.Now().Add(lockTime)), fs.ErrNotExist)
	wantError(t, "Hold", l.Hold(t.Context(), key, "", true), fs.ErrNotExist)
	_, err := l.Locked(t.Context(), key, "")
	wantError(t, "Locked", err, fs.ErrNotExist)
	gone := b.put(t, key, []byte("x"), nil).Version
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.put(t, key, []byte("x"), nil)
	wantError(t, "Lock, version gone", l.Lock(t.Context(), key, gone, time.Now().Add(lockTime)), fs.ErrNotExist)
	_, err = l.Locked(t.Context(), key, gone)
	wantError(t, "Locked, version gone", err, fs.ErrNotExist)
}

func testPutLocked(t *testing.T, b *bench) {
	until := time.Now().Add(lockTime)
	for _, name := range []string{"first", "second"} { // the first may find out what the server can
		key := b.key(name)
		info := b.put(t, key, []byte(name), &store.PutOptions{Lock: until})
		b.wantLock(t, key, info.Version, until, false)
		b.wantLocked(t, key, []byte(name))
	}
}

func testPutLockedIfAbsent(t *testing.T, b *bench) {
	key, until := b.key("once"), time.Now().Add(lockTime)
	opts := &store.PutOptions{IfAbsent: true, Lock: until}
	info := b.put(t, key, []byte("first"), opts)
	b.wantLock(t, key, info.Version, until, false)
	_, err := b.Put(t.Context(), key, []byte("second"), opts)
	wantError(t, "Put over a locked object", err, fs.ErrExist)
	b.wantLocked(t, key, []byte("first"))
}

func testHold(t *testing.T, b *bench) {
	key, data := b.key("held"), []byte("x")
	info := b.put(t, key, data, nil)
	t.Cleanup(func() { // or a failure leaves what nobody can remove
		err := b.locker(t).Hold(context.WithoutCancel(t.Context()), key, "", false)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	for range 2 {
		b.hold(t, key, info.Version, true)
		b.wantLock(t, key, info.Version, time.Time{}, true)
		b.wantLocked(t, key, data)
	}
	for range 2 {
		b.hold(t, key, "", false)
		b.wantLock(t, key, info.Version, time.Time{}, false)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	b.wantKeys(t, b.prefix, &store.ListOptions{Versions: true}, nil)
}

func testLockExpires(t *testing.T, b *bench) {
	key, until := b.key("expires"), time.Now().Add(waitTime)
	info := b.put(t, key, []byte("x"), nil)
	b.lock(t, key, info.Version, until)
	b.wantLocked(t, key, []byte("x"))
	b.wantDeleted(t, key)
	if time.Now().Before(until.Add(-time.Second)) {
		t.Error("deleted before the lock ended")
	}
}

func testHoldOutlivesLock(t *testing.T, b *bench) {
	held, free := b.key("held"), b.key("free")
	until := time.Now().Add(waitTime)
	for _, key := range []string{held, free} {
		info := b.put(t, key, []byte("x"), nil)
		b.lock(t, key, info.Version, until)
	}
	b.hold(t, held, "", true)
	t.Cleanup(func() {
		err := b.locker(t).Hold(context.WithoutCancel(t.Context()), held, "", false)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	b.wantDeleted(t, free) // so the lock of both has ended
	b.wantLocked(t, held, []byte("x"))
	b.hold(t, held, "", false)
	if err := b.Delete(t.Context(), held); err != nil {
		t.Fatal(err)
	}
}
