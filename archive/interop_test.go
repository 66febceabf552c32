package archive_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/signing"
)

// TestPublicTools takes what is stored, and opens and verifies it without any
// code of ours: `cat key data | gosop decrypt` gives a ZIP that unzip accepts,
// whose digests sha256sum confirms, and whose METS.xml gosop verifies. It runs
// where LUUTRU_GOSOP names the tool (.ci/run installs one).
func TestPublicTools(t *testing.T) {
	gosop := os.Getenv("LUUTRU_GOSOP")
	if gosop == "" {
		t.Skip("LUUTRU_GOSOP names no tool")
	}
	for _, p := range []signing.Profile{signing.Classic, signing.Hybrid} {
		t.Run(string(p), func(t *testing.T) {
			k, offline, err := archive.GenerateKeyring(p, "luutru.test", time.Now().Add(-time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.buckets, w.index = newBuckets(), newIndex(t)
			c := w.config(t)
			c.Keyring, c.Now = k, time.Now // a signature of the future verifies nowhere
			if err := archive.Create(t.Context(), c, "luutru.test", schedule); err != nil {
				t.Fatal(err)
			}
			a, err := archive.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			d, content := submission("H29.68-240301-0001", usual)
			d.Received, d.Closed = "2024-03-01", "2024-05-04"
			if _, err := a.Ingest(t.Context(), portal, d, content); err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			for _, key := range []*signing.Key{k.Archive, offline.Recovery} {
				readWithTools(t, w, gosop, key, k.Archive.Certificate())
			}
		})
	}
}

func readWithTools(t *testing.T, w *world, gosop string, key *signing.Key, archive *signing.Certificate) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte, err error) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret, err := key.Armor(nil)
	keyFile := write("key.asc", secret, err)
	public, err := archive.Armor()
	certificate := write("archive.asc", public, err)
	var packets, data []byte
	for _, o := range w.objects(t) {
		switch {
		case strings.HasPrefix(o, "keys "):
			packets = w.read(t, o)
		case strings.HasPrefix(o, "archive packages/"):
			data = w.read(t, o)
		}
	}
	zip := write("aip.zip", run(t, dir, append(packets, data...), gosop, "decrypt", keyFile), nil)
	run(t, dir, nil, "unzip", "-tq", zip)
	run(t, dir, nil, "unzip", "-q", zip)
	tops, err := filepath.Glob(filepath.Join(dir, "urn_*"))
	if err != nil || len(tops) != 1 {
		t.Fatalf("top folders: %v, %v", tops, err)
	}
	run(t, tops[0], nil, "sha256sum", "--strict", "--quiet", "-c", "documentation/sha256sums.txt")
	mets, err := os.ReadFile(filepath.Join(tops[0], "METS.xml"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, tops[0], mets, gosop, "verify", "METS.xml.asc", certificate)
}

// run runs a public tool and returns what it prints.
func run(t *testing.T, dir string, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), args[0], err, problems.Bytes())
	}
	return out.Bytes()
}
