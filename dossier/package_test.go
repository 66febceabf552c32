package dossier_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/luutru/luutru/dossier"
)

const top = "urn_H29.68_uuid_7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F"

func TestRoundTrip(t *testing.T) {
	contents, names := few()
	d := declare(contents, names...)
	packed, digest := pack(t, d, contents, meta(), append(events(), dossier.Event{
		Type: "digital signature validation", Time: now(), Agent: "Cán bộ <a&b>", Outcome: "failure", Document: names[2],
	}))
	p := open(t, packed, digest)
	if p.Name() != top {
		t.Errorf("top folder %s", p.Name())
	}
	got, err := p.Declaration()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := got.Canonical()
	if b, _ := d.Canonical(); !bytes.Equal(a, b) {
		t.Errorf("declaration differs:\n%s\n%s", a, b)
	}
	docs := p.Documents()
	if len(docs) != len(names) {
		t.Fatalf("%d documents", len(docs))
	}
	for i, e := range docs {
		want := contents[names[i]]
		if e.Name != names[i] || e.MediaType != "application/pdf" || !bytes.Equal(packed[e.Offset:e.Offset+e.Size], want) {
			t.Errorf("document %d is not at its place", i)
		}
		r := p.Verify(e.Name, io.NewSectionReader(bytes.NewReader(packed), e.Offset, e.Size))
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, want) {
			t.Errorf("document %d: %v", i, err)
		}
	}
	sum := sha256.Sum256(p.METS())
	signature := fmt.Sprintf("-----BEGIN PGP SIGNATURE-----\n\n%x\n-----END PGP SIGNATURE-----\n", sum)
	if string(p.Signature()) != signature {
		t.Errorf("signature:\n%s", p.Signature())
	}
	if hex.EncodeToString(sum[:]) != digest {
		t.Error("digest is not that of METS.xml")
	}
}

// TestForeignReader holds the ZIP to another implementation's understanding,
// and every file to its digest.
func TestForeignReader(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, packed, digest)
	entries := p.Entries()
	if len(z.File) != len(entries) {
		t.Fatalf("%d files, want %d", len(z.File), len(entries))
	}
	for i, f := range z.File {
		e := entries[i]
		offset, err := f.DataOffset()
		if err != nil || f.Name != e.Path || offset != e.Offset || int64(f.UncompressedSize64) != e.Size || f.Method != zip.Store {
			t.Errorf("%s: %v, offset %d, want %d", f.Name, err, offset, e.Offset)
		}
		if got := f.Modified; got.Year() != 2026 || got.Hour() != 10 || got.Minute() != 22 {
			t.Errorf("%s: modified %v", f.Name, got)
		}
		if f.NonUTF8 || f.Mode() != 0o644 {
			t.Errorf("%s: mode %v", f.Name, f.Mode())
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r) // checks the CRC
		if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Errorf("%s: %v", f.Name, err)
		}
		if strings.HasSuffix(f.Name, ".xml") {
			wellFormed(t, f.Name, b)
		}
	}
	want := []string{
		"representations/rep1/data/" + names[0], "representations/rep1/data/" + names[1], "representations/rep1/data/" + names[2],
		"schemas/mets1_12.xsd", "schemas/xlink.xsd", "schemas/DILCISExtensionMETS.xsd", "schemas/premis.xsd", "schemas/ead.xsd", "schemas/ead_doc.xsd",
		"metadata/descriptive/EAD.xml", "representations/rep1/metadata/descriptive/EAD_doc_1.xml",
		"representations/rep1/metadata/descriptive/EAD_doc_2.xml", "representations/rep1/metadata/descriptive/EAD_doc_3.xml",
		"documentation/declaration.json", "representations/rep1/metadata/preservation/PREMIS_rep1.xml", "representations/rep1/METS.xml",
		"metadata/preservation/PREMIS.xml", "documentation/sha256sums.txt", "METS.xml", "METS.xml.asc",
	}
	for i, e := range entries {
		if i >= len(want) || e.Path != top+"/"+want[i] {
			t.Errorf("file %d is %s", i, e.Path)
		}
	}
}

func wellFormed(t *testing.T, name string, b []byte) {
	t.Helper()
	ids := map[string]bool{}
	var refs []string
	dec := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			switch a.Name.Local {
			case "ID":
				if ids[a.Value] {
					t.Errorf("%s: ID %s twice", name, a.Value)
				}
				ids[a.Value] = true
			case "FILEID", "DMDID", "ADMID":
				refs = append(refs, strings.Fields(a.Value)...)
			}
		}
	}
	for _, r := range refs {
		if !ids[r] {
			t.Errorf("%s: nothing has the ID %s", name, r)
		}
	}
}

func TestMetadata(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	p := open(t, packed, digest)
	for path, want := range map[string][]string{
		"metadata/descriptive/EAD.xml": {
			"<arcFileCode>H29.68-260630-0001</arcFileCode>", "<title>Hồ sơ đăng ký khai sinh &lt;thử&gt; &amp; kiểm</title>",
			"<maintenance>01</maintenance>", "<mode>02</mode>", "<language>01</language>", "<startDate>30/06/2026</startDate>",
			"<endDate>03/07/2026</endDate>", "<keyword>khai sinh; hộ tịch</keyword>", "<totalDoc>3</totalDoc>",
			"<numberOfPaper>2</numberOfPaper>", "<numberOfPage>3</numberOfPage>", "<confidenceLevel>03</confidenceLevel>",
		},
		"representations/rep1/metadata/descriptive/EAD_doc_1.xml": {
			"<arcFileCode>H29.68-260630-0001</arcFileCode>", "<docOrdinal>0000001</docOrdinal>", "<docCode>H29.68-260630-0001.0000001</docCode>",
			"<issuedDate>30/06/2026</issuedDate>", "<organName>Người nộp hồ sơ</organName>", "<process>0</process>", "<mode>02</mode>",
		},
		"representations/rep1/metadata/descriptive/EAD_doc_3.xml": {
			"<typeName>02</typeName>", "<codeNotation>QĐ-UBND</codeNotation>", "<issuedDate>02/07/2026</issuedDate>", "<process>1</process>",
		},
		"metadata/preservation/PREMIS.xml": {
			`xmlns="http://www.loc.gov/premis/v3"`, `xsi:type="intellectualEntity"`, "<eventType>virus check</eventType>",
			"<eventDateTime>2026-11-24T10:22:30+07:00</eventDateTime>", "không có mã độc &lt;&amp;&gt;", "<agentName>clamav 1.4</agentName>",
		},
		"representations/rep1/metadata/preservation/PREMIS_rep1.xml": {
			`xsi:type="representation"`, `xsi:type="file"`, "<originalName>" + names[0], "<agentName>luutru</agentName>",
		},
		"METS.xml": {
			`OBJID="urn:H29.68:uuid:7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F"`, `csip:OAISPACKAGETYPE="AIP"`,
			`csip:NOTETYPE="IDENTIFICATIONCODE">H29.68<`, `LABEL="CSIP"`, `LABEL="Schemas"`, `xlink:href="schemas/mets1_12.xsd"`, `xlink:href="representations/rep1/METS.xml"`,
			`Tờ%20khai%20đăng%20ký%20(bản%201)%20100%25.pdf`, `CREATEDATE="2026-11-24T10:22:30+07:00"`,
		},
		"representations/rep1/METS.xml": {`xlink:href="data/giấy%20chứng%20sinh%20%232.jpg"`, `LABEL="MetadataLink/File"`, `OBJID="rep1"`, `xlink:href="metadata/preservation/PREMIS_rep1.xml"`},
	} {
		b, err := p.ReadFile(top + "/" + path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, w := range want {
			if !bytes.Contains(b, []byte(w)) {
				t.Errorf("%s lacks %s", path, w)
			}
		}
	}
	count := func(path string) int {
		b, _ := p.ReadFile(top + "/" + path)
		return bytes.Count(b, []byte("</")) - 1
	}
	if n := count("metadata/descriptive/EAD.xml"); n != 18 {
		t.Errorf("EAD.xml has %d fields", n)
	}
	if n := count("representations/rep1/metadata/descriptive/EAD_doc_1.xml"); n != 19 {
		t.Errorf("EAD_doc_1.xml has %d fields", n)
	}
}

func TestMetadataOfOtherDossiers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*dossier.Declaration, *dossier.PackageMeta)
		want   []string
	}{
		{"born digital, open", func(d *dossier.Declaration, _ *dossier.PackageMeta) {
			d.Documents[0].Origin, d.Access, d.Note = "born_digital", "open", "một\nhai"
		}, []string{
			"<confidenceLevel>01</confidenceLevel>", "<paperFileCode></paperFileCode>", "<mode>01</mode>",
			"<numberOfPaper>0</numberOfPaper>", "<description>một&#xA;hai</description>",
		}},
		{"digitised", func(d *dossier.Declaration, m *dossier.PackageMeta) {
			d.Begin, d.End, m.Retention, m.ArchiveCode = "2026-06-01", "2026-07-01", "07", "G09.17"
		}, []string{
			"<confidenceLevel>02</confidenceLevel>", "<paperFileCode>H29.68-260630-0001</paperFileCode>", "<maintenance>07</maintenance>",
			"<startDate>01/06/2026</startDate>", "<endDate>01/07/2026</endDate>", "<arcFileCode>G09.17</arcFileCode>",
		}},
		{"long archive code", func(_ *dossier.Declaration, m *dossier.PackageMeta) { m.ArchiveCode = strings.Repeat("1", 93) }, []string{
			"<arcFileCode>H29.68-260630-0001</arcFileCode>",
		}},
		{"English", func(d *dossier.Declaration, _ *dossier.PackageMeta) { d.Language = "en" }, []string{"<language>02</language>"}},
		{"French", func(d *dossier.Declaration, _ *dossier.PackageMeta) { d.Language = "fra" }, []string{"<language>03</language>"}},
		{"Russian", func(d *dossier.Declaration, _ *dossier.PackageMeta) { d.Language = "ru" }, []string{"<language>04</language>"}},
		{"Chinese", func(d *dossier.Declaration, _ *dossier.PackageMeta) { d.Language = "zh" }, []string{"<language>05</language>"}},
		{"Khmer", func(d *dossier.Declaration, _ *dossier.PackageMeta) { d.Language = "km" }, []string{"<language>11</language>"}},
		{"many keywords", func(d *dossier.Declaration, _ *dossier.PackageMeta) {
			d.Keywords = []string{strings.Repeat("ô", 60), strings.Repeat("ơ", 38), "z"}
		}, []string{"<keyword>" + strings.Repeat("ô", 60) + "; " + strings.Repeat("ơ", 38) + "</keyword>"}},
	}
	for _, tt := range tests {
		contents := map[string][]byte{"a.pdf": []byte("a")}
		d, m := declare(contents, "a.pdf"), meta()
		tt.change(d, &m)
		packed, digest := pack(t, d, contents, m, nil)
		p := open(t, packed, digest)
		b, err := p.ReadFile(p.Name() + "/metadata/descriptive/EAD.xml")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range tt.want {
			if !bytes.Contains(b, []byte(w)) {
				t.Errorf("%s: EAD.xml lacks %s", tt.name, w)
			}
		}
	}
}

func TestTopFolder(t *testing.T) {
	for _, tt := range []struct{ agency, declared, given, want string }{
		{"H29.68", "", "", "urn_H29.68_uuid_"},
		{"000.00.68.H29", "", "", "urn_H29.68_uuid_"},
		{"H29.68", "F1", "", "urn_F1_uuid_"},
		{"H29.68", "F1", "G09", "urn_G09_uuid_"},
	} {
		d, m := valid(), meta()
		d.Agency, d.Fonds, m.Fonds = tt.agency, tt.declared, tt.given
		plan, err := dossier.NewPlan(d, m)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Name(); got != tt.want+"7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F" {
			t.Errorf("%v: %s", tt, got)
		}
	}
}

// The same declaration and meta give the same bytes, whatever machine packs.
func TestPackingIsDeterministic(t *testing.T) {
	contents, names := few()
	a, _ := pack(t, declare(contents, names...), contents, meta(), events())
	b, _ := pack(t, declare(contents, names...), contents, meta(), events())
	if !bytes.Equal(a, b) {
		t.Error("two packages differ")
	}
}

func TestSizeIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	letters := []rune("aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạắằẩẫậ ýỳỷỹỵ0123456789()%#&'-_")
	for round := range 60 {
		n := 1 + r.IntN(12)
		if round == 0 {
			n = 300
		}
		contents := map[string][]byte{}
		var names []string
		for i := range n {
			name := fmt.Sprint(i)
			for range r.IntN(40) {
				name += string(letters[r.IntN(len(letters))])
			}
			name += "x.pdf"
			names = append(names, name)
			contents[name] = random(r, 1+r.IntN(1<<r.IntN(14)))
		}
		m, e := meta(), events()[:r.IntN(3)]
		switch round % 4 {
		case 1:
			m.Fonds, m.ArchiveCode, m.SignatureSize = "G09", "G09.H29.68-260630-0001", 200
		case 2: // events that fill their room to the last octet
			e = events()
			m.EventSpace = tightSpace(t, contents, names, m, e)
		}
		packed, digest := pack(t, declare(contents, names...), contents, m, e)
		if got := len(open(t, packed, digest).Documents()); got != n {
			t.Errorf("%d documents of %d", got, n)
		}
	}
}

// tightSpace finds the least room for e.
func tightSpace(t *testing.T, contents map[string][]byte, names []string, m dossier.PackageMeta, e []dossier.Event) int {
	t.Helper()
	return sort.Search(16<<10, func(n int) bool {
		if n == 0 {
			return false
		}
		m.EventSpace = n
		plan, err := dossier.NewPlan(declare(contents, names...), m)
		if err != nil {
			t.Fatal(err)
		}
		w := plan.Writer(io.Discard)
		for _, name := range names {
			part, err := w.Document(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write(contents[name]); err != nil {
				t.Fatal(err)
			}
		}
		_, err = w.Close(e)
		return err == nil
	})
}

func TestWriterReportsAllProblems(t *testing.T) {
	contents, names := few()
	contents["Bản sao.pdf"], contents["Ảnh.jpg"] = []byte("bản sao"), []byte("ảnh")
	names = append(names, "Bản sao.pdf", "Ảnh.jpg")
	d := declare(contents, names...)
	plan, err := dossier.NewPlan(d, meta())
	if err != nil {
		t.Fatal(err)
	}
	w := plan.Writer(io.Discard)
	write := func(name string, b []byte) error {
		part, err := w.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(part, iotest.OneByteReader(bytes.NewReader(b)))
		return err
	}
	flipped := bytes.Clone(contents[names[1]])
	flipped[17] ^= 1
	var v *dossier.ValidationError
	if err := write(names[0], append(contents[names[0]], 0)); !errors.As(err, &v) {
		t.Errorf("long document: %v", err)
	}
	if err := write(names[1], flipped); err != nil {
		t.Errorf("altered document: %v", err)
	}
	if n := len(w.Problems()); n != 2 {
		t.Errorf("%d problems after two documents", n)
	}
	if err := write(names[2], contents[names[2]][1:]); err != nil {
		t.Errorf("short document: %v", err)
	}
	if err := write(names[3], contents[names[3]]); err != nil {
		t.Errorf("good document: %v", err)
	}
	_, err = w.Close(events())
	if !errors.As(err, &v) {
		t.Fatalf("closed with %v", err)
	}
	want := []string{
		"document.size_mismatch documents[0].size", "document.digest_mismatch documents[1].sha256",
		"document.size_mismatch documents[2].size", "document.absent documents[4]",
	}
	if got := found(v.Problems); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, p := range v.Problems {
		checkTexts(t, p)
	}
}

func TestWriterOrderAndErrors(t *testing.T) {
	contents, names := few()
	d := declare(contents, names...)
	plan, err := dossier.NewPlan(d, meta())
	if err != nil {
		t.Fatal(err)
	}
	w := plan.Writer(io.Discard)
	if _, err := w.Document(names[1]); err == nil {
		t.Error("second document came first")
	}
	if _, err := w.Document("To\u031b\u0300 khai đăng ký (bản 1) 100%.pdf"); err != nil {
		t.Errorf("decomposed name: %v", err)
	}
	full := plan.Writer(&limited{n: 100})
	part, err := full.Document(names[0])
	if err == nil {
		_, err = part.Write(contents[names[0]])
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error of the writer: %v", err)
	}
	if _, err := full.Close(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("closed with %v", err)
	}
}

type limited struct{ n int }

func (l *limited) Write(p []byte) (int, error) {
	if l.n -= len(p); l.n < 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return len(p), nil
}

func TestCloseRefuses(t *testing.T) {
	contents, names := few()
	tests := []struct {
		name   string
		change func(*dossier.PackageMeta)
		events []dossier.Event
	}{
		{"too many events", nil, manyAgents(200)},
		{"no outcome", nil, []dossier.Event{{Type: "ingestion", Time: now()}}},
		{"unknown document", nil, []dossier.Event{{Type: "ingestion", Time: now(), Outcome: "success", Document: "x"}}},
		{"signature too long", func(m *dossier.PackageMeta) { m.SignatureSize = 50 }, nil},
		{"no signature", func(m *dossier.PackageMeta) { m.Sign = func([]byte) ([]byte, error) { return nil, nil } }, nil},
		{"signer fails", func(m *dossier.PackageMeta) { m.Sign = func([]byte) ([]byte, error) { return nil, fs.ErrInvalid } }, nil},
	}
	for _, tt := range tests {
		m := meta()
		if tt.change != nil {
			tt.change(&m)
		}
		plan, err := dossier.NewPlan(declare(contents, names...), m)
		if err != nil {
			t.Fatal(err)
		}
		w := plan.Writer(io.Discard)
		for _, name := range names {
			part, _ := w.Document(name)
			if _, err := part.Write(contents[name]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(tt.events); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
		if _, err := w.Close(nil); err == nil {
			t.Errorf("%s: closed twice", tt.name)
		}
	}
}

// manyAgents returns events that no shortening brings together.
func manyAgents(n int) []dossier.Event {
	list := make([]dossier.Event, n)
	for i := range list {
		list[i] = dossier.Event{Type: "ingestion", Time: now(), Agent: fmt.Sprint("system ", i), Outcome: "success"}
	}
	return list
}

func TestPlanRefuses(t *testing.T) {
	for name, change := range map[string]func(*dossier.PackageMeta){
		"UUID":      func(m *dossier.PackageMeta) { m.UUID = "7d0d1987" },
		"fonds":     func(m *dossier.PackageMeta) { m.Fonds = "../../x" },
		"retention": func(m *dossier.PackageMeta) { m.Retention = "08" },
		"time":      func(m *dossier.PackageMeta) { m.Created = m.Created.AddDate(-100, 0, 0) },
		"signer":    func(m *dossier.PackageMeta) { m.Sign = nil },
		"room":      func(m *dossier.PackageMeta) { m.SignatureSize = -1 },
		"events":    func(m *dossier.PackageMeta) { m.EventSpace = -1 },
		"kind":      func(m *dossier.PackageMeta) { m.Kind = "ZIP" },
		"purpose":   func(m *dossier.PackageMeta) { m.Kind, m.Request.Purpose = dossier.DIP, "04" },
		"fee":       func(m *dossier.PackageMeta) { m.Kind, m.Request.Fee = dossier.DIP, "11" },
	} {
		m := meta()
		change(&m)
		if _, err := dossier.NewPlan(valid(), m); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	d := valid()
	d.Documents[0].Size = 0
	var v *dossier.ValidationError
	if _, err := dossier.NewPlan(d, meta()); !errors.As(err, &v) {
		t.Errorf("empty document: %v", err)
	}
}

func TestTampering(t *testing.T) {
	contents, names := few()
	m := meta()
	m.EventSpace = 3000 // METS.xml is read again for every octet below
	packed, digest := pack(t, declare(contents, names...), contents, m, events())
	p := open(t, packed, digest)
	size := int64(len(packed))
	at := func(path string) dossier.Entry {
		e, err := p.Entry(path)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	flip := func(off int64) []byte {
		b := bytes.Clone(packed)
		b[off] ^= 1
		return b
	}
	// METS.xml, directory and end are noticed at once.
	mets := at(top + "/METS.xml")
	for _, off := range []int64{mets.Offset, mets.Offset + mets.Size/2, mets.Offset + mets.Size - 1, size - 1, size - 4, size - 10} {
		if _, err := dossier.OpenPackage(bytes.NewReader(flip(off)), size, digest); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("octet %d of %d: %v", off, size, err)
		}
	}
	other := strings.Repeat("0", 64)
	if _, err := dossier.OpenPackage(bytes.NewReader(packed), size, other); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := dossier.OpenPackage(bytes.NewReader(packed), size, ""); err == nil {
		t.Error("opened without a digest")
	}
	for _, cut := range []int64{0, 1, 21, 100, size - 1} {
		if _, err := dossier.OpenPackage(bytes.NewReader(packed[:cut]), cut, digest); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("cut to %d: %v", cut, err)
		}
	}
	if _, err := dossier.OpenPackage(bytes.NewReader(packed[:size-1]), size, digest); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("reader shorter than said: %v", err)
	}
	// Any octet of the directory: noticed, or it changes nothing that is used.
	signature := at(top + "/METS.xml.asc")
	for off := signature.Offset + signature.Size; off < size; off++ {
		q, err := dossier.OpenPackage(bytes.NewReader(flip(off)), size, digest)
		if err == nil && !slices.Equal(q.Documents(), p.Documents()) {
			t.Errorf("octet %d: other documents", off)
		}
	}
	// Content is noticed when it is read.
	doc := at(names[1])
	altered := flip(doc.Offset + 5)[doc.Offset : doc.Offset+doc.Size]
	released, err := io.ReadAll(p.Verify(names[1], bytes.NewReader(altered)))
	if !errors.Is(err, dossier.ErrPackage) || int64(len(released)) == doc.Size {
		t.Errorf("altered document: %v, %d octets released", err, len(released))
	}
	declaration := at(top + "/documentation/declaration.json")
	if _, err := open(t, flip(declaration.Offset+9), digest).Declaration(); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("altered declaration: %v", err)
	}
}

func TestVerify(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), nil)
	p := open(t, packed, digest)
	want := contents[names[2]]
	for name, r := range map[string]io.Reader{
		"whole":             bytes.NewReader(want),
		"one byte":          iotest.OneByteReader(bytes.NewReader(want)),
		"end with the data": iotest.DataErrReader(bytes.NewReader(want)),
	} {
		if b, err := io.ReadAll(p.Verify(names[2], r)); err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, r := range map[string]io.Reader{
		"short":  bytes.NewReader(want[:len(want)-1]),
		"long":   bytes.NewReader(append(bytes.Clone(want), 0)),
		"empty":  bytes.NewReader(nil),
		"other":  bytes.NewReader(contents[names[1]]),
		"longer": iotest.OneByteReader(bytes.NewReader(append(bytes.Clone(want), 0))),
	} {
		if _, err := io.ReadAll(p.Verify(names[2], r)); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := io.ReadAll(p.Verify("x", nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := io.ReadAll(p.Verify(names[2], iotest.TimeoutReader(iotest.HalfReader(bytes.NewReader(want))))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("error of the reader: %v", err)
	}
	if _, err := p.ReadFile("METS.xml"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a path without the top folder names a file")
	}
}

// reads counts what opening costs.
type reads struct {
	io.ReaderAt
	n     int
	bytes int
}

func (r *reads) ReadAt(p []byte, off int64) (int, error) {
	r.n++
	r.bytes += len(p)
	return r.ReaderAt.ReadAt(p, off)
}

func TestOpeningIsOneRead(t *testing.T) {
	contents, names := map[string][]byte{}, []string(nil)
	for i := range 8 {
		names = append(names, fmt.Sprintf("Giấy tờ số %d.pdf", i))
		contents[names[i]] = make([]byte, 400<<10)
	}
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	r := &reads{ReaderAt: bytes.NewReader(packed)}
	p, err := dossier.OpenPackage(r, int64(len(packed)), digest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Declaration(); err != nil {
		t.Fatal(err)
	}
	if r.n != 1 || r.bytes > 128<<10 {
		t.Errorf("%d reads of %d octets for %d", r.n, r.bytes, len(packed))
	}
}

// Packages written by version 1 are read for ever. The files are never changed,
// only added to.
func TestGoldenPackage(t *testing.T) {
	dir := filepath.Join("testdata", "v1")
	digest, err := os.ReadFile(filepath.Join(dir, "package.mets.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(filepath.Join(dir, "package.zip"))
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, packed, strings.TrimSpace(string(digest)))
	d, err := p.Declaration()
	if err != nil {
		t.Fatal(err)
	}
	golden, _ := os.ReadFile(filepath.Join(dir, "declaration.json"))
	if b, err := d.Canonical(); err != nil || !bytes.Equal(b, golden) {
		t.Errorf("declaration differs: %v", err)
	}
	contents, _ := few()
	for _, e := range p.Entries() {
		b, err := io.ReadAll(p.Verify(e.Path, io.NewSectionReader(bytes.NewReader(packed), e.Offset, e.Size)))
		if err != nil || e.Name != "" && !bytes.Equal(b, contents[e.Name]) {
			t.Errorf("%s: %v", e.Path, err)
		}
	}
}

func FuzzOpenPackage(f *testing.F) {
	one := map[string][]byte{"a": {0}}
	small := meta()
	small.SignatureSize, small.EventSpace = 200, 1
	packed, _ := pack(f, declare(one, "a"), one, small, nil)
	f.Add(packed)
	f.Add(packed[len(packed)-1500:])
	f.Fuzz(func(t *testing.T, in []byte) {
		// The digest of whatever METS.xml is there lets the fuzzer reach what
		// lies behind it.
		digest := strings.Repeat("0", 64)
		if z, err := zip.NewReader(bytes.NewReader(in), int64(len(in))); err == nil && len(z.File) > 1 {
			if r, err := z.File[len(z.File)-2].Open(); err == nil {
				b, _ := io.ReadAll(io.LimitReader(r, 1<<20))
				sum := sha256.Sum256(b)
				digest = hex.EncodeToString(sum[:])
			}
		}
		p, err := dossier.OpenPackage(bytes.NewReader(in), int64(len(in)), digest)
		if err != nil {
			if !errors.Is(err, dossier.ErrPackage) {
				t.Errorf("error is not ErrPackage: %v", err)
			}
			return
		}
		for _, e := range p.Entries() {
			if e.Offset < 0 || e.Size < 0 || e.Offset+e.Size > int64(len(in)) {
				t.Fatalf("%q lies outside: %d+%d of %d", e.Path, e.Offset, e.Size, len(in))
			}
			if b, err := p.ReadFile(e.Path); err == nil {
				if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != e.SHA256 {
					t.Errorf("%q: content unverified", e.Path)
				}
			}
		}
		if _, err := p.Declaration(); err != nil && !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("declaration: %v", err)
		}
	})
}
