package xmlsig

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

const maxUnpacked = 1 << 30 // bytes digested for one package

// VerifyOOXML finds the signatures of an Office document (ECMA-376 part 2
// section 13: Word, Excel, PowerPoint) of size bytes and verifies them at the
// time now. The result is nil for what is no package or has no signature. A
// signature is partial if the package has a part or a relationship that it does
// not cover: macros, media, relationships added later. The standard properties
// (title, author, preview), which Office never signs, only take Whole away. The
// error is that of reading r or of ctx.
func VerifyOOXML(ctx context.Context, r io.ReaderAt, size int64, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	p, err := openPack(ctx, r, size)
	if err != nil {
		f, err := asFault(err)
		return refuse("OOXML", f), err
	}
	if p == nil {
		return nil, nil
	}
	w := &work{ctx: ctx, left: maxUnpacked}
	out, err := w.pack(p, a, now)
	if f, err := asFault(err); f != nil || err != nil {
		return refuse("OOXML", f), err
	}
	return out, nil
}

// seals lists the parts of a package that belong to its signatures.
type seals struct {
	signatures []string        // parts, in order
	linked     map[string]bool // those that the origin leads to
	exempt     map[string]bool // parts that no signature can cover
}

// seals finds the signature parts: from the origin, and by content type, so
// that none is hidden by cutting its relationship.
func (p *pack) seals(ctx context.Context) (*seals, error) {
	s := &seals{linked: map[string]bool{}, exempt: map[string]bool{contentTypesPart: true}}
	root, err := p.relationships(ctx, rootRels)
	if err != nil {
		return nil, err
	}
	for _, r := range root {
		if r.typ != relOrigin || r.external {
			continue
		}
		if err := p.origin(ctx, r.part, s); err != nil {
			return nil, err
		}
	}
	for _, key := range p.names {
		if s.linked[key] || p.contentType(key) == typeSignature {
			s.signatures = append(s.signatures, key)
			s.exempt[key] = true
			if err := p.certificates(ctx, key, s); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// origin reads to which signatures an origin part leads.
func (p *pack) origin(ctx context.Context, part string, s *seals) error {
	s.exempt[part], s.exempt[relsOf(part)] = true, true
	rs, err := p.relationships(ctx, relsOf(part))
	if err != nil {
		return err
	}
	for _, r := range rs {
		if r.typ != relSignature || r.external || p.parts[r.part] == nil {
			return malformed("relationships of signatures")
		}
		s.linked[r.part] = true
	}
	return nil
}

// certificates exempts the certificate parts of a signature.
func (p *pack) certificates(ctx context.Context, key string, s *seals) error {
	rs, err := p.relationships(ctx, relsOf(key))
	if err != nil {
		return err
	}
	for _, r := range rs {
		if r.typ != relCertificate || r.external {
			return malformed("relationships of a signature")
		}
		s.exempt[r.part] = true
	}
	s.exempt[relsOf(key)] = true
	return nil
}

// pack verifies every signature of a package.
func (w *work) pack(p *pack, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	s, err := p.seals(w.ctx)
	if err != nil {
		return nil, err
	}
	if len(s.signatures) > maxSignatures {
		return nil, unsupported("too many signatures")
	}
	var out []trust.Signature
	for _, key := range s.signatures {
		res := trust.Signature{Form: "OOXML", Revocation: trust.Unknown}
		f, err := asFault(w.seal(p, s, key, &res, a, now))
		if err != nil {
			return nil, err
		}
		if f != nil {
			res.Fail(f.status, f.reason, f.detail)
		}
		out = append(out, res)
	}
	return out, nil
}

// seal verifies one signature part.
func (w *work) seal(p *pack, all *seals, key string, res *trust.Signature, a *trust.Anchors, now time.Time) error {
	t, err := p.xml(w.ctx, key)
	if err != nil {
		return err
	}
	if !t.root().is(nsDS, "Signature") {
		return malformed("signature part")
	}
	s, f := readSignature(t, t.root(), maxReferences)
	if f != nil {
		return f
	}
	c := &packCover{parts: map[string]bool{}, rels: map[string]map[string]bool{}}
	w.manifest = func(r *reference) error { return w.part(p, r, c) }
	if err := w.cryptography(t, s, res); err != nil {
		return err
	}
	if res.Claimed.IsZero() {
		res.Claimed = s.signatureTime()
	}
	if !all.linked[key] {
		res.Fail(trust.Invalid, trust.Malformed, "signature not linked")
	}
	if res.Status == "" {
		if err := p.cover(w.ctx, all, c, res); err != nil {
			return err
		}
	}
	return w.conclude(t, s, res, a, now)
}

// signatureTime is the time in the signed properties of the package object.
func (s *signature) signatureTime() time.Time {
	for _, o := range s.objects {
		for n := o; n != nil; n = n.following(o, true) {
			if n.is(nsPackageSign, "SignatureTime") && s.covered.has(n) {
				v, _ := n.only(nsPackageSign, "Value").text()
				return dateTime(v)
			}
		}
	}
	return time.Time{}
}

// packCover is what of a package one signature covers.
type packCover struct {
	parts map[string]bool            // whole parts
	rels  map[string]map[string]bool // relationships by part and identifier
}

// part verifies a reference of the manifest to a part. The content type is
// signed with the part: it decides how the part is understood.
func (w *work) part(p *pack, r *reference, c *packCover) error {
	name, query, _ := strings.Cut(r.uri, "?")
	key := strings.ToLower(name)
	typ, ok := strings.CutPrefix(query, "ContentType=")
	f := p.parts[key]
	switch {
	case !r.hasURI || !strings.HasPrefix(key, "/"):
		return unsupported("reference of a manifest")
	case f == nil || key == contentTypesPart:
		return &fault{trust.Invalid, trust.Digest, "a signed part is missing"}
	case !ok || !strings.EqualFold(typ, p.contentType(key)):
		return &fault{trust.Invalid, trust.Digest, "content type of a part"}
	}
	sum, err := w.partSum(p, key, r, c)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(sum, r.value) != 1 {
		return &fault{trust.Invalid, trust.Digest, printable(key)}
	}
	return nil
}

// partSum digests a part after its transforms, and notes what is covered.
func (w *work) partSum(p *pack, key string, r *reference, c *packCover) ([]byte, error) {
	if len(r.transforms) == 0 {
		c.parts[key] = true
		return p.sum(w, key, r.hash)
	}
	rest := r.transforms
	first, _ := rest[0].attr("Algorithm")
	if first == transformRels {
		rest = rest[1:]
	}
	for _, tr := range rest {
		algorithm, _ := tr.attr("Algorithm")
		if _, ok := formOf(algorithm); !ok {
			return nil, unsupported("transform of a part")
		}
	}
	if first == transformRels {
		return w.relsSum(p, key, r, c)
	}
	t, err := p.xml(w.ctx, key)
	if err != nil {
		return nil, err
	}
	c.parts[key] = true
	h := r.hash.New()
	err = w.process(h, nodeSet{apex: t.doc, comments: true}, r.transforms, form{}, nil, func(*node) {})
	return h.Sum(nil), err
}

// relsSum digests what the relationships transform picks of a part. The result
// is the same in every canonical form.
func (w *work) relsSum(p *pack, key string, r *reference, c *packCover) ([]byte, error) {
	if p.contentType(key) != typeRels {
		return nil, unsupported("transform of a part")
	}
	rs, err := p.relationships(w.ctx, key)
	if err != nil {
		return nil, err
	}
	picked, f := pick(rs, r.transforms[0])
	if f != nil {
		return nil, f
	}
	if c.rels[key] == nil {
		c.rels[key] = map[string]bool{}
	}
	for _, rel := range picked {
		c.rels[key][rel.id] = true
	}
	h := r.hash.New()
	err = canonicalRels(w.meter(h), picked)
	return h.Sum(nil), err
}

// pick returns the relationships that a relationships transform names, by
// identifier or by type.
func pick(rs []relationship, transform *node) ([]relationship, *fault) {
	ids, types := map[string]bool{}, map[string]bool{}
	for _, n := range transform.elements() {
		id, byID := n.attr("SourceId")
		typ, byType := n.attr("SourceType")
		switch {
		case n.is(nsPackageSign, "RelationshipReference") && byID:
			ids[id] = true
		case n.is(nsPackageSign, "RelationshipsGroupReference") && byType:
			types[typ] = true
		default:
			return nil, malformed("relationships transform")
		}
	}
	var out []relationship
	for _, r := range rs {
		if ids[r.id] || types[r.typ] {
			out = append(out, r)
		}
	}
	return out, nil
}

// standard lists the relationships of a package to its properties, which Office
// does not sign, and the content type that each must lead to.
func standard(r relationship, contentType string) bool {
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	const strict = "http://purl.oclc.org/ooxml/officeDocument/relationships/"
	const types = "application/vnd.openxmlformats-"
	if r.external {
		return false
	}
	switch r.typ {
	case nsRelationships + "/metadata/core-properties":
		return contentType == types+"package.core-properties+xml"
	case office + "extended-properties", strict + "extendedProperties":
		return contentType == types+"officedocument.extended-properties+xml"
	case office + "custom-properties", strict + "customProperties":
		return contentType == types+"officedocument.custom-properties+xml"
	case nsRelationships + "/metadata/thumbnail":
		return strings.HasPrefix(contentType, "image/")
	}
	return false
}

// cover compares what a signature covers with what the package has.
func (p *pack) cover(ctx context.Context, all *seals, c *packCover, res *trust.Signature) error {
	if len(c.parts) == 0 {
		res.Fail(trust.Indeterminate, trust.Partial, "nothing of the document is covered")
		return nil
	}
	v := &survey{}
	properties, err := p.coverRels(ctx, all, c, v)
	if err != nil {
		return err
	}
	for _, key := range p.names {
		if _, ok := isRels(key); ok || all.exempt[key] || c.parts[key] {
			continue
		}
		if properties[key] {
			v.frame(key)
			continue
		}
		v.miss(key)
	}
	detail := fmt.Sprintf("not covered: %s", strings.Join(v.missing, ", "))
	switch {
	case v.gaps > 0:
		res.Fail(trust.Indeterminate, trust.Partial, detail)
	case v.framed:
		res.Detail = detail
	default:
		res.Whole = true
	}
	return nil
}

// coverRels surveys the relationships, and returns the parts that are nothing
// but standard properties.
func (p *pack) coverRels(ctx context.Context, all *seals, c *packCover, v *survey) (map[string]bool, error) {
	properties, used := map[string]bool{}, map[string]bool{}
	for _, key := range p.names {
		if _, ok := isRels(key); !ok || all.exempt[key] {
			continue
		}
		rs, err := p.relationships(ctx, key)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			switch {
			case key == rootRels && r.typ == relOrigin:
			case key == rootRels && standard(r, p.contentType(r.part)):
				properties[r.part] = true
			default:
				used[r.part] = true
				c.relationship(key, r, v)
			}
		}
	}
	for part := range used {
		delete(properties, part)
		if all.exempt[part] {
			v.miss(part)
		}
	}
	return properties, nil
}

// relationship surveys one relationship of a part.
func (c *packCover) relationship(key string, r relationship, v *survey) {
	if !c.rels[key][r.id] && !c.parts[key] {
		v.miss(key)
	}
}
