package cms

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"
)

// The attributes that are read, in dotted form.
const (
	attrContentType   = "1.2.840.113549.1.9.3"
	attrMessageDigest = "1.2.840.113549.1.9.4"
	attrSigningTime   = "1.2.840.113549.1.9.5"
	attrSigningCert   = "1.2.840.113549.1.9.16.2.12"
	attrSigningCertV2 = "1.2.840.113549.1.9.16.2.47"
	attrTimestamp     = "1.2.840.113549.1.9.16.2.14"
	attrCertValues    = "1.2.840.113549.1.9.16.2.23"
	attrRevocation    = "1.2.840.113549.1.9.16.2.24"
	attrAdobe         = "1.2.840.113583.1.1.8"
)

const maxAttributes = 64

var errAttributes = errors.New("CMS: broken attributes")

// attributes are the values of each attribute. An attribute that stands twice
// has no values that could be trusted to be the ones another reader takes.
type attributes map[string][]asn1.RawValue

func parseAttributes(set []byte) (attributes, error) {
	out := attributes{}
	for len(set) > 0 {
		var a struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue
		}
		rest, err := asn1.Unmarshal(set, &a)
		if err != nil || a.Values.Tag != asn1.TagSet || a.Values.Class != asn1.ClassUniversal || len(out) == maxAttributes {
			return nil, errAttributes
		}
		name := a.Type.String()
		if _, twice := out[name]; twice {
			return nil, errAttributes
		}
		values := []asn1.RawValue{}
		for v := a.Values.Bytes; len(v) > 0; {
			var raw asn1.RawValue
			if v, err = asn1.Unmarshal(v, &raw); err != nil || len(values) == maxAttributes {
				return nil, errAttributes
			}
			values = append(values, raw)
		}
		out[name], set = values, rest
	}
	return out, nil
}

// one reads the only value of an attribute; absent tells that there is none.
func (a attributes) one(name string, v any) (absent bool, err error) {
	values, ok := a[name]
	if !ok {
		return true, nil
	}
	if len(values) != 1 {
		return false, errAttributes
	}
	if rest, err := asn1.Unmarshal(values[0].FullBytes, v); err != nil || len(rest) > 0 {
		return false, errAttributes
	}
	return false, nil
}

func (a attributes) signingTime() time.Time {
	var t time.Time
	if absent, err := a.one(attrSigningTime, &t); absent || err != nil {
		return time.Time{}
	}
	return t
}

// meant tells whether the signing-certificate attributes name c, and whether
// there is one. Both must agree where both stand (RFC 5035 section 3).
func (a attributes) meant(c *x509.Certificate) (present, ok bool) {
	ok = true
	for _, name := range []string{attrSigningCertV2, attrSigningCert} {
		var list struct {
			IDs      []asn1.RawValue
			Policies asn1.RawValue `asn1:"optional"`
		}
		absent, err := a.one(name, &list)
		if absent {
			continue
		}
		present = true
		if err != nil || len(list.IDs) == 0 || !certID(list.IDs[0].Bytes, name == attrSigningCertV2, c) {
			ok = false
		}
	}
	return present, ok
}

// certID compares ESSCertID or ESSCertIDv2 with a certificate.
func certID(id []byte, v2 bool, c *x509.Certificate) bool {
	h := hashOf(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1})
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(id, &raw)
	if err == nil && v2 && raw.Tag == asn1.TagSequence {
		var alg pkix.AlgorithmIdentifier
		if _, err := asn1.Unmarshal(raw.FullBytes, &alg); err != nil {
			return false
		}
		h = hashOf(alg.Algorithm)
		rest, err = asn1.Unmarshal(rest, &raw)
	}
	if err != nil || raw.Tag != asn1.TagOctetString || h == 0 {
		return false
	}
	var sum []byte
	if v2 {
		w := h.New()
		w.Write(c.Raw)
		sum = w.Sum(nil)
	} else {
		v1 := sha1.Sum(c.Raw)
		sum = v1[:]
	}
	if !bytes.Equal(sum, raw.Bytes) {
		return false
	}
	if len(rest) == 0 {
		return true
	}
	var is struct {
		Names  asn1.RawValue
		Serial *big.Int
	}
	_, err = asn1.Unmarshal(rest, &is)
	return err == nil && is.Serial.Cmp(c.SerialNumber) == 0
}

// evidence adds the revocation data and certificates of the attributes.
func (m *Message) evidenceOf(signed, unsigned attributes) {
	var adobe struct {
		CRLs []asn1.RawValue `asn1:"explicit,tag:0,optional"`
		OCSP []asn1.RawValue `asn1:"explicit,tag:1,optional"`
	}
	if absent, err := signed.one(attrAdobe, &adobe); !absent && err == nil {
		m.evidence.CRLs = appendRaw(m.evidence.CRLs, adobe.CRLs)
		m.evidence.OCSP = appendRaw(m.evidence.OCSP, adobe.OCSP)
	}
	adobe.CRLs, adobe.OCSP = nil, nil // RevocationValues of CAdES has the same shape
	if absent, err := unsigned.one(attrRevocation, &adobe); !absent && err == nil {
		m.evidence.CRLs = appendRaw(m.evidence.CRLs, adobe.CRLs)
		m.evidence.OCSP = appendRaw(m.evidence.OCSP, adobe.OCSP)
	}
	var certs []asn1.RawValue
	if absent, err := unsigned.one(attrCertValues, &certs); !absent && err == nil {
		for _, c := range certs[:min(len(certs), maxCerts)] {
			_ = m.addCert(c.FullBytes) // what cannot be read is not used
		}
	}
}

func appendRaw(to [][]byte, raws []asn1.RawValue) [][]byte {
	for _, r := range raws[:min(len(raws), maxCerts)] {
		to = append(to, r.FullBytes)
	}
	return to
}
