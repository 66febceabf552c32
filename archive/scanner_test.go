package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
)

// TestScanner has a real clamd stand at the door of an archive. It needs
// LUUTRU_CLAMD=1 and clamd; .ci/clamd runs it.
func TestScanner(t *testing.T) {
	if os.Getenv("LUUTRU_CLAMD") != "1" {
		t.Skip("LUUTRU_CLAMD is not set")
	}
	const virus = "mã độc giả định của luutru"
	dir := t.TempDir()
	socket, conf := filepath.Join(dir, "s"), filepath.Join(dir, "clamd.conf")
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
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })

	w := newWorld(t)
	a := w.open(t)
	setPolicy(t, a, func(p *intake.Policy) { p.Scanner = "unix:" + socket })
	d, c := submission(code(1), usual)
	r, err := a.Ingest(t.Context(), portal, d, c)
	for tick := time.NewTicker(50 * time.Millisecond); errors.Is(err, archive.ErrWait); { // clamd is still starting
		select {
		case <-tick.C:
		case <-ended:
			t.Fatal("clamd ended")
		case <-t.Context().Done():
			t.Fatal(err)
		}
		d, c = submission(code(1), usual)
		r, err = a.Ingest(t.Context(), portal, d, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.Seal, "virus.clean") || strings.Contains(r.Seal, "virus.no_scanner") {
		t.Errorf("the seal does not say that it was scanned: %s", r.Seal)
	}

	infected := map[string]string{}
	for name, text := range usual {
		infected[name] = text + virus
	}
	before := w.objects(t)
	d, c = submission(code(2), infected)
	_, err = a.Ingest(t.Context(), portal, d, c)
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Problems) != len(usual) || invalid.Problems[0].Code != "virus.found" {
		t.Fatalf("got %v, want virus.found for each of %d documents", err, len(usual))
	}
	for _, o := range w.objects(t) {
		if !slices.Contains(before, o) && (strings.Contains(o, "packages/") || strings.HasPrefix(o, "keys ")) {
			t.Errorf("left behind: %s", o)
		}
	}

	stop()
	<-ended
	d, c = submission(code(3), usual)
	if _, err := a.Ingest(t.Context(), portal, d, c); !errors.Is(err, archive.ErrWait) {
		t.Errorf("with the scanner gone: %v, want ErrWait", err)
	}
}
