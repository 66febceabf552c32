package life

import (
	"fmt"
	"slices"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/retention"
)

// Types of acts in the chain of a destruction case.
const (
	Proposed = "destruction proposed"
	Reviewed = "destruction reviewed"
	Decided  = "destruction decided"
	Executed = "destruction executed"
)

// Proposal is the body of a destruction proposed.
type Proposal struct {
	Dossiers []string `json:"dossiers"`
}

// Finding is what the review found of one dossier.
type Finding struct {
	Dossier string `json:"dossier"`
	Finding string `json:"finding"` // "destroy" or "keep"
}

// Review is the body of a destruction reviewed.
type Review struct {
	Findings []Finding `json:"findings"`
}

// Decision is the body of a destruction decided.
type Decision struct {
	Approved bool     `json:"approved"`
	Dossiers []string `json:"dossiers"`
}

// Execution is the body of a destruction executed.
type Execution struct {
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is what became of one dossier: "destroyed", or why not.
type Outcome struct {
	Dossier string `json:"dossier"`
	Outcome string `json:"outcome"`
}

// Case is the sum of the acts of a destruction case.
type Case struct {
	Steps    []retention.Step
	Proposed []string
	Findings []Finding
	Decision *Decision
	Outcomes []Outcome
}

// CaseChain returns the name of a case's chain.
func CaseChain(name string) string { return "cases/" + name }

// StepOf returns the step of the disposal procedure that an act is; its kind is
// empty if the act is none.
func StepOf(act string, body any, by string, at time.Time) retention.Step {
	s := retention.Step{Agent: by, Time: at}
	switch act {
	case Proposed:
		s.Kind = "proposed"
	case Reviewed:
		s.Kind = "reviewed"
	case Decided:
		s.Kind = "rejected"
		if d, ok := body.(*Decision); ok && d.Approved {
			s.Kind = "approved"
		}
	case Executed:
		s.Kind = "executed"
	}
	return s
}

// CaseOf adds up the acts of a case. Whether the right people took the steps in
// the right order is for retention.CheckSteps to say.
func CaseOf(acts []*chain.Act) (*Case, error) {
	c := &Case{}
	for _, a := range acts {
		if err := c.add(a); err != nil {
			return nil, fmt.Errorf("%s: %w", chain.Key(a.Chain, a.N), err)
		}
		c.Steps = append(c.Steps, StepOf(a.Type, c.Decision, a.By, a.When()))
	}
	return c, nil
}

func (c *Case) add(a *chain.Act) error {
	switch a.Type {
	case Proposed:
		var b Proposal
		if err := a.Decode(&b); err != nil {
			return err
		}
		c.Proposed = b.Dossiers
	case Reviewed:
		var b Review
		if err := a.Decode(&b); err != nil {
			return err
		}
		for _, f := range b.Findings {
			if !slices.Contains(c.Proposed, f.Dossier) {
				return fmt.Errorf("finding on a dossier that was not proposed")
			}
		}
		c.Findings = append(c.Findings, b.Findings...)
	case Decided:
		c.Decision = new(Decision)
		if err := a.Decode(c.Decision); err != nil {
			return err
		}
	case Executed:
		var b Execution
		if err := a.Decode(&b); err != nil {
			return err
		}
		c.Outcomes = b.Outcomes
	default:
		return fmt.Errorf("unknown act %q", a.Type)
	}
	return nil
}

// Fit returns the dossiers that every review found fit for destruction.
func (c *Case) Fit() []string {
	found := map[string]bool{}
	for _, f := range c.Findings {
		fit, seen := found[f.Dossier]
		found[f.Dossier] = (fit || !seen) && f.Finding == "destroy"
	}
	var fit []string
	for _, id := range c.Proposed {
		if found[id] {
			fit = append(fit, id)
		}
	}
	return fit
}

// Condemns reports whether the decision lets the dossier be destroyed: it was
// proposed, every review found it fit for destruction, and it is in an approved decision.
func (c *Case) Condemns(dossier string) bool {
	return c.Decision != nil && c.Decision.Approved && slices.Contains(c.Decision.Dossiers, dossier) && slices.Contains(c.Fit(), dossier)
}
