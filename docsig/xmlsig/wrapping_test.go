package xmlsig_test

import (
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// TestWrapping moves what is signed to where nobody looks and puts something
// else in its place. The names XSW1 to XSW8 are those of Somorovsky and others,
// "On Breaking SAML" (2012), with the decision for the assertion.
func TestWrapping(t *testing.T) {
	who := people().signer
	const inner = `<decision xmlns="urn:test:d" ID="d1"><amount>100</amount></decision>`
	const forged = `<decision xmlns="urn:test:d" ID="d2"><amount>900</amount></decision>`
	const open = `<response ID="r1">`
	env := signing{who: who, refs: []ref{{uri: "#d1", transforms: enveloped + excC14N, octets: inner}}}.xml(t)
	det := signing{who: who, refs: []ref{{uri: "#d1", transforms: excC14N, octets: inner}}}.xml(t)
	all := signing{who: who, refs: []ref{whole(open + inner + `</response>`)}}.xml(t)
	root := signing{who: who, refs: []ref{{uri: "#r1", transforms: enveloped + excC14N, octets: open + inner + `</response>`}}}.xml(t)
	signedInner := into(inner, env)
	object := func(sig, content string) string {
		return strings.Replace(sig, "</ds:Signature>", "<ds:Object>"+content+"</ds:Object></ds:Signature>", 1)
	}
	evilIn := func(content string) string { return into(forged, content) }
	for name, doc := range map[string]string{
		"XSW1, root around":          `<response ID="evil">` + forged + object(root, open+inner+`</response>`) + `</response>`,
		"XSW2, root beside":          `<response ID="evil">` + open + inner + `</response>` + root + forged + `</response>`,
		"XSW3, forged before":        `<response>` + forged + signedInner + `</response>`,
		"XSW4, forged around":        `<response>` + evilIn(signedInner) + `</response>`,
		"XSW5, signature in forged":  `<response>` + evilIn(det) + inner + `</response>`,
		"XSW6, signed in signature":  `<response>` + evilIn(object(det, inner)) + `</response>`,
		"XSW7, in extensions":        `<response><Extensions>` + forged + `</Extensions>` + signedInner + `</response>`,
		"XSW8, in object":            `<response>` + object(det, inner) + forged + `</response>`,
		"same id twice":              `<response>` + forged[:len(forged)-len("</decision>")] + `</decision>` + strings.Replace(forged, "d2", "d1", 1) + signedInner + `</response>`,
		"same id, other attribute":   `<response>` + strings.Replace(forged, `ID="d2"`, `id="d1"`, 1) + signedInner + `</response>`,
		"same id, xml:id":            `<response>` + strings.Replace(forged, `ID="d2"`, `xml:id="d1"`, 1) + signedInner + `</response>`,
		"same id, forged last":       `<response>` + signedInner + strings.Replace(forged, "d2", "d1", 1) + `</response>`,
		"id in signature's own part": strings.Replace(object(all, inner), `Id="sig-v"`, `Id="d1"`, 1),
		"forged root":                evilIn(`<old>` + signedInner + `</old>`),
		"put in a wrapper":           `<void><x>` + signedInner + `</x></void>`,
		"beside a wrapper":           `<a><cancelled>` + signedInner + `</cancelled></a>`,
		"wrapper says so":            `<a status="void">` + signedInner + `</a>`,
		"empty element beside":       `<a>` + signedInner + `<void/></a>`,
		"text beside":                `<a>` + signedInner + `void</a>`,
		"CDATA beside":               `<a>` + signedInner + `<![CDATA[void]]></a>`,
		"instruction before":         `<?void yes?>` + signedInner,
		"instruction, no words":      `<?void?>` + signedInner,
		"instruction after":          signedInner + `<?void yes?>`,
		"whole, then more":           open + inner + all + `<more>900</more></response>`,
		"whole in whole":             `<response ID="evil">` + open + inner + all + `</response></response>`,
		"object beside":              open + inner + object(all, forged) + `</response>`,
		"text in signature":          open + inner + strings.Replace(all, "</ds:Signature>", "900</ds:Signature>", 1) + `</response>`,
		"element in signature":       open + inner + strings.Replace(all, "</ds:Signature>", forged+"</ds:Signature>", 1) + `</response>`,
		"in another signature": open + inner + all + `<ds:Signature ` + ds + `><ds:SignedInfo/><ds:SignatureValue/><ds:Object>` + forged +
			`</ds:Object></ds:Signature></response>`,
		"manifest unsigned": `<ds:Signature` + strings.TrimPrefix(object(det, inner+`<ds:Manifest/>`), "<ds:Signature"),
	} {
		t.Run(name, func(t *testing.T) {
			got := verify(t, doc)
			if len(got) == 0 {
				t.Fatal("no signature")
			}
			never(t, name, got)
		})
	}
	// What the attacks start from is valid.
	expect(t, open+inner+all+`</response>`, "valid whole")
	expect(t, open+inner+root+`</response>`, "valid whole")
	expect(t, signedInner, "valid whole")
	expect(t, `<response>`+inner+det+`</response>`, "valid")
}

// TestWrappingXAdES puts forged properties beside the signed ones.
func TestWrappingXAdES(t *testing.T) {
	doc := good(t, true)
	props := cut(doc, "xades:SignedProperties")
	forged := strings.Replace(props, "09:00:00Z", "01:00:00Z", 1)
	for name, doc := range map[string]string{
		"replaced":            strings.Replace(doc, props, forged, 1),
		"forged beside":       strings.Replace(doc, props, strings.Replace(forged, "sig-p", "x", 1)+props, 1),
		"same id":             strings.Replace(doc, props, forged+props, 1),
		"moved to an object":  strings.Replace(strings.Replace(doc, props, strings.Replace(forged, "sig-p", "x", 1), 1), "<ds:Object>", "<ds:Object>"+props+"</ds:Object><ds:Object>", 1),
		"moved to document":   strings.Replace(strings.Replace(doc, props, strings.Replace(forged, "sig-p", "x", 1), 1), "<amount>", props+"<amount>", 1),
		"moved to unsigned":   strings.Replace(doc, props, strings.Replace(forged, "sig-p", "x", 1)+"<xades:UnsignedProperties>"+props+"</xades:UnsignedProperties>", 1),
		"properties of other": strings.Replace(doc, `<ds:Object>`, `<ds:Object><xades:QualifyingProperties `+xades+` Target="#sig">`+forged+`</xades:QualifyingProperties></ds:Object><ds:Object>`, 1),
	} {
		t.Run(name, func(t *testing.T) { never(t, name, verify(t, doc)) })
	}
}

// TestEveryByte alters every byte of a signed document in several ways. Either
// the canonical form stays the same, or the signature is not valid.
func TestEveryByte(t *testing.T) {
	for _, doc := range []string{good(t, true), good(t, false)} {
		want, err := xmlsig.Canonical([]byte(doc), exc+"WithComments", "")
		if err != nil {
			t.Fatal(err)
		}
		valid := 0
		for i := range len(doc) {
			for _, alter := range []func(byte) string{
				func(c byte) string { return string([]byte{c ^ 1}) }, func(c byte) string { return string([]byte{c ^ 0x20}) },
				func(byte) string { return "" }, func(c byte) string { return string([]byte{c, c}) },
				func(byte) string { return " " }, func(c byte) string { return "<" + string([]byte{c}) }, func(byte) string { return "&" },
				func(c byte) string { return " " + string([]byte{c}) }, func(c byte) string { return "A" },
			} {
				bad := doc[:i] + alter(doc[i]) + doc[i+1:]
				for _, s := range verify(t, bad) {
					if s.Status != trust.Valid || bad == doc {
						continue
					}
					valid++
					got, err := xmlsig.Canonical([]byte(bad), exc+"WithComments", "")
					if err != nil || string(got) != string(want) && !unsigned(doc, bad, i) {
						t.Fatalf("byte %d: …%s…\nvalid as …%s…", i, doc[max(0, i-30):min(len(doc), i+30)], bad[max(0, i-30):min(len(bad), i+30)])
					}
				}
			}
		}
		t.Logf("%d bytes, %d alterations without consequence", len(doc), valid)
	}
}

// unsigned reports whether an alteration is in what a signature leaves open by
// its standard: its own identifiers where no XAdES names them, and white space
// between the parts of the signature and within base64.
func unsigned(doc, bad string, i int) bool {
	plain := !strings.Contains(doc, "QualifyingProperties")
	tag := strings.LastIndex(doc[:i+1], "<")
	name, _, _ := strings.Cut(doc[tag:], " ")
	if (name == "<ds:Signature" && plain) || name == "<ds:SignatureValue" {
		if end := tag + strings.Index(doc[tag:], ">"); i < end {
			return true
		}
	}
	return strings.ReplaceAll(doc, " ", "") == strings.ReplaceAll(bad, " ", "") && i >= strings.Index(doc, "<ds:Signature ")
}
