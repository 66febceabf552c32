package extract_test

import (
	"testing"

	"github.com/luutru/luutru/internal/extract"
	"github.com/luutru/luutru/internal/filetest"
)

const (
	mediaDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	mediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	mediaODT  = "application/vnd.oasis.opendocument.text"
)

func TestMediaType(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"a", filetest.SimplePDF(""), "application/pdf"}, {"a.txt", filetest.SimplePDF(""), "application/pdf"}, {"a.docx", filetest.DOCX(t, ""), mediaDOCX},
		{"a.xlsx", filetest.XLSX(t), mediaXLSX}, {"a", filetest.DOCX(t, ""), "application/zip"}, {"a.zip", filetest.ODT(t, mediaODT, ""), mediaODT},
		{"a.png", filetest.PNG(t), "image/png"}, {"a.pdf", filetest.JPEG(t), "image/jpeg"}, {"a", filetest.TIFF(), "image/tiff"},
		{"a.xml", []byte("<a/>"), "application/xml"}, {"a", []byte("<?xml?>"), "application/xml"}, {"a", []byte(" <HTML>"), "text/html"},
		{"a", []byte(" {}"), "application/json"}, {"a.txt", []byte("{}"), "text/plain"}, {"a.csv", []byte("a;b"), "text/csv"}, {"A.CSV", []byte("a;b"), "text/csv"},
		{"a.pdf", []byte("text"), "text/plain"}, {"a.txt", []byte{0}, "application/octet-stream"}, {"a", nil, "text/plain"},
		{"a.doc", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/x-ole-storage"},
	} {
		if got := extract.MediaType(c.name, c.data); got != c.want {
			t.Errorf("%s %.10q: %s, want %s", c.name, c.data, got, c.want)
		}
	}
}
