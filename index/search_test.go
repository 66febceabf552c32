package index_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/index"
)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

// shelf is a small set of dossiers that the tests ask about.
func shelf(t *testing.T) *index.Index {
	t.Helper()
	ix := memory(t)
	part := func(name, text string) index.Part { return index.Part{Name: name, Text: text} }
	apply(t, ix, index.Batch{Add: []*index.Document{
		{
			ID: "build", Code: "H29.68-210630-0001", ArchiveCode: "H29.LT.H29.68-210630-0001", Title: "Cấp giấy phép xây dựng nhà ở riêng lẻ", Agency: "H29.68", Procedure: "1.009122",
			Class: "A2", Access: "open", Applicant: "Trần Thị Hòa", PersonalIDs: []string{"079085001234"}, Begin: day(2021, 6, 1), End: day(2021, 7, 15),
			Documents: []index.Part{
				part("0001.pdf", "Đơn đề nghị cấp giấy phép xây dựng. Kính gửi: Ủy ban nhân dân quận."),
				part("0002.pdf", "Quyết định số 123/QĐ-UBND ngày 21/06/2021 về việc cấp phép; hợp đồng thuê đất của công ty số 45/HĐ."),
			},
		},
		{
			ID: "birth", Code: "000.00.15.H29-230404-0123", Title: "Đăng ký khai sinh", Agency: "H29.15", Procedure: "1.001193",
			Class: "A1", Access: "limited", Applicant: "Nguyen Van Hoa", Begin: day(2023, 4, 4), End: day(2023, 4, 10),
			Keywords: []string{"liên thông", "trẻ em"}, Group: "G22-LT-7",
			Documents: []index.Part{part("0001.pdf", "Tờ khai đăng ký khai sinh. Cha: Nguyễn Văn Hoa. Thuê đất hợp đồng thuê nhà. Giấy tờ, phép tắc.")},
		},
		{
			ID: "land", Code: "H49.20-200101-0007", Title: "Chuyển mục đích sử dụng đất", Agency: "H49.20", Procedure: "1.000798", Class: "A2", Group: "G22-LT-7",
			Applicant: "Công ty TNHH Quý Mỹ", End: day(2020, 12, 31), PersonalIDs: []string{"001199000007"},
			Documents: []index.Part{part("a.docx", "Giay phep su dung dat cua Uy ban nhan dan. Quyết định 1234/QĐ-UBND. 2020 đó.")},
		},
	}})
	return ix
}

func TestSpellings(t *testing.T) {
	ix := shelf(t)
	for want, spellings := range map[string][]string{
		"build": {"xây dựng", "xay dung", "XÂY DỰNG", "  Xây,  dựng! ", "dựng xây", "Trần Thị Hoà", "tran thi hoa", "Ðơn đề nghị", "cấp giấy phép riêng lẻ"},
		"land":  {"Quí Mĩ", "quý mỹ", "qúy mỹ", "công ti TNHH", "giấy phép sử dụng", "giay phep su dung", "sử dụng đất của ủy ban"},
		"birth": {"khai sinh", "lien thong tre em", "liên thông trẻ em", "Nguyễn Văn Hoa", "nguyen van hoa"},
	} {
		for _, s := range spellings {
			for form, text := range map[string]string{"NFC": norm.NFC.String(s), "NFD": norm.NFD.String(s)} {
				if got := found(search(t, ix, &index.Query{Text: text})); got != want {
					t.Errorf("%q in %s: %q, want %q", s, form, got, want)
				}
			}
		}
	}
}

func TestRanking(t *testing.T) {
	ix := shelf(t)
	for text, want := range map[string]string{
		"hòa":             "build birth", // as written first, then without accents
		"hoa":             "birth build", // in the title of a document, and in its text
		"giấy phép":       "build birth land",
		"uỷ ban nhân dân": "build land",
		"ủy ban":          "build land",
	} {
		if got := found(search(t, ix, &index.Query{Text: text})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	ix := shelf(t)
	for text, want := range map[string]string{
		"H29.68-210630-0001":            "build",
		"h29.68-2106":                   "build",
		"H29.68":                        "build",
		"H29":                           "birth build",
		"000.00.15.H29-230404-0123":     "birth",
		"000.00.15.h29–230404":          "birth",
		"H29-230404-0123":               "birth",
		"123/QĐ-UBND":                   "build",
		"123/qd-ubnd":                   "build",
		"123/QĐ":                        "build",
		"số 123/QĐ-UBND.":               "build",
		"1234/QĐ-UBND":                  "land",
		"12/QĐ-UBND":                    "",
		"079085001234":                  "build",
		"0790850":                       "build",
		"079085001235":                  "",
		"2020":                          "land",
		"quyết định 123/QĐ-UBND cấp":    "build",
		"001199000007 chuyển mục đích":  "land",
		"21/06/2021":                    "build",
		strings.Repeat("1", 60) + "/QĐ": "",
	} {
		if got := found(search(t, ix, &index.Query{Text: text})); sorted(got) != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func sorted(ids string) string {
	s := strings.Fields(ids)
	slices.Sort(s)
	return strings.Join(s, " ")
}

func TestPhrases(t *testing.T) {
	ix := shelf(t)
	for text, want := range map[string]string{
		`"hợp đồng thuê đất"`:         "build",
		`hợp đồng thuê đất`:           "birth build",
		`"hop dong thue dat"`:         "build",
		`"giấy phép xây dựng"`:        "build",
		`“giay phep xay dung”`:        "build",
		`"giấy phép"`:                 "build",
		`"giay phep"`:                 "build land",
		`"phép giấy"`:                 "",
		`"nhân dân quận" xây`:         "build",
		`"lẻ Trần"`:                   "", // the title ends before the name begins
		`"le tran"`:                   "",
		`"khai sinh`:                  "birth",
		`"" khai "" sinh`:             "birth",
		`"123/QĐ-UBND ngày"`:          "build",
		`"đất"`:                       "birth build land",
		`"cấp giấy phép" "thuê đất"`:  "build",
		`"cấp giấy phép" "khai sinh"`: "",
	} {
		r := search(t, ix, &index.Query{Text: text})
		if r.Relaxed {
			r = &index.Result{}
		}
		if got := sorted(found(r)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestRelaxed(t *testing.T) {
	ix := shelf(t)
	r := search(t, ix, &index.Query{Text: "làm thế nào để xin giấy phép xây dựng"})
	if !r.Relaxed || r.Total == 0 || r.Hits[0].ID != "build" {
		t.Errorf("relaxed %v, %s", r.Relaxed, found(r))
	}
	if r := search(t, ix, &index.Query{Text: "giấy phép xây dựng"}); r.Relaxed || r.Total != 1 {
		t.Errorf("relaxed %v, %s", r.Relaxed, found(r))
	}
	for _, text := range []string{"zzz", "zzz yyy", "???", "\" \""} {
		if r := search(t, ix, &index.Query{Text: text}); r.Relaxed || r.Total != 0 || len(r.Hits) != 0 {
			t.Errorf("%q: relaxed %v, %s", text, r.Relaxed, found(r))
		}
	}
}

func TestFilters(t *testing.T) {
	ix := shelf(t)
	for _, c := range []struct {
		name string
		q    index.Query
		want string
	}{
		{"all", index.Query{}, "birth build land"}, // the latest end first
		{"blank", index.Query{Text: "  "}, "birth build land"},
		{"code", index.Query{Code: "H29.68-210630-0001"}, "build"},
		{"code begins", index.Query{Code: "h29.68"}, "build"},
		{"code ends", index.Query{Code: "0001"}, ""},
		{"agency", index.Query{Agency: "H29.15"}, "birth"},
		{"agency above", index.Query{Agency: "H29"}, "birth build"},
		{"procedure", index.Query{Procedure: "1.000798"}, "land"},
		{"person", index.Query{PersonalID: "079 085 001 234"}, "build"},
		{"person begins", index.Query{PersonalID: "079085"}, ""},
		{"class", index.Query{Class: "A2"}, "build land"},
		{"archive code", index.Query{Code: "H29.LT.H29.68-210630-0001"}, "build"},
		{"archive code in a text", index.Query{Text: "h29.lt.h29.68-210630-0001"}, "build"},
		{"group", index.Query{Group: "g22-lt-7"}, "birth land"},
		{"group begins", index.Query{Group: "G22"}, ""},
		{"group as a text", index.Query{Text: "G22-LT-7"}, "birth land"},
		{"from", index.Query{From: day(2021, 7, 15)}, "birth build"},
		{"to", index.Query{To: day(2021, 7, 15)}, "land"},
		{"year", index.Query{From: day(2021, 1, 1), To: day(2022, 1, 1)}, "build"},
		{"scope", index.Query{Agencies: []string{"H29.68", "H49.20"}}, "build land"},
		{"no scope", index.Query{Agencies: []string{}}, ""},
		{"unknown scope", index.Query{Agencies: []string{"H1"}}, ""},
		{"scope and agency", index.Query{Agencies: []string{"H49.20"}, Agency: "H29.68"}, ""},
		{"access", index.Query{Access: []string{"limited"}}, "birth"},
		{"no access", index.Query{Text: "đất", Access: []string{}}, ""},
		{"text and scope", index.Query{Text: "đất", Agencies: []string{"H49.20"}}, "land"},
		{"text and class and date", index.Query{Text: "dat", Class: "A2", To: day(2021, 1, 1)}, "land"},
		{"text elsewhere", index.Query{Text: "khai sinh", Agencies: []string{"H49.20"}}, ""},
	} {
		r := search(t, ix, &c.q)
		if got := found(r); got != c.want || int(r.Total) != len(r.Hits) {
			t.Errorf("%s: %q of %d, want %q", c.name, got, r.Total, c.want)
		}
	}
}

// What a caller may not see must not show in any figure, whatever the query.
func TestScopeLeaksNothing(t *testing.T) {
	docs := dossiers(300)
	scope := []string{"H29.1", "H29.2", "H29.3"}
	var visible []*index.Document
	for _, d := range docs {
		if slices.Contains(scope, d.Agency) {
			visible = append(visible, d)
		}
	}
	all, only := memory(t), memory(t)
	apply(t, all, index.Batch{Add: docs})
	apply(t, only, index.Batch{Add: visible})
	for _, text := range []string{"", "giấy phép", "nguyen", "H29.", "H29.9-", "giấy phép không đâu có", `"đất đai"`, docs[0].Code, docs[1].Applicant, docs[2].PersonalIDs[0]} {
		for _, offset := range []int{0, 5, 100} {
			a := search(t, all, &index.Query{Text: text, Agencies: scope, Offset: offset, Limit: 50})
			b := search(t, only, &index.Query{Text: text, Offset: offset, Limit: 50})
			if a.Total != b.Total || a.Relaxed != b.Relaxed || len(a.Hits) != len(b.Hits) {
				t.Errorf("%q after %d: %d hits of %d, relaxed %v; alone %d of %d, %v", text, offset, len(a.Hits), a.Total, a.Relaxed, len(b.Hits), b.Total, b.Relaxed)
			}
			for _, h := range a.Hits {
				if !slices.Contains(scope, h.Agency) {
					t.Errorf("%q shows a dossier of %s", text, h.Agency)
				}
			}
		}
	}
}

func TestHit(t *testing.T) {
	ix := shelf(t)
	h := search(t, ix, &index.Query{Text: "hop dong thue dat", Agency: "H29.68"}).Hits[0]
	if h.Code != "H29.68-210630-0001" || h.Title != "Cấp giấy phép xây dựng nhà ở riêng lẻ" || h.Agency != "H29.68" || h.Procedure != "1.009122" ||
		h.Class != "A2" || h.Access != "open" || !h.End.Equal(day(2021, 7, 15)) || !h.Begin.Equal(day(2021, 6, 1)) || h.Score <= 0 {
		t.Errorf("hit %+v", h)
	}
	if h.Document != "0002.pdf" {
		t.Errorf("best document %q", h.Document)
	}
	if got := lit(h); !strings.Contains(got, "[hợp đồng thuê đất]") || !strings.Contains(got, "cấp phép; ") {
		t.Errorf("snippet %s", got)
	}
	// found by its title only: no document fits
	h = search(t, ix, &index.Query{Text: "riêng lẻ"}).Hits[0]
	if h.Document != "" || h.Snippet != nil {
		t.Errorf("document %q, snippet %q", h.Document, lit(h))
	}
	if h := search(t, ix, &index.Query{}).Hits[0]; h.Snippet != nil || h.Score != 0 {
		t.Errorf("without a text: %+v", h)
	}
}

func lit(h index.Hit) string {
	var b strings.Builder
	for _, f := range h.Snippet {
		if f.Lit {
			fmt.Fprintf(&b, "[%s]", f.Text)
		} else {
			b.WriteString(f.Text)
		}
	}
	return b.String()
}

func TestSnippetOfLongText(t *testing.T) {
	ix := memory(t)
	text := strings.Repeat("lời mở đầu dài ", 3000) + "đất đai\nvà " + strings.Repeat("\u200b—", 500) + " tranh chấp đất đai ở đây. " + strings.Repeat("kết thúc ", 3000)
	apply(t, ix, index.Batch{Add: []*index.Document{{ID: "1", Documents: []index.Part{{Name: "x", Text: "Đất"}, {Name: "y", Text: text}}}}})
	h := search(t, ix, &index.Query{Text: "tranh chấp đất đai"}).Hits[0]
	got := lit(h)
	if h.Document != "y" || !strings.Contains(got, "[tranh chấp đất đai]") || len(got) > 1000 || !utf8.ValidString(got) {
		t.Errorf("%s: %s", h.Document, got)
	}
}

func TestPages(t *testing.T) {
	ix := memory(t)
	apply(t, ix, index.Batch{Add: dossiers(130)})
	for _, text := range []string{"", "ho so"} {
		var ids []string
		var total uint64
		for offset := 0; ; offset += 30 {
			r := search(t, ix, &index.Query{Text: text, Offset: offset, Limit: 30})
			total = r.Total
			if len(r.Hits) == 0 {
				break
			}
			ids = append(ids, strings.Fields(found(r))...)
		}
		unique := slices.Compact(slices.Sorted(slices.Values(ids)))
		if len(ids) != len(unique) || len(ids) != int(total) || total < 100 {
			t.Errorf("%q: %d hits, %d of them different, of %d", text, len(ids), len(unique), total)
		}
	}
	if n := len(search(t, ix, &index.Query{}).Hits); n != 20 {
		t.Errorf("%d hits by default", n)
	}
}

func TestQueryRefused(t *testing.T) {
	ix := shelf(t)
	for name, q := range map[string]index.Query{
		"long": {Text: strings.Repeat("a", 5000)}, "words": {Text: strings.Repeat("a ", 100)}, "limit": {Limit: 201}, "negative": {Limit: -1},
		"before": {Offset: -1}, "deep": {Offset: 1 << 62}, "scope": {Agencies: make([]string, 20_000)},
	} {
		if _, err := ix.Search(t.Context(), &q); !errors.Is(err, index.ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"giấy phép", `"hợp đồng" 123/QĐ-UBND`, `"`, `""`, "“a”b„", "H29.68-2106", "0790850", "-", "/", "1/", "///1", "đ", "ð",
		"\xff\xfe", "a\u0300\u0301\u0302", "1\u0300/2", "\x00", "ữ́", "_", "=", strings.Repeat("1", 100), "0٣٣٣٣٣٣", "٣/a", "\u2028 x"} {
		f.Add(s, s, "H29.68")
	}
	ix, err := index.NewMemory()
	if err != nil {
		f.Fatal(err)
	}
	if err := ix.Apply(f.Context(), index.Batch{Add: dossiers(20)}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, code, agency string) {
		for _, q := range []index.Query{{Text: text}, {Text: text, Code: code, Agencies: []string{agency}}, {PersonalID: text, Agency: agency}} {
			r, err := ix.Search(t.Context(), &q)
			if err != nil {
				if !errors.Is(err, index.ErrQuery) {
					t.Fatal(err)
				}
				continue
			}
			for _, h := range r.Hits {
				for _, s := range h.Snippet {
					if !utf8.ValidString(s.Text) {
						t.Fatalf("snippet %q", s.Text)
					}
				}
			}
			if (r.Total == 0) != (len(r.Hits) == 0) {
				t.Fatalf("%d hits of %d", len(r.Hits), r.Total)
			}
		}
	})
}

func TestAgenciesCoverAllBelowThem(t *testing.T) {
	ix := memory(t)
	apply(t, ix, index.Batch{Add: []*index.Document{
		{ID: "a", Agency: "H29"}, {ID: "b", Agency: "H29.68"}, {ID: "c", Agency: "H29.68.1"}, {ID: "d", Agency: "H29.6"}, {ID: "e", Agency: "H2"},
	}})
	for agency, want := range map[string]uint64{"H29": 4, "H29.68": 2, "H29.68.1": 1, "H29.6": 1, "H2": 1, "H": 0} {
		for _, q := range []*index.Query{{Agency: agency}, {Agencies: []string{agency}}} {
			r, err := ix.Search(t.Context(), q)
			if err != nil || r.Total != want {
				t.Errorf("%s: got %d, %v; want %d", agency, r.Total, err, want)
			}
		}
	}
	if r, err := ix.Search(t.Context(), &index.Query{ID: "b"}); err != nil || r.Total != 1 || r.Hits[0].ID != "b" {
		t.Errorf("by ID: got %v, %v", r, err)
	}
}
