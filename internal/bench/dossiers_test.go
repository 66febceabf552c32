package bench

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
)

// dossierSize is that of a usual dossier: seven files, five of them scans.
const dossierSize = 3_000_000

// folder is a dossier on disk, as a producer has it.
type folder struct {
	dir         string
	code        string
	declaration []byte
	names       []string
	size        int64
}

// dossiers returns n dossiers, made now or by an earlier run. Making them is
// no part of any measurement.
func dossiers(t testing.TB, n int) []*folder {
	t.Helper()
	parent := os.Getenv("LUUTRU_BENCH_DIR")
	if parent == "" {
		parent = t.TempDir()
	}
	root := filepath.Join(parent, "dossiers")
	var all []*folder
	if made(root, n) {
		for i := range n {
			all = append(all, read(t, filepath.Join(root, fmt.Sprintf("%05d", i))))
		}
		return all
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	opts := sample.Options{Size: dossierSize, From: time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC)}
	for d := range sample.Make(1, n, opts) {
		all = append(all, write(t, filepath.Join(root, fmt.Sprintf("%05d", len(all))), &d))
	}
	if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("whole-%d", n)), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return all
}

// made reports whether a series of at least n is there whole.
func made(root string, n int) bool {
	marks, _ := filepath.Glob(filepath.Join(root, "whole-*"))
	for _, m := range marks {
		var have int
		if _, err := fmt.Sscanf(filepath.Base(m), "whole-%d", &have); err == nil && have >= n {
			return true
		}
	}
	return false
}

func write(t testing.TB, dir string, d *sample.Dossier) *folder {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dossier.json"), d.Declaration, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range d.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return read(t, dir)
}

func read(t testing.TB, dir string) *folder {
	t.Helper()
	line, err := os.ReadFile(filepath.Join(dir, "dossier.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.ParseDeclaration(bytes.NewReader(line), dossier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	f := &folder{dir: dir, code: d.Code, declaration: line}
	for _, doc := range d.Documents {
		f.names = append(f.names, doc.Name)
		f.size += doc.Size
	}
	return f
}

// warm reads all of them once, so that nobody measured reads from disk.
func warm(t testing.TB, all []*folder) (size int64) {
	t.Helper()
	for _, f := range all {
		data, err := f.all()
		if err != nil {
			t.Fatal(err)
		}
		size += int64(len(data))
	}
	return size
}

// all returns the files one after the other.
func (f *folder) all() ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, f.size))
	for _, name := range f.names {
		if err := f.copy(b, name); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func (f *folder) copy(w io.Writer, name string) error {
	r, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

// files are the documents as the client pushes them.
func (f *folder) files() (all []api.File) {
	for _, name := range f.names {
		all = append(all, api.File{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(f.dir, name)) }})
	}
	return all
}

// content gives the documents to an archive in this process.
func (f *folder) content() *content { return &content{folder: f} }

type content struct {
	*folder
	next int
	now  *os.File
}

// Next implements archive.Content.
func (c *content) Next() (string, io.Reader, error) {
	if c.now != nil {
		if err := c.now.Close(); err != nil {
			return "", nil, err
		}
		c.now = nil
	}
	if c.next == len(c.names) {
		return "", nil, io.EOF
	}
	name := c.names[c.next]
	c.next++
	var err error
	c.now, err = os.Open(filepath.Join(c.dir, name))
	return name, c.now, err
}
