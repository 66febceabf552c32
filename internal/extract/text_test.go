package extract_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/internal/extract"
	"github.com/luutru/luutru/internal/filetest"
)

func text(t testing.TB, name string, data []byte, l extract.Limits) (string, error) {
	t.Helper()
	return extract.Text(t.Context(), name, bytes.NewReader(data), int64(len(data)), l)
}

func TestText(t *testing.T) {
	const sample = "Quyết định số 123/QĐ-UBND về việc cấp giấy phép xây dựng"
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a.txt", []byte("\ufeff" + sample + "\r\n\r\n  hai \t dòng\f "), sample + "\nhai dòng"},
		{"nfd.txt", []byte(norm.NFD.String(sample)), sample},
		{"le.txt", utf16File(sample, binary.LittleEndian), sample},
		{"be.txt", utf16File(sample, binary.BigEndian), sample},
		{"a.csv", []byte("họ tên;số\nA;1"), "họ tên;số\nA;1"},
		{"a.json", []byte(`{"tên":"Nguyễn","tuổi":[30,{"x":true}],"n":null}`), "tên\nNguyễn\ntuổi\n30\nx\nn"},
		{"a.xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><a x="1"><!-- c --><b>một &amp; hai</b><c>ba<![CDATA[ <bốn>]]></c></a>`), "một & hai\nba <bốn>"},
		{"a.html", []byte("<!DOCTYPE html><html><head><style>p{}</style><script>var a='<p>'</script></head><body><h1>Đề&nbsp;mục</h1><p>m<b>ộ</b>t &lt;hai<br>ba<!-- <p>ẩn -->"), "Đề mục\nmột <hai\nba"},
		{"a.docx", filetest.DOCX(t, `<w:p><w:r><w:t>Kính </w:t></w:r><w:r><w:t>gửi</w:t><w:tab/><w:t>ông</w:t></w:r></w:p><w:p><w:r><w:delText>xóa</w:delText><w:t>Hết</w:t></w:r></w:p>`), "Kính gửi ông\nHết\nTiêu đề trang"},
		{"a.xlsx", filetest.XLSX(t), "Họ tên\nNguyễn Văn A\n079085001234\nghi chú"},
		{"a.odt", filetest.ODT(t, "application/vnd.oasis.opendocument.text", `<text:h>Mục</text:h><text:p>một<text:s/>hai<text:span> ba</text:span></text:p><x>không</x>`), "Mục\nmột hai ba"},
		{"noname", filetest.ODT(t, "application/vnd.oasis.opendocument.spreadsheet", `<t><text:p>ô</text:p></t>`), "ô"},
		{"a.pdf", filetest.VietnamesePDF(sample), sample},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := text(t, c.name, c.data, extract.Limits{})
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestTextPDFContent(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"lines":   {"BT /F1 10 Tf 72 700 Td (mot) Tj 0 -12 Td (hai) Tj T* (ba) Tj ET", "mot\nhaiba"},
		"leading": {"BT /F1 10 Tf 14 TL 72 700 Td (mot) Tj T* (hai) Tj (ba) ' 1 2 (bon) \" ET", "mot\nhai\nba\nbon"},
		"spaces":  {"BT /F1 10 Tf 72 700 Td [(m) 20 (ot) -600 (hai)] TJ 40 0 Td (ba) Tj ET", "mot hai ba"},
		"matrix":  {"q 2 0 0 2 0 0 cm BT /F1 10 Tf 1 0 0 1 10 10 Tm (mot) Tj 1 0 0 1 10 50 Tm (hai) Tj ET Q BT /F1 10 Tf 300 400 Td (ba) Tj ET", "mot\nhai\nba"},
		"escapes": {`BT /F1 10 Tf (a\(b\)\\ \101\102\7 \
c\n(d)) Tj <4142 4> Tj ET`, "a(b)\\ AB c(d)AB@"},
		"win-ansi":     {"BT /F1 10 Tf (\xe9\x96) Tj ET", "é–"},
		"inline image": {"BI /W 1 /H 1 ID \xff(EI\x00) EI BT /F1 10 Tf (sau) Tj ET", "sau"},
		"no font":      {"BT (khong) Tj /None 10 Tf (font) Tj ET", "khongfont"},
		"junk":         {"] >> } /x#4 /x#41 0.5. -- +1 BT /F1 10 Tf (duoc) Tj ET", "duoc"},
		"cut off":      {"BT /F1 10 Tf (truoc) Tj (sau", "truoc"},
		"cut off hex":  {"BT /F1 10 Tf (truoc) Tj <41", "truoc"},
		"deep":         {"BT /F1 10 Tf (truoc) Tj " + strings.Repeat("[", 100_000), "truoc"},
		"rotated":      {"BT /F1 10 Tf 0 1 -1 0 100 100 Tm (doc) Tj 0 1 -1 0 120 100 Tm (ngang) Tj ET", "doc\nngang"},
		"operators":    {strings.Repeat("1 ", 500) + "Td Q Q q cm Tm TD TL Tf Tj TJ ' \" Do BT /F1 10 Tf (van) Tj ET", "van"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := text(t, "a.pdf", filetest.SimplePDF(c.content), extract.Limits{})
			if c.want != "" && err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// onePage has a page with the objects given, from number 4.
func onePage(resources string, build func(b *filetest.PDF)) []byte {
	b := filetest.NewPDF()
	b.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	b.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	b.Object(3, "<< /Type /Page /Contents 4 0 R /Resources << "+resources+" >> >>")
	build(b)
	return b.Table("")
}

func TestTextPDFFonts(t *testing.T) {
	show := []byte("BT /F1 10 Tf <0141424320ff> Tj ET")
	cmap := func(s string) func(*filetest.PDF) {
		return func(b *filetest.PDF) {
			b.Stream(4, "", show)
			b.Object(5, "<< /Type /Font /Subtype /TrueType /ToUnicode 6 0 R >>")
			b.Stream(6, "", []byte(s))
		}
	}
	differences := func(s string) func(*filetest.PDF) {
		return func(b *filetest.PDF) {
			b.Stream(4, "/Length 7 0 R", show)
			b.Object(5, "<< /Type /Font /Subtype /Type1 /FirstChar 65 /Widths [500 6 0 R 700] /Encoding << /Type /Encoding /Differences ["+s+"] >> >>")
			b.Object(6, "600")
		}
	}
	for name, c := range map[string]struct {
		build func(*filetest.PDF)
		want  string
	}{
		"bfchar":            {cmap("2 beginbfchar <41> <1EA1> <42> <00660069> endbfchar"), "ạfiC ÿ"},
		"bfrange":           {cmap("1 beginbfrange <41> <43> <0110> endbfrange"), "Đđ\u0112 ÿ"},
		"bfrange of texts":  {cmap("1 beginbfrange <41> <43> [<0041> <1EA1>] endbfrange"), "AạC ÿ"},
		"surrogates":        {cmap("1 beginbfchar <41> <D83DDE00> endbfchar"), "😀BC ÿ"},
		"broken table":      {cmap("1 beginbfrange <43> <41> <00> 1 2 << endbfrange"), "ABC ÿ"},
		"huge count":        {cmap("999999999999 beginbfchar endbfchar <00> <ffffffffff> <01> endbfrange"), "ABC ÿ"},
		"glyph names":       {differences("65 /acircumflexacute /dcroat /uni1EA1"), "ấđạ ÿ"},
		"more glyph names":  {differences("65 /u1EA1.alt /nothing /quotedblleft /space"), "ạ“ ÿ"},
		"differences ahead": {differences("-5 /A 300 /B 9999999999 /C /D"), "ABC ÿ"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := text(t, "a.pdf", onePage("/Font << /F1 5 0 R >>", c.build), extract.Limits{})
			if err != nil || strings.TrimSpace(got) != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestTextPDFFilters(t *testing.T) {
	content := []byte("BT /F1 10 Tf (noi dung) Tj ET")
	for name, data := range map[string][]byte{
		"none": content, "FlateDecode": filetest.Deflate(content), "ASCII85Decode": []byte(encode85(content)), "ASCIIHexDecode": []byte(encodeHex(content)),
		"ASCII85Decode /FlateDecode": []byte(encode85(filetest.Deflate(content))), "ASCIIHexDecode /FlateDecode": []byte(encodeHex(filetest.Deflate(content))),
	} {
		filter := "/Filter [/" + name + "]"
		if name == "none" {
			filter = ""
		}
		got, err := text(t, "a.pdf", onePage("", func(b *filetest.PDF) { b.Stream(4, filter, data) }), extract.Limits{})
		if err != nil || got != "noi dung" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTextPDFForms(t *testing.T) {
	got, err := text(t, "a.pdf", onePage("/XObject << /X 5 0 R /Y 6 0 R >>", func(b *filetest.PDF) {
		b.Stream(4, "", []byte("/X Do /Y Do /Z Do"))
		b.Stream(5, "/Type /XObject /Subtype /Form /Matrix [1 0 0 1 0 0]", []byte("BT /F1 10 Tf (trong) Tj ET /X Do"))
		b.Stream(6, "/Type /XObject /Subtype /Image", []byte("BT (anh) Tj ET"))
	}), extract.Limits{})
	if err != nil || !strings.HasPrefix(got, "trong") || strings.Contains(got, "anh") {
		t.Errorf("%q, %v", got, err)
	}
}

// Files made to catch a reader out: each must end, quickly, and without the text of the next.
func TestTextPDFHostile(t *testing.T) {
	loop := func(prev string) []byte {
		b := filetest.NewPDF()
		b.Object(1, "<< >>")
		return b.Table("/Prev " + prev)
	}
	self := filetest.SimplePDF("")
	at := bytes.LastIndex(self, []byte("xref\n0"))
	for name, data := range map[string][]byte{
		"previous table is itself": bytes.Replace(self, []byte("/Root 1 0 R "), fmt.Appendf(nil, "/Root 1 0 R /Prev %d", at), 1),
		"previous table far away":  loop("99999999999999999"),
		"previous table negative":  loop("-1"),
		"length of itself": onePage("", func(b *filetest.PDF) {
			b.Object(4, "<< /Length 4 0 R >>\nstream\nBT ET\nendstream")
		}),
		"pages of themselves": func() []byte {
			b := filetest.NewPDF()
			b.Object(1, "<< /Pages 2 0 R >>")
			b.Object(2, "<< /Kids [2 0 R 2 0 R 3 0 R] >>")
			b.Object(3, "<< /Kids [2 0 R 3 0 R] >>")
			return b.Table("")
		}(),
		"object stream in itself": func() []byte {
			b := filetest.NewPDF()
			b.Stream(2, "/Type /ObjStm /N 1 /First 4", []byte("1 0 << /Pages 1 0 R >>"))
			return b.XRefStream(map[int]int{1: 2, 2: 2})
		}(),
		"wide numbers": func() []byte {
			b := filetest.NewPDF()
			at := b.Out.Len()
			b.Stream(1, "/Type /XRef /Size 999999999999 /W [1 9999999999 1] /Index [0 999999999]", []byte("x"))
			return fmt.Appendf(b.Out.Bytes(), "startxref\n%d\n%%%%EOF\n", at)
		}(),
		"many columns": onePage("", func(b *filetest.PDF) {
			b.Stream(4, "/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 99999999999 >>", filetest.Deflate([]byte("x")))
		}),
		"nested arrays":  onePage("/Font "+strings.Repeat("[", 50_000), func(b *filetest.PDF) { b.Stream(4, "", []byte("x")) }),
		"objects of old": bytes.ReplaceAll(self, []byte(" 0 obj"), []byte(" 0 "+strings.Repeat("1 0 obj ", 50))),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if got, err := extract.Text(ctx, "a.pdf", bytes.NewReader(data), int64(len(data)), extract.Limits{}); err == nil || got != "" || ctx.Err() != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestTextNone(t *testing.T) {
	for name, data := range map[string][]byte{
		"a.png": filetest.PNG(t), "a.jpg": filetest.JPEG(t), "a.tif": filetest.TIFF(), "a.bin": {0, 1, 2}, "a.txt": {}, "b.txt": []byte(" \n\t "),
		"empty.pdf": filetest.SimplePDF(""), "a.doc": []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a.zip": filetest.ZIP(t, filetest.Entry{"a.txt", "x"}),
		"encrypted.pdf": bytes.Replace(filetest.SimplePDF("BT (x) Tj ET"), []byte("/Root 1 0 R "), []byte("/Encrypt 9 0 R /Root 1 0 R "), 1),
	} {
		if got, err := text(t, name, data, extract.Limits{}); !errors.Is(err, extract.ErrNoText) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTextBroken(t *testing.T) {
	pdf := filetest.SimplePDF("BT /F1 10 Tf (x) Tj ET")
	for name, data := range map[string][]byte{
		"a.pdf": pdf[:len(pdf)/2], "a.docx": filetest.DOCX(t, "")[:100], "a.xml": []byte("<a"), "a.json": []byte(`{"`), "deep.xml": []byte(strings.Repeat("<a>", 10_000)),
	} {
		if got, err := text(t, name, data, extract.Limits{}); err == nil || errors.Is(err, extract.ErrNoText) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// what comes before the damage is not lost
	if got, err := text(t, "a.xml", []byte("<a><b>trước</b><c>"), extract.Limits{}); err != nil || got != "trước" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := extract.Text(t.Context(), "a", failing{}, 100, extract.Limits{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("failing reader: %v", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestTextLimits(t *testing.T) {
	long := strings.Repeat("đất đai ", 100_000)
	for name, data := range map[string][]byte{
		"a.txt": []byte(long), "a.html": []byte("<p>" + long), "a.xml": []byte("<a>" + long + "</a>"), "a.json": []byte(`["` + long + `"]`),
		"a.docx": filetest.DOCX(t, "<w:p><w:t>"+long+"</w:t></w:p>"), "a.pdf": filetest.VietnamesePDF(long[:50_000]),
	} {
		got, err := text(t, name, data, extract.Limits{Text: 1001})
		if n := utf8.RuneCountInString(got); err != nil || n > 1001 || n < 990 {
			t.Errorf("%s: %d characters, %v", name, n, err)
		}
		if _, err := text(t, name, data, extract.Limits{Bytes: 1000}); !errors.Is(err, extract.ErrLimit) {
			t.Errorf("%s: limit of bytes: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := extract.Text(ctx, name, bytes.NewReader(data), int64(len(data)), extract.Limits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: %v", name, err)
		}
	}
}

func FuzzText(f *testing.F) {
	for name, data := range seeds(f) {
		f.Add(name, data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got, err := extract.Text(ctx, name, bytes.NewReader(data), int64(len(data)), extract.Limits{Text: 5000, Bytes: 4 << 20})
		if ctx.Err() != nil || err != nil && strings.Contains(err.Error(), "internal") {
			t.Fatal(err)
		}
		if !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || utf8.RuneCountInString(got) > 5000 {
			t.Fatalf("text %q", got)
		}
	})
}

// seeds are small real files of every kind.
func seeds(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"a.pdf": filetest.SimplePDF("BT /F1 10 Tf 72 700 Td [(mot) -300 (hai)] TJ T* (ba) ' ET"), "b.pdf": filetest.VietnamesePDF("Cấp giấy phép"),
		"a.docx": filetest.DOCX(t, "<w:p><w:t>đơn</w:t></w:p>"), "a.xlsx": filetest.XLSX(t), "a.odt": filetest.ODT(t, "application/vnd.oasis.opendocument.text", "<text:p>x</text:p>"),
		"a.xml": []byte("<?xml version='1.0'?><a>x</a>"), "a.json": []byte(`{"a":[1,"x"]}`), "a.html": []byte("<p>x<script>y</script>"),
		"a.txt": []byte("x"), "b.txt": utf16File("xin chào", binary.LittleEndian), "a.png": filetest.PNG(t), "a.jpg": filetest.JPEG(t), "a.tif": filetest.TIFF(),
		"c.pdf": onePage("/Font << /F1 5 0 R >>", func(b *filetest.PDF) {
			b.Stream(4, "", []byte("BT /F1 10 Tf <4142> Tj ET"))
			b.Object(5, "<< /ToUnicode 6 0 R /Encoding << /Differences [65 /aacute] >> >>")
			b.Stream(6, "", []byte("1 beginbfrange <41> <43> <0110> endbfrange"))
		}),
	}
}

func BenchmarkTextPDF(b *testing.B) {
	data := filetest.VietnamesePDF(strings.Repeat("Cộng hòa xã hội chủ nghĩa Việt Nam. Độc lập, tự do, hạnh phúc. ", 500))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := text(b, "a.pdf", data, extract.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTextComposedGrows(t *testing.T) {
	got, err := text(t, "a.txt", []byte(strings.Repeat("\ufb2c", 50)), extract.Limits{Text: 50})
	if n := utf8.RuneCountInString(got); err != nil || n != 50 || !norm.NFC.IsNormalString(got) {
		t.Errorf("%d characters, %v", n, err)
	}
}
