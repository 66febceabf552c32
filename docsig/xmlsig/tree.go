package xmlsig

import "strings"

// Namespaces that the verifier knows by name.
const (
	nsXML     = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS   = "http://www.w3.org/2000/xmlns/"
	nsDS      = "http://www.w3.org/2000/09/xmldsig#"
	nsXAdES   = "http://uri.etsi.org/01903/v1.3.2#"
	nsXAdES14 = "http://uri.etsi.org/01903/v1.4.1#"
)

type kind uint8

const (
	document kind = iota
	element
	text
	comment
	instruction
)

// node is one node of a document as canonicalisation sees it. Its number is its
// place in document order; the last node of its subtree has number end.
type node struct {
	kind                      kind
	number, end               int
	parent, first, last, next *node
	prefix, local, space      string // of an element; local is also the target of an instruction
	value                     string // of text, comment, instruction
	attrs                     []attr // in document order
	decls                     []decl // the namespaces declared here
}

// attr is an attribute that is not a namespace declaration.
type attr struct{ prefix, local, space, value string }

// decl binds a prefix, "" for the default, to a namespace; the default may be
// bound to none.
type decl struct{ prefix, space string }

func (n *node) is(space, local string) bool {
	return n != nil && n.kind == element && n.local == local && n.space == space
}

// within reports whether n is a or lies in the subtree of a.
func (n *node) within(a *node) bool { return a.number <= n.number && n.number <= a.end }

// attr returns the value of an attribute without a namespace.
func (n *node) attr(local string) (string, bool) {
	for i := range n.attrs {
		if n.attrs[i].space == "" && n.attrs[i].local == local {
			return n.attrs[i].value, true
		}
	}
	return "", false
}

// ids returns the values by which a same-document reference can name n. Without a
// DTD nothing says which attribute is the ID: all four usual ones are taken for
// it, so that no reader takes one for an ID that is not unique here.
func (n *node) ids() []string {
	var out []string
	for i := range n.attrs {
		a := &n.attrs[i]
		usual := a.space == "" && (a.local == "Id" || a.local == "ID" || a.local == "id")
		if usual || (a.space == nsXML && a.local == "id") {
			out = append(out, a.value)
		}
	}
	return out
}

// elements returns the child elements.
func (n *node) elements() []*node {
	var out []*node
	for c := n.first; c != nil; c = c.next {
		if c.kind == element {
			out = append(out, c)
		}
	}
	return out
}

// children returns the child elements of one name.
func (n *node) children(space, local string) []*node {
	var out []*node
	for c := n.first; c != nil; c = c.next {
		if c.is(space, local) {
			out = append(out, c)
		}
	}
	return out
}

// only returns the one child element of a name, nil for none or several.
func (n *node) only(space, local string) *node {
	if n == nil {
		return nil
	}
	if cs := n.children(space, local); len(cs) == 1 {
		return cs[0]
	}
	return nil
}

// text returns the text directly in n; what stands in child elements is not
// part of it, and ok is false where there are any.
func (n *node) text() (s string, ok bool) {
	if n == nil {
		return "", false
	}
	if n.first != nil && n.first == n.last && n.first.kind == text {
		return n.first.value, true
	}
	var b strings.Builder
	ok = true
	for c := n.first; c != nil; c = c.next {
		switch c.kind {
		case text:
			b.WriteString(c.value)
		case element:
			ok = false
		}
	}
	return b.String(), ok
}

// bare reports whether there is no text directly in n but white space.
func (n *node) bare() bool {
	for c := n.first; c != nil; c = c.next {
		if c.kind == text && !blank(c.value) {
			return false
		}
	}
	return true
}

// following returns the next node in document order within top, nil at its end;
// deep says whether to go into n.
func (n *node) following(top *node, deep bool) *node {
	if deep && n.first != nil {
		return n.first
	}
	for n != top {
		if n.next != nil {
			return n.next
		}
		n = n.parent
	}
	return nil
}

// lookup resolves a prefix where n stands.
func (n *node) lookup(prefix string) (string, bool) {
	if prefix == "xml" {
		return nsXML, true
	}
	for ; n != nil; n = n.parent {
		for i := range n.decls {
			if n.decls[i].prefix == prefix {
				return n.decls[i].space, true
			}
		}
	}
	return "", prefix == ""
}

func blank(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isSpace(s[i]) {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
