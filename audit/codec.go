package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Entries are encoded and parsed by hand: a log of millions is parsed whenever
// it is opened, and this takes a tenth of the time of internal/jcs, whose bytes
// it writes. FuzzEntry holds the two together.

// encode returns the canonical JSON of an entry.
func (e *Entry) encode() []byte {
	b := make([]byte, 0, 512)
	b = append(b, '{')
	if e.Act != "" {
		b = appendText(append(b, `"act":`...), e.Act)
		b = append(b, ',')
	}
	b = appendTexts(append(b, `"c":`...), e.Commitments)
	if e.Chain != "" {
		b = appendText(append(b, `,"chain":`...), e.Chain)
	}
	b = appendTexts(append(b, `,"details":`...), e.Details)
	b = appendText(append(b, `,"id":`...), e.ID)
	if e.N != 0 {
		b = strconv.AppendInt(append(b, `,"n":`...), int64(e.N), 10)
	}
	b = appendText(append(b, `,"node":`...), e.Node)
	b = appendText(append(b, `,"time":`...), e.Time.Format(timestamp))
	b = appendText(append(b, `,"type":`...), e.Type)
	return append(b, `,"v":1}`...)
}

func appendTexts(b []byte, m map[string]string) []byte {
	names := make([]string, 0, 8)
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, name)
		b = appendText(append(b, ':'), m[name])
	}
	return append(b, '}')
}

// appendText writes a string with the escapes of RFC 8785 and no others.
func appendText(b []byte, s string) []byte {
	const short = "\b\t\n\f\r\"\\"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if n := strings.IndexByte(short, c); n >= 0 {
			b = append(b, '\\', `btnfr"\`[n])
		} else {
			b = fmt.Appendf(b, `\u%04x`, c)
		}
	}
	return append(append(b, s[from:]...), '"')
}

// scanner reads JSON of a known order of names. It need not be strict: what was
// read is encoded and compared.
type scanner struct {
	rest []byte
	bad  bool
}

// has consumes the literal if it comes next.
func (s *scanner) has(literal string) bool {
	if len(s.rest) < len(literal) || string(s.rest[:len(literal)]) != literal {
		return false
	}
	s.rest = s.rest[len(literal):]
	return true
}

// want consumes the literal, which must come next.
func (s *scanner) want(literal string) { s.bad = s.bad || !s.has(literal) }

func (s *scanner) text() string {
	s.want(`"`)
	for i, c := range s.rest {
		if s.bad || c == '\\' {
			break
		}
		if c == '"' {
			text := string(s.rest[:i])
			s.rest = s.rest[i+1:]
			return text
		}
	}
	return s.escaped()
}

// escaped reads the rest of a string that has escapes in it.
func (s *scanner) escaped() string {
	for i := 0; !s.bad && i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			var text string
			s.bad = json.Unmarshal(append([]byte{'"'}, s.rest[:i+1]...), &text) != nil
			s.rest = s.rest[i+1:]
			return text
		}
	}
	s.bad = true
	return ""
}

func (s *scanner) texts() map[string]string {
	s.want("{")
	m := map[string]string{}
	for !s.bad && !s.has("}") {
		if len(m) > 0 {
			s.want(",")
		}
		name := s.text()
		s.want(":")
		m[name] = s.text()
	}
	return m
}

func (s *scanner) number() int {
	i := 0
	for i < len(s.rest) && i < 16 && s.rest[i] >= '0' && s.rest[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(string(s.rest[:i]))
	s.bad = s.bad || err != nil
	s.rest = s.rest[i:]
	return n
}

// decodeEntry reads what encode writes.
func decodeEntry(raw []byte) (*Entry, error) {
	s := &scanner{rest: raw}
	e := &Entry{Raw: raw}
	s.want("{")
	if s.has(`"act":`) {
		e.Act = s.text()
		s.want(",")
	}
	s.want(`"c":`)
	e.Commitments = s.texts()
	if s.has(`,"chain":`) {
		e.Chain = s.text()
	}
	s.want(`,"details":`)
	e.Details = s.texts()
	s.want(`,"id":`)
	e.ID = s.text()
	if s.has(`,"n":`) {
		e.N = s.number()
	}
	s.want(`,"node":`)
	e.Node = s.text()
	s.want(`,"time":`)
	when := s.text()
	s.want(`,"type":`)
	e.Type = s.text()
	s.want(`,"v":1}`)
	if s.bad || len(s.rest) > 0 {
		return nil, errors.New("entry: not canonical JSON of version 1")
	}
	if err := e.setTime(when); err != nil {
		return nil, err
	}
	if !bytes.Equal(e.encode(), raw) {
		return nil, errors.New("entry: not canonical JSON")
	}
	return e, nil
}
