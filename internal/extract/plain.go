package extract

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decodeText makes UTF-8 of UTF-8 or of UTF-16 with a byte order mark. Bytes of other encodings become replacement characters.
func decodeText(b []byte) (string, error) {
	d := unicode.BOMOverride(unicode.UTF8.NewDecoder())
	out, _, err := transform.Bytes(d, b)
	return string(out), err
}

func decoded(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(unicode.UTF8.NewDecoder()))
}

// plain reads no more than the text wanted needs.
func (w *work) plain(r io.ReaderAt, size int64) error {
	in := decoded(w.budget.Reader(io.NewSectionReader(r, 0, size)))
	buf := make([]byte, 32<<10)
	rest := 0
	for !w.full() {
		n, err := in.Read(buf[rest:])
		n += rest
		whole := n
		if err == nil {
			whole = lastWhole(buf[:n])
		}
		w.write(string(buf[:whole]))
		rest = copy(buf, buf[whole:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lastWhole is the length of b without a character that has only begun.
func lastWhole(b []byte) int {
	for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}

// json writes the strings and numbers of a JSON document, one a line.
func (w *work) json(r io.ReaderAt, size int64) error {
	d := json.NewDecoder(decoded(w.budget.Reader(io.NewSectionReader(r, 0, size))))
	d.UseNumber()
	for !w.full() {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.step(); err != nil {
			return err
		}
		switch t := t.(type) {
		case string:
			w.write(t + "\n")
		case json.Number:
			w.write(t.String() + "\n")
		}
	}
	return nil
}

// newXMLReader makes a decoder that takes declared encodings it does not know for something like ASCII.
func newXMLReader(r io.Reader) *xml.Decoder {
	d := xml.NewDecoder(decoded(r))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return in, nil }
	return d
}

// An xmlShape says which elements of an XML document hold text.
type xmlShape interface {
	// text tells whether the characters directly in the element are text.
	text(element xml.StartElement) bool
	// after is what is written at the end of an element.
	after(element string) string
}

// everything takes all characters for text.
type everything struct{}

func (everything) text(xml.StartElement) bool { return true }
func (everything) after(string) string        { return "\n" }

const maxXMLDepth = 500

// xml writes the text of an XML document.
func (w *work) xml(d *xml.Decoder, shape xmlShape) error {
	d.Strict = false
	var inText []bool
	for !w.full() {
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.step(); err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(inText) >= maxXMLDepth {
				return errors.New("XML nested too deep")
			}
			inText = append(inText, shape.text(t))
		case xml.EndElement:
			w.write(shape.after(t.Name.Local))
			inText = inText[:max(0, len(inText)-1)]
		case xml.CharData:
			if n := len(inText); n > 0 && inText[n-1] {
				w.write(string(t))
			}
		}
	}
	return nil
}

// html writes the text between the tags. It is a reading for search: what a browser would make of broken markup does not matter.
func (w *work) html(r io.ReaderAt, size int64) error {
	const most = 32 << 20
	data, err := io.ReadAll(io.LimitReader(w.budget.Reader(io.NewSectionReader(r, 0, size)), most))
	if err != nil {
		return err
	}
	s, _ := decodeText(data)
	for s != "" && !w.full() {
		if err := w.step(); err != nil {
			return err
		}
		open := strings.IndexByte(s, '<')
		if open < 0 {
			open = len(s)
		}
		w.write(html.UnescapeString(s[:open]))
		s = w.skipTag(s[open:])
	}
	return nil
}

// skipTag returns what follows the tag, comment, script or style at the beginning of s.
func (w *work) skipTag(s string) string {
	if strings.HasPrefix(s, "<!--") {
		return after(s, "-->")
	}
	name := strings.ToLower(strings.TrimLeft(s[:min(len(s), 16)], "</"))
	for _, hidden := range []string{"script", "style", "template"} {
		if strings.HasPrefix(name, hidden) && !strings.HasPrefix(s, "</") {
			return after(after(s, "</"+hidden), ">")
		}
	}
	for _, inline := range []string{"b>", "i>", "u>", "a ", "a>", "em", "strong", "span", "font", "sup", "sub", "mark", "small"} {
		if strings.HasPrefix(name, inline) {
			return after(s, ">")
		}
	}
	w.write("\n")
	return after(s, ">")
}

// after returns what follows the first end in s, whatever the case of ASCII letters, or nothing.
func after(s, end string) string {
	for i := 0; i+len(end) <= len(s); i++ {
		j := strings.IndexByte(s[i:], end[0])
		if j < 0 {
			break
		}
		i += j
		if i+len(end) <= len(s) && strings.EqualFold(s[i:i+len(end)], end) {
			return s[i+len(end):]
		}
	}
	return ""
}
