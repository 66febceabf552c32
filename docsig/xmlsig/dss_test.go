package xmlsig_test

import (
	"bufio"
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig"
	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// dss is the EU's DSS library and Apache POI in a process of their own
// (.ci/dss), with an authority, signers, a timestamping authority and a
// revocation list that they take for real: the clock is the machine's.
type dss struct {
	dir     string
	anchors *trust.Anchors
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startDSS(t testing.TB) *dss {
	t.Helper()
	if os.Getenv("LUUTRU_DSS") == "" {
		t.Skip("LUUTRU_DSS is not set")
	}
	home, err := filepath.Abs("../../.ci/dss/target")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	life := testpki.Life(now.AddDate(0, 0, -1), now.AddDate(1, 0, 0))
	root := testpki.Root(t, "Root", life)
	d := &dss{dir: t.TempDir(), anchors: &trust.Anchors{CAs: []*x509.Certificate{root.Cert}}}
	d.write(t, "ca.pem", []byte(root.PEM()))
	d.write(t, "ca.crl", root.CRL(t, testpki.Period{This: now.Add(-time.Hour), Next: now.AddDate(0, 0, 7)}, now))
	d.store(t, "rsa", root.Issue(t, "Signer", testpki.RSA(t, 2048), life))
	d.store(t, "ec", root.Issue(t, "Signer", testpki.EC(t, elliptic.P256()), life))
	d.store(t, "tsa", root.TSA(t, "TSA", life))
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx768m", "-Dorg.apache.xml.security.ignoreLineBreaks=true", "-cp", filepath.Join(home, "lib", "*")+":"+filepath.Join(home, "classes"), "Dss", d.dir)
	if d.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.in.Close(); cmd.Wait() })
	d.out = bufio.NewScanner(out)
	d.out.Buffer(nil, 1<<20)
	return d
}

func (d *dss) path(name string) string { return filepath.Join(d.dir, name) }

func (d *dss) write(t testing.TB, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(d.path(name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return d.path(name)
}

func (d *dss) read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(d.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// store puts a key into a PKCS#12 file.
func (d *dss) store(t testing.TB, name string, id *testpki.Identity) {
	t.Helper()
	pem := d.write(t, name+".pem", []byte(id.KeyPEM(t)+id.PEM()))
	out, err := exec.CommandContext(t.Context(), "openssl", "pkcs12", "-export", "-in", pem, "-name", name, "-out", d.path(name+".p12"), "-passout", "pass:test").CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

// ask does one job.
func (d *dss) ask(t testing.TB, words ...string) string {
	t.Helper()
	if _, err := fmt.Fprintln(d.in, strings.Join(words, "\t")); err != nil {
		t.Fatal(err)
	}
	if !d.out.Scan() {
		t.Fatalf("DSS has ended: %v", d.out.Err())
	}
	return d.out.Text()
}

// must does a job that may not fail.
func (d *dss) must(t testing.TB, words ...string) {
	t.Helper()
	if got := d.ask(t, words...); strings.HasPrefix(got, "error") {
		t.Fatalf("%v: %s", words, got)
	}
}

// passed is DSS's judgement: every signature total passed, and there is one.
func (d *dss) passed(t testing.TB, name string, b []byte) (bool, string) {
	t.Helper()
	got := d.ask(t, "judge", d.write(t, name, b))
	w := strings.Fields(got)
	if len(w) < 3 || w[0] == "0" || w[0] == "error" {
		return false, got
	}
	for i := 1; i < len(w); i += 2 {
		if w[i] != "TOTAL_PASSED" {
			return false, got
		}
	}
	return true, got
}

// ours is our judgement of the same.
func (d *dss) ours(t testing.TB, name string, b []byte) (bool, string) {
	t.Helper()
	r, size, now := bytes.NewReader(b), int64(len(b)), time.Now()
	var got []trust.Signature
	var err error
	switch filepath.Ext(name) {
	case ".xml":
		got, err = xmlsig.Verify(t.Context(), r, size, d.anchors, now)
	case ".docx", ".xlsx":
		got, err = xmlsig.VerifyOOXML(t.Context(), r, size, d.anchors, now)
	default:
		got, err = docsig.Verify(t.Context(), name, "", r, size, d.anchors, now)
	}
	if err != nil {
		t.Fatal(err)
	}
	all, words := len(got) > 0, []string{}
	for _, s := range got {
		all = all && (s.Status == trust.Valid || s.Form == "DocTimeStamp")
		words = append(words, strings.TrimSpace(s.Form+" "+say(s)+" "+s.Detail))
	}
	return all, strings.Join(words, "; ")
}

const dssXML = `<?xml version="1.0" encoding="UTF-8"?>
<decision xmlns="urn:test:d" xmlns:u="urn:u" ID="d1"><!-- c --><amount u:a="1" b='2'>100</amount></decision>`

// plainPDF is a page with a line of text that is not compressed.
func plainPDF() []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
		"<</Length 46>>\nstream\nBT /F 12 Tf 50 200 Td (amount 100 dong) Tj ET \nendstream",
	}
	at := make([]int, 0, len(objects))
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// TestDSS: every form and level that DSS makes is valid for both; with the
// content changed it is valid for neither. With bytes altered at random nothing
// is valid for us that is not for DSS.
func TestDSS(t *testing.T) {
	d := startDSS(t)
	d.write(t, "in.xml", []byte(dssXML))
	d.write(t, "in.pdf", plainPDF())
	d.write(t, "in.txt", []byte("the amount is 100\n"))
	type job struct{ level, packaging, digest, key, in, ext string }
	var jobs []job
	for _, level := range []string{"B", "T", "LT", "LTA"} {
		jobs = append(jobs, job{"XAdES-BASELINE-" + level, "ENVELOPED", "SHA256", "rsa", "in.xml", ".xml"},
			job{"XAdES-BASELINE-" + level, "ENVELOPING", "SHA384", "ec", "in.xml", ".xml"},
			job{"PAdES-BASELINE-" + level, "ENVELOPED", "SHA256", "rsa", "in.pdf", ".pdf"},
			job{"CAdES-BASELINE-" + level, "ENVELOPING", "SHA256", "ec", "in.txt", ".p7m"})
	}
	jobs = append(jobs, job{"XAdES-BASELINE-B", "INTERNALLY_DETACHED", "SHA512", "ec", "in.xml", ".xml"},
		job{"XAdES-BASELINE-B", "ENVELOPED", "SHA256-PSS", "rsa", "in.xml", ".xml"}, job{"XAdES-BASELINE-B", "ENVELOPED_V1", "SHA256", "rsa", "in.xml", ".xml"},
		job{"PAdES-BASELINE-B", "ENVELOPED", "SHA512", "ec", "in.pdf", ".pdf"}, job{"CAdES-BASELINE-B", "ENVELOPING", "SHA256-PSS", "rsa", "in.txt", ".p7m"})
	random := rand.New(rand.NewPCG(3, 4))
	for i, j := range jobs {
		t.Run(fmt.Sprintf("%s %s %s %s", j.level, j.packaging, j.digest, j.key), func(t *testing.T) {
			name := fmt.Sprintf("signed-%d%s", i, j.ext)
			if got := d.ask(t, "sign", j.level, j.packaging, j.digest, d.path(j.key+".p12"), d.path(j.in), d.path(name)); got != "signed" {
				t.Skip("DSS does not make it: ", got)
			}
			b := d.read(t, name)
			theirs, why := d.passed(t, name, b)
			ours, mine := d.ours(t, name, b)
			t.Logf("signed:  DSS %-40s ours %s", why, mine)
			if !theirs || !ours {
				t.Error("not valid for both")
			}
			coded := j.ext == ".xml" && j.packaging == "ENVELOPING" // the content is in base64
			if bad := bytes.Replace(b, []byte("100"), []byte("900"), 1); !coded && !bytes.Equal(bad, b) {
				theirs, why := d.passed(t, "bad-"+name, bad)
				ours, mine := d.ours(t, "bad-"+name, bad)
				t.Logf("changed: DSS %-40s ours %s", why, mine)
				if theirs || ours {
					t.Error("valid though changed")
				}
			}
			d.damage(t, name, b, random)
		})
	}
}

// damage alters bytes at random and counts who accepts what. DSS must not refuse
// a signature in XML that we accept; an exception of DSS is no judgement.
func (d *dss) damage(t *testing.T, name string, b []byte, random *rand.Rand) {
	t.Helper()
	var both, neither, theirsOnly, oursOnly int
	for range 25 {
		bad := bytes.Clone(b)
		i := random.IntN(len(bad))
		bad[i] ^= byte(1 + random.IntN(255))
		theirs, why := d.passed(t, "bad-"+name, bad)
		ours, mine := d.ours(t, "bad-"+name, bad)
		switch {
		case theirs && ours:
			both++
		case theirs:
			theirsOnly++
		case ours && strings.HasPrefix(why, "1 ") && strings.HasSuffix(name, ".xml"):
			t.Errorf("byte %d: DSS %s, ours %s", i, why, mine)
		case ours: // DSS stumbles over unsigned parts, or another package answers for it
			oursOnly++
			t.Logf("byte %d: DSS %s, ours %s", i, why, mine)
		default:
			neither++
		}
	}
	t.Logf("25 bytes altered: refused by both %d, accepted by both %d, refused by us alone %d, by DSS alone %d", neither, both, theirsOnly, oursOnly)
}

// TestDSSOffice: Office documents that Apache POI signs.
func TestDSSOffice(t *testing.T) {
	d := startDSS(t)
	for _, ext := range []string{".docx", ".xlsx"} {
		for _, digest := range []string{"sha256", "sha512"} {
			t.Run(ext+" "+digest, func(t *testing.T) {
				in, out := d.path("in"+ext), d.path("out"+ext)
				d.must(t, "office-make", in)
				d.must(t, "office-sign", d.path("rsa.p12"), digest, in, out)
				b := d.read(t, "out"+ext)
				ours, mine := d.ours(t, "out"+ext, b)
				t.Logf("signed: POI %s, ours %s", d.ask(t, "office-judge", out), mine)
				if !ours || d.ask(t, "office-judge", out) != "valid" {
					t.Error("not valid for both")
				}
				for name, bad := range map[string][]byte{
					"changed":     rezip(t, b, func(n string, c []byte) []byte { return bytes.Replace(c, []byte("100"), []byte("900"), 1) }, nil),
					"macro added": rezip(t, b, withBinaries, map[string]string{"word/vbaProject.bin": "x"}),
				} {
					ours, mine := d.ours(t, "bad"+ext, bad)
					t.Logf("%s: POI %s, ours %s", name, d.ask(t, "office-judge", d.write(t, "bad"+ext, bad)), mine)
					if ours {
						t.Error("valid though changed")
					}
				}
				// A second signature beside the first.
				d.must(t, "office-sign", d.path("rsa.p12"), digest, out, d.path("two"+ext))
				ours, mine = d.ours(t, "two"+ext, d.read(t, "two"+ext))
				if !ours || !strings.Contains(mine, ";") {
					t.Error(mine)
				}
			})
		}
	}
}

// withBinaries declares the content type of macros.
func withBinaries(name string, content []byte) []byte {
	if name != "[Content_Types].xml" {
		return content
	}
	return bytes.Replace(content, []byte("</Types>"), []byte(`<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>`), 1)
}
