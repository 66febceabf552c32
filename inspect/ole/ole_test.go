package ole_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/luutru/luutru/inspect/ole"
)

func open(t testing.TB, data []byte) *ole.File {
	t.Helper()
	f, err := ole.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWriteOpen(t *testing.T) {
	parts := []ole.Part{{Name: "WordDocument", Data: []byte("text")}, {Name: "Macros"}, {Name: "\x01CompObj", Data: bytes.Repeat([]byte("x"), 10_000)}}
	f := open(t, ole.Write(parts))
	top := f.Top()
	if len(top) != len(parts) {
		t.Fatalf("%d at the top", len(top))
	}
	for i, s := range top {
		if s.Name != parts[i].Name || s.Storage != (parts[i].Data == nil) || !f.Has(s.Name) {
			t.Errorf("%+v", s)
		}
		if got := f.Begin(s, len(parts[i].Data)); !bytes.Equal(got, parts[i].Data) {
			t.Errorf("%s: %d bytes, want %d", s.Name, len(got), len(parts[i].Data))
		}
	}
	if f.Has("none") || f.Encrypted() {
		t.Error("what is not there")
	}
}

// TestWriteMuch keeps the beginning, and stays a sound file.
func TestWriteMuch(t *testing.T) {
	var parts []ole.Part
	for range 5 {
		parts = append(parts, ole.Part{Name: strings.Repeat("n", 40), Data: make([]byte, 3<<20)})
	}
	f := open(t, ole.Write(parts))
	if top := f.Top(); len(top) != 2 || len(top[0].Name) != 31 || len(f.Begin(top[1], 3<<20)) != 3<<20 {
		t.Errorf("%d parts", len(top))
	}
}

func TestEncrypted(t *testing.T) {
	for name, c := range map[string]struct {
		part ole.Part
		want bool
	}{
		"package": {ole.Part{Name: "EncryptedPackage", Data: []byte("x")}, true},
		"Word":    {ole.Part{Name: "WordDocument", Data: append(make([]byte, 11), 1)}, true}, "Word in clear": {ole.Part{Name: "WordDocument", Data: make([]byte, 64)}, false},
		"Excel":          {ole.Part{Name: "Workbook", Data: []byte("\x09\x08\x04\x00\x00\x06\x05\x00\x2f\x00\x02\x00\x01\x00")}, true},
		"Excel in clear": {ole.Part{Name: "Book", Data: []byte("\x09\x08\x04\x00\x00\x06\x05\x00\xe1\x00\x02\x00\x01\x00")}, false},
		"PowerPoint":     {ole.Part{Name: "Current User", Data: []byte("............\xdf\xc4\xd1\xf3....")}, true},
	} {
		if got := open(t, ole.Write([]ole.Part{c.part})).Encrypted(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestMini reads a stream that lies in the mini stream, as short ones do in real files.
func TestMini(t *testing.T) {
	data := ole.Write([]ole.Part{{Name: "mini", Data: []byte(strings.Repeat("a", 64) + "rest")}, {Name: "table", Data: []byte("\x01\x00\x00\x00\xfe\xff\xff\xff")}})
	le := binary.LittleEndian
	directory := 512 * (1 + int(le.Uint32(data[48:])))
	root, mini, table := data[directory:], data[directory+128:], data[directory+256:]
	copy(root[116:120], mini[116:120]) // the first stream becomes the mini stream, the second its table
	copy(data[60:64], table[116:120])
	le.PutUint32(mini[116:], 0)
	le.PutUint32(mini[120:], 68)
	f := open(t, data)
	if got := string(f.Begin(f.Top()[0], 100)); got != strings.Repeat("a", 64)+"rest" {
		t.Errorf("%q", got)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestBroken(t *testing.T) {
	good := ole.Write([]ole.Part{{Name: "a", Data: []byte("x")}})
	set := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "cut off": good[:600], "no tables": set(44, 0), "too many tables": set(44, 1<<30), "table outside": set(76, 1<<20),
		"directory outside": set(48, 1<<20), "directory in a circle": set(512+4, 1), "no root": set(1024+64, 0),
	} {
		if _, err := ole.Open(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ole.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ole.Open(failing{}, 1000); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reader that fails: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(ole.Write([]ole.Part{{Name: "WordDocument", Data: []byte("x")}, {Name: "Macros"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ole.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		g.Encrypted()
		for _, s := range g.Top() {
			g.Begin(s, 4096)
		}
	})
}
