package submission_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
	"github.com/luutru/luutru/submission"
)

// BenchmarkOpen opens a dossier of 3 MB in seven files in every form, and reads
// its documents as ingest does. "sha256" is the floor in the same run: the same
// octets through SHA-256, as often as a submission is read: twice.
func BenchmarkOpen(b *testing.B) {
	d := slices.Collect(sample.Make(1, 1, sample.Options{Size: 3 << 20}))[0]
	for _, name := range slices.Sorted(maps.Keys(forms())) {
		packed := forms()[name].make(b, d)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(packed)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := submission.Open(b.Context(), bytes.NewReader(packed), int64(len(packed)), dossier.Limits{}, nil)
				if err != nil {
					b.Fatal(explain(err))
				}
				drain(b, s)
			}
		})
	}
	b.Run("sha256", func(b *testing.B) {
		packed := forms()["bag.tar"].make(b, d)
		b.SetBytes(int64(len(packed)))
		for b.Loop() {
			for range 2 {
				if _, err := io.Copy(sha256.New(), bytes.NewReader(packed)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func drain(t testing.TB, s *submission.Submission) {
	t.Helper()
	for {
		_, r, err := s.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
	}
}
