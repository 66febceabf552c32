package s3

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

// Create implements store.Uploader.
func (b *Bucket) Create(ctx context.Context, key string) (store.Upload, error) {
	if err := b.check(ctx, "create", key); err != nil {
		return nil, err
	}
	u := &upload{b: b, key: key, mark: newMark(), parts: map[int]part{}}
	id, err := b.core.NewMultipartUpload(ctx, b.name, key, minio.PutObjectOptions{
		UserMetadata: map[string]string{"X-Amz-Checksum-Algorithm": "CRC32C", markName: u.mark},
	})
	if err != nil {
		return nil, b.translate(ctx, "create", key, err)
	}
	u.id = id
	return u, nil
}

type upload struct {
	b    *Bucket
	key  string
	id   string
	mark string // as in put

	mu    sync.Mutex
	parts map[int]part
	done  bool
}

type part struct {
	minio.CompletePart
	size int64
}

// Part implements store.Upload.
func (u *upload) Part(ctx context.Context, number int, data []byte) error {
	if err := u.b.check(ctx, "part", u.key); err != nil {
		return err
	}
	if number < 1 || number > 10000 || len(data) == 0 {
		return &fs.PathError{Op: "part", Path: u.key, Err: fs.ErrInvalid}
	}
	stored, err := u.b.core.PutObjectPart(ctx, u.b.name, u.key, u.id, number,
		bytes.NewReader(data), int64(len(data)), minio.PutObjectPartOptions{
			Sha256Hex:            u.b.digest(data),
			DisableContentSha256: true,
			CustomHeader:         http.Header{checksumHeader: {checksum(data)}},
		})
	if err != nil {
		return u.b.translate(ctx, "part", u.key, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[number] = part{
		CompletePart: minio.CompletePart{
			PartNumber: number, ETag: stored.ETag, ChecksumCRC32C: stored.ChecksumCRC32C,
		},
		size: int64(len(data)),
	}
	return nil
}

// Complete implements store.Upload.
func (u *upload) Complete(ctx context.Context) (*store.Info, error) {
	if err := u.b.check(ctx, "complete", u.key); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	parts, size := u.all()
	if len(parts) == 0 {
		return nil, &fs.PathError{Op: "complete", Path: u.key, Err: fs.ErrInvalid}
	}
	up, err := u.b.core.CompleteMultipartUpload(ctx, u.b.name, u.key, u.id, parts, minio.PutObjectOptions{})
	if err == nil {
		u.done = true
		return &store.Info{Key: u.key, Version: version(up.VersionID), Size: size}, nil
	}
	// Completing a second time, because the first answer was lost, finds no
	// such upload.
	if !u.done && (uncertain(err) || errors.Is(meaning(err), fs.ErrNotExist)) {
		if info, _, _ := u.b.look(ctx, u.key, u.mark); info != nil {
			u.done = true
			return info, nil
		}
	}
	return nil, u.b.translate(ctx, "complete", u.key, err)
}

// all returns the parts in order and their size together, or none if they do
// not make an object.
func (u *upload) all() (parts []minio.CompletePart, size int64) {
	for n := 1; n <= len(u.parts); n++ {
		p, ok := u.parts[n]
		if !ok || n < len(u.parts) && p.size < store.MinPart {
			return nil, 0
		}
		parts, size = append(parts, p.CompletePart), size+p.size
	}
	return parts, size
}

// Abort implements store.Upload.
func (u *upload) Abort(ctx context.Context) error {
	if err := u.b.check(ctx, "abort", u.key); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return nil
	}
	err := u.b.core.AbortMultipartUpload(ctx, u.b.name, u.key, u.id)
	if errors.Is(meaning(err), fs.ErrNotExist) {
		return nil
	}
	return u.b.translate(ctx, "abort", u.key, err)
}
