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
	"time"

	"github.com/minio/minio-go/v7"
)

// BenchmarkPut measures durable puts beside what the disk gives: as many
// files, each written, synced and closed. The two take turns, so that whatever
// else the machine does falls on both: "put/raw" is their ratio.
// Sub-benchmarks are named bytes/clients.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{4 << 10, 2 << 20} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("%d/%d", size, clients), func(b *testing.B) {
				benchmarkPut(b, make([]byte, size), clients)
			})
		}
	}
}

func benchmarkPut(b *testing.B, data []byte, clients int) {
	dir, c := b.TempDir(), bucket(b, true)
	var raw, puts time.Duration
	const turn = 64
	for done := 0; done < b.N; done += turn {
		begin := time.Now()
		share(b, clients, turn, func(n int) error {
			f, err := os.Create(filepath.Join(dir, fmt.Sprint(done+n)))
			if err != nil {
				return err
			}
			_, err = f.Write(data)
			return errors.Join(err, f.Sync(), f.Close())
		})
		middle := time.Now()
		share(b, clients, turn, func(n int) error {
			_, err := put(b.Context(), c, fmt.Sprintf("dossiers/%02x/%d", n, done), data, absent(data))
			return err
		})
		raw += middle.Sub(begin)
		puts += time.Since(middle)
	}
	n := float64((b.N + turn - 1) / turn * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/raw.Seconds(), "raw/s")
	b.ReportMetric(n/puts.Seconds(), "put/s")
	b.ReportMetric(raw.Seconds()/puts.Seconds(), "put/raw")
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
				b.SetBytes(int64(size))
				b.ResetTimer()
				share(b, clients, b.N, func(n int) error {
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

// share has calls of f, with the numbers below n, made by as many goroutines
// as there are clients.
func share(b *testing.B, clients, n int, f func(n int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
