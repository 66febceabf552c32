package archive

import (
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
)

// register is what this node knows of every dossier from the ledger alone: a
// projection, for lists. Nothing is decided by it; whoever acts reads the
// chain.
type register struct {
	mu       sync.RWMutex
	dossiers map[string]*record
}

// record is one dossier in the register.
type record struct {
	State         life.State
	Class, Agency string
	Access        string
	Closed        time.Time
	Package       string
	Ingested      uint64 // index of the ingestion in the ledger
	Holds         map[string]time.Time
	Case          string
}

func newRegister() *register { return &register{dossiers: map[string]*record{}} }

// details gives the public details of an act's ledger entry: what the register
// is made of.
func details(a *chain.Act) map[string]string {
	switch a.Type {
	case life.Ingestion:
		var s life.Seal
		if a.Decode(&s) == nil {
			return map[string]string{"class": s.Class, "closed": s.Closed, "agency": s.Agency, "access": s.Access, "package": s.Package}
		}
	case life.Hold, life.HoldLifted:
		var h life.HoldBody
		if a.Decode(&h) == nil {
			return map[string]string{"hold": h.Hold}
		}
	case life.DestructionBegun, life.DestructionStopped, life.KeysCondemned, life.Destroyed:
		var d life.Destruction
		if a.Decode(&d) == nil {
			return map[string]string{"case": d.Case}
		}
	}
	return nil
}

var states = map[string]life.State{
	life.Ingestion: life.Archived, life.DestructionBegun: life.Destroying, life.DestructionStopped: life.Archived,
	life.KeysCondemned: life.Condemned, life.Destroyed: life.Gone,
}

func (r *register) apply(e *audit.Entry) {
	id, ok := strings.CutPrefix(e.Chain, "dossiers/")
	if !ok || e.Act == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dossiers[id]
	if d == nil {
		d = &record{State: life.Absent}
		r.dossiers[id] = d
	}
	if s, ok := states[e.Type]; ok {
		d.State = s
	}
	switch e.Type {
	case life.Ingestion:
		d.Class, d.Agency, d.Access, d.Package = e.Details["class"], e.Details["agency"], e.Details["access"], e.Details["package"]
		d.Closed, _ = time.Parse(time.DateOnly, e.Details["closed"])
		d.Ingested = e.Index
	case life.Hold:
		if d.Holds == nil {
			d.Holds = map[string]time.Time{}
		}
		d.Holds[e.Details["hold"]] = e.Time
	case life.HoldLifted:
		delete(d.Holds, e.Details["hold"])
	default:
		d.Case = e.Details["case"]
	}
}

// get returns a copy of what is known of a dossier; ok is false if it was never
// archived.
func (r *register) get(id string) (record, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.dossiers[id]
	if d == nil || d.State == life.Absent {
		return record{}, false
	}
	c := *d
	c.Holds = nil
	for h, t := range d.Holds {
		if c.Holds == nil {
			c.Holds = map[string]time.Time{}
		}
		c.Holds[h] = t
	}
	return c, true
}

// ids returns the dossiers that keep accepts.
func (r *register) ids(keep func(*record) bool) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var ids []string
	for id, d := range r.dossiers {
		if d.State != life.Absent && keep(d) {
			ids = append(ids, id)
		}
	}
	return ids
}
