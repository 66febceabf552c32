// Package conform is the conformance kit: it runs every rule of this archive
// over a package that a source system made, without an archive, and reports each
// as passed, failed, of less weight, or not applicable, in Vietnamese and English,
// with its legal source and how to mend what failed.
//
// Rules are those of the packages that ask them when a dossier is pushed: form
// and declaration (submission, dossier), E-ARK requirements (eark), RFC 8493
// (bagit), documents (inspect), completeness and policy (intake). So a package
// that conforms here is taken in there, but for what only an archive can know:
// who pushes, and what it holds already.
//
// Nothing is sent anywhere; [Fetch] alone uses a network, for one address.
package conform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/submission"
)

// Status is the outcome of one rule for one package.
type Status string

// Statuses.
const (
	Pass          Status = "pass"
	Fail          Status = "fail"
	Warn          Status = "warning"        // the package is taken all the same
	NotApplicable Status = "not applicable" // not asked of this form, or nothing to ask it of
)

// Config says what the kit asks with.
type Config struct {
	Policy    *intake.Policy     // the archive's; the default where nil
	Inspector *inspect.Inspector // looks into documents; where nil, those rules are not asked
	Limits    dossier.Limits
	Now       func() time.Time // the present; must be set
	Temp      string           // folder for large documents; the system's where empty
}

// Source is a package: a file, or a folder.
type Source struct {
	Name string // for the report
	R    io.ReaderAt
	Size int64
	FS   fs.FS // the folder, where R is nil
	Base string
}

// Finding is one rule that was not met, with the places.
type Finding struct {
	Code       string   `json:"code"`
	Status     Status   `json:"status"`
	Places     []string `json:"places,omitempty"` // documents[2], or files of the package; 20 at most
	More       int      `json:"more,omitempty"`   // places beyond those
	Vietnamese string   `json:"vi"`               // what is wrong and what to do
	English    string   `json:"en"`
	Source     string   `json:"source"`
}

// Result is the outcome for one package.
type Result struct {
	Name     string    `json:"name"`
	Form     string    `json:"form"` // eark, bagit, plain; empty where it is none of them
	OK       bool      `json:"ok"`   // nothing failed
	Findings []Finding `json:"findings"`

	statuses []Status // in the order of the catalogue
}

// Kit runs the rules. It may be used by several goroutines.
type Kit struct {
	config Config
	rules  []Rule
	at     map[string]int
}

// New returns a kit.
func New(config Config) (*Kit, error) {
	if config.Now == nil {
		return nil, errors.New("conform: no clock")
	}
	if config.Policy == nil {
		config.Policy = intake.Default()
	}
	k := &Kit{config: config, rules: Catalogue(), at: make(map[string]int)}
	for i, r := range k.rules {
		k.at[r.Code] = i
	}
	return k, nil
}

// Check runs every rule over one package. The error is one of ctx, of the
// source's reader or of the disk; whatever is wrong with the package is in the result.
func (k *Kit) Check(ctx context.Context, src Source) (*Result, error) {
	c := &check{kit: k, ctx: ctx, src: src, result: &Result{Name: src.Name, statuses: make([]Status, len(k.rules))}}
	for i := range c.result.statuses {
		c.result.statuses[i] = NotApplicable
	}
	if err := c.run(); err != nil {
		return nil, fmt.Errorf("check package: %w", err)
	}
	slices.SortStableFunc(c.result.Findings, func(a, b Finding) int { return weight(a.Status) - weight(b.Status) })
	c.result.OK = !slices.ContainsFunc(c.result.Findings, func(f Finding) bool { return f.Status == Fail })
	return c.result, nil
}

func weight(s Status) int { return slices.Index([]Status{Fail, Warn, NotApplicable, Pass}, s) }

// Status returns the outcome of a rule; of one that is in no catalogue, what was
// found, or NotApplicable.
func (k *Kit) Status(r *Result, code string) Status {
	if i, ok := k.at[code]; ok {
		return r.statuses[i]
	}
	for _, f := range r.Findings {
		if f.Code == code {
			return f.Status
		}
	}
	return NotApplicable
}

const maxPlaces = 20

// A check is the work on one package.
type check struct {
	kit    *Kit
	ctx    context.Context
	src    Source
	result *Result
}

func (c *check) run() error {
	c.passGroup(groupPackage)
	s, err := c.open()
	var invalid *dossier.ValidationError
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	if s != nil {
		defer s.Close()
		c.result.Form = s.Form
	} else {
		c.form(invalid.Problems)
	}
	if c.result.Form != "" {
		c.passGroup(groupDeclaration)
	}
	if invalid != nil {
		for _, p := range invalid.Problems {
			c.found(p.Code, Fail, p.Field, p.Vietnamese, p.English)
		}
	}
	if err := c.container(); err != nil {
		return err
	}
	if invalid != nil {
		return c.refusedDossier(s)
	}
	return c.dossier(s)
}

func (c *check) open() (*submission.Submission, error) {
	if c.src.R != nil {
		return submission.Open(c.ctx, c.src.R, c.src.Size, c.kit.config.Limits, nil)
	}
	return submission.OpenDir(c.ctx, c.src.FS, c.kit.config.Limits, nil)
}

// form finds the form of a package that submission refused: what it would have
// been taken for.
func (c *check) form(problems []dossier.Problem) {
	if slices.ContainsFunc(problems, func(p dossier.Problem) bool { return p.Code == "package.unrecognised" }) {
		return
	}
	if p := c.eark(); p != nil {
		if rc, err := p.Open("METS.xml"); err == nil {
			rc.Close()
			c.result.Form = submission.EARK
			return
		}
	}
	if b := c.bag(); b != nil && b.Version() != "" {
		c.result.Form = submission.BagIt
		return
	}
	c.result.Form = submission.Plain
}

func (c *check) eark() *eark.Package {
	var p *eark.Package
	var err error
	if c.src.R != nil {
		p, err = eark.Open(c.src.R, c.src.Size)
	} else {
		p, err = eark.OpenFS(c.src.FS, c.src.Base)
	}
	if err != nil {
		return nil
	}
	p.Now = c.kit.config.Now()
	return p
}

func (c *check) bag() *bagit.Bag {
	var b *bagit.Bag
	var err error
	if c.src.R != nil {
		b, err = bagit.Open(c.src.R, c.src.Size)
	} else {
		b, err = bagit.OpenFS(c.src.FS)
	}
	if err != nil {
		return nil
	}
	return b
}

// container asks the rules of the form.
func (c *check) container() error {
	switch c.result.Form {
	case submission.EARK:
		p := c.eark()
		if p == nil {
			return nil
		}
		r, err := p.Inspect(c.ctx, true)
		if err != nil {
			return err
		}
		for rule := range r.Asked {
			c.passed(rule)
		}
		for _, v := range r.Violations {
			status := Warn
			if v.Level == eark.Must {
				status = Fail
			}
			c.found(v.Rule, status, v.Path, v.Vietnamese, v.English)
		}
	case submission.BagIt:
		b := c.bag()
		if b == nil {
			return nil
		}
		c.passGroup(groupBag)
		faults := b.Verify(c.ctx)
		if err := b.Err(); err != nil {
			return err
		}
		for _, f := range faults {
			status := Fail
			if f.Warning {
				status = Warn
			}
			c.found(f.Rule, status, f.Path, f.Vietnamese, f.English)
		}
	}
	return nil
}

// passGroup marks all rules of a group as asked; what is found makes the
// difference.
func (c *check) passGroup(group string) {
	for _, r := range c.kit.rules {
		if r.Group == group {
			c.passed(r.Code)
		}
	}
}

func (c *check) passed(code string) {
	if i, ok := c.kit.at[code]; ok && c.result.statuses[i] == NotApplicable {
		c.result.statuses[i] = Pass
	}
}

// found records one thing that is not as it should be. What was found before of
// the same rule at the same place is not told again.
func (c *check) found(code string, status Status, at, vi, en string) {
	if i, ok := c.kit.at[code]; ok && weight(status) < weight(c.result.statuses[i]) {
		c.result.statuses[i] = status
	}
	i := slices.IndexFunc(c.result.Findings, func(f Finding) bool { return f.Code == code && f.Vietnamese == vi })
	if i < 0 {
		source := sourceOf(code)
		if at, ok := c.kit.at[code]; ok {
			source = c.kit.rules[at].Source
		}
		c.result.Findings = append(c.result.Findings, Finding{Code: code, Status: status, Vietnamese: vi, English: en, Source: source})
		i = len(c.result.Findings) - 1
	}
	f := &c.result.Findings[i]
	if weight(status) < weight(f.Status) {
		f.Status = status
	}
	switch {
	case at == "" || slices.Contains(f.Places, at):
	case len(f.Places) == maxPlaces:
		f.More++
	default:
		f.Places = append(f.Places, at)
	}
}

// dossier asks what is asked of a dossier whose declaration is sound.
func (c *check) dossier(s *submission.Submission) error {
	now := c.kit.config.Now()
	for _, p := range s.Declaration.Validate(now, c.kit.config.Limits) {
		c.found(p.Code, Fail, p.Field, p.Vietnamese, p.English)
	}
	c.findings(append(s.Findings(), c.kit.config.Policy.Declared(s.Declaration, now)...))
	found, err := c.documents(s)
	if err != nil {
		return err
	}
	c.findings(found)
	return nil
}

// findings takes what was found; of the form, the rules themselves have told.
func (c *check) findings(list []intake.Finding) {
	c.passKind(intake.Completeness)
	for _, f := range list {
		if !strings.HasPrefix(f.Code, "csip.") && !strings.HasPrefix(f.Code, "bag.") {
			c.finding(f)
		}
	}
}

// passKind marks the rules of one kind of check as asked.
func (c *check) passKind(kind string) {
	for _, r := range intake.Rules() {
		if r.Check == kind {
			c.passed(r.Code)
		}
	}
}

// finding judges as the policy does. What could not be told is not held against
// a package: there may be no scanner here, or no trust anchor.
func (c *check) finding(f intake.Finding) {
	if f.Outcome != intake.Indeterminate && (f.Check != intake.VirusCheck || f.Outcome == intake.Pass) {
		c.passKind(f.Check)
	}
	if f.Outcome == intake.Pass || f.Check == intake.VirusCheck && f.Code != "virus.found" {
		return
	}
	status := Warn
	if j := c.kit.config.Policy.Judge("", []intake.Finding{f}); len(j.Rejected) > 0 {
		status = Fail
	}
	p := f.Problem()
	c.found(p.Code, status, p.Field, p.Vietnamese, p.English)
}
