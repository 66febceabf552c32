package embedded

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

// walker visits the keys of a bucket in the order of their bytes.
type walker struct {
	ctx    context.Context
	b      *backend
	prefix string // of all keys visited
	from   string // no key before it is visited
	skip   string // if not empty, no key that begins with it is visited; the visitor may set it
	// visit gets a key that has or had versions, and the path their names
	// begin with. It returns false to end the walk.
	visit func(key, base string) (bool, error)
}

// entry is one name in a directory of segments, as the keys it stands for.
type entry struct {
	key string // whole; ends in a slash if it is a directory
	rel string // base of the versions, or path of the directory
	dir bool
}

// walk visits the keys that begin with prefix, which is empty or ends in a
// slash and whose directory is rel. It returns false when the visitor did.
func (w *walker) walk(rel, prefix string) (bool, error) {
	entries, err := w.read(rel, prefix)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return false, err
		}
		if !w.wants(e) {
			continue
		}
		more := true
		if e.dir {
			more, err = w.walk(e.rel, e.key)
		} else {
			more, err = w.visit(e.key, e.rel)
		}
		if err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

func (w *walker) wants(e entry) bool {
	if w.skip != "" && strings.HasPrefix(e.key, w.skip) {
		return false
	}
	if e.dir {
		// All keys below begin with e.key.
		return (strings.HasPrefix(e.key, w.prefix) || strings.HasPrefix(w.prefix, e.key)) &&
			(e.key >= w.from || strings.HasPrefix(w.from, e.key))
	}
	return strings.HasPrefix(e.key, w.prefix) && e.key >= w.from
}

// read returns the entries of a directory in the order of their keys. A
// directory that is removed meanwhile is an empty one.
func (w *walker) read(rel, prefix string) ([]entry, error) {
	names, err := os.ReadDir(w.b.path(rel))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(names))
	for _, n := range names {
		segment, marked := strings.CutSuffix(n.Name(), laterMark)
		if !marked {
			segment, marked = strings.CutSuffix(n.Name(), firstMark)
		}
		plain, ok := unescape(segment)
		if !ok {
			continue // nothing of ours
		}
		e := entry{key: prefix + plain, rel: rel + "/" + segment, dir: !marked}
		if e.dir {
			e.key += "/"
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int {
		// "a/" may be a directory and a key: the key comes first.
		if c := cmp.Compare(a.key, b.key); c != 0 || a.dir == b.dir {
			return c
		} else if b.dir {
			return -1
		}
		return 1
	})
	// A key with two kinds of versions appears once.
	return slices.CompactFunc(entries, func(a, b entry) bool { return a == b }), nil
}

// walk runs a walker over a bucket. It begins at the deepest directory all
// keys with the prefix are in, so that a listing costs what it returns.
func (b *backend) walk(bucket string, w *walker) error {
	w.b = b
	rel, prefix := bucketDir(bucket), ""
	if i := strings.LastIndexByte(w.prefix, '/'); i >= 0 {
		prefix = w.prefix[:i+1]
		for segment := range strings.SplitSeq(w.prefix[:i], "/") {
			name := escape(segment)
			if len(name) > maxSegment {
				return nil // there is no such key
			}
			rel += "/" + name
		}
	}
	_, err := w.walk(rel, prefix)
	return err
}

// isEmpty tells whether a bucket has no version of anything.
func (b *backend) isEmpty(ctx context.Context, bucket string) (bool, error) {
	empty := true
	err := b.walk(bucket, &walker{ctx: ctx, visit: func(_, base string) (bool, error) {
		paths, err := b.versionPaths(base)
		empty = len(paths) == 0
		return empty, err
	}})
	return empty, err
}
