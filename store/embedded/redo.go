package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The redo log is two files, segments, used in turn. A segment is a header of
// one sector and frames, each beginning at a sector of its own, so that no
// sector that holds acknowledged changes is ever written again while they
// matter. A frame holds the changes of all requests that arrived while the
// frame before it was being synced.
//
// header: magic, first [8]: frames numbered below first are of no account; CRC-32C
// frame:  magic, length of the changes [4], number [8], CRC-32C of all of it; changes
const (
	sector       = 512
	headerMagic  = "luutru redo log\n"
	headerSize   = 16 + 8 + 4
	frameMagic   = "lrf1"
	frameSize    = 4 + 4 + 8 + 4
	maxFrame     = 1 << 30
	growSegment  = 1 << 20
	fullSegment  = 8 << 20
	retireEvery  = 5 * time.Second
	segmentCount = 2
)

// redoLog makes changes durable, then visible. Its lock orders everything but
// the writing of frames, which the one flushing request does alone.
type redoLog struct {
	dir  string
	root *os.File
	full int64 // no frame is added to a segment of this size
	stop chan struct{}
	jobs sync.WaitGroup

	mu       sync.Mutex
	cond     *sync.Cond
	open     *frame // collects changes
	flushing bool
	active   *segment
	spare    *segment
	next     uint64 // number of the next frame
	err      error  // the first failure; nothing is acknowledged after it
}

// frame is the changes of one write to the log and who waits for it.
type frame struct {
	changes []byte
	waiting int
	done    bool
	seg     *segment
}

type segment struct {
	f       *os.File
	number  uint64   // of the first frame found when opened, 0 if none
	size    int64    // allocated
	end     int64    // where the next frame goes
	pending int      // requests whose changes are not all in the tree yet
	retired bool     // free to be written from the start
	spent   []string // staging files to remove when retired
}

var errClosed = errors.New("redo log closed")

// openLog replays the log in dir and makes it ready for new changes.
func openLog(dir string, full int64) (_ *redoLog, err error) {
	l := &redoLog{dir: dir, full: full, open: new(frame), stop: make(chan struct{}), next: 1}
	l.cond = sync.NewCond(&l.mu)
	if l.root, err = os.Open(dir); err != nil {
		return nil, err
	}
	segs := make([]*segment, segmentCount)
	defer func() {
		if err == nil {
			return
		}
		for _, s := range segs {
			if s != nil {
				err = errors.Join(err, s.f.Close())
			}
		}
		err = errors.Join(err, l.root.Close())
	}()
	var frames []replayed
	for i := range segs {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("log.%d", i)), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		segs[i] = &segment{f: f, retired: true}
		more, first, err := segs[i].read()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, f.Name(), err)
		}
		frames = append(frames, more...)
		l.next = max(l.next, first)
	}
	if err := l.recover(segs, frames); err != nil {
		return nil, err
	}
	l.active, l.spare = segs[0], segs[1]
	l.jobs.Go(l.retireInTime)
	return l, nil
}

// recover does what the frames say and voids them.
func (l *redoLog) recover(segs []*segment, frames []replayed) error {
	if err := l.replay(frames); err != nil {
		return err
	}
	// The older first: if this ends half way, the newer frames alone still
	// lead to the right tree, the older ones alone would not.
	slices.SortFunc(segs, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	for _, s := range segs {
		if err := s.reset(l.next); err != nil {
			return err
		}
	}
	return errors.Join(cleanStaging(l.dir), syncDir(l.dir))
}

// replayed is a frame read back.
type replayed struct {
	number  uint64
	changes []byte
}

// replay brings the tree to the state the frames describe and syncs it.
func (l *redoLog) replay(frames []replayed) error {
	slices.SortFunc(frames, func(a, b replayed) int { return cmp.Compare(a.number, b.number) })
	var changes []change
	for i, f := range frames {
		if i > 0 && f.number != frames[i-1].number+1 {
			return fmt.Errorf("%w: frame %d missing", ErrDamaged, frames[i-1].number+1)
		}
		l.next = max(l.next, f.number+1)
		for rest := f.changes; len(rest) > 0; {
			var c change
			var err error
			if c, rest, err = parseChange(rest); err != nil {
				return fmt.Errorf("%w: frame %d: %w", ErrDamaged, f.number, err)
			}
			changes = append(changes, c)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	for _, c := range lasting(changes) {
		if err := apply(l.dir, c, true); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	return syncTree(l.root)
}

// commit makes the changes durable, all or none, and then applies them. The
// caller holds the locks of all their paths.
func (l *redoLog) commit(changes ...change) error {
	seg, err := l.append(changes)
	if err != nil {
		return err
	}
	var spent []string
	for _, c := range changes {
		if err := apply(l.dir, c, false); err != nil {
			// Durable but not visible: only a replay can mend that, so
			// nothing may be built on it before.
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.fail(err)
		}
		if c.op == opLink {
			spent = append(spent, c.from)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seg.spent = append(seg.spent, spent...)
	if seg.pending--; seg.pending == 0 {
		l.cond.Broadcast()
	}
	return nil
}

// append returns when the changes are on stable storage.
func (l *redoLog) append(changes []change) (*segment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	fr := l.open
	for _, c := range changes {
		fr.changes = appendChange(fr.changes, c)
	}
	fr.waiting++
	for !fr.done && l.err == nil {
		if l.flushing {
			l.cond.Wait()
		} else {
			l.flush()
		}
	}
	if !fr.done {
		return nil, l.err
	}
	return fr.seg, nil
}

// flush writes the open frame. It holds the lock on entry and return only.
func (l *redoLog) flush() {
	l.flushing = true
	defer func() { l.flushing = false; l.cond.Broadcast() }()
	if l.active.end >= l.full && !l.turn() {
		return
	}
	fr, seg, number := l.open, l.active, l.next
	l.open = new(frame)
	l.next++
	seg.pending += fr.waiting
	fr.seg = seg
	l.mu.Unlock()
	err := seg.write(encodeFrame(number, fr.changes))
	l.mu.Lock()
	if err != nil {
		l.fail(fmt.Errorf("write redo log: %w", err))
		return
	}
	fr.done = true
}

// turn makes the spare segment the active one, as soon as it is retired, and
// has the other retired. It reports false when the log has failed.
func (l *redoLog) turn() bool {
	for !l.spare.retired && l.err == nil {
		l.cond.Wait()
	}
	if l.err != nil {
		return false
	}
	l.active, l.spare = l.spare, l.active
	l.active.retired = false
	full, next := l.spare, l.next
	l.jobs.Go(func() { l.retire(full, next) })
	return true
}

// retire syncs the tree and frees a segment no frame will be added to. next
// is the number of the first frame that is not in it.
func (l *redoLog) retire(seg *segment, next uint64) {
	l.mu.Lock()
	for seg.pending > 0 && l.err == nil {
		l.cond.Wait()
	}
	failed := l.err != nil
	l.mu.Unlock()
	if failed {
		return // what is in it must be replayed
	}
	err := syncTree(l.root)
	if err == nil {
		err = seg.reset(next)
	}
	for _, name := range seg.spent {
		if err == nil {
			err = os.Remove(filepath.Join(l.dir, name))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.fail(fmt.Errorf("retire redo log: %w", err))
		return
	}
	seg.spent, seg.retired = nil, true
	l.cond.Broadcast()
}

// retireInTime retires segments before they are full, so that the log does
// not keep the bytes of a deleted object for long, nor staging files space.
func (l *redoLog) retireInTime() {
	t := time.NewTicker(retireEvery)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-t.C:
			l.mu.Lock()
			for l.flushing {
				l.cond.Wait()
			}
			if l.err == nil && l.active.end > sector && l.spare.retired {
				l.turn()
			}
			l.mu.Unlock()
		}
	}
}

// fail records the first failure and returns it.
func (l *redoLog) fail(err error) error {
	if l.err == nil {
		l.err = err
		l.cond.Broadcast()
	}
	return l.err
}

// close retires everything. No commit may be running or follow.
func (l *redoLog) close() error {
	close(l.stop)
	l.mu.Lock()
	for l.flushing {
		l.cond.Wait()
	}
	if l.err == nil && l.active.end > sector {
		l.turn()
	}
	l.mu.Unlock()
	l.jobs.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	l.fail(errClosed)
	for _, s := range []*segment{l.active, l.spare} {
		if err == nil {
			err = s.f.Truncate(growSegment) // the next start reads less
		}
		err = errors.Join(err, s.f.Close())
	}
	return errors.Join(err, l.root.Close())
}

// reset voids the frames numbered below next and zeroes them. The header
// alone voids them; the zeros are there because a deleted object's bytes
// should not outlive it.
func (s *segment) reset(next uint64) error {
	if _, err := s.f.WriteAt(encodeHeader(next), 0); err != nil {
		return err
	}
	if err := syncData(s.f); err != nil {
		return err
	}
	if err := s.zero(sector, s.end); err != nil {
		return err
	}
	s.end = sector
	if s.size < growSegment {
		if err := s.zero(max(s.size, sector), growSegment); err != nil {
			return err
		}
		s.size = growSegment
	}
	return syncData(s.f)
}

// zero writes zeros, so that the blocks are allocated and frames written
// there later need no journal commit of the file system.
func (s *segment) zero(from, to int64) error {
	zeros := make([]byte, 64<<10)
	for from < to {
		n, err := s.f.WriteAt(zeros[:min(to-from, int64(len(zeros)))], from)
		if err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}

// write appends an encoded frame and syncs it.
func (s *segment) write(data []byte) error {
	if end := s.end + int64(len(data)); end > s.size {
		size := (end/growSegment + 1) * growSegment
		if err := s.zero(s.size, size); err != nil {
			return err
		}
		s.size = size
	}
	if _, err := s.f.WriteAt(data, s.end); err != nil {
		return err
	}
	s.end += int64(len(data))
	return syncData(s.f)
}

func encodeFrame(number uint64, changes []byte) []byte {
	b := make([]byte, 0, (frameSize+len(changes)+sector-1)/sector*sector)
	b = append(b, frameMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(changes)))
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint32(b, frameSum(b, changes))
	return append(b, changes...)[:cap(b)]
}

// frameSum is the checksum over the head of a frame and its changes.
func frameSum(head, changes []byte) uint32 {
	return castagnoli(append(binary.BigEndian.AppendUint32(nil, castagnoli(head)),
		binary.BigEndian.AppendUint32(nil, castagnoli(changes))...))
}

// parseFrame decodes the frame at the start of b and returns how many bytes it
// occupies; false when there is none.
func parseFrame(b []byte) (replayed, int, bool) {
	if len(b) < frameSize || string(b[:4]) != frameMagic {
		return replayed{}, 0, false
	}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if n > maxFrame || frameSize+n > len(b) {
		return replayed{}, 0, false
	}
	changes := b[frameSize : frameSize+n]
	if binary.BigEndian.Uint32(b[16:]) != frameSum(b[:16], changes) {
		return replayed{}, 0, false
	}
	return replayed{number: binary.BigEndian.Uint64(b[8:]), changes: changes}, (frameSize + n + sector - 1) / sector * sector, true
}

// read returns the frames that are not void and the number below which frames
// are. It is called once, when the segment has been opened.
func (s *segment) read() ([]replayed, uint64, error) {
	data, err := io.ReadAll(io.NewSectionReader(s.f, 0, 1<<40))
	if err != nil {
		return nil, 0, err
	}
	s.size = int64(len(data))
	s.end = int64(len(bytes.TrimRight(data, "\x00")))
	first, ok := parseHeader(data)
	if !ok {
		// A crash while the file was new leaves nothing or zeros in it.
		if s.end > 0 {
			return nil, 0, errors.New("no header")
		}
		return nil, 0, nil
	}
	frames, err := readFrames(data[min(sector, len(data)):], first)
	if len(frames) > 0 {
		s.number = frames[0].number
	}
	return frames, first, err
}

func encodeHeader(first uint64) []byte {
	b := append(make([]byte, 0, sector), headerMagic...)
	b = binary.BigEndian.AppendUint64(b, first)
	return binary.BigEndian.AppendUint32(b, castagnoli(b))[:sector]
}

func parseHeader(b []byte) (uint64, bool) {
	if len(b) < headerSize || string(b[:16]) != headerMagic || binary.BigEndian.Uint32(b[24:]) != castagnoli(b[:24]) {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[16:]), true
}

// readFrames reads frames that follow each other from the start of b. A frame
// after the end of these is one whose predecessor was acknowledged and is
// lost, since frames are written one after the other.
func readFrames(b []byte, first uint64) ([]replayed, error) {
	var frames []replayed
	for {
		fr, n, ok := parseFrame(b)
		if !ok || fr.number < first || len(frames) > 0 && fr.number != frames[len(frames)-1].number+1 {
			break
		}
		frames = append(frames, fr)
		b = b[min(n, len(b)):]
	}
	for ; len(b) > 0; b = b[min(sector, len(b)):] {
		if fr, _, ok := parseFrame(b); ok && fr.number >= first {
			return nil, fmt.Errorf("frame %d follows a hole", fr.number)
		}
	}
	return frames, nil
}

// cleanStaging removes the staging files no change can need any more.
func cleanStaging(dir string) error {
	names, err := os.ReadDir(filepath.Join(dir, "staging"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range names {
		if err := os.Remove(filepath.Join(dir, "staging", e.Name())); err != nil {
			return err
		}
	}
	return nil
}
