package retention_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/retention"
)

const smallest = `{"effective":"2025-07-01","groups":{},"procedures":{},"rules":[{"action":"destroy","approved":true,"basis":"B","certainty":"found","class":"A","english":"E","group":"G","trigger":"end-of-work","vietnamese":"V","years":2}],"title":"T","version":1}`

func TestEncodeIsCanonical(t *testing.T) {
	for _, file := range []string{"testdata/schedule.json", "seed.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := retention.ParseSchedule(data)
		if err != nil {
			t.Fatal(err)
		}
		once, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := retention.ParseSchedule(once)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := again.Encode()
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s: encoded twice is not the same: %v", file, err)
		}
		if bytes.ContainsAny(once, "\n\t") {
			t.Errorf("%s: not on one line", file)
		}
	}
	s, err := retention.ParseSchedule([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Encode(); err != nil || string(got) != smallest {
		t.Errorf("got %s, %v\nwant %s", got, err, smallest)
	}
}

func TestEncodeRefusesWhatCannotBeRead(t *testing.T) {
	for name, spoil := range map[string]func(*retention.Schedule){
		"years":     func(s *retention.Schedule) { s.Rules[0].Years = 1 },
		"title":     func(s *retention.Schedule) { s.Title = "a\u2028b" },
		"UTF-8":     func(s *retention.Schedule) { s.Title = "a\xff" },
		"version":   func(s *retention.Schedule) { s.Version = 0 },
		"effective": func(s *retention.Schedule) { s.Effective = time.Time{} },
		"rules":     func(s *retention.Schedule) { s.Rules = nil },
		"default":   func(s *retention.Schedule) { s.Default = "NONE" },
	} {
		s := schedule(t)
		spoil(s)
		if data, err := s.Encode(); !errors.Is(err, retention.ErrSchedule) || data != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"not JSON", `{"effective"`, `{effective`, "json"},
		{"cut off", `,"version":1}`, ``, "json"},
		{"something after", `"version":1}`, `"version":1} x`, "json"},
		{"another object after", `"version":1}`, `"version":1}{}`, "json"},
		{"no UTF-8", `"T"`, "\"\xff\"", "json"},
		{"too deep", `"T"`, `[[[[[[[[[[]]]]]]]]]]`, "json"},
		{"name twice", `"version":1}`, `"version":1,"version":2}`, "version name-twice"},
		{"name unknown", `"version":1}`, `"version":1,"Version":1}`, "Version name-unknown"},
		{"name unknown in a rule", `"class":"A"`, `"class":"A","Class":"B"`, "rules[0].Class name-unknown"},
		{"number for text", `"T"`, `7`, "title type"},
		{"null", `"T"`, `null`, "title type"},
		{"text for number", `"version":1`, `"version":"1"`, "version type"},
		{"fraction", `"version":1`, `"version":1.0`, "version type"},
		{"exponent", `"version":1`, `"version":1e0`, "version type"},
		{"zero version", `"version":1`, `"version":0`, "version type"},
		{"text for truth", `"approved":true`, `"approved":"true"`, "rules[0].approved type"},
		{"array for object", `"groups":{}`, `"groups":[]`, "groups type"},
		{"number in groups", `"groups":{}`, `"groups":{"a":1}`, "groups.a type"},
		{"object for array", `"rules":[`, `"rules":{"a":[`, "json"},
		{"rule is a number", `"rules":[`, `"rules":[1,`, "rules[0] type"},
		{"date", `2025-07-01`, `2025-02-30`, "effective type"},
		{"date with time", `2025-07-01`, `2025-07-01T00:00:00Z`, "effective type"},
		{"missing", `"title":"T",`, ``, "title missing"},
		{"missing in a rule", `"basis":"B",`, ``, "rules[0].basis missing"},
		{"approval missing", `"approved":true,`, ``, "rules[0].approved missing"},
		{"empty text", `"T"`, `""`, "title text-space"},
		{"space at the end", `"T"`, `"T "`, "title text-space"},
		{"control character", `"T"`, `"a\u0007b"`, "title text-characters"},
		{"half a character", `"T"`, `"\ud800"`, "title text-characters"},
		{"one year", `"years":2`, `"years":1`, "rules[0].years period"},
		{"71 years", `"years":2`, `"years":71`, "rules[0].years period"},
		{"no period", `,"years":2`, ``, "rules[0].years period"},
		{"permanent with years", `"years":2`, `"years":2,"permanent":true`, "rules[0].years period"},
		{"permanent destroyed", `,"years":2`, `,"permanent":true`, "rules[0].action permanent-destroyed"},
		{"action", `"destroy"`, `"burn"`, "rules[0].action action"},
		{"certainty", `"found"`, `"sure"`, "rules[0].certainty certainty"},
		{"approved from memory", `"found"`, `"memory"`, "rules[0].approved approved-uncertain"},
		{"class", `"class":"A"`, `"class":"A/B"`, "rules[0].class class-code"},
		{"trigger", `end-of-work`, `end of work`, "rules[0].trigger trigger"},
		{"default", `"title"`, `"default":"X","title"`, "default class-unknown"},
		{"procedure", `"procedures":{}`, `"procedures":{"1.0":"X"}`, "procedures.1.0 class-unknown"},
		{"procedure code", `"procedures":{}`, `"procedures":{"1 0":"A"}`, "procedures.1 0 procedure-code"},
		{"group", `"groups":{}`, `"groups":{"a":"X"}`, "groups.a class-unknown"},
		{"rare character in a name", `"groups":{}`, `"groups":{"𝒜":"A"}`, "groups.𝒜 text-characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := strings.Replace(smallest, tt.old, tt.new, 1)
			if data == smallest {
				t.Fatal("nothing replaced")
			}
			s, err := retention.ParseSchedule([]byte(data))
			if !errors.Is(err, retention.ErrSchedule) || s != nil {
				t.Fatalf("got %v, %v", s, err)
			}
			if got := problems(err); !strings.Contains(got, tt.want+"\n") {
				t.Errorf("got\n%swant %s", got, tt.want)
			}
		})
	}
}

func problems(err error) string {
	var e *retention.Error
	if !errors.As(err, &e) {
		return "no *Error"
	}
	var b strings.Builder
	for _, p := range e.Problems {
		b.WriteString(strings.TrimSpace(p.About+" "+p.Code) + "\n")
	}
	return b.String()
}

func TestParseScheduleListsAll(t *testing.T) {
	_, err := retention.ParseSchedule([]byte(`{"version":0,"extra":1,"default":"Z","rules":[
		{"class":"A","years":1,"action":"burn","approved":true,"certainty":"memory"},
		{"class":"A","years":99,"permanent":true,"trigger":"x y"}]}`))
	got := problems(err)
	for _, want := range []string{"extra name-unknown", "version type", "title missing", "effective missing", "rules[0].group missing",
		"rules[0].years period", "rules[0].action action", "rules[0].approved approved-uncertain", "rules[1].class class-twice",
		"rules[1].years period", "rules[1].trigger trigger", "rules[1].approved missing", "default class-unknown"} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s not in\n%s", want, got)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	for _, file := range []string{"testdata/schedule.json"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(smallest))
	f.Add([]byte(strings.Replace(smallest, `"T"`, `"<&>\"\\ hồ sơ \u00e9"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := retention.ParseSchedule(data)
		if err != nil {
			if s != nil || !errors.Is(err, retention.ErrSchedule) || err.Error() == "" {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		once, err := s.Encode()
		if err != nil {
			t.Fatalf("parsed but not encoded: %v", err)
		}
		again, err := retention.ParseSchedule(once)
		if err != nil {
			t.Fatalf("encoded but not parsed: %v", err)
		}
		twice, err := again.Encode()
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s\n%s\n%v", once, twice, err)
		}
		now := time.Date(2026, 11, 24, 0, 0, 0, 0, zone)
		for _, r := range s.Rules {
			v := s.Decide(retention.Facts{Class: r.Class, Closed: now.AddDate(-3, 0, 0)}, nil, now)
			if v.Status == retention.Due && (!r.Approved || r.Permanent || r.Years != 2) {
				t.Fatalf("%+v is due", r)
			}
		}
	})
}

func BenchmarkParseSeed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		retention.Seed()
	}
}
