package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// op says what a change does to a file.
type op byte

const (
	opWrite     op = 1 + iota // path holds exactly data
	opLink                    // path becomes another name of from, replacing what was there
	opSplice                  // data replaces the bytes of path from off to the end
	opRemove                  // path is gone
	opRemoveAll               // the directory path is gone, and all in it
)

// change is one step of a commit. Applying the lasting changes of the log, in
// order, on top of any mixture of the effects of all of them gives the same
// tree; opLink leaves from in place, because a replay needs it again, and the
// log removes it when the change can no longer be replayed.
type change struct {
	op   op
	path string // below the storage directory
	from string
	off  int64
	data []byte
}

// appendChange encodes c behind b.
func appendChange(b []byte, c change) []byte {
	b = append(b, byte(c.op))
	for _, s := range []string{c.path, c.from} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(c.off))
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.data)))
	return append(b, c.data...)
}

// errChange: the bytes were not written by appendChange.
var errChange = errors.New("malformed change")

// parseChange decodes the first change in b and returns the rest.
func parseChange(b []byte) (change, []byte, error) {
	if len(b) < 1 {
		return change{}, nil, errChange
	}
	c := change{op: op(b[0])}
	b = b[1:]
	for _, s := range []*string{&c.path, &c.from} {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return change{}, nil, errChange
		}
		n := int(binary.BigEndian.Uint16(b))
		*s, b = string(b[2:2+n]), b[2+n:]
	}
	if len(b) < 12 {
		return change{}, nil, errChange
	}
	c.off = int64(binary.BigEndian.Uint64(b))
	n := int(binary.BigEndian.Uint32(b[8:]))
	if b = b[12:]; len(b) < n {
		return change{}, nil, errChange
	}
	c.data, b = b[:n:n], b[n:]
	if !c.valid() {
		return change{}, nil, errChange
	}
	return c, b, nil
}

// valid tells whether a change stays inside the storage directory.
func (c change) valid() bool {
	return c.op >= opWrite && c.op <= opRemoveAll && c.off >= 0 && filepath.IsLocal(c.path) && (c.from == "" || filepath.IsLocal(c.from))
}

// lasting returns the changes whose effect a later one does not undo. A replay
// must leave the others out: an opSplice meant for an older file at its path
// would alter the bytes that a later opLink, whose effect may be there
// already, has given another name.
func lasting(changes []change) []change {
	settled := map[string]bool{}
	var gone []string
	var kept []change
	for _, c := range slices.Backward(changes) {
		under := func(dir string) bool { return strings.HasPrefix(c.path, dir+"/") }
		if settled[c.path] || slices.ContainsFunc(gone, under) {
			continue
		}
		kept = append(kept, c)
		switch c.op {
		case opRemoveAll:
			gone = append(gone, c.path)
		case opWrite, opLink, opRemove:
			settled[c.path] = true
		}
	}
	slices.Reverse(kept)
	return kept
}

// apply makes a change in the tree below dir, without syncing. On replay, a
// file that a later change removed may be missing already.
func apply(dir string, c change, replay bool) error {
	path := filepath.Join(dir, c.path)
	var err error
	switch c.op {
	case opWrite:
		err = applyWrite(dir, path, c.data)
	case opLink:
		err = applyLink(filepath.Join(dir, c.from), path)
	case opSplice:
		err = splice(path, c.off, c.data)
		if replay && errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	case opRemove:
		err = applyRemove(dir, c.path)
	case opRemoveAll:
		err = os.RemoveAll(path)
	}
	if err != nil {
		return fmt.Errorf("apply change: %w", err)
	}
	return nil
}

func applyWrite(dir, path string, data []byte) error {
	err := withParent(path, func() error { return writeNew(path, data) })
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	// A reader may have the old file open, so it is replaced, not rewritten.
	tmp := filepath.Join(dir, "staging", "replace-"+newName())
	if err := writeNew(tmp, data); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func applyLink(from, path string) error {
	err := withParent(path, func() error { return os.Link(from, path) })
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	tmp := from + "-replace"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(from, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	// Renaming one name of a file over another name of it does nothing.
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func applyRemove(dir, rel string) error {
	if err := os.Remove(filepath.Join(dir, rel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	removeEmpty(dir, filepath.Dir(rel))
	return nil
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func splice(path string, off int64, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, off)
	return errors.Join(err, f.Truncate(off+int64(len(data))), f.Close())
}

// withParent runs create, and makes the parent directory of path if that is
// what it lacks. The directory may be removed again in between, by a removal
// of its last object, hence the loop.
func withParent(path string, create func() error) error {
	err := create()
	for range 100 {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = create()
	}
	return err
}

// removeEmpty removes the directory rel and its parents as far as they are
// empty, up to the bucket's own.
func removeEmpty(dir, rel string) {
	for strings.Count(rel, "/") > 1 {
		if os.Remove(filepath.Join(dir, rel)) != nil {
			return // not empty, as a rule
		}
		rel = filepath.Dir(rel)
	}
}
