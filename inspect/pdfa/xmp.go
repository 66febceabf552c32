package pdfa

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

const (
	maxPacket = 4 << 20 // bytes of XMP
	maxDepth  = 60
	maxValues = 20_000

	nsRDF  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsID   = "http://www.aiim.org/pdfa/ns/id/"
	nsDC   = "http://purl.org/dc/elements/1.1/"
	nsXMP  = "http://ns.adobe.com/xap/1.0/"
	nsPDF  = "http://ns.adobe.com/pdf/1.3/"
	nsExt  = "http://www.aiim.org/pdfa/ns/extension/"
	nsSch  = "http://www.aiim.org/pdfa/ns/schema#"
	nsProp = "http://www.aiim.org/pdfa/ns/property#"
	nsXML  = "http://www.w3.org/XML/1998/namespace"
)

var errXMP = errors.New("broken XMP")

// A property is a value of XMP: a text, a list of values, or a structure.
type property struct {
	prefix string // as written
	ns     string
	local  string
	value  string
	list   string // "Alt", "Seq" or "Bag"; "" is none
	items  []*property
	lang   string // of an item
}

// exact is text with the white space around it.
func (p *property) exact() string {
	if p.list == "" {
		return p.value
	}
	return p.text()
}

// text is the value, or the one of the default language, or the first.
func (p *property) text() string {
	if p.list == "" {
		return strings.TrimSpace(p.value)
	}
	for _, i := range p.items {
		if i.lang == "x-default" {
			return i.value
		}
	}
	if len(p.items) > 0 {
		return p.items[0].value
	}
	return ""
}

// A packet is an XMP packet read.
type packet struct {
	properties      []*property
	bytes, encoding bool // attributes of the wrapper that are not allowed
	encoded         string
}

func (p *packet) get(ns, local string) *property {
	for _, x := range p.properties {
		if x.ns == ns && x.local == local {
			return x
		}
	}
	return nil
}

// encoding tells the encoding of a packet by its first bytes.
func encodingOf(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")), bytes.HasPrefix(b, []byte("\x00\x00\x00<")):
		return "UTF-32BE"
	case bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(b, []byte("<\x00\x00\x00")):
		return "UTF-32LE"
	case bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, []byte("\x00<")):
		return "UTF-16BE"
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("<\x00")):
		return "UTF-16LE"
	}
	return "UTF-8"
}

// parse reads a packet as far as it goes.
func parse(b []byte) (*packet, error) {
	p := &packet{encoded: encodingOf(b)}
	var r io.Reader = bytes.NewReader(b)
	switch p.encoded {
	case "UTF-16BE":
		r = transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder())
	case "UTF-16LE":
		r = transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case "UTF-32BE":
		r = transform.NewReader(r, utf32.UTF32(utf32.BigEndian, utf32.UseBOM).NewDecoder())
	case "UTF-32LE":
		r = transform.NewReader(r, utf32.UTF32(utf32.LittleEndian, utf32.UseBOM).NewDecoder())
	}
	x := &xmpReader{d: xml.NewDecoder(r), p: p}
	x.d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) { return in, nil }
	err := x.document()
	return p, err
}

type xmpReader struct {
	d      *xml.Decoder
	p      *packet
	values int
	rdf    bool
	scope  []map[string]string // prefix by namespace, of the open elements
}

// document finds rdf:RDF, wherever it stands, and reads the descriptions in it.
func (x *xmpReader) document() error {
	for {
		t, err := x.d.Token()
		if err == io.EOF {
			if !x.rdf {
				return errXMP
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.ProcInst:
			if t.Target == "xpacket" {
				x.p.bytes = x.p.bytes || bytes.Contains(t.Inst, []byte("bytes="))
				x.p.encoding = x.p.encoding || bytes.Contains(t.Inst, []byte("encoding="))
			}
		case xml.StartElement:
			x.open(t)
			if t.Name.Space == nsRDF && t.Name.Local == "RDF" {
				x.rdf = true
				if err := x.descriptions(); err != nil {
					return err
				}
				x.close()
			}
		case xml.EndElement:
			x.close()
		}
	}
}

func (x *xmpReader) open(e xml.StartElement) {
	m := map[string]string{}
	for _, a := range e.Attr {
		if a.Name.Space == "xmlns" {
			m[a.Value] = a.Name.Local
		}
	}
	x.scope = append(x.scope, m)
}

func (x *xmpReader) close() { x.scope = x.scope[:max(0, len(x.scope)-1)] }

func (x *xmpReader) prefix(ns string) string {
	for i := len(x.scope) - 1; i >= 0; i-- {
		if p, ok := x.scope[i][ns]; ok {
			return p
		}
	}
	return ""
}

func (x *xmpReader) descriptions() error {
	for {
		t, err := x.d.Token()
		if err != nil {
			return errors.Join(errXMP, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			x.open(t)
			if t.Name.Space != nsRDF || t.Name.Local != "Description" {
				return errXMP
			}
			x.attributes(t, &x.p.properties)
			if err := x.children(&x.p.properties, 0); err != nil {
				return err
			}
			x.close()
		case xml.EndElement:
			return nil
		}
	}
}

// attributes are properties written in short.
func (x *xmpReader) attributes(e xml.StartElement, to *[]*property) {
	for _, a := range e.Attr {
		switch a.Name.Space {
		case "", "xmlns", nsRDF, nsXML, "xml":
			continue
		}
		*to = append(*to, &property{prefix: x.prefix(a.Name.Space), ns: a.Name.Space, local: a.Name.Local, value: a.Value})
	}
}

// children reads properties until the end of the element.
func (x *xmpReader) children(to *[]*property, depth int) error {
	for {
		t, err := x.d.Token()
		if err != nil {
			return errors.Join(errXMP, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			x.open(t)
			p := &property{prefix: x.prefix(t.Name.Space), ns: t.Name.Space, local: t.Name.Local}
			if err := x.property(t, p, depth+1); err != nil {
				return err
			}
			*to = append(*to, p)
			x.close()
		case xml.EndElement:
			return nil
		}
	}
}

// property reads the inside of one.
func (x *xmpReader) property(e xml.StartElement, p *property, depth int) error {
	if x.values++; depth > maxDepth || x.values > maxValues {
		return errXMP
	}
	for _, a := range e.Attr {
		if a.Name.Local == "lang" && (a.Name.Space == nsXML || a.Name.Space == "xml") {
			p.lang = a.Value
		}
	}
	x.attributes(e, &p.items)
	var text strings.Builder
	for {
		t, err := x.d.Token()
		if err != nil {
			return errors.Join(errXMP, err)
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			p.value = text.String()
			return nil
		case xml.StartElement:
			x.open(t)
			if err := x.inside(t, p, depth); err != nil {
				return err
			}
			x.close()
		}
	}
}

// inside reads an element in a property: a list, a structure, or a field of one.
func (x *xmpReader) inside(e xml.StartElement, p *property, depth int) error {
	if e.Name.Space == nsRDF {
		switch e.Name.Local {
		case "Alt", "Seq", "Bag":
			p.list = e.Name.Local
			return x.children(&p.items, depth+1)
		case "Description":
			x.attributes(e, &p.items)
			return x.children(&p.items, depth+1)
		}
	}
	q := &property{prefix: x.prefix(e.Name.Space), ns: e.Name.Space, local: e.Name.Local}
	p.items = append(p.items, q)
	return x.property(e, q, depth+1)
}
