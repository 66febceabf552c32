package conform_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/luutru/luutru/conform"
	"github.com/luutru/luutru/dossier"
)

// TestSound checks one sound dossier in every form.
func TestSound(t *testing.T) {
	k := kit(t)
	for form, src := range map[string]conform.Source{"plain": folder(t, nil), "eark": packed(sip(t)), "bagit": packed(bag(t))} {
		r := check(t, k, src)
		if r.Form != form || !r.OK {
			t.Errorf("%s is taken for %q, conforms %v", form, r.Form, r.OK)
		}
		for _, f := range r.Findings {
			if f.Status == conform.Fail {
				t.Errorf("%s: %s at %v: %s", form, f.Code, f.Places, f.English)
			}
		}
		for code, want := range map[string]map[string]conform.Status{
			"field.missing":   {"plain": conform.Pass, "eark": conform.Pass, "bagit": conform.Pass},
			"package.path":    {"plain": conform.Pass, "eark": conform.Pass, "bagit": conform.Pass},
			"format.mismatch": {"plain": conform.Pass, "eark": conform.Pass, "bagit": conform.Pass},
			"CSIP1":           {"plain": conform.NotApplicable, "eark": conform.Pass, "bagit": conform.NotApplicable},
			"bag.digest":      {"plain": conform.NotApplicable, "eark": conform.NotApplicable, "bagit": conform.Pass},
			"CSIP46":          {"plain": conform.NotApplicable, "eark": conform.NotApplicable, "bagit": conform.NotApplicable},
			"virus.found":     {"plain": conform.NotApplicable, "eark": conform.NotApplicable, "bagit": conform.NotApplicable},
		} {
			if got := k.Status(r, code); got != want[form] {
				t.Errorf("%s: %s is %s, want %s", form, code, got, want[form])
			}
		}
	}
}

// TestSpoiled spoils one thing at a time.
func TestSpoiled(t *testing.T) {
	k := kit(t)
	for _, c := range []struct {
		code   string
		place  string
		change func(*dossier.Declaration, fstest.MapFS)
	}{
		{"field.missing", "title", func(d *dossier.Declaration, _ fstest.MapFS) { d.Title = "" }},
		{"date.future", "closed", func(d *dossier.Declaration, _ fstest.MapFS) { d.Closed = "2026-12-01" }},
		{"date.order", "settled", func(d *dossier.Declaration, _ fstest.MapFS) { d.Settled = "2026-10-01" }},
		{"access.secret", "access", func(d *dossier.Declaration, _ fstest.MapFS) { d.Access = "secret" }},
		{"document.digest_mismatch", "documents[0].sha256", func(_ *dossier.Declaration, f fstest.MapFS) {
			f["Tờ khai.txt"].Data = bytes.ToUpper(f["Tờ khai.txt"].Data)
		}},
		{"document.absent", "documents[0]", func(_ *dossier.Declaration, f fstest.MapFS) { delete(f, "Tờ khai.txt") }},
		{"document.undeclared", "", func(_ *dossier.Declaration, f fstest.MapFS) { f["thừa.txt"] = &fstest.MapFile{Data: []byte("x")} }},
		{"format.mismatch", "documents[0]", func(d *dossier.Declaration, _ fstest.MapFS) { d.Documents[0].MediaType = "application/pdf" }},
		{"declaration.syntax", "", func(_ *dossier.Declaration, f fstest.MapFS) {
			f["dossier.json"] = &fstest.MapFile{Data: []byte("{")}
		}},
	} {
		r := check(t, k, folder(t, c.change))
		i := slices.IndexFunc(r.Findings, func(f conform.Finding) bool { return f.Code == c.code })
		if i < 0 || r.OK || k.Status(r, c.code) != conform.Fail {
			t.Errorf("%s is not told: %+v", c.code, r.Findings)
			continue
		}
		f := r.Findings[i]
		if f.Vietnamese == "" || f.English == "" || f.Source == "" || c.place != "" && !slices.Contains(f.Places, c.place) {
			t.Errorf("%s is not complete: %+v", c.code, f)
		}
	}
}

// TestRefused looks into the documents of a package that would not be taken: all
// faults are told at once.
func TestRefused(t *testing.T) {
	k := kit(t)
	spoil := func(d *dossier.Declaration, f fstest.MapFS) {
		d.Title, d.Documents[1].MediaType = "", "application/pdf"
		f["Tờ khai.txt"] = &fstest.MapFile{}
	}
	sources := map[string]conform.Source{
		"plain": folder(t, spoil),
		"eark":  packed(rewrite(t, sip(t), "declaration.json", `<title>[^<]*`, `<title>Khác`, `"title":"[^"]*"`, `"title":""`, `text/plain`, `application/pdf`)),
	}
	for form, src := range sources {
		r := check(t, k, src)
		if r.Form != form || k.Status(r, "field.missing") != conform.Fail || k.Status(r, "format.mismatch") != conform.Fail {
			t.Errorf("%s: form %q, field.missing %s, format.mismatch %s", form, r.Form, k.Status(r, "field.missing"), k.Status(r, "format.mismatch"))
		}
	}
}

// TestRefusedIsCompleted does not ask a declaration for what its files tell,
// whatever else is wrong with it.
func TestRefusedIsCompleted(t *testing.T) {
	k := kit(t)
	r := check(t, k, folder(t, func(d *dossier.Declaration, _ fstest.MapFS) {
		d.Title = ""
		for i := range d.Documents {
			d.Documents[i].Size, d.Documents[i].SHA256 = 0, ""
		}
	}))
	if k.Status(r, "field.missing") != conform.Fail || k.Status(r, "document.size") == conform.Fail || k.Status(r, "document.sha256") == conform.Fail {
		t.Errorf("%+v", r.Findings)
	}
}

// TestWarning keeps a package that is late, or holds litter, from failing.
func TestWarning(t *testing.T) {
	k := kit(t)
	r := check(t, k, folder(t, func(d *dossier.Declaration, _ fstest.MapFS) {
		d.Received, d.Settled, d.Closed, d.Documents[1].Issued = "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-03"
		d.Opinions[0].Time = "2026-01-03T09:00:00+07:00"
	}))
	if !r.OK || k.Status(r, "dossier.late") != conform.Warn {
		t.Errorf("conforms %v, dossier.late %s: %+v", r.OK, k.Status(r, "dossier.late"), r.Findings)
	}
}

// TestForms spoils packages.
func TestForms(t *testing.T) {
	k := kit(t)
	spoiled := func(b []byte, old, new string) conform.Source { return packed(rewrite(t, b, "METS.xml", old, new)) }
	cut := sip(t)
	for what, c := range map[string]struct {
		src  conform.Source
		form string
		code string
	}{
		"nothing":         {packed(nil), "", ""},
		"no package":      {packed([]byte("no package at all")), "", ""},
		"cut":             {packed(cut[:len(cut)/2]), "", ""},
		"empty folder":    {conform.Source{Name: "x", FS: fstest.MapFS{}}, "", "package."},
		"profile":         {spoiled(sip(t), `E-ARK-CSIP.xml" `, `E-ARK-XXXX.xml" `), "eark", ""},
		"METS of another": {spoiled(sip(t), ` TYPE="Mixed"`, ` TYPE="Mixes"`), "eark", "CSIP2"},
		"digest in METS":  {spoiled(sip(t), `CHECKSUMTYPE="SHA-256"`, `CHECKSUMTYPE="SHA-999"`), "eark", "CSIP72"},
	} {
		r := check(t, k, c.src)
		told := slices.ContainsFunc(r.Findings, func(f conform.Finding) bool { return strings.HasPrefix(f.Code, c.code) })
		if c.form != "" && r.Form != c.form || r.OK && c.code != "" || !told {
			t.Errorf("%s: form %q, conforms %v, %+v", what, r.Form, r.OK, r.Findings)
		}
	}
}

// rewrite replaces what regular expressions match in every file of that name in a ZIP.
func rewrite(t *testing.T, b []byte, name string, pairs ...string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(pairs) && strings.HasSuffix(f.Name, "/"+name); i += 2 {
			content = regexp.MustCompile(pairs[i]).ReplaceAll(content, []byte(pairs[i+1]))
		}
		to, err := w.Create(f.Name)
		if err == nil {
			_, err = to.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCatalogue holds the catalogue to the code: what a declaration can be
// refused for stands in it, each rule once, and with its texts.
func TestCatalogue(t *testing.T) {
	codes := map[string]bool{}
	for _, r := range conform.Catalogue() {
		if codes[r.Code] || r.Vietnamese == "" || r.English == "" || r.Source == "" || r.Level == "" || r.Group == "" {
			t.Errorf("rule %q is not complete, or stands twice", r.Code)
		}
		codes[r.Code] = true
	}
	code := regexp.MustCompile(`"((?:access|agency|code|date|declaration|document|documents|dossier|field|fonds|language|link|list|person|procedure|text|time)\.[a-z_]+[a-z])"`)
	sources, err := filepath.Glob("../dossier/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{"validate.go", "person.go", "check.go", "name.go", "parse.go"}, filepath.Base(name)) {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllSubmatch(b, -1) {
			if c := string(m[1]); !codes[c] && !strings.HasSuffix(c, ".json") {
				t.Errorf("%s: %s is in no catalogue", name, c)
			}
		}
	}
}

// TestReport writes the report of several packages in every form.
func TestReport(t *testing.T) {
	k := kit(t)
	report := k.Report()
	bad := folder(t, func(d *dossier.Declaration, _ fstest.MapFS) { d.Title = "" })
	bad.Name = `<script>alert("x")</script>` + "\x1b[2J"
	for _, src := range []conform.Source{folder(t, nil), packed(sip(t)), bad} {
		report.Add(check(t, k, src))
	}
	if report.OK() || report.Failed() != 1 {
		t.Errorf("conforms %v, %d failed", report.OK(), report.Failed())
	}
	for _, c := range report.Counts() {
		if c.Pass+c.Fail+c.Warn+c.NotApplicable != 3 && c.Rule.Group != "" {
			t.Errorf("%s was counted %+v", c.Rule.Code, c)
		}
	}
	var text, all, page, js bytes.Buffer
	for _, err := range []error{report.Text(&text, false), report.Text(&all, true), report.HTML(&page), report.JSON(&js)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"KHÔNG ĐẠT · DOES NOT CONFORM", "field.missing", "tại · at: title", "căn cứ · source:", "3 gói tin · packages, 1 không đạt · failed"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, text.String())
		}
	}
	if strings.Count(all.String(), "CSIP46 ") != 3 {
		t.Error("not every rule is listed")
	}
	for _, never := range []string{"<script>alert", "src=", "<link", "href=", "@import", "url("} {
		if strings.Contains(page.String(), never) {
			t.Errorf("page holds %q", never)
		}
	}
	if !strings.Contains(page.String(), "CSIP119") || !strings.Contains(page.String(), "&lt;script&gt;") {
		t.Error("page is not complete")
	}
	var got struct {
		OK       bool `json:"ok"`
		Packages []struct {
			Form     string                    `json:"form"`
			OK       bool                      `json:"ok"`
			Rules    map[string]conform.Status `json:"rules"`
			Findings []conform.Finding         `json:"findings"`
		} `json:"packages"`
		Summary []conform.Count `json:"summary"`
	}
	if err := json.Unmarshal(js.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.OK || len(got.Packages) != 3 || len(got.Packages[1].Rules) != len(conform.Catalogue()) || len(got.Summary) < len(conform.Catalogue()) ||
		got.Packages[2].Rules["field.missing"] != conform.Fail {
		t.Errorf("JSON is not complete: %d packages, %d rules", len(got.Packages), len(got.Summary))
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(sip(f))
	f.Add(bag(f))
	k, err := conform.New(conform.Config{Now: now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := check(t, k, packed(b))
		if !r.OK && len(r.Findings) == 0 {
			t.Error("refused without a reason")
		}
	})
}

// BenchmarkCheck runs the kit over a folder with two short documents.
func BenchmarkCheck(b *testing.B) {
	k, src := kit(b), folder(b, nil)
	for b.Loop() {
		if r := check(b, k, src); !r.OK {
			b.Fatal(r.Findings)
		}
	}
}
