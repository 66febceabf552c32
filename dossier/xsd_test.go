package dossier_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
)

// xmllint returns the program, which LUUTRU_XSD=1 demands.
func xmllint(t *testing.T) string {
	t.Helper()
	if os.Getenv("LUUTRU_XSD") != "1" {
		t.Skip("LUUTRU_XSD is not 1")
	}
	path, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatalf("LUUTRU_XSD=1 demands xmllint: %v", err)
	}
	return path
}

// An xsd validates the metadata of packages against the schemas that lie in
// them, or, for METS and PREMIS, against those in the folder of
// LUUTRU_XSD_OFFICIAL: the unchanged originals.
type xsd struct {
	tool  string
	tools string // folder with what brings schemas together
}

func newXSD(t *testing.T) *xsd {
	t.Helper()
	v := &xsd{tool: xmllint(t), tools: t.TempDir()}
	copyInto(t, v.tools, filepath.Join("testdata", "xsd"))
	copyInto(t, v.tools, "schemas")
	if official := os.Getenv("LUUTRU_XSD_OFFICIAL"); official != "" {
		copyInto(t, v.tools, official)
	}
	return v
}

func copyInto(t *testing.T, to, from string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(from, "*.xsd"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no schemas in %s: %v", from, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// faults unpacks a package and returns what xmllint says against it.
func (v *xsd) faults(t *testing.T, packed []byte, change func(path string, b []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var top string
	bySchema := map[string][]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name, path, _ := strings.Cut(f.Name, "/")
		top = filepath.Join(dir, name)
		if change != nil {
			b = change(path, b)
		}
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := schemaOf(path); s != "" {
			bySchema[s] = append(bySchema[s], to)
		}
	}
	var faults strings.Builder
	for s, files := range bySchema {
		schema := filepath.Join(v.tools, s)
		if s == "ead.xsd" || s == "ead_doc.xsd" {
			schema = filepath.Join(top, "schemas", s)
		}
		faults.WriteString(v.run(t, schema, files))
	}
	return faults.String()
}

// run returns nothing where every file is valid.
func (v *xsd) run(t *testing.T, schema string, files []string) string {
	t.Helper()
	args := append([]string{"--nonet", "--noout", "--schema", schema}, files...)
	out, err := exec.CommandContext(t.Context(), v.tool, args...).CombinedOutput()
	if err == nil && strings.Count(string(out), " validates\n") == len(files) {
		return ""
	}
	return fmt.Sprintf("%v\n%s", err, regexp.MustCompile(`(?m)^.* validates\n`).ReplaceAllString(string(out), ""))
}

func schemaOf(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case !strings.HasSuffix(base, ".xml"), strings.Contains(path, "/data/"):
		return ""
	case base == "METS.xml":
		return "mets.xsd"
	case strings.HasPrefix(base, "PREMIS"):
		return "premis.xsd"
	case strings.HasPrefix(base, "EAD_doc_"):
		return "ead_doc.xsd"
	case base == "EAD.xml":
		return "ead.xsd"
	}
	return "unknown.xsd" // no file of ours is without a schema
}

// variants are the packages that are made of a dossier.
func variants() map[string]dossier.PackageMeta {
	aip, sip, dip := meta(), meta(), meta()
	sip.Kind, sip.Sign, sip.Agreement = dossier.SIP, nil, "NL.BNV.2023.01"
	premis := sip
	premis.Preservation = true
	dip.Kind, dip.Sign = dossier.DIP, nil
	dip.Request = dossier.Request{ID: "YC-7", Purpose: "02", Content: "Thanh tra <&>", Fee: "10"}
	signed := dip
	signed.Sign, signed.Request = meta().Sign, dossier.Request{}
	return map[string]dossier.PackageMeta{"AIP": aip, "SIP": sip, "SIP with PREMIS": premis, "DIP": dip, "DIP, signed": signed}
}

// TestXSD holds the packages of every kind of sample dossier to the schemas.
func TestXSD(t *testing.T) {
	v := newXSD(t)
	for made := range sample.Make(7, 2*len(sample.Kinds()), sample.Options{}) {
		d := new(dossier.Declaration)
		if err := json.Unmarshal(made.Declaration, d); err != nil {
			t.Fatal(err)
		}
		contents := map[string][]byte{}
		var events []dossier.Event
		for _, f := range made.Files {
			contents[f.Name] = f.Data
			events = append(events, findings(f.Name)...)
		}
		for name, m := range variants() {
			if faults := v.faults(t, packed(t, d, contents, m, append(lifeEvents(), events...)), nil); faults != "" {
				t.Errorf("%s of %s: %s", name, made.Kind, faults)
			}
		}
	}
}

// TestXSDOfFullDeclaration does the same where every field is filled, and where
// events have to be shortened.
func TestXSDOfFullDeclaration(t *testing.T) {
	v := newXSD(t)
	contents, names := few()
	for name, m := range variants() {
		m.EventSpace = 11000
		d := full(contents, names...)
		var events []dossier.Event
		for _, n := range names {
			events = append(events, findings(n)...)
		}
		if faults := v.faults(t, packed(t, d, contents, m, append(lifeEvents(), events...)), nil); faults != "" {
			t.Errorf("%s: %s", name, faults)
		}
	}
}

// TestXSDFindsDamage makes sure that the two tests above can fail.
func TestXSDFindsDamage(t *testing.T) {
	v := newXSD(t)
	contents, names := few()
	m := variants()["SIP with PREMIS"]
	whole := packed(t, full(contents, names...), contents, m, lifeEvents())
	for name, x := range map[string][3]string{
		"METS element":        {"METS.xml", "<mets:metsHdr", "<mets:metsHeader"},
		"METS attribute":      {"METS.xml", "LOCTYPE=\"URL\"", "LOCTYPE=\"HERE\""},
		"METS time":           {"METS.xml", `CREATEDATE="2026-11-24T`, `CREATEDATE="24/11/2026 `},
		"CSIP type":           {"METS.xml", `OAISPACKAGETYPE="SIP"`, `OAISPACKAGETYPE="ZIP"`},
		"PREMIS order":        {"metadata/preservation/PREMIS.xml", "<eventType>", "<eventDateTime>2026</eventDateTime><eventType>"},
		"PREMIS of the rep":   {"representations/rep1/metadata/preservation/PREMIS_rep1.xml", "<objectIdentifierType>", "<objectIdentifierKind>"},
		"retention code":      {"metadata/descriptive/EAD.xml", "<maintenance>01", "<maintenance>9"},
		"field missing":       {"metadata/descriptive/EAD.xml", "<title>", "<!--"},
		"field of a document": {"representations/rep1/metadata/descriptive/EAD_doc_2.xml", "<typeName>", "<typeName>x"},
	} {
		found := false
		faults := v.faults(t, whole, func(path string, b []byte) []byte {
			if path != x[0] {
				return b
			}
			found = bytes.Contains(b, []byte(x[1]))
			return bytes.Replace(b, []byte(x[1]), []byte(x[2]), 1)
		})
		if !found || faults == "" {
			t.Errorf("%s: not found to be damaged", name)
		}
	}
}

// packed is pack for packages that need not be of the kind that OpenPackage
// opens.
func packed(t testing.TB, d *dossier.Declaration, contents map[string][]byte, m dossier.PackageMeta, e []dossier.Event) []byte {
	t.Helper()
	if m.Kind == "" || m.Kind == dossier.AIP {
		zip, _ := pack(t, d, contents, m, e)
		return zip
	}
	plan, err := dossier.NewPlan(d, m)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := plan.Writer(&b)
	for _, doc := range d.Documents {
		part, err := w.Document(doc.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(contents[doc.Name]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(e); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != plan.Size() {
		t.Fatalf("planned %d octets, wrote %d", plan.Size(), b.Len())
	}
	return b.Bytes()
}

// findings are the events of one document at intake.
func findings(name string) []dossier.Event {
	of := func(kind, agent, outcome, code, detail string) dossier.Event {
		return dossier.Event{Type: kind, Time: now(), Agent: agent, Outcome: outcome, Code: code, Detail: detail, Document: name}
	}
	return []dossier.Event{
		of("fixity check", "", "success", "fixity.matched", ""),
		of("format identification", "siegfried 1.11.2, PRONOM 120", "success", "format.identified", "fmt/276 Acrobat PDF 1.7"),
		of("validation", "", "warning", "pdfa.violation", strings.Repeat("Trang 1: phông chữ chưa được nhúng.\n", 20)),
		of("virus check", "ClamAV 1.4.2", "success", "virus.clean", ""),
		of("digital signature validation", "", "indeterminate", "signature.untrusted", "Nguyễn Văn Thử <CN=…> & \x01"),
	}
}

func lifeEvents() []dossier.Event {
	return append(events(), dossier.Event{Type: "dissemination", Time: now(), Agent: "Cán bộ <a&b>", Outcome: "success"})
}

// full returns a declaration with every field filled in.
func full(contents map[string][]byte, names ...string) *dossier.Declaration {
	d := declare(contents, names...)
	d.Receiver, d.ReceiverName, d.Level, d.Fonds = "H29.1", "Bộ phận Một cửa", "commune", "P623"
	d.LegalBasis, d.SectorCode, d.Class, d.Language = "Quyết định 1/QĐ-BTP ngày 02/01/2026", "HT", "civil-status", "vi,en"
	d.InfoSign, d.Condition, d.PaperCode, d.Sheets, d.Backup = "KH-1", "good", "H29.1-2-3.4", 7, "pending"
	d.Accepted, d.Due, d.Delivered = "2026-06-30", "2027-07-05", "2026-07-03"
	d.ResultNumber, d.ResultDate, d.ResultSigner = "12/QĐ-UBND", "2026-07-02", "Lê Thị Ký"
	d.Group, d.Note = "H29.68-260630-0001", "Người lập: công chức hộ tịch"
	d.Links = []dossier.Link{{Code: "G01.29.68-260701-0004", Agency: "G01.29.68", Kind: "child"}, {Code: "000.00.68.H29-260101-0001", Kind: "previous"}}
	d.Applicant.Sex, d.Applicant.TaxCode, d.Applicant.Address = "female", "079190001234", "số 1 đường Thử"
	for i := range d.Documents {
		doc := &d.Documents[i]
		doc.ID, doc.Component, doc.Copy = fmt.Sprintf("TL.%d", i), "TP01", "certified_copy"
		doc.Access, doc.Language, doc.Keywords = "conditional", "vi", []string{"khai sinh"}
		doc.InfoSign, doc.Autograph, doc.Condition, doc.Process, doc.Backup = "KH", "Đồng ý. <Ký>", "damaged", true, "done"
		doc.Note, doc.Class = "Bản quét", "civil-status"
		doc.Number, doc.Notation = cmp.Or(doc.Number, "1"), cmp.Or(doc.Notation, "TB")
		doc.Issued, doc.Issuer = cmp.Or(doc.Issued, "2026-07-01"), cmp.Or(doc.Issuer, "UBND phường")
	}
	return d
}

// TestSchemas holds the digests in the code to the files, and every schema to
// being sent along.
func TestSchemas(t *testing.T) {
	contents, names := few()
	sent := map[string]bool{}
	for name, m := range variants() {
		b := packed(t, declare(contents, names...), contents, m, nil)
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, f := range z.File {
			_, base, ok := strings.Cut(f.Name, "/schemas/")
			if !ok {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			sent[hex.EncodeToString(sum[:])] = true
			found = append(found, base)
			mets := readZip(t, z, "METS.xml")
			if !bytes.Contains(mets, []byte(hex.EncodeToString(sum[:]))) {
				t.Errorf("%s: METS.xml has another digest of %s", name, base)
			}
		}
		want := []string{"mets1_12.xsd", "xlink.xsd", "DILCISExtensionMETS.xsd", "premis.xsd", "ead.xsd", "ead_doc.xsd"}
		if m.Kind == dossier.SIP {
			want = slices.Insert(want, 3, "DILCISExtensionSIPMETS.xsd")
		}
		if name == "SIP" {
			want = slices.DeleteFunc(want, func(s string) bool { return s == "premis.xsd" })
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s has the schemas %q, want %q", name, found, want)
		}
	}
	files, err := filepath.Glob("schemas/*.xsd")
	if err != nil || len(files) != len(sent) {
		t.Errorf("%d schemas are sent of %d: %v", len(sent), len(files), err)
	}
}

// readZip returns the file of that path under the top folder.
func readZip(t testing.TB, z *zip.Reader, path string) []byte {
	t.Helper()
	for _, f := range z.File {
		if _, rest, _ := strings.Cut(f.Name, "/"); rest != path {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatalf("no %s", path)
	return nil
}
