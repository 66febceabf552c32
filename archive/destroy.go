package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/store"
)

// caseForm is the form of a case's name.
var caseForm = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Propose opens a destruction case over dossiers that are due, and returns its
// name. Every dossier that is not due is named in the error. A dossier of a
// group brings the whole group with it, for they go together.
func (a *Archive) Propose(ctx context.Context, by Agent, refs []string, reason string) (string, error) {
	if err := by.may(propose); err != nil {
		return "", err
	}
	var ids []string
	var errs []error
	for _, ref := range refs {
		id, err := a.visible(ctx, by, ref)
		if err == nil {
			err = a.mayDestroy(ctx, id)
		}
		var members []string
		if err == nil {
			members, err = a.disposable(ctx, by, id)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ref, err))
			continue
		}
		ids = append(ids, members...)
	}
	if len(refs) == 0 {
		errs = append(errs, fmt.Errorf("%w: no dossiers", ErrCase))
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	slices.Sort(ids)
	name := random()
	return name, a.step(ctx, by, name, nil, life.Proposed, &life.Proposal{Dossiers: slices.Compact(ids)}, reason)
}

// Review records what the council found of each dossier of a case: the named
// ones are to be kept, the others may be destroyed.
func (a *Archive) Review(ctx context.Context, by Agent, name string, keep []string, reason string) error {
	if err := by.may(review); err != nil {
		return err
	}
	acts, k, err := a.disposal(ctx, by, name)
	if err != nil {
		return err
	}
	var kept []string
	for _, ref := range keep {
		kept = append(kept, a.locate(ref))
	}
	b := &life.Review{}
	for _, id := range k.Proposed {
		f := life.Finding{Dossier: id, Finding: "destroy"}
		if slices.Contains(kept, id) {
			f.Finding = "keep"
		}
		b.Findings = append(b.Findings, f)
	}
	return a.step(ctx, by, name, acts, life.Reviewed, b, reason)
}

// Decide approves a case or rejects it. An approval covers the dossiers that the
// review found fit for destruction. Number is that of the written decision.
func (a *Archive) Decide(ctx context.Context, by Agent, name string, approve bool, number string) error {
	if err := by.may(decide); err != nil {
		return err
	}
	if number == "" {
		return fmt.Errorf("%w: a decision has a number", ErrCase)
	}
	acts, k, err := a.disposal(ctx, by, name)
	if err != nil {
		return err
	}
	b := &life.Decision{Approved: approve, Dossiers: []string{}}
	if approve {
		b.Dossiers = append(b.Dossiers, k.Fit()...)
	}
	return a.step(ctx, by, name, acts, life.Decided, b, number)
}

// disposal reads a case whose dossiers are all in the agent's scope.
func (a *Archive) disposal(ctx context.Context, by Agent, name string) ([]*chain.Act, *life.Case, error) {
	if !caseForm.MatchString(name) {
		return nil, nil, fmt.Errorf("case: %w", fs.ErrNotExist)
	}
	acts, err := a.chains.Read(ctx, life.CaseChain(name))
	if err != nil {
		return nil, nil, err
	}
	k, err := life.CaseOf(acts)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", chain.ErrTampered, err)
	}
	if len(k.Proposed) == 0 {
		return nil, nil, fmt.Errorf("case: %w", fs.ErrNotExist)
	}
	for _, id := range k.Proposed {
		if _, err := a.visible(ctx, by, id); err != nil {
			return nil, nil, fmt.Errorf("case: %w", fs.ErrNotExist)
		}
	}
	return acts, k, nil
}

// step appends an act to a case if the law's order and the separation of duties
// allow it. Two people who take the same step at once race for its number.
func (a *Archive) step(ctx context.Context, by Agent, name string, acts []*chain.Act, kind string, body any, note string) error {
	sealed, err := a.private(map[string]string{"actor": by.Subject, "note": note})
	if err != nil {
		return err
	}
	d := chain.Draft{Type: kind, By: a.Keyring.agent(by.Subject), Body: body, Sealed: sealed, Time: a.Now()}
	if err := checkStep(acts, d); err != nil {
		return err
	}
	_, _, err = a.chains.Append(ctx, life.CaseChain(name), acts, d)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: somebody else took this step first", ErrCase)
	}
	return err
}

// checkStep asks the law's order whether the draft may follow the acts.
func checkStep(acts []*chain.Act, d chain.Draft) error {
	k, err := life.CaseOf(acts)
	if err != nil {
		return err
	}
	if err := retention.CheckSteps(append(k.Steps, life.StepOf(d.Type, d.Body, d.By, d.Time))); err != nil {
		return fmt.Errorf("%w: %w", ErrCase, err)
	}
	return nil
}

// mayDestroy returns ErrNotDue, with the verdict's reasons, unless retention and
// holds allow the dossier to be destroyed now.
func (a *Archive) mayDestroy(ctx context.Context, id string) error {
	_, l, err := a.life(ctx, id)
	if err != nil {
		return err
	}
	if err := living(l); err != nil {
		return err
	}
	f, err := a.family(ctx, id, l)
	if err != nil {
		return err
	}
	if f.condemned(id) {
		return ErrDestroyed
	}
	if v, may := l.MayDestroy(a.Schedule(), a.Now(), f.lives()...); !may {
		return &NotDueError{v}
	}
	return nil
}

// Certificate proves the destruction of a dossier (docs/format.md §10).
type Certificate struct {
	V       int      `json:"v"`
	Archive string   `json:"archive"`
	Dossier string   `json:"dossier"`
	Acts    []string `json:"acts"`
	Case    []string `json:"case"`
	Entry   string   `json:"entry"`
	Proof   string   `json:"proof"`
}

// Plan is what an execution would do.
type Plan struct {
	Case     string
	Destroy  []string          // dossiers that would be destroyed
	Refused  map[string]string // dossiers that would not, and why
	Deadline time.Time         // last moment for the execution
}

// Preview says what Execute would do, and does nothing.
func (a *Archive) Preview(ctx context.Context, by Agent, name string) (*Plan, error) {
	if err := by.may(execute); err != nil {
		return nil, err
	}
	acts, k, err := a.disposal(ctx, by, name)
	if err != nil {
		return nil, err
	}
	if err := a.mayExecute(acts, by); err != nil {
		return nil, err
	}
	p := &Plan{Case: name, Refused: map[string]string{}}
	for _, id := range k.Decision.Dossiers {
		if err := a.mayDestroy(ctx, id); err != nil && !errors.Is(err, ErrDestroyed) {
			p.Refused[id] = err.Error()
			continue
		}
		p.Destroy = append(p.Destroy, id)
	}
	return p, nil
}

func (a *Archive) mayExecute(acts []*chain.Act, by Agent) error {
	return checkStep(acts, chain.Draft{Type: life.Executed, By: a.Keyring.agent(by.Subject), Body: &life.Execution{}, Time: a.Now()})
}

// Execute destroys the dossiers of an approved case and returns their
// certificates. It decides anew on each with the holds of now; a dossier that
// may not be destroyed is left as it is and named in the error. Execute may be
// repeated after a crash.
func (a *Archive) Execute(ctx context.Context, by Agent, name string) ([]*Certificate, error) {
	if err := by.may(execute); err != nil {
		return nil, err
	}
	acts, k, err := a.disposal(ctx, by, name)
	if err != nil {
		return nil, err
	}
	if k.Outcomes == nil {
		if err := a.mayExecute(acts, by); err != nil {
			return nil, err
		}
	}
	if err := a.checkClock(ctx); err != nil {
		return nil, err
	}
	agent := a.Keyring.agent(by.Subject)
	refused := map[string]error{}
	if k.Outcomes == nil {
		if refused, err = a.begin(ctx, agent, name, k.Decision.Dossiers); err != nil {
			return nil, err
		}
	}
	shredded, b, stopped, err := a.shred(ctx, agent, k.Decision.Dossiers, refused)
	if err != nil {
		return nil, err
	}
	certificates, err := a.conclude(ctx, agent, shredded)
	if err != nil {
		return certificates, err
	}
	if k.Outcomes == nil {
		err = a.step(ctx, by, name, acts, life.Executed, b, "")
	}
	return certificates, errors.Join(stopped, err)
}

// begin begins the destruction of all dossiers of a case before the keys of any
// are asked for: the custodian lets the members of a group go only together. It
// returns which may not be destroyed, and why.
func (a *Archive) begin(ctx context.Context, agent, name string, ids []string) (map[string]error, error) {
	refused := map[string]error{}
	for _, id := range ids {
		err := a.beginDestruction(ctx, agent, id, name)
		if errors.Is(err, ErrNotDue) {
			refused[id] = err
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return refused, nil
}

// shred has the custodian delete the keys of the dossiers that were begun. It
// returns the acts of those that are past the point of no return, the outcome of
// all, and which were stopped.
func (a *Archive) shred(ctx context.Context, agent string, ids []string, refused map[string]error) (shredded map[string][]*chain.Act, b *life.Execution, stopped, err error) {
	b, shredded = &life.Execution{Outcomes: []life.Outcome{}}, map[string][]*chain.Act{}
	for _, id := range ids {
		err := refused[id]
		if err == nil {
			shredded[id], err = a.custodian.Delete(ctx, agent, id)
		}
		if r, _ := a.register.get(id); errors.Is(err, custody.ErrStopped) && r.Condemned != "" {
			shredded[id], err = a.finish(ctx, agent, id) // its group went meanwhile, through another node
		}
		o := life.Outcome{Dossier: id, Outcome: "destroyed"}
		if err != nil {
			if !errors.Is(err, ErrNotDue) && !errors.Is(err, custody.ErrStopped) {
				return nil, nil, nil, fmt.Errorf("%s: %w", id, err)
			}
			delete(shredded, id)
			stopped = errors.Join(stopped, fmt.Errorf("%s: %w", id, err))
			o.Outcome = "stopped"
		}
		b.Outcomes = append(b.Outcomes, o)
	}
	return shredded, b, stopped, nil
}

// beginDestruction puts the act "destruction begun", unless it is there. From
// here a hold, or the custodian, can still stop the destruction.
func (a *Archive) beginDestruction(ctx context.Context, agent, id, name string) error {
	for {
		acts, l, err := a.life(ctx, id)
		if err != nil {
			return err
		}
		if l.State != life.Archived && l.State != life.Absent {
			if l.Case != name {
				return fmt.Errorf("%w: destruction under another case", ErrCase)
			}
			return nil
		}
		err = a.mayDestroy(ctx, id)
		if errors.Is(err, ErrDestroyed) {
			continue // by another node, meanwhile: look under which case
		}
		if err != nil {
			return err
		}
		_, _, err = a.chains.Append(ctx, life.Chain(id), acts, chain.Draft{Type: life.DestructionBegun, By: agent, Body: &life.Destruction{Case: name}})
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// conclude brings destructions past their point of no return to their end: the
// index is purged of all of them at once, then each loses its objects and gets
// its last act and its certificate. It may be repeated by anybody, and recovery
// does.
func (a *Archive) conclude(ctx context.Context, agent string, shredded map[string][]*chain.Act) ([]*Certificate, error) {
	ids := slices.Sorted(maps.Keys(shredded))
	if len(ids) == 0 {
		return nil, nil
	}
	if err := a.Index.Apply(ctx, index.Batch{Remove: ids}); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	var certificates []*Certificate
	for _, id := range ids {
		acts, err := a.destroyed(ctx, agent, id, shredded[id])
		if err != nil {
			return certificates, fmt.Errorf("%s: %w", id, err)
		}
		c, err := a.certificate(ctx, id, acts)
		if err != nil {
			return certificates, fmt.Errorf("%s: %w", id, err)
		}
		certificates = append(certificates, c)
	}
	return certificates, nil
}

// destroyed deletes the objects of a dossier whose keys are gone, and puts its
// last act.
func (a *Archive) destroyed(ctx context.Context, agent, id string, acts []*chain.Act) ([]*chain.Act, error) {
	for {
		l, err := life.Of(acts)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", chain.ErrTampered, err)
		}
		b := &life.Destruction{Case: l.Case, Packages: l.Last.Packages}
		if b.Deleted, b.Waiting, err = a.deletePackages(ctx, id, l); err != nil {
			return nil, err
		}
		if l.State == life.Gone {
			return acts, nil
		}
		act, _, err := a.chains.Append(ctx, life.Chain(id), acts, chain.Draft{Type: life.Destroyed, By: agent, Body: b})
		if err == nil {
			return append(acts, act), nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if acts, err = a.chains.Read(ctx, life.Chain(id)); err != nil {
			return nil, err
		}
	}
}

// deletePackages deletes every attempt of a dossier that the store's locks let
// go, and looks again.
func (a *Archive) deletePackages(ctx context.Context, id string, l *life.Life) (deleted, waiting []string, err error) {
	left, err := a.stored(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range left {
		if locker, ok := a.locker(); ok {
			if err := locker.Hold(ctx, key, "", false); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, fmt.Errorf("legal hold: %w", err)
			}
		}
		if err := a.Archive.Delete(ctx, key); err != nil && !errors.Is(err, store.ErrLocked) {
			return nil, nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	still, err := a.stored(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	waiting = life.Attempts(&life.Life{}, still)
	for _, at := range life.Attempts(l, left) {
		if !slices.Contains(waiting, at) {
			deleted = append(deleted, at)
		}
	}
	return deleted, waiting, nil
}

// stored lists the data objects of a dossier, whatever act names them.
func (a *Archive) stored(ctx context.Context, id string) ([]string, error) {
	var keys []string
	for info, err := range a.Archive.List(ctx, "packages/"+id+"/", &store.ListOptions{Versions: true}) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, info.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// certificate puts together the proof of a destruction from what is stored.
func (a *Archive) certificate(ctx context.Context, id string, acts []*chain.Act) (*Certificate, error) {
	l, err := life.Of(acts)
	if err != nil {
		return nil, err
	}
	e, proof, err := a.entry(ctx, acts[len(acts)-1])
	if err != nil {
		return nil, err
	}
	c := &Certificate{V: 1, Archive: a.name, Dossier: id, Entry: string(e.Raw), Proof: string(proof)}
	for _, act := range acts {
		if act.Type == life.DestructionBegun || act.Type == life.KeysCondemned || act.Type == life.Destroyed {
			c.Acts = append(c.Acts, string(act.Raw()))
		}
	}
	steps, err := a.chains.Read(ctx, life.CaseChain(l.Case))
	if err != nil {
		return nil, err
	}
	for _, act := range steps {
		if act.Type != life.Executed {
			c.Case = append(c.Case, string(act.Raw()))
		}
	}
	return c, nil
}

// maxSkew is how far this node's clock and the store's may be apart for a
// destruction.
const maxSkew = 5 * time.Minute

// checkClock compares this node's clock with the store's.
func (a *Archive) checkClock(ctx context.Context) error {
	key := "clock/" + a.session.name
	if _, err := a.Work.Put(ctx, key, []byte(chain.Timestamp(a.Now())), nil); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	r, info, err := a.Work.Get(ctx, key, nil)
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	r.Close()
	if skew := a.Now().Sub(info.Modified).Abs(); skew > maxSkew {
		return fmt.Errorf("%w: node and store are %s apart", ErrClock, skew.Round(time.Second))
	}
	return nil
}

// NotDueError is ErrNotDue with the verdict that forbids the destruction.
type NotDueError struct{ Verdict retention.Verdict }

func (e *NotDueError) Error() string {
	s := ErrNotDue.Error()
	for _, r := range e.Verdict.Reasons {
		s += "; " + r.English
	}
	return s
}

// Unwrap makes the error ErrNotDue.
func (e *NotDueError) Unwrap() error { return ErrNotDue }
