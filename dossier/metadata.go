package dossier

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	metsPath        = "METS.xml"
	signaturePath   = "METS.xml.asc"
	eadPath         = "metadata/descriptive/EAD.xml"
	premisPath      = "metadata/preservation/PREMIS.xml"
	repPath         = "representations/rep1/"
	repMETSPath     = repPath + metsPath
	dataPath        = repPath + "data/"
	declarationPath = "documentation/declaration.json"
	sumsPath        = "documentation/sha256sums.txt"

	xmlType    = "text/xml"
	metsNS     = "http://www.loc.gov/METS/"
	xlinkNS    = "http://www.w3.org/1999/xlink"
	xsiNS      = "http://www.w3.org/2001/XMLSchema-instance"
	csipNS     = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
	premisNS   = "http://www.loc.gov/premis/v3"
	csip       = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
	metsSchema = metsNS + " http://www.loc.gov/standards/mets/mets.xsd " +
		xlinkNS + " http://www.loc.gov/standards/xlink/xlink.xsd " +
		csipNS + " https://earkcsip.dilcis.eu/schema/DILCISExtensionMETS.xsd"

	softwareName  = "luutru"
	formatVersion = "1" // of docs/format.md; the package does not depend on the program's version
)

// Event is something that happened to the dossier up to its packaging (PREMIS
// event). Types are those of PREMIS: ingestion, validation, virus check.
type Event struct {
	Type     string
	Time     time.Time
	Agent    string // who or what did it; the program where empty
	Outcome  string // success, failure, warning
	Detail   string // may be empty
	Document string // name of the one document it is about; the whole dossier where empty
}

// A file is one file of the package and what METS says about it.
type file struct {
	path, mediaType, digest string
	size                    int64
	content                 []byte // nil for documents, which are not held
}

func newFile(path, mediaType string, content []byte) file {
	sum := sha256.Sum256(content)
	return file{path, mediaType, hex.EncodeToString(sum[:]), int64(len(content)), content}
}

// A describer writes the metadata files. Everything it writes follows from the
// declaration and the meta, and so is the same whenever it is written.
type describer struct {
	d       *Declaration
	meta    PackageMeta
	objid   string
	created string
}

// id derives an identifier that is unique in the package and always the same.
// Its form is that of a UUID of version 8.
func (m *describer) id(kind, of string) string {
	sum := sha256.Sum256([]byte(m.objid + "\x00" + kind + "\x00" + of))
	sum[6], sum[8] = sum[6]&0x0F|0x80, sum[8]&0x3F|0x80
	h := strings.ToUpper(hex.EncodeToString(sum[:16]))
	return "uuid-" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (m *describer) file(path string) string { return m.id("file", path) }

// ead describes the dossier in the 18 fields of the circular.
func (m *describer) ead() []byte {
	pages, sheets, digitised := 0, 0, 0
	for _, doc := range m.d.Documents {
		pages += doc.Pages
		if doc.Origin == "digitised" {
			digitised++
			sheets += doc.Pages
		}
	}
	confidence, paper := "03", m.d.Code
	switch digitised {
	case 0:
		confidence, paper = "01", ""
	case len(m.d.Documents):
		confidence = "02"
	}
	x := newXML()
	x.start("simpledc")
	x.text("arcFileCode", m.meta.ArchiveCode)
	x.text("title", m.d.Title)
	x.text("maintenance", m.meta.Retention)
	x.text("mode", modeCode(m.d.Access))
	x.text("language", languageCode(m.d.Language))
	x.text("startDate", circularDate(m.d.begin()))
	x.text("endDate", circularDate(m.d.end()))
	x.text("keyword", joinWithin(m.d.Keywords, maxKeyword))
	x.text("totalDoc", strconv.Itoa(len(m.d.Documents)))
	x.text("numberOfPaper", strconv.Itoa(sheets))
	x.text("numberOfPage", strconv.Itoa(pages))
	x.text("format", "")
	x.text("inforSign", "")
	x.text("confidenceLevel", confidence)
	x.text("paperFileCode", paper)
	x.text("riskRecovery", "0")
	x.text("riskRecoveryStatus", "")
	x.text("description", m.d.Note)
	x.end()
	return x.Bytes()
}

// eadDoc describes a document in the 19 fields of the circular.
func (m *describer) eadDoc(i int) []byte {
	doc := &m.d.Documents[i]
	ordinal := fmt.Sprintf("%07d", i+1)
	// A paper of the applicant without a date counts from the day it was handed in.
	issued, issuer := cmp.Or(doc.Issued, m.d.Received), cmp.Or(doc.Issuer, "Người nộp hồ sơ")
	confidence, process := "01", "0"
	if doc.Origin == "digitised" {
		confidence = "02"
	}
	if doc.Role != "submitted" && len(m.d.Opinions) > 0 {
		process = "1" // the opinions are in declaration.json
	}
	x := newXML()
	x.start("simpledc")
	x.text("docId", ordinal)
	x.text("arcDocCode", m.meta.ArchiveCode+"."+ordinal)
	x.text("typeName", doc.Type)
	x.text("codeNumber", doc.Number)
	x.text("codeNotation", doc.Notation)
	x.text("issuedDate", circularDate(issued))
	x.text("organName", issuer)
	x.text("subject", doc.Subject)
	x.text("language", languageCode(m.d.Language))
	x.text("numberOfPage", strconv.Itoa(doc.Pages))
	x.text("inforSign", "")
	x.text("keyword", "")
	x.text("mode", modeCode(m.d.Access))
	x.text("confidenceLevel", confidence)
	x.text("autograph", "")
	x.text("format", "")
	x.text("process", process)
	x.text("riskRecovery", "0")
	x.text("description", "")
	x.end()
	return x.Bytes()
}

// premis describes package, representation and documents, and what happened to
// them.
func (m *describer) premis(documents []file, events []Event) []byte {
	x := newXML()
	x.start("premis:premis", "xmlns:premis", premisNS, "xmlns:xsi", xsiNS,
		"xsi:schemaLocation", premisNS+" http://www.loc.gov/standards/premis/premis.xsd", "version", "3.0")
	m.premisObject(x, "premis:intellectualEntity", m.objid)
	x.end()
	m.premisObject(x, "premis:representation", m.file(repMETSPath))
	premisPartOf(x, m.objid)
	x.end()
	for _, f := range documents {
		m.premisFile(x, f)
	}
	agents := []string{softwareName}
	for i, e := range events {
		e.Agent = cmp.Or(e.Agent, softwareName)
		if !slices.Contains(agents, e.Agent) {
			agents = append(agents, e.Agent)
		}
		m.premisEvent(x, i, e)
	}
	for _, a := range agents {
		x.start("premis:agent")
		premisIdentifier(x, "agent", "LOCAL", a)
		x.text("premis:agentName", a)
		if a == softwareName {
			x.text("premis:agentType", "software")
		}
		x.end()
	}
	x.end()
	return x.Bytes()
}

// premisObject opens an object; the caller ends it.
func (m *describer) premisObject(x *xmlWriter, kind, id string) {
	x.start("premis:object", "xsi:type", kind)
	premisIdentifier(x, "object", "LOCAL", id)
}

func (m *describer) premisFile(x *xmlWriter, f file) {
	m.premisObject(x, "premis:file", m.file(f.path))
	x.start("premis:objectCharacteristics")
	x.text("premis:compositionLevel", "0")
	x.start("premis:fixity")
	x.text("premis:messageDigestAlgorithm", "SHA-256")
	x.text("premis:messageDigest", f.digest)
	x.end()
	x.text("premis:size", strconv.FormatInt(f.size, 10))
	x.start("premis:format")
	x.start("premis:formatDesignation")
	x.text("premis:formatName", f.mediaType)
	x.end()
	x.end()
	x.end()
	x.text("premis:originalName", strings.TrimPrefix(f.path, dataPath))
	premisPartOf(x, m.file(repMETSPath))
	x.end()
}

func (m *describer) premisEvent(x *xmlWriter, i int, e Event) {
	about := m.objid
	if e.Document != "" {
		about = m.file(dataPath + e.Document)
	}
	x.start("premis:event")
	premisIdentifier(x, "event", "UUID", strings.TrimPrefix(m.id("event", strconv.Itoa(i)), "uuid-"))
	x.text("premis:eventType", e.Type)
	x.text("premis:eventDateTime", circularTime(e.Time))
	if e.Detail != "" {
		x.start("premis:eventDetailInformation")
		x.text("premis:eventDetail", e.Detail)
		x.end()
	}
	x.start("premis:eventOutcomeInformation")
	x.text("premis:eventOutcome", e.Outcome)
	x.end()
	premisIdentifier(x, "linkingAgent", "LOCAL", e.Agent)
	premisIdentifier(x, "linkingObject", "LOCAL", about)
	x.end()
}

func premisIdentifier(x *xmlWriter, of, kind, value string) {
	x.start("premis:" + of + "Identifier")
	x.text("premis:"+of+"IdentifierType", kind)
	x.text("premis:"+of+"IdentifierValue", value)
	x.end()
}

func premisPartOf(x *xmlWriter, whole string) {
	x.start("premis:relationship")
	x.text("premis:relationshipType", "structural")
	x.text("premis:relationshipSubType", "is part of")
	premisIdentifier(x, "relatedObject", "LOCAL", whole)
	x.end()
}

// rootMETS lists every file of the package but itself and its signature.
func (m *describer) rootMETS(ead, premis file, documentation, representation []file) []byte {
	x := m.startMETS(m.objid, m.d.Title)
	m.dmdSec(x, ead, "")
	x.start("mets:amdSec", "ID", m.id("amdSec", premis.path))
	x.start("mets:digiprovMD", "ID", m.id("digiprovMD", premis.path), "STATUS", "CURRENT")
	m.mdRef(x, premis, "", "MDTYPE", "PREMIS")
	x.end()
	x.end()
	x.start("mets:fileSec", "ID", m.id("fileSec", metsPath))
	m.fileGrp(x, "Documentation", documentation, "")
	m.fileGrp(x, "Representations/rep1", representation, "")
	x.end()
	m.startMap(x, metsPath, m.objid)
	x.empty("mets:div", "ID", m.id("div", "Metadata"), "LABEL", "Metadata",
		"DMDID", m.id("dmdSec", ead.path), "ADMID", m.id("digiprovMD", premis.path))
	x.start("mets:div", "ID", m.id("div", "Documentation"), "LABEL", "Documentation")
	x.empty("mets:fptr", "FILEID", m.id("fileGrp", "Documentation"))
	x.end()
	x.start("mets:div", "ID", m.id("div", "rep1"), "LABEL", "Representations/rep1")
	x.empty("mets:mptr", "LOCTYPE", "URL", "xlink:type", "simple", "xlink:href", repMETSPath,
		"xlink:title", m.id("fileGrp", "Representations/rep1"))
	x.end()
	x.end()
	x.end()
	x.end()
	return x.Bytes()
}

// repMETS lists the documents and links each with its description. Paths are
// relative to the representation.
func (m *describer) repMETS(eadDocs, documents []file) []byte {
	x := m.startMETS(m.file(repMETSPath), m.d.Title)
	for _, f := range eadDocs {
		m.dmdSec(x, f, repPath)
	}
	x.start("mets:fileSec", "ID", m.id("fileSec", repMETSPath))
	m.fileGrp(x, "Data", documents, repPath)
	x.end()
	m.startMap(x, repMETSPath, "rep1")
	x.start("mets:div", "ID", m.id("div", "rep1/Metadata"), "LABEL", "Metadata",
		"DMDID", m.dmdIDs(eadDocs))
	x.end()
	x.start("mets:div", "ID", m.id("div", "rep1/Data"), "LABEL", "Data")
	x.empty("mets:fptr", "FILEID", m.id("fileGrp", "Data"))
	x.end()
	x.start("mets:div", "ID", m.id("div", "rep1/MetadataLink"), "LABEL", "MetadataLink")
	for i, f := range documents {
		x.start("mets:div", "ID", m.id("link", f.path), "LABEL", "MetadataLink/File",
			"DMDID", m.id("dmdSec", eadDocs[i].path))
		x.empty("mets:fptr", "FILEID", m.file(f.path))
		x.end()
	}
	x.end()
	x.end()
	x.end()
	x.end()
	return x.Bytes()
}

func (m *describer) dmdIDs(files []file) string {
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = m.id("dmdSec", f.path)
	}
	return strings.Join(ids, " ")
}

func (m *describer) startMETS(objid, label string) *xmlWriter {
	x := newXML()
	x.start("mets:mets", "xmlns:mets", metsNS, "xmlns:xlink", xlinkNS, "xmlns:xsi", xsiNS, "xmlns:csip", csipNS,
		"xsi:schemaLocation", metsSchema, "OBJID", objid, "LABEL", label,
		"TYPE", "Mixed", "csip:CONTENTINFORMATIONTYPE", "MIXED", "PROFILE", csip)
	x.start("mets:metsHdr", "CREATEDATE", m.created, "RECORDSTATUS", "NEW", "csip:OAISPACKAGETYPE", "AIP")
	agent := func(name, note, noteType string, attributes ...string) {
		x.start("mets:agent", attributes...)
		x.text("mets:name", name)
		x.text("mets:note", note, "csip:NOTETYPE", noteType)
		x.end()
	}
	agent(softwareName, formatVersion, "SOFTWARE VERSION", "ROLE", "CREATOR", "TYPE", "OTHER", "OTHERTYPE", "SOFTWARE")
	agent(m.d.AgencyName, m.d.Agency, "IDENTIFICATIONCODE", "ROLE", "EDITOR", "TYPE", "ORGANIZATION")
	agent(m.meta.Archive, m.meta.Fonds, "IDENTIFICATIONCODE", "ROLE", "ARCHIVIST", "TYPE", "ORGANIZATION")
	x.end()
	return x
}

func (m *describer) startMap(x *xmlWriter, of, label string) {
	x.start("mets:structMap", "ID", m.id("structMap", of), "TYPE", "PHYSICAL", "LABEL", "CSIP")
	x.start("mets:div", "ID", m.id("root", of), "LABEL", label)
}

func (m *describer) dmdSec(x *xmlWriter, f file, base string) {
	x.start("mets:dmdSec", "ID", m.id("dmdSec", f.path), "CREATED", m.created, "STATUS", "CURRENT")
	m.mdRef(x, f, base, "MDTYPE", "OTHER", "OTHERMDTYPE", "EAD", "MDTYPEVERSION", "1.0")
	x.end()
}

func (m *describer) mdRef(x *xmlWriter, f file, base string, kind ...string) {
	x.empty("mets:mdRef", slices.Concat([]string{"ID", m.id("mdRef", f.path), "LOCTYPE", "URL"}, kind,
		m.core(f), locator(f, base))...)
}

func (m *describer) fileGrp(x *xmlWriter, use string, files []file, base string) {
	x.start("mets:fileGrp", "ID", m.id("fileGrp", use), "USE", use)
	for _, f := range files {
		x.start("mets:file", slices.Concat([]string{"ID", m.file(f.path)}, m.core(f))...)
		x.empty("mets:FLocat", slices.Concat([]string{"LOCTYPE", "URL"}, locator(f, base))...)
		x.end()
	}
	x.end()
}

func (m *describer) core(f file) []string {
	return []string{"MIMETYPE", f.mediaType, "SIZE", strconv.FormatInt(f.size, 10), "CREATED", m.created,
		"CHECKSUM", f.digest, "CHECKSUMTYPE", "SHA-256"}
}

func locator(f file, base string) []string {
	return []string{"xlink:type", "simple", "xlink:href", escapeHref(strings.TrimPrefix(f.path, base))}
}

func circularTime(t time.Time) string {
	return t.In(vietnam()).Format("2006-01-02T15:04:05-07:00")
}

// circularDate turns 2026-11-24 into 24/11/2026.
func circularDate(day string) string {
	if len(day) != len(dateLayout) {
		return day
	}
	return day[8:] + "/" + day[5:7] + "/" + day[:4]
}

func modeCode(access string) string {
	if access == "open" {
		return "01"
	}
	return "02"
}

func languageCode(language string) string {
	switch language {
	case "", "vi", "vie":
		return "01"
	case "en", "eng":
		return "02"
	case "fr", "fra":
		return "03"
	case "ru", "rus":
		return "04"
	case "zh", "zho":
		return "05"
	}
	return "11"
}

// joinWithin joins as many whole words as fit.
func joinWithin(words []string, most int) string {
	joined := ""
	for _, w := range words {
		next := w
		if joined != "" {
			next = joined + "; " + w
		}
		if utf8.RuneCountInString(next) > most {
			break
		}
		joined = next
	}
	return joined
}
