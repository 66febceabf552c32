package pades

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The values of PDF (ISO 32000-2 section 7.3): nil, bool, int64, float64, name,
// text, array, dict, ref.
type (
	name  string
	array []any
	dict  map[name]any
	ref   struct{ num, gen int }
	text  struct {
		data     string
		off, end int64 // in the file, delimiters included; meaningless in an object stream
		hex      bool
	}
	keyword string
)

// doubled is set in a dictionary that has a key twice with different values:
// readers differ in which of the two they take. No name of a file can be equal to it.
const doubled = name("\x00doubled")

const (
	maxNest   = 48
	maxValues = 1 << 19  // in one object
	maxObject = 32 << 20 // octets of one object without its stream
)

var (
	errSyntax = errors.New("PDF: broken syntax")
	errMore   = errors.New("PDF: object goes on") // the window ends within the object
)

// lexer reads values from a window of the file that begins at base.
type lexer struct {
	b    []byte
	pos  int
	base int64
	last bool // the window reaches to the end of the file
	n    int  // values read
	refs bool // "1 0 R" is a reference: not so in content, which is not read here
}

func space(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func delimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// end is the error at the end of the window.
func (l *lexer) end() error {
	if l.last {
		return errSyntax
	}
	return errMore
}

// skip passes over white space and comments.
func (l *lexer) skip() error {
	for ; l.pos < len(l.b); l.pos++ {
		c := l.b[l.pos]
		if c == '%' {
			i := bytes.IndexAny(l.b[l.pos:], "\r\n")
			if i < 0 {
				return l.end()
			}
			l.pos += i
			continue
		}
		if !space(c) {
			return nil
		}
	}
	return l.end()
}

// value reads one value. A keyword that is none of the values is returned as such.
func (l *lexer) value(depth int) (any, error) {
	if l.n++; depth > maxNest || l.n > maxValues {
		return nil, errSyntax
	}
	if err := l.skip(); err != nil {
		return nil, err
	}
	switch c := l.b[l.pos]; c {
	case '/':
		return l.name()
	case '(':
		return l.literal()
	case '[':
		l.pos++
		return l.array(depth)
	case '<', '>':
		return l.angle(c, depth)
	case ']', '}', '{':
		l.pos++
		return keyword(string(c)), nil
	case ')':
		return nil, errSyntax
	}
	return l.word()
}

// angle reads what begins with an angle bracket.
func (l *lexer) angle(c byte, depth int) (any, error) {
	if l.pos+1 >= len(l.b) {
		return nil, l.end()
	}
	double := l.b[l.pos+1] == c
	switch {
	case double:
		l.pos += 2
		if c == '<' {
			return l.dict(depth)
		}
		return keyword(">>"), nil
	case c == '<':
		return l.hex()
	}
	return nil, errSyntax
}

// word reads a number, a reference, or a keyword.
func (l *lexer) word() (any, error) {
	tok, err := l.token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if !strings.ContainsRune("+-.0123456789", rune(tok[0])) {
		return keyword(tok), nil
	}
	if n, err := strconv.ParseInt(tok, 10, 64); err == nil {
		if l.refs && n > 0 && n < 1<<31 && tok[0] != '+' {
			return l.reference(n)
		}
		return n, nil
	}
	if f, err := strconv.ParseFloat(tok, 64); err == nil {
		return f, nil
	}
	return keyword(tok), nil
}

func (l *lexer) token() (string, error) {
	start := l.pos
	for l.pos < len(l.b) && !space(l.b[l.pos]) && !delimiter(l.b[l.pos]) {
		l.pos++
	}
	if l.pos == len(l.b) && !l.last {
		return "", errMore
	}
	if l.pos == start || l.pos-start > 256 {
		return "", errSyntax
	}
	return string(l.b[start:l.pos]), nil
}

// reference looks whether "gen R" follows a number.
func (l *lexer) reference(n int64) (any, error) {
	start := l.pos
	back := func(err error) (any, error) {
		l.pos = start
		if errors.Is(err, errMore) {
			return nil, err
		}
		return n, nil
	}
	if err := l.skip(); err != nil || l.b[l.pos] < '0' || l.b[l.pos] > '9' {
		return back(err)
	}
	tok, err := l.token()
	if err != nil {
		return back(err)
	}
	gen, err := strconv.ParseUint(tok, 10, 16)
	if err != nil {
		return back(nil)
	}
	if err := l.skip(); err != nil || l.b[l.pos] != 'R' {
		return back(err)
	}
	if tok, err = l.token(); err != nil || tok != "R" {
		return back(err)
	}
	return ref{int(n), int(gen)}, nil
}

func (l *lexer) name() (any, error) {
	start := l.pos + 1
	i := start
	for i < len(l.b) && !space(l.b[i]) && !delimiter(l.b[i]) {
		i++
	}
	if i == len(l.b) && !l.last {
		return nil, errMore
	}
	l.pos = i
	raw := l.b[start:i]
	if bytes.IndexByte(raw, '#') < 0 {
		return name(raw), nil
	}
	var out []byte
	for j := 0; j < len(raw); j++ {
		if raw[j] == '#' && j+2 < len(raw) {
			if v, err := strconv.ParseUint(string(raw[j+1:j+3]), 16, 8); err == nil && v != 0 {
				out = append(out, byte(v))
				j += 2
				continue
			}
		}
		out = append(out, raw[j])
	}
	return name(out), nil
}

// literal reads a string in parentheses. Escapes are kept as they are: strings
// are compared, and never shown.
func (l *lexer) literal() (any, error) {
	start, depth := l.pos, 0
	for i := start; i < len(l.b); i++ {
		switch l.b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.pos = i + 1
				return text{string(l.b[start+1 : i]), l.base + int64(start), l.base + int64(i) + 1, false}, nil
			}
		}
	}
	return nil, l.end()
}

func (l *lexer) hex() (any, error) {
	start := l.pos
	n := bytes.IndexByte(l.b[start:], '>')
	if n < 0 {
		return nil, l.end()
	}
	l.pos = start + n + 1
	for _, c := range l.b[start+1 : start+n] {
		if !(space(c) || c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return nil, errSyntax
		}
	}
	return text{string(l.b[start+1 : start+n]), l.base + int64(start), l.base + int64(start+n) + 1, true}, nil
}

func (l *lexer) array(depth int) (any, error) {
	out := array{}
	for {
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if k, ok := v.(keyword); ok {
			if k == "]" {
				return out, nil
			}
			return nil, errSyntax
		}
		out = append(out, v)
	}
}

func (l *lexer) dict(depth int) (any, error) {
	out := dict{}
	for {
		k, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if k == keyword(">>") {
			return out, nil
		}
		key, ok := k.(name)
		if !ok {
			return nil, errSyntax
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, bad := v.(keyword); bad {
			return nil, errSyntax
		}
		if was, twice := out[key]; twice {
			// The same thing said twice deceives nobody, unless its place counts.
			if _, placed := v.(text); placed || !equal(was, v) {
				out[doubled] = true
			}
		}
		out[key] = v
	}
}

// equal compares two values; where a string stands does not count.
func equal(a, b any) bool {
	switch x := a.(type) {
	case text:
		y, ok := b.(text)
		return ok && x.data == y.data && x.hex == y.hex
	case array:
		y, ok := b.(array)
		return ok && slices.EqualFunc(x, y, equal)
	case dict:
		y, ok := b.(dict)
		return ok && maps.EqualFunc(x, y, equal)
	}
	switch b.(type) {
	case text, array, dict:
		return false
	}
	return a == b
}

// walk calls f with every reference within a value.
func walk(v any, f func(ref)) {
	switch x := v.(type) {
	case ref:
		f(x)
	case array:
		for _, e := range x {
			walk(e, f)
		}
	case dict:
		for _, e := range x {
			walk(e, f)
		}
	}
}

// get reads a key as the type that it should have.
func get[T any](d dict, key name) (v T) {
	v, _ = d[key].(T)
	return v
}
