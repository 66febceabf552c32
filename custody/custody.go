// Package custody holds the key that opens packages, and alone writes, reads
// and deletes their key packets.
//
// Everybody can encrypt; only the custodian decrypts, and only against the
// proof that the ledger holds a dissemination of just that package, or a named
// maintenance act. It deletes key packets only after it has read for itself
// the case, the chain, the holds and the schedule. Nothing that its callers
// say is believed without proof: one day it is a process of its own, under
// another administrator (docs/design.md, Custodian).
package custody

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// Errors that callers tell apart. That there are no key packets, since they
// were destroyed or never written, is fs.ErrNotExist.
var (
	// ErrProof: the ledger entry does not allow this package to be opened.
	// Append a dissemination and come back with its proof.
	ErrProof = errors.New("ledger proof does not allow this")
	// ErrStopped: the key packets were not deleted, since a hold, the
	// retention period or the decision forbids it. The chain says why.
	ErrStopped = errors.New("destruction stopped")
	// ErrInUse: the key packets belong to a sealed package.
	ErrInUse = errors.New("key packets belong to a sealed package")
)

// ProofAge is how old a ledger entry may be to open a package.
const ProofAge = 15 * time.Minute

// Config says what a Custodian works with. Every field is required.
type Config struct {
	Keys       store.Store            // the keys bucket
	Chains     *chain.Keeper          // acts, and through it the ledger
	Key        *signing.Key           // opens key packets
	Recipients []*signing.Certificate // archive and recovery certificates
	Log        string                 // verifier key of the ledger
	Schedule   func() *retention.Schedule
	Now        func() time.Time
}

// Custodian guards the key packets of an archive. Its methods may be called
// concurrently.
type Custodian struct {
	Config

	mu   sync.Mutex
	used map[string]time.Time // ledger entries that have served
}

// New returns a custodian.
func New(c Config) *Custodian { return &Custodian{Config: c, used: map[string]time.Time{}} }

// Grant is a ledger entry with its proof.
type Grant struct{ Entry, Proof []byte }

func packetsKey(dossier, attempt string) string { return dossier + "/" + attempt + ".1" }

// Write wraps the session key of an attempt for the archive and for recovery,
// stores the key packets and returns their digest. They are durable when it
// returns.
func (c *Custodian) Write(ctx context.Context, dossier, attempt string, sk signing.SessionKey) (sum string, err error) {
	packets, err := signing.WrapKey(sk, c.Recipients...)
	if err != nil {
		return "", fmt.Errorf("key packets: %w", err)
	}
	if _, err := c.Keys.Put(ctx, packetsKey(dossier, attempt), packets, &store.PutOptions{IfAbsent: true}); err != nil {
		return "", fmt.Errorf("key packets: %w", err)
	}
	return digest(packets), nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Packets returns the key packets of a package as they are stored. They open
// nothing without a private key.
func (c *Custodian) Packets(ctx context.Context, dossier, attempt string) ([]byte, error) {
	r, _, err := c.Keys.Get(ctx, packetsKey(dossier, attempt), nil)
	if err != nil {
		return nil, fmt.Errorf("key packets: %w", err)
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// Unwrap returns the session key of a package against a grant: the proof of a
// dissemination of that package (it serves once), or of a maintenance act whose
// range holds the package's ingestion (it serves once for each package). The
// key packets must be those of the package's seal.
func (c *Custodian) Unwrap(ctx context.Context, g Grant, dossier, attempt string) (signing.SessionKey, error) {
	var none signing.SessionKey
	e, err := c.entry(g)
	if err != nil {
		return none, err
	}
	if err := about(e, life.Chain(dossier), attempt); err != nil {
		return none, err
	}
	seal, at, err := c.seal(ctx, dossier, attempt)
	if err != nil {
		return none, err
	}
	if err := within(e, at); err != nil {
		return none, err
	}
	packets, err := c.Packets(ctx, dossier, attempt)
	if err != nil {
		return none, err
	}
	if digest(packets) != seal.Packets {
		return none, fmt.Errorf("key packets are not those of the seal: %w", chain.ErrTampered)
	}
	if err := c.once(e.ID+" "+attempt, c.Now()); err != nil {
		return none, err
	}
	sk, err := c.Key.UnwrapKey(packets)
	if err != nil {
		return none, fmt.Errorf("key packets: %w", err)
	}
	return sk, nil
}

// entry verifies the proof of a grant and the age of its entry.
func (c *Custodian) entry(g Grant) (*audit.Entry, error) {
	if _, err := audit.VerifyProof(c.Log, g.Entry, g.Proof); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	e, err := audit.ParseEntry(g.Entry)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if age := c.Now().Sub(e.Time); age > ProofAge || age < -ProofAge {
		return nil, fmt.Errorf("%w: entry is not of the last %s", ErrProof, ProofAge)
	}
	return e, nil
}

// seal returns the seal that names the attempt, and where in the ledger its
// ingestion stands.
func (c *Custodian) seal(ctx context.Context, dossier, attempt string) (*life.Seal, uint64, error) {
	acts, err := c.Chains.Read(ctx, life.Chain(dossier))
	if err != nil {
		return nil, 0, err
	}
	l, err := life.Of(acts)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", chain.ErrTampered, err)
	}
	if l.State == life.Condemned || l.State == life.Gone { // also if a restore brought key packets back
		return nil, 0, fmt.Errorf("key packets were condemned: %w", fs.ErrNotExist)
	}
	for i := range l.Seals {
		if l.Seals[i].Package == attempt {
			at, _ := c.Chains.Index(life.Chain(dossier), l.SealActs[i].N)
			return &l.Seals[i], at, nil
		}
	}
	return nil, 0, fmt.Errorf("%w: no seal names the package", ErrProof)
}

// about fails unless the entry is the dissemination of the package, or a
// maintenance act, whose range is still to be looked at.
func about(e *audit.Entry, name, attempt string) error {
	switch {
	case e.Type == "maintenance":
		return nil
	case e.Type != "dissemination":
		return fmt.Errorf("%w: entry of type %q", ErrProof, e.Type)
	case e.Chain != name || e.Details["package"] != attempt:
		return fmt.Errorf("%w: entry is about another package", ErrProof)
	}
	return nil
}

// within fails if the entry is a maintenance act whose range does not hold the
// ingestion at the given place of the ledger.
func within(e *audit.Entry, at uint64) error {
	if e.Type != "maintenance" {
		return nil
	}
	from, err1 := strconv.ParseUint(e.Details["from"], 10, 64)
	to, err2 := strconv.ParseUint(e.Details["to"], 10, 64)
	if errors.Join(err1, err2) != nil || at < from || at >= to {
		return fmt.Errorf("%w: package is outside the range of the maintenance act", ErrProof)
	}
	return nil
}

// once fails if the use has been made before. Uses too old to be made again
// are forgotten.
func (c *Custodian) once(use string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.used[use]; ok {
		return fmt.Errorf("%w: entry has served already", ErrProof)
	}
	if len(c.used) > 10_000 {
		for u, t := range c.used {
			if now.Sub(t) > 2*ProofAge {
				delete(c.used, u)
			}
		}
	}
	c.used[use] = now
	return nil
}

// Discard deletes the key packets of an attempt that will never be sealed. It
// fails with ErrInUse if a seal names the attempt.
func (c *Custodian) Discard(ctx context.Context, dossier, attempt string) error {
	acts, err := c.Chains.Read(ctx, life.Chain(dossier))
	if err != nil {
		return err
	}
	l, err := life.Of(acts)
	if err != nil {
		return err
	}
	if l.Names(attempt) {
		return ErrInUse
	}
	return c.Keys.Delete(ctx, packetsKey(dossier, attempt))
}

// Left returns the names of the key packets that the store still lists for a
// dossier.
func (c *Custodian) Left(ctx context.Context, dossier string) ([]string, error) {
	var left []string
	for info, err := range c.Keys.List(ctx, dossier+"/", nil) {
		if err != nil {
			return nil, fmt.Errorf("key packets: %w", err)
		}
		left = append(left, info.Key)
	}
	return left, nil
}
