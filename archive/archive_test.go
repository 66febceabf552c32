package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// The people of the tests.
var (
	portal    = archive.Agent{Subject: "cong-dvc", Roles: []archive.Role{archive.Producer}, Agencies: []string{"H29"}}
	archivist = archive.Agent{Subject: "lan", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H29"}}
	executor  = archive.Agent{Subject: "minh", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H29"}}
	member    = archive.Agent{Subject: "hoa", Roles: []archive.Role{archive.Council}, Agencies: []string{"*"}}
	chief     = archive.Agent{Subject: "son", Roles: []archive.Role{archive.Approver}, Agencies: []string{"H29"}}
	inspector = archive.Agent{Subject: "thanh-tra", Roles: []archive.Role{archive.Inspector}, Agencies: []string{"*"}}
	stranger  = archive.Agent{Subject: "xa-khac", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H30"}}
)

// now is when the tests happen.
var now = time.Date(2040, 3, 1, 9, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// keys are made once: what they are does not matter to any test.
var keys = sync.OnceValues(func() (*archive.Keyring, error) {
	k, _, err := archive.GenerateKeyring(signing.Classic, "luutru.test", now.AddDate(-10, 0, 0))
	return k, err
})

// schedule has a class for everything that the tests need.
var schedule = &retention.Schedule{
	Version: 1, Title: "Thử nghiệm · Test", Effective: time.Date(2020, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600)),
	Rules: []retention.Rule{
		{Class: "GP", Group: "Giấy phép", Vietnamese: "Giấy phép", English: "Licences", Years: 10, Trigger: "end-of-work", Action: "destroy", Basis: "test", Certainty: "confirmed", Approved: true},
		{Class: "HT", Group: "Hộ tịch", Vietnamese: "Hộ tịch", English: "Civil status", Permanent: true, Trigger: "end-of-work", Action: "transfer", Basis: "test", Certainty: "confirmed", Approved: true},
	},
	Procedures: map[string]string{"1.001193": "HT", "1.009999": "GP"}, Groups: map[string]string{},
}

// buckets are the stores of one archive.
type buckets struct{ archive, keys, work store.Store }

// world is an archive under test, with everything that survives a restart.
type world struct {
	buckets
	index *index.Index
	node  string
}

// newWorld makes an archive in memory and checks it when the test ends.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{buckets: newBuckets(), index: newIndex(t), node: "a"}
	if err := archive.Create(t.Context(), w.config(t), "luutru.test", schedule); err != nil {
		t.Fatal(err)
	}
	return w
}

func newBuckets() buckets {
	return buckets{
		store.NewMemory(store.MemoryOptions{Versioned: true, Now: clock}),
		store.NewMemory(store.MemoryOptions{Now: clock}),
		store.NewMemory(store.MemoryOptions{Now: clock}),
	}
}

func newIndex(t testing.TB) *index.Index {
	t.Helper()
	ix, err := index.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.Close() })
	return ix
}

func (w *world) config(t testing.TB) archive.Config {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	return archive.Config{
		Archive: w.archive, Keys: w.keys, Work: w.work, Keyring: k, Node: w.node, Index: w.index, Now: clock, Log: slog.New(slog.DiscardHandler),
		Code: "H29.LT", Inspector: sharedFormats(t),
	}
}

// formats are loaded once.
var formats = sync.OnceValues(func() (*inspect.Inspector, error) { return inspect.New(inspect.Config{}) })

func sharedFormats(t testing.TB) *inspect.Inspector {
	t.Helper()
	i, err := formats()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// open opens the archive; the test's end closes it and checks that it is whole.
func (w *world) open(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.whole(t, a)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// whole fails the test for every finding of a check that opens every package.
func (w *world) whole(t testing.TB, a *archive.Archive) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := a.Indexed(ctx); err != nil {
		t.Error(err)
	}
	r, err := a.Check(ctx, archive.CheckOptions{Content: true})
	if err != nil {
		t.Error(err)
		return
	}
	for _, f := range r.Findings {
		t.Errorf("check: %s: %s: %s", f.Object, f.Code, f.English)
	}
}

// files are the documents of a submission, by name.
type files map[string]string

// submission makes a dossier of class GP, closed in 2028: due from 2039.
func submission(code string, fs files) (*dossier.Declaration, archive.Content) {
	d := &dossier.Declaration{
		Code: code, Agency: "H29.68", AgencyName: "UBND phường Bến Nghé", Procedure: "1.009999", ProcedureName: "Cấp giấy phép xây dựng",
		Title: "Cấp giấy phép xây dựng nhà ở riêng lẻ", Access: "open", Received: "2028-03-01", Closed: "2028-05-04", Outcome: "granted",
		Applicant: dossier.Person{Name: "Nguyễn Thị Ánh", PersonalID: "079190000123"},
	}
	var c content
	for _, name := range slices.Sorted(maps.Keys(fs)) {
		sum := sha256.Sum256([]byte(fs[name]))
		d.Documents = append(d.Documents, dossier.Document{
			Name: name, Subject: "Đơn đề nghị", Type: "32", Role: "submitted", Origin: "born_digital",
			MediaType: "text/plain", Size: int64(len(fs[name])), SHA256: hex.EncodeToString(sum[:]),
		})
		c = append(c, part{name, fs[name]})
	}
	return d, &c
}

var usual = files{"01-don.txt": "Đơn đề nghị cấp giấy phép xây dựng tại phường Bến Nghé", "02-giay-phep.txt": "Giấy phép xây dựng số 123/GPXD"}

type part struct{ name, data string }

// content is documents in memory.
type content []part

func (c *content) Next() (string, io.Reader, error) {
	if len(*c) == 0 {
		return "", nil, io.EOF
	}
	p := (*c)[0]
	*c = (*c)[1:]
	return p.name, strings.NewReader(p.data), nil
}

func ingest(t testing.TB, a *archive.Archive, code string) *archive.Receipt {
	t.Helper()
	d, c := submission(code, usual)
	r, err := a.Ingest(t.Context(), portal, d, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// code of a dossier of the tests.
func code(n int) string { return fmt.Sprintf("H29.68-280301-%04d", n) }

func TestIngestRetrieve(t *testing.T) {
	a := newWorld(t).open(t)
	first := ingest(t, a, code(1))
	encoded, err := first.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ingest(t, a, code(1)).Encode()
	if err != nil || !bytes.Equal(again, encoded) {
		t.Errorf("pushed again, the receipt is another: %v", err)
	}
	k, _ := keys()
	seal, err := first.Verify(k.Archive.Certificate(), k.LogVerifier)
	if err != nil || seal.Documents != 2 || seal.Class != "GP" {
		t.Errorf("receipt: got %+v, %v", seal, err)
	}
	c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, want := range usual {
		r, _, err := c.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	var zip bytes.Buffer
	if _, err := c.WriteTo(&zip); err != nil {
		t.Error(err)
	}
}

func TestOtherOrderOfTheCodeIsTheSameDossier(t *testing.T) {
	a := newWorld(t).open(t)
	first := ingest(t, a, "000.00.68.H29-280301-0001")
	c, err := a.Retrieve(t.Context(), inspector, "H29.68-280301-0001", "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	if c.Receipt.Dossier != first.Dossier {
		t.Errorf("got dossier %s, want %s", c.Receipt.Dossier, first.Dossier)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestConflict(t *testing.T) {
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	d, c := submission(code(1), files{"01-don.txt": "một nội dung khác"})
	_, err := a.Ingest(t.Context(), portal, d, c)
	var conflict *archive.ConflictError
	if !errors.As(err, &conflict) || conflict.Archived == "" || conflict.Sent == "" || conflict.Archived == conflict.Sent {
		t.Errorf("got %v, want a conflict naming both digests", err)
	}
}

func TestBadSubmissionLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		change func(*dossier.Declaration, *content)
		want   []string // codes
	}{
		"digest":         {func(d *dossier.Declaration, _ *content) { d.Documents[1].SHA256 = strings.Repeat("0", 64) }, []string{"document.digest_mismatch"}},
		"longer":         {func(_ *dossier.Declaration, c *content) { (*c)[0].data += "x" }, []string{"document.size_mismatch"}},
		"shorter":        {func(_ *dossier.Declaration, c *content) { (*c)[1].data = "x" }, []string{"document.size_mismatch"}},
		"missing":        {func(_ *dossier.Declaration, c *content) { *c = (*c)[:1] }, []string{"document.absent"}},
		"undeclared":     {func(_ *dossier.Declaration, c *content) { *c = append(*c, part{"x.txt", "x"}) }, []string{"document.order"}},
		"other order":    {func(_ *dossier.Declaration, c *content) { slices.Reverse(*c) }, []string{"document.absent", "document.order"}},
		"not a PDF":      {func(d *dossier.Declaration, _ *content) { d.Documents[0].MediaType = "application/pdf" }, []string{"format.mismatch"}},
		"not its agency": {func(d *dossier.Declaration, _ *content) { d.Agency = "H30.1" }, []string{"dossier.agency_not_yours"}},
		"unknown class":  {func(d *dossier.Declaration, _ *content) { d.Class = "XX" }, []string{"dossier.class_unknown"}},
		"several at once": {func(d *dossier.Declaration, c *content) {
			d.Documents[0].SHA256 = strings.Repeat("0", 64)
			(*c)[1].data += "x"
		}, []string{"document.digest_mismatch", "document.size_mismatch"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.open(t)
			before := w.objects(t)
			d, c := submission(code(1), usual)
			tt.change(d, c.(*content))
			_, err := a.Ingest(t.Context(), portal, d, c)
			var invalid *dossier.ValidationError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want a validation error", err)
			}
			var got []string
			for _, p := range invalid.Problems {
				got = append(got, p.Code)
			}
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("got %v, want %s among them", got, want)
				}
			}
			after := w.objects(t)
			noLedger := func(o string) bool { return strings.Contains(o, " ledger/") } // the refusal is entered
			before, after = slices.DeleteFunc(before, noLedger), slices.DeleteFunc(after, noLedger)
			if slices.ContainsFunc(after, func(o string) bool { return strings.Contains(o, "packages/") || strings.HasPrefix(o, "keys ") }) || len(after) > len(before)+1 {
				t.Errorf("left behind: %v", after)
			}
		})
	}
}

// objects lists every object of the three buckets.
func (w *world) objects(t testing.TB) []string {
	t.Helper()
	var all []string
	for name, s := range map[string]store.Store{"archive": w.archive, "keys": w.keys, "work": w.work} {
		for info, err := range s.List(t.Context(), "", nil) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name+" "+info.Key)
		}
	}
	slices.Sort(all)
	return all
}

func TestAbsentAndNotYoursLookTheSame(t *testing.T) {
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	_, absent := a.Retrieve(t.Context(), stranger, code(2), "tò mò")
	_, notYours := a.Retrieve(t.Context(), stranger, code(1), "tò mò")
	if !errors.Is(absent, fs.ErrNotExist) || absent.Error() != notYours.Error() {
		t.Errorf("absent: %v; not yours: %v", absent, notYours)
	}
}
