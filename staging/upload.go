package staging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/store"
)

const (
	// Block is how many octets of an upload one object holds at most. No
	// object crosses a multiple of it.
	Block = 8 << 20
	// maxPieces is how many objects a block that is not complete may lie in.
	maxPieces = 1024
)

// Upload is an upload as it was when it was opened or last appended to. It is
// for one goroutine at a time.
type Upload struct {
	ID string
	About

	area   *Area
	name   string // of its objects
	pieces []piece
	offset int64
	answer []byte // nil: not finished
}

// piece is a stored object and the part of the upload that it holds.
type piece struct {
	key         string
	start, size int64
}

func (p *piece) end() int64 { return p.start + p.size }

// Expires is when the upload is given up.
func (u *Upload) Expires() time.Time { return u.Created.Add(u.area.Keep) }

// Offset is how many octets are stored durably.
func (u *Upload) Offset() int64 { return u.offset }

// Complete reports whether all of the upload is there.
func (u *Upload) Complete() bool { return u.Size == u.offset }

// Answer returns what the upload was finished with, or nil.
func (u *Upload) Answer() []byte { return u.answer }

// A whole block lies in one object at its offset 0. One that arrived in several
// pieces is put together again under the block's own name.
func (u *Upload) pieceKey(at int64) string {
	return fmt.Sprintf("%s%s/%08d.%07d", dataPrefix, u.name, at/u.area.block, at%u.area.block)
}

func (u *Upload) blockKey(block int64) string {
	return fmt.Sprintf("%s%s/%08d", dataPrefix, u.name, block)
}

// parseKey reads the last part of a key: the offset, and whether the object
// holds a block that was put together.
func (a *Area) parseKey(name string) (start int64, whole, ok bool) {
	b, o, split := strings.Cut(name, ".")
	block, err := strconv.ParseUint(b, 10, 31)
	if err != nil || len(b) != 8 {
		return 0, false, false
	}
	if !split {
		return int64(block) * a.block, true, true
	}
	at, err := strconv.ParseUint(o, 10, 31)
	if err != nil || len(o) != 7 || int64(at) >= a.block {
		return 0, false, false
	}
	return int64(block)*a.block + int64(at), false, true
}

// scan finds the pieces that continue each other from the beginning: that is
// the upload. What a block was put together from is passed over.
func (u *Upload) scan(ctx context.Context) error {
	u.pieces, u.offset = nil, 0
	prefix := dataPrefix + u.name + "/"
	for info, err := range u.area.Store.List(ctx, prefix, nil) {
		if err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		start, whole, ok := u.area.parseKey(strings.TrimPrefix(info.Key, prefix))
		size := plainSize(info.Size)
		if !ok || size <= 0 || start%u.area.block+size > u.area.block || whole && size != u.area.block {
			return fmt.Errorf("%s: %w", info.Key, ErrCorrupt)
		}
		if start < u.offset {
			continue
		}
		if start > u.offset {
			break
		}
		u.add(piece{info.Key, start, size})
	}
	return nil
}

func (u *Upload) add(p piece) {
	u.pieces = append(u.pieces, p)
	u.offset = p.end()
}

// chunk is a piece on its way.
type chunk struct {
	piece
	sealed []byte
}

// Append adds what r gives, at the offset, which must be the upload's. It
// returns how many octets are durably stored, also beside an error: of r, of
// the store, or ErrOffset if somebody else appended meanwhile. Octets beyond the
// upload's size are ErrTooLarge. While one piece is being stored the next is
// read; they are stored in order.
func (u *Upload) Append(ctx context.Context, offset int64, r io.Reader) (int64, error) {
	if offset != u.offset || u.answer != nil {
		return 0, fmt.Errorf("%w: %d, not %d", ErrOffset, u.offset, offset)
	}
	select {
	case u.area.slots <- struct{}{}:
		defer func() { <-u.area.slots }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	at := offset
	var err error
	var stored chan error
	var before *chunk
	for err == nil {
		var c *chunk
		c, err = u.read(r, at)
		if stored != nil {
			if failed := <-stored; failed != nil {
				return u.offset - offset, failed
			}
			u.landed(ctx, before)
			stored = nil
		}
		if c == nil {
			break
		}
		at, before, stored = c.end(), c, make(chan error, 1)
		go func() { stored <- u.store(ctx, c) }()
	}
	if stored != nil {
		if failed := <-stored; failed != nil {
			return u.offset - offset, failed
		}
		u.landed(ctx, before)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return u.offset - offset, err
}

// landed takes note of a stored piece.
func (u *Upload) landed(ctx context.Context, c *chunk) {
	u.add(c.piece)
	u.area.release(c.sealed)
	if u.offset%u.area.block == 0 && c.start%u.area.block != 0 {
		// To put the block together saves requests and nothing else: if that
		// fails, its pieces stay.
		_ = u.merge(ctx, c.start/u.area.block)
	}
}

// read encrypts what r gives for one object: up to the end of a block, of the
// upload, or of patience with a slow line. It returns nil if there is nothing,
// and with the last octets the error that ended r.
func (u *Upload) read(r io.Reader, at int64) (*chunk, error) {
	limit, err := u.room(at)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		return nil, u.ended(r)
	}
	c := &chunk{piece: piece{key: u.pieceKey(at), start: at}}
	s, err := u.area.sealer(c.key, u.area.buffer())
	if err != nil {
		return nil, err
	}
	begin := u.area.Now()
	for s.size < limit && err == nil {
		var n int
		n, err = r.Read(s.space(limit - s.size))
		s.advance(n)
		if s.size >= segment && u.area.Now().Sub(begin) >= u.area.Flush {
			break
		}
	}
	if s.size == 0 {
		u.area.release(s.out)
		return nil, err
	}
	c.size, c.sealed = int64(s.size), s.close()
	return c, err
}

// room is how many octets the object at this offset may hold.
func (u *Upload) room(at int64) (int, error) {
	most := u.area.MaxSize
	if u.Size != Unknown {
		most = u.Size
	}
	block := at - at%u.area.block
	first := slices.IndexFunc(u.pieces, func(p piece) bool { return p.start >= block })
	if first >= 0 && len(u.pieces)-first >= maxPieces {
		return 0, fmt.Errorf("%w: %d pieces within %d octets", ErrTooMany, maxPieces, u.area.block)
	}
	return int(min(block+u.area.block, most) - at), nil
}

// ended makes sure that a reader gives nothing beyond the upload's size.
func (u *Upload) ended(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return fmt.Errorf("%w: more octets than its size", ErrTooLarge)
	}
	return err
}

// store puts a piece. A node that slept since it learnt the offset may find the
// name free because the block was put together meanwhile, and its pieces
// deleted: then the piece does not count. The first piece of a block is never
// deleted, so its name tells by itself.
func (u *Upload) store(ctx context.Context, c *chunk) error {
	_, err := u.area.Store.Put(ctx, c.key, c.sealed, &store.PutOptions{IfAbsent: true})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: another is faster", ErrOffset)
	}
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if c.start%u.area.block == 0 {
		return nil
	}
	r, _, err := u.area.Store.Get(ctx, u.blockKey(c.start/u.area.block), &store.GetOptions{Length: 1})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	return errors.Join(fmt.Errorf("%w: another was faster", ErrOffset), r.Close())
}

// merge puts a complete block together in one object. All who do so write the
// same octets.
func (u *Upload) merge(ctx context.Context, block int64) error {
	first := slices.IndexFunc(u.pieces, func(p piece) bool { return p.start >= block*u.area.block })
	parts := slices.Clone(u.pieces[first:])
	if len(parts) < 2 {
		return nil
	}
	key := u.blockKey(block)
	s, err := u.area.sealer(key, u.area.buffer())
	if err != nil {
		return err
	}
	defer func() { u.area.release(s.out) }()
	for i := range parts {
		sealed, _, err := store.ReadAll(ctx, u.area.Store, parts[i].key, sealedSize(u.area.block))
		if err != nil {
			return err
		}
		plain, err := u.area.open(parts[i].key, sealed)
		if err != nil {
			return err
		}
		s.write(plain)
	}
	if int64(s.size) != u.area.block {
		return fmt.Errorf("%s: %w", key, ErrCorrupt)
	}
	if _, err := u.area.Store.Put(ctx, key, s.close(), &store.PutOptions{IfAbsent: true}); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	u.pieces = append(u.pieces[:first], piece{key, block * u.area.block, u.area.block})
	for _, p := range parts[1:] {
		if err := u.area.Store.Delete(ctx, p.key); err != nil {
			return err
		}
	}
	return nil
}

// buffer and release keep a few buffers for the next objects.
func (a *Area) buffer() []byte {
	select {
	case b := <-a.buffers:
		return b
	default:
		return nil
	}
}

func (a *Area) release(b []byte) {
	if b == nil {
		return
	}
	select {
	case a.buffers <- b:
	default:
	}
}

// Finish leaves an answer in the upload's place and deletes what was uploaded.
// The first answer counts; it is what Answer returns afterwards.
func (u *Upload) Finish(ctx context.Context, answer []byte) error {
	b, err := json.Marshal(&final{u.About, answer})
	if err != nil {
		return err
	}
	if err := u.area.putNote(ctx, answerPrefix+u.name, b); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := u.readAnswer(ctx); err != nil {
		return err
	}
	return u.area.remove(ctx, u.name, false)
}

// final is what remains of a finished upload.
type final struct {
	About
	Answer []byte `json:"answer"`
}

func (u *Upload) readAnswer(ctx context.Context) error {
	b, err := u.area.note(ctx, answerPrefix+u.name)
	if err != nil {
		return err
	}
	var f final
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("upload: %w: %v", ErrCorrupt, err)
	}
	if f.Answer == nil {
		f.Answer = []byte{}
	}
	u.About, u.answer, u.offset = f.About, f.Answer, f.Size
	return nil
}

// Delete removes the upload, and its answer if it has one.
func (u *Upload) Delete(ctx context.Context) error {
	return u.area.remove(ctx, u.name, true)
}
