package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/luutru/luutru/internal/jcs"
	"golang.org/x/text/unicode/norm"
)

var (
	// ErrPackage means that the bytes are not those that were packaged: they
	// must not be used.
	ErrPackage = errors.New("package altered, or not one of this archive's form")
)

// What a reader is ready to hold in memory.
const (
	tailSize      = 128 << 10 // signature, METS and directory of a usual dossier
	maxDirectory  = 32 << 20
	maxMETS       = 64 << 20
	maxSignature  = 1 << 20
	maxMetadata   = 64 << 20
	maxDepth      = 16
	maxEntryCount = 2*hardDocuments + 32
)

// Entry is one file of a package.
type Entry struct {
	Name      string // of a document as declared; empty for other files
	Path      string // in the ZIP, with the top folder
	Offset    int64  // of the content in the ZIP
	Size      int64
	SHA256    string
	MediaType string
}

// A Package is a package opened for reading. It may be used from several
// goroutines if its reader may.
type Package struct {
	r         io.ReaderAt
	top       string
	mets      []byte
	signature []byte
	entries   []Entry
	documents int            // the first entries are the documents
	byName    map[string]int // names of documents and paths of all, which have a slash
}

// OpenPackage opens a package of the given size, which must hold the METS.xml
// of the given digest: the digest comes from outside, from the seal, and what
// METS.xml says of the other files is what they are held to. It reads the tail
// only, for a usual dossier at once. Errors of r are returned as they are,
// everything else wraps [ErrPackage].
func OpenPackage(r io.ReaderAt, size int64, metsDigest string) (*Package, error) {
	if !isDigest(metsDigest) {
		return nil, errors.New("digest of METS.xml: not a SHA-256 in lower-case hexadecimal")
	}
	t, err := newTail(r, size)
	if err != nil {
		return nil, err
	}
	entries, err := t.directory()
	if err != nil {
		return nil, err
	}
	p := &Package{r: t}
	if err := p.readEnds(entries, metsDigest); err != nil {
		return nil, err
	}
	refs, err := parseMETS(p.mets, p.top)
	if err != nil {
		return nil, err
	}
	if err := p.match(entries, refs); err != nil {
		return nil, err
	}
	return p, nil
}

// A tail is a reader that holds its last octets.
type tail struct {
	r    io.ReaderAt
	at   int64
	last []byte
}

func newTail(r io.ReaderAt, size int64) (*tail, error) {
	n := min(size, tailSize)
	if n < lenEnd {
		return nil, broken("too short")
	}
	t := &tail{r, size - n, make([]byte, n)}
	return t, readAt(r, t.last, t.at)
}

// ReadAt reads held octets from memory.
func (t *tail) ReadAt(p []byte, off int64) (int, error) {
	if off < t.at {
		return t.r.ReadAt(p, off)
	}
	return bytes.NewReader(t.last).ReadAt(p, off-t.at)
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return broken("shorter than it should be")
	}
	return err
}

func (t *tail) directory() ([]entry, error) {
	e, err := parseEnd(t.last, t.at+int64(len(t.last)))
	if err != nil {
		return nil, broken(err.Error())
	}
	if e.size > maxDirectory || e.count > maxEntryCount || e.count < 3 {
		return nil, broken("directory has no plausible size")
	}
	dir := make([]byte, e.size)
	if err := readAt(t, dir, e.at); err != nil {
		return nil, err
	}
	entries, err := parseDirectory(dir, e.at, e.count)
	if err != nil {
		return nil, broken(err.Error())
	}
	return entries, nil
}

// readEnds reads the last two entries, METS.xml and its signature.
func (p *Package) readEnds(entries []entry, metsDigest string) error {
	mets, signature := &entries[len(entries)-2], &entries[len(entries)-1]
	top, ok := strings.CutSuffix(signature.name, "/"+signaturePath)
	if !ok || top == "" || strings.ContainsAny(top, `/\`) || mets.name != top+"/"+metsPath {
		return broken("METS.xml and its signature are not last")
	}
	if mets.size > maxMETS || signature.size > maxSignature {
		return broken("METS.xml or its signature has no plausible size")
	}
	p.top = top
	p.mets, p.signature = make([]byte, mets.size), make([]byte, signature.size)
	if err := readAt(p.r, p.mets, mets.data()); err != nil {
		return err
	}
	if sum := sha256.Sum256(p.mets); hex.EncodeToString(sum[:]) != metsDigest {
		return broken("METS.xml is not the one that was sealed")
	}
	return readAt(p.r, p.signature, signature.data())
}

// match holds the directory to METS: the same files, of the same sizes.
func (p *Package) match(entries []entry, refs map[string]file) error {
	if len(refs) != len(entries)-2 {
		return broken("METS.xml lists other files than the ZIP holds")
	}
	for _, e := range entries[:len(entries)-2] {
		path, ok := strings.CutPrefix(e.name, p.top+"/")
		ref, known := refs[path]
		if !ok || !known || ref.size != e.size {
			return broken("METS.xml and ZIP differ about a file")
		}
		delete(refs, path) // a name serves once
		name, isDocument := strings.CutPrefix(path, dataPath)
		if isDocument {
			if p.documents != len(p.entries) {
				return broken("documents are not first")
			}
			p.documents++
		}
		if !isDocument {
			name = ""
		}
		p.entries = append(p.entries, Entry{name, e.name, e.data(), e.size, ref.digest, ref.mediaType})
	}
	for _, e := range entries[len(entries)-2:] {
		content, mediaType := p.mets, xmlType
		if strings.HasSuffix(e.name, signaturePath) {
			content, mediaType = p.signature, "application/pgp-signature"
		}
		f := newFile(e.name, mediaType, content)
		p.entries = append(p.entries, Entry{"", e.name, e.data(), f.size, f.digest, f.mediaType})
	}
	p.byName = make(map[string]int)
	for i, e := range p.entries {
		p.byName[e.Path] = i
		if e.Name != "" {
			p.byName[e.Name] = i
		}
	}
	return nil
}

// Name returns the name of the top folder, urn_<fonds>_uuid_<UUID>.
func (p *Package) Name() string { return p.top }

// METS returns the bytes of METS.xml, padding and all: what the signature
// covers.
func (p *Package) METS() []byte { return bytes.Clone(p.mets) }

// Signature returns the armored signature over METS.xml without its padding. It
// has not been verified.
func (p *Package) Signature() []byte {
	return append(bytes.TrimRight(bytes.Clone(p.signature), "\n"), '\n')
}

// Documents returns the documents in declared order.
func (p *Package) Documents() []Entry { return slices.Clone(p.entries[:p.documents]) }

// Entries returns all files in the order of the ZIP.
func (p *Package) Entries() []Entry { return slices.Clone(p.entries) }

// Entry returns the document of that name or the file of that path in the ZIP;
// the error wraps [fs.ErrNotExist] where there is none.
func (p *Package) Entry(name string) (Entry, error) {
	if i, ok := p.byName[norm.NFC.String(name)]; ok {
		return p.entries[i], nil
	}
	return Entry{}, fmt.Errorf("file of the package: %w", fs.ErrNotExist)
}

// Verify returns a reader of the content of the named document or file that
// was got from r, wherever the caller got it. The last bytes are released, and
// io.EOF comes, only if size and digest are those of METS.xml; else the error
// wraps [ErrPackage], and what passed before must not be used.
func (p *Package) Verify(name string, r io.Reader) io.Reader {
	e, err := p.Entry(name)
	return &verifier{r: r, left: e.Size, want: e.SHA256, digest: sha256.New(), err: err}
}

type verifier struct {
	r      io.Reader
	left   int64
	want   string
	digest hash.Hash
	err    error
}

// Read implements io.Reader.
func (v *verifier) Read(b []byte) (int, error) {
	if v.err != nil || len(b) == 0 {
		return 0, v.err
	}
	n, err := v.r.Read(b)
	v.err = err
	v.digest.Write(b[:n])
	before := v.left
	v.left -= int64(n)
	switch {
	case v.left < 0:
		v.err = broken("file is longer than it should be")
		return 0, v.err
	case v.left > 0 && err == io.EOF:
		v.err = broken("file is shorter than it should be")
		return 0, v.err
	case v.left == 0 && before > 0 && hex.EncodeToString(v.digest.Sum(nil)) != v.want:
		v.err = broken("file has not the digest it should have")
		return 0, v.err
	}
	return n, v.err
}

// ReadFile returns the verified content of a metadata file or a small document,
// up to 64 MiB.
func (p *Package) ReadFile(name string) ([]byte, error) {
	e, err := p.Entry(name)
	if err != nil {
		return nil, err
	}
	if e.Size > maxMetadata {
		return nil, errors.New("file of the package is too large to be held in memory")
	}
	b := make([]byte, e.Size)
	if err := readAt(p.r, b, e.Offset); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, broken("file has not the digest it should have")
	}
	return b, nil
}

// Declaration returns the declaration as it was accepted.
func (p *Package) Declaration() (*Declaration, error) {
	b, err := p.ReadFile(p.top + "/" + declarationPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, broken("no declaration")
	}
	if err != nil {
		return nil, err
	}
	d := new(Declaration)
	if err := jcs.Unmarshal(b, d); err != nil {
		return nil, broken("declaration cannot be read")
	}
	same := slices.EqualFunc(d.Documents, p.entries[:p.documents], func(doc Document, e Entry) bool {
		return doc.Name == e.Name && doc.Size == e.Size && doc.SHA256 == e.SHA256
	})
	if !same {
		return nil, broken("declaration and METS.xml differ about the documents")
	}
	return d, nil
}

// parseMETS returns what METS.xml says of each file, by path from the top
// folder.
func parseMETS(mets []byte, top string) (map[string]file, error) {
	m := metsParser{top: top, refs: make(map[string]file)}
	dec := xml.NewDecoder(bytes.NewReader(mets))
	for depth := 0; ; {
		token, err := dec.Token()
		if err == io.EOF && depth == 0 && len(m.refs) > 0 {
			return m.refs, nil
		}
		if err != nil {
			return nil, broken("METS.xml cannot be read")
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, broken("METS.xml has a document type")
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth++; depth > maxDepth || t.Name.Space != metsNS {
				return nil, broken("METS.xml has a form of its own")
			}
			if err := m.element(t); err != nil {
				return nil, err
			}
		}
	}
}

type metsParser struct {
	top  string
	refs map[string]file
	now  file // the mets:file around the FLocat
}

func (m *metsParser) element(t xml.StartElement) (err error) {
	switch t.Name.Local {
	case "mets":
		if strings.ReplaceAll(attribute(t, "", "OBJID"), ":", "_") != m.top {
			return broken("METS.xml is of another package")
		}
	case "file":
		m.now, err = metsFile(t)
	case "FLocat":
		return addRef(m.refs, m.now, t)
	case "mdRef":
		f, err := metsFile(t)
		if err != nil {
			return err
		}
		return addRef(m.refs, f, t)
	}
	return err
}

func metsFile(t xml.StartElement) (file, error) {
	size, err := strconv.ParseInt(attribute(t, "", "SIZE"), 10, 64)
	f := file{mediaType: attribute(t, "", "MIMETYPE"), digest: attribute(t, "", "CHECKSUM"), size: size}
	if err != nil || size < 0 || !isDigest(f.digest) || attribute(t, "", "CHECKSUMTYPE") != "SHA-256" {
		return file{}, broken("METS.xml lists a file without size and SHA-256")
	}
	return f, nil
}

func addRef(refs map[string]file, f file, t xml.StartElement) error {
	path, err := url.PathUnescape(attribute(t, xlinkNS, "href"))
	if _, twice := refs[path]; err != nil || twice || path == "" || f.digest == "" {
		return broken("METS.xml lists a file twice or without a path")
	}
	refs[path] = f
	return nil
}

func attribute(t xml.StartElement, space, local string) string {
	for _, a := range t.Attr {
		if a.Name.Space == space && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

func broken(what string) error { return fmt.Errorf("%s: %w", what, ErrPackage) }
