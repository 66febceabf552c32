package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

// Get implements store.Store.
func (b *Bucket) Get(ctx context.Context, key string, opts *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	if opts == nil {
		opts = &store.GetOptions{}
	}
	if err := b.check(ctx, "get", key); err != nil {
		return nil, nil, err
	}
	get := minio.GetObjectOptions{VersionID: opts.Version}
	ranged := opts.Offset != 0 || opts.Length != 0
	if ranged && (opts.Offset < 0 || opts.Length < 0 || get.SetRange(opts.Offset, lastByte(opts)) != nil) {
		return nil, nil, &fs.PathError{Op: "get range", Path: key, Err: fs.ErrInvalid}
	}
	body, stat, header, err := b.core.GetObject(ctx, b.name, key, get)
	if err != nil {
		if minio.ToErrorResponse(err).StatusCode == http.StatusMethodNotAllowed {
			err = minio.ErrorResponse{Code: minio.NoSuchKey} // the version is a delete marker
		}
		return nil, nil, b.translate(ctx, "get", key, err)
	}
	info := &store.Info{Key: key, Version: version(stat.VersionID), Size: stat.Size, Modified: stat.LastModified}
	if ranged {
		_, total, _ := strings.Cut(header.Get("Content-Range"), "/")
		if info.Size, err = strconv.ParseInt(total, 10, 64); err != nil {
			body.Close()
			return nil, nil, fmt.Errorf("get %q: the server ignored the range", key)
		}
	}
	return &reader{ctx: ctx, b: b, key: key, body: body}, info, nil
}

// lastByte returns what SetRange takes: 0 means to the end, except after an
// offset of 0.
func lastByte(opts *store.GetOptions) int64 {
	if opts.Length == 0 {
		return 0
	}
	if opts.Length > math.MaxInt64-opts.Offset {
		return math.MaxInt64
	}
	return opts.Offset + opts.Length - 1
}

// reader is an object's content with errors translated.
type reader struct {
	ctx  context.Context
	b    *Bucket
	key  string
	body io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF) && r.ctx.Err() == nil:
		return n, &fs.PathError{Op: "get", Path: r.key, Err: io.ErrUnexpectedEOF}
	default:
		return n, r.b.translate(r.ctx, "get", r.key, err)
	}
}

func (r *reader) Close() error { return r.body.Close() }

// Delete implements store.Store.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.check(ctx, "delete", key); err != nil {
		return err
	}
	if !b.versioned.Load() {
		heard, answer := listen(ctx)
		err := b.core.RemoveObject(heard, b.name, key, minio.RemoveObjectOptions{})
		if err != nil && !errors.Is(meaning(err), fs.ErrNotExist) {
			return b.translate(ctx, "delete", key, err)
		}
		if answer.header.Get("X-Amz-Delete-Marker") == "" && version(answer.header.Get("X-Amz-Version-Id")) == "" {
			return nil
		}
		// Somebody switched versions on after Open: the object was not
		// deleted but marked.
		b.versioned.Store(true)
	}
	return b.deleteVersions(ctx, key)
}

// deleteVersions deletes by version until the server has none left to list:
// somebody may be writing, and a listing may lag behind.
func (b *Bucket) deleteVersions(ctx context.Context, key string) error {
	const rounds = 8
	for round := range rounds {
		versions, err := b.versions(ctx, key)
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			return nil
		}
		if round > 1 && !pause(ctx, round) {
			break
		}
		// The oldest first, so that a lock met on the way leaves the latest
		// version what it was.
		for _, id := range slices.Backward(versions) {
			if err := b.deleteVersion(ctx, key, id); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return &fs.PathError{Op: "delete", Path: key, Err: err}
	}
	return fmt.Errorf("delete %q: versions are still there after %d rounds", key, rounds)
}

func (b *Bucket) deleteVersion(ctx context.Context, key, id string) error {
	for attempt := 0; ; attempt++ {
		err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{VersionID: id})
		if err == nil || errors.Is(meaning(err), fs.ErrNotExist) {
			return nil
		}
		if !refused(err) || !b.locking {
			return b.translate(ctx, "delete", key, err)
		}
		// Servers say in many ways that a version is locked, most of them
		// shared with other refusals, so ask for the lock itself.
		lock, lockErr := b.locks(ctx, key, id)
		if lockErr == nil && lock.Active(b.wire.time()) {
			return &fs.PathError{Op: "delete", Path: key, Err: store.ErrLocked}
		}
		// The lock may have ended between the two requests.
		if lock.Until.IsZero() || attempt == 4 || !pause(ctx, attempt) {
			return b.translate(ctx, "delete", key, err)
		}
	}
}

// versions returns the ids of all versions and delete markers of key, newest
// first, as the server calls them.
func (b *Bucket) versions(ctx context.Context, key string) ([]string, error) {
	var ids []string
	for o := range b.pages(ctx, minio.ListObjectsOptions{Prefix: key, WithVersions: true, MaxKeys: 50}) {
		if o.Err != nil {
			return nil, b.translate(ctx, "versions", key, o.Err)
		}
		if o.Key != key {
			break // the key itself comes first among those it is a prefix of
		}
		ids = append(ids, o.VersionID)
	}
	if err := ctx.Err(); err != nil {
		return nil, &fs.PathError{Op: "versions", Path: key, Err: err}
	}
	return ids, nil
}

// List implements store.Store.
func (b *Bucket) List(ctx context.Context, prefix string, opts *store.ListOptions) iter.Seq2[*store.Info, error] {
	if opts == nil {
		opts = &store.ListOptions{}
	}
	list := minio.ListObjectsOptions{Prefix: prefix, WithVersions: opts.Versions, StartAfter: opts.After}
	return func(yield func(*store.Info, error) bool) {
		last := list.StartAfter
		for o := range b.pages(ctx, list) {
			if o.Err != nil {
				yield(nil, b.translate(ctx, "list", prefix, o.Err))
				return
			}
			if o.Key == list.StartAfter {
				continue // some servers begin with this key
			}
			if o.Key < last || o.Key == last && !list.WithVersions {
				yield(nil, fmt.Errorf("list %q: the server lists out of order", prefix))
				return
			}
			last = o.Key
			if !yield(listed(&o, list.WithVersions), nil) {
				return
			}
		}
		// minio-go ends a cancelled listing as if it were complete.
		if err := ctx.Err(); err != nil {
			yield(nil, &fs.PathError{Op: "list", Path: prefix, Err: err})
		}
	}
}

// pages yields what the server lists. Of versions and delete markers, which
// versitygw lists apart, it sorts every page; that nothing is out of place
// from one page to the next is for List to check.
func (b *Bucket) pages(ctx context.Context, opts minio.ListObjectsOptions) iter.Seq[minio.ObjectInfo] {
	owner := false
	opts.Recursive, opts.FetchOwner = true, &owner
	if !opts.WithVersions {
		return b.core.ListObjectsIter(ctx, b.name, opts)
	}
	return func(yield func(minio.ObjectInfo) bool) {
		heard, answer := listen(ctx)
		var page []minio.ObjectInfo
		pages := 0
		flush := func() bool {
			slices.SortStableFunc(page, newestFirst)
			for _, o := range page {
				if !yield(o) {
					return false
				}
			}
			page = page[:0]
			return true
		}
		for o := range b.core.ListObjectsIter(heard, b.name, opts) {
			if (answer.count != pages || o.Err != nil) && !flush() {
				return
			}
			pages = answer.count
			if o.Err != nil {
				yield(o)
				return
			}
			page = append(page, o)
		}
		flush()
	}
}

// newestFirst orders versions by key and age. The current one is the newest,
// whatever the clocks of a cluster say.
func newestFirst(a, b minio.ObjectInfo) int {
	switch {
	case a.Key != b.Key:
		return strings.Compare(a.Key, b.Key)
	case a.IsLatest != b.IsLatest && a.IsLatest:
		return -1
	case a.IsLatest != b.IsLatest:
		return 1
	}
	return b.LastModified.Compare(a.LastModified)
}

func listed(o *minio.ObjectInfo, versions bool) *store.Info {
	info := &store.Info{Key: o.Key, Size: o.Size, Modified: o.LastModified, Latest: true}
	if versions {
		info.Version, info.Latest, info.DeleteMarker = version(o.VersionID), o.IsLatest, o.IsDeleteMarker
	}
	return info
}

func (b *Bucket) check(ctx context.Context, op, key string) error {
	if err := ctx.Err(); err != nil {
		return &fs.PathError{Op: op, Path: key, Err: err}
	}
	return store.CheckKey(key)
}

// version turns the version id of servers without versions into the empty one.
func version(id string) string {
	if id == "null" {
		return ""
	}
	return id
}
