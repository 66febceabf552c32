// Package bagit reads, validates and writes bags (RFC 8493, The BagIt File
// Packaging Format 1.0; versions 0.93 to 0.97 are read): a folder data/ with
// the payload, and beside it tag files with digests of every file.
//
// # Reading
//
// [Open] takes a ZIP or TAR, [OpenFS] a folder. [Bag.Verify] lists everything
// that is wrong at once, with each rule in Vietnamese and English; what a
// strict reader may warn of, but need not refuse, is marked as a warning. A bag
// with a fetch.txt is used only if nothing remains to be fetched: no reader
// here ever opens an address that a stranger wrote. SHA-256 and SHA-512 are
// proof; MD5, SHA-1 and the lesser known ones are checked, with a warning.
//
// # Writing
//
// A [Writer] streams a ZIP (stored) or TAR, and holds no more of it than names
// and digests.
package bagit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/luutru/luutru/bagit/container"
)

// Fault is one thing that is wrong with a bag.
type Fault = container.Fault

// Tag is one line of bag-info.txt: Source-Organization, External-Identifier.
type Tag struct {
	Label, Value string
}

// File is one file of a bag.
type File struct {
	Path    string            // from the base of the bag: data/a.pdf
	Size    int64             // octets
	Digests map[string]string // as the manifests have them: sha256 → lower-case hexadecimal
}

const (
	nameDeclaration = "bagit.txt"
	nameFetch       = "fetch.txt"
	payloadFolder   = "data/"

	maxTagFile   = 16 << 20 // a manifest of 50,000 lines in SHA-512
	maxManifests = 16
)

// Bag is an opened bag. Verify aside, its methods may be used by several
// goroutines at once.
type Bag struct {
	tree    *container.Tree
	version version
	decode  func([]byte) (string, bool)
	info    []Tag
	payload []manifest
	tags    []manifest
	faults  []Fault
	sums    map[string]string // SHA-256 that Verify computed
	err     error             // what interrupted Verify
}

// Open reads the tag files of a bag in a ZIP or TAR. The error is a
// [*container.Error] if nothing can be read, else that of r; a bag that is not
// one is told by [Bag.Verify].
func Open(r io.ReaderAt, size int64) (*Bag, error) {
	t, err := container.Open(r, size, container.Limits{})
	if err != nil {
		return nil, err
	}
	return OpenTree(t)
}

// OpenFS reads the tag files of a bag in a folder; see [container.OpenFS].
func OpenFS(fsys fs.FS) (*Bag, error) {
	t, err := container.OpenFS(fsys, container.Limits{})
	if err != nil {
		return nil, err
	}
	return OpenTree(t)
}

// OpenTree reads the tag files of a bag among the files of a container.
func OpenTree(t *container.Tree) (*Bag, error) {
	b := &Bag{sums: map[string]string{}}
	b.faults = slices.Clone(t.Faults())
	b.tree = b.base(t)
	for _, read := range []func() error{b.readDeclaration, b.readInfo, b.readManifests, b.readFetch} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// base finds the folder of the bag (RFC 8493 §2: one top folder when it is
// packed).
func (b *Bag) base(t *container.Tree) *container.Tree {
	if _, ok := t.Lookup(nameDeclaration); ok || len(t.Files()) == 0 {
		if t.Form() != container.Folder {
			b.warn("bag.top_folder", "",
				"Gói BagIt trong ZIP, TAR phải nằm trong một thư mục duy nhất ở cấp trên cùng.",
				"A bag in a ZIP or TAR must lie in a single top folder.")
		}
		return t
	}
	if top := t.Top(); top != "" {
		return t.Sub(top)
	}
	for _, f := range t.Files() {
		if top, name, _ := strings.Cut(f.Path, "/"); name == nameDeclaration {
			b.fail("bag.outside", "",
				"Gói tin có tệp nằm ngoài thư mục của gói BagIt; hãy đóng gói lại, chỉ để một thư mục ở cấp trên cùng.",
				"There are files outside of the bag's folder; pack it again with a single top folder.")
			return t.Sub(top)
		}
	}
	return t
}

// Version is what bagit.txt says: 1.0; empty if it says nothing that can be
// used.
func (b *Bag) Version() string { return b.version.String() }

// Info returns the tags of bag-info.txt in their order. Labels may be repeated.
func (b *Bag) Info() []Tag { return slices.Clone(b.info) }

// Files lists the payload, in the order of the container.
func (b *Bag) Files() []File { return b.list(true) }

// TagFiles lists the files beside the payload.
func (b *Bag) TagFiles() []File { return b.list(false) }

func (b *Bag) list(payload bool) []File {
	var files []File
	for _, f := range b.tree.Files() {
		if strings.HasPrefix(f.Path, payloadFolder) == payload {
			files = append(files, File{Path: f.Path, Size: f.Size, Digests: b.digests(f.Path)})
		}
	}
	return files
}

// SHA256 returns the digest of a file, in lower-case hexadecimal: as a manifest
// has it or, after [Bag.Verify], as it was computed; else "".
func (b *Bag) SHA256(path string) string {
	if sum := b.sums[path]; sum != "" {
		return sum
	}
	return b.digests(path)["sha256"]
}

// digests collects what the manifests say of a file.
func (b *Bag) digests(path string) map[string]string {
	found := make(map[string]string)
	for _, m := range b.manifests(path) {
		if sum, ok := m.sums[path]; ok {
			found[m.algorithm] = sum
		}
	}
	return found
}

// manifests returns those that a file may stand in.
func (b *Bag) manifests(path string) []manifest {
	if strings.HasPrefix(path, payloadFolder) {
		return b.payload
	}
	return b.tags
}

// Open opens a file of the bag; the error is fs.ErrNotExist if there is none.
// The reader checks what the container promises, not the manifests' digests.
func (b *Bag) Open(path string) (io.ReadCloser, error) { return b.tree.Open(path) }

func (b *Bag) fail(rule, path, vietnamese, english string) {
	b.note(Fault{Rule: rule, Path: container.Printable(path), Vietnamese: vietnamese, English: english})
}

func (b *Bag) warn(rule, path, vietnamese, english string) {
	b.note(Fault{Rule: rule, Path: container.Printable(path), Vietnamese: vietnamese, English: english, Warning: true})
}

// maxFaults keeps the answer to a hostile bag small.
const maxFaults = 500

// note keeps a fault, once for a rule and a file.
func (b *Bag) note(f Fault) {
	switch {
	case slices.ContainsFunc(b.faults, func(old Fault) bool { return old.Rule == f.Rule && old.Path == f.Path }):
	case len(b.faults) < maxFaults:
		b.faults = append(b.faults, f)
	case !f.Warning && Valid(b.faults):
		b.faults[maxFaults-1] = f // warnings must not hide it
	}
}

// readTag reads a tag file; ok is false if it is absent or cannot be used,
// which has been noted then.
func (b *Bag) readTag(name string) (content []byte, ok bool, err error) {
	content, err = b.tree.ReadFile(name, maxTagFile)
	switch {
	case err == nil:
		return content, true, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case errors.Is(err, fs.ErrInvalid):
		b.fail("bag.tag_too_large", name,
			fmt.Sprintf("Tệp mô tả của gói BagIt lớn hơn %d byte; hãy chia nhỏ gói.", maxTagFile),
			fmt.Sprintf("A tag file is larger than %d bytes; divide the bag.", maxTagFile))
		return nil, false, nil
	case errors.Is(err, container.ErrDamaged):
		b.fail("bag.damaged", name,
			"Tệp mô tả của gói BagIt bị hỏng trong gói nén; hãy đóng gói và gửi lại.",
			"A tag file is damaged inside the container; pack and send it again.")
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("tag file: %w", err)
}
