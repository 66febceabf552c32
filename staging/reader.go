package staging

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/luutru/luutru/store"
)

const (
	cached  = 96 // segments in memory: 6 MiB
	longest = 32 // segments of one request at most: 2 MiB
)

// Reader reads an upload at random, as it was when Reader was called. It holds
// a few decrypted segments, and asks for more at a time the longer it is read
// in one direction.
type Reader struct {
	ctx    context.Context
	area   *Area
	pieces []piece
	size   int64

	mu    sync.Mutex
	aeads map[int]cipher.AEAD // of the pieces, by number
	cache map[place][]byte
	order []place // of the cache, oldest first
	next  place   // behind the last request
	run   int64   // segments of the last request
	err   error   // the first failure
}

// place is a segment of a piece.
type place struct {
	piece int
	n     int64
}

// Reader returns a reader of what is stored. It ends with ctx.
func (u *Upload) Reader(ctx context.Context) *Reader {
	return &Reader{
		ctx: ctx, area: u.area, pieces: slices.Clone(u.pieces), size: u.offset,
		aeads: map[int]cipher.AEAD{}, cache: map[place][]byte{},
	}
}

// Size is the number of octets that can be read.
func (r *Reader) Size() int64 { return r.size }

// Err returns why something could not be read that is there, if that happened.
// What was concluded from such a reading says nothing about the upload.
func (r *Reader) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("offset %d: %w", off, fs.ErrInvalid)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && off < r.size {
		i, _ := slices.BinarySearchFunc(r.pieces, off, func(p piece, off int64) int {
			switch {
			case off < p.start:
				return 1
			case off >= p.end():
				return -1
			}
			return 0
		})
		in := off - r.pieces[i].start
		b, err := r.segment(place{i, in / segment})
		if err != nil {
			if r.err == nil {
				r.err = err
			}
			return n, err
		}
		c := copy(p[n:], b[in%segment:])
		n, off = n+c, off+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// segment returns the plain text of a segment.
func (r *Reader) segment(at place) ([]byte, error) {
	if b, ok := r.cache[at]; ok {
		return b, nil
	}
	p := r.pieces[at.piece]
	count := segments(p.size)
	r.run = r.ahead(at)
	last := min(count, at.n+r.run)
	aead, sealed, err := r.fetch(at, last)
	if err != nil {
		return nil, err
	}
	plain, err := openSegments(aead, p.key, sealed, at.n, count)
	if err != nil {
		return nil, err
	}
	if want := min(p.size, last*segment) - at.n*segment; int64(len(plain)) != want {
		return nil, fmt.Errorf("%s: %w", p.key, ErrCorrupt)
	}
	for n := at.n; n < last; n++ {
		one := plain[:min(len(plain), segment)]
		plain = plain[len(one):]
		r.keep(place{at.piece, n}, one)
	}
	r.next = place{at.piece, last}
	if last == count {
		r.next = place{at.piece + 1, 0}
	}
	return r.cache[at], nil
}

// ahead is how many segments to ask for: more each time one goes on where the
// last request ended.
func (r *Reader) ahead(at place) int64 {
	if at == r.next && r.run > 0 {
		return min(2*r.run, longest)
	}
	return 1
}

// fetch reads the segments of a piece up to last, and returns with them what
// decrypts them. That hangs on the salt at the object's head, which comes in the
// same request if the first segment does.
func (r *Reader) fetch(at place, last int64) (cipher.AEAD, []byte, error) {
	p := &r.pieces[at.piece]
	begin, end := offsetOf(at.n), min(offsetOf(last), sealedSize(p.size))
	aead, known := r.aeads[at.piece]
	if !known && at.n == 0 {
		begin = 0
	}
	sealed, err := r.get(p.key, begin, end-begin)
	if err != nil || known {
		return aead, sealed, err
	}
	salt := sealed
	if begin == 0 {
		sealed = sealed[saltSize:]
	} else if salt, err = r.get(p.key, 0, saltSize); err != nil {
		return nil, nil, err
	}
	if aead, err = r.area.aead(p.key, salt[:saltSize]); err != nil {
		return nil, nil, err
	}
	if len(r.aeads) >= cached {
		clear(r.aeads)
	}
	r.aeads[at.piece] = aead
	return aead, sealed, nil
}

func (r *Reader) get(key string, begin, length int64) ([]byte, error) {
	body, _, err := r.area.Store.Get(r.ctx, key, &store.GetOptions{Offset: begin, Length: length})
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	b := make([]byte, length)
	_, err = io.ReadFull(body, b)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = ErrCorrupt
	}
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}

func (r *Reader) keep(at place, b []byte) {
	if len(r.order) >= cached {
		delete(r.cache, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	r.cache[at] = b
	r.order = append(r.order, at)
}
