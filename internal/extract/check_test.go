package extract_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/luutru/luutru/internal/extract"
)

func codes(problems []extract.Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, strings.TrimPrefix(p.Code, "document."))
	}
	return strings.Join(out, " ")
}

func check(name, media string, data []byte) string {
	return codes(extract.Check(name, media, nil, bytes.NewReader(data), int64(len(data))))
}

const (
	mediaDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	mediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mediaODT  = "application/vnd.oasis.opendocument.text"
)

func TestMediaType(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a", simplePDF(""), "application/pdf"}, {"a.txt", simplePDF(""), "application/pdf"}, {"a.docx", docx(t, ""), mediaDOCX},
		{"a.xlsx", xlsx(t), mediaXLSX}, {"a", docx(t, ""), "application/zip"}, {"a.zip", odt(t, mediaODT, ""), mediaODT},
		{"a.png", pngFile(t), "image/png"}, {"a.pdf", jpegFile(t), "image/jpeg"}, {"a", tiffFile(), "image/tiff"},
		{"a.xml", []byte("<a/>"), "application/xml"}, {"a", []byte("<?xml?>"), "application/xml"}, {"a", []byte(" <HTML>"), "text/html"},
		{"a", []byte(" {}"), "application/json"}, {"a.txt", []byte("{}"), "text/plain"}, {"a.csv", []byte("a;b"), "text/csv"}, {"A.CSV", []byte("a;b"), "text/csv"},
		{"a.pdf", []byte("text"), "text/plain"}, {"a.txt", []byte{0}, "application/octet-stream"}, {"a", nil, "text/plain"},
		{"a.doc", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/x-ole-storage"},
	} {
		if got := extract.MediaType(c.name, c.data); got != c.want {
			t.Errorf("%s %.10q: %s, want %s", c.name, c.data, got, c.want)
		}
	}
}

func TestCheckGood(t *testing.T) {
	for _, c := range []struct {
		name, media string
		data        []byte
	}{
		{"a.pdf", "application/pdf", simplePDF("")}, {"a.pdf", "application/pdf; version=1.7", vietnamesePDF("x")}, {"a.pdf", "", simplePDF("")},
		{"a.docx", mediaDOCX, docx(t, "")}, {"a.xlsx", mediaXLSX, xlsx(t)}, {"a.odt", mediaODT, odt(t, mediaODT, "")},
		{"a.zip", "application/zip", zipFile(t, entry{"a/b.txt", "x"}, entry{"a/", ""})}, {"a.xml", "text/xml", []byte("<?xml version='1.0' encoding='windows-1258'?><a>\xe9</a>")},
		{"a.xml", "application/xml", []byte("\ufeff<a><b/></a>\n")}, {"a.json", "application/json", []byte(`[1,{"a":null}] `)}, {"a.txt", "text/plain; charset=utf-8", []byte("x")},
		{"a.html", "text/html", []byte("<p>")}, {"a.csv", "text/csv", []byte("a;b")}, {"a.png", "image/png", pngFile(t)}, {"a.jpg", "image/jpeg", append(jpegFile(t), 0, 0)},
		{"a.jpeg", "image/jpg", jpegFile(t)}, {"a.tif", "image/tiff", tiffFile()}, {"a", "application/octet-stream", []byte{0, 1}},
		{"a.p7s", "application/pkcs7-signature", []byte{0x30, 0x82}}, {"a.svg", "image/svg+xml", []byte("<svg/>")}, {"a.mp4", "video/mp4", []byte{0, 0, 0, 24}},
	} {
		if got := check(c.name, c.media, c.data); got != "" {
			t.Errorf("%s as %s: %s", c.name, c.media, got)
		}
	}
}

func TestCheckBad(t *testing.T) {
	pdf, word := simplePDF("BT (x) Tj ET"), docx(t, "<w:p/>")
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	for _, c := range []struct {
		what, name, media string
		data              []byte
		want              string
	}{
		{"empty", "a.pdf", "application/pdf", nil, "empty"},
		{"image as PDF", "a.pdf", "application/pdf", pngFile(t), "type_mismatch"},
		{"PDF by another name", "a.docx", "application/pdf", pdf, "type_mismatch"},
		{"PDF declared text", "a.pdf", "text/plain", pdf, "type_mismatch"},
		{"text as PDF", "a.pdf", "application/pdf", []byte("xin chào"), "type_mismatch"},
		{"program as text", "a.txt", "text/plain", []byte("MZ\x90\x00\x03"), "type_mismatch"},
		{"PDF declared unknown", "a.xyz", "application/x-unknown", pdf, "type_mismatch"},
		{"ZIP as Word", "a.docx", mediaDOCX, zipFile(t, entry{"a.txt", "x"}), "type_mismatch"},
		{"Word as spreadsheet", "a.docx", mediaXLSX, word, "type_mismatch"},
		{"PDF cut off", "a.pdf", "application/pdf", cut(pdf, 10), "pdf_broken"},
		{"PDF without objects", "a.pdf", "application/pdf", []byte("%PDF-1.4\nstartxref\n9\n%%EOF\n"), "pdf_broken"},
		{"PDF with moved table", "a.pdf", "application/pdf", bytes.Replace(pdf, []byte("%PDF-1.7\n"), []byte("%PDF-1.7\n\n\n\n\n"), 1), "pdf_broken"},
		{"PDF without pages", "a.pdf", "application/pdf", bytes.Replace(pdf, []byte("/Kids [3 0 R]"), []byte("/Kids [      ]"), 1), "pdf_broken"},
		{"PDF with a password", "a.pdf", "application/pdf", bytes.Replace(pdf, []byte("/Root 1 0 R "), []byte("/Encrypt 9 0 R /Root 1 0 R "), 1), "encrypted"},
		{"ZIP cut off", "a.zip", "application/zip", cut(zipFile(t, entry{"a", "x"}), 5), "zip_broken"},
		{"Word cut off", "a.docx", mediaDOCX, word[:len(word)/2], "zip_broken"},
		{"ZIP climbs", "a.zip", "application/zip", zipFile(t, entry{"../../etc/passwd", "x"}), "zip_path"},
		{"ZIP from the root", "a.zip", "application/zip", zipFile(t, entry{"/etc/passwd", "x"}), "zip_path"},
		{"ZIP with drive", "a.zip", "application/zip", zipFile(t, entry{`C:\x`, "x"}), "zip_path"},
		{"ZIP twice", "a.zip", "application/zip", zipFile(t, entry{"a", "x"}, entry{"a", "y"}), "zip_path"},
		{"ZIP bomb", "a.zip", "application/zip", zipFile(t, entry{"a", strings.Repeat("0", 80<<20)}), "zip_bomb"},
		{"ZIP lies", "a.zip", "application/zip", lyingZIP(t), "zip_bomb"},
		{"ZIP of nothing", "a.zip", "application/zip", manyEntries(t, 60_000), "zip_bomb"},
		{"XML open", "a.xml", "text/xml", []byte("<a><b></a>"), "xml_broken"},
		{"XML empty", "a.xml", "text/xml", []byte("<?xml version='1.0'?>"), "xml_broken"},
		{"XML twice", "a.xml", "text/xml", []byte("<a/><b/>"), "xml_broken"},
		{"XML laughs", "a.xml", "text/xml", []byte(`<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;&b;</a>`), "xml_broken"},
		{"XML deep", "a.xml", "text/xml", []byte(strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000)), "xml_broken"},
		{"JSON open", "a.json", "application/json", []byte(`{"a":1`), "json_broken"},
		{"JSON twice", "a.json", "application/json", []byte(`{} {}`), "json_broken"},
		{"JSON blank", "a.json", "application/json", []byte(" "), "json_broken"},
		{"JSON deep", "a.json", "application/json", []byte(strings.Repeat("[", 100_000)), "json_broken"},
		{"PNG cut off", "a.png", "image/png", cut(pngFile(t), 8), "image_broken"},
		{"JPEG cut off", "a.jpg", "image/jpeg", cut(jpegFile(t), 2), "image_broken"},
		{"TIFF cut off", "a.tif", "image/tiff", cut(tiffFile(), 1), "image_broken"},
		{"TIFF of itself", "a.tif", "image/tiff", []byte("II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"), "image_broken"},
		{"TIFF without a place", "a.tif", "image/tiff", []byte("MM\x00*\x00\x00\x00\x00"), "image_broken"},
	} {
		if got := check(c.name, c.media, c.data); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// lyingZIP declares entries that are larger than the file.
func lyingZIP(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a", "b"} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CompressedSize64: 1 << 30, UncompressedSize64: 1 << 31})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "x")
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func manyEntries(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	name := strings.Repeat("x", 30)
	for range n {
		if _, err := z.CreateRaw(&zip.FileHeader{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCheckTexts(t *testing.T) {
	for _, data := range [][]byte{nil, []byte("%PDF-"), []byte("PK\x03\x04")} {
		for _, p := range extract.Check("a.pdf", "application/pdf", nil, bytes.NewReader(data), int64(len(data))) {
			if !strings.HasPrefix(p.Code, "document.") || p.Vietnamese == "" || p.English == "" || p.Vietnamese == p.English {
				t.Errorf("problem %+v", p)
			}
		}
	}
	if got := codes(extract.Check("a", "", nil, failing{}, 100)); got != "unreadable" {
		t.Errorf("failing reader: %s", got)
	}
	// what the caller declares is repeated only in part
	long := strings.Repeat("x", 10_000)
	for _, p := range extract.Check("a", "application/"+long, nil, bytes.NewReader(simplePDF("")), 100) {
		if len(p.English) > 500 {
			t.Errorf("%d bytes of explanation", len(p.English))
		}
	}
}

// bounded counts what is read.
type bounded struct {
	io.ReaderAt
	read int64
}

func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	b.read += int64(len(p))
	return b.ReaderAt.ReadAt(p, off)
}

func TestCheckReadsLittle(t *testing.T) {
	b := newPDF()
	b.object(1, "<< /Pages 2 0 R >>")
	b.object(2, "<< /Kids [3 0 R] >>")
	b.object(3, "<< /Type /Page >>")
	b.stream(4, "", make([]byte, 20<<20))
	data := b.table("")
	r := &bounded{ReaderAt: bytes.NewReader(data)}
	if got := codes(extract.Check("a.pdf", "application/pdf", data[:4096], r, int64(len(data)))); got != "" || r.read > 100<<10 {
		t.Errorf("%q after reading %d bytes", got, r.read)
	}
}

func FuzzCheck(f *testing.F) {
	for name, data := range seeds(f) {
		f.Add(name, extract.MediaType(name, data), data)
	}
	f.Fuzz(func(t *testing.T, name, media string, data []byte) {
		for _, p := range extract.Check(name, media, nil, bytes.NewReader(data), int64(len(data))) {
			if p.Code == "document.unreadable" {
				t.Fatal("panicked inside")
			}
		}
	})
}
