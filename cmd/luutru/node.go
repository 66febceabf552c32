package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/staging"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/embedded"
	"github.com/luutru/luutru/store/s3"
)

// stores are the three buckets of an archive.
type stores struct {
	archive, keys, work *s3.Bucket
	local               *embedded.Server // nil: an S3 server elsewhere
}

// bucket is how one bucket is reached.
type bucket struct {
	s3.Config
	locked bool
	to     **s3.Bucket
}

func (s *stores) buckets(c *StoreConfig, now func() time.Time) ([]bucket, error) {
	common := s3.Config{Endpoint: c.Endpoint, Region: c.Region, Secure: c.Secure, Now: now}
	names := []string{c.ArchiveBucket, c.KeysBucket, c.WorkBucket}
	if s.local != nil {
		e := s.local.Endpoint()
		common = s3.Config{Endpoint: e.Host, Region: e.Region, AccessKey: e.AccessKey, SecretKey: e.SecretKey, Transport: e.Transport, UnsignedPayload: true, Now: now}
		names = []string{"archive", "keys", "work"}
	}
	var all []bucket
	for i, to := range []**s3.Bucket{&s.archive, &s.keys, &s.work} {
		b := bucket{common, i == 0 && !c.NoLock, to}
		b.Bucket = names[i]
		if s.local == nil {
			access, key := c.AccessKeyFile, c.SecretKeyFile
			if i == 1 && c.KeysAccessKeyFile != "" {
				access, key = c.KeysAccessKeyFile, c.KeysSecretKeyFile
			}
			var err error
			if b.AccessKey, err = secret(access); err != nil {
				return nil, err
			}
			if b.SecretKey, err = secret(key); err != nil {
				return nil, err
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// openStores opens the buckets, and creates them first if create is true.
func openStores(ctx context.Context, c *StoreConfig, now func() time.Time, log *slog.Logger, create bool) (_ *stores, err error) {
	s := &stores{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if c.Embedded != "" {
		if _, err := os.Stat(c.Embedded); err != nil && !create {
			return nil, fmt.Errorf("store: %w", err)
		}
		if s.local, err = embedded.Start(ctx, embedded.Config{Dir: c.Embedded, Logger: log, Now: now}); err != nil {
			return nil, err
		}
	}
	all, err := s.buckets(c, now)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if create {
			if err := s3.CreateBucket(ctx, b.Config, b.locked); err != nil {
				return nil, err
			}
		}
		if *b.to, err = s3.Open(ctx, b.Config); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// evidence returns the archive bucket with a put-if-absent that holds: its own,
// or one by claims in the work bucket.
func (s *stores) evidence(ctx context.Context) (store.Store, error) {
	ok, err := s.archive.Exclusive(ctx)
	if err != nil {
		return nil, fmt.Errorf("put-if-absent: %w", err)
	}
	if !ok {
		return store.Claimed(s.archive, s.work), nil
	}
	return s.archive, nil
}

// Close lets go of a store inside this process.
func (s *stores) Close() error {
	if s.local == nil {
		return nil
	}
	return s.local.Close()
}

// node is an archive opened by this process.
type node struct {
	*stores
	archive *archive.Archive
	staging *staging.Area
	index   *index.Index
	state   string
}

// openNode opens an archive with everything it works with.
func (r *root) openNode(ctx context.Context, c *Config, log *slog.Logger) (_ *node, err error) {
	n := &node{state: c.State}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	k, err := loadKeys(c)
	if err != nil {
		return nil, err
	}
	if n.stores, err = openStores(ctx, &c.Store, r.now, log, false); err != nil {
		return nil, err
	}
	if err := r.suits(ctx, c, n.stores); err != nil {
		return nil, err
	}
	known, err := remembered(c.State)
	if err != nil {
		return nil, err
	}
	if n.index, err = openIndex(c); err != nil {
		return nil, err
	}
	evidence, err := n.stores.evidence(ctx)
	if err != nil {
		return nil, err
	}
	agencies, err := c.history()
	if err != nil {
		return nil, err
	}
	n.archive, err = archive.Open(ctx, archive.Config{
		Agencies: agencies,
		Archive:  evidence, Keys: n.keys, Work: n.work, Keyring: k, Node: c.Node, Index: n.index, Now: r.now, Log: log, NoLock: c.Store.NoLock, Known: known,
	})
	if err != nil {
		return nil, err
	}
	n.staging, err = openStaging(k, n.work, r.now)
	return n, err
}

// openStaging opens the place of uploads. All nodes must have one secret for
// it, and it must not be the id key itself.
func openStaging(k *archive.Keyring, work store.Store, now func() time.Time) (*staging.Area, error) {
	secret, err := hkdf.Key(sha256.New, k.ID[:], nil, "luutru staging", 32)
	if err != nil {
		return nil, err
	}
	return staging.New(staging.Config{Store: work, Secret: secret, Now: now})
}

// suits says what the stores lack, and refuses to go on in production mode.
func (r *root) suits(ctx context.Context, c *Config, s *stores) error {
	if s.local != nil {
		r.say("Kho chứa nằm trong tiến trình này: ai có quyền root trên máy đều xóa được. Không dùng cho vận hành thật.\n" +
			"The store is inside this process: whoever is root on the machine can delete it. Not for production.")
	}
	if c.Production && (s.local != nil || c.Store.NoLock) {
		return usagef("chế độ vận hành thật cần kho S3 có khóa đối tượng · production mode needs an S3 store with object lock")
	}
	if s.local != nil {
		return nil
	}
	lacking := false
	for i, b := range []*s3.Bucket{s.archive, s.keys, s.work} {
		report, err := s3.Probe(ctx, b, i == 0)
		if err != nil {
			return err
		}
		r.say("%s: %s", b.Name(), report.Server)
		for _, x := range report.Capabilities {
			if x.OK {
				continue
			}
			r.say("  %s: %s\n    %s\n    %s", x.Name, x.Detail, x.Vietnamese, x.English)
		}
		lacking = lacking || len(report.Missing()) > 0
	}
	if lacking && c.Production {
		return errors.New("kho chứa thiếu điều kiện nêu trên · the store lacks what is named above")
	}
	return nil
}

const checkpointFile = "checkpoint"

// remembered returns the ledger's checkpoint as this node saw it last, if it has
// seen one: a bucket alone can't prove that its newest objects were not removed.
func remembered(state string) ([]byte, error) {
	known, err := os.ReadFile(filepath.Join(state, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return known, err
}

// remember writes down the ledger's checkpoint for the next start.
func (n *node) remember() error {
	return writeFile(filepath.Join(n.state, checkpointFile), n.archive.Ledger().Checkpoint(), 0o600)
}

func indexFolder(c *Config) string { return filepath.Join(c.State, "index") }

// openIndex opens the index, or begins a new one where there is none or none
// that is whole: the archive fills it again. Another key is an error that names
// luutru rebuild.
func openIndex(c *Config) (*index.Index, error) {
	b, err := os.ReadFile(filepath.Join(c.Keys, indexKeyFile))
	if err != nil {
		return nil, err
	}
	key := make([]byte, index.KeySize)
	if err := unhex(key, b); err != nil {
		return nil, fmt.Errorf("%s: %w", indexKeyFile, err)
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return nil, err
	}
	ix, err := index.Open(indexFolder(c), key)
	switch {
	case errors.Is(err, index.ErrKey) && !errors.Is(err, index.ErrFormat):
		return nil, fmt.Errorf("%w (luutru rebuild)", err)
	case errors.Is(err, index.ErrFormat):
		err = os.RemoveAll(indexFolder(c))
		if err != nil {
			return nil, err
		}
		return index.Create(indexFolder(c), key)
	case errors.Is(err, fs.ErrNotExist):
		return index.Create(indexFolder(c), key)
	}
	return ix, err
}

// Close closes what was opened.
func (n *node) Close() error {
	var errs []error
	if n.archive != nil {
		errs = append(errs, n.remember(), n.archive.Close())
	}
	if n.index != nil {
		errs = append(errs, n.index.Close())
	}
	if n.stores != nil {
		errs = append(errs, n.stores.Close())
	}
	return errors.Join(errs...)
}
