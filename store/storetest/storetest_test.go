package storetest_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/storetest"
)

// TestFaultless: a Faulty without faults is the store in it.
func TestFaultless(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Store {
		return storetest.Faulty{Store: store.NewMemory(store.MemoryOptions{Versioned: true, Now: time.Now})}
	})
}

func TestFaultlessPlain(t *testing.T) {
	storetest.TestPlain(t, func(*testing.T) store.Store {
		return &storetest.Faulty{
			Store:  store.NewMemory(store.MemoryOptions{Now: time.Now}),
			OnCall: func(string, string) (bool, error) { return true, nil },
		}
	})
}

// TestFaults makes every call fail before and after its effect.
func TestFaults(t *testing.T) {
	fault := errors.New("fault")
	for _, apply := range []bool{false, true} {
		var ops []string
		memory := store.NewMemory(store.MemoryOptions{Versioned: true})
		failing := ""
		f := storetest.Faulty{Store: memory, OnCall: func(op, key string) (bool, error) {
			if key != "a" {
				t.Errorf("%s: key %q", op, key)
			}
			ops = append(ops, op)
			if op == failing {
				return apply, fault
			}
			return false, nil
		}}
		for _, op := range []string{"put", "get", "list", "lock", "hold", "locked", "delete", "create", "part", "complete", "abort"} {
			failing = op
			if err := exercise(t, f, op); !errors.Is(err, fault) {
				t.Errorf("%s, apply %v: error %v", op, apply, err)
			}
			if op == "put" || op == "complete" {
				_, _, err := memory.Get(t.Context(), "a", nil)
				if (err == nil) != apply {
					t.Errorf("%s, apply %v: the object: %v", op, apply, err)
				}
			}
			if lock, err := memory.Locked(t.Context(), "a", ""); op == "hold" && (err != nil || lock.Hold != apply) {
				t.Errorf("hold, apply %v: %+v, %v", apply, lock, err)
			}
			memory.Hold(t.Context(), "a", "", false)
			memory.Delete(t.Context(), "a")
		}
		want := []string{"put", "get", "list", "lock", "hold", "locked", "delete",
			"create", "create", "part", "create", "part", "complete", "create", "part", "abort"}
		if !slices.Equal(ops, want) {
			t.Errorf("calls %q", ops)
		}
	}
}

// exercise calls one operation on the key "a", with what must precede it done
// past the faults where that is not an upload.
func exercise(t *testing.T, f storetest.Faulty, op string) error {
	t.Helper()
	ctx := t.Context()
	if slices.Contains([]string{"get", "list", "lock", "hold", "locked", "delete"}, op) {
		if _, err := f.Store.Put(ctx, "a", []byte("abcd"), nil); err != nil {
			t.Fatal(err)
		}
	}
	switch op {
	case "put":
		_, err := f.Put(ctx, "a", []byte("abcd"), nil)
		return err
	case "get":
		return readFaulty(t, f)
	case "list":
		n := 0
		for _, err := range f.List(ctx, "a", nil) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	case "lock":
		return f.Lock(ctx, "a", "", time.Time{})
	case "hold":
		return f.Hold(ctx, "a", "", true)
	case "locked":
		_, err := f.Locked(ctx, "a", "")
		return err
	case "delete":
		return f.Delete(ctx, "a")
	}
	u, err := f.Create(ctx, "a")
	if err != nil {
		return err
	}
	if err := u.Part(ctx, 1, []byte("abcd")); err != nil {
		return err
	}
	if op == "abort" {
		return u.Abort(ctx)
	}
	_, err = u.Complete(ctx)
	return err
}

func readFaulty(t *testing.T, f storetest.Faulty) error {
	t.Helper()
	r, _, err := f.Get(t.Context(), "a", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if string(data) != "ab" {
		t.Errorf("read %q before the fault", data)
	}
	return err
}

// TestUnsupported: a store that cannot upload or lock does not learn it here.
func TestUnsupported(t *testing.T) {
	f := storetest.Faulty{Store: struct{ store.Store }{store.NewMemory(store.MemoryOptions{})}}
	_, err := f.Create(t.Context(), "a")
	for _, err := range []error{err, f.Lock(t.Context(), "a", "", time.Time{}), f.Hold(t.Context(), "a", "", true)} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("error %v", err)
		}
	}
}
