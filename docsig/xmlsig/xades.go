package xmlsig

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/docsig/cms"
	"github.com/luutru/luutru/docsig/trust"
)

const (
	uriXAdES             = "http://uri.etsi.org/01903/" // of every version
	typeSignedProperties = "http://uri.etsi.org/01903#SignedProperties"
	maxTimestamps        = 16
)

// properties is a XAdES QualifyingProperties (ETSI EN 319 132-1).
type properties struct {
	el, signed, unsigned *node
	claimed              time.Time
	certs                []certRef // the first of each list: the signer's
}

// certRef names a certificate by digest, and serial number where it is given.
type certRef struct {
	hash   crypto.Hash
	digest []byte
	serial *big.Int
}

// isXAdES reports whether a ds:Signature carries qualifying properties.
func isXAdES(el *node) bool {
	for _, o := range el.children(nsDS, "Object") {
		for _, c := range o.elements() {
			if strings.HasPrefix(c.space, uriXAdES) {
				return true
			}
		}
	}
	return false
}

// readProperties reads the qualifying properties of a signature, nil where it
// has none. There must be one set, of version 1.3.2 of the schema, that names
// its signature.
func readProperties(s *signature) (*properties, *fault) {
	el, f := findProperties(s)
	if el == nil {
		return nil, f
	}
	p := &properties{el: el}
	id, _ := s.el.attr("Id")
	if target, _ := el.attr("Target"); id == "" || target != "#"+id || !el.bare() {
		return nil, malformed("QualifyingProperties")
	}
	cs := el.elements()
	if len(cs) > 0 && cs[0].is(nsXAdES, "SignedProperties") {
		p.signed, cs = cs[0], cs[1:]
	}
	if len(cs) > 0 && cs[0].is(nsXAdES, "UnsignedProperties") {
		p.unsigned, cs = cs[0], cs[1:]
	}
	if p.signed == nil || len(cs) > 0 {
		return nil, malformed("QualifyingProperties")
	}
	return p, p.read()
}

// findProperties finds the one QualifyingProperties of a signature.
func findProperties(s *signature) (*node, *fault) {
	var el *node
	for _, o := range s.objects {
		for _, c := range o.elements() {
			switch {
			case !strings.HasPrefix(c.space, uriXAdES):
			case !c.is(nsXAdES, "QualifyingProperties"):
				return nil, unsupported("version of XAdES")
			case el != nil || !o.bare():
				return nil, malformed("QualifyingProperties")
			default:
				el = c
			}
		}
	}
	return el, nil
}

// read reads the signed properties that bear on the verification.
func (p *properties) read() *fault {
	own := p.signed.only(nsXAdES, "SignedSignatureProperties")
	if own == nil {
		return malformed("SignedSignatureProperties")
	}
	if n := own.only(nsXAdES, "SigningTime"); n != nil {
		text, _ := n.text()
		p.claimed = dateTime(text)
	}
	for _, name := range []string{"SigningCertificateV2", "SigningCertificate"} {
		lists := own.children(nsXAdES, name)
		if len(lists) == 0 {
			continue
		}
		first := lists[0].elements()
		if len(lists) > 1 || len(first) == 0 || !first[0].is(nsXAdES, "Cert") {
			return malformed("SigningCertificate")
		}
		r, f := readCertRef(first[0])
		if f != nil {
			return f
		}
		p.certs = append(p.certs, r)
	}
	if len(p.certs) == 0 {
		return malformed("signing certificate not named")
	}
	return nil
}

// dateTime reads an xsd:dateTime, one without a zone as UTC; zero if it is none.
func dateTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func readCertRef(cert *node) (certRef, *fault) {
	var r certRef
	d := cert.only(nsXAdES, "CertDigest")
	var f *fault
	if r.hash, r.digest, f = readDigest(d.only(nsDS, "DigestMethod"), d.only(nsDS, "DigestValue")); f != nil {
		return r, f
	}
	var ok bool
	if n := cert.only(nsXAdES, "IssuerSerial").only(nsDS, "X509SerialNumber"); n != nil {
		text, _ := n.text()
		if text = strings.TrimSpace(text); len(text) > 64 {
			return r, malformed("SigningCertificate")
		}
		if r.serial, ok = new(big.Int).SetString(text, 10); !ok {
			return r, malformed("SigningCertificate")
		}
	}
	if n := cert.only(nsXAdES, "IssuerSerialV2"); n != nil {
		if r.serial, ok = issuerSerial(n); !ok {
			return r, malformed("SigningCertificate")
		}
	}
	return r, nil
}

// issuerSerial reads the serial number in an IssuerSerial of RFC 5035.
func issuerSerial(n *node) (*big.Int, bool) {
	var v struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	der, ok := encapsulated(n)
	if !ok {
		return nil, false
	}
	rest, err := asn1.Unmarshal(der, &v)
	return v.Serial, err == nil && len(rest) == 0
}

// named returns the certificate that the signed properties name, nil if it is
// not at hand.
func (p *properties) named(pool []*x509.Certificate) (*x509.Certificate, *fault) {
	for _, c := range pool {
		all := true
		for _, r := range p.certs {
			h := r.hash.New()
			h.Write(c.Raw)
			if !bytes.Equal(h.Sum(nil), r.digest) {
				all = false
				continue
			}
			if r.serial != nil && r.serial.Cmp(c.SerialNumber) != 0 {
				return nil, malformed("serial number of the signing certificate")
			}
		}
		if all {
			return c, nil
		}
	}
	return nil, nil
}

// signedProperties checks that a reference of the right type signs the signed
// properties as they are.
func (s *signature) signedProperties() *fault {
	for _, r := range s.refs {
		if r.apex != s.props.signed {
			continue
		}
		for _, t := range r.transforms {
			algorithm, _ := t.attr("Algorithm")
			if _, ok := formOf(algorithm); !ok {
				return malformed("transform of SignedProperties")
			}
		}
		if r.typ == typeSignedProperties {
			return nil
		}
	}
	return malformed("SignedProperties not signed")
}

// evidenceOf collects certificates and revocation data from the unsigned
// properties. Nothing of it is believed; it helps to build chains.
func (s *signature) evidenceOf() *fault {
	top := s.props.unsigned
	if top == nil {
		return nil
	}
	for n := top; n != nil; n = n.following(top, !n.is(nsXAdES, "CounterSignature")) {
		switch {
		case n.is(nsXAdES, "EncapsulatedX509Certificate"):
			if f := s.certificate(n, false); f != nil {
				return f
			}
		case n.is(nsXAdES, "EncapsulatedCRLValue"):
			s.evidence.CRLs = collect(s.evidence.CRLs, n)
		case n.is(nsXAdES, "EncapsulatedOCSPValue"):
			s.evidence.OCSP = collect(s.evidence.OCSP, n)
		}
	}
	return nil
}

// collect adds an encapsulated value to a list of bounded length.
func collect(list [][]byte, n *node) [][]byte {
	if b, ok := encapsulated(n); ok && len(list) < maxCertificates {
		return append(list, b)
	}
	return list
}

// timestamps verifies the timestamps over a signature, the latest first: what
// an archive timestamp covers is judged at its time. It returns the earliest
// time that is proved, zero for none.
func (w *work) timestamps(t *tree, s *signature, a *trust.Anchors, now time.Time) (time.Time, error) {
	own := s.props.unsigned.only(nsXAdES, "UnsignedSignatureProperties")
	if own == nil {
		return time.Time{}, nil
	}
	type stamp struct {
		n    *node
		over imprint
	}
	var stamps []stamp
	props := own.elements()
	for i, p := range slices.Backward(props) {
		if p.is(nsXAdES14, "ArchiveTimeStamp") {
			stamps = append(stamps, stamp{p, w.archived(t, s, props[:i])})
		}
	}
	for _, p := range own.children(nsXAdES, "SignatureTimeStamp") {
		stamps = append(stamps, stamp{p, w.value(s)})
	}
	if len(stamps) > maxTimestamps {
		return time.Time{}, unsupported("too many timestamps")
	}
	o := cms.Options{Anchors: a, Now: now, Certs: s.pool, Evidence: s.evidence}
	var proved time.Time
	for _, st := range stamps {
		at, err := w.timestamp(st.n, st.over, o)
		if err != nil {
			return proved, err
		}
		if !at.IsZero() && (proved.IsZero() || at.Before(proved)) {
			proved, o.Now = at, at
		}
	}
	return proved, nil
}

// timestamp verifies the token of one timestamp property. A token by an
// authority that is not believed proves nothing, which is no fault of the
// signature; a token over something else is.
func (w *work) timestamp(n *node, im imprint, o cms.Options) (time.Time, error) {
	f, _ := formOf("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
	if m := n.only(nsDS, "CanonicalizationMethod"); m != nil {
		algorithm, _ := m.attr("Algorithm")
		var ok bool
		if f, ok = formOf(algorithm); !ok {
			return time.Time{}, unsupported("canonicalisation of a timestamp")
		}
		f.inclusive = prefixList(m)
	}
	token, ok := encapsulated(n.only(nsXAdES, "EncapsulatedTimeStamp"))
	if !ok {
		return time.Time{}, malformed("timestamp")
	}
	var failed error
	content := im(f)
	res, err := cms.Timestamp(w.ctx, token, func(h crypto.Hash) ([]byte, error) {
		b, err := content(h)
		failed = errors.Join(failed, err)
		return b, err
	}, o)
	switch {
	case w.ctx.Err() != nil:
		return time.Time{}, w.ctx.Err()
	case failed != nil:
		return time.Time{}, failed
	case err != nil || (res.Status == trust.Invalid && brokenToken(res.Reason)):
		return time.Time{}, malformed("timestamp")
	}
	return res.Proved, nil
}

func brokenToken(reason string) bool {
	return reason == trust.Digest || reason == trust.BadSignature || reason == trust.Malformed
}

// value gives the imprint of a SignatureTimeStamp: the ds:SignatureValue.
func (w *work) value(s *signature) imprint {
	return func(f form) cms.Digester {
		return func(hash crypto.Hash) ([]byte, error) {
			h := hash.New()
			err := canonicalise(w.meter(h), nodeSet{apex: s.value, comments: true}, f, nil)
			return h.Sum(nil), err
		}
	}
}

// archived gives the imprint of an ArchiveTimeStamp (EN 319 132-1 section
// 5.5.2.2): what the references name, the signature, the unsigned properties
// before the timestamp, and the objects but that of the properties.
func (w *work) archived(t *tree, s *signature, before []*node) imprint {
	return func(f form) cms.Digester {
		return func(hash crypto.Hash) ([]byte, error) {
			h := hash.New()
			for _, r := range s.refs {
				set, fault := t.resolve(r)
				if fault != nil {
					return nil, fault
				}
				if err := w.process(h, set, r.transforms, f, s.el, func(*node) {}); err != nil {
					return nil, err
				}
			}
			parts := []*node{s.info, s.value}
			if s.key != nil {
				parts = append(parts, s.key)
			}
			parts = append(parts, before...)
			for _, o := range s.objects {
				if !s.props.el.within(o) {
					parts = append(parts, o)
				}
			}
			for _, n := range parts {
				if err := canonicalise(w.meter(h), nodeSet{apex: n, comments: true}, f, nil); err != nil {
					return nil, err
				}
			}
			return h.Sum(nil), nil
		}
	}
}

// proved verifies the timestamps and takes their time into the result.
func (w *work) proved(t *tree, s *signature, res *trust.Signature, a *trust.Anchors, now time.Time) error {
	if s.props == nil || s.props.unsigned == nil {
		return nil
	}
	at, err := w.timestamps(t, s, a, now)
	res.Proved = at
	f, err := asFault(err)
	if f != nil {
		res.Fail(trust.Indeterminate, f.reason, "timestamp")
	}
	return err
}

// imprint gives what a timestamp is over, in one canonical form.
type imprint func(form) cms.Digester

// weak reports whether SHA-1 alone names the signer's certificate.
func (p *properties) weak() bool {
	return !slices.ContainsFunc(p.certs, func(r certRef) bool { return r.hash != crypto.SHA1 })
}
