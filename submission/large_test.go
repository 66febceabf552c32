package submission_test

import (
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/submission"
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

// TestMemory: what opening and reading a large dossier allocates is a fraction
// of it. A whole GiB with LUUTRU_BIG or LUUTRU_BAGIT.
func TestMemory(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("LUUTRU_BIG") != "" || os.Getenv("LUUTRU_BAGIT") != "" {
		size = 1 << 30
	}
	decl := declared(t, small()[0])
	decl.Documents = decl.Documents[:1]
	decl.Documents[0].Size, decl.Documents[0].SHA256 = 0, ""
	declaration, err := decl.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{container.ZIP, container.TAR} {
		kept := &sparse{blocks: map[int64][]byte{}}
		w, err := bagit.NewWriter(kept, bagit.Options{Form: form, Name: "bag", Time: now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Tag("dossier.json", declaration); err != nil {
			t.Fatal(err)
		}
		part, err := w.Create(bagit.Payload{Path: decl.Documents[0].Name, Size: size})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(part, io.LimitReader(zeros{}, size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		used := allocated(func() {
			s, err := submission.Open(t.Context(), kept, kept.size(), dossier.Limits{}, nil)
			if err != nil {
				t.Fatal(explain(err))
			}
			if got := s.Declaration.Documents[0].Size; got != size {
				t.Errorf("%d octets", got)
			}
			drain(t, s)
		})
		t.Logf("%s of %d MiB: %d KiB allocated", form, size>>20, used>>10)
		if used > 4<<20 {
			t.Errorf("%s: memory grows with the dossier", form)
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
