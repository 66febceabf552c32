package container_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"unicode/utf8"

	"github.com/luutru/luutru/bagit/container"
)

func open(b []byte, l container.Limits) (*container.Tree, error) {
	return container.Open(bytes.NewReader(b), int64(len(b)), l)
}

func mustOpen(t testing.TB, b []byte) *container.Tree {
	t.Helper()
	tree, err := open(b, container.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// member is a file of a ZIP made by hand, where every field may be a lie.
type member struct {
	name      string
	content   string
	local     string // name in the local header, where it is another
	flags     uint16
	method    uint16
	mode      uint32 // Unix mode; none: made on another system
	size      uint32 // stated size, where it is another
	crc       uint32 // likewise
	at        int    // offset stated, where it is another: 1 is that of the first
	extra     string
	noContent bool
}

// zipOf writes the members one after the other.
func zipOf(members ...member) []byte {
	var out, dir bytes.Buffer
	put := func(w *bytes.Buffer, values ...any) {
		for _, v := range values {
			if err := binary.Write(w, binary.LittleEndian, v); err != nil {
				panic(err)
			}
		}
	}
	for _, m := range members {
		local, size, crc := m.local, m.size, m.crc
		if local == "" {
			local = m.name
		}
		if size == 0 {
			size = uint32(len(m.content))
		}
		if crc == 0 {
			crc = crc32.ChecksumIEEE([]byte(m.content))
		}
		at := uint32(out.Len())
		if m.at > 0 {
			at = uint32(m.at - 1)
		}
		packed := uint32(len(m.content))
		if !m.noContent {
			put(&out, uint32(0x04034b50), uint16(20), m.flags, m.method, uint32(0), crc, packed, size, uint16(len(local)), uint16(0))
			out.WriteString(local + m.content)
		}
		system := uint16(20)
		if m.mode != 0 {
			system |= 3 << 8
		}
		put(&dir, uint32(0x02014b50), system, uint16(20), m.flags, m.method, uint32(0), crc, packed, size,
			uint16(len(m.name)), uint16(len(m.extra)), uint16(0), uint16(0), uint16(0), m.mode<<16, at)
		dir.WriteString(m.name + m.extra)
	}
	start := out.Len()
	out.Write(dir.Bytes())
	put(&out, uint32(0x06054b50), uint32(0), uint16(len(members)), uint16(len(members)), uint32(dir.Len()), uint32(start), uint16(0))
	return out.Bytes()
}

// TestZIPFaults: the bad member is named and left out, the good one can be
// read.
func TestZIPFaults(t *testing.T) {
	good := member{name: "bag/good.txt", content: "good"}
	for rule, bad := range map[string]member{
		"package.path":          {name: "../../etc/passwd", content: "x"},
		"package.path ":         {name: "/etc/passwd", content: "x"},
		"package.path  ":        {name: `bag\evil.txt`, content: "x"},
		"package.path   ":       {name: "C:/evil.txt", content: "x"},
		"package.path    ":      {name: "bag//evil.txt", content: "x"},
		"package.path     ":     {name: "bag/./evil.txt", content: "x"},
		"package.path      ":    {name: "../evil/"},
		"package.path_encoding": {name: "bag/h\xf4 so.pdf", content: "x"},
		"package.path_control":  {name: "bag/a\nb", content: "x"},
		"package.path_length":   {name: "bag/" + strings.Repeat("a", 256), content: "x"},
		"package.path_length ":  {name: strings.Repeat("a/", 600) + "a", content: "x"},
		"package.path_length  ": {name: "", content: "x"},
		"package.duplicate":     {name: "bag/good.txt", content: "evil"},
		"package.duplicate ":    {name: "bag/good.txt/evil", content: "evil"},
		"package.duplicate  ":   {name: "bag/good.txt/"},
		"package.duplicate   ":  {name: "bag", content: "evil"},
		"package.special":       {name: "bag/link", content: "/etc/passwd", mode: 0o120777},
		"package.special ":      {name: "bag/pipe", content: "", mode: 0o010644},
		"package.special  ":     {name: "bag/folder", content: "", mode: 0o040755},
		"package.encrypted":     {name: "bag/secret", content: "x", flags: 1},
		"package.encrypted ":    {name: "bag/secret", content: "x", flags: 1 << 6},
		"package.method":        {name: "bag/lzma", content: "x", method: 14},
		"package.zip_header":    {name: "bag/a", local: "bag/b", content: "x"},
		"package.zip_header ":   {name: "bag/a", content: "x", size: 5},
		"package.zip_header  ":  {name: "bag/a/", content: "x"},
		"package.junk?":         {name: "__MACOSX/bag/._good.txt", content: "x"},
		"package.name_case?":    {name: "bag/GOOD.txt", content: "x"},
	} {
		t.Run(rule, func(t *testing.T) {
			tree := mustOpen(t, zipOf(good, bad))
			want, warning := strings.CutSuffix(strings.TrimSpace(rule), "?")
			faults := tree.Faults()
			if len(faults) != 1 || faults[0].Rule != want || faults[0].Warning != warning || faults[0].Vietnamese == "" || faults[0].English == "" {
				t.Fatalf("faults %+v", faults)
			}
			if files := tree.Files(); len(files) != 1 && want != "package.name_case" {
				t.Errorf("%d files", len(files))
			}
			b, err := tree.ReadFile("bag/good.txt", 100)
			if err != nil || string(b) != "good" {
				t.Errorf("good.txt: %q, %v", b, err)
			}
		})
	}
}

// TestZIPRefused: nothing of such a file is used.
func TestZIPRefused(t *testing.T) {
	a, b := member{name: "a", content: "first content"}, member{name: "b", content: "second content"}
	whole := zipOf(a, b)
	edit := func(change func(z []byte) []byte) []byte { return change(bytes.Clone(whole)) }
	end := len(whole) - 22
	for name, c := range map[string]struct {
		rule    string
		content []byte
	}{
		"nothing":             {"package.empty", nil},
		"text":                {"package.form", []byte("not a container at all")},
		"gzip":                {"package.compressed", []byte("\x1f\x8b\x08\x00")},
		"rar":                 {"package.compressed", []byte("Rar!\x1a\x07\x01\x00")},
		"cut":                 {"package.zip_end", whole[:len(whole)-1]},
		"cut early":           {"package.zip_end", whole[:40]},
		"head alone":          {"package.zip_end", []byte("PK\x03\x04")},
		"longer":              {"package.zip_end", append(bytes.Clone(whole), 0)},
		"octets before":       {"package.zip_directory", append([]byte("PKxx"), whole...)},
		"directory moved":     {"package.zip_directory", edit(func(z []byte) []byte { z[end+16]++; return z })},
		"directory far":       {"package.zip_directory", edit(func(z []byte) []byte { z[end+19] = 0x7f; return z })},
		"directory size":      {"package.zip_directory", edit(func(z []byte) []byte { z[end+12]--; return z })},
		"count too low":       {"package.zip_directory", edit(func(z []byte) []byte { z[end+8]--; z[end+10]--; return z })},
		"count too high":      {"package.zip_directory", edit(func(z []byte) []byte { z[end+8]++; z[end+10]++; return z })},
		"counts differ":       {"package.zip_split", edit(func(z []byte) []byte { z[end+8]++; return z })},
		"disk":                {"package.zip_split", edit(func(z []byte) []byte { z[end+4]++; return z })},
		"two ends":            {"package.zip_ambiguous", nil},
		"same octets":         {"package.zip_overlap", zipOf(a, member{name: "a", content: "first content", noContent: true, at: 1})},
		"outside":             {"package.zip_entry", zipOf(a, member{name: "b", content: "x", noContent: true, at: 1 << 20})},
		"entry in directory":  {"package.zip_entry", zipOf(a, member{name: "b", content: "x", noContent: true, at: 45})},
		"ZIP64 without field": {"package.zip_directory", zipOf(member{name: "b", content: "x", size: 1<<32 - 1})},
		"ZIP64 short field":   {"package.zip_directory", zipOf(member{name: "b", content: "x", size: 1<<32 - 1, extra: "\x01\x00\x08\x00"})},
		"ZIP64 negative":      {"package.zip_directory", zipOf(member{name: "b", content: "x", size: 1<<32 - 1, extra: "\x01\x00\x08\x00\xff\xff\xff\xff\xff\xff\xff\xff"})},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "two ends" { // the comment of the first is a whole second end
				z := bytes.Clone(whole)
				z[end+20] = 22
				c.content = append(z, whole[end:]...)
			}
			_, err := open(c.content, container.Limits{})
			var format *container.Error
			if !errors.As(err, &format) || format.Fault.Rule != c.rule {
				t.Errorf("%v, want %s", err, c.rule)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	var members []member
	for i := range 30 {
		members = append(members, member{name: "f" + strconv.Itoa(i), content: strings.Repeat("x", 100)})
	}
	fsys := fstest.MapFS{}
	for _, m := range members {
		fsys[m.name] = &fstest.MapFile{Data: []byte(m.content)}
	}
	for name, open := range map[string]func(container.Limits) error{
		"zip":    func(l container.Limits) error { _, err := open(zipOf(members...), l); return err },
		"tar":    func(l container.Limits) error { _, err := open(tarOf(t, members...), l); return err },
		"folder": func(l container.Limits) error { _, err := container.OpenFS(fsys, l); return err },
	} {
		for rule, l := range map[string]container.Limits{
			"package.too_many": {Files: 29}, "package.too_large": {Total: 2999}, "": {Files: 30, Total: 3000},
		} {
			err := open(l)
			var format *container.Error
			if rule == "" && err != nil || rule != "" && (!errors.As(err, &format) || format.Fault.Rule != rule) {
				t.Errorf("%s: %v, want %s", name, err, rule)
			}
		}
	}
}

func TestBomb(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 1<<20)
	for range 80 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var format *container.Error
	if _, err := open(out.Bytes(), container.Limits{}); !errors.As(err, &format) || format.Fault.Rule != "package.bomb" {
		t.Errorf("%v", err)
	}
}

// TestUnderstatedSize: a deflated file that holds more than it says is never
// read beyond.
func TestUnderstatedSize(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte("content "), 1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	dir := bytes.Index(b, []byte("PK\x01\x02"))
	for _, stated := range []uint32{7999, 8001, 1} {
		lie := bytes.Clone(b)
		binary.LittleEndian.PutUint32(lie[dir+24:], stated)
		r, err := mustOpen(t, lie).Open("a")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if !errors.Is(err, container.ErrDamaged) || n > int64(stated) {
			t.Errorf("stated %d: %d octets, %v", stated, n, err)
		}
	}
}

// TestDamage flips every bit of a ZIP and of a TAR: what is read, is right, but
// for what these forms do not protect: names, and the content in a TAR.
func TestDamage(t *testing.T) {
	content := map[string]string{"bag/a.txt": "the first", "bag/b.txt": strings.Repeat("the second ", 20)}
	var deflated bytes.Buffer
	z := zip.NewWriter(&deflated)
	for _, name := range []string{"bag/a.txt", "bag/b.txt"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{deflated.Bytes(), zipOf(member{name: "bag/a.txt", content: content["bag/a.txt"]}, member{name: "bag/b.txt", content: content["bag/b.txt"]})} {
		for i := range len(whole) * 8 {
			b := bytes.Clone(whole)
			b[i/8] ^= 1 << (i % 8)
			tree, err := open(b, container.Limits{})
			var format *container.Error
			if err != nil {
				if !errors.As(err, &format) {
					t.Fatalf("bit %d: %v", i, err)
				}
				continue
			}
			for name, want := range content {
				got, err := tree.ReadFile(name, 1000)
				if err == nil && string(got) != want {
					t.Errorf("bit %d: %s reads wrong", i, name)
				}
				if err != nil && !errors.Is(err, container.ErrDamaged) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("bit %d: %v", i, err)
				}
			}
		}
	}
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.content)), Mode: 0o644}
		switch m.mode {
		case 0o120777:
			h.Typeflag, h.Linkname, h.Size, m.content = tar.TypeSymlink, m.content, 0, ""
		case 0o100000:
			h.Typeflag, h.Linkname, h.Size, m.content = tar.TypeLink, m.content, 0, ""
		case 0o040755:
			h.Typeflag = tar.TypeDir
		case 0o010644:
			h.Typeflag = tar.TypeFifo
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTARFaults(t *testing.T) {
	for rule, bad := range map[string]member{
		"package.path":      {name: "../../etc/passwd", content: "x"},
		"package.path ":     {name: "/etc/passwd", content: "x"},
		"package.path  ":    {name: `..\evil`, content: "x"},
		"package.duplicate": {name: "./bag/good.txt", content: "evil"},
		"package.special":   {name: "bag/link", content: "/etc/passwd", mode: 0o120777},
		"package.special ":  {name: "bag/hard", content: "bag/good.txt", mode: 0o100000},
		"package.special  ": {name: "bag/pipe", mode: 0o010644},
	} {
		t.Run(rule, func(t *testing.T) {
			tree := mustOpen(t, tarOf(t, member{name: "bag/", mode: 0o040755}, member{name: "bag/good.txt", content: "good"}, bad))
			if f := tree.Faults(); len(f) != 1 || f[0].Rule != strings.TrimSpace(rule) {
				t.Fatalf("faults %+v", f)
			}
			if b, err := tree.ReadFile("bag/good.txt", 100); err != nil || string(b) != "good" {
				t.Errorf("good.txt: %q, %v", b, err)
			}
			if !tree.Has("bag") || tree.Top() != "bag" {
				t.Error("folder is lost")
			}
		})
	}
}

// TestTARCut: a TAR without its end was not sent whole, wherever it was cut.
func TestTARCut(t *testing.T) {
	whole := tarOf(t, member{name: "a", content: "first"}, member{name: "b", content: strings.Repeat("second", 200)})
	for n := range len(whole) - 1024 {
		_, err := open(whole[:n+1], container.Limits{})
		var format *container.Error
		if !errors.As(err, &format) {
			t.Fatalf("cut at %d: %v", n+1, err)
		}
	}
}

// TestSparse: a TAR member that grows when it is read is not taken.
func TestSparse(t *testing.T) {
	var out bytes.Buffer
	block := make([]byte, 512)
	copy(block, "sparse")
	copy(block[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00")
	block[156] = 'S'
	copy(block[257:], "ustar  \x00")
	copy(block[483:], "77777777777\x00") // real size
	copy(block[148:], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:], strconv.FormatInt(int64(1<<18+sum), 8)[1:]+"\x00 ")
	out.Write(block)
	out.Write(make([]byte, 1024))
	tree, err := open(out.Bytes(), container.Limits{})
	if err == nil && len(tree.Files()) > 0 {
		t.Errorf("taken: %+v", tree.Files())
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for name, content := range map[string]string{outside: "secret", filepath.Join(dir, "b"): "second", filepath.Join(dir, "a"): "first"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "data/empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	tree, err := container.OpenFS(root.FS(), container.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if f := tree.Faults(); len(f) != 1 || f[0].Rule != "package.special" {
		t.Errorf("faults %+v", f)
	}
	files := tree.Files()
	if len(files) != 2 || files[0].Path != "a" || files[1].Path != "b" || !tree.Has("data/empty") || tree.Form() != container.Folder {
		t.Errorf("files %+v", files)
	}
	// A file that grows after the list was read is not what was listed.
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("first and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.ReadFile("a", 100); !errors.Is(err, container.ErrDamaged) {
		t.Errorf("grown: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("b", 100); err == nil {
		t.Errorf("a link that appeared later is followed: %q", b)
	}
}

// TestZIP64 reads what another implementation writes for it.
func TestZIP64(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	const count = 70_000
	for i := range count {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: "f" + strconv.Itoa(i), Method: zip.Store}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	tree, err := open(out.Bytes(), container.Limits{Files: count})
	if err != nil || len(tree.Files()) != count {
		t.Fatalf("%v", err)
	}
	var format *container.Error
	if _, err := open(out.Bytes(), container.Limits{}); !errors.As(err, &format) || format.Fault.Rule != "package.too_many" {
		t.Errorf("%v", err)
	}
	b := out.Bytes()
	b[len(b)-22-20+8]++ // where the locator says the end is
	if _, err := open(b, container.Limits{Files: count}); !errors.As(err, &format) || format.Fault.Rule != "package.zip_end64" {
		t.Errorf("%v", err)
	}
}

// TestSourceFails: a source that cannot be read is no fault of the sender.
func TestSourceFails(t *testing.T) {
	down := errors.New("store is down")
	for name, b := range map[string][]byte{"zip": zipOf(member{name: "a", content: "x"}), "tar": tarOf(t, member{name: "a", content: "x"}, member{name: "b", content: "y"})} {
		for n := range 40 {
			r := &failing{bytes.NewReader(b), n, down}
			tree, err := container.Open(r, int64(len(b)), container.Limits{})
			if err == nil {
				_, err = tree.ReadFile("a", 10)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, down) {
				t.Errorf("%s, call %d: %v", name, n, err)
			}
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

// TestReader holds the reader to the contract of io.Reader.
func TestReader(t *testing.T) {
	content := strings.Repeat("content", 50)
	for _, b := range [][]byte{zipOf(member{name: "a", content: content}), tarOf(t, member{name: "a", content: content})} {
		r, err := mustOpen(t, b).Open("a")
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(onlyReader{r}, []byte(content)); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := (container.File{}).Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("file of no container: %v", err)
	}
	tree := mustOpen(t, zipOf(member{name: "a", content: content}))
	if _, err := tree.Open("b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := tree.ReadFile("a", 10); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("too large: %v", err)
	}
}

type onlyReader struct{ io.Reader }

// TestComposition: Vietnamese names come composed and decomposed.
func TestComposition(t *testing.T) {
	const composed, decomposed = "hồ sơ.pdf", "ho\u0302\u0300 so\u031b.pdf"
	tree := mustOpen(t, zipOf(member{name: decomposed, content: "x"}))
	for _, name := range []string{composed, decomposed} {
		if f, ok := tree.Lookup(name); !ok || f.Path != decomposed {
			t.Errorf("%q is not found", name)
		}
	}
	if got := container.Printable("a\x00b\xff" + strings.Repeat("ồ", 200)); len(got) > 300 || strings.Contains(got, "\x00") || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
}

// TestTARForms: the ways in which names and kinds were written over the years.
func TestTARForms(t *testing.T) {
	long := "bag/" + strings.Repeat("thư mục/", 20) + "tài liệu.pdf"
	for _, form := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		name := long
		if form == tar.FormatUSTAR {
			name = "bag/document.pdf"
		}
		for _, h := range []*tar.Header{{Typeflag: tar.TypeDir, Name: "./", Format: form}, {Typeflag: tar.TypeDir, Name: "./bag/", Format: form},
			{Typeflag: tar.TypeReg, Name: "./" + name, Size: 7, Mode: 0o644, Format: form}} {
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(w, "content"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		tree := mustOpen(t, out.Bytes())
		if b, err := tree.ReadFile(name, 10); err != nil || string(b) != "content" || len(tree.Faults()) > 0 || tree.Form() != container.TAR {
			t.Errorf("%v: %q, %v, %+v", form, b, err, tree.Faults())
		}
	}
	// The oldest form has no magic, only a sum.
	old := tarOf(t, member{name: "a", content: "content"})
	clear(old[257:265])
	copy(old[148:], "        ")
	sum := 0
	for _, c := range old[:512] {
		sum += int(c)
	}
	copy(old[148:], strconv.FormatInt(int64(1<<18+sum), 8)[1:]+"\x00 ")
	if b, err := mustOpen(t, old).ReadFile("a", 10); err != nil || string(b) != "content" {
		t.Errorf("v7: %q, %v", b, err)
	}
}

// TestSub: a folder of a tree is a tree.
func TestSub(t *testing.T) {
	tree := mustOpen(t, zipOf(member{name: "bag/a", content: "first"}, member{name: "bag/data/b", content: "second"}, member{name: "bag/empty/"}, member{name: "../x", content: "x"}))
	sub := tree.Sub("bag")
	if len(sub.Files()) != 2 || sub.Files()[1].Path != "data/b" || !sub.Has("data") || !sub.Has("empty") || sub.Has("bag") || len(sub.Faults()) != 1 || sub.Top() != "" {
		t.Errorf("%+v, %+v", sub.Files(), sub.Faults())
	}
	if b, err := sub.ReadFile("data/b", 10); err != nil || string(b) != "second" {
		t.Errorf("%q, %v", b, err)
	}
	if none := tree.Sub("none"); len(none.Files()) != 0 || none.Top() != "" {
		t.Errorf("%+v", none.Files())
	}
}

// TestDepth: a folder in a folder in a folder has an end.
func TestDepth(t *testing.T) {
	fsys := fstest.MapFS{strings.Repeat("a/", 100) + "b": &fstest.MapFile{Data: []byte("x")}}
	tree, err := container.OpenFS(fsys, container.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if f := tree.Faults(); len(f) != 1 || f[0].Rule != "package.path_length" || len(tree.Files()) != 0 {
		t.Errorf("%+v", f)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(zipOf(member{name: "bag/bagit.txt", content: "x"}, member{name: "bag/data/a", content: "content"}))
	f.Add(zipOf(member{name: "a", content: "x", size: 1<<32 - 1, extra: "\x01\x00\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00"}))
	f.Add(tarOf(f, member{name: "bag/", mode: 0o040755}, member{name: "bag/hồ sơ.pdf", content: "content"}, member{name: "l", content: "x", mode: 0o120777}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := open(b, container.Limits{Files: 1000, Total: 1 << 20})
		if err != nil {
			var format *container.Error
			if !errors.As(err, &format) {
				t.Fatal(err)
			}
			return
		}
		total := int64(0)
		for _, file := range tree.Files() {
			if _, bad := container.CheckPath(file.Path); bad {
				t.Errorf("path %q", file.Path)
			}
			r, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, r)
			if err == nil && n != file.Size || n > file.Size {
				t.Errorf("%d octets of %d", n, file.Size)
			}
			if err != nil && !errors.Is(err, container.ErrDamaged) {
				t.Errorf("%v", err)
			}
			total += n
			r.Close()
		}
		if total > 1<<20 {
			t.Errorf("%d octets", total)
		}
	})
}
