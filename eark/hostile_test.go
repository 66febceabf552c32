package eark_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

// zipOf makes a ZIP of headers with content.
func zipOf(t testing.TB, headers ...*zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range headers {
		f, err := w.CreateHeader(h)
		if err == nil && !strings.HasSuffix(h.Name, "/") {
			_, err = f.Write([]byte("content of an entry"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func named(names ...string) (list []*zip.FileHeader) {
	for _, n := range names {
		list = append(list, &zip.FileHeader{Name: n})
	}
	return list
}

func link(name string) *zip.FileHeader {
	h := &zip.FileHeader{Name: name}
	h.SetMode(fs.ModeSymlink | 0o777)
	return h
}

// TestHostileZIP opens what nobody should unpack.
func TestHostileZIP(t *testing.T) {
	encrypted := zipOf(t, named("p/METS.xml")...)
	at := bytes.Index(encrypted, []byte("PK\x01\x02"))
	encrypted[at+8] |= 1
	method := zipOf(t, named("p/METS.xml")...)
	binary.LittleEndian.PutUint16(method[bytes.Index(method, []byte("PK\x01\x02"))+10:], 99)
	overlap := zipOf(t, named("p/a", "p/b")...)
	second := bytes.LastIndex(overlap, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(overlap[second+42:], 0)
	for name, b := range map[string][]byte{
		"empty": nil, "no ZIP": []byte("not a ZIP at all, whatever its name may say"),
		"parent": zipOf(t, named("p/../../etc/passwd")...), "absolute": zipOf(t, named("/etc/passwd")...),
		"drive": zipOf(t, named("C:/x")...), "backslash": zipOf(t, named(`p\..\x`)...), "nul": zipOf(t, named("p/a\x00b")...),
		"not UTF-8": zipOf(t, &zip.FileHeader{Name: "p/\xff\xfe", NonUTF8: true}), "dots": zipOf(t, named("p/./a")...),
		"link": zipOf(t, link("p/METS.xml")), "twice": zipOf(t, named("p/a", "p/a")...),
		"file and folder": zipOf(t, named("p/a", "p/a/b")...), "deep": zipOf(t, named(strings.Repeat("a/", 30)+"b")...),
		"long":      zipOf(t, named("p/"+strings.Repeat("a", 1001))...),
		"encrypted": encrypted, "method": method, "overlap": overlap,
		"claims many": claimsMany(),
	} {
		if _, err := eark.Open(bytes.NewReader(b), int64(len(b))); !errors.Is(err, eark.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// claimsMany is a ZIP64 whose end record claims more entries than memory could
// hold.
func claimsMany() []byte {
	end64 := make([]byte, 56)
	copy(end64, "PK\x06\x06")
	binary.LittleEndian.PutUint64(end64[4:], 44)
	binary.LittleEndian.PutUint64(end64[24:], 1<<40)
	binary.LittleEndian.PutUint64(end64[32:], 1<<40)
	locator := make([]byte, 20)
	copy(locator, "PK\x06\x07")
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	for i := 4; i < 20; i++ {
		end[i] = 0xFF
	}
	return append(append(end64, locator...), end...)
}

// TestBomb packs 150 MiB of zeros into 150 KiB.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("p/METS.xml")
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 150 {
		if _, err := f.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := eark.Open(bytes.NewReader(b.Bytes()), int64(b.Len())); !errors.Is(err, eark.ErrPackage) {
		t.Errorf("150 MiB in %d octets: %v", b.Len(), err)
	}
}

// TestHostileXML puts attacks into METS, EAD and PREMIS: each is told, none is
// followed.
func TestHostileXML(t *testing.T) {
	name, b := write(t, dossier.AIP)
	order, files := unpack(t, b)
	const head = `<?xml version="1.0"?>`
	bomb := `<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	external := `<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>`
	body := string(files[root][bytes.Index(files[root], []byte("<mets:mets")):])
	for what, xml := range map[string]string{
		"entities": head + bomb + body, "external": head + external + strings.Replace(body, "luutru</mets:name>", "&x;</mets:name>", 1),
		"unknown entity": head + strings.Replace(body, "luutru</mets:name>", "&x;</mets:name>", 1),
		"deep":           head + `<mets xmlns="http://www.loc.gov/METS/">` + strings.Repeat("<div>", 100000),
		"wide tag":       head + `<mets xmlns="http://www.loc.gov/METS/" ` + strings.Repeat(`ID="" `, 300000) + `/>`,
		"many":           head + `<mets xmlns="http://www.loc.gov/METS/">` + strings.Repeat("<div/>", 500000) + `</mets>`,
		"two roots":      head + body + body, "cut": body[:3000], "UTF-16": "\xff\xfe<\x00m\x00",
		"another root": head + `<premis/>`, "Latin": `<?xml version="1.0" encoding="ISO-8859-1"?>` + body, "empty": "",
	} {
		files := clone(files)
		files[root] = []byte(xml)
		p := open(t, repack(t, name+"/", order, files))
		if got := rules(p.Check(t.Context())); len(got) == 0 || !contains(got, "CSIPSTR4") {
			t.Errorf("METS, %s: %v", what, got)
		}
		p.Declaration()
	}
	for _, at := range []string{ead, "representations/rep1/metadata/descriptive/EAD_doc_1.xml", "metadata/preservation/PREMIS.xml"} {
		files := clone(files)
		files[at] = []byte(head + bomb + "<simpledc><title>&b;</title></simpledc>")
		p := open(t, repack(t, name+"/", order, files))
		if got := rules(p.Check(t.Context())); len(got) < 2 {
			t.Errorf("%s: %v", at, got)
		}
		p.Declaration()
	}
}

func clone(files map[string][]byte) map[string][]byte {
	c := make(map[string][]byte, len(files))
	for at, b := range files {
		c[at] = b
	}
	return c
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// TestReferences leads METS out of the package: nothing outside is opened.
func TestReferences(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	for _, href := range []string{"../secret", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/x", "%2e%2e/secret", "..%5csecret", "%zz"} {
		files := clone(files)
		files[root] = bytes.Replace(files[root], []byte("metadata/descriptive/EAD.xml"), []byte(href), 1)
		got := rules(open(t, repack(t, name+"/", order, files)).Check(t.Context()))
		if !contains(got, "CSIP24") {
			t.Errorf("%s: %v", href, got)
		}
	}
}

// TestFixity changes a document: its last octets are never given out, and the
// end of file is never told.
func TestFixity(t *testing.T) {
	name, b := write(t, dossier.SIP)
	order, files := unpack(t, b)
	names, _ := contents()
	at := "representations/rep1/data/" + names[1]
	for what, content := range map[string][]byte{
		"altered": append([]byte("x"), files[at][1:]...), "shorter": files[at][1:], "longer": append(files[at][:len(files[at]):len(files[at])], 'x'), "empty": {},
	} {
		files := clone(files)
		files[at] = content
		p := open(t, repack(t, name+"/", order, files))
		rc, err := p.Open(names[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(iotest.OneByteReader(rc))
		if !errors.Is(err, eark.ErrFixity) || len(content) > 0 && len(got) >= len(content) {
			t.Errorf("%s: %d of %d octets, %v", what, len(got), len(content), err)
		}
		if err := rc.Close(); err != nil {
			t.Error(err)
		}
		found := rules(p.Check(t.Context()))
		if !contains(found, "CSIP71") && !contains(found, "CSIP69") {
			t.Errorf("%s: %v", what, found)
		}
	}
	if _, err := open(t, b).Open("no such document"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent document: %v", err)
	}
}

// TestReaderErrors tells an error of the medium from one of the package.
func TestReaderErrors(t *testing.T) {
	_, b := write(t, dossier.SIP)
	broken := errors.New("disk is broken")
	for n := int64(0); n < 40; n++ {
		r := &failing{r: bytes.NewReader(b), calls: n, err: broken}
		p, err := eark.Open(r, int64(len(b)))
		if err != nil {
			if !errors.Is(err, broken) || errors.Is(err, eark.ErrPackage) {
				t.Fatalf("call %d: %v", n, err)
			}
			continue
		}
		if _, err := p.Inspect(t.Context(), true); err != nil && !errors.Is(err, broken) {
			t.Fatalf("call %d: inspect: %v", n, err)
		}
	}
}

type failing struct {
	r     io.ReaderAt
	calls int64
	err   error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.calls--; f.calls < 0 {
		return 0, f.err
	}
	return f.r.ReadAt(p, off)
}

// TestDamaged damages packages at random: every one is answered.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2025))
	_, b := write(t, dossier.SIP)
	for range 500 {
		damaged := bytes.Clone(b)
		for range 1 + r.IntN(4) {
			damaged[r.IntN(len(damaged))] ^= byte(1 + r.IntN(255))
		}
		if r.IntN(4) == 0 {
			damaged = damaged[:r.IntN(len(damaged))]
		}
		exercise(t, damaged)
	}
}

// exercise does everything with a package that a reader can do.
func exercise(t *testing.T, b []byte) {
	p, err := eark.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		if !errors.Is(err, eark.ErrPackage) {
			t.Errorf("neither opened nor refused: %v", err)
		}
		return
	}
	p.Check(t.Context())
	p.Declaration()
	for _, d := range p.Documents() {
		rc, err := p.Open(d.Name)
		if err != nil {
			continue
		}
		n, err := io.Copy(io.Discard, rc)
		if err == nil && n != d.Size {
			t.Errorf("document of %d octets gave %d", d.Size, n)
		}
		rc.Close()
	}
}

// small is a package without its schemas and with short documents, for a fuzzer
// to turn over often.
func small(t testing.TB, kind dossier.Kind) []byte {
	name, b := write(t, kind)
	order, files := unpack(t, b)
	for at, content := range files {
		if strings.HasPrefix(at, "schemas/") {
			delete(files, at)
		} else if strings.Contains(at, "/data/") {
			files[at] = content[:min(len(content), 100)]
		}
	}
	files[root] = bytes.TrimSpace(files[root])
	return repack(t, name+"/", order, files)
}

func FuzzOpen(f *testing.F) {
	for _, kind := range []dossier.Kind{dossier.SIP, dossier.AIP} {
		f.Add(small(f, kind))
	}
	f.Add(zipOf(f, named("p/METS.xml", "p/metadata/descriptive/EAD.xml")...))
	f.Fuzz(func(t *testing.T, b []byte) { exercise(t, b) })
}

// FuzzMETS keeps the ZIP sound and varies METS.xml and EAD.xml.
func FuzzMETS(f *testing.F) {
	order, files := unpack(f, small(f, dossier.SIP))
	name := "uuid-7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F"
	f.Add(files[root], files[ead])
	f.Add([]byte(`<mets xmlns="http://www.loc.gov/METS/"><structMap LABEL="CSIP"><div/></structMap></mets>`), []byte(`<simpledc/>`))
	f.Fuzz(func(t *testing.T, mets, description []byte) {
		files := clone(files)
		files[root], files[ead] = mets, description
		exercise(t, repack(t, name+"/", order, files))
	})
}

// TestMemory reads a large METS within bounds.
func TestMemory(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`<mets xmlns="http://www.loc.gov/METS/" xmlns:xlink="http://www.w3.org/1999/xlink" OBJID="p"><fileSec ID="f"><fileGrp ID="g" USE="Data">`)
	for i := range 30000 {
		fmt.Fprintf(&b, `<file ID="f%d" MIMETYPE="application/pdf" SIZE="1" CREATED="2026-11-24T10:00:00+07:00" CHECKSUM="%064d" CHECKSUMTYPE="SHA-256"><FLocat LOCTYPE="URL" xlink:type="simple" xlink:href="representations/rep1/data/%d.pdf"/></file>`, i, i, i)
	}
	b.WriteString(`</fileGrp></fileSec></mets>`)
	packed := repack(t, "p/", []string{root}, map[string][]byte{root: b.Bytes()})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := open(t, packed)
	p.Check(t.Context())
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
	t.Logf("METS of %d MiB: %d MiB held", b.Len()>>20, held)
	if held > 12*int64(b.Len()>>20) {
		t.Errorf("METS of %d MiB takes %d MiB", b.Len()>>20, held)
	}
	runtime.KeepAlive(p)
}
