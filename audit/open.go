package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/tlog"
)

// Open opens a log that Create made; fs.ErrNotExist if there is none. It reads
// all entries, for Apply and for the index of IDs, mostly from the published
// bundles; the hash chain of the batches that are published is left to Verify.
// Apply is called for verified entries only, but what shows that the log was
// longer once may be found after that: what Apply did counts if Open succeeds.
func Open(ctx context.Context, c Config) (*Log, error) {
	c.setDefaults()
	l, err := newLog(c)
	if err != nil {
		return nil, err
	}
	if err := l.restore(ctx); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	if l.keys.signer == nil {
		close(l.finished)
		return l, nil
	}
	l.done.Go(func() { l.run(run) })
	l.done.Go(func() { l.publisher(run) })
	return l, nil
}

// Close commits nothing more, publishes what is not yet, and ends. Its error is
// that of publishing, which the next Open makes up for: what was acknowledged is
// safe without it.
func (l *Log) Close() error {
	l.closing.Do(func() {
		close(l.stop)
		defer time.AfterFunc(closeTimeout, l.cancel).Stop()
		l.done.Wait()
		l.cancel()
		_, l.closed = l.Published()
	})
	return l.closed
}

// restore brings the log to the state that is in the bucket.
func (l *Log) restore(ctx context.Context) error {
	const never = 1 << 53
	batches, err := count(0, never, func(n uint64) (bool, error) { return l.has(ctx, seqKey(n)) })
	if err != nil {
		return err
	}
	if batches == 0 {
		return l.absent(ctx)
	}
	last, _, err := l.batch(ctx, batches-1)
	if err != nil {
		return err
	}
	bundles, err := count(1, last.end()/width, func(n uint64) (bool, error) {
		return l.has(ctx, tileKey(fullTile(entriesLevel, n)))
	})
	if err != nil {
		return err
	}
	if bundles > 0 {
		l.first, l.starts = batches-1, []uint64{last.Start} // for find
		if err := l.resume(ctx, bundles); err != nil {
			return err
		}
	}
	if err := l.catchUp(ctx, 1); err != nil {
		return err
	}
	l.pub.bundles, l.pub.slots = bundles, l.state.seq
	return l.compare(ctx)
}

// absent tells a log that never was from one that lost its beginning.
func (l *Log) absent(ctx context.Context) error {
	for info, err := range l.config.Store.List(ctx, seqPrefix, &store.ListOptions{Versions: true}) {
		if err != nil {
			return err
		}
		return tampered(info.Key, "the first batch is gone")
	}
	return fs.ErrNotExist
}

// resume begins with the published bundles instead of the first batch. The
// batch that has the last entry in them signs for all before it.
func (l *Log) resume(ctx context.Context, bundles uint64) error {
	s := state{}
	for root, err := range l.roots(ctx, bundles) {
		if err != nil {
			return err
		}
		s.addBundle(root)
	}
	m, err := l.find(ctx, bundles*width-1)
	if err != nil {
		return err
	}
	raw, err := l.slot(ctx, m.seq)
	if err != nil {
		return err
	}
	b, head, err := l.keys.openBatch(seqKey(m.seq), raw)
	if err != nil {
		return err
	}
	if b.Start != m.start || b.end() != m.end {
		return tampered(seqKey(m.seq), "changed while it was read")
	}
	s.seq, s.prev, s.checkpoint = m.seq+1, digest(raw), []byte(b.Checkpoint)
	var full []*bundle
	for _, raw := range b.Entries[bundles*width-b.Start:] {
		if x := s.add(raw); x != nil {
			full = append(full, x)
		}
	}
	if s.head() != head {
		return tampered(tilePrefix, "tiles up to entry %d are not those of the log", bundles*width)
	}
	for _, x := range full {
		l.bundles.put(x.k, x)
	}
	l.state, l.first, l.starts = s, m.seq, []uint64{b.Start}
	return l.relearn(ctx, bundles)
}

// roots yields the roots of the published bundles from the tiles of hashes. They
// are not verified.
func (l *Log) roots(ctx context.Context, bundles uint64) func(func(tlog.Hash, error) bool) {
	covered := bundles / width // tiles of level 1, each with 256 roots
	tile := func(ctx context.Context, n uint64) ([]tlog.Hash, error) {
		t := fullTile(1, n)
		if n >= covered {
			t = fullTile(0, covered*width+n-covered)
		}
		data, _, err := l.get(ctx, tileKey(t))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, tampered(tileKey(t), "is gone")
		}
		if err != nil {
			return nil, err
		}
		hashes, err := parseHashes(data)
		if err != nil {
			return nil, tampered(tileKey(t), "%v", err)
		}
		if n >= covered {
			hashes = bundleHashes(hashes)
			hashes = hashes[len(hashes)-1:]
		}
		return hashes, nil
	}
	return func(yield func(tlog.Hash, error) bool) {
		for hashes, err := range inOrder(ctx, 0, covered+bundles%width, 2*readers, tile) {
			if err != nil {
				yield(tlog.Hash{}, err)
				return
			}
			for _, h := range hashes {
				if !yield(h, nil) {
					return
				}
			}
		}
	}
}

// relearn goes through all entries of the state that resume made, each verified
// against the tree before it is applied.
func (l *Log) relearn(ctx context.Context, bundles uint64) error {
	s := l.state
	parse := func(ctx context.Context, k uint64) ([]*Entry, error) {
		raws := s.tail
		if k < bundles {
			b, err := l.published(ctx, s, k)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, tampered(tileKey(fullTile(entriesLevel, k)), "is gone")
			}
			if err != nil {
				return nil, err
			}
			raws = b.entries
		} else if k < s.bundles() {
			b, err := l.bundle(ctx, s, k)
			if err != nil {
				return nil, err
			}
			raws = b.entries
		}
		return parseEntries(raws, k*width)
	}
	for entries, err := range inOrder(ctx, 0, (s.size+width-1)/width, readers, parse) {
		if err != nil {
			return err
		}
		for _, e := range entries {
			known, err := l.lookup(ctx, e.ID)
			if err != nil {
				return err
			}
			if known != nil {
				return tampered(tilePrefix, "entry %q is in the log twice", e.ID)
			}
			l.learn(e)
		}
	}
	return nil
}

func parseEntries(raws [][]byte, first uint64) ([]*Entry, error) {
	entries := make([]*Entry, len(raws))
	for i, raw := range raws {
		e, err := ParseEntry(raw)
		if err != nil {
			return nil, tampered(tilePrefix, "entry %d: %v", first+uint64(i), err)
		}
		e.Index = first + uint64(i)
		entries[i] = e
	}
	return entries, nil
}

// compare looks for signs that the bucket held more, or something else.
func (l *Log) compare(ctx context.Context) error {
	if err := l.beyond(ctx); err != nil {
		return err
	}
	if len(l.config.Known) > 0 {
		known, err := l.keys.open(l.config.Known)
		if err != nil {
			return fmt.Errorf("known %w", err)
		}
		if err := l.contains(ctx, "known checkpoint", known); err != nil {
			return err
		}
	}
	if l.config.Work == nil {
		return nil
	}
	signed, _, err := store.ReadAll(ctx, l.config.Work, checkpointKey, maxObject)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	published, err := l.keys.open(signed)
	if err != nil {
		return nil // no evidence of anything; the next publication replaces it, and Verify tells
	}
	return l.contains(ctx, checkpointKey, published)
}

// beyond lists what lies behind the last batch, deleted or not: batches that
// follow it have been committed meanwhile, anything else is what remains of a
// log that was longer.
func (l *Log) beyond(ctx context.Context) error {
	next := l.view().seq
	opts := &store.ListOptions{Versions: true, After: seqKey(next - 1)}
	for info, err := range l.config.Store.List(ctx, seqPrefix, opts) {
		if err != nil {
			return err
		}
		for ; seqKey(next) < info.Key; next++ {
			// A listing may miss a batch that was committed while it ran.
			has, err := l.has(ctx, seqKey(next))
			if err != nil {
				return err
			}
			if !has {
				return tampered(seqKey(next), "is gone, and the log went on behind it")
			}
		}
		if info.Key != seqKey(next) || info.DeleteMarker || !info.Latest {
			return tampered(info.Key, "was removed or does not belong there")
		}
		next++
	}
	return nil
}

// contains checks that the log contains the tree of a checkpoint.
func (l *Log) contains(ctx context.Context, what string, t tlog.Tree) error {
	if uint64(t.N) > l.Size() { // another node may have been faster
		if err := l.catchUp(ctx, 1); err != nil {
			return err
		}
	}
	s := l.view()
	if uint64(t.N) > s.size {
		return tampered(what, "has %d entries, the log only %d", t.N, s.size)
	}
	root, err := tlog.TreeHash(t.N, l.reader(ctx, s))
	if err != nil {
		return err
	}
	if root != t.Hash {
		return tampered(what, "is of another log under the same key")
	}
	return nil
}
