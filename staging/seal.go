package staging

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// A stored object is a salt and segments. Each segment is AES-256-GCM under a
// key that belongs to this object's name and salt alone; its nonce is its
// number and whether it is the last. So any segment can be read by itself, and
// none can be moved, dropped or doubled unnoticed.
const (
	saltSize = 16
	tagSize  = 16
	segment  = 64 << 10 // octets of plain text in all segments but the last
)

// sealedSize is the size of an object with n octets of plain text.
func sealedSize(n int64) int64 {
	return saltSize + n + tagSize*max(1, (n+segment-1)/segment)
}

// plainSize is the size of the plain text of an object of this size, or -1 if
// there is none such.
func plainSize(sealed int64) int64 {
	body := sealed - saltSize
	if body < tagSize {
		return -1
	}
	whole, rest := body/(segment+tagSize), body%(segment+tagSize)
	switch {
	case rest == 0:
		return whole * segment
	case rest < tagSize, rest == tagSize && whole > 0:
		return -1
	}
	return whole*segment + rest - tagSize
}

// offsetOf is where a segment begins in the object.
func offsetOf(n int64) int64 { return saltSize + n*(segment+tagSize) }

func (a *Area) aead(name string, salt []byte) (cipher.AEAD, error) {
	key, err := a.objectKey(name, salt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(n int64, last bool) []byte {
	var b [12]byte
	if last {
		b[7] = 1
	}
	binary.BigEndian.PutUint32(b[8:], uint32(n))
	return b[:]
}

// sealer encrypts an object as its plain text arrives.
type sealer struct {
	aead    cipher.AEAD
	out     []byte // sealed segments
	pending []byte // what is not sealed yet: a segment at most, and while reading two
	n       int64  // segments sealed
	size    int    // octets written
}

// sealer begins an object in the given buffer, which may be nil.
func (a *Area) sealer(name string, buffer []byte) (*sealer, error) {
	var salt [saltSize]byte
	rand.Read(salt[:])
	aead, err := a.aead(name, salt[:])
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, out: append(buffer[:0], salt[:]...), pending: make([]byte, 0, 2*segment)}, nil
}

// space returns where up to limit further octets can be read into; advance
// tells how many were.
func (s *sealer) space(limit int) []byte {
	return s.pending[len(s.pending):min(2*segment, len(s.pending)+limit)]
}

func (s *sealer) advance(n int) {
	s.pending = s.pending[:len(s.pending)+n]
	s.size += n
	if len(s.pending) > segment { // what is behind it says that it is not the last
		s.seal(s.pending[:segment], false)
		s.pending = s.pending[:copy(s.pending, s.pending[segment:])]
	}
}

func (s *sealer) write(p []byte) {
	for len(p) > 0 {
		n := copy(s.space(len(p)), p)
		s.advance(n)
		p = p[n:]
	}
}

func (s *sealer) seal(plain []byte, last bool) {
	s.out = s.aead.Seal(s.out, nonce(s.n, last), plain, nil)
	s.n++
}

// close seals the last segment and returns the object.
func (s *sealer) close() []byte {
	s.seal(s.pending, true)
	return s.out
}

// open decrypts a whole object.
func (a *Area) open(name string, sealed []byte) ([]byte, error) {
	size := plainSize(int64(len(sealed)))
	if size < 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrCorrupt)
	}
	aead, err := a.aead(name, sealed[:saltSize])
	if err != nil {
		return nil, err
	}
	return openSegments(aead, name, sealed[saltSize:], 0, segments(size))
}

// segments is how many segments so many octets make.
func segments(size int64) int64 { return max(1, (size+segment-1)/segment) }

// openSegments decrypts consecutive segments of an object that has count, in
// place.
func openSegments(aead cipher.AEAD, name string, sealed []byte, first, count int64) ([]byte, error) {
	out := sealed[:0]
	for n := first; len(sealed) > 0; n++ {
		one := sealed[:min(len(sealed), segment+tagSize)]
		sealed = sealed[len(one):]
		var err error
		// The plain text lands at or before where its segment began.
		plain, err := aead.Open(one[:0], nonce(n, n == count-1), one, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, ErrCorrupt)
		}
		out = append(out, plain...)
	}
	return out, nil
}
