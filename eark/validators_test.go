package eark_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// TestValidators shows what this archive writes to the validators of others, as
// .ci/eark installs them: all packages at once, so that each starts once.
func TestValidators(t *testing.T) {
	if os.Getenv("LUUTRU_EARK") == "" {
		t.Skip("LUUTRU_EARK is not set: .ci/eark runs this")
	}
	dir := t.TempDir()
	var folders []string
	lay := func(name, kind string, b []byte) {
		order, files := unpack(t, b)
		for _, at := range order {
			to := filepath.Join(dir, name+"-"+kind, name, filepath.FromSlash(at))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, files[at], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		folders = append(folders, filepath.Join(dir, name+"-"+kind, name))
	}
	for _, kind := range []dossier.Kind{dossier.SIP, dossier.AIP, dossier.DIP} {
		name, b := write(t, kind)
		lay(name, string(kind), b)
	}
	// What an archive gives out of a dossier that has lived (archive,
	// TestExportEARK), where .ci/eark has had it written.
	for _, kind := range []string{"SIP", "DIP"} {
		b, err := os.ReadFile(filepath.Join(os.Getenv("LUUTRU_EXPORTS"), strings.ToLower(kind)+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(z.File[0].Name, "/")
		lay(top, kind, b)
	}
	t.Run("eark-validator", func(t *testing.T) { earkValidator(t, folders) })
	t.Run("commons-ip", func(t *testing.T) { commonsIP(t, dir, folders) })
}

// tolerated are the complaints that no package of the circular can avoid: kind
// (or "" for all), rule, reason.
func tolerated(kind, rule string) bool {
	for _, c := range [][3]string{
		{"", "CSIP12", "eark-validator wants every CREATOR to be the software; SIP15 and the circular have an organization as CREATOR besides"},
		{"", "CSIP13", "likewise"},
		{"", "CSIP16", "likewise"},
		{"", "CSIP63", "eark-validator's expression is false wherever the attribute is absent"},
		{"", "CSIP101", "eark-validator wants a division Representations, CSIP107 wants Representations/rep1"},
		{"", "CSIP103", "likewise"},
		{"", "CSIP105", "likewise"},
		{"", "CSIP107", "commons-ip takes the division MetadataLink of the circular for a folder"},
		{"SIP", "SIP2", "the circular's sample has the common profile"},
		{"SIP", "SIP14", "eark-validator asks an attribute without its namespace, which the schema forbids"},
		{"SIP", "CSIPSTR6", "a SIP of the circular has no PREMIS"},
		{"SIP", "CSIP32", "likewise"},
		{"SIP", "CSIP91", "likewise"},
		{"AIP", "CSIP1", "the folder has _ for : as the circular says"},
		{"AIP", "CSIP66", "the signature of METS.xml cannot be listed in it"},
	} {
		if (c[0] == "" || c[0] == kind) && c[1] == rule {
			return true
		}
	}
	return false
}

// kindOf reads the kind of package off the folder that it was unpacked in.
func kindOf(folder string) string {
	dir := filepath.Dir(folder)
	return dir[len(dir)-3:]
}

func earkValidator(t *testing.T, folders []string) {
	command := strings.Fields(os.Getenv("LUUTRU_EARK_VALIDATOR"))
	cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], folders...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type message struct {
		Rule     string `json:"rule_id"`
		Severity string `json:"severity"`
		Message  string `json:"message"`
	}
	type results struct {
		Status   string    `json:"status"`
		Messages []message `json:"messages"`
	}
	n := 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r struct {
			Folder string `json:"folder"`
			Report struct {
				Structure results `json:"structure"`
				Metadata  struct {
					Schema     results `json:"schema_results"`
					Schematron results `json:"schematron_results"`
				} `json:"metadata"`
			} `json:"report"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		n++
		kind := kindOf(r.Folder)
		t.Logf("%s: structure %s, schema %s, rules %s", kind, r.Report.Structure.Status, r.Report.Metadata.Schema.Status, r.Report.Metadata.Schematron.Status)
		for _, m := range slices.Concat(r.Report.Structure.Messages, r.Report.Metadata.Schema.Messages, r.Report.Metadata.Schematron.Messages) {
			if m.Severity != "Info" && !tolerated(kind, m.Rule) {
				t.Errorf("%s: %s %s: %s", kind, m.Severity, m.Rule, m.Message)
			}
		}
	}
	if n != len(folders) {
		t.Errorf("%d reports for %d packages", n, len(folders))
	}
}

func commonsIP(t *testing.T, dir string, folders []string) {
	args := []string{"-jar", os.Getenv("LUUTRU_COMMONS_IP"), "validate", "--specification-version", "2.1.0"}
	for _, f := range folders {
		args = append(args, "-i", f)
	}
	cmd := exec.CommandContext(t.Context(), "java", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output() // reports, one after the other
	if err != nil {
		t.Logf("commons-ip: %v", err)
	}
	n := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); n++ {
		var r struct {
			Header struct {
				Path string `json:"path"`
			} `json:"header"`
			Summary struct {
				Success int `json:"success"`
				Errors  int `json:"errors"`
			} `json:"summary"`
			Validation []struct {
				ID      string `json:"id"`
				Level   string `json:"level"`
				Testing struct {
					Outcome  string   `json:"outcome"`
					Issues   []string `json:"issues"`
					Warnings []string `json:"warnings"`
				} `json:"testing"`
			} `json:"validation"`
		}
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("report %d: %v", n, err)
		}
		kind := kindOf(r.Header.Path)
		t.Logf("%s: %d successes, %d errors", kind, r.Summary.Success, r.Summary.Errors)
		for _, v := range r.Validation {
			if (v.Testing.Outcome == "FAILED" || v.Testing.Outcome == "WARNING") && !tolerated(kind, v.ID) {
				t.Errorf("%s: %s %s: %v %v", kind, v.Level, v.ID, v.Testing.Issues, v.Testing.Warnings)
			}
		}
	}
	if n != len(folders) {
		t.Errorf("%d reports for %d packages", n, len(folders))
	}
}
