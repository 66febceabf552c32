package xmlsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	_ "crypto/sha1"
	_ "crypto/sha3"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// Namespaces and identifiers.
const (
	ds       = `xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	xades    = `xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`
	exc      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	c14n10   = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	c14n11   = "http://www.w3.org/2006/12/xml-c14n11"
	rsa256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ecdsa256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	sha256   = "http://www.w3.org/2001/04/xmlenc#sha256"

	enveloped = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>`
	excC14N   = `<ds:Transform Algorithm="` + exc + `"></ds:Transform>`
	toBase64  = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>`

	decision = `<decision xmlns="urn:test:d" ID="d1"><amount>100</amount><to>Phường Bến Nghé</to></decision>`
)

// ref is one reference, and the octets that it stands for after its transforms.
type ref struct {
	uri, typ, transforms, octets string
	digest                       string // method, SHA-256 where empty
}

// signing makes a ds:Signature. Every part is written in its exclusive
// canonical form, so that this code needs no canonicalisation of its own.
type signing struct {
	who      *testpki.Identity
	refs     []ref
	method   string // ecdsa256 where empty
	hash     crypto.Hash
	pss      bool
	params   string // inside the SignatureMethod
	canon    string // exc where empty
	id       string // "sig" where empty
	xades    bool
	meant    []byte                    // certificate that XAdES names, instead of who's
	serial   *big.Int                  // that XAdES names with it
	v1       bool                      // SigningCertificate instead of V2
	signed   string                    // more signed properties
	propType string                    // of the reference, instead of the right one
	loose    bool                      // the properties are not signed
	objects  string                    // before that of the properties
	unsigned func(value string) string // unsigned signature properties over the canonical SignatureValue
	key      *string                   // instead of the KeyInfo
}

func digests() map[string]crypto.Hash {
	return map[string]crypto.Hash{
		sha256: crypto.SHA256, "http://www.w3.org/2000/09/xmldsig#sha1": crypto.SHA1,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, "http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
		"http://www.w3.org/2007/05/xmldsig-more#sha3-256": crypto.SHA3_256,
	}
}

func sum(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (r ref) xml(t testing.TB) string {
	if r.digest == "" {
		r.digest = sha256
	}
	h := digests()[r.digest]
	if h == 0 {
		h = crypto.SHA256
	}
	var b strings.Builder
	b.WriteString(`<ds:Reference`)
	if r.typ != "" {
		fmt.Fprintf(&b, ` Type="%s"`, r.typ)
	}
	if r.uri != "-" {
		fmt.Fprintf(&b, ` URI="%s"`, r.uri)
	}
	b.WriteString(`>`)
	if r.transforms != "" {
		fmt.Fprintf(&b, `<ds:Transforms>%s</ds:Transforms>`, r.transforms)
	}
	fmt.Fprintf(&b, `<ds:DigestMethod Algorithm="%s"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`, r.digest, b64(sum(h, []byte(r.octets))))
	return b.String()
}

// xml makes the signature.
func (s signing) xml(t testing.TB) string {
	t.Helper()
	if s.id == "" {
		s.id = "sig"
	}
	if s.hash == 0 {
		s.hash = crypto.SHA256
	}
	if s.method == "" {
		s.method = ecdsa256
	}
	if s.canon == "" {
		s.canon = exc
	}
	refs := s.refs
	props := ""
	if s.xades {
		props = s.properties(t)
		typ := "http://uri.etsi.org/01903#SignedProperties"
		if s.propType != "" {
			typ = s.propType
		}
		if !s.loose {
			refs = append(refs, ref{uri: "#" + s.id + "-p", typ: typ, transforms: excC14N, octets: props})
		}
	}
	var info strings.Builder
	fmt.Fprintf(&info, `<ds:SignedInfo %s><ds:CanonicalizationMethod Algorithm="%s"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="%s">%s</ds:SignatureMethod>`, ds, s.canon, s.method, s.params)
	for _, r := range refs {
		info.WriteString(r.xml(t))
	}
	info.WriteString(`</ds:SignedInfo>`)
	value := fmt.Sprintf(`<ds:SignatureValue %s Id="%s-v">%s</ds:SignatureValue>`, ds, s.id, b64(sigValue(t, s, []byte(info.String()))))
	key := fmt.Sprintf(`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`, b64(s.who.Cert.Raw))
	if s.key != nil {
		key = *s.key
	}
	if props != "" {
		unsigned := ""
		if s.unsigned != nil {
			unsigned = `<xades:UnsignedProperties><xades:UnsignedSignatureProperties>` + s.unsigned(value) + `</xades:UnsignedSignatureProperties></xades:UnsignedProperties>`
		}
		props = fmt.Sprintf(`<ds:Object><xades:QualifyingProperties %s Target="#%s">%s%s</xades:QualifyingProperties></ds:Object>`, xades, s.id, props, unsigned)
	}
	return fmt.Sprintf(`<ds:Signature %s Id="%s">%s%s%s%s%s</ds:Signature>`, ds, s.id, info.String(), value, key, s.objects, props)
}

// sigValue signs as XML Signature has it: ECDSA as two numbers of equal length.
func sigValue(t testing.TB, s signing, message []byte) []byte {
	sig := testpki.Sign(t, s.who.Key, s.hash, message, s.pss)
	k, ok := s.who.Key.(*ecdsa.PrivateKey)
	if !ok {
		return sig
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &v); err != nil {
		t.Fatal(err)
	}
	half := (k.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*half)
	v.R.FillBytes(out[:half])
	v.S.FillBytes(out[half:])
	return out
}

func (s signing) properties(t testing.TB) string {
	cert, name := s.meant, "SigningCertificateV2"
	if cert == nil {
		cert = s.who.Cert.Raw
	}
	serial := ""
	if s.v1 {
		name = "SigningCertificate"
		n := s.serial
		if n == nil {
			n = s.who.Cert.SerialNumber
		}
		serial = fmt.Sprintf(`<xades:IssuerSerial><ds:X509IssuerName %s>CN=x</ds:X509IssuerName><ds:X509SerialNumber %s>%s</ds:X509SerialNumber></xades:IssuerSerial>`, ds, ds, n)
	} else if s.serial != nil {
		der := testpki.Seq(testpki.Seq(), testpki.Marshal(t, s.serial))
		serial = `<xades:IssuerSerialV2>` + b64(der) + `</xades:IssuerSerialV2>`
	}
	return fmt.Sprintf(`<xades:SignedProperties %s Id="%s-p"><xades:SignedSignatureProperties><xades:SigningTime>2026-06-01T09:00:00Z</xades:SigningTime>`+
		`<xades:%s><xades:Cert><xades:CertDigest><ds:DigestMethod %s Algorithm="%s"></ds:DigestMethod><ds:DigestValue %s>%s</ds:DigestValue></xades:CertDigest>%s</xades:Cert></xades:%s>%s`+
		`</xades:SignedSignatureProperties></xades:SignedProperties>`, xades, s.id, name, ds, sha256, ds, b64(sum(crypto.SHA256, cert)), serial, name, s.signed)
}

// stamp is a timestamp property over message.
func stamp(name string, token []byte) string {
	return fmt.Sprintf(`<%s><ds:CanonicalizationMethod Algorithm="%s"></ds:CanonicalizationMethod><xades:EncapsulatedTimeStamp>%s</xades:EncapsulatedTimeStamp></%s>`,
		name, exc, b64(token), strings.Fields(name)[0])
}

// world is the certificates of the tests.
type world struct {
	root, other, signer, rsa, tsa *testpki.Identity
	anchors                       *trust.Anchors
}

// the world is made once: keys take time.
var people = sync.OnceValue(func() *world {
	var t testing.T
	w := &world{root: testpki.Root(&t, "Root"), other: testpki.Root(&t, "Root")}
	w.signer = w.root.Issue(&t, "Signer", testpki.EC(&t, elliptic.P256()))
	w.rsa = w.root.Issue(&t, "Signer", testpki.RSA(&t, 2048))
	w.tsa = w.root.TSA(&t, "TSA")
	w.anchors = &trust.Anchors{}
	w.anchors.CAs = append(w.anchors.CAs, w.root.Cert)
	return w
})

// whole is a reference to a whole document with the signature in it.
func whole(octets string) ref { return ref{transforms: enveloped + excC14N, octets: octets} }

// into puts a signature at the end of a decision.
func into(doc, sig string) string {
	i := strings.LastIndex(doc, "</")
	return doc[:i] + sig + doc[i:]
}

// good is a decision with a good enveloped signature.
func good(t testing.TB, xades bool) string {
	return into(decision, signing{who: people().signer, refs: []ref{whole(decision)}, xades: xades}.xml(t))
}

func verify(t testing.TB, doc string) []trust.Signature {
	t.Helper()
	return verifyAt(t, doc, testpki.Now())
}

func verifyAt(t testing.TB, doc string, now time.Time) []trust.Signature {
	t.Helper()
	got, err := xmlsig.Verify(t.Context(), strings.NewReader(doc), int64(len(doc)), people().anchors, now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// say is a result in short: "valid whole", "invalid digest".
func say(s trust.Signature) string {
	out := string(s.Status)
	if s.Status != trust.Valid {
		out += " " + s.Reason
	}
	if s.Whole {
		out += " whole"
	}
	return out
}

// expect fails unless the document has one signature with this result.
func expect(t testing.TB, doc, want string) trust.Signature {
	t.Helper()
	got := verify(t, doc)
	if len(got) != 1 {
		t.Fatalf("%d signatures", len(got))
	}
	if say(got[0]) != want {
		t.Fatalf("%s (%s), want %s", say(got[0]), got[0].Detail, want)
	}
	return got[0]
}

// never fails if any signature is valid.
func never(t testing.TB, what string, got []trust.Signature) {
	t.Helper()
	for _, s := range got {
		if s.Status == trust.Valid {
			t.Fatalf("%s: valid (whole %v)", what, s.Whole)
		}
	}
}
