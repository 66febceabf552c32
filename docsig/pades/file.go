package pades

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

const (
	maxEntries  = 1 << 19
	maxSections = 2048
	maxStream   = 16 << 20  // of a stream that is unpacked here
	maxPacked   = 8 << 20   // of an object stream
	maxUnpacked = 512 << 20 // of all streams of a file
	keptPacked  = 4 << 20   // object streams that are kept, unpacked
	tailWindow  = 2048      // startxref stands within so many octets of the end
)

var errStructure = errors.New("PDF: broken structure")

// entry says where an object is.
type entry struct {
	kind byte  // 0 free, 1 at an offset, 2 within an object stream
	off  int64 // offset, or the number of the object stream
	gen  int   // generation, or index in the stream
}

// section is one cross-reference section: what one revision changed.
type section struct {
	off     int64
	entries map[int]entry
	trailer dict
}

// object is a value with what is needed to find its stream.
type object struct {
	value  any
	off    int64 // of "n g obj"; -1 within an object stream
	stream int64 // offset of the stream's first octet; 0 without one
}

// file is a PDF with its cross-reference sections, newest first.
type file struct {
	r        io.ReaderAt
	size     int64
	sections []section
	entries  int
	unpacked int64
	packed   map[int64]map[int]any // object streams by offset; the last few
	kept     int                   // their octets
}

// view is a revision: the sections from one on, older ones included.
type view struct {
	f    *file
	from int
}

func open(r io.ReaderAt, size int64) (*file, error) {
	f := &file{r: r, size: size, packed: map[int64]map[int]any{}}
	at, err := f.startxref(size)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for {
		if seen[at] || len(f.sections) == maxSections {
			return nil, fmt.Errorf("%w: cross-reference sections go in a circle", errStructure)
		}
		seen[at] = true
		s, err := f.section(at, true)
		if err != nil {
			return nil, err
		}
		f.sections = append(f.sections, s)
		prev, ok := s.trailer["Prev"]
		if !ok {
			return f, nil
		}
		n, ok := prev.(int64)
		if !ok {
			return nil, errStructure
		}
		at = n
	}
}

// read gives up to n octets at off.
func (f *file) read(off int64, n int) ([]byte, error) {
	if off < 0 || off >= f.size {
		return nil, errStructure
	}
	b := make([]byte, min(int64(n), f.size-off))
	k, err := f.r.ReadAt(b, off)
	if k < len(b) {
		return nil, fmt.Errorf("PDF: %w", err)
	}
	return b, nil
}

// startxref is the offset that stands before the end of a revision.
func (f *file) startxref(end int64) (int64, error) {
	from := max(0, end-tailWindow)
	b, err := f.read(from, int(end-from))
	if err != nil {
		return 0, err
	}
	i := bytes.LastIndex(b, []byte("startxref"))
	if i < 0 {
		return 0, fmt.Errorf("%w: no startxref at the end", errStructure)
	}
	l := lexer{b: b, pos: i + len("startxref"), last: true}
	v, err := l.value(0)
	n, ok := v.(int64)
	if err != nil || !ok {
		return 0, errStructure
	}
	return n, nil
}

// parse reads with a window that grows until the object is complete.
func (f *file) parse(off int64, read func(*lexer) error) error {
	for n := 4 << 10; ; n *= 4 {
		b, err := f.read(off, n)
		if err != nil {
			return err
		}
		l := &lexer{b: b, base: off, last: off+int64(len(b)) == f.size, refs: true}
		if err = read(l); !errors.Is(err, errMore) {
			return err
		}
		if n > maxObject {
			return fmt.Errorf("%w: an object of more than %d octets", errStructure, maxObject)
		}
	}
}

// section reads a cross-reference table or stream.
func (f *file) section(off int64, hybrid bool) (section, error) {
	head, err := f.read(off, 64)
	if err != nil {
		return section{}, err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(head, "\x00\t\n\f\r "), []byte("xref")) {
		return f.xrefStream(off)
	}
	s := section{off: off, entries: map[int]entry{}}
	if err := f.table(off, &s); err != nil {
		return s, err
	}
	if stm, ok := s.trailer["XRefStm"].(int64); ok && hybrid {
		x, err := f.section(stm, false)
		if err != nil {
			return s, err
		}
		for n, e := range x.entries {
			if own, ok := s.entries[n]; !ok || own.kind == 0 {
				s.entries[n] = e
			}
		}
	}
	return s, nil
}

// table reads "xref", its subsections and the trailer.
func (f *file) table(off int64, s *section) error {
	in := &lines{f: f, off: off}
	if w, err := in.word(); err != nil || w != "xref" {
		return errStructure
	}
	for {
		w, err := in.word()
		if err != nil {
			return err
		}
		if w == "trailer" {
			break
		}
		if err := f.subsection(in, s, w); err != nil {
			return err
		}
	}
	return f.parse(in.off, func(l *lexer) error {
		v, err := l.value(0)
		d, ok := v.(dict)
		if err == nil && (!ok || d[doubled] != nil) {
			err = errStructure
		}
		s.trailer = d
		return err
	})
}

func (f *file) subsection(in *lines, s *section, start string) error {
	first, err1 := strconv.Atoi(start)
	w, err2 := in.word()
	count, err3 := strconv.Atoi(w)
	if errors.Join(err1, err2, err3) != nil || first < 0 || count < 0 {
		return errStructure
	}
	for i := range count {
		if err := f.tableEntry(in, s, first+i); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) tableEntry(in *lines, s *section, num int) error {
	var w [3]string
	for i := range w {
		var err error
		if w[i], err = in.word(); err != nil {
			return err
		}
	}
	off, err1 := strconv.ParseInt(w[0], 10, 64)
	gen, err2 := strconv.Atoi(w[1])
	if err := errors.Join(err1, err2); err != nil || (w[2] != "n" && w[2] != "f") || off < 0 {
		return errStructure
	}
	e := entry{kind: 1, off: off, gen: gen}
	if w[2] == "f" || off == 0 {
		e = entry{}
	}
	return f.put(s, num, e)
}

func (f *file) put(s *section, num int, e entry) error {
	if f.entries++; f.entries > maxEntries || num < 0 {
		return fmt.Errorf("%w: more than %d objects", errStructure, maxEntries)
	}
	if _, twice := s.entries[num]; twice {
		return fmt.Errorf("%w: an object twice in one section", errStructure)
	}
	s.entries[num] = e
	return nil
}

// lines reads the words of a table in small windows.
type lines struct {
	f   *file
	off int64
	buf []byte
}

func (in *lines) word() (string, error) {
	for {
		l := lexer{b: in.buf, last: in.off+int64(len(in.buf)) >= in.f.size}
		err := l.skip()
		var w string
		if err == nil {
			w, err = l.token()
		}
		if err == nil {
			in.off, in.buf = in.off+int64(l.pos), in.buf[l.pos:]
			return w, nil
		}
		if !errors.Is(err, errMore) || len(in.buf) >= 16<<10 {
			return "", errStructure
		}
		if in.buf, err = in.f.read(in.off, 16<<10); err != nil {
			return "", err
		}
	}
}

// xrefStream reads a cross-reference stream (ISO 32000-2 section 7.5.8).
func (f *file) xrefStream(off int64) (section, error) {
	s := section{off: off, entries: map[int]entry{}}
	o, _, err := f.object(off)
	if err != nil {
		return s, err
	}
	d, ok := o.value.(dict)
	if !ok || d[doubled] != nil || d["Type"] != name("XRef") {
		return s, fmt.Errorf("%w: no cross-reference section where one should be", errStructure)
	}
	s.trailer = d
	data, err := f.unpack(view{f, 0}, o, maxStream)
	if err != nil {
		return s, err
	}
	w, err := widths(get[array](d, "W"))
	if err != nil {
		return s, err
	}
	index := get[array](d, "Index")
	if index == nil {
		index = array{int64(0), d["Size"]}
	}
	return s, f.streamEntries(&s, data, w, index)
}

// widths of the three fields of a row.
func widths(list array) (w [3]int, err error) {
	if len(list) != len(w) {
		return w, errStructure
	}
	for i := range w {
		n, ok := list[i].(int64)
		if !ok || n < 0 || n > 8 {
			return w, errStructure
		}
		w[i] = int(n)
	}
	return w, nil
}

func (f *file) streamEntries(s *section, data []byte, w [3]int, index array) error {
	row := w[0] + w[1] + w[2]
	if len(index)%2 != 0 || row == 0 {
		return errStructure
	}
	for pair := range slices.Chunk(index, 2) {
		first, ok1 := pair[0].(int64)
		count, ok2 := pair[1].(int64)
		if !ok1 || !ok2 || first < 0 || first > 1<<31 || count < 0 || count > int64(len(data)/row) {
			return errStructure
		}
		for k := range count {
			e, err := streamEntry(data[:row], w)
			if err == nil {
				err = f.put(s, int(first+k), e)
			}
			if err != nil {
				return err
			}
			data = data[row:]
		}
	}
	return nil
}

// streamEntry reads one row: type, place, generation or index.
func streamEntry(row []byte, w [3]int) (entry, error) {
	v := [3]int64{1, 0, 0} // the type of a row without one
	for j, n := range w {
		if n > 0 {
			v[j] = 0
		}
		for _, c := range row[:n] {
			v[j] = v[j]<<8 | int64(c)
		}
		row = row[n:]
	}
	if v[0] < 0 || v[0] > 2 || v[1] < 0 || v[2] < 0 || v[2] > 1<<31 {
		return entry{}, errStructure
	}
	if v[0] == 0 {
		return entry{}, nil
	}
	return entry{byte(v[0]), v[1], int(v[2])}, nil
}

// object reads "n g obj" at an offset.
func (f *file) object(off int64) (o object, id ref, err error) {
	err = f.parse(off, func(l *lexer) error {
		o = object{off: off}
		if id, err = l.head(); err != nil {
			return err
		}
		if o.value, err = l.value(0); err != nil {
			return err
		}
		if o.value == keyword("endobj") {
			o.value = nil
			return nil
		}
		switch after, err := l.value(0); {
		case err != nil:
			return err
		case after == keyword("stream"):
			return l.streamStart(&o)
		case after != keyword("endobj"):
			return errStructure
		}
		return nil
	})
	return o, id, err
}

// head reads "n g obj".
func (l *lexer) head() (id ref, err error) {
	var head [3]any
	l.refs = false
	for i := range head {
		if head[i], err = l.value(0); err != nil {
			return id, err
		}
	}
	l.refs = true
	num, ok1 := head[0].(int64)
	gen, ok2 := head[1].(int64)
	if !ok1 || !ok2 || head[2] != keyword("obj") || num < 0 || num > 1<<31 || gen < 0 || gen > 65535 {
		return id, errStructure
	}
	return ref{int(num), int(gen)}, nil
}

// streamStart passes the end of the line after "stream".
func (l *lexer) streamStart(o *object) error {
	if l.pos+2 > len(l.b) {
		return l.end()
	}
	switch {
	case l.b[l.pos] == '\r' && l.b[l.pos+1] == '\n':
		l.pos += 2
	case l.b[l.pos] == '\n' || l.b[l.pos] == '\r':
		l.pos++
	default:
		return errStructure
	}
	o.stream = l.base + int64(l.pos)
	return nil
}

// lookup finds the entry of an object in a revision.
func (v view) lookup(num int) (entry, bool) {
	for _, s := range v.f.sections[v.from:] {
		if e, ok := s.entries[num]; ok {
			return e, e.kind != 0
		}
	}
	return entry{}, false
}

// root is the catalog of a revision.
func (v view) root() (dict, ref, error) {
	id := get[ref](v.f.sections[v.from].trailer, "Root")
	o, err := v.load(id)
	d, ok := o.value.(dict)
	if err != nil || !ok || d[doubled] != nil {
		return nil, id, errors.Join(errStructure, err)
	}
	return d, id, nil
}

// load reads an object. One that is not there is null, as the standard says.
func (v view) load(id ref) (object, error) {
	e, ok := v.lookup(id.num)
	switch {
	case !ok, e.kind == 1 && e.gen != id.gen, e.kind == 2 && id.gen != 0:
		return object{}, nil
	case e.kind == 1:
		o, got, err := v.f.object(e.off)
		if err == nil && got != id {
			err = fmt.Errorf("%w: another object at its place", errStructure)
		}
		return o, err
	}
	values, err := v.packed(e.off)
	if err != nil {
		return object{}, err
	}
	val, ok := values[id.num]
	if !ok {
		return object{}, fmt.Errorf("%w: not in its object stream", errStructure)
	}
	return object{value: val, off: -1}, nil
}

// resolve follows a reference, not further than a few.
func (v view) resolve(val any) (any, error) {
	for range 8 {
		id, ok := val.(ref)
		if !ok {
			return val, nil
		}
		o, err := v.load(id)
		if err != nil {
			return nil, err
		}
		val = o.value
	}
	return nil, errStructure
}

// packed reads an object stream (ISO 32000-2 section 7.5.7).
func (v view) packed(num int64) (map[int]any, error) {
	e, ok := v.lookup(int(num))
	if !ok || e.kind != 1 {
		return nil, errStructure
	}
	if got, ok := v.f.packed[e.off]; ok {
		return got, nil
	}
	o, id, err := v.f.object(e.off)
	if err != nil || int64(id.num) != num || asDict(o.value)["Type"] != name("ObjStm") {
		return nil, errors.Join(errStructure, err)
	}
	data, err := v.f.unpack(v, o, maxPacked)
	if err != nil {
		return nil, err
	}
	out, err := values(data, get[int64](asDict(o.value), "First"), get[int64](asDict(o.value), "N"))
	if err != nil {
		return nil, err
	}
	if v.f.kept += len(data); v.f.kept > keptPacked {
		clear(v.f.packed)
		v.f.kept = len(data)
	}
	v.f.packed[e.off] = out
	return out, nil
}

// values reads the n values of an object stream by the numbers before first.
func values(data []byte, first, n int64) (map[int]any, error) {
	if first < 0 || first > int64(len(data)) || n < 0 || n > int64(len(data)) {
		return nil, errStructure
	}
	out := map[int]any{}
	head := lexer{b: data[:first], last: true}
	for range n {
		num, ok1 := head.int()
		off, ok2 := head.int()
		if !ok1 || !ok2 || off < 0 || off > int64(len(data))-first {
			return nil, errStructure
		}
		l := lexer{b: data[first+off:], last: true, refs: true, base: -1 << 62}
		val, err := l.value(0)
		if err != nil {
			return nil, err
		}
		if _, twice := out[int(num)]; twice {
			return nil, errStructure
		}
		out[int(num)] = val
	}
	return out, nil
}

// int reads a value that must be a number.
func (l *lexer) int() (int64, bool) {
	v, err := l.value(0)
	n, ok := v.(int64)
	return n, ok && err == nil
}

// unpack reads a stream, plain or deflated, of limit octets at most.
func (f *file) unpack(v view, o object, limit int64) ([]byte, error) {
	d := asDict(o.value)
	length, err := f.length(v, d)
	if err != nil || o.stream == 0 || length > f.size-o.stream {
		return nil, errors.Join(errStructure, err)
	}
	raw := io.NewSectionReader(f.r, o.stream, length)
	filter, parms := only(d["Filter"]), only(d["DecodeParms"])
	var in io.Reader = raw
	switch filter {
	case nil:
	case name("FlateDecode"), name("Fl"):
		z, err := zlib.NewReader(raw)
		if err != nil {
			return nil, errStructure
		}
		in = z
	default:
		return nil, fmt.Errorf("%w: filter", errStructure)
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	f.unpacked += int64(len(data))
	if err != nil || int64(len(data)) > limit || f.unpacked > maxUnpacked {
		return nil, errors.Join(errStructure, err)
	}
	return unpredict(data, asDict(parms))
}

// length of a stream, which may stand in an object of its own.
func (f *file) length(v view, d dict) (int64, error) {
	val := d["Length"]
	if id, ok := val.(ref); ok && len(f.sections) > 0 {
		if e, ok := v.lookup(id.num); ok && e.kind == 1 { // never within a stream
			o, _, err := f.object(e.off)
			if err != nil {
				return 0, err
			}
			val = o.value
		}
	}
	n, ok := val.(int64)
	if !ok || n < 0 {
		return 0, errStructure
	}
	return n, nil
}

// only gives the one element of an array of one, nil for an empty array, and
// anything else as it is: a filter may stand in an array.
func only(v any) any {
	a, ok := v.(array)
	switch {
	case ok && len(a) == 0:
		return nil
	case ok && len(a) == 1:
		return a[0]
	case ok:
		return keyword("several")
	}
	return v
}

// unpredict undoes the PNG predictors, which cross-reference streams use.
func unpredict(data []byte, p dict) ([]byte, error) {
	if n := get[int64](p, "Predictor"); n < 2 {
		return data, nil
	} else if n < 10 {
		return nil, errStructure
	}
	columns, ok := p["Columns"].(int64)
	if !ok {
		columns = 1
	}
	if columns < 1 || columns > 1<<16 || get[int64](p, "Colors") > 1 || (p["BitsPerComponent"] != nil && p["BitsPerComponent"] != int64(8)) {
		return nil, errStructure
	}
	n := int(columns)
	out, prior := make([]byte, 0, len(data)), make([]byte, n)
	for len(data) > n {
		row := bytes.Clone(data[1 : n+1])
		if !unfilter(data[0], row, prior) {
			return nil, errStructure
		}
		data = data[n+1:]
		out, prior = append(out, row...), row
	}
	return out, nil
}

// unfilter undoes the filter of one row, and tells whether it knows it.
func unfilter(kind byte, row, prior []byte) bool {
	for i := range row {
		var left, upLeft byte
		if i > 0 {
			left, upLeft = row[i-1], prior[i-1]
		}
		switch kind {
		case 0:
		case 1:
			row[i] += left
		case 2:
			row[i] += prior[i]
		case 3:
			row[i] += byte((int(left) + int(prior[i])) / 2)
		case 4:
			row[i] += paeth(left, prior[i], upLeft)
		default:
			return false
		}
	}
	return true
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	if pa <= pb && pa <= pc {
		return a
	}
	if pb <= pc {
		return b
	}
	return c
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
