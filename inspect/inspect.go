// Package inspect looks into one document at a time and says what it found: which format the bytes are in (PRONOM), whether they are
// whole, what keeps them from being read in decades (encryption, macros, scripts, missing fonts), whether a scanner knows a virus in
// them, and what their signatures are worth. It decides nothing: the findings go to package intake, whose policy does.
//
// Documents come from outside. Nothing in them may make it panic, loop, or use memory or time without bound. No network is used, but
// for the virus scanner that the policy names.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect/clamd"
	"github.com/luutru/luutru/inspect/pronom"
	"github.com/luutru/luutru/intake"
)

// Config says what an Inspector needs to know. The zero value looks at formats and structure, permits every format, trusts nobody's
// signature, and reports once a dossier that there is no virus scanner.
type Config struct {
	Permitted []string         // PRONOM identifiers ("fmt/95") or media types; none: every format
	Anchors   *trust.Anchors   // whose signatures count; nil: nobody's
	Scanner   string           // "unix:/run/clamav/clamd.ctl", "tcp:host:port"; "" is none
	Now       func() time.Time // for the validity of certificates; nil: time.Now
}

// An Inspector looks into documents. It may be used by many goroutines at once.
type Inspector struct {
	cfg       Config
	permitted map[string]bool
	formats   *pronom.Identifier
	scanner   *clamd.Scanner // nil: none
}

// New loads the PRONOM signatures, which takes some 10 ms and 8 MiB. An error is of the configuration.
func New(cfg Config) (*Inspector, error) {
	formats, err := pronom.New()
	if err != nil {
		return nil, err
	}
	return (&Inspector{formats: formats}).With(cfg)
}

// With is an Inspector of another configuration that shares the loaded signatures.
func (i *Inspector) With(cfg Config) (*Inspector, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Anchors == nil {
		cfg.Anchors = new(trust.Anchors)
	}
	out := &Inspector{cfg: cfg, permitted: map[string]bool{}, formats: i.formats}
	for _, f := range cfg.Permitted {
		out.permitted[f] = true
	}
	if cfg.Scanner == "" {
		return out, nil
	}
	var err error
	out.scanner, err = clamd.New(cfg.Scanner, cfg.Now)
	return out, err
}

// agent is this package, in PREMIS, where no other program does the work.
const agent = "luutru"

// Document looks into the document of index n of a declaration, whose bytes are r. What is wrong with the document, or could not be
// told, is a finding; an error is the context's only. A document that passed has a finding for each kind of check too.
func (i *Inspector) Document(ctx context.Context, d *dossier.Declaration, n int, r io.ReaderAt, size int64) ([]intake.Finding, error) {
	if n < 0 || n >= len(d.Documents) {
		return nil, fmt.Errorf("document %d of %d: %w", n, len(d.Documents), errIndex)
	}
	l := &look{i: i, ctx: ctx, d: d, doc: &d.Documents[n], n: n, r: r, size: size}
	if size <= 0 {
		l.fail("document.empty", "")
		return l.findings, ctx.Err()
	}
	for _, step := range []func(){l.content, l.format, l.signatures, l.virus} {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l.guard(step)
	}
	return l.findings, ctx.Err()
}

var errIndex = errors.New("inspect: no such document")

// look is the inspection of one document.
type look struct {
	i    *Inspector
	ctx  context.Context
	d    *dossier.Declaration
	doc  *dossier.Document
	n    int
	r    io.ReaderAt
	size int64

	media    string // what the bytes are, as far as their beginning tells
	main     string // media type of the document that a ZIP file turned out to be
	sound    bool   // its structure is whole
	xmp      []byte // of a PDF file
	claim    string // "PDF/A-1b"
	signed   bool   // it may hold signatures
	readFail bool   // the reader failed: said once
	findings []intake.Finding
}

// guard keeps a mistake here from taking the service down.
func (l *look) guard(step func()) {
	defer func() {
		if p := recover(); p != nil {
			l.add("document.unreadable", intake.Validation, intake.Failure, agent, "internal error")
		}
	}()
	step()
}

func (l *look) add(code, check string, outcome intake.Outcome, who, detail string) {
	l.findings = append(l.findings, intake.Finding{Code: code, Check: check, Outcome: outcome, Document: l.n, Agent: who, Detail: clip(detail)})
}

// fail adds what is wrong with the structure.
func (l *look) fail(code, detail string) {
	l.add(code, intake.Validation, intake.Failure, agent, detail)
}

// warn adds what the structure should not hold.
func (l *look) warn(code, detail string) {
	l.add(code, intake.Validation, intake.Warning, agent, detail)
}
