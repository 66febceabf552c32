package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
)

// TestCompareLedger appends events at 1, 16 and 256 at once, beside lines
// appended to a file and synced: each for itself, and as many together as wait.
func TestCompareLedger(t *testing.T) {
	per := 4
	if measuring() {
		per = 40
	}
	for _, st := range stores() {
		out := table{title: fmt.Sprintf("Ledger: durable events, %s store, %d rounds", st.name, rounds(t))}
		out.add("", "at once", "events/s", "p50 ms", "p99 ms", "CPU ms/event", "requests/event")
		for _, clients := range []int{1, 16, 256} {
			n := per * clients
			if clients == 1 {
				n *= 10
			}
			names := []string{"luutru ledger", "file, a sync each", "file, a sync for all who wait"}
			results := make([][]*outcome, len(names))
			for round := range rounds(t) {
				for _, i := range inTurn(len(names), round) {
					t.Run(names[i], func(t *testing.T) {
						run := []func(*testing.T, *bed, int, int) *outcome{appendLedger, appendFile, appendGroup}[i]
						b := st.open(t)
						settle()
						results[i] = append(results[i], run(t, b, clients, n))
					})
				}
			}
			if !t.Failed() {
				ledgerRows(&out, names, clients, results)
			}
		}
		out.print()
	}
}

func ledgerRows(out *table, names []string, clients int, results [][]*outcome) {
	for i, rs := range results {
		if len(rs) == 0 {
			continue
		}
		requests := "–"
		if rs[0].wire != nil {
			requests = fmt.Sprintf("%.3f", median(rs, func(s *outcome) float64 { return float64(s.wire.requests()) / float64(s.n) }))
		}
		out.add(names[i], fmt.Sprint(clients), spread(rs, (*outcome).rate, "%.0f"),
			fmt.Sprintf("%.2f", median(rs, func(s *outcome) float64 { return s.lag(0.5) })),
			fmt.Sprintf("%.2f", median(rs, func(s *outcome) float64 { return s.lag(0.99) })),
			fmt.Sprintf("%.3f", median(rs, func(s *outcome) float64 { return ms(s.cpu) / float64(s.n) })), requests)
	}
}

func appendLedger(t *testing.T, b *bed, clients, n int) *outcome {
	skey, vkey, err := audit.GenerateKey("bench.luutru.test/ledger")
	if err != nil {
		t.Fatal(err)
	}
	c := audit.Config{Store: b.bucket(t, "archive", true), Work: b.bucket(t, "work", false), Key: skey, VKey: vkey, Node: "bench", Now: time.Now, LockFor: time.Hour}
	if err := audit.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	b.wire.take()
	s := share(t, clients, n, func(i int) error {
		_, err := l.Append(t.Context(), event(i))
		return err
	})
	s.wire = b.wire.take()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	return s
}

// event is one as a retrieval leaves it, but without personal values.
func event(i int) audit.Event {
	name := digest(fmt.Append(nil, i))
	return audit.Event{ID: "bench/" + name, Type: "delivered", Time: time.Now(), Chain: "dossiers/" + name[:32], Details: map[string]string{"dissemination": name[32:]}}
}

// line is as long as a ledger entry.
func line(i int) []byte { return fmt.Appendf(nil, "%0400d\n", i) }

func appendFile(t *testing.T, b *bed, clients, n int) *outcome {
	f := openLog(t, b)
	var mu sync.Mutex
	return share(t, clients, n, func(i int) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := f.Write(line(i))
		return errors.Join(err, f.Sync())
	})
}

// appendGroup is the best that a file can do: whoever comes while a sync runs
// shares the next one.
func appendGroup(t *testing.T, b *bed, clients, n int) *outcome {
	g := &group{f: openLog(t, b), open: new(batch)}
	g.done = sync.NewCond(&g.mu)
	return share(t, clients, n, func(i int) error { return g.append(line(i)) })
}

func openLog(t *testing.T, b *bed) *os.File {
	f, err := os.Create(filepath.Join(b.dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// group commits lines to a file in batches.
type group struct {
	f    *os.File
	mu   sync.Mutex
	done *sync.Cond
	open *batch
	busy bool
}

// batch is what one sync makes durable.
type batch struct {
	lines []byte
	ended bool
	err   error
}

func (g *group) append(p []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine := g.open
	mine.lines = append(mine.lines, p...)
	for !mine.ended {
		if g.busy {
			g.done.Wait()
			continue
		}
		now := g.open
		g.open, g.busy = new(batch), true
		g.mu.Unlock()
		_, err := g.f.Write(now.lines)
		now.err = errors.Join(err, g.f.Sync())
		g.mu.Lock()
		now.ended, g.busy = true, false
		g.done.Broadcast()
	}
	return mine.err
}
