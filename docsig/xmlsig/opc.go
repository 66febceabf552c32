package xmlsig

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Names of ECMA-376 part 2.
const (
	nsRelationships  = "http://schemas.openxmlformats.org/package/2006/relationships"
	nsContentTypes   = "http://schemas.openxmlformats.org/package/2006/content-types"
	nsPackageSign    = "http://schemas.openxmlformats.org/package/2006/digital-signature"
	relOrigin        = nsRelationships + "/digital-signature/origin"
	relSignature     = nsRelationships + "/digital-signature/signature"
	relCertificate   = nsRelationships + "/digital-signature/certificate"
	typeRels         = "application/vnd.openxmlformats-package.relationships+xml"
	typeSignature    = "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml"
	transformRels    = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
	contentTypesPart = "/[content_types].xml"
	rootRels         = "/_rels/.rels"
)

const (
	maxParts     = 10_000
	maxDirectory = 8 << 20 // bytes of the ZIP's central directory
	maxPartXML   = 4 << 20 // of a relationships part, the content types, a signature
)

// pack is an Open Packaging Conventions package: the parts by their names in
// lower case, which is how names are compared.
type pack struct {
	src      *source
	parts    map[string]*zip.File
	names    []string // keys of parts in order
	defaults map[string]string
	override map[string]string
	rels     map[string][]relationship // by name of the relationships part
	sums     map[string][]byte         // digests already taken
}

// relationship is one entry of a relationships part.
type relationship struct {
	id, typ, target string
	external        bool
	part            string // the target's key, "" where it is external
}

// source keeps the error of reading apart from what is wrong with the bytes.
type source struct {
	r   io.ReaderAt
	err error
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 { // a directory may say anything
		return 0, io.EOF
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = fmt.Errorf("document: %w", err)
	}
	return n, err
}

// openPack reads the directory and content types of a package. Nil without an
// error is no ZIP or no package.
func openPack(ctx context.Context, r io.ReaderAt, size int64) (*pack, error) {
	p := &pack{src: &source{r: r}, parts: map[string]*zip.File{}, rels: map[string][]relationship{}, sums: map[string][]byte{}}
	if ok, err := p.directory(size); err != nil || !ok {
		return nil, cmp.Or(p.src.err, err)
	}
	z, err := zip.NewReader(p.src, size)
	if err != nil {
		return nil, p.src.err
	}
	types := slices.ContainsFunc(z.File, func(f *zip.File) bool { return "/"+strings.ToLower(f.Name) == contentTypesPart })
	if !types {
		return nil, ctx.Err()
	}
	if err := p.list(z.File); err != nil {
		return nil, err
	}
	return p, p.readTypes(ctx)
}

// directory reports whether there is a ZIP, and refuses a directory that would
// take much memory.
func (p *pack) directory(size int64) (bool, error) {
	const record, most = 22, 22 + 1<<16
	tail := make([]byte, min(size, most))
	if _, err := p.src.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	for i := len(tail) - record; i >= 0; i-- {
		if string(tail[i:i+4]) != "PK\x05\x06" || int(binary.LittleEndian.Uint16(tail[i+20:]))+i+record > len(tail) {
			continue
		}
		n, bytes := binary.LittleEndian.Uint16(tail[i+10:]), binary.LittleEndian.Uint32(tail[i+12:])
		if n > maxParts || bytes > maxDirectory {
			return true, errTooLarge
		}
		return true, nil
	}
	return false, nil
}

// list takes the entries of the ZIP. Names that two readers might understand
// differently are refused.
func (p *pack) list(files []*zip.File) error {
	for _, f := range files {
		key := "/" + strings.ToLower(f.Name)
		if strings.HasSuffix(key, "/") && f.UncompressedSize64 == 0 {
			continue
		}
		bad := strings.ContainsAny(key, "\\\x00") || path.Clean(key) != key || p.parts[key] != nil || f.Flags&1 != 0
		if bad {
			return malformed("name of a part")
		}
		if strings.Contains(key, "/[") && key != contentTypesPart {
			return unsupported("interleaved parts")
		}
		p.parts[key] = f
		p.names = append(p.names, key)
	}
	slices.Sort(p.names)
	return nil
}

// xml reads a part as XML.
func (p *pack) xml(ctx context.Context, key string) (*tree, error) {
	f := p.parts[key]
	if f == nil {
		return nil, malformed("a part is missing")
	}
	if f.UncompressedSize64 > maxPartXML {
		return nil, errTooLarge
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, p.broken(err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxPartXML+1))
	if err != nil {
		return nil, p.broken(err)
	}
	if len(b) > maxPartXML {
		return nil, errTooLarge
	}
	return read(b)
}

// broken says that a part cannot be unpacked, unless the reading failed.
func (p *pack) broken(err error) error {
	if p.src.err != nil {
		return p.src.err
	}
	if errors.Is(err, zip.ErrAlgorithm) {
		return unsupported("compression")
	}
	return malformed("a part cannot be unpacked")
}

func (p *pack) readTypes(ctx context.Context) error {
	p.defaults, p.override = map[string]string{}, map[string]string{}
	t, err := p.xml(ctx, contentTypesPart)
	if err != nil {
		return err
	}
	if !t.root().is(nsContentTypes, "Types") {
		return malformed("content types")
	}
	for _, n := range t.root().elements() {
		into, attribute := p.defaults, "Extension"
		if n.is(nsContentTypes, "Override") {
			into, attribute = p.override, "PartName"
		} else if !n.is(nsContentTypes, "Default") {
			return malformed("content types")
		}
		key, ok := n.attr(attribute)
		typ, typed := n.attr("ContentType")
		key = strings.ToLower(key)
		if _, twice := into[key]; twice || !ok || !typed {
			return malformed("content types")
		}
		into[key] = typ
	}
	return nil
}

// contentType returns the content type of a part, "" for none.
func (p *pack) contentType(key string) string {
	if t, ok := p.override[key]; ok {
		return t
	}
	return p.defaults[strings.TrimPrefix(path.Ext(key), ".")]
}

// relsOf is the name of the relationships part of a part.
func relsOf(key string) string {
	return path.Join(path.Dir(key), "_rels", path.Base(key)+".rels")
}

// isRels reports whether a name is that of a relationships part, and whose.
func isRels(key string) (source string, ok bool) {
	dir, base := path.Split(key)
	if !strings.HasSuffix(dir, "/_rels/") || !strings.HasSuffix(base, ".rels") {
		return "", false
	}
	return path.Join(path.Dir(strings.TrimSuffix(dir, "/")), strings.TrimSuffix(base, ".rels")), true
}

// relationships reads a relationships part, once; none where it does not exist.
func (p *pack) relationships(ctx context.Context, key string) ([]relationship, error) {
	if rs, ok := p.rels[key]; ok || p.parts[key] == nil {
		return rs, nil
	}
	t, err := p.xml(ctx, key)
	if err != nil {
		return nil, err
	}
	source, _ := isRels(key)
	rs, ok := readRelationships(t.root(), source)
	if !ok {
		return nil, malformed("relationships")
	}
	p.rels[key] = rs
	return rs, nil
}

// readRelationships reads the relationships of a source. What the relationships
// transform would have to keep besides them is not expected, and refused.
func readRelationships(root *node, source string) ([]relationship, bool) {
	if !root.is(nsRelationships, "Relationships") || root.prefix != "" || len(root.attrs) > 0 || !root.bare() {
		return nil, false
	}
	rs := []relationship{}
	seen := map[string]bool{}
	for _, c := range root.elements() {
		if !c.is(nsRelationships, "Relationship") || c.prefix != "" || len(c.elements()) > 0 {
			return nil, false
		}
		r, ok := readRelationship(c, source)
		if !ok || seen[r.id] {
			return nil, false
		}
		seen[r.id] = true
		rs = append(rs, r)
	}
	return rs, true
}

func readRelationship(n *node, source string) (r relationship, ok bool) {
	mode := "Internal"
	fields := map[string]*string{"Id": &r.id, "Type": &r.typ, "Target": &r.target, "TargetMode": &mode}
	for _, a := range n.attrs {
		if fields[a.local] == nil || a.space != "" {
			return r, false
		}
		*fields[a.local] = a.value
	}
	if r.external = mode == "External"; !r.external {
		r.part = targetOf(source, r.target)
	}
	return r, r.id != "" && r.typ != "" && (r.external || mode == "Internal")
}

// targetOf is the key of the part that a relationship of source leads to.
func targetOf(source, target string) string {
	to, _, _ := strings.Cut(target, "#")
	to = strings.ReplaceAll(strings.ToLower(to), "\\", "/")
	if !strings.HasPrefix(to, "/") {
		to = path.Join(path.Dir(source), to)
	}
	return path.Clean(to)
}

// canonicalRels writes the result of the relationships transform (ECMA-376
// part 2, relationships transform algorithm) in canonical form: the selected
// relationships in order of their identifiers, each with all attributes.
func canonicalRels(w io.Writer, rs []relationship) error {
	rs = slices.SortedFunc(slices.Values(rs), func(a, b relationship) int { return cmp.Compare(a.id, b.id) })
	c := &canonicaliser{w: w}
	c.put("<Relationships xmlns=\"", nsRelationships, "\">")
	for _, r := range rs {
		mode := "Internal"
		if r.external {
			mode = "External"
		}
		c.put("<Relationship Id=\"")
		c.escape(r.id, true)
		c.put("\" Target=\"")
		c.escape(r.target, true)
		c.put("\" TargetMode=\"", mode, "\" Type=\"")
		c.escape(r.typ, true)
		c.put("\"></Relationship>")
	}
	c.put("</Relationships>")
	c.flush()
	return c.err
}

// sum digests a part as it is.
func (p *pack) sum(w *work, key string, hash crypto.Hash) ([]byte, error) {
	known := hash.String() + key
	if s, ok := p.sums[known]; ok {
		return s, nil
	}
	r, err := p.parts[key].Open()
	if err != nil {
		return nil, p.broken(err)
	}
	defer r.Close()
	h := hash.New()
	if _, err := io.Copy(w.meter(h), r); err != nil {
		if errors.Is(err, errTooLarge) || w.ctx.Err() != nil {
			return nil, err
		}
		return nil, p.broken(err)
	}
	p.sums[known] = h.Sum(nil)
	return p.sums[known], nil
}
