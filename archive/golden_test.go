package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

var writeGolden = flag.Bool("write-golden", false, "write testdata/v1, which must not exist")

// testdata/v1 is a whole archive as version 1 of the formats wrote it: every object
// of the three buckets, the keys, and what was given out. It is read for ever
// and never written again: a change of the formats gets a directory of its own.
// The keys in it protect nothing.
//
//	buckets/<bucket>/<name>   the objects, under their names
//	locks.json                retention dates and legal holds of the archive bucket
//	keys/                     the keyring, and the private keys that lie offline
//	receipts/<n>.json         the receipt of each dossier
//	certificate.json          of the dossier that was destroyed, under the case in case.txt
const v1 = "testdata/v1"

// Of the golden archive: its dossiers, in the order of goldenDossiers.
const (
	goldenDue       = iota // its period is over
	goldenHeld             // retained until 2042, and held
	goldenPermanent        // its code is written the old way
	goldenDestroyed
	goldenParent // of a group, of which one is held
	goldenChild
	goldenGoneParent // of a group that was destroyed
	goldenGoneChild
)

// living are the dossiers that are not destroyed.
func living() []int { return []int{goldenDue, goldenHeld, goldenPermanent, goldenParent, goldenChild} }

// goldenDossier is a dossier's code, what its declaration has of its own, and
// its documents.
type goldenDossier struct {
	code, closed, class, group string
	documents                  files
}

func goldenDossiers() []goldenDossier {
	return []goldenDossier{
		{"H29.68-280301-0001", "2028-05-04", "", "", files{"01-don.txt": "Đơn đề nghị cấp giấy phép xây dựng", "02-giay-phep.txt": "Giấy phép xây dựng số 123/GPXD"}},
		{"H29.68-280301-0002", "2031-07-08", "", "", files{"01-don.txt": "Đơn đề nghị gia hạn giấy phép"}},
		{"000.00.68.H29-280301-0003", "2028-05-04", "HT", "", files{"giay-khai-sinh.txt": "Giấy khai sinh số 45"}},
		{"H29.68-280301-0004", "2028-05-04", "", "", files{"bi-mat.txt": "Nội dung đã bị hủy cùng khóa của nó"}},
		{"H29.68-280301-0005", "2028-05-04", "HT", "H29.68-280301-0005", files{"giay-khai-sinh.txt": "Giấy khai sinh số 46"}},
		{"H29.12-280301-0006", "2028-05-04", "", "H29.68-280301-0005", files{"the-bao-hiem.txt": "Thẻ bảo hiểm y tế"}},
		{"H29.68-280301-0007", "2028-05-04", "", "H29.68-280301-0007", files{"a.txt": "Cha của nhóm đã hủy"}},
		{"H29.12-280301-0008", "2028-05-04", "", "H29.68-280301-0007", files{"b.txt": "Con của nhóm đã hủy"}},
	}
}

func goldenReceipt(n int) string { return fmt.Sprintf("receipts/%d.json", n) }

func goldenSubmission(t testing.TB, n int) (*dossier.Declaration, archive.Content) {
	t.Helper()
	g := goldenDossiers()[n]
	d, c := submission(g.code, g.documents)
	d.Closed, d.Class, d.Group = g.closed, g.class, g.group
	return d, c
}

// goldenEnd is when the golden archive was written, and is read.
var goldenEnd = time.Date(2040, 3, 20, 9, 0, 0, 0, time.UTC)

// movable is a clock that tests set.
type movable struct{ at atomic.Int64 }

func (c *movable) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *movable) set(t time.Time) { c.at.Store(t.UnixNano()) }

// golden is the golden archive, in memory.
type golden struct {
	buckets
	memory  *store.Memory // the archive bucket
	keyring *archive.Keyring
	offline *archive.Offline
	clock   *movable
}

func newGolden() *golden {
	g := &golden{clock: &movable{}}
	g.clock.set(goldenEnd)
	g.memory = store.NewMemory(store.MemoryOptions{Versioned: true, Now: g.clock.now})
	g.buckets = buckets{g.memory, store.NewMemory(store.MemoryOptions{Now: g.clock.now}), store.NewMemory(store.MemoryOptions{Now: g.clock.now})}
	return g
}

func (g *golden) named() map[string]store.Store {
	return map[string]store.Store{"archive": g.archive, "keys": g.keys, "work": g.work}
}

func (g *golden) config(t testing.TB, node string) archive.Config {
	return archive.Config{
		Archive: g.archive, Keys: g.keys, Work: g.work, Keyring: g.keyring, Node: node, Index: newIndex(t), Now: g.clock.now, Log: slog.New(slog.DiscardHandler),
		Code: "H29.LT", Inspector: sharedFormats(t),
	}
}

func (g *golden) open(t testing.TB, node string) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), g.config(t, node))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(a.Ready(t.Context()), a.Indexed(t.Context())); err != nil {
		t.Fatal(err)
	}
	return a
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	name = filepath.Join(v1, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	return must(os.ReadFile(filepath.Join(v1, filepath.FromSlash(name))))(t)
}

// TestWriteGolden makes the golden archive. It refuses to write over one.
func TestWriteGolden(t *testing.T) {
	if !*writeGolden {
		t.Skip("-write-golden is not set")
	}
	g := newGolden()
	g.clock.set(goldenEnd.AddDate(-9, 0, 0))
	g.keyring, g.offline = must2(archive.GenerateKeyring(signing.Classic, "luutru.test", g.clock.now()))(t)
	if err := archive.Create(t.Context(), g.config(t, "a"), "luutru.test", schedule); err != nil {
		t.Fatal(err)
	}
	receipts, certificate, name := g.fill(t)
	if err := os.Mkdir(v1, 0o755); err != nil {
		t.Fatal(err) // fs.ErrExist: what was written stays
	}
	for i, r := range receipts {
		write(t, goldenReceipt(i), must(r.Encode())(t))
	}
	write(t, "certificate.json", must(certificate.Encode())(t))
	write(t, "case.txt", []byte(name+"\n"))
	g.save(t)
}

func must2[T, U any](v T, u U, err error) func(testing.TB) (T, U) {
	return func(t testing.TB) (T, U) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v, u
	}
}

// fill lets everything happen that version 1 has a form for.
func (g *golden) fill(t *testing.T) (receipts []*archive.Receipt, certificate *archive.Certificate, name string) {
	a := must(archive.Open(t.Context(), g.config(t, "a")))(t)
	ctx := t.Context()
	next := func() { g.clock.set(g.clock.now().Add(time.Hour + 1234567*time.Microsecond)) }
	g.clock.set(goldenEnd.AddDate(0, -1, 0))
	for i := range goldenDossiers() {
		next()
		d, c := goldenSubmission(t, i)
		receipts = append(receipts, must(a.Ingest(ctx, portal, d, c))(t))
	}
	code := func(i int) string { return goldenDossiers()[i].code }
	must(a.Hold(ctx, archivist, code(goldenHeld), "thanh tra"))(t)
	lifted := must(a.Hold(ctx, archivist, code(goldenHeld), "khiếu nại"))(t)
	next()
	if err := a.Lift(ctx, archivist, code(goldenHeld), lifted, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	c := must(a.Retrieve(ctx, inspector, code(goldenDue), "thanh tra"))(t)
	must(c.WriteTo(io.Discard))(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	must(a.Hold(ctx, archivist, code(goldenChild), "thanh tra"))(t)
	moved := must(a.Hold(ctx, archivist, code(goldenParent), "khiếu nại"))(t)
	if err := a.Lift(ctx, archivist, code(goldenParent), moved, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	policy := must(a.Policy(ctx))(t)
	if err := a.SetPolicy(ctx, archivist, policy); err != nil {
		t.Fatal(err)
	}
	refused, rest := submission("H29.68-280301-0009", usual)
	refused.Class = "XX"
	if _, err := a.Ingest(ctx, portal, refused, rest); err == nil {
		t.Fatal("not refused")
	}
	for _, err := range a.Reconcile(ctx, portal, lines(archive.Line{Code: code(goldenDue), Agency: "H29.68"})) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(a.Search(ctx, archivist, index.Query{Text: "giấy phép"}))(t)
	must(a.Show(ctx, archivist, code(goldenDue)))(t)
	if _, err := a.Retrieve(ctx, stranger, code(goldenDue), "tò mò"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	next()
	rejected := must(a.Propose(ctx, archivist, []string{code(goldenDue)}, "hết hạn"))(t)
	if err := errors.Join(a.Review(ctx, member, rejected, []string{code(goldenDue)}, "giữ"), a.Decide(ctx, chief, rejected, false, "11/QĐ-UBND")); err != nil {
		t.Fatal(err)
	}
	name = decided(t, a, code(goldenDestroyed))
	next()
	certificate = must(a.Execute(ctx, executor, name))(t)[0]
	if together := must(a.Execute(ctx, executor, decided(t, a, code(goldenGoneChild))))(t); len(together) != 2 {
		t.Fatalf("%d of the group were destroyed", len(together))
	}
	if err := errors.Join(a.Indexed(ctx), a.Close()); err != nil {
		t.Fatal(err)
	}
	// An attempt that a dead session of the node left behind is abandoned.
	g.clock.set(goldenEnd.Add(-48 * time.Hour))
	marker := `{"attempts":[{"dossier":"` + strings.Repeat("a", 32) + `","package":"` + strings.Repeat("b", 26) + `"}],"node":"a","renewed":"` +
		chain.Timestamp(g.clock.now()) + `","swept":"","v":1}`
	must(g.work.Put(ctx, "pending/"+strings.Repeat("c", 26), []byte(marker), nil))(t)
	a = must(archive.Open(ctx, g.config(t, "a")))(t)
	if err := errors.Join(a.Ready(ctx), a.Indexed(ctx), a.Close()); err != nil {
		t.Fatal(err)
	}
	g.clock.set(goldenEnd)
	return receipts, certificate, name
}

// keyringFile is keys/keyring.json: what of a keyring is not a key of OpenPGP.
type keyringFile struct {
	ID          string `json:"id"`
	LogSigner   string `json:"log_signer"`
	LogVerifier string `json:"log_verifier"`
	Origin      string `json:"origin"`
	Profile     string `json:"profile"`
}

// save writes buckets, locks and keys.
func (g *golden) save(t *testing.T) {
	locks := map[string]store.Lock{}
	for bucket, s := range g.named() {
		for info, err := range s.List(t.Context(), "", nil) {
			if err != nil {
				t.Fatal(err)
			}
			write(t, "buckets/"+bucket+"/"+info.Key, must(readAll(t, s, info.Key))(t))
			if bucket == "archive" {
				locks[info.Key] = must(g.memory.Locked(t.Context(), info.Key, ""))(t)
			}
		}
	}
	write(t, "locks.json", append(must(json.MarshalIndent(locks, "", "\t"))(t), '\n'))
	for name, k := range map[string]*signing.Key{"archive": g.keyring.Archive, "recovery": g.offline.Recovery, "audit": g.offline.Audit} {
		write(t, "keys/"+name+"-key.asc", must(k.Armor(nil))(t))
	}
	k := g.keyring
	write(t, "keys/keyring.json", must(jcs.Marshal(&keyringFile{hex.EncodeToString(k.ID[:]), k.LogSigner, k.LogVerifier, k.Origin, string(k.Profile)}))(t))
}

func readAll(t testing.TB, s store.Store, key string) ([]byte, error) {
	data, _, err := store.ReadAll(context.WithoutCancel(t.Context()), s, key, 1<<20)
	return data, err
}

// loadGolden reads the golden archive into memory. Whatever the tests do to it
// leaves testdata as it is.
func loadGolden(t testing.TB) *golden {
	t.Helper()
	g := newGolden()
	for bucket, s := range g.named() {
		root := filepath.Join(v1, "buckets", bucket)
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			key, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil {
				_, err = s.Put(t.Context(), filepath.ToSlash(key), data, nil)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var locks map[string]store.Lock
	if err := json.Unmarshal(readGolden(t, "locks.json"), &locks); err != nil {
		t.Fatal(err)
	}
	for key, l := range locks {
		if err := errors.Join(g.memory.Lock(t.Context(), key, "", l.Until), g.memory.Hold(t.Context(), key, "", l.Hold)); err != nil {
			t.Fatal(err)
		}
	}
	g.loadKeys(t)
	return g
}

func (g *golden) loadKeys(t testing.TB) {
	t.Helper()
	var f keyringFile
	if err := jcs.Unmarshal(readGolden(t, "keys/keyring.json"), &f); err != nil {
		t.Fatal(err)
	}
	key := func(name string) *signing.Key {
		return must(signing.ParseKey(readGolden(t, "keys/"+name+"-key.asc"), nil))(t)
	}
	g.offline = &archive.Offline{Recovery: key("recovery"), Audit: key("audit")}
	g.keyring = &archive.Keyring{
		Profile: signing.Profile(f.Profile), Archive: key("archive"), Recovery: g.offline.Recovery.Certificate(), Audit: g.offline.Audit.Certificate(),
		Origin: f.Origin, LogSigner: f.LogSigner, LogVerifier: f.LogVerifier,
	}
	copy(g.keyring.ID[:], must(hex.DecodeString(f.ID))(t))
}

// TestGolden opens the archive as two nodes would, and finds everything as it
// was.
func TestGolden(t *testing.T) {
	g := loadGolden(t)
	for _, node := range []string{"a", "z"} {
		a := g.open(t, node)
		if a.Name() != "luutru.test" || a.Schedule().Version != 1 || len(a.Schedule().Rules) != 2 {
			t.Errorf("got archive %q, schedule %+v", a.Name(), a.Schedule())
		}
		r, err := a.Check(t.Context(), archive.CheckOptions{Content: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			t.Errorf("check: %s: %s: %s", f.Object, f.Code, f.English)
		}
		if r.Dossiers != 5 || r.Destroyed != 3 || r.Packages != 5 || r.Bytes == 0 {
			t.Errorf("got %+v", r)
		}
		for n, want := range []life.State{life.Archived, life.Archived, life.Archived, life.Gone, life.Archived, life.Archived, life.Gone, life.Gone} {
			rec, err := a.Show(t.Context(), archivist, goldenDossiers()[n].code)
			if err != nil || rec.State != want || len(rec.Holds) > 0 != (n == goldenHeld || n == goldenChild) {
				t.Errorf("dossier %d: got %+v, %v", n, rec, err)
			}
		}
		due, err := a.Due(t.Context(), archivist, goldenEnd)
		if err != nil || len(due) != 1 {
			t.Errorf("due: got %+v, %v", due, err)
		}
	}
}

// TestGoldenRetrieve: documents and receipts are what they were, and the same
// dossier pushed again gets the same receipt.
func TestGoldenRetrieve(t *testing.T) {
	g := loadGolden(t)
	a := g.open(t, "b")
	for _, n := range living() {
		d := goldenDossiers()[n]
		c, err := a.Retrieve(t.Context(), inspector, d.code, "thanh tra")
		if err != nil {
			t.Errorf("dossier %d: %v", n, err)
			continue
		}
		var again content
		for _, doc := range c.Declaration.Documents {
			r, _, err := c.Document(doc.Name)
			if err != nil {
				t.Fatal(err)
			}
			got := must(io.ReadAll(r))(t)
			if want := d.documents[doc.Name]; string(got) != want {
				t.Errorf("dossier %d, %s: got %q, want %q", n, doc.Name, got, want)
			}
			again = append(again, part{doc.Name, string(got)})
		}
		if len(again) != len(d.documents) {
			t.Errorf("dossier %d has %d documents", n, len(again))
		}
		want := readGolden(t, goldenReceipt(n))
		if got := must(c.Receipt.Encode())(t); !bytes.Equal(got, want) {
			t.Errorf("dossier %d: the receipt is another", n)
		}
		pushed := must(a.Ingest(t.Context(), portal, c.Declaration, &again))(t)
		if got := must(pushed.Encode())(t); !bytes.Equal(got, want) {
			t.Errorf("dossier %d, pushed again: the receipt is another", n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestGoldenProofs verifies what was given out without the archive.
func TestGoldenProofs(t *testing.T) {
	g := loadGolden(t)
	k := g.keyring
	for n, d := range goldenDossiers() {
		raw := readGolden(t, goldenReceipt(n))
		r := must(archive.ParseReceipt(raw))(t)
		seal, err := r.Verify(k.Archive.Certificate(), k.LogVerifier)
		if err != nil || r.Code != d.code || r.Archive != "luutru.test" || seal.Documents != len(d.documents) || seal.Closed != d.closed {
			t.Errorf("receipt %d: got %+v, %v", n, seal, err)
		}
		if again := must(r.Encode())(t); !bytes.Equal(again, raw) {
			t.Errorf("receipt %d is written otherwise", n)
		}
	}
	raw := readGolden(t, "certificate.json")
	c := must(archive.ParseCertificate(raw))(t)
	if err := c.Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Errorf("certificate: %v", err)
	}
	if again := must(c.Encode())(t); !bytes.Equal(again, raw) {
		t.Error("the certificate is written otherwise")
	}
}

// TestGoldenDestroyed: what is destroyed stays so, and its certificate is the
// same whenever asked for.
func TestGoldenDestroyed(t *testing.T) {
	g := loadGolden(t)
	a := g.open(t, "b")
	d := goldenDossiers()[goldenDestroyed]
	if _, err := a.Retrieve(t.Context(), inspector, d.code, "thanh tra"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("retrieval: got %v, want ErrDestroyed", err)
	}
	if _, err := a.Hold(t.Context(), archivist, d.code, "khiếu nại"); !errors.Is(err, archive.ErrDestroyed) {
		t.Errorf("hold: got %v, want ErrDestroyed", err)
	}
	certificates, err := a.Execute(t.Context(), executor, strings.TrimSpace(string(readGolden(t, "case.txt"))))
	if err != nil || len(certificates) != 1 {
		t.Fatalf("got %d certificates, %v", len(certificates), err)
	}
	if got := must(certificates[0].Encode())(t); !bytes.Equal(got, readGolden(t, "certificate.json")) {
		t.Error("the certificate is another")
	}
}

// TestGoldenSearch: the index, of which nothing is kept, comes back from the
// packages.
func TestGoldenSearch(t *testing.T) {
	a := loadGolden(t).open(t, "b")
	for text, want := range map[string]uint64{"giấy phép": 5, "gia han": 1, "khai sinh": 2, "H29.LT.H29.12-280301-0006": 1, "bị hủy cùng khóa": 0} {
		if r, err := a.Search(t.Context(), inspector, index.Query{Text: text}); err != nil || r.Total != want {
			t.Errorf("%q: got %+v, %v; want %d hits", text, r, err, want)
		}
	}
}

// TestGoldenRecovery opens every package with the recovery key alone: key
// packets and data object, one after the other, are an OpenPGP message with a
// ZIP in it.
func TestGoldenRecovery(t *testing.T) {
	g := loadGolden(t)
	var found, want []string
	for info, err := range g.keys.List(t.Context(), "", nil) {
		if err != nil {
			t.Fatal(err)
		}
		attempt, _, _ := strings.Cut(info.Key, ".")
		message := append(must(readAll(t, g.keys, info.Key))(t), must(readAll(t, g.archive, "packages/"+attempt))(t)...)
		plain, err := g.offline.Recovery.Decrypt(message)
		if err != nil {
			t.Errorf("%s: %v", info.Key, err)
			continue
		}
		for _, f := range must(zip.NewReader(bytes.NewReader(plain), int64(len(plain))))(t).File {
			if _, name, ok := strings.Cut(f.Name, "/representations/rep1/data/"); ok {
				found = append(found, name+": "+string(must(io.ReadAll(must(f.Open())(t)))(t)))
			}
		}
	}
	for _, n := range living() {
		for name, data := range goldenDossiers()[n].documents {
			want = append(want, name+": "+data)
		}
	}
	slices.Sort(found)
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("got %q, want %q", found, want)
	}
}

// TestGoldenAudit: the audit key opens what is personal, in the ledger and in the
// acts.
func TestGoldenAudit(t *testing.T) {
	g := loadGolden(t)
	a := g.open(t, "b")
	told := map[string]int{}
	for e, err := range a.Ledger().Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		private, err := a.Ledger().Disclose(t.Context(), e.Index, g.offline.Audit.Decrypt)
		if err != nil || len(private) != len(e.Commitments) {
			t.Errorf("entry %d: got %v, %v", e.Index, private, err)
		}
		if who := private["actor"]; who != "" {
			told[e.Type+" "+who]++
		}
	}
	for _, want := range []string{"dissemination " + inspector.Subject, "refused " + stranger.Subject, "searched " + archivist.Subject, "viewed " + archivist.Subject} {
		if told[want] == 0 {
			t.Errorf("nothing of %q in %v", want, told)
		}
	}
	acts, _, err := a.Case(t.Context(), archivist, strings.TrimSpace(string(readGolden(t, "case.txt"))))
	if err != nil || len(acts) != 4 {
		t.Fatalf("got %d acts, %v", len(acts), err)
	}
	for i, by := range []archive.Agent{archivist, member, chief, executor} {
		sealed := must(base64.StdEncoding.DecodeString(acts[i].Sealed))(t)
		if plain, err := g.offline.Audit.Decrypt(sealed); err != nil || !bytes.Contains(plain, []byte(`"actor":"`+by.Subject+`"`)) {
			t.Errorf("step %d: got %q, %v", i+1, plain, err)
		}
	}
}

// TestGoldenForms: the archive has an object of every kind, so that none of
// their forms can change unnoticed.
func TestGoldenForms(t *testing.T) {
	g := loadGolden(t)
	var names, types []string
	for bucket, s := range g.named() {
		for info, err := range s.List(t.Context(), "", nil) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, bucket+" "+info.Key)
		}
	}
	for e, err := range g.open(t, "b").Ledger().Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, e.Type)
	}
	for _, prefix := range []string{
		"archive about", "archive packages/", "archive dossiers/", "archive cases/", "archive groups/", "archive policies/intake/0001", "archive schedules/retention/0001", "archive ledger/seq/", "archive ledger/disclosures/",
		"keys ", "work ledger/checkpoint", "work ledger/tile/", "work clock/",
	} {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) }) {
			t.Errorf("no object %q", prefix)
		}
	}
	for _, want := range []string{
		life.Ingestion, life.AttemptAbandoned, life.Hold, life.HoldLifted, life.DestructionBegun, life.KeysCondemned, life.Destroyed,
		life.Proposed, life.Reviewed, life.Decided, life.Executed, "schedule", "policy", life.MemberLinked, "rejected", "reconciled", "dissemination", "delivered", "refused", "viewed", "searched",
	} {
		if !slices.Contains(types, want) {
			t.Errorf("no entry %q", want)
		}
	}
}

// TestGoldenIsNotOverwritten: old bytes are never replaced by new ones.
func TestGoldenIsNotOverwritten(t *testing.T) {
	if err := os.Mkdir(v1, 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
}
