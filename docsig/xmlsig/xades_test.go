package xmlsig_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

func TestXAdES(t *testing.T) {
	w := people()
	base := signing{who: w.signer, refs: []ref{whole(decision)}, xades: true}
	with := func(edit func(*signing)) string {
		s := base
		edit(&s)
		return into(decision, s.xml(t))
	}
	plain := with(func(*signing) {})
	swap := func(old, new string) string {
		if !strings.Contains(plain, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(plain, old, new, 1)
	}
	second := `<ds:Object><xades:QualifyingProperties ` + xades + ` Target="#sig"/></ds:Object></ds:Signature>`
	for name, c := range map[string]struct{ doc, want string }{
		"good":                  {plain, "valid whole"},
		"version 1 of the name": {with(func(s *signing) { s.v1 = true }), "valid whole"},
		"serial":                {with(func(s *signing) { s.serial = w.signer.Cert.SerialNumber }), "valid whole"},
		"other serial":          {with(func(s *signing) { s.serial = big.NewInt(5) }), "invalid malformed"},
		"other serial, v1":      {with(func(s *signing) { s.v1, s.serial = true, big.NewInt(5) }), "invalid malformed"},
		"names another":         {with(func(s *signing) { s.meant = w.rsa.Cert.Raw }), "indeterminate untrusted"},
		"not signed":            {with(func(s *signing) { s.loose = true }), "invalid malformed"},
		"type of reference":     {with(func(s *signing) { s.propType = "urn:x" }), "invalid malformed"},
		"signing time":          {swap("09:00:00Z", "08:00:00Z"), "invalid digest"},
		"named digest":          {swap(`<xades:Cert>`, `<xades:Cert Id="x">`), "invalid digest"},
		"target":                {swap(`Target="#sig"`, `Target="#gis"`), "invalid malformed"},
		"id of signature":       {swap(`Id="sig"`, `Id="gis"`), "invalid malformed"},
		"no id":                 {swap(`Id="sig"`, ``), "invalid malformed"},
		"twice":                 {swap(`</ds:Signature>`, second), "invalid malformed"},
		"other version":         {swap(`</ds:Signature>`, strings.ReplaceAll(second, "v1.3.2", "v1.1.1")), "indeterminate unsupported"},
		"second properties":     {swap(`</xades:SignedProperties>`, `</xades:SignedProperties><xades:SignedProperties/>`), "invalid malformed"},
		"no properties":         {swap(`SignedSignatureProperties>`, `SignedSignatureProperty>`), "invalid malformed"},
		"only properties":       {into(decision, signing{who: w.signer, xades: true}.xml(t)), "indeterminate partial"},
		"name removed":          {with(func(s *signing) { s.meant = []byte{} }), "indeterminate untrusted"},
		"changed and names another": {strings.Replace(with(func(s *signing) { s.meant = w.rsa.Cert.Raw }), "100", "900", 1),
			"invalid digest"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := c.doc
			if strings.Contains(name, "no properties") {
				doc = strings.ReplaceAll(doc, "SignedSignatureProperties>", "SignedSignatureProperty>")
				doc = strings.ReplaceAll(doc, "<xades:UnsignedSignatureProperty>", "")
			}
			if name == "name removed" { // no SigningCertificate at all
				a, b := strings.Index(doc, "<xades:SigningCertificateV2>"), strings.Index(doc, "</xades:SigningCertificateV2>")
				doc = doc[:a] + doc[b+len("</xades:SigningCertificateV2>"):]
				c.want = "invalid malformed"
			}
			s := expect(t, doc, c.want)
			if s.Form != "XAdES" || !s.Proved.IsZero() {
				t.Errorf("%+v", s)
			}
		})
	}
	if s := expect(t, plain, "valid whole"); s.Claimed.Format(time.RFC3339) != "2026-06-01T09:00:00Z" || s.Reason != trust.RevocationUnknown {
		t.Errorf("%+v", s)
	}
}

// TestSwappedCertificate: two certificates for one key. Without XAdES nobody can
// tell which was meant; with it only the named one will do.
func TestSwappedCertificate(t *testing.T) {
	w := people()
	twin := w.root.Issue(t, "Somebody else", w.signer.Key)
	doc := strings.Replace(good(t, true), b64(w.signer.Cert.Raw), b64(twin.Cert.Raw), 1)
	expect(t, doc, "indeterminate untrusted")
}

func TestTimestamps(t *testing.T) {
	w := people()
	before := testpki.Now().AddDate(0, -1, 0)
	stranger := w.other.TSA(t, "TSA")
	stamped := func(unsigned func(value string) string) string {
		return into(decision, signing{who: w.signer, refs: []ref{whole(decision)}, xades: true, unsigned: unsigned}.xml(t))
	}
	for name, c := range map[string]struct {
		doc, want string
		proved    bool
	}{
		"good":        {stamped(func(v string) string { return stampValue(t, w.tsa, v, before) }), "valid whole", true},
		"other value": {stamped(func(v string) string { return stampValue(t, w.tsa, v+"x", before) }), "indeterminate malformed whole", false},
		"stranger":    {stamped(func(v string) string { return stampValue(t, stranger, v, before) }), "valid whole", false},
		"no token": {stamped(func(v string) string {
			return strings.ReplaceAll(stampValue(t, w.tsa, v, before), "xades:Enc", "xades:enc")
		}), "indeterminate malformed whole", false},
		"junk":          {stamped(func(string) string { return signatureStamp([]byte("junk")) }), "indeterminate malformed whole", false},
		"from tomorrow": {stamped(func(v string) string { return stampValue(t, w.tsa, v, testpki.Now().AddDate(0, 0, 1)) }), "indeterminate malformed whole", false},
		"many": {stamped(func(v string) string { return strings.Repeat(stampValue(t, w.tsa, v, before), 17) }),
			"indeterminate unsupported whole", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := expect(t, c.doc, c.want)
			if s.Proved.Equal(before) != c.proved {
				t.Errorf("proved %v", s.Proved)
			}
		})
	}
	// The certificate has ended; the timestamp proves the signature is older.
	late := testpki.Now().AddDate(2, 1, 0)
	if s := verifyAt(t, good(t, true), late); say(s[0]) != "indeterminate expired whole" {
		t.Error(say(s[0]))
	}
	long := w.root.TSA(t, "TSA", testpki.Life(testpki.Now().AddDate(-1, 0, 0), testpki.Now().AddDate(9, 0, 0)))
	anchors := &trust.Anchors{CAs: w.anchors.CAs, TSAs: []*x509.Certificate{long.Cert}}
	doc := stamped(func(v string) string { return stampValue(t, long, v, before) })
	got, err := xmlsig.Verify(t.Context(), strings.NewReader(doc), int64(len(doc)), anchors, late)
	if err != nil || say(got[0]) != "valid whole" {
		t.Errorf("%v %v %s", err, say(got[0]), got[0].Detail)
	}
}

// stampValue is a SignatureTimeStamp over a signature value, each part in a form
// that is canonical where it stands.
func stampValue(t testing.TB, tsa *testpki.Identity, value string, at time.Time) string {
	return signatureStamp(tsa.Token(t, []byte(value), at))
}

func signatureStamp(token []byte) string { return stamp("xades:SignatureTimeStamp", token) }

func TestEvidence(t *testing.T) {
	w := people()
	who := w.root.Issue(t, "Signer", testpki.EC(t, elliptic.P256()))
	doc := func(values string) string {
		return into(decision, signing{who: who, refs: []ref{whole(decision)}, xades: true, unsigned: func(string) string { return values }}.xml(t))
	}
	crl := func(der []byte) string {
		return `<xades:RevocationValues><xades:CRLValues><xades:EncapsulatedCRLValue>` + b64(der) + `</xades:EncapsulatedCRLValue></xades:CRLValues></xades:RevocationValues>`
	}
	ocsp := func(der []byte) string {
		return `<xades:RevocationValues><xades:OCSPValues><xades:EncapsulatedOCSPValue>` + b64(der) + `</xades:EncapsulatedOCSPValue></xades:OCSPValues></xades:RevocationValues>`
	}
	revoked := testpki.Now().AddDate(0, 0, -2)
	for name, c := range map[string]struct{ values, want, revocation string }{
		"none":           {"", "valid whole", trust.Unknown},
		"list":           {crl(w.root.CRL(t, testpki.Week(), revoked)), "valid whole", trust.Good},
		"list, revoked":  {crl(w.root.CRL(t, testpki.Week(), revoked, who)), "indeterminate revoked whole", trust.Revoked},
		"response":       {ocsp(w.root.OCSP(t, who, testpki.Week(), time.Time{}, false)), "valid whole", trust.Good},
		"revoked":        {ocsp(w.root.OCSP(t, who, testpki.Week(), revoked, false)), "indeterminate revoked whole", trust.Revoked},
		"of a stranger":  {crl(w.other.CRL(t, testpki.Week(), revoked, who)), "valid whole", trust.Unknown},
		"broken":         {crl([]byte("junk")), "valid whole", trust.Unknown},
		"not a property": {`<x xmlns="urn:x">` + crl(w.root.CRL(t, testpki.Week(), revoked, who)) + `</x>`, "indeterminate revoked whole", trust.Revoked},
	} {
		t.Run(name, func(t *testing.T) {
			if s := expect(t, doc(c.values), c.want); s.Revocation != c.revocation {
				t.Errorf("revocation %s", s.Revocation)
			}
		})
	}
	// An issuer that only the certificate values bring.
	sub := w.root.Sub(t, "Sub")
	who = sub.Issue(t, "Signer", testpki.EC(t, elliptic.P256()))
	expect(t, doc(""), "indeterminate untrusted whole")
	expect(t, doc(`<xades:CertificateValues><xades:EncapsulatedX509Certificate>`+b64(sub.Cert.Raw)+`</xades:EncapsulatedX509Certificate></xades:CertificateValues>`), "valid whole")
	expect(t, doc(`<xades:CertificateValues><xades:EncapsulatedX509Certificate>?</xades:EncapsulatedX509Certificate></xades:CertificateValues>`), "invalid malformed")
}

// TestArchive: the imprint of an archive timestamp, put together here by hand:
// what the references name, SignedInfo, SignatureValue, KeyInfo, the unsigned
// properties before it, the other objects.
func TestArchive(t *testing.T) {
	w := people()
	const first = `<xades:SignatureTimeStamp %s>`
	at := testpki.Now().AddDate(0, -2, 0)
	later := at.AddDate(0, 1, 0)
	object := `<ds:Object ` + ds + `>` + `</ds:Object>`
	tsa := w.tsa
	build := func(spoil string) string {
		s := signing{who: w.signer, id: "sig", refs: []ref{whole(decision)}, xades: true, objects: object}
		bare := s.xml(t)
		s.unsigned = func(value string) string {
			stampOne := stampValue(t, tsa, value, at)
			canonical := strings.Replace(stampOne, "<xades:SignatureTimeStamp>", fmt.Sprintf(first, xades), 1)
			canonical = strings.Replace(canonical, "<ds:CanonicalizationMethod", "<ds:CanonicalizationMethod "+ds, 1)
			imprint := decision + s.properties(t) + cut(bare, "ds:SignedInfo") + value +
				strings.Replace(cut(bare, "ds:KeyInfo"), "<ds:KeyInfo>", "<ds:KeyInfo "+ds+">", 1) + canonical + object
			return stampOne + stamp(`a:ArchiveTimeStamp xmlns:a="http://uri.etsi.org/01903/v1.4.1#"`, w.tsa.Token(t, []byte(imprint+spoil), later))
		}
		// ECDSA signatures differ every time: the unsigned part is put into the
		// signature that it was made for.
		return strings.Replace(bare, "</xades:SignedProperties>", "</xades:SignedProperties><xades:UnsignedProperties><xades:UnsignedSignatureProperties>"+
			s.unsigned(cut(bare, "ds:SignatureValue"))+"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>", 1)
	}
	if s := expect(t, into(decision, build("")), "valid whole"); !s.Proved.Equal(at) {
		t.Errorf("proved %v", s.Proved)
	}
	// The first authority's certificate has ended since; it had not when the
	// archive timestamp was made.
	tsa = w.root.TSA(t, "TSA", testpki.Life(at.AddDate(0, -1, 0), later.AddDate(0, 0, 1)))
	if s := expect(t, into(decision, build("")), "valid whole"); !s.Proved.Equal(at) {
		t.Errorf("proved %v", s.Proved)
	}
	if s := expect(t, into(decision, build("x")), "indeterminate malformed whole"); !s.Proved.IsZero() {
		t.Errorf("proved %v", s.Proved)
	}
}

// cut returns the first element of a name, as it is written.
func cut(doc, name string) string {
	a := strings.Index(doc, "<"+name)
	b := strings.Index(doc, "</"+name+">")
	return doc[a : b+len(name)+3]
}
