package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/luutru/luutru/audit"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// forger has the key of the log and writes batches by hand, from the format
// alone.
type forger struct {
	b      *bed
	signer note.Signer
	raws   [][]byte // all entries
	hashes []tlog.Hash
	prev   string
	n      int
}

// forgedBatch has the fields of a batch in the order of canonical JSON.
type forgedBatch struct {
	Batch      string   `json:"batch"`
	Checkpoint string   `json:"checkpoint"`
	Entries    [][]byte `json:"entries"`
	Prev       string   `json:"prev"`
	Start      uint64   `json:"start"`
	V          int      `json:"v"`
}

func newForger(t *testing.T) *forger {
	t.Helper()
	b := newBed(t)
	signer, err := note.NewSigner(b.config.Key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(read(t, b.store, seq(0)))
	return &forger{b: b, signer: signer, prev: hex.EncodeToString(sum[:]), n: 1}
}

func (f *forger) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, f.hashes[i])
	}
	return out, nil
}

func entry(id string) []byte {
	return fmt.Appendf(nil, `{"c":{},"details":{},"id":%q,"node":"f","time":"2026-11-24T03:22:30.123456Z","type":"viewed","v":1}`, id)
}

// batch makes the next batch, lets change it before and after the checkpoint is
// signed, and writes it.
func (f *forger) batch(t *testing.T, entries [][]byte, before, after func(*forgedBatch)) {
	t.Helper()
	j := &forgedBatch{Batch: strings.Repeat("a", 26), Entries: entries, Prev: f.prev, Start: uint64(len(f.raws)), V: 1}
	if before != nil {
		before(j)
	}
	for _, raw := range j.Entries {
		hashes, err := tlog.StoredHashes(int64(len(f.raws)), raw, f)
		if err != nil {
			t.Fatal(err)
		}
		f.raws, f.hashes = append(f.raws, raw), append(f.hashes, hashes...)
	}
	root, err := tlog.TreeHash(int64(len(f.raws)), f)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, len(f.raws), root)}, f.signer)
	if err != nil {
		t.Fatal(err)
	}
	j.Checkpoint = string(signed)
	if after != nil {
		after(j)
	}
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	put(t, f.b.store, seq(f.n), data)
	sum := sha256.Sum256(data)
	f.prev, f.n = hex.EncodeToString(sum[:]), f.n+1
}

// TestForger writes a log by hand that is as it must be. It shows that the
// format says everything.
func TestForger(t *testing.T) {
	f := newForger(t)
	for n := range 300 {
		f.batch(t, [][]byte{entry(fmt.Sprint("a", n)), entry(fmt.Sprint("b", n))}, nil, nil)
	}
	l := open(t, f.b.config)
	if l.Size() != 600 {
		t.Errorf("%d entries", l.Size())
	}
	if e, err := l.Append(t.Context(), audit.Event{ID: "b299", Type: "searched"}); err != nil || e.Index != 599 {
		t.Errorf("append: %v, %v", e, err)
	}
	appendN(t, l, 0, 10)
	closeLog(t, l)
	f.b.sound(t)
}

// TestForged has a batch that is signed with the key of the log and yet not one
// of the log.
func TestForged(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, f *forger){
		"entry twice": func(t *testing.T, f *forger) { f.batch(t, [][]byte{entry("first")}, nil, nil) },
		"entry twice in one batch": func(t *testing.T, f *forger) {
			f.batch(t, [][]byte{entry("x"), entry("x")}, nil, nil)
		},
		"no entries":     func(t *testing.T, f *forger) { f.batch(t, [][]byte{}, nil, nil) },
		"entries null":   func(t *testing.T, f *forger) { f.batch(t, nil, nil, nil) },
		"entry not JSON": func(t *testing.T, f *forger) { f.batch(t, [][]byte{[]byte("x")}, nil, nil) },
		"entry not v1": func(t *testing.T, f *forger) {
			f.batch(t, [][]byte{[]byte(strings.Replace(string(entry("x")), `"v":1`, `"v":2`, 1))}, nil, nil)
		},
		"entry with space": func(t *testing.T, f *forger) { f.batch(t, [][]byte{append(entry("x"), ' ')}, nil, nil) },
		"too large":        func(t *testing.T, f *forger) { f.batch(t, [][]byte{entry(strings.Repeat("x", 1<<16))}, nil, nil) },
		"prev":             func(t *testing.T, f *forger) { f.set(t, func(b *forgedBatch) { b.Prev = strings.Repeat("0", 64) }) },
		"prev malformed":   func(t *testing.T, f *forger) { f.set(t, func(b *forgedBatch) { b.Prev = "0" }) },
		"name": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) { b.Batch = "../../../../../../../about" })
		},
		"start":   func(t *testing.T, f *forger) { f.set(t, func(b *forgedBatch) { b.Start = 0 }) },
		"version": func(t *testing.T, f *forger) { f.set(t, func(b *forgedBatch) { b.V = 2 }) },
		"entry added": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) { b.Entries = append(b.Entries, entry("y")) })
		},
		"entry replaced": func(t *testing.T, f *forger) { f.set(t, func(b *forgedBatch) { b.Entries = [][]byte{entry("y")} }) },
		"entry added and counted": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) { b.Entries, b.Start = append(b.Entries, entry("y")), b.Start-1 })
		},
		"checkpoint of the batch before": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) { b.Checkpoint = string(f.checkpoint(t, 1)) })
		},
		"checkpoint signed twice": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) {
				_, sig, _ := strings.Cut(b.Checkpoint, "\n\n")
				b.Checkpoint += sig
			})
		},
		"checkpoint of another log": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) {
				b.Checkpoint = string(f.sign(t, strings.Replace(strings.Split(b.Checkpoint, "\n\n")[0], origin, "other.example", 1)+"\n"))
			})
		},
		"checkpoint with an extension": func(t *testing.T, f *forger) {
			f.set(t, func(b *forgedBatch) {
				b.Checkpoint = string(f.sign(t, strings.Split(b.Checkpoint, "\n\n")[0]+"\nmore\n"))
			})
		},
	} {
		f := newForger(t)
		f.batch(t, [][]byte{entry("first"), entry("second")}, nil, nil)
		c := f.b.config
		c.Key = ""
		l := open(t, c)
		change(t, f)
		if err := l.Sync(t.Context()); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("%s: sync: %v", name, err)
		}
		f.b.detected(t, name)
	}
}

// set makes a batch and changes it after it was signed.
func (f *forger) set(t *testing.T, change func(*forgedBatch)) {
	t.Helper()
	f.batch(t, [][]byte{entry("x")}, nil, change)
}

func (f *forger) sign(t *testing.T, text string) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, f.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (f *forger) checkpoint(t *testing.T, n int) []byte {
	t.Helper()
	var b forgedBatch
	if err := json.Unmarshal(read(t, f.b.store, seq(n)), &b); err != nil {
		t.Fatal(err)
	}
	return []byte(b.Checkpoint)
}
