package xmlsig_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

const (
	relNS  = "http://schemas.openxmlformats.org/package/2006/relationships"
	office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	word   = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
	relsCT = "application/vnd.openxmlformats-package.relationships+xml"
	mdssi  = `xmlns:mdssi="http://schemas.openxmlformats.org/package/2006/digital-signature"`
)

// link is a relationship in the order of its attributes in canonical form.
func link(id, target, typ string) string {
	return fmt.Sprintf(`<Relationship Id="%s" Target="%s" TargetMode="Internal" Type="%s"></Relationship>`, id, target, typ)
}

func links(rs ...string) string {
	return `<Relationships xmlns="` + relNS + `">` + strings.Join(rs, "") + `</Relationships>`
}

// parts is a small Word document, without its signature.
func parts() map[string]string {
	return map[string]string{
		"[Content_Types].xml": `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="` + relsCT + `"/><Default Extension="png" ContentType="image/png"/>` +
			`<Default Extension="sigs" ContentType="application/vnd.openxmlformats-package.digital-signature-origin"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>` +
			`<Override PartName="/word/document.xml" ContentType="` + word + `"/><Override PartName="/word/styles.xml" ContentType="application/styles+xml"/>` +
			`<Override PartName="/_xmlsignatures/sig1.xml" ContentType="application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml"/></Types>`,
		"_rels/.rels":       links(link("rId1", "word/document.xml", office+"/officeDocument"), link("rId9", "_xmlsignatures/origin.sigs", relNS+"/digital-signature/origin")),
		"word/document.xml": `<w:document xmlns:w="urn:w"><w:t>100</w:t></w:document>`,
		// Out of order, and without the attribute that the transform adds.
		"word/_rels/document.xml.rels": `<Relationships xmlns="` + relNS + `">
	<Relationship Type="` + office + `/styles" Target="styles.xml" Id="rId2"/>` + link("rId1", "media/a.png", office+"/image") + `</Relationships>`,
		"word/styles.xml":                       `<styles/>`,
		"word/media/a.png":                      "\x89PNG picture",
		"_xmlsignatures/origin.sigs":            "",
		"_xmlsignatures/_rels/origin.sigs.rels": links(link("rId1", "sig1.xml", relNS+"/digital-signature/signature")),
	}
}

// relsRef is a reference to some relationships of a part.
func relsRef(part string, canonical string, ids ...string) ref {
	pick := ""
	for _, id := range ids {
		pick += `<mdssi:RelationshipReference ` + mdssi + ` SourceId="` + id + `"></mdssi:RelationshipReference>`
	}
	return ref{
		uri: part + "?ContentType=" + relsCT, octets: canonical,
		transforms: `<ds:Transform Algorithm="http://schemas.openxmlformats.org/package/2006/RelationshipTransform">` + pick + `</ds:Transform><ds:Transform Algorithm="` + c14n10 + `"></ds:Transform>`,
	}
}

func partRef(part, typ, content string) ref {
	return ref{uri: part + "?ContentType=" + typ, octets: content}
}

// allRefs covers the document of parts.
func allRefs(p map[string]string) []ref {
	return []ref{
		relsRef("/_rels/.rels", links(link("rId1", "word/document.xml", office+"/officeDocument")), "rId1"),
		relsRef("/word/_rels/document.xml.rels", links(link("rId1", "media/a.png", office+"/image"), link("rId2", "styles.xml", office+"/styles")), "rId1", "rId2"),
		partRef("/word/document.xml", word, p["word/document.xml"]),
		partRef("/word/styles.xml", "application/styles+xml", p["word/styles.xml"]),
		partRef("/word/media/a.png", "image/png", p["word/media/a.png"]),
	}
}

// packageSignature signs references to parts as Office does: in a manifest in
// an object, with the time beside it.
func packageSignature(t testing.TB, who *testpki.Identity, refs []ref, edit ...func(*signing)) string {
	object := `<ds:Object ` + ds + ` Id="idPackageObject"><ds:Manifest>`
	for _, r := range refs {
		object += r.xml(t)
	}
	object += `</ds:Manifest><ds:SignatureProperties><ds:SignatureProperty Id="idSignatureTime" Target="#idPackageSignature"><mdssi:SignatureTime ` + mdssi +
		`><mdssi:Format>YYYY-MM-DDThh:mm:ssTZD</mdssi:Format><mdssi:Value>2026-06-01T07:00:00Z</mdssi:Value></mdssi:SignatureTime></ds:SignatureProperty></ds:SignatureProperties></ds:Object>`
	s := signing{who: who, id: "idPackageSignature", objects: object, refs: []ref{{
		uri: "#idPackageObject", typ: "http://www.w3.org/2000/09/xmldsig#Object", transforms: excC14N, octets: object,
	}}}
	for _, e := range edit {
		e(&s)
	}
	return `<?xml version="1.0" encoding="UTF-8"?>` + s.xml(t)
}

// zipped is the parts as a file, content types first.
func zipped(t testing.TB, p map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func signedParts(t testing.TB, edit ...func(*signing)) map[string]string {
	p := parts()
	p["_xmlsignatures/sig1.xml"] = packageSignature(t, people().signer, allRefs(p), edit...)
	return p
}

func verifyPack(t testing.TB, b []byte) []trust.Signature {
	t.Helper()
	got, err := xmlsig.VerifyOOXML(t.Context(), bytes.NewReader(b), int64(len(b)), people().anchors, testpki.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOOXML(t *testing.T) {
	base := signedParts(t)
	swap := func(name, old, new string) func(map[string]string) {
		return func(p map[string]string) {
			if !strings.Contains(p[name], old) {
				t.Fatalf("%s has no %s", name, old)
			}
			p[name] = strings.ReplaceAll(p[name], old, new)
		}
	}
	set := func(name, content string) func(map[string]string) {
		return func(p map[string]string) { p[name] = content }
	}
	drop := func(name string) func(map[string]string) { return func(p map[string]string) { delete(p, name) } }
	const core = `" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"/></Relationships>`
	const coreType = `<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`
	for name, c := range map[string]struct {
		edits []func(map[string]string)
		want  string
	}{
		"good":            {nil, "valid whole"},
		"document":        {[]func(map[string]string){swap("word/document.xml", "100", "900")}, "invalid digest"},
		"picture":         {[]func(map[string]string){swap("word/media/a.png", "picture", "forgery")}, "invalid digest"},
		"part removed":    {[]func(map[string]string){drop("word/styles.xml")}, "invalid digest"},
		"target":          {[]func(map[string]string){swap("word/_rels/document.xml.rels", "media/a.png", "media/b.png"), set("word/media/b.png", "forged")}, "invalid digest"},
		"main document":   {[]func(map[string]string){swap("_rels/.rels", "word/document.xml", "word/forged.xml"), set("word/forged.xml", "x")}, "invalid digest"},
		"made external":   {[]func(map[string]string){swap("word/_rels/document.xml.rels", "Internal", "External")}, "invalid digest"},
		"relation added":  {[]func(map[string]string){swap("word/_rels/document.xml.rels", "</Relationships>", link("rId3", "http://x", office+"/attachedTemplate")+"</Relationships>")}, "indeterminate partial"},
		"root relation":   {[]func(map[string]string){swap("_rels/.rels", "</Relationships>", link("rId3", "word/other.xml", office+"/officeDocument")+"</Relationships>"), set("word/other.xml", "x")}, "indeterminate partial"},
		"relations added": {[]func(map[string]string){set("word/_rels/styles.xml.rels", links(link("rId1", "media/a.png", office+"/image")))}, "indeterminate partial"},
		"macros":          {[]func(map[string]string){set("word/vbaProject.bin", "macro"), swap("word/_rels/document.xml.rels", "</Relationships>", link("rId3", "vbaProject.bin", "http://schemas.microsoft.com/office/2006/relationships/vbaProject")+"</Relationships>")}, "indeterminate partial"},
		"part added":      {[]func(map[string]string){set("word/vbaProject.bin", "macro")}, "indeterminate partial"},
		"content type":    {[]func(map[string]string){swap("[Content_Types].xml", word, "application/vnd.ms-word.document.macroEnabled.main+xml")}, "invalid digest"},
		"properties": {[]func(map[string]string){set("docProps/core.xml", "<x/>"), swap("[Content_Types].xml", "</Types>", coreType),
			swap("_rels/.rels", "</Relationships>", `<Relationship Id="rId3" Target="docProps/core.xml`+core)}, "valid"},
		"properties are macros": {[]func(map[string]string){set("docProps/core.bin", "macro"),
			swap("_rels/.rels", "</Relationships>", `<Relationship Id="rId3" Target="docProps/core.bin`+core)}, "indeterminate partial"},
		"properties used": {[]func(map[string]string){set("docProps/core.xml", "<x/>"), swap("[Content_Types].xml", "</Types>", coreType),
			swap("_rels/.rels", "</Relationships>", `<Relationship Id="rId3" Target="docProps/core.xml`+core),
			swap("word/_rels/document.xml.rels", "</Relationships>", link("rId3", "../docProps/core.xml", office+"/image")+"</Relationships>")}, "indeterminate partial"},
		"signature":       {[]func(map[string]string){swap("_xmlsignatures/sig1.xml", "07:00:00Z", "08:00:00Z")}, "invalid digest"},
		"manifest":        {[]func(map[string]string){swap("_xmlsignatures/sig1.xml", "styles.xml?", "stylez.xml?")}, "invalid digest"},
		"not linked":      {[]func(map[string]string){swap("_rels/.rels", "digital-signature/origin", "digital-signature/x")}, "invalid malformed"},
		"white space":     {[]func(map[string]string){swap("word/_rels/document.xml.rels", "</Relationships>", " <!-- x -->\n</Relationships>")}, "valid whole"},
		"odd relations":   {[]func(map[string]string){swap("word/_rels/document.xml.rels", "</Relationships>", "text</Relationships>")}, "invalid malformed"},
		"id twice":        {[]func(map[string]string){swap("word/_rels/document.xml.rels", "rId2", "rId1")}, "invalid malformed"},
		"case":            {[]func(map[string]string){set("WORD/document.xml", "x")}, "invalid malformed"},
		"dots":            {[]func(map[string]string){set("word/../x", "x")}, "invalid malformed"},
		"pieces":          {[]func(map[string]string){set("word/x.xml/[0].piece", "x")}, "indeterminate unsupported"},
		"certificate":     {[]func(map[string]string){set("_xmlsignatures/_rels/sig1.xml.rels", links(link("rId1", "c.cer", relNS+"/digital-signature/certificate"))), set("_xmlsignatures/c.cer", "x")}, "valid whole"},
		"signature's own": {[]func(map[string]string){set("_xmlsignatures/_rels/sig1.xml.rels", links(link("rId1", "c.cer", office+"/image")))}, "invalid malformed"},
		"no signature":    {[]func(map[string]string){set("_xmlsignatures/sig1.xml", "<x/>")}, "invalid malformed"},
		"types broken":    {[]func(map[string]string){set("[Content_Types].xml", "<Types>")}, "invalid malformed"},
		"relations with document type": {[]func(map[string]string){swap("_rels/.rels", "<Relationships", "<!DOCTYPE x><Relationships")},
			"indeterminate unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			p := maps.Clone(base)
			for _, e := range c.edits {
				e(p)
			}
			got := verifyPack(t, zipped(t, p))
			if len(got) != 1 || say(got[0]) != c.want {
				t.Fatalf("%+v, want %s", got, c.want)
			}
			if got[0].Form != "OOXML" {
				t.Error(got[0].Form)
			}
		})
	}
	s := verifyPack(t, zipped(t, base))[0]
	if s.Claimed.IsZero() || s.Signer == nil {
		t.Errorf("%+v", s)
	}
}

func TestOOXMLSignature(t *testing.T) {
	at := testpki.Now().AddDate(0, -1, 0)
	p := signedParts(t, func(s *signing) {
		s.xades = true
		s.v1 = true
		s.unsigned = func(v string) string { return stampValue(t, people().tsa, v, at) }
	})
	if got := verifyPack(t, zipped(t, p)); say(got[0]) != "valid whole" || !got[0].Proved.Equal(at) || got[0].Form != "OOXML" {
		t.Errorf("%+v", got)
	}
	for name, c := range map[string]struct {
		refs func([]ref) []ref
		want string
	}{
		"nothing":            {func(r []ref) []ref { return r[:1] }, "indeterminate partial"},
		"not all":            {func(r []ref) []ref { return r[:4] }, "indeterminate partial"},
		"no root relation":   {func(r []ref) []ref { return r[1:] }, "indeterminate partial"},
		"by type":            {byType, "valid whole"},
		"canonical part":     {func(r []ref) []ref { r[3].transforms, r[3].octets = excC14N, `<styles></styles>`; return r }, "valid whole"},
		"transformed part":   {func(r []ref) []ref { r[3].transforms = enveloped; return r }, "indeterminate unsupported"},
		"other type":         {func(r []ref) []ref { r[2].uri = "/word/document.xml?ContentType=text/plain"; return r }, "invalid digest"},
		"no type":            {func(r []ref) []ref { r[2].uri = "/word/document.xml"; return r }, "invalid digest"},
		"not in package":     {func(r []ref) []ref { r[2].uri = "http://x/"; return r }, "indeterminate unsupported"},
		"missing":            {func(r []ref) []ref { r[2].uri = "/word/x.xml?ContentType=text/plain"; return r }, "invalid digest"},
		"relations of other": {func(r []ref) []ref { r[2].transforms = r[0].transforms; return r }, "indeterminate unsupported"},
		"sha1": {func(r []ref) []ref { r[2].digest = "http://www.w3.org/2000/09/xmldsig#sha1"; return r },
			"indeterminate weak algorithm whole"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parts()
			p["_xmlsignatures/sig1.xml"] = packageSignature(t, people().signer, c.refs(allRefs(p)))
			if got := verifyPack(t, zipped(t, p)); len(got) != 1 || say(got[0]) != c.want {
				t.Fatalf("%+v, want %s", got, c.want)
			}
		})
	}
	// A signed relationship leads to the properties, which are not signed: they
	// are content then.
	p = parts()
	p["docProps/core.xml"] = "<x/>"
	p["_rels/.rels"] = strings.Replace(p["_rels/.rels"], "</Relationships>", link("rId3", "docProps/core.xml", relNS+"/metadata/core-properties")+"</Relationships>", 1)
	p["[Content_Types].xml"] = strings.Replace(p["[Content_Types].xml"], "</Types>", `<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`, 1)
	p["word/_rels/document.xml.rels"] = links(link("rId1", "media/a.png", office+"/image"), link("rId2", "styles.xml", office+"/styles"), link("rId3", "../docProps/core.xml", office+"/image"))
	refs := allRefs(p)
	refs[1] = relsRef("/word/_rels/document.xml.rels", p["word/_rels/document.xml.rels"], "rId1", "rId2", "rId3")
	p["_xmlsignatures/sig1.xml"] = packageSignature(t, people().signer, refs)
	if got := verifyPack(t, zipped(t, p)); say(got[0]) != "indeterminate partial" {
		t.Errorf("%+v", got)
	}
	// The object with the manifest is not signed.
	loose := signedParts(t, func(s *signing) {
		s.refs = []ref{{uri: "#other", transforms: excC14N, octets: `<ds:Object ` + ds + ` Id="other"></ds:Object>`}}
		s.objects += `<ds:Object ` + ds + ` Id="other"></ds:Object>`
	})
	never(t, "unsigned manifest", verifyPack(t, zipped(t, loose)))
}

func byType(r []ref) []ref {
	r[0].transforms = strings.Replace(r[0].transforms, `RelationshipReference `+mdssi+` SourceId="rId1"`, `RelationshipsGroupReference `+mdssi+` SourceType="`+office+`/officeDocument"`, 1)
	r[0].transforms = strings.Replace(r[0].transforms, "</mdssi:RelationshipReference>", "</mdssi:RelationshipsGroupReference>", 1)
	return r
}

func TestOOXMLSeveral(t *testing.T) {
	p := signedParts(t)
	p["_xmlsignatures/sig2.xml"] = packageSignature(t, people().rsa, allRefs(p), func(s *signing) { s.method = rsa256 })
	p["_xmlsignatures/_rels/origin.sigs.rels"] = links(link("rId1", "sig1.xml", relNS+"/digital-signature/signature"), link("rId2", "sig2.xml", relNS+"/digital-signature/signature"))
	got := verifyPack(t, zipped(t, p))
	if len(got) != 2 || say(got[0]) != "valid whole" || say(got[1]) != "valid whole" {
		t.Fatalf("%+v", got)
	}
	p["_xmlsignatures/_rels/origin.sigs.rels"] = links(link("rId1", "http://x/", relNS+"/digital-signature/signature"))
	never(t, "signature elsewhere", verifyPack(t, zipped(t, p)))
}

func TestOOXMLNone(t *testing.T) {
	unsigned := parts()
	delete(unsigned, "_xmlsignatures/_rels/origin.sigs.rels")
	for name, b := range map[string][]byte{
		"unsigned": zipped(t, unsigned), "empty": nil, "text": []byte("text"), "no package": zipped(t, map[string]string{"a": "b"}),
		"cut": zipped(t, signedParts(t))[:500],
	} {
		if got := verifyPack(t, b); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// open reports whether a part has white space and defaults that no signature covers.
func open(name string) bool {
	return name == "_xmlsignatures/sig1.xml" || name == "[Content_Types].xml" || strings.HasSuffix(name, ".rels")
}

// TestOOXMLEveryByte alters every byte of a signed package. What stays valid
// must hold the same parts and relationships.
func TestOOXMLEveryByte(t *testing.T) {
	p := signedParts(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, CompressedSize64: uint64(len(p[name])), UncompressedSize64: uint64(len(p[name])), CRC32: crc32.ChecksumIEEE([]byte(p[name]))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if got := verifyPack(t, b.Bytes()); say(got[0]) != "valid whole" {
		t.Fatalf("%+v", got)
	}
	for i := range b.Len() {
		bad := bytes.Clone(b.Bytes())
		bad[i] ^= 0x41
		for _, s := range verifyPack(t, bad) {
			if s.Status == trust.Valid && s.Whole && !sameParts(bad, p) {
				t.Fatalf("byte %d: %s", i, b.Bytes()[max(0, i-40):i+20])
			}
		}
	}
}

func sameParts(b []byte, p map[string]string) bool {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(z.File) != len(p) {
		return false
	}
	for _, f := range z.File {
		if f.Name == "_xmlsignatures/origin.sigs" {
			continue // a mark without content, which nobody reads
		}
		r, err := f.Open()
		if err != nil {
			return false
		}
		got, err := io.ReadAll(r)
		if err != nil || (string(got) != p[f.Name] && !open(f.Name)) {
			return false
		}
	}
	return true
}

// rezip copies a package with its parts edited and others added.
func rezip(t testing.TB, b []byte, edit func(name string, content []byte) []byte, added map[string]string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	p := maps.Clone(added)
	if p == nil {
		p = map[string]string{}
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		c, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if edit != nil && !strings.HasPrefix(f.Name, "_xmlsignatures/") {
			c = edit(f.Name, c)
		}
		p[f.Name] = string(c)
	}
	return zipped(t, p)
}
