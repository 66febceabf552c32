package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// MemoryOptions say what kind of bucket a Memory is.
type MemoryOptions struct {
	// Versioned gives the bucket versions and object lock, as the archive
	// bucket has. Without it, overwriting and deleting are final.
	Versioned bool

	// Now is the clock that locks run by. Without it time stands still at
	// zero, and no lock expires.
	Now func() time.Time
}

// Memory is a bucket in memory, for tests and trials. It implements Store,
// Uploader and Locker with the semantics of S3 and the limits of the strictest
// server: it refuses keys that are directories of others.
type Memory struct {
	versioned bool
	now       func() time.Time

	mu      sync.Mutex
	objects map[string][]*version // versions of a key, oldest first, never empty
	below   map[string]int        // how many keys lie below a directory
	keys    []string              // sorted, but for the last, and may hold removed keys
	sorted  int                   // how many of keys are sorted
	last    uint64                // number of the last version
}

type version struct {
	Info
	Lock
	data []byte // never written to
}

var (
	_ Store    = (*Memory)(nil)
	_ Uploader = (*Memory)(nil)
	_ Locker   = (*Memory)(nil)
)

// NewMemory returns an empty bucket.
func NewMemory(opts MemoryOptions) *Memory {
	if opts.Now == nil {
		opts.Now = func() time.Time { return time.Time{} }
	}
	return &Memory{
		versioned: opts.Versioned,
		now:       opts.Now,
		objects:   map[string][]*version{},
		below:     map[string]int{},
	}
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, data []byte, opts *PutOptions) (*Info, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	if err := check(ctx, "put", key); err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &fs.PathError{Op: "put empty", Path: key, Err: fs.ErrInvalid}
	}
	if !opts.Lock.IsZero() && !m.versioned {
		return nil, &fs.PathError{Op: "put locked", Path: key, Err: errors.ErrUnsupported}
	}
	return m.put(key, bytes.Clone(data), opts)
}

func (m *Memory) put(key string, data []byte, opts *PutOptions) (*Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if latest := m.find(key, ""); opts.IfAbsent && latest != nil {
		return nil, &fs.PathError{Op: "put", Path: key, Err: fs.ErrExist}
	}
	v, err := m.add(key)
	if err != nil {
		return nil, err
	}
	v.data, v.Size = data, int64(len(data))
	v.extend(opts.Lock, m.now())
	return &Info{Key: key, Version: v.Version, Size: v.Size}, nil
}

// add appends a version to key, or replaces what is there in a plain bucket.
func (m *Memory) add(key string) (*version, error) {
	v := &version{Info: Info{Key: key, Modified: m.now()}}
	versions, taken := m.objects[key]
	if !taken {
		if m.below[key] > 0 {
			return nil, fmt.Errorf("key %q is a directory: %w", key, fs.ErrInvalid)
		}
		for dir := range directories(key) {
			if _, ok := m.objects[dir]; ok {
				return nil, fmt.Errorf("key %q lies below the object %q: %w", key, dir, fs.ErrInvalid)
			}
		}
		for dir := range directories(key) {
			m.below[dir]++
		}
		m.keys = append(m.keys, key)
	}
	if m.versioned {
		m.last++
		v.Version = strconv.FormatUint(m.last, 16)
	} else {
		versions = nil
	}
	m.objects[key] = append(versions, v)
	return v, nil
}

// Mark puts a delete marker over the object, as deleting it without naming a
// version does in a bucket with versions. Nothing in this module makes
// delete markers; this is for testing what happens when somebody else does.
func (m *Memory) Mark(ctx context.Context, key string) error {
	if err := check(ctx, "mark", key); err != nil {
		return err
	}
	if !m.versioned {
		return &fs.PathError{Op: "mark", Path: key, Err: errors.ErrUnsupported}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, err := m.add(key)
	if err != nil {
		return err
	}
	v.DeleteMarker = true
	return nil
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string, opts *GetOptions) (io.ReadCloser, *Info, error) {
	if opts == nil {
		opts = &GetOptions{}
	}
	if err := check(ctx, "get", key); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.find(key, opts.Version)
	if v == nil {
		return nil, nil, &fs.PathError{Op: "get", Path: key, Err: fs.ErrNotExist}
	}
	if opts.Offset < 0 || opts.Length < 0 || opts.Offset >= v.Size {
		return nil, nil, &fs.PathError{Op: "get range", Path: key, Err: fs.ErrInvalid}
	}
	data := v.data[opts.Offset:]
	if opts.Length > 0 {
		data = data[:min(opts.Length, int64(len(data)))]
	}
	info := v.Info
	return &memoryReader{ctx: ctx, r: bytes.NewReader(data)}, &info, nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := check(ctx, "delete", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	versions, ok := m.objects[key]
	if !ok {
		return nil
	}
	now := m.now()
	if slices.ContainsFunc(versions, func(v *version) bool { return v.Active(now) }) {
		return &fs.PathError{Op: "delete", Path: key, Err: ErrLocked}
	}
	delete(m.objects, key)
	for dir := range directories(key) {
		if m.below[dir]--; m.below[dir] == 0 {
			delete(m.below, dir)
		}
	}
	return nil
}

// List implements Store. As on a server, it sees changes made while it runs
// or does not, but never half of one.
func (m *Memory) List(ctx context.Context, prefix string, opts *ListOptions) iter.Seq2[*Info, error] {
	if opts == nil {
		opts = &ListOptions{}
	}
	after, versions := opts.After, opts.Versions
	return func(yield func(*Info, error) bool) {
		for {
			if err := ctx.Err(); err != nil {
				yield(nil, fmt.Errorf("list %q: %w", prefix, err))
				return
			}
			infos, last := m.page(prefix, after, versions)
			for _, info := range infos {
				if !yield(info, nil) {
					return
				}
			}
			if last == "" {
				return
			}
			after = last
		}
	}
}

// page returns what the next keys after the given one have to show, and the
// last key looked at, empty where there are no more.
func (m *Memory) page(prefix, after string, versions bool) (infos []*Info, last string) {
	const pageSize = 1000
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sort()
	// The least key after "after" is after+"\x00".
	i := sort.SearchStrings(m.keys, max(prefix, after+"\x00"))
	for _, key := range m.keys[i:] {
		if !strings.HasPrefix(key, prefix) {
			return infos, ""
		}
		for n, v := range slices.Backward(m.objects[key]) {
			info := v.Info
			info.Latest = n == len(m.objects[key])-1
			switch {
			case versions:
				infos = append(infos, &info)
			case info.Latest && !v.DeleteMarker:
				info.Version = ""
				infos = append(infos, &info)
			}
		}
		if len(infos) >= pageSize {
			return infos, key
		}
	}
	return infos, ""
}

// sort makes keys what it should be. Doing that only when somebody lists keeps
// Put and Delete cheap.
func (m *Memory) sort() {
	if m.sorted == len(m.keys) && len(m.keys) == len(m.objects) {
		return
	}
	slices.Sort(m.keys)
	m.keys = slices.DeleteFunc(slices.Compact(m.keys), func(key string) bool {
		_, ok := m.objects[key]
		return !ok
	})
	m.sorted = len(m.keys)
}

// Lock implements Locker.
func (m *Memory) Lock(ctx context.Context, key, version string, until time.Time) error {
	return m.lock(ctx, "lock", key, version, func(v *Lock) { v.extend(until, m.now()) })
}

// Hold implements Locker.
func (m *Memory) Hold(ctx context.Context, key, version string, on bool) error {
	return m.lock(ctx, "hold", key, version, func(v *Lock) { v.Hold = on })
}

// Locked implements Locker.
func (m *Memory) Locked(ctx context.Context, key, version string) (Lock, error) {
	var lock Lock
	err := m.lock(ctx, "locked", key, version, func(v *Lock) { lock = *v })
	return lock, err
}

func (m *Memory) lock(ctx context.Context, op, key, version string, change func(*Lock)) error {
	if err := check(ctx, op, key); err != nil {
		return err
	}
	if !m.versioned {
		return &fs.PathError{Op: op, Path: key, Err: errors.ErrUnsupported}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.find(key, version)
	if v == nil {
		return &fs.PathError{Op: op, Path: key, Err: fs.ErrNotExist}
	}
	change(&v.Lock)
	return nil
}

// extend moves the retention date to until, unless that is earlier or passed.
func (l *Lock) extend(until, now time.Time) {
	if rest := until.Nanosecond(); rest != 0 {
		until = until.Add(time.Second - time.Duration(rest))
	}
	if until.After(now) && until.After(l.Until) {
		l.Until = until.UTC()
	}
}

// find returns the named or the latest version, nil if there is none or it is
// a delete marker.
func (m *Memory) find(key, name string) *version {
	for _, v := range slices.Backward(m.objects[key]) {
		if name == "" || v.Version == name {
			if v.DeleteMarker {
				return nil
			}
			return v
		}
	}
	return nil
}

// Create implements Uploader.
func (m *Memory) Create(ctx context.Context, key string) (Upload, error) {
	if err := check(ctx, "create", key); err != nil {
		return nil, err
	}
	return &memoryUpload{m: m, key: key, parts: map[int][]byte{}}, nil
}

type memoryUpload struct {
	m   *Memory
	key string

	mu    sync.Mutex
	parts map[int][]byte // nil after the end
}

func (u *memoryUpload) Part(ctx context.Context, number int, data []byte) error {
	if err := check(ctx, "part", u.key); err != nil {
		return err
	}
	if number < 1 || number > 10000 || len(data) == 0 {
		return &fs.PathError{Op: "part", Path: u.key, Err: fs.ErrInvalid}
	}
	data = bytes.Clone(data)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.parts == nil {
		return &fs.PathError{Op: "part", Path: u.key, Err: fs.ErrNotExist}
	}
	u.parts[number] = data
	return nil
}

func (u *memoryUpload) Complete(ctx context.Context) (*Info, error) {
	if err := check(ctx, "complete", u.key); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.parts == nil {
		return nil, &fs.PathError{Op: "complete", Path: u.key, Err: fs.ErrNotExist}
	}
	var data []byte
	for n := 1; n <= len(u.parts); n++ {
		part, ok := u.parts[n]
		if !ok || n < len(u.parts) && len(part) < MinPart {
			return nil, fmt.Errorf("complete %q: part %d: %w", u.key, n, fs.ErrInvalid)
		}
		data = append(data, part...)
	}
	if len(data) == 0 {
		return nil, &fs.PathError{Op: "complete", Path: u.key, Err: fs.ErrInvalid}
	}
	info, err := u.m.put(u.key, data, &PutOptions{})
	if err != nil {
		return nil, err
	}
	u.parts = nil
	return info, nil
}

func (u *memoryUpload) Abort(ctx context.Context) error {
	if err := check(ctx, "abort", u.key); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = nil
	return nil
}

// memoryReader ends with its context, as the body of an answer does.
type memoryReader struct {
	ctx context.Context
	r   *bytes.Reader
}

func (r *memoryReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

func (r *memoryReader) Close() error { return nil }

func check(ctx context.Context, op, key string) error {
	if err := ctx.Err(); err != nil {
		return &fs.PathError{Op: op, Path: key, Err: err}
	}
	return CheckKey(key)
}

// directories yields what lies above key: "a" and "a/b" for "a/b/c".
func directories(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(key) {
			if key[i] == '/' && !yield(key[:i]) {
				return
			}
		}
	}
}
