package embedded

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/auth"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// backend answers the requests versitygw has authenticated. What it does not
// define, vgw.BackendUnsupported refuses.
type backend struct {
	vgw.BackendUnsupported
	dir    string
	owner  string
	log    *redoLog
	logger *slog.Logger
	now    func() time.Time

	names   *together // syncs the names in staging
	keys    stripes   // one version of a key is put, locked or removed at a time
	uploads stripes   // parts are added (shared), or the upload is ended

	mu      sync.RWMutex
	buckets map[string]*bucket
}

// bucket is a bucket's settings. Its lock is held shared by whoever changes
// the bucket's objects, and exclusively to change or remove the bucket.
type bucket struct {
	mu   sync.RWMutex
	name string
	gone bool
	settings
}

type settings struct {
	Created   time.Time       `json:"created"`
	Versioned bool            `json:"versioned"`
	Lock      json.RawMessage `json:"lock,omitempty"` // as versitygw's auth package encodes it
}

// stripes are locks for more names than there are locks. A request holds at
// most one of each set.
type stripes struct {
	seed  maphash.Seed
	locks [1024]sync.RWMutex
}

func (s *stripes) of(name string) *sync.RWMutex {
	return &s.locks[maphash.String(s.seed, name)%uint64(len(s.locks))]
}

func openBackend(dir, owner string, c Config) (*backend, error) {
	b := &backend{dir: dir, owner: owner, logger: c.Logger, now: c.Now, buckets: map[string]*bucket{}}
	b.keys.seed, b.uploads.seed = maphash.MakeSeed(), maphash.MakeSeed()
	b.names = newTogether(func() error { return syncDir(b.path("staging")) })
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	if err := makeDirs(dir); err != nil {
		return nil, err
	}
	var err error
	if b.log, err = openLog(dir, cmp.Or(c.segment, fullSegment)); err != nil {
		return nil, err
	}
	if err := b.loadBuckets(); err != nil {
		return nil, errors.Join(err, b.log.close())
	}
	return b, nil
}

// makeDirs creates what the log does not: the directories all changes are in.
func makeDirs(dir string) error {
	for _, name := range []string{"buckets", "data", "uploads", "staging"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return syncDir(dir)
}

// makeDir makes a directory and its parents, durably where they are new.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		if err := makeDir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func (b *backend) loadBuckets() error {
	entries, err := os.ReadDir(b.path("buckets"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		data, err := os.ReadFile(b.path("buckets", e.Name()))
		if err != nil {
			return err
		}
		bk := &bucket{name: name}
		if err := json.Unmarshal(data, &bk.settings); err != nil {
			return fmt.Errorf("bucket %q: %w", name, err)
		}
		b.buckets[name] = bk
	}
	return nil
}

func (b *backend) close() error { return b.log.close() }

// Shutdown and String complete vgw.Backend; the server closes the log itself.
func (b *backend) Shutdown()      {}
func (b *backend) String() string { return "luutru" }

func (b *backend) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// fail turns any error into one versitygw shows its client as it is, and logs
// those whose cause is not the client's business.
func (b *backend) fail(what string, err error) error {
	var known s3err.S3Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case isNoSpace(err):
		return s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	}
	b.logger.Error("embedded store", "request", what, "error", err)
	return s3err.GetAPIError(s3err.ErrInternalError)
}

// bucket returns a bucket of that name.
func (b *backend) bucket(name string) (*bucket, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if bk := b.buckets[name]; bk != nil {
		return bk, nil
	}
	return nil, s3err.GetBucketErr(s3err.ErrNoSuchBucket, name)
}

// use holds the bucket's settings and keeps it from being removed until the
// returned function is called.
func (b *backend) use(name string) (*bucket, func(), error) {
	bk, err := b.bucket(name)
	if err != nil {
		return nil, nil, err
	}
	bk.mu.RLock()
	if bk.gone {
		bk.mu.RUnlock()
		return nil, nil, s3err.GetBucketErr(s3err.ErrNoSuchBucket, name)
	}
	return bk, bk.mu.RUnlock, nil
}

// read returns a copy of a bucket's settings.
func (b *backend) read(name string) (settings, error) {
	bk, done, err := b.use(name)
	if err != nil {
		return settings{}, err
	}
	defer done()
	return bk.settings, nil
}

// change edits a bucket's settings, durably.
func (b *backend) change(name string, edit func(*settings) error) error {
	bk, err := b.bucket(name)
	if err != nil {
		return err
	}
	bk.mu.Lock()
	defer bk.mu.Unlock()
	if bk.gone {
		return s3err.GetBucketErr(s3err.ErrNoSuchBucket, name)
	}
	s := bk.settings
	if err := edit(&s); err != nil {
		return err
	}
	c, err := settingsChange(name, s)
	if err != nil {
		return err
	}
	if err := b.log.commit(c); err != nil {
		return b.fail("change bucket", err)
	}
	bk.settings = s
	return nil
}

func settingsChange(name string, s settings) (change, error) {
	data, err := json.Marshal(s)
	return change{op: opWrite, path: bucketFile(name), data: data}, err
}

// CreateBucket implements vgw.Backend.
func (b *backend) CreateBucket(_ context.Context, in *s3.CreateBucketInput, _ []byte) error {
	name := strings.Clone(*in.Bucket) // fiber reuses the bytes of its strings
	// The name becomes a path. versitygw has checked it, unless some other
	// user of it in this process has switched that off.
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "/\x00") || len(name) < 3 {
		return s3err.GetBucketErr(s3err.ErrInvalidBucketName, name)
	}
	s := settings{Created: b.now().UTC()}
	if in.ObjectLockEnabledForBucket != nil && *in.ObjectLockEnabledForBucket {
		s.Versioned, s.Lock = true, json.RawMessage(`{"Enabled":true}`)
	}
	c, err := settingsChange(name, s)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buckets[name] != nil {
		return s3err.GetBucketErr(s3err.ErrBucketAlreadyOwnedByYou, name)
	}
	if err := b.log.commit(c); err != nil {
		return b.fail("create bucket", err)
	}
	b.buckets[name] = &bucket{name: name, settings: s}
	return nil
}

// HeadBucket implements vgw.Backend.
func (b *backend) HeadBucket(_ context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	_, err := b.bucket(*in.Bucket)
	return &s3.HeadBucketOutput{}, err
}

// ListBuckets implements vgw.Backend.
func (b *backend) ListBuckets(_ context.Context, in s3response.ListBucketsInput) (s3response.ListAllMyBucketsResult, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	res := s3response.ListAllMyBucketsResult{Owner: s3response.CanonicalUser{ID: b.owner}, Prefix: in.Prefix}
	for _, name := range slices.Sorted(maps.Keys(b.buckets)) {
		if !strings.HasPrefix(name, in.Prefix) || name <= in.ContinuationToken && in.ContinuationToken != "" {
			continue
		}
		if n := len(res.Buckets.Bucket); in.MaxBuckets > 0 && n == int(in.MaxBuckets) {
			res.ContinuationToken = res.Buckets.Bucket[n-1].Name
			break
		}
		res.Buckets.Bucket = append(res.Buckets.Bucket, s3response.ListAllMyBucketsEntry{
			Name: name, BucketRegion: region, CreationDate: b.buckets[name].Created,
		})
	}
	return res, nil
}

// DeleteBucket implements vgw.Backend.
func (b *backend) DeleteBucket(ctx context.Context, name string) error {
	bk, err := b.bucket(name)
	if err != nil {
		return err
	}
	bk.mu.Lock()
	defer bk.mu.Unlock()
	if bk.gone {
		return s3err.GetBucketErr(s3err.ErrNoSuchBucket, name)
	}
	empty, err := b.isEmpty(ctx, bk.name)
	if err != nil {
		return b.fail("delete bucket", err)
	}
	if !empty {
		code := s3err.ErrBucketNotEmpty
		if bk.Versioned {
			code = s3err.ErrVersionedBucketNotEmpty
		}
		return s3err.GetBucketErr(code, name)
	}
	if err := b.log.commit(change{op: opRemove, path: bucketFile(bk.name)}, change{op: opRemoveAll, path: bucketDir(bk.name)}); err != nil {
		return b.fail("delete bucket", err)
	}
	bk.gone = true
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.buckets, bk.name)
	return nil
}

// GetBucketVersioning implements vgw.Backend.
func (b *backend) GetBucketVersioning(_ context.Context, name string) (s3response.GetBucketVersioningOutput, error) {
	s, err := b.read(name)
	out := s3response.GetBucketVersioningOutput{}
	if s.Versioned {
		status := types.BucketVersioningStatusEnabled
		out.Status = &status
	}
	return out, err
}

// PutBucketVersioning implements vgw.Backend. Versioning stays once enabled.
func (b *backend) PutBucketVersioning(_ context.Context, name string, status types.BucketVersioningStatus) error {
	return b.change(name, func(s *settings) error {
		switch {
		case status == types.BucketVersioningStatusEnabled:
			s.Versioned = true
			return nil
		case s.Lock != nil:
			return s3err.GetAPIError(s3err.ErrSuspendedVersioningNotAllowed)
		default:
			return s3err.GetAPIError(s3err.ErrNotImplemented)
		}
	})
}

// GetBucketAcl implements vgw.Backend. Every bucket is its owner's alone.
func (b *backend) GetBucketAcl(_ context.Context, in *s3.GetBucketAclInput) ([]byte, error) {
	if _, err := b.bucket(*in.Bucket); err != nil {
		return nil, err
	}
	return json.Marshal(auth.ACL{Owner: b.owner})
}

// GetBucketPolicy implements vgw.Backend.
func (b *backend) GetBucketPolicy(_ context.Context, name string) ([]byte, error) {
	return nil, s3err.GetBucketErr(s3err.ErrNoSuchBucketPolicy, name)
}

// GetBucketCors implements vgw.Backend.
func (b *backend) GetBucketCors(_ context.Context, name string) ([]byte, error) {
	return nil, s3err.GetBucketErr(s3err.ErrNoSuchCORSConfiguration, name)
}

// GetBucketOwnershipControls implements vgw.Backend.
func (b *backend) GetBucketOwnershipControls(context.Context, string) (types.ObjectOwnership, error) {
	return types.ObjectOwnershipBucketOwnerEnforced, nil
}
