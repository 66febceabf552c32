package extract

import (
	"bytes"
	"io"
	"math"

	"github.com/luutru/luutru/internal/pdf"
)

// Names of what package pdf reads, as short as they are used often.
type (
	name    = pdf.Name
	str     = pdf.String
	keyword = pdf.Keyword
	array   = pdf.Array
	dict    = pdf.Dict
	ref     = pdf.Ref
	stream  = pdf.Stream
)

const (
	maxPDFTree     = 60 // depth of the tree of pages
	maxPDFPages    = 20_000
	maxPDFForms    = 5   // forms in forms
	maxPDFOperands = 100 // of one operator; longer lists are arrays
	maxPDFStates   = 200
)

// pdf writes the text of all pages.
func (w *work) pdf(r io.ReaderAt, size int64) error {
	f, err := pdf.Open(w.budget, r, size)
	if err != nil {
		return err
	}
	if f.Trailer["Encrypt"] != nil {
		return ErrNoText
	}
	root, _ := f.Get(f.Trailer["Root"]).(dict)
	p := &pages{w: w, f: f, seen: map[any]bool{}, fonts: map[any]*font{}}
	if err := p.tree(root["Pages"], nil, 0); err != nil {
		return err
	}
	return p.broken
}

// pages walks through the tree of pages.
type pages struct {
	w      *work
	f      *pdf.File
	seen   map[any]bool
	count  int
	fonts  map[any]*font // by reference
	broken error         // of some page: it does not keep the others from being read
}

func (p *pages) tree(node any, resources any, depth int) error {
	if r, ok := node.(ref); ok {
		if p.seen[r] {
			return nil
		}
		p.seen[r] = true
	}
	d, ok := p.f.Get(node).(dict)
	if !ok || depth > maxPDFTree {
		return nil
	}
	if own := d["Resources"]; own != nil {
		resources = own
	}
	kids, ok := p.f.Get(d["Kids"]).(array)
	if !ok {
		return p.page(d, resources)
	}
	for _, k := range kids {
		if err := p.tree(k, resources, depth+1); err != nil || p.w.full() {
			return err
		}
	}
	return nil
}

func (p *pages) page(d dict, resources any) error {
	if p.count++; p.count > maxPDFPages {
		return ErrLimit
	}
	var content bytes.Buffer
	for _, o := range pdf.List(p.f.Get(d["Contents"])) {
		s, ok := p.f.Get(o).(*stream)
		if !ok {
			continue
		}
		data, err := p.f.Data(s)
		content.Write(data)
		content.WriteByte('\n')
		if err != nil {
			p.broken = err
		}
	}
	res, _ := p.f.Get(resources).(dict)
	t := &painter{p: p, w: p.w, f: p.f, ctm: identity, tm: identity, line: identity, scale: 1}
	if err := t.run(content.Bytes(), res, 0); err != nil {
		p.broken = err
	}
	p.w.write("\n")
	return p.w.spend(0)
}

type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul is m followed by n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		finite(m[0]*n[0] + m[1]*n[2]), finite(m[0]*n[1] + m[1]*n[3]),
		finite(m[2]*n[0] + m[3]*n[2]), finite(m[2]*n[1] + m[3]*n[3]),
		finite(m[4]*n[0] + m[5]*n[2] + n[4]), finite(m[4]*n[1] + m[5]*n[3] + n[5]),
	}
}

// painter follows the content of a page as far as text needs: what is shown, in which font, and where, since spaces and ends of
// lines are often not written but only left blank.
type painter struct {
	p *pages
	w *work
	f *pdf.File

	ctm      matrix
	states   []matrix
	tm, line matrix
	font     *font
	size     float64
	scale    float64 // horizontal
	chars    float64 // extra space after each character
	words    float64 // and after each space
	leading  float64

	endX, endY float64 // where the last text ended, on the page
	written    bool
}

// run interprets a content stream.
func (t *painter) run(content []byte, resources dict, depth int) error {
	l := pdf.NewLexer(t.w.budget, bytes.NewReader(content), 0, false)
	var operands array
	for !t.w.full() {
		o, err := l.Object()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		op, ok := o.(keyword)
		if !ok {
			if len(operands) < maxPDFOperands {
				operands = append(operands, o)
			}
			continue
		}
		switch op {
		case "ID":
			l.SkipInlineImage(content)
		case "Do":
			err = t.form(operands, resources, depth)
		default:
			t.operator(op, operands, resources)
		}
		if err != nil {
			return err
		}
		operands = operands[:0]
	}
	return nil
}

// form runs the content of a form, which may hold the text of a whole page.
func (t *painter) form(operands array, resources dict, depth int) error {
	if len(operands) != 1 || depth >= maxPDFForms {
		return nil
	}
	key, _ := operands[0].(name)
	objects, _ := t.f.Get(resources["XObject"]).(dict)
	s, ok := t.f.Get(objects[key]).(*stream)
	if !ok || s.Dict["Subtype"] != name("Form") {
		return nil
	}
	data, err := t.f.Data(s)
	if err != nil {
		return nil
	}
	inner := *t
	if m, ok := floats(t.f.Get(s.Dict["Matrix"])); ok && len(m) == 6 {
		inner.ctm = matrix(m).mul(t.ctm)
	}
	if own, ok := t.f.Get(s.Dict["Resources"]).(dict); ok {
		resources = own
	}
	err = inner.run(data, resources, depth+1)
	t.endX, t.endY, t.written = inner.endX, inner.endY, inner.written
	return err
}

func floats(o any) ([]float64, bool) {
	a, ok := o.(array)
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = float(v)
	}
	return out, ok
}

func float(o any) float64 {
	switch n := o.(type) {
	case int:
		return finite(float64(n))
	case float64:
		return n
	}
	return 0
}

// operator carries out one operator on the text or graphics state.
func (t *painter) operator(op keyword, operands array, resources dict) {
	n, _ := floats(operands)
	switch op {
	case "BT":
		t.tm, t.line = identity, identity
	case "q":
		if len(t.states) < maxPDFStates {
			t.states = append(t.states, t.ctm)
		}
	case "Q":
		if k := len(t.states) - 1; k >= 0 {
			t.ctm, t.states = t.states[k], t.states[:k]
		}
	case "cm":
		if len(n) == 6 {
			t.ctm = matrix(n).mul(t.ctm)
		}
	case "Tm":
		if len(n) == 6 {
			t.tm, t.line = matrix(n), matrix(n)
		}
	case "Td":
		t.move(n)
	case "TD":
		if len(n) == 2 {
			t.leading = -n[1]
		}
		t.move(n)
	case "T*":
		t.move([]float64{0, -t.leading})
	default:
		t.parameter(op, operands, n, resources)
	}
}

func (t *painter) parameter(op keyword, operands array, n []float64, resources dict) {
	if len(n) == 0 {
		return
	}
	last := n[len(n)-1]
	switch op {
	case "Tf":
		key, _ := operands[0].(name)
		t.font, t.size = t.p.font(resources, key), last
	case "Tc":
		t.chars = last
	case "Tw":
		t.words = last
	case "Tz":
		t.scale = last / 100
	case "TL":
		t.leading = last
	case "Tj", "TJ", "'", "\"":
		t.show(op, operands, n)
	}
}

func (t *painter) move(n []float64) {
	if len(n) == 2 {
		t.line = matrix{1, 0, 0, 1, n[0], n[1]}.mul(t.line)
		t.tm = t.line
	}
}

// show carries out the operators that show text.
func (t *painter) show(op keyword, operands array, n []float64) {
	if op == "\"" && len(n) == 3 {
		t.words, t.chars = n[0], n[1]
	}
	if op == "'" || op == "\"" {
		t.move([]float64{0, -t.leading})
	}
	for _, o := range pdf.List(operands[len(operands)-1]) {
		if s, ok := o.(str); ok {
			t.text(s)
			continue
		}
		t.advance(-float(o) / 1000 * t.size)
	}
}

func (t *painter) advance(x float64) {
	t.tm = matrix{1, 0, 0, 1, x * t.scale, 0}.mul(t.tm)
}

// text writes one string, and before it the blank that was left.
func (t *painter) text(s str) {
	if t.font == nil {
		t.font = &font{width: usualWidth}
	}
	m := t.tm.mul(t.ctm)
	if t.written {
		t.w.write(t.blank(m))
	}
	shown := false
	width := 0.0
	t.font.decode(string(s), func(text string, w float64, space bool) {
		t.w.write(text)
		shown = shown || text != ""
		width += w/1000*t.size + t.chars
		if space {
			width += t.words
		}
	})
	t.advance(finite(width))
	if m = t.tm.mul(t.ctm); shown {
		t.endX, t.endY, t.written = m[4], m[5], true
	}
}

// blank tells what lies between the end of the last text and the place of the next: nothing, a space or the end of a line.
func (t *painter) blank(m matrix) string {
	size := math.Abs(t.size) * math.Hypot(m[0], m[1])
	if size == 0 {
		return ""
	}
	cos, sin := m[0]/math.Hypot(m[0], m[1]), m[1]/math.Hypot(m[0], m[1])
	dx, dy := m[4]-t.endX, m[5]-t.endY
	along, across := dx*cos+dy*sin, dy*cos-dx*sin
	switch {
	case math.Abs(across) > 0.6*size, along < -2*size:
		return "\n"
	case along > 0.17*size:
		return " "
	}
	return ""
}

// finite keeps sums of numbers from the file calculable.
func finite(f float64) float64 {
	const most = 1e9
	if f != f {
		return 0
	}
	return min(max(f, -most), most)
}

// bigEndian reads a big-endian number.
func bigEndian(b []byte) (n int) {
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}
