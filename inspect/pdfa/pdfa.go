// Package pdfa checks files that claim to be PDF/A (ISO 19005-1, -2 and -3) against what the standard asks for. Its rules are numbered as
// the clauses of the standard, with the numbers that the veraPDF validator gives to the tests of a clause, so that both reports can be
// laid side by side; where both look, this package finds what veraPDF finds.
//
// It does not look into font programs (that every glyph used is there and as wide as said, .notdef, CIDSet and CharSet complete), JPEG 2000
// data, halftones, the types of XMP properties beyond Dublin Core's, the inside of extension schemas, and the structure of tagged text
// (level A) beyond its being there. PDF/A-4 is recognised and not checked. A file in which nothing is found is therefore not proved to be
// valid, only not found wanting.
package pdfa

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/luutru/luutru/internal/pdf"
)

// ErrUnchecked says that a file is of a part of the standard that this package does not know.
var ErrUnchecked = errors.New("pdfa: part of the standard not checked")

// A Claim is what a file says of itself.
type Claim struct {
	Part        int    // 1 to 4; 0: no claim
	Conformance string // "A", "B", "U"; for part 4 "", "E", "F"
}

func (c Claim) String() string {
	return fmt.Sprintf("PDF/A-%d%s", c.Part, strings.ToLower(c.Conformance))
}

// A Violation is a rule that a file breaks.
type Violation struct {
	Clause string // "6.1.3-1": clause of the part, and veraPDF's number of the test
	Text   string // what is wrong
}

// Layers tells what the pages of a file are made of, as far as they were looked at.
type Layers struct {
	Pages  int
	Images int // pages that show an image
	Text   int // pages that show text, visible or not
}

const maxViolations = 50

// A Check looks at one file. It is not for several goroutines.
type Check struct {
	f     *pdf.File
	r     io.ReaderAt
	size  int64
	claim Claim
	raw   []byte // the XMP packet
	xmp   *packet

	found  []Violation
	seen   map[string]bool
	err    error
	layers Layers

	output     string           // colour space of the output intent's profile, "RGB "; "" without
	resources  pdf.Dict         // of the page that is looked at
	walked     map[pdf.Ref]seen // forms, once each
	fonts      map[fontUse]bool
	spaces     map[pdf.Ref]bool
	objects    int
	attached   []pdf.Ref        // file specifications with a file in them
	associated map[pdf.Ref]bool // those that some object says belong to it
	tints      map[pdf.Name]tint
	lucid      map[pdf.Ref]bool // Type 3 fonts that use transparency
	profiles   map[pdf.Ref]icc
}

// New prepares the check of an open file against what it claims; xmp is its metadata, as Metadata gives it.
func New(f *pdf.File, r io.ReaderAt, size int64, claim Claim, xmp []byte) *Check {
	return &Check{f: f, r: r, size: size, claim: claim, raw: xmp, seen: map[string]bool{}, walked: map[pdf.Ref]seen{}, fonts: map[fontUse]bool{},
		spaces: map[pdf.Ref]bool{}, profiles: map[pdf.Ref]icc{},
		associated: map[pdf.Ref]bool{}, tints: map[pdf.Name]tint{}, lucid: map[pdf.Ref]bool{}}
}

// Metadata gives the XMP packet of a file's catalog, or nil.
func Metadata(f *pdf.File) []byte {
	root, _ := f.Get(f.Trailer["Root"]).(pdf.Dict)
	s, ok := f.Get(root["Metadata"]).(*pdf.Stream)
	if !ok {
		return nil
	}
	data, err := f.Data(s)
	if err != nil || len(data) > maxPacket {
		return nil
	}
	return data
}

// Claimed reads what an XMP packet claims.
func Claimed(xmp []byte) Claim {
	if len(xmp) == 0 || !strings.Contains(string(xmp), nsID) {
		return Claim{}
	}
	p, _ := parse(xmp)
	var c Claim
	if part := p.get(nsID, "part"); part != nil && len(part.text()) == 1 {
		if n := part.text()[0]; n >= '1' && n <= '9' {
			c.Part = int(n - '0')
		}
	}
	if v := p.get(nsID, "conformance"); v != nil && len(v.text()) <= 1 {
		c.Conformance = strings.ToUpper(v.text())
	}
	return c
}

// bad notes a violation, by the number of its rule in part 1 and in parts 2 and 3; "" where a part has no such rule.
func (c *Check) bad(one, two, text string) {
	clause := two
	if c.claim.Part == 1 {
		clause = one
	}
	if clause == "" || c.seen[clause] || len(c.found) >= maxViolations {
		return
	}
	c.seen[clause] = true
	c.found = append(c.found, Violation{clause, text})
}

// bad3 notes a violation of a rule that part 3 has besides those of part 2.
func (c *Check) bad3(clause, text string) {
	if c.claim.Part == 3 {
		c.bad("", clause, text)
	}
}

// Finish looks at what is not seen object by object, and returns all violations, each rule once, in the order of the standard. An error
// says that not all of the file could be looked at.
func (c *Check) Finish() ([]Violation, Layers, error) {
	if c.claim.Part < 1 || c.claim.Part > 3 {
		return nil, c.layers, ErrUnchecked
	}
	c.file()
	c.metadata()
	c.catalog()
	c.pages()
	for _, r := range c.attached {
		if !c.associated[r] {
			c.bad3("6.8-4", "an embedded file that no object is associated with")
		}
	}
	if c.objects > 8388607 {
		c.bad("6.1.12-7", "6.1.13-7", "more than 8,388,607 objects")
	}
	slices.SortFunc(c.found, func(a, b Violation) int { return strings.Compare(order(a.Clause), order(b.Clause)) })
	return c.found, c.layers, c.err
}

// order makes "6.10.2-1" come after "6.9-1".
func order(clause string) string {
	var b strings.Builder
	for s := range strings.FieldsFuncSeq(clause, func(r rune) bool { return r == '.' || r == '-' }) {
		fmt.Fprintf(&b, "%4s.", s)
	}
	return b.String()
}

func (c *Check) dict(o any) pdf.Dict {
	switch v := c.f.Get(o).(type) {
	case pdf.Dict:
		return v
	case *pdf.Stream:
		return v.Dict
	}
	return nil
}

func (c *Check) array(o any) pdf.Array { a, _ := c.f.Get(o).(pdf.Array); return a }

func (c *Check) name(o any) pdf.Name { n, _ := c.f.Get(o).(pdf.Name); return n }

func (c *Check) stream(o any) *pdf.Stream { s, _ := c.f.Get(o).(*pdf.Stream); return s }

func (c *Check) truth(o any) bool { b, _ := c.f.Get(o).(bool); return b }

func (c *Check) number(o any) (float64, bool) {
	switch n := c.f.Get(o).(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
