package custody

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
)

// condemnGroup brings all members of the dossier's group past the point of no
// return together, or returns why not. That point is one act in the group's
// chain: links and holds race with it for its number, so that no member can join
// or be held unseen while the others go. What follows in the chains of the
// members is its consequence.
func (c *Custodian) condemnGroup(ctx context.Context, l *life.Life, by, dossier string) (string, error) {
	name := life.GroupChain(l.Group())
	for {
		acts, err := c.Chains.Read(ctx, name)
		if err != nil {
			return "", err
		}
		g, err := life.GroupOf(acts)
		if err != nil {
			return "", fmt.Errorf("%w: %w", chain.ErrTampered, err)
		}
		if under := g.Condemned[dossier]; under != "" {
			if under != l.Case {
				return whyDecision, nil
			}
			return "", nil
		}
		why, members, err := c.againstGroup(ctx, g, l.Case, by)
		if err != nil {
			return "", err
		}
		if why != "" {
			// A member that is further than the group may be the consequence of
			// what was put there since it was read.
			if again, err := c.Chains.Read(ctx, name); err != nil || len(again) == len(acts) {
				return why, err
			}
			continue
		}
		_, _, err = c.Chains.Append(ctx, name, acts, chain.Draft{
			Type: life.KeysCondemned, By: by, Body: &life.Destruction{Case: l.Case, Dossiers: members}, Time: c.Now(),
		})
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
}

// againstGroup reads the chains of all members and returns why they may not be
// destroyed now, or who goes. A member whose seal may still come keeps all:
// its attempt is settled, by its node or by recovery, before long.
func (c *Custodian) againstGroup(ctx context.Context, g *life.Group, name, by string) (why string, members []string, err error) {
	if len(g.Holds) > 0 {
		return whyHeld, nil, nil
	}
	lives := map[string]*life.Life{}
	for _, id := range g.Members() {
		acts, err := c.Chains.Read(ctx, life.Chain(id))
		if err != nil {
			return "", nil, err
		}
		l, err := life.Of(acts)
		if err != nil {
			return "", nil, fmt.Errorf("%w: %w", chain.ErrTampered, err)
		}
		switch {
		case l.State == life.Absent && !g.Pending(id, l):
			continue // was never sealed, and will not be under this link
		case l.State != life.Destroying || l.Case != name:
			return whyGroup, nil, nil
		}
		lives[id], members = l, append(members, id)
	}
	if len(members) == 0 {
		return "", nil, fmt.Errorf("group without its member: %w", chain.ErrTampered)
	}
	why, err = c.against(ctx, name, by, lives)
	return why, members, err
}
