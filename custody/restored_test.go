package custody_test

import (
	"testing"

	"github.com/luutru/luutru/life"
)

// TestRestoredPackets: key packets that come back from a copy after they were
// condemned open nothing.
func TestRestoredPackets(t *testing.T) {
	for _, destroyed := range []bool{false, true} {
		n := newBed(t).node(t, "a")
		n.condemnable(t)
		packets, err := n.Packets(t.Context(), "x", "p1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Delete(t.Context(), "D", "x"); err != nil {
			t.Fatal(err)
		}
		if destroyed {
			n.act(t, "dossiers/x", "D", life.Destroyed, &life.Destruction{Case: "c"})
		}
		if _, err := n.packets.Put(t.Context(), "x/p1.1", packets, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Unwrap(t.Context(), n.grant(t, dissemination("x", "p1")), "x", "p1"); err == nil {
			t.Errorf("destroyed: %v: opened", destroyed)
		}
	}
}
