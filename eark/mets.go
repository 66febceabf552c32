package eark

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// A mets is one METS file of the package. Methods of a nil one find nothing.
type mets struct {
	*node
	path string // in the package
	dir  string // of the file, with its slash; hrefs are relative to it

	groups   []*node          // of the file section, nested ones too
	groupIDs map[string]*node // by ID
}

func newMETS(n *node, at string) *mets {
	m := &mets{node: n, path: at, dir: dirOf(at), groupIDs: make(map[string]*node)}
	for _, s := range n.children("fileSec") {
		m.groups = append(m.groups, s.find("fileGrp")...)
	}
	for _, g := range m.groups {
		if id := g.attr("ID"); id != "" {
			m.groupIDs[id] = g
		}
	}
	return m
}

func (m *mets) attr(name string) string {
	if m == nil {
		return ""
	}
	return m.node.attr(name)
}

func (m *mets) header() *node {
	if m == nil {
		return nil
	}
	return m.child("metsHdr")
}

func (m *mets) find(name string) []*node {
	if m == nil {
		return nil
	}
	return m.node.find(name)
}

// allMETS returns METS.xml of the package and of its representations.
func (p *Package) allMETS() []*mets {
	if p.root == nil {
		return p.reps
	}
	return append([]*mets{p.root}, p.reps...)
}

// resolve turns a reference into the path of a file of the package: relative to
// the METS file, as the specification says, or else to the package. References
// that lead elsewhere resolve to nothing.
func (p *Package) resolve(m *mets, href string) (string, bool) {
	if m == nil || href == "" {
		return "", false
	}
	ref, err := url.PathUnescape(href)
	if err != nil {
		return "", false
	}
	ref = strings.TrimPrefix(ref, "file:")
	ref = strings.TrimLeft(ref, "/")
	for _, base := range []string{m.dir, ""} {
		at := path.Clean(base + ref)
		if _, ok := p.files.stat(at); ok {
			return at, true
		}
	}
	return "", false
}

// A stated is what METS says of a file.
type stated struct {
	size      int64 // -1 where it is not stated
	sums      map[string]string
	mediaType string
}

// sizeOf reads a SIZE attribute; -1 where it is no size.
func sizeOf(n *node) int64 {
	size, err := strconv.ParseInt(strings.TrimSpace(n.attr("SIZE")), 10, 64)
	if err != nil || size < 0 {
		return -1
	}
	return size
}

// state gathers what all METS files say of the files of the package. Where two
// say different things of one, the check tells; the representation's word, which
// comes last, is what a reader is held to, besides the package's.
func (p *Package) state() {
	p.stated = make(map[string]*stated)
	for _, m := range p.allMETS() {
		for n, href := range references(m) {
			at, ok := p.resolve(m, href)
			if !ok {
				continue
			}
			s := p.stated[at]
			if s == nil {
				s = &stated{size: -1, sums: make(map[string]string)}
				p.stated[at] = s
			}
			if size := sizeOf(n); size >= 0 {
				s.size = size
			}
			if kind, sum := n.attr("CHECKSUMTYPE"), n.attr("CHECKSUM"); newHash(kind) != nil && sum != "" {
				s.sums[kind] = strings.ToLower(strings.TrimSpace(sum))
			}
			if t := n.attr("MIMETYPE"); t != "" {
				s.mediaType = t
			}
		}
	}
}

// references yields every element that states size and digest of a file, with
// the reference to it.
func references(m *mets) func(yield func(*node, string) bool) {
	return func(yield func(*node, string) bool) {
		for _, n := range m.find("mdRef") {
			if !yield(n, n.attr("xlink:href")) {
				return
			}
		}
		for _, n := range m.find("file") {
			if l := n.child("FLocat"); l != nil && !yield(n, l.attr("xlink:href")) {
				return
			}
		}
	}
}

// listDocuments finds the files of the representations' data, in the order of
// METS, those that METS does not know last.
func (p *Package) listDocuments() {
	seen := make(map[string]bool)
	add := func(at string) {
		if seen[at] || dataPart(at) == "" {
			return
		}
		seen[at] = true
		f, _ := p.files.stat(at)
		d := Document{Path: at, Size: f.size}
		if s := p.stated[at]; s != nil {
			d.SHA256, d.MediaType = s.sums["SHA-256"], s.mediaType
		}
		p.documents = append(p.documents, d)
	}
	for _, m := range append(append([]*mets(nil), p.reps...), p.root) {
		for _, n := range m.find("FLocat") {
			if at, ok := p.resolve(m, n.attr("xlink:href")); ok {
				add(at)
			}
		}
	}
	for _, f := range p.files.list() {
		add(f.path)
	}
	p.nameDocuments()
	p.orderDocuments()
	p.byName = make(map[string]int, len(p.documents))
	for i, d := range p.documents {
		p.byName[d.Name] = i
	}
}

// nameDocuments gives every document its short name, or, where two would share
// one, the path below data/.
func (p *Package) nameDocuments() {
	count := make(map[string]int)
	for _, d := range p.documents {
		count[path.Base(d.Path)]++
	}
	for i := range p.documents {
		d := &p.documents[i]
		if d.Name = path.Base(d.Path); count[d.Name] > 1 {
			d.Name = strings.TrimPrefix(d.Path, repFolder)
		}
	}
}

// dataPart returns the path below representations/<name>/data/, or "".
func dataPart(at string) string {
	rest, ok := strings.CutPrefix(at, repFolder)
	if !ok {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "/")
	rest, ok = strings.CutPrefix(rest, "data/")
	if !ok {
		return ""
	}
	return rest
}
