package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The tiles of C2SP tlog-tiles have height 8.
const (
	height = 8
	width  = 1 << height
)

// tree is a Merkle tree, of which it keeps what cannot be had from one tile:
// everything above the full bundles, and the last, partial bundle.
//
// A tree is copied by assignment, and add on the copy leaves the original as it
// was: both slices are only appended to. Of the copies of one tree, only one
// may be added to at a time, and the others are then dead or only read.
type tree struct {
	size  uint64
	upper []tlog.Hash // stored hashes of the tree over the roots of the full bundles
	edge  []tlog.Hash // stored hashes of the tree over the leaves after these
}

// stored reads a dense list of stored hashes.
func stored(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			if x < 0 || x >= int64(len(hashes)) {
				return nil, fmt.Errorf("hash %d of %d", x, len(hashes))
			}
			out[i] = hashes[x]
		}
		return out, nil
	})
}

// grow appends record hash n to the stored hashes of n records.
func grow(hashes []tlog.Hash, n uint64, h tlog.Hash) []tlog.Hash {
	more, err := tlog.StoredHashesForRecordHash(int64(n), h, stored(hashes))
	if err != nil {
		panic("audit: internal error: " + err.Error())
	}
	return append(hashes, more...)
}

func (t *tree) bundles() uint64 { return t.size / width }

// add appends one leaf. If that fills a bundle, it returns the bundle's stored
// hashes, of which the last is its root.
func (t *tree) add(leaf tlog.Hash) (full []tlog.Hash) {
	if t.edge == nil {
		t.edge = make([]tlog.Hash, 0, 2*width)
	}
	t.edge = grow(t.edge, t.size%width, leaf)
	t.size++
	if t.size%width != 0 {
		return nil
	}
	full, t.edge = t.edge, nil
	t.upper = grow(t.upper, t.size/width-1, full[len(full)-1])
	return full
}

// addBundle appends the 256 leaves below root. There must be no partial bundle.
func (t *tree) addBundle(root tlog.Hash) {
	t.upper = grow(t.upper, t.bundles(), root)
	t.size += width
}

// bundleRoot returns the root of a full bundle.
func (t *tree) bundleRoot(k uint64) tlog.Hash {
	return t.upper[tlog.StoredHashIndex(0, int64(k))]
}

// reader reads the hashes of the tree. It asks leaves for the stored hashes of
// the tree over one full bundle.
func (t tree) reader(leaves func(k uint64) ([]tlog.Hash, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			h, err := t.hash(level, n, leaves)
			if err != nil {
				return nil, err
			}
			out[i] = h
		}
		return out, nil
	})
}

func (t *tree) hash(level int, n int64, leaves func(k uint64) ([]tlog.Hash, error)) (tlog.Hash, error) {
	hashes, x := t.upper, int64(0)
	if level >= height {
		x = tlog.StoredHashIndex(level-height, n)
	} else {
		k := n >> (height - level)
		x = tlog.StoredHashIndex(level, n-k<<(height-level))
		hashes = t.edge
		if uint64(k) < t.bundles() {
			var err error
			if hashes, err = leaves(uint64(k)); err != nil {
				return tlog.Hash{}, err
			}
		}
	}
	if x >= int64(len(hashes)) {
		return tlog.Hash{}, fmt.Errorf("hash %d of level %d in a tree of %d", n, level, t.size)
	}
	return hashes[x], nil
}

// head returns size and root, for which no full bundle is needed.
func (t *tree) head() tlog.Tree {
	root, err := tlog.TreeHash(int64(t.size), t.reader(nil))
	if err != nil {
		panic("audit: internal error: " + err.Error())
	}
	return tlog.Tree{N: int64(t.size), Hash: root}
}

// bundleHashes returns the stored hashes of the tree over the leaves of one full
// bundle; the last is its root.
func bundleHashes(leaves []tlog.Hash) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, 2*len(leaves))
	for n, leaf := range leaves {
		hashes = grow(hashes, uint64(n), leaf)
	}
	return hashes
}
