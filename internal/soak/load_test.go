//go:build unix

package soak_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/custody"
)

// producers are how many dossiers are worked on at a time.
const producers = 8

// load is the world outside of the archive.
type load struct {
	t     *testing.T
	maker *maker
	// rough says that a server may answer with an internal error, since it
	// was taken for dead and another does its work: push again.
	rough bool

	dying atomic.Bool // a server is about to be killed: what is cut off may be

	mu    sync.Mutex
	all   []*subject
	again []*subject // cut off: to be gone on with
	busy  map[*subject]int
	fails map[string]int // what was answered instead of what was hoped for
}

func newLoad(t *testing.T) *load {
	return &load{t: t, maker: newMaker(t), busy: map[*subject]int{}, fails: map[string]int{}}
}

// acknowledged counts the dossiers that a receipt was given for.
func (l *load) acknowledged() (n int) {
	for _, s := range l.subjects() {
		if s.archived() != nil {
			n++
		}
	}
	return n
}

func (l *load) subjects() []*subject {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// underway returns the dossiers that somebody works on.
func (l *load) underway() []*subject {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*subject
	for s := range l.busy {
		all = append(all, s)
	}
	return all
}

// take returns a dossier to work on: one that was cut off, or a new one.
func (l *load) take(fresh bool) *subject {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s *subject
	switch {
	case len(l.again) > 0:
		s, l.again = l.again[0], l.again[1:]
	case !fresh:
		return nil
	default:
		s = l.maker.next()
		l.all = append(l.all, s)
	}
	l.busy[s]++
	return s
}

// put says that work on a dossier is done, or must be gone on with.
func (l *load) put(s *subject, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[s]--; l.busy[s] == 0 {
		delete(l.busy, s)
	}
	if !done && (s.archived() != nil || s.meant() != forgotten) {
		l.again = append(l.again, s)
	}
}

// repeat has somebody else go on with a dossier, too.
func (l *load) repeat(s *subject) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.again = append(l.again, s)
}

// work has the producers work until ctx ends or, without fresh dossiers, until
// nothing is left to go on with. What they are in the middle of goes on under
// hard.
func (l *load) work(ctx, hard context.Context, fresh bool, nodes ...*process) {
	var wg sync.WaitGroup
	for range producers {
		wg.Go(func() {
			for ctx.Err() == nil {
				s := l.take(fresh)
				if s == nil {
					return
				}
				l.put(s, l.everywhere(hard, s, nodes))
			}
		})
	}
	wg.Wait()
}

// drain goes on with all that was cut off, until nothing is left.
func (l *load) drain(nodes ...*process) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	l.work(ctx, ctx, false, nodes...)
	if ctx.Err() != nil {
		l.t.Errorf("%d dossiers not settled within %s", len(l.again), patience)
	}
}

// everywhere works on a dossier through all of the nodes at once.
func (l *load) everywhere(ctx context.Context, s *subject, nodes []*process) bool {
	var wg sync.WaitGroup
	var failed atomic.Bool
	for _, p := range nodes {
		wg.Go(func() {
			if !l.judge(s, l.advance(ctx, p, s)) {
				failed.Store(true)
			}
		})
	}
	wg.Wait()
	return !failed.Load()
}

// judge says whether work on a dossier came to its end. Every failure that
// nothing excuses fails the test.
func (l *load) judge(s *subject, err error) bool {
	if err == nil {
		return true
	}
	what := "cut off"
	var p *api.Problem
	switch {
	case errors.As(err, &p):
		what = fmt.Sprint(p.Status, " ", p.Code)
		if !l.rough || p.Code != "internal" {
			l.t.Errorf("%v: %v", s, err)
			l.count(what)
			return true // or it would be tried for ever
		}
	case !l.dying.Load():
		l.t.Errorf("%v: %v", s, err)
	}
	l.count(what)
	return false
}

func (l *load) count(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails[what]++
}

// advance brings a dossier to its fate, from wherever it is.
func (l *load) advance(ctx context.Context, p *process, s *subject) error {
	if err := l.push(ctx, p, s); err != nil {
		return err
	}
	var err error
	switch s.meant() {
	case held:
		_, err = l.hold(ctx, p, s)
	case lifted:
		err = l.holdAndLift(ctx, p, s)
	case doomed:
		err = l.destroy(ctx, p, s)
	case contested:
		err = l.contest(ctx, p, s)
	}
	if err != nil {
		return err
	}
	return l.retrieve(ctx, p, l.any(s))
}

// any returns some dossier that a receipt was given for.
func (l *load) any(otherwise *subject) *subject {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range 8 {
		if s := l.all[rand.IntN(len(l.all))]; s.archived() != nil {
			return s
		}
	}
	return otherwise
}

// push pushes what has no receipt yet, and now and then what has, and compares
// the receipts.
func (l *load) push(ctx context.Context, p *process, s *subject) error {
	if s.archived() != nil && rand.IntN(4) > 0 {
		return nil
	}
	r, err := p.as(portal).Push(ctx, s.declaration, s.files)
	if errors.Is(err, archive.ErrDestroyed) && s.mayBeGone() {
		return nil
	}
	if err != nil {
		return err
	}
	s.with(func() {
		if s.receipt != nil && *s.receipt != *r {
			l.t.Errorf("%v: two receipts", s)
		}
		s.receipt = r
	})
	return nil
}

// mayBeGone reports whether somebody has begun to destroy the dossier.
func (s *subject) mayBeGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.executing
}

func (l *load) hold(ctx context.Context, p *process, s *subject) (string, error) {
	if s.hasHold() {
		return "", nil
	}
	name, err := p.as(archivist).Hold(ctx, s.code, "khiếu nại chưa giải quyết xong")
	if errors.Is(err, archive.ErrDestroyed) && s.mayBeGone() {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s.with(func() { s.holds[name] = false })
	return name, nil
}

func (s *subject) hasHold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.holds) > 0
}

func (l *load) holdAndLift(ctx context.Context, p *process, s *subject) error {
	name, err := l.hold(ctx, p, s)
	if err != nil || name == "" {
		return err
	}
	s.with(func() { s.doubtful[name] = true })
	if err := p.as(archivist).Lift(ctx, s.code, name, "đã giải quyết khiếu nại"); err != nil {
		return err
	}
	s.with(func() { s.holds[name] = true })
	return nil
}

// contest destroys and holds at the same time.
func (l *load) contest(ctx context.Context, p *process, s *subject) error {
	if err := l.decide(ctx, p, s); err != nil {
		return err
	}
	held := make(chan error, 1)
	go func() {
		_, err := l.hold(ctx, p, s)
		held <- err
	}()
	return errors.Join(l.destroy(ctx, p, s), <-held)
}

// decide takes the case of a dossier to its decision, from wherever it is. A
// step that was taken but not acknowledged is out of order the second time.
func (l *load) decide(ctx context.Context, p *process, s *subject) error {
	var name string
	var steps int
	s.with(func() { name, steps = s.name, s.steps })
	if name == "" {
		var err error
		if name, err = p.as(archivist).Propose(ctx, []string{s.code}, "hết thời hạn lưu trữ"); err != nil {
			if errors.Is(err, archive.ErrDestroyed) && s.mayBeGone() || errors.Is(err, archive.ErrNotDue) && s.meant() == contested {
				return nil
			}
			return err
		}
		s.with(func() {
			if s.name == "" {
				s.name = name
			}
			name = s.name
		})
	}
	for i, step := range []func() error{
		func() error { return p.as(member).Review(ctx, name, nil, "nhất trí") },
		func() error { return p.as(chief).Decide(ctx, name, true, "12/QĐ-UBND") },
	} {
		if steps > i {
			continue
		}
		if err := step(); err != nil && !errors.Is(err, archive.ErrCase) {
			return err
		}
		s.with(func() { s.steps = max(s.steps, i+1) })
	}
	return nil
}

// destroy has a dossier destroyed, until there is a certificate or a refusal.
func (l *load) destroy(ctx context.Context, p *process, s *subject) error {
	if err := l.decide(ctx, p, s); err != nil {
		return err
	}
	var name string
	s.with(func() { name = s.name; s.executing = true })
	if name == "" || s.destroyed() != nil {
		return nil
	}
	certificates, err := p.as(executor).Execute(ctx, name)
	if errors.Is(err, archive.ErrDestroyed) { // by another node, meanwhile
		certificates, err = p.as(executor).Execute(ctx, name)
	}
	for _, c := range certificates {
		if r := s.archived(); r != nil && c.Dossier != r.Dossier {
			l.t.Errorf("%v: certificate of another", s)
		}
		s.with(func() { s.certificate = c })
	}
	switch {
	case len(certificates) > 0:
		return nil
	case errors.Is(err, archive.ErrNotDue), errors.Is(err, custody.ErrStopped), errors.Is(err, archive.ErrCase):
		return l.refused(ctx, p, s, err)
	case err == nil:
		err = errors.New("executed, and nothing destroyed")
	}
	return err
}

// refused makes sure that there is a reason not to destroy the dossier: a hold,
// whether its placing was acknowledged or not.
func (l *load) refused(ctx context.Context, p *process, s *subject, why error) error {
	r, err := p.as(archivist).Show(ctx, s.code)
	if err != nil {
		return err
	}
	if s.meant() != contested || len(r.Holds) == 0 {
		return fmt.Errorf("not destroyed without a hold, %s: %w", r.State, why)
	}
	s.with(func() { s.stopped = true })
	return nil
}

// retrieve gets a copy, or a document, and compares it with what was pushed.
func (l *load) retrieve(ctx context.Context, p *process, s *subject) error {
	if s.archived() == nil {
		return nil
	}
	err := error(nil)
	if rand.IntN(2) == 0 {
		err = l.document(ctx, p, s)
	} else {
		_, err = l.copy(ctx, p, s)
	}
	if s.mayBeGone() && errors.Is(err, archive.ErrDestroyed) {
		return nil
	}
	return err
}

func (l *load) document(ctx context.Context, p *process, s *subject) error {
	f := s.files[rand.IntN(len(s.files))]
	var b bytes.Buffer
	if err := p.as(inspector).Document(ctx, s.code, f.Name, "thanh tra", &b); err != nil {
		return err
	}
	if !bytes.Equal(b.Bytes(), s.texts[f.Name]) {
		l.t.Errorf("%v: document %s is not what was pushed", s, f.Name)
	}
	s.with(func() { s.documents++ })
	return nil
}

// copy gets a whole copy, compares every document in it, and returns its
// receipt.
func (l *load) copy(ctx context.Context, p *process, s *subject) ([]byte, error) {
	var b bytes.Buffer
	if err := p.as(inspector).Copy(ctx, s.code, "thanh tra", &b); err != nil {
		return nil, err
	}
	got, err := unzip(b.Bytes())
	if err != nil {
		l.t.Errorf("%v: a copy that arrived whole: %v", s, err)
		return nil, nil
	}
	for name, want := range s.texts {
		if !bytes.Equal(got[name], want) {
			l.t.Errorf("%v: document %s of the copy is not what was pushed", s, name)
		}
	}
	s.with(func() { s.copies = append(s.copies, got["dissemination.json"]) })
	return got["receipt.json"], nil
}

// unzip returns the documents and proofs of a copy by their names.
func unzip(raw []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, f := range z.File {
		if dir := path.Dir(f.Name); dir != "proof" && !strings.HasSuffix(dir, "/representations/rep1/data") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(f.Name), err)
		}
		all[path.Base(f.Name)] = data
	}
	return all, nil
}

// absent reports whether an error says that there is no such dossier.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) && !errors.Is(err, archive.ErrCorrupt)
}
