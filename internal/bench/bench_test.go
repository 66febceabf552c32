// Package bench compares luutru, in the same run and on the same data, with
// what one would do without it: plain PUTs, restic, gpg, a synced file. It is
// tests only. Run by go test ./... it is a smoke test of a few seconds;
// docs/benchmarks.md has the commands that measure. No test fails for a time.
package bench

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/luutru/luutru/store/embedded"
)

// TestMain lets the test binary be the store's or the measured process of a
// comparison that needs processes of their own.
func TestMain(m *testing.M) {
	switch os.Getenv("LUUTRU_BENCH_ROLE") {
	case "store":
		exit(serveStore())
	case "dossier":
		exit(handleLargeDossier())
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keys is how a process reaches a store that another one serves.
type keys struct{ Endpoint, Access, Secret, Region string }

// serveStore serves LUUTRU_BENCH_DIR until standard input ends.
func serveStore() error {
	s, addr, err := startStore(os.Getenv("LUUTRU_BENCH_DIR"))
	if err != nil {
		return err
	}
	e := s.Endpoint()
	if err := json.NewEncoder(os.Stdout).Encode(keys{addr, e.AccessKey, e.SecretKey, e.Region}); err != nil {
		return errors.Join(err, s.Close())
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// startStore starts an embedded store that also listens on a free port.
func startStore(dir string) (*embedded.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, "", err
	}
	s, err := embedded.Start(background(), embedded.Config{Dir: dir, Addr: addr})
	return s, addr, err
}

// setting returns a whole number from the environment.
func setting(t testing.TB, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number from 1", name)
	}
	return n
}

// smoke is how many dossiers are used where nothing is measured.
const smoke = 8

// measuring reports whether figures are wanted, not only a smoke test.
func measuring() bool { return os.Getenv("LUUTRU_BENCH_DOSSIERS") != "" }

func rounds(t testing.TB) int { return setting(t, "LUUTRU_BENCH_ROUNDS", 1) }

// outcome is what one run of one contender cost.
type outcome struct {
	n       int           // units of work
	bytes   int64         // of content
	wall    time.Duration // for all of them
	cpu     time.Duration // of this process and its children
	lags    []time.Duration
	wire    traffic
	clients int
	note    string
}

func (s *outcome) rate() float64 { return float64(s.n) / s.wall.Seconds() }

// lag returns a quantile of the time one unit took, in milliseconds.
func (s *outcome) lag(q float64) float64 {
	if len(s.lags) == 0 {
		return 0
	}
	slices.Sort(s.lags)
	return ms(s.lags[int(q*float64(len(s.lags)-1))])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// share has n units of work done by so many clients and times each.
func share(t testing.TB, clients, n int, f func(i int) error) *outcome {
	t.Helper()
	s := &outcome{n: n, lags: make([]time.Duration, n), clients: clients}
	var next atomic.Int64
	var wg sync.WaitGroup
	start, cpu := time.Now(), cpuTime()
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !t.Failed(); i = int(next.Add(1)) - 1 {
				begun := time.Now()
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
				s.lags[i] = time.Since(begun)
			}
		})
	}
	wg.Wait()
	s.wall, s.cpu = time.Since(start), cpuTime()-cpu
	if t.Failed() {
		t.FailNow()
	}
	return s
}

// cpuTime is what this process and the children it has waited for have used.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// settle leaves the disk and the heap in the same state for whoever is next.
func settle() {
	runtime.GC()
	syscall.Sync()
}

// spread is median and range over the rounds.
func spread(rs []*outcome, f func(*outcome) float64, format string) string {
	v := values(rs, f)
	if len(v) == 1 {
		return fmt.Sprintf(format, v[0])
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", v[len(v)/2], v[0], v[len(v)-1])
}

func median(rs []*outcome, f func(*outcome) float64) float64 {
	v := values(rs, f)
	return v[len(v)/2]
}

func values(rs []*outcome, f func(*outcome) float64) []float64 {
	var v []float64
	for _, r := range rs {
		v = append(v, f(r))
	}
	slices.Sort(v)
	return v
}

// table prints Markdown, on a line of its own for every row, so that
// "go test -v | grep '^|'" gives what docs/benchmarks.md has.
type table struct {
	title string
	rows  [][]string
}

func (b *table) add(cells ...string) { b.rows = append(b.rows, cells) }

func (b *table) print() {
	var w strings.Builder
	fmt.Fprintf(&w, "\n**%s**\n\n", b.title)
	for i, r := range b.rows {
		fmt.Fprintf(&w, "| %s |\n", strings.Join(r, " | "))
		if i == 0 {
			fmt.Fprintf(&w, "|%s\n", strings.Repeat("---|", len(r)))
		}
	}
	fmt.Println(w.String())
}

// inTurn gives the order of the contenders in a round: every other one is
// backwards, so that none always has the better place.
func inTurn(n, round int) []int {
	var order []int
	for i := range n {
		order = append(order, (i+round/2)%n)
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// count writes a number of octets.
func count(n int64) string {
	for _, u := range []string{"B", "KiB", "MiB"} {
		if n < 10<<10 {
			return fmt.Sprintf("%d %s", n, u)
		}
		n >>= 10
	}
	return fmt.Sprintf("%d GiB", n)
}

// byCount orders the kinds of requests, the most frequent first.
func byCount(a, b *kindOf) int {
	return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
}
