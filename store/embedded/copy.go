package embedded

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// CopyObject implements vgw.Backend. It is a put of what the source holds: the
// lock of the source does not come with it.
func (b *backend) CopyObject(_ context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	out, err := b.copy(in)
	return out, b.fail("copy object", err)
}

func (b *backend) copy(in s3response.CopyObjectInput) (out s3response.CopyObjectOutput, err error) {
	bucket, key, id, err := vgw.ParseCopySource(str(in.CopySource))
	if err != nil {
		return out, err
	}
	if str(in.Tagging) != "" {
		return out, s3err.GetAPIError(s3err.ErrNotImplemented)
	}
	source, err := b.look(request{bucket: bucket, key: key, id: id, cond: vgw.PreConditions{
		IfMatch: in.CopySourceIfMatch, IfNoneMatch: in.CopySourceIfNoneMatch,
		IfModSince: in.CopySourceIfModifiedSince, IfUnmodeSince: in.CopySourceIfUnmodifiedSince,
	}})
	if err != nil {
		return out, err
	}
	defer source.close()
	to, err := b.read(*in.Bucket)
	if err != nil {
		return out, err
	}
	r := b.newRecord(to, *in.Key)
	r.Size, r.Metadata, r.Headers = source.Size, source.Metadata, source.Headers
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		r.Metadata = in.Metadata
		r.Headers = headers{
			str(in.ContentType), str(in.ContentEncoding), str(in.ContentDisposition), str(in.ContentLanguage), str(in.CacheControl), str(in.Expires),
		}
	}
	if r.Lock, err = to.newLock(r.Modified, in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus); err != nil {
		return out, err
	}
	received, err := b.receive(r, io.NewSectionReader(source.f, 0, source.Size), pickChecksum(in.ChecksumAlgorithm, nil))
	if err != nil {
		return out, err
	}
	if err := b.publish(*in.Bucket, r, received, conditions{}); err != nil {
		return out, err
	}
	c := r.Checksum.response()
	out.CopySourceVersionId, out.VersionId = &source.Version, opt(r.shownVersion())
	out.CopyObjectResult = &s3response.CopyObjectResult{
		ETag: &r.ETag, LastModified: &r.Modified,
		ChecksumType: c.Type, ChecksumCRC32: c.CRC32, ChecksumCRC32C: c.CRC32C, ChecksumCRC64NVME: c.CRC64NVME,
		ChecksumSHA1: c.SHA1, ChecksumSHA256: c.SHA256, ChecksumSHA512: c.SHA512, ChecksumMD5: c.MD5,
		ChecksumXXHASH64: c.XXHASH64, ChecksumXXHASH3: c.XXHASH3, ChecksumXXHASH128: c.XXHASH128,
	}
	return out, nil
}
