package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/life"
)

// maxLinks bounds what a group takes in: each link is an act that everybody who
// looks at the group reads.
const maxLinks = 200

var problemGroupFull = dossier.Problem{Code: "group.full", Field: "group",
	Vietnamese: "Nhóm liên thông này đã có quá nhiều hồ sơ. Kiểm tra mã nhóm.",
	English:    "The group has too many dossiers already. Check the code of the group."}

// link puts the dossier into the chain of its group, before it is sealed. A crash
// in between leaves a link to an attempt that recovery abandons; until then
// nothing of the group can be destroyed.
func (a *Archive) link(ctx context.Context, sub *submission) error {
	if sub.group == "" {
		return nil
	}
	for {
		acts, g, err := a.group(ctx, sub.group)
		switch {
		case err != nil:
			return err
		case g.Condemned[sub.id] != "":
			return ErrDestroyed
		case len(g.Links) >= maxLinks:
			return &dossier.ValidationError{Problems: []dossier.Problem{problemGroupFull}}
		}
		_, _, err = a.chains.Append(ctx, life.GroupChain(sub.group), acts, chain.Draft{
			Type: life.MemberLinked, By: sub.by, Body: &life.Link{Dossier: sub.id, Package: sub.Package},
		})
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// group reads the chain of a group.
func (a *Archive) group(ctx context.Context, name string) ([]*chain.Act, *life.Group, error) {
	acts, err := a.chains.Read(ctx, life.GroupChain(name))
	if err != nil {
		return nil, nil, a.alarm(ctx, name, err)
	}
	g, err := life.GroupOf(acts)
	if err != nil {
		return nil, nil, a.alarm(ctx, name, fmt.Errorf("%w: %w", chain.ErrTampered, err))
	}
	return acts, g, nil
}

// family is a dossier's group as its members are.
type family struct {
	*life.Group
	ids    []string              // members with a seal that are not condemned
	others map[string]*life.Life // the members but the dossier itself
}

// family reads the group of a dossier, and the chains of its other members. It
// must be read after the dossier's own chain: what that says of a destruction
// stopped may be older than what the group says. Nil: the dossier is on its own.
func (a *Archive) family(ctx context.Context, id string, l *life.Life) (*family, error) {
	if l.Group() == "" {
		return nil, nil
	}
	_, g, err := a.group(ctx, l.Group())
	if err != nil {
		return nil, err
	}
	f := &family{Group: g, others: map[string]*life.Life{}}
	for _, other := range g.Members() {
		if other == id {
			f.ids = append(f.ids, id)
			continue
		}
		_, o, err := a.life(ctx, other)
		if err != nil {
			return nil, err
		}
		if o.State != life.Absent {
			f.ids, f.others[other] = append(f.ids, other), o
		}
	}
	return f, nil
}

// lives returns the other members' lives.
func (f *family) lives() []*life.Life {
	if f == nil {
		return nil
	}
	var all []*life.Life
	for _, id := range f.ids {
		if o := f.others[id]; o != nil {
			all = append(all, o)
		}
	}
	return all
}

// each calls do for the dossier itself and for the others. Another one whose
// objects have gone meanwhile is passed over.
func (f *family) each(id string, l *life.Life, do func(string, *life.Life) error) error {
	errs := []error{do(id, l)}
	if f != nil {
		for _, other := range slices.Sorted(maps.Keys(f.others)) {
			if err := do(other, f.others[other]); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// condemned reports whether the group's chain has the dossier past the point of
// no return, though its own may not say so yet.
func (f *family) condemned(id string) bool { return f != nil && f.Condemned[id] != "" }

// Members returns the names of the dossiers of a dossier's group, itself among
// them, as far as the agent may see them; and how many there are in all.
func (a *Archive) Members(ctx context.Context, by Agent, ref string) (ids []string, all int, err error) {
	if err := by.may(search); err != nil {
		return nil, 0, err
	}
	id, err := a.visible(ctx, by, ref)
	if err != nil {
		return nil, 0, err
	}
	_, l, err := a.life(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	f, err := a.family(ctx, id, l)
	if err != nil || f == nil {
		return []string{id}, 1, err
	}
	for _, member := range f.ids {
		if rec, known := a.register.get(member); known && a.sees(by, rec.Agency) == nil {
			ids = append(ids, member)
		}
	}
	return ids, len(f.ids), nil
}

// disposable returns the dossiers that must go with the given one: its group, all
// of it in the agent's scope, or itself.
func (a *Archive) disposable(ctx context.Context, by Agent, id string) ([]string, error) {
	_, l, err := a.life(ctx, id)
	if err != nil {
		return nil, err
	}
	f, err := a.family(ctx, id, l)
	if err != nil || f == nil {
		return []string{id}, err
	}
	for _, o := range f.lives() {
		if s, _ := o.Seal(); a.sees(by, s.Agency) != nil {
			return nil, ErrGroup
		}
	}
	return f.ids, nil
}

// holdGroup puts a hold on a member, or its lifting, into the group's chain,
// where it races with the group's condemnation and with nothing else. It reports
// whether there was anything to lift.
func (a *Archive) holdGroup(ctx context.Context, l *life.Life, kind string, d chain.Draft, b life.HoldBody) (lifted bool, err error) {
	if l.Group() == "" {
		return false, nil
	}
	d.Type, d.Body = kind, &b
	for {
		acts, g, err := a.group(ctx, l.Group())
		switch {
		case err != nil:
			return false, err
		case kind == life.HoldLifted && g.On[b.Hold] != b.Dossier:
			return false, nil
		case kind == life.Hold && !slices.Contains(g.Members(), b.Dossier):
			return false, ErrDestroyed
		}
		_, _, err = a.chains.Append(ctx, life.GroupChain(l.Group()), acts, d)
		if !errors.Is(err, fs.ErrExist) {
			return kind == life.HoldLifted && err == nil, err
		}
	}
}
