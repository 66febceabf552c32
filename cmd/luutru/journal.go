package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/luutru/luutru/archive"
)

// States of a parcel in the journal.
const (
	stateArchived  = "archived"
	stateFailed    = "failed"
	stateUploading = "uploading"
)

// note is a line of the journal: the newest of a path counts.
type note struct {
	Path    string    `json:"path"`
	Mark    string    `json:"mark"` // of the files, as they were
	State   string    `json:"state"`
	Upload  string    `json:"upload,omitempty"` // where it is being uploaded to
	Dossier string    `json:"dossier,omitempty"`
	Code    string    `json:"code,omitempty"`
	Time    time.Time `json:"time"`
}

// journal remembers, over crashes, what became of parcels. Without a path it
// remembers for as long as the program runs.
type journal struct {
	now func() time.Time

	mu    sync.Mutex
	file  *os.File // nil: not on disk
	notes map[string]note
}

// openJournal reads a journal and writes it anew without what has been
// superseded. A last line without an end, which a crash left, does not count.
func openJournal(path string, now func() time.Time) (*journal, error) {
	j := &journal{now: now, notes: map[string]note{}}
	if path == "" {
		return j, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	old, err := os.Open(path)
	if err == nil {
		err = errors.Join(j.read(old), old.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var b bytes.Buffer
	for key, n := range j.notes {
		if _, err := os.Lstat(n.Path); n.State == stateUploading && errors.Is(err, fs.ErrNotExist) {
			delete(j.notes, key) // it was moved away when it was done
			continue
		}
		line, err := json.Marshal(n)
		if err != nil {
			return nil, err
		}
		b.Write(append(line, '\n'))
	}
	if err := writeFile(path, b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	return j, err
}

func (j *journal) read(r io.Reader) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var n note
		if err := json.Unmarshal(line, &n); err != nil || n.Path == "" {
			return errors.New("không phải nhật ký nộp · not a journal of push")
		}
		j.notes[n.Path] = n
	}
}

// of returns what is known of a parcel whose files are still the same.
func (j *journal) of(x *parcel) (note, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, ok := j.notes[j.key(x)]
	return n, ok && n.Mark == x.mark
}

func (j *journal) key(x *parcel) string {
	if path, err := filepath.Abs(x.path); err == nil {
		return path
	}
	return x.path
}

// has reports whether a parcel has its receipt.
func (j *journal) has(x *parcel) bool {
	n, ok := j.of(x)
	return ok && n.State == stateArchived
}

// note writes down what became of a parcel.
func (j *journal) note(x *parcel, state string, receipt *archive.Receipt) error {
	n := note{Path: j.key(x), Mark: x.mark, State: state, Time: j.now().UTC()}
	if receipt != nil {
		n.Dossier, n.Code = receipt.Dossier, receipt.Code
	}
	return j.write(n)
}

// uploading writes down where a parcel is being uploaded to.
func (j *journal) uploading(x *parcel, upload string) error {
	return j.write(note{Path: j.key(x), Mark: x.mark, State: stateUploading, Upload: upload, Time: j.now().UTC()})
}

func (j *journal) write(n note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes[n.Path] = n
	if j.file == nil {
		return nil
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// forget drops what is known of a parcel; on disk it goes with the next start.
func (j *journal) forget(x *parcel) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.notes, j.key(x))
}

// kept reports whether the journal outlives the program.
func (j *journal) kept() bool { return j.file != nil }

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
