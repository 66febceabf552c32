package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store/s3"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func background() context.Context { return context.Background() }

// bed is an S3 server with a set of fresh buckets.
type bed struct {
	config s3.Config // without a bucket
	wire   *wire
	suffix string // of the names of buckets
	tcp    string // http://host:port, for other programs
	dir    string // for whatever lies on disk
}

// store names a server that comparisons run on.
type store struct{ name, url string }

// stores are the embedded one, fresh for every run, and the one of
// LUUTRU_TEST_S3, if any.
func stores() []store {
	all := []store{{name: "embedded"}}
	if u := os.Getenv("LUUTRU_TEST_S3"); u != "" {
		all = append(all, store{"LUUTRU_TEST_S3", u})
	}
	return all
}

// workDir is on the disk that is measured: below LUUTRU_BENCH_DIR, where given.
func workDir(t testing.TB) string {
	t.Helper()
	parent := os.Getenv("LUUTRU_BENCH_DIR")
	if parent == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(parent, "run-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (s store) open(t testing.TB) *bed {
	t.Helper()
	b := &bed{dir: workDir(t), suffix: "-" + strings.ToLower(rand.Text()[:12])}
	if s.url != "" {
		b.remote(t, s.url)
		return b
	}
	server, addr, err := startStore(filepath.Join(b.dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	e := server.Endpoint()
	b.wire = newWire(e.Transport)
	b.tcp = "http://" + addr
	b.config = s3.Config{Endpoint: e.Host, AccessKey: e.AccessKey, SecretKey: e.SecretKey, Region: e.Region, Transport: b.wire, UnsignedPayload: true, Now: time.Now}
	return b
}

func (b *bed) remote(t testing.TB, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		t.Fatal("LUUTRU_TEST_S3 is not of the form http://key:secret@host:port")
	}
	secret, _ := u.User.Password()
	b.wire = newWire(&http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10})
	b.tcp = u.Scheme + "://" + u.Host
	b.config = s3.Config{Endpoint: u.Host, AccessKey: u.User.Username(), SecretKey: secret, Secure: u.Scheme == "https", Transport: b.wire, UnsignedPayload: true, Now: time.Now}
}

// create makes a fresh bucket.
func (b *bed) create(ctx context.Context, name string, locked bool) (*s3.Bucket, error) {
	c := b.config
	c.Bucket = name + b.suffix
	if err := s3.CreateBucket(ctx, c, locked); err != nil {
		return nil, err
	}
	return s3.Open(ctx, c)
}

func (b *bed) bucket(t testing.TB, name string, locked bool) *s3.Bucket {
	t.Helper()
	k, err := b.create(t.Context(), name, locked)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// plain is a bucket used without luutru.
type plain struct {
	*minio.Core
	name string
}

// plain makes a fresh bucket with the same properties as the archive's.
func (b *bed) plain(t testing.TB) *plain {
	t.Helper()
	b.bucket(t, "plain", true)
	c, err := minio.NewCore(b.config.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(b.config.AccessKey, b.config.SecretKey, ""),
		Secure: b.config.Secure, Region: b.region(), Transport: b.wire,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &plain{c, "plain" + b.suffix}
}

func (b *bed) region() string {
	if b.config.Region == "" {
		return "us-east-1"
	}
	return b.config.Region
}

// put is the fastest durable PUT that we know: one request, the content not
// signed but checked by a CRC, as store/s3 does it.
func (p *plain) put(ctx context.Context, key string, data []byte) error {
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	_, err := p.PutObject(ctx, p.name, key, bytes.NewReader(data), int64(len(data)), "", "", minio.PutObjectOptions{
		UserMetadata:         map[string]string{"X-Amz-Checksum-Crc32c": base64.StdEncoding.EncodeToString(sum)},
		DisableContentSha256: true,
	})
	return err
}

// putInParts is how a large object is put: eight-MiB parts, checked likewise.
func putInParts() minio.PutObjectOptions {
	return minio.PutObjectOptions{PartSize: 8 << 20, NumThreads: 2, ConcurrentStreamParts: true, DisableContentSha256: true, SendContentMd5: true}
}

// get reads an object, or n octets of it from an offset.
func (p *plain) get(ctx context.Context, key string, off, n int64) (int64, error) {
	var o minio.GetObjectOptions
	if n > 0 {
		if err := o.SetRange(off, off+n-1); err != nil {
			return 0, err
		}
	}
	r, _, _, err := p.GetObject(ctx, p.name, key, o)
	if err != nil {
		return 0, err
	}
	got, err := io.Copy(io.Discard, r)
	return got, errors.Join(err, r.Close())
}

// portal pushes, and inspects.
var portal = archive.Agent{Subject: "bench", Roles: []archive.Role{archive.Producer, archive.Inspector}, Agencies: []string{"*"}}

// found makes an archive in three fresh buckets, as luutru init would, and
// opens it. The index has to be closed after it.
func (b *bed) found(ctx context.Context) (a *archive.Archive, ix *index.Index, err error) {
	c := archive.Config{Node: "bench", Now: time.Now, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}
	if c.Keyring, _, err = archive.GenerateKeyring(signing.Hybrid, archiveName, time.Now()); err != nil {
		return nil, nil, err
	}
	if c.Archive, err = b.create(ctx, "archive", true); err != nil {
		return nil, nil, err
	}
	if c.Keys, err = b.create(ctx, "keys", false); err != nil {
		return nil, nil, err
	}
	if c.Work, err = b.create(ctx, "work", false); err != nil {
		return nil, nil, err
	}
	if c.Index, err = index.Create(filepath.Join(b.dir, "index"), bytes.Repeat([]byte{1}, index.KeySize)); err != nil {
		return nil, nil, err
	}
	if err := archive.Create(ctx, c, archiveName, retention.Seed()); err != nil {
		return nil, c.Index, err
	}
	a, err = archive.Open(ctx, c)
	return a, c.Index, err
}

const archiveName = "bench.luutru.test"

// archive opens a new archive; the test's end waits for its index.
func (b *bed) archive(t testing.TB) *archive.Archive {
	t.Helper()
	a, ix, err := b.found(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(a.Indexed(background()), a.Close(), ix.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// serve serves an archive on a loopback port and returns its client.
func serve(a *archive.Archive, dir string) (*api.Client, func() error, error) {
	secret, token := api.NewToken(portal, time.Now().Add(24*time.Hour))
	line, err := json.Marshal([]api.Token{token})
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "tokens.json")
	if err := os.WriteFile(path, line, 0o600); err != nil {
		return nil, nil, err
	}
	tokens, err := api.OpenTokens(path, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: api.New(api.Config{Archive: a, Authenticator: tokens, Now: time.Now})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	stop := func() error {
		transport.CloseIdleConnections()
		err := server.Close()
		<-served
		return err
	}
	return &api.Client{URL: "http://" + l.Addr().String(), Token: secret, HTTP: &http.Client{Transport: transport}}, stop, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
