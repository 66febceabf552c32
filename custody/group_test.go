package custody_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/life"
)

// join ingests a member of the group g: its link, then its seal.
func (n *node) join(t testing.TB, dossier, attempt string, change func(*life.Seal)) {
	t.Helper()
	n.act(t, life.GroupChain("g"), "P", life.MemberLinked, &life.Link{Dossier: dossier, Package: attempt})
	n.ingest(t, dossier, attempt, func(s *life.Seal) {
		s.Group = "g"
		if change != nil {
			change(s)
		}
	})
}

// group brings the members x and y to where nothing is missing but Delete.
func (n *node) group(t testing.TB) {
	t.Helper()
	n.join(t, "x", "p1", nil)
	n.join(t, "y", "q1", nil)
	n.decided(t, "c", "x", "y")
	n.begin(t, "x", "c")
	n.begin(t, "y", "c")
}

func (n *node) groupOf(t testing.TB) *life.Group {
	t.Helper()
	g, err := life.GroupOf(n.read(t, life.GroupChain("g")))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestDeleteGroup(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.group(t)
	for i, id := range []string{"x", "y"} {
		if _, err := n.Delete(t.Context(), "D", id); err != nil {
			t.Fatal(err)
		}
		if g := n.groupOf(t); len(g.Condemned) != 2 {
			t.Errorf("after %d: condemned %v, want both at once", i+1, g.Condemned)
		}
	}
	n.wantStored(t)
	if l := n.life(t, "y"); l.State != life.Condemned {
		t.Errorf("y is %s", l.State)
	}
}

// TestGroupStops: whatever keeps one member keeps the other, and the custodian
// sees it in what it reads itself.
func TestGroupStops(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, n *node){
		"a hold on the other": func(t *testing.T, n *node) {
			n.act(t, life.Chain("y"), "H", life.Hold, &life.HoldBody{Hold: "h"})
		},
		"a hold in the group": func(t *testing.T, n *node) {
			n.act(t, life.GroupChain("g"), "H", life.Hold, &life.HoldBody{Hold: "h", Dossier: "y"})
		},
		"a late member": func(t *testing.T, n *node) { n.join(t, "z", "r1", nil) },
		"a member on its way": func(t *testing.T, n *node) {
			n.act(t, life.GroupChain("g"), "P", life.MemberLinked, &life.Link{Dossier: "z", Package: "r1"})
		},
		"the other was stopped": func(t *testing.T, n *node) {
			n.act(t, life.Chain("y"), "D", life.DestructionStopped, &life.Destruction{Case: "c", Why: "held"})
		},
		"the other goes under another case": func(t *testing.T, n *node) {
			n.act(t, life.Chain("y"), "D", life.DestructionStopped, &life.Destruction{Case: "c", Why: "held"})
			n.decided(t, "e", "y")
			n.begin(t, "y", "e")
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newBed(t).node(t, "a")
			n.group(t)
			spoil(t, n)
			if _, err := n.Delete(t.Context(), "D", "x"); !errors.Is(err, custody.ErrStopped) {
				t.Errorf("got %v, want ErrStopped", err)
			}
			if g := n.groupOf(t); len(g.Condemned) != 0 {
				t.Errorf("condemned: %v", g.Condemned)
			}
			for _, key := range []string{"x/p1.1", "y/q1.1"} {
				if !slices.Contains(n.stored(t), key) {
					t.Errorf("%s is gone", key)
				}
			}
		})
	}
}

// TestGroupFactsOfTheOther: retention and decision are asked for every member.
func TestGroupFactsOfTheOther(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*life.Seal)
		decided []string
	}{
		"permanent":           {func(s *life.Seal) { s.Class = "HT" }, []string{"x", "y"}},
		"younger":             {func(s *life.Seal) { s.Closed = "2039-05-04" }, []string{"x", "y"}},
		"to be handed over":   {func(s *life.Seal) { s.Class = "NL" }, []string{"x", "y"}},
		"not in the decision": {nil, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newBed(t).node(t, "a")
			n.join(t, "x", "p1", nil)
			n.join(t, "y", "q1", tt.change)
			n.decided(t, "c", tt.decided...)
			n.begin(t, "x", "c")
			n.begin(t, "y", "c")
			if _, err := n.Delete(t.Context(), "D", "x"); !errors.Is(err, custody.ErrStopped) {
				t.Errorf("got %v, want ErrStopped", err)
			}
			n.wantStored(t, "x/p1.1", "y/q1.1")
		})
	}
}

// TestGroupForgetsAbandoned: a link to an attempt that will never be sealed keeps
// nobody.
func TestGroupForgetsAbandoned(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.act(t, life.GroupChain("g"), "P", life.MemberLinked, &life.Link{Dossier: "z", Package: "r1"})
	n.group(t)
	n.act(t, life.Chain("z"), "R", life.AttemptAbandoned, &life.Attempt{Package: "r1"})
	if _, err := n.Delete(t.Context(), "D", "x"); err != nil {
		t.Fatal(err)
	}
	if g := n.groupOf(t); len(g.Condemned) != 2 {
		t.Errorf("condemned: %v", g.Condemned)
	}
}

// TestStoppedAfterGroup: a member that a slow node stopped after its group was
// condemned goes all the same, once it is begun again under that case.
func TestStoppedAfterGroup(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.group(t)
	if _, err := n.Delete(t.Context(), "D", "x"); err != nil {
		t.Fatal(err)
	}
	n.act(t, life.Chain("y"), "D", life.DestructionStopped, &life.Destruction{Case: "c", Why: "held"})
	n.begin(t, "y", "c")
	if _, err := n.Delete(t.Context(), "D", "y"); err != nil {
		t.Fatal(err)
	}
	n.wantStored(t)
}

// TestOtherCaseAfterGroup: under another case it does not go.
func TestOtherCaseAfterGroup(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.group(t)
	if _, err := n.Delete(t.Context(), "D", "x"); err != nil {
		t.Fatal(err)
	}
	n.act(t, life.Chain("y"), "D", life.DestructionStopped, &life.Destruction{Case: "c", Why: "held"})
	n.decided(t, "e", "y")
	n.begin(t, "y", "e")
	if _, err := n.Delete(t.Context(), "D", "y"); !errors.Is(err, custody.ErrStopped) {
		t.Errorf("got %v, want ErrStopped", err)
	}
}

// TestGroupTampered: a seal that names a group without a link, and a group that
// makes no sense, are nobody's permission.
func TestGroupTampered(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", func(s *life.Seal) { s.Group = "g" })
	n.decided(t, "c", "x")
	n.begin(t, "x", "c")
	if _, err := n.Delete(t.Context(), "D", "x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("without a link: %v", err)
	}
	n.act(t, life.GroupChain("g"), "H", life.Hold, &life.HoldBody{Hold: "h", Dossier: "nobody"})
	if _, err := n.Delete(t.Context(), "D", "x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("without sense: %v", err)
	}
	n.wantStored(t, "x/p1.1")
}

// TestTwoCustodiansOfAGroup: they condemn it once.
func TestTwoCustodiansOfAGroup(t *testing.T) {
	b := newBed(t)
	n, m := b.node(t, "a"), b.node(t, "b")
	n.group(t)
	var wg sync.WaitGroup
	for i, id := range []string{"x", "y"} {
		wg.Go(func() {
			if _, err := []*node{n, m}[i].Delete(t.Context(), "D", id); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	wg.Wait()
	condemned := 0
	for _, a := range n.read(t, life.GroupChain("g")) {
		if a.Type == life.KeysCondemned {
			condemned++
		}
	}
	if condemned != 1 {
		t.Errorf("condemned %d times", condemned)
	}
	n.wantStored(t)
}
