package pdfa_test

import (
	"encoding/xml"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unchecked are the clauses that this package does not look into, or only in part.
var unchecked = []string{
	"6.3.5-", "6.3.6-", "6.3.8-", "6.7.8-", "6.8.3.4-", // part 1: glyphs, CharSet and CIDSet, widths, Unicode of Type 1, extension schemas, structure types
	"6.2.11.4.1-2", "6.2.11.4.2-", "6.2.11.5-", "6.2.11.6-2", "6.2.11.7.", "6.2.11.8-", "6.2.8.3-", "6.6.2.3.1-2", "6.6.2.3.2-", "6.6.2.3.3-", "6.7.3.4-",
	"6.4.3-", "6.8-5", "6.6.2.3.1-1", // later parts, and besides: signatures, embedded PDF/A, properties of schemas described in part only
}

// verdict is what veraPDF says of a file.
type verdict struct {
	valid bool
	rules []string
}

// verify runs veraPDF over a directory. It needs LUUTRU_VERAPDF=1 and the class path in LUUTRU_VERAPDF_CLASSPATH; .ci/verapdf sets both.
func verify(t *testing.T, level, dir string) map[string]verdict {
	t.Helper()
	path := os.Getenv("LUUTRU_VERAPDF_CLASSPATH")
	if os.Getenv("LUUTRU_VERAPDF") != "1" || path == "" {
		t.Skip("LUUTRU_VERAPDF is not set")
	}
	cmd := exec.CommandContext(t.Context(), "java", "-cp", path, "org.verapdf.apps.GreenfieldCliWrapper", "-r", "--format", "xml",
		"--maxfailuresdisplayed", "1", "--loglevel", "0", "-f", level, dir)
	out, err := cmd.Output() // fails where a file is not valid
	if len(out) == 0 {
		t.Fatalf("veraPDF: %v", err)
	}
	var report struct {
		Jobs []struct {
			Name   string `xml:"item>name"`
			Report struct {
				Valid bool `xml:"isCompliant,attr"`
				Rules []struct {
					Clause string `xml:"clause,attr"`
					Test   string `xml:"testNumber,attr"`
					Status string `xml:"status,attr"`
				} `xml:"details>rule"`
			} `xml:"validationReport"`
		} `xml:"jobs>job"`
	}
	if err := xml.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]verdict{}
	for _, j := range report.Jobs {
		v := verdict{valid: j.Report.Valid}
		for _, r := range j.Report.Rules {
			if r.Status == "failed" {
				v.rules = append(v.rules, r.Clause+"-"+r.Test)
			}
		}
		verdicts[j.Name] = v
	}
	return verdicts
}

// tally compares both, and counts.
type tally struct{ agree, stricter, unseen, missed int }

// compare fails the test for a file that is called valid here and not there for a clause that is looked at.
func (n *tally) compare(t *testing.T, name, level string, data []byte, v verdict) {
	t.Helper()
	got, _, err := check(t, data, level)
	switch {
	case v.valid == (err == nil && len(got) == 0):
		n.agree++
	case v.valid:
		n.stricter++
		t.Errorf("%s: %v, %v; veraPDF calls it valid", name, got, err)
	case slices.ContainsFunc(v.rules, func(r string) bool {
		return !slices.ContainsFunc(unchecked, func(u string) bool { return strings.HasPrefix(r, u) })
	}):
		n.missed++
		t.Errorf("%s: called valid; veraPDF: %v", name, v.rules)
	default:
		n.unseen++
	}
}

// TestRealSamples has veraPDF look at the samples and at broken ones.
func TestRealSamples(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{filepath.Join(dir, "sample.pdf"): made(t)}
	for clause, data := range broken(t, made(t)) {
		files[filepath.Join(dir, clause+".pdf")] = data
	}
	for name, data := range files {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var n tally
	got := verify(t, "2b", dir)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		v, ok := got[name]
		if !ok {
			t.Errorf("%s: veraPDF says nothing", name)
			continue
		}
		if valid := filepath.Base(name) == "sample.pdf"; v.valid != valid {
			t.Errorf("%s: valid is %v, %v", name, v.valid, v.rules)
		}
		n.compare(t, filepath.Base(name), "2b", files[name], v)
	}
	t.Logf("%+v", n)
}

// TestRealCorpus compares over testdata, or over the whole corpus where LUUTRU_VERAPDF_CORPUS names it.
func TestRealCorpus(t *testing.T) {
	root := os.Getenv("LUUTRU_VERAPDF_CORPUS")
	for _, level := range []string{"1a", "1b", "2a", "2b", "2u", "3b"} {
		dir := filepath.Join(root, "PDF_A-"+level)
		if root == "" {
			dir = t.TempDir()
			for name, data := range corpus(t) {
				if !strings.HasPrefix(name, level) {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		var n tally
		got := verify(t, level, dir)
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".pdf" {
				return err
			}
			data, err := os.ReadFile(name)
			if v, ok := got[name]; ok {
				n.compare(t, filepath.Base(name), level, data, v)
			} else {
				err = fmt.Errorf("veraPDF says nothing of %s", filepath.Base(name))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		t.Logf("PDF/A-%s: %+v of %d", level, n, len(got))
	}
}
