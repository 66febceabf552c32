package embedded_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store/embedded"
)

func TestMultipart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	c, ctx := client(t, s.Endpoint()), t.Context()
	if err := c.MakeBucket(ctx, "archive", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	core := minio.Core{Client: c}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	id, err := core.NewMultipartUpload(ctx, "archive", "big", retained(minio.PutObjectOptions{ContentType: "application/zip"}, until))
	if err != nil {
		t.Fatal(err)
	}
	part := func(n int, data []byte) minio.CompletePart {
		t.Helper()
		p, err := core.PutObjectPart(ctx, "archive", "big", id, n, bytes.NewReader(data), int64(len(data)), minio.PutObjectPartOptions{DisableContentSha256: true})
		if err != nil {
			t.Fatal(err)
		}
		return minio.CompletePart{PartNumber: n, ETag: p.ETag}
	}
	one, two, three := bytes.Repeat([]byte("1"), 5<<20), bytes.Repeat([]byte("2"), 5<<20+1), []byte("3")
	last := part(3, three)
	second := part(2, one)
	first := part(1, one)

	// Go on after a restart, replacing a part.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, embedded.Config{Dir: dir})
	c = client(t, s.Endpoint())
	core = minio.Core{Client: c}
	stale := second
	second = part(2, two)
	listed, err := core.ListObjectParts(ctx, "archive", "big", id, 0, 2)
	if err != nil || len(listed.ObjectParts) != 2 || !listed.IsTruncated || listed.NextPartNumberMarker != 2 {
		t.Errorf("parts %+v, %v", listed, err)
	}
	if ups, err := core.ListMultipartUploads(ctx, "archive", "b", "", "", "", 10); err != nil || len(ups.Uploads) != 1 || ups.Uploads[0].UploadID != id {
		t.Errorf("uploads %+v, %v", ups, err)
	}
	for _, bad := range [][]minio.CompletePart{{first, stale, last}, {second, first}, {first, {PartNumber: 9, ETag: last.ETag}}, {last, {PartNumber: 4, ETag: "x"}}} {
		if _, err := core.CompleteMultipartUpload(ctx, "archive", "big", id, bad, minio.PutObjectOptions{}); err == nil {
			t.Errorf("completed with %+v", bad)
		}
	}
	if _, err := get(ctx, c, "big", ""); code(err) != "NoSuchKey" {
		t.Errorf("before completion: %v", err)
	}
	u, err := core.CompleteMultipartUpload(ctx, "archive", "big", id, []minio.CompletePart{first, second, last}, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Join([][]byte{one, two, three}, nil)
	if got, err := get(ctx, c, "big", u.VersionID); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if st, err := c.StatObject(ctx, "archive", "big", minio.StatObjectOptions{}); err != nil || st.ContentType != "application/zip" {
		t.Errorf("%+v, %v", st, err)
	}
	if _, got, err := c.GetObjectRetention(ctx, "archive", "big", u.VersionID); err != nil || !got.Equal(until) {
		t.Errorf("locked until %v, %v", got, err)
	}
	if _, err := core.ListObjectParts(ctx, "archive", "big", id, 0, 2); code(err) != "NoSuchUpload" {
		t.Errorf("upload after completion: %v", err)
	}
}

func TestMultipartIfAbsent(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	core := minio.Core{Client: c}
	mustPut(t, c, "a", []byte("taken"))
	id, err := core.NewMultipartUpload(ctx, "archive", "a", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := core.PutObjectPart(ctx, "archive", "a", id, 1, bytes.NewReader([]byte("x")), 1, minio.PutObjectPartOptions{DisableContentSha256: true})
	if err != nil {
		t.Fatal(err)
	}
	o := minio.PutObjectOptions{}
	o.SetMatchETagExcept("*")
	if _, err := core.CompleteMultipartUpload(ctx, "archive", "a", id, []minio.CompletePart{{PartNumber: 1, ETag: p.ETag}}, o); code(err) != "PreconditionFailed" {
		t.Errorf("completed over an object: %v", err)
	}
	if err := core.AbortMultipartUpload(ctx, "archive", "a", id); err != nil {
		t.Error(err)
	}
	if err := core.AbortMultipartUpload(ctx, "archive", "a", id); code(err) != "NoSuchUpload" {
		t.Errorf("aborted twice: %v", err)
	}
	for _, bad := range []string{"..", "../data/archive", id} {
		if _, err := core.PutObjectPart(ctx, "archive", "a", bad, 1, bytes.NewReader([]byte("x")), 1, minio.PutObjectPartOptions{DisableContentSha256: true}); code(err) != "NoSuchUpload" {
			t.Errorf("part of upload %q: %v", bad, err)
		}
	}
}

// TestMultipartChecksums lets minio-go do as it likes: it adds the checksums
// of parts up and sends their sum.
func TestMultipartChecksums(t *testing.T) {
	c, ctx := bucket(t, true), t.Context()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20+3)
	for _, o := range []minio.PutObjectOptions{{}, {DisableContentSha256: true}, {NumThreads: 4, ConcurrentStreamParts: true}} {
		o.PartSize = 5 << 20
		if _, err := put(ctx, c, "big", data, o); err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if got, err := get(ctx, c, "big", ""); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}
