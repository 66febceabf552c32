package s3_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/s3"
	"github.com/luutru/luutru/store/storetest"
)

// server returns how to reach the server that LUUTRU_TEST_S3 names, in the form
// http://key:secret@host:port.
func server(t testing.TB, raw string) s3.Config {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		t.Fatal("LUUTRU_TEST_S3 is not of the form http://key:secret@host:port")
	}
	secret, _ := u.User.Password()
	return s3.Config{
		Endpoint: u.Host, AccessKey: u.User.Username(), SecretKey: secret,
		Secure: u.Scheme == "https", Now: time.Now,
	}
}

// newRun names what one run of a test makes.
func newRun() string {
	var id [6]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func newBucket(t testing.TB, cfg s3.Config, locked bool) *s3.Bucket {
	t.Helper()
	cfg.Bucket = "luutru-test-" + newRun()
	if err := s3.CreateBucket(t.Context(), cfg, locked); err != nil {
		t.Fatal(err)
	}
	b, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// marked is a bucket in which a test can make delete markers.
type marked struct {
	*s3.Bucket
	client *minio.Client
	name   string
}

func (m *marked) Mark(ctx context.Context, key string) error {
	return m.client.RemoveObject(ctx, m.name, key, minio.RemoveObjectOptions{})
}

func newMarked(t testing.TB, cfg s3.Config) *marked {
	t.Helper()
	client, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Secure: cfg.Secure, Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBucket(t, cfg, true)
	return &marked{b, client, b.Name()}
}

// TestServer runs the conformance suite on an outside server, when one is given.
func TestServer(t *testing.T) {
	raw := os.Getenv("LUUTRU_TEST_S3")
	if raw == "" {
		t.Log("no outside server requested by LUUTRU_TEST_S3; store/embedded runs the suite on its own")
		return
	}
	// Signing and kind of bucket have nothing to do with each other.
	t.Run("Locked", func(t *testing.T) {
		storetest.Test(t, func(t *testing.T) store.Store { return newMarked(t, server(t, raw)) })
	})
	t.Run("Plain", func(t *testing.T) {
		cfg := server(t, raw)
		cfg.UnsignedPayload = true
		storetest.TestPlain(t, func(t *testing.T) store.Store { return newBucket(t, cfg, false) })
	})
}

// TestServerProbe runs Probe on an outside server, when one is given. What the
// server lacks is printed, not skipped: see Report.
func TestServerProbe(t *testing.T) {
	raw := os.Getenv("LUUTRU_TEST_S3")
	if raw == "" {
		t.Log("no outside server requested by LUUTRU_TEST_S3")
		return
	}
	for _, archive := range []bool{true, false} {
		cfg := server(t, raw)
		cfg.UnsignedPayload = archive
		b := newBucket(t, cfg, archive)
		probe(t, b, archive)
	}
}

// probe runs Probe and checks that it cleans up.
func probe(t *testing.T, b *s3.Bucket, archive bool) *s3.Report {
	t.Helper()
	report, err := s3.Probe(t.Context(), b, archive)
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Logf("archive %v, server %q, skew %v, %d requests", archive, report.Server, report.Skew, b.Requests())
	for _, c := range report.Capabilities {
		t.Logf("%-20s ok=%-5v needed=%-5v %s", c.Name, c.OK, c.Needed, c.Detail)
		if c.Vietnamese == "" || c.English == "" || c.OK != (c.Detail == "") {
			t.Errorf("%+v is incomplete", c)
		}
	}
	for info, err := range b.List(t.Context(), "", &store.ListOptions{Versions: true}) {
		t.Errorf("Probe left %+v, %v", info, err)
	}
	return report
}

// TestOutsideClaims has many clients, each with handles of its own as processes
// have, race for keys on the outside server: one wins each, by the server's own
// put-if-absent or by claims.
func TestOutsideClaims(t *testing.T) {
	raw := os.Getenv("LUUTRU_TEST_S3")
	if raw == "" {
		t.Log("no outside server requested by LUUTRU_TEST_S3")
		return
	}
	cfg := server(t, raw)
	cfg.UnsignedPayload = true
	archive, work := newBucket(t, cfg, true), newBucket(t, cfg, false)
	var stores []store.Store
	for range 4 {
		a, w := cfg, cfg
		a.Bucket, w.Bucket = archive.Name(), work.Name()
		ab, err := s3.Open(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		wb, err := s3.Open(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		ok, err := ab.Exclusive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			stores = append(stores, ab)
		} else {
			stores = append(stores, store.Claimed(ab, wb))
		}
	}
	for n := range 20 {
		key := fmt.Sprintf("race/%d/%04d", time.Now().UnixNano(), n)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				_, err := stores[i%len(stores)].Put(t.Context(), key, fmt.Append(nil, "writer ", i), &store.PutOptions{IfAbsent: true})
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Errorf("%s: %d winners", key, wins.Load())
		}
	}
}
