// Package embedded is an S3 server with object lock inside this process: the
// request handling of versitygw over a directory, so that the demo, the tests
// and a small commune need no other program and no port. It is the only
// importer of versitygw.
//
// It does not bind whoever is root on the host. Object lock here means that no
// S3 request, whatever its credentials, deletes or shortens what is locked;
// but whoever may write to the directory can delete its files, and nothing in
// the directory would show it. The ledger and its checkpoints kept elsewhere
// show it; only a store under another administrator prevents it. Production
// uses a real cluster: a cloud's S3, Ceph RGW, or the like.
//
// # What is promised
//
// Every answer that acknowledges a change (put, multipart completion, copy,
// delete, lock, hold, bucket setting) is sent after the change is on stable
// storage: it survives kill -9 and a power cut, whole and with its lock, and
// what was not acknowledged is there whole or not at all. Put-if-absent is
// decided and written under one lock of the key, which is not held while the
// body arrives. A version under COMPLIANCE cannot be deleted nor its date
// brought forward; a legal hold outlives every date; a bucket's default
// retention is stamped on each new version, counted from its own time.
//
// # How
//
// Changes go to a redo log first (redo.go): small objects whole, large ones as
// a name whose bytes were synced before. Concurrent requests share one write
// and one fdatasync, with no journal commit of the file system. The directory
// tree is then changed without syncing; every few seconds, and when a log
// segment is full, the file system is synced once and the segment retired and
// zeroed. Start replays what a crash left.
//
// # Layout and limits
//
//	credentials lock s3.sock log.0 log.1
//	buckets/<bucket>.json        versioning, object lock
//	data/<bucket>/a/b@           the first version of key a/b: its bytes, then a record (record.go)
//	data/<bucket>/a/b@@/<id>     later versions
//	uploads/<upload>/            multipart uploads in progress
//	staging/                     large bodies on their way
//
// Everything must lie on one local Linux file system that honours fsync and
// syncfs (ext4, XFS, btrfs; tmpfs for tests; not NFS). Extended attributes are
// not needed, hard links are. 64 MiB are kept free: below that, puts are
// refused. A key has at most 1024 bytes and no segment above 240 bytes, @, %
// and NUL counting three; "a" and "a/b" may both be keys, empty segments and
// empty objects are allowed. An ETag is no digest: it says that two reads were
// of the same version.
//
// Tags, ACLs, policies, CORS, POST forms, UploadPartCopy, GetObjectAttributes
// and suspending a bucket's versioning are refused. Unfinished multipart
// uploads stay until they are aborted. Deleting removes names and, within
// seconds, the log's copy; it does not scrub the medium, and a file system or
// disk may keep old blocks.
//
// If a change has been logged and then cannot be made in the tree (the disk
// fails or is full in spite of the reserve), the server acknowledges nothing
// more and goes on reading; Close says so, and the next Start tries again.
//
// The process's working directory is left alone, and several servers may run
// in one process, each on its own directory.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

const (
	// region is the only one there is; minio-go asks for none when it is told.
	region = "us-east-1"
	// host is the name signed in requests. It resolves nowhere: the transport
	// dials the socket whatever the name.
	host = "embedded.invalid"
	// maxRequests bounds memory: each request may hold one small body.
	maxRequests = 256
	// stopWithin is far above what stopping takes.
	stopWithin = 30 * time.Second
)

var (
	// ErrInUse is returned by Start when another server, in this process or
	// another, has the directory. Use that one, or another directory.
	ErrInUse = errors.New("storage directory in use by another server")
	// ErrDamaged is returned by Start when the redo log has been altered or
	// lost blocks. Restore the directory from a copy; do not delete the log.
	ErrDamaged = errors.New("redo log damaged")
)

// Config says where a server keeps its objects.
type Config struct {
	// Dir holds everything. It is created, with mode 0700, when missing.
	Dir string
	// Addr is a loopback TCP address with a port ("127.0.0.1:9000") to serve
	// on besides the socket in Dir, for other S3 tools. Empty: none.
	Addr string
	// Logger receives what a client is only told as "internal error". Nil:
	// nobody does.
	Logger *slog.Logger
	// Now is the clock that locks are judged by. Nil: time.Now. (Request
	// signatures are judged by the system's clock.)
	Now func() time.Time

	segment int64 // size of a full log segment, for tests; 0 means fullSegment
}

// Endpoint is everything a client needs to reach a server.
type Endpoint struct {
	// Host is the endpoint's name; it is reached by Transport alone.
	Host string
	// AccessKey and SecretKey sign requests; Region is signed too.
	AccessKey, SecretKey, Region string
	// Transport speaks plain HTTP over the server's socket.
	Transport http.RoundTripper
}

// Server is a running server.
type Server struct {
	endpoint Endpoint
	idle     func() // closes the transport's idle connections
	gateway  *s3api.S3ApiServer
	served   chan error
	backend  *backend
	lock     io.Closer
	socket   *socket
}

// Start opens or creates the directory, replays what a crash left in the redo
// log, and serves. It returns when requests are answered. ctx bounds the start
// only; the server runs until Close.
func Start(ctx context.Context, c Config) (*Server, error) {
	s, err := start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("embedded store %q: %w", c.Dir, err)
	}
	return s, nil
}

func start(ctx context.Context, c Config) (_ *Server, err error) {
	if err := checkAddr(c.Addr); err != nil {
		return nil, err
	}
	// Absolute, so that a program that changes its directory later still
	// finds its objects.
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{served: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	if s.lock, err = lockDir(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	creds, err := loadCredentials(filepath.Join(dir, "credentials"))
	if err != nil {
		return nil, err
	}
	if s.backend, err = openBackend(dir, creds.AccessKey, c); err != nil {
		return nil, err
	}
	if s.socket, err = newSocket(dir); err != nil {
		return nil, err
	}
	if err := s.serve(ctx, creds, c.Addr); err != nil {
		return nil, err
	}
	return s, nil
}

// serve starts the gateway and waits until it listens.
func (s *Server) serve(ctx context.Context, creds credentials, addr string) error {
	path := s.socket.path()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
		MaxIdleConns: maxRequests, MaxIdleConnsPerHost: maxRequests,
		IdleConnTimeout:    time.Minute,
		DisableCompression: true,
		WriteBufferSize:    64 << 10, ReadBufferSize: 64 << 10,
	}
	s.idle = transport.CloseIdleConnections
	s.endpoint = Endpoint{Host: host, AccessKey: creds.AccessKey, SecretKey: creds.SecretKey, Region: region, Transport: transport}

	ready := make(chan struct{})
	root := auth.Account{Access: creds.AccessKey, Secret: creds.SecretKey, Role: auth.RoleAdmin}
	gateway, err := s3api.New(s.backend, middlewares.RootUserConfig{Access: root.Access, Secret: root.Secret}, region,
		auth.NewIAMServiceSingle(root), nil, nil, nil, nil,
		s3api.WithConcurrencyLimiter(4*maxRequests, maxRequests), s3api.WithMpMaxParts(10_000),
		s3api.WithSocketPerm(0o600), s3api.WithKeepAlive(), s3api.WithQuiet(), s3api.WithDisableACL(),
		s3api.WithMiddleware("/", retentionXML), s3api.WithOnListen(func() { close(ready) }))
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	// The address first: it is the one that may be taken, and versitygw does
	// not close the listeners before the one that failed.
	ports := []string{addr, path}
	if addr == "" {
		ports = ports[1:]
	}
	s.gateway = gateway
	go func() { s.served <- gateway.ServeMultiPort(ports) }()
	select {
	case <-ready:
	case err := <-s.served:
		s.gateway = nil
		return fmt.Errorf("listen: %w", err)
	}
	return errors.Join(answers(transport), ctx.Err())
}

// answers asks the server something, whatever the answer. The gateway says
// that it listens a moment before it can be shut down; after an answer it can.
func answers(t http.RoundTripper) error {
	req, err := http.NewRequest(http.MethodHead, "http://"+host+"/", nil)
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Endpoint returns how to reach the server.
func (s *Server) Endpoint() Endpoint { return s.endpoint }

// Close waits for the requests in progress, for ten seconds at most, syncs and
// lets go of the directory. The error says that a change could not be brought
// to the directory tree; it is in the redo log still, and the next Start tries
// again.
func (s *Server) Close() error {
	if s.idle != nil {
		s.idle()
	}
	return s.release()
}

func (s *Server) release() error {
	var errs []error
	if s.gateway != nil {
		errs = append(errs, s.gateway.ShutDown())
		select {
		case <-s.served: // its error says that the listener was closed
		case <-time.After(stopWithin):
			errs = append(errs, errors.New("the gateway does not stop"))
		}
		s.gateway = nil
	}
	if s.socket != nil {
		errs = append(errs, s.socket.Close())
		s.socket = nil
	}
	if s.backend != nil {
		errs = append(errs, s.backend.close())
		s.backend = nil
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// checkAddr allows loopback only: the listener speaks plain HTTP.
func checkAddr(addr string) error {
	if addr == "" {
		return nil
	}
	h, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	if ip := net.ParseIP(h); h != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("address %q: not a loopback address", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("address %q: a port from 1 to 65535 is needed", addr)
	}
	return nil
}
