package bagit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A version is that of bagit.txt; the zero value is none.
type version struct{ major, minor int }

// String returns the version as bagit.txt has it.
func (v version) String() string {
	if v == (version{}) {
		return ""
	}
	return strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor)
}

// strict holds from 1.0, the RFC, on: what the drafts before it left open is a
// fault there. An unknown version is held to the RFC.
func (v version) strict() bool { return v.major != 0 || v.minor == 0 }

const oldest = 93 // of the drafts, 0.93

func parseVersion(s string) (version, bool) {
	major, minor, ok := strings.Cut(s, ".")
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(minor, 10, 16)
	if !ok || err1 != nil || err2 != nil || major[0] == '+' || minor[0] == '+' {
		return version{}, false
	}
	return version{int(a), int(b)}, true
}

// readDeclaration reads bagit.txt (RFC 8493 §2.1.1): exactly two lines, in
// UTF-8 without a byte order mark.
func (b *Bag) readDeclaration() error {
	b.decode = decodeUTF8
	content, ok, err := b.readTag(nameDeclaration)
	if err != nil {
		return err
	}
	if !ok {
		b.fail("bag.declaration_missing", nameDeclaration,
			"Thiếu tệp bagit.txt ở thư mục gốc của gói BagIt; hãy tạo lại gói.",
			"There is no bagit.txt in the base folder of the bag; make the bag again.")
		return nil
	}
	b.parseDeclaration(content)
	return nil
}

func (b *Bag) parseDeclaration(content []byte) {
	text, valid := decodeUTF8(content)
	if !valid || bytes.HasPrefix(content, []byte("\uFEFF")) {
		b.fail("bag.declaration_encoding", nameDeclaration,
			"Tệp bagit.txt phải là UTF-8, không có dấu BOM; hãy lưu lại.",
			"bagit.txt must be UTF-8 without a byte order mark; save it so.")
		text = strings.TrimPrefix(text, "\uFEFF")
	}
	lines := splitLines(text)
	if len(lines) != 2 {
		b.badDeclaration()
	}
	lines = append(lines, "", "")
	said, ok1 := b.declared(lines[0], "BagIt-Version")
	encoding, ok2 := b.declared(lines[1], "Tag-File-Character-Encoding")
	if ok1 {
		b.setVersion(said)
	}
	if ok2 {
		b.setEncoding(encoding)
	}
	// The drafts were read with spaces around the colon; the RFC is exact.
	exact := lines[0] == "BagIt-Version: "+said && lines[1] == "Tag-File-Character-Encoding: "+encoding
	if !ok1 || !ok2 || !exact && b.version.strict() {
		b.badDeclaration()
	}
}

func (b *Bag) badDeclaration() {
	b.fail("bag.declaration", nameDeclaration,
		"Tệp bagit.txt phải có đúng hai dòng “BagIt-Version: 1.0” và “Tag-File-Character-Encoding: UTF-8”.",
		`bagit.txt must have exactly two lines, "BagIt-Version: 1.0" and "Tag-File-Character-Encoding: UTF-8".`)
}

func (b *Bag) declared(line, label string) (string, bool) {
	got, value, ok := strings.Cut(line, ":")
	return strings.TrimSpace(value), ok && strings.TrimSpace(got) == label
}

func (b *Bag) setVersion(said string) {
	v, ok := parseVersion(said)
	known := ok && (v == version{1, 0} || v.major == 0 && v.minor >= oldest && v.minor <= 97)
	if !known {
		b.fail("bag.version", nameDeclaration,
			"Phiên bản BagIt không được hỗ trợ; hãy dùng 1.0 (RFC 8493).",
			"This version of BagIt is not supported; use 1.0 (RFC 8493).")
		return
	}
	b.version = v
}

func (b *Bag) setEncoding(name string) {
	switch strings.ToUpper(strings.ReplaceAll(name, "_", "-")) {
	case "UTF-8", "UTF8", "US-ASCII", "ASCII":
		b.decode = decodeUTF8
	case "UTF-16":
		b.decode = func(c []byte) (string, bool) { return decodeUTF16(c, binary.BigEndian) }
	case "UTF-16BE":
		b.decode = func(c []byte) (string, bool) { return decodeUTF16(c, binary.BigEndian) }
	case "UTF-16LE":
		b.decode = func(c []byte) (string, bool) { return decodeUTF16(c, binary.LittleEndian) }
	case "ISO-8859-1", "LATIN1", "ISO8859-1":
		b.decode = decodeLatin1
	default:
		b.fail("bag.encoding", nameDeclaration,
			"Bảng mã khai trong bagit.txt không được hỗ trợ; hãy dùng UTF-8.",
			"The character encoding that bagit.txt names is not supported; use UTF-8.")
	}
}

func decodeUTF8(c []byte) (string, bool) {
	return strings.ToValidUTF8(string(c), "\uFFFD"), utf8.Valid(c)
}

func decodeLatin1(c []byte) (string, bool) {
	var s strings.Builder
	for _, b := range c {
		s.WriteRune(rune(b))
	}
	return s.String(), true
}

// decodeUTF16 goes by the byte order mark, else by the given order.
func decodeUTF16(c []byte, order binary.ByteOrder) (string, bool) {
	if len(c)%2 != 0 {
		return "", false
	}
	switch {
	case bytes.HasPrefix(c, []byte{0xFE, 0xFF}):
		order, c = binary.BigEndian, c[2:]
	case bytes.HasPrefix(c, []byte{0xFF, 0xFE}):
		order, c = binary.LittleEndian, c[2:]
	}
	units := make([]uint16, len(c)/2)
	for i := range units {
		units[i] = order.Uint16(c[2*i:])
	}
	s := string(utf16.Decode(units))
	return s, !strings.ContainsRune(s, utf8.RuneError)
}

// text reads a tag file in the bag's encoding.
func (b *Bag) text(name string) (string, bool, error) {
	content, ok, err := b.readTag(name)
	if err != nil || !ok {
		return "", false, err
	}
	s, valid := b.decode(content)
	if !valid {
		b.fail("bag.tag_encoding", name,
			"Tệp mô tả không đúng bảng mã khai trong bagit.txt; hãy lưu lại bằng UTF-8.",
			"A tag file is not in the encoding that bagit.txt names; save it as UTF-8.")
	}
	if rest, marked := strings.CutPrefix(s, "\uFEFF"); marked {
		b.warn("bag.byte_order_mark", name,
			"Tệp mô tả bắt đầu bằng dấu BOM; nên lưu lại không có BOM.",
			"A tag file begins with a byte order mark; better save it without.")
		s = rest
	}
	return s, valid, nil
}

// splitLines divides at LF, CR or CRLF; the last line may go without.
func splitLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

const maxTags = 10_000

// readInfo reads bag-info.txt (RFC 8493 §2.2.2), package-info.txt in bags
// before 0.96.
func (b *Bag) readInfo() error {
	name := "bag-info.txt"
	if v := b.version; v.major == 0 && v.minor != 0 && v.minor < 96 {
		name = "package-info.txt"
	}
	text, ok, err := b.text(name)
	if err != nil || !ok {
		return err
	}
	for _, line := range splitLines(text) {
		if strings.TrimSpace(line) == "" || b.folded(line) {
			continue
		}
		label, value, ok := strings.Cut(line, ":")
		label = strings.TrimSpace(label)
		if !ok || label == "" || len(b.info) == maxTags {
			b.fail("bag.info", name,
				"Mỗi dòng của bag-info.txt phải có dạng “Nhãn: giá trị”; hãy sửa lại.",
				`Every line of bag-info.txt must read "Label: value"; correct it.`)
			return nil
		}
		b.info = append(b.info, Tag{label, strings.TrimSpace(value)})
	}
	return nil
}

// folded adds a line that begins with white space to the tag before it.
func (b *Bag) folded(line string) bool {
	first, _ := utf8.DecodeRuneInString(line)
	if !unicode.IsSpace(first) || len(b.info) == 0 {
		return false
	}
	last := &b.info[len(b.info)-1]
	if len(last.Value) < 1<<16 {
		last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(line))
	}
	return true
}

// oxum checks Payload-Oxum, the count of octets and files.
func (b *Bag) oxum() {
	said := 0
	for _, t := range b.info {
		if !strings.EqualFold(t.Label, "Payload-Oxum") {
			continue
		}
		if said++; said > 1 {
			b.fail("bag.oxum_repeated", "bag-info.txt",
				"Payload-Oxum chỉ được khai một lần trong bag-info.txt.", "Payload-Oxum must stand once in bag-info.txt.")
			return
		}
		octets, files := int64(0), 0
		for _, f := range b.tree.Files() {
			if strings.HasPrefix(f.Path, payloadFolder) {
				octets, files = octets+f.Size, files+1
			}
		}
		if t.Value != fmt.Sprintf("%d.%d", octets, files) {
			b.fail("bag.oxum", "bag-info.txt",
				"Số byte hoặc số tệp trong data/ khác Payload-Oxum của bag-info.txt: gói thiếu hoặc thừa tệp.",
				"The octets or files under data/ are not those of Payload-Oxum in bag-info.txt: the bag lacks files or has others.")
		}
	}
}
