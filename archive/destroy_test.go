package archive_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/life"
)

// decided takes a case over the dossiers to its approval.
func decided(t testing.TB, a *archive.Archive, refs ...string) string {
	t.Helper()
	name, err := a.Propose(t.Context(), archivist, refs, "hết thời hạn lưu trữ")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Review(t.Context(), member, name, nil, "nhất trí"); err != nil {
		t.Fatal(err)
	}
	if err := a.Decide(t.Context(), chief, name, true, "12/QĐ-UBND"); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDestroy(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	ingest(t, a, code(1))
	ingest(t, a, code(2))
	name := decided(t, a, code(1))
	certificates, err := a.Execute(t.Context(), executor, name)
	if err != nil || len(certificates) != 1 {
		t.Fatalf("got %d certificates, %v", len(certificates), err)
	}
	k, _ := keys()
	if err := certificates[0].Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Error(err)
	}
	id := certificates[0].Dossier
	for _, o := range w.objects(t) {
		if strings.Contains(o, "packages/"+id) || strings.HasPrefix(o, "keys "+id) {
			t.Errorf("left: %s", o)
		}
	}
	if _, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("retrieval: got %v, want ErrDestroyed", err)
	}
	d, c := submission(code(1), usual)
	if _, err := a.Ingest(t.Context(), portal, d, c); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("pushed again: got %v, want ErrDestroyed", err)
	}
	if _, err := a.Hold(t.Context(), archivist, code(1), "khiếu nại"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("hold: got %v, want ErrDestroyed", err)
	}
	again, err := a.Execute(t.Context(), executor, name)
	if err != nil || len(again) != 1 || again[0].Entry != certificates[0].Entry {
		t.Errorf("executed again: %v", err)
	}
	if err := a.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	res, err := a.Search(t.Context(), archivist, index.Query{Text: "giay phep"})
	if err != nil || res.Total != 1 {
		t.Errorf("search: got %v, %v; want the other dossier alone", res, err)
	}
}

func TestNobodyActsTwice(t *testing.T) {
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	all := archive.Agent{Subject: "mot-minh", Agencies: []string{"*"},
		Roles: []archive.Role{archive.Archivist, archive.Council, archive.Approver}}
	name, err := a.Propose(t.Context(), all, []string{code(1)}, "x")
	if err != nil {
		t.Fatal(err)
	}
	steps := []func(by archive.Agent) error{
		func(by archive.Agent) error { return a.Review(t.Context(), by, name, nil, "x") },
		func(by archive.Agent) error { return a.Decide(t.Context(), by, name, true, "1") },
		func(by archive.Agent) error { _, err := a.Execute(t.Context(), by, name); return err },
	}
	for i, other := range []archive.Agent{member, chief, executor} {
		if err := steps[i](all); !errors.Is(err, archive.ErrCase) {
			t.Errorf("step %d by the proposer: got %v, want ErrCase", i+2, err)
		}
		for _, later := range steps[i+1:] {
			if err := later(executor); err == nil {
				t.Errorf("a step was left out")
			}
		}
		if err := steps[i](other); err != nil {
			t.Fatalf("step %d: %v", i+2, err)
		}
	}
}

func TestDestructionIsRefused(t *testing.T) {
	a := newWorld(t).open(t)
	early, c := submission(code(1), usual)
	early.Closed = "2031-01-01"
	permanent, c2 := submission(code(2), usual)
	permanent.Class = "HT"
	unknown, c3 := submission(code(3), usual)
	unknown.Procedure = "9.999999"
	for i, err := range []error{second(a.Ingest(t.Context(), portal, early, c)), second(a.Ingest(t.Context(), portal, permanent, c2)), second(a.Ingest(t.Context(), portal, unknown, c3))} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	ingest(t, a, code(4))
	if _, err := a.Hold(t.Context(), archivist, code(4), "thanh tra"); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		_, err := a.Propose(t.Context(), archivist, []string{code(n + 1)}, "x")
		var notDue *archive.NotDueError
		if !errors.As(err, &notDue) || len(notDue.Verdict.Reasons) == 0 {
			t.Errorf("%s: got %v, want ErrNotDue with reasons", code(n+1), err)
		}
	}
	due, err := a.Due(t.Context(), archivist, now)
	if err != nil || len(due) != 0 {
		t.Errorf("due: got %v, %v", due, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestHoldAfterDecisionStopsExecution(t *testing.T) {
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	ingest(t, a, code(2))
	name := decided(t, a, code(1), code(2))
	h, err := a.Hold(t.Context(), archivist, code(1), "khiếu nại")
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := a.Execute(t.Context(), executor, name)
	if !errors.Is(err, archive.ErrNotDue) || len(certificates) != 1 {
		t.Errorf("got %d certificates, %v; want one, and ErrNotDue for the held dossier", len(certificates), err)
	}
	if err := a.Lift(t.Context(), archivist, code(1), h, "đã giải quyết"); err != nil {
		t.Error(err)
	}
	if _, err := a.Execute(t.Context(), executor, name); err == nil {
		t.Error("a case that was executed destroys nothing more")
	}
	r, err := a.Show(t.Context(), archivist, code(1))
	if err != nil || r.State != life.Archived {
		t.Errorf("got %v, %v; want an archived dossier", r, err)
	}
}

// TestHoldRacesDestruction: exactly one of the two succeeds, whenever they meet.
func TestHoldRacesDestruction(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	for n := range 20 {
		ingest(t, a, code(n))
		name := decided(t, a, code(n))
		var wg sync.WaitGroup
		var held, executed error
		wg.Go(func() { _, executed = a.Execute(t.Context(), executor, name) })
		wg.Go(func() { _, held = b.Hold(t.Context(), archivist, code(n), "khiếu nại") })
		wg.Wait()
		if (held == nil) == (executed == nil) {
			t.Errorf("round %d: hold %v, execution %v", n, held, executed)
		}
		if held != nil && !errors.Is(held, archive.ErrDestroyed) {
			t.Errorf("hold: got %v, want ErrDestroyed", held)
		}
		if executed != nil && !errors.Is(executed, archive.ErrNotDue) && !errors.Is(executed, custody.ErrStopped) {
			t.Errorf("execution: got %v, want ErrNotDue or ErrStopped", executed)
		}
		c, err := b.Retrieve(t.Context(), inspector, code(n), "kiểm tra")
		if (err == nil) != (held == nil) {
			t.Errorf("retrieval: got %v", err)
		}
		if err == nil {
			r, _, err := c.Document("01-don.txt")
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if err != nil {
				t.Error(err)
			}
			c.Close()
		}
	}
}

// TestConcurrentPushes: from two nodes, exactly one wins, and all get its
// receipt.
func TestConcurrentPushes(t *testing.T) {
	w := newWorld(t)
	nodes := []*archive.Archive{w.open(t), w.other(t, "b").open(t)}
	receipts := make([]string, 8)
	var wg sync.WaitGroup
	for i := range receipts {
		wg.Go(func() {
			d, c := submission(code(1), usual)
			r, err := nodes[i%2].Ingest(t.Context(), portal, d, c)
			if err != nil {
				t.Error(err)
				return
			}
			b, _ := r.Encode()
			receipts[i] = string(b)
		})
	}
	wg.Wait()
	slices.Sort(receipts)
	if n := len(slices.Compact(receipts)); n != 1 {
		t.Errorf("got %d different receipts, want 1", n)
	}
	var packages int
	for _, o := range w.objects(t) {
		if strings.Contains(o, " packages/") {
			packages++
		}
	}
	if packages != 1 {
		t.Errorf("got %d packages, want 1", packages)
	}
}

// other is the same archive as another node sees it.
func (w *world) other(t testing.TB, node string) *world {
	return &world{buckets: w.buckets, index: newIndex(t), node: node}
}
