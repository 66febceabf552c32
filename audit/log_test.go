package audit_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
)

func TestCreateIsNotOpen(t *testing.T) {
	skey, vkey, err := audit.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	b := emptyBed(audit.Config{Key: skey, VKey: vkey})
	if _, err := audit.Open(t.Context(), b.config); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, audit.ErrTampered) {
		t.Errorf("open before create: %v", err)
	}
	if _, err := audit.Verify(t.Context(), b.config); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("verify before create: %v", err)
	}
	if err := audit.Create(t.Context(), b.config); err != nil {
		t.Fatal(err)
	}
	if err := audit.Create(t.Context(), b.config); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create again: %v", err)
	}
	if l := open(t, b.config); l.Size() != 0 || !strings.HasPrefix(string(l.Checkpoint()), origin+"\n0\n") {
		t.Errorf("new log has %d entries, checkpoint %q", l.Size(), l.Checkpoint())
	}
	if err := b.store.Mark(t.Context(), seq(0)); err != nil {
		t.Fatal(err)
	}
	if err := audit.Create(t.Context(), b.config); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("create over a removed log: %v", err)
	}
	if _, err := audit.Open(t.Context(), b.config); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("open of a removed log: %v", err)
	}
}

func TestKeys(t *testing.T) {
	b := newBed(t)
	skey, vkey, err := audit.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*audit.Config){
		"another signer":   func(c *audit.Config) { c.Key = skey },
		"another verifier": func(c *audit.Config) { c.Key, c.VKey = "", vkey },
		"another log":      func(c *audit.Config) { c.Key, c.VKey = skey, vkey },
		"another origin":   func(c *audit.Config) { c.Origin = "elsewhere.example" },
		"no key":           func(c *audit.Config) { c.VKey = "" },
		"rubbish":          func(c *audit.Config) { c.Key = "PRIVATE+KEY" },
	} {
		c := b.config
		change(&c)
		if _, err := audit.Open(t.Context(), c); err == nil {
			t.Errorf("%s: log opened", name)
		}
	}
	if _, _, err := audit.GenerateKey("two words"); err == nil {
		t.Error("key for an origin with a space")
	}
}

func TestAppend(t *testing.T) {
	b := newBed(t)
	var applied []string
	b.config.Apply = func(e *audit.Entry) { applied = append(applied, e.ID) }
	l := open(t, b.config)
	act := audit.Event{
		Type: "hold", Chain: "dossiers/x", N: 2, Act: strings.Repeat("ab", 32),
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 7*3600)), Details: map[string]string{"hold": "h"},
	}
	e, err := l.Append(t.Context(), act)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"act":"abababababababababababababababababababababababababababababababab","c":{},"chain":"dossiers/x",` +
		`"details":{"hold":"h"},"id":"dossiers/x/0002","n":2,"node":"a","time":"2026-01-01T20:04:05.000000Z","type":"hold","v":1}`
	if string(e.Raw) != want || e.Index != 0 || e.ID != "dossiers/x/0002" {
		t.Errorf("entry %d %q:\n got %s\nwant %s", e.Index, e.ID, e.Raw, want)
	}
	if fmt.Sprint(applied) != "[dossiers/x/0002]" {
		t.Errorf("applied %v before Append returned", applied)
	}
	if parsed, err := audit.ParseEntry(e.Raw); err != nil || !parsed.Time.Equal(e.Time) || parsed.Act != act.Act || parsed.Chain != act.Chain {
		t.Errorf("parsed %+v, %v", parsed, err)
	}
	e, err = l.Append(t.Context(), audit.Event{Type: "started"})
	if err != nil || len(e.ID) != 26 || !e.Time.Equal(clock()) || e.Index != 1 {
		t.Errorf("event without ID and time: %+v, %v", e, err)
	}
	if l.Size() != 2 {
		t.Errorf("size %d", l.Size())
	}
	b.sound(t)
}

func TestAppendRefuses(t *testing.T) {
	b := newBed(t)
	b.config.Seal = nil
	l := open(t, b.config)
	d := strings.Repeat("ab", 32)
	for name, e := range map[string]audit.Event{
		"no type":             {ID: "x"},
		"act without chain":   {Type: "hold", N: 1, Act: d},
		"act without number":  {Type: "hold", Chain: "c", Act: d},
		"act without digest":  {Type: "hold", Chain: "c", N: 1},
		"negative number":     {Type: "hold", Chain: "c", N: -1, Act: d},
		"upper-case digest":   {Type: "hold", Chain: "c", N: 1, Act: strings.ToUpper(d)},
		"foreign ID":          {ID: "x", Type: "hold", Chain: "c", N: 1, Act: d},
		"not UTF-8":           {ID: "x", Type: "viewed", Details: map[string]string{"a": "\xff"}},
		"too long":            {ID: "x", Type: "viewed", Details: map[string]string{"a": strings.Repeat("x", 1<<16)}},
		"private but no seal": {ID: "x", Type: "viewed", Private: map[string]string{"actor": "A"}},
	} {
		if e, err := l.Append(t.Context(), e); err == nil {
			t.Errorf("%s: logged %s", name, e.Raw)
		}
	}
	if l.Size() != 0 {
		t.Errorf("size %d", l.Size())
	}
	// A dissemination is about a chain without being an act of it.
	if _, err := l.Append(t.Context(), audit.Event{ID: "x", Type: "dissemination", Chain: "dossiers/x"}); err != nil {
		t.Error(err)
	}
}

func TestAppendIsIdempotent(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	first, err := l.Append(t.Context(), event(1))
	if err != nil {
		t.Fatal(err)
	}
	appendN(t, l, 2, 600)
	changed := event(1)
	changed.Type = "searched"
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			e, err := l.Append(t.Context(), changed)
			if err != nil || e.Index != first.Index || string(e.Raw) != string(first.Raw) {
				t.Errorf("again: %v, %v", e, err)
			}
			// Nobody knows this ID before all of them ask for it.
			if e, err := l.Append(t.Context(), event(600)); err != nil || e.Index != 599 {
				t.Errorf("new: %v, %v", e, err)
			}
		})
	}
	all.Wait()
	closeLog(t, l)
	if r := b.sound(t); r.Entries != 600 {
		t.Errorf("%d entries", r.Entries)
	}
	// On a node that never saw the first attempt, after a restart.
	b.config.Node = "b"
	l = open(t, b.config)
	if e, err := l.Append(t.Context(), changed); err != nil || e.Index != 0 || e.Node != "a" {
		t.Errorf("after restart: %v, %v", e, err)
	}
}

func TestCollidingIDs(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	audit.CollideIDs(l)
	for n := range 20 {
		if e, err := l.Append(t.Context(), event(n)); err != nil || e.Index != uint64(n) {
			t.Fatalf("event %d: %v, %v", n, e, err)
		}
	}
	for n := range 20 {
		if e, err := l.Append(t.Context(), event(n)); err != nil || e.Index != uint64(n) {
			t.Fatalf("event %d again: %v, %v", n, e, err)
		}
	}
	b.sound(t)
}

func TestReadOnly(t *testing.T) {
	b := newBed(t)
	writer := open(t, b.config)
	appendN(t, writer, 0, 300)
	c := b.config
	c.Key = ""
	l := open(t, c)
	if _, err := l.Append(t.Context(), event(1)); !errors.Is(err, audit.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	appendN(t, writer, 300, 301)
	if err := l.Sync(t.Context()); err != nil || l.Size() != 301 {
		t.Errorf("after sync %d entries, %v", l.Size(), err)
	}
	closeLog(t, l)
	if keys := append(keysOf(t, b.store, "ledger/tile/"), keysOf(t, b.work, "")...); len(keys) > 0 {
		t.Errorf("a reader published %v", keys)
	}
	if err := audit.Create(t.Context(), c); !errors.Is(err, audit.ErrReadOnly) {
		t.Errorf("create: %v", err)
	}
}

func TestClosed(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			if _, err := l.Append(t.Context(), event(n)); err != nil && !errors.Is(err, audit.ErrClosed) {
				t.Error(err)
			}
		})
	}
	closeLog(t, l)
	all.Wait()
	closeLog(t, l)
	if _, err := l.Append(t.Context(), event(1000)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if r := b.sound(t); r.Entries != l.Size() {
		t.Errorf("%d entries in the bucket, %d acknowledged", r.Entries, l.Size())
	}
}

func TestRestart(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 257, 512, 1000, 1024} {
		b := newBed(t)
		l := open(t, b.config)
		appendN(t, l, 0, size/2)
		closeLog(t, l) // publishes
		l = open(t, b.config)
		appendN(t, l, size/2, size)
		want := list(t, l)
		if len(want) != size {
			t.Fatalf("%d entries, want %d", len(want), size)
		}
		check := func(when string) {
			from := uint64(size / 3)
			next := from
			c := b.config
			c.From, c.Known = from, l.Checkpoint()
			c.Apply = func(e *audit.Entry) {
				if e.Index != next || string(e.Raw) != string(want[e.Index].Raw) {
					t.Errorf("%s: applied entry %d, want %d: %s", when, e.Index, next, e.Raw)
				}
				next++
			}
			again := open(t, c)
			if next != max(from, uint64(size)) || again.Size() != uint64(size) || string(again.Checkpoint()) != string(l.Checkpoint()) {
				t.Errorf("%s: %d entries, applied up to %d, want %d", when, again.Size(), next, size)
			}
			for i, e := range list(t, again) {
				if string(e.Raw) != string(want[i].Raw) || e.Index != uint64(i) {
					t.Errorf("%s: entry %d is %d: %s", when, i, e.Index, e.Raw)
				}
			}
			closeLog(t, again)
		}
		check(fmt.Sprintf("%d entries, half of them published", size))
		closeLog(t, l)
		check(fmt.Sprintf("%d entries, published", size))
		b.sound(t)
	}
}

func TestEntries(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	appendN(t, l, 0, 700)
	for _, from := range []uint64{0, 1, 255, 256, 511, 512, 600, 699, 700, 10000} {
		next := from
		for e, err := range l.Entries(t.Context(), from) {
			if err != nil || e.Index != next {
				t.Fatalf("from %d: %v, %v, want entry %d", from, e, err, next)
			}
			one, err := l.Entry(t.Context(), next)
			if err != nil || string(one.Raw) != string(e.Raw) {
				t.Fatalf("entry %d: %v, %v", next, one, err)
			}
			next++
		}
		if next != max(from, 700) {
			t.Errorf("from %d: ended before %d", from, next)
		}
	}
	for range l.Entries(t.Context(), 0) {
		break
	}
	if _, err := l.Entry(t.Context(), 700); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("entry behind the end: %v", err)
	}
}

func TestLocks(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	e := event(1)
	e.Private = map[string]string{"actor": "A"}
	if _, err := l.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	appendN(t, l, 2, 300)
	closeLog(t, l)
	for _, key := range keysOf(t, b.store, "") {
		lock, err := b.store.Locked(t.Context(), key, "")
		if want := !strings.HasPrefix(key, "ledger/disclosures/"); err != nil || lock.Active(clock()) != want {
			t.Errorf("%s: locked %v, %v, want %v", key, lock, err, want)
		}
	}
}

func TestDisclose(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	private := map[string]string{"actor": "Nguyễn Thị Ánh", "purpose": "Thanh tra", "empty": ""}
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			e := event(n)
			if n%2 == 0 {
				e.Private = maps.Clone(private)
				e.Private["number"] = fmt.Sprint(n)
			}
			if _, err := l.Append(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, e := range list(t, l) {
		if strings.Contains(string(e.Raw), "Thanh tra") || e.Private != nil {
			t.Errorf("entry shows private values: %s", e.Raw)
		}
		got, err := l.Disclose(t.Context(), e.Index, unseal)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Commitments) == 0 {
			if got != nil {
				t.Errorf("entry %d: disclosed %v", e.Index, got)
			}
			continue
		}
		want := maps.Clone(private)
		want["number"] = e.Details["number"]
		if !maps.Equal(got, want) || len(e.Commitments) != 4 {
			t.Errorf("entry %d: disclosed %v, want %v", e.Index, got, want)
		}
	}
	if r := b.sound(t); r.Disclosed == 0 || r.Undisclosed != 0 || r.Unused != 0 {
		t.Errorf("report %+v", r)
	}
}

func TestDisclosuresAltered(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	e := event(1)
	e.Private = map[string]string{"actor": "A", "purpose": "B"}
	if _, err := l.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	key := keysOf(t, b.store, "ledger/disclosures/")[0]
	sound := string(read(t, b.store, key))
	for _, change := range [][2]string{
		{`"value":"A"`, `"value":"X"`}, {`event-00001`, `event-00002`}, {`"salt":"`, `"salt":"A`}, {`"v":1`, `"v":2`},
		{`"purpose":`, `"purposes":`}, {`"fields":{`, `"fields":{"a":{"salt":"","value":""},`}, {`}`, ``},
	} {
		altered := strings.Replace(sound, change[0], change[1], 1)
		if _, err := b.store.Put(t.Context(), key, []byte(altered), nil); err != nil || altered == sound {
			t.Fatal(err)
		}
		if got, err := l.Disclose(t.Context(), 0, unseal); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%s: disclosed %v, %v", change[1], got, err)
		}
	}
	if err := b.store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Disclose(t.Context(), 0, unseal); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("disclosures gone: %v", err)
	}
	if r := b.sound(t); r.Undisclosed != 1 {
		t.Errorf("report %+v", r)
	}
}
