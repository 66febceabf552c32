package docsig_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/luutru/luutru/docsig"
	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

var letter = []byte("Quyết định: cấp giấy khai sinh.\n")

func world(t testing.TB) (leaf *testpki.Identity, a *trust.Anchors) {
	t.Helper()
	root := testpki.Root(t, "Root")
	a, err := trust.New([]string{root.PEM()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return root.Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256())), a
}

func message(t testing.TB, leaf *testpki.Identity, detached bool, h crypto.Hash) []byte {
	return testpki.Message{Content: letter, Detached: detached, Signers: []testpki.Signer{{ID: leaf, Hash: h}}, Certs: []*x509.Certificate{leaf.Cert}}.DER(t)
}

func verify(t testing.TB, name string, b []byte, a *trust.Anchors) []trust.Signature {
	t.Helper()
	out, err := docsig.Verify(context.Background(), name, "", bytes.NewReader(b), int64(len(b)), a, testpki.Now())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zipped(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(letter); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The form is told by the content.
func TestVerify(t *testing.T) {
	leaf, a := world(t)
	p := testpki.NewPDF(t, false)
	unsigned := bytes.Clone(p.Bytes)
	p.Sign(t, testpki.Field{}, func(signed []byte) []byte {
		return testpki.Message{Content: signed, Detached: true, Signers: []testpki.Signer{{ID: leaf}}, Certs: []*x509.Certificate{leaf.Cert}}.DER(t)
	})
	attached := message(t, leaf, false, crypto.SHA256)
	for name, c := range map[string]struct {
		b    []byte
		form string
	}{
		"signed.pdf":    {p.Bytes, "PAdES"},
		"pdf.without":   {p.Bytes, "PAdES"},
		"unsigned.pdf":  {unsigned, ""},
		"a.p7m":         {attached, "CAdES"},
		"a":             {attached, "CAdES"},
		"pem.p7m":       {pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: attached}), "CAdES"},
		"base64.p7m":    {[]byte(base64.StdEncoding.EncodeToString(attached)), "CAdES"},
		"base64.txt":    {[]byte(base64.StdEncoding.EncodeToString(attached)), ""},
		"empty":         {nil, ""},
		"empty.p7m":     {nil, ""},
		"text.txt":      {letter, ""},
		"text.p7m":      {letter, ""},
		"zeros":         {make([]byte, 5000), ""},
		"nothing.zip":   {zipped(t), ""},
		"some.xml":      {[]byte("<?xml version=\"1.0\"?><a/>"), ""},
		"certificate":   {leaf.Cert.Raw, ""},
		"short.pdf":     {[]byte("%PDF-1.7"), ""},
		"0 as text.txt": {append([]byte("0\x82"), letter...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := verify(t, name, c.b, a)
			switch {
			case c.form == "" && len(out) > 0:
				t.Errorf("%+v", out)
			case c.form != "" && (len(out) != 1 || out[0].Form != c.form || out[0].Status != trust.Valid || !out[0].Whole):
				t.Errorf("%+v", out)
			}
		})
	}
}

func TestVerifyBroken(t *testing.T) {
	leaf, a := world(t)
	attached := message(t, leaf, false, crypto.SHA256)
	out := verify(t, "a.p7m", append(bytes.Clone(attached), "rest"...), a)
	if len(out) != 1 || out[0].Status != trust.Indeterminate || out[0].Reason != trust.Malformed {
		t.Errorf("%+v", out)
	}
	out = verify(t, "a.p7s", message(t, leaf, true, crypto.SHA256), a)
	if len(out) != 1 || out[0].Status != trust.Indeterminate || out[0].Reason != trust.Unsupported || out[0].Whole {
		t.Errorf("%+v", out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, b := range [][]byte{attached, letter} {
		if _, err := docsig.Verify(ctx, "", "", bytes.NewReader(b), int64(len(b)), a, testpki.Now()); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	if _, err := docsig.Verify(t.Context(), "", "", bytes.NewReader(attached), int64(len(attached))+5, a, testpki.Now()); err == nil {
		t.Error("shorter than said, and no error")
	}
}

func TestDetached(t *testing.T) {
	leaf, a := world(t)
	sum, other := sha256.Sum256(letter), sha256.Sum256(nil)
	detached := message(t, leaf, true, crypto.SHA256)
	for name, c := range map[string]struct {
		sig    []byte
		digest [32]byte
		st     trust.Status
		reason string
	}{
		"good":           {detached, sum, trust.Valid, trust.RevocationUnknown},
		"PEM":            {pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: detached}), sum, trust.Valid, trust.RevocationUnknown},
		"base64":         {[]byte(base64.StdEncoding.EncodeToString(detached)), sum, trust.Valid, trust.RevocationUnknown},
		"other document": {detached, other, trust.Invalid, trust.Digest},
		"SHA-512":        {message(t, leaf, true, crypto.SHA512), sum, trust.Indeterminate, trust.Unsupported},
		"attached":       {message(t, leaf, false, crypto.SHA512), sum, trust.Valid, trust.RevocationUnknown},
		"attached other": {message(t, leaf, false, crypto.SHA512), other, trust.Invalid, trust.Digest},
		"broken":         {append(bytes.Clone(detached), 7), sum, trust.Indeterminate, trust.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := docsig.Detached(t.Context(), c.sig, c.digest[:], a, testpki.Now())
			if err != nil || len(out) != 1 || out[0].Status != c.st || out[0].Reason != c.reason {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
	for _, none := range [][]byte{nil, {0x30}, []byte("hello"), leaf.Cert.Raw} {
		if out, err := docsig.Detached(t.Context(), none, sum[:], a, testpki.Now()); err != nil || len(out) > 0 {
			t.Errorf("%+v, %v", out, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	leaf, a := world(f)
	f.Add("a.p7m", message(f, leaf, false, crypto.SHA256))
	f.Add("a.p7s", []byte(base64.StdEncoding.EncodeToString(message(f, leaf, true, crypto.SHA256))))
	f.Add("a.xml", []byte("<?xml version=\"1.0\"?><a xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/>"))
	f.Add("a.docx", zipped(f))
	f.Add("a.pdf", testpki.NewPDF(f, true).Bytes)
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		for _, s := range verify(t, name, b, a) {
			if s.Status == "" || (s.Status != trust.Valid && s.Reason == "") {
				t.Errorf("no answer: %+v", s)
			}
		}
		sum := sha256.Sum256(b)
		out, err := docsig.Detached(t.Context(), b, sum[:], a, testpki.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out {
			if s.Status == trust.Valid {
				t.Error("a message that signs itself")
			}
		}
	})
}
