package dossier

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind of a package (OAIS, Circular 05/2025/TT-BNV).
type Kind string

// Kinds of packages. An AIP is what the archive keeps, under appendix I of the
// circular, and the only one that [OpenPackage] opens. A SIP hands the dossier
// over to another archive (appendix III), a DIP hands it out (appendix V); both
// are made from an archived dossier, and read by package eark.
const (
	AIP Kind = "AIP"
	SIP Kind = "SIP"
	DIP Kind = "DIP"
)

// PackageMeta is what the archive adds to a declaration.
type PackageMeta struct {
	Kind        Kind      // AIP where empty
	UUID        string    // of the package
	Archive     string    // name of the archive
	Fonds       string    // fonds code; where empty, the declaration's, else the agency
	ArchiveCode string    // mã lưu trữ hồ sơ; where empty, or too long for the circular (92 characters), the dossier code
	Retention   string    // 01 permanent, 02 70 years, … 06 10 years, 07 other
	Created     time.Time // stands in the metadata and as time of every file

	// Agreement is the code under which a SIP was registered with the archive
	// that gets it; where empty, the dossier code, as in the published sample.
	Agreement string

	// Request is what a DIP answers.
	Request Request

	// Preservation puts PREMIS into a SIP, where the circular has none. An AIP
	// and a DIP always have it.
	Preservation bool

	// Sign returns the armored detached signature over METS.xml. An AIP must
	// have one; a SIP or DIP has METS.xml.asc only if this is set.
	Sign func(mets []byte) ([]byte, error)

	SignatureSize int // room for the signature; 8 KiB where 0

	// EventSpace is the room for the events of Close, some 900 octets each and
	// their details; where 0, 8 KiB and 6 KiB for each document, up to 32 MiB.
	EventSpace int
}

// Request is the request for use that a DIP answers, in the 7 fields of
// appendix V. Empty fields are left empty, but for those that must be there.
type Request struct {
	ID      string // where empty, the UUID of the package
	Date    string // 2026-11-24; where empty, the day of the package
	Purpose string // 01 private (where empty), 02 duty, 03 special duty
	Content string // what for
	Fee     string // 01 to 10: class of the reader for fees
	Topic   string // of research
	Note    string
}

const (
	profileCSIP = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"
	profileDIP  = "https://earkdip.dilcis.eu/profile/E-ARK-DIP.xml"
	schemasPath = "schemas/"
)

// complete fills in defaults and checks what ends up in names and headers.
func (m *PackageMeta) complete(d *Declaration) error {
	m.Kind = cmp.Or(m.Kind, AIP)
	m.Preservation = m.Preservation || m.Kind != SIP
	m.UUID = strings.ToUpper(m.UUID)
	m.Fonds = cmp.Or(m.Fonds, d.Fonds, canonicalAgency(d.Agency))
	if m.ArchiveCode == "" || utf8.RuneCountInString(m.ArchiveCode) > maxCode {
		m.ArchiveCode = d.Code
	}
	m.Agreement = cmp.Or(m.Agreement, d.Code)
	if m.Sign != nil {
		m.SignatureSize = cmp.Or(m.SignatureSize, 8<<10)
	}
	m.EventSpace = cmp.Or(m.EventSpace, 8<<10+min(6<<10*len(d.Documents), 32<<20))
	m.Request.ID = cmp.Or(m.Request.ID, m.UUID)
	m.Request.Date = cmp.Or(m.Request.Date, m.Created.In(vietnam()).Format(dateLayout))
	m.Request.Purpose = cmp.Or(m.Request.Purpose, "01")
	return m.check()
}

func (m *PackageMeta) check() error {
	year := m.Created.In(vietnam()).Year()
	switch {
	case m.Kind != AIP && m.Kind != SIP && m.Kind != DIP:
		return errors.New("kind is not AIP, SIP or DIP")
	case !isUUID(m.UUID):
		return errors.New("not a UUID")
	case m.Archive == "":
		return errors.New("no name of the archive")
	case !isFonds(m.Fonds):
		return errors.New("fonds code is not fit for a name")
	case !isCode(m.Retention, 1, 7):
		return errors.New("retention code is not one of 01 to 07")
	case year < 1980 || year > 2107:
		return errors.New("time of creation cannot be written in a ZIP")
	case m.Sign == nil && m.Kind == AIP:
		return errors.New("no signer")
	case min(m.SignatureSize, m.EventSpace) < 0 || m.Sign != nil && m.SignatureSize == 0:
		return errors.New("no room for signature or events")
	case m.Kind == DIP && (!isCode(m.Request.Purpose, 1, 3) || m.Request.Fee != "" && !isCode(m.Request.Fee, 1, 10)):
		return errors.New("purpose or fee class of the request is not one of the circular's")
	}
	return nil
}

// isCode takes two digits between first and last.
func isCode(s string, first, last int) bool {
	return len(s) == 2 && isDigits(s) && s >= fmt.Sprintf("%02d", first) && s <= fmt.Sprintf("%02d", last)
}

func isUUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(s) != 36 || len(parts) != 5 {
		return false
	}
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789ABCDEF") != "" {
			return false
		}
	}
	return true
}

// objid returns OBJID and the name of the top folder.
func (m *PackageMeta) objid() (objid, top string) {
	if m.Kind == AIP {
		objid = "urn:" + m.Fonds + ":uuid:" + m.UUID
		return objid, strings.ReplaceAll(objid, ":", "_")
	}
	objid = "uuid-" + m.UUID
	return objid, objid
}

// mediaTypes are those of the metadata. A SIP follows the published sample, the
// others the wording of the circular.
type mediaTypes struct {
	xml, schema string
	mdRef       []string // MDTYPE and what belongs to it, of EAD
}

func (m *PackageMeta) mediaTypes() mediaTypes {
	if m.Kind == SIP {
		return mediaTypes{"application/xml", "application/octet-stream", []string{"MDTYPE", "DC", "MDTYPEVERSION", "1.0.0"}}
	}
	return mediaTypes{xmlType, xmlType, []string{"MDTYPE", "OTHER", "OTHERMDTYPE", "EAD", "MDTYPEVERSION", "1.0"}}
}

// schemaLocation returns the value of xsi:schemaLocation for METS, seen from a
// file that lies up folders below the top folder.
func (m *PackageMeta) schemaLocation(up string) string {
	locations := []string{
		metsNS, "mets1_12.xsd", xlinkNS, "xlink.xsd", csipNS, "DILCISExtensionMETS.xsd",
	}
	if m.Kind == SIP {
		locations = append(locations, sipNS, "DILCISExtensionSIPMETS.xsd")
	}
	for i := 1; i < len(locations); i += 2 {
		locations[i] = up + schemasPath + locations[i]
	}
	return strings.Join(locations, " ")
}

// profile returns the METS profile of the root; representations follow CSIP.
func (m *PackageMeta) profile() string {
	if m.Kind == DIP {
		return profileDIP
	}
	return profileCSIP
}
