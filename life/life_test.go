package life_test

import (
	"encoding/json"
	"errors"
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

var now = time.Date(2026, 11, 24, 3, 22, 30, 0, time.UTC)

// act makes act n of a dossier as package chain would read it. A string is a body
// as it stands.
func act(t testing.TB, n int, kind string, body any) *chain.Act {
	t.Helper()
	raw, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(b, &tree); err != nil {
			t.Fatal(err)
		}
		if b, err = json.Marshal(tree); err != nil { // sorted
			t.Fatal(err)
		}
		raw = string(b)
	}
	return &chain.Act{V: 1, Chain: "dossiers/x", N: n, Type: kind, Time: chain.Timestamp(now.Add(time.Duration(n) * time.Hour)), By: "somebody", Body: json.RawMessage(raw)}
}

// moves are everything that an act can say, by a short name.
var moves = map[string]struct {
	kind string
	body any
}{
	"seal 1":      {life.Ingestion, life.Seal{Package: "p1", Class: "GP", Closed: "2020-02-03", Keys: []string{"k"}}},
	"seal 2":      {life.Ingestion, life.Seal{Package: "p2", Class: "GP", Closed: "2021-02-03", Keys: []string{"k"}}},
	"abandon 1":   {life.AttemptAbandoned, life.Attempt{Package: "p1"}},
	"abandon 2":   {life.AttemptAbandoned, life.Attempt{Package: "p2"}},
	"hold a":      {life.Hold, life.HoldBody{Hold: "a"}},
	"hold b":      {life.Hold, life.HoldBody{Hold: "b"}},
	"lift a":      {life.HoldLifted, life.HoldBody{Hold: "a"}},
	"lift b":      {life.HoldLifted, life.HoldBody{Hold: "b"}},
	"begin":       {life.DestructionBegun, life.Destruction{Case: "c"}},
	"stop":        {life.DestructionStopped, life.Destruction{Case: "c", Why: "held"}},
	"condemn":     {life.KeysCondemned, life.Destruction{Case: "c", Packages: []string{"p1"}}},
	"destroy":     {life.Destroyed, life.Destruction{Case: "c", Packages: []string{"p1"}, Deleted: []string{"p1"}}},
	"begin d":     {life.DestructionBegun, life.Destruction{Case: "d"}},
	"stop d":      {life.DestructionStopped, life.Destruction{Case: "d", Why: "held"}},
	"condemn d":   {life.KeysCondemned, life.Destruction{Case: "d"}},
	"destroy d":   {life.Destroyed, life.Destruction{Case: "d"}},
	"nonsense":    {"nonsense", map[string]string{}},
	"case's step": {life.Proposed, life.Proposal{Dossiers: []string{"x"}}},
}

// history is the acts of the moves, which a comma separates.
func history(t testing.TB, list string) []*chain.Act {
	t.Helper()
	var acts []*chain.Act
	if list == "" {
		return nil
	}
	for name := range strings.SplitSeq(list, ", ") {
		m, ok := moves[name]
		if !ok {
			t.Fatalf("no move %q", name)
		}
		acts = append(acts, act(t, len(acts)+1, m.kind, m.body))
	}
	return acts
}

// TestEveryNextAct says, for a history of each kind, which acts may follow it:
// these and no others.
func TestEveryNextAct(t *testing.T) {
	const archivedMay = "abandon 2, hold a, hold b, begin, begin d"
	for _, tt := range []struct {
		before string
		state  life.State
		next   string
	}{
		{"", life.Absent, "seal 1, seal 2, abandon 1, abandon 2"},
		{"abandon 1", life.Absent, "seal 2, abandon 1, abandon 2"},
		{"abandon 1, abandon 2", life.Absent, "abandon 1, abandon 2"},
		{"seal 1", life.Archived, archivedMay},
		{"abandon 2, seal 1", life.Archived, archivedMay},
		{"seal 1, abandon 2", life.Archived, archivedMay},
		{"seal 1, hold a", life.Archived, archivedMay + ", lift a"},
		{"seal 1, hold a, hold b", life.Archived, archivedMay + ", lift a, lift b"},
		{"seal 1, hold a, lift a", life.Archived, archivedMay},
		{"seal 1, hold a, hold b, lift a", life.Archived, archivedMay + ", lift b"},
		{"seal 1, begin", life.Destroying, "abandon 2, hold a, hold b, stop, condemn"},
		{"seal 1, begin d", life.Destroying, "abandon 2, hold a, hold b, stop d, condemn d"},
		{"seal 1, hold a, begin", life.Destroying, "abandon 2, hold a, hold b, lift a, stop"},
		{"seal 1, begin, hold b", life.Destroying, "abandon 2, hold a, hold b, lift b, stop"},
		{"seal 1, begin, hold b, lift b", life.Destroying, "abandon 2, hold a, hold b, stop, condemn"},
		{"seal 1, begin, abandon 2", life.Destroying, "abandon 2, hold a, hold b, stop, condemn"},
		{"seal 1, begin, stop", life.Archived, archivedMay},
		{"seal 1, begin, hold a, stop", life.Archived, archivedMay + ", lift a"},
		{"seal 1, begin, stop, begin d", life.Destroying, "abandon 2, hold a, hold b, stop d, condemn d"},
		{"seal 1, begin, condemn", life.Condemned, "abandon 2, destroy"},
		{"seal 1, begin, condemn, abandon 2", life.Condemned, "abandon 2, destroy"},
		{"seal 1, begin, condemn, destroy", life.Gone, "abandon 2"},
		{"seal 1, begin, condemn, destroy, abandon 2", life.Gone, "abandon 2"},
	} {
		acts := history(t, tt.before)
		l, err := life.Of(acts)
		if err != nil || l.State != tt.state {
			t.Errorf("%q: got %v, %v; want %s", tt.before, l, err, tt.state)
			continue
		}
		allowed := strings.Split(tt.next, ", ")
		for name, m := range moves {
			// A hold that is open may be named again: it stays open.
			_, err := life.Of(append(slices.Clip(acts), act(t, len(acts)+1, m.kind, m.body)))
			if want := slices.Contains(allowed, name); (err == nil) != want {
				t.Errorf("%q, then %q: got %v, want allowed: %v", tt.before, name, err, want)
			}
		}
	}
}

// TestBodies: what a body says beyond the known, or does not say, is an error
// wherever it stands.
func TestBodies(t *testing.T) {
	before := map[string]string{
		life.Ingestion: "", life.AttemptAbandoned: "", life.Hold: "seal 1", life.HoldLifted: "seal 1, hold a", life.DestructionBegun: "seal 1",
		life.DestructionStopped: "seal 1, begin", life.KeysCondemned: "seal 1, begin", life.Destroyed: "seal 1, begin, condemn",
	}
	for kind, list := range before {
		for _, body := range []string{``, `[]`, `"x"`, `1`, `{"nonsense":1}`, `{"hold":1}`, `{"case":["c"]}`, `{ }`, `{"package":"p","package":"p"}`} {
			acts := history(t, list)
			if _, err := life.Of(append(acts, act(t, len(acts)+1, kind, body))); err == nil || !strings.Contains(err.Error(), chain.Key("dossiers/x", len(acts)+1)) {
				t.Errorf("%s with body %q: got %v, want an error that names the act", kind, body, err)
			}
		}
	}
}

// TestSum: what a history adds up to.
func TestSum(t *testing.T) {
	acts := history(t, "abandon 2, seal 1, hold b, hold a, begin, stop, lift b, begin d")
	l, err := life.Of(acts)
	if err != nil {
		t.Fatal(err)
	}
	seal, sealAct := l.Seal()
	if seal == nil || seal.Package != "p1" || sealAct != acts[1] || len(l.Seals) != 1 {
		t.Errorf("got seal %+v of act %v", seal, sealAct)
	}
	if !l.Names("p1") || l.Names("p2") || !slices.Equal(l.Abandoned, []string{"p2"}) || l.Case != "d" || l.Last == nil || l.Last.Case != "d" {
		t.Errorf("got %+v", l)
	}
	if !maps.EqualFunc(l.Holds, map[string]time.Time{"a": acts[3].When()}, time.Time.Equal) {
		t.Errorf("got holds %v", l.Holds)
	}
	f, holds := l.Facts()
	if f.Class != "GP" || !f.Closed.Equal(time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC)) || len(holds) != 1 || holds[0].ID != "a" || !holds[0].Placed.Equal(acts[3].When()) {
		t.Errorf("got facts %+v, holds %+v", f, holds)
	}
	empty, err := life.Of(nil)
	if err != nil || empty.State != life.Absent {
		t.Errorf("no acts: got %+v, %v", empty, err)
	}
	if s, a := empty.Seal(); s != nil || a != nil {
		t.Errorf("no acts: got a seal")
	}
	if got := life.Chain("x"); got != "dossiers/x" {
		t.Errorf("got chain %q", got)
	}
}

// TestFactsHoldsInOrder: the oldest hold first, whatever its name.
func TestFactsHoldsInOrder(t *testing.T) {
	l, err := life.Of(history(t, "seal 1, hold b, hold a"))
	if err != nil {
		t.Fatal(err)
	}
	_, holds := l.Facts()
	if len(holds) != 2 || holds[0].ID != "b" || holds[1].ID != "a" {
		t.Errorf("got %+v", holds)
	}
}

// TestBadDateIsNeverDue: a seal whose date can't be read must keep the dossier.
func TestBadDateIsNeverDue(t *testing.T) {
	s := &retention.Schedule{Version: 1, Effective: now.AddDate(-30, 0, 0), Rules: []retention.Rule{
		{Class: "GP", Years: 2, Trigger: "end-of-work", Action: "destroy", Approved: true},
	}}
	for date, due := range map[string]bool{"2001-02-03": true, "": false, "03/02/2001": false, "2001-02-30": false, "0001-01-01": false} {
		l, err := life.Of([]*chain.Act{act(t, 1, life.Ingestion, life.Seal{Package: "p", Class: "GP", Closed: date, Keys: []string{}})})
		if err != nil {
			t.Fatal(err)
		}
		f, holds := l.Facts()
		if v := s.Decide(f, holds, now); (v.Status == retention.Due) != due {
			t.Errorf("closed on %q: got %s", date, v.Status)
		}
	}
}

func TestAttempts(t *testing.T) {
	l, err := life.Of(history(t, "abandon 2, seal 1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		l     *life.Life
		names []string
		want  []string
	}{
		{&life.Life{}, nil, nil},
		{l, nil, []string{"p1"}},
		{l, []string{"x/p3.1", "packages/x/p0", "x/p1.1", "x/p1.2"}, []string{"p0", "p1", "p3"}},
		{&life.Life{}, []string{"packages/x/p9", "packages/x/p9"}, []string{"p9"}},
	} {
		if got := life.Attempts(tt.l, tt.names); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.names, got, tt.want)
		}
	}
}

// TestRandomHistories walks at random through what is allowed. Whatever the
// way, no dossier is condemned under a hold, without a seal or by another case
// than the one that began; and past the point of no return only "destroyed" and
// "attempt abandoned" are allowed.
func TestRandomHistories(t *testing.T) {
	names := slices.Sorted(maps.Keys(moves))
	reached := map[life.State]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var acts []*chain.Act
		var walk []string
		for range 40 {
			name := names[r.IntN(len(names))]
			next := append(slices.Clip(acts), act(t, len(acts)+1, moves[name].kind, moves[name].body))
			was, err := life.Of(acts)
			if err != nil {
				t.Fatal(err)
			}
			is, err := life.Of(next)
			if err != nil {
				continue
			}
			walk = append(walk, name)
			if err := lawful(was, is, moves[name].kind); err != nil {
				t.Fatalf("seed %d: %q: %v", seed, walk, err)
			}
			acts = next
			reached[is.State]++
		}
	}
	for _, s := range []life.State{life.Absent, life.Archived, life.Destroying, life.Condemned, life.Gone} {
		if reached[s] == 0 {
			t.Errorf("no walk came to %s", s)
		}
	}
}

// lawful says what is wrong with a step from one life to the next.
func lawful(was, is *life.Life, kind string) error {
	seal, _ := is.Seal()
	switch {
	case len(is.Seals) > 1:
		return fmt.Errorf("%d seals", len(is.Seals))
	case (seal == nil) != (is.State == life.Absent):
		return fmt.Errorf("state %s, seal %v", is.State, seal)
	case seal != nil && slices.Contains(is.Abandoned, seal.Package):
		return errors.New("the sealed attempt is abandoned")
	case (is.State == life.Condemned || is.State == life.Gone) && len(is.Holds) > 0:
		return errors.New("condemned under a hold")
	case is.State == life.Condemned && was.State != life.Condemned && (was.State != life.Destroying || was.Case != is.Case):
		return fmt.Errorf("condemned from %s, case %q after %q", was.State, is.Case, was.Case)
	case (was.State == life.Condemned || was.State == life.Gone) && kind != life.Destroyed && kind != life.AttemptAbandoned:
		return fmt.Errorf("%s after the point of no return", kind)
	case was.State == life.Gone && is.State != life.Gone:
		return fmt.Errorf("destroyed became %s", is.State)
	}
	return nil
}
