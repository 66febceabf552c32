package dossier_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// counter is a writer without io.ReaderFrom, so that io.Copy goes through its
// own buffer for both.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// BenchmarkWriter packs documents; "sha256" is the floor in the same run: the
// same bytes through SHA-256 and io.Copy only.
func BenchmarkWriter(b *testing.B) {
	for _, c := range []struct{ documents, size int }{{8, 400 << 10}, {7, 430 << 10}, {1, 256 << 20}} {
		total := int64(c.documents * c.size)
		name := fmt.Sprintf("%dx%dKiB", c.documents, c.size>>10)
		b.Run("sha256/"+name, func(b *testing.B) {
			b.SetBytes(total)
			for b.Loop() {
				for range c.documents {
					h := sha256.New()
					if _, err := io.Copy(io.MultiWriter(h, &counter{}), io.LimitReader(zeros{}, int64(c.size))); err != nil {
						b.Fatal(err)
					}
					h.Sum(nil)
				}
			}
		})
		b.Run("package/"+name, func(b *testing.B) {
			h := sha256.New()
			if _, err := io.Copy(h, io.LimitReader(zeros{}, int64(c.size))); err != nil {
				b.Fatal(err)
			}
			d := declare(nil)
			for i := range c.documents {
				doc := document(i, fmt.Sprintf("Tài liệu %d.pdf", i), nil)
				doc.Size, doc.SHA256 = int64(c.size), hex.EncodeToString(h.Sum(nil))
				d.Documents = append(d.Documents, doc)
			}
			b.SetBytes(total)
			b.ReportAllocs()
			for b.Loop() {
				packZeros(b, d)
			}
		})
	}
}

// BenchmarkMetadata is what a usual dossier of seven documents costs beside its
// bytes: laying out, describing, closing, with the findings of intake and
// without, and what the validation of the declaration costs.
func BenchmarkMetadata(b *testing.B) {
	d := declare(nil)
	for i := range 7 {
		d.Documents = append(d.Documents, document(i, fmt.Sprintf("Tài liệu %d.pdf", i), []byte{0}))
	}
	var found []dossier.Event
	for i := range d.Documents {
		found = append(found, findings(d.Documents[i].Name)...)
	}
	for _, c := range []struct {
		name   string
		kind   dossier.Kind
		events []dossier.Event
	}{{"AIP", dossier.AIP, events()}, {"AIP/findings", dossier.AIP, append(events(), found...)}, {"SIP", dossier.SIP, nil}} {
		m := meta()
		m.Kind = c.kind
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan, err := dossier.NewPlan(d, m)
				if err != nil {
					b.Fatal(err)
				}
				w := plan.Writer(io.Discard)
				for i := range d.Documents {
					part, err := w.Document(d.Documents[i].Name)
					if err == nil {
						_, err = part.Write([]byte{0})
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Close(c.events); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(plan.Size()), "octets")
			}
		})
	}
	b.Run("validate", func(b *testing.B) {
		for b.Loop() {
			if p := d.Validate(now(), dossier.Limits{}); len(p) > 0 {
				b.Fatal(p[0].Code)
			}
		}
	})
}

func packZeros(b *testing.B, d *dossier.Declaration) {
	plan, err := dossier.NewPlan(d, meta())
	if err != nil {
		b.Fatal(err)
	}
	w := plan.Writer(&counter{})
	for _, doc := range d.Documents {
		part, err := w.Document(doc.Name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(part, io.LimitReader(zeros{}, doc.Size)); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.Close(events()); err != nil {
		b.Fatal(err)
	}
}
