package inspect_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"unicode/utf16"
)

// pdfBuilder writes small real PDF files.
type pdfBuilder struct {
	out     bytes.Buffer
	offsets map[int]int
	last    int
}

func newPDF() *pdfBuilder {
	b := &pdfBuilder{offsets: map[int]int{}}
	b.out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return b
}

func (b *pdfBuilder) object(n int, body string) {
	b.offsets[n] = b.out.Len()
	b.last = max(b.last, n)
	fmt.Fprintf(&b.out, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (b *pdfBuilder) stream(n int, dict string, data []byte) {
	b.object(n, fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data))
}

// table ends the file with a cross-reference table.
func (b *pdfBuilder) table(trailer string) []byte {
	at := b.out.Len()
	fmt.Fprintf(&b.out, "xref\n0 %d\n0000000000 65535 f \n", b.last+1)
	for n := 1; n <= b.last; n++ {
		if at, ok := b.offsets[n]; ok {
			fmt.Fprintf(&b.out, "%010d 00000 n \n", at)
		} else {
			b.out.WriteString("0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(&b.out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", b.last+1, trailer, at)
	return b.out.Bytes()
}

// stream ends the file with a cross-reference stream, predicted and packed; packed maps objects to their object stream.
func (b *pdfBuilder) xrefStream(packed map[int]int) []byte {
	n := b.last + 1
	at := b.out.Len()
	b.offsets[n] = at
	var rows bytes.Buffer
	last := make([]byte, 6)
	for i := range n + 1 {
		row := make([]byte, 6)
		if in, ok := packed[i]; ok {
			row[0] = 2
			binary.BigEndian.PutUint32(row[1:], uint32(in))
		} else if at, ok := b.offsets[i]; ok {
			row[0] = 1
			binary.BigEndian.PutUint32(row[1:], uint32(at))
		}
		rows.WriteByte(2) // PNG "up"
		for k := range row {
			rows.WriteByte(row[k] - last[k])
		}
		last = row
	}
	b.stream(n, fmt.Sprintf("/Type /XRef /Size %d /W [1 4 1] /Root 1 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 6 >>", n+1), deflate(rows.Bytes()))
	fmt.Fprintf(&b.out, "startxref\n%d\n%%%%EOF\n", at)
	return b.out.Bytes()
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

const simpleFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"

// simplePDF has one page with a content stream.
func simplePDF(content string) []byte {
	b := newPDF()
	b.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	b.object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>")
	b.object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>")
	b.stream(4, "/Filter /FlateDecode", deflate([]byte(content)))
	b.object(5, simpleFont)
	return b.table("")
}

// vietnamesePDF shows a text by a composite font with a ToUnicode table, packed as modern writers do.
func vietnamesePDF(text string) []byte {
	codes := map[rune]int{}
	var shown, chars strings.Builder
	for _, r := range text {
		if _, ok := codes[r]; !ok {
			codes[r] = 3 + len(codes)
			var u []byte
			for _, unit := range utf16.Encode([]rune{r}) {
				u = binary.BigEndian.AppendUint16(u, unit)
			}
			fmt.Fprintf(&chars, "<%04x> <%x>\n", codes[r], u)
		}
		fmt.Fprintf(&shown, "%04x", codes[r])
	}
	toUnicode := "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange\n" +
		fmt.Sprintf("%d beginbfchar\n%sendbfchar endcmap end end", len(codes), chars.String())
	b := newPDF()
	objects := map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /Contents [4 0 R] /Resources << /Font << /F1 5 0 R >> >> >>",
		5: "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>",
		6: "<< /Type /Font /Subtype /CIDFontType2 /DW 500 /W [3 [600 600] 10 20 400] >>",
	}
	var head, body strings.Builder
	packed := map[int]int{}
	for n, o := range objects {
		fmt.Fprintf(&head, "%d %d ", n, body.Len())
		body.WriteString(o + " ")
		packed[n] = 8
	}
	b.stream(4, "/Filter [/FlateDecode]", deflate([]byte("BT /F1 12 Tf 72 700 Td <"+shown.String()+"> Tj ET")))
	b.stream(7, "/Filter /FlateDecode", deflate([]byte(toUnicode)))
	b.stream(8, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(objects), head.Len()), deflate([]byte(head.String()+body.String())))
	return b.xrefStream(packed)
}

// entry is a file in a ZIP.
type entry struct{ name, body string }

func zipFile(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, e := range entries {
		method := zip.Deflate
		if i == 0 && e.name == "mimetype" {
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func contentTypes(kind string) entry {
	return entry{"[Content_Types].xml", `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.` + kind + `.main+xml"/></Types>`}
}

func docx(t testing.TB, body string) []byte {
	return zipFile(t, contentTypes("wordprocessingml.document"), entry{"word/document.xml",
		`<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`},
		entry{"word/header1.xml", `<w:hdr xmlns:w="w"><w:p><w:r><w:t>Tiêu đề trang</w:t></w:r></w:p></w:hdr>`},
		entry{"word/styles.xml", `<w:styles xmlns:w="w"><w:t>không phải nội dung</w:t></w:styles>`})
}

func xlsx(t testing.TB) []byte {
	return zipFile(t, contentTypes("spreadsheetml.sheet"), entry{"xl/workbook.xml", "<workbook/>"},
		entry{"xl/sharedStrings.xml", `<sst><si><t>Họ tên</t></si><si><r><t>Nguyễn </t></r><r><t>Văn A</t></r></si></sst>`},
		entry{"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c t="s"><v>0</v></c><c><v>079085001234</v></c><c t="inlineStr"><is><t>ghi chú</t></is></c></row></sheetData></worksheet>`})
}

func odt(t testing.TB, media, body string) []byte {
	return zipFile(t, entry{"mimetype", media}, entry{"content.xml",
		`<office:document-content xmlns:office="o" xmlns:text="t"><office:body><office:text>` + body + `</office:text></office:body></office:document-content>`},
		entry{"META-INF/manifest.xml", "<manifest/>"})
}

func pngFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiffFile has one directory without entries.
func tiffFile() []byte { return []byte("II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00") }
