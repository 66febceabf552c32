package eark_test

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

// foreign is a package as another system might lay it out: one METS, no prefix,
// no circular.
type foreign struct {
	files map[string]string // path → content
	refs  string            // elements of the file group
	more  string            // sections before the file section
}

func (f foreign) open(t *testing.T) *eark.Package {
	t.Helper()
	files := map[string][]byte{root: []byte(`<?xml version="1.0" encoding="UTF-8"?>
<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:csip="https://DILCIS.eu/XML/METS/CSIPExtensionMETS" OBJID="p">` + f.more + `
<fileSec ID="s"><fileGrp ID="g" USE="Representations/rep1">` + f.refs + `</fileGrp></fileSec></mets>`)}
	order := []string{root}
	for at, content := range f.files {
		files[at] = []byte(content)
		order = append(order, at)
	}
	return open(t, repack(t, "p/", order, files))
}

func reference(href, kind, sum string) string {
	return fmt.Sprintf(`<file ID="f%x" MIMETYPE="text/plain" CREATED="2026-11-24T10:00:00" CHECKSUMTYPE="%s" CHECKSUM="%s"><FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="%s"/></file>`, href, kind, sum, href)
}

// TestChecksums holds files to every kind of digest that METS knows and this
// package computes, in both cases of letters.
func TestChecksums(t *testing.T) {
	const content, at = "nội dung", "representations/rep1/data/a.txt"
	b := []byte(content)
	m, s1, s2, s3, s5 := md5.Sum(b), sha1.Sum(b), sha256.Sum256(b), sha512.Sum384(b), sha512.Sum512(b)
	sums := map[string]string{
		"MD5": hex.EncodeToString(m[:]), "SHA-1": hex.EncodeToString(s1[:]), "SHA-256": hex.EncodeToString(s2[:]),
		"SHA-384": hex.EncodeToString(s3[:]), "SHA-512": hex.EncodeToString(s5[:]),
		"CRC32": fmt.Sprintf("%x", crc32.ChecksumIEEE(b)), "Adler-32": fmt.Sprintf("%x", adler32.Checksum(b)),
	}
	for kind, sum := range sums {
		wrong := strings.Map(func(r rune) rune { return r ^ 1 }, sum[:1]) + sum[1:]
		for _, c := range []struct {
			sum string
			ok  bool
		}{{sum, true}, {strings.ToUpper(sum), true}, {wrong, false}} {
			p := foreign{files: map[string]string{at: content}, refs: reference(at, kind, c.sum)}.open(t)
			if told := contains(rules(p.Check(t.Context())), "CSIP71"); told == c.ok {
				t.Errorf("%s %s: told %v", kind, c.sum, told)
			}
			rc, err := p.Open("a.txt")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(rc)
			if c.ok && (err != nil || string(got) != content) || !c.ok && !errors.Is(err, eark.ErrFixity) {
				t.Errorf("%s %s: %q, %v", kind, c.sum, got, err)
			}
			rc.Close()
			if has := p.Documents()[0].SHA256 != ""; has != (kind == "SHA-256") {
				t.Errorf("%s: document has a SHA-256: %v", kind, has)
			}
		}
	}
	p := foreign{files: map[string]string{at: content}, refs: reference(at, "WHIRLPOOL", "00")}.open(t)
	if got := rules(p.Check(t.Context())); contains(got, "CSIP72") || !contains(got, "TT05-SHA256") {
		t.Errorf("a digest that is not computed here: %v", got)
	}
}

// TestHrefs takes the ways that systems write a reference.
func TestHrefs(t *testing.T) {
	const at = "representations/rep1/data/tờ khai 1.txt"
	for href, ok := range map[string]bool{
		at: true, "./" + at: true, "file:" + at: true, "file:///" + at: true, "file://./" + at: true,
		"representations/rep1/data/t%E1%BB%9D%20khai%201.txt": true, "representations/../" + at: true,
		"REPRESENTATIONS/rep1/data/tờ khai 1.txt": false, "representations/rep1/data": false, "": false, "../p/" + at: false,
		`representations\rep1\data\tờ khai 1.txt`: false,
	} {
		p := foreign{files: map[string]string{at: "x"}, refs: reference(href, "MD5", "9dd4e461268c8034f5c8564e155c67a6")}.open(t)
		if told := contains(rules(p.Check(t.Context())), "CSIP79"); told == ok {
			t.Errorf("%q: told %v", href, told)
		}
	}
}

// TestTwoRepresentations gives files that share a name names that differ.
func TestTwoRepresentations(t *testing.T) {
	p := foreign{files: map[string]string{
		"representations/goc/data/a.doc": "1", "representations/goc/data/sub/b.txt": "2",
		"representations/pdf/data/a.doc": "3", "representations/pdf/metadata/x.xml": "4", "other/data/c": "5",
	}}.open(t)
	var names []string
	for _, d := range p.Documents() {
		names = append(names, d.Name)
		rc, err := p.Open(d.Name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(rc); err != nil || len(b) != 1 {
			t.Errorf("%s: %q, %v", d.Name, b, err)
		}
		rc.Close()
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"b.txt", "goc/data/a.doc", "pdf/data/a.doc"}) {
		t.Errorf("names %q", names)
	}
}

// TestCodes turns the codes of the circular into words.
func TestCodes(t *testing.T) {
	describe := func(fields string) *dossier.Declaration {
		p := foreign{files: map[string]string{ead: `<simpledc xmlns="urn:x">` + fields + `</simpledc>`}}.open(t)
		d, _ := p.Declaration()
		return d
	}
	for code, want := range map[string]string{"": "vi", "01": "vi", "02": "en", "05": "zh", "06": "vi,en", "09": "lzh", "10": "vi,zh", "11": "mul", "99": "mul", "x": "mul"} {
		if got := describe("<language>" + code + "</language>").Language; got != want {
			t.Errorf("language %q is %q", code, got)
		}
	}
	for code, want := range map[string]string{"01": "open", "02": "conditional", "03": "secret", "04": "", "": ""} {
		if got := describe("<mode>" + code + "</mode>").Access; got != want {
			t.Errorf("mode %q is %q", code, got)
		}
	}
	for code, want := range map[string]string{"01": "good", "02": "normal", "03": "damaged", "": ""} {
		if got := describe("<format>" + code + "</format>").Condition; got != want {
			t.Errorf("format %q is %q", code, got)
		}
	}
	for day, want := range map[string]string{"24/11/2026": "2026-11-24", "1/2/2026": "2026-02-01", "2026-11-24": "2026-11-24", "24/11/26": "24/11/26", "": ""} {
		if got := describe("<startDate>" + day + "</startDate>").Begin; got != want {
			t.Errorf("day %q is %q", day, got)
		}
	}
	d := describe("<FILECODE>H29.68-260630-0001</FILECODE><keyword> khai sinh; hộ tịch ;;</keyword><riskRecovery>1</riskRecovery><riskRecoveryStatus>01</riskRecoveryStatus><numberOfPaper>12</numberOfPaper><paperFileCode>P1</paperFileCode>")
	if d.Code != "H29.68-260630-0001" || !slices.Equal(d.Keywords, []string{"khai sinh", "hộ tịch"}) || d.Backup != "done" || d.Sheets != 12 || d.PaperCode != "P1" {
		t.Errorf("got %+v", d)
	}
}

// TestAgency finds the agency among the agents.
func TestAgency(t *testing.T) {
	agent := func(role, kind, note, name string) string {
		return `<agent ROLE="` + role + `" TYPE="` + kind + `"><name>` + name + `</name><note csip:NOTETYPE="` + note + `">H29.68</note></agent>`
	}
	for _, c := range []struct{ header, id, name string }{
		{agent("CREATOR", "ORGANIZATION", "IDENTIFICATIONCODE", "UBND"), "H29.68", "UBND"},
		{agent("ARCHIVIST", "ORGANIZATION", "IDENTIFICATIONCODE", "Kho") + agent("EDITOR", "ORGANIZATION", "IDENTIFICATIONCODE", "UBND"), "H29.68", "UBND"},
		{agent("CREATOR", "OTHER", "SOFTWARE VERSION", "phần mềm"), "", ""},
		{agent("ARCHIVIST", "ORGANIZATION", "IDENTIFICATIONCODE", "Kho"), "", ""},
	} {
		d, _ := foreign{more: "<metsHdr>" + c.header + "</metsHdr>", files: map[string]string{ead: "<simpledc/>"}}.open(t).Declaration()
		if d.Agency != c.id || d.AgencyName != c.name {
			t.Errorf("%s: %q %q", c.header, d.Agency, d.AgencyName)
		}
	}
}

// TestCancelled ends a check with its context.
func TestCancelled(t *testing.T) {
	_, b := write(t, dossier.SIP)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := open(t, b)
	if _, err := p.Inspect(ctx, true); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled check: %v", err)
	}
	if got := p.Check(ctx); len(got) == 0 || got[len(got)-1].Rule != "read" {
		t.Errorf("cancelled check: %v", rules(got))
	}
}

// TestManyViolations keeps the answer to a bad package short.
func TestManyViolations(t *testing.T) {
	refs := strings.Repeat(`<file><FLocat xlink:href="nowhere"/></file>`, 3000)
	r, err := foreign{refs: refs}.open(t).Inspect(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range r.Violations {
		if v.Rule == "CSIP67" {
			n++
		}
	}
	if n != 20 || r.More < 3000 || len(r.Violations) > 1000 || r.Valid() || r.Asked["CSIP67"] != 3000 {
		t.Errorf("%d of CSIP67 listed, asked %d times; %d listed, %d more", n, r.Asked["CSIP67"], len(r.Violations), r.More)
	}
}

func TestManyRepresentations(t *testing.T) {
	files := map[string]string{}
	for i := range 101 {
		files[fmt.Sprintf("representations/r%d/METS.xml", i)] = `<mets xmlns="http://www.loc.gov/METS/"/>`
	}
	order, content := []string{}, map[string][]byte{}
	for at, c := range files {
		order, content[at] = append(order, at), []byte(c)
	}
	b := repack(t, "p/", order, content)
	if _, err := eark.Open(strings.NewReader(string(b)), int64(len(b))); !errors.Is(err, eark.ErrPackage) {
		t.Errorf("101 representations: %v", err)
	}
}

// TestFolderLinks refuses a link in an unpacked package.
func TestFolderLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "METS.xml")); err != nil {
		t.Fatal(err)
	}
	if _, err := eark.OpenFS(os.DirFS(dir), "p"); !errors.Is(err, eark.ErrPackage) {
		t.Errorf("link: %v", err)
	}
	if _, err := eark.OpenFS(os.DirFS(filepath.Join(dir, "absent")), "p"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}

// TestReuse calls everything from several goroutines at once.
func TestReuse(t *testing.T) {
	_, b := write(t, dossier.SIP)
	p := open(t, b)
	done := make(chan []eark.Violation)
	for range 4 {
		go func() {
			p.Declaration()
			done <- p.Check(t.Context())
		}()
	}
	for range 4 {
		if v := <-done; len(v) > 0 {
			t.Errorf("%v", rules(v))
		}
	}
}

// A package is opened, and everything that is wrong with it is listed.
func ExamplePackage_Check() {
	f, err := os.Open("goi-tin.zip")
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return
	}
	p, err := eark.Open(f, info.Size())
	if err != nil {
		return
	}
	for _, v := range p.Check(context.Background()) {
		fmt.Println(v.Level, v.Rule, v.Path, v.Vietnamese)
	}
}
