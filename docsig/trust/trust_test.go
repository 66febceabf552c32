package trust_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

// world is a hierarchy: root, issuing authority, and somebody who signs.
type world struct {
	root, sub, leaf *testpki.Identity
	anchors         *trust.Anchors
}

func newWorld(t testing.TB, edit ...func(*x509.Certificate)) world {
	t.Helper()
	w := world{root: testpki.Root(t, "Root")}
	w.sub = w.root.Sub(t, "Issuing CA")
	w.leaf = w.sub.Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()), edit...)
	w.anchors = anchors(t, w.root.PEM())
	return w
}

func anchors(t testing.TB, cas ...string) *trust.Anchors {
	t.Helper()
	a, err := trust.New(cas, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w world) check(at time.Time, ev trust.Evidence) trust.Verdict {
	return w.anchors.Check(w.leaf.Cert, []*x509.Certificate{w.sub.Cert}, at, ev)
}

func want(t *testing.T, v trust.Verdict, st trust.Status, reason, revocation string) {
	t.Helper()
	if v.Status != st || v.Reason != reason || v.Revocation != revocation {
		t.Errorf("%s %q (%s), revocation %s; want %s %q, %s", v.Status, v.Reason, v.Detail, v.Revocation, st, reason, revocation)
	}
}

func TestChain(t *testing.T) {
	w, now := newWorld(t), testpki.Now()
	v := w.check(now, trust.Evidence{})
	want(t, v, trust.Valid, trust.RevocationUnknown, trust.Unknown)
	if len(v.Chain) != 3 {
		t.Errorf("chain of %d", len(v.Chain))
	}
	want(t, w.anchors.Check(w.leaf.Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	want(t, w.check(w.leaf.Cert.NotAfter.Add(time.Second), trust.Evidence{}), trust.Indeterminate, trust.Expired, trust.Unknown)
	want(t, w.check(w.leaf.Cert.NotBefore.Add(-time.Second), trust.Evidence{}), trust.Indeterminate, trust.NotYetValid, trust.Unknown)

	strict := *w.anchors
	strict.Strict = true
	want(t, strict.Check(w.leaf.Cert, []*x509.Certificate{w.sub.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.RevocationUnknown, trust.Unknown)
	for _, none := range []*trust.Anchors{nil, {}} {
		want(t, none.Check(w.leaf.Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
		want(t, none.CheckTSA(w.leaf.Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	}
}

// An authority of the same name with another key is another authority.
func TestRogue(t *testing.T) {
	w := newWorld(t)
	rogue := testpki.Root(t, "Root")
	sub := rogue.Sub(t, "Issuing CA")
	fake := sub.Issue(t, "Nguyễn Văn A", testpki.EC(t, elliptic.P256()))
	pool := []*x509.Certificate{sub.Cert, rogue.Cert, w.sub.Cert, w.root.Cert}
	want(t, w.anchors.Check(fake.Cert, pool, testpki.Now(), trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
}

func TestPaths(t *testing.T) {
	root, now := testpki.Root(t, "Root"), testpki.Now()
	a := anchors(t, root.PEM())
	key := testpki.EC(t, elliptic.P256())
	t.Run("leaf as authority", func(t *testing.T) {
		false1 := root.Issue(t, "no authority", testpki.EC(t, elliptic.P256()))
		leaf := false1.Issue(t, "below", key)
		want(t, a.Check(leaf.Cert, []*x509.Certificate{false1.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	})
	t.Run("path length", func(t *testing.T) {
		one := root.Sub(t, "one", func(c *x509.Certificate) { c.MaxPathLenZero = true })
		two := one.Sub(t, "two")
		leaf := two.Issue(t, "below", key)
		want(t, a.Check(leaf.Cert, []*x509.Certificate{one.Cert, two.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	})
	t.Run("expired authority", func(t *testing.T) {
		old := root.Sub(t, "old", testpki.Life(now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1)))
		leaf := old.Issue(t, "below", key)
		want(t, a.Check(leaf.Cert, []*x509.Certificate{old.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.Expired, trust.Unknown)
		want(t, a.Check(leaf.Cert, []*x509.Certificate{old.Cert}, now.AddDate(0, 0, -2), trust.Evidence{}), trust.Valid, trust.RevocationUnknown, trust.Unknown)
	})
	t.Run("short key", func(t *testing.T) {
		leaf := root.Issue(t, "short", testpki.RSA(t, 1024))
		v := a.Check(leaf.Cert, nil, now, trust.Evidence{})
		want(t, v, trust.Indeterminate, trust.WeakAlgorithm, trust.Unknown)
		if v.Detail != "RSA 1024" {
			t.Errorf("detail %q", v.Detail)
		}
	})
	t.Run("pool of thousands", func(t *testing.T) {
		var pool []*x509.Certificate
		for range 3000 {
			pool = append(pool, root.Cert)
		}
		leaf := root.Issue(t, "x", key)
		want(t, a.Check(leaf.Cert, pool, now, trust.Evidence{}), trust.Valid, trust.RevocationUnknown, trust.Unknown)
	})
}

func TestPurpose(t *testing.T) {
	root, now := testpki.Root(t, "Root"), testpki.Now()
	a := anchors(t, root.PEM())
	key := testpki.EC(t, elliptic.P256())
	for name, c := range map[string]struct {
		edit func(*x509.Certificate)
		ok   bool
	}{
		"no usage at all": {func(c *x509.Certificate) { c.KeyUsage = 0 }, true},
		"non-repudiation": {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }, true},
		"encipherment":    {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, false},
		"mail":            {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }, true},
		"any":             {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, true},
		"server":          {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, false},
		"code":            {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, false},
		"timestamps":      {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping} }, false},
		"documents": {func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 36}}
		}, true},
		"something unknown": {func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := a.Check(root.Issue(t, "x", key, c.edit).Cert, nil, now, trust.Evidence{})
			if c.ok {
				want(t, v, trust.Valid, trust.RevocationUnknown, trust.Unknown)
			} else {
				want(t, v, trust.Indeterminate, trust.WrongPurpose, trust.Unknown)
			}
		})
	}
	t.Run("narrowed by the authority", func(t *testing.T) {
		sub := root.Sub(t, "servers only", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
		leaf := sub.Issue(t, "x", key)
		want(t, a.Check(leaf.Cert, []*x509.Certificate{sub.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.WrongPurpose, trust.Unknown)
	})
}

func TestTSA(t *testing.T) {
	root, other, now := testpki.Root(t, "Root"), testpki.Root(t, "TSA Root"), testpki.Now()
	both, err := trust.New([]string{root.PEM()}, []string{other.PEM()})
	if err != nil {
		t.Fatal(err)
	}
	a := anchors(t, root.PEM())
	good := root.TSA(t, "TSA")
	want(t, a.CheckTSA(good.Cert, nil, now, trust.Evidence{}), trust.Valid, trust.RevocationUnknown, trust.Unknown)
	want(t, both.CheckTSA(good.Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	want(t, both.CheckTSA(other.TSA(t, "TSA").Cert, nil, now, trust.Evidence{}), trust.Valid, trust.RevocationUnknown, trust.Unknown)
	want(t, both.Check(other.Issue(t, "x", testpki.EC(t, elliptic.P256())).Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.Untrusted, trust.Unknown)
	for name, edit := range map[string]func(*x509.Certificate){
		"not critical": func(c *x509.Certificate) {
			c.ExtraExtensions, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		},
		"none": func(c *x509.Certificate) { c.ExtraExtensions = nil },
		"one of two": func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageEmailProtection}
		},
		"encipherment": func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment },
	} {
		t.Run(name, func(t *testing.T) {
			want(t, a.CheckTSA(root.TSA(t, "TSA", edit).Cert, nil, now, trust.Evidence{}), trust.Indeterminate, trust.WrongPurpose, trust.Unknown)
		})
	}
}

func TestRevocation(t *testing.T) {
	w, now, week := newWorld(t), testpki.Now(), testpki.Week()
	before, after := now.AddDate(0, 0, -3), now.AddDate(0, 0, 3)
	rootList := w.root.CRL(t, week, now)
	responder := w.sub.Issue(t, "OCSP", testpki.EC(t, elliptic.P256()), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	nobody := w.sub.Issue(t, "nobody", testpki.EC(t, elliptic.P256()))
	rogue := testpki.Root(t, "Issuing CA")
	twin := rogue.Issue(t, "twin", testpki.EC(t, elliptic.P256()), func(c *x509.Certificate) { c.SerialNumber = w.leaf.Cert.SerialNumber })
	old := testpki.Period{This: now.AddDate(0, -2, 0), Next: now.AddDate(0, -1, 0)}
	moment := testpki.Period{This: now.Add(-time.Minute)}
	for name, c := range map[string]struct {
		lists, responses [][]byte
		reason, result   string
	}{
		"list":                       {[][]byte{w.sub.CRL(t, week, now), rootList}, nil, "", trust.Good},
		"list of the issuer only":    {[][]byte{w.sub.CRL(t, week, now)}, nil, trust.RevocationUnknown, trust.Unknown},
		"revoked by list":            {[][]byte{w.sub.CRL(t, week, before, w.leaf), rootList}, nil, trust.Revoked, trust.Revoked},
		"revoked later":              {[][]byte{w.sub.CRL(t, week, after, w.leaf), rootList}, nil, "", trust.Good},
		"somebody else revoked":      {[][]byte{w.sub.CRL(t, week, before, nobody), rootList}, nil, "", trust.Good},
		"old list":                   {[][]byte{w.sub.CRL(t, old, now), rootList}, nil, trust.RevocationUnknown, trust.Unknown},
		"revoked by old list":        {[][]byte{w.sub.CRL(t, old, before, w.leaf), rootList}, nil, trust.Revoked, trust.Revoked},
		"list of another key":        {[][]byte{rogue.CRL(t, week, before, w.leaf), rootList}, nil, trust.RevocationUnknown, trust.Unknown},
		"authority revoked":          {[][]byte{w.sub.CRL(t, week, now), w.root.CRL(t, week, before, w.sub)}, nil, trust.Revoked, trust.Revoked},
		"response":                   {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, w.leaf, week, time.Time{}, false)}, "", trust.Good},
		"basic response":             {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, w.leaf, week, time.Time{}, true)}, "", trust.Good},
		"response of a delegate":     {[][]byte{rootList}, [][]byte{responder.OCSP(t, w.leaf, week, time.Time{}, false)}, "", trust.Good},
		"response of nobody":         {[][]byte{rootList}, [][]byte{nobody.OCSP(t, w.leaf, week, time.Time{}, false)}, trust.RevocationUnknown, trust.Unknown},
		"response about another":     {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, nobody, week, time.Time{}, false)}, trust.RevocationUnknown, trust.Unknown},
		"response about a twin":      {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, twin, week, time.Time{}, false)}, trust.RevocationUnknown, trust.Unknown},
		"response without next":      {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, w.leaf, moment, time.Time{}, false)}, "", trust.Good},
		"old response":               {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, w.leaf, old, time.Time{}, false)}, trust.RevocationUnknown, trust.Unknown},
		"revoked by response":        {[][]byte{rootList}, [][]byte{w.sub.OCSP(t, w.leaf, week, before, false)}, trust.Revoked, trust.Revoked},
		"revoked wins over good":     {[][]byte{rootList, w.sub.CRL(t, week, now)}, [][]byte{w.sub.OCSP(t, w.leaf, week, time.Time{}, false), w.sub.OCSP(t, w.leaf, week, before, false)}, trust.Revoked, trust.Revoked},
		"garbage":                    {[][]byte{{0x30, 0x80}, nil}, [][]byte{{0x30, 3, 2, 1}, nil}, trust.RevocationUnknown, trust.Unknown},
		"authority's own revocation": {[][]byte{w.sub.CRL(t, week, now), rootList, w.sub.CRL(t, week, before, w.root)}, nil, "", trust.Good},
	} {
		t.Run(name, func(t *testing.T) {
			v := w.check(now, trust.Evidence{CRLs: c.lists, OCSP: c.responses})
			st := trust.Valid
			if c.reason == trust.Revoked {
				st = trust.Indeterminate
			}
			want(t, v, st, c.reason, c.result)
		})
	}
	t.Run("list after the end of the certificate", func(t *testing.T) {
		late := testpki.Period{This: w.leaf.Cert.NotAfter.AddDate(0, 0, 1), Next: w.leaf.Cert.NotAfter.AddDate(0, 0, 8)}
		lists := [][]byte{rootList, w.sub.CRL(t, late, now)}
		want(t, w.check(now, trust.Evidence{CRLs: lists}), trust.Valid, trust.RevocationUnknown, trust.Unknown)
		soon := testpki.Period{This: now.AddDate(0, 1, 0), Next: now.AddDate(0, 2, 0)}
		want(t, w.check(now, trust.Evidence{CRLs: [][]byte{rootList, w.sub.CRL(t, soon, now)}}), trust.Valid, "", trust.Good)
	})
	t.Run("list of the operator", func(t *testing.T) {
		list := string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: w.sub.CRL(t, week, before, w.leaf)}))
		a := anchors(t, w.root.PEM()+list)
		want(t, a.Check(w.leaf.Cert, []*x509.Certificate{w.sub.Cert}, now, trust.Evidence{}), trust.Indeterminate, trust.Revoked, trust.Revoked)
	})
}

// A list for authorities, or for other distribution points, says nothing of a
// signer; one that is not understood says nothing at all.
func TestPartialLists(t *testing.T) {
	root, now := testpki.Root(t, "Root"), testpki.Now()
	a := anchors(t, root.PEM())
	leaf := root.Issue(t, "x", testpki.EC(t, elliptic.P256()), func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1"} })
	point := func(uri string) []byte { return testpki.TLV(0xA0, testpki.TLV(0xA0, testpki.TLV(0x86, []byte(uri)))) }
	for name, c := range map[string]struct {
		id    asn1.ObjectIdentifier
		value []byte
		ok    bool
	}{
		"this point":    {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq(point("http://crl.example/1")), true},
		"another point": {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq(point("http://crl.example/2")), false},
		"signers":       {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq([]byte{0x81, 1, 0xFF}), true},
		"authorities":   {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq([]byte{0x82, 1, 0xFF}), false},
		"some reasons":  {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq([]byte{0x83, 2, 6, 0x40}), false},
		"indirect":      {asn1.ObjectIdentifier{2, 5, 29, 28}, testpki.Seq([]byte{0x84, 1, 0xFF}), false},
		"delta":         {asn1.ObjectIdentifier{2, 5, 29, 27}, []byte{2, 1, 1}, false},
		"broken":        {asn1.ObjectIdentifier{2, 5, 29, 28}, []byte{1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			list := root.CRLWith(t, testpki.Week(), c.id, c.value)
			v := a.Check(leaf.Cert, nil, now, trust.Evidence{CRLs: [][]byte{list}})
			if c.ok {
				want(t, v, trust.Valid, "", trust.Good)
			} else {
				want(t, v, trust.Valid, trust.RevocationUnknown, trust.Unknown)
			}
		})
	}
}

func TestNew(t *testing.T) {
	w := newWorld(t)
	for name, text := range map[string]string{
		"empty":       "",
		"no PEM":      "hello",
		"a key":       w.root.KeyPEM(t),
		"broken":      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"broken list": "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
		"rest":        w.root.PEM() + "tail",
	} {
		if _, err := trust.New([]string{text}, nil); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "Root") {
			t.Errorf("%s: %v holds a name", name, err)
		}
	}
	a, err := trust.New([]string{w.root.PEM() + "\n" + w.sub.PEM()}, nil)
	if err != nil || len(a.CAs) != 2 {
		t.Errorf("%v", err)
	}
}

// The words of EN 319 102-1: what nobody proves is not certain.
func TestJudge(t *testing.T) {
	now := testpki.Now()
	for _, c := range []struct {
		had    trust.Status
		proved time.Time
		v      trust.Verdict
		want   trust.Status
		reason string
	}{
		{"", time.Time{}, trust.Verdict{Status: trust.Valid}, trust.Valid, ""},
		{"", time.Time{}, trust.Verdict{Status: trust.Indeterminate, Reason: trust.Revoked}, trust.Indeterminate, trust.Revoked},
		{"", now, trust.Verdict{Status: trust.Indeterminate, Reason: trust.Revoked}, trust.Invalid, trust.Revoked},
		{"", now, trust.Verdict{Status: trust.Indeterminate, Reason: trust.Untrusted}, trust.Indeterminate, trust.Untrusted},
		{trust.Invalid, now, trust.Verdict{Status: trust.Valid}, trust.Invalid, "x"},
		{trust.Invalid, now, trust.Verdict{Status: trust.Indeterminate, Reason: trust.Revoked}, trust.Invalid, "x"},
		{trust.Indeterminate, now, trust.Verdict{Status: trust.Valid}, trust.Indeterminate, "x"},
		{trust.Indeterminate, now, trust.Verdict{Status: trust.Indeterminate, Reason: trust.Expired}, trust.Invalid, trust.Expired},
	} {
		s := trust.Signature{Status: c.had, Proved: c.proved}
		if c.had != "" {
			s.Reason = "x"
		}
		s.Judge(c.v)
		if s.Status != c.want || s.Reason != c.reason {
			t.Errorf("%+v: %s %q", c, s.Status, s.Reason)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	w := newWorld(f)
	now := testpki.Now()
	f.Add(w.sub.OCSP(f, w.leaf, testpki.Week(), time.Time{}, false))
	f.Add(w.sub.OCSP(f, w.leaf, testpki.Week(), now, true))
	f.Add(w.sub.CRL(f, testpki.Week(), now, w.leaf))
	f.Fuzz(func(t *testing.T, b []byte) {
		w.check(now, trust.Evidence{OCSP: [][]byte{b}, CRLs: [][]byte{b}})
	})
}

func FuzzNew(f *testing.F) {
	f.Add(newWorld(f).root.PEM())
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := trust.New([]string{s}, nil); err == nil && len(a.CAs)+len(a.CRLs) == 0 {
			t.Error("anchors without an anchor")
		}
	})
}
