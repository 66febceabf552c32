package dossier_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// sparse is a file of which only the pieces that are not the zero block are
// held.
type sparse struct {
	zero   []byte
	size   int64
	pieces []piece
}

type piece struct {
	at int64
	b  []byte
}

func (s *sparse) Write(p []byte) (int, error) {
	if &p[0] != &s.zero[0] {
		s.pieces = append(s.pieces, piece{s.size, slices.Clone(p)})
	}
	s.size += int64(len(p))
	return len(p), nil
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-off))
	clear(p[:n])
	for _, x := range s.pieces {
		if from := x.at - off; from < int64(n) && from+int64(len(x.b)) > 0 {
			copy(p[max(0, from):n], x.b[max(0, -from):])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestBeyond4GiB packs a document that needs the 64-bit fields of ZIP, and one
// after it whose offset does, and one time documents that end just below the
// limit, so that it falls among the metadata.
func TestBeyond4GiB(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 4 GiB")
	}
	const limit = 1<<32 - 1
	for _, tt := range []struct {
		name, digest string
		size         int64
	}{
		{"document", "59ead87e2e32370612861365e7dcf1543fb29afaa0b29432c37eab5373fed514", 1<<32 + 12345},
		{"metadata", "ffd7f883f24e9d90f660ae1d5872d8062897ad99aed5b2cf1c525c7ae6a168fb", limit - 20000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name != "document" && os.Getenv("LUUTRU_INTEROP") != "1" {
				t.Skip("hashes 4 GiB once more")
			}
			packLarge(t, tt.size, tt.digest)
		})
	}
}

func packLarge(t *testing.T, size int64, digest string) {
	t.Helper()
	zero := make([]byte, 1<<20)
	d := declare(map[string][]byte{"nhỏ.pdf": []byte("nhỏ")}, "lớn.bin", "nhỏ.pdf")
	d.Documents[0].Size, d.Documents[0].SHA256 = size, digest
	plan, err := dossier.NewPlan(d, meta())
	if err != nil {
		t.Fatal(err)
	}
	s := &sparse{zero: zero}
	w := plan.Writer(s)
	part, err := w.Document("lớn.bin")
	if err != nil {
		t.Fatal(err)
	}
	for left := size; left > 0; {
		n, err := part.Write(zero[:min(left, int64(len(zero)))])
		if err != nil {
			t.Fatal(err)
		}
		left -= int64(n)
	}
	if part, err = w.Document("nhỏ.pdf"); err != nil {
		t.Fatal(err)
	}
	io.WriteString(part, "nhỏ")
	mets, err := w.Close(events())
	if err != nil {
		t.Fatal(err)
	}
	if s.size != plan.Size() {
		t.Errorf("planned %d, wrote %d", plan.Size(), s.size)
	}
	checkLarge(t, s, mets, size)
}

func checkLarge(t *testing.T, s *sparse, digest string, size int64) {
	t.Helper()
	p, err := dossier.OpenPackage(s, s.size, digest)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(s, s.size)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range p.Entries() {
		f := z.File[i]
		offset, err := f.DataOffset()
		if err != nil || offset != e.Offset || int64(f.UncompressedSize64) != e.Size {
			t.Errorf("%s: %v, offset %d, want %d", e.Path, err, offset, e.Offset)
		}
		if i == 0 {
			if e.Size != size {
				t.Errorf("size %d", e.Size)
			}
			continue
		}
		b, err := p.ReadFile(e.Path)
		if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Errorf("%s: %v", e.Path, err)
		}
	}
	if _, err := p.Declaration(); err != nil {
		t.Error(err)
	}
}
