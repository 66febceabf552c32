package chain_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// now is when the tests happen.
var now = time.Date(2026, 11, 24, 3, 22, 30, 123456000, time.UTC)

func clock() time.Time { return now }

// material is the keys of an archive. They are made once: what they are does not
// matter to any test.
type material struct {
	key, other  *signing.Key
	skey, vkey  string
	certificate *signing.Certificate
}

var keys = sync.OnceValues(func() (*material, error) {
	var m material
	var err error
	if m.key, err = signing.Generate(signing.Classic, "archive", now.AddDate(-1, 0, 0)); err != nil {
		return nil, err
	}
	if m.other, err = signing.Generate(signing.Classic, "another archive", now.AddDate(-1, 0, 0)); err != nil {
		return nil, err
	}
	m.certificate = m.key.Certificate()
	m.skey, m.vkey, err = audit.GenerateKey("archive.example.vn/ledger")
	return &m, err
})

// bed is what the nodes of one archive share.
type bed struct {
	*material
	archive, work store.Store
	memory        *store.Memory // below archive
}

// newBed returns a bed with an empty ledger.
func newBed(t testing.TB) *bed {
	t.Helper()
	m, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{material: m, memory: store.NewMemory(store.MemoryOptions{Versioned: true, Now: clock}), work: store.NewMemory(store.MemoryOptions{Now: clock})}
	b.archive = b.memory
	if err := audit.Create(t.Context(), b.config("a").Audit); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) config(node string) chain.Config {
	return chain.Config{
		Store: b.archive, Key: b.key, Trust: []*signing.Certificate{b.certificate}, Node: node, Now: clock,
		Audit: audit.Config{Store: b.archive, Work: b.work, Key: b.skey, VKey: b.vkey, Node: node, Now: clock, Publish: -1},
		Details: func(a *chain.Act) map[string]string {
			var body note
			if a.Decode(&body) != nil {
				return nil
			}
			return map[string]string{"text": body.Text}
		},
	}
}

// open opens the chains as a node; the test's end closes them.
func (b *bed) open(t testing.TB, node string) *chain.Keeper {
	t.Helper()
	return open(t, b.config(node))
}

func open(t testing.TB, c chain.Config) *chain.Keeper {
	t.Helper()
	k, err := chain.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// sound fails the test unless the whole ledger verifies.
func (b *bed) sound(t testing.TB) {
	t.Helper()
	c := b.config("auditor").Audit
	c.Key = ""
	if r, err := audit.Verify(context.WithoutCancel(t.Context()), c); err != nil {
		t.Errorf("ledger: %v, %+v", err, r)
	}
}

// note is the body of the tests' acts.
type note struct {
	Text string `json:"text"`
}

func draft(text string) chain.Draft {
	return chain.Draft{Type: "noted", By: "nobody", Body: &note{text}}
}

// extend appends acts to a chain and returns all of it.
func extend(t testing.TB, k *chain.Keeper, name string, texts ...string) []*chain.Act {
	t.Helper()
	acts := read(t, k, name)
	for _, text := range texts {
		a, _, err := k.Append(t.Context(), name, acts, draft(text))
		if err != nil {
			t.Fatal(err)
		}
		acts = append(acts, a)
	}
	return acts
}

func read(t testing.TB, k *chain.Keeper, name string) []*chain.Act {
	t.Helper()
	acts, err := k.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

// texts are what the bodies of acts say.
func texts(t testing.TB, acts []*chain.Act) []string {
	t.Helper()
	all := []string{}
	for _, a := range acts {
		var n note
		if err := a.Decode(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n.Text)
	}
	return all
}

func object(t testing.TB, s store.Store, key string) []byte {
	t.Helper()
	data, _, err := store.ReadAll(t.Context(), s, key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func put(t testing.TB, s store.Store, key string, data []byte) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, data, nil); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, s store.Store, key string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func nth(n int) string { return fmt.Sprintf("act %d", n) }
