package archive_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// join pushes a dossier as a member of a group.
func join(t testing.TB, a *archive.Archive, code, group, agency, class string) {
	t.Helper()
	d, c := submission(code, usual)
	d.Group, d.Agency, d.Class = group, agency, class
	if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
		t.Fatal(err)
	}
}

// TestGroup: parent and children, of different agencies and in any order, are
// found as one, and go as one.
func TestGroup(t *testing.T) {
	for _, order := range [][]int{{1, 2, 3}, {3, 1, 2}, {2, 3, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			w := newWorld(t)
			a, b := w.open(t), w.other(t, "b").open(t)
			for i, n := range order {
				node := []*archive.Archive{a, b}[i%2]
				join(t, node, code(n), code(1), fmt.Sprintf("H29.%d", n), "") // the parent names itself
			}
			ids, all, err := a.Members(t.Context(), archivist, code(2))
			if err != nil || len(ids) != 3 || all != 3 {
				t.Fatalf("members: %v of %d, %v", ids, all, err)
			}
			narrow := archivist
			narrow.Agencies = []string{"H29.2"}
			if ids, all, err := a.Members(t.Context(), narrow, code(2)); err != nil || len(ids) != 1 || all != 3 {
				t.Errorf("members in a narrow scope: %v of %d, %v", ids, all, err)
			}
			if _, err := a.Propose(t.Context(), narrow, []string{code(2)}, "x"); !errors.Is(err, archive.ErrGroup) {
				t.Errorf("proposed from a narrow scope: %v, want ErrGroup", err)
			}
			if err := a.Indexed(t.Context()); err != nil {
				t.Fatal(err)
			}
			found, err := a.Search(t.Context(), archivist, index.Query{Code: code(3)})
			if err != nil || len(found.Hits) != 1 || found.Hits[0].Group == "" {
				t.Fatalf("found %+v, %v", found, err)
			}
			whole, err := a.Search(t.Context(), archivist, index.Query{Group: "000.00.68.H29-280301-0001"}) // another spelling
			if found.Hits[0].Group != code(1) {
				t.Errorf("group %s", found.Hits[0].Group)
			}
			if err != nil || whole.Total != 3 {
				t.Errorf("the group: %+v, %v", whole, err)
			}
			certificates, err := a.Execute(t.Context(), executor, decided(t, a, code(3)))
			if err != nil || len(certificates) != 3 {
				t.Fatalf("%d certificates, %v", len(certificates), err)
			}
			k, _ := keys()
			for _, c := range certificates {
				if err := c.Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestLongestLifeKeepsGroup: a permanent member, one that is not due yet, and a
// hold on any keep all.
func TestLongestLifeKeepsGroup(t *testing.T) {
	a := newWorld(t).open(t)
	join(t, a, code(1), "nhom-1", "H29.68", "")
	join(t, a, code(2), "nhom-1", "H29.12", "HT")
	join(t, a, code(3), "nhom-2", "H29.68", "")
	d, c := submission(code(4), usual)
	d.Group, d.Closed = "nhom-2", "2031-01-01"
	if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
		t.Fatal(err)
	}
	join(t, a, code(5), "nhom-3", "H29.68", "")
	join(t, a, code(6), "nhom-3", "H29.12", "")
	held, err := a.Hold(t.Context(), archivist, code(6), "khiếu nại")
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 6; n++ {
		if _, err := a.Propose(t.Context(), archivist, []string{code(n)}, "x"); !errors.Is(err, archive.ErrNotDue) {
			t.Errorf("%d: %v, want ErrNotDue", n, err)
		}
	}
	if due, err := a.Due(t.Context(), archivist, now); err != nil || len(due) != 0 {
		t.Errorf("due: %v, %v", due, err)
	}
	if err := a.Lift(t.Context(), archivist, code(6), held, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	if err := a.Lift(t.Context(), archivist, code(6), held, "lần nữa"); err == nil {
		t.Error("lifted twice")
	}
	if due, err := a.Due(t.Context(), archivist, now); err != nil || len(due) != 2 {
		t.Errorf("due: %v, %v; want the two that were held", due, err)
	}
}

// TestHoldOnMemberAfterDecision freezes the whole group.
func TestHoldOnMemberAfterDecision(t *testing.T) {
	a := newWorld(t).open(t)
	both(t, a)
	name := decided(t, a, code(1))
	if _, err := a.Hold(t.Context(), archivist, code(9), "khiếu nại"); err != nil {
		t.Fatal(err)
	}
	certificates, err := a.Execute(t.Context(), executor, name)
	if len(certificates) != 0 || !errors.Is(err, archive.ErrNotDue) {
		t.Errorf("%d certificates, %v", len(certificates), err)
	}
}

// TestKeptMemberKeepsGroup: what the council keeps keeps the others.
func TestKeptMemberKeepsGroup(t *testing.T) {
	a := newWorld(t).open(t)
	both(t, a)
	name, err := a.Propose(t.Context(), archivist, []string{code(1)}, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Review(t.Context(), member, name, []string{code(9)}, "giữ"), a.Decide(t.Context(), chief, name, true, "12/QĐ")); err != nil {
		t.Fatal(err)
	}
	certificates, err := a.Execute(t.Context(), executor, name)
	if len(certificates) != 0 || !errors.Is(err, custody.ErrStopped) {
		t.Errorf("%d certificates, %v", len(certificates), err)
	}
	for _, n := range []int{1, 9} {
		if r, err := a.Show(t.Context(), archivist, code(n)); err != nil || r.State != life.Archived {
			t.Errorf("%d: %+v, %v", n, r, err)
		}
	}
}

// TestLateMemberRacesDestruction: a member that arrives while its group is being
// destroyed either stops that, or finds the others gone; it is never lost, and
// the others go together or stay together.
func TestLateMemberRacesDestruction(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	outcomes := map[bool]int{}
	for n := range 20 {
		group := fmt.Sprintf("nhom-%d", n)
		join(t, a, code(10*n+1), group, "H29.68", "")
		join(t, b, code(10*n+2), group, "H29.12", "")
		name := decided(t, a, code(10*n+1))
		late, c := submission(code(10*n+3), usual)
		late.Group = group
		var wg sync.WaitGroup
		var pushed, executed error
		wg.Go(func() { _, executed = a.Execute(t.Context(), executor, name) })
		wg.Go(func() { _, pushed = b.Ingest(t.Context(), portal, late, c) })
		wg.Wait()
		if pushed != nil {
			t.Errorf("round %d: the late member: %v", n, pushed)
		}
		if executed != nil && !errors.Is(executed, custody.ErrStopped) && !errors.Is(executed, archive.ErrNotDue) {
			t.Errorf("round %d: execution: %v", n, executed)
		}
		var states []life.State
		for i := 1; i <= 3; i++ {
			r, err := b.Show(t.Context(), archivist, code(10*n+i))
			if err != nil {
				t.Fatal(err)
			}
			states = append(states, r.State)
		}
		want := []life.State{life.Archived, life.Archived, life.Archived}
		if executed == nil {
			want = []life.State{life.Gone, life.Gone, life.Archived}
		}
		if !slices.Equal(states, want) {
			t.Errorf("round %d: %v, executed: %v", n, states, executed)
		}
		outcomes[executed == nil]++
	}
	t.Logf("destroyed or not: %v", outcomes)
}

// TestHoldOnMemberRacesDestruction: exactly one of the two succeeds for the
// whole group.
func TestHoldOnMemberRacesDestruction(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	for n := range 20 {
		group := fmt.Sprintf("nhom-%d", n)
		join(t, a, code(10*n+1), group, "H29.68", "")
		join(t, a, code(10*n+2), group, "H29.12", "")
		name := decided(t, a, code(10*n+1))
		var wg sync.WaitGroup
		var held, executed error
		wg.Go(func() { _, executed = a.Execute(t.Context(), executor, name) })
		wg.Go(func() { _, held = b.Hold(t.Context(), archivist, code(10*n+2), "khiếu nại") })
		wg.Wait()
		if (held == nil) == (executed == nil) || held != nil && !errors.Is(held, archive.ErrDestroyed) {
			t.Errorf("round %d: hold %v, execution %v", n, held, executed)
		}
		for i := 1; i <= 2; i++ {
			if r, err := b.Show(t.Context(), archivist, code(10*n+i)); err != nil || (r.State == life.Gone) != (executed == nil) {
				t.Errorf("round %d, member %d: %+v, %v", n, i, r, err)
			}
		}
	}
}

// TestTwoExecutorsOfAGroup: two nodes that execute one case destroy the whole
// group, whoever comes first where.
func TestTwoExecutorsOfAGroup(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	for n := range 15 {
		group := fmt.Sprintf("nhom-%d", n)
		for i := 1; i <= 3; i++ {
			join(t, a, code(10*n+i), group, fmt.Sprintf("H29.%d", i), "")
		}
		name := decided(t, a, code(10*n+1))
		var wg sync.WaitGroup
		for _, node := range []*archive.Archive{a, b} {
			wg.Go(func() {
				if _, err := node.Execute(t.Context(), executor, name); err != nil && !errors.Is(err, archive.ErrCase) {
					t.Errorf("round %d: %v", n, err)
				}
			})
		}
		wg.Wait()
		for i := 1; i <= 3; i++ {
			if r, err := b.Show(t.Context(), archivist, code(10*n+i)); err != nil || r.State != life.Gone {
				t.Errorf("round %d, member %d: %+v, %v", n, i, r, err)
			}
		}
	}
}

// TestLongestLifeLocksGroup: in the store, too, the longest life among the members
// keeps all, whichever came first.
func TestLongestLifeLocksGroup(t *testing.T) {
	for _, class := range []string{"GP", "HT"} { // retained until 2042, and for ever
		for _, first := range []int{1, 2} {
			w := newWorld(t)
			a := w.open(t)
			for _, n := range []int{first, 3 - first} {
				d, c := submission(code(n), usual)
				d.Group = family
				if n == 2 {
					d.Class, d.Closed = class, "2031-01-01"
				}
				if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.Indexed(t.Context()); err != nil { // and for the hold behind the receipt
				t.Fatal(err)
			}
			locked := 0
			for _, o := range w.objects(t) {
				if s, key := w.bucket(o); strings.HasPrefix(key, "packages/") {
					l, err := s.(store.Locker).Locked(t.Context(), key, "")
					if err == nil && l.Until.After(now.AddDate(0, 11, 0)) {
						locked++
					}
				}
			}
			if locked != 2 {
				t.Errorf("class %s, %d first: %d packages are locked", class, first, locked)
			}
		}
	}
}

// TestFailedMemberKeepsNobody: a member whose push fails after its link, for a
// reason that says nothing of the seal, does not keep its group for ever.
func TestFailedMemberKeepsNobody(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	sibling(t, a)
	var id string
	for answer, err := range a.Reconcile(t.Context(), portal, lines(archive.Line{Code: code(1), Agency: "H29.68"})) {
		if err != nil {
			t.Fatal(err)
		}
		id = answer.Dossier
	}
	// An attempt of a dead session: when it is abandoned, the dossier's first act
	// is taken, and the seal has to look again.
	marker := `{"attempts":[{"dossier":"` + id + `","package":"` + strings.Repeat("b", 26) + `"}],"node":"b","renewed":"` +
		chain.Timestamp(now.AddDate(0, 0, -1)) + `","swept":"","v":1}`
	if _, err := w.work.Put(t.Context(), "pending/"+strings.Repeat("c", 26), []byte(marker), nil); err != nil {
		t.Fatal(err)
	}
	var sealing, failed atomic.Bool
	broken := w.other(t, "b")
	broken.buckets.archive = storetest.Faulty{Store: w.archive, OnCall: func(op, key string) (bool, error) {
		if !strings.HasPrefix(key, "dossiers/"+id+"/") {
			return true, nil
		}
		if strings.EqualFold(op, "put") {
			sealing.Store(true)
		} else if sealing.Load() && !failed.Swap(true) {
			return false, errInjected
		}
		return true, nil
	}}
	b := broken.open(t)
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealing.Store(false)
	failed.Store(false)
	if err := (operation{group: true}).submit(t.Context(), b); !errors.Is(err, errInjected) {
		t.Fatalf("got %v, want the injected fault", err)
	}
	certificates, err := a.Execute(t.Context(), executor, decided(t, a, code(9)))
	if err != nil || len(certificates) != 1 {
		t.Errorf("%d certificates, %v", len(certificates), err)
	}
}

// keeper writes acts as a node would that has its own view of things.
func keeper(t *testing.T, w *world) *chain.Keeper {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	c, err := chain.Open(t.Context(), chain.Config{
		Store: w.archive, Key: k.Archive, Trust: []*signing.Certificate{k.Archive.Certificate()}, Node: "slow", Now: clock,
		Audit: audit.Config{
			Store: w.archive, Work: w.work, Origin: k.Origin, Key: k.LogSigner, VKey: k.LogVerifier, Node: "slow", Now: clock,
			Seal: func(plain []byte) ([]byte, error) { return signing.Encrypt(plain, k.Audit) },
		},
		Details: func(a *chain.Act) map[string]string { // those of a destruction
			var d life.Destruction
			if a.Decode(&d) != nil || len(d.Dossiers) == 0 {
				return map[string]string{"case": d.Case}
			}
			return map[string]string{"case": d.Case, "dossiers": strings.Join(d.Dossiers, " ")}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStoppedAfterGroupWasCondemned: a node that did not know yet that the group
// is past its point of no return stops a member. Recovery goes forward all the
// same, and until then nobody can hold it or propose it anew.
func TestStoppedAfterGroupWasCondemned(t *testing.T) {
	w := newWorld(t)
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	both(t, a)
	name := decided(t, a, code(1))
	r, err := a.Show(t.Context(), archivist, code(1))
	if err != nil {
		t.Fatal(err)
	}
	other, err := a.Show(t.Context(), archivist, code(9))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Ready(t.Context()), a.Indexed(t.Context())); err != nil {
		t.Fatal(err)
	}
	k := keeper(t, w)
	act := func(chainName, kind string, body *life.Destruction) {
		t.Helper()
		acts, err := k.Read(t.Context(), chainName)
		if err == nil {
			_, _, err = k.Append(t.Context(), chainName, acts, chain.Draft{Type: kind, By: "slow", Body: body})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	act(life.Chain(r.Dossier), life.DestructionBegun, &life.Destruction{Case: name})
	act(life.Chain(other.Dossier), life.DestructionBegun, &life.Destruction{Case: name})
	act(life.GroupChain(r.Group), life.KeysCondemned, &life.Destruction{Case: name, Dossiers: []string{r.Dossier, other.Dossier}})
	act(life.Chain(other.Dossier), life.DestructionStopped, &life.Destruction{Case: name, Why: "held"})
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), archivist, code(9), "khiếu nại"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("hold: %v, want ErrDestroyed", err)
	}
	if _, err := a.Propose(t.Context(), archivist, []string{code(9)}, "lại"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("proposal: %v, want ErrDestroyed", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := w.open(t)
	if err := again.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 9} {
		if r, err := again.Show(t.Context(), archivist, code(n)); err != nil || r.State != life.Gone {
			t.Errorf("%d: %+v, %v", n, r, err)
		}
	}
}
