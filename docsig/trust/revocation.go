package trust

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // names of certificates in OCSP, no signature
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"
)

// maxEvidence bounds the revocation data that is read for one certificate.
const maxEvidence = 256

// status is what one piece of evidence says of one certificate.
type status struct {
	revocation string
	at         time.Time // of the revocation
}

// revocation is the worst answer over a chain without its anchor. Every
// certificate must be shown to be good for the chain to be good.
func revocation(chain []*x509.Certificate, at time.Time, ev Evidence) (string, time.Time) {
	answer := Good
	for i := range len(chain) - 1 {
		s := certStatus(chain[i], chain[i+1], at, ev)
		if s.revocation == Revoked {
			return Revoked, s.at
		}
		if s.revocation == Unknown {
			answer = Unknown
		}
	}
	return answer, time.Time{}
}

// certStatus asks every piece of evidence that the issuer, or its delegate,
// signed. A revocation at or before the time wins over everything.
func certStatus(c, issuer *x509.Certificate, at time.Time, ev Evidence) status {
	best := status{revocation: Unknown}
	take := func(s status) bool {
		if s.revocation == Revoked && s.at.After(at) {
			s = status{revocation: Good} // in force at the time that counts
		}
		if s.revocation == Good || s.revocation == Revoked {
			best = s
		}
		return s.revocation == Revoked
	}
	for i, der := range ev.OCSP {
		if i < maxEvidence && take(ocspStatus(der, c, issuer, at)) {
			return best
		}
	}
	for i, der := range ev.CRLs {
		if i < maxEvidence && take(crlStatus(der, c, issuer, at)) {
			return best
		}
	}
	return best
}

// fresh tells whether data made at this, to be renewed at next, says anything
// of the time at: it covers it, or is newer, while the certificate is not so
// old that it may have been dropped from it.
func fresh(this, next, at time.Time, c *x509.Certificate) bool {
	if this.After(at) {
		return !this.After(c.NotAfter)
	}
	if next.IsZero() { // "newer information is always there": good for a day
		next = this.Add(24 * time.Hour)
	}
	return !next.Before(at)
}

func crlStatus(der []byte, c, issuer *x509.Certificate, at time.Time) status {
	none := status{revocation: Unknown}
	l, err := x509.ParseRevocationList(der)
	if err != nil || !bytes.Equal(l.RawIssuer, issuer.RawSubject) || !bytes.Equal(c.RawIssuer, issuer.RawSubject) || !covers(l, c) || l.CheckSignatureFrom(issuer) != nil {
		return none
	}
	for _, e := range l.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(c.SerialNumber) == 0 && e.ReasonCode != 8 { // 8: taken off the list
			return status{Revoked, e.RevocationTime}
		}
	}
	if !fresh(l.ThisUpdate, l.NextUpdate, at, c) {
		return none
	}
	return status{revocation: Good}
}

// distribution is IssuingDistributionPoint, RFC 5280 section 5.2.5.
type distribution struct {
	Point      distributionName `asn1:"optional,tag:0"`
	OnlyUser   bool             `asn1:"optional,tag:1"`
	OnlyCA     bool             `asn1:"optional,tag:2"`
	SomeReason asn1.BitString   `asn1:"optional,tag:3"`
	Indirect   bool             `asn1:"optional,tag:4"`
	OnlyAttr   bool             `asn1:"optional,tag:5"`
}

type distributionName struct {
	Full []asn1.RawValue `asn1:"optional,tag:0"`
}

// covers tells whether a list says anything of c. Partial, indirect and delta
// lists, and critical extensions that are not known, are passed over.
func covers(l *x509.RevocationList, c *x509.Certificate) bool {
	for _, e := range l.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}) {
			if !distributed(e.Value, c) {
				return false
			}
		} else if e.Critical {
			return false
		}
	}
	return true
}

// distributed tells whether a list with this distribution point is the list for c.
func distributed(der []byte, c *x509.Certificate) bool {
	var d distribution
	rest, err := asn1.Unmarshal(der, &d)
	if err != nil || len(rest) > 0 || d.Indirect || d.OnlyAttr || d.SomeReason.BitLength > 0 {
		return false
	}
	if (d.OnlyUser && c.IsCA) || (d.OnlyCA && !c.IsCA) {
		return false
	}
	return len(d.Point.Full) == 0 || slices.ContainsFunc(d.Point.Full, func(n asn1.RawValue) bool {
		return n.Class == asn1.ClassContextSpecific && n.Tag == 6 && slices.Contains(c.CRLDistributionPoints, string(n.Bytes))
	})
}

// The structures of RFC 6960 section 4.2.1.
type ocspResponse struct {
	Status asn1.Enumerated
	Bytes  ocspBytes `asn1:"explicit,tag:0,optional"`
}

type ocspBytes struct {
	Type  asn1.ObjectIdentifier
	Basic []byte
}

type ocspBasic struct {
	Data      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
	Certs     []asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

type ocspData struct {
	Version   int `asn1:"optional,default:0,explicit,tag:0"`
	Responder asn1.RawValue
	Produced  time.Time `asn1:"generalized"`
	Responses []ocspSingle
	Ext       []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type ocspSingle struct {
	ID      ocspID
	Good    asn1.Flag        `asn1:"tag:0,optional"`
	Revoked ocspRevoked      `asn1:"tag:1,optional"`
	Unknown asn1.Flag        `asn1:"tag:2,optional"`
	This    time.Time        `asn1:"generalized"`
	Next    time.Time        `asn1:"generalized,explicit,tag:0,optional"`
	Ext     []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type ocspRevoked struct {
	Time   time.Time       `asn1:"generalized"`
	Reason asn1.Enumerated `asn1:"explicit,tag:0,optional"`
}

type ocspID struct {
	Hash      pkix.AlgorithmIdentifier
	Name, Key []byte
	Serial    *big.Int
}

func ocspStatus(der []byte, c, issuer *x509.Certificate, at time.Time) status {
	none := status{revocation: Unknown}
	b, d, ok := parseOCSP(der)
	if !ok {
		return none
	}
	i := slices.IndexFunc(d.Responses, func(s ocspSingle) bool { return s.ID.of(c, issuer) })
	if i < 0 || !b.signedFor(issuer, d.Produced) {
		return none
	}
	s := d.Responses[i]
	for _, e := range s.Ext {
		if e.Critical {
			return none
		}
	}
	switch {
	case !s.Revoked.Time.IsZero():
		return status{Revoked, s.Revoked.Time}
	case bool(s.Good) && fresh(s.This, s.Next, at, c):
		return status{revocation: Good}
	}
	return none
}

func parseOCSP(der []byte) (b ocspBasic, d ocspData, ok bool) {
	var whole ocspResponse
	if rest, err := asn1.Unmarshal(der, &whole); err == nil {
		basic := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
		if len(rest) > 0 || whole.Status != 0 || !whole.Bytes.Type.Equal(basic) {
			return b, d, false
		}
		der = whole.Bytes.Basic
	}
	if rest, err := asn1.Unmarshal(der, &b); err != nil || len(rest) > 0 {
		return b, d, false
	}
	if rest, err := asn1.Unmarshal(b.Data.FullBytes, &d); err != nil || len(rest) > 0 {
		return b, d, false
	}
	return b, d, !slices.ContainsFunc(d.Ext, func(e pkix.Extension) bool { return e.Critical })
}

// of tells whether the response is about c: issuer's name and key and serial.
func (id ocspID) of(c, issuer *x509.Certificate) bool {
	if id.Serial == nil || id.Serial.Cmp(c.SerialNumber) != 0 {
		return false
	}
	h := hashOf(id.Hash.Algorithm)
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &key); h == 0 || err != nil {
		return false
	}
	sum := func(b []byte) []byte { w := h.New(); w.Write(b); return w.Sum(nil) }
	return bytes.Equal(id.Name, sum(issuer.RawSubject)) && bytes.Equal(id.Key, sum(key.Key.RightAlign()))
}

func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	switch oid.String() {
	case "1.3.14.3.2.26":
		return crypto.SHA1
	case "2.16.840.1.101.3.4.2.1":
		return crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512
	}
	return 0
}

// signedFor tells whether the issuer signed the response, or a responder that
// the issuer itself certified for this (RFC 6960 section 4.2.2.2), with a
// certificate in force when the response was made.
func (b ocspBasic) signedFor(issuer *x509.Certificate, made time.Time) bool {
	alg := signatureAlgorithm(b.Algorithm)
	if alg == x509.UnknownSignatureAlgorithm {
		return false
	}
	sig := b.Signature.RightAlign()
	if issuer.CheckSignature(alg, b.Data.FullBytes, sig) == nil {
		return true
	}
	for i, raw := range b.Certs {
		c, err := x509.ParseCertificate(raw.FullBytes)
		if i == 8 || err != nil {
			return false
		}
		if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
			!made.Before(c.NotBefore) && !made.After(c.NotAfter) &&
			c.CheckSignatureFrom(issuer) == nil && c.CheckSignature(alg, b.Data.FullBytes, sig) == nil {
			return true
		}
	}
	return false
}

// signatureAlgorithm knows what the standard library verifies, without PSS,
// which no responder is known to use.
func signatureAlgorithm(a pkix.AlgorithmIdentifier) x509.SignatureAlgorithm {
	switch a.Algorithm.String() {
	case "1.2.840.113549.1.1.11":
		return x509.SHA256WithRSA
	case "1.2.840.113549.1.1.12":
		return x509.SHA384WithRSA
	case "1.2.840.113549.1.1.13":
		return x509.SHA512WithRSA
	case "1.2.840.10045.4.3.2":
		return x509.ECDSAWithSHA256
	case "1.2.840.10045.4.3.3":
		return x509.ECDSAWithSHA384
	case "1.2.840.10045.4.3.4":
		return x509.ECDSAWithSHA512
	case "1.3.101.112":
		return x509.PureEd25519
	}
	return x509.UnknownSignatureAlgorithm
}
