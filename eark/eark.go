// Package eark reads information packages in the layout of the E-ARK Common
// Specification (CSIP 2.x, with its profiles SIP, AIP and DIP), as Circular
// 05/2025/TT-BNV asks for them, and says which requirements they miss.
//
// It reads the packages of this archive and those of other systems: the names
// of folders and files may differ, METS may stand at the root alone or in every
// representation. [Package.Check] answers with every requirement that is not
// met, by its number in the specification; [Package.Declaration] turns the
// metadata into the declaration of a dossier; [Package.Open] streams a document
// and holds it to size and digest before the end of file is told.
//
// Every byte is hostile. A ZIP may not hold links, names that leave the folder,
// entries that overlap, or more than it says; XML may not have a document type,
// and has limits on size, depth and number of elements. Memory is bounded by the
// size of all METS files (64 MiB), not by that of the documents.
//
// The package does not verify signatures and does not look into documents.
package eark

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/dossier"
)

var (
	// ErrPackage means that the bytes cannot be read as a package: not a ZIP,
	// or one that nobody should unpack.
	ErrPackage = errors.New("not a readable information package")

	// ErrFixity means that a file has not the size or the digest that METS
	// states: what was read of it must not be used.
	ErrFixity = errors.New("file differs from what METS states")
)

// Level is how binding a requirement is (RFC 2119).
type Level string

// Levels. A package that misses a MUST is invalid.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Violation is one requirement that is not met at one place. The texts say what
// is asked for and repeat no value from the package; Path may hold names of files.
type Violation struct {
	Rule       string `json:"rule"` // CSIP12, CSIPSTR4, SIP4, TT05-EAD
	Level      Level  `json:"level"`
	Path       string `json:"path"` // of a file in the package, or METS file and element
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

// Report is the outcome of a check.
type Report struct {
	Violations []Violation    // of MUST first, at most 1000
	Asked      map[string]int // how often a rule was asked; one that is missing did not apply
	More       int            // violations beyond those listed

	musts int // violations of a MUST, listed or not
}

// Valid reports whether every MUST is met.
func (r *Report) Valid() bool {
	return r.musts == 0
}

// Document is a file of a representation's data.
type Document struct {
	Name      string // as in the declaration: the last part of the path, or all of it below data/ where two share it
	Path      string // in the package, without the top folder
	Size      int64
	SHA256    string // as METS states it; empty where it states another digest or none
	MediaType string
}

// Package is a package opened for reading. It may be used from several
// goroutines if its reader may.
type Package struct {
	files     source
	name      string // of the top folder; empty where there is none
	loose     bool   // no single top folder
	root      *mets  // nil where METS.xml is missing or cannot be read
	reps      []*mets
	broken    []Violation // found while opening
	documents []Document
	byName    map[string]int     // of documents
	stated    map[string]*stated // what METS states, by path
	declared  *dossier.Declaration
	misread   []dossier.Problem // of the declaration
	left      allowance         // for METS
	leftMETS  int64             // octets

	// Now is the present, for times that cannot lie in the future; where it is
	// zero, they are not asked.
	Now time.Time
}

// Open opens a package in a ZIP of the given size. An error wraps [ErrPackage],
// or is one of r. A package without METS.xml, or with one that cannot be read,
// is opened: [Package.Check] tells.
func Open(r io.ReaderAt, size int64) (*Package, error) {
	z, err := openZIP(r, size)
	if err != nil {
		return nil, err
	}
	name, loose := z.strip()
	return newPackage(z, name, loose)
}

// OpenFS opens a package that is unpacked: fsys is its folder, name the folder's
// name. Links are refused like in a ZIP.
func OpenFS(fsys fs.FS, name string) (*Package, error) {
	s, err := openFolder(fsys)
	if err != nil {
		return nil, err
	}
	return newPackage(s, name, false)
}

func newPackage(s source, name string, loose bool) (*Package, error) {
	p := &Package{files: s, name: name, loose: loose, left: allowance{maxNodes, maxAttrs}, leftMETS: maxMETS}
	if err := p.readMETS(); err != nil {
		return nil, err
	}
	p.state()
	if err := p.readDeclaration(); err != nil {
		return nil, err
	}
	p.listDocuments()
	return p, nil
}

// Name returns the name of the top folder; empty where there is none.
func (p *Package) Name() string { return p.name }

// ID returns the identifier of the package (mets/@OBJID).
func (p *Package) ID() string { return p.root.attr("OBJID") }

// Kind returns SIP, AIP, DIP or what else METS states; empty where it does not.
func (p *Package) Kind() string { return p.root.header().attr("csip:OAISPACKAGETYPE") }

// Documents returns the documents in the order of the declaration where the
// package holds one, else in that of METS.
func (p *Package) Documents() []Document { return slices.Clone(p.documents) }

// Open returns a reader of a document, by its name, or of another file of the
// package, by its path. The last bytes are released, and io.EOF comes, only if
// size and digest are those of METS; else the error wraps [ErrFixity], and what
// passed before must not be used. Where METS says nothing of a file, its size in
// the ZIP is all that it is held to. Absence wraps [fs.ErrNotExist].
func (p *Package) Open(name string) (io.ReadCloser, error) {
	at := name
	if i, ok := p.byName[name]; ok {
		at = p.documents[i].Path
	}
	f, ok := p.files.stat(at)
	if !ok {
		return nil, fmt.Errorf("file of the package: %w", fs.ErrNotExist)
	}
	rc, err := p.files.open(at)
	if err != nil {
		return nil, err
	}
	return newVerifier(rc, f.size, p.stated[at]), nil
}

// readFile returns a small file, or an error where it is larger than most.
func (p *Package) readFile(at string, most int64) ([]byte, error) {
	f, ok := p.files.stat(at)
	if !ok {
		return nil, fmt.Errorf("file of the package: %w", fs.ErrNotExist)
	}
	if f.size > most {
		return nil, fmt.Errorf("file is larger than %d octets: %w", most, ErrPackage)
	}
	rc, err := p.files.open(at)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	b, err := io.ReadAll(io.LimitReader(rc, most+1))
	if err == nil && int64(len(b)) != f.size {
		err = fmt.Errorf("file has not the size it should have: %w", ErrPackage)
	}
	return b, err
}

const (
	metsName  = "METS.xml"
	repFolder = "representations/"
	maxMETS   = 64 << 20 // of all METS files together
	maxReps   = 100

	declarationPath = "documentation/declaration.json"
)

// readMETS reads METS.xml of the package and of its representations: those that
// the structural map points to and those that lie where they should.
func (p *Package) readMETS() error {
	var err error
	if p.root, err = p.parse(metsName); err != nil {
		return err
	}
	paths := p.pointers()
	for _, f := range p.files.list() {
		dir, ok := strings.CutSuffix(f.path, "/"+metsName)
		if ok && path.Dir(dir)+"/" == repFolder && len(paths) <= maxReps && !slices.Contains(paths, f.path) {
			paths = append(paths, f.path)
		}
	}
	if len(paths) > maxReps {
		return unfit("more than %d representations", maxReps)
	}
	for _, at := range paths {
		m, err := p.parse(at)
		if err != nil {
			return err
		}
		if m != nil {
			p.reps = append(p.reps, m)
		}
	}
	return nil
}

// pointers returns the paths of mets/structMap//mptr that exist.
func (p *Package) pointers() (paths []string) {
	for _, n := range p.root.find("mptr") {
		if at, ok := p.resolve(p.root, n.attr("xlink:href")); ok && at != metsName && !slices.Contains(paths, at) {
			if paths = append(paths, at); len(paths) > maxReps {
				break
			}
		}
	}
	return paths
}

// parse reads one METS file. One that cannot be read is a violation, not an
// error.
func (p *Package) parse(at string) (*mets, error) {
	f, ok := p.files.stat(at)
	if !ok {
		return nil, nil
	}
	if p.leftMETS -= f.size; p.leftMETS < 0 {
		p.unreadable(at)
		return nil, nil
	}
	rc, err := p.files.open(at)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	n, err := parseXML(rc, true, &p.left)
	switch {
	case errors.Is(err, errXML) || errors.Is(err, ErrPackage), err == nil && n.name != "mets":
		p.unreadable(at)
		return nil, nil
	case err != nil:
		return nil, err
	}
	return newMETS(n, at), nil
}

func (p *Package) unreadable(at string) {
	rule := "CSIPSTR4"
	if at != metsName {
		rule = "CSIPSTR12"
	}
	p.broken = append(p.broken, Violation{rule, Must, at,
		"Tệp METS.xml không đọc được: phải là XML đúng cú pháp, mã UTF-8, không có DOCTYPE, gốc là mets:mets, không quá 64 MiB; hãy tạo lại tệp.",
		"METS.xml cannot be read: it must be well-formed XML in UTF-8 without DOCTYPE, with the root mets:mets, of at most 64 MiB; write it anew."})
}

// dirOf returns the folder of a path with its slash, or "".
func dirOf(at string) string {
	if i := strings.LastIndexByte(at, '/'); i >= 0 {
		return at[:i+1]
	}
	return ""
}
