package archive_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
)

// BenchmarkIngest takes dossiers of 3 MB in some seven files in, into memory: what
// is measured is our own work, the inspection of the documents with it, and no
// store. The index follows behind.
func BenchmarkIngest(b *testing.B) {
	b.Run("checked", func(b *testing.B) { benchmarkIngest(b, true) })
	b.Run("not looked into", func(b *testing.B) { benchmarkIngest(b, false) })
}

func benchmarkIngest(b *testing.B, checked bool) {
	w := &world{buckets: newBuckets(), index: newIndex(b), node: "a"}
	if err := archive.Create(b.Context(), w.config(b), "luutru.test", schedule); err != nil {
		b.Fatal(err)
	}
	a, err := archive.Open(b.Context(), w.config(b))
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	if !checked {
		if err := archive.Uninspected(b.Context(), a); err != nil {
			b.Fatal(err)
		}
	}
	by := portal
	by.Agencies = []string{"*"}
	const size = 3 << 20
	b.SetBytes(size)
	b.StopTimer()
	n := 0
	opts := sample.Options{Size: size, From: time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC)}
	for s := range sample.Make(1, b.N, opts) {
		d, err := dossier.ParseDeclaration(bytes.NewReader(s.Declaration), dossier.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		d.Class = "GP"
		var c content
		for _, f := range s.Files {
			c = append(c, part{f.Name, string(f.Data)})
		}
		b.StartTimer()
		_, err = a.Ingest(b.Context(), by, d, &c)
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		if n++; n%50 == 0 { // the index is not what is measured
			if err := a.Indexed(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
