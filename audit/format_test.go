package audit_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/internal/jcs"
)

var writeV1 = flag.Bool("write-v1", false, "write testdata/v1, where it does not exist yet")

const v1 = "testdata/v1"

// TestWriteV1 made testdata/v1. What is there is never written again.
func TestWriteV1(t *testing.T) {
	if _, err := os.Stat(v1); !*writeV1 || err == nil {
		t.Skip("testdata/v1 is only added to")
	}
	b := newBed(t)
	l := open(t, b.config)
	for _, e := range v1Events() {
		if _, err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	appendN(t, l, 0, 253)
	if _, err := l.Append(t.Context(), audit.Event{ID: "last", Type: "started"}); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	files := map[string][]byte{"log.vkey": []byte(b.config.VKey)}
	for i := range uint64(3) {
		proof, err := l.Prove(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		files[fmt.Sprintf("entry-%d.proof", i)] = proof
		files[fmt.Sprintf("entry-%d.json", i)] = list(t, l)[i].Raw
	}
	for _, key := range keysOf(t, b.store, "") {
		files["archive/"+key] = read(t, b.store, key)
	}
	for _, key := range keysOf(t, b.work, "") {
		files["work/"+key] = read(t, b.work, key)
	}
	for name, data := range files {
		name = filepath.Join(v1, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// v1Events are the first entries of testdata/v1.
func v1Events() []audit.Event {
	return []audit.Event{
		{Type: "ingestion", Chain: "dossiers/abcdefghijklmnopqrstuvwxyz234567", N: 1, Act: strings.Repeat("0f", 32),
			Details: map[string]string{"class": "01", "note": "Lưu trữ \"<&>\"\n\x01\u2028\\"}},
		{ID: "retrieval", Type: "dissemination", Chain: "dossiers/abcdefghijklmnopqrstuvwxyz234567",
			Private: map[string]string{"actor": "Nguyễn Thị Ánh", "purpose": "Thanh tra theo Quyết định 12/2026"}},
		{ID: "search", Type: "searched", Private: map[string]string{"query": ""}},
	}
}

// TestV1 reads what version 1 wrote.
func TestV1(t *testing.T) {
	b := emptyBed(audit.Config{VKey: string(readFile(t, "log.vkey"))})
	root := os.DirFS(v1)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		bucket, key, _ := strings.Cut(name, "/")
		if err != nil || d.IsDir() || key == "" {
			return err
		}
		if bucket == "work" {
			put(t, b.work, key, readFile(t, name))
		} else {
			put(t, b.store, key, readFile(t, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r := b.sound(t)
	if r.Entries != 257 || r.Tiles == 0 || r.Unpublished != 0 || r.Disclosed != 2 {
		t.Errorf("report %+v", r)
	}
	l := open(t, b.config)
	for i, want := range v1Events() {
		e, err := l.Entry(t.Context(), uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != want.Type || e.Chain != want.Chain || e.Act != want.Act || e.Details["note"] != want.Details["note"] || !e.Time.Equal(clock()) {
			t.Errorf("entry %d: %s", i, e.Raw)
		}
		opened, err := l.Disclose(t.Context(), e.Index, unseal)
		if err != nil || len(opened) != len(want.Private) || opened["actor"] != want.Private["actor"] {
			t.Errorf("entry %d: disclosed %v, %v", i, opened, err)
		}
		if raw := readFile(t, fmt.Sprintf("entry-%d.json", i)); !bytes.Equal(raw, e.Raw) {
			t.Errorf("entry %d: %s", i, e.Raw)
		}
		proof, err := l.Prove(t.Context(), e.Index)
		if want := readFile(t, fmt.Sprintf("entry-%d.proof", i)); err != nil || !bytes.Equal(proof, want) {
			t.Errorf("entry %d: %v\n%s", i, err, proof)
		}
		if index, err := audit.VerifyProof(b.config.VKey, e.Raw, proof); err != nil || index != uint64(i) {
			t.Errorf("entry %d: verified as %d, %v", i, index, err)
		}
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(v1, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestBatchIsCanonical compares with the package that says what is.
func TestBatchIsCanonical(t *testing.T) {
	names, err := filepath.Glob(v1 + "/archive/ledger/seq/*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := jcs.Unmarshal(raw, &tree); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func seeds(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join(v1, pattern))
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4096 { // large seeds make fuzzing slow
			f.Add(data)
		}
	}
}

// entryJSON is an entry for internal/jcs.
type entryJSON struct {
	Act     *string            `json:"act,omitempty"`
	C       *map[string]string `json:"c"`
	Chain   *string            `json:"chain,omitempty"`
	Details *map[string]string `json:"details"`
	ID      *string            `json:"id"`
	N       int                `json:"n,omitempty"`
	Node    *string            `json:"node"`
	Time    *string            `json:"time"`
	Type    *string            `json:"type"`
	V       int                `json:"v"`
}

// FuzzEntry checks that what is parsed is encoded to the same bytes, and that
// internal/jcs takes it for the same.
func FuzzEntry(f *testing.F) {
	seeds(f, "entry-*.json")
	f.Add([]byte(`{"c":{},"details":{"a":"\b\f\u001f\u007f\"\\/","b":"\u00e9"},"id":"x","node":"","time":"2026-11-24T03:22:30.123456Z","type":"t","v":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := audit.ParseEntry(raw)
		if err != nil {
			return
		}
		if again := audit.ReencodeEntry(e); !bytes.Equal(again, raw) {
			t.Fatalf("encoded %s, parsed %s", again, raw)
		}
		var j entryJSON
		if err := jcs.Unmarshal(raw, &j); err != nil {
			t.Fatalf("jcs: %v: %s", err, raw)
		}
		if *j.ID != e.ID || *j.Type != e.Type || *j.Node != e.Node || j.N != e.N || j.V != 1 {
			t.Fatalf("parsed %+v of %s", e, raw)
		}
		if fmt.Sprint(*j.Details, *j.C) != fmt.Sprint(e.Details, e.Commitments) {
			t.Fatalf("parsed %+v of %s", e, raw)
		}
	})
}

// FuzzText checks that any text survives an entry, in the form of internal/jcs.
func FuzzText(f *testing.F) {
	f.Add("Nguyễn Thị Ánh", "\x00\b\t\n\v\f\r\x1f \"\\/\x7f\u2028\u2029\U0001F600")
	f.Fuzz(func(t *testing.T, id, value string) {
		b := newBed(t)
		l := open(t, b.config)
		e, err := l.Append(t.Context(), audit.Event{ID: id, Type: "t", Details: map[string]string{"v": value}})
		if err != nil {
			return
		}
		var tree map[string]any
		if err := jcs.Unmarshal(e.Raw, &tree); err != nil {
			t.Fatalf("%v: %s", err, e.Raw)
		}
		if details := tree["details"].(map[string]any); details["v"] != value || id != "" && tree["id"] != id {
			t.Fatalf("%q, %q became %s", id, value, e.Raw)
		}
	})
}

// FuzzBatch checks that what is parsed is encoded to the same, canonical bytes.
func FuzzBatch(f *testing.F) {
	seeds(f, "archive/ledger/seq/*")
	f.Fuzz(func(t *testing.T, raw []byte) {
		again, err := audit.ReencodeBatch(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(again, raw) {
			t.Fatalf("encoded %s, parsed %s", again, raw)
		}
		var tree any
		if err := jcs.Unmarshal(raw, &tree); err != nil && json.Valid(raw) {
			t.Fatalf("jcs: %v: %s", err, raw)
		}
	})
}

// FuzzProof checks that what is parsed is encoded to the same bytes, and that
// nothing but the proof of an entry verifies.
func FuzzProof(f *testing.F) {
	seeds(f, "entry-*.proof")
	raw, vkey := readFile(f, "entry-1.json"), string(readFile(f, "log.vkey"))
	f.Fuzz(func(t *testing.T, proof []byte) {
		again, err := audit.ReencodeProof(proof)
		if err != nil {
			return
		}
		if !bytes.Equal(again, proof) {
			t.Fatalf("encoded %q, parsed %q", again, proof)
		}
		if index, err := audit.VerifyProof(vkey, raw, proof); err == nil && index != 1 {
			t.Fatalf("verified as %d: %s", index, proof)
		}
	})
}
