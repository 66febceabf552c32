package embedded

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/s3err"
)

// versitygw checks locks when it parses a request and acts later, and lets a
// held version be deleted once its retention has expired. So every rule is
// checked here again, with the key locked.

// newLock returns what a new version is locked with: what the request asks
// for, or the bucket's default counted from now, as S3 has it.
func (s settings) newLock(now time.Time, mode types.ObjectLockMode, until *time.Time, hold types.ObjectLockLegalHoldStatus) (lock, error) {
	l := lock{Mode: string(mode), Hold: hold == types.ObjectLockLegalHoldStatusOn}
	if mode != "" {
		l.Until = until.UTC()
	}
	if s.Lock == nil {
		if l != (lock{}) {
			return l, s3err.GetAPIError(s3err.ErrMissingObjectLockConfigurationNoSpaces)
		}
		return l, nil
	}
	rule, err := s.defaultRetention()
	if err != nil || rule == nil || mode != "" {
		return l, err
	}
	var years, days int
	if rule.Years != nil {
		years = int(*rule.Years)
	}
	if rule.Days != nil {
		days = int(*rule.Days)
	}
	l.Mode, l.Until = string(rule.Mode), now.AddDate(years, 0, days)
	return l, nil
}

func (s settings) defaultRetention() (*types.DefaultRetention, error) {
	c, err := auth.ParseBucketLockConfigurationOutput(s.Lock)
	if err != nil || c.Rule == nil {
		return nil, err
	}
	return c.Rule.DefaultRetention, nil
}

// compliant tells whether the retention binds everybody at that time.
func (l lock) compliant(now time.Time) bool {
	return l.Mode == string(types.ObjectLockRetentionModeCompliance) && l.Until.After(now)
}

// mayRemove refuses what may not be removed. GOVERNANCE is versitygw's to
// judge, from the request's headers.
func (l lock) mayRemove(now time.Time) error {
	if l.Hold || l.compliant(now) {
		return s3err.GetAPIError(s3err.ErrObjectLocked)
	}
	return nil
}

// mayBecome refuses a retention that weakens COMPLIANCE.
func (l lock) mayBecome(next lock, now time.Time) error {
	if l.compliant(now) && (next.Mode != l.Mode || next.Until.Before(l.Until)) {
		return s3err.GetAPIError(s3err.ErrObjectLocked)
	}
	return nil
}

// PutObjectLockConfiguration implements vgw.Backend.
func (b *backend) PutObjectLockConfiguration(_ context.Context, name string, config []byte) error {
	var c auth.BucketLockConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return b.fail("put object lock configuration", err)
	}
	// Without this date versitygw leaves the default retention to us.
	c.CreatedAt = nil
	data, err := json.Marshal(c)
	if err != nil {
		return b.fail("put object lock configuration", err)
	}
	return b.change(name, func(s *settings) error {
		if !s.Versioned {
			return s3err.GetAPIError(s3err.ErrObjectLockConfigurationNotAllowed)
		}
		s.Lock = data
		return nil
	})
}

// GetObjectLockConfiguration implements vgw.Backend.
func (b *backend) GetObjectLockConfiguration(_ context.Context, name string) ([]byte, error) {
	s, err := b.read(name)
	if err == nil && s.Lock == nil {
		err = s3err.GetBucketErr(s3err.ErrObjectLockConfigurationNotFound, name)
	}
	return s.Lock, err
}

// PutObjectRetention implements vgw.Backend.
func (b *backend) PutObjectRetention(_ context.Context, bucket, key, id string, retention []byte) error {
	want, err := auth.ParseObjectLockRetentionOutput(retention)
	if err != nil || want.RetainUntilDate == nil {
		return s3err.GetAPIError(s3err.ErrMalformedXML)
	}
	return b.relock(bucket, key, id, func(l lock) (lock, error) {
		next := lock{Mode: string(want.Mode), Until: want.RetainUntilDate.UTC(), Hold: l.Hold}
		return next, l.mayBecome(next, b.now())
	})
}

// PutObjectLegalHold implements vgw.Backend.
func (b *backend) PutObjectLegalHold(_ context.Context, bucket, key, id string, on bool) error {
	return b.relock(bucket, key, id, func(l lock) (lock, error) {
		l.Hold = on
		return l, nil
	})
}

// relock edits the lock of a version, durably.
func (b *backend) relock(bucket, key, id string, edit func(lock) (lock, error)) error {
	bk, done, err := b.use(bucket)
	if err != nil {
		return err
	}
	defer done()
	if bk.Lock == nil {
		return s3err.GetAPIError(s3err.ErrMissingObjectLockConfiguration)
	}
	base, err := objectBase(bucket, key)
	if err != nil {
		return err
	}
	l := b.keys.of(base)
	l.Lock()
	defer l.Unlock()
	v, err := b.find(base, key, id)
	if err != nil {
		return b.fail("lock object", err)
	}
	defer v.close()
	if v.DeleteMarker {
		return s3err.GetAPIError(s3err.ErrMethodNotAllowed)
	}
	next, err := edit(v.Lock)
	if err != nil || next == v.Lock {
		return err
	}
	v.Lock = next
	tail, err := v.tail()
	if err == nil {
		err = b.log.commit(change{op: opSplice, path: v.path, off: v.Size, data: tail})
	}
	return b.fail("lock object", err)
}

// GetObjectRetention implements vgw.Backend.
func (b *backend) GetObjectRetention(_ context.Context, bucket, key, id string) ([]byte, error) {
	l, err := b.lockOf(bucket, key, id)
	if err != nil {
		return nil, err
	}
	if l.Mode == "" {
		return nil, s3err.GetAPIError(s3err.ErrNoSuchObjectLockConfiguration)
	}
	return json.Marshal(types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(l.Mode), RetainUntilDate: &l.Until})
}

// GetObjectLegalHold implements vgw.Backend.
func (b *backend) GetObjectLegalHold(_ context.Context, bucket, key, id string) (*bool, error) {
	l, err := b.lockOf(bucket, key, id)
	if err != nil {
		return nil, err
	}
	return &l.Hold, nil
}

func (b *backend) lockOf(bucket, key, id string) (lock, error) {
	s, err := b.read(bucket)
	if err != nil {
		return lock{}, err
	}
	if s.Lock == nil {
		return lock{}, s3err.GetAPIError(s3err.ErrMissingObjectLockConfiguration)
	}
	v, err := b.open(bucket, key, id)
	if err != nil {
		return lock{}, b.fail("get object lock", err)
	}
	defer v.close()
	if v.DeleteMarker {
		return lock{}, s3err.GetAPIError(s3err.ErrMethodNotAllowed)
	}
	return v.Lock, nil
}
