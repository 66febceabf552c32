// Package ole reads the directory and the beginnings of streams of OLE files ([MS-CFB]): the older Office formats, and what Office 2007
// and later write when a password is set.
//
// Files come from outside: what is read is bounded by the size of the file and by the number of entries, whatever its header says.
package ole

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
)

const (
	maxEntries = 20_000  // of the directory
	maxMini    = 2 << 20 // bytes into the mini stream, which is gone through sector by sector
	endOfChain = 0xfffffffe
	lastSector = 0xfffffffa // the last number of a sector
	miniSector = 64         // bytes of a sector of the mini stream
	cutoff     = 4096       // bytes from which on a stream has sectors of its own
)

// ErrBroken says that a file is no OLE file, or damaged.
var ErrBroken = errors.New("ole: broken file")

// An entry is a stream or storage. Entries of one storage hang in a tree of their own.
type entry struct {
	name               string
	kind               byte // 1 storage, 2 stream, 5 root
	left, right, child uint32
	start              uint32
	size               uint64
}

// A File gives access to the directory and the beginnings of streams.
type File struct {
	r       io.ReaderAt
	size    int64
	sector  int64
	fat     []uint32 // sectors of the allocation table
	entries []entry
	root    entry
	mini    uint32 // first sector of the table of the mini stream
}

// Open reads the directory of a file of a given size.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var h [512]byte
	if n, err := r.ReadAt(h[:], 0); n < len(h) {
		return nil, errors.Join(ErrBroken, err)
	}
	shift := binary.LittleEndian.Uint16(h[30:])
	if shift != 9 && shift != 12 {
		return nil, ErrBroken
	}
	f := &File{r: r, size: size, sector: 1 << shift, mini: binary.LittleEndian.Uint32(h[60:])}
	if err := f.table(h[:]); err != nil {
		return nil, err
	}
	return f, f.directory(binary.LittleEndian.Uint32(h[48:]))
}

// sectors is how many there can be.
func (f *File) sectors() int64 { return (f.size + f.sector - 1) / f.sector }

func (f *File) read(n uint32, b []byte) error {
	if int64(n) >= f.sectors() {
		return ErrBroken
	}
	k, _ := f.r.ReadAt(b, (int64(n)+1)*f.sector)
	clear(b[max(k, 0):]) // writers leave the last sector short
	if k <= 0 {
		return ErrBroken
	}
	return nil
}

// table lists the sectors of the allocation table: 109 in the header, the rest in a chain.
func (f *File) table(h []byte) error {
	count := int64(binary.LittleEndian.Uint32(h[44:]))
	if count > f.sectors() {
		return ErrBroken
	}
	take := func(b []byte) {
		for ; len(b) >= 4 && int64(len(f.fat)) < count; b = b[4:] {
			if n := binary.LittleEndian.Uint32(b); n <= lastSector {
				f.fat = append(f.fat, n)
			}
		}
	}
	take(h[76:])
	b := make([]byte, f.sector)
	for next, n := binary.LittleEndian.Uint32(h[68:]), int64(0); next <= lastSector && int64(len(f.fat)) < count; n++ {
		if n > f.sectors() || f.read(next, b) != nil {
			return ErrBroken
		}
		take(b[:len(b)-4])
		next = binary.LittleEndian.Uint32(b[len(b)-4:])
	}
	if int64(len(f.fat)) < count || count == 0 {
		return ErrBroken
	}
	return nil
}

// next is the sector that follows in a chain.
func (f *File) next(n uint32) (uint32, error) {
	each := uint32(f.sector / 4)
	if int(n/each) >= len(f.fat) {
		return 0, ErrBroken
	}
	var b [4]byte
	at := f.fat[n/each]
	if k, _ := f.r.ReadAt(b[:], (int64(at)+1)*f.sector+int64(n%each)*4); k < 4 {
		return 0, ErrBroken
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

func (f *File) directory(at uint32) error {
	b := make([]byte, f.sector)
	for steps := 0; at <= lastSector; steps++ {
		if steps*int(f.sector)/128 > maxEntries || f.read(at, b) != nil {
			return ErrBroken
		}
		for e := b; len(e) >= 128; e = e[128:] {
			f.addEntry(e[:128])
		}
		var err error
		if at, err = f.next(at); err != nil {
			return err
		}
	}
	if at != endOfChain || f.root.kind != 5 {
		return ErrBroken
	}
	return nil
}

func (f *File) addEntry(b []byte) {
	le := binary.LittleEndian
	e := entry{kind: b[66], left: le.Uint32(b[68:]), right: le.Uint32(b[72:]), child: le.Uint32(b[76:]), start: le.Uint32(b[116:]), size: le.Uint64(b[120:])}
	if f.sector == 512 {
		e.size &= 0xffffffff
	}
	n := min(int(binary.LittleEndian.Uint16(b[64:])), 64) / 2
	units := make([]uint16, 0, 32)
	for i := 0; i < n-1; i++ {
		units = append(units, binary.LittleEndian.Uint16(b[2*i:]))
	}
	e.name = string(utf16.Decode(units))
	if e.kind == 5 && len(f.entries) == 0 {
		f.root = e
	}
	f.entries = append(f.entries, e)
}

// Has tells whether there is a stream or storage of a name, wherever it hangs.
func (f *File) Has(name string) bool {
	for _, e := range f.entries {
		if e.name == name && (e.kind == 1 || e.kind == 2) {
			return true
		}
	}
	return false
}

// A Stream is a stream at the top, or a storage with nothing to read.
type Stream struct {
	Name    string
	Storage bool
	at      entry
}

// Top lists what hangs at the root.
func (f *File) Top() []Stream {
	var out []Stream
	seen := map[uint32]bool{}
	for todo := []uint32{f.root.child}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if int64(n) >= int64(len(f.entries)) || seen[n] {
			continue
		}
		seen[n] = true
		e := f.entries[n]
		if e.kind == 1 || e.kind == 2 {
			out = append(out, Stream{e.name, e.kind == 1, e})
		}
		todo = append(todo, e.left, e.right)
	}
	return out
}

// Begin reads up to n bytes of a stream, and what can be had of a damaged one.
func (f *File) Begin(s Stream, n int) []byte {
	n = int(min(uint64(n), s.at.size))
	out := make([]byte, 0, n)
	if s.Storage {
		return nil
	}
	if s.at.size >= cutoff {
		for at := s.at.start; len(out) < n && at <= lastSector; {
			b := make([]byte, min(f.sector, int64(n-len(out))))
			if f.read(at, b) != nil {
				break
			}
			out = append(out, b...)
			var err error
			if at, err = f.next(at); err != nil {
				break
			}
		}
		return out
	}
	for at := s.at.start; len(out) < n && at <= lastSector; {
		b := make([]byte, min(miniSector, n-len(out)))
		if !f.readMini(at, b) {
			break
		}
		out = append(out, b...)
		var err error
		if at, err = f.nextMini(at); err != nil {
			break
		}
	}
	return out
}

// readMini reads a sector of the mini stream, which is the root's stream.
func (f *File) readMini(n uint32, b []byte) bool {
	at, inside := f.root.start, int64(n)*miniSector
	if inside > maxMini {
		return false
	}
	for ; inside >= f.sector; inside -= f.sector {
		next, err := f.next(at)
		if err != nil || next > lastSector {
			return false
		}
		at = next
	}
	if int64(at) >= f.sectors() {
		return false
	}
	k, _ := f.r.ReadAt(b, (int64(at)+1)*f.sector+inside)
	return k == len(b)
}

// nextMini is the sector that follows in the mini stream.
func (f *File) nextMini(n uint32) (uint32, error) {
	at, inside := f.mini, int64(n)*4
	if inside > maxMini {
		return 0, ErrBroken
	}
	for ; inside >= f.sector; inside -= f.sector {
		next, err := f.next(at)
		if err != nil {
			return 0, err
		}
		if at = next; at > lastSector {
			return 0, ErrBroken
		}
	}
	var b [4]byte
	if k, _ := f.r.ReadAt(b[:], (int64(at)+1)*f.sector+inside); k < 4 || int64(at) >= f.sectors() {
		return 0, ErrBroken
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

// begin reads the first bytes of the stream of a name at the top.
func (f *File) begin(name string) []byte {
	for _, s := range f.Top() {
		if s.Name == name {
			return f.Begin(s, miniSector)
		}
	}
	return nil
}

// Encrypted tells whether a password is needed. It looks for the marks of each format: a package of Office 2007 and later; the flag in Word's header; the record after the
// beginning of Excel's workbook; the token of PowerPoint.
func (f *File) Encrypted() bool {
	if f.Has("EncryptedPackage") {
		return true
	}
	if b := f.begin("WordDocument"); len(b) > 11 && binary.LittleEndian.Uint16(b[10:])&0x0100 != 0 {
		return true
	}
	if b := f.begin("Current User"); len(b) > 16 && bytes.Equal(b[12:16], []byte{0xdf, 0xc4, 0xd1, 0xf3}) {
		return true
	}
	b := f.begin("Workbook")
	if b == nil {
		b = f.begin("Book")
	}
	for len(b) >= 4 {
		kind, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if kind == 0x002f { // FILEPASS
			return true
		}
		b = b[min(len(b), 4+n):]
	}
	return false
}
