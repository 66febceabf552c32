package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/life"
)

// Line is what a procedure system says of one dossier that it has closed. All
// but Code and Agency may be left out.
type Line struct {
	Code        string `json:"code"`
	Agency      string `json:"agency"`
	Closed      string `json:"closed,omitempty"`      // 2026-11-24
	Documents   int    `json:"documents,omitempty"`   // how many; 0: not told
	Declaration string `json:"declaration,omitempty"` // SHA-256 of the canonical declaration, in hexadecimal
}

// Status is what the archive answers to a line.
type Status string

// Statuses of a reconciliation.
const (
	Missing   Status = "missing"   // push it
	Stored    Status = "archived"  // as the line says
	Different Status = "different" // archived, but not as the line says: Codes tell in what
	Rejected  Status = "rejected"  // was pushed and refused: Codes tell why; mend it and push it again
	Destroyed Status = "destroyed" // was archived, and has been destroyed since
	Invalid   Status = "invalid"   // the line can't be answered: Codes tell why
)

// Answer is a line, and what the archive has of it.
type Answer struct {
	Line
	Status   Status    `json:"status"`
	Dossier  string    `json:"dossier,omitempty"` // name of its objects
	Archived time.Time `json:"archived,omitzero"` // when
	Codes    []string  `json:"codes,omitempty"`   // rules, or fields that differ
	Late     bool      `json:"late,omitempty"`    // archived, or not yet, after the days that the policy gives
}

// Reconcile answers a list of closed dossiers, line by line, as it comes: no
// list is held, however long. It tells of the agent's own agencies only, what
// this node knows when it begins, and what it learns meanwhile. That it was
// asked is in the ledger. An error of lines ends it.
func (a *Archive) Reconcile(ctx context.Context, by Agent, lines iter.Seq2[Line, error]) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		policy, err := a.reconciling(ctx, by)
		if err != nil {
			yield(Answer{}, err)
			return
		}
		now := a.Now()
		for line, err := range lines {
			if err = errors.Join(err, ctx.Err()); err != nil {
				yield(Answer{}, err)
				return
			}
			if !yield(a.answer(by, policy, &line, now), nil) {
				return
			}
		}
	}
}

// reconciling checks the agent's right, has the question entered in the ledger,
// and brings this node up to date by that.
func (a *Archive) reconciling(ctx context.Context, by Agent) (*intake.Policy, error) {
	if err := by.may(compare); err != nil {
		return nil, err
	}
	if _, err := a.ledger.Append(ctx, audit.Event{ID: random(), Type: "reconciled", Time: a.Now(), Private: map[string]string{"actor": by.Subject}}); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return a.Policy(ctx)
}

// longestCode bounds the codes of a line: hostile ones cost no more than others.
const longestCode = 200

// answer compares one line with the register.
func (a *Archive) answer(by Agent, p *intake.Policy, line *Line, now time.Time) Answer {
	x := Answer{Line: *line}
	if x.Codes = a.faults(by, line); len(x.Codes) > 0 {
		x.Status = Invalid
		return x
	}
	x.Dossier = a.Keyring.dossier(line.Agency, line.Code)
	r, known := a.register.brief(x.Dossier)
	switch {
	case known && a.sees(by, r.Agency) != nil: // a code of another agency
		x.Status, x.Dossier, x.Codes = Invalid, "", []string{problemAgency.Code}
	case r.State == life.Condemned || r.State == life.Gone:
		x.Status, x.Archived = Destroyed, r.At
	case known:
		x.Status, x.Archived = Stored, r.At
		if x.Codes = a.differences(line, x.Dossier, &r); len(x.Codes) > 0 {
			x.Status = Different
		}
		_, x.Late = p.Late(r.Closed.Format(time.DateOnly), r.At)
	case r.Rejected != "":
		x.Status, x.Codes = Rejected, strings.Fields(r.Rejected)
		_, x.Late = p.Late(line.Closed, now)
	default:
		x.Status = Missing
		_, x.Late = p.Late(line.Closed, now)
	}
	return x
}

// faults returns what keeps a line from being answered.
func (a *Archive) faults(by Agent, l *Line) (codes []string) {
	if l.Code == "" || len(l.Code) > longestCode {
		codes = append(codes, "line.code")
	}
	if l.Agency == "" || len(l.Agency) > longestCode {
		codes = append(codes, "line.agency")
	} else if !a.covers(by, l.Agency) {
		codes = append(codes, problemAgency.Code)
	}
	if l.Closed != "" {
		if _, err := time.Parse(time.DateOnly, l.Closed); err != nil {
			codes = append(codes, "line.closed")
		}
	}
	if l.Documents < 0 {
		codes = append(codes, "line.documents")
	}
	if b, err := hex.DecodeString(l.Declaration); err != nil || len(b) != 0 && len(b) != 32 {
		codes = append(codes, "line.declaration")
	}
	return codes
}

// differences names the fields in which a line differs from what was archived.
func (a *Archive) differences(l *Line, id string, r *record) (fields []string) {
	if l.Closed != "" && l.Closed != r.Closed.Format(time.DateOnly) {
		fields = append(fields, "closed")
	}
	if l.Documents != 0 && l.Documents != r.Documents {
		fields = append(fields, "documents")
	}
	if l.Declaration != "" {
		sum, _ := hex.DecodeString(l.Declaration)
		if contentOf(a.Keyring.content(id), sum) != hex.EncodeToString(r.Content[:]) {
			fields = append(fields, "declaration")
		}
	}
	return fields
}

// Change is something that happened to a dossier.
type Change struct {
	Index   uint64            `json:"index"` // in the ledger: the cursor
	Type    string            `json:"type"`  // ingestion, hold, hold lifted, rejected, destroyed …
	Time    time.Time         `json:"time"`
	Dossier string            `json:"dossier"`
	Code    string            `json:"code,omitempty"` // of one that lives, as soon as the index has it
	Agency  string            `json:"agency"`
	Details map[string]string `json:"details,omitempty"`
}

// told are the entries that the change feed tells of, and which of their details.
var told = map[string][]string{
	life.Ingestion: {"class", "closed", "documents"}, rejection: {"codes"}, life.Hold: {"hold"}, life.HoldLifted: {"hold"},
	life.DestructionBegun: {"case"}, life.DestructionStopped: {"case"}, life.Destroyed: {"case"}, "transfer": nil,
}

// maxChanges bounds a page of the change feed.
const maxChanges = 1000

// Changes returns what happened to the dossiers of the agent's agencies since a
// place in the ledger, the oldest first, and the place to go on from. At most
// limit changes are returned (0, or more than 1000: 1000), and no more than
// 100,000 entries are looked through: where a page is short, or empty, but the
// place has moved, ask again. Begin with 0.
func (a *Archive) Changes(ctx context.Context, by Agent, after uint64, limit int) ([]Change, uint64, error) {
	if err := by.may(compare); err != nil {
		return nil, after, err
	}
	if err := a.ledger.Sync(ctx); err != nil {
		return nil, after, fmt.Errorf("ledger: %w", err)
	}
	if limit <= 0 || limit > maxChanges {
		limit = maxChanges
	}
	const window = 100_000
	var changes []Change
	next := after
	for e, err := range a.ledger.Entries(ctx, after) {
		if err != nil {
			return nil, after, err
		}
		if len(changes) == limit || next-after == window {
			break
		}
		next = e.Index + 1
		if c, ok := a.change(ctx, by, e); ok {
			changes = append(changes, c)
		}
	}
	return changes, next, nil
}

// change makes a change of an entry, if it is one that the agent is told of.
func (a *Archive) change(ctx context.Context, by Agent, e *audit.Entry) (c Change, ok bool) {
	id, dossiers := strings.CutPrefix(e.Chain, life.Chain(""))
	fields, tell := told[e.Type]
	if !dossiers || !tell {
		return c, false
	}
	r, known := a.register.brief(id)
	c = Change{Index: e.Index, Type: e.Type, Time: e.Time, Dossier: id, Agency: r.Agency}
	if e.Type == rejection && !known {
		c.Agency = e.Details["agency"]
	}
	if a.sees(by, c.Agency) != nil {
		return c, false
	}
	for _, f := range fields {
		if v := e.Details[f]; v != "" {
			if c.Details == nil {
				c.Details = map[string]string{}
			}
			c.Details[f] = v
		}
	}
	if known && r.State != life.Condemned && r.State != life.Gone {
		c.Code = a.Index.Code(ctx, id)
	}
	return c, true
}
