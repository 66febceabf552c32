package intake

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/luutru/luutru/dossier"
)

// Judgement is what becomes of a dossier.
type Judgement struct {
	Rejected []dossier.Problem // any: the dossier is refused
	Waiting  []Finding         // any, and nothing rejected: it is to be pushed again later
	Kept     []Finding         // what stands in seal and PREMIS of a dossier that is taken in
}

// Judge decides what the findings mean for a dossier of the producer.
func (p *Policy) Judge(producer string, found []Finding) Judgement {
	var j Judgement
	for _, f := range found {
		if f.Outcome == Pass {
			j.Kept = append(j.Kept, f)
			continue
		}
		switch p.action(producer, f) {
		case Reject:
			j.Rejected = append(j.Rejected, f.Problem())
		case Wait:
			j.Waiting = append(j.Waiting, f)
		default:
			j.Kept = append(j.Kept, f)
		}
	}
	return j
}

// action finds what to do. A code that is in no catalogue comes from a slip of
// ours; it must not let a failure through.
func (p *Policy) action(producer string, f Finding) Action {
	rule, known := RuleOf(f.Code)
	fallback := rule.Default
	if !known {
		fallback = Warn
		if f.Outcome == Failure {
			fallback = Reject
		}
	}
	return cmp.Or(p.Producers[producer][f.Code], p.Actions[f.Code], fallback)
}

// Problem returns the finding as a problem for whoever pushed the dossier. It
// holds nothing of the finding's detail.
func (f *Finding) Problem() dossier.Problem {
	r, known := RuleOf(f.Code)
	if !known {
		r = Rule{Vietnamese: "Kiểm tra này không đạt.", English: "This check failed."}
	}
	p := dossier.Problem{Code: f.Code, Vietnamese: r.Vietnamese, English: r.English}
	if f.Document >= 0 {
		p.Field = fmt.Sprintf("documents[%d]", f.Document)
	}
	return p
}

// vietnam is the time by which days are counted.
func vietnam() *time.Location { return time.FixedZone("+07:00", 7*60*60) }

// Declared checks what can be told from the declaration and the time: whether
// all components are there, and whether the dossier comes late.
func (p *Policy) Declared(d *dossier.Declaration, now time.Time) []Finding {
	var found []Finding
	add := func(code, detail string) {
		found = append(found, Finding{Code: code, Check: Completeness, Outcome: Warning, Document: Dossier, Detail: detail})
	}
	for _, c := range slices.Concat(p.Components["*"], p.Components[d.Procedure]) {
		if c.missingIn(d) {
			add("component.missing", c.Name)
		}
	}
	if len(found) == 0 {
		found = append(found, Finding{Code: "component.complete", Check: Completeness, Outcome: Pass, Document: Dossier})
	}
	if len(d.Opinions) == 0 && slices.ContainsFunc(d.Documents, func(doc dossier.Document) bool { return doc.Role == "processing" }) {
		add("opinions.missing", "")
	}
	if days, late := p.Late(d.Closed, now); late {
		add("dossier.late", fmt.Sprintf("%d ngày sau khi kết thúc, hạn %d ngày · %d days after the end, %d allowed", days, p.LateDays, days, p.LateDays))
	}
	return found
}

// Late tells how many days after its closing date (2026-11-24) a dossier is
// submitted at a time, and whether that is too late.
func (p *Policy) Late(closed string, now time.Time) (days int, late bool) {
	day, err := time.ParseInLocation(time.DateOnly, closed, vietnam())
	if err != nil {
		return 0, false
	}
	days = int(now.In(vietnam()).Sub(day) / (24 * time.Hour))
	return days, days > p.LateDays
}

func (c *Component) missingIn(d *dossier.Declaration) bool {
	if len(c.Outcomes) > 0 && !slices.Contains(c.Outcomes, d.Outcome) {
		return false
	}
	n := 0
	for _, doc := range d.Documents {
		if doc.Role == c.Role && (c.Code == "" || doc.Component == c.Code) && (len(c.Types) == 0 || slices.Contains(c.Types, doc.Type)) {
			n++
		}
	}
	return n < max(c.Copies, 1)
}

// Permits reports whether a format may be archived, by media type or PRONOM
// identifier.
func (p *Policy) Permits(formats ...string) bool {
	return len(p.Formats) == 0 || slices.ContainsFunc(formats, func(f string) bool { return slices.Contains(p.Formats, f) })
}
