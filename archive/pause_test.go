package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// TestPause stops a node before every store call of every operation, as SIGSTOP
// or a long garbage collection would, lets another node recover and do what it
// wants meanwhile, and then lets the first go on.
func TestPause(t *testing.T) {
	for _, op := range operations {
		for name, meanwhile := range meanwhiles {
			for n := 1; ; n++ {
				reached := false
				t.Run(fmt.Sprintf("%s/%s/%d", op.name, name, n), func(t *testing.T) {
					reached = pause(t, op, n, meanwhile)
				})
				if !reached {
					break
				}
			}
		}
	}
}

// meanwhiles are what happens while the node is paused.
var meanwhiles = map[string]func(t *testing.T, a *archive.Archive, op operation, arg string){
	"recovered": func(*testing.T, *archive.Archive, operation, string) {},
	"repeated": func(t *testing.T, a *archive.Archive, op operation, arg string) {
		if err := op.run(t.Context(), a, arg); err != nil && (op.done == nil || !errors.Is(err, op.done)) {
			t.Errorf("meanwhile: %v", err)
		}
	},
	"destroyed": func(t *testing.T, a *archive.Archive, op operation, arg string) {
		if err := gone(t, a, op, arg); err != nil {
			t.Errorf("meanwhile: %v", err)
		}
	},
}

// gone has the dossier destroyed, unless it is absent, held or destroyed.
func gone(t *testing.T, a *archive.Archive, op operation, name string) error {
	if name == "" {
		if err := op.submit(t.Context(), a); err != nil {
			return ignore(err, archive.ErrDestroyed)
		}
		r, err := a.Show(t.Context(), archivist, code(1))
		if err != nil || len(r.Holds) > 0 {
			return err
		}
		name = decided(t, a, code(1))
	}
	_, err := a.Execute(t.Context(), executor, name)
	return ignore(err, archive.ErrNotDue)
}

func ignore(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}

func pause(t *testing.T, op operation, n int, meanwhile func(*testing.T, *archive.Archive, operation, string)) (reached bool) {
	w := newWorld(t)
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	arg := op.prepare(t, a)
	if err := errors.Join(a.Indexed(t.Context()), a.Close()); err != nil {
		t.Fatal(err)
	}

	var calls atomic.Int64
	var armed atomic.Bool
	stopped, resume := make(chan struct{}), make(chan struct{})
	call := func(string, string) (bool, error) {
		if armed.Load() && calls.Add(1) == int64(n) {
			close(stopped)
			<-resume
		}
		return true, nil
	}
	slow := w.other(t, "a")
	faulty := func(s store.Store) store.Store { return storetest.Faulty{Store: s, OnCall: call} }
	slow.buckets = buckets{faulty(w.archive), faulty(w.keys), faulty(w.work)}
	paused, err := archive.Open(t.Context(), slow.config(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(paused.Ready(t.Context()), paused.Indexed(t.Context())); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	done := make(chan error, 1)
	go func() { done <- op.run(context.WithoutCancel(t.Context()), paused, arg) }()
	select {
	case <-stopped:
		reached = true
		other := w.other(t, "a").open(t) // takes the paused node for dead
		if err := other.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		meanwhile(t, other, op, arg)
		close(resume)
		err = <-done
	case err = <-done:
		armed.Store(false)
		close(resume) // what goes on behind the answer may have been stopped just now
	}
	outcome(t, w, op, err)
	if err := paused.Close(); err != nil {
		t.Error(err)
	}
	return reached
}

// outcome checks that what the paused node said is true: what it acknowledged
// is there, or was destroyed in order; and nothing came back.
func outcome(t *testing.T, w *world, op operation, said error) {
	w.index = newIndex(t)
	a := w.open(t)
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	together(t, a, op)
	c, err := a.Retrieve(t.Context(), inspector, code(1), "kiểm tra")
	switch {
	case err == nil:
		if strings.HasPrefix(op.name, "Destroy") && said == nil {
			t.Error("the dossier is back")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	case errors.Is(err, archive.ErrDestroyed):
		for _, o := range w.objects(t) {
			if strings.HasPrefix(o, "keys ") || strings.HasPrefix(o, "archive packages/") {
				t.Errorf("left of a destroyed dossier, or of its group: %s", o)
			}
		}
	case errors.Is(err, fs.ErrNotExist):
		if said == nil {
			t.Error("acknowledged and lost")
		}
	default:
		t.Error(err)
	}
}

// together checks that the members of a group went together, or not at all.
func together(t *testing.T, a *archive.Archive, op operation) {
	t.Helper()
	if !op.group {
		return
	}
	first, err := a.Show(t.Context(), archivist, code(1))
	if errors.Is(err, fs.ErrNotExist) {
		return // was never there
	}
	other, err2 := a.Show(t.Context(), archivist, code(9))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if (first.State == life.Gone) != (other.State == life.Gone) {
		t.Errorf("of a group one is %s, the other %s", first.State, other.State)
	}
}
