// Package store keeps opaque objects under slash-separated keys.
//
// A [Store] is one bucket. It is durable and consistent: when Put or Delete
// returns nil, every later call sees the change, also after a crash. It knows
// nothing of dossiers, encryption keys or signatures, and it is not trusted:
// what it returns is authenticated by its callers.
//
// The package holds the interfaces and [Memory], a bucket in memory that
// behaves as a real one does. Buckets on S3 servers are in store/s3, a server
// inside this process in store/embedded, and the tests that every
// implementation must pass in store/storetest.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MinPart is the least size of every part of an [Upload] but the last.
const MinPart = 5 << 20

// Errors of this package. Besides these, an absent object or version is
// [fs.ErrNotExist], a key already taken [fs.ErrExist], a key, range or size
// that no bucket takes [fs.ErrInvalid], and a lock asked of a bucket without
// object lock [errors.ErrUnsupported].
var (
	// ErrLocked says that the bucket refuses to remove a version because of
	// its retention date or a legal hold. The object is unchanged; ask
	// Locked for how long.
	ErrLocked = errors.New("object is locked")
)

// Store is one bucket. It is implemented by [Memory] and by store/s3; run
// storetest.Test on every implementation.
//
// Its methods may be called concurrently. Keys must pass [CheckKey], no key
// may be a directory of another ("a" and "a/b"), and objects are never empty.
type Store interface {
	// Put stores data under key, durably. The result carries key, version
	// and size; an implementation must not keep data. Where the bucket has
	// versions, an overwritten object stays as an older version.
	Put(ctx context.Context, key string, data []byte, opts *PutOptions) (*Info, error)

	// Get returns the object, or an error wrapping fs.ErrNotExist. Size in
	// the result is that of the whole object, also for a range. The reader
	// must be closed, and ends with ctx.
	Get(ctx context.Context, key string, opts *GetOptions) (io.ReadCloser, *Info, error)

	// Delete removes the object for good: every version and delete marker.
	// Deleting a missing object is not an error. If any version is locked,
	// the error wraps ErrLocked and the latest version is still readable,
	// but older versions may be gone.
	Delete(ctx context.Context, key string) error

	// List yields the objects whose keys begin with prefix, which need not
	// end at a slash, in the order of their keys' bytes. After an error it
	// ends.
	List(ctx context.Context, prefix string, opts *ListOptions) iter.Seq2[*Info, error]
}

// Uploader is implemented by stores that take objects too large for one Put.
// Every store of this module does.
type Uploader interface {
	// Create begins an upload. Nothing is visible under key before Complete,
	// which overwrites what is there: an upload cannot be made conditional.
	Create(ctx context.Context, key string) (Upload, error)
}

// Upload is a large object on its way into a bucket. It must end in Complete
// or Abort, or its parts occupy space until the server expires them.
type Upload interface {
	// Part stores part number, from 1. Parts may come in any order and
	// concurrently; all but the last hold MinPart bytes or more. Storing a
	// part again replaces it.
	Part(ctx context.Context, number int, data []byte) error

	// Complete makes the object appear, whole, durably and at once. The
	// numbers of the stored parts must be 1 to n without a gap.
	Complete(ctx context.Context) (*Info, error)

	// Abort removes all parts. After Complete it does nothing.
	Abort(ctx context.Context) error
}

// Locker is implemented by stores whose bucket may have object lock. An empty
// version means the latest. All methods return errors.ErrUnsupported where
// the bucket has no object lock.
type Locker interface {
	// Lock forbids everybody to remove the version before the given time,
	// rounded up to a second (S3's mode COMPLIANCE). It extends an earlier
	// lock and never shortens one: asked for less, it does nothing. When it
	// returns nil, the bucket has taken the lock, and been seen to keep one.
	Lock(ctx context.Context, key, version string, until time.Time) error

	// Hold puts the version under a legal hold or lifts it. A hold forbids
	// removal for as long as it lasts, whatever the retention date.
	Hold(ctx context.Context, key, version string, on bool) error

	// Locked tells the locks of the version, expired ones included.
	Locked(ctx context.Context, key, version string) (Lock, error)
}

// PutOptions say how Put stores; nil means the zero value.
type PutOptions struct {
	// IfAbsent makes Put fail with an error wrapping fs.ErrExist where the
	// key is taken. The check and the write are one atomic step.
	IfAbsent bool

	// Lock, if not zero, locks the new version until then, as Locker.Lock
	// does. If locking fails after the object was stored, Put returns both
	// the Info and the error.
	Lock time.Time
}

// GetOptions say what Get reads; nil means all of the latest version.
type GetOptions struct {
	// Offset is where to begin. One at or past the end is an error wrapping
	// fs.ErrInvalid.
	Offset int64

	// Length is how much to read, 0 meaning to the end. More than there is
	// gives what there is.
	Length int64

	// Version, if not empty, is the version to read.
	Version string
}

// ListOptions say what List yields; nil means the latest versions.
type ListOptions struct {
	// Versions asks for every version and delete marker, newest first under
	// each key.
	Versions bool

	// After, if not empty, skips the keys up to and including it.
	After string
}

// Info describes one version of an object.
type Info struct {
	Key      string
	Version  string    // empty where the bucket has no versions, and from a List without Versions
	Size     int64     // of the whole object
	Modified time.Time // by the server's clock; zero from Put and Complete

	Latest       bool // set by List: this is the current version of its key
	DeleteMarker bool // set by List: not an object but the mark that it was removed
}

// Lock says what keeps a version from being removed.
type Lock struct {
	Until time.Time // retention date, zero if there is none
	Hold  bool      // under a legal hold
}

// Active reports whether the lock forbids removal at the given time.
func (l Lock) Active(now time.Time) bool { return l.Hold || l.Until.After(now) }

// CheckKey returns an error wrapping fs.ErrInvalid unless key is one that every
// supported server stores unchanged: at most 900 bytes of UTF-8, made of
// segments of 1 to 200 bytes joined by slashes, none of them "." or "..",
// without control characters and backslashes.
func CheckKey(key string) error {
	// 900 leaves room under S3's 1024 for servers that add a prefix, 200 under
	// the 255 of file systems for those that add a suffix.
	if len(key) > 900 || !utf8.ValidString(key) {
		return fmt.Errorf("key of %d bytes: %w", len(key), fs.ErrInvalid)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > 200 {
			return fmt.Errorf("key %q: %w", key, fs.ErrInvalid)
		}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
		return fmt.Errorf("key %q: %w", key, fs.ErrInvalid)
	}
	return nil
}

// ReadAll returns the whole object, which must not be larger than limit: a
// store is not trusted to keep objects at their size.
func ReadAll(ctx context.Context, s Store, key string, limit int64) ([]byte, *Info, error) {
	r, info, err := s.Get(ctx, key, nil)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	if info.Size > limit {
		return nil, nil, fmt.Errorf("object %q: %d bytes, more than %d", key, info.Size, limit)
	}
	data := make([]byte, info.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, nil, fmt.Errorf("object %q: %w", key, err)
	}
	return data, info, nil
}
