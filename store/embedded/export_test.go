package embedded

import (
	"bytes"
	"io"
)

// SmallSegments makes a server turn the segments of its log all the time.
func SmallSegments(c Config) Config {
	c.segment = 256 << 10
	return c
}

// The parsers, for fuzzing.
var (
	Escape   = escape
	Unescape = unescape
)

// Reparse parses changes and encodes them again.
func Reparse(b []byte) ([]byte, error) {
	var out []byte
	for len(b) > 0 {
		var c change
		var err error
		if c, b, err = parseChange(b); err != nil {
			return nil, err
		}
		out = appendChange(out, c)
	}
	return out, nil
}

// Reframe parses a frame and encodes it again.
func Reframe(b []byte) ([]byte, int, bool) {
	f, n, ok := parseFrame(b)
	if !ok {
		return nil, 0, false
	}
	return encodeFrame(f.number, f.changes), n, true
}

// Frame returns an encoded frame with one write.
func Frame(number uint64, path, data string) []byte {
	return encodeFrame(number, appendChange(nil, change{op: opWrite, path: path, data: []byte(data)}))
}

// FrameOf returns an encoded frame with a change.
func FrameOf(number uint64, s Step) []byte { return encodeFrame(number, appendChange(nil, s.change())) }

// Segment returns a segment with a header and frames.
func Segment(first uint64, frames ...[]byte) []byte {
	return append(encodeHeader(first), bytes.Join(frames, nil)...)
}

// ReadRecord reads the record at the end of a file, and encodes it again.
func ReadRecord(r io.ReaderAt, size int64) (data int64, tail []byte, err error) {
	rec, err := readRecord(r, size)
	if err != nil {
		return 0, nil, err
	}
	tail, err = rec.tail()
	return rec.Size, tail, err
}

// Tail returns the record of an object of some size.
func Tail(key string, size int64) ([]byte, error) { return (&record{Key: key, Size: size}).tail() }

// Step is a change, for tests that apply them.
type Step struct {
	Op   string // write, link, splice, remove, removeall
	Path string
	From string
	Off  int64
	Data string
}

func (s Step) change() change {
	ops := map[string]op{"write": opWrite, "link": opLink, "splice": opSplice, "remove": opRemove, "removeall": opRemoveAll}
	return change{op: ops[s.Op], path: s.Path, from: s.From, off: s.Off, data: []byte(s.Data)}
}

// Apply makes changes in the tree below dir, as a replay of the log or as
// requests do.
func Apply(dir string, replay bool, steps ...Step) error {
	var changes []change
	for _, s := range steps {
		changes = append(changes, s.change())
	}
	if replay {
		changes = lasting(changes)
	}
	for _, c := range changes {
		if err := apply(dir, c, replay); err != nil {
			return err
		}
	}
	return nil
}

// Together returns a function that shares runs of f.
func Together(f func() error) func() error { return newTogether(f).do }
