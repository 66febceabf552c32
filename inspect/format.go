package inspect

import (
	"io"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/luutru/luutru/inspect/pronom"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/extract"
)

// Media types that are told apart here.
const (
	typePDF  = "application/pdf"
	typeZIP  = "application/zip"
	typeDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typePPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	typeODT  = "application/vnd.oasis.opendocument.text"
	typeODS  = "application/vnd.oasis.opendocument.spreadsheet"
	typeODP  = "application/vnd.oasis.opendocument.presentation"
	typeXML  = "application/xml"
	typeJSON = "application/json"
	typeHTML = "text/html"
	typeText = "text/plain"
	typeCSV  = "text/csv"
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeTIFF = "image/tiff"
	typeOLE  = "application/x-ole-storage"
	typeRTF  = "application/rtf"
	typeAny  = "application/octet-stream"
)

// format identifies the document and compares it with what the declaration and the name say.
func (l *look) format() {
	r, size := l.r, l.size
	formats, err := l.i.formats.Identify(path.Base(l.doc.Name), r, size, l.xmp)
	who := l.i.formats.Agent()
	if err != nil {
		l.unreadable()
		return
	}
	if f := l.read(); formats[0].PUID == "" && f.PUID != "" {
		formats, who = []pronom.Format{f}, agent
	}
	f := formats[0]
	switch {
	case f.PUID == "" && isDetached(l.doc.Name) && l.der(): // PRONOM has no signature for it; whether it holds is told below
		l.add("format.identified", intake.Identification, intake.Pass, agent, "CMS (RFC 5652), DER")
	case f.PUID == "":
		l.add("format.unknown", intake.Identification, intake.Warning, who, "")
	default:
		l.add("format.identified", intake.Identification, intake.Pass, who, describe(formats))
	}
	is := l.identity(formats)
	for _, says := range l.said() {
		if !compatible(says, is) {
			l.add("format.mismatch", intake.Identification, intake.Failure, who, clip(says)+" ≠ "+is)
			break
		}
	}
	if len(l.i.permitted) > 0 && !l.permitted(formats, is) {
		l.add("format.not_permitted", intake.Identification, intake.Failure, who, describe(formats))
	}
}

// read is what a document without any mark was found to be by reading all of it.
func (l *look) read() pronom.Format {
	switch {
	case !l.sound:
	case l.media == typeXML:
		return pronom.Format{PUID: "fmt/101", Name: "Extensible Markup Language", MIME: typeXML, Basis: "well-formed"}
	case l.media == typeJSON:
		return pronom.Format{PUID: "fmt/817", Name: "JSON Data Interchange Format", MIME: typeJSON, Basis: "well-formed"}
	}
	return pronom.Format{}
}

// der tells whether the document begins as an ASN.1 sequence with a length in
// octets that follow, as every CMS message does.
func (l *look) der() bool {
	var head [2]byte
	_, err := l.r.ReadAt(head[:], 0)
	return (err == nil || err == io.EOF) && head[0] == 0x30 && head[1] >= 0x80 && head[1] <= 0x84
}

// describe is "fmt/354 Acrobat PDF/A - Portable Document Format 1b (byte match at 0, 8)".
func describe(formats []pronom.Format) string {
	var out []string
	for _, f := range formats {
		s := strings.TrimSpace(f.PUID + " " + f.Name + " " + f.Version)
		if f.Basis != "" {
			s += " (" + f.Basis + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// said lists what the declaration and the ending of the name say that the document is.
func (l *look) said() []string {
	declared := l.doc.MediaType
	if m, _, err := mime.ParseMediaType(declared); err == nil {
		declared = m
	}
	return slices.DeleteFunc([]string{strings.ToLower(declared), extract.ByExtension(l.doc.Name)}, func(s string) bool { return s == "" })
}

// identity is the media type by which a document is compared: that of the signatures where they are sure of an office document, else
// what the first bytes tell.
func (l *look) identity(formats []pronom.Format) string {
	for _, f := range formats {
		if m := officeType(f.PUID); m != "" && f.Sure && (l.media == typeZIP || l.main != "") {
			return m
		}
	}
	if l.main != "" {
		return l.main
	}
	return l.media
}

// permitted tells whether a format is on the list, by identifier or by media type.
func (l *look) permitted(formats []pronom.Format, is string) bool {
	if is == typeOLE || is == typeAny { // their kind is told by the signatures, or by nothing but the declaration
		is = ""
	}
	for _, f := range formats {
		if l.i.permitted[f.PUID] && f.PUID != "" {
			return true
		}
		for m := range strings.SplitSeq(f.MIME, ", ") {
			if m != "" && l.i.permitted[m] {
				return true
			}
		}
	}
	if is != "" {
		return l.i.permitted[is]
	}
	// what no signature knows is taken at its word, if nothing speaks against it
	return formats[0].PUID == "" && slices.ContainsFunc(l.said(), func(s string) bool { return l.i.permitted[s] })
}

// officeType is the media type of the office formats made of ZIP files, their later versions included.
func officeType(puid string) string {
	switch puid {
	case "fmt/412", "fmt/1827":
		return typeDOCX
	case "fmt/214", "fmt/1828":
		return typeXLSX
	case "fmt/215", "fmt/1829":
		return typePPTX
	case "fmt/136", "fmt/290", "fmt/291", "fmt/1756":
		return typeODT
	case "fmt/137", "fmt/294", "fmt/295", "fmt/1755":
		return typeODS
	case "fmt/138", "fmt/292", "fmt/293", "fmt/1754":
		return typeODP
	}
	return ""
}

// compatible tells whether a document that is one thing may be said to be another.
func compatible(says, is string) bool {
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
	switch {
	case says == is:
		return true
	case strings.HasSuffix(says, "+xml"):
		return is == typeXML || is == typeHTML
	case strings.HasSuffix(says, "+json"):
		return is == typeJSON
	case strings.HasPrefix(says, "text/"):
		return slices.Contains([]string{typeText, typeCSV, typeHTML, typeXML, typeJSON}, is)
	}
	return !known(says) && is != typePDF && !strings.HasPrefix(is, "image/")
}

// known tells whether documents of a type would be recognised.
func known(media string) bool {
	return slices.Contains([]string{typePDF, typeZIP, typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP, typeXML, typeJSON, typeHTML,
		typeText, typeCSV, typePNG, typeJPEG, typeTIFF, typeOLE, typeRTF}, media)
}

// clip shortens what came from outside.
func clip(s string) string {
	const most = 1000
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}
