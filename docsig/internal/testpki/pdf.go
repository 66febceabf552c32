package testpki

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// PDF is a small document under construction: one page with a line of text,
// then revision after revision. The objects: 1 catalog, 2 page tree, 3 page, 4
// content, 5 font; others follow.
type PDF struct {
	Bytes   []byte
	Streams bool // cross-reference and object streams instead of tables
	Next    int  // number of the next object
	Root    int  // number of the catalog, 1 at first
	Fields  []int
	Annots  []int
	Catalog string // more of the catalog
	Page    string // more of the page
	Trailer string // more of every trailer
	last    int    // offset of the last cross-reference section
}

// NewPDF makes the first revision.
func NewPDF(t testing.TB, streams bool) *PDF {
	t.Helper()
	p := &PDF{Bytes: []byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"), Streams: streams, Next: 6, Root: 1, last: -1}
	content := "BT /F1 18 Tf 20 100 Td (Decision: amount 100 granted) Tj ET"
	p.Revise(t, map[int]string{
		1: p.catalog(), 2: "<</Type/Pages/Kids[3 0 R]/Count 1>>", 3: p.page(),
		4: fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content),
		5: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}, "")
	return p
}

// Clone is a copy to be changed.
func (p *PDF) Clone() *PDF {
	c := *p
	c.Bytes, c.Fields, c.Annots = bytes.Clone(p.Bytes), slices.Clone(p.Fields), slices.Clone(p.Annots)
	return &c
}

func refs(nums []int) string {
	var b strings.Builder
	for _, n := range nums {
		fmt.Fprintf(&b, "%d 0 R ", n)
	}
	return strings.TrimSpace(b.String())
}

func (p *PDF) catalog() string {
	form := ""
	if len(p.Fields) > 0 {
		form = fmt.Sprintf("/AcroForm<</Fields[%s]/SigFlags 3>>", refs(p.Fields))
	}
	return "<</Type/Catalog/Pages 2 0 R" + form + p.Catalog + ">>"
}

func (p *PDF) page() string {
	annots := ""
	if len(p.Annots) > 0 {
		annots = fmt.Sprintf("/Annots[%s]", refs(p.Annots))
	}
	return "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>" + annots + p.Page + ">>"
}

// Revise appends a revision with the given objects; trailer is more of its
// trailer. Objects that are no streams and not kept apart go into an object
// stream where Streams is set.
func (p *PDF) Revise(t testing.TB, objects map[int]string, trailer string, apart ...int) {
	t.Helper()
	trailer += p.Trailer
	offsets, packed := map[int]int{}, map[int]int{}
	var inStream []int
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		p.Next = max(p.Next, n+1)
		if p.Streams && !strings.Contains(objects[n], "stream") && !slices.Contains(apart, n) {
			inStream = append(inStream, n)
			continue
		}
		offsets[n] = len(p.Bytes)
		p.Bytes = fmt.Appendf(p.Bytes, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	if !p.Streams {
		p.table(offsets, trailer)
		return
	}
	if len(inStream) > 0 {
		var head, body strings.Builder
		stm := p.Next
		p.Next++
		for i, n := range inStream {
			fmt.Fprintf(&head, "%d %d ", n, body.Len())
			body.WriteString(objects[n] + "\n")
			packed[n] = i
		}
		offsets[stm] = len(p.Bytes)
		data := deflate(t, head.String()+body.String())
		p.Bytes = fmt.Appendf(p.Bytes, "%d 0 obj\n<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n", stm, len(inStream), head.Len(), len(data), data)
		p.stream(t, offsets, packed, stm, trailer)
		return
	}
	p.stream(t, offsets, packed, 0, trailer)
}

func deflate(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write([]byte(s))
	check(t, 0, err)
	check(t, 0, w.Close())
	return b.Bytes()
}

func (p *PDF) prev() string {
	if p.last < 0 {
		return ""
	}
	return fmt.Sprintf("/Prev %010d", p.last)
}

func (p *PDF) table(offsets map[int]int, trailer string) {
	at := len(p.Bytes)
	p.Bytes = append(p.Bytes, "xref\n0 1\n0000000000 65535 f \n"...)
	for _, n := range slices.Sorted(maps.Keys(offsets)) {
		p.Bytes = fmt.Appendf(p.Bytes, "%d 1\n%010d 00000 n \n", n, offsets[n])
	}
	p.Bytes = fmt.Appendf(p.Bytes, "trailer\n<</Size %d/Root %d 0 R%s%s>>\nstartxref\n%010d\n%%%%EOF\n", p.Next, p.Root, p.prev(), trailer, at)
	p.last = at
}

func (p *PDF) stream(t testing.TB, offsets, packed map[int]int, stm int, trailer string) {
	t.Helper()
	at, self := len(p.Bytes), p.Next
	p.Next++
	offsets[self] = at
	var index strings.Builder
	var rows []byte
	for _, n := range slices.Sorted(maps.Keys(mergedKeys(offsets, packed))) {
		fmt.Fprintf(&index, "%d 1 ", n)
		row := []byte{2, byte(stm >> 24), byte(stm >> 16), byte(stm >> 8), byte(stm), byte(packed[n])}
		if off, ok := offsets[n]; ok {
			row = []byte{1, byte(off >> 24), byte(off >> 16), byte(off >> 8), byte(off), 0}
		}
		rows = append(rows, row...)
	}
	// With the "up" predictor, as most writers do.
	var up []byte
	prior := make([]byte, 6)
	for row := range slices.Chunk(rows, 6) {
		up = append(up, 2)
		for i := range row {
			up = append(up, row[i]-prior[i])
		}
		prior = row
	}
	data := deflate(t, string(up))
	p.Bytes = fmt.Appendf(p.Bytes, "%d 0 obj\n<</Type/XRef/Size %d/Root %d 0 R/W[1 4 1]/Index[%s]/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 6>>/Length %d%s%s>>\nstream\n%s\nendstream\nendobj\nstartxref\n%010d\n%%%%EOF\n",
		self, p.Next, p.Root, index.String(), len(data), p.prev(), trailer, data, at)
	p.last = at
}

func mergedKeys(a, b map[int]int) map[int]bool {
	out := map[int]bool{}
	for n := range a {
		out[n] = true
	}
	for n := range b {
		out[n] = true
	}
	return out
}

// Field says how a signature is put into a document.
type Field struct {
	Visible   bool
	Timestamp bool           // a document timestamp
	SubFilter string         // ETSI.CAdES.detached where empty
	MDP       int            // permissions of a certification, 0 for none
	Room      int            // octets for the signature, 4096 where 0
	Objects   map[int]string // changed in the same revision
	Field     int            // an empty field to be signed, 0 for a new one
	Apart     bool           // the field is on no page
	More      string         // of the signature dictionary, after Contents
	// Ranges says what is signed instead of all but Contents: octets from, to,
	// from, to, of what would be right.
	Ranges func(gap, resume, end int) [4]int
}

// Sign appends a revision with a signature; seal gets the octets that are
// signed and gives the CMS message.
func (p *PDF) Sign(t testing.TB, f Field, seal func(signed []byte) []byte) {
	t.Helper()
	if f.Room == 0 {
		f.Room = 4096
	}
	dict, field := p.Next, p.Next+1
	if f.Field != 0 {
		field = f.Field
	}
	objects := map[int]string{dict: f.dict(), field: f.widget(field, dict)}
	if f.Visible {
		objects[field+1] = "<</Type/XObject/Subtype/Form/BBox[0 0 90 30]/Length 0>>\nstream\n\nendstream"
	}
	if f.Field == 0 {
		p.Fields = append(p.Fields, field)
		if !f.Apart {
			p.Annots = append(p.Annots, field)
		}
		objects[3] = p.page()
	}
	if f.MDP != 0 {
		p.Catalog += fmt.Sprintf("/Perms<</DocMDP %d 0 R>>", dict)
	}
	objects[1] = p.catalog()
	maps.Copy(objects, f.Objects)
	from := len(p.Bytes)
	p.Revise(t, objects, "", dict)
	Seal(t, p.Bytes, from, f, seal)
}

// Seal puts byte range and signature into the dictionary, made by Dict, that
// begins at from or later.
func Seal(t testing.TB, b []byte, from int, f Field, seal func(signed []byte) []byte) {
	t.Helper()
	gap := from + bytes.Index(b[from:], []byte("/Contents<")) + len("/Contents")
	resume := gap + 1 + bytes.IndexByte(b[gap:], '>')
	room := (resume - gap - 2) / 2
	r := [4]int{0, gap, resume, len(b)}
	if f.Ranges != nil {
		r = f.Ranges(gap, resume, len(b))
	}
	br := from + bytes.Index(b[from:], []byte("/ByteRange["))
	copy(b[br:], fmt.Sprintf("/ByteRange[%d %d %d %d", r[0], r[1]-r[0], r[2], r[3]-r[2]))
	der := seal(slices.Concat(b[r[0]:r[1]], b[r[2]:r[3]]))
	if len(der) > room {
		t.Fatalf("a signature of %d octets", len(der))
	}
	copy(b[gap+1:], fmt.Sprintf("%x", der))
}

// Dict is the signature dictionary, to be sealed.
func (f Field) Dict() string {
	if f.Room == 0 {
		f.Room = 4096
	}
	return f.dict()
}

func (f Field) dict() string {
	sub, typ := f.SubFilter, "Sig"
	if sub == "" {
		sub = "ETSI.CAdES.detached"
	}
	if f.Timestamp {
		sub, typ = "ETSI.RFC3161", "DocTimeStamp"
	}
	mdp := ""
	if f.MDP != 0 {
		mdp = fmt.Sprintf("/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]", f.MDP)
	}
	return fmt.Sprintf("<</Type/%s/Filter/Adobe.PPKLite/SubFilter/%s%s/ByteRange[%s]/Contents<%s>%s>>", typ, sub, mdp, strings.Repeat(" ", 44), strings.Repeat("0", 2*f.Room), f.More)
}

func (f Field) widget(field, dict int) string {
	look := "/Rect[0 0 0 0]"
	if f.Visible {
		look = fmt.Sprintf("/Rect[10 10 100 40]/AP<</N %d 0 R>>", field+1)
	}
	v := ""
	if dict != 0 {
		v = fmt.Sprintf("/V %d 0 R", dict)
	}
	return fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature%d)/F 132/P 3 0 R%s%s>>", field, look, v)
}

// EmptyField appends a revision with a field to be signed, and gives its number.
func (p *PDF) EmptyField(t testing.TB) int {
	t.Helper()
	n := p.Next
	p.Fields, p.Annots = append(p.Fields, n), append(p.Annots, n)
	p.Revise(t, map[int]string{n: Field{}.widget(n, 0), 3: p.page(), 1: p.catalog()}, "")
	return n
}

// Store appends a revision with a document security store.
func (p *PDF) Store(t testing.TB, certs, ocsps, crls [][]byte) {
	t.Helper()
	objects, n := map[int]string{}, p.Next+1
	list := func(key string, ders [][]byte) string {
		var nums []int
		for _, der := range ders {
			objects[n] = fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(der), der)
			nums = append(nums, n)
			n++
		}
		return fmt.Sprintf("/%s[%s]", key, refs(nums))
	}
	objects[p.Next] = "<</Type/DSS" + list("Certs", certs) + list("OCSPs", ocsps) + list("CRLs", crls) + ">>"
	if !strings.Contains(p.Catalog, "/DSS") {
		p.Catalog += fmt.Sprintf("/DSS %d 0 R", p.Next)
	} else {
		i := strings.Index(p.Catalog, "/DSS ")
		rest := p.Catalog[i+5:]
		p.Catalog = p.Catalog[:i] + fmt.Sprintf("/DSS %d 0 R", p.Next) + rest[strings.Index(rest, "R")+1:]
	}
	objects[1] = p.catalog()
	p.Revise(t, objects, "")
}

// SetPage appends a revision in which catalog and page are written again, with
// what Catalog and Page say now, and other objects.
func (p *PDF) SetPage(t testing.TB, objects map[int]string) {
	t.Helper()
	all := map[int]string{1: p.catalog(), 3: p.page()}
	maps.Copy(all, objects)
	p.Revise(t, all, "")
}
