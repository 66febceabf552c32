package xmlsig_test

import (
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/xmlsig"
)

// TestCanonical holds canonical forms that libxml2 gives as well (TestXMLLint
// asks it), so that they are tried where it is not at hand.
func TestCanonical(t *testing.T) {
	const all = c14n10 + "#WithComments"
	for _, c := range []struct{ doc, algorithm, id, want string }{
		// Values of attributes: white space as it is written becomes a space, as a
		// reference it stays.
		{"<a b=\"1\n2\tx\"/>", all, "", `<a b="1 2 x"></a>`},
		{"<a b=\"1\r\n2\"/>", all, "", `<a b="1 2"></a>`},
		{`<a b='&#10;&#13;&#9;' c="&quot;&lt;&gt;'&amp;"/>`, all, "", `<a b="&#xA;&#xD;&#x9;" c="&quot;&lt;>'&amp;"></a>`},
		// Text.
		{"<a>x\r\ny\rz&#13;&gt;&amp;&lt;&quot;</a>", all, "", "<a>x\ny\nz&#xD;&gt;&amp;&lt;\"</a>"},
		{"<a><![CDATA[<x>&\r\n]]></a>", all, "", "<a>&lt;x&gt;&amp;\n</a>"},
		// Attributes in the order of their namespaces, not of their prefixes.
		{`<a xmlns:p="u:1" xmlns:q="u:0" q:z="1" p:a="2" b="3" a="4"/>`, all, "", `<a xmlns:p="u:1" xmlns:q="u:0" a="4" b="3" q:z="1" p:a="2"></a>`},
		{`<a xml:lang="vi" b="1"/>`, all, "", `<a b="1" xml:lang="vi"></a>`},
		// Namespaces that are declared again, taken back, and not used.
		{`<a xmlns="u:1"><b xmlns="u:1"><c xmlns=""><d xmlns=""/></c></b></a>`, all, "", `<a xmlns="u:1"><b><c xmlns=""><d></d></c></b></a>`},
		{`<a xmlns=""><b xmlns=""/></a>`, all, "", `<a><b></b></a>`},
		{`<a xmlns:p="u:1"><p:b xmlns:p="u:1"/><c xmlns:p="u:2"/></a>`, all, "", `<a xmlns:p="u:1"><p:b></p:b><c xmlns:p="u:2"></c></a>`},
		{`<a xmlns:p="u:1"><p:b xmlns:p="u:1"/><c xmlns:p="u:2"/></a>`, exc, "", `<a><p:b xmlns:p="u:1"></p:b><c></c></a>`},
		{`<a xmlns="u:1"><p:b xmlns:p="u:2"><c/></p:b><b xmlns=""/></a>`, exc, "", `<a xmlns="u:1"><p:b xmlns:p="u:2"><c></c></p:b><b xmlns=""></b></a>`},
		{`<a xmlns:p="u:1" p:b=""><c p:b=""/></a>`, exc, "", `<a xmlns:p="u:1" p:b=""><c p:b=""></c></a>`},
		{`<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:b=""/>`, all, "", `<a xml:b=""></a>`},
		// What stands beside the document element.
		{"<?xml version='1.0'?>\n<?pi  x ?>\n\n<!--c--><a><?in?></a> <!--d--><?after  ?>", all, "", "<?pi x ?>\n<!--c-->\n<a><?in?></a>\n<!--d-->\n<?after?>"},
		{"<!--c--><?pi?><a><!--d--></a><!--e-->", c14n10, "", "<?pi?>\n<a></a>"},
		// A subtree takes namespaces and xml: attributes from around it.
		{`<a xmlns="u:1" xmlns:p="u:2" xml:lang="vi" xml:space="preserve" xml:other="1"><b Id="x" xml:space="default"/></a>`, all, "x",
			`<b xmlns="u:1" xmlns:p="u:2" Id="x" xml:lang="vi" xml:other="1" xml:space="default"></b>`},
		{`<a xmlns="u:1" xmlns:p="u:2" xml:lang="vi" xml:other="1"><b Id="x"/></a>`, c14n11, "x", `<b xmlns="u:1" xmlns:p="u:2" Id="x" xml:lang="vi"></b>`},
		{`<a xmlns="u:1" xmlns:p="u:2" xml:lang="vi"><b Id="x"><p:c/></b></a>`, exc, "x", `<b xmlns="u:1" Id="x"><p:c xmlns:p="u:2"></p:c></b>`},
		{`<a xmlns="u:1"><b xmlns="" Id="x"/></a>`, all, "x", `<b Id="x"></b>`},
		{`<p:a xmlns:p="u:1"><b><c xmlns:p="u:2" xml:id="x"><p:d/></c></b></p:a>`, all, "x", `<c xmlns:p="u:2" xml:id="x"><p:d></p:d></c>`},
	} {
		got, err := xmlsig.Canonical([]byte(c.doc), c.algorithm, c.id)
		if err != nil || string(got) != c.want {
			t.Errorf("%s\n got %q %v\nwant %q", c.doc, got, err, c.want)
		}
	}
}

// TestInclusive: the prefixes that an exclusive canonicalisation treats as the
// inclusive one does.
func TestInclusive(t *testing.T) {
	const doc = `<a xmlns="u:0" xmlns:p="u:1" xmlns:q="u:2"><q:b ID="x"><c xmlns:p="u:3" xmlns=""/><q:d xmlns:p="u:1"/></q:b></a>`
	for prefixes, want := range map[string]string{
		"":    `<q:b xmlns:q="u:2" ID="x"><c></c><q:d></q:d></q:b>`,
		"p":   `<q:b xmlns:p="u:1" xmlns:q="u:2" ID="x"><c xmlns:p="u:3"></c><q:d></q:d></q:b>`,
		"p q": `<q:b xmlns:p="u:1" xmlns:q="u:2" ID="x"><c xmlns:p="u:3"></c><q:d></q:d></q:b>`,
		"z":   `<q:b xmlns:q="u:2" ID="x"><c></c><q:d></q:d></q:b>`,
	} {
		got, err := xmlsig.Canonical([]byte(doc), exc, "x", strings.Fields(prefixes)...)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q %v", prefixes, got, err)
		}
	}
	got, err := xmlsig.Canonical([]byte(doc), exc, "x", "")
	if want := `<q:b xmlns="u:0" xmlns:q="u:2" ID="x"><c xmlns=""></c><q:d></q:d></q:b>`; err != nil || string(got) != want {
		t.Errorf("default: %q %v", got, err)
	}
}

// TestInclusiveSigned: the list of prefixes in a signature, for the reference
// and for the SignedInfo.
func TestInclusiveSigned(t *testing.T) {
	const list = `<ec:InclusiveNamespaces xmlns:ec="` + exc + `" PrefixList="#default u"></ec:InclusiveNamespaces>`
	const doc = `<p:decision xmlns:p="urn:p" xmlns:u="urn:u"><p:amount type="u:dong">100</p:amount></p:decision>`
	transform := strings.Replace(excC14N, "></ds:T", ">"+list+"</ds:T", 1)
	sig := signing{who: people().signer, refs: []ref{{transforms: enveloped + transform, octets: doc}}}.xml(t)
	expect(t, into(doc, sig), "valid whole")
	// The binding of the prefix in the value is signed thereby.
	expect(t, strings.Replace(into(doc, sig), "urn:u", "urn:v", 1), "invalid digest")
}

// TestBase: the one thing that Canonical XML 1.1 asks for and is not done here
// is refused.
func TestBase(t *testing.T) {
	const doc = `<a xml:base="http://x/"><b Id="x" xml:base="y"/></a>`
	if got, err := xmlsig.Canonical([]byte(doc), c14n11, "x"); err == nil {
		t.Errorf("%s", got)
	}
	if got, err := xmlsig.Canonical([]byte(doc), c14n11, ""); err != nil || string(got) != `<a xml:base="http://x/"><b Id="x" xml:base="y"></b></a>` {
		t.Errorf("%s %v", got, err)
	}
	if got, err := xmlsig.Canonical([]byte(doc), c14n10, "x"); err != nil || string(got) != `<b Id="x" xml:base="y"></b>` {
		t.Errorf("%s %v", got, err)
	}
}

// TestWellFormed: what XML 1.0 and its namespaces forbid is refused, whatever a
// lenient reader would make of it.
func TestWellFormed(t *testing.T) {
	for _, doc := range []string{
		"", " ", "x", "x<a/>", "<a/>x", "<a", "<a>", "</a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "< a/>", "<a/ >", "<1/>", "<-a/>", "<a:/>", "<:a/>", "<a:b:c xmlns:a='u:x'/>",
		"<a b/>", "<a b=/>", "<a b=1/>", "<a b='1/>", "<a b='1'c='2'/>", "<a b='<'/>", "<a b='&'/>", "<a b='&lt'/>", "<a b='1' b='1'/>", "<a =''/>",
		"<a xmlns:p='u:1' xmlns:q='u:1' p:b='' q:b=''/>", "<p:a/>", "<a p:b=''/>", "<a xmlns:p=''/>", "<a xmlns:xmlns='u:x'/>", "<a xmlns:xml='u:x'/>",
		"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "<a xmlns='u:1' xmlns='u:1'/>", "<xmlns:a/>", "<a xmlns:1='u:1'/>",
		"<a>&</a>", "<a>&x;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#xFFFE;</a>", "<a>&#1114112;</a>", "<a>&#-9;</a>", "<a>&#+9;</a>", "<a>&#xG;</a>", "<a>&#99999999999999999999;</a>", "<a>&lt </a>",
		"<a>]]></a>", "<a><![CDATA[x</a>", "<![CDATA[x]]><a/>", "<a><![cdata[x]]></a>", "<a>\x00</a>", "<a>\x0b</a>", "<a>\xc3</a>", "<a>\xed\xa0\x80</a>", "<a>\uffff</a>",
		"<!-- -- --><a/>", "<a><!-- x ---></a>", "<a><!-- x", "<a><!- x -></a>", "<a><?xml x?></a>", "<a><?XML?></a>", "<a><?p", "<a><? p?></a>", "<a><?p:q?></a>", "<a><?p/?></a>", "<?a?b?><c/>",
		" <?xml version='1.0'?><a/>", "<?xml?><a/>", "<?xml ?><a/>", "<?xml encoding='UTF-8'?><a/>", "<?xml version='1.0' standalone='x'?><a/>", "<?xml version='1.0' version='1.0'?><a/>",
		"<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>", "<?xml version='1.0' x='1'?><a/>", "<?xml version='1.0'encoding='UTF-8'?><a/>", "<?xml version='1.0'", "<?xml version=?><a/>", "<?xml version='1.0' 1?><a/>",
		"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a><!ELEMENT></a>", "<a xmlns='relative'/>", "<a xmlns:p='1:x'/>",
		"\xff\xfe<\x00a", "\xff\xfe<\x00a\x00/\x00>\x00\x00\xd8", "\xff\xfe<\x00a\x00>\x00\x00\xd8x\x00",
	} {
		if got, err := xmlsig.Canonical([]byte(doc), c14n10, ""); err == nil {
			t.Errorf("%q gives %q", doc, got)
		}
	}
	for _, doc := range []string{
		"<a/>", "\n<a/>\n", "<a ></a >", "<a b = '1'/>", "<\u1ebf \u1ec7='1'/>", "<a.-_\u00b7/>", "<a><?p?></a>", "<a>&#x1F600;&#9;</a>", "<a>]]</a>", "<a>></a>", "<a b='>'/>", "<!----><a/>",
		"<?xml version=\"1.0\" encoding='us-ascii' standalone = 'yes' ?><a/>", "<a xmlns=''/>", "<a xmlns:p='u+x-1.0:y'/>", "\xff\xfe<\x00a\x00/\x00>\x00", "\xfe\xff\x00<\x00a\x00/\x00>",
		"\xff\xfe<\x00a\x00>\x00\x3d\xd8\x00\xde<\x00/\x00a\x00>\x00",
	} {
		if _, err := xmlsig.Canonical([]byte(doc), c14n10, ""); err != nil {
			t.Errorf("%q: %v", doc, err)
		}
	}
}
