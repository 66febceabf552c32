package pdf

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

// A Section is one part of the cross-reference table.
type Section struct {
	Offset  int64
	Stream  bool // a cross-reference stream, not a table in text
	Sloppy  bool // a table whose first line is not just "xref"
	Loose   bool // a table whose numbers have more than one space between
	Trailer Dict
}

// A File gives access to the objects of a PDF file. It is not for several goroutines.
type File struct {
	Trailer  Dict      // of all sections; the newest word holds
	Sections []Section // the newest first

	b      *Budget
	r      io.ReaderAt
	size   int64
	places map[int]place
	loose  bool // the section that is read has more than one space between numbers

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
	maxObjects  = 2 << 20 // entries of the cross-reference table
	maxSections = 1000    // of it
	maxCache    = 20_000  // objects
	maxPacked   = 200     // object streams
	maxStream   = 64 << 20
)

// Open reads the cross-reference table of a file of a given size.
func Open(b *Budget, r io.ReaderAt, size int64) (*File, error) {
	f := &File{b: b, r: r, size: size, places: map[int]place{}, Trailer: Dict{}, loading: map[int]bool{}, objects: map[int]any{},
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
		if seen[at] = true; len(seen) > maxSections || at < 0 || at >= size {
			return nil, ErrBroken
		}
		trailer, err := f.section(at)
		if err != nil {
			return nil, err
		}
		for k, v := range trailer {
			if _, ok := f.Trailer[k]; !ok {
				f.Trailer[k] = v
			}
		}
		for _, k := range []Name{"XRefStm", "Prev"} {
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
		return 0, ErrBroken
	}
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 || !bytes.Contains(tail[i:], []byte("%%EOF")) {
		return 0, ErrBroken
	}
	var at int64
	if _, err := fmt.Sscan(string(tail[i+len("startxref"):]), &at); err != nil || at <= 0 || at >= size {
		return 0, ErrBroken
	}
	return at, nil
}

// section reads one section of the cross-reference table and returns its trailer.
func (f *File) section(at int64) (Dict, error) {
	l := NewLexer(f.b, f.r, at, true)
	t, err := l.token()
	if err != nil {
		return nil, err
	}
	if t == Keyword("xref") {
		f.loose = false
		trailer, err := f.table(l)
		f.Sections = append(f.Sections, f.tableSection(at, trailer))
		return trailer, err
	}
	o, err := f.indirect(at, -1)
	if err != nil {
		return nil, err
	}
	s, ok := o.(*Stream)
	if !ok || s.Dict["Type"] != Name("XRef") {
		return nil, ErrBroken
	}
	f.Sections = append(f.Sections, Section{Offset: at, Stream: true, Trailer: s.Dict})
	return s.Dict, f.xrefStream(s)
}

// table reads a section written as text.
func (f *File) table(l *Lexer) (Dict, error) {
	for {
		t, err := l.token()
		if err != nil {
			return nil, err
		}
		if t == Keyword("trailer") {
			o, err := l.object(0)
			d, ok := o.(Dict)
			if err == nil && !ok {
				err = ErrBroken
			}
			return d, err
		}
		first, ok1 := t.(int)
		if gap := f.window(l.pos, 2); len(gap) < 2 || gap[0] != ' ' || gap[1] < '0' || gap[1] > '9' {
			f.loose = true
		}
		t, err = l.token()
		count, ok2 := t.(int)
		if err != nil || !ok1 || !ok2 || count < 0 {
			return nil, ErrBroken
		}
		for i := range count {
			if err := f.tableEntry(l, first+i); err != nil {
				return nil, err
			}
		}
	}
}

// tableEntry reads "offset generation n", or "… f" of an object that is free.
func (f *File) tableEntry(l *Lexer, number int) error {
	offset, err := l.token()
	at, ok := offset.(int)
	if err != nil || !ok {
		return ErrBroken
	}
	if _, err := l.token(); err != nil {
		return ErrBroken
	}
	kind, err := l.token()
	if err != nil || kind != Keyword("n") && kind != Keyword("f") {
		return ErrBroken
	}
	if kind == Keyword("n") {
		return f.place(number, place{offset: int64(at)})
	}
	return nil
}

// place notes where an object is; sections are read from the newest to the oldest, so the first word holds.
func (f *File) place(n int, p place) error {
	if _, ok := f.places[n]; ok {
		return nil
	}
	if len(f.places) >= maxObjects || n < 0 {
		return ErrBroken
	}
	f.places[n] = p
	return f.b.Spend(32)
}

// xrefStream reads a section written as a stream of fixed-width numbers.
func (f *File) xrefStream(s *Stream) error {
	data, err := f.Data(s)
	if err != nil {
		return err
	}
	widths, ok := ints(s.Dict["W"])
	if !ok || len(widths) < 3 || slices.Min(widths) < 0 || slices.Max(widths) > 8 {
		return ErrBroken
	}
	index, ok := ints(s.Dict["Index"])
	if !ok {
		size, _ := s.Dict["Size"].(int)
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
	a, ok := o.(Array)
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
func (f *File) indirect(at int64, want int) (any, error) {
	o, _, err := f.parse(at, want)
	return o, err
}

// parse is indirect that returns the lexer too, which stands behind what was read.
func (f *File) parse(at int64, want int) (any, *Lexer, error) {
	if at <= 0 || at >= f.size {
		return nil, nil, ErrBroken
	}
	l := NewLexer(f.b, f.r, at, false)
	n, err := l.token()
	if err != nil {
		return nil, nil, err
	}
	if number, ok := n.(int); !ok || want >= 0 && number != want {
		return nil, nil, ErrBroken
	}
	if _, err = l.token(); err != nil {
		return nil, nil, err
	}
	if k, err := l.token(); err != nil || k != Keyword("obj") {
		return nil, nil, ErrBroken
	}
	l.refs = true
	o, err := l.object(0)
	if err != nil {
		return nil, nil, err
	}
	d, ok := o.(Dict)
	if !ok {
		return o, l, nil
	}
	back := l.pos
	if l.mustToken() != Keyword("stream") {
		l.pos = back
		return d, l, nil
	}
	if c, _ := l.peek(); c == '\r' {
		l.pos++
	}
	if c, _ := l.peek(); c == '\n' {
		l.pos++
	}
	return &Stream{d, l.pos}, l, nil
}

// Get follows references. What is missing or broken is nil.
func (f *File) Get(o any) any {
	for range 20 {
		r, ok := o.(Ref)
		if !ok {
			return o
		}
		o = f.load(int(r))
	}
	return nil
}

func (f *File) load(n int) any {
	if o, ok := f.objects[n]; ok {
		return o
	}
	p, ok := f.places[n]
	if !ok || f.loading[n] || len(f.loading) > maxDepth {
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
	if len(f.objects) < maxCache {
		f.objects[n] = o
	}
	return o
}

// unpacked takes an object out of an object stream.
func (f *File) unpacked(from, n int) any {
	p := f.packedIn(from)
	if p == nil {
		return nil
	}
	at, ok := p.at[n]
	if !ok || at < 0 || at >= len(p.data) {
		return nil
	}
	o, err := newBytesLexer(f.b, p.data, int64(at), true).object(0)
	if err != nil {
		return nil
	}
	return o
}

// packedIn unpacks an object stream, or remembers it.
func (f *File) packedIn(from int) *packed {
	p, ok := f.packed[from]
	if !ok {
		p = f.unpack(from)
		if len(f.packed) < maxPacked {
			f.packed[from] = p
		}
	}
	return p
}

func (f *File) unpack(n int) *packed {
	s, ok := f.load(n).(*Stream)
	if !ok || s.Dict["Type"] != Name("ObjStm") {
		return nil
	}
	data, err := f.Data(s)
	if err != nil {
		return nil
	}
	count, _ := f.Get(s.Dict["N"]).(int)
	first, _ := f.Get(s.Dict["First"]).(int)
	p := &packed{data: data, first: first, at: map[int]int{}}
	l := newBytesLexer(f.b, data, 0, false)
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

// Data unpacks a stream. Of a damaged one it gives what can be had.
func (f *File) Data(s *Stream) ([]byte, error) {
	length, ok := f.Get(s.Dict["Length"]).(int)
	if !ok || length < 0 || int64(length) > f.size-s.Offset {
		length = int(f.size - s.Offset)
	}
	filters, params := List(f.Get(s.Dict["Filter"])), List(f.Get(s.Dict["DecodeParms"]))
	if len(filters) > 4 {
		return nil, ErrBroken
	}
	var r io.Reader = io.NewSectionReader(f.r, s.Offset, int64(length))
	for i, o := range filters {
		filter, _ := f.Get(o).(Name)
		var param Dict
		if i < len(params) {
			param, _ = f.Get(params[i]).(Dict)
		}
		var err error
		if r, err = f.filter(r, filter, param); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f.b.Reader(r), maxStream))
	if len(data) > 0 && !f.b.Spent() && f.b.ctx.Err() == nil {
		return data, nil
	}
	return data, err
}

// List makes a list of an array, or of a single value.
func List(o any) Array {
	switch o := o.(type) {
	case nil:
		return nil
	case Array:
		return o
	}
	return Array{o}
}

func (f *File) filter(r io.Reader, filter Name, param Dict) (io.Reader, error) {
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
func (f *File) predictor(r io.Reader, param Dict) (io.Reader, error) {
	kind, _ := f.Get(param["Predictor"]).(int)
	if kind < 10 {
		return r, nil
	}
	value := func(k Name, fallback int) int {
		if n, ok := f.Get(param[k]).(int); ok {
			return n
		}
		return fallback
	}
	columns, colors, depth := value("Columns", 1), value("Colors", 1), value("BitsPerComponent", 8)
	const most = 1 << 20
	if columns <= 0 || columns > most || colors <= 0 || colors > 32 || depth <= 0 || depth > 16 {
		return nil, ErrBroken
	}
	row := (columns*colors*depth + 7) / 8
	if row > most {
		return nil, ErrBroken
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
