package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/store/s3"
)

// memoryBound is what a process may take for a dossier of any size. The race
// detector keeps its own account of every octet.
const memoryBound = 200 << 20 * raceFactor

// usage is what the measured process reports.
type usage struct {
	Taken, Given time.Duration // time for ingest and for copy
	Ingest, Copy int64         // peak resident set of each
}

// TestMemory takes a large dossier in and gives it out again, over HTTP, in a
// process of its own, the store in another one. LUUTRU_BIG=1 makes it one of
// more than 4 GiB, which a ZIP and an OpenPGP packet write in other ways.
func TestMemory(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("LUUTRU_BIG") != "" {
		size = 4<<30 + 1<<20
	}
	dir := workDir(t)
	out, stop := child(t, "store", dir, nil)
	var k keys
	if err := json.NewDecoder(out).Decode(&k); err != nil {
		t.Fatalf("store: %v", err)
	}
	defer stop()
	line, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	measured := t.TempDir()
	out, wait := child(t, "dossier", measured, []string{"LUUTRU_BENCH_KEYS=" + string(line), "LUUTRU_BENCH_SIZE=" + strconv.FormatInt(size, 10)})
	var u usage
	if err := json.NewDecoder(out).Decode(&u); err != nil {
		t.Errorf("measured process: %v", err)
	}
	wait()
	b := table{title: "Memory: a dossier of " + count(size) + ", server and client in one process, store in another"}
	b.add("", "peak resident set", "MB/s")
	b.add("ingest", count(u.Ingest), fmt.Sprintf("%.0f", float64(size)/1e6/u.Taken.Seconds()))
	b.add("copy and one document", count(u.Copy), fmt.Sprintf("%.0f", 2*float64(size)/1e6/u.Given.Seconds()))
	b.print()
	if peak := max(u.Ingest, u.Copy); peak == 0 || peak > memoryBound {
		t.Errorf("peak resident set %s, want at most %s", count(peak), count(memoryBound))
	}
}

// child starts this binary in another role; end closes its standard input and
// waits for it.
func child(t *testing.T, role, dir string, env []string) (out io.Reader, end func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(append(os.Environ(), "LUUTRU_BENCH_ROLE="+role, "LUUTRU_BENCH_DIR="+dir), env...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return stdout, func() {
		if err := errors.Join(in.Close(), c.Wait()); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// handleLargeDossier is the measured process.
func handleLargeDossier() (err error) {
	size, err := strconv.ParseInt(os.Getenv("LUUTRU_BENCH_SIZE"), 10, 64)
	if err != nil {
		return err
	}
	var k keys
	if err := json.Unmarshal([]byte(os.Getenv("LUUTRU_BENCH_KEYS")), &k); err != nil {
		return err
	}
	b := &bed{
		config: s3.Config{Endpoint: k.Endpoint, AccessKey: k.Access, SecretKey: k.Secret, Region: k.Region, UnsignedPayload: true, Now: time.Now},
		suffix: "-memory", dir: os.Getenv("LUUTRU_BENCH_DIR"),
	}
	l, err := newLarge(size-1<<20, 1<<20)
	if err != nil {
		return err
	}
	a, ix, err := b.found(background())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(), ix.Close()) }()
	client, stop, err := serve(a, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	u, err := inAndOut(background(), client, l)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

// inAndOut pushes the dossier, and takes out first a whole copy, then its
// large document.
func inAndOut(ctx context.Context, client *api.Client, l *large) (u usage, err error) {
	declaration, err := json.Marshal(l.declare())
	if err != nil {
		return u, err
	}
	var files []api.File
	for i, name := range l.names {
		files = append(files, api.File{Name: name, Open: func() (io.ReadCloser, error) { return l.open(i), nil }})
	}
	begun := time.Now()
	if _, err := client.Push(ctx, declaration, files); err != nil {
		return u, fmt.Errorf("push: %w", err)
	}
	u.Taken = time.Since(begun)
	if u.Ingest, err = peak(); err != nil {
		return u, err
	}
	begun = time.Now()
	whole := new(measure)
	if err := client.Copy(ctx, l.code, "bench", whole); err != nil {
		return u, fmt.Errorf("copy: %w", err)
	}
	if whole.n < l.sizes[0]+l.sizes[1] {
		return u, fmt.Errorf("copy of %d octets", whole.n)
	}
	one := &measure{sum: sha256.New()}
	if err := client.Document(ctx, l.code, l.names[0], "bench", one); err != nil {
		return u, fmt.Errorf("document: %w", err)
	}
	if got := hex.EncodeToString(one.sum.Sum(nil)); got != l.digests[0] {
		return u, errors.New("the document came back changed")
	}
	u.Given = time.Since(begun)
	u.Copy, err = peak()
	return u, err
}

// measure counts what is written to it, and digests it if there is a sum.
type measure struct {
	n   int64
	sum hash.Hash
}

// Write implements io.Writer.
func (m *measure) Write(p []byte) (int, error) {
	m.n += int64(len(p))
	if m.sum != nil {
		m.sum.Write(p)
	}
	return len(p), nil
}

// peak returns the peak resident set since it was called last.
func peak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		v, ok := strings.CutPrefix(lines.Text(), "VmHWM:")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
		if err != nil {
			return 0, err
		}
		return n << 10, os.WriteFile(filepath.Join("/proc/self", "clear_refs"), []byte("5"), 0)
	}
	return 0, errors.New("no VmHWM in /proc/self/status")
}
