// Package container reads what a package of files arrives in: a ZIP, a TAR, or
// a folder. Whatever a stranger wrote, it gives a flat list of regular files
// with clean relative names, each of which can be read by itself, and says
// everything that is wrong with the rest: names that lead out of the folder,
// names that stand twice, links, entries that share octets, files that unpack
// to more than anybody means to send.
//
// Nothing is unpacked to disk, and nothing grows with the size of the files:
// the list has a limit, and a file is read as a stream that ends in an error
// where its octets are not those that were promised.
//
// The package does not know what the files mean.
package container

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Forms of a [Tree].
const (
	ZIP    = "zip"
	TAR    = "tar"
	Folder = "folder"
)

var (
	// ErrDamaged means that a file does not have the octets that its container
	// promised. What was read of it must not be used.
	ErrDamaged = errors.New("file is damaged")
)

// Fault is one thing that is wrong with a package. Rule and texts never hold a
// name out of it; Path may, and is for him alone who sent the package.
type Fault struct {
	Rule       string // stable, "package.path"
	Path       string // which file, as far as it can be shown; empty for the whole
	Warning    bool   // the package can be used all the same
	Vietnamese string
	English    string
}

// Error says that a container cannot be read at all.
type Error struct {
	Fault Fault
}

// Error names the rule.
func (e *Error) Error() string { return "container: " + e.Fault.Rule }

func unreadable(rule, vietnamese, english string) error {
	return &Error{Fault{Rule: rule, Vietnamese: vietnamese, English: english}}
}

// Limits bound what is read. The zero value of a field stands for its default.
type Limits struct {
	Files int   // files and folders in the list; 50,000
	Total int64 // octets of all files, unpacked; 64 GiB
}

func (l Limits) withDefaults() Limits {
	if l.Files <= 0 {
		l.Files = 50_000
	}
	if l.Total <= 0 {
		l.Total = 64 << 30
	}
	return l
}

// File is one regular file of a [Tree].
type File struct {
	Path string // relative, with slashes
	Size int64

	open func() (io.ReadCloser, error)
}

// Tree is the files of a container, in its order. It may be used by several
// goroutines at once.
type Tree struct {
	form   string
	files  []File
	exact  map[string]int // by path
	folded map[string]int // by path in NFC, where that is another one
	dirs   map[string]bool
	faults []Fault
}

// Open reads the list of files of a ZIP or TAR of the given size. What is wrong
// with single entries, which are left out, is in [Tree.Faults]; an [*Error]
// means that nothing can be read; any other error is that of r.
func Open(r io.ReaderAt, size int64, limits Limits) (*Tree, error) {
	limits = limits.withDefaults()
	head := make([]byte, min(size, 512))
	if _, err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	switch {
	case size <= 0:
		return nil, unreadable("package.empty", "Gói tin rỗng (0 byte); hãy gửi lại.", "The package is empty (0 bytes); send it again.")
	case looksTAR(head):
		return readTAR(r, size, limits)
	case bytes.HasPrefix(head, []byte("PK")):
		return readZIP(r, size, limits)
	}
	if name := compression(head); name != "" {
		return nil, unreadable("package.compressed",
			"Gói tin nén bằng "+name+" không đọc được từng phần; hãy gửi ZIP hoặc TAR không nén.",
			"A package compressed with "+name+" cannot be read in parts; send a ZIP, or a TAR without compression.")
	}
	if e, _, err := findEnd(r, size); err == nil && e.count > 0 {
		return readZIP(r, size, limits) // only its head is damaged
	} else if err != nil && !isFormat(err) {
		return nil, err
	}
	return nil, unreadable("package.form",
		"Tệp gửi không phải ZIP cũng không phải TAR, hoặc phần đầu đã hỏng; hãy đóng gói và gửi lại.",
		"What was sent is neither a ZIP nor a TAR, or its head is damaged; pack and send it again.")
}

func isFormat(err error) bool {
	var format *Error
	return errors.As(err, &format)
}

// compression names what a head is compressed with.
func compression(head []byte) string {
	for _, c := range []struct{ magic, name string }{
		{"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {"\xfd7zXZ\x00", "xz"}, {"\x28\xb5\x2f\xfd", "zstd"},
		{"7z\xbc\xaf\x27\x1c", "7-Zip"}, {"Rar!\x1a\x07", "RAR"},
	} {
		if bytes.HasPrefix(head, []byte(c.magic)) {
			return c.name
		}
	}
	return ""
}

// readAt fills b. Offsets are always within the stated size, so a short read is
// a fault of r.
func readAt(r io.ReaderAt, b []byte, at int64) (int, error) {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("package: %w", err)
}

// Form is ZIP, TAR or Folder.
func (t *Tree) Form() string { return t.form }

// Files lists the files; the caller must not change it.
func (t *Tree) Files() []File { return t.files }

// Faults lists what is wrong with the container. Files that a fault names, a
// warning apart, are not among Files.
func (t *Tree) Faults() []Fault { return t.faults }

// Has reports whether there is such a folder, if an empty one.
func (t *Tree) Has(folder string) bool { return t.dirs[folder] }

// Lookup finds a file by its path, or by one that differs from it only in the
// composition of letters (Unicode NFC and NFD).
func (t *Tree) Lookup(path string) (File, bool) {
	if i, ok := t.exact[path]; ok {
		return t.files[i], true
	}
	composed := norm.NFC.String(path)
	i, ok := t.exact[composed]
	if !ok {
		i, ok = t.folded[composed]
	}
	if !ok {
		return File{}, false
	}
	return t.files[i], true
}

// Open opens a file for reading; the error is fs.ErrNotExist if there is none.
// The reader ends in [ErrDamaged], not in io.EOF, where the file is not what
// the container promised.
func (t *Tree) Open(path string) (io.ReadCloser, error) {
	f, ok := t.Lookup(path)
	if !ok {
		return nil, fmt.Errorf("file: %w", fs.ErrNotExist)
	}
	return f.Open()
}

// Open opens the file as [Tree.Open] does.
func (f File) Open() (io.ReadCloser, error) {
	if f.open == nil {
		return nil, fmt.Errorf("file: %w", fs.ErrNotExist)
	}
	return f.open()
}

// ReadFile returns the content of a file that is not larger than most.
func (t *Tree) ReadFile(path string, most int64) ([]byte, error) {
	f, ok := t.Lookup(path)
	if !ok {
		return nil, fmt.Errorf("file: %w", fs.ErrNotExist)
	}
	if f.Size > most {
		return nil, fmt.Errorf("file of %d octets: %w", f.Size, fs.ErrInvalid)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, f.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		if err == nil {
			err = ErrDamaged
		}
		return nil, err
	}
	return b, nil
}

// Top returns the one folder that everything lies in, or "".
func (t *Tree) Top() string {
	if len(t.files) == 0 {
		return ""
	}
	top, _, ok := strings.Cut(t.files[0].Path, "/")
	if !ok {
		return ""
	}
	for _, f := range t.files {
		if !strings.HasPrefix(f.Path, top+"/") {
			return ""
		}
	}
	return top
}

// Sub returns the tree of one folder, with the faults of the whole.
func (t *Tree) Sub(folder string) *Tree {
	prefix := folder + "/"
	b := newBuilder(t.form, Limits{}.withDefaults())
	for _, f := range t.files {
		if rest, ok := strings.CutPrefix(f.Path, prefix); ok {
			f.Path = rest
			b.keep(f)
		}
	}
	for dir := range t.dirs {
		if rest, ok := strings.CutPrefix(dir, prefix); ok {
			b.dirs[rest] = true
		}
	}
	b.faults = t.faults
	return &b.Tree
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
