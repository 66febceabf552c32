package xmlsig

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

const (
	maxCertificates = 64      // of one signature
	maxEncapsulated = 1 << 20 // bytes of one certificate, list, response or token
)

// signature is a ds:Signature in the course of its verification.
type signature struct {
	el, info, value, key *node
	objects              []*node
	method               scheme
	canonical            form
	signed               []byte // signature value
	refs                 []*reference
	covered              bits          // nodes that the references depend on
	digests              []crypto.Hash // of every reference
	certs, pool          []*x509.Certificate
	unreadable           bool // a certificate that cannot be parsed
	evidence             trust.Evidence
	signer               *x509.Certificate
	props                *properties // nil without XAdES
}

// bits is a set of nodes.
type bits []uint64

func (b bits) add(n *node)      { b[n.number/64] |= 1 << (n.number % 64) }
func (b bits) has(n *node) bool { return b[n.number/64]&(1<<(n.number%64)) != 0 }

// readSignature reads the structure of a ds:Signature, which must be as the
// schema has it, in that order: what another reader might find by name or by
// place must be the same element.
func readSignature(t *tree, el *node, limit int) (*signature, *fault) {
	s := &signature{el: el, covered: make(bits, t.nodes/64+1)}
	cs := el.elements()
	if len(cs) < 2 || !el.bare() || !cs[0].is(nsDS, "SignedInfo") || !cs[1].is(nsDS, "SignatureValue") {
		return nil, malformed("signature")
	}
	s.info, s.value, s.objects = cs[0], cs[1], cs[2:]
	if len(s.objects) > 0 && s.objects[0].is(nsDS, "KeyInfo") {
		s.key, s.objects = s.objects[0], s.objects[1:]
	}
	if slices.ContainsFunc(s.objects, func(c *node) bool { return !c.is(nsDS, "Object") }) {
		return nil, malformed("signature")
	}
	text, ok := s.value.text()
	if s.signed, _ = unbase64(text); !ok || len(s.signed) == 0 {
		return nil, malformed("signature value")
	}
	return s, s.readInfo(limit)
}

func (s *signature) readInfo(limit int) *fault {
	cs := s.info.elements()
	if len(cs) < 3 || !cs[0].is(nsDS, "CanonicalizationMethod") || !cs[1].is(nsDS, "SignatureMethod") {
		return malformed("SignedInfo")
	}
	for _, c := range cs[2:] {
		if !c.is(nsDS, "Reference") {
			return malformed("SignedInfo")
		}
	}
	algorithm, _ := cs[0].attr("Algorithm")
	var ok bool
	if s.canonical, ok = formOf(algorithm); !ok {
		return unsupported("canonicalisation method")
	}
	if s.canonical.exclusive {
		s.canonical.inclusive = prefixList(cs[0])
	}
	var f *fault
	if s.method, f = schemeOf(cs[1]); f != nil {
		return f
	}
	s.refs, f = readReferences(s.info, limit)
	return f
}

// readKey collects the certificates and revocation lists of the ds:KeyInfo. Any
// other kind of key says nothing about a person and is passed over.
func (s *signature) readKey() *fault {
	if s.key == nil {
		return nil
	}
	if !s.key.bare() {
		return malformed("KeyInfo")
	}
	for _, data := range s.key.children(nsDS, "X509Data") {
		if !data.bare() {
			return malformed("KeyInfo")
		}
		for _, c := range data.elements() {
			switch {
			case c.is(nsDS, "X509Certificate"):
				if f := s.certificate(c, true); f != nil {
					return f
				}
			case c.is(nsDS, "X509CRL"):
				s.evidence.CRLs = collect(s.evidence.CRLs, c)
			}
		}
	}
	return nil
}

// certificate takes a certificate into the pool, and among those that may be
// the signer's where it stands in the ds:KeyInfo.
func (s *signature) certificate(n *node, signer bool) *fault {
	if len(s.pool) == maxCertificates {
		return unsupported("too many certificates")
	}
	b, ok := encapsulated(n)
	if !ok {
		return malformed("certificate")
	}
	c, err := x509.ParseCertificate(b)
	if err != nil {
		s.unreadable = true
		return nil
	}
	s.pool = append(s.pool, c)
	if signer {
		s.certs = append(s.certs, c)
	}
	return nil
}

// encapsulated reads base64 of bounded length.
func encapsulated(n *node) ([]byte, bool) {
	text, ok := n.text()
	if !ok || len(text) > 2*maxEncapsulated {
		return nil, false
	}
	b, ok := unbase64(text)
	return b, ok && len(b) > 0 && len(b) <= maxEncapsulated
}

// authenticate finds whose signature this is: the certificate that XAdES names,
// else one of the ds:KeyInfo, under whose key the signature value verifies.
func (w *work) authenticate(s *signature) error {
	if f := s.readKey(); f != nil {
		return f
	}
	candidates := s.certs
	if s.props != nil {
		if f := s.evidenceOf(); f != nil {
			return f
		}
		named, f := s.props.named(s.pool)
		if f != nil {
			return f
		}
		if named == nil {
			return s.nobody()
		}
		candidates = []*x509.Certificate{named}
	}
	if len(candidates) == 0 {
		return s.nobody()
	}
	signed, digest, err := w.signedInfo(s)
	if err != nil {
		return err
	}
	for _, c := range candidates {
		if s.method.verify(trust.PublicKey(c), digest, signed, s.signed) {
			s.signer = c
			return nil
		}
	}
	return &fault{trust.Invalid, trust.BadSignature, ""}
}

// nobody says why there is no certificate to verify with.
func (s *signature) nobody() *fault {
	if s.unreadable {
		return unsupported("certificate")
	}
	return &fault{trust.Indeterminate, trust.Untrusted, "no certificate"}
}

// signedInfo returns the canonical ds:SignedInfo and its hash.
func (w *work) signedInfo(s *signature) (signed, digest []byte, err error) {
	var b strings.Builder
	if err := canonicalise(w.meter(&b), nodeSet{apex: s.info, comments: true}, s.canonical, nil); err != nil {
		return nil, nil, err
	}
	signed = []byte(b.String())
	if s.method.hash != crypto.Hash(0) {
		h := s.method.hash.New()
		h.Write(signed)
		digest = h.Sum(nil)
	}
	return signed, digest, nil
}

// references verifies every reference of the ds:SignedInfo, and those of every
// ds:Manifest that these cover.
func (w *work) references(t *tree, s *signature) error {
	for _, r := range s.refs {
		s.digests = append(s.digests, r.hash)
		if err := w.check(t, r, s.el, s.covered.add); err != nil {
			return err
		}
	}
	return w.manifests(t, s)
}

// manifests verifies the references of every ds:Manifest that is signed.
func (w *work) manifests(t *tree, s *signature) error {
	left, check := maxReferences, func(r *reference) error { return w.check(t, r, s.el, s.covered.add) }
	if w.manifest != nil {
		left, check = maxParts, w.manifest
	}
	for _, o := range s.objects {
		for _, m := range o.children(nsDS, "Manifest") {
			if !s.covered.has(m) {
				continue
			}
			refs, f := readReferences(m, left)
			if f != nil {
				return f
			}
			left -= len(refs)
			for _, r := range refs {
				s.digests = append(s.digests, r.hash)
				if err := check(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// weak names the first algorithm that is too weak.
func (s *signature) weak() string {
	if d := trust.WeakKey(s.signer); d != "" {
		return d
	}
	if s.method.hash == crypto.SHA1 {
		return "SHA-1"
	}
	if slices.Contains(s.digests, crypto.SHA1) || (s.props != nil && s.props.weak()) {
		return "SHA-1"
	}
	return ""
}

// judge takes what is known of a signature whose cryptography is right into the
// result: algorithms, time, trust.
func (w *work) judge(s *signature, res *trust.Signature, a *trust.Anchors, now time.Time) {
	res.Signer = trust.NewCertificate(s.signer)
	if d := s.weak(); d != "" {
		res.Fail(trust.Indeterminate, trust.WeakAlgorithm, d)
	}
	at := now
	if !res.Proved.IsZero() {
		at = res.Proved
	}
	res.Judge(a.Check(s.signer, s.pool, at, s.evidence))
}
