// Package staging keeps what is still arriving: uploads that come in pieces,
// over hours and from one node or another, and packages that can be read only
// when all of them is there.
//
// An upload lies in the work bucket, encrypted, and nowhere else: no plain text
// touches a disk. How far it has come is not written down but follows from the
// pieces that are stored, so a node that is killed leaves the right offset
// behind, and every node can go on. A piece is put if absent under the offset
// it begins at: of two nodes that write the same upload, one wins each piece
// and the other is told ErrOffset. docs/format.md §12 has the objects,
// docs/decisions/0023 the reasons.
//
// The package knows neither HTTP nor dossiers. Whoever finishes an upload
// leaves an answer in its place, which is kept as long as the upload would have
// been.
package staging

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/luutru/luutru/store"
)

// Errors of this package. Besides these, an upload that is absent, expired or
// another owner's is fs.ErrNotExist.
var (
	// ErrOffset: the upload is not as long as the caller thinks. Somebody else
	// appended to it; open it again and go on from its offset.
	ErrOffset = errors.New("upload is at another offset")
	// ErrTooLarge: an upload is longer than was declared, or than is allowed.
	ErrTooLarge = errors.New("upload is too large")
	// ErrTooMany: the owner has too many uploads open, or sent one in too many
	// tiny pieces. Finish or delete some; send larger pieces.
	ErrTooMany = errors.New("too many uploads or pieces")
	// ErrCorrupt: an object in the work bucket is not what was put there. Send
	// the upload again.
	ErrCorrupt = errors.New("staged object is damaged")
)

// Unknown is the size of an upload that nobody has said yet.
const Unknown = -1

const (
	defaultKeep    = 7 * 24 * time.Hour
	defaultSize    = 64 << 30
	defaultOpen    = 100
	defaultAppends = 64
	defaultFlush   = 15 * time.Second
	secretSize     = 32 // least octets of the secret
	maxNote        = 16 << 20
)

// Config says where and how uploads are kept.
type Config struct {
	// Store is the work bucket.
	Store store.Store
	// Secret encrypts, and names owners; all nodes have the same. At least 32
	// octets.
	Secret []byte
	// Now is the clock.
	Now func() time.Time
	// Keep is how long after its creation an upload, and after that its answer,
	// is kept. Zero: seven days.
	Keep time.Duration
	// MaxSize is the largest upload in octets. Zero: 64 GiB.
	MaxSize int64
	// MaxOpen is how many uploads one owner may have open. Zero: 100.
	MaxOpen int
	// Appends is how many appends this node does at a time; each holds two
	// blocks of 8 MiB at most. Zero: 64.
	Appends int
	// Flush is how long octets wait in memory for company. Zero: 15 seconds.
	Flush time.Duration

	block int64 // octets of a block; tests use small ones
}

// Area is where uploads are kept. Its methods may be called concurrently.
type Area struct {
	Config
	slots   chan struct{}
	buffers chan []byte
}

// New returns an area.
func New(c Config) (*Area, error) {
	if len(c.Secret) < secretSize {
		return nil, fmt.Errorf("staging: secret of %d octets, fewer than %d", len(c.Secret), secretSize)
	}
	if c.Keep == 0 {
		c.Keep = defaultKeep
	}
	if c.MaxSize == 0 {
		c.MaxSize = defaultSize
	}
	if c.MaxOpen == 0 {
		c.MaxOpen = defaultOpen
	}
	if c.Appends == 0 {
		c.Appends = defaultAppends
	}
	if c.Flush == 0 {
		c.Flush = defaultFlush
	}
	if c.block == 0 {
		c.block = Block
	}
	return &Area{Config: c, slots: make(chan struct{}, c.Appends), buffers: make(chan []byte, 4)}, nil
}

// Prefixes of the work bucket (docs/format.md §2).
const (
	aboutPrefix  = "uploads/about/"
	dataPrefix   = "uploads/data/"
	answerPrefix = "uploads/answer/"
)

// owned returns the part of a key that all uploads of an owner share: a keyed
// name, since subjects can be names of people.
func (a *Area) owned(owner string) string { return a.keyed(32, "owner", owner) }

// keyed returns so many characters that follow from the secret and the values.
func (a *Area) keyed(size int, values ...string) string {
	m := hmac.New(sha256.New, a.Secret)
	for _, v := range values {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		m.Write([]byte(v))
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)))[:size]
}

// The name of an upload is random, and tells its owner: ten of its characters
// follow from the others and from who that is.
const (
	randomPart = 16
	ownerPart  = 10
)

func (a *Area) newID(owner string) string {
	id := strings.ToLower(rand.Text()[:randomPart])
	return id + a.keyed(ownerPart, "id", id, owner)
}

// Owns reports whether id can be the name of an upload of this owner. It asks
// nobody.
func (a *Area) Owns(owner, id string) bool {
	if len(id) != randomPart+ownerPart || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return false
	}
	return hmac.Equal([]byte(id[randomPart:]), []byte(a.keyed(ownerPart, "id", id[:randomPart], owner)))
}

// objectKey derives the key of one object from its name and its salt.
func (a *Area) objectKey(name string, salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, a.Secret, salt, "luutru upload\x00"+name, 32)
}

// About is what is known of an upload from its creation on.
type About struct {
	Size    int64             `json:"size"` // octets, or Unknown
	Created time.Time         `json:"created"`
	Meta    map[string]string `json:"meta,omitempty"` // as the client gave it
}

// Create begins an upload of so many octets, or Unknown. Meta is kept for
// whoever finishes the upload.
func (a *Area) Create(ctx context.Context, owner string, size int64, meta map[string]string) (*Upload, error) {
	if size > a.MaxSize {
		return nil, fmt.Errorf("%w: %d octets, more than %d", ErrTooLarge, size, a.MaxSize)
	}
	if err := a.mayCreate(ctx, owner); err != nil {
		return nil, err
	}
	u := &Upload{ID: a.newID(owner), About: About{Size: max(size, Unknown), Created: a.Now().UTC(), Meta: meta}, area: a}
	u.name = path.Join(a.owned(owner), u.ID)
	b, err := json.Marshal(&u.About)
	if err != nil {
		return nil, err
	}
	if len(b) > maxNote {
		return nil, fmt.Errorf("%w: description of %d octets", ErrTooLarge, len(b))
	}
	return u, a.putNote(ctx, aboutPrefix+u.name, b)
}

func (a *Area) mayCreate(ctx context.Context, owner string) error {
	n := 0
	for _, err := range a.Store.List(ctx, aboutPrefix+a.owned(owner)+"/", nil) {
		if err != nil {
			return fmt.Errorf("uploads: %w", err)
		}
		if n++; n >= a.MaxOpen {
			return fmt.Errorf("%w: %d open", ErrTooMany, n)
		}
	}
	return nil
}

// Open returns an upload of this owner, with its offset, or with its answer if
// it was finished.
func (a *Area) Open(ctx context.Context, owner, id string) (*Upload, error) {
	if !a.Owns(owner, id) {
		return nil, fmt.Errorf("upload: %w", fs.ErrNotExist)
	}
	u := &Upload{ID: id, name: path.Join(a.owned(owner), id), area: a}
	switch err := u.readAnswer(ctx); {
	case err == nil:
		return u, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	b, err := a.note(ctx, aboutPrefix+u.name)
	if errors.Is(err, fs.ErrNotExist) && u.readAnswer(ctx) == nil {
		return u, nil // finished meanwhile
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &u.About); err != nil {
		return nil, fmt.Errorf("upload: %w: %v", ErrCorrupt, err)
	}
	if !a.Now().Before(u.Expires()) {
		return nil, fmt.Errorf("upload: expired: %w", fs.ErrNotExist)
	}
	return u, u.scan(ctx)
}

// putNote stores a small object, encrypted.
func (a *Area) putNote(ctx context.Context, name string, plain []byte) error {
	s, err := a.sealer(name, nil)
	if err != nil {
		return err
	}
	s.write(plain)
	if _, err := a.Store.Put(ctx, name, s.close(), &store.PutOptions{IfAbsent: true}); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	return nil
}

// note reads a small object.
func (a *Area) note(ctx context.Context, name string) ([]byte, error) {
	b, _, err := store.ReadAll(ctx, a.Store, name, sealedSize(maxNote))
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return a.open(name, b)
}

// Sweep deletes the uploads and answers that are older than Keep, by the
// store's clock, and returns how many. Every node may do so at any time. Pieces
// are looked at, too: one that was on its way while its upload was swept has
// nothing else to be found by.
func (a *Area) Sweep(ctx context.Context) (int, error) {
	n := 0
	for _, prefix := range []string{aboutPrefix, dataPrefix, answerPrefix} {
		old, err := a.old(ctx, prefix)
		if err != nil {
			return n, err
		}
		for _, name := range old {
			if err := a.remove(ctx, name, prefix == answerPrefix); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// old lists the uploads whose newest object below the prefix is older than Keep.
func (a *Area) old(ctx context.Context, prefix string) (names []string, err error) {
	name, newest := "", time.Time{}
	settle := func() {
		if name != "" && newest.Add(a.Keep).Before(a.Now()) {
			names = append(names, name)
		}
	}
	for info, err := range a.Store.List(ctx, prefix, nil) {
		if err != nil {
			return nil, fmt.Errorf("uploads: %w", err)
		}
		this := strings.TrimPrefix(info.Key, prefix)
		if prefix == dataPrefix {
			this = path.Dir(this)
		}
		if this != name {
			settle()
			name, newest = this, time.Time{}
		}
		if info.Modified.After(newest) {
			newest = info.Modified
		}
	}
	settle()
	return names, nil
}

// remove deletes an upload's objects. The object that says that there is an
// upload goes last: until then whoever sweeps finds it again.
func (a *Area) remove(ctx context.Context, name string, answer bool) error {
	if err := a.removeData(ctx, name); err != nil {
		return err
	}
	keys := []string{aboutPrefix + name}
	if answer {
		keys = append(keys, answerPrefix+name)
	}
	for _, key := range keys {
		if err := a.Store.Delete(ctx, key); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
	}
	return nil
}

func (a *Area) removeData(ctx context.Context, name string) error {
	var keys []string
	for info, err := range a.Store.List(ctx, dataPrefix+name+"/", nil) {
		if err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		keys = append(keys, info.Key)
	}
	for _, key := range keys {
		if err := a.Store.Delete(ctx, key); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
	}
	return nil
}
