package signing

import (
	"fmt"
	"io"
)

// OpenStream reads the whole content of the sealed object that r reads, in
// order. Each chunk is authenticated before it is handed out, and io.EOF comes
// only after the final tag was verified and r has ended: any other end is an
// error, and then what was read must not be used as if it were the content.
func OpenStream(r io.Reader, sk SessionKey) io.Reader {
	return standard().openStream(r, sk)
}

func (f framing) openStream(r io.Reader, sk SessionKey) io.Reader {
	unknown := int64(-1)
	s := &stream{r: r, sk: sk}
	s.outer = &frameReader{r: r, f: frame{f, tagSealed, unknown}}
	s.inner = &frameReader{r: (*streamPlain)(s), f: frame{f, tagLiteral, unknown}}
	return s
}

// stream opens one chunk on a goroutine of its own while the caller works on
// the chunk before it. The goroutine touches nothing but its chunk, so a stream
// that is given up leaves nothing behind.
type stream struct {
	r     io.Reader
	sk    SessionKey
	codec *codec
	outer *frameReader
	inner *frameReader

	tail  [tagSize]byte // read ahead: it may be the final tag
	plain []byte        // opened and not read yet
	spare []byte        // the buffer of what was read
	ahead *opening
	chunk int64 // number of the next chunk to be fetched
	total int64 // plaintext before it
	err   error
}

// opening is one chunk being opened.
type opening struct {
	buf   []byte // all of the buffer
	plain []byte
	last  bool
	err   error
	done  chan struct{}
}

func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	if s.codec == nil {
		if s.err = s.start(); s.err != nil {
			return 0, s.err
		}
	}
	n, err := s.inner.Read(p)
	if err == io.EOF {
		err = s.end()
	}
	s.err = err
	return n, err
}

func (s *stream) start() (err error) {
	if s.codec, err = readHead(s.outer, s.sk); err != nil {
		return err
	}
	s.sk = SessionKey{}
	if err := readFull(s.outer, s.tail[:]); err != nil {
		return err
	}
	s.ahead = s.fetch(nil)
	return readLiteralHead(s.inner)
}

// end is reached at the end of the literal packet. That nothing follows it, in
// the plaintext or in the object, is what is left to be proved.
func (s *stream) end() error {
	var b [1]byte
	if n, err := (*streamPlain)(s).Read(b[:]); n > 0 {
		return fmt.Errorf("after the literal packet: %w", ErrSealed)
	} else if err != io.EOF {
		return err
	}
	for {
		n, err := s.r.Read(b[:])
		if n > 0 {
			return fmt.Errorf("after the last octet: %w", ErrSealed)
		}
		if err != nil {
			return err
		}
	}
}

// fetch reads the next chunk and has it opened. The sixteen octets that follow
// a chunk are needed to know whether it is the last.
func (s *stream) fetch(buf []byte) *opening {
	if buf == nil {
		buf = make([]byte, s.room())
	}
	o := &opening{buf: buf, done: make(chan struct{})}
	copy(buf, s.tail[:])
	n, err := io.ReadFull(s.outer, buf[tagSize:])
	copy(s.tail[:], buf[n:])
	o.last = err == io.EOF || err == io.ErrUnexpectedEOF && s.outer.left == 0 && s.outer.last
	switch {
	case err != nil && !o.last:
		o.err = err
	case o.last && n > 0 && n <= tagSize:
		o.err = fmt.Errorf("chunk of %d octets: %w", n, ErrSealed)
	}
	if o.err != nil {
		close(o.done)
		return o
	}
	chunk := s.chunk
	if n > 0 {
		s.chunk++
		s.total += int64(n - tagSize)
	}
	go o.open(s.codec, n, chunk, s.total)
	return o
}

// room is the size of a buffer: less for an object known to be small.
func (s *stream) room() int64 {
	const whole = chunkSize + 2*tagSize
	if s.outer.f.body < 0 {
		return whole
	}
	return min(whole, s.outer.f.body-s.outer.off+2*tagSize)
}

// open opens the n octets of the chunk, if any, and checks the final tag if the
// chunk is the last.
func (o *opening) open(c *codec, n int, chunk, total int64) {
	defer close(o.done)
	chunks := chunk
	if o.last {
		tag := o.buf[n : n+tagSize]
		if n > 0 {
			chunks++
		}
		if o.err = c.checkFinalTag(tag, chunks, total); o.err != nil {
			return
		}
	}
	if n > 0 {
		o.plain, o.err = c.open(o.buf[:n], chunk)
	}
}

// streamPlain reads the plaintext of a stream.
type streamPlain stream

func (s *streamPlain) Read(p []byte) (int, error) {
	for len(s.plain) == 0 {
		o := s.ahead
		if o == nil {
			return 0, io.EOF
		}
		<-o.done
		if o.err != nil {
			return 0, o.err
		}
		s.ahead = nil
		if !o.last {
			s.ahead = (*stream)(s).fetch(s.spare)
		}
		s.plain, s.spare = o.plain, o.buf
	}
	n := copy(p, s.plain)
	s.plain = s.plain[n:]
	return n, nil
}
