package signing

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// cacheChunks is how many opened chunks an Opened keeps: a directory at the end
// of the content, the place being read, and one before and after it.
const cacheChunks = 4

// Source returns a reader of the n sealed octets from off. Opened reads no more
// than n octets of it, closes it, and may ask from several goroutines at once.
type Source func(off, n int64) (io.ReadCloser, error)

// Opened reads the content of a sealed object from any place. No octet comes out
// of a chunk that was not authenticated. It may be used by several goroutines.
type Opened struct {
	src   Source
	lay   layout
	codec *codec

	mu    sync.Mutex
	cache [cacheChunks]cached
	clock int64
}

// cached is one opened chunk. Its octets do not change any more.
type cached struct {
	chunk int64
	plain []byte
	used  int64
}

// Open opens the sealed object of size octets that src reads. It makes two
// reads, the head, and the end with the final tag, after which a wrong key and an
// object that is cut or too long are known. Other altered chunks show when they
// are read.
func Open(src Source, size int64, sk SessionKey) (*Opened, error) {
	return standard().open(src, size, sk)
}

func (f framing) open(src Source, size int64, sk SessionKey) (*Opened, error) {
	lay, err := f.layoutOf(size)
	if err != nil {
		return nil, err
	}
	head, err := read(src, 0, lay.outer.at(headSize))
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	c, err := readHead(&frameReader{r: bytes.NewReader(head), f: lay.outer}, sk)
	if err != nil {
		return nil, err
	}
	o := &Opened{src: src, lay: lay, codec: c}
	return o, o.readTail(size)
}

// wantedTail is how much of the content's end is kept when an object is opened:
// directories stand there.
const wantedTail = 96 << 10

// readTail reads the last chunk, or two where the last is short, and the final
// tag in one read.
func (o *Opened) readTail(size int64) error {
	i := o.lay.chunks - 1
	if _, n := o.lay.chunk(i); i > 0 && n < wantedTail {
		i--
	}
	first, _ := o.lay.chunk(i)
	from := o.lay.outer.at(first)
	r, err := o.src(from, size-from)
	if err != nil {
		return fmt.Errorf("tail: %w", err)
	}
	defer r.Close()
	chunks := &chunkReader{r, o, o.lay.outer.resume(r, first), i}
	for ; i < o.lay.chunks; i++ {
		plain, err := chunks.next(nil)
		if err != nil {
			return fmt.Errorf("tail: %w", err)
		}
		o.keep(i, plain)
	}
	var tag [tagSize]byte
	if err := readFull(chunks.body, tag[:]); err != nil {
		return fmt.Errorf("final tag: %w", err)
	}
	return o.codec.checkFinalTag(tag[:], o.lay.chunks, o.lay.inner.size())
}

// readHead reads the head of the encrypted packet and derives its keys.
func readHead(r io.Reader, sk SessionKey) (*codec, error) {
	var head [headSize]byte
	if err := readFull(r, head[:]); err != nil {
		return nil, err
	}
	if s := suite(); !bytes.Equal(head[:len(s)], s[:]) {
		return nil, fmt.Errorf("algorithms %x: %w", head[:len(s)], ErrSealed)
	}
	return newCodec(sk, head[headSize-saltSize:])
}

// read is one ranged read into memory.
func read(src Source, off, n int64) ([]byte, error) {
	r, err := src(off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, n)
	return b, readFull(r, b)
}

// Size is the size of the content.
func (o *Opened) Size() int64 { return o.lay.size }

// ReadAt reads the content at off, as io.ReaderAt has it. It is meant for the
// small reads of a directory or an index: it keeps a few chunks in memory, and
// fetches 256 KiB at least for what it has not. Use Section for whole documents.
func (o *Opened) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("offset %d: %w", off, fs.ErrInvalid)
	}
	if off >= o.lay.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > o.lay.size-off {
		p, end = p[:o.lay.size-off], io.EOF
	}
	if len(p) == 0 {
		return 0, end
	}
	r := o.content(off, int64(len(p)))
	defer r.Close()
	if n, err := io.ReadFull(r, p); err != nil {
		return n, err
	}
	return len(p), end
}

// content reads a part that is not empty, through the cache if it is small.
func (o *Opened) content(off, n int64) io.ReadCloser {
	body := off + int64(len(literalHead()))
	from, to := o.lay.inner.at(body), o.lay.inner.at(body+n-1)+1
	if to-from > (cacheChunks-1)*chunkSize {
		return o.Section(off, n)
	}
	return io.NopCloser(o.lay.inner.resume(&cacheReader{o, from, to}, body))
}

// cacheReader reads plaintext through the cache.
type cacheReader struct {
	o        *Opened
	pos, end int64
}

func (r *cacheReader) Read(p []byte) (int, error) {
	plain, err := r.o.chunkAt(r.pos/chunkSize, (r.end-1)/chunkSize)
	if err != nil {
		return 0, err
	}
	n := copy(p, plain[r.pos%chunkSize:])
	r.pos += int64(n)
	return n, nil
}

// chunkAt returns chunk i. Where it must be fetched, one read brings the chunks
// up to last that follow it and are not in the cache either.
func (o *Opened) chunkAt(i, last int64) ([]byte, error) {
	o.mu.Lock()
	plain := o.cachedChunk(i)
	end := i + 1
	for plain == nil && end <= last && o.cachedChunk(end) == nil {
		end++
	}
	o.mu.Unlock()
	if plain != nil {
		return plain, nil
	}
	r, err := o.chunks(i, end)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for n := i; n < end; n++ {
		next, err := r.next(nil)
		if err != nil {
			return nil, err
		}
		if n == i {
			plain = next
		}
		o.keep(n, next)
	}
	return plain, nil
}

// cachedChunk is called with the lock held.
func (o *Opened) cachedChunk(i int64) []byte {
	for k := range o.cache {
		if c := &o.cache[k]; c.plain != nil && c.chunk == i {
			o.clock++
			c.used = o.clock
			return c.plain
		}
	}
	return nil
}

// keep puts a chunk in the place of the one not used for longest.
func (o *Opened) keep(i int64, plain []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cachedChunk(i) != nil {
		return
	}
	old := &o.cache[0]
	for k := range o.cache {
		if o.cache[k].used < old.used {
			old = &o.cache[k]
		}
	}
	o.clock++
	*old = cached{chunk: i, plain: plain, used: o.clock}
}

// chunkReader opens the chunks of one ranged read, one after the other.
type chunkReader struct {
	io.Closer
	o    *Opened
	body *frameReader
	i    int64
}

// chunks reads the chunks from i up to but not including end.
func (o *Opened) chunks(i, end int64) (*chunkReader, error) {
	first, _ := o.lay.chunk(i)
	last, n := o.lay.chunk(end - 1)
	from, to := o.lay.outer.at(first), o.lay.outer.at(last+n-1)+1
	r, err := o.src(from, to-from)
	if err != nil {
		return nil, err
	}
	return &chunkReader{r, o, o.lay.outer.resume(r, first), i}, nil
}

// next opens the next chunk in buf, if that has the room for it.
func (r *chunkReader) next(buf []byte) ([]byte, error) {
	_, n := r.o.lay.chunk(r.i)
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	if err := readFull(r.body, buf[:n]); err != nil {
		return nil, fmt.Errorf("chunk %d: %w", r.i, err)
	}
	plain, err := r.o.codec.open(buf[:n], r.i)
	if err != nil {
		return nil, err
	}
	start := append(r.o.lay.inner.header(0), literalHead()...)
	if r.i == 0 && !bytes.HasPrefix(plain, start) {
		return nil, fmt.Errorf("literal packet: %w", ErrSealed)
	}
	r.i++
	return plain, nil
}

// Section reads the n octets of the content from off, in order, with one ranged
// read of exactly the chunks that cover them. It returns io.EOF when all n were
// read. The ranged read begins with the first Read.
func (o *Opened) Section(off, n int64) io.ReadCloser {
	if off < 0 || n < 0 || off > o.lay.size || n > o.lay.size-off {
		return &section{err: fmt.Errorf("section %d+%d of %d: %w", off, n, o.lay.size, fs.ErrInvalid)}
	}
	if n == 0 {
		return &section{err: io.EOF}
	}
	body := off + int64(len(literalHead()))
	from, to := o.lay.inner.at(body), o.lay.inner.at(body+n-1)+1
	s := &section{o: o, pos: from, end: to, left: n}
	s.inner = o.lay.inner.resume((*sectionPlain)(s), body)
	return s
}

// section is one sequential read: chunks, then plaintext, then content.
type section struct {
	o        *Opened
	r        *chunkReader
	inner    *frameReader
	buf      []byte
	plain    []byte // opened and not read yet
	pos, end int64  // of the plaintext
	left     int64  // of the content
	err      error
}

func (s *section) Read(p []byte) (int, error) {
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	n, err := s.inner.Read(p[:min(int64(len(p)), s.left)])
	if s.left -= int64(n); err == nil && s.left == 0 {
		err = io.EOF
	}
	s.err = err
	return n, err
}

func (s *section) Close() error {
	s.err = fs.ErrClosed
	s.buf, s.plain = nil, nil
	if s.r == nil {
		return nil
	}
	return s.r.Close()
}

// sectionPlain reads the plaintext of a section.
type sectionPlain section

func (s *sectionPlain) Read(p []byte) (int, error) {
	if s.r == nil {
		var err error
		if s.r, err = s.o.chunks(s.pos/chunkSize, (s.end-1)/chunkSize+1); err != nil {
			return 0, err
		}
	}
	if len(s.plain) == 0 {
		plain, err := s.r.next(s.buf)
		if err != nil {
			return 0, err
		}
		s.buf, s.plain = plain[:cap(plain)], plain[s.pos%chunkSize:]
	}
	n := copy(p, s.plain)
	s.plain, s.pos = s.plain[n:], s.pos+int64(n)
	return n, nil
}
