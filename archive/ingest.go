package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
)

// Content gives the documents of a submission, in the order of its
// declaration. Next returns io.EOF after the last one, and makes the reader
// before it invalid.
type Content interface {
	Next() (name string, r io.Reader, err error)
}

// submission is a dossier on its way in.
type submission struct {
	*dossier.Declaration
	id      string // of the dossier
	by      string // keyed name of the producer
	content string // keyed digest of the declaration
	class   string
	*attempt
	sk      signing.SessionKey
	texts   *handoff // what the index will read
	stored  *packaged
	packets string // digest of the key packets
}

// packaged is what was stored of a package.
type packaged struct {
	size         int64
	digest, mets string
}

// Ingest archives a dossier and returns its receipt. Ingesting the same dossier
// again returns the same receipt, byte for byte; another content under its code
// fails with a *ConflictError, faults with a *dossier.ValidationError that
// lists all of them. Unless a receipt is returned, nothing of the dossier is
// kept.
func (a *Archive) Ingest(ctx context.Context, by Agent, d *dossier.Declaration, c Content) (*Receipt, error) {
	sub, err := a.admit(by, d)
	if err != nil {
		return nil, err
	}
	if r, err := a.archived(ctx, sub); r != nil || err != nil {
		return r, err
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := a.store(ctx, sub, c); err != nil {
		return nil, err
	}
	return a.commit(ctx, sub)
}

// store puts package and key packets into the store, side by side, once the
// attempt is registered. If it fails, nothing of them is left.
func (a *Archive) store(ctx context.Context, sub *submission, c Content) error {
	var registered <-chan error
	sub.attempt, registered = a.session.begin(ctx, sub.id)
	sub.sk = signing.NewSessionKey()
	ready, written := make(chan error, 1), make(chan error, 1)
	go func() {
		err := <-registered
		ready <- err
		if err == nil {
			sub.packets, err = a.custodian.Write(ctx, sub.id, sub.Package, sub.sk)
		}
		written <- err
	}()
	err := a.putPackage(ctx, sub, c, ready)
	if err := errors.Join(err, <-written); err != nil {
		return a.giveUp(ctx, sub, err)
	}
	return nil
}

// admit checks everything that can be told from the declaration.
func (a *Archive) admit(by Agent, d *dossier.Declaration) (*submission, error) {
	if err := by.may(push); err != nil {
		return nil, err
	}
	problems := d.Validate(a.Now(), a.Limits)
	if !by.covers(d.Agency) {
		problems = append(problems, problemAgency)
	}
	class, known := a.classOf(d)
	if !known {
		problems = append(problems, problemClass)
	}
	if len(problems) > 0 {
		return nil, &dossier.ValidationError{Problems: problems}
	}
	canonical, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	return &submission{
		Declaration: d, id: a.Keyring.dossier(d.Agency, d.Code), by: a.Keyring.agent(by.Subject),
		content: hex.EncodeToString(a.Keyring.mac("content", string(canonical))), class: class,
	}, nil
}

var (
	problemAgency = dossier.Problem{Code: "dossier.agency_not_yours", Field: "agency",
		Vietnamese: "Tài khoản không được nộp hồ sơ của cơ quan này. Kiểm tra mã cơ quan hoặc xin cấp quyền.",
		English:    "This account may not submit dossiers of this agency. Check the agency identifier, or ask for the right."}
	problemClass = dossier.Problem{Code: "dossier.class_unknown", Field: "class",
		Vietnamese: "Nhóm hồ sơ không có trong bảng thời hạn lưu trữ. Sửa mã nhóm, hoặc để trống để xác định theo mã thủ tục.",
		English:    "The class is not in the retention schedule. Correct it, or leave it empty to have it found from the procedure."}
)

// classOf finds the dossier's class: as declared, else by its procedure. A
// dossier without a class is taken in and held until somebody names one.
func (a *Archive) classOf(d *dossier.Declaration) (class string, ok bool) {
	s := a.Schedule()
	if d.Class == "" {
		class, _ = s.Class(d.Procedure, d.Sector)
		return class, true
	}
	return d.Class, slices.ContainsFunc(s.Rules, func(r retention.Rule) bool { return r.Class == d.Class })
}

// archived answers a submission whose dossier is in the archive already. It
// costs no request where the ledger knows no act of the dossier; then the
// put-if-absent of the seal has the last word.
func (a *Archive) archived(ctx context.Context, sub *submission) (*Receipt, error) {
	if a.chains.Len(life.Chain(sub.id)) == 0 {
		return nil, nil
	}
	_, r, err := a.resolve(ctx, sub)
	return r, err
}

// resolve reads the dossier's chain and says what it means for the submission:
// a receipt, an error, or the acts that its seal may follow.
func (a *Archive) resolve(ctx context.Context, sub *submission) ([]*chain.Act, *Receipt, error) {
	acts, l, err := a.life(ctx, sub.id)
	if err != nil {
		return nil, nil, err
	}
	switch l.State {
	case life.Absent:
		if sub.attempt != nil {
			for _, gone := range l.Abandoned {
				if gone == sub.Package {
					return nil, nil, errors.New("this attempt was abandoned while the node was silent; push again")
				}
			}
		}
		return acts, nil, nil
	case life.Condemned, life.Gone:
		return nil, nil, ErrDestroyed
	}
	seal, act := l.Seal()
	if seal.Content != sub.content {
		return nil, nil, &ConflictError{Dossier: sub.id, Archived: seal.Content, Sent: sub.content}
	}
	if err := a.lock(ctx, sub.id, l); err != nil {
		return nil, nil, err
	}
	r, err := a.receipt(ctx, sub.Code, act)
	return nil, r, err
}

// commit puts the seal. This is the commit point: from here the dossier is in
// the archive. A crash before leaves an attempt that recovery deletes; a crash
// after leaves an act that whoever reads it enters in the ledger.
func (a *Archive) commit(ctx context.Context, sub *submission) (*Receipt, error) {
	seal := a.seal(sub)
	var acts []*chain.Act
	for {
		act, err := a.chains.Put(ctx, life.Chain(sub.id), acts, chain.Draft{Type: life.Ingestion, By: sub.by, Body: seal})
		if err == nil {
			return a.acknowledge(ctx, sub, append(acts, act))
		}
		if !errors.Is(err, fs.ErrExist) {
			a.session.leave(sub.attempt) // the seal may or may not be there
			return nil, err
		}
		var r *Receipt
		if acts, r, err = a.resolve(ctx, sub); r != nil || err != nil {
			return r, a.giveUp(ctx, sub, err)
		}
	}
}

func (a *Archive) seal(sub *submission) *life.Seal {
	return &life.Seal{
		Package: sub.Package, Size: sub.stored.size, Digest: sub.stored.digest, METS: sub.stored.mets, Documents: len(sub.Documents),
		Content: sub.content, Class: sub.class, Closed: sub.Closed, Agency: sub.Agency, Access: sub.Access,
		Schedule: a.Schedule().Version, Profile: string(a.Keyring.Profile), Keys: a.Keyring.fingerprints(), Packets: sub.packets,
	}
}

// acknowledge does what a committed dossier still needs: its lock, its ledger
// entry, its receipt. All of it may be done again by anybody. The legal hold of
// a package without a known end follows behind the receipt: until it is there
// the attempt stays on the marker, and the rolling lock protects the package.
func (a *Archive) acknowledge(ctx context.Context, sub *submission, acts []*chain.Act) (*Receipt, error) {
	l, err := life.Of(acts)
	if err != nil {
		return nil, err
	}
	a.follower.hand(sub.texts)
	locked := make(chan error, 1)
	go func() { locked <- a.retain(ctx, sub.id, l) }()
	act := acts[len(acts)-1]
	_, err = a.chains.Enter(ctx, act)
	if err := errors.Join(err, <-locked); err != nil {
		a.session.leave(sub.attempt)
		return nil, err
	}
	a.done.Go(func() {
		if err := a.hold(context.WithoutCancel(ctx), sub.id, l); err != nil {
			a.Log.Error("legal hold", "dossier", sub.id, "error", err)
			a.session.leave(sub.attempt)
			return
		}
		a.session.end(sub.attempt)
	})
	return a.receipt(ctx, sub.Code, act)
}

// lock brings the object lock of the dossier's packages to what retention and
// holds ask. Locks are put after the commit: an attempt that was never committed
// must stay deletable. They are extended and never shortened.
func (a *Archive) lock(ctx context.Context, id string, l *life.Life) error {
	return errors.Join(a.retain(ctx, id, l), a.hold(ctx, id, l))
}

// retain locks the packages until their retention period ends, or for a rolling
// period where no end is known.
func (a *Archive) retain(ctx context.Context, id string, l *life.Life) error {
	locker, ok := a.locker()
	facts, _ := l.Facts()
	until, _ := a.lockUntil(facts)
	if !ok || !until.After(a.Now()) {
		return nil
	}
	for _, s := range l.Seals {
		if err := locker.Lock(ctx, packageKey(id, s.Package), "", until); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
	}
	return nil
}

// hold puts packages that are held, or have no known end, under legal hold.
func (a *Archive) hold(ctx context.Context, id string, l *life.Life) error {
	if !a.wantsHold(l) {
		return nil
	}
	return a.setHold(ctx, id, l, true)
}

// wantsHold reports whether the packages of a dossier belong under legal hold.
func (a *Archive) wantsHold(l *life.Life) bool {
	facts, holds := l.Facts()
	_, rolling := a.lockUntil(facts)
	return rolling || len(holds) > 0
}

func (a *Archive) setHold(ctx context.Context, id string, l *life.Life, on bool) error {
	locker, ok := a.locker()
	if !ok {
		return nil
	}
	for _, s := range l.Seals {
		if err := locker.Hold(ctx, packageKey(id, s.Package), "", on); err != nil {
			return fmt.Errorf("legal hold: %w", err)
		}
	}
	return nil
}

// lockUntil says until when a package must not be deletable, and whether that
// end is only as far as we can see.
func (a *Archive) lockUntil(f retention.Facts) (until time.Time, rolling bool) {
	v := a.Schedule().Decide(f, nil, a.Now())
	switch v.Status {
	case retention.Retained:
		return v.Until, false
	case retention.Due:
		return time.Time{}, false
	}
	return a.Now().Add(a.RollingLock), true
}

// giveUp deletes what an attempt stored that will not be committed, by this
// process's own decision, and returns the reason. If even that fails, the
// attempt stays on the marker and recovery deletes it.
func (a *Archive) giveUp(ctx context.Context, sub *submission, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := a.discard(ctx, sub.attempt); err != nil {
		a.Log.Error("attempt not discarded", "dossier", sub.id, "attempt", sub.Package, "error", err)
		return why
	}
	a.session.end(sub.attempt)
	return why
}

// Receipt is the archive's word that it has the dossier (docs/format.md §8).
type Receipt struct {
	V       int    `json:"v"`
	Archive string `json:"archive"`
	Code    string `json:"code"`
	Dossier string `json:"dossier"`
	Seal    string `json:"seal"`
	Entry   string `json:"entry"`
	Proof   string `json:"proof"`
}

// receipt puts together what is stored and signed already, so that it is the
// same whenever it is asked for.
func (a *Archive) receipt(ctx context.Context, code string, seal *chain.Act) (*Receipt, error) {
	e, proof, err := a.entry(ctx, seal)
	if err != nil {
		return nil, err
	}
	return &Receipt{V: 1, Archive: a.name, Code: code, Dossier: dossierOf(seal), Seal: string(seal.Raw()), Entry: string(e.Raw), Proof: string(proof)}, nil
}

// entry returns the ledger entry of an act, with its proof.
func (a *Archive) entry(ctx context.Context, act *chain.Act) (*audit.Entry, []byte, error) {
	i, ok := a.chains.Index(act.Chain, act.N)
	if !ok {
		return nil, nil, fmt.Errorf("%s is not in the ledger", chain.Key(act.Chain, act.N))
	}
	e, err := a.ledger.Entry(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	proof, err := a.ledger.Prove(ctx, i)
	return e, proof, err
}

func dossierOf(a *chain.Act) string { return a.Chain[len("dossiers/"):] }
