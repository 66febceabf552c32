package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/luutru/luutru/store"
)

// Faulty is a store that fails on demand. It implements store.Uploader and
// store.Locker where the Store in it does.
type Faulty struct {
	store.Store

	// OnCall is asked before every call. The operations are "put", "get",
	// "delete", "list", "create", "part", "complete", "abort", "lock", "hold"
	// and "locked"; key is the object's, or the prefix of a list. If err is
	// not nil, the call returns it, and apply says whether the call has its
	// effect first: a write that happened though it failed, an object read
	// to its middle, a listing that breaks off at its end. OnCall may be
	// called concurrently; if it is nil, nothing fails.
	OnCall func(op, key string) (apply bool, err error)
}

var (
	_ store.Store    = Faulty{}
	_ store.Uploader = Faulty{}
	_ store.Locker   = Faulty{}
)

// do makes one call, unless that is to fail before its effect.
func (f Faulty) do(op, key string, call func() error) error {
	_, err := result(f, op, key, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// result is do for a call with a result, which a fault hides as a lost answer
// would.
func result[T any](f Faulty, op, key string, call func() (T, error)) (T, error) {
	if f.OnCall == nil {
		return call()
	}
	apply, fault := f.OnCall(op, key)
	if fault == nil {
		return call()
	}
	if apply {
		call()
	}
	var none T
	return none, fault
}

// Put implements store.Store.
func (f Faulty) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	return result(f, "put", key, func() (*store.Info, error) { return f.Store.Put(ctx, key, data, opts) })
}

// Get implements store.Store.
func (f Faulty) Get(ctx context.Context, key string, opts *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	var apply bool
	var fault error
	if f.OnCall != nil {
		apply, fault = f.OnCall("get", key)
	}
	if fault != nil && !apply {
		return nil, nil, fault
	}
	body, info, err := f.Store.Get(ctx, key, opts)
	if err == nil && fault != nil {
		body = &breaking{ReadCloser: body, left: (info.Size + 1) / 2, err: fault}
	}
	return body, info, err
}

// breaking is an object that fails in its middle.
type breaking struct {
	io.ReadCloser
	left int64
	err  error
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err == io.EOF {
		err = b.err // a range may be shorter than half the object
	}
	return n, err
}

// Delete implements store.Store.
func (f Faulty) Delete(ctx context.Context, key string) error {
	return f.do("delete", key, func() error { return f.Store.Delete(ctx, key) })
}

// List implements store.Store.
func (f Faulty) List(ctx context.Context, prefix string, opts *store.ListOptions) iter.Seq2[*store.Info, error] {
	return func(yield func(*store.Info, error) bool) {
		stopped := false
		err := f.do("list", prefix, func() error {
			for info, err := range f.Store.List(ctx, prefix, opts) {
				if !yield(info, err) || err != nil {
					stopped = true
					return nil
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// Create implements store.Uploader.
func (f Faulty) Create(ctx context.Context, key string) (store.Upload, error) {
	u, ok := f.Store.(store.Uploader)
	if !ok {
		return nil, fmt.Errorf("create %q: %w", key, errors.ErrUnsupported)
	}
	upload, err := result(f, "create", key, func() (store.Upload, error) { return u.Create(ctx, key) })
	if err != nil {
		return nil, err
	}
	return &faultyUpload{f: f, key: key, upload: upload}, nil
}

type faultyUpload struct {
	f      Faulty
	key    string
	upload store.Upload
}

func (u *faultyUpload) Part(ctx context.Context, number int, data []byte) error {
	return u.f.do("part", u.key, func() error { return u.upload.Part(ctx, number, data) })
}

func (u *faultyUpload) Complete(ctx context.Context) (*store.Info, error) {
	return result(u.f, "complete", u.key, func() (*store.Info, error) { return u.upload.Complete(ctx) })
}

func (u *faultyUpload) Abort(ctx context.Context) error {
	return u.f.do("abort", u.key, func() error { return u.upload.Abort(ctx) })
}

// Lock implements store.Locker.
func (f Faulty) Lock(ctx context.Context, key, version string, until time.Time) error {
	l, err := f.locker("lock", key)
	if err != nil {
		return err
	}
	return f.do("lock", key, func() error { return l.Lock(ctx, key, version, until) })
}

// Hold implements store.Locker.
func (f Faulty) Hold(ctx context.Context, key, version string, on bool) error {
	l, err := f.locker("hold", key)
	if err != nil {
		return err
	}
	return f.do("hold", key, func() error { return l.Hold(ctx, key, version, on) })
}

// Locked implements store.Locker.
func (f Faulty) Locked(ctx context.Context, key, version string) (store.Lock, error) {
	l, err := f.locker("locked", key)
	if err != nil {
		return store.Lock{}, err
	}
	return result(f, "locked", key, func() (store.Lock, error) { return l.Locked(ctx, key, version) })
}

func (f Faulty) locker(op, key string) (store.Locker, error) {
	l, ok := f.Store.(store.Locker)
	if !ok {
		return nil, fmt.Errorf("%s %q: %w", op, key, errors.ErrUnsupported)
	}
	return l, nil
}
