package xmlsig

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// canonical form: Canonical XML 1.0 or 1.1, or Exclusive XML Canonicalization 1.0.
type form struct {
	exclusive, comments, v11 bool
	inclusive                []string // prefixes treated as Canonical XML does; "" is the default
}

// formOf returns the canonical form that an algorithm names.
func formOf(algorithm string) (form, bool) {
	base, comments := strings.CutSuffix(algorithm, "#WithComments")
	if base2, ok := strings.CutSuffix(algorithm, "WithComments"); ok {
		base, comments = base2, true
	}
	base = strings.TrimSuffix(base, "#")
	switch base {
	case "http://www.w3.org/TR/2001/REC-xml-c14n-20010315":
		return form{comments: comments}, true
	case "http://www.w3.org/2006/12/xml-c14n11":
		return form{comments: comments, v11: true}, true
	case "http://www.w3.org/2001/10/xml-exc-c14n":
		return form{comments: comments, exclusive: true}, true
	}
	return form{}, false
}

var errBase = fmt.Errorf("%w: xml:base inherited", errUnsupported)

// nodeSet is what a reference names: a subtree without comments, perhaps, and
// without some subtrees in it.
type nodeSet struct {
	apex     *node
	comments bool
	omitted  func(*node) bool // nil for none
}

// canonicaliser writes one canonical form of one node set.
type canonicaliser struct {
	form
	set      nodeSet
	w        io.Writer
	buf      []byte
	err      error
	rendered []decl      // namespaces that the output has in scope, innermost last
	visit    func(*node) // told every node that is written; nil for nobody
}

const flushAt = 16 << 10

// canonicalise writes the canonical form of a node set to w, and tells visit
// each node that it wrote.
func canonicalise(w io.Writer, set nodeSet, f form, visit func(*node)) error {
	f.comments = f.comments && set.comments
	c := &canonicaliser{form: f, set: set, w: w, visit: visit, buf: make([]byte, 0, flushAt+1024)}
	switch set.apex.kind {
	case document:
		c.document()
	case element:
		c.element(set.apex)
	default:
		return errors.New("no element")
	}
	c.flush()
	return c.err
}

func (c *canonicaliser) flush() {
	if c.err == nil && len(c.buf) > 0 {
		_, c.err = c.w.Write(c.buf)
	}
	c.buf = c.buf[:0]
}

func (c *canonicaliser) put(ss ...string) {
	for _, s := range ss {
		if len(s) > flushAt {
			c.flush()
			if c.err == nil {
				_, c.err = io.WriteString(c.w, s)
			}
			continue
		}
		c.buf = append(c.buf, s...)
		if len(c.buf) >= flushAt {
			c.flush()
		}
	}
}

// document writes what stands beside the document element on lines of its own.
func (c *canonicaliser) document() {
	c.saw(c.set.apex)
	before := true
	for n := c.set.apex.first; n != nil; n = n.next {
		if n.kind == element {
			before = false
			c.element(n)
			continue
		}
		if n.kind == comment && !c.comments {
			continue
		}
		if !before {
			c.put("\n")
		}
		c.other(n)
		if before {
			c.put("\n")
		}
	}
}

func (c *canonicaliser) saw(n *node) {
	if c.visit != nil {
		c.visit(n)
	}
}

func (c *canonicaliser) other(n *node) {
	switch n.kind {
	case text:
		c.escape(n.value, false)
	case comment:
		if !c.comments {
			return
		}
		c.put("<!--", n.value, "-->")
	case instruction:
		c.put("<?", n.local)
		if n.value != "" {
			c.put(" ", n.value)
		}
		c.put("?>")
	}
	c.saw(n)
}

// element writes an element. The depth of documents is bounded by read.
func (c *canonicaliser) element(n *node) {
	if c.err != nil || (c.set.omitted != nil && c.set.omitted(n)) {
		return
	}
	c.saw(n)
	mark := len(c.rendered)
	name := n.name()
	c.put("<", name)
	c.namespaces(n)
	c.attributes(n)
	c.put(">")
	for ch := n.first; ch != nil; ch = ch.next {
		if ch.kind == element {
			c.element(ch)
		} else {
			c.other(ch)
		}
	}
	c.put("</", name, ">")
	c.rendered = c.rendered[:mark]
}

// namespaces writes the namespace declarations that n needs.
func (c *canonicaliser) namespaces(n *node) {
	var ds []decl
	switch {
	case c.settled(n):
		return
	case c.exclusive:
		ds = c.used(n)
	case n == c.set.apex:
		ds = inScope(n)
	default:
		ds = n.decls
	}
	var out []decl
	for _, d := range ds {
		if d.prefix == "xml" || c.has(d) || slices.Contains(out, d) {
			continue
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b decl) int { return cmp.Compare(a.prefix, b.prefix) })
	for _, d := range out {
		if d.prefix == "" {
			c.put(" xmlns=\"")
		} else {
			c.put(" xmlns:", d.prefix, "=\"")
		}
		c.escape(d.space, true)
		c.put("\"")
	}
	c.rendered = append(c.rendered, out...)
}

// settled reports whether exclusive canonicalisation has nothing to declare at n,
// as at most elements.
func (c *canonicaliser) settled(n *node) bool {
	return c.exclusive && len(c.inclusive) == 0 && len(n.attrs) == 0 && c.has(decl{n.prefix, n.space})
}

// has reports whether the output has d in scope already.
func (c *canonicaliser) has(d decl) bool {
	for i := len(c.rendered) - 1; i >= 0; i-- {
		if c.rendered[i].prefix == d.prefix {
			return c.rendered[i].space == d.space
		}
	}
	return d.prefix == "" && d.space == ""
}

// inScope returns the namespaces in scope at n, the default without one left out.
func inScope(n *node) []decl {
	var out []decl
	seen := map[string]bool{}
	for ; n != nil; n = n.parent {
		for _, d := range n.decls {
			if !seen[d.prefix] {
				seen[d.prefix] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// used returns the namespaces that n itself uses, and those in scope that the
// list of inclusive prefixes names.
func (c *canonicaliser) used(n *node) []decl {
	out := append(make([]decl, 0, 4), decl{n.prefix, n.space})
	for i := range n.attrs {
		if a := &n.attrs[i]; a.prefix != "" && !slices.Contains(out, decl{a.prefix, a.space}) {
			out = append(out, decl{a.prefix, a.space})
		}
	}
	if len(c.inclusive) == 0 {
		return out
	}
	ds := n.decls
	if n == c.set.apex {
		ds = inScope(n)
	}
	for _, d := range ds {
		if slices.Contains(c.inclusive, d.prefix) {
			out = append(out, d)
		}
	}
	return out
}

// attributes writes the attributes of n in order of namespace and name.
func (c *canonicaliser) attributes(n *node) {
	as := n.attrs
	if n == c.set.apex && !c.exclusive {
		as = c.inherit(n)
	}
	sorted := slices.IsSortedFunc(as, compareAttrs)
	if !sorted {
		as = slices.SortedFunc(slices.Values(as), compareAttrs)
	}
	for i := range as {
		a := &as[i]
		c.put(" ")
		if a.prefix != "" {
			c.put(a.prefix, ":")
		}
		c.put(a.local, "=\"")
		c.escape(a.value, true)
		c.put("\"")
	}
}

func compareAttrs(a, b attr) int {
	return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.local, b.local))
}

// inherit returns the attributes of the apex with those xml: attributes that it
// takes from its ancestors: all of them in Canonical XML 1.0; xml:lang and
// xml:space in 1.1, where xml:base would have to be joined, which is refused.
func (c *canonicaliser) inherit(n *node) []attr {
	as := slices.Clone(n.attrs)
	for p := n.parent; p != nil; p = p.parent {
		for _, a := range p.attrs {
			switch {
			case a.space != nsXML, slices.ContainsFunc(as, a.same):
			case !c.v11, a.local == "lang", a.local == "space":
				as = append(as, a)
			}
			if c.v11 && a.space == nsXML && a.local == "base" {
				c.err = cmp.Or(c.err, errBase)
			}
		}
	}
	return as
}

// same reports whether two attributes have the same expanded name.
func (a attr) same(b attr) bool { return a.local == b.local && a.space == b.space }

// escape writes text or the value of an attribute.
func (c *canonicaliser) escape(s string, attribute bool) {
	special := "&<>\r"
	if attribute {
		special = "&<\"\t\n\r"
	}
	for {
		i := strings.IndexAny(s, special)
		if i < 0 {
			c.put(s)
			return
		}
		c.put(s[:i], escaped(s[i]))
		s = s[i+1:]
	}
}

func escaped(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	}
	return fmt.Sprintf("&#x%X;", c)
}
