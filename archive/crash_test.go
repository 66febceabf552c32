package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

var errInjected = errors.New("injected fault")

// TestCrash breaks every store call of every operation in turn, before and after
// its effect, as if the process had died there; then it opens the archive anew,
// repeats the operation and checks everything.
func TestCrash(t *testing.T) {
	for _, op := range operations {
		for _, applied := range []bool{false, true} {
			for n := 1; ; n++ {
				reached := false
				t.Run(fmt.Sprintf("%s/%d/applied=%v", op.name, n, applied), func(t *testing.T) {
					reached = crash(t, op, n, applied)
				})
				if !reached {
					break
				}
			}
		}
	}
}

// operation is something that may be cut short, and then be done again.
type operation struct {
	name    string
	prepare func(t *testing.T, a *archive.Archive) string
	run     func(ctx context.Context, a *archive.Archive, arg string) error
	// done says that an error on repetition means that it was done.
	done error
	// group says that the dossier is one of a group, of which another member is
	// there from the beginning.
	group bool
}

// submit pushes the dossier of an operation, code(1).
func (op operation) submit(ctx context.Context, a *archive.Archive) error {
	d, c := submission(code(1), usual)
	if op.group {
		d.Group = family
	}
	_, err := a.Ingest(ctx, portal, d, c)
	return err
}

var operations = []operation{
	{name: "Ingest", prepare: nothing, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		d, c := submission(code(1), usual)
		_, err := a.Ingest(ctx, portal, d, c)
		return err
	}},
	{name: "Retrieve", prepare: one, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		c, err := a.Retrieve(ctx, inspector, code(1), "thanh tra")
		if err != nil {
			return err
		}
		_, err = c.WriteTo(io.Discard)
		return errors.Join(err, c.Close())
	}},
	{name: "Hold", prepare: one, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		_, err := a.Hold(ctx, archivist, code(1), "khiếu nại")
		return err
	}},
	{name: "Destroy", done: archive.ErrDestroyed, prepare: func(t *testing.T, a *archive.Archive) string {
		one(t, a)
		return decided(t, a, code(1))
	}, run: func(ctx context.Context, a *archive.Archive, name string) error {
		_, err := a.Execute(ctx, executor, name)
		return err
	}},
	{name: "IngestMember", group: true, prepare: sibling, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		return operation{group: true}.submit(ctx, a)
	}},
	{name: "HoldMember", group: true, prepare: both, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		_, err := a.Hold(ctx, archivist, code(1), "khiếu nại")
		return err
	}},
	{name: "DestroyGroup", group: true, done: archive.ErrDestroyed, prepare: func(t *testing.T, a *archive.Archive) string {
		both(t, a)
		return decided(t, a, code(1))
	}, run: func(ctx context.Context, a *archive.Archive, name string) error {
		_, err := a.Execute(ctx, executor, name)
		return err
	}},
	{name: "SetPolicy", prepare: one, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		p, err := a.Policy(ctx)
		if err != nil {
			return err
		}
		return a.SetPolicy(ctx, archivist, p)
	}},
	{name: "Propose", prepare: one, run: func(ctx context.Context, a *archive.Archive, _ string) error {
		_, err := a.Propose(ctx, archivist, []string{code(1)}, "hết hạn")
		return err
	}},
}

func nothing(*testing.T, *archive.Archive) string { return "" }

func one(t *testing.T, a *archive.Archive) string {
	ingest(t, a, code(1))
	return ""
}

// family is the code of a group of interconnected dossiers.
const family = "G22-LT-280301-77"

// sibling pushes code(9) as a member of the group.
func sibling(t *testing.T, a *archive.Archive) string {
	t.Helper()
	d, c := submission(code(9), usual)
	d.Group, d.Agency = family, "H29.12"
	if _, err := a.Ingest(t.Context(), portal, d, c); err != nil {
		t.Fatal(err)
	}
	return ""
}

func both(t *testing.T, a *archive.Archive) string {
	t.Helper()
	sibling(t, a)
	if err := (operation{group: true}).submit(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return ""
}

// crash runs the operation and kills the process at its nth store call. It
// reports whether the operation made that many.
func crash(t *testing.T, op operation, n int, applied bool) (reached bool) {
	w := newWorld(t)
	quiet := func(a *archive.Archive) {
		if err := errors.Join(a.Ready(t.Context()), a.Indexed(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	a, err := archive.Open(t.Context(), w.config(t))
	if err != nil {
		t.Fatal(err)
	}
	arg := op.prepare(t, a)
	quiet(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	var calls atomic.Int64
	var armed atomic.Bool
	call := func(string, string) (bool, error) {
		if !armed.Load() {
			return true, nil
		}
		switch k := calls.Add(1); {
		case k < int64(n):
			return true, nil
		case k == int64(n):
			return applied, errInjected
		}
		return false, errInjected // dead
	}
	broken := w.other(t, "a")
	faulty := func(s store.Store) store.Store { return storetest.Faulty{Store: s, OnCall: call} }
	broken.buckets = buckets{faulty(w.archive), faulty(w.keys), faulty(w.work)}
	doomed, err := archive.Open(t.Context(), broken.config(t))
	if err != nil {
		t.Fatal(err)
	}
	quiet(doomed)
	armed.Store(true)
	err = op.run(t.Context(), doomed, arg)
	reached = calls.Load() >= int64(n)
	switch {
	case !reached && err != nil:
		t.Fatal(err)
	case !reached:
		armed.Store(false)
	}
	doomed.Close()

	w.index = newIndex(t) // a node is thrown away with its index
	again := w.open(t)
	quiet(again)
	if err := op.run(t.Context(), again, arg); err != nil && (op.done == nil || !errors.Is(err, op.done)) {
		t.Errorf("again: %v", err)
	}
	together(t, again, op)
	return reached
}
