package submission

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/dossier"
)

// clone returns a declaration that may be completed without changing d.
func clone(d *dossier.Declaration) *dossier.Declaration {
	c := *d
	c.Documents = slices.Clone(d.Documents)
	return &c
}

// merge completes d by what extra says, and tells where they disagree.
func merge(d, extra *dossier.Declaration) []dossier.Problem {
	m := merger{}
	x := *extra
	if d.Language == "vi" || x.Language == "vi" { // what is read where nothing was said
		d.Language, x.Language = other(d.Language, x.Language), ""
	}
	documents := x.Documents
	x.Documents = nil
	m.fields(reflect.ValueOf(d).Elem(), reflect.ValueOf(&x).Elem(), "")
	m.documents(d, documents)
	return m.problems
}

func other(a, b string) string {
	if a == "vi" && b != "" {
		return b
	}
	return a
}

type merger struct {
	problems []dossier.Problem
}

func (m *merger) disagree(field string) {
	m.problems = append(m.problems, dossier.Problem{Code: "declaration.disagrees", Field: field,
		Vietnamese: "Trường này trong gói tin khác với bản khai gửi kèm; hãy sửa cho thống nhất.",
		English:    "This field in the package is not that of the declaration sent along; make them agree."})
}

// fields completes a struct, field by field. A list is taken as a whole.
func (m *merger) fields(to, from reflect.Value, path string) {
	for i := range to.NumField() {
		name, _, _ := strings.Cut(to.Type().Field(i).Tag.Get("json"), ",")
		if path != "" {
			name = path + "." + name
		}
		a, b := to.Field(i), from.Field(i)
		switch {
		case empty(b):
		case empty(a):
			a.Set(b)
		case a.Kind() == reflect.Struct:
			m.fields(a, b, name)
		case !reflect.DeepEqual(a.Interface(), b.Interface()):
			m.disagree(name)
		}
	}
}

func empty(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 }

// documents completes documents of the same name.
func (m *merger) documents(d *dossier.Declaration, extra []dossier.Document) {
	if len(d.Documents) == 0 {
		d.Documents = slices.Clone(extra)
		return
	}
	at := make(map[string]int)
	for i, doc := range d.Documents {
		at[norm.NFC.String(doc.Name)] = i
	}
	for n := range extra {
		i, ok := at[norm.NFC.String(extra[n].Name)]
		if !ok {
			m.problems = append(m.problems, dossier.Problem{Code: "document.absent", Field: fmt.Sprintf("documents[%d]", n),
				Vietnamese: "Gói tin không có tệp của tài liệu này; hãy gửi đủ tệp, đúng tên đã khai.",
				English:    "The package does not have the file of this document; send all files under their declared names."})
			continue
		}
		x := extra[n]
		x.Name = d.Documents[i].Name
		m.fields(reflect.ValueOf(&d.Documents[i]).Elem(), reflect.ValueOf(&x).Elem(), fmt.Sprintf("documents[%d]", i))
	}
}
