package embedded

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3api/utils"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// pickChecksum returns the checksum among sums that a client sent, or, without
// a value, the algorithm to compute one with.
func pickChecksum(algorithm types.ChecksumAlgorithm, sums map[types.ChecksumAlgorithm]*string) checksum {
	for a, v := range sums {
		if v != nil {
			return checksum{Algorithm: string(a), Value: *v}
		}
	}
	if algorithm == "" {
		algorithm = types.ChecksumAlgorithmCrc32c // the fastest
	}
	return checksum{Algorithm: strings.ToUpper(string(algorithm))}
}

// response returns c where answers have it.
func (c checksum) response() s3response.Checksum {
	out := s3response.Checksum{Algorithm: types.ChecksumAlgorithm(c.Algorithm), Type: types.ChecksumType(c.Type)}
	if c.Value == "" {
		return out
	}
	for a, p := range map[types.ChecksumAlgorithm]**string{
		types.ChecksumAlgorithmCrc32: &out.CRC32, types.ChecksumAlgorithmCrc32c: &out.CRC32C,
		types.ChecksumAlgorithmCrc64nvme: &out.CRC64NVME, types.ChecksumAlgorithmSha1: &out.SHA1,
		types.ChecksumAlgorithmSha256: &out.SHA256, types.ChecksumAlgorithmSha512: &out.SHA512,
		types.ChecksumAlgorithmMd5: &out.MD5, types.ChecksumAlgorithmXxhash64: &out.XXHASH64,
		types.ChecksumAlgorithmXxhash3: &out.XXHASH3, types.ChecksumAlgorithmXxhash128: &out.XXHASH128,
	} {
		if a == out.Algorithm {
			*p = &c.Value
		}
	}
	return out
}

// of returns the value sent for c's algorithm with a part, or "".
func (c checksum) of(p types.CompletedPart) string {
	switch types.ChecksumAlgorithm(c.Algorithm) {
	case types.ChecksumAlgorithmCrc32:
		return str(p.ChecksumCRC32)
	case types.ChecksumAlgorithmCrc32c:
		return str(p.ChecksumCRC32C)
	case types.ChecksumAlgorithmCrc64nvme:
		return str(p.ChecksumCRC64NVME)
	case types.ChecksumAlgorithmSha1:
		return str(p.ChecksumSHA1)
	case types.ChecksumAlgorithmSha256:
		return str(p.ChecksumSHA256)
	}
	return ""
}

// combine returns the checksum of an object from those of its parts: of all
// its bytes where the algorithm allows and the upload did not ask otherwise,
// else a checksum of checksums. It is empty if the parts have different ones.
func (c checksum) combine(parts []part) (checksum, error) {
	if c.Algorithm == "" {
		c.Algorithm = parts[0].Checksum.Algorithm
	}
	algorithm := types.ChecksumAlgorithm(c.Algorithm)
	for _, p := range parts {
		if p.Checksum.Algorithm != c.Algorithm {
			return checksum{}, nil
		}
	}
	if c.Type == "" {
		c.Type = string(types.ChecksumTypeComposite)
		if utils.IsChecksumComposable(algorithm) {
			c.Type = string(types.ChecksumTypeFullObject)
		}
	}
	if c.Type == string(types.ChecksumTypeComposite) {
		sum, err := utils.NewCompositeChecksumReader(utils.HashType(strings.ToLower(c.Algorithm)))
		for _, p := range parts {
			if err == nil {
				err = sum.Process(p.Checksum.Value)
			}
		}
		if err != nil {
			return checksum{}, err
		}
		c.Value = fmt.Sprintf("%s-%d", sum.Sum(), len(parts))
		return c, nil
	}
	c.Value = parts[0].Checksum.Value
	for _, p := range parts[1:] {
		var err error
		if c.Value, err = utils.AddCRCChecksum(algorithm, c.Value, p.Checksum.Value, p.Size); err != nil {
			return checksum{}, err
		}
	}
	return c, nil
}

// verify compares c with what the client expects of the whole object.
func (c checksum) verify(in *s3.CompleteMultipartUploadInput) error {
	want := c.of(types.CompletedPart{
		ChecksumCRC32: in.ChecksumCRC32, ChecksumCRC32C: in.ChecksumCRC32C, ChecksumCRC64NVME: in.ChecksumCRC64NVME,
		ChecksumSHA1: in.ChecksumSHA1, ChecksumSHA256: in.ChecksumSHA256,
	})
	count := c.Value[strings.LastIndexByte(c.Value, '-')+1:]
	if want == "" || want == c.Value || c.Type == string(types.ChecksumTypeComposite) && want+"-"+count == c.Value {
		return nil
	}
	return s3err.GetChecksumBadDigestErr(types.ChecksumAlgorithm(c.Algorithm))
}
