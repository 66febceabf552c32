package inspect

import (
	"errors"
	"io"

	"github.com/luutru/luutru/inspect/clamd"
	"github.com/luutru/luutru/intake"
)

// virus asks the scanner. What it could not look at is never clean.
func (l *look) virus() {
	if l.i.scanner == nil {
		if l.n == 0 { // once a dossier
			l.findings = append(l.findings, intake.Finding{Code: "virus.no_scanner", Check: intake.VirusCheck, Outcome: intake.Indeterminate,
				Document: intake.Dossier, Agent: agent})
		}
		return
	}
	who, err := l.i.scanner.Version(l.ctx)
	if err != nil {
		l.add("virus.unchecked", intake.VirusCheck, intake.Indeterminate, "clamd", "scanner away")
		return
	}
	found, err := l.i.scanner.Scan(l.ctx, io.NewSectionReader(l.r, 0, l.size))
	switch {
	case err == nil && found == "":
		l.add("virus.clean", intake.VirusCheck, intake.Pass, who, "")
	case err == nil:
		l.add("virus.found", intake.VirusCheck, intake.Failure, who, found)
	case errors.Is(err, clamd.ErrTooLarge):
		l.add("virus.unchecked", intake.VirusCheck, intake.Indeterminate, who, "larger than the scanner accepts")
	case errors.Is(err, clamd.ErrScan):
		l.add("virus.unchecked", intake.VirusCheck, intake.Indeterminate, who, "scanner failed")
	default:
		l.add("virus.unchecked", intake.VirusCheck, intake.Indeterminate, who, "scanner away")
	}
}
