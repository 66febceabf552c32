package retention_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/retention"
)

var zone = time.FixedZone("", 7*60*60)

func schedule(t testing.TB) *retention.Schedule {
	t.Helper()
	data, err := os.ReadFile("testdata/schedule.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := retention.ParseSchedule(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A golden file holds cases such as
//
//	# 31 December
//	class L5
//	closed 2020-12-31T23:59:59+07:00
//	now 2026-01-01
//	due until 2026-01-01T00:00:00+07:00 destroy, class L5, Luật 1, version 3
//	  term: … / …
//
// -update writes everything below "now" anew.
func TestDecideGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	s := schedule(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, s, want)
			if *update {
				err = os.WriteFile(file, got, 0o644)
			} else if !bytes.Equal(got, want) {
				err = fmt.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func replay(t *testing.T, s *retention.Schedule, golden []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var f, linked retention.Facts
	var holds []retention.Hold
	facts := &f
	old := false // within an old verdict
	lines := bufio.NewScanner(bytes.NewReader(golden))
	for lines.Scan() {
		line := lines.Text()
		word, rest, _ := strings.Cut(line, " ")
		if old && line != "" {
			continue
		}
		fmt.Fprintln(&out, line)
		switch word {
		case "#", "":
			f, linked, holds, facts, old = retention.Facts{}, retention.Facts{}, nil, &f, false
		case "linked":
			facts = &linked
		case "hold":
			id, review, _ := strings.Cut(rest, " review ")
			holds = append(holds, retention.Hold{ID: id, Placed: instant(t, "2024-03-04"), Review: instant(t, review)})
		case "now":
			if facts == &linked {
				f.Linked = []retention.Facts{linked}
			}
			write(&out, s.Decide(f, holds, instant(t, rest)))
			old = true
		default:
			setFact(t, facts, word, rest)
		}
	}
	return out.Bytes()
}

func setFact(t *testing.T, f *retention.Facts, word, rest string) {
	t.Helper()
	first, second, _ := strings.Cut(rest, " ")
	switch word {
	case "class":
		f.Class = rest
	case "procedure":
		f.Procedure = rest
	case "group":
		f.Group = rest
	case "closed":
		f.Closed = instant(t, rest)
	case "event":
		f.Events = map[string]time.Time{first: instant(t, second)}
	case "document":
		f.Documents = append(f.Documents, rest)
	case "finding":
		finding := retention.Finding{Dossier: "x", Outcome: first, Time: instant(t, "2026-02-03")}
		if second != "" {
			years, err := strconv.Atoi(second)
			if err != nil {
				t.Fatal(err)
			}
			finding.Years = years
		}
		f.Findings = append(f.Findings, finding)
	default:
		t.Fatalf("golden: %s %s", word, rest)
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	if v, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return v
	}
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func write(out *bytes.Buffer, v retention.Verdict) {
	until := ""
	if !v.Until.IsZero() {
		until = " until " + v.Until.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "= %s%s; action %q, class %q, basis %q, schedule %d, holds %v\n", v.Status, until, v.Action, v.Class, v.Basis, v.Schedule, v.Holds)
	for _, r := range v.Reasons {
		fmt.Fprintf(out, "  %s %s\n    %s\n    %s\n", r.Code, r.About, r.Vietnamese, r.English)
	}
}

// random returns facts of every kind, most of them sensible.
func random(r *rand.Rand) retention.Facts {
	classes := []string{"", "L2", "L5", "L20", "L70", "R2", "DEATH10", "PERM", "DRAFT", "DRAFTPERM", "D20", "NONE"}
	f := retention.Facts{
		Class:     classes[r.IntN(len(classes))],
		Procedure: []string{"", "1.000001", "1.000002", "1.000003", "7.7"}[r.IntN(5)],
		Group:     []string{"", "Hộ tịch", "Chứng thực"}[r.IntN(3)],
		Closed:    randomTime(r),
	}
	for range r.IntN(3) {
		f.Documents = append(f.Documents, classes[r.IntN(len(classes))])
	}
	if r.IntN(2) == 0 {
		f.Events = map[string]time.Time{"death": randomTime(r)}
	}
	if r.IntN(5) == 0 {
		f.Findings = []retention.Finding{{Outcome: []string{"destroy", "keep", "permanent", "transfer"}[r.IntN(4)], Time: randomTime(r)}}
		if f.Findings[0].Outcome == "keep" {
			f.Findings[0].Years = 1 + r.IntN(70)
		}
	}
	if r.IntN(5) == 0 {
		f.Linked = []retention.Facts{random(r)}
	}
	return f
}

func randomTime(r *rand.Rand) time.Time {
	return time.Date(1950+r.IntN(100), 1, 1+r.IntN(366), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
}

func each(t *testing.T, check func(r *rand.Rand) string) {
	t.Helper()
	for seed := range uint64(20000) {
		if text := check(rand.New(rand.NewPCG(seed, 7))); text != "" {
			t.Fatalf("seed %d: %s", seed, text)
		}
	}
}

func TestHoldNeverMakesDue(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		free := s.Decide(f, nil, now)
		held := s.Decide(f, []retention.Hold{{ID: "H", Placed: randomTime(r), Review: randomTime(r)}}, now)
		if held.Status == retention.Due || held.Status == retention.Retained {
			return fmt.Sprintf("%+v is %s under a hold", f, held.Status)
		}
		if !held.Until.Equal(free.Until) || len(held.Holds) != 1 {
			return fmt.Sprintf("a hold moved %v to %v", free.Until, held.Until)
		}
		return ""
	})
}

func TestLaterClosingIsNeverEarlierDue(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		later := f
		later.Closed = f.Closed.Add(time.Duration(r.Int64N(int64(40 * 365 * 24 * time.Hour))))
		a, b := s.Decide(f, nil, now), s.Decide(later, nil, now)
		if b.Status == retention.Due && (a.Status != retention.Due || b.Until.Before(a.Until)) {
			return fmt.Sprintf("closed %v: %s %v; closed %v: %s %v", f.Closed, a.Status, a.Until, later.Closed, b.Status, b.Until)
		}
		return ""
	})
}

func TestLongestWins(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		more := f
		more.Documents = append([]string{[]string{"L2", "L5", "L20", "L70", "PERM", "DRAFT", "NONE", "DEATH10"}[r.IntN(8)]}, f.Documents...)
		a, b := s.Decide(f, nil, now), s.Decide(more, nil, now)
		switch {
		case a.Status == retention.Permanent && b.Status != retention.Permanent:
			return "a document ended permanence"
		case b.Status == retention.Due && a.Status != retention.Due:
			return fmt.Sprintf("a document made %s due", a.Status)
		case !a.Until.IsZero() && !b.Until.IsZero() && b.Until.Before(a.Until):
			return fmt.Sprintf("a document brought %v forward to %v", a.Until, b.Until)
		}
		return ""
	})
}

// Giving a class never destroys earlier than the procedure would.
func TestGivenClassNeverShortens(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		f.Procedure = []string{"1.000001", "1.000002", "1.000003", "1.000004", "1.000005", "1.000006"}[r.IntN(6)]
		free := f
		free.Class = ""
		a, b := s.Decide(free, nil, now), s.Decide(f, nil, now)
		if b.Status != retention.Due || a.Status == retention.Due {
			return ""
		}
		if f.Procedure == "1.000003" && !b.Until.Before(end(f.Closed, 2)) {
			return "" // not approved, but no longer than the class given
		}
		return fmt.Sprintf("%+v: %s, without a class %s", f, b.Status, a.Status)
	})
}

func end(closed time.Time, years int) time.Time {
	return time.Date(closed.In(zone).Year()+years+1, 1, 1, 0, 0, 0, 0, zone)
}

func TestTimeOnlyGoesForward(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		later := now.Add(time.Duration(r.Int64N(int64(60 * 365 * 24 * time.Hour))))
		a, b := s.Decide(f, nil, now), s.Decide(f, nil, later)
		if a.Status == retention.Due && b.Status != retention.Due {
			return fmt.Sprintf("due at %v, %s at %v", now, b.Status, later)
		}
		if !a.Until.IsZero() && !a.Until.Equal(b.Until) {
			return fmt.Sprintf("until moved from %v to %v", a.Until, b.Until)
		}
		if a.Status == retention.Due && now.Before(a.Until) || a.Status == retention.Retained && !now.Before(a.Until) {
			return fmt.Sprintf("%s at %v until %v", a.Status, now, a.Until)
		}
		return ""
	})
}

func TestDueNeedsApprovalAndFacts(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		v := s.Decide(f, nil, now)
		if len(v.Reasons) == 0 || v.Schedule != 3 {
			return "no reasons or no version"
		}
		for _, reason := range v.Reasons {
			if reason.Code == "" || reason.Vietnamese == "" || reason.English == "" {
				return fmt.Sprintf("reason %+v", reason)
			}
		}
		if v.Status != retention.Due {
			return ""
		}
		for _, c := range append([]string{v.Class}, f.Documents...) {
			if c == "DRAFT" || c == "DRAFTPERM" || c == "NONE" || c == "PERM" {
				return fmt.Sprintf("due with class %s", c)
			}
		}
		if v.Until.In(zone).Format("01-02 15:04:05.999") != "01-01 00:00:00" || v.Basis == "" || v.Action == "" {
			return fmt.Sprintf("due %+v", v)
		}
		return ""
	})
}

func TestLinkedNeverShortens(t *testing.T) {
	s := schedule(t)
	each(t, func(r *rand.Rand) string {
		f, now := random(r), randomTime(r)
		alone := f
		alone.Linked = nil
		f.Linked = []retention.Facts{random(r), random(r)}
		a, b := s.Decide(alone, nil, now), s.Decide(f, nil, now)
		if b.Status == retention.Due && a.Status != retention.Due || !b.Until.IsZero() && b.Until.Before(a.Until) {
			return fmt.Sprintf("alone %s %v, linked %s %v", a.Status, a.Until, b.Status, b.Until)
		}
		return ""
	})
}

func TestRuleSpoiledAfterParsing(t *testing.T) {
	s := schedule(t)
	now := instant(t, "2026-06-01")
	for _, years := range []int{-3, 0, 1, 71} {
		s.Rules[1].Years = years
		if v := s.Decide(retention.Facts{Class: "L5", Closed: instant(t, "2000-01-01")}, nil, now); v.Status != retention.Undetermined {
			t.Errorf("%d years: %s", years, v.Status)
		}
	}
	s.Rules[0], s.Rules[2] = s.Rules[2], s.Rules[0]
	if v := s.Decide(retention.Facts{Class: "L2", Closed: instant(t, "2000-01-01")}, nil, now); v.Until.Year() != 2003 {
		t.Errorf("rules in another order: %v", v.Until)
	}
	for _, zero := range []*retention.Schedule{{}, {Default: "X"}} {
		if v := zero.Decide(retention.Facts{}, nil, now); v.Status != retention.Undetermined {
			t.Errorf("empty schedule: %s", v.Status)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	s := retention.Seed()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, zone)
	f := retention.Facts{Procedure: "2.001035", Closed: time.Date(2003, 5, 6, 0, 0, 0, 0, zone)}
	b.ReportAllocs()
	for b.Loop() {
		s.Decide(f, nil, now)
	}
}

func BenchmarkMillion(b *testing.B) {
	s := retention.Seed()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, zone)
	codes := []string{"2.001035", "1.001193", "2.000884", "1.004222"}
	for b.Loop() {
		due := 0
		for i := range 1_000_000 {
			f := retention.Facts{Procedure: codes[i%4], Closed: time.Date(1990+i%36, 5, 6, 0, 0, 0, 0, zone)}
			if s.Decide(f, nil, now).Status == retention.Due {
				due++
			}
		}
		if due == 0 {
			b.Fatal("nothing due")
		}
	}
}
