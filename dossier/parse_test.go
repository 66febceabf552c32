package dossier_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/luutru/luutru/dossier"
)

func TestParseDeclarationIsTolerant(t *testing.T) {
	want := valid()
	canonical, err := want.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(canonical, &tree); err != nil {
		t.Fatal(err)
	}
	indented, _ := json.MarshalIndent(tree, "\r\n", "\t")
	ascii := bytes.ReplaceAll(canonical, []byte("Đ"), []byte(`\u0110`))
	decomposed := bytes.ReplaceAll(canonical, []byte("ờ"), []byte("o\u031b\u0300"))
	withNull := bytes.Replace(canonical, []byte(`"access"`), []byte(`"note":null,"group":null,"settled_":0,"access"`), 1)
	withNull = bytes.Replace(withNull, []byte(`"settled_":0,`), nil, 1)
	noLanguage := bytes.Replace(canonical, []byte(`"language":"vi",`), nil, 1)
	for i, in := range [][]byte{canonical, indented, ascii, decomposed, withNull, noLanguage, append([]byte("\uFEFF \n"), canonical...)} {
		d, err := dossier.ParseDeclaration(bytes.NewReader(in), dossier.Limits{})
		if err != nil {
			t.Errorf("form %d: %v", i, err)
			continue
		}
		if got, _ := d.Canonical(); !bytes.Equal(got, canonical) {
			t.Errorf("form %d: canonical form differs:\n%s\n%s", i, got, canonical)
		}
	}
}

func TestParseDeclarationListsEverything(t *testing.T) {
	in := `{"code":17,"Agency":"H29.68","applicant":[],"documents":[{"name":"a","size":"5","sha":"x"},7,{"size":1.5,"pages":1e2,"process":"có"}],
	 "subjects":{},"code":"x","079190001234":"y","opinions":[{"by":true}],"title":"ok","title":"again"}`
	d, err := dossier.ParseDeclaration(strings.NewReader(in), dossier.Limits{})
	var v *dossier.ValidationError
	if !errors.As(err, &v) || d == nil {
		t.Fatalf("got %v, %v", d, err)
	}
	want := []string{
		"field.type code", "field.unknown Agency", "field.type applicant", "field.type documents[0].size", "field.unknown documents[0].sha",
		"field.type documents[1]", "field.type documents[2].size", "field.type documents[2].pages", "field.type documents[2].process", "field.type subjects",
		"field.repeated code", "field.unknown ?", "field.type opinions[0].by", "field.repeated title",
	}
	if got := found(v.Problems); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for _, p := range v.Problems {
		checkTexts(t, p)
	}
	if d.Title != "ok" || len(d.Documents) != 3 || d.Documents[0].Name != "a" {
		t.Error("what could be read was not")
	}
}

func TestParseDeclarationRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "declaration.syntax",
		"[]":                        "declaration.syntax",
		"null":                      "declaration.syntax",
		`{"code":"x"`:               "declaration.syntax",
		`{"code":"x"}{}`:            "declaration.syntax",
		`{"code":01}`:               "declaration.syntax",
		"{\"code\":\"\xe0\"}":       "declaration.encoding",
		strings.Repeat(" ", 101):    "declaration.too_large",
		strings.Repeat(`{"a":`, 15): "declaration.syntax",
	} {
		d, err := dossier.ParseDeclaration(strings.NewReader(in), dossier.Limits{Declaration: 100})
		var v *dossier.ValidationError
		if d != nil || !errors.As(err, &v) || len(v.Problems) != 1 || v.Problems[0].Code != want {
			t.Errorf("%q: got %v, %v", in, d, err)
		} else {
			checkTexts(t, v.Problems[0])
		}
	}
	if _, err := dossier.ParseDeclaration(iotest.ErrReader(os.ErrDeadlineExceeded), dossier.Limits{}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error of the reader is lost: %v", err)
	}
	many := `{"documents":[` + strings.Repeat("{},", 1500) + `{}]}`
	d, err := dossier.ParseDeclaration(strings.NewReader(many), dossier.Limits{Documents: 10})
	if d == nil || len(d.Documents) != 1000 || err == nil {
		t.Errorf("long list: %v", err)
	}
}

// What was accepted once must be read and written the same for ever.
func TestGoldenDeclaration(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "v1", "declaration.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.ParseDeclaration(bytes.NewReader(golden), dossier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Canonical(); err != nil || !bytes.Equal(got, golden) {
		t.Errorf("canonical form changed (%v):\n%s", err, got)
	}
}

func FuzzDeclaration(f *testing.F) {
	canonical, _ := valid().Canonical()
	f.Add(canonical)
	f.Add([]byte(`{"code":17,"documents":[{"size":1e400},[],null],"applicant":null,"title":"\ud800"}`))
	f.Add([]byte(`{"keywords":["a",{"b":[[]]}],"opinions":[{"time":"2026-07-01T09:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		limits := dossier.Limits{Declaration: 1 << 16}
		d, err := dossier.ParseDeclaration(bytes.NewReader(in), limits)
		if d == nil {
			if err == nil {
				t.Fatal("neither declaration nor error")
			}
			return
		}
		list := d.Validate(now(), limits)
		if err != nil || len(list) > 0 {
			return
		}
		once, err := d.Canonical()
		if err != nil {
			t.Fatalf("valid, but has no canonical form: %v", err)
		}
		again, err := dossier.ParseDeclaration(bytes.NewReader(once), dossier.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := again.Canonical(); !bytes.Equal(once, twice) {
			t.Errorf("canonical form is not stable:\n%s\n%s", once, twice)
		}
		if _, err := dossier.NewPlan(d, meta()); err != nil {
			t.Errorf("valid, but cannot be planned: %v", err)
		}
	})
}
