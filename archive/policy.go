package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
)

// The intake policy is a chain like the retention schedule: each version a
// signed act, the newest in force. Every seal says which one it was taken in
// under.
const (
	policyChain = "policies/intake"
	policyAct   = "policy"
)

// rules are the policy in force and how documents are looked into by it.
type rules struct {
	policy   *intake.Policy
	document func(ctx context.Context, d *dossier.Declaration, n int, r io.ReaderAt, size int64) ([]intake.Finding, error)
}

// Policy returns the intake policy in force, as this node knows it.
func (a *Archive) Policy(ctx context.Context) (*intake.Policy, error) {
	r, err := a.rules(ctx)
	if err != nil {
		return nil, err
	}
	return r.policy, nil
}

// SetPolicy puts a new intake policy in force, for all nodes, and numbers it. If
// somebody else changed the policy at the same time the error wraps fs.ErrExist:
// read it again.
func (a *Archive) SetPolicy(ctx context.Context, by Agent, p *intake.Policy) error {
	if err := by.may(govern); err != nil {
		return err
	}
	acts, err := a.chains.Read(ctx, policyChain)
	if err != nil {
		return fmt.Errorf("intake policy: %w", err)
	}
	next := *p
	next.Version = len(acts) + 1
	body, err := next.Encode()
	if err != nil {
		return err
	}
	if _, err := a.newInspector(&next); err != nil {
		return fmt.Errorf("intake policy: %w", err)
	}
	sealed, err := a.private(map[string]string{"actor": by.Subject})
	if err != nil {
		return err
	}
	_, _, err = a.chains.Append(ctx, policyChain, acts, chain.Draft{
		Type: policyAct, By: a.Keyring.agent(by.Subject), Body: json.RawMessage(body), Sealed: sealed,
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("intake policy was changed meanwhile: %w", err)
	}
	return err
}

// rules returns the policy in force and its inspector. They are read anew after
// the ledger has brought another version, whichever node wrote it.
func (a *Archive) rules(ctx context.Context) (*rules, error) {
	a.ruling.Lock()
	defer a.ruling.Unlock()
	changed := a.policyAt.Load()
	if a.inForce != nil && a.policyRead == changed {
		return a.inForce, nil
	}
	p := intake.Default()
	acts, err := a.chains.Read(ctx, policyChain)
	if err != nil {
		return nil, fmt.Errorf("intake policy: %w", err)
	}
	if len(acts) > 0 {
		if p, err = intake.Parse(acts[len(acts)-1].Body); err != nil {
			return nil, err
		}
	}
	i, err := a.newInspector(p)
	if err != nil {
		return nil, fmt.Errorf("intake policy: %w", err)
	}
	a.inForce, a.policyRead = &rules{p, i.Document}, changed
	return a.inForce, nil
}

// newInspector makes an inspector for the policy. The signatures of formats, which
// take long to load, are loaded once.
func (a *Archive) newInspector(p *intake.Policy) (*inspect.Inspector, error) {
	anchors, err := trust.New(slices.Concat(p.Trust.CAs, p.Trust.CRLs), p.Trust.TSAs)
	if err != nil {
		return nil, err
	}
	c := inspect.Config{Permitted: p.Formats, Anchors: anchors, Scanner: p.Scanner, Now: a.Now}
	a.loading.Lock()
	defer a.loading.Unlock()
	if a.Inspector == nil {
		i, err := inspect.New(c)
		a.Inspector = i
		return i, err
	}
	return a.Inspector.With(c)
}
