package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/tlog"
)

// Report is what Verify saw.
type Report struct {
	Entries uint64
	Batches uint64
	// Tiles is how many published tiles and bundles are as they must be.
	Tiles int
	// Unpublished is how many full bundles are not published yet.
	Unpublished uint64
	// Disclosed and Undisclosed are the batches with commitments whose
	// disclosures are there, or are not. What is in them, only Disclose tells.
	Disclosed, Undisclosed int
	// Unused is how many disclosures belong to no batch: what a crash leaves.
	Unused int
	// Checkpoint is that of the last batch verified.
	Checkpoint []byte
	// Findings are sorted by object. There are none in a sound log.
	Findings []Finding
}

// Finding is something that the log did not write, or something missing.
type Finding struct {
	Object  string // its key
	Problem string
}

// Verify reads the whole log in the bucket, trusting nothing but the key: every
// batch, the hash chain, signature and root of every checkpoint, every tile,
// bundle and version. It works on a log in use. If the report has findings, the
// error wraps ErrTampered; after another error the report is incomplete.
// Whether disclosures can be decrypted is not looked at.
func Verify(ctx context.Context, c Config) (*Report, error) {
	c.setDefaults()
	c.Key = ""
	l, err := newLog(c)
	if err != nil {
		return nil, err
	}
	v := &verifier{Log: l, slots: readSlots(), tiles: map[string]bool{}, opened: map[string]bool{}}
	for _, step := range []func(context.Context) error{v.list, v.walk, v.known, v.work} {
		if err := step(ctx); err != nil {
			return &v.report, fmt.Errorf("verify ledger: %w", err)
		}
	}
	s := l.view()
	v.report.Entries, v.report.Batches, v.report.Checkpoint, v.report.Unused = s.size, s.seq, s.checkpoint, len(v.opened)
	slices.SortFunc(v.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Problem, b.Problem))
	})
	if n := len(v.report.Findings); n > 0 {
		first := v.report.Findings[0]
		return &v.report, fmt.Errorf("verify ledger: %d findings, the first: %w", n, tampered(first.Object, "%s", first.Problem))
	}
	return &v.report, nil
}

type verifier struct {
	*Log
	slots     chan struct{}   // bounds the requests at a time
	listed    string          // the last batch in the listing
	tiles     map[string]bool // published tiles that were not compared yet
	opened    map[string]bool // batches whose disclosures were not claimed yet
	published uint64          // bundles up to the last that was ever published
	broken    bool            // the walk ended before the log did

	mu     sync.Mutex
	report Report
	err    error // of a comparison
	done   sync.WaitGroup
}

func readSlots() chan struct{} { return make(chan struct{}, readers) }

func (v *verifier) found(object, problem string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Findings = append(v.report.Findings, Finding{object, fmt.Sprintf(problem, args...)})
}

// note turns tampering into a finding and returns other errors.
func (v *verifier) note(object string, err error) error {
	if !errors.Is(err, ErrTampered) {
		return err
	}
	v.found(object, "%s", strings.TrimSuffix(strings.TrimPrefix(err.Error(), object+": "), ": "+ErrTampered.Error()))
	return nil
}

// list looks at the names of all objects of the log and at their versions.
func (v *verifier) list(ctx context.Context) error {
	last := ""
	for info, err := range v.config.Store.List(ctx, "ledger/", &store.ListOptions{Versions: true}) {
		if err != nil {
			return err
		}
		key := info.Key
		name, disclosure := strings.CutPrefix(key, disclosurePrefix)
		switch {
		case disclosure && isName(name):
			if info.Latest && !info.DeleteMarker { // they may be removed
				v.opened[name] = true
			}
			continue
		case key == last:
			v.found(key, "has an older version")
			continue
		case info.DeleteMarker || !info.Latest:
			v.found(key, "was removed")
		}
		last = key
		v.expect(key)
	}
	return nil
}

// expect takes note of an object, which later steps must account for.
func (v *verifier) expect(key string) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(key, seqPrefix), 10, 64); err == nil && seqKey(n) == key {
		v.listed = key
		return
	}
	t, err := parseTilePath(strings.TrimPrefix(key, "ledger/"))
	if err != nil || t.W != width {
		v.found(key, "does not belong to the log")
		return
	}
	v.tiles[key] = true
	if t.L == entriesLevel {
		v.published = max(v.published, uint64(t.N)+1)
	}
}

// walk goes through all batches, as a node that applies them does.
func (v *verifier) walk(ctx context.Context) error {
	err := v.batches(ctx)
	v.done.Wait()
	if err := errors.Join(err, v.err); err != nil {
		return err
	}
	s := v.view()
	if next := seqKey(s.seq); v.listed >= next {
		v.found(next, "is gone or cannot be read, and the log goes on to %s", strings.TrimPrefix(v.listed, seqPrefix))
	}
	if s.seq == 0 && len(v.report.Findings) == 0 {
		return fs.ErrNotExist
	}
	for key := range v.tiles {
		if !v.broken {
			v.found(key, "is no tile of the log")
		}
	}
	return nil
}

func (v *verifier) batches(ctx context.Context) error {
	const never = 1 << 53
	for raw, err := range inOrder(ctx, 0, never, readers, v.slot) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		key := seqKey(v.view().seq)
		a, err := v.verify(ctx, raw)
		if err != nil {
			v.broken = true
			return v.note(key, err)
		}
		v.settle(a)
		v.claim(a)
		for _, b := range a.full {
			v.compareBundle(ctx, b)
		}
	}
	return nil
}

// claim counts the disclosures of a batch.
func (v *verifier) claim(a *advance) {
	committed := slices.ContainsFunc(a.entries, func(e *Entry) bool { return len(e.Commitments) > 0 })
	switch name := a.batch.Name; {
	case !committed:
	case v.opened[name]:
		v.report.Disclosed++
		delete(v.opened, name)
	default:
		v.report.Undisclosed++
	}
}

// compareBundle compares all tiles that are full by a bundle with what is
// published.
func (v *verifier) compareBundle(ctx context.Context, b *bundle) {
	if b.k >= v.published {
		v.report.Unpublished++
	}
	s := v.view()
	for _, t := range completed(b.k) {
		key := tileKey(t)
		listed := v.tiles[key]
		delete(v.tiles, key)
		if !listed && b.k < v.published {
			v.found(key, "is gone")
		}
		if !listed {
			continue
		}
		want := encodeBundle(b.entries)
		if t.L >= 0 {
			leaves := func(uint64) ([]tlog.Hash, error) { return b.hashes, nil }
			want, _ = tlog.ReadTileData(t, s.reader(leaves))
		}
		v.slots <- struct{}{}
		v.done.Go(func() {
			defer func() { <-v.slots }()
			v.compareTile(ctx, key, want)
		})
	}
}

func (v *verifier) compareTile(ctx context.Context, key string, want []byte) {
	data, _, err := v.get(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.found(key, "is gone")
	case err != nil:
		v.mu.Lock()
		v.err = errors.Join(v.err, err)
		v.mu.Unlock()
	case !bytes.Equal(data, want):
		v.found(key, "is not the tile of the log")
	default:
		v.mu.Lock()
		v.report.Tiles++
		v.mu.Unlock()
	}
}

// known compares with the checkpoint that the caller remembers.
func (v *verifier) known(ctx context.Context) error {
	if len(v.config.Known) == 0 {
		return nil
	}
	const what = "known checkpoint"
	t, err := v.keys.open(v.config.Known)
	if err != nil {
		return fmt.Errorf("known %w", err)
	}
	return v.note(what, v.contains(ctx, what, t))
}

// work compares with what is published in the work bucket. Whatever may be
// missing there, nothing may be wrong.
func (v *verifier) work(ctx context.Context) error {
	if v.config.Work == nil {
		return nil
	}
	if err := v.workCheckpoint(ctx); err != nil {
		return err
	}
	for info, err := range v.config.Work.List(ctx, tilePrefix, nil) {
		if err != nil {
			return err
		}
		if err := v.partial(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) workCheckpoint(ctx context.Context) error {
	signed, _, err := store.ReadAll(ctx, v.config.Work, checkpointKey, maxObject)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := v.keys.open(signed)
	if err != nil {
		v.found(checkpointKey, "%v", err)
		return nil
	}
	// The checkpoint is published after the full tiles of its tree.
	if bundles := uint64(t.N) / width; bundles > v.published {
		key := tileKey(fullTile(entriesLevel, bundles-1))
		has, err := v.has(ctx, key)
		if err != nil {
			return err
		}
		if !has {
			v.found(key, "is gone")
		}
	}
	return v.note(checkpointKey, v.contains(ctx, checkpointKey, t))
}

func (v *verifier) partial(ctx context.Context, key string) error {
	t, err := parseTilePath(strings.TrimPrefix(key, "ledger/"))
	if err != nil || t.W == width {
		v.found(key, "does not belong to the log")
		return nil
	}
	data, _, err := store.ReadAll(ctx, v.config.Work, key, maxObject)
	if errors.Is(err, fs.ErrNotExist) { // tidied away meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	want, err := v.tile(ctx, v.view(), t)
	if errors.Is(err, fs.ErrNotExist) {
		if err = v.catchUp(ctx, 1); err == nil {
			want, err = v.tile(ctx, v.view(), t)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.found(key, "is of a longer log")
	case err != nil:
		return v.note(key, err)
	case !bytes.Equal(data, want):
		v.found(key, "is not the tile of the log")
	default:
		v.report.Tiles++
	}
	return nil
}
