package life_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// groupMoves are everything that an act can say in the chain of a group.
var groupMoves = map[string]struct {
	kind string
	body any
}{
	"link x":     {life.MemberLinked, life.Link{Dossier: "x", Package: "p1"}},
	"link x2":    {life.MemberLinked, life.Link{Dossier: "x", Package: "p2"}},
	"link y":     {life.MemberLinked, life.Link{Dossier: "y", Package: "q1"}},
	"hold x":     {life.Hold, life.HoldBody{Hold: "a", Dossier: "x"}},
	"hold y":     {life.Hold, life.HoldBody{Hold: "b", Dossier: "y"}},
	"hold":       {life.Hold, life.HoldBody{Hold: "c"}},
	"lift x":     {life.HoldLifted, life.HoldBody{Hold: "a", Dossier: "x"}},
	"lift x's":   {life.HoldLifted, life.HoldBody{Hold: "a", Dossier: "y"}},
	"lift":       {life.HoldLifted, life.HoldBody{Hold: "a"}},
	"condemn x":  {life.KeysCondemned, life.Destruction{Case: "c", Dossiers: []string{"x"}}},
	"condemn xy": {life.KeysCondemned, life.Destruction{Case: "c", Dossiers: []string{"x", "y"}}},
	"condemn xx": {life.KeysCondemned, life.Destruction{Case: "c", Dossiers: []string{"x", "x"}}},
	"condemn":    {life.KeysCondemned, life.Destruction{Case: "c"}},
	"no case":    {life.KeysCondemned, life.Destruction{Dossiers: []string{"x"}}},
	"nonsense":   {"nonsense", map[string]string{}},
	"seal":       {life.Ingestion, life.Seal{Package: "p1", Keys: []string{}}},
	"bad link":   {life.MemberLinked, `{"dossier":1}`},
	"bad hold":   {life.Hold, `{"hold":1}`},
	"bad end":    {life.KeysCondemned, `{"case":1}`},
}

func groupHistory(t testing.TB, list string) []*chain.Act {
	t.Helper()
	var acts []*chain.Act
	for name := range strings.SplitSeq(list, ", ") {
		m, ok := groupMoves[name]
		if !ok {
			t.Fatalf("no move %q", name)
		}
		acts = append(acts, act(t, len(acts)+1, m.kind, m.body))
	}
	return acts
}

func TestGroupOf(t *testing.T) {
	for _, tt := range []struct{ acts, members, holds, condemned string }{
		{"link x", "[x]", "[]", "[]"},
		{"link x, link y, link x2", "[x y]", "[]", "[]"},
		{"link y, link x, hold y", "[y x]", "[b]", "[]"},
		{"link x, hold x, lift x", "[x]", "[]", "[]"},
		{"link x, link y, condemn xy", "[]", "[]", "[x y]"},
		{"link x, condemn x, link y", "[y]", "[]", "[x]"},
		{"link x, link y, condemn x, hold y", "[y]", "[b]", "[x]"},
		{"link x, hold x, lift x, condemn x", "[]", "[]", "[x]"},
	} {
		g, err := life.GroupOf(groupHistory(t, tt.acts))
		if err != nil {
			t.Errorf("%s: %v", tt.acts, err)
			continue
		}
		got := []string{fmt.Sprint(g.Members()), fmt.Sprint(slices.Sorted(maps.Keys(g.Holds))), fmt.Sprint(slices.Sorted(maps.Keys(g.Condemned)))}
		if want := []string{tt.members, tt.holds, tt.condemned}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", tt.acts, got, want)
		}
	}
}

func TestGroupFaults(t *testing.T) {
	for _, acts := range []string{
		"hold x", "condemn x", "link x, condemn xy", "link x, condemn xx", "link x, condemn", "link x, no case", "link x, hold x, condemn x",
		"link x, condemn x, condemn x", "link x, condemn x, link x2", "link x, condemn x, hold x", "link x, lift x", "link x, hold x, lift",
		"link x, link y, hold x, lift x's", "link x, hold", "nonsense", "seal", "bad link", "link x, bad hold", "link x, bad end",
	} {
		if g, err := life.GroupOf(groupHistory(t, acts)); err == nil {
			t.Errorf("%s: got %+v, want an error", acts, g)
		}
	}
}

// TestGroupNeverCondemnsHeld: whatever acts are put in whatever order, a
// condemned member was linked, and nothing was held when it went.
func TestGroupNeverCondemnsHeld(t *testing.T) {
	names := slices.Sorted(maps.Keys(groupMoves))
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var acts []*chain.Act
		held := 0
		for range 12 {
			name := names[r.IntN(len(names))]
			m := groupMoves[name]
			next := append(slices.Clone(acts), act(t, len(acts)+1, m.kind, m.body))
			g, err := life.GroupOf(next)
			if err != nil {
				continue
			}
			if m.kind == life.KeysCondemned && held > 0 {
				t.Fatalf("condemned under %d holds", held)
			}
			acts, held = next, len(g.Holds)
			for id := range g.Condemned {
				if slices.Contains(g.Members(), id) || slices.Contains(slices.Collect(maps.Values(g.On)), id) {
					t.Fatalf("%s is condemned, and a member or held", id)
				}
			}
		}
	}
}

func TestPending(t *testing.T) {
	g, err := life.GroupOf(groupHistory(t, "link x, link x2"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		acts string
		want bool
	}{{"", true}, {"abandon 1", true}, {"abandon 1, abandon 2", false}, {"abandon 1, seal 2", false}} {
		l, err := life.Of(history(t, tt.acts))
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Pending("x", l); got != tt.want {
			t.Errorf("%q: got %v", tt.acts, got)
		}
		if g.Pending("y", l) {
			t.Errorf("%q: who was not linked is not pending", tt.acts)
		}
	}
}

// TestMayDestroyTogether: the longest life and any hold among the members keep
// all.
func TestMayDestroyTogether(t *testing.T) {
	s := &retention.Schedule{Version: 1, Effective: now.AddDate(-20, 0, 0), Rules: []retention.Rule{
		{Class: "GP", Years: 2, Trigger: "end-of-work", Action: "destroy", Approved: true},
		{Class: "LT", Years: 2, Trigger: "end-of-work", Action: "transfer", Approved: true},
		{Class: "HT", Permanent: true, Action: "transfer", Approved: true},
	}}
	member := func(class, closed string, holds ...string) *life.Life {
		l := &life.Life{State: life.Archived, Seals: []life.Seal{{Class: class, Closed: closed, Group: "g"}}, SealActs: []*chain.Act{nil}, Holds: map[string]time.Time{}}
		for _, h := range holds {
			l.Holds[h] = now
		}
		return l
	}
	due, young := member("GP", "2020-01-01"), member("GP", "2026-01-01")
	for name, tt := range map[string]struct {
		others []*life.Life
		may    bool
	}{
		"alone":            {nil, true},
		"with another due": {[]*life.Life{due}, true},
		"younger":          {[]*life.Life{due, young}, false},
		"permanent":        {[]*life.Life{member("HT", "2020-01-01")}, false},
		"to be handed over": {
			[]*life.Life{member("LT", "2020-01-01")}, false},
		"held":    {[]*life.Life{member("GP", "2020-01-01", "h")}, false},
		"unknown": {[]*life.Life{member("??", "2020-01-01")}, false},
	} {
		v, may := due.MayDestroy(s, now, tt.others...)
		if may != tt.may || len(v.Reasons) == 0 {
			t.Errorf("%s: got %v, %+v", name, may, v)
		}
	}
	if due.Group() != "g" || (&life.Life{}).Group() != "" {
		t.Error("group of a life")
	}
}
