// Package cms verifies CMS signed data: RFC 5652 and PKCS #7, CAdES with the
// attributes of ETSI EN 319 122, and RFC 3161 timestamps. It reads BER, as
// signers write it, without holding the signed content in memory. Cryptography
// is that of the standard library: RSA PKCS #1 v1.5 and PSS, ECDSA on P-256, P-384
// and P-521, Ed25519. Archive timestamps and countersignatures are not looked at.
package cms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/luutru/luutru/docsig/trust"
)

const (
	maxSigners = 32
	maxCerts   = 256
)

// ErrNotSigned says that the bytes are no CMS signed data: something else, or
// enveloped data. Errors that do not match it are about broken signed data.
var ErrNotSigned = errors.New("CMS: not signed data")

// Digester gives the digest of the content that a detached signature is over.
type Digester func(crypto.Hash) ([]byte, error)

// Options is what a verification is told from outside the message.
type Options struct {
	Anchors  *trust.Anchors
	Now      time.Time           // the time of judgement
	Proved   time.Time           // at which the message is proved to have existed; zero if nothing proves it
	Evidence trust.Evidence      // revocation data beside the message (PAdES DSS)
	Certs    []*x509.Certificate // certificates beside the message
}

// Message is parsed signed data. It is not shared by goroutines.
type Message struct {
	src      *source
	typ      asn1.ObjectIdentifier // of the content
	content  *node                 // nil where it is detached
	certs    []*x509.Certificate
	unread   int // certificates that the standard library does not read
	evidence trust.Evidence
	signers  []signerInfo
	digests  map[crypto.Hash][]byte
}

type signerInfo struct {
	Version   int
	ID        asn1.RawValue
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
	Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

// Parse reads the structure of size octets, without the content. Octets after
// it must be zero, as signers leave them in a PDF.
func Parse(r io.ReaderAt, size int64) (*Message, error) {
	m := &Message{src: &source{r: r, size: size, left: maxElements}, digests: map[crypto.Hash][]byte{}}
	root, err := m.src.element(0, size, 0)
	if err != nil || !root.is(0, 16, true) {
		return nil, errors.Join(ErrNotSigned, err)
	}
	parts, err := m.src.children(root, 2)
	if err != nil || len(parts) == 0 {
		return nil, errors.Join(ErrNotSigned, err)
	}
	typ, err := m.oid(parts[0])
	if err != nil || !typ.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}) || len(parts) != 2 || !parts[1].is(2, 0, true) {
		return nil, ErrNotSigned
	}
	if err := m.padding(root.next); err != nil {
		return nil, err
	}
	inner, err := m.src.children(parts[1], 1)
	if err != nil || len(inner) != 1 || !inner[0].is(0, 16, true) {
		return nil, errors.Join(errBER, err)
	}
	return m, m.signedData(inner[0])
}

// padding refuses anything but zeros, or the end of a line, after the message.
func (m *Message) padding(from int64) error {
	buf := make([]byte, 4096)
	for off := from; off < m.src.size; {
		n, err := m.src.r.ReadAt(buf[:min(int64(len(buf)), m.src.size-off)], off)
		if n == 0 {
			return err
		}
		if len(bytes.Trim(buf[:n], "\x00\r\n")) > 0 {
			return fmt.Errorf("%w: octets after the message", errBER)
		}
		off += int64(n)
	}
	return nil
}

func (m *Message) oid(n node) (oid asn1.ObjectIdentifier, err error) {
	if !n.is(0, 6, false) || n.end-n.body > 64 {
		return nil, errBER
	}
	b, err := m.src.der(n)
	if err != nil {
		return nil, err
	}
	_, err = asn1.Unmarshal(b, &oid)
	return oid, err
}

func (m *Message) signedData(n node) error {
	parts, err := m.src.children(n, 6)
	if err != nil {
		return err
	}
	if len(parts) < 4 || !parts[0].is(0, 2, false) || !parts[1].is(0, 17, true) || !parts[2].is(0, 16, true) {
		return fmt.Errorf("%w: no signed data inside", errBER)
	}
	if err := m.encapsulated(parts[2]); err != nil {
		return err
	}
	rest, last := parts[3:len(parts)-1], parts[len(parts)-1]
	for _, p := range rest {
		switch {
		case p.is(2, 0, true):
			err = m.each(p, maxCerts, m.src.raw, m.addCert)
		case p.is(2, 1, true):
			err = m.each(p, maxCerts, m.src.raw, m.addRevocation)
		default:
			err = errBER
		}
		if err != nil {
			return err
		}
	}
	if !last.is(0, 17, true) {
		return fmt.Errorf("%w: no signers", errBER)
	}
	return m.each(last, maxSigners, m.src.der, m.addSigner)
}

func (m *Message) each(n node, limit int, read func(node) ([]byte, error), add func([]byte) error) error {
	parts, err := m.src.children(n, limit)
	if err != nil {
		return err
	}
	for _, p := range parts {
		der, err := read(p)
		if err != nil {
			return err
		}
		if err := add(der); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) encapsulated(n node) error {
	parts, err := m.src.children(n, 2)
	if err != nil || len(parts) == 0 {
		return errors.Join(errBER, err)
	}
	if m.typ, err = m.oid(parts[0]); err != nil || len(parts) == 1 {
		return err
	}
	inner, err := m.src.children(parts[1], 1)
	if err != nil || !parts[1].is(2, 0, true) || len(inner) != 1 {
		return errors.Join(errBER, err)
	}
	m.content = &inner[0]
	return nil
}

func (m *Message) addCert(der []byte) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		m.unread++ // Brainpool, or an attribute certificate: somebody else's, perhaps
		return nil
	}
	m.certs = append(m.certs, c)
	return nil
}

// addRevocation takes revocation lists, and OCSP responses of RFC 5940.
func (m *Message) addRevocation(der []byte) error {
	if len(der) > 0 && der[0] == 0x30 {
		m.evidence.CRLs = append(m.evidence.CRLs, der)
		return nil
	}
	var other struct {
		Format asn1.ObjectIdentifier
		Info   asn1.RawValue
	}
	_, err := asn1.UnmarshalWithParams(der, &other, "tag:1")
	if err == nil && other.Format.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}) {
		m.evidence.OCSP = append(m.evidence.OCSP, other.Info.FullBytes)
	}
	return nil
}

func (m *Message) addSigner(der []byte) error {
	var s signerInfo
	if rest, err := asn1.Unmarshal(der, &s); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: signer", errBER)
	}
	m.signers = append(m.signers, s)
	return nil
}

// Detached tells whether the signed content is somewhere else.
func (m *Message) Detached() bool { return m.content == nil }

// Certificates lists those of the message.
func (m *Message) Certificates() []*x509.Certificate { return m.certs }

// attached digests the content within the message, once for every algorithm.
func (m *Message) attached(ctx context.Context) Digester {
	return func(h crypto.Hash) ([]byte, error) {
		if sum, ok := m.digests[h]; ok {
			return sum, nil
		}
		w, buf := h.New(), make([]byte, 64<<10)
		// What was read once may be read again, whatever the count says.
		src := &source{r: m.src.r, size: m.src.size, left: maxElements}
		err := src.octets(*m.content, 1, func(off, n int64) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			got, err := io.CopyBuffer(onlyWriter{w}, io.NewSectionReader(m.src.r, off, n), buf)
			if err == nil && got != n {
				err = io.ErrUnexpectedEOF
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		m.digests[h] = w.Sum(nil)
		return m.digests[h], nil
	}
}

// onlyWriter hides ReadFrom, so that the buffer is used.
type onlyWriter struct{ io.Writer }

// Digest is that of the attached content.
func (m *Message) Digest(ctx context.Context, h crypto.Hash) ([]byte, error) {
	if m.content == nil {
		return nil, errNoBytes
	}
	return m.attached(ctx)(h)
}

// Content digests a document that is at hand, each time it is asked.
func Content(r io.ReadSeeker) Digester {
	return func(h crypto.Hash) ([]byte, error) {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("CMS: content: %w", err)
		}
		w := h.New()
		if _, err := io.Copy(w, r); err != nil {
			return nil, fmt.Errorf("CMS: content: %w", err)
		}
		return w.Sum(nil), nil
	}
}
