package eark

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

const (
	metsNS  = "http://www.loc.gov/METS/"
	xlinkNS = "http://www.w3.org/1999/xlink"
	csipNS  = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
	sipNS   = "https://DILCIS.eu/XML/METS/SIPExtensionMETS"

	maxNodes = 400000  // over all METS files of a package
	maxAttrs = 2000000 // likewise
	maxDepth = 64
	maxTag   = 256 << 10
	maxText  = 64 << 10
)

var errXML = errors.New("XML cannot be read")

// A node is an element with the attributes that a requirement asks for. METS
// and the metadata of the circular are read into nodes; wrapped foreign metadata
// is passed over.
type node struct {
	name  string // local name; "other" where it is not of METS in a METS file
	attrs []attr
	kids  []*node
	text  string
}

type attr struct{ name, value string }

// attr returns the value of an attribute; a nil node has none.
func (n *node) attr(name string) string {
	v, _ := n.lookup(name)
	return v
}

func (n *node) lookup(name string) (string, bool) {
	if n != nil {
		for _, a := range n.attrs {
			if a.name == name {
				return a.value, true
			}
		}
	}
	return "", false
}

func (n *node) has(name string) bool {
	_, ok := n.lookup(name)
	return ok
}

// children returns the child elements of that name.
func (n *node) children(name string) (list []*node) {
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				list = append(list, k)
			}
		}
	}
	return list
}

// child returns the first child of that name, or nil.
func (n *node) child(name string) *node {
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				return k
			}
		}
	}
	return nil
}

// all yields the node and everything below it. Depth is bounded by the parser.
func (n *node) all() iter.Seq[*node] {
	return func(yield func(*node) bool) { n.walk(yield) }
}

func (n *node) walk(yield func(*node) bool) bool {
	if n == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	for _, k := range n.kids {
		if !k.walk(yield) {
			return false
		}
	}
	return true
}

// find returns all elements of that name at any depth.
func (n *node) find(name string) (list []*node) {
	for k := range n.all() {
		if k.name == name {
			list = append(list, k)
		}
	}
	return list
}

// A guard refuses a tag that is not closed within maxTag octets: the decoder
// holds a whole tag with all its attributes. No well-formed tag holds a '<'
// after its first octet, and white space is not counted, so that padding passes.
type guard struct {
	r    io.Reader
	seen int
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	for _, c := range p[:n] {
		switch {
		case c == '<':
			g.seen = 0
		case c > ' ':
			if g.seen++; g.seen > maxTag {
				return 0, errXML
			}
		}
	}
	return n, err
}

// metsAttributes are the attributes that any requirement asks for.
func metsAttribute(a xml.Name) (string, bool) {
	prefix := ""
	switch a.Space {
	case "":
	case xlinkNS:
		prefix = "xlink:"
	case csipNS:
		prefix = "csip:"
	case sipNS:
		prefix = "sip:"
	default:
		return "", false
	}
	switch name := prefix + a.Local; name {
	case "OBJID", "TYPE", "LABEL", "PROFILE", "CREATEDATE", "LASTMODDATE", "RECORDSTATUS", "ROLE", "OTHERTYPE",
		"ID", "CREATED", "STATUS", "LOCTYPE", "MDTYPE", "OTHERMDTYPE", "MIMETYPE", "SIZE", "CHECKSUM", "CHECKSUMTYPE",
		"ADMID", "DMDID", "FILEID", "USE", "OWNERID",
		"xlink:href", "xlink:type", "xlink:title",
		"csip:OTHERTYPE", "csip:CONTENTINFORMATIONTYPE", "csip:OTHERCONTENTINFORMATIONTYPE", "csip:OAISPACKAGETYPE", "csip:NOTETYPE",
		"sip:FILEFORMATNAME", "sip:FILEFORMATVERSION", "sip:FILEFORMATREGISTRY", "sip:FILEFORMATKEY":
		return name, true
	}
	return "", false
}

// An allowance is how much memory documents may still take together.
type allowance struct{ nodes, attrs int }

// parseXML reads a document of limited size into nodes. With asMETS elements
// must be of METS, and what is wrapped in xmlData or binData is passed over;
// without it, names are taken whatever their namespace, and attributes are not.
// Errors of r are returned as they are, everything else wraps errXML.
func parseXML(r io.Reader, asMETS bool, a *allowance) (*node, error) {
	src := &remembering{r: &guard{r: r}}
	p := xmlParser{dec: xml.NewDecoder(src), asMETS: asMETS, left: a}
	root, err := p.parse()
	if src.err != nil && src.err != io.EOF && !errors.Is(src.err, errXML) {
		return nil, src.err
	}
	return root, err
}

// remembering keeps the error of its reader, which the decoder wraps.
type remembering struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (m *remembering) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.err = err
	return n, err
}

type xmlParser struct {
	dec    *xml.Decoder
	asMETS bool
	left   *allowance
	stack  []*node
	root   *node
	text   []byte // since the last tag
}

func (p *xmlParser) parse() (*node, error) {
	for {
		token, err := p.dec.Token()
		if err == io.EOF && p.root != nil && len(p.stack) == 0 {
			return p.root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: near octet %d", errXML, p.dec.InputOffset())
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: document type", errXML)
		case xml.StartElement:
			if err := p.start(t); err != nil {
				return nil, err
			}
		case xml.EndElement:
			p.end()
		case xml.CharData:
			if len(p.text) < maxText {
				p.text = append(p.text, t[:min(len(t), maxText)]...)
			}
		}
	}
}

func (p *xmlParser) start(t xml.StartElement) error {
	n := &node{name: t.Name.Local}
	if p.asMETS {
		n.attributes(t)
	}
	p.left.nodes--
	p.left.attrs -= len(n.attrs)
	if min(p.left.nodes, p.left.attrs) < 0 || len(p.stack) >= maxDepth || p.root != nil && len(p.stack) == 0 {
		return fmt.Errorf("%w: too many elements, or too deep", errXML)
	}
	if len(p.stack) == 0 {
		p.root = n
	} else {
		top := p.stack[len(p.stack)-1]
		top.kids = append(top.kids, n)
	}
	p.text = p.text[:0]
	if p.asMETS && (n.name == "xmlData" || n.name == "binData") {
		return p.pass()
	}
	p.stack = append(p.stack, n)
	return nil
}

// attributes takes those that a requirement asks for.
func (n *node) attributes(t xml.StartElement) {
	if t.Name.Space != metsNS {
		n.name = "other"
	}
	known := 0
	for _, a := range t.Attr {
		if _, ok := metsAttribute(a.Name); ok {
			known++
		}
	}
	n.attrs = make([]attr, 0, min(known, 40))
	for _, a := range t.Attr {
		if name, ok := metsAttribute(a.Name); ok && !n.has(name) {
			n.attrs = append(n.attrs, attr{name, a.Value})
		}
	}
}

// pass skips the content of an element that was just opened.
func (p *xmlParser) pass() error {
	for depth := 1; depth > 0; {
		token, err := p.dec.Token()
		if err != nil {
			return fmt.Errorf("%w: near octet %d", errXML, p.dec.InputOffset())
		}
		switch token.(type) {
		case xml.Directive:
			return fmt.Errorf("%w: document type", errXML)
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("%w: too deep", errXML)
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

func (p *xmlParser) end() {
	last := len(p.stack) - 1
	n := p.stack[last]
	if len(n.kids) == 0 {
		n.text = strings.TrimSpace(string(p.text))
	}
	p.text, p.stack = p.text[:0], p.stack[:last]
}
