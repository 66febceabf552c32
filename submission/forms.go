package submission

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
)

// readPlain takes dossier.json (or declaration.json) beside the documents.
func (o *opening) readPlain() error {
	o.faults = append(o.faults, o.inner.Faults()...)
	at := declarationOf(o.inner, "dossier.json", "declaration.json")
	if at != "" {
		if err := o.declare(o.inner, at); err != nil {
			return err
		}
	}
	places := o.indexes()
	for _, f := range o.inner.Files() {
		if f.Path != at {
			o.files = append(o.files, file{path: f.Path, index: places[f.Path], size: f.Size, open: f.Open})
		}
	}
	return o.measure()
}

// declarationOf returns the first of the paths that is there.
func declarationOf(t *container.Tree, paths ...string) string {
	for _, p := range paths {
		if f, ok := t.Lookup(p); ok {
			return f.Path
		}
	}
	return ""
}

// readBag takes a declaration beside the payload, where it cannot be a document,
// or in it, and documents from the payload.
func (o *opening) readBag() error {
	b, err := bagit.OpenTree(o.tree)
	if err != nil {
		return err
	}
	faults := b.Verify(o.ctx)
	if err := b.Err(); err != nil {
		return fmt.Errorf("bag: %w", err)
	}
	o.faults = append(o.faults, faults...)
	if bagit.Valid(faults) {
		o.find("bag.valid", intake.Validation, intake.Pass, intake.Dossier, "BagIt "+b.Version())
	}
	at := declarationOf(o.inner, "dossier.json", "declaration.json", "data/dossier.json", "data/declaration.json")
	if at != "" {
		if err := o.declare(o.inner, at); err != nil {
			return err
		}
	}
	o.bagFiles(b, at)
	if o.declaration != nil {
		o.compareTags(b.Info())
	}
	return nil
}

// bagFiles lists the payload; the declaration is at the path.
func (o *opening) bagFiles(b *bagit.Bag, at string) {
	places := o.indexes()
	for _, f := range b.Files() {
		if f.Path == at {
			continue
		}
		o.files = append(o.files, file{path: f.Path, index: places[f.Path], size: f.Size, sha256: b.SHA256(f.Path),
			proved: proves(f.Digests), open: func() (io.ReadCloser, error) { return b.Open(f.Path) }})
	}
	ignored := 0
	for _, f := range b.TagFiles() {
		if f.Path != at && !isManifest(f.Path) && !slices.Contains([]string{"bagit.txt", "bag-info.txt", "fetch.txt"}, f.Path) {
			ignored++
		}
	}
	o.ignored(ignored)
}

// ignored notes files that the form allows beside the documents, and that are
// not kept.
func (o *opening) ignored(n int) {
	if n > 0 {
		o.find("package.ignored", intake.Completeness, intake.Warning, intake.Dossier, fmt.Sprintf("%d files", n))
	}
}

// proves reports whether one of the digests is strong.
func proves(digests map[string]string) bool {
	for _, alg := range []string{"sha256", "sha384", "sha512"} {
		if digests[alg] != "" {
			return true
		}
	}
	return false
}

// compareTags holds the declaration to bag-info.txt, where that says something.
func (o *opening) compareTags(tags []bagit.Tag) {
	d := o.declaration
	code := func(want string) func(string) bool {
		return func(said string) bool {
			return dossier.CanonicalCode(d.Agency, said) == dossier.CanonicalCode(d.Agency, want)
		}
	}
	// Who had it from another archive finds that one's code as the external one.
	if is := code(d.Code); d.Code != "" && contradicts(tags, "External-Identifier", is) && !slices.ContainsFunc(tags, func(t bagit.Tag) bool {
		return strings.EqualFold(t.Label, "Internal-Sender-Identifier") && is(t.Value)
	}) {
		o.add("bag.identifier", "code",
			"External-Identifier trong bag-info.txt khác mã hồ sơ trong bản khai; có thể nhầm gói.",
			"External-Identifier in bag-info.txt is not the dossier code of the declaration; the bag may be another's.")
	}
	if contradicts(tags, "Source-Organization", func(name string) bool { return sameText(name, d.AgencyName) || sameText(name, d.Agency) }) {
		o.find("bag.organization", intake.Validation, intake.Warning, intake.Dossier, "Source-Organization")
	}
	if d.Group != "" && contradicts(tags, "Bag-Group-Identifier", code(d.Group)) {
		o.find("bag.group", intake.Validation, intake.Warning, intake.Dossier, "Bag-Group-Identifier")
	}
}

// contradicts reports whether the tag is there, and none of its values agrees.
func contradicts(tags []bagit.Tag, label string, agrees func(string) bool) bool {
	said := false
	for _, t := range tags {
		if !strings.EqualFold(t.Label, label) || t.Value == "" {
			continue
		}
		if agrees(t.Value) {
			return false
		}
		said = true
	}
	return said
}

func sameText(a, b string) bool {
	return b != "" && strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// mediaType goes by the ending of a name, for forms that have no place for it;
// whether the content is of that type is looked into later.
func mediaType(name string) string {
	ending := strings.ToLower(path.Ext(name))
	for _, t := range []struct{ ending, mediaType string }{
		{".pdf", "application/pdf"},
		{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{".doc", "application/msword"}, {".xls", "application/vnd.ms-excel"},
		{".odt", "application/vnd.oasis.opendocument.text"}, {".rtf", "application/rtf"},
		{".xml", "application/xml"}, {".json", "application/json"}, {".txt", "text/plain"}, {".csv", "text/csv"},
		{".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".png", "image/png"}, {".tif", "image/tiff"}, {".tiff", "image/tiff"},
		{".mp4", "video/mp4"}, {".mp3", "audio/mpeg"},
	} {
		if t.ending == ending {
			return t.mediaType
		}
	}
	return ""
}
