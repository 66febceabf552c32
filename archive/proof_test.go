package archive_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store/storetest"
)

// strangers are the keys of another archive of the same name.
var strangers = sync.OnceValues(func() (*archive.Keyring, error) {
	k, _, err := archive.GenerateKeyring(signing.Classic, "luutru.test", now.AddDate(-10, 0, 0))
	return k, err
})

// testimony is what an archive gives out, and the keys to verify it.
type testimony struct {
	receipts     []*archive.Receipt
	certificates []*archive.Certificate
	certificate  *signing.Certificate
	log          string
	otherKey     *signing.Certificate
	otherLog     string
}

// testify takes in three dossiers and destroys two of them under one case.
func testify(t testing.TB) *testimony {
	t.Helper()
	a := newWorld(t).open(t)
	k, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	other, err := strangers()
	if err != nil {
		t.Fatal(err)
	}
	y := &testimony{
		certificate: k.Archive.Certificate(), log: k.LogVerifier, otherKey: other.Archive.Certificate(), otherLog: other.LogVerifier,
	}
	for n := range 3 {
		y.receipts = append(y.receipts, ingest(t, a, code(n)))
	}
	if y.certificates, err = a.Execute(t.Context(), executor, decided(t, a, code(0), code(1))); err != nil {
		t.Fatal(err)
	}
	return y
}

// receipt parses and verifies as whoever gets a file would.
func (y *testimony) receipt(raw []byte) error {
	r, err := archive.ParseReceipt(raw)
	if err == nil {
		_, err = r.Verify(y.certificate, y.log)
	}
	return err
}

func (y *testimony) destruction(raw []byte) error {
	c, err := archive.ParseCertificate(raw)
	if err == nil {
		err = c.Verify(y.certificate, y.log)
	}
	return err
}

// encode is for what encodes for sure.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b.Bytes(), &tree); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := e.Encode(tree); err != nil { // names sorted
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// flips are s with one octet changed, at so many places, but not where that
// changes nothing: the last bits of what base64 filled up.
func flips(s string, places int) []string {
	var all []string
	for i := 0; i < len(s); i += max(1, len(s)/places) {
		if i == strings.LastIndexByte(s, '=')-1 {
			continue
		}
		b := []byte(s)
		b[i] ^= 1
		all = append(all, string(b))
	}
	return all
}

func TestReceipt(t *testing.T) {
	y := testify(t)
	for _, r := range y.receipts { // also of what was destroyed since
		raw, err := r.Encode()
		if err != nil || !bytes.Equal(raw, encode(t, r)) {
			t.Errorf("encoded otherwise: %v", err)
		}
		if err := y.receipt(raw); err != nil {
			t.Error(err)
		}
		parsed, err := archive.ParseReceipt(raw)
		if err != nil || *parsed != *r {
			t.Errorf("parsed otherwise: %v", err)
		}
		seal, err := r.Verify(y.certificate, y.log)
		if err != nil || seal.Class != "GP" || seal.Documents != 2 || seal.Agency != "H29.68" {
			t.Errorf("got seal %+v, %v", seal, err)
		}
	}
}

// TestReceiptRefused alters every field in every way: with another's, at single
// octets, and against other keys.
func TestReceiptRefused(t *testing.T) {
	y := testify(t)
	good, other := *y.receipts[0], *y.receipts[1]
	bad := map[string]archive.Receipt{}
	with := func(name string, change func(r *archive.Receipt)) {
		r := good
		change(&r)
		bad[name] = r
	}
	with("v", func(r *archive.Receipt) { r.V = 2 })
	with("no v", func(r *archive.Receipt) { r.V = 0 })
	with("another's dossier", func(r *archive.Receipt) { r.Dossier = other.Dossier })
	with("another's seal", func(r *archive.Receipt) { r.Seal = other.Seal })
	with("another's entry", func(r *archive.Receipt) { r.Entry = other.Entry })
	with("another's proof", func(r *archive.Receipt) { r.Proof = other.Proof })
	with("another's entry and proof", func(r *archive.Receipt) { r.Entry, r.Proof = other.Entry, other.Proof })
	with("another's seal and dossier", func(r *archive.Receipt) { r.Seal, r.Dossier = other.Seal, other.Dossier })
	with("another act", func(r *archive.Receipt) { r.Seal = y.certificates[0].Acts[0] })
	with("a destruction", func(r *archive.Receipt) {
		c := y.certificates[0]
		r.Seal, r.Entry, r.Proof = c.Acts[2], c.Entry, c.Proof
	})
	for name, field := range map[string]func(r *archive.Receipt) *string{
		"dossier": func(r *archive.Receipt) *string { return &r.Dossier }, "seal": func(r *archive.Receipt) *string { return &r.Seal },
		"entry": func(r *archive.Receipt) *string { return &r.Entry }, "proof": func(r *archive.Receipt) *string { return &r.Proof },
	} {
		with("no "+name, func(r *archive.Receipt) { *field(r) = "" })
		with(name+" longer", func(r *archive.Receipt) { *field(r) += "\n" })
		for i, s := range flips(*field(&good), 300) {
			with(fmt.Sprintf("%s flipped %d", name, i), func(r *archive.Receipt) { *field(r) = s })
		}
	}
	for name, r := range bad {
		if err := y.receipt(encode(t, &r)); !errors.Is(err, archive.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
	for name, keys := range map[string]struct {
		key *signing.Certificate
		log string
	}{"other archive": {y.otherKey, y.log}, "other log": {y.certificate, y.otherLog}, "no log": {y.certificate, ""}, "other both": {y.otherKey, y.otherLog}} {
		if _, err := good.Verify(keys.key, keys.log); !errors.Is(err, archive.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
}

// TestParseProofs: other forms of the same JSON are none.
func TestParseProofs(t *testing.T) {
	y := testify(t)
	receipt, certificate := encode(t, y.receipts[0]), encode(t, y.certificates[0])
	if y.receipt(receipt) != nil || y.destruction(certificate) != nil {
		t.Fatal("the good ones are refused")
	}
	for name, change := range map[string]func(b []byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"null":            func([]byte) []byte { return []byte("null") },
		"cut":             func(b []byte) []byte { return b[:len(b)-1] },
		"indented":        func(b []byte) []byte { return bytes.Replace(b, []byte(`,"`), []byte(`, "`), 1) },
		"a field more":    func(b []byte) []byte { return append([]byte(`{"a":1,`), b[1:]...) },
		"a field twice":   func(b []byte) []byte { return bytes.Replace(b, []byte(`"v":1`), []byte(`"v":1,"v":1`), 1) },
		"another case":    func(b []byte) []byte { return bytes.Replace(b, []byte(`"proof":`), []byte(`"Proof":`), 1) },
		"something after": func(b []byte) []byte { return append(bytes.Clone(b), '{') },
		"no version":      func(b []byte) []byte { return bytes.Replace(b, []byte(`,"v":1`), nil, 1) },
	} {
		if err := y.receipt(change(bytes.Clone(receipt))); !errors.Is(err, archive.ErrProof) {
			t.Errorf("receipt, %s: got %v, want ErrProof", name, err)
		}
		if err := y.destruction(change(bytes.Clone(certificate))); !errors.Is(err, archive.ErrProof) {
			t.Errorf("certificate, %s: got %v, want ErrProof", name, err)
		}
	}
	if y.receipt(certificate) == nil || y.destruction(receipt) == nil {
		t.Error("one is taken for the other")
	}
}

// copyOf is c with lists of its own.
func copyOf(c *archive.Certificate) *archive.Certificate {
	d := *c
	d.Acts, d.Case = slices.Clone(c.Acts), slices.Clone(c.Case)
	return &d
}

func TestCertificate(t *testing.T) {
	y := testify(t)
	for _, c := range y.certificates {
		raw, err := c.Encode()
		if err != nil || !bytes.Equal(raw, encode(t, c)) {
			t.Errorf("encoded otherwise: %v", err)
		}
		if err := y.destruction(raw); err != nil {
			t.Error(err)
		}
		if len(c.Acts) != 3 || len(c.Case) != 3 || c.Archive != "luutru.test" {
			t.Errorf("%d acts, %d steps", len(c.Acts), len(c.Case))
		}
	}
}

func TestCertificateRefused(t *testing.T) {
	y := testify(t)
	good, other := y.certificates[0], y.certificates[1]
	bad := map[string]*archive.Certificate{}
	with := func(name string, change func(c *archive.Certificate)) {
		c := copyOf(good)
		change(c)
		bad[name] = c
	}
	with("v", func(c *archive.Certificate) { c.V = 2 })
	with("another's dossier", func(c *archive.Certificate) { c.Dossier = other.Dossier })
	with("another's entry", func(c *archive.Certificate) { c.Entry = other.Entry })
	with("another's proof", func(c *archive.Certificate) { c.Proof = other.Proof })
	with("another's entry and proof", func(c *archive.Certificate) { c.Entry, c.Proof = other.Entry, other.Proof })
	with("another's acts", func(c *archive.Certificate) { c.Acts = other.Acts })
	with("the seal's entry", func(c *archive.Certificate) { c.Entry, c.Proof = y.receipts[0].Entry, y.receipts[0].Proof })
	with("a seal before", func(c *archive.Certificate) { c.Acts = slices.Insert(c.Acts, 0, y.receipts[0].Seal) })
	for list, of := range map[string]func(c *archive.Certificate) *[]string{
		"act": func(c *archive.Certificate) *[]string { return &c.Acts }, "step": func(c *archive.Certificate) *[]string { return &c.Case },
	} {
		n := len(*of(good))
		with("no "+list, func(c *archive.Certificate) { *of(c) = []string{} })
		for i := range n {
			with(fmt.Sprintf("%s %d missing", list, i), func(c *archive.Certificate) { *of(c) = slices.Delete(*of(c), i, i+1) })
			with(fmt.Sprintf("%s %d empty", list, i), func(c *archive.Certificate) { (*of(c))[i] = "" })
			with(fmt.Sprintf("%s %d is the seal", list, i), func(c *archive.Certificate) { (*of(c))[i] = y.receipts[0].Seal })
			if list == "step" || i > 0 { // a destruction may have been begun before
				with(fmt.Sprintf("%s %d twice", list, i), func(c *archive.Certificate) { *of(c) = slices.Insert(*of(c), i, (*of(c))[i]) })
			}
			if list == "act" {
				with(fmt.Sprintf("act %d is another's", i), func(c *archive.Certificate) { c.Acts[i] = other.Acts[i] })
			}
			for j := range i {
				with(fmt.Sprintf("%ss %d and %d swapped", list, i, j), func(c *archive.Certificate) { l := *of(c); l[i], l[j] = l[j], l[i] })
			}
			for k, s := range flips((*of(good))[i], 40) {
				with(fmt.Sprintf("%s %d flipped %d", list, i, k), func(c *archive.Certificate) { (*of(c))[i] = s })
			}
		}
	}
	for i, s := range flips(good.Entry, 100) {
		with(fmt.Sprintf("entry flipped %d", i), func(c *archive.Certificate) { c.Entry = s })
	}
	for i, s := range flips(good.Proof, 100) {
		with(fmt.Sprintf("proof flipped %d", i), func(c *archive.Certificate) { c.Proof = s })
	}
	for name, c := range bad {
		if err := y.destruction(encode(t, c)); !errors.Is(err, archive.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
	for name, err := range map[string]error{
		"other archive": good.Verify(y.otherKey, y.log), "other log": good.Verify(y.certificate, y.otherLog), "no log": good.Verify(y.certificate, ""),
	} {
		if !errors.Is(err, archive.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
}

// TestCertificateOfAWholeCase: of a case with two reviews none may be left out.
func TestCertificateOfAWholeCase(t *testing.T) {
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	name, err := a.Propose(t.Context(), archivist, []string{code(1)}, "hết hạn")
	if err != nil {
		t.Fatal(err)
	}
	second := archive.Agent{Subject: "binh", Roles: member.Roles, Agencies: member.Agencies}
	if err := errors.Join(a.Review(t.Context(), member, name, nil, "x"), a.Review(t.Context(), second, name, nil, "x"), a.Decide(t.Context(), chief, name, true, "1")); err != nil {
		t.Fatal(err)
	}
	certificates, err := a.Execute(t.Context(), executor, name)
	if err != nil || len(certificates) != 1 || len(certificates[0].Case) != 4 {
		t.Fatalf("got %+v, %v", certificates, err)
	}
	k, _ := keys()
	if err := certificates[0].Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Error(err)
	}
	for i := range 4 {
		c := copyOf(certificates[0])
		c.Case = slices.Delete(c.Case, i, i+1)
		if err := c.Verify(k.Archive.Certificate(), k.LogVerifier); !errors.Is(err, archive.ErrProof) {
			t.Errorf("step %d left out: got %v, want ErrProof", i+1, err)
		}
	}
}

// TestCertificateOfTheSecondTry is of a dossier whose destruction was begun under
// one case, stopped by a hold at the last moment, and done under another.
func TestCertificateOfTheSecondTry(t *testing.T) {
	w := newWorld(t)
	a := w.open(t)
	id := ingest(t, a, code(1)).Dossier
	first := decided(t, a, code(1))
	slow, hold := w.other(t, "b"), ""
	slow.archive = storetest.Faulty{Store: w.archive, OnCall: func(op, key string) (bool, error) {
		if op == "put" && key == "dossiers/"+id+"/0003" && hold == "" {
			var err error
			if hold, err = a.Hold(t.Context(), archivist, code(1), "khiếu nại"); err != nil {
				t.Error(err)
			}
		}
		return true, nil
	}}
	if _, err := slow.open(t).Execute(t.Context(), executor, first); !errors.Is(err, custody.ErrStopped) || hold == "" {
		t.Fatalf("got %v, want ErrStopped", err)
	}
	if err := a.Lift(t.Context(), archivist, code(1), hold, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	certificates, err := a.Execute(t.Context(), executor, decided(t, a, code(1)))
	if err != nil || len(certificates) != 1 {
		t.Fatalf("got %d certificates, %v", len(certificates), err)
	}
	k, _ := keys()
	good := certificates[0]
	if err := good.Verify(k.Archive.Certificate(), k.LogVerifier); err != nil {
		t.Errorf("%d acts: %v", len(good.Acts), err)
	}
	acts, _, err := a.Case(t.Context(), archivist, first)
	if err != nil {
		t.Fatal(err)
	}
	stopped := copyOf(good)
	stopped.Case = nil
	for _, act := range acts[:3] {
		stopped.Case = append(stopped.Case, string(act.Raw()))
	}
	if err := stopped.Verify(k.Archive.Certificate(), k.LogVerifier); !errors.Is(err, archive.ErrProof) {
		t.Errorf("with the case that was stopped: got %v, want ErrProof", err)
	}
	if len(good.Acts) != 4 {
		t.Fatalf("got %d acts, want two beginnings among four", len(good.Acts))
	}
	for name, c := range map[string]*archive.Certificate{"case": stopped, "first beginning": good} {
		c = copyOf(c)
		c.Acts = slices.Delete(c.Acts, 1, 2)
		if err := c.Verify(k.Archive.Certificate(), k.LogVerifier); !errors.Is(err, archive.ErrProof) {
			t.Errorf("with the %s that was stopped: got %v, want ErrProof", name, err)
		}
	}
}

// disseminated unpacks a copy of a dossier and returns its folder.
func disseminated(t *testing.T, a *archive.Archive, ref string) (dir string) {
	t.Helper()
	c, err := a.Retrieve(t.Context(), inspector, ref, "thanh tra")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	if err := errors.Join(err, c.Close()); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d octets, %v", n, err)
	}
	dir = t.TempDir()
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, r); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDIP: the copy proves itself to somebody who has nothing but the archive's
// certificate and the ledger's key.
func TestDIP(t *testing.T) {
	a := newWorld(t).open(t)
	receipt := ingest(t, a, code(1))
	k, _ := keys()
	dir := disseminated(t, a, code(1))
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tops, err := fs.Glob(os.DirFS(dir), "urn_*")
	if err != nil || len(tops) != 1 {
		t.Fatalf("top folders %q, %v", tops, err)
	}
	top := tops[0]

	mets := read(path.Join(top, "METS.xml"))
	if err := k.Archive.Certificate().Verify(mets, read(path.Join(top, "METS.xml.asc"))); err != nil {
		t.Errorf("METS.xml: %v", err)
	}
	parsed, err := archive.ParseReceipt(read("proof/receipt.json"))
	if err != nil || *parsed != *receipt {
		t.Fatalf("the receipt is another: %v", err)
	}
	seal, err := parsed.Verify(k.Archive.Certificate(), k.LogVerifier)
	if sum := sha256.Sum256(mets); err != nil || seal.METS != hex.EncodeToString(sum[:]) {
		t.Errorf("the seal is not of this METS.xml: %v", err)
	}
	for name, want := range usual {
		if got := read(path.Join(top, "representations/rep1/data", name)); string(got) != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	certificate, err := signing.ParseCertificate(read("proof/archive.asc"))
	if err != nil || certificate.Fingerprint() != k.Archive.Fingerprint() {
		t.Errorf("archive.asc: %v", err)
	}
	if got := strings.TrimSpace(string(read("proof/log.vkey"))); got != k.LogVerifier {
		t.Errorf("log.vkey: got %q", got)
	}
	entry := read("proof/dissemination.json")
	e, err := audit.ParseEntry(entry)
	if err != nil || e.Type != "dissemination" || e.Chain != "dossiers/"+receipt.Dossier || e.Details["package"] != seal.Package || e.Details["mets"] != seal.METS {
		t.Errorf("dissemination: got %+v, %v", e, err)
	}
	if _, err := audit.VerifyProof(k.LogVerifier, entry, read("proof/dissemination.proof")); err != nil {
		t.Errorf("dissemination: %v", err)
	}
	if bytes.Contains(entry, []byte(inspector.Subject)) || bytes.Contains(entry, []byte("thanh tra")) {
		t.Error("the entry names who and why")
	}
	if !bytes.Contains(read("proof/README.txt"), []byte("sha256sum -c")) {
		t.Error("README.txt does not say how to verify")
	}
}

// TestDIPByHand follows the README of the copy.
func TestDIPByHand(t *testing.T) {
	for _, tool := range []string{"sh", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	a := newWorld(t).open(t)
	ingest(t, a, code(1))
	dir := disseminated(t, a, code(1))
	check := func() error {
		c := exec.CommandContext(t.Context(), "sh", "-c", "cd urn_* && sha256sum --strict -c documentation/sha256sums.txt")
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err == nil && bytes.Count(out, []byte(": OK\n")) < len(usual)+3 {
			return fmt.Errorf("only: %s", out)
		}
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "urn_*/representations/rep1/data/*"))
	if err != nil || len(names) != len(usual) {
		t.Fatalf("got %q, %v", names, err)
	}
	if err := os.WriteFile(names[0], []byte("khác"), 0o600); err != nil {
		t.Fatal(err)
	}
	if check() == nil {
		t.Error("an altered document is not noticed")
	}
}

// TestCopyCutShort: what was not verified to its end is no ZIP.
func TestCopyCutShort(t *testing.T) {
	w := newWorld(t)
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ingest(t, a, code(1))
	for _, o := range w.objects(t) {
		if !strings.HasPrefix(o, "archive packages/") {
			continue
		}
		s, key := w.bucket(o)
		data := w.read(t, o)
		data[300] ^= 1 // within the first document
		if _, err := s.Put(t.Context(), key, data, nil); err != nil {
			t.Fatal(err)
		}
	}
	c, err := a.Retrieve(t.Context(), inspector, code(1), "thanh tra")
	if err != nil {
		if !errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
		return // one chunk holds it all
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
		t.Error("opens as a ZIP")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzReceipt: nothing panics, and what verifies says what the archive said.
func FuzzReceipt(f *testing.F) {
	y := testify(f)
	var seals []string
	for _, r := range y.receipts {
		seals = append(seals, r.Seal)
		raw := encode(f, r)
		f.Add(raw)
		for _, s := range flips(string(raw), 8) {
			f.Add([]byte(s))
		}
	}
	f.Add(encode(f, y.certificates[0]))
	f.Add([]byte(`{"archive":"","code":"","dossier":"","entry":"","proof":"","seal":"","v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := archive.ParseReceipt(data)
		if err != nil {
			return
		}
		if seal, err := r.Verify(y.certificate, y.log); err == nil && (seal == nil || !slices.Contains(seals, r.Seal)) {
			t.Errorf("verifies, and was never given out: %q", data)
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("encodes otherwise: %q, %v", again, err)
		}
	})
}

// FuzzCertificate is the same for certificates of destruction.
func FuzzCertificate(f *testing.F) {
	y := testify(f)
	var acts []string
	for _, c := range y.certificates {
		acts = append(acts, c.Acts...)
		raw := encode(f, c)
		f.Add(raw)
		for _, s := range flips(string(raw), 8) {
			f.Add([]byte(s))
		}
		c = copyOf(c)
		c.Acts = append(c.Acts, c.Acts...)
		f.Add(encode(f, c))
		c.Acts, c.Case = nil, nil
		f.Add(encode(f, c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := archive.ParseCertificate(data)
		if err != nil || c.Verify(y.certificate, y.log) != nil {
			return
		}
		for _, act := range c.Acts {
			if !slices.Contains(acts, act) {
				t.Errorf("verifies, and was never given out: %q", data)
			}
		}
	})
}
