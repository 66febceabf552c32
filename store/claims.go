package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Claimed gives s a put-if-absent that its server does not have, by that of
// another bucket: Ceph 16 ignores the condition in buckets with versions and
// keeps it in plain ones.
//
// A put-if-absent first puts its data, if absent, under "claims/" in the other
// bucket: that decides. Then the data is put under its own key. Whoever loses
// finishes the winner's put, if that has not been done, before it is told that
// the key is taken: a winner that died in between is completed by the next who
// comes. Completing twice puts the same bytes twice.
//
// Claims are kept. If they are lost, keys that have their object stay taken, and
// only puts under way at that moment may meet again.
func Claimed(s Store, claims Store) Store { return claimed{s, claims} }

type claimed struct {
	Store
	claims Store
}

var (
	_ Uploader = claimed{}
	_ Locker   = claimed{}
)

// maxClaim bounds what is read of a claim.
const maxClaim = 64 << 20

func claimKey(key string) string { return "claims/" + key }

// Put implements Store.
func (c claimed) Put(ctx context.Context, key string, data []byte, opts *PutOptions) (*Info, error) {
	if opts == nil || !opts.IfAbsent {
		return c.Store.Put(ctx, key, data, opts)
	}
	_, err := c.claims.Put(ctx, claimKey(key), data, &PutOptions{IfAbsent: true})
	switch {
	case err == nil:
		return c.complete(ctx, key, data, opts.Lock)
	case !errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("claim: %w", err)
	}
	first, _, err := ReadAll(ctx, c.claims, claimKey(key), maxClaim)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	if err := c.await(ctx, key); err != nil {
		return nil, err
	}
	if _, err := c.complete(ctx, key, first, opts.Lock); err != nil {
		return nil, err
	}
	return nil, &fs.PathError{Op: "put", Path: key, Err: fs.ErrExist}
}

// A loser gives the winner time to put its object before it does so itself.
const (
	claimPatience = 2 * time.Second
	claimPause    = 20 * time.Millisecond
)

// await returns when the key has its object, or when its writer seems dead.
func (c claimed) await(ctx context.Context, key string) error {
	patience := time.NewTimer(claimPatience)
	defer patience.Stop()
	pause := time.NewTicker(claimPause)
	defer pause.Stop()
	for {
		r, _, err := c.Store.Get(ctx, key, &GetOptions{Length: 1})
		if err == nil {
			return r.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-patience.C:
			return nil
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// complete puts what a claim holds, unless the key has its object.
func (c claimed) complete(ctx context.Context, key string, data []byte, lock time.Time) (*Info, error) {
	have, info, err := ReadAll(ctx, c.Store, key, maxClaim)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.Store.Put(ctx, key, data, &PutOptions{Lock: lock})
	case err != nil:
		return nil, err
	case !bytes.Equal(have, data):
		return nil, &fs.PathError{Op: "put", Path: key, Err: fs.ErrExist}
	}
	return info, nil
}

// Delete implements Store.
func (c claimed) Delete(ctx context.Context, key string) error {
	if err := c.Store.Delete(ctx, key); err != nil {
		return err
	}
	return c.claims.Delete(ctx, claimKey(key))
}

// Create implements Uploader.
func (c claimed) Create(ctx context.Context, key string) (Upload, error) {
	u, ok := c.Store.(Uploader)
	if !ok {
		return nil, &fs.PathError{Op: "create", Path: key, Err: errors.ErrUnsupported}
	}
	return u.Create(ctx, key)
}

func (c claimed) locker(op, key string) (Locker, error) {
	if l, ok := c.Store.(Locker); ok {
		return l, nil
	}
	return nil, &fs.PathError{Op: op, Path: key, Err: errors.ErrUnsupported}
}

// Lock implements Locker.
func (c claimed) Lock(ctx context.Context, key, version string, until time.Time) error {
	l, err := c.locker("lock", key)
	if err != nil {
		return err
	}
	return l.Lock(ctx, key, version, until)
}

// Hold implements Locker.
func (c claimed) Hold(ctx context.Context, key, version string, on bool) error {
	l, err := c.locker("hold", key)
	if err != nil {
		return err
	}
	return l.Hold(ctx, key, version, on)
}

// Locked implements Locker.
func (c claimed) Locked(ctx context.Context, key, version string) (Lock, error) {
	l, err := c.locker("locked", key)
	if err != nil {
		return Lock{}, err
	}
	return l.Locked(ctx, key, version)
}
