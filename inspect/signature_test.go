package inspect_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestDetached verifies a signature by the digest that the declaration gives of the document beside it.
func TestDetached(t *testing.T) {
	text, sig, root := read(t, "quyet-dinh.txt"), read(t, "quyet-dinh.txt.p7s"), read(t, "root.pem")
	anchors, err := trust.New([]string{string(root)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	later := func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }
	trusting, stranger := open(t, inspect.Config{Anchors: anchors, Now: later}), open(t, inspect.Config{Now: later})
	other := dossier.Document{Name: "khac.txt", SHA256: digest([]byte("khác"))}
	signed := dossier.Document{Name: "quyet-dinh.txt", SHA256: digest(text), Role: "result"}
	renamed, changed := signed, signed
	renamed.Name = "ket-qua.txt"
	changed.SHA256 = digest([]byte("Quyết định: từ chối.\n"))
	for _, c := range []struct {
		what string
		i    *inspect.Inspector
		of   dossier.Document
		want string
	}{
		{"named after it", trusting, signed, "signature.valid"}, {"by any name", trusting, renamed, "signature.valid"},
		{"changed", trusting, changed, "signature.invalid"}, {"of a stranger", stranger, signed, "signature.untrusted"},
	} {
		d := &dossier.Declaration{Documents: []dossier.Document{other, c.of, {Name: "quyet-dinh.txt.p7s", MediaType: "application/pkcs7-signature", Role: "result"}}}
		fs, err := c.i.Document(t.Context(), d, 2, bytes.NewReader(sig), int64(len(sig)))
		if err != nil {
			t.Fatal(err)
		}
		var got []intake.Finding
		for _, f := range fs {
			if f.Check == intake.SignatureCheck {
				got = append(got, f)
			}
		}
		if len(got) != 1 || got[0].Code != c.want || got[0].Document != 2 {
			t.Errorf("%s: %+v, want %s", c.what, got, c.want)
			continue
		}
		if !strings.Contains(got[0].Detail, "Nguyen Van A") {
			t.Errorf("%s: detail %q", c.what, got[0].Detail)
		}
	}
}

// TestForged notices what looks like a signature in a PDF file and is none.
func TestForged(t *testing.T) {
	data := activePDF("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 3] /Contents <3000> >>")
	fs := findings(t, open(t, inspect.Config{}), dossier.Document{Name: "a.pdf", MediaType: "application/pdf", Role: "result"}, data)
	if got := wrong(fs); got == "" {
		t.Errorf("%+v", fs)
	}
}
