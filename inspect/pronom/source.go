package pronom

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"

	"github.com/luutru/luutru/inspect/ole"
)

// A source is what the library reads, as if it were the whole file.
type source struct{ b []byte }

const (
	maxContainer = 4 << 20  // bytes read of an OLE file
	maxParts     = 2000     // names of parts of a ZIP file
	maxPart      = 32 << 10 // bytes of a telling part
	maxTelling   = 40       // telling parts
	maxStreams   = 60       // of an OLE file
	maxBegin     = 4 << 10  // bytes of one
)

// look takes what is needed of a file into memory.
func look(r io.ReaderAt, size, edge int64, middle []byte) (*source, error) {
	n := min(size, edge)
	b := make([]byte, n, n+min(size-n, edge)+int64(len(middle)))
	if err := full(r, b, 0); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(b, []byte(`{\rtf`)) && edge < far: // the versions of RTF differ further on
		return look(r, size, far, middle)
	case bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		if f, err := ole.Open(r, size); err == nil {
			stub := stubOfOLE(f)
			return &source{stub}, nil
		}
		clear(b[:8]) // the library must not open what is broken: it takes the header's word for what to allocate
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		if stub := stubOf(r, size); stub != nil {
			return &source{stub}, nil
		}
	}
	b = append(b, middle...)
	if rest := min(size-n, edge); rest > 0 {
		at := len(b)
		b = b[:at+int(rest)]
		if err := full(r, b[at:], size-rest); err != nil {
			return nil, err
		}
	}
	return &source{b}, nil
}

func full(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// stubOf makes a small ZIP file with the same names in the same order, and with the first bytes of the parts by which formats made of
// ZIP files are told apart. The library would read the whole file.
func stubOf(r io.ReaderAt, size int64) []byte {
	z, err := zip.NewReader(r, size)
	if err != nil || len(z.File) == 0 {
		return nil
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	left := maxTelling
	for i, f := range z.File {
		if i >= maxParts && !telling(f.Name) {
			continue
		}
		p, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store})
		if err != nil {
			return nil
		}
		if !telling(f.Name) || left <= 0 {
			continue
		}
		left--
		in, err := f.Open()
		if err != nil {
			continue
		}
		io.Copy(p, io.LimitReader(in, maxPart)) // of a damaged part what can be had
		in.Close()
	}
	if w.Close() != nil {
		return nil
	}
	return out.Bytes()
}

// stubOfOLE makes a small OLE file with the same names at the top and the first bytes of each stream. The library would follow whatever
// a hostile file says of itself.
func stubOfOLE(f *ole.File) []byte {
	var parts []ole.Part
	for _, s := range f.Top() {
		p := ole.Part{Name: s.Name}
		if !s.Storage {
			p.Data = append([]byte{}, f.Begin(s, maxBegin)...)
		}
		if parts = append(parts, p); len(parts) == maxStreams {
			break
		}
	}
	return ole.Write(parts)
}

// telling tells whether the content of a part may tell a format: what lies at the top, and the lists of parts and of properties.
func telling(name string) bool {
	switch name {
	case "word/document.xml", "xl/workbook.xml", "ppt/presentation.xml": // strict Office Open XML has other name spaces
		return true
	case "META-INF/manifest.xml", "META-INF/container.xml", "META-INF/MANIFEST.MF", "_rels/.rels", "docProps/app.xml":
		return true
	}
	return name != "" && !strings.ContainsAny(name, "/\\")
}

// Read is never called: the library slices.
func (s *source) Read([]byte) (int, error) { return 0, io.EOF }

// IsSlicer says so.
func (s *source) IsSlicer() bool { return true }

// Size is the number of bytes there are to slice.
func (s *source) Size() int64 { return int64(len(s.b)) }

// Slice gives up to n bytes at a place, and io.EOF with less.
func (s *source) Slice(at int64, n int) ([]byte, error) {
	size := s.Size()
	if at < 0 || at >= size || n < 0 {
		return nil, io.EOF
	}
	if at+int64(n) > size {
		return s.b[at:], io.EOF
	}
	return s.b[at : at+int64(n)], nil
}

// EofSlice gives up to n bytes that end so many bytes before the end.
func (s *source) EofSlice(back int64, n int) ([]byte, error) {
	size := s.Size()
	if back < 0 || back >= size || n < 0 {
		return nil, io.EOF
	}
	end := size - back
	if int64(n) > end {
		return s.b[:end], io.EOF
	}
	return s.b[end-int64(n) : end], nil
}
