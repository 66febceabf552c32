// Package docsig verifies the signatures in documents, whatever their form:
// PAdES in PDF, CMS (.p7m, .p7s), XML and Office files. The form is told by the
// content, never by the name. No network is used.
package docsig

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/luutru/luutru/docsig/cms"
	"github.com/luutru/luutru/docsig/internal/watch"
	"github.com/luutru/luutru/docsig/pades"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/docsig/xmlsig"
)

// maxText bounds a CMS message in PEM or base64, which is decoded in memory.
const maxText = 32 << 20

// Verify finds every signature in a document and verifies it against anchors at
// the time now. None found is no error and gives nil; the only error is that of
// ctx or of reading r. Name and media type are hints, for base64 alone. Memory
// does not grow with size, but for XML and for messages in PEM.
func Verify(ctx context.Context, name, mediaType string, r io.ReaderAt, size int64, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	head := make([]byte, min(1024, max(size, 0)))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("document: %w", err)
	}
	switch kind(head) {
	case "pdf":
		return pades.Verify(ctx, r, size, a, now)
	case "zip":
		return xmlsig.VerifyOOXML(ctx, r, size, a, now)
	case "xml":
		return xmlsig.Verify(ctx, r, size, a, now)
	case "ber":
		return message(ctx, r, size, nil, a, now)
	case "pem":
		return text(ctx, r, size, a, now)
	}
	if hinted(name, mediaType) {
		return text(ctx, r, size, a, now)
	}
	return nil, ctx.Err()
}

// kind tells the form by the first octets, of a PDF within the first 1024 as
// readers do.
func kind(head []byte) string {
	mark := bytes.TrimLeft(head, "\xEF\xBB\xBF \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "zip"
	case len(head) > 1 && head[0] == 0x30 && head[1] >= 0x80:
		return "ber"
	case bytes.Contains(head, []byte("%PDF-")):
		return "pdf"
	case bytes.HasPrefix(mark, []byte("<")), bytes.HasPrefix(head, []byte("<\x00")),
		bytes.HasPrefix(head, []byte("\xFF\xFE<")), bytes.HasPrefix(head, []byte("\xFE\xFF\x00<")), bytes.HasPrefix(head, []byte("\x00<")):
		return "xml"
	case bytes.Contains(head, []byte("-----BEGIN PKCS7-----")), bytes.Contains(head, []byte("-----BEGIN CMS-----")):
		return "pem"
	}
	return ""
}

// hinted tells whether base64 without any mark may be a message.
func hinted(name, mediaType string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".p7m", ".p7s", ".p7b", ".sig":
		return true
	}
	return strings.Contains(mediaType, "pkcs7")
}

// text decodes a message in PEM or base64.
func text(ctx context.Context, r io.ReaderAt, size int64, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	if size > maxText {
		return nil, ctx.Err()
	}
	b := make([]byte, size)
	if n, err := r.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("document: %w", err)
	}
	der := unarmour(b)
	if der == nil {
		return nil, ctx.Err()
	}
	return message(ctx, bytes.NewReader(der), int64(len(der)), nil, a, now)
}

// unarmour gives the octets of PEM or base64, nil for neither.
func unarmour(b []byte) []byte {
	if p, _ := pem.Decode(b); p != nil {
		return p.Bytes
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(b)), ""))
	if err != nil || len(der) == 0 {
		return nil
	}
	return der
}

// Detached verifies a CMS signature that is kept beside its document, of which
// only the SHA-256 digest is at hand; in BER, PEM or base64. A signature over
// another digest is indeterminate, trust.Unsupported. A message that holds the
// document as well must hold the same one.
func Detached(ctx context.Context, sig, sha256 []byte, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	if len(sig) > 0 && sig[0] != 0x30 {
		if sig = unarmour(sig); sig == nil {
			return nil, ctx.Err()
		}
	}
	return message(ctx, bytes.NewReader(sig), int64(len(sig)), sha256, a, now)
}

var errOtherDigest = errors.New("only the SHA-256 digest is at hand")

// message verifies CMS, attached, or detached where a digest is given.
func message(ctx context.Context, r io.ReaderAt, size int64, sha256 []byte, a *trust.Anchors, now time.Time) ([]trust.Signature, error) {
	src := &watch.Reader{R: r}
	out, err := verifyMessage(ctx, src, size, sha256, cms.Options{Anchors: a, Now: now})
	switch {
	case src.Err != nil:
		return nil, fmt.Errorf("document: %w", src.Err)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, cms.ErrNotSigned):
		return nil, nil
	case err != nil:
		return []trust.Signature{{Form: "PKCS7", Status: trust.Indeterminate, Reason: trust.Malformed, Revocation: trust.Unknown}}, nil
	}
	for i := range out {
		out[i].Whole = out[i].Reason != trust.Unsupported
	}
	return out, nil
}

func verifyMessage(ctx context.Context, r io.ReaderAt, size int64, sha256 []byte, o cms.Options) ([]trust.Signature, error) {
	m, err := cms.Parse(r, size)
	if err != nil {
		return nil, err
	}
	if sha256 == nil {
		return m.Verify(ctx, nil, o)
	}
	if m.Detached() {
		return m.Verify(ctx, func(h crypto.Hash) ([]byte, error) {
			if h != crypto.SHA256 {
				return nil, errOtherDigest
			}
			return sha256, nil
		}, o)
	}
	sum, err := m.Digest(ctx, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	out, err := m.Verify(ctx, nil, o)
	for i := range out {
		if !bytes.Equal(sum, sha256) {
			out[i].Fail(trust.Invalid, trust.Digest, "it holds another document")
		}
	}
	return out, err
}
