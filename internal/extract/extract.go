// Package extract takes the text out of documents for the index, and tells by their first bytes what they are. Documents come
// from outside: nothing in them may make it panic, loop, or use memory or time without bound.
//
// It reads PDF, the Office and OpenDocument formats, XML, JSON, HTML and plain text. It does not render, decrypt or recognise
// images, and knows of encodings UTF-8 and UTF-16 only.
package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/internal/pdf"
)

var (
	// ErrNoText says that a document has no text that could be read: an image, a scan, an encrypted or unknown format.
	ErrNoText = errors.New("extract: no text")
	// ErrLimit says that reading a document would have cost more than the limits allow. The text found so far is returned with it.
	ErrLimit = pdf.ErrLimit
)

// Limits bound the work on one document. Time is bounded by the context.
type Limits struct {
	Text  int   // characters of text; 0: 1 Mi. What is beyond is left out, without an error
	Bytes int64 // bytes unpacked on the way; 0: 128 MiB. Beyond them: ErrLimit
}

const (
	defaultText  = 1 << 20
	defaultBytes = 128 << 20
	headSize     = 4096
)

// Media types that this package tells apart.
const (
	typePDF  = "application/pdf"
	typeZIP  = "application/zip"
	typeDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typePPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	typeODT  = "application/vnd.oasis.opendocument.text"
	typeODS  = "application/vnd.oasis.opendocument.spreadsheet"
	typeODP  = "application/vnd.oasis.opendocument.presentation"
	typeXML  = "application/xml"
	typeJSON = "application/json"
	typeHTML = "text/html"
	typeText = "text/plain"
	typeCSV  = "text/csv"
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeTIFF = "image/tiff"
	typeOLE  = "application/x-ole-storage"
	typeRTF  = "application/rtf"
	typeAny  = "application/octet-stream"
)

// ByExtension is the media type that the ending of a file name promises, or nothing.
func ByExtension(name string) string {
	return map[string]string{
		".pdf": typePDF, ".zip": typeZIP, ".docx": typeDOCX, ".xlsx": typeXLSX, ".pptx": typePPTX,
		".odt": typeODT, ".ods": typeODS, ".odp": typeODP,
		".xml": typeXML, ".xsd": typeXML, ".xsl": typeXML, ".svg": typeXML, ".json": typeJSON,
		".html": typeHTML, ".htm": typeHTML, ".xhtml": typeHTML, ".txt": typeText, ".md": typeText, ".log": typeText, ".csv": typeCSV,
		".png": typePNG, ".jpg": typeJPEG, ".jpeg": typeJPEG, ".tif": typeTIFF, ".tiff": typeTIFF,
		".doc": typeOLE, ".xls": typeOLE, ".ppt": typeOLE, ".rtf": typeRTF,
	}[strings.ToLower(path.Ext(name))]
}

// MediaType tells what a document is by its first bytes, and between formats that begin alike by its name.
func MediaType(name string, head []byte) string {
	for _, m := range []struct{ magic, media string }{
		{"%PDF-", typePDF}, {"\x89PNG\r\n\x1a\n", typePNG}, {"\xff\xd8\xff", typeJPEG}, {"II*\x00", typeTIFF}, {"MM\x00*", typeTIFF},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", typeOLE}, {`{\rtf`, typeRTF},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.media
		}
	}
	named := ByExtension(name)
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")) {
		return zipType(named, head)
	}
	if !isText(head) {
		return typeAny
	}
	switch named {
	case typeXML, typeJSON, typeHTML, typeText, typeCSV:
		return named
	}
	return textType(head)
}

// zipType reads what OpenDocument puts first into the file and leaves the rest to the name.
func zipType(named string, head []byte) string {
	for _, t := range []string{typeODT, typeODS, typeODP} {
		if bytes.Contains(head[:min(len(head), 200)], []byte("mimetype"+t)) {
			return t
		}
	}
	switch named {
	case typeDOCX, typeXLSX, typePPTX:
		return named
	}
	return typeZIP
}

func textType(head []byte) string {
	s, _ := decodeText(head)
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case strings.HasPrefix(s, "<!doctype html"), strings.HasPrefix(s, "<html"):
		return typeHTML
	case strings.HasPrefix(s, "<?xml"):
		return typeXML
	case strings.HasPrefix(s, "{"), strings.HasPrefix(s, "["):
		return typeJSON
	}
	return typeText
}

// isText tells whether bytes could be text in any usual encoding.
func isText(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return false
		}
	}
	return true
}

// Text returns the text of a document, in composed form (NFC) and at most limits.Text characters long. The name serves to tell formats
// apart. A document without any text gives ErrNoText; a broken one gives what could be read, or an error if that is nothing.
func Text(ctx context.Context, name string, r io.ReaderAt, size int64, limits Limits) (text string, err error) {
	w := newWork(ctx, limits)
	defer func() {
		if p := recover(); p != nil { // a mistake here must not take the service down with it
			text, err = w.text(), errors.New("extract: internal error")
		}
	}()
	head := make([]byte, min(headSize, max(size, 0)))
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("extract: %w", err)
	}
	err = w.read(MediaType(name, head[:n]), r, size)
	text = w.text()
	switch {
	case ctx.Err() != nil:
		return text, fmt.Errorf("extract: %w", ctx.Err())
	case w.budget.Spent() || errors.Is(err, ErrLimit): // what was too large may just have been left out
		return text, ErrLimit
	case text != "":
		return text, nil
	case err == nil, errors.Is(err, ErrNoText):
		return "", ErrNoText
	}
	return "", fmt.Errorf("extract: %w", err)
}

func (w *work) read(media string, r io.ReaderAt, size int64) error {
	switch media {
	case typePDF:
		return w.pdf(r, size)
	case typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP:
		return w.office(media, r, size)
	case typeXML:
		return w.xml(newXMLReader(w.budget.Reader(io.NewSectionReader(r, 0, size))), everything{})
	case typeJSON:
		return w.json(r, size)
	case typeHTML:
		return w.html(r, size)
	case typeText, typeCSV:
		return w.plain(r, size)
	}
	return ErrNoText
}

// work is the extraction from one document: its text so far, and what it may still cost.
type work struct {
	ctx    context.Context
	budget *pdf.Budget
	out    strings.Builder
	limit  int // of characters
	runes  int // still wanted
}

func newWork(ctx context.Context, l Limits) *work {
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Text <= 0 {
		l.Text = defaultText
	}
	return &work{ctx: ctx, budget: pdf.NewBudget(ctx, l.Bytes), limit: l.Text, runes: l.Text}
}

// step counts one small piece of work; every so often it looks at the clock.
func (w *work) step() error { return w.budget.Step() }

// spend counts bytes unpacked.
func (w *work) spend(n int64) error { return w.budget.Spend(n) }

func (w *work) full() bool { return w.runes <= 0 }

// write adds text; control characters become spaces.
func (w *work) write(s string) {
	for _, r := range s {
		if w.runes <= 0 {
			return
		}
		if unicode.IsControl(r) && r != '\n' || r == utf8.RuneError {
			r = ' '
		}
		w.out.WriteRune(r)
		w.runes--
	}
}

// text tidies up: composed letters, no space at the ends of lines, no empty lines.
func (w *work) text() string {
	var b strings.Builder
	for line := range strings.Lines(norm.NFC.String(w.out.String())) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	s := strings.TrimSuffix(b.String(), "\n")
	n := 0
	for i := range s { // a few characters have a composed form that is longer
		if n++; n > w.limit {
			return s[:i]
		}
	}
	return s
}
