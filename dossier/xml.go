package dossier

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode/utf8"
)

// An xmlWriter writes elements by their prefixed names, as the samples of the
// circular do; encoding/xml cannot keep prefixes. Line feeds stand between
// elements only, so that text is exactly what was given.
type xmlWriter struct {
	bytes.Buffer
	open []string
}

// newXML begins a file that is to have about so many octets.
func newXML(about int) *xmlWriter {
	x := new(xmlWriter)
	x.Grow(about)
	x.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	return x
}

// start opens an element; attributes are names and values in turn.
func (x *xmlWriter) start(name string, attributes ...string) {
	x.tag(name, attributes)
	x.WriteString(">\n")
	x.open = append(x.open, name)
}

// end closes the innermost element.
func (x *xmlWriter) end() {
	last := len(x.open) - 1
	x.WriteString("</" + x.open[last] + ">\n")
	x.open = x.open[:last]
}

// empty writes an element without content.
func (x *xmlWriter) empty(name string, attributes ...string) {
	x.tag(name, attributes)
	x.WriteString("/>\n")
}

// text writes an element with text.
func (x *xmlWriter) text(name, value string, attributes ...string) {
	x.tag(name, attributes)
	x.WriteByte('>')
	x.escape(value)
	x.WriteString("</" + name + ">\n")
}

func (x *xmlWriter) tag(name string, attributes []string) {
	x.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.WriteString(" " + attributes[i] + `="`)
		x.escape(attributes[i+1])
		x.WriteByte('"')
	}
}

func (x *xmlWriter) escape(s string) {
	if isPlain(s) {
		x.WriteString(s)
		return
	}
	// A bytes.Buffer never fails. Characters that XML 1.0 cannot hold become
	// U+FFFD; validation has refused them before.
	_ = xml.EscapeText(&x.Buffer, []byte(s))
}

// isPlain reports whether nothing in s has to be escaped, which holds for most
// of what is written.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '<', c == '>', c == '&', c == '"', c == '\'':
			return false
		case c == 0xEF: // U+FFFE and U+FFFF begin so
			return false
		}
	}
	return utf8.ValidString(s)
}

// escapeHref makes a relative path a URI reference. Letters beyond ASCII stay,
// as XLink allows them and people read them.
func escapeHref(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if c <= ' ' || c == 0x7F || strings.IndexByte("%#?\"<>\\^`{|}[]", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
