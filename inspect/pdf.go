package inspect

import (
	"errors"
	"slices"
	"strings"

	"github.com/luutru/luutru/internal/pdf"
)

const (
	pdfFloor = 32 << 20 // bytes that a PDF file may unpack to, besides
	pdfRatio = 8        // times its size
	pdfTree  = 60       // depth of the tree of pages, and of values in each other
)

// pdf follows the cross-reference table to the first page and looks at every object.
func (l *look) pdf() {
	f, err := pdf.Open(pdf.NewBudget(l.ctx, pdfFloor+pdfRatio*l.size), l.r, l.size)
	if errors.Is(err, pdf.ErrLimit) {
		l.fail("document.bomb", "PDF")
		return
	}
	if err != nil {
		l.fail("document.broken", "PDF")
		return
	}
	if f.Trailer["Encrypt"] != nil {
		l.fail("document.encrypted", "PDF")
		return
	}
	if !hasPage(f) {
		l.fail("document.broken", "PDF: no pages")
		return
	}
	l.objects(f)
}

// hasPage goes down to the first page.
func hasPage(f *pdf.File) bool {
	root, _ := f.Get(f.Trailer["Root"]).(pdf.Dict)
	node, ok := f.Get(root["Pages"]).(pdf.Dict)
	for range pdfTree {
		kids, isTree := f.Get(node["Kids"]).(pdf.Array)
		if !ok || isTree && len(kids) == 0 {
			return false
		}
		if !isTree {
			return true
		}
		node, ok = f.Get(kids[0]).(pdf.Dict)
	}
	return false
}

// objects looks at every object: what is active is found wherever it hangs.
func (l *look) objects(f *pdf.File) {
	a := &active{}
	check := l.claimed(f)
	err := f.Each(func(o pdf.Object) error {
		a.look(o.Value, 0)
		if check != nil {
			check.Object(o)
		}
		return nil
	})
	if errors.Is(err, pdf.ErrLimit) {
		l.fail("document.bomb", "PDF")
		return
	}
	if len(a.scripts) > 0 {
		slices.Sort(a.scripts)
		l.warn("document.script", strings.Join(slices.Compact(a.scripts), ", "))
	}
	if a.embedded {
		l.warn("document.embedded", "")
	}
	l.signed = a.signed
	l.archival(check)
}

// active is what a PDF file holds besides pages.
type active struct {
	scripts  []string
	embedded bool
	signed   bool
}

func (a *active) look(o any, depth int) {
	if depth > pdfTree {
		return
	}
	switch o := o.(type) {
	case *pdf.Stream:
		a.embedded = a.embedded || o.Dict["Type"] == pdf.Name("EmbeddedFile")
		a.look(o.Dict, depth+1)
	case pdf.Array:
		for _, v := range o {
			a.look(v, depth+1)
		}
	case pdf.Dict:
		a.dict(o)
		for _, v := range o {
			a.look(v, depth+1)
		}
	}
}

func (a *active) dict(d pdf.Dict) {
	if _, ok := d["JS"]; ok {
		a.found("JavaScript")
	}
	switch d["S"] {
	case pdf.Name("JavaScript"), pdf.Name("Launch"), pdf.Name("Rendition"), pdf.Name("ImportData"):
		a.found(string(d["S"].(pdf.Name)))
	}
	switch d["Subtype"] {
	case pdf.Name("RichMedia"), pdf.Name("Screen"), pdf.Name("3D"):
		a.found(string(d["Subtype"].(pdf.Name)))
	}
	if d["XFA"] != nil {
		a.found("XFA")
	}
	if d["EF"] != nil {
		a.embedded = true
	}
	if d["ByteRange"] != nil || d["Type"] == pdf.Name("Sig") || d["Type"] == pdf.Name("DocTimeStamp") {
		a.signed = true
	}
}

func (a *active) found(what string) {
	if len(a.scripts) < 1000 {
		a.scripts = append(a.scripts, what)
	}
}
