package bagit_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/luutru/luutru/bagit"
)

// suite opens the conformance suite of the Library of Congress
// (testdata/README.md).
func suite(t testing.TB) *zip.ReadCloser {
	t.Helper()
	z, err := zip.OpenReader("testdata/conformance-suite.zip")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { z.Close() })
	return z
}

// bags yields the folder of every bag of the suite: v1.0/valid/basicBag.
func bags(t testing.TB, z *zip.ReadCloser) []string {
	t.Helper()
	found, err := fs.Glob(z, "v*/*/*")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, dir := range found {
		if info, err := fs.Stat(z, dir); err == nil && info.IsDir() {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) < 60 {
		t.Fatalf("%d bags", len(dirs))
	}
	return dirs
}

// absent are bags that warn of what other systems would do with them, but list
// a file that is not there: on a system whose names have case, and for us,
// that file is missing.
func absent(dir string) bool {
	switch path.Base(dir) {
	case "duplicate-file-with-different-case", "special-system-files":
		return true
	}
	return false
}

// TestConformance asks of every bag of the suite what the suite says of it, as a
// folder, as a ZIP and as a TAR.
func TestConformance(t *testing.T) {
	z := suite(t)
	for _, dir := range bags(t, z) {
		t.Run(dir, func(t *testing.T) {
			sub, err := fs.Sub(z, dir)
			if err != nil {
				t.Fatal(err)
			}
			kind := strings.Split(dir, "/")[1]
			for form, open := range map[string]func() (*bagit.Bag, error){
				"folder": func() (*bagit.Bag, error) { return bagit.OpenFS(sub) },
				"zip":    func() (*bagit.Bag, error) { return openBytes(zipped(t, sub, "bag/")) },
				"tar":    func() (*bagit.Bag, error) { return openBytes(tarred(t, sub, "bag/")) },
			} {
				b, err := open()
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				faults := b.Verify(t.Context())
				valid, warned := bagit.Valid(faults), len(faults) > 0
				switch kind {
				case "valid":
					if !valid {
						t.Errorf("%s: %s", form, rules(faults))
					}
				case "warning":
					if valid == absent(dir) || !warned {
						t.Errorf("%s: valid %v, %s", form, valid, rules(faults))
					}
				default: // invalid, linux-only, windows-only
					if valid {
						t.Errorf("%s: passes, %s", form, rules(faults))
					}
				}
				if again := b.Verify(t.Context()); rules(again) != rules(faults) {
					t.Errorf("%s: the second time %s, the first %s", form, rules(again), rules(faults))
				}
			}
		})
	}
}

func openBytes(b []byte) (*bagit.Bag, error) {
	return bagit.Open(bytes.NewReader(b), int64(len(b)))
}

func rules(faults []bagit.Fault) string {
	var s []string
	for _, f := range faults {
		mark := ""
		if f.Warning {
			mark = "?"
		}
		s = append(s, f.Rule+mark)
	}
	return strings.Join(s, " ")
}

// each calls next for every file.
func each(t testing.TB, fsys fs.FS, next func(name string, content []byte)) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		next(name, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func zipped(t testing.TB, fsys fs.FS, top string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	each(t, fsys, func(name string, content []byte) {
		f, err := w.Create(top + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarred(t testing.TB, fsys fs.FS, top string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	each(t, fsys, func(name string, content []byte) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: top + name, Size: int64(len(content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readAll(t testing.TB, b *bagit.Bag, path string) []byte {
	t.Helper()
	r, err := b.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
