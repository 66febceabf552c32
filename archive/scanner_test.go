package archive_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect/clamd/clamdtest"
	"github.com/luutru/luutru/intake"
)

// TestScanner has a real clamd stand at the door of an archive. It needs
// LUUTRU_CLAMD=1 and clamd; .ci/clamd runs it.
func TestScanner(t *testing.T) {
	const virus = "mã độc giả định của luutru"
	daemon := clamdtest.Start(t, "Luutru.Test", []byte(virus), "")
	w := newWorld(t)
	a := w.open(t)
	setPolicy(t, a, func(p *intake.Policy) { p.Scanner = daemon.Address })
	d, c := submission(code(1), usual)
	r, err := a.Ingest(t.Context(), portal, d, c)
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

	daemon.Stop()
	d, c = submission(code(3), usual)
	if _, err := a.Ingest(t.Context(), portal, d, c); !errors.Is(err, archive.ErrWait) {
		t.Errorf("with the scanner gone: %v, want ErrWait", err)
	}
}
