package signing

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
)

const (
	tagSealed  = 0xD2 // packet type 18, encrypted and integrity protected data
	tagLiteral = 0xCB // packet type 11, literal data

	chunkOctet = 12 // RFC 9580 section 5.13.2: chunks of 1 << (octet + 6) octets
	chunkSize  = 1 << (chunkOctet + 6)
	tagSize    = 16
	saltSize   = 32
	headSize   = 4 + saltSize // version, cipher, mode, chunk octet, salt

	maxSize = 1 << 60 // keeps every sum below the end of int64
)

// literalHead opens the body of the literal packet: binary, no file name, no date.
func literalHead() []byte { return []byte{'b', 0, 0, 0, 0, 0} }

// framing is the rule by which the length of a packet is told: up to fixed
// octets as one five-octet length, above that as partial segments of 1 << exp
// octets and a last one with a five-octet length.
type framing struct {
	fixed int64
	exp   uint8
}

// standard is the rule of the format. Tests use smaller numbers.
func standard() framing { return framing{fixed: 1<<32 - 1, exp: 30} }

// frame is one packet, told by its tag octet and the length of its body.
type frame struct {
	framing
	tag  byte
	body int64
}

// partials is the number of partial segments before the last segment.
func (f frame) partials() int64 {
	if f.body <= f.fixed {
		return 0
	}
	return (f.body - 1) >> f.exp
}

// size is the length of the packet with its tag and its lengths.
func (f frame) size() int64 { return 1 + f.body + f.partials() + 5 }

// segment is the number of the segment that holds the body octet at off.
func (f frame) segment(off int64) int64 { return min(off>>f.exp, f.partials()) }

// at says where in the packet the body octet at off stands.
func (f frame) at(off int64) int64 {
	if n := f.segment(off); n < f.partials() {
		return 1 + off + n + 1
	}
	return 1 + off + f.partials() + 5
}

// left is the number of body octets from off to the end of its segment.
func (f frame) left(off int64) int64 {
	if n := f.segment(off); n < f.partials() {
		return (n+1)<<f.exp - off
	}
	return f.body - off
}

// starts says whether a length stands before the body octet at off.
func (f frame) starts(off int64) bool {
	n := f.segment(off)
	return off == n<<f.exp && off < f.body
}

// header is what stands before the body octet at off, where a segment starts.
func (f frame) header(off int64) []byte {
	var h []byte
	if off == 0 {
		h = append(h, f.tag)
	}
	if f.segment(off) < f.partials() {
		return append(h, 0xE0|f.exp)
	}
	return binary.BigEndian.AppendUint32(append(h, 0xFF), uint32(f.body-off))
}

// layout says where everything stands in the sealed object of a content.
type layout struct {
	size   int64 // of the content
	inner  frame // the literal packet, which is the plaintext
	outer  frame // the encrypted packet, which is the sealed object
	chunks int64
}

func (f framing) layout(size int64) layout {
	inner := frame{f, tagLiteral, int64(len(literalHead())) + size}
	chunks := (inner.size() + chunkSize - 1) / chunkSize
	outer := frame{f, tagSealed, headSize + inner.size() + (chunks+1)*tagSize}
	return layout{size, inner, outer, chunks}
}

// layoutOf finds the layout of a sealed object by its size. Not every number is
// the size of one.
func (f framing) layoutOf(sealed int64) (layout, error) {
	if sealed < 0 || sealed > maxSize {
		return layout{}, fmt.Errorf("size %d: %w", sealed, ErrSealed)
	}
	size := sort.Search(int(sealed), func(n int) bool {
		return f.layout(int64(n)).outer.size() >= sealed
	})
	l := f.layout(int64(size))
	if l.outer.size() != sealed {
		return layout{}, fmt.Errorf("size %d: %w", sealed, ErrSealed)
	}
	return l, nil
}

// chunk is the body offset of a sealed chunk in the outer packet, and its length.
func (l layout) chunk(i int64) (off, n int64) {
	n = min(chunkSize, l.inner.size()-i*chunkSize) + tagSize
	return headSize + i*(chunkSize+tagSize), n
}

// frameWriter writes the body of a packet and puts the lengths in.
type frameWriter struct {
	w   io.Writer
	f   frame
	off int64
}

func (fw *frameWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if fw.f.starts(fw.off) {
			if _, err := fw.w.Write(fw.f.header(fw.off)); err != nil {
				return n, err
			}
		}
		k := min(int64(len(p)-n), fw.f.left(fw.off))
		if _, err := fw.w.Write(p[n : n+int(k)]); err != nil {
			return n, err
		}
		fw.off += k
		n += int(k)
	}
	return n, nil
}

// frameReader reads the body of a packet and checks and drops the lengths. The
// length of the body may be unknown (negative) until the last segment tells it.
// It returns io.EOF after the last body octet only; what is not framed by the
// one rule, or ends early, is ErrSealed.
type frameReader struct {
	r    io.Reader
	f    frame
	off  int64
	left int64 // in this segment
	last bool
}

// resume is a frameReader of r, which begins with the body octet at off.
func (f frame) resume(r io.Reader, off int64) *frameReader {
	if off == 0 && f.body >= 0 {
		panic("signing: internal error: the start of a packet cannot be resumed")
	}
	return &frameReader{r: r, f: f, off: off, left: f.left(off), last: f.segment(off) == f.partials()}
}

func (fr *frameReader) Read(p []byte) (int, error) {
	for fr.left == 0 {
		if fr.last {
			return 0, io.EOF
		}
		if err := fr.next(); err != nil {
			return 0, err
		}
	}
	n, err := fr.r.Read(p[:min(int64(len(p)), fr.left)])
	fr.left -= int64(n)
	fr.off += int64(n)
	if err == io.EOF {
		if err = nil; n == 0 && len(p) > 0 {
			err = fmt.Errorf("cut at octet %d: %w", fr.off, ErrSealed)
		}
	}
	return n, err
}

// next reads what stands before a segment. That the lengths add up in the one
// way of framing is checked at the last.
func (fr *frameReader) next() error {
	var b [4]byte
	h := b[:1]
	if fr.off == 0 {
		h = b[:2]
	}
	if err := readFull(fr.r, h); err != nil {
		return err
	}
	if fr.off == 0 && h[0] != fr.f.tag {
		return fmt.Errorf("packet %#x: %w", h[0], ErrSealed)
	}
	switch h[len(h)-1] {
	case 0xE0 | fr.f.exp:
		fr.left = 1 << fr.f.exp
		return nil
	case 0xFF:
	default:
		return fmt.Errorf("packet length %#x: %w", h[len(h)-1], ErrSealed)
	}
	if err := readFull(fr.r, b[:4]); err != nil {
		return err
	}
	fr.left, fr.last = int64(binary.BigEndian.Uint32(b[:4])), true
	if fr.f.body < 0 {
		fr.f.body = fr.off + fr.left
	}
	if fr.f.body != fr.off+fr.left || fr.f.partials() != fr.off>>fr.f.exp {
		return fmt.Errorf("packet length %d: %w", fr.f.body, ErrSealed)
	}
	return nil
}

// readFull fills b. An early end is ErrSealed; an error of the reader itself,
// which may pass when tried again, stays what it is.
func readFull(r io.Reader, b []byte) error {
	for n := 0; n < len(b); {
		k, err := r.Read(b[n:])
		if n += k; n < len(b) && err == io.EOF {
			return fmt.Errorf("cut: %w", ErrSealed)
		}
		if n < len(b) && err != nil {
			return err
		}
	}
	return nil
}

// readLiteralHead checks how the body of the literal packet begins.
func readLiteralHead(r io.Reader) error {
	b := make([]byte, len(literalHead()))
	if err := readFull(r, b); err != nil {
		return err
	}
	if !bytes.Equal(b, literalHead()) {
		return fmt.Errorf("literal packet: %w", ErrSealed)
	}
	return nil
}
