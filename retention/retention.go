// Package retention decides, from a schedule and facts alone, what may become
// of a dossier, and why. It also says whether the steps of a destruction were
// taken in order and by different people.
//
// The package is pure: it reads no clock, no file and no network, and the same
// input always gives the same verdict. It does not know who approved a
// schedule, where a hold comes from or how a dossier is destroyed.
//
// Whatever is missing, unknown, unapproved or contradictory keeps a dossier.
// Nothing but a complete set of facts under an approved rule makes it due.
package retention

import "time"

// Status is where a dossier stands.
type Status string

// The statuses. Only Due allows a destruction to be proposed or executed.
const (
	// Retained: the period is running; it ends at Verdict.Until.
	Retained Status = "retained"
	// Due: the period is over and nothing bars the action of the rule.
	Due Status = "due"
	// Held: whatever the period says, an open hold, a linked dossier or the
	// finding of a council bars destruction.
	Held Status = "held"
	// Permanent: never destroyed.
	Permanent Status = "permanent"
	// Undetermined: the facts or the schedule do not suffice; the reasons say
	// what to do. Never destroyed meanwhile.
	Undetermined Status = "undetermined"
)

// A Schedule is a table of retention periods (bảng thời hạn lưu trữ) in one
// version. Read it with ParseSchedule or Seed; do not change it while Decide
// is running.
type Schedule struct {
	Version    int               // 1, 2, 3 …
	Title      string            // Vietnamese, then English
	Effective  time.Time         // first day, 00:00 +07:00
	Rules      []Rule            // in the order of the file
	Procedures map[string]string // procedure code → class
	Groups     map[string]string // sector or group → class
	Default    string            // class of whatever else the agency keeps; may be empty
	Note       string            // Vietnamese, then English

	// byClass is a hint only: rule verifies what it finds there, so that
	// rules changed after parsing are still seen.
	byClass map[string]int
}

// A Rule is a line of a schedule: how long the dossiers of a class are kept,
// from when, and what then.
type Rule struct {
	Class      string // its code, unique in the schedule
	Group      string // heading in the table
	Vietnamese string // what is in the class
	English    string
	Permanent  bool
	Years      int    // 2 to 70; 0 if permanent
	Trigger    string // "end-of-work", or the name of an event in Facts.Events
	Action     string // "destroy", "transfer" (to the historical archive) or "review"
	Basis      string // legal basis
	Certainty  string // "confirmed", "found", "secondary", "memory" or "inference"
	Approved   bool   // without it nothing of the class is ever due
	Note       string // Vietnamese, then English; may be empty
}

// Facts is what is known of a dossier. Its zero value is undetermined.
type Facts struct {
	Class     string               // given by the archivist or producer; decides if not empty
	Procedure string               // procedure code, else this
	Group     string               // else this
	Closed    time.Time            // end of the work
	Events    map[string]time.Time // what has happened since, by the name of the trigger
	Documents []string             // classes of single documents; the longest decides
	Findings  []Finding            // what councils decided on this dossier before
	// Linked are the other dossiers of its group. A longer life among them
	// keeps this one. Their own links are not followed; give all of the group,
	// and to Decide the holds of all of them.
	Linked []Facts
}

// A Hold suspends destruction. Every hold given counts, for as long as it is
// given: it is lifted by an act, never by the passing of a date.
type Hold struct {
	ID     string
	Placed time.Time
	Review time.Time // when somebody should ask whether it is still needed; may be zero
}

// A Verdict says what may become of a dossier.
type Verdict struct {
	Status Status `json:"status"`
	// Until is the first instant at which destruction is allowed: 00:00 +07:00
	// on 1 January. It is zero if there is none or it is not known, which is
	// when a lock must be rolled on.
	Until    time.Time `json:"until,omitzero"`
	Action   string    `json:"action,omitempty"` // what comes after the period
	Class    string    `json:"class,omitempty"`  // the class that decided
	Basis    string    `json:"basis,omitempty"`
	Schedule int       `json:"schedule"`        // version
	Holds    []string  `json:"holds,omitempty"` // open holds, whatever the status
	Reasons  []Reason  `json:"reasons"`
}

// A Reason is one statement in a verdict, or one problem in an Error.
type Reason struct {
	Code       string `json:"code"`            // stable, for programs
	About      string `json:"about,omitempty"` // the class, hold, field, step or dossier concerned
	Vietnamese string `json:"vietnamese"`
	English    string `json:"english"`
}

const (
	endOfWork = "end-of-work"

	actionDestroy  = "destroy"
	actionTransfer = "transfer"
	actionReview   = "review"

	// The bounds of the Law on Archives (33/2024/QH15, article 15).
	minYears, maxYears = 2, 70

	// No state record is older. A date before it is a fault of the source,
	// and would make a dossier due at once.
	earliestYear = 1945
)

// local returns the legal time of Viet Nam, which has had no other offset since
// 1975. It is fixed so that no time zone database is needed.
func local() *time.Location { return time.FixedZone("", 7*60*60) }

// endOf returns the first instant after the last day of a period of years that
// is counted from the year of t.
func endOf(t time.Time, years int) time.Time {
	return time.Date(t.In(local()).Year()+years+1, time.January, 1, 0, 0, 0, 0, local())
}

// Class returns the class that the schedule gives to a procedure, else to a
// group, else to whatever else the agency keeps.
func (s *Schedule) Class(procedure, group string) (string, bool) {
	class, _ := s.classify(Facts{Procedure: procedure, Group: group})
	return class, class != ""
}

// classify returns the class of the dossier and the code of the way it was
// found.
func (s *Schedule) classify(f Facts) (class, way string) {
	if f.Class != "" {
		return f.Class, "class-given"
	}
	if c := s.Procedures[f.Procedure]; c != "" {
		return c, "class-of-procedure"
	}
	if c := s.Groups[f.Group]; c != "" {
		return c, "class-of-group"
	}
	if s.Default != "" {
		return s.Default, "class-default"
	}
	return "", "class-missing"
}

// rule returns the rule of a class, or nil.
func (s *Schedule) rule(class string) *Rule {
	if i, ok := s.byClass[class]; ok && i < len(s.Rules) && s.Rules[i].Class == class {
		return &s.Rules[i]
	}
	for i := range s.Rules {
		if s.Rules[i].Class == class {
			return &s.Rules[i]
		}
	}
	return nil
}
