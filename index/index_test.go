package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/index"
)

func memory(t testing.TB) *index.Index {
	t.Helper()
	ix, err := index.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIndex(t, ix) })
	return ix
}

// onDisk makes an index that the test may close itself.
func onDisk(t testing.TB, key []byte) (ix *index.Index, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "index")
	ix, err := index.Create(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return ix, dir
}

func reopen(t testing.TB, dir string, key []byte) *index.Index {
	t.Helper()
	ix, err := index.Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func closeIndex(t testing.TB, ix *index.Index) {
	t.Helper()
	if err := ix.Close(); err != nil {
		t.Error(err)
	}
}

func apply(t testing.TB, ix *index.Index, b index.Batch) {
	t.Helper()
	if err := ix.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, ix *index.Index, q *index.Query) *index.Result {
	t.Helper()
	r, err := ix.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found is the IDs of the hits, in their order.
func found(r *index.Result) string {
	var ids []string
	for _, h := range r.Hits {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

func count(t testing.TB, ix *index.Index) uint64 {
	t.Helper()
	n, err := ix.Count()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, index.KeySize) }

// dossiers makes n dossiers that are always the same.
func dossiers(n int) []*index.Document {
	var (
		r        = rand.New(rand.NewPCG(4, 2023))
		family   = strings.Fields("Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý")
		given    = strings.Fields("An Bình Châu Dũng Giang Hà Hải Hạnh Hòa Hùng Hương Khánh Lan Linh Long Mai Minh Nam Nga Ngọc Phúc Quý Sơn Thúy Tuấn Yến")
		kinds    = []string{"Cấp giấy phép xây dựng nhà ở riêng lẻ", "Đăng ký khai sinh", "Đăng ký kết hôn", "Đăng ký thường trú", "Cấp thẻ bảo hiểm y tế", "Chuyển mục đích sử dụng đất", "Đăng ký thành lập hộ kinh doanh", "Trợ cấp mai táng phí"}
		syllable = strings.Fields("ủy ban nhân dân thành phố quyết định cấp giấy phép công dân đề nghị xác nhận hồ sơ theo quy định của pháp luật về đất đai nhà ở tài sản gắn liền với địa chỉ thường trú phường xã quận huyện tỉnh ngày tháng năm người nộp bản sao chứng thực kèm theo biên bản kiểm tra hiện trạng ranh giới thửa số tờ bản đồ diện tích mục đích thời hạn sử dụng lệ phí trước bạ kết quả giải quyết trả lời văn bản cơ quan tiếp nhận một cửa liên thông môi trường kinh doanh vốn điều lệ đại diện bảo hiểm trợ cấp")
		out      = make([]*index.Document, n)
	)
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for i := range out {
		agency := fmt.Sprintf("H29.%d", r.IntN(40))
		end := time.Date(2010+r.IntN(15), 1, 1+r.IntN(365), 10, 0, 0, 0, time.UTC)
		kind := r.IntN(len(kinds))
		d := &index.Document{
			ID:          fmt.Sprintf("id%06d", i),
			Code:        fmt.Sprintf("%s-%s-%04d", agency, end.Format("060102"), i%10000),
			Title:       kinds[kind],
			Agency:      agency,
			Procedure:   fmt.Sprintf("1.%06d", kind),
			Class:       fmt.Sprintf("A%d", kind%5),
			Access:      []string{"open", "limited"}[r.IntN(2)],
			Applicant:   pick(family) + " " + pick(given) + " " + pick(given),
			PersonalIDs: []string{fmt.Sprintf("079%09d", r.IntN(1e9))},
			Begin:       end.AddDate(0, -1, 0), End: end,
		}
		for p := range 2 {
			var text strings.Builder
			fmt.Fprintf(&text, "Kính gửi cơ quan, tôi là %s, số định danh %s. ", d.Applicant, d.PersonalIDs[0])
			for range 120 + r.IntN(120) {
				text.WriteString(pick(syllable))
				text.WriteString([]string{" ", " ", " ", " ", ", "}[r.IntN(5)])
			}
			fmt.Fprintf(&text, "Quyết định số %d/QĐ-UBND.", r.IntN(9000))
			d.Documents = append(d.Documents, index.Part{Name: fmt.Sprintf("%04d.pdf", p+1), Title: kinds[kind], Text: text.String()})
		}
		out[i] = d
	}
	return out
}

func TestCreateOpen(t *testing.T) {
	for name, key := range map[string][]byte{"plain": nil, "encrypted": testKey(1)} {
		t.Run(name, func(t *testing.T) {
			ix, dir := onDisk(t, key)
			if _, err := index.Open(dir, key); !errors.Is(err, fs.ErrExist) {
				t.Errorf("open twice: %v", err)
			}
			apply(t, ix, index.Batch{Add: dossiers(20), Position: 7})
			want := found(search(t, ix, &index.Query{Text: "giay phep", Limit: 200}))
			closeIndex(t, ix)

			if _, err := index.Create(dir, key); !errors.Is(err, fs.ErrExist) {
				t.Errorf("create over an index: %v", err)
			}
			for other, key := range map[string][]byte{"none": nil, "another": testKey(2), "short": {1}} {
				if name == "plain" && other == "none" {
					continue
				}
				if _, err := index.Open(dir, key); !errors.Is(err, index.ErrKey) {
					t.Errorf("open with key %s: %v", other, err)
				}
			}
			ix = reopen(t, dir, key)
			defer closeIndex(t, ix)
			if ix.Position() != 7 || count(t, ix) != 20 {
				t.Errorf("position %d, %d dossiers", ix.Position(), count(t, ix))
			}
			if got := found(search(t, ix, &index.Query{Text: "giay phep", Limit: 200})); got != want || got == "" {
				t.Errorf("found %q, before %q", got, want)
			}
		})
	}
}

func TestOpenDamaged(t *testing.T) {
	if _, err := index.Open(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	ix, dir := onDisk(t, testKey(1))
	closeIndex(t, ix)
	head := filepath.Join(dir, "luutru-index.json")
	data, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"other format": `{"format":99}`, "garbage": "?", "none": ""} {
		if err := os.Remove(head); err != nil {
			t.Fatal(err)
		}
		if name != "none" {
			if err := os.WriteFile(head, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if _, err := os.Stat(head); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if _, err := index.Open(dir, testKey(1)); !errors.Is(err, index.ErrFormat) {
			t.Errorf("header %s: %v", name, err)
		}
		if err := os.WriteFile(head, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// a header that lies about the key does not help
	if err := os.WriteFile(head, []byte(`{"format":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := index.Open(dir, nil); !errors.Is(err, index.ErrKey) {
		t.Errorf("encrypted index behind a plain header: %v", err)
	}
}

func TestApply(t *testing.T) {
	ix := memory(t)
	doc := func(id, title string) *index.Document { return &index.Document{ID: id, Title: title} }
	apply(t, ix, index.Batch{Add: []*index.Document{doc("1", "một"), doc("2", "hai"), doc("2", "ba")}, Position: 5})
	apply(t, ix, index.Batch{Add: []*index.Document{doc("1", "bốn")}, Position: 3})
	if ix.Position() != 5 {
		t.Errorf("position moved back to %d", ix.Position())
	}
	for text, want := range map[string]string{"một": "", "hai": "", "ba": "2", "bốn": "1"} {
		if got := found(search(t, ix, &index.Query{Text: text})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	apply(t, ix, index.Batch{Add: []*index.Document{doc("1", "năm"), doc("3", "sáu")}, Remove: []string{"1", "unknown"}, Position: 6})
	for id, want := range map[string]bool{"1": false, "2": true, "3": true, "": false} {
		if got, err := ix.Has(t.Context(), id); got != want || err != nil {
			t.Errorf("has %q: %v, %v", id, got, err)
		}
	}
	var ids []string
	for id, err := range ix.IDs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"2", "3"}) || ix.Position() != 6 {
		t.Errorf("IDs %q, position %d", ids, ix.Position())
	}
	for range ix.IDs(t.Context()) {
		break
	}
	for name, bad := range map[string]*index.Document{
		"no ID": doc("", "x"), "long ID": doc(strings.Repeat("x", 600), "x"), "far": {ID: "9", End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := ix.Apply(t.Context(), index.Batch{Add: []*index.Document{bad}, Position: 100}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if ix.Position() != 6 {
		t.Errorf("position %d after refused batches", ix.Position())
	}
}

func TestApplyOddTexts(t *testing.T) {
	ix := memory(t)
	apply(t, ix, index.Batch{Add: []*index.Document{
		{ID: "1", Title: "hỏng \xff\xfe đầu", Documents: []index.Part{{}, {Name: "a", Text: "giữa \xc3 cuối"}, {Name: "b", Text: strings.Repeat("dài ", 2<<20) + " mất"}}},
		{ID: "2"},
	}})
	for text, want := range map[string]string{"hỏng": "1", "cuối": "1", "dài": "1", "mất": ""} {
		if got := found(search(t, ix, &index.Query{Text: text})); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// countdown is a context that ends after it has been asked some times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestApplyInterrupted(t *testing.T) {
	ix, _ := onDisk(t, nil)
	defer closeIndex(t, ix)
	docs := dossiers(1200)
	for left := range 3 {
		ctx := &countdown{Context: t.Context(), left: left}
		if err := ix.Apply(ctx, index.Batch{Add: docs, Position: 9}); err == nil {
			t.Fatalf("not interrupted after %d steps", left)
		}
		if ix.Position() != 0 {
			t.Fatalf("position %d ahead of the content", ix.Position())
		}
	}
	if n := count(t, ix); n == 0 || n == 1200 {
		t.Errorf("%d dossiers after interruption: the test shows nothing", n)
	}
	apply(t, ix, index.Batch{Add: docs, Position: 9})
	if ix.Position() != 9 || count(t, ix) != 1200 {
		t.Errorf("position %d, %d dossiers", ix.Position(), count(t, ix))
	}
}

func TestRebuild(t *testing.T) {
	docs := dossiers(600)
	grown, _ := onDisk(t, testKey(1))
	defer closeIndex(t, grown)
	for chunk := range slices.Chunk(docs, 50) {
		apply(t, grown, index.Batch{Add: chunk})
	}
	apply(t, grown, index.Batch{Add: docs[100:150], Remove: []string{docs[0].ID, docs[300].ID}, Position: 1})
	rebuilt := memory(t)
	apply(t, rebuilt, index.Batch{Add: slices.Concat(docs[1:300], docs[301:]), Position: 1})
	for _, q := range []index.Query{
		{Text: "giấy phép xây dựng"}, {Text: "nguyen van"}, {Text: `"bảo hiểm y tế"`}, {Text: "không có từ này đất đai"},
		{}, {Agency: docs[5].Agency}, {Text: "đất", From: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)}, {Code: "H29.1-"},
		{Text: docs[7].Code}, {PersonalID: docs[8].PersonalIDs[0]}, {Offset: 150}, {Text: "ho so", Offset: 150},
	} {
		q.Limit = 100
		a, b := search(t, grown, &q), search(t, rebuilt, &q)
		if a.Total != b.Total || found(a) != found(b) || a.Relaxed != b.Relaxed {
			t.Errorf("%+v: %d and %d hits, or another order", q, a.Total, b.Total)
		}
	}
}

func TestConcurrent(t *testing.T) {
	ix, _ := onDisk(t, testKey(1))
	defer closeIndex(t, ix)
	docs := dossiers(400)
	apply(t, ix, index.Batch{Add: docs[:100]})
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := ix.Search(t.Context(), &index.Query{Text: docs[n%len(docs)].Applicant, Limit: 5}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n, chunk := range slices.Collect(slices.Chunk(docs[100:], 60)) {
		apply(t, ix, index.Batch{Add: chunk, Remove: []string{docs[n].ID}, Position: uint64(n + 1)})
	}
	close(stop)
	readers.Wait()
	if ix.Position() != 5 || count(t, ix) != 395 {
		t.Errorf("position %d, %d dossiers", ix.Position(), count(t, ix))
	}
}
