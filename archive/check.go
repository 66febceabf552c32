package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/internal/jcs"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/store"
)

// CheckOptions say how thorough Check is.
type CheckOptions struct {
	// Deep reads every data object and compares its digest with the seal.
	Deep bool
	// Content also opens every package, under a maintenance entry in the
	// ledger, and verifies every document. It implies Deep.
	Content bool
	// Repair extends every lock that is shorter than it should be, or has run
	// down to half of its rolling period. Run it at least twice a period.
	Repair bool
	// Progress is called after every dossier.
	Progress func(done, all int)
}

// Finding is something that is not as it should be.
type Finding struct {
	Object     string // what it is about: an object or a dossier
	Code       string
	Vietnamese string
	English    string
}

// CheckReport is the result of a check.
type CheckReport struct {
	Dossiers  int // sealed and not destroyed
	Destroyed int
	Packages  int   // data objects read or looked up
	Bytes     int64 // read of them
	Extended  int   // locks
	Entries   uint64
	Findings  []Finding
}

// checking is a check under way.
type checking struct {
	*Archive
	CheckOptions
	report   *CheckReport
	open     map[string]bool     // attempts of sessions that are at work
	expected map[string]bool     // attempts that seals name
	joined   map[string][]string // members of groups, by their seals, whose group was not looked at yet
	grants   *grants
}

// Check compares everything that is stored with what the acts and the ledger
// say, and reports every difference. It changes nothing but this: acts that no
// entry stands for yet are entered in the ledger.
func (a *Archive) Check(ctx context.Context, opts CheckOptions) (*CheckReport, error) {
	c := &checking{Archive: a, CheckOptions: opts, report: &CheckReport{}, open: map[string]bool{}, expected: map[string]bool{}, joined: map[string][]string{}}
	c.Deep = c.Deep || c.Content
	if err := a.ledger.Sync(ctx); err != nil {
		return nil, err
	}
	c.grants = &grants{a: a, to: a.ledger.Size()}
	for _, step := range []func(context.Context) error{c.pending, c.strays, c.ledgerWhole, c.dossiers, c.unlinked, c.orphans, c.keys, c.indexed, c.roll} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c.report, nil
}

func (c *checking) find(object, code, vietnamese, english string) {
	c.report.Findings = append(c.report.Findings, Finding{object, code, vietnamese, english})
}

// pending learns which attempts are under way.
func (c *checking) pending(ctx context.Context) error {
	for info, err := range c.Work.List(ctx, pendingPrefix, nil) {
		if err != nil {
			return err
		}
		raw, err := readAll(ctx, c.Work, info.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var m marker
		if err := jcs.Unmarshal(raw, &m); err != nil {
			c.find(info.Key, "marker.broken", "Dấu chờ xử lý không đọc được.", "Pending marker is not readable.")
			continue
		}
		for _, at := range m.Attempts {
			c.open[at.Package] = true
		}
	}
	return nil
}

// strays enters acts in the ledger that no entry stands for, and reports acts
// that were shadowed, hidden or added.
func (c *checking) strays(ctx context.Context) error {
	for _, prefix := range []string{"dossiers/", "groups/", "cases/", "schedules/", "policies/", aboutKey} {
		last := ""
		for info, err := range c.Archive.Archive.List(ctx, prefix, &store.ListOptions{Versions: true}) {
			if err != nil {
				return err
			}
			if info.DeleteMarker {
				c.find(info.Key, "act.hidden", "Văn bản ghi việc bị che bằng dấu xóa.", "A delete marker hides the act.")
			} else if same, err := c.sameVersion(ctx, info, last); err != nil {
				return err
			} else if !same {
				c.find(info.Key, "act.shadowed", "Văn bản ghi việc có hơn một phiên bản.", "The act has more than one version.")
			}
			if info.Key == last {
				continue
			}
			last = info.Key
			i := strings.LastIndexByte(info.Key, '/')
			if i < 0 {
				continue
			}
			if fmt.Sprintf("%04d", c.chains.Len(info.Key[:i])) < info.Key[i+1:] {
				if _, err := c.chains.Read(ctx, info.Key[:i]); err != nil {
					c.find(info.Key, "act.untrusted", "Văn bản ghi việc không khớp sổ cái.", "The act does not match the ledger.")
				}
			}
		}
	}
	return nil
}

// sameVersion reports whether a version that follows another of its key, last,
// holds the same bytes: two nodes that complete one claim put them twice.
func (c *checking) sameVersion(ctx context.Context, v *store.Info, last string) (bool, error) {
	if v.Key != last {
		return true, nil
	}
	latest, err := readAll(ctx, c.Archive.Archive, v.Key)
	if err != nil {
		return false, fmt.Errorf("%s: %w", v.Key, err)
	}
	r, _, err := c.Archive.Archive.Get(ctx, v.Key, &store.GetOptions{Version: v.Version})
	if err != nil {
		return false, fmt.Errorf("%s: %w", v.Key, err)
	}
	defer r.Close()
	older, err := io.ReadAll(r)
	return bytes.Equal(latest, older), err
}

func (c *checking) ledgerWhole(ctx context.Context) error {
	cfg := c.auditConfig()
	cfg.Key = ""
	r, err := audit.Verify(ctx, cfg)
	if err != nil && !errors.Is(err, audit.ErrTampered) {
		return err
	}
	if err != nil {
		c.find("ledger", "ledger.tampered", "Sổ cái không nguyên vẹn: "+err.Error(), "The ledger is not whole: "+err.Error())
	}
	if r != nil {
		c.report.Entries = r.Entries
	}
	return nil
}

// dossiers checks every chain that the ledger knows, and what its acts name.
func (c *checking) dossiers(ctx context.Context) error {
	var names []string
	for name := range c.chains.Chains {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if id, ok := strings.CutPrefix(name, "dossiers/"); ok {
			if err := c.dossier(ctx, id); err != nil {
				return err
			}
		} else if group, ok := strings.CutPrefix(name, life.GroupChain("")); ok {
			if err := c.group(ctx, group); err != nil {
				return err
			}
		} else if _, err := c.chains.Read(ctx, name); err != nil {
			c.find(name, "act.untrusted", "Văn bản ghi việc không khớp sổ cái.", "The acts do not match the ledger.")
		}
		if c.Progress != nil {
			c.Progress(i+1, len(names))
		}
	}
	return nil
}

func (c *checking) dossier(ctx context.Context, id string) error {
	_, l, err := c.life(ctx, id)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		c.find("dossiers/"+id, "act.untrusted", "Văn bản ghi việc không khớp sổ cái: "+err.Error(), "The acts do not match the ledger: "+err.Error())
		return nil
	}
	switch l.State {
	case life.Gone:
		c.report.Destroyed++
		return c.gone(ctx, id)
	case life.Condemned:
		c.find("dossiers/"+id, "destruction.unfinished", "Việc hủy chưa xong; hệ thống sẽ làm tiếp.", "The destruction is not finished; it will be continued.")
		return nil
	case life.Absent:
		return nil
	}
	c.report.Dossiers++
	if g := l.Group(); g != "" {
		c.joined[g] = append(c.joined[g], id)
	}
	for i := range l.Seals {
		c.expected[l.Seals[i].Package] = true
		if err := c.pack(ctx, id, l, &l.Seals[i]); err != nil {
			return err
		}
	}
	return nil
}

// group checks the chain of a group against its members, which were looked at
// before: their chains come first in the order of names.
func (c *checking) group(ctx context.Context, name string) error {
	_, g, err := c.Archive.group(ctx, name)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		c.find(life.GroupChain(name), "act.untrusted", "Văn bản ghi việc không khớp sổ cái: "+err.Error(), "The acts do not match the ledger: "+err.Error())
		return nil
	}
	for _, id := range c.joined[name] {
		if !slices.ContainsFunc(g.Links, func(l life.Link) bool { return l.Dossier == id }) {
			c.find(life.Chain(id), "group.unlinked", "Hồ sơ thuộc nhóm liên thông nhưng nhóm không ghi nhận.", "The dossier names a group that does not have it.")
		}
	}
	for id := range g.Condemned {
		if r, _ := c.register.brief(id); r.State != life.Gone && r.State != life.Condemned {
			c.find(life.Chain(id), "destruction.unfinished", "Việc hủy chưa xong; hệ thống sẽ làm tiếp.", "The destruction is not finished; it will be continued.")
		}
	}
	delete(c.joined, name)
	return nil
}

// unlinked reports members of groups that have no chain at all.
func (c *checking) unlinked(context.Context) error {
	for name := range c.joined {
		c.find(life.GroupChain(name), "group.missing", "Mất các văn bản ghi việc của nhóm liên thông.", "The acts of the group are missing.")
	}
	return nil
}

// pack checks one stored package: data object, key packets, lock.
func (c *checking) pack(ctx context.Context, id string, l *life.Life, s *life.Seal) error {
	key := packageKey(id, s.Package)
	c.report.Packages++
	r, info, err := c.Archive.Archive.Get(ctx, key, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.find(key, "package.missing", "Mất gói tin lưu trữ: khôi phục từ bản sao.", "The package is missing: restore it from a copy.")
		return nil
	case err != nil:
		return err
	}
	defer r.Close()
	if info.Size != s.Size {
		c.find(key, "package.size", "Gói tin sai kích thước.", "The package has another size than sealed.")
		return nil
	}
	if c.Deep {
		if err := c.whole(r, key, s); err != nil {
			return err
		}
	}
	if packets, err := c.custodian.Packets(ctx, id, s.Package); errors.Is(err, fs.ErrNotExist) {
		c.find(key, "keys.missing", "Mất khóa của gói tin.", "The package's key packets are missing.")
	} else if err != nil {
		return err
	} else if digest(packets) != s.Packets {
		c.find(key, "keys.digest", "Khóa của gói tin đã bị thay đổi.", "The package's key packets were altered.")
	} else if c.Content {
		if err := c.content(ctx, id, s); err != nil {
			return err
		}
	}
	return c.locked(ctx, key, l)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (c *checking) whole(r io.Reader, key string, s *life.Seal) error {
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	c.report.Bytes += n
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != s.Digest {
		c.find(key, "package.digest", "Gói tin đã bị thay đổi.", "The package was altered.")
	}
	return nil
}

// content opens the package and verifies every document in it.
func (c *checking) content(ctx context.Context, id string, s *life.Seal) error {
	sk, err := c.grants.unwrap(ctx, id, s.Package)
	if err != nil {
		return err
	}
	opened, pkg, err := c.openPackage(ctx, id, s.Package, &packaged{size: s.Size, mets: s.METS}, sk)
	if err == nil {
		for _, e := range pkg.Entries() {
			section := opened.Section(e.Offset, e.Size)
			_, err = io.Copy(io.Discard, pkg.Verify(e.Path, section))
			if err = errors.Join(err, section.Close()); err != nil {
				break
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.find(packageKey(id, s.Package), "package.content", "Nội dung gói tin không khớp.", "The package's content does not match.")
	}
	return nil
}

// locked compares the object lock with what retention and holds ask for.
func (c *checking) locked(ctx context.Context, key string, l *life.Life) error {
	locker, ok := c.locker()
	if !ok {
		return nil
	}
	have, err := locker.Locked(ctx, key, "")
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	id := strings.Split(key, "/")[1]
	f, err := c.family(ctx, id, l)
	if errors.Is(err, chain.ErrTampered) {
		return nil // told where the group is looked at
	}
	if err != nil {
		return err
	}
	until, rolling := c.lockUntil(l, f)
	if !rolling && until.After(c.Now()) && have.Until.Before(until) || rolling && !have.Hold {
		if c.Repair {
			c.report.Extended++
			return c.lock(ctx, id, l)
		}
		c.find(key, "lock.short", "Khóa lưu trữ ngắn hơn thời hạn.", "The object lock is shorter than the retention period.")
	}
	if len(l.Holds) > 0 && !have.Hold {
		c.find(key, "lock.hold", "Kho lưu trữ đối tượng thiếu dấu tạm dừng hủy.", "The legal hold is missing in the store.")
	}
	return nil
}

// roll extends the locks of what is kept for ever: acts, cases, ledger, and
// packages without a known end.
func (c *checking) roll(ctx context.Context) error {
	locker, ok := c.locker()
	if !ok || !c.Repair {
		return nil
	}
	soon, until := c.Now().Add(c.RollingLock/2), c.Now().Add(c.RollingLock)
	for _, prefix := range []string{aboutKey, "cases/", "dossiers/", "groups/", "ledger/seq/", "ledger/tile/", "packages/", "policies/", "schedules/"} {
		for info, err := range c.Archive.Archive.List(ctx, prefix, nil) {
			if err != nil {
				return err
			}
			have, err := locker.Locked(ctx, info.Key, "")
			if err != nil {
				return fmt.Errorf("%s: %w", info.Key, err)
			}
			if have.Until.After(soon) || prefix == "packages/" && !have.Hold {
				continue
			}
			if err := locker.Lock(ctx, info.Key, "", until); err != nil {
				return fmt.Errorf("%s: %w", info.Key, err)
			}
			c.report.Extended++
		}
	}
	return nil
}

// gone checks that nothing readable is left of a destroyed dossier.
func (c *checking) gone(ctx context.Context, id string) error {
	left, err := c.custodian.Left(ctx, id)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		c.find("dossiers/"+id, "keys.left", "Còn khóa của hồ sơ đã hủy.", "Key packets of a destroyed dossier are left.")
	}
	has, err := c.Index.Has(ctx, id)
	if has && c.Lag() == 0 {
		c.find("dossiers/"+id, "index.left", "Chỉ mục còn hồ sơ đã hủy.", "The index still has a destroyed dossier.")
	}
	return err
}

// orphans reports data objects that no act names.
func (c *checking) orphans(ctx context.Context) error {
	for info, err := range c.Archive.Archive.List(ctx, "packages/", nil) {
		if err != nil {
			return err
		}
		attempt := info.Key[strings.LastIndexByte(info.Key, '/')+1:]
		if c.expected[attempt] || c.open[attempt] {
			continue
		}
		if lock, err := c.waiting(ctx, info.Key); err != nil || lock {
			if err != nil {
				return err
			}
			continue
		}
		c.find(info.Key, "package.orphan", "Gói tin không thuộc hồ sơ nào.", "The package belongs to no dossier.")
	}
	return nil
}

// waiting reports whether a data object of a destroyed dossier only waits for
// its lock to end. Nobody can read it: its keys are gone.
func (c *checking) waiting(ctx context.Context, key string) (bool, error) {
	id := strings.Split(key, "/")[1]
	r, known := c.register.get(id)
	locker, ok := c.locker()
	if !known || r.State != life.Gone || !ok {
		return false, nil
	}
	lock, err := locker.Locked(ctx, key, "")
	return lock.Until.After(c.Now()), err
}

// keys reports key packets that no seal needs.
func (c *checking) keys(ctx context.Context) error {
	for info, err := range c.Keys.List(ctx, "", nil) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(info.Key, "probe/") { // left by a trial of what the server can
			continue
		}
		attempt, _, _ := strings.Cut(info.Key[strings.LastIndexByte(info.Key, '/')+1:], ".")
		if !c.expected[attempt] && !c.open[attempt] {
			c.find("keys/"+info.Key, "keys.orphan", "Khóa không thuộc gói tin nào.", "The key packets belong to no package.")
		}
	}
	return nil
}

// indexed reports dossiers that the index lacks, once it has caught up.
func (c *checking) indexed(ctx context.Context) error {
	if c.Lag() > 0 {
		return nil
	}
	for _, id := range c.register.ids(func(r *record) bool { return r.State == life.Archived }) {
		if has, err := c.Index.Has(ctx, id); err != nil {
			return err
		} else if !has {
			c.find("dossiers/"+id, "index.missing", "Chỉ mục thiếu hồ sơ: chạy luutru rebuild.", "The index lacks the dossier: run luutru rebuild.")
		}
	}
	return nil
}

// locker returns the archive bucket's object lock, if it has one.
func (a *Archive) locker() (store.Locker, bool) {
	l, ok := a.Archive.(store.Locker)
	return l, ok && !a.NoLock
}
