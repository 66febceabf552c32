package life

import (
	"fmt"
	"slices"
	"time"

	"github.com/luutru/luutru/chain"
)

// MemberLinked is the type of the act by which a dossier joins a group. It stands
// in the group's chain before the dossier's seal does: whoever knows a sealed
// member finds the link. The other acts there are Hold, HoldLifted and
// KeysCondemned; that they and the links share one sequence of numbers is what
// makes the members go together, or not at all.
const MemberLinked = "member linked"

// Link is the body of a member linked: the dossier, and the attempt at storing
// it that is about to be sealed.
type Link struct {
	Dossier string `json:"dossier"`
	Package string `json:"package"`
}

// Group is the sum of the acts of a group of interconnected dossiers.
type Group struct {
	Links     []Link               // as they arrived; a dossier has one for each attempt
	Holds     map[string]time.Time // open holds on any member, and when they were placed
	On        map[string]string    // the member that each open hold is on
	Condemned map[string]string    // members past the point of no return, and the case
}

// GroupChain returns the name of a group's chain.
func GroupChain(name string) string { return "groups/" + name }

// GroupOf adds up the acts of a group. An error means that the acts, though
// validly signed, make no sense in their order.
func GroupOf(acts []*chain.Act) (*Group, error) {
	g := &Group{Holds: map[string]time.Time{}, On: map[string]string{}, Condemned: map[string]string{}}
	for _, a := range acts {
		if err := g.add(a); err != nil {
			return nil, fmt.Errorf("%s: %w", chain.Key(a.Chain, a.N), err)
		}
	}
	return g, nil
}

func (g *Group) add(a *chain.Act) error {
	switch a.Type {
	case MemberLinked:
		var b Link
		if err := a.Decode(&b); err != nil {
			return err
		}
		if g.Condemned[b.Dossier] != "" {
			return fmt.Errorf("links a condemned dossier")
		}
		g.Links = append(g.Links, b)
		return nil
	case Hold, HoldLifted:
		return g.hold(a)
	case KeysCondemned:
		return g.condemn(a)
	}
	return fmt.Errorf("unknown act %q", a.Type)
}

func (g *Group) hold(a *chain.Act) error {
	var b HoldBody
	if err := a.Decode(&b); err != nil {
		return err
	}
	if a.Type == HoldLifted {
		if g.On[b.Hold] != b.Dossier || b.Dossier == "" {
			return fmt.Errorf("lifts a hold that is not open")
		}
		delete(g.Holds, b.Hold)
		delete(g.On, b.Hold)
		return nil
	}
	if !slices.Contains(g.Members(), b.Dossier) {
		return fmt.Errorf("hold on a dossier that is no member, or condemned")
	}
	g.Holds[b.Hold], g.On[b.Hold] = a.When(), b.Dossier
	return nil
}

func (g *Group) condemn(a *chain.Act) error {
	var b Destruction
	if err := a.Decode(&b); err != nil {
		return err
	}
	if len(g.Holds) > 0 || len(b.Dossiers) == 0 || b.Case == "" {
		return fmt.Errorf("keys condemned under a hold, or of nobody")
	}
	for _, id := range b.Dossiers {
		if !slices.Contains(g.Members(), id) {
			return fmt.Errorf("condemns a dossier that is no member, or twice")
		}
		g.Condemned[id] = b.Case
	}
	return nil
}

// Members returns the dossiers that are linked and not condemned, in the order
// of their arrival. Some may never have been sealed.
func (g *Group) Members() []string {
	var ids []string
	for _, l := range g.Links {
		if g.Condemned[l.Dossier] == "" && !slices.Contains(ids, l.Dossier) {
			ids = append(ids, l.Dossier)
		}
	}
	return ids
}

// Pending reports whether a member that has no seal may still get one: an
// attempt that a link names was not abandoned.
func (g *Group) Pending(id string, l *Life) bool {
	return l.State == Absent && slices.ContainsFunc(g.Links, func(k Link) bool {
		return k.Dossier == id && !slices.Contains(l.Abandoned, k.Package)
	})
}
