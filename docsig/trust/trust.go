// Package trust decides whether a certificate may be believed, and holds the
// words in which every verifier of document signatures answers.
//
// It builds chains from a signer's certificate to configured anchors at a given
// time, with intermediates and revocation data that came with the document
// (ETSI EN 319 102-1, RFC 5280, RFC 6960). It never uses the network and never
// the anchors of the operating system. Timestamps are verified by package cms
// (cms.Timestamp), which needs CMS; their certificates are judged here.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Status is the answer of ETSI EN 319 102-1 about one signature.
type Status string

// Statuses: TOTAL-PASSED, TOTAL-FAILED and INDETERMINATE.
const (
	Valid         Status = "valid"
	Invalid       Status = "invalid"
	Indeterminate Status = "indeterminate"
)

// Reasons why a signature is not valid; stable codes for Signature.Reason.
// A valid signature has no reason, or RevocationUnknown.
const (
	Digest            = "digest"             // the document was changed: its digest is not the signed one
	BadSignature      = "signature"          // the signature value does not belong to the certificate's key
	Malformed         = "malformed"          // the structure breaks its standard in a way that matters
	Partial           = "partial"            // later changes are not covered
	Untrusted         = "untrusted"          // no chain to an anchor
	Expired           = "expired"            // a certificate had ended, and nothing proves an earlier signature
	NotYetValid       = "not yet valid"      // a certificate had not begun
	Revoked           = "revoked"            // revoked, here and in Signature.Revocation
	WrongPurpose      = "wrong purpose"      // key usage or extended key usage forbids it
	WeakAlgorithm     = "weak algorithm"     // MD5, SHA-1, RSA below 2048 bits; Detail names it
	Unsupported       = "unsupported"        // an algorithm or form that is not verified here
	RevocationUnknown = "revocation unknown" // no revocation data at hand
)

// Revocation results besides Revoked.
const (
	Good    = "good"
	Unknown = "unknown"
)

// Signature is the result for one signature of a document.
type Signature struct {
	Form       string       // "PAdES", "DocTimeStamp", "CAdES", "PKCS7", "XAdES", "XMLDSig", "OOXML"
	Status     Status       // the answer
	Reason     string       // why, one of the reasons above
	Detail     string       // more about the reason, "SHA-1"; never personal data
	Signer     *Certificate // nil where no certificate belongs to the signature
	Claimed    time.Time    // as the signer says; proves nothing
	Proved     time.Time    // of a verified timestamp; zero without one
	Whole      bool         // every byte of the document is covered
	Revocation string       // Good, Revoked or Unknown
	Chain      [][]byte     // certificates in DER, the signer's first, the anchor last
}

// Certificate is what is worth recording of a certificate. Subject holds a
// person's name: it belongs in the package, never in a log.
type Certificate struct {
	Subject, Issuer     string // RFC 2253
	Serial              string // hexadecimal
	SHA256              string // of the DER encoding, hexadecimal
	NotBefore, NotAfter time.Time
}

// NewCertificate describes c.
func NewCertificate(c *x509.Certificate) *Certificate {
	sum := sha256.Sum256(c.Raw)
	return &Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: fmt.Sprintf("%x", c.SerialNumber),
		SHA256: hex.EncodeToString(sum[:]), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}
}

// Fail says why the signature is not valid, unless it was said already that it
// is invalid: the first certain failure stands.
func (s *Signature) Fail(st Status, reason, detail string) {
	if s.Status == Invalid || (s.Status == Indeterminate && st != Invalid) {
		return
	}
	s.Status, s.Reason, s.Detail = st, reason, detail
}

// Judge takes the verdict on the signer's certificate into the signature. It is
// called last, when Proved is set: a certificate that had ended, or was revoked,
// before a proved time makes the signature invalid, without a proved time
// nobody can tell (OUT_OF_BOUNDS_NO_POE, REVOKED_NO_POE).
func (s *Signature) Judge(v Verdict) {
	s.Revocation, s.Chain = v.Revocation, nil
	for _, c := range v.Chain {
		s.Chain = append(s.Chain, c.Raw)
	}
	switch {
	case v.Status == Valid:
		if s.Status == "" {
			s.Status, s.Reason = Valid, v.Reason
		}
	case !s.Proved.IsZero() && (v.Reason == Expired || v.Reason == Revoked):
		s.Fail(Invalid, v.Reason, v.Detail)
	default:
		s.Fail(v.Status, v.Reason, v.Detail)
	}
}

// Anchors is what is believed: certification authorities, timestamping
// authorities, and revocation lists fetched by the operator. The zero value
// believes nobody. It is not changed after New and shared by goroutines.
type Anchors struct {
	CAs  []*x509.Certificate // believed to issue signers' certificates
	TSAs []*x509.Certificate // believed to issue timestamping certificates, or to be them; CAs where empty
	CRLs [][]byte            // DER; used besides what the document brings
	// Strict makes a certificate without revocation data indeterminate. Without
	// it the signature stays valid and says RevocationUnknown.
	Strict bool
}

// Evidence is revocation data that came with the document, in DER: OCSP
// responses (whole, or the basic response alone) and revocation lists.
type Evidence struct {
	OCSP, CRLs [][]byte
}

// Verdict is the answer about one certificate at one time.
type Verdict struct {
	Status     Status // Valid or Indeterminate
	Reason     string
	Detail     string
	Chain      []*x509.Certificate // leaf first; the best one found, nil for none
	Revocation string
	RevokedAt  time.Time
}

// New reads anchors from PEM: certificates of authorities, of timestamping
// authorities, and revocation lists ("X509 CRL") in either. Errors say which
// block cannot be read; a text without any block is an error as well.
func New(cas, tsas []string) (*Anchors, error) {
	a := &Anchors{}
	for _, list := range []struct {
		texts []string
		to    *[]*x509.Certificate
	}{{cas, &a.CAs}, {tsas, &a.TSAs}} {
		for i, text := range list.texts {
			if err := a.add([]byte(text), list.to); err != nil {
				return nil, fmt.Errorf("trust anchor %d: %w", i+1, err)
			}
		}
	}
	return a, nil
}

func (a *Anchors) add(text []byte, to *[]*x509.Certificate) error {
	for n := 1; ; n++ {
		b, rest := pem.Decode(text)
		if b == nil {
			if n == 1 || len(bytes.TrimSpace(rest)) > 0 {
				return errors.New("no PEM block where one is expected")
			}
			return nil
		}
		switch b.Type {
		case "CERTIFICATE", "TRUSTED CERTIFICATE":
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return fmt.Errorf("block %d: %w", n, err)
			}
			*to = append(*to, c)
		case "X509 CRL":
			if _, err := x509.ParseRevocationList(b.Bytes); err != nil {
				return fmt.Errorf("block %d: %w", n, err)
			}
			a.CRLs = append(a.CRLs, b.Bytes)
		default:
			return fmt.Errorf("block %d: %q is neither a certificate nor a revocation list", n, b.Type)
		}
		text = rest
	}
}
