package dossier

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A Plan is the whole layout of a package before any document arrived. It may
// be used from several goroutines.
type Plan struct {
	meta      PackageMeta
	top       string
	describer *describer
	documents []file
	schemas   []file
	eadDocs   []file
	ead       file
	statement file    // declaration.json
	entries   []entry // of the ZIP, those that depend on events with as much room as they may need
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
	m := &describer{d: d, meta: meta, created: circularTime(meta.Created)}
	p := &Plan{meta: meta, describer: m, schemas: meta.schemas()}
	m.objid, p.top = meta.objid()
	xmlType := meta.mediaTypes().xml
	p.ead = newFile(eadPath, xmlType, m.ead())
	p.statement = newFile(declarationPath, "application/json", declaration)
	for i, doc := range d.Documents {
		p.documents = append(p.documents, file{dataPath + doc.Name, doc.MediaType, doc.SHA256, doc.Size, nil})
		p.eadDocs = append(p.eadDocs, newFile(repPath+"metadata/descriptive/EAD_doc_"+strconv.Itoa(i+1)+".xml", xmlType, m.eadDoc(i)))
	}
	p.layOut()
	return p, nil
}

// fixed returns the files that follow the documents and depend on the
// declaration only, in their order.
func (p *Plan) fixed() []file {
	return slices.Concat(p.schemas, []file{p.ead}, p.eadDocs, []file{p.statement})
}

// closing returns the files that depend on the events, in their order, METS.xml
// last. Without preservation metadata both arguments are empty.
func (p *Plan) closing(premis, repPREMIS []file) []file {
	xmlType := p.meta.mediaTypes().xml
	rep := newFile(repMETSPath, xmlType, p.describer.repMETS(p.eadDocs, repPREMIS, p.documents))
	files := slices.Concat(repPREMIS, []file{rep}, premis)
	sums := newFile(sumsPath, "text/plain", sumLines(p.documents, p.fixed(), files))
	mets := newFile(metsPath, xmlType, p.describer.rootMETS(contents{
		schemas: p.schemas, documentation: []file{p.statement, sums}, ead: p.ead, premis: premis,
		representation: slices.Concat([]file{rep}, p.eadDocs, repPREMIS, p.documents),
	}))
	return append(files, sums, mets)
}

// preservation returns PREMIS.xml and PREMIS_rep1.xml, or none.
func (p *Plan) preservation(events []event) (premis, repPREMIS []file) {
	if !p.meta.Preservation {
		return nil, nil
	}
	xmlType := p.meta.mediaTypes().xml
	a, b := p.describer.premisFiles(p.documents, events)
	return []file{newFile(premisPath, xmlType, a)}, []file{newFile(repPREMISPath, xmlType, b)}
}

// layOut gives every entry its place. Whatever the events turn out to be, files
// are never longer, nor begin later, than here, and METS.xml is padded so that
// nothing from METS.xml.asc on ever moves: the room for events is planned with
// the first file that depends on them.
func (p *Plan) layOut() {
	premis, rep := p.preservation(nil)
	room := int64(0)
	sizes := [2]int64{}
	if p.meta.Preservation {
		room = int64(p.meta.EventSpace)
		sizes = [2]int64{rep[0].size + room, premis[0].size}
		// METS states the sizes: no number may be longer than planned.
		premis[0].size += room
		rep[0].size += room
	}
	for _, f := range p.documents {
		p.entries = append(p.entries, entry{name: p.top + "/" + f.path, size: f.size, streamed: true})
	}
	for _, f := range slices.Concat(p.fixed(), p.closing(premis, rep)) {
		e := entry{name: p.top + "/" + f.path, size: f.size}
		switch f.path {
		case repPREMISPath:
			e.size = sizes[0]
		case premisPath:
			e.size = sizes[1]
		}
		p.entries = append(p.entries, e)
	}
	if p.meta.Sign != nil {
		p.entries = append(p.entries, entry{name: p.top + "/" + signaturePath, size: int64(p.meta.SignatureSize)})
	}
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

// Name returns the name of the top folder: urn_<fonds>_uuid_<UUID> of an AIP,
// uuid-<UUID> of another.
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

// sumLines returns the lines for sha256sum -c, in the order of the ZIP.
func sumLines(files ...[]file) []byte {
	var b strings.Builder
	for _, f := range slices.Concat(files...) {
		b.WriteString(f.digest + "  " + f.path + "\n")
	}
	return []byte(b.String())
}
