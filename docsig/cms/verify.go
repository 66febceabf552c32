package cms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

// Verify verifies every signer. Content gives the digests of the content of a
// detached signature and is nil for attached ones; a message that has content
// of its own where it should be detached is malformed, whatever it says.
// The only error is that of ctx.
func (m *Message) Verify(ctx context.Context, content Digester, o Options) ([]trust.Signature, error) {
	return m.verify(ctx, content, o, false)
}

func (m *Message) verify(ctx context.Context, content Digester, o Options, tsa bool) ([]trust.Signature, error) {
	var out []trust.Signature
	for i := range m.signers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v := verification{m: m, s: &m.signers[i], o: o, tsa: tsa, content: content}
		v.out.Form, v.out.Revocation = "PKCS7", trust.Unknown
		v.run(ctx)
		out = append(out, v.out)
	}
	return out, ctx.Err()
}

// verification is the work on one signer.
type verification struct {
	m        *Message
	s        *signerInfo
	o        Options
	tsa      bool
	content  Digester
	out      trust.Signature
	signed   attributes
	unsigned attributes
	hash     crypto.Hash
	cert     *x509.Certificate
}

func (v *verification) run(ctx context.Context) {
	if !v.parts() {
		return
	}
	if err := v.digests(ctx); err != nil {
		v.fail(err)
	}
	if !v.identify() {
		return
	}
	if err := v.cryptography(ctx); err != nil {
		v.fail(err)
	}
	if v.out.Status != trust.Invalid {
		v.weakness()
	}
	v.judge(ctx)
}

// parts reads what belongs to this signer.
func (v *verification) parts() bool {
	var err error
	if v.signed, err = parseAttributes(v.s.Signed.Bytes); err == nil {
		v.unsigned, err = parseAttributes(v.s.Unsigned.Bytes)
	}
	v.hash = hashOf(v.s.Digest.Algorithm)
	switch {
	case err != nil:
		v.out.Fail(trust.Invalid, trust.Malformed, "attributes")
	case v.hash == 0:
		v.out.Fail(trust.Indeterminate, trust.Unsupported, "digest "+v.s.Digest.Algorithm.String())
	}
	v.out.Claimed = v.signed.signingTime()
	return v.out.Status == ""
}

// Errors within one verification, besides those of algorithm.go.
var (
	errDigest   = errors.New("CMS: the content has another digest")
	errEmbedded = errors.New("CMS: content where there must be none")
	errNoBytes  = errors.New("CMS: the content is not at hand")
	errType     = errors.New("CMS: content type")
)

// fail turns an error into an answer.
func (v *verification) fail(err error) {
	switch {
	case errors.Is(err, errDigest):
		v.out.Fail(trust.Invalid, trust.Digest, "")
	case errors.Is(err, errSignature):
		v.out.Fail(trust.Invalid, trust.BadSignature, "")
	case errors.Is(err, errEmbedded):
		v.out.Fail(trust.Invalid, trust.Malformed, "content embedded in a detached signature")
	case errors.Is(err, errAttributes):
		v.out.Fail(trust.Invalid, trust.Malformed, "attributes")
	case errors.Is(err, errType), errors.Is(err, errBER):
		v.out.Fail(trust.Invalid, trust.Malformed, "content")
	case errors.Is(err, errNoBytes):
		v.out.Fail(trust.Indeterminate, trust.Unsupported, "signed content is missing")
	default:
		v.out.Fail(trust.Indeterminate, trust.Unsupported, "algorithm")
	}
}

// digest is that of the content with the signer's algorithm.
func (v *verification) digest(ctx context.Context) ([]byte, error) {
	switch {
	case v.content != nil && v.m.content != nil:
		return nil, errEmbedded
	case v.content != nil:
		return v.content(v.hash)
	case v.m.content == nil:
		return nil, errNoBytes
	}
	return v.m.attached(ctx)(v.hash)
}

// digests compares the signed digest and type of the content (RFC 5652 section
// 5.6 and 11).
func (v *verification) digests(ctx context.Context) error {
	sum, err := v.digest(ctx)
	if err != nil {
		return err
	}
	data := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	if v.s.Signed.FullBytes == nil {
		if !v.m.typ.Equal(data) || v.looksSigned() {
			return errType // what was attributes once could be taken for content
		}
		return nil
	}
	var want []byte
	var typ asn1.ObjectIdentifier
	if absent, err := v.signed.one(attrMessageDigest, &want); absent || err != nil {
		return errAttributes
	}
	if absent, err := v.signed.one(attrContentType, &typ); absent || err != nil {
		return errAttributes
	}
	if !typ.Equal(v.m.typ) {
		return errType
	}
	if !bytes.Equal(sum, want) {
		return errDigest
	}
	return nil
}

// looksSigned tells whether attached content begins like a set of attributes.
func (v *verification) looksSigned() bool {
	if v.m.content == nil {
		return false
	}
	first := byte(0)
	stop := errors.New("enough")
	src := &source{r: v.m.src.r, size: v.m.src.size, left: maxElements}
	err := src.octets(*v.m.content, 1, func(off, n int64) error {
		if n == 0 {
			return nil
		}
		var b [1]byte
		if _, err := src.r.ReadAt(b[:], off); err != nil {
			return err
		}
		first = b[0]
		return stop
	})
	return errors.Is(err, stop) && first == 0x31
}

// identify finds the signer's certificate: the one that the identifier names
// and, of several, the one that the signed attributes mean.
func (v *verification) identify() bool {
	v.m.evidenceOf(v.signed, v.unsigned)
	var named, meant []*x509.Certificate
	for _, c := range slices.Concat(v.m.certs, v.o.Certs) {
		if v.s.names(c) {
			named = append(named, c)
			present, ok := v.signed.meant(c)
			if present && !v.tsa {
				v.out.Form = "CAdES"
			}
			if ok {
				meant = append(meant, c)
			}
		}
	}
	switch {
	case len(named) == 0 && v.m.unread > 0:
		v.out.Fail(trust.Indeterminate, trust.Unsupported, "certificate, perhaps of another elliptic curve")
	case len(named) == 0:
		v.out.Fail(trust.Indeterminate, trust.Untrusted, "no certificate of the signer")
	case len(meant) == 0:
		v.out.Signer = trust.NewCertificate(named[0])
		v.out.Fail(trust.Invalid, trust.BadSignature, "another certificate was meant")
	default:
		v.cert = meant[0]
		v.out.Signer = trust.NewCertificate(v.cert)
	}
	return v.cert != nil
}

// names tells whether the signer identifier is that of c.
func (s *signerInfo) names(c *x509.Certificate) bool {
	if s.ID.Class == asn1.ClassContextSpecific {
		return s.ID.Tag == 0 && len(s.ID.Bytes) > 0 && bytes.Equal(s.ID.Bytes, c.SubjectKeyId)
	}
	var is issuerSerial
	if _, err := asn1.Unmarshal(s.ID.FullBytes, &is); err != nil || is.Serial == nil {
		return false
	}
	return is.Serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(is.Issuer.FullBytes, c.RawIssuer)
}

// cryptography verifies the signature value.
func (v *verification) cryptography(ctx context.Context) error {
	sch, err := schemeOf(v.s.Algorithm, v.hash)
	if err != nil {
		return err
	}
	key := trust.PublicKey(v.cert)
	if v.s.Signed.FullBytes == nil {
		sum, err := v.digest(ctx)
		if err != nil {
			return err
		}
		return sch.verify(key, sum, nil, v.s.Signature)
	}
	message := bytes.Clone(v.s.Signed.FullBytes)
	message[0] = 0x31 // SET OF instead of [0], RFC 5652 section 5.4
	w := v.hash.New()
	w.Write(message)
	return sch.verify(key, w.Sum(nil), message, v.s.Signature)
}

func (v *verification) weakness() {
	if weak := weakHash(v.hash); weak != "" {
		v.out.Fail(trust.Indeterminate, trust.WeakAlgorithm, weak)
	}
}

// judge asks for the chain, at the best time that is proved.
func (v *verification) judge(ctx context.Context) {
	at := v.o.Now
	if !v.o.Proved.IsZero() {
		at, v.out.Proved = v.o.Proved, v.o.Proved
	}
	if !v.tsa && v.out.Status != trust.Invalid {
		if t := v.timestamp(ctx, at); !t.IsZero() && (v.out.Proved.IsZero() || t.Before(v.out.Proved)) {
			at, v.out.Proved = t, t
		}
	}
	pool := slices.Concat(v.m.certs, v.o.Certs)
	ev := trust.Evidence{OCSP: slices.Concat(v.m.evidence.OCSP, v.o.Evidence.OCSP), CRLs: slices.Concat(v.m.evidence.CRLs, v.o.Evidence.CRLs)}
	if v.tsa {
		v.out.Judge(v.o.Anchors.CheckTSA(v.cert, pool, at, ev))
		return
	}
	v.out.Judge(v.o.Anchors.Check(v.cert, pool, at, ev))
}

// timestamp is the earliest time that a timestamp over the signature proves.
func (v *verification) timestamp(ctx context.Context, at time.Time) (proved time.Time) {
	content := func(h crypto.Hash) ([]byte, error) {
		w := h.New()
		w.Write(v.s.Signature)
		return w.Sum(nil), nil
	}
	o := v.o
	o.Now, o.Proved = at, time.Time{}
	o.Certs = slices.Concat(v.m.certs, v.o.Certs)
	o.Evidence = trust.Evidence{OCSP: slices.Concat(v.m.evidence.OCSP, o.Evidence.OCSP), CRLs: slices.Concat(v.m.evidence.CRLs, o.Evidence.CRLs)}
	for _, raw := range v.unsigned[attrTimestamp] {
		s, err := Timestamp(ctx, raw.FullBytes, content, o)
		if err == nil && s.Status == trust.Valid && (proved.IsZero() || s.Proved.Before(proved)) {
			proved = s.Proved
		}
	}
	return proved
}
