package submission_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
	"github.com/luutru/luutru/submission"
)

// damages are what happens to packages on the way, and what somebody may do to
// them.
func damages() map[string]func(r *rand.Rand, b, other []byte) []byte {
	at := func(r *rand.Rand, b []byte) int { return r.IntN(len(b)) }
	return map[string]func(r *rand.Rand, b, other []byte) []byte{
		"bits flipped": func(r *rand.Rand, b, _ []byte) []byte {
			for range 1 + r.IntN(8) {
				b[at(r, b)] ^= 1 << r.IntN(8)
			}
			return b
		},
		"cut":      func(r *rand.Rand, b, _ []byte) []byte { return b[:at(r, b)] },
		"head cut": func(r *rand.Rand, b, _ []byte) []byte { return b[at(r, b):] },
		"piece lost": func(r *rand.Rand, b, _ []byte) []byte {
			i := at(r, b)
			return append(b[:i], b[min(len(b), i+1+r.IntN(2000)):]...)
		},
		"piece twice": func(r *rand.Rand, b, _ []byte) []byte {
			i := at(r, b)
			j := min(len(b), i+1+r.IntN(2000))
			return slices.Concat(b[:j], b[i:])
		},
		"zeros": func(r *rand.Rand, b, _ []byte) []byte {
			i := at(r, b)
			clear(b[i:min(len(b), i+512)])
			return b
		},
		"noise": func(r *rand.Rand, b, _ []byte) []byte {
			i := at(r, b)
			for j := range b[i:min(len(b), i+1+r.IntN(64))] {
				b[i+j] = byte(r.Uint32())
			}
			return b
		},
		"spliced": func(r *rand.Rand, b, other []byte) []byte { return slices.Concat(b[:at(r, b)], other[at(r, other):]) },
		"joined":  func(_ *rand.Rand, b, other []byte) []byte { return slices.Concat(b, other) },
		"blocks exchanged": func(r *rand.Rand, b, _ []byte) []byte {
			i, j := at(r, b)/512*512, at(r, b)/512*512
			if len(b)-max(i, j) >= 512 {
				c := bytes.Clone(b[i : i+512])
				copy(b[i:], b[j:j+512])
				copy(b[j:], c)
			}
			return b
		},
		"directory": func(r *rand.Rand, b, _ []byte) []byte {
			from := max(0, len(b)-4096)
			if i := bytes.Index(b, []byte("PK\x01\x02")); i >= 0 {
				from = i
			}
			for range 1 + r.IntN(4) {
				b[from+r.IntN(len(b)-from)] = byte(r.Uint32())
			}
			return b
		},
		"headers": func(r *rand.Rand, b, _ []byte) []byte {
			if i := bytes.Index(b[at(r, b):], []byte("PK\x03\x04")); i >= 0 {
				b[min(len(b)-1, i+r.IntN(30))] ^= byte(1 + r.IntN(255))
			}
			return b
		},
		"names": func(r *rand.Rand, b, _ []byte) []byte {
			name := []string{"data/", ".json", "dossier", "manifest", "bagit", "METS", "rep1", ".pdf", "bag/"}[r.IntN(9)]
			to := []string{"../", "a/b", "\x00", "/", `\`, "DATA/", ".JSON", ".xml"}[r.IntN(8)]
			to = (to + strings.Repeat("x", len(name)))[:len(name)]
			n := -1
			if r.IntN(2) == 0 {
				n = 1
			}
			return bytes.Replace(b, []byte(name), []byte(to), n)
		},
		"offsets": func(r *rand.Rand, b, _ []byte) []byte {
			if i := bytes.LastIndex(b, []byte("PK\x01\x02")); i >= 0 && i+46 < len(b) {
				binary.LittleEndian.PutUint32(b[i+42:], uint32(at(r, b)))
			}
			return b
		},
	}
}

// TestDamaged damages 2,000 packages of every form at random. Each is answered
// with a list of what is wrong, or with the dossier as it was: never with a
// panic, never with other octets.
func TestDamaged(t *testing.T) {
	const packages = 2000
	r := rand.New(rand.NewPCG(20261124, 3))
	dossiers := small()
	kinds, ways := slices.Sorted(maps.Keys(forms())), damages()
	names := slices.Sorted(maps.Keys(ways))
	whole := map[string][]byte{}
	for _, kind := range kinds {
		for i, d := range dossiers {
			whole[fmt.Sprint(kind, i)] = forms()[kind].make(t, d)
		}
	}
	refused, read := 0, 0
	for n := range packages {
		kind, way := kinds[n%len(kinds)], names[n/len(kinds)%len(names)]
		i := r.IntN(len(dossiers))
		b := ways[way](r, bytes.Clone(whole[fmt.Sprint(kind, i)]), whole[fmt.Sprint(kind, (i+1)%len(dossiers))])
		s, err := submission.Open(t.Context(), bytes.NewReader(b), int64(len(b)), dossier.Limits{}, nil)
		if err != nil {
			answered(t, fmt.Sprintf("%d: %s, %s", n, kind, way), err)
			refused++
			continue
		}
		right(t, fmt.Sprintf("%d: %s, %s", n, kind, way), s, dossiers, forms()[kind].guard)
		read++
	}
	t.Logf("%d refused with reasons, %d read as they were", refused, read)
	if refused < packages/2 || read == 0 {
		t.Error("the damage is not what it was meant to be")
	}
}

// small returns dossiers that make tests quick, the smallest first.
func small() []sample.Dossier {
	all := samples(10)
	size := func(d sample.Dossier) (n int) {
		for _, f := range d.Files {
			n += len(f.Data)
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b sample.Dossier) int { return size(a) - size(b) })
	return all[:4]
}

// answered holds a refusal to what a sender can use.
func answered(t *testing.T, what string, err error) {
	t.Helper()
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, p := range invalid.Problems {
		if p.Code == "" || p.Vietnamese == "" || p.English == "" {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

// right holds what was read to one of the dossiers. Only a TAR without
// manifests leaves a declaration unprotected; its documents are what it says.
func right(t *testing.T, what string, s *submission.Submission, dossiers []sample.Dossier, guard bool) {
	t.Helper()
	got, _, err := content(s)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	known := map[string]bool{}
	declarations := map[string]bool{}
	for _, d := range dossiers {
		declarations[canonical(t, declared(t, d))] = true
		for _, f := range d.Files {
			known[string(f.Data)] = true
		}
	}
	if guard && !declarations[canonical(t, s.Declaration)] {
		t.Errorf("%s: another declaration", what)
	}
	for _, b := range got {
		if !known[string(b)] {
			t.Errorf("%s: other octets", what)
		}
	}
}

// TestAltered changes one octet of one file, and packs again as if nothing had
// happened: no check value of the container is wrong. Forms with digests tell.
func TestAltered(t *testing.T) {
	d := small()[0]
	for name, f := range forms() {
		if !strings.HasSuffix(name, ".zip") {
			continue
		}
		fsys := unpack(t, f.make(t, d))
		entries := entriesOf(t, fsys)
		for i, e := range entries {
			changed := slices.Clone(entries)
			changed[i].content = bytes.Clone(e.content)
			changed[i].content[len(e.content)/2] ^= 1
			s, err := open(t, zipped(t, zip.Deflate, changed), nil)
			if err != nil {
				answered(t, name, err)
				continue
			}
			plainText := f.want == submission.Plain && strings.HasSuffix(e.name, "dossier.json")
			signature := strings.HasSuffix(e.name, ".asc") || strings.Contains(e.name, "/METS.xml") || strings.Contains(e.name, "tagmanifest") || strings.HasSuffix(e.name, "bag-info.txt")
			if !plainText && !signature {
				t.Errorf("%s: file %d altered, nobody tells", name, i)
			}
			right(t, name, s, []sample.Dossier{d}, !plainText)
		}
	}
}

func FuzzOpen(f *testing.F) {
	d := small()[0]
	d.Files = d.Files[:1]
	d.Files[0].Data = []byte("content")
	for _, form := range forms() {
		if form.want != submission.EARK {
			f.Add(form.make(f, d))
		}
	}
	f.Add(zipped(f, zip.Store, []entry{{"METS.xml", []byte("<mets:mets/>")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := submission.Open(t.Context(), bytes.NewReader(b), int64(len(b)), dossier.Limits{Declaration: 1 << 16, Dossier: 1 << 20, Documents: 50}, nil)
		if err != nil {
			answered(t, "fuzz", err)
			return
		}
		if _, _, err := content(s); err != nil && !errors.Is(err, container.ErrDamaged) {
			t.Error(err)
		}
	})
}
