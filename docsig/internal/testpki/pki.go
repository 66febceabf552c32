// Package testpki makes certificates, revocation data, CMS messages, timestamps
// and signed PDFs for tests: good ones, and every kind of bad one. It builds
// its structures by hand, apart from the code that is tested. Tests only.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// Now is the time of the tests' world. Certificates began a year before and end
// two years after it, unless they are edited.
func Now() time.Time { return time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC) }

// Identity is a certificate with its key.
type Identity struct {
	Cert   *x509.Certificate
	Key    crypto.Signer
	Issuer *Identity // itself for a root
}

// EC makes a key on a curve.
func EC(t testing.TB, c elliptic.Curve) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	return check(t, k, err)
}

// RSA makes a key of so many bits.
func RSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	return check(t, k, err)
}

// Ed makes an Ed25519 key.
func Ed(t testing.TB) crypto.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return check(t, k, err)
}

func check[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func serial(t testing.TB) *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return check(t, n, err)
}

// Root makes an authority that signs itself.
func Root(t testing.TB, name string, edit ...func(*x509.Certificate)) *Identity {
	t.Helper()
	id := &Identity{Key: EC(t, elliptic.P256())}
	id.Issuer = id
	id.sign(t, Authority(name), edit)
	return id
}

// Authority is the template of one.
func Authority(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Country: []string{"VN"}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Sub makes an authority below another.
func (i *Identity) Sub(t testing.TB, name string, edit ...func(*x509.Certificate)) *Identity {
	t.Helper()
	id := &Identity{Key: EC(t, elliptic.P256()), Issuer: i}
	id.sign(t, Authority(name), edit)
	return id
}

// Issue makes the certificate of somebody who signs documents.
func (i *Identity) Issue(t testing.TB, name string, key crypto.Signer, edit ...func(*x509.Certificate)) *Identity {
	t.Helper()
	id := &Identity{Key: key, Issuer: i}
	id.sign(t, &x509.Certificate{
		Subject:  pkix.Name{CommonName: name, Organization: []string{"Sở Tư pháp"}},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, edit)
	return id
}

// TSA makes a timestamping authority.
func (i *Identity) TSA(t testing.TB, name string, edit ...func(*x509.Certificate)) *Identity {
	t.Helper()
	eku, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	check(t, eku, err)
	critical := func(c *x509.Certificate) {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: eku}}
	}
	return i.Issue(t, name, EC(t, elliptic.P256()), append([]func(*x509.Certificate){critical}, edit...)...)
}

func (i *Identity) sign(t testing.TB, c *x509.Certificate, edit []func(*x509.Certificate)) {
	t.Helper()
	c.SerialNumber, c.NotBefore, c.NotAfter = serial(t), Now().AddDate(-1, 0, 0), Now().AddDate(2, 0, 0)
	pub, err := x509.MarshalPKIXPublicKey(i.Key.Public())
	check(t, pub, err)
	id := sha1.Sum(pub)
	c.SubjectKeyId = id[:]
	for _, e := range edit {
		e(c)
	}
	parent := c
	if i.Issuer != i {
		parent = i.Issuer.Cert
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, i.Key.Public(), i.Issuer.Key)
	check(t, der, err)
	i.Cert, err = x509.ParseCertificate(der)
	check(t, i.Cert, err)
}

// Life sets when a certificate begins and ends.
func Life(from, to time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

// PEM is the certificate as text.
func (i *Identity) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Cert.Raw}))
}

// KeyPEM is the private key as text, for openssl.
func (i *Identity) KeyPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: check(t, der, err)}))
}

// Period is the time of a list or a response.
type Period struct{ This, Next time.Time }

// Week is from a day before Now on.
func Week() Period { return Period{Now().AddDate(0, 0, -1), Now().AddDate(0, 0, 6)} }

// CRL makes a revocation list with the given certificates, revoked at a time.
func (i *Identity) CRL(t testing.TB, p Period, at time.Time, revoked ...*Identity) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: serial(t), ThisUpdate: p.This, NextUpdate: p.Next}
	for _, r := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.Cert.SerialNumber, RevocationTime: at})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, i.Cert, i.Key)
	return check(t, der, err)
}

// OCSP makes a response about c, signed by i, who is its issuer or a responder.
// It is good where revoked is zero. Basic leaves the outer envelope away.
func (i *Identity) OCSP(t testing.TB, c *Identity, p Period, revoked time.Time, basic bool) []byte {
	t.Helper()
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	_, err := asn1.Unmarshal(c.Issuer.Cert.RawSubjectPublicKeyInfo, &key)
	check(t, 0, err)
	nameHash, keyHash := sha1.Sum(c.Issuer.Cert.RawSubject), sha1.Sum(key.Key.Bytes)
	id := Seq(Alg(t, crypto.SHA1), Octets(nameHash[:]), Octets(keyHash[:]), Marshal(t, c.Cert.SerialNumber))
	status := []byte{0x80, 0}
	if !revoked.IsZero() {
		status = TLV(0xA1, gentime(revoked))
	}
	single := Seq(id, status, gentime(p.This))
	if !p.Next.IsZero() {
		single = Seq(id, status, gentime(p.This), TLV(0xA0, gentime(p.Next)))
	}
	responder := sha1.Sum(func() []byte {
		_, err := asn1.Unmarshal(i.Cert.RawSubjectPublicKeyInfo, &key)
		return check(t, key.Key.Bytes, err)
	}())
	data := Seq(TLV(0xA2, Octets(responder[:])), gentime(p.This), Seq(single))
	sig := Sign(t, i.Key, crypto.SHA256, data, false)
	response := Seq(data, Marshal(t, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}),
		Marshal(t, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}), TLV(0xA0, Seq(i.Cert.Raw)))
	if basic {
		return response
	}
	return Seq([]byte{0x0A, 1, 0}, TLV(0xA0, Seq(Marshal(t, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}), Octets(response))))
}

func gentime(t time.Time) []byte { return TLV(0x18, []byte(t.UTC().Format("20060102150405Z"))) }

// CRLWith makes an empty list with one more extension, a critical one.
func (i *Identity) CRLWith(t testing.TB, p Period, id asn1.ObjectIdentifier, value []byte) []byte {
	t.Helper()
	l := &x509.RevocationList{
		Number: serial(t), ThisUpdate: p.This, NextUpdate: p.Next,
		ExtraExtensions: []pkix.Extension{{Id: id, Critical: true, Value: value}},
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, i.Cert, i.Key)
	return check(t, der, err)
}
