package inspect_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/filetest"
	"github.com/luutru/luutru/internal/sample"
)

// letter is a PDF file of the samples: PDF/A-2b.
func letter(t testing.TB) []byte {
	t.Helper()
	for d := range sample.Make(1, 10, sample.Options{}) {
		for _, f := range d.Files {
			if f.MediaType == "application/pdf" {
				return f.Data
			}
		}
	}
	t.Fatal("no PDF file among the samples")
	return nil
}

// scan is a PDF/A-2b file of one page that shows an image, and a text layer if there is any text. Not everything that the standard
// asks for is in it.
func scan(text string) []byte {
	xmp := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""` +
		` xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/></rdf:RDF></x:xmpmeta>`
	b := filetest.NewPDF()
	b.Object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>")
	b.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	b.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> /Font << /F 7 0 R >> >> >>")
	b.Stream(4, "", []byte("q 595 0 0 842 0 0 cm /I Do Q "+text))
	b.Stream(5, "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace [/CalGray << /WhitePoint [1 1 1] >>] /BitsPerComponent 8", []byte("x"))
	b.Stream(6, "/Type /Metadata /Subtype /XML", []byte(xmp))
	b.Object(7, filetest.SimpleFont)
	return b.Table("/ID [<00> <00>]")
}

func TestPDFA(t *testing.T) {
	i := open(t, inspect.Config{})
	good := letter(t)
	for _, c := range []struct {
		what, origin string
		data         []byte
		want         string // codes of pdfa
		detail       string
	}{
		{"letter", "born_digital", good, "pdfa.valid", "PDF/A-2b"}, {"digitised letter", "digitised", good, "pdfa.valid", "PDF/A-2b"},
		{"no claim", "born_digital", filetest.SimplePDF(""), "", ""}, {"no claim, digitised", "digitised", filetest.SimplePDF(""), "pdfa.missing", ""},
		{"font left out", "born_digital", bytes.Replace(good, []byte("/FontFile2"), []byte("/FontFileX"), 1), "pdfa.violation", "6.2.11.4.1-1"},
		{"part 4", "born_digital", bytes.Replace(good, []byte(`pdfaid:part="2"`), []byte(`pdfaid:part="4"`), 1), "pdfa.unchecked", "PDF/A-4"},
		{"scan with text", "digitised", scan("BT 3 Tr /F 9 Tf (x) Tj ET"), "pdfa.valid", "PDF/A-2b"},
		{"scan without", "digitised", scan(""), "pdfa.valid pdfa.no_text", "PDF/A-2b"},
		{"scan that shows its text", "digitised", scan("BT /F 9 Tf (x) Tj ET"), "pdfa.violation", "6.2.11.4.1-1"},
	} {
		var codes, details []string
		for _, f := range findings(t, i, dossier.Document{Name: "a.pdf", MediaType: "application/pdf", Origin: c.origin}, c.data) {
			if strings.HasPrefix(f.Code, "pdfa.") {
				codes, details = append(codes, f.Code), append(details, f.Detail)
			}
		}
		if got := strings.Join(codes, " "); got != c.want || !strings.Contains(strings.Join(details, " "), c.detail) {
			t.Errorf("%s: %s %q, want %s %q", c.what, got, details, c.want, c.detail)
		}
	}
}

// TestSamples finds nothing wrong with the samples, whose PDF files veraPDF calls valid.
func TestSamples(t *testing.T) {
	i := open(t, inspect.Config{})
	for d := range sample.Make(3, 14, sample.Options{}) {
		for _, f := range d.Files {
			fs := findings(t, i, dossier.Document{Name: f.Name, MediaType: f.MediaType}, f.Data)
			if got := wrong(fs); got != "" {
				t.Errorf("%s: %+v", f.Name, fs)
			}
			if f.MediaType == "application/pdf" && !slices.ContainsFunc(fs, func(f intake.Finding) bool {
				return f.Code == "format.identified" && strings.HasPrefix(f.Detail, "fmt/477 ")
			}) {
				t.Errorf("%s is not identified as PDF/A-2b", f.Name)
			}
		}
	}
}

// TestBomb bounds the work on a small file whose page unpacks to much.
func TestBomb(t *testing.T) {
	i := open(t, inspect.Config{})
	data := scan("")
	b := filetest.NewPDF()
	b.Object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>")
	b.Object(2, "<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>")
	b.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [4 0 R 4 0 R 4 0 R] /Resources << >> >>")
	b.Stream(4, "/Filter /FlateDecode", filetest.Deflate(bytes.Repeat([]byte("q Q "), 5<<20)))
	at := bytes.Index(data, []byte("<x:xmpmeta"))
	b.Stream(6, "/Type /Metadata /Subtype /XML", data[at:bytes.Index(data, []byte("</x:xmpmeta>"))+12])
	fs := findings(t, i, dossier.Document{Name: "a.pdf", MediaType: "application/pdf"}, b.Table("/ID [<00> <00>]"))
	if got := wrong(fs); got != "pdfa.unchecked" {
		t.Errorf("%+v", fs)
	}
}
