package testpki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
	"time"
)

// Marshal is asn1.Marshal of what can be marshalled.
func Marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	return check(t, b, err)
}

// TLV is one element with the given first octet.
func TLV(first byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	head := []byte{first}
	switch n := len(body); {
	case n < 0x80:
		head = append(head, byte(n))
	case n < 0x100:
		head = append(head, 0x81, byte(n))
	case n < 0x10000:
		head = append(head, 0x82, byte(n>>8), byte(n))
	default:
		head = append(head, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(head, body...)
}

// Seq is a SEQUENCE.
func Seq(parts ...[]byte) []byte { return TLV(0x30, parts...) }

// Octets is an OCTET STRING.
func Octets(b []byte) []byte { return TLV(4, b) }

// indefinite is an element without its length.
func indefinite(first byte, parts ...[]byte) []byte {
	return slices.Concat([]byte{first, 0x80}, slices.Concat(parts...), []byte{0, 0})
}

// Alg is the identifier of a digest algorithm.
func Alg(t testing.TB, h crypto.Hash) []byte {
	oids := map[crypto.Hash]asn1.ObjectIdentifier{
		crypto.MD5: {1, 2, 840, 113549, 2, 5}, crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
		crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	}
	return Marshal(t, pkix.AlgorithmIdentifier{Algorithm: oids[h], Parameters: asn1.NullRawValue})
}

// Sign makes a signature over a message.
func Sign(t testing.TB, key crypto.Signer, h crypto.Hash, message []byte, pss bool) []byte {
	t.Helper()
	var opts crypto.SignerOpts = h
	digest := message
	if _, ok := key.(ed25519.PrivateKey); ok {
		opts = crypto.Hash(0)
	} else {
		w := h.New()
		w.Write(message)
		digest = w.Sum(nil)
	}
	if pss {
		opts = &rsa.PSSOptions{SaltLength: h.Size(), Hash: h}
	}
	sig, err := key.Sign(rand.Reader, digest, opts)
	return check(t, sig, err)
}

// Object identifiers of attributes and contents.
func oid(n ...int) asn1.ObjectIdentifier { return n }

// Data and TSTInfo are content types.
func Data() asn1.ObjectIdentifier { return oid(1, 2, 840, 113549, 1, 7, 1) }

// TSTInfo is the content type of timestamps.
func TSTInfo() asn1.ObjectIdentifier { return oid(1, 2, 840, 113549, 1, 9, 16, 1, 4) }

// Attribute is one of CMS.
func Attribute(t testing.TB, id asn1.ObjectIdentifier, values ...[]byte) []byte {
	return Seq(Marshal(t, id), TLV(0x31, values...))
}

// Signer is one signer of a message, and what is special about it.
type Signer struct {
	ID       *Identity
	Hash     crypto.Hash // SHA-256 where 0
	PSS      bool
	KeyID    bool                      // named by subject key identifier
	Bare     bool                      // without signed attributes
	NoESS    bool                      // without signing-certificate attribute
	Meant    *x509.Certificate         // in that attribute, instead of ID's
	At       time.Time                 // signing time; Now where zero
	Digest   []byte                    // instead of the digest of the content
	Type     asn1.ObjectIdentifier     // in the attribute, instead of the message's
	Signed   [][]byte                  // more signed attributes
	Unsigned func(sig []byte) [][]byte // unsigned attributes
	Damage   func(sig []byte) []byte   // of the signature value
	Algo     *pkix.AlgorithmIdentifier // instead of the right one
}

// Message is signed data.
type Message struct {
	Content  []byte
	Detached bool
	Type     asn1.ObjectIdentifier // Data where empty
	Signers  []Signer
	Certs    []*x509.Certificate
	Lists    [][]byte // certificate revocation lists
	BER      bool     // indefinite lengths, and content in pieces
}

// DER makes the message.
func (m Message) DER(t testing.TB) []byte {
	t.Helper()
	if m.Type == nil {
		m.Type = Data()
	}
	var algs, infos, certs [][]byte
	for _, s := range m.Signers {
		if s.Hash == 0 {
			s.Hash = crypto.SHA256
		}
		algs = append(algs, Alg(t, s.Hash))
		infos = append(infos, m.info(t, s))
	}
	for _, c := range m.Certs {
		certs = append(certs, c.Raw)
	}
	inner := [][]byte{Marshal(t, m.Type)}
	seq, explicit := Seq, TLV
	if m.BER {
		seq = func(parts ...[]byte) []byte { return indefinite(0x30, parts...) }
		explicit = indefinite
	}
	switch {
	case m.Detached:
	case m.BER:
		var pieces [][]byte
		for rest := range slices.Chunk(m.Content, 7) {
			pieces = append(pieces, Octets(rest))
		}
		inner = append(inner, indefinite(0xA0, indefinite(0x24, pieces...)))
	default:
		inner = append(inner, TLV(0xA0, Octets(m.Content)))
	}
	parts := [][]byte{{2, 1, 1}, TLV(0x31, algs...), seq(inner...), explicit(0xA0, certs...)}
	if len(m.Lists) > 0 {
		parts = append(parts, TLV(0xA1, m.Lists...))
	}
	parts = append(parts, explicit(0x31, infos...))
	return seq(Marshal(t, oid(1, 2, 840, 113549, 1, 7, 2)), explicit(0xA0, seq(parts...)))
}

func (m Message) info(t testing.TB, s Signer) []byte {
	t.Helper()
	sid, version := Seq(s.ID.Cert.RawIssuer, Marshal(t, s.ID.Cert.SerialNumber)), byte(1)
	if s.KeyID {
		sid, version = TLV(0x80, s.ID.Cert.SubjectKeyId), 3
	}
	parts := [][]byte{{2, 1, version}, sid, Alg(t, s.Hash)}
	message := m.Content
	if !s.Bare {
		attrs := s.attributes(t, m)
		message = TLV(0x31, attrs...)
		parts = append(parts, TLV(0xA0, attrs...))
	}
	sig := Sign(t, s.ID.Key, s.Hash, message, s.PSS)
	if s.Damage != nil {
		sig = s.Damage(sig)
	}
	parts = append(parts, s.algorithm(t), Octets(sig))
	if s.Unsigned != nil {
		parts = append(parts, TLV(0xA1, s.Unsigned(sig)...))
	}
	return Seq(parts...)
}

func (s Signer) attributes(t testing.TB, m Message) [][]byte {
	t.Helper()
	digest := s.Digest
	if digest == nil {
		w := s.Hash.New()
		w.Write(m.Content)
		digest = w.Sum(nil)
	}
	typ, at, meant := s.Type, s.At, s.Meant
	if typ == nil {
		typ = m.Type
	}
	if at.IsZero() {
		at = Now()
	}
	if meant == nil {
		meant = s.ID.Cert
	}
	attrs := [][]byte{
		Attribute(t, oid(1, 2, 840, 113549, 1, 9, 3), Marshal(t, typ)),
		Attribute(t, oid(1, 2, 840, 113549, 1, 9, 4), Octets(digest)),
		Attribute(t, oid(1, 2, 840, 113549, 1, 9, 5), Marshal(t, at.UTC())),
	}
	if !s.NoESS {
		w := crypto.SHA256.New()
		w.Write(meant.Raw)
		attrs = append(attrs, Attribute(t, oid(1, 2, 840, 113549, 1, 9, 16, 2, 47), Seq(Seq(Seq(Octets(w.Sum(nil)))))))
	}
	attrs = append(attrs, s.Signed...)
	slices.SortFunc(attrs, bytes.Compare)
	return attrs
}

func (s Signer) algorithm(t testing.TB) []byte {
	t.Helper()
	if s.Algo != nil {
		return Marshal(t, *s.Algo)
	}
	switch s.ID.Key.(type) {
	case *ecdsa.PrivateKey:
		last := map[crypto.Hash]int{crypto.SHA256: 2, crypto.SHA384: 3, crypto.SHA512: 4}
		if s.Hash == crypto.SHA1 {
			return Seq(Marshal(t, oid(1, 2, 840, 10045, 4, 1)))
		}
		return Seq(Marshal(t, oid(1, 2, 840, 10045, 4, 3, last[s.Hash])))
	case ed25519.PrivateKey:
		return Seq(Marshal(t, oid(1, 3, 101, 112)))
	}
	if !s.PSS {
		return Seq(Marshal(t, oid(1, 2, 840, 113549, 1, 1, 1)), []byte{5, 0})
	}
	mgf := Seq(Marshal(t, oid(1, 2, 840, 113549, 1, 1, 8)), Alg(t, s.Hash))
	return Seq(Marshal(t, oid(1, 2, 840, 113549, 1, 1, 10)), Seq(
		TLV(0xA0, Alg(t, s.Hash)), TLV(0xA1, mgf), TLV(0xA2, Marshal(t, s.Hash.Size()))))
}

// Token is an RFC 3161 timestamp of i over a message.
func (i *Identity) Token(t testing.TB, message []byte, at time.Time, edit ...func(*Message)) []byte {
	t.Helper()
	w := crypto.SHA256.New()
	w.Write(message)
	return i.TokenOf(t, w.Sum(nil), at, edit...)
}

// TokenOf is a timestamp over a SHA-256 digest.
func (i *Identity) TokenOf(t testing.TB, digest []byte, at time.Time, edit ...func(*Message)) []byte {
	t.Helper()
	info := Seq([]byte{2, 1, 1}, Marshal(t, oid(1, 3, 6, 1, 4, 1, 99999, 1)), Seq(Alg(t, crypto.SHA256), Octets(digest)),
		Marshal(t, serial(t)), gentime(at), Seq([]byte{2, 1, 1}), []byte{2, 1, 7})
	m := Message{Content: info, Type: TSTInfo(), Signers: []Signer{{ID: i, At: at}}, Certs: []*x509.Certificate{i.Cert}}
	for _, e := range edit {
		e(&m)
	}
	return m.DER(t)
}

// Stamped is the unsigned attribute of a signature timestamp.
func (i *Identity) Stamped(t testing.TB, at time.Time, edit ...func(*Message)) func(sig []byte) [][]byte {
	return func(sig []byte) [][]byte {
		return [][]byte{Attribute(t, oid(1, 2, 840, 113549, 1, 9, 16, 2, 14), i.Token(t, sig, at, edit...))}
	}
}
