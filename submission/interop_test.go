package submission_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/submission"
)

// TestBagitPy: a vendor puts a dossier into a folder, makes a bag of it with the
// Library of Congress's own program (PyPI: bagit; .ci/bagit installs it), packs
// that, and pushes it.
func TestBagitPy(t *testing.T) {
	if os.Getenv("LUUTRU_BAGIT") == "" {
		t.Skip("LUUTRU_BAGIT is not set")
	}
	for _, d := range samples(6) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "bag")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, e := range plain(d.Declaration, d) {
			if err := os.WriteFile(filepath.Join(dir, e.name), e.content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{
			{"bagit.py", "--sha512", "--external-identifier", d.Code, "--source-organization", declared(t, d).AgencyName, dir},
			{"python3", "-m", "zipfile", "-c", "bag.zip", "bag"}, {"tar", "-cf", "bag.tar", "bag"},
		} {
			c := exec.CommandContext(t.Context(), args[0], args[1:]...)
			c.Dir = parent
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		for _, name := range []string{"bag.zip", "bag.tar"} {
			packed, err := os.ReadFile(filepath.Join(parent, name))
			if err != nil {
				t.Fatal(err)
			}
			s, err := open(t, packed, nil)
			if err != nil {
				t.Fatalf("%s: %s", name, explain(err))
			}
			if found := codes(s); found["bag.valid"] != 1 || found["fixity.matched"] != len(d.Files) || len(found) != 2 {
				t.Errorf("%s: %v", name, found)
			}
			same(t, s, d)
		}
		s, err := submission.OpenDir(t.Context(), os.DirFS(dir), dossier.Limits{}, nil)
		if err != nil {
			t.Fatal(explain(err))
		}
		same(t, s, d)
	}
}
