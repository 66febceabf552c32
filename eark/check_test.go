package eark_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

const (
	root = "METS.xml"
	rep  = "representations/rep1/METS.xml"
	ead  = "metadata/descriptive/EAD.xml"
)

// mutation is one change to a sound package, and the rule that must tell.
type mutation struct {
	rule string
	kind dossier.Kind
	file string
	old  string // regular expression; the first match is replaced
	new  string
}

// mutations break one rule each. They are made on packages of our own: the
// public corpus has no licence under which it could be copied here.
func mutations() []mutation {
	sip, aip, dip := dossier.SIP, dossier.AIP, dossier.DIP
	return []mutation{
		{"CSIP1", sip, root, ` OBJID="[^"]*"`, ``},
		{"CSIP1", sip, root, ` OBJID="[^"]*"`, ` OBJID="another"`},
		{"CSIP1", sip, rep, ` OBJID="[^"]*"`, ` OBJID="rep2"`},
		{"CSIP2", sip, root, ` TYPE="Mixed"`, ` TYPE="Papers"`},
		{"CSIP2", sip, root, ` TYPE="Mixed"`, ` TYPE="OTHER"`},
		{"CSIP3", sip, root, ` TYPE="Mixed"`, ` TYPE="Mixed" csip:OTHERTYPE="x"`},
		{"CSIP4", sip, root, ` csip:CONTENTINFORMATIONTYPE="MIXED"`, ``},
		{"CSIP4", sip, rep, ` csip:CONTENTINFORMATIONTYPE="MIXED"`, ` csip:CONTENTINFORMATIONTYPE="XYZ"`},
		{"CSIP5", sip, root, ` csip:CONTENTINFORMATIONTYPE="MIXED"`, ` csip:CONTENTINFORMATIONTYPE="OTHER"`},
		{"CSIP6", sip, root, ` PROFILE="[^"]*"`, ` PROFILE="none"`},
		{"CSIP117", sip, root, `(?s)<mets:metsHdr.*</mets:metsHdr>`, ``},
		{"CSIP7", sip, root, ` CREATEDATE="[^"]*"`, ` CREATEDATE="24/11/2026"`},
		{"CSIP8", sip, root, ` CREATEDATE=`, ` LASTMODDATE="2040-01-01T00:00:00" CREATEDATE=`},
		{"CSIP9", sip, root, `csip:OAISPACKAGETYPE="SIP"`, `csip:OAISPACKAGETYPE="ZIP"`},
		{"CSIP10", aip, root, `(?s)<mets:agent.*</mets:agent>`, ``},
		{"CSIP11", aip, root, `ROLE="CREATOR" TYPE="OTHER"`, `ROLE="EDITOR" TYPE="OTHER"`},
		{"CSIP12", aip, root, `TYPE="OTHER" OTHERTYPE="SOFTWARE"`, `OTHERTYPE="SOFTWARE"`},
		{"CSIP13", aip, root, `OTHERTYPE="SOFTWARE"`, `OTHERTYPE="HARDWARE"`},
		{"CSIP14", aip, root, `<mets:name>luutru</mets:name>`, ``},
		{"CSIP15", aip, root, `<mets:note csip:NOTETYPE="SOFTWARE VERSION">[^<]*<`, `<mets:note csip:NOTETYPE="SOFTWARE VERSION"><`},
		{"CSIP16", aip, root, `csip:NOTETYPE="SOFTWARE VERSION"`, ``},
		{"CSIP17", aip, root, `(?s)<mets:dmdSec.*</mets:dmdSec>`, ``},
		{"CSIP18", aip, root, `<mets:dmdSec ID="[^"]*"`, `<mets:dmdSec`},
		{"CSIP19", aip, root, `(<mets:dmdSec [^>]*) CREATED="[^"]*"`, `$1`},
		{"CSIP20", aip, root, `(<mets:dmdSec [^>]*)STATUS="CURRENT"`, `${1}STATUS="OLD"`},
		{"CSIP21", aip, root, `(?s)(<mets:dmdSec [^>]*>)\s*<mets:mdRef[^>]*/>`, `$1`},
		{"CSIP22", aip, root, `(<mets:mdRef [^>]*)LOCTYPE="URL"`, `${1}LOCTYPE="URN"`},
		{"CSIP23", aip, root, `(<mets:mdRef [^>]*) xlink:type="simple"`, `$1`},
		{"CSIP24", aip, root, `xlink:href="metadata/descriptive/EAD.xml"`, `xlink:href="metadata/descriptive/ead.xml"`},
		{"CSIP25", aip, root, `(<mets:mdRef [^>]*)MDTYPE="OTHER"`, `${1}MDTYPE="WHAT"`},
		{"CSIP26", aip, root, `(<mets:mdRef [^>]*)MIMETYPE="text/xml"`, `${1}MIMETYPE="xml"`},
		{"CSIP27", aip, root, `(<mets:mdRef [^>]*)SIZE="\d+"`, `${1}SIZE="7"`},
		{"CSIP28", aip, root, `(<mets:mdRef [^>]*)CREATED="[^"]*"`, `${1}CREATED="x"`},
		{"CSIP29", aip, root, `(<mets:mdRef [^>]*CHECKSUM=")[0-9a-f]{4}`, `${1}0000`},
		{"CSIP29", aip, ead, `</simpledc>`, `</simpledc> `},
		{"CSIP30", aip, root, `(<mets:mdRef [^>]*)CHECKSUMTYPE="SHA-256"`, `${1}CHECKSUMTYPE="SHA-3"`},
		{"CSIP31", aip, root, `(?s)<mets:amdSec.*</mets:amdSec>`, ``},
		{"CSIP32", aip, root, `(?s)<mets:digiprovMD.*</mets:digiprovMD>`, ``},
		{"CSIP33", aip, root, `<mets:digiprovMD ID="[^"]*"`, `<mets:digiprovMD ID="1 2"`},
		{"CSIP34", aip, root, `(<mets:digiprovMD [^>]*) STATUS="CURRENT"`, `$1`},
		{"CSIP35", aip, root, `(?s)(<mets:digiprovMD [^>]*>)\s*<mets:mdRef[^>]*/>`, `$1`},
		{"CSIP36", aip, root, `(?s)(<mets:digiprovMD.*?)LOCTYPE="URL"`, `${1}LOCTYPE="OTHER"`},
		{"CSIP38", aip, root, `xlink:href="metadata/preservation/PREMIS.xml"`, `xlink:href="../PREMIS.xml"`},
		{"CSIP41", aip, root, `(?s)(<mets:digiprovMD.*?SIZE=")\d+`, `${1}-1`},
		{"CSIP43", aip, root, `(?s)(<mets:digiprovMD.*?CHECKSUM=")[0-9a-f]{4}`, `${1}zzzz`},
		{"CSIP46", aip, root, `</mets:amdSec>`, `<mets:rightsMD STATUS="CURRENT"/></mets:amdSec>`},
		{"CSIP48", aip, root, `</mets:amdSec>`, `<mets:rightsMD STATUS="CURRENT"/></mets:amdSec>`},
		{"CSIP51", aip, root, `</mets:amdSec>`, `<mets:rightsMD ID="r"><mets:mdRef xlink:href="no"/></mets:rightsMD></mets:amdSec>`},
		{"CSIP58", aip, root, `(?s)<mets:fileSec.*</mets:fileSec>`, ``},
		{"CSIP59", aip, root, `<mets:fileSec ID="[^"]*"`, `<mets:fileSec`},
		{"CSIP60", aip, root, `USE="Documentation"`, `USE="Representations"`},
		{"CSIP113", aip, root, `USE="Schemas"`, `USE="Metadata"`},
		{"CSIP114", aip, root, `USE="Representations/rep1"`, `USE="Metadata"`},
		{"CSIP61", aip, root, `USE="Documentation"`, `USE="Documentation" ADMID="nobody"`},
		{"CSIP62", aip, root, `(USE="Representations/rep1"[^>]*) csip:CONTENTINFORMATIONTYPE="MIXED"|csip:CONTENTINFORMATIONTYPE="MIXED" (USE="Representations/rep1")`, `$1$2`},
		{"CSIP63", aip, root, `USE="Documentation"`, `USE="Documentation" csip:OTHERCONTENTINFORMATIONTYPE="x"`},
		{"CSIP64", aip, root, `USE="Documentation"`, `USE="Documents"`},
		{"CSIP65", aip, root, `<mets:fileGrp ID="[^"]*"`, `<mets:fileGrp`},
		{"CSIP66", aip, root, `</mets:fileSec>`, `<mets:fileGrp ID="g" USE="Metadata"/></mets:fileSec>`},
		{"CSIP67", aip, root, `<mets:file ID="[^"]*"`, `<mets:file ID=""`},
		{"CSIP68", aip, rep, `(<mets:file [^>]*MIMETYPE=")[^"]*`, `${1}paper/a4`},
		{"CSIP69", aip, rep, `(<mets:file [^>]*SIZE=")\d+`, `${1}2`},
		{"CSIP70", aip, rep, `(<mets:file [^>]*) CREATED="[^"]*"`, `$1`},
		{"CSIP71", aip, rep, `(<mets:file [^>]*CHECKSUM=")[0-9a-f]{4}`, `${1}0000`},
		{"CSIP72", aip, rep, `(<mets:file [^>]*CHECKSUMTYPE=")[^"]*`, `${1}CRC`},
		{"CSIP76", aip, rep, `<mets:FLocat [^>]*/>`, ``},
		{"CSIP77", aip, rep, `(<mets:FLocat [^>]*LOCTYPE=")URL`, `${1}URN`},
		{"CSIP78", aip, rep, `(<mets:FLocat [^>]*) xlink:type="simple"`, `$1`},
		{"CSIP79", aip, rep, `(<mets:FLocat [^>]*xlink:href=")[^"]*`, `${1}../../../../etc/passwd`},
		{"CSIP80", aip, root, `LABEL="CSIP"`, `LABEL="OTHER"`},
		{"CSIP81", aip, root, `TYPE="PHYSICAL"`, `TYPE="LOGICAL"`},
		{"CSIP82", aip, root, `LABEL="CSIP"`, ``},
		{"CSIP83", aip, root, `<mets:structMap ID="[^"]*"`, `<mets:structMap`},
		{"CSIP84", aip, root, `(?s)(<mets:structMap[^>]*>).*(</mets:structMap>)`, `$1$2`},
		{"CSIP86", aip, root, `(?s)(<mets:structMap.*?<mets:div [^>]*LABEL=")[^"]*`, `${1}something`},
		{"CSIP88", aip, root, `LABEL="Metadata"`, `LABEL="Meta"`},
		{"CSIP89", aip, root, `<mets:div ID="[^"]*" LABEL="Metadata"`, `<mets:div LABEL="Metadata"`},
		{"CSIP91", aip, root, ` ADMID="[^"]*"`, ` ADMID=""`},
		{"CSIP92", aip, root, ` DMDID="[^"]*"`, ` DMDID="a b"`},
		{"CSIP93", aip, root, `LABEL="Documentation"`, `LABEL="Docs"`},
		{"CSIP96", aip, root, `(LABEL="Documentation">\s*)<mets:fptr [^>]*/>`, `$1`},
		{"CSIP116", aip, root, `(LABEL="Documentation">\s*<mets:fptr FILEID=")[^"]*`, `${1}nobody`},
		{"CSIP97", aip, root, `LABEL="Schemas"`, `LABEL="XSD"`},
		{"CSIP100", aip, root, `(LABEL="Schemas">\s*)<mets:fptr [^>]*/>`, `$1`},
		{"CSIP105", aip, root, `<mets:mptr [^>]*/>`, ``},
		{"CSIP106", aip, root, `<mets:div ID="[^"]*" LABEL="Representations/rep1"`, `<mets:div LABEL="Representations/rep1"`},
		{"CSIP107", aip, root, `LABEL="Representations/rep1"`, `LABEL="rep1"`},
		{"CSIP108", aip, root, ` xlink:title="[^"]*"`, ``},
		{"CSIP110", aip, root, `(<mets:mptr [^>]*xlink:href=")[^"]*`, `${1}nowhere`},
		{"CSIP111", aip, root, `(<mets:mptr [^>]*)xlink:type="simple"`, `$1`},
		{"CSIP112", aip, root, `(<mets:mptr [^>]*LOCTYPE=")URL`, `${1}DOI`},
		{"SIP1", sip, root, ` LABEL="[^"]*"`, ` LABEL=""`},
		{"SIP2", sip, root, ` PROFILE="[^"]*"`, ` PROFILE="https://example.org/profile.xml"`},
		{"SIP3", sip, root, `RECORDSTATUS="NEW"`, `RECORDSTATUS="OLD"`},
		{"SIP5", sip, root, `(<mets:altRecordID TYPE="SUBMISSIONAGREEMENT"[^>]*>)[^<]*`, `$1`},
		{"SIP10", sip, root, `<mets:agent ROLE="CREATOR" TYPE="ORGANIZATION"`, `<mets:agent TYPE="ORGANIZATION"`},
		{"SIP20", sip, root, `csip:NOTETYPE="IDENTIFICATIONCODE"`, ``},
		{"DIP2", dip, root, ` PROFILE="[^"]*"`, ` PROFILE="https://example.org/profile.xml"`},
		{"DIP4", dip, root, `(<mets:dmdSec [^>]*)STATUS="CURRENT"`, `${1}STATUS="SUPERSEDED"`},
		{"TT05-OBJID", sip, root, ` OBJID="[^"]*"`, ` OBJID="uuid-7D0D1987"`},
		{"TT05-EAD", sip, ead, `<title>[^<]*`, `<title>`},
		{"TT05-EAD", sip, ead, `<startDate>[^<]*`, `<startDate>2026-06-30`},
		{"TT05-EAD", sip, ead, `simpledc`, `dc`},
		{"TT05-EADDOC", sip, "representations/rep1/metadata/descriptive/EAD_doc_2.xml", `<typeName>[^<]*`, `<typeName>99`},
		{"TT05-SHA256", sip, rep, `CHECKSUMTYPE="SHA-256"`, `CHECKSUMTYPE="SHA-512"`},
		{"TT05-PREMIS", aip, "metadata/preservation/PREMIS.xml", `premis/v3`, `premis/v2`},
	}
}

// TestMutations breaks one thing at a time.
func TestMutations(t *testing.T) {
	type sound struct {
		name  string
		order []string
		files map[string][]byte
	}
	packages := map[dossier.Kind]sound{}
	for _, kind := range []dossier.Kind{dossier.SIP, dossier.AIP, dossier.DIP} {
		name, b := write(t, kind)
		order, files := unpack(t, b)
		packages[kind] = sound{name, order, files}
	}
	texts := map[string]bool{}
	for _, r := range eark.Requirements() {
		if texts[r.Rule] || r.Vietnamese == "" || r.English == "" || r.Source == "" || r.Where == "" {
			t.Errorf("requirement %s is not complete, or stands twice", r.Rule)
		}
		texts[r.Rule] = true
	}
	for _, m := range mutations() {
		p := packages[m.kind]
		from := p.files[m.file]
		to := replaceFirst(t, m, from)
		if bytes.Equal(from, to) {
			t.Errorf("%s: %s has nothing like %s", m.rule, m.file, m.old)
			continue
		}
		p.files[m.file] = to
		b := repack(t, p.name+"/", p.order, p.files)
		p.files[m.file] = from
		got := open(t, b).Check(t.Context())
		if !slices.ContainsFunc(got, func(v eark.Violation) bool { return v.Rule == m.rule }) {
			t.Errorf("%s is not told for %s → %s; told: %v", m.rule, m.old, m.new, rules(got))
		}
		for _, v := range got {
			if !texts[v.Rule] || v.Path == "" {
				t.Errorf("violation of %q at %q has no text or place", v.Rule, v.Path)
			}
		}
	}
}

func replaceFirst(t *testing.T, m mutation, from []byte) []byte {
	t.Helper()
	re := regexp.MustCompile(m.old)
	at := re.FindSubmatchIndex(from)
	if at == nil {
		return from
	}
	to := re.Expand(append([]byte(nil), from[:at[0]]...), []byte(m.new), from, at)
	return append(to, from[at[1]:]...)
}

func rules(list []eark.Violation) (names []string) {
	for _, v := range list {
		if !slices.Contains(names, v.Rule) {
			names = append(names, v.Rule)
		}
	}
	return names
}

// TestStructure takes folders and files away.
func TestStructure(t *testing.T) {
	name, b := write(t, dossier.AIP)
	order, files := unpack(t, b)
	for prefix, want := range map[string]string{
		"METS.xml": "CSIPSTR4", "metadata/": "CSIPSTR5", "metadata/descriptive/": "CSIPSTR7", "representations/": "CSIPSTR9",
		"representations/rep1/data/": "CSIPSTR11", "representations/rep1/METS.xml": "CSIPSTR12",
		"representations/rep1/metadata/": "CSIPSTR13", "schemas/": "CSIPSTR15", "documentation/": "CSIPSTR16",
		"metadata/preservation/": "TT05-PREMIS",
	} {
		kept := slices.DeleteFunc(slices.Clone(order), func(at string) bool {
			return strings.HasPrefix(at, prefix) && (strings.HasSuffix(prefix, "/") || at == prefix)
		})
		got := rules(open(t, repack(t, name+"/", kept, files)).Check(t.Context()))
		if !slices.Contains(got, want) {
			t.Errorf("without %s: %v, want %s", prefix, got, want)
		}
	}
	if got := rules(open(t, repack(t, "", order, files)).Check(t.Context())); !slices.Contains(got, "CSIPSTR1") {
		t.Errorf("without a top folder: %v", got)
	}
	files["extra.bin"] = []byte("x")
	files["representations/loose.txt"] = []byte("x")
	got := rules(open(t, repack(t, name+"/", append(order, "extra.bin", "representations/loose.txt"), files)).Check(t.Context()))
	for _, want := range []string{"TT05-LISTED", "CSIPSTR10"} {
		if !slices.Contains(got, want) {
			t.Errorf("with more files: %v, want %s", got, want)
		}
	}
}

// TestFolder reads the same package unpacked.
func TestFolder(t *testing.T) {
	name, b := write(t, dossier.SIP)
	_, files := unpack(t, b)
	fsys := fstest.MapFS{}
	for at, content := range files {
		fsys[at] = &fstest.MapFile{Data: content}
	}
	p, err := eark.OpenFS(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Check(t.Context()); len(got) > 0 {
		t.Errorf("%v", rules(got))
	}
}

// TestReport holds what a report says of itself.
func TestReport(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	files[rep] = bytes.ReplaceAll(files[rep], []byte(`CHECKSUMTYPE="SHA-256"`), []byte(`CHECKSUMTYPE="X"`))
	r, err := open(t, repack(t, name+"/", order, files)).Inspect(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if r.Valid() || r.Asked["CSIP72"] < 3 || r.Asked["CSIP46"] != 0 {
		t.Errorf("valid %v, CSIP72 asked %d times, CSIP46 %d times", r.Valid(), r.Asked["CSIP72"], r.Asked["CSIP46"])
	}
	if !slices.IsSortedFunc(r.Violations, func(a, b eark.Violation) int {
		return strings.Compare(string(a.Level), string(b.Level)) // MAY < MUST < SHOULD: no MAY here
	}) {
		t.Errorf("MUST is not first: %v", rules(r.Violations))
	}
}
