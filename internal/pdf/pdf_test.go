package pdf_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/internal/pdf"
)

// file writes a PDF file of objects 1, 2, … as they are given, with a table in text.
func file(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, at)
	return b.Bytes()
}

func open(t testing.TB, data []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(pdf.NewBudget(t.Context(), 64<<20), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func deflate(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func TestObjects(t *testing.T) {
	for text, want := range map[string]any{
		"1": 1, "-2.5": -2.5, "+3": 3, ".5": 0.5, "true": true, "null": nil, "/Name": pdf.Name("Name"), "/A#42": pdf.Name("AB"), "/A#4": pdf.Name("A#4"),
		"(a\\(b\\)\\n\\101)": pdf.String("a(b)\nA"), "(a(b)c)": pdf.String("a(b)c"), "<4142>": pdf.String("AB"), "<414>": pdf.String("A@"),
		"[1 /A (x)]": pdf.Array{1, pdf.Name("A"), pdf.String("x")}, "<< /A 1 /B [2] >>": pdf.Dict{"A": 1, "B": pdf.Array{2}}, "7 0 R": pdf.Ref(7),
		"7 0": 7, "% comment\n8": 8, "word": pdf.Keyword("word"), "<</A/B>>": pdf.Dict{"A": pdf.Name("B")},
	} {
		got, err := pdf.NewLexer(pdf.NewBudget(t.Context(), 1<<20), strings.NewReader(text), 0, true).Object()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "[1", "<< /A", "(open", "<41", "<< 1 2 >>", strings.Repeat("[", 100)} {
		if got, err := pdf.NewLexer(pdf.NewBudget(t.Context(), 1<<20), strings.NewReader(text), 0, true).Object(); err == nil {
			t.Errorf("%.20s: %v", text, got)
		}
	}
}

func TestFlaws(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for text, want := range map[string]pdf.Flaws{
		"1": {}, "<41>": {}, "<4 1>": {}, "<414>": {OddHex: true}, "<4x1>": {BadHex: true}, "99999999999": {BigInteger: true}, "40000.5": {BigReal: true},
		"1" + strings.Repeat("0", 39) + ".0": {HugeReal: true, BigReal: true}, "0." + strings.Repeat("0", 40) + "1": {TinyReal: true},
		"/" + strings.Repeat("x", 128): {LongName: true}, "(" + long[:40_000] + ")": {LongString: true}, "(" + long + ")": {LongString: true, LongText: true},
		"[" + strings.Repeat("1 ", 8192) + "]": {LongArray: true},
	} {
		l := pdf.NewLexer(pdf.NewBudget(t.Context(), 8<<20), strings.NewReader(text), 0, true)
		if _, err := l.Object(); err != nil || l.Flaws != want {
			t.Errorf("%.20s: flaws %+v, want %+v; %v", text, l.Flaws, want, err)
		}
	}
}

func TestEach(t *testing.T) {
	packed := "7 0 8 3 " + "42 (in)"
	data := file("", "<< /Type /Catalog >>", stream("/Filter /FlateDecode", deflate("content")), stream("/Type /ObjStm /N 2 /First 8 /Filter /FlateDecode", deflate(packed)))
	f := open(t, data)
	if root, ok := f.Get(f.Trailer["Root"]).(pdf.Dict); !ok || root["Type"] != pdf.Name("Catalog") {
		t.Errorf("root: %v", root)
	}
	s, ok := f.Get(pdf.Ref(2)).(*pdf.Stream)
	if !ok {
		t.Fatal("no stream")
	}
	if got, err := f.Data(s); string(got) != "content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	n := 0
	err := f.Each(func(o pdf.Object) error {
		n++
		if o.Number != n || o.Flaws != (pdf.Flaws{}) || o.Offset == 0 {
			t.Errorf("%+v", o)
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("%d objects, %v", n, err)
	}
	stop := errors.New("stop")
	if err := f.Each(func(pdf.Object) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
	if len(f.Sections) != 1 || f.Sections[0].Sloppy || f.Sections[0].Loose || f.Sections[0].Stream {
		t.Errorf("%+v", f.Sections)
	}
}

// TestEachPacked reads objects that lie in an object stream.
func TestEachPacked(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	first := b.Len()
	fmt.Fprintf(&b, "1 0 obj\n%s\nendobj\n", stream("/Type /ObjStm /N 2 /First 9", "2 0 3 10 << /A 1 >>(<41>) "))
	at := b.Len()
	rows := []byte{0, 0, 0, 0, 1, byte(first >> 8), byte(first), 0, 2, 0, 1, 0, 2, 0, 1, 1, 1, byte(at >> 8), byte(at), 0}
	fmt.Fprintf(&b, "4 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", stream("/Type /XRef /Size 5 /W [1 2 1] /Root 2 0 R", string(rows)), at)
	f := open(t, b.Bytes())
	if !f.Sections[0].Stream {
		t.Error("not a cross-reference stream")
	}
	got := map[int]any{}
	if err := f.Each(func(o pdf.Object) error { got[o.Number] = o.Value; return nil }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got[2], pdf.Dict{"A": 1}) || got[3] != pdf.String("<41>") || len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestUntidy(t *testing.T) {
	data := file("", "<< /A 1 >>", stream("", "data"), "<< /B 2 >>")
	look := func(data []byte) (flaws []pdf.Flaws, s pdf.Section) {
		f := open(t, data)
		if err := f.Each(func(o pdf.Object) error { flaws = append(flaws, o.Flaws); return nil }); err != nil {
			t.Fatal(err)
		}
		return flaws, f.Sections[0]
	}
	if flaws, s := look(data); !slices.Equal(flaws, make([]pdf.Flaws, 3)) || s.Sloppy || s.Loose {
		t.Fatalf("tidy file: %+v, %+v", flaws, s)
	}
	for _, c := range []struct {
		old, new string
		object   int
		want     pdf.Flaws
	}{
		{"1 0 obj\n", "1 0 obj ", 0, pdf.Flaws{Spacing: true}}, {"3 0 obj\n<< ", "3  0 obj\n<<", 2, pdf.Flaws{Spacing: true}},
		{"/A 1 >>\nendobj\n", "/A 1 >> endobj\n", 0, pdf.Flaws{Spacing: true}}, {"/Length 4", "/Length 3", 1, pdf.Flaws{WrongLength: true}},
		{"data\nendstream", "data endstream", 1, pdf.Flaws{StreamLine: true}},
	} {
		b := bytes.Replace(data, []byte(c.old), []byte(c.new), 1)
		if len(b) != len(data) || bytes.Equal(b, data) {
			t.Fatalf("%q does not fit", c.old)
		}
		if flaws, _ := look(b); flaws[c.object] != c.want {
			t.Errorf("%q for %q: %+v, want %+v", c.new, c.old, flaws[c.object], c.want)
		}
	}
	if _, s := look(bytes.Replace(data, []byte("xref\n0 "), []byte("xref \n0 "), 1)); !s.Sloppy {
		t.Error("space after xref")
	}
	if _, s := look(bytes.Replace(data, []byte("xref\n0 4"), []byte("xref\n0  4"), 1)); !s.Loose {
		t.Error("two spaces between numbers")
	}
}

func TestBroken(t *testing.T) {
	good := file("", "<< >>")
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "cut off": good[:len(good)-8], "no table": []byte("%PDF-1.4\nstartxref\n9\n%%EOF\n"),
		"table elsewhere": bytes.Replace(good, []byte("startxref\n"), []byte("startxref\n9"), 1), "loop of tables": file("/Prev 9", "<< >>"),
	} {
		if _, err := pdf.Open(pdf.NewBudget(t.Context(), 1<<20), bytes.NewReader(data), int64(len(data))); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	// references in circles, and to nothing
	f := open(t, file("", "2 0 R", "1 0 R"))
	if got := f.Get(pdf.Ref(1)); got != nil {
		t.Errorf("circle: %v", got)
	}
	if got := f.Get(pdf.Ref(99)); got != nil {
		t.Errorf("nothing: %v", got)
	}
}

func TestBudget(t *testing.T) {
	data := file("", "<< >>", stream("/Filter /FlateDecode", deflate(strings.Repeat("0", 1<<20))))
	f, err := pdf.Open(pdf.NewBudget(t.Context(), 100<<10), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Data(f.Get(pdf.Ref(2)).(*pdf.Stream)); !errors.Is(err, pdf.ErrLimit) {
		t.Errorf("a bomb: %v", err)
	}
	if err := f.Each(func(pdf.Object) error { return nil }); !errors.Is(err, pdf.ErrLimit) {
		t.Errorf("after it: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pdf.NewBudget(ctx, 1).Spend(0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(file("", "<< /Pages 2 0 R >>", "<< /Kids [3 0 R] >>", "<< /Type /Page >>"))
	f.Add(file("", "<< >>", stream("/Filter /FlateDecode", deflate("x")), stream("/Type /ObjStm /N 1 /First 4", "9 0 (x)")))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := pdf.Open(pdf.NewBudget(t.Context(), 4<<20), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		g.Each(func(o pdf.Object) error {
			if s, ok := o.Value.(*pdf.Stream); ok {
				g.Data(s)
			}
			return nil
		})
	})
}
