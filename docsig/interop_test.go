package docsig_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig"
	"github.com/luutru/luutru/docsig/cms"
	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

// tools is a folder with a hierarchy that stock tools can use, at the present:
// they know no other time.
type tools struct {
	t                    testing.TB
	dir                  string
	now                  time.Time
	root, leaf, tsa, rsa *testpki.Identity
	anchors              *trust.Anchors
}

func newTools(t testing.TB) *tools {
	t.Helper()
	if os.Getenv("LUUTRU_DOCSIG") == "" {
		t.Skip("LUUTRU_DOCSIG is not set: needs openssl and poppler's pdfsig (.ci/docsig)")
	}
	x := &tools{t: t, dir: t.TempDir(), now: time.Now().Add(time.Minute)} // certificates of openssl begin now
	life := testpki.Life(x.now.AddDate(0, -1, 0), x.now.AddDate(1, 0, 0))
	x.root = testpki.Root(t, "Root", life)
	x.leaf = x.root.Issue(t, "Nguyen Van A", testpki.EC(t, elliptic.P256()), life)
	x.rsa = x.root.Issue(t, "Tran Thi B", testpki.RSA(t, 2048), life)
	x.tsa = x.root.TSA(t, "TSA", life)
	for name, id := range map[string]*testpki.Identity{"root": x.root, "leaf": x.leaf, "tsa": x.tsa, "rsa": x.rsa} {
		x.put(name, id)
	}
	x.write("letter", letter)
	x.write("other", []byte("Quyết định: từ chối.\n"))
	var err error
	if x.anchors, err = trust.New([]string{x.root.PEM()}, nil); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *tools) put(name string, id *testpki.Identity) {
	x.write(name+".pem", []byte(id.PEM()))
	x.write(name+".key", []byte(id.KeyPEM(x.t)))
}

func (x *tools) path(name string) string { return filepath.Join(x.dir, name) }

func (x *tools) write(name string, b []byte) {
	x.t.Helper()
	if err := os.WriteFile(x.path(name), b, 0o600); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tools) read(name string) []byte {
	x.t.Helper()
	b, err := os.ReadFile(x.path(name))
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// try runs a command in the folder and tells whether it succeeded.
func (x *tools) try(line string) (string, bool) {
	args := strings.Fields(line)
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Dir = x.dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func (x *tools) run(line string) string {
	x.t.Helper()
	out, ok := x.try(line)
	if !ok {
		x.t.Fatalf("%s: %s", line, out)
	}
	return out
}

func (x *tools) verify(name string) []trust.Signature {
	x.t.Helper()
	b := x.read(name)
	out, err := docsig.Verify(context.Background(), name, "", bytes.NewReader(b), int64(len(b)), x.anchors, x.now)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

func answer(list []trust.Signature) string {
	var parts []string
	for _, s := range list {
		parts = append(parts, strings.TrimSpace(string(s.Status)+" "+s.Reason))
	}
	return strings.Join(parts, ", ")
}

// What openssl signs is verified here, and what is signed here by openssl, and
// both refuse the same.
func TestOpensslCMS(t *testing.T) {
	x := newTools(t)
	life := testpki.Life(x.now.AddDate(0, -1, 0), x.now.AddDate(1, 0, 0))
	x.put("p384", x.root.Issue(t, "P-384", testpki.EC(t, elliptic.P384()), life))
	x.put("p521", x.root.Issue(t, "P-521", testpki.EC(t, elliptic.P521()), life))
	x.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1 -out brainpool.key")
	x.run("openssl req -new -key brainpool.key -subj /CN=Brainpool -out brainpool.csr")
	x.run("openssl x509 -req -in brainpool.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -out brainpool.pem")
	x.run("openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out psskey.key")
	x.run("openssl req -new -key psskey.key -subj /CN=PSS -out psskey.csr")
	x.run("openssl x509 -req -in psskey.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -out psskey.pem")
	for _, c := range []struct{ name, who, more, good, bad string }{
		{"RSA SHA-256", "rsa", "-md sha256", "valid", "invalid"},
		{"RSA SHA-512 CAdES", "rsa", "-md sha512 -cades", "valid", "invalid"},
		{"RSA-PSS", "rsa", "-md sha256 -keyopt rsa_padding_mode:pss -cades", "valid", "invalid"},
		{"RSA-PSS, short salt", "rsa", "-md sha384 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20", "valid", "invalid"},
		{"RSA-PSS key", "psskey", "-md sha256 -keyopt rsa_padding_mode:pss", "valid", "invalid"},
		{"P-256", "leaf", "-md sha256", "valid", "invalid"},
		{"P-384", "p384", "-md sha384 -cades", "valid", "invalid"},
		{"P-521", "p521", "-md sha512", "valid", "invalid"},
		{"key identifier", "leaf", "-keyid", "valid", "invalid"},
		{"without attributes", "rsa", "-noattr", "valid", "invalid"},
		{"SHA-1", "rsa", "-md sha1", "indeterminate", "invalid"},
		{"brainpool", "brainpool", "-md sha256", "indeterminate", "invalid or indeterminate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &tools{t: t, dir: x.dir, now: x.now, anchors: x.anchors}
			sign := fmt.Sprintf("openssl cms -sign -binary -in letter -outform DER -signer %s.pem -inkey %s.key %s", c.who, c.who, c.more)
			x.run(sign + " -out detached.p7s")
			stream := " -stream" // indefinite lengths
			if strings.Contains(c.more, "pss") || c.more == "-noattr" {
				stream = "" // openssl cannot
			}
			x.run(sign + " -nodetach -out attached.p7m" + stream)
			for content, want := range map[string]string{"letter": c.good, "other": c.bad} {
				_, theirs := x.try("openssl cms -verify -binary -inform DER -in detached.p7s -CAfile root.pem -purpose any -content " + content + " -out out")
				sum := sha256.Sum256(x.read(content))
				ours, err := x.detached(content)
				if err != nil || len(ours) != 1 || !strings.Contains(want, string(ours[0].Status)) {
					t.Errorf("%s: %s, %v, want %s", content, answer(ours), err, want)
				}
				t.Logf("| %s | %s | openssl %v | %s |", c.name, content, theirs, answer(ours))
				if !strings.Contains(c.more, "sha") || strings.Contains(c.more, "sha256") {
					ours, err = docsig.Detached(t.Context(), x.read("detached.p7s"), sum[:], x.anchors, x.now)
					if err != nil || len(ours) != 1 || !strings.Contains(want, string(ours[0].Status)) {
						t.Errorf("%s by digest: %s, %v", content, answer(ours), err)
					}
				}
			}
			if ours := x.verify("attached.p7m"); len(ours) != 1 || string(ours[0].Status) != c.good {
				t.Errorf("attached: %s", answer(ours))
			}
		})
	}
}

// detached verifies detached.p7s over a file with all its digests at hand.
func (x *tools) detached(content string) ([]trust.Signature, error) {
	der := x.read("detached.p7s")
	m, err := cms.Parse(bytes.NewReader(der), int64(len(der)))
	if err != nil {
		return nil, err
	}
	return m.Verify(context.Background(), cms.Content(bytes.NewReader(x.read(content))), cms.Options{Anchors: x.anchors, Now: x.now})
}

// Messages, timestamps and lists of the tests' own making are what openssl
// takes them for: they test nothing otherwise.
func TestOpensslReadsOurs(t *testing.T) {
	x := newTools(t)
	for name, m := range map[string]testpki.Message{
		"EC":  {Content: letter, Signers: []testpki.Signer{{ID: x.leaf}}, Certs: []*x509.Certificate{x.leaf.Cert}},
		"BER": {Content: letter, Signers: []testpki.Signer{{ID: x.leaf}}, Certs: []*x509.Certificate{x.leaf.Cert}, BER: true},
		"PSS": {Content: letter, Signers: []testpki.Signer{{ID: x.rsa, PSS: true}, {ID: x.leaf, KeyID: true}}, Certs: []*x509.Certificate{x.leaf.Cert, x.rsa.Cert}},
	} {
		x.write("own.p7m", m.DER(t))
		if out, ok := x.try("openssl cms -verify -binary -inform DER -in own.p7m -CAfile root.pem -purpose any -cades -out out"); !ok {
			t.Errorf("%s: %s", name, out)
		}
	}
	x.write("own.tst", x.tsa.Token(t, letter, x.now))
	if out, ok := x.try("openssl ts -verify -data letter -in own.tst -token_in -CAfile root.pem -untrusted tsa.pem"); !ok {
		t.Error(out)
	}
	week := testpki.Period{This: x.now.Add(-time.Hour), Next: x.now.AddDate(0, 0, 7)}
	x.write("own.crl", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: x.root.CRL(t, week, x.now, x.leaf)}))
	if out, ok := x.try("openssl verify -crl_check -CAfile root.pem -CRLfile own.crl leaf.pem"); ok || !strings.Contains(out, "revoked") {
		t.Error(out)
	}
	x.write("own.ocsp", x.root.OCSP(t, x.rsa, week, time.Time{}, false))
	if out := x.run("openssl ocsp -respin own.ocsp -CAfile root.pem -issuer root.pem -cert rsa.pem"); !strings.Contains(out, "rsa.pem: good") {
		t.Error(out)
	}
}

// A timestamp, a list and a response that openssl made.
func TestOpensslEvidence(t *testing.T) {
	x := newTools(t)
	x.write("ts.cnf", []byte("[tsa]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\ness_cert_id_alg=sha256\n"+
		"[ca]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=7\n"))
	x.write("serial", []byte("01\n"))
	x.write("number", []byte("01\n"))
	x.write("index", nil)
	x.run("openssl ts -query -data letter -sha256 -cert -out q.tsq")
	x.run("openssl ts -reply -config ts.cnf -section tsa -queryfile q.tsq -token_out -out t.tst")
	token := x.read("t.tst")
	o := cms.Options{Anchors: x.anchors, Now: x.now.Add(time.Minute)}
	for content, want := range map[string]trust.Status{"letter": trust.Valid, "other": trust.Invalid} {
		s, err := cms.Timestamp(t.Context(), token, cms.Content(bytes.NewReader(x.read(content))), o)
		if err != nil || s.Status != want || s.Proved.IsZero() != (want != trust.Valid) {
			t.Errorf("%s: %+v, %v", content, s, err)
		}
	}
	serial := func(id *testpki.Identity) string {
		s := fmt.Sprintf("%X", id.Cert.SerialNumber)
		return strings.Repeat("0", len(s)%2) + s
	}
	end := x.now.AddDate(1, 0, 0).UTC().Format("060102150405Z")
	revoked := x.now.Add(-time.Hour).UTC().Format("060102150405Z")
	x.write("index", fmt.Appendf(nil, "R\t%s\t%s\t%s\tunknown\t/CN=a\nV\t%s\t\t%s\tunknown\t/CN=b\n", end, revoked, serial(x.leaf), end, serial(x.rsa)))
	x.run("openssl ca -gencrl -config ts.cnf -name ca -keyfile root.key -cert root.pem -out list.pem")
	x.run("openssl ocsp -index index -rsigner root.pem -rkey root.key -CA root.pem -issuer root.pem -cert leaf.pem -cert rsa.pem -reqout q.ocsp -respout r.ocsp -ndays 7")
	list, _ := pem.Decode(x.read("list.pem"))
	for name, ev := range map[string]trust.Evidence{"list": {CRLs: [][]byte{list.Bytes}}, "response": {OCSP: [][]byte{x.read("r.ocsp")}}} {
		at := time.Now().Add(time.Minute)
		if v := x.anchors.Check(x.leaf.Cert, nil, at, ev); v.Revocation != trust.Revoked {
			t.Errorf("%s: %+v", name, v)
		}
		if v := x.anchors.Check(x.rsa.Cert, nil, at, ev); v.Revocation != trust.Good || v.Status != trust.Valid {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The answers here and those of poppler's pdfsig, side by side.
func TestPdfsig(t *testing.T) {
	x := newTools(t)
	life := testpki.Life(x.now.AddDate(0, -1, 0), x.now.AddDate(1, 0, 0))
	rogue := testpki.Root(t, "Root", life).Issue(t, "Nguyen Van A", testpki.EC(t, elliptic.P256()), life)
	by := func(id *testpki.Identity, edit ...func(*testpki.Message)) func([]byte) []byte {
		return func(b []byte) []byte {
			m := testpki.Message{Content: b, Detached: true, Signers: []testpki.Signer{{ID: id, At: x.now}}, Certs: []*x509.Certificate{id.Cert}}
			for _, e := range edit {
				e(&m)
			}
			return m.DER(t)
		}
	}
	page := "<</Length 59>>\nstream\nBT /F1 18 Tf 20 100 Td (Decision: amount 999 granted) Tj ET\nendstream"
	embed := func(m *testpki.Message) { m.Detached = false }
	for _, c := range []struct {
		name        string
		id          *testpki.Identity
		edit        []func(*testpki.Message)
		after       func(p *testpki.PDF)
		ours, total string
	}{
		{"good, EC", x.leaf, nil, nil, "valid", "Total document signed"},
		{"good, RSA", x.rsa, nil, nil, "valid", "Total document signed"},
		{"RSA-PSS", x.rsa, []func(*testpki.Message){func(m *testpki.Message) { m.Signers[0].PSS = true }}, nil, "valid", ""},
		{"rogue authority of the same name", rogue, nil, nil, "indeterminate", "Total document signed"},
		{"one digit changed", x.leaf, nil, func(p *testpki.PDF) { p.Bytes = bytes.Replace(p.Bytes, []byte("amount 100"), []byte("amount 900"), 1) }, "invalid", ""},
		{"page replaced by an update", x.leaf, nil, func(p *testpki.PDF) { p.Revise(t, map[int]string{4: page}, "") }, "invalid", ""},
		{"content embedded in the message", x.leaf, []func(*testpki.Message){embed}, nil, "invalid", ""},
		{"embedded, and an empty range", x.leaf, []func(*testpki.Message){embed}, func(p *testpki.PDF) {
			i := bytes.Index(p.Bytes, []byte("/ByteRange["))
			j := i + bytes.IndexByte(p.Bytes[i:], ']')
			copy(p.Bytes[i+11:j], bytes.Repeat([]byte(" "), j-i-11))
			p.Bytes = bytes.Replace(p.Bytes, []byte("amount 100"), []byte("amount 900"), 1)
		}, "invalid", ""},
		{"validation data added", x.leaf, nil, func(p *testpki.PDF) { p.Store(t, [][]byte{x.root.Cert.Raw}, nil, nil) }, "valid", ""},
		{"second signature", x.leaf, nil, func(p *testpki.PDF) { p.Sign(t, testpki.Field{Visible: true}, by(x.rsa)) }, "valid, valid", ""},
		{"mark of an untrusted signer", x.leaf, nil, func(p *testpki.PDF) { p.Sign(t, testpki.Field{Visible: true}, by(rogue)) }, "indeterminate, indeterminate", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := testpki.NewPDF(t, false)
			p.Sign(t, testpki.Field{Visible: true, SubFilter: "adbe.pkcs7.detached"}, by(c.id, c.edit...))
			if c.after != nil {
				c.after(p)
			}
			x.write("a.pdf", p.Bytes)
			var ours []string
			for _, s := range x.verify("a.pdf") {
				ours = append(ours, string(s.Status))
			}
			if got := strings.Join(ours, ", "); got != c.ours {
				t.Errorf("%s, want %s", answer(x.verify("a.pdf")), c.ours)
			}
			out, _ := x.try("pdfsig -nocert a.pdf")
			var theirs []string
			for line := range strings.Lines(out) {
				if s := strings.TrimSpace(line); strings.Contains(s, "ignature Validation:") || strings.Contains(s, "ocument signed") {
					theirs = append(theirs, strings.TrimPrefix(strings.TrimPrefix(s, "- "), "Signature Validation: "))
				}
			}
			t.Logf("| %s | %s | %s |", c.name, answer(x.verify("a.pdf")), strings.Join(theirs, "; "))
			if !strings.Contains(out, c.total) {
				t.Errorf("pdfsig: %s", out)
			}
		})
	}
}

// How many signatures are verified in a second: here, and with a process each.
func TestRate(t *testing.T) {
	x := newTools(t)
	x.run("openssl cms -sign -binary -in letter -outform DER -signer rsa.pem -inkey rsa.key -md sha256 -out detached.p7s")
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{SubFilter: "adbe.pkcs7.detached"}, func(b []byte) []byte {
		return testpki.Message{Content: b, Detached: true, Signers: []testpki.Signer{{ID: x.rsa, At: x.now}}, Certs: []*x509.Certificate{x.rsa.Cert}}.DER(t)
	})
	x.write("a.pdf", p.Bytes)
	sum := sha256.Sum256(letter)
	rate := func(name string, n int, f func()) {
		start := time.Now()
		for range n {
			f()
		}
		t.Logf("%-28s %8.0f a second", name, float64(n)/time.Since(start).Seconds())
	}
	der := x.read("detached.p7s")
	rate("CMS here", 2000, func() {
		if out, err := docsig.Detached(t.Context(), der, sum[:], x.anchors, x.now); err != nil || out[0].Status != trust.Valid {
			t.Fatal(out, err)
		}
	})
	rate("openssl cms -verify", 50, func() {
		x.run("openssl cms -verify -binary -inform DER -in detached.p7s -CAfile root.pem -purpose any -content letter -out out")
	})
	rate("PDF here", 2000, func() {
		if out, err := docsig.Verify(t.Context(), "", "", bytes.NewReader(p.Bytes), int64(len(p.Bytes)), x.anchors, x.now); err != nil || out[0].Status != trust.Valid {
			t.Fatal(out, err)
		}
	})
	rate("pdfsig", 20, func() { x.run("pdfsig -nocert a.pdf") })
}
