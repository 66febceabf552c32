package cms

import (
	"errors"
	"fmt"
	"io"
)

const (
	maxDepth    = 24
	maxElements = 1 << 20
	maxPart     = 16 << 20 // of what is held in memory: certificates, lists, signers
)

// errBER is what breaks X.690.
var errBER = errors.New("CMS: broken BER")

// node is one BER element in a source.
type node struct {
	class       byte // 0 universal, 2 context-specific
	tag         int
	constructed bool
	indefinite  bool
	off         int64 // of its tag
	body, end   int64 // its content
	next        int64 // of what follows
}

func (n node) is(class byte, tag int, constructed bool) bool {
	return n.class == class && n.tag == tag && n.constructed == constructed
}

// source reads BER from anything, with a bound on the number of elements, so
// that a large file of tiny elements takes no time.
type source struct {
	r    io.ReaderAt
	size int64
	left int
}

// element reads the element at off, which ends at limit or before.
func (s *source) element(off, limit int64, depth int) (node, error) {
	n := node{off: off}
	if s.left--; s.left < 0 || depth > maxDepth {
		return n, fmt.Errorf("%w: too many elements", errBER)
	}
	var head [12]byte
	k, err := s.r.ReadAt(head[:min(int64(len(head)), max(0, limit-off))], off)
	if k < 2 {
		if err == nil || errors.Is(err, io.EOF) {
			err = errBER
		}
		return n, err
	}
	h, length, ok := header(head[:k], &n)
	if !ok {
		return n, errBER
	}
	n.body = off + int64(h)
	if !n.indefinite {
		if n.end = n.body + length; length > limit-n.body {
			return n, fmt.Errorf("%w: longer than its container", errBER)
		}
		n.next = n.end
		return n, nil
	}
	for at := n.body; ; {
		c, err := s.element(at, limit, depth+1)
		if err != nil {
			return n, err
		}
		if c.is(0, 0, false) { // end of contents
			if c.body != c.end {
				return n, errBER
			}
			n.end, n.next = at, c.next
			return n, nil
		}
		at = c.next
	}
}

// header reads tag and length, and tells how long both are.
func header(b []byte, n *node) (size int, length int64, ok bool) {
	n.class, n.constructed, n.tag = b[0]>>6, b[0]&0x20 != 0, int(b[0]&0x1F)
	i := 1
	if n.tag == 0x1F {
		for n.tag = 0; ; i++ {
			if i == len(b) || i > 4 {
				return 0, 0, false
			}
			n.tag = n.tag<<7 | int(b[i]&0x7F)
			if b[i]&0x80 == 0 {
				i++
				break
			}
		}
	}
	if i == len(b) {
		return 0, 0, false
	}
	first := b[i]
	i++
	switch {
	case first < 0x80:
		return i, int64(first), true
	case first == 0x80:
		n.indefinite = true
		return i, 0, n.constructed
	}
	k := int(first & 0x7F)
	if k > 7 || i+k > len(b) {
		return 0, 0, false
	}
	for _, c := range b[i : i+k] {
		length = length<<8 | int64(c)
	}
	return i + k, length, true
}

// children lists what an element holds, at most limit of them.
func (s *source) children(n node, limit int) ([]node, error) {
	var out []node
	for at := n.body; at < n.end; {
		c, err := s.element(at, n.end, 1)
		if err != nil {
			return nil, err
		}
		if out = append(out, c); len(out) > limit {
			return nil, fmt.Errorf("%w: too many elements", errBER)
		}
		at = c.next
	}
	return out, nil
}

// octets calls f with every piece of an octet string, which may be cut into
// pieces of pieces.
func (s *source) octets(n node, depth int, f func(off, n int64) error) error {
	if depth > maxDepth || n.class != 0 || n.tag != 4 {
		return errBER
	}
	if !n.constructed {
		return f(n.body, n.end-n.body)
	}
	for at := n.body; at < n.end; {
		c, err := s.element(at, n.end, depth)
		if err != nil {
			return err
		}
		if err := s.octets(c, depth+1, f); err != nil {
			return err
		}
		at = c.next
	}
	return nil
}

// der reads an element into memory, in DER as far as lengths and octet strings
// go. The order of sets stays: signatures were made over it.
func (s *source) der(n node) ([]byte, error) {
	b, err := s.bytes(n)
	if err != nil {
		return nil, err
	}
	in := &source{r: bytesAt(b), size: int64(len(b)), left: s.left}
	out, err := in.encode(b, 0, int64(len(b)), 0)
	s.left = in.left
	return out, err
}

// raw reads an element that is DER in itself, or not to be used: a certificate,
// a revocation list.
func (s *source) raw(n node) ([]byte, error) {
	if n.indefinite {
		return s.der(n)
	}
	return s.bytes(n)
}

func (s *source) bytes(n node) ([]byte, error) {
	if n.next-n.off > maxPart {
		return nil, fmt.Errorf("%w: a part of more than %d octets", errBER, maxPart)
	}
	b := make([]byte, n.next-n.off)
	if k, err := s.r.ReadAt(b, n.off); k < len(b) {
		return nil, fmt.Errorf("CMS: %w", err)
	}
	return b, nil
}

func (s *source) encode(b []byte, off, limit int64, depth int) ([]byte, error) {
	n, err := s.element(off, limit, depth)
	if err != nil {
		return nil, err
	}
	var body []byte
	switch {
	case !n.constructed:
		body = b[n.body:n.end]
	case n.class == 0 && n.tag == 4:
		err = s.octets(n, depth+1, func(off, k int64) error { body = append(body, b[off:off+k]...); return nil })
	default:
		for at := n.body; at < n.end && err == nil; {
			var c node
			if c, err = s.element(at, n.end, depth+1); err != nil {
				break
			}
			var part []byte
			part, err = s.encode(b, at, c.next, depth+1)
			body, at = append(body, part...), c.next
		}
	}
	if err != nil {
		return nil, err
	}
	return append(tagLength(n, len(body)), body...), nil
}

// tagLength writes the head of an element in DER.
func tagLength(n node, length int) []byte {
	first := n.class << 6
	if n.constructed && (n.class != 0 || n.tag != 4) {
		first |= 0x20
	}
	var out []byte
	if n.tag < 0x1F {
		out = []byte{first | byte(n.tag)}
	} else {
		var low []byte
		for t := n.tag; ; t >>= 7 {
			low = append([]byte{byte(t&0x7F) | 0x80}, low...)
			if t < 0x80 {
				break
			}
		}
		low[len(low)-1] &= 0x7F
		out = append([]byte{first | 0x1F}, low...)
	}
	if length < 0x80 {
		return append(out, byte(length))
	}
	var be []byte
	for l := length; l > 0; l >>= 8 {
		be = append([]byte{byte(l)}, be...)
	}
	return append(append(out, 0x80|byte(len(be))), be...)
}

// bytesAt is a slice as an io.ReaderAt.
type bytesAt []byte

// ReadAt is that of io.ReaderAt.
func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
