package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

func TestPasses(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{io.ErrUnexpectedEOF, true},
		{errors.New("connection refused"), true},
		{&api.Problem{Status: 503}, true},
		{&api.Problem{Status: 429}, true},
		{&api.Problem{Status: 408}, true},
		{fmt.Errorf("x: %w", &api.Problem{Status: 500}), true},
		{&api.Problem{Status: 500, Code: "staged-corrupt"}, false},
		{&api.Problem{Status: 409}, false},
		{&api.Problem{Status: 422}, false},
		{&dossier.ValidationError{}, false},
		{&fs.PathError{Err: fs.ErrNotExist}, false},
		{usagef("x"), false},
	} {
		if got := passes(t.Context(), tt.err); got != tt.want {
			t.Errorf("%#v: %t", tt.err, got)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if passes(ended, io.ErrUnexpectedEOF) {
		t.Error("asked to stop, it goes on")
	}
	if !broken(t.Context(), &api.Problem{Status: 409, Code: "offset"}) || broken(t.Context(), &api.Problem{Status: 409, Code: "conflict"}) {
		t.Error("a conflict about the offset is one, and another is none")
	}
}

func TestBackOff(t *testing.T) {
	for try, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if got := backOff(try); got != want {
			t.Errorf("%d: %s", try, got)
		}
	}
}

func TestCandidates(t *testing.T) {
	for name, want := range map[string]bool{"1.zip": true, "ho-so": true, ".x.zip": false, "1.zip.part": false, "x.TMP": false, doneFolder: false, failedFolder: false, stateFolder: false} {
		if candidate(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

func TestParcelChanges(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mark := func() string {
		t.Helper()
		x, err := parcelOf(dir)
		if err != nil {
			t.Fatal(err)
		}
		return x.mark
	}
	write("a", "x")
	first := mark()
	if mark() != first {
		t.Error("nothing changed, and the mark did")
	}
	write("b", "y")
	second := mark()
	if err := os.Chtimes(filepath.Join(dir, "b"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if third := mark(); first == second || second == third {
		t.Errorf("%s, %s, %s", first, second, third)
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x", "journal")
	clock := func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }
	open := func() *journal {
		t.Helper()
		j, err := openJournal(path, clock)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	x, y := &parcel{path: "x", mark: "1"}, &parcel{path: "y", mark: "1"}
	j := open()
	if err := errors.Join(j.uploading(x, "/v1/uploads/a"), j.note(y, stateFailed, nil), j.note(x, stateArchived, &archive.Receipt{Code: "c", Dossier: "d"}), j.close()); err != nil {
		t.Fatal(err)
	}
	j = open()
	if !j.has(x) || j.has(y) || j.has(&parcel{path: "x", mark: "2"}) || !j.kept() {
		t.Errorf("got %+v", j.notes)
	}
	if n, ok := j.of(y); !ok || n.State != stateFailed {
		t.Errorf("got %+v", n)
	}
	j.forget(x)
	if j.has(x) {
		t.Error("not forgotten")
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || bytes.Count(b, []byte("\n")) != 2 {
		t.Errorf("superseded lines are left: %s, %v", b, err)
	}
}

// FuzzJournal reads anything as a journal: what is accepted stays the same when
// it is written anew.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"path":"/x","mark":"1","state":"archived","time":"2026-11-24T00:00:00Z"}` + "\n"))
	f.Add([]byte(`{"path":"/x","mark":"1"}` + "\n" + `{"pa`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(path, time.Now)
		if err != nil {
			return
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		again, err := openJournal(path, time.Now)
		if err != nil || !reflect.DeepEqual(j.notes, again.notes) {
			t.Errorf("got %v, then %v, %v", j.notes, again, err)
			return
		}
		if err := again.close(); err != nil {
			t.Fatal(err)
		}
	})
}
