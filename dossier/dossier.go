// Package dossier is the model of a closed electronic dossier of an
// administrative procedure: its declaration as a source system pushes it, what
// must be right about it, its canonical code, and the package that keeps it
// (OAIS: AIP), a ZIP in the layout of Circular 05/2025/TT-BNV (E-ARK CSIP).
// docs/format.md, sections 3 and 4, is normative for the bytes.
//
// # Taking in
//
// [ParseDeclaration] and [Declaration.Validate] list everything that is wrong
// at once, in Vietnamese and English, and never repeat a personal value.
// [NewPlan] then fixes the whole layout of the package: its exact size is known
// before the first document arrives. A [Writer] checks size and digest of each
// document while its bytes pass, holds none of them, and writes the metadata
// last.
//
// # Reading
//
// [OpenPackage] needs the digest of METS.xml from outside the package. From
// there on every file is known by size and digest, and every document can be
// read with one ranged read.
//
// The package does not look into documents, does not sign, encrypt or store,
// and knows no retention rule.
package dossier

import (
	"cmp"
	"fmt"

	"github.com/luutru/luutru/internal/jcs"
)

// Declaration is what a source system says about a closed dossier when it
// pushes it: the 18 fields of a dossier of Circular 05/2025/TT-BNV, as far as
// they do not follow from the documents, and what the procedure adds. Dates are
// written 2026-11-24.
type Declaration struct {
	Code          string `json:"code"`   // mã hồ sơ, as the source system writes it
	Agency        string `json:"agency"` // electronic identifier of who settled it, H29.68
	AgencyName    string `json:"agency_name"`
	Receiver      string `json:"receiver,omitempty"` // identifier of who received it, where that is another agency
	ReceiverName  string `json:"receiver_name,omitempty"`
	Level         string `json:"level,omitempty"` // central, province, district (until June 2025), commune
	Fonds         string `json:"fonds,omitempty"`
	Procedure     string `json:"procedure"` // 1.001193
	ProcedureName string `json:"procedure_name"`
	LegalBasis    string `json:"legal_basis,omitempty"` // the version of the procedure that was followed: number and date of the decision that published it
	Sector        string `json:"sector,omitempty"`
	SectorCode    string `json:"sector_code,omitempty"`
	Title         string `json:"title"`
	Class         string `json:"class,omitempty"`      // retention class
	Access        string `json:"access"`               // open, conditional; secret is refused
	Language      string `json:"language,omitempty"`   // vi where nothing is said; several with commas, "vi,en"
	InfoSign      string `json:"info_sign,omitempty"`  // ký hiệu thông tin
	Condition     string `json:"condition,omitempty"`  // of the paper: good, normal, damaged
	PaperCode     string `json:"paper_code,omitempty"` // of the paper dossier that was digitised
	Sheets        int    `json:"sheets,omitempty"`     // of paper; the pages of what was digitised where nothing is said
	Backup        string `json:"backup,omitempty"`     // back-up copy (chế độ dự phòng): done, pending; none is kept where nothing is said

	Received  string `json:"received"`
	Accepted  string `json:"accepted,omitempty"` // as complete, for handling
	Due       string `json:"due,omitempty"`      // as promised to the applicant
	Settled   string `json:"settled,omitempty"`
	Delivered string `json:"delivered,omitempty"` // the result, to the applicant
	Closed    string `json:"closed"`
	Begin     string `json:"begin,omitempty"` // Received where nothing is said
	End       string `json:"end,omitempty"`   // Closed where nothing is said

	Outcome      string `json:"outcome"` // granted, refused, stopped, withdrawn
	ResultNumber string `json:"result_number,omitempty"`
	ResultDate   string `json:"result_date,omitempty"`
	ResultSigner string `json:"result_signer,omitempty"`
	Channel      string `json:"channel,omitempty"` // online, direct, post

	Applicant Person     `json:"applicant"`
	Subjects  []Person   `json:"subjects,omitempty"` // whom the case is about, beside the applicant
	Keywords  []string   `json:"keywords,omitempty"`
	Group     string     `json:"group,omitempty"` // code of the interconnected group it belongs to
	Links     []Link     `json:"links,omitempty"`
	Opinions  []Opinion  `json:"opinions,omitempty"`
	Note      string     `json:"note,omitempty"`
	Documents []Document `json:"documents"`
}

// Person is the applicant or a subject of a dossier: a citizen or a body.
type Person struct {
	Name       string `json:"name"`
	PersonalID string `json:"personal_id,omitempty"` // 12 digits, or the old 9
	TaxCode    string `json:"tax_code,omitempty"`    // 10, 12 or 13 digits
	Birth      string `json:"birth,omitempty"`       // 1990 or 1990-04-30
	Sex        string `json:"sex,omitempty"`         // male, female
	Address    string `json:"address,omitempty"`
}

// Link names another dossier that this one belongs with.
type Link struct {
	Code   string `json:"code"`             // as its own system writes it
	Agency string `json:"agency,omitempty"` // who settled it, where that is another agency
	Kind   string `json:"kind"`             // parent, child, sibling, previous, next, related
}

// Opinion is what somebody who handled the case wrote in the source system.
type Opinion struct {
	By   string `json:"by"`
	Time string `json:"time"` // RFC 3339
	Text string `json:"text"`
}

// Document is one file of the dossier, declared before its bytes arrive, with
// the 21 fields of a document of Circular 05/2025/TT-BNV as far as they do not
// follow from the dossier.
type Document struct {
	Name      string   `json:"name"`         // file name
	ID        string   `json:"id,omitempty"` // identifier in the source system
	Subject   string   `json:"subject"`      // trích yếu
	Type      string   `json:"type"`         // 01 to 32 of the circular
	Number    string   `json:"number,omitempty"`
	Notation  string   `json:"notation,omitempty"`
	Issued    string   `json:"issued,omitempty"`    // may be absent for papers of the applicant
	Issuer    string   `json:"issuer,omitempty"`    // likewise
	Role      string   `json:"role"`                // submitted, processing, result
	Component string   `json:"component,omitempty"` // code of the component in the procedure's list
	Copy      string   `json:"copy,omitempty"`      // original, certified_copy, copy, extract
	Origin    string   `json:"origin"`              // born_digital, digitised
	MediaType string   `json:"media_type"`
	Size      int64    `json:"size"`
	SHA256    string   `json:"sha256"`
	Pages     int      `json:"pages,omitempty"`
	Class     string   `json:"class,omitempty"`    // retention class, where it differs from the dossier's
	Access    string   `json:"access,omitempty"`   // as of the dossier where nothing is said
	Language  string   `json:"language,omitempty"` // likewise
	Keywords  []string `json:"keywords,omitempty"`
	InfoSign  string   `json:"info_sign,omitempty"`
	Autograph string   `json:"autograph,omitempty"` // handwritten notes on it (bút tích)
	Condition string   `json:"condition,omitempty"` // of the paper: good, normal, damaged
	Process   bool     `json:"process,omitempty"`   // its course of handling (quy trình xử lý) is in the dossier
	Backup    string   `json:"backup,omitempty"`    // done, pending; as of the dossier where nothing is said
	Note      string   `json:"note,omitempty"`
}

// Limits bound what is taken in. The zero value of a field stands for its
// default.
type Limits struct {
	Declaration int64 // octets of the JSON; 4 MiB
	Document    int64 // octets of one document; 10 GiB
	Dossier     int64 // octets of all documents; 50 GiB
	Documents   int   // how many; 2000, and never more than 20000
}

const hardDocuments = 20000 // what a reader is ready to hold in memory

func (l Limits) withDefaults() Limits {
	if l.Declaration <= 0 {
		l.Declaration = 4 << 20
	}
	if l.Document <= 0 {
		l.Document = 10 << 30
	}
	if l.Dossier <= 0 {
		l.Dossier = 50 << 30
	}
	if l.Documents <= 0 {
		l.Documents = 2000
	}
	// JSON numbers are exact up to 2^53.
	l.Document = min(l.Document, 1<<53-1)
	l.Documents = min(l.Documents, hardDocuments)
	return l
}

// Canonical returns the canonical JSON (RFC 8785) of the declaration: the same
// bytes however the source system ordered and spaced it.
func (d *Declaration) Canonical() ([]byte, error) {
	b, err := jcs.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("declaration: %w", err)
	}
	return b, nil
}

func (d *Declaration) begin() string { return cmp.Or(d.Begin, d.Received) }

func (d *Declaration) end() string { return cmp.Or(d.End, d.Closed) }
