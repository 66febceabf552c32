package audit_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
)

// A log is made once, appended to from any number of nodes, and proves its
// entries to people who have nothing but its public key.
func Example() {
	ctx := context.Background()
	skey, vkey, err := audit.GenerateKey("archive.example.vn/ledger")
	if err != nil {
		log.Fatal(err)
	}
	config := audit.Config{
		Store: store.NewMemory(store.MemoryOptions{Versioned: true}),
		Work:  store.NewMemory(store.MemoryOptions{}),
		Key:   skey, VKey: vkey, Node: "node 1", Now: time.Now,
	}
	if err := audit.Create(ctx, config); err != nil {
		log.Fatal(err)
	}
	ledger, err := audit.Open(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	entry, err := ledger.Append(ctx, audit.Event{ID: "retrieval 17", Type: "dissemination"})
	if err != nil {
		log.Fatal(err) // and no retrieval
	}
	proof, err := ledger.Prove(ctx, entry.Index)
	if err != nil {
		log.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		log.Fatal(err)
	}

	index, err := audit.VerifyProof(vkey, entry.Raw, proof)
	fmt.Println("entry", index, err)
	report, err := audit.Verify(ctx, config)
	fmt.Println(report.Entries, "entries", len(report.Findings), "findings", err)
	// Output:
	// entry 0 <nil>
	// 1 entries 0 findings <nil>
}
