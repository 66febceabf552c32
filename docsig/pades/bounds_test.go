package pades_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/pades"
	"github.com/luutru/luutru/docsig/trust"
)

// padded is a PDF with many octets in the middle of a stream that nobody holds
// in memory.
type padded struct {
	head, tail []byte
	middle     int64
}

func (s padded) size() int64 { return int64(len(s.head)+len(s.tail)) + s.middle }

// ReadAt is that of io.ReaderAt.
func (s padded) ReadAt(p []byte, off int64) (int, error) {
	h, n := int64(len(s.head)), 0
	for n < len(p) {
		switch at := off + int64(n); {
		case at < h:
			n += copy(p[n:], s.head[at:])
		case at < h+s.middle:
			k := int(min(int64(len(p)-n), h+s.middle-at))
			clear(p[n : n+k])
			n += k
		case at < s.size():
			n += copy(p[n:], s.tail[at-h-s.middle:])
		default:
			return n, io.EOF
		}
	}
	return n, nil
}

// allocated tells what a call allocates, however short-lived.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A file of any size takes the memory of a small one. What it says it is over
// is not what it was signed for, so that the digest is another one.
func TestLarge(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{}, by(t, w.leaf))
	const middle = 256 << 20
	head, tail, ok := bytes.Cut(p.Bytes, []byte("%\xE2"))
	if !ok {
		t.Fatal("no place for padding")
	}
	src := padded{head: append(bytes.Clone(head), '\n'), middle: middle}
	src.tail = shifted(t, append([]byte("\n%\xE2"), tail...), int64(len(src.head))+middle-int64(len(head))+1)
	var out []trust.Signature
	got := allocated(func() {
		var err error
		if out, err = pades.Verify(t.Context(), src, src.size(), w.anchors, testpki.Now()); err != nil {
			t.Fatal(err)
		}
	})
	if len(out) != 1 || out[0].Status != trust.Invalid || out[0].Reason != trust.Digest {
		t.Errorf("%+v", out)
	}
	if got > 4<<20 {
		t.Errorf("%d octets allocated", got)
	}
}

// shifted moves every offset of a PDF.
func shifted(t *testing.T, b []byte, by int64) []byte {
	t.Helper()
	lines := strings.SplitAfter(string(b), "\n")
	for i, l := range lines {
		var off, gen int64
		var n [4]int64
		switch {
		case strings.HasSuffix(l, " n \n"):
			if _, err := fmt.Sscanf(l, "%d %d", &off, &gen); err == nil {
				lines[i] = fmt.Sprintf("%010d %05d n \n", off+by, gen)
			}
		case i > 0 && lines[i-1] == "startxref\n":
			if _, err := fmt.Sscanf(l, "%d", &off); err == nil {
				lines[i] = fmt.Sprintf("%010d\n", off+by)
			}
		}
		if j := strings.Index(lines[i], "/Prev "); j >= 0 {
			if _, err := fmt.Sscanf(lines[i][j:], "/Prev %d", &off); err == nil {
				lines[i] = strings.Replace(lines[i], fmt.Sprintf("/Prev %010d", off), fmt.Sprintf("/Prev %010d", off+by), 1)
			}
		}
		if j := strings.Index(lines[i], "/ByteRange["); j >= 0 {
			if _, err := fmt.Sscanf(lines[i][j:], "/ByteRange[%d %d %d %d", &n[0], &n[1], &n[2], &n[3]); err != nil {
				t.Fatal(err)
			}
			k := j + strings.IndexByte(lines[i][j:], ']')
			s := fmt.Sprintf("/ByteRange[0 %d %d %d", n[1]+by, n[2]+by, n[3])
			lines[i] = lines[i][:j] + s + strings.Repeat(" ", k-j-len(s)) + lines[i][k:]
		}
	}
	return []byte(strings.Join(lines, ""))
}

func bomb(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := io.CopyN(z, endless{}, int64(n)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type endless struct{}

// Read is that of io.Reader.
func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Files that are made to cost: the answer comes soon, and with little memory.
func TestCostly(t *testing.T) {
	w := newWorld(t)
	packed := bomb(t, 128<<20)
	tail := func(at int) string { return fmt.Sprintf("\n%%/ByteRange\nstartxref\n%d\n%%%%EOF\n", at) }
	stream := func(dict, data string) string {
		return fmt.Sprintf("%%PDF-1.7\n1 0 obj\n<<%s/Length %d>>\nstream\n%s\nendstream\nendobj\n", dict, len(data), data)
	}
	circle := "%PDF-1.7\nxref\n0 0\ntrailer\n<</Root 1 0 R/Prev 9>>\n"
	for name, file := range map[string]string{
		"nested arrays":     "%PDF-1.7\nxref\n0 0\ntrailer\n<</Root " + strings.Repeat("[", 1<<20) + tail(9),
		"nested dicts":      "%PDF-1.7\nxref\n0 0\ntrailer\n" + strings.Repeat("<</A", 1<<20) + tail(9),
		"wide array":        "%PDF-1.7\nxref\n0 0\ntrailer\n<</A[" + strings.Repeat("1 ", 16<<20) + "]>>" + tail(9),
		"table of nothing":  "%PDF-1.7\nxref\n0 999999999\n" + strings.Repeat("0000000000 00000 f \n", 1<<20) + tail(9),
		"table in a circle": circle + tail(9),
		"endless string":    "%PDF-1.7\nxref\n0 0\ntrailer\n<</A(" + strings.Repeat("(", 40<<20) + tail(9),
		"bomb":              stream("/Type/XRef/Size 9/Root 1 0 R/W[1 4 1]/Filter/FlateDecode", packed) + tail(9),
		"columns":           stream("/Type/XRef/Size 9/Root 1 0 R/W[1 4 1]/DecodeParms<</Predictor 12/Columns 99999999999>>", "x") + tail(9),
		"own length":        stream("/Type/XRef/Size 9/Root 1 0 R/W[1 4 1]/Length 1 0 R", "x") + tail(9),
		"catalog itself":    "%PDF-1.7\n1 0 obj\n1 0 R\nendobj\nxref\n1 1\n0000000009 00000 n \ntrailer\n<</Root 1 0 R>>" + tail(30),
		"fields in a circle": "%PDF-1.7\n1 0 obj\n<</AcroForm<</Fields[1 0 R 1 0 R]>>/Kids[1 0 R]/FT/Sig/V 1 0 R>>\nendobj\n" +
			"xref\n1 1\n0000000009 00000 n \ntrailer\n<</Root 1 0 R>>" + tail(94),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got := allocated(func() {
				for _, s := range w.verify(t, []byte(file)) {
					if s.Status == trust.Valid {
						t.Errorf("%+v", s)
					}
				}
			})
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if got > 400<<20 {
				t.Errorf("%d octets allocated for a file of %d", got, len(file))
			}
		})
	}
}

// Many signatures over many objects end in an answer.
func TestManyRevisions(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, true)
	for i := range 70 {
		if i%7 == 6 {
			p.Store(t, [][]byte{w.root.Cert.Raw}, nil, nil)
		}
		p.Sign(t, testpki.Field{Room: 1200}, by(t, w.leaf))
		if i == 60 {
			for _, s := range w.verify(t, p.Bytes) {
				if s.Status != trust.Valid {
					t.Fatalf("%+v", s)
				}
			}
		}
	}
	for _, s := range w.verify(t, p.Bytes) {
		if s.Status == trust.Valid {
			t.Errorf("more signatures than are looked at, and valid: %+v", s)
		}
	}
}
