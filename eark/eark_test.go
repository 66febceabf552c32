package eark_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// TestOwn reads the packages that this archive writes: they meet every MUST and
// SHOULD, and give back the declaration they were made of.
func TestOwn(t *testing.T) {
	for _, kind := range []dossier.Kind{dossier.AIP, dossier.SIP, dossier.DIP} {
		t.Run(string(kind), func(t *testing.T) {
			name, b := write(t, kind)
			p := open(t, b)
			if p.Name() != name || p.Kind() != string(kind) {
				t.Errorf("name %q, kind %q", p.Name(), p.Kind())
			}
			for _, v := range p.Check(t.Context()) {
				t.Errorf("%s %s at %s: %s", v.Level, v.Rule, v.Path, v.English)
			}
			d, problems := p.Declaration()
			for _, pr := range problems {
				t.Errorf("%s at %s", pr.Code, pr.Field)
			}
			got, err := d.Canonical()
			if err != nil {
				t.Fatal(err)
			}
			want, err := declare().Canonical()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("declaration\n%s\nwant\n%s", got, want)
			}
			names, files := contents()
			for i, doc := range p.Documents() {
				if doc.Name != names[i] {
					t.Errorf("document %d is %q", i, doc.Name)
				}
				rc, err := p.Open(doc.Name)
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(rc)
				if err != nil || !bytes.Equal(content, files[doc.Name]) {
					t.Errorf("document %d: %v, %d octets", i, err, len(content))
				}
				if err := rc.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
