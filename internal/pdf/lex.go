package pdf

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"strconv"
)

// PDF objects are nil, bool, int, float64, String, Name, Array, Dict, Ref and *Stream; what is none of them is a Keyword.
type (
	Name    string
	String  string
	Keyword string
	Array   []any
	Dict    map[Name]any
	Ref     int
)

// A Stream is a dictionary with data at a place in the file.
type Stream struct {
	Dict
	Offset int64 // of the data
}

// Flaws are ways of writing that readers forgive and PDF/A does not.
type Flaws struct {
	OddHex      bool // a hexadecimal string with an odd number of digits
	BadHex      bool // a hexadecimal string with other characters
	LongName    bool // more than 127 bytes
	LongString  bool // more than 32,767 bytes
	LongText    bool // more than 65,535 bytes
	BigInteger  bool // beyond 32 bits
	BigReal     bool // beyond 32,767
	HugeReal    bool // beyond 3.4e38
	TinyReal    bool // closer to zero than 1.2e-38
	LongArray   bool // more than 8,191 elements
	LongDict    bool // more than 4,095 entries
	Spacing     bool // "n g obj" and "endobj" not on lines of their own, single spaces between
	StreamLine  bool // the end of line after "stream" or before "endstream"
	WrongLength bool // Length is not that of the data
}

const maxDepth = 60 // of arrays and dictionaries in each other

// A Lexer reads PDF objects from a file, or from a content stream, where there are no references.
type Lexer struct {
	Flaws Flaws // of what was read so far

	b    *Budget
	r    io.ReaderAt
	pos  int64
	refs bool

	buf  []byte
	base int64 // position of buf[0]
	all  bool  // buf is everything there is
}

// newBytesLexer reads what is in memory already.
func newBytesLexer(b *Budget, data []byte, pos int64, refs bool) *Lexer {
	return &Lexer{b: b, pos: pos, refs: refs, buf: data, all: true}
}

// NewLexer reads from a place on. With refs, "1 0 R" is a reference.
func NewLexer(b *Budget, r io.ReaderAt, pos int64, refs bool) *Lexer {
	return &Lexer{b: b, r: r, pos: pos, base: pos, refs: refs}
}

// Pos is the place behind what was read last.
func (l *Lexer) Pos() int64 { return l.pos }

// MoveTo goes on reading at another place.
func (l *Lexer) MoveTo(pos int64) { l.pos = pos }

// peek returns the byte at the position, or ok = false at the end.
func (l *Lexer) peek() (c byte, ok bool) {
	if i := l.pos - l.base; i >= 0 && i < int64(len(l.buf)) {
		return l.buf[i], true
	}
	if l.all || l.b.ctx.Err() != nil { // the next token says so
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
func (l *Lexer) skip() (c byte, ok bool) {
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
func (l *Lexer) token() (any, error) {
	if err := l.b.Step(); err != nil {
		return nil, err
	}
	c, ok := l.skip()
	if !ok {
		return nil, cmp.Or(l.b.ctx.Err(), io.EOF)
	}
	l.pos++
	switch c {
	case '(':
		return l.literal()
	case '/':
		return l.Name(), nil
	case '<', '>':
		if next, _ := l.peek(); next == c {
			l.pos++
			return Keyword([]byte{c, c}), nil
		}
		if c == '<' {
			return l.hex()
		}
		return Keyword(">"), nil
	case '[', ']', '{', '}', ')':
		return Keyword([]byte{c}), nil
	}
	l.pos--
	return l.word(), nil
}

const (
	maxWord   = 1 << 10
	maxString = 1 << 20
)

// word reads a number or keyword.
func (l *Lexer) word() any {
	var b []byte
	for {
		c, ok := l.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			break
		}
		if len(b) < maxWord {
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
		return l.number(s)
	default:
		return Keyword(s)
	}
}

func (l *Lexer) number(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		if n > math.MaxInt32 || n < math.MinInt32 {
			l.Flaws.BigInteger = true
		}
		return n
	}
	f, _ := strconv.ParseFloat(s, 64)
	switch a := math.Abs(f); {
	case a > 3.403e38: // the largest of 32 bits, as the standards round it
		l.Flaws.HugeReal, l.Flaws.BigReal = true, true
	case a > 0 && a < 1.175e-38:
		l.Flaws.TinyReal = true
	case a > 32767:
		l.Flaws.BigReal = true
	}
	return finite(f)
}

// finite keeps sums of numbers from the file calculable.
func finite(f float64) float64 {
	const most = 1e9
	if f != f {
		return 0
	}
	return min(max(f, -most), most)
}

func (l *Lexer) Name() Name {
	var b []byte
	for {
		c, ok := l.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			return l.named(b)
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
		if len(b) < maxWord {
			b = append(b, c)
		}
	}
}

func (l *Lexer) named(b []byte) Name {
	if len(b) > 127 {
		l.Flaws.LongName = true
	}
	return Name(b)
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

func (l *Lexer) hex() (any, error) {
	var b []byte
	half := -1
	for {
		c, ok := l.peek()
		if !ok || len(b) > maxString {
			return nil, ErrBroken
		}
		l.pos++
		if c == '>' {
			if half >= 0 {
				l.Flaws.OddHex = true
				b = append(b, byte(half<<4))
			}
			return l.string(b)
		}
		switch d := unhex(c); {
		case d < 0:
			if !isSpace(c) {
				l.Flaws.BadHex = true
			}
		case half < 0:
			half = d
		default:
			b = append(b, byte(half<<4|d))
			half = -1
		}
	}
}

func (l *Lexer) string(b []byte) (any, error) {
	if len(b) > 32767 {
		l.Flaws.LongString = true
	}
	if len(b) > 65535 {
		l.Flaws.LongText = true
	}
	return String(b), l.b.Spend(int64(len(b)))
}

func (l *Lexer) literal() (any, error) {
	var b []byte
	for depth := 1; ; {
		c, ok := l.peek()
		if !ok || len(b) > maxString {
			return nil, ErrBroken
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
				return l.string(b)
			}
		}
		b = append(b, c)
	}
}

// escape adds what follows a backslash.
func (l *Lexer) escape(b []byte) []byte {
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

// Object reads one object, or a keyword that is none. At the end it gives io.EOF.
func (l *Lexer) Object() (any, error) { return l.object(0) }

func (l *Lexer) object(depth int) (any, error) {
	if depth > maxDepth {
		return nil, ErrBroken
	}
	t, err := l.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case Keyword:
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
func (l *Lexer) reference(n int) any {
	back := l.pos
	if _, ok := l.mustToken().(int); ok && l.mustToken() == Keyword("R") {
		return Ref(n)
	}
	l.pos = back
	return n
}

func (l *Lexer) mustToken() any {
	if c, ok := l.skip(); !ok || isDelimiter(c) {
		return nil
	}
	t, _ := l.token()
	return t
}

func (l *Lexer) array(depth int) (any, error) {
	var a Array
	for {
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		switch o {
		case Keyword("]"):
			if len(a) > 8191 {
				l.Flaws.LongArray = true
			}
			return a, nil
		case Keyword(">>"), Keyword("endobj"):
			return nil, ErrBroken
		}
		a = append(a, o)
		if err := l.b.Spend(16); err != nil {
			return nil, err
		}
	}
}

func (l *Lexer) dict(depth int) (any, error) {
	d := Dict{}
	for {
		k, err := l.token()
		if err != nil {
			return nil, err
		}
		key, ok := k.(Name)
		if !ok {
			if k == Keyword(">>") {
				if len(d) > 4095 {
					l.Flaws.LongDict = true
				}
				return d, nil
			}
			return nil, ErrBroken
		}
		v, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if v == Keyword(">>") { // a key without a value
			return d, nil
		}
		d[key] = v
		if err := l.b.Spend(64); err != nil {
			return nil, err
		}
	}
}

// SkipInlineImage moves behind the end of the image data, in a content stream of which all is at hand.
func (l *Lexer) SkipInlineImage(content []byte) {
	for at := min(l.pos, int64(len(content))); ; {
		i := bytes.Index(content[at:], []byte("EI"))
		if i < 0 {
			l.pos = int64(len(content))
			return
		}
		at += int64(i) + 2
		if isSpace(content[at-3]) && (at == int64(len(content)) || isSpace(content[at])) {
			l.pos = at
			return
		}
	}
}
