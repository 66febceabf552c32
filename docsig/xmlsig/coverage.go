package xmlsig

import "strings"

// extent is how much of a document a signature covers.
type extent int

const (
	nothing extent = iota
	partly         // something a reader may take for content is not signed
	framed         // all but empty elements around what is signed
	whole
)

// survey finds what of a document a signature does not cover. Left out are what
// no signature covers: other signatures, comments, white space. Everything else
// counts as content, wherever it stands: what was signed may have been moved
// to a place where nobody looks, and something else put where it was.
type survey struct {
	s       *signature
	framed  bool
	covered bool     // some content is covered
	missing []string // names of what is not covered, three at most
	gaps    int      // of content
}

// extent returns how much of the document is covered, and names what is not.
func (s *signature) extent(t *tree) (extent, string) {
	v := &survey{s: s}
	for c := t.doc.first; c != nil; c = c.next {
		v.node(c)
	}
	names := strings.Join(v.missing, ", ")
	switch {
	case !v.covered:
		return nothing, names
	case v.gaps > 0:
		return partly, names
	case v.framed:
		return framed, names
	}
	return whole, ""
}

func (v *survey) miss(name string) {
	if v.gaps++; v.gaps == 1 {
		v.missing = nil // frames are of no interest then
	}
	if len(v.missing) < 3 {
		v.missing = append(v.missing, printable(name))
	}
}

// printable keeps what names of elements and parts usually consist of: a
// result must not carry text chosen by a stranger.
func printable(name string) string {
	clean := strings.Map(func(c rune) rune {
		if c < 0x80 && (nameChar(c, false) || c == '/' || c == '[' || c == ']') {
			return c
		}
		return '?'
	}, name)
	return clean[:min(len(clean), 64)]
}

// found is what a subtree holds.
type found struct{ covered, signature bool }

// node surveys a subtree.
func (v *survey) node(n *node) found {
	switch n.kind {
	case comment:
		return found{}
	case text, instruction:
		return v.leaf(n)
	}
	if n.is(nsDS, "Signature") {
		v.signature(n)
		return found{signature: true}
	}
	f := found{covered: v.s.covered.has(n)}
	v.covered = v.covered || f.covered
	own := f.covered
	for c := n.first; c != nil; c = c.next {
		in := v.node(c)
		f.covered, f.signature = f.covered || in.covered, f.signature || in.signature
	}
	if !own {
		v.bare(n, f)
	}
	return f
}

func (v *survey) leaf(n *node) found {
	covered := v.s.covered.has(n)
	v.covered = v.covered || covered
	switch {
	case covered:
	case n.kind == instruction:
		v.miss("processing instruction")
	case !blank(n.value):
		v.miss(n.parent.local)
	}
	return found{covered: covered}
}

// bare judges an element that is not covered itself. It is a frame if it says
// nothing but its name: the document element around what is signed, or one that
// holds only signatures. Anything else might be put around signed elements to
// change what they mean.
func (v *survey) bare(n *node, in found) {
	root := n.parent.kind == document && in.covered
	if len(n.attrs) > 0 || (!root && (in.covered || !in.signature)) {
		v.miss(n.local)
		return
	}
	v.frame(n.local)
}

// frame notes what is not covered and is no content.
func (v *survey) frame(name string) {
	v.framed = true
	if v.gaps == 0 && len(v.missing) < 3 {
		v.missing = append(v.missing, printable(name))
	}
}

// signature surveys a ds:Signature. Its ds:Objects may carry content; what
// XAdES puts there is not.
func (v *survey) signature(n *node) {
	for o := n.first; o != nil; o = o.next {
		switch {
		case o.is(nsDS, "SignedInfo"), o.is(nsDS, "SignatureValue"), o.is(nsDS, "KeyInfo"):
		case o.is(nsDS, "Object"):
			for c := o.first; c != nil; c = c.next {
				if !c.is(nsXAdES, "QualifyingProperties") {
					v.node(c)
				}
			}
		default:
			v.node(o)
		}
	}
}
