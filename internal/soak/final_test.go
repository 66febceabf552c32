//go:build unix

package soak_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// final compares what the world was told with what is there: first as anybody
// can see it, through the server that is left; then, with that one killed too,
// as the owner of the buckets sees it.
func (l *load) final(b *bed, p *process) {
	l.t.Helper()
	began := time.Now()
	there := l.asked(p)
	p.kill()
	asked := time.Now()
	l.owned(b, p, there)
	l.t.Logf("final checks of %d dossiers: %s through the server, %s in the buckets",
		len(l.subjects()), asked.Sub(began).Round(time.Second), time.Since(asked).Round(time.Second))
}

// asked asks the server for everything, and returns the names of the dossiers
// that are there.
func (l *load) asked(p *process) map[string]*subject {
	there := map[string]*subject{}
	var mu sync.Mutex
	queue := make(chan *subject)
	var wg sync.WaitGroup
	for range 4 * producers {
		wg.Go(func() {
			for s := range queue {
				r := l.ask(p, s)
				if r == nil {
					continue
				}
				mu.Lock()
				if other := there[r.Dossier]; other != nil {
					l.t.Errorf("%v and %v are one", s, other)
				}
				there[r.Dossier] = s
				mu.Unlock()
			}
		})
	}
	for _, s := range l.subjects() {
		queue <- s
	}
	close(queue)
	wg.Wait()
	return there
}

// ask compares one dossier with what was said of it, and returns its receipt if
// it is there.
func (l *load) ask(p *process, s *subject) *archive.Receipt {
	ctx := l.t.Context()
	shown, err := p.as(archivist).Show(ctx, s.code)
	if absent(err) {
		if s.archived() != nil {
			l.t.Errorf("%v was acknowledged and is lost", s)
		}
		return nil
	}
	if err != nil {
		l.t.Errorf("%v: %v", s, err)
		return nil
	}
	if s.destroyed() != nil {
		l.askDestroyed(p, s, shown.State)
		return nil
	}
	if shown.State != life.Archived {
		l.t.Errorf("%v: %s, and no certificate", s, shown.State)
		return nil
	}
	for name, gone := range s.holds {
		_, open := shown.Holds[name]
		switch {
		case gone && open:
			l.t.Errorf("%v: hold %s is open after its lifting", s, name)
		case !gone && !open && !s.doubtful[name]:
			l.t.Errorf("%v: hold %s was acknowledged and is lost", s, name)
		}
	}
	return l.askArchived(p, s)
}

func (l *load) askDestroyed(p *process, s *subject, state life.State) {
	ctx := l.t.Context()
	if state != life.Gone {
		l.t.Errorf("%v: %s after its certificate", s, state)
	}
	for name, open := range s.holds {
		if !open {
			l.t.Errorf("%v: destroyed in spite of hold %s", s, name)
		}
	}
	if err := p.as(inspector).Copy(ctx, s.code, "kiểm tra", io.Discard); !errors.Is(err, archive.ErrDestroyed) {
		l.t.Errorf("%v: a copy after its certificate: %v", s, err)
	}
	if _, err := p.as(portal).Push(ctx, s.declaration, s.files); !errors.Is(err, archive.ErrDestroyed) {
		l.t.Errorf("%v: pushed after its certificate: %v", s, err)
	}
}

// askArchived compares the receipt, asked for in three ways, and all documents.
func (l *load) askArchived(p *process, s *subject) *archive.Receipt {
	ctx := l.t.Context()
	r, err := p.as(archivist).Receipt(ctx, s.code)
	if err != nil {
		l.t.Errorf("%v: receipt: %v", s, err)
		return nil
	}
	want, err := r.Encode()
	if err != nil {
		l.t.Errorf("%v: receipt: %v", s, err)
		return nil
	}
	if given := s.archived(); given != nil && *given != *r {
		l.t.Errorf("%v: the receipt is not the one that was given", s)
	} else if given != nil {
		again, err := p.as(portal).Push(ctx, s.declaration, s.files)
		if err != nil || *again != *given {
			l.t.Errorf("%v: pushed again, the receipt is another: %v", s, err)
		}
	}
	in, err := l.copy(ctx, p, s)
	if err != nil || !bytes.Equal(in, want) {
		l.t.Errorf("%v: the receipt in the copy is another: %v", s, err)
	}
	return r
}

// owned opens the archive in this process, with the index as the killed server
// left it, and checks everything.
func (l *load) owned(b *bed, p *process, there map[string]*subject) {
	l.t.Helper()
	ctx := l.t.Context()
	s, err := p.order.connect(ctx, false)
	if err != nil {
		l.t.Fatal(err)
	}
	defer l.must(s.close)
	ix, _, err := openIndex(p.order.Index)
	if err != nil {
		l.t.Error(err)
		return
	}
	defer l.must(ix.Close)
	a, err := archive.Open(ctx, p.order.config(s, b.ring, ix))
	if err != nil {
		l.t.Error(err)
		return
	}
	defer l.must(a.Close)
	if err := errors.Join(a.Ready(ctx), a.Indexed(ctx)); err != nil {
		l.t.Error(err)
		return
	}
	l.checked(ctx, a, there)
	l.counted(ctx, s, ix, there)
	l.ledger(ctx, b, s, a, there)
}

func (l *load) must(do func() error) {
	if err := do(); err != nil {
		l.t.Error(err)
	}
}

// checked runs the archive's own check.
func (l *load) checked(ctx context.Context, a *archive.Archive, there map[string]*subject) {
	r, err := a.Check(ctx, archive.CheckOptions{Content: true})
	if err != nil {
		l.t.Error(err)
		return
	}
	for _, f := range r.Findings {
		l.t.Errorf("check: %s: %s: %s", f.Object, f.Code, f.English)
	}
	var gone int
	for _, s := range l.subjects() {
		if s.destroyed() != nil {
			gone++
		}
	}
	if r.Dossiers != len(there) || r.Destroyed != gone {
		l.t.Errorf("check: %d dossiers, %d destroyed; want %d and %d", r.Dossiers, r.Destroyed, len(there), gone)
	}
}

// counted goes through the objects: what is there has one package, one set of
// key packets and its place in the index; and nothing else does, but for what
// the next sweep of a marker will delete.
func (l *load) counted(ctx context.Context, s *buckets, ix *index.Index, there map[string]*subject) {
	swept := map[string]bool{}
	for info, err := range s.work.List(ctx, "pending/", nil) {
		if err != nil {
			l.t.Error(err)
			return
		}
		p, err := readPending(ctx, s.work, info.Key)
		if err != nil {
			l.t.Error(err)
			return
		}
		for _, at := range p.Attempts {
			swept[at.Package] = p.Swept != ""
		}
	}
	for name, list := range map[string]store.Store{"packages/": s.archive, "": s.keys} {
		seen := map[string]int{}
		for info, err := range list.List(ctx, name, &store.ListOptions{Versions: true}) {
			if err != nil {
				l.t.Error(err)
				return
			}
			if strings.HasPrefix(info.Key, "probe/") { // a trial of what the server can, cut off
				continue
			}
			id, attempt := attemptOf(info.Key)
			r := there[id].receiptIn(attempt)
			if !r && swept[attempt] {
				l.count("left to the next sweep")
				continue
			}
			if !r {
				l.t.Errorf("left over: %s%s", name, info.Key)
			}
			seen[id]++
		}
		for id, s := range there {
			if seen[id] != 1 {
				l.t.Errorf("%v has %d objects in %q, want 1", s, seen[id], name)
			}
		}
	}
	for id, err := range ix.IDs(ctx) {
		if err != nil {
			l.t.Error(err)
			return
		}
		if there[id] == nil {
			l.t.Errorf("index: %s is not in the archive", id)
		}
	}
	if n, err := ix.Count(); err != nil || n != uint64(len(there)) {
		l.t.Errorf("index: %d dossiers, %v; want %d", n, err, len(there))
	}
}

// receiptIn reports whether the subject is there, and the attempt is the one in
// its receipt, as far as one was given.
func (s *subject) receiptIn(attempt string) bool {
	if s == nil {
		return false
	}
	r := s.archived()
	return r == nil || strings.Contains(r.Seal, `"package":"`+attempt+`"`)
}

// ledger verifies the ledger, and looks up in it everything that was said.
func (l *load) ledger(ctx context.Context, b *bed, s *buckets, a *archive.Archive, there map[string]*subject) {
	r, err := audit.Verify(ctx, audit.Config{Store: s.archive, Work: s.work, Origin: b.ring.Origin, VKey: b.ring.LogVerifier, Now: time.Now})
	if err != nil || len(r.Findings) > 0 {
		l.t.Errorf("ledger: %+v, %v", r, err)
		return
	}
	granted := map[string]int{} // chain → disseminations
	types := map[string]int{}
	raw := map[string]bool{}
	for e, err := range a.Ledger().Entries(ctx, 0) {
		if err != nil {
			l.t.Error(err)
			return
		}
		types[e.Type]++
		if e.Type == "dissemination" {
			granted[e.Chain]++
			raw[string(e.Raw)] = true
		}
	}
	k := b.ring.Archive.Certificate()
	for _, s := range l.subjects() {
		l.proved(s, k, b.ring.LogVerifier)
		for _, c := range s.copies {
			if !raw[string(c)] {
				l.t.Errorf("%v: a copy was handed out that is not in the ledger", s)
			}
		}
	}
	for id, s := range there {
		if n, want := granted[life.Chain(id)], len(s.copies)+s.documents; n < want {
			l.t.Errorf("%v: %d disseminations in the ledger, %d were acknowledged", s, n, want)
		}
	}
	l.t.Logf("ledger: %d entries in %d batches, %d disclosures unused: %v", r.Entries, r.Batches, r.Unused, types)
}

// proved verifies receipt and certificate as an outsider would.
func (l *load) proved(s *subject, k *signing.Certificate, log string) {
	if r := s.archived(); r != nil {
		if _, err := r.Verify(k, log); err != nil {
			l.t.Errorf("%v: receipt: %v", s, err)
		}
	}
	if c := s.destroyed(); c != nil {
		if err := c.Verify(k, log); err != nil {
			l.t.Errorf("%v: certificate: %v", s, err)
		}
	}
}
