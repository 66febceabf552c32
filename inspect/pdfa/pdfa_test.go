package pdfa_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/inspect/pdfa"
	"github.com/luutru/luutru/internal/pdf"
	"github.com/luutru/luutru/internal/sample"
)

// check gives the clauses that a file breaks, as a file of a level of conformance ("2b"), or of the one it claims ("").
func check(t testing.TB, data []byte, level string) ([]string, pdfa.Layers, error) {
	t.Helper()
	r, size := bytes.NewReader(data), int64(len(data))
	f, err := pdf.Open(pdf.NewBudget(t.Context(), 64<<20), r, size)
	if err != nil {
		return nil, pdfa.Layers{}, err
	}
	xmp := pdfa.Metadata(f)
	claim := pdfa.Claimed(xmp)
	if level != "" {
		claim = pdfa.Claim{Part: int(level[0] - '0'), Conformance: strings.ToUpper(level[1:])}
	}
	c := pdfa.New(f, r, size, claim, xmp)
	if err := f.Each(func(o pdf.Object) error { c.Object(o); return nil }); err != nil {
		return nil, pdfa.Layers{}, err
	}
	found, layers, err := c.Finish()
	var out []string
	for _, v := range found {
		if v.Text == "" {
			t.Errorf("%s without a text", v.Clause)
		}
		out = append(out, v.Clause)
	}
	return out, layers, err
}

// corpus reads the files of testdata by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader("testdata/verapdf.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

// expected reads what veraPDF finds in them.
func expected(t testing.TB) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/verapdf.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		out[f[0]] = f[1:]
	}
	return out
}

// TestCorpus finds in each file what veraPDF finds, and nothing in those that it calls valid.
func TestCorpus(t *testing.T) {
	files, want := corpus(t), expected(t)
	if len(files) < 100 || len(files) != len(want) {
		t.Fatalf("%d files, %d expected", len(files), len(want))
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		got, _, err := check(t, files[name], name[:2])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, clause := range want[name] {
			if !slices.Contains(got, clause) {
				t.Errorf("%s: %v, want %s", name, got, clause)
			}
		}
		if len(want[name]) == 0 && len(got) > 0 {
			t.Errorf("%s: %v, and veraPDF calls it valid", name, got)
		}
	}
}

// made is a PDF file of the samples, PDF/A-2b.
func made(t testing.TB) []byte {
	t.Helper()
	for d := range sample.Make(1, 10, sample.Options{}) {
		for _, f := range d.Files {
			if f.MediaType == "application/pdf" {
				return f.Data
			}
		}
	}
	t.Fatal("no PDF file among the samples")
	return nil
}

// broken makes a file break one rule each; the sizes stay, so that no offset changes.
func broken(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, x := range []struct{ clause, old, new string }{
		{"6.1.2-1", "%PDF-1.", "%PDF-2."},
		{"6.1.2-2", "%\xc2\xb5\xc2\xb6", "%made"},
		{"6.1.3-1", "/ID [<", "/IX [<"},
		{"6.1.6-1", "/Lang (vi-VN)", "/Lang <76697>"},
		{"6.1.6-2", "/Lang (vi-VN)", "/Lang <7z697>"},
		{"6.1.9-1", "2 0 obj\n", "2 0 obj "},
		{"6.2.4.3-4", "/OutputIntents", "/OutputIntentz"},
		{"6.2.11.4.1-1", "/FontFile2", "/FontFileX"},
		{"6.2.11.3.2-1", "/CIDToGIDMap", "/CIDToGIDMzp"},
		{"6.5.2-1", "/Lang (vi-VN)", "/AA <<     >>"},
		{"6.6.4-3", `pdfaid:conformance="B"`, `pdfaid:conformance="X"`},
		{"6.6.2.3.1-1", "pdf:Producer", "pdf:Praducer"},
		{"6.6.2.3.1-2", "<rdf:Seq><rdf:li>", "<rdf:Bag><rdf:li>"},
	} {
		if len(x.old) != len(x.new) {
			t.Fatalf("%s: offsets would change", x.clause)
		}
		b := bytes.Replace(data, []byte(x.old), []byte(x.new), 1)
		if x.clause == "6.6.2.3.1-2" {
			b = bytes.Replace(b, []byte("</rdf:li></rdf:Seq>"), []byte("</rdf:li></rdf:Bag>"), 1)
		}
		if bytes.Equal(b, data) {
			t.Fatalf("%s: %q is not in the file", x.clause, x.old)
		}
		out[x.clause] = b
	}
	out["6.1.3-3"] = append(bytes.Clone(data), "rest"...)
	out["6.1.4-2"] = bytes.Replace(data, []byte("\nxref\n"), []byte("\nxref \n"), 1)
	return out
}

func TestBroken(t *testing.T) {
	data := made(t)
	if got, layers, err := check(t, data, ""); err != nil || len(got) > 0 || layers.Pages == 0 || layers.Text != layers.Pages {
		t.Fatalf("sample: %v, %+v, %v", got, layers, err)
	}
	for clause, b := range broken(t, data) {
		if got, _, err := check(t, b, ""); err != nil || !slices.Contains(got, clause) {
			t.Errorf("%s: %v, %v", clause, got, err)
		}
	}
}

func TestClaimed(t *testing.T) {
	xmp := func(attributes string) string {
		return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""` +
			` xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" ` + attributes + `/></rdf:RDF></x:xmpmeta>`
	}
	for text, want := range map[string]pdfa.Claim{
		"": {}, "<a/>": {}, xmp(""): {}, xmp(`pdfaid:part="1" pdfaid:conformance="B"`): {Part: 1, Conformance: "B"}, xmp(`pdfaid:part="4"`): {Part: 4},
		xmp(`pdfaid:part="33" pdfaid:conformance="B"`): {Conformance: "B"}, xmp(`pdfaid:part="x"`): {}, xmp(`pdfaid:part="3" pdfaid:conformance="long"`): {Part: 3},
	} {
		if got := pdfa.Claimed([]byte(text)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	if s := (pdfa.Claim{Part: 2, Conformance: "U"}).String(); s != "PDF/A-2u" {
		t.Error(s)
	}
	if _, _, err := check(t, made(t), "4"); !errors.Is(err, pdfa.ErrUnchecked) {
		t.Errorf("part 4: %v", err)
	}
}

// TestBudget says that not all was looked at, and does not call the file valid.
func TestBudget(t *testing.T) {
	data := made(t)
	r, size := bytes.NewReader(data), int64(len(data))
	said := false
	for bytes := int64(2 << 10); bytes < 1<<20; bytes *= 2 {
		f, err := pdf.Open(pdf.NewBudget(context.Background(), bytes), r, size)
		if err != nil {
			continue
		}
		xmp := pdfa.Metadata(f)
		c := pdfa.New(f, r, size, pdfa.Claim{Part: 2, Conformance: "B"}, xmp)
		failed := f.Each(func(o pdf.Object) error { c.Object(o); return nil })
		found, _, err := c.Finish()
		if said = said || err != nil || failed != nil; err == nil && failed == nil && len(found) == 0 && bytes < 16<<10 {
			t.Errorf("%d bytes of work, and valid", bytes)
		}
	}
	if !said {
		t.Error("no budget was too small")
	}
}

func FuzzCheck(f *testing.F) {
	n := 0
	for _, data := range corpus(f) {
		if n++; n <= 40 {
			f.Add(data, uint8(n))
		}
	}
	f.Add(made(f), uint8(5))
	levels := []string{"1a", "1b", "2a", "2b", "2u", "3b", "3u", "3a", ""}
	f.Fuzz(func(t *testing.T, data []byte, level uint8) {
		check(t, data, levels[int(level)%len(levels)])
	})
}

func FuzzXMP(f *testing.F) {
	f.Add([]byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>`))
	f.Fuzz(func(t *testing.T, data []byte) { pdfa.Claimed(append(data, "http://www.aiim.org/pdfa/ns/id/"...)) })
}

func BenchmarkCheck(b *testing.B) {
	data := made(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		check(b, data, "")
	}
}
