package eark_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

// BenchmarkCheck opens and checks a SIP with three documents.
func BenchmarkCheck(b *testing.B) {
	_, packed := write(b, dossier.SIP)
	b.SetBytes(int64(len(packed)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := eark.Open(bytes.NewReader(packed), int64(len(packed)))
		if err != nil {
			b.Fatal(err)
		}
		if v := p.Check(b.Context()); len(v) > 0 {
			b.Fatal(v)
		}
	}
}

// BenchmarkRead opens it, reads the declaration, and streams the documents.
func BenchmarkRead(b *testing.B) {
	_, packed := write(b, dossier.SIP)
	b.SetBytes(int64(len(packed)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := eark.Open(bytes.NewReader(packed), int64(len(packed)))
		if err != nil {
			b.Fatal(err)
		}
		p.Declaration()
		for _, d := range p.Documents() {
			rc, err := p.Open(d.Name)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, rc); err != nil {
				b.Fatal(err)
			}
			rc.Close()
		}
	}
}
