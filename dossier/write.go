package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// A Writer writes one package. It must be used from one goroutine.
//
// A document whose bytes are not those declared is a problem: from there on
// nothing more is written, but the documents that follow are still checked, so
// that Close reports all problems at once.
type Writer struct {
	plan    *Plan
	w       io.Writer
	entries []entry // with CRCs as they become known
	next    int     // the document that must come next
	now     *document
	written int64
	err     error // of w; final

	problems problems
}

// A document hashes what passes through it.
type document struct {
	w      *Writer
	index  int
	left   int64
	digest hash.Hash
	crc    uint32
	over   bool // more came than was declared
}

// Document begins the document of that name and returns a writer for its
// bytes, good until the next call of Document or Close. Documents come in
// declared order. A write that goes beyond the declared size fails with a
// [*ValidationError], but the next document may still be begun.
func (w *Writer) Document(name string) (io.Writer, error) {
	w.finish()
	if w.err != nil {
		return nil, w.err
	}
	if w.next == len(w.plan.documents) || w.plan.documents[w.next].path != dataPath+norm.NFC.String(name) {
		return nil, errors.New("document does not come next in the declaration")
	}
	w.now = &document{w: w, index: w.next, left: w.plan.documents[w.next].size, digest: sha256.New()}
	e := &w.entries[w.next]
	w.next++
	w.put(e.header(newStamp(w.plan.meta.Created)))
	if w.err != nil {
		return nil, w.err
	}
	return w.now, nil
}

// Problems returns what was found so far; a document is known to be whole as
// soon as its last declared byte has passed.
func (w *Writer) Problems() []Problem { return w.problems.list }

// Write takes bytes of the document.
func (d *document) Write(p []byte) (int, error) {
	w := d.w
	if w.now != d {
		return 0, errors.New("document is finished")
	}
	if w.err != nil {
		return 0, w.err
	}
	if int64(len(p)) > d.left {
		if !d.over {
			d.over = true
			w.sizeMismatch(d.index)
		}
		return 0, w.problems.err()
	}
	d.digest.Write(p)
	d.crc = crc32.Update(d.crc, crc32.IEEETable, p)
	w.put(p)
	d.left -= int64(len(p))
	if d.left == 0 && len(p) > 0 {
		d.whole()
	}
	return len(p), w.err
}

func (d *document) whole() {
	w := d.w
	if hex.EncodeToString(d.digest.Sum(nil)) != w.plan.documents[d.index].digest {
		w.problems.add("document.digest_mismatch", join(index("documents", d.index), "sha256"),
			"Nội dung tệp không khớp SHA-256 đã khai; hãy kiểm tra tệp và gửi lại.",
			"The file's content is not that of the declared SHA-256; check the file and push again.")
		return
	}
	e := &w.entries[d.index]
	e.crc = d.crc
	w.put(e.descriptor())
}

func (w *Writer) sizeMismatch(i int) {
	w.problems.add("document.size_mismatch", join(index("documents", i), "size"),
		"Dung lượng tệp khác dung lượng đã khai; hãy kiểm tra tệp và gửi lại.",
		"The file's size is not the one declared; check the file and push again.")
}

// finish ends the document under way.
func (w *Writer) finish() {
	if d := w.now; d != nil && d.left > 0 && !d.over {
		w.sizeMismatch(d.index)
	}
	w.now = nil
}

// put writes to w, unless something has gone wrong before.
func (w *Writer) put(p []byte) {
	if w.err != nil || len(w.problems.list) > 0 {
		return
	}
	n, err := w.w.Write(p)
	w.written += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
}

// Close writes the metadata with the events and ends the package. It returns
// the digest of METS.xml, which together with the signature vouches for every
// file. Problems of documents are returned as a [*ValidationError]. Close does
// not close the underlying writer.
func (w *Writer) Close(events []Event) (metsDigest string, err error) {
	w.finish()
	for ; w.next < len(w.plan.documents); w.next++ {
		w.problems.add("document.absent", index("documents", w.next),
			"Chưa nhận được tệp này; hãy gửi đủ các tệp đã khai.",
			"This file has not arrived; push every file that is declared.")
	}
	if err := errors.Join(w.err, w.problems.err()); err != nil {
		return "", err
	}
	w.err = errors.New("package is closed")
	files, err := w.plan.finish(events)
	if err != nil {
		return "", err
	}
	w.err = nil
	for i, f := range files {
		w.file(&w.entries[len(w.plan.documents)+i], f)
	}
	at := place(w.entries)
	w.put(directory(w.entries, at, newStamp(w.plan.meta.Created)))
	if w.err != nil {
		return "", w.err
	}
	w.err = errors.New("package is closed")
	if w.written != w.plan.size || at != w.plan.directory {
		panic("dossier: internal error: package differs from its plan")
	}
	if w.plan.meta.Sign != nil {
		files = files[:len(files)-1]
	}
	return files[len(files)-1].digest, nil
}

func (w *Writer) file(e *entry, f file) {
	e.size, e.crc = f.size, crc32.ChecksumIEEE(f.content)
	w.put(e.header(newStamp(w.plan.meta.Created)))
	w.put(f.content)
}

// finish returns the files that follow the documents.
func (p *Plan) finish(events []Event) ([]file, error) {
	if err := checkEvents(events, p.documents); err != nil {
		return nil, err
	}
	premis, repPREMIS, err := p.fitEvents(p.describer.prepare(events))
	if err != nil {
		return nil, err
	}
	closing := p.closing(premis, repPREMIS)
	mets := &closing[len(closing)-1]
	first := len(p.documents) + len(p.fixed())
	left := int64(0)
	for i, f := range closing {
		left += p.entries[first+i].size - f.size
	}
	*mets = newFile(metsPath, mets.mediaType, pad(mets.content, int(left)))
	files := append(p.fixed(), closing...)
	if p.meta.Sign == nil {
		return files, nil
	}
	signature, err := p.meta.Sign(bytes.Clone(mets.content))
	if err != nil {
		return nil, fmt.Errorf("sign METS.xml: %w", err)
	}
	if len(signature) == 0 || len(signature) > p.meta.SignatureSize {
		return nil, fmt.Errorf("signature has %d octets; room is for 1 to %d", len(signature), p.meta.SignatureSize)
	}
	signature = append(bytes.Clone(signature), bytes.Repeat([]byte("\n"), p.meta.SignatureSize-len(signature))...)
	return append(files, newFile(signaturePath, "application/pgp-signature", signature)), nil
}

// fitEvents returns the preservation metadata within the room that was planned
// for it: details are shortened, then left out, before anything fails.
func (p *Plan) fitEvents(events []event) (premis, repPREMIS []file, err error) {
	premis, repPREMIS = p.preservation(events)
	if !p.meta.Preservation {
		return premis, repPREMIS, nil
	}
	first := len(p.documents) + len(p.fixed())
	room := p.entries[first].size + p.entries[first+2].size // PREMIS_rep1.xml, METS.xml, PREMIS.xml
	over := func() int64 { return premis[0].size + repPREMIS[0].size - room }
	for _, most := range []int{1000, 300, 100, 0} {
		if over() <= 0 {
			break
		}
		premis, repPREMIS = p.preservation(shorten(events, most))
	}
	if n := over(); n > 0 {
		return nil, nil, fmt.Errorf("events take %d octets more than the room planned for them", n)
	}
	return premis, repPREMIS, nil
}

// pad adds n octets of white space, in lines that an editor can show.
func pad(b []byte, n int) []byte {
	line := strings.Repeat(" ", 79) + "\n"
	b = slices.Grow(b, n)
	for ; n > 0; n -= len(line) {
		b = append(b, line[:min(n, len(line))]...)
	}
	return b
}
