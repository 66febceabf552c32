//go:build unix

package soak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/embedded"
	"github.com/luutru/luutru/store/s3"
)

// childVariable makes the test binary one of the processes under test.
const childVariable = "LUUTRU_SOAK_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// order is what a child reads from its standard input. The input then stays
// open: its end, which is also the parent's end, is the child's.
type order struct {
	Role     string // "store" or "node"
	Dir      string // of the embedded store, if that is the child's to run
	Store    access // of another store
	Suffix   string // of the buckets' names
	Node     string
	Index    string // directory
	Tokens   string // file
	Keys     keys
	Suspects []string // dossiers whose destruction may be half done
}

// access is how to reach a store over TCP.
type access struct {
	Endpoint, AccessKey, SecretKey string
	Secure                         bool
}

// word is what a child says on its standard output.
type word struct {
	Address string // it answers there
	Store   *access
	Found   *survey // of what the last process left, before anything is recovered
	Started durations
	Rebuilt bool // the index could not be used and was begun anew
	Ready   bool // recovery is over
}

// durations are how long a start takes, each from the end of the one before.
type durations struct{ Store, Archive, Ready time.Duration }

// keys is a keyring that goes through a pipe.
type keys struct {
	Profile                        signing.Profile
	Archive, Recovery, Audit       []byte
	ID                             [32]byte
	Origin, LogSigner, LogVerifier string
}

func keysOf(k *archive.Keyring) (keys, error) {
	out := keys{Profile: k.Profile, ID: k.ID, Origin: k.Origin, LogSigner: k.LogSigner, LogVerifier: k.LogVerifier}
	var errs [3]error
	out.Archive, errs[0] = k.Archive.Armor(nil)
	out.Recovery, errs[1] = k.Recovery.Armor()
	out.Audit, errs[2] = k.Audit.Armor()
	return out, errors.Join(errs[:]...)
}

func (k *keys) keyring() (*archive.Keyring, error) {
	out := &archive.Keyring{Profile: k.Profile, ID: k.ID, Origin: k.Origin, LogSigner: k.LogSigner, LogVerifier: k.LogVerifier}
	var errs [3]error
	out.Archive, errs[0] = signing.ParseKey(k.Archive, nil)
	out.Recovery, errs[1] = signing.ParseCertificate(k.Recovery)
	out.Audit, errs[2] = signing.ParseCertificate(k.Audit)
	return out, errors.Join(errs[:]...)
}

func child() int {
	in := json.NewDecoder(os.Stdin)
	var o order
	if err := in.Decode(&o); err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
		return 2
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		time.AfterFunc(time.Minute, func() { os.Exit(3) }) // whatever hangs
		stop()
	}()
	run := o.node
	if o.Role == "store" {
		run = o.storage
	}
	if err := run(ctx, json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// storage runs the embedded store alone, until ctx ends.
func (o *order) storage(ctx context.Context, out *json.Encoder) error {
	for try := 0; ; try++ {
		addr, err := freePort()
		if err != nil {
			return err
		}
		server, err := embedded.Start(ctx, embedded.Config{Dir: o.Dir, Addr: addr, Logger: stderr()})
		if err != nil && try < 20 { // somebody took the port first
			continue
		}
		if err != nil {
			return err
		}
		e := server.Endpoint()
		err = out.Encode(&word{Store: &access{Endpoint: addr, AccessKey: e.AccessKey, SecretKey: e.SecretKey}})
		<-ctx.Done()
		return errors.Join(err, server.Close())
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func stderr() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// buckets are the three of an archive, and the store where it is our own.
type buckets struct {
	archive, keys, work *s3.Bucket
	evidence            store.Store // the archive bucket, with a put-if-absent that holds
	own                 *embedded.Server
}

// connect opens the buckets, and makes them first if asked to.
func (o *order) connect(ctx context.Context, create bool) (_ *buckets, err error) {
	b := &buckets{}
	c := s3.Config{Endpoint: o.Store.Endpoint, AccessKey: o.Store.AccessKey, SecretKey: o.Store.SecretKey, Secure: o.Store.Secure}
	if o.Dir != "" {
		if b.own, err = embedded.Start(ctx, embedded.Config{Dir: o.Dir, Logger: stderr()}); err != nil {
			return nil, err
		}
		e := b.own.Endpoint()
		c = s3.Config{Endpoint: e.Host, AccessKey: e.AccessKey, SecretKey: e.SecretKey, Region: e.Region, Transport: e.Transport, UnsignedPayload: true}
	}
	for name, to := range map[string]**s3.Bucket{"archive": &b.archive, "keys": &b.keys, "work": &b.work} {
		c.Bucket = name + o.Suffix
		if create {
			err = s3.CreateBucket(ctx, c, name == "archive")
		}
		if err == nil {
			*to, err = s3.Open(ctx, c)
		}
		if err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	ok, err := b.archive.Exclusive(ctx)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.evidence = b.archive; !ok {
		b.evidence = store.Claimed(b.archive, b.work)
	}
	return b, nil
}

func (b *buckets) close() error {
	if b.own == nil {
		return nil
	}
	return b.own.Close()
}

// indexKey encrypts every index of these tests.
var indexKey = bytes.Repeat([]byte{7}, index.KeySize)

// config puts an archive's configuration together.
func (o *order) config(b *buckets, ring *archive.Keyring, ix *index.Index) archive.Config {
	return archive.Config{
		Archive: b.evidence, Keys: b.keys, Work: b.work, Keyring: ring, Node: o.Node, Index: ix, Now: time.Now, Log: stderr(),
		RollingLock: time.Hour, // what the tests leave behind can soon be deleted
	}
}

// node runs a whole server until ctx ends.
func (o *order) node(ctx context.Context, out *json.Encoder) (err error) {
	began := time.Now()
	ring, err := o.Keys.keyring()
	if err != nil {
		return err
	}
	b, err := o.connect(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	w := word{Started: durations{Store: time.Since(began)}}
	if w.Found, err = o.look(ctx, b, ring); err != nil {
		return fmt.Errorf("survey: %w", err)
	}

	began = time.Now()
	var ix *index.Index
	if ix, w.Rebuilt, err = openIndex(o.Index); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ix.Close()) }()
	a, err := archive.Open(ctx, o.config(b, ring, ix))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	w.Started.Archive = time.Since(began)
	began = time.Now()
	return o.serve(ctx, a, func(addr string) error {
		w.Address = addr
		if err := out.Encode(&w); err != nil {
			return err
		}
		if err := a.Ready(ctx); err != nil {
			return nil // told to end before that
		}
		w.Started.Ready = time.Since(began)
		return out.Encode(&word{Ready: true, Started: w.Started})
	})
}

// openIndex opens an index, and begins anew where there is none that can be
// used: whatever is in an index can be had again.
func openIndex(dir string) (ix *index.Index, rebuilt bool, err error) {
	ix, err = index.Open(dir, indexKey)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, index.ErrFormat) {
		if err := os.RemoveAll(dir); err != nil {
			return nil, false, err
		}
		ix, err = index.Create(dir, indexKey)
		return ix, true, err
	}
	return ix, false, err
}

// serve answers on a loopback port until ctx ends, and says where.
func (o *order) serve(ctx context.Context, a *archive.Archive, listening func(string) error) error {
	tokens, err := api.OpenTokens(o.Tokens, time.Now, stderr())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api.New(api.Config{Archive: a, Authenticator: tokens, Log: stderr(), Now: time.Now})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if err := listening(l.Addr().String()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		patience, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return server.Shutdown(patience)
	}
}
