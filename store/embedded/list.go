package embedded

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// page is one page of a listing, of objects or of versions.
type page struct {
	prefix, delimiter string
	max               int

	objects   []s3response.Object
	versions  []s3response.ObjectVersion
	markers   []types.DeleteMarkerEntry
	common    []types.CommonPrefix
	count     int
	last      string // the last key or common prefix on the page
	truncated bool
}

// full notes, before something is added, that it has no place.
func (p *page) full() bool {
	p.truncated = p.count >= p.max
	return p.truncated
}

// fold returns the common prefix that stands for key, or "".
func (p *page) fold(key string) string {
	if p.delimiter == "" {
		return ""
	}
	before, _, found := strings.Cut(key[len(p.prefix):], p.delimiter)
	if !found {
		return ""
	}
	return p.prefix + before + p.delimiter
}

func (p *page) add(last string) { p.count, p.last = p.count+1, last }

func (p *page) next() *string {
	if p.truncated {
		return &p.last
	}
	return nil
}

// list fills a page with the objects after a key or common prefix.
func (b *backend) list(ctx context.Context, bucket, after string, p *page) error {
	if _, err := b.bucket(bucket); err != nil || p.max == 0 {
		return err
	}
	w := p.walker(ctx, after)
	w.visit = func(key, base string) (bool, error) {
		if key == after {
			return true, nil
		}
		v, err := b.peek(base)
		if v == nil || err != nil {
			return true, err
		}
		if common := p.fold(key); common != "" {
			w.skip = common
			return p.addCommon(common), nil
		}
		if p.full() {
			return false, nil
		}
		p.objects = append(p.objects, s3response.Object{
			Key: &key, ETag: &v.ETag, Size: &v.Size, LastModified: &v.Modified, StorageClass: types.ObjectStorageClassStandard,
		})
		p.add(key)
		return true, nil
	}
	return b.walk(bucket, w)
}

// walker returns a walker for what comes after a marker, which may be a common
// prefix that ended the page before.
func (p *page) walker(ctx context.Context, after string) *walker {
	w := &walker{ctx: ctx, prefix: p.prefix, from: after}
	if strings.HasPrefix(after, p.prefix) && p.fold(after) == after {
		w.skip = after
	}
	return w
}

// addCommon adds a common prefix. It returns false if it has no place.
func (p *page) addCommon(prefix string) bool {
	if p.full() {
		return false
	}
	p.common = append(p.common, types.CommonPrefix{Prefix: &prefix})
	p.add(prefix)
	return true
}

// peek reads the record of a key's newest version, if it has one that is not a
// delete marker.
func (b *backend) peek(base string) (*record, error) {
	l := b.keys.of(base)
	l.RLock()
	defer l.RUnlock()
	v, err := b.latest(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v.close()
	if v.DeleteMarker {
		return nil, nil
	}
	return v.record, nil
}

// ListObjects implements vgw.Backend.
func (b *backend) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (s3response.ListObjectsResult, error) {
	p := &page{prefix: str(in.Prefix), delimiter: str(in.Delimiter), max: int(*in.MaxKeys)}
	if err := b.list(ctx, *in.Bucket, str(in.Marker), p); err != nil {
		return s3response.ListObjectsResult{}, b.fail("list objects", err)
	}
	return s3response.ListObjectsResult{
		Name: in.Bucket, Prefix: in.Prefix, Delimiter: opt(p.delimiter), MaxKeys: in.MaxKeys, Marker: in.Marker,
		NextMarker: p.next(), IsTruncated: &p.truncated, Contents: p.objects, CommonPrefixes: p.common,
	}, nil
}

// ListObjectsV2 implements vgw.Backend. The continuation token is a key.
func (b *backend) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (s3response.ListObjectsV2Result, error) {
	p := &page{prefix: str(in.Prefix), delimiter: str(in.Delimiter), max: int(*in.MaxKeys)}
	if err := b.list(ctx, *in.Bucket, max(str(in.StartAfter), str(in.ContinuationToken)), p); err != nil {
		return s3response.ListObjectsV2Result{}, b.fail("list objects", err)
	}
	return s3response.ListObjectsV2Result{
		Name: in.Bucket, Prefix: in.Prefix, Delimiter: opt(p.delimiter), MaxKeys: in.MaxKeys, KeyCount: ptr(int32(p.count)),
		StartAfter: opt(str(in.StartAfter)), ContinuationToken: opt(str(in.ContinuationToken)), NextContinuationToken: p.next(),
		IsTruncated: &p.truncated, Contents: p.objects, CommonPrefixes: p.common,
	}, nil
}

// ListObjectVersions implements vgw.Backend.
func (b *backend) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (s3response.ListVersionsResult, error) {
	p := &page{prefix: str(in.Prefix), delimiter: str(in.Delimiter), max: int(*in.MaxKeys)}
	lastVersion, err := b.listVersions(ctx, *in.Bucket, str(in.KeyMarker), str(in.VersionIdMarker), p)
	if err != nil {
		return s3response.ListVersionsResult{}, b.fail("list versions", err)
	}
	res := s3response.ListVersionsResult{
		Name: in.Bucket, Prefix: in.Prefix, Delimiter: opt(p.delimiter), MaxKeys: in.MaxKeys,
		KeyMarker: in.KeyMarker, VersionIdMarker: in.VersionIdMarker, NextKeyMarker: p.next(),
		IsTruncated: &p.truncated, Versions: p.versions, DeleteMarkers: p.markers, CommonPrefixes: p.common,
	}
	if p.truncated {
		res.NextVersionIdMarker = opt(lastVersion)
	}
	return res, nil
}

// listVersions fills a page with the versions after a key, or after a version
// of it. It returns the last version on the page.
func (b *backend) listVersions(ctx context.Context, bucket, after, version string, p *page) (last string, err error) {
	if _, err := b.bucket(bucket); err != nil || p.max == 0 {
		return "", err
	}
	if version != "" && (after == "" || !validVersion(version)) {
		return "", s3err.GetInvalidArgumentErr(s3err.InvalidArgVersionId, version)
	}
	w := p.walker(ctx, after)
	w.visit = func(key, base string) (bool, error) {
		if key == after && version == "" {
			return true, nil
		}
		records, err := b.history(base)
		if err != nil || len(records) == 0 {
			return true, err
		}
		if common := p.fold(key); common != "" {
			last, w.skip = "", common
			return p.addCommon(common), nil
		}
		for i, r := range records {
			if key == after && !older(r.Version, version) {
				continue
			}
			if p.full() {
				return false, nil
			}
			p.addVersion(key, r, i == 0)
			last = r.Version
		}
		return true, nil
	}
	return last, b.walk(bucket, w)
}

// older tells whether version a comes after b in a listing.
func older(a, b string) bool {
	if a == nullVersion || b == nullVersion {
		return b != nullVersion
	}
	return a < b
}

func (p *page) addVersion(key string, r *record, latest bool) {
	if r.DeleteMarker {
		p.markers = append(p.markers, types.DeleteMarkerEntry{Key: &key, VersionId: &r.Version, IsLatest: &latest, LastModified: &r.Modified})
	} else {
		p.versions = append(p.versions, s3response.ObjectVersion{
			Key: &key, VersionId: &r.Version, IsLatest: &latest, ETag: &r.ETag, Size: &r.Size, LastModified: &r.Modified,
			StorageClass: types.ObjectVersionStorageClassStandard,
		})
	}
	p.add(key)
}

// history reads the records of a key's versions, the newest first.
func (b *backend) history(base string) ([]*record, error) {
	l := b.keys.of(base)
	l.RLock()
	defer l.RUnlock()
	paths, err := b.versionPaths(base)
	if err != nil {
		return nil, err
	}
	var records []*record
	for _, path := range paths {
		v, err := b.openVersion(path)
		if err != nil {
			return nil, err
		}
		v.close()
		records = append(records, v.record)
	}
	return records, nil
}
