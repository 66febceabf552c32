package cms

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

// tstInfo is RFC 3161 section 2.4.2, as far as it is used.
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Serial *big.Int
	Time   time.Time `asn1:"generalized"`
	// Accuracy, ordering, nonce, name and extensions follow.
}

// Timestamp verifies an RFC 3161 token over content: its imprint, its one
// signature, its certificate with the purpose of timestamping and the chain to
// the anchors for it, at o.Proved or o.Now (a token that a later one covers is
// judged at the later one's time). Proved is the time of the token, and is set
// only if the answer is valid. The error is that of ctx, or says that token is
// no message at all.
func Timestamp(ctx context.Context, token []byte, content Digester, o Options) (trust.Signature, error) {
	m, err := Parse(bytesAt(token), int64(len(token)))
	if err != nil {
		return trust.Signature{Form: "DocTimeStamp", Status: trust.Invalid, Reason: trust.Malformed, Revocation: trust.Unknown}, err
	}
	return m.Timestamp(ctx, content, o)
}

// Timestamp verifies the message as a timestamp token, like the function.
func (m *Message) Timestamp(ctx context.Context, content Digester, o Options) (trust.Signature, error) {
	bad := trust.Signature{Form: "DocTimeStamp", Status: trust.Invalid, Reason: trust.Malformed, Revocation: trust.Unknown}
	info, ok := m.tst()
	if !ok {
		return bad, ctx.Err()
	}
	list, err := m.verify(ctx, nil, o, true)
	if err != nil {
		return bad, err
	}
	if len(list) != 1 {
		return bad, nil
	}
	s := list[0]
	s.Form, s.Claimed, s.Proved = "DocTimeStamp", info.Time, time.Time{}
	info.judge(&s, content, o)
	return s, ctx.Err()
}

// judge compares imprint and time of a token whose signature was verified.
func (info *tstInfo) judge(s *trust.Signature, content Digester, o Options) {
	h := hashOf(info.Imprint.Algorithm.Algorithm)
	var sum []byte
	err := errUnsupported
	if h != 0 {
		sum, err = content(h)
	}
	switch {
	case err != nil:
		s.Fail(trust.Indeterminate, trust.Unsupported, "digest "+info.Imprint.Algorithm.Algorithm.String())
	case !bytes.Equal(sum, info.Imprint.Digest):
		s.Fail(trust.Invalid, trust.Digest, "")
	case s.Signer != nil && (info.Time.Before(s.Signer.NotBefore) || info.Time.After(s.Signer.NotAfter) || info.Time.After(o.limit())):
		s.Fail(trust.Invalid, trust.Malformed, "time outside the life of the certificate, or in the future")
	case weakHash(h) != "":
		s.Fail(trust.Indeterminate, trust.WeakAlgorithm, weakHash(h))
	}
	if s.Status == trust.Valid {
		s.Proved = info.Time
	}
}

// limit is the latest time that a token may claim.
func (o Options) limit() time.Time {
	const skew = 5 * time.Minute
	if !o.Proved.IsZero() {
		return o.Proved.Add(skew)
	}
	return o.Now.Add(skew)
}

// tst reads the content of the token. The signing-certificate attribute, which
// RFC 3161 asks for, must be there.
func (m *Message) tst() (info tstInfo, ok bool) {
	if !m.typ.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}) || m.content == nil || len(m.signers) != 1 {
		return info, false
	}
	attrs, err := parseAttributes(m.signers[0].Signed.Bytes)
	if err != nil || (attrs[attrSigningCert] == nil && attrs[attrSigningCertV2] == nil) {
		return info, false
	}
	der, err := m.src.der(*m.content)
	if err != nil {
		return info, false
	}
	var octets []byte
	if _, err := asn1.Unmarshal(der, &octets); err != nil {
		return info, false
	}
	rest, err := asn1.Unmarshal(octets, &info)
	return info, err == nil && len(rest) == 0 && info.Version == 1
}
