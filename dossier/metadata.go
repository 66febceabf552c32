package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

const (
	metsPath        = "METS.xml"
	signaturePath   = "METS.xml.asc"
	eadPath         = "metadata/descriptive/EAD.xml"
	premisPath      = "metadata/preservation/PREMIS.xml"
	repPath         = "representations/rep1/"
	repMETSPath     = repPath + metsPath
	repPREMISPath   = repPath + "metadata/preservation/PREMIS_rep1.xml"
	dataPath        = repPath + "data/"
	declarationPath = "documentation/declaration.json"
	sumsPath        = "documentation/sha256sums.txt"

	xmlType  = "text/xml"
	metsNS   = "http://www.loc.gov/METS/"
	xlinkNS  = "http://www.w3.org/1999/xlink"
	xsiNS    = "http://www.w3.org/2001/XMLSchema-instance"
	csipNS   = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
	sipNS    = "https://DILCIS.eu/XML/METS/SIPExtensionMETS"
	premisNS = "http://www.loc.gov/premis/v3"

	softwareName  = "luutru"
	formatVersion = "1" // of docs/format.md; the package does not depend on the program's version
)

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
func (m *describer) id(kind, of string) string { return "uuid-" + m.uuid(kind, of) }

// file returns the ID of a file, which the circular begins differently.
func (m *describer) file(path string) string { return "ID-" + m.uuid("file", path) }

func (m *describer) uuid(kind, of string) string {
	sum := sha256.Sum256([]byte(m.objid + "\x00" + kind + "\x00" + of))
	sum[6], sum[8] = sum[6]&0x0F|0x80, sum[8]&0x3F|0x80
	h := strings.ToUpper(hex.EncodeToString(sum[:16]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// contents are the files that METS.xml lists, by what they are for.
type contents struct {
	schemas, documentation []file
	ead                    file
	premis                 []file // none or one
	representation         []file // METS.xml of the representation first
}

// rootMETS lists every file of an AIP but itself and its signature, so that one
// signature vouches for all. Of the representation an export lists METS.xml
// alone, as CSIP has it, which lists the rest.
func (m *describer) rootMETS(c contents) []byte {
	x := m.startMETS(m.objid, "", m.meta.profile(), 8<<10+len(c.representation)<<9)
	m.dmdSec(x, c.ead, "")
	m.amdSec(x, metsPath, c.premis, "")
	x.start("mets:fileSec", "ID", m.id("fileSec", metsPath))
	m.fileGrp(x, "Documentation", c.documentation, "")
	m.fileGrp(x, "Schemas", c.schemas, "")
	if m.meta.Kind != AIP {
		c.representation = c.representation[:1]
	}
	m.fileGrp(x, "Representations/rep1", c.representation, "")
	x.end()
	m.startMap(x, metsPath, m.objid)
	m.metadataDiv(x, "Metadata", []file{c.ead}, c.premis)
	m.groupDiv(x, "Documentation", "Documentation")
	m.groupDiv(x, "Schemas", "Schemas")
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
func (m *describer) repMETS(eadDocs, premis, documents []file) []byte {
	x := m.startMETS("rep1", "../../", profileCSIP, 4<<10+3*len(documents)<<9)
	for _, f := range eadDocs {
		m.dmdSec(x, f, repPath)
	}
	m.amdSec(x, repMETSPath, premis, repPath)
	x.start("mets:fileSec", "ID", m.id("fileSec", repMETSPath))
	m.fileGrp(x, "Data", documents, repPath, eadDocs...)
	x.end()
	m.startMap(x, repMETSPath, "rep1", "TYPE", "ORIGINAL")
	m.metadataDiv(x, "rep1/Metadata", eadDocs, premis)
	m.groupDiv(x, "Data", "Data")
	x.start("mets:div", "ID", m.id("div", "rep1/MetadataLink"), "LABEL", "MetadataLink")
	for i, f := range documents {
		x.start("mets:div", append([]string{"ID", m.id("link", f.path), "LABEL", "MetadataLink/File",
			"DMDID", m.id("dmdSec", eadDocs[i].path)}, m.admID(premis)...)...)
		x.empty("mets:fptr", "FILEID", m.file(f.path))
		x.end()
	}
	x.end()
	x.end()
	x.end()
	x.end()
	return x.Bytes()
}

// startMETS opens the root and writes the header; up leads to the top folder.
func (m *describer) startMETS(objid, up, profile string, about int) *xmlWriter {
	x := newXML(about)
	attributes := []string{"xmlns:mets", metsNS, "xmlns:xlink", xlinkNS, "xmlns:xsi", xsiNS, "xmlns:csip", csipNS}
	if m.meta.Kind == SIP {
		attributes = append(attributes, "xmlns:sip", sipNS)
	}
	x.start("mets:mets", append(attributes, "xsi:schemaLocation", m.meta.schemaLocation(up), "OBJID", objid, "LABEL", m.d.Title,
		"TYPE", "Mixed", "csip:CONTENTINFORMATIONTYPE", "MIXED", "PROFILE", profile)...)
	x.start("mets:metsHdr", "CREATEDATE", m.created, "LASTMODDATE", m.created, "RECORDSTATUS", "NEW",
		"csip:OAISPACKAGETYPE", string(m.meta.Kind))
	agent := func(name, note, noteType string, attributes ...string) {
		x.start("mets:agent", attributes...)
		x.text("mets:name", name)
		x.text("mets:note", note, "csip:NOTETYPE", noteType)
		x.end()
	}
	agent(softwareName, formatVersion, "SOFTWARE VERSION", "ROLE", "CREATOR", "TYPE", "OTHER", "OTHERTYPE", "SOFTWARE")
	if m.meta.Kind == SIP || up != "" { // of a SIP and of every representation an organisation is creator besides
		agent(m.d.AgencyName, m.meta.Fonds, "IDENTIFICATIONCODE", "ROLE", "CREATOR", "TYPE", "ORGANIZATION")
	}
	agent(m.d.AgencyName, m.d.Agency, "IDENTIFICATIONCODE", "ROLE", "EDITOR", "TYPE", "ORGANIZATION")
	agent(m.meta.Archive, m.meta.Fonds, "IDENTIFICATIONCODE", "ROLE", "ARCHIVIST", "TYPE", "ORGANIZATION")
	if m.meta.Kind == SIP {
		x.text("mets:altRecordID", m.meta.Agreement, "TYPE", "SUBMISSIONAGREEMENT")
	}
	x.end()
	return x
}

func (m *describer) startMap(x *xmlWriter, of, label string, attributes ...string) {
	x.start("mets:structMap", "ID", m.id("structMap", of), "TYPE", "PHYSICAL", "LABEL", "CSIP")
	x.start("mets:div", append([]string{"ID", m.id("root", of), "LABEL", label}, attributes...)...)
}

// metadataDiv points to descriptions and to PREMIS.
func (m *describer) metadataDiv(x *xmlWriter, of string, descriptions, premis []file) {
	ids := make([]string, len(descriptions))
	for i, f := range descriptions {
		ids[i] = m.id("dmdSec", f.path)
	}
	x.empty("mets:div", append([]string{"ID", m.id("div", of), "LABEL", "Metadata", "DMDID", strings.Join(ids, " ")},
		m.admID(premis)...)...)
}

func (m *describer) admID(premis []file) []string {
	if len(premis) == 0 {
		return nil
	}
	return []string{"ADMID", m.id("digiprovMD", premis[0].path)}
}

// groupDiv points to a group of files.
func (m *describer) groupDiv(x *xmlWriter, label, group string) {
	x.start("mets:div", "ID", m.id("div", label), "LABEL", label)
	x.empty("mets:fptr", "FILEID", m.id("fileGrp", group))
	x.end()
}

func (m *describer) dmdSec(x *xmlWriter, f file, base string) {
	x.start("mets:dmdSec", "ID", m.id("dmdSec", f.path), "CREATED", m.created, "STATUS", "CURRENT")
	m.mdRef(x, f, base, m.meta.mediaTypes().mdRef...)
	x.end()
}

// amdSec refers to PREMIS; in a SIP without it, it stays empty, as in the
// published sample.
func (m *describer) amdSec(x *xmlWriter, of string, premis []file, base string) {
	if len(premis) == 0 {
		x.empty("mets:amdSec", "ID", m.id("amdSec", of))
		return
	}
	x.start("mets:amdSec", "ID", m.id("amdSec", of))
	for _, f := range premis {
		x.start("mets:digiprovMD", "ID", m.id("digiprovMD", f.path), "STATUS", "CURRENT")
		m.mdRef(x, f, base, "MDTYPE", "PREMIS", "MDTYPEVERSION", "3.0")
		x.end()
	}
	x.end()
}

func (m *describer) mdRef(x *xmlWriter, f file, base string, kind ...string) {
	x.empty("mets:mdRef", slices.Concat([]string{"ID", m.id("mdRef", f.path), "LOCTYPE", "URL"}, kind,
		m.core(f), locator(f, base))...)
}

// fileGrp lists files; each is linked with its description where there are any.
func (m *describer) fileGrp(x *xmlWriter, use string, files []file, base string, descriptions ...file) {
	attributes := []string{"ID", m.id("fileGrp", use), "USE", use}
	if strings.HasPrefix(use, "Representations/") {
		attributes = append(attributes, "csip:CONTENTINFORMATIONTYPE", "MIXED")
	}
	x.start("mets:fileGrp", attributes...)
	for i, f := range files {
		attributes := slices.Concat([]string{"ID", m.file(f.path)}, m.core(f))
		if len(descriptions) > 0 {
			attributes = append(attributes, "DMDID", m.id("dmdSec", descriptions[i].path))
		}
		x.start("mets:file", attributes...)
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
