package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/tlog"
)

// Create opens a new log by writing its first batch, which has no entries. It
// fails with fs.ErrExist where there is a log already.
func Create(ctx context.Context, c Config) error {
	c.setDefaults()
	l, err := newLog(c)
	if err != nil {
		return err
	}
	if l.keys.signer == nil {
		return fmt.Errorf("new ledger: %w", ErrReadOnly)
	}
	for info, err := range c.Store.List(ctx, "ledger/", &store.ListOptions{Versions: true}) {
		if err != nil {
			return fmt.Errorf("new ledger: %w", err)
		}
		if has, err := l.has(ctx, seqKey(0)); err != nil || has {
			return errors.Join(err, fmt.Errorf("new ledger: %w", fs.ErrExist))
		}
		return tampered(info.Key, "belongs to a ledger whose beginning is gone")
	}
	p, err := l.propose(nil)
	if err != nil {
		return err
	}
	if err := l.write(ctx, p); errors.Is(err, errLost) {
		return fmt.Errorf("new ledger: %w", fs.ErrExist)
	} else if err != nil {
		return err
	}
	return nil
}

// Log is an open log. Its methods may be called concurrently.
type Log struct {
	config Config
	keys   *keys

	queue    chan *request
	turn     chan struct{} // held by whoever reads and extends the end of the log
	grown    chan struct{} // wakes the publisher
	stop     chan struct{} // closed by Close
	finished chan struct{} // closed when nothing will be committed any more
	cancel   context.CancelFunc
	done     sync.WaitGroup
	closing  sync.Once
	closed   error

	bundles *cache[*bundle]
	hashes  *cache[[]tlog.Hash]
	marks   *cache[*mark]

	// The holder of turn alone uses these.
	ids     *ids
	writers []string      // nodes of the latest batches
	latency time.Duration // of the latest put

	mu     sync.RWMutex
	state  state
	first  uint64   // batch of starts[0]
	starts []uint64 // index of the first entry of the batches from first on
	round  *round   // the Sync that has not begun to read
	failed error    // why the log cannot be used any more
	pub    publication
}

// state is the log up to the end of one batch. It is copied by assignment, as
// tree is.
type state struct {
	tree
	tail       [][]byte // entries after the last full bundle
	seq        uint64   // number of the next batch
	prev       string   // digest of the last batch
	checkpoint []byte
}

// bundle is 256 entries and the stored hashes of the tree over them.
type bundle struct {
	k       uint64
	entries [][]byte
	hashes  []tlog.Hash
}

// mark says where a batch lies.
type mark struct {
	seq, start, end uint64
	name            string
	checkpoint      []byte
}

func newLog(c Config) (*Log, error) {
	k, err := c.keys()
	if err != nil {
		return nil, err
	}
	return &Log{
		config:   c,
		keys:     k,
		queue:    make(chan *request, 4*c.MaxBatch),
		turn:     make(chan struct{}, 1),
		grown:    make(chan struct{}, 1),
		stop:     make(chan struct{}),
		finished: make(chan struct{}),
		bundles:  newCache[*bundle](256),
		hashes:   newCache[[]tlog.Hash](256),
		marks:    newCache[*mark](1024),
		ids:      newIDs(),
		state:    state{prev: zeros},
	}, nil
}

// Size returns the number of entries this node knows of.
func (l *Log) Size() uint64 { return l.view().size }

// Checkpoint returns the signed checkpoint over the entries this node knows of.
func (l *Log) Checkpoint() []byte { return slices.Clone(l.view().checkpoint) }

func (l *Log) view() state {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.state
}

// err returns why the log cannot be used, if so.
func (l *Log) err() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.failed
}

// fail makes tampering, once met, the answer to everything that would rely on
// the log.
func (l *Log) fail(err error) error {
	if errors.Is(err, ErrTampered) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.failed == nil {
			l.failed = err
		}
	}
	return err
}

func (l *Log) take(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Log) release() { <-l.turn }

// round is one Sync, for as many callers as wait for it.
type round struct {
	done chan struct{}
	err  error
}

// Sync applies what other nodes committed before it was called. If there is
// nothing, it costs one request. Calls made at the same time share their work.
func (l *Log) Sync(ctx context.Context) error {
	for {
		l.mu.Lock()
		r, leader := l.round, l.round == nil
		if leader {
			r = &round{done: make(chan struct{})}
			l.round = r
		}
		l.mu.Unlock()
		if leader {
			l.sync(ctx, r)
			return r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !errors.Is(r.err, context.Canceled) && !errors.Is(r.err, context.DeadlineExceeded) {
			return r.err
		}
		// The leader gave up, which is no reason for us.
	}
}

func (l *Log) sync(ctx context.Context, r *round) {
	defer close(r.done)
	r.err = l.take(ctx)
	l.mu.Lock()
	l.round = nil // who comes from here on wants to see what is written from here on
	l.mu.Unlock()
	if r.err != nil {
		return
	}
	defer l.release()
	r.err = l.catchUp(ctx, 1)
}

// catchUp applies the batches after the last one known. It asks for so many at a
// time, and for more the more there are. The caller holds turn.
func (l *Log) catchUp(ctx context.Context, window uint64) error {
	if err := l.err(); err != nil {
		return err
	}
	const most = 32
	for ; ; window = min(2*window, most) {
		from := l.view().seq
		for raw, err := range inOrder(ctx, from, from+window, most, l.slot) {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("ledger: %w", err)
			}
			if err := l.adopt(ctx, raw); err != nil {
				return err
			}
		}
	}
}

// slot reads batch n as it lies in the bucket.
func (l *Log) slot(ctx context.Context, n uint64) ([]byte, error) {
	raw, _, err := l.get(ctx, seqKey(n))
	return raw, err
}

// adopt verifies and applies a batch that somebody else committed. The caller
// holds turn.
func (l *Log) adopt(ctx context.Context, raw []byte) error {
	a, err := l.verify(ctx, raw)
	if err != nil {
		return l.fail(err)
	}
	l.settle(a)
	return nil
}

// verify checks everything about the batch that is next.
func (l *Log) verify(ctx context.Context, raw []byte) (*advance, error) {
	s := l.view()
	key := seqKey(s.seq)
	b, head, err := l.keys.openBatch(key, raw)
	if err != nil {
		return nil, err
	}
	if b.Start != s.size || b.Prev != s.prev {
		return nil, tampered(key, "does not follow the batch before")
	}
	if (len(b.Entries) == 0) != (s.seq == 0) {
		return nil, tampered(key, "only the first batch has no entries")
	}
	a := &advance{batch: b, raw: raw, next: s}
	seen := map[string]bool{}
	for i, raw := range b.Entries {
		e, err := ParseEntry(raw)
		if err != nil {
			return nil, tampered(key, "%v", err)
		}
		e.Index = b.Start + uint64(i)
		known, err := l.lookup(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		if known != nil || seen[e.ID] {
			return nil, tampered(key, "entry %q is in the log already", e.ID)
		}
		seen[e.ID] = true
		a.add(e)
	}
	if a.next.head() != head {
		return nil, tampered(key, "checkpoint is not that of the entries")
	}
	a.commit()
	return a, nil
}

// advance is the step from one state to the next by a batch.
type advance struct {
	batch   *batch
	raw     []byte
	next    state
	entries []*Entry
	full    []*bundle
}

func (a *advance) add(e *Entry) {
	a.entries = append(a.entries, e)
	if b := a.next.add(e.Raw); b != nil {
		a.full = append(a.full, b)
	}
}

// commit completes next by what is known only when the batch has its bytes.
func (a *advance) commit() {
	a.next.seq++
	a.next.prev = digest(a.raw)
	a.next.checkpoint = []byte(a.batch.Checkpoint)
}

// add appends an entry, and returns the bundle that is full by it.
func (s *state) add(raw []byte) *bundle {
	hashes := s.tree.add(tlog.RecordHash(raw))
	s.tail = append(s.tail, raw)
	if hashes == nil {
		return nil
	}
	b := &bundle{k: s.bundles() - 1, entries: s.tail, hashes: hashes}
	s.tail = nil
	return b
}

// settle makes a committed batch part of the log. The caller holds turn.
func (l *Log) settle(a *advance) {
	for _, b := range a.full {
		l.bundles.put(b.k, b)
	}
	b := a.batch
	l.marks.put(a.next.seq-1, &mark{a.next.seq - 1, b.Start, b.end(), b.Name, a.next.checkpoint})
	node := ""
	if len(a.entries) > 0 {
		node = a.entries[0].Node
	}
	l.writers = append(l.writers, node)
	l.writers = l.writers[max(0, len(l.writers)-recentWriters):]
	l.mu.Lock()
	l.state = a.next
	l.starts = append(l.starts, b.Start)
	l.mu.Unlock()
	for _, e := range a.entries {
		l.learn(e)
	}
	if len(a.full) > 0 {
		wake(l.grown)
	}
}

// learn takes note of an entry, once and in order.
func (l *Log) learn(e *Entry) {
	l.ids.add(e.ID, e.Index)
	if e.Index >= l.config.From {
		l.config.Apply(e)
	}
}

// lookup finds an entry by its ID; nil if there is none. The caller holds turn.
func (l *Log) lookup(ctx context.Context, id string) (*Entry, error) {
	for _, index := range l.ids.candidates(id) {
		e, err := l.Entry(ctx, index)
		if err != nil {
			return nil, err
		}
		if e.ID == id {
			return e, nil
		}
	}
	return nil, nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
