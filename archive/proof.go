package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
)

// ErrProof: a receipt, certificate or package does not prove what it says.
var ErrProof = errors.New("proof does not hold")

// Encode returns the receipt's bytes, the same for the same dossier.
func (r *Receipt) Encode() ([]byte, error) { return jcs.Marshal(r) }

// Encode returns the certificate's bytes.
func (c *Certificate) Encode() ([]byte, error) { return jcs.Marshal(c) }

// Verify checks a receipt against the archive's certificate and the ledger's
// verifier key, and returns the seal. It needs nothing else. The names of the
// archive and of the dossier's code are for the reader: no signature covers
// them, for the seal holds nothing personal. The archive code is the one of the
// seal.
func (r *Receipt) Verify(archive *signing.Certificate, log string) (*life.Seal, error) {
	s, a, err := r.seal(archive)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(r.ContentKey)
	if err != nil || len(key) != sha256.Size || codeDigest(key, r.ArchiveCode) != s.ArchiveCode {
		return nil, fmt.Errorf("%w: the archive code is not the seal's", ErrProof)
	}
	return s, entered(a, r.Entry, r.Proof, log)
}

// VerifyDeclaration checks, besides, that what was archived is just this
// declaration, and through the digests in it its documents.
func (r *Receipt) VerifyDeclaration(archive *signing.Certificate, log string, d *dossier.Declaration) (*life.Seal, error) {
	s, err := r.Verify(archive, log)
	if err != nil {
		return nil, err
	}
	canonical, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(r.ContentKey)
	if err != nil || contentDigest(key, canonical) != s.Content {
		return nil, fmt.Errorf("%w: another declaration was archived", ErrProof)
	}
	return s, nil
}

// seal reads the seal in a receipt.
func (r *Receipt) seal(archive *signing.Certificate) (*life.Seal, *chain.Act, error) {
	a, err := chain.Parse([]byte(r.Seal), archive)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: seal: %w", ErrProof, err)
	}
	var s life.Seal
	if err := a.Decode(&s); err != nil || a.Type != life.Ingestion || a.Chain != life.Chain(r.Dossier) {
		return nil, nil, fmt.Errorf("%w: the act is not this dossier's ingestion", ErrProof)
	}
	return &s, a, nil
}

// Verify checks a certificate of destruction likewise, with every act in it.
func (c *Certificate) Verify(archive *signing.Certificate, log string) error {
	want := []string{life.DestructionBegun, life.KeysCondemned, life.Destroyed}
	var acts []*chain.Act
	for _, raw := range c.Acts {
		a, err := chain.Parse([]byte(raw), archive)
		if err != nil {
			return fmt.Errorf("%w: act: %w", ErrProof, err)
		}
		acts = append(acts, a)
	}
	for len(acts) > len(want) && acts[0].Type == want[0] && acts[1].Type == want[0] {
		acts = acts[1:] // begun, stopped, and begun again
	}
	if len(acts) != len(want) {
		return fmt.Errorf("%w: acts are missing", ErrProof)
	}
	var under string
	for i, a := range acts {
		var d life.Destruction
		if err := a.Decode(&d); err != nil || a.Type != want[i] || a.Chain != life.Chain(c.Dossier) || i > 0 && d.Case != under {
			return fmt.Errorf("%w: act %d is not %q of this dossier and case", ErrProof, i+1, want[i])
		}
		under = d.Case
	}
	if err := c.verifyCase(archive, under); err != nil {
		return err
	}
	return entered(acts[len(acts)-1], c.Entry, c.Proof, log)
}

// verifyCase checks that the case is whole up to its decision, that the law's
// order and four eyes were kept, and that the decision covers the dossier.
func (c *Certificate) verifyCase(archive *signing.Certificate, name string) error {
	var steps []*chain.Act
	prev := strings.Repeat("0", 64)
	for i, raw := range c.Case {
		a, err := chain.Parse([]byte(raw), archive)
		if err != nil || a.Chain != life.CaseChain(name) || a.N != i+1 || a.Prev != prev {
			return fmt.Errorf("%w: step %d of the case", ErrProof, i+1)
		}
		steps, prev = append(steps, a), a.Digest()
	}
	k, err := life.CaseOf(steps)
	if err != nil || !k.Condemns(c.Dossier) {
		return fmt.Errorf("%w: the decision does not cover this dossier", ErrProof)
	}
	if err := retention.CheckSteps(k.Steps); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}

// entered checks that the act is in the ledger.
func entered(a *chain.Act, entry, proof, log string) error {
	if _, err := audit.VerifyProof(log, []byte(entry), []byte(proof)); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	e, err := audit.ParseEntry([]byte(entry))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	if e.Act != a.Digest() || e.Chain != a.Chain || e.N != a.N {
		return fmt.Errorf("%w: the ledger entry is of another act", ErrProof)
	}
	return nil
}

// writeProof adds to a disseminated package what makes it prove itself.
func (c *Copy) writeProof(z *zip.Writer) error {
	receipt, err := c.Receipt.Encode()
	if err != nil {
		return err
	}
	certificate, err := c.a.Keyring.Archive.Certificate().Armor()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"proof/receipt.json", receipt},
		{"proof/archive.asc", certificate},
		{"proof/log.vkey", []byte(c.a.Keyring.LogVerifier + "\n")},
		{"proof/dissemination.json", c.granted.Raw},
		{"proof/dissemination.proof", c.proof},
		{"proof/README.txt", []byte(proofReadme)},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store, Modified: c.granted.Time})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	return nil
}

// ParseReceipt reads a receipt.
func ParseReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := jcs.Unmarshal(b, r); err != nil || r.V != 1 {
		return nil, fmt.Errorf("%w: not a receipt of version 1: %v", ErrProof, err)
	}
	return r, nil
}

// ParseCertificate reads a certificate of destruction.
func ParseCertificate(b []byte) (*Certificate, error) {
	c := new(Certificate)
	if err := jcs.Unmarshal(b, c); err != nil || c.V != 1 {
		return nil, fmt.Errorf("%w: not a certificate of version 1: %v", ErrProof, err)
	}
	return c, nil
}

const proofReadme = `HỒ SƠ LƯU TRỮ TỰ CHỨNG MINH / A RECORD THAT PROVES ITSELF

Tiếng Việt
1. Tài liệu nguyên vẹn:   cd urn_*; sha256sum -c documentation/sha256sums.txt
2. Chữ ký của kho lưu trữ: METS.xml.asc ký trên METS.xml; kiểm tra bằng công cụ OpenPGP
   (RFC 9580) với chứng thư proof/archive.asc, ví dụ:
   sqop verify METS.xml.asc ../proof/archive.asc < METS.xml
3. Niêm phong và nhật ký: luutru verify TỆP.zip, hoặc theo docs/format.md mục 8 của luutru.
So sánh vân tay của proof/archive.asc và nội dung proof/log.vkey với bản do kho lưu trữ công bố.

English
1. Documents unchanged:    cd urn_*; sha256sum -c documentation/sha256sums.txt
2. The archive's signature: METS.xml.asc signs METS.xml; check it with any OpenPGP tool
   (RFC 9580) and the certificate proof/archive.asc, for example:
   sqop verify METS.xml.asc ../proof/archive.asc < METS.xml
3. Seal and ledger: luutru verify FILE.zip, or follow section 8 of luutru's docs/format.md.
Compare the fingerprint of proof/archive.asc and proof/log.vkey with what the archive publishes.
`
