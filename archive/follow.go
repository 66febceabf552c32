package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/internal/extract"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
)

// follower keeps the index at the ledger's heels. It works through ingestions
// and destructions in the order of the ledger, so that an index that was thrown
// away comes back the same.
type follower struct {
	a    *Archive
	wake chan struct{}

	mu      sync.Mutex
	moved   *sync.Cond
	queue   []change
	size    uint64 // of the ledger as seen here
	done    uint64 // how far the index has followed
	handed  map[string]*handoff
	bytes   int           // of documents whose text is not extracted yet
	waiting int           // callers of Indexed
	hurry   chan struct{} // there is reason not to wait for company
	extract chan struct{} // bounds the extractions under way
}

// change is one ledger entry that concerns the index.
type change struct {
	index     uint64
	id        string
	attempt   string
	condemned bool
}

// handoff carries what the index will read of a dossier from the ingest that
// had it in memory, so that it need not be decrypted again.
type handoff struct {
	id, attempt, class string
	declaration        *dossier.Declaration
	parts              map[string][]byte
	bytes              int
	doc                *index.Document
	ready              chan struct{} // closed when doc is made and parts are gone
}

const (
	handedLimit = 64 << 20 // octets of documents waiting for extraction
	batchText   = 1 << 20  // octets of text in one index batch
	batchCount  = 200
	// company is how long a change waits for others to share an index batch
	// with: batches of one make the index merge more than it indexes.
	company = 3 * time.Second
)

func newHandoff(sub *submission) *handoff {
	return &handoff{id: sub.id, attempt: sub.Package, class: sub.class, declaration: sub.Declaration, parts: map[string][]byte{}, ready: make(chan struct{})}
}

// add takes a document over, unless too much of the dossier waits already: then
// the index reads the stored package.
func (h *handoff) add(d *dossier.Document, b []byte) (taken bool) {
	if h.bytes > handedLimit {
		return false
	}
	h.parts[d.Name] = b
	h.bytes += len(b)
	return true
}

// readable counts the documents that text can be read from.
func (h *handoff) readable(ds []dossier.Document) (n int) {
	for _, d := range ds {
		if extract.HasText(d.Name, d.MediaType) {
			n++
		}
	}
	return n
}

func newFollower(a *Archive) *follower {
	f := &follower{
		a: a, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), extract: make(chan struct{}, 1),
		handed: map[string]*handoff{}, done: a.Index.Position(),
	}
	f.moved = sync.NewCond(&f.mu)
	return f
}

// applied is called for every ledger entry, in order.
func (a *Archive) applied(e *audit.Entry) {
	if e.Chain == policyChain {
		a.policyAt.Add(1)
	}
	a.register.apply(e)
	a.follower.note(e)
}

func (f *follower) note(e *audit.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size = e.Index + 1
	if e.Index < f.done {
		return
	}
	id, ok := strings.CutPrefix(e.Chain, "dossiers/")
	if ok && (e.Type == life.Ingestion || e.Type == life.KeysCondemned) {
		f.queue = append(f.queue, change{e.Index, id, e.Details["package"], e.Type == life.KeysCondemned})
	}
	poke(f.wake)
	if len(f.queue) >= batchCount {
		poke(f.hurry)
	}
}

// poke leaves a message unless one is there.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hand takes over what an ingest had in memory, unless too much waits already
// or a document was too large to keep: then the index reads the stored package.
func (f *follower) hand(h *handoff) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(h.parts) < h.readable(h.declaration.Documents) || f.bytes+h.bytes > handedLimit {
		return
	}
	f.handed[h.attempt] = h
	f.bytes += h.bytes
	go func() {
		f.extract <- struct{}{}
		defer func() { <-f.extract }()
		h.doc = f.a.describe(context.Background(), h.id, h.class, h.declaration, func(i int) (io.ReaderAt, int64) {
			b := h.parts[h.declaration.Documents[i].Name]
			return bytes.NewReader(b), int64(len(b))
		})
		f.mu.Lock()
		f.bytes -= h.bytes
		h.parts = nil
		f.mu.Unlock()
		close(h.ready)
	}()
}

// take returns what was handed over of an attempt; nil if nothing was.
func (f *follower) take(attempt string) *index.Document {
	f.mu.Lock()
	h := f.handed[attempt]
	delete(f.handed, attempt)
	f.mu.Unlock()
	if h == nil {
		return nil
	}
	<-h.ready
	return h.doc
}

// run follows until ctx ends. After a failure it waits before it tries again,
// whatever is woken meanwhile.
func (f *follower) run(ctx context.Context) {
	wait := time.Second
	for {
		f.gather(ctx)
		wake := (<-chan struct{})(f.wake)
		var again <-chan time.Time
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			f.a.Log.Error("index", "error", err)
			wake, again = nil, time.After(wait)
			wait = min(2*wait, time.Minute)
		} else {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-again:
		}
	}
}

// gather waits until a batch is worth while, or somebody waits for it.
func (f *follower) gather(ctx context.Context) {
	f.mu.Lock()
	enough := f.waiting > 0 || len(f.queue) >= batchCount
	f.mu.Unlock()
	if enough {
		return
	}
	t := time.NewTimer(company)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-f.hurry:
	case <-t.C:
	}
}

// catchUp indexes until nothing is queued.
func (f *follower) catchUp(ctx context.Context) error {
	for ctx.Err() == nil {
		f.mu.Lock()
		n := min(len(f.queue), batchCount)
		changes, upto := f.queue[:n:n], f.size
		if n > 0 && n < len(f.queue) {
			upto = f.queue[n].index
		}
		caught := upto == f.done
		f.mu.Unlock()
		if caught {
			return nil
		}
		if err := f.apply(ctx, changes, upto); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// apply indexes some changes, as many as make a batch of bounded size, and
// forgets them.
func (f *follower) apply(ctx context.Context, changes []change, upto uint64) error {
	b := index.Batch{Position: upto}
	text, n := 0, 0
	g := &grants{a: f.a, from: f.done, to: upto}
	for _, c := range changes {
		if text > batchText {
			b.Position = c.index
			break
		}
		n++
		if r, _ := f.a.register.get(c.id); c.condemned || r.State == life.Condemned || r.State == life.Gone {
			f.take(c.attempt)
			b.Remove = append(b.Remove, c.id)
			continue
		}
		d, err := f.a.document(ctx, g, c, f.take(c.attempt))
		if err != nil {
			return fmt.Errorf("dossier %s: %w", c.id, err)
		}
		for _, p := range d.Documents {
			text += len(p.Text)
		}
		b.Add = append(b.Add, d)
	}
	// A position alone is not worth a write: after a restart the entries
	// since are looked at once more.
	if n > 0 {
		if err := f.a.Index.Apply(ctx, b); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.queue = f.queue[n:]
	f.done = b.Position
	f.moved.Broadcast()
	f.mu.Unlock()
	return nil
}

// grants gets, once, the maintenance entry under which a batch of packages is
// opened for the index.
type grants struct {
	a        *Archive
	from, to uint64
	grant    *custody.Grant
}

// unwrap opens the key packets of a package in the range. An entry that has
// grown too old to serve is followed by a fresh one.
func (g *grants) unwrap(ctx context.Context, id, attempt string) (signing.SessionKey, error) {
	for fresh := g.grant == nil; ; fresh = true {
		grant, err := g.get(ctx)
		if err != nil {
			return signing.SessionKey{}, err
		}
		sk, err := g.a.custodian.Unwrap(ctx, grant, id, attempt)
		if fresh || !errors.Is(err, custody.ErrProof) {
			return sk, err
		}
		g.grant = nil
	}
}

func (g *grants) get(ctx context.Context) (custody.Grant, error) {
	if g.grant != nil {
		return *g.grant, nil
	}
	e, err := g.a.ledger.Append(ctx, audit.Event{
		ID: random(), Type: "maintenance", Time: g.a.Now(),
		Details: map[string]string{"purpose": "index", "from": fmt.Sprint(g.from), "to": fmt.Sprint(g.to)},
	})
	if err != nil {
		return custody.Grant{}, fmt.Errorf("ledger: %w", err)
	}
	proof, err := g.a.ledger.Prove(ctx, e.Index)
	if err != nil {
		return custody.Grant{}, err
	}
	g.grant = &custody.Grant{Entry: e.Raw, Proof: proof}
	return *g.grant, nil
}

// document makes what the index knows of a dossier: from memory if the dossier
// was just taken in here, else from the stored package. A package that can't be
// read is indexed by what the ledger says of it, and is no reason to stop.
func (a *Archive) document(ctx context.Context, g *grants, c change, handed *index.Document) (*index.Document, error) {
	if handed != nil {
		return handed, nil
	}
	doc, err := a.readForIndex(ctx, g, c)
	if err == nil || ctx.Err() != nil {
		return doc, err
	}
	if !errors.Is(err, ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, chain.ErrTampered) {
		return nil, err
	}
	a.Log.Error("package not readable for the index", "dossier", c.id, "error", err)
	r, _ := a.register.get(c.id)
	return &index.Document{ID: c.id, Agency: r.Agency, Class: r.Class, Access: r.Access}, nil
}

func (a *Archive) readForIndex(ctx context.Context, g *grants, c change) (*index.Document, error) {
	_, l, err := a.life(ctx, c.id)
	if err != nil {
		return nil, err
	}
	for _, seal := range l.Seals {
		if seal.Package != c.attempt {
			continue
		}
		sk, err := g.unwrap(ctx, c.id, c.attempt)
		if err != nil {
			return nil, err
		}
		opened, pkg, err := a.openPackage(ctx, c.id, c.attempt, &packaged{size: seal.Size, mets: seal.METS}, sk)
		if err != nil {
			return nil, err
		}
		d, err := pkg.Declaration()
		if err != nil {
			return nil, corrupt(err)
		}
		places := pkg.Documents()
		return a.describe(ctx, c.id, seal.Class, d, func(i int) (io.ReaderAt, int64) {
			return io.NewSectionReader(opened, places[i].Offset, places[i].Size), places[i].Size
		}), nil
	}
	return nil, fmt.Errorf("seal: %w", fs.ErrNotExist)
}

// textTime bounds the reading of one document.
const textTime = 20 * time.Second

// describe makes the index's view of a dossier from its declaration and the
// text of its documents. Whatever in a document can't be read is left out.
func (a *Archive) describe(ctx context.Context, id, class string, d *dossier.Declaration, open func(int) (io.ReaderAt, int64)) *index.Document {
	doc := &index.Document{
		ID: id, Code: d.Code, Title: d.Title, Agency: d.Agency, Procedure: d.Procedure, Class: class, Access: d.Access,
		Applicant: d.Applicant.Name, Keywords: d.Keywords, ArchiveCode: a.archiveCode(d), Group: groupCode(d.Group),
	}
	doc.Begin, _ = time.Parse(time.DateOnly, d.Received)
	doc.End, _ = time.Parse(time.DateOnly, d.Closed)
	for _, p := range append([]dossier.Person{d.Applicant}, d.Subjects...) {
		if p.PersonalID != "" {
			doc.PersonalIDs = append(doc.PersonalIDs, p.PersonalID)
		}
	}
	doc.Keywords = append(doc.Keywords, d.ResultNumber, d.ProcedureName, d.Group)
	for _, p := range d.Subjects {
		doc.Keywords = append(doc.Keywords, p.Name)
	}
	for i := range d.Documents {
		t := &d.Documents[i]
		part := index.Part{Name: t.Name, Title: strings.TrimSpace(t.Subject + " " + t.Number + t.Notation)}
		if extract.HasText(t.Name, t.MediaType) {
			part.Text = a.text(ctx, t, i, open)
		}
		doc.Documents = append(doc.Documents, part)
	}
	return doc
}

func (a *Archive) text(ctx context.Context, t *dossier.Document, i int, open func(int) (io.ReaderAt, int64)) string {
	ctx, cancel := context.WithTimeout(ctx, textTime)
	defer cancel()
	r, size := open(i)
	s, err := extract.Text(ctx, t.Name, r, size, extract.Limits{})
	if err != nil && !errors.Is(err, extract.ErrNoText) {
		a.Log.Warn("no text extracted", "media type", t.MediaType, "error", err)
	}
	return s
}

// Indexed waits until the index has reached the ledger as it is now.
func (a *Archive) Indexed(ctx context.Context) error {
	f := a.follower
	stop := context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.moved.Broadcast()
	})
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting++
	defer func() { f.waiting-- }()
	poke(f.hurry)
	for want := f.size; f.done < want; {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.moved.Wait()
	}
	return nil
}

// Lag returns how many ledger entries the index has yet to follow.
func (a *Archive) Lag() uint64 {
	f := a.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size - min(f.done, f.size)
}
