package pades_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/internal/testpki"
	"github.com/luutru/luutru/docsig/trust"
)

// Form of fields: however the tree is built, its signatures are found.
func TestFieldTrees(t *testing.T) {
	w := newWorld(t)
	dict := testpki.Field{Room: 1500}.Dict()
	widget := "/Type/Annot/Subtype/Widget/Rect[0 0 0 0]"
	for name, c := range map[string]struct {
		form    string
		objects map[int]string
	}{
		"direct":            {"<</Fields[20 0 R]>>", map[int]string{20: "<<" + widget + "/FT/Sig/T(a)/V 30 0 R>>"}},
		"form apart":        {"21 0 R", map[int]string{21: "<</Fields 22 0 R>>", 22: "[20 0 R]", 20: "<<" + widget + "/FT/Sig/T(a)/V 30 0 R>>"}},
		"type inherited":    {"<</Fields[20 0 R]>>", map[int]string{20: "<</FT/Sig/T(a)/Kids[23 0 R]>>", 23: "<<" + widget + "/T(b)/V 30 0 R>>"}},
		"widget as a kid":   {"<</Fields[20 0 R]>>", map[int]string{20: "<</FT/Sig/T(a)/V 30 0 R/Kids[23 0 R]>>", 23: "<<" + widget + "/Parent 20 0 R>>"}},
		"group":             {"<</Fields[20 0 R]>>", map[int]string{20: "<</T(a)/Kids[24 0 R 23 0 R]>>", 23: "<<" + widget + "/T(b)/FT/Sig/V 30 0 R>>", 24: "<</FT/Tx/T(c)/V(x)>>"}},
		"two fields of one": {"<</Fields[20 0 R 25 0 R]>>", map[int]string{20: "<</FT/Sig/T(a)/V 30 0 R>>", 25: "<</FT/Sig/T(b)/V 30 0 R>>"}},
		"escaped names":     {"<</F#69elds[20 0 R]>>", map[int]string{20: "<</F#54/S#69g/T(a)/V 30 0 R>>"}},
		"field in the list": {"<</Fields[<</FT/Sig/T(a)/V 30 0 R>>]>>", nil},
		"comments":          {"<<%/Fields[99 0 R]\n/Fields % here\r[ 20 %\n 0 R ]>>", map[int]string{20: "<</FT/Sig/T(\\) a (nested) \\()/V 30 0 R>>"}},
		"certification":     {"<<>>/Perms<</DocMDP 30 0 R>>", nil},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, p *testpki.PDF) {
				from := len(p.Bytes)
				p.Catalog = "/AcroForm " + c.form
				objects := map[int]string{30: dict}
				for n, o := range c.objects {
					objects[n] = o
				}
				objects[3], objects[1] = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>", "<</Type/Catalog/Pages 2 0 R"+p.Catalog+">>"
				p.Revise(t, objects, "", 30)
				testpki.Seal(t, p.Bytes, from, testpki.Field{}, by(t, w.leaf))
				w.want(t, p.Bytes, good)
				bad := bytes.Replace(p.Bytes, []byte("amount 100"), []byte("amount 900"), 1)
				w.want(t, bad, "invalid "+trust.Digest)
			})
		})
	}
	t.Run("value within the field", func(t *testing.T) {
		p := testpki.NewPDF(t, false)
		from := len(p.Bytes)
		p.Revise(t, map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[20 0 R]>>>>", 20: "<</FT/Sig/T(a)/V " + dict + ">>"}, "")
		testpki.Seal(t, p.Bytes, from, testpki.Field{}, by(t, w.leaf))
		w.want(t, p.Bytes, good)
	})
	// A dictionary within an object stream has no place for a signature.
	t.Run("value within a stream", func(t *testing.T) {
		p := testpki.NewPDF(t, true)
		p.Revise(t, map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[20 0 R]>>>>", 20: "<</FT/Sig/T(a)/V 30 0 R>>", 30: dict, 31: "<</Length 10>>\nstream\n/ByteRange\nendstream"}, "")
		w.want(t, p.Bytes, "invalid "+trust.Malformed)
	})
}

// The value in other writings of the same digits.
func TestHexadecimal(t *testing.T) {
	w := newWorld(t)
	p := testpki.NewPDF(t, false)
	p.Sign(t, testpki.Field{Room: 1500}, by(t, w.leaf))
	gap := bytes.Index(p.Bytes, []byte("/Contents<")) + len("/Contents<")
	end := gap + bytes.IndexByte(p.Bytes[gap:], '>')
	digits := strings.TrimRight(string(p.Bytes[gap:end]), "0")
	for name, c := range map[string]struct{ text, want string }{
		"capitals":     {strings.ToUpper(digits), good},
		"white space":  {digits[:10] + " \r\n\t" + digits[10:], good},
		"spaces after": {digits + strings.Repeat(" ", 20), good},
		"no digit":     {"zz" + digits[2:], ""},
		"octets after": {digits + strings.Repeat("0", len(digits)%2) + "01", "invalid " + trust.Malformed},
		"a bracket":    {digits[:100] + "<" + digits[101:], ""},
		"empty":        {strings.Repeat(" ", end-gap), "invalid " + trust.Malformed},
		"zeros":        {"", "invalid " + trust.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(p.Bytes)
			copy(b[gap:end], c.text+strings.Repeat("0", end-gap-len(c.text)))
			if c.want != "" {
				w.want(t, b, c.want)
				return
			}
			for _, s := range w.verify(t, b) {
				if s.Status == trust.Valid {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// raw writes a PDF of objects with a cross-reference table in the given hand.
func raw(objects []string, table func(offsets []int) string, trailer string) []byte {
	b := []byte("%PDF-1.4\n")
	offsets := []int{0}
	for i, o := range objects {
		offsets = append(offsets, len(b))
		b = fmt.Appendf(b, "%d 0 obj%s endobj\n", i+1, o)
	}
	at := len(b)
	return fmt.Appendf(b, "%strailer %s\nstartxref\r\n%d\r\n%%%%EOF", table(offsets), trailer, at)
}

// Tables in the hands of other writers.
func TestTables(t *testing.T) {
	w := newWorld(t)
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>", "\r\n<</Type/Pages/Kids[]/Count 0>>\r\n",
		" <</FT/Sig/T(a)/V 4 0 R>>", "\n" + testpki.Field{Room: 1500}.Dict() + "\n",
	}
	entry := func(end string) func([]int) string {
		return func(offsets []int) string {
			var b strings.Builder
			fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f%s", len(offsets), end)
			for _, o := range offsets[1:] {
				fmt.Fprintf(&b, "%010d 00000 n%s", o, end)
			}
			return b.String()
		}
	}
	shifted := func(by int) func([]int) string {
		return func(offsets []int) string {
			out := []int{0}
			for _, o := range offsets[1:] {
				out = append(out, o+by)
			}
			return entry(" \n")(out)
		}
	}
	for name, c := range map[string]struct {
		table   func([]int) string
		trailer string
		want    string
	}{
		"line feeds":                 {entry(" \n"), "<</Size 5/Root 1 0 R>>", good},
		"carriage returns":           {entry("\r\n"), "<</Size 5/Root 1 0 R>>", good},
		"one octet short":            {entry("\n"), "<</Size 5/Root 1 0 R>>", good},
		"offsets wrong":              {shifted(1), "<</Size 5/Root 1 0 R>>", "indeterminate " + trust.Malformed},
		"offsets too far":            {shifted(1 << 20), "<</Size 5/Root 1 0 R>>", "indeterminate " + trust.Malformed},
		"no root":                    {entry(" \n"), "<</Size 5>>", "indeterminate " + trust.Malformed},
		"root twice":                 {entry(" \n"), "<</Root 1 0 R/Root 1 0 R>>", good},
		"roots that differ":          {entry(" \n"), "<</Root 1 0 R/Root 2 0 R>>", "indeterminate " + trust.Malformed},
		"root of another generation": {entry(" \n"), "<</Root 1 1 R>>", "indeterminate " + trust.Malformed},
		"previous itself":            {entry(" \n"), "<</Root 1 0 R/Prev 0>>", "indeterminate " + trust.Malformed},
		"previous is no number":      {entry(" \n"), "<</Root 1 0 R/Prev/x>>", "indeterminate " + trust.Malformed},
		"object twice": {func(offsets []int) string {
			return entry(" \n")(offsets) + fmt.Sprintf("1 1\n%010d 00000 n \n", offsets[2])
		}, "<</Root 1 0 R>>", "indeterminate " + trust.Malformed},
		"trailer is a list":  {entry(" \n"), "[]", "indeterminate " + trust.Malformed},
		"table without rows": {func([]int) string { return "xref\n0 5\n" }, "<</Root 1 0 R>>", "indeterminate " + trust.Malformed},
		"negative":           {func([]int) string { return "xref\n-1 5\n" }, "<</Root 1 0 R>>", "indeterminate " + trust.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			b := raw(objects, c.table, c.trailer)
			testpki.Seal(t, b, 0, testpki.Field{}, by(t, w.leaf))
			w.want(t, b, c.want)
		})
	}
	t.Run("hybrid", func(t *testing.T) {
		// The form stands in a stream that only XRefStm knows.
		p := testpki.NewPDF(t, true)
		from := len(p.Bytes)
		p.Revise(t, map[int]string{1: "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[20 0 R]>>>>", 20: "<</FT/Sig/T(a)/V 30 0 R>>", 30: testpki.Field{Room: 1500}.Dict()}, "", 30)
		i := bytes.LastIndex(p.Bytes, []byte("startxref\n"))
		stm := 0
		if _, err := fmt.Sscanf(string(p.Bytes[i:]), "startxref\n%d", &stm); err != nil {
			t.Fatal(err)
		}
		prev := bytes.Index(p.Bytes, []byte("startxref\n"))
		old := 0
		if _, err := fmt.Sscanf(string(p.Bytes[prev:]), "startxref\n%d", &old); err != nil {
			t.Fatal(err)
		}
		at := len(p.Bytes)
		b := fmt.Appendf(p.Bytes, "xref\n0 1\n0000000000 65535 f \n20 1\n0000000000 00000 f \ntrailer\n<</Size 60/Root 1 0 R/XRefStm %d/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", stm, old, at)
		testpki.Seal(t, b, from, testpki.Field{}, by(t, w.leaf))
		w.want(t, b, good)
	})
}
