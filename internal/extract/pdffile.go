package extract

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"fmt"
	"io"
	"slices"
)

// A place says where an object is: at an offset of the file, or as one of those in an object stream.
type place struct {
	offset int64
	in     int // number of the object stream, 0: none
}

// A pdfFile gives access to the objects of a PDF file.
type pdfFile struct {
	w       *work
	r       io.ReaderAt
	size    int64
	places  map[int]place
	trailer dict

	loading map[int]bool
	objects map[int]any
	packed  map[int]*packed
}

// packed is an unpacked object stream.
type packed struct {
	data  []byte
	first int
	at    map[int]int
}

const (
	maxPDFObjects  = 2 << 20 // entries of the cross-reference table
	maxPDFSections = 1000    // of it
	maxPDFCache    = 20_000  // objects
	maxPDFPacked   = 200     // object streams
	maxPDFStream   = 64 << 20
)

// openPDF reads the cross-reference table.
func openPDF(w *work, r io.ReaderAt, size int64) (*pdfFile, error) {
	f := &pdfFile{w: w, r: r, size: size, places: map[int]place{}, trailer: dict{}, loading: map[int]bool{}, objects: map[int]any{},
		packed: map[int]*packed{}}
	start, err := startXref(r, size)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for next := []int64{start}; len(next) > 0; {
		at := next[0]
		next = next[1:]
		if seen[at] {
			continue
		}
		if seen[at] = true; len(seen) > maxPDFSections || at < 0 || at >= size {
			return nil, errPDF
		}
		trailer, err := f.section(at)
		if err != nil {
			return nil, err
		}
		for k, v := range trailer {
			if _, ok := f.trailer[k]; !ok {
				f.trailer[k] = v
			}
		}
		for _, k := range []name{"XRefStm", "Prev"} {
			if n, ok := trailer[k].(int); ok {
				next = append(next, int64(n))
			}
		}
	}
	return f, nil
}

// startXref finds the last "startxref" and the offset after it.
func startXref(r io.ReaderAt, size int64) (int64, error) {
	tail := make([]byte, min(size, 2048))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF || n < len(tail) {
		return 0, errPDF
	}
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 || !bytes.Contains(tail[i:], []byte("%%EOF")) {
		return 0, errPDF
	}
	var at int64
	if _, err := fmt.Sscan(string(tail[i+len("startxref"):]), &at); err != nil || at <= 0 || at >= size {
		return 0, errPDF
	}
	return at, nil
}

// section reads one section of the cross-reference table and returns its trailer.
func (f *pdfFile) section(at int64) (dict, error) {
	l := newLexer(f.w, f.r, at, true)
	t, err := l.token()
	if err != nil {
		return nil, err
	}
	if t == keyword("xref") {
		return f.table(l)
	}
	o, err := f.indirect(at, -1)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*stream)
	if !ok || s.dict["Type"] != name("XRef") {
		return nil, errPDF
	}
	return s.dict, f.xrefStream(s)
}

// table reads a section written as text.
func (f *pdfFile) table(l *lexer) (dict, error) {
	for {
		t, err := l.token()
		if err != nil {
			return nil, err
		}
		if t == keyword("trailer") {
			o, err := l.object(0)
			d, ok := o.(dict)
			if err == nil && !ok {
				err = errPDF
			}
			return d, err
		}
		first, ok1 := t.(int)
		t, err = l.token()
		count, ok2 := t.(int)
		if err != nil || !ok1 || !ok2 || count < 0 {
			return nil, errPDF
		}
		for i := range count {
			offset, err := l.token()
			at, ok := offset.(int)
			if err != nil || !ok {
				return nil, errPDF
			}
			if _, err := l.token(); err != nil {
				return nil, errPDF
			}
			kind, err := l.token()
			if err != nil || kind != keyword("n") && kind != keyword("f") {
				return nil, errPDF
			}
			if kind == keyword("n") {
				if err := f.place(first+i, place{offset: int64(at)}); err != nil {
					return nil, err
				}
			}
		}
	}
}

// place notes where an object is; sections are read from the newest to the oldest, so the first word holds.
func (f *pdfFile) place(n int, p place) error {
	if _, ok := f.places[n]; ok {
		return nil
	}
	if len(f.places) >= maxPDFObjects || n < 0 {
		return errPDF
	}
	f.places[n] = p
	return f.w.spend(32)
}

// xrefStream reads a section written as a stream of fixed-width numbers.
func (f *pdfFile) xrefStream(s *stream) error {
	data, err := f.data(s)
	if err != nil {
		return err
	}
	widths, ok := ints(s.dict["W"])
	if !ok || len(widths) < 3 || slices.Min(widths) < 0 || slices.Max(widths) > 8 {
		return errPDF
	}
	index, ok := ints(s.dict["Index"])
	if !ok {
		size, _ := s.dict["Size"].(int)
		index = []int{0, size}
	}
	width := widths[0] + widths[1] + widths[2]
	for len(index) >= 2 && width > 0 {
		first, count := index[0], index[1]
		index = index[2:]
		for i := 0; i < count && len(data) >= width; i++ {
			kind := 1
			if widths[0] > 0 {
				kind = number(data[:widths[0]])
			}
			a := number(data[widths[0] : widths[0]+widths[1]])
			data = data[width:]
			switch kind {
			case 1:
				err = f.place(first+i, place{offset: int64(a)})
			case 2:
				err = f.place(first+i, place{in: max(a, 1)})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func ints(o any) ([]int, bool) {
	a, ok := o.(array)
	out := make([]int, len(a))
	for i, v := range a {
		n, isInt := v.(int)
		out[i], ok = n, ok && isInt
	}
	return out, ok
}

// number reads a big-endian number.
func number(b []byte) (n int) {
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}

// indirect reads the indirect object at an offset; want is its number, -1 for any.
func (f *pdfFile) indirect(at int64, want int) (any, error) {
	if at <= 0 || at >= f.size {
		return nil, errPDF
	}
	l := newLexer(f.w, f.r, at, false)
	n, err := l.token()
	if err != nil {
		return nil, err
	}
	if number, ok := n.(int); !ok || want >= 0 && number != want {
		return nil, errPDF
	}
	if _, err = l.token(); err != nil {
		return nil, err
	}
	if k, err := l.token(); err != nil || k != keyword("obj") {
		return nil, errPDF
	}
	l.refs = true
	o, err := l.object(0)
	if err != nil {
		return nil, err
	}
	d, ok := o.(dict)
	if !ok {
		return o, nil
	}
	if l.mustToken() != keyword("stream") {
		return d, nil
	}
	if c, _ := l.peek(); c == '\r' {
		l.pos++
	}
	if c, _ := l.peek(); c == '\n' {
		l.pos++
	}
	return &stream{d, l.pos}, nil
}

// get follows references. What is missing or broken is nil.
func (f *pdfFile) get(o any) any {
	for range 20 {
		r, ok := o.(ref)
		if !ok {
			return o
		}
		o = f.load(int(r))
	}
	return nil
}

func (f *pdfFile) load(n int) any {
	if o, ok := f.objects[n]; ok {
		return o
	}
	p, ok := f.places[n]
	if !ok || f.loading[n] || len(f.loading) > maxPDFDepth {
		return nil
	}
	f.loading[n] = true
	defer delete(f.loading, n)
	var o any
	if p.in > 0 {
		o = f.unpacked(p.in, n)
	} else {
		o, _ = f.indirect(p.offset, n)
	}
	if len(f.objects) < maxPDFCache {
		f.objects[n] = o
	}
	return o
}

// unpacked takes an object out of an object stream.
func (f *pdfFile) unpacked(from, n int) any {
	p, ok := f.packed[from]
	if !ok {
		p = f.unpack(from)
		if len(f.packed) < maxPDFPacked {
			f.packed[from] = p
		}
	}
	if p == nil {
		return nil
	}
	at, ok := p.at[n]
	if !ok || at < 0 || at >= len(p.data) {
		return nil
	}
	o, err := newLexer(f.w, bytes.NewReader(p.data), int64(at), true).object(0)
	if err != nil {
		return nil
	}
	return o
}

func (f *pdfFile) unpack(n int) *packed {
	s, ok := f.load(n).(*stream)
	if !ok || s.dict["Type"] != name("ObjStm") {
		return nil
	}
	data, err := f.data(s)
	if err != nil {
		return nil
	}
	count, _ := f.get(s.dict["N"]).(int)
	first, _ := f.get(s.dict["First"]).(int)
	p := &packed{data: data, first: first, at: map[int]int{}}
	l := newLexer(f.w, bytes.NewReader(data), 0, false)
	for range count {
		a, err1 := l.token()
		b, err2 := l.token()
		number, ok1 := a.(int)
		at, ok2 := b.(int)
		if err1 != nil || err2 != nil || !ok1 || !ok2 {
			break
		}
		if _, ok := p.at[number]; !ok {
			p.at[number] = first + at
		}
	}
	return p
}

// data unpacks a stream. Of a damaged one it gives what can be had.
func (f *pdfFile) data(s *stream) ([]byte, error) {
	length, ok := f.get(s.dict["Length"]).(int)
	if !ok || length < 0 || int64(length) > f.size-s.offset {
		length = int(f.size - s.offset)
	}
	filters, params := list(f.get(s.dict["Filter"])), list(f.get(s.dict["DecodeParms"]))
	if len(filters) > 4 {
		return nil, errPDF
	}
	var r io.Reader = io.NewSectionReader(f.r, s.offset, int64(length))
	for i, o := range filters {
		filter, _ := f.get(o).(name)
		var param dict
		if i < len(params) {
			param, _ = f.get(params[i]).(dict)
		}
		var err error
		if r, err = f.filter(r, filter, param); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(counted{f.w, r}, maxPDFStream))
	if len(data) > 0 && f.w.bytes >= 0 && f.w.ctx.Err() == nil {
		return data, nil
	}
	return data, err
}

// list makes a list of an array, or of a single value.
func list(o any) array {
	switch o := o.(type) {
	case nil:
		return nil
	case array:
		return o
	}
	return array{o}
}

func (f *pdfFile) filter(r io.Reader, filter name, param dict) (io.Reader, error) {
	switch filter {
	case "FlateDecode", "Fl":
		z, err := zlib.NewReader(r)
		if err != nil {
			return nil, err
		}
		return f.predictor(z, param)
	case "ASCII85Decode", "A85":
		return ascii85.NewDecoder(&until{r: r, mark: '~'}), nil
	case "ASCIIHexDecode", "AHx":
		return &hexReader{r: &until{r: r, mark: '>'}}, nil
	}
	return nil, fmt.Errorf("filter %.40q", string(filter))
}

// predictor undoes the PNG prediction that tables are often packed with.
func (f *pdfFile) predictor(r io.Reader, param dict) (io.Reader, error) {
	kind, _ := f.get(param["Predictor"]).(int)
	if kind < 10 {
		return r, nil
	}
	value := func(k name, fallback int) int {
		if n, ok := f.get(param[k]).(int); ok {
			return n
		}
		return fallback
	}
	columns, colors, depth := value("Columns", 1), value("Colors", 1), value("BitsPerComponent", 8)
	const most = 1 << 20
	if columns <= 0 || columns > most || colors <= 0 || colors > 32 || depth <= 0 || depth > 16 {
		return nil, errPDF
	}
	row := (columns*colors*depth + 7) / 8
	if row > most {
		return nil, errPDF
	}
	return &pngRows{r: r, step: max(1, colors*depth/8), row: make([]byte, row+1), last: make([]byte, row+1)}, nil
}

// until reads up to a mark.
type until struct {
	r    io.Reader
	mark byte
	done bool
}

func (u *until) Read(p []byte) (int, error) {
	if u.done {
		return 0, io.EOF
	}
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], u.mark); i >= 0 {
		u.done = true
		return i, nil
	}
	return n, err
}

type hexReader struct{ r io.Reader }

func (h *hexReader) Read(p []byte) (int, error) {
	var raw [512]byte
	n := 0
	half := -1
	for n == 0 && len(p) > 0 {
		m, err := io.ReadAtLeast(h.r, raw[:min(len(raw), 2*len(p))], 2)
		for _, c := range raw[:m] {
			switch d := unhex(c); {
			case d < 0:
			case half < 0:
				half = d
			default:
				p[n] = byte(half<<4 | d)
				n, half = n+1, -1
			}
		}
		if err != nil {
			return n, io.EOF
		}
	}
	return n, nil
}

// pngRows undoes PNG filters row by row.
type pngRows struct {
	r         io.Reader
	step      int
	row, last []byte // with the filter's number in front
	rest      []byte
}

func (p *pngRows) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		p.row, p.last = p.last, p.row
		if _, err := io.ReadFull(p.r, p.row); err != nil {
			return 0, io.EOF
		}
		p.undo()
		p.rest = p.row[1:]
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pngRows) undo() {
	cur, up := p.row[1:], p.last[1:]
	for i := range cur {
		var left, corner byte
		if i >= p.step {
			left, corner = cur[i-p.step], up[i-p.step]
		}
		switch p.row[0] {
		case 1:
			cur[i] += left
		case 2:
			cur[i] += up[i]
		case 3:
			cur[i] += byte((int(left) + int(up[i])) / 2)
		case 4:
			cur[i] += paeth(left, up[i], corner)
		}
	}
}

func paeth(a, b, c byte) byte {
	pa, pb, pc := abs(int(b)-int(c)), abs(int(a)-int(c)), abs(int(a)+int(b)-2*int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
