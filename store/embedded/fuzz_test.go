package embedded_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/luutru/luutru/store/embedded"
)

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a", "a@b", "%", "%40", "hồ sơ", "\x00", "@@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plain, ok := embedded.Unescape(s); ok && embedded.Escape(plain) != s {
			t.Errorf("%q is %q, which is %q", s, plain, embedded.Escape(plain))
		}
		if bytes.ContainsRune([]byte(s), '/') {
			return // never in a segment
		}
		name := embedded.Escape(s)
		if back, ok := embedded.Unescape(name); !ok || back != s {
			t.Errorf("%q is %q, which is %q, %v", s, name, back, ok)
		}
		if name == "" || name == "." || bytes.ContainsAny([]byte(name), "@\x00") || !filepath.IsLocal(name) {
			t.Errorf("%q is %q, no file name", s, name)
		}
	})
}

func FuzzChanges(f *testing.F) {
	f.Add(embedded.Frame(1, "data/a@", "one")[20:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := embedded.Reparse(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x encoded again is %x", b, again)
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(embedded.Frame(7, "data/a@", "one"))
	f.Add(make([]byte, 512))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, n, ok := embedded.Reframe(b)
		if ok && (n != len(again) || !bytes.HasPrefix(b, bytes.TrimRight(again, "\x00"))) {
			t.Errorf("%x encoded again is %x", b, again)
		}
	})
}

func FuzzRecord(f *testing.F) {
	for _, n := range []int{0, 10} {
		tail, err := embedded.Tail("a/b", int64(n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(make([]byte, n), tail...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		size, tail, err := embedded.ReadRecord(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		again, _, err := embedded.ReadRecord(bytes.NewReader(append(b[:size:size], tail...)), size+int64(len(tail)))
		if err != nil || again != size {
			t.Errorf("encoded again: %d bytes, %v, want %d", again, err, size)
		}
	})
}
