package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
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
	*rules            // in force
	id         string // of the dossier
	producer   string // subject of who pushes it
	by         string // keyed name of the producer
	content    string // digest of the declaration under the dossier's content key
	code       string // archive code
	codeDigest string // its digest under the content key
	group      string // keyed name of its group; "" where it is on its own
	class      string
	findings   []intake.Finding // that may be kept
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
// fails with a *ConflictError, faults and what the intake policy refuses with a
// *dossier.ValidationError that lists all of them, what can't be checked now
// with a *WaitError. Unless a receipt is returned, nothing of the dossier is
// kept but, of a refusal, an entry in the ledger.
func (a *Archive) Ingest(ctx context.Context, by Agent, d *dossier.Declaration, c Content) (*Receipt, error) {
	r, err := a.ingest(ctx, by, d, c)
	if err != nil {
		a.Reject(ctx, by, d, err)
	}
	return r, err
}

func (a *Archive) ingest(ctx context.Context, by Agent, d *dossier.Declaration, c Content) (*Receipt, error) {
	sub, err := a.admit(ctx, by, d, c)
	if err != nil {
		return nil, err
	}
	if r, err := a.archived(ctx, sub); r != nil || err != nil {
		return r, err
	}
	if err := sub.judge(sub.declared(a.Now(), c), nil); err != nil {
		return nil, err
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
	if err := a.link(ctx, sub); err != nil {
		return nil, a.withdraw(ctx, sub, err)
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

// admit checks everything that can be told from the declaration. What the
// policy says counts only for a dossier that is not in the archive yet, and is
// told here beside other faults.
func (a *Archive) admit(ctx context.Context, by Agent, d *dossier.Declaration, c Content) (*submission, error) {
	if err := by.may(push); err != nil {
		return nil, err
	}
	rules, err := a.rules(ctx)
	if err != nil {
		return nil, err
	}
	sub := &submission{Declaration: d, rules: rules, producer: by.Subject, by: a.Keyring.agent(by.Subject)}
	problems := d.Validate(a.Now(), a.Limits)
	if !a.covers(by, d.Agency) {
		problems = append(problems, problemAgency)
	}
	var known bool
	if sub.class, known = a.classOf(d); !known {
		problems = append(problems, problemClass)
	}
	if len(problems) > 0 {
		return nil, sub.judge(sub.declared(a.Now(), c), problems)
	}
	canonical, err := d.Canonical()
	if err != nil {
		return nil, err
	}
	sub.id, sub.code, sub.group = a.Keyring.dossier(d.Agency, d.Code), a.archiveCode(d), a.Keyring.group(d.Group)
	key := a.Keyring.content(sub.id)
	sub.content, sub.codeDigest = contentDigest(key, canonical), codeDigest(key, sub.code)
	return sub, nil
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
	r, err := a.receipt(ctx, sub.Agency, sub.Code, act)
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
			if sub.group != "" {
				return r, a.withdraw(ctx, sub, err)
			}
			return r, a.giveUp(ctx, sub, err)
		}
	}
}

func (a *Archive) seal(sub *submission) *life.Seal {
	return &life.Seal{
		Package: sub.Package, Size: sub.stored.size, Digest: sub.stored.digest, METS: sub.stored.mets, Documents: len(sub.Documents),
		Content: sub.content, Class: sub.class, Closed: sub.Closed, Agency: sub.Agency, Access: sub.Access,
		Schedule: a.Schedule().Version, Profile: string(a.Keyring.Profile), Keys: a.Keyring.fingerprints(), Packets: sub.packets,
		ArchiveCode: sub.codeDigest, Group: sub.group, Policy: sub.policy.Version, Findings: results(sub.findings),
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
	var f *family // as it is after the seal: whoever seals a member last sees the others
	locked := make(chan error, 1)
	go func() {
		var err error
		if f, err = a.family(ctx, sub.id, l); err == nil {
			err = a.retain(ctx, sub.id, l, f)
		}
		locked <- err
	}()
	act := acts[len(acts)-1]
	_, err = a.chains.Enter(ctx, act)
	if err := errors.Join(err, <-locked); err != nil {
		a.session.leave(sub.attempt)
		return nil, err
	}
	a.done.Go(func() {
		if err := a.hold(context.WithoutCancel(ctx), sub.id, l, f); err != nil {
			a.Log.Error("legal hold", "dossier", sub.id, "error", err)
			a.session.leave(sub.attempt)
			return
		}
		a.session.end(sub.attempt)
	})
	return a.receipt(ctx, sub.Agency, sub.Code, act)
}

// lock brings the object lock of the dossier's packages to what retention and
// holds ask. Locks are put after the commit: an attempt that was never committed
// must stay deletable. They are extended and never shortened.
func (a *Archive) lock(ctx context.Context, id string, l *life.Life) error {
	f, err := a.family(ctx, id, l)
	if err != nil {
		return err
	}
	return errors.Join(a.retain(ctx, id, l, f), a.hold(ctx, id, l, f))
}

// retain locks the packages until their retention period ends, or for a rolling
// period where no end is known. Of a group the longest life locks all members.
func (a *Archive) retain(ctx context.Context, id string, l *life.Life, f *family) error {
	locker, ok := a.locker()
	until, _ := a.lockUntil(l, f)
	if !ok || !until.After(a.Now()) {
		return nil
	}
	return f.each(id, l, func(member string, m *life.Life) error {
		for _, s := range m.Seals {
			if err := locker.Lock(ctx, packageKey(member, s.Package), "", until); err != nil {
				return fmt.Errorf("lock: %w", err)
			}
		}
		return nil
	})
}

// hold puts packages that are held, or have no known end, under legal hold; what
// has no known end in a group, with all its members.
func (a *Archive) hold(ctx context.Context, id string, l *life.Life, f *family) error {
	if _, rolling := a.lockUntil(l, f); !rolling {
		f = nil
	}
	if !a.wantsHold(l, f) {
		return nil
	}
	return f.each(id, l, func(member string, m *life.Life) error { return a.setHold(ctx, member, m, true) })
}

// wantsHold reports whether the packages of a dossier belong under legal hold.
func (a *Archive) wantsHold(l *life.Life, f *family) bool {
	_, rolling := a.lockUntil(l, f)
	return rolling || len(l.Holds) > 0
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

// lockUntil says until when the package of a dossier must not be deletable, by
// its own life and by those of its group, and whether that end is only as far as
// we can see.
func (a *Archive) lockUntil(l *life.Life, f *family) (until time.Time, rolling bool) {
	var members []retention.Facts
	for _, m := range append([]*life.Life{l}, f.lives()...) {
		facts, _ := m.Facts()
		members = append(members, facts)
	}
	v := a.Schedule().DecideGroup(members, nil, a.Now())
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

// withdraw ends an attempt that may be named by a link to a group, in the way
// that recovery would: an act says that it will not be sealed.
func (a *Archive) withdraw(ctx context.Context, sub *submission, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := a.settle(ctx, sub.attempt); err != nil {
		a.Log.Error("attempt not withdrawn", "dossier", sub.id, "attempt", sub.Package, "error", err)
		a.session.leave(sub.attempt)
		return why
	}
	a.session.end(sub.attempt)
	return why
}
