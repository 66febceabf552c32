//go:build unix

package soak_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/luutru/luutru/signing"
)

// TestKill kills a server, with its store where that is the embedded one, at
// random moments under load, and starts it again.
func TestKill(t *testing.T) {
	t.Run("classic", func(t *testing.T) { kill(t, signing.Classic, rounds(t, 2), 50) })
	t.Run("hybrid", func(t *testing.T) { kill(t, signing.Hybrid, 1, 10) })
}

const (
	// killTime bounds the rounds of one test.
	killTime = 8 * time.Minute
	// usual is how long a server lives at most, where it gets enough done.
	usual = 1500 * time.Millisecond
)

// kill goes on until there were so many rounds, and in the mean so many
// acknowledgements in each.
func kill(t *testing.T, p signing.Profile, rounds, each int) {
	b := newBed(t, p, false)
	l := newLoad(t)
	tab := newTable()
	dir := b.newIndex()
	longest := usual
	for began := time.Now(); tab.rounds < rounds || l.acknowledged() < rounds*each; {
		if t.Failed() {
			return
		}
		if time.Since(began) > killTime {
			t.Fatalf("%d acknowledgements in %d rounds and %s, want %d in %d", l.acknowledged(), tab.rounds, killTime, rounds*each, rounds)
		}
		if rand.IntN(4) == 0 {
			tab.early++
			b.killEarly(dir)
		}
		node, w := b.node("a", dir, l.suspects()...)
		tab.start(l, w)
		l.under(t.Context(), node, between(50*time.Millisecond, longest))
		tab.end(node)
		// Where too little gets done before the kill, the next has more time.
		if l.acknowledged() < tab.rounds*each {
			longest = min(longest*5/4, 30*time.Second)
		} else {
			longest = usual
		}
	}
	node, w := b.node("a", dir, l.suspects()...)
	tab.start(l, w)
	before := l.acknowledged()
	node.ready()
	l.drain(node)
	t.Logf("%s: %d rounds, %d kills while starting; %d dossiers acknowledged under kills, %d when left alone\n%s",
		p, tab.rounds, tab.early, before, l.acknowledged()-before, tab)
	l.final(b, node)
	l.report()
}

// killEarly kills a server while it starts.
func (b *bed) killEarly(index string) {
	o := b.order
	o.Node, o.Index = "a", index
	p := b.launch(o)
	after(b.t.Context(), rand.N(500*time.Millisecond))
	p.kill()
}

func between(from, to time.Duration) time.Duration { return from + rand.N(to-from) }

// under loads a server for a time and kills it.
func (l *load) under(ctx context.Context, p *process, d time.Duration) {
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		l.work(run, ctx, true, p)
		close(done)
	}()
	after(ctx, d)
	l.dying.Store(true)
	stop()
	p.kill()
	<-done
	l.dying.Store(false)
}

// suspects are the dossiers whose destruction may be half done.
func (l *load) suspects() []string {
	var ids []string
	for _, s := range l.subjects() {
		s.with(func() {
			if s.executing && s.certificate == nil && !s.stopped && s.receipt != nil {
				ids = append(ids, s.receipt.Dossier)
			}
		})
	}
	return ids
}

// report prints what was answered instead of what was hoped for.
func (l *load) report() {
	var destroyed, stopped, holds, copies, documents int
	for _, s := range l.subjects() {
		if s.certificate != nil {
			destroyed++
		}
		if s.stopped {
			stopped++
		}
		holds += len(s.holds)
		copies += len(s.copies)
		documents += s.documents
	}
	l.t.Logf("acknowledged: %d of %d dossiers, %d destructions, %d destructions refused for a hold, %d holds, %d copies, %d documents; besides %v",
		l.acknowledged(), len(l.subjects()), destroyed, stopped, holds, copies, documents, l.fails)
}

// table is what the kills hit and what the starts after them took.
type table struct {
	rounds, early   int
	rebuilt         int // indexes
	steps           map[string]int
	destructions    map[string]int
	store, open     []time.Duration
	ready           []time.Duration
	alreadyFinished int
}

func newTable() *table { return &table{steps: map[string]int{}, destructions: map[string]int{}} }

// start takes down what a start found.
func (tab *table) start(l *load, w *word) {
	acknowledged := map[string]bool{}
	for _, s := range l.subjects() {
		if r := s.archived(); r != nil {
			acknowledged[r.Dossier] = true
		}
	}
	for _, at := range w.Found.Attempts {
		if acknowledged[at.Dossier] {
			tab.alreadyFinished++
			continue
		}
		tab.steps[at.Step]++
	}
	for _, step := range w.Found.Destructions {
		tab.destructions[step]++
	}
	if w.Rebuilt {
		tab.rebuilt++
	}
	tab.store, tab.open = append(tab.store, w.Started.Store), append(tab.open, w.Started.Archive)
}

// end takes down what a server that is no more said before.
func (tab *table) end(p *process) {
	tab.rounds++
	for w := range p.words {
		if w.Ready {
			tab.ready = append(tab.ready, w.Started.Ready)
		}
	}
}

func (tab *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "attempts that kills left unacknowledged:\n")
	for _, step := range []string{registered, stored, sealed, entered} {
		fmt.Fprintf(&b, "  %-40s %5d\n", step, tab.steps[step])
	}
	fmt.Fprintf(&b, "  %-40s %5d\n", "(on the marker, but acknowledged)", tab.alreadyFinished)
	fmt.Fprintf(&b, "destructions that kills left unacknowledged, by their last act:\n")
	for _, step := range slices.Sorted(maps.Keys(tab.destructions)) {
		fmt.Fprintf(&b, "  %-40s %5d\n", step, tab.destructions[step])
	}
	fmt.Fprintf(&b, "indexes that a kill left unusable: %d\n", tab.rebuilt)
	fmt.Fprintf(&b, "recovery, ms (least, median, most):\n")
	for _, x := range []struct {
		name string
		all  []time.Duration
	}{{"store started", tab.store}, {"archive and index opened", tab.open}, {"what was left settled", tab.ready}} {
		if slices.Sort(x.all); len(x.all) > 0 {
			fmt.Fprintf(&b, "  %-40s %5d %5d %5d (%d starts)\n", x.name, x.all[0].Milliseconds(), x.all[len(x.all)/2].Milliseconds(), x.all[len(x.all)-1].Milliseconds(), len(x.all))
		}
	}
	return b.String()
}

// TestPause stops a node at random moments and has another go on with its work.
func TestPause(t *testing.T) {
	each := (rounds(t, 1) + 1) / 2
	t.Run("same name", func(t *testing.T) { pause(t, true, each) })
	t.Run("another name", func(t *testing.T) { pause(t, false, each) })
}

// pause has the second node recover the first at once, if it has the same name:
// it takes it for dead.
func pause(t *testing.T, same bool, rounds int) {
	b := newBed(t, signing.Classic, true)
	l := newLoad(t)
	l.rough = true
	dirs := [2]string{b.newIndex(), b.newIndex()}
	names := [2]string{"a", "b"}
	if same {
		names[1] = "a"
	}
	node, _ := b.node(names[0], dirs[0])
	for n := range rounds {
		next := (n + 1) % 2
		node = l.paused(b, node, func() *process {
			p, _ := b.node(names[next], dirs[next])
			return p
		}, same)
	}
	node.ready()
	l.rough = false
	l.drain(node)
	l.final(b, node)
	l.report()
}

// paused is one round: it returns the other node, which goes on.
func (l *load) paused(b *bed, first *process, start func() *process, same bool) *process {
	ctx := l.t.Context()
	var second *process
	if !same {
		second = start()
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		l.work(run, ctx, true, first)
		close(done)
	}()
	after(ctx, between(50*time.Millisecond, 1500*time.Millisecond))
	first.signal(syscall.SIGSTOP)
	stop()
	if same {
		second = start()
	}
	length := between(time.Second, 4*time.Second)
	end, cancel := context.WithTimeout(ctx, length)
	l.meanwhile(end, ctx, second)
	after(end, length)
	cancel()
	first.signal(syscall.SIGCONT)
	<-done
	first.stop()
	return second
}

// meanwhile goes on, through the second node, with some of what the first is in
// the middle of; some is destroyed, whatever else was meant to become of it.
func (l *load) meanwhile(ctx, hard context.Context, p *process) {
	for i, s := range l.underway() {
		if i%3 == 0 {
			continue
		}
		s.with(func() {
			if i%3 == 1 && (s.fate == kept || s.fate == forgotten) && s.class == due {
				s.fate = doomed
			}
		})
		l.repeat(s)
	}
	l.work(ctx, hard, true, p)
}

// TestRace pushes every dossier to two nodes at once, and whatever is meant to
// become of it is done through both.
func TestRace(t *testing.T) {
	b := newBed(t, signing.Classic, true)
	l := newLoad(t)
	first, _ := b.node("a", b.newIndex())
	second, _ := b.node("b", b.newIndex())
	run, stop := context.WithTimeout(t.Context(), time.Duration(rounds(t, 2))*time.Second)
	defer stop()
	l.work(run, t.Context(), true, first, second)
	l.drain(first, second)
	first.stop()
	l.final(b, second)
	l.report()
}
