// Package xmlsig verifies signatures in XML documents (XML Signature 1.1, XAdES
// of ETSI EN 319 132-1) and in Office documents (ECMA-376 part 2, Open Packaging
// Conventions).
//
// A signature is valid here only if all of this holds: every ds:Reference, and
// every one of a signed ds:Manifest, has the right digest; the signature value
// verifies under the key of a certificate that is believed; the XAdES
// properties, where there are any, are signed and name that certificate; and
// nothing stands in the document that a reader may take for signed and is not.
// Whole says that all content is covered. A valid signature that is not whole
// leaves only a frame uncovered: an empty root element, or the properties of an
// Office file; Detail names it.
//
// What is not understood is indeterminate, never valid: transforms other than
// enveloped signature, canonicalisation, base64 and the XPath that leaves out
// signatures; document type declarations; secret-key methods; references to
// outside the document. Nothing is fetched, and memory and time are bounded
// whatever the document says.
package xmlsig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

const (
	maxSignatures = 64        // of one document
	maxDigested   = 512 << 20 // bytes digested for one XML document
)

// Verify finds the signatures in an XML document of size bytes and verifies
// them at the time now. The result is in document order, nil for a document
// without a signature. A document that cannot be verified as a whole (broken,
// too large, with a document type) gives one result that says why. The error is
// that of reading r or of ctx.
func Verify(ctx context.Context, r io.ReaderAt, size int64, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	b, signed, err := load(ctx, r, size)
	if err != nil || !signed {
		return nil, err
	}
	t, err := read(b)
	if b == nil {
		err = errTooLarge
	}
	if err != nil {
		f, err := asFault(err)
		return refuse("XMLDSig", f), err
	}
	w := &work{ctx: ctx, left: maxDigested}
	return w.all(t, a, now)
}

// refuse is the result for a document of which nothing can be verified.
func refuse(form string, f *fault) []trust.Signature {
	if f == nil {
		return nil
	}
	res := trust.Signature{Form: form, Revocation: trust.Unknown}
	res.Fail(f.status, f.reason, f.detail)
	return []trust.Signature{res}
}

// load reads a document that mentions XML signatures; one that is too large to
// be verified is only searched, and gives no bytes.
func load(ctx context.Context, r io.ReaderAt, size int64) (b []byte, signed bool, err error) {
	marks := [][]byte{[]byte("/xmldsig#"), wide("/xmldsig#", 0), wide("/xmldsig#", 1)}
	const chunk = 256 << 10
	overlap := len(marks[1]) - 1
	keep := size <= maxXML
	buf := make([]byte, 0, max(0, min(size, chunk)+int64(overlap)))
	for at := int64(0); at < size && (keep || !signed); {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if !keep && len(buf) > overlap {
			buf = append(buf[:0], buf[len(buf)-overlap:]...)
		}
		n, start := int(min(size-at, chunk)), len(buf)
		buf = slices.Grow(buf, n)[:start+n]
		if err := fill(r, buf[start:], at); err != nil {
			return nil, false, err
		}
		at += int64(n)
		fresh := buf[max(0, start-overlap):]
		signed = signed || slices.ContainsFunc(marks, func(m []byte) bool { return bytes.Contains(fresh, m) })
	}
	if !signed || !keep {
		return nil, signed, nil
	}
	return buf, true, nil
}

// fill reads all of b.
func fill(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("document: %w", err)
}

// wide is s in UTF-16, with the zero octets at the places zero, zero+2 …
func wide(s string, zero int) []byte {
	out := make([]byte, 2*len(s))
	for i := range len(s) {
		out[2*i+1-zero] = s[i]
	}
	return out
}

// all verifies every signature of a document.
func (w *work) all(t *tree, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	var out []trust.Signature
	values := map[*node]bool{} // signature values whose signatures cover the whole document
	for n := t.doc; n != nil; n = n.following(t.doc, true) {
		if !n.is(nsDS, "Signature") {
			continue
		}
		if len(out) == maxSignatures {
			return append(out, refuse("XMLDSig", unsupported("too many signatures"))...), nil
		}
		res, err := w.one(t, n, values, a, now)
		if err != nil {
			return nil, err
		}
		out = append(out, res)
	}
	return out, nil
}

// one verifies one signature. Every check is made, and the gravest failure
// stands.
func (w *work) one(t *tree, el *node, values map[*node]bool, a *trust.Anchors, now time.Time) (trust.Signature, error) {
	res := trust.Signature{Form: "XMLDSig", Revocation: trust.Unknown}
	if isXAdES(el) {
		res.Form = "XAdES"
	}
	s, f := readSignature(t, el, maxReferences)
	if f != nil {
		res.Fail(f.status, f.reason, f.detail)
		return res, nil
	}
	if err := w.cryptography(t, s, &res); err != nil {
		return res, err
	}
	if res.Status == "" {
		w.cover(t, s, values, &res)
	}
	return res, w.conclude(t, s, &res, a, now)
}

// conclude judges time and trust of a signature, unless it is known to be
// invalid or nobody's.
func (w *work) conclude(t *tree, s *signature, res *trust.Signature, a *trust.Anchors, now time.Time) error {
	if s.signer == nil || res.Status == trust.Invalid {
		return nil
	}
	if err := w.proved(t, s, res, a, now); err != nil {
		return err
	}
	w.judge(s, res, a, now)
	return nil
}

// cryptography verifies the signature value, every reference, and what XAdES
// asks of them.
func (w *work) cryptography(t *tree, s *signature, res *trust.Signature) error {
	p, f := readProperties(s)
	if f != nil {
		res.Fail(f.status, f.reason, f.detail)
		return nil
	}
	if s.props = p; p != nil {
		res.Claimed = p.claimed
	}
	steps := []func() error{
		func() error { return w.authenticate(s) },
		func() error { return w.references(t, s) },
	}
	if p != nil {
		steps = append(steps, func() error { return asError(s.signedProperties()) })
	}
	for _, step := range steps {
		f, err := asFault(step())
		if err != nil {
			return err
		}
		if f != nil {
			res.Fail(f.status, f.reason, f.detail)
		}
	}
	return nil
}

// asError keeps a nil fault a nil error.
func asError(f *fault) error {
	if f == nil {
		return nil
	}
	return f
}

// cover says how much of the document is signed. A countersignature over the
// value of a signature covers what that one does.
func (w *work) cover(t *tree, s *signature, values map[*node]bool, res *trust.Signature) {
	for _, r := range s.refs {
		if res.Whole = res.Whole || values[r.apex]; res.Whole {
			return
		}
	}
	how, missing := s.extent(t)
	switch how {
	case whole:
		res.Whole = true
		values[s.value] = true
	case framed:
		res.Detail = "not covered: " + missing
	case partly:
		res.Fail(trust.Indeterminate, trust.Partial, "not covered: "+missing)
	case nothing:
		res.Fail(trust.Indeterminate, trust.Partial, "nothing of the document is covered")
	}
}
