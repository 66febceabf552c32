package pades_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/pades"
	"github.com/luutru/luutru/docsig/trust"
)

// world is who signs, and who is believed.
type world struct {
	root, tsa, leaf, second, rogue *testpki.Identity
	anchors                        *trust.Anchors
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{root: testpki.Root(t, "Root")}
	w.tsa = w.root.TSA(t, "TSA")
	w.leaf = w.root.Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()))
	w.second = w.root.Issue(t, "Trần Thị B", testpki.EC(t, elliptic.P256()))
	w.rogue = testpki.Root(t, "Root").Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()))
	var err error
	if w.anchors, err = trust.New([]string{w.root.PEM()}, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

// by is a signer of PDFs.
func by(t testing.TB, id *testpki.Identity, edit ...func(*testpki.Message)) func([]byte) []byte {
	return func(signed []byte) []byte {
		m := testpki.Message{Content: signed, Detached: true, Signers: []testpki.Signer{{ID: id}}, Certs: []*x509.Certificate{id.Cert}}
		for _, e := range edit {
			e(&m)
		}
		return m.DER(t)
	}
}

// stamped is a document timestamp.
func stamped(t testing.TB, tsa *testpki.Identity, at time.Time) func([]byte) []byte {
	return func(signed []byte) []byte { return tsa.Token(t, signed, at) }
}

func (w world) verify(t testing.TB, b []byte) []trust.Signature {
	t.Helper()
	out, err := pades.Verify(context.Background(), bytes.NewReader(b), int64(len(b)), w.anchors, testpki.Now())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// want compares "status reason" of every signature.
func (w world) want(t *testing.T, b []byte, answers ...string) []trust.Signature {
	t.Helper()
	out := w.verify(t, b)
	var got []string
	for _, s := range out {
		got = append(got, string(s.Status)+" "+s.Reason)
	}
	if fmt.Sprint(got) != fmt.Sprint(answers) {
		t.Errorf("got %q, want %q", got, answers)
		for _, s := range out {
			t.Logf("%s %s %s (%s) whole=%v", s.Form, s.Status, s.Reason, s.Detail, s.Whole)
		}
	}
	return out
}

const (
	good    = "valid " + trust.RevocationUnknown
	partial = "indeterminate " + trust.Partial
	altered = "invalid " + trust.Partial
)

// both runs a test with tables and with streams.
func both(t *testing.T, f func(t *testing.T, p *testpki.PDF)) {
	for _, streams := range []bool{false, true} {
		t.Run(map[bool]string{false: "tables", true: "streams"}[streams], func(t *testing.T) { f(t, testpki.NewPDF(t, streams)) })
	}
}

func TestSigned(t *testing.T) {
	w := newWorld(t)
	both(t, func(t *testing.T, p *testpki.PDF) {
		if out := w.verify(t, p.Bytes); out != nil {
			t.Errorf("unsigned: %v", out)
		}
		p.Sign(t, testpki.Field{Visible: true}, by(t, w.leaf))
		out := w.want(t, p.Bytes, good)
		if s := out[0]; !s.Whole || s.Form != "PAdES" || s.Signer.SHA256 != trust.NewCertificate(w.leaf.Cert).SHA256 {
			t.Errorf("%+v", s)
		}
		w.want(t, append(bytes.Clone(p.Bytes), "\r\n\n"...), good)
	})
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{SubFilter: "adbe.pkcs7.detached"}, by(t, w.leaf))
	if out := w.want(t, p.Bytes, good); out[0].Form != "PKCS7" {
		t.Errorf("form %s", out[0].Form)
	}
	p = testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{SubFilter: "adbe.pkcs7.sha1"}, by(t, w.leaf))
	w.want(t, p.Bytes, "indeterminate "+trust.Unsupported)
	p = testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.rogue))
	w.want(t, p.Bytes, "indeterminate "+trust.Untrusted)
}

// Every bit of a signed document: one that is changed is never valid.
func TestEveryBit(t *testing.T) {
	w := newWorld(t)
	both(t, func(t *testing.T, p *testpki.PDF) {
		p.Sign(t, testpki.Field{Room: 1200}, by(t, w.leaf))
		gap := bytes.Index(p.Bytes, []byte("/Contents<")) + len("/Contents")
		resume := gap + 2*1200 + 2
		tried := 0
		for i := range p.Bytes {
			if i > gap && i < resume-1 {
				continue // the signature value is no signed octet
			}
			for bit := range 8 {
				p.Bytes[i] ^= 1 << bit
				tried++
				for _, s := range w.verify(t, p.Bytes) {
					if s.Status == trust.Valid {
						t.Errorf("octet %d, bit %d: valid", i, bit)
					}
				}
				p.Bytes[i] ^= 1 << bit
			}
		}
		w.want(t, p.Bytes, good)
		t.Logf("%d bits of %d octets", tried, len(p.Bytes))
	})
}

// Every digit of the signature value itself.
func TestEveryDigit(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{Room: 1200}, by(t, w.leaf))
	gap := bytes.Index(p.Bytes, []byte("/Contents<")) + len("/Contents")
	harmless := 0
	for i := gap + 1; i < gap+1+2*1200; i++ {
		was := p.Bytes[i]
		p.Bytes[i] = "123456789abcdef0"[bytes.IndexByte([]byte("0123456789abcdef"), was)]
		for _, s := range w.verify(t, p.Bytes) {
			if s.Status == trust.Valid {
				harmless++
				if s.Signer.SHA256 != trust.NewCertificate(w.leaf.Cert).SHA256 {
					t.Errorf("digit %d: another signer", i)
				}
			}
		}
		p.Bytes[i] = was
	}
	if harmless > 80 { // versions, and the list of digest algorithms
		t.Errorf("%d digits do not matter", harmless)
	}
}

// Signatures of others, validation data and timestamps may follow.
func TestUpdatesThatMayFollow(t *testing.T) {
	w := newWorld(t)
	now := testpki.Now()
	list := w.root.CRL(t, testpki.Week(), now)
	both(t, func(t *testing.T, p *testpki.PDF) {
		p.Sign(t, testpki.Field{Visible: true}, by(t, w.leaf))
		p.Store(t, [][]byte{w.root.Cert.Raw}, nil, [][]byte{list})
		if out := w.want(t, p.Bytes, "valid "); out[0].Whole || out[0].Revocation != trust.Good {
			t.Errorf("%+v", out[0])
		}
		p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, now.AddDate(0, 0, -2)))
		out := w.want(t, p.Bytes, "valid ", "valid ")
		if !out[0].Proved.Equal(now.AddDate(0, 0, -2)) || out[1].Form != "DocTimeStamp" {
			t.Errorf("%+v", out)
		}
		p.Store(t, [][]byte{w.root.Cert.Raw, w.tsa.Cert.Raw}, nil, [][]byte{list, list})
		p.Sign(t, testpki.Field{Visible: true}, by(t, w.second))
		w.want(t, p.Bytes, "valid ", "valid ", "valid ")
		p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, now))
		w.want(t, p.Bytes, "valid ", "valid ", "valid ", "valid ")
	})
}

// An empty field that was there before may be signed.
func TestPreparedField(t *testing.T) {
	w := newWorld(t)
	both(t, func(t *testing.T, p *testpki.PDF) {
		field := p.EmptyField(t)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		p.Sign(t, testpki.Field{Field: field, Visible: false}, by(t, w.second))
		w.want(t, p.Bytes, good, good)
	})
}

// A timestamp that does not cover what was done later proves nothing.
func TestPartialTimestamp(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, testpki.Now()))
	p.Revise(t, map[int]string{5: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}, "")
	for _, s := range w.want(t, p.Bytes, altered, altered) {
		if !s.Proved.IsZero() {
			t.Errorf("proved %v", s.Proved)
		}
	}
}

// A mark on the page needs somebody who answers for it.
func TestVisibleByNobody(t *testing.T) {
	w := newWorld(t)
	both(t, func(t *testing.T, p *testpki.PDF) {
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		unseen := p.Clone()
		p.Sign(t, testpki.Field{Visible: true}, by(t, w.rogue))
		w.want(t, p.Bytes, partial, "indeterminate "+trust.Untrusted)
		p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, testpki.Now()))
		w.want(t, p.Bytes, partial, "indeterminate "+trust.Untrusted, good)
		unseen.Sign(t, testpki.Field{}, by(t, w.rogue))
		w.want(t, unseen.Bytes, good, "indeterminate "+trust.Untrusted)
	})
}

func TestCertification(t *testing.T) {
	w := newWorld(t)
	both(t, func(t *testing.T, p *testpki.PDF) {
		p.Sign(t, testpki.Field{MDP: 1}, by(t, w.leaf))
		w.want(t, p.Bytes, good)
		stamp := p.Clone()
		stamp.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, testpki.Now()))
		w.want(t, stamp.Bytes, good, good)
		hidden := p.Clone()
		hidden.Sign(t, testpki.Field{}, by(t, w.second))
		w.want(t, hidden.Bytes, altered, good)
		p.Sign(t, testpki.Field{Visible: true}, by(t, w.second))
		w.want(t, p.Bytes, altered, good)
	})
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{MDP: 2}, by(t, w.leaf))
	p.Sign(t, testpki.Field{Visible: true}, by(t, w.second))
	w.want(t, p.Bytes, good, good)
}

// The attacks on PDF signatures that were published, and others like them:
// incremental saving, shadow documents, annotations, scripts.
func TestAttacks(t *testing.T) {
	w := newWorld(t)
	page := "BT /F1 18 Tf 20 100 Td (Decision: amount 999 granted) Tj ET"
	content := fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(page), page)
	for name, c := range map[string]struct {
		edit func(p *testpki.PDF)
		want string
	}{
		"content replaced": {func(p *testpki.PDF) { p.Revise(t, map[int]string{4: content}, "") }, altered},
		"page replaced": {func(p *testpki.PDF) {
			p.Revise(t, map[int]string{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 90 0 R/Resources<</Font<</F1 5 0 R>>>>>>", 90: content}, "")
		}, altered},
		"font replaced": {func(p *testpki.PDF) {
			p.Revise(t, map[int]string{5: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}, "")
		}, altered},
		"page added": {func(p *testpki.PDF) { p.Revise(t, map[int]string{2: "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>"}, "") }, altered},
		"another catalog": {func(p *testpki.PDF) {
			p.Root = 90
			p.Revise(t, map[int]string{2: "<</Type/Pages/Kids[]/Count 0>>", 90: fmt.Sprintf("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%d 0 R %d 0 R]/SigFlags 3>>>>", p.Fields[0], p.Fields[1])}, "")
		}, altered},
		"catalog with other pages": {func(p *testpki.PDF) {
			p.Root = 90
			p.Revise(t, map[int]string{91: "<</Type/Pages/Kids[]/Count 0>>", 90: fmt.Sprintf("<</Type/Catalog/Pages 91 0 R/AcroForm<</Fields[%d 0 R %d 0 R]/SigFlags 3>>>>", p.Fields[0], p.Fields[1])}, "")
		}, altered},
		"root twice":         {func(p *testpki.PDF) { p.Revise(t, map[int]string{90: "<</Type/Catalog/Pages 2 0 R>>"}, "/Root 90 0 R") }, "indeterminate " + trust.Malformed},
		"script at the open": {func(p *testpki.PDF) { p.Catalog += "/OpenAction<</S/JavaScript/JS(app.alert)>>"; p.SetPage(t, nil) }, altered},
		"names":              {func(p *testpki.PDF) { p.Catalog += "/Names<</JavaScript 91 0 R>>"; p.SetPage(t, nil) }, altered},
		"note": {func(p *testpki.PDF) {
			p.Annots = append(p.Annots, 90)
			p.SetPage(t, map[int]string{90: "<</Type/Annot/Subtype/FreeText/Rect[0 0 300 200]/Contents(999)>>"})
		}, partial},
		"field of a form": {func(p *testpki.PDF) {
			p.Fields, p.Annots = append(p.Fields, 90), append(p.Annots, 90)
			p.SetPage(t, map[int]string{90: "<</Type/Annot/Subtype/Widget/FT/Tx/T(x)/V(999)/Rect[0 0 300 200]>>"})
		}, partial},
		"empty visible field": {func(p *testpki.PDF) {
			p.Fields, p.Annots = append(p.Fields, 90), append(p.Annots, 90)
			p.SetPage(t, map[int]string{90: "<</Type/Annot/Subtype/Widget/FT/Sig/T(x)/Rect[0 0 300 200]/AP<</N 91 0 R>>>>", 91: content})
		}, partial},
		"field with a script": {func(p *testpki.PDF) {
			p.Fields, p.Annots = append(p.Fields, 90), append(p.Annots, 90)
			p.SetPage(t, map[int]string{90: "<</Type/Annot/Subtype/Widget/FT/Sig/T(x)/Rect[0 0 0 0]/AA<</O<</S/JavaScript>>>>>>"})
		}, altered},
		"note taken away":             {func(p *testpki.PDF) { p.Annots = nil; p.SetPage(t, nil) }, altered},
		"one of two notes taken away": {func(p *testpki.PDF) { p.Annots = p.Annots[:1]; p.SetPage(t, nil) }, altered},
		"nothing but octets":          {func(p *testpki.PDF) { p.Bytes = append(p.Bytes, "\n90 0 obj\n(hidden)\nendobj\n"...) }, partial},
		"object that no table knows": {func(p *testpki.PDF) {
			p.Bytes = append(p.Bytes, "\n4 0 obj\n"+content+"\nendobj\n"...)
			p.Store(t, nil, nil, nil)
		}, altered},
		"catalog with a key twice": {func(p *testpki.PDF) { p.Catalog += "/DSS<<>>/DSS<</A 1>>"; p.SetPage(t, nil) }, "indeterminate " + trust.Malformed},
		"validation data that is the page": {func(p *testpki.PDF) {
			p.Catalog += "/DSS<</Certs[4 0 R]>>"
			p.SetPage(t, map[int]string{4: content})
		}, altered},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, p *testpki.PDF) {
				p.EmptyField(t)
				p.Sign(t, testpki.Field{}, by(t, w.leaf))
				w.want(t, p.Bytes, good)
				c.edit(p)
				for _, s := range w.verify(t, p.Bytes) {
					if s.Status == trust.Valid {
						t.Errorf("valid: %+v", s)
					}
				}
				w.want(t, p.Bytes, c.want)
			})
		})
	}
}

// Shadow documents: the one who prepares the document leaves something in it,
// gets it signed, and brings it to light.
func TestShadow(t *testing.T) {
	w := newWorld(t)
	page := "BT /F1 18 Tf 20 100 Td (Decision: amount 999 granted) Tj ET"
	content := fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(page), page)
	both(t, func(t *testing.T, p *testpki.PDF) {
		t.Run("hole", func(t *testing.T) {
			p := p.Clone()
			p.Page = "/Group 95 0 R"
			p.SetPage(t, nil)
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			w.want(t, p.Bytes, good)
			p.Revise(t, map[int]string{95: "<</S/Transparency>>"}, "")
			w.want(t, p.Bytes, altered)
		})
		t.Run("store is page content", func(t *testing.T) {
			p := p.Clone()
			p.Catalog = "/DSS<</Certs[4 0 R]>>"
			p.SetPage(t, nil)
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			w.want(t, p.Bytes, good)
			p.Revise(t, map[int]string{4: content}, "")
			w.want(t, p.Bytes, altered)
		})
		t.Run("store leads to the pages", func(t *testing.T) {
			for _, list := range []string{"2 0 R", "4 0 R 3 0 R 2 0 R", "3 0 R 4 0 R", "1 0 R 2 0 R 3 0 R 4 0 R 5 0 R"} {
				p := p.Clone()
				p.Catalog = "/DSS<</Certs[" + list + "]>>"
				p.SetPage(t, nil)
				p.Sign(t, testpki.Field{}, by(t, w.leaf))
				w.want(t, p.Bytes, good)
				p.Revise(t, map[int]string{4: content}, "")
				w.want(t, p.Bytes, altered)
			}
		})
		t.Run("notes are something else", func(t *testing.T) {
			field, stream := "<</Subtype/Widget/FT/Sig/Rect[0 0 0 0]>>", "<</Subtype/Widget/FT/Sig/Rect[0 0 0 0]"+content[2:]
			for _, c := range [][3]string{
				{"/Annots 60 0 R", field, good}, {"/Annots 60 0 R", stream, altered},
				{"/Annots 60 0 R/Tabs 60 0 R", field, altered}, {"/B 60 0 R", field, altered},
			} {
				p := p.Clone()
				p.Page = c[0]
				p.SetPage(t, map[int]string{60: "[5 0 R]"})
				p.Sign(t, testpki.Field{Apart: true}, by(t, w.leaf))
				w.want(t, p.Bytes, good)
				p.Revise(t, map[int]string{60: "[5 0 R 95 0 R]", 95: c[1]}, "")
				w.want(t, p.Bytes, c[2])
			}
		})
		t.Run("list within the page", func(t *testing.T) {
			p := p.Clone()
			p.Page = "/B[5 0 R]"
			p.SetPage(t, nil)
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			p.Page = "/B[5 0 R 61 0 R]"
			p.SetPage(t, map[int]string{61: "<</Subtype/Widget/FT/Sig/Rect[0 0 0 0]>>"})
			w.want(t, p.Bytes, altered)
		})
		t.Run("content that calls itself a field", func(t *testing.T) {
			p := p.Clone()
			was := strings.Replace(content, "999", "100", 1)
			p.SetPage(t, map[int]string{4: "<</FT/Sig" + was[2:]})
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			p.Revise(t, map[int]string{4: "<</FT/Sig" + content[2:]}, "")
			w.want(t, p.Bytes, altered)
		})
		t.Run("information that is a font", func(t *testing.T) {
			for info, want := range map[int]string{5: altered, 63: good} {
				p := p.Clone()
				p.Trailer = fmt.Sprintf("/Info %d 0 R", info)
				p.SetPage(t, map[int]string{63: "<</Title(a)>>"})
				p.Sign(t, testpki.Field{}, by(t, w.leaf))
				p.Revise(t, map[int]string{info: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}, "")
				w.want(t, p.Bytes, want)
			}
		})
		t.Run("field that is something else", func(t *testing.T) {
			p := p.Clone()
			p.Page = "/Properties<</MC0 62 0 R>>"
			p.SetPage(t, map[int]string{62: "<</Type/OCMD/FT/Sig/OCGs[]/P/AllOn>>"})
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			p.Revise(t, map[int]string{62: "<</Type/OCMD/FT/Sig/OCGs[]/P/AnyOff>>"}, "")
			w.want(t, p.Bytes, altered)
		})
		t.Run("metadata is page content", func(t *testing.T) {
			p := p.Clone()
			p.Catalog = "/Metadata 4 0 R"
			p.SetPage(t, map[int]string{4: "<</Type/Metadata" + content[2:]})
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			p.Revise(t, map[int]string{4: "<</Type/Metadata" + content[2:]}, "")
			w.want(t, p.Bytes, altered)
		})
		t.Run("metadata", func(t *testing.T) {
			p := p.Clone()
			p.Catalog = "/Metadata 80 0 R"
			p.SetPage(t, map[int]string{80: "<</Type/Metadata/Subtype/XML/Length 3>>\nstream\n<a>\nendstream"})
			p.Sign(t, testpki.Field{}, by(t, w.leaf))
			p.Revise(t, map[int]string{80: "<</Type/Metadata/Subtype/XML/Length 3>>\nstream\n<b>\nendstream"}, "")
			w.want(t, p.Bytes, good)
		})
	})
	// An object stream that the store leads to: who replaces it replaces what it holds.
	t.Run("store is an object stream", func(t *testing.T) {
		p := testpki.NewPDF(t, true)
		p.Catalog = "/DSS<</Certs[6 0 R]>>"
		p.SetPage(t, nil)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		w.want(t, p.Bytes, good)
		head, body := "1 0 2 5 3 10 5 15 ", "null null null <</Type/Font/Subtype/Type1/BaseFont/Symbol>>"
		p.Revise(t, map[int]string{6: fmt.Sprintf("<</Type/ObjStm/N 4/First %d/Length %d>>\nstream\n%s%s\nendstream", len(head), len(head)+len(body), head, body)}, "")
		w.want(t, p.Bytes, altered)
	})
	t.Run("hidden field", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		at := len(p.Bytes)
		p.Bytes = append(p.Bytes, "95 0 obj\n<</Subtype/Widget/FT/Sig/Rect[0 0 0 0]>>\nendobj\n"...)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		p.Annots = append(p.Annots, 95)
		p.SetPage(t, nil)
		w.want(t, append(p.Bytes, pointBack(p.Bytes, 95, at)...), altered)
	})
	t.Run("deleted", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		b := bytes.Replace(pointBack(p.Bytes, 5, 0), []byte(" n \n"), []byte(" f \n"), 1)
		w.want(t, append(p.Bytes, b...), altered)
	})
	t.Run("encrypted later", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		p.Revise(t, map[int]string{70: "<<>>"}, "/Encrypt 70 0 R")
		w.want(t, p.Bytes, altered)
	})
	// A table that points back to an object that was hidden in the signed part.
	t.Run("hidden object", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		at := len(p.Bytes)
		p.Bytes = append(p.Bytes, "4 0 obj\n"+content+"\nendobj\n"...)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		w.want(t, p.Bytes, good)
		p.Bytes = append(p.Bytes, pointBack(p.Bytes, 4, at)...)
		w.want(t, p.Bytes, altered)
	})
}

// pointBack is a revision whose only entry leads to an offset.
func pointBack(b []byte, num, at int) []byte {
	i := bytes.LastIndex(b, []byte("startxref"))
	var prev int
	fmt.Sscanf(string(b[i:]), "startxref\n%d", &prev)
	return fmt.Appendf(nil, "xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size 100/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", num, at, prev, len(b))
}

// The update does not build on the signed revision but beside it.
func TestBypass(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	first := bytes.LastIndex(p.Bytes, []byte("xref\n0 1"))
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	b := fmt.Appendf(bytes.Clone(p.Bytes), "xref\n0 1\n0000000000 65535 f \n")
	i := bytes.LastIndex(b, []byte("xref\n0 1"))
	b = fmt.Appendf(b, "trailer\n<</Size 100/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", first, i)
	for _, s := range w.verify(t, b) {
		if s.Status == trust.Valid {
			t.Errorf("%+v", s)
		}
	}
}

// Byte ranges that do not say what they should (universal forgery, wrapping).
func TestByteRange(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	i := bytes.Index(p.Bytes, []byte("/ByteRange["))
	j := i + bytes.IndexByte(p.Bytes[i:], ']')
	var n [4]int
	if _, err := fmt.Sscanf(string(p.Bytes[i:j]), "/ByteRange[%d %d %d %d", &n[0], &n[1], &n[2], &n[3]); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"empty": "", "null": "null null null null", "one range": fmt.Sprintf("0 %d", len(p.Bytes)),
		"negative": fmt.Sprintf("0 %d %d -1", n[1], n[2]), "three ranges": fmt.Sprintf("0 %d %d %d 1 1", n[1], n[2], n[3]),
		"from the middle": fmt.Sprintf("1 %d %d %d", n[1]-1, n[2], n[3]), "gap too wide": fmt.Sprintf("0 %d %d %d", n[1]-1, n[2], n[3]),
		"gap too wide behind": fmt.Sprintf("0 %d %d %d", n[1], n[2]+1, n[3]-1), "gap too narrow": fmt.Sprintf("0 %d %d %d", n[1]+1, n[2], n[3]),
		"overlapping": fmt.Sprintf("0 %d %d %d", n[1], 0, n[3]), "beyond the end": fmt.Sprintf("0 %d %d %d", n[1], n[2], n[3]+1),
		"huge": fmt.Sprintf("0 %d %d 9223372036854775807", n[1], n[2]), "short": fmt.Sprintf("0 %d %d %d", n[1], n[2], n[3]-1),
		"reals": fmt.Sprintf("0.0 %d.0 %d.0 %d.0", n[1], n[2], n[3]), "names": "/a /b /c /d", "nothing behind": fmt.Sprintf("0 %d %d 0", n[1], n[2]),
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(p.Bytes)
			for k := i + len("/ByteRange["); k < j; k++ {
				b[k] = ' '
			}
			copy(b[i+len("/ByteRange["):j], v)
			out := w.verify(t, b)
			if len(out) != 1 || out[0].Status != trust.Invalid {
				t.Errorf("%+v", out)
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		b := bytes.Replace(p.Bytes, []byte("/ByteRange["), []byte("/ByteRangs["), 1)
		if out := w.verify(t, b); len(out) != 0 {
			t.Errorf("%+v", out)
		}
	})
	// A content of the attacker's choice within the message, and no range.
	t.Run("embedded content", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{}, by(t, w.leaf, func(m *testpki.Message) { m.Detached = false; m.Content = m.Content[:100] }))
		w.want(t, p.Bytes, "invalid "+trust.Malformed)
	})
	t.Run("two signers", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{}, by(t, w.leaf, func(m *testpki.Message) { m.Signers = append(m.Signers, m.Signers[0]) }))
		w.want(t, p.Bytes, "invalid "+trust.Malformed)
	})
	// Signed by somebody who means it, over ranges that leave something out.
	for name, ranges := range map[string]func(gap, resume, end int) [4]int{
		"begins later":      func(gap, resume, end int) [4]int { return [4]int{1, gap, resume, end} },
		"leaves out before": func(gap, resume, end int) [4]int { return [4]int{0, gap - 2, resume, end} },
		"leaves out behind": func(gap, resume, end int) [4]int { return [4]int{0, gap, resume + 2, end} },
		"too little":        func(gap, resume, end int) [4]int { return [4]int{0, gap + 1, resume, end} },
	} {
		t.Run("signed: "+name, func(t *testing.T) {
			p := testpki.NewPDF(t, false)
			p.Sign(t, testpki.Field{Ranges: ranges, More: "/Prop 1"}, by(t, w.leaf))
			w.want(t, p.Bytes, "invalid "+trust.Malformed)
		})
	}
	t.Run("signed: range twice", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{More: "/ByteRange[0 1 2 3]/SubFilter/ETSI.CAdES.detached"}, by(t, w.leaf))
		w.want(t, p.Bytes, "invalid "+trust.Malformed)
	})
	t.Run("signed: filter twice", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{More: "/SubFilter/adbe.pkcs7.detached"}, by(t, w.leaf))
		w.want(t, p.Bytes, "invalid "+trust.Malformed)
	})
	t.Run("signed: not to the end", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{Ranges: func(gap, resume, end int) [4]int { return [4]int{0, gap, resume, end - 20} }}, by(t, w.leaf))
		for _, s := range w.verify(t, p.Bytes) {
			if s.Status == trust.Valid {
				t.Errorf("%+v", s)
			}
		}
	})
	t.Run("contents twice", func(t *testing.T) {
		b := bytes.Replace(p.Bytes, []byte("/Filter/Adobe.PPKLite"), []byte("/Contents<00000000000>"), 1)
		if len(b) != len(p.Bytes)+1 {
			t.Fatal("length")
		}
		for _, s := range w.verify(t, b) {
			if s.Status == trust.Valid {
				t.Errorf("%+v", s)
			}
		}
	})
}

// The content that was signed is moved aside, and another put in its place.
func TestWrapping(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	forged := bytes.Replace(p.Bytes, []byte("amount 100"), []byte("amount 900"), 1)
	w.want(t, forged, "invalid "+trust.Digest)
	for _, b := range [][]byte{append(bytes.Clone(forged), p.Bytes...), append(bytes.Clone(p.Bytes), forged...)} {
		for _, s := range w.verify(t, b) {
			if s.Status == trust.Valid {
				t.Errorf("%+v", s)
			}
		}
	}
}

// What a later timestamp proves, step by step.
func TestProof(t *testing.T) {
	w := newWorld(t)
	now := testpki.Now()
	ended := w.root.Issue(t, "ended", testpki.EC(t, elliptic.P256()), testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, -2, 0)))
	old := w.root.TSA(t, "old TSA", testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)))
	start := func() *testpki.PDF {
		p := testpki.NewPDF(t, false)
		p.Sign(t, testpki.Field{}, by(t, ended))
		return p
	}
	p := start()
	w.want(t, p.Bytes, "indeterminate "+trust.Expired)
	p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, old, now.AddDate(0, -3, 0)))
	w.want(t, p.Bytes, "indeterminate "+trust.Expired, "indeterminate "+trust.Expired)
	p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, now.AddDate(0, -1, -1)))
	if out := w.want(t, p.Bytes, good, good, good); !out[0].Proved.Equal(now.AddDate(0, -3, 0)) {
		t.Errorf("proved %v", out[0].Proved)
	}
	p = start()
	p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, now))
	w.want(t, p.Bytes, "invalid "+trust.Expired, good)
	p = start()
	p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.rogue, now.AddDate(0, -3, 0)))
	w.want(t, p.Bytes, "indeterminate "+trust.Expired, "indeterminate "+trust.Untrusted)

	// Revoked: before the timestamp, and after it.
	for _, c := range []struct {
		at   time.Time
		want string
	}{{now.AddDate(0, 0, -3), "invalid " + trust.Revoked}, {now.AddDate(0, 0, -1), "valid "}} {
		p := testpki.NewPDF(t, true)
		p.Sign(t, testpki.Field{}, by(t, w.leaf))
		p.Store(t, nil, [][]byte{w.root.OCSP(t, w.leaf, testpki.Week(), c.at, false)}, nil)
		w.want(t, p.Bytes, "indeterminate "+trust.Revoked)
		p.Sign(t, testpki.Field{Timestamp: true}, stamped(t, w.tsa, now.AddDate(0, 0, -2)))
		w.want(t, p.Bytes, c.want, good)
	}
}

// broken is a reader that fails.
type broken struct{ *bytes.Reader }

var errBroken = errors.New("the disk is gone")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off > 300 {
		return 0, errBroken
	}
	return b.Reader.ReadAt(p, off)
}

func TestErrors(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	_, err := pades.Verify(t.Context(), broken{bytes.NewReader(p.Bytes)}, int64(len(p.Bytes)), w.anchors, testpki.Now())
	if !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pades.Verify(ctx, bytes.NewReader(p.Bytes), int64(len(p.Bytes)), w.anchors, testpki.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// Cut anywhere: an answer, and not the good one.
	for n := range len(p.Bytes) - 2 {
		for _, s := range w.verify(t, p.Bytes[:n]) {
			if s.Status == trust.Valid {
				t.Errorf("cut at %d: valid", n)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	var signed [][]byte
	for _, streams := range []bool{false, true} {
		p := testpki.NewPDF(f, streams)
		p.Sign(f, testpki.Field{Visible: true, Room: 1500}, by(f, w.leaf))
		f.Add(p.Clone().Bytes)
		signed = append(signed, p.Clone().Bytes)
		p.Store(f, [][]byte{w.root.Cert.Raw}, nil, nil)
		p.Sign(f, testpki.Field{Timestamp: true, Room: 1500}, stamped(f, w.tsa, testpki.Now()))
		f.Add(p.Bytes)
		signed = append(signed, p.Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range w.verify(t, b) {
			if s.Status == "" || (s.Status != trust.Valid && s.Reason == "") {
				t.Errorf("no answer: %+v", s)
			}
			if s.Status == trust.Valid && s.Whole && !known(signed, b) {
				t.Error("valid and whole, and nobody signed it")
			}
		}
	})
}

// known tells whether b is what was signed, up to the unsigned gaps.
func known(signed [][]byte, b []byte) bool {
	for _, s := range signed {
		i := bytes.LastIndex(s, []byte("/Contents<"))
		if i > 0 && len(b) >= i && bytes.Equal(s[:i], b[:i]) {
			return true
		}
	}
	return false
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	for _, size := range []int{0, 3 << 20} {
		p := testpki.NewPDF(b, false)
		if size > 0 {
			p.Revise(b, map[int]string{90: fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", size, bytes.Repeat([]byte("x"), size))}, "")
		}
		p.Sign(b, testpki.Field{}, by(b, w.leaf))
		b.Run(fmt.Sprintf("%dKiB", len(p.Bytes)>>10), func(b *testing.B) {
			b.SetBytes(int64(len(p.Bytes)))
			for b.Loop() {
				if out := w.verify(b, p.Bytes); out[0].Status != trust.Valid {
					b.Fatal(out)
				}
			}
		})
	}
}
