package archive_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/agency"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/intake"
)

// TestReceiptCoversDeclaration: offline, with receipt and declaration alone, the
// producer sees that just its declaration is sealed.
func TestReceiptCoversDeclaration(t *testing.T) {
	a := newWorld(t).open(t)
	r := ingest(t, a, code(1))
	k, _ := keys()
	d, _ := submission(code(1), usual)
	seal, err := r.VerifyDeclaration(k.Archive.Certificate(), k.LogVerifier, d)
	if err != nil || seal.Documents != 2 {
		t.Errorf("got %+v, %v", seal, err)
	}
	for name, change := range map[string]func(*archive.Receipt){
		"archive code":      func(r *archive.Receipt) { r.ArchiveCode += "1" },
		"content key":       func(r *archive.Receipt) { r.ContentKey = strings.Repeat("0", 64) },
		"short content key": func(r *archive.Receipt) { r.ContentKey = r.ContentKey[:62] },
		"no content key":    func(r *archive.Receipt) { r.ContentKey = "" },
	} {
		altered := *r
		change(&altered)
		if _, err := altered.Verify(k.Archive.Certificate(), k.LogVerifier); !errors.Is(err, archive.ErrProof) {
			t.Errorf("%s: %v, want ErrProof", name, err)
		}
	}
	d.Title += "."
	if _, err := r.VerifyDeclaration(k.Archive.Certificate(), k.LogVerifier, d); !errors.Is(err, archive.ErrProof) {
		t.Errorf("another title: %v, want ErrProof", err)
	}
	if raw, err := hex.DecodeString(r.ContentKey); err != nil || bytes.Contains([]byte(r.Seal), raw) || strings.Contains(r.Seal, r.ContentKey) || strings.Contains(r.Seal, r.Code) {
		t.Error("the seal tells what only the receipt may")
	}
}

func TestReceiptShowsFindings(t *testing.T) {
	a := newWorld(t).open(t)
	found, err := ingest(t, a, code(1)).Findings()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []intake.Finding{
		{Code: "format.identified", Check: intake.Identification, Outcome: intake.Pass, Document: 0}, {Code: "format.identified", Check: intake.Identification, Outcome: intake.Pass, Document: 1},
		{Code: "dossier.late", Check: intake.Completeness, Outcome: intake.Warning, Document: intake.Dossier},
	} {
		if !slices.Contains(found, want) {
			t.Errorf("no %+v in %+v", want, found)
		}
	}
	if _, err := new(archive.Receipt).Findings(); !errors.Is(err, archive.ErrProof) {
		t.Errorf("of nothing: %v", err)
	}
}

// TestReceiptWithoutRetrieval: a producer asks for a receipt again, under any
// spelling that it pushed.
func TestReceiptWithoutRetrieval(t *testing.T) {
	a := newWorld(t).open(t)
	for _, code := range []string{code(1), "000.00.68.H29-280301-0002", "HS 12/2028"} {
		d, c := submission(code, usual)
		first, err := a.Ingest(t.Context(), portal, d, c)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := first.Encode()
		refs := []string{code}
		if strings.HasPrefix(code, "HS") {
			refs = []string{"H29.68/" + code}
		}
		for _, ref := range refs {
			r, err := a.Receipt(t.Context(), portal, ref)
			if err != nil {
				t.Errorf("%s: %v", ref, err)
				continue
			}
			if got, _ := r.Encode(); !bytes.Equal(got, want) {
				t.Errorf("%s: the receipt is another:\n%s\n%s", ref, got, want)
			}
		}
		if r, err := a.Receipt(t.Context(), portal, first.ArchiveCode); err != nil || r.Dossier != first.Dossier {
			t.Errorf("by archive code %s: %+v, %v", first.ArchiveCode, r, err)
		}
		for _, bad := range []struct {
			by  archive.Agent
			ref string
		}{{archive.Agent{Subject: "x", Roles: []archive.Role{archive.Producer}, Agencies: []string{"H30"}}, refs[0]}, {portal, code + "9"}, {portal, first.Dossier}} {
			if _, err := a.Receipt(t.Context(), bad.by, bad.ref); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v, want not found", bad.ref, err)
			}
		}
		if _, err := a.Receipt(t.Context(), chief, refs[0]); !errors.Is(err, archive.ErrDenied) {
			t.Errorf("to somebody else: %v", err)
		}
	}
}

// TestArchiveCode: given by the archive, one for all spellings, and found.
func TestArchiveCode(t *testing.T) {
	a := newWorld(t).open(t)
	r := ingest(t, a, "000.00.68.H29-280301-0001")
	if r.ArchiveCode != "H29.LT.H29.68-280301-0001" {
		t.Errorf("got %s", r.ArchiveCode)
	}
	if err := a.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, q := range []index.Query{{Code: r.ArchiveCode}, {Text: r.ArchiveCode}, {Code: "H29.LT"}} {
		if res, err := a.Search(t.Context(), archivist, q); err != nil || res.Total != 1 || res.Hits[0].ArchiveCode != r.ArchiveCode {
			t.Errorf("%+v: got %+v, %v", q, res, err)
		}
	}
	c, err := a.Retrieve(t.Context(), inspector, r.ArchiveCode, "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	if c.Receipt.ArchiveCode != r.ArchiveCode {
		t.Errorf("got %s", c.Receipt.ArchiveCode)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestSuccessorSeesItsPredecessors: dossiers of a province that was merged are its
// successor's.
func TestSuccessorSeesItsPredecessors(t *testing.T) {
	table, err := agency.Parse([]byte("H08,Tỉnh cũ,,2025-06-30,H21,read,test\nH21,Tỉnh mới,,,,read,test\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	config := w.config(t)
	config.Agencies = table
	a, err := archive.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	d, c := submission("H08.3-240301-0001", usual)
	d.Agency = "H08.3"
	before := portal
	before.Agencies = []string{"H08"}
	if _, err := a.Ingest(t.Context(), before, d, c); err != nil {
		t.Fatal(err)
	}
	successor := archivist
	successor.Agencies = []string{"H21"}
	if _, err := a.Show(t.Context(), successor, d.Code); err != nil {
		t.Errorf("the successor: %v", err)
	}
	if r, err := a.Search(t.Context(), successor, index.Query{Text: "giấy phép"}); err != nil || r.Total != 1 {
		t.Errorf("the successor finds %+v, %v", r, err)
	}
	if _, err := a.Show(t.Context(), archivist, d.Code); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another province: %v", err)
	}
}
