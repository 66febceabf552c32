package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/luutru/luutru/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// hashes is a plain list of all stored hashes, to compare with.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

// TestTree compares roots, and all hashes, with those of x/mod's own tree.
// Before every step it adds leaves to a copy, as a batch that loses its slot
// does.
func TestTree(t *testing.T) {
	var all hashes
	var leaves []tlog.Hash
	var tree audit.Tree
	for n := range int64(70_000) {
		leaf := tlog.RecordHash(fmt.Append(nil, n))
		more, err := tlog.StoredHashesForRecordHash(n, leaf, all)
		if err != nil {
			t.Fatal(err)
		}
		all, leaves = append(all, more...), append(leaves, leaf)
		if n%997 < 3 || n%256 > 253 || n%256 < 2 {
			loser := tree
			for range 1 + n%300 {
				loser.Add(tlog.Hash{1})
			}
		}
		tree.Add(leaf)
		if n > 2000 && n%257 != 0 {
			continue
		}
		want, err := tlog.TreeHash(n+1, all)
		if got := tree.Head(); err != nil || got.Hash != want || got.N != n+1 {
			t.Fatalf("%d leaves: head %v, want %v, %v", n+1, got, want, err)
		}
	}
	r := tree.Reader(leaves)
	for i := 0; i < len(all); i += 31 {
		got, err := r.ReadHashes([]int64{int64(i)})
		if err != nil || got[0] != all[i] {
			t.Fatalf("hash %d: %v, %v, want %v", i, got, err, all[i])
		}
	}
	if got, err := r.ReadHashes([]int64{int64(len(all))}); err == nil {
		t.Errorf("hash behind the end: %v", got)
	}
}

func TestCount(t *testing.T) {
	for _, max := range []uint64{0, 1, 2, 3, 10, 100, 1 << 53} {
		for _, want := range []uint64{0, 1, 2, 3, 4, 5, 9, 10, 63, 64, 65, 99, 100, 12345678} {
			for _, guess := range []uint64{0, 1} {
				if want > max || guess == 1 && max > 100 {
					continue
				}
				calls := 0
				got, err := audit.Count(guess, max, func(n uint64) (bool, error) {
					if n >= max {
						t.Fatalf("asked for %d of %d", n, max)
					}
					calls++
					return n < want, nil
				})
				if err != nil || got != want || calls > 64 {
					t.Errorf("guess %d, max %d: %d, %v after %d calls, want %d", guess, max, got, err, calls, want)
				}
			}
		}
	}
	for after := range 5 {
		calls := 0
		_, err := audit.Count(0, 100, func(n uint64) (bool, error) {
			if calls++; calls > after {
				return false, errInjected
			}
			return n < 50, nil
		})
		if !errors.Is(err, errInjected) {
			t.Errorf("after %d calls: %v", after, err)
		}
	}
}

func TestInOrder(t *testing.T) {
	double := func(_ context.Context, n uint64) (uint64, error) { return 2 * n, nil }
	next := uint64(5)
	for v, err := range audit.InOrder(t.Context(), 5, 200, 7, double) {
		if err != nil || v != 2*next {
			t.Fatalf("%d, %v, want %d", v, err, 2*next)
		}
		next++
	}
	if next != 200 {
		t.Errorf("ended before %d", next)
	}
	for range audit.InOrder(t.Context(), 9, 9, 7, double) {
		t.Error("something of nothing")
	}
	for v := range audit.InOrder(t.Context(), 0, 1<<40, 7, double) {
		if v == 20 {
			break
		}
	}
	seen := 0
	for v, err := range audit.InOrder(t.Context(), 0, 100, 7, func(_ context.Context, n uint64) (uint64, error) {
		if n >= 30 {
			return 0, errInjected
		}
		return n, nil
	}) {
		if (v == 0 && seen > 0) != errors.Is(err, errInjected) {
			t.Fatalf("%d, %v", v, err)
		}
		seen++
	}
	if seen != 31 {
		t.Errorf("%d values, want 30 and an error", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for v, err := range audit.InOrder(ctx, 0, 1<<40, 7, double) {
		if v == 100 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("cancelled: %v", last)
	}
}

func TestCache(t *testing.T) {
	get, put := audit.NewCache(3)
	for n := range uint64(10) {
		put(n, fmt.Sprint(n))
		put(n, fmt.Sprint("again ", n)) // takes no place of another
		for k := range uint64(10) {
			v, ok := get(k)
			if want := k <= n && k+3 > n; ok != want || ok && v != fmt.Sprint("again ", k) {
				t.Errorf("after %d: %d is %q, %v", n, k, v, ok)
			}
		}
	}
}

func TestParseEntryRefuses(t *testing.T) {
	good := string(entry("x"))
	if _, err := audit.ParseEntry([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		if e, err := audit.ParseEntry([]byte(good[:i])); err == nil {
			t.Errorf("%q parsed as %v", good[:i], e)
		}
	}
	d := "abababababababababababababababababababababababababababababababab"
	for _, bad := range []string{
		`{}`, `null`, good + " ", " " + good, good + good,
		`{"c":{},"details":{},"id":"","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"viewed","v":1}`,
		`{"c":{},"details":{},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"","v":1}`,
		`{"c":{},"details":{},"id":"x","node":"f","time":"2026-11-24T03:22:30.12345Z","type":"t","v":1}`,
		`{"c":{},"details":{},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456+07:00","type":"t","v":1}`,
		`{"c":{},"details":{},"id":"x","node":"f","time":"2026-02-30T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{},"id":"\u0078","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{},"id":"\q","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		"{\"c\":{},\"details\":{},\"id\":\"\n\",\"node\":\"f\",\"time\":\"2026-11-24T03:22:30.123456Z\",\"type\":\"t\",\"v\":1}",
		"{\"c\":{},\"details\":{},\"id\":\"\xff\",\"node\":\"f\",\"time\":\"2026-11-24T03:22:30.123456Z\",\"type\":\"t\",\"v\":1}",
		`{"c":{},"details":{"b":"","a":""},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{"a":"","a":""},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{"ă":""},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{"a":1},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":null,"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{"a":"AAAA"},"details":{},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{"a":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"},"details":{},"id":"x","node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"c":{},"details":{},"id":"c/0001","n":1,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"act":"` + d + `","c":{},"chain":"c","details":{},"id":"c/0001","n":01,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"act":"` + d + `","c":{},"chain":"c","details":{},"id":"c/0002","n":1,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"act":"` + d + `","c":{},"details":{},"id":"c/0001","n":1,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
		`{"act":"","c":{},"chain":"","details":{},"id":"x","n":0,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`,
	} {
		if e, err := audit.ParseEntry([]byte(bad)); err == nil {
			t.Errorf("%s parsed as %+v", bad, e)
		}
	}
	act := `{"act":"` + d + `","c":{},"chain":"c","details":{},"id":"c/0001","n":1,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`
	if e, err := audit.ParseEntry([]byte(act)); err != nil || e.N != 1 {
		t.Errorf("%v, %v", e, err)
	}
}
