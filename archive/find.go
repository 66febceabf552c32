package archive

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// Search finds dossiers in the agent's scope. That it was asked, and what, is in
// the ledger before the answer.
func (a *Archive) Search(ctx context.Context, by Agent, q index.Query) (*index.Result, error) {
	if err := by.may(search); err != nil {
		return nil, err
	}
	q.Agencies, q.Group = a.scope(by), groupCode(q.Group)
	if _, err := a.ledger.Append(ctx, audit.Event{
		ID: random(), Type: "searched", Time: a.Now(), Private: map[string]string{"actor": by.Subject, "query": fmt.Sprintf("%+v", q)},
	}); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	a.freshen(ctx)
	return a.Index.Search(ctx, &q)
}

// fresh is how long a search waits for what was taken in just before.
const fresh = 300 * time.Millisecond

// freshen gives the index a moment to catch up where little is queued, so that
// whoever has just pushed a dossier finds it.
func (a *Archive) freshen(ctx context.Context) {
	a.follower.mu.Lock()
	queued := len(a.follower.queue)
	a.follower.mu.Unlock()
	if queued == 0 || queued >= batchCount {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fresh)
	defer cancel()
	_ = a.Indexed(ctx) // what is not there yet will be there for the next search
}

// Record is what can be shown of a dossier without opening its package.
type Record struct {
	Dossier string // name of its objects
	State   life.State
	Seal    *life.Seal
	Acts    []*chain.Act // its life, oldest first
	Holds   map[string]time.Time
	Verdict retention.Verdict
	Hit     *index.Hit // title and codes, as far as the index has them
	Group   string     // keyed name of its group; Members tells who is in it
}

// Show returns the record of a dossier, whatever its state. The view is in the
// ledger.
func (a *Archive) Show(ctx context.Context, by Agent, ref string) (*Record, error) {
	if err := by.may(search); err != nil {
		return nil, err
	}
	id, err := a.visible(ctx, by, ref)
	if err != nil {
		return nil, err
	}
	acts, l, err := a.life(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := a.ledger.Append(ctx, audit.Event{
		ID: random(), Type: "viewed", Time: a.Now(), Chain: life.Chain(id), Private: map[string]string{"actor": by.Subject},
	}); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	r := &Record{Dossier: id, State: l.State, Acts: acts, Holds: l.Holds}
	if r.Seal, _ = l.Seal(); r.Seal == nil {
		return nil, fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	f, err := a.family(ctx, id, l)
	if err != nil {
		return nil, err
	}
	r.Group = l.Group()
	if f != nil {
		for h, on := range f.On { // also one that a crash left in the group alone
			if on == id {
				r.Holds[h] = f.Holds[h]
			}
		}
	}
	r.Verdict, _ = l.MayDestroy(a.Schedule(), a.Now(), f.lives()...)
	res, err := a.Index.Search(ctx, &index.Query{ID: id, Limit: 1})
	if err == nil && len(res.Hits) == 1 {
		r.Hit = &res.Hits[0]
	}
	return r, nil
}

// DueDossier is a line of the due list.
type DueDossier struct {
	Dossier string
	Agency  string
	Class   string
	Closed  time.Time
	Verdict retention.Verdict
}

// Due lists the dossiers in the agent's scope whose retention period is over at
// the given time, the longest overdue first.
func (a *Archive) Due(ctx context.Context, by Agent, at time.Time) ([]DueDossier, error) {
	if err := by.may(search); err != nil {
		return nil, err
	}
	if err := a.ledger.Sync(ctx); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	s := a.Schedule()
	var due []DueDossier
	for _, id := range a.register.ids(func(r *record) bool { return r.State == life.Archived && a.covers(by, r.Agency) }) {
		r, _ := a.register.get(id)
		members, holds := a.register.facts(id)
		v := s.DecideGroup(members, holds, at)
		if v.Status == retention.Due {
			due = append(due, DueDossier{Dossier: id, Agency: r.Agency, Class: r.Class, Closed: r.Closed, Verdict: v})
		}
	}
	slices.SortFunc(due, func(x, y DueDossier) int {
		return cmp.Or(x.Verdict.Until.Compare(y.Verdict.Until), cmp.Compare(x.Dossier, y.Dossier))
	})
	return due, nil
}

// Case returns the acts of a destruction case.
func (a *Archive) Case(ctx context.Context, by Agent, name string) ([]*chain.Act, *life.Case, error) {
	if err := by.may(search); err != nil {
		return nil, nil, err
	}
	return a.disposal(ctx, by, name)
}
