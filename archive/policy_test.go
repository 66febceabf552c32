package archive_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/life"
)

// setPolicy changes the policy in force.
func setPolicy(t *testing.T, a *archive.Archive, change func(*intake.Policy)) {
	t.Helper()
	p, err := a.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := *p
	change(&next)
	if err := a.SetPolicy(t.Context(), archivist, &next); err != nil {
		t.Fatal(err)
	}
}

func TestPolicy(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	if p, err := a.Policy(t.Context()); err != nil || p.Version != 0 {
		t.Fatalf("got %+v, %v", p, err)
	}
	setPolicy(t, a, func(p *intake.Policy) { p.LateDays = 90 })
	setPolicy(t, a, func(p *intake.Policy) { p.Actions = map[string]intake.Action{"dossier.late": intake.Reject} })
	p, err := a.Policy(t.Context())
	if err != nil || p.Version != 2 || p.LateDays != 90 {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := b.Ledger().Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := b.Policy(t.Context()); err != nil || p.Version != 2 {
		t.Errorf("the other node has %+v, %v", p, err)
	}
	d, c := submission(code(1), usual)
	_, err = b.Ingest(t.Context(), portal, d, c)
	if got := codes(err); !slices.Equal(got, []string{"dossier.late"}) {
		t.Errorf("got %v, want dossier.late", err)
	}
	if err := a.SetPolicy(t.Context(), portal, p); !errors.Is(err, archive.ErrDenied) {
		t.Errorf("set by a producer: %v", err)
	}
	bad := *p
	bad.LateDays = -1
	if err := a.SetPolicy(t.Context(), archivist, &bad); !errors.Is(err, intake.ErrPolicy) {
		t.Errorf("a policy with a fault: %v", err)
	}
}

// codes of the problems in an error.
func codes(err error) (all []string) {
	var invalid *dossier.ValidationError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			all = append(all, p.Code)
		}
	}
	return all
}

// TestReceiptOutlivesPolicy: what is archived is archived, whatever the policy
// would say today.
func TestReceiptOutlivesPolicy(t *testing.T) {
	a := newWorld(t).open(t)
	first := ingest(t, a, code(1))
	setPolicy(t, a, func(p *intake.Policy) { p.Actions = map[string]intake.Action{"dossier.late": intake.Reject} })
	if again := ingest(t, a, code(1)); again.Seal != first.Seal {
		t.Error("the receipt is another")
	}
}

// found is content with findings of its form.
type found struct {
	*content
	fs []intake.Finding
}

func (f found) Findings() []intake.Finding { return f.fs }

func TestFindingsAreKept(t *testing.T) {
	a := newWorld(t).open(t)
	d, c := submission(code(1), usual)
	r, err := a.Ingest(t.Context(), portal, d, found{c.(*content), []intake.Finding{
		{Code: "bag.valid", Check: intake.Fixity, Outcome: intake.Pass, Document: intake.Dossier, Agent: "bagit", Detail: "bí mật"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := keys()
	seal, err := r.Verify(k.Archive.Certificate(), k.LogVerifier)
	if err != nil {
		t.Fatal(err)
	}
	has := func(code string, documents ...int) bool {
		return slices.ContainsFunc(seal.Findings, func(f life.Result) bool { return f.Code == code && slices.Equal(f.Documents, documents) })
	}
	if !has("bag.valid") || !has("format.identified", 0, 1) || strings.Contains(r.Seal, "bí mật") {
		t.Errorf("got %+v", seal.Findings)
	}
	_, files := exported(t, a, archive.FormProof)
	premis := files["metadata/preservation/PREMIS.xml"]
	if !strings.Contains(premis, "bag.valid") || !strings.Contains(premis, "bí mật") {
		t.Errorf("PREMIS has no finding of the form:\n%s", premis)
	}
}

// TestWait: what can't be checked now is not taken in, and nothing of it is kept.
func TestWait(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	setPolicy(t, a, func(p *intake.Policy) { p.Scanner = "unix:" + t.TempDir() + "/no-scanner" })
	d, c := submission(code(1), usual)
	_, err := a.Ingest(t.Context(), portal, d, c)
	var wait *archive.WaitError
	if !errors.Is(err, archive.ErrWait) || !errors.As(err, &wait) || len(wait.Findings) == 0 || !strings.Contains(err.Error(), "virus.unchecked") {
		t.Fatalf("got %v, want ErrWait for the virus scanner", err)
	}
	for _, o := range w.objects(t) {
		if strings.Contains(o, "packages/") || strings.HasPrefix(o, "keys ") || strings.Contains(o, "dossiers/") {
			t.Errorf("left behind: %s", o)
		}
	}
	if _, err := a.Receipt(t.Context(), portal, code(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("receipt: %v", err)
	}
}

// TestAllProblemsAtOnce: of the declaration, the form and the policy together; then
// of all documents together.
func TestAllProblemsAtOnce(t *testing.T) {
	a := newWorld(t).open(t)
	setPolicy(t, a, func(p *intake.Policy) { p.Actions = map[string]intake.Action{"dossier.late": intake.Reject} })
	d, c := submission(code(1), usual)
	d.Title, d.Class = "", "XX"
	_, err := a.Ingest(t.Context(), portal, d, found{c.(*content), []intake.Finding{{Code: "bag.manifest", Outcome: intake.Failure, Document: intake.Dossier}}})
	got := codes(err)
	for _, want := range []string{"dossier.class_unknown", "dossier.late", "bag.manifest"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %v, want %s among them", got, want)
		}
	}
	setPolicy(t, a, func(p *intake.Policy) { p.Actions = nil })
	d, c = submission(code(1), files{"a.txt": "một", "b.txt": "hai", "c.txt": "ba"})
	d.Documents[0].MediaType = "application/pdf"
	d.Documents[1].SHA256 = strings.Repeat("0", 64)
	d.Documents[2].MediaType = "image/png"
	_, err = a.Ingest(t.Context(), portal, d, c)
	if got := codes(err); !slices.Contains(got, "document.digest_mismatch") || strings.Count(strings.Join(got, " "), "format.mismatch") != 2 {
		t.Errorf("got %v, want a digest and two formats", got)
	}
}
