package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"hash/maphash"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

const (
	checksumHeader = "X-Amz-Checksum-Crc32c"
	// markName is metadata that tells an object's writer its own write.
	markName = "Writer-Mark"
	// scratch begins the keys of objects that try out what a server can.
	scratch = "probe/"
)

// Put implements store.Store.
func (b *Bucket) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	if opts == nil {
		opts = &store.PutOptions{}
	}
	if err := b.check(ctx, "put", key); err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, &fs.PathError{Op: "put empty", Path: key, Err: fs.ErrInvalid}
	}
	if !opts.Lock.IsZero() && !b.locking {
		return nil, &fs.PathError{Op: "put locked", Path: key, Err: errors.ErrUnsupported}
	}
	if opts.IfAbsent {
		done, err := b.exclude(ctx, key)
		if err != nil {
			return nil, b.translate(ctx, "put", key, err)
		}
		defer done()
	}
	if !opts.Lock.IsZero() {
		return b.putLocked(ctx, key, data, opts)
	}
	info, err := b.put(ctx, key, data, opts.IfAbsent, time.Time{})
	return info, b.translate(ctx, "put", key, err)
}

// putLocked puts and locks in one request where the server is known to do both,
// and finds out whether it does where that is not known.
func (b *Bucket) putLocked(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	known := b.lockedPut.Load()
	if known != fails {
		info, err := b.put(ctx, key, data, opts.IfAbsent, opts.Lock)
		if err == nil && known == works {
			return info, nil
		}
		if err == nil {
			return info, b.judgeLockedPut(ctx, info, opts.Lock)
		}
		if !refused(err) || meaning(err) != nil {
			return nil, b.translate(ctx, "put", key, err)
		}
		// Refused for the lock, it seems; if for another reason, then the
		// next attempt is refused as well.
	}
	info, err := b.put(ctx, key, data, opts.IfAbsent, time.Time{})
	if err != nil {
		return nil, b.translate(ctx, "put", key, err)
	}
	err = b.Lock(ctx, key, info.Version, opts.Lock)
	if err == nil && opts.Lock.After(b.wire.time()) {
		b.lockedPut.CompareAndSwap(unknown, fails)
	}
	return info, err
}

// judgeLockedPut reads back the lock of an object put with one. Some servers
// drop it silently.
func (b *Bucket) judgeLockedPut(ctx context.Context, info *store.Info, until time.Time) error {
	mode, got, err := b.retention(ctx, info.Key, info.Version)
	if err != nil {
		return b.translate(ctx, "put locked", info.Key, err)
	}
	if mode == minio.Compliance && !got.Before(roundUp(until)) {
		b.lockedPut.Store(works)
		return nil
	}
	b.lockedPut.Store(fails)
	return b.Lock(ctx, info.Key, info.Version, until)
}

// put sends one PUT. Its errors are not translated. With ifAbsent, the object
// carries a mark by which to tell, after a failure, whether the write that got
// in is this one: a request is sent again when its answer was lost, here or by
// a proxy, and then fails because of itself.
func (b *Bucket) put(ctx context.Context, key string, data []byte, ifAbsent bool, lock time.Time) (*store.Info, error) {
	opts := minio.PutObjectOptions{
		UserMetadata:         map[string]string{checksumHeader: checksum(data)},
		DisableContentSha256: true, // not in chunks, see digest
	}
	if !lock.IsZero() {
		opts.Mode, opts.RetainUntilDate = minio.Compliance, roundUp(lock)
	}
	mark := ""
	if ifAbsent {
		mark = newMark()
		opts.UserMetadata[markName] = mark
		opts.SetMatchETagExcept("*")
	}
	for attempt := 0; ; attempt++ {
		up, err := b.core.PutObject(ctx, b.name, key, bytes.NewReader(data), int64(len(data)), "", b.digest(data), opts)
		if err == nil {
			return &store.Info{Key: key, Version: version(up.VersionID), Size: int64(len(data))}, nil
		}
		if !ifAbsent {
			return nil, err
		}
		info, err := b.settle(ctx, key, mark, err)
		if info != nil || !conflict(err) || attempt == 4 || !pause(ctx, attempt) {
			return info, err
		}
	}
}

// settle finds out what became of an exclusive put that failed with err. It
// returns an Info if the object is there by this put, else an error. After
// an uncertain error with the key still free, the write may yet arrive, so
// trying again is the caller's decision.
func (b *Bucket) settle(ctx context.Context, key, mark string, err error) (*store.Info, error) {
	taken := minio.ToErrorResponse(err).StatusCode == http.StatusPreconditionFailed
	if !taken && !conflict(err) && !uncertain(err) {
		return nil, err
	}
	info, taken, lookErr := b.look(ctx, key, mark)
	switch {
	case lookErr != nil:
		return nil, err
	case info != nil:
		return info, nil
	case taken:
		return nil, errTaken()
	}
	return nil, err
}

// conflict reports whether the server asks to come again because it is busy
// with the same key.
func conflict(err error) bool {
	return minio.ToErrorResponse(err).StatusCode == http.StatusConflict
}

// look reports whether key is taken, and by the write with the mark if it
// returns an Info.
func (b *Bucket) look(ctx context.Context, key, mark string) (info *store.Info, taken bool, err error) {
	stat, err := b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		if errors.Is(meaning(err), fs.ErrNotExist) {
			err = nil
		}
		return nil, false, err
	}
	for name, value := range stat.UserMetadata {
		if strings.EqualFold(name, markName) && value == mark {
			return &store.Info{Key: key, Version: version(stat.VersionID), Size: stat.Size}, true, nil
		}
	}
	return nil, true, nil
}

// errTaken is what a server answers to a put that excludes itself.
func errTaken() error {
	return minio.ErrorResponse{StatusCode: http.StatusPreconditionFailed, Code: minio.PreconditionFailed}
}

// exclusive is what is known of put-if-absent on the server. Some servers
// (Ceph 16) ignore the condition in buckets with versions. There
// Put asks first, with the key locked in this process: right as long as no
// other process writes, which is more than silently overwriting, and Probe
// tells.
type exclusive struct {
	state atomic.Int32
	mu    sync.Mutex // one finds out, the others wait
	keys  [64]sync.Mutex
	seed  maphash.Seed
}

// exclude prepares an exclusive put of key; done ends it.
func (b *Bucket) exclude(ctx context.Context, key string) (done func(), err error) {
	state, err := b.learnExclusive(ctx)
	if err != nil {
		return nil, err
	}
	if state == works {
		return func() {}, nil
	}
	mu := &b.exclusive.keys[maphash.String(b.exclusive.seed, key)%uint64(len(b.exclusive.keys))]
	mu.Lock()
	_, taken, err := b.look(ctx, key, "")
	if err == nil && taken {
		err = errTaken()
	}
	if err != nil {
		mu.Unlock()
		return nil, err
	}
	return mu.Unlock, nil
}

// learnExclusive tries put-if-absent on a scratch object, once.
func (b *Bucket) learnExclusive(ctx context.Context) (int32, error) {
	x := &b.exclusive
	if state := x.state.Load(); state != unknown {
		return state, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if state := x.state.Load(); state != unknown {
		return state, nil
	}
	if b.autolock {
		// Nothing can be tried here without leaving it for years.
		x.state.Store(fails)
		return fails, nil
	}
	key := scratch + newMark()
	state, err := b.tryExclusive(ctx, key)
	if deleteErr := b.Delete(context.WithoutCancel(ctx), key); err == nil {
		err = deleteErr
	}
	if err != nil {
		return unknown, err
	}
	x.state.Store(state)
	return state, nil
}

func (b *Bucket) tryExclusive(ctx context.Context, key string) (int32, error) {
	if _, err := b.put(ctx, key, []byte("first"), true, time.Time{}); err != nil {
		return unknown, err
	}
	_, err := b.put(ctx, key, []byte("second"), true, time.Time{})
	switch {
	case err == nil:
		return fails, nil
	case errors.Is(meaning(err), fs.ErrExist):
		return works, nil
	}
	return unknown, err
}

// digest returns the SHA-256 that signs the content, empty where it is left
// unsigned. One digest ahead of the content replaces minio-go's signed chunks,
// which not every server takes along with other headers.
func (b *Bucket) digest(data []byte) string {
	if b.unsigned {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func checksum(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func newMark() string {
	var mark [16]byte
	rand.Read(mark[:])
	return hex.EncodeToString(mark[:])
}

// pause waits before another attempt; it returns false when ctx ends.
func pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(20 * time.Millisecond << attempt)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Exclusive reports whether the server keeps put-if-absent in this bucket. It
// is found out once. Where it does not, [store.Claimed] makes up for it.
func (b *Bucket) Exclusive(ctx context.Context) (bool, error) {
	state, err := b.learnExclusive(ctx)
	if err != nil {
		return false, b.translate(ctx, "put-if-absent", b.name, err)
	}
	return state == works, nil
}
