package custody_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// TestDelete deletes the packets of every attempt of the dossier, of every
// generation, and of no other dossier.
func TestDelete(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.condemnable(t)
	n.ingest(t, "xx", "p1", nil)
	n.ingest(t, "y", "p3", nil)
	for _, attempt := range []string{"p0", "p2"} { // never sealed
		if _, err := n.Write(t.Context(), "x", attempt, signing.NewSessionKey()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.packets.Put(t.Context(), "x/p1.2", []byte("another generation"), nil); err != nil {
		t.Fatal(err)
	}
	left, err := n.Left(t.Context(), "x")
	if want := []string{"x/p0.1", "x/p1.1", "x/p1.2", "x/p2.1"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("before: got %q, %v; want %q", left, err, want)
	}
	acts, err := n.Delete(t.Context(), "D", "x")
	if err != nil {
		t.Fatal(err)
	}
	n.wantStored(t, "xx/p1.1", "y/p3.1")
	l := n.life(t, "x")
	if l.State != life.Condemned || l.Last.Case != "c" || !slices.Equal(l.Last.Packages, []string{"p0", "p1", "p2"}) || l.Last.Why != "" {
		t.Errorf("got %s, %+v", l.State, l.Last)
	}
	last := acts[len(acts)-1]
	if last.Type != life.KeysCondemned || last.By != "D" || !last.When().Equal(start) || len(acts) != len(n.read(t, "dossiers/x")) {
		t.Errorf("got acts to %+v", last)
	}
	if _, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unwrap: got %v, want fs.ErrNotExist", err)
	}
}

// TestDeleteAgain: what somebody stores after all, who was paused, goes too; and
// nobody decides twice.
func TestDeleteAgain(t *testing.T) {
	b := newBed(t)
	n := b.node(t, "a")
	n.condemnable(t)
	if _, err := n.Delete(t.Context(), "D", "x"); err != nil {
		t.Fatal(err)
	}
	for _, again := range []*node{n, b.node(t, "b")} {
		if _, err := n.Write(t.Context(), "x", "late"+fmt.Sprint(len(n.stored(t))), signing.NewSessionKey()); err != nil {
			t.Fatal(err)
		}
		*n.now = n.now.AddDate(0, 1, 0) // long after the deadline
		acts, err := again.Delete(t.Context(), "somebody else", "x")
		if err != nil || len(acts) != 3 {
			t.Errorf("got %d acts, %v", len(acts), err)
		}
		n.wantStored(t)
	}
	n.act(t, "dossiers/x", "D", life.Destroyed, &life.Destruction{Case: "c"})
	if acts, err := n.Delete(t.Context(), "D", "x"); err != nil || len(acts) != 4 {
		t.Errorf("of a destroyed dossier: got %d acts, %v", len(acts), err)
	}
}

// TestDeleteStops: whatever is missing for a lawful destruction stops it, with
// the reason in the chain, and the package can still be opened.
func TestDeleteStops(t *testing.T) {
	closed := func(date string) func(*life.Seal) { return func(s *life.Seal) { s.Closed = date } }
	class := func(c string) func(*life.Seal) { return func(s *life.Seal) { s.Class = c } }
	decide := func(n *node, t *testing.T, by string, approved bool, dossiers ...string) {
		n.act(t, "cases/c", by, life.Decided, &life.Decision{Approved: approved, Dossiers: dossiers})
	}
	approved := func(n *node, t *testing.T) { n.decided(t, "c", "x") }
	for name, tt := range map[string]struct {
		seal     func(*life.Seal)
		decision func(n *node, t *testing.T)
		begun    func(n *node, t *testing.T) // what happens after the beginning
		by       string
		why      string // "" if nothing stops it
	}{
		"nothing missing":  {decision: approved},
		"the last day":     {decision: approved, begun: func(n *node, _ *testing.T) { *n.now = time.Date(2040, 3, 16, 16, 59, 59, 0, time.UTC) }},
		"the day after":    {decision: approved, begun: func(n *node, _ *testing.T) { *n.now = time.Date(2040, 3, 16, 17, 0, 0, 0, time.UTC) }, why: "decision"},
		"a year later":     {decision: approved, begun: func(n *node, _ *testing.T) { *n.now = n.now.AddDate(1, 0, 0) }, why: "decision"},
		"a clock set back": {decision: approved, begun: func(n *node, _ *testing.T) { *n.now = n.now.Add(-time.Hour) }, why: "decision"},
		"held":             {decision: approved, begun: func(n *node, t *testing.T) { n.tryHold(t, "x") }, why: "held"},
		"held before": {decision: func(n *node, t *testing.T) {
			n.tryHold(t, "x")
			approved(n, t)
		}, why: "held"},
		"a hold lifted": {decision: approved, begun: func(n *node, t *testing.T) {
			n.tryHold(t, "x")
			n.act(t, "dossiers/x", "H", life.HoldLifted, &life.HoldBody{Hold: "h"})
		}},
		"one hold of two lifted": {decision: approved, begun: func(n *node, t *testing.T) {
			n.tryHold(t, "x")
			n.act(t, "dossiers/x", "H", life.Hold, &life.HoldBody{Hold: "h2"})
			n.act(t, "dossiers/x", "H", life.HoldLifted, &life.HoldBody{Hold: "h"})
		}, why: "held"},
		"due this year":     {seal: closed("2029-12-31"), decision: approved},
		"due next year":     {seal: closed("2030-01-01"), decision: approved, why: "not due"},
		"without a date":    {seal: closed(""), decision: approved, why: "not due"},
		"to be transferred": {seal: class("NL"), decision: approved, why: "not due"},
		"permanent":         {seal: class("HT"), decision: approved, why: "not due"},
		"rule not approved": {seal: class("XX"), decision: approved, why: "not due"},
		"unknown class":     {seal: class("??"), decision: approved, why: "not due"},
		"without a class":   {seal: class(""), decision: approved, why: "not due"},
		"no such case":      {decision: func(*node, *testing.T) {}, why: "decision"},
		"only proposed": {decision: func(n *node, t *testing.T) {
			n.act(t, "cases/c", "A", life.Proposed, &life.Proposal{Dossiers: []string{"x"}})
		}, why: "decision"},
		"only reviewed":        {decision: func(n *node, t *testing.T) { n.reviewed(t, "c", "x") }, why: "decision"},
		"rejected":             {decision: func(n *node, t *testing.T) { n.reviewed(t, "c", "x"); decide(n, t, "C", false, "x") }, why: "decision"},
		"of another dossier":   {decision: func(n *node, t *testing.T) { n.decided(t, "c", "y") }, why: "decision"},
		"another case is good": {decision: func(n *node, t *testing.T) { n.decided(t, "d", "x"); n.reviewed(t, "c", "x") }, why: "decision"},
		"decided beyond":       {decision: func(n *node, t *testing.T) { n.reviewed(t, "c", "y"); decide(n, t, "C", true, "x", "y") }, why: "decision"},
		"found to be kept": {decision: func(n *node, t *testing.T) {
			n.act(t, "cases/c", "A", life.Proposed, &life.Proposal{Dossiers: []string{"x"}})
			n.act(t, "cases/c", "B", life.Reviewed, &life.Review{Findings: []life.Finding{{Dossier: "x", Finding: "keep"}}})
			decide(n, t, "C", true, "x")
		}, why: "decision"},
		"decided without review": {decision: func(n *node, t *testing.T) {
			n.act(t, "cases/c", "A", life.Proposed, &life.Proposal{Dossiers: []string{"x"}})
			decide(n, t, "C", true, "x")
		}, why: "decision"},
		"by the proposer":      {decision: approved, by: "A", why: "decision"},
		"by the reviewer":      {decision: approved, by: "B", why: "decision"},
		"by the approver":      {decision: approved, by: "C", why: "decision"},
		"by nobody":            {decision: approved, by: "-", why: "decision"},
		"approved by reviewer": {decision: func(n *node, t *testing.T) { n.reviewed(t, "c", "x"); decide(n, t, "B", true, "x") }, why: "decision"},
		"approved by proposer": {decision: func(n *node, t *testing.T) { n.reviewed(t, "c", "x"); decide(n, t, "A", true, "x") }, why: "decision"},
		"executed before": {decision: approved, begun: func(n *node, t *testing.T) {
			n.act(t, "cases/c", "D", life.Executed, &life.Execution{Outcomes: []life.Outcome{}})
		}, why: "decision"},
		"executed, another hands": {decision: approved, begun: func(n *node, t *testing.T) {
			n.act(t, "cases/c", "E", life.Executed, &life.Execution{Outcomes: []life.Outcome{}})
		}, why: "decision"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newBed(t).node(t, "a")
			n.ingest(t, "x", "p1", tt.seal)
			n.ingest(t, "y", "p2", nil)
			tt.decision(n, t)
			n.begin(t, "x", "c")
			if tt.begun != nil {
				tt.begun(n, t)
			}
			by := strings.TrimPrefix(cmp.Or(tt.by, "D"), "-")
			before := len(n.read(t, "dossiers/x"))
			_, err := n.Delete(t.Context(), by, "x")
			l := n.life(t, "x")
			if tt.why == "" {
				if err != nil || l.State != life.Condemned {
					t.Errorf("got %v, %s", err, l.State)
				}
				n.wantStored(t, "y/p2.1")
				return
			}
			if !errors.Is(err, custody.ErrStopped) || l.State != life.Archived || l.Last == nil || l.Last.Why != tt.why || l.Last.Case != "c" || len(l.Last.Packages) > 0 {
				t.Errorf("got %v, %s, %+v; want stopped: %q", err, l.State, l.Last, tt.why)
			}
			if _, err := n.Delete(t.Context(), by, "x"); !errors.Is(err, custody.ErrStopped) {
				t.Errorf("again: got %v, want ErrStopped", err)
			}
			if after := len(n.read(t, "dossiers/x")); after != before+1 {
				t.Errorf("%d acts became %d", before, after)
			}
			n.wantStored(t, "x/p1.1", "y/p2.1")
		})
	}
}

// TestDeleteOfWhatWasNotBegun writes nothing and deletes nothing.
func TestDeleteOfWhatWasNotBegun(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	n.decided(t, "c", "x")
	if _, err := n.Write(t.Context(), "y", "p2", signing.NewSessionKey()); err != nil {
		t.Fatal(err)
	}
	for _, dossier := range []string{"x", "y", "unknown"} {
		before := len(n.read(t, life.Chain(dossier)))
		if acts, err := n.Delete(t.Context(), "D", dossier); !errors.Is(err, custody.ErrStopped) || acts != nil {
			t.Errorf("%s: got %d acts, %v; want ErrStopped", dossier, len(acts), err)
		}
		if after := len(n.read(t, life.Chain(dossier))); after != before {
			t.Errorf("%s: an act was written", dossier)
		}
	}
	n.wantStored(t, "x/p1.1", "y/p2.1")
}

// TestDeleteFromTamperedActs: what the custodian can't believe it does not act
// on, neither forward nor back.
func TestDeleteFromTamperedActs(t *testing.T) {
	alter := func(t *testing.T, n *node, key string) {
		data, _, err := store.ReadAll(t.Context(), n.objects, key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		data[10] ^= 1
		if _, err := n.objects.Put(t.Context(), key, data, nil); err != nil {
			t.Fatal(err)
		}
	}
	hide := func(t *testing.T, n *node, key string) {
		if err := n.memory.Mark(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(*testing.T, *node, string){"altered": alter, "hidden": hide} {
		for _, key := range []string{"dossiers/x/0001", "dossiers/x/0002", "cases/c/0001", "cases/c/0003"} {
			b := newBed(t)
			n := b.node(t, "a")
			n.condemnable(t)
			change(t, n, key)
			for _, at := range []*node{n, b.node(t, "b")} {
				if _, err := at.Delete(t.Context(), "D", "x"); !errors.Is(err, chain.ErrTampered) {
					t.Errorf("%s %s: got %v, want ErrTampered", key, name, err)
				}
			}
			if n.chains.Len("dossiers/x") != 2 {
				t.Errorf("%s %s: an act was written", key, name)
			}
			n.wantStored(t, "x/p1.1")
		}
	}
}

// TestHoldHidden has a liar hide the hold from a custodian whose node has not
// heard of it. What it then writes must not become effective, nor the packets
// go.
func TestHoldHidden(t *testing.T) {
	b := newBed(t)
	n := b.node(t, "a")
	n.condemnable(t)
	behind := b.node(t, "b")
	n.tryHold(t, "x")
	if err := b.memory.Mark(t.Context(), "dossiers/x/0003"); err != nil {
		t.Fatal(err)
	}
	if _, err := behind.Delete(t.Context(), "D", "x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("got %v, want ErrTampered", err)
	}
	n.wantStored(t, "x/p1.1")
}

// TestDeleteLooksAgain: a store that acknowledges a deletion and does not do it
// is found out.
func TestDeleteLooksAgain(t *testing.T) {
	b := newBed(t)
	b.packets = deaf{b.packets}
	n := b.node(t, "a")
	n.condemnable(t)
	for range 2 {
		if _, err := n.Delete(t.Context(), "D", "x"); err == nil {
			t.Error("packets are left, and no error")
		}
	}
	b.packets = b.packets.(deaf).Store
	if _, err := b.node(t, "b").Delete(t.Context(), "D", "x"); err != nil {
		t.Error(err)
	}
	n.wantStored(t)
}

type deaf struct{ store.Store }

func (deaf) Delete(context.Context, string) error { return nil }

// TestHoldWins has a hold put at the last moment: after everything was decided,
// before the point of no return.
func TestHoldWins(t *testing.T) {
	b := newBed(t)
	n := b.node(t, "a")
	n.condemnable(t)
	slow := *b
	held := false
	slow.objects = storetest.Faulty{Store: b.objects, OnCall: func(op, key string) (bool, error) {
		if op == "put" && key == "dossiers/x/0003" && !held {
			held = n.tryHold(t, "x")
		}
		return true, nil
	}}
	_, err := slow.node(t, "b").Delete(t.Context(), "D", "x")
	if !held || !errors.Is(err, custody.ErrStopped) {
		t.Errorf("held: %v, deletion: %v; want ErrStopped", held, err)
	}
	if l := n.life(t, "x"); l.State != life.Archived || l.Last.Why != "held" || len(l.Holds) != 1 {
		t.Errorf("got %s, %+v", l.State, l.Last)
	}
	n.wantStored(t, "x/p1.1")
}

// TestHoldIsLate has a hold put between the point of no return and the deletion:
// it is refused, though the packets are there.
func TestHoldIsLate(t *testing.T) {
	b := newBed(t)
	n := b.node(t, "a")
	n.condemnable(t)
	slow := *b
	asked := false
	slow.packets = storetest.Faulty{Store: b.packets, OnCall: func(op, key string) (bool, error) {
		if op == "delete" {
			asked = true
			if n.tryHold(t, "x") {
				t.Error("held past the point of no return")
			}
			n.wantStored(t, "x/p1.1")
		}
		return true, nil
	}}
	if _, err := slow.node(t, "b").Delete(t.Context(), "D", "x"); err != nil || !asked {
		t.Errorf("got %v", err)
	}
	n.wantStored(t)
}

// TestHoldRaces: whenever a hold and a deletion meet, exactly one of them
// succeeds, and the packets are there just when it is the hold.
func TestHoldRaces(t *testing.T) {
	b := newBed(t)
	n, other := b.node(t, "a"), b.node(t, "b")
	outcomes := map[bool]int{}
	for round := range 40 {
		x, c := fmt.Sprintf("x%d", round), fmt.Sprintf("c%d", round)
		n.ingest(t, x, "p1", nil)
		n.decided(t, c, x)
		n.begin(t, x, c)
		var wg sync.WaitGroup
		var held bool
		var deleted error
		wg.Go(func() { held = other.tryHold(t, x) })
		wg.Go(func() { _, deleted = n.Delete(t.Context(), "D", x) })
		wg.Wait()
		left, err := n.Left(t.Context(), x)
		if err != nil || held == (deleted == nil) || held != (len(left) == 1) || deleted != nil && !errors.Is(deleted, custody.ErrStopped) {
			t.Errorf("round %d: held %v, deletion %v, left %q, %v", round, held, deleted, left, err)
		}
		outcomes[held]++
	}
	t.Logf("held: %v", outcomes)
}

// TestTwoCustodians: both come to the same end, by one act.
func TestTwoCustodians(t *testing.T) {
	b := newBed(t)
	nodes := []*node{b.node(t, "a"), b.node(t, "b")}
	for round := range 20 {
		x, c := fmt.Sprintf("x%d", round), fmt.Sprintf("c%d", round)
		nodes[0].ingest(t, x, "p1", nil)
		nodes[0].decided(t, c, x)
		nodes[0].begin(t, x, c)
		digests := make([]string, len(nodes))
		var wg sync.WaitGroup
		for i, n := range nodes {
			wg.Go(func() {
				acts, err := n.Delete(t.Context(), "D", x)
				if err != nil || len(acts) != 3 {
					t.Errorf("round %d: got %d acts, %v", round, len(acts), err)
					return
				}
				digests[i] = acts[2].Digest()
			})
		}
		wg.Wait()
		if digests[0] != digests[1] {
			t.Errorf("round %d: condemned twice", round)
		}
	}
	nodes[0].wantStored(t)
}

func TestDiscard(t *testing.T) {
	b := newBed(t)
	n := b.node(t, "a")
	n.ingest(t, "x", "p1", nil)
	n.ingest(t, "z", "p4", nil)
	for _, key := range [][2]string{{"x", "p2"}, {"y", "p3"}} {
		if _, err := n.Write(t.Context(), key[0], key[1], signing.NewSessionKey()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // may be repeated
			if err := n.Discard(t.Context(), key[0], key[1]); err != nil {
				t.Error(err)
			}
		}
	}
	for _, at := range []*node{n, b.node(t, "b")} {
		if err := at.Discard(t.Context(), "x", "p1"); !errors.Is(err, custody.ErrInUse) {
			t.Errorf("of a sealed package: got %v, want ErrInUse", err)
		}
	}
	if err := b.memory.Mark(t.Context(), "dossiers/z/0001"); err != nil {
		t.Fatal(err)
	}
	if err := n.Discard(t.Context(), "z", "p4"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("seal hidden: got %v, want ErrTampered", err)
	}
	n.wantStored(t, "x/p1.1", "z/p4.1")
}

var errInjected = errors.New("injected fault")

// fault makes call n fail, before or after its effect, alone or with all that
// follow, as if the process had died.
type fault struct {
	n           int
	apply, dies bool
}

// injector counts calls over all buckets, once it is armed.
type injector struct {
	fault
	mu    sync.Mutex
	armed bool
	calls int
	hit   string
}

func (i *injector) onCall(op, key string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.armed {
		return true, nil
	}
	i.calls++
	switch {
	case i.calls == i.n+1:
		i.hit = op + " " + key
		return i.apply, errInjected
	case i.dies && i.calls > i.n:
		return false, errInjected
	}
	return true, nil
}

// TestCrash breaks every store call of a deletion that goes through, and of one
// that is stopped.
func TestCrash(t *testing.T) {
	for _, held := range []bool{false, true} {
		for _, f := range []fault{{apply: false}, {apply: true}, {dies: true}, {apply: true, dies: true}} {
			t.Run(fmt.Sprintf("held=%v/apply=%v,dies=%v", held, f.apply, f.dies), func(t *testing.T) {
				for f.n = 0; ; f.n++ {
					done := false
					synctest.Test(t, func(t *testing.T) { done = crash(t, f, held) })
					if done || t.Failed() {
						break
					}
				}
				if f.n < 5 {
					t.Errorf("only %d calls", f.n)
				}
			})
		}
	}
}

// crash deletes with one fault, and reports whether there were too few calls for
// it to strike. Packets never go before the point of no return, or under a hold;
// and whoever comes next brings it to its end.
func crash(t *testing.T, f fault, held bool) (done bool) {
	b := newBed(t)
	first := b.node(t, "z")
	first.condemnable(t)
	if _, err := first.Write(t.Context(), "x", "p2", signing.NewSessionKey()); err != nil {
		t.Fatal(err)
	}
	if held {
		first.tryHold(t, "x")
	}
	i := &injector{fault: f}
	broken := *b
	for _, s := range []*store.Store{&broken.objects, &broken.packets, &broken.work} {
		*s = storetest.Faulty{Store: *s, OnCall: i.onCall}
	}
	n := broken.node(t, "a")
	i.armed = true
	_, err := n.Delete(t.Context(), "D", "x")
	n.chains.Close()
	if err != nil && !errors.Is(err, errInjected) && !errors.Is(err, custody.ErrStopped) {
		t.Errorf("call %d, %s: %v", f.n, i.hit, err)
	}

	next := b.node(t, "b")
	state, left := next.life(t, "x").State, b.stored(t)
	if len(left) < 2 && state != life.Condemned || held && len(left) < 2 || err == nil && (len(left) > 0 || state != life.Condemned) ||
		errors.Is(err, custody.ErrStopped) && state != life.Archived {
		t.Errorf("call %d, %s: %v, %s, left %q", f.n, i.hit, err, state, left)
	}
	acts, err := next.Delete(t.Context(), "D", "x")
	l := next.life(t, "x")
	if held {
		if !errors.Is(err, custody.ErrStopped) || l.State != life.Archived || l.Last.Why != "held" {
			t.Errorf("call %d, %s: again: %v, %s", f.n, i.hit, err, l.State)
		}
		b.wantStored(t, "x/p1.1", "x/p2.1")
		return i.hit == ""
	}
	if err != nil || l.State != life.Condemned || !slices.Equal(l.Last.Packages, []string{"p1", "p2"}) || len(acts) != 3 {
		t.Errorf("call %d, %s: again: %v, %s, %+v", f.n, i.hit, err, l.State, l.Last)
	}
	b.wantStored(t)
	return i.hit == ""
}

// TestFaultsElsewhere: what can't be stored, listed or read is an error and not
// taken for absent.
func TestFaultsElsewhere(t *testing.T) {
	b := newBed(t)
	b.node(t, "z").ingest(t, "x", "p1", nil)
	broken := *b
	broken.packets = storetest.Faulty{Store: b.packets, OnCall: func(string, string) (bool, error) { return false, errInjected }}
	n := broken.node(t, "a")
	g := n.grant(t, dissemination("x", "p1"))
	for name, call := range map[string]func() error{
		"write":   func() error { _, err := n.Write(t.Context(), "x", "p2", signing.NewSessionKey()); return err },
		"packets": func() error { _, err := n.Packets(t.Context(), "x", "p1"); return err },
		"unwrap":  func() error { _, err := n.Unwrap(t.Context(), g, "x", "p1"); return err },
		"discard": func() error { return n.Discard(t.Context(), "x", "p2") },
		"left":    func() error { _, err := n.Left(t.Context(), "x"); return err },
	} {
		if err := call(); !errors.Is(err, errInjected) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := maps.Collect(n.chains.Chains); got["dossiers/x"] != 1 {
		t.Errorf("got chains %v", got)
	}
}
