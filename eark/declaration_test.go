package eark_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// TestDescribed reads the declaration from METS and EAD alone, as a system that
// follows the circular and knows nothing of this archive writes them.
func TestDescribed(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	delete(files, "documentation/declaration.json")
	p := open(t, repack(t, name+"/", order, files))
	got, problems := p.Declaration()
	for _, pr := range problems {
		t.Errorf("%s at %s", pr.Code, pr.Field)
	}
	want := declare()
	if got.Code != want.Code || got.Title != want.Title || got.Access != want.Access || got.Language != "vi" || got.Agency != want.Agency ||
		got.AgencyName != want.AgencyName || got.Begin != want.Received || got.End != want.Closed || !slices.Equal(got.Keywords, want.Keywords) {
		t.Errorf("got %+v", got)
	}
	if len(got.Documents) != len(want.Documents) {
		t.Fatalf("%d documents", len(got.Documents))
	}
	for i, doc := range got.Documents {
		w := want.Documents[i]
		if doc.Name != w.Name || doc.Subject != w.Subject || doc.Type != w.Type || doc.Size != w.Size || doc.SHA256 != w.SHA256 ||
			doc.MediaType != w.MediaType || doc.Pages != w.Pages || doc.Origin != w.Origin || doc.Number != w.Number || doc.Role != "" {
			t.Errorf("document %d is %+v", i, doc)
		}
	}
	// What only the procedure knows is asked for, and nothing else.
	for _, pr := range got.Validate(now(), dossier.Limits{}) {
		if !slices.Contains([]string{"procedure", "procedure_name", "received", "closed", "outcome", "applicant.name"}, pr.Field) &&
			!strings.HasSuffix(pr.Field, ".role") {
			t.Errorf("%s at %s", pr.Code, pr.Field)
		}
	}
}

// TestUnlinked finds the EAD_doc of documents by their numbers where METS does
// not link them.
func TestUnlinked(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	delete(files, "documentation/declaration.json")
	files[rep] = bytes.ReplaceAll(files[rep], []byte(`DMDID="`), []byte(`OTHER="`))
	got, _ := open(t, repack(t, name+"/", order, files)).Declaration()
	for i, doc := range got.Documents {
		if doc.Subject != declare().Documents[i].Subject {
			t.Errorf("document %d has subject %q", i, doc.Subject)
		}
	}
}

// TestDisagreement makes declaration.json and EAD, or the files, say different
// things.
func TestDisagreement(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	const doc2 = "representations/rep1/metadata/descriptive/EAD_doc_2.xml"
	for _, c := range []struct{ file, old, new, code, field string }{
		{ead, "<title>", "<title>Khác ", "declaration.disagrees", "title"},
		{ead, "<mode>02", "<mode>01", "declaration.disagrees", "access"},
		{ead, "<fileCode>", "<fileCode>9", "declaration.disagrees", "code"},
		{ead, "<startDate>30/06/2026", "<startDate>29/06/2026", "declaration.disagrees", "received"},
		{ead, "<totalDoc>3", "<totalDoc>4", "documents.count", "documents"},
		{doc2, "<subject>", "<subject>x", "declaration.disagrees", "documents[1].subject"},
		{doc2, "<confidenceLevel>02", "<confidenceLevel>01", "declaration.disagrees", "documents[1].origin"},
		{"documentation/declaration.json", `"size":40001`, `"size":40002`, "document.size_mismatch", "documents[1].size"},
		{"documentation/declaration.json", `"sha256":"`, `"sha256":"0`, "document.digest_mismatch", "documents[0].sha256"},
		{"documentation/declaration.json", `"name":"Trích lục.pdf"`, `"name":"Khác.pdf"`, "document.absent", "documents[2]"},
		{"documentation/declaration.json", `"name":"Trích lục.pdf"`, `"name":"Khác.pdf"`, "document.undeclared", "documents"},
		{"documentation/declaration.json", `{"access"`, `{"x":1,"access"`, "field.unknown", "x"},
		{"documentation/declaration.json", `{"access"`, `["access"`, "declaration.syntax", ""},
	} {
		files := clone(files)
		before := files[c.file]
		files[c.file] = bytes.Replace(before, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(before, files[c.file]) {
			t.Errorf("%s does not hold %s", c.file, c.old)
			continue
		}
		_, problems := open(t, repack(t, name+"/", order, files)).Declaration()
		if !slices.ContainsFunc(problems, func(p dossier.Problem) bool {
			return p.Code == c.code && p.Field == c.field && p.Vietnamese != "" && p.English != ""
		}) {
			t.Errorf("%s → %s: %v", c.old, c.new, problems)
		}
	}
}

// TestForeign reads a package laid out by others: one METS, other names, no
// EAD_doc, EAD found through METS.
func TestForeign(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	delete(files, "documentation/declaration.json")
	delete(files, rep)
	files["metadata/descriptive/mota.xml"] = files[ead]
	delete(files, ead)
	files[root] = bytes.ReplaceAll(files[root], []byte(ead), []byte("metadata/descriptive/mota.xml"))
	p := open(t, repack(t, name+"/", append(order, "metadata/descriptive/mota.xml"), files))
	d, _ := p.Declaration()
	if d.Title != declare().Title || len(d.Documents) != 3 {
		t.Errorf("title %q, %d documents", d.Title, len(d.Documents))
	}
	if p.Documents()[0].SHA256 == "" {
		t.Logf("the digest stands in METS of the representation only, which is gone")
	}
}
