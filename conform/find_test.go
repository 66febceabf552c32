package conform_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/luutru/luutru/conform"
)

func put(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "many/a/dossier.json", "many/b/METS.xml", "many/c/bagit.txt", "many/d/readme.txt", "many/e.zip", "many/f.TAR", "many/g.txt", "none/readme.txt")
	for at, want := range map[string][]string{
		"many/a": {"many/a"}, "many/e.zip": {"many/e.zip"}, "none": {"none"},
		"many": {"many/a", "many/b", "many/c", "many/e.zip", "many/f.TAR"},
	} {
		got, err := conform.Find(filepath.Join(dir, at))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i], _ = filepath.Rel(dir, got[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
	if _, err := conform.Find(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// TestLinks opens a folder with a link that leads out of it: what lies there is
// not read.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "p/x.txt", "secret/dossier.json")
	if err := os.Symlink("../secret/dossier.json", filepath.Join(dir, "p/dossier.json")); err != nil {
		t.Fatal(err)
	}
	src, closer, err := conform.OpenSource(filepath.Join(dir, "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	if r := check(t, kit(t), src); r.OK {
		t.Errorf("a link out of the folder was followed: %+v", r)
	}
}

func TestFetch(t *testing.T) {
	b := sip(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/one.zip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/zip")
		_, _ = w.Write(b)
	})
	answer := func(path, kind, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		})
	}
	answer("/list", "application/json; charset=utf-8", `["one.zip", "/one.zip"]`)
	answer("/list.json", "text/plain", `["one.zip"]`)
	answer("/foreign", "application/json", `["http://192.0.2.1/one.zip"]`)
	answer("/object", "application/json", `{"a":1}`)
	mux.Handle("/away", http.RedirectHandler("http://192.0.2.1/one.zip", http.StatusFound))
	mux.Handle("/near", http.RedirectHandler("/one.zip", http.StatusFound))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, want := range map[string][]string{
		"/one.zip": {"/one.zip"}, "/near": {"/near"}, "/list": {"/one.zip", "/one.zip"}, "/list.json": {"/one.zip"},
		"/foreign": nil, "/object": nil, "/away": nil, "/absent": nil,
	} {
		got, err := conform.Fetch(t.Context(), srv.Client(), srv.URL+path)
		if want == nil {
			if !errors.Is(err, conform.ErrFetch) {
				t.Errorf("%s: %v, %v", path, got, err)
			}
			continue
		}
		for i := range want {
			want[i] = srv.URL + want[i]
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	dir := t.TempDir()
	name, err := conform.Download(t.Context(), srv.Client(), srv.URL+"/near", dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	src, closer, err := conform.OpenSource(name)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	if r := check(t, kit(t), src); !r.OK {
		t.Errorf("downloaded package: %+v", r.Findings)
	}
	if _, err := conform.Download(t.Context(), srv.Client(), srv.URL+"/one.zip", dir, 100); !errors.Is(err, conform.ErrFetch) {
		t.Errorf("too large: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
