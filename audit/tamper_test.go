package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
)

// detected opens and verifies, and fails the test unless one of the two says
// that the log was tampered with.
func (b *bed) detected(t *testing.T, what string) {
	t.Helper()
	c := b.config
	c.Key = ""
	l, err := audit.Open(t.Context(), c)
	if err == nil {
		l.Close()
	}
	report, verifyErr := audit.Verify(t.Context(), c)
	if !errors.Is(err, audit.ErrTampered) && !errors.Is(verifyErr, audit.ErrTampered) {
		t.Errorf("%s: open: %s; verify: %s", what, short(err), short(verifyErr))
	}
	if verifyErr == nil || report == nil || len(report.Findings) == 0 {
		t.Errorf("%s: verify: %s, %+v", what, short(verifyErr), report)
	}
}

// published returns a bed with a published log of more than one bundle, in a few
// batches.
func published(t *testing.T) *bed {
	t.Helper()
	b := newBed(t)
	l := open(t, b.config)
	for n := range 3 {
		e := event(n)
		e.Private = map[string]string{"actor": "A"}
		if _, err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	appendN(t, l, 3, 520)
	appendN(t, l, 520, 521)
	closeLog(t, l)
	return b
}

// damage is what may happen to an object. It returns false where it cannot.
type damage func(t *testing.T, s *store.Memory, key, other string) bool

func put(t *testing.T, s store.Store, key string, data []byte) bool {
	t.Helper()
	if len(data) == 0 {
		return false
	}
	if _, err := s.Put(t.Context(), key, data, nil); err != nil {
		t.Fatal(err)
	}
	return true
}

// rewrite replaces the only version of an object.
func rewrite(change func(data []byte) []byte) damage {
	return func(t *testing.T, s *store.Memory, key, other string) bool {
		data := change(read(t, s, key))
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return put(t, s, key, data)
	}
}

func flip(at float64) damage {
	return rewrite(func(data []byte) []byte {
		data[int(at*float64(len(data)-1))] ^= 1
		return data
	})
}

func damages() map[string]damage {
	return map[string]damage{
		"first bit": flip(0), "middle bit": flip(0.5), "late bit": flip(0.93), "last bit": flip(1),
		"cut":      rewrite(func(d []byte) []byte { return d[:len(d)-1] }),
		"halved":   rewrite(func(d []byte) []byte { return d[:len(d)/2] }),
		"appended": rewrite(func(d []byte) []byte { return append(d, '\n') }),
		"replaced by another": func(t *testing.T, s *store.Memory, key, other string) bool {
			return put(t, s, key, read(t, s, other))
		},
		"written again": func(t *testing.T, s *store.Memory, key, _ string) bool { return put(t, s, key, read(t, s, key)) },
		"marked deleted": func(t *testing.T, s *store.Memory, key, _ string) bool {
			return s.Mark(t.Context(), key) == nil
		},
		"deleted": func(t *testing.T, s *store.Memory, key, _ string) bool { return s.Delete(t.Context(), key) == nil },
		"shadow of a deleted one": func(t *testing.T, s *store.Memory, key, _ string) bool {
			data := read(t, s, key)
			return s.Mark(t.Context(), key) == nil && put(t, s, key, data)
		},
	}
}

// TestTampering does everything to every object.
func TestTampering(t *testing.T) {
	b := published(t)
	keys := keysOf(t, b.store, "ledger/")
	tail := keys[len(keys)-1]
	if !strings.HasPrefix(tail, "ledger/tile/") {
		t.Fatalf("objects %v", keys)
	}
	last := len(keysOf(t, b.store, "ledger/seq/")) - 1
	for i, key := range keys {
		switch {
		case strings.HasPrefix(key, "ledger/disclosures/"):
			continue // TestDisclosuresAltered
		case key > seq(4) && key < seq(last-1):
			continue // as those before and behind
		}
		for name, do := range damages() {
			c := b.copyOf(t)
			if do(t, c.store, key, keys[(i+1)%len(keys)]) {
				c.detected(t, key+" "+name)
			}
		}
	}
	for _, key := range keysOf(t, b.work, "ledger/") {
		for name, do := range damages() {
			if name == "deleted" || name == "written again" || name == "replaced by another" && key == "ledger/checkpoint" {
				continue // is lawful in the work bucket, or done below
			}
			c := b.copyOf(t)
			if do(t, c.work, key, "ledger/checkpoint") {
				if name != "marked deleted" && name != "shadow of a deleted one" { // no versions there
					c.verifyDetects(t, key+" "+name)
				}
			}
		}
	}
}

// verifyDetects is detected for what Open may ignore.
func (b *bed) verifyDetects(t *testing.T, what string) {
	t.Helper()
	if _, err := audit.Verify(t.Context(), b.config); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("%s: verify: %s", what, short(err))
	}
}

// TestAdditions puts objects into the bucket that the log did not write.
func TestAdditions(t *testing.T) {
	b := published(t)
	end := len(keysOf(t, b.store, "ledger/seq/"))
	for _, key := range []string{seq(end), seq(end + 1), "ledger/seq/zzz", "ledger/seq/0000000000000001x", "ledger/tile/0/002",
		"ledger/tile/1/000", "ledger/tile/entries/002", "ledger/tile/entries/000.p/5", "ledger/other", "ledger/checkpoint", "ledger/disclosures/x"} {
		for _, like := range []string{seq(end - 1), "ledger/tile/0/000", "ledger/tile/entries/001"} {
			c := b.copyOf(t)
			put(t, c.store, key, read(t, b.store, like))
			c.detected(t, key+" like "+like)
		}
	}
	c := b.copyOf(t)
	put(t, c.work, "ledger/tile/entries/002.p/100", []byte("x"))
	c.verifyDetects(t, "additional partial tile")
}

// TestTruncation removes the end of the log without a trace in the bucket. It
// shows where a checkpoint is known.
func TestTruncation(t *testing.T) {
	b := published(t)
	keys := keysOf(t, b.store, "ledger/seq/")
	known := read(t, b.work, "ledger/checkpoint")
	for cut := 1; cut < len(keys); cut++ {
		c := b.copyOf(t)
		for _, key := range keys[len(keys)-cut:] {
			if err := c.store.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		c.detected(t, fmt.Sprintf("last %d of %d batches gone", cut, len(keys)))
		for _, key := range keysOf(t, c.work, "") {
			if err := c.work.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		c.config.Known = known
		c.detected(t, fmt.Sprintf("last %d of %d batches gone, and the work bucket", cut, len(keys)))
	}
}

// TestFork has two logs under one key: whoever knows a checkpoint of one does
// not take the other.
func TestFork(t *testing.T) {
	b := newBed(t)
	for n, c := range []*bed{b.copyOf(t), b.copyOf(t)} {
		l := open(t, c.config)
		appendN(t, l, 0, 3)
		if _, err := l.Append(t.Context(), audit.Event{ID: "last", Type: "viewed", Details: map[string]string{"fork": fmt.Sprint(n)}}); err != nil {
			t.Fatal(err)
		}
		closeLog(t, l)
		c.sound(t)
		if n == 0 {
			b.config.Known = l.Checkpoint()
			continue
		}
		c.config.Known = b.config.Known
		c.detected(t, "fork")
		c.config.Known = []byte("rubbish")
		if _, err := audit.Open(t.Context(), c.config); err == nil {
			t.Error("opened with rubbish for a known checkpoint")
		}
	}
}

// TestOpenLogMeetsTampering has an open log read a bad batch. It then answers
// nothing but that.
func TestOpenLogMeetsTampering(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	writer := open(t, b.config)
	appendN(t, writer, 0, 1)
	good := read(t, b.store, seq(1))
	put(t, b.store, seq(1), bytes.Replace(good, []byte(`"start":0`), []byte(`"start":1`), 1))
	if err := l.Sync(t.Context()); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("sync: %v", err)
	}
	put(t, b.store, seq(1), good)
	if err := l.Sync(t.Context()); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("sync again: %v", err)
	}
	if _, err := l.Append(t.Context(), event(9)); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("append: %v", err)
	}
	if err := l.Close(); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("close: %v", err)
	}
}

// TestSecondVersion has somebody remove the last batch under a delete marker,
// and a node that had not read it commit another. The node that wrote the first
// sees it when it publishes.
func TestSecondVersion(t *testing.T) {
	b := newBed(t)
	first, second := open(t, b.config), open(t, b.config)
	appendN(t, first, 0, 1)
	if err := b.store.Mark(t.Context(), seq(1)); err != nil {
		t.Fatal(err)
	}
	appendN(t, second, 1, 2)
	if err := first.Close(); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("close: %v", err)
	}
	b.detected(t, "second version")
}

// TestWrongTileThere has somebody put a tile where one will be published.
func TestWrongTileThere(t *testing.T) {
	for _, key := range []string{"ledger/tile/0/000", "ledger/tile/entries/000"} {
		b := newBed(t)
		put(t, b.store, key, []byte("x"))
		l := open(t, b.config)
		appendN(t, l, 0, 256)
		if err := l.Close(); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%s: close: %v", key, err)
		}
		b.detected(t, key)
	}
}

// TestProofFromTamperedTiles reads single objects that changed after Open.
func TestProofFromTamperedTiles(t *testing.T) {
	b := published(t)
	for _, key := range []string{"ledger/tile/0/000", "ledger/tile/entries/000"} {
		c := b.copyOf(t)
		l := open(t, c.config)
		audit.Forget(l)
		data := read(t, c.store, key)
		data[len(data)/2] ^= 1
		put(t, c.store, key, data)
		_, proofErr := l.Prove(t.Context(), 0)
		_, entryErr := l.Entry(context.Background(), 0)
		if !errors.Is(proofErr, audit.ErrTampered) && !errors.Is(entryErr, audit.ErrTampered) {
			t.Errorf("%s: prove: %v; entry: %v", key, proofErr, entryErr)
		}
	}
}
