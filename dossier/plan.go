package dossier

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PackageMeta is what the archive adds to a declaration.
type PackageMeta struct {
	UUID        string    // of the package
	Archive     string    // name of the archive
	Fonds       string    // fonds code; where empty, the declaration's, else the agency
	ArchiveCode string    // mã lưu trữ hồ sơ; where empty, the dossier code
	Retention   string    // 01 permanent, 02 70 years, … 06 10 years, 07 other
	Created     time.Time // stands in the metadata and as time of every file

	// Sign returns the armored detached signature over METS.xml.
	Sign func(mets []byte) ([]byte, error)

	SignatureSize int // room for the signature; 8 KiB where 0
	EventSpace    int // room for the events of Close, some 900 octets each; where 0, 8 KiB and 1 KiB for each document, up to 4 MiB
}

// A Plan is the whole layout of a package before any document arrived. It may
// be used from several goroutines.
type Plan struct {
	meta      PackageMeta
	top       string
	describer *describer
	documents []file
	fixed     []file  // metadata that depends on the declaration only, in order
	entries   []entry // of the ZIP, the last four with as much room as they may need
	directory int64   // offset of the central directory
	size      int64
}

// NewPlan lays out the package of a declaration. The declaration must not be
// changed afterwards. What would make the package unfit, a file name or a size,
// is refused with a [*ValidationError] even if Validate was not asked.
func NewPlan(d *Declaration, meta PackageMeta) (*Plan, error) {
	var c checker
	c.files(d, Limits{Declaration: 1, Document: 1<<53 - 1, Dossier: 1<<53 - 1, Documents: hardDocuments})
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := meta.complete(d); err != nil {
		return nil, fmt.Errorf("package meta: %w", err)
	}
	declaration, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	p := &Plan{meta: meta, top: "urn_" + meta.Fonds + "_uuid_" + meta.UUID}
	m := &describer{
		d: d, meta: meta, created: circularTime(meta.Created),
		objid: "urn:" + meta.Fonds + ":uuid:" + meta.UUID,
	}
	p.describer = m
	eadDocs := make([]file, len(d.Documents))
	for i, doc := range d.Documents {
		p.documents = append(p.documents, file{dataPath + doc.Name, doc.MediaType, doc.SHA256, doc.Size, nil})
		eadDocs[i] = newFile(repPath+"metadata/descriptive/EAD_doc_"+strconv.Itoa(i+1)+".xml", xmlType, m.eadDoc(i))
	}
	p.fixed = slices.Concat(
		[]file{newFile(eadPath, xmlType, m.ead())},
		eadDocs,
		[]file{
			newFile(repMETSPath, xmlType, m.repMETS(eadDocs, p.documents)),
			newFile(declarationPath, "application/json", declaration),
		})
	p.layOut()
	return p, nil
}

// complete fills in defaults and checks what ends up in names and headers.
func (m *PackageMeta) complete(d *Declaration) error {
	m.UUID = strings.ToUpper(m.UUID)
	m.Fonds = cmp.Or(m.Fonds, d.Fonds, orderSegments(clean(d.Agency)))
	m.ArchiveCode = cmp.Or(m.ArchiveCode, d.Code)
	m.SignatureSize = cmp.Or(m.SignatureSize, 8<<10)
	m.EventSpace = cmp.Or(m.EventSpace, min(8+len(d.Documents), 4<<10)<<10)
	year := m.Created.In(vietnam()).Year()
	switch {
	case !isUUID(m.UUID):
		return errors.New("not a UUID")
	case m.Archive == "":
		return errors.New("no name of the archive")
	case !isFonds(m.Fonds):
		return errors.New("fonds code is not fit for a name")
	case !slices.Contains([]string{"01", "02", "03", "04", "05", "06", "07"}, m.Retention):
		return errors.New("retention code is not one of 01 to 07")
	case year < 1980 || year > 2107:
		return errors.New("time of creation cannot be written in a ZIP")
	case m.Sign == nil:
		return errors.New("no signer")
	case min(m.SignatureSize, m.EventSpace) < 1:
		return errors.New("no room for signature or events")
	}
	return nil
}

func isUUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(s) != 36 || len(parts) != 5 {
		return false
	}
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789ABCDEF") != "" {
			return false
		}
	}
	return true
}

// layOut gives every entry its place. PREMIS.xml is planned with its room for
// events full; what it does not use becomes padding of METS.xml, so nothing
// from METS.xml.asc on ever moves.
func (p *Plan) layOut() {
	premis := file{path: premisPath, mediaType: xmlType, digest: strings.Repeat("0", 64)}
	premis.size = int64(len(p.describer.premis(p.documents, nil)) + p.meta.EventSpace)
	sums := newFile(sumsPath, "text/plain", p.sums(premis))
	mets := p.mets(premis, sums)
	for _, f := range p.documents {
		p.entries = append(p.entries, entry{name: p.top + "/" + f.path, size: f.size, streamed: true})
	}
	for _, f := range slices.Concat(p.fixed, []file{premis, sums}) {
		p.entries = append(p.entries, entry{name: p.top + "/" + f.path, size: f.size})
	}
	p.entries = append(p.entries,
		entry{name: p.top + "/" + metsPath, size: int64(len(mets))},
		entry{name: p.top + "/" + signaturePath, size: int64(p.meta.SignatureSize)})
	p.directory = place(p.entries)
	for i := range p.entries {
		// Fixed here and not by the final offset, which may be a little smaller:
		// the directory's length must not depend on the events.
		p.entries[i].far = p.entries[i].offset >= limit32
	}
	p.size = p.directory + int64(len(directory(p.entries, p.directory, newStamp(p.meta.Created))))
}

// Size returns the size of the whole ZIP.
func (p *Plan) Size() int64 { return p.size }

// Name returns the name of the top folder, urn_<fonds>_uuid_<UUID>.
func (p *Plan) Name() string { return p.top }

// Documents returns the documents with their places in the ZIP, which are known
// before their bytes are: so one can be read back before the package is whole.
func (p *Plan) Documents() []Entry {
	list := make([]Entry, len(p.documents))
	for i, f := range p.documents {
		e := &p.entries[i]
		list[i] = Entry{strings.TrimPrefix(f.path, dataPath), e.name, e.data(), f.size, f.digest, f.mediaType}
	}
	return list
}

// Writer returns a writer of the package to w, which gets exactly Size octets
// unless there is an error.
func (p *Plan) Writer(w io.Writer) *Writer {
	return &Writer{plan: p, w: w, entries: slices.Clone(p.entries)}
}

// sums returns the lines for sha256sum -c, in the order of the ZIP.
func (p *Plan) sums(premis file) []byte {
	var b strings.Builder
	for _, f := range slices.Concat(p.documents, p.fixed, []file{premis}) {
		b.WriteString(f.digest + "  " + f.path + "\n")
	}
	return []byte(b.String())
}

func (p *Plan) mets(premis, sums file) []byte {
	n := len(p.fixed)
	ead, rep, declaration := p.fixed[0], p.fixed[n-2], p.fixed[n-1]
	representation := slices.Concat([]file{rep}, p.fixed[1:n-2], p.documents)
	return p.describer.rootMETS(ead, premis, []file{declaration, sums}, representation)
}
