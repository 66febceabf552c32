package retention_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/retention"
)

// steps turns "proposed a 1; reviewed b 2" into steps; the number is the day
// after 1 March 2026, and hours may follow as a duration.
func steps(t *testing.T, text string) []retention.Step {
	t.Helper()
	var list []retention.Step
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		after, err := time.ParseDuration(words[2])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, retention.Step{Kind: words[0], Agent: strings.Trim(words[1], "-"),
			Time: time.Date(2026, 3, 1, 0, 0, 0, 0, zone).Add(after)})
	}
	return list
}

func TestCheckSteps(t *testing.T) {
	tests := []struct {
		name, steps string
		kinds       []error
		codes       string
	}{
		{"nothing yet", "", nil, ""},
		{"proposed", "proposed a 1h", nil, ""},
		{"council of two", "proposed a 1h; reviewed b 2h; reviewed c 3h", nil, ""},
		{"rejected", "proposed a 1h; reviewed b 2h; rejected c 3h", nil, ""},
		{"whole, with appraisal", "proposed a 1h; reviewed b 2h; appraised e 3h; approved c 4h; executed d 5h", nil, ""},
		{"last second of the fifteenth day", "proposed a 0h; reviewed b 1h; approved c 12h; executed d 383h59m59s", nil, ""},
		{"sixteenth day", "proposed a 0h; reviewed b 1h; approved c 12h; executed d 384h", []error{retention.ErrLate}, "step-late"},
		{"decided in the last hour", "proposed a 0h; reviewed b 1h; approved c 23h59m; executed d 384h", []error{retention.ErrLate}, "step-late"},
		{"not proposed", "reviewed b 2h", []error{retention.ErrOrder}, "step-order"},
		{"not reviewed", "proposed a 1h; approved c 3h", []error{retention.ErrOrder}, "step-order"},
		{"executed after rejection", "proposed a 1h; reviewed b 2h; rejected c 3h; executed d 4h", []error{retention.ErrOrder}, "step-order"},
		{"approved after rejection", "proposed a 1h; reviewed b 2h; rejected c 3h; approved d 4h", []error{retention.ErrOrder}, "step-order"},
		{"executed twice", "proposed a 1h; reviewed b 2h; approved c 3h; executed d 4h; executed e 5h", []error{retention.ErrOrder}, "step-order"},
		{"proposed twice", "proposed a 1h; proposed b 2h", []error{retention.ErrOrder}, "step-order"},
		{"reviewed after the decision", "proposed a 1h; reviewed b 2h; approved c 3h; reviewed d 4h", []error{retention.ErrOrder}, "step-order"},
		{"backwards", "proposed a 3h; reviewed b 2h", []error{retention.ErrOrder}, "step-backwards"},
		{"unknown", "proposed a 1h; burned b 2h", []error{retention.ErrOrder}, "step-unknown"},
		{"nobody", "proposed - 1h", []error{retention.ErrFourEyes}, "step-agent"},
		{"proposer reviews", "proposed a 1h; reviewed a 2h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"proposer approves", "proposed a 1h; reviewed b 2h; approved a 3h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"council member approves", "proposed a 1h; reviewed b 2h; reviewed c 2h; approved c 3h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"approver executes", "proposed a 1h; reviewed b 2h; approved c 3h; executed c 4h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"proposer executes", "proposed a 1h; reviewed b 2h; approved c 3h; executed a 4h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"one member reviews twice", "proposed a 1h; reviewed b 2h; reviewed b 3h", []error{retention.ErrFourEyes}, "step-same-agent"},
		{"everything at once", "proposed a 9h; approved a 1h; executed a 900h",
			[]error{retention.ErrFourEyes, retention.ErrOrder, retention.ErrLate},
			"step-same-agent step-backwards step-order step-same-agent step-same-agent step-late"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, retention.CheckSteps(steps(t, tt.steps)), tt.kinds, tt.codes)
		})
	}
	if err := retention.CheckSteps([]retention.Step{{Kind: "proposed", Agent: "a"}}); !errors.Is(err, retention.ErrOrder) {
		t.Errorf("a step without a time: %v", err)
	}
}

func check(t *testing.T, err error, kinds []error, codes string) {
	t.Helper()
	if (err == nil) != (len(kinds) == 0) {
		t.Fatalf("got %v", err)
	}
	for _, sentinel := range []error{retention.ErrSchedule, retention.ErrOrder, retention.ErrFourEyes, retention.ErrLate} {
		if errors.Is(err, sentinel) != slices.Contains(kinds, sentinel) {
			t.Errorf("is %q: %t", sentinel, errors.Is(err, sentinel))
		}
	}
	var e *retention.Error
	if !errors.As(err, &e) {
		return
	}
	var got []string
	for _, p := range e.Problems {
		got = append(got, p.Code)
		if p.Vietnamese == "" || p.English == "" || !strings.Contains(err.Error(), p.English) {
			t.Errorf("texts of %+v in %q", p, err)
		}
	}
	if strings.Join(got, " ") != codes {
		t.Errorf("got %q, want %q", strings.Join(got, " "), codes)
	}
}

// Whatever the beginning of a case, at most one agent per step and no step
// after the end: every way to go on with a fifth agent is tried.
func TestStepsCannotSkip(t *testing.T) {
	kinds := []string{"proposed", "reviewed", "appraised", "approved", "rejected", "executed"}
	lawful := 0
	var walk func(list []retention.Step)
	walk = func(list []retention.Step) {
		if retention.CheckSteps(list) != nil {
			return // and nothing added can mend it
		}
		lawful++
		if n := len(list); n > 0 && list[n-1].Kind == "executed" {
			var seen []string
			for _, s := range list {
				seen = append(seen, s.Kind)
			}
			text := strings.Join(seen, " ")
			if !strings.HasPrefix(text, "proposed reviewed") || !strings.HasSuffix(text, "approved executed") {
				t.Errorf("executed by way of %s", text)
			}
		}
		if len(list) == 6 {
			return
		}
		for _, kind := range kinds {
			for _, agent := range []string{"a", "b", "c", "d", "e", "f"} {
				walk(append(slices.Clone(list), retention.Step{Kind: kind, Agent: agent, Time: time.Date(2026, 1, len(list)+1, 0, 0, 0, 0, zone)}))
			}
		}
	}
	walk(nil)
	if lawful < 100 {
		t.Errorf("only %d lawful beginnings", lawful)
	}
}

func TestExecutable(t *testing.T) {
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, zone)
	find := func(dossier, outcome string, years int) retention.Finding {
		return retention.Finding{Dossier: dossier, Outcome: outcome, Years: years, Time: at}
	}
	due := retention.Verdict{Status: retention.Due, Action: "destroy"}
	verdicts := map[string]retention.Verdict{
		"1-unanimous":    due,
		"2-dissent":      due,
		"3-kept":         due,
		"4-permanent":    due,
		"5-transfer":     due,
		"6-held":         {Status: retention.Held, Action: "destroy"},
		"7-not-due":      {Status: retention.Retained, Action: "destroy"},
		"8-not-reviewed": due,
		"9-historical":   {Status: retention.Due, Action: "transfer"},
		"b-review":       {Status: retention.Due, Action: "review"},
		"c-invalid":      due,
	}
	findings := []retention.Finding{
		find("b-review", "destroy", 0), find("1-unanimous", "destroy", 0), find("1-unanimous", "destroy", 0),
		find("2-dissent", "destroy", 0), find("2-dissent", "keep", 5),
		find("3-kept", "keep", 5), find("4-permanent", "permanent", 0), find("5-transfer", "transfer", 0),
		find("6-held", "destroy", 0), find("7-not-due", "destroy", 0), find("9-historical", "destroy", 0),
		find("a-no-verdict", "destroy", 0), find("c-invalid", "destroy", 3),
	}
	whole := steps(t, "proposed a 1h; reviewed b 2h; approved c 3h; executed d 4h")
	may, kept, err := retention.Executable(whole, findings, verdicts)
	if err != nil || !slices.Equal(may, []string{"1-unanimous", "b-review"}) {
		t.Fatalf("may: %v, %v", may, err)
	}
	var got []string
	for _, r := range kept {
		got = append(got, r.About+" "+r.Code)
		if r.Vietnamese == "" || r.English == "" {
			t.Errorf("texts of %+v", r)
		}
	}
	want := []string{"2-dissent found-otherwise", "3-kept found-otherwise", "4-permanent found-otherwise", "5-transfer found-otherwise",
		"6-held not-due", "7-not-due not-due", "8-not-reviewed not-reviewed", "9-historical not-for-destruction",
		"a-no-verdict no-verdict", "c-invalid finding-invalid"}
	if !slices.Equal(got, want) {
		t.Errorf("kept:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, _, err := retention.Executable(whole[:3], findings, verdicts); err != nil {
		t.Errorf("approved: %v", err)
	}
	for name, list := range map[string][]retention.Step{
		"no step":  nil,
		"reviewed": whole[:2],
		"rejected": steps(t, "proposed a 1h; reviewed b 2h; rejected c 3h"),
	} {
		may, kept, err := retention.Executable(list, findings, verdicts)
		if !errors.Is(err, retention.ErrOrder) || may != nil || kept != nil {
			t.Errorf("%s: %v, %v, %v", name, may, kept, err)
		}
	}
	late := steps(t, "proposed a 1h; reviewed b 2h; approved c 3h; executed d 400h")
	if _, _, err := retention.Executable(late, findings, verdicts); !errors.Is(err, retention.ErrLate) {
		t.Errorf("late: %v", err)
	}
}
