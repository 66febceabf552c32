package bench

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// contender is one way of keeping dossiers.
type contender struct {
	name string
	need string // a program without which it is left out
	run  func(t *testing.T, b *bed, all []*folder, clients int) *outcome
}

func ingestContenders() []contender {
	return []contender{
		{"luutru, in process", "", ingestDirect},
		{"luutru, over HTTP", "", ingestHTTP},
		{"(a) plain PUT, one object a dossier", "", putWhole},
		{"(a′) plain PUT, seven objects", "", putFiles},
		{"(b) restic backup, one run for all", "restic", resticAll},
		{"(b) restic backup, one run a dossier", "restic", resticEach},
		{"(c) gpg --sign --encrypt, then PUT", "gpg", gpgPut},
	}
}

// TestCompareIngest takes dossiers in, with one and with sixteen producers.
func TestCompareIngest(t *testing.T) {
	n := setting(t, "LUUTRU_BENCH_DOSSIERS", smoke)
	all := dossiers(t, n)
	size := warm(t, all)
	list := ingestContenders()
	for _, st := range stores() {
		for _, clients := range producers(t) {
			results := make([][]*outcome, len(list))
			for round := range rounds(t) {
				for _, i := range inTurn(len(list), round) {
					if s := enter(t, st, &list[i], all, clients); s != nil {
						results[i] = append(results[i], s)
					}
				}
			}
			title := fmt.Sprintf("Ingest: %d dossiers of %s in %d files, %s store, %d producers, %d rounds", n, count(size/int64(n)), len(all[0].names), st.name, clients, rounds(t))
			ingestTable(title, list, results)
			requestTable("Requests of luutru, in process, "+st.name+fmt.Sprintf(", %d producers", clients), results[0])
		}
	}
}

// producers are how many push at once.
func producers(t testing.TB) []int {
	if n := setting(t, "LUUTRU_BENCH_PRODUCERS", 0); n > 0 {
		return []int{n}
	}
	if !measuring() {
		return []int{4}
	}
	return []int{1, 16}
}

// enter runs one contender on fresh buckets.
func enter(t *testing.T, st store, c *contender, all []*folder, clients int) (s *outcome) {
	if _, err := exec.LookPath(c.need); c.need != "" && (err != nil || !measuring()) {
		t.Logf("%s is not installed, or nothing is to be measured: left out", c.need)
		return nil
	}
	t.Run(c.name, func(t *testing.T) {
		b := st.open(t)
		settle()
		b.wire.take()
		s = c.run(t, b, all, clients)
	})
	if t.Failed() {
		t.FailNow()
	}
	return s
}

// relation says how fast rs is as a part of base.
func relation(rs, base []*outcome) string {
	if len(base) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", median(rs, (*outcome).rate)/median(base, (*outcome).rate))
}

func ingestTable(title string, list []contender, results [][]*outcome) {
	b := table{title: title}
	b.add("", "dossiers/s", "of (a)", "MB/s", "p50 ms", "p99 ms", "CPU ms/dossier", "requests/dossier", "request time/time", "")
	base := results[2]
	for i, rs := range results {
		if len(rs) == 0 {
			continue
		}
		perUnit := func(f func(*outcome) float64) func(*outcome) float64 {
			return func(s *outcome) float64 { return f(s) / float64(s.n) }
		}
		requests, share, p50, p99 := "–", "–", "–", "–"
		if rs[0].wire != nil {
			requests = fmt.Sprintf("%.2f", median(rs, perUnit(func(s *outcome) float64 { return float64(s.wire.requests()) })))
			share = fmt.Sprintf("%.2f", median(rs, func(s *outcome) float64 {
				return s.wire.time().Seconds() / s.wall.Seconds() / float64(s.clients)
			}))
		}
		if rs[0].lags != nil {
			p50 = fmt.Sprintf("%.1f", median(rs, func(s *outcome) float64 { return s.lag(0.5) }))
			p99 = fmt.Sprintf("%.1f", median(rs, func(s *outcome) float64 { return s.lag(0.99) }))
		}
		b.add(list[i].name, spread(rs, (*outcome).rate, "%.1f"),
			relation(rs, base),
			fmt.Sprintf("%.0f", median(rs, func(s *outcome) float64 { return float64(s.bytes) / 1e6 / s.wall.Seconds() })), p50, p99,
			fmt.Sprintf("%.1f", median(rs, perUnit(func(s *outcome) float64 { return ms(s.cpu) }))), requests, share, rs[0].note)
	}
	b.print()
}

// requestTable says what the requests are for.
func requestTable(title string, rs []*outcome) {
	if len(rs) == 0 {
		return
	}
	s := rs[len(rs)-1]
	b := table{title: title}
	b.add("request", "per dossier", "mean ms", "ms/dossier")
	for _, k := range s.wire {
		b.add("`"+k.name+"`", fmt.Sprintf("%.3f", float64(k.n)/float64(s.n)), fmt.Sprintf("%.2f", ms(k.time)/float64(k.n)), fmt.Sprintf("%.2f", ms(k.time)/float64(s.n)))
	}
	b.print()
}

func ingestDirect(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	a := b.archive(t)
	return ingest(t, b, a, all, clients, func(f *folder) error {
		d, err := dossier.ParseDeclaration(bytes.NewReader(f.declaration), dossier.Limits{})
		if err != nil {
			return err
		}
		_, err = a.Ingest(t.Context(), portal, d, f.content())
		return err
	})
}

func ingestHTTP(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	a := b.archive(t)
	client, stop, err := serve(a, b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	return ingest(t, b, a, all, clients, func(f *folder) error {
		_, err := client.Push(t.Context(), f.declaration, f.files())
		return err
	})
}

// ingest measures until the last receipt, and notes when all could be found.
func ingest(t *testing.T, b *bed, a *archive.Archive, all []*folder, clients int, f func(*folder) error) *outcome {
	b.wire.take()
	begun := time.Now()
	s := share(t, clients, len(all), func(i int) error { return f(all[i]) })
	s.wire = b.wire.take()
	if err := a.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.note = fmt.Sprintf("all searchable after %.2f of the time", time.Since(begun).Seconds()/s.wall.Seconds())
	s.bytes = sizeOf(all)
	return s
}

func sizeOf(all []*folder) (n int64) {
	for _, f := range all {
		n += f.size
	}
	return n
}

func putWhole(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	p := b.plain(t)
	b.wire.take()
	s := share(t, clients, len(all), func(i int) error {
		data, err := all[i].all()
		if err != nil {
			return err
		}
		return p.put(t.Context(), fmt.Sprintf("dossiers/%05d", i), data)
	})
	s.wire, s.bytes = b.wire.take(), sizeOf(all)
	return s
}

func putFiles(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	p := b.plain(t)
	b.wire.take()
	s := share(t, clients, len(all), func(i int) error {
		for n, name := range all[i].names {
			data, err := os.ReadFile(filepath.Join(all[i].dir, name))
			if err != nil {
				return err
			}
			if err := p.put(t.Context(), fmt.Sprintf("dossiers/%05d/%d", i, n), data); err != nil {
				return err
			}
		}
		return nil
	})
	s.wire, s.bytes = b.wire.take(), sizeOf(all)
	return s
}

// repository makes an empty restic repository and returns what restic needs
// to reach it.
func repository(t *testing.T, b *bed) (env []string) {
	b.bucket(t, "restic", false)
	env = append(os.Environ(), "RESTIC_REPOSITORY=s3:"+b.tcp+"/restic"+b.suffix, "RESTIC_PASSWORD=bench", "RESTIC_CACHE_DIR="+filepath.Join(b.dir, "cache"),
		"AWS_ACCESS_KEY_ID="+b.config.AccessKey, "AWS_SECRET_ACCESS_KEY="+b.config.SecretKey, "AWS_DEFAULT_REGION="+b.region())
	if err := program(env, "restic", "init", "--quiet"); err != nil {
		t.Fatal(err)
	}
	return env
}

func program(env []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Env = env
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// resticAll has everything backed up at once, which is what restic is best at:
// nothing is acknowledged before the last dossier is stored.
func resticAll(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	env := repository(t, b)
	args := []string{"backup", "--quiet", "-o", fmt.Sprintf("s3.connections=%d", max(clients, 5))}
	for _, f := range all {
		args = append(args, f.dir)
	}
	s := share(t, 1, 1, func(int) error { return program(env, "restic", args...) })
	s.n, s.clients, s.lags, s.bytes, s.note = len(all), clients, nil, sizeOf(all), "acknowledged at the end only"
	return s
}

// resticEach has a backup made, and acknowledged, for each dossier.
func resticEach(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	env := repository(t, b)
	all = all[:min(len(all), 8*clients, 16)]
	s := share(t, clients, len(all), func(i int) error { return program(env, "restic", "backup", "--quiet", all[i].dir) })
	s.bytes, s.note = sizeOf(all), fmt.Sprintf("%d dossiers", len(all))
	return s
}

// gpgPut makes a signed and encrypted TAR of each dossier and puts it.
func gpgPut(t *testing.T, b *bed, all []*folder, clients int) *outcome {
	home, err := os.MkdirTemp("", "gpg") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GNUPGHOME="+home)
	defer func() {
		if err := errors.Join(program(env, "gpgconf", "--kill", "gpg-agent"), os.RemoveAll(home)); err != nil {
			t.Error(err)
		}
	}()
	if err := program(env, "gpg", "--batch", "--passphrase", "", "--quick-generate-key", "bench@luutru.test", "default", "default", "never"); err != nil {
		t.Fatal(err)
	}
	p := b.plain(t)
	all = all[:min(len(all), 200)]
	b.wire.take()
	s := share(t, clients, len(all), func(i int) error {
		sealed, err := gpg(env, all[i])
		if err != nil {
			return err
		}
		return p.put(t.Context(), fmt.Sprintf("dossiers/%05d", i), sealed)
	})
	s.wire, s.bytes, s.note = b.wire.take(), sizeOf(all), fmt.Sprintf("%d dossiers", len(all))
	return s
}

// gpg returns the signed and encrypted TAR of a dossier. Compression is off:
// scans do not shrink.
func gpg(env []string, f *folder) ([]byte, error) {
	c := exec.Command("gpg", "--batch", "--quiet", "--trust-model", "always", "--compress-algo", "none", "--recipient", "bench@luutru.test", "--sign", "--encrypt", "--output", "-")
	c.Env = env
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	if err := c.Start(); err != nil {
		return nil, err
	}
	err = errors.Join(f.tar(in), in.Close())
	if wait := c.Wait(); wait != nil {
		return nil, fmt.Errorf("gpg: %w: %s", wait, complaints.String())
	}
	return out.Bytes(), err
}

func (f *folder) tar(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, name := range append([]string{"dossier.json"}, f.names...) {
		info, err := os.Stat(filepath.Join(f.dir, name))
		if err != nil {
			return err
		}
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size()}); err != nil {
			return err
		}
		if err := f.copy(tw, name); err != nil {
			return err
		}
	}
	return tw.Close()
}
