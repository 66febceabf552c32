package inspect_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/inspect/ole"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/filetest"
)

const (
	mediaDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	mediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mediaODT  = "application/vnd.oasis.opendocument.text"
)

func now() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) }

func open(t testing.TB, cfg inspect.Config) *inspect.Inspector {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = now
	}
	i, err := inspect.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func findings(t testing.TB, i *inspect.Inspector, doc dossier.Document, data []byte) []intake.Finding {
	t.Helper()
	d := &dossier.Declaration{Documents: []dossier.Document{doc}}
	fs, err := i.Document(t.Context(), d, 0, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// wrong lists the codes of what did not pass, but for what is said once a dossier.
func wrong(fs []intake.Finding) string {
	var out []string
	for _, f := range fs {
		if f.Outcome != intake.Pass && f.Document != intake.Dossier {
			out = append(out, f.Code)
		}
	}
	return strings.Join(out, " ")
}

func TestGood(t *testing.T) {
	i := open(t, inspect.Config{})
	for _, c := range []struct {
		name, media string
		data        []byte
	}{
		{"a.pdf", "application/pdf", filetest.SimplePDF("")}, {"a.pdf", "application/pdf; version=1.7", filetest.VietnamesePDF("x")}, {"a.pdf", "", filetest.SimplePDF("")},
		{"a.docx", mediaDOCX, filetest.DOCX(t, "")}, {"a.xlsx", mediaXLSX, filetest.XLSX(t)}, {"a.odt", mediaODT, filetest.ODT(t, mediaODT, "")},
		{"a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"a/b.txt", "x"}, filetest.Entry{"a/", ""})},
		{"a.xml", "text/xml", []byte("<?xml version='1.0' encoding='windows-1258'?><a>\xe9</a>")},
		{"a.xml", "application/xml", []byte("\ufeff<a><b/></a>\n")}, {"a", "application/json", []byte(" {}")}, {"a.json", "application/json", []byte(`[1,{"a":null}] `)},
		{"a.txt", "text/plain; charset=utf-8", []byte("x")}, {"a.csv", "text/csv", []byte("a;b")}, {"a.png", "image/png", filetest.PNG(t)},
		{"a.jpg", "image/jpeg", append(filetest.JPEG(t), 0, 0)}, {"a.jpeg", "image/jpg", filetest.JPEG(t)}, {"a.tif", "image/tiff", filetest.TIFF()},
		{"a.doc", "application/msword", oleFile(olePart{"WordDocument", make([]byte, 64)})},
		{"a.docx", "application/octet-stream", filetest.DOCX(t, "")},
	} {
		fs := findings(t, i, dossier.Document{Name: c.name, MediaType: c.media}, c.data)
		if got := wrong(fs); got != "" {
			t.Errorf("%s as %s: %s, %+v", c.name, c.media, got, fs)
		}
		for _, code := range []string{"document.valid", "format.identified"} {
			if !slices.ContainsFunc(fs, func(f intake.Finding) bool { return f.Code == code && f.Agent != "" }) {
				t.Errorf("%s as %s: no %s", c.name, c.media, code)
			}
		}
	}
}

func TestBad(t *testing.T) {
	i := open(t, inspect.Config{})
	pdf, word := filetest.SimplePDF("BT (x) Tj ET"), filetest.DOCX(t, "<w:p/>")
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	replace := func(old, new string) []byte { return bytes.Replace(pdf, []byte(old), []byte(new), 1) }
	for _, c := range []struct {
		what, name, media string
		data              []byte
		want              string
	}{
		{"empty", "a.pdf", "application/pdf", nil, "document.empty"},
		{"image as PDF", "a.pdf", "application/pdf", filetest.PNG(t), "format.mismatch"},
		{"PDF by another name", "a.docx", "application/pdf", pdf, "format.mismatch"},
		{"PDF declared text", "a.pdf", "text/plain", pdf, "format.mismatch"},
		{"text as PDF", "a.pdf", "application/pdf", []byte("xin chào"), "format.mismatch"},
		{"program as text", "a.txt", "text/plain", append([]byte("MZ\x90\x00\x03"), make([]byte, 100)...), "format.mismatch"},
		{"PDF declared unknown", "a.xyz", "application/x-unknown", pdf, "format.mismatch"},
		{"ZIP as Word", "a.docx", mediaDOCX, filetest.ZIP(t, filetest.Entry{"a.txt", "x"}), "format.mismatch"},
		{"Word as spreadsheet", "a.docx", mediaXLSX, word, "format.mismatch"},
		{"Word by the name of a spreadsheet", "a.xlsx", mediaXLSX, word, "format.mismatch"},
		{"nothing known", "a", "", []byte{0, 1, 2, 3, 0xfe}, "format.unknown"},
		{"PDF cut off", "a.pdf", "application/pdf", cut(pdf, 10), "document.broken"},
		{"PDF without objects", "a.pdf", "application/pdf", []byte("%PDF-1.4\nstartxref\n9\n%%EOF\n"), "document.broken"},
		{"PDF with moved table", "a.pdf", "application/pdf", replace("%PDF-1.7\n", "%PDF-1.7\n\n\n\n\n"), "document.broken"},
		{"PDF without pages", "a.pdf", "application/pdf", replace("/Kids [3 0 R]", "/Kids [      ]"), "document.broken"},
		{"PDF with a password", "a.pdf", "application/pdf", replace("/Root 1 0 R ", "/Encrypt 9 0 R /Root 1 0 R "), "document.encrypted"},
		{"ZIP cut off", "a.zip", "application/zip", cut(filetest.ZIP(t, filetest.Entry{"a", "x"}), 5), "document.broken"},
		{"ZIP climbs", "a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"../../etc/passwd", "x"}), "document.broken"},
		{"ZIP from the root", "a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"/etc/passwd", "x"}), "document.broken"},
		{"ZIP with drive", "a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{`C:\x`, "x"}), "document.broken"},
		{"ZIP twice", "a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"a", "x"}, filetest.Entry{"a", "y"}), "document.broken"},
		{"ZIP bomb", "a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"a", strings.Repeat("0", 80<<20)}), "document.bomb"},
		{"ZIP lies", "a.zip", "application/zip", lyingZIP(t), "document.bomb"},
		{"ZIP of nothing", "a.zip", "application/zip", manyEntries(t, 60_000), "document.bomb"},
		{"ZIP with a password", "a.zip", "application/zip", lockedZIP(t), "document.encrypted"},
		{"XML open", "a.xml", "text/xml", []byte("<?xml version='1.0'?><a><b></a>"), "document.broken"},
		{"XML empty", "a.xml", "text/xml", []byte("<?xml version='1.0'?>"), "document.broken"},
		{"XML twice", "a.xml", "text/xml", []byte("<?xml version='1.0'?><a/><b/>"), "document.broken"},
		{"XML laughs", "a.xml", "text/xml", []byte(`<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;&b;</a>`), "document.broken"},
		{"XML deep", "a.xml", "text/xml", []byte("<?xml version='1.0'?>" + strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000)), "document.broken"},
		{"JSON open", "a.json", "application/json", []byte(`{"a":1`), "document.broken"},
		{"JSON twice", "a.json", "application/json", []byte(`{} {}`), "document.broken"},
		{"JSON deep", "a.json", "application/json", []byte(strings.Repeat("[", 100_000)), "document.broken"},
		{"PNG cut off", "a.png", "image/png", cut(filetest.PNG(t), 8), "document.broken"},
		{"PNG huge", "a.png", "image/png", hugePNG(t), "document.bomb"},
		{"TIFF cut off", "a.tif", "image/tiff", cut(filetest.TIFF(), 1), "document.broken"},
		{"TIFF of itself", "a.tif", "image/tiff", []byte("II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"), "document.broken"},
		{"OLE cut off", "a.doc", "application/msword", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "document.broken"},
		{"Word with macros", "a.docx", mediaDOCX, filetest.ZIP(t, filetest.ContentTypes("wordprocessingml.document"), filetest.Entry{"word/document.xml", "<a/>"}, filetest.Entry{"word/vbaProject.bin", "x"}), "document.macro"},
		{"Word with a template from outside", "a.docx", mediaDOCX, filetest.ZIP(t, filetest.ContentTypes("wordprocessingml.document"), filetest.Entry{"word/document.xml", "<a/>"},
			filetest.Entry{"word/_rels/settings.xml.rels", `<Relationship Type="http://x/attachedTemplate" Target="http://evil/x.dotm" TargetMode="External"/>`}), "document.macro"},
		{"Word with a file inside", "a.docx", mediaDOCX, filetest.ZIP(t, filetest.ContentTypes("wordprocessingml.document"), filetest.Entry{"word/document.xml", "<a/>"}, filetest.Entry{"word/embeddings/oleObject1.bin", "x"}), "document.embedded"},
		{"OpenDocument with macros", "a.odt", mediaODT, filetest.ZIP(t, filetest.Entry{"mimetype", mediaODT}, filetest.Entry{"content.xml", "<a/>"}, filetest.Entry{"Basic/Standard/Module1.xml", "x"}), "document.macro"},
		{"OpenDocument with a password", "a.odt", mediaODT, filetest.ZIP(t, filetest.Entry{"mimetype", mediaODT}, filetest.Entry{"content.xml", "x"}, filetest.Entry{"META-INF/manifest.xml", "<m><manifest:encryption-data/></m>"}), "document.encrypted"},
		{"old Word with macros", "a.doc", "application/msword", oleFile(olePart{"WordDocument", make([]byte, 64)}, olePart{"Macros", nil}), "document.macro"},
		{"old Word with a password", "a.doc", "application/msword", oleFile(olePart{"WordDocument", append(make([]byte, 11), 1)}), "document.encrypted"},
		{"old Excel with a password", "a.xls", "application/vnd.ms-excel", oleFile(olePart{"Workbook", []byte("\x09\x08\x04\x00\x00\x06\x05\x00\x2f\x00\x02\x00\x01\x00")}), "document.encrypted"},
		{"Office with a password", "a.doc", "application/msword", oleFile(olePart{"EncryptionInfo", []byte("x")}, olePart{"EncryptedPackage", []byte("x")}), "document.encrypted"},
		{"PDF with JavaScript", "a.pdf", "application/pdf", activePDF("<< /S /JavaScript /JS (app.alert\\(1\\)) >>"), "document.script"},
		{"PDF that launches", "a.pdf", "application/pdf", activePDF("<< /S /Launch /F (cmd.exe) >>"), "document.script"},
		{"PDF with a file", "a.pdf", "application/pdf", activePDF("<< /Type /Filespec /F (a.exe) /EF << /F 4 0 R >> >>"), "document.embedded"},
	} {
		fs := findings(t, i, dossier.Document{Name: c.name, MediaType: c.media}, c.data)
		if got := wrong(fs); got != c.want && !slices.Contains(strings.Fields(got), c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// activePDF hangs an object to the catalog.
func activePDF(o string) []byte {
	b := filetest.NewPDF()
	b.Object(1, "<< /Type /Catalog /Pages 2 0 R /Hidden [5 0 R] >>")
	b.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	b.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>")
	b.Stream(4, "", []byte("x"))
	b.Object(5, o)
	return b.Table("")
}

func hugePNG(t *testing.T) []byte {
	b := filetest.PNG(t)
	copy(b[16:], "\x00\x01\x00\x00\x00\x01\x00\x00")
	return b
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

// lockedZIP has an entry with the flag of encryption.
func lockedZIP(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "a", Method: zip.Store, Flags: 1, CompressedSize64: 1, UncompressedSize64: 1})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "x")
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

// olePart is an ole.Part, in short.
type olePart struct {
	name string
	data []byte
}

func oleFile(parts ...olePart) []byte {
	var out []ole.Part
	for _, p := range parts {
		out = append(out, ole.Part{Name: p.name, Data: p.data})
	}
	return ole.Write(out)
}

func TestPermitted(t *testing.T) {
	media := open(t, inspect.Config{Permitted: []string{"application/pdf", mediaDOCX, "application/msword", "application/pkcs7-signature"}})
	puids := open(t, inspect.Config{Permitted: []string{"fmt/20", "fmt/412"}})
	for _, c := range []struct {
		name, media string
		data        []byte
		bad, bad2   bool
	}{
		{"a.pdf", "application/pdf", filetest.SimplePDF(""), false, true}, // 1.7
		{"a.docx", mediaDOCX, filetest.DOCX(t, ""), false, false},
		{"a.png", "image/png", filetest.PNG(t), true, true},
		{"a.zip", "application/zip", filetest.ZIP(t, filetest.Entry{"a", "x"}), true, true},
		{"a.p7s", "application/pkcs7-signature", []byte{0x30, 0x82, 0x01, 0x00}, false, true},
		{"a.bin", "application/octet-stream", []byte{0, 1, 2}, true, true},
	} {
		for k, i := range []*inspect.Inspector{media, puids} {
			fs := findings(t, i, dossier.Document{Name: c.name, MediaType: c.media}, c.data)
			bad := slices.ContainsFunc(fs, func(f intake.Finding) bool { return f.Code == "format.not_permitted" })
			if want := []bool{c.bad, c.bad2}[k]; bad != want {
				t.Errorf("%s, list %d: not permitted %v, want %v: %+v", c.name, k, bad, want, fs)
			}
		}
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestUnreadable(t *testing.T) {
	i := open(t, inspect.Config{})
	d := &dossier.Declaration{Documents: []dossier.Document{{Name: "a.pdf", MediaType: "application/pdf"}}}
	fs, err := i.Document(t.Context(), d, 0, failing{}, 100)
	if err != nil || wrong(fs) != "document.unreadable" {
		t.Errorf("%v, %v", fs, err)
	}
	if _, err := i.Document(t.Context(), d, 1, failing{}, 100); err == nil {
		t.Error("no such document, and no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Document(ctx, d, 0, bytes.NewReader(filetest.SimplePDF("")), 100); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
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

func TestReadsLittle(t *testing.T) {
	b := filetest.NewPDF()
	b.Object(1, "<< /Pages 2 0 R >>")
	b.Object(2, "<< /Kids [3 0 R] >>")
	b.Object(3, "<< /Type /Page >>")
	b.Stream(4, "", make([]byte, 20<<20))
	data := b.Table("")
	r := &bounded{ReaderAt: bytes.NewReader(data)}
	d := &dossier.Declaration{Documents: []dossier.Document{{Name: "a.pdf", MediaType: "application/pdf"}}}
	fs, err := open(t, inspect.Config{}).Document(t.Context(), d, 0, r, int64(len(data)))
	if err != nil || wrong(fs) != "" || r.read > 200<<10 {
		t.Errorf("%v, %v after reading %d bytes", fs, err, r.read)
	}
}

func TestSignatureExpected(t *testing.T) {
	i := open(t, inspect.Config{})
	if got := wrong(findings(t, i, dossier.Document{Name: "a.txt", MediaType: "text/plain", Role: "result"}, []byte("x"))); got != "signature.none" {
		t.Errorf("result without a signature: %q", got)
	}
	if got := wrong(findings(t, i, dossier.Document{Name: "a.txt", MediaType: "text/plain", Role: "submitted"}, []byte("x"))); got != "" {
		t.Errorf("submitted without a signature: %q", got)
	}
	d := &dossier.Declaration{Documents: []dossier.Document{{Name: "a.txt", MediaType: "text/plain", Role: "result"}, {Name: "a.txt.p7s", Role: "result"}}}
	fs, err := i.Document(t.Context(), d, 0, strings.NewReader("x"), 1)
	if err != nil || wrong(fs) != "" {
		t.Errorf("result with a signature beside it: %v, %v", fs, err)
	}
}

func TestNoScanner(t *testing.T) {
	i := open(t, inspect.Config{})
	d := &dossier.Declaration{Documents: []dossier.Document{{Name: "a.txt"}, {Name: "b.txt"}}}
	n := 0
	for k := range d.Documents {
		fs, err := i.Document(t.Context(), d, k, strings.NewReader("x"), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Code == "virus.no_scanner" && f.Document == intake.Dossier {
				n++
			}
		}
	}
	if n != 1 {
		t.Errorf("said %d times that there is no scanner", n)
	}
	if _, err := inspect.New(inspect.Config{Scanner: "somewhere"}); err == nil {
		t.Error("a scanner without an address")
	}
}

func seeds(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"a.pdf": filetest.SimplePDF("BT (x) Tj ET"), "b.pdf": filetest.VietnamesePDF("đ"), "c.pdf": activePDF("<< /S /Launch >>"), "a.docx": filetest.DOCX(t, ""), "a.odt": filetest.ODT(t, mediaODT, ""),
		"a.doc": oleFile(olePart{"WordDocument", []byte("x")}, olePart{"Macros", nil}), "a.xml": []byte("<a/>"), "a.json": []byte("{}"),
		"a.png": filetest.PNG(t), "a.jpg": filetest.JPEG(t), "a.tif": filetest.TIFF(), "a.txt": []byte("x"), "a.p7s": {0x30, 0x82},
	}
}

func FuzzDocument(f *testing.F) {
	for name, data := range seeds(f) {
		f.Add(name, "", data)
	}
	i, err := inspect.New(inspect.Config{Now: now, Permitted: []string{"application/pdf"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, media string, data []byte) {
		d := &dossier.Declaration{Documents: []dossier.Document{{Name: name, MediaType: media, Role: "result", Origin: "digitised"}}}
		fs, err := i.Document(t.Context(), d, 0, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Code == "document.unreadable" {
				t.Fatal("panicked inside")
			}
		}
	})
}
