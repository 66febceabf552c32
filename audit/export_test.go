package audit

import (
	"context"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

// CollideIDs makes all IDs have the same hash. The log must be new.
func CollideIDs(l *Log) { l.ids.hash = func(string) uint64 { return 0 } }

// ReencodeEntry encodes what ParseEntry read.
func ReencodeEntry(e *Entry) []byte { return e.encode() }

// ReencodeBatch parses and encodes a batch.
func ReencodeBatch(raw []byte) ([]byte, error) {
	b, err := parseBatch(raw)
	if err != nil {
		return nil, err
	}
	return b.encode()
}

// ReencodeProof parses and encodes a proof.
func ReencodeProof(raw []byte) ([]byte, error) {
	p, err := parseProof(raw)
	if err != nil {
		return nil, err
	}
	return p.encode(), nil
}

// Forget drops everything that can be read again.
func Forget(l *Log) {
	forget(l.bundles)
	forget(l.hashes)
	forget(l.marks)
}

func forget[V any](c *cache[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.values)
	c.order, c.next = c.order[:0], 0
}

// Count is count.
func Count(guess, max uint64, has func(uint64) (bool, error)) (uint64, error) {
	return count(guess, max, has)
}

// InOrder is inOrder for numbers.
func InOrder(ctx context.Context, from, to uint64, workers int, get func(context.Context, uint64) (uint64, error)) iter.Seq2[uint64, error] {
	return inOrder(ctx, from, to, workers, get)
}

// Tree is a tree of the log.
type Tree struct{ tree }

// Add appends a leaf.
func (t *Tree) Add(leaf tlog.Hash) { t.add(leaf) }

// Head returns size and root.
func (t *Tree) Head() tlog.Tree { return t.head() }

// Reader reads all hashes, with all the leaves at hand.
func (t *Tree) Reader(leaves []tlog.Hash) tlog.HashReader {
	return t.reader(func(k uint64) ([]tlog.Hash, error) { return bundleHashes(leaves[k*width : (k+1)*width]), nil })
}

// NewCache returns the methods of a cache.
func NewCache(size int) (get func(uint64) (string, bool), put func(uint64, string)) {
	c := newCache[string](size)
	return c.get, c.put
}
