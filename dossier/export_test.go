package dossier_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

func unzip(t testing.TB, b []byte) *zip.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// elements returns the names of the fields of a form and their values.
func elements(b []byte) (names []string, values map[string]string) {
	values = map[string]string{}
	for _, m := range regexp.MustCompile(`<(\w+)>([^<]*)</`).FindAllSubmatch(b, -1) {
		names = append(names, string(m[1]))
		values[string(m[1])] = string(m[2])
	}
	return names, values
}

// TestForms holds the forms of the circular to their fields, in its order.
func TestForms(t *testing.T) {
	contents, names := few()
	const dossierForm = "title maintenance mode language startDate endDate keyword totalDoc numberOfPaper numberOfPage format inforSign " +
		"confidenceLevel paperFileCode riskRecovery riskRecoveryStatus description"
	for name, want := range map[string]struct {
		ead, doc string
		n        int
	}{
		"AIP": {"arcFileCode " + dossierForm, "arcFileCode mode language keyword numberOfPage format inforSign confidenceLevel description docCode " +
			"docOrdinal typeName codeNumber codeNotation issuedDate organName subject autograph process", 19},
		"SIP": {"fileCode " + dossierForm, "docId docCode maintenance typeName codeNumber codeNotation issuedDate organName subject language numberOfPage " +
			"inforSign keyword mode confidenceLevel autograph format process riskRecovery riskRecoveryStatus description", 21},
		"DIP": {"requestID requestDate purpose purposeContent feeObjectType researchTopic description", "docId arcDocCode maintenance typeName codeNumber " +
			"codeNotation issuedDate subject language numberOfPage inforSign keyword mode confidenceLevel autograph format process riskRecovery " +
			"riskRecoveryStatus description", 20},
	} {
		m := variants()[name]
		m.ArchiveCode = "G09.H29.68-260630-0001"
		z := unzip(t, packed(t, full(contents, names...), contents, m, nil))
		ead, _ := elements(readZip(t, z, "metadata/descriptive/EAD.xml"))
		doc, values := elements(readZip(t, z, "representations/rep1/metadata/descriptive/EAD_doc_2.xml"))
		if got := strings.Join(ead, " "); got != want.ead {
			t.Errorf("%s: EAD.xml has\n%s, want\n%s", name, got, want.ead)
		}
		if got := strings.Join(doc, " "); got != want.doc || len(doc) != want.n {
			t.Errorf("%s: EAD_doc has %d:\n%s, want\n%s", name, len(doc), got, want.doc)
		}
		for field, value := range map[string]string{
			"docId": "TL.1", "docCode": "H29.68-260630-0001.0000002", "arcDocCode": "G09.H29.68-260630-0001.0000002", "docOrdinal": "0000002",
			"arcFileCode": "G09.H29.68-260630-0001", "maintenance": "01", "language": "01", "inforSign": "KH", "keyword": "khai sinh", "mode": "02",
			"autograph": "Đồng ý. &lt;Ký&gt;", "format": "03", "process": "1", "riskRecovery": "1", "riskRecoveryStatus": "01", "description": "Bản quét",
			"confidenceLevel": "02", "issuedDate": "01/07/2026", "codeNumber": "1", "codeNotation": "TB",
		} {
			if got, ok := values[field]; ok && got != value {
				t.Errorf("%s: %s is %q, want %q", name, field, got, value)
			}
		}
	}
}

func TestDossierFields(t *testing.T) {
	contents, names := few()
	z := unzip(t, packed(t, full(contents, names...), contents, variants()["SIP"], nil))
	_, values := elements(readZip(t, z, "metadata/descriptive/EAD.xml"))
	for field, want := range map[string]string{
		"fileCode": "H29.68-260630-0001", "language": "06", "numberOfPaper": "7", "numberOfPage": "3", "format": "01", "inforSign": "KH-1",
		"paperFileCode": "H29.1-2-3.4", "riskRecovery": "1", "riskRecoveryStatus": "02", "confidenceLevel": "03",
	} {
		if values[field] != want {
			t.Errorf("%s is %q, want %q", field, values[field], want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for languages, want := range map[string]string{
		"": "01", "vi": "01", "vi,en": "06", "en,vi": "06", "ru,vie": "07", "vi,fra": "08", "lzh": "09", "vi,zh": "10", "vi,vi": "01",
		"vi,en,fr": "11", "km": "11", "fr,ru": "11",
	} {
		d := valid()
		d.Language = languages
		contents, _ := few()
		_, values := elements(readZip(t, unzip(t, packed(t, d, contents, meta(), nil)), "metadata/descriptive/EAD.xml"))
		if values["language"] != want {
			t.Errorf("%q is %q, want %q", languages, values["language"], want)
		}
	}
}

func TestExportLayout(t *testing.T) {
	contents, names := few()
	const uuid = "uuid-7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F"
	for name, want := range map[string]struct {
		mets        []string
		premis, asc bool
		profile     string
	}{
		"SIP": {[]string{`csip:OAISPACKAGETYPE="SIP"`, `RECORDSTATUS="NEW"`, `<mets:altRecordID TYPE="SUBMISSIONAGREEMENT">NL.BNV.2023.01<`,
			`MDTYPE="DC"`, `<mets:amdSec ID="`, `xmlns:sip="https://DILCIS.eu/XML/METS/SIPExtensionMETS"`}, false, false, "earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"},
		"SIP with PREMIS": {[]string{"PREMIS.xml"}, true, false, "earkcsip.dilcis.eu/profile/E-ARK-CSIP.xml"},
		"DIP":             {[]string{`csip:OAISPACKAGETYPE="DIP"`, "PREMIS.xml"}, true, false, "earkdip.dilcis.eu/profile/E-ARK-DIP.xml"},
		"DIP, signed":     {[]string{`csip:OAISPACKAGETYPE="DIP"`}, true, true, "earkdip.dilcis.eu/profile/E-ARK-DIP.xml"},
	} {
		m := variants()[name]
		b := packed(t, declare(contents, names...), contents, m, append(lifeEvents(), findings(names[1])...))
		z := unzip(t, b)
		mets := string(readZip(t, z, "METS.xml"))
		want.mets = append(want.mets, `OBJID="`+uuid+`"`, `PROFILE="https://`+want.profile+`"`, `TYPE="Mixed"`, `LABEL="Schemas"`, `LABEL="Documentation"`)
		for _, s := range want.mets {
			if !strings.Contains(mets, s) {
				t.Errorf("%s: METS.xml lacks %s", name, s)
			}
		}
		if strings.Contains(mets, "rep1/data") {
			t.Errorf("%s: METS.xml lists documents, which METS.xml of the representation does", name)
		}
		paths := map[string]bool{}
		for _, f := range z.File {
			folder, path, _ := strings.Cut(f.Name, "/")
			if folder != uuid {
				t.Errorf("%s: %s is in another folder", name, f.Name)
			}
			paths[path] = true
		}
		for path, is := range map[string]bool{
			"METS.xml.asc": want.asc, "metadata/preservation/PREMIS.xml": want.premis, "representations/rep1/METS.xml": true,
			"representations/rep1/metadata/preservation/PREMIS_rep1.xml": want.premis, "documentation/declaration.json": true,
		} {
			if paths[path] != is {
				t.Errorf("%s: %s present: %v", name, path, !is)
			}
		}
		for _, path := range []string{"METS.xml", "representations/rep1/METS.xml"} {
			wellFormed(t, name+" "+path, readZip(t, z, path))
		}
		if _, err := dossier.OpenPackage(bytes.NewReader(b), int64(len(b)), strings.Repeat("0", 64)); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("%s: opened as an AIP: %v", name, err)
		}
	}
}

// TestExportsNeedNoSigner: METS.xml is last, and Close returns its digest.
func TestExportsNeedNoSigner(t *testing.T) {
	contents, names := few()
	plan, err := dossier.NewPlan(declare(contents, names...), variants()["SIP"])
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := plan.Writer(&b)
	for _, name := range names {
		part, err := w.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(contents[name]); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := w.Close(nil)
	if err != nil {
		t.Fatal(err)
	}
	z := unzip(t, b.Bytes())
	if last := z.File[len(z.File)-1].Name; last != plan.Name()+"/METS.xml" {
		t.Errorf("last is %s", last)
	}
	if got := fmt.Sprintf("%x", sha(readZip(t, z, "METS.xml"))); got != digest {
		t.Errorf("digest %s, want %s", digest, got)
	}
}

// TestRequestOfDIP: what is not given follows from the package, what is too long
// is cut.
func TestRequestOfDIP(t *testing.T) {
	contents, names := few()
	m := variants()["DIP"]
	m.Request = dossier.Request{Topic: strings.Repeat("ữ", 300)}
	_, values := elements(readZip(t, unzip(t, packed(t, declare(contents, names...), contents, m, nil)), "metadata/descriptive/EAD.xml"))
	want := map[string]string{"requestID": "7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F", "requestDate": "24/11/2026", "purpose": "01", "purposeContent": "",
		"feeObjectType": "", "researchTopic": strings.Repeat("ữ", 249) + "…", "description": ""}
	for field, value := range want {
		if values[field] != value {
			t.Errorf("%s is %q, want %q", field, values[field], value)
		}
	}
}

// TestEventsFit: with the room that is planned by default, no finding is
// shortened; with less, details go first and no finding is lost.
func TestEventsFit(t *testing.T) {
	contents := map[string][]byte{}
	var names []string
	var events []dossier.Event
	for i := range 8 {
		names = append(names, fmt.Sprintf("Giấy tờ %d.pdf", i))
		contents[names[i]] = []byte{byte(i)}
		events = append(events, findings(names[i])...)
	}
	for _, tt := range []struct {
		room          int
		most, details int // of the long detail: characters at least, and how often any detail stands
	}{
		{0, 700, 3 * 8}, {1 << 20, 700, 3 * 8}, {46000, 300, 3 * 8}, {43500, 100, 3 * 8}, {20000, 0, 0},
	} {
		m := meta()
		m.EventSpace = tt.room
		z := unzip(t, packed(t, declare(contents, names...), contents, m, append(lifeEvents(), events...)))
		rep := string(readZip(t, z, "representations/rep1/metadata/preservation/PREMIS_rep1.xml"))
		longest := 0
		details := regexp.MustCompile(`<eventDetail>([^<]*)</`).FindAllStringSubmatch(rep, -1)
		for _, d := range details {
			longest = max(longest, len([]rune(strings.ReplaceAll(d[1], "&#xA;", "\n"))))
		}
		if len(details) != tt.details || longest < tt.most {
			t.Errorf("room %d: %d details, the longest of %d", tt.room, len(details), longest)
		}
		for _, code := range []string{"fixity.matched", "format.identified", "pdfa.violation", "virus.clean", "signature.untrusted"} {
			if !strings.Contains(rep, "<eventOutcomeDetailNote>"+code+"</") {
				t.Errorf("room %d: %s is lost", tt.room, code)
			}
		}
		ids := regexp.MustCompile(`<linkingObjectIdentifierValue>([^<]*)</`).FindAllStringSubmatch(rep, -1)
		if len(ids) != 5*8 {
			t.Errorf("room %d: %d links to documents", tt.room, len(ids))
		}
		for _, id := range ids {
			if !strings.Contains(rep, "<objectIdentifierValue>"+id[1]+"</") {
				t.Errorf("room %d: an event is about nothing", tt.room)
			}
		}
	}
}

// TestPREMISAndMETSAgree: an object of PREMIS has the ID that METS gives the
// file.
func TestPREMISAndMETSAgree(t *testing.T) {
	contents, names := few()
	z := unzip(t, packed(t, declare(contents, names...), contents, meta(), nil))
	mets := readZip(t, z, "representations/rep1/METS.xml")
	rep := readZip(t, z, "representations/rep1/metadata/preservation/PREMIS_rep1.xml")
	var ids []string
	for _, m := range regexp.MustCompile(`<mets:file ID="([^"]*)"`).FindAllSubmatch(mets, -1) {
		ids = append(ids, string(m[1]))
		if !bytes.Contains(rep, append([]byte("<objectIdentifierValue>"), m[1]...)) {
			t.Errorf("PREMIS does not know %s", m[1])
		}
	}
	if len(ids) != len(names) || slices.ContainsFunc(ids, func(id string) bool { return !strings.HasPrefix(id, "ID-") }) {
		t.Errorf("IDs %q", ids)
	}
}

// The same declaration and meta give the same bytes, whatever the kind.
func TestExportIsDeterministic(t *testing.T) {
	contents, names := few()
	for name, m := range variants() {
		a := packed(t, full(contents, names...), contents, m, lifeEvents())
		if b := packed(t, full(contents, names...), contents, m, lifeEvents()); !bytes.Equal(a, b) {
			t.Errorf("%s: two packages differ", name)
		}
	}
}
