// Package api serves an archive over HTTP and is the client of that.
//
// Both directions of the protocol are here so that they cannot drift: the
// types below are what is sent, and one table (errors.go) turns errors into
// problem details (RFC 9457) and back, so that errors.Is and errors.As say the
// same on both sides of the network.
//
// The package decides nothing: whether somebody may do something, and what
// becomes of a dossier, is said by package archive. It logs, since below it
// nobody does: never what was asked for or by whom, but the route, the status
// and the time it took.
package api

import (
	"encoding/json"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// About says which archive this is. What it holds is to be compared with what
// the archive publishes by other ways before anything is believed on its word.
type About struct {
	Archive     string `json:"archive"`
	Certificate string `json:"certificate"` // armored
	Fingerprint string `json:"fingerprint"` // of the certificate
	LogKey      string `json:"log_key"`     // verifier key of the ledger
	Profile     string `json:"profile"`
	Schedule    int    `json:"schedule"` // version of the retention schedule in force
}

// Result is one page of the answer to a search.
type Result struct {
	Total   uint64 `json:"total"`
	Relaxed bool   `json:"relaxed,omitempty"` // no dossier has all the words
	Hits    []Hit  `json:"hits"`
}

// Hit is one dossier found.
type Hit struct {
	Dossier   string     `json:"dossier"` // name of its objects
	Code      string     `json:"code"`
	Title     string     `json:"title"`
	Agency    string     `json:"agency"`
	Procedure string     `json:"procedure,omitempty"`
	Class     string     `json:"class,omitempty"`
	Access    string     `json:"access,omitempty"`
	Archive   string     `json:"archive_code,omitempty"`
	Group     string     `json:"group,omitempty"` // code of the group of interconnected dossiers
	Begin     string     `json:"begin,omitempty"`
	End       string     `json:"end,omitempty"`
	Document  string     `json:"document,omitempty"` // the one that fits best
	Snippet   []Fragment `json:"snippet,omitempty"`  // from it
}

// Fragment is a piece of a snippet: text, not markup.
type Fragment struct {
	Text string `json:"text"`
	Lit  bool   `json:"lit,omitempty"` // what was asked for
}

// Record is what can be shown of a dossier without opening its package.
type Record struct {
	Dossier   string               `json:"dossier"`
	State     life.State           `json:"state"`
	Code      string               `json:"code,omitempty"`  // as far as the index knows
	Title     string               `json:"title,omitempty"` // likewise
	Archive   string               `json:"archive_code,omitempty"`
	Group     string               `json:"group,omitempty"` // code of its group; search for that to see who is in it
	Agency    string               `json:"agency"`
	Class     string               `json:"class,omitempty"`
	Access    string               `json:"access"`
	Closed    string               `json:"closed"`
	Documents int                  `json:"documents"`
	Size      int64                `json:"size"`               // octets of the sealed package
	Findings  []life.Result        `json:"findings,omitempty"` // what the checks at intake came to
	Holds     map[string]time.Time `json:"holds,omitempty"`
	Verdict   retention.Verdict    `json:"verdict"`
	Acts      []Act                `json:"acts"` // its life, oldest first
}

// Act is one act as it is shown; what is personal in it stays sealed.
type Act struct {
	N      int             `json:"n"`
	Type   string          `json:"type"`
	Time   time.Time       `json:"time"`
	By     string          `json:"by"` // keyed name
	Digest string          `json:"digest"`
	Body   json.RawMessage `json:"body,omitempty"`
}

func actsOf(acts []*chain.Act) []Act {
	var all []Act
	for _, a := range acts {
		all = append(all, Act{N: a.N, Type: a.Type, Time: a.When(), By: a.By, Digest: a.Digest(), Body: a.Body})
	}
	return all
}

// Due is a line of the list of dossiers that are due.
type Due struct {
	Dossier string            `json:"dossier"`
	Agency  string            `json:"agency"`
	Class   string            `json:"class"`
	Closed  string            `json:"closed"`
	Verdict retention.Verdict `json:"verdict"`
}

// Case is a destruction case.
type Case struct {
	Case     string         `json:"case"`
	Dossiers []string       `json:"dossiers"`
	Findings []life.Finding `json:"findings,omitempty"`
	Decision *life.Decision `json:"decision,omitempty"`
	Outcomes []life.Outcome `json:"outcomes,omitempty"`
	Acts     []Act          `json:"acts,omitempty"`
}

// Plan is what the execution of a case would do.
type Plan struct {
	Case    string            `json:"case"`
	Destroy []string          `json:"destroy"`
	Refused map[string]string `json:"refused,omitempty"` // dossier → why
}

// Report is the result of a check.
type Report struct {
	Dossiers  int       `json:"dossiers"`  // sealed and not destroyed
	Destroyed int       `json:"destroyed"` //
	Packages  int       `json:"packages"`  // looked at
	Bytes     int64     `json:"bytes"`     // read of them
	Entries   uint64    `json:"entries"`   // of the ledger
	Findings  []Finding `json:"findings"`
}

// Finding is something that is not as it should be.
type Finding struct {
	Object     string `json:"object"`
	Code       string `json:"code"`
	Vietnamese string `json:"vi"`
	English    string `json:"en"`
}

// What clients send besides dossiers.
type (
	holdRequest struct {
		Reason string `json:"reason"`
	}
	holdAnswer struct {
		Hold string `json:"hold"`
	}
	proposal struct {
		Dossiers []string `json:"dossiers"`
		Reason   string   `json:"reason"`
	}
	caseAnswer struct {
		Case string `json:"case"`
	}
	reviewRequest struct {
		Keep   []string `json:"keep"`
		Reason string   `json:"reason"`
	}
	decisionRequest struct {
		Approve bool   `json:"approve"`
		Number  string `json:"number"`
	}
	executionRequest struct {
		Execute bool `json:"execute"`
	}
	executionAnswer struct {
		Plan         *Plan             `json:"plan,omitempty"`
		Certificates []json.RawMessage `json:"certificates,omitempty"`
	}
	checkRequest struct {
		Deep    bool `json:"deep"`
		Content bool `json:"content"`
	}
	// checkLine is a line of the answer to a check: how far it is, and at the
	// end the report.
	checkLine struct {
		Done   int     `json:"done,omitempty"`
		All    int     `json:"all,omitempty"`
		Report *Report `json:"report,omitempty"`
	}
)
