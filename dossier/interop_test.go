package dossier_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool returns the path of a program that the test needs; where it is absent
// the test is skipped, but not where LUUTRU_INTEROP=1 demands it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("LUUTRU_INTEROP") == "1" {
			t.Fatalf("%s is demanded: %v", name, err)
		}
		t.Skipf("%s is not on PATH", name)
	}
	return path
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func packedFile(t *testing.T) (path string, contents map[string][]byte) {
	t.Helper()
	contents, names := few()
	packed, _ := pack(t, declare(contents, names...), contents, meta(), events())
	path = filepath.Join(t.TempDir(), "package.zip")
	if err := os.WriteFile(path, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, contents
}

func TestUnzipAndSha256sum(t *testing.T) {
	unzip, sha256sum := tool(t, "unzip"), tool(t, "sha256sum")
	path, contents := packedFile(t)
	dir := t.TempDir()
	if out := run(t, dir, unzip, "-t", path); !strings.Contains(out, "No errors detected") {
		t.Error(out)
	}
	run(t, dir, unzip, "-q", path)
	out := run(t, filepath.Join(dir, top), sha256sum, "--strict", "-c", "documentation/sha256sums.txt")
	if n := strings.Count(out, ": OK\n"); n != 17 {
		t.Errorf("%d files checked:\n%s", n, out)
	}
	for name, want := range contents {
		b, err := os.ReadFile(filepath.Join(dir, top, "representations", "rep1", "data", name))
		if err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const pythonCheck = `
import sys, zipfile, hashlib, xml.etree.ElementTree as ET
from urllib.parse import unquote
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
top = z.namelist()[0].split("/")[0]
root = ET.fromstring(z.read(top + "/METS.xml"))
m, x = "{http://www.loc.gov/METS/}", "{http://www.w3.org/1999/xlink}"
seen = {top + "/METS.xml", top + "/METS.xml.asc"}
for e in list(root.iter(m + "file")) + list(root.iter(m + "mdRef")):
    loc = e if e.tag == m + "mdRef" else e.find(m + "FLocat")
    name = top + "/" + unquote(loc.get(x + "href"))
    b = z.read(name)
    assert len(b) == int(e.get("SIZE")) and hashlib.sha256(b).hexdigest() == e.get("CHECKSUM"), name
    seen.add(name)
assert seen == set(z.namelist()), seen ^ set(z.namelist())
for n in z.namelist():
    if n.endswith(".xml"): ET.fromstring(z.read(n))
print("ok", len(seen))
`

// TestPython reads the package with the standard library of another language
// and holds every file to METS.xml.
func TestPython(t *testing.T) {
	python := tool(t, "python3")
	path, _ := packedFile(t)
	if out := run(t, t.TempDir(), python, "-c", pythonCheck, path); strings.TrimSpace(out) != "ok 20" {
		t.Error(out)
	}
}
