package embedded_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/embedded"
	"github.com/luutru/luutru/store/s3"
	"github.com/luutru/luutru/store/storetest"
)

// clientConfig returns what store/s3 needs to reach a server.
func clientConfig(e embedded.Endpoint, bucket string) s3.Config {
	return s3.Config{
		Endpoint: e.Host, AccessKey: e.AccessKey, SecretKey: e.SecretKey, Region: e.Region, Transport: e.Transport,
		Bucket: bucket, UnsignedPayload: true, Now: time.Now,
	}
}

// marked is a bucket in which a test can make delete markers.
type marked struct {
	*s3.Bucket
	client *minio.Client
}

// Mark implements what storetest.Test looks for.
func (m marked) Mark(ctx context.Context, key string) error {
	return m.client.RemoveObject(ctx, m.Name(), key, minio.RemoveObjectOptions{})
}

func open(t testing.TB, cfg s3.Config, locked bool) *s3.Bucket {
	t.Helper()
	if err := s3.CreateBucket(t.Context(), cfg, locked); err != nil {
		t.Fatal(err)
	}
	b, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStore runs the suite of package store through the product's own client.
func TestStore(t *testing.T) {
	e := start(t, embedded.Config{Dir: t.TempDir()}).Endpoint()
	var n atomic.Int64
	config := func() s3.Config { return clientConfig(e, fmt.Sprintf("bucket-%d", n.Add(1))) }
	t.Run("Locked", func(t *testing.T) {
		storetest.Test(t, func(t *testing.T) store.Store { return marked{open(t, config(), true), client(t, e)} })
	})
	t.Run("Plain", func(t *testing.T) {
		storetest.TestPlain(t, func(t *testing.T) store.Store { return open(t, config(), false) })
	})
}

// TestProbe has the client try out all that it could need: nothing is lacking.
func TestProbe(t *testing.T) {
	e := start(t, embedded.Config{Dir: t.TempDir()}).Endpoint()
	for name, archive := range map[string]bool{"archive": true, "keys": false} {
		report, err := s3.Probe(t.Context(), open(t, clientConfig(e, name), archive), archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range report.Capabilities {
			if !c.OK {
				t.Errorf("%s: %s: %s", name, c.Name, c.Detail)
			}
		}
	}
}
