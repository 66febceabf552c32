package eark

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// What a reader is ready to take.
const (
	maxDirectory = 16 << 20 // octets of the ZIP's directory
	maxFiles     = 50000
	maxPath      = 1000
	maxFolders   = 24  // one in another
	maxRatio     = 200 // unpacked to packed, over the whole ZIP
	ratioFree    = 64 << 20
)

// A source is where the files of a package lie.
type source interface {
	list() []stored // in the order of the ZIP, folders left out
	stat(path string) (stored, bool)
	open(path string) (io.ReadCloser, error)
}

// A stored is one file of a source.
type stored struct {
	path string
	size int64
}

// A zipSource is a ZIP whose entries have been found fit.
type zipSource struct {
	entries []*zip.File
	files   []stored
	at      map[string]int
}

// budget is a reader that gives out only so much: the directory of a ZIP is
// read before anything is known of it. It refuses places that only a forged
// directory names.
type budget struct {
	r    io.ReaderAt
	size int64
	left int64 // unlimited where negative
}

var errBudget = errors.New("directory of the ZIP has no plausible size")

// ReadAt implements io.ReaderAt.
func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > b.size {
		return 0, io.ErrUnexpectedEOF
	}
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			b.left = 0
			return 0, errBudget
		}
	}
	return b.r.ReadAt(p, off)
}

func openZIP(r io.ReaderAt, size int64) (*zipSource, error) {
	if err := plausible(r, size); err != nil {
		return nil, err
	}
	b := &budget{r, size, maxDirectory}
	d, err := zip.NewReader(b, size)
	if err != nil {
		if isZIPError(err) || errors.Is(err, errBudget) {
			return nil, fmt.Errorf("%w: %w", ErrPackage, err)
		}
		return nil, fmt.Errorf("ZIP: %w", err)
	}
	b.left = -1
	if len(d.File) > maxFiles {
		return nil, unfit("more than %d entries", maxFiles)
	}
	z := &zipSource{at: make(map[string]int, len(d.File))}
	if err := z.fit(d.File, size); err != nil {
		return nil, err
	}
	return z, nil
}

// plausible reads the end records before [zip.NewReader] does, which sets memory
// apart for as many entries as they claim (APPNOTE 6.3 §4.3.14 to §4.3.16).
func plausible(r io.ReaderAt, size int64) error {
	const end, locator, end64 = 22, 20, 56
	tail := make([]byte, min(size, 64<<10+end+locator))
	if len(tail) < end {
		return unfit("too short")
	}
	if err := readFull(r, tail, size-int64(len(tail))); err != nil {
		return err
	}
	i := bytes.LastIndex(tail[:len(tail)-end+4], []byte("PK\x05\x06"))
	if i < locator || !bytes.HasPrefix(tail[i-locator:], []byte("PK\x06\x07")) {
		return nil // not ZIP64: at most 65535 entries
	}
	at := binary.LittleEndian.Uint64(tail[i-locator+8:])
	if at > uint64(size) || uint64(size)-at < end64 {
		return unfit("end record lies outside")
	}
	b := make([]byte, end64)
	if err := readFull(r, b, int64(at)); err != nil {
		return err
	}
	if binary.LittleEndian.Uint64(b[32:]) > maxFiles {
		return unfit("more than %d entries", maxFiles)
	}
	return nil
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return unfit("shorter than it should be")
	}
	return fmt.Errorf("ZIP: %w", err)
}

func isZIPError(err error) bool {
	return errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, zip.ErrChecksum) ||
		errors.Is(err, zip.ErrInsecurePath) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrPackage}, args...)...)
}

// fit takes the entries that are files and refuses what nobody should unpack.
func (z *zipSource) fit(entries []*zip.File, size int64) error {
	type span struct{ from, to int64 }
	spans := make([]span, 0, len(entries))
	var unpacked uint64
	for i, f := range entries {
		if err := fitEntry(f); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		from, err := f.DataOffset()
		if err != nil {
			if isZIPError(err) {
				err = fmt.Errorf("%w: %w", ErrPackage, err)
			}
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		if f.CompressedSize64 > uint64(size) || from > size-int64(f.CompressedSize64) {
			return unfit("entry %d reaches beyond the end", i+1)
		}
		// The local header has 30 octets and the name at least.
		spans = append(spans, span{from - 30 - int64(len(f.Name)), from + int64(f.CompressedSize64)})
		if unpacked += f.UncompressedSize64; f.UncompressedSize64 > 1<<53 || unpacked > ratioFree+maxRatio*uint64(size) {
			return unfit("unpacks to more than %d times its size", maxRatio)
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := z.add(f); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return int(min(1, max(-1, a.from-b.from))) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return unfit("entries overlap")
		}
	}
	return z.clash()
}

func (z *zipSource) add(f *zip.File) error {
	if _, twice := z.at[f.Name]; twice {
		return unfit("a name occurs twice")
	}
	z.at[f.Name] = len(z.files)
	z.entries = append(z.entries, f)
	z.files = append(z.files, stored{f.Name, int64(f.UncompressedSize64)})
	return nil
}

// clash refuses a file that is the folder of another.
func (z *zipSource) clash() error {
	for _, f := range z.files {
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			if _, ok := z.at[dir]; ok {
				return unfit("a name is both file and folder")
			}
		}
	}
	return nil
}

func fitEntry(f *zip.File) error {
	switch {
	case f.Flags&1 != 0:
		return unfit("encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return unfit("compressed by a method other than deflate")
	case f.Mode()&fs.ModeType&^fs.ModeDir != 0:
		return unfit("a link or a device")
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return unfit("two sizes")
	case f.Mode().IsDir() != strings.HasSuffix(f.Name, "/"), strings.HasSuffix(f.Name, "/") && f.UncompressedSize64 != 0:
		return unfit("folder and file at once")
	}
	return fitPath(strings.TrimSuffix(f.Name, "/"))
}

// fitPath refuses names that would leave the folder they are unpacked in, or be
// another name on another system.
func fitPath(name string) error {
	if len(name) > maxPath || !utf8.ValidString(name) || !fs.ValidPath(name) || name == "." ||
		strings.Count(name, "/") > maxFolders || strings.ContainsAny(name, "\\\x00") || strings.Contains(name, ":/") || len(name) > 1 && name[1] == ':' {
		return unfit("a name that is not a plain relative path in UTF-8")
	}
	return nil
}

// strip takes the one top folder off all paths and returns its name; loose
// means that there is not one.
func (z *zipSource) strip() (name string, loose bool) {
	for i, f := range z.files {
		top, _, ok := strings.Cut(f.path, "/")
		if !ok || i > 0 && top != name {
			return "", true
		}
		name = top
	}
	at := make(map[string]int, len(z.at))
	for i := range z.files {
		z.files[i].path = z.files[i].path[len(name)+1:]
		at[z.files[i].path] = i
	}
	z.at = at
	return name, false
}

func (z *zipSource) list() []stored { return z.files }

func (z *zipSource) stat(path string) (stored, bool) {
	i, ok := z.at[path]
	if !ok {
		return stored{}, false
	}
	return z.files[i], true
}

func (z *zipSource) open(path string) (io.ReadCloser, error) {
	i, ok := z.at[path]
	if !ok {
		return nil, fmt.Errorf("file of the package: %w", fs.ErrNotExist)
	}
	rc, err := z.entries[i].Open()
	if err != nil {
		return nil, zipError(err)
	}
	return &zipReader{rc}, nil
}

// A zipReader gives the errors of a damaged ZIP this package's name.
type zipReader struct{ io.ReadCloser }

// Read implements io.Reader.
func (r *zipReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = zipError(err)
	}
	return n, err
}

func zipError(err error) error {
	var corrupt interface{ Error() string }
	if isZIPError(err) || errors.As(err, &corrupt) && strings.HasPrefix(corrupt.Error(), "flate:") {
		return fmt.Errorf("%w: %w", ErrPackage, err)
	}
	return err
}

// A folderSource is an unpacked package.
type folderSource struct {
	fsys  fs.FS
	files []stored
	at    map[string]int
}

func openFolder(fsys fs.FS) (*folderSource, error) {
	s := &folderSource{fsys: fsys, at: make(map[string]int)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return unfit("a link or a device")
		case len(s.files) == maxFiles:
			return unfit("more than %d files", maxFiles)
		}
		if err := fitPath(name); err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		s.at[name] = len(s.files)
		s.files = append(s.files, stored{name, info.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	return s, nil
}

func (s *folderSource) list() []stored { return s.files }

func (s *folderSource) stat(path string) (stored, bool) {
	i, ok := s.at[path]
	if !ok {
		return stored{}, false
	}
	return s.files[i], true
}

func (s *folderSource) open(path string) (io.ReadCloser, error) {
	if _, ok := s.at[path]; !ok {
		return nil, fmt.Errorf("file of the package: %w", fs.ErrNotExist)
	}
	f, err := s.fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	return f, nil
}
