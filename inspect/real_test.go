package inspect_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/inspect/clamd/clamdtest"
	"github.com/luutru/luutru/internal/filetest"
	"github.com/luutru/luutru/internal/sample"
)

// TestRealClamd has a real scanner look at documents: found, clean, and unchecked when it has gone. It needs LUUTRU_CLAMD=1.
func TestRealClamd(t *testing.T) {
	virus := []byte("Đây là mã độc " + "giả định của luutru")
	daemon := clamdtest.Start(t, "Luutru.Test", virus, "")
	i := open(t, inspect.Config{Scanner: daemon.Address})
	doc := dossier.Document{Name: "a.txt", MediaType: "text/plain"}
	if got := wrong(findings(t, i, doc, []byte("xin chào"))); got != "" {
		t.Errorf("harmless: %s", got)
	}
	if got := wrong(findings(t, i, doc, virus)); got != "virus.found" {
		t.Errorf("virus: %s", got)
	}
	if got := wrong(findings(t, i, dossier.Document{Name: "a.zip", MediaType: "application/zip"}, filetest.ZIP(t, filetest.Entry{"a", string(virus)}))); got != "virus.found" {
		t.Errorf("virus in ZIP: %s", got)
	}
	daemon.Stop()
	if got := wrong(findings(t, i, doc, virus)); got != "virus.unchecked" {
		t.Errorf("scanner gone: %s", got)
	}
}

// BenchmarkRealSiegfried compares with the command of siegfried, one call for the seven documents of a dossier of 3 MB. It needs the
// path of the command and of its signature file in LUUTRU_SF and LUUTRU_SF_SIG.
func BenchmarkRealSiegfried(b *testing.B) {
	if os.Getenv("LUUTRU_SF") == "" {
		b.Skip("LUUTRU_SF is not set")
	}
	dir := b.TempDir()
	d := dossier.Declaration{}
	var data [][]byte
	for s := range sample.Make(1, 1, sample.Options{Size: 3 << 20}) {
		for _, f := range s.Files {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				b.Fatal(err)
			}
			d.Documents = append(d.Documents, dossier.Document{Name: f.Name, MediaType: f.MediaType})
			data = append(data, f.Data)
		}
	}
	b.Run("library", func(b *testing.B) {
		i := open(b, inspect.Config{})
		for b.Loop() {
			for n := range data {
				if _, err := i.Document(b.Context(), &d, n, bytes.NewReader(data[n]), int64(len(data[n]))); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("command", func(b *testing.B) {
		for b.Loop() {
			if out, err := exec.CommandContext(b.Context(), os.Getenv("LUUTRU_SF"), "-sig", os.Getenv("LUUTRU_SF_SIG"), dir).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}
