package custody

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// Delete destroys every key packet of a dossier whose destruction was begun
// under a case, and returns the dossier's acts as they then are.
//
// It reads chain, case and schedule itself and decides anew, with all holds.
// The act "keys condemned" is the point of no return: put if absent, it and a
// hold race for the same number, so that exactly one of them succeeds. If the
// destruction may not go on, the act "destruction stopped" is written and the
// error wraps ErrStopped. Of a group all members must have been begun: that act
// is put in the group's chain first, for all of them. Delete may be repeated.
func (c *Custodian) Delete(ctx context.Context, by, dossier string) ([]*chain.Act, error) {
	acts, err := c.condemn(ctx, by, dossier)
	if err != nil {
		return nil, err
	}
	left, err := c.Left(ctx, dossier)
	if err != nil {
		return nil, err
	}
	for _, key := range left {
		if err := c.Keys.Delete(ctx, key); err != nil {
			return nil, fmt.Errorf("key packets: %w", err)
		}
	}
	if left, err = c.Left(ctx, dossier); err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("key packets: %d still listed after deletion", len(left))
	}
	return acts, nil
}

// condemn brings the dossier past the point of no return, or stops its
// destruction.
func (c *Custodian) condemn(ctx context.Context, by, dossier string) ([]*chain.Act, error) {
	name := life.Chain(dossier)
	for {
		acts, err := c.Chains.Read(ctx, name)
		if err != nil {
			return nil, err
		}
		l, err := life.Of(acts)
		if err != nil {
			return nil, err
		}
		switch l.State {
		case life.Condemned, life.Gone:
			return acts, nil
		case life.Destroying:
		default:
			return nil, fmt.Errorf("%w: dossier is %s", ErrStopped, l.State)
		}
		d := life.Destruction{Case: l.Case}
		d.Why, err = c.objection(ctx, l, by, dossier)
		if err != nil {
			return nil, err
		}
		draft := chain.Draft{Type: life.KeysCondemned, By: by, Body: &d, Time: c.Now()}
		if d.Why != "" {
			draft.Type = life.DestructionStopped
		} else if d.Packages, err = c.packages(ctx, l, dossier); err != nil {
			return nil, err
		}
		a, _, err := c.Chains.Append(ctx, name, acts, draft)
		if errors.Is(err, fs.ErrExist) {
			continue // a hold, or another node, was first
		}
		if err != nil {
			return nil, err
		}
		if d.Why != "" {
			return nil, fmt.Errorf("%w: %s", ErrStopped, d.Why)
		}
		return append(acts, a), nil
	}
}

// Codes of why a destruction was stopped.
const (
	whyHeld     = "held"
	whyNotDue   = "not due"
	whyDecision = "decision"
	whyGroup    = "group" // another member may not go, or not yet
)

// objection returns why the dossier may not be destroyed now; "" if it may. For
// a member of a group "" means that the whole group is past the point of no
// return.
func (c *Custodian) objection(ctx context.Context, l *life.Life, by, dossier string) (string, error) {
	if l.Group() != "" {
		return c.condemnGroup(ctx, l, by, dossier)
	}
	return c.against(ctx, l.Case, by, map[string]*life.Life{dossier: l})
}

// against returns why the dossiers, which go together, may not be destroyed now
// under the case; "" if they may.
func (c *Custodian) against(ctx context.Context, name, by string, lives map[string]*life.Life) (string, error) {
	ids := slices.Sorted(maps.Keys(lives))
	all := make([]*life.Life, len(ids))
	for i, id := range ids {
		if all[i] = lives[id]; len(all[i].Holds) > 0 {
			return whyHeld, nil
		}
	}
	if _, may := all[0].MayDestroy(c.Schedule(), c.Now(), all[1:]...); !may {
		return whyNotDue, nil
	}
	acts, err := c.Chains.Read(ctx, life.CaseChain(name))
	if err != nil {
		return "", err
	}
	k, err := life.CaseOf(acts)
	if err != nil {
		return "", err
	}
	k.Steps = append(k.Steps, retention.Step{Kind: "executed", Agent: by, Time: c.Now()})
	if retention.CheckSteps(k.Steps) != nil || slices.ContainsFunc(ids, func(id string) bool { return !k.Condemns(id) }) {
		return whyDecision, nil
	}
	return "", nil
}

// packages returns every attempt that has key packets, and those of the seals.
func (c *Custodian) packages(ctx context.Context, l *life.Life, dossier string) ([]string, error) {
	left, err := c.Left(ctx, dossier)
	if err != nil {
		return nil, err
	}
	return life.Attempts(l, left), nil
}
