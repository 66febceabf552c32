package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// fault makes call n of a run fail, before or after its effect, alone or with
// all calls that follow, as if the process had died.
type fault struct {
	n           int
	apply, dies bool
}

var errInjected = errors.New("injected")

// injector counts calls over both buckets.
type injector struct {
	fault
	mu    sync.Mutex
	calls int
	hit   string // the call that failed
}

func (i *injector) onCall(op, key string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	switch {
	case i.calls == i.n+1:
		i.hit = op + " " + key
		return i.apply, errInjected
	case i.dies && i.calls > i.n:
		return false, errInjected
	}
	return false, nil
}

// life is a whole life of a log: made, used, closed, opened again. It goes on
// after errors, as callers do, and returns the IDs that were acknowledged.
func life(t *testing.T, c audit.Config) map[string]uint64 {
	acknowledged := map[string]uint64{}
	var mu sync.Mutex
	add := func(l *audit.Log, e audit.Event) {
		got, err := l.Append(t.Context(), e)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			acknowledged[e.ID] = got.Index
		} else if !errors.Is(err, errInjected) {
			t.Errorf("append: %v", err)
		}
	}
	if err := audit.Create(t.Context(), c); err != nil && !errors.Is(err, errInjected) {
		t.Errorf("create: %v", err)
	}
	for session := range 2 {
		l, err := audit.Open(t.Context(), c)
		if err != nil {
			if !errors.Is(err, errInjected) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open: %v", err)
			}
			continue
		}
		for n := range 2 {
			e := event(1000*session + n)
			e.Private = map[string]string{"actor": "A"}
			add(l, e)
		}
		var all sync.WaitGroup
		for n := range 130 {
			all.Go(func() { add(l, event(1000*session+10+n)) })
		}
		all.Wait()
		add(l, event(0)) // again
		if err := l.Close(); err != nil && !errors.Is(err, errInjected) {
			t.Errorf("close: %v", err)
		}
	}
	return acknowledged
}

// TestCrash lets every call of such a life fail in every way. Whatever happens,
// the log is sound afterwards and has what was acknowledged, once.
func TestCrash(t *testing.T) {
	for _, f := range []fault{{apply: false}, {apply: true}, {dies: true}, {apply: true, dies: true}} {
		t.Run(fmt.Sprintf("apply=%v,dies=%v", f.apply, f.dies), func(t *testing.T) {
			t.Parallel()
			for f.n = 0; ; f.n++ {
				done := false
				synctest.Test(t, func(t *testing.T) { done = crash(t, f) })
				if done || t.Failed() {
					t.Logf("%d calls", f.n)
					break
				}
			}
		})
	}
}

// crash is one life with one fault. It reports whether there were too few calls
// for the fault to strike.
func crash(t *testing.T, f fault) (done bool) {
	skey, vkey, err := audit.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	b := emptyBed(audit.Config{Key: skey, VKey: vkey})
	i := &injector{fault: f}
	c := b.config
	c.Store, c.Work = storetest.Faulty{Store: b.store, OnCall: i.onCall}, storetest.Faulty{Store: b.work, OnCall: i.onCall}
	acknowledged := life(t, c)
	if t.Failed() {
		t.Logf("call %d: %s", f.n, i.hit)
	}

	if err := audit.Create(t.Context(), b.config); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatalf("call %d, %s: create: %v", f.n, i.hit, err)
	}
	l, err := audit.Open(t.Context(), b.config)
	if err != nil {
		t.Fatalf("call %d, %s: open: %v", f.n, i.hit, err)
	}
	for id, index := range acknowledged {
		if e, err := l.Entry(t.Context(), index); err != nil || e.ID != id {
			t.Fatalf("call %d, %s: acknowledged %q as entry %d, there is %v, %v", f.n, i.hit, id, index, e, err)
		}
	}
	disclosable(t, l)
	if e, err := l.Append(t.Context(), audit.Event{Type: "started"}); err != nil || e.Index != l.Size()-1 {
		t.Fatalf("call %d, %s: append: %v, %v", f.n, i.hit, e, err)
	}
	closeLog(t, l)
	if r, err := audit.Verify(t.Context(), b.config); err != nil || r.Undisclosed != 0 {
		t.Fatalf("call %d, %s: verify: %v, %+v", f.n, i.hit, err, r)
	}
	locked(t, b.store)
	return i.hit == ""
}

// disclosable checks that every commitment can be opened.
func disclosable(t *testing.T, l *audit.Log) {
	t.Helper()
	for _, e := range list(t, l) {
		if got, err := l.Disclose(t.Context(), e.Index, unseal); err != nil || len(got) != len(e.Commitments) {
			t.Fatalf("entry %d: disclosed %v, %v", e.Index, got, err)
		}
	}
}

// locked checks that batches are locked. A process that died between the put
// and the lock of a store that needs two requests is left to the archive's own
// check of locks.
func locked(t *testing.T, s *store.Memory) {
	t.Helper()
	for _, key := range keysOf(t, s, "ledger/seq/") {
		if lock, err := s.Locked(t.Context(), key, ""); err != nil || !lock.Active(clock()) {
			t.Fatalf("%s: lock %v, %v", key, lock, err)
		}
	}
}

// twoStep is a store that stores first and locks then, and fails to lock.
type twoStep struct {
	*store.Memory
	failures int
}

func (s *twoStep) Lock(ctx context.Context, key, version string, until time.Time) error {
	if s.failures > 0 {
		s.failures--
		return errInjected
	}
	return s.Memory.Lock(ctx, key, version, until)
}

func (s *twoStep) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	plain := *opts
	plain.Lock = time.Time{}
	info, err := s.Memory.Put(ctx, key, data, &plain)
	if err == nil && !opts.Lock.IsZero() {
		err = s.Lock(ctx, key, info.Version, opts.Lock)
	}
	return info, err
}

// TestLockFails has the lock of a batch fail after the batch was stored. The
// entry is in the log, so the append succeeds; the lock is made up for.
func TestLockFails(t *testing.T) {
	b := newBed(t)
	s := &twoStep{Memory: b.store, failures: 1}
	b.config.Store = s
	l := open(t, b.config)
	if e, err := l.Append(t.Context(), event(1)); err != nil || e.Index != 0 {
		t.Fatal(e, err)
	}
	appendN(t, l, 2, 300)
	s.failures = 1 // of a tile
	closeLog(t, l)
	locked(t, b.store)
	for _, key := range keysOf(t, b.store, "ledger/tile/") {
		if lock, err := b.store.Locked(t.Context(), key, ""); err != nil || !lock.Active(clock()) {
			t.Fatalf("%s: lock %v, %v", key, lock, err)
		}
	}
	b.sound(t)
}

// TestLosersCheckpoint has the put of a batch lost for good: none of its
// checkpoints may be seen, and the next batch takes its place.
func TestLosersCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		broken := true
		b.config.Store = storetest.Faulty{Store: b.store, OnCall: func(op, key string) (bool, error) {
			if broken && op == "put" {
				return false, errInjected
			}
			return false, nil
		}}
		l := open(t, b.config)
		before := string(l.Checkpoint())
		if _, err := l.Append(t.Context(), event(1)); !errors.Is(err, errInjected) {
			t.Fatalf("append: %v", err)
		}
		if string(l.Checkpoint()) != before || l.Size() != 0 {
			t.Errorf("checkpoint of a batch that is not committed: %s", l.Checkpoint())
		}
		broken = false
		if e, err := l.Append(t.Context(), event(2)); err != nil || e.Index != 0 {
			t.Errorf("append: %v, %v", e, err)
		}
		closeLog(t, l)
		b.sound(t)
	})
}

// TestLatePut has a put arrive after its answer was an error and the slot was
// seen empty: the entry then is in the log though Append failed, and appending
// it again returns it.
func TestLatePut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		late := &latePut{Memory: b.store, lost: true}
		b.config.Store = late
		l := open(t, b.config)
		if _, err := l.Append(t.Context(), event(1)); !errors.Is(err, errInjected) {
			t.Fatalf("append: %v", err)
		}
		late.arrive(t)
		if e, err := l.Append(t.Context(), event(2)); err != nil || e.Index != 1 {
			t.Errorf("another: %v, %v", e, err)
		}
		if e, err := l.Append(t.Context(), event(1)); err != nil || e.Index != 0 {
			t.Errorf("again: %v, %v", e, err)
		}
		closeLog(t, l)
		b.sound(t)
	})
}

// latePut keeps what was put, to store it later.
type latePut struct {
	*store.Memory
	lost bool
	key  string
	data []byte
}

func (s *latePut) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	if s.lost {
		s.key, s.data = key, bytes.Clone(data)
		return nil, errInjected
	}
	return s.Memory.Put(ctx, key, data, opts)
}

func (s *latePut) arrive(t *testing.T) {
	s.lost = false
	if _, err := s.Memory.Put(t.Context(), s.key, s.data, &store.PutOptions{IfAbsent: true, Lock: clock().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
}
