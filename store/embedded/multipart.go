package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// An upload is a directory below uploads: the file "upload" with what the
// object will have, and a file for each part. A part is durable when it has
// been acknowledged, so that an upload can be resumed after a power cut.

// upload is the content of the file "upload".
type upload struct {
	Bucket   string   `json:"bucket"`
	Record   record   `json:"record"`   // Modified is when the upload began
	Checksum checksum `json:"checksum"` // algorithm and type; both empty if none were asked for
}

const minPart = 5 << 20

func uploadDir(id string) string  { return filepath.Join("uploads", id) }
func uploadFile(id string) string { return filepath.Join("uploads", id, "upload") }
func partFile(id string, part int32) string {
	return filepath.Join("uploads", id, fmt.Sprintf("%05d", part))
}

// newUploadID returns a random UUID, the form versitygw wants.
func newUploadID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// validUpload tells whether a client's upload ID may be used in a path.
func validUpload(id string) bool {
	return len(id) == 36 && strings.Trim(id, "0123456789abcdef-") == ""
}

// CreateMultipartUpload implements vgw.Backend.
func (b *backend) CreateMultipartUpload(_ context.Context, in s3response.CreateMultipartUploadInput) (out s3response.InitiateMultipartUploadResult, err error) {
	bucket, err := b.read(*in.Bucket)
	if err != nil {
		return out, err
	}
	if _, err := objectBase(*in.Bucket, *in.Key); err != nil {
		return out, err
	}
	if str(in.Tagging) != "" {
		return out, s3err.GetAPIError(s3err.ErrNotImplemented)
	}
	u := upload{Bucket: *in.Bucket, Record: *b.newRecord(bucket, *in.Key)}
	u.Record.Metadata = in.Metadata
	u.Record.Headers = headers{
		str(in.ContentType), str(in.ContentEncoding), str(in.ContentDisposition), str(in.ContentLanguage), str(in.CacheControl), str(in.Expires),
	}
	if u.Record.Lock, err = bucket.newLock(u.Record.Modified, in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus); err != nil {
		return out, err
	}
	u.Checksum = checksum{Algorithm: string(in.ChecksumAlgorithm), Type: string(in.ChecksumType)}
	data, err := json.Marshal(u)
	if err != nil {
		return out, b.fail("create upload", err)
	}
	id := newUploadID()
	if err := b.log.commit(change{op: opWrite, path: uploadFile(id), data: data}); err != nil {
		return out, b.fail("create upload", err)
	}
	return s3response.InitiateMultipartUploadResult{Bucket: *in.Bucket, Key: *in.Key, UploadId: id}, nil
}

// openUpload reads an upload a client names. The caller holds its lock.
func (b *backend) openUpload(id, bucket, key string) (*upload, error) {
	if !validUpload(id) {
		return nil, s3err.GetNoSuchUploadErr(id)
	}
	data, err := os.ReadFile(b.path(uploadFile(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s3err.GetNoSuchUploadErr(id)
	}
	if err != nil {
		return nil, err
	}
	u := new(upload)
	if err := json.Unmarshal(data, u); err != nil {
		return nil, fmt.Errorf("upload %s: %w", id, err)
	}
	if u.Bucket != bucket || u.Record.Key != key {
		return nil, s3err.GetNoSuchUploadErr(id)
	}
	return u, nil
}

// UploadPart implements vgw.Backend.
func (b *backend) UploadPart(_ context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	out, err := b.putPart(in)
	return out, b.fail("upload part", err)
}

func (b *backend) putPart(in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	u, err := b.openUpload(*in.UploadId, *in.Bucket, *in.Key)
	if err != nil {
		return nil, err
	}
	r := b.newRecord(settings{}, "")
	r.Size = *in.ContentLength
	want := pickChecksum(in.ChecksumAlgorithm, map[types.ChecksumAlgorithm]*string{
		types.ChecksumAlgorithmCrc32: in.ChecksumCRC32, types.ChecksumAlgorithmCrc32c: in.ChecksumCRC32C,
		types.ChecksumAlgorithmCrc64nvme: in.ChecksumCRC64NVME, types.ChecksumAlgorithmSha1: in.ChecksumSHA1,
		types.ChecksumAlgorithmSha256: in.ChecksumSHA256,
	})
	if want.Value == "" && u.Checksum.Algorithm != "" {
		want.Algorithm = u.Checksum.Algorithm
	}
	received, err := b.receive(r, in.Body, want)
	if err != nil {
		return nil, err
	}
	if err := b.addPart(in, r, received); err != nil {
		return nil, err
	}
	c := r.Checksum.response()
	return &s3.UploadPartOutput{
		ETag: &r.ETag, ChecksumCRC32: c.CRC32, ChecksumCRC32C: c.CRC32C, ChecksumCRC64NVME: c.CRC64NVME,
		ChecksumSHA1: c.SHA1, ChecksumSHA256: c.SHA256,
	}, nil
}

// addPart makes a part visible, unless the upload has ended while the part
// arrived.
func (b *backend) addPart(in *s3.UploadPartInput, r *record, received body) error {
	l := b.uploads.of(*in.UploadId)
	l.Lock()
	defer l.Unlock()
	_, err := b.openUpload(*in.UploadId, *in.Bucket, *in.Key)
	var c change
	if err == nil {
		c, err = received.at(partFile(*in.UploadId, *in.PartNumber), r)
	}
	if err != nil {
		b.discard(received)
		return err
	}
	return b.log.commit(c)
}

// AbortMultipartUpload implements vgw.Backend.
func (b *backend) AbortMultipartUpload(_ context.Context, in *s3.AbortMultipartUploadInput) error {
	l := b.uploads.of(*in.UploadId)
	l.Lock()
	defer l.Unlock()
	_, err := b.openUpload(*in.UploadId, *in.Bucket, *in.Key)
	if err == nil {
		err = b.log.commit(change{op: opRemoveAll, path: uploadDir(*in.UploadId)})
	}
	return b.fail("abort upload", err)
}

// part is a stored part.
type part struct {
	number int32
	path   string
	*record
}

// openPart reads the record of a stored part.
func (b *backend) openPart(id string, number int32) (part, error) {
	p := part{number: number, path: partFile(id, number)}
	f, r, err := openRecord(b.path(p.path))
	if err != nil {
		return p, err
	}
	p.record = r
	return p, f.Close()
}

// CompleteMultipartUpload implements vgw.Backend.
func (b *backend) CompleteMultipartUpload(_ context.Context, in *s3.CompleteMultipartUploadInput) (out s3response.CompleteMultipartUploadResult, version string, err error) {
	r, err := b.complete(in)
	if err != nil {
		return out, "", b.fail("complete upload", err)
	}
	c := r.Checksum.response()
	return s3response.CompleteMultipartUploadResult{
		Bucket: in.Bucket, Key: in.Key, ETag: &r.ETag, ChecksumType: &c.Type,
		ChecksumCRC32: c.CRC32, ChecksumCRC32C: c.CRC32C, ChecksumCRC64NVME: c.CRC64NVME, ChecksumSHA1: c.SHA1, ChecksumSHA256: c.SHA256,
	}, r.shownVersion(), nil
}

func (b *backend) complete(in *s3.CompleteMultipartUploadInput) (*record, error) {
	id := *in.UploadId
	l := b.uploads.of(id)
	l.Lock()
	defer l.Unlock()
	u, err := b.openUpload(id, *in.Bucket, *in.Key)
	if err != nil {
		return nil, err
	}
	parts, size, err := b.checkParts(id, in.MultipartUpload.Parts)
	if err != nil {
		return nil, err
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != size {
		return nil, s3err.GetIncorrectMpObjectSizeErr(size, *in.MpuObjectSize)
	}
	bucket, err := b.read(*in.Bucket)
	if err != nil {
		return nil, err
	}
	r := b.newRecord(bucket, *in.Key)
	r.Size, r.Metadata, r.Headers, r.Lock = size, u.Record.Metadata, u.Record.Headers, u.Record.Lock
	r.ETag = strings.TrimSuffix(r.ETag, `1"`) + strconv.Itoa(len(parts)) + `"`
	if r.Checksum, err = u.Checksum.combine(parts); err != nil {
		return nil, err
	}
	if err := r.Checksum.verify(in); err != nil {
		return nil, err
	}
	if err := b.room(size); err != nil {
		return nil, err
	}
	staged, err := b.stage(r, func(f *os.File) error { return b.join(f, parts) })
	if err != nil {
		return nil, err
	}
	return r, b.publish(*in.Bucket, r, staged, conditions{in.IfMatch, in.IfNoneMatch}, change{op: opRemoveAll, path: uploadDir(id)})
}

// checkParts finds the parts a client lists and returns their total size.
func (b *backend) checkParts(id string, list []types.CompletedPart) ([]part, int64, error) {
	var parts []part
	var size int64
	for i, want := range list {
		p, err := b.checkPart(id, want)
		if err != nil {
			return nil, 0, err
		}
		if i > 0 && p.number <= parts[i-1].number {
			return nil, 0, s3err.GetAPIError(s3err.ErrInvalidPartOrder)
		}
		if i < len(list)-1 && p.Size < minPart {
			return nil, 0, s3err.GetEntityTooSmallErr(p.Size, minPart)
		}
		parts, size = append(parts, p), size+p.Size
	}
	return parts, size, nil
}

func (b *backend) checkPart(id string, want types.CompletedPart) (part, error) {
	if want.PartNumber == nil || want.ETag == nil {
		return part{}, s3err.GetAPIError(s3err.ErrMalformedXML)
	}
	p, err := b.openPart(id, *want.PartNumber)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if err != nil || !vgw.AreEtagsSame(p.ETag, *want.ETag) {
		return p, s3err.GetInvalidPartErr(id, *want.PartNumber, *want.ETag)
	}
	if sum := p.Checksum.of(want); sum != "" && sum != p.Checksum.Value {
		return p, s3err.GetInvalidPartErr(id, *want.PartNumber, *want.ETag)
	}
	return p, nil
}

// join copies the parts one behind the other; the kernel does the work.
func (b *backend) join(to *os.File, parts []part) error {
	for _, p := range parts {
		f, err := os.Open(b.path(p.path))
		if err != nil {
			return err
		}
		n, err := io.Copy(to, io.LimitReader(f, p.Size))
		if err == nil && n != p.Size {
			err = fmt.Errorf("part %d: %w", p.number, io.ErrUnexpectedEOF)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ListParts implements vgw.Backend.
func (b *backend) ListParts(_ context.Context, in *s3.ListPartsInput) (out s3response.ListPartsResult, err error) {
	id := *in.UploadId
	l := b.uploads.of(id)
	l.RLock()
	defer l.RUnlock()
	u, err := b.openUpload(id, *in.Bucket, *in.Key)
	if err != nil {
		return out, b.fail("list parts", err)
	}
	entries, err := os.ReadDir(b.path(uploadDir(id)))
	if err != nil {
		return out, b.fail("list parts", err)
	}
	marker, _ := strconv.Atoi(str(in.PartNumberMarker)) // versitygw has checked it
	out = s3response.ListPartsResult{
		Bucket: *in.Bucket, Key: *in.Key, UploadID: id, StorageClass: types.StorageClassStandard,
		PartNumberMarker: marker, MaxParts: int(*in.MaxParts),
		ChecksumAlgorithm: types.ChecksumAlgorithm(u.Checksum.Algorithm), ChecksumType: types.ChecksumType(u.Checksum.Type),
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n <= marker {
			continue
		}
		if len(out.Parts) >= out.MaxParts {
			out.IsTruncated = true
			break
		}
		p, err := b.openPart(id, int32(n))
		if err != nil {
			return out, b.fail("list parts", err)
		}
		c := p.Checksum.response()
		out.Parts = append(out.Parts, s3response.Part{
			PartNumber: n, LastModified: p.Modified, ETag: p.ETag, Size: p.Size,
			ChecksumCRC32: c.CRC32, ChecksumCRC32C: c.CRC32C, ChecksumCRC64NVME: c.CRC64NVME, ChecksumSHA1: c.SHA1, ChecksumSHA256: c.SHA256,
		})
		out.NextPartNumberMarker = n
	}
	return out, nil
}

// ListMultipartUploads implements vgw.Backend.
func (b *backend) ListMultipartUploads(_ context.Context, in *s3.ListMultipartUploadsInput) (out s3response.ListMultipartUploadsResult, err error) {
	if _, err := b.bucket(*in.Bucket); err != nil {
		return out, err
	}
	uploads, err := b.findUploads(*in.Bucket, func(key string) bool {
		return strings.HasPrefix(key, str(in.Prefix)) &&
			(key > str(in.KeyMarker) || key == str(in.KeyMarker) && str(in.UploadIdMarker) != "")
	})
	if err != nil {
		return out, b.fail("list uploads", err)
	}
	p, err := vgw.ListMultipartUploads(uploads, str(in.Prefix), str(in.Delimiter), str(in.KeyMarker), str(in.UploadIdMarker), int(*in.MaxUploads))
	if err != nil {
		return out, err
	}
	return s3response.ListMultipartUploadsResult{
		Bucket: *in.Bucket, Prefix: str(in.Prefix), Delimiter: str(in.Delimiter), KeyMarker: str(in.KeyMarker), UploadIDMarker: str(in.UploadIdMarker),
		MaxUploads: int(*in.MaxUploads), Uploads: p.Uploads, CommonPrefixes: p.CommonPrefixes, IsTruncated: p.IsTruncated,
		NextKeyMarker: p.NextKeyMarker, NextUploadIDMarker: p.NextUploadIDMarker,
	}, nil
}

// findUploads returns the uploads to wanted keys of a bucket, sorted.
func (b *backend) findUploads(bucket string, wanted func(key string) bool) ([]s3response.Upload, error) {
	entries, err := os.ReadDir(b.path("uploads"))
	if err != nil {
		return nil, err
	}
	var uploads []s3response.Upload
	for _, e := range entries {
		data, err := os.ReadFile(b.path(uploadFile(e.Name())))
		if errors.Is(err, fs.ErrNotExist) {
			continue // has just ended
		}
		if err != nil {
			return nil, err
		}
		var u upload
		if err := json.Unmarshal(data, &u); err != nil {
			return nil, fmt.Errorf("upload %s: %w", e.Name(), err)
		}
		if u.Bucket == bucket && wanted(u.Record.Key) {
			uploads = append(uploads, s3response.Upload{
				Key: u.Record.Key, UploadID: e.Name(), Initiated: u.Record.Modified, StorageClass: types.StorageClassStandard,
				ChecksumAlgorithm: types.ChecksumAlgorithm(u.Checksum.Algorithm), ChecksumType: types.ChecksumType(u.Checksum.Type),
			})
		}
	}
	slices.SortFunc(uploads, func(a, b s3response.Upload) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), a.Initiated.Compare(b.Initiated))
	})
	return uploads, nil
}
