package conform

import (
	"strings"

	"github.com/luutru/luutru/eark"
	"github.com/luutru/luutru/intake"
)

// Groups of rules, in the order of a report.
const (
	groupPackage     = "package"     // the ZIP, TAR or folder itself
	groupDeclaration = "declaration" // what is said of the dossier
	groupDocument    = "document"    // what is in the documents, and their completeness
	groupEARK        = "eark"        // E-ARK packages only
	groupBag         = "bag"         // bags only
)

// Rule is one thing that the kit asks.
type Rule struct {
	Code       string `json:"code"`
	Group      string `json:"group"`
	Level      string `json:"level"` // MUST, SHOULD, MAY; of findings, what the policy does
	Vietnamese string `json:"vi"`    // what is asked
	English    string `json:"en"`
	Source     string `json:"source"`
}

// Catalogue returns every rule that the kit asks, whatever a package is.
func Catalogue() []Rule {
	var list []Rule
	known := make(map[string]bool)
	add := func(r Rule) {
		if !known[r.Code] {
			known[r.Code] = true
			list = append(list, r)
		}
	}
	addAll := func(group string, texts [][3]string) {
		for _, t := range texts {
			add(Rule{t[0], group, string(eark.Must), t[1], t[2], sourceOf(t[0])})
		}
	}
	addAll(groupPackage, packageRules())
	addAll(groupDeclaration, declarationRules())
	for _, r := range intake.Rules() {
		group, _, _ := strings.Cut(r.Code, ".")
		switch {
		case r.Code == "bag.invalid", r.Code == "csip.must", r.Code == "csip.should":
			continue // told rule by rule below
		case group != groupPackage && group != groupBag:
			group = groupDocument
		}
		add(Rule{r.Code, group, levelOf(r.Default), r.Vietnamese, r.English, r.Source})
	}
	for _, r := range eark.Requirements() {
		add(Rule{r.Rule, groupEARK, string(r.Level), r.Vietnamese, r.English, r.Source})
	}
	addAll(groupBag, bagRules())
	return list
}

// levelOf says how binding a rule of the policy is.
func levelOf(a intake.Action) string {
	if a == intake.Reject || a == intake.Wait {
		return string(eark.Must)
	}
	return string(eark.Should)
}

const sourcePackage = "TT 05/2025/TT-BNV, Phụ lục III: gói tin nộp · submission package (chưa đối chiếu nguyên văn · not checked against the original); APPNOTE 6.3 (ZIP)"

// sourceOf names the source of a code of a problem.
func sourceOf(code string) string {
	if strings.HasPrefix(code, "package.") {
		return sourcePackage
	}
	return intake.SourceOf(code)
}

func packageRules() [][3]string {
	return [][3]string{
		{"package.unrecognised", "Gói tin phải là E-ARK (METS.xml), BagIt (bagit.txt) hoặc thư mục có dossier.json.", "A package must be E-ARK (METS.xml), BagIt (bagit.txt) or a folder with dossier.json."},
		{"package.form", "Gói tin phải là ZIP, TAR hoặc thư mục.", "A package must be a ZIP, a TAR or a folder."},
		{"package.eark", "Gói E-ARK phải là tệp ZIP hoặc thư mục đọc được.", "An E-ARK package must be a ZIP or a folder that can be read."},
		{"package.empty", "Gói tin không được rỗng.", "A package must not be empty."},
		{"package.damaged", "Mọi tệp trong gói tin phải đọc được và đúng giá trị kiểm tra.", "Every file of the package must be readable and have its check value."},
		{"package.encrypted", "Gói tin không được đặt mật khẩu.", "A package must not be encrypted."},
		{"package.method", "ZIP chỉ dùng cách lưu nguyên hoặc deflate.", "A ZIP may be stored or deflated only."},
		{"package.compressed", "TAR gửi đi không nén.", "A TAR is sent without compression."},
		{"package.bomb", "Gói tin không được giải nén ra lớn bất thường.", "A package must not unpack to an abnormal size."},
		{"package.too_large", "Gói tin không vượt dung lượng cho phép.", "A package must not be larger than is taken."},
		{"package.too_many", "Gói tin không vượt số tệp cho phép.", "A package must not hold more files than are taken."},
		{"package.duplicate", "Mỗi tên tệp chỉ xuất hiện một lần.", "A name must occur once."},
		{"package.name_case", "Tên tệp không được chỉ khác nhau chữ hoa, chữ thường.", "Names must not differ in case only."},
		{"package.path", "Đường dẫn trong gói phải tương đối, không ra ngoài thư mục.", "Paths must be relative and stay within the folder."},
		{"package.path_encoding", "Tên tệp phải là UTF-8.", "Names must be UTF-8."},
		{"package.path_control", "Tên tệp không có ký tự điều khiển.", "Names must hold no control characters."},
		{"package.path_length", "Đường dẫn không quá dài.", "Paths must not be too long."},
		{"package.special", "Gói tin không chứa liên kết hay tệp thiết bị.", "A package must hold no links or devices."},
		{"package.zip_entry", "Các mục của ZIP phải khớp với thư mục của ZIP.", "The entries of a ZIP must agree with its directory."},
		{"package.zip_overlap", "Các mục của ZIP không được chồng lên nhau.", "The entries of a ZIP must not overlap."},
		{"package.zip_end", "ZIP phải đọc được đến cuối.", "A ZIP must be readable to its end."},
		{"package.junk", "Gói tin nên không có tệp rác của hệ điều hành (Thumbs.db, .DS_Store).", "A package should hold no litter of operating systems (Thumbs.db, .DS_Store)."},
	}
}

func declarationRules() [][3]string {
	return [][3]string{
		{"declaration.missing", "Gói tin phải có bản khai (dossier.json, documentation/declaration.json, hoặc EAD.xml).", "A package must have a declaration (dossier.json, documentation/declaration.json, or EAD.xml)."},
		{"declaration.syntax", "Bản khai là một đối tượng JSON đúng cú pháp.", "The declaration is one well-formed JSON object."},
		{"declaration.encoding", "Bản khai mã UTF-8.", "The declaration is in UTF-8."},
		{"declaration.too_large", "Bản khai không quá 4 MiB.", "The declaration is not longer than 4 MiB."},
		{"declaration.damaged", "Bản khai đọc được từ gói tin.", "The declaration can be read from the package."},
		{"declaration.disagrees", "Bản khai và EAD nói giống nhau.", "Declaration and EAD say the same."},
		{"ead.missing", "Gói E-ARK có EAD.xml hoặc declaration.json.", "An E-ARK package has EAD.xml or declaration.json."},
		{"ead_doc.missing", "Mỗi tài liệu có EAD_doc_*.xml hoặc được khai trong declaration.json.", "Every document has EAD_doc_*.xml or stands in declaration.json."},
		{"field.missing", "Mọi trường bắt buộc đều có.", "Every mandatory field is there."},
		{"field.unknown", "Không có trường lạ.", "There is no unknown field."},
		{"field.repeated", "Không trường nào lặp lại.", "No field is repeated."},
		{"field.type", "Mỗi trường đúng kiểu.", "Every field has its type."},
		{"field.choice", "Giá trị mã hóa thuộc danh mục.", "Coded values are of their list."},
		{"field.too_long", "Không trường nào quá dài.", "No field is too long."},
		{"list.too_long", "Không danh sách nào quá dài.", "No list is too long."},
		{"text.control", "Văn bản không có ký tự điều khiển hay chữ hỏng mã.", "Texts hold no control characters or broken letters."},
		{"code.shape", "Mã hồ sơ có chữ và số.", "The dossier code has letters and digits."},
		{"agency.shape", "Mã định danh cơ quan đúng dạng.", "The agency identifier has its form."},
		{"procedure.shape", "Mã thủ tục đúng dạng 1.001193.", "The procedure code looks like 1.001193."},
		{"fonds.shape", "Mã phông đúng dạng.", "The fonds code has its form."},
		{"language.shape", "Mã ngôn ngữ đúng dạng.", "The language code has its form."},
		{"date.shape", "Ngày viết năm-tháng-ngày và có thật.", "Dates read year-month-day and exist."},
		{"date.order", "Các ngày theo đúng thứ tự.", "Dates are in order."},
		{"date.future", "Không ngày nào ở tương lai.", "No date lies in the future."},
		{"time.shape", "Thời điểm theo RFC 3339.", "Times follow RFC 3339."},
		{"access.secret", "Không gửi hồ sơ bí mật nhà nước.", "No state secret is sent."},
		{"person.id_shape", "Số định danh cá nhân đúng dạng.", "Personal numbers have their form."},
		{"person.id_province", "Số định danh bắt đầu bằng mã tỉnh khai sinh.", "A personal number begins with a province of birth."},
		{"person.id_birth", "Số định danh khớp năm sinh.", "A personal number fits the year of birth."},
		{"person.id_sex", "Số định danh khớp giới tính.", "A personal number fits the sex."},
		{"person.tax_code", "Mã số thuế đúng dạng.", "Tax codes have their form."},
		{"link.repeated", "Mỗi hồ sơ liên quan chỉ nêu một lần.", "A linked dossier is named once."},
		{"documents.none", "Hồ sơ có ít nhất một tài liệu.", "A dossier has at least one document."},
		{"documents.count", "Số tài liệu trong EAD đúng bằng số tệp.", "EAD states as many documents as there are files."},
		{"document.absent", "Mọi tài liệu đã khai đều có tệp.", "Every declared document has its file."},
		{"document.undeclared", "Mọi tệp đều được khai.", "Every file is declared."},
		{"document.file_ambiguous", "Mỗi tài liệu ứng với đúng một tệp.", "Every document has exactly one file."},
		{"document.size", "Dung lượng tệp được khai và lớn hơn 0.", "Sizes are declared and above 0."},
		{"document.size_mismatch", "Dung lượng tệp đúng như đã khai.", "Files have their declared size."},
		{"document.sha256", "SHA-256 gồm 64 ký tự 0–9, a–f.", "A SHA-256 has 64 of 0–9 and a–f."},
		{"document.digest_mismatch", "Nội dung tệp đúng SHA-256 đã khai.", "Files have their declared SHA-256."},
		{"document.media_type", "Kiểu nội dung đúng dạng application/pdf.", "Media types look like application/pdf."},
		{"document.type", "Loại tài liệu là mã 01 đến 32.", "Types of documents are 01 to 32."},
		{"document.pages", "Số trang hợp lý.", "Numbers of pages are plausible."},
		{"document.too_large", "Không tệp nào vượt dung lượng cho phép.", "No file is larger than is taken."},
		{"dossier.too_large", "Hồ sơ không vượt dung lượng cho phép.", "The dossier is not larger than is taken."},
		{"document.name_duplicate", "Tên tệp không trùng nhau (không phân biệt chữ hoa).", "File names differ (whatever their case)."},
		{"document.name_too_long", "Tên tệp không quá 200 byte.", "File names have at most 200 bytes."},
		{"document.name_control", "Tên tệp không có ký tự điều khiển.", "File names hold no control characters."},
		{"document.name_not_nfc", "Tên tệp ở dạng Unicode dựng sẵn (NFC).", "File names are in composed Unicode (NFC)."},
		{"document.name_separator", "Tên tệp không có / hay \\.", "File names hold no / or \\."},
		{"document.name_dots", "Tên tệp không có hai dấu chấm liền nhau.", "File names hold no two dots in a row."},
		{"document.name_characters", `Tên tệp không có < > : " | ? *.`, `File names hold none of < > : " | ? *.`},
		{"document.name_edges", "Tên tệp không bắt đầu, kết thúc bằng dấu chấm hay khoảng trắng.", "File names do not begin or end with a dot or space."},
		{"document.name_reserved", "Tên tệp không trùng tên thiết bị của Windows.", "File names are not those of Windows devices."},
	}
}

func bagRules() [][3]string {
	return [][3]string{
		{"bag.declaration_missing", "Có bagit.txt.", "There is bagit.txt."},
		{"bag.declaration", "bagit.txt đúng hai dòng.", "bagit.txt has its two lines."},
		{"bag.declaration_encoding", "bagit.txt mã UTF-8, không có BOM.", "bagit.txt is UTF-8 without byte order mark."},
		{"bag.version", "Phiên bản BagIt 0.93 đến 1.0.", "The version of BagIt is 0.93 to 1.0."},
		{"bag.encoding", "Bảng mã của tệp thẻ được hỗ trợ.", "The encoding of tag files is supported."},
		{"bag.payload_missing", "Có thư mục data/.", "There is a folder data/."},
		{"bag.manifest_missing", "Có bảng kê tệp.", "There is a manifest."},
		{"bag.manifest_line", "Mỗi dòng bảng kê gồm giá trị băm và đường dẫn.", "A line of a manifest is a digest and a path."},
		{"bag.manifest_twice", "Mỗi tệp chỉ được kê một lần.", "A file is listed once."},
		{"bag.algorithm", "Thuật toán băm được hỗ trợ.", "The digest algorithm is supported."},
		{"bag.weak_digest", "Có bảng kê SHA-256 hoặc SHA-512.", "There is a manifest of SHA-256 or SHA-512."},
		{"bag.digest", "Nội dung tệp đúng giá trị băm.", "Files have their digest."},
		{"bag.digest_shape", "Giá trị băm đúng dạng.", "Digests have their form."},
		{"bag.file_missing", "Mọi tệp trong bảng kê đều có.", "Every listed file is there."},
		{"bag.file_unlisted", "Mọi tệp trong data/ đều được kê.", "Every file in data/ is listed."},
		{"bag.path", "Đường dẫn trong bảng kê nằm trong gói.", "Paths in manifests stay within the bag."},
		{"bag.oxum", "Payload-Oxum đúng với số byte và số tệp.", "Payload-Oxum is the number of octets and files."},
		{"bag.fetch", "Không còn tệp nào phải tải từ fetch.txt.", "Nothing remains to be fetched (fetch.txt)."},
		{"bag.info", "bag-info.txt gồm các dòng Nhãn: Giá trị.", "bag-info.txt has lines of Label: Value."},
		{"bag.tag_encoding", "Tệp thẻ đúng bảng mã đã khai.", "Tag files are in their stated encoding."},
		{"bag.tagmanifest_incomplete", "tagmanifest kê đủ các tệp thẻ.", "The tag manifest lists every tag file."},
		{"bag.damaged", "Mọi tệp của gói BagIt đọc được.", "Every file of the bag can be read."},
	}
}
