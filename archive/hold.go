package archive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
)

// Hold suspends the destruction of a dossier, for a reason, and returns the
// hold's name. It races with a destruction under way for the next act: exactly
// one of them succeeds, and once the keys are condemned Hold fails with
// ErrDestroyed.
func (a *Archive) Hold(ctx context.Context, by Agent, ref, reason string) (string, error) {
	if reason == "" {
		return "", fmt.Errorf("%w: no reason given", ErrDenied)
	}
	name := random()
	return name, a.holdAct(ctx, by, ref, life.Hold, name, reason)
}

// Lift ends a hold.
func (a *Archive) Lift(ctx context.Context, by Agent, ref, name, reason string) error {
	return a.holdAct(ctx, by, ref, life.HoldLifted, name, reason)
}

func (a *Archive) holdAct(ctx context.Context, by Agent, ref, kind, name, reason string) error {
	if err := by.may(hold); err != nil {
		return err
	}
	id, err := a.visible(ctx, by, ref)
	if err != nil {
		return err
	}
	sealed, err := a.private(map[string]string{"actor": by.Subject, "reason": reason})
	if err != nil {
		return err
	}
	d := chain.Draft{Type: kind, By: a.Keyring.agent(by.Subject), Body: &life.HoldBody{Hold: name}, Sealed: sealed}
	if kind == life.Hold {
		return a.placeHold(ctx, id, name, d)
	}
	return a.liftHold(ctx, id, name, d)
}

// placeHold holds a dossier: in its group first, so that the group can't go while
// its own chain is written.
func (a *Archive) placeHold(ctx context.Context, id, name string, d chain.Draft) error {
	grouped := false
	for {
		acts, l, err := a.life(ctx, id)
		if err != nil {
			return err
		}
		if err := living(l); err != nil {
			return err
		}
		if !grouped {
			if _, err := a.holdGroup(ctx, l, d.Type, d, life.HoldBody{Hold: name, Dossier: id}); err != nil {
				return err
			}
			grouped = true
		}
		act, _, err := a.chains.Append(ctx, life.Chain(id), acts, d)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		return a.holdObjects(ctx, id, append(acts, act))
	}
}

// liftHold ends a hold: in the dossier's group last. A hold that a crash left in
// the group alone is lifted there.
func (a *Archive) liftHold(ctx context.Context, id, name string, d chain.Draft) error {
	for {
		acts, l, err := a.life(ctx, id)
		if err != nil {
			return err
		}
		if err := living(l); err != nil {
			return err
		}
		_, open := l.Holds[name]
		if open {
			act, _, err := a.chains.Append(ctx, life.Chain(id), acts, d)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				err = a.holdObjects(ctx, id, append(acts, act))
			}
			if err != nil {
				return err
			}
		}
		lifted, err := a.holdGroup(ctx, l, d.Type, d, life.HoldBody{Hold: name, Dossier: id})
		if err == nil && !open && !lifted {
			return fmt.Errorf("hold: %w", fs.ErrNotExist)
		}
		return err
	}
}

// holdObjects brings the legal holds in the store to what the acts say. The
// acts decide; the store's hold is a second fence.
func (a *Archive) holdObjects(ctx context.Context, id string, acts []*chain.Act) error {
	l, err := life.Of(acts)
	if err != nil {
		return err
	}
	f, err := a.family(ctx, id, l)
	if err != nil {
		return err
	}
	return a.setHold(ctx, id, l, a.wantsHold(l, f))
}

// private encrypts what is personal about an act to the audit key.
func (a *Archive) private(fields map[string]string) (string, error) {
	plain, err := jcs.Marshal(fields)
	if err != nil {
		return "", err
	}
	b, err := a.Keyring.sealForAudit(plain)
	if err != nil {
		return "", fmt.Errorf("audit key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// visible returns the dossier meant by ref if it is in the agent's scope, and
// fs.ErrNotExist otherwise, whether it exists or not.
func (a *Archive) visible(ctx context.Context, by Agent, ref string) (string, error) {
	id, rec, known, err := a.find(ctx, ref)
	if err != nil {
		return "", err
	}
	if !known {
		return "", fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	return id, a.sees(by, rec.Agency)
}

// find looks a dossier up in the register, and brings that up to date if it is
// not there: another node may have it.
func (a *Archive) find(ctx context.Context, ref string) (id string, rec record, known bool, err error) {
	id = a.locate(ref)
	if rec, known = a.register.get(id); known {
		return id, rec, true, nil
	}
	if err := a.ledger.Sync(ctx); err != nil {
		return "", record{}, false, err
	}
	rec, known = a.register.get(id)
	return id, rec, known, nil
}
