// Package intake says what the archive asks of a dossier at the door: the
// catalogue of every check with its legal source, and the policy that decides
// which findings refuse a dossier, which are kept as a warning, and which are
// only recorded. It is pure: declaration, findings and policy in, decision out.
//
// Those who look into documents (package inspect), into packages (package
// submission) and into declarations return findings; none of them decides.
package intake

// Outcome is how a check ended (PREMIS event outcome).
type Outcome string

// Outcomes.
const (
	Pass          Outcome = "success"
	Warning       Outcome = "warning"
	Failure       Outcome = "failure"
	Indeterminate Outcome = "indeterminate" // could not be told: no trust anchor, scanner away
)

// Kind of a check; the event type in PREMIS.
const (
	Completeness   = "completeness check"
	Fixity         = "fixity check"
	Identification = "format identification"
	Validation     = "validation"
	VirusCheck     = "virus check"
	SignatureCheck = "digital signature validation"
)

// Dossier stands for the whole dossier where a document is asked for.
const Dossier = -1

// Finding is the result of one check: of one document, or of the dossier.
type Finding struct {
	Code     string // stable name of the rule, "format.mismatch"; the check's own name where it passed
	Check    string // kind of check, VirusCheck
	Outcome  Outcome
	Document int    // index in the declaration, or Dossier
	Agent    string // what checked, with its version: "siegfried 1.11.2, PRONOM 120"
	Detail   string // for PREMIS only: it may hold personal data, such as a signer's name
}
