package conform

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/submission"
)

// A refused package is one that submission does not open. Its documents are
// looked into all the same, as far as they can be found: a vendor wants to know
// everything at once.
type refused struct {
	declaration *dossier.Declaration
	open        func(name string) (io.ReadCloser, error)
}

// salvage finds declaration and documents of a refused package; nil where there
// is no declaration that can be read at all.
func (c *check) salvage() *refused {
	if c.result.Form == submission.EARK {
		p := c.eark()
		if p == nil {
			return nil
		}
		d, _ := p.Declaration()
		return &refused{d, p.Open}
	}
	t := c.tree()
	if t == nil {
		return nil
	}
	for _, at := range []string{"dossier.json", "declaration.json", "data/dossier.json", "data/declaration.json"} {
		b, err := t.ReadFile(at, 64<<20)
		if err != nil {
			continue
		}
		d, _ := dossier.ParseDeclaration(bytes.NewReader(b), c.kit.config.Limits)
		if d == nil {
			return nil
		}
		return &refused{d, func(name string) (io.ReadCloser, error) {
			rc, err := t.Open(name)
			if errors.Is(err, fs.ErrNotExist) {
				rc, err = t.Open("data/" + name)
			}
			return rc, err
		}}
	}
	return nil
}

// tree opens the package as a container, at its top folder.
func (c *check) tree() *container.Tree {
	var t *container.Tree
	var err error
	if c.src.R != nil {
		t, err = container.Open(c.src.R, c.src.Size, container.Limits{})
	} else {
		t, err = container.OpenFS(c.src.FS, container.Limits{})
	}
	if err != nil {
		return nil
	}
	if top := t.Top(); top != "" {
		return t.Sub(top)
	}
	return t
}

// refusedDossier asks of a refused package what can be asked of it: completeness
// and the content of documents that are there. Documents that cannot be read have
// been told of already.
func (c *check) refusedDossier(s *submission.Submission) error {
	r := c.salvage()
	if r == nil || r.declaration == nil {
		return nil
	}
	if s != nil && s.Declaration != nil { // completed from the files
		r.declaration = s.Declaration
	}
	now := c.kit.config.Now()
	for _, p := range r.declaration.Validate(now, c.kit.config.Limits) {
		c.found(p.Code, Fail, p.Field, p.Vietnamese, p.English)
	}
	c.findings(c.kit.config.Policy.Declared(r.declaration, now))
	if c.kit.config.Inspector == nil {
		return nil
	}
	for n, doc := range r.declaration.Documents {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rc, err := r.open(doc.Name)
		if err != nil {
			continue
		}
		found, err := c.document(r.declaration, n, rc)
		rc.Close()
		if err == nil {
			c.findings(found)
		}
	}
	return nil
}
