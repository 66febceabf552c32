// Package audit keeps the ledger: an append-only log of everything that
// happened, whose entries can be proved to outsiders.
//
// # State
//
// The archive bucket is the only state. A batch of entries is committed by one
// put-if-absent of the next object ledger/seq/<n>, which carries the signed
// checkpoint of the tree after it. Whoever loses that put reads what is there,
// applies it and tries the next number; so any number of nodes may append to
// one bucket, a node that was paused or thought dead cannot fork the log, and
// all see the same order. Everything else is derived and can be derived again:
// tiles and entry bundles (C2SP tlog-tiles) in the archive bucket, checkpoint
// and partial tiles in the work bucket. docs/format.md §7 has the bytes.
//
// # Trust
//
// The store is not trusted. What is read is checked against the key of the log,
// the hash chain of the batches and the Merkle tree; what does not fit is
// [ErrTampered]. A bucket cannot prove that its last batches were not removed,
// so [Open] compares with every checkpoint it can get: the one in the work
// bucket and the one its caller remembers ([Config.Known]). Only [Verify] looks
// at everything.
//
// # Memory
//
// An open log keeps 64 bytes per 256 entries of the tree and 20 to 40 bytes
// per entry of the index by ID; entries themselves are read from the bucket,
// but for the latest few ten thousand.
package audit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/note"
)

// Errors of this package. Besides these, an entry, tile or log that is not
// there is fs.ErrNotExist, and a log that is there already fs.ErrExist.
var (
	// ErrTampered says that the bucket holds something else than the log wrote:
	// an altered, moved, removed or additional object. An open log that meets
	// it stays unusable. People must look at the bucket.
	ErrTampered = errors.New("ledger was tampered with")

	// ErrClosed says that the log was closed before the event was logged. Log
	// it on another node, or after opening the log again.
	ErrClosed = errors.New("ledger is closed")

	// ErrReadOnly says that the log was opened without a signing key.
	ErrReadOnly = errors.New("ledger is open for reading only")
)

// Event is something that happened, to be logged.
type Event struct {
	// ID names the event; it stands in the log once, whoever appends it how
	// often. An act has the ID <chain>/<nnnn>, which may be left empty here;
	// for anything else an empty ID means a random one.
	ID   string
	Type string
	Time time.Time // zero: now

	// Chain is the chain of acts the event is about, or empty. N and Act (the
	// digest of the act) are set where the event is the act itself.
	Chain string
	N     int
	Act   string

	// Details are public for ever and hold nothing personal. The log shows
	// only commitments to Private, whose values can be disclosed as long as
	// the audit key exists.
	Details map[string]string
	Private map[string]string
}

// Entry is an event in the log. Private is nil in it. Its fields must not be
// written to.
type Entry struct {
	Event
	Index       uint64            // position in the log; 0 from ParseEntry
	Node        string            // who logged it
	Commitments map[string]string // to the values of Private, by field
	Raw         []byte            // the bytes in the log, which the tree is over
}

// Config says where a log lies and how it is used.
type Config struct {
	Store store.Store // archive bucket
	Work  store.Store // work bucket; may be nil

	// Origin is the name of the log. Empty: the name of the key.
	Origin string
	// Key signs checkpoints (a signer key of golang.org/x/mod/sumdb/note). Empty:
	// the log is opened for reading only, and publishes nothing.
	Key  string
	VKey string // verifies checkpoints
	Node string // names this node in its entries; unlike any other's

	// Seal encrypts the values of Private to the audit key. Without it,
	// events with Private values are refused.
	Seal func([]byte) ([]byte, error)
	// Apply is called once for every entry, in the order of the log, by one
	// goroutine at a time, before Open, Sync or Append returns. It must not call
	// these.
	Apply func(*Entry)
	// From is the first entry that Apply is called for.
	From uint64
	// Known is a signed checkpoint that the caller remembers or was told by a
	// witness. A log that does not contain it is ErrTampered.
	Known []byte

	Now func() time.Time // required

	// MaxBatch is how many entries a batch may have. Zero: 1024.
	MaxBatch int
	// MaxAge is how long a batch may wait for as many entries as the one
	// before it had. A lone event never waits. Zero: 1 ms.
	MaxAge time.Duration
	// LockFor is how long new objects are locked. Zero: not at all.
	LockFor time.Duration
	// Publish is how often checkpoint and partial tiles are written to Work,
	// if they changed. Zero: 30 s. Negative: nothing is published before Close.
	Publish time.Duration
}

// GenerateKey makes the keys of a new log: skey for Config.Key, a secret, and
// vkey for Config.VKey and everybody. The origin should be a domain and path,
// such as archive.example.vn/ledger; it has no spaces and no plus sign.
func GenerateKey(origin string) (skey, vkey string, err error) {
	skey, vkey, err = note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", "", fmt.Errorf("ledger key: %w", err)
	}
	if _, err := note.NewSigner(skey); err != nil {
		return "", "", fmt.Errorf("ledger key for origin %q: %w", origin, err)
	}
	return skey, vkey, nil
}

func (c *Config) setDefaults() {
	if c.MaxBatch <= 0 {
		c.MaxBatch = 1024
	}
	if c.MaxAge <= 0 {
		c.MaxAge = time.Millisecond
	}
	if c.Publish == 0 {
		c.Publish = 30 * time.Second
	}
	if c.Apply == nil {
		c.Apply = func(*Entry) {}
	}
}

// lockUntil returns the date that objects written now are locked to.
func (c *Config) lockUntil() time.Time {
	if c.LockFor <= 0 {
		return time.Time{}
	}
	return c.Now().Add(c.LockFor)
}

// tampered makes an ErrTampered that tells where and why.
func tampered(key, format string, args ...any) error {
	return fmt.Errorf("%s: %s: %w", key, fmt.Sprintf(format, args...), ErrTampered)
}
