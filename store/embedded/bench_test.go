package embedded_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
)

// BenchmarkPut measures durable puts beside what the disk gives: as many
// files, each written, synced and closed, in the same run. Sub-benchmarks are
// named bytes/clients/{raw,put}.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{4 << 10, 2 << 20} {
		for _, clients := range []int{1, 16} {
			name := fmt.Sprintf("%d/%d/", size, clients)
			data := make([]byte, size)
			b.Run(name+"raw", func(b *testing.B) {
				dir := b.TempDir()
				share(b, clients, size, func(n int64) error {
					f, err := os.Create(filepath.Join(dir, fmt.Sprint(n)))
					if err != nil {
						return err
					}
					_, err = f.Write(data)
					return errors.Join(err, f.Sync(), f.Close())
				})
			})
			b.Run(name+"put", func(b *testing.B) {
				c := bucket(b, true)
				share(b, clients, size, func(n int64) error {
					_, err := put(b.Context(), c, fmt.Sprintf("dossiers/%02x/%d", n%256, n), data, absent(data))
					return err
				})
			})
		}
	}
}

// BenchmarkGet measures reads of what was just put.
func BenchmarkGet(b *testing.B) {
	for _, size := range []int{4 << 10, 2 << 20} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("%d/%d", size, clients), func(b *testing.B) {
				c := bucket(b, true)
				for n := range 64 {
					mustPut(b, c, fmt.Sprintf("a/%d", n), make([]byte, size))
				}
				core := minio.Core{Client: c}
				share(b, clients, size, func(n int64) error {
					r, _, _, err := core.GetObject(b.Context(), "archive", fmt.Sprintf("a/%d", n%64), minio.GetObjectOptions{})
					if err != nil {
						return err
					}
					_, err = io.Copy(io.Discard, r)
					return errors.Join(err, r.Close())
				})
			})
		}
	}
}

// share has b.N calls of f made by as many goroutines as there are clients.
func share(b *testing.B, clients, size int, f func(n int64) error) {
	b.SetBytes(int64(size))
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := f(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}
