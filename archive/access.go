package archive

import (
	"fmt"
	"io/fs"
	"slices"
)

// Agent is who acts: a procedure system or a person.
type Agent struct {
	Subject  string   // stable name of the account
	Roles    []Role   // what it may do
	Agencies []string // whose dossiers: an identifier, all below it, and what came before it; "*" for all
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
	trace   action = "inspect the ledger"
	govern  action = "change the intake policy"
	compare action = "reconcile"
	operate action = "operate"
)

// allowed is the one table of who may do what.
var allowed = map[Role][]action{
	Producer:      {push, compare},
	Archivist:     {search, read, hold, propose, execute, govern, compare},
	Council:       {search, review},
	Approver:      {search, decide},
	Inspector:     {search, read},
	Auditor:       {search, trace, operate},
	Administrator: {operate, govern},
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

// covers reports whether the agency is in the agent's scope: it is one of the
// agent's agencies, or below one, or what one of them took the place of.
func (a *Archive) covers(by Agent, agency string) bool {
	return slices.ContainsFunc(by.Agencies, func(scope string) bool {
		return scope == "*" || a.Agencies.Covers(scope, agency)
	})
}

// sees returns fs.ErrNotExist for what is out of the agent's scope: outsiders
// must not learn whether a dossier exists.
func (a *Archive) sees(by Agent, agency string) error {
	if !a.covers(by, agency) {
		return fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	return nil
}

// scope returns the agencies for a search filter, with those that they took the
// place of; nil for all.
func (a *Archive) scope(by Agent) []string {
	if slices.Contains(by.Agencies, "*") {
		return nil
	}
	all := append([]string{}, by.Agencies...)
	for _, u := range a.Agencies.Units() {
		if a.covers(by, u.ID) && !slices.Contains(all, u.ID) {
			all = append(all, u.ID)
		}
	}
	return all
}
