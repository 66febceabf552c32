package eark

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/luutru/luutru/dossier"
	"golang.org/x/text/unicode/norm"
)

// sameDocuments holds the declaration to the files of the package and to METS.
func (p *Package) sameDocuments(d *dossier.Declaration) (problems []dossier.Problem) {
	declared := make(map[string]bool, len(d.Documents))
	for i := range d.Documents {
		doc, field := &d.Documents[i], fmt.Sprintf("documents[%d]", i)
		declared[doc.Name] = true
		at, ok := p.byName[doc.Name]
		if !ok {
			problems = append(problems, problem("document.absent", field,
				"Tệp đã khai không có trong thư mục data của gói tin; hãy bổ sung.",
				"The declared file is not in the package's data folders; add it."))
			continue
		}
		held := p.documents[at]
		if held.Size != doc.Size {
			problems = append(problems, problem("document.size_mismatch", field+".size",
				"Dung lượng tệp khác dung lượng đã khai; hãy kiểm tra tệp và gửi lại.",
				"The file's size is not the one declared; check the file and push again."))
		}
		if held.SHA256 != "" && held.SHA256 != doc.SHA256 {
			problems = append(problems, problem("document.digest_mismatch", field+".sha256",
				"SHA-256 trong METS khác SHA-256 đã khai; hãy tạo lại gói tin.",
				"METS and the declaration state different SHA-256; make the package anew."))
		}
	}
	for _, doc := range p.documents {
		if !declared[doc.Name] {
			return append(problems, problem("document.undeclared", "documents",
				"Thư mục data có tệp không có trong bản khai; hãy khai hoặc bỏ tệp đó.",
				"A file in the data folders is not in the declaration; declare it or take it out."))
		}
	}
	return problems
}

// agree holds the declaration to what EAD says. What either leaves open is not
// compared, nor what EAD holds in another form (shortened keywords, the archive's
// own code, a date that stands in for a missing one).
func (p *Package) agree(d, ead *dossier.Declaration) (problems []dossier.Problem) {
	compare := func(field, declared, described string) {
		if declared != "" && described != "" && plain(declared) != plain(described) {
			problems = append(problems, problem("declaration.disagrees", field,
				"declaration.json và EAD khác nhau ở trường này; hãy sửa cho khớp.",
				"declaration.json and EAD differ about this field; make them agree."))
		}
	}
	if n, _ := p.eadFile(); n.field("fileCode") != "" {
		compare("code", dossier.CanonicalCode(d.Agency, d.Code), dossier.CanonicalCode(d.Agency, n.field("fileCode")))
	}
	compare("title", d.Title, ead.Title)
	compare("access", d.Access, ead.Access)
	if ead.Language != "mul" {
		compare("language", languages(d.Language), languages(ead.Language))
	}
	compare("begin", d.Begin, ead.Begin)
	compare("end", d.End, ead.End)
	if d.Begin == "" {
		compare("received", d.Received, ead.Begin)
	}
	if d.End == "" {
		compare("closed", d.Closed, ead.End)
	}
	compare("note", d.Note, ead.Note)
	described := make(map[string]*dossier.Document, len(ead.Documents))
	for i := range ead.Documents {
		described[ead.Documents[i].Name] = &ead.Documents[i]
	}
	for i := range d.Documents {
		doc, field := &d.Documents[i], fmt.Sprintf("documents[%d].", i)
		other := described[doc.Name]
		if other == nil {
			continue
		}
		compare(field+"subject", doc.Subject, other.Subject)
		compare(field+"type", doc.Type, other.Type)
		compare(field+"number", doc.Number, other.Number)
		compare(field+"notation", doc.Notation, other.Notation)
		compare(field+"issued", doc.Issued, other.Issued)
		compare(field+"issuer", doc.Issuer, other.Issuer)
		compare(field+"origin", doc.Origin, other.Origin)
		compare(field+"media_type", doc.MediaType, other.MediaType)
	}
	return problems
}

// plain is a text without what XML and forms change in it: white space, and how
// letters are composed.
func plain(s string) string {
	return strings.Join(strings.Fields(norm.NFC.String(s)), " ")
}

// languages brings "vie, eng" and "en,vi" to one form.
func languages(list string) string {
	var codes []string
	for l := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		for _, pair := range []string{"vievi", "engen", "frafr", "rusru", "zhozh"} {
			if l == pair[:3] {
				l = pair[3:]
			}
		}
		codes = append(codes, l)
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), ",")
}

// A mandatory field of the circular, with its form. Where it has two names, the
// kinds of package differ.
type mandatory struct {
	names []string
	fits  func(string) bool
}

// one makes a field of the names that the kinds of package have for it.
func one(fits func(string) bool, names ...string) mandatory { return mandatory{names, fits} }

// eadFields are the mandatory fields of a dossier, or of the request that a DIP
// answers.
func eadFields(kind string) []mandatory {
	if kind == "DIP" {
		return []mandatory{one(upTo(100), "requestID"), one(isDay, "requestDate"), one(code(3), "purpose")}
	}
	return []mandatory{
		one(upTo(100), "fileCode", "arcFileCode"), one(upTo(1000), "title"), one(code(7), "maintenance"), one(code(3), "mode"),
		one(code(11), "language"), one(isDay, "startDate"), one(isDay, "endDate"), one(isNumber, "totalDoc"),
		one(isNumber, "numberOfPaper"), one(isNumber, "numberOfPage"), one(isFlag, "riskRecovery"),
	}
}

// eadDocFields are the mandatory fields of a document that all kinds have, and
// those of one kind.
func eadDocFields(kind string) []mandatory {
	list := []mandatory{
		one(upTo(25), "docId", "docOrdinal"), one(upTo(100), "docCode", "arcDocCode"), one(code(32), "typeName"),
		one(isDay, "issuedDate"), one(upTo(500), "subject"), one(code(11), "language"), one(isNumber, "numberOfPage"), one(code(3), "mode"),
	}
	if kind != "DIP" {
		list = append(list, one(upTo(200), "organName"))
	}
	if kind != "AIP" {
		list = append(list, one(isFlag, "riskRecovery"))
	}
	return list
}

func upTo(most int) func(string) bool {
	return func(s string) bool { return s != "" && len([]rune(s)) <= most }
}

// code takes 01 to most.
func code(most int) func(string) bool {
	return func(s string) bool {
		return len(s) == 2 && isNumber(s) && s != "00" && int(s[0]-'0')*10+int(s[1]-'0') <= most
	}
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 9 && strings.Trim(s, "0123456789") == ""
}

func isFlag(s string) bool {
	switch strings.ToLower(s) {
	case "0", "1", "true", "false":
		return true
	}
	return false
}

func isDay(s string) bool {
	day := dayOf(s)
	return len(day) == 10 && day != s && isNumber(day[:4]) && isNumber(day[5:7]) && isNumber(day[8:]) && day[5:7] <= "12" && day[8:] <= "31"
}

// ead asks for the mandatory fields of EAD.xml and of every EAD_doc.
func (c *checker) ead() {
	kind := c.p.Kind()
	n, at := c.p.eadFile()
	c.ask("TT05-EAD", file("/"+at), n != nil)
	if n != nil {
		c.fields("TT05-EAD", at, n, eadFields(kind))
	}
	descriptions := c.p.descriptions()
	for _, d := range c.p.documents {
		at := descriptions[d.Path]
		n := c.p.readXML(at, maxEADDoc)
		ok := n != nil && strings.EqualFold(n.name, "simpledc")
		c.ask("TT05-EADDOC", file("/"+d.Path), ok)
		if ok {
			c.fields("TT05-EADDOC", at, n, eadDocFields(kind))
		}
	}
}

func (c *checker) fields(rule, at string, n *node, fields []mandatory) {
	for _, f := range fields {
		value := ""
		for _, name := range f.names {
			value = cmp.Or(value, n.field(name))
		}
		c.ask(rule, file("/"+at+" "+f.names[0]), f.fits(value))
	}
}
