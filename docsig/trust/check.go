package trust

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxPool bounds the certificates of one document that are looked at.
const maxPool = 128

// Check judges the certificate of a document's signer at a time: the time that
// a verified timestamp proves, else the present. Pool holds the other
// certificates of the document, none of which is believed.
func (a *Anchors) Check(leaf *x509.Certificate, pool []*x509.Certificate, at time.Time, ev Evidence) Verdict {
	return a.check(leaf, pool, at, ev, a.cas(), signerPurpose)
}

// CheckTSA judges the certificate of a timestamping authority (RFC 3161 section
// 2.3) in the same way.
func (a *Anchors) CheckTSA(leaf *x509.Certificate, pool []*x509.Certificate, at time.Time, ev Evidence) Verdict {
	roots := a.cas()
	if a != nil && len(a.TSAs) > 0 {
		roots = a.TSAs
	}
	return a.check(leaf, pool, at, ev, roots, tsaPurpose)
}

func (a *Anchors) cas() []*x509.Certificate {
	if a == nil {
		return nil
	}
	return a.CAs
}

func (a *Anchors) check(leaf *x509.Certificate, pool []*x509.Certificate, at time.Time, ev Evidence, roots []*x509.Certificate, purpose func([]*x509.Certificate) bool) Verdict {
	v := Verdict{Status: Indeterminate, Reason: Untrusted, Revocation: Unknown, Chain: []*x509.Certificate{leaf}}
	if len(roots) == 0 {
		v.Detail = "no trust anchor"
		return v
	}
	chains, err := build(leaf, pool, at, roots)
	if err != nil {
		v.Reason, v.Detail = explain(err, leaf, at)
		return v
	}
	lists := slices.Concat(ev.CRLs, a.CRLs)
	best := v
	for i, chain := range chains {
		got := judge(chain, at, Evidence{OCSP: ev.OCSP, CRLs: lists}, purpose, a.Strict)
		if i == 0 || rank(got) > rank(best) {
			best = got
		}
	}
	return best
}

// rank orders the verdicts on several chains of one certificate. A revocation
// of the signer's own certificate shows on every chain.
func rank(v Verdict) int {
	switch {
	case v.Status == Valid && v.Revocation == Good:
		return 3
	case v.Status == Valid:
		return 2
	case v.Reason == Revoked:
		return 1
	}
	return 0
}

func build(leaf *x509.Certificate, pool []*x509.Certificate, at time.Time, roots []*x509.Certificate) ([][]*x509.Certificate, error) {
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // judged by purpose
	}
	for _, c := range roots {
		opts.Roots.AddCert(c)
	}
	for i, c := range pool {
		if i == maxPool {
			break
		}
		opts.Intermediates.AddCert(c)
	}
	// Qualified statements are critical in some certificates. They promise more
	// than is relied on here, so that not reading them takes nothing away.
	qc := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	if slices.ContainsFunc(leaf.UnhandledCriticalExtensions, qc.Equal) {
		own := *leaf
		own.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), qc.Equal)
		leaf = &own
	}
	return leaf.Verify(opts)
}

// explain finds the reason why no chain was built.
func explain(err error, leaf *x509.Certificate, at time.Time) (reason, detail string) {
	var bad x509.CertificateInvalidError
	var weak x509.InsecureAlgorithmError
	switch {
	case at.Before(leaf.NotBefore):
		return NotYetValid, ""
	case at.After(leaf.NotAfter):
		return Expired, ""
	case errors.As(err, &bad) && bad.Reason == x509.Expired:
		if bad.Cert != nil && at.Before(bad.Cert.NotBefore) {
			return NotYetValid, "an authority above the signer"
		}
		return Expired, "an authority above the signer"
	case errors.As(err, &bad) && bad.Reason == x509.NotAuthorizedToSign, errors.As(err, &bad) && bad.Reason == x509.TooManyIntermediates:
		return Untrusted, "an issuer is not an authority, or not at this depth"
	case errors.As(err, &weak):
		return WeakAlgorithm, x509.SignatureAlgorithm(weak).String()
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) && leaf.SignatureAlgorithm == x509.SHA1WithRSA {
		return Untrusted, "certificate signed with SHA-1"
	}
	return Untrusted, ""
}

func judge(chain []*x509.Certificate, at time.Time, ev Evidence, purpose func([]*x509.Certificate) bool, strict bool) Verdict {
	v := Verdict{Status: Indeterminate, Chain: chain}
	v.Revocation, v.RevokedAt = revocation(chain, at, ev)
	switch {
	case v.Revocation == Revoked:
		v.Reason = Revoked
		return v
	case !purpose(chain):
		v.Reason = WrongPurpose
		return v
	}
	for _, c := range chain {
		if weak := WeakKey(c); weak != "" {
			v.Reason, v.Detail = WeakAlgorithm, weak
			return v
		}
	}
	if v.Revocation == Unknown {
		v.Reason = RevocationUnknown
		if strict {
			return v
		}
	}
	v.Status = Valid
	return v
}

// PublicKey is the key of a certificate: the one that the standard library
// reads, or an RSA key that is restricted to PSS (RFC 4055), which it leaves
// alone. It is nil for keys that are not supported.
func PublicKey(c *x509.Certificate) crypto.PublicKey {
	if c.PublicKey != nil {
		return c.PublicKey
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	pss := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &spki); err != nil || !spki.Algorithm.Algorithm.Equal(pss) {
		return nil
	}
	if k, err := x509.ParsePKCS1PublicKey(spki.Key.RightAlign()); err == nil {
		return k
	}
	return nil
}

// WeakKey names the weakness of a certificate's key, "RSA 1024", or is empty.
func WeakKey(c *x509.Certificate) string {
	if k, ok := PublicKey(c).(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	if c.PublicKeyAlgorithm == x509.DSA {
		return "DSA"
	}
	return ""
}

// signerPurpose: a document may be signed with a key for signatures or for
// non-repudiation whose extended usage, where there is one, names documents,
// mail or everything; authorities may narrow it (as NSS does).
func signerPurpose(chain []*x509.Certificate) bool {
	if !signs(chain[0]) {
		return false
	}
	for i, c := range chain {
		if i > 0 && i == len(chain)-1 {
			break // the anchor is believed as it is
		}
		if !documents(c) {
			return false
		}
	}
	return true
}

func documents(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		return true
	}
	return slices.ContainsFunc(c.UnknownExtKeyUsage, func(o asn1.ObjectIdentifier) bool {
		return o.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}) || // RFC 9336, document signing
			o.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 12}) || // Microsoft, document signing
			o.Equal(asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 5}) // Adobe, authentic documents
	})
}

// tsaPurpose: RFC 3161 section 2.3, exactly one extended usage, critical.
func tsaPurpose(chain []*x509.Certificate) bool {
	leaf := chain[0]
	if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(leaf.UnknownExtKeyUsage) > 0 {
		return false
	}
	usage := asn1.ObjectIdentifier{2, 5, 29, 37}
	if !signs(leaf) || !slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Critical && e.Id.Equal(usage) }) {
		return false
	}
	return !slices.ContainsFunc(chain[1:max(1, len(chain)-1)], func(c *x509.Certificate) bool { return !stamps(c) })
}

// stamps tells whether an authority may certify timestamping authorities.
func stamps(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping)
}

// signs tells whether a key is for signatures, as far as its certificate says.
func signs(c *x509.Certificate) bool {
	return c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}
