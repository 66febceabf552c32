package dossier_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
)

func valid() *dossier.Declaration {
	contents, names := few()
	return declare(contents, names...)
}

// found returns "code field" of each problem.
func found(list []dossier.Problem) []string {
	var s []string
	for _, p := range list {
		s = append(s, p.Code+" "+p.Field)
	}
	return s
}

func TestValidDeclaration(t *testing.T) {
	if p := valid().Validate(now(), dossier.Limits{}); len(p) > 0 {
		t.Errorf("problems in a valid declaration: %v", found(p))
	}
}

func TestEveryProblem(t *testing.T) {
	type D = dossier.Declaration
	long := func(n int) string { return strings.Repeat("ư", n) }
	tests := []struct {
		name   string
		change func(*D)
		want   string
	}{
		{"code", func(d *D) { d.Code = " " }, "field.missing code"},
		{"code of dashes only is a code", func(d *D) { d.Code = "–" }, ""},
		{"long code", func(d *D) { d.Code = long(93) }, "field.too_long code"},
		{"longest code", func(d *D) { d.Code = long(92) }, ""},
		{"control in code", func(d *D) { d.Code = "a\x00b" }, "text.control code"},
		{"no agency", func(d *D) { d.Agency = "" }, "field.missing agency"},
		{"agency", func(d *D) { d.Agency = "UBND phường" }, "agency.shape agency"},
		{"agency path", func(d *D) { d.Agency = "H29..68" }, "agency.shape agency"},
		{"old agency", func(d *D) { d.Agency = "000.00.68.H29" }, ""},
		{"long agency", func(d *D) { d.Agency = "H29." + strings.Repeat("1", 32) }, "field.too_long agency"},
		{"agency name", func(d *D) { d.AgencyName = "" }, "field.missing agency_name"},
		{"fonds", func(d *D) { d.Fonds = "../x" }, "fonds.shape fonds"},
		{"procedure", func(d *D) { d.Procedure = "1001193" }, "procedure.shape procedure"},
		{"long procedure", func(d *D) { d.Procedure = "1.001193.000.00.00.H29" }, ""},
		{"procedure name", func(d *D) { d.ProcedureName = "" }, "field.missing procedure_name"},
		{"title", func(d *D) { d.Title = long(1001) }, "field.too_long title"},
		{"line feed in title", func(d *D) { d.Title = "a\nb" }, "text.control title"},
		{"line feed in note", func(d *D) { d.Note = "a\n\tb" }, ""},
		{"broken text", func(d *D) { d.Title = "h\uFFFD s\uFFFD" }, "text.control title"},
		{"text that turns round", func(d *D) { d.Title = "a\u202Eb" }, "text.control title"},
		{"access", func(d *D) { d.Access = "" }, "field.choice access"},
		{"secret", func(d *D) { d.Access = "secret" }, "access.secret access"},
		{"language", func(d *D) { d.Language = "Việt" }, "language.shape language"},
		{"no language", func(d *D) { d.Language = "" }, ""},
		{"outcome", func(d *D) { d.Outcome = "ok" }, "field.choice outcome"},
		{"channel", func(d *D) { d.Channel = "zalo" }, "field.choice channel"},
		{"no received", func(d *D) { d.Received = "" }, "field.missing received"},
		{"no such day", func(d *D) { d.Closed = "2026-02-30" }, "date.shape closed"},
		{"Vietnamese date", func(d *D) { d.Settled = "02/07/2026" }, "date.shape settled"},
		{"year 24", func(d *D) { d.Received = "0024-01-01" }, "date.shape received"},
		{"tomorrow", func(d *D) { d.Closed = "2026-11-25" }, "date.future closed"},
		{"closed before received", func(d *D) { d.Settled, d.Closed = "", "2026-06-29" }, "date.order closed"},
		{"settled before received", func(d *D) { d.Settled = "2026-06-01" }, "date.order settled"},
		{"end before begin", func(d *D) { d.Begin, d.End = "2026-07-02", "2026-07-01" }, "date.order end"},
		{"applicant", func(d *D) { d.Applicant.Name = "" }, "field.missing applicant.name"},
		{"ID length", func(d *D) { d.Applicant.PersonalID = "07919000123" }, "person.id_shape applicant.personal_id"},
		{"ID letters", func(d *D) { d.Applicant.PersonalID = "07919000123x" }, "person.id_shape applicant.personal_id"},
		{"old ID", func(d *D) { d.Applicant.PersonalID = "024681357" }, ""},
		{"ID province 000", func(d *D) { d.Applicant.PersonalID = "000190001234" }, "person.id_province applicant.personal_id"},
		{"ID province 097", func(d *D) { d.Applicant.PersonalID = "097190001234" }, "person.id_province applicant.personal_id"},
		{"ID of another year", func(d *D) { d.Applicant.PersonalID = "079191001234" }, "person.id_birth applicant.personal_id"},
		{"ID of another century", func(d *D) { d.Applicant.PersonalID = "079290001234" }, "person.id_birth applicant.personal_id"},
		{"ID of the future", func(d *D) { d.Subjects[0].PersonalID = "079327001234" }, "person.id_birth subjects[0].personal_id"},
		{"ID of a child, year alone", func(d *D) { d.Subjects[0].PersonalID, d.Subjects[0].Birth = "079326001234", "2026" }, ""},
		{"birth", func(d *D) { d.Applicant.PersonalID, d.Applicant.Birth = "", "1990-13-01" }, "date.shape applicant.birth"},
		{"birth year", func(d *D) { d.Applicant.PersonalID, d.Applicant.Birth = "", "2027" }, "date.shape applicant.birth"},
		{"tax code", func(d *D) { d.Applicant.TaxCode = "0301" }, "person.tax_code applicant.tax_code"},
		{"tax code of a branch", func(d *D) { d.Applicant.TaxCode = "0301234567-001" }, ""},
		{"keyword", func(d *D) { d.Keywords[1] = long(101) }, "field.too_long keywords[1]"},
		{"opinion author", func(d *D) { d.Opinions[0].By = "" }, "field.missing opinions[0].by"},
		{"opinion time", func(d *D) { d.Opinions[0].Time = "hôm qua" }, "time.shape opinions[0].time"},
		{"no opinion time", func(d *D) { d.Opinions[0].Time = "" }, "field.missing opinions[0].time"},
		{"opinion of tomorrow", func(d *D) { d.Opinions[0].Time = "2026-11-24T17:00:00Z" }, "date.future opinions[0].time"},
		{"opinion of tonight", func(d *D) { d.Opinions[0].Time = "2026-11-24T16:59:59Z" }, ""},
		{"receiver", func(d *D) { d.Receiver = "một cửa" }, "agency.shape receiver"},
		{"receiver of the old style", func(d *D) { d.Receiver = "000.00.01.H29" }, ""},
		{"level", func(d *D) { d.Level = "xã" }, "field.choice level"},
		{"district of before", func(d *D) { d.Level = "district" }, ""},
		{"condition", func(d *D) { d.Condition = "01" }, "field.choice condition"},
		{"backup", func(d *D) { d.Backup = "yes" }, "field.choice backup"},
		{"sheets", func(d *D) { d.Sheets = -1 }, "document.pages sheets"},
		{"information sign", func(d *D) { d.InfoSign = long(31) }, "field.too_long info_sign"},
		{"paper code", func(d *D) { d.PaperCode = long(101) }, "field.too_long paper_code"},
		{"legal basis", func(d *D) { d.LegalBasis = long(501) }, "field.too_long legal_basis"},
		{"signer", func(d *D) { d.ResultSigner = "a\u202Eb" }, "text.control result_signer"},
		{"two languages", func(d *D) { d.Language = "vi,en" }, ""},
		{"language behind a comma", func(d *D) { d.Language = "vi," }, "language.shape language"},
		{"too many languages", func(d *D) { d.Language = "vi,en,fr,ru,zh,km" }, "language.shape language"},
		{"due in the future", func(d *D) { d.Due = "2027-01-01" }, ""},
		{"due before received", func(d *D) { d.Due = "2026-06-01" }, "date.order due"},
		{"accepted before received", func(d *D) { d.Accepted = "2026-06-01" }, "date.order accepted"},
		{"accepted after settled", func(d *D) { d.Accepted = "2026-07-03" }, "date.order settled"},
		{"delivered before settled", func(d *D) { d.Delivered = "2026-07-01" }, "date.order delivered"},
		{"delivered after closed", func(d *D) { d.Delivered = "2026-08-01" }, ""},
		{"delivered tomorrow", func(d *D) { d.Delivered = "2026-11-25" }, "date.future delivered"},
		{"result before received", func(d *D) { d.ResultDate = "2026-06-01" }, "date.order result_date"},
		{"sex", func(d *D) { d.Applicant.Sex = "Nữ" }, "field.choice applicant.sex"},
		{"sex and ID", func(d *D) { d.Applicant.Sex = "male" }, ";person.id_sex applicant.personal_id"},
		{"sex and ID agree", func(d *D) { d.Applicant.Sex = "female" }, ""},
		{"sex and old ID", func(d *D) { d.Applicant.Sex, d.Applicant.PersonalID = "male", "024681357" }, ""},
		{"ID province that never was", func(d *D) { d.Applicant.PersonalID = "003190001234" }, "person.id_province applicant.personal_id"},
		{"ID of a province merged in 2025", func(d *D) { d.Applicant.PersonalID = "074190001234" }, ""},
		{"ID of birth abroad", func(d *D) { d.Applicant.PersonalID = "136190001234" }, ""},
		{"link without code", func(d *D) { d.Links = []dossier.Link{{Kind: "child"}} }, "field.missing links[0].code"},
		{"link without kind", func(d *D) { d.Links = []dossier.Link{{Code: "H29.68-260630-0002"}} }, "field.choice links[0].kind"},
		{"link to an agency", func(d *D) { d.Links = []dossier.Link{{Code: "1", Agency: "x", Kind: "child"}} }, "agency.shape links[0].agency"},
		{"link to itself", func(d *D) { d.Links = []dossier.Link{{Code: "000.00.68.H29-260630-0001", Kind: "parent"}} }, "link.repeated links[0].code"},
		{"link twice", func(d *D) {
			d.Links = []dossier.Link{{Code: "G01.29-1", Agency: "G01.29", Kind: "child"}, {Code: "g01.29-1", Agency: "G01.29", Kind: "related"}}
		}, "link.repeated links[1].code"},
		{"secret document", func(d *D) { d.Documents[1].Access = "secret" }, "access.secret documents[1].access"},
		{"access of a document", func(d *D) { d.Documents[1].Access = "mật" }, "field.choice documents[1].access"},
		{"open document", func(d *D) { d.Documents[1].Access = "open" }, ""},
		{"document identifier", func(d *D) { d.Documents[0].ID = long(26) }, "field.too_long documents[0].id"},
		{"language of a document", func(d *D) { d.Documents[0].Language = "VN" }, "language.shape documents[0].language"},
		{"keyword of a document", func(d *D) { d.Documents[0].Keywords = []string{"a", " "} }, "field.missing documents[0].keywords[1]"},
		{"handwriting", func(d *D) { d.Documents[0].Autograph = long(2001) }, "field.too_long documents[0].autograph"},
		{"condition of a document", func(d *D) { d.Documents[0].Condition = "cũ" }, "field.choice documents[0].condition"},
		{"copy", func(d *D) { d.Documents[0].Copy = "photo" }, "field.choice documents[0].copy"},
		{"note of a document", func(d *D) { d.Documents[0].Note = long(501) }, "field.too_long documents[0].note"},
		{"everything", func(d *D) {
			contents, names := few()
			*d = *full(contents, names...)
		}, ""},
		{"no documents", func(d *D) { d.Documents = nil }, "documents.none documents"},
		{"subject", func(d *D) { d.Documents[0].Subject = "" }, "field.missing documents[0].subject"},
		{"type", func(d *D) { d.Documents[0].Type = "33" }, "document.type documents[0].type"},
		{"no type", func(d *D) { d.Documents[0].Type = "" }, "field.missing documents[0].type"},
		{"number", func(d *D) { d.Documents[2].Number = "123456789012" }, "field.too_long documents[2].number"},
		{"paper without date", func(d *D) { d.Documents[2].Issued = "" }, "field.missing documents[2].issued"},
		{"paper without issuer", func(d *D) { d.Documents[2].Issuer = "" }, "field.missing documents[2].issuer"},
		{"issued tomorrow", func(d *D) { d.Documents[2].Issued = "2026-11-25" }, "date.future documents[2].issued"},
		{"role", func(d *D) {
			d.Documents[0].Role = "kết quả"
			d.Documents[0].Issued, d.Documents[0].Issuer = "2026-07-01", "x"
		}, "field.choice documents[0].role"},
		{"origin", func(d *D) { d.Documents[0].Origin = "" }, "field.choice documents[0].origin"},
		{"media type", func(d *D) { d.Documents[0].MediaType = "pdf" }, "document.media_type documents[0].media_type"},
		{"media type with parameter", func(d *D) { d.Documents[0].MediaType = "text/plain; charset=utf-8" }, "document.media_type documents[0].media_type"},
		{"media type of Word", func(d *D) {
			d.Documents[0].MediaType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
		}, ""},
		{"empty document", func(d *D) { d.Documents[0].Size = 0 }, "document.size documents[0].size"},
		{"large document", func(d *D) { d.Documents[0].Size = 10<<30 + 1 }, "document.too_large documents[0].size"},
		{"largest document", func(d *D) { d.Documents[0].Size = 10 << 30 }, ""},
		{"upper-case digest", func(d *D) { d.Documents[0].SHA256 = strings.ToUpper(d.Documents[0].SHA256) }, "document.sha256 documents[0].sha256"},
		{"pages", func(d *D) { d.Documents[0].Pages = -1 }, "document.pages documents[0].pages"},
		{"same digest twice", func(d *D) { d.Documents[1].SHA256 = d.Documents[0].SHA256 }, ""},
		{"same name twice", func(d *D) { d.Documents[1].Name = strings.ToUpper(d.Documents[0].Name) }, "document.name_duplicate documents[1].name"},
	}
	for _, tt := range tests {
		d := valid()
		tt.change(d)
		got := found(d.Validate(now(), dossier.Limits{}))
		if want := strings.FieldsFunc(tt.want, func(r rune) bool { return r == ';' }); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	d := valid()
	got := found(d.Validate(now(), dossier.Limits{Document: 8000, Dossier: 12000, Documents: 2}))
	want := []string{"list.too_long documents", "document.too_large documents[2].size", "dossier.too_large documents"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Documents[0].Size, d.Documents[1].Size = 1<<62, 1<<62 // must not overflow the total
	if got := found(d.Validate(now(), dossier.Limits{})); !slices.Contains(got, "dossier.too_large documents") {
		t.Errorf("got %q", got)
	}
}

func TestDocumentNames(t *testing.T) {
	tests := []struct{ name, want string }{
		{"a", ""}, {"Tờ khai (1) – bản sao & 100%.pdf", ""}, {"-rf", ""}, {"consul.pdf", ""}, {"com10.txt", ""}, {"文書.pdf", ""},
		{strings.Repeat("ữ", 66) + "ab", ""},
		{"", "field.missing"},
		{strings.Repeat("ữ", 67), "document.name_too_long"},
		{"to\u031b\u0300.pdf", "document.name_not_nfc"},
		{"a/b.pdf", "document.name_separator"},
		{`a\b.pdf`, "document.name_separator"},
		{"..", "document.name_dots;document.name_edges"},
		{"../../etc/passwd", "document.name_separator;document.name_dots;document.name_edges"},
		{"a..pdf", "document.name_dots"},
		{".htaccess", "document.name_edges"},
		{"a.pdf.", "document.name_edges"},
		{" a.pdf", "document.name_edges"},
		{"a.pdf\u00a0", "document.name_edges"},
		{"a\x00.pdf", "document.name_control"},
		{"a\n.pdf", "document.name_control"},
		{"a\u202Efdp.exe", "document.name_control"},
		{"a\u200b.pdf", "document.name_control"},
		{"a\xff.pdf", "document.name_control"},
		{"a\uFFFD.pdf", "document.name_control"},
		{"a:b.pdf", "document.name_characters"},
		{"a?.pdf", "document.name_characters"},
		{"CON", "document.name_reserved"},
		{"nul.pdf", "document.name_reserved"},
		{"Com1.tar.gz", "document.name_reserved"},
		{"LPT².txt", "document.name_reserved"},
		{"aux .txt", "document.name_reserved"},
	}
	for _, tt := range tests {
		d := valid()
		d.Documents[0].Name = tt.name
		var codes []string
		for _, p := range d.Validate(now(), dossier.Limits{}) {
			if p.Field != "documents[0].name" {
				t.Errorf("%q: problem at %s", tt.name, p.Field)
			}
			codes = append(codes, p.Code)
		}
		if got := strings.Join(codes, ";"); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.name, got, tt.want)
		}
		if _, err := dossier.NewPlan(d, meta()); (err != nil) != (tt.want != "") {
			t.Errorf("%q: plan: %v", tt.name, err)
		}
	}
	for _, twin := range [][2]string{{"Đơn.PDF", "đơn.pdf"}, {"ſ.pdf", "S.pdf"}, {"K.pdf", "\u212A.pdf"}, {"a.pdf", "a.pdf"}} {
		d := valid()
		d.Documents[0].Name, d.Documents[2].Name = twin[0], twin[1]
		if got := found(d.Validate(now(), dossier.Limits{})); !slices.Contains(got, "document.name_duplicate documents[2].name") {
			t.Errorf("%q: got %q", twin, got)
		}
	}
}

func TestAllProblemsAtOnceInBothLanguages(t *testing.T) {
	d := valid()
	d.Title, d.Access, d.Closed, d.Applicant.PersonalID = "", "secret", "2026-02-30", "099999999999"
	d.Applicant.Name = "Nguyễn Thị Bí Mật\u0007"
	d.Documents[0].Name, d.Documents[1].SHA256 = "Đơn Nguyễn Thị Bí Mật/../x", "deadbeef"
	list := d.Validate(now(), dossier.Limits{})
	want := []string{
		"field.missing title", "access.secret access", "date.shape closed", "text.control applicant.name",
		"person.id_province applicant.personal_id", "person.id_birth applicant.personal_id",
		"document.name_separator documents[0].name", "document.name_dots documents[0].name", "document.sha256 documents[1].sha256",
	}
	if got := found(list); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for _, p := range list {
		checkTexts(t, p)
		for _, secret := range []string{"Bí Mật", "099999999999", "deadbeef"} {
			if strings.Contains(p.Vietnamese+p.English+p.Field, secret) {
				t.Errorf("%s repeats a value", p.Code)
			}
		}
	}
	err := error(&dossier.ValidationError{Problems: list})
	if !strings.Contains(err.Error(), "9 problems: field.missing at title") || !strings.Contains(err.Error(), "4 more") {
		t.Errorf("error reads %q", err)
	}
	var v *dossier.ValidationError
	if !errors.As(err, &v) || len(v.Problems) != len(list) {
		t.Error("problems are lost in the error")
	}
}

// checkTexts holds the texts of a problem to their form: both languages, whole
// sentences, the Vietnamese one with its marks.
func checkTexts(t *testing.T, p dossier.Problem) {
	t.Helper()
	marked := strings.ContainsFunc(p.Vietnamese, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsLetter(r) })
	if !marked || !strings.HasSuffix(p.Vietnamese, ".") || !strings.HasSuffix(p.English, ".") || p.Vietnamese == p.English {
		t.Errorf("%s: texts %q, %q", p.Code, p.Vietnamese, p.English)
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	d := valid()
	d.Documents = make([]dossier.Document, 2000)
	list := d.Validate(now(), dossier.Limits{})
	if n := len(list); n != 501 || list[500].Code != "problems.more" {
		t.Errorf("%d problems, last %s", n, list[n-1].Code)
	}
}

func TestTodayIsVietnamese(t *testing.T) {
	d := valid()
	d.Closed = "2026-11-25"
	lateUTC := time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	if got := d.Validate(lateUTC, dossier.Limits{}); len(got) > 0 {
		t.Errorf("at %v: %q", lateUTC, found(got))
	}
	if got := d.Validate(lateUTC.Add(-time.Second), dossier.Limits{}); len(got) != 1 {
		t.Errorf("a second before: %q", found(got))
	}
}

// TestSamplesAreValid: what the demonstration pushes is what the rules ask.
func TestSamplesAreValid(t *testing.T) {
	for made := range sample.Make(5, len(sample.Kinds()), sample.Options{}) {
		d, err := dossier.ParseDeclaration(bytes.NewReader(made.Declaration), dossier.Limits{})
		if err != nil {
			t.Errorf("%s: %v", made.Kind, err)
			continue
		}
		if p := d.Validate(now(), dossier.Limits{}); len(p) > 0 {
			t.Errorf("%s: %q", made.Kind, found(p))
		}
	}
}
