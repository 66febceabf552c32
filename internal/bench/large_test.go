package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// synthetic is a document of any size that is nowhere: a block of noise again
// and again, its number written over its beginning.
type synthetic struct {
	block []byte
	off   int64
	size  int64
}

const blockSize = 1 << 20

func newSynthetic(seed uint64, size int64) *synthetic {
	s := &synthetic{block: make([]byte, blockSize), size: size}
	rng := rand.NewPCG(seed, seed)
	for i := 0; i < blockSize; i += 8 {
		binary.LittleEndian.PutUint64(s.block[i:], rng.Uint64())
	}
	return s
}

// Read implements io.Reader.
func (s *synthetic) Read(p []byte) (int, error) {
	if s.off == s.size {
		return 0, io.EOF
	}
	at := s.off % blockSize
	if at == 0 {
		binary.LittleEndian.PutUint64(s.block, uint64(s.off/blockSize))
	}
	n := copy(p[:min(int64(len(p)), s.size-s.off)], s.block[at:])
	s.off += int64(n)
	return n, nil
}

// Close implements io.Closer.
func (s *synthetic) Close() error { return nil }

// large is a dossier of synthetic documents.
type large struct {
	code    string
	names   []string
	sizes   []int64
	digests []string
	next    int
}

func newLarge(sizes ...int64) (*large, error) {
	l := &large{code: "H29.68-260302-0001", sizes: sizes}
	for i, size := range sizes {
		h := sha256.New()
		if _, err := io.Copy(h, l.open(i)); err != nil {
			return nil, err
		}
		l.digests = append(l.digests, hex.EncodeToString(h.Sum(nil)))
		l.names = append(l.names, fmt.Sprintf("%02d-ghi-hinh.mp4", i+1))
		if size == 0 {
			return nil, fmt.Errorf("document %d is empty", i)
		}
	}
	return l, nil
}

// open gives a film of noise: a format that may be archived, with nothing in it
// to look into.
func (l *large) open(i int) io.ReadCloser {
	head := append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x01mdat"), binary.BigEndian.AppendUint64(nil, uint64(l.sizes[i]-24))...)
	return io.NopCloser(io.MultiReader(bytes.NewReader(head), newSynthetic(uint64(i+1), l.sizes[i]-int64(len(head)))))
}

// declare declares the dossier.
func (l *large) declare() *dossier.Declaration {
	d := &dossier.Declaration{
		Code: l.code, Agency: "H29.68", AgencyName: "UBND phường Bến Nghé", Procedure: "1.009999", ProcedureName: "Cấp giấy phép xây dựng",
		Title: "Cấp giấy phép xây dựng nhà ở riêng lẻ", Access: "open", Received: "2026-03-02", Closed: "2026-05-04", Outcome: "granted",
		Applicant: dossier.Person{Name: "Nguyễn Thị Ánh", PersonalID: "079190000123"},
	}
	for i, name := range l.names {
		d.Documents = append(d.Documents, dossier.Document{
			Name: name, Subject: "Ghi hình hiện trường", Type: "32", Role: "submitted", Origin: "born_digital",
			MediaType: "video/mp4", Size: l.sizes[i], SHA256: l.digests[i],
		})
	}
	return d
}

// Next implements archive.Content.
func (l *large) Next() (string, io.Reader, error) {
	if l.next == len(l.names) {
		return "", nil, io.EOF
	}
	l.next++
	return l.names[l.next-1], l.open(l.next - 1), nil
}

// TestCompareDocument reads one small document out of a large dossier beside a
// ranged GET of as many octets out of as large an object.
func TestCompareDocument(t *testing.T) {
	const one = 1 << 20
	total := int64(32 << 20)
	if measuring() {
		total = 1 << 30
	}
	rest := (total - one) / 2
	l, err := newLarge(rest, one, total-one-rest)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range stores() {
		t.Run(st.name, func(t *testing.T) {
			b := st.open(t)
			documentTable(t, b, l, fmt.Sprintf("One document of 1 MiB out of a dossier of %s, %s store", count(total), st.name), total)
		})
	}
}

func documentTable(t *testing.T, b *bed, l *large, title string, total int64) {
	a := b.archive(t)
	l.next = 0
	begun := time.Now()
	if _, err := a.Ingest(t.Context(), portal, l.declare(), l); err != nil {
		t.Fatal(err)
	}
	taken := time.Since(begun)
	p := b.plain(t)
	putLarge(t, p, l)
	client, stop, err := serve(a, b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	const times = 20
	read := func(int) error { return readDocument(t, a, l, 1) }
	overHTTP := func(int) error { return client.Document(t.Context(), l.code, l.names[1], "bench", io.Discard) }
	ranged := func(int) error { _, err := p.get(t.Context(), "dossier", l.sizes[0], l.sizes[1]); return err }
	out := table{title: title}
	out.add("", "p50 ms", "p99 ms", "requests", "octets fetched", "CPU ms")
	for i, f := range []func(int) error{read, overHTTP, ranged} {
		b.wire.take()
		s := share(t, 1, times, f)
		w := b.wire.take()
		out.add([]string{"luutru, in process", "luutru, over HTTP", "ranged GET"}[i], fmt.Sprintf("%.2f", s.lag(0.5)), fmt.Sprintf("%.2f", s.lag(0.99)),
			fmt.Sprintf("%.1f", float64(w.requests())/times), count(w.received()/times), fmt.Sprintf("%.1f", ms(s.cpu)/times))
		if i == 0 {
			defer requestTable("Its requests, in process", []*outcome{{n: times, wire: w}})
		}
	}
	out.print()
	fmt.Printf("Ingest of that dossier: %.0f MB/s.\n", float64(total)/1e6/taken.Seconds())
}

// putLarge puts all documents as one object, in parts.
func putLarge(t *testing.T, p *plain, l *large) {
	var all []io.Reader
	var size int64
	for i := range l.names {
		all, size = append(all, l.open(i)), size+l.sizes[i]
	}
	_, err := p.Client.PutObject(t.Context(), p.name, "dossier", io.MultiReader(all...), size, putInParts())
	if err != nil {
		t.Fatal(err)
	}
}

func readDocument(t *testing.T, a *archive.Archive, l *large, i int) error {
	c, err := a.Retrieve(t.Context(), portal, l.code, "bench")
	if err != nil {
		return err
	}
	r, _, err := c.Document(l.names[i])
	if err != nil {
		return errors.Join(err, c.Close())
	}
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != l.sizes[i] {
		err = fmt.Errorf("got %d octets of %d", n, l.sizes[i])
	}
	return errors.Join(err, r.Close(), c.Close())
}
