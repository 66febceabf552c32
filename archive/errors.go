package archive

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart. A dossier that is absent, or that the agent
// may not know of, is fs.ErrNotExist; a submission with faults is a
// *dossier.ValidationError; a chain that does not match the ledger is
// chain.ErrTampered.
var (
	// ErrConflict: another dossier was archived under this code. Compare the
	// digests; push a correction as a dossier of its own.
	ErrConflict = errors.New("another dossier has this code")
	// ErrDestroyed: the dossier was destroyed, or its destruction can't be
	// stopped any more; acts and ledger entries remain.
	ErrDestroyed = errors.New("dossier was destroyed")
	// ErrNotDue: the retention period, or a hold, forbids destruction.
	ErrNotDue = errors.New("dossier is not due for destruction")
	// ErrDenied: the agent's roles do not allow this at all.
	ErrDenied = errors.New("not allowed")
	// ErrCorrupt: what is stored is not what was archived. Nothing of it was
	// handed out; restore the object from a copy.
	ErrCorrupt = errors.New("stored package does not match its seal")
	// ErrClock: this node's clock and the store's differ too much to destroy
	// anything.
	ErrClock = errors.New("clocks differ by more than five minutes")
	// ErrWait: the dossier can't be taken in now, for a reason that passes; push
	// it again later.
	ErrWait = errors.New("dossier has to wait")
	// ErrGroup: the dossier goes together with others of its group that the
	// agent may not dispose of; somebody whose scope has them all can.
	ErrGroup = errors.New("dossier goes together with others of its group")
	// ErrForm: there is no such form of a copy.
	ErrForm = errors.New("no such form of a copy")
	// ErrCase: the case is not at the step asked for, or the same person
	// would take two steps.
	ErrCase = errors.New("case does not allow this step")
)

// ConflictError says which contents were pushed under one code. The digests
// are keyed: they tell equal from different, and nothing else.
type ConflictError struct {
	Dossier        string
	Archived, Sent string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: archived content %s, sent content %s", ErrConflict, e.Archived, e.Sent)
}

// Unwrap makes the error ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }
