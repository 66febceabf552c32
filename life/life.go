// Package life says what the acts of a dossier, of a group of them, and of a
// destruction case add up to. It is pure: acts in, state out. Both the archive
// and the custodian decide by it, each from acts it has read itself.
package life

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/retention"
)

// Types of acts in a dossier's chain (docs/format.md §6). They are also the
// types of their ledger entries.
const (
	Ingestion          = "ingestion"
	AttemptAbandoned   = "attempt abandoned"
	Hold               = "hold"
	HoldLifted         = "hold lifted"
	DestructionBegun   = "destruction begun"
	DestructionStopped = "destruction stopped"
	KeysCondemned      = "keys condemned"
	Destroyed          = "destroyed"
)

// Seal is the body of an ingestion: what the archive vouches for. It holds
// nothing personal.
type Seal struct {
	Package   string   `json:"package"` // attempt that holds the data
	Size      int64    `json:"size"`    // octets of the data object
	Digest    string   `json:"digest"`  // SHA-256 of the data object
	METS      string   `json:"mets"`    // SHA-256 of METS.xml
	Documents int      `json:"documents"`
	Content   string   `json:"content"` // digest of the declaration under the dossier's content key
	Class     string   `json:"class"`
	Closed    string   `json:"closed"` // date
	Agency    string   `json:"agency"`
	Access    string   `json:"access"`
	Schedule  int      `json:"schedule"` // version in force at ingest
	Profile   string   `json:"profile"`
	Keys      []string `json:"keys"`    // fingerprints of the recipients
	Packets   string   `json:"packets"` // SHA-256 of the key packets

	ArchiveCode string   `json:"archive_code,omitempty"` // keyed digest of the archive code
	Group       string   `json:"group,omitempty"`        // keyed name of the group it belongs to
	Policy      int      `json:"policy,omitempty"`       // version of the intake policy in force
	Findings    []Result `json:"findings,omitempty"`     // what the checks at intake came to
}

// Result is the code of a check, and what it is about: documents by their place
// in the declaration, or the dossier as a whole where there are none. Details
// stand in the package alone.
type Result struct {
	Code      string `json:"code"`
	Documents []int  `json:"documents,omitempty"`
}

// Attempt is the body of an attempt abandoned.
type Attempt struct {
	Package string `json:"package"`
}

// HoldBody is the body of a hold and of its lifting. In the chain of a group it
// names the member that is held.
type HoldBody struct {
	Hold    string `json:"hold"`
	Dossier string `json:"dossier,omitempty"`
}

// Destruction is the body of the acts of a destruction.
type Destruction struct {
	Case     string   `json:"case"`
	Why      string   `json:"why,omitempty"`      // of a stop: a code
	Packages []string `json:"packages,omitempty"` // attempts whose key packets go
	Deleted  []string `json:"deleted,omitempty"`  // attempts whose objects are gone
	Waiting  []string `json:"waiting,omitempty"`  // attempts whose lock runs on
	Dossiers []string `json:"dossiers,omitempty"` // in the chain of a group: the members that go
}

// State is where a dossier is in its life.
type State string

// States of a dossier. A held dossier is Archived or Destroying with open
// holds.
const (
	Absent     State = "absent"     // no seal
	Archived   State = "archived"   // sealed
	Destroying State = "destroying" // destruction begun, can still be stopped
	Condemned  State = "condemned"  // past the point of no return
	Gone       State = "destroyed"
)

// Life is the sum of a dossier's acts.
type Life struct {
	State     State
	Seals     []Seal // every version, oldest first
	SealActs  []*chain.Act
	Abandoned []string             // attempts that may not be sealed
	Holds     map[string]time.Time // open holds and when they were placed
	Case      string               // of the destruction under way or done
	Last      *Destruction         // body of the last act of the destruction
}

// Chain returns the name of a dossier's chain.
func Chain(dossier string) string { return "dossiers/" + dossier }

// Seal returns the seal in force and its act; nil if there is none.
func (l *Life) Seal() (*Seal, *chain.Act) {
	if len(l.Seals) == 0 {
		return nil, nil
	}
	i := len(l.Seals) - 1
	return &l.Seals[i], l.SealActs[i]
}

// Group returns the keyed name of the group that the dossier belongs to; "" if
// it is on its own.
func (l *Life) Group() string {
	if s, _ := l.Seal(); s != nil {
		return s.Group
	}
	return ""
}

// Names reports whether a seal names the attempt.
func (l *Life) Names(attempt string) bool {
	return slices.ContainsFunc(l.Seals, func(s Seal) bool { return s.Package == attempt })
}

// Facts returns what retention decides from.
func (l *Life) Facts() (retention.Facts, []retention.Hold) {
	s, _ := l.Seal()
	closed, _ := time.Parse(time.DateOnly, s.Closed)
	f := retention.Facts{Class: s.Class, Closed: closed}
	var holds []retention.Hold
	for id, at := range l.Holds {
		holds = append(holds, retention.Hold{ID: id, Placed: at})
	}
	slices.SortFunc(holds, func(a, b retention.Hold) int { return a.Placed.Compare(b.Placed) })
	return f, holds
}

// MayDestroy decides by the schedule whether the dossier may be destroyed now,
// with all its holds, and with those of the others of its group: the longest
// life and any hold among them keep all. What goes to the historical archive
// when it is due may not be destroyed.
func (l *Life) MayDestroy(s *retention.Schedule, now time.Time, others ...*Life) (retention.Verdict, bool) {
	f, holds := l.Facts()
	members := []retention.Facts{f}
	for _, o := range others {
		more, held := o.Facts()
		members, holds = append(members, more), append(holds, held...)
	}
	v := s.DecideGroup(members, holds, now)
	return v, v.Status == retention.Due && v.Action != "transfer"
}

// Of adds up the acts of a dossier. An error means that the acts, though
// validly signed, make no sense in their order.
func Of(acts []*chain.Act) (*Life, error) {
	l := &Life{State: Absent, Holds: map[string]time.Time{}}
	for _, a := range acts {
		if err := l.add(a); err != nil {
			return nil, fmt.Errorf("%s: %w", chain.Key(a.Chain, a.N), err)
		}
	}
	return l, nil
}

func (l *Life) add(a *chain.Act) error {
	switch a.Type {
	case Ingestion:
		return l.ingest(a)
	case AttemptAbandoned:
		var b Attempt
		if err := a.Decode(&b); err != nil {
			return err
		}
		if l.Names(b.Package) {
			return fmt.Errorf("abandons a sealed attempt")
		}
		l.Abandoned = append(l.Abandoned, b.Package)
		return nil
	case Hold, HoldLifted:
		return l.hold(a)
	case DestructionBegun, DestructionStopped, KeysCondemned, Destroyed:
		return l.destruction(a)
	}
	return fmt.Errorf("unknown act %q", a.Type)
}

func (l *Life) ingest(a *chain.Act) error {
	var s Seal
	if err := a.Decode(&s); err != nil {
		return err
	}
	if l.State != Absent || slices.Contains(l.Abandoned, s.Package) {
		return fmt.Errorf("ingestion of a dossier that is %s, or of an abandoned attempt", l.State)
	}
	l.State = Archived
	l.Seals, l.SealActs = append(l.Seals, s), append(l.SealActs, a)
	return nil
}

func (l *Life) hold(a *chain.Act) error {
	var b HoldBody
	if err := a.Decode(&b); err != nil {
		return err
	}
	if l.State != Archived && l.State != Destroying {
		return fmt.Errorf("%s of a dossier that is %s", a.Type, l.State)
	}
	if a.Type == Hold {
		l.Holds[b.Hold] = a.When()
		return nil
	}
	if _, open := l.Holds[b.Hold]; !open {
		return fmt.Errorf("lifts a hold that is not open")
	}
	delete(l.Holds, b.Hold)
	return nil
}

// steps says which state each act of a destruction needs, and leads to.
var steps = map[string]struct{ from, to State }{
	DestructionBegun:   {Archived, Destroying},
	DestructionStopped: {Destroying, Archived},
	KeysCondemned:      {Destroying, Condemned},
	Destroyed:          {Condemned, Gone},
}

func (l *Life) destruction(a *chain.Act) error {
	var b Destruction
	if err := a.Decode(&b); err != nil {
		return err
	}
	step := steps[a.Type]
	if l.State != step.from {
		return fmt.Errorf("%s of a dossier that is %s", a.Type, l.State)
	}
	if a.Type != DestructionBegun && b.Case != l.Case {
		return fmt.Errorf("%s under another case", a.Type)
	}
	if a.Type == KeysCondemned && len(l.Holds) > 0 {
		return fmt.Errorf("keys condemned under a hold")
	}
	l.State, l.Case, l.Last = step.to, b.Case, &b
	return nil
}

// Attempts returns, sorted, the attempts that seals name or that are part of
// the given object names "…/<attempt>" and "…/<attempt>.<generation>".
func Attempts(l *Life, names []string) []string {
	var all []string
	for _, s := range l.Seals {
		all = append(all, s.Package)
	}
	for _, n := range names {
		attempt, _, _ := strings.Cut(path.Base(n), ".")
		all = append(all, attempt)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
