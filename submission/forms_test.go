package submission_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
	"github.com/luutru/luutru/submission"
)

func now() time.Time { return time.Date(2026, 11, 24, 10, 22, 30, 0, time.UTC) }

// samples returns dossiers of several kinds.
func samples(n int) []sample.Dossier { return slices.Collect(sample.Make(7, n, sample.Options{})) }

func declared(t testing.TB, d sample.Dossier) *dossier.Declaration {
	t.Helper()
	decl, err := dossier.ParseDeclaration(bytes.NewReader(d.Declaration), dossier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return decl
}

// entry is one file of a package.
type entry struct {
	name    string
	content []byte
}

// plain lays a dossier out with dossier.json beside its documents.
func plain(declaration []byte, d sample.Dossier) []entry {
	entries := []entry{{"dossier.json", declaration}}
	for _, f := range d.Files {
		entries = append(entries, entry{f.Name, f.Data})
	}
	return entries
}

// weakBag lays it out as a bag of an older system: 0.97, MD5, the declaration
// beside the payload.
func weakBag(declaration []byte, d sample.Dossier) []entry {
	entries := []entry{{"bagit.txt", []byte("BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")}, {"dossier.json", declaration}}
	var manifest bytes.Buffer
	for _, f := range d.Files {
		sum := md5.Sum(f.Data)
		fmt.Fprintf(&manifest, "%s  data/%s\n", hex.EncodeToString(sum[:]), f.Name)
		entries = append(entries, entry{"data/" + f.Name, f.Data})
	}
	sum := md5.Sum(declaration)
	return append(entries, entry{"manifest-md5.txt", manifest.Bytes()}, entry{"tagmanifest-md5.txt", fmt.Appendf(nil, "%x  dossier.json\n", sum)})
}

func under(top string, entries []entry) []entry {
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].name = top + "/" + entries[i].name
	}
	return entries
}

func zipped(t testing.TB, method uint16, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarred(t testing.TB, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: int64(len(e.content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func bag(t testing.TB, form string, declaration []byte, d sample.Dossier) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := bagit.NewWriter(&out, bagit.Options{Form: form, Name: "bag", Time: now(), Info: []bagit.Tag{{Label: "External-Identifier", Value: d.Code}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range plain(declaration, d) {
		part, err := w.Create(bagit.Payload{Path: e.name, Size: int64(len(e.content))})
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
	return out.Bytes()
}

func eark(t testing.TB, kind dossier.Kind, decl *dossier.Declaration, d sample.Dossier) []byte {
	t.Helper()
	meta := dossier.PackageMeta{Kind: kind, UUID: "7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F", Archive: "Lưu trữ thử nghiệm", Retention: "07", Created: now()}
	if kind == dossier.AIP {
		meta.Sign = func([]byte) ([]byte, error) {
			return []byte("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"), nil
		}
	}
	plan, err := dossier.NewPlan(decl, meta)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := plan.Writer(&out)
	for _, f := range d.Files {
		part, err := w.Document(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	var events []dossier.Event
	if kind != dossier.SIP {
		events = []dossier.Event{{Type: "ingestion", Time: now(), Outcome: "success"}}
	}
	if _, err := w.Close(events); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// form is one way to push a dossier.
type form struct {
	want  string
	guard bool // the declaration is protected by digests too
	make  func(testing.TB, sample.Dossier) []byte
}

func forms() map[string]form {
	deflated := func(f func([]byte, sample.Dossier) []entry) func(testing.TB, sample.Dossier) []byte {
		return func(t testing.TB, d sample.Dossier) []byte {
			return zipped(t, zip.Deflate, under("hồ sơ", f(d.Declaration, d)))
		}
	}
	return map[string]form{
		"plain.zip": {submission.Plain, true, deflated(plain)},
		"plain.tar": {submission.Plain, false, func(t testing.TB, d sample.Dossier) []byte { return tarred(t, plain(d.Declaration, d)) }},
		"bag.zip": {submission.BagIt, true, func(t testing.TB, d sample.Dossier) []byte {
			return bag(t, container.ZIP, d.Declaration, d)
		}},
		"bag.tar": {submission.BagIt, true, func(t testing.TB, d sample.Dossier) []byte {
			return bag(t, container.TAR, d.Declaration, d)
		}},
		"weak bag.zip": {submission.BagIt, true, deflated(weakBag)},
		"SIP.zip": {submission.EARK, true, func(t testing.TB, d sample.Dossier) []byte {
			return eark(t, dossier.SIP, declared(t, d), d)
		}},
		"AIP.zip": {submission.EARK, true, func(t testing.TB, d sample.Dossier) []byte {
			return eark(t, dossier.AIP, declared(t, d), d)
		}},
	}
}

func open(t testing.TB, packed []byte, extra *dossier.Declaration) (*submission.Submission, error) {
	t.Helper()
	return submission.Open(t.Context(), bytes.NewReader(packed), int64(len(packed)), dossier.Limits{}, extra)
}

// unpack returns a folder with what is in a ZIP.
func unpack(t testing.TB, packed []byte) fs.FS {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		fsys[f.Name] = &fstest.MapFile{Data: content, Mode: 0o644}
	}
	return fsys
}

func canonical(t testing.TB, d *dossier.Declaration) string {
	t.Helper()
	b, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// content reads all documents.
func content(s *submission.Submission) (map[string][]byte, []string, error) {
	read := map[string][]byte{}
	var order []string
	for {
		name, r, err := s.Next()
		if err == io.EOF {
			return read, order, nil
		}
		if err != nil {
			return nil, nil, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, nil, err
		}
		read[name], order = b, append(order, name)
	}
}

// same holds a submission to the dossier that it was made of.
func same(t *testing.T, s *submission.Submission, d sample.Dossier) {
	t.Helper()
	if got, want := canonical(t, s.Declaration), canonical(t, declared(t, d)); got != want {
		t.Errorf("declaration\n%s\nwant\n%s", got, want)
	}
	read, order, err := content(s)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range d.Files {
		if order[i] != f.Name || !bytes.Equal(read[f.Name], f.Data) {
			t.Errorf("document %d differs", i)
		}
	}
	if len(order) != len(d.Files) {
		t.Errorf("%d documents", len(order))
	}
	if _, _, err := s.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}

func codes(s *submission.Submission) map[string]int {
	found := map[string]int{}
	for _, f := range s.Findings() {
		found[f.Code]++
	}
	return found
}

// TestForms: every form gives back the dossier, packed and unpacked.
func TestForms(t *testing.T) {
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			for _, d := range samples(12) {
				packed := f.make(t, d)
				s, err := open(t, packed, nil)
				if err != nil {
					t.Fatalf("%s: %v", d.Code, explain(err))
				}
				if s.Form != f.want {
					t.Errorf("form %s", s.Form)
				}
				same(t, s, d)
				if n := codes(s)["fixity.matched"]; n != len(d.Files) {
					t.Errorf("%d documents matched, findings %v", n, codes(s))
				}
				if !strings.HasSuffix(name, ".zip") {
					continue
				}
				s, err = submission.OpenDir(t.Context(), unpack(t, packed), dossier.Limits{}, nil)
				if err != nil {
					t.Fatalf("%s, folder: %v", d.Code, explain(err))
				}
				same(t, s, d)
			}
		})
	}
}

// TestFindings: what passes, and what a policy may warn of.
func TestFindings(t *testing.T) {
	d := samples(1)[0]
	for name, want := range map[string]string{
		"plain.zip": "fixity.matched", "bag.zip": "bag.valid fixity.matched", "bag.tar": "bag.valid fixity.matched",
		"weak bag.zip": "bag.valid bag.weak_digest fixity.matched", "SIP.zip": "csip.valid fixity.matched", "AIP.zip": "csip.valid fixity.matched",
	} {
		s, err := open(t, forms()[name].make(t, d), nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		if got := strings.Join(slices.Sorted(maps.Keys(codes(s))), " "); got != want {
			t.Errorf("%s: %v", name, codes(s))
		}
		for _, f := range s.Findings() {
			if f.Check == "" || f.Outcome == "" || f.Agent == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// stripped returns the declaration without what the files can tell.
func stripped(t testing.TB, d sample.Dossier) []byte {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(d.Declaration, &tree); err != nil {
		t.Fatal(err)
	}
	for _, doc := range tree["documents"].([]any) {
		delete(doc.(map[string]any), "size")
		delete(doc.(map[string]any), "sha256")
	}
	b, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCompleted: sizes and digests come from the manifest or the files.
func TestCompleted(t *testing.T) {
	for _, d := range samples(4) {
		bare := stripped(t, d)
		for name, c := range map[string]struct {
			packed []byte
			want   string
		}{
			"plain.zip": {zipped(t, zip.Deflate, plain(bare, d)), "fixity.undeclared"},
			"plain.tar": {tarred(t, under("x", plain(bare, d))), "fixity.undeclared"},
			"bag.zip":   {bag(t, container.ZIP, bare, d), "fixity.matched"},
			"weak.tar":  {tarred(t, under("x", weakBag(bare, d))), "fixity.undeclared"},
		} {
			s, err := open(t, c.packed, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, explain(err))
			}
			if codes(s)[c.want] != len(d.Files) {
				t.Errorf("%s: %v", name, codes(s))
			}
			same(t, s, d)
		}
	}
}

func explain(err error) string {
	invalid, ok := err.(*dossier.ValidationError)
	if !ok {
		return fmt.Sprint(err)
	}
	var s []string
	for _, p := range invalid.Problems {
		s = append(s, p.Code+" at "+p.Field)
	}
	return strings.Join(s, "; ")
}
