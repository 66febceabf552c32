package retention_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/luutru/luutru/retention"
)

// groupSchedule has a class of each kind.
func groupSchedule() *retention.Schedule {
	return &retention.Schedule{Version: 1, Effective: time.Date(2000, 1, 1, 0, 0, 0, 0, zone), Rules: []retention.Rule{
		{Class: "A", Years: 5, Trigger: "end-of-work", Action: "destroy", Basis: "x", Approved: true},
		{Class: "B", Years: 10, Trigger: "end-of-work", Action: "review", Basis: "x", Approved: true},
		{Class: "C", Years: 5, Trigger: "end-of-work", Action: "transfer", Basis: "x", Approved: true},
		{Class: "P", Permanent: true, Action: "transfer", Basis: "x", Approved: true},
		{Class: "U", Years: 5, Trigger: "end-of-work", Action: "destroy", Basis: "x"},
	}}
}

func TestDecideGroup(t *testing.T) {
	s := groupSchedule()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	fact := func(class string, year int) retention.Facts {
		return retention.Facts{Class: class, Closed: time.Date(year, 5, 4, 0, 0, 0, 0, zone)}
	}
	hold := []retention.Hold{{ID: "h", Placed: now}}
	for name, tt := range map[string]struct {
		members []retention.Facts
		holds   []retention.Hold
		status  retention.Status
		action  string
		reason  string
	}{
		"one alone":             {[]retention.Facts{fact("A", 2010)}, nil, retention.Due, "destroy", ""},
		"both due":              {[]retention.Facts{fact("A", 2010), fact("A", 2011)}, nil, retention.Due, "destroy", "linked-longer"},
		"the other is younger":  {[]retention.Facts{fact("A", 2010), fact("A", 2024)}, nil, retention.Retained, "destroy", "linked-longer"},
		"the other is kept":     {[]retention.Facts{fact("A", 2010), fact("P", 2010)}, nil, retention.Held, "destroy", "linked-permanent"},
		"the other is unknown":  {[]retention.Facts{fact("A", 2010), fact("U", 2010)}, nil, retention.Held, "destroy", "linked-undetermined"},
		"the other goes away":   {[]retention.Facts{fact("A", 2010), fact("C", 2010)}, nil, retention.Due, "transfer", "linked-transfer"},
		"the other is reviewed": {[]retention.Facts{fact("A", 2010), fact("B", 2010)}, nil, retention.Due, "destroy", "linked-longer"},
		"one is held":           {[]retention.Facts{fact("A", 2010), fact("A", 2010)}, hold, retention.Held, "destroy", ""},
	} {
		v := s.DecideGroup(tt.members, tt.holds, now)
		if v.Status != tt.status || v.Action != tt.action {
			t.Errorf("%s: got %+v", name, v)
		}
		if tt.reason != "" && !slices.ContainsFunc(v.Reasons, func(r retention.Reason) bool { return r.Code == tt.reason && r.Vietnamese != "" && r.English != "" }) {
			t.Errorf("%s: no reason %s in %+v", name, tt.reason, v.Reasons)
		}
	}
}

// TestGroupOfAnyOrder: whichever member is asked, either all may be destroyed or
// none; and another member never makes one due.
func TestGroupOfAnyOrder(t *testing.T) {
	s := groupSchedule()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	r := rand.New(rand.NewPCG(3, 4))
	may := func(v retention.Verdict) bool { return v.Status == retention.Due && v.Action != "transfer" }
	for range 2000 {
		var members []retention.Facts
		for range 1 + r.IntN(4) {
			class := []string{"A", "A", "A", "B", "C", "P", "U"}[r.IntN(7)]
			members = append(members, retention.Facts{Class: class, Closed: time.Date(2000+r.IntN(26), 5, 4, 0, 0, 0, 0, zone)})
		}
		first := may(s.DecideGroup(members, nil, now))
		for i := range members {
			turned := slices.Concat(members[i:], members[:i])
			if got := may(s.DecideGroup(turned, nil, now)); got != first {
				t.Fatalf("%+v: member %d says %v, the first %v", members, i, got, first)
			}
			if first && !may(s.Decide(members[i], nil, now)) {
				t.Fatalf("%+v: member %d alone may not be destroyed", members, i)
			}
		}
	}
}
