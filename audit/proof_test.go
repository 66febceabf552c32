package audit_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"github.com/luutru/luutru/audit"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// policy is how the public tool knows the log.
func policy(t testing.TB, vkey string) torchwood.Policy {
	t.Helper()
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(v))
}

// TestProofs makes every proof while the log grows, on another node, and after
// restarts with and without published tiles: the same bytes, which the public
// tool accepts as well.
func TestProofs(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	proofs := map[uint64][]byte{}
	for _, to := range []int{1, 2, 3, 100, 255, 256, 257, 600, 1100} {
		appendN(t, l, int(l.Size()), to)
		prove(t, l, proofs)
	}
	reader := b.config
	reader.Key = ""
	prove(t, open(t, reader), proofs)
	closeLog(t, l)
	prove(t, open(t, b.config), proofs)

	p := policy(t, b.config.VKey)
	for _, e := range list(t, l) {
		proof := proofs[e.Index]
		if err := torchwood.VerifyProof(p, tlog.RecordHash(e.Raw), proof); err != nil {
			t.Fatalf("entry %d: torchwood: %v", e.Index, err)
		}
		if index, err := audit.VerifyProof(b.config.VKey, e.Raw, proof); err != nil || index != e.Index {
			t.Fatalf("entry %d: verified as %d, %v", e.Index, index, err)
		}
	}
	if _, err := l.Prove(t.Context(), l.Size()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("proof behind the end: %v", err)
	}
}

func prove(t *testing.T, l *audit.Log, proofs map[uint64][]byte) {
	t.Helper()
	for i := range l.Size() {
		p, err := l.Prove(t.Context(), i)
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		if proofs[i] == nil {
			proofs[i] = p
		}
		if !bytes.Equal(proofs[i], p) {
			t.Fatalf("entry %d: another proof than before:\n%s\nbefore:\n%s", i, p, proofs[i])
		}
	}
}

func TestVerifyProofRefuses(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	appendN(t, l, 0, 20)
	entries := list(t, l)
	raw := entries[7].Raw
	proof, err := l.Prove(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyProof(b.config.VKey, raw, proof); err != nil {
		t.Fatal(err)
	}
	for i := range proof {
		bad := bytes.Clone(proof)
		bad[i] ^= 1
		// The last character of base64 has bits that the note format ignores.
		if _, err := audit.VerifyProof(b.config.VKey, raw, bad); err == nil && i < len(proof)-4 {
			t.Errorf("accepted with byte %d altered", i)
		}
		if _, err := audit.VerifyProof(b.config.VKey, raw, proof[:i]); err == nil {
			t.Errorf("accepted the first %d bytes", i)
		}
	}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if _, err := audit.VerifyProof(b.config.VKey, bad, proof); err == nil {
			t.Errorf("accepted an entry with byte %d altered", i)
		}
	}
	_, other, err := audit.GenerateKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (uint64, error){
		"another log's key": func() (uint64, error) { return audit.VerifyProof(other, raw, proof) },
		"rubbish for a key": func() (uint64, error) { return audit.VerifyProof("x", raw, proof) },
		"another entry":     func() (uint64, error) { return audit.VerifyProof(b.config.VKey, entries[8].Raw, proof) },
		"index with a zero": func() (uint64, error) {
			return audit.VerifyProof(b.config.VKey, raw, []byte(strings.Replace(string(proof), "index 7", "index 07", 1)))
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("accepted with %s", name)
		}
	}
}

// serve answers as the handler of a node does.
func serve(t *testing.T, l *audit.Log) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := l.ReadTile(r.Context(), strings.TrimPrefix(r.URL.Path, "/"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Write(data)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestPublicTool reads logs of several sizes, published or not, with torchwood's
// client, which verifies every tile and entry against the checkpoint.
func TestPublicTool(t *testing.T) {
	for _, size := range []int{1, 2, 255, 256, 257, 1000, 66000} {
		b := newBed(t)
		l := open(t, b.config)
		appendN(t, l, 0, size)
		published := open(t, b.config)
		for name, l := range map[string]*audit.Log{"writer": l, "reopened": published} {
			if err := publicRead(t, l, b.config.VKey, size); err != nil {
				t.Errorf("%d entries, %s: %v", size, name, err)
			}
		}
		closeLog(t, l)
		if err := publicRead(t, open(t, b.config), b.config.VKey, size); err != nil {
			t.Errorf("%d entries, published: %v", size, err)
		}
		if r := b.sound(t); r.Unpublished != 0 {
			t.Errorf("report %+v", r)
		}
	}
}

func publicRead(t *testing.T, l *audit.Log, vkey string, size int) error {
	fetcher, err := torchwood.NewTileFetcher(serve(t, l).URL, torchwood.WithConcurrencyLimit(4))
	if err != nil {
		return err
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		return err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy(t, vkey))
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	read := 0
	for i, raw := range client.AllEntries(t.Context(), checkpoint.Tree, 0) {
		e, err := l.Entry(t.Context(), uint64(i))
		if err != nil || !bytes.Equal(raw, e.Raw) {
			t.Errorf("entry %d: read %s, want %v, %v", i, raw, e, err)
		}
		read++
	}
	if client.Err() != nil || read != size {
		t.Errorf("read %d entries, %v", read, client.Err())
	}
	for _, i := range []int64{0, int64(size) / 2, int64(size) - 1} {
		if _, _, err := client.Entry(context.Background(), checkpoint.Tree, i); err != nil {
			return err
		}
	}
	return nil
}

func TestReadTile(t *testing.T) {
	b := newBed(t)
	l := open(t, b.config)
	appendN(t, l, 0, 600)
	for path, want := range map[string]int{
		"tile/0/000": 256 * 32, "tile/0/001": 256 * 32, "tile/0/002.p/88": 88 * 32, "tile/0/002.p/1": 32, "tile/0/000.p/3": 3 * 32,
		"tile/1/000.p/2": 2 * 32, "tile/1/000.p/1": 32,
	} {
		if data, err := l.ReadTile(t.Context(), path); err != nil || len(data) != want {
			t.Errorf("%s: %d bytes, %v, want %d", path, len(data), err, want)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/", "tile/0/002", "tile/0/002.p/89", "tile/0/003.p/1", "tile/1/000", "tile/1/000.p/3", "tile/2/000.p/1",
		"tile/63/000.p/1", "tile/0/2", "tile/0/0002", "tile/-1/000", "tile/data/000", "tile/8/0/000", "tile/entries/002", "entries/000",
		"tile/0/x922/x337/x203/x685/x477/x580/807", "tile/0/000.p/256", "tile/0/000.p/0", "../about", "/checkpoint",
	} {
		if data, err := l.ReadTile(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %d bytes, %v", path, len(data), err)
		}
	}
}
