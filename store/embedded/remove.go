package embedded

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	vgw "github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// DeleteObject implements vgw.Backend.
func (b *backend) DeleteObject(_ context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	out, err := b.remove(in)
	return out, b.fail("delete object", err)
}

func (b *backend) remove(in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	bk, done, err := b.use(*in.Bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	base, err := objectBase(*in.Bucket, *in.Key)
	if err != nil {
		return nil, err
	}
	l := b.keys.of(base)
	l.Lock()
	defer l.Unlock()
	id := str(in.VersionId)
	v, err := b.find(base, *in.Key, id)
	switch {
	case notFound(err) && id == "" && bk.Versioned:
		return b.mark(base, *in.Key, nil)
	case notFound(err): // as good as deleted
		return &s3.DeleteObjectOutput{VersionId: opt(id)}, nil
	case err != nil:
		return nil, err
	}
	defer v.close()
	cond := vgw.ObjectDeletePreconditions{IfMatch: in.IfMatch, IfMatchLastModTime: in.IfMatchLastModifiedTime, IfMatchSize: in.IfMatchSize}
	if err := vgw.EvaluateObjectDeletePreconditions(v.ETag, v.Modified, v.Size, cond); err != nil {
		return nil, err
	}
	if id == "" && bk.Versioned {
		return b.mark(base, *in.Key, v)
	}
	if err := v.Lock.mayRemove(b.now()); err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectOutput{}
	if id != "" {
		out.VersionId, out.DeleteMarker = &v.Version, &v.DeleteMarker
	}
	return out, b.log.commit(change{op: opRemove, path: v.path})
}

// mark puts a delete marker on top of a key's versions; newest may be nil.
func (b *backend) mark(base, key string, newest *version) (*s3.DeleteObjectOutput, error) {
	r := b.newRecord(settings{Versioned: true}, key)
	r.DeleteMarker = true
	path := firstVersion(base)
	if newest != nil {
		r.Version = newVersion(r.Modified, newest.Version)
		path = laterVersion(base, r.Version)
	}
	tail, err := r.tail()
	if err != nil {
		return nil, err
	}
	if err := b.log.commit(change{op: opWrite, path: path, data: tail}); err != nil {
		return nil, err
	}
	return &s3.DeleteObjectOutput{DeleteMarker: ptr(true), VersionId: &r.Version}, nil
}

func notFound(err error) bool {
	var version s3err.NoSuchVersionError
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, s3err.GetAPIError(s3err.ErrNoSuchKey)) || errors.As(err, &version)
}

// DeleteObjects implements vgw.Backend. The deletions run side by side, so
// that they share writes of the log.
func (b *backend) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	objects := in.Delete.Objects
	outs, errs := make([]*s3.DeleteObjectOutput, len(objects)), make([]error, len(objects))
	var wg sync.WaitGroup
	free := make(chan struct{}, 32)
	for i, o := range objects {
		free <- struct{}{}
		wg.Go(func() {
			outs[i], errs[i] = b.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: in.Bucket, Key: o.Key, VersionId: o.VersionId})
			<-free
		})
	}
	wg.Wait()
	var res s3response.DeleteResult
	for i, o := range objects {
		if errs[i] != nil {
			res.Error = append(res.Error, s3err.ObjectDeleteError(o.Key, o.VersionId, errs[i]))
			continue
		}
		d := types.DeletedObject{Key: o.Key, VersionId: o.VersionId, DeleteMarker: outs[i].DeleteMarker}
		if d.DeleteMarker != nil && *d.DeleteMarker {
			d.DeleteMarkerVersionId = outs[i].VersionId
		}
		res.Deleted = append(res.Deleted, d)
	}
	return res, nil
}
