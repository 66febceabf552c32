package retention

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The errors that an Error wraps. Test for them with errors.Is.
var (
	// ErrSchedule: the file is not a schedule that may be used. Correct it;
	// nothing was changed.
	ErrSchedule = errors.New("retention schedule not valid")
	// ErrOrder: a step is missing, unknown, out of order or out of time, or
	// comes after the case was closed. Take the missing step first.
	ErrOrder = errors.New("steps of the destruction out of order")
	// ErrFourEyes: one person took two of the parts. Somebody else must act.
	ErrFourEyes = errors.New("one person in two parts of a destruction")
	// ErrLate: more than 15 days between decision and execution. A new
	// decision is needed.
	ErrLate = errors.New("deadline of the destruction passed")
)

// An Error lists every problem that was found. It wraps the sentinel of each.
type Error struct {
	Problems []Reason
	kinds    []error // without duplicates
}

// Error returns the English texts, one a line.
func (e *Error) Error() string {
	var b strings.Builder
	for i, kind := range e.kinds {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(kind.Error())
	}
	for _, p := range e.Problems {
		b.WriteString("\n\t")
		if p.About != "" {
			b.WriteString(p.About + ": ")
		}
		b.WriteString(p.English)
	}
	return b.String()
}

// Unwrap returns the sentinels.
func (e *Error) Unwrap() []error { return e.kinds }

func (e *Error) add(kind error, p Reason) {
	if !slices.Contains(e.kinds, kind) {
		e.kinds = append(e.kinds, kind)
	}
	e.Problems = append(e.Problems, p)
}

// orNil returns e as an error if it has problems.
func (e *Error) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// A Step is something that somebody did in the case of a destruction (hồ sơ
// hủy).
type Step struct {
	// Kind is "proposed", "reviewed" (by a member of the council; one or more),
	// "appraised" (by the archives authority; where the law asks for it),
	// "approved" or "rejected", and "executed", in this order.
	Kind  string
	Agent string // pseudonym
	Time  time.Time
}

// A Finding is what a member of the council found on a dossier of the case.
type Finding struct {
	Dossier string
	Outcome string    // "destroy", "keep" (Years more), "permanent" or "transfer"
	Years   int       // 1 to 70 with "keep", counted from the year of Time
	Time    time.Time // of the finding or, in Facts, of the decision on it
}

const (
	outcomeDestroy   = "destroy"
	outcomeKeep      = "keep"
	outcomePermanent = "permanent"
	outcomeTransfer  = "transfer"

	stepApproved = "approved"
	stepRejected = "rejected"
	stepExecuted = "executed"

	// executionDays is the time from the decision to the destruction.
	executionDays = 15
)

// check returns what is wrong with a finding, or nil.
func (f Finding) check() *Reason {
	switch f.Outcome {
	case outcomeDestroy, outcomePermanent, outcomeTransfer:
		if f.Years == 0 && !f.Time.IsZero() {
			return nil
		}
	case outcomeKeep:
		if f.Years >= 1 && f.Years <= maxYears && !f.Time.IsZero() {
			return nil
		}
	}
	return textFoundInvalid(f)
}

// rank is the place of a kind in the order, 0 if unknown.
func rank(kind string) int {
	switch kind {
	case "proposed":
		return 1
	case "reviewed":
		return 2
	case "appraised":
		return 3
	case stepApproved, stepRejected:
		return 4
	case stepExecuted:
		return 5
	}
	return 0
}

// CheckSteps reports whether steps are the beginning of a lawful destruction,
// or the whole of one: in order, each by a different agent, executed within 15
// days of the decision and never after a rejection. To ask whether a step may
// be taken, append it with the time it would have.
func CheckSteps(steps []Step) error {
	var e Error
	for i, s := range steps {
		at := "step " + strconv.Itoa(i+1)
		if rank(s.Kind) == 0 {
			e.add(ErrOrder, Reason{"step-unknown", at, "Không có bước " + s.Kind + ".", "There is no step " + s.Kind + "."})
			continue
		}
		if s.Agent == "" {
			e.add(ErrFourEyes, Reason{"step-agent", at, "Bước " + s.Kind + " không rõ người thực hiện.", "Step " + s.Kind + " names nobody."})
		}
		if s.Time.IsZero() {
			e.add(ErrOrder, Reason{"step-time", at, "Bước " + s.Kind + " không có thời gian.", "Step " + s.Kind + " has no time."})
		}
		checkBefore(&e, steps[:i], s, at)
	}
	return e.orNil()
}

// checkBefore checks a step against those before it.
func checkBefore(e *Error, before []Step, s Step, at string) {
	for j, b := range before {
		if b.Agent == s.Agent && s.Agent != "" {
			e.add(ErrFourEyes, Reason{"step-same-agent", at,
				"Bước " + s.Kind + " do chính người đã làm bước " + b.Kind + " (bước " + strconv.Itoa(j+1) + ") thực hiện: phải là người khác.",
				"Step " + s.Kind + " was taken by whoever took step " + strconv.Itoa(j+1) + ", " + b.Kind + ": it must be somebody else."})
		}
	}
	if n := len(before); n > 0 && s.Time.Before(before[n-1].Time) {
		e.add(ErrOrder, Reason{"step-backwards", at,
			"Bước " + s.Kind + " có thời gian trước bước liền trước.", "Step " + s.Kind + " is earlier than the step before it."})
	}
	if !follows(before, s.Kind) {
		e.add(ErrOrder, Reason{"step-order", at,
			"Bước " + s.Kind + " không được phép ở vị trí này: trình tự là đề nghị, xét hủy, (thẩm định), quyết định, thực hiện.",
			"Step " + s.Kind + " may not stand here: the order is proposed, reviewed, (appraised), approved or rejected, executed."})
		return
	}
	if s.Kind != stepExecuted {
		return
	}
	decided := before[len(before)-1].Time
	if deadline := executionDeadline(decided); !s.Time.Before(deadline) {
		last := day(deadline.Add(-time.Second))
		e.add(ErrLate, Reason{"step-late", at,
			"Quyết định ngày " + day(decided) + " phải được thực hiện chậm nhất ngày " + last + ": cần quyết định mới.",
			"The decision of " + day(decided) + " was to be executed by " + last + ": a new decision is needed."})
	}
}

// follows reports whether a step of this kind may come after those before it.
func follows(before []Step, kind string) bool {
	if len(before) == 0 {
		return kind == "proposed"
	}
	last := before[len(before)-1].Kind
	switch kind {
	case "reviewed":
		return last == "proposed" || last == "reviewed"
	case "appraised":
		return last == "reviewed"
	case stepApproved, stepRejected:
		return last == "reviewed" || last == "appraised"
	case stepExecuted:
		return last == stepApproved
	}
	return false
}

// executionDeadline returns the first instant that is too late.
func executionDeadline(decided time.Time) time.Time {
	y, m, d := decided.In(local()).Date()
	return time.Date(y, m, d+executionDays+1, 0, 0, 0, 0, local())
}

// Executable returns the dossiers of a case that may be destroyed, sorted, and
// for each other one why not. Steps must reach the approval and may include
// the execution that is about to begin. A dossier may be destroyed if every
// finding on it, and at least one, says so, and if its verdict, decided anew by
// the caller, is Due and does not ask for a transfer.
func Executable(steps []Step, findings []Finding, verdicts map[string]Verdict) (may []string, kept []Reason, err error) {
	if err := CheckSteps(steps); err != nil {
		return nil, nil, err
	}
	if n := len(steps); n == 0 || steps[n-1].Kind != stepApproved && steps[n-1].Kind != stepExecuted {
		var e Error
		e.add(ErrOrder, Reason{"not-approved", "",
			"Chưa có quyết định phê duyệt hủy.", "There is no approval of the destruction."})
		return nil, nil, e.orNil()
	}
	found := make(map[string][]Finding, len(findings))
	for _, f := range findings {
		found[f.Dossier] = append(found[f.Dossier], f)
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	for id := range verdicts {
		if _, ok := found[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		v, known := verdicts[id]
		if r := bars(id, found[id], v, known); r != nil {
			kept = append(kept, *r)
		} else {
			may = append(may, id)
		}
	}
	return may, kept, nil
}

// bars returns why a dossier may not be destroyed, or nil.
func bars(id string, findings []Finding, v Verdict, known bool) *Reason {
	if len(findings) == 0 {
		return &Reason{"not-reviewed", id, "Hội đồng chưa xét hồ sơ này.", "The council has not reviewed this dossier."}
	}
	for _, f := range findings {
		if r := f.check(); r != nil {
			return r
		}
		if f.Outcome != outcomeDestroy {
			return &Reason{"found-otherwise", id,
				"Hội đồng có kết luận khác với hủy (" + f.Outcome + "): giữ lại.",
				"A finding of the council is not destroy but " + f.Outcome + ": kept."}
		}
	}
	switch {
	case !known:
		return &Reason{"no-verdict", id, "Chưa xét lại thời hạn của hồ sơ này.", "There is no current verdict on this dossier."}
	case v.Status != Due || len(v.Holds) > 0:
		return &Reason{"not-due", id,
			"Hồ sơ chưa đến hạn hoặc đang bị giữ (" + string(v.Status) + ").",
			"The dossier is not due but " + string(v.Status) + "."}
	case v.Action != actionDestroy && v.Action != actionReview:
		return &Reason{"not-for-destruction", id,
			"Hồ sơ phải nộp vào lưu trữ lịch sử, không được hủy.",
			"The dossier goes to the historical archive; it may not be destroyed."}
	}
	return nil
}
