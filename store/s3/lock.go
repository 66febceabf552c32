package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

// Lock implements store.Locker.
func (b *Bucket) Lock(ctx context.Context, key, version string, until time.Time) error {
	if err := b.checkLocking(ctx, "lock", key); err != nil {
		return err
	}
	until = roundUp(until)
	mode := minio.Compliance
	putErr := b.core.PutObjectRetention(ctx, b.name, key, minio.PutObjectRetentionOptions{
		VersionID: version, Mode: &mode, RetainUntilDate: &until,
	})
	switch {
	case putErr == nil && b.keepsLocks.Load():
		return nil
	case putErr != nil && !refused(putErr):
		return b.translate(ctx, "lock", key, putErr)
	}
	// Read the lock back: a server refuses to shorten one, which is no error
	// here, and some servers accept a lock and do not keep it. One that has
	// kept a lock is believed from then on.
	mode, got, err := b.retention(ctx, key, version)
	switch {
	case err != nil:
		return b.translate(ctx, "lock", key, err)
	case mode == minio.Compliance && !got.Before(until):
		if putErr == nil {
			b.keepsLocks.Store(true)
		}
		return nil
	case putErr == nil:
		return fmt.Errorf("lock %q until %v: the server did not keep the lock", key, until)
	case !until.After(b.wire.time()):
		return nil // nothing is to be locked
	}
	return b.translate(ctx, "lock", key, putErr)
}

// Hold implements store.Locker.
func (b *Bucket) Hold(ctx context.Context, key, version string, on bool) error {
	if err := b.checkLocking(ctx, "hold", key); err != nil {
		return err
	}
	status := minio.LegalHoldDisabled
	if on {
		status = minio.LegalHoldEnabled
	}
	err := b.core.PutObjectLegalHold(ctx, b.name, key, minio.PutObjectLegalHoldOptions{
		VersionID: version, Status: &status,
	})
	if err != nil {
		return b.translate(ctx, "hold", key, err)
	}
	if b.keepsHolds.Load() {
		return nil
	}
	got, err := b.hold(ctx, key, version)
	if err != nil {
		return b.translate(ctx, "hold", key, err)
	}
	if got != on {
		return fmt.Errorf("hold %q: the server did not keep the hold", key)
	}
	if on {
		b.keepsHolds.Store(true)
	}
	return nil
}

// Locked implements store.Locker.
func (b *Bucket) Locked(ctx context.Context, key, version string) (store.Lock, error) {
	if err := b.checkLocking(ctx, "locked", key); err != nil {
		return store.Lock{}, err
	}
	lock, err := b.locks(ctx, key, version)
	return lock, b.translate(ctx, "locked", key, err)
}

// locks asks for retention and hold apart: the one request that tells both
// (HEAD) omits them for older versions on some servers.
func (b *Bucket) locks(ctx context.Context, key, version string) (store.Lock, error) {
	_, until, err := b.retention(ctx, key, version)
	if err != nil {
		return store.Lock{}, err
	}
	hold, err := b.hold(ctx, key, version)
	if err != nil {
		return store.Lock{}, err
	}
	return store.Lock{Until: until, Hold: hold}, nil
}

func (b *Bucket) retention(ctx context.Context, key, version string) (minio.RetentionMode, time.Time, error) {
	mode, until, err := b.core.GetObjectRetention(ctx, b.name, key, version)
	switch {
	case unlocked(err):
		return "", time.Time{}, nil
	case err != nil:
		return "", time.Time{}, err
	case mode == nil || until == nil:
		return "", time.Time{}, nil
	}
	return *mode, until.UTC(), nil
}

func (b *Bucket) hold(ctx context.Context, key, version string) (bool, error) {
	status, err := b.core.GetObjectLegalHold(ctx, b.name, key, minio.GetObjectLegalHoldOptions{VersionID: version})
	switch {
	case unlocked(err):
		return false, nil
	case err != nil:
		return false, err
	}
	return status != nil && *status == minio.LegalHoldEnabled, nil
}

// unlocked reports whether an error says that the object is there but has no
// lock.
func unlocked(err error) bool {
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError":
		return true
	}
	return false
}

func (b *Bucket) checkLocking(ctx context.Context, op, key string) error {
	if err := b.check(ctx, op, key); err != nil {
		return err
	}
	if !b.locking {
		return &fs.PathError{Op: op, Path: key, Err: errors.ErrUnsupported}
	}
	return nil
}

// roundUp returns t rounded up to a second, which is what servers keep.
func roundUp(t time.Time) time.Time {
	if rest := t.Nanosecond(); rest != 0 {
		t = t.Add(time.Second - time.Duration(rest))
	}
	return t.UTC()
}
