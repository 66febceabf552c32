package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
	"github.com/luutru/luutru/intake"
)

// exported writes a dossier that has lived a little in a form, and returns the
// ZIP's files by their names under the top folder.
func exported(t *testing.T, a *archive.Archive, form string) (raw []byte, files map[string]string) {
	t.Helper()
	c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b bytes.Buffer
	if n, err := c.WriteForm(&b, form); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d octets of %d, %v", n, b.Len(), err)
	}
	if dir := os.Getenv("LUUTRU_EXPORTS"); dir != "" { // for the programs of others: .ci/bagit, .ci/eark
		if err := os.WriteFile(filepath.Join(dir, form+".zip"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(f.Name, "/")
		files[name] = string(data)
	}
	return b.Bytes(), files
}

// lived is an archive with a dossier that was held, released and read.
func lived(t *testing.T) *archive.Archive {
	t.Helper()
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	h, err := a.Hold(t.Context(), archivist, code(1), "khiếu nại")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Lift(t.Context(), archivist, code(1), h, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return a
}

// life of the dossier, as PREMIS has it.
var lifeEvents = []string{">ingestion<", ">hold<", ">hold lifted<", ">dissemination<", ">format identification<", "format.identified"}

func TestExportEARK(t *testing.T) {
	a := lived(t)
	for _, form := range []string{archive.FormDIP, archive.FormSIP} {
		raw, files := exported(t, a, form)
		p, err := eark.Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Check(t.Context()) {
			if v.Level == eark.Must {
				t.Errorf("%s: %s at %s: %s", form, v.Rule, v.Path, v.English)
			}
		}
		for name, want := range usual {
			if files["representations/rep1/data/"+name] != want {
				t.Errorf("%s: %s is missing or another", form, name)
			}
		}
		premis := files["metadata/preservation/PREMIS.xml"] + files["representations/rep1/metadata/preservation/PREMIS_rep1.xml"]
		for _, e := range lifeEvents {
			if !strings.Contains(premis, e) {
				t.Errorf("%s: no %s in PREMIS", form, e)
			}
		}
		if !strings.Contains(files["METS.xml"], `OAISPACKAGETYPE="`+strings.ToUpper(form)+`"`) {
			t.Errorf("%s: METS.xml has another kind", form)
		}
		if strings.Contains(premis, inspector.Subject) {
			t.Errorf("%s: PREMIS tells who used the dossier", form)
		}
	}
	if _, files := exported(t, a, archive.FormProof); !strings.Contains(files["metadata/descriptive/EAD.xml"], "H29.LT."+code(1)+"<") {
		t.Error("no archive code in the kept EAD.xml")
	}
}

func TestExportBag(t *testing.T) {
	a := lived(t)
	raw, files := exported(t, a, archive.FormBag)
	b, err := bagit.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if faults := b.Verify(t.Context()); !bagit.Valid(faults) {
		t.Errorf("not a valid bag: %v", faults)
	}
	for name, want := range usual {
		if files["data/"+name] != want {
			t.Errorf("%s is missing or another", name)
		}
	}
	for _, e := range lifeEvents {
		if !strings.Contains(files["metadata/preservation/PREMIS.xml"], e) {
			t.Errorf("no %s in PREMIS", e)
		}
	}
	k, _ := keys()
	r, err := archive.ParseReceipt([]byte(files["receipt.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Error(err)
	}
	t.Run("xmllint", func(t *testing.T) {
		if _, err := exec.LookPath("xmllint"); err != nil {
			t.Skip("no xmllint")
		}
		schema, err := filepath.Abs("../dossier/schemas/premis.xsd")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", schema, "-")
		cmd.Stdin = strings.NewReader(files["metadata/preservation/PREMIS.xml"])
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, files["metadata/preservation/PREMIS.xml"])
		}
	})
}

func TestExportUnknownForm(t *testing.T) {
	a := lived(t)
	c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.WriteForm(io.Discard, "rar"); !errors.Is(err, archive.ErrForm) {
		t.Errorf("got %v", err)
	}
}

// full is a disk that is full after some octets.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

// TestExportCutShort: whatever keeps a copy from being whole is on record.
func TestExportCutShort(t *testing.T) {
	for _, form := range []string{archive.FormProof, archive.FormDIP, archive.FormSIP, archive.FormBag} {
		a := lived(t)
		c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WriteForm(&full{300}, form); err == nil {
			t.Errorf("%s: no error", form)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for e, err := range a.Ledger().Entries(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Type == "delivery failed" {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%q: %d failed deliveries on record", form, failed)
		}
	}
}

// big is a submission with a document that is too large to be kept in memory.
func big(mediaType string) (*dossier.Declaration, archive.Content) {
	text := strings.Repeat("Biên bản họp Hội đồng, trang tiếp theo.\n", 9<<20/45)
	d, c := submission(code(1), files{"01-don.txt": "Đơn", "02-lon.txt": text})
	d.Documents[1].MediaType = mediaType
	return d, c
}

// TestLargeDocument: its findings come after the packaging, stand in the seal, and
// in the PREMIS of exports.
func TestLargeDocument(t *testing.T) {
	a := newWorld(t).open(t)
	d, c := big("text/plain")
	r, err := a.Ingest(t.Context(), portal, d, c)
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.Findings()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, f := range found {
		if f.Code == "format.identified" {
			count++
		}
	}
	if count != 2 {
		t.Errorf("the seal has %+v", found)
	}
	_, kept := exported(t, a, archive.FormProof)
	if premis := kept["metadata/preservation/PREMIS.xml"]; !strings.Contains(premis, "stand in the seal") {
		t.Errorf("PREMIS does not say where the findings are:\n%s", premis)
	}
	_, out := exported(t, a, archive.FormDIP)
	if premis := out["representations/rep1/metadata/preservation/PREMIS_rep1.xml"]; strings.Count(premis, "format.identified") != 2 {
		t.Errorf("%d identifications in the export", strings.Count(premis, "format.identified"))
	}
}

// TestLargeDocumentRefused: what is found after the packaging refuses as well, and
// nothing is kept.
func TestLargeDocumentRefused(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	d, c := big("application/pdf")
	_, err := a.Ingest(t.Context(), portal, d, c)
	if got := codes(err); len(got) == 0 {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, o := range w.objects(t) {
		if strings.Contains(o, "packages/") || strings.HasPrefix(o, "keys ") || strings.Contains(o, "dossiers/") {
			t.Errorf("left behind: %s", o)
		}
	}
}

// FuzzPREMIS: nothing panics, and what was read is written and read the same.
func FuzzPREMIS(f *testing.F) {
	at := time.Date(2040, 3, 1, 9, 0, 0, 0, time.UTC)
	documents := []dossier.Entry{{Name: "a.txt", SHA256: strings.Repeat("0", 64), MediaType: "text/plain"}}
	seed, err := archive.WriteEvents("x", documents, []dossier.Event{
		{Type: intake.VirusCheck, Time: at, Agent: "clamd", Outcome: "success", Code: "virus.clean", Detail: "một\nhai <&>", Document: "a.txt"},
		{Type: "ingestion", Time: at, Outcome: "success"},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("<premis/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := archive.ReadEvents(data)
		if err != nil {
			return
		}
		var named []dossier.Entry
		for _, e := range first {
			if e.Document != "" {
				named = append(named, dossier.Entry{Name: e.Document})
			}
		}
		again, err := archive.WriteEvents("x", named, first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := archive.ReadEvents(again)
		if err != nil || len(second) != len(first) {
			t.Fatalf("%d events, then %d, %v", len(first), len(second), err)
		}
	})
}
