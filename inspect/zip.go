package inspect

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/luutru/luutru/internal/extract"
)

const (
	maxRatio    = 200       // of unpacked to packed bytes, in what is larger than bombFloor
	bombFloor   = 64 << 20  //
	maxUnpacked = 100 << 30 // bytes of all entries together
	maxList     = 1 << 20   // bytes of a list of parts
)

// zip reads the directory, and the lists of parts that say more than names do.
func (l *look) zip() {
	z, err := extract.OpenZIP(l.r, l.size)
	if errors.Is(err, extract.ErrDirectory) {
		l.fail("document.bomb", "ZIP")
		return
	}
	if err != nil {
		l.fail("document.broken", "ZIP")
		return
	}
	seen := map[string]*zip.File{}
	var packed, unpacked uint64
	for _, f := range z.File {
		if code, detail := checkEntry(f, seen); code != "" {
			l.fail(code, detail)
			return
		}
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		// entries that overlap are how a small file is made to unpack to anything
		if packed > uint64(l.size) || unpacked > maxUnpacked || unpacked > bombFloor && unpacked/maxRatio > packed {
			l.fail("document.bomb", "ZIP")
			return
		}
	}
	l.main = mainType(seen)
	l.office(z.File, seen)
}

func checkEntry(f *zip.File, seen map[string]*zip.File) (code, detail string) {
	const encrypted = 1
	name := strings.TrimSuffix(f.Name, "/")
	switch {
	case f.Flags&encrypted != 0:
		return "document.encrypted", "ZIP"
	case name == "" || !utf8.ValidString(name) || path.Clean("/"+name) != "/"+name || strings.ContainsAny(name, "\\:\x00") || seen[name] != nil:
		return "document.broken", "ZIP: unsafe or repeated paths"
	case f.UncompressedSize64 > bombFloor && f.UncompressedSize64/maxRatio > f.CompressedSize64, f.UncompressedSize64 > maxUnpacked:
		return "document.bomb", "ZIP"
	}
	seen[name] = f
	return "", ""
}

// mainType is the document that a ZIP file is by its main part, or a plain ZIP file.
func mainType(parts map[string]*zip.File) string {
	switch {
	case parts["word/document.xml"] != nil:
		return typeDOCX
	case parts["xl/workbook.xml"] != nil, parts["xl/workbook.bin"] != nil:
		return typeXLSX
	case parts["ppt/presentation.xml"] != nil:
		return typePPTX
	}
	if parts["content.xml"] != nil {
		switch string(part(parts["mimetype"])) {
		case typeODT:
			return typeODT
		case typeODS:
			return typeODS
		case typeODP:
			return typeODP
		}
	}
	return typeZIP
}

// part unpacks a list of parts, or what can be had of it.
func part(f *zip.File) []byte {
	if f == nil {
		return nil
	}
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	b, _ := io.ReadAll(io.LimitReader(r, maxList))
	return b
}

// office looks for macros, encryption, embedded files and signatures by the names of parts.
func (l *look) office(files []*zip.File, parts map[string]*zip.File) {
	macro, embedded := "", false
	for _, f := range files {
		lower := strings.ToLower(f.Name)
		switch {
		case path.Base(lower) == "vbaproject.bin":
			macro = "VBA"
		case strings.HasPrefix(lower, "xl/macrosheets/"), strings.HasPrefix(lower, "xl/intlmacrosheets/"):
			macro = "Excel 4.0"
		case isBasic(lower):
			macro = "OpenDocument Basic"
		case strings.Contains(lower, "/activex/"):
			macro = "ActiveX"
		case strings.Contains(lower, "/embeddings/") && !strings.HasSuffix(lower, "/"):
			embedded = true
		case strings.HasPrefix(lower, "_xmlsignatures/"), lower == "meta-inf/documentsignatures.xml":
			l.signed = true
		}
	}
	if outsideTemplate(part(parts["word/_rels/settings.xml.rels"])) {
		macro = "external template"
	}
	if macro != "" {
		l.warn("document.macro", macro)
	}
	if embedded {
		l.warn("document.embedded", "")
	}
	if bytes.Contains(part(parts["META-INF/manifest.xml"]), []byte("encryption-data")) {
		l.fail("document.encrypted", "OpenDocument")
	}
}

// isBasic tells whether a part of an OpenDocument file is a module of code, not just the list of libraries that may be empty.
func isBasic(lower string) bool {
	if strings.HasPrefix(lower, "scripts/") && !strings.HasSuffix(lower, "/") {
		return true
	}
	base := path.Base(lower)
	return strings.HasPrefix(lower, "basic/") && strings.HasSuffix(lower, ".xml") && !strings.HasPrefix(base, "script-l") && !strings.HasPrefix(base, "dialog-l")
}

// outsideTemplate tells whether a Word document loads its template, and with it macros, from somewhere else.
func outsideTemplate(rels []byte) bool {
	return bytes.Contains(rels, []byte("/attachedTemplate\"")) && bytes.Contains(rels, []byte(`TargetMode="External"`)) &&
		(bytes.Contains(rels, []byte("://")) || bytes.Contains(rels, []byte(`\\`)))
}
