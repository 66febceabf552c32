// Package arch holds the import diagram of docs/design.md, as a test.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/luutru/luutru/"

// mayImport lists, for every package, the packages of this module that it may
// import. A package that is not in the table fails the test.
var mayImport = map[string][]string{
	"internal/arch":           {},
	"internal/bench":          {}, // tests only
	"internal/soak":           {}, // tests only
	"docsig/internal/testpki": {}, // for tests only
	"docsig/internal/watch":   {},
	"internal/jcs":            {},
	"internal/pdf":            {},
	"internal/extract":        {"internal/pdf"},
	"internal/sample":         {},
	"internal/filetest":       {}, // for tests only
	"store":                   {},
	"signing":                 {},
	"retention":               {},
	"agency":                  {},
	"bagit/container":         {},
	"bagit":                   {"bagit/container"},
	"dossier":                 {"agency", "internal/jcs"},
	"eark":                    {"dossier"},
	"intake":                  {"dossier"},
	"docsig/trust":            {},
	"docsig/cms":              {"docsig/trust"},
	"docsig/pades":            {"docsig/internal/watch", "docsig/trust", "docsig/cms"},
	"docsig/xmlsig":           {"docsig/trust", "docsig/cms"},
	"docsig":                  {"docsig/internal/watch", "docsig/trust", "docsig/cms", "docsig/pades", "docsig/xmlsig"},
	"inspect/ole":             {},
	"inspect/pronom":          {"inspect/ole"},
	"inspect/clamd":           {},
	"inspect/clamd/clamdtest": {"inspect/clamd"}, // for tests only
	"inspect/pdfa":            {"internal/pdf"},
	"inspect":                 {"inspect/ole", "inspect/pronom", "inspect/clamd", "inspect/pdfa", "docsig", "docsig/trust", "intake", "dossier", "internal/extract", "internal/pdf"},
	"submission":              {"dossier", "bagit", "bagit/container", "eark", "intake"},
	"conform":                 {"dossier", "bagit", "bagit/container", "eark", "intake", "inspect", "submission", "docsig/trust"},
	"staging":                 {"store"},
	"index":                   {},
	"store/storetest":         {"store"},
	"store/s3":                {"store"},
	"store/embedded":          {"store"},
	"audit":                   {"store", "internal/jcs"},
	"chain":                   {"audit", "store", "signing", "internal/jcs"},
	"life":                    {"chain", "retention"},
	"custody":                 {"life", "chain", "audit", "store", "signing", "retention"},
	"archive":                 {"agency", "bagit", "inspect", "intake", "docsig/trust", "custody", "life", "chain", "audit", "store", "signing", "retention", "dossier", "index", "internal/extract", "internal/jcs"},
	"api":                     {"archive", "staging", "submission", "intake", "custody", "life", "chain", "audit", "signing", "retention", "dossier", "index"},
	"cmd/luutru":              {"*"},
}

// importers names the one package that imports each third-party module, in
// code that is not test code.
var importers = map[string]string{
	"github.com/minio/minio-go/v7":           "store/s3",
	"github.com/versity/versitygw":           "store/embedded",
	"github.com/gofiber/fiber/v3":            "store/embedded",
	"github.com/aws/aws-sdk-go-v2":           "store/embedded",
	"golang.org/x/sys":                       "store/embedded",
	"github.com/ProtonMail/go-crypto":        "signing",
	"github.com/blevesearch/bleve/v2":        "index",
	"github.com/blevesearch/bleve_index_api": "index",
	"golang.org/x/mod":                       "audit",
	"github.com/richardlehane/siegfried":     "inspect/pronom",
	"github.com/tus/tusd/v2":                 "api",
	"golang.org/x/exp":                       "api", // tusd's handler asks for its logger
	"codeberg.org/go-pdf/fpdf":               "internal/sample",
	"github.com/go-fonts/liberation":         "internal/sample",
	"github.com/spf13/cobra":                 "cmd/luutru",
	"github.com/schollz/progressbar/v3":      "cmd/luutru",
	"golang.org/x/term":                      "cmd/luutru",
}

// shared are modules of the Go project that any package may import: text
// tables, not services.
var shared = []string{"golang.org/x/text"}

type listed struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		seen[name] = true
		may, known := mayImport[name]
		if !known {
			t.Errorf("%s is not in the diagram", name)
			continue
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module); ok {
				if !slices.Contains(may, own) && !slices.Contains(may, "*") {
					t.Errorf("%s imports %s, which the diagram forbids", name, own)
				}
				continue
			}
			thirdParty(t, name, imp)
		}
	}
	for name := range mayImport {
		if !seen[name] {
			t.Errorf("%s is in the diagram and does not exist", name)
		}
	}
}

// thirdParty fails for an import of a module outside its one importer.
func thirdParty(t *testing.T, name, imp string) {
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	for _, m := range shared {
		if strings.HasPrefix(imp, m+"/") {
			return
		}
	}
	for m, importer := range importers {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			if name != importer {
				t.Errorf("%s imports %s; only %s may", name, imp, importer)
			}
			return
		}
	}
	t.Errorf("%s imports %s, which no decision allows", name, imp)
}
