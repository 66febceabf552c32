package intake_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
)

var now = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range intake.Rules() {
		if seen[r.Code] {
			t.Errorf("%s stands twice", r.Code)
		}
		seen[r.Code] = true
		if r.Check == "" || r.Vietnamese == "" || r.English == "" || r.Source == "" || r.Default == "" {
			t.Errorf("%s is not complete", r.Code)
		}
		if got, ok := intake.RuleOf(r.Code); !ok || got != r {
			t.Errorf("RuleOf(%s) = %v, %v", r.Code, got, ok)
		}
		if intake.SourceOf(r.Code) != r.Source {
			t.Errorf("source of %s", r.Code)
		}
	}
	if _, ok := intake.RuleOf("no.such"); ok {
		t.Error("a rule that is not there was found")
	}
}

func TestSourceOf(t *testing.T) {
	for code, want := range map[string]string{
		"access.secret": "bí mật", "person.id_shape": "Căn cước", "code.shape": "mã hồ sơ", "agency.shape": "QĐ 20/2020", "dossier.agency_not_yours": "QĐ 20/2020",
		"document.digest_mismatch": "QCVN", "CSIP12": "CSIP", "bag.manifest": "8493", "title.missing": "thông tin mô tả",
	} {
		if got := intake.SourceOf(code); !strings.Contains(got, want) {
			t.Errorf("%s comes from %q, want %q in it", code, got, want)
		}
	}
}

// declaration is a dossier with one document of each role.
func declaration() *dossier.Declaration {
	return &dossier.Declaration{
		Procedure: "1.001193", Outcome: "granted", Closed: "2026-11-01", Opinions: []dossier.Opinion{{By: "x"}},
		Documents: []dossier.Document{{Role: "submitted", Type: "32"}, {Role: "processing", Type: "15"}, {Role: "result", Type: "02"}},
	}
}

func codes(found []intake.Finding) (all []string) {
	for _, f := range found {
		all = append(all, f.Code)
	}
	return all
}

func TestDeclared(t *testing.T) {
	p := intake.Default()
	p.Components["1.001193"] = []intake.Component{
		{Name: "Tờ khai", Role: "submitted", Types: []string{"32"}},
		{Name: "Hai tờ trình", Role: "processing", Types: []string{"15"}, Copies: 2, Outcomes: []string{"refused"}},
	}
	p.Components["1.000656"] = []intake.Component{{Name: "Giấy báo tử", Code: "TP01", Role: "submitted"}}
	for _, test := range []struct {
		name   string
		change func(*dossier.Declaration)
		want   []string
	}{
		{"complete", func(*dossier.Declaration) {}, []string{"component.complete"}},
		{"no result", func(d *dossier.Declaration) { d.Documents = d.Documents[:2] }, []string{"component.missing"}},
		{"withdrawn needs no result", func(d *dossier.Declaration) { d.Outcome, d.Documents = "withdrawn", d.Documents[:2] }, []string{"component.complete"}},
		{"two asked for where refused", func(d *dossier.Declaration) { d.Outcome = "refused" }, []string{"component.missing"}},
		{"another type", func(d *dossier.Declaration) { d.Documents[0].Type = "01" }, []string{"component.missing"}},
		{"another procedure", func(d *dossier.Declaration) { d.Procedure, d.Documents[0].Type = "2.000635", "01" }, []string{"component.complete"}},
		{"no opinions", func(d *dossier.Declaration) { d.Opinions = nil }, []string{"component.complete", "opinions.missing"}},
		{"no opinions needed", func(d *dossier.Declaration) {
			d.Opinions = nil
			d.Documents = slices.Delete(d.Documents, 1, 2)
		}, []string{"component.complete"}},
		{"sixty days", func(d *dossier.Declaration) { d.Closed = "2026-09-25" }, []string{"component.complete"}},
		{"sixty-one days", func(d *dossier.Declaration) { d.Closed = "2026-09-24" }, []string{"component.complete", "dossier.late"}},
		{"component named", func(d *dossier.Declaration) { d.Procedure, d.Documents[0].Component = "1.000656", "TP01" }, []string{"component.complete"}},
		{"another component named", func(d *dossier.Declaration) { d.Procedure, d.Documents[0].Component = "1.000656", "TP02" }, []string{"component.missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := declaration()
			test.change(d)
			if got := codes(p.Declared(d, now)); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// Days are counted in Vietnamese time: 17:00 UTC is the next day there.
func TestLateCountsVietnameseDays(t *testing.T) {
	p := intake.Default()
	before := time.Date(2026, 11, 24, 16, 59, 59, 0, time.UTC)
	if days, late := p.Late("2026-09-25", before); days != 60 || late {
		t.Errorf("just before midnight: %d, %v", days, late)
	}
	if days, late := p.Late("2026-09-25", before.Add(time.Second)); days != 61 || !late {
		t.Errorf("at midnight: %d, %v", days, late)
	}
	if _, late := p.Late("no date", now); late {
		t.Error("without a date nothing is late")
	}
}

func TestJudge(t *testing.T) {
	p := intake.Default()
	p.Actions = map[string]intake.Action{"document.macro": intake.Reject, "format.mismatch": intake.Warn}
	p.Producers = map[string]map[string]intake.Action{"old-system": {"document.macro": intake.Record, "virus.unchecked": intake.Warn}}
	finding := func(code string, o intake.Outcome) intake.Finding {
		return intake.Finding{Code: code, Outcome: o, Document: 2, Detail: "Nguyễn Văn A"}
	}
	found := []intake.Finding{
		finding("signature.valid", intake.Pass), finding("document.macro", intake.Warning), finding("format.mismatch", intake.Failure),
		finding("virus.unchecked", intake.Indeterminate), finding("slip.failure", intake.Failure), finding("slip.warning", intake.Warning),
	}
	for _, test := range []struct {
		producer                string
		rejected, waiting, kept []string
	}{
		{"new-system", []string{"document.macro", "slip.failure"}, []string{"virus.unchecked"}, []string{"signature.valid", "format.mismatch", "slip.warning"}},
		{"old-system", []string{"slip.failure"}, nil, []string{"signature.valid", "document.macro", "format.mismatch", "virus.unchecked", "slip.warning"}},
	} {
		j := p.Judge(test.producer, found)
		var rejected []string
		for _, problem := range j.Rejected {
			rejected = append(rejected, problem.Code)
			if problem.Field != "documents[2]" || problem.Vietnamese == "" || problem.English == "" {
				t.Errorf("problem %+v", problem)
			}
			if strings.Contains(problem.Vietnamese+problem.English, "Nguyễn") {
				t.Error("a problem holds the finding's detail")
			}
		}
		if !slices.Equal(rejected, test.rejected) || !slices.Equal(codes(j.Waiting), test.waiting) || !slices.Equal(codes(j.Kept), test.kept) {
			t.Errorf("%s: %v %v %v", test.producer, rejected, codes(j.Waiting), codes(j.Kept))
		}
	}
}

// What passed is kept whatever a policy says of its code.
func TestJudgeKeepsWhatPassed(t *testing.T) {
	p := intake.Default()
	for _, r := range intake.Rules() {
		j := p.Judge("x", []intake.Finding{{Code: r.Code, Outcome: intake.Pass, Document: intake.Dossier}})
		if len(j.Kept) != 1 {
			t.Errorf("%s passed and was not kept", r.Code)
		}
	}
}

func TestProblemOfTheDossier(t *testing.T) {
	f := intake.Finding{Code: "dossier.late", Document: intake.Dossier}
	if p := f.Problem(); p.Field != "" {
		t.Errorf("field %q", p.Field)
	}
}

func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestPolicyRoundTrip(t *testing.T) {
	p := intake.Default()
	p.Version = 3
	p.Actions = map[string]intake.Action{"virus.unchecked": intake.Warn}
	p.Producers = map[string]map[string]intake.Action{"s": {"dossier.late": intake.Reject}}
	p.Trust.CAs = []string{certificate(t)}
	p.Scanner = "unix:/run/clamav/clamd.ctl"
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := intake.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, want %+v", got, p)
	}
}

func TestDefaultIsValid(t *testing.T) {
	if found := intake.Default().Check(); len(found) > 0 {
		t.Error(found)
	}
}

func TestParseListsEveryProblem(t *testing.T) {
	_, err := intake.Parse([]byte(`{"version":-1,"late_days":0,"actions":{"no.such":"reject","dossier.late":"ignore"},"producers":{"s":{"virus.found":"maybe"}},
		"formats":["pdf","fmt/95"],"components":{"*":[{"name":"","role":"other","copies":-1}]},"scanner":"clamd","trust":{"cas":["no"],"tsas":["-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"],"crls":["x"]}}`))
	if !errors.Is(err, intake.ErrPolicy) {
		t.Fatalf("got %v", err)
	}
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatalf("no list of problems in %v", err)
	}
	var fields []string
	for _, p := range invalid.Problems {
		fields = append(fields, p.Field)
	}
	want := []string{"version", "late_days", "actions.dossier.late", "actions.no.such", "producers.s.virus.found", "formats[0]",
		"components.*[0].name", "components.*[0].role", "components.*[0].copies", "trust.cas[0]", "trust.tsas[0]", "trust.crls[0]", "scanner"}
	if !slices.Equal(fields, want) {
		t.Errorf("got %v, want %v", fields, want)
	}
	bad := &intake.Policy{LateDays: 0}
	if _, err := bad.Encode(); !errors.Is(err, intake.ErrPolicy) {
		t.Errorf("encoded a policy that cannot be read again: %v", err)
	}
}

func TestParseIsStrict(t *testing.T) {
	for _, text := range []string{``, `{`, `[]`, `{"late_days":60,"trust":{}} {}`, `{"late_days":60,"trust":{},"latedays":1}`, `{"late_days":"60"}`,
		`{"x":"` + strings.Repeat("a", 9<<20) + `"}`} {
		if _, err := intake.Parse([]byte(text)); !errors.Is(err, intake.ErrPolicy) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func TestPermits(t *testing.T) {
	p := intake.Default()
	if !p.Permits("fmt/95", "application/pdf") || p.Permits("fmt/1", "application/x-msdownload") || p.Permits() {
		t.Error("by media type")
	}
	p.Formats = []string{"fmt/95"}
	if !p.Permits("fmt/95", "application/pdf") || p.Permits("fmt/18", "application/pdf") {
		t.Error("by PRONOM identifier")
	}
	p.Formats = nil
	if !p.Permits("anything") {
		t.Error("an empty list permits everything")
	}
}

func FuzzParse(f *testing.F) {
	b, err := intake.Default().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"late_days":1,"trust":{"cas":["-----BEGIN CERTIFICATE-----"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := intake.Parse(data)
		if err != nil {
			return
		}
		b, err := p.Encode()
		if err != nil {
			t.Fatalf("parsed, but not encoded: %v", err)
		}
		if _, err := intake.Parse(b); err != nil {
			t.Fatalf("encoded, but not parsed: %v", err)
		}
	})
}
