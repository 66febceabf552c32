package container

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

const maxDepth = 64

// OpenFS reads the list of files of a folder. Give it the file system of an
// os.Root rather than os.DirFS: that one follows links which appear after the
// list was read.
func OpenFS(fsys fs.FS, limits Limits) (*Tree, error) {
	limits = limits.withDefaults()
	b := newBuilder(Folder, limits)
	if err := b.walk(fsys, ".", 0); err != nil {
		return nil, err
	}
	return &b.Tree, nil
}

// walk reads a folder in batches, so that one with millions of files is refused
// before its list is in memory.
func (b *builder) walk(fsys fs.FS, dir string, depth int) error {
	if depth > maxDepth {
		f, _ := CheckPath("")
		f.Path = dir
		b.fault(f)
		return nil
	}
	entries, err := fs.ReadDir(limited{fsys, b.limits.Files - b.seen + 1}, dir)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if err := b.count(); err != nil {
			return err
		}
		path := e.Name()
		if dir != "." {
			path = dir + "/" + path
		}
		if err := b.found(fsys, path, e, depth); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) found(fsys fs.FS, path string, e fs.DirEntry, depth int) error {
	switch {
	case e.IsDir():
		b.dir(path)
		return b.walk(fsys, path, depth+1)
	case !e.Type().IsRegular():
		b.fault(special(path))
		return nil
	}
	info, err := e.Info()
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	size := info.Size()
	return b.add(File{Path: path, Size: size, open: func() (io.ReadCloser, error) {
		f, err := fsys.Open(path)
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		return &checked{r: f, closer: f, left: size}, nil
	}})
}

// limited reads no more entries of a folder than may be listed.
type limited struct {
	fs.FS
	most int
}

// ReadDir implements fs.ReadDirFS.
func (l limited) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := l.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, fmt.Errorf("not a folder: %w", fs.ErrInvalid)
	}
	entries, err := d.ReadDir(max(l.most, 1))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return entries, err
}
