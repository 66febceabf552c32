package pronom_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/richardlehane/siegfried/pkg/static"

	"github.com/luutru/luutru/inspect/pronom"
)

// suite finds the files that siegfried brings for its own tests: one or more for every signature of PRONOM, and some real ones.
func suite(t testing.TB) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/richardlehane/siegfried").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var files []string
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(out)), "cmd", "sf", "testdata"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

func open(t testing.TB) *pronom.Identifier {
	t.Helper()
	id, err := pronom.New()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestLikeWholeFile compares with what the library says of whole files.
func TestLikeWholeFile(t *testing.T) {
	id, whole := open(t), static.New()
	same, other := 0, 0
	for _, path := range suite(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			continue
		}
		ids, _ := whole.Identify(bytes.NewBuffer(data), path, "")
		var want []string
		for _, i := range ids {
			if i.Known() {
				want = append(want, i.String())
			}
		}
		got := identify(t, id, path, data)
		slices.Sort(want)
		if slices.Equal(want, got) {
			same++
			continue
		}
		other++
		t.Logf("%s, %d bytes: %v, whole %v", filepath.Base(path), len(data), got, want)
		for _, w := range want {
			if strings.Contains(usual, " "+w+" ") {
				t.Errorf("%s: %v, and the whole file is %v", filepath.Base(path), got, want)
			}
		}
	}
	t.Logf("%d as the whole file, %d not", same, other)
	if other > same/50 {
		t.Errorf("%d of %d not as the whole file", other, same+other)
	}
}

// usual are the formats that dossiers are made of.
const usual = " fmt/18 fmt/19 fmt/20 fmt/276 fmt/1129 fmt/95 fmt/354 fmt/476 fmt/477 fmt/478 fmt/479 fmt/480 fmt/481 fmt/11 fmt/12 fmt/13 fmt/41 fmt/42 fmt/43" +
	" fmt/44 fmt/645 fmt/1507 x-fmt/390 x-fmt/391 fmt/353 fmt/39 fmt/40 fmt/61 fmt/126 fmt/412 fmt/214 fmt/215 fmt/136 fmt/290 fmt/291 fmt/1756 fmt/137 fmt/138" +
	" fmt/45 fmt/50 fmt/52 fmt/53 fmt/355 fmt/101 fmt/96 fmt/471 fmt/817 x-fmt/18 x-fmt/111 fmt/199 fmt/5 fmt/134 fmt/132 "

// identify gives the identifiers, sorted.
func identify(t testing.TB, id *pronom.Identifier, name string, data []byte) []string {
	t.Helper()
	formats, err := id.Identify(name, bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var out []string
	for _, f := range formats {
		if f.PUID != "" {
			out = append(out, f.PUID)
		}
	}
	slices.Sort(out)
	return out
}

func TestIdentify(t *testing.T) {
	id := open(t)
	if !strings.Contains(id.Agent(), "siegfried 1.") || !strings.Contains(id.Agent(), "PRONOM ") || strings.Contains(id.Agent(), ".xml") {
		t.Errorf("agent %q", id.Agent())
	}
	pdf := "%PDF-1.4\n" + strings.Repeat("x", 500_000) + "\n%%EOF\n"
	for _, c := range []struct {
		name, data string
		want       string
		sure       bool
	}{
		{"a.pdf", pdf, "fmt/18", true}, {"a", pdf, "fmt/18", true}, {"a.json", `{"a":1}`, "fmt/817", false}, {"a.txt", "xin chào", "x-fmt/111", true},
		{"a.xml", "<?xml version=\"1.0\"?><a/>", "fmt/101", true}, {"a", "\x00\x01\x02\xfe", "", false}, {"a.p7s", "0\x82\x01\x00", "", false}, {"a", "", "", false},
	} {
		fs, err := id.Identify(c.name, strings.NewReader(c.data), int64(len(c.data)), nil)
		if err != nil || len(fs) != 1 || fs[0].PUID != c.want || fs[0].Sure != c.sure {
			t.Errorf("%s %.10q: %+v, %v; want %s", c.name, c.data, fs, err, c.want)
		}
	}
	// what the middle holds counts
	xmp := `<x xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></x>`
	if fs, err := id.Identify("a.pdf", strings.NewReader(pdf), int64(len(pdf)), []byte(xmp)); err != nil || fs[0].PUID != "fmt/354" {
		t.Errorf("PDF/A-1b: %+v, %v", fs, err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestIdentifyFails(t *testing.T) {
	if _, err := open(t).Identify("a", failing{}, 100, nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reader that fails: %v", err)
	}
	if _, err := open(t).Identify("a", strings.NewReader("x"), 100, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than said: %v", err)
	}
}

// TestConcurrent uses one Identifier in many goroutines.
func TestConcurrent(t *testing.T) {
	id := open(t)
	var w sync.WaitGroup
	for range 8 {
		w.Go(func() {
			for range 20 {
				if got := identify(t, id, "a.pdf", []byte("%PDF-1.4\n%%EOF\n")); !slices.Equal(got, []string{"fmt/18"}) {
					t.Errorf("%v", got)
				}
			}
		})
	}
	w.Wait()
}

// FuzzIdentify looks for input that makes the library panic in a goroutine of its own, where nobody can recover.
func FuzzIdentify(f *testing.F) {
	n := 0
	for _, path := range suite(f) {
		if ext := filepath.Ext(path); ext != ".doc" && ext != ".xls" && ext != ".docx" && ext != ".odt" && ext != ".pdf" {
			continue
		}
		if data, err := os.ReadFile(path); err == nil && len(data) < 20_000 {
			if n++; n < 40 {
				f.Add(filepath.Base(path), data)
			}
		}
	}
	id := open(f)
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if _, err := id.Identify(name, bytes.NewReader(data), int64(len(data)), nil); err != nil && len(data) > 0 {
			t.Skip()
		}
	})
}

// BenchmarkIdentify is for a scan of half a megabyte.
func BenchmarkIdentify(b *testing.B) {
	id := open(b)
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 512<<10)...)
	data = append(data, "\x00\x00\x00\x00IEND\xaeB`\x82"...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := id.Identify("a.png", bytes.NewReader(data), int64(len(data)), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNew loads the signatures.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		open(b)
	}
}
