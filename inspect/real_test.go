package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/internal/sample"
)

// TestRealClamd has a real scanner look at documents: found, clean, and unchecked when it has gone. It needs LUUTRU_CLAMD=1.
func TestRealClamd(t *testing.T) {
	if os.Getenv("LUUTRU_CLAMD") != "1" {
		t.Skip("LUUTRU_CLAMD is not set")
	}
	dir := t.TempDir()
	socket, conf := filepath.Join(dir, "s"), filepath.Join(dir, "clamd.conf")
	virus := []byte("Đây là mã độc " + "giả định của luutru")
	for name, text := range map[string]string{
		filepath.Join(dir, "luutru.ndb"): fmt.Sprintf("Luutru.Test:0:*:%x\n", virus),
		conf:                             fmt.Sprintf("LocalSocket %s\nDatabaseDirectory %s\nForeground yes\nUser root\n", socket, dir),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "clamd", "--config-file", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	i := open(t, inspect.Config{Scanner: "unix:" + socket})
	doc := dossier.Document{Name: "a.txt", MediaType: "text/plain"}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 600 {
		if wrong(findings(t, i, doc, []byte("x"))) == "" {
			break
		}
		<-ticker.C
	}
	if got := wrong(findings(t, i, doc, []byte("xin chào"))); got != "" {
		t.Errorf("harmless: %s", got)
	}
	if got := wrong(findings(t, i, doc, virus)); got != "virus.found" {
		t.Errorf("virus: %s", got)
	}
	if got := wrong(findings(t, i, dossier.Document{Name: "a.zip", MediaType: "application/zip"}, zipFile(t, entry{"a", string(virus)}))); got != "virus.found" {
		t.Errorf("virus in ZIP: %s", got)
	}
	stop()
	<-ended
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
