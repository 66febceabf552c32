package xmlsig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/subtle"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/luutru/luutru/docsig/trust"
)

// Transforms.
const (
	transformEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	transformBase64    = "http://www.w3.org/2000/09/xmldsig#base64"
	transformXPath     = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	transformFilter    = "http://www.w3.org/2002/06/xmldsig-filter2"
)

const (
	maxTransforms = 8
	maxReferences = 256 // of one signature in XML
)

// reference is a ds:Reference as it is written.
type reference struct {
	el         *node
	uri, typ   string
	hasURI     bool
	transforms []*node
	hash       crypto.Hash
	value      []byte
	apex       *node // what it names in the document, once resolved
}

// readReferences reads the ds:Reference children of a ds:SignedInfo or
// ds:Manifest, limit of them at most.
func readReferences(parent *node, limit int) ([]*reference, *fault) {
	var out []*reference
	for _, el := range parent.children(nsDS, "Reference") {
		if len(out) == limit {
			return nil, &fault{trust.Indeterminate, trust.Unsupported, "too many references"}
		}
		r, f := readReference(el)
		if f != nil {
			return nil, f
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, malformed("no reference")
	}
	return out, nil
}

func readReference(el *node) (*reference, *fault) {
	r := &reference{el: el}
	r.uri, r.hasURI = el.attr("URI")
	r.typ, _ = el.attr("Type")
	cs := el.elements()
	if len(cs) > 0 && cs[0].is(nsDS, "Transforms") {
		r.transforms, cs = cs[0].elements(), cs[1:]
	}
	if slices.ContainsFunc(r.transforms, func(t *node) bool { return !t.is(nsDS, "Transform") }) {
		return nil, malformed("transforms")
	}
	if len(r.transforms) > maxTransforms {
		return nil, unsupported("too many transforms")
	}
	if len(cs) != 2 {
		return nil, malformed("reference")
	}
	var f *fault
	r.hash, r.value, f = readDigest(cs[0], cs[1])
	return r, f
}

// readDigest reads a ds:DigestMethod and a ds:DigestValue.
func readDigest(method, value *node) (crypto.Hash, []byte, *fault) {
	if !method.is(nsDS, "DigestMethod") || !value.is(nsDS, "DigestValue") {
		return 0, nil, malformed("digest")
	}
	algorithm, _ := method.attr("Algorithm")
	h, f := hashOf(algorithm)
	if f != nil {
		return 0, nil, f
	}
	s, plain := value.text()
	b, ok := unbase64(s)
	if !plain || !ok || len(b) != h.Size() {
		return 0, nil, malformed("digest value")
	}
	return h, b, nil
}

// resolve finds what a same-document reference names.
func (t *tree) resolve(r *reference) (nodeSet, *fault) {
	switch {
	case !r.hasURI:
		return nodeSet{}, unsupported("reference without URI")
	case r.uri == "":
		return nodeSet{apex: t.doc}, nil
	case r.uri == "#xpointer(/)":
		return nodeSet{apex: t.doc, comments: true}, nil
	case r.uri[0] != '#':
		return nodeSet{}, unsupported("reference outside the document")
	}
	id, comments, ok := pointer(r.uri[1:])
	if !ok {
		return nodeSet{}, unsupported("XPointer")
	}
	switch n := t.byID(id); {
	case n != nil:
		return nodeSet{apex: n, comments: comments}, nil
	case len(t.ids[id]) > 1:
		return nodeSet{}, malformed("ID is not unique")
	}
	return nodeSet{}, malformed("reference to nothing")
}

// pointer reads a fragment: an ID, or xpointer(id('ID')), which takes comments
// in.
func pointer(fragment string) (id string, comments, ok bool) {
	s, scheme := strings.CutPrefix(fragment, "xpointer(id(")
	if !scheme {
		return fragment, false, !strings.ContainsAny(fragment, "()")
	}
	s, closed := strings.CutSuffix(s, "))")
	if !closed || len(s) < 2 || (s[0] != '\'' && s[0] != '"') || s[len(s)-1] != s[0] {
		return "", false, false
	}
	return s[1 : len(s)-1], true, true
}

// meter bounds what is digested for one document, and stops with the context.
type meter struct {
	ctx  context.Context
	w    io.Writer
	left *int64
}

func (m meter) Write(p []byte) (int, error) {
	if *m.left -= int64(len(p)); *m.left < 0 {
		return 0, errTooLarge
	}
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	return m.w.Write(p)
}

// value is what a transform takes and gives: a node set, or octets.
type value struct {
	set    nodeSet
	octets []byte
	isSet  bool
	parsed bool // the set is of octets that were read again
}

// work is what the verification of one document may use.
type work struct {
	ctx      context.Context
	left     int64                  // bytes to digest yet
	manifest func(*reference) error // verifies a reference of a manifest; nil: it is in the document
}

func (w *work) meter(to io.Writer) meter { return meter{w.ctx, to, &w.left} }

// process applies the transforms of a reference to a node set of t and writes
// the result to out; own is the signature that the reference belongs to. Nodes
// that the result depends on are told to visit.
func (w *work) process(out io.Writer, set nodeSet, transforms []*node, last form, own *node, visit func(*node)) error {
	v := value{set: set, isSet: true}
	for i, t := range transforms {
		algorithm, _ := t.attr("Algorithm")
		f, canonical := formOf(algorithm)
		switch {
		case canonical:
			if f.exclusive {
				f.inclusive = prefixList(t)
			}
			if v.isSet && i == len(transforms)-1 {
				return w.canonical(out, v, f, visit)
			}
			if err := w.reencode(&v, f, visit); err != nil {
				return err
			}
		case algorithm == transformBase64:
			if err := w.base64(&v, visit); err != nil {
				return err
			}
		default:
			if err := filter(&v, t, algorithm, own); err != nil {
				return err
			}
		}
	}
	if v.isSet {
		return w.canonical(out, v, last, visit)
	}
	_, err := w.meter(out).Write(v.octets)
	return err
}

func (w *work) canonical(out io.Writer, v value, f form, visit func(*node)) error {
	if v.parsed {
		visit = nil
	}
	return canonicalise(w.meter(out), v.set, f, visit)
}

// reencode replaces a value by its canonical form, reading octets first.
func (w *work) reencode(v *value, f form, visit func(*node)) error {
	if !v.isSet {
		t, err := read(v.octets)
		if err != nil {
			return err
		}
		*v = value{set: nodeSet{apex: t.doc, comments: true}, isSet: true, parsed: true}
	}
	var b bytes.Buffer
	if err := w.canonical(&limited{&b}, *v, f, visit); err != nil {
		return err
	}
	*v = value{octets: b.Bytes()}
	return nil
}

// limited is a buffer that takes no more than a document may have.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxXML {
		return 0, errTooLarge
	}
	return l.Buffer.Write(p)
}

// base64 decodes octets, or the text in a node set. Of a node set only the text
// is signed thereby, not the elements around it.
func (w *work) base64(v *value, visit func(*node)) error {
	s := string(v.octets)
	if v.isSet {
		if v.parsed {
			return unsupported("base64 of what was read again")
		}
		s = v.set.text(visit)
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.left -= int64(len(s)); w.left < 0 {
		return errTooLarge
	}
	b, ok := unbase64(s)
	if !ok {
		return malformed("base64 transform")
	}
	*v = value{octets: b}
	return nil
}

// text returns all text in a node set, and tells visit where it was.
func (s nodeSet) text(visit func(*node)) string {
	var b strings.Builder
	for n := s.apex; n != nil; {
		omit := n.kind == element && s.omitted != nil && s.omitted(n)
		if n.kind == text {
			b.WriteString(n.value)
			visit(n)
		}
		n = n.following(s.apex, !omit)
	}
	return b.String()
}

// prefixList reads the InclusiveNamespaces of an exclusive canonicalisation.
func prefixList(method *node) []string {
	for _, c := range method.elements() {
		if c.is("http://www.w3.org/2001/10/xml-exc-c14n#", "InclusiveNamespaces") {
			list, _ := c.attr("PrefixList")
			out := strings.Fields(list)
			for i := range out {
				if out[i] == "#default" {
					out[i] = ""
				}
			}
			return out
		}
	}
	return nil
}

// filter takes signatures out of a node set: the reference's own, or all where
// an XPath says so. No other XPath is evaluated.
func filter(v *value, t *node, algorithm string, own *node) error {
	var omit func(*node) bool
	switch {
	case algorithm == transformEnveloped && len(t.elements()) == 0:
		omit = func(n *node) bool { return n == own }
	case algorithm == transformXPath && plainXPath(t.only(nsDS, "XPath")),
		algorithm == transformFilter && plainFilter(t.elements()):
		omit = func(n *node) bool { return n.is(nsDS, "Signature") }
	default:
		return unsupported("transform " + transformName(algorithm))
	}
	if !v.isSet || v.parsed {
		return malformed("transform of octets")
	}
	if before := v.set.omitted; before != nil {
		v.set.omitted = func(n *node) bool { return before(n) || omit(n) }
	} else {
		v.set.omitted = omit
	}
	return nil
}

// transformName is a name for messages that comes from us, not from the document.
func transformName(algorithm string) string {
	switch algorithm {
	case "http://www.w3.org/TR/1999/REC-xslt-19991116":
		return "XSLT"
	case transformXPath, transformFilter:
		return "XPath"
	}
	return "unknown"
}

// plainXPath reports whether an XPath is not(ancestor-or-self::ds:Signature).
func plainXPath(x *node) bool {
	s, ok := x.text()
	s = strings.Join(strings.Fields(s), "")
	s, open := strings.CutPrefix(s, "not(ancestor-or-self::")
	s, closed := strings.CutSuffix(s, ")")
	return ok && open && closed && namesSignature(x, s)
}

// plainFilter reports whether XPath Filter 2.0 subtracts //ds:Signature.
func plainFilter(xs []*node) bool {
	if len(xs) != 1 || !xs[0].is(transformFilter, "XPath") {
		return false
	}
	if how, _ := xs[0].attr("Filter"); how != "subtract" {
		return false
	}
	s, ok := xs[0].text()
	s = strings.TrimSpace(s)
	if name, cut := strings.CutPrefix(s, "/descendant::"); cut {
		return ok && namesSignature(xs[0], name)
	}
	name, cut := strings.CutPrefix(s, "//")
	return ok && cut && namesSignature(xs[0], name)
}

// namesSignature reports whether a prefixed name is ds:Signature where x stands.
func namesSignature(x *node, name string) bool {
	prefix, local, ok := strings.Cut(name, ":")
	space, bound := x.lookup(prefix)
	return ok && bound && local == "Signature" && space == nsDS
}

// check compares what a reference names with its digest.
func (w *work) check(t *tree, r *reference, own *node, visit func(*node)) error {
	set, f := t.resolve(r)
	if f != nil {
		return f
	}
	r.apex = set.apex
	h := r.hash.New()
	plain, _ := formOf("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
	if err := w.process(h, set, r.transforms, plain, own, visit); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(h.Sum(nil), r.value) != 1 {
		return &fault{trust.Invalid, trust.Digest, ""}
	}
	return nil
}

// asFault turns what stopped a verification into the reason for it; an error
// that is not about the document, of reading it or of the context, is returned.
func asFault(err error) (*fault, error) {
	var f *fault
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &f):
		return f, nil
	case errors.Is(err, errMalformed):
		return malformed("XML"), nil
	case errors.Is(err, errUnsupported):
		return unsupported("XML"), nil
	case errors.Is(err, errTooLarge):
		return unsupported("too large"), nil
	}
	return nil, err
}
