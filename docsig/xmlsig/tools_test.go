package xmlsig_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// outside skips a test that needs public tools (xmlsec1, xmllint; .ci/xmlsig
// installs them) unless it is asked for.
func outside(t testing.TB) {
	if os.Getenv("LUUTRU_DOCSIG") == "" {
		t.Skip("LUUTRU_DOCSIG is not set")
	}
}

// shop is a folder with the keys and certificates of the tests' world.
type shop struct{ dir string }

func newShop(t testing.TB) *shop {
	s := &shop{t.TempDir()}
	w := people()
	s.write(t, "root.pem", w.root.PEM())
	s.write(t, "ec.pem", w.signer.PEM())
	s.write(t, "ec.key", w.signer.KeyPEM(t))
	s.write(t, "rsa.pem", w.rsa.PEM())
	s.write(t, "rsa.key", w.rsa.KeyPEM(t))
	return s
}

func (s *shop) write(t testing.TB, name, text string) string {
	t.Helper()
	p := filepath.Join(s.dir, name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// idAttributes tells xmlsec1 which attributes are IDs.
func idAttributes() []string {
	out := []string{"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Object", "--id-attr:Id", "data"}
	for _, n := range []string{"d", "urn:a:d", "urn:1:d", "urn:r:d", "urn:test:d:decision"} {
		out = append(out, "--id-attr:ID", n)
	}
	return out
}

// accepts asks xmlsec1.
func (s *shop) accepts(t testing.TB, doc string) (bool, string) {
	t.Helper()
	f := s.write(t, "doc.xml", doc)
	cmd := exec.CommandContext(t.Context(), "xmlsec1", "--verify", "--trusted-pem", filepath.Join(s.dir, "root.pem"), "--verification-time", "2026-06-01 08:00:00",
		"--enabled-key-data", "x509")
	cmd.Args = append(append(cmd.Args, idAttributes()...), f)
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

// sign lets xmlsec1 fill in a template.
func (s *shop) sign(t testing.TB, key, doc string) string {
	t.Helper()
	f := s.write(t, "in.xml", doc)
	out := filepath.Join(s.dir, "out.xml")
	cmd := exec.CommandContext(t.Context(), "xmlsec1", "--sign", "--privkey-pem", filepath.Join(s.dir, key+".key")+","+filepath.Join(s.dir, key+".pem"), "--output", out)
	cmd.Args = append(append(cmd.Args, idAttributes()...), f)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("xmlsec1: %v\n%s\n%s", err, text, doc)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestXMLSecVerifies: what the tests sign is what xmlsec1 takes for signed, and
// what is altered is refused by both.
func TestXMLSecVerifies(t *testing.T) {
	outside(t)
	s := newShop(t)
	w := people()
	object := `<ds:Object ` + ds + ` Id="o">` + decision + `</ds:Object>`
	data := `<data Id="x"><amount>100</amount></data>`
	for name, doc := range map[string]string{
		"enveloped":  good(t, false),
		"xades":      good(t, true),
		"rsa":        into(decision, signing{who: w.rsa, method: rsa256, refs: []ref{whole(decision)}, xades: true}.xml(t)),
		"enveloping": signing{who: w.signer, refs: []ref{{uri: "#o", transforms: excC14N, octets: object}}, objects: object}.xml(t),
		"detached":   `<all>` + data + signing{who: w.signer, refs: []ref{{uri: "#x", transforms: excC14N, octets: data}}}.xml(t) + `</all>`,
	} {
		t.Run(name, func(t *testing.T) {
			if ok, out := s.accepts(t, doc); !ok {
				t.Error(out)
			}
			bad := strings.Replace(doc, "100", "900", 1)
			if ok, _ := s.accepts(t, bad); ok {
				t.Error("xmlsec1 accepts an altered document")
			}
			never(t, "altered", verify(t, bad))
		})
	}
}

// TestXMLSecSigns: xmlsec1 signs documents of many shapes in every canonical
// form, and we verify them.
func TestXMLSecSigns(t *testing.T) {
	outside(t)
	s := newShop(t)
	docs := []string{
		`<d ID="d1">@</d>`,
		`<d xmlns="urn:a" xmlns:b="urn:b" ID="d1" b:z="1" a="2"><b:x xmlns="" y="3"><z/></b:x>@</d>`,
		"<?xml version=\"1.0\"?>\n<?pi  data ?>\n<!-- c -->\n<d xml:lang=\"vi\" ID=\"d1\" t=\"&#9;&#10;a\n b\t&quot;'\"><![CDATA[<&>]]>&lt;&gt;&amp;&#13;\r\n<e xml:space=\"preserve\"> </e>@</d>\n<?end?>",
		`<a:d xmlns:a="urn:1" xmlns:c="urn:0" a:q="" c:q="" ID="d1"><a:e xmlns:a="urn:2"><a:f xmlns:a="urn:1"/></a:e><!-- in --><c:g xmlns:c="urn:0">ế 😀</c:g>@</a:d>`,
		`<r xmlns:u="urn:unused" xml:lang="vi" xmlns="urn:r"><p><d xmlns:v="urn:v" ID="d1" v:a="x"><k xmlns=""/>@</d></p></r>`,
	}
	n := 0
	for _, doc := range docs {
		for _, canon := range []string{c14n10, c14n10 + "#WithComments", c14n11, c14n11 + "#WithComments", exc, exc + "WithComments"} {
			for _, inner := range []string{c14n10, exc, c14n11 + "#WithComments"} {
				for _, uri := range []string{"", "#d1"} {
					n++
					method, key, digest := []string{rsa256, ecdsa256}[n%2], []string{"rsa", "ec"}[n%2], "http://www.w3.org/2001/04/xmlenc#sha512"
					template := fmt.Sprintf(`<ds:Signature %s xmlns:p="urn:p"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%s"/><ds:Reference URI="%s"><ds:Transforms>%s<ds:Transform Algorithm="%s"/></ds:Transforms>`+
						`<ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>`,
						ds, canon, method, uri, enveloped, inner, digest)
					signed := s.sign(t, key, strings.Replace(doc, "@", template, 1))
					got := verify(t, signed)
					if len(got) != 1 || got[0].Signer == nil || got[0].Status == trust.Invalid {
						t.Fatalf("%+v\n%s", got, signed)
					}
				}
			}
		}
	}
	t.Logf("%d signatures", n)
}

// TestXMLLint compares canonical forms with libxml2's, on chosen and on random
// documents, and that both refuse the same
// ones; errors of namespaces, which libxml2 repairs, are left out.
func TestXMLLint(t *testing.T) {
	outside(t)
	docs := []string{
		"<a b=\"1\n2\tx\"/>", "<a b='1&#10;2&#13;' c=\"&quot;&lt;&gt;'\">&#13;x]]&gt;</a>", `<a xmlns="u:1"><b xmlns=""><c xmlns="u:1"/></b></a>`,
		`<a xmlns:p="u:1" xmlns:q="u:0" q:z="1" p:a="2" b="3"/>`, `<?pi x?><a><?in y?></a><!--c--><?after?>`, `<a xml:lang="vi" b="ế"><![CDATA[<x>&]]></a>`,
		"<a>x\r\ny\rz</a>", `<a xmlns:p="u:1"><p:b xmlns:p="u:1"/><c xmlns:p="u:1" p:d=""/></a>`, `<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>`,
		`<a b="1" b="2"/>`, `<a>&x;</a>`, `<a b="<"/>`, `<a>]]></a>`, `<a><b></a></b>`, `<a/><b/>`, `<a`, `x<a/>`, `<a>&#0;</a>`, `<a>&#xD800;</a>`, `<a b=1/>`, `<a b/>`,
		`<!-- -- --><a/>`, `<a><!-- x --->`, `<?xml version="1.0"?><?xml version="1.0"?><a/>`, ` <?xml version="1.0"?><a/>`, `<1a/>`, `<a b="&lt"/>`, `<a></a  >`, `< a/>`,
		`<ế ệ="1"/>`, `<a b = "1"/>`, `<a b="1"c="2"/>`, `<a.-_/>`, `<?a?b?><c/>`, `<a><?xml x?></a>`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		docs = append(docs, randomXML(random, 4))
	}
	dir := t.TempDir()
	for i, doc := range docs {
		f := filepath.Join(dir, fmt.Sprint(i)+".xml")
		if err := os.WriteFile(f, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		for flag, algorithm := range map[string]string{"--c14n": c14n10 + "#WithComments", "--c14n11": c14n11 + "#WithComments", "--exc-c14n": exc + "WithComments"} {
			var out bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "xmllint", "--nonet", flag, f)
			cmd.Stdout = &out
			theirs := cmd.Run()
			got, ours := xmlsig.Canonical([]byte(doc), algorithm, "")
			if (theirs == nil) != (ours == nil) || (ours == nil && !bytes.Equal(got, out.Bytes())) {
				t.Errorf("%s %q:\n%q %v\n%q %v", flag, doc, got, ours, out.String(), theirs)
			}
		}
	}
}

// randomXML makes an element with namespaces, attributes and text in any order.
func randomXML(r *rand.Rand, depth int) string {
	prefixes := []string{"", "a:", "b:", "xml:"}
	texts := []string{"", "x", "&lt;", " \n", "<![CDATA[>]]>", "<!-- c -->", "<?p d?>", "&#13;", "ế", "&quot;"}
	var b strings.Builder
	name := prefixes[r.IntN(3)] + "e"
	fmt.Fprintf(&b, "<%s", name)
	if depth == 4 {
		b.WriteString(` xmlns:a="u:1" xmlns:b="u:2"`)
	} else if r.IntN(3) == 0 {
		fmt.Fprintf(&b, ` xmlns:a="u:%d"`, 3+r.IntN(2)) // b stays u:2, so no two attributes are the same
	}
	if r.IntN(3) == 0 {
		fmt.Fprintf(&b, ` xmlns="%s"`, []string{"", "u:1", "u:5"}[r.IntN(3)])
	}
	for _, p := range prefixes {
		for _, n := range []string{"m", "lang", "b"} {
			if r.IntN(3) == 0 && (p != "xml:" || n == "lang") {
				fmt.Fprintf(&b, ` %s%s="%s"`, p, n, []string{"", "1", "&#9;", "\t", "'", "&gt;"}[r.IntN(6)])
			}
		}
	}
	b.WriteString(">")
	for range r.IntN(4) {
		b.WriteString(texts[r.IntN(len(texts))])
		if depth > 0 {
			b.WriteString(randomXML(r, depth-1))
		}
	}
	fmt.Fprintf(&b, "</%s>", name)
	return b.String()
}

func BenchmarkXMLSec(b *testing.B) {
	outside(b)
	s := newShop(b)
	doc := good(b, true)
	for b.Loop() {
		if ok, out := s.accepts(b, doc); !ok {
			b.Fatal(out)
		}
	}
}
