package bagit

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/bagit/container"
)

var (
	// ErrName means that a name cannot stand in a bag, or stands in it already.
	ErrName = errors.New("name is not fit for a bag")
	// ErrContent means that the octets written are not those announced.
	ErrContent = errors.New("content is not what was announced")
)

// Options describe a bag to be written.
type Options struct {
	Form string    // container.ZIP or container.TAR
	Name string    // of the top folder
	Info []Tag     // of bag-info.txt; Bagging-Date and Payload-Oxum are added
	Time time.Time // of bagging
}

// Payload announces one file of the payload.
type Payload struct {
	Path   string // under data/, with slashes
	Size   int64  // octets
	SHA256 string // where it is known: what is written must have it
}

// Writer streams a bag of version 1.0 with manifests in SHA-256 and SHA-512:
// the one that the archive goes by, and the one that RFC 8493 §2.4 recommends.
// After an error the bag is of no use.
type Writer struct {
	form    string
	top     string
	time    time.Time
	info    []Tag
	zip     *zip.Writer
	tar     *tar.Writer
	taken   map[string]bool
	payload []written
	tags    []written
	open    *part
	err     error
}

type written struct {
	path           string
	sha256, sha512 string
	size           int64
}

// NewWriter begins a bag. Nothing is written to w but in order.
func NewWriter(w io.Writer, o Options) (*Writer, error) {
	if _, bad := container.CheckPath(o.Name); bad || strings.Contains(o.Name, "/") {
		return nil, fmt.Errorf("top folder: %w", ErrName)
	}
	b := &Writer{form: o.Form, top: o.Name + "/", time: o.Time, info: slices.Clone(o.Info), taken: map[string]bool{}}
	for _, t := range o.Info {
		if !fitTag(t) {
			return nil, fmt.Errorf("tag: %w", ErrName)
		}
	}
	switch o.Form {
	case container.ZIP:
		b.zip = zip.NewWriter(w)
	case container.TAR:
		b.tar = tar.NewWriter(w)
	default:
		return nil, fmt.Errorf("form %q: %w", o.Form, errors.ErrUnsupported)
	}
	return b, b.Tag(nameDeclaration, []byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"))
}

// fitTag holds a tag to one line, and a label to what divides it (§2.2.2).
func fitTag(t Tag) bool {
	return t.Label != "" && strings.TrimSpace(t.Label) == t.Label && !strings.ContainsAny(t.Label, ":\r\n") &&
		!strings.ContainsAny(t.Value, "\r\n") && !strings.EqualFold(t.Label, "Payload-Oxum") && !strings.EqualFold(t.Label, "Bagging-Date")
}

// Create begins the next file of the payload, whose content is written to the
// writer returned before the next call. That too many octets were written is
// told at once; that they are too few, or others, by the next call.
func (b *Writer) Create(p Payload) (io.Writer, error) {
	if p.Size < 0 {
		return nil, b.fail(fmt.Errorf("size: %w", ErrContent))
	}
	return b.begin(payloadFolder+p.Path, p.Size, p.SHA256)
}

// Tag writes a file beside the payload.
func (b *Writer) Tag(path string, content []byte) error {
	_, _, isManifest := manifestName(path)
	if strings.HasPrefix(path, payloadFolder) || isManifest || path == nameFetch {
		return b.fail(fmt.Errorf("tag file: %w", ErrName))
	}
	return b.tag(path, content)
}

func (b *Writer) tag(path string, content []byte) error {
	w, err := b.begin(path, int64(len(content)), "")
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return b.finish()
}

func (b *Writer) fail(err error) error {
	b.err = cmp.Or(b.err, err)
	return b.err
}

// begin writes the header of a file.
func (b *Writer) begin(path string, size int64, sum string) (io.Writer, error) {
	if err := b.finish(); err != nil {
		return nil, err
	}
	if _, bad := container.CheckPath(path); bad || b.taken[path] {
		return nil, b.fail(fmt.Errorf("file: %w", ErrName))
	}
	b.taken[path] = true
	var w io.Writer
	var err error
	if b.zip != nil {
		h := &zip.FileHeader{Name: b.top + path, Method: zip.Store, Modified: b.time}
		h.SetMode(0o644)
		w, err = b.zip.CreateHeader(h)
	} else {
		w = b.tar
		err = b.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: b.top + path, Size: size, Mode: 0o644,
			ModTime: b.time.Truncate(time.Second), Format: tar.FormatPAX})
	}
	if err != nil {
		return nil, b.fail(fmt.Errorf("file: %w", err))
	}
	b.open = &part{b: b, w: w, path: path, left: size, size: size, want: sum, sha256: sha256.New(), sha512: sha512.New()}
	return b.open, nil
}

// A part is the file that is being written.
type part struct {
	b              *Writer
	w              io.Writer
	path           string
	size, left     int64
	want           string
	sha256, sha512 hash.Hash
}

func (p *part) Write(c []byte) (int, error) {
	if p.b.open != p || p.b.err != nil {
		return 0, p.b.fail(fmt.Errorf("file is finished: %w", ErrContent))
	}
	if int64(len(c)) > p.left {
		return 0, p.b.fail(fmt.Errorf("file is longer: %w", ErrContent))
	}
	p.left -= int64(len(c))
	p.sha256.Write(c)
	p.sha512.Write(c)
	n, err := p.w.Write(c)
	if err != nil {
		return n, p.b.fail(fmt.Errorf("bag: %w", err))
	}
	return n, nil
}

// finish closes the file that is being written.
func (b *Writer) finish() error {
	p := b.open
	if p == nil || b.err != nil {
		return b.err
	}
	b.open = nil
	w := written{path: p.path, size: p.size, sha256: hex.EncodeToString(p.sha256.Sum(nil)), sha512: hex.EncodeToString(p.sha512.Sum(nil))}
	if p.left != 0 || p.want != "" && p.want != w.sha256 {
		return b.fail(fmt.Errorf("file: %w", ErrContent))
	}
	if strings.HasPrefix(p.path, payloadFolder) {
		b.payload = append(b.payload, w)
	} else {
		b.tags = append(b.tags, w)
	}
	return nil
}

// Close writes bag-info.txt, the manifests and the end. Without it there is no
// bag.
func (b *Writer) Close() error {
	if err := b.finish(); err != nil {
		return err
	}
	if len(b.payload) == 0 {
		return b.fail(fmt.Errorf("no payload: %w", ErrContent))
	}
	for _, f := range []struct {
		name    string
		content func() []byte
	}{
		{"bag-info.txt", b.bagInfo},
		{"manifest-sha256.txt", func() []byte { return lines(b.payload, "sha256") }},
		{"manifest-sha512.txt", func() []byte { return lines(b.payload, "sha512") }},
	} {
		if err := b.tag(f.name, f.content()); err != nil {
			return err
		}
	}
	tags := slices.Clone(b.tags)
	for _, alg := range []string{"sha256", "sha512"} {
		if err := b.tag("tagmanifest-"+alg+".txt", lines(tags, alg)); err != nil {
			return err
		}
	}
	var err error
	if b.zip != nil {
		err = b.zip.Close()
	} else {
		err = b.tar.Close()
	}
	if err != nil {
		return b.fail(fmt.Errorf("bag: %w", err))
	}
	b.err = fmt.Errorf("bag is closed: %w", ErrContent)
	return nil
}

func (b *Writer) bagInfo() []byte {
	var octets int64
	for _, p := range b.payload {
		octets += p.size
	}
	var out bytes.Buffer
	for _, t := range append(b.info, Tag{"Bagging-Date", b.time.Format("2006-01-02")}, Tag{"Payload-Oxum", fmt.Sprintf("%d.%d", octets, len(b.payload))}) {
		fmt.Fprintf(&out, "%s: %s\n", t.Label, t.Value)
	}
	return out.Bytes()
}

func lines(files []written, alg string) []byte {
	var out bytes.Buffer
	for _, f := range files {
		sum := f.sha256
		if alg == "sha512" {
			sum = f.sha512
		}
		fmt.Fprintf(&out, "%s  %s\n", sum, escape(f.path))
	}
	return out.Bytes()
}
