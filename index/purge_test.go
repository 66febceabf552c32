package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/blevesearch/bleve/v2/index/scorch"
	zap "github.com/blevesearch/zapx/v17"

	"github.com/luutru/luutru/index"
)

const (
	secretWord = "zqbimatkhongduoclo"
	secretName = "Zưởng Quýt Ngoạm"
	secretID   = "099123456789"
	secretFile = "zq-kin.pdf"
)

func secret(id string) *index.Document {
	return &index.Document{
		ID: id, Code: "H99.77-230101-9999", Title: "Hồ sơ " + secretWord, Applicant: secretName, PersonalIDs: []string{secretID},
		Documents: []index.Part{{Name: secretFile, Title: secretWord, Text: secretWord + " của " + secretName + ", số " + secretID + "."}},
	}
}

// secrets are the traces a secret dossier would leave, as they are written and as they are indexed.
func secrets(id string) [][]byte {
	var out [][]byte
	for _, s := range []string{id, secretWord, "Zưởng", "zưởng", "zuong_quyt", "ngoạm", "zuong", secretID, "H99.77", secretFile} {
		out = append(out, []byte(s))
	}
	return out
}

// readable is everything that can be read in the folder of an index: the raw bytes of its files, and of each segment, through
// whatever encryption, all terms and stored fields, of deleted dossiers too. While a merge writes or deletes a file, it is read anew.
func readable(t *testing.T, dir string) []byte {
	t.Helper()
	var last error
	for range 1000 {
		all, err := readFolder(dir)
		if err == nil {
			return all
		}
		last = err
		runtime.Gosched()
	}
	t.Fatal(last)
	return nil
}

func readFolder(dir string) ([]byte, error) {
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all.Write(raw)
		if filepath.Ext(path) == ".zap" {
			return segment(&all, path)
		}
		return nil
	})
	return all.Bytes(), err
}

func segment(out *bytes.Buffer, path string) error {
	s, err := new(zap.ZapPlugin).Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, field := range s.Fields() {
		terms, err := s.Dictionary(field)
		if err != nil {
			return err
		}
		walk := terms.AutomatonIterator(nil, nil, nil)
		for e, err := walk.Next(); e != nil; e, err = walk.Next() {
			if err != nil {
				return err
			}
			fmt.Fprintln(out, e.Term)
		}
	}
	for i := range s.Count() {
		err := s.VisitStoredFields(i, func(_ string, _ byte, value []byte, _ []uint64) bool {
			out.Write(value)
			out.WriteByte('\n')
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func traces(t *testing.T, dir string, of [][]byte) []string {
	t.Helper()
	var out []string
	all := readable(t, dir)
	for _, s := range of {
		if bytes.Contains(all, s) {
			out = append(out, string(s))
		}
	}
	return out
}

func TestRemovePurges(t *testing.T) {
	for _, c := range []struct {
		name    string
		key     []byte
		batches int
		search  bool // somebody reads old states of the index all the time
	}{
		{"one segment", nil, 1, false},
		{"one segment encrypted", testKey(1), 1, false},
		{"several segments", nil, 6, false},
		{"several segments encrypted", testKey(1), 6, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ix, dir := onDisk(t, c.key)
			defer closeIndex(t, ix)
			docs := dossiers(120)
			for i := range c.batches {
				part := docs[i*len(docs)/c.batches : (i+1)*len(docs)/c.batches]
				if i == c.batches/2 {
					part = append(part[:len(part):len(part)], secret("secret-7"))
				}
				apply(t, ix, index.Batch{Add: part})
			}
			if c.batches > 1 { // a later version leaves its predecessor behind in another segment
				apply(t, ix, index.Batch{Add: []*index.Document{secret("secret-7")}})
			}
			if got := traces(t, dir, secrets("secret-7")); len(got) != len(secrets("")) {
				t.Fatalf("the test sees only %q", got)
			}
			stop := make(chan struct{})
			var readers sync.WaitGroup
			if c.search {
				readers.Go(func() { searchUntil(t, ix, stop) })
			}
			apply(t, ix, index.Batch{Remove: []string{"secret-7"}, Position: 3})
			if got := traces(t, dir, secrets("secret-7")); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
			close(stop)
			readers.Wait()
			if count(t, ix) != 120 || ix.Position() != 3 {
				t.Errorf("%d dossiers, position %d", count(t, ix), ix.Position())
			}
			if r := search(t, ix, &index.Query{Text: secretWord}); r.Total != 0 {
				t.Errorf("still found: %d", r.Total)
			}
		})
	}
}

func searchUntil(t *testing.T, ix *index.Index, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			if _, err := ix.Search(t.Context(), &index.Query{Text: "giấy phép"}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRemoveEverything(t *testing.T) {
	ix, dir := onDisk(t, nil)
	apply(t, ix, index.Batch{Add: []*index.Document{secret("secret-1"), secret("secret-2")}, Position: 1})
	apply(t, ix, index.Batch{Remove: []string{"secret-1", "secret-2", "never there"}, Position: 2})
	if got := traces(t, dir, secrets("secret-")); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
	closeIndex(t, ix)
	ix = reopen(t, dir, nil)
	defer closeIndex(t, ix)
	if count(t, ix) != 0 || ix.Position() != 2 {
		t.Errorf("%d dossiers, position %d", count(t, ix), ix.Position())
	}
	apply(t, ix, index.Batch{Remove: []string{"never there"}})
}

func TestEncrypted(t *testing.T) {
	ix, dir := onDisk(t, testKey(1))
	apply(t, ix, index.Batch{Add: append(dossiers(30), secret("secret-7")), Position: 424242})
	apply(t, ix, index.Batch{Add: dossiers(3)})
	closeIndex(t, ix)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, s := range append(secrets("secret-7"), []byte("giấy phép"), []byte("giay_phep"), []byte("id00000"), []byte("0001.pdf"), []byte{0, 6, 0x79, 0x32}) {
			if bytes.Contains(raw, s) {
				t.Errorf("%s shows %q", d.Name(), s)
			}
		}
		return nil
	})
	if err != nil || files < 4 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestEncryptedTampered(t *testing.T) {
	ix, dir := onDisk(t, testKey(1))
	apply(t, ix, index.Batch{Add: dossiers(50)})
	closeIndex(t, ix)
	segments, err := filepath.Glob(filepath.Join(dir, "store", "*.zap"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	raw, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(raw)*9/10; i += 64 {
		raw[i] ^= 1
	}
	if err := os.WriteFile(segments[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	ix, err = index.Open(dir, testKey(1))
	if errors.Is(err, index.ErrFormat) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer closeIndex(t, ix)
	if r, err := ix.Search(t.Context(), &index.Query{Text: "giấy phép", Limit: 50}); err == nil && r.Total > 0 {
		t.Errorf("%d hits from altered blocks", r.Total)
	}
}

// The position and the dossiers of a batch are in one commit: a process killed at any moment leaves them in step, or, seldom, an index
// of which bleve has lost its own mapping. That is told by ErrFormat, and whoever runs the index makes a new one.
func TestKilled(t *testing.T) {
	const perBatch = 3
	if dir := os.Getenv("LUUTRU_TEST_INDEX"); dir != "" {
		ix, err := index.Open(dir, testKey(1))
		if errors.Is(err, index.ErrFormat) {
			fmt.Println("not whole")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		docs := dossiers(1000)
		for n := ix.Position(); ; n++ {
			var b index.Batch
			for i := range perBatch {
				d := *docs[int(n)%len(docs)]
				d.ID = fmt.Sprintf("%d-%d", n, i)
				b.Add = append(b.Add, &d)
			}
			b.Position = n + 1
			if err := ix.Apply(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			fmt.Println("applied", n+1)
		}
	}
	ix, dir := onDisk(t, testKey(1))
	closeIndex(t, ix)
	for round := range 3 {
		last, whole := killedAfter(t, dir, 3+4*round)
		ix, err := index.Open(dir, testKey(1))
		if !whole || errors.Is(err, index.ErrFormat) {
			if !errors.Is(err, index.ErrFormat) {
				t.Fatalf("not whole, and now: %v", err)
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if ix, err = index.Create(dir, testKey(1)); err != nil {
				t.Fatal(err)
			}
			closeIndex(t, ix)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if ix.Position() < last || count(t, ix) != perBatch*ix.Position() {
			t.Errorf("told %d, position %d, %d dossiers", last, ix.Position(), count(t, ix))
		}
		closeIndex(t, ix)
	}
}

// killedAfter runs this test in a process of its own, kills it after some lines, and returns the last position it told, and whether it
// could open the index.
func killedAfter(t *testing.T, dir string, lines int) (last uint64, whole bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$", "-test.v")
	cmd.Env = append(os.Environ(), "LUUTRU_TEST_INDEX="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	buf := make([]byte, 4096)
	for strings.Count(told.String(), "applied") < lines {
		n, err := out.Read(buf)
		told.Write(buf[:n])
		if strings.Contains(told.String(), "not whole") {
			cmd.Wait()
			return 0, false
		}
		if err != nil {
			t.Fatalf("%v: %s", err, told.String())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // always an error: it was killed
	for line := range strings.Lines(told.String()) {
		fmt.Sscanf(line, "applied %d\n", &last)
	}
	return last, true
}

func TestSnapshotKeepsNothing(t *testing.T) {
	ix, dir := onDisk(t, nil)
	apply(t, ix, index.Batch{Add: []*index.Document{secret("secret-7"), {ID: "other"}}, Position: 1})
	apply(t, ix, index.Batch{Remove: []string{"secret-7"}, Position: 2})
	closeIndex(t, ix)
	points, err := scorch.RollbackPoints(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	if len(points) > 2 {
		t.Errorf("%d states to roll back to", len(points))
	}
	if got := traces(t, dir, secrets("secret-7")); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
}
