package intake

import (
	"slices"
	"strings"
)

// Action is what a policy does with a finding that is not a success.
type Action string

// Actions, the strictest first.
const (
	Reject Action = "reject" // the dossier is refused, with every finding listed
	Wait   Action = "wait"   // the dossier is held at the door: nothing is kept, and it is to be pushed again later
	Warn   Action = "warn"   // taken in; the finding stands in seal, receipt and PREMIS
	Record Action = "record" // likewise, and nobody needs to act on it
)

// Rule is one thing that is asked of a dossier.
type Rule struct {
	Code       string `json:"code"`
	Check      string `json:"check"` // kind of check
	Vietnamese string `json:"vi"`    // what is wrong, and what to do about it
	English    string `json:"en"`
	Source     string `json:"source"`  // where it comes from
	Default    Action `json:"default"` // where a policy says nothing
}

// unread marks sources that were not read in the original: whoever relies on
// them must have them checked first.
const unread = " (chưa đối chiếu nguyên văn · not checked against the original)"

const (
	tt13Components = "TT 13/2023/TT-BNV, Điều 3"
	tt13Formats    = "TT 13/2023/TT-BNV, định dạng tài liệu · formats"
	tt05Formats    = "TT 05/2025/TT-BNV, Điều 8" + unread
	tt05Intake     = "TT 05/2025/TT-BNV, tiếp nhận: kiểm tra vi-rút, tính xác thực, sự đầy đủ · intake checks" + unread
	tt05Late       = "TT 05/2025/TT-BNV, chương IV: 60 ngày · 60 days" + unread
	qcvnVirus      = "QCVN 12:2026/BCA; " + tt05Intake
	qcvnHash       = "QCVN 12:2026/BCA, 2.2.5.4, 3.5.2.1.10: giá trị băm khi tiếp nhận · digest at receipt"
	signatureLaw   = "Luật Giao dịch điện tử 20/2023/QH15; NĐ 30/2020/NĐ-CP, Điều 5; " + tt05Intake
	csipSource     = "E-ARK CSIP 2.x; TT 05/2025/TT-BNV, Phụ lục I, III" + unread
	bagSource      = "RFC 8493 (BagIt 1.0)"
	packageSource  = "TT 13/2023/TT-BNV: cấu trúc gói tin · structure of packages; " + tt05Intake
	preservation   = "Luật Lưu trữ 33/2024/QH15, Điều 36: lưu trữ lâu dài · long-term preservation" + unread
)

// Rules returns the catalogue: every rule that a finding can name, with what a
// policy does about it unless it says otherwise.
func Rules() []Rule {
	return slices.Concat(dossierRules(), documentRules(), authenticityRules(), packageRules())
}

// dossierRules are about the dossier as a whole.
func dossierRules() []Rule {
	return []Rule{
		{"component.missing", Completeness,
			"Thiếu thành phần hồ sơ mà thủ tục yêu cầu. Bổ sung tài liệu, hoặc sửa vai trò và loại tài liệu trong bản khai.",
			"A component that the procedure asks for is missing. Add the document, or correct role and type in the declaration.", tt13Components, Warn},
		{"opinions.missing", Completeness,
			"Hồ sơ có tài liệu trong quá trình giải quyết nhưng không có ý kiến của người xử lý. Bổ sung nếu hệ thống có ghi.",
			"There are documents of the processing, but no opinion of those who handled the case. Add them if the system has any.", tt13Components, Record},
		{"dossier.late", Completeness,
			"Nộp lưu quá hạn kể từ ngày kết thúc công việc. Hồ sơ vẫn được nhận; hãy nộp sớm hơn các lần sau.",
			"Submitted later than the rules allow after the end of the work. It is taken in; submit earlier the next time.", tt05Late, Warn},
		{"fixity.undeclared", Fixity,
			"Gói tin không có giá trị băm cho tài liệu; kho lưu trữ đã tự tính khi nhận. Hãy gửi kèm SHA-256.",
			"The package has no digest of the document; the archive computed it on receipt. Send its SHA-256 along.", qcvnHash, Warn},
	}
}

// documentRules are about what a document is made of.
func documentRules() []Rule {
	return []Rule{
		{"format.unknown", Identification,
			"Không nhận dạng được định dạng tệp theo PRONOM. Dùng một định dạng được phép.",
			"The format is not one that PRONOM knows. Use one that is permitted.", tt05Formats, Warn},
		{"format.mismatch", Identification,
			"Nội dung tệp không đúng định dạng đã khai hoặc phần mở rộng của tên tệp. Sửa bản khai hoặc gửi đúng tệp.",
			"The content is not of the declared format or of the file name's ending. Correct the declaration, or send the right file.", tt13Formats, Reject},
		{"format.not_permitted", Identification,
			"Định dạng tệp không thuộc danh mục được phép lưu trữ. Chuyển sang PDF/A hoặc một định dạng được phép.",
			"The format is not on the list of those that may be archived. Convert it to PDF/A or another permitted one.", tt05Formats, Reject},
		{"document.empty", Validation, "Tài liệu rỗng. Gửi lại tệp đầy đủ.", "The document is empty. Send the whole file again.", tt05Intake, Reject},
		{"document.broken", Validation,
			"Tệp bị hỏng hoặc thiếu phần cuối, không mở được. Xuất hoặc quét lại tệp rồi gửi lại.",
			"The file is damaged or cut off and cannot be opened. Export or scan it again, then send it.", tt05Intake, Reject},
		{"document.unreadable", Validation, "Không đọc được tài liệu. Gửi lại tệp.", "The document cannot be read. Send it again.", tt05Intake, Reject},
		{"document.encrypted", Validation,
			"Tài liệu có mật khẩu hoặc bị mã hóa nên không lưu trữ lâu dài được. Gửi bản không mã hóa.",
			"The document is encrypted or has a password, so it cannot be preserved. Send it without.", preservation, Reject},
		{"document.macro", Validation,
			"Tài liệu chứa macro. Gửi bản không có macro.", "The document holds macros. Send it without.", qcvnVirus, Warn},
		{"document.script", Validation,
			"Tệp PDF chứa mã chạy (JavaScript, lệnh mở chương trình). Xuất lại thành PDF/A.",
			"The PDF holds code that runs (JavaScript, launch actions). Export it as PDF/A.", qcvnVirus, Warn},
		{"document.embedded", Validation,
			"Tài liệu đính kèm tệp khác bên trong. Nộp các tệp đó thành tài liệu riêng nếu chúng thuộc hồ sơ.",
			"Other files are embedded in the document. Submit them as documents of their own if they belong to the dossier.", preservation, Record},
		{"document.bomb", Validation,
			"Tệp nén khai dung lượng giải nén hoặc số tệp lớn bất thường. Gửi các tệp riêng lẻ.",
			"The compressed file unpacks to an abnormal size or number of files. Send the files one by one.", qcvnVirus, Reject},
		{"pdfa.violation", Validation,
			"Tệp tự khai là PDF/A nhưng vi phạm tiêu chuẩn. Xuất lại và kiểm tra bằng công cụ PDF/A.",
			"The file claims to be PDF/A but breaks the standard. Export it again, and check it with a PDF/A tool.", "ISO 19005; " + tt05Formats, Warn},
		{"pdfa.missing", Validation,
			"Bản số hóa từ giấy không phải PDF/A. Quét thành PDF/A hai lớp.",
			"The digitised paper is not PDF/A. Scan to two-layer PDF/A.", tt05Formats, Record},
		{"pdfa.no_text", Validation,
			"Bản số hóa không có lớp văn bản nên không tìm kiếm được. Quét thành PDF/A hai lớp (có OCR).",
			"The digitised paper has no text layer, so it cannot be searched. Scan to two-layer PDF/A, with OCR.", tt05Formats, Warn},
		{"pdfa.unchecked", Validation,
			"Không kiểm tra hết được tệp tự khai là PDF/A (tệp quá phức tạp, hoặc PDF/A-4). Kiểm tra bằng công cụ PDF/A.",
			"The file claims to be PDF/A and could not be checked to the end (too complex, or PDF/A-4). Check it with a PDF/A tool.", "ISO 19005; " + tt05Formats, Record},
	}
}

// authenticityRules are about malware and signatures.
func authenticityRules() []Rule {
	return []Rule{
		{"virus.found", VirusCheck,
			"Phát hiện mã độc trong tài liệu. Không gửi lại tệp này; kiểm tra hệ thống nguồn.",
			"Malware was found in the document. Do not send this file again; check the source system.", qcvnVirus, Reject},
		{"virus.unchecked", VirusCheck,
			"Chưa quét được mã độc (bộ quét không trả lời hoặc tệp quá lớn). Hồ sơ chưa được nhận; gửi lại sau.",
			"The document could not be checked for malware (scanner away, or file too large). The dossier was not taken in; push it again later.", qcvnVirus, Wait},
		{"virus.no_scanner", VirusCheck,
			"Kho lưu trữ chưa nối với bộ quét mã độc nên hồ sơ chưa được quét. Người vận hành cần đặt scanner trong chính sách.",
			"The archive has no malware scanner, so the dossier was not scanned. The operator should name one in the policy.", qcvnVirus, Warn},
		{"signature.none", SignatureCheck,
			"Kết quả giải quyết không có chữ ký số. Kiểm tra đã gửi đúng bản đã ký.",
			"The result carries no digital signature. Check that the signed version was sent.", signatureLaw, Record},
		{"signature.invalid", SignatureCheck,
			"Chữ ký số không hợp lệ: nội dung đã bị sửa sau khi ký, hoặc chữ ký hỏng. Gửi bản gốc đã ký.",
			"A digital signature is invalid: the content was changed after signing, or the signature is damaged. Send the signed original.", signatureLaw, Reject},
		{"signature.partial", SignatureCheck,
			"Chữ ký số không bao trùm toàn bộ tài liệu: có ghi chú hoặc phần thêm sau khi ký, hoặc chỉ ký một phần. Gửi bản gốc đã ký.",
			"A digital signature does not cover the whole document: notes or parts were added after signing, or only a part was signed. Send the signed original.", signatureLaw, Warn},
		{"signature.untrusted", SignatureCheck,
			"Chứng thư ký không dẫn tới tổ chức chứng thực được tin cậy. Kiểm tra chứng thư, hoặc bổ sung gốc tin cậy vào chính sách.",
			"The signing certificate leads to no trusted authority. Check it, or add the trust anchor to the policy.", signatureLaw, Warn},
		{"signature.revoked", SignatureCheck,
			"Chứng thư ký đã bị thu hồi trước khi ký. Ký lại bằng chứng thư còn hiệu lực.",
			"The signing certificate was revoked before signing. Sign again with a valid one.", signatureLaw, Reject},
		{"signature.expired", SignatureCheck,
			"Chứng thư ký đã hết hạn và không có dấu thời gian chứng minh ký khi còn hạn. Hãy ký kèm dấu thời gian.",
			"The signing certificate has expired, and no time-stamp proves that it was valid when signing. Sign with a time-stamp.", signatureLaw, Warn},
		{"signature.indeterminate", SignatureCheck,
			"Không kết luận được về chữ ký số (thiếu dữ liệu thu hồi, thuật toán không hỗ trợ …). Xem chi tiết trong PREMIS.",
			"Nothing certain can be said of a digital signature (no revocation data, unsupported algorithm …). See the detail in PREMIS.", signatureLaw, Warn},
	}
}

// packageRules are about the form in which a dossier comes.
func packageRules() []Rule {
	return []Rule{
		{"bag.invalid", Validation,
			"Gói BagIt không hợp lệ. Tạo lại gói theo RFC 8493.", "The bag is not valid. Make it again, following RFC 8493.", bagSource, Reject},
		{"bag.weak_digest", Validation, "Gói BagIt chỉ có giá trị băm yếu (MD5, SHA-1). Dùng SHA-256 hoặc SHA-512.", "The bag has weak digests only (MD5, SHA-1). Use SHA-256 or SHA-512.", bagSource, Warn},
		{"bag.algorithm", Validation, "Gói BagIt dùng thuật toán băm lạ; các giá trị đó không kiểm tra được.", "The bag uses an unknown digest algorithm; those digests were not checked.", bagSource, Warn},
		{"bag.organization", Validation, "Thẻ Source-Organization khác tên cơ quan trong bản khai. Kiểm tra cả hai.", "Source-Organization is not the agency of the declaration. Check both.", bagSource, Warn},
		{"bag.group", Validation, "Thẻ Bag-Group-Identifier khác mã nhóm trong bản khai. Kiểm tra cả hai.", "Bag-Group-Identifier is not the group of the declaration. Check both.", bagSource, Warn},
		{"bag.top_folder", Validation, "Gói BagIt nén phải có đúng một thư mục trên cùng.", "A serialised bag must have exactly one top folder.", bagSource, Record},
		{"bag.byte_order_mark", Validation, "Tệp thẻ bắt đầu bằng BOM; hãy bỏ.", "A tag file begins with a byte order mark; leave it out.", bagSource, Record},
		{"bag.manifest_name", Validation, "Tên manifest nên viết thường.", "Names of manifests should be in lower case.", bagSource, Record},
		{"bag.manifest_star", Validation, "Manifest có dấu * của md5sum trước tên tệp; hãy bỏ.", "The manifest has md5sum's * before names; leave it out.", bagSource, Record},
		{"bag.manifest_dot", Validation, "Đường dẫn trong manifest bắt đầu bằng ./; hãy bỏ.", "Paths in the manifest begin with ./; leave it out.", bagSource, Record},
		{"bag.manifest_case", Validation, "Tên trong manifest khác tên tệp ở chữ hoa, chữ thường. Viết đúng tên tệp.", "A name in the manifest differs from the file's in case. Write it as the file has it.", bagSource, Warn},
		{"bag.manifest_repeated", Validation, "Manifest nêu một tệp nhiều lần; nêu một lần.", "The manifest lists a file several times; list it once.", bagSource, Record},
		{"bag.percent", Validation, "Tên trong manifest chưa mã hóa ký tự % theo RFC 8493.", "Names in the manifest do not encode % as RFC 8493 says.", bagSource, Record},
		{"bag.normalization", Validation, "Tên trong manifest khác tên tệp về cách tổ hợp dấu Unicode. Dùng NFC.", "A name in the manifest has another Unicode form than the file's. Use NFC.", bagSource, Record},
		{"bag.fetch_present", Validation, "Gói có fetch.txt; kho không tải gì từ đó.", "The bag has fetch.txt; nothing is fetched.", bagSource, Record},
		{"bag.system_file", Validation, "Gói chứa tệp rác của hệ điều hành; hãy bỏ.", "The bag holds litter of an operating system; leave it out.", bagSource, Record},
		{"package.junk", Validation, "Gói tin chứa tệp rác của hệ điều hành (Thumbs.db, .DS_Store); chúng không được lưu.", "The package holds litter of operating systems (Thumbs.db, .DS_Store); it was not kept.", packageSource, Record},
		{"package.name_case", Validation, "Hai tên tệp chỉ khác nhau chữ hoa, chữ thường. Đổi tên một tệp.", "Two names differ in case only. Rename one.", packageSource, Warn},
		{"package.ignored", Completeness, "Gói tin có tệp không phải tài liệu của hồ sơ; chúng không được lưu.", "The package holds files that are no documents of the dossier; they were not kept.", packageSource, Warn},
		{"csip.must", Validation,
			"Gói tin vi phạm yêu cầu bắt buộc của E-ARK CSIP. Sửa cấu trúc gói.",
			"The package breaks a MUST of E-ARK CSIP. Mend its structure.", csipSource, Warn},
		{"csip.should", Validation,
			"Gói tin không theo một khuyến nghị của E-ARK CSIP.", "The package does not follow a SHOULD of E-ARK CSIP.", csipSource, Record},
	}
}

// RuleOf finds a rule by its code.
func RuleOf(code string) (Rule, bool) {
	for _, r := range Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

// SourceOf says where a code comes from: one of a finding, or one of a problem
// of the declaration (package dossier).
func SourceOf(code string) string {
	if r, ok := RuleOf(code); ok {
		return r.Source
	}
	const (
		metadata = "TT 05/2025/TT-BNV, Phụ lục I, III: thông tin mô tả · metadata" + unread
		secrets  = "Luật Bảo vệ bí mật nhà nước; TT 05/2025/TT-BNV" + unread
		identity = "Luật Căn cước 26/2023/QH15: số định danh cá nhân · personal identification number" + unread
		codes    = "TT 13/2023/TT-BNV; TT 01/2018/TT-VPCP, Điều 19: mã hồ sơ · dossier code"
		agencies = "QĐ 20/2020/QĐ-TTg: mã định danh điện tử · electronic identifiers" + unread
	)
	for _, s := range []struct{ prefix, source string }{
		{"access.", secrets}, {"person.", identity}, {"code.", codes}, {"agency.", agencies}, {"dossier.agency", agencies},
		{"document.digest", qcvnHash}, {"document.sha256", qcvnHash}, {"csip", csipSource}, {"bag.", bagSource}, {"package.", packageSource},
	} {
		if strings.HasPrefix(strings.ToLower(code), s.prefix) {
			return s.source
		}
	}
	return metadata
}
