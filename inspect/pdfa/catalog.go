package pdfa

import (
	"slices"
	"strings"

	"github.com/luutru/luutru/internal/pdf"
)

// catalog checks what the catalog holds besides the pages.
func (c *Check) catalog() {
	root := c.dict(c.f.Trailer["Root"])
	c.outputIntents(root)
	if root["OCProperties"] != nil {
		c.bad("6.1.13-1", "", "optional content (layers)")
		c.optionalContent(c.dict(root["OCProperties"]))
	}
	names := c.dict(root["Names"])
	if names["EmbeddedFiles"] != nil {
		c.bad("6.1.11-2", "", "embedded files")
	}
	if names["AlternatePresentations"] != nil {
		c.bad("", "6.10-1", "alternate presentations")
	}
	if root["AA"] != nil {
		c.bad("6.6.2-3", "6.5.2-1", "additional actions of the document")
	}
	if root["Requirements"] != nil {
		c.bad("", "6.11-1", "requirements to the reader")
	}
	if c.truth(root["NeedsRendering"]) {
		c.bad("", "6.4.2-2", "NeedsRendering")
	}
	if a := c.dict(root["OpenAction"]); a["S"] != nil {
		c.action(a)
	}
	c.permissions(c.dict(root["Perms"]))
	c.form(c.dict(root["AcroForm"]))
	if c.claim.Conformance == "A" {
		c.tagged(root)
	}
}

func (c *Check) tagged(root pdf.Dict) {
	if !c.truth(c.dict(root["MarkInfo"])["Marked"]) {
		c.bad("6.8.2.2-1", "6.7.2.2-1", "the file is not marked as tagged")
	}
	if c.dict(root["StructTreeRoot"]) == nil {
		c.bad("6.8.3.3-1", "6.7.3.3-1", "no structure of the text (StructTreeRoot)")
	}
}

// isLanguage tells whether a text is a language tag; part 1 goes by an older rule that has no digits.
func isLanguage(s string, part int) bool {
	if s == "" {
		return true
	}
	first := true
	for sub := range strings.SplitSeq(s, "-") {
		if len(sub) < 1 || len(sub) > 8 {
			return false
		}
		for _, r := range sub {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
			if !letter && (first || part == 1 || r < '0' || r > '9') {
				return false
			}
		}
		first = false
	}
	return true
}

// outputIntents looks for the profile that says what device colours mean.
func (c *Check) outputIntents(root pdf.Dict) {
	var profile any
	for _, o := range c.array(root["OutputIntents"]) {
		d := c.dict(o)
		if d["DestOutputProfileRef"] != nil && c.name(d["S"]) == "GTS_PDFX" {
			c.bad("", "6.2.3-3", "the output intent names a profile outside the file")
		}
		p := d["DestOutputProfile"]
		if p == nil {
			continue
		}
		if profile != nil && profile != p {
			c.bad("6.2.2-2", "6.2.3-2", "several output intents with different profiles")
		}
		profile = p
		icc := c.profile(p)
		if c.name(d["S"]) == "GTS_PDFA1" && c.output == "" {
			c.output = icc.space
		}
		limit := byte(3)
		if c.claim.Part > 1 {
			limit = 5
		}
		if !slices.Contains([]string{"prtr", "mntr"}, icc.class) || !slices.Contains([]string{"RGB ", "CMYK", "GRAY"}, icc.space) || icc.version >= limit {
			c.bad("6.2.2-1", "6.2.3-1", "the output intent's profile is none, or of a later version of ICC")
		}
	}
}

func (c *Check) optionalContent(oc pdf.Dict) {
	configs := append(pdf.Array{oc["D"]}, c.array(oc["Configs"])...)
	seen := map[string]bool{}
	for i, o := range configs {
		d := c.dict(o)
		if d == nil {
			continue
		}
		s, _ := c.f.Get(d["Name"]).(pdf.String)
		if s == "" {
			c.bad("", "6.9-1", "a configuration of layers without a name")
		}
		if seen[string(s)] && s != "" {
			c.bad("", "6.9-2", "two configurations of layers of the same name")
		}
		seen[string(s)] = true
		if d["AS"] != nil {
			c.bad("", "6.9-4", "a configuration of layers with AS")
		}
		if order := c.array(d["Order"]); order != nil || i == 0 && d["Order"] != nil {
			listed := map[pdf.Ref]bool{}
			c.ordered(order, listed, 0)
			for _, g := range c.array(oc["OCGs"]) {
				if r, ok := g.(pdf.Ref); ok && !listed[r] {
					c.bad("", "6.9-3", "a layer that Order does not list")
				}
			}
		}
	}
}

func (c *Check) ordered(a pdf.Array, into map[pdf.Ref]bool, depth int) {
	for _, o := range a {
		if r, ok := o.(pdf.Ref); ok {
			into[r] = true
		}
		if depth < maxDepth {
			c.ordered(c.array(o), into, depth+1)
		}
	}
}

func (c *Check) permissions(perms pdf.Dict) {
	for k := range perms {
		if k != "UR3" && k != "DocMDP" {
			c.bad("", "6.1.12-1", "a permission other than UR3 and DocMDP")
		}
	}
	sig := c.dict(perms["DocMDP"])
	for _, o := range c.array(sig["Reference"]) {
		for _, k := range []pdf.Name{"DigestLocation", "DigestMethod", "DigestValue"} {
			if c.dict(o)[k] != nil {
				c.bad("", "6.1.12-2", "a signature reference with a digest")
			}
		}
	}
}

// form checks interactive fields.
func (c *Check) form(form pdf.Dict) {
	if form == nil {
		return
	}
	if c.truth(form["NeedAppearances"]) {
		c.bad("6.9-1", "6.4.1-3", "NeedAppearances")
	}
	if form["XFA"] != nil {
		c.bad("", "6.4.2-1", "an XFA form")
	}
	seen := map[pdf.Ref]bool{}
	c.fields(c.array(form["Fields"]), seen, 0)
}

func (c *Check) fields(fields pdf.Array, seen map[pdf.Ref]bool, depth int) {
	for _, o := range fields {
		r, ok := o.(pdf.Ref)
		if !ok || seen[r] || depth > maxDepth {
			continue
		}
		seen[r] = true
		d := c.dict(r)
		if d["AA"] != nil && (d["FT"] != nil || d["Subtype"] == nil) {
			c.bad("6.6.2-2", "6.4.1-2", "additional actions of a form field")
			for _, a := range c.dict(d["AA"]) {
				c.action(c.dict(a))
			}
		}
		c.fields(c.array(d["Kids"]), seen, depth+1)
	}
}

// pages goes through the tree of pages.
func (c *Check) pages() {
	root := c.dict(c.f.Trailer["Root"])
	c.tree(root["Pages"], pdf.Dict{}, map[pdf.Ref]bool{}, 0)
}

const maxPages = 20_000

func (c *Check) tree(node any, above pdf.Dict, seen map[pdf.Ref]bool, depth int) {
	if r, ok := node.(pdf.Ref); ok {
		if seen[r] {
			return
		}
		seen[r] = true
	}
	d := c.dict(node)
	if d == nil || depth > maxDepth || c.layers.Pages >= maxPages || c.err != nil {
		return
	}
	inherited := pdf.Dict{}
	for _, k := range []pdf.Name{"Resources", "MediaBox", "CropBox"} {
		if inherited[k] = d[k]; d[k] == nil {
			inherited[k] = above[k]
		}
	}
	if d["Kids"] == nil {
		c.page(d, inherited)
		return
	}
	for _, k := range c.array(d["Kids"]) {
		c.tree(k, inherited, seen, depth+1)
	}
}

func (c *Check) page(d, inherited pdf.Dict) {
	c.layers.Pages++
	for _, o := range []any{inherited["MediaBox"], inherited["CropBox"], d["BleedBox"], d["TrimBox"], d["ArtBox"]} {
		c.box(c.array(o))
	}
	if d["AA"] != nil {
		c.bad("", "6.5.2-2", "additional actions of a page")
		for _, a := range c.dict(d["AA"]) {
			c.action(c.dict(a))
		}
	}
	if d["PresSteps"] != nil {
		c.bad("", "6.10-2", "presentation steps")
	}
	group := c.dict(d["Group"])
	c.group(group)
	var content []byte
	for _, o := range pdf.List(c.f.Get(d["Contents"])) {
		content = append(append(content, c.data(c.stream(o))...), '\n')
	}
	own := c.dict(d["Resources"])
	p := &painter{c: c, resources: own, explicit: own != nil}
	if own == nil {
		p.resources = c.dict(inherited["Resources"])
	}
	c.resources = p.resources
	p.run(content, 0)
	for _, a := range c.array(d["Annots"]) {
		c.annotation(c.dict(a), p)
	}
	if p.transparent && c.output == "" && group["CS"] == nil {
		c.bad("", "6.2.10-2", "a page with transparency without a blending colour space")
	}
	if group["CS"] != nil {
		c.space(group["CS"], p.resources, 0)
	}
	if p.images {
		c.layers.Images++
	}
	if p.texts {
		c.layers.Text++
	}
}

func (c *Check) box(b pdf.Array) {
	if len(b) != 4 {
		return
	}
	var n [4]float64
	for i, o := range b {
		n[i], _ = c.number(o)
	}
	for _, side := range []float64{n[2] - n[0], n[3] - n[1]} {
		if side = max(side, -side); side < 3 || side > 14400 {
			c.bad("", "6.1.13-11", "a page smaller than 3 or larger than 14,400 units")
		}
	}
}

func (c *Check) group(g pdf.Dict) {
	if c.name(g["S"]) == "Transparency" {
		c.bad("6.4-3", "", "a transparency group")
	}
}

// data unpacks a stream. What cannot be unpacked keeps the file from being checked whole.
func (c *Check) data(s *pdf.Stream) []byte {
	if s == nil {
		return nil
	}
	b, err := c.f.Data(s)
	if err != nil && c.err == nil {
		c.err = err
	}
	return b
}
