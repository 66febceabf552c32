// Package archive takes closed dossiers in, keeps them, hands out verified
// copies and destroys them when their time has come.
//
// # How a dossier moves
//
// [Archive.Ingest], [Archive.Retrieve] and [Archive.Execute] are the only ways
// in, around and out. Each reads as the list of its steps, in ingest.go,
// retrieve.go and destroy.go. This package alone knows their order; the
// packages below it each know one thing and no dossier.
//
// # What survives a crash
//
// What counts is in the buckets, written once. A dossier is in the archive from
// the moment its seal, the act "ingestion", is put: that put is the commit
// point. Before it everything can be undone, after it everything can be
// repeated, and recovery runs the same code as a run in which nothing goes
// wrong. The register and the index are projections of the ledger; they can be
// thrown away.
package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/luutru/luutru/agency"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// Config says what an Archive works with.
type Config struct {
	// Archive, Keys and Work are the three buckets (docs/format.md §2).
	Archive, Keys, Work store.Store
	// Keyring holds the archive's keys.
	Keyring *Keyring
	// Node names this process among the nodes of the archive.
	Node string
	// Index finds dossiers. It is brought up to date in the background.
	Index *index.Index
	// Now is the clock.
	Now func() time.Time
	// Log takes what can't be returned to anybody.
	Log *slog.Logger
	// RollingLock is how long acts, and packages without a known end, are
	// locked at a time. Zero: one year.
	RollingLock time.Duration
	// NoLock says that the archive bucket has no object lock. Nothing is
	// locked then, and whoever has the bucket can delete everything.
	NoLock bool
	// Known is a signed checkpoint of the ledger that this node remembers, or a
	// witness gave it. A ledger that does not contain it is refused.
	Known []byte
	// Limits bound what is taken in. Zero: the defaults of package dossier.
	Limits dossier.Limits
	// Code is the archive's agency code, which archive codes begin with (mã cơ
	// quan lưu trữ). Create takes it; Open knows it from the archive itself.
	// Empty: the archive's name.
	Code string
	// Agencies knows which agency took the place of which. Nil: the built-in table.
	Agencies *agency.History
	// Inspector holds the signatures of formats, for archives of one process to
	// share; the policy makes its own of it. Nil: they are loaded.
	Inspector *inspect.Inspector
	// Workers is how many goroutines seal a large package. Zero: two.
	Workers int
}

func (c *Config) setDefaults() {
	if c.RollingLock == 0 {
		c.RollingLock = 365 * 24 * time.Hour
	}
	if c.NoLock {
		c.RollingLock = 0
	}
	if c.Workers == 0 {
		c.Workers = 2
	}
	if c.Agencies == nil {
		c.Agencies = agency.Default()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Archive is an open archive. Its methods may be called concurrently.
type Archive struct {
	Config
	name      string // of the archive, from its about statement
	chains    *chain.Keeper
	ledger    *audit.Log
	custodian *custody.Custodian
	register  *register
	session   *session
	follower  *follower
	slots     chan struct{} // bounds the packages in memory
	buffers   buffers

	mu       sync.RWMutex
	schedule *retention.Schedule

	ruling     sync.Mutex // guards inForce and policyRead
	inForce    *rules
	policyRead int64        // policyAt when inForce was read
	policyAt   atomic.Int64 // changes with every act in the policy's chain
	loading    sync.Mutex   // guards Inspector

	stop context.CancelFunc
	done sync.WaitGroup
}

// about is the statement that names an archive (docs/format.md §2).
type about struct {
	V            int               `json:"v"`
	Archive      string            `json:"archive"`
	Code         string            `json:"code"`
	Created      string            `json:"created"`
	Profile      string            `json:"profile"`
	Certificates map[string]string `json:"certificates"`
	Log          string            `json:"log"`
	Canary       string            `json:"id_canary"`
}

const (
	aboutKey      = "about"
	scheduleChain = "schedules/retention"
	scheduleAct   = "schedule"
)

// Create makes a new archive in empty buckets: its ledger, its statement about
// itself and its first retention schedule. It fails with fs.ErrExist where an
// archive is already.
func Create(ctx context.Context, c Config, name string, s *retention.Schedule) error {
	c.setDefaults()
	if err := audit.Create(ctx, c.auditConfig()); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("ledger: %w", err)
	}
	k := c.Keyring
	line, err := jcs.Marshal(&about{
		V: 1, Archive: name, Code: cmp.Or(c.Code, name), Created: chain.Timestamp(c.Now()), Profile: string(k.Profile),
		Certificates: map[string]string{"archive": k.Archive.Fingerprint(), "recovery": k.Recovery.Fingerprint(), "audit": k.Audit.Fingerprint()},
		Log:          k.LogVerifier, Canary: k.canary(name),
	})
	if err != nil {
		return err
	}
	statement, err := chain.SignStatement(k.Archive, line, c.Now())
	if err != nil {
		return err
	}
	opts := &store.PutOptions{IfAbsent: true}
	if !c.NoLock {
		opts.Lock = c.Now().Add(c.RollingLock)
	}
	if _, err := c.Archive.Put(ctx, aboutKey, statement, opts); err != nil {
		return fmt.Errorf("%s: %w", aboutKey, err)
	}
	keeper, err := chain.Open(ctx, c.chainConfig(nil))
	if err != nil {
		return err
	}
	defer keeper.Close()
	body, err := s.Encode()
	if err != nil {
		return fmt.Errorf("retention schedule: %w", err)
	}
	_, _, err = keeper.Append(ctx, scheduleChain, nil, chain.Draft{Type: scheduleAct, By: k.agent(c.Node), Body: json.RawMessage(body)})
	return err
}

// Open opens an archive that Create made, and begins to complete or undo, in
// the background, what a crash interrupted. It fails with fs.ErrNotExist where
// there is no archive, and refuses keys that are not this archive's.
func Open(ctx context.Context, c Config) (*Archive, error) {
	c.setDefaults()
	a := &Archive{Config: c, register: newRegister(), slots: make(chan struct{}, 32)}
	if err := a.introduce(ctx); err != nil {
		return nil, err
	}
	a.follower = newFollower(a)
	var err error
	if a.chains, err = chain.Open(ctx, c.chainConfig(a.applied)); err != nil {
		return nil, err
	}
	a.ledger = a.chains.Ledger()
	a.custodian = custody.New(custody.Config{
		Keys: c.Keys, Chains: a.chains, Key: c.Keyring.Archive, Recipients: c.Keyring.recipients(),
		Log: c.Keyring.LogVerifier, Schedule: a.Schedule, Now: c.Now,
	})
	a.session = newSession(a)
	if err := a.loadSchedule(ctx); err != nil {
		return nil, errors.Join(err, a.chains.Close())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.done.Go(func() { a.follower.run(run) })
	a.done.Go(func() { a.session.run(run) })
	return a, nil
}

// Close ends the background work and closes the ledger. What was acknowledged
// is safe without it.
func (a *Archive) Close() error {
	a.stop()
	a.done.Wait()
	return errors.Join(a.session.close(), a.chains.Close())
}

func (c *Config) auditConfig() audit.Config {
	k := c.Keyring
	return audit.Config{
		Store: c.Archive, Work: c.Work, Origin: k.Origin, Key: k.LogSigner, VKey: k.LogVerifier, Node: c.Node,
		Seal: k.sealForAudit, Now: c.Now, LockFor: c.RollingLock, Known: c.Known,
	}
}

func (c *Config) chainConfig(applied func(*audit.Entry)) chain.Config {
	k := c.Keyring
	return chain.Config{
		Store: c.Archive, Key: k.Archive, Trust: []*signing.Certificate{k.Archive.Certificate()}, Node: c.Node, Audit: c.auditConfig(),
		Now: c.Now, LockFor: c.RollingLock, Details: details, Applied: applied,
	}
}

// introduce reads the archive's statement about itself and checks that this
// node has its keys.
func (a *Archive) introduce(ctx context.Context) error {
	raw, err := readAll(ctx, a.Archive, aboutKey)
	if err != nil {
		return fmt.Errorf("no archive here: %w", err)
	}
	line, err := chain.OpenStatement(raw, a.Keyring.Archive.Certificate())
	if err != nil {
		return fmt.Errorf("%s: %w", aboutKey, err)
	}
	var self about
	if err := jcs.Unmarshal(line, &self); err != nil {
		return fmt.Errorf("%s: %w", aboutKey, err)
	}
	if self.Canary != a.Keyring.canary(self.Archive) {
		return errors.New("the id key is not this archive's: dossiers would get other names")
	}
	if self.Log != a.Keyring.LogVerifier {
		return errors.New("the log key is not this archive's")
	}
	a.name, a.Code = self.Archive, self.Code
	return nil
}

// loadSchedule takes the newest retention schedule from its chain.
func (a *Archive) loadSchedule(ctx context.Context) error {
	acts, err := a.chains.Read(ctx, scheduleChain)
	if err != nil {
		return fmt.Errorf("retention schedule: %w", err)
	}
	if len(acts) == 0 {
		return fmt.Errorf("retention schedule: %w", fs.ErrNotExist)
	}
	s, err := retention.ParseSchedule(acts[len(acts)-1].Body)
	if err != nil {
		return fmt.Errorf("retention schedule: %w", err)
	}
	a.mu.Lock()
	a.schedule = s
	a.mu.Unlock()
	return nil
}

// Schedule returns the retention schedule in force.
func (a *Archive) Schedule() *retention.Schedule {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.schedule
}

// Name returns the archive's name.
func (a *Archive) Name() string { return a.name }

// Ledger returns the ledger, for those who verify it.
func (a *Archive) Ledger() *audit.Log { return a.ledger }

// maxObject bounds what is read of one small object.
const maxObject = 64 << 20

func readAll(ctx context.Context, s store.Store, key string) ([]byte, error) {
	b, _, err := store.ReadAll(ctx, s, key, maxObject)
	return b, err
}
