package pdfa

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"github.com/luutru/luutru/internal/pdf"
)

// metadata checks the XMP packet, and that the information dictionary says the same.
func (c *Check) metadata() {
	root := c.dict(c.f.Trailer["Root"])
	s := c.stream(root["Metadata"])
	if s == nil {
		c.bad("6.7.2-1", "6.6.2.1-1", "no metadata (XMP) in the catalog")
		return
	}
	if s.Dict["Filter"] != nil {
		c.bad("6.7.2-2", "", "the metadata stream is compressed")
	}
	p, err := parse(c.raw)
	c.xmp = p
	if err != nil {
		c.bad("6.7.9-1", "6.6.2.1-4", "the metadata is not well-formed XMP")
	}
	if p.bytes {
		c.bad("6.7.5-1", "6.6.2.1-2", "the XMP wrapper has the attribute bytes")
	}
	if p.encoding {
		c.bad("6.7.5-2", "6.6.2.1-3", "the XMP wrapper has the attribute encoding")
	}
	if p.encoded != "UTF-8" {
		c.bad("", "6.6.2.1-5", "the metadata is not in UTF-8")
	}
	c.identification()
	c.schemas()
	c.information()
}

// identification checks the properties by which a file says that it is PDF/A.
func (c *Check) identification() {
	part, conformance := c.xmp.get(nsID, "part"), c.xmp.get(nsID, "conformance")
	if !slices.ContainsFunc(c.xmp.properties, func(p *property) bool { return p.ns == nsID }) {
		c.bad("6.7.11-1", "6.6.4-1", "no PDF/A identification")
		return
	}
	if part == nil || part.text() != strconv.Itoa(c.claim.Part) {
		c.bad("6.7.11-2", "6.6.4-2", "the part of the standard is none")
	}
	levels := []string{"A", "B"}
	if c.claim.Part > 1 {
		levels = append(levels, "U")
	}
	if conformance == nil || !slices.Contains(levels, conformance.text()) {
		c.bad("6.7.11-3", "6.6.4-3", "the level of conformance is none of this part")
	}
	for _, x := range []struct{ local, one, two string }{
		{"part", "6.7.11-4", "6.6.4-4"}, {"conformance", "6.7.11-5", "6.6.4-5"}, {"amd", "6.7.11-6", "6.6.4-6"}, {"corr", "", "6.6.4-7"},
	} {
		if p := c.xmp.get(nsID, x.local); p != nil && p.prefix != "pdfaid" {
			c.bad(x.one, x.two, "PDF/A identification with a prefix other than pdfaid")
		}
	}
}

// schemas checks that every property is of a predefined schema or described in the packet, and of the type that its schema asks for.
func (c *Check) schemas() {
	described := map[string]bool{}
	if ext := c.xmp.get(nsExt, "schemas"); ext != nil {
		for _, schema := range ext.items {
			describe(schema, described)
		}
	}
	for _, p := range c.xmp.properties {
		kind, known := predefined(p, c.claim.Part)
		if !known && !described[p.ns+p.local] {
			c.bad("6.7.9-2", "6.6.2.3.1-1", "a property in the metadata that no schema describes")
		}
		if !known && !described[p.ns+p.local] || !isKind(p, kind) {
			c.bad("6.7.9-3", "6.6.2.3.1-2", "a property in the metadata that is not of its prescribed type")
		}
	}
}

// describe collects the properties of one extension schema.
func describe(schema *property, into map[string]bool) {
	ns := ""
	for _, field := range schema.items {
		if field.ns == nsSch && field.local == "namespaceURI" {
			ns = field.text()
		}
	}
	for _, field := range schema.items {
		if field.ns != nsSch || field.local != "property" {
			continue
		}
		for _, p := range field.items {
			for _, f := range p.items {
				if f.ns == nsProp && f.local == "name" {
					into[ns+f.text()] = true
				}
			}
		}
	}
}

// information compares the information dictionary with the XMP (part 1 only).
func (c *Check) information() {
	if c.claim.Part != 1 {
		return
	}
	info := c.dict(c.f.Trailer["Info"])
	for _, x := range []struct {
		key       pdf.Name
		ns, local string
		rule      string
	}{
		{"Title", nsDC, "title", "6.7.3-2"}, {"Author", nsDC, "creator", "6.7.3-3"}, {"Subject", nsDC, "description", "6.7.3-4"},
		{"Keywords", nsPDF, "Keywords", "6.7.3-5"}, {"Creator", nsXMP, "CreatorTool", "6.7.3-6"}, {"Producer", nsPDF, "Producer", "6.7.3-7"},
	} {
		v := c.f.Get(info[x.key])
		if v == nil {
			continue
		}
		s, ok := v.(pdf.String)
		p := c.xmp.get(x.ns, x.local)
		if p == nil || !ok || p.exact() != textOf(s) || x.key == "Author" && (p.list != "Seq" || len(p.items) != 1) {
			c.bad(x.rule, "", string(x.key)+" in the information dictionary and in the metadata differ")
		}
	}
	c.dates(info)
}

func (c *Check) dates(info pdf.Dict) {
	for _, x := range []struct {
		key   pdf.Name
		local string
		rule  string
	}{{"CreationDate", "CreateDate", "6.7.3-1"}, {"ModDate", "ModifyDate", "6.7.3-8"}} {
		s, ok := c.f.Get(info[x.key]).(pdf.String)
		if !ok {
			continue
		}
		a, ok1 := pdfDate(textOf(s))
		p := c.xmp.get(nsXMP, x.local)
		if p == nil {
			c.bad(x.rule, "", string(x.key)+" in the information dictionary is missing in the metadata")
			continue
		}
		if b, ok2 := isoDate(p.text()); !ok1 || !ok2 || !a.Equal(b) {
			c.bad(x.rule, "", string(x.key)+" in the information dictionary and in the metadata differ")
		}
	}
}

// textOf decodes a text string: UTF-16 or UTF-8 with its mark, else near enough to Latin-1.
func textOf(s pdf.String) string {
	if u, ok := strings.CutPrefix(string(s), "\xef\xbb\xbf"); ok {
		return u
	}
	if u, ok := strings.CutPrefix(string(s), "\xfe\xff"); ok {
		units := make([]uint16, 0, len(u)/2)
		for ; len(u) >= 2; u = u[2:] {
			units = append(units, uint16(u[0])<<8|uint16(u[1]))
		}
		return string(utf16.Decode(units))
	}
	out, _ := charmap.ISO8859_1.NewDecoder().String(string(s))
	return out
}

// pdfDate reads D:YYYYMMDDHHmmSSOHH'mm' with what may be left out.
func pdfDate(s string) (time.Time, bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "D:")
	n := 0
	for n < len(s) && n < 14 && isDigit(s[n]) {
		n++
	}
	zone := strings.ReplaceAll(s[n:], "'", "")
	full := s[:n] + "00000101000000"[min(n, 14):]
	if n < 4 || n%2 != 0 {
		return time.Time{}, false
	}
	switch {
	case zone == "", zone[0] == 'Z':
		zone = "+0000"
	case len(zone) == 3:
		zone += "00"
	}
	t, err := time.Parse("20060102150405-0700", full+zone)
	return t, err == nil
}

// isoDate reads the dates of XMP: ISO 8601 with what may be left out.
func isoDate(s string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
