package extract

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// maxDirectory bounds what is read of the directory of a ZIP file, and with it the number of entries.
const maxDirectory = 4 << 20

// ErrDirectory says that a ZIP file has more entries than any document.
var ErrDirectory = errors.New("directory of the ZIP file too large")

// atMost fails when more than left bytes have been read.
type atMost struct {
	r    io.ReaderAt
	left int64
}

func (a *atMost) ReadAt(p []byte, off int64) (int, error) {
	if a.left -= int64(len(p)); a.left < 0 {
		return 0, ErrDirectory
	}
	return a.r.ReadAt(p, off)
}

// OpenZIP reads the directory of a ZIP file, within bounds. What the entries hold is for the caller to bound.
func OpenZIP(r io.ReaderAt, size int64) (*zip.Reader, error) {
	limited := &atMost{r, maxDirectory}
	z, err := zip.NewReader(limited, size)
	if limited.left < 0 {
		return nil, ErrDirectory
	}
	if err != nil {
		return nil, err
	}
	limited.left = 1 << 62
	return z, nil
}

// office writes the text of the parts of an Office or OpenDocument file, in the order of their names.
func (w *work) office(media string, r io.ReaderAt, size int64) error {
	z, err := OpenZIP(r, size)
	if err != nil {
		return err
	}
	files := slices.Clone(z.File)
	slices.SortStableFunc(files, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	var failed error
	for _, f := range files {
		if w.full() || !isTextPart(media, f.Name) {
			continue
		}
		err := w.part(f, shapeOf(media))
		if errors.Is(err, ErrLimit) || w.ctx.Err() != nil {
			return err
		}
		if err != nil {
			failed = err
		}
	}
	return failed
}

func (w *work) part(f *zip.File, shape xmlShape) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return w.xml(newXMLReader(w.budget.Reader(r)), shape)
}

func isTextPart(media, name string) bool {
	match := func(patterns ...string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
	}
	switch media {
	case typeDOCX:
		return match("word/document*.xml", "word/header*.xml", "word/footer*.xml", "word/footnotes.xml", "word/endnotes.xml", "word/comments.xml")
	case typeXLSX:
		return match("xl/sharedStrings.xml", "xl/worksheets/sheet*.xml", "xl/comments*.xml")
	case typePPTX:
		return match("ppt/slides/slide*.xml", "ppt/notesSlides/*.xml")
	}
	return name == "content.xml"
}

func shapeOf(media string) xmlShape {
	switch media {
	case typeXLSX:
		return &sheet{}
	case typeDOCX, typePPTX:
		return runs{}
	}
	return openDocument{}
}

// runs are the texts of Word and PowerPoint: <t> in paragraphs <p>.
type runs struct{}

func (runs) text(e xml.StartElement) bool { return e.Name.Local == "t" }

func (runs) after(element string) string {
	switch element {
	case "p", "tr":
		return "\n"
	case "tab", "br", "cr", "tc":
		return " "
	}
	return ""
}

// sheet takes strings and numbers of a spreadsheet; cells that only refer to a shared string are left out.
type sheet struct{ shared bool }

func (s *sheet) text(e xml.StartElement) bool {
	switch e.Name.Local {
	case "c":
		s.shared = slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == "t" && a.Value == "s" })
	case "t":
		return true
	case "v":
		return !s.shared
	}
	return false
}

func (s *sheet) after(element string) string {
	switch element {
	case "si", "c", "comment":
		return "\n"
	}
	return ""
}

// openDocument are the paragraphs and headings of OpenDocument, with the elements inside them.
type openDocument struct{}

func (openDocument) text(e xml.StartElement) bool {
	switch e.Name.Local {
	case "p", "h", "span", "a":
		return true
	}
	return false
}

func (openDocument) after(element string) string {
	switch element {
	case "p", "h":
		return "\n"
	case "s", "tab", "line-break":
		return " "
	}
	return ""
}
