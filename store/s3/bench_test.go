package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/luutru/luutru/store"
)

// BenchmarkServer compares an exclusive Put with a plain PutObject of minio-go,
// on the outside server that LUUTRU_TEST_S3 names.
func BenchmarkServer(b *testing.B) {
	raw := os.Getenv("LUUTRU_TEST_S3")
	if raw == "" {
		b.Log("no outside server requested by LUUTRU_TEST_S3")
		return
	}
	cfg := server(b, raw)
	cfg.UnsignedPayload = true
	archive, plain := newBucket(b, cfg, true), newBucket(b, cfg, false)
	client, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Secure: cfg.Secure, Region: "us-east-1",
	})
	if err != nil {
		b.Fatal(err)
	}
	put := func(s store.Store) func(context.Context, string, []byte) error {
		return func(ctx context.Context, key string, data []byte) error {
			_, err := s.Put(ctx, key, data, &store.PutOptions{IfAbsent: true})
			return err
		}
	}
	for _, way := range []struct {
		name string
		put  func(context.Context, string, []byte) error
	}{
		{"archive", put(archive)},
		{"plain", put(plain)},
		{"minio-archive", minioPut(client, archive.Name())},
		{"minio-plain", minioPut(client, plain.Name())},
	} {
		for _, size := range []int{4 << 10, 2 << 20} {
			for _, clients := range []int{1, 16} {
				name := fmt.Sprintf("put/%s/%dKiB/%d", way.name, size>>10, clients)
				b.Run(name, func(b *testing.B) { benchmarkPut(b, name, size, clients, way.put) })
			}
		}
	}
}

func minioPut(client *minio.Client, bucket string) func(context.Context, string, []byte) error {
	return func(ctx context.Context, key string, data []byte) error {
		_, err := client.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
		return err
	}
}

func benchmarkPut(b *testing.B, name string, size, clients int, put func(context.Context, string, []byte) error) {
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	var n atomic.Int64
	run := newRun()
	b.SetBytes(int64(size))
	b.SetParallelism((clients + 1) / 2) // times the processors
	if clients == 1 {
		for b.Loop() {
			if err := put(b.Context(), fmt.Sprintf("%s/%s/%d", name, run, n.Add(1)), data); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := put(b.Context(), fmt.Sprintf("%s/%s/%d", name, run, n.Add(1)), data); err != nil {
				b.Error(err)
			}
		}
	})
}
