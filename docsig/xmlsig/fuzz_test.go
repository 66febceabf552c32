package xmlsig_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// FuzzVerify: no input makes Verify fail or gives a valid signature over
// anything but what was signed.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(good(f, true)))
	f.Add([]byte(good(f, false)))
	f.Add([]byte("\xff\xfe<\x00a\x00"))
	f.Add([]byte(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := xmlsig.Verify(t.Context(), bytes.NewReader(b), int64(len(b)), people().anchors, testpki.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range got {
			if s.Status == "" || (s.Status != trust.Valid && s.Reason == "") {
				t.Fatalf("%+v", s)
			}
			// The signers' keys are new in every process: nothing that the
			// fuzzer keeps is signed but its seeds.
			if s.Status == trust.Valid && !bytes.Contains(b, []byte("100")) {
				t.Fatalf("valid: %s", b)
			}
		}
	})
}

// FuzzCanonical: what the reader takes is well-formed for the standard
// library's, a canonical form is its own canonical form, and the exclusive form
// of the inclusive one is the exclusive form.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"<a/>", decision, `<?x y?><!-- c --><a xmlns:p="u:1" p:b="&#9;'&quot;" xml:lang="vi"><![CDATA[<&>]]></a>`, `<a xmlns="u:1"><b xmlns=""/></a>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := xmlsig.Canonical(b, c14n10+"#WithComments", "")
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, []byte("\xff\xfe")) && !bytes.HasPrefix(b, []byte("\xfe\xff")) {
			d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
			d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
			for {
				if _, err := d.RawToken(); errors.Is(err, io.EOF) {
					break
				} else if err != nil && strings.Contains(err.Error(), "invalid XML name") {
					break // names of the fourth edition; libxml2 and we follow the fifth
				} else if err != nil {
					t.Fatalf("%q: %v", b, err)
				}
			}
		}
		twice, err := xmlsig.Canonical(once, c14n10+"#WithComments", "")
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q: %q, then %q %v", b, once, twice, err)
		}
		direct, err1 := xmlsig.Canonical(b, exc+"WithComments", "")
		over, err2 := xmlsig.Canonical(once, exc+"WithComments", "")
		if err1 != nil || err2 != nil || !bytes.Equal(direct, over) {
			t.Fatalf("%q: %q and %q %v %v", b, direct, over, err1, err2)
		}
	})
}

// FuzzVerifyOOXML: no input makes VerifyOOXML fail.
func FuzzVerifyOOXML(f *testing.F) {
	f.Add(zipped(f, signedParts(f)), "word/document.xml", []byte("x"))
	f.Add(zipped(f, map[string]string{"[Content_Types].xml": "<Types/>"}), "_rels/.rels", []byte("<Relationships/>"))
	f.Fuzz(func(t *testing.T, b []byte, name string, part []byte) {
		name = strings.TrimRight(name, "/")
		for _, doc := range [][]byte{b, zipped(t, map[string]string{"[Content_Types].xml": parts()["[Content_Types].xml"], name: string(part)})} {
			got, err := xmlsig.VerifyOOXML(t.Context(), bytes.NewReader(doc), int64(len(doc)), people().anchors, testpki.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range got {
				if s.Status == "" || (s.Status != trust.Valid && s.Reason == "") {
					t.Fatalf("%+v", s)
				}
			}
		}
	})
}

// TestHostile: documents made to take time or memory end in an answer within
// the limits.
func TestHostile(t *testing.T) {
	sig := signing{who: people().signer, refs: []ref{whole(decision)}}.xml(t)
	in := func(s string) string { return into(decision, sig+s) }
	refs := func(n int) string {
		return into(decision, signing{who: people().signer, refs: many(n, ref{uri: "#d1", transforms: enveloped + excC14N, octets: decision})}.xml(t))
	}
	pile := strings.Repeat(sig, 65)
	var spaces strings.Builder
	for i := range 300 {
		spaces.WriteString(` xmlns:p` + strings.Repeat("x", i) + `="urn:x"`)
	}
	longURI := `<w xmlns:p="urn:` + strings.Repeat("x", 1<<16) + `">` + strings.Repeat("<p:e/>", 20_000) + `</w>`
	for name, c := range map[string]struct{ doc, want string }{
		"deep":                {in(strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000)), "indeterminate unsupported"},
		"many nodes":          {in(strings.Repeat("<a/>", 1<<20)), "indeterminate unsupported"},
		"many namespaces":     {in(`<a` + spaces.String() + `/>`), "indeterminate unsupported"},
		"many attributes":     {in(`<a` + strings.ReplaceAll(strings.ReplaceAll(spaces.String(), "xmlns:", ""), "urn:x", "") + `/>`), "indeterminate unsupported"},
		"large":               {in(strings.Repeat("<!-- "+strings.Repeat("x", 1<<20)+" -->", 17)), "indeterminate unsupported"},
		"many references":     {refs(257), "indeterminate unsupported"},
		"as many as may be":   {refs(256), "valid whole"},
		"namespace amplified": {into(decision, longURI+sig), "indeterminate unsupported"},
		"long name":           {in("<" + strings.Repeat("a", 5000) + "/>"), "invalid malformed"},
		"open tags":           {sig + strings.Repeat("<", 1<<20), "invalid malformed"},
		"open comment":        {in("<!-- "), "invalid malformed"},
		"transforms": {into(decision, signing{who: people().signer, refs: []ref{{transforms: strings.Repeat(excC14N, 9), octets: decision}}}.xml(t)),
			"indeterminate unsupported"},
		"key of much": {strings.Replace(in(""), "<ds:X509Certificate>", "<ds:X509Certificate>"+strings.Repeat("A", 3<<20), 1), "invalid malformed"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, c.doc, c.want) })
	}
	if got := verify(t, "<all>"+pile+"</all>"); len(got) != 65 || got[64].Status != trust.Indeterminate {
		t.Errorf("%d results", len(got))
	}
}

func many(n int, r ref) []ref {
	out := make([]ref, n)
	for i := range out {
		out[i] = r
	}
	return out
}

// TestHostileOOXML: packages made to take time or memory.
func TestHostileOOXML(t *testing.T) {
	bomb := signedParts(t)
	bomb["word/document.xml"] = strings.Repeat("0", 64<<20)
	large := signedParts(t)
	large["_rels/.rels"] = `<Relationships xmlns="` + relNS + `">` + strings.Repeat(" ", 5<<20) + `</Relationships>`
	crowd := parts()
	for i := range 10_001 {
		crowd["x"+strings.Repeat("y", i%50)+string(rune('a'+i%26))+b64([]byte{byte(i), byte(i >> 8), 0})[:4]] = ""
	}
	for len(crowd) <= 10_001 {
		crowd[strings.Repeat("z", len(crowd)%1000)+b64([]byte{byte(len(crowd)), byte(len(crowd) >> 8)})[:3]] = ""
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"bomb":  {zipped(t, bomb), "invalid digest"},
		"large": {zipped(t, large), "indeterminate unsupported"},
		"crowd": {zipped(t, crowd), "indeterminate unsupported"},
	} {
		if got := verifyPack(t, c.b); len(got) != 1 || say(got[0]) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	at := testpki.Now().AddDate(0, -1, 0)
	stamped := into(decision, signing{who: people().signer, refs: []ref{whole(decision)}, xades: true,
		unsigned: func(v string) string { return stampValue(b, people().tsa, v, at) }}.xml(b))
	body := strings.Replace(decision, "100", strings.Repeat("<line no=\"1\">giấy tờ</line>", 40_000), 1)
	large := into(body, signing{who: people().signer, refs: []ref{whole(body)}, xades: true}.xml(b))
	rsa := into(decision, signing{who: people().rsa, method: rsa256, refs: []ref{whole(decision)}, xades: true}.xml(b))
	for name, doc := range map[string]string{"XAdES-B": good(b, true), "XAdES-B RSA": rsa, "XAdES-T": stamped, "1.2 MB": large, "none 1.2 MB": body} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if got := verify(b, doc); len(got) > 0 && got[0].Status != trust.Valid {
					b.Fatalf("%+v", got)
				}
			}
		})
	}
	pack := zipped(b, signedParts(b))
	b.Run("OOXML", func(b *testing.B) {
		for b.Loop() {
			if got := verifyPack(b, pack); got[0].Status != trust.Valid {
				b.Fatalf("%+v", got)
			}
		}
	})
}
