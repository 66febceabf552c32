package retention

import (
	"slices"
	"strconv"
	"time"
)

// term is what one class makes of the facts.
type term struct {
	rule  *Rule
	start time.Time // when the trigger happened
	until time.Time // zero if permanent or not known
	lack  *Reason   // why it is not known
}

// Decide returns the verdict on a dossier as of now.
//
// The class is the one given, else that of the procedure, else that of the
// group, else the default. Of all classes, its own and its documents', the one
// that ends last decides; permanent beats all. A class that was given cannot go
// below the approved period of the procedure. A class that is unknown, not
// approved, or whose trigger has not arrived leaves the verdict undetermined
// unless an approved rule makes the dossier permanent.
func (s *Schedule) Decide(f Facts, holds []Hold, now time.Time) Verdict {
	v := s.decideOwn(f, now)
	s.applyFindings(&v, f.Findings, now)
	for _, linked := range f.Linked {
		s.applyLinked(&v, linked, now)
	}
	applyHolds(&v, holds, now)
	if v.Status == Retained || v.Status == Due || v.Status == Held && !v.Until.IsZero() {
		v.Reasons = append(v.Reasons, textPeriod(v.Until, now))
	}
	return v
}

// DecideGroup returns the verdict on the first of the members of a group that
// are disposed of together, with the holds on any of them: it is due when all
// are. Where another member goes to the historical archive when it is due, this
// one goes with it and is not destroyed before.
func (s *Schedule) DecideGroup(members []Facts, holds []Hold, now time.Time) Verdict {
	first := members[0]
	first.Linked = append(slices.Clone(first.Linked), members[1:]...)
	v := s.Decide(first, holds, now)
	for _, m := range members[1:] {
		m.Linked = nil
		o := s.Decide(m, nil, now)
		if o.Status != Permanent && o.Action == actionTransfer && v.Action != actionTransfer && v.Action != "" {
			v.Action = actionTransfer
			v.Reasons = append(v.Reasons, textLinkedTransfer(o))
		}
	}
	return v
}

// decideOwn is the verdict without findings, links and holds.
func (s *Schedule) decideOwn(f Facts, now time.Time) Verdict {
	v := Verdict{Status: Undetermined, Schedule: s.Version, Reasons: make([]Reason, 0, 4)}
	if now.Before(s.Effective) {
		v.Reasons = append(v.Reasons, textNotEffective(s.Version, s.Effective))
		return v
	}
	class, way := s.classify(f)
	v.Reasons = append(v.Reasons, textClass(way, class, f))
	if class == "" {
		return v
	}
	terms := s.terms(class, f, now)
	decider := pick(terms)
	if way == "class-given" {
		decider = s.floor(&v, f, terms[0], decider, now)
	}
	v.Class = class
	if decider.rule != nil {
		v.Class, v.Basis, v.Action = decider.rule.Class, decider.rule.Basis, decider.rule.Action
	}
	if v.Class != class && slices.Contains(f.Documents, v.Class) {
		v.Reasons = append(v.Reasons, textDocumentDecides(v.Class))
	}
	if decider.lack != nil {
		v.Action = ""
		for _, t := range terms {
			if t.lack != nil && t.lack != decider.lack {
				v.Reasons = append(v.Reasons, *t.lack)
			}
		}
		v.Reasons = append(v.Reasons, *decider.lack)
		return v
	}
	v.Reasons = append(v.Reasons, textTerm(decider))
	if decider.rule.Permanent {
		v.Status = Permanent
		return v
	}
	v.Until = decider.until
	v.Status = statusAt(v.Until, now)
	mixActions(&v, terms)
	return v
}

// terms returns the terms of the dossier's class, first, and of its documents'.
func (s *Schedule) terms(class string, f Facts, now time.Time) []term {
	terms := make([]term, 1, 4)
	terms[0] = s.term(class, f, now)
	for i, c := range f.Documents {
		if c == class || c == "" || slices.Contains(f.Documents[:i], c) {
			continue // an unclassified document follows the dossier
		}
		terms = append(terms, s.term(c, f, now))
	}
	return terms
}

// term applies one class to the facts.
func (s *Schedule) term(class string, f Facts, now time.Time) term {
	r := s.rule(class)
	if r == nil {
		return term{lack: textUnknownClass(class, s.Version)}
	}
	return apply(r, f, now)
}

func apply(r *Rule, f Facts, now time.Time) term {
	switch {
	case !r.Approved:
		return term{rule: r, lack: textNotApproved(r)}
	case r.Permanent:
		return term{rule: r}
	case r.Years < minYears || r.Years > maxYears:
		// Only a rule made or changed after parsing can get here.
		return term{rule: r, lack: textBadYears(r)}
	}
	start := f.Closed
	if r.Trigger != endOfWork {
		start = f.Events[r.Trigger]
	}
	switch {
	case start.IsZero():
		return term{rule: r, lack: textNoTrigger(r)}
	case start.In(local()).Year() < earliestYear || start.Unix() == 0:
		return term{rule: r, lack: textImplausible(r, start)}
	case start.After(now):
		return term{rule: r, lack: textFuture(r, start)}
	}
	return term{rule: r, start: start, until: endOf(start, r.Years)}
}

// pick returns the term that decides: a permanent one, else one that is not
// known, else the one that ends last; of equals the one that leaves most open.
func pick(terms []term) term {
	best := terms[0]
	for _, t := range terms[1:] {
		if d := weight(t) - weight(best); d > 0 || d == 0 && later(t, best) {
			best = t
		}
	}
	return best
}

func weight(t term) int {
	switch {
	case t.lack != nil:
		return 1
	case t.rule.Permanent:
		return 2
	}
	return 0
}

// later reports whether t, of the same weight as best, decides in its place.
// The first of two lacking or permanent ones stays.
func later(t, best term) bool {
	if weight(t) > 0 {
		return false
	}
	if c := t.until.Compare(best.until); c != 0 {
		return c > 0
	}
	return best.rule.Action == actionDestroy && t.rule.Action != actionDestroy
}

// mixActions turns destruction into review where a shorter class of the same
// dossier asks for something else than destruction.
func mixActions(v *Verdict, terms []term) {
	if v.Action != actionDestroy {
		return
	}
	for _, t := range terms {
		if t.rule.Action != actionDestroy {
			v.Action = actionReview
			v.Reasons = append(v.Reasons, textMixed(t.rule))
			return
		}
	}
}

// floor returns the term of the procedure instead of best where somebody gave
// the dossier a class, with the term own, that is kept for less time: by law
// (33/2024/QH15, article 15) nobody may go below the period that was set. One
// that would be longer but is not approved leaves the verdict undetermined.
func (s *Schedule) floor(v *Verdict, f Facts, own, best term, now time.Time) term {
	class := s.Procedures[f.Procedure]
	if class == "" || class == f.Class {
		return best
	}
	t := s.term(class, f, now)
	asIf := t
	if t.rule != nil && !t.rule.Approved {
		approved := *t.rule
		approved.Approved = true
		asIf = apply(&approved, f, now)
	}
	if pick([]term{own, asIf}) == own || pick([]term{best, t}) == best {
		return best
	}
	v.Reasons = append(v.Reasons, textFloor(f, class))
	return t
}

// applyFindings lets what councils decided before lengthen the period, make it
// permanent or ask for a transfer. No finding shortens anything.
func (s *Schedule) applyFindings(v *Verdict, findings []Finding, now time.Time) {
	for _, f := range findings {
		if lack := f.check(); lack != nil {
			undetermined(v)
			v.Reasons = append(v.Reasons, *lack)
			continue
		}
		switch f.Outcome {
		case outcomePermanent:
			v.Reasons = append(v.Reasons, textFoundPermanent(f))
			v.Status, v.Until = Permanent, time.Time{}
			if v.Action == actionDestroy || v.Action == "" {
				v.Action = actionReview
			}
		case outcomeTransfer:
			v.Reasons = append(v.Reasons, textFoundTransfer(f))
			v.Action = actionTransfer
		case outcomeKeep:
			until := endOf(f.Time, f.Years)
			if v.Until.IsZero() || !until.After(v.Until) {
				continue
			}
			v.Until, v.Status = until, statusAt(until, now)
			v.Reasons = append(v.Reasons, textFoundKeep(f, until))
		}
	}
}

// applyLinked lets another dossier of the group keep this one.
func (s *Schedule) applyLinked(v *Verdict, linked Facts, now time.Time) {
	if v.Status == Permanent || v.Status == Undetermined {
		return
	}
	linked.Linked = nil
	other := s.Decide(linked, nil, now)
	switch other.Status {
	case Permanent, Undetermined, Held:
		v.Status, v.Until = Held, time.Time{}
		v.Reasons = append(v.Reasons, textLinked(other))
	case Retained, Due:
		if v.Status == Held || !other.Until.After(v.Until) {
			return
		}
		v.Until, v.Status = other.Until, statusAt(other.Until, now)
		v.Reasons = append(v.Reasons, textLinkedLonger(other))
	}
}

func applyHolds(v *Verdict, holds []Hold, now time.Time) {
	if len(holds) == 0 {
		return
	}
	holds = slices.Clone(holds)
	slices.SortStableFunc(holds, func(a, b Hold) int { return compare(a.ID, b.ID) })
	for _, h := range holds {
		v.Holds = append(v.Holds, h.ID)
		v.Reasons = append(v.Reasons, textHold(h))
		if !h.Review.IsZero() && !now.Before(h.Review) {
			v.Reasons = append(v.Reasons, textHoldReview(h))
		}
	}
	if v.Status == Retained || v.Status == Due {
		v.Status = Held
	}
}

// undetermined takes back whatever would allow destruction.
func undetermined(v *Verdict) {
	if v.Status != Permanent {
		v.Status, v.Until, v.Action = Undetermined, time.Time{}, ""
	}
}

func statusAt(until, now time.Time) Status {
	if now.Before(until) {
		return Retained
	}
	return Due
}

// compare orders identifiers such as H-2 and H-10 by length first, so that
// numbers come in their order.
func compare(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// day writes a date as it is written in Viet Nam.
func day(t time.Time) string {
	y, m, d := t.In(local()).Date()
	b := make([]byte, 0, 10)
	b = append(b, byte('0'+d/10), byte('0'+d%10), '/', byte('0'+m/10), byte('0'+m%10), '/')
	return string(strconv.AppendInt(b, int64(y), 10))
}
