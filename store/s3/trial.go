package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

// probeLock is how long the locks of a Probe last: long enough for slow servers
// to refuse a removal meanwhile, short enough to wait for.
const probeLock = 4 * time.Second

func tryClock(ctx context.Context, p *probe) error {
	const most = 5 * time.Second
	if p.b.now == nil {
		return errors.New("not tried: no local clock was given")
	}
	before := p.b.now()
	if _, err := p.b.core.GetBucketVersioning(ctx, p.b.name); err != nil {
		return err
	}
	elapsed := p.b.now().Sub(before)
	date := p.b.wire.time()
	if date.IsZero() {
		return errors.New("the server does not tell the time")
	}
	// The server tells whole seconds, and told them somewhere in between.
	skew := date.Add(500 * time.Millisecond).Sub(before.Add(elapsed / 2))
	p.skew = skew.Round(100 * time.Millisecond)
	if skew.Abs() > most+elapsed/2 {
		return fmt.Errorf("the server's clock is off by %v", p.skew)
	}
	return nil
}

func tryRead(ctx context.Context, p *probe) error {
	key := p.prefix + "read"
	for _, want := range []string{"first", "second"} {
		if _, err := p.b.Put(ctx, key, []byte(want), nil); err != nil {
			return err
		}
		got, info, err := store.ReadAll(ctx, p.b, key, 100)
		if err != nil {
			return err
		}
		if string(got) != want {
			return fmt.Errorf("read %q after writing %q", got, want)
		}
		if p.b.now != nil && p.skew.Abs() < time.Minute && info.Modified.Sub(p.b.now()).Abs() > 5*time.Minute {
			return fmt.Errorf("just written, but modified %v", info.Modified)
		}
	}
	return nil
}

// tryPutIfAbsent races the server itself, not what Put makes of it.
func tryPutIfAbsent(ctx context.Context, p *probe) error {
	state, err := p.b.tryExclusive(ctx, p.prefix+"absent")
	if err != nil {
		return err
	}
	var wins atomic.Int32
	var group sync.WaitGroup
	errs := make(chan error, 16)
	for i := range cap(errs) {
		group.Go(func() {
			_, err := p.b.put(ctx, p.prefix+"race", fmt.Appendf(nil, "racer %d", i), true, time.Time{})
			switch {
			case err == nil:
				wins.Add(1)
			case !errors.Is(meaning(err), fs.ErrExist):
				errs <- err
			}
		})
	}
	group.Wait()
	switch {
	case len(errs) > 0:
		return <-errs
	case state == fails:
		p.b.exclusive.state.Store(fails)
		return errors.New("a second put of the same key succeeded")
	case wins.Load() != 1:
		p.b.exclusive.state.Store(fails)
		return fmt.Errorf("of %d writers at once, %d succeeded", cap(errs), wins.Load())
	}
	p.b.exclusive.state.Store(works)
	return nil
}

func tryRange(ctx context.Context, p *probe) error {
	key := p.prefix + "range"
	if _, err := p.b.Put(ctx, key, []byte("0123456789"), nil); err != nil {
		return err
	}
	for _, r := range []struct {
		offset, length int64
		want           string
	}{{0, 3, "012"}, {7, 0, "789"}, {4, 2, "45"}, {8, 100, "89"}} {
		body, info, err := p.b.Get(ctx, key, &store.GetOptions{Offset: r.offset, Length: r.length})
		if err != nil {
			return err
		}
		got, err := io.ReadAll(body)
		body.Close()
		if err != nil {
			return err
		}
		if string(got) != r.want || info.Size != 10 {
			return fmt.Errorf("%d bytes from %d of %d: got %q", r.length, r.offset, info.Size, got)
		}
	}
	_, _, err := p.b.Get(ctx, key, &store.GetOptions{Offset: 10})
	if !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("reading past the end: %v", err)
	}
	return nil
}

func tryList(ctx context.Context, p *probe) error {
	var want []string
	for _, name := range []string{"list/a", "list/b-1", "list/b.1", "list/b/1", "list/b0", "list/ê"} {
		want = append(want, p.prefix+name)
	}
	for _, i := range []int{3, 0, 5, 2, 1, 4} {
		if _, err := p.b.Put(ctx, want[i], []byte("x"), nil); err != nil {
			return err
		}
	}
	for after := range want {
		rest := want[after+1:]
		for info, err := range p.b.List(ctx, p.prefix+"list/", &store.ListOptions{After: want[after]}) {
			if err != nil {
				return err
			}
			if len(rest) == 0 || info.Key != rest[0] {
				return fmt.Errorf("%q is not listed where it belongs", info.Key)
			}
			rest = rest[1:]
		}
		if len(rest) > 0 {
			return fmt.Errorf("%q is not listed", rest[0])
		}
	}
	return nil
}

func (p *probe) upload(ctx context.Context, key string) (*store.Info, []byte, error) {
	u, err := p.b.Create(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	defer u.Abort(context.WithoutCancel(ctx))
	data := bytes.Repeat([]byte("probe "), (store.MinPart+100)/6)
	// The second part first.
	if err := u.Part(ctx, 2, data[store.MinPart:]); err != nil {
		return nil, nil, err
	}
	if err := u.Part(ctx, 1, data[:store.MinPart]); err != nil {
		return nil, nil, err
	}
	if _, _, err := p.b.Get(ctx, key, nil); !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("an object that is not complete: %v", err)
	}
	info, err := u.Complete(ctx)
	return info, data, err
}

func tryMultipart(ctx context.Context, p *probe) error {
	key := p.prefix + "multipart"
	_, data, err := p.upload(ctx, key)
	if err != nil {
		return err
	}
	got, _, err := store.ReadAll(ctx, p.b, key, int64(len(data)))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return errors.New("the object is not what was uploaded")
	}
	return nil
}

// tryDamage sends content that does not fit what guards it on this connection:
// the signed digest, or else the checksum.
func tryDamage(ctx context.Context, p *probe) error {
	sent, meant := []byte("sent"), []byte("meant")
	opts := minio.PutObjectOptions{DisableContentSha256: true}
	if p.b.unsigned {
		opts.UserMetadata = map[string]string{checksumHeader: checksum(meant)}
	}
	_, err := p.b.core.PutObject(ctx, p.b.name, p.prefix+"damage", bytes.NewReader(sent), int64(len(sent)), "", p.b.digest(meant), opts)
	switch {
	case err == nil:
		return errors.New("content was accepted that does not fit its checksum")
	case !refused(err):
		return err
	}
	return nil
}

// tryPrivate reads without signing the request.
func tryPrivate(ctx context.Context, p *probe) error {
	key := p.prefix + "private"
	if _, err := p.b.Put(ctx, key, []byte("x"), nil); err != nil {
		return err
	}
	base := p.b.core.EndpointURL().JoinPath(p.b.name)
	client := &http.Client{Transport: p.b.wire}
	for what, u := range map[string]string{"an object": base.JoinPath(key).String(), "the listing": base.String() + "?list-type=2"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode < 300 {
			return fmt.Errorf("%s was given without a key", what)
		}
	}
	return nil
}

func tryNoVersions(_ context.Context, p *probe) error {
	if p.versioning != "" {
		return fmt.Errorf("versioning is %s", p.versioning)
	}
	return nil
}

func tryNoDefaultLock(_ context.Context, p *probe) error {
	if p.b.autolock {
		return errors.New("the bucket has a default retention")
	}
	return nil
}

func tryDelete(ctx context.Context, p *probe) error {
	key := p.prefix + "delete"
	for range 2 {
		if _, err := p.b.Put(ctx, key, []byte("x"), nil); err != nil {
			return err
		}
	}
	if err := p.b.Delete(ctx, key); err != nil {
		return err
	}
	if _, _, err := p.b.Get(ctx, key, nil); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what was deleted: %v", err)
	}
	left, err := p.b.versions(ctx, key)
	if err == nil && len(left) > 0 {
		return fmt.Errorf("%d versions are left", len(left))
	}
	return err
}

func tryVersions(ctx context.Context, p *probe) error {
	if p.versioning != minio.Enabled {
		return errors.New("versioning is not enabled")
	}
	key := p.prefix + "versions"
	first, err := p.b.Put(ctx, key, []byte("first"), nil)
	if err != nil {
		return err
	}
	if _, err := p.b.Put(ctx, key, []byte("second"), nil); err != nil {
		return err
	}
	body, _, err := p.b.Get(ctx, key, &store.GetOptions{Version: first.Version})
	if err != nil {
		return err
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err == nil && string(got) != "first" {
		return fmt.Errorf("the first version reads %q", got)
	}
	return err
}

func tryMarker(ctx context.Context, p *probe) error {
	key := p.prefix + "marker"
	if _, err := p.b.Put(ctx, key, []byte("x"), nil); err != nil {
		return err
	}
	if err := p.b.core.RemoveObject(ctx, p.b.name, key, minio.RemoveObjectOptions{}); err != nil {
		return err
	}
	_, err := p.b.put(ctx, key, []byte("x"), true, time.Time{})
	return err
}

// until returns when a lock made now should end, by the server's clock.
func (p *probe) until() time.Time { return p.b.wire.time().Add(probeLock) }

// resists tries all there is to get rid of a locked version.
func (p *probe) resists(ctx context.Context, info *store.Info) error {
	switch err := p.b.Delete(ctx, info.Key); {
	case err == nil:
		return errors.New("the version could be deleted")
	case !errors.Is(err, store.ErrLocked):
		return err
	}
	err := p.b.core.RemoveObject(ctx, p.b.name, info.Key, minio.RemoveObjectOptions{
		VersionID: info.Version, GovernanceBypass: true,
	})
	if err == nil {
		return errors.New("deleting with a bypass succeeded")
	}
	body, _, err := p.b.Get(ctx, info.Key, &store.GetOptions{Version: info.Version})
	if err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	return body.Close()
}

func tryLock(ctx context.Context, p *probe) error {
	info, err := p.b.Put(ctx, p.prefix+"lock", []byte("x"), nil)
	if err != nil {
		return err
	}
	until := p.until()
	if err := p.b.Lock(ctx, info.Key, info.Version, until.Add(-time.Second)); err != nil {
		return err
	}
	if err := p.b.Lock(ctx, info.Key, info.Version, until); err != nil {
		return fmt.Errorf("extending: %w", err)
	}
	p.locked = info
	mode, shorter := minio.Compliance, until.Add(-time.Second)
	err = p.b.core.PutObjectRetention(ctx, p.b.name, info.Key, minio.PutObjectRetentionOptions{
		VersionID: info.Version, Mode: &mode, RetainUntilDate: &shorter, GovernanceBypass: true,
	})
	lock, lockErr := p.b.Locked(ctx, info.Key, info.Version)
	if lockErr != nil {
		return lockErr
	}
	if lock.Until.Before(until) {
		return fmt.Errorf("the lock was shortened (%v)", err)
	}
	return p.resists(ctx, info)
}

func tryHold(ctx context.Context, p *probe) error {
	info, err := p.b.Put(ctx, p.prefix+"hold", []byte("x"), nil)
	if err != nil {
		return err
	}
	if err := p.holdFor(ctx, info); err != nil {
		return err
	}
	if err := p.resists(ctx, info); err != nil {
		return err
	}
	if err := p.b.Hold(ctx, info.Key, info.Version, false); err != nil {
		return err
	}
	if err := p.b.Delete(ctx, info.Key); err != nil {
		return fmt.Errorf("after the hold: %w", err)
	}
	// Another for the trial that waits.
	info, err = p.b.Put(ctx, p.prefix+"held", []byte("x"), nil)
	if err != nil {
		return err
	}
	if err := p.b.Lock(ctx, info.Key, info.Version, p.until()); err != nil {
		return err
	}
	if err := p.holdFor(ctx, info); err != nil {
		return err
	}
	p.held = info
	return nil
}

// holdFor puts a version under a hold, which clean lifts.
func (p *probe) holdFor(ctx context.Context, info *store.Info) error {
	p.lift = append(p.lift, info)
	return p.b.Hold(ctx, info.Key, info.Version, true)
}

func tryLockMultipart(ctx context.Context, p *probe) error {
	info, _, err := p.upload(ctx, p.prefix+"lock-multipart")
	if err != nil {
		return err
	}
	if err := p.b.Lock(ctx, info.Key, info.Version, p.until()); err != nil {
		return err
	}
	return p.resists(ctx, info)
}

func tryLockInPut(ctx context.Context, p *probe) error {
	until := p.until()
	info, err := p.b.put(ctx, p.prefix+"lock-in-put", []byte("x"), true, until)
	if err != nil {
		if refused(err) {
			p.b.lockedPut.Store(fails)
		}
		return err
	}
	lock, err := p.b.Locked(ctx, info.Key, info.Version)
	if err != nil {
		return err
	}
	if lock.Until.Before(until) {
		p.b.lockedPut.Store(fails)
		return errors.New("the lock was dropped")
	}
	if err := p.resists(ctx, info); err != nil {
		return err
	}
	p.b.lockedPut.Store(works)
	return nil
}

func tryLockEnds(ctx context.Context, p *probe) error {
	if p.locked == nil {
		return errors.New("not tried: there is no lock")
	}
	ctx, cancel := context.WithTimeout(ctx, 3*probeLock)
	defer cancel()
	for {
		err := p.b.Delete(ctx, p.locked.Key)
		if !errors.Is(err, store.ErrLocked) || !pause(ctx, 3) {
			return err
		}
	}
}

func tryHoldOutlivesLock(ctx context.Context, p *probe) error {
	if p.held == nil {
		return errors.New("not tried: there is no hold")
	}
	waiting, cancel := context.WithTimeout(ctx, 3*probeLock)
	defer cancel()
	lock, err := p.b.Locked(waiting, p.held.Key, p.held.Version)
	for err == nil && lock.Until.After(p.b.wire.time()) && pause(waiting, 3) {
		lock, err = p.b.Locked(waiting, p.held.Key, p.held.Version)
	}
	if err != nil {
		return err
	}
	if err := p.resists(ctx, p.held); err != nil {
		return err
	}
	if err := p.b.Hold(ctx, p.held.Key, p.held.Version, false); err != nil {
		return err
	}
	return p.b.Delete(ctx, p.held.Key)
}
