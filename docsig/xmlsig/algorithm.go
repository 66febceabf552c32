package xmlsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // only to name what is weak
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"

	"github.com/luutru/luutru/docsig/trust"
)

// Prefixes of the identifiers of RFC 9231.
const (
	uriDS   = "http://www.w3.org/2000/09/xmldsig#"
	uriMore = "http://www.w3.org/2001/04/xmldsig-more#"
	uri2007 = "http://www.w3.org/2007/05/xmldsig-more#"
	uri2021 = "http://www.w3.org/2021/04/xmldsig-more#"
	uriEnc  = "http://www.w3.org/2001/04/xmlenc#"
)

// fault is a reason why a signature is not valid.
type fault struct {
	status trust.Status
	reason string
	detail string
}

func (f *fault) Error() string { return f.reason + ": " + f.detail }

func malformed(detail string) *fault { return &fault{trust.Invalid, trust.Malformed, detail} }

func unsupported(detail string) *fault { return &fault{trust.Indeterminate, trust.Unsupported, detail} }

// hashOf returns the hash function of a DigestMethod.
func hashOf(algorithm string) (crypto.Hash, *fault) {
	switch algorithm {
	case uriDS + "sha1":
		return crypto.SHA1, nil
	case uriEnc + "sha256":
		return crypto.SHA256, nil
	case uriMore + "sha384":
		return crypto.SHA384, nil
	case uriEnc + "sha512":
		return crypto.SHA512, nil
	case uri2007 + "sha3-256":
		return crypto.SHA3_256, nil
	case uri2007 + "sha3-384":
		return crypto.SHA3_384, nil
	case uri2007 + "sha3-512":
		return crypto.SHA3_512, nil
	case uriMore + "md5":
		return 0, &fault{trust.Indeterminate, trust.WeakAlgorithm, "MD5"}
	}
	return 0, unsupported("digest method")
}

// scheme is a signature method: what kind of key, which hash, which padding.
type scheme struct {
	key  string // "rsa", "pss", "ecdsa", "ed25519"
	hash crypto.Hash
	salt int // bytes, of PSS
}

// schemeOf reads a ds:SignatureMethod. Secret-key methods (HMAC) prove nothing
// about who signed and are refused.
func schemeOf(method *node) (scheme, *fault) {
	algorithm, _ := method.attr("Algorithm")
	i := strings.IndexByte(algorithm, '#') + 1
	base, name := algorithm[:i], algorithm[i:]
	switch base {
	case uri2007:
		hash, _ := strings.CutSuffix(name, "-rsa-MGF1")
		if h := shaOf(hash); h != 0 {
			return scheme{key: "pss", hash: h, salt: h.Size()}, nil
		}
		if name == "rsa-pss" {
			return pss(method)
		}
	case uri2021:
		if name == "eddsa-ed25519" {
			return scheme{key: "ed25519"}, nil
		}
	case uriDS, uriMore:
		key, hash, _ := strings.Cut(name, "-")
		if h := shaOf(hash); h != 0 && (key == "rsa" || key == "ecdsa") {
			return scheme{key: key, hash: h}, nil
		}
		if key == "hmac" {
			return scheme{}, unsupported("HMAC")
		}
	}
	return scheme{}, unsupported("signature method")
}

// shaOf is the hash function in the name of a signature method, 0 for none.
func shaOf(name string) crypto.Hash {
	return map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[name]
}

// pss reads RSAPSSParams (RFC 9231 section 2.3.9): one hash for everything.
func pss(method *node) (scheme, *fault) {
	s := scheme{key: "pss", hash: crypto.SHA256, salt: 32}
	params := method.only(uri2007, "RSAPSSParams")
	if params == nil {
		return s, nil
	}
	var f *fault
	if s.hash, f = pssHash(params); f != nil {
		return s, f
	}
	s.salt = s.hash.Size()
	for _, n := range params.elements() {
		v, _ := n.text()
		i, err := strconv.Atoi(strings.TrimSpace(v))
		switch {
		case n.local == "SaltLength" && err == nil && i >= 0 && i <= 512:
			s.salt = i
		case n.local == "MaskGenerationFunction" && mgf1(n, s.hash), n.local == "TrailerField" && i == 1, n.local == "DigestMethod":
		default:
			return s, unsupported("parameters of RSA-PSS")
		}
	}
	return s, nil
}

// pssHash is the hash that parameters name, SHA-256 if none.
func pssHash(params *node) (crypto.Hash, *fault) {
	m := params.only(nsDS, "DigestMethod")
	if m == nil {
		return crypto.SHA256, nil
	}
	a, _ := m.attr("Algorithm")
	return hashOf(a)
}

// mgf1 reports whether a mask generation function is MGF1 with a hash.
func mgf1(n *node, hash crypto.Hash) bool {
	a, named := n.attr("Algorithm")
	h, f := pssHash(n)
	return f == nil && h == hash && (!named || a == uri2007+"MGF1")
}

// verify reports whether value is the signature of signed under key. Digest is
// the hash of signed.
func (s scheme) verify(key any, digest, signed, value []byte) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if s.key == "pss" {
			return rsa.VerifyPSS(k, s.hash, digest, value, &rsa.PSSOptions{SaltLength: s.salt, Hash: s.hash}) == nil
		}
		return s.key == "rsa" && rsa.VerifyPKCS1v15(k, s.hash, digest, value) == nil
	case *ecdsa.PublicKey:
		half := (k.Params().BitSize + 7) / 8
		if s.key != "ecdsa" || len(value) != 2*half {
			return false
		}
		return ecdsa.Verify(k, digest, new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:]))
	case ed25519.PublicKey:
		return s.key == "ed25519" && ed25519.Verify(k, signed, value)
	}
	return false
}

// unbase64 decodes base64 with white space in it, and nothing else.
func unbase64(s string) ([]byte, bool) {
	s = strings.Map(func(c rune) rune {
		if c < 0x80 && isSpace(byte(c)) {
			return -1
		}
		return c
	}, s)
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, false
	}
	return b, true
}
