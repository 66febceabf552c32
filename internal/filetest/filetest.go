// Package filetest makes small real files of many formats, for tests.
package filetest

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

// PDF writes a small real PDF file.
type PDF struct {
	Out     bytes.Buffer // what is written so far
	offsets map[int]int
	last    int
}

// NewPDF begins a file.
func NewPDF() *PDF {
	b := &PDF{offsets: map[int]int{}}
	b.Out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return b
}

// Object writes object n.
func (b *PDF) Object(n int, body string) {
	b.offsets[n] = b.Out.Len()
	b.last = max(b.last, n)
	fmt.Fprintf(&b.Out, "%d 0 obj\n%s\nendobj\n", n, body)
}

// Stream writes object n as a stream.
func (b *PDF) Stream(n int, dict string, data []byte) {
	b.Object(n, fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data))
}

// Table ends the file with a cross-reference table.
func (b *PDF) Table(trailer string) []byte {
	at := b.Out.Len()
	fmt.Fprintf(&b.Out, "xref\n0 %d\n0000000000 65535 f \n", b.last+1)
	for n := 1; n <= b.last; n++ {
		if at, ok := b.offsets[n]; ok {
			fmt.Fprintf(&b.Out, "%010d 00000 n \n", at)
		} else {
			b.Out.WriteString("0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(&b.Out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", b.last+1, trailer, at)
	return b.Out.Bytes()
}

// XRefStream ends the file with a cross-reference stream, predicted and packed; packed maps objects to their object stream.
func (b *PDF) XRefStream(packed map[int]int) []byte {
	n := b.last + 1
	at := b.Out.Len()
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
	b.Stream(n, fmt.Sprintf("/Type /XRef /Size %d /W [1 4 1] /Root 1 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 6 >>", n+1), Deflate(rows.Bytes()))
	fmt.Fprintf(&b.Out, "startxref\n%d\n%%%%EOF\n", at)
	return b.Out.Bytes()
}

// Deflate packs data as zlib does (FlateDecode).
func Deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// SimpleFont is a font that every reader has.
const SimpleFont = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"

// SimplePDF has one page with a content stream.
func SimplePDF(content string) []byte {
	b := NewPDF()
	b.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	b.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>")
	b.Object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>")
	b.Stream(4, "/Filter /FlateDecode", Deflate([]byte(content)))
	b.Object(5, SimpleFont)
	return b.Table("")
}

// VietnamesePDF shows a text by a composite font with a ToUnicode table, packed as modern writers do.
func VietnamesePDF(text string) []byte {
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
	b := NewPDF()
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
	b.Stream(4, "/Filter [/FlateDecode]", Deflate([]byte("BT /F1 12 Tf 72 700 Td <"+shown.String()+"> Tj ET")))
	b.Stream(7, "/Filter /FlateDecode", Deflate([]byte(toUnicode)))
	b.Stream(8, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(objects), head.Len()), Deflate([]byte(head.String()+body.String())))
	return b.XRefStream(packed)
}

// Entry is a file in a ZIP.
type Entry [2]string // name, content

// ZIP packs entries; a first entry "mimetype" is stored, as OpenDocument wants it.
func ZIP(t testing.TB, entries ...Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, e := range entries {
		method := zip.Deflate
		if i == 0 && e[0] == "mimetype" {
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: e[0], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ContentTypes is the entry that makes a ZIP an Office file of a kind.
func ContentTypes(kind string) Entry {
	return Entry{"[Content_Types].xml", `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.` + kind + `.main+xml"/></Types>`}
}

// DOCX has a body, a header and styles.
func DOCX(t testing.TB, body string) []byte {
	return ZIP(t, ContentTypes("wordprocessingml.document"), Entry{"word/document.xml",
		`<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`},
		Entry{"word/header1.xml", `<w:hdr xmlns:w="w"><w:p><w:r><w:t>Tiêu đề trang</w:t></w:r></w:p></w:hdr>`},
		Entry{"word/styles.xml", `<w:styles xmlns:w="w"><w:t>không phải nội dung</w:t></w:styles>`})
}

// XLSX has one sheet with shared and inline strings.
func XLSX(t testing.TB) []byte {
	return ZIP(t, ContentTypes("spreadsheetml.sheet"), Entry{"xl/workbook.xml", "<workbook/>"},
		Entry{"xl/sharedStrings.xml", `<sst><si><t>Họ tên</t></si><si><r><t>Nguyễn </t></r><r><t>Văn A</t></r></si></sst>`},
		Entry{"xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c t="s"><v>0</v></c><c><v>079085001234</v></c><c t="inlineStr"><is><t>ghi chú</t></is></c></row></sheetData></worksheet>`})
}

// ODT is an OpenDocument file of a media type.
func ODT(t testing.TB, media, body string) []byte {
	return ZIP(t, Entry{"mimetype", media}, Entry{"content.xml",
		`<office:document-content xmlns:office="o" xmlns:text="t"><office:body><office:text>` + body + `</office:text></office:body></office:document-content>`},
		Entry{"META-INF/manifest.xml", "<manifest/>"})
}

// PNG is a small image.
func PNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// JPEG is a small image.
func JPEG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TIFF has one directory without entries.
func TIFF() []byte { return []byte("II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00") }
