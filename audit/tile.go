package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tilePrefix    = "ledger/tile/"
	checkpointKey = "ledger/checkpoint"
)

// entriesLevel is tlog's level of the tiles that hold entries.
const entriesLevel = -1

// tilePath returns the path of a tile as C2SP tlog-tiles has it.
func tilePath(t tlog.Tile) string {
	if t.L == entriesLevel {
		return "tile/entries/" + strings.TrimPrefix(t.Path(), "tile/8/data/")
	}
	return "tile/" + strings.TrimPrefix(t.Path(), "tile/8/")
}

func parseTilePath(path string) (tlog.Tile, error) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if entries, is := strings.CutPrefix(rest, "entries/"); is {
		rest = "data/" + entries
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if !ok || err != nil || tilePath(t) != path {
		return tlog.Tile{}, fmt.Errorf("tile %q: %w", path, fs.ErrNotExist)
	}
	return t, nil
}

func fullTile(level int, n uint64) tlog.Tile {
	return tlog.Tile{H: height, L: level, N: int64(n), W: width}
}

func tileKey(t tlog.Tile) string { return "ledger/" + tilePath(t) }

// encodeBundle writes entries as a tile of entries has them.
func encodeBundle(entries [][]byte) []byte {
	var b []byte
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e...)
	}
	return b
}

// parseBundle reads a tile of that many entries.
func parseBundle(data []byte, entries int) ([][]byte, error) {
	out := make([][]byte, 0, entries)
	for len(data) >= 2 {
		n := int(binary.BigEndian.Uint16(data))
		data = data[2:]
		if n > len(data) {
			return nil, errors.New("entry bundle: cut short")
		}
		out, data = append(out, data[:n:n]), data[n:]
	}
	if len(data) != 0 || len(out) != entries {
		return nil, fmt.Errorf("entry bundle: %d entries, want %d", len(out), entries)
	}
	return out, nil
}

// parseHashes reads a full tile of hashes.
func parseHashes(data []byte) ([]tlog.Hash, error) {
	if len(data) != width*tlog.HashSize {
		return nil, fmt.Errorf("tile of %d bytes", len(data))
	}
	out := make([]tlog.Hash, width)
	for i := range out {
		out[i] = tlog.Hash(data[i*tlog.HashSize:])
	}
	return out, nil
}

func leafHashes(entries [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(entries))
	for i, e := range entries {
		out[i] = tlog.RecordHash(e)
	}
	return out
}
