// Package pronom identifies the format of a file by the signatures of PRONOM, the registry of file formats kept by The National
// Archives (UK), as the siegfried library carries them. It needs no network and no file beside the program.
//
// A file is looked at through its two ends, whatever its size. Of ZIP and OLE files the parts that tell a text document from a
// spreadsheet are looked into besides. Nothing in a file makes it read more than a few megabytes.
package pronom

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/richardlehane/siegfried"
	"github.com/richardlehane/siegfried/pkg/core"
	"github.com/richardlehane/siegfried/pkg/static"
)

const (
	library = "siegfried 1.11.2"

	near = 4 << 10  // of each end, which is enough for nearly every format
	far  = 64 << 10 // of each end, where the near ends tell nothing
)

// ErrSignatures says that the signatures built into the program cannot be read.
var ErrSignatures = errors.New("pronom: no signatures")

// A Format is what a file is found to be.
type Format struct {
	PUID    string // "fmt/95"; "" if no signature matches
	Name    string // "Acrobat PDF/A - Portable Document Format"
	Version string // "1a"
	MIME    string // may be empty, may be several with commas between
	Basis   string // what matched, "byte match at 0, 8"
	Sure    bool   // by its bytes, not by the ending of its name alone
}

// An Identifier holds the signatures. It may be used by many goroutines at once.
type Identifier struct {
	sf    *siegfried.Siegfried
	agent string
}

// New loads the signatures: some 10 ms and 8 MiB.
func New() (*Identifier, error) {
	sf := static.New()
	if sf == nil || len(sf.Identifiers()) == 0 {
		return nil, ErrSignatures
	}
	details := sf.Identifiers()[0][1] // "DROID_SignatureFile_V120.xml; container-signature-20240715.xml"
	details = strings.NewReplacer("DROID_SignatureFile_V", "PRONOM ", "container-signature-", "containers ", ".xml", "", ";", ",").Replace(details)
	return &Identifier{sf, library + ", " + details}, nil
}

// Agent names the library and the edition of the signatures, for PREMIS: "siegfried 1.11.2, PRONOM 120, containers 20240715".
func (i *Identifier) Agent() string { return i.agent }

// Identify tells the format of a file by its bytes; the name decides between formats that bytes do not tell apart. The middle is what
// the caller knows to matter between the two ends, such as the XMP of a PDF file; it may be nil. More than one format is a rare answer
// and means that signatures of equal rank match. None gives one Format without PUID.
//
// The caller makes sure that a ZIP or OLE file is sound: what only looks like one is identified as if it were not.
func (i *Identifier) Identify(name string, r io.ReaderAt, size int64, middle []byte) ([]Format, error) {
	if size <= 0 {
		return []Format{{}}, nil
	}
	var out []Format
	for _, edge := range []int64{near, far} {
		src, err := look(r, size, edge, middle)
		if err != nil {
			return nil, err
		}
		if out, err = i.identify(name, src); err != nil {
			return nil, err
		}
		if out[0].Sure || size <= 2*edge {
			break
		}
	}
	return out, nil
}

func (i *Identifier) identify(name string, src *source) (out []Format, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, errors.New("pronom: internal error")
		}
	}()
	// an error is of a container that cannot be opened, and what the other signatures say is returned with it
	ids, err := i.sf.Identify(src, name, "")
	if len(ids) == 0 {
		return nil, fmt.Errorf("pronom: %v", err)
	}
	for _, id := range ids {
		out = append(out, format(id))
	}
	return out, nil
}

// format takes the fields that the library keeps in a list: name space, id, format, version, mime, class, basis, warning.
func format(id core.Identification) Format {
	f := Format{PUID: id.String()}
	if v := id.Values(); len(v) > 6 {
		f.Name, f.Version, f.MIME, f.Basis = v[2], v[3], v[4], v[6]
	}
	if !id.Known() {
		return Format{}
	}
	for _, by := range []string{"byte match", "container match", "container name", "text match", "xml match", "RIFF match"} {
		f.Sure = f.Sure || strings.Contains(f.Basis, by)
	}
	return f
}
