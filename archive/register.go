package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

// register is what this node knows of every dossier from the ledger alone: a
// projection, for lists. Nothing is decided by it; whoever acts reads the
// chain.
type register struct {
	mu       sync.RWMutex
	dossiers map[string]*record
	groups   map[string][]string // members with a seal
	used     map[string][]uint64 // places in the ledger of a dossier's uses
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
	Group         string // keyed name
	Condemned     string // case under which the group's chain condemns it
	Documents     int
	Content       [sha256.Size]byte // digest of the declaration, as in the seal
	At            time.Time
	Rejected      string // codes of the last refusal of a dossier that was not archived
}

func newRegister() *register {
	return &register{dossiers: map[string]*record{}, groups: map[string][]string{}, used: map[string][]uint64{}}
}

// details gives the public details of an act's ledger entry: what the register
// is made of.
func details(a *chain.Act) map[string]string {
	switch a.Type {
	case life.Ingestion:
		var s life.Seal
		if a.Decode(&s) == nil {
			d := map[string]string{
				"class": s.Class, "closed": s.Closed, "agency": s.Agency, "access": s.Access, "package": s.Package,
				"documents": strconv.Itoa(s.Documents), "content": s.Content,
			}
			if s.Group != "" {
				d["group"] = s.Group
			}
			return d
		}
	case life.Hold, life.HoldLifted:
		var h life.HoldBody
		if a.Decode(&h) == nil && h.Dossier != "" {
			return map[string]string{"hold": h.Hold, "dossier": h.Dossier}
		} else if h.Hold != "" {
			return map[string]string{"hold": h.Hold}
		}
	case life.MemberLinked:
		var k life.Link
		if a.Decode(&k) == nil {
			return map[string]string{"dossier": k.Dossier, "package": k.Package}
		}
	case life.DestructionBegun, life.DestructionStopped, life.KeysCondemned, life.Destroyed:
		var d life.Destruction
		if a.Decode(&d) == nil && len(d.Dossiers) > 0 {
			return map[string]string{"case": d.Case, "dossiers": strings.Join(d.Dossiers, " ")}
		} else if d.Case != "" {
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
	r.mu.Lock()
	defer r.mu.Unlock()
	switch id, ok := strings.CutPrefix(e.Chain, life.Chain("")); {
	case ok && e.Type == rejection:
		r.of(id).Rejected = e.Details["codes"]
	case ok && e.Act != "":
		r.act(id, r.of(id), e)
	case ok && (e.Type == "dissemination" || e.Type == "delivered" || e.Type == "delivery failed"):
		r.used[id] = append(r.used[id], e.Index)
	case e.Type == life.KeysCondemned && strings.HasPrefix(e.Chain, life.GroupChain("")):
		for _, id := range strings.Fields(e.Details["dossiers"]) {
			r.of(id).Condemned = e.Details["case"]
		}
	}
}

// of returns the record of a dossier, which may be a new one.
func (r *register) of(id string) *record {
	d := r.dossiers[id]
	if d == nil {
		d = &record{State: life.Absent}
		r.dossiers[id] = d
	}
	return d
}

// act learns from an act of a dossier.
func (r *register) act(id string, d *record, e *audit.Entry) {
	if s, ok := states[e.Type]; ok {
		d.State = s
	}
	switch e.Type {
	case life.Ingestion:
		d.Class, d.Agency, d.Access, d.Package = e.Details["class"], e.Details["agency"], e.Details["access"], e.Details["package"]
		d.Closed, _ = time.Parse(time.DateOnly, e.Details["closed"])
		d.Documents, _ = strconv.Atoi(e.Details["documents"])
		d.Ingested, d.At, d.Rejected = e.Index, e.Time, ""
		if b, err := hex.DecodeString(e.Details["content"]); err == nil {
			copy(d.Content[:], b)
		}
		if d.Group = e.Details["group"]; d.Group != "" {
			r.groups[d.Group] = append(r.groups[d.Group], id)
		}
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

// facts returns what retention decides from: of the dossier, and of the living
// others of its group, with the holds on all.
func (r *register) facts(id string) (members []retention.Facts, holds []retention.Hold) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := []string{id}
	for _, other := range r.groups[r.dossiers[id].Group] {
		if d := r.dossiers[other]; other != id && d.State != life.Gone && d.State != life.Condemned && d.Condemned == "" {
			ids = append(ids, other)
		}
	}
	for _, one := range ids {
		d := r.dossiers[one]
		members = append(members, retention.Facts{Class: d.Class, Closed: d.Closed})
		for h, t := range d.Holds {
			holds = append(holds, retention.Hold{ID: h, Placed: t})
		}
	}
	return members, holds
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

// brief returns what is known of a dossier without its holds, which get copies;
// known is false if it was never archived.
func (r *register) brief(id string) (c record, known bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := r.dossiers[id]
	if d == nil {
		return record{State: life.Absent}, false
	}
	c = *d
	c.Holds = nil
	return c, d.State != life.Absent
}

// uses returns where in the ledger the uses of a dossier stand.
func (r *register) uses(id string) []uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.used[id])
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
