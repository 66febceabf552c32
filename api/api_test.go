package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/staging"
	"github.com/luutru/luutru/store"
)

// now is when the tests happen.
var now = time.Date(2040, 3, 1, 9, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// keys are made once: what they are does not matter to any test.
var keys = sync.OnceValues(func() (*archive.Keyring, error) {
	k, _, err := archive.GenerateKeyring(signing.Classic, "luutru.test", now.AddDate(-10, 0, 0))
	return k, err
})

var schedule = &retention.Schedule{
	Version: 1, Title: "Thử nghiệm · Test", Effective: time.Date(2020, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600)),
	Rules: []retention.Rule{
		{Class: "GP", Group: "Giấy phép", Vietnamese: "Giấy phép", English: "Licences", Years: 10, Trigger: "end-of-work", Action: "destroy", Basis: "test", Certainty: "confirmed", Approved: true},
	},
	Procedures: map[string]string{"1.009999": "GP"}, Groups: map[string]string{},
}

// people are the accounts of the tests; an account's token is its name.
var people = []archive.Agent{
	{Subject: "portal", Roles: []archive.Role{archive.Producer}, Agencies: []string{"H29"}},
	{Subject: "gate", Roles: []archive.Role{archive.Producer}, Agencies: []string{"H29"}},
	{Subject: "lan", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H29.68"}},
	{Subject: "minh", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H29"}},
	{Subject: "hoa", Roles: []archive.Role{archive.Council}, Agencies: []string{"*"}},
	{Subject: "son", Roles: []archive.Role{archive.Approver}, Agencies: []string{"*"}},
	{Subject: "stranger", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"H30"}},
	{Subject: "operator", Roles: []archive.Role{archive.Administrator}},
}

// served is an archive in memory behind a server.
type served struct {
	archive          *archive.Archive
	server           *httptest.Server
	packages, others *store.Memory
	work             *store.Memory
	staging          *staging.Area
	handler          *api.Server
}

// serve serves a new archive until the test ends.
func serve(t testing.TB, change ...func(*api.Config)) *served {
	t.Helper()
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{packages: store.NewMemory(store.MemoryOptions{Versioned: true, Now: clock}), others: store.NewMemory(store.MemoryOptions{Now: clock}), work: store.NewMemory(store.MemoryOptions{Now: clock})}
	c := archive.Config{Archive: s.packages, Keys: s.others, Work: s.work, Keyring: k, Node: "a", Index: ix, Now: clock}
	if err := archive.Create(t.Context(), c, "luutru.test", schedule); err != nil {
		t.Fatal(err)
	}
	if s.archive, err = archive.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if s.staging, err = staging.New(staging.Config{Store: s.work, Secret: bytes.Repeat([]byte{1}, 32), Now: clock}); err != nil {
		t.Fatal(err)
	}
	cfg := api.Config{Archive: s.archive, Authenticator: tokens(t), Staging: s.staging, Now: clock}
	for _, f := range change {
		f(&cfg)
	}
	s.handler = api.New(cfg)
	s.server = httptest.NewUnstartedServer(s.handler)
	if cfg.Patience == forHTTP2 {
		s.server.EnableHTTP2 = true
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
	t.Cleanup(func() {
		s.server.Close()
		s.handler.Close()
		if err := errors.Join(s.archive.Close(), ix.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// forHTTP2 asks serve for a server that speaks HTTP/2.
const forHTTP2 = 31 * time.Second

// tokens writes a token file for the people.
func tokens(t testing.TB) *api.Tokens {
	t.Helper()
	var all []api.Token
	for _, p := range people {
		sum := sha256.Sum256([]byte(p.Subject))
		all = append(all, api.Token{Subject: p.Subject, SHA256: hex.EncodeToString(sum[:]), Roles: p.Roles, Agencies: p.Agencies, Expires: now.AddDate(1, 0, 0)})
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	ts, err := api.OpenTokens(path, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// as returns the client of one of the people.
func (s *served) as(who string) *api.Client {
	return &api.Client{URL: s.server.URL, Token: who, HTTP: s.server.Client()}
}

// text is a document of a test.
type text struct{ name, data string }

var usual = []text{{"01-đơn đề nghị.txt", "Đơn đề nghị cấp giấy phép xây dựng tại phường Bến Nghé"}, {"02-giay-phep.txt", "Giấy phép xây dựng số 123/GPXD"}}

// declare declares a dossier that is due from 2039.
func declare(t testing.TB, code string, texts []text) ([]byte, []api.File) {
	t.Helper()
	d := &dossier.Declaration{
		Code: code, Agency: "H29.68", AgencyName: "UBND phường Bến Nghé", Procedure: "1.009999", ProcedureName: "Cấp giấy phép xây dựng",
		Title: "Cấp giấy phép xây dựng nhà ở riêng lẻ", Access: "open", Received: "2028-03-01", Closed: "2028-05-04", Outcome: "granted",
		Applicant: dossier.Person{Name: "Nguyễn Thị Ánh", PersonalID: "079190000123"},
	}
	var files []api.File
	for _, x := range texts {
		sum := sha256.Sum256([]byte(x.data))
		d.Documents = append(d.Documents, dossier.Document{
			Name: x.name, Subject: "Đơn đề nghị", Type: "32", Role: "submitted", Origin: "born_digital",
			MediaType: "text/plain", Size: int64(len(x.data)), SHA256: hex.EncodeToString(sum[:]),
		})
		files = append(files, api.File{Name: x.name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(x.data)), nil }})
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return b, files
}

const code = "H29.68-280301-0001"

func (s *served) push(t testing.TB, code string) *archive.Receipt {
	t.Helper()
	d, files := declare(t, code, usual)
	r, err := s.as("portal").Push(t.Context(), d, files)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPushAndGetBack(t *testing.T) {
	s := serve(t)
	first := s.push(t, code)
	again := s.push(t, code)
	if *first != *again {
		t.Error("pushed again, the receipt is another")
	}
	k, _ := keys()
	if _, err := first.Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Error(err)
	}
	var zip bytes.Buffer
	if err := s.as("lan").Copy(t.Context(), code, "giải quyết khiếu nại", &zip); err != nil || zip.Len() < 1000 {
		t.Errorf("copy of %d octets: %v", zip.Len(), err)
	}
	for _, x := range usual {
		var doc bytes.Buffer
		if err := s.as("lan").Document(t.Context(), code, x.name, "khiếu nại", &doc); err != nil || doc.String() != x.data {
			t.Errorf("%s: got %q, %v", x.name, doc.String(), err)
		}
	}
	if err := s.as("lan").Document(t.Context(), code, "khác.txt", "khiếu nại", io.Discard); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a document that is not there: %v", err)
	}
	receipt, err := s.as("lan").Receipt(t.Context(), code)
	if err != nil || *receipt != *first {
		t.Errorf("receipt: got %+v, %v", receipt, err)
	}
}

func TestSearchAndShow(t *testing.T) {
	s := serve(t)
	first := s.push(t, code)
	if err := s.archive.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, q := range []index.Query{
		{Text: "giấy phép xây dựng"}, {Text: "giay phep xay dung"}, {PersonalID: "079190000123"}, {Code: code}, {Procedure: "1.009999", Agency: "H29.68"},
		{From: time.Date(2028, 5, 4, 0, 0, 0, 0, time.UTC), To: time.Date(2028, 5, 5, 0, 0, 0, 0, time.UTC)},
	} {
		r, err := s.as("lan").Search(t.Context(), q)
		if err != nil || r.Total != 1 || r.Hits[0].Dossier != first.Dossier || r.Hits[0].Code != code || r.Hits[0].End != "2028-05-04" {
			t.Errorf("%+v: got %+v, %v", q, r, err)
		}
	}
	if r, err := s.as("stranger").Search(t.Context(), index.Query{}); err != nil || r.Total != 0 {
		t.Errorf("stranger: got %+v, %v", r, err)
	}
	rec, err := s.as("lan").Show(t.Context(), code)
	if err != nil || rec.Dossier != first.Dossier || len(rec.Acts) != 1 || rec.Acts[0].Type != "ingestion" || rec.Verdict.Status != retention.Due {
		t.Errorf("got %+v, %v", rec, err)
	}
	v, err := s.as("lan").Retention(t.Context(), code)
	if err != nil || v.Status != retention.Due || len(v.Reasons) == 0 {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestDestruction(t *testing.T) {
	s := serve(t)
	var ids []string
	codes := []string{code, "H29.68-280301-0002", "H29.68-280301-0003"}
	for _, c := range codes {
		ids = append(ids, s.push(t, c).Dossier)
	}
	ctx := t.Context()
	due, err := s.as("lan").Due(ctx, time.Time{})
	if err != nil || len(due) != 3 {
		t.Fatalf("due: got %+v, %v", due, err)
	}
	hold, err := s.as("lan").Hold(ctx, codes[1], "kiện tụng")
	if err != nil {
		t.Fatal(err)
	}
	var not *archive.NotDueError
	if _, err := s.as("lan").Propose(ctx, codes, "hết hạn"); !errors.As(err, &not) || not.Verdict.Status != retention.Held {
		t.Errorf("with a held dossier: %v", err)
	}
	if err := s.as("lan").Lift(ctx, codes[1], hold, "án đã xử"); err != nil {
		t.Fatal(err)
	}
	name, err := s.as("lan").Propose(ctx, codes, "hết hạn")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.as("son").Decide(ctx, name, true, "12/QĐ"); !errors.Is(err, archive.ErrCase) || !errors.Is(err, retention.ErrOrder) {
		t.Errorf("decided before the review: %v", err)
	}
	if err := s.as("hoa").Review(ctx, name, codes[2:], "biên bản 5"); err != nil {
		t.Fatal(err)
	}
	if err := s.as("son").Decide(ctx, name, true, "12/QĐ"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.as("lan").Preview(ctx, name); !errors.Is(err, retention.ErrFourEyes) {
		t.Errorf("one person in two parts: %v", err)
	}
	plan, err := s.as("minh").Preview(ctx, name)
	if err != nil || len(plan.Destroy) != 2 {
		t.Fatalf("got %+v, %v", plan, err)
	}
	if _, err := s.as("lan").Hold(ctx, codes[1], "kiện lại"); err != nil {
		t.Fatal(err)
	}
	certificates, err := s.as("minh").Execute(ctx, name)
	if !errors.Is(err, archive.ErrNotDue) || len(certificates) != 1 || certificates[0].Dossier != ids[0] {
		t.Fatalf("one of two is held: got %d certificates, %v", len(certificates), err)
	}
	k, _ := keys()
	if err := certificates[0].Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Error(err)
	}
	shown, err := s.as("hoa").Case(ctx, name)
	if err != nil || len(shown.Acts) != 4 || len(shown.Outcomes) != 2 {
		t.Errorf("got %+v, %v", shown, err)
	}
	if err := s.as("lan").Copy(ctx, codes[0], "xem", io.Discard); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("after the destruction: %v", err)
	}
}

func TestCheck(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	if err := s.archive.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := s.as("operator").Check(t.Context(), true, true, nil)
	if err != nil || r.Dossiers != 1 || len(r.Findings) != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := s.as("lan").Check(t.Context(), false, false, nil); !errors.Is(err, archive.ErrDenied) {
		t.Errorf("an archivist: %v", err)
	}
}

func TestPublic(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	nobody := s.as("")
	about, err := nobody.About(t.Context())
	k, _ := keys()
	if err != nil || about.Archive != "luutru.test" || about.Fingerprint != k.Archive.Fingerprint() || about.LogKey != k.LogVerifier {
		t.Errorf("got %+v, %v", about, err)
	}
	if cp, err := nobody.Checkpoint(t.Context()); err != nil || !bytes.HasPrefix(cp, []byte("luutru.test/ledger\n")) {
		t.Errorf("got %q, %v", cp, err)
	}
	if _, err := nobody.Tile(t.Context(), "tile/0/x999/000"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such tile: %v", err)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		res, err := s.server.Client().Get(s.server.URL + path)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %v, %v", path, res, err)
		}
		b, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Error(err)
		}
		if path == "/metrics" && !strings.Contains(string(b), "\nluutru_ingests_total 1\n") {
			t.Errorf("%s: %s", path, b)
		}
	}
}

// objects lists what the archive and keys buckets hold of packages.
func (s *served) objects(t testing.TB) (all []string) {
	t.Helper()
	for _, m := range []*store.Memory{s.packages, s.others} {
		for info, err := range m.List(context.WithoutCancel(t.Context()), "", nil) {
			if err != nil {
				t.Fatal(err)
			}
			if m == s.others || strings.HasPrefix(info.Key, "packages/") || strings.HasPrefix(info.Key, "dossiers/") {
				all = append(all, info.Key)
			}
		}
	}
	slices.Sort(all)
	return all
}
