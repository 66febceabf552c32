package custody_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// start is when the tests begin.
var start = time.Date(2040, 3, 1, 2, 0, 0, 0, time.UTC)

// material is the keys of an archive, made once.
type material struct {
	archive, recovery, audit *signing.Key
	skey, vkey               string
}

var keys = sync.OnceValues(func() (*material, error) {
	var m material
	for _, k := range []**signing.Key{&m.archive, &m.recovery, &m.audit} {
		var err error
		if *k, err = signing.Generate(signing.Classic, "test", start.AddDate(-20, 0, 0)); err != nil {
			return nil, err
		}
	}
	var err error
	m.skey, m.vkey, err = audit.GenerateKey("archive.example.vn/ledger")
	return &m, err
})

// schedule has a class for everything that the tests need.
var schedule = &retention.Schedule{Version: 1, Effective: start.AddDate(-20, 0, 0), Rules: []retention.Rule{
	{Class: "GP", Years: 10, Trigger: "end-of-work", Action: "destroy", Approved: true},
	{Class: "NL", Years: 10, Trigger: "end-of-work", Action: "transfer", Approved: true},
	{Class: "HT", Permanent: true, Action: "transfer", Approved: true},
	{Class: "XX", Years: 2, Trigger: "end-of-work", Action: "destroy"}, // not approved
}}

// bed is an archive without archive: buckets, chains and a clock.
type bed struct {
	*material
	objects, packets, work store.Store
	memory                 *store.Memory // below objects
	now                    *time.Time
}

func newBed(t testing.TB) *bed {
	t.Helper()
	m, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	return bedOf(t, m)
}

func bedOf(t testing.TB, m *material) *bed {
	t.Helper()
	now := start
	b := &bed{material: m, now: &now}
	b.memory = store.NewMemory(store.MemoryOptions{Versioned: true, Now: b.clock})
	b.objects, b.packets, b.work = b.memory, store.NewMemory(store.MemoryOptions{}), store.NewMemory(store.MemoryOptions{})
	if err := audit.Create(t.Context(), b.audit("a")); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) clock() time.Time { return *b.now }

func (b *bed) audit(node string) audit.Config {
	return audit.Config{
		Store: b.objects, Work: b.work, Key: b.skey, VKey: b.vkey, Node: node, Now: b.clock, Publish: -1,
		Seal: func(plain []byte) ([]byte, error) { return signing.Encrypt(plain, b.material.audit.Certificate()) },
	}
}

// node is one node: its view of the chains, and its custodian.
type node struct {
	*bed
	*custody.Custodian
	chains *chain.Keeper
}

func (b *bed) node(t testing.TB, name string) *node {
	t.Helper()
	k, err := chain.Open(t.Context(), chain.Config{
		Store: b.objects, Key: b.archive, Trust: []*signing.Certificate{b.archive.Certificate()}, Node: name, Audit: b.audit(name), Now: b.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return &node{bed: b, chains: k, Custodian: custody.New(custody.Config{
		Keys: b.packets, Chains: k, Key: b.archive, Recipients: []*signing.Certificate{b.archive.Certificate(), b.recovery.Certificate()},
		Log: b.vkey, Schedule: func() *retention.Schedule { return schedule }, Now: b.clock,
	})}
}

// act appends an act to a chain.
func (n *node) act(t testing.TB, name, by, kind string, body any) *audit.Entry {
	t.Helper()
	_, e, err := n.chains.Append(t.Context(), name, n.read(t, name), chain.Draft{Type: kind, By: by, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (n *node) read(t testing.TB, name string) []*chain.Act {
	t.Helper()
	acts, err := n.chains.Read(context.WithoutCancel(t.Context()), name)
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

func (n *node) life(t testing.TB, dossier string) *life.Life {
	t.Helper()
	l, err := life.Of(n.read(t, life.Chain(dossier)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ingest writes the key packets of an attempt, and seals it. It is due from
// 2039 if the class says so and nothing else is asked for.
func (n *node) ingest(t testing.TB, dossier, attempt string, change func(*life.Seal)) (signing.SessionKey, *audit.Entry) {
	t.Helper()
	sk := signing.NewSessionKey()
	digest, err := n.Write(t.Context(), dossier, attempt, sk)
	if err != nil {
		t.Fatal(err)
	}
	s := &life.Seal{Package: attempt, Class: "GP", Closed: "2028-05-04", Keys: []string{}, Packets: digest}
	if change != nil {
		change(s)
	}
	return sk, n.act(t, life.Chain(dossier), "P", life.Ingestion, s)
}

// decided opens a case over dossiers and takes it to its approval.
func (n *node) decided(t testing.TB, name string, dossiers ...string) {
	t.Helper()
	n.reviewed(t, name, dossiers...)
	n.act(t, life.CaseChain(name), "C", life.Decided, &life.Decision{Approved: true, Dossiers: dossiers})
}

func (n *node) reviewed(t testing.TB, name string, dossiers ...string) {
	t.Helper()
	n.act(t, life.CaseChain(name), "A", life.Proposed, &life.Proposal{Dossiers: dossiers})
	r := &life.Review{Findings: []life.Finding{}}
	for _, d := range dossiers {
		r.Findings = append(r.Findings, life.Finding{Dossier: d, Finding: "destroy"})
	}
	n.act(t, life.CaseChain(name), "B", life.Reviewed, r)
}

func (n *node) begin(t testing.TB, dossier, name string) {
	t.Helper()
	n.act(t, life.Chain(dossier), "D", life.DestructionBegun, &life.Destruction{Case: name})
}

// condemnable brings the dossier x to where nothing is missing but Delete.
func (n *node) condemnable(t testing.TB) {
	t.Helper()
	n.ingest(t, "x", "p1", nil)
	n.decided(t, "c", "x")
	n.begin(t, "x", "c")
}

// tryHold holds x as package archive does, until it succeeds or is too late.
func (n *node) tryHold(t testing.TB, dossier string) (held bool) {
	for {
		acts, err := n.chains.Read(t.Context(), life.Chain(dossier))
		if err != nil {
			t.Error(err)
			return false
		}
		l, err := life.Of(acts)
		if err != nil {
			t.Error(err)
			return false
		}
		if l.State == life.Condemned || l.State == life.Gone {
			return false
		}
		_, _, err = n.chains.Append(t.Context(), life.Chain(dossier), acts, chain.Draft{Type: life.Hold, By: "H", Body: &life.HoldBody{Hold: "h"}})
		if err == nil {
			return true
		}
		if !errors.Is(err, fs.ErrExist) {
			t.Error(err)
			return false
		}
	}
}

// grant logs an event and proves it.
func (n *node) grant(t testing.TB, e audit.Event) custody.Grant {
	t.Helper()
	if e.Time.IsZero() {
		e.Time = *n.now
	}
	entry, err := n.chains.Ledger().Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return n.proved(t, entry)
}

func (n *node) proved(t testing.TB, e *audit.Entry) custody.Grant {
	t.Helper()
	proof, err := n.chains.Ledger().Prove(t.Context(), e.Index)
	if err != nil {
		t.Fatal(err)
	}
	return custody.Grant{Entry: e.Raw, Proof: proof}
}

func dissemination(dossier, attempt string) audit.Event {
	return audit.Event{Type: "dissemination", Chain: life.Chain(dossier), Details: map[string]string{"package": attempt}, Private: map[string]string{"actor": "lan"}}
}

func maintenance(from, to uint64) audit.Event {
	return audit.Event{Type: "maintenance", Details: map[string]string{"purpose": "index", "from": fmt.Sprint(from), "to": fmt.Sprint(to)}}
}

// stored lists the keys bucket.
func (b *bed) stored(t testing.TB) []string {
	t.Helper()
	var all []string
	for info, err := range b.packets.List(context.WithoutCancel(t.Context()), "", nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}

func (b *bed) wantStored(t testing.TB, want ...string) {
	t.Helper()
	if got := b.stored(t); !slices.Equal(got, want) {
		t.Errorf("keys bucket: got %q, want %q", got, want)
	}
}
