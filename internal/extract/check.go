package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Problem is something that keeps a document from being archived.
type Problem struct {
	Code       string // such as document.pdf_broken
	Vietnamese string
	English    string
}

func problem(code, vietnamese, english string) Problem {
	return Problem{"document." + code, vietnamese, english}
}

func problemEmpty() Problem {
	return problem("empty", "Tài liệu rỗng, không có dữ liệu. Hãy gửi lại tệp đầy đủ.", "The document is empty. Send the whole file again.")
}

func problemType(is, declared string) Problem {
	return problem("type_mismatch",
		"Nội dung tệp là "+is+", không phải "+declared+" như khai báo. Hãy sửa khai báo hoặc gửi đúng tệp.",
		"The content is "+is+", not "+declared+" as declared. Correct the declaration or send the right file.")
}

func problemEncrypted() Problem {
	return problem("encrypted", "Tài liệu bị đặt mật khẩu hoặc mã hóa nên không thể lưu trữ lâu dài. Hãy gửi bản không mã hóa.",
		"The document is encrypted or has a password and cannot be preserved. Send it without.")
}

func problemPDF() Problem {
	return problem("pdf_broken", "Tệp PDF bị hỏng hoặc thiếu phần cuối. Hãy xuất lại hoặc gửi lại tệp.",
		"The PDF file is damaged or cut off. Export or send it again.")
}

func problemZIP() Problem {
	return problem("zip_broken", "Tệp nén hoặc tệp văn phòng bị hỏng hoặc thiếu phần cuối. Hãy gửi lại tệp.",
		"The ZIP or Office file is damaged or cut off. Send it again.")
}

func problemBomb() Problem {
	return problem("zip_bomb", "Tệp nén khai báo dung lượng giải nén hoặc số tệp lớn bất thường. Hãy gửi các tệp riêng lẻ.",
		"The ZIP file unpacks to an abnormal size or number of files. Send the files one by one.")
}

func problemPath() Problem {
	return problem("zip_path", "Tệp nén chứa đường dẫn không an toàn hoặc trùng nhau. Hãy nén lại tệp.",
		"The ZIP file contains unsafe or repeated paths. Pack it again.")
}

func problemXML() Problem {
	return problem("xml_broken", "Tệp XML không đúng cú pháp. Hãy xuất lại tệp.", "The XML file is not well-formed. Export it again.")
}

func problemJSON() Problem {
	return problem("json_broken", "Tệp JSON không đúng cú pháp. Hãy xuất lại tệp.", "The JSON file is not valid. Export it again.")
}

func problemImage() Problem {
	return problem("image_broken", "Tệp ảnh bị hỏng hoặc thiếu phần cuối. Hãy quét hoặc gửi lại tệp.",
		"The image file is damaged or cut off. Scan or send it again.")
}

func problemUnreadable() Problem {
	return problem("unreadable", "Không đọc được tài liệu. Hãy thử gửi lại.", "The document cannot be read. Try to send it again.")
}

// Check tells what is wrong with a document: whether its content is what its declared media type and the ending of its name say, and
// whether it is whole, as far as its structure shows without unpacking everything. It reads little of large files, other than XML and
// JSON, of which it reads the first 64 MiB. The head may be nil.
func Check(name, mediaType string, head []byte, r io.ReaderAt, size int64) (problems []Problem) {
	defer func() {
		if p := recover(); p != nil { // a mistake here must not take the service down with it
			problems = []Problem{problemUnreadable()}
		}
	}()
	if size <= 0 {
		return []Problem{problemEmpty()}
	}
	if int64(len(head)) < min(size, headSize) {
		head = make([]byte, min(size, headSize))
		if n, err := r.ReadAt(head, 0); n < len(head) && err != nil {
			return []Problem{problemUnreadable()}
		}
	}
	is := MediaType(name, head)
	problems = checkType(name, mediaType, is)
	if p := structure(is, r, size); p != nil {
		problems = append(problems, *p)
	}
	return problems
}

// checkType compares what a document is with what it is said to be.
func checkType(name, declared, is string) []Problem {
	if m, _, err := mime.ParseMediaType(declared); err == nil {
		declared = m
	}
	for _, says := range []string{declared, byExtension(name)} {
		if says != "" && !compatible(says, is) {
			return []Problem{problemType(is, clip(says))}
		}
	}
	return nil
}

// clip shortens what came from outside before it is shown.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}

// compatible tells whether a document that is one thing may be said to be another.
func compatible(says, is string) bool {
	says = strings.ToLower(says)
	switch says {
	case is, typeAny:
		return true
	case "text/xml":
		says = typeXML
	case "image/jpg":
		says = typeJPEG
	case "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint":
		says = typeOLE
	case "text/rtf":
		says = typeRTF
	case "application/x-zip-compressed":
		says = typeZIP
	}
	if says == is {
		return true
	}
	if strings.HasSuffix(says, "+xml") {
		return is == typeXML || is == typeHTML
	}
	if strings.HasSuffix(says, "+json") {
		return is == typeJSON
	}
	if strings.HasPrefix(says, "text/") {
		return slices.Contains([]string{typeText, typeCSV, typeHTML, typeXML, typeJSON}, is)
	}
	return !known(says) && is != typePDF && !strings.HasPrefix(is, "image/")
}

// known tells whether documents of a type would be recognised.
func known(media string) bool {
	return slices.Contains([]string{typePDF, typeZIP, typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP, typeXML, typeJSON, typeHTML,
		typeText, typeCSV, typePNG, typeJPEG, typeTIFF, typeOLE, typeRTF}, media)
}

// structure tells whether a document is whole.
func structure(is string, r io.ReaderAt, size int64) *Problem {
	var bad bool
	var p Problem
	switch is {
	case typePDF:
		return checkPDF(r, size)
	case typeZIP, typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP:
		return checkZIP(is, r, size)
	case typeXML:
		bad, p = !wellFormed(r, size), problemXML()
	case typeJSON:
		bad, p = !validJSON(r, size), problemJSON()
	case typePNG:
		bad, p = !endsWith(r, size, []byte("\x00\x00\x00\x00IEND\xaeB`\x82"), 64), problemImage()
	case typeJPEG: // cameras and scanners write something of their own after the end
		bad, p = !endsWith(r, size, []byte("\xff\xd9"), 64<<10), problemImage()
	case typeTIFF:
		bad, p = !validTIFF(r, size), problemImage()
	}
	if bad {
		return &p
	}
	return nil
}

// checkPDF follows the cross-reference table to the first page.
func checkPDF(r io.ReaderAt, size int64) *Problem {
	bad := problemPDF()
	f, err := openPDF(newWork(context.Background(), Limits{}), r, size)
	if err != nil {
		return &bad
	}
	if f.trailer["Encrypt"] != nil {
		bad = problemEncrypted()
		return &bad
	}
	root, _ := f.get(f.trailer["Root"]).(dict)
	node, ok := f.get(root["Pages"]).(dict)
	for range maxPDFDepth {
		kids, isTree := f.get(node["Kids"]).(array)
		if !ok || isTree && len(kids) == 0 {
			return &bad
		}
		if !isTree {
			return nil
		}
		node, ok = f.get(kids[0]).(dict)
	}
	return &bad
}

const (
	maxRatio    = 200       // of unpacked to packed bytes, in what is larger than bombFloor
	bombFloor   = 64 << 20  //
	maxUnpacked = 100 << 30 // of all entries together
)

// checkZIP reads the directory.
func checkZIP(is string, r io.ReaderAt, size int64) *Problem {
	z, err := openZIP(r, size)
	if errors.Is(err, errDirectory) {
		p := problemBomb()
		return &p
	}
	if err != nil {
		p := problemZIP()
		return &p
	}
	seen := map[string]bool{}
	var packed, unpacked uint64
	for _, f := range z.File {
		if p := checkEntry(f, seen); p != nil {
			return p
		}
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		// entries that overlap are how a small file is made to unpack to anything
		if packed > uint64(size) || unpacked > maxUnpacked || unpacked > bombFloor && unpacked/maxRatio > packed {
			p := problemBomb()
			return &p
		}
	}
	if main := mainPart(is); main != "" && !seen[main] {
		p := problemType(typeZIP, is)
		return &p
	}
	return nil
}

func checkEntry(f *zip.File, seen map[string]bool) *Problem {
	const encrypted = 1
	name := strings.TrimSuffix(f.Name, "/")
	var p Problem
	switch {
	case f.Flags&encrypted != 0:
		p = problemEncrypted()
	case name == "" || !utf8.ValidString(name) || path.Clean("/"+name) != "/"+name || strings.ContainsAny(name, "\\:\x00") || seen[name]:
		p = problemPath()
	case f.UncompressedSize64 > bombFloor && f.UncompressedSize64/maxRatio > f.CompressedSize64, f.UncompressedSize64 > maxUnpacked:
		p = problemBomb()
	default:
		seen[name] = true
		return nil
	}
	return &p
}

// mainPart is the entry that makes a ZIP file a document.
func mainPart(media string) string {
	switch media {
	case typeDOCX, typeXLSX, typePPTX:
		return map[string]string{typeDOCX: "word/document.xml", typeXLSX: "xl/workbook.xml", typePPTX: "ppt/presentation.xml"}[media]
	case typeODT, typeODS, typeODP:
		return "content.xml"
	}
	return ""
}

// checkedText bounds how much of a text is checked; what follows is taken on trust.
const checkedText = 64 << 20

// wellFormed reads an XML document.
func wellFormed(r io.ReaderAt, size int64) bool {
	d := newXMLReader(io.LimitReader(io.NewSectionReader(r, 0, size), checkedText))
	depth, elements := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF && elements > 0 || size > checkedText
		}
		switch t.(type) {
		case xml.StartElement:
			if depth == 0 && elements > 0 {
				return false
			}
			depth++
			elements++
		case xml.EndElement:
			depth--
		}
		if depth > maxXMLDepth {
			return false
		}
	}
}

// validJSON reads a JSON document: one value.
func validJSON(r io.ReaderAt, size int64) bool {
	d := json.NewDecoder(decoded(io.LimitReader(io.NewSectionReader(r, 0, size), checkedText)))
	d.UseNumber()
	depth, values := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF && values == 1 && depth == 0 || size > checkedText
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			values++
		}
		if depth > maxXMLDepth || values > 1 {
			return false
		}
	}
}

// endsWith looks for a mark in the last bytes of a file.
func endsWith(r io.ReaderAt, size int64, mark []byte, within int64) bool {
	tail := make([]byte, min(size, within))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) && err != nil {
		return false
	}
	return bytes.Contains(tail, mark)
}

// validTIFF follows the chain of directories.
func validTIFF(r io.ReaderAt, size int64) bool {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	const maxImages = 10_000
	for range maxImages {
		var count [2]byte
		if _, err := r.ReadAt(count[:], at); at < 8 || err != nil {
			return false
		}
		end := at + 2 + 12*int64(order.Uint16(count[:]))
		var next [4]byte
		if n, err := r.ReadAt(next[:], end); n < len(next) || err != nil && err != io.EOF {
			return false
		}
		if at = int64(order.Uint32(next[:])); at == 0 {
			return true
		}
	}
	return false
}
