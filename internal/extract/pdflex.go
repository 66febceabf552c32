package extract

import (
	"cmp"
	"errors"
	"io"
	"strconv"
)

// PDF objects are nil, bool, int, float64, str, name, array, dict, ref and *stream; what is none of them is a keyword.
type (
	name    string
	str     string
	keyword string
	array   []any
	dict    map[name]any
	ref     int
)

// A stream is a dictionary with data at a place in the file.
type stream struct {
	dict
	offset int64
}

var errPDF = errors.New("broken PDF")

const maxPDFDepth = 60

// A lexer reads PDF objects from a file, or from a content stream, where there are no references.
type lexer struct {
	w    *work
	r    io.ReaderAt
	pos  int64
	refs bool

	buf  []byte
	base int64 // position of buf[0]
}

func newLexer(w *work, r io.ReaderAt, pos int64, refs bool) *lexer {
	return &lexer{w: w, r: r, pos: pos, base: pos, refs: refs}
}

// peek returns the byte at the position, or ok = false at the end.
func (l *lexer) peek() (c byte, ok bool) {
	if i := l.pos - l.base; i >= 0 && i < int64(len(l.buf)) {
		return l.buf[i], true
	}
	if l.w.ctx.Err() != nil { // the next token says so
		return 0, false
	}
	if cap(l.buf) == 0 {
		l.buf = make([]byte, 0, 2048)
	}
	n, _ := l.r.ReadAt(l.buf[:cap(l.buf)], l.pos)
	l.buf, l.base = l.buf[:max(n, 0)], l.pos
	if n <= 0 {
		return 0, false
	}
	return l.buf[0], true
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

// skip moves over white space and comments.
func (l *lexer) skip() (c byte, ok bool) {
	comment := false
	for {
		c, ok = l.peek()
		switch {
		case !ok:
			return 0, false
		case comment:
			comment = c != '\n' && c != '\r'
		case c == '%':
			comment = true
		case !isSpace(c):
			return c, true
		}
		l.pos++
	}
}

// token reads one token: a simple object or a keyword, brackets among them. At the end it gives io.EOF.
func (l *lexer) token() (any, error) {
	if err := l.w.step(); err != nil {
		return nil, err
	}
	c, ok := l.skip()
	if !ok {
		return nil, cmp.Or(l.w.ctx.Err(), io.EOF)
	}
	l.pos++
	switch c {
	case '(':
		return l.literal()
	case '/':
		return l.name(), nil
	case '<', '>':
		if next, _ := l.peek(); next == c {
			l.pos++
			return keyword([]byte{c, c}), nil
		}
		if c == '<' {
			return l.hex()
		}
		return keyword(">"), nil
	case '[', ']', '{', '}', ')':
		return keyword([]byte{c}), nil
	}
	l.pos--
	return l.word(), nil
}

const (
	maxPDFWord   = 1 << 10
	maxPDFString = 1 << 20
)

// word reads a number or keyword.
func (l *lexer) word() any {
	var b []byte
	for {
		c, ok := l.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			break
		}
		if len(b) < maxPDFWord {
			b = append(b, c)
		}
		l.pos++
	}
	switch s := string(b); {
	case s == "true", s == "false":
		return s == "true"
	case s == "null":
		return nil
	case s[0] >= '0' && s[0] <= '9', s[0] == '-', s[0] == '+', s[0] == '.':
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		f, _ := strconv.ParseFloat(s, 64)
		return finite(f)
	default:
		return keyword(s)
	}
}

// finite keeps sums of numbers from the file calculable.
func finite(f float64) float64 {
	const most = 1e9
	if f != f {
		return 0
	}
	return min(max(f, -most), most)
}

func (l *lexer) name() name {
	var b []byte
	for {
		c, ok := l.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			return name(b)
		}
		l.pos++
		if c == '#' {
			high, _ := l.peek()
			l.pos++
			low, _ := l.peek()
			if unhex(high) < 0 || unhex(low) < 0 {
				l.pos--
			} else {
				l.pos++
				c = byte(unhex(high)<<4 | unhex(low))
			}
		}
		if len(b) < maxPDFWord {
			b = append(b, c)
		}
	}
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() (any, error) {
	var b []byte
	half := -1
	for {
		c, ok := l.peek()
		if !ok || len(b) > maxPDFString {
			return nil, errPDF
		}
		l.pos++
		if c == '>' {
			if half >= 0 {
				b = append(b, byte(half<<4))
			}
			return str(b), l.w.spend(int64(len(b)))
		}
		switch d := unhex(c); {
		case d < 0:
		case half < 0:
			half = d
		default:
			b = append(b, byte(half<<4|d))
			half = -1
		}
	}
}

func (l *lexer) literal() (any, error) {
	var b []byte
	for depth := 1; ; {
		c, ok := l.peek()
		if !ok || len(b) > maxPDFString {
			return nil, errPDF
		}
		l.pos++
		switch c {
		case '\\':
			b = l.escape(b)
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return str(b), l.w.spend(int64(len(b)))
			}
		}
		b = append(b, c)
	}
}

// escape adds what follows a backslash.
func (l *lexer) escape(b []byte) []byte {
	c, _ := l.peek()
	l.pos++
	switch c {
	case 'n':
		return append(b, '\n')
	case 'r':
		return append(b, '\r')
	case 't':
		return append(b, '\t')
	case 'b', 'f', '\n':
		return b
	case '\r':
		if next, _ := l.peek(); next == '\n' {
			l.pos++
		}
		return b
	}
	if c < '0' || c > '7' {
		return append(b, c)
	}
	v := int(c - '0')
	for range 2 {
		if c, _ = l.peek(); c < '0' || c > '7' {
			break
		}
		l.pos++
		v = v<<3 | int(c-'0')
	}
	return append(b, byte(v))
}

// object reads one object, or a keyword that is none.
func (l *lexer) object(depth int) (any, error) {
	if depth > maxPDFDepth {
		return nil, errPDF
	}
	t, err := l.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case keyword:
		switch t {
		case "[":
			return l.array(depth)
		case "<<":
			return l.dict(depth)
		}
	case int:
		if l.refs {
			return l.reference(t), nil
		}
	}
	return t, nil
}

// reference reads "n g R" as a whole where it stands, and else just n.
func (l *lexer) reference(n int) any {
	back := l.pos
	if _, ok := l.mustToken().(int); ok && l.mustToken() == keyword("R") {
		return ref(n)
	}
	l.pos = back
	return n
}

func (l *lexer) mustToken() any {
	if c, ok := l.skip(); !ok || isDelimiter(c) {
		return nil
	}
	t, _ := l.token()
	return t
}

func (l *lexer) array(depth int) (any, error) {
	var a array
	for {
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		switch o {
		case keyword("]"):
			return a, nil
		case keyword(">>"), keyword("endobj"):
			return nil, errPDF
		}
		a = append(a, o)
		if err := l.w.spend(16); err != nil {
			return nil, err
		}
	}
}

func (l *lexer) dict(depth int) (any, error) {
	d := dict{}
	for {
		k, err := l.token()
		if err != nil {
			return nil, err
		}
		key, ok := k.(name)
		if !ok {
			if k == keyword(">>") {
				return d, nil
			}
			return nil, errPDF
		}
		v, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if v == keyword(">>") { // a key without a value
			return d, nil
		}
		d[key] = v
		if err := l.w.spend(64); err != nil {
			return nil, err
		}
	}
}
