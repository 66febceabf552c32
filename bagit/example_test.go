package bagit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
)

func Example() {
	var packed bytes.Buffer
	w, err := bagit.NewWriter(&packed, bagit.Options{
		Form: container.ZIP, Name: "H29.68-260630-0001", Time: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		Info: []bagit.Tag{{Label: "External-Identifier", Value: "H29.68-260630-0001"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	document, err := w.Create(bagit.Payload{Path: "trích lục.txt", Size: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.WriteString(document, "content")
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	b, err := bagit.Open(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, fault := range b.Verify(context.Background()) {
		fmt.Println(fault.Rule, fault.English)
	}
	for _, f := range b.Files() {
		fmt.Println(f.Path, f.Size, f.Digests["sha256"][:8])
	}
	// Output: data/trích lục.txt 7 ed7002b4
}
