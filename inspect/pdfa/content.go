package pdfa

import (
	"bytes"
	"strings"

	"github.com/luutru/luutru/internal/pdf"
)

// A painter goes through a content stream for what it uses: fonts, colours, images, forms, graphics states.
type painter struct {
	c         *Check
	resources pdf.Dict
	explicit  bool // the resources belong to the stream itself

	state  state
	states []state

	fonts map[fontName]bool // those that are not objects of their own, by their names
	seen
}

type fontName struct {
	name    pdf.Name
	visible bool
}

// state is the part of the graphics state that rules ask for.
type state struct {
	font                 any // reference or dictionary
	fontName             pdf.Name
	mode                 int  // text rendering; 3 is invisible
	fill, stroke         bool // a colour was set
	fillCMYK, strokeCMYK bool // it is in a CMYK profile
	over, overStroke     bool // overprint
	overMode             bool // of nonzero values only
}

const (
	maxOperands = 200
	maxStates   = 1000
	maxForms    = 12 // in each other
)

// operators are those of ISO 32000-1, annex A.
const operators = " b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l m M MP n q Q re RG rg ri s S SC sc" +
	" SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \" "

func (p *painter) run(content []byte, depth int) {
	if len(content) == 0 || depth > maxForms || p.c.err != nil {
		return
	}
	l := p.c.f.Content(content)
	var operands pdf.Array
	for {
		o, err := l.Object()
		if err != nil {
			if l.Pos() < int64(len(content)) && p.c.err == nil {
				p.c.err = err
			}
			break
		}
		op, ok := o.(pdf.Keyword)
		if !ok {
			if len(operands) < maxOperands {
				operands = append(operands, o)
			}
			continue
		}
		if op == "ID" {
			p.inlineImage(operands)
			l.SkipInlineImage(content)
		} else {
			p.operator(op, operands, depth)
		}
		operands = operands[:0]
	}
	p.c.flaws(l.Flaws)
}

func (p *painter) operator(op pdf.Keyword, operands pdf.Array, depth int) {
	if !strings.Contains(operators, " "+string(op)+" ") {
		p.c.bad("6.2.10-1", "6.2.2-1", "an operator that the standard does not know")
		return
	}
	if len(operands) == 0 && op == "BDC" {
		return
	}
	switch op {
	case "q":
		if len(p.states) < maxStates {
			p.states = append(p.states, p.state)
		}
		if len(p.states) > 28 {
			p.c.bad("6.1.12-8", "6.1.13-8", "more than 28 graphics states in each other")
		}
	case "Q":
		if n := len(p.states) - 1; n >= 0 {
			p.state, p.states = p.states[n], p.states[:n]
		}
	case "Do":
		p.object(name(operands), depth)
	case "gs":
		p.graphicsState(p.resource("ExtGState", name(operands)))
	case "sh":
		p.shading(p.resource("Shading", name(operands)))
	case "ri":
		p.c.intent(name(operands))
	case "BDC":
		if d, ok := operands[max(len(operands)-1, 0)].(pdf.Dict); ok {
			p.c.language(d)
		}
	case "Tf", "Tr", "Tj", "TJ", "'", "\"":
		p.text(op, operands)
	default:
		p.paint(op, operands, depth)
	}
}

func name(operands pdf.Array) pdf.Name {
	if len(operands) == 0 {
		return ""
	}
	n, _ := operands[len(operands)-1].(pdf.Name)
	return n
}

// resource finds what a name stands for.
func (p *painter) resource(kind, key pdf.Name) any {
	o := p.c.dict(p.resources[kind])[key]
	if !p.explicit && key != "" && o != nil {
		p.c.bad("", "6.2.2-2", "a content stream that uses resources that are not its own")
	}
	return o
}

func (p *painter) text(op pdf.Keyword, operands pdf.Array) {
	switch op {
	case "Tf":
		if len(operands) >= 2 {
			p.state.fontName = name(operands[:len(operands)-1])
			p.state.font = p.resource("Font", p.state.fontName)
		}
		return
	case "Tr":
		if n, ok := firstOf(operands).(int); ok {
			p.state.mode = n
		}
		return
	}
	p.texts = true
	visible := p.state.mode != 3
	p.use(fontName{p.state.fontName, visible})
	switch p.state.mode {
	case 0, 4:
		p.filled(false)
	case 1, 5:
		p.filled(true)
	case 2, 6:
		p.filled(false)
		p.filled(true)
	}
}

// use looks at the font that is set.
func (p *painter) use(n fontName) {
	r, isRef := p.state.font.(pdf.Ref)
	if p.state.font == nil || !isRef && p.fonts[n] {
		return
	}
	if !isRef {
		if p.fonts == nil {
			p.fonts = map[fontName]bool{}
		}
		p.fonts[n] = true
	}
	p.c.font(p.state.font, n.visible)
	p.transparent = p.transparent || p.c.lucid[r]
}

// filled notes that something is painted: a colour that was never set is black in DeviceGray.
func (p *painter) filled(stroke bool) {
	s := &p.state
	if stroke && !s.stroke || !stroke && !s.fill {
		p.c.device("DeviceGray", p.resources)
	}
	if s.overMode && (stroke && s.strokeCMYK && s.overStroke || !stroke && s.fillCMYK && s.over) {
		p.c.bad("", "6.2.4.2-2", "overprinting of nonzero values in a CMYK profile")
	}
}

// paint looks at operators that set colours and paint.
func (p *painter) paint(op pdf.Keyword, operands pdf.Array, depth int) {
	switch op {
	case "g", "rg", "k", "G", "RG", "K":
		p.c.device(map[pdf.Keyword]string{"g": "DeviceGray", "rg": "DeviceRGB", "k": "DeviceCMYK"}[pdf.Keyword(strings.ToLower(string(op)))], p.resources)
		p.set(op[0] < 'a')
	case "cs", "CS":
		n := name(operands)
		o := p.resource("ColorSpace", n)
		if o == nil {
			o = n
		}
		p.c.space(o, p.resources, 0)
		p.set(op == "CS")
		if a := p.c.array(o); len(a) == 2 && p.c.name(a[0]) == "ICCBased" {
			four := p.c.dict(a[1])["N"] == 4
			if op == "CS" {
				p.state.strokeCMYK = four
			} else {
				p.state.fillCMYK = four
			}
		}
	case "scn", "SCN":
		if n := name(operands); n != "" {
			p.pattern(p.resource("Pattern", n), depth)
			p.set(op == "SCN")
		}
	case "f", "F", "f*":
		p.filled(false)
	case "s", "S":
		p.filled(true)
	case "b", "B", "b*", "B*":
		p.filled(false)
		p.filled(true)
	}
}

func (p *painter) set(stroke bool) {
	if stroke {
		p.state.stroke, p.state.strokeCMYK = true, false
	} else {
		p.state.fill, p.state.fillCMYK = true, false
	}
}

func (p *painter) pattern(o any, depth int) {
	if s := p.c.stream(o); s != nil {
		p.form(o, s, depth+1)
		return
	}
	if d := p.c.dict(o); d != nil {
		p.shading(d["Shading"])
		p.graphicsState(d["ExtGState"])
	}
}

func (p *painter) shading(o any) {
	if d := p.c.dict(o); d != nil {
		p.c.space(d["ColorSpace"], p.resources, 0)
	}
}

// object draws an image or a form.
func (p *painter) object(key pdf.Name, depth int) {
	o := p.resource("XObject", key)
	s := p.c.stream(o)
	if s == nil {
		return
	}
	p.c.externalObject(s)
	switch p.c.name(s.Dict["Subtype"]) {
	case "Image":
		p.images = true
		p.image(s)
	case "Form":
		p.form(o, s, depth+1)
	case "PS":
		p.c.bad("6.2.7-1", "6.2.9-3", "a PostScript object")
	}
}

// externalObject checks what neither images nor forms may have.
func (c *Check) externalObject(s *pdf.Stream) {
	if s.Dict["OPI"] != nil {
		two := "6.2.8-2"
		if c.name(s.Dict["Subtype"]) == "Form" {
			two = "6.2.9-1"
		}
		c.bad("6.2.4-2", two, "an OPI reference")
	}
}

func (p *painter) image(s *pdf.Stream) {
	c, d := p.c, s.Dict
	if c.soft(d["SMask"]) {
		c.bad("6.4-2", "", "an image with a soft mask")
		p.transparent = true
		c.imageDict(c.dict(d["SMask"]))
	}
	if n, _ := c.number(d["SMaskInData"]); n != 0 {
		p.transparent = true
	}
	c.imageDict(d)
	if c.truth(d["ImageMask"]) {
		p.filled(false)
		return
	}
	if m := c.stream(d["Mask"]); m != nil {
		c.imageDict(m.Dict)
		if b, ok := c.number(m.Dict["BitsPerComponent"]); ok && b != 1 {
			c.bad("6.2.4-5", "6.2.8-5", "a mask with more than one bit a pixel")
		}
	}
	if d["ColorSpace"] != nil { // only JPEG 2000 may bring its own
		c.space(d["ColorSpace"], p.resources, 0)
	}
}

// soft tells whether there is a mask that lets things shine through.
func (c *Check) soft(o any) bool {
	v := c.f.Get(o)
	return v != nil && v != pdf.Name("None")
}

// imageDict checks the entries of an image.
func (c *Check) imageDict(d pdf.Dict) {
	if d["Alternates"] != nil {
		c.bad("6.2.4-1", "6.2.8-1", "an image with alternates")
	}
	if c.truth(d["Interpolate"]) || c.truth(d["I"]) {
		c.bad("6.2.4-3", "6.2.8-3", "an image that is to be interpolated")
	}
	if b, ok := c.number(d["BitsPerComponent"]); ok && !c.truth(d["ImageMask"]) {
		if b != 1 && b != 2 && b != 4 && b != 8 && !(b == 16 && c.claim.Part > 1) {
			c.bad("6.2.4-4", "6.2.8-4", "an image with a number of bits that is not allowed")
		}
	}
	if n := c.name(d["Intent"]); n != "" {
		c.intent(n)
	}
}

func (c *Check) intent(n pdf.Name) {
	switch n {
	case "RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation":
	default:
		c.bad("6.2.9-1", "6.2.6-1", "a rendering intent that the standard does not know")
	}
}

// inlineImage checks an image in the content itself; the operands are its dictionary.
func (p *painter) inlineImage(operands pdf.Array) {
	p.images = true
	d := pdf.Dict{}
	for ; len(operands) >= 2; operands = operands[2:] {
		if k, ok := operands[0].(pdf.Name); ok {
			d[k] = operands[1]
		}
	}
	filters := d["Filter"]
	if filters == nil {
		filters = d["F"]
	}
	for _, f := range pdf.List(filters) {
		switch n, _ := f.(pdf.Name); n {
		case "LZW", "LZWDecode":
			p.c.bad("6.1.10-2", "6.1.10-1", "LZW compression")
		case "AHx", "A85", "Fl", "RL", "CCF", "DCT", "ASCIIHexDecode", "ASCII85Decode", "FlateDecode", "RunLengthDecode", "CCITTFaxDecode", "DCTDecode":
		default:
			p.c.bad("", "6.1.10-1", "an inline image with a filter that is not allowed")
		}
	}
	p.c.imageDict(d)
	if mask := p.c.truth(d["IM"]) || p.c.truth(d["ImageMask"]); mask {
		p.filled(false)
		return
	}
	for _, k := range []pdf.Name{"CS", "ColorSpace"} {
		if d[k] != nil {
			p.c.space(d[k], p.resources, 0)
		}
	}
}

// seen is what a form or a font was found to use.
type seen struct{ transparent, images, texts bool }

func (s *seen) add(o seen) {
	s.transparent, s.images, s.texts = s.transparent || o.transparent, s.images || o.images, s.texts || o.texts
}

// form goes through a form or a tiling pattern, once.
func (p *painter) form(o any, s *pdf.Stream, depth int) {
	c := p.c
	p.formDict(s.Dict)
	r, isRef := o.(pdf.Ref)
	if was, ok := c.walked[r]; ok && isRef {
		p.add(was)
		return
	}
	if isRef {
		c.walked[r] = seen{} // a form that draws itself ends here
	}
	inner := &painter{c: c, resources: c.dict(s.Dict["Resources"]), explicit: true, state: p.state}
	if s.Dict["Resources"] == nil {
		inner.resources, inner.explicit = p.resources, false
	}
	inner.run(c.data(s), depth+1)
	p.add(inner.seen)
	if isRef {
		c.walked[r] = inner.seen
	}
}

func (p *painter) formDict(d pdf.Dict) {
	c := p.c
	if d["PS"] != nil || c.name(d["Subtype2"]) == "PS" {
		c.bad("6.2.5-1", "6.2.9-1", "a form with PostScript")
	}
	if d["Ref"] != nil {
		c.bad("6.2.6-1", "6.2.9-2", "a form that refers to another file")
	}
	g := c.dict(d["Group"])
	c.group(g)
	p.transparent = p.transparent || c.name(g["S"]) == "Transparency"
	if g["CS"] != nil {
		c.space(g["CS"], p.resources, 0)
	}
}

// graphicsState checks an extended graphics state.
func (p *painter) graphicsState(o any) {
	c, d := p.c, p.c.dict(o)
	if d == nil {
		return
	}
	if d["TR"] != nil {
		c.bad("6.2.8-1", "6.2.5-1", "a transfer function")
	}
	if d["TR2"] != nil && c.name(d["TR2"]) != "Default" {
		c.bad("6.2.8-2", "6.2.5-2", "a transfer function")
	}
	if d["HTP"] != nil {
		c.bad("", "6.2.5-3", "a halftone phase")
	}
	c.halftone(d["HT"], "")
	p.overprint(d)
	if n := c.name(d["RI"]); n != "" {
		c.intent(n)
	}
	if c.soft(d["SMask"]) {
		c.bad("6.4-1", "", "a soft mask")
		p.transparent = true
	}
	if f := c.array(d["Font"]); len(f) > 0 {
		p.state.font = f[0]
	}
	for _, x := range []struct{ key, rule string }{{"CA", "6.4-5"}, {"ca", "6.4-6"}} {
		if n, ok := c.number(d[pdf.Name(x.key)]); ok && (n < 0.999999 || n > 1.000001) {
			c.bad(x.rule, "", "transparent colours")
			p.transparent = true
		}
	}
	p.blend(d["BM"])
}

func (p *painter) overprint(d pdf.Dict) {
	if v, ok := p.c.f.Get(d["OP"]).(bool); ok {
		p.state.overStroke, p.state.over = v, v
	}
	if v, ok := p.c.f.Get(d["op"]).(bool); ok {
		p.state.over = v
	}
	if n, ok := p.c.number(d["OPM"]); ok {
		p.state.overMode = n == 1
	}
}

// halftone checks a halftone, and those in it for single colorants.
func (c *Check) halftone(o any, colorant pdf.Name) {
	d := c.dict(o)
	if d == nil {
		return
	}
	kind, _ := c.number(d["HalftoneType"])
	if kind != 1 && kind != 5 && colorant == "" {
		c.bad("", "6.2.5-4", "a halftone of another type than 1 and 5")
	}
	if d["HalftoneName"] != nil {
		c.bad("", "6.2.5-5", "a halftone with a name")
	}
	if kind == 5 && colorant == "" {
		for k, v := range d {
			if k != "Type" && k != "HalftoneType" && k != "HalftoneName" {
				c.halftone(v, k)
			}
		}
		return
	}
	process := colorant == "" || strings.Contains(" Cyan Magenta Yellow Black ", " "+string(colorant)+" ")
	if has := d["TransferFunction"] != nil; colorant != "Default" && has == process {
		c.bad("", "6.2.5-6", "a halftone with a transfer function, or one of a spot colour without")
	}
}

func (p *painter) blend(o any) {
	if o == nil {
		return
	}
	modes := pdf.List(p.c.f.Get(o))
	for i, m := range modes {
		n := p.c.name(m)
		if n != "Normal" && n != "Compatible" {
			p.c.bad("6.4-4", "", "a blend mode")
			if i == 0 {
				p.transparent = true
			}
		}
		if !bytes.Contains([]byte(blendModes), []byte(" "+string(n)+" ")) {
			p.c.bad("", "6.2.10-1", "a blend mode that the standard does not know")
		}
	}
}

const blendModes = " Normal Compatible Multiply Screen Overlay Darken Lighten ColorDodge ColorBurn HardLight SoftLight Difference Exclusion Hue Saturation" +
	" Color Luminosity "
