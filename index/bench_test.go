package index_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/index"
)

const benchDossiers = 10_000

func textOf(d *index.Document) string {
	s := []string{d.Code, d.Title, d.Applicant}
	for _, p := range d.Documents {
		s = append(s, p.Title, p.Text)
	}
	return strings.Join(s, "\n")
}

func BenchmarkApply(b *testing.B) {
	docs := dossiers(1000)
	var size int64
	for _, d := range docs {
		size += int64(len(textOf(d)))
	}
	for name, key := range map[string][]byte{"plain": nil, "encrypted": testKey(1)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				ix, dir := onDisk(b, key)
				apply(b, ix, index.Batch{Add: docs, Position: 1})
				b.StopTimer()
				closeIndex(b, ix)
				b.ReportMetric(float64(folderSize(b, dir))/float64(size), "size/text")
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N*len(docs))/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

func folderSize(t testing.TB, dir string) (size int64) {
	files, err := filepath.Glob(filepath.Join(dir, "store", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	return size
}

// scan is what a search without an index would do: fold every text and look for all the words.
func scan(docs []string, words string) (n int) {
	fold := strings.NewReplacer(foldPairs()...)
	want := strings.Fields(fold.Replace(strings.ToLower(words)))
	for _, text := range docs {
		text = fold.Replace(strings.ToLower(text))
		if !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(text, w) }) {
			n++
		}
	}
	return n
}

func foldPairs() (pairs []string) {
	for _, class := range []string{"aáàảãạăắằẳẵặâấầẩẫậ", "eéèẻẽẹêếềểễệ", "iíìỉĩị", "oóòỏõọôốồổỗộơớờởỡợ", "uúùủũụưứừửữự", "yýỳỷỹỵ", "dđ"} {
		for _, r := range class[1:] {
			pairs = append(pairs, string(r), class[:1])
		}
	}
	return pairs
}

func BenchmarkSearch(b *testing.B) {
	docs := dossiers(benchDossiers)
	texts := make([]string, len(docs))
	for i, d := range docs {
		texts[i] = textOf(d)
	}
	for name, key := range map[string][]byte{"plain": nil, "encrypted": testKey(1)} {
		ix, _ := onDisk(b, key)
		apply(b, ix, index.Batch{Add: docs, Position: 1})
		for kind, q := range map[string]index.Query{
			"words":          {Text: "giấy phép xây dựng"},
			"words no marks": {Text: "giay phep xay dung"},
			"name":           {Text: docs[77].Applicant},
			"phrase":         {Text: `"hộ kinh doanh"`},
			"phrase folded":  {Text: `"ho kinh doanh"`},
			"code":           {Text: docs[77].Code},
			"filtered":       {Text: "đất đai", Agency: "H29.3", From: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)},
			"scoped":         {Text: "đất đai", Agencies: []string{"H29.3", "H29.4", "H29.5"}},
			"relaxed":        {Text: "làm sao xin giấy phép xây dựng nhà ở chung cư mini"},
			"latest":         {Agency: "H29.3"},
			"all":            {},
		} {
			b.Run(name+"/"+strings.ReplaceAll(kind, " ", "-"), func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					search(b, ix, &q)
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(search(b, ix, &q).Total), "hits")
			})
		}
		closeIndex(b, ix)
	}
	b.Run("scan/words", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(float64(scan(texts, "giấy phép xây dựng")), "hits")
		}
	})
}

func BenchmarkRemove(b *testing.B) {
	docs := dossiers(3000)
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			ix, _ := onDisk(b, testKey(1))
			defer closeIndex(b, ix)
			apply(b, ix, index.Batch{Add: docs})
			next := 0
			for b.Loop() {
				var ids []string
				for range batch {
					ids = append(ids, docs[next%len(docs)].ID)
					next++
				}
				apply(b, ix, index.Batch{Remove: ids})
			}
		})
	}
}
