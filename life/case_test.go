package life_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// step makes a step of a case.
func step(t testing.TB, n int, by, kind string, body any) *chain.Act {
	t.Helper()
	a := act(t, n, kind, body)
	a.Chain, a.By = "cases/c", by
	return a
}

func findings(all ...string) life.Review {
	r := life.Review{Findings: []life.Finding{}}
	for _, f := range all {
		dossier, finding, _ := strings.Cut(f, " ")
		r.Findings = append(r.Findings, life.Finding{Dossier: dossier, Finding: finding})
	}
	return r
}

// disposal is a whole case over x, y and z, of which z is kept.
func disposal(t testing.TB) []*chain.Act {
	return []*chain.Act{
		step(t, 1, "A", life.Proposed, life.Proposal{Dossiers: []string{"x", "y", "z"}}),
		step(t, 2, "B", life.Reviewed, findings("x destroy", "y destroy", "z keep")),
		step(t, 3, "C", life.Decided, life.Decision{Approved: true, Dossiers: []string{"x", "y"}}),
		step(t, 4, "D", life.Executed, life.Execution{Outcomes: []life.Outcome{{Dossier: "x", Outcome: "destroyed"}, {Dossier: "y", Outcome: "stopped"}}}),
	}
}

func TestCase(t *testing.T) {
	acts := disposal(t)
	c, err := life.CaseOf(acts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Proposed, []string{"x", "y", "z"}) || !slices.Equal(c.Fit(), []string{"x", "y"}) || len(c.Outcomes) != 2 || !c.Decision.Approved {
		t.Errorf("got %+v", c)
	}
	var kinds, agents []string
	for i, s := range c.Steps {
		kinds, agents = append(kinds, s.Kind), append(agents, s.Agent)
		if !s.Time.Equal(acts[i].When()) {
			t.Errorf("step %d at %s, want %s", i+1, s.Time, acts[i].When())
		}
	}
	if !slices.Equal(kinds, []string{"proposed", "reviewed", "approved", "executed"}) || !slices.Equal(agents, []string{"A", "B", "C", "D"}) {
		t.Errorf("got steps %q by %q", kinds, agents)
	}
	if err := retention.CheckSteps(c.Steps); err != nil {
		t.Error(err)
	}
	if got := life.CaseChain("c"); got != "cases/c" {
		t.Errorf("got chain %q", got)
	}
}

// TestCondemns: nothing but a complete case lets a dossier be destroyed.
func TestCondemns(t *testing.T) {
	whole := disposal(t)[:3]
	reject := step(t, 3, "C", life.Decided, life.Decision{Approved: false, Dossiers: []string{"x"}})
	for name, tt := range map[string]struct {
		acts []*chain.Act
		want string // of x, y, z and w those that are condemned
	}{
		"nothing":                    {nil, ""},
		"proposed":                   {whole[:1], ""},
		"reviewed":                   {whole[:2], ""},
		"approved":                   {whole, "xy"},
		"executed":                   {disposal(t), "xy"},
		"rejected":                   {[]*chain.Act{whole[0], whole[1], reject}, ""},
		"not reviewed":               {[]*chain.Act{whole[0], whole[2]}, ""},
		"decided beyond the finding": {[]*chain.Act{whole[0], whole[1], step(t, 3, "C", life.Decided, life.Decision{Approved: true, Dossiers: []string{"x", "z", "w"}})}, "x"},
		"decided on nothing":         {[]*chain.Act{whole[0], whole[1], step(t, 3, "C", life.Decided, life.Decision{Approved: true, Dossiers: []string{}})}, ""},
		"another finding":            {[]*chain.Act{whole[0], step(t, 2, "B", life.Reviewed, findings("x DESTROY", "y ", "z keep")), whole[2]}, ""},
	} {
		c, err := life.CaseOf(tt.acts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		for _, d := range []string{"x", "y", "z", "w", ""} {
			if c.Condemns(d) {
				got += d
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestEveryFindingCounts: what one member of the council wants kept is kept,
// whatever another found before or after.
func TestEveryFindingCounts(t *testing.T) {
	w := disposal(t)
	keep, destroy := findings("x keep"), findings("x destroy")
	decided := step(t, 4, "D", life.Decided, life.Decision{Approved: true, Dossiers: []string{"x"}})
	for name, reviews := range map[string][2]life.Review{
		"keep, then destroy": {keep, destroy}, "destroy, then keep": {destroy, keep}, "both at once": {findings("x destroy", "x keep"), destroy},
	} {
		c, err := life.CaseOf([]*chain.Act{w[0], step(t, 2, "B", life.Reviewed, reviews[0]), step(t, 3, "C", life.Reviewed, reviews[1]), decided})
		if err != nil {
			continue // refused: as good
		}
		if err := retention.CheckSteps(c.Steps); err != nil {
			t.Fatal(err)
		}
		if c.Condemns("x") || len(c.Fit()) > 0 {
			t.Errorf("%s: condemned", name)
		}
	}
	c, err := life.CaseOf([]*chain.Act{w[0], step(t, 2, "B", life.Reviewed, destroy), step(t, 3, "C", life.Reviewed, destroy), decided})
	if err != nil || !c.Condemns("x") || len(c.Fit()) != 1 {
		t.Errorf("twice destroy: %v, fit %q", err, c.Fit())
	}
}

// TestCaseFaults: acts that no case can have.
func TestCaseFaults(t *testing.T) {
	whole := disposal(t)
	for name, acts := range map[string][]*chain.Act{
		"an act of a dossier":              {step(t, 1, "A", life.Hold, life.HoldBody{Hold: "a"})},
		"an unknown act":                   {whole[0], step(t, 2, "B", "nonsense", `{}`)},
		"a finding on what is not in it":   {whole[0], step(t, 2, "B", life.Reviewed, findings("w destroy"))},
		"a review before any proposal":     {whole[1]},
		"a proposal with a field more":     {step(t, 1, "A", life.Proposed, `{"dossiers":["x"],"more":1}`)},
		"a review with a field more":       {whole[0], step(t, 2, "B", life.Reviewed, `{"findings":[{"dossier":"x","finding":"keep","more":1}]}`)},
		"a decision with a field more":     {whole[0], whole[1], step(t, 3, "C", life.Decided, `{"approved":true,"dossiers":["x"],"more":1}`)},
		"a decision that is no boolean":    {whole[0], whole[1], step(t, 3, "C", life.Decided, `{"approved":"yes","dossiers":["x"]}`)},
		"an execution with a field more":   {whole[0], whole[1], whole[2], step(t, 4, "D", life.Executed, `{"more":1,"outcomes":[]}`)},
		"a proposal that says nothing":     {step(t, 1, "A", life.Proposed, ``)},
		"a proposal in another order":      {step(t, 1, "A", life.Proposed, `{"dossiers":["x"] }`)},
		"a decision that names no verdict": {whole[0], whole[1], step(t, 3, "C", life.Decided, `{"dossiers":["x"]}`)},
	} {
		if c, err := life.CaseOf(acts); err == nil || !strings.Contains(err.Error(), "cases/c/") {
			t.Errorf("%s: got %+v, %v; want an error that names the act", name, c, err)
		}
	}
}

// TestOrderIsForTheLaw: CaseOf keeps the steps as they are, so that CheckSteps
// sees every fault of their order.
func TestOrderIsForTheLaw(t *testing.T) {
	w := disposal(t)
	again := step(t, 2, "B2", life.Proposed, life.Proposal{Dossiers: []string{"x", "y", "z"}})
	same := step(t, 3, "A", life.Decided, life.Decision{Approved: true, Dossiers: []string{"x"}})
	for name, tt := range map[string]struct {
		acts []*chain.Act
		want error
	}{
		"whole":             {w, nil},
		"begun":             {w[:1], nil},
		"no review":         {[]*chain.Act{w[0], w[2]}, retention.ErrOrder},
		"no decision":       {[]*chain.Act{w[0], w[1], w[3]}, retention.ErrOrder},
		"decided first":     {[]*chain.Act{w[2], w[0], w[1]}, retention.ErrOrder},
		"proposed twice":    {[]*chain.Act{w[0], again, w[1], w[2]}, retention.ErrOrder},
		"one person twice":  {[]*chain.Act{w[0], w[1], same}, retention.ErrFourEyes},
		"executed twice":    {append(disposal(t), step(t, 5, "E", life.Executed, life.Execution{Outcomes: []life.Outcome{}})), retention.ErrOrder},
		"decided once more": {append(disposal(t)[:3], step(t, 4, "E", life.Decided, life.Decision{Approved: true, Dossiers: []string{"z"}})), retention.ErrOrder},
	} {
		c, err := life.CaseOf(tt.acts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := retention.CheckSteps(c.Steps); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestStepOf(t *testing.T) {
	for _, tt := range []struct {
		act  string
		body any
		want string
	}{
		{life.Proposed, &life.Proposal{}, "proposed"},
		{life.Reviewed, &life.Review{}, "reviewed"},
		{life.Decided, &life.Decision{Approved: true}, "approved"},
		{life.Decided, &life.Decision{}, "rejected"},
		{life.Decided, nil, "rejected"}, // whatever can't be understood rejects
		{life.Decided, json.RawMessage(`{"approved":true}`), "rejected"},
		{life.Executed, &life.Execution{}, "executed"},
		{life.Hold, nil, ""},
		{"", nil, ""},
	} {
		if got := life.StepOf(tt.act, tt.body, "A", now); got.Kind != tt.want || got.Agent != "A" || !got.Time.Equal(now) {
			t.Errorf("%q: got %+v, want kind %q", tt.act, got, tt.want)
		}
	}
}
