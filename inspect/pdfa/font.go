package pdfa

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/luutru/luutru/internal/pdf"
)

// fontUse remembers that a font was looked at, visible text and invisible apart.
type fontUse struct {
	font    pdf.Ref
	visible bool
}

// font checks a font with which text is shown.
func (c *Check) font(o any, visible bool) {
	if r, ok := o.(pdf.Ref); ok {
		use := fontUse{r, visible}
		if c.fonts[use] {
			return
		}
		c.fonts[use] = true
	}
	d := c.dict(o)
	if d == nil {
		return
	}
	c.fontDict(d)
	kind := c.name(d["Subtype"])
	switch kind {
	case "Type0":
		c.composite(d, visible)
	case "Type3":
		c.type3(o, d)
	default:
		c.simple(d, kind, visible)
	}
	if c.claim.Conformance == "U" || c.claim.Conformance == "A" {
		c.unicode(d, kind)
	}
}

func (c *Check) fontDict(d pdf.Dict) {
	if c.name(d["Type"]) != "Font" {
		c.bad("6.3.2-1", "6.2.11.2-1", "a font whose Type is not Font")
	}
	kind := c.name(d["Subtype"])
	if !slices.Contains([]pdf.Name{"Type1", "MMType1", "TrueType", "Type3", "Type0", "CIDFontType0", "CIDFontType2"}, kind) {
		c.bad("6.3.2-2", "6.2.11.2-2", "a font of a kind that the standard does not know")
	}
	if kind != "Type3" && c.name(d["BaseFont"]) == "" {
		c.bad("6.3.2-3", "6.2.11.2-3", "a font without a name")
	}
}

// embedded checks that a font's program is in the file.
func (c *Check) program(descriptor pdf.Dict, visible bool) (file *pdf.Stream) {
	for _, k := range []pdf.Name{"FontFile", "FontFile2", "FontFile3"} {
		if s := c.stream(descriptor[k]); s != nil {
			file = s
			if k == "FontFile3" {
				kind := c.name(s.Dict["Subtype"])
				if kind != "Type1C" && kind != "CIDFontType0C" && (kind != "OpenType" || c.claim.Part == 1) {
					c.bad("6.3.2-7", "6.2.11.2-7", "an embedded font of a kind that the standard does not know")
				}
			}
		}
	}
	if file == nil && visible {
		c.bad("6.3.4-1", "6.2.11.4.1-1", "a font that is not embedded")
	}
	return file
}

func isSubset(name pdf.Name) bool {
	if len(name) < 7 || name[6] != '+' {
		return false
	}
	for _, r := range name[:6] {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}

func (c *Check) simple(d pdf.Dict, kind pdf.Name, visible bool) {
	descriptor := c.dict(d["FontDescriptor"])
	file := c.program(descriptor, visible)
	if !(isStandard(c.name(d["BaseFont"])) && kind == "Type1" && file == nil) {
		first, ok1 := c.f.Get(d["FirstChar"]).(int)
		last, ok2 := c.f.Get(d["LastChar"]).(int)
		if !ok1 {
			c.bad("6.3.2-4", "6.2.11.2-4", "a font without FirstChar")
		}
		if !ok2 {
			c.bad("6.3.2-5", "6.2.11.2-5", "a font without LastChar")
		}
		if widths := c.array(d["Widths"]); widths == nil || len(widths) != last-first+1 {
			c.bad("6.3.2-6", "6.2.11.2-6", "a font without the widths of its characters")
		}
	}
	if kind == "Type1" && isSubset(c.name(d["BaseFont"])) && descriptor["CharSet"] == nil {
		c.bad("6.3.5-2", "", "a font cut down to a part of its characters without CharSet")
	}
	if kind == "TrueType" {
		c.trueType(d, descriptor, file)
	}
}

// trueType checks that codes can be told to glyphs in one way only.
func (c *Check) trueType(d, descriptor pdf.Dict, file *pdf.Stream) {
	flags, _ := c.f.Get(descriptor["Flags"]).(int)
	symbolic := flags&4 != 0
	c.trueTypeEncoding(c.f.Get(d["Encoding"]), symbolic)
	if file == nil {
		return
	}
	count, has30, ok := cmaps(c.data(file))
	switch {
	case !ok:
	case symbolic && count != 1 && !(c.claim.Part > 1 && has30):
		c.bad("6.3.7-3", "6.2.11.6-4", "a symbolic TrueType font with several character maps")
	case !symbolic && (has30 && count <= 1 || !has30 && count == 0):
		c.bad("", "6.2.11.6-1", "a TrueType font without the character map that is needed")
	}
}

func (c *Check) trueTypeEncoding(encoding any, symbolic bool) {
	if symbolic {
		if encoding != nil {
			c.bad("6.3.7-2", "6.2.11.6-3", "a symbolic TrueType font with an encoding")
		}
		return
	}
	base, _ := encoding.(pdf.Name)
	e, isDict := encoding.(pdf.Dict)
	if isDict {
		base = c.name(e["BaseEncoding"])
	}
	if base != "MacRomanEncoding" && base != "WinAnsiEncoding" {
		c.bad("6.3.7-1", "6.2.11.6-2", "a TrueType font without MacRomanEncoding or WinAnsiEncoding")
	}
	if e["Differences"] != nil {
		c.bad("6.3.7-1", "", "a TrueType font whose encoding has differences")
	}
}

// cmaps counts the character maps of a TrueType font.
func cmaps(font []byte) (count int, has30, ok bool) {
	if len(font) < 12 {
		return 0, false, false
	}
	tables := int(binary.BigEndian.Uint16(font[4:]))
	for i := range tables {
		if len(font) < 28+16*i {
			return 0, false, false
		}
		e := font[12+16*i:]
		if string(e[:4]) != "cmap" {
			continue
		}
		at := int64(binary.BigEndian.Uint32(e[8:]))
		if at+4 > int64(len(font)) {
			return 0, false, false
		}
		t := font[at:]
		count = int(binary.BigEndian.Uint16(t[2:]))
		for j := 0; j < count && len(t) >= 12+8*j; j++ {
			has30 = has30 || binary.BigEndian.Uint32(t[4+8*j:]) == 3<<16
		}
		return count, has30, true
	}
	return 0, false, true
}

func (c *Check) type3(o any, d pdf.Dict) {
	resources := c.dict(d["Resources"])
	r, _ := o.(pdf.Ref)
	own := resources != nil
	if !own {
		resources = c.resources
	}
	for _, o := range c.dict(d["CharProcs"]) {
		if s := c.stream(o); s != nil {
			p := &painter{c: c, resources: resources, explicit: own}
			p.run(c.data(s), 1)
			c.lucid[r] = c.lucid[r] || p.transparent
		}
	}
}

func (c *Check) composite(d pdf.Dict, visible bool) {
	list := c.array(d["DescendantFonts"])
	if len(list) == 0 {
		return
	}
	cid := c.dict(list[0])
	c.fontDict(cid)
	descriptor := c.dict(cid["FontDescriptor"])
	file := c.program(descriptor, visible)
	if c.name(cid["Subtype"]) == "CIDFontType2" && c.stream(cid["CIDToGIDMap"]) == nil && c.name(cid["CIDToGIDMap"]) != "Identity" && (c.claim.Part == 1 && visible || c.claim.Part > 1 && file != nil) {
		c.bad("6.3.3.2-1", "6.2.11.3.2-1", "a font without CIDToGIDMap")
	}
	if isSubset(c.name(cid["BaseFont"])) && descriptor["CIDSet"] == nil {
		c.bad("6.3.5-3", "", "a font cut down to a part of its characters without CIDSet")
	}
	c.cmap(d["Encoding"], c.dict(cid["CIDSystemInfo"]))
}

// cmap checks how codes become characters of a font.
func (c *Check) cmap(encoding any, info pdf.Dict) {
	if n := c.name(encoding); n != "" && !isIdentity(n) && (!predefinedCMap(n) || c.claim.Part == 1) {
		c.bad("6.3.3.3-1", "6.2.11.3.3-1", "a character map that is not embedded")
	}
	s := c.stream(encoding)
	if s == nil {
		return
	}
	c.collections(s.Dict, info)
	n := c.name(s.Dict["UseCMap"])
	if d := c.dict(s.Dict["UseCMap"]); d != nil {
		n = c.name(d["CMapName"])
	}
	if n != "" && !isIdentity(n) && !predefinedCMap(n) {
		c.bad("", "6.2.11.3.3-3", "a character map that uses another that is not embedded")
	}
	c.cmapFile(s)
}

// collections checks that a font and its character map are for one collection of characters.
func (c *Check) collections(cmap, info pdf.Dict) {
	own := c.dict(cmap["CIDSystemInfo"])
	if c.f.Get(own["Registry"]) != c.f.Get(info["Registry"]) || c.f.Get(own["Ordering"]) != c.f.Get(info["Ordering"]) {
		if !isIdentity(c.name(cmap["CMapName"])) {
			c.bad("6.3.3.1-1", "6.2.11.3.1-1", "a font and its character map for different collections of characters")
		}
		return
	}
	a, _ := c.number(info["Supplement"])
	if b, _ := c.number(own["Supplement"]); a > b {
		c.bad("", "6.2.11.3.1-1", "a font with a later supplement than its character map")
	}
}

func isIdentity(n pdf.Name) bool { return n == "Identity-H" || n == "Identity-V" }

func (c *Check) cmapFile(s *pdf.Stream) {
	mode, _ := c.f.Get(s.Dict["WMode"]).(int)
	scan := scanCMap(c.data(s))
	if n := pdf.Name(strings.TrimPrefix(scan.used, "/")); n != "" && !isIdentity(n) && !predefinedCMap(n) {
		c.bad("", "6.2.11.3.3-3", "a character map that uses another that is not embedded")
	}
	if scan.mode != mode {
		c.bad("6.3.3.3-2", "6.2.11.3.3-2", "the writing mode of a character map differs from its dictionary")
	}
	if scan.largest > 65535 {
		c.bad("6.1.12-10", "6.1.13-10", "a character number beyond 65,535")
	}
}

// A cmapScan goes through a character map.
type cmapScan struct {
	mode    int    // of writing
	largest int    // character number
	used    string // map that is used besides

	inside string // "cidrange" or "cidchar" while between their ends
	column int
	low    int
}

func scanCMap(b []byte) cmapScan {
	var s cmapScan
	last := ""
	for f := range strings.FieldsSeq(string(b[:min(len(b), 1<<20)])) {
		switch {
		case last == "/WMode" && f == "1":
			s.mode = 1
		case f == "usecmap":
			s.used = last
		case f == "begincidrange", f == "begincidchar":
			s.inside, s.column = strings.TrimPrefix(f, "begin"), 0
		case f == "endcidrange", f == "endcidchar":
			s.inside = ""
		case s.inside != "":
			for token := range strings.FieldsSeq(strings.ReplaceAll(f, "><", "> <")) {
				s.number(token)
			}
		}
		last = f
	}
	return s
}

// number takes "<low> <high> first" of a range, "<code> number" of a single character.
func (s *cmapScan) number(token string) {
	n, isHex := cmapNumber(token)
	ofRange := s.inside == "cidrange"
	switch {
	case ofRange && isHex && s.column%3 == 0:
		s.low = n
	case ofRange && isHex:
		s.low = n - s.low
	case ofRange:
		s.largest = max(s.largest, n+s.low)
	case !isHex:
		s.largest = max(s.largest, n)
	}
	s.column++
}

func cmapNumber(s string) (n int, isHex bool) {
	base := 10
	if strings.HasPrefix(s, "<") {
		base, s, isHex = 16, strings.Trim(s, "<>"), true
	}
	for _, r := range strings.ToLower(s) {
		d := strings.IndexRune("0123456789abcdef"[:base], r)
		if d < 0 || n > 1<<40 {
			return n, isHex
		}
		n = n*base + d
	}
	return n, isHex
}

// predefinedCMap tells whether a character map is one of those that every reader has (ISO 32000-1, table 118).
func predefinedCMap(n pdf.Name) bool {
	const names = " GB-EUC GBpc-EUC GBK-EUC GBKp-EUC GBK2K UniGB-UCS2 UniGB-UTF16 B5pc HKscs-B5 ETen-B5 ETenms-B5 CNS-EUC UniCNS-UCS2 UniCNS-UTF16" +
		" 83pv-RKSJ 90ms-RKSJ 90msp-RKSJ 90pv-RKSJ Add-RKSJ EUC Ext-RKSJ UniJIS-UCS2 UniJIS-UCS2-HW UniJIS-UTF16 KSC-EUC KSCms-UHC KSCms-UHC-HW" +
		" KSCpc-EUC UniKS-UCS2 UniKS-UTF16 "
	if n == "H" || n == "V" {
		return true
	}
	stem, ok := strings.CutSuffix(string(n), "-H")
	if !ok {
		stem, ok = strings.CutSuffix(string(n), "-V")
	}
	return ok && strings.Contains(names, " "+stem+" ")
}

// unicode checks that text can be taken out again (levels U and A).
func (c *Check) unicode(d pdf.Dict, kind pdf.Name) {
	if s := c.stream(d["ToUnicode"]); s != nil {
		b := c.data(s)
		if bytes.Contains(b, []byte("beginbf")) {
			return
		}
	}
	ok := false
	switch kind {
	case "Type0":
		cid := c.dict(firstOf(c.array(d["DescendantFonts"])))
		ordering, _ := c.f.Get(c.dict(cid["CIDSystemInfo"])["Ordering"]).(pdf.String)
		ok = slices.Contains([]string{"GB1", "CNS1", "Japan1", "Korea1"}, string(ordering))
	case "Type1", "MMType1", "TrueType":
		e := c.f.Get(d["Encoding"])
		n, _ := e.(pdf.Name)
		dd, isDict := e.(pdf.Dict)
		// the names of characters in a Type 1 program are not looked at
		ok = kind != "TrueType" || n == "WinAnsiEncoding" || n == "MacRomanEncoding" || n == "MacExpertEncoding" ||
			isDict && (c.name(dd["BaseEncoding"]) != "" || dd["Differences"] != nil)
	case "Type3":
		ok = c.dict(d["Encoding"])["Differences"] != nil
	}
	if !ok {
		c.bad("6.3.8-1", "6.2.11.7.2-1", "a font whose characters have no Unicode value")
	}
}

func firstOf(a pdf.Array) any {
	if len(a) == 0 {
		return nil
	}
	return a[0]
}

// isStandard tells whether a font is one of the fourteen that every reader has.
func isStandard(n pdf.Name) bool {
	for _, family := range []string{"Courier", "Helvetica", "Times", "Symbol", "ZapfDingbats"} {
		if rest, ok := strings.CutPrefix(string(n), family); ok {
			switch rest {
			case "", "-Bold", "-Oblique", "-BoldOblique", "-Roman", "-Italic", "-BoldItalic":
				return true
			}
		}
	}
	return false
}
