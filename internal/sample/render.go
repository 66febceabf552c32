package sample

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifregular"
)

const motto, mottoLine = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"

// written is a document's bytes.
type written struct {
	data                 []byte
	mediaType, extension string
	pages                int
}

// letter is a document's text, laid out by each format in its own way.
type letter struct {
	official              bool // from an agency: two columns above, bold headings
	agency, number, dated string
	title                 string
	body                  []string
	signTitle, signer     string
	code                  string
}

// write makes a form's bytes. A size applies to scans only.
func (p *plan) write(m *maker, f form, size int) written {
	if f.as == asScan {
		return written{p.scan(size), "image/png", "png", 1}
	}
	l := p.letter(m, f)
	switch f.as {
	case asDOCX:
		return written{docx(l), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", 1}
	case asXML:
		return written{p.xml(l), "application/xml", "xml", 1}
	case asJSON:
		return written{p.json(l), "application/json", "json", 1}
	case asText:
		return written{plain(l), "text/plain", "txt", 1}
	default:
		data, pages := m.fonts.pdf(l, p.issued(f))
		return written{data, "application/pdf", "pdf", pages}
	}
}

func (p *plan) letter(m *maker, f form) letter {
	for key, list := range m.laws {
		p.facts["law."+key] = lawOn(list, p.received)
	}
	day := p.issued(f)
	l := letter{official: f.by != byApplicant, agency: p.issuer(f), title: p.expand(f.title), code: p.code}
	l.dated = p.agency.place + ", " + inWords(day)
	l.body = strings.Split(p.expand(f.body), "\n")
	if f.notation != "" {
		l.number = fmt.Sprintf("Số: %d/%s", p.number(f), f.notation)
	}
	switch {
	case f.by == byApplicant:
		l.signTitle, l.signer = "Người yêu cầu", p.people["a"].name
	case f.by == byClerk:
		l.signTitle, l.signer = capital(p.agency.clerk), p.clerk
	case p.byCommittee(f):
		l.signTitle, l.signer = "KT. Chủ tịch, Phó Chủ tịch", p.leader
	default:
		l.signTitle, l.signer = p.agency.leader, p.leader
	}
	return l
}

// fonts are Liberation Serif cut down to what Vietnamese needs: fpdf parses a font for each document, and a tenth is parsed sooner.
type fonts struct {
	regular, bold []byte
	colour        []byte // profile
}

func newFonts() fonts {
	runes := alphabet()
	return fonts{fpdf.UTF8CutFont(liberationserifregular.TTF, runes), fpdf.UTF8CutFont(liberationserifbold.TTF, runes), sRGB()}
}

// alphabet lists every character the texts may hold.
func alphabet() string {
	var b strings.Builder
	for c := ' '; c <= '~'; c++ {
		b.WriteRune(c)
	}
	const vowels = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"
	return b.String() + vowels + strings.ToUpper(vowels) + "²"
}

func (f fonts) pdf(l letter, day time.Time) ([]byte, int) {
	doc := fpdf.New("P", "mm", "A4", "")

	doc.SetCreationDate(day)
	doc.SetModificationDate(day)
	doc.SetCatalogSort(true)
	doc.SetTitle(l.title, true)
	doc.SetAuthor(l.agency, true)
	doc.SetLang("vi-VN")
	doc.SetMargins(28, 20, 18)
	doc.SetAutoPageBreak(true, 20)
	doc.AddUTF8FontFromBytes("serif", "", f.regular)
	strong := ""
	if l.official {
		// The second font doubles the cost, and citizens' forms have no bold print.
		strong = "B"
		doc.AddUTF8FontFromBytes("serif", strong, f.bold)
	}
	doc.AddPage()
	doc.SetAlpha(1, "Normal") // makes it PDF 1.4, the least that the rules accept
	doc.SetProducer("luutru", false)
	doc.SetXmpMetadata(metadata(l, day))
	doc.AddOutputIntent(fpdf.OutputIntentType{SubtypeIdent: fpdf.OutputIntent_GTS_PDFA1, OutputConditionIdentifier: "sRGB", ICCProfile: f.colour})
	pdfHead(doc, l, strong)
	pdfBody(doc, l, strong)
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		panic("sample: internal error: " + err.Error())
	}
	data := b.Bytes()
	mapToUnicode(data)
	return archival(data), doc.PageCount()
}

// metadata is the XMP that makes a PDF file PDF/A-2b, and says the same as its information dictionary.
func metadata(l letter, day time.Time) []byte {
	text := func(s string) string {
		var b bytes.Buffer
		xml.EscapeText(&b, []byte(s))
		return b.String()
	}
	when := day.Format("2006-01-02T15:04:05Z")
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"` +
		` xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B" pdf:Producer="luutru"` +
		` xmp:CreateDate="` + when + `" xmp:ModifyDate="` + when + `">` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + text(l.title) + `</rdf:li></rdf:Alt></dc:title>` +
		`<dc:creator><rdf:Seq><rdf:li>` + text(l.agency) + `</rdf:li></rdf:Seq></dc:creator>` +
		"</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>")
}

// archival mends what fpdf writes amiss for PDF/A: a list of embedded files that is empty, a reference to the information dictionary
// that is off by the output intents, and the identifier of the file, which only encrypted files get.
func archival(data []byte) []byte {
	const noFiles = "/EmbeddedFiles << /Names [\n  \n] >>"
	data = bytes.Replace(data, []byte(noFiles), bytes.Repeat([]byte(" "), len(noFiles)), 1)
	at := bytes.LastIndex(data, []byte("trailer\n"))
	end := bytes.LastIndex(data, []byte("startxref"))
	var objects int
	if _, err := fmt.Sscanf(string(data[at:end]), "trailer\n<<\n/Size %d", &objects); err != nil {
		panic("sample: internal error: " + err.Error())
	}
	id := sha256.Sum256(data[:at])
	const intents = 1
	out := append(bytes.Clone(data[:at]), fmt.Sprintf("trailer\n<<\n/Size %d\n/Root %d 0 R\n/Info %d 0 R\n/ID [<%x> <%x>]\n>>\n",
		objects, objects-1, objects-2-intents, id[:16], id[:16])...)
	return append(out, data[end:]...)
}

// sRGB is a colour profile (ICC version 2) of the sRGB primaries with a plain gamma of 2.2: what device colours are meant to look like.
func sRGB() []byte {
	be := binary.BigEndian
	xyz := func(x, y, z float64) []byte {
		b := append([]byte("XYZ "), 0, 0, 0, 0)
		for _, v := range []float64{x, y, z} {
			b = be.AppendUint32(b, uint32(v*65536+0.5))
		}
		return b
	}
	gamma := append([]byte("curv"), 0, 0, 0, 0, 0, 0, 0, 1, 0x02, 0x33, 0, 0)
	desc := append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x05sRGB\x00"), make([]byte, 78+3)...)
	right := []byte("text\x00\x00\x00\x00CC0\x00")
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", desc}, {"cprt", right}, {"wtpt", xyz(0.9505, 1, 1.0891)}, {"rXYZ", xyz(0.4361, 0.2225, 0.0139)}, {"gXYZ", xyz(0.3851, 0.7169, 0.0971)},
		{"bXYZ", xyz(0.1431, 0.0606, 0.7141)}, {"rTRC", gamma}, {"gTRC", gamma}, {"bTRC", gamma},
	}
	out := make([]byte, 128, 1024)
	copy(out[8:], "\x02\x10\x00\x00mntrRGB XYZ \x07\xea\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00acsp")
	copy(out[68:], xyz(0.9642, 1, 0.8249)[8:])
	out = be.AppendUint32(out, uint32(len(tags)))
	at := len(out) + 12*len(tags)
	var body []byte
	for _, t := range tags {
		out = append(out, t.name...)
		out = be.AppendUint32(out, uint32(at+len(body)))
		out = be.AppendUint32(out, uint32(len(t.data)))
		body = append(body, t.data...)
		body = append(body, make([]byte, (4-len(body)%4)%4)...)
	}
	out = append(out, body...)
	be.PutUint32(out, uint32(len(out)))
	return out
}

// toUnicode maps codes to the characters of the same number, for the blocks that Vietnamese needs: Basic Latin with Latin-1, Latin
// Extended-A and -B, Latin Extended Additional.
const toUnicode = `/CIDInit /ProcSet findresource begin
9 dict begin
begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
/CMapName/UCS def
1 begincodespacerange
<0000><FFFF>
endcodespacerange
3 beginbfrange
<0000><00FF><0000>
<0100><01FF><0100>
<1E00><1EFF><1E00>
endbfrange
endcmap
CMapName currentdict/CMap defineresource pop
end
end`

// mapToUnicode writes toUnicode over the maps of fpdf, in place so that no offset changes. Those have a single range of 65,536
// codes, but a range may not carry over into the first byte (ISO 32000-1, 9.10.3): readers that keep to that take ộ for Ù.
func mapToUnicode(data []byte) {
	const first, last = "/CIDInit /ProcSet findresource begin\n12 dict", "\nend\nend"
	for {
		i := bytes.Index(data, []byte(first))
		if i < 0 {
			return
		}
		end := bytes.Index(data[i:], []byte(last)) + len(last)
		if end < len(toUnicode) {
			panic("sample: internal error: no room for the map to Unicode")
		}
		n := copy(data[i:i+end], toUnicode)
		for j := i + n; j < i+end; j++ {
			data[j] = '\n'
		}
		data = data[i+end:]
	}
}

func pdfHead(doc *fpdf.Fpdf, l letter, strong string) {
	doc.SetFont("serif", strong, 11)
	top := doc.GetY()
	if l.official {
		doc.MultiCell(66, 5, strings.ToUpper(l.agency), "", "C", false)
		doc.SetFont("serif", "", 11)
		doc.MultiCell(66, 6, l.number, "", "C", false)
	}
	bottom := doc.GetY()
	doc.SetXY(95, top)
	doc.SetFont("serif", strong, 11)
	doc.MultiCell(97, 5, motto+"\n"+mottoLine, "", "C", false)
	doc.SetX(95)
	doc.SetFont("serif", "", 11)
	doc.MultiCell(97, 8, l.dated, "", "C", false)
	doc.SetY(max(bottom, doc.GetY()) + 4)
	doc.SetFont("serif", strong, 14)
	doc.MultiCell(0, 7, strings.ToUpper(l.title), "", "C", false)
	doc.Ln(3)
}

func pdfBody(doc *fpdf.Fpdf, l letter, strong string) {
	for _, line := range l.body {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			doc.SetFont("serif", strong, 12.5)
			doc.MultiCell(0, 7, heading, "", "C", false)
			continue
		}
		doc.SetFont("serif", "", 12.5)
		doc.MultiCell(0, 6, line, "", "L", false)
		doc.Ln(1)
	}
	doc.Ln(4)
	doc.SetX(100)
	doc.SetFont("serif", strong, 12)
	doc.MultiCell(90, 6, strings.ToUpper(l.signTitle), "", "C", false)
	doc.Ln(14)
	doc.SetX(100)
	doc.MultiCell(90, 6, l.signer, "", "C", false)
	doc.SetFont("serif", "", 9)
	doc.MultiCell(0, 6, "Mã hồ sơ: "+l.code, "", "L", false)
}

func plain(l letter) []byte {
	lines := []string{motto, mottoLine, "", l.agency, l.number, l.dated, "", strings.ToUpper(l.title), ""}
	for _, line := range l.body {
		lines = append(lines, strings.TrimPrefix(line, "# "))
	}
	lines = append(lines, "", l.signTitle, l.signer, "")
	return []byte(strings.Join(lines, "\n"))
}

type field struct {
	Name  string `xml:"ten,attr" json:"ten"`
	Value string `xml:",chardata" json:"gia_tri"`
}

type xmlForm struct {
	XMLName   xml.Name `xml:"ToKhai"`
	Code      string   `xml:"maHoSo,attr"`
	Procedure string   `xml:"maThuTuc,attr"`
	Agency    string   `xml:"CoQuan"`
	Title     string   `xml:"TenBieuMau"`
	Dated     string   `xml:"NgayLap"`
	Fields    []field  `xml:"NoiDung>Truong"`
	Signer    string   `xml:"NguoiKhai"`
}

type jsonForm struct {
	Code      string  `json:"ma_ho_so"`
	Procedure string  `json:"ma_thu_tuc"`
	Agency    string  `json:"co_quan"`
	Title     string  `json:"ten_bieu_mau"`
	Dated     string  `json:"ngay_lap"`
	Fields    []field `json:"noi_dung"`
	Signer    string  `json:"nguoi_lap"`
}

// fields takes the lines apart at their colons.
func (l letter) fields() []field {
	var list []field
	for _, line := range l.body {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			name, value = "Nội dung", line
		}
		list = append(list, field{name, value})
	}
	return list
}

func (p *plan) xml(l letter) []byte {
	data, err := xml.MarshalIndent(xmlForm{Code: l.code, Procedure: p.part.code, Agency: p.agency.name, Title: l.title, Dated: l.dated, Fields: l.fields(), Signer: l.signer}, "", " ")
	if err != nil {
		panic("sample: internal error: " + err.Error())
	}
	return append([]byte(xml.Header), append(data, '\n')...)
}

func (p *plan) json(l letter) []byte {
	return append(encode(jsonForm{Code: l.code, Procedure: p.part.code, Agency: p.agency.name, Title: l.title, Dated: l.dated, Fields: l.fields(), Signer: l.signer}, " "), '\n')
}

const (
	docxTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`
	docxRels = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`
	docxHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	docxTail = `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1020" w:bottom="1134" w:left="1588" w:header="708" w:footer="708" w:gutter="0"/></w:sectPr></w:body></w:document>`
)

func docx(l letter) []byte {
	var text bytes.Buffer
	text.WriteString(docxHead)
	docxLine(&text, motto, true)
	docxLine(&text, mottoLine, true)
	if l.official {
		docxLine(&text, strings.ToUpper(l.agency), true)
		docxLine(&text, l.number, false)
	}
	docxLine(&text, l.dated, false)
	docxLine(&text, l.title, true)
	for _, line := range l.body {
		heading, ok := strings.CutPrefix(line, "# ")
		docxLine(&text, heading, ok)
	}
	docxLine(&text, l.signTitle, true)
	docxLine(&text, l.signer, true)
	text.WriteString(docxTail)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{{"[Content_Types].xml", docxTypes}, {"_rels/.rels", docxRels}, {"word/document.xml", text.String()}} {
		w, err := z.Create(part[0])
		if err == nil {
			_, err = w.Write([]byte(part[1]))
		}
		if err != nil {
			panic("sample: internal error: " + err.Error())
		}
	}
	if err := z.Close(); err != nil {
		panic("sample: internal error: " + err.Error())
	}
	return b.Bytes()
}

func docxLine(b *bytes.Buffer, line string, strong bool) {
	b.WriteString("<w:p>")
	if strong {
		b.WriteString(`<w:pPr><w:jc w:val="center"/></w:pPr>`)
	}
	b.WriteString("<w:r>")
	if strong {
		b.WriteString("<w:rPr><w:b/></w:rPr>")
	}
	b.WriteString(`<w:t xml:space="preserve">`)
	xml.EscapeText(b, []byte(line)) // a bytes.Buffer gives no error
	b.WriteString("</w:t></w:r></w:p>")
}

// scan draws a page: bars for lines, on noise. With a size the noise is full and stored as it is, so that the file is about
// so large and cannot be compressed; without, it is small.
func (p *plan) scan(size int) []byte {
	width, height, thick, level := 210, 297, 3, png.BestSpeed
	if size > 0 {
		width = 800
		height, level = max(size/(width+1), 8), png.NoCompression
		thick = max(height/300, 1)
	}
	page := image.NewGray(image.Rect(0, 0, width, height))
	for i := 0; i < len(page.Pix); i += 8 {
		bits := p.rng.Uint64()
		if size == 0 {
			bits = bits&0x0707070707070707 | 0xF8F8F8F8F8F8F8F8
		}
		for j := i; j < min(i+8, len(page.Pix)); j++ {
			page.Pix[j] = byte(bits)
			bits >>= 8
		}
	}
	ink := image.NewUniform(color.Gray{Y: 40})
	step := max(height/24, 4)
	for y := 2 * step; y < height-step; y += step {
		bar := image.Rect(width/8, y, width/8+width/4+p.rng.IntN(width/2), y+thick)
		draw.Draw(page, bar, ink, image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: level}
	if err := e.Encode(&b, page); err != nil {
		panic("sample: internal error: " + err.Error())
	}
	return b.Bytes()
}
