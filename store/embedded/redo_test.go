package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store/embedded"
)

// tree returns the files below dir, but for staging, and what is in them.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "/staging/") {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// staged returns a storage directory as far as changes need one.
func staged(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"staging", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// steps returns random changes as requests make them, and stages what they
// link.
func steps(t *testing.T, dir string, r *rand.Rand) []embedded.Step {
	t.Helper()
	var all []embedded.Step
	length := map[string]int{} // of the files there are
	for i := range 40 {
		path := fmt.Sprintf("data/archive/%d/%d@", r.IntN(2), r.IntN(4))
		data := strings.Repeat(fmt.Sprint(i), 1+r.IntN(5))
		n, there := length[path]
		switch k := r.IntN(6); {
		case k == 0 && there:
			all = append(all, embedded.Step{Op: "remove", Path: path})
			delete(length, path)
		case k == 1 && there:
			all = append(all, embedded.Step{Op: "splice", Path: path, Off: int64(n / 2), Data: data})
			length[path] = n/2 + len(data)
		case k == 2:
			from := fmt.Sprintf("staging/%d", i)
			if err := os.WriteFile(filepath.Join(dir, from), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			all = append(all, embedded.Step{Op: "link", Path: path, From: from})
			length[path] = len(data)
		case k == 3 && r.IntN(3) == 0:
			gone := filepath.Dir(path)
			all = append(all, embedded.Step{Op: "removeall", Path: gone})
			maps.DeleteFunc(length, func(p string, _ int) bool { return filepath.Dir(p) == gone })
		default:
			all = append(all, embedded.Step{Op: "write", Path: path, Data: data})
			length[path] = len(data)
		}
	}
	return all
}

// TestReplay checks what recovery rests on: the changes of a log applied again,
// on top of all of their effects or some of them, lead to the same tree.
func TestReplay(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 0))
		dir := staged(t)
		all := steps(t, dir, r)
		if err := embedded.Apply(dir, false, all...); err != nil {
			t.Fatal(err)
		}
		want := tree(t, dir)
		for from := range all {
			if err := embedded.Apply(dir, true, all[from:]...); err != nil {
				t.Fatalf("seed %d, from %d: %v", seed, from, err)
			}
			if got := tree(t, dir); !maps.Equal(got, want) {
				t.Fatalf("seed %d, from %d:\n got %q\nwant %q", seed, from, got, want)
			}
		}
		// A crash after some changes, of which the first are retired.
		for range 20 {
			done := r.IntN(len(all) + 1)
			retired := r.IntN(done + 1)
			dir := staged(t)
			steps(t, dir, rand.New(rand.NewPCG(seed, 0)))
			if err := embedded.Apply(dir, false, all[:done]...); err != nil {
				t.Fatal(err)
			}
			for _, s := range all[:retired] {
				if s.Op == "link" {
					if err := os.Remove(filepath.Join(dir, s.From)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := embedded.Apply(dir, true, all[retired:]...); err != nil {
				t.Fatalf("seed %d, %d to %d: %v", seed, retired, done, err)
			}
			if got := tree(t, dir); !maps.Equal(got, want) {
				t.Fatalf("seed %d, %d to %d:\n got %q\nwant %q", seed, retired, done, got, want)
			}
		}
		// Some effects are there in part: a file torn, a file missing.
		for path := range want {
			if r.IntN(2) == 0 {
				// As another file: the bytes of a linked one were synced.
				err := os.Remove(filepath.Join(dir, path))
				if r.IntN(2) == 0 {
					err = errors.Join(err, os.WriteFile(filepath.Join(dir, path), []byte("torn"), 0o600))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := embedded.Apply(dir, true, all...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := tree(t, dir); !maps.Equal(got, want) {
			t.Fatalf("seed %d, torn:\n got %q\nwant %q", seed, got, want)
		}
	}
}

// left prepares a directory as a crash might have left it.
func left(t *testing.T, segments ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	for i, data := range segments {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("log.%d", i)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLogAfterCrash(t *testing.T) {
	one, two, three := embedded.Frame(1, "data/a@", "one"), embedded.Frame(2, "data/b@", "two"), embedded.Frame(3, "data/b@", "three")
	big := embedded.Frame(2, "data/b@", strings.Repeat("big", 1000))
	broken := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	for name, test := range map[string]struct {
		segments [][]byte
		want     map[string]string
		damaged  bool
	}{
		"empty":               {segments: [][]byte{nil, nil}},
		"zeros":               {segments: [][]byte{make([]byte, 4096), make([]byte, 100)}},
		"frames":              {segments: [][]byte{embedded.Segment(1, one, two, three)}, want: map[string]string{"data/a@": "one", "data/b@": "three"}},
		"void frames":         {segments: [][]byte{embedded.Segment(3, one, two)}},
		"both":                {segments: [][]byte{embedded.Segment(2, three), embedded.Segment(1, one, two)}, want: map[string]string{"data/a@": "one", "data/b@": "three"}},
		"void behind":         {segments: [][]byte{embedded.Segment(2, two, one)}, want: map[string]string{"data/b@": "two"}},
		"torn":                {segments: [][]byte{embedded.Segment(1, one, big[:1024])}, want: map[string]string{"data/a@": "one"}},
		"torn first sector":   {segments: [][]byte{embedded.Segment(1, one, make([]byte, 512), big[512:])}, want: map[string]string{"data/a@": "one"}},
		"hole":                {segments: [][]byte{embedded.Segment(1, one, broken(two, 30), three)}, damaged: true},
		"first lost":          {segments: [][]byte{embedded.Segment(1, broken(one, 20), two)}, damaged: true},
		"gap":                 {segments: [][]byte{embedded.Segment(1, one), embedded.Segment(1, three)}, damaged: true},
		"header damaged":      {segments: [][]byte{broken(embedded.Segment(1, one), 20)}, damaged: true},
		"header lost":         {segments: [][]byte{append(make([]byte, 512), one...)}, damaged: true},
		"change out of bound": {segments: [][]byte{embedded.Segment(1, embedded.Frame(1, "../x", "one"))}, damaged: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := left(t, test.segments...)
			for range 2 { // the second start has nothing to do
				s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
				if test.damaged {
					if !errors.Is(err, embedded.ErrDamaged) {
						t.Fatalf("%v, want ErrDamaged", err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				got := tree(t, filepath.Join(dir, "data"))
				want := map[string]string{}
				for path, data := range test.want {
					want[strings.TrimPrefix(path, "data/")] = data
				}
				if !maps.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}

// TestReplaySuperseded has a log whose last change is in the tree already, and
// an earlier one that was meant for another file at that path.
func TestReplaySuperseded(t *testing.T) {
	dir := left(t, embedded.Segment(2,
		embedded.FrameOf(2, embedded.Step{Op: "splice", Path: "data/a@", Data: "longer"}),
		embedded.FrameOf(3, embedded.Step{Op: "link", Path: "data/a@", From: "staging/1"})))
	for _, sub := range []string{"staging", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	from, path := filepath.Join(dir, "staging/1"), filepath.Join(dir, "data/a@")
	if err := errors.Join(os.WriteFile(from, []byte("new"), 0o600), os.Link(from, path)); err != nil {
		t.Fatal(err)
	}
	start(t, embedded.Config{Dir: dir})
	if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLogForgets checks that the log does not keep what has been deleted.
func TestLogForgets(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	c := client(t, s.Endpoint())
	if err := c.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	secret := []byte("the only copy of a key")
	mustPut(t, c, "keys/1", secret)
	mustPut(t, c, "keys/2", bytes.Repeat(secret, 10_000))
	for _, key := range []string{"keys/1", "keys/2"} {
		if err := c.RemoveObject(t.Context(), "archive", key, minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range tree(t, dir) {
		if strings.Contains(data, string(secret)) {
			t.Errorf("%s has it", name)
		}
	}
	if names, err := os.ReadDir(filepath.Join(dir, "staging")); err != nil || len(names) > 0 {
		t.Errorf("staging has %v, %v", names, err)
	}
	if names, err := os.ReadDir(filepath.Join(dir, "data", "archive")); err != nil || len(names) > 0 {
		t.Errorf("the bucket has %v, %v", names, err)
	}
}

// TestApplyFails makes a change impossible after it has been logged: nothing
// must be acknowledged any more, and the next server must bring what the log
// has.
func TestApplyFails(t *testing.T) {
	dir := t.TempDir()
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := impatient(t, s), t.Context()
	if err := c.MakeBucket(ctx, "archive", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	mustPut(t, c, "a", []byte("a"))
	// Where a directory is to be made, a name that leads nowhere.
	nowhere := filepath.Join(dir, "data/archive/d")
	if err := os.Symlink("nowhere", nowhere); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"d/b", "c"} {
		if _, err := put(ctx, c, key, []byte("b"), fast([]byte("b"))); code(err) != "InternalError" {
			t.Errorf("put %q: %v", key, err)
		}
	}
	if got, err := get(ctx, c, "a", ""); err != nil || string(got) != "a" {
		t.Errorf("reading: %q, %v", got, err)
	}
	if err := s.Close(); err == nil {
		t.Error("close did not tell")
	}
	if s, err := embedded.Start(ctx, embedded.Config{Dir: dir}); err == nil {
		t.Error("started without what the log has")
		s.Close()
	}
	if err := os.Remove(nowhere); err != nil {
		t.Fatal(err)
	}
	c = client(t, start(t, embedded.Config{Dir: dir}).Endpoint())
	if got, err := get(ctx, c, "d/b", ""); err != nil || string(got) != "b" {
		t.Errorf("what the log had: %q, %v", got, err)
	}
	if _, err := get(ctx, c, "c", ""); code(err) != "NoSuchKey" {
		t.Errorf("what was refused: %v", err)
	}
}

// impatient returns a client that does not try again after a failure.
func impatient(t *testing.T, s *embedded.Server) *minio.Client {
	t.Helper()
	e := s.Endpoint()
	c, err := minio.New(e.Host, &minio.Options{Creds: credentialsOf(e), Region: e.Region, Transport: e.Transport, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDamagedObject checks that an object that lost bytes is neither served
// nor taken for absent.
func TestDamagedObject(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	c := impatient(t, s)
	if err := c.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	mustPut(t, c, "a", []byte("0123456789"))
	if err := os.Truncate(filepath.Join(dir, "data/archive/a@"), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), c, "a", ""); code(err) != "InternalError" {
		t.Errorf("get: %v", err)
	}
	if _, err := put(t.Context(), c, "a", []byte("x"), absent([]byte("x"))); code(err) != "InternalError" {
		t.Errorf("put if absent: %v", err)
	}
}
