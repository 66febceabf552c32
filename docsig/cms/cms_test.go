package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/cms"
	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

type world struct {
	root, tsa, leaf *testpki.Identity
	o               cms.Options
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{root: testpki.Root(t, "Root")}
	w.tsa = w.root.TSA(t, "TSA")
	w.leaf = w.root.Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()))
	a, err := trust.New([]string{w.root.PEM()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.o = cms.Options{Anchors: a, Now: testpki.Now()}
	return w
}

var letter = []byte("Quyết định: cấp giấy khai sinh.\n")

// message is a signed letter, attached.
func (w world) message(edit ...func(*testpki.Message)) testpki.Message {
	m := testpki.Message{Content: letter, Signers: []testpki.Signer{{ID: w.leaf}}, Certs: []*x509.Certificate{w.leaf.Cert}}
	for _, e := range edit {
		e(&m)
	}
	return m
}

func digester(content []byte) cms.Digester {
	return func(h crypto.Hash) ([]byte, error) {
		w := h.New()
		w.Write(content)
		return w.Sum(nil), nil
	}
}

func verify(t testing.TB, der []byte, content cms.Digester, o cms.Options) []trust.Signature {
	t.Helper()
	m, err := cms.Parse(bytes.NewReader(der), int64(len(der)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Verify(context.Background(), content, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func want(t *testing.T, list []trust.Signature, st trust.Status, reason string) trust.Signature {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("%d signatures", len(list))
	}
	s := list[0]
	if s.Status != st || s.Reason != reason {
		t.Errorf("%s %q (%s), want %s %q", s.Status, s.Reason, s.Detail, st, reason)
	}
	return s
}

func TestAlgorithms(t *testing.T) {
	w := newWorld(t)
	rsa2048 := w.root.Issue(t, "RSA", testpki.RSA(t, 2048))
	for name, s := range map[string]testpki.Signer{
		"RSA SHA-256":     {ID: rsa2048},
		"RSA SHA-512":     {ID: rsa2048, Hash: crypto.SHA512},
		"RSA-PSS SHA-256": {ID: rsa2048, PSS: true},
		"RSA-PSS SHA-384": {ID: rsa2048, PSS: true, Hash: crypto.SHA384},
		"RSA bare":        {ID: rsa2048, Bare: true},
		"P-256":           {ID: w.leaf},
		"P-384":           {ID: w.root.Issue(t, "EC", testpki.EC(t, elliptic.P384())), Hash: crypto.SHA384},
		"P-521":           {ID: w.root.Issue(t, "EC", testpki.EC(t, elliptic.P521())), Hash: crypto.SHA512},
		"Ed25519":         {ID: w.root.Issue(t, "Ed", testpki.Ed(t)), Hash: crypto.SHA512},
		"key identifier":  {ID: w.leaf, KeyID: true},
	} {
		for _, ber := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m := testpki.Message{Content: letter, Signers: []testpki.Signer{s}, Certs: []*x509.Certificate{s.ID.Cert, w.root.Cert}, BER: ber}
				got := want(t, verify(t, m.DER(t), nil, w.o), trust.Valid, trust.RevocationUnknown)
				if got.Signer == nil || got.Signer.SHA256 != trust.NewCertificate(s.ID.Cert).SHA256 || len(got.Chain) != 2 {
					t.Errorf("signer %v, chain of %d", got.Signer, len(got.Chain))
				}
				form := "CAdES"
				if s.Bare {
					form = "PKCS7"
				} else if !got.Claimed.Equal(testpki.Now()) {
					t.Errorf("claimed %v", got.Claimed)
				}
				if got.Form != form || !got.Proved.IsZero() {
					t.Errorf("form %s, proved %v", got.Form, got.Proved)
				}
				m.Detached = true
				der := m.DER(t)
				want(t, verify(t, der, digester(letter), w.o), trust.Valid, trust.RevocationUnknown)
				reason := trust.Digest
				if s.Bare {
					reason = trust.BadSignature
				}
				want(t, verify(t, der, digester([]byte("another letter")), w.o), trust.Invalid, reason)
				want(t, verify(t, der, nil, w.o), trust.Indeterminate, trust.Unsupported)
			})
		}
	}
}

// What was signed badly, and what somebody made of a good signature.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	other := w.root.Issue(t, "Trần Thị B", testpki.EC(t, elliptic.P256()))
	rsa2048 := w.root.Issue(t, "RSA", testpki.RSA(t, 2048))
	short := w.root.Issue(t, "short", testpki.RSA(t, 1024))
	server := w.root.Issue(t, "server", testpki.EC(t, elliptic.P256()), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	ended := w.root.Issue(t, "ended", testpki.EC(t, elliptic.P256()), testpki.Life(testpki.Now().AddDate(-1, 0, 0), testpki.Now().AddDate(0, -1, 0)))
	coming := w.root.Issue(t, "coming", testpki.EC(t, elliptic.P256()), testpki.Life(testpki.Now().AddDate(0, 1, 0), testpki.Now().AddDate(1, 0, 0)))
	rogue := testpki.Root(t, "Root").Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()))
	by := func(id *testpki.Identity) func(*testpki.Message) {
		return func(m *testpki.Message) {
			m.Signers[0].ID = id
			m.Certs = []*x509.Certificate{id.Cert, id.Issuer.Cert}
		}
	}
	digestAttr := testpki.Attribute(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, testpki.Octets(make([]byte, 32)))
	for name, c := range map[string]struct {
		edit   func(*testpki.Message)
		st     trust.Status
		reason string
	}{
		"rogue of the same name": {by(rogue), trust.Indeterminate, trust.Untrusted},
		"ended":                  {by(ended), trust.Indeterminate, trust.Expired},
		"not begun":              {by(coming), trust.Indeterminate, trust.NotYetValid},
		"server":                 {by(server), trust.Indeterminate, trust.WrongPurpose},
		"RSA 1024":               {by(short), trust.Indeterminate, trust.WeakAlgorithm},
		"SHA-1":                  {func(m *testpki.Message) { by(rsa2048)(m); m.Signers[0].Hash = crypto.SHA1 }, trust.Indeterminate, trust.WeakAlgorithm},
		"MD5":                    {func(m *testpki.Message) { by(rsa2048)(m); m.Signers[0].Hash = crypto.MD5 }, trust.Indeterminate, trust.WeakAlgorithm},
		"timestamping key":       {by(w.tsa), trust.Indeterminate, trust.WrongPurpose},
		"no certificate":         {func(m *testpki.Message) { m.Certs = nil }, trust.Indeterminate, trust.Untrusted},
		"other digest":           {func(m *testpki.Message) { m.Signers[0].Digest = make([]byte, 32) }, trust.Invalid, trust.Digest},
		"other type":             {func(m *testpki.Message) { m.Signers[0].Type = testpki.TSTInfo() }, trust.Invalid, trust.Malformed},
		"bare and not data":      {func(m *testpki.Message) { m.Type = testpki.TSTInfo(); m.Signers[0].Bare = true }, trust.Invalid, trust.Malformed},
		"digest twice":           {func(m *testpki.Message) { m.Signers[0].Signed = [][]byte{digestAttr} }, trust.Invalid, trust.Malformed},
		"another was meant":      {func(m *testpki.Message) { m.Signers[0].Meant = other.Cert }, trust.Invalid, trust.BadSignature},
		"damaged signature":      {func(m *testpki.Message) { m.Signers[0].Damage = func(b []byte) []byte { b[len(b)-1] ^= 1; return b } }, trust.Invalid, trust.BadSignature},
		"no signature":           {func(m *testpki.Message) { m.Signers[0].Damage = func([]byte) []byte { return nil } }, trust.Invalid, trust.BadSignature},
		"another key": {func(m *testpki.Message) {
			m.Signers[0].ID = &testpki.Identity{Cert: other.Cert, Key: w.leaf.Key}
			m.Certs = []*x509.Certificate{other.Cert}
		}, trust.Invalid, trust.BadSignature},
		"algorithm of another key": {func(m *testpki.Message) {
			m.Signers[0].Algo = &pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}}
		}, trust.Invalid, trust.BadSignature},
		"unknown algorithm": {func(m *testpki.Message) {
			m.Signers[0].Algo = &pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}
		}, trust.Indeterminate, trust.Unsupported},
		"PSS with old defaults": {func(m *testpki.Message) {
			by(rsa2048)(m)
			m.Signers[0].PSS, m.Signers[0].Algo = true, &pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, Parameters: asn1.RawValue{FullBytes: []byte{0x30, 0}}}
		}, trust.Indeterminate, trust.Unsupported},
		"contradicting algorithm": {func(m *testpki.Message) {
			m.Signers[0].Algo = &pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}}
		}, trust.Indeterminate, trust.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, verify(t, w.message(c.edit).DER(t), nil, w.o), c.st, c.reason)
		})
	}
}

// Attributes that were signed once are no content that was signed.
func TestAttributesAsContent(t *testing.T) {
	w := newWorld(t)
	attrs := testpki.TLV(0x31, testpki.Attribute(t, asn1.ObjectIdentifier{1, 2, 3}, []byte{5, 0}))
	der := w.message(func(m *testpki.Message) { m.Content = attrs; m.Signers[0].Bare = true }).DER(t)
	want(t, verify(t, der, nil, w.o), trust.Invalid, trust.Malformed)
}

// Content within a message that should have none is what deceived others.
func TestEmbeddedContent(t *testing.T) {
	w := newWorld(t)
	der := w.message().DER(t)
	want(t, verify(t, der, digester([]byte("a forged document")), w.o), trust.Invalid, trust.Malformed)
	want(t, verify(t, der, digester(letter), w.o), trust.Invalid, trust.Malformed)
}

// Every octet of a message, attached and detached: a change is never valid,
// unless it is where nothing is signed.
func TestTampered(t *testing.T) {
	w := newWorld(t)
	for _, detached := range []bool{false, true} {
		der := w.message(func(m *testpki.Message) { m.Detached = detached }).DER(t)
		var content cms.Digester
		if detached {
			content = digester(letter)
		}
		valid := 0
		for i := range 8 * len(der) {
			bad := bytes.Clone(der)
			bad[i/8] ^= 1 << (i % 8)
			m, err := cms.Parse(bytes.NewReader(bad), int64(len(bad)))
			if err != nil {
				continue
			}
			out, err := m.Verify(t.Context(), content, w.o)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out {
				if s.Status == trust.Valid {
					valid++
					// Versions and the list of digest algorithms carry no signature.
					if s.Signer.SHA256 != trust.NewCertificate(w.leaf.Cert).SHA256 {
						t.Errorf("bit %d: another signer", i)
					}
				}
			}
		}
		if valid > 8*40 {
			t.Errorf("%d bits of %d do not matter", valid, 8*len(der))
		}
		t.Logf("detached %v: %d of %d bits do not matter", detached, valid, 8*len(der))
	}
}

func TestSigners(t *testing.T) {
	w := newWorld(t)
	second := w.root.Issue(t, "Trần Thị B", testpki.RSA(t, 2048))
	m := w.message(func(m *testpki.Message) {
		m.Signers = append(m.Signers, testpki.Signer{ID: second, PSS: true, Hash: crypto.SHA512, Digest: make([]byte, 64)}, testpki.Signer{ID: second, Hash: crypto.SHA384})
		m.Certs = append(m.Certs, second.Cert)
	})
	out := verify(t, m.DER(t), nil, w.o)
	if len(out) != 3 || out[0].Status != trust.Valid || out[1].Status != trust.Invalid || out[2].Status != trust.Valid {
		t.Fatalf("%+v", out)
	}
	m.Signers = nil
	if out := verify(t, m.DER(t), nil, w.o); len(out) != 0 {
		t.Errorf("no signers, %d signatures", len(out))
	}
}

func TestTimestamp(t *testing.T) {
	w := newWorld(t)
	now, past := testpki.Now(), testpki.Now().AddDate(0, -2, 0)
	ended := w.root.Issue(t, "ended", testpki.EC(t, elliptic.P256()), testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)))
	rogue := testpki.Root(t, "Root").TSA(t, "TSA")
	old := w.root.TSA(t, "old TSA", testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1)))
	stamp := func(tsa *testpki.Identity, at time.Time, edit ...func(*testpki.Message)) func(*testpki.Message) {
		return func(m *testpki.Message) {
			m.Signers[0].ID, m.Certs = ended, []*x509.Certificate{ended.Cert}
			m.Signers[0].Unsigned = tsa.Stamped(t, at, edit...)
		}
	}
	for name, c := range map[string]struct {
		edit   func(*testpki.Message)
		st     trust.Status
		reason string
	}{
		"before the end":      {stamp(w.tsa, past), trust.Valid, trust.RevocationUnknown},
		"after the end":       {stamp(w.tsa, now), trust.Invalid, trust.Expired},
		"rogue":               {stamp(rogue, past), trust.Indeterminate, trust.Expired},
		"TSA ended":           {stamp(old, past), trust.Indeterminate, trust.Expired},
		"in the future":       {stamp(w.tsa, now.AddDate(0, 0, 1)), trust.Indeterminate, trust.Expired},
		"before the TSA":      {stamp(w.tsa, now.AddDate(-2, 0, 0)), trust.Indeterminate, trust.Expired},
		"signer as TSA":       {stamp(w.leaf, past), trust.Indeterminate, trust.Expired},
		"no certificate name": {stamp(w.tsa, past, func(m *testpki.Message) { m.Signers[0].NoESS = true }), trust.Indeterminate, trust.Expired},
		"as data":             {stamp(w.tsa, past, func(m *testpki.Message) { m.Type = testpki.Data() }), trust.Indeterminate, trust.Expired},
		"two signers":         {stamp(w.tsa, past, func(m *testpki.Message) { m.Signers = append(m.Signers, m.Signers[0]) }), trust.Indeterminate, trust.Expired},
		"of another signature": {func(m *testpki.Message) {
			stamp(w.tsa, past)(m)
			m.Signers[0].Unsigned = func([]byte) [][]byte { return w.tsa.Stamped(t, past)([]byte("another")) }
		}, trust.Indeterminate, trust.Expired},
		"the earlier of two": {func(m *testpki.Message) {
			stamp(w.tsa, past)(m)
			m.Signers[0].Unsigned = func(sig []byte) [][]byte {
				return [][]byte{testpki.Attribute(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, w.tsa.Token(t, sig, now), w.tsa.Token(t, sig, past), []byte{5, 0})}
			}
		}, trust.Valid, trust.RevocationUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := want(t, verify(t, w.message(c.edit).DER(t), nil, w.o), c.st, c.reason)
			if c.st == trust.Valid != got.Proved.Equal(past) {
				t.Errorf("proved %v", got.Proved)
			}
		})
	}
}

// Without a timestamp the time that the signer claims saves nothing; a proof
// from outside does.
func TestClaimed(t *testing.T) {
	w := newWorld(t)
	now := testpki.Now()
	ended := w.root.Issue(t, "ended", testpki.EC(t, elliptic.P256()), testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)))
	der := w.message(func(m *testpki.Message) {
		m.Signers[0].ID, m.Certs, m.Signers[0].At = ended, []*x509.Certificate{ended.Cert}, now.AddDate(0, -2, 0)
	}).DER(t)
	want(t, verify(t, der, nil, w.o), trust.Indeterminate, trust.Expired)
	w.o.Proved = now.AddDate(0, -2, 0)
	want(t, verify(t, der, nil, w.o), trust.Valid, trust.RevocationUnknown)
	w.o.Proved = now.AddDate(0, 0, -1)
	want(t, verify(t, der, nil, w.o), trust.Invalid, trust.Expired)
}

// Revocation data in every place where signers put it.
func TestEmbeddedRevocation(t *testing.T) {
	w := newWorld(t)
	now, week := testpki.Now(), testpki.Week()
	for _, revoked := range []bool{false, true} {
		var at time.Time
		var list []byte
		if revoked {
			at = now.AddDate(0, 0, -2)
			list = w.root.CRL(t, week, at, w.leaf)
		} else {
			list = w.root.CRL(t, week, now)
		}
		response, basic := w.root.OCSP(t, w.leaf, week, at, false), w.root.OCSP(t, w.leaf, week, at, true)
		attr := func(id asn1.ObjectIdentifier, lists, responses [][]byte) []byte {
			return testpki.Attribute(t, id, testpki.Seq(testpki.TLV(0xA0, testpki.Seq(lists...)), testpki.TLV(0xA1, testpki.Seq(responses...))))
		}
		adobe, values := asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
		unsigned := func(attrs ...[]byte) func(*testpki.Message) {
			return func(m *testpki.Message) { m.Signers[0].Unsigned = func([]byte) [][]byte { return attrs } }
		}
		for name, edit := range map[string]func(*testpki.Message){
			"list in the message": func(m *testpki.Message) { m.Lists = [][]byte{list} },
			"response in the message": func(m *testpki.Message) {
				m.Lists = [][]byte{testpki.TLV(0xA1, testpki.Marshal(t, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}), response)}
			},
			"Adobe list":     func(m *testpki.Message) { m.Signers[0].Signed = [][]byte{attr(adobe, [][]byte{list}, nil)} },
			"Adobe response": func(m *testpki.Message) { m.Signers[0].Signed = [][]byte{attr(adobe, nil, [][]byte{response})} },
			"CAdES list":     unsigned(attr(values, [][]byte{list}, nil)),
			"CAdES response": unsigned(attr(values, nil, [][]byte{basic})),
		} {
			t.Run(name, func(t *testing.T) {
				der := w.message(edit).DER(t)
				if !revoked {
					if got := want(t, verify(t, der, nil, w.o), trust.Valid, ""); got.Revocation != trust.Good {
						t.Errorf("revocation %s", got.Revocation)
					}
					return
				}
				want(t, verify(t, der, nil, w.o), trust.Indeterminate, trust.Revoked)
				o := w.o
				o.Proved = now.AddDate(0, 0, -1)
				want(t, verify(t, der, nil, o), trust.Invalid, trust.Revoked)
				o.Proved = now.AddDate(0, 0, -5)
				want(t, verify(t, der, nil, o), trust.Valid, "")
			})
		}
	}
	t.Run("certificate values", func(t *testing.T) {
		sub := w.root.Sub(t, "sub")
		leaf := sub.Issue(t, "x", testpki.EC(t, elliptic.P256()))
		der := w.message(unsignedCerts(t, leaf, sub)).DER(t)
		want(t, verify(t, der, nil, w.o), trust.Valid, trust.RevocationUnknown)
	})
}

func unsignedCerts(t *testing.T, leaf, sub *testpki.Identity) func(*testpki.Message) {
	return func(m *testpki.Message) {
		m.Signers[0].ID, m.Certs = leaf, []*x509.Certificate{leaf.Cert}
		m.Signers[0].Unsigned = func([]byte) [][]byte {
			return [][]byte{testpki.Attribute(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}, testpki.Seq(sub.Cert.Raw))}
		}
	}
}

func TestNotSigned(t *testing.T) {
	w := newWorld(t)
	good := w.message().DER(t)
	enveloped := testpki.Seq(testpki.Marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}), testpki.TLV(0xA0, testpki.Seq()))
	for name, b := range map[string][]byte{"empty": nil, "text": []byte("0xhello"), "enveloped": enveloped, "certificate": w.leaf.Cert.Raw} {
		if _, err := cms.Parse(bytes.NewReader(b), int64(len(b))); !errors.Is(err, cms.ErrNotSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{"octets after": append(bytes.Clone(good), 1), "cut inside": testpki.Seq(testpki.Marshal(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}), testpki.TLV(0xA0, testpki.Seq()))} {
		if _, err := cms.Parse(bytes.NewReader(b), int64(len(b))); err == nil || errors.Is(err, cms.ErrNotSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	padded := append(bytes.Clone(good), make([]byte, 5000)...)
	if _, err := cms.Parse(bytes.NewReader(padded), int64(len(padded))); err != nil {
		t.Errorf("zeros after: %v", err)
	}
}

// deep is a source of indefinite elements within each other, without an end.
type deep struct{ b []byte }

func (d deep) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = d.b[(off+int64(i))%int64(len(d.b))]
	}
	return len(p), nil
}

// Hostile sizes: neither nesting nor a mass of elements takes time.
func TestBounds(t *testing.T) {
	for _, b := range [][]byte{{0x30, 0x80}, {0x24, 0x80}, {0x30, 0x80, 0x02, 0x00}} {
		start := time.Now()
		if _, err := cms.Parse(deep{b}, 1<<40); err == nil {
			t.Error("no error")
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%v", d)
		}
	}
}

// Content of any size is digested without being held in memory.
func TestLarge(t *testing.T) {
	const size = 256 << 20
	w := newWorld(t)
	sum := sha256.New()
	for zeros, left := make([]byte, 1<<20), size; left > 0; left -= len(zeros) {
		sum.Write(zeros)
	}
	der := w.message(func(m *testpki.Message) {
		m.BER, m.Content, m.Signers[0].Digest = true, []byte("content"), sum.Sum(nil)
	}).DER(t)
	head, tail, ok := bytes.Cut(der, []byte("\x04\x07content"))
	if !ok {
		t.Fatal("no content")
	}
	src := spliced{binary.BigEndian.AppendUint32(append(bytes.Clone(head), 4, 0x84), size), tail, size}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := cms.Parse(src, int64(len(src.head)+len(src.tail))+size)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Verify(t.Context(), nil, w.o)
	if err != nil {
		t.Fatal(err)
	}
	want(t, out, trust.Valid, trust.RevocationUnknown)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
		t.Errorf("%d octets allocated", got)
	}
}

// spliced is content of zeros, of any size, that nobody holds in memory.
type spliced struct {
	head, tail []byte
	middle     int64
}

func (s spliced) ReadAt(p []byte, off int64) (int, error) {
	h := int64(len(s.head))
	n := 0
	for n < len(p) {
		at := off + int64(n)
		switch {
		case at < h:
			n += copy(p[n:], s.head[at:])
		case at < h+s.middle:
			k := int(min(int64(len(p)-n), h+s.middle-at))
			clear(p[n : n+k])
			n += k
		case at < h+s.middle+int64(len(s.tail)):
			n += copy(p[n:], s.tail[at-h-s.middle:])
		default:
			return n, io.EOF
		}
	}
	return n, nil
}

func TestCanceled(t *testing.T) {
	w := newWorld(t)
	der := w.message().DER(t)
	m, err := cms.Parse(bytes.NewReader(der), int64(len(der)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Verify(ctx, nil, w.o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	w := newWorld(f)
	for _, ber := range []bool{false, true} {
		f.Add(w.message(func(m *testpki.Message) {
			m.BER = ber
			m.Signers[0].Unsigned = w.tsa.Stamped(f, testpki.Now())
			m.Lists = [][]byte{w.root.CRL(f, testpki.Week(), testpki.Now())}
		}).DER(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cms.Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		var content cms.Digester
		if m.Detached() {
			content = digester([]byte("something that nobody signed"))
		}
		out, err := m.Verify(t.Context(), content, w.o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out {
			if s.Status == trust.Valid && content != nil {
				t.Error("valid over content that nobody signed")
			}
			if s.Status == "" || (s.Status != trust.Valid && s.Reason == "") {
				t.Errorf("no answer: %+v", s)
			}
		}
	})
}

func FuzzTimestamp(f *testing.F) {
	w := newWorld(f)
	f.Add(w.tsa.Token(f, letter, testpki.Now()))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := cms.Timestamp(t.Context(), b, digester([]byte("something else")), w.o)
		if err == nil && s.Status == trust.Valid {
			t.Error("valid over something else")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	rsa2048 := w.root.Issue(b, "RSA", testpki.RSA(b, 2048))
	for name, id := range map[string]*testpki.Identity{"RSA-2048": rsa2048, "P-256": w.leaf} {
		der := w.message(func(m *testpki.Message) {
			m.Detached, m.Signers[0].ID, m.Certs = true, id, []*x509.Certificate{id.Cert}
		}).DER(b)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if s := verify(b, der, digester(letter), w.o); s[0].Status != trust.Valid {
					b.Fatal(s)
				}
			}
		})
	}
}
