package eark

import (
	"crypto/md5"  //nolint:gosec // METS knows it; it is checked where it is stated, never written
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// newHash returns the hash of a CHECKSUMTYPE of METS, nil where it is none or
// one that is not known here (HAVAL, MNP, TIGER, WHIRLPOOL).
func newHash(kind string) hash.Hash {
	switch kind {
	case "SHA-256":
		return sha256.New()
	case "SHA-512":
		return sha512.New()
	case "SHA-384":
		return sha512.New384()
	case "SHA-1":
		return sha1.New()
	case "MD5":
		return md5.New()
	case "CRC32":
		return crc32.NewIEEE()
	case "Adler-32":
		return adler32.New()
	}
	return nil
}

// A verifier holds what it passes on to what METS states.
type verifier struct {
	rc     io.ReadCloser
	left   int64
	want   *stated
	hashes map[string]hash.Hash
	err    error
}

func newVerifier(rc io.ReadCloser, size int64, want *stated) *verifier {
	v := &verifier{rc: rc, left: size, want: want, hashes: make(map[string]hash.Hash)}
	if want == nil {
		return v
	}
	for kind := range want.sums {
		v.hashes[kind] = newHash(kind)
	}
	if want.size >= 0 && want.size != size {
		v.err = fmt.Errorf("size: %w", ErrFixity)
	}
	return v
}

// Read implements io.Reader.
func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil || len(p) == 0 {
		return 0, v.err
	}
	n, err := v.rc.Read(p)
	for _, h := range v.hashes {
		h.Write(p[:n])
	}
	v.left -= int64(n)
	v.err = err
	switch {
	case v.left < 0, v.left > 0 && err == io.EOF:
		v.err = fmt.Errorf("size: %w", ErrFixity)
	case v.left == 0 && n > 0 || err == io.EOF:
		if sum := v.differing(); sum != "" {
			v.err = fmt.Errorf("%s: %w", sum, ErrFixity)
		}
	}
	if v.err != nil && v.err != io.EOF {
		return 0, v.err
	}
	return n, v.err
}

// differing names a digest that is not the one stated.
func (v *verifier) differing() string {
	for kind, h := range v.hashes {
		if !sameSum(h, v.want.sums[kind]) {
			return kind
		}
	}
	return ""
}

// sameSum compares without regard to leading zeros of the short checksums, which
// some write as numbers.
func sameSum(h hash.Hash, want string) bool {
	got := hex.EncodeToString(h.Sum(nil))
	if h.Size() == 4 {
		for len(want) < 8 {
			want = "0" + want
		}
	}
	return got == want
}

// Close closes the reader beneath.
func (v *verifier) Close() error { return v.rc.Close() }
