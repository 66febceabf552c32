package eark

// Requirement is one requirement that [Package.Check] asks. The numbers are
// those of E-ARK CSIP and SIP 2.1/2.2 and DIP; TT05 are those of Circular
// 05/2025/TT-BNV on top.
type Requirement struct {
	Rule       string `json:"rule"`
	Level      Level  `json:"level"`
	Where      string `json:"where"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
	Source     string `json:"source"`
}

const (
	sourceCSIP = "E-ARK CSIP 2.1, https://earkcsip.dilcis.eu; Thông tư 05/2025/TT-BNV, Phụ lục I, III"
	sourceSIP  = "E-ARK SIP 2.1, https://earksip.dilcis.eu; Thông tư 05/2025/TT-BNV, Phụ lục III"
	sourceDIP  = "E-ARK DIP 2.1, https://earkdip.dilcis.eu; Thông tư 05/2025/TT-BNV, Phụ lục V"
	sourceTT05 = "Thông tư 05/2025/TT-BNV, Phụ lục I, III"
)

// Requirements returns all requirements, in the order of the specifications.
func Requirements() []Requirement {
	list := structural()
	list = append(list, rootElement()...)
	list = append(list, headerElement()...)
	list = append(list, descriptive()...)
	list = append(list, administrative()...)
	list = append(list, fileSection()...)
	list = append(list, structuralMap()...)
	for i := range list {
		list[i].Source = sourceCSIP
	}
	return append(append(list, profiles()...), circular()...)
}

func structural() []Requirement {
	return []Requirement{
		{"CSIPSTR1", Must, "/", "Toàn bộ gói tin phải nằm trong đúng một thư mục gốc; hãy nén chính thư mục đó.",
			"The whole package must lie in exactly one top folder; pack that folder itself.", ""},
		{"CSIPSTR4", Must, "/METS.xml", "Thư mục gốc phải có tệp METS.xml (đúng chữ hoa, chữ thường) mô tả gói tin; hãy tạo tệp này.",
			"The top folder must hold METS.xml, in this spelling, that describes the package; write it.", ""},
		{"CSIPSTR5", Should, "/metadata", "Thư mục gốc nên có thư mục metadata; hãy đặt EAD.xml và PREMIS.xml vào đó.",
			"The top folder should hold a folder metadata; put EAD.xml and PREMIS.xml there.", ""},
		{"CSIPSTR6", Should, "/metadata/preservation", "Siêu dữ liệu bảo quản (PREMIS) nên nằm trong metadata/preservation.",
			"Preservation metadata (PREMIS) should lie in metadata/preservation.", ""},
		{"CSIPSTR7", Should, "/metadata/descriptive", "Siêu dữ liệu mô tả (EAD) nên nằm trong metadata/descriptive.",
			"Descriptive metadata (EAD) should lie in metadata/descriptive.", ""},
		{"CSIPSTR9", Should, "/representations", "Thư mục gốc nên có thư mục representations chứa tài liệu.",
			"The top folder should hold a folder representations with the documents.", ""},
		{"CSIPSTR10", Should, "/representations/*", "Mỗi dạng thể hiện nên có một thư mục riêng trong representations, ví dụ rep1; không đặt tệp ngay trong representations.",
			"Every representation should have a folder of its own in representations, such as rep1; put no file beside them.", ""},
		{"CSIPSTR11", Should, "/representations/*/data", "Mỗi dạng thể hiện nên có thư mục data chứa các tài liệu.",
			"Every representation should have a folder data with its documents.", ""},
		{"CSIPSTR12", Should, "/representations/*/METS.xml", "Mỗi dạng thể hiện nên có METS.xml riêng.",
			"Every representation should have a METS.xml of its own.", ""},
		{"CSIPSTR13", Should, "/representations/*/metadata", "Mỗi dạng thể hiện nên có thư mục metadata (với EAD_doc của từng tài liệu).",
			"Every representation should have a folder metadata (with EAD_doc of each document).", ""},
		{"CSIPSTR15", Should, "/schemas", "Gói tin nên kèm các lược đồ XSD đã dùng trong thư mục schemas.",
			"The package should carry the XSD schemas that it uses in a folder schemas.", ""},
		{"CSIPSTR16", Should, "/documentation", "Gói tin nên có thư mục documentation với tài liệu kèm theo.",
			"The package should have a folder documentation for what goes with it.", ""},
	}
}

func rootElement() []Requirement {
	return []Requirement{
		{"CSIP1", Must, "mets/@OBJID", "mets/@OBJID phải có và là tên thư mục của gói tin (dấu : viết thành _); METS của dạng thể hiện ghi tên dạng thể hiện.",
			"mets/@OBJID must be there and should be the name of the package's folder (with _ for :), in a representation that of the representation.", ""},
		{"CSIP2", Must, "mets/@TYPE", "mets/@TYPE phải là một loại nội dung trong danh mục của DILCIS, ví dụ Mixed; với OTHER phải có csip:OTHERTYPE.",
			"mets/@TYPE must be a content category of the DILCIS vocabulary, such as Mixed; with OTHER, csip:OTHERTYPE must be there.", ""},
		{"CSIP3", Should, "mets/@csip:OTHERTYPE", "csip:OTHERTYPE chỉ dùng khi mets/@TYPE là OTHER, và không lặp lại giá trị của danh mục.",
			"csip:OTHERTYPE is for mets/@TYPE OTHER alone, and must not be a value of the vocabulary.", ""},
		{"CSIP4", Should, "mets/@csip:CONTENTINFORMATIONTYPE", "csip:CONTENTINFORMATIONTYPE nên có (bắt buộc trong METS của dạng thể hiện) và thuộc danh mục, ví dụ MIXED.",
			"csip:CONTENTINFORMATIONTYPE should be there (in a representation it must) and be of the vocabulary, such as MIXED.", ""},
		{"CSIP5", May, "mets/@csip:OTHERCONTENTINFORMATIONTYPE", "csip:OTHERCONTENTINFORMATIONTYPE phải có giá trị khi CONTENTINFORMATIONTYPE là OTHER, và chỉ khi đó.",
			"csip:OTHERCONTENTINFORMATIONTYPE must have a value where CONTENTINFORMATIONTYPE is OTHER, and only there.", ""},
		{"CSIP6", Must, "mets/@PROFILE", "mets/@PROFILE phải là URL của hồ sơ METS mà gói tin theo.",
			"mets/@PROFILE must be the URL of the METS profile that the package follows.", ""},
	}
}

func headerElement() []Requirement {
	return []Requirement{
		{"CSIP117", Must, "mets/metsHdr", "Phải có phần tử mets/metsHdr.", "There must be an element mets/metsHdr.", ""},
		{"CSIP7", Must, "mets/metsHdr/@CREATEDATE", "metsHdr/@CREATEDATE phải ghi thời điểm tạo gói tin (ISO 8601).",
			"metsHdr/@CREATEDATE must give the time of creation (ISO 8601).", ""},
		{"CSIP8", Should, "mets/metsHdr/@LASTMODDATE", "metsHdr/@LASTMODDATE phải là thời điểm có thật (ISO 8601), không ở trước lúc tạo hay trong tương lai.",
			"metsHdr/@LASTMODDATE must be a time (ISO 8601), not before the creation and not in the future.", ""},
		{"CSIP9", Must, "mets/metsHdr/@csip:OAISPACKAGETYPE", "csip:OAISPACKAGETYPE phải là SIP, AIP, DIP, AIU hoặc AIC.",
			"csip:OAISPACKAGETYPE must be SIP, AIP, DIP, AIU or AIC.", ""},
		{"CSIP10", Must, "mets/metsHdr/agent", "metsHdr phải có ít nhất một agent.", "metsHdr must have at least one agent.", ""},
		{"CSIP11", Must, "mets/metsHdr/agent[@ROLE='CREATOR']", "Phải có agent của phần mềm tạo gói tin, với ROLE=\"CREATOR\".",
			"There must be an agent for the software that made the package, with ROLE=\"CREATOR\".", ""},
		{"CSIP12", Must, "mets/metsHdr/agent[@TYPE='OTHER']", "Agent của phần mềm phải có TYPE=\"OTHER\".", "The software's agent must have TYPE=\"OTHER\".", ""},
		{"CSIP13", Must, "mets/metsHdr/agent[@OTHERTYPE='SOFTWARE']", "Agent của phần mềm phải có OTHERTYPE=\"SOFTWARE\".",
			"The software's agent must have OTHERTYPE=\"SOFTWARE\".", ""},
		{"CSIP14", Must, "mets/metsHdr/agent/name", "Agent của phần mềm phải có name là tên phần mềm.", "The software's agent must have a name, the software's.", ""},
		{"CSIP15", Must, "mets/metsHdr/agent/note", "Agent của phần mềm phải có đúng một note là phiên bản phần mềm.",
			"The software's agent must have exactly one note, the software's version.", ""},
		{"CSIP16", Must, "mets/metsHdr/agent/note/@csip:NOTETYPE", "Note đó phải có csip:NOTETYPE=\"SOFTWARE VERSION\".",
			"That note must have csip:NOTETYPE=\"SOFTWARE VERSION\".", ""},
	}
}

// reference returns the requirements for a reference to a metadata file, whose
// numbers follow each other from the locator type on.
func reference(of string, numbers ...string) []Requirement {
	at := of + "/mdRef"
	return []Requirement{
		{numbers[0], Must, at + "/@LOCTYPE", at + " phải có LOCTYPE=\"URL\".", at + " must have LOCTYPE=\"URL\".", ""},
		{numbers[1], Must, at + "/@xlink:type", at + " phải có xlink:type=\"simple\".", at + " must have xlink:type=\"simple\".", ""},
		{numbers[2], Must, at + "/@xlink:href", at + " phải có xlink:href là đường dẫn tương đối tới một tệp có trong gói tin.",
			at + " must have xlink:href, a relative path to a file of the package.", ""},
		{numbers[3], Must, at + "/@MDTYPE", at + " phải có MDTYPE theo danh mục của METS (EAD, DC, PREMIS, OTHER, …).",
			at + " must have MDTYPE from the list of METS (EAD, DC, PREMIS, OTHER, …).", ""},
		{numbers[4], Must, at + "/@MIMETYPE", at + " phải có MIMETYPE đăng ký với IANA, ví dụ text/xml.",
			at + " must have MIMETYPE as registered with IANA, such as text/xml.", ""},
		{numbers[5], Must, at + "/@SIZE", at + " phải có SIZE đúng bằng dung lượng tệp.", at + " must have SIZE, the size of the file.", ""},
		{numbers[6], Must, at + "/@CREATED", at + " phải có CREATED (ISO 8601).", at + " must have CREATED (ISO 8601).", ""},
		{numbers[7], Must, at + "/@CHECKSUM", at + " phải có CHECKSUM đúng với nội dung tệp.", at + " must have CHECKSUM, the digest of the file.", ""},
		{numbers[8], Must, at + "/@CHECKSUMTYPE", at + " phải có CHECKSUMTYPE theo danh mục của METS, ví dụ SHA-256.",
			at + " must have CHECKSUMTYPE from the list of METS, such as SHA-256.", ""},
	}
}

func descriptive() []Requirement {
	return append([]Requirement{
		{"CSIP17", Should, "mets/dmdSec", "Mỗi tệp trong metadata/descriptive phải có một dmdSec.",
			"Every file in metadata/descriptive must have a dmdSec.", ""},
		{"CSIP18", Must, "mets/dmdSec/@ID", "dmdSec phải có ID, không trùng trong gói tin.", "dmdSec must have an ID, unique in the package.", ""},
		{"CSIP19", Must, "mets/dmdSec/@CREATED", "dmdSec phải có CREATED (ISO 8601).", "dmdSec must have CREATED (ISO 8601).", ""},
		{"CSIP20", Should, "mets/dmdSec/@STATUS", "dmdSec nên có STATUS, là CURRENT hoặc SUPERSEDED.", "dmdSec should have STATUS, CURRENT or SUPERSEDED.", ""},
		{"CSIP21", Should, "mets/dmdSec/mdRef", "dmdSec nên trỏ tới tệp mô tả bằng mdRef.", "dmdSec should refer to the file with the description by mdRef.", ""},
	}, reference("dmdSec", "CSIP22", "CSIP23", "CSIP24", "CSIP25", "CSIP26", "CSIP27", "CSIP28", "CSIP29", "CSIP30")...)
}

func administrative() []Requirement {
	list := []Requirement{
		{"CSIP31", Should, "mets/amdSec", "Siêu dữ liệu quản trị và bảo quản phải nằm trong một amdSec; mọi tệp trong metadata/preservation phải được nêu.",
			"Administrative and preservation metadata must stand in one amdSec; every file in metadata/preservation must be listed.", ""},
		{"CSIP32", Should, "mets/amdSec/digiprovMD", "Mỗi tệp PREMIS trong metadata/preservation phải có một digiprovMD.",
			"Every PREMIS file in metadata/preservation must have a digiprovMD.", ""},
		{"CSIP33", Must, "mets/amdSec/digiprovMD/@ID", "digiprovMD phải có ID, không trùng trong gói tin.", "digiprovMD must have an ID, unique in the package.", ""},
		{"CSIP34", Should, "mets/amdSec/digiprovMD/@STATUS", "digiprovMD nên có STATUS, là CURRENT hoặc SUPERSEDED.",
			"digiprovMD should have STATUS, CURRENT or SUPERSEDED.", ""},
		{"CSIP35", Should, "mets/amdSec/digiprovMD/mdRef", "digiprovMD nên trỏ tới tệp PREMIS bằng mdRef.", "digiprovMD should refer to the PREMIS file by mdRef.", ""},
	}
	list = append(list, reference("digiprovMD", "CSIP36", "CSIP37", "CSIP38", "CSIP39", "CSIP40", "CSIP41", "CSIP42", "CSIP43", "CSIP44")...)
	list = append(list, []Requirement{
		{"CSIP46", Must, "mets/amdSec/rightsMD/@ID", "rightsMD phải có ID, không trùng trong gói tin.", "rightsMD must have an ID, unique in the package.", ""},
		{"CSIP47", Should, "mets/amdSec/rightsMD/@STATUS", "rightsMD nên có STATUS, là CURRENT hoặc SUPERSEDED.", "rightsMD should have STATUS, CURRENT or SUPERSEDED.", ""},
		{"CSIP48", Should, "mets/amdSec/rightsMD/mdRef", "rightsMD nên trỏ tới tệp về quyền bằng mdRef.", "rightsMD should refer to the file about rights by mdRef.", ""},
	}...)
	return append(list, reference("rightsMD", "CSIP49", "CSIP50", "CSIP51", "CSIP52", "CSIP53", "CSIP54", "CSIP55", "CSIP56", "CSIP57")...)
}

func fileSection() []Requirement {
	return []Requirement{
		{"CSIP58", Should, "mets/fileSec", "Nên có đúng một fileSec nêu mọi tệp của gói tin.", "There should be exactly one fileSec that lists every file of the package.", ""},
		{"CSIP59", Must, "mets/fileSec/@ID", "fileSec phải có ID, không trùng trong gói tin.", "fileSec must have an ID, unique in the package.", ""},
		{"CSIP60", Must, "mets/fileSec/fileGrp[@USE='Documentation']", "METS của gói tin phải có fileGrp với USE=\"Documentation\".",
			"METS of the package must have a fileGrp with USE=\"Documentation\".", ""},
		{"CSIP113", Must, "mets/fileSec/fileGrp[@USE='Schemas']", "METS của gói tin phải có fileGrp với USE=\"Schemas\" nêu các XSD.",
			"METS of the package must have a fileGrp with USE=\"Schemas\" that lists the XSD files.", ""},
		{"CSIP114", Must, "mets/fileSec/fileGrp[starts-with(@USE,'Representations')]", "METS của gói tin phải có fileGrp với USE bắt đầu bằng \"Representations\", ví dụ Representations/rep1.",
			"METS of the package must have a fileGrp whose USE begins with \"Representations\", such as Representations/rep1.", ""},
		{"CSIP61", May, "mets/fileSec/fileGrp/@ADMID", "fileGrp/@ADMID phải là ID của một phần trong amdSec.", "fileGrp/@ADMID must be the ID of a part of amdSec.", ""},
		{"CSIP62", Should, "mets/fileSec/fileGrp/@csip:CONTENTINFORMATIONTYPE", "fileGrp của Representations phải có csip:CONTENTINFORMATIONTYPE thuộc danh mục, ví dụ MIXED.",
			"A fileGrp of Representations must have csip:CONTENTINFORMATIONTYPE of the vocabulary, such as MIXED.", ""},
		{"CSIP63", May, "mets/fileSec/fileGrp/@csip:OTHERCONTENTINFORMATIONTYPE", "csip:OTHERCONTENTINFORMATIONTYPE của fileGrp phải có giá trị ngoài danh mục khi CONTENTINFORMATIONTYPE là OTHER, và chỉ khi đó.",
			"csip:OTHERCONTENTINFORMATIONTYPE of a fileGrp must have a value outside the vocabulary where CONTENTINFORMATIONTYPE is OTHER, and only there.", ""},
		{"CSIP64", Must, "mets/fileSec/fileGrp/@USE", "fileGrp phải có USE: Documentation, Schemas, Representations/… hoặc Data, là tên thư mục có trong gói tin.",
			"fileGrp must have USE: Documentation, Schemas, Representations/… or Data, the name of a folder of the package.", ""},
		{"CSIP65", Must, "mets/fileSec/fileGrp/@ID", "fileGrp phải có ID, không trùng trong gói tin.", "fileGrp must have an ID, unique in the package.", ""},
		{"CSIP66", Must, "mets/fileSec/fileGrp/file", "fileGrp phải có ít nhất một file.", "fileGrp must have at least one file.", ""},
		{"CSIP67", Must, "mets/fileSec/fileGrp/file/@ID", "file phải có ID, không trùng trong gói tin.", "file must have an ID, unique in the package.", ""},
		{"CSIP68", Must, "mets/fileSec/fileGrp/file/@MIMETYPE", "file phải có MIMETYPE đăng ký với IANA, ví dụ application/pdf.",
			"file must have MIMETYPE as registered with IANA, such as application/pdf.", ""},
		{"CSIP69", Must, "mets/fileSec/fileGrp/file/@SIZE", "file phải có SIZE đúng bằng dung lượng tệp.", "file must have SIZE, the size of the file.", ""},
		{"CSIP70", Must, "mets/fileSec/fileGrp/file/@CREATED", "file phải có CREATED (ISO 8601).", "file must have CREATED (ISO 8601).", ""},
		{"CSIP71", Must, "mets/fileSec/fileGrp/file/@CHECKSUM", "file phải có CHECKSUM đúng với nội dung tệp.", "file must have CHECKSUM, the digest of the file.", ""},
		{"CSIP72", Must, "mets/fileSec/fileGrp/file/@CHECKSUMTYPE", "file phải có CHECKSUMTYPE theo danh mục của METS, ví dụ SHA-256.",
			"file must have CHECKSUMTYPE from the list of METS, such as SHA-256.", ""},
		{"CSIP76", Must, "mets/fileSec/fileGrp/file/FLocat", "file phải có đúng một FLocat.", "file must have exactly one FLocat.", ""},
		{"CSIP77", Must, "mets/fileSec/fileGrp/file/FLocat/@LOCTYPE", "FLocat phải có LOCTYPE=\"URL\".", "FLocat must have LOCTYPE=\"URL\".", ""},
		{"CSIP78", Must, "mets/fileSec/fileGrp/file/FLocat/@xlink:type", "FLocat phải có xlink:type=\"simple\".", "FLocat must have xlink:type=\"simple\".", ""},
		{"CSIP79", Must, "mets/fileSec/fileGrp/file/FLocat/@xlink:href", "FLocat phải có xlink:href là đường dẫn tương đối tới một tệp có trong gói tin (đúng chữ hoa, chữ thường).",
			"FLocat must have xlink:href, a relative path to a file of the package (case counts).", ""},
	}
}

func structuralMap() []Requirement {
	return []Requirement{
		{"CSIP80", Must, "mets/structMap", "Phải có đúng một structMap với LABEL=\"CSIP\".", "There must be exactly one structMap with LABEL=\"CSIP\".", ""},
		{"CSIP81", Must, "mets/structMap/@TYPE", "structMap CSIP phải có TYPE=\"PHYSICAL\".", "The CSIP structMap must have TYPE=\"PHYSICAL\".", ""},
		{"CSIP82", Must, "mets/structMap/@LABEL", "structMap phải có LABEL=\"CSIP\".", "The structMap must have LABEL=\"CSIP\".", ""},
		{"CSIP83", Must, "mets/structMap/@ID", "structMap CSIP phải có ID, không trùng trong gói tin.", "The CSIP structMap must have an ID, unique in the package.", ""},
		{"CSIP84", Must, "mets/structMap/div", "structMap CSIP phải có đúng một div gốc.", "The CSIP structMap must have exactly one top div.", ""},
		{"CSIP85", Must, "mets/structMap/div/@ID", "div gốc phải có ID, không trùng trong gói tin.", "The top div must have an ID, unique in the package.", ""},
		{"CSIP86", Must, "mets/structMap/div/@LABEL", "div gốc phải có LABEL bằng mets/@OBJID.", "The top div must have LABEL, which equals mets/@OBJID.", ""},
		{"CSIP88", Must, "mets/structMap/div/div[@LABEL='Metadata']", "structMap phải có đúng một div Metadata.", "The structMap must have exactly one div Metadata.", ""},
		{"CSIP89", Must, "mets/structMap/div/div[@LABEL='Metadata']/@ID", "div Metadata phải có ID, không trùng trong gói tin.", "The div Metadata must have an ID, unique in the package.", ""},
		{"CSIP90", Must, "mets/structMap/div/div[@LABEL='Metadata']/@LABEL", "div của siêu dữ liệu phải có LABEL=\"Metadata\".", "The division of metadata must have LABEL=\"Metadata\".", ""},
		{"CSIP91", Should, "mets/structMap/div/div[@LABEL='Metadata']/@ADMID", "div Metadata nên nêu ID của mọi phần hiện hành trong amdSec ở ADMID, và chỉ những ID có thật.",
			"The div Metadata should list the IDs of all current parts of amdSec in ADMID, and none that is not there.", ""},
		{"CSIP92", Should, "mets/structMap/div/div[@LABEL='Metadata']/@DMDID", "div Metadata nên nêu ID của mọi dmdSec hiện hành ở DMDID, và chỉ những ID có thật.",
			"The div Metadata should list the IDs of all current dmdSec in DMDID, and none that is not there.", ""},
		{"CSIP93", Should, "mets/structMap/div/div[@LABEL='Documentation']", "structMap nên có đúng một div Documentation.", "The structMap should have exactly one div Documentation.", ""},
		{"CSIP94", Must, "mets/structMap/div/div[@LABEL='Documentation']/@ID", "div Documentation phải có ID, không trùng trong gói tin.", "The div Documentation must have an ID, unique in the package.", ""},
		{"CSIP96", Must, "mets/structMap/div/div[@LABEL='Documentation']/fptr", "div Documentation phải trỏ tới mọi fileGrp Documentation.", "The div Documentation must point to every fileGrp Documentation.", ""},
		{"CSIP116", Must, "mets/structMap/div/div[@LABEL='Documentation']/fptr/@FILEID", "fptr của div Documentation phải trỏ tới ID của fileGrp Documentation.", "A fptr of the div Documentation must point to the ID of a fileGrp Documentation.", ""},
		{"CSIP97", Should, "mets/structMap/div/div[@LABEL='Schemas']", "structMap nên có đúng một div Schemas.", "The structMap should have exactly one div Schemas.", ""},
		{"CSIP98", Must, "mets/structMap/div/div[@LABEL='Schemas']/@ID", "div Schemas phải có ID, không trùng trong gói tin.", "The div Schemas must have an ID, unique in the package.", ""},
		{"CSIP100", Must, "mets/structMap/div/div[@LABEL='Schemas']/fptr", "div Schemas phải trỏ tới mọi fileGrp Schemas.", "The div Schemas must point to every fileGrp Schemas.", ""},
		{"CSIP118", Must, "mets/structMap/div/div[@LABEL='Schemas']/fptr/@FILEID", "fptr của div Schemas phải trỏ tới ID của fileGrp Schemas.", "A fptr of the div Schemas must point to the ID of a fileGrp Schemas.", ""},
		{"CSIP101", Should, "mets/structMap/div/div[@LABEL='Representations']", "Gói tin không có METS của dạng thể hiện nên có đúng một div Representations.", "A package whose representations have no METS should have exactly one div Representations.", ""},
		{"CSIP102", Must, "mets/structMap/div/div[@LABEL='Representations']/@ID", "div Representations phải có ID, không trùng trong gói tin.", "The div Representations must have an ID, unique in the package.", ""},
		{"CSIP104", Must, "mets/structMap/div/div[@LABEL='Representations']/fptr", "Mọi fileGrp Representations phải được structMap trỏ tới, bằng fptr hoặc mptr.", "Every fileGrp Representations must be pointed to by the structMap, by fptr or mptr.", ""},
		{"CSIP119", Must, "mets/structMap/div/div[@LABEL='Representations']/fptr/@FILEID", "fptr của div Representations phải trỏ tới ID của fileGrp Representations.", "A fptr of the div Representations must point to the ID of a fileGrp Representations.", ""},
		{"CSIP105", Should, "mets/structMap/div/div", "Mỗi dạng thể hiện có METS.xml nên có một div riêng trong structMap của gói tin.", "Every representation with a METS.xml should have a div of its own in the package's structMap.", ""},
		{"CSIP106", Must, "mets/structMap/div/div/@ID", "div của dạng thể hiện phải có ID, không trùng trong gói tin.", "The div of a representation must have an ID, unique in the package.", ""},
		{"CSIP107", Must, "mets/structMap/div/div/@LABEL", "div của dạng thể hiện phải có LABEL \"Representations/\" và tên thư mục.", "The div of a representation must have LABEL \"Representations/\" and the folder's name.", ""},
		{"CSIP108", Must, "mets/structMap/div/div/mptr/@xlink:title", "mptr phải có xlink:title là ID của fileGrp của dạng thể hiện.", "mptr must have xlink:title, the ID of the representation's fileGrp.", ""},
		{"CSIP109", Must, "mets/structMap/div/div/mptr", "div của dạng thể hiện phải có đúng một mptr tới METS.xml của nó.", "The div of a representation must have exactly one mptr to its METS.xml.", ""},
		{"CSIP110", Must, "mets/structMap/div/div/mptr/@xlink:href", "mptr phải có xlink:href tới METS.xml có trong gói tin.", "mptr must have xlink:href to a METS.xml of the package.", ""},
		{"CSIP111", Must, "mets/structMap/div/div/mptr/@xlink:type", "mptr phải có xlink:type=\"simple\".", "mptr must have xlink:type=\"simple\".", ""},
		{"CSIP112", Must, "mets/structMap/div/div/mptr/@LOCTYPE", "mptr phải có LOCTYPE=\"URL\".", "mptr must have LOCTYPE=\"URL\".", ""},
	}
}

func profiles() []Requirement {
	return []Requirement{
		{"SIP1", May, "mets/@LABEL", "mets/@LABEL, nếu có, phải có nội dung.", "mets/@LABEL, where it is there, must have a value.", sourceSIP},
		{"SIP2", Must, "mets/@PROFILE", "METS của SIP phải có PROFILE https://earksip.dilcis.eu/profile/E-ARK-SIP.xml (2.2: E-ARK-SIP-v2-2-0.xml).", "METS of a SIP must have PROFILE https://earksip.dilcis.eu/profile/E-ARK-SIP.xml (2.2: E-ARK-SIP-v2-2-0.xml).", sourceSIP},
		{"SIP3", May, "mets/metsHdr/@RECORDSTATUS", "metsHdr/@RECORDSTATUS, nếu có, phải thuộc danh mục: NEW, SUPPLEMENT, REPLACEMENT, TEST, VERSION, DELETE, OTHER.", "metsHdr/@RECORDSTATUS, where it is there, must be of the vocabulary: NEW, SUPPLEMENT, REPLACEMENT, TEST, VERSION, DELETE, OTHER.", sourceSIP},
		{"SIP4", Must, "mets/metsHdr/@csip:OAISPACKAGETYPE", "METS của SIP phải có csip:OAISPACKAGETYPE=\"SIP\".", "METS of a SIP must have csip:OAISPACKAGETYPE=\"SIP\".", sourceSIP},
		{"SIP5", May, "mets/metsHdr/altRecordID[@TYPE='SUBMISSIONAGREEMENT']", "altRecordID SUBMISSIONAGREEMENT chỉ được có một và phải có nội dung.", "altRecordID SUBMISSIONAGREEMENT must be one at most and have a value.", sourceSIP},
		{"SIP6", May, "mets/metsHdr/altRecordID[@TYPE='PREVIOUSSUBMISSIONAGREEMENT']", "altRecordID PREVIOUSSUBMISSIONAGREEMENT phải có nội dung.", "altRecordID PREVIOUSSUBMISSIONAGREEMENT must have a value.", sourceSIP},
		{"SIP7", May, "mets/metsHdr/altRecordID[@TYPE='REFERENCECODE']", "altRecordID REFERENCECODE chỉ được có một và phải có nội dung.", "altRecordID REFERENCECODE must be one at most and have a value.", sourceSIP},
		{"SIP8", May, "mets/metsHdr/altRecordID[@TYPE='PREVIOUSREFERENCECODE']", "altRecordID PREVIOUSREFERENCECODE phải có nội dung.", "altRecordID PREVIOUSREFERENCECODE must have a value.", sourceSIP},
		{"SIP10", Must, "mets/metsHdr/agent/@ROLE", "Mỗi agent phải có ROLE.", "Every agent must have ROLE.", sourceSIP},
		{"SIP11", Must, "mets/metsHdr/agent/@TYPE", "Mỗi agent phải có TYPE: ORGANIZATION, INDIVIDUAL hoặc OTHER.", "Every agent must have TYPE: ORGANIZATION, INDIVIDUAL or OTHER.", sourceSIP},
		{"SIP15", Must, "mets/metsHdr/agent[@ROLE='CREATOR']", "SIP phải có agent của cơ quan hoặc người nộp, ROLE=\"CREATOR\", TYPE=\"ORGANIZATION\" hoặc \"INDIVIDUAL\".", "A SIP must have an agent for whoever submits it, ROLE=\"CREATOR\", TYPE=\"ORGANIZATION\" or \"INDIVIDUAL\".", sourceSIP},
		{"SIP20", Must, "mets/metsHdr/agent/note/@csip:NOTETYPE", "Note của agent là cơ quan phải có csip:NOTETYPE=\"IDENTIFICATIONCODE\".", "The note of an organization's agent must have csip:NOTETYPE=\"IDENTIFICATIONCODE\".", sourceSIP},
		{"SIP32", May, "mets/fileSec/fileGrp/file/@sip:FILEFORMATNAME", "sip:FILEFORMATNAME, nếu có, phải có nội dung.", "sip:FILEFORMATNAME, where it is there, must have a value.", sourceSIP},
		{"SIP33", May, "mets/fileSec/fileGrp/file/@sip:FILEFORMATVERSION", "sip:FILEFORMATVERSION, nếu có, phải có nội dung.", "sip:FILEFORMATVERSION, where it is there, must have a value.", sourceSIP},
		{"SIP34", May, "mets/fileSec/fileGrp/file/@sip:FILEFORMATREGISTRY", "sip:FILEFORMATREGISTRY, nếu có, phải có nội dung.", "sip:FILEFORMATREGISTRY, where it is there, must have a value.", sourceSIP},
		{"SIP35", May, "mets/fileSec/fileGrp/file/@sip:FILEFORMATKEY", "sip:FILEFORMATKEY, nếu có, phải có nội dung.", "sip:FILEFORMATKEY, where it is there, must have a value.", sourceSIP},
		{"DIP2", Must, "mets/@PROFILE", "METS của DIP phải có PROFILE https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml (2.2: E-ARK-DIP-v2-2-0.xml).", "METS of a DIP must have PROFILE https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml (2.2: E-ARK-DIP-v2-2-0.xml).", sourceDIP},
		{"DIP3", Must, "mets/metsHdr/@csip:OAISPACKAGETYPE", "METS của DIP phải có csip:OAISPACKAGETYPE=\"DIP\".", "METS of a DIP must have csip:OAISPACKAGETYPE=\"DIP\".", sourceDIP},
		{"DIP4", Should, "mets/dmdSec/@STATUS", "dmdSec của DIP nên có STATUS=\"CURRENT\".", "dmdSec of a DIP should have STATUS=\"CURRENT\".", sourceDIP},
	}
}

func circular() []Requirement {
	return []Requirement{
		{"TT05-OBJID", Should, "mets/@OBJID", "OBJID nên là uuid-{UUID} (SIP) hoặc urn:{mã phông}:uuid:{UUID} (AIP).", "OBJID should be uuid-{UUID} (SIP) or urn:{fonds}:uuid:{UUID} (AIP).", sourceTT05},
		{"TT05-EAD", Must, "/metadata/descriptive/EAD.xml", "Gói tin phải có metadata/descriptive/EAD.xml, gốc simpledc, với các trường bắt buộc của hồ sơ.", "The package must have metadata/descriptive/EAD.xml, root simpledc, with the mandatory fields of a dossier.", sourceTT05},
		{"TT05-EADDOC", Must, "/representations/*/metadata/descriptive/EAD_doc_*.xml", "Mỗi tài liệu phải có một EAD_doc_*.xml, gốc simpledc, với các trường bắt buộc của tài liệu.", "Every document must have an EAD_doc_*.xml, root simpledc, with the mandatory fields of a document.", sourceTT05},
		{"TT05-SHA256", Must, "@CHECKSUMTYPE", "Mã kiểm tra phải là SHA-256.", "Digests must be SHA-256.", sourceTT05},
		{"TT05-PREMIS", Must, "/metadata/preservation/PREMIS.xml", "AIP phải có PREMIS phiên bản 3 trong metadata/preservation; PREMIS của gói nào cũng phải đọc được.", "An AIP must have PREMIS 3 in metadata/preservation; PREMIS of any package must be readable.", sourceTT05},
		{"TT05-LISTED", Must, "/", "Mọi tệp của gói tin phải được METS nêu (trừ METS.xml của gói và chữ ký của nó).", "Every file of the package must be listed in METS (but the package's METS.xml and its signature).", sourceTT05},
	}
}
