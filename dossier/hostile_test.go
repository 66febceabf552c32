package dossier_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// forge replaces octets of METS.xml by as many others and returns the digest
// under which the package would be opened: somebody sealed a METS.xml that this
// package did not write.
func forge(t *testing.T, packed []byte, digest, from, to string) ([]byte, string) {
	t.Helper()
	mets, err := open(t, packed, digest).Entry(top + "/METS.xml")
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(packed)
	content := forged[mets.Offset : mets.Offset+mets.Size]
	if len(from) < len(to) || !bytes.Contains(content, []byte(from)) {
		t.Fatalf("cannot replace %q", from)
	}
	copy(content, bytes.Replace(content, []byte(from), []byte(to+strings.Repeat(" ", len(from)-len(to))), 1))
	sum := sha256.Sum256(content)
	return forged, hex.EncodeToString(sum[:])
}

func TestHostileMETS(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	pad := strings.Repeat(" ", 79)
	for name, x := range map[string][2]string{
		"another package":      {"uuid:7D0D1987", "uuid:7D0D1988"},
		"document type":        {pad, "<!DOCTYPE a>"},
		"second root":          {pad, "<a/>"},
		"end missing":          {"</mets:mets>", ""},
		"foreign element":      {`<mets:note csip:NOTETYPE="SOFTWARE VERSION">1</mets:note>`, `<x:note xmlns:x="urn:x"/>`},
		"deep":                 {`<mets:note csip:NOTETYPE="SOFTWARE VERSION">1</mets:note>`, strings.Repeat("<mets:a>", 7)},
		"no digest":            {`CHECKSUM="`, `CHECKSUN="`},
		"other algorithm":      {`CHECKSUMTYPE="SHA-256"`, `CHECKSUMTYPE="SHA-512"`},
		"no size":              {`SIZE="1"`, `SIZE=""`},
		"negative size":        {`SIZE="4001"`, `SIZE="-400"`},
		"other size":           {`SIZE="4001"`, `SIZE="4002"`},
		"file twice":           {"EAD_doc_2.xml", "EAD_doc_1.xml"},
		"unknown file":         {"EAD_doc_2.xml", "EAD_doc_4.xml"},
		"path outside":         {"metadata/descriptive/EAD.xml", "../../../descriptive/EAD.xml"},
		"escape broken":        {"%20khai", "%2 khai"},
		"location without":     {"xlink:href=\"metadata/descriptive", "xlink:hret=\"metadata/descriptive"},
		"not XML":              {"<mets:metsHdr", "<mets:metsHd<"},
		"METS listed by METS":  {"documentation/declaration.json", "METS.xml"},
		"entity of one's own":  {pad, "&x;"},
		"text behind the root": {pad, "\x01"},
	} {
		forged, forgedDigest := forge(t, packed, digest, x[0], x[1])
		if _, err := dossier.OpenPackage(bytes.NewReader(forged), int64(len(forged)), forgedDigest); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A digest that is not the document's: opens, but the document does not pass.
	p := open(t, packed, digest)
	e, _ := p.Entry(names[0])
	forged, forgedDigest := forge(t, packed, digest, e.SHA256, strings.Repeat("0", 64))
	q := open(t, forged, forgedDigest)
	if _, err := io.ReadAll(q.Verify(names[0], bytes.NewReader(contents[names[0]]))); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("forged digest: %v", err)
	}
	if _, err := q.Declaration(); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("declaration beside a forged digest: %v", err)
	}
}

func TestHostileZIP(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	end := len(packed) - 22
	directory := int(binary.LittleEndian.Uint32(packed[end+16:]))
	put16 := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint16(b[at:], v); return b }
	}
	put32 := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
	}
	for name, change := range map[string]func([]byte) []byte{
		"comment":                  put16(end+20, 1),
		"other disk":               put16(end+4, 1),
		"fewer entries":            put16(end+10, 2),
		"more entries":             put16(end+10, 60000),
		"64-bit end missing":       put16(end+10, math.MaxUint16),
		"directory elsewhere":      put32(end+16, uint32(directory+1)),
		"directory too long":       put32(end+12, 1<<31),
		"compressed":               put16(directory+10, zip.Deflate),
		"encrypted":                put16(directory+8, 1<<11|1<<3|1),
		"long name":                put16(directory+28, math.MaxUint16),
		"extra field":              put16(directory+30, 4),
		"entry with a comment":     put16(directory+32, 4),
		"other size":               put32(directory+24, 7),
		"sizes differ":             put32(directory+20, 2),
		"size in 64 bits, not had": put32(directory+24, math.MaxUint32),
		"offset in 64 bits":        put32(directory+42, math.MaxUint32),
		"gap":                      put32(directory+42, 1),
		"octets before":            func(b []byte) []byte { return append([]byte("x"), b...) },
		"octets behind":            func(b []byte) []byte { return append(b, 0) },
		"two ends":                 func(b []byte) []byte { return append(b, b[end:]...) },
	} {
		b := change(bytes.Clone(packed))
		if _, err := dossier.OpenPackage(bytes.NewReader(b), int64(len(b)), digest); !errors.Is(err, dossier.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var foreign bytes.Buffer
	z := zip.NewWriter(&foreign)
	for _, name := range []string{"a/x", "a/METS.xml", "a/METS.xml.asc"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, name)
	}
	z.Close()
	if _, err := dossier.OpenPackage(bytes.NewReader(foreign.Bytes()), int64(foreign.Len()), digest); !errors.Is(err, dossier.ErrPackage) {
		t.Errorf("foreign ZIP: %v", err)
	}
}

func TestErrorsOfTheReader(t *testing.T) {
	contents, names := few()
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	if _, err := dossier.OpenPackage(failing{}, int64(len(packed)), digest); !errors.Is(err, io.ErrNoProgress) || errors.Is(err, dossier.ErrPackage) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrNoProgress }

// A long dossier's METS.xml and directory do not fit into the first read.
func TestLongTail(t *testing.T) {
	contents, names := map[string][]byte{}, []string(nil)
	for i := range 300 {
		names = append(names, strings.Repeat("á", 90)+string(rune('A'+i%26))+strings.Repeat("z", i/26)+".pdf")
		contents[names[i]] = []byte{byte(i)}
	}
	packed, digest := pack(t, declare(contents, names...), contents, meta(), events())
	r := &reads{ReaderAt: bytes.NewReader(packed)}
	p, err := dossier.OpenPackage(r, int64(len(packed)), digest)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Documents()) != 300 || r.n > 4 {
		t.Errorf("%d documents in %d reads", len(p.Documents()), r.n)
	}
}
