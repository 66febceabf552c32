package audit

import "hash/maphash"

// ids finds entries by ID. It keeps 8 bytes of hash and the index of each, so
// what it finds must be compared with the entry itself.
type ids struct {
	hash  func(id string) uint64
	first map[uint64]uint64
	more  map[uint64][]uint64 // further entries with the hash of one in first
}

func newIDs() *ids {
	// A seed of its own keeps anybody from making IDs that collide.
	seed := maphash.MakeSeed()
	return &ids{
		hash:  func(id string) uint64 { return maphash.String(seed, id) },
		first: map[uint64]uint64{},
		more:  map[uint64][]uint64{},
	}
}

func (x *ids) add(id string, index uint64) {
	h := x.hash(id)
	if _, taken := x.first[h]; taken {
		x.more[h] = append(x.more[h], index)
		return
	}
	x.first[h] = index
}

// candidates returns the indexes of the entries that may have the ID.
func (x *ids) candidates(id string) []uint64 {
	h := x.hash(id)
	index, ok := x.first[h]
	if !ok {
		return nil
	}
	return append([]uint64{index}, x.more[h]...)
}
