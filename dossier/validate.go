package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/luutru/luutru/agency"
)

// Lengths are those of Circular 05/2025/TT-BNV, in characters. A code keeps
// eight free: a document's code is the dossier's, a dot and seven digits.
const (
	maxCode      = 92
	maxAgency    = 35
	maxFonds     = 50
	maxTitle     = 1000
	maxNote      = 2000
	maxDocID     = 25
	maxSubject   = 500
	maxOrgan     = 200
	maxKeyword   = 100
	maxNumber    = 11
	maxNotation  = 30
	maxSign      = 30
	maxDocNote   = 500
	maxRemark    = 2000
	maxPages     = 1_000_000
	maxClass     = 100
	maxOpinion   = 4000
	maxList      = 1000
	maxLanguages = 5
	oldestYear   = "1800"
	dateLayout   = "2006-01-02"
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
	c.keywords("keywords", d.Keywords)
	c.links(d)
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
		{"receiver", "mã định danh cơ quan tiếp nhận", "identifier of the receiving agency", d.Receiver, maxAgency, 0},
		{"receiver_name", "tên cơ quan tiếp nhận", "name of the receiving agency", d.ReceiverName, maxOrgan, 0},
		{"fonds", "mã phông", "fonds code", d.Fonds, maxFonds, 0},
		{"procedure", "mã thủ tục", "procedure code", d.Procedure, maxCode, required},
		{"procedure_name", "tên thủ tục", "name of the procedure", d.ProcedureName, maxTitle, required},
		{"legal_basis", "căn cứ công bố thủ tục", "legal basis", d.LegalBasis, maxSubject, 0},
		{"sector", "lĩnh vực", "sector", d.Sector, maxOrgan, 0},
		{"sector_code", "mã lĩnh vực", "sector code", d.SectorCode, maxClass, 0},
		{"title", "tiêu đề hồ sơ", "title", d.Title, maxTitle, required},
		{"class", "nhóm thời hạn lưu trữ", "retention class", d.Class, maxClass, 0},
		{"info_sign", "ký hiệu thông tin", "information sign", d.InfoSign, maxSign, 0},
		{"paper_code", "mã hồ sơ giấy", "code of the paper dossier", d.PaperCode, maxClass, 0},
		{"result_number", "số kết quả", "number of the result", d.ResultNumber, maxCode, 0},
		{"result_signer", "người ký kết quả", "signer of the result", d.ResultSigner, maxOrgan, 0},
		{"group", "mã nhóm liên thông", "code of the group", d.Group, maxCode, 0},
		{"note", "ghi chú", "note", d.Note, maxNote, lines},
	} {
		c.text(t)
	}
	c.access("access", d.Access, required)
	c.choice("level", d.Level, 0, "central", "province", "district", "commune")
	c.choice("condition", d.Condition, 0, "good", "normal", "damaged")
	c.choice("backup", d.Backup, 0, "done", "pending")
	c.choice("outcome", d.Outcome, required, "granted", "refused", "stopped", "withdrawn")
	c.choice("channel", d.Channel, 0, "online", "direct", "post")
	c.pages("sheets", d.Sheets)
	c.language("language", d.Language)
	c.codes(d)
}

// codes checks the shapes of identifiers. They are kept as they were given; a
// style that is not known yet is no problem where a letter or digit is in it.
func (c *checker) codes(d *Declaration) {
	c.agency("agency", d.Agency)
	c.agency("receiver", d.Receiver)
	c.shape(d.Procedure == "" || isProcedure(d.Procedure), "procedure.shape", "procedure",
		"Mã thủ tục phải có dạng 1.001193 theo Cơ sở dữ liệu quốc gia về thủ tục hành chính.",
		"The procedure code must look like 1.001193, as in the national database of procedures.")
	c.shape(d.Fonds == "" || isFonds(d.Fonds), "fonds.shape", "fonds",
		"Mã phông chỉ gồm chữ không dấu, số, dấu chấm và gạch nối.",
		"The fonds code may hold letters without marks, digits, dots and hyphens only.")
	c.shape(d.Code == "" || strings.TrimSpace(d.Code) == "" || clean(d.Code) != "", "code.shape", "code",
		"Mã hồ sơ không có chữ hay số nào; hãy kiểm tra.", "The dossier code has no letter or digit; check it.")
}

func (c *checker) agency(field, id string) {
	c.shape(id == "" || isAgency(id), "agency.shape", field,
		"Mã định danh cơ quan phải có dạng H29.68 (chữ và hai số, các cấp cách nhau bằng dấu chấm).",
		"The agency identifier must look like H29.68 (a letter and two digits, levels after dots).")
}

// access refuses state secrets at the door, of the dossier and of any document.
func (c *checker) access(field, access string, how int) {
	c.choice(field, access, how, "open", "conditional", "secret")
	if access == "secret" {
		c.add("access.secret", field,
			"Kho này không nhận hồ sơ, tài liệu mật; hãy nộp theo quy định về bảo vệ bí mật nhà nước.",
			"This archive takes no secret dossier or document; submit it as the rules on state secrets say.")
	}
}

func (c *checker) language(field, languages string) {
	ok := languages == "" || strings.Count(languages, ",") < maxLanguages
	for l := range strings.SplitSeq(languages, ",") {
		ok = ok && (languages == "" || isLanguage(l))
	}
	c.shape(ok, "language.shape", field,
		"Ngôn ngữ phải là mã hai hoặc ba chữ thường, ví dụ vi; nhiều ngôn ngữ cách nhau bằng dấu phẩy: vi,en.",
		"The language must be a code of two or three lower-case letters such as vi; several with commas: vi,en.")
}

func (c *checker) pages(field string, n int) {
	c.shape(n >= 0 && n <= maxPages, "document.pages", field,
		"Số tờ, số trang không hợp lý; hãy kiểm tra.", "The number of sheets or pages is not plausible; check it.")
}

// links are the other dossiers this one belongs with, each named once.
func (c *checker) links(d *Declaration) {
	c.count("links", len(d.Links), maxList)
	seen := map[string]bool{CanonicalCode(d.Agency, d.Code): true}
	for i, l := range d.Links[:min(len(d.Links), maxList)] {
		at := index("links", i)
		c.text(text{join(at, "code"), "mã hồ sơ liên quan", "code of the linked dossier", l.Code, maxCode, required})
		c.agency(join(at, "agency"), l.Agency)
		c.choice(join(at, "kind"), l.Kind, required, "parent", "child", "sibling", "previous", "next", "related")
		code := CanonicalCode(cmp.Or(l.Agency, d.Agency), l.Code)
		c.shape(!seen[code], "link.repeated", join(at, "code"),
			"Hồ sơ liên quan này là chính hồ sơ đang khai hoặc đã được nêu; hãy bỏ bớt.",
			"This linked dossier is the declared one itself, or named before; remove it.")
		seen[code] = true
	}
}

func (c *checker) dates(d *Declaration) {
	dates := map[string]string{
		"received": d.Received, "accepted": d.Accepted, "settled": d.Settled, "delivered": d.Delivered, "closed": d.Closed,
		"begin": d.Begin, "end": d.End, "result_date": d.ResultDate,
	}
	ok := make(map[string]bool, len(dates)+1)
	for _, field := range []string{"received", "accepted", "settled", "delivered", "closed", "begin", "end", "result_date"} {
		how := 0
		if field == "received" || field == "closed" {
			how = required
		}
		ok[field] = c.date(field, dates[field], how)
	}
	dates["due"], ok["due"] = d.Due, c.day("due", d.Due, 0) // what was promised may lie in the future
	for _, pair := range [][2]string{
		{"received", "accepted"}, {"received", "due"}, {"accepted", "settled"}, {"received", "settled"}, {"settled", "delivered"},
		{"settled", "closed"}, {"received", "closed"}, {"received", "result_date"}, {"begin", "end"},
	} {
		if first, last := pair[0], pair[1]; ok[first] && ok[last] && dates[first] > dates[last] {
			c.add("date.order", last,
				"Ngày này sớm hơn ngày ở trường "+first+"; hãy kiểm tra cả hai.",
				"This date is before the one in "+first+"; check both.")
		}
	}
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
	c.choice(join(field, "sex"), p.Sex, 0, "male", "female")
	if p.PersonalID != "" {
		c.personalID(join(field, "personal_id"), p, year)
	}
	n := len(strings.Replace(p.TaxCode, "-", "", 1))
	c.shape(p.TaxCode == "" || isDigits(strings.Replace(p.TaxCode, "-", "", 1)) && (n == 10 || n == 12 || n == 13),
		"person.tax_code", join(field, "tax_code"),
		"Mã số thuế phải có 10, 12 hoặc 13 chữ số.", "The tax code must have 10, 12 or 13 digits.")
}

// personalID checks the number of a citizen: place of birth registration (three
// digits: a province as they were before the mergers of 2025, or a country from
// 101 on), century and sex (one), year of birth (two), and six at random; or
// the nine digits of the old cards.
func (c *checker) personalID(field string, p Person, birth int) {
	id := p.PersonalID
	if isDigits(id) && len(id) == 9 {
		return
	}
	if !isDigits(id) || len(id) != 12 {
		c.add("person.id_shape", field,
			"Số định danh cá nhân phải có 12 chữ số (hoặc 9 chữ số của chứng minh nhân dân cũ); hãy đối chiếu thẻ.",
			"The personal number must have 12 digits (or 9 of the old card); compare it with the card.")
		return
	}
	c.shape(isBirthPlace(id[:3]), "person.id_province", field,
		"Ba số đầu của số định danh không phải mã tỉnh (001–096, theo 63 tỉnh cũ) hay mã nước (từ 101) nơi đăng ký khai sinh; hãy đối chiếu thẻ.",
		"The first three digits are neither a province (001–096, of the former 63) nor a country (from 101) of birth registration; compare with the card.")
	century := int(id[3] - '0')
	year := 1900 + century/2*100 + int(id[4]-'0')*10 + int(id[5]-'0')
	thisYear, _ := strconv.Atoi(c.today[:4])
	c.shape(year <= thisYear && (birth == 0 || birth == year), "person.id_birth", field,
		"Số thứ tư đến thứ sáu của số định danh (thế kỷ, giới tính, năm sinh) không khớp năm sinh; hãy đối chiếu thẻ.",
		"Digits four to six of the personal number (century, sex, year of birth) do not fit the year of birth; compare with the card.")
	odd := century%2 == 1
	c.shape(p.Sex != "male" && p.Sex != "female" || (p.Sex == "female") == odd, "person.id_sex", field,
		"Số thứ tư của số định danh (chẵn là nam, lẻ là nữ) không khớp giới tính đã khai; hãy đối chiếu thẻ.",
		"Digit four of the personal number (even is male, odd is female) does not fit the sex; compare with the card.")
}

// birthPlaces are the codes of the 63 provinces of before July 2025, of which
// those of today are a part.
const birthPlaces = "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 042 044 045 046 048 " +
	"049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 086 087 089 091 092 093 094 095 096"

func isBirthPlace(code string) bool {
	return code > "100" || strings.Contains(birthPlaces, code)
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
		{join(field, "id"), "mã định danh tài liệu", "identifier", d.ID, maxDocID, 0},
		{join(field, "subject"), "trích yếu", "subject", d.Subject, maxSubject, required},
		{join(field, "number"), "số văn bản", "number", d.Number, maxNumber, 0},
		{join(field, "notation"), "ký hiệu văn bản", "notation", d.Notation, maxNotation, 0},
		{join(field, "issuer"), "cơ quan ban hành", "issuer", d.Issuer, maxOrgan, paper},
		{join(field, "class"), "nhóm thời hạn lưu trữ", "retention class", d.Class, maxClass, 0},
		{join(field, "component"), "mã thành phần hồ sơ", "code of the component", d.Component, maxCode, 0},
		{join(field, "info_sign"), "ký hiệu thông tin", "information sign", d.InfoSign, maxSign, 0},
		{join(field, "autograph"), "bút tích", "handwritten notes", d.Autograph, maxRemark, lines},
		{join(field, "note"), "ghi chú", "note", d.Note, maxDocNote, lines},
	} {
		c.text(t)
	}
	c.date(join(field, "issued"), d.Issued, paper)
	c.choice(join(field, "role"), d.Role, required, "submitted", "processing", "result")
	c.choice(join(field, "copy"), d.Copy, 0, "original", "certified_copy", "copy", "extract")
	c.choice(join(field, "origin"), d.Origin, required, "born_digital", "digitised")
	c.choice(join(field, "condition"), d.Condition, 0, "good", "normal", "damaged")
	c.choice(join(field, "backup"), d.Backup, 0, "done", "pending")
	c.access(join(field, "access"), d.Access, 0)
	c.language(join(field, "language"), d.Language)
	c.keywords(join(field, "keywords"), d.Keywords)
	if d.Type == "" {
		c.missing(join(field, "type"), "loại tài liệu", "type")
	} else {
		c.shape(isCode(d.Type, 1, 32), "document.type", join(field, "type"),
			"Loại tài liệu phải là mã 01 đến 32 của Thông tư 05/2025/TT-BNV (32 là loại khác).",
			"The type must be a code from 01 to 32 of Circular 05/2025/TT-BNV (32 is any other).")
	}
	c.pages(join(field, "pages"), d.Pages)
}

func (c *checker) keywords(field string, words []string) {
	c.count(field, len(words), maxList)
	for i, k := range words[:min(len(words), maxList)] {
		c.text(text{index(field, i), "từ khóa", "keyword", k, maxKeyword, required})
	}
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

// date reports whether value is a date, not in the future, that may be compared
// with others.
func (c *checker) date(field, value string, how int) bool {
	return c.day(field, value, how) && c.notFuture(field, value)
}

// day is date for what may lie in the future.
func (c *checker) day(field, value string, how int) bool {
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
	return true
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
	return agency.IsTop(segments[0]) || agency.IsTop(segments[len(segments)-1])
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
