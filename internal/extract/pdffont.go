package extract

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/internal/pdf"
)

// A font turns the codes of shown strings into text and widths. The zero font takes codes for Latin letters.
type font struct {
	composite bool
	unicode   *cmap
	table     *[256]string // simple fonts
	widths    map[int]float64
	width     float64 // of codes that are not in widths
}

const (
	maxPDFFontCodes = 1 << 17
	usualWidth      = 500 // thousandths of the size
)

// font finds a font among the resources of a page.
func (p *pages) font(resources dict, key name) *font {
	fonts, _ := p.f.Get(resources["Font"]).(dict)
	id, isRef := fonts[key].(ref)
	if isRef {
		if f, ok := p.fonts[id]; ok {
			return f
		}
	}
	d, ok := p.f.Get(fonts[key]).(dict)
	if !ok {
		return nil
	}
	f := p.newFont(d)
	if isRef {
		p.fonts[id] = f
	}
	return f
}

func (p *pages) newFont(d dict) *font {
	out := &font{composite: d["Subtype"] == name("Type0"), widths: map[int]float64{}, width: usualWidth}
	if s, ok := p.f.Get(d["ToUnicode"]).(*stream); ok {
		if data, err := p.f.Data(s); err == nil {
			out.unicode = p.w.cmap(data)
		}
	}
	if out.composite {
		inner, _ := p.f.Get(d["DescendantFonts"]).(array)
		if len(inner) > 0 {
			cid, _ := p.f.Get(inner[0]).(dict)
			p.cidWidths(out, cid)
		}
		return out
	}
	out.table = p.encoding(d["Encoding"])
	first, _ := p.f.Get(d["FirstChar"]).(int)
	widths, _ := p.f.Get(d["Widths"]).(array)
	for i, v := range widths[:min(len(widths), 256)] {
		out.widths[first+i] = float(p.f.Get(v))
	}
	return out
}

// cidWidths reads widths given as "first [w w w]" and "first last w".
func (p *pages) cidWidths(out *font, cid dict) {
	out.width = 1000
	if w, ok := p.f.Get(cid["DW"]).(int); ok {
		out.width = float(w)
	}
	w, _ := p.f.Get(cid["W"]).(array)
	for len(w) >= 2 && len(out.widths) < maxPDFFontCodes {
		first, _ := p.f.Get(w[0]).(int)
		if each, ok := p.f.Get(w[1]).(array); ok {
			for i, v := range each[:min(len(each), maxPDFFontCodes)] {
				out.widths[first+i] = float(p.f.Get(v))
			}
			w = w[2:]
			continue
		}
		if len(w) < 3 {
			return
		}
		last, _ := p.f.Get(w[1]).(int)
		width := float(p.f.Get(w[2]))
		for c := first; c <= last && c < first+1<<16 && len(out.widths) < maxPDFFontCodes; c++ {
			out.widths[c] = width
		}
		if p.w.spend(int64(40*len(out.widths))) != nil {
			return
		}
		w = w[3:]
	}
}

// decode gives the text of each code of s, its width, and whether it is the single-byte space that word spacing goes by.
func (f *font) decode(s string, each func(text string, width float64, space bool)) {
	for len(s) > 0 {
		n := 1
		if f.composite {
			n = min(2, len(s))
		}
		if f.unicode != nil && f.composite {
			n = min(f.unicode.length(s), len(s))
		}
		code := bigEndian([]byte(s[:n]))
		width, ok := f.widths[code]
		if !ok {
			width = f.width
		}
		each(f.text(s[:n], code), width, n == 1 && code == ' ')
		s = s[n:]
	}
}

func (f *font) text(raw string, code int) string {
	if f.unicode != nil {
		if text, ok := f.unicode.lookup(code); ok {
			return text
		}
	}
	switch {
	case f.composite:
		return ""
	case f.table != nil:
		return f.table[raw[0]]
	}
	return string(charmap.Windows1252.DecodeByte(raw[0]))
}

// encoding makes the table of a simple font: a base and its differences, given by names of glyphs.
func (p *pages) encoding(o any) *[256]string {
	o = p.f.Get(o)
	base := charmap.Windows1252
	d, _ := o.(dict)
	if n := p.f.Get(d["BaseEncoding"]); o == name("MacRomanEncoding") || n == name("MacRomanEncoding") {
		base = charmap.Macintosh
	}
	table := new([256]string)
	for i := range table {
		if r := base.DecodeByte(byte(i)); i >= ' ' && r != '\uFFFD' {
			table[i] = string(r)
		}
	}
	code := 0
	differences, _ := p.f.Get(d["Differences"]).(array)
	for _, v := range differences {
		switch v := p.f.Get(v).(type) {
		case int:
			code = v
		case name:
			if code >= 0 && code < len(table) {
				table[code] = glyph(string(v))
			}
			code++
		}
	}
	return table
}

// glyph tells the text of a glyph by its name: "uni1EA1", "A", "comma", or a letter with its accents, "acircumflexacute".
func glyph(s string) string {
	s, _, _ = strings.Cut(s, ".")
	if hex, ok := strings.CutPrefix(s, "uni"); ok && len(hex) >= 4 {
		if n, err := strconv.ParseUint(hex[:4], 16, 16); err == nil {
			return string(rune(n))
		}
	}
	if hex, ok := strings.CutPrefix(s, "u"); ok && len(hex) >= 4 {
		if n, err := strconv.ParseUint(hex, 16, 32); err == nil && n <= 0x10FFFF {
			return string(rune(n))
		}
	}
	if i := strings.Index(glyphNames, " "+s+"="); i >= 0 && s != "" {
		rest := glyphNames[i+len(s)+2:]
		return rest[:strings.IndexByte(rest, ' ')]
	}
	return accented(s)
}

// glyphNames are the named characters that occur in ordinary texts.
const glyphNames = " exclam=! quotedbl=\" numbersign=# dollar=$ percent=% ampersand=& quotesingle=' quoteright=’ quoteleft=‘ parenleft=( parenright=)" +
	" asterisk=* plus=+ comma=, hyphen=- period=. slash=/ zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9" +
	" colon=: semicolon=; less=< equal== greater=> question=? at=@ bracketleft=[ backslash=\\ bracketright=] underscore=_ braceleft={" +
	" bar=| braceright=} quotedblleft=“ quotedblright=” endash=– emdash=— bullet=• ellipsis=… degree=° dcroat=đ Dcroat=Đ dmacron=đ" +
	" Dmacron=Đ eth=đ Eth=Đ fi=fi fl=fl ff=ff ffi=ffi ffl=ffl section=§ dong=₫ copyright=© multiply=× "

// accented reads the name of a letter followed by the names of its accents.
func accented(s string) string {
	if s == "space" || s == "nbspace" {
		return " "
	}
	if s == "" || s[0] >= 0x80 {
		return ""
	}
	out, rest := s[:1], s[1:]
	for rest != "" {
		found := false
		for accent, mark := range map[string]string{
			"grave": "\u0300", "acute": "\u0301", "circumflex": "\u0302", "tilde": "\u0303", "breve": "\u0306", "dieresis": "\u0308",
			"hookabove": "\u0309", "hook": "\u0309", "horn": "\u031b", "dotbelow": "\u0323", "caron": "\u030c",
		} {
			if r, ok := strings.CutPrefix(rest, accent); ok && !(accent == "hook" && strings.HasPrefix(r, "above")) {
				out, rest, found = out+mark, r, true
				break
			}
		}
		if !found {
			return ""
		}
	}
	return norm.NFC.String(out)
}

// A cmap maps codes to text.
type cmap struct {
	spans  []span
	chars  map[int]string
	ranges []codeRange
}

type span struct{ length, low, high int }

type codeRange struct {
	low, high int
	first     []uint16 // UTF-16 of low; the last unit counts up
	each      []string // or the texts one by one
}

// cmap reads a ToUnicode table: the operands between "beginbfchar" and "endbfchar" and the like.
func (w *work) cmap(data []byte) *cmap {
	m := &cmap{chars: map[int]string{}}
	l := pdf.NewLexer(w.budget, bytes.NewReader(data), 0, false)
	var operands array
	for {
		o, err := l.Object()
		if err != nil {
			slices.SortFunc(m.ranges, func(a, b codeRange) int { return cmp.Compare(a.low, b.low) })
			return m
		}
		op, ok := o.(keyword)
		if !ok {
			if len(operands) < maxPDFFontCodes {
				operands = append(operands, o)
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			m.addSpans(operands)
		case "endbfchar":
			m.addChars(operands)
		case "endbfrange":
			m.addRanges(operands)
		}
		operands = operands[:0]
	}
}

func (m *cmap) addSpans(o array) {
	for ; len(o) >= 2 && len(m.spans) < 100; o = o[2:] {
		low, ok1 := o[0].(str)
		high, ok2 := o[1].(str)
		if ok1 && ok2 && len(low) == len(high) && len(low) > 0 && len(low) <= 4 {
			m.spans = append(m.spans, span{len(low), bigEndian([]byte(low)), bigEndian([]byte(high))})
		}
	}
}

func (m *cmap) addChars(o array) {
	for ; len(o) >= 2 && len(m.chars) < maxPDFFontCodes; o = o[2:] {
		code, ok1 := o[0].(str)
		text, ok2 := o[1].(str)
		if ok1 && ok2 && len(code) <= 4 {
			m.chars[bigEndian([]byte(code))] = string(utf16.Decode(units(text)))
		}
	}
}

func (m *cmap) addRanges(o array) {
	for ; len(o) >= 3 && len(m.ranges) < maxPDFFontCodes; o = o[3:] {
		low, ok1 := o[0].(str)
		high, ok2 := o[1].(str)
		if !ok1 || !ok2 || len(low) > 4 || len(high) > 4 {
			continue
		}
		r := codeRange{low: bigEndian([]byte(low)), high: bigEndian([]byte(high))}
		switch to := o[2].(type) {
		case str:
			r.first = units(to)
		case array:
			for _, v := range to {
				s, _ := v.(str)
				r.each = append(r.each, string(utf16.Decode(units(s))))
			}
		}
		m.ranges = append(m.ranges, r)
	}
}

const maxPDFLigature = 32 // UTF-16 units for one code

func units(s str) []uint16 {
	out := make([]uint16, 0, min(len(s)/2, maxPDFLigature))
	for ; len(s) >= 2 && len(out) < maxPDFLigature; s = s[2:] {
		out = append(out, uint16(s[0])<<8|uint16(s[1]))
	}
	if len(s) == 1 && len(out) == 0 {
		out = append(out, uint16(s[0]))
	}
	return out
}

// length tells how many bytes the next code of s has.
func (m *cmap) length(s string) int {
	for n := 1; n <= min(4, len(s)); n++ {
		code := bigEndian([]byte(s[:n]))
		for _, p := range m.spans {
			if p.length == n && code >= p.low && code <= p.high {
				return n
			}
		}
	}
	return 2
}

func (m *cmap) lookup(code int) (string, bool) {
	if s, ok := m.chars[code]; ok {
		return s, true
	}
	i, found := slices.BinarySearchFunc(m.ranges, code, func(r codeRange, code int) int { return cmp.Compare(r.low, code) })
	if !found {
		i--
	}
	if i < 0 || code > m.ranges[i].high {
		return "", false
	}
	r := m.ranges[i]
	if i := code - r.low; i < len(r.each) {
		return r.each[i], true
	}
	n := len(r.first)
	if n == 0 {
		return "", false
	}
	u := slices.Clone(r.first)
	u[n-1] += uint16(code - r.low)
	return string(utf16.Decode(u)), true
}
