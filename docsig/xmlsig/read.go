package xmlsig

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of one document. A document over a limit is not verified.
const (
	maxXML      = 16 << 20 // bytes of XML
	maxNodes    = 1 << 20  // elements, texts, attributes, comments, instructions
	maxDepth    = 256      // elements within one another
	maxScope    = 256      // namespace declarations in scope
	maxAttrs    = 256      // attributes of one element
	maxNameSize = 4 << 10  // bytes of a name
)

var (
	errMalformed   = errors.New("not well-formed")
	errUnsupported = errors.New("form of XML that is not verified")
	errTooLarge    = errors.New("too large to be verified")
)

// reader reads XML 1.0 with namespaces as the recommendations ask, and refuses
// what they refuse: the answer of another reader to the same bytes must not
// differ from ours. Documents with a document type declaration are refused.
type reader struct {
	in     string
	wide   bool // was UTF-16
	depth  int  // elements that are open
	rooted bool // the document element has begun
	pos    int
	nodes  int
	slab   []node
	scope  []decl // in scope at pos, innermost last
	doc    *node
	ids    map[string][]*node
}

// tree is a document that was read.
type tree struct {
	doc   *node
	nodes int
	ids   map[string][]*node // elements by each of their IDs
}

// root returns the document element.
func (t *tree) root() *node {
	for c := t.doc.first; c != nil; c = c.next {
		if c.kind == element {
			return c
		}
	}
	return nil
}

// byID returns the one element with an ID; nil for none and for several.
func (t *tree) byID(id string) *node {
	if ns := t.ids[id]; len(ns) == 1 {
		return ns[0]
	}
	return nil
}

// read reads a document. Errors wrap errMalformed, errUnsupported or
// errTooLarge.
func read(b []byte) (*tree, error) {
	if len(b) > maxXML {
		return nil, errTooLarge
	}
	s, wide, err := decode(b)
	if err != nil {
		return nil, err
	}
	r := &reader{in: s, wide: wide, ids: map[string][]*node{}}
	if r.doc, err = r.node(document); err != nil {
		return nil, err
	}
	if err := r.document(); err != nil {
		return nil, fmt.Errorf("at byte %d: %w", r.pos, err)
	}
	return &tree{doc: r.doc, nodes: r.nodes, ids: r.ids}, nil
}

// decode returns the text of a document with line ends normalised, and whether
// it was in UTF-16.
func decode(b []byte) (s string, wide bool, err error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if wide = bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")); wide {
		if b, err = fromUTF16(b); err != nil {
			return "", wide, err
		}
	}
	if !utf8.Valid(b) {
		return "", wide, fmt.Errorf("%w: not UTF-8", errMalformed)
	}
	if bytes.IndexByte(b, '\r') >= 0 {
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
		b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	if bytes.ContainsFunc(b, func(c rune) bool { return !isChar(c) }) {
		return "", wide, fmt.Errorf("%w: character that XML does not allow", errMalformed)
	}
	return string(b), wide, nil
}

func fromUTF16(b []byte) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, fmt.Errorf("%w: half a character", errMalformed)
	}
	lo, hi := 0, 1
	if b[0] == 0xFE {
		lo, hi = 1, 0
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i < len(b); i += 2 {
		units = append(units, uint16(b[i+lo])|uint16(b[i+hi])<<8)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(units); i++ {
		c := rune(units[i])
		if utf16.IsSurrogate(c) {
			if i+1 == len(units) {
				return nil, fmt.Errorf("%w: half a character", errMalformed)
			}
			i++
			if c = utf16.DecodeRune(c, rune(units[i])); c == utf8.RuneError {
				return nil, fmt.Errorf("%w: half a character", errMalformed)
			}
		}
		out = utf8.AppendRune(out, c)
	}
	return out, nil
}

// node makes a node with the next number.
func (r *reader) node(k kind) (*node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, errTooLarge
	}
	if len(r.slab) == 0 {
		r.slab = make([]node, min(max(16, r.nodes), 4096))
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	n.kind, n.number, n.end = k, r.nodes-1, r.nodes-1
	return n, nil
}

func (p *node) add(c *node) {
	c.parent = p
	if p.last == nil {
		p.first = c
	} else {
		p.last.next = c
	}
	p.last = c
}

func (r *reader) fail(what string) error { return fmt.Errorf("%w: %s", errMalformed, what) }

func (r *reader) document() error {
	if err := r.declaration(); err != nil {
		return err
	}
	at := r.doc
	for r.pos < len(r.in) {
		var err error
		if r.in[r.pos] == '<' {
			at, err = r.markup(at)
		} else {
			err = r.characters(at)
		}
		if err != nil {
			return err
		}
	}
	if at != r.doc || !r.rooted {
		return r.fail("ends early")
	}
	r.doc.end = r.nodes - 1
	return nil
}

// markup reads what begins with < and returns the node that follows are
// children of.
func (r *reader) markup(at *node) (*node, error) {
	rest := r.in[r.pos:]
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return at, r.comment(at)
	case strings.HasPrefix(rest, "<![CDATA["):
		return at, r.cdata(at)
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return at, fmt.Errorf("%w: document type declaration", errUnsupported)
	case strings.HasPrefix(rest, "<?"):
		return at, r.instruction(at)
	case strings.HasPrefix(rest, "</"):
		return r.endTag(at)
	}
	if at == r.doc && r.rooted {
		return at, r.fail("second document element")
	}
	r.rooted = true
	if r.depth++; r.depth > maxDepth {
		return at, fmt.Errorf("%w: depth", errTooLarge)
	}
	return r.startTag(at)
}

// declaration skips the XML declaration, and refuses versions and encodings
// other than those that decode has dealt with.
func (r *reader) declaration() error {
	if !strings.HasPrefix(r.in, "<?xml") || len(r.in) < 6 || !isSpace(r.in[5]) {
		return nil
	}
	end := strings.Index(r.in, "?>")
	if end < 0 {
		return r.fail("declaration")
	}
	as, err := pseudoAttributes(r.in[5:end])
	if err != nil {
		return err
	}
	r.pos = end + 2
	names := []string{"version", "encoding", "standalone"} // in this order
	last := -1
	for i, a := range as {
		at := slices.Index(names, a.local)
		if at <= last || (i == 0) != (at == 0) {
			return r.fail("declaration")
		}
		last = at
	}
	if last < 0 {
		return r.fail("declaration")
	}
	return r.declared(as)
}

// pseudoAttributes reads what stands in an XML declaration.
func pseudoAttributes(s string) ([]attr, error) {
	var as []attr
	r := &reader{in: s}
	for {
		spaced := r.space()
		if r.pos == len(r.in) {
			return as, nil
		}
		if !spaced || len(as) == 3 {
			return nil, r.fail("declaration")
		}
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		as = append(as, attr{local: name, value: v})
	}
}

// declared checks the values of the XML declaration.
func (r *reader) declared(as []attr) error {
	for _, a := range as {
		switch {
		case a.local == "version" && a.value != "1.0":
			return fmt.Errorf("%w: version", errUnsupported)
		case a.local == "encoding" && !r.encoding(a.value):
			return fmt.Errorf("%w: encoding", errUnsupported)
		case a.local == "standalone" && a.value != "yes" && a.value != "no":
			return r.fail("declaration")
		}
	}
	return nil
}

// encoding reports whether a declared encoding is what the octets are in.
func (r *reader) encoding(name string) bool {
	switch strings.ToUpper(name) {
	case "UTF-8", "US-ASCII":
		return !r.wide
	case "UTF-16":
		return r.wide
	}
	return false
}

// characters reads text up to the next tag.
func (r *reader) characters(at *node) error {
	end := strings.IndexByte(r.in[r.pos:], '<')
	if end < 0 {
		end = len(r.in) - r.pos
	}
	s := r.in[r.pos : r.pos+end]
	r.pos += end
	if at == r.doc {
		if !blank(s) {
			return r.fail("text outside the document element")
		}
		return nil
	}
	if strings.Contains(s, "]]>") {
		return r.fail("]]> in text")
	}
	s, err := r.expand(s, false)
	if err != nil {
		return err
	}
	return r.text(at, s)
}

func (r *reader) text(at *node, s string) error {
	if s == "" {
		return nil
	}
	n, err := r.node(text)
	if err != nil {
		return err
	}
	n.value = s
	at.add(n)
	return nil
}

// expand replaces references, and in an attribute's value white space.
func (r *reader) expand(s string, attribute bool) (string, error) {
	special := "&"
	if attribute {
		special = "&\t\n"
	}
	i := strings.IndexAny(s, special)
	if i < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i >= 0 {
		b.WriteString(s[:i])
		if s[i] != '&' {
			b.WriteByte(' ')
			s = s[i+1:]
		} else {
			end := strings.IndexByte(s[i:min(len(s), i+16)], ';')
			if end < 0 {
				return "", r.fail("reference")
			}
			c, ok := character(s[i+1 : i+end])
			if !ok {
				return "", r.fail("reference")
			}
			b.WriteRune(c)
			s = s[i+end+1:]
		}
		i = strings.IndexAny(s, special)
	}
	b.WriteString(s)
	return b.String(), nil
}

// character returns the character of a reference, without & and ;.
func character(s string) (rune, bool) {
	digits, number := strings.CutPrefix(s, "#")
	if !number {
		named := map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}
		return named[s], named[s] != 0
	}
	radix := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, radix = hex, 16
	}
	v, err := strconv.ParseUint(digits, radix, 31) // takes no sign
	if err != nil || !isChar(rune(v)) {
		return 0, false
	}
	return rune(v), true
}

func isChar(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF)
}

func (r *reader) comment(at *node) error {
	body := r.in[r.pos+4:]
	end := strings.Index(body, "--")
	if end < 0 || !strings.HasPrefix(body[end:], "-->") {
		return r.fail("comment")
	}
	n, err := r.node(comment)
	if err != nil {
		return err
	}
	n.value = body[:end]
	at.add(n)
	r.pos += 4 + end + 3
	return nil
}

func (r *reader) cdata(at *node) error {
	body := r.in[r.pos+9:]
	end := strings.Index(body, "]]>")
	if end < 0 || at == r.doc {
		return r.fail("CDATA section")
	}
	r.pos += 9 + end + 3
	return r.text(at, body[:end])
}

func (r *reader) instruction(at *node) error {
	r.pos += 2
	name, err := r.name()
	if err != nil {
		return err
	}
	end := strings.Index(r.in[r.pos:], "?>")
	if end < 0 || strings.EqualFold(name, "xml") || strings.Contains(name, ":") {
		return r.fail("processing instruction")
	}
	body := r.in[r.pos : r.pos+end]
	if body != "" && !isSpace(body[0]) {
		return r.fail("processing instruction")
	}
	n, err := r.node(instruction)
	if err != nil {
		return err
	}
	n.local, n.value = name, strings.TrimLeft(body, " \t\n")
	at.add(n)
	r.pos += end + 2
	return nil
}

func (r *reader) space() bool {
	start := r.pos
	for r.pos < len(r.in) && isSpace(r.in[r.pos]) {
		r.pos++
	}
	return r.pos > start
}

// name reads a Name, colons included.
func (r *reader) name() (string, error) {
	start := r.pos
	for r.pos < len(r.in) {
		c, size := rune(r.in[r.pos]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(r.in[r.pos:])
		}
		if !nameChar(c, r.pos == start) {
			break
		}
		r.pos += size
	}
	if r.pos == start || r.pos-start > maxNameSize {
		return "", r.fail("name")
	}
	return r.in[start:r.pos], nil
}

// nameChar reports whether a character may be in a Name, or begin it (XML 1.0,
// fifth edition).
func nameChar(c rune, first bool) bool {
	if c < 0x80 {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		return letter || c == '_' || c == ':' || (!first && (c >= '0' && c <= '9' || c == '-' || c == '.'))
	}
	start := [...][2]rune{
		{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D}, {0x2070, 0x218F},
		{0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
	}
	more := [...][2]rune{{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}}
	return inRanges(c, start[:]) || (!first && inRanges(c, more[:]))
}

func inRanges(c rune, ranges [][2]rune) bool {
	for _, r := range ranges {
		if c >= r[0] && c <= r[1] {
			return true
		}
	}
	return false
}

// value reads ="…" and returns the normalised value.
func (r *reader) value() (string, error) {
	r.space()
	if r.pos >= len(r.in) || r.in[r.pos] != '=' {
		return "", r.fail("attribute without value")
	}
	r.pos++
	r.space()
	if r.pos >= len(r.in) || (r.in[r.pos] != '"' && r.in[r.pos] != '\'') {
		return "", r.fail("value without quotes")
	}
	end := strings.IndexByte(r.in[r.pos+1:], r.in[r.pos])
	if end < 0 {
		return "", r.fail("value without end")
	}
	s := r.in[r.pos+1 : r.pos+1+end]
	r.pos += end + 2
	if strings.IndexByte(s, '<') >= 0 {
		return "", r.fail("< in a value")
	}
	return r.expand(s, true)
}

// split divides a qualified name.
func split(name string) (prefix, local string, err error) {
	i := strings.IndexByte(name, ':')
	if i < 0 {
		return "", name, nil
	}
	prefix, local = name[:i], name[i+1:]
	if prefix == "" || local == "" || strings.IndexByte(local, ':') >= 0 {
		return "", "", fmt.Errorf("%w: name with colons", errMalformed)
	}
	if c, _ := utf8.DecodeRuneInString(local); !nameChar(c, true) {
		return "", "", fmt.Errorf("%w: name", errMalformed)
	}
	return prefix, local, nil
}

// startTag reads a start tag or an empty element and returns the node that
// follows are children of.
func (r *reader) startTag(at *node) (*node, error) {
	r.pos++
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	n, err := r.node(element)
	if err != nil {
		return nil, err
	}
	if n.prefix, n.local, err = split(name); err != nil {
		return nil, err
	}
	at.add(n)
	for {
		spaced := r.space()
		rest := r.in[r.pos:]
		switch {
		case strings.HasPrefix(rest, ">"):
			r.pos++
			return n, r.finish(n)
		case strings.HasPrefix(rest, "/>"):
			r.pos += 2
			if err := r.finish(n); err != nil {
				return nil, err
			}
			return r.close(n), nil
		case !spaced:
			return nil, r.fail("start tag")
		}
		if err := r.attribute(n); err != nil {
			return nil, err
		}
	}
}

func (r *reader) attribute(n *node) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	v, err := r.value()
	if err != nil {
		return err
	}
	prefix, local, err := split(name)
	if err != nil {
		return err
	}
	switch {
	case prefix == "xmlns":
		return r.declare(n, local, v)
	case prefix == "" && local == "xmlns":
		return r.declare(n, "", v)
	}
	if r.nodes++; r.nodes > maxNodes || len(n.attrs) == maxAttrs {
		return errTooLarge
	}
	n.attrs = append(n.attrs, attr{prefix: prefix, local: local, value: v})
	return nil
}

// declare takes a namespace declaration. Relative names are refused, as
// Canonical XML asks.
func (r *reader) declare(n *node, prefix, space string) error {
	switch {
	case prefix == "xmlns", space == nsXMLNS, (prefix == "xml") != (space == nsXML), prefix != "" && space == "":
		return r.fail("namespace declaration")
	case space != "" && !absolute(space):
		return fmt.Errorf("%w: relative namespace name", errUnsupported)
	}
	for _, d := range n.decls {
		if d.prefix == prefix {
			return r.fail("namespace declared twice")
		}
	}
	if len(r.scope) == maxScope {
		return fmt.Errorf("%w: namespaces", errTooLarge)
	}
	n.decls = append(n.decls, decl{prefix, space})
	r.scope = append(r.scope, decl{prefix, space})
	return nil
}

func absolute(uri string) bool {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || scheme == "" {
		return false
	}
	for i := 0; i < len(scheme); i++ {
		c := scheme[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(scheme[i]))) {
			return false
		}
	}
	return true
}

// finish resolves the names of an element whose tag has been read.
func (r *reader) finish(n *node) error {
	var ok bool
	if n.space, ok = r.resolve(n.prefix); !ok {
		return r.fail("prefix without namespace")
	}
	for i := range n.attrs {
		a := &n.attrs[i]
		if a.prefix != "" {
			if a.space, ok = r.resolve(a.prefix); !ok {
				return r.fail("prefix without namespace")
			}
		}
		if slices.ContainsFunc(n.attrs[:i], a.same) {
			return r.fail("attribute twice")
		}
	}
	for _, id := range n.ids() {
		if ns := r.ids[id]; len(ns) == 0 || ns[len(ns)-1] != n {
			r.ids[id] = append(ns, n)
		}
	}
	return nil
}

func (r *reader) resolve(prefix string) (string, bool) {
	if prefix == "xml" {
		return nsXML, true
	}
	for i := len(r.scope) - 1; i >= 0; i-- {
		if r.scope[i].prefix == prefix {
			return r.scope[i].space, true
		}
	}
	return "", prefix == ""
}

// endTag closes the element at and returns its parent.
func (r *reader) endTag(at *node) (*node, error) {
	r.pos += 2
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	r.space()
	if r.pos >= len(r.in) || r.in[r.pos] != '>' || at == r.doc || name != at.name() {
		return nil, r.fail("end tag")
	}
	r.pos++
	at.end = r.nodes - 1
	return r.close(at), nil
}

// close ends the scope of an element and returns its parent.
func (r *reader) close(n *node) *node {
	r.depth--
	r.scope = r.scope[:len(r.scope)-len(n.decls)]
	return n.parent
}

// name returns the qualified name as it was written.
func (n *node) name() string {
	if n.prefix == "" {
		return n.local
	}
	return n.prefix + ":" + n.local
}
