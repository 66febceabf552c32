package embedded

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// open opens a version for reading. The key is locked only meanwhile: an open
// file keeps its bytes, whatever happens to its name.
func (b *backend) open(bucket, key, id string) (*version, error) {
	if _, err := b.bucket(bucket); err != nil {
		return nil, err
	}
	base, err := objectBase(bucket, key)
	if err != nil {
		return nil, err
	}
	l := b.keys.of(base)
	l.RLock()
	defer l.RUnlock()
	return b.find(base, key, id)
}

// view is what GetObject and HeadObject answer, before it is put into their
// different types.
type view struct {
	*version
	off, length  int64
	contentRange *string
	sums         s3response.Checksum
}

// request is what GetObject and HeadObject ask.
type request struct {
	bucket, key, id string
	rng             string
	part            *int32
	checksums       bool
	cond            vgw.PreConditions
}

// look opens what is asked for. If that is a delete marker, it returns the
// marker's record, closed, besides the error.
func (b *backend) look(q request) (v view, err error) {
	if v.version, err = b.open(q.bucket, q.key, q.id); err != nil {
		return v, err
	}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if v.DeleteMarker {
		if q.id != "" {
			return v, s3err.GetAPIError(s3err.ErrMethodNotAllowed)
		}
		return v, s3err.GetAPIError(s3err.ErrNoSuchKey)
	}
	if err := vgw.EvaluatePreconditions(v.ETag, v.Modified, q.cond); err != nil {
		return v, err
	}
	if q.part != nil && *q.part != 1 {
		return v, s3err.GetInvalidPartNumberRangeErr(1, *q.part)
	}
	var partial bool
	if v.off, v.length, partial, err = vgw.ParseObjectRange(v.Size, q.rng); err != nil {
		return v, err
	}
	if partial {
		s := fmt.Sprintf("bytes %d-%d/%d", v.off, v.off+v.length-1, v.Size)
		v.contentRange = &s
	} else if q.checksums {
		v.sums = v.Checksum.response()
	}
	return v, nil
}

// GetObject implements vgw.Backend.
func (b *backend) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	v, err := b.look(request{*in.Bucket, *in.Key, str(in.VersionId), str(in.Range), in.PartNumber, in.ChecksumMode == types.ChecksumModeEnabled,
		vgw.PreConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModSince: in.IfModifiedSince, IfUnmodeSince: in.IfUnmodifiedSince}})
	if err != nil {
		if v.version != nil && v.DeleteMarker {
			return &s3.GetObjectOutput{DeleteMarker: &v.DeleteMarker, LastModified: &v.Modified}, err
		}
		return nil, b.fail("get object", err)
	}
	l := v.lockHeaders()
	return &s3.GetObjectOutput{
		Body: struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(v.f, v.off, v.length), v.f},
		AcceptRanges: ptr("bytes"), ContentLength: &v.length, ContentRange: v.contentRange,
		ETag: &v.ETag, LastModified: &v.Modified, VersionId: &v.Version, Metadata: v.Metadata, StorageClass: types.StorageClassStandard,
		ContentType: opt(v.Headers.ContentType), ContentEncoding: opt(v.Headers.ContentEncoding), ContentLanguage: opt(v.Headers.ContentLanguage),
		ContentDisposition: opt(v.Headers.ContentDisposition), CacheControl: opt(v.Headers.CacheControl), ExpiresString: opt(v.Headers.Expires),
		ObjectLockMode: l.mode, ObjectLockRetainUntilDate: l.until, ObjectLockLegalHoldStatus: l.hold,
		ChecksumType: v.sums.Type, ChecksumCRC32: v.sums.CRC32, ChecksumCRC32C: v.sums.CRC32C, ChecksumCRC64NVME: v.sums.CRC64NVME,
		ChecksumSHA1: v.sums.SHA1, ChecksumSHA256: v.sums.SHA256, ChecksumSHA512: v.sums.SHA512, ChecksumMD5: v.sums.MD5,
		ChecksumXXHASH64: v.sums.XXHASH64, ChecksumXXHASH3: v.sums.XXHASH3, ChecksumXXHASH128: v.sums.XXHASH128,
	}, nil
}

// HeadObject implements vgw.Backend.
func (b *backend) HeadObject(_ context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	v, err := b.look(request{*in.Bucket, *in.Key, str(in.VersionId), str(in.Range), in.PartNumber, in.ChecksumMode == types.ChecksumModeEnabled,
		vgw.PreConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModSince: in.IfModifiedSince, IfUnmodeSince: in.IfUnmodifiedSince}})
	if err != nil {
		if v.version != nil && v.DeleteMarker {
			return &s3.HeadObjectOutput{DeleteMarker: &v.DeleteMarker, LastModified: &v.Modified}, err
		}
		return nil, b.fail("head object", err)
	}
	defer v.close()
	l := v.lockHeaders()
	return &s3.HeadObjectOutput{
		AcceptRanges: ptr("bytes"), ContentLength: &v.length, ContentRange: v.contentRange,
		ETag: &v.ETag, LastModified: &v.Modified, VersionId: &v.Version, Metadata: v.Metadata, StorageClass: types.StorageClassStandard,
		ContentType: opt(v.Headers.ContentType), ContentEncoding: opt(v.Headers.ContentEncoding), ContentLanguage: opt(v.Headers.ContentLanguage),
		ContentDisposition: opt(v.Headers.ContentDisposition), CacheControl: opt(v.Headers.CacheControl), ExpiresString: opt(v.Headers.Expires),
		ObjectLockMode: l.mode, ObjectLockRetainUntilDate: l.until, ObjectLockLegalHoldStatus: l.hold,
		ChecksumType: v.sums.Type, ChecksumCRC32: v.sums.CRC32, ChecksumCRC32C: v.sums.CRC32C, ChecksumCRC64NVME: v.sums.CRC64NVME,
		ChecksumSHA1: v.sums.SHA1, ChecksumSHA256: v.sums.SHA256, ChecksumSHA512: v.sums.SHA512, ChecksumMD5: v.sums.MD5,
		ChecksumXXHASH64: v.sums.XXHASH64, ChecksumXXHASH3: v.sums.XXHASH3, ChecksumXXHASH128: v.sums.XXHASH128,
	}, nil
}

// lockHeaders is a version's lock as answers show it.
type lockHeaders struct {
	mode  types.ObjectLockMode
	until *time.Time
	hold  types.ObjectLockLegalHoldStatus
}

func (r *record) lockHeaders() lockHeaders {
	h := lockHeaders{mode: types.ObjectLockMode(r.Lock.Mode)}
	if r.Lock.Mode != "" {
		h.until = &r.Lock.Until
	}
	if r.Lock.Hold {
		h.hold = types.ObjectLockLegalHoldStatusOn
	}
	return h
}

func opt(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func ptr[T any](v T) *T { return &v }
