package embedded_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/luutru/luutru/store/embedded"
)

// start runs a server on dir until the test ends.
func start(t testing.TB, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func credentialsOf(e embedded.Endpoint) *credentials.Credentials {
	return credentials.NewStaticV4(e.AccessKey, e.SecretKey, "")
}

func newClient(e embedded.Endpoint) (*minio.Client, error) {
	return minio.New(e.Host, &minio.Options{
		Creds: credentialsOf(e), Region: e.Region,
		Transport: e.Transport, BucketLookup: minio.BucketLookupPath,
	})
}

func client(t testing.TB, e embedded.Endpoint) *minio.Client {
	t.Helper()
	c, err := newClient(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bucket starts a server with one bucket.
func bucket(t testing.TB, locking bool) *minio.Client {
	t.Helper()
	c := client(t, start(t, embedded.Config{Dir: t.TempDir()}).Endpoint())
	if err := c.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{ObjectLocking: locking}); err != nil {
		t.Fatal(err)
	}
	return c
}

// fast are the options the product puts with: no hash of the payload in the
// signature, a CRC-32C in a header instead.
func fast(data []byte) minio.PutObjectOptions {
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	return minio.PutObjectOptions{
		DisableMultipart: true, DisableContentSha256: true,
		UserMetadata: map[string]string{"X-Amz-Checksum-Crc32c": base64.StdEncoding.EncodeToString(sum)},
	}
}

func absent(data []byte) minio.PutObjectOptions {
	o := fast(data)
	o.SetMatchETagExcept("*")
	return o
}

func put(ctx context.Context, c *minio.Client, key string, data []byte, o minio.PutObjectOptions) (minio.UploadInfo, error) {
	return c.PutObject(ctx, "archive", key, bytes.NewReader(data), int64(len(data)), o)
}

func mustPut(t testing.TB, c *minio.Client, key string, data []byte) string {
	t.Helper()
	u, err := put(t.Context(), c, key, data, fast(data))
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return u.VersionID
}

func get(ctx context.Context, c *minio.Client, key, version string) ([]byte, error) {
	r, err := c.GetObject(ctx, "archive", key, minio.GetObjectOptions{VersionID: version})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func code(err error) string { return minio.ToErrorResponse(err).Code }

// retained adds a COMPLIANCE lock to options.
func retained(o minio.PutObjectOptions, until time.Time) minio.PutObjectOptions {
	o.Mode, o.RetainUntilDate = minio.Compliance, until.UTC().Truncate(time.Second)
	return o
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	c := client(t, s.Endpoint())
	ctx := t.Context()
	if err := c.MakeBucket(ctx, "archive", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	small, large := []byte("small"), bytes.Repeat([]byte("large"), 1<<20)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	versions := map[string]string{}
	for key, data := range map[string][]byte{"a/small": small, "a/large": large} {
		u, err := put(ctx, c, key, data, retained(absent(data), until))
		if err != nil {
			t.Fatal(err)
		}
		versions[key] = u.VersionID
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = start(t, embedded.Config{Dir: dir})
		c = client(t, s.Endpoint())
		for key, data := range map[string][]byte{"a/small": small, "a/large": large} {
			if got, err := get(ctx, c, key, versions[key]); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s after restart: %d bytes, %v", key, len(got), err)
			}
			if _, got, err := c.GetObjectRetention(ctx, "archive", key, versions[key]); err != nil || !got.Equal(until) {
				t.Errorf("%s: locked until %v, %v, want %v", key, got, err, until)
			}
			if _, err := put(ctx, c, key, data, absent(data)); code(err) != "PreconditionFailed" {
				t.Errorf("%s put again: %v", key, err)
			}
		}
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	if _, err := embedded.Start(t.Context(), embedded.Config{Dir: dir}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("second server: %v, want ErrInUse", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := impatient(t, s).ListBuckets(t.Context()); err == nil {
		t.Error("a closed server answers")
	}
	start(t, embedded.Config{Dir: dir})
}

// TestWorkingDirectory starts two servers under relative names: the process
// stays where it is, and later changes of directory do not matter.
func TestWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"one", "two/deep"} {
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		c := client(t, start(t, embedded.Config{Dir: dir}).Endpoint())
		if after, err := os.Getwd(); err != nil || after != before {
			t.Errorf("working directory %q, %v, was %q", after, err, before)
		}
		if err := c.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(before, dir, "buckets", "archive.json")); err != nil {
			t.Error(err)
		}
		t.Chdir(before)
	}
}

// TestLongPath has a directory whose socket would not fit into an address.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	c := client(t, start(t, embedded.Config{Dir: dir}).Endpoint())
	if _, err := c.ListBuckets(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAddr(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:9000", ":9000", "192.0.2.1:9000", "localhost", "127.0.0.1:0", "example.org:9000", "127.0.0.1:x"} {
		if s, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Addr: addr}); err == nil {
			t.Errorf("address %q accepted", addr)
			s.Close()
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	// Taken: the error must come back, and nothing stay behind.
	dir := t.TempDir()
	if s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir, Addr: addr}); err == nil {
		t.Error("address in use accepted")
		s.Close()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	e := start(t, embedded.Config{Dir: dir, Addr: addr}).Endpoint()
	e.Host, e.Transport = addr, http.DefaultTransport
	if _, err := client(t, e).ListBuckets(t.Context()); err != nil {
		t.Errorf("over TCP: %v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	first := s.Endpoint()
	for name, want := range map[string]fs.FileMode{"credentials": 0o600, "s3.sock": 0o600 | fs.ModeSocket} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	wrong := first
	wrong.SecretKey += "x"
	if _, err := client(t, wrong).ListBuckets(t.Context()); code(err) != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: %v", err)
	}
	nobody := first
	nobody.AccessKey, nobody.SecretKey = "", ""
	if _, err := client(t, nobody).ListBuckets(t.Context()); err == nil {
		t.Error("anonymous request answered")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, embedded.Config{Dir: dir}).Endpoint()
	if second.AccessKey != first.AccessKey || second.SecretKey != first.SecretKey || len(first.SecretKey) < 40 {
		t.Error("credentials changed")
	}
	third := start(t, embedded.Config{Dir: t.TempDir()}).Endpoint()
	if third.SecretKey == first.SecretKey {
		t.Error("credentials are not random")
	}
}

func TestBrokenCredentials(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "credentials"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(t.Context(), embedded.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("started with broken credentials: %v", err)
	}
}

func TestCancelledStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if s, err := embedded.Start(ctx, embedded.Config{Dir: dir}); err == nil {
		s.Close() // it listened before it looked
	}
	start(t, embedded.Config{Dir: dir}) // and the directory is free again
}

func TestBuckets(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	c, ctx := client(t, s.Endpoint()), t.Context()
	for _, name := range []string{"keys", "archive", "work"} {
		if err := c.MakeBucket(ctx, name, minio.MakeBucketOptions{ObjectLocking: name == "archive"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.MakeBucket(ctx, "keys", minio.MakeBucketOptions{}); code(err) != "BucketAlreadyOwnedByYou" {
		t.Errorf("made twice: %v", err)
	}
	mustPut(t, c, "a/b", []byte("x"))
	if err := c.RemoveBucket(ctx, "archive"); err == nil {
		t.Error("removed a bucket with an object")
	}
	if err := c.RemoveBucket(ctx, "work"); err != nil {
		t.Error(err)
	}
	if err := c.EnableVersioning(ctx, "keys"); err != nil {
		t.Error(err)
	}
	if err := c.SuspendVersioning(ctx, "keys"); err == nil {
		t.Error("versioning suspended")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c = client(t, start(t, embedded.Config{Dir: dir}).Endpoint())
	var names []string
	buckets, err := c.ListBuckets(ctx)
	for _, b := range buckets {
		names = append(names, b.Name)
	}
	if err != nil || !slices.Equal(names, []string{"archive", "keys"}) {
		t.Errorf("buckets %q, %v", names, err)
	}
	if v, err := c.GetBucketVersioning(ctx, "keys"); err != nil || !v.Enabled() {
		t.Errorf("versioning after restart: %v, %v", v, err)
	}
	if lock, _, _, _, err := c.GetObjectLockConfig(ctx, "archive"); err != nil || lock != "Enabled" {
		t.Errorf("object lock after restart: %q, %v", lock, err)
	}
	if ok, err := c.BucketExists(ctx, "work"); ok || err != nil {
		t.Errorf("removed bucket exists: %v, %v", ok, err)
	}
	if _, err := c.StatObject(ctx, "work", "a", minio.StatObjectOptions{}); code(err) != "NoSuchBucket" && code(err) != "NoSuchKey" {
		t.Errorf("object of a removed bucket: %v", err)
	}
}
