package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
)

// Folders in a watched folder.
const (
	doneFolder   = "done"
	failedFolder = "failed"
	stateFolder  = ".luutru"
)

// sighting is a parcel in a watched folder, as it was seen last.
type sighting struct {
	mark  string
	since time.Time // unchanged
	tries int       // that failed by what passes
	next  time.Time // not to be tried before
}

// watchFolder pushes what is put into a folder. What was done is in the folder
// itself: a parcel that is still there is pushed, and the archive gives the
// same receipt again to what it has already; so the program can be killed at
// any time and started again.
func (p *pusher) watchFolder(ctx context.Context) (err error) {
	for _, name := range []string{doneFolder, failedFolder, stateFolder} {
		if err := os.MkdirAll(filepath.Join(p.watch, name), 0o755); err != nil {
			return err
		}
	}
	if p.done, err = openJournal(filepath.Join(p.watch, stateFolder, "journal"), p.now); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.done.close()) }()
	p.bar = io.Discard
	p.say("Theo dõi %[1]s; Ctrl-C để dừng · Watching %[1]s; Ctrl-C to stop", p.watch)
	seen := map[string]*sighting{}
	for {
		ready, waiting, err := p.look(seen)
		if err != nil {
			return err
		}
		each(ctx, p.jobs, ready, func(x *parcel) {
			if err := p.take(ctx, x, seen[filepath.Base(x.path)]); err != nil {
				p.say("%s: %s", x.path, err)
			}
		})
		if ctx.Err() != nil {
			return nil // asked to stop
		}
		if p.once && len(ready)+waiting == 0 {
			p.say("%d đã nhận lưu, %d lỗi · %[1]d archived, %[2]d failed", p.archived, p.failed)
			return p.verdict(seen)
		}
		if len(ready) == 0 {
			_ = sleep(ctx, p.every)
		}
	}
}

// verdict is the error of a run that is over though something failed, or is
// left.
func (p *pusher) verdict(seen map[string]*sighting) error {
	for name, s := range seen {
		if s.tries >= p.tries {
			return fmt.Errorf("%s: chưa nộp được, chạy lại sau · not pushed yet, run again later", name)
		}
	}
	if p.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d hồ sơ bị từ chối, xem %[2]s · %[1]d dossiers were refused, see %[2]s", p.failed, filepath.Join(p.watch, failedFolder))
}

// look finds the parcels that have not changed for a while, and counts those
// that have to wait.
func (p *pusher) look(seen map[string]*sighting) (ready []*parcel, waiting int, err error) {
	entries, err := os.ReadDir(p.watch)
	if err != nil {
		return nil, 0, err
	}
	now := p.now()
	present := map[string]bool{}
	for _, e := range entries {
		if !candidate(e.Name()) {
			continue
		}
		x, err := parcelOf(filepath.Join(p.watch, e.Name()))
		if err != nil {
			waiting++ // just being moved, or not readable yet
			continue
		}
		present[e.Name()] = true
		s := seen[e.Name()]
		if s == nil || s.mark != x.mark {
			s = &sighting{mark: x.mark, since: now}
			seen[e.Name()] = s
		}
		if p.once && s.tries >= p.tries {
			continue
		}
		if now.Sub(s.since) < p.settle || now.Before(s.next) {
			waiting++
			continue
		}
		ready = append(ready, x)
	}
	for name := range seen {
		if !present[name] {
			delete(seen, name)
		}
	}
	return ready, waiting, nil
}

// candidate reports whether a name in a watched folder may be a parcel's, and
// not that of our own files or of one that is still being written.
func candidate(name string) bool {
	if strings.HasPrefix(name, ".") || name == doneFolder || name == failedFolder {
		return false
	}
	return !slices.Contains([]string{".part", ".partial", ".tmp", ".crdownload", ".filepart"}, strings.ToLower(filepath.Ext(name)))
}

// take pushes a parcel and moves it where it belongs. What may pass leaves it
// in its place, for later.
func (p *pusher) take(ctx context.Context, x *parcel, s *sighting) error {
	receipt, err := p.push(ctx, x)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && passes(ctx, err):
		s.tries++
		s.next = p.now().Add(backOff(s.tries))
		return fmt.Errorf("%s\n  thử lại sau %[2]s · trying again in %[2]s", firstLine(err), backOff(s.tries))
	case err != nil:
		p.count(&p.failed)
		return errors.Join(err, p.move(x, failedFolder, func(path string) error { return writeProblems(path, err) }))
	}
	p.count(&p.archived)
	if err := p.received(receipt); err != nil {
		return err
	}
	return p.move(x, doneFolder, func(path string) error { return keepReceipt(path, receipt) })
}

func keepReceipt(path string, receipt *archive.Receipt) error {
	b, err := receipt.Encode()
	if err != nil {
		return err
	}
	return writeFile(path+receiptFile, b, 0o644)
}

// move puts a parcel into another folder, its report first: where the program
// dies in between, the parcel is still there to be taken again.
func (p *pusher) move(x *parcel, folder string, report func(path string) error) error {
	to := filepath.Join(p.watch, folder, filepath.Base(x.path))
	if _, err := os.Lstat(to); err == nil { // an earlier one of this name
		to += p.now().UTC().Format(".20060102T150405.000000000Z")
	}
	if err := report(to); err != nil {
		return err
	}
	if err := os.Rename(x.path, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.done.forget(x)
	return nil
}
