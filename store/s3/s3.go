// Package s3 keeps a [store.Store] in a bucket on an S3 server.
//
// It relies on little, because servers differ: a small PUT with If-None-Match
// is atomic, objects are there as soon as a request has returned, and, in the
// archive bucket, versions can be locked and deleted by their id. It asks for
// nothing else: no conditional multipart upload, no trailing checksums, no
// lifecycle rules. [Probe] tries all of it on a real bucket and says what is
// lacking and what follows.
//
// Requests are what a dossier costs, more than bytes are. Put and Get are one
// request each, so is Delete in a bucket without versions.
package s3

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/luutru/luutru/store"
)

// Config names a bucket and how to reach it.
type Config struct {
	Endpoint  string // host or host:port
	AccessKey string
	SecretKey string
	Region    string // empty means us-east-1
	Bucket    string
	Secure    bool // use TLS

	// Transport, if not nil, carries the requests, for a private certificate
	// authority or a UNIX socket. The default keeps enough connections open
	// for many small requests at once.
	Transport http.RoundTripper

	// UnsignedPayload leaves the content out of the request's signature,
	// which spares a third of the time of large puts; a CRC-32C stands in
	// for it against accidents. Over TLS this is always so. Without TLS it is
	// only for connections that do not leave the machine: a Transport, or a
	// loopback address.
	UnsignedPayload bool

	// Retries is how often a request is tried; 0 means 5.
	Retries int

	// Now is the local clock, which Probe compares with the server's. Without
	// it, Probe says that it could not.
	Now func() time.Time
}

// Bucket is a bucket on an S3 server. It implements store.Store,
// store.Uploader and store.Locker.
type Bucket struct {
	core     minio.Core
	name     string
	wire     *wire
	unsigned bool
	secrets  []string // never to appear in an error
	now      func() time.Time

	locking   bool         // has object lock
	autolock  bool         // locks every object by default
	versioned atomic.Bool  // keeps versions; somebody may switch it on later
	lockedPut atomic.Int32 // whether one request can put and lock
	// Locks and holds were seen to be kept.
	keepsLocks, keepsHolds atomic.Bool
	exclusive              exclusive
}

// What a server can is found out when it is first needed.
const (
	unknown = iota
	works
	fails
)

var (
	_ store.Store    = (*Bucket)(nil)
	_ store.Uploader = (*Bucket)(nil)
	_ store.Locker   = (*Bucket)(nil)
)

// Open returns the bucket, which must exist: a missing one is an error wrapping
// fs.ErrNotExist.
func Open(ctx context.Context, cfg Config) (*Bucket, error) {
	b, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	if err := b.learn(ctx); err != nil {
		return nil, fmt.Errorf("bucket %q: %w", cfg.Bucket, err)
	}
	return b, nil
}

// CreateBucket creates the bucket: one with versions and object lock, as the
// archive needs it, or a plain one, for what must be deletable at once. Object
// lock cannot be switched on later on every server, hence from the start. An
// existing bucket that is as asked for is left alone; one that is not is an
// error wrapping errors.ErrUnsupported.
func CreateBucket(ctx context.Context, cfg Config, versionedAndLocked bool) error {
	b, err := connect(cfg)
	if err != nil {
		return err
	}
	err = b.core.MakeBucket(ctx, b.name, minio.MakeBucketOptions{
		Region: cfg.Region, ObjectLocking: versionedAndLocked,
	})
	switch code := minio.ToErrorResponse(err).Code; {
	case err == nil, code == "BucketAlreadyOwnedByYou", code == "BucketAlreadyExists":
	default:
		return b.translate(ctx, "create bucket", cfg.Bucket, err)
	}
	if err := b.learn(ctx); err != nil {
		return fmt.Errorf("bucket %q: %w", cfg.Bucket, err)
	}
	if versionedAndLocked && !b.locking {
		return fmt.Errorf("bucket %q has no object lock: %w", cfg.Bucket, errors.ErrUnsupported)
	}
	if !versionedAndLocked && b.versioned.Load() {
		return fmt.Errorf("bucket %q keeps versions: %w", cfg.Bucket, errors.ErrUnsupported)
	}
	return nil
}

// Requests returns how many HTTP requests were sent for this bucket, retries
// included.
func (b *Bucket) Requests() uint64 { return b.wire.requests.Load() }

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

// complete returns the configuration with its defaults, if it makes sense.
func (cfg Config) complete() (Config, error) {
	if cfg.Endpoint == "" || strings.ContainsAny(cfg.Endpoint, "/@ ") {
		return cfg, fmt.Errorf("endpoint %q is not of the form host:port: %w", cfg.Endpoint, fs.ErrInvalid)
	}
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return cfg, fmt.Errorf("endpoint %q: access key or secret key missing: %w", cfg.Endpoint, fs.ErrInvalid)
	}
	if cfg.UnsignedPayload && !cfg.Secure && cfg.Transport == nil && !loopback(cfg.Endpoint) {
		return cfg, fmt.Errorf("endpoint %q: unsigned payload without TLS: %w", cfg.Endpoint, errors.ErrUnsupported)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // or every bucket would be asked for its location first
	}
	if cfg.Retries == 0 {
		cfg.Retries = 5
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	return cfg, nil
}

func connect(cfg Config) (*Bucket, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	b := &Bucket{
		name:     cfg.Bucket,
		wire:     &wire{base: cfg.Transport},
		unsigned: cfg.Secure || cfg.UnsignedPayload,
		secrets:  []string{cfg.SecretKey, cfg.AccessKey},
		now:      cfg.Now,
	}
	b.exclusive.seed = maphash.MakeSeed()
	client, err := minio.NewCore(cfg.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure:     cfg.Secure,
		Region:     cfg.Region,
		Transport:  b.wire,
		MaxRetries: cfg.Retries,
	})
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %v", cfg.Endpoint, err)
	}
	b.core = *client
	return b, nil
}

// learn asks the server what kind of bucket this is.
func (b *Bucket) learn(ctx context.Context) error {
	versioning, err := b.core.GetBucketVersioning(ctx, b.name)
	if err != nil {
		if minio.ToErrorResponse(err).Code == minio.NoSuchBucket {
			return fs.ErrNotExist
		}
		return b.translate(ctx, "versioning", b.name, err)
	}
	// Suspended versioning still has versions, and deletes by marking.
	b.versioned.Store(versioning.Status != "")
	if !versioning.Enabled() {
		return nil
	}
	state, mode, _, _, err := b.core.GetObjectLockConfig(ctx, b.name)
	switch code := minio.ToErrorResponse(err).Code; {
	case err == nil:
		b.locking = state == "Enabled"
		b.autolock = mode != nil && *mode != "" // some servers tell of an empty rule
	case code == "ObjectLockConfigurationNotFoundError", code == "NotImplemented", code == "InvalidRequest":
	default:
		return b.translate(ctx, "object lock", b.name, err)
	}
	return nil
}

// loopback reports whether an endpoint is on this machine for certain.
func loopback(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		host = strings.Trim(endpoint, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
