package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/store"
)

// fileStore is a store that makes every object durable before it answers: one
// file written, fsync'd and linked into place.
type fileStore struct {
	dir  string
	temp atomic.Uint64
}

func (s *fileStore) Put(ctx context.Context, key string, data []byte, opts *store.PutOptions) (*store.Info, error) {
	name := filepath.Join(s.dir, filepath.FromSlash(key))
	temp := filepath.Join(s.dir, fmt.Sprint("temp", s.temp.Add(1)))
	f, err := os.Create(temp)
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp)
	if _, err := f.Write(data); err != nil {
		return nil, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	err = os.Link(temp, name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return nil, err
		}
		err = os.Link(temp, name)
	}
	if errors.Is(err, fs.ErrExist) && (opts == nil || !opts.IfAbsent) {
		err = os.Rename(temp, name)
	}
	return &store.Info{Key: key, Size: int64(len(data))}, err
}

func (s *fileStore) Get(ctx context.Context, key string, opts *store.GetOptions) (io.ReadCloser, *store.Info, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(key)))
	if err != nil {
		return nil, nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), &store.Info{Key: key, Size: int64(len(data))}, nil
}

func (s *fileStore) Delete(ctx context.Context, key string) error {
	return os.Remove(filepath.Join(s.dir, filepath.FromSlash(key)))
}

func (s *fileStore) List(ctx context.Context, prefix string, opts *store.ListOptions) iter.Seq2[*store.Info, error] {
	return func(yield func(*store.Info, error) bool) {
		after := ""
		if opts != nil {
			after = opts.After
		}
		filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
			key, _ := filepath.Rel(s.dir, name)
			if err != nil || d.IsDir() || !strings.HasPrefix(key, prefix) || key <= after {
				return nil
			}
			if !yield(&store.Info{Key: key, Latest: true}, nil) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// benchEvent is of the usual size: 350 bytes in the log.
func benchEvent(n uint64) audit.Event {
	return audit.Event{
		ID: fmt.Sprintf("retrieval-%020d", n), Type: "dissemination", Chain: "dossiers/abcdefghijklmnopqrstuvwxyz234567",
		Details: map[string]string{"package": "abcdefghijklmnopqrstuvwxyz"}, Private: map[string]string{"actor": "Nguyễn Thị Ánh"},
	}
}

// measure appends b.N events by so many goroutines and reports rate and
// latency.
func measure(b *testing.B, appenders int, add func(n uint64) error) {
	var next atomic.Uint64
	waits := make([][]time.Duration, appenders)
	var all sync.WaitGroup
	b.ResetTimer()
	begun := time.Now()
	for w := range appenders {
		all.Go(func() {
			for {
				n := next.Add(1)
				if n > uint64(b.N) {
					return
				}
				begun := time.Now()
				if err := add(n); err != nil {
					b.Error(err)
					return
				}
				waits[w] = append(waits[w], time.Since(begun))
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	b.StopTimer()
	sorted := slices.Sorted(slices.Values(slices.Concat(waits...)))
	b.ReportMetric(float64(b.N)/took.Seconds(), "events/s")
	b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAppend compares, on a disk, the log with a file that every event is
// appended to and fsync'd, one by one. Events of the log have a private value
// unless it says open; grouped is the file with one fsync for all that wait.
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 64, 256} {
		for _, kind := range []string{"ledger", "open", "file", "grouped"} {
			b.Run(fmt.Sprintf("%s-%d", kind, appenders), func(b *testing.B) {
				switch kind {
				case "ledger", "open":
					benchmarkLedger(b, appenders, kind == "ledger")
				case "file":
					benchmarkFile(b, appenders)
				case "grouped":
					benchmarkGrouped(b, appenders)
				}
			})
		}
	}
}

func benchmarkLedger(b *testing.B, appenders int, private bool) {
	bed := newBed(b)
	c := bed.config
	c.Store, c.Work, c.Now, c.LockFor, c.Publish = &fileStore{dir: b.TempDir()}, &fileStore{dir: b.TempDir()}, time.Now, 0, 0
	if err := audit.Create(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	l := open(b, c)
	measure(b, appenders, func(n uint64) error {
		e := benchEvent(n)
		if !private {
			e.Private = nil
		}
		_, err := l.Append(context.Background(), e)
		return err
	})
	closeLog(b, l)
}

func benchLines() []byte { return bytes.Repeat([]byte("x"), 350) }

func benchmarkFile(b *testing.B, appenders int) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var mu sync.Mutex
	line := benchLines()
	measure(b, appenders, func(uint64) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := f.Write(line)
		return errors.Join(err, f.Sync())
	})
}

func benchmarkGrouped(b *testing.B, appenders int) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	queue := make(chan chan error, 4096)
	defer close(queue)
	line := benchLines()
	go func() {
		for first := range queue {
			waiting := []chan error{first}
			for len(queue) > 0 && len(waiting) < 1024 {
				waiting = append(waiting, <-queue)
			}
			_, err := f.Write(bytes.Repeat(line, len(waiting)))
			err = errors.Join(err, f.Sync())
			for _, w := range waiting {
				w <- err
			}
		}
	}()
	measure(b, appenders, func(uint64) error {
		done := make(chan error, 1)
		queue <- done
		return <-done
	})
}

// BenchmarkOpen opens a published log of 100,000 entries from memory, and tells
// what it occupies for each of them.
func BenchmarkOpen(b *testing.B) {
	const size = 100_000
	bed := newBed(b)
	l := open(b, bed.config)
	var next atomic.Uint64
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			for n := next.Add(1); n <= size; n = next.Add(1) {
				if _, err := l.Append(context.Background(), benchEvent(n)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	closeLog(b, l)
	l = nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		l = open(b, bed.config)
	}
	if l.Size() != size {
		b.Fatalf("%d entries", l.Size())
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/size, "us/entry")
	if b.N == 1 {
		audit.Forget(l)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/size, "B/entry")
	}
	runtime.KeepAlive(l)
}
