package archive

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Agent is who acts: a procedure system or a person.
type Agent struct {
	Subject  string   // stable name of the account
	Roles    []Role   // what it may do
	Agencies []string // whose dossiers: an identifier and all below it; "*" for all
}

// Role is what an account is for.
type Role string

// Roles. An administrator keeps the service running and reads no record.
const (
	Producer      Role = "producer"
	Archivist     Role = "archivist"
	Council       Role = "council"
	Approver      Role = "approver"
	Inspector     Role = "inspector"
	Auditor       Role = "auditor"
	Administrator Role = "administrator"
)

// action is something that an agent may be allowed to do.
type action string

const (
	push    action = "push"
	search  action = "search"
	read    action = "read"
	hold    action = "hold"
	propose action = "propose"
	review  action = "review"
	decide  action = "decide"
	execute action = "execute"
	inspect action = "inspect the ledger"
	operate action = "operate"
)

// allowed is the one table of who may do what.
var allowed = map[Role][]action{
	Producer:      {push},
	Archivist:     {search, read, hold, propose, execute},
	Council:       {search, review},
	Approver:      {search, decide},
	Inspector:     {search, read},
	Auditor:       {search, inspect, operate},
	Administrator: {operate},
}

// may returns ErrDenied unless a role of the agent allows the action.
func (g Agent) may(do action) error {
	for _, r := range g.Roles {
		if slices.Contains(allowed[r], do) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrDenied, do)
}

// covers reports whether the agency is in the agent's scope.
func (g Agent) covers(agency string) bool {
	return slices.ContainsFunc(g.Agencies, func(a string) bool {
		return a == "*" || a == agency || strings.HasPrefix(agency, a+".")
	})
}

// sees returns fs.ErrNotExist for what is out of the agent's scope: outsiders
// must not learn whether a dossier exists.
func (g Agent) sees(agency string) error {
	if !g.covers(agency) {
		return fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	return nil
}

// scope returns the agencies for a search filter; nil for all.
func (g Agent) scope() []string {
	if slices.Contains(g.Agencies, "*") {
		return nil
	}
	return append([]string{}, g.Agencies...)
}
