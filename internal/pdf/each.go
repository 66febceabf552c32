package pdf

import (
	"bytes"
	"cmp"
	"slices"
)

// An Object is an indirect object as it stands in the file.
type Object struct {
	Number int
	Value  any
	Offset int64 // 0: in an object stream
	Flaws  Flaws
}

// Each calls fn for every indirect object of the cross-reference table in the order of the file, and for those in object streams after
// them; what cannot be read is left out. An error of fn ends it. Nothing is kept: memory does not grow with the number of objects.
func (f *File) Each(fn func(Object) error) error {
	var plain []int
	inside := map[int][]int{}
	for n, p := range f.places {
		if p.in > 0 {
			inside[p.in] = append(inside[p.in], n)
		} else if p.offset > 0 {
			plain = append(plain, n)
		}
	}
	slices.SortFunc(plain, func(a, b int) int { return cmp.Compare(f.places[a].offset, f.places[b].offset) })
	for _, n := range plain {
		if err := f.b.Spend(64); err != nil {
			return err
		}
		o, flaws, err := f.strict(f.places[n].offset, n)
		if err != nil {
			continue
		}
		if err := fn(Object{n, o, f.places[n].offset, flaws}); err != nil {
			return err
		}
	}
	for _, from := range sortedKeys(inside) {
		if err := f.eachPacked(from, inside[from], fn); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys(m map[int][]int) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (f *File) eachPacked(from int, numbers []int, fn func(Object) error) error {
	p := f.packedIn(from)
	if p == nil {
		return f.b.Spend(0)
	}
	slices.Sort(numbers)
	l := newBytesLexer(f.b, p.data, 0, true)
	for _, n := range numbers {
		at, ok := p.at[n]
		if !ok || at < 0 || at >= len(p.data) {
			continue
		}
		l.Flaws = Flaws{}
		l.MoveTo(int64(at))
		o, err := l.Object()
		if spent := f.b.Spend(64); spent != nil {
			return spent
		}
		if err != nil {
			continue
		}
		if err := fn(Object{Number: n, Value: o, Flaws: l.Flaws}); err != nil {
			return err
		}
	}
	return nil
}

// strict reads an indirect object and looks at how it is written.
func (f *File) strict(at int64, want int) (any, Flaws, error) {
	o, l, err := f.parse(at, want)
	if err != nil {
		return nil, Flaws{}, err
	}
	flaws := l.Flaws
	if !f.tidyHead(at) {
		flaws.Spacing = true
	}
	end := l.pos
	if s, ok := o.(*Stream); ok {
		if end = f.tidyStream(s, &flaws); flaws.StreamLine || flaws.WrongLength {
			return o, flaws, nil
		}
	}
	if !f.tidyEnd(end) {
		flaws.Spacing = true
	}
	return o, flaws, nil
}

// window reads up to n bytes at a place.
func (f *File) window(at int64, n int) []byte {
	if at < 0 {
		return nil
	}
	b := make([]byte, n)
	k, _ := f.r.ReadAt(b, at)
	return b[:max(k, 0)]
}

func isLine(c byte) bool { return c == '\n' || c == '\r' }

// digits cuts a number off the front, and the one white space behind it.
func digits(b []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	if n == 0 || n >= len(b) || !isSpace(b[n]) {
		return nil, false
	}
	return b[n+1:], true
}

// tidyHead tells whether "n g obj" is written with single spaces on a line of its own.
func (f *File) tidyHead(at int64) bool {
	b := f.window(at-1, 40)
	for len(b) > 2 && isLine(b[1]) { // the offset may be that of the end of the line before
		b = b[1:]
	}
	if len(b) < 2 || !isLine(b[0]) {
		return false
	}
	b, ok := digits(b[1:])
	if !ok {
		return false
	}
	b, ok = digits(b)
	b, found := bytes.CutPrefix(b, []byte("obj"))
	return ok && found && len(b) > 0 && isLine(b[0])
}

// tidyEnd tells whether "endobj" stands on a line of its own.
func (f *File) tidyEnd(at int64) bool {
	b := f.window(at, 256)
	trimmed := bytes.TrimLeft(b, " \t\r\n\f\x00")
	if bytes.HasPrefix(trimmed, []byte("%")) { // comments may be of any length
		return true
	}
	n := len(b) - len(trimmed)
	rest, ok := bytes.CutPrefix(trimmed, []byte("endobj"))
	return ok && n > 0 && isLine(b[n-1]) && (len(rest) == 0 || isLine(rest[0]))
}

// tidyStream looks at the ends of a stream. It returns the place behind "endstream".
func (f *File) tidyStream(s *Stream, flaws *Flaws) (end int64) {
	before := f.window(s.Offset-2, 2)
	flaws.StreamLine = len(before) < 2 || before[1] != '\n'
	length, ok := f.Get(s.Dict["Length"]).(int)
	if !ok || length < 0 || int64(length) > f.size-s.Offset {
		flaws.WrongLength = true
		return 0
	}
	end = s.Offset + int64(length)
	b := f.window(end, 24)
	for _, eol := range []string{"\r\n", "\n", "\r"} {
		if rest, ok := bytes.CutPrefix(b, []byte(eol)); ok && bytes.HasPrefix(rest, []byte("endstream")) {
			return end + int64(len(eol)) + 9
		}
	}
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("endstream")) {
		flaws.StreamLine = true
	} else {
		flaws.WrongLength = true
	}
	return 0
}

// tableSection looks at how a table in text is written: "xref", end of line, "first count" with one space, entries.
func (f *File) tableSection(at int64, trailer Dict) Section {
	s := Section{Offset: at, Trailer: trailer}
	b := bytes.TrimLeft(f.window(at, 64), " \t\r\n")
	rest, ok := bytes.CutPrefix(b, []byte("xref"))
	if !ok || len(rest) < 2 || !isLine(rest[0]) {
		s.Sloppy = true
		return s
	}
	rest = rest[1:]
	if b[4] == '\r' && rest[0] == '\n' {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] < '0' || rest[0] > '9' {
		s.Sloppy = true
		return s
	}
	s.Loose = f.loose
	return s
}

// Content reads a content stream, in which there are no references. What it costs is taken off the file's budget.
func (f *File) Content(content []byte) *Lexer {
	return newBytesLexer(f.b, content, 0, false)
}
