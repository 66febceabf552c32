package index_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/index"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, exact, folded string }{
		{"hoà", "hòa", "hoa"}, {"Hòa", "hòa", "hoa"}, {"thuý", "thúy", "thuy"}, {"THUÝ", "thúy", "thuy"}, {"loè", "lòe", "loe"},
		{"qúy", "quí", "qui"}, {"quý", "quí", "qui"}, {"tòan", "toàn", "toan"}, {"toàn", "toàn", "toan"}, {"khoẻ", "khỏe", "khoe"},
		{"già", "già", "gia"}, {"gìa", "già", "gia"}, {"gì", "gì", "gi"}, {"giếng", "giếng", "gieng"}, {"lý", "lí", "li"},
		{"ty", "ti", "ti"}, {"mỹ", "mĩ", "mi"}, {"vy", "vy", "vy"}, {"thùy", "thùy", "thuy"}, {"uỷ", "ủy", "uy"}, {"ủy", "ủy", "uy"},
		{"Ðà", "đà", "da"}, {"ðường", "đường", "duong"}, {"Đường", "đường", "duong"}, {"nghiêng", "nghiêng", "nghieng"},
		{"khuỷu", "khuỷu", "khuyu"}, {"huỳnh", "huỳnh", "huynh"}, {"Quỳnh", "quỳnh", "quynh"}, {"thuở", "thuở", "thuo"},
		{"rượu", "rượu", "ruou"}, {"người", "người", "nguoi"}, {"quốc", "quốc", "quoc"}, {"của", "của", "cua"},
		{"H29", "h29", "h29"}, {"café", "café", "cafe"}, {"Straße", "straße", "straße"}, {"Ångström", "ångström", "angstrom"},
		{"toàánh", "toàánh", "toaanh"}, {"ÐẮKLẮK", "đắklắk", "daklak"}, {"", "", ""},
	} {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			exact, folded := index.Canonical(form.String(c.in))
			if exact != c.exact || folded != c.folded {
				t.Errorf("%q in form %d: %q, %q; want %q, %q", c.in, form, exact, folded, c.exact, c.folded)
			}
		}
	}
}

func TestIdentifier(t *testing.T) {
	for in, want := range map[string]string{
		" 123/QÐ–UBND ":         "123/QD-UBND",
		"123/qđ-ubnd":           "123/QD-UBND",
		"000.00.01.h29-240115 ": "000.00.01.H29-240115",
		"079 085 001 234":       "079085001234",
		"12\u200b3\u00a0/TB":    "123/TB",
	} {
		if got := index.Identifier(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	exact, near, numbers := index.Words("Quyết định số 123/QĐ-UBND ngày 21/06/2023, hồ sơ H29.68-210630-0001 và 000.00.15.H29-230404-0123;\n" +
		"CCCD 079085001234, số 79085001234567, lệ phí 1.250.000 đồng. " + strings.Repeat("x", 300) + " hết")
	if got := strings.Join(exact, " "); got != "quyết định số 123 qđ ubnd ngày 21 06 2023 hồ sơ h29 68 210630 0001 và 000 00 15 h29 230404 0123"+
		" cccd 079085001234 số 79085001234567 lệ phí 1 250 000 đồng hết" {
		t.Errorf("words: %s", got)
	}
	for _, p := range []string{"quyet_dinh", "qd_ubnd", "ho_so", "le_phi"} {
		if !slices.Contains(near, p) {
			t.Errorf("no pair %s in %v", p, near)
		}
	}
	for _, p := range []string{"2023_ho", "0123_cccd", "123_qd", "dong_het"} {
		if slices.Contains(near, p) {
			t.Errorf("pair %s runs over a border", p)
		}
	}
	want := []string{"000.00.15.H29-230404-0123", "079085001234", "123/QD-UBND", "H29.68-210630-0001"}
	if !slices.Equal(numbers, want) {
		t.Errorf("numbers: %q, want %q", numbers, want)
	}
}

func TestWordsPlaces(t *testing.T) {
	// the decomposed text must come back as it was written
	const text = "Cấp Giấy phép XÂY DỰNG"
	ix := memory(t)
	apply(t, ix, index.Batch{Add: []*index.Document{{ID: "1", Documents: []index.Part{{Name: "a.txt", Text: norm.NFD.String(text)}}}}})
	r := search(t, ix, &index.Query{Text: "xay dung"})
	var got strings.Builder
	for _, f := range r.Hits[0].Snippet {
		got.WriteString(f.Text)
	}
	if got.String() != norm.NFD.String(text) {
		t.Errorf("snippet %q", got.String())
	}
}

func BenchmarkWords(b *testing.B) {
	text := strings.Repeat("Ủy ban nhân dân thành phố Huế quyết định cấp Giấy phép xây dựng nhà ở riêng lẻ cho ông Nguyễn Văn Hòa. ", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		index.Words(text)
	}
}
