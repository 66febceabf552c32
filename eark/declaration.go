package eark

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/luutru/luutru/dossier"
)

const (
	maxDeclaration = 32 << 20
	maxEAD         = 1 << 20
	maxEADDoc      = 64 << 10
	maxDocuments   = 20000
)

// readDeclaration reads documentation/declaration.json, where there is one.
func (p *Package) readDeclaration() error {
	b, err := p.readFile(declarationPath, maxDeclaration)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, ErrPackage):
		p.misread = append(p.misread, problem("declaration.unreadable", "",
			"Không đọc được documentation/declaration.json trong gói tin (quá lớn hoặc hỏng); hãy tạo lại gói tin.",
			"documentation/declaration.json in the package cannot be read (too large, or damaged); make the package anew."))
		return nil
	case err != nil:
		return err
	}
	p.declared, err = dossier.ParseDeclaration(bytes.NewReader(b), dossier.Limits{Declaration: maxDeclaration, Documents: maxDocuments})
	var invalid *dossier.ValidationError
	if errors.As(err, &invalid) {
		p.misread = append(p.misread, invalid.Problems...)
		return nil
	}
	return err
}

func problem(code, field, vi, en string) dossier.Problem {
	return dossier.Problem{Code: code, Field: field, Vietnamese: vi, English: en}
}

// orderDocuments brings the documents into the order of the declaration; those
// that it does not know come last.
func (p *Package) orderDocuments() {
	if p.declared == nil {
		return
	}
	at := make(map[string]int, len(p.declared.Documents))
	for i, d := range p.declared.Documents {
		at[d.Name] = i - len(p.declared.Documents)
	}
	slices.SortStableFunc(p.documents, func(a, b Document) int { return cmp.Compare(at[a.Name], at[b.Name]) })
}

// Declaration returns the declaration of the dossier: documentation/declaration.json
// where the package holds one, and then everything that METS and EAD say must
// agree with it; else what METS, EAD.xml and EAD_doc_*.xml of Circular
// 05/2025/TT-BNV say, as far as that goes: the fields of the procedure, the
// applicant and the roles of documents are not in them, and the retention code of
// EAD is no retention class. The problems are those of reading; whether the
// declaration is complete is asked by [dossier.Declaration.Validate].
func (p *Package) Declaration() (*dossier.Declaration, []dossier.Problem) {
	described, problems := p.described()
	problems = append(slices.Clone(p.misread), problems...)
	if p.declared == nil {
		return described, problems
	}
	d := *p.declared
	d.Documents = slices.Clone(d.Documents)
	problems = append(problems, p.sameDocuments(&d)...)
	return &d, append(problems, p.agree(&d, described)...)
}

// described builds a declaration from METS and EAD.
func (p *Package) described() (*dossier.Declaration, []dossier.Problem) {
	var problems []dossier.Problem
	ead, _ := p.eadFile()
	if ead.field("requestID") != "" {
		ead = nil // a DIP describes the request here, not the dossier
	}
	if ead == nil && p.declared == nil {
		problems = append(problems, problem("ead.missing", "",
			"Gói tin không có metadata/descriptive/EAD.xml (gốc simpledc) đọc được, cũng không có documentation/declaration.json; hãy bổ sung một trong hai.",
			"The package has neither a readable metadata/descriptive/EAD.xml (root simpledc) nor documentation/declaration.json; add one of them."))
	}
	d := &dossier.Declaration{
		Code: cmp.Or(ead.field("fileCode"), ead.field("arcFileCode")), Title: ead.field("title"),
		Access: accessOf(ead.field("mode")), Language: languageOf(ead.field("language")),
		Begin: dayOf(ead.field("startDate")), End: dayOf(ead.field("endDate")), Note: ead.field("description"),
		Keywords: keywordsOf(ead.field("keyword")), Fonds: p.fonds(), InfoSign: ead.field("inforSign"),
		Condition: conditionOf(ead.field("format")), PaperCode: ead.field("paperFileCode"),
		Sheets: intOf(ead.field("numberOfPaper")), Backup: backupOf(ead),
	}
	d.Agency, d.AgencyName = p.agency()
	descriptions := p.descriptions()
	for i, doc := range p.documents[:min(len(p.documents), maxDocuments)] {
		n := p.readXML(descriptions[doc.Path], maxEADDoc)
		if n == nil && p.declared == nil {
			problems = append(problems, problem("ead_doc.missing", fmt.Sprintf("documents[%d]", i),
				"Tài liệu này không có EAD_doc_*.xml đọc được; hãy bổ sung.", "This document has no readable EAD_doc_*.xml; add it."))
		}
		d.Documents = append(d.Documents, documentOf(doc, n, d))
	}
	if total := ead.field("totalDoc"); total != "" && total != strconv.Itoa(len(p.documents)) {
		problems = append(problems, problem("documents.count", "documents",
			"totalDoc trong EAD.xml khác số tệp trong thư mục data; hãy kiểm tra thiếu, thừa tệp.",
			"totalDoc in EAD.xml is not the number of files in the data folders; look for missing or surplus files."))
	}
	return d, problems
}

// documentOf turns an EAD_doc into a document. What is as in the dossier is left
// to the dossier.
func documentOf(doc Document, n *node, of *dossier.Declaration) dossier.Document {
	d := dossier.Document{
		ID: n.field("docId"), Pages: intOf(n.field("numberOfPage")), Keywords: keywordsOf(n.field("keyword")),
		InfoSign: n.field("inforSign"), Autograph: n.field("autograph"), Condition: conditionOf(n.field("format")),
		Process: n.field("process") == "1" || strings.EqualFold(n.field("process"), "true"), Note: n.field("description"),
		Name: doc.Name, Size: doc.Size, SHA256: doc.SHA256, MediaType: doc.MediaType,
		Subject: n.field("subject"), Type: n.field("typeName"), Number: n.field("codeNumber"), Notation: n.field("codeNotation"),
		Issued: dayOf(n.field("issuedDate")), Issuer: n.field("organName"),
	}
	switch n.field("confidenceLevel") {
	case "01":
		d.Origin = "born_digital"
	case "02":
		d.Origin = "digitised"
	}
	if access := accessOf(n.field("mode")); access != of.Access {
		d.Access = access
	}
	if n.field("language") != "" && languageOf(n.field("language")) != of.Language {
		d.Language = languageOf(n.field("language"))
	}
	if backup := backupOf(n); backup != of.Backup {
		d.Backup = backup
	}
	return d
}

// intOf reads a count; what is none counts as not stated.
func intOf(s string) int {
	if !isNumber(s) {
		return 0
	}
	n, _ := strconv.Atoi(s)
	return n
}

func conditionOf(code string) string {
	switch code {
	case "01":
		return "good"
	case "02":
		return "normal"
	case "03":
		return "damaged"
	}
	return ""
}

func backupOf(n *node) string {
	switch n.field("riskRecovery") {
	case "1", "true":
	default:
		return ""
	}
	if n.field("riskRecoveryStatus") == "01" {
		return "done"
	}
	return "pending"
}

// field returns the text of a field of simpledc, whatever the case of its name.
func (n *node) field(name string) string {
	if n != nil {
		for _, k := range n.kids {
			if strings.EqualFold(k.name, name) {
				return k.text
			}
		}
	}
	return ""
}

// dayOf turns 24/11/2026 into 2026-11-24; what has another form stays, for the
// validation to refuse.
func dayOf(s string) string {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || len(parts[2]) != 4 || len(parts[0]) > 2 || len(parts[1]) > 2 {
		return s
	}
	for i := range parts[:2] {
		if len(parts[i]) == 1 {
			parts[i] = "0" + parts[i]
		}
	}
	return parts[2] + "-" + parts[1] + "-" + parts[0]
}

func accessOf(mode string) string {
	switch mode {
	case "01":
		return "open"
	case "02":
		return "conditional"
	case "03":
		return "secret"
	}
	return ""
}

// languageOf names the codes of the circular; 11 stands for any other.
func languageOf(code string) string {
	names := []string{"vi", "en", "fr", "ru", "zh", "vi,en", "vi,ru", "vi,fr", "lzh", "vi,zh"}
	if code == "" {
		return names[0]
	}
	if n := intOf(code); n >= 1 && n <= len(names) {
		return names[n-1]
	}
	return "mul"
}

func keywordsOf(s string) (list []string) {
	for k := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' }) {
		if k = strings.TrimFunc(k, unicode.IsSpace); k != "" {
			list = append(list, k)
		}
	}
	return list
}

// fonds returns the fonds code in urn:{fonds}:uuid:{UUID}.
func (p *Package) fonds() string {
	rest, ok := strings.CutPrefix(p.ID(), "urn:")
	if !ok {
		return ""
	}
	code, _, _ := strings.Cut(rest, ":uuid:")
	return code
}

// agency returns identifier and name of the organization that made the dossier:
// of the agents that have an identification code, the creator, then an editor,
// then any other but the archive.
func (p *Package) agency() (id, name string) {
	for _, role := range []string{"CREATOR", "EDITOR", "IPOWNER", "CUSTODIAN", "OTHER"} {
		for _, a := range p.root.header().children("agent") {
			if a.attr("ROLE") != role || a.attr("TYPE") != "ORGANIZATION" {
				continue
			}
			for _, n := range a.children("note") {
				if n.attr("csip:NOTETYPE") == "IDENTIFICATIONCODE" && a.child("name") != nil {
					return n.text, a.child("name").text
				}
			}
		}
	}
	return "", ""
}

// eadFile finds the description of the dossier and its path: EAD.xml where it
// should lie, else what the package's METS refers to.
func (p *Package) eadFile() (*node, string) {
	const usual = "metadata/descriptive/EAD.xml"
	paths := []string{usual}
	if p.root != nil {
		for _, s := range p.root.children("dmdSec") {
			for _, r := range s.children("mdRef") {
				if at, ok := p.resolve(p.root, r.attr("xlink:href")); ok && len(paths) < 10 && strings.HasPrefix(at, "metadata/") {
					paths = append(paths, at)
				}
			}
		}
	}
	for _, at := range paths {
		if n := p.readXML(at, maxEAD); n != nil && strings.EqualFold(n.name, "simpledc") {
			return n, at
		}
	}
	return nil, usual
}

// descriptions maps documents to the paths of their EAD_doc: as the structural
// map or the file section links them, else in the order of their numbers.
func (p *Package) descriptions() map[string]string {
	of := make(map[string]string)
	for _, m := range p.allMETS() {
		p.linked(m, of)
	}
	var rest []string
	taken := make(map[string]bool)
	for _, at := range of {
		taken[at] = true
	}
	for _, f := range p.files.list() {
		name := strings.ToLower(path.Base(f.path))
		if strings.HasPrefix(f.path, repFolder) && strings.HasPrefix(name, "ead_doc") && strings.HasSuffix(name, ".xml") && !taken[f.path] {
			rest = append(rest, f.path)
		}
	}
	slices.SortStableFunc(rest, func(a, b string) int {
		return cmp.Or(cmp.Compare(path.Dir(a), path.Dir(b)), cmp.Compare(numberIn(path.Base(a)), numberIn(path.Base(b))))
	})
	for _, d := range p.documents {
		if of[d.Path] == "" && len(rest) > 0 {
			of[d.Path], rest = rest[0], rest[1:]
		}
	}
	return of
}

// numberIn returns the last number in a file's name.
func numberIn(name string) int {
	name = strings.TrimSuffix(strings.ToLower(name), ".xml")
	i := len(name)
	for i > 0 && name[i-1] >= '0' && name[i-1] <= '9' {
		i--
	}
	n, _ := strconv.Atoi(name[i:])
	return n
}

// linked adds what one METS file links: a division or a file that names both.
func (p *Package) linked(m *mets, of map[string]string) {
	descriptions, files := make(map[string]string), make(map[string]string)
	for _, s := range m.children("dmdSec") {
		for _, r := range s.children("mdRef") {
			if at, ok := p.resolve(m, r.attr("xlink:href")); ok && strings.HasPrefix(strings.ToLower(path.Base(at)), "ead_doc") {
				descriptions[s.attr("ID")] = at
			}
		}
	}
	link := func(n *node, documents ...string) {
		for id := range strings.FieldsSeq(n.attr("DMDID")) {
			for _, at := range documents {
				if to := descriptions[id]; to != "" && at != "" && of[at] == "" {
					of[at] = to
				}
			}
		}
	}
	for _, f := range m.find("file") {
		if l := f.child("FLocat"); l != nil {
			if at, ok := p.resolve(m, l.attr("xlink:href")); ok && dataPart(at) != "" {
				files[f.attr("ID")] = at
				link(f, at)
			}
		}
	}
	for _, d := range m.find("div") {
		if pointers := d.children("fptr"); len(pointers) == 1 {
			link(d, files[pointers[0].attr("FILEID")])
		}
	}
}
