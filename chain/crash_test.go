package chain_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/store/storetest"
)

var errInjected = errors.New("injected fault")

// fault makes call n fail, before or after its effect, alone or with all that
// follow, as if the process had died.
type fault struct {
	n           int
	apply, dies bool
}

// injector counts calls over both buckets, once it is armed.
type injector struct {
	fault
	mu    sync.Mutex
	armed bool
	calls int
	hit   string
}

func (i *injector) onCall(op, key string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.armed {
		return true, nil
	}
	i.calls++
	switch {
	case i.calls == i.n+1:
		i.hit = op + " " + key
		return i.apply, errInjected
	case i.dies && i.calls > i.n:
		return false, errInjected
	}
	return true, nil
}

// TestCrash breaks every store call of everything that a keeper does.
func TestCrash(t *testing.T) {
	for name, do := range map[string]func(k *chain.Keeper, t *testing.T) error{
		"append": func(k *chain.Keeper, t *testing.T) error {
			acts, err := k.Read(t.Context(), "dossiers/x")
			if err == nil {
				_, _, err = k.Append(t.Context(), "dossiers/x", acts, draft("two"))
			}
			return err
		},
		"help": func(k *chain.Keeper, t *testing.T) error {
			acts, err := k.Read(t.Context(), "dossiers/x")
			if err == nil {
				_, err = k.Put(t.Context(), "dossiers/x", acts, draft("two"))
			}
			if err == nil {
				_, err = k.Read(t.Context(), "dossiers/x")
			}
			return err
		},
	} {
		for _, f := range []fault{{apply: false}, {apply: true}, {dies: true}, {apply: true, dies: true}} {
			t.Run(fmt.Sprintf("%s/apply=%v,dies=%v", name, f.apply, f.dies), func(t *testing.T) {
				for f.n = 0; ; f.n++ {
					done := false
					synctest.Test(t, func(t *testing.T) { done = crash(t, f, do) })
					if done || t.Failed() {
						break
					}
				}
				if f.n < 4 {
					t.Errorf("only %d calls", f.n)
				}
			})
		}
	}
}

// crash runs do with one fault, and reports whether there were too few calls
// for it to strike. Whatever happened, what was acknowledged is there and
// somebody else goes on.
func crash(t *testing.T, f fault, do func(*chain.Keeper, *testing.T) error) (done bool) {
	b := newBed(t)
	extend(t, b.open(t, "z"), "dossiers/x", "one")
	i := &injector{fault: f}
	broken := &bed{material: b.material, archive: storetest.Faulty{Store: b.archive, OnCall: i.onCall}, work: storetest.Faulty{Store: b.work, OnCall: i.onCall}}
	k, err := chain.Open(t.Context(), broken.config("a"))
	if err != nil {
		t.Fatal(err)
	}
	i.armed = true
	err = do(k, t)
	if err != nil && !errors.Is(err, errInjected) && !errors.Is(err, fs.ErrExist) {
		t.Errorf("call %d, %s: %v", f.n, i.hit, err)
	}
	k.Close()

	for _, node := range []string{"a", "b"} { // the same node again, and another
		k := b.open(t, node)
		got := texts(t, read(t, k, "dossiers/x"))
		if err == nil && len(got) != 2 || !slices.Equal(got, []string{"one", "two"}[:len(got)]) {
			t.Fatalf("call %d, %s: acknowledged %v, there is %q", f.n, i.hit, err == nil, got)
		}
		if k.Len("dossiers/x") != len(got) {
			t.Fatalf("call %d, %s: %d acts, %d entries", f.n, i.hit, len(got), k.Len("dossiers/x"))
		}
	}
	if got := texts(t, extend(t, b.open(t, "b"), "dossiers/x", "three")); got[len(got)-1] != "three" {
		t.Errorf("call %d, %s: then %q", f.n, i.hit, got)
	}
	b.sound(t)
	return i.hit == ""
}
