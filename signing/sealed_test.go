package signing_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/luutru/luutru/signing"
)

const chunk = signing.ChunkSize

// heads is what stands before the content in the first chunk: tag, length and
// head of the literal packet.
const heads = 1 + 5 + 6

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1: byte(n), 2: byte(n >> 8), 3: byte(n >> 16)})
	r.Read(b)
	return b
}

func source(sealed []byte) signing.Source {
	return func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(bytes.NewReader(sealed), off, n)), nil
	}
}

func seal(tb testing.TB, plain []byte, sk signing.SessionKey, workers int) []byte {
	tb.Helper()
	var b bytes.Buffer
	s, err := signing.NewSealer(&b, int64(len(plain)), sk, workers)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := s.Write(plain); err != nil {
		tb.Fatal(err)
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func open(tb testing.TB, sealed []byte, sk signing.SessionKey) *signing.Opened {
	tb.Helper()
	o, err := signing.Open(source(sealed), int64(len(sealed)), sk)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

func sizes() []int {
	return []int{0, 1, 2, 15, 16, 17, 1000,
		chunk - heads - 1, chunk - heads, chunk - heads + 1, chunk - 1, chunk, chunk + 1,
		2*chunk - heads - 1, 2*chunk - heads, 2*chunk - heads + 1, 5*chunk + 4321}
}

func TestRoundTrip(t *testing.T) {
	for _, size := range sizes() {
		for _, workers := range []int{0, 1, 2, 5} {
			sk, plain := signing.NewSessionKey(), random(size)
			sealed := seal(t, plain, sk, workers)
			if got := signing.SealedSize(int64(size)); got != int64(len(sealed)) {
				t.Fatalf("size %d: SealedSize says %d, sealed are %d", size, got, len(sealed))
			}
			o := open(t, sealed, sk)
			if o.Size() != int64(size) {
				t.Errorf("size %d: opened %d", size, o.Size())
			}
			for name, r := range map[string]io.Reader{
				"stream":  signing.OpenStream(bytes.NewReader(sealed), sk),
				"slow":    signing.OpenStream(iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(sealed))), sk),
				"section": o.Section(0, o.Size()),
				"ReadAt":  io.NewSectionReader(o, 0, o.Size()),
			} {
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("size %d, %d workers, %s: %d octets, %v", size, workers, name, len(got), err)
				}
			}
		}
	}
}

func TestReadersAreReaders(t *testing.T) {
	sk, plain := signing.NewSessionKey(), random(2*chunk+77)
	sealed := seal(t, plain, sk, 1)
	if err := iotest.TestReader(signing.OpenStream(bytes.NewReader(sealed), sk), plain); err != nil {
		t.Error("stream:", err)
	}
	if err := iotest.TestReader(open(t, sealed, sk).Section(100, chunk+1), plain[100:chunk+101]); err != nil {
		t.Error("section:", err)
	}
	o := open(t, sealed, sk)
	if err := iotest.TestReader(io.NewSectionReader(o, 0, o.Size()), plain); err != nil {
		t.Error("ReadAt:", err)
	}
}

// The octets that docs/format.md promises.
func TestWire(t *testing.T) {
	for _, c := range []struct {
		size int
		want string
	}{
		{0, "d2ff00000050" + "0209030c"},      // 36 + 12 + 16 + 16
		{1000, "d2ff00000438" + "0209030c"},   // 36 + 1012 + 16 + 16
		{262133, "d2ff00040055" + "0209030c"}, // 36 + 262144+16 + 1+16 + 16
	} {
		sealed := seal(t, random(c.size), signing.NewSessionKey(), 1)
		if got := hex.EncodeToString(sealed[:10]); got != c.want {
			t.Errorf("size %d: begins %s, want %s", c.size, got, c.want)
		}
	}
}

func TestSealedSize(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct{ size, want int64 }{
		{0, 6 + 36 + 12 + 2*16},
		{chunk - heads, 6 + 36 + chunk + 2*16},
		{chunk - heads + 1, 6 + 36 + chunk + 1 + 3*16},
		// The largest object with one length, whose body is 2^32-1 octets; above it
		// the outer packet has 1 GiB segments, one octet for each and five for the last.
		{4*gib - 262_193, 6 + 4*gib - 1},
		{4*gib - 262_192, 1 + 3 + 5 + 4*gib},
		// From here on the inner packet has them too.
		{4*gib - 7, (1 + 4 + 5) + 36 + (6 + 6 + 4*gib - 7) + 16386*16},
		{4*gib - 6, (1 + 4 + 5) + 36 + (1 + 3 + 5 + 4*gib) + 16386*16},
		{4 * gib, (1 + 4 + 5) + 36 + (1 + 4 + 5 + 6 + 4*gib) + 16385*16 + 16},
		{5 * gib, (1 + 5 + 5) + 36 + (1 + 5 + 5 + 6 + 5*gib) + 20481*16 + 16},
	} {
		if got := signing.SealedSize(c.size); got != c.want {
			t.Errorf("SealedSize(%d) = %d, want %d", c.size, got, c.want)
		}
	}
}

// small has partial segments from 300,000 octets on, of 64 KiB.
var small = signing.Framing{Fixed: 300_000, Exp: 16}

func TestPartialSegments(t *testing.T) {
	const seg = 1 << 16
	for _, size := range []int{0, 262_000, 299_988, 299_994, 299_995, 300_000,
		5*seg - 6, 5*seg - 5, 5 * seg, 9*seg - 6, 9*seg - 7, 9*seg + 1, 2*chunk - 20, 2*chunk - 13, 2*chunk - 16, 40*seg + 5} {
		sk, plain := signing.NewSessionKey(), random(size)
		var b bytes.Buffer
		s, err := small.NewSealer(&b, int64(size), sk, 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(s, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		sealed := b.Bytes()
		if got := small.SealedSize(int64(size)); got != int64(len(sealed)) {
			t.Fatalf("size %d: SealedSize says %d, sealed are %d", size, got, len(sealed))
		}
		if got := goCryptoRead(t, sealed, sk); !bytes.Equal(got, plain) {
			t.Errorf("size %d: go-crypto reads %d octets", size, len(got))
		}
		o, err := small.Open(source(sealed), int64(len(sealed)), sk)
		if err != nil {
			t.Fatal(size, err)
		}
		for name, r := range map[string]io.Reader{
			"stream":  small.OpenStream(bytes.NewReader(sealed), sk),
			"section": o.Section(0, o.Size()),
			"ReadAt":  io.NewSectionReader(o, 0, o.Size()),
		} {
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("size %d, %s: %d octets, %v", size, name, len(got), err)
			}
		}
		access(t, o, plain, 30)
	}
}

// access reads at random places, sometimes across many chunks.
func access(t *testing.T, o *signing.Opened, plain []byte, rounds int) {
	t.Helper()
	for range rounds {
		off := rand.IntN(len(plain) + 1)
		n := rand.IntN(min(len(plain)-off, 1<<rand.IntN(22)) + 1)
		got := make([]byte, n)
		if k, err := o.ReadAt(got, int64(off)); k != n || err != nil && (err != io.EOF || off+n < len(plain)) || !bytes.Equal(got, plain[off:off+n]) {
			t.Fatalf("ReadAt(%d, %d): %d, %v", off, n, k, err)
		}
		r := o.Section(int64(off), int64(n))
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain[off:off+n]) {
			t.Fatalf("Section(%d, %d): %d octets, %v", off, n, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRandomAccess(t *testing.T) {
	for _, size := range []int{0, 1, chunk - heads, 3*chunk + 999, 11 * chunk} {
		sk, plain := signing.NewSessionKey(), random(size)
		o := open(t, seal(t, plain, sk, 1), sk)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { access(t, o, plain, 60) })
		}
		wg.Wait()
	}
}

func TestReadAtEdges(t *testing.T) {
	sk := signing.NewSessionKey()
	o := open(t, seal(t, []byte("hồ sơ"), sk, 1), sk)
	size := o.Size()
	for _, c := range []struct {
		off  int64
		n    int
		want int
		err  error
	}{
		{size, 1, 0, io.EOF}, {size + 5, 1, 0, io.EOF}, {size - 2, 10, 2, io.EOF}, {0, int(size), int(size), nil},
		{0, 0, 0, nil}, {-1, 1, 0, fs.ErrInvalid},
	} {
		if n, err := o.ReadAt(make([]byte, c.n), c.off); n != c.want || !errors.Is(err, c.err) {
			t.Errorf("ReadAt(%d octets, %d) = %d, %v; want %d, %v", c.n, c.off, n, err, c.want, c.err)
		}
	}
	for _, c := range [][2]int64{{-1, 1}, {0, -1}, {0, size + 1}, {size + 1, 0}, {1, 1<<63 - 1}} {
		if _, err := io.ReadAll(o.Section(c[0], c[1])); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Section(%d, %d): %v", c[0], c[1], err)
		}
	}
	r := o.Section(0, size)
	r.Close()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

// requests records the ranged reads of a source and what was read of each.
type requests struct {
	sealed []byte
	log    []string
	open   int
}

func (r *requests) source(off, n int64) (io.ReadCloser, error) {
	r.log = append(r.log, fmt.Sprintf("%d+%d", off, n))
	r.open++
	return &request{io.NewSectionReader(bytes.NewReader(r.sealed), off, n), r}, nil
}

type request struct {
	io.Reader
	r *requests
}

func (r *request) Close() error { r.r.open--; return nil }

func TestRequests(t *testing.T) {
	const sealedChunk = chunk + 16
	sk, plain := signing.NewSessionKey(), random(6*chunk)
	r := &requests{sealed: seal(t, plain, sk, 1)}
	end := len(r.sealed)
	o, err := signing.Open(r.source, int64(end), sk)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if got := strings.Join(r.log, " "); got != strings.Join(want, " ") {
			t.Errorf("%s: requests %s, want %s", what, got, want)
		}
		if r.open != 0 {
			t.Errorf("%s: %d requests left open", what, r.open)
		}
		r.log = nil
	}
	tail := 42 + 5*sealedChunk // the last chunk is twelve octets long: the one before comes with it
	expect("open", "0+42", fmt.Sprintf("%d+%d", tail, end-tail))

	readAt := func(off, n int) {
		t.Helper()
		if _, err := o.ReadAt(make([]byte, n), int64(off)); err != nil {
			t.Fatal(err)
		}
	}
	readAt(6*chunk-1, 1)
	expect("directory, known since opening")
	readAt(6*chunk-10, 10)
	expect("directory again")
	readAt(5*chunk, 10)
	expect("the chunk before it")
	readAt(0, 10)
	expect("first chunk", fmt.Sprintf("42+%d", sealedChunk))
	readAt(chunk-heads-1, 2)
	expect("across a border, half of it known", fmt.Sprintf("%d+%d", 42+sealedChunk, sealedChunk))
	readAt(2*chunk, 2*chunk-2*heads)
	expect("two chunks at once", fmt.Sprintf("%d+%d", 42+2*sealedChunk, 2*sealedChunk))
	readAt(chunk, 5*chunk-100)
	expect("a large read", fmt.Sprintf("%d+%d", 42+sealedChunk, 5*sealedChunk))

	s := o.Section(chunk-heads, 2*chunk)
	expect("section before the first read")
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Fatal(err)
	}
	s.Close()
	expect("section of exactly two chunks", fmt.Sprintf("%d+%d", 42+sealedChunk, 2*sealedChunk))
	o.Section(5, 0).Close()
	expect("empty section")
}

// Every change of the sealed octets must be found, by each of the readers, and
// nothing but a true beginning may come out before.
func TestTampering(t *testing.T) {
	const sealedChunk = chunk + 16
	sk, plain := signing.NewSessionKey(), random(3*chunk+500)
	sealed := seal(t, plain, sk, 1)
	end := len(sealed)
	flip := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 0x40
		return b
	}
	chunkAt := func(i int) []byte { return sealed[42+i*sealedChunk : 42+(i+1)*sealedChunk] }
	swapped := bytes.Clone(sealed)
	copy(swapped[42:], chunkAt(1))
	copy(swapped[42+sealedChunk:], chunkAt(0))
	// The object without its third chunk, as long as its header says.
	dropped := append(bytes.Clone(sealed[:42+2*sealedChunk]), sealed[42+3*sealedChunk:]...)
	relength := func(b []byte) []byte {
		n := len(b) - 6
		copy(b[2:6], []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		return b
	}
	cases := map[string][]byte{
		"empty": nil, "one octet": sealed[:1], "header only": sealed[:6], "head only": sealed[:42],
		"tag": flip(0), "length": flip(5), "version": flip(6), "cipher": flip(7), "mode": flip(8),
		"chunk octet": flip(9), "salt": flip(10), "first octet": flip(42), "in the second chunk": flip(42 + sealedChunk + 9),
		"chunk tag": flip(42 + sealedChunk - 1), "last chunk": flip(end - 17), "final tag": flip(end - 1),
		"cut by one": sealed[:end-1], "final tag cut": sealed[:end-16], "cut at a chunk": sealed[:42+2*sealedChunk],
		"cut at a chunk, with a length": relength(bytes.Clone(sealed[:42+2*sealedChunk])),
		"cut at a chunk, with the tag":  relength(append(bytes.Clone(sealed[:42+2*sealedChunk]), sealed[end-16:]...)),
		"chunks swapped":                swapped, "chunk dropped": dropped, "chunk dropped, with a length": relength(dropped),
		"one octet more": append(bytes.Clone(sealed), 0), "a packet more": append(bytes.Clone(sealed), sealed...),
	}
	for name, b := range cases {
		t.Run(name, func(t *testing.T) { refused(t, b, sk, plain) })
	}
	t.Run("other key", func(t *testing.T) { refused(t, sealed, signing.NewSessionKey(), nil) })
}

// refused checks that altered octets open nowhere, and that what came out of
// them before was the beginning of the plaintext.
func refused(t *testing.T, sealed []byte, sk signing.SessionKey, plain []byte) {
	t.Helper()
	got, err := io.ReadAll(signing.OpenStream(bytes.NewReader(sealed), sk))
	if !errors.Is(err, signing.ErrSealed) {
		t.Errorf("stream: %v", err)
	}
	if !bytes.HasPrefix(plain, got) {
		t.Errorf("stream: %d octets of something else", len(got))
	}
	o, err := signing.Open(source(sealed), int64(len(sealed)), sk)
	if err != nil {
		if !errors.Is(err, signing.ErrSealed) {
			t.Errorf("open: %v", err)
		}
		return
	}
	got, err = io.ReadAll(o.Section(0, o.Size()))
	if !errors.Is(err, signing.ErrSealed) {
		t.Errorf("section: %v", err)
	}
	if !bytes.HasPrefix(plain, got) {
		t.Errorf("section: %d octets of something else", len(got))
	}
	if _, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size())); !errors.Is(err, signing.ErrSealed) {
		t.Errorf("ReadAt: %v", err)
	}
}

// A good message of another layout is refused as well: there is one way only.
func TestOtherLayouts(t *testing.T) {
	sk, plain := signing.NewSessionKey(), random(1000)
	var b bytes.Buffer
	w := goCryptoWriter(t, &b, sk)
	w.Write(plain)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := goCryptoRead(t, b.Bytes(), sk); !bytes.Equal(got, plain) {
		t.Fatal("the message is not good")
	}
	refused(t, b.Bytes(), sk, plain)
}

// An error of the reader below is not a sign of damage, and is handed on.
func TestReadErrors(t *testing.T) {
	sk, plain := signing.NewSessionKey(), random(3*chunk)
	sealed := seal(t, plain, sk, 1)
	lost := errors.New("connection lost")
	for _, at := range []int{0, 3, 20, 50, chunk, 2*chunk + 7, len(sealed) - 3} {
		cut := io.MultiReader(bytes.NewReader(sealed[:at]), iotest.ErrReader(lost))
		got, err := io.ReadAll(signing.OpenStream(cut, sk))
		if !errors.Is(err, lost) || errors.Is(err, signing.ErrSealed) || !bytes.HasPrefix(plain, got) {
			t.Errorf("stream lost at %d: %d octets, %v", at, len(got), err)
		}
	}
	var broken bool
	o, err := signing.Open(func(off, n int64) (io.ReadCloser, error) {
		if broken {
			return nil, lost
		}
		return source(sealed)(off, n)
	}, int64(len(sealed)), sk)
	if err != nil {
		t.Fatal(err)
	}
	broken = true
	if _, err := io.ReadAll(o.Section(0, 1)); !errors.Is(err, lost) {
		t.Errorf("section: %v", err)
	}
	if _, err := o.ReadAt(make([]byte, 1), 0); !errors.Is(err, lost) {
		t.Errorf("ReadAt: %v", err)
	}
	broken = false
	if _, err := o.ReadAt(make([]byte, 1), 0); err != nil {
		t.Errorf("ReadAt again: %v", err)
	}
	if _, err := signing.Open(func(int64, int64) (io.ReadCloser, error) { return nil, lost }, 1000, sk); !errors.Is(err, lost) && !errors.Is(err, signing.ErrSealed) {
		t.Errorf("open: %v", err)
	}
}

func TestOpenSizes(t *testing.T) {
	sk := signing.NewSessionKey()
	sealed := seal(t, random(1000), sk, 1)
	for _, size := range []int64{-1, 0, 1, 85, int64(len(sealed)) + 1, 1 << 40, 1<<63 - 1} {
		if _, err := signing.Open(source(sealed), size, sk); !errors.Is(err, signing.ErrSealed) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// limited fails after so many writes.
type limited struct {
	left   int
	writes int
}

func (w *limited) Write(p []byte) (int, error) {
	w.writes++
	if w.left--; w.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestSealerErrors(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for left := range 12 {
			w := &limited{left: left}
			s, err := signing.NewSealer(w, 5*chunk, signing.NewSessionKey(), workers)
			if err == nil {
				_, err = io.Copy(s, bytes.NewReader(random(5*chunk)))
				if e := s.Close(); err != nil && e == nil {
					t.Errorf("%d workers, %d writes: Close forgot %v", workers, left, err)
				} else {
					err = e
				}
			}
			// Header and head, six chunks, the final tag.
			if failed := left < 9; failed != (err != nil) || failed && w.writes != left+1 {
				t.Errorf("%d workers: after %d good writes %d were made, error %v", workers, left, w.writes, err)
			}
		}
	}
}

func TestSealerSize(t *testing.T) {
	for _, workers := range []int{1, 2} {
		for _, c := range []struct{ size, write int }{{0, 1}, {10, 9}, {10, 11}, {3 * chunk, 3*chunk - 1}, {3 * chunk, 3*chunk + 1}} {
			var b bytes.Buffer
			sk := signing.NewSessionKey()
			s, err := signing.NewSealer(&b, int64(c.size), sk, workers)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(s, iotest.HalfReader(bytes.NewReader(random(c.write))))
			if err := s.Close(); err == nil {
				t.Errorf("announced %d, wrote %d: closed without an error", c.size, c.write)
			}
			n := b.Len()
			if _, err := s.Write([]byte("more")); err == nil {
				t.Error("write after a failed close")
			}
			if err := s.Close(); err == nil {
				t.Error("second close forgot the error")
			}
			if b.Len() != n {
				t.Error("octets written after an error")
			}
			refused(t, b.Bytes(), sk, random(c.write))
		}
	}
	s, err := signing.NewSealer(io.Discard, 0, signing.NewSessionKey(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Write(nil); err == nil {
		t.Error("write after close")
	}
	if _, err := signing.NewSealer(io.Discard, -1, signing.NewSessionKey(), 1); err == nil {
		t.Error("negative size")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	sk := signing.NewSessionKey()
	k := generate(t, signing.Classic)
	secret := hex.EncodeToString(sk[:4])
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, sk); got != "session key" {
			t.Errorf("%s of a session key: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ K *signing.Key }{k}); strings.Contains(got, secret) {
			t.Errorf("%s of a key: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, k); got != "private key "+k.Fingerprint() {
			t.Errorf("%s of a key: %s", verb, got)
		}
	}
	if b, err := json.Marshal(map[string]any{"key": sk}); err == nil {
		t.Errorf("marshaled to %s", b)
	}
}

// What is allocated in all bounds what is held at once.
func TestMemory(t *testing.T) {
	plain := random(40 * chunk)
	sk := signing.NewSessionKey()
	sealed := seal(t, plain, sk, 1)
	allocated := func(run func()) int {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		return int(after.TotalAlloc - before.TotalAlloc)
	}
	for workers, chunks := range map[int]int{1: 1, 2: 5, 4: 9} {
		if got := allocated(func() {
			s := must(signing.NewSealer(io.Discard, int64(len(plain)), sk, workers))(t)
			for p := range slices.Chunk(plain, 10_000) {
				s.Write(p)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}); got > chunks*chunk+chunk/2 {
			t.Errorf("%d workers: %d octets allocated, about %d chunks", workers, got, got/chunk)
		}
	}
	buf := make([]byte, 10_000)
	read := func(r io.Reader) func() {
		return func() {
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
				t.Error(err)
			}
		}
	}
	o := open(t, sealed, sk)
	for name, r := range map[string]io.Reader{
		"stream":  signing.OpenStream(bytes.NewReader(sealed), sk),
		"section": o.Section(0, o.Size()),
	} {
		if got := allocated(read(r)); got > 2*chunk+chunk/2 {
			t.Errorf("%s: %d octets allocated, about %d chunks", name, got, got/chunk)
		}
	}
}

func TestSaltsDiffer(t *testing.T) {
	sk := signing.NewSessionKey()
	a, b := seal(t, nil, sk, 1), seal(t, nil, sk, 1)
	if bytes.Equal(a[10:], b[10:]) {
		t.Error("two objects of one session key are the same")
	}
	if sk == signing.NewSessionKey() {
		t.Error("two session keys are the same")
	}
}
