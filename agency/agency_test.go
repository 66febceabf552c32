package agency_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/agency"
)

func parse(t testing.TB, table string) *agency.History {
	t.Helper()
	h, err := agency.Parse([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wards is a table as a province would give it: districts that went, communes
// that merged, one that was divided, one that changed twice.
const wards = `# old districts and communes of a province that does not exist
Z01,Tỉnh Thử,,,,read,made up
Z01.10,UBND huyện Một,,2025-06-30,Z01.201 Z01.202,read,made up
000.00.11.Z01,UBND xã Hai,2016-01-01,2025-06-30,Z01.201,read,made up
Z01.12,UBND xã Ba,,2019-12-31,Z01.11,read,made up
Z01.14,UBND xã Bốn,,2025-06-30,Z01.202,inferred,made up
Z01.13,Chi cục đã giải thể,,2024-12-31,,read,made up
Z02,Tỉnh Khác,,2025-06-30,Z01,read,made up
Z01.201,UBND xã Mới,2025-07-01,,,read,made up
`

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"H29.68": "H29.68", "000.00.68.H29": "H29.68", "h29 . 68": "H29.68", "68.00.H29": "H29.68", "H29": "H29", "00.00.H29": "H29",
		"G01.29.68": "G01.29.68", "": "", "000": "", "a.b": "A.B", "H29.G01": "H29.G01",
	} {
		if got := agency.Canonical(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
		if again := agency.Canonical(agency.Canonical(in)); again != agency.Canonical(in) {
			t.Errorf("%q is not stable: %q", in, again)
		}
	}
}

func TestSuccessors(t *testing.T) {
	h := parse(t, wards)
	for _, tt := range []struct {
		id, on string
		want   []string
	}{
		{"Z01.10", "2025-06-30", []string{"Z01.10"}},
		{"Z01.10", "2025-07-01", []string{"Z01.201", "Z01.202"}},
		{"Z01.11", "", []string{"Z01.201"}},
		{"Z01.12", "", []string{"Z01.201"}},
		{"12.Z01", "2020-01-01", []string{"Z01.11"}},
		{"Z01.12", "2019-12-31", []string{"Z01.12"}},
		{"Z01.13", "2026-01-01", []string{}},
		{"Z01.14", "2026-01-01", []string{"Z01.202"}},
		{"Z01.201", "", []string{"Z01.201"}},
		{"Z01.10.5", "2026-01-01", []string{"Z01.201", "Z01.202"}},
		{"Z02.7", "2026-01-01", []string{"Z01"}},
		{"Z02.7", "2025-01-01", []string{"Z02.7"}},
		{"Q77.1", "2026-01-01", []string{"Q77.1"}},
	} {
		if got := h.Successors(tt.id, tt.on); !slices.Equal(got, tt.want) {
			t.Errorf("%s on %q: %q, want %q", tt.id, tt.on, got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	h := parse(t, wards)
	for _, tt := range []struct {
		scope, id string
		want      bool
	}{
		{"Z01.201", "Z01.201", true},
		{"Z01.201", "201.Z01", true},
		{"Z01", "Z01.201", true},
		{"Z01.201", "Z01", false},
		{"Z01.20", "Z01.201", false},
		{"Z01.201", "Z01.2011", false},
		{"Z01.201", "Z01.10", true}, // the district was divided: both have its dossiers
		{"Z01.202", "Z01.10", true},
		{"Z01.202", "Z01.11", false},
		{"Z01.201", "Z01.12", true}, // in two steps
		{"Z01.201", "Z01.10.3", true},
		{"Z01", "Z02", true},
		{"Z01", "Z02.5.6", true},
		{"Z01.201", "Z02.5", false},
		{"Z02", "Z01", false}, // not back in time
		{"Z01.10", "Z01.201", false},
		{"Z01.202", "Z01.14", false}, // nobody is sure
		{"Z01", "Z01.14", true},
		{"Z01.13", "Z01.13", true}, // abolished, still its own
		{"Z01", "Z01.13", true},
		{"", "Z01", false},
		{"Z01", "", false},
		{"", "", false},
		{"000", "Z01", false},
		{"Q77", "Q77.1", true},
	} {
		if got := h.Covers(tt.scope, tt.id); got != tt.want {
			t.Errorf("%s covers %s: %v", tt.scope, tt.id, got)
		}
	}
	var none agency.History
	if !none.Covers("H29", "H29.68") || none.Covers("H29", "H09") {
		t.Error("an empty history knows only what stands above what")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, table := range map[string]string{
		"columns":        "Z01,a,,,,read\n",
		"identifier":     "Z 01/2,a,,,,read,x\n",
		"no identifier":  ",a,,,,read,x\n",
		"long":           "Z01." + strings.Repeat("1", 32) + ",a,,,,read,x\n",
		"twice":          "Z01.5,a,,,,read,x\n5.Z01,a,,,,read,x\n",
		"day":            "Z01,a,,30/06/2025,,read,x\n",
		"no such day":    "Z01,a,,2025-06-31,,read,x\n",
		"order":          "Z01,a,2025-01-02,2025-01-01,,read,x\n",
		"certainty":      "Z01,a,,,,sure,x\n",
		"open successor": "Z01,a,,,Z02,read,x\n",
		"successor":      "Z01,a,,2025-01-01,Z/2,read,x\n",
		"circle":         "Z01,a,,2025-01-01,Z02,read,x\nZ02,a,,2025-02-01,Z01,read,x\n",
		"itself":         "Z01,a,,2025-01-01,Z01,read,x\n",
		"below itself":   "Z01,a,,2025-01-01,Z01.5,read,x\n",
		"quotes":         "Z01,\"a,,,,read,x\n",
		"far":            chain(40),
		"large":          strings.Repeat("#", 16<<20) + "\n",
	} {
		if _, err := agency.Parse([]byte(table)); !errors.Is(err, agency.ErrTable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := agency.Parse([]byte("\uFEFF" + wards)); err != nil {
		t.Errorf("byte order mark: %v", err)
	}
}

// chain is a table of n agencies that followed each other.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Z01.%d,a,,2025-01-01,Z01.%d,read,x\n", i+1, i+2)
	}
	return b.String()
}

func TestEncode(t *testing.T) {
	for _, h := range []*agency.History{parse(t, wards), agency.Default()} {
		again := parse(t, string(h.Encode()))
		a, b := h.Units(), again.Units()
		if !slices.EqualFunc(a, b, func(x, y agency.Unit) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
			t.Errorf("read back as\n%v, want\n%v", b, a)
		}
	}
}

// TestDefault: 63 provinces, of which 29 went into others on 1 July 2025
// (Resolution 202/2025/QH15).
func TestDefault(t *testing.T) {
	h := agency.Default()
	closed := 0
	today := map[string]bool{}
	for _, u := range h.Units() {
		if len(u.ID) != 3 || u.Name == "" || u.Source == "" {
			t.Errorf("row %+v", u)
		}
		if u.Until != "" {
			closed++
			if u.Until != "2025-06-30" || len(u.Successors) != 1 {
				t.Errorf("row %+v", u)
			}
		}
		for _, s := range h.Successors(u.ID, "2026-11-24") {
			today[s] = true
		}
		if before := h.Successors(u.ID, "2025-06-30"); !slices.Equal(before, []string{u.ID}) {
			t.Errorf("%s was %q before the mergers", u.ID, before)
		}
	}
	if n := len(h.Units()); n != 63 || closed != 29 || len(today) != 34 {
		t.Errorf("%d provinces, %d closed, %d today", n, closed, len(today))
	}
	u, ok := h.Lookup("000.00.00.H49")
	if !ok || u.Certainty != agency.Read || u.Until != "" || !strings.Contains(u.Name, "Quảng Ninh") {
		t.Errorf("Quảng Ninh: %+v", u)
	}
	if h.Covers("H29", "H09.12") || !h.Covers("H29", "H29.68") {
		t.Error("an inferred row gives access")
	}
	// What an operator has checked does.
	checked := parse(t, strings.ReplaceAll(string(h.Encode()), ","+agency.Inferred+",", ","+agency.Read+","))
	if !checked.Covers("H29", "000.00.12.H09") || !checked.Covers("H29", "H06") || checked.Covers("H29", "H49") {
		t.Error("a checked row gives no access")
	}
	if _, ok := h.Lookup("H99"); ok {
		t.Error("H99 is known")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(wards), "Z01.12", "Z01")
	f.Add(agency.Default().Encode(), "H09.1", "H29")
	f.Add([]byte(chain(31)), "Z01.1", "Z01.32")
	f.Fuzz(func(t *testing.T, table []byte, id, scope string) {
		h, err := agency.Parse(table)
		if err != nil {
			if !errors.Is(err, agency.ErrTable) {
				t.Errorf("error is not ErrTable: %v", err)
			}
			return
		}
		again, err := agency.Parse(h.Encode())
		if err != nil || len(again.Units()) != len(h.Units()) {
			t.Fatalf("encoded table is not read: %v", err)
		}
		if got, want := again.Covers(scope, id), h.Covers(scope, id); got != want {
			t.Errorf("covers %v after encoding, %v before", got, want)
		}
		sure := !slices.ContainsFunc(h.Units(), func(u agency.Unit) bool { return u.Certainty != agency.Read })
		for _, s := range h.Successors(id, "") {
			if sure && agency.Canonical(s) != "" && !h.Covers(s, id) {
				t.Errorf("%q stands for %q but does not cover it", s, id)
			}
		}
	})
}
