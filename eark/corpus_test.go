package eark_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/eark"
)

// testCase is what the corpus of the DILCIS Board (eark-ip-test-corpus) says of
// the packages of one requirement.
type testCase struct {
	ID struct {
		Requirement string `xml:"requirementId,attr"`
	} `xml:"id"`
	Packages []struct {
		Valid       string `xml:"isValid,attr"`
		Implemented string `xml:"isImplemented,attr"`
		Path        string `xml:"path"`
	} `xml:"rules>rule>corpusPackages>package"`
}

// TestCorpus holds the checker to the corpus, whose folder LUUTRU_EARK_CORPUS
// names: a package that the corpus calls invalid for a requirement must have a
// violation of that requirement, a valid one none. Where we differ stands in
// testdata/corpus-differences.txt with the reason. The corpus itself has no
// licence and so is not part of this repository.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("LUUTRU_EARK_CORPUS")
	if dir == "" {
		t.Skip("LUUTRU_EARK_CORPUS names no clone of eark-ip-test-corpus")
	}
	cases, err := filepath.Glob(filepath.Join(dir, "corpus", "*", "*", "testCase.xml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	known := differences(t)
	asked, agreed := 0, 0
	for _, name := range cases {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c testCase
		if err := xml.Unmarshal(b, &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := map[string]bool{}
		for _, p := range c.Packages {
			at := strings.TrimSpace(p.Path)
			if p.Implemented != "TRUE" || at == "" || seen[at] {
				continue
			}
			seen[at] = true
			violations, err := corpusPackage(t, filepath.Join(filepath.Dir(name), filepath.FromSlash(at)))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			asked++
			key := fmt.Sprintf("%s %s", c.ID.Requirement, at)
			missed := slices.ContainsFunc(violations, func(v eark.Violation) bool { return v.Rule == c.ID.Requirement })
			if missed != (p.Valid == "TRUE") && err == nil {
				agreed++
				if known[key] {
					t.Errorf("%s: no difference any more", key)
				}
				continue
			}
			if !known[key] {
				t.Errorf("%s: corpus says valid=%s; we found %v (%v)", key, p.Valid, missed, err)
			}
		}
	}
	t.Logf("%d packages, %d verdicts as in the corpus", asked, agreed)
}

func corpusPackage(t *testing.T, at string) ([]eark.Violation, error) {
	t.Helper()
	if info, err := os.Stat(at); err == nil && info.IsDir() {
		p, err := eark.OpenFS(os.DirFS(at), path.Base(at))
		if err != nil {
			return nil, err
		}
		p.Now = time.Now()
		return p.Check(t.Context()), nil
	}
	if !strings.HasSuffix(at, ".zip") {
		at += ".zip"
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := eark.Open(f, info.Size())
	if err != nil {
		return nil, err
	}
	return p.Check(t.Context()), nil
}

// differences reads the cases where we differ from the corpus on purpose.
func differences(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("testdata/corpus-differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if key, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			known[key] = true
		}
	}
	return known
}
