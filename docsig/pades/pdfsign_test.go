package pades_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/digitorus/pdf"
	"github.com/digitorus/pdfsign/sign"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

// authority is a timestamping authority on loopback, good enough for pdfsign.
func authority(t *testing.T, tsa *testpki.Identity) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var q struct {
			Version int
			Imprint struct {
				Algorithm pkix.AlgorithmIdentifier
				Digest    []byte
			}
		}
		if err == nil {
			_, err = asn1.Unmarshal(body, &q)
		}
		if err != nil {
			t.Error(err)
			return
		}
		token := tsa.TokenOf(t, q.Imprint.Digest, testpki.Now())
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(testpki.Seq(testpki.Seq([]byte{2, 1, 0}), token)) // the client notices what is cut
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// pdfsign signs with another implementation, once more on what is signed already.
func pdfsign(t *testing.T, b []byte, id *testpki.Identity, data sign.SignData) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "in.pdf"), filepath.Join(t.TempDir(), "out.pdf")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	rdr, err := pdf.NewReader(f, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	data.Signer, data.Certificate, data.DigestAlgorithm = id.Key, id.Cert, crypto.SHA256
	data.CertificateChains = [][]*x509.Certificate{{id.Cert, id.Issuer.Cert}}
	data.Signature.Info = sign.SignDataSignatureInfo{Name: "A", Reason: "decision", Date: testpki.Now()}
	if err := sign.Sign(f, o, rdr, int64(len(b)), data); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPdfsign(t *testing.T) {
	w := newWorld(t)
	rsa := w.root.Issue(t, "RSA", testpki.RSA(t, 2048))
	ec := w.root.Issue(t, "EC", testpki.EC(t, elliptic.P384()))
	approval := sign.SignData{Signature: sign.SignDataSignature{CertType: sign.ApprovalSignature}}
	visible := approval
	visible.Appearance = sign.Appearance{Visible: true, Page: 1, LowerLeftX: 10, LowerLeftY: 10, UpperRightX: 90, UpperRightY: 40}
	certified := sign.SignData{Signature: sign.SignDataSignature{CertType: sign.CertificationSignature, DocMDPPerm: sign.AllowFillingExistingFormFieldsAndSignaturesPerms}}
	stampedOne := approval
	stampedOne.TSA.URL = authority(t, w.tsa)
	base := testpki.NewPDF(t, false).Bytes
	for name, c := range map[string]struct {
		id   *testpki.Identity
		data sign.SignData
	}{"RSA": {rsa, approval}, "EC": {ec, approval}, "visible": {rsa, visible}, "certified": {rsa, certified}, "timestamp": {ec, stampedOne}} {
		t.Run(name, func(t *testing.T) {
			b := pdfsign(t, base, c.id, c.data)
			out := w.want(t, b, good)
			if name == "timestamp" && !out[0].Proved.Equal(testpki.Now()) {
				t.Errorf("proved %v", out[0].Proved)
			}
			i := bytes.Index(b, []byte("amount 100"))
			b[i+7] = '9'
			w.want(t, b, "invalid "+trust.Digest)
		})
	}
	t.Run("twice", func(t *testing.T) {
		both(t, func(t *testing.T, p *testpki.PDF) {
			b := pdfsign(t, p.Bytes, rsa, approval)
			b = pdfsign(t, b, ec, approval)
			w.want(t, b, good, good)
			// The same objects, a page among them, that no section knows.
			hidden := bytes.LastIndex(b, []byte("startxref"))
			b = append(b[:hidden:hidden], append([]byte("4 0 obj\n<<>>\nendobj\n"), b[hidden:]...)...)
			w.want(t, b, altered, "invalid "+trust.Digest)
		})
	})
}
