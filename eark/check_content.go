package eark

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"hash"
	"io"
	"strings"
)

// A claim is what one reference in METS says of a file, and the rules that this
// is held to.
type claim struct {
	at       place
	size     int64
	kind     string
	sum      string
	sizeRule string
	sumRule  string
}

// claims gathers what all METS files say of each file.
func (c *checker) claims() map[string][]claim {
	all := make(map[string][]claim)
	add := func(m *mets, n *node, href, el string, i int, rules referenceRules) {
		if at, ok := c.p.resolve(m, href); ok {
			all[at] = append(all[at], claim{place{m, el, i}, sizeOf(n), n.attr("CHECKSUMTYPE"),
				strings.ToLower(strings.TrimSpace(n.attr("CHECKSUM"))), rules[5], rules[7]})
		}
	}
	for _, m := range c.p.allMETS() {
		for i, n := range m.find("file") {
			if l := n.child("FLocat"); l != nil {
				add(m, n, l.attr("xlink:href"), "mets/fileSec/fileGrp/file", i+1, fileRules())
			}
		}
		for j, el := range []string{"dmdSec", "digiprovMD", "rightsMD"} {
			rules := []referenceRules{dmdRules(), digiprovRules(), rightsRules()}[j]
			for i, s := range m.find(el) {
				for _, n := range s.children("mdRef") {
					add(m, n, n.attr("xlink:href"), el+"/mdRef", i+1, rules)
				}
			}
		}
	}
	return all
}

// fixity reads every file that METS states a digest of, once, and holds it to
// all that is said of it. It asks besides that every file is listed.
func (c *checker) fixity(ctx context.Context, content bool) error {
	claims := c.claims()
	for _, f := range c.p.files.list() {
		if c.p.root != nil && !unlistedByNature(f.path) {
			c.ask("TT05-LISTED", file("/"+f.path), len(claims[f.path]) > 0 || c.isMETS(f.path))
		}
		list := claims[f.path]
		for _, l := range list {
			if l.size >= 0 {
				c.ask(l.sizeRule, l.at, l.size == f.size)
			}
		}
		if len(list) == 0 || !content && dataPart(f.path) != "" {
			continue
		}
		if err := c.digest(ctx, f, list); err != nil {
			return err
		}
	}
	return nil
}

// unlistedByNature holds for what METS cannot list: itself, and its signature.
func unlistedByNature(at string) bool {
	return at == metsName || strings.HasPrefix(at, metsName+".")
}

func (c *checker) isMETS(at string) bool {
	for _, m := range c.p.reps {
		if m.path == at {
			return true
		}
	}
	return false
}

// digest reads one file and compares. What cannot be read has not the digest
// either; only errors of ctx and of the reader beneath end the check.
func (c *checker) digest(ctx context.Context, f stored, list []claim) error {
	hashes := make(map[string]hash.Hash)
	var all []io.Writer
	for _, l := range list {
		if h := newHash(l.kind); h != nil && l.sum != "" && hashes[l.kind] == nil {
			hashes[l.kind] = h
			all = append(all, h)
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	rc, err := c.p.files.open(f.path)
	if err == nil {
		_, err = io.Copy(io.MultiWriter(all...), &cancelled{ctx, rc})
		rc.Close()
	}
	if err != nil && !errors.Is(err, ErrPackage) {
		return err
	}
	for _, l := range list {
		if h := hashes[l.kind]; h != nil && l.sum != "" {
			c.ask(l.sumRule, l.at, err == nil && sameSum(h, l.sum))
		}
	}
	return nil
}

// A cancelled reader ends with its context.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r *cancelled) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// circular asks what Circular 05/2025/TT-BNV asks beyond CSIP.
func (c *checker) circular() {
	root := place{c.p.root, "mets", 0}
	id := c.p.ID()
	uuid, ok := strings.CutPrefix(id, "uuid-")
	if !ok {
		if i := strings.LastIndex(id, ":uuid:"); i > len("urn:") && strings.HasPrefix(id, "urn:") {
			uuid, ok = id[i+len(":uuid:"):], true
		}
	}
	c.ask("TT05-OBJID", root, ok && isUUID(uuid))
	for _, m := range c.p.allMETS() {
		for n, href := range references(m) {
			if at, ok := c.p.resolve(m, href); ok {
				c.ask("TT05-SHA256", file("/"+at), n.attr("CHECKSUMTYPE") == "SHA-256")
			}
		}
	}
	c.premis()
	c.ead()
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(strings.ToLower(s)) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// premis asks for PREMIS 3 in an AIP, and that PREMIS anywhere can be read.
func (c *checker) premis() {
	found := false
	for _, f := range c.p.files.list() {
		if !strings.Contains("/"+f.path, "/metadata/preservation/") || !strings.HasSuffix(strings.ToLower(f.path), ".xml") {
			continue
		}
		ok := c.isPREMIS(f)
		found = found || ok && strings.HasPrefix(f.path, "metadata/")
		c.ask("TT05-PREMIS", file("/"+f.path), ok)
	}
	if c.p.Kind() == "AIP" && !found {
		c.ask("TT05-PREMIS", file("/metadata/preservation/PREMIS.xml"), false)
	}
}

// isPREMIS reads until the first element, which must be that of PREMIS 3.
func (c *checker) isPREMIS(f stored) bool {
	rc, err := c.p.files.open(f.path)
	if err != nil {
		return false
	}
	defer rc.Close()
	dec := xml.NewDecoder(&guard{r: io.LimitReader(rc, maxTag)})
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		switch t := token.(type) {
		case xml.Directive:
			return false
		case xml.StartElement:
			return t.Name.Local == "premis" && t.Name.Space == "http://www.loc.gov/premis/v3"
		}
	}
}

// readXML reads a small XML file of the package; nil where it cannot be read.
func (p *Package) readXML(at string, most int64) *node {
	b, err := p.readFile(at, most)
	if err != nil {
		return nil
	}
	n, err := parseXML(bytes.NewReader(b), false, &allowance{nodes: 1000})
	if err != nil {
		return nil
	}
	return n
}
