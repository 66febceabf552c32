package chain_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/store"
)

func TestAppendRead(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	if acts := read(t, k, "dossiers/x"); len(acts) != 0 || k.Len("dossiers/x") != 0 {
		t.Errorf("an unknown chain has %d acts", len(acts))
	}
	d := draft("one")
	d.Sealed, d.Time = "c2VhbGVk", now.Add(-time.Hour)
	first, entry, err := k.Append(t.Context(), "dossiers/x", nil, d)
	if err != nil {
		t.Fatal(err)
	}
	if first.Chain != "dossiers/x" || first.N != 1 || first.Prev != strings.Repeat("0", 64) || first.Type != "noted" ||
		first.By != "nobody" || first.Node != "a" || first.Sealed != d.Sealed || first.Time != "2026-11-24T02:22:30.123456Z" || !first.When().Equal(d.Time) {
		t.Errorf("got act %+v", first)
	}
	if entry.ID != "dossiers/x/0001" || entry.Type != "noted" || entry.Chain != first.Chain || entry.N != 1 || entry.Act != first.Digest() ||
		!entry.Time.Equal(d.Time) || !maps.Equal(entry.Details, map[string]string{"text": "one"}) {
		t.Errorf("got entry %+v", entry)
	}
	all := extend(t, k, "dossiers/x", "two", "three")
	extend(t, k, "dossiers/y", "other")
	if all[1].Prev != first.Digest() || all[2].Prev != all[1].Digest() || all[2].N != 3 || !all[2].When().Equal(now) {
		t.Errorf("got acts %+v, %+v", all[1], all[2])
	}
	for _, node := range []*chain.Keeper{k, b.open(t, "b")} {
		acts := read(t, node, "dossiers/x")
		if got := texts(t, acts); !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("read %q", got)
		}
		for i, a := range acts {
			if stored := object(t, b.archive, chain.Key("dossiers/x", i+1)); !bytes.Equal(a.Raw(), stored) || a.Digest() != all[i].Digest() {
				t.Errorf("act %d is not what is stored", i+1)
			}
		}
	}
	b.sound(t)
}

func TestWhatTheLedgerSays(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	extend(t, k, "dossiers/x", "one", "two")
	if _, err := k.Ledger().Append(t.Context(), audit.Event{Type: "viewed", Chain: "dossiers/x"}); err != nil {
		t.Fatal(err)
	}
	extend(t, k, "cases/y", "one")
	var applied []string
	c := b.config("b")
	c.Applied = func(e *audit.Entry) { applied = append(applied, e.Type+" "+e.Chain) }
	fresh := open(t, c)
	if want := []string{"noted dossiers/x", "noted dossiers/x", "viewed dossiers/x", "noted cases/y"}; !slices.Equal(applied, want) {
		t.Errorf("applied %q, want %q", applied, want)
	}
	for _, k := range []*chain.Keeper{k, fresh} {
		if got, want := maps.Collect(k.Chains), map[string]int{"dossiers/x": 2, "cases/y": 1}; !maps.Equal(got, want) {
			t.Errorf("chains: got %v, want %v", got, want)
		}
		for range k.Chains {
			break // may end early
		}
		for n, want := range map[int]uint64{1: 0, 2: 1} {
			if i, ok := k.Index("dossiers/x", n); !ok || i != want {
				t.Errorf("index of act %d: got %d, %v; want %d", n, i, ok, want)
			}
		}
		for _, n := range []int{-1, 0, 3} {
			if i, ok := k.Index("dossiers/x", n); ok {
				t.Errorf("index of act %d: got %d", n, i)
			}
		}
	}
}

func TestOpenWithoutLedger(t *testing.T) {
	b := newBed(t)
	c := b.config("a")
	c.Audit.Store = store.NewMemory(store.MemoryOptions{Versioned: true, Now: clock})
	if _, err := chain.Open(t.Context(), c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// TestOneWinner has 16 goroutines on two nodes put the same number, again and
// again.
func TestOneWinner(t *testing.T) {
	b := newBed(t)
	nodes := []*chain.Keeper{b.open(t, "a"), b.open(t, "b")}
	for round := range 8 {
		acts := [][]*chain.Act{read(t, nodes[0], "dossiers/x"), read(t, nodes[1], "dossiers/x")}
		won := make([]*chain.Act, 16)
		var wg sync.WaitGroup
		for i := range won {
			wg.Go(func() {
				a, e, err := nodes[i%2].Append(t.Context(), "dossiers/x", acts[i%2], draft(nth(i)))
				switch {
				case err == nil && e.Act == a.Digest():
					won[i] = a
				case !errors.Is(err, fs.ErrExist):
					t.Errorf("got entry %v, error %v; want fs.ErrExist", e, err)
				}
			})
		}
		wg.Wait()
		won = slices.DeleteFunc(won, func(a *chain.Act) bool { return a == nil })
		if len(won) != 1 || won[0].N != round+1 {
			t.Fatalf("round %d: %d winners", round, len(won))
		}
		for _, k := range nodes {
			if got := read(t, k, "dossiers/x"); len(got) != round+1 || got[round].Digest() != won[0].Digest() {
				t.Errorf("round %d: the winner's act is not the one that is read", round)
			}
		}
	}
	b.sound(t)
}

// TestDecideAnew is how callers use it: everybody gets its act in, one after the
// other.
func TestDecideAnew(t *testing.T) {
	b := newBed(t)
	nodes := []*chain.Keeper{b.open(t, "a"), b.open(t, "b")}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			k := nodes[i%2]
			for {
				acts, err := k.Read(t.Context(), "dossiers/x")
				if err != nil {
					t.Error(err)
					return
				}
				_, _, err = k.Append(t.Context(), "dossiers/x", acts, draft(nth(i)))
				if err == nil {
					return
				}
				if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, k := range nodes {
		got := texts(t, read(t, k, "dossiers/x"))
		slices.Sort(got)
		if len(got) != 16 || len(slices.Compact(got)) != 16 {
			t.Errorf("got %q", got)
		}
	}
	b.sound(t)
}

// meanwhile calls then after it was told that an act is not there.
type meanwhile struct {
	store.Store
	key  string
	then func()
}

func (m *meanwhile) Get(ctx context.Context, key string, o *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	r, info, err := m.Store.Get(ctx, key, o)
	if err != nil && key == m.key && m.then != nil {
		then := m.then
		m.then = nil
		then()
	}
	return r, info, err
}

// TestReadMeetsAppend has an act put and entered while somebody reads the chain
// and was just told that it is not there.
func TestReadMeetsAppend(t *testing.T) {
	b := newBed(t)
	m := &meanwhile{Store: b.archive, key: "dossiers/x/0002"}
	c := b.config("a")
	c.Store = m
	k := open(t, c)
	acts := extend(t, k, "dossiers/x", "one")
	m.then = func() {
		if _, _, err := k.Append(t.Context(), "dossiers/x", acts, draft("two")); err != nil {
			t.Error(err)
		}
	}
	if got, err := k.Read(t.Context(), "dossiers/x"); err != nil || len(got) < 1 {
		t.Errorf("got %d acts, %v", len(got), err)
	}
}

// TestActTooLarge: what could not be read again is not written.
func TestActTooLarge(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	if a, err := k.Put(t.Context(), "dossiers/x", nil, draft(strings.Repeat("x", 16<<20))); err == nil {
		t.Errorf("an act of %d octets was written", len(a.Raw()))
	}
	if acts := read(t, k, "dossiers/x"); len(acts) != 0 {
		t.Errorf("got %d acts", len(acts))
	}
	long := map[string]string{"long": strings.Repeat("x", 15<<20)}
	if _, _, err := k.Append(t.Context(), "dossiers/x", nil, chain.Draft{Type: "noted", Body: long}); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	acts := read(t, k, "dossiers/x")
	if len(acts) != 1 || acts[0].Decode(&got) != nil || !maps.Equal(got, long) {
		t.Error("a large act is not read as it was written")
	}
}

// TestHelping has a node die between the act and its entry: whoever reads the
// chain enters it, and the entry says the same as the author's would.
func TestHelping(t *testing.T) {
	entries := map[string]*audit.Entry{}
	for _, helper := range []string{"a", "b"} {
		b := newBed(t)
		nodes := map[string]*chain.Keeper{"a": b.open(t, "a"), "b": b.open(t, "b")}
		acts := extend(t, nodes["a"], "dossiers/x", "one")
		if _, err := nodes["a"].Put(t.Context(), "dossiers/x", acts, draft("two")); err != nil {
			t.Fatal(err)
		}
		if got := nodes["a"].Len("dossiers/x"); got != 1 {
			t.Errorf("an act that was only put is counted: %d", got)
		}
		if got := texts(t, read(t, nodes[helper], "dossiers/x")); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("%s read %q", helper, got)
		}
		i, ok := nodes[helper].Index("dossiers/x", 2)
		if !ok || nodes[helper].Len("dossiers/x") != 2 {
			t.Fatalf("%s read an act and did not enter it", helper)
		}
		for _, k := range nodes {
			read(t, k, "dossiers/x")
		}
		read(t, b.open(t, "c"), "dossiers/x")
		if size := nodes[helper].Ledger().Size(); size != 2 {
			t.Errorf("two acts have %d entries", size)
		}
		e, err := nodes[helper].Ledger().Entry(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		entries[helper] = e
		b.sound(t)
	}
	x, y := entries["a"], entries["b"]
	if x.Node != "a" || y.Node != "b" || x.Type != y.Type || x.ID != y.ID || !x.Time.Equal(y.Time) || !maps.Equal(x.Details, y.Details) || x.Details["text"] != "two" {
		t.Errorf("the author's entry %s, the helper's %s", x.Raw, y.Raw)
	}
}

// TestHelperIsFirst has another node enter the act while its author is about to.
func TestHelperIsFirst(t *testing.T) {
	b := newBed(t)
	author, helper := b.open(t, "a"), b.open(t, "b")
	a, err := author.Put(t.Context(), "dossiers/x", nil, draft("one"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, helper, "dossiers/x")
	e, err := author.Enter(t.Context(), a)
	if err != nil || e == nil || e.Node != "b" || e.Act != a.Digest() {
		t.Errorf("got entry %+v, %v; want the helper's", e, err)
	}
	if e, err := author.Enter(t.Context(), a); err != nil || e != nil {
		t.Errorf("again: got entry %v, %v; want none", e, err)
	}
	b.sound(t)
}

// TestLocked has acts locked in the store from the first moment.
func TestLocked(t *testing.T) {
	b := newBed(t)
	c := b.config("a")
	c.LockFor = 48 * time.Hour
	k := open(t, c)
	extend(t, k, "dossiers/x", "one")
	lock, err := b.memory.Locked(t.Context(), "dossiers/x/0001", "")
	if err != nil || lock.Until.Before(now.Add(c.LockFor)) || lock.Until.After(now.Add(c.LockFor+time.Second)) {
		t.Errorf("got %+v, %v", lock, err)
	}
	if err := b.memory.Delete(t.Context(), "dossiers/x/0001"); !errors.Is(err, store.ErrLocked) {
		t.Errorf("deleting an act: got %v, want ErrLocked", err)
	}
}

func TestDraftsThatCanNotBeWritten(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	early := draft("one")
	early.Time = now.AddDate(-2, 0, 0) // before the key was made
	for name, d := range map[string]chain.Draft{
		"no JSON":        {Type: "noted", Body: func() {}},
		"a fraction":     {Type: "noted", Body: map[string]float64{"x": 0.5}},
		"before the key": early,
	} {
		if a, err := k.Put(t.Context(), "dossiers/x", nil, d); err == nil {
			t.Errorf("%s: written as %s", name, a.Raw())
		}
	}
	if len(read(t, k, "dossiers/x")) != 0 {
		t.Error("something was written")
	}
}

func TestCancelled(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	extend(t, k, "dossiers/x", "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Read(ctx, "dossiers/x"); !errors.Is(err, context.Canceled) {
		t.Errorf("read: got %v", err)
	}
	if _, _, err := k.Append(ctx, "dossiers/x", read(t, k, "dossiers/x"), draft("two")); !errors.Is(err, context.Canceled) {
		t.Errorf("append: got %v", err)
	}
}

// TestClosed: a closed ledger lets nothing become effective.
func TestClosed(t *testing.T) {
	b := newBed(t)
	k := b.open(t, "a")
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Append(t.Context(), "dossiers/x", nil, draft("one")); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if got := texts(t, read(t, b.open(t, "b"), "dossiers/x")); !slices.Equal(got, []string{"one"}) {
		t.Errorf("an act that was put is not helped: %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	b := newBed(t)
	a := b.open(t, "a")
	acts := extend(t, a, "dossiers/x", "one")
	c := b.config("b")
	c.Audit.Key = ""
	reader := open(t, c)
	if got := texts(t, read(t, reader, "dossiers/x")); !slices.Equal(got, []string{"one"}) {
		t.Errorf("read %q", got)
	}
	if _, err := a.Put(t.Context(), "dossiers/x", acts, draft("two")); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(t.Context(), "dossiers/x"); !errors.Is(err, audit.ErrReadOnly) {
		t.Errorf("an act without entry: got %v, want ErrReadOnly", err)
	}
}
