package inspect_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/internal/sample"
)

// BenchmarkDossier looks into the seven documents of a dossier of 3 MB, without a virus scanner.
func BenchmarkDossier(b *testing.B) {
	i := open(b, inspect.Config{})
	for s := range sample.Make(1, 1, sample.Options{Size: 3 << 20}) {
		var d dossier.Declaration
		if err := json.Unmarshal(s.Declaration, &d); err != nil {
			b.Fatal(err)
		}
		total := int64(0)
		for _, f := range s.Files {
			total += int64(len(f.Data))
		}
		b.SetBytes(total)
		b.ReportAllocs()
		for b.Loop() {
			for n, f := range s.Files {
				fs, err := i.Document(b.Context(), &d, n, bytes.NewReader(f.Data), int64(len(f.Data)))
				if err != nil || wrong(fs) != "" && wrong(fs) != "signature.none" {
					b.Fatalf("%s: %+v, %v", f.Name, fs, err)
				}
			}
		}
	}
}

// BenchmarkDocument looks into one document of each kind.
func BenchmarkDocument(b *testing.B) {
	i := open(b, inspect.Config{})
	seen := map[string]bool{}
	for s := range sample.Make(2, 14, sample.Options{}) {
		for _, f := range s.Files {
			if seen[f.MediaType] {
				continue
			}
			seen[f.MediaType] = true
			d := dossier.Declaration{Documents: []dossier.Document{{Name: f.Name, MediaType: f.MediaType}}}
			b.Run(f.MediaType, func(b *testing.B) {
				b.SetBytes(int64(len(f.Data)))
				for b.Loop() {
					if _, err := i.Document(b.Context(), &d, 0, bytes.NewReader(f.Data), int64(len(f.Data))); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
