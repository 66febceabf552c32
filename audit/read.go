package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sort"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/tlog"
)

// readers is how many objects are read at a time where many are wanted.
const readers = 8

// get reads an object of the archive bucket.
func (l *Log) get(ctx context.Context, key string) ([]byte, *store.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return store.ReadAll(ctx, l.config.Store, key, maxObject)
}

// has reports whether there is an object.
func (l *Log) has(ctx context.Context, key string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, _, err := l.config.Store.Get(ctx, key, &store.GetOptions{Length: 1})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.Close()
}

// Entry returns the entry at index. One that is not there yet is an error
// wrapping fs.ErrNotExist.
func (l *Log) Entry(ctx context.Context, index uint64) (*Entry, error) {
	s := l.view()
	if index >= s.size {
		return nil, fmt.Errorf("ledger entry %d of %d: %w", index, s.size, fs.ErrNotExist)
	}
	entries, err := l.entries(ctx, s, index/width)
	if err != nil {
		return nil, err
	}
	return entryAt(entries, index)
}

func entryAt(entries [][]byte, index uint64) (*Entry, error) {
	e, err := ParseEntry(entries[index%width])
	if err != nil {
		return nil, fmt.Errorf("ledger entry %d: %w", index, err)
	}
	e.Index = index
	return e, nil
}

// Entries yields the entries from an index to the end of the log as this node
// knows it when the iteration begins. After an error it ends.
func (l *Log) Entries(ctx context.Context, from uint64) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		s := l.view()
		get := func(ctx context.Context, k uint64) ([][]byte, error) { return l.entries(ctx, s, k) }
		for entries, err := range inOrder(ctx, from/width, (s.size+width-1)/width, readers, get) {
			if err != nil {
				yield(nil, err)
				return
			}
			for ; from < s.size; from++ {
				if e, err := entryAt(entries, from); !yield(e, err) || err != nil {
					return
				}
				if from%width == width-1 {
					from++
					break
				}
			}
		}
	}
}

// entries returns the raw entries of bundle k, of those that s has.
func (l *Log) entries(ctx context.Context, s state, k uint64) ([][]byte, error) {
	if k == s.bundles() {
		return s.tail, nil
	}
	b, err := l.bundle(ctx, s, k)
	if err != nil {
		return nil, err
	}
	return b.entries, nil
}

// bundle returns a full bundle, verified.
func (l *Log) bundle(ctx context.Context, s state, k uint64) (*bundle, error) {
	if b, ok := l.bundles.get(k); ok {
		return b, nil
	}
	b, err := l.published(ctx, s, k)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	entries, err := l.collect(ctx, k)
	if err != nil {
		return nil, err
	}
	return l.checked(s, k, seqPrefix, entries)
}

// published reads a full bundle as it was published.
func (l *Log) published(ctx context.Context, s state, k uint64) (*bundle, error) {
	key := tileKey(fullTile(entriesLevel, k))
	data, _, err := l.get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	entries, err := parseBundle(data, width)
	if err != nil {
		return nil, l.fail(tampered(key, "%v", err))
	}
	return l.checked(s, k, key, entries)
}

// checked makes a bundle of entries that were read from key.
func (l *Log) checked(s state, k uint64, key string, entries [][]byte) (*bundle, error) {
	b := &bundle{k: k, entries: entries, hashes: bundleHashes(leafHashes(entries))}
	if root := b.hashes[len(b.hashes)-1]; root != s.bundleRoot(k) {
		return nil, l.fail(tampered(key, "entries are not those of the log"))
	}
	l.bundles.put(k, b)
	return b, nil
}

// collect reads the entries of bundle k from the batches.
func (l *Log) collect(ctx context.Context, k uint64) ([][]byte, error) {
	m, err := l.find(ctx, k*width)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for n := m.seq; len(entries) < width; n++ {
		b, _, err := l.batch(ctx, n)
		if err != nil {
			return nil, err
		}
		from := k*width + uint64(len(entries)) - b.Start
		if from >= uint64(len(b.Entries)) {
			return nil, l.fail(tampered(seqKey(n), "does not follow the batch before"))
		}
		part := b.Entries[from:]
		entries = append(entries, part[:min(len(part), width-len(entries))]...)
	}
	return entries, nil
}

// batch reads a committed batch and verifies it as far as it can be alone.
func (l *Log) batch(ctx context.Context, n uint64) (*batch, tlog.Tree, error) {
	raw, err := l.slot(ctx, n)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tlog.Tree{}, l.fail(tampered(seqKey(n), "is gone"))
	}
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("ledger: %w", err)
	}
	b, t, err := l.keys.openBatch(seqKey(n), raw)
	if err != nil {
		return nil, tlog.Tree{}, l.fail(err)
	}
	l.marks.put(n, &mark{n, b.Start, b.end(), b.Name, []byte(b.Checkpoint)})
	return b, t, nil
}

func (l *Log) mark(ctx context.Context, n uint64) (*mark, error) {
	if m, ok := l.marks.get(n); ok {
		return m, nil
	}
	b, _, err := l.batch(ctx, n)
	if err != nil {
		return nil, err
	}
	return &mark{n, b.Start, b.end(), b.Name, []byte(b.Checkpoint)}, nil
}

// find returns the batch that has the entry at index, which must be in the log.
// Batches read or written since Open are known; others are searched for.
func (l *Log) find(ctx context.Context, index uint64) (*mark, error) {
	l.mu.RLock()
	first, starts := l.first, l.starts
	l.mu.RUnlock()
	if index >= starts[0] {
		after := sort.Search(len(starts), func(i int) bool { return starts[i] > index })
		return l.mark(ctx, first+uint64(after)-1)
	}
	// Entry loStart begins batch lo, hiStart batch hi, and index is between.
	lo, hi, loStart, hiStart := uint64(0), first, uint64(0), starts[0]
	for half := false; lo < hi; half = !half {
		n := lo + (hi-lo)/2
		if !half { // batches are of similar size
			n = lo + uint64(float64(index-loStart)/float64(hiStart-loStart)*float64(hi-lo))
			n = min(n, hi-1)
		}
		m, err := l.mark(ctx, n)
		switch {
		case err != nil:
			return nil, err
		case index < m.start:
			hi, hiStart = n, m.start
		case index >= m.end:
			lo, loStart = n+1, m.end
		default:
			return m, nil
		}
	}
	return nil, l.fail(tampered(seqPrefix, "no batch has entry %d", index))
}

// leaves returns the stored hashes of the tree over one full bundle, verified.
func (l *Log) leaves(ctx context.Context, s state, k uint64) ([]tlog.Hash, error) {
	if b, ok := l.bundles.get(k); ok {
		return b.hashes, nil
	}
	if h, ok := l.hashes.get(k); ok {
		return h, nil
	}
	key := tileKey(fullTile(0, k))
	data, _, err := l.get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) { // not published yet
		b, err := l.bundle(ctx, s, k)
		if err != nil {
			return nil, err
		}
		return b.hashes, nil
	}
	if err != nil {
		return nil, err
	}
	leaves, err := parseHashes(data)
	if err != nil {
		return nil, l.fail(tampered(key, "%v", err))
	}
	hashes := bundleHashes(leaves)
	if hashes[len(hashes)-1] != s.bundleRoot(k) {
		return nil, l.fail(tampered(key, "hashes are not those of the log"))
	}
	l.hashes.put(k, hashes)
	return hashes, nil
}

// reader reads the hashes of the tree of s.
func (l *Log) reader(ctx context.Context, s state) tlog.HashReader {
	return s.reader(func(k uint64) ([]tlog.Hash, error) { return l.leaves(ctx, s, k) })
}

// ReadTile returns what C2SP tlog-tiles has at a path: "checkpoint", or a tile
// of hashes or entries such as "tile/0/000", "tile/entries/x001/234.p/5". It
// serves all tiles of the tree that this node knows, published or not; others
// are fs.ErrNotExist.
func (l *Log) ReadTile(ctx context.Context, path string) ([]byte, error) {
	s := l.view()
	if path == "checkpoint" {
		return slices.Clone(s.checkpoint), l.err()
	}
	t, err := parseTilePath(path)
	if err != nil {
		return nil, err
	}
	return l.tile(ctx, s, t)
}

func (l *Log) tile(ctx context.Context, s state, t tlog.Tile) ([]byte, error) {
	available := int64(s.size) >> (height * max(t.L, 0))
	if t.N > available/width || t.N*width+int64(t.W) > available {
		return nil, fmt.Errorf("tile %q: %w", tilePath(t), fs.ErrNotExist)
	}
	if t.L >= 0 {
		return tlog.ReadTileData(t, l.reader(ctx, s))
	}
	entries, err := l.entries(ctx, s, uint64(t.N))
	if err != nil {
		return nil, err
	}
	return encodeBundle(entries[:t.W]), nil
}
