package embedded

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

const (
	// smallObject is up to where an object's bytes go through the log: one
	// write and sync, shared with other requests. Larger ones are written
	// once, to a file that is synced before the log names it.
	smallObject = 128 << 10
	// reserve is kept free, so that what the log has accepted can also be
	// written to the tree.
	reserve = 64 << 20
)

// body is where the bytes of a new version are: in memory, to be written with
// its record, or in a synced file below staging, which has the record already.
type body struct {
	data   []byte
	staged string
}

// discard removes a staged file that no change names.
func (b *backend) discard(in body) {
	if in.staged != "" {
		os.Remove(b.path(in.staged))
	}
}

// PutObject implements vgw.Backend.
func (b *backend) PutObject(_ context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	out, err := b.put(in)
	return out, b.fail("put object", err)
}

func (b *backend) put(in s3response.PutObjectInput) (out s3response.PutObjectOutput, err error) {
	bucket, err := b.read(*in.Bucket)
	if err != nil {
		return out, err
	}
	if str(in.Tagging) != "" {
		return out, s3err.GetAPIError(s3err.ErrNotImplemented)
	}
	r := b.newRecord(bucket, *in.Key)
	r.Size, r.Metadata = *in.ContentLength, in.Metadata
	r.Headers = headers{
		str(in.ContentType), str(in.ContentEncoding), str(in.ContentDisposition), str(in.ContentLanguage), str(in.CacheControl), str(in.Expires),
	}
	if r.Lock, err = bucket.newLock(r.Modified, in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus); err != nil {
		return out, err
	}
	received, err := b.receive(r, in.Body, sumOf(in))
	if err != nil {
		return out, err
	}
	if err := b.publish(*in.Bucket, r, received, conditions{in.IfMatch, in.IfNoneMatch}); err != nil {
		return out, err
	}
	out = s3response.PutObjectOutput{ETag: r.ETag, Size: &r.Size, VersionID: r.shownVersion()}
	c := r.Checksum.response()
	out.ChecksumType = c.Type
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME = c.CRC32, c.CRC32C, c.CRC64NVME
	out.ChecksumSHA1, out.ChecksumSHA256, out.ChecksumSHA512 = c.SHA1, c.SHA256, c.SHA512
	out.ChecksumMD5, out.ChecksumXXHASH64, out.ChecksumXXHASH3, out.ChecksumXXHASH128 = c.MD5, c.XXHASH64, c.XXHASH3, c.XXHASH128
	return out, nil
}

// newRecord begins the record of a version to be put now.
func (b *backend) newRecord(bucket settings, key string) *record {
	now := b.now().UTC()
	id := newVersion(now, "")
	// The ETag is unique, not a digest: it says "unchanged since", and MD5
	// would be the most expensive step of a put. The suffix says so to
	// clients that would compare it with one.
	r := &record{Key: key, Version: id, ETag: `"` + id + `-1"`, Modified: now}
	if !bucket.Versioned {
		r.Version = nullVersion
	}
	return r
}

// shownVersion is the version in answers to puts, which S3 leaves out where
// the bucket has none.
func (r *record) shownVersion() string {
	if r.Version == nullVersion {
		return ""
	}
	return r.Version
}

// sumOf returns the checksum the client sent in a header.
func sumOf(in s3response.PutObjectInput) checksum {
	return pickChecksum(in.ChecksumAlgorithm, map[types.ChecksumAlgorithm]*string{
		types.ChecksumAlgorithmCrc32: in.ChecksumCRC32, types.ChecksumAlgorithmCrc32c: in.ChecksumCRC32C,
		types.ChecksumAlgorithmCrc64nvme: in.ChecksumCRC64NVME, types.ChecksumAlgorithmSha1: in.ChecksumSHA1,
		types.ChecksumAlgorithmSha256: in.ChecksumSHA256, types.ChecksumAlgorithmSha512: in.ChecksumSHA512,
		types.ChecksumAlgorithmMd5: in.ChecksumMD5, types.ChecksumAlgorithmXxhash64: in.ChecksumXXHASH64,
		types.ChecksumAlgorithmXxhash3: in.ChecksumXXHASH3, types.ChecksumAlgorithmXxhash128: in.ChecksumXXHASH128,
	})
}

// receive reads a body to its end, which is where wrong checksums and
// signatures show, and adds the checksum to r. The key is not locked meanwhile.
func (b *backend) receive(r *record, from io.Reader, want checksum) (body, error) {
	hashed, err := utils.NewHashReader(from, want.Value, utils.HashType(strings.ToLower(want.Algorithm)))
	if err != nil {
		return body{}, err
	}
	// A checksum sent behind the body is verified by the reader itself.
	trailing, ok := from.(middlewares.ChecksumReader)
	sum := func() {
		r.Checksum = checksum{want.Algorithm, string(types.ChecksumTypeFullObject), hashed.Sum()}
		if ok && trailing.Algorithm() != "" {
			r.Checksum.Algorithm, r.Checksum.Value = strings.ToUpper(trailing.Algorithm()), trailing.Checksum()
		}
	}
	if err := b.room(r.Size); err != nil {
		return body{}, err
	}
	if r.Size <= smallObject {
		var buf bytes.Buffer
		buf.Grow(int(r.Size) + tailGuess)
		if err := readExactly(&buf, hashed, r.Size); err != nil {
			return body{}, err
		}
		sum()
		return body{data: buf.Bytes()}, nil
	}
	return b.stage(r, func(f *os.File) error {
		defer sum()
		return readExactly(f, hashed, r.Size)
	})
}

// readExactly copies a body that was said to have size bytes.
func readExactly(to io.Writer, from io.Reader, size int64) error {
	n, err := io.CopyBuffer(struct{ io.Writer }{to}, io.LimitReader(from, size+1), make([]byte, min(size+1, 256<<10)))
	switch {
	case err != nil:
		return err
	case n < size:
		return s3err.GetAPIError(s3err.ErrIncompleteBody)
	case n > size:
		return s3err.GetAPIError(s3err.ErrContentLengthMismatch)
	}
	return nil
}

// room refuses what would fill the file system.
func (b *backend) room(size int64) error {
	free, err := freeSpace(b.log.root)
	if err == nil && free < size+reserve {
		err = s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	}
	return err
}

// stage writes a file below staging, and behind its bytes the record, and
// syncs both and the file's name.
func (b *backend) stage(r *record, write func(*os.File) error) (_ body, err error) {
	name := filepath.Join("staging", newName())
	f, err := os.OpenFile(b.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return body{}, err
	}
	in := body{staged: name}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			b.discard(in)
		}
	}()
	if err := write(f); err != nil {
		return body{}, err
	}
	if err := writeTail(f, r); err != nil {
		return body{}, err
	}
	return in, b.names.do()
}

// writeTail writes the record behind a staged file's bytes and syncs it.
func writeTail(f *os.File, r *record) error {
	tail, err := r.tail()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(tail, r.Size); err != nil {
		return err
	}
	return errors.Join(f.Truncate(r.Size+int64(len(tail))), f.Sync())
}

// conditions are a put's If-Match and If-None-Match.
type conditions struct{ ifMatch, ifNoneMatch *string }

// publish makes in the newest version of its key, or replaces the only one
// where the bucket has no versions. The decision and the change are one step
// for everybody else; besides lie changes to be made with it. It consumes in.
func (b *backend) publish(bucket string, r *record, in body, cond conditions, besides ...change) error {
	c, unlock, err := b.decide(bucket, r, in, cond)
	if err != nil {
		b.discard(in)
		return err
	}
	defer unlock()
	// From here on the log owns the staged file: if the commit fails, a
	// replay may need it.
	return b.log.commit(append([]change{c}, besides...)...)
}

// decide evaluates a put's conditions and returns the change that makes the
// version. When it succeeds, the key stays locked until unlock.
func (b *backend) decide(bucket string, r *record, in body, cond conditions) (c change, unlock func(), err error) {
	base, err := objectBase(bucket, r.Key)
	if err != nil {
		return c, nil, err
	}
	bk, done, err := b.use(bucket)
	if err != nil {
		return c, nil, err
	}
	l := b.keys.of(base)
	l.Lock()
	release := func() { l.Unlock(); done() }
	defer func() {
		if err != nil {
			release()
		}
	}()
	newest, err := b.existing(base, cond)
	if err != nil {
		return c, nil, err
	}
	path := firstVersion(base)
	if bk.Versioned && newest != "" {
		if r.Version <= newest || r.Version == nullVersion {
			if err := b.renumber(r, in, newest); err != nil {
				return c, nil, err
			}
		}
		path = laterVersion(base, r.Version)
	}
	c, err = in.at(path, r)
	return c, release, err
}

// at returns the change that puts the body and its record at path.
func (in body) at(path string, r *record) (change, error) {
	if in.staged != "" {
		return change{op: opLink, path: path, from: in.staged}, nil
	}
	tail, err := r.tail()
	return change{op: opWrite, path: path, data: append(in.data, tail...)}, err
}

// existing returns the name of the key's newest version, if it has any, and
// evaluates a put's conditions against it.
func (b *backend) existing(base string, cond conditions) (newest string, err error) {
	v, err := b.latest(base)
	if errors.Is(err, fs.ErrNotExist) {
		return "", vgw.EvaluateObjectPutPreconditions("", cond.ifMatch, cond.ifNoneMatch, false)
	}
	if err != nil {
		return "", err
	}
	defer v.close()
	return v.Version, vgw.EvaluateObjectPutPreconditions(v.ETag, cond.ifMatch, cond.ifNoneMatch, !v.DeleteMarker)
}

// renumber names a version so that it sorts after the newest one. It is rare,
// since names are made from the time; with a staged file it costs a sync.
func (b *backend) renumber(r *record, in body, newest string) error {
	r.Version = newVersion(b.now(), newest)
	if in.staged == "" {
		return nil
	}
	f, err := os.OpenFile(b.path(in.staged), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(writeTail(f, r), f.Close())
}

// newName returns a file name nobody else has.
func newName() string { return newVersion(time.Time{}, "") }
