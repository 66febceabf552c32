package extract_test

import (
	"testing"

	"github.com/luutru/luutru/internal/extract"
)

func TestHasText(t *testing.T) {
	for _, tt := range []struct {
		name, media string
		want        bool
	}{
		{"don.pdf", "application/pdf", true}, {"don", "application/pdf", true}, {"don.PDF", "", true}, {"a.xml", "text/xml; charset=utf-8", true},
		{"a.docx", "application/octet-stream", true}, {"quet.png", "image/png", false}, {"a.bin", "application/octet-stream", false}, {"", "", false},
	} {
		if got := extract.HasText(tt.name, tt.media); got != tt.want {
			t.Errorf("%q, %q: got %v", tt.name, tt.media, got)
		}
	}
}
