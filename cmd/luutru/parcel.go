package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// parcel is a dossier to be pushed, as it lies on this machine.
type parcel struct {
	path        string // of the folder or package, for people and the journal
	dir         string // of the documents, where they are loose
	declaration string // file, likewise
	size        int64  // octets, roughly
	mark        string // changes when the files do
}

// parcelsOf finds what the arguments of a command name.
func parcelsOf(args []string) ([]*parcel, error) {
	if filepath.Ext(args[0]) == ".json" {
		if len(args) > 2 {
			return nil, usagef("push FILE.json [DIR]")
		}
		x := &parcel{path: args[0], declaration: args[0], dir: filepath.Dir(args[0])}
		if len(args) == 2 {
			x.dir = args[1]
		}
		info, err := os.Stat(x.declaration)
		if err == nil {
			x.mark, x.size = markOf(info), info.Size()
		}
		return []*parcel{x}, err
	}
	var all []*parcel
	for _, path := range args {
		x, err := parcelOf(path)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

func markOf(info fs.FileInfo) string {
	return fmt.Sprintf("%d@%d", info.Size(), info.ModTime().UnixNano())
}

// parcelOf looks at a folder or a file.
func parcelOf(path string) (*parcel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	x := &parcel{path: path, size: info.Size(), mark: markOf(info)}
	if !info.IsDir() {
		return x, nil
	}
	if err := x.measure(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(path, declarationFile)); err == nil {
		x.dir, x.declaration = path, filepath.Join(path, declarationFile)
	}
	return x, nil
}

// measure adds up the files of a folder.
func (x *parcel) measure() error {
	x.size = 0
	sum := sha256.New()
	err := filepath.WalkDir(x.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			x.size += info.Size()
			fmt.Fprintf(sum, "%s\x00%s\x00", path, markOf(info))
		}
		return err
	})
	x.mark = hex.EncodeToString(sum.Sum(nil)[:12])
	return err
}

// push pushes a parcel once, in the form it has.
func (p *pusher) push(ctx context.Context, x *parcel) (*archive.Receipt, error) {
	if x.declaration != "" {
		b, err := readBundle(x.declaration, x.dir)
		if err != nil {
			return nil, err
		}
		return p.client.Push(ctx, b.declaration, b.watched(p.bar))
	}
	info, err := os.Stat(x.path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return p.pushFolder(ctx, x)
	}
	f, err := os.Open(x.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if p.resumable || info.Size() >= p.above<<20 {
		return p.upload(ctx, x, f, info.Size())
	}
	return p.client.PushPackage(ctx, packageType(x.path), io.TeeReader(f, p.bar), info.Size())
}

func packageType(path string) string {
	if strings.EqualFold(filepath.Ext(path), ".tar") {
		return "application/x-tar"
	}
	return "application/zip"
}

// pushFolder pushes an unpacked package as a ZIP that is made on the way.
func (p *pusher) pushFolder(ctx context.Context, x *parcel) (*archive.Receipt, error) {
	root, err := os.OpenRoot(x.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	r, w := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := pack(w, root.FS(), filepath.Base(filepath.Clean(x.path)), p.bar)
		packed <- err
		w.CloseWithError(err)
	}()
	receipt, err := p.client.PushPackage(ctx, "application/zip", r, -1)
	r.CloseWithError(io.ErrClosedPipe)
	unsent := <-packed
	var answer *api.Problem
	if err != nil && unsent != nil && !errors.Is(unsent, io.ErrClosedPipe) && !errors.As(err, &answer) {
		return nil, unsent // such as a file that can't be read
	}
	return receipt, err
}

// pack writes a folder as a ZIP with one top folder.
func pack(w io.Writer, files fs.FS, top string, bar io.Writer) error {
	z := zip.NewWriter(w)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s: %w: chỉ nhận tệp thường · only regular files are taken", path, fs.ErrInvalid)
		}
		to, err := z.CreateHeader(&zip.FileHeader{Name: top + "/" + path, Method: zip.Store})
		if err != nil {
			return err
		}
		f, err := files.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.MultiWriter(to, bar), f)
		return errors.Join(err, f.Close())
	})
	return errors.Join(err, z.Close())
}

// bundle is a declaration and its loose documents.
type bundle struct {
	declaration []byte
	files       []api.File
}

// readBundle reads a declaration and completes it from the files. One with
// faults goes to the server as it is, which lists all of them.
func readBundle(path, dir string) (*bundle, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := &bundle{declaration: raw}
	d, err := dossier.ParseDeclaration(bytes.NewReader(raw), dossier.Limits{})
	if err != nil || d == nil {
		return b, nil
	}
	completed := false
	for i := range d.Documents {
		doc := &d.Documents[i]
		if doc.Size == 0 && doc.SHA256 == "" {
			if doc.Size, doc.SHA256, err = measure(dir, doc.Name); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			completed = true
		}
		b.files = append(b.files, api.File{Name: doc.Name, Open: func() (io.ReadCloser, error) { return os.OpenInRoot(dir, doc.Name) }})
	}
	if completed {
		b.declaration, err = json.Marshal(d)
	}
	return b, err
}

// measure returns size and digest of a file of the folder.
func measure(dir, name string) (int64, string, error) {
	f, err := os.OpenInRoot(dir, name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return n, hex.EncodeToString(sum.Sum(nil)), err
}

// watched returns the files, with all that is read from them also written to
// w.
func (b *bundle) watched(w io.Writer) []api.File {
	var all []api.File
	for _, f := range b.files {
		all = append(all, api.File{Name: f.Name, Open: func() (io.ReadCloser, error) {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r, w), r}, nil
		}})
	}
	return all
}
