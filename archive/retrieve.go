package archive

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// Copy is a verified copy of a dossier (OAIS: DIP), read from the store as it
// is asked for. Close says how it ended.
type Copy struct {
	Seal        *life.Seal
	Receipt     *Receipt
	Declaration *dossier.Declaration // as the producer pushed it
	ctx         context.Context      // of the retrieval
	a           *Archive
	opened      *signing.Opened
	pkg         *dossier.Package
	granted     *audit.Entry
	proof       []byte
	delivery    string // what was handed out
	failure     error
}

// Retrieve opens a dossier for the given purpose. That it was permitted is in
// the ledger, durably, before the custodian unwraps the key and before a byte
// is read; without the ledger there is no retrieval.
func (a *Archive) Retrieve(ctx context.Context, by Agent, ref, purpose string) (*Copy, error) {
	id, err := a.permit(ctx, by, ref, purpose)
	if err != nil {
		return nil, err
	}
	acts, seal, act, err := a.sealed(ctx, id)
	if err != nil {
		return nil, err
	}
	entry, proof, err := a.disseminate(ctx, by, act, seal, purpose)
	if err != nil {
		return nil, err
	}
	if a.chains.Len(act.Chain) != len(acts) { // the append brought this node up to date
		if _, seal, act, err = a.sealed(ctx, id); err != nil {
			return nil, err
		}
	}
	sk, err := a.custodian.Unwrap(ctx, custody.Grant{Entry: entry.Raw, Proof: proof}, id, seal.Package)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, a.keysGone(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	c, err := a.open(ctx, id, seal, act, sk, &Copy{ctx: ctx, Seal: seal, a: a, granted: entry, proof: proof})
	if err != nil {
		return nil, a.unlessGone(ctx, id, err)
	}
	return c, nil
}

// open opens the package for a copy.
func (a *Archive) open(ctx context.Context, id string, seal *life.Seal, act *chain.Act, sk signing.SessionKey, c *Copy) (*Copy, error) {
	var err error
	if c.opened, c.pkg, err = a.openPackage(ctx, id, seal.Package, &packaged{size: seal.Size, mets: seal.METS}, sk); err != nil {
		return nil, err
	}
	if c.Declaration, err = c.pkg.Declaration(); err != nil {
		return nil, corrupt(err)
	}
	c.Receipt, err = a.receipt(ctx, c.Declaration.Agency, c.Declaration.Code, act)
	return c, err
}

// permit checks the agent's right. Absent, and not for the agent, look the
// same; a refusal is in the ledger.
func (a *Archive) permit(ctx context.Context, by Agent, ref, purpose string) (id string, err error) {
	if err := by.may(read); err != nil {
		return "", err
	}
	if purpose == "" {
		return "", fmt.Errorf("%w: no purpose given", ErrDenied)
	}
	id, rec, known, err := a.find(ctx, ref)
	if err != nil {
		return "", err
	}
	if known && a.sees(by, rec.Agency) == nil {
		return id, nil
	}
	_, err = a.ledger.Append(ctx, audit.Event{ID: random(), Type: "refused", Time: a.Now(), Private: map[string]string{"actor": by.Subject, "reference": ref}})
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("dossier: %w", fs.ErrNotExist)
}

var idForm = regexp.MustCompile(`^[a-z2-7]{32}$`)

// locate returns the name of the dossier meant by a reference: a dossier code in
// any of its forms, an archive code, or the name itself. A code that does not
// tell its agency follows that and a slash.
func (a *Archive) locate(ref string) string {
	if idForm.MatchString(ref) {
		return ref
	}
	if rest, ok := strings.CutPrefix(ref, a.Code+"."); ok && tellsAgency(rest) {
		ref = rest
	}
	if agency, code, ok := strings.Cut(ref, "/"); ok {
		return a.Keyring.dossier(agency, code)
	}
	return a.Keyring.dossier("", ref)
}

// tellsAgency reports whether a code is whole without an agency beside it.
func tellsAgency(code string) bool {
	agency, _, ok := strings.Cut(code, "/")
	if ok {
		code = agency + "-280101-1"
	}
	return !strings.HasPrefix(dossier.CanonicalCode("", code), "/")
}

// sealed reads the dossier's chain and returns the seal in force.
func (a *Archive) sealed(ctx context.Context, id string) ([]*chain.Act, *life.Seal, *chain.Act, error) {
	acts, l, err := a.life(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := living(l); err != nil {
		return nil, nil, nil, err
	}
	seal, act := l.Seal()
	return acts, seal, act, nil
}

// living returns ErrDestroyed for a dossier past the point of no return, and
// fs.ErrNotExist for one that was never sealed.
func living(l *life.Life) error {
	switch l.State {
	case life.Condemned, life.Gone:
		return ErrDestroyed
	case life.Absent:
		return fmt.Errorf("dossier: %w", fs.ErrNotExist)
	}
	return nil
}

func (a *Archive) life(ctx context.Context, id string) ([]*chain.Act, *life.Life, error) {
	acts, err := a.chains.Read(ctx, life.Chain(id))
	if err != nil {
		return nil, nil, a.alarm(ctx, id, err)
	}
	l, err := life.Of(acts)
	if err != nil {
		return nil, nil, a.alarm(ctx, id, fmt.Errorf("%w: %w", chain.ErrTampered, err))
	}
	return acts, l, nil
}

// alarm makes sure that tampering is on record, once a day for each dossier,
// and returns err.
func (a *Archive) alarm(ctx context.Context, id string, err error) error {
	if !errors.Is(err, chain.ErrTampered) {
		return err
	}
	a.Log.Error("TAMPERING: acts differ from the ledger", "dossier", id, "error", err)
	_, logged := a.ledger.Append(ctx, audit.Event{
		ID: "alarm/" + id + "/" + a.Now().UTC().Format(time.DateOnly), Type: "alarm", Time: a.Now(), Chain: life.Chain(id),
	})
	if logged != nil {
		a.Log.Error("alarm not entered in the ledger", "dossier", id, "error", logged)
	}
	return err
}

// disseminate enters the retrieval in the ledger.
func (a *Archive) disseminate(ctx context.Context, by Agent, act *chain.Act, seal *life.Seal, purpose string) (*audit.Entry, []byte, error) {
	e, err := a.ledger.Append(ctx, audit.Event{
		ID: random(), Type: "dissemination", Time: a.Now(), Chain: act.Chain,
		Details: map[string]string{"package": seal.Package, "digest": seal.Digest, "mets": seal.METS},
		Private: map[string]string{"actor": by.Subject, "purpose": purpose},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ledger: %w", err)
	}
	proof, err := a.ledger.Prove(ctx, e.Index)
	return e, proof, err
}

// keysGone tells a dossier that was destroyed meanwhile from one whose key
// packets are missing without a decision.
func (a *Archive) keysGone(ctx context.Context, id string) error {
	if _, _, _, err := a.sealed(ctx, id); err != nil {
		return err
	}
	return fmt.Errorf("%w: key packets are missing", ErrCorrupt)
}

// openPackage opens a stored package and verifies what holds it together: the
// seal's digest of METS.xml, and the archive's signature under it.
func (a *Archive) openPackage(ctx context.Context, id, attempt string, p *packaged, sk signing.SessionKey) (*signing.Opened, *dossier.Package, error) {
	key := packageKey(id, attempt)
	source := func(off, n int64) (io.ReadCloser, error) {
		r, info, err := a.Archive.Get(ctx, key, &store.GetOptions{Offset: off, Length: n})
		if err == nil && info.Size != p.size {
			r.Close()
			return nil, fmt.Errorf("%w: %d octets instead of %d", ErrCorrupt, info.Size, p.size)
		}
		return r, err
	}
	opened, err := signing.Open(source, p.size, sk)
	if err != nil {
		return nil, nil, corrupt(err)
	}
	pkg, err := dossier.OpenPackage(opened, opened.Size(), p.mets)
	if err != nil {
		return nil, nil, corrupt(err)
	}
	if err := a.Keyring.Archive.Certificate().Verify(pkg.METS(), pkg.Signature()); err != nil {
		return nil, nil, corrupt(err)
	}
	return opened, pkg, nil
}

// corrupt adds ErrCorrupt to what says that stored bytes are not the archived
// ones, and leaves other failures as they are.
func corrupt(err error) error {
	if errors.Is(err, signing.ErrSealed) || errors.Is(err, signing.ErrSignature) || errors.Is(err, dossier.ErrPackage) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// Document returns one document. Its reader fails before its end unless size
// and digest are those of the seal; nothing before that counts.
func (c *Copy) Document(name string) (io.ReadCloser, *dossier.Entry, error) {
	e, err := c.pkg.Entry(name)
	if err != nil {
		return nil, nil, err
	}
	section := c.opened.Section(e.Offset, e.Size)
	c.delivery += name + "\n"
	return &checkedReader{c.pkg.Verify(name, section), section, c}, &e, nil
}

// checkedReader remembers that a read failed, for the ledger.
type checkedReader struct {
	r io.Reader
	io.Closer
	c *Copy
}

func (r *checkedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = r.c.fail(corrupt(err))
	}
	return n, err
}

// fail remembers why a copy failed, for the ledger. What is missing or cut off
// because the dossier was destroyed meanwhile is not damaged.
func (c *Copy) fail(err error) error {
	c.failure = c.a.unlessGone(c.ctx, strings.TrimPrefix(c.granted.Chain, life.Chain("")), err)
	return c.failure
}

// unlessGone returns err, or ErrDestroyed where the dossier was destroyed while
// it was read.
func (a *Archive) unlessGone(ctx context.Context, id string, err error) error {
	if !errors.Is(err, ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, _, _, gone := a.sealed(ctx, id); errors.Is(gone, ErrDestroyed) {
		return gone
	}
	return err
}

// WriteTo writes the whole dossier as a package that proves itself
// (docs/format.md §9). A package that was not verified to its end has no
// central directory and opens in no ZIP reader.
func (c *Copy) WriteTo(w io.Writer) (int64, error) {
	count := &counter{w: w}
	z := zip.NewWriter(count)
	if err := c.writeEntries(z); err != nil {
		return count.n, c.fail(err)
	}
	if err := c.writeProof(z); err != nil {
		c.failure = err
		return count.n, err
	}
	c.delivery += "*\n"
	if err := z.Close(); err != nil {
		c.failure = err
		return count.n, err
	}
	return count.n, nil
}

// writeEntries copies every file of the package in one sequential read.
func (c *Copy) writeEntries(z *zip.Writer) error {
	stream := c.opened.Section(0, c.opened.Size())
	defer stream.Close()
	var pos int64
	for _, e := range c.pkg.Entries() {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.Path, Method: zip.Store, Modified: c.granted.Time})
		if err != nil {
			return err
		}
		if pos, err = c.pass(w, stream, e, pos); err != nil {
			return err
		}
	}
	return nil
}

// Close enters in the ledger what became of the retrieval.
func (c *Copy) Close() error {
	e := audit.Event{ID: random(), Type: "delivered", Time: c.a.Now(), Chain: c.granted.Chain, Details: map[string]string{"dissemination": c.granted.ID}}
	if c.failure != nil {
		e.Type = "delivery failed"
	}
	if c.delivery != "" {
		e.Private = map[string]string{"delivered": c.delivery}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := c.a.ledger.Append(ctx, e)
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
