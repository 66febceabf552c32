package pdfa

import (
	"bytes"
	"unicode/utf8"

	"github.com/luutru/luutru/internal/pdf"
)

// file checks the header, the trailers and the cross-reference table.
func (c *Check) file() {
	c.header()
	c.tail()
	c.trailers()
	for _, s := range c.f.Sections {
		if s.Loose {
			c.bad("6.1.4-1", "", "numbers of the cross-reference table with more than one space between")
		}
		if s.Sloppy {
			c.bad("6.1.4-2", "6.1.4-2", "cross-reference table not written as prescribed")
		}
		if s.Stream {
			c.bad("6.1.4-3", "", "cross-reference stream")
		}
	}
}

func (c *Check) trailers() {
	first, last := c.f.Sections[0].Trailer, c.f.Sections[len(c.f.Sections)-1].Trailer
	ids := c.array(first["ID"])
	if len(ids) < 2 || c.claim.Part > 1 && ids[0] == pdf.String("") && ids[1] == pdf.String("") {
		c.bad("6.1.3-1", "6.1.3-1", "no file identifier (ID) in the trailer")
	}
	// of a linearized file the section at the front holds the trailer that is read first
	if linearized(c.r, c.size) && first["ID"] != nil && last["ID"] != nil && !sameID(ids, c.array(last["ID"])) {
		c.bad("6.1.3-4", "", "the IDs of the two trailers of a linearized file differ")
	}
	if c.f.Trailer["Encrypt"] != nil {
		c.bad("6.1.3-2", "6.1.3-2", "encrypted")
	}
}

func sameID(a, b pdf.Array) bool {
	if len(a) < 2 || len(b) < 2 {
		return len(a) == len(b)
	}
	return a[0] == b[0] && a[1] == b[1]
}

func (c *Check) header() {
	b := make([]byte, 32)
	n, _ := c.r.ReadAt(b, 0)
	b = b[:n]
	if len(b) < 9 || !bytes.HasPrefix(b, []byte("%PDF-")) || !isDigit(b[5]) || b[6] != '.' || !isDigit(b[7]) {
		c.bad("6.1.2-1", "6.1.2-1", "the file does not begin with %PDF-n.m")
		return
	}
	if b[5] != '1' || b[7] > '7' || b[8] != '\n' && b[8] != '\r' {
		c.bad("", "6.1.2-1", "the header is not %PDF-1.0 to %PDF-1.7 on a line of its own")
	}
	rest := b[8:]
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[i:]
	}
	for _, eol := range []string{"\r\n", "\n", "\r"} {
		if line, ok := bytes.CutPrefix(rest, []byte(eol)); ok {
			rest = line
			break
		}
	}
	if len(rest) < 5 || rest[0] != '%' || min(rest[1], rest[2], rest[3], rest[4]) <= 127 {
		c.bad("6.1.2-2", "6.1.2-2", "no comment with four bytes above 127 after the header")
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func (c *Check) tail() {
	b := make([]byte, min(c.size, 1024))
	n, _ := c.r.ReadAt(b, c.size-int64(len(b)))
	b = b[:n]
	i := bytes.LastIndex(b, []byte("%%EOF"))
	if i < 0 {
		return
	}
	switch string(b[i+5:]) {
	case "", "\n", "\r", "\r\n":
	default:
		c.bad("6.1.3-3", "6.1.3-3", "data after the last %%EOF")
	}
}

func linearized(r interface {
	ReadAt([]byte, int64) (int, error)
}, size int64) bool {
	b := make([]byte, min(size, 1024))
	n, _ := r.ReadAt(b, 0)
	return bytes.Contains(b[:n], []byte("/Linearized"))
}

// Object looks at how one object is written and at what no object may hold, wherever it hangs.
func (c *Check) Object(o pdf.Object) {
	c.objects++
	c.flaws(o.Flaws)
	if s, ok := o.Value.(*pdf.Stream); ok {
		if s.Dict["F"] != nil || s.Dict["FFilter"] != nil || s.Dict["FDecodeParms"] != nil {
			c.bad("6.1.7-3", "6.1.7.1-3", "a stream's data is in another file")
		}
		c.filters(s.Dict)
	}
	if d, ok := o.Value.(pdf.Dict); ok && d["EF"] != nil && len(c.attached) < maxValues {
		c.attached = append(c.attached, pdf.Ref(o.Number))
	}
	c.value(o.Value, 0)
}

func (c *Check) flaws(f pdf.Flaws) {
	if f == (pdf.Flaws{}) {
		return
	}
	for _, x := range []struct {
		flawed         bool
		one, two, text string
	}{
		{f.OddHex, "6.1.6-1", "6.1.6-1", "a hexadecimal string with an odd number of digits"},
		{f.BadHex, "6.1.6-2", "6.1.6-2", "a hexadecimal string with other characters"},
		{f.WrongLength, "6.1.7-1", "6.1.7.1-1", "a stream's Length is not that of its data"},
		{f.StreamLine, "6.1.7-2", "6.1.7.1-2", "stream or endstream without the prescribed end of line"},
		{f.Spacing, "6.1.8-1", "6.1.9-1", "obj or endobj not on a line of its own, or not single spaces between"},
		{f.BigInteger, "6.1.12-1", "6.1.13-1", "an integer beyond 32 bits"},
		{f.BigReal, "6.1.12-2", "", "a real number beyond 32,767"},
		{f.HugeReal, "", "6.1.13-2", "a real number beyond 3.4e38"},
		{f.TinyReal, "", "6.1.13-5", "a real number too close to zero"},
		{f.LongText, "6.1.12-3", "", "a string of more than 65,535 bytes"},
		{f.LongString, "", "6.1.13-3", "a string of more than 32,767 bytes"},
		{f.LongName, "6.1.12-4", "6.1.13-4", "a name of more than 127 bytes"},
		{f.LongArray, "6.1.12-5", "", "an array of more than 8,191 elements"},
		{f.LongDict, "6.1.12-6", "", "a dictionary of more than 4,095 entries"},
	} {
		if x.flawed {
			c.bad(x.one, x.two, x.text)
		}
	}
}

func (c *Check) filters(d pdf.Dict) {
	for _, f := range pdf.List(c.f.Get(d["Filter"])) {
		switch n := c.name(f); n {
		case "LZWDecode", "LZW":
			c.bad("6.1.10-1", "6.1.7.2-1", "LZW compression")
		case "ASCIIHexDecode", "ASCII85Decode", "FlateDecode", "RunLengthDecode", "CCITTFaxDecode", "JBIG2Decode", "DCTDecode", "JPXDecode":
		case "Crypt":
			params := pdf.List(c.f.Get(d["DecodeParms"]))
			if len(params) == 0 || c.name(c.dict(params[0])["Name"]) != "Identity" {
				c.bad("", "6.1.7.2-2", "a Crypt filter other than Identity")
			}
		default:
			c.bad("", "6.1.7.2-1", "a filter that the standard does not know")
		}
	}
}

// value goes through an object for what may hang anywhere.
func (c *Check) value(o any, depth int) {
	if depth > maxDepth {
		return
	}
	switch o := o.(type) {
	case *pdf.Stream:
		c.value(o.Dict, depth+1)
	case pdf.Array:
		for _, v := range o {
			c.value(v, depth+1)
		}
	case pdf.Dict:
		c.dictionary(o)
		for _, v := range o {
			c.value(v, depth+1)
		}
	}
}

func (c *Check) dictionary(d pdf.Dict) {
	c.files(d)
	if n, _ := d["S"].(pdf.Name); d["Type"] == pdf.Name("Action") || isAction(n) && d["Type"] == nil {
		c.action(d)
	}
	if a := c.actionsOf(d); a != nil {
		c.action(a)
	}
	for _, k := range []pdf.Name{"BaseFont", "FontName"} {
		if n, ok := d[k].(pdf.Name); ok && !utf8.ValidString(string(n)) {
			c.bad("", "6.1.8-1", "the name of a font is not UTF-8")
		}
	}
	c.language(d)
}

// files looks at what embeds files.
func (c *Check) files(d pdf.Dict) {
	if d["EF"] != nil {
		c.fileSpec(d)
	}
	if d["Type"] == pdf.Name("EmbeddedFile") {
		if n, _ := d["Subtype"].(pdf.Name); n == "" {
			c.bad3("6.8-1", "an embedded file without its media type")
		}
	}
	for _, o := range pdf.List(c.f.Get(d["AF"])) {
		if r, ok := o.(pdf.Ref); ok {
			c.associated[r] = true
		}
	}
}

// actionsOf is the action that a dictionary starts, if it says so with A.
func (c *Check) actionsOf(d pdf.Dict) pdf.Dict {
	a, ok := d["A"].(pdf.Dict)
	if !ok || a["S"] == nil || a["O"] != nil { // with O: attributes of tagged text
		return nil
	}
	return a
}

func (c *Check) language(d pdf.Dict) {
	if s, ok := d["Lang"].(pdf.String); ok && c.claim.Conformance == "A" && !isLanguage(textOf(s), c.claim.Part) {
		c.bad("6.8.4-1", "6.7.4-1", "the language is not a language tag")
	}
}

// isAction tells whether a name can only be the type of an action.
func isAction(n pdf.Name) bool {
	switch n {
	case "Launch", "JavaScript", "ImportData", "ResetForm", "SetOCGState", "Rendition", "GoTo3DView", "Hide", "SubmitForm", "GoToR", "GoToE", "GoTo",
		"URI", "Named":
		return true
	}
	return false
}

func (c *Check) action(a pdf.Dict) {
	switch c.name(a["S"]) {
	case "GoTo", "GoToR", "Thread", "URI", "SubmitForm":
	case "GoToE":
		c.bad("6.6.1-1", "", "an action that is not allowed: GoToE")
	case "Named":
		switch c.name(a["N"]) {
		case "NextPage", "PrevPage", "FirstPage", "LastPage":
		default:
			c.bad("6.6.1-2", "6.5.1-2", "a named action that is not allowed")
		}
	default:
		c.bad("6.6.1-1", "6.5.1-1", "an action that is not allowed (Launch, JavaScript, …)")
	}
}

func (c *Check) fileSpec(d pdf.Dict) {
	c.bad("6.1.11-1", "", "an embedded file")
	if d["F"] == nil || d["UF"] == nil {
		c.bad("", "6.8-2", "an embedded file without F and UF")
	}
	if d["AFRelationship"] == nil {
		c.bad3("6.8-3", "an embedded file without AFRelationship")
	}
}
