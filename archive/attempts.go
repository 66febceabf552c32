package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
)

// An attempt is one try at storing a package. It is registered in its
// session's pending marker before its first byte is stored, so that whatever a
// crash leaves behind is found without listing the bucket.

// session is one run of a node. It alone writes its pending marker.
type session struct {
	a    *Archive
	name string

	mu      sync.Mutex
	changed *sync.Cond
	open    map[string]string // attempt → dossier
	doubt   []*attempt        // given up without knowing whether they were committed
	wanted  uint64            // changes that must be written
	written uint64            // changes that are
	writing bool
	ready   chan struct{} // closed once what others left was looked at
}

// marker is the object pending/<session>.
type marker struct {
	V        int       `json:"v"`
	Node     string    `json:"node"`
	Renewed  string    `json:"renewed"`
	Swept    string    `json:"swept"` // when somebody else cleaned up; "" if nobody did
	Attempts []attempt `json:"attempts"`
}

type attempt struct {
	Dossier string `json:"dossier"`
	Package string `json:"package"`
}

const (
	pendingPrefix = "pending/"
	// renewAfter is how often a session with open attempts renews its marker.
	renewAfter = time.Minute
	// deadAfter is how long a session of another node must be silent before
	// its attempts are abandoned. It is a courtesy to slow nodes: an attempt
	// that is abandoned too early fails, and loses nothing.
	deadAfter = 10 * time.Minute
	// sweepAgain is how long an abandoned marker is kept: a node that was
	// paused while storing may still leave objects behind after it was
	// declared dead.
	sweepAgain = 24 * time.Hour
)

func newSession(a *Archive) *session {
	s := &session{a: a, name: random(), open: map[string]string{}, ready: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func packageKey(id, attempt string) string { return "packages/" + id + "/" + attempt }

// begin registers an attempt. The channel says when the marker that names it is
// durable: nothing may be stored before. Attempts that begin while a marker is
// being written share the next.
func (s *session) begin(ctx context.Context, id string) (*attempt, <-chan error) {
	at := &attempt{Dossier: id, Package: random()}
	registered := make(chan error, 1)
	go func() { registered <- s.register(ctx, at) }()
	return at, registered
}

func (s *session) register(ctx context.Context, at *attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[at.Package] = at.Dossier
	s.wanted++
	need := s.wanted
	for s.written < need {
		if s.writing {
			s.changed.Wait()
			continue
		}
		if err := s.write(ctx); err != nil {
			delete(s.open, at.Package)
			return fmt.Errorf("pending marker: %w", err)
		}
	}
	return nil
}

// write stores the marker. The lock is held on entry and exit, not between.
func (s *session) write(ctx context.Context) error {
	s.writing = true
	upto := s.wanted
	m := s.marker()
	s.mu.Unlock()
	err := s.a.putMarker(ctx, s.name, m)
	s.mu.Lock()
	s.writing = false
	if err == nil {
		s.written = upto
	}
	s.changed.Broadcast()
	return err
}

func (s *session) marker() *marker {
	m := &marker{V: 1, Node: s.a.Node, Renewed: chain.Timestamp(s.a.Now())}
	for _, p := range slices.Sorted(maps.Keys(s.open)) {
		m.Attempts = append(m.Attempts, attempt{s.open[p], p})
	}
	return m
}

// end takes an attempt off the marker. The next write carries it, for a marker
// that names a finished attempt costs recovery one look and nothing else.
func (s *session) end(at *attempt) {
	s.mu.Lock()
	delete(s.open, at.Package)
	s.mu.Unlock()
}

// leave gives up an attempt of which nobody knows whether it was committed. The
// session settles it later, as it would settle a stranger's.
func (s *session) leave(at *attempt) {
	s.mu.Lock()
	s.doubt = append(s.doubt, at)
	s.mu.Unlock()
}

func (s *session) settleDoubts(ctx context.Context) error {
	s.mu.Lock()
	doubt := s.doubt
	s.doubt = nil
	s.mu.Unlock()
	var errs []error
	for _, at := range doubt {
		if err := s.a.settle(ctx, at); err != nil {
			errs = append(errs, err)
			s.leave(at)
			continue
		}
		s.end(at)
	}
	return errors.Join(errs...)
}

// run recovers what other sessions left, then renews the marker while there is
// something to renew.
func (s *session) run(ctx context.Context) {
	tick := time.NewTicker(renewAfter)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := errors.Join(s.settleDoubts(ctx), s.a.recover(ctx)); err != nil && ctx.Err() == nil {
			s.a.Log.Error("recovery", "error", err)
		}
		if first {
			close(s.ready)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if len(s.open) > 0 && !s.writing {
			if err := s.write(ctx); err != nil {
				s.a.Log.Error("pending marker", "error", err)
			}
		}
		s.mu.Unlock()
	}
}

// close removes the marker of a session that ends in order.
func (s *session) close() error {
	s.mu.Lock()
	n, touched := len(s.open), s.written > 0
	s.mu.Unlock()
	if n > 0 || !touched {
		return nil
	}
	return s.a.Work.Delete(context.Background(), pendingPrefix+s.name)
}

// Ready waits until what a crash of this node left behind has been looked at.
// Nothing needs to wait for it; whoever wants a quiet archive may.
func (a *Archive) Ready(ctx context.Context) error {
	select {
	case <-a.session.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Archive) putMarker(ctx context.Context, session string, m *marker) error {
	b, err := jcs.Marshal(m)
	if err != nil {
		return err
	}
	_, err = a.Work.Put(ctx, pendingPrefix+session, b, nil)
	return err
}

// recover completes, or undoes, what sessions that are no more left behind, and
// every destruction past its point of no return.
func (a *Archive) recover(ctx context.Context) error {
	var errs []error
	for info, err := range a.Work.List(ctx, pendingPrefix, nil) {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(info.Key, pendingPrefix)
		if name == a.session.name {
			continue
		}
		if err := a.recoverSession(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("session %s: %w", name, err))
		}
	}
	return errors.Join(append(errs, a.recoverDestructions(ctx))...)
}

// recoverDestructions finishes what is past its point of no return.
func (a *Archive) recoverDestructions(ctx context.Context) error {
	agent := a.Keyring.agent(a.Node)
	shredded := map[string][]*chain.Act{}
	var errs []error
	for _, id := range a.register.ids(func(r *record) bool {
		return r.State == life.Condemned || r.Condemned != "" && r.State != life.Gone
	}) {
		acts, err := a.finish(ctx, agent, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("destruction of %s: %w", id, err))
			continue
		}
		shredded[id] = acts
	}
	_, err := a.conclude(ctx, agent, shredded)
	return errors.Join(append(errs, err)...)
}

// finish takes a dossier that is past its point of no return to where its keys
// are gone. A member whose group is condemned may have been stopped, in its own
// chain, by a node that had not seen it yet: it is begun again.
func (a *Archive) finish(ctx context.Context, agent, id string) ([]*chain.Act, error) {
	for r, _ := a.register.get(id); r.Condemned != ""; {
		acts, l, err := a.life(ctx, id)
		if err != nil {
			return nil, err
		}
		if l.State != life.Archived {
			break
		}
		_, _, err = a.chains.Append(ctx, life.Chain(id), acts, chain.Draft{
			Type: life.DestructionBegun, By: agent, Body: &life.Destruction{Case: r.Condemned},
		})
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return a.custodian.Delete(ctx, agent, id)
}

func (a *Archive) recoverSession(ctx context.Context, name string) error {
	raw, err := readAll(ctx, a.Work, pendingPrefix+name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m marker
	if err := jcs.Unmarshal(raw, &m); err != nil {
		return err
	}
	now := a.Now()
	if swept, err := time.Parse(time.RFC3339, m.Swept); err == nil && now.Sub(swept) < sweepAgain {
		return nil
	}
	renewed, _ := time.Parse(time.RFC3339, m.Renewed)
	if m.Node != a.Node && now.Sub(renewed) < deadAfter {
		return nil
	}
	for _, at := range m.Attempts {
		if err := a.settle(ctx, &at); err != nil {
			return err
		}
	}
	if m.Swept != "" || len(m.Attempts) == 0 {
		return a.Work.Delete(ctx, pendingPrefix+name)
	}
	m.Swept = chain.Timestamp(now)
	return a.putMarker(ctx, name, &m)
}

// settle brings somebody else's attempt to an end: forward if it was
// committed, else back. Nothing is deleted before the chain says that the
// attempt can never be committed.
func (a *Archive) settle(ctx context.Context, at *attempt) error {
	name := life.Chain(at.Dossier)
	for {
		acts, err := a.chains.Read(ctx, name)
		if err != nil {
			return err
		}
		l, err := life.Of(acts)
		if err != nil {
			return err
		}
		if l.Names(at.Package) {
			if l.State == life.Condemned || l.State == life.Gone {
				return nil
			}
			return a.lock(ctx, at.Dossier, l)
		}
		if l.State == life.Absent && !slices.Contains(l.Abandoned, at.Package) {
			_, _, err := a.chains.Append(ctx, name, acts, chain.Draft{
				Type: life.AttemptAbandoned, By: a.Keyring.agent(a.Node), Body: &life.Attempt{Package: at.Package},
			})
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err != nil {
				return err
			}
		}
		return a.discard(ctx, at)
	}
}

// discard deletes what an attempt stored. The attempt must be one that can't be
// committed.
func (a *Archive) discard(ctx context.Context, at *attempt) error {
	if err := a.custodian.Discard(ctx, at.Dossier, at.Package); err != nil {
		return err
	}
	return a.Archive.Delete(ctx, packageKey(at.Dossier, at.Package))
}
