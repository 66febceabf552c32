package dossier_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

// The vendors' guide names every field that can be declared.
func TestGuideNamesEveryField(t *testing.T) {
	guide, err := os.ReadFile("../docs/vendors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{dossier.Declaration{}, dossier.Person{}, dossier.Link{}, dossier.Opinion{}, dossier.Document{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !strings.Contains(string(guide), "`"+name+"`") {
				t.Errorf("docs/vendors.md does not name %s of %T", name, v)
			}
		}
	}
}
