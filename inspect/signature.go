package inspect

import (
	"encoding/hex"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/docsig"
	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/intake"
)

// formTimestamp is a signature that proves a time, and no author.
const formTimestamp = "DocTimeStamp"

const maxDetached = 4 << 20 // bytes of a signature kept beside its document

// signatures verifies what is signed, in the document or of the document beside which it lies. A result without any is a finding.
func (l *look) signatures() {
	signed := false
	for _, s := range l.verify() {
		signed = signed || s.Form != formTimestamp
		code, outcome := judged(&s)
		l.add(code, intake.SignatureCheck, outcome, agent, describeSignature(&s))
	}
	if !signed && l.doc.Role == "result" && !l.detachedOf(l.doc.Name) && !isDetached(l.doc.Name) {
		l.add("signature.none", intake.SignatureCheck, intake.Warning, agent, "")
	}
}

func (l *look) verify() []trust.Signature {
	now := l.i.cfg.Now()
	if isDetached(l.doc.Name) || l.doc.MediaType == "application/pkcs7-signature" {
		if sigs := l.beside(now); len(sigs) > 0 {
			return sigs
		}
	}
	if !l.signed || !l.sound {
		return nil
	}
	sigs, err := docsig.Verify(l.ctx, path.Base(l.doc.Name), l.doc.MediaType, l.r, l.size, l.i.cfg.Anchors, now)
	if err != nil && l.ctx.Err() == nil {
		l.unreadable()
	}
	return sigs
}

// isDetached tells by its name whether a document is a signature of another.
func isDetached(name string) bool { return strings.EqualFold(path.Ext(name), ".p7s") }

// detachedOf tells whether a signature of the document lies beside it: a.pdf.p7s, or a.p7s.
func (l *look) detachedOf(name string) bool {
	for _, other := range l.d.Documents {
		if isDetached(other.Name) && belongs(other.Name, name) {
			return true
		}
	}
	return false
}

func belongs(sig, name string) bool {
	stem := strings.TrimSuffix(sig, path.Ext(sig))
	return stem == name || stem == strings.TrimSuffix(name, path.Ext(name))
}

// beside verifies the document as a signature of the one that its name points to, or else of any other, by the digests that the
// declaration gives: whether they are those of the bytes is checked where the bytes come in.
func (l *look) beside(now time.Time) []trust.Signature {
	if l.size > maxDetached {
		return nil
	}
	der := make([]byte, l.size)
	if n, err := l.r.ReadAt(der, 0); n < len(der) && err != io.EOF {
		l.unreadable()
		return nil
	}
	var sigs []trust.Signature
	for _, k := range l.candidates() {
		digest, err := hex.DecodeString(l.d.Documents[k].SHA256)
		if err != nil || len(digest) != 32 {
			continue
		}
		found, err := docsig.Detached(l.ctx, der, digest, l.i.cfg.Anchors, now)
		if err != nil || len(found) == 0 {
			continue
		}
		if sigs == nil { // the one it is named after, whatever the result
			sigs = found
		}
		if !slices.ContainsFunc(found, func(s trust.Signature) bool { return s.Reason == trust.Digest }) {
			return found
		}
	}
	return sigs
}

// candidates are the documents that a detached signature may be of, those its name points to first.
func (l *look) candidates() []int {
	const most = 100
	var named, rest []int
	for k, other := range l.d.Documents {
		switch {
		case k == l.n || isDetached(other.Name):
		case belongs(l.doc.Name, other.Name):
			named = append(named, k)
		default:
			rest = append(rest, k)
		}
	}
	if len(named) > 0 {
		return named
	}
	return rest[:min(len(rest), most)]
}

// judged gives the code and outcome of a verified signature.
func judged(s *trust.Signature) (string, intake.Outcome) {
	if s.Status == trust.Valid {
		return "signature.valid", intake.Pass
	}
	outcome := intake.Failure
	if s.Status == trust.Indeterminate {
		outcome = intake.Indeterminate
	}
	switch s.Reason {
	case trust.Partial:
		if s.Status == trust.Invalid { // what came after signing changes what is shown
			return "signature.invalid", outcome
		}
		return "signature.partial", outcome
	case trust.Untrusted:
		return "signature.untrusted", outcome
	case trust.Expired, trust.NotYetValid:
		return "signature.expired", outcome
	case trust.Revoked:
		return "signature.revoked", outcome
	}
	if s.Status == trust.Invalid {
		return "signature.invalid", outcome
	}
	return "signature.indeterminate", outcome
}

// describeSignature is for PREMIS: it holds the signer's name.
func describeSignature(s *trust.Signature) string {
	out := []string{s.Form, string(s.Status)}
	add := func(key, value string) {
		if value != "" {
			out = append(out, key+": "+value)
		}
	}
	add("reason", strings.TrimSpace(s.Reason+" "+s.Detail))
	if s.Signer != nil {
		add("signer", s.Signer.Subject)
		add("issuer", s.Signer.Issuer)
		add("serial", s.Signer.Serial)
		add("certificate SHA-256", s.Signer.SHA256)
	}
	if !s.Claimed.IsZero() {
		add("claimed", s.Claimed.UTC().Format(time.RFC3339))
	}
	if !s.Proved.IsZero() {
		add("proved", s.Proved.UTC().Format(time.RFC3339))
	}
	add("revocation", s.Revocation)
	if s.Whole {
		out = append(out, "covers the whole document")
	}
	return strings.Join(out, "; ")
}
