package intake

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/luutru/luutru/dossier"
)

// ErrPolicy: a policy that cannot be used. It wraps a *dossier.ValidationError
// that lists every problem.
var ErrPolicy = errors.New("intake policy")

// Policy says what is asked of dossiers at the door. It is data: the archive
// keeps each version, signed, and says in every seal which one was in force.
type Policy struct {
	// Version counts up; 0 is the one that comes with the program.
	Version int `json:"version"`
	// Actions says what to do about findings, by code; the rule's default where
	// nothing is said.
	Actions map[string]Action `json:"actions,omitempty"`
	// Producers overrides Actions for single producers, by subject.
	Producers map[string]map[string]Action `json:"producers,omitempty"`
	// LateDays is how many days after its closing a dossier must have been
	// submitted.
	LateDays int `json:"late_days"`
	// Formats lists what may be archived: media types, and PRONOM identifiers
	// such as fmt/95. Empty: everything.
	Formats []string `json:"formats,omitempty"`
	// Components lists what dossiers of a procedure must hold; "*" is every
	// procedure.
	Components map[string][]Component `json:"components,omitempty"`
	// Trust is who may vouch for signatures.
	Trust Trust `json:"trust"`
	// Scanner is where clamd listens: unix:/run/clamav/clamd.ctl or
	// tcp:127.0.0.1:3310. Empty: there is none, and nothing is scanned.
	Scanner string `json:"scanner,omitempty"`
}

// Component is one part that a dossier must hold (thành phần hồ sơ).
type Component struct {
	Name     string   `json:"name"`               // what the decision that publishes the procedure calls it
	Code     string   `json:"code,omitempty"`     // its code there, as documents give it; empty: told by role and type
	Role     string   `json:"role"`               // submitted, processing, result
	Types    []string `json:"types,omitempty"`    // any of these types of documents, 01 to 32; empty: any
	Outcomes []string `json:"outcomes,omitempty"` // only where the case ended so; empty: always
	Copies   int      `json:"copies,omitempty"`   // how many documents at least; 0: one
}

// Trust holds certificates in PEM.
type Trust struct {
	CAs  []string `json:"cas,omitempty"`  // of signers: the state's own authority, and licensed public ones
	TSAs []string `json:"tsas,omitempty"` // of time-stamps
	CRLs []string `json:"crls,omitempty"` // revocation lists, beside those in the documents
}

// Default returns the policy that comes with the program.
func Default() *Policy {
	return &Policy{
		LateDays: 60,
		Formats: []string{
			"application/pdf", "image/jpeg", "image/png", "image/tiff", "video/mp4", "video/x-msvideo", "video/x-ms-wmv", "audio/mpeg", "audio/x-ms-wma",
			"text/plain", "text/csv", "application/rtf", "text/rtf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
			"application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/vnd.oasis.opendocument.text",
			"application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.presentation",
			"application/xml", "text/xml", "application/json", "text/html", "message/rfc822",
			"application/pkcs7-signature", "application/pkcs7-mime", "application/x-pkcs7-signature", "application/x-pkcs7-mime",
		},
		Components: map[string][]Component{
			"*": {
				{Name: "Giấy tờ do người nộp gửi, hoặc bản số hóa", Role: "submitted"},
				{Name: "Kết quả giải quyết", Role: "result", Outcomes: []string{"granted"}},
			},
		},
	}
}

const maxPolicy = 8 << 20

// Parse reads a policy from JSON, strictly: a slip would let in what should
// stay out. The error wraps ErrPolicy and lists every problem.
func Parse(data []byte) (*Policy, error) {
	if len(data) > maxPolicy {
		return nil, refuse([]dossier.Problem{problem("policy.size", "", "Chính sách dài quá 8 MiB.", "The policy is longer than 8 MiB.")})
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	p := new(Policy)
	err := d.Decode(p)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("something follows the policy")
		}
	}
	if err != nil {
		return nil, refuse([]dossier.Problem{problem("policy.json", "",
			"Không đọc được tệp chính sách: "+err.Error()+".", "The policy cannot be read: "+err.Error()+".")})
	}
	if found := p.Check(); len(found) > 0 {
		return nil, refuse(found)
	}
	return p, nil
}

// Encode returns the policy's JSON, from which Parse makes the same policy.
func (p *Policy) Encode() ([]byte, error) {
	if found := p.Check(); len(found) > 0 {
		return nil, refuse(found)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return b.Bytes(), err
}

func refuse(found []dossier.Problem) error {
	return fmt.Errorf("%w: %w", ErrPolicy, &dossier.ValidationError{Problems: found})
}

func problem(code, field, vietnamese, english string) dossier.Problem {
	return dossier.Problem{Code: code, Field: field, Vietnamese: vietnamese, English: english}
}

// Check returns everything that is wrong with the policy.
func (p *Policy) Check() []dossier.Problem {
	var found []dossier.Problem
	add := func(code, field, vietnamese, english string) {
		found = append(found, problem(code, field, vietnamese, english))
	}
	if p.Version < 0 {
		add("policy.version", "version", "Số phiên bản không được âm.", "The version must not be negative.")
	}
	if p.LateDays < 1 || p.LateDays > 3660 {
		add("policy.late_days", "late_days", "Số ngày phải từ 1 đến 3660.", "The number of days must be 1 to 3660.")
	}
	checkActions("actions", p.Actions, add)
	for _, subject := range slices.Sorted(maps.Keys(p.Producers)) {
		checkActions("producers."+subject, p.Producers[subject], add)
	}
	for i, f := range p.Formats {
		if family, rest, ok := strings.Cut(f, "/"); !ok || family == "" || rest == "" || strings.ContainsAny(f, " \t\n;") {
			add("policy.format", fmt.Sprintf("formats[%d]", i), "Phải là kiểu tệp như application/pdf hoặc mã PRONOM như fmt/95.",
				"It must be a media type such as application/pdf, or a PRONOM identifier such as fmt/95.")
		}
	}
	for _, procedure := range slices.Sorted(maps.Keys(p.Components)) {
		for i, c := range p.Components[procedure] {
			c.check(fmt.Sprintf("components.%s[%d]", procedure, i), add)
		}
	}
	checkPEM("trust.cas", "CERTIFICATE", p.Trust.CAs, add)
	checkPEM("trust.tsas", "CERTIFICATE", p.Trust.TSAs, add)
	checkPEM("trust.crls", "X509 CRL", p.Trust.CRLs, add)
	if kind, where, _ := strings.Cut(p.Scanner, ":"); p.Scanner != "" && (kind != "unix" && kind != "tcp" || where == "") {
		add("policy.scanner", "scanner", "Phải có dạng unix:/đường/dẫn hoặc tcp:máy:cổng.", "It must look like unix:/path or tcp:host:port.")
	}
	return found
}

type adder func(code, field, vietnamese, english string)

func checkActions(field string, actions map[string]Action, add adder) {
	for _, code := range slices.Sorted(maps.Keys(actions)) {
		if _, known := RuleOf(code); !known {
			add("policy.code", field+"."+code, "Không có quy tắc này; xem `luutru policy show`.", "There is no such rule; see `luutru policy show`.")
		}
		if !slices.Contains([]Action{Reject, Wait, Warn, Record}, actions[code]) {
			add("policy.action", field+"."+code, "Phải là reject, wait, warn hoặc record.", "It must be reject, wait, warn or record.")
		}
	}
}

func (c *Component) check(field string, add adder) {
	if c.Name == "" {
		add("policy.component", field+".name", "Thiếu tên thành phần.", "The component has no name.")
	}
	if !slices.Contains([]string{"submitted", "processing", "result"}, c.Role) {
		add("policy.component", field+".role", "Phải là submitted, processing hoặc result.", "It must be submitted, processing or result.")
	}
	if c.Copies < 0 {
		add("policy.component", field+".copies", "Số bản không được âm.", "The number of copies must not be negative.")
	}
}

func checkPEM(field, kind string, blocks []string, add adder) {
	for i, text := range blocks {
		block, rest := pem.Decode([]byte(text))
		ok := block != nil && block.Type == kind && len(bytes.TrimSpace(rest)) == 0
		if ok && kind == "CERTIFICATE" {
			_, err := x509.ParseCertificate(block.Bytes)
			ok = err == nil
		} else if ok {
			_, err := x509.ParseRevocationList(block.Bytes)
			ok = err == nil
		}
		if !ok {
			add("policy.pem", fmt.Sprintf("%s[%d]", field, i), "Phải là đúng một khối PEM "+kind+" đọc được.", "It must be exactly one readable PEM block "+kind+".")
		}
	}
}
