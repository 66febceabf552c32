package dossier

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with what was pushed. The texts say what
// it is and what to do about it; neither they nor Field repeat a value, so that
// a problem can be logged.
type Problem struct {
	Code       string `json:"code"`  // stable, document.digest_mismatch
	Field      string `json:"field"` // path in the declaration, documents[2].sha256
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

// ValidationError carries all problems found.
type ValidationError struct {
	Problems []Problem
}

// Error names the codes and fields, not the texts.
func (e *ValidationError) Error() string {
	const shown = 5
	var b strings.Builder
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, ", and %d more", len(e.Problems)-shown)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Code)
		if p.Field != "" {
			b.WriteString(" at " + p.Field)
		}
	}
	return fmt.Sprintf("%d problems: %s", len(e.Problems), b.String())
}

// maxProblems keeps the answer to a hostile declaration small.
const maxProblems = 500

type problems struct {
	list []Problem
}

func (p *problems) add(code, field, vietnamese, english string) {
	switch {
	case len(p.list) < maxProblems:
		p.list = append(p.list, Problem{code, field, vietnamese, english})
	case len(p.list) == maxProblems:
		p.list = append(p.list, Problem{"problems.more", "",
			"Còn nhiều lỗi khác chưa liệt kê; hãy sửa các lỗi trên rồi gửi lại.",
			"There are more problems than are listed; correct these and push again."})
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &ValidationError{p.list}
}
