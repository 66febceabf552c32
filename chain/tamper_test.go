package chain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
)

// scene is a bed with a chain "dossiers/x" of three acts and one "dossiers/y" of
// two, and what a liar may have at hand.
type scene struct {
	*bed
	k *chain.Keeper // has read both
	// fork has the same chains as another run of the same archive would have
	// written them: every act is validly signed, none is in this ledger.
	fork *bed
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{bed: newBed(t), fork: newBed(t)}
	s.k = s.open(t, "a")
	for b, k := range map[*bed]*chain.Keeper{s.bed: s.k, s.fork: s.fork.open(t, "a")} {
		extend(t, k, "dossiers/x", "one", "two", "three")
		extend(t, k, "dossiers/y", "four", "five")
		b.sound(t)
	}
	extend(t, s.fork.open(t, "b"), "dossiers/x", "fourth of the fork")
	return s
}

// stranger signs act n of dossiers/x with another key.
func (s *scene) stranger(t *testing.T, n int) []byte {
	t.Helper()
	return s.forge(t, s.other, n, n)
}

// forge signs an act that calls itself the given number and follows act n-1.
func (s *scene) forge(t *testing.T, k *signing.Key, number, n int) []byte {
	t.Helper()
	line := fmt.Sprintf(`{"body":{"text":"x"},"by":"nobody","chain":"dossiers/x","n":%d,"node":"a","prev":%q,"time":"2026-11-24T03:22:30.123456Z","type":"noted","v":1}`,
		number, read(t, s.k, "dossiers/x")[n-2].Digest())
	act := sign(t, k, line)
	if _, err := chain.Parse(act, k.Certificate()); err != nil {
		t.Fatal(err) // a good act, if the key were trusted
	}
	return act
}

// replace changes the only version of an object.
func (s *scene) replace(t *testing.T, key string, data []byte) {
	t.Helper()
	remove(t, s.archive, key)
	put(t, s.archive, key, data)
}

func flipped(data []byte, at float64) []byte {
	data = bytes.Clone(data)
	data[int(at*float64(len(data)-1))] ^= 1
	return data
}

// lies are what somebody with plain access to the bucket can do to act n of
// dossiers/x, or behind its end.
var lies = map[string]func(t *testing.T, s *scene, key string, n int){
	"altered in its body": func(t *testing.T, s *scene, key string, _ int) {
		s.replace(t, key, flipped(object(t, s.archive, key), 0.05))
	},
	"altered in its first": func(t *testing.T, s *scene, key string, _ int) {
		s.replace(t, key, flipped(object(t, s.archive, key), 0))
	},
	"altered in its signature": func(t *testing.T, s *scene, key string, _ int) {
		s.replace(t, key, flipped(object(t, s.archive, key), 0.8))
	},
	"cut": func(t *testing.T, s *scene, key string, _ int) {
		data := object(t, s.archive, key)
		s.replace(t, key, data[:len(data)-20])
	},
	"without its signature": func(t *testing.T, s *scene, key string, _ int) {
		line, _, _ := bytes.Cut(object(t, s.archive, key), []byte("\n"))
		s.replace(t, key, line)
	},
	"longer by a line feed": func(t *testing.T, s *scene, key string, _ int) {
		s.replace(t, key, append(object(t, s.archive, key), '\n'))
	},
	"shadowed by a version without meaning": func(t *testing.T, s *scene, key string, _ int) { put(t, s.archive, key, []byte("x")) },
	"shadowed by an altered version": func(t *testing.T, s *scene, key string, _ int) {
		put(t, s.archive, key, flipped(object(t, s.archive, key), 0.1))
	},
	"shadowed by a signed act of a fork": func(t *testing.T, s *scene, key string, _ int) {
		put(t, s.archive, key, object(t, s.fork.archive, key))
	},
	"replaced by a signed act of a fork": func(t *testing.T, s *scene, key string, _ int) { s.replace(t, key, object(t, s.fork.archive, key)) },
	"replaced by an act of another chain": func(t *testing.T, s *scene, key string, n int) {
		s.replace(t, key, object(t, s.archive, chain.Key("dossiers/y", min(n, 2))))
	},
	"replaced by its neighbour": func(t *testing.T, s *scene, key string, n int) {
		s.replace(t, key, object(t, s.archive, chain.Key("dossiers/x", n%3+1)))
	},
	"replaced under another key": func(t *testing.T, s *scene, key string, n int) {
		if n > 1 {
			s.replace(t, key, s.stranger(t, n))
		} else {
			s.replace(t, key, []byte("{}\n"))
		}
	},
	"hidden by a delete marker": func(t *testing.T, s *scene, key string, _ int) {
		if err := s.memory.Mark(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	},
	"deleted": func(t *testing.T, s *scene, key string, _ int) { remove(t, s.archive, key) },
	"deleted with all that follow": func(t *testing.T, s *scene, _ string, n int) {
		for ; n <= 3; n++ {
			remove(t, s.archive, chain.Key("dossiers/x", n))
		}
	},
}

// additions are what can be put behind the end of dossiers/x.
var additions = map[string]func(t *testing.T, s *scene) []byte{
	"nothing that can be read":    func(*testing.T, *scene) []byte { return []byte("x") },
	"an act of another key":       func(t *testing.T, s *scene) []byte { return s.stranger(t, 4) },
	"an act again":                func(t *testing.T, s *scene) []byte { return object(t, s.archive, "dossiers/x/0003") },
	"the first act again":         func(t *testing.T, s *scene) []byte { return object(t, s.archive, "dossiers/x/0001") },
	"an act of another chain":     func(t *testing.T, s *scene) []byte { return object(t, s.archive, "dossiers/y/0002") },
	"a signed act out of number":  func(t *testing.T, s *scene) []byte { return s.forge(t, s.key, 5, 4) },
	"a signed act of a fork":      func(t *testing.T, s *scene) []byte { return object(t, s.fork.archive, "dossiers/x/0004") },
	"a ledger batch":              func(t *testing.T, s *scene) []byte { return object(t, s.archive, "ledger/seq/0000000000000001") },
	"an act with a line too many": func(t *testing.T, s *scene) []byte { return append([]byte("\n"), s.stranger(t, 4)...) },
}

// refused fails the test unless both nodes say that the chain was tampered
// with, again and again, without a word in the ledger.
func (s *scene) refused(t *testing.T) {
	t.Helper()
	fresh := s.open(t, "b")
	before := fresh.Ledger().Size()
	for range 2 {
		for node, k := range map[string]*chain.Keeper{"running": s.k, "fresh": fresh} {
			if acts, err := k.Read(t.Context(), "dossiers/x"); !errors.Is(err, chain.ErrTampered) || acts != nil {
				t.Errorf("%s node: got %d acts, %v; want ErrTampered", node, len(acts), err)
			}
			if _, err := k.Read(t.Context(), "dossiers/y"); err != nil {
				t.Errorf("%s node: the other chain: %v", node, err)
			}
		}
	}
	if after := s.open(t, "c").Ledger().Size(); after != before {
		t.Errorf("ledger went from %d to %d entries: the lie was helped", before, after)
	}
	s.sound(t)
}

func TestTampering(t *testing.T) {
	for name, lie := range lies {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("act %d %s", n, name), func(t *testing.T) {
				s := newScene(t)
				lie(t, s, chain.Key("dossiers/x", n), n)
				s.refused(t)
			})
		}
	}
	for name, add := range additions {
		t.Run("added "+name, func(t *testing.T) {
			s := newScene(t)
			put(t, s.archive, "dossiers/x/0004", add(t, s))
			s.refused(t)
		})
	}
}

// TestNewChainOfOthersActs puts acts where no chain is yet.
func TestNewChainOfOthersActs(t *testing.T) {
	for name, add := range additions {
		s := newScene(t)
		put(t, s.archive, "dossiers/z/0001", add(t, s))
		if _, err := s.k.Read(t.Context(), "dossiers/z"); !errors.Is(err, chain.ErrTampered) {
			t.Errorf("%s: got %v, want ErrTampered", name, err)
		}
		if n := s.k.Len("dossiers/z"); n != 0 {
			t.Errorf("%s: entered", name)
		}
	}
}

// TestWritingOverTheHidden has a node that does not know better put an act where
// a delete marker hides one: it must not become effective.
func TestWritingOverTheHidden(t *testing.T) {
	for n := 1; n <= 3; n++ {
		s := newScene(t)
		before := read(t, s.k, "dossiers/x")[:n-1]
		if err := s.memory.Mark(t.Context(), chain.Key("dossiers/x", n)); err != nil {
			t.Fatal(err)
		}
		size := s.k.Ledger().Size()
		for _, k := range []*chain.Keeper{s.k, s.open(t, "b")} {
			if _, _, err := k.Append(t.Context(), "dossiers/x", before, draft("instead")); err == nil {
				t.Errorf("act %d was written anew", n)
			}
		}
		if s.k.Ledger().Size() != size {
			t.Errorf("act %d was entered anew", n)
		}
		s.refused(t)
	}
}

// TestStaleNode has a liar hide an act of which a node has not heard yet. It
// may take the chain for shorter; what it then writes never becomes effective.
func TestStaleNode(t *testing.T) {
	b := newBed(t)
	a := b.open(t, "a")
	extend(t, a, "dossiers/x", "one")
	stale := b.open(t, "b")
	extend(t, a, "dossiers/x", "two")
	if err := b.memory.Mark(t.Context(), "dossiers/x/0002"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := stale.Append(t.Context(), "dossiers/x", read(t, stale, "dossiers/x"), draft("instead")); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("append: got %v, want ErrTampered", err)
	}
	if _, err := stale.Read(t.Context(), "dossiers/x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("read: got %v, want ErrTampered", err)
	}
	if size := b.open(t, "c").Ledger().Size(); size != 2 {
		t.Errorf("ledger has %d entries, want 2", size)
	}
}

// counting counts the octets that are read.
type counting struct {
	store.Store
	n *int64
}

func (c counting) Get(ctx context.Context, key string, o *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	r, info, err := c.Store.Get(ctx, key, o)
	if err != nil {
		return nil, nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r, counter{c.n}), r}, info, nil
}

type counter struct{ n *int64 }

func (c counter) Write(p []byte) (int, error) { *c.n += int64(len(p)); return len(p), nil }

// TestHugeAct: what pretends to be an act is not read without bounds.
func TestHugeAct(t *testing.T) {
	const limit = 16 << 20
	b := newBed(t)
	put(t, b.archive, "dossiers/x/0001", make([]byte, 4*limit))
	var n int64
	b.archive = counting{b.archive, &n}
	k := b.open(t, "a")
	n = 0
	if _, err := k.Read(t.Context(), "dossiers/x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("got %v, want ErrTampered", err)
	}
	if n > limit+1<<16 {
		t.Errorf("%d octets were read", n)
	}
}

// TestTrust: acts of an earlier key of the archive stay valid, those of a key
// that is trusted no more do not.
func TestTrust(t *testing.T) {
	b := newBed(t)
	extend(t, b.open(t, "a"), "dossiers/x", "one")
	c := b.config("b")
	c.Key, c.Trust = b.other, []*signing.Certificate{b.other.Certificate(), b.certificate}
	extend(t, open(t, c), "dossiers/x", "two")
	if _, err := b.open(t, "a").Read(t.Context(), "dossiers/x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("act of a key that is not trusted: got %v, want ErrTampered", err)
	}
	c.Trust = nil
	if _, err := open(t, c).Read(t.Context(), "dossiers/x"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("nobody is trusted: got %v, want ErrTampered", err)
	}
}
