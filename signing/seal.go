package signing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// suite is what the encrypted packet says about itself before the salt: version
// 2, AES-256, GCM, chunks of 256 KiB. No other suite is written or accepted.
func suite() [4]byte { return [4]byte{2, 9, 3, chunkOctet} }

// codec seals and opens the chunks of one object (RFC 9580 section 5.13.2).
type codec struct {
	aead  cipher.AEAD
	iv    [4]byte
	bound [5]byte // the associated data: tag octet and suite
}

func newCodec(sk SessionKey, salt []byte) (*codec, error) {
	s := suite()
	c := &codec{bound: [5]byte{tagSealed, s[0], s[1], s[2], s[3]}}
	derived, err := hkdf.Key(sha256.New, sk[:], salt, string(c.bound[:]), 32+len(c.iv))
	if err != nil {
		return nil, err
	}
	defer clear(derived)
	copy(c.iv[:], derived[32:])
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, err
	}
	c.aead, err = cipher.NewGCM(block)
	return c, err
}

// nonce is that of chunk i. The salt makes every key new, so none occurs twice.
func (c *codec) nonce(i int64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 12), c.iv[:]...), uint64(i))
}

// seal appends chunk i to dst, which may be plain[:0].
func (c *codec) seal(dst, plain []byte, i int64) []byte {
	return c.aead.Seal(dst, c.nonce(i), plain, c.bound[:])
}

// open opens chunk i in place.
func (c *codec) open(sealed []byte, i int64) ([]byte, error) {
	plain, err := c.aead.Open(sealed[:0], c.nonce(i), sealed, c.bound[:])
	if err != nil {
		return nil, fmt.Errorf("chunk %d: %w", i, ErrSealed)
	}
	return plain, nil
}

// total is the associated data of the final tag, which binds the plaintext's length.
func (c *codec) total(plain int64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 13), c.bound[:]...), uint64(plain))
}

// finalTag ends an object of so many chunks and octets of plaintext.
func (c *codec) finalTag(chunks, plain int64) []byte {
	return c.aead.Seal(nil, c.nonce(chunks), nil, c.total(plain))
}

// checkFinalTag proves that nothing is missing at the end.
func (c *codec) checkFinalTag(tag []byte, chunks, plain int64) error {
	if _, err := c.aead.Open(nil, c.nonce(chunks), tag, c.total(plain)); err != nil {
		return fmt.Errorf("final tag: %w", ErrSealed)
	}
	return nil
}

// SealedSize is the size of the sealed object of a content of size octets.
func SealedSize(size int64) int64 {
	return standard().layout(size).outer.size()
}

// Sealer seals what is written to it. It must be closed, and only Close tells
// that the object is whole. It is not for use by several goroutines at once.
type Sealer struct {
	lay     layout
	codec   *codec
	out     frameWriter
	off     int64  // body octets of the literal packet so far
	plain   []byte // the chunk being filled
	chunk   int64  // its number
	workers int
	running chan struct{} // holds one token for each chunk being sealed
	jobs    []*sealing    // under way, in the order of the object
	free    [][]byte
	err     error
	closed  bool
}

// sealing is one chunk on its way through a goroutine.
type sealing struct {
	buf  []byte
	done chan struct{}
}

var (
	errClosed = errors.New("sealer is closed")
	errLong   = errors.New("more content than announced")
	errShort  = errors.New("less content than announced")
)

// NewSealer returns a Sealer that writes the sealed object of a content of
// exactly size octets to w, in order and from the caller's goroutine only.
//
// With more than one worker, chunks are sealed on that many goroutines while
// the caller goes on; the Sealer then holds up to 2*workers+1 chunks of 256 KiB,
// otherwise one. After an error nothing more is written to w.
func NewSealer(w io.Writer, size int64, sk SessionKey, workers int) (*Sealer, error) {
	return standard().newSealer(w, size, sk, workers)
}

func (f framing) newSealer(w io.Writer, size int64, sk SessionKey, workers int) (*Sealer, error) {
	if size < 0 || size > maxSize/2 {
		return nil, fmt.Errorf("size %d cannot be sealed", size)
	}
	head := suite()
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	c, err := newCodec(sk, salt)
	if err != nil {
		return nil, err
	}
	s := &Sealer{lay: f.layout(size), codec: c, workers: workers}
	s.out = frameWriter{w: w, f: s.lay.outer}
	s.plain = s.buffer()
	if workers > 1 {
		s.running = make(chan struct{}, workers)
	}
	if _, err := s.out.Write(append(head[:], salt...)); err != nil {
		return nil, err
	}
	return s, s.put(literalHead())
}

// Write seals p. It keeps nothing of p after it returns.
func (s *Sealer) Write(p []byte) (int, error) {
	switch {
	case s.err != nil:
	case s.closed:
		return 0, errClosed
	case int64(len(p)) > s.lay.inner.body-s.off:
		s.err = errLong
	default:
		s.err = s.put(p)
	}
	if s.err != nil {
		return 0, s.err
	}
	return len(p), nil
}

// Close seals what is left and ends the object with its final tag. It fails,
// and leaves the object without an end, unless the size announced was written.
func (s *Sealer) Close() error {
	if s.err == nil && !s.closed {
		s.err = s.finish()
	}
	s.closed = true
	s.plain, s.free = nil, nil
	return s.err
}

func (s *Sealer) finish() error {
	if s.off != s.lay.inner.body {
		return fmt.Errorf("%w: %d of %d octets", errShort, s.off-int64(len(literalHead())), s.lay.size)
	}
	if len(s.plain) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if err := s.drain(0); err != nil {
		return err
	}
	_, err := s.out.Write(s.codec.finalTag(s.chunk, s.lay.inner.size()))
	return err
}

// put takes body octets of the literal packet and puts its lengths in.
func (s *Sealer) put(p []byte) error {
	for len(p) > 0 {
		if s.lay.inner.starts(s.off) {
			if err := s.fill(s.lay.inner.header(s.off)); err != nil {
				return err
			}
		}
		n := min(int64(len(p)), s.lay.inner.left(s.off))
		if err := s.fill(p[:n]); err != nil {
			return err
		}
		s.off += n
		p = p[n:]
	}
	return nil
}

// fill takes octets of plaintext and seals each chunk that they fill.
func (s *Sealer) fill(p []byte) error {
	for len(p) > 0 {
		if s.workers <= 1 && len(s.plain) == 0 && len(p) >= chunkSize {
			// A whole chunk need not be copied before it is sealed.
			if err := s.write(s.codec.seal(s.plain, p[:chunkSize], s.chunk)); err != nil {
				return err
			}
			p = p[chunkSize:]
			continue
		}
		n := min(len(p), chunkSize-len(s.plain))
		s.plain, p = append(s.plain, p[:n]...), p[n:]
		if len(s.plain) == chunkSize {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush seals the chunk at hand, here or on a goroutine.
func (s *Sealer) flush() error {
	if s.workers <= 1 {
		sealed := s.codec.seal(s.plain[:0], s.plain, s.chunk)
		s.plain = s.plain[:0]
		return s.write(sealed)
	}
	if err := s.drain(2*s.workers - 1); err != nil {
		return err
	}
	job := &sealing{buf: s.plain, done: make(chan struct{})}
	chunk := s.chunk
	go func() {
		s.running <- struct{}{}
		job.buf = s.codec.seal(job.buf[:0], job.buf, chunk)
		<-s.running
		close(job.done)
	}()
	s.jobs = append(s.jobs, job)
	s.chunk++
	s.plain = s.buffer()
	return nil
}

// drain writes the oldest chunks under way until at most keep are left.
func (s *Sealer) drain(keep int) error {
	for len(s.jobs) > keep {
		job := s.jobs[0]
		s.jobs = append(s.jobs[:0], s.jobs[1:]...)
		<-job.done
		if _, err := s.out.Write(job.buf); err != nil {
			return err
		}
		s.free = append(s.free, job.buf[:0])
	}
	return nil
}

func (s *Sealer) write(sealed []byte) error {
	s.chunk++
	_, err := s.out.Write(sealed)
	return err
}

// buffer returns an empty buffer with room for one sealed chunk.
func (s *Sealer) buffer() []byte {
	if n := len(s.free); n > 0 {
		b := s.free[n-1]
		s.free = s.free[:n-1]
		return b
	}
	return make([]byte, 0, min(chunkSize, s.lay.inner.size())+tagSize)
}
