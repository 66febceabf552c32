package submission

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/eark"
	"github.com/luutru/luutru/intake"
)

// readEARK takes declaration and documents from an E-ARK package.
func (o *opening) readEARK() error {
	o.faults = append(o.faults, o.tree.Faults()...)
	if o.stopped = !clean(o.faults); o.stopped {
		return nil // not to be read by anybody
	}
	p, err := o.openEARK()
	if errors.Is(err, eark.ErrPackage) || errors.Is(err, errors.ErrUnsupported) {
		o.add("package.eark", "",
			"Gói E-ARK phải là một tệp ZIP hoặc một thư mục đọc được; hãy đóng gói lại.",
			"An E-ARK package must be a ZIP or a folder that can be read; pack it again.")
		o.stopped = true
		return nil
	}
	if err != nil {
		return err
	}
	d, problems := p.Declaration()
	o.declaration = d
	o.report(problems...)
	places := o.indexes()
	for _, doc := range p.Documents() {
		o.files = append(o.files, file{path: doc.Name, index: places[doc.Path], size: doc.Size, proved: doc.SHA256 != "",
			open: func() (io.ReadCloser, error) { return openDocument(p, doc.Name) }})
	}
	o.ordered = true
	report, err := p.Inspect(o.ctx, false)
	if err != nil {
		return err
	}
	o.judge(report.Violations)
	if err := o.metadata(p); err != nil {
		return err
	}
	return o.measure()
}

// metadata reads what is no document, and holds it to the digests of METS: the
// declaration is made of it.
func (o *opening) metadata(p *eark.Package) error {
	documents := map[string]bool{}
	for _, d := range p.Documents() {
		documents[d.Path] = true
	}
	ignored := 0
	for _, f := range o.inner.Files() {
		if documents[f.Path] {
			continue
		}
		if !known(f.Path) {
			ignored++
		}
		r, err := p.Open(f.Path)
		if absent(err) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, &interruptible{o.ctx, &fixity{r}})
		r.Close()
		if errors.Is(err, container.ErrDamaged) {
			o.faults = append(o.faults, damaged(f.Path))
		} else if err != nil {
			return err
		}
	}
	o.ignored(ignored)
	return nil
}

// known reports whether the archive writes a file of its own in the place of
// this one, or needs none.
func known(at string) bool {
	for _, p := range []string{"METS.xml", "metadata/", "schemas/", "documentation/declaration.json", "documentation/sha256sums.txt"} {
		if strings.HasPrefix(at, p) {
			return true
		}
	}
	return strings.HasPrefix(at, "representations/") && !strings.Contains(at, "/data/") && !strings.Contains(at, "/documentation/")
}

func clean(faults []container.Fault) bool {
	return !slices.ContainsFunc(faults, func(f container.Fault) bool { return !f.Warning })
}

func (o *opening) openEARK() (*eark.Package, error) {
	switch {
	case o.tree.Form() == container.ZIP:
		return eark.Open(o.source.reader, o.source.size)
	case o.tree.Form() == container.Folder && o.top != "":
		sub, err := fs.Sub(o.source.fsys, o.top)
		if err != nil {
			return nil, fmt.Errorf("folder: %w", err)
		}
		return eark.OpenFS(sub, o.top)
	case o.tree.Form() == container.Folder:
		return eark.OpenFS(o.source.fsys, "")
	}
	return nil, errors.ErrUnsupported
}

// openDocument turns what the package's own reader says into what is said of
// the other forms.
func openDocument(p *eark.Package, name string) (io.ReadCloser, error) {
	r, err := p.Open(name)
	if absent(err) {
		return io.NopCloser(&fixity{strings.NewReader("")}), nil
	}
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{&fixity{r}, r}, nil
}

// fixity is a reader whose eark.ErrFixity is container.ErrDamaged.
type fixity struct{ r io.Reader }

func (f *fixity) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, eark.ErrFixity) || errors.Is(err, eark.ErrPackage) {
		err = container.ErrDamaged
	}
	return n, err
}

// judge turns violations into two findings at most: the policy decides on
// them, and a seal has no room for a thousand.
func (o *opening) judge(violations []eark.Violation) {
	rules := map[eark.Level][]string{}
	for _, v := range violations {
		if !slices.Contains(rules[v.Level], v.Rule) {
			rules[v.Level] = append(rules[v.Level], v.Rule)
		}
	}
	if must := rules[eark.Must]; len(must) > 0 {
		o.find("csip.must", intake.Validation, intake.Failure, intake.Dossier, strings.Join(must, ", "))
	} else {
		o.find("csip.valid", intake.Validation, intake.Pass, intake.Dossier, "E-ARK CSIP")
	}
	if should := rules[eark.Should]; len(should) > 0 {
		o.find("csip.should", intake.Validation, intake.Warning, intake.Dossier, strings.Join(should, ", "))
	}
}
