package bagit_test

import (
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
)

// sparse keeps what is written to it, but for blocks of zeros.
type sparse struct {
	blocks map[int64][]byte
	full   int64 // blocks that went before
	now    []byte
}

const sparseBlock = 4096

func (s *sparse) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), sparseBlock-len(s.now))
		s.now = append(s.now, p[:k]...)
		p = p[k:]
		if len(s.now) < sparseBlock {
			break
		}
		for _, c := range s.now {
			if c != 0 {
				s.blocks[s.full] = append([]byte(nil), s.now...)
				break
			}
		}
		s.full++
		s.now = s.now[:0]
	}
	return n, nil
}

func (s *sparse) size() int64 { return s.full*sparseBlock + int64(len(s.now)) }

func (s *sparse) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) && at < s.size() {
		block := s.now
		if i := at / sparseBlock; i < s.full {
			block = s.blocks[i]
		}
		k := min(len(p)-n, int(sparseBlock-at%sparseBlock), int(s.size()-at))
		if block == nil {
			clear(p[n : n+k])
		} else {
			copy(p[n:n+k], block[at%sparseBlock:])
		}
		n, at = n+k, at+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestMemory writes and verifies a large bag: all that is allocated meanwhile,
// freed or not, is a fraction of it. A whole GiB with LUUTRU_BIG or
// LUUTRU_BAGIT.
func TestMemory(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("LUUTRU_BIG") != "" || os.Getenv("LUUTRU_BAGIT") != "" {
		size = 1 << 30
	}
	for _, form := range []string{container.ZIP, container.TAR} {
		kept := &sparse{blocks: map[int64][]byte{}}
		written := allocated(func() { writeZeros(t, kept, form, size) })
		verified := allocated(func() {
			b, err := bagit.Open(kept, kept.size())
			if err != nil {
				t.Fatal(err)
			}
			if faults := b.Verify(t.Context()); len(faults) > 0 || b.Files()[0].Size != size {
				t.Errorf("%s: %s", form, rules(faults))
			}
		})
		t.Logf("%s of %d MiB: %d KiB allocated when written, %d KiB when verified", form, size>>20, written>>10, verified>>10)
		if written > 4<<20 || verified > 4<<20 {
			t.Errorf("%s: memory grows with the bag", form)
		}
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func writeZeros(t testing.TB, to io.Writer, form string, size int64) {
	w, err := bagit.NewWriter(to, bagit.Options{Form: form, Name: "bag", Time: bagged()})
	if err != nil {
		t.Fatal(err)
	}
	part, err := w.Create(bagit.Payload{Path: "large.bin", Size: size})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(part, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
