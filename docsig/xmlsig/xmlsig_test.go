package xmlsig_test

import (
	"context"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

func TestForms(t *testing.T) {
	who := people().signer
	const xpath = `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>`
	const filter = `<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"><f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">/descendant::ds:Signature</f:XPath></ds:Transform>`
	object := `<ds:Object ` + ds + ` Id="o">` + decision + `</ds:Object>`
	data := `<data Id="x"><amount>100</amount></data>`
	coded := base64.StdEncoding.EncodeToString([]byte("plain text"))
	manifest := `<ds:Manifest ` + ds + ` Id="m">` + ref{uri: "#d1", transforms: excC14N, octets: decision}.xml(t) + `</ds:Manifest>`
	sig := func(refs ...ref) string { return signing{who: who, refs: refs}.xml(t) }
	with := func(objects string, refs ...ref) string {
		return signing{who: who, refs: refs, objects: objects}.xml(t)
	}
	for name, c := range map[string]struct{ doc, want string }{
		"enveloped":            {into(decision, sig(whole(decision))), "valid whole"},
		"by id":                {into(decision, sig(ref{uri: "#d1", transforms: enveloped + excC14N, octets: decision})), "valid whole"},
		"by pointer":           {into(decision, sig(ref{uri: "#xpointer(id('d1'))", transforms: enveloped + excC14N, octets: decision})), "valid whole"},
		"by pointer to all":    {into(decision, sig(ref{uri: "#xpointer(/)", transforms: enveloped + excC14N, octets: decision})), "valid whole"},
		"xpath":                {into(decision, sig(ref{transforms: xpath + excC14N, octets: decision})), "valid whole"},
		"xpath filter":         {into(decision, sig(ref{transforms: filter + excC14N, octets: decision})), "valid whole"},
		"no canonicalisation":  {into(decision, sig(ref{transforms: enveloped, octets: decision})), "valid whole"},
		"canonical twice":      {into(decision, sig(ref{transforms: enveloped + excC14N + excC14N, octets: decision})), "valid whole"},
		"with declaration":     {`<?xml version="1.0" encoding="utf-8" standalone="no"?>` + "\n" + good(t, false), "valid whole"},
		"with mark":            {"\ufeff" + good(t, false), "valid whole"},
		"comment added":        {strings.Replace(good(t, false), "<to>", "<!-- x --><to>", 1), "valid whole"},
		"other line ends":      {strings.Replace(into(decision, "\n"+sig(whole(into(decision, "\n")))), "\n", "\r\n", 1), "valid whole"},
		"enveloping":           {with(object, ref{uri: "#o", transforms: excC14N, octets: object}), "valid whole"},
		"enveloping, inside":   {with(object, ref{uri: "#d1", transforms: excC14N, octets: decision}), "valid whole"},
		"enveloping, base64":   {with(`<ds:Object Id="b" Encoding="x">`+coded+`</ds:Object>`, ref{uri: "#b", transforms: toBase64, octets: "plain text"}), "valid whole"},
		"enveloping, manifest": {with(`<ds:Object>`+manifest+`</ds:Object><ds:Object>`+decision+`</ds:Object>`, ref{uri: "#m", transforms: excC14N, octets: manifest}), "valid whole"},
		"detached":             {`<all>` + data + sig(ref{uri: "#x", transforms: excC14N, octets: data}) + `</all>`, "valid"},
		"detached, two parts": {`<all>` + data + `<b id="y"></b><sigs>` + sig(ref{uri: "#x", transforms: excC14N, octets: data},
			ref{uri: "#y", transforms: excC14N, octets: `<b id="y"></b>`}) + `</sigs></all>`, "valid"},
		"detached, not all": {`<all>` + data + `<more/>` + sig(ref{uri: "#x", transforms: excC14N, octets: data}) + `</all>`, "indeterminate partial"},
		"text beside":       {`<all>more` + data + sig(ref{uri: "#x", transforms: excC14N, octets: data}) + `</all>`, "indeterminate partial"},
		"attribute beside":  {`<all void="1">` + data + sig(ref{uri: "#x", transforms: excC14N, octets: data}) + `</all>`, "indeterminate partial"},
		"style sheet":       {`<?xml-stylesheet href="x"?>` + into(decision, sig(ref{uri: "#d1", transforms: enveloped + excC14N, octets: decision})), "indeterminate partial"},
		"style sheet signed": {`<?xml-stylesheet href="x"?>` + into(decision, sig(whole(`<?xml-stylesheet href="x"?>`+"\n"+decision))),
			"valid whole"},
		"own object unsigned": {into(decision, with(`<ds:Object>900</ds:Object>`, whole(decision))), "indeterminate partial"},
		"signs nothing":       {into(decision, sig(ref{uri: "#sig-v", transforms: enveloped + excC14N, octets: ""})), "invalid digest"},
		"signs itself away":   {sig(ref{transforms: enveloped + excC14N, octets: ""}), "indeterminate partial"},
	} {
		t.Run(name, func(t *testing.T) {
			s := expect(t, c.doc, c.want)
			if s.Signer == nil && s.Status == trust.Valid {
				t.Error("valid without a signer")
			}
		})
	}
}

func TestAlgorithms(t *testing.T) {
	w := people()
	const more, later = "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2007/05/xmldsig-more#"
	issue := func(k crypto.Signer) *testpki.Identity { return w.root.Issue(t, "Signer", k) }
	const params = `<p:RSAPSSParams xmlns:p="` + later + `"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"></ds:DigestMethod></p:RSAPSSParams>`
	for name, c := range map[string]struct {
		s    signing
		want string
	}{
		"rsa-sha256":     {signing{who: w.rsa, method: more + "rsa-sha256"}, "valid whole"},
		"rsa-sha384":     {signing{who: w.rsa, method: more + "rsa-sha384", hash: crypto.SHA384}, "valid whole"},
		"rsa-sha512":     {signing{who: w.rsa, method: more + "rsa-sha512", hash: crypto.SHA512}, "valid whole"},
		"pss":            {signing{who: w.rsa, method: later + "sha256-rsa-MGF1", pss: true}, "valid whole"},
		"pss parameters": {signing{who: w.rsa, method: later + "rsa-pss", pss: true, hash: crypto.SHA512, params: params}, "valid whole"},
		"pss as pkcs1":   {signing{who: w.rsa, method: more + "rsa-sha256", pss: true}, "invalid signature"},
		"p256":           {signing{who: w.signer}, "valid whole"},
		"p384":           {signing{who: issue(testpki.EC(t, elliptic.P384())), method: more + "ecdsa-sha384", hash: crypto.SHA384}, "valid whole"},
		"p521":           {signing{who: issue(testpki.EC(t, elliptic.P521())), method: more + "ecdsa-sha512", hash: crypto.SHA512}, "valid whole"},
		"ed25519":        {signing{who: issue(testpki.Ed(t)), method: "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"}, "valid whole"},
		"rsa-sha1":       {signing{who: w.rsa, method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", hash: crypto.SHA1}, "indeterminate weak algorithm whole"},
		"rsa 1024":       {signing{who: issue(testpki.RSA(t, 1024)), method: rsa256}, "indeterminate weak algorithm whole"},
		"wrong kind":     {signing{who: w.rsa, method: ecdsa256}, "invalid signature"},
		"hmac":           {signing{who: w.signer, method: more + "hmac-sha256"}, "indeterminate unsupported"},
		"hmac-sha1":      {signing{who: w.signer, method: "http://www.w3.org/2000/09/xmldsig#hmac-sha1"}, "indeterminate unsupported"},
		"dsa":            {signing{who: w.signer, method: "http://www.w3.org/2000/09/xmldsig#dsa-sha1"}, "indeterminate unsupported"},
		"unknown":        {signing{who: w.signer, method: "urn:x"}, "indeterminate unsupported"},
		"canonical 1.0":  {signing{who: w.signer, canon: c14n10}, "valid whole"},
		"canonical 1.1":  {signing{who: w.signer, canon: c14n11}, "valid whole"},
		"canonical none": {signing{who: w.signer, canon: "urn:x"}, "indeterminate unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			const doc = `<d><amount>100</amount></d>` // nothing to inherit: all canonical forms are one
			c.s.refs = []ref{whole(doc)}
			expect(t, into(doc, c.s.xml(t)), c.want)
		})
	}
	for method, want := range map[string]string{
		"http://www.w3.org/2000/09/xmldsig#sha1": "indeterminate weak algorithm whole", "http://www.w3.org/2001/04/xmldsig-more#md5": "indeterminate weak algorithm",
		"http://www.w3.org/2001/04/xmldsig-more#sha384": "valid whole", "http://www.w3.org/2001/04/xmlenc#sha512": "valid whole",
		"http://www.w3.org/2007/05/xmldsig-more#sha3-256": "valid whole", "urn:x": "indeterminate unsupported",
	} {
		r := whole(decision)
		r.digest = method
		expect(t, into(decision, signing{who: w.signer, refs: []ref{r}}.xml(t)), want)
	}
}

func TestRefused(t *testing.T) {
	sig := good(t, false)
	swap := func(old, new string) string { return strings.Replace(sig, old, new, 1) }
	one := func(r ref) string { return into(decision, signing{who: people().signer, refs: []ref{r}}.xml(t)) }
	transform := func(a, in string) string { return `<ds:Transform Algorithm="` + a + `">` + in + `</ds:Transform>` }
	key := func(s string) string {
		return into(decision, signing{who: people().signer, refs: []ref{whole(decision)}, key: &s}.xml(t))
	}
	const xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	for name, c := range map[string]struct{ doc, want string }{
		"document type":       {`<!DOCTYPE decision>` + sig, "indeterminate unsupported"},
		"entity":              {`<!DOCTYPE d [<!ENTITY x "100">]>` + swap("100", "&x;"), "indeterminate unsupported"},
		"entity undeclared":   {swap("100", "&x;"), "invalid malformed"},
		"xslt":                {one(ref{transforms: transform("http://www.w3.org/TR/1999/REC-xslt-19991116", ""), octets: decision}), "indeterminate unsupported"},
		"xpath":               {one(ref{transforms: transform(xpath, "<ds:XPath>self::nothing</ds:XPath>"), octets: decision}), "indeterminate unsupported"},
		"xpath, other name":   {one(ref{transforms: transform(xpath, `<ds:XPath>not(ancestor-or-self::ds:Object)</ds:XPath>`), octets: decision}), "indeterminate unsupported"},
		"xpath, and more":     {one(ref{transforms: transform(xpath, `<ds:XPath>not(ancestor-or-self::ds:Signature) and not(self::amount)</ds:XPath>`), octets: decision}), "indeterminate unsupported"},
		"unknown transform":   {one(ref{transforms: transform("urn:x", ""), octets: decision}), "indeterminate unsupported"},
		"enveloped twice on":  {one(ref{transforms: excC14N + enveloped, octets: decision}), "invalid malformed"},
		"xpath, other prefix": {one(ref{transforms: transform(xpath, `<ds:XPath xmlns:x="urn:x" x:y="">not(ancestor-or-self::x:Signature)</ds:XPath>`), octets: decision}), "indeterminate unsupported"},
		"same ID within":      {sameID(t), "invalid malformed"},
		"value too long":      {longValue(sig), "invalid signature"},
		"file":                {one(ref{uri: "file:///etc/passwd", octets: decision}), "indeterminate unsupported"},
		"address":             {one(ref{uri: "http://127.0.0.1/x", octets: decision}), "indeterminate unsupported"},
		"no URI":              {one(ref{uri: "-", octets: decision}), "indeterminate unsupported"},
		"to nothing":          {one(ref{uri: "#nothing", octets: ""}), "invalid malformed"},
		"pointer":             {one(ref{uri: "#xpointer(//amount)", octets: ""}), "indeterminate unsupported"},
		"no reference":        {into(decision, signing{who: people().signer}.xml(t)), "invalid malformed"},
		"changed":             {swap("100", "900"), "invalid digest"},
		"not base64":          {one(ref{uri: "#d1", transforms: enveloped + toBase64, octets: "x"}), "invalid malformed"},
		"value cut":           {swap("</ds:SignatureValue>", "A</ds:SignatureValue>"), "invalid malformed"},
		"no value":            {swap("SignatureValue ", "SignatureValu "), "invalid malformed"},
		"two infos":           {swap(`<ds:SignatureValue`, `<ds:SignedInfo/><ds:SignatureValue`), "invalid malformed"},
		"no key":              {key(""), "indeterminate untrusted"},
		"a key's name":        {key(`<ds:KeyInfo><ds:KeyName>me</ds:KeyName></ds:KeyInfo>`), "indeterminate untrusted"},
		"broken certificate":  {key(`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`), "indeterminate unsupported"},
		"other certificate": {key(`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + b64(people().root.Cert.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`),
			"invalid signature"},
		"stranger": {into(decision, signing{who: people().other.Issue(t, "Signer", people().signer.Key), refs: []ref{whole(decision)}}.xml(t)),
			"indeterminate untrusted whole"},
		"latin":       {`<?xml version="1.0" encoding="ISO-8859-1"?>` + sig, "indeterminate unsupported"},
		"version":     {`<?xml version="1.1"?>` + sig, "indeterminate unsupported"},
		"broken":      {sig[:len(sig)-3], "invalid malformed"},
		"two roots":   {sig + "<x/>", "invalid malformed"},
		"attributes":  {swap(`ID="d1"`, `ID="d1" ID="d1"`), "invalid malformed"},
		"same names":  {swap(`ID="d1"`, `ID="d1" xmlns:a="urn:x" xmlns:b="urn:x" a:x="" b:x=""`), "invalid malformed"},
		"no prefix":   {swap(`<to>`, `<p:to>`), "invalid malformed"},
		"control":     {swap("100", "1\x0100"), "invalid malformed"},
		"bad UTF-8":   {swap("100", "1\xff00"), "invalid malformed"},
		"relative":    {swap("urn:test:d", "d"), "indeterminate unsupported"},
		"]]>":         {swap("100", "]]>"), "invalid malformed"},
		"unbound":     {swap(`ID="d1"`, `ID="d1" xmlns:a=""`), "invalid malformed"},
		"text at end": {sig + "x", "invalid malformed"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, c.doc, c.want) })
	}
}

// sameID is signed by an ID that something in the signed part has as well.
func sameID(t *testing.T) string {
	doc := strings.Replace(decision, "<to>", `<to id="d1">`, 1)
	return into(doc, signing{who: people().signer, refs: []ref{{uri: "#d1", transforms: enveloped + excC14N, octets: doc}}}.xml(t))
}

// longValue writes the second number of an ECDSA signature with a zero before it.
func longValue(doc string) string {
	_, rest, _ := strings.Cut(doc, `Id="sig-v">`)
	old, _, _ := strings.Cut(rest, "<")
	b, err := base64.StdEncoding.DecodeString(old)
	if err != nil {
		panic(err)
	}
	return strings.Replace(doc, old, b64(slices.Insert(b, 32, 0)), 1)
}

func TestNone(t *testing.T) {
	for _, doc := range []string{"", "x", "<a/>", decision, "<a>http://www.w3.org/2000/09/xmldsig#</a>"} {
		if got := verify(t, doc); len(got) != 0 {
			t.Errorf("%q: %v", doc, got)
		}
	}
}

func TestUTF16(t *testing.T) {
	doc := `<?xml version="1.0" encoding="UTF-16"?>` + good(t, true)
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(doc)) {
		b = append(b, byte(u), byte(u>>8))
	}
	expect(t, string(b), "valid whole")
	for i := 0; i < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	expect(t, string(b), "valid whole")
	expect(t, string(b[:len(b)-1]), "invalid malformed")
	expect(t, doc, "indeterminate unsupported") // says UTF-16 and is not
}

func TestSeveral(t *testing.T) {
	const xpath = `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>`
	r := ref{transforms: xpath + excC14N, octets: decision}
	one := signing{who: people().signer, refs: []ref{r}, id: "one", xades: true}.xml(t)
	two := signing{who: people().rsa, method: rsa256, refs: []ref{r}, id: "two"}.xml(t)
	got := verify(t, into(decision, one+two))
	if len(got) != 2 || say(got[0]) != "valid whole" || say(got[1]) != "valid whole" || got[0].Form != "XAdES" || got[1].Form != "XMLDSig" {
		t.Fatalf("%+v", got)
	}
	// The second signs the document with the first in it; then the first alone
	// no longer has what it signed.
	first := good(t, false)
	plain, err := xmlsig.Canonical([]byte(first), exc, "")
	if err != nil {
		t.Fatal(err)
	}
	second := into(first, signing{who: people().rsa, method: rsa256, refs: []ref{whole(string(plain))}, id: "two"}.xml(t))
	got = verify(t, second)
	if len(got) != 2 || say(got[0]) != "invalid digest" || say(got[1]) != "valid whole" {
		t.Fatalf("%+v", got)
	}
	// What stands in another signature is not covered by this one.
	junk := strings.Replace(two, "</ds:Signature>", "<ds:Object>900</ds:Object></ds:Signature>", 1)
	for _, s := range verify(t, into(decision, one+junk)) {
		if s.Status == trust.Valid {
			t.Error("content hidden in a signature goes for signed")
		}
	}
}

func TestCountersignature(t *testing.T) {
	counter := ""
	doc := into(decision, signing{who: people().signer, refs: []ref{whole(decision)}, xades: true, unsigned: func(value string) string {
		s := signing{who: people().rsa, method: rsa256, id: "counter", refs: []ref{{
			uri: "#sig-v", typ: "http://uri.etsi.org/01903#CountersignedSignature", transforms: excC14N, octets: value,
		}}}
		counter = `<xades:CounterSignature>` + s.xml(t) + `</xades:CounterSignature>`
		return counter
	}}.xml(t))
	got := verify(t, doc)
	if len(got) != 2 || say(got[0]) != "valid whole" || say(got[1]) != "valid whole" {
		t.Fatalf("%+v", got)
	}
	for _, s := range verify(t, strings.Replace(doc, "100", "900", 1)) {
		if s.Status == trust.Valid {
			t.Errorf("%+v", s)
		}
	}
}

func TestCertificates(t *testing.T) {
	w := people()
	sub := w.root.Sub(t, "Sub")
	who := sub.Issue(t, "Signer", testpki.EC(t, elliptic.P256()))
	key := func(certs ...*testpki.Identity) *string {
		s := `<ds:KeyInfo><ds:KeyValue/>`
		for _, c := range certs {
			s += `<ds:X509Data><ds:X509SubjectName>x</ds:X509SubjectName><ds:X509Certificate>` + "\n" + b64(c.Cert.Raw) + `</ds:X509Certificate></ds:X509Data>`
		}
		s += `</ds:KeyInfo>`
		return &s
	}
	for name, c := range map[string]struct {
		key  *string
		want string
	}{
		"chain":        {key(who, sub), "valid whole"},
		"other order":  {key(sub, who), "valid whole"},
		"issuer lacks": {key(who), "indeterminate untrusted whole"},
		"many":         {key(make65(who)...), "indeterminate unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			s := expect(t, into(decision, signing{who: who, refs: []ref{whole(decision)}, key: c.key}.xml(t)), c.want)
			if c.want == "valid whole" && (len(s.Chain) != 3 || s.Signer.SHA256 != fmt.Sprintf("%x", sum(crypto.SHA256, who.Cert.Raw))) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func make65(c *testpki.Identity) []*testpki.Identity {
	out := make([]*testpki.Identity, 65)
	for i := range out {
		out[i] = c
	}
	return out
}

func TestPurpose(t *testing.T) {
	tsa := people().tsa // may stamp, not sign
	s := verify(t, into(decision, signing{who: tsa, refs: []ref{whole(decision)}}.xml(t)))
	never(t, "timestamping certificate", s)
	ca := people().root.Issue(t, "x", testpki.EC(t, elliptic.P256()), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	expect(t, into(decision, signing{who: ca, refs: []ref{whole(decision)}}.xml(t)), "indeterminate wrong purpose whole")
}

func TestErrors(t *testing.T) {
	doc := good(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := xmlsig.Verify(ctx, strings.NewReader(doc), int64(len(doc)), people().anchors, testpki.Now()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := xmlsig.Verify(t.Context(), strings.NewReader(doc), int64(len(doc))+1, people().anchors, testpki.Now()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := xmlsig.Verify(t.Context(), failing{}, 10, people().anchors, testpki.Now()); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if _, err := xmlsig.VerifyOOXML(t.Context(), failing{}, 10, people().anchors, testpki.Now()); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

var errDisk = errors.New("disk")

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errDisk }
