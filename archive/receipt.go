package archive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
)

// Receipt is the archive's word that it has the dossier (docs/format.md §8).
type Receipt struct {
	V           int    `json:"v"`
	Archive     string `json:"archive"`
	ArchiveCode string `json:"archive_code"` // mã lưu trữ hồ sơ
	Code        string `json:"code"`
	ContentKey  string `json:"content_key"` // under it the seal's content and archive code are digests
	Dossier     string `json:"dossier"`
	Seal        string `json:"seal"`
	Entry       string `json:"entry"`
	Proof       string `json:"proof"`
}

// receipt puts together what is stored and signed already, so that it is the
// same whenever it is asked for.
func (a *Archive) receipt(ctx context.Context, agency, code string, seal *chain.Act) (*Receipt, error) {
	e, proof, err := a.entry(ctx, seal)
	if err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(seal.Chain, life.Chain(""))
	return &Receipt{
		V: 1, Archive: a.name, ArchiveCode: a.archiveCode(&dossier.Declaration{Agency: agency, Code: code}), Code: code,
		ContentKey: hex.EncodeToString(a.Keyring.content(id)), Dossier: id, Seal: string(seal.Raw()), Entry: string(e.Raw), Proof: string(proof),
	}, nil
}

// Receipt returns the receipt of a dossier that is in the archive, to a producer
// of its agency. The code is the one under which it was pushed, after the agency
// and a slash if it does not tell the agency.
func (a *Archive) Receipt(ctx context.Context, by Agent, code string) (*Receipt, error) {
	if err := by.may(push); err != nil {
		if by.may(read) != nil {
			return nil, err
		}
	}
	if idForm.MatchString(code) {
		return nil, fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	id, err := a.visible(ctx, by, code)
	if err != nil {
		return nil, err
	}
	_, seal, act, err := a.sealed(ctx, id)
	if err != nil {
		return nil, err
	}
	if rest, ok := strings.CutPrefix(code, a.Code+"."); ok && tellsAgency(rest) {
		code = rest
	}
	code = strings.TrimPrefix(code, seal.Agency+"/")
	if a.Keyring.dossier(seal.Agency, code) != id {
		return nil, fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	return a.receipt(ctx, seal.Agency, code, act)
}

// archiveCode returns the code that a dossier gets in the archive (Decree
// 113/2025/ND-CP: code of the archive, then that of the dossier). All spellings of a
// dossier's code lead to one archive code.
func (a *Archive) archiveCode(d *dossier.Declaration) string {
	return a.Code + "." + dossier.CanonicalCode(d.Agency, d.Code)
}

// contentDigest is what a seal has of a declaration in canonical JSON.
func contentDigest(key, canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return contentOf(key, sum[:])
}

// contentOf is the same of the declaration's digest.
func contentOf(key, sum []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write(sum)
	return hex.EncodeToString(m.Sum(nil))
}

// codeDigest is what a seal has of an archive code.
func codeDigest(key []byte, code string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("archive code\x00" + code))
	return hex.EncodeToString(m.Sum(nil))
}

// Findings returns what the checks at intake came to: codes and documents, with
// what the catalogue says of the codes. They are read from the seal as it stands
// in the receipt; Verify says whether it is the archive's.
func (r *Receipt) Findings() ([]intake.Finding, error) {
	line, _, _ := strings.Cut(r.Seal, "\n")
	var act chain.Act
	var s life.Seal
	if err := errors.Join(jcs.Unmarshal([]byte(line), &act), act.Decode(&s)); err != nil {
		return nil, fmt.Errorf("%w: seal: %w", ErrProof, err)
	}
	var found []intake.Finding
	for _, f := range s.Findings {
		one := intake.Finding{Code: f.Code, Check: checkOf(f.Code), Outcome: outcomeOf(f.Code), Document: intake.Dossier}
		if len(f.Documents) == 0 {
			found = append(found, one)
		}
		for _, one.Document = range f.Documents {
			found = append(found, one)
		}
	}
	return found, nil
}

// checkOf returns the kind of check that a code in a seal belongs to.
func checkOf(code string) string {
	if rule, known := intake.RuleOf(code); known {
		return rule.Check
	}
	switch family, _, _ := strings.Cut(code, "."); family {
	case "format":
		return intake.Identification
	case "virus":
		return intake.VirusCheck
	case "signature":
		return intake.SignatureCheck
	case "component", "dossier", "opinions":
		return intake.Completeness
	case "bag", "fixity":
		return intake.Fixity
	}
	return intake.Validation
}

// outcomeOf tells how a check ended of which a seal has the code only: what is in
// the catalogue is an objection that the policy let through.
func outcomeOf(code string) intake.Outcome {
	if _, objection := intake.RuleOf(code); objection {
		return intake.Warning
	}
	return intake.Pass
}
