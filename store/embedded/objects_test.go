package embedded_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/minio/minio-go/v7"
)

func TestRoundTrip(t *testing.T) {
	for _, locking := range []bool{false, true} {
		c, ctx := bucket(t, locking), t.Context()
		// Around the sizes where the way through the log changes.
		for _, n := range []int{0, 1, 4096, 128<<10 - 1, 128 << 10, 128<<10 + 1, 2 << 20} {
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(i * 7 / 3)
			}
			key := fmt.Sprintf("a/%d", n)
			for i := range 2 { // put, and put again on top
				data = append(data[:max(n-1, 0)], data[max(n-1, 0):]...)
				if n > 0 {
					data[0] = byte(i)
				}
				o := fast(data)
				o.ContentType, o.UserMetadata["Colour"] = "application/pdf", "blue"
				u, err := put(ctx, c, key, data, o)
				if err != nil {
					t.Fatalf("%d bytes: %v", n, err)
				}
				if (u.VersionID != "") != locking {
					t.Errorf("version %q", u.VersionID)
				}
				if got, err := get(ctx, c, key, ""); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes: got %d, %v", n, len(got), err)
				}
				st, err := c.StatObject(ctx, "archive", key, minio.StatObjectOptions{})
				if err != nil || st.Size != int64(n) || st.ETag != u.ETag || st.ContentType != "application/pdf" || st.UserMetadata["Colour"] != "blue" {
					t.Errorf("%d bytes: %+v, %v", n, st, err)
				}
			}
		}
	}
}

func TestRange(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	data := bytes.Repeat([]byte("0123456789"), 30_000)
	mustPut(t, c, "a", data)
	for _, r := range [][2]int64{{0, 0}, {5, 9}, {250_000, 299_999}, {299_999, 299_999}} {
		o := minio.GetObjectOptions{}
		if err := o.SetRange(r[0], r[1]); err != nil {
			t.Fatal(err)
		}
		core := minio.Core{Client: c}
		body, _, _, err := core.GetObject(ctx, "archive", "a", o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if want := data[r[0] : r[1]+1]; r[1] > 0 && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("range %v: %d bytes, %v", r, len(got), err)
		}
		body.Close()
	}
	o := minio.GetObjectOptions{}
	if err := o.SetRange(300_000, 300_001); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := (minio.Core{Client: c}).GetObject(ctx, "archive", "a", o); code(err) != "InvalidRange" {
		t.Errorf("range past the end: %v", err)
	}
}

// TestKeys has keys that are awkward as file names.
func TestKeys(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	keys := []string{
		"a", "a/b", "a@", "a@/b", "a@@/b", "%", "%40", "%2E", "x//y", "x/", "hồ sơ/khai sinh", "a b+c&d?e#f", "-", "a-", "a/b/c",
		strings.Repeat("n", 240), strings.Repeat("deep/", 100) + "x", "uploads/staging",
	}
	for _, k := range keys {
		mustPut(t, c, k, []byte(k))
	}
	for _, k := range keys {
		if got, err := get(ctx, c, k, ""); err != nil || string(got) != k {
			t.Errorf("key %q: %q, %v", k, got, err)
		}
	}
	if got := list(t, c, minio.ListObjectsOptions{Recursive: true}); !slices.Equal(got, slices.Sorted(slices.Values(keys))) {
		t.Errorf("listed %q", got)
	}
	for _, k := range []string{strings.Repeat("n", 241), strings.Repeat("@", 81)} {
		if _, err := put(ctx, c, k, nil, fast(nil)); code(err) != "KeyTooLongError" {
			t.Errorf("key of %d bytes: %v", len(k), err)
		}
	}
}

func list(t testing.TB, c *minio.Client, o minio.ListObjectsOptions) []string {
	t.Helper()
	var keys []string
	for obj := range c.ListObjects(t.Context(), "archive", o) {
		if obj.Err != nil {
			t.Fatal(obj.Err)
		}
		keys = append(keys, obj.Key)
	}
	return keys
}

// TestList compares listings with what a sorted list of keys gives.
func TestList(t *testing.T) {
	c := bucket(t, true)
	r := rand.New(rand.NewPCG(1, 2))
	keys := map[string]bool{}
	for range 100 {
		var b strings.Builder
		for range 1 + r.IntN(3) {
			fmt.Fprintf(&b, "/%c%c", "ab-@"[r.IntN(4)], "x/.%"[r.IntN(4)])
		}
		keys[b.String()[1:]] = true
	}
	sorted := slices.Sorted(maps.Keys(keys))
	for i, k := range sorted {
		mustPut(t, c, k, []byte(k))
		if i%5 == 0 { // deleted keys are not listed
			if err := c.RemoveObject(t.Context(), "archive", k, minio.RemoveObjectOptions{}); err != nil {
				t.Fatal(err)
			}
			delete(keys, k)
		}
	}
	sorted = slices.Sorted(maps.Keys(keys))
	for _, prefix := range []string{"", "ax/", "b./", "@", "-x", "nothing/at/all", strings.Repeat("n", 300) + "/"} {
		for _, after := range []string{"", "ax/b", "b./-", "~"} {
			for _, size := range []int{5, 1000} {
				for _, recursive := range []bool{true, false} {
					for _, v1 := range []bool{true, false} {
						got := list(t, c, minio.ListObjectsOptions{Prefix: prefix, StartAfter: after, MaxKeys: size, Recursive: recursive, UseV1: v1})
						if !recursive {
							slices.Sort(got) // objects and common prefixes are two lists on each page
						}
						if want := expect(sorted, prefix, after, recursive); !slices.Equal(got, want) {
							t.Fatalf("prefix %q after %q by %d, recursive %v, v1 %v:\n got %q\nwant %q", prefix, after, size, recursive, v1, got, want)
						}
					}
				}
			}
		}
	}
}

func expect(sorted []string, prefix, after string, recursive bool) []string {
	var want []string
	for _, k := range sorted {
		if !strings.HasPrefix(k, prefix) || k <= after {
			continue
		}
		if i := strings.IndexByte(k[len(prefix):], '/'); i >= 0 && !recursive {
			k = k[:len(prefix)+i+1]
			if slices.Contains(want, k) {
				continue
			}
		}
		want = append(want, k)
	}
	slices.Sort(want)
	return want
}

func TestVersions(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	var ids []string
	for _, data := range []string{"one", "two", "three"} {
		ids = append(ids, mustPut(t, c, "a/b", []byte(data)))
	}
	if err := c.RemoveObject(ctx, "archive", "a/b", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := get(ctx, c, "a/b", ""); code(err) != "NoSuchKey" {
		t.Errorf("under a delete marker: %v", err)
	}
	for i, want := range []string{"one", "two", "three"} {
		if got, err := get(ctx, c, "a/b", ids[i]); err != nil || string(got) != want {
			t.Errorf("version %d: %q, %v", i, got, err)
		}
	}
	if u, err := put(ctx, c, "a/b", []byte("four"), absent([]byte("four"))); err != nil {
		t.Errorf("put if absent over a delete marker: %v", err)
	} else {
		ids = append(ids, u.VersionID)
	}
	for _, size := range []int{1, 2, 1000} {
		var got []string
		latest := 0
		for o := range c.ListObjects(ctx, "archive", minio.ListObjectsOptions{WithVersions: true, Recursive: true, MaxKeys: size}) {
			if o.Err != nil {
				t.Fatal(o.Err)
			}
			if o.IsLatest {
				latest++
			}
			if !o.IsDeleteMarker {
				got = append(got, o.VersionID)
			}
		}
		want := slices.Clone(ids)
		slices.Reverse(want)
		if !slices.Equal(got, want) || latest != 1 {
			t.Errorf("versions by %d: %q, %d latest, want %q", size, got, latest, want)
		}
	}
	// From the oldest: the rest keeps its order.
	for i, id := range ids {
		if err := c.RemoveObject(ctx, "archive", "a/b", minio.RemoveObjectOptions{VersionID: id}); err != nil {
			t.Fatal(err)
		}
		if _, err := get(ctx, c, "a/b", id); code(err) != "NoSuchVersion" {
			t.Errorf("removed version %d: %v", i, err)
		}
	}
	if _, err := get(ctx, c, "a/b", "../../../credentials"); code(err) != "InvalidArgument" {
		t.Errorf("a path as version: %v", err)
	}
}

// TestVersioningLater has objects from before their bucket had versions.
func TestVersioningLater(t *testing.T) {
	c, ctx := bucket(t, false), t.Context()
	mustPut(t, c, "a", []byte("zero"))
	if err := c.EnableVersioning(ctx, "archive"); err != nil {
		t.Fatal(err)
	}
	id := mustPut(t, c, "a", []byte("one"))
	for version, want := range map[string]string{"": "one", id: "one", "null": "zero"} {
		if got, err := get(ctx, c, "a", version); err != nil || string(got) != want {
			t.Errorf("version %q: %q, %v", version, got, err)
		}
	}
	if err := c.SetObjectLockConfig(ctx, "archive", nil, nil, nil); err != nil {
		t.Fatalf("object lock later: %v", err)
	}
	on := minio.LegalHoldEnabled
	if err := c.PutObjectLegalHold(ctx, "archive", "a", minio.PutObjectLegalHoldOptions{VersionID: "null", Status: &on}); err != nil {
		t.Error(err)
	}
	if err := c.RemoveObject(ctx, "archive", "a", minio.RemoveObjectOptions{VersionID: "null"}); code(err) != "AccessDenied" {
		t.Errorf("held version removed: %v", err)
	}
}

func TestDelete(t *testing.T) {
	for _, locking := range []bool{false, true} {
		c, ctx := bucket(t, locking), t.Context()
		for i := range 50 {
			mustPut(t, c, fmt.Sprintf("d/%d/x", i), []byte("x"))
		}
		objects := make(chan minio.ObjectInfo)
		go func() {
			defer close(objects)
			for o := range c.ListObjects(ctx, "archive", minio.ListObjectsOptions{Recursive: true, WithVersions: locking}) {
				objects <- o
			}
		}()
		for e := range c.RemoveObjects(ctx, "archive", objects, minio.RemoveObjectsOptions{}) {
			t.Error(e.Err)
		}
		if err := c.RemoveObject(ctx, "archive", "d/1/x", minio.RemoveObjectOptions{}); err != nil {
			t.Errorf("missing object: %v", err)
		}
		if got := list(t, c, minio.ListObjectsOptions{Recursive: true}); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
	}
}

// TestIfAbsent has 32 clients put one key: one wins, also for bodies that do
// not go through the log.
func TestIfAbsent(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	for round, size := range []int{10, 10, 10, 10, 200 << 10, 200 << 10} {
		key := fmt.Sprintf("dossiers/%d/0001", round)
		bodies := make([][]byte, 32)
		won := make([]bool, len(bodies))
		var wg sync.WaitGroup
		for i := range bodies {
			bodies[i] = bytes.Repeat([]byte{byte(i)}, size)
			wg.Go(func() {
				_, err := put(ctx, c, key, bodies[i], absent(bodies[i]))
				won[i] = err == nil
				if err != nil && code(err) != "PreconditionFailed" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		winner := slices.Index(won, true)
		if winner < 0 || slices.Contains(won[winner+1:], true) {
			t.Fatalf("winners %v", won)
		}
		if got, err := get(ctx, c, key, ""); err != nil || !bytes.Equal(got, bodies[winner]) {
			t.Errorf("%d bytes of somebody else, %v", len(got), err)
		}
		versions := list(t, c, minio.ListObjectsOptions{Prefix: key, WithVersions: true, Recursive: true})
		if len(versions) != 1 {
			t.Errorf("%d versions", len(versions))
		}
	}
}

// TestSlowBody has a client whose body stops half way: others put the same key
// meanwhile.
func TestSlowBody(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	slow, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := c.PutObject(ctx, "archive", "a", slow, 10, minio.PutObjectOptions{DisableMultipart: true, DisableContentSha256: true})
		done <- err
	}()
	if _, err := w.Write([]byte("01234")); err != nil {
		t.Fatal(err)
	}
	mustPut(t, c, "a", []byte("fast"))
	if err := c.EnableVersioning(ctx, "archive"); err != nil {
		t.Errorf("change of the bucket while a body arrives: %v", err)
	}
	if _, err := w.Write([]byte("56789")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, err := get(ctx, c, "a", ""); err != nil || string(got) != "0123456789" {
		t.Errorf("latest is %q, %v", got, err)
	}
}

func TestBadBodies(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	for _, size := range []int{100, 300 << 10} {
		data := bytes.Repeat([]byte("x"), size)
		if _, err := put(ctx, c, "a", data, fast([]byte("other"))); code(err) != "BadDigest" {
			t.Errorf("wrong checksum: %v", err)
		}
		broken := io.MultiReader(bytes.NewReader(data[:size/2]), iotest.ErrReader(io.ErrClosedPipe))
		if _, err := c.PutObject(ctx, "archive", "a", broken, int64(size), minio.PutObjectOptions{DisableMultipart: true, DisableContentSha256: true}); err == nil {
			t.Error("half a body acknowledged")
		}
	}
	if got := list(t, c, minio.ListObjectsOptions{Recursive: true}); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

func TestIfMatch(t *testing.T) {
	c, ctx := bucket(t, false), t.Context()
	first, err := put(ctx, c, "a", []byte("one"), fast([]byte("one")))
	if err != nil {
		t.Fatal(err)
	}
	o := fast([]byte("two"))
	o.SetMatchETag(first.ETag)
	if _, err := put(ctx, c, "a", []byte("two"), o); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	if _, err := put(ctx, c, "a", []byte("two"), o); code(err) != "PreconditionFailed" {
		t.Errorf("changed: %v", err)
	}
}

func TestCopy(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	for _, size := range []int{10, 300 << 10} {
		data := bytes.Repeat([]byte("c"), size)
		mustPut(t, c, "a", data)
		if _, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "archive", Object: "b"}, minio.CopySrcOptions{Bucket: "archive", Object: "a"}); err != nil {
			t.Fatal(err)
		}
		if got, err := get(ctx, c, "b", ""); err != nil || !bytes.Equal(got, data) {
			t.Errorf("copy has %d bytes, %v", len(got), err)
		}
	}
}
