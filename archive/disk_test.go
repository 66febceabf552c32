package archive_test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/embedded"
	"github.com/luutru/luutru/store/s3"
)

// TestNothingPlainOnDisk takes a dossier in on the embedded store, with an index
// on disk, and looks through every file and file name that it left.
func TestNothingPlainOnDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: filepath.Join(dir, "store"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{node: "a", buckets: buckets{
		bucket(t, s, "archive", true), bucket(t, s, "keys", false), bucket(t, s, "work", false),
	}}
	key := make([]byte, index.KeySize)
	rand.Read(key)
	if w.index, err = index.Create(filepath.Join(dir, "index"), key); err != nil {
		t.Fatal(err)
	}
	defer w.index.Close()
	c := w.config(t)
	c.Now = time.Now
	k, _, err := archive.GenerateKeyring("classic", "luutru.test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.Keyring = k
	if err := archive.Create(t.Context(), c, "luutru.test", schedule); err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	d, content := submission("H29.68-240301-0001", usual)
	d.Received, d.Closed, d.Group = "2024-03-01", "2024-05-04", "LIEN-THONG-77"
	if _, err := a.Ingest(t.Context(), portal, d, content); err != nil {
		t.Fatal(err)
	}
	refused, rest := submission("H29.68-240301-0002", usual)
	refused.Class = "XX"
	if _, err := a.Ingest(t.Context(), portal, refused, rest); err == nil {
		t.Fatal("not refused")
	}
	if _, err := a.Search(t.Context(), archivist, index.Query{Text: "giấy phép xây dựng"}); err != nil {
		t.Fatal(err)
	}
	r, err := a.Retrieve(t.Context(), inspector, d.Code, "Thanh tra theo quyết định")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteTo(new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), archivist, d.Code, "Đơn khiếu nại đang được giải quyết"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.Close(), a.Indexed(t.Context()), a.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	lookThrough(t, dir, "Bến Nghé", "bến nghé", "ben nghe", "Nguyễn Thị Ánh", "079190000123", d.Code, refused.Code, d.Group, "lien-thong-77", d.Title, "01-don.txt", "123/GPXD",
		"Thanh tra theo", "khiếu nại", inspector.Subject, "giấy phép")
}

func bucket(t *testing.T, s *embedded.Server, name string, locked bool) store.Store {
	t.Helper()
	e := s.Endpoint()
	c := s3.Config{
		Endpoint: e.Host, Region: e.Region, AccessKey: e.AccessKey, SecretKey: e.SecretKey, Transport: e.Transport,
		UnsignedPayload: true, Bucket: name, Now: time.Now,
	}
	if err := s3.CreateBucket(t.Context(), c, locked); err != nil {
		t.Fatal(err)
	}
	b, err := s3.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lookThrough fails for every file that shows one of the words, in its bytes or
// in its name, in either normal form.
func lookThrough(t *testing.T, dir string, words ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, word := range words {
			for _, form := range []string{norm.NFC.String(word), norm.NFD.String(word)} {
				if bytes.Contains(b, []byte(form)) || bytes.Contains([]byte(path), []byte(form)) {
					t.Errorf("%s shows %q", path, word)
				}
			}
		}
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files looked through, %v", files, err)
	}
}
