package sample

import "time"

// kind is one sort of case. With several parts it is a group of linked procedures since the day they were linked; before, the
// part numbered alone stands for itself.
type kind struct {
	name   string
	weight int
	since  time.Time
	linked time.Time
	alone  int
	parts  []part
}

// part is one procedure: one dossier of one agency.
type part struct {
	code, name, sector string
	title              string // template, as body of form
	office             office
	days               int       // usual time for it
	since              time.Time // the group goes without it before
	conditional        bool
	subjects           string // letters of the persons it is about, the applicant left out later
	keywords           string
	forms              []form
}

// paperFormat is how a form comes.
type paperFormat int

const (
	asPDF paperFormat = iota
	asDOCX
	asXML
	asJSON
	asText
	asScan
)

// issuer is who signs a form.
type issuer int

const (
	byApplicant issuer = iota
	byClerk
	byLeader
	byOther // the issuer is named in other
)

// form is one document of a dossier. Its body is a template: a line is a paragraph, one that begins with "# " a heading; {key} is
// a fact of the case and [one|other] a choice.
type form struct {
	slug, title, kind, role string
	as                      paperFormat
	by                      issuer
	other                   string
	notation                string
	body                    string
}

// Document types of Circular 05/2025/TT-BNV, annex: the few used here.
const (
	typeDecision = "02"
	typeNotice   = "07"
	typeReport   = "14"
	typeProposal = "15"
	typeMinutes  = "20"
	typeLetter   = "22"
	typeOther    = "32"
)

// Two forms whose day of issue differs from that of their like.
const receiptSlug, slipSlug = "giay-tiep-nhan", "phieu-kiem-soat"

func request(slug, title string, as paperFormat, body string) form {
	return form{slug: slug, title: title, kind: typeOther, role: "submitted", as: as, by: byApplicant, body: body}
}

func scan(slug, title, other string) form {
	return form{slug: slug, title: title, kind: typeOther, role: "submitted", as: asScan, by: byOther, other: other}
}

func processing(slug, title, kind, notation string, as paperFormat, body string) form {
	return form{slug: slug, title: title, kind: kind, role: "processing", as: as, by: byClerk, notation: notation, body: body}
}

func result(slug, title, kind, notation, body string) form {
	return form{slug: slug, title: title, kind: kind, role: "result", as: asPDF, by: byLeader, notation: notation, body: body}
}

func receipt() form {
	return form{slug: receiptSlug, title: "Giấy tiếp nhận hồ sơ và hẹn trả kết quả", kind: typeOther, role: "processing", as: asText, by: byClerk, notation: "GTN-TTPVHCC", body: receiptBody}
}

func slip() form {
	return processing(slipSlug, "Phiếu kiểm soát quá trình giải quyết hồ sơ", typeOther, "PKS", asJSON, slipBody)
}

func idCard() form {
	return scan("the-can-cuoc", "Bản chụp thẻ căn cước của {a.ong} {a}", "Cục Cảnh sát quản lý hành chính về trật tự xã hội")
}

func kinds() []kind {
	return append(append(civilKinds(), propertyKinds()...), otherKinds()...)
}

func civilKinds() []kind {
	linked := date(2023, 7, 10)
	return []kind{
		{name: "birth", weight: 8, linked: linked, alone: 1, parts: birthParts()},
		{name: "death", weight: 4, linked: linked, alone: 1, parts: deathParts()},
		{name: "marriage", weight: 6, parts: []part{{
			code: "1.000894", name: "Đăng ký kết hôn", sector: "Hộ tịch", title: "Đăng ký kết hôn giữa {a.ong} {a} và {s.ong} {s}", days: 1, conditional: true, subjects: "as",
			keywords: "hộ tịch,kết hôn", forms: []form{
				request("to-khai-ket-hon", "Tờ khai đăng ký kết hôn", asPDF, marriageRequestBody), idCard(),
				scan("xac-nhan-doc-than", "Giấy xác nhận tình trạng hôn nhân của {s.ong} {s}", "Ủy ban nhân dân {commune}"), receipt(),
				result("giay-chung-nhan-ket-hon", "Giấy chứng nhận kết hôn", typeOther, "GCNKH", marriageResultBody)}}}},
		{name: "marital status", weight: 7, parts: []part{{
			code: "1.004873", name: "Cấp Giấy xác nhận tình trạng hôn nhân", sector: "Hộ tịch", title: "Cấp Giấy xác nhận tình trạng hôn nhân cho {a.ong} {a}", days: 3, subjects: "a",
			keywords: "hộ tịch,xác nhận,độc thân", forms: []form{
				request("to-khai-xac-nhan", "Tờ khai cấp Giấy xác nhận tình trạng hôn nhân", asXML, maritalRequestBody), idCard(), receipt(),
				processing("phieu-xac-minh", "Công văn đề nghị xác minh tình trạng hôn nhân", typeLetter, "UBND-TP", asDOCX, maritalCheckBody),
				result("giay-xac-nhan", "Giấy xác nhận tình trạng hôn nhân", typeOther, "XNTTHN", maritalResultBody)}}}},
	}
}

func birthParts() []part {
	return []part{
		{code: "3.000722", name: "Liên thông các thủ tục hành chính về đăng ký khai sinh, đăng ký thường trú, cấp thẻ bảo hiểm y tế, cấp thẻ căn cước cho trẻ em dưới 6 tuổi", sector: "Hộ tịch",
			title: "Liên thông khai sinh, thường trú, thẻ bảo hiểm y tế, căn cước cho trẻ {c}", days: 3, subjects: "cfm", keywords: "liên thông,khai sinh,trẻ em dưới 6 tuổi", forms: []form{
				request("to-khai-lien-thong", "Tờ khai điện tử liên thông nhóm khai sinh", asXML, birthGroupBody), receipt(), slip(),
				result("thong-bao-ket-qua", "Thông báo kết quả giải quyết nhóm thủ tục hành chính liên thông", typeNotice, "TB-UBND", birthGroupResultBody)}},
		{code: "1.001193", name: "Đăng ký khai sinh", sector: "Hộ tịch", title: "Đăng ký khai sinh cho trẻ {c}", days: 1, subjects: "cfm", keywords: "hộ tịch,khai sinh", forms: []form{
			request("to-khai-khai-sinh", "Tờ khai đăng ký khai sinh", asPDF, birthRequestBody),
			scan("giay-chung-sinh", "Giấy chứng sinh của trẻ {c}", "{hospital}"), receipt(),
			result("giay-khai-sinh", "Giấy khai sinh", typeOther, "GKS", birthResultBody)}},
		{code: "1.004222", name: "Đăng ký thường trú", sector: "Đăng ký, quản lý cư trú", title: "Đăng ký thường trú cho trẻ {c} theo {m.ong} {m}", office: atPolice, days: 2, subjects: "cm", keywords: "cư trú,thường trú", forms: []form{
			request("to-khai-cu-tru", "Tờ khai thay đổi thông tin cư trú (CT01)", asXML, residenceRequestBody), slip(),
			result("thong-bao-cu-tru", "Thông báo về kết quả giải quyết đăng ký cư trú", typeNotice, "TB-CA", residenceResultBody)}},
		{code: "1.012757", name: "Cấp thẻ bảo hiểm y tế cho trẻ em dưới 6 tuổi", sector: "Thực hiện chính sách bảo hiểm y tế", title: "Cấp thẻ bảo hiểm y tế cho trẻ {c}", office: atInsurance, days: 2, subjects: "c", keywords: "bảo hiểm y tế,trẻ em dưới 6 tuổi", forms: []form{
			request("to-khai-tk1", "Tờ khai tham gia, điều chỉnh thông tin bảo hiểm y tế (TK1-TS)", asJSON, insuranceRequestBody),
			result("thong-bao-cap-the", "Thông báo cấp thẻ bảo hiểm y tế", typeNotice, "TB-BHXH", insuranceResultBody)}},
		{code: "1.013314", name: "Cấp thẻ căn cước cho người dưới 6 tuổi", sector: "Cấp, quản lý căn cước", title: "Cấp thẻ căn cước cho trẻ {c}", office: atPolice, days: 2, since: date(2024, 7, 22), subjects: "cf", keywords: "căn cước,trẻ em dưới 6 tuổi", forms: []form{
			request("phieu-thu-nhan", "Phiếu đề nghị cấp thẻ căn cước cho người dưới 6 tuổi", asXML, identityRequestBody),
			result("phieu-tra-ket-qua", "Phiếu trả kết quả cấp thẻ căn cước", typeOther, "PTN-CA", identityResultBody)}},
	}
}

func deathParts() []part {
	return []part{
		{code: "2.002913", name: "Liên thông các thủ tục hành chính về đăng ký khai tử, xóa đăng ký thường trú, giải quyết mai táng phí, tử tuất", sector: "Hộ tịch",
			title: "Liên thông khai tử, xóa đăng ký thường trú, trợ cấp mai táng đối với {e.ong} {e}", days: 6, subjects: "ea", keywords: "liên thông,khai tử,mai táng phí", forms: []form{
				request("to-khai-lien-thong", "Tờ khai điện tử liên thông nhóm khai tử", asXML, deathGroupBody), receipt(), slip(),
				result("thong-bao-ket-qua", "Thông báo kết quả giải quyết nhóm thủ tục hành chính liên thông", typeNotice, "TB-UBND", deathGroupResultBody)}},
		{code: "1.000656", name: "Đăng ký khai tử", sector: "Hộ tịch", title: "Đăng ký khai tử cho {e.ong} {e}", days: 1, subjects: "e", keywords: "hộ tịch,khai tử", forms: []form{
			request("to-khai-khai-tu", "Tờ khai đăng ký khai tử", asPDF, deathRequestBody),
			scan("giay-bao-tu", "Giấy báo tử của {e.ong} {e}", "{hospital}"), receipt(),
			result("trich-luc-khai-tu", "Trích lục khai tử", typeOther, "TLKT", deathResultBody)}},
		{code: "1.003197", name: "Xóa đăng ký thường trú", sector: "Đăng ký, quản lý cư trú", title: "Xóa đăng ký thường trú đối với {e.ong} {e}", office: atPolice, days: 1, subjects: "e", keywords: "cư trú,xóa đăng ký thường trú", forms: []form{
			request("to-khai-cu-tru", "Tờ khai thay đổi thông tin cư trú (CT01)", asXML, residenceDeletionBody),
			result("thong-bao-xoa", "Thông báo về việc xóa đăng ký thường trú", typeNotice, "TB-CA", residenceDeletionResultBody)}},
		{code: "1.013821", name: "Giải quyết hưởng trợ cấp mai táng", sector: "Thực hiện chính sách bảo hiểm xã hội", title: "Giải quyết trợ cấp mai táng đối với thân nhân {e.ong} {e}", office: atInsurance, days: 4, subjects: "ea", keywords: "bảo hiểm xã hội,mai táng phí,tử tuất", forms: []form{
			request("to-khai-than-nhan", "Tờ khai của thân nhân (mẫu 09-HSB)", asDOCX, funeralRequestBody), slip(),
			result("quyet-dinh-mai-tang", "Quyết định về việc hưởng trợ cấp mai táng", typeDecision, "QĐ-BHXH", funeralResultBody)}},
	}
}

func propertyKinds() []kind {
	return []kind{
		{name: "land certificate", weight: 9, parts: []part{{
			code: "1.012753", name: "Đăng ký đất đai, cấp Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất lần đầu", sector: "Đất đai", office: atLand, days: 20, subjects: "as",
			title: "Cấp Giấy chứng nhận quyền sử dụng đất thửa số {plot}, tờ bản đồ số {sheet} cho {a.ong} {a}", keywords: "đất đai,giấy chứng nhận quyền sử dụng đất,cấp lần đầu", forms: []form{
				request("don-dang-ky", "Đơn đăng ký, cấp Giấy chứng nhận quyền sử dụng đất", asPDF, landRequestBody), idCard(),
				scan("trich-do-dia-chinh", "Mảnh trích đo địa chính thửa đất số {plot}", "{agency}"),
				processing("bien-ban-kiem-tra", "Biên bản kiểm tra hiện trạng sử dụng đất", typeMinutes, "BB-VPĐK", asPDF, landMinutesBody), receipt(),
				processing("phieu-chuyen-thue", "Phiếu chuyển thông tin để xác định nghĩa vụ tài chính về đất đai", typeOther, "PC-VPĐK", asXML, landTaxBody),
				result("quyet-dinh-cap-gcn", "Quyết định về việc cấp Giấy chứng nhận quyền sử dụng đất", typeDecision, "QĐ-UBND", landResultBody)}}}},
		{name: "building permit", weight: 6, parts: []part{{
			code: "1.009994", name: "Cấp giấy phép xây dựng mới đối với nhà ở riêng lẻ", sector: "Hoạt động xây dựng", office: atConstruction, days: 12, subjects: "a",
			title: "Cấp giấy phép xây dựng nhà ở riêng lẻ của {a.ong} {a} tại {site}", keywords: "xây dựng,giấy phép xây dựng,nhà ở riêng lẻ", forms: []form{
				request("don-de-nghi", "Đơn đề nghị cấp giấy phép xây dựng", asPDF, buildingRequestBody),
				scan("ban-ve-mat-bang", "Bản vẽ mặt bằng, mặt đứng công trình", "Công ty Cổ phần Tư vấn thiết kế {designer}"),
				scan("giay-chung-nhan-dat", "Bản chụp Giấy chứng nhận quyền sử dụng đất số {serial}", "Ủy ban nhân dân {province}"), receipt(),
				processing("to-trinh-tham-dinh", "Tờ trình về kết quả thẩm định hồ sơ đề nghị cấp giấy phép xây dựng", typeProposal, "TTr-QLCP", asDOCX, buildingProposalBody),
				result("giay-phep-xay-dung", "Giấy phép xây dựng", typeOther, "GPXD", buildingResultBody)}}}},
		{name: "household business", weight: 8, parts: []part{{
			code: "1.001612", name: "Đăng ký thành lập hộ kinh doanh", sector: "Thành lập và hoạt động của hộ kinh doanh", days: 3, subjects: "a",
			title: "Đăng ký thành lập hộ kinh doanh {shop}", keywords: "hộ kinh doanh,đăng ký kinh doanh", forms: []form{
				request("giay-de-nghi", "Giấy đề nghị đăng ký hộ kinh doanh", asDOCX, businessRequestBody), idCard(), receipt(),
				result("giay-chung-nhan-hkd", "Giấy chứng nhận đăng ký hộ kinh doanh", typeOther, "GCN-HKD", businessResultBody)}}}},
		{name: "alcohol licence", weight: 4, since: date(2008, 5, 5), parts: []part{{
			code: "2.000620", name: "Cấp Giấy phép bán lẻ rượu", sector: "Lưu thông hàng hóa trong nước", office: atTrade, days: 8, subjects: "a",
			title: "Cấp Giấy phép bán lẻ rượu cho {shop}", keywords: "giấy phép,bán lẻ rượu", forms: []form{
				request("don-de-nghi", "Đơn đề nghị cấp Giấy phép bán lẻ rượu", asPDF, alcoholRequestBody),
				scan("hop-dong-cung-cap", "Hợp đồng nguyên tắc mua bán rượu", "Công ty TNHH Thương mại {designer}"),
				processing("phieu-tham-dinh", "Báo cáo kết quả thẩm định điều kiện kinh doanh", typeReport, "BC-QLTM", asPDF, alcoholReportBody), receipt(),
				result("giay-phep", "Giấy phép bán lẻ rượu", typeOther, "GP-SCT", alcoholResultBody)}}}},
	}
}

func otherKinds() []kind {
	return []kind{
		{name: "complaint", weight: 5, parts: []part{{
			code: "2.002409", name: "Giải quyết khiếu nại lần đầu", sector: "Giải quyết khiếu nại", office: atProvince, days: 40, conditional: true, subjects: "ao",
			title: "Giải quyết khiếu nại lần đầu của {a.ong} {a} về {matter}", keywords: "khiếu nại,giải quyết khiếu nại lần đầu", forms: []form{
				request("don-khieu-nai", "Đơn khiếu nại", asPDF, complaintRequestBody),
				processing("thong-bao-thu-ly", "Thông báo về việc thụ lý giải quyết khiếu nại lần đầu", typeNotice, "TB-UBND", asPDF, complaintNoticeBody),
				scan("tai-lieu-kem-theo", "Tài liệu, chứng cứ do người khiếu nại cung cấp", "{a.ong} {a}"),
				processing("bien-ban-doi-thoai", "Biên bản tổ chức đối thoại", typeMinutes, "BB-UBND", asDOCX, complaintMinutesBody),
				processing("bao-cao-xac-minh", "Báo cáo kết quả xác minh nội dung khiếu nại", typeReport, "BC-TTr", asPDF, complaintReportBody),
				result("quyet-dinh-giai-quyet", "Quyết định về việc giải quyết khiếu nại lần đầu", typeDecision, "QĐ-UBND", complaintResultBody)}}}},
		{name: "petition", weight: 4, parts: []part{{
			code: "2.001801", name: "Xử lý đơn tại cấp xã", sector: "Xử lý đơn thư", days: 8, conditional: true, subjects: "a",
			title: "Xử lý đơn kiến nghị, phản ánh của {a.ong} {a} về {nuisance}", keywords: "đơn thư,kiến nghị,phản ánh", forms: []form{
				request("don-kien-nghi", "Đơn kiến nghị, phản ánh", asText, petitionRequestBody),
				processing("phieu-de-xuat", "Phiếu đề xuất xử lý đơn", typeOther, "PĐX", asDOCX, petitionSlipBody),
				result("cong-van-tra-loi", "Công văn về việc trả lời đơn kiến nghị, phản ánh", typeLetter, "UBND-TCD", petitionResultBody)}}}},
		{name: "signature certification", weight: 9, parts: []part{{
			code: "2.000884", name: "Chứng thực chữ ký trong các giấy tờ, văn bản", sector: "Chứng thực", days: 1, subjects: "a",
			title: "Chứng thực chữ ký của {a.ong} {a} trong {paper}", keywords: "chứng thực,chữ ký", forms: []form{
				request("van-ban-chung-thuc", "{Paper}", asPDF, signaturePaperBody), idCard(),
				result("loi-chung", "Lời chứng chứng thực chữ ký", typeOther, "SCT/CK,ĐC", signatureResultBody)}}}},
		{name: "contract certification", weight: 6, parts: []part{{
			code: "2.001035", name: "Chứng thực hợp đồng, giao dịch liên quan đến tài sản là động sản, quyền sử dụng đất, nhà ở", sector: "Chứng thực", days: 2, subjects: "ao",
			title: "Chứng thực hợp đồng {deal} giữa {a.ong} {a} và {o.ong} {o}", keywords: "chứng thực,hợp đồng,giao dịch", forms: []form{
				request("phieu-yeu-cau", "Phiếu yêu cầu chứng thực hợp đồng, giao dịch", asXML, contractRequestBody), idCard(),
				request("du-thao-hop-dong", "Hợp đồng {deal}", asDOCX, contractBody), receipt(),
				result("hop-dong-chung-thuc", "Hợp đồng {deal} đã chứng thực", typeOther, "SCT/HĐ,GD", contractResultBody)}}}},
		{name: "criminal record", weight: 6, since: date(2010, 8, 2), parts: []part{{
			code: "2.000488", name: "Cấp Phiếu lý lịch tư pháp cho công dân Việt Nam", sector: "Lý lịch tư pháp", office: atJustice, days: 9, conditional: true, subjects: "a",
			title: "Cấp Phiếu lý lịch tư pháp số {recordform} cho {a.ong} {a}", keywords: "lý lịch tư pháp", forms: []form{
				request("to-khai-lltp", "Tờ khai yêu cầu cấp Phiếu lý lịch tư pháp", asXML, criminalRequestBody), idCard(), receipt(),
				processing("phieu-xac-minh", "Phiếu xác minh lý lịch tư pháp", typeOther, "PXM-LLTP", asPDF, criminalCheckBody),
				result("phieu-lltp", "Phiếu lý lịch tư pháp số {recordform}", typeOther, "LLTP", criminalResultBody)}}}},
		{name: "social allowance", weight: 5, since: date(2000, 4, 3), parts: []part{{
			code: "1.001776", name: "Thực hiện, điều chỉnh, thôi hưởng trợ cấp xã hội hàng tháng", sector: "Bảo trợ xã hội", days: 20, conditional: true, subjects: "e",
			title: "Trợ cấp xã hội hàng tháng đối với {e.ong} {e}", keywords: "bảo trợ xã hội,trợ cấp hàng tháng", forms: []form{
				request("to-khai-tro-giup", "Tờ khai đề nghị trợ giúp xã hội", asPDF, socialRequestBody),
				processing("bien-ban-xet-duyet", "Biên bản họp Hội đồng xét duyệt trợ giúp xã hội", typeMinutes, "BB-HĐXD", asDOCX, socialMinutesBody), receipt(),
				result("quyet-dinh-tro-cap", "Quyết định về việc trợ cấp xã hội hàng tháng", typeDecision, "QĐ-UBND", socialResultBody)}}}},
		{name: "meritorious service", weight: 3, parts: []part{{
			code: "1.010803", name: "Giải quyết chế độ trợ cấp thờ cúng liệt sĩ", sector: "Người có công", days: 12, conditional: true, subjects: "ae",
			title: "Giải quyết trợ cấp thờ cúng liệt sĩ đối với {a.ong} {a}", keywords: "người có công,liệt sĩ,thờ cúng", forms: []form{
				request("don-de-nghi", "Đơn đề nghị giải quyết chế độ trợ cấp thờ cúng liệt sĩ", asPDF, meritRequestBody),
				scan("bang-to-quoc-ghi-cong", "Bản chụp Bằng Tổ quốc ghi công", "Thủ tướng Chính phủ"), receipt(),
				result("quyet-dinh-tho-cung", "Quyết định về việc trợ cấp thờ cúng liệt sĩ", typeDecision, "QĐ-UBND", meritResultBody)}}}},
	}
}
