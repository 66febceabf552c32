package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/agency"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/life"
)

// Found is what a Content may implement beside: the findings of whoever read
// the form in which the dossier was pushed.
type Found interface {
	Findings() []intake.Finding
}

// WaitError says that a dossier can't be taken in now, for a reason that passes:
// no virus scanner, for example. Nothing of it was kept; push it again later.
type WaitError struct{ Findings []intake.Finding }

// Error names the codes.
func (e *WaitError) Error() string {
	var codes []string
	for _, f := range e.Findings {
		if !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return ErrWait.Error() + ": " + strings.Join(codes, ", ")
}

// Unwrap makes the error ErrWait.
func (e *WaitError) Unwrap() error { return ErrWait }

// judge lets the policy decide on findings, adds those that may be kept to the
// submission's, and returns what stands against it, together with the problems
// known otherwise.
func (sub *submission) judge(found []intake.Finding, problems []dossier.Problem) error {
	j := sub.rules.policy.Judge(sub.producer, found)
	if problems = append(problems, j.Rejected...); len(problems) > 0 {
		return &dossier.ValidationError{Problems: problems}
	}
	if len(j.Waiting) > 0 {
		return &WaitError{j.Waiting}
	}
	sub.findings = append(sub.findings, j.Kept...)
	return nil
}

// declared returns what is found in the declaration, and what was found by
// whoever read the submission's form.
func (sub *submission) declared(now time.Time, c Content) []intake.Finding {
	found := sub.rules.policy.Declared(sub.Declaration, now)
	if f, ok := c.(Found); ok {
		found = append(found, f.Findings()...)
	}
	return found
}

// results are the findings as the seal has them: codes and documents, in an
// order that does not depend on how they came.
func results(found []intake.Finding) []life.Result {
	byCode := map[string]*life.Result{}
	var all []*life.Result
	for _, f := range found {
		key := f.Code
		if f.Document < 0 {
			key += " dossier"
		}
		r := byCode[key]
		if r == nil {
			r = &life.Result{Code: f.Code}
			byCode[key], all = r, append(all, r)
		}
		if f.Document >= 0 && !slices.Contains(r.Documents[max(0, len(r.Documents)-8):], f.Document) {
			r.Documents = append(r.Documents, f.Document)
		}
	}
	out := make([]life.Result, len(all))
	for i, r := range all {
		slices.Sort(r.Documents)
		r.Documents = slices.Compact(r.Documents)
		out[i] = *r
	}
	slices.SortFunc(out, func(x, y life.Result) int {
		return cmp.Or(cmp.Compare(x.Code, y.Code), cmp.Compare(len(x.Documents), len(y.Documents)))
	})
	return out
}

// look is a document in memory, to be looked into.
type look struct {
	index int
	data  []byte
}

// inspection looks into documents beside their sealing.
type inspection struct {
	document func(look) ([]intake.Finding, error)
	looked   func(look)
	queue    chan look
	done     chan struct{}

	mu      sync.Mutex
	less    *sync.Cond
	waiting int // octets of documents that are not looked into yet
	found   []intake.Finding
	err     error
}

// inspectAhead is how many octets of documents may wait to be looked into: what is
// in memory stays bounded, and the sealing of a usual dossier never waits.
const inspectAhead = 16 << 20

// inspect begins an inspection. What it is given it hands back to looked, one at a
// time, when it is through with it.
func (a *Archive) inspect(ctx context.Context, sub *submission, looked func(look)) *inspection {
	n := &inspection{looked: looked, queue: make(chan look, 64), done: make(chan struct{})}
	n.document = func(l look) ([]intake.Finding, error) {
		return sub.rules.document(ctx, sub.Declaration, l.index, bytes.NewReader(l.data), int64(len(l.data)))
	}
	n.less = sync.NewCond(&n.mu)
	go func() {
		defer close(n.done)
		n.work()
	}()
	return n
}

// work looks into documents until the queue is closed and empty.
func (n *inspection) work() {
	for l := range n.queue {
		found, err := n.document(l)
		n.mu.Lock()
		n.found, n.err = append(n.found, found...), cmp.Or(n.err, err)
		n.waiting -= len(l.data)
		n.looked(l)
		n.less.Broadcast()
		n.mu.Unlock()
	}
}

// add has a document looked into. It waits while too much waits already.
func (n *inspection) add(l look) {
	n.mu.Lock()
	for n.waiting > 0 && n.waiting+len(l.data) > inspectAhead {
		n.less.Wait()
	}
	n.waiting += len(l.data)
	n.mu.Unlock()
	n.queue <- l
}

// end helps with what is left, and returns what was found, by document.
func (n *inspection) end() ([]intake.Finding, error) {
	close(n.queue)
	n.work()
	<-n.done
	slices.SortStableFunc(n.found, func(x, y intake.Finding) int { return cmp.Compare(x.Document, y.Document) })
	return n.found, n.err
}

// events are the findings as PREMIS has them. Where they take too much room, the
// package shortens them; the codes stand in the seal as well.
func (sub *submission) events(now time.Time) []dossier.Event {
	events := make([]dossier.Event, 0, len(sub.findings)+1)
	for _, f := range sub.findings {
		e := dossier.Event{Type: f.Check, Time: now, Agent: f.Agent, Outcome: string(f.Outcome), Code: f.Code, Detail: f.Detail}
		if f.Document >= 0 && f.Document < len(sub.Documents) {
			e.Document = sub.Documents[f.Document].Name
		}
		events = append(events, e)
	}
	if sub.large() {
		events = append(events, dossier.Event{Type: intake.Validation, Time: now, Outcome: string(intake.Indeterminate),
			Detail: "Các tệp lớn được kiểm tra sau khi đóng gói; kết quả nằm trong niêm phong.\nLarge documents are looked into after the packaging; the findings stand in the seal."})
	}
	return events
}

// cut shortens a text to at most n octets, at the border of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// large reports whether a document is looked into after the packaging.
func (sub *submission) large() bool {
	return slices.ContainsFunc(sub.Documents, func(d dossier.Document) bool { return d.Size > keepText })
}

// inspectLarge looks into the documents that were not kept in memory, by ranged
// reads of the attempt.
func (a *Archive) inspectLarge(ctx context.Context, sub *submission) error {
	if !sub.large() {
		return nil
	}
	opened, pkg, err := a.openPackage(ctx, sub.id, sub.Package, sub.stored, sub.sk)
	if err != nil {
		return err
	}
	var found []intake.Finding
	for i, e := range pkg.Documents() {
		if e.Size <= keepText {
			continue
		}
		more, err := sub.rules.document(ctx, sub.Declaration, i, io.NewSectionReader(opened, e.Offset, e.Size), e.Size)
		if err != nil {
			return fmt.Errorf("document: %w", err)
		}
		found = append(found, more...)
	}
	return sub.judge(found, nil)
}

// Reject enters in the ledger that a dossier was refused, and why: codes only.
// Ingest does so itself; it is for whoever refused a form before Ingest saw it
// and could read so much as agency and code. Of what is not a refusal, or not
// the agent's, nothing is entered.
func (a *Archive) Reject(ctx context.Context, by Agent, d *dossier.Declaration, why error) {
	var invalid *dossier.ValidationError
	const longest = 100 // of a code, by the circular
	if !errors.As(why, &invalid) || d == nil || d.Code == "" || len(d.Code) > longest || !plainAgency(d.Agency) || !a.covers(by, d.Agency) {
		return
	}
	var codes []string
	for _, p := range invalid.Problems {
		codes = append(codes, p.Code)
	}
	slices.Sort(codes)
	list := cut(strings.Join(slices.Compact(codes), " "), 1000)
	id := a.Keyring.dossier(d.Agency, d.Code)
	// The same refusal of the same day stands in the ledger once: a system that
	// tries again and again does not fill it.
	name := "rejected/" + id + "/" + a.Now().UTC().Format(time.DateOnly) + "/" + digest([]byte(list))[:16]
	_, err := a.ledger.Append(context.WithoutCancel(ctx), audit.Event{
		ID: name, Type: rejection, Time: a.Now(), Chain: life.Chain(id), Details: map[string]string{"agency": d.Agency, "codes": list},
		Private: map[string]string{"actor": by.Subject},
	})
	if err != nil {
		a.Log.Error("rejection not entered in the ledger", "dossier", id, "error", err)
	}
}

// plainAgency reports whether an agency identifier that nobody has validated may
// stand in the ledger.
func plainAgency(id string) bool {
	return len(id) <= agency.MaxLength && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") == ""
}

// rejection is the type of the ledger entry of a refused dossier.
const rejection = "rejected"
