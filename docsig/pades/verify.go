// Package pades verifies the signatures of a PDF: PAdES (ETSI EN 319 142) and
// the older forms of ISO 32000 that carry CMS, with document timestamps, the
// document security store and what incremental updates did after signing.
//
// It is strict where readers were deceived: a signature covers two ranges from
// the first octet on, with nothing left out but its own value; what follows the
// signed revision is compared object by object, and anything but validation
// data, timestamps and signatures of others makes the earlier signature partial.
// A file that cannot be read as a whole is never valid.
package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/luutru/luutru/docsig/cms"
	"github.com/luutru/luutru/docsig/internal/watch"
	"github.com/luutru/luutru/docsig/trust"
)

// Verify verifies every signature of a PDF of size octets at the time now, in
// the order of signing; document timestamps are among them (Form DocTimeStamp).
// A PDF without signatures gives nil. A file whose structure cannot be read,
// and that holds a signature as far as can be seen, gives one indeterminate
// answer. The error is that of ctx or of reading r. Memory is bounded whatever
// the size: the digest is streamed.
func Verify(ctx context.Context, r io.ReaderAt, size int64, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	found, err := mentions(ctx, r, size, []byte("/ByteRange"))
	if err != nil || !found {
		return nil, err
	}
	src := &watch.Reader{R: r}
	d := document{r: src, size: size, anchors: a, now: now, digests: map[rangeKey][]byte{}}
	out, err := d.verify(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case src.Err != nil:
		return nil, src.Err
	case err != nil:
		return []trust.Signature{{Form: "PAdES", Status: trust.Indeterminate, Reason: trust.Malformed, Detail: "the structure of the PDF cannot be read", Revocation: trust.Unknown}}, nil
	}
	return out, nil
}

// mentions tells whether a word stands anywhere in the file.
func mentions(ctx context.Context, r io.ReaderAt, size int64, word []byte) (bool, error) {
	buf, kept := make([]byte, min(256<<10, max(0, size))), 0
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := r.ReadAt(buf[kept:kept+int(min(int64(len(buf)-kept), size-off))], off)
		if n == 0 {
			return false, err
		}
		if bytes.Contains(buf[:kept+n], word) {
			return true, nil
		}
		off += int64(n)
		end := kept + n
		kept = copy(buf, buf[max(0, end-len(word)+1):end])
	}
	return false, nil
}

type rangeKey struct {
	gap, resume, end int64
	hash             crypto.Hash
}

// document is the work on one PDF.
type document struct {
	r       io.ReaderAt
	size    int64
	anchors *trust.Anchors
	now     time.Time
	f       *file
	digests map[rangeKey][]byte

	evidence trust.Evidence
	certs    []*x509.Certificate
	proved   time.Time // of the oldest valid document timestamp so far
	approved bool      // a later signature was valid
	compared int       // objects looked at
}

func (d *document) verify(ctx context.Context) ([]trust.Signature, error) {
	var err error
	if d.f, err = open(d.r, d.size); err != nil {
		return nil, err
	}
	list, err := view{d.f, 0}.signatures()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, nil
	}
	if d.evidence, d.certs, err = (view{d.f, 0}).store(); err != nil {
		return nil, err
	}
	// From the last to the first: a later timestamp proves when the earlier
	// signatures existed, a later signature approves what was added for it.
	slices.SortStableFunc(list, func(a, b signature) int { return int(min(1, max(-1, b.end-a.end))) })
	var out []trust.Signature
	for i := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := d.one(ctx, &list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.Reverse(out)
	return out, nil
}

// one verifies one signature.
func (d *document) one(ctx context.Context, s *signature) (trust.Signature, error) {
	out := trust.Signature{Form: "PAdES", Revocation: trust.Unknown}
	if s.doc {
		out.Form = "DocTimeStamp"
	}
	if s.broken != "" {
		out.Fail(trust.Invalid, trust.Malformed, s.broken)
		return out, nil
	}
	form := out.Form
	out, err := d.message(ctx, s)
	if err != nil {
		return out, err
	}
	if out.Form = form; form == "PAdES" && s.kind != "ETSI.CAdES.detached" {
		out.Form = "PKCS7"
	}
	if err := d.coverage(ctx, s, &out); err != nil {
		return out, err
	}
	if out.Status == trust.Valid && s.doc && (d.proved.IsZero() || out.Proved.Before(d.proved)) {
		d.proved = out.Proved
	}
	d.approved = d.approved || (out.Status == trust.Valid && !s.doc)
	return out, nil
}

// message verifies the CMS in Contents over the ranges.
func (d *document) message(ctx context.Context, s *signature) (trust.Signature, error) {
	out := trust.Signature{Revocation: trust.Unknown}
	switch s.kind {
	case "adbe.pkcs7.detached", "ETSI.CAdES.detached", "ETSI.RFC3161":
	default:
		out.Fail(trust.Indeterminate, trust.Unsupported, "SubFilter")
		return out, nil
	}
	m, err := cms.Parse(bytes.NewReader(s.der), int64(len(s.der)))
	if err != nil {
		out.Fail(trust.Invalid, trust.Malformed, "Contents")
		return out, nil
	}
	o := cms.Options{Anchors: d.anchors, Now: d.now, Proved: d.proved, Evidence: d.evidence, Certs: d.certs}
	content := func(h crypto.Hash) ([]byte, error) { return d.digest(ctx, s, h) }
	if s.doc {
		return m.Timestamp(ctx, content, o)
	}
	list, err := m.Verify(ctx, content, o)
	if err != nil {
		return out, err
	}
	if len(list) != 1 {
		out.Fail(trust.Invalid, trust.Malformed, "not exactly one signer")
		return out, nil
	}
	return list[0], nil
}

// digest is that of the two ranges.
func (d *document) digest(ctx context.Context, s *signature, h crypto.Hash) ([]byte, error) {
	key := rangeKey{s.gap, s.resume, s.end, h}
	if sum, ok := d.digests[key]; ok {
		return sum, nil
	}
	w, buf := h.New(), make([]byte, min(256<<10, s.end))
	for _, part := range [][2]int64{{0, s.gap}, {s.resume, s.end}} {
		for off := part[0]; off < part[1]; {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n, err := d.r.ReadAt(buf[:min(int64(len(buf)), part[1]-off)], off)
			if n == 0 {
				return nil, errors.Join(io.ErrUnexpectedEOF, err)
			}
			w.Write(buf[:n])
			off += int64(n)
		}
	}
	d.digests[key] = w.Sum(nil)
	return d.digests[key], nil
}

// coverage says what the octets after the signed ones mean for the signature.
func (d *document) coverage(ctx context.Context, s *signature, out *trust.Signature) error {
	found, err := d.after(ctx, s)
	if err != nil {
		return err
	}
	out.Whole = found == nothing
	switch {
	case found <= validation:
	case s.mdp == 1 && found <= filled:
		fail(out, trust.Invalid, "changes that the first signature forbids")
	case found == unseen, found == signed && d.approved:
	case found == signed:
		fail(out, trust.Indeterminate, "a visible field without a valid signature was added later")
	case found == filled:
		fail(out, trust.Indeterminate, "form or notes changed after signing")
	case found == unclear:
		fail(out, trust.Indeterminate, "octets after the signed document that are no readable revision")
	default:
		fail(out, trust.Invalid, "content changed after signing")
	}
	return nil
}

// fail makes a signature partial. Of two certain failures the first stands;
// a certain one wins over an uncertain one. What a timestamp does not cover
// proves nothing.
func fail(out *trust.Signature, st trust.Status, detail string) {
	if out.Status == trust.Valid {
		out.Status = ""
	}
	out.Fail(st, trust.Partial, detail)
	if out.Form == "DocTimeStamp" {
		out.Proved = time.Time{}
	}
}
