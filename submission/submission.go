// Package submission takes a dossier in whatever form it is pushed, and turns
// it into what the one ingest path takes: a declaration, and the documents in
// its order. Forms are an E-ARK package (a ZIP as Circular 05/2025/TT-BNV lays
// it out), a bag (RFC 8493, ZIP or TAR), and a plain ZIP or TAR with
// dossier.json beside the documents; each of them as a folder too.
//
// [Open] reads every octet once and says everything that is wrong at once, in
// Vietnamese and English, before anything is ingested. What comes out
// afterwards is held to the same digests again.
//
// The package does not look into documents (package inspect does) and does not
// decide: what is doubtful, but not wrong, are [Submission.Findings], for the
// policy of package intake.
package submission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"slices"
	"time"

	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
)

// Forms of a [Submission].
const (
	EARK  = "eark"
	BagIt = "bagit"
	Plain = "plain"
)

// Agent names this package in findings.
const Agent = "luutru submission"

// Submission is a dossier that may be ingested. It is an archive.Content, and
// serves one reader.
type Submission struct {
	Form        string
	Declaration *dossier.Declaration

	files    []file // of the documents, in declared order
	findings []intake.Finding
	next     int
	current  io.Closer
}

// A file of the package that may be a document.
type file struct {
	path   string
	index  int // in the container, for the sender to find it
	size   int64
	sha256 string // as it was computed
	proved bool   // the package states a strong digest, and it fits
	open   func() (io.ReadCloser, error)
}

// Open recognises and reads a package of the given size. A fault in it gives a
// [*dossier.ValidationError] with all of them and, where the declaration could
// be read, a Submission that has it, but gives no documents, so that the refusal
// can be recorded. Any other error is that of r or ctx. Extra may complete what the form cannot carry, such as the fields of the
// procedure; where both say something, they must agree. Dates that lie in the
// future, which only the day of ingest can tell, are left to that.
func Open(ctx context.Context, r io.ReaderAt, size int64, limits dossier.Limits, extra *dossier.Declaration) (*Submission, error) {
	t, err := container.Open(r, size, bounds(limits))
	return open(ctx, t, err, source{reader: r, size: size}, limits, extra)
}

// OpenDir is [Open] for a folder. Give it the file system of an os.Root, so
// that no link leads out of it.
func OpenDir(ctx context.Context, fsys fs.FS, limits dossier.Limits, extra *dossier.Declaration) (*Submission, error) {
	t, err := container.OpenFS(fsys, bounds(limits))
	return open(ctx, t, err, source{fsys: fsys}, limits, extra)
}

// A source is what the container was read from.
type source struct {
	reader io.ReaderAt
	size   int64
	fsys   fs.FS
}

// bounds leaves the metadata some room beside the documents.
func bounds(limits dossier.Limits) container.Limits {
	var b container.Limits
	if limits.Documents > 0 {
		b.Files = 4*limits.Documents + 1000
	}
	if limits.Dossier > 0 && limits.Dossier < math.MaxInt64/2 {
		b.Total = limits.Dossier + 1<<30
	}
	return b
}

func open(ctx context.Context, t *container.Tree, err error, src source, limits dossier.Limits, extra *dossier.Declaration) (*Submission, error) {
	var format *container.Error
	if errors.As(err, &format) {
		return nil, &dossier.ValidationError{Problems: []dossier.Problem{problem(format.Fault, "")}}
	}
	if err != nil {
		return nil, err
	}
	o := &opening{ctx: ctx, tree: t, source: src, limits: limits, told: map[intake.Finding]bool{}}
	if err := o.read(extra); err != nil {
		return nil, err
	}
	o.describe(extra)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(o.problems) > 0 {
		return o.refuse(&dossier.ValidationError{Problems: o.problems})
	}
	return &Submission{Form: o.form, Declaration: o.declaration, files: o.documents, findings: o.findings}, nil
}

// refuse returns what may be known of a dossier that is not taken.
func (o *opening) refuse(err error) (*Submission, error) {
	if o.declaration == nil {
		return nil, err
	}
	return &Submission{Form: o.form, Declaration: o.declaration}, err
}

// read goes by the form.
func (o *opening) read(extra *dossier.Declaration) error {
	o.base()
	switch o.form {
	case BagIt:
		return o.readBag()
	case EARK:
		return o.readEARK()
	case Plain:
		return o.readPlain()
	}
	if extra != nil && len(o.tree.Files()) > 0 {
		o.form = Plain
		return o.readPlain()
	}
	o.faults = append(o.faults, o.tree.Faults()...)
	if clean(o.faults) { // else what tells the form may be among what is left out
		o.add("package.unrecognised", "",
			"Không nhận ra dạng gói tin: cần METS.xml (E-ARK), bagit.txt (BagIt) hoặc dossier.json trong thư mục trên cùng.",
			"The form of the package is not recognised: METS.xml (E-ARK), bagit.txt (BagIt) or dossier.json is needed in its top folder.")
	}
	o.stopped = true
	return nil
}

// base finds the form, and the folder that everything lies in.
func (o *opening) base() {
	trees := []*container.Tree{o.tree}
	if top := o.tree.Top(); top != "" {
		trees = append(trees, o.tree.Sub(top))
	}
	for i, t := range trees {
		if form := formOf(t); form != "" {
			if i > 0 {
				o.top = o.tree.Top()
			}
			o.form, o.inner = form, t
			return
		}
	}
	o.inner = trees[len(trees)-1]
}

// formOf goes by the file that each form must have in its top folder.
func formOf(t *container.Tree) string {
	switch {
	case has(t, "bagit.txt") || isBag(t) && !has(t, "METS.xml"):
		return BagIt
	case has(t, "METS.xml"):
		return EARK
	case has(t, "dossier.json") || has(t, "declaration.json"):
		return Plain
	}
	return ""
}

func has(t *container.Tree, path string) bool {
	_, ok := t.Lookup(path)
	return ok
}

// isBag tells a bag whose bagit.txt is lost.
func isBag(t *container.Tree) bool {
	return has(t, "manifest-sha256.txt") || has(t, "manifest-sha512.txt") || has(t, "manifest-md5.txt")
}

// Findings returns what was found beside faults: what passed, and what the
// policy may warn of.
func (s *Submission) Findings() []intake.Finding { return slices.Clone(s.findings) }

// Next returns the next document, in the order of the declaration, and io.EOF
// after the last. The reader, good until the next call, ends in an error, not
// in io.EOF, unless all it gave has the size and digest that Open found.
func (s *Submission) Next() (name string, r io.Reader, err error) {
	if err := s.Close(); err != nil {
		return "", nil, err
	}
	if s.next == len(s.files) {
		return "", nil, io.EOF
	}
	f := s.files[s.next]
	rc, err := f.open()
	if err != nil {
		return "", nil, fmt.Errorf("document %d: %w", s.next, err)
	}
	name = s.Declaration.Documents[s.next].Name
	s.next++
	s.current = rc
	return name, &verifier{r: rc, left: f.size, want: f.sha256, hash: sha256.New()}, nil
}

// Close lets go of the document that is being read; it is needed only by who
// stops before the end.
func (s *Submission) Close() error {
	if s.current == nil {
		return nil
	}
	err := s.current.Close()
	s.current = nil
	return err
}

// A verifier ends in an error unless the octets are those that Open saw.
type verifier struct {
	r    io.Reader
	left int64
	want string
	hash hash.Hash
	err  error
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil || len(p) == 0 {
		return 0, v.err
	}
	n, err := v.r.Read(p)
	if int64(n) > v.left {
		n, err = int(v.left), errChanged
	}
	v.left -= int64(n)
	v.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && (v.left != 0 || hex.EncodeToString(v.hash.Sum(nil)) != v.want) {
		err = errChanged
	}
	v.err = err
	return n, err
}

var errChanged = fmt.Errorf("document changed since it was checked: %w", container.ErrDamaged)

// endOfTime stands for the present where it does not matter: nothing that is
// declared lies behind it.
func endOfTime() time.Time { return time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC) }
