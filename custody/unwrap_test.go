package custody_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
)

// TestWrite: each recipient alone opens what was written, and nobody else.
func TestWrite(t *testing.T) {
	n := newBed(t).node(t, "a")
	sk := signing.NewSessionKey()
	digest, err := n.Write(t.Context(), "x", "p1", sk)
	if err != nil {
		t.Fatal(err)
	}
	n.wantStored(t, "x/p1.1")
	packets, err := n.Packets(t.Context(), "x", "p1")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(packets); digest != hex.EncodeToString(sum[:]) {
		t.Error("the digest is not that of the stored packets")
	}
	for name, k := range map[string]*signing.Key{"archive": n.archive, "recovery": n.recovery} {
		if got, err := k.UnwrapKey(packets); err != nil || got != sk {
			t.Errorf("%s key: %v", name, err)
		}
	}
	if _, err := n.material.audit.UnwrapKey(packets); !errors.Is(err, signing.ErrNoKey) {
		t.Errorf("audit key: got %v, want ErrNoKey", err)
	}
	if _, err := n.Packets(t.Context(), "x", "p2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no packets: got %v, want fs.ErrNotExist", err)
	}
}

// TestWriteOnce: the name of an attempt is used once; the packets of a sealed
// package are never overwritten.
func TestWriteOnce(t *testing.T) {
	n := newBed(t).node(t, "a")
	want, _ := n.ingest(t, "x", "p1", nil)
	if _, err := n.Write(t.Context(), "x", "p1", signing.NewSessionKey()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written again: got %v, want fs.ErrExist", err)
	}
	if got, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1"); err != nil || got != want {
		t.Errorf("got another key, or %v", err)
	}
}

// TestRecoveryAlone opens a sealed message with the recovery key, key packets
// and data object: without custodian, ledger and archive key.
func TestRecoveryAlone(t *testing.T) {
	n := newBed(t).node(t, "a")
	plain := []byte("Giấy phép xây dựng số 123/GPXD")
	sk := signing.NewSessionKey()
	if _, err := n.Write(t.Context(), "x", "p1", sk); err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	s, err := signing.NewSealer(&data, int64(len(plain)), sk, 1)
	if err == nil {
		_, err = s.Write(plain)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	packets, err := n.Packets(t.Context(), "x", "p1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := n.recovery.Decrypt(append(packets, data.Bytes()...))
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestUnwrap(t *testing.T) {
	n := newBed(t).node(t, "a")
	want, _ := n.ingest(t, "x", "p1", nil)
	for range 2 { // each time with an entry of its own
		g := n.grant(t, dissemination("x", "p1"))
		if got, err := n.Unwrap(t.Context(), g, "x", "p1"); err != nil || got != want {
			t.Errorf("got another key, or %v", err)
		}
		if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
			t.Errorf("used twice: got %v, want ErrProof", err)
		}
	}
}

// TestUnwrapRefuses: a grant for something else is none.
func TestUnwrapRefuses(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	_, ingestion := n.ingest(t, "y", "p2", nil)
	foreign := *n.material
	var err error
	if foreign.skey, foreign.vkey, err = audit.GenerateKey("archive.example.vn/ledger"); err != nil {
		t.Fatal(err)
	}
	good, second := n.grant(t, dissemination("x", "p1")), n.grant(t, dissemination("x", "p1"))
	noPackage := dissemination("x", "p1")
	noPackage.Details = nil
	refusals := map[string]custody.Grant{
		"no grant":             {},
		"no proof":             {Entry: good.Entry},
		"no entry":             {Proof: good.Proof},
		"another entry's":      {Entry: good.Entry, Proof: second.Proof},
		"an altered entry":     {Entry: bytes.Replace(good.Entry, []byte(`"p1"`), []byte(`"p2"`), 1), Proof: good.Proof},
		"for another package":  n.grant(t, dissemination("x", "p2")),
		"for another dossier":  n.grant(t, dissemination("y", "p1")),
		"for no package":       n.grant(t, noPackage),
		"for a chain's prefix": n.grant(t, dissemination("x/0001", "p1")),
		"of another log":       bedOf(t, &foreign).node(t, "a").grant(t, dissemination("x", "p1")),
		"a view":               n.grant(t, audit.Event{Type: "viewed", Chain: life.Chain("x"), Details: map[string]string{"package": "p1"}}),
		"a delivery":           n.grant(t, audit.Event{Type: "delivered", Chain: life.Chain("x"), Details: map[string]string{"package": "p1"}}),
		"a type in capitals":   n.grant(t, audit.Event{Type: "Dissemination", Chain: life.Chain("x"), Details: map[string]string{"package": "p1"}}),
		"an ingestion":         n.proved(t, ingestion),
		"no range":             n.grant(t, audit.Event{Type: "maintenance", Details: map[string]string{"package": "p1"}, Chain: life.Chain("x")}),
	}
	for name, g := range refusals {
		if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
	for what, whole := range map[string][]byte{"entry": good.Entry, "proof": good.Proof} {
		for i := range whole {
			if i == bytes.LastIndexByte(whole, '=')-1 {
				continue // base64 filled up: its last bits mean nothing
			}
			g := custody.Grant{Entry: bytes.Clone(good.Entry), Proof: bytes.Clone(good.Proof)}
			if what == "entry" {
				g.Entry[i] ^= 1
			} else {
				g.Proof[i] ^= 1
			}
			if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
				t.Errorf("octet %d of the %s altered: got %v, want ErrProof", i, what, err)
			}
		}
	}
	for _, wrong := range [][2]string{{"x", "p2"}, {"y", "p1"}, {"y", "p2"}, {"", ""}} {
		if _, err := n.Unwrap(t.Context(), good, wrong[0], wrong[1]); !errors.Is(err, custody.ErrProof) {
			t.Errorf("%q: got %v, want ErrProof", wrong, err)
		}
	}
	if _, err := n.Unwrap(t.Context(), good, "x", "p1"); err != nil {
		t.Errorf("a refusal has used the grant up: %v", err)
	}
}

// TestUnwrapInTime: an entry serves for a quarter of an hour, by the custodian's
// clock.
func TestUnwrapInTime(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	for _, tt := range []struct {
		age time.Duration
		ok  bool
	}{
		{0, true}, {time.Minute, true}, {custody.ProofAge, true}, {custody.ProofAge + time.Second, false}, {24 * time.Hour, false},
		{-time.Minute, true}, {-custody.ProofAge, true}, {-custody.ProofAge - time.Second, false}, {-24 * time.Hour, false},
	} {
		*n.now = start
		e := dissemination("x", "p1")
		e.Time = start
		g := n.grant(t, e)
		*n.now = start.Add(tt.age)
		_, err := n.Unwrap(t.Context(), g, "x", "p1")
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, custody.ErrProof) {
			t.Errorf("entry of age %s: got %v", tt.age, err)
		}
	}
}

// TestUsedForLong: that an entry has served is remembered for as long as it
// could serve again.
func TestUsedForLong(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	e := dissemination("x", "p1")
	e.Time = start.Add(custody.ProofAge) // by another node's clock
	g := n.grant(t, e)
	if _, err := n.Unwrap(t.Context(), g, "x", "p1"); err != nil {
		t.Fatal(err)
	}
	*n.now = e.Time.Add(custody.ProofAge)
	if _, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1"); err != nil {
		t.Error(err)
	}
	if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
		t.Errorf("served twice: %v", err)
	}
}

func TestUnwrapOnce(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	g := n.grant(t, dissemination("x", "p1"))
	var served atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := n.Unwrap(t.Context(), g, "x", "p1")
			if err == nil {
				served.Add(1)
			} else if !errors.Is(err, custody.ErrProof) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := served.Load(); got != 1 {
		t.Errorf("served %d times", got)
	}
}

// TestMaintenance: it opens what was ingested in its range, each package once.
func TestMaintenance(t *testing.T) {
	n := newBed(t).node(t, "a")
	xk, x := n.ingest(t, "x", "p1", nil)
	n.act(t, life.Chain("z"), "N", life.AttemptAbandoned, &life.Attempt{Package: "p9"})
	yk, y := n.ingest(t, "y", "p2", nil)
	both := n.grant(t, maintenance(x.Index, y.Index+1))
	for _, tt := range []struct {
		dossier, attempt string
		want             signing.SessionKey
	}{{"x", "p1", xk}, {"y", "p2", yk}} {
		if got, err := n.Unwrap(t.Context(), both, tt.dossier, tt.attempt); err != nil || got != tt.want {
			t.Errorf("%s: got another key, or %v", tt.dossier, err)
		}
		if _, err := n.Unwrap(t.Context(), both, tt.dossier, tt.attempt); !errors.Is(err, custody.ErrProof) {
			t.Errorf("%s twice: got %v, want ErrProof", tt.dossier, err)
		}
	}
	for _, tt := range []struct {
		from, to uint64
		x, y     bool
	}{
		{0, x.Index, false, false}, {x.Index, x.Index, false, false}, {x.Index, x.Index + 1, true, false}, {x.Index, y.Index, true, false},
		{x.Index + 1, y.Index + 1, false, true}, {y.Index + 1, 1000, false, false}, {y.Index + 1, 0, false, false},
	} {
		g := n.grant(t, maintenance(tt.from, tt.to))
		for dossier, want := range map[string]bool{"x": tt.x, "y": tt.y} {
			_, err := n.Unwrap(t.Context(), g, dossier, map[string]string{"x": "p1", "y": "p2"}[dossier])
			if (err == nil) != want || err != nil && !errors.Is(err, custody.ErrProof) {
				t.Errorf("%s in [%d, %d): got %v, want allowed: %v", dossier, tt.from, tt.to, err, want)
			}
		}
	}
	for _, bad := range [][2]string{{"", ""}, {"0", ""}, {"", "9"}, {"-1", "9"}, {"a", "9"}, {"0", "x"}, {"0", "99999999999999999999999"}} {
		g := n.grant(t, audit.Event{Type: "maintenance", Details: map[string]string{"purpose": "index", "from": bad[0], "to": bad[1]}})
		if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
			t.Errorf("range %q: got %v, want ErrProof", bad, err)
		}
	}
	all := n.grant(t, maintenance(0, 1000))
	if _, err := n.Unwrap(t.Context(), all, "unknown", "p1"); !errors.Is(err, custody.ErrProof) {
		t.Errorf("a dossier that the ledger does not know: got %v, want ErrProof", err)
	}
}

// TestSwappedPackets: whoever can write to the keys bucket puts another
// dossier's packets in the place of one he may see. The custodian must not open
// them: the seal has their digest.
func TestSwappedPackets(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	secret, _ := n.ingest(t, "y", "p2", nil)
	packets, err := n.Packets(t.Context(), "y", "p2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.packets.Put(t.Context(), "x/p1.1", packets, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1"); !errors.Is(err, chain.ErrTampered) {
		t.Errorf("got %v, want ErrTampered; is it the key of y: %v", err, got == secret)
	}
}

// TestUnwrapUnsealed: what no seal names is opened under no grant.
func TestUnwrapUnsealed(t *testing.T) {
	n := newBed(t).node(t, "a")
	_, e := n.ingest(t, "x", "p1", nil)
	if _, err := n.Write(t.Context(), "x", "p7", signing.NewSessionKey()); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]custody.Grant{
		"dissemination": n.grant(t, dissemination("x", "p7")), "maintenance": n.grant(t, maintenance(e.Index, e.Index+1)),
	} {
		if _, err := n.Unwrap(t.Context(), g, "x", "p7"); !errors.Is(err, custody.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
}

// TestMaintenanceCoversIngestionsOnly: that a later act of the dossier stands in
// the range opens nothing, nor does a range that is no pair of numbers.
func TestMaintenanceCoversIngestionsOnly(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	h := n.act(t, life.Chain("x"), "H", life.Hold, &life.HoldBody{Hold: "h"})
	if _, err := n.Unwrap(t.Context(), n.grant(t, maintenance(h.Index, h.Index+1)), "x", "p1"); !errors.Is(err, custody.ErrProof) {
		t.Errorf("range of a hold: got %v, want ErrProof", err)
	}
	for _, bad := range [][2]string{{"0 x", "9"}, {"0", "9 x"}, {"0x0", "0x9"}, {"+0", "9"}, {" 0", "9"}} {
		g := n.grant(t, audit.Event{Type: "maintenance", Details: map[string]string{"purpose": "index", "from": bad[0], "to": bad[1]}})
		if _, err := n.Unwrap(t.Context(), g, "x", "p1"); !errors.Is(err, custody.ErrProof) {
			t.Errorf("range %q: got %v, want ErrProof", bad, err)
		}
	}
}

// TestUnwrapWithoutPackets: what is gone, altered or not for this archive opens
// nothing.
func TestUnwrapWithoutPackets(t *testing.T) {
	n := newBed(t).node(t, "a")
	n.ingest(t, "x", "p1", nil)
	try := func() error {
		_, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1")
		return err
	}
	packets, err := n.Packets(t.Context(), "x", "p1")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := signing.WrapKey(signing.NewSessionKey(), n.recovery.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(packets)
	bad[len(bad)/4] ^= 1
	for name, data := range map[string][]byte{"altered": bad, "not for this key": foreign, "nonsense": []byte("x"), "too long": make([]byte, 2<<20)} {
		if _, err := n.packets.Put(t.Context(), "x/p1.1", data, nil); err != nil {
			t.Fatal(err)
		}
		if err := try(); err == nil || errors.Is(err, custody.ErrProof) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := n.packets.Delete(context.Background(), "x/p1.1"); err != nil {
		t.Fatal(err)
	}
	if err := try(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("gone: got %v, want fs.ErrNotExist", err)
	}
}
