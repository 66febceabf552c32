package staging_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/luutru/luutru/staging"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

var start = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// bed is a bucket, a clock, and an area on them.
type bed struct {
	*staging.Area
	bucket *store.Memory
	mu     sync.Mutex
	time   time.Time
}

func (b *bed) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time
}

func (b *bed) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = b.time.Add(d)
}

func newBed(t testing.TB, change ...func(*staging.Config)) *bed {
	t.Helper()
	b := &bed{time: start}
	b.bucket = store.NewMemory(store.MemoryOptions{Now: b.now})
	b.Area = b.node(t, change...)
	return b
}

// node returns another node's area on the same bucket.
func (b *bed) node(t testing.TB, change ...func(*staging.Config)) *staging.Area {
	t.Helper()
	c := staging.Config{Store: b.bucket, Secret: bytes.Repeat([]byte{7}, 32), Now: b.now}
	c.SetBlock(block)
	for _, f := range change {
		f(&c)
	}
	a, err := staging.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// block is how large the blocks of these tests are.
const block = 512 << 10

// noise is text that does not repeat.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func create(t testing.TB, a *staging.Area, size int64) *staging.Upload {
	t.Helper()
	u, err := a.Create(t.Context(), "portal", size, map[string]string{"filename": "hồ sơ.zip"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func open(t testing.TB, a *staging.Area, id string) *staging.Upload {
	t.Helper()
	u, err := a.Open(t.Context(), "portal", id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func appendAll(t testing.TB, u *staging.Upload, data []byte) {
	t.Helper()
	if n, err := u.Append(t.Context(), u.Offset(), bytes.NewReader(data)); err != nil || n != int64(len(data)) {
		t.Fatalf("appended %d of %d: %v", n, len(data), err)
	}
}

// same fails unless the upload holds the data.
func same(t testing.TB, u *staging.Upload, data []byte) {
	t.Helper()
	r := u.Reader(t.Context())
	if r.Size() != int64(len(data)) {
		t.Fatalf("%d octets, not %d", r.Size(), len(data))
	}
	got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d octets read, equal: %t, %v", len(got), bytes.Equal(got, data), err)
	}
}

func (b *bed) keys(t testing.TB, prefix string) (all []string) {
	t.Helper()
	for info, err := range b.bucket.List(context.WithoutCancel(t.Context()), prefix, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}

func TestUploadInOnePiece(t *testing.T) {
	b := newBed(t)
	data := noise(2*block + 100_001)
	u := create(t, b.Area, int64(len(data)))
	if u.Complete() {
		t.Error("complete from the beginning")
	}
	appendAll(t, u, data)
	again := open(t, b.node(t), u.ID)
	if !again.Complete() || again.Meta["filename"] != "hồ sơ.zip" || again.Size != int64(len(data)) {
		t.Errorf("got %+v", again.About)
	}
	same(t, again, data)
	if n := len(b.keys(t, "uploads/data/")); n != 3 {
		t.Errorf("%d objects", n)
	}
}

// TestAnyPieces appends in pieces of every kind, each on another node, and
// reads back what was appended.
func TestAnyPieces(t *testing.T) {
	for name, size := range map[string]int{"tiny": 90_000, "segment": 64 << 10, "odd": 200_001, "block": block, "more": block + 1} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			data := noise(2*block + 17)
			u := create(t, b.Area, int64(len(data)))
			for at := 0; at < len(data); at += size {
				u := open(t, b.node(t), u.ID)
				if u.Offset() != int64(at) {
					t.Fatalf("at %d, not %d", u.Offset(), at)
				}
				appendAll(t, u, data[at:min(at+size, len(data))])
			}
			same(t, open(t, b.Area, u.ID), data)
			whole := 0
			for _, key := range b.keys(t, "uploads/data/") {
				if !strings.Contains(key, ".") {
					whole++
				}
			}
			if merged := size%block != 0 && size < block; merged && whole != 2 {
				t.Errorf("%d blocks put together: %q", whole, b.keys(t, "uploads/data/"))
			}
		})
	}
}

func TestNothingReadable(t *testing.T) {
	b := newBed(t)
	word := "Nguyễn Thị Ánh"
	u, err := b.Create(t.Context(), word, staging.Unknown, map[string]string{"filename": word})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, u, []byte(strings.Repeat(word, 1000)))
	if err := u.Finish(t.Context(), []byte(word)); err != nil {
		t.Fatal(err)
	}
	for _, key := range b.keys(t, "") {
		data, _, err := store.ReadAll(t.Context(), b.bucket, key, 1<<20)
		if err != nil || strings.Contains(key, word) || bytes.Contains(data, []byte(word)) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestReaderAt(t *testing.T) {
	b := newBed(t)
	data := noise(block + 300_000)
	u := create(t, b.Area, staging.Unknown)
	appendAll(t, u, data[:200_000])
	appendAll(t, u, data[200_000:])
	r := u.Reader(t.Context())
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at, n := random.IntN(len(data)), random.IntN(150_000)
		p := make([]byte, n)
		got, err := r.ReadAt(p, int64(at))
		want := data[at:min(at+n, len(data))]
		if !bytes.Equal(p[:got], want) || (err == io.EOF) != (got < n) || err != nil && err != io.EOF {
			t.Fatalf("at %d: %d of %d, %v", at, got, n, err)
		}
	}
	if n, err := r.ReadAt(make([]byte, 1), r.Size()); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("before the beginning: %v", err)
	}
	if err := iotest.TestReader(io.NewSectionReader(r, 0, 70_000), data[:70_000]); err != nil {
		t.Error(err)
	}
}

func TestWrongOffset(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, 100)
	appendAll(t, u, noise(10))
	for _, at := range []int64{0, 9, 11, 100} {
		if n, err := u.Append(t.Context(), at, strings.NewReader("x")); n != 0 || !errors.Is(err, staging.ErrOffset) {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
	}
}

// TestRace lets nodes append to one upload at the same offset: for every
// octet one of them wins, and what is read is what the winners wrote.
func TestRace(t *testing.T) {
	b := newBed(t)
	data := noise(3_000_000)
	u := create(t, b.Area, int64(len(data)))
	for round := 0; ; round++ {
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := int64(0)
		before := open(t, b.Area, u.ID).Offset()
		if before == int64(len(data)) {
			break
		}
		for i := range 4 {
			mine := open(t, b.node(t), u.ID)
			wg.Go(func() {
				n := min(100_000*(i+1)+round, len(data)-int(before))
				got, err := mine.Append(t.Context(), before, bytes.NewReader(data[before:int(before)+n]))
				mu.Lock()
				defer mu.Unlock()
				if won += got; err != nil && !errors.Is(err, staging.ErrOffset) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if after := open(t, b.Area, u.ID).Offset(); after != before+won || won == 0 {
			t.Fatalf("from %d by %d to %d", before, won, after)
		}
	}
	same(t, open(t, b.Area, u.ID), data)
}

// TestSleepingNode wakes a node that learnt an offset before the block was
// filled and put together by another: what it writes does not count, and it is
// told so.
func TestSleepingNode(t *testing.T) {
	b := newBed(t)
	data := noise(block + 5)
	u := create(t, b.Area, int64(len(data)))
	appendAll(t, u, data[:10])
	asleep := open(t, b.node(t), u.ID)
	appendAll(t, u, data[10:100])
	appendAll(t, u, data[100:])
	if n, err := asleep.Append(t.Context(), 10, strings.NewReader("quite another text")); n != 0 || !errors.Is(err, staging.ErrOffset) {
		t.Errorf("appended %d, %v", n, err)
	}
	same(t, open(t, b.Area, u.ID), data)
}

func TestBrokenReader(t *testing.T) {
	b := newBed(t)
	data := noise(block + 1000)
	u := create(t, b.Area, 2*block)
	cut := errors.New("line cut")
	n, err := u.Append(t.Context(), 0, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(cut)))
	if n != int64(len(data)) || !errors.Is(err, cut) {
		t.Errorf("got %d, %v", n, err)
	}
	same(t, open(t, b.Area, u.ID), data)
}

func TestSizes(t *testing.T) {
	b := newBed(t, func(c *staging.Config) { c.MaxSize = 1000 })
	if _, err := b.Create(t.Context(), "portal", 1001, nil); !errors.Is(err, staging.ErrTooLarge) {
		t.Errorf("declared too large: %v", err)
	}
	u := create(t, b.Area, 100)
	if n, err := u.Append(t.Context(), 0, bytes.NewReader(noise(101))); n != 100 || !errors.Is(err, staging.ErrTooLarge) {
		t.Errorf("more than declared: %d, %v", n, err)
	}
	u = create(t, b.Area, staging.Unknown)
	if n, err := u.Append(t.Context(), 0, bytes.NewReader(noise(1001))); n != 1000 || !errors.Is(err, staging.ErrTooLarge) {
		t.Errorf("more than allowed: %d, %v", n, err)
	}
	empty := create(t, b.Area, 0)
	if n, err := empty.Append(t.Context(), 0, strings.NewReader("")); n != 0 || err != nil || !empty.Complete() {
		t.Errorf("nothing: %d, %v", n, err)
	}
}

func TestTooMany(t *testing.T) {
	b := newBed(t, func(c *staging.Config) { c.MaxOpen = 3 })
	var last *staging.Upload
	for range 3 {
		last = create(t, b.Area, 1)
	}
	if _, err := b.Create(t.Context(), "portal", 1, nil); !errors.Is(err, staging.ErrTooMany) {
		t.Errorf("a fourth: %v", err)
	}
	if _, err := b.Create(t.Context(), "another", 1, nil); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if err := last.Finish(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	create(t, b.Area, 1)
}

func TestTooManyPieces(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, 2000)
	var err error
	n := 0
	for ; err == nil && n < 1100; n++ {
		_, err = u.Append(t.Context(), u.Offset(), strings.NewReader("x"))
	}
	if n < 1000 || !errors.Is(err, staging.ErrTooMany) {
		t.Errorf("an octet at a time, after %d: %v", n, err)
	}
}

func TestIsolation(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, 10)
	for _, x := range []struct{ owner, id string }{{"another", u.ID}, {"portal", "aaaaaaaaaaaaaaaaaaaaaaaaaa"}, {"portal", ""}, {"portal", "../about/x"}, {"portal", strings.ToUpper(u.ID)}, {"portal", u.ID[:25] + "a"}} {
		if _, err := b.Open(t.Context(), x.owner, x.id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	other, err := staging.New(staging.Config{Store: b.bucket, Secret: bytes.Repeat([]byte{8}, 32), Now: b.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(t.Context(), "portal", u.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := staging.New(staging.Config{Secret: make([]byte, 31)}); err == nil {
		t.Error("a short secret")
	}
}

func TestFinish(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, staging.Unknown)
	appendAll(t, u, noise(1000))
	u.Size = 1000
	twin := open(t, b.node(t), u.ID)
	if err := u.Finish(t.Context(), []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := twin.Finish(t.Context(), []byte("second")); err != nil || string(twin.Answer()) != "first" {
		t.Errorf("the second answer: %q, %v", twin.Answer(), err)
	}
	u = open(t, b.node(t), u.ID)
	if string(u.Answer()) != "first" || u.Offset() != 1000 || !u.Complete() {
		t.Errorf("got %q at %d", u.Answer(), u.Offset())
	}
	if _, err := u.Append(t.Context(), 1000, strings.NewReader("x")); !errors.Is(err, staging.ErrOffset) {
		t.Errorf("appended to what is finished: %v", err)
	}
	if left := b.keys(t, ""); len(left) != 1 || !strings.HasPrefix(left[0], "uploads/answer/") {
		t.Errorf("left: %q", left)
	}
	if err := u.Delete(t.Context()); err != nil || b.keys(t, "") != nil {
		t.Errorf("left: %q, %v", b.keys(t, ""), err)
	}
}

func TestSweep(t *testing.T) {
	b := newBed(t)
	old, done := create(t, b.Area, 10), create(t, b.Area, 10)
	appendAll(t, old, noise(5))
	appendAll(t, done, noise(10))
	b.pass(4 * 24 * time.Hour)
	if err := done.Finish(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	fresh := create(t, b.Area, 10)
	b.pass(3*24*time.Hour + time.Second)
	if _, err := b.Open(t.Context(), "portal", old.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an expired one opens: %v", err)
	}
	if n, err := b.node(t).Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	open(t, b.Area, fresh.ID)
	open(t, b.Area, done.ID)
	b.pass(24 * time.Hour * 8)
	if n, err := b.Sweep(t.Context()); n != 2 || err != nil || b.keys(t, "") != nil {
		t.Errorf("swept %d, %v, left %q", n, err, b.keys(t, ""))
	}
}

// TestSweepFindsLatePieces: a piece that lands after its upload was swept is
// found later.
func TestSweepFindsLatePieces(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, 10)
	late := open(t, b.node(t), u.ID)
	b.pass(8 * 24 * time.Hour)
	if n, err := b.Sweep(t.Context()); n != 1 || err != nil {
		t.Fatalf("swept %d, %v", n, err)
	}
	appendAll(t, late, noise(5))
	for _, want := range []int{0, 1} {
		if n, err := b.Sweep(t.Context()); n != want || err != nil {
			t.Errorf("swept %d, not %d, %v", n, want, err)
		}
		b.pass(8 * 24 * time.Hour)
	}
	if left := b.keys(t, ""); left != nil {
		t.Errorf("left %q", left)
	}
}

// TestDamage alters every object in the bucket, in every place that matters:
// nothing false is read.
func TestDamage(t *testing.T) {
	b := newBed(t)
	data := noise(150_000)
	u := create(t, b.Area, int64(len(data)))
	appendAll(t, u, data)
	for _, key := range b.keys(t, "") {
		good, _, err := store.ReadAll(t.Context(), b.bucket, key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string][]byte{
			"salt": flipped(good, 3), "first": flipped(good, 20), "end": flipped(good, len(good)-1), "cut": good[:len(good)-1],
			"segment gone": good[:max(1, len(good)-len(good)%65552-16)], "longer": append(bytes.Clone(good), 1), "short": good[:5],
		} {
			if _, err := b.bucket.Put(t.Context(), key, bad, nil); err != nil {
				t.Fatal(err)
			}
			u, err := b.Open(t.Context(), "portal", u.ID)
			if err == nil {
				_, err = io.ReadAll(io.NewSectionReader(u.Reader(t.Context()), 0, int64(len(data))))
			}
			if !errors.Is(err, staging.ErrCorrupt) && !(err == nil && u.Offset() < int64(len(data))) {
				t.Errorf("%s of %s: %v", name, key, err)
			}
		}
		if _, err := b.bucket.Put(t.Context(), key, good, nil); err != nil {
			t.Fatal(err)
		}
	}
	same(t, open(t, b.Area, u.ID), data)
}

func flipped(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[min(at, len(c)-1)] ^= 1
	return c
}

// TestCrash stops an upload at every call to the store, before and after its
// effect. Whoever opens it again finds an offset up to which the data is right,
// goes on from there, and ends with the whole.
func TestCrash(t *testing.T) {
	data := noise(block + 60_000)
	cuts := []int{40_000, 90_000, block - 7, block + 30_000, len(data)}
	for _, applied := range []bool{false, true} {
		for call := 1; ; call++ {
			b := newBed(t)
			u := create(t, b.Area, int64(len(data)))
			if died := dies(t, b, u.ID, data, cuts, call, applied); !died {
				break
			}
			again := open(t, b.node(t), u.ID)
			at := again.Offset()
			if at > 0 {
				same(t, again, data[:at])
			}
			for at < int64(len(data)) {
				n := min(at+100_000, int64(len(data)))
				if at < block-200_000 && at > 100_000 {
					n = block - 100_000
				}
				appendAll(t, again, data[at:n])
				at = n
			}
			same(t, open(t, b.node(t), u.ID), data)
			if call > 200 {
				t.Fatal("no end of calls")
			}
		}
	}
}

// dies appends on a node that dies at a call, and reports whether it got there.
func dies(t *testing.T, b *bed, id string, data []byte, cuts []int, call int, applied bool) bool {
	t.Helper()
	var mu sync.Mutex
	n := 0
	faulty := &storetest.Faulty{Store: b.bucket, OnCall: func(op, key string) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n < call {
			return true, nil
		}
		return applied && n == call, errors.New("killed")
	}}
	a := b.node(t, func(c *staging.Config) { c.Store = faulty })
	u, err := a.Open(t.Context(), "portal", id)
	for _, cut := range cuts {
		if err == nil {
			_, err = u.Append(t.Context(), u.Offset(), bytes.NewReader(data[u.Offset():cut]))
		}
	}
	return n >= call
}

// TestSlowLine stores what a slow line brings before a block is full.
func TestSlowLine(t *testing.T) {
	b := newBed(t)
	u := create(t, b.Area, 1<<20)
	data := noise(1 << 20)
	n, err := u.Append(t.Context(), 0, &slowly{bytes.NewReader(data), b})
	if err != nil || n != int64(len(data)) {
		t.Fatalf("got %d, %v", n, err)
	}
	if pieces := len(b.keys(t, "uploads/data/")); pieces < 4 {
		t.Errorf("%d pieces", pieces)
	}
	same(t, open(t, b.Area, u.ID), data)
}

// slowly reads with the clock going on.
type slowly struct {
	r io.Reader
	b *bed
}

func (s *slowly) Read(p []byte) (int, error) {
	s.b.pass(5 * time.Second)
	return s.r.Read(p[:min(len(p), 32<<10)])
}

// FuzzAppend appends any pieces, and reads anywhere.
func FuzzAppend(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255, 0, 9}, uint16(7))
	f.Fuzz(func(t *testing.T, cuts []byte, at uint16) {
		b := newBed(t, func(c *staging.Config) { c.SetBlock(100_000) })
		data := noise(300_000)
		u := create(t, b.Area, staging.Unknown)
		sent := 0
		for _, c := range cuts[:min(len(cuts), 40)] {
			n := min(int(c)*int(c), len(data)-sent)
			appendAll(t, u, data[sent:sent+n])
			sent += n
			if c%3 == 0 {
				u = open(t, b.Area, u.ID)
			}
		}
		same(t, open(t, b.Area, u.ID), data[:sent])
		p := make([]byte, 1000)
		n, err := u.Reader(t.Context()).ReadAt(p, int64(at))
		if want := data[min(int(at), sent):min(int(at)+1000, sent)]; !bytes.Equal(p[:n], want) || err != nil && err != io.EOF {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
	})
}

// FuzzObject puts anything in the place of a piece: it is refused or absent.
func FuzzObject(f *testing.F) {
	f.Add("00000000.0000000", []byte("x"))
	f.Add("00000000", make([]byte, 100))
	f.Add("99999999.9999999", make([]byte, 33))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		b := newBed(t)
		u := create(t, b.Area, 10_000_000)
		appendAll(t, u, noise(10))
		prefix := strings.TrimSuffix(b.keys(t, "uploads/data/")[0], "00000000.0000000")
		if _, err := b.bucket.Put(t.Context(), prefix+name, data, nil); err != nil {
			return
		}
		u, err := b.Open(t.Context(), "portal", u.ID)
		if err != nil {
			return
		}
		got, err := io.ReadAll(io.NewSectionReader(u.Reader(t.Context()), 0, u.Offset()))
		if err == nil && len(got) > 10 {
			t.Errorf("read %d octets that nobody uploaded", len(got))
		}
	})
}

// TestWholeBlocks is the one with blocks as large as they are.
func TestWholeBlocks(t *testing.T) {
	b := newBed(t, func(c *staging.Config) { c.SetBlock(0) })
	data := noise(2*staging.Block + 1)
	u := create(t, b.Area, int64(len(data)))
	appendAll(t, u, data[:staging.Block/3])
	appendAll(t, open(t, b.Area, u.ID), data[staging.Block/3:])
	same(t, open(t, b.node(t, func(c *staging.Config) { c.SetBlock(0) }), u.ID), data)
	if n := len(b.keys(t, "uploads/data/")); n != 4 {
		t.Errorf("%d objects", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	bed := newBed(b, func(c *staging.Config) { c.SetBlock(0) })
	data := noise(staging.Block)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		u := create(b, bed.Area, staging.Unknown)
		appendAll(b, u, data)
		if err := u.Delete(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
