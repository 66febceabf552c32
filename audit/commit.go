package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/store"
)

const (
	// putTries is how often a put is tried whose outcome is unknown.
	putTries = 6
	// putPause is the pause after the first try; it doubles.
	putPause = 20 * time.Millisecond
	// callTimeout ends a call of the store that does not come back, so that
	// one lost connection does not stop the log.
	callTimeout = 30 * time.Second
	// recentWriters is in how many of the latest batches we look for nodes
	// that write as well.
	recentWriters = 16
	// aloneFor is how many batches a node that seems to be alone commits before
	// it makes room for others. It costs such a node a sixteenth of its time.
	aloneFor = 50
)

// errLost says that the slot went to somebody else, whose batch was applied.
var errLost = errors.New("slot taken")

// request is an event that waits to be logged.
type request struct {
	ctx      context.Context
	entry    *Entry // without its index
	openings map[string]field
	entered  *Entry // the outcome
	err      error
	done     chan struct{}
}

func (r *request) answer(e *Entry, err error) {
	r.entered, r.err = e, err
	close(r.done)
}

// Append logs an event and returns its entry, which is then durable and applied.
// If the log has an entry with the event's ID already, on whatever node, that
// one is returned and nothing is written; the caller may compare. After an
// error the event may or may not be in the log: append it again.
func (l *Log) Append(ctx context.Context, e Event) (*Entry, error) {
	if l.keys.signer == nil {
		return nil, ErrReadOnly
	}
	if len(e.Private) > 0 && l.config.Seal == nil {
		return nil, fmt.Errorf("event %q: no audit key for its private values", e.ID)
	}
	entry, openings, err := newEntry(e, l.config.Node, l.config.Now())
	if err != nil {
		return nil, err
	}
	r := &request{ctx: ctx, entry: entry, openings: openings, done: make(chan struct{})}
	select {
	case l.queue <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.stop:
		return nil, ErrClosed
	}
	select {
	case <-r.done:
		return r.entered, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.finished:
	}
	select {
	case <-r.done:
		return r.entered, r.err
	default:
		return nil, ErrClosed
	}
}

// run commits what is in the queue until Close.
func (l *Log) run(ctx context.Context) {
	defer close(l.finished)
	last := 1
	for {
		select {
		case <-l.stop:
			return
		case r := <-l.queue:
			rs := l.gather(r, last)
			last = len(rs)
			l.commit(ctx, rs)
			l.yield(ctx)
		}
	}
}

// gather collects a batch. Whoever was answered by the last batch is likely to
// come back at once, so as many as it had are waited for, but not for long; a
// lone appender never waits.
func (l *Log) gather(r *request, last int) []*request {
	rs, size := []*request{r}, len(r.entry.Raw)
	var late <-chan time.Time
	for len(rs) < l.config.MaxBatch && size < maxBatchBytes {
		select {
		case r := <-l.queue:
			rs, size = append(rs, r), size+len(r.entry.Raw)
			continue
		default:
		}
		if len(rs) >= last {
			return rs
		}
		if late == nil {
			timer := time.NewTimer(l.config.MaxAge)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case r := <-l.queue:
			rs, size = append(rs, r), size+len(r.entry.Raw)
		case <-late:
			return rs
		}
	}
	return rs
}

// commit logs the events of all requests, and answers them.
func (l *Log) commit(ctx context.Context, rs []*request) {
	l.turn <- struct{}{}
	defer l.release()
	var p *proposal
	for len(rs) > 0 {
		fresh, twins := l.sift(ctx, rs)
		if len(fresh) == 0 {
			l.discard(ctx, p)
			return
		}
		var err error
		if p, err = l.repropose(ctx, p, fresh); err == nil {
			err = l.write(ctx, p)
		}
		switch {
		case err == nil:
			l.settle(&p.advance)
			for i, r := range fresh {
				r.answer(p.entries[i], nil)
			}
			rs, p = twins, nil
		case errors.Is(err, errLost):
			rs = append(fresh, twins...)
		default:
			for _, r := range append(fresh, twins...) {
				r.answer(nil, err)
			}
			return
		}
	}
}

// sift answers the requests that need no write, and sets apart those whose ID
// another of the fresh ones has.
func (l *Log) sift(ctx context.Context, rs []*request) (fresh, twins []*request) {
	seen := map[string]bool{}
	for _, r := range rs {
		id := r.entry.ID
		if err := errors.Join(l.err(), r.ctx.Err()); err != nil {
			r.answer(nil, err)
			continue
		}
		e, err := l.lookup(ctx, id)
		switch {
		case e != nil || err != nil:
			r.answer(e, err)
		case seen[id]:
			twins = append(twins, r)
		default:
			seen[id] = true
			fresh = append(fresh, r)
		}
	}
	return fresh, twins
}

// proposal is a batch that is not committed.
type proposal struct {
	advance
	requests  []*request
	sealed    []byte // openings of commitments
	disclosed bool   // sealed is in the bucket
}

// propose makes the next batch.
func (l *Log) propose(rs []*request) (*proposal, error) {
	var openings []disclosed
	for _, r := range rs {
		if len(r.openings) > 0 {
			openings = append(openings, disclosed{ID: r.entry.ID, Fields: r.openings})
		}
	}
	p := &proposal{requests: rs}
	if len(openings) > 0 {
		plain, err := jcs.Marshal(&disclosures{V: 1, Entries: openings})
		if err != nil {
			return nil, err
		}
		if p.sealed, err = l.config.Seal(plain); err != nil {
			return nil, fmt.Errorf("private values: %w", err)
		}
	}
	return p, l.place(p, randomName())
}

// place gives the proposal its place at the end of the log.
func (l *Log) place(p *proposal, name string) error {
	s := l.view()
	p.advance = advance{next: s, batch: &batch{V: 1, Name: name, Start: s.size, Prev: s.prev, Entries: [][]byte{}}}
	for i, r := range p.requests {
		e := *r.entry
		e.Index = s.size + uint64(i)
		p.batch.Entries = append(p.batch.Entries, e.Raw)
		p.add(&e)
	}
	checkpoint, err := l.keys.sign(p.next.head())
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	p.batch.Checkpoint = string(checkpoint)
	if p.raw, err = p.batch.encode(); err != nil {
		return err
	}
	p.commit()
	return nil
}

// repropose makes a proposal, or moves one that lost its slot. It keeps its
// name, and so its disclosures, as long as it has the same entries.
func (l *Log) repropose(ctx context.Context, p *proposal, rs []*request) (*proposal, error) {
	if p != nil && slices.Equal(p.requests, rs) {
		return p, l.place(p, p.batch.Name)
	}
	l.discard(ctx, p)
	return l.propose(rs)
}

// discard removes the disclosures of a proposal that lost and will not be made
// again. If they stay, they only occupy space.
func (l *Log) discard(ctx context.Context, p *proposal) {
	if p != nil && p.disclosed {
		l.config.Store.Delete(ctx, disclosurePrefix+p.batch.Name)
	}
}

// write commits the proposal. When it returns nil, the batch is in the log,
// durably; errLost means that it never will be at this place. After any other
// error nobody knows: a request may still be under way. The next commit, here
// or elsewhere, will see.
func (l *Log) write(ctx context.Context, p *proposal) error {
	key := seqKey(p.next.seq - 1)
	for try := 0; ; try++ {
		err := l.disclose(ctx, p)
		begun := l.config.Now()
		if err == nil {
			err = l.put(ctx, key, p.raw)
		}
		if err == nil {
			l.latency = l.config.Now().Sub(begun)
			return nil
		}
		if p.disclosed || p.sealed == nil {
			if settled, err := l.resolve(ctx, p); settled {
				return err
			}
		}
		if try+1 == putTries || ctx.Err() != nil {
			return fmt.Errorf("ledger: event may or may not have been logged: %w", err)
		}
		sleep(ctx, putPause<<try*time.Duration(50+rand.IntN(100))/100)
	}
}

// resolve reads what a put left whose outcome is unknown. Whoever lost may be
// several batches behind, so it reads on as far as the log goes: one batch for
// every try would not catch up with a writer that is alone at the end.
func (l *Log) resolve(ctx context.Context, p *proposal) (settled bool, err error) {
	const ahead = 4
	n := p.next.seq - 1
	for raw, err := range inOrder(ctx, n, n+ahead, ahead, l.slot) {
		switch next := l.view().seq; {
		case err != nil && next == n:
			return false, nil
		case err != nil: // of a batch behind the one that was taken
			return true, errLost
		case next == n && bytes.Equal(raw, p.raw):
			// The put may have failed between storing and locking.
			l.owe(seqKey(n), "")
			return true, nil
		}
		if err := l.adopt(ctx, raw); err != nil {
			return true, err
		}
	}
	if err := l.catchUp(ctx, readers); err != nil {
		return true, err
	}
	return true, errLost
}

// put stores a new object, once, locked if objects are to be.
func (l *Log) put(ctx context.Context, key string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := l.config.Store.Put(ctx, key, data, &store.PutOptions{IfAbsent: true, Lock: l.config.lockUntil()})
	return err
}

// disclose stores the openings of the commitments. They come before the batch,
// so that no entry has commitments that nobody can open. If the batch is never
// committed they stay behind, and open nothing.
func (l *Log) disclose(ctx context.Context, p *proposal) error {
	if p.sealed == nil || p.disclosed {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := l.config.Store.Put(ctx, disclosurePrefix+p.batch.Name, p.sealed, &store.PutOptions{IfAbsent: true})
	if err != nil && !errors.Is(err, fs.ErrExist) { // the name is random: what exists is ours
		return err
	}
	p.disclosed = true
	return nil
}

// yield makes room for others. The node that committed last is ahead of those
// that have yet to read its batch, and would win every slot; so it waits for as
// long as each node seen lately needs to read and write one batch. A node that
// sees no others cannot know that they all lost, and waits now and then.
func (l *Log) yield(ctx context.Context) {
	if err := l.take(ctx); err != nil {
		return
	}
	others := map[string]bool{}
	for _, node := range l.writers {
		others[node] = true
	}
	delete(others, l.config.Node)
	delete(others, "") // the first batch
	rounds := time.Duration(2 * len(others))
	if len(others) == 0 && l.view().seq%aloneFor == 0 {
		rounds = 3
	}
	wait := rounds * l.latency
	l.release()
	if wait > 0 {
		sleep(ctx, min(wait*time.Duration(75+rand.IntN(50))/100, time.Second))
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
