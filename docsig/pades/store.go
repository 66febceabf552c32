package pades

import (
	"crypto/x509"
	"maps"
	"slices"

	"github.com/luutru/luutru/docsig/trust"
)

const (
	maxStored      = 512
	maxStoredBytes = 32 << 20
)

// store reads the document security store (ISO 32000-2 section 12.8.4.3):
// certificates, OCSP responses and revocation lists, those of single signatures
// included. None of it is believed for standing there; what cannot be read is
// left out.
func (v view) store() (trust.Evidence, []*x509.Certificate, error) {
	root, _, err := v.root()
	if err != nil || root["DSS"] == nil {
		return trust.Evidence{}, nil, err
	}
	c := collector{v: v, seen: map[ref]bool{}, left: maxStoredBytes}
	dss := c.dict(root["DSS"])
	c.lists(dss, "Certs", "OCSPs", "CRLs")
	vri := c.dict(dss["VRI"])
	for _, key := range slices.Sorted(maps.Keys(vri)) {
		c.lists(c.dict(vri[key]), "Cert", "OCSP", "CRL")
	}
	return c.evidence, c.certs, nil
}

type collector struct {
	v        view
	seen     map[ref]bool
	left     int
	evidence trust.Evidence
	certs    []*x509.Certificate
}

func (c *collector) dict(val any) dict {
	val, err := c.v.resolve(val)
	if err != nil {
		return nil
	}
	return asDict(val)
}

func (c *collector) lists(d dict, certs, ocsps, crls name) {
	c.each(d[certs], func(der []byte) {
		if one, err := x509.ParseCertificate(der); err == nil {
			c.certs = append(c.certs, one)
		}
	})
	c.each(d[ocsps], func(der []byte) { c.evidence.OCSP = append(c.evidence.OCSP, der) })
	c.each(d[crls], func(der []byte) { c.evidence.CRLs = append(c.evidence.CRLs, der) })
}

func (c *collector) each(val any, add func([]byte)) {
	val, err := c.v.resolve(val)
	list, ok := val.(array)
	if err != nil || !ok {
		return
	}
	for _, one := range list {
		id, ok := one.(ref)
		if !ok || c.seen[id] || len(c.seen) >= maxStored || c.left <= 0 {
			continue
		}
		c.seen[id] = true
		o, err := c.v.load(id)
		if err != nil {
			continue
		}
		if data, err := c.v.f.unpack(c.v, o, int64(min(c.left, maxStream))); err == nil {
			c.left -= len(data)
			add(data)
		}
	}
}
