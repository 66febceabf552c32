package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/luutru/luutru/store"
	"golang.org/x/mod/sumdb/tlog"
)

// closeTimeout bounds what Close waits for.
const closeTimeout = 30 * time.Second

// publication is how far tiles and checkpoint are published. But for what mu
// guards, the publisher alone uses it.
type publication struct {
	bundles  uint64      // full bundles, and the tiles of hashes over them
	slots    uint64      // batches that were looked at for a second version
	partials []tlog.Tile // in Work, from this log
	tidied   bool        // Work holds no old partial tiles of others

	// Guarded by Log.mu.
	size uint64 // of the tree whose checkpoint is in Work
	err  error  // of the last try
	owed []lock // locks to be made
}

// lock is an object whose put may have failed before it was locked.
type lock struct{ key, version string }

// Published returns the size of the tree whose checkpoint was last published,
// and the error that keeps the rest from being published, if there is one.
// Publishing is tried again and again; entries are safe without it.
func (l *Log) Published() (size uint64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.pub.size, errors.Join(l.failed, l.pub.err)
}

// owe has the publisher lock an object.
func (l *Log) owe(key, version string) {
	if _, ok := l.config.Store.(store.Locker); ok && l.config.LockFor > 0 {
		l.mu.Lock()
		l.pub.owed = append(l.pub.owed, lock{key, version})
		l.mu.Unlock()
		wake(l.grown)
	}
}

// publisher publishes until nothing more will be committed, and then the rest.
func (l *Log) publisher(ctx context.Context) {
	var tick <-chan time.Time
	grown := l.grown
	if l.config.Publish > 0 {
		ticker := time.NewTicker(l.config.Publish)
		defer ticker.Stop()
		tick = ticker.C
	} else {
		grown = nil
	}
	for {
		select {
		case <-grown:
			l.report(l.publishFull(ctx, l.view()))
		case <-tick:
			l.report(l.publish(ctx))
		case <-l.finished:
			l.report(l.publish(ctx))
			return
		}
	}
}

func (l *Log) report(err error) {
	l.fail(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pub.err = err
}

// publish writes everything that follows from the batches. All of it can be
// written again, by any node: full tiles never change, and of the checkpoint
// the latest wins.
func (l *Log) publish(ctx context.Context) error {
	s := l.view()
	if err := l.publishFull(ctx, s); err != nil {
		return err
	}
	if err := l.watch(ctx, s); err != nil {
		return err
	}
	if size, _ := l.Published(); l.config.Work == nil || size == s.size {
		return nil
	}
	return l.publishHead(ctx, s)
}

// publishFull writes the full tiles, in the order of the log and the bundle
// last: where a bundle is, everything before it is too.
func (l *Log) publishFull(ctx context.Context, s state) error {
	if err := l.err(); err != nil {
		return err
	}
	for ; l.pub.bundles < s.bundles(); l.pub.bundles++ {
		for _, t := range completed(l.pub.bundles) {
			data, err := l.tile(ctx, s, t)
			if err == nil {
				err = l.putTile(ctx, tileKey(t), data)
			}
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
		}
	}
	return l.lockOwed(ctx)
}

// completed returns the tiles that are full by bundle k, and last itself.
func completed(k uint64) []tlog.Tile {
	tiles := []tlog.Tile{fullTile(0, k)}
	for level, n := 1, k+1; n%width == 0; level, n = level+1, n/width {
		tiles = append(tiles, fullTile(level, n/width-1))
	}
	return append(tiles, fullTile(entriesLevel, k))
}

func (l *Log) putTile(ctx context.Context, key string, data []byte) error {
	err := l.put(ctx, key, data)
	if err == nil {
		return nil
	}
	// Another node was faster, or the outcome is unknown.
	there, info, readErr := l.get(ctx, key)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	if !bytes.Equal(there, data) {
		return tampered(key, "is not the tile of the log")
	}
	l.owe(key, info.Version)
	return nil
}

// lockOwed makes the locks that a failed put left open.
func (l *Log) lockOwed(ctx context.Context) error {
	locker, ok := l.config.Store.(store.Locker)
	for ok {
		l.mu.RLock()
		owed := slices.Clone(l.pub.owed)
		l.mu.RUnlock()
		if len(owed) == 0 {
			break
		}
		if err := locker.Lock(ctx, owed[0].key, owed[0].version, l.config.lockUntil()); err != nil {
			return fmt.Errorf("lock %s: %w", owed[0].key, err)
		}
		l.mu.Lock()
		l.pub.owed = l.pub.owed[1:]
		l.mu.Unlock()
	}
	return nil
}

// watch looks for second versions of the batches committed lately. A delete
// marker over a batch would let a node that has not read it commit another in
// its place.
func (l *Log) watch(ctx context.Context, s state) error {
	if l.pub.slots == s.seq {
		return nil
	}
	opts := &store.ListOptions{Versions: true, After: seqKey(l.pub.slots - 1)}
	next := l.pub.slots
	for info, err := range l.config.Store.List(ctx, seqPrefix, opts) {
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		if info.Key >= seqKey(s.seq) {
			break
		}
		if info.Key != seqKey(next) || info.DeleteMarker || !info.Latest {
			return tampered(info.Key, "was removed or replaced")
		}
		next++
	}
	if next != s.seq {
		return tampered(seqKey(next), "is gone")
	}
	l.pub.slots = next
	return nil
}

// publishHead writes partial tiles and checkpoint to Work, unless a node that
// is further has.
func (l *Log) publishHead(ctx context.Context, s state) error {
	size, err := l.publishedSize(ctx)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	tiles := partialTiles(s.size)
	if size < s.size || size == 0 {
		for _, t := range tiles {
			data, err := l.tile(ctx, s, t)
			if err == nil {
				_, err = l.config.Work.Put(ctx, tileKey(t), data, nil)
			}
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
		}
		if _, err := l.config.Work.Put(ctx, checkpointKey, s.checkpoint, nil); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	l.mu.Lock()
	l.pub.size = s.size
	l.mu.Unlock()
	return l.tidy(ctx, s.size, tiles)
}

// publishedSize returns the size in the published checkpoint, 0 if there is none
// of ours.
func (l *Log) publishedSize(ctx context.Context) (uint64, error) {
	signed, _, err := store.ReadAll(ctx, l.config.Work, checkpointKey, maxObject)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	t, err := l.keys.open(signed)
	if err != nil {
		return 0, nil // rubbish, to be replaced
	}
	return uint64(t.N), nil
}

// partialTiles returns the tiles of a tree that are not full.
func partialTiles(size uint64) []tlog.Tile {
	var tiles []tlog.Tile
	add := func(level int, n uint64) {
		if w := n % width; w > 0 {
			tiles = append(tiles, tlog.Tile{H: height, L: level, N: int64(n / width), W: int(w)})
		}
	}
	add(entriesLevel, size)
	for level, n := 0, size; n > 0; level, n = level+1, n/width {
		add(level, n)
	}
	return tiles
}

// tidy removes partial tiles that a tree of that size has no use for: those of
// our last publication and, once, those that others left.
func (l *Log) tidy(ctx context.Context, size uint64, current []tlog.Tile) error {
	old := l.pub.partials
	if !l.pub.tidied {
		for info, err := range l.config.Work.List(ctx, tilePrefix, nil) {
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			if t, err := parseTilePath(info.Key[len("ledger/"):]); err == nil {
				old = append(old, t)
			}
		}
	}
	for _, t := range old {
		if t.N*width+int64(t.W) < int64(size)>>(height*max(t.L, 0)) {
			if err := l.config.Work.Delete(ctx, tileKey(t)); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
		}
	}
	l.pub.partials, l.pub.tidied = current, true
	return nil
}
