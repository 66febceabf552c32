package sample_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/luutru/luutru/internal/sample"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	alphabet := map[rune]bool{}
	for _, r := range sample.Alphabet() {
		alphabet[r] = true
	}
	for seed := range uint64(20) {
		for _, text := range sample.Texts(seed) {
			if strings.ContainsAny(text, "{}[]|\t") || strings.Contains(text, "  ") || strings.Contains(text, " ,") {
				t.Errorf("template left open: %q", text)
			}
			for _, r := range text {
				if !alphabet[r] {
					t.Errorf("no glyph for %q in %q", r, text)
				}
			}
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	words := 0
	for d := range sample.Make(21, 50, sample.Options{}) {
		for _, f := range d.Files {
			seen[f.MediaType]++
			text, err := content(f)
			if err != nil {
				t.Errorf("%s %s: %v", d.Code, f.Name, err)
			}
			if f.MediaType == "image/png" {
				continue
			}
			// Words may be broken by lines, so the test looks at them without spaces.
			if !strings.Contains(strings.Join(strings.Fields(text), ""), d.Code) && f.MediaType == "application/pdf" {
				t.Errorf("%s %s: code is not in the text", d.Code, f.Name)
			}
			if !utf8.ValidString(text) || len(strings.Fields(text)) < 30 {
				t.Errorf("%s %s: text %q", d.Code, f.Name, text)
			}
			words += len(strings.Fields(text))
		}
	}
	for _, m := range []string{"application/pdf", "application/xml", "application/json", "text/plain", "image/png", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"} {
		if seen[m] == 0 {
			t.Errorf("no %s among %v", m, seen)
		}
	}
	if words < 50*200 {
		t.Errorf("%d words in 50 dossiers", words)
	}
}

// content reads a file as its format asks and gives its text.
func content(f sample.File) (string, error) {
	switch f.MediaType {
	case "application/pdf":
		return pdfText(f.Data)
	case "image/png":
		_, err := png.Decode(bytes.NewReader(f.Data))
		return "", err
	case "application/xml":
		return xmlText(bytes.NewReader(f.Data))
	case "application/json":
		var v any
		return string(f.Data), json.Unmarshal(f.Data, &v)
	case "text/plain":
		return string(f.Data), nil
	}
	z, err := zip.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		return "", err
	}
	var text string
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			return "", err
		}
		if text, err = xmlText(r); err != nil { // the last part is the document
			return "", fmt.Errorf("part %s: %w", part.Name, err)
		}
	}
	return text, nil
}

func xmlText(r io.Reader) (string, error) {
	var text strings.Builder
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			text.WriteByte(' ')
		}
	}
}

var (
	streams = regexp.MustCompile(`(?s)<<[^>]*/Length (\d+)>>\nstream\n`)
	shows   = regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\) ?Tj`)
)

// pdfText checks header, cross-reference table and trailer, and reads the strings that the pages show. It knows just the PDF made
// here: strings are UTF-16, as the fonts are addressed by Unicode.
func pdfText(data []byte) (string, error) {
	if !bytes.HasPrefix(data, []byte("%PDF-1.4\n")) || !bytes.HasSuffix(data, []byte("%%EOF\n")) {
		return "", errors.New("no header of version 1.4, or no end")
	}
	i := bytes.LastIndex(data, []byte("startxref\n"))
	at, err := strconv.Atoi(strings.Fields(string(data[i+len("startxref\n"):]))[0])
	if err != nil || !bytes.HasPrefix(data[at:], []byte("xref\n0 ")) {
		return "", fmt.Errorf("startxref %d: %w", at, err)
	}
	if err := checkXref(data, at); err != nil {
		return "", err
	}
	if maps := bytes.Count(data, []byte("begincmap")); maps == 0 || maps != bytes.Count(data, []byte("\n<1E00><1EFF><1E00>\n")) || bytes.Contains(data, []byte("<FFFF> <0000>")) {
		return "", errors.New("no map to Unicode that all readers understand")
	}
	var text strings.Builder
	for _, m := range streams.FindAllSubmatchIndex(data, -1) {
		n, err := strconv.Atoi(string(data[m[2]:m[3]]))
		if err != nil {
			return "", err
		}
		r, err := zlib.NewReader(bytes.NewReader(data[m[1] : m[1]+n]))
		if err != nil {
			continue // an uncompressed one, such as the map to Unicode
		}
		page, err := io.ReadAll(r)
		if err != nil {
			return "", err
		}
		for _, s := range shows.FindAllSubmatch(page, -1) {
			text.WriteString(utf16Text(s[1]) + "\n")
		}
	}
	return text.String(), nil
}

func checkXref(data []byte, at int) error {
	lines := strings.Split(string(data[at:]), "\n")
	for i, line := range lines[3:] {
		if !strings.HasSuffix(line, " n ") {
			break
		}
		offset, err := strconv.Atoi(line[:10])
		if want := fmt.Sprintf("%d 0 obj", i+1); err != nil || !strings.HasPrefix(string(data[offset:]), want) {
			return fmt.Errorf("cross reference of object %d leads astray", i+1)
		}
	}
	return nil
}

func utf16Text(s []byte) string {
	var raw []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			raw = append(raw, s[i])
			continue
		}
		i++
		if s[i] == 'r' {
			raw = append(raw, '\r')
		} else {
			raw = append(raw, s[i])
		}
	}
	var units []uint16
	for ; len(raw) >= 2; raw = raw[2:] {
		units = append(units, binary.BigEndian.Uint16(raw))
	}
	return string(utf16.Decode(units))
}

// TestVietnamese looks for whole phrases with every kind of mark in the text of a PDF.
func TestVietnamese(t *testing.T) {
	t.Parallel()
	for d := range sample.Make(1, 1, sample.Options{Kinds: []string{"land certificate"}}) {
		f := d.Files[len(d.Files)-1]
		text, err := pdfText(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "quyền sử dụng đất", "m²", "Mã hồ sơ: " + d.Code} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %q", want, text)
			}
		}
	}
}

func TestScansDoNotCompress(t *testing.T) {
	t.Parallel()
	for d := range sample.Make(9, 1, sample.Options{Size: 1_000_000}) {
		for _, f := range d.Files[2:] {
			var b bytes.Buffer
			w, err := flate.NewWriter(&b, flate.DefaultCompression)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(f.Data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if f.MediaType != "image/png" || b.Len() < len(f.Data)*90/100 {
				t.Errorf("%s %s: %d bytes become %d", f.Name, f.MediaType, len(f.Data), b.Len())
			}
		}
	}
}
