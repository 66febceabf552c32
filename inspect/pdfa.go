package inspect

import (
	"errors"
	"strings"

	"github.com/luutru/luutru/inspect/pdfa"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/internal/pdf"
)

// claimed prepares the check of a file that says it is PDF/A.
func (l *look) claimed(f *pdf.File) *pdfa.Check {
	l.xmp = pdfa.Metadata(f)
	claim := pdfa.Claimed(l.xmp)
	if claim.Part == 0 {
		return nil
	}
	l.claim = claim.String()
	return pdfa.New(f, l.r, l.size, claim, l.xmp)
}

// archival judges what a file claims, and what a digitised paper should be: PDF/A with a text layer behind the picture.
func (l *look) archival(check *pdfa.Check) {
	if check == nil {
		if l.doc.Origin == "digitised" {
			l.add("pdfa.missing", intake.Validation, intake.Warning, agent, "")
		}
		return
	}
	violations, layers, err := check.Finish()
	var broken []string
	for _, v := range violations {
		broken = append(broken, v.Clause+" "+v.Text)
	}
	switch {
	case len(broken) > 0:
		l.add("pdfa.violation", intake.Validation, intake.Failure, agent, l.claim+": "+strings.Join(broken, "; "))
	case errors.Is(err, pdfa.ErrUnchecked):
		l.add("pdfa.unchecked", intake.Validation, intake.Indeterminate, agent, l.claim+": part of the standard not checked")
	case err != nil:
		l.add("pdfa.unchecked", intake.Validation, intake.Indeterminate, agent, l.claim+": not all of the file could be read")
	default:
		l.add("pdfa.valid", intake.Validation, intake.Pass, agent, l.claim+": no violation of the clauses checked")
	}
	if l.doc.Origin == "digitised" && err == nil && layers.Images > layers.Text {
		l.add("pdfa.no_text", intake.Validation, intake.Warning, agent, "")
	}
}
