package dossier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Lengths are those of Circular 05/2025/TT-BNV, in characters. A code keeps
// eight free: a document's code is the dossier's, a dot and seven digits.
const (
	maxCode     = 92
	maxAgency   = 35
	maxFonds    = 50
	maxTitle    = 1000
	maxNote     = 2000
	maxSubject  = 500
	maxOrgan    = 200
	maxKeyword  = 100
	maxNumber   = 11
	maxNotation = 30
	maxClass    = 100
	maxOpinion  = 4000
	maxList     = 1000
	oldestYear  = "1800"
	dateLayout  = "2006-01-02"
)

// vietnam is the time by which days are counted (docs/format.md §1).
func vietnam() *time.Location { return time.FixedZone("+07:00", 7*60*60) }

// Validate returns everything that is wrong with the declaration, in the order
// of its fields; none means that a package may be planned. Now is the present,
// for dates that cannot lie in the future.
func (d *Declaration) Validate(now time.Time, limits Limits) []Problem {
	c := checker{today: now.In(vietnam()).Format(dateLayout)}
	c.head(d)
	c.dates(d)
	c.person("applicant", d.Applicant)
	c.count("subjects", len(d.Subjects), maxList)
	for i, p := range d.Subjects[:min(len(d.Subjects), maxList)] {
		c.person(index("subjects", i), p)
	}
	c.count("keywords", len(d.Keywords), maxList)
	for i, k := range d.Keywords[:min(len(d.Keywords), maxList)] {
		c.text(text{index("keywords", i), "từ khóa", "keyword", k, maxKeyword, required})
	}
	c.count("opinions", len(d.Opinions), maxList)
	for i, o := range d.Opinions[:min(len(d.Opinions), maxList)] {
		c.opinion(index("opinions", i), o)
	}
	for i := range d.Documents {
		c.describe(index("documents", i), &d.Documents[i])
	}
	c.files(d, limits.withDefaults())
	return c.list
}

type checker struct {
	problems
	today string
}

// How a text is held.
const (
	required = 1 << iota
	lines    // may have line feeds and tabs
)

type text struct {
	field, vi, en, value string
	most                 int
	how                  int
}

func (c *checker) head(d *Declaration) {
	for _, t := range []text{
		{"code", "mã hồ sơ", "dossier code", d.Code, maxCode, required},
		{"agency", "mã định danh cơ quan", "agency identifier", d.Agency, maxAgency, required},
		{"agency_name", "tên cơ quan", "name of the agency", d.AgencyName, maxOrgan, required},
		{"fonds", "mã phông", "fonds code", d.Fonds, maxFonds, 0},
		{"procedure", "mã thủ tục", "procedure code", d.Procedure, maxCode, required},
		{"procedure_name", "tên thủ tục", "name of the procedure", d.ProcedureName, maxTitle, required},
		{"sector", "lĩnh vực", "sector", d.Sector, maxOrgan, 0},
		{"title", "tiêu đề hồ sơ", "title", d.Title, maxTitle, required},
		{"class", "nhóm thời hạn lưu trữ", "retention class", d.Class, maxClass, 0},
		{"result_number", "số kết quả", "number of the result", d.ResultNumber, maxCode, 0},
		{"group", "mã nhóm liên thông", "code of the group", d.Group, maxCode, 0},
		{"note", "ghi chú", "note", d.Note, maxNote, lines},
	} {
		c.text(t)
	}
	c.choice("access", d.Access, required, "open", "conditional", "secret")
	if d.Access == "secret" {
		c.add("access.secret", "access",
			"Kho này không nhận hồ sơ mật; hãy nộp theo quy định về bảo vệ bí mật nhà nước.",
			"This archive takes no secret dossier; submit it as the rules on state secrets say.")
	}
	c.choice("outcome", d.Outcome, required, "granted", "refused", "stopped", "withdrawn")
	c.choice("channel", d.Channel, 0, "online", "direct", "post")
	c.shape(d.Language == "" || isLanguage(d.Language), "language.shape", "language",
		"Ngôn ngữ phải là mã hai hoặc ba chữ thường, ví dụ vi.",
		"The language must be a code of two or three lower-case letters such as vi.")
	c.shape(d.Agency == "" || isAgency(d.Agency), "agency.shape", "agency",
		"Mã định danh cơ quan phải có dạng H29.68 (chữ và hai số, các cấp cách nhau bằng dấu chấm).",
		"The agency identifier must look like H29.68 (a letter and two digits, levels after dots).")
	c.shape(d.Procedure == "" || isProcedure(d.Procedure), "procedure.shape", "procedure",
		"Mã thủ tục phải có dạng 1.001193 theo Cơ sở dữ liệu quốc gia về thủ tục hành chính.",
		"The procedure code must look like 1.001193, as in the national database of procedures.")
	c.shape(d.Fonds == "" || isFonds(d.Fonds), "fonds.shape", "fonds",
		"Mã phông chỉ gồm chữ không dấu, số, dấu chấm và gạch nối.",
		"The fonds code may hold letters without marks, digits, dots and hyphens only.")
	c.shape(d.Code == "" || strings.TrimSpace(d.Code) == "" || clean(d.Code) != "", "code.shape", "code",
		"Mã hồ sơ không có chữ hay số nào; hãy kiểm tra.", "The dossier code has no letter or digit; check it.")
}

func (c *checker) dates(d *Declaration) {
	ok := map[string]bool{
		"received": c.date("received", d.Received, required),
		"settled":  c.date("settled", d.Settled, 0),
		"closed":   c.date("closed", d.Closed, required),
		"begin":    c.date("begin", d.Begin, 0),
		"end":      c.date("end", d.End, 0),
	}
	inOrder := func(firstField, first, lastField, last string) {
		if ok[firstField] && ok[lastField] && first > last {
			c.add("date.order", lastField,
				"Ngày này sớm hơn ngày ở trường "+firstField+"; hãy kiểm tra cả hai.",
				"This date is before the one in "+firstField+"; check both.")
		}
	}
	inOrder("received", d.Received, "settled", d.Settled)
	inOrder("settled", d.Settled, "closed", d.Closed)
	inOrder("received", d.Received, "closed", d.Closed)
	inOrder("begin", d.Begin, "end", d.End)
}

func (c *checker) person(field string, p Person) {
	c.text(text{join(field, "name"), "họ tên hoặc tên tổ chức", "name", p.Name, maxOrgan, required})
	c.text(text{join(field, "address"), "địa chỉ", "address", p.Address, maxSubject, 0})
	year := 0
	if p.Birth != "" {
		at := join(field, "birth")
		isYear := len(p.Birth) == 4 && isDigits(p.Birth) && p.Birth >= oldestYear && p.Birth <= c.today[:4]
		if isYear || c.date(at, p.Birth, 0) {
			year, _ = strconv.Atoi(p.Birth[:4])
		}
	}
	if p.PersonalID != "" {
		c.personalID(join(field, "personal_id"), p.PersonalID, year)
	}
	n := len(strings.Replace(p.TaxCode, "-", "", 1))
	c.shape(p.TaxCode == "" || isDigits(strings.Replace(p.TaxCode, "-", "", 1)) && (n == 10 || n == 12 || n == 13),
		"person.tax_code", join(field, "tax_code"),
		"Mã số thuế phải có 10, 12 hoặc 13 chữ số.", "The tax code must have 10, 12 or 13 digits.")
}

// personalID checks the number of a citizen: province of birth (three digits,
// 001 to 096), century and sex (one), year of birth (two), and six at random;
// or the nine digits of the old cards.
func (c *checker) personalID(field, id string, birth int) {
	if isDigits(id) && len(id) == 9 {
		return
	}
	if !isDigits(id) || len(id) != 12 {
		c.add("person.id_shape", field,
			"Số định danh cá nhân phải có 12 chữ số (hoặc 9 chữ số của chứng minh nhân dân cũ); hãy đối chiếu thẻ.",
			"The personal number must have 12 digits (or 9 of the old card); compare it with the card.")
		return
	}
	c.shape(id[:3] >= "001" && id[:3] <= "096", "person.id_province", field,
		"Ba số đầu của số định danh không phải mã tỉnh nơi đăng ký khai sinh (001–096); hãy đối chiếu thẻ.",
		"The first three digits are not a province of birth registration (001–096); compare with the card.")
	year := 1900 + int(id[3]-'0')/2*100 + int(id[4]-'0')*10 + int(id[5]-'0')
	thisYear, _ := strconv.Atoi(c.today[:4])
	c.shape(year <= thisYear && (birth == 0 || birth == year), "person.id_birth", field,
		"Số thứ tư đến thứ sáu của số định danh (thế kỷ, giới tính, năm sinh) không khớp năm sinh; hãy đối chiếu thẻ.",
		"Digits four to six of the personal number (century, sex, year of birth) do not fit the year of birth; compare with the card.")
}

func (c *checker) opinion(field string, o Opinion) {
	c.text(text{join(field, "by"), "người cho ý kiến", "author", o.By, maxOrgan, required})
	c.text(text{join(field, "text"), "nội dung ý kiến", "text", o.Text, maxOpinion, required | lines})
	at := join(field, "time")
	if o.Time == "" {
		c.missing(at, "thời điểm", "time")
		return
	}
	t, err := time.Parse(time.RFC3339, o.Time)
	if err != nil {
		c.add("time.shape", at,
			"Thời điểm phải theo RFC 3339, ví dụ 2026-11-24T10:22:30+07:00.",
			"The time must follow RFC 3339, such as 2026-11-24T10:22:30+07:00.")
		return
	}
	c.notFuture(at, t.In(vietnam()).Format(dateLayout))
}

// describe checks what is said about a document; files checks what the bytes
// will be held to.
func (c *checker) describe(field string, d *Document) {
	paper := required // what an authority issues has a date and an issuer
	if d.Role == "submitted" {
		paper = 0
	}
	for _, t := range []text{
		{join(field, "subject"), "trích yếu", "subject", d.Subject, maxSubject, required},
		{join(field, "number"), "số văn bản", "number", d.Number, maxNumber, 0},
		{join(field, "notation"), "ký hiệu văn bản", "notation", d.Notation, maxNotation, 0},
		{join(field, "issuer"), "cơ quan ban hành", "issuer", d.Issuer, maxOrgan, paper},
		{join(field, "class"), "nhóm thời hạn lưu trữ", "retention class", d.Class, maxClass, 0},
	} {
		c.text(t)
	}
	c.date(join(field, "issued"), d.Issued, paper)
	c.choice(join(field, "role"), d.Role, required, "submitted", "processing", "result")
	c.choice(join(field, "origin"), d.Origin, required, "born_digital", "digitised")
	if d.Type == "" {
		c.missing(join(field, "type"), "loại tài liệu", "type")
	} else {
		c.shape(len(d.Type) == 2 && isDigits(d.Type) && d.Type >= "01" && d.Type <= "32", "document.type", join(field, "type"),
			"Loại tài liệu phải là mã 01 đến 32 của Thông tư 05/2025/TT-BNV (32 là loại khác).",
			"The type must be a code from 01 to 32 of Circular 05/2025/TT-BNV (32 is any other).")
	}
	c.shape(d.Pages >= 0 && d.Pages <= 1e6, "document.pages", join(field, "pages"),
		"Số trang không hợp lý; hãy kiểm tra.", "The number of pages is not plausible; check it.")
}

// files checks what a package depends on: names, sizes, digests, totals.
func (c *checker) files(d *Declaration, limits Limits) {
	if len(d.Documents) == 0 {
		c.add("documents.none", "documents",
			"Hồ sơ phải có ít nhất một tài liệu.", "A dossier must have at least one document.")
	}
	c.count("documents", len(d.Documents), limits.Documents)
	names := make(map[string]int, len(d.Documents))
	total := int64(0)
	for i := range d.Documents {
		doc, field := &d.Documents[i], index("documents", i)
		c.file(field, doc, limits.Document)
		total += max(0, min(doc.Size, limits.Dossier+1-total))
		folded := foldName(doc.Name)
		if first, taken := names[folded]; taken && folded != "" {
			c.add("document.name_duplicate", join(field, "name"),
				fmt.Sprintf("Tên tệp trùng với tài liệu thứ %d (không phân biệt chữ hoa, chữ thường); hãy đổi tên.", first+1),
				fmt.Sprintf("The file name is that of document %d (case does not count); rename one.", first+1))
			continue
		}
		names[folded] = i
	}
	if total > limits.Dossier {
		c.add("dossier.too_large", "documents",
			fmt.Sprintf("Tổng dung lượng tài liệu vượt %d byte; hãy tách hồ sơ.", limits.Dossier),
			fmt.Sprintf("The documents are larger than %d bytes together; split the dossier.", limits.Dossier))
	}
}

func (c *checker) file(field string, d *Document, most int64) {
	c.name(join(field, "name"), d.Name)
	c.shape(d.Size > 0, "document.size", join(field, "size"),
		"Dung lượng tệp phải được khai và lớn hơn 0; tệp rỗng không được nhận.",
		"The size must be declared and above 0; an empty file is not taken.")
	c.shape(d.Size <= most, "document.too_large", join(field, "size"),
		fmt.Sprintf("Tệp lớn hơn %d byte; hãy chia nhỏ.", most),
		fmt.Sprintf("The file is larger than %d bytes; divide it.", most))
	c.shape(isDigest(d.SHA256), "document.sha256", join(field, "sha256"),
		"SHA-256 phải gồm đúng 64 ký tự 0–9, a–f (chữ thường).",
		"The SHA-256 must be exactly 64 of 0–9 and a–f (lower case).")
	c.shape(isMediaType(d.MediaType), "document.media_type", join(field, "media_type"),
		"Kiểu nội dung phải có dạng application/pdf, không kèm tham số.",
		"The media type must look like application/pdf, without parameters.")
}

func (c *checker) text(t text) {
	if strings.TrimSpace(t.value) == "" {
		if t.how&required != 0 {
			c.missing(t.field, t.vi, t.en)
		}
		return
	}
	if utf8.RuneCountInString(t.value) > t.most {
		c.add("field.too_long", t.field,
			fmt.Sprintf("Trường %s dài hơn %d ký tự; hãy rút gọn.", t.vi, t.most),
			fmt.Sprintf("The %s is longer than %d characters; shorten it.", t.en, t.most))
	}
	bad := func(r rune) bool {
		if t.how&lines != 0 && (r == '\n' || r == '\r' || r == '\t') {
			return false
		}
		return isUnprintable(r)
	}
	c.shape(utf8.ValidString(t.value) && !strings.ContainsFunc(t.value, bad), "text.control", t.field,
		"Trường "+t.vi+" có ký tự điều khiển, ký tự ẩn hoặc chữ bị hỏng mã; hãy nhập lại.",
		"The "+t.en+" holds control characters, invisible or broken ones; enter it again.")
}

func (c *checker) missing(field, vi, en string) {
	c.add("field.missing", field,
		"Thiếu "+vi+"; hãy điền trường này.", "The "+en+" is missing; fill in this field.")
}

func (c *checker) shape(ok bool, code, field, vi, en string) {
	if !ok {
		c.add(code, field, vi, en)
	}
}

func (c *checker) count(field string, n, most int) {
	if n > most {
		c.add("list.too_long", field,
			fmt.Sprintf("Danh sách này có hơn %d mục; hãy bớt hoặc tách hồ sơ.", most),
			fmt.Sprintf("This list has more than %d members; shorten it or split the dossier.", most))
	}
}

func (c *checker) choice(field, value string, how int, allowed ...string) {
	if value == "" && how&required == 0 || slices.Contains(allowed, value) {
		return
	}
	list := strings.Join(allowed, ", ")
	c.add("field.choice", field,
		"Giá trị phải là một trong: "+list+".", "The value must be one of: "+list+".")
}

// date reports whether value is a date that may be compared with others.
func (c *checker) date(field, value string, how int) bool {
	if value == "" {
		if how&required != 0 {
			c.missing(field, "ngày", "date")
		}
		return false
	}
	if _, err := time.Parse(dateLayout, value); err != nil || value < oldestYear {
		c.badDate(field)
		return false
	}
	return c.notFuture(field, value)
}

func (c *checker) badDate(field string) {
	c.add("date.shape", field,
		"Ngày phải có thật và viết theo dạng năm-tháng-ngày, ví dụ 2026-11-24.",
		"The date must exist and read year-month-day, such as 2026-11-24.")
}

func (c *checker) notFuture(field, day string) bool {
	if day > c.today {
		c.add("date.future", field,
			"Ngày này ở tương lai (giờ Việt Nam); hãy kiểm tra ngày và đồng hồ máy gửi.",
			"This date lies in the future (Vietnamese time); check it and the sender's clock.")
		return false
	}
	return true
}

func isLanguage(s string) bool {
	return (len(s) == 2 || len(s) == 3) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isAgency takes both orders of the levels: H29.68 and 000.00.68.H29.
func isAgency(s string) bool {
	segments := strings.Split(clean(s), ".")
	for _, segment := range segments {
		if !isAlphanumeric(segment) {
			return false
		}
	}
	return isTop(segments[0]) || isTop(segments[len(segments)-1])
}

// isProcedure takes the national code and what some systems add after it
// (1.001193.000.00.00.H29).
func isProcedure(s string) bool {
	segments := strings.Split(s, ".")
	if len(segments) < 2 || len(segments[0]) != 1 || !isDigits(segments[0]) || len(segments[1]) != 6 || !isDigits(segments[1]) {
		return false
	}
	return !slices.ContainsFunc(segments[2:], func(s string) bool { return !isAlphanumeric(s) })
}

// isFonds keeps the fonds code fit for a folder's name and a URN.
func isFonds(s string) bool {
	if len(s) > maxFonds || strings.Contains(s, "..") || strings.Trim(s, ".-") != s {
		return false
	}
	return isAlphanumeric(strings.ToUpper(without(s, ".-")))
}

func without(s, marks string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(marks, r) {
			return -1
		}
		return r
	}, s)
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func isMediaType(s string) bool {
	kind, name, ok := strings.Cut(s, "/")
	return ok && isToken(kind) && isToken(name)
}

func isToken(s string) bool {
	const marks = ".+-_"
	return len(s) <= 127 && isAlphanumeric(strings.ToUpper(without(s, marks))) && strings.Trim(s, marks) == s
}
