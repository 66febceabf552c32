package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // verified to be named as weak, never valid
	"crypto/rsa"
	_ "crypto/sha1" // the same
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
)

// Errors of verify; both become reasons.
var (
	errUnsupported = errors.New("CMS: algorithm is not supported")
	errSignature   = errors.New("CMS: the signature does not belong to the key")
)

// hashOf knows the digest algorithms; 0 for others.
func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	switch oid.String() {
	case "1.2.840.113549.2.5":
		return crypto.MD5
	case "1.3.14.3.2.26":
		return crypto.SHA1
	case "2.16.840.1.101.3.4.2.1":
		return crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512
	case "2.16.840.1.101.3.4.2.4":
		return crypto.SHA224
	case "2.16.840.1.101.3.4.2.8":
		return crypto.SHA3_256
	case "2.16.840.1.101.3.4.2.9":
		return crypto.SHA3_384
	case "2.16.840.1.101.3.4.2.10":
		return crypto.SHA3_512
	}
	return 0
}

// weakHash names a digest algorithm that nobody should rely on.
func weakHash(h crypto.Hash) string {
	if h == crypto.MD5 || h == crypto.SHA1 {
		return h.String()
	}
	return ""
}

// scheme is how a signature was made: with which digest, and how RSA was padded.
type scheme struct {
	kind string // "rsa", "pss", "ecdsa", "ed25519"
	hash crypto.Hash
	salt int
}

// schemes are the signature algorithms by identifier; one without a digest takes
// the signer's.
func schemes() map[string]scheme {
	return map[string]scheme{
		"1.2.840.113549.1.1.1":  {kind: "rsa"},
		"1.2.840.113549.1.1.4":  {kind: "rsa", hash: crypto.MD5},
		"1.2.840.113549.1.1.5":  {kind: "rsa", hash: crypto.SHA1},
		"1.3.14.3.2.29":         {kind: "rsa", hash: crypto.SHA1},
		"1.2.840.113549.1.1.11": {kind: "rsa", hash: crypto.SHA256},
		"1.2.840.113549.1.1.12": {kind: "rsa", hash: crypto.SHA384},
		"1.2.840.113549.1.1.13": {kind: "rsa", hash: crypto.SHA512},
		"1.2.840.113549.1.1.14": {kind: "rsa", hash: crypto.SHA224},
		"1.2.840.10045.2.1":     {kind: "ecdsa"},
		"1.2.840.10045.4.1":     {kind: "ecdsa", hash: crypto.SHA1},
		"1.2.840.10045.4.3.1":   {kind: "ecdsa", hash: crypto.SHA224},
		"1.2.840.10045.4.3.2":   {kind: "ecdsa", hash: crypto.SHA256},
		"1.2.840.10045.4.3.3":   {kind: "ecdsa", hash: crypto.SHA384},
		"1.2.840.10045.4.3.4":   {kind: "ecdsa", hash: crypto.SHA512},
		"1.3.101.112":           {kind: "ed25519"},
	}
}

// schemeOf reads a signature algorithm; h is the signer's digest algorithm,
// which the signature algorithm must not contradict.
func schemeOf(a pkix.AlgorithmIdentifier, h crypto.Hash) (scheme, error) {
	if a.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) {
		return pss(a.Parameters.FullBytes, h)
	}
	s, ok := schemes()[a.Algorithm.String()]
	if s.hash == 0 {
		s.hash = h
	}
	if !ok || s.hash != h {
		return s, errUnsupported
	}
	return s, nil
}

// pssParameters is RFC 4055 section 3.1, with its old defaults.
type pssParameters struct {
	Hash    pkix.AlgorithmIdentifier `asn1:"explicit,tag:0,optional"`
	MGF     pkix.AlgorithmIdentifier `asn1:"explicit,tag:1,optional"`
	Salt    int                      `asn1:"explicit,tag:2,optional,default:20"`
	Trailer int                      `asn1:"explicit,tag:3,optional,default:1"`
}

func pss(params []byte, h crypto.Hash) (scheme, error) {
	s := scheme{kind: "pss", hash: crypto.SHA1, salt: 20}
	var p pssParameters
	if rest, err := asn1.Unmarshal(params, &p); err != nil || len(rest) > 0 || p.Trailer != 1 || p.Salt < 0 || p.Salt > 1024 {
		return s, errUnsupported
	}
	s.salt = p.Salt
	if len(p.Hash.Algorithm) > 0 {
		s.hash = hashOf(p.Hash.Algorithm)
	}
	mask := crypto.SHA1
	if len(p.MGF.Algorithm) > 0 {
		var inner pkix.AlgorithmIdentifier
		if _, err := asn1.Unmarshal(p.MGF.Parameters.FullBytes, &inner); err != nil || !p.MGF.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}) {
			return s, errUnsupported
		}
		mask = hashOf(inner.Algorithm)
	}
	if s.hash != h || mask != h {
		return s, errUnsupported // the standard library masks with the hash of the signature
	}
	return s, nil
}

// verify checks a signature over a digest. Message is what the digest is of,
// nil where nobody has it; Ed25519 needs it.
func (s scheme) verify(key crypto.PublicKey, digest, message, sig []byte) error {
	ok := false
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch s.kind {
		case "rsa":
			ok = rsa.VerifyPKCS1v15(k, s.hash, digest, sig) == nil
		case "pss":
			opts := &rsa.PSSOptions{SaltLength: s.salt, Hash: s.hash}
			ok = rsa.VerifyPSS(k, s.hash, digest, sig, opts) == nil
		default:
			return errSignature
		}
	case *ecdsa.PublicKey:
		if s.kind != "ecdsa" {
			return errSignature
		}
		ok = ecdsa.VerifyASN1(k, digest, sig)
	case ed25519.PublicKey:
		switch {
		case s.kind != "ed25519":
			return errSignature
		case message == nil:
			return errUnsupported
		}
		ok = ed25519.Verify(k, message, sig)
	default:
		return errUnsupported
	}
	if !ok {
		return errSignature
	}
	return nil
}
