package submission_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/submission"
)

func entriesOf(t testing.TB, fsys fs.FS) []entry {
	t.Helper()
	var entries []entry
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		entries = append(entries, entry{name, content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestProblems changes the files of a package, and names all that is wrong
// then: nothing more, nothing less.
func TestProblems(t *testing.T) {
	d := samples(3)[1]
	first, second := d.Files[0].Name, d.Files[1].Name
	for name, c := range map[string]struct {
		form   string
		change func(files map[string]string)
		want   string
	}{
		"plain: nothing": {"plain.zip", func(map[string]string) {}, ""},
		"plain: several at once": {"plain.zip", func(f map[string]string) {
			f[first] += "x"
			delete(f, second)
			f["more.pdf"] = "more"
			f["dossier.json"] = strings.Replace(f["dossier.json"], `"agency":`, `"unknown":1,"agency":`, 1)
		}, "document.absent document.digest_mismatch document.size_mismatch document.undeclared field.unknown"},
		"plain: digest":     {"plain.zip", func(f map[string]string) { f[first] = strings.Repeat("x", len(f[first])) }, "document.digest_mismatch"},
		"plain: no JSON":    {"plain.zip", func(f map[string]string) { f["dossier.json"] = "{" }, "declaration.syntax"},
		"plain: none":       {"plain.zip", func(f map[string]string) { delete(f, "dossier.json") }, "package.unrecognised"},
		"plain: other name": {"plain.zip", func(f map[string]string) { f["declaration.json"] = f["dossier.json"]; delete(f, "dossier.json") }, ""},
		"plain: folders": {"plain.zip", func(f map[string]string) {
			f["documents/"+first] = f[first]
			delete(f, first)
		}, ""},
		"plain: two of a name": {"plain.zip", func(f map[string]string) {
			f["a/"+first], f["b/"+first] = f[first], "x"
			delete(f, first)
		}, "document.file_ambiguous document.undeclared document.undeclared"},
		"plain: path":         {"plain.zip", func(f map[string]string) { f["../x"] = "x" }, "package.path"},
		"plain: system file":  {"plain.zip", func(f map[string]string) { f["Thumbs.db"] = "x" }, ""},
		"bag: digest":         {"bag.zip", func(f map[string]string) { f["data/"+first] = strings.Repeat("x", len(f["data/"+first])) }, "bag.digest document.digest_mismatch"},
		"bag: missing":        {"bag.zip", func(f map[string]string) { delete(f, "data/"+first) }, "bag.file_missing bag.oxum document.absent"},
		"bag: more":           {"bag.zip", func(f map[string]string) { f["data/more.pdf"] = "x" }, "bag.file_unlisted bag.oxum document.undeclared"},
		"bag: bagit.txt":      {"bag.zip", func(f map[string]string) { delete(f, "bagit.txt") }, "bag.declaration_missing bag.file_missing"},
		"bag: no declaration": {"weak bag.zip", func(f map[string]string) { delete(f, "dossier.json"); delete(f, "tagmanifest-md5.txt") }, "declaration.missing"},
		"bag: other dossier":  {"weak bag.zip", func(f map[string]string) { f["bag-info.txt"] = "External-Identifier: H01-010101-0001\n" }, "bag.identifier"},
		"bag: fetch":          {"weak bag.zip", func(f map[string]string) { f["fetch.txt"] = "https://example.vn/x 1 data/x.pdf\n" }, "bag.fetch"},
		"E-ARK: document": {"SIP.zip", func(f map[string]string) {
			f["representations/rep1/data/"+first] = strings.Repeat("x", len(f["representations/rep1/data/"+first]))
		}, "package.damaged"},
		"E-ARK: declaration": {"SIP.zip", func(f map[string]string) {
			f["documentation/declaration.json"] = strings.Replace(f["documentation/declaration.json"], `"outcome":"granted"`, `"outcome":"refused"`, 1)
		}, "package.damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, e := range entriesOf(t, unpack(t, forms()[c.form].make(t, d))) {
				_, rest, _ := strings.Cut(e.name, "/")
				files[rest] = string(e.content)
			}
			c.change(files)
			var entries []entry
			for _, name := range slices.Sorted(maps.Keys(files)) {
				entries = append(entries, entry{"x/" + name, []byte(files[name])})
			}
			s, err := open(t, zipped(t, zip.Deflate, entries), nil)
			if got := problemCodes(err); got != c.want {
				t.Errorf("%s, want %s\n%s", got, c.want, explain(err))
			}
			refused(t, s, err, c.want)
			silent(t, err, first, second, "more.pdf", d.Title, d.Code)
		})
	}
}

// refused: who is refused gives no documents, but is known where the declaration
// could be read.
func refused(t *testing.T, s *submission.Submission, err error, codes string) {
	t.Helper()
	unread := strings.Contains(codes, "declaration.syntax") || strings.Contains(codes, "declaration.missing") || strings.Contains(codes, "package.unrecognised")
	if err == nil {
		return
	}
	if unread != (s == nil) {
		t.Errorf("submission %v", s)
	}
	if s != nil {
		if _, _, again := s.Next(); again != io.EOF || s.Declaration.Code == "" {
			t.Errorf("gives documents: %v", again)
		}
	}
}

func problemCodes(err error) string {
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	var codes []string
	for _, p := range invalid.Problems {
		codes = append(codes, p.Code)
	}
	slices.Sort(codes)
	return strings.Join(codes, " ")
}

// silent: what may be logged does not hold what may be personal.
func silent(t *testing.T, err error, words ...string) {
	t.Helper()
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) {
		return
	}
	for _, p := range invalid.Problems {
		for _, w := range words {
			if strings.Contains(p.Field+p.Vietnamese+p.English+err.Error(), w) {
				t.Errorf("%s tells %q", p.Code, w)
			}
		}
	}
}

// TestContainers: what cannot be read at all.
func TestContainers(t *testing.T) {
	d := small()[0]
	locked := zipped(t, zip.Store, []entry{{"dossier.json", []byte("x")}})
	for _, at := range []int{6, bytes.Index(locked, []byte("PK\x01\x02")) + 8} {
		locked[at] |= 1 // encrypted with a password
	}
	tarEARK := tarred(t, entriesOf(t, unpack(t, forms()["SIP.zip"].make(t, d))))
	for want, packed := range map[string][]byte{
		"package.empty": nil, "package.form": []byte("text"), "package.compressed": []byte("\x1f\x8b\x08"),
		"package.zip_end": forms()["plain.zip"].make(t, d)[:500], "package.unrecognised": zipped(t, zip.Store, []entry{{"a/b", []byte("x")}}),
		"package.eark": tarEARK, "package.encrypted": locked,
	} {
		if _, err := open(t, packed, nil); problemCodes(err) != want {
			t.Errorf("%v, want %s", explain(err), want)
		}
	}
}

// TestExtra: a declaration sent along completes what the form does not have,
// and must agree with what it has.
func TestExtra(t *testing.T) {
	d := samples(3)[1]
	files := plain(d.Declaration, d)[1:]
	packed := zipped(t, zip.Deflate, under("x", files))
	s, err := open(t, packed, declared(t, d))
	if err != nil {
		t.Fatal(explain(err))
	}
	same(t, s, d)

	var out bytes.Buffer
	w, err := bagit.NewWriter(&out, bagit.Options{Form: container.TAR, Name: "bag", Time: now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range files {
		part, err := w.Create(bagit.Payload{Path: "scans/" + e.name, Size: int64(len(e.content))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = open(t, out.Bytes(), declared(t, d)); err != nil {
		t.Fatal(explain(err))
	}
	same(t, s, d)

	for form := range forms() {
		packed := forms()[form].make(t, d)
		extra := declared(t, d)
		if s, err = open(t, packed, extra); err != nil {
			t.Fatalf("%s: %s", form, explain(err))
		}
		same(t, s, d)
		extra.Title += " khác"
		extra.Applicant.Name += " khác"
		extra.Documents[1].Subject += " khác"
		extra.Keywords = append(extra.Keywords, "khác")
		extra.Documents[0].SHA256 = strings.Repeat("0", 64)
		before := canonical(t, extra)
		if _, err = open(t, packed, extra); !strings.HasPrefix(problemCodes(err), "declaration.disagrees declaration.disagrees declaration.disagrees declaration.disagrees") {
			t.Errorf("%s: %s", form, explain(err))
		}
		silent(t, err, d.Title, d.Files[1].Name)
		if canonical(t, extra) != before {
			t.Errorf("%s: the declaration sent along was changed", form)
		}
	}
	extra := declared(t, d)
	extra.Documents = append(extra.Documents, dossier.Document{Name: "more.pdf"})
	if _, err = open(t, packed, extra); !strings.Contains(problemCodes(err), "document.absent") {
		t.Error(explain(err))
	}
	half := declared(t, d)
	half.Documents = half.Documents[:1]
	half.Documents[0].MediaType = ""
	half.Language, half.Title = "en", ""
	if s, err = open(t, forms()["plain.tar"].make(t, d), half); err != nil {
		t.Error(explain(err))
	} else if s.Declaration.Language != "en" || s.Declaration.Title != d.Title {
		t.Error("not completed")
	}
}

// TestTags: bag-info.txt is compared where it says something.
func TestTags(t *testing.T) {
	d := samples(3)[1]
	decl := declared(t, d)
	for info, want := range map[string]string{
		"": "",
		"Source-Organization: " + decl.AgencyName:                              "",
		"source-organization:  " + decl.Agency:                                 "",
		"Source-Organization: Công ty phần mềm X":                              "bag.organization",
		"External-Identifier: " + strings.ToLower(d.Code):                      "",
		"External-Identifier: H29.LT.1\nInternal-Sender-Identifier: " + d.Code: "",
		"External-Identifier: x\nExternal-Identifier: " + d.Code:               "",
	} {
		entries := append(weakBag(d.Declaration, d), entry{"bag-info.txt", []byte(info)})
		s, err := open(t, zipped(t, zip.Store, under("x", entries)), nil)
		if err != nil {
			t.Errorf("%q: %s", info, explain(err))
			continue
		}
		if n := codes(s)["bag.organization"]; (n > 0) != (want != "") {
			t.Errorf("%q: %v", info, codes(s))
		}
	}
}

// TestChanged: a source that gives other octets later is found out.
func TestChanged(t *testing.T) {
	d := small()[0]
	for name, f := range forms() {
		packed := f.make(t, d)
		s, err := open(t, packed, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		for i := range len(packed) * 3 / 4 {
			packed[i] ^= 0x55
		}
		if _, _, err := content(s); !errors.Is(err, container.ErrDamaged) && err == nil {
			t.Errorf("%s: changed octets pass", name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	fsys := fstest.MapFS{}
	for _, e := range plain(d.Declaration, d) {
		fsys[e.name] = &fstest.MapFile{Data: e.content}
	}
	s, err := submission.OpenDir(t.Context(), fsys, dossier.Limits{}, nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	fsys[d.Files[0].Name] = &fstest.MapFile{Data: bytes.Repeat([]byte("x"), len(d.Files[0].Data))}
	if _, _, err := content(s); !errors.Is(err, container.ErrDamaged) {
		t.Error(err)
	}
	delete(fsys, d.Files[0].Name)
	s, err = submission.OpenDir(t.Context(), fsys, dossier.Limits{}, nil)
	if problemCodes(err) != "document.absent" || s == nil {
		t.Error(explain(err))
	}
}

// TestSourceFails: a store that is down is no fault of the sender.
func TestSourceFails(t *testing.T) {
	d := small()[0]
	down := errors.New("store is down")
	for name, f := range forms() {
		packed := f.make(t, d)
		failed := 0
		for n := 0; n < 1000; n += 1 + n/8 {
			_, err := submission.Open(t.Context(), &failing{bytes.NewReader(packed), n, down}, int64(len(packed)), dossier.Limits{}, nil)
			if err == nil {
				break
			}
			failed++
			if !errors.Is(err, down) {
				t.Errorf("%s, call %d: %v", name, n, explain(err))
				break
			}
		}
		if failed < 5 {
			t.Errorf("%s: %d calls", name, failed)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, f := range forms() {
		packed := f.make(t, d)
		if _, err := submission.Open(ctx, bytes.NewReader(packed), int64(len(packed)), dossier.Limits{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct {
	r    io.ReaderAt
	left int
	err  error
}

func (f *failing) ReadAt(p []byte, at int64) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	f.left--
	return f.r.ReadAt(p, at)
}

// TestLimits: those of the caller hold in every form.
func TestLimits(t *testing.T) {
	d := samples(3)[1]
	for name, f := range forms() {
		packed := f.make(t, d)
		_, err := submission.Open(t.Context(), bytes.NewReader(packed), int64(len(packed)), dossier.Limits{Dossier: 1000, Document: 100}, nil)
		if got := problemCodes(err); !strings.Contains(got, "document.too_large") || !strings.Contains(got, "dossier.too_large") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestFolderLinks: a folder with a link is refused, whatever it points to.
func TestFolderLinks(t *testing.T) {
	dir := t.TempDir()
	d := small()[0]
	for _, e := range plain(d.Declaration, d) {
		if err := os.WriteFile(filepath.Join(dir, e.name), e.content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	s, err := submission.OpenDir(t.Context(), root.FS(), dossier.Limits{}, nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	same(t, s, d)
	if err := os.Symlink("dossier.json", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := submission.OpenDir(t.Context(), root.FS(), dossier.Limits{}, nil); problemCodes(err) != "package.special" {
		t.Error(explain(err))
	}
}

// TestExported: a bag that an archive handed out can be pushed to another one,
// though its external identifier is the first one's, and though a document is
// called as declarations are.
func TestExported(t *testing.T) {
	d := samples(3)[1]
	decl := declared(t, d)
	d.Files[0].Name = "dossier.json"
	decl.Documents[0].Name = "dossier.json"
	declaration, err := decl.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	d.Declaration = declaration
	var out bytes.Buffer
	w, err := bagit.NewWriter(&out, bagit.Options{Form: container.ZIP, Name: "uuid-7D0D1987", Time: now(), Info: []bagit.Tag{
		{Label: "External-Identifier", Value: "H29.LT." + d.Code}, {Label: "Internal-Sender-Identifier", Value: d.Code},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Files {
		part, err := w.Create(bagit.Payload{Path: f.Name, Size: int64(len(f.Data)), SHA256: f.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"declaration.json": string(declaration), "receipt.json": "{}"} {
		if err := w.Tag(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := open(t, out.Bytes(), nil)
	if err != nil {
		t.Fatal(explain(err))
	}
	same(t, s, d)
	if found := codes(s); found["package.ignored"] != 1 {
		t.Errorf("%v", found)
	}
}
