package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/extract"
)

const (
	headSize    = 4096
	checkedText = 64 << 20 // bytes of a text that are looked at; what follows is taken on trust
	maxDepth    = 500      // of XML elements and JSON values in each other
	maxPixels   = 1 << 31  // of an image: more is made to exhaust whoever opens it
)

// content tells whether a document is whole, and what it holds that it should not.
func (l *look) content() {
	head := make([]byte, min(l.size, headSize))
	if n, err := l.r.ReadAt(head, 0); n < len(head) && err != nil {
		l.unreadable()
		return
	}
	l.media = extract.MediaType(l.doc.Name, head)
	before := len(l.findings)
	switch l.media {
	case typePDF:
		l.pdf()
	case typeZIP, typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP:
		l.zip()
	case typeOLE:
		l.ole()
	case typeXML:
		l.broken(l.wellFormed(), "XML")
	case typeJSON:
		l.broken(l.validJSON(), "JSON")
	case typePNG:
		l.png(head)
	case typeJPEG: // cameras and scanners write something of their own after the end
		l.broken(l.endsWith([]byte("\xff\xd9"), 64<<10), "JPEG")
	case typeTIFF:
		l.broken(l.validTIFF(head), "TIFF")
	default:
		l.signed = mayBeCMS(head)
	}
	for _, f := range l.findings[before:] {
		if f.Outcome == intake.Failure {
			return
		}
	}
	l.sound = true
	l.add("document.valid", intake.Validation, intake.Pass, agent, l.media)
}

// unreadable says once that the document's bytes cannot be had.
func (l *look) unreadable() {
	if !l.readFail {
		l.fail("document.unreadable", "")
	}
	l.readFail = true
}

func (l *look) broken(ok bool, what string) {
	if !ok {
		l.fail("document.broken", what)
	}
}

// mayBeCMS tells whether a file begins like a signature kept beside its document, in DER or PEM.
func mayBeCMS(head []byte) bool {
	return len(head) > 2 && head[0] == 0x30 && head[1] >= 0x80 || bytes.HasPrefix(head, []byte("-----BEGIN PKCS7")) ||
		bytes.HasPrefix(head, []byte("-----BEGIN CMS"))
}

func (l *look) section() io.Reader {
	return io.LimitReader(io.NewSectionReader(l.r, 0, l.size), checkedText)
}

func decoded(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(unicode.UTF8.NewDecoder()))
}

// wellFormed reads an XML document, and notes whether there is a signature in it. Entities that the document defines itself are not
// expanded: a document that uses them is not well-formed here.
func (l *look) wellFormed() bool {
	d := xml.NewDecoder(decoded(l.section()))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return in, nil }
	depth, elements := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF && elements > 0 || l.size > checkedText
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth == 0 && elements > 0 {
				return false
			}
			depth++
			elements++
			l.signed = l.signed || t.Name.Local == "Signature"
		case xml.EndElement:
			depth--
		}
		if depth > maxDepth || elements%1024 == 1023 && l.ctx.Err() != nil {
			return false
		}
	}
}

// validJSON reads a JSON document: one value.
func (l *look) validJSON() bool {
	d := json.NewDecoder(decoded(l.section()))
	d.UseNumber()
	depth, values := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF && values == 1 && depth == 0 || l.size > checkedText
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			values++
		}
		if depth > maxDepth || values > 1 {
			return false
		}
	}
}

// endsWith looks for a mark in the last bytes of a file.
func (l *look) endsWith(mark []byte, within int64) bool {
	tail := make([]byte, min(l.size, within))
	if n, err := l.r.ReadAt(tail, l.size-int64(len(tail))); n < len(tail) && err != nil {
		return false
	}
	return bytes.Contains(tail, mark)
}

func (l *look) png(head []byte) {
	if len(head) < 33 || string(head[12:16]) != "IHDR" || !l.endsWith([]byte("\x00\x00\x00\x00IEND\xaeB`\x82"), 64) {
		l.fail("document.broken", "PNG")
		return
	}
	width, height := uint64(binary.BigEndian.Uint32(head[16:])), uint64(binary.BigEndian.Uint32(head[20:]))
	if width*height > maxPixels {
		l.fail("document.bomb", "PNG")
	}
}

// validTIFF follows the chain of directories.
func (l *look) validTIFF(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	const maxImages = 10_000
	for range maxImages {
		var count [2]byte
		if _, err := l.r.ReadAt(count[:], at); at < 8 || err != nil {
			return false
		}
		end := at + 2 + 12*int64(order.Uint16(count[:]))
		var next [4]byte
		if n, err := l.r.ReadAt(next[:], end); n < len(next) || err != nil && err != io.EOF {
			return false
		}
		if at = int64(order.Uint32(next[:])); at == 0 {
			return true
		}
	}
	return false
}
