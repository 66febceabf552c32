package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// TestCompareRetrieve hands whole dossiers out, with one and with sixteen
// readers, beside plain GETs of the same bytes.
func TestCompareRetrieve(t *testing.T) {
	n := setting(t, "LUUTRU_BENCH_DOSSIERS", smoke)
	all := dossiers(t, n)
	warm(t, all)
	names := []string{"luutru, in process", "luutru, over HTTP", "plain GET"}
	for _, st := range stores() {
		t.Run(st.name, func(t *testing.T) {
			b := st.open(t)
			ways, check := retrievalWays(t, b, all)
			for _, clients := range producers(t) {
				results := make([][]*outcome, len(names))
				for round := range rounds(t) {
					for _, i := range inTurn(len(names), round) {
						settle()
						b.wire.take()
						s := share(t, clients, n, func(k int) error { return ways[i](k) })
						s.wire, s.bytes = b.wire.take(), sizeOf(all)
						results[i] = append(results[i], s)
					}
				}
				retrievalTable(fmt.Sprintf("Retrieval of %d whole dossiers, %s store, %d readers, %d rounds", n, st.name, clients, rounds(t)), names, results)
				requestTable(fmt.Sprintf("Requests of luutru, in process, %s store, %d readers", st.name, clients), results[0])
			}
			check()
		})
	}
}

// retrievalWays stores everything and returns the ways of reading dossier k
// again.
func retrievalWays(t *testing.T, b *bed, all []*folder) (ways []func(k int) error, check func()) {
	a := b.archive(t)
	p := b.plain(t)
	share(t, 8, len(all), func(i int) error {
		if err := push(t, a, all[i]); err != nil {
			return err
		}
		data, err := all[i].all()
		if err != nil {
			return err
		}
		return p.put(t.Context(), fmt.Sprintf("dossiers/%05d", i), data)
	})
	if err := a.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	client, stop, err := serve(a, b.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	direct := func(k int) error { return copyOut(t, a, all[k].code) }
	overHTTP := func(k int) error { return client.Copy(t.Context(), all[k].code, "bench", io.Discard) }
	get := func(k int) error {
		n, err := p.get(t.Context(), fmt.Sprintf("dossiers/%05d", k), 0, 0)
		if err == nil && n != all[k].size {
			err = fmt.Errorf("got %d octets of %d", n, all[k].size)
		}
		return err
	}
	return []func(int) error{direct, overHTTP, get}, func() { sameBytes(t, a, all[0]) }
}

func push(t *testing.T, a *archive.Archive, f *folder) error {
	d, err := dossier.ParseDeclaration(bytes.NewReader(f.declaration), dossier.Limits{})
	if err != nil {
		return err
	}
	_, err = a.Ingest(t.Context(), portal, d, f.content())
	return err
}

func copyOut(t *testing.T, a *archive.Archive, ref string) error {
	c, err := a.Retrieve(t.Context(), portal, ref, "bench")
	if err != nil {
		return err
	}
	_, err = c.WriteTo(io.Discard)
	return errors.Join(err, c.Close())
}

// sameBytes fails the test unless a dossier comes back as it was pushed.
func sameBytes(t *testing.T, a *archive.Archive, f *folder) {
	t.Helper()
	c, err := a.Retrieve(t.Context(), portal, f.code, "bench")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, name := range f.names {
		r, _, err := c.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&got, r); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want, err := f.all()
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("a dossier came back changed")
	}
}

func retrievalTable(title string, names []string, results [][]*outcome) {
	b := table{title: title}
	b.add("", "dossiers/s", "of plain GET", "MB/s", "p50 ms", "p99 ms", "CPU ms/dossier", "requests/dossier", "octets fetched/octet")
	base := results[len(results)-1]
	for i, rs := range results {
		b.add(names[i], spread(rs, (*outcome).rate, "%.1f"), relation(rs, base),
			fmt.Sprintf("%.0f", median(rs, func(s *outcome) float64 { return float64(s.bytes) / 1e6 / s.wall.Seconds() })),
			fmt.Sprintf("%.1f", median(rs, func(s *outcome) float64 { return s.lag(0.5) })),
			fmt.Sprintf("%.1f", median(rs, func(s *outcome) float64 { return s.lag(0.99) })),
			fmt.Sprintf("%.1f", median(rs, func(s *outcome) float64 { return ms(s.cpu) / float64(s.n) })),
			fmt.Sprintf("%.2f", median(rs, func(s *outcome) float64 { return float64(s.wire.requests()) / float64(s.n) })),
			fmt.Sprintf("%.2f", median(rs, func(s *outcome) float64 { return float64(s.wire.received()) / float64(s.bytes) })))
	}
	b.print()
}
