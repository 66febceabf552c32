// Package chain keeps what changes in the life of a dossier, a case or a
// schedule as a short chain of acts: write-once, numbered, signed objects, each
// naming the digest of the one before it.
//
// Two nodes that want to act race on the next number; the put-if-absent lets
// one of them win, the other reads again and decides anew. The chain orders;
// the ledger makes effective: whoever meets a validly signed act without an
// entry in the ledger appends the entry before anything else is answered or
// written. An act without a valid signature, another act than the ledger
// holds, or a chain shorter than the ledger says is [ErrTampered], and the
// chain can't be used until somebody has looked at it.
//
// The package knows no type of act and decides nothing.
package chain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// ErrTampered means that the acts in the store are not those of the ledger:
// altered, shadowed, deleted or added without the archive's key. An operator
// must look; nothing was changed.
var ErrTampered = errors.New("acts in the store differ from the ledger")

// Act is one signed fact (docs/format.md §6).
type Act struct {
	V      int             `json:"v"`
	Chain  string          `json:"chain"`
	N      int             `json:"n"`
	Prev   string          `json:"prev"`
	Type   string          `json:"type"`
	Time   string          `json:"time"`
	Node   string          `json:"node"`
	By     string          `json:"by"`
	Body   json.RawMessage `json:"body"`
	Sealed string          `json:"sealed,omitempty"`

	raw []byte
}

// Raw returns the stored bytes of the act.
func (a *Act) Raw() []byte { return a.raw }

// Digest returns the SHA-256 of the stored bytes, in hexadecimal.
func (a *Act) Digest() string { return digest(a.raw) }

// Decode reads the act's body into v, strictly.
func (a *Act) Decode(v any) error {
	if err := jcs.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("%s %04d: body of %q: %w", a.Chain, a.N, a.Type, err)
	}
	return nil
}

// When returns the act's time.
func (a *Act) When() time.Time {
	t, _ := time.Parse(time.RFC3339, a.Time)
	return t
}

// Draft is an act to be.
type Draft struct {
	Type   string
	By     string // keyed name of who acts
	Body   any
	Sealed string    // what is personal, encrypted to the audit key
	Time   time.Time // zero: now
}

// Config says what a Keeper works with. Every field but Details, LockFor and
// Applied is required.
type Config struct {
	Store store.Store            // the archive bucket
	Key   *signing.Key           // signs acts
	Trust []*signing.Certificate // whose acts are believed
	Node  string
	Audit audit.Config // the ledger; its Apply is set by Open
	Now   func() time.Time
	// LockFor is how long a new act is locked in the store; it is extended
	// later, for acts are kept for ever. Zero: no lock.
	LockFor time.Duration
	// Details gives the public details of an act's ledger entry. It must
	// depend on the act alone, for any node may write the entry.
	Details func(*Act) map[string]string
	// Applied is called for every ledger entry, in order.
	Applied func(*audit.Entry)
}

// Keeper reads and appends acts. Its methods may be called concurrently.
type Keeper struct {
	Config
	ledger *audit.Log

	mu    sync.RWMutex
	heads map[string][]logged
}

// logged is what the ledger says of one act.
type logged struct {
	digest [sha256.Size]byte
	index  uint64
}

// Open opens the ledger and learns from it how long every chain is.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	k := &Keeper{Config: c, heads: map[string][]logged{}}
	k.Audit.Apply = k.apply
	var err error
	if k.ledger, err = audit.Open(ctx, k.Audit); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return k, nil
}

// Ledger returns the ledger behind the chains.
func (k *Keeper) Ledger() *audit.Log { return k.ledger }

// Close closes the ledger.
func (k *Keeper) Close() error { return k.ledger.Close() }

func (k *Keeper) apply(e *audit.Entry) {
	if e.Act != "" {
		var l logged
		if b, err := hex.DecodeString(e.Act); err == nil && len(b) == sha256.Size {
			l = logged{[sha256.Size]byte(b), e.Index}
		}
		k.mu.Lock()
		// Acts are logged in order, for nobody writes an act before the one
		// below it is in the ledger; anything else shows as tampering on read.
		if len(k.heads[e.Chain]) == e.N-1 {
			k.heads[e.Chain] = append(k.heads[e.Chain], l)
		}
		k.mu.Unlock()
	}
	if k.Applied != nil {
		k.Applied(e)
	}
}

// Len returns how many acts of the chain this node has seen in the ledger.
func (k *Keeper) Len(chain string) int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.heads[chain])
}

// Index returns where in the ledger act n of the chain stands.
func (k *Keeper) Index(chain string, n int) (uint64, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	h := k.heads[chain]
	if n < 1 || n > len(h) {
		return 0, false
	}
	return h[n-1].index, true
}

// Chains calls yield with the name and length of every chain in the ledger,
// in no order.
func (k *Keeper) Chains(yield func(chain string, acts int) bool) {
	k.mu.RLock()
	names := make(map[string]int, len(k.heads))
	for c, h := range k.heads {
		names[c] = len(h)
	}
	k.mu.RUnlock()
	for c, n := range names {
		if !yield(c, n) {
			return
		}
	}
}

// Read returns the acts of a chain, verified against their signatures, each
// other and the ledger. Acts that are not in the ledger yet are entered first.
// An unknown chain has no acts.
func (k *Keeper) Read(ctx context.Context, chain string) ([]*Act, error) {
	var acts []*Act
	prev := zeros
	for n := 1; ; n++ {
		known := k.Len(chain) // before the read: it may grow meanwhile
		a, err := k.read(ctx, chain, n, prev)
		if errors.Is(err, fs.ErrNotExist) {
			if n <= known {
				return nil, fmt.Errorf("%s has %d acts, the ledger %d: %w", chain, n-1, known, ErrTampered)
			}
			return acts, nil
		}
		if err != nil {
			return nil, err
		}
		if _, err := k.Enter(ctx, a); err != nil {
			return nil, err
		}
		acts, prev = append(acts, a), a.Digest()
	}
}

// read gets one act and checks everything that can be checked without the
// ledger.
func (k *Keeper) read(ctx context.Context, chain string, n int, prev string) (*Act, error) {
	r, _, err := k.Store.Get(ctx, Key(chain, n), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Key(chain, n), err)
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, maxAct+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Key(chain, n), err)
	}
	a, err := Parse(raw, k.Trust...)
	if err != nil {
		return nil, fmt.Errorf("%s: %v: %w", Key(chain, n), err, ErrTampered)
	}
	if a.Chain != chain || a.N != n || a.Prev != prev {
		return nil, fmt.Errorf("%s: act belongs elsewhere: %w", Key(chain, n), ErrTampered)
	}
	return a, nil
}

// maxAct bounds what is read of one act. A decision over 100,000 dossiers has
// about 8 MB.
const maxAct = 16 << 20

var zeros = hex.EncodeToString(make([]byte, sha256.Size))

// Parse reads an act whose signature one of the certificates made.
func Parse(raw []byte, trust ...*signing.Certificate) (*Act, error) {
	line, err := OpenStatement(raw, trust...)
	if err != nil {
		return nil, err
	}
	a := &Act{raw: raw}
	if err := jcs.Unmarshal(line, a); err != nil {
		return nil, err
	}
	if _, err := time.Parse(time.RFC3339, a.Time); a.V != 1 || err != nil {
		return nil, errors.New("not an act of version 1")
	}
	return a, nil
}

// Enter makes sure that the ledger has the act, and has no other in its place.
func (k *Keeper) Enter(ctx context.Context, a *Act) (*audit.Entry, error) {
	k.mu.RLock()
	h := k.heads[a.Chain]
	k.mu.RUnlock()
	if a.N <= len(h) {
		if hex.EncodeToString(h[a.N-1].digest[:]) != a.Digest() {
			return nil, fmt.Errorf("%s: the ledger has another act: %w", Key(a.Chain, a.N), ErrTampered)
		}
		return nil, nil
	}
	e, err := k.ledger.Append(ctx, k.event(a))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if e.Act != a.Digest() {
		return nil, fmt.Errorf("%s: the ledger has another act: %w", Key(a.Chain, a.N), ErrTampered)
	}
	return e, nil
}

func (k *Keeper) event(a *Act) audit.Event {
	e := audit.Event{ID: Key(a.Chain, a.N), Type: a.Type, Time: a.When(), Chain: a.Chain, N: a.N, Act: a.Digest()}
	if k.Details != nil {
		e.Details = k.Details(a)
	}
	return e
}

// Append writes the act that follows acts, the whole chain as last read, and
// enters it in the ledger. If somebody else wrote that number first, the error
// wraps [fs.ErrExist]: read again and decide anew. After any other error the
// act may or may not have been written; reading the chain tells.
func (k *Keeper) Append(ctx context.Context, chain string, acts []*Act, d Draft) (*Act, *audit.Entry, error) {
	a, err := k.Put(ctx, chain, acts, d)
	if err != nil {
		return nil, nil, err
	}
	e, err := k.Enter(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	if e == nil { // somebody else met the act and entered it already
		i, _ := k.Index(chain, a.N)
		e, err = k.ledger.Entry(ctx, i)
	}
	return a, e, err
}

// Put is the first half of Append: the act is written, and therefore decided,
// but not in the ledger yet.
func (k *Keeper) Put(ctx context.Context, chain string, acts []*Act, d Draft) (*Act, error) {
	a, err := k.draft(chain, acts, d)
	if err != nil {
		return nil, err
	}
	opts := &store.PutOptions{IfAbsent: true}
	if k.LockFor > 0 {
		opts.Lock = k.Now().Add(k.LockFor)
	}
	if _, err := k.Store.Put(ctx, Key(chain, a.N), a.raw, opts); err != nil {
		return nil, fmt.Errorf("%s: %w", Key(chain, a.N), err)
	}
	return a, nil
}

func (k *Keeper) draft(chain string, acts []*Act, d Draft) (*Act, error) {
	if d.Time.IsZero() {
		d.Time = k.Now()
	}
	body, err := jcs.Marshal(d.Body)
	if err != nil {
		return nil, err
	}
	a := &Act{V: 1, Chain: chain, N: len(acts) + 1, Prev: zeros, Type: d.Type, Time: Timestamp(d.Time), Node: k.Node, By: d.By, Body: body, Sealed: d.Sealed}
	if len(acts) > 0 {
		a.Prev = acts[len(acts)-1].Digest()
	}
	line, err := jcs.Marshal(a)
	if err != nil {
		return nil, err
	}
	if a.raw, err = SignStatement(k.Key, line, d.Time); err != nil {
		return nil, err
	}
	if len(a.raw) > maxAct {
		return nil, fmt.Errorf("%s: an act of %d octets is too large", Key(chain, a.N), len(a.raw))
	}
	return a, nil
}

// Key returns the object name of act n of a chain.
func Key(chain string, n int) string { return fmt.Sprintf("%s/%04d", chain, n) }

// Timestamp writes a time as the formats have it: UTC, six decimals.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
