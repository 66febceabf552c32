package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// needClients skips a test of the real program with public clients, curl and
// tus-js-client, where they are not: .ci/tus/run installs them and sets
// LUUTRU_TUS.
func needClients(t *testing.T) {
	t.Helper()
	if os.Getenv("LUUTRU_TUS") == "" {
		t.Skip("set LUUTRU_TUS=1 to run with curl and tus-js-client (.ci/tus/run)")
	}
}

// site is an archive on disk with a server process that may be killed.
type site struct {
	t      *testing.T
	dir    string
	addr   string // of the server, the same after a restart
	token  string
	server *exec.Cmd
	log    bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.run("init", "--new", ".", "--name", "luutru.test", "--profile", "classic", "--schedule", s.common("schedule.json"))
	s.token = strings.TrimSpace(s.run("token", "new", "--subject", "portal", "--role", "producer", "--agency", "H29"))
	lan := s.run("token", "new", "--subject", "lan", "--role", "archivist", "--agency", "*")
	for name, token := range map[string]string{"portal": s.token, "lan": lan} {
		if err := os.WriteFile(filepath.Join(s.dir, name+".token"), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("server:\n%s", &s.log)
		}
	})
	return s
}

func (s *site) common(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", "common", name))
	if err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run runs a command and returns what it prints.
func (s *site) run(args ...string) string {
	s.t.Helper()
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), "luutru", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &diag
	cmd.Env = append(os.Environ(), "LUUTRU_SERVER=http://"+s.addr)
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("luutru %q: %v\n%s%s", args, err, &out, &diag)
	}
	return out.String()
}

// start starts the server and waits until it answers.
func (s *site) start() {
	s.t.Helper()
	s.server = exec.Command("luutru", "serve", "--listen", s.addr)
	s.server.Dir, s.server.Stderr = s.dir, &s.log
	if err := s.server.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			res.Body.Close()
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the server does not come up: %v", err)
		}
	}
}

// kill kills the server: no farewell, no flush.
func (s *site) kill() {
	_ = s.server.Process.Kill()
	_ = s.server.Wait()
}

// peak is how much memory the server has held at most.
func (s *site) peak() int64 {
	s.t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.server.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "VmHWM:" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n << 10
		}
	}
	s.t.Fatal("no VmHWM")
	return 0
}

// cpu is how much processor time the server has taken.
func (s *site) cpu() time.Duration {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.server.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	sum := 0
	for _, field := range strings.Fields(rest)[11:13] { // user and system, in hundredths
		n, err := strconv.Atoi(field)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += n
	}
	return time.Duration(sum) * 10 * time.Millisecond
}

// cutter is a line that breaks: every connection through it ends for good
// after some octets.
type cutter struct {
	net.Listener
	to             string
	passed, broken atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to, random: rand.New(rand.NewPCG(3, 4))}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(from.(*net.TCPConn))
		}
	}()
	return c
}

func (c *cutter) carry(from *net.TCPConn) {
	defer from.Close()
	conn, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	to := conn.(*net.TCPConn)
	defer to.Close()
	go func() {
		_, _ = io.Copy(from, to)
		from.Close()
	}()
	c.mu.Lock()
	most := int64(1<<20 + c.random.IntN(24<<20))
	c.mu.Unlock()
	n, err := io.Copy(to, io.TeeReader(io.LimitReader(from, most), counter{&c.passed}))
	if n == most && err == nil {
		c.broken.Add(1)
		_ = to.SetLinger(0) // a reset, not an end
		_ = from.SetLinger(0)
	}
}

type counter struct{ n *atomic.Int64 }

// Write implements io.Writer.
func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// largePackage writes a ZIP of one dossier with one document of so many octets, a
// film of noise, which the index has nothing to do with, and returns the document's digest.
func largePackage(t *testing.T, path, code string, size int) string {
	t.Helper()
	sum := sha256.New()
	write := func(w io.Writer) {
		random, block := rand.NewChaCha8([32]byte{5}), make([]byte, 1<<16)
		head := append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x01mdat"), binary.BigEndian.AppendUint64(nil, uint64(size-24))...)
		if _, err := w.Write(head); err != nil {
			t.Fatal(err)
		}
		for n := size - len(head); n > 0; n -= len(block) {
			_, _ = random.Read(block)
			if _, err := w.Write(block[:min(n, len(block))]); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := &atomic.Int64{}
	write(io.MultiWriter(sum, counter{count}))
	digest := hex.EncodeToString(sum.Sum(nil))
	d := dossier.Declaration{
		Code: code, Agency: "H29.68", AgencyName: "UBND phường Bến Nghé", Procedure: "1.009999", ProcedureName: "Cấp giấy phép xây dựng",
		Title: "Cấp giấy phép xây dựng", Access: "open", Received: "2010-03-01", Closed: "2010-05-01", Outcome: "granted",
		Applicant: dossier.Person{Name: "Nguyễn Thị Ánh"},
		Documents: []dossier.Document{{Name: "lon.mp4", Subject: "Kết quả", Type: "32", Role: "result", Issued: "2010-05-01", Issuer: "UBND phường Bến Nghé", Origin: "born_digital",
			MediaType: "video/mp4", Size: count.Load(), SHA256: digest}},
	}
	declaration, err := json.Marshal(&d)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, content := range map[string]func(io.Writer){"dossier.json": func(w io.Writer) { _, _ = w.Write(declaration) }, "lon.mp4": write} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "ho-so/" + name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		content(w)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return digest
}

// kept fails unless the archive gives the document back as it was.
func (s *site) kept(code, digest string) {
	s.t.Helper()
	s.run("get", "--token-file", "lan.token", "--purpose", "kiểm tra", "--force", "-o", "lai.mp4", code, "lon.mp4")
	f, err := os.Open(filepath.Join(s.dir, "lai.mp4"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		s.t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest {
		s.t.Errorf("%s: another document was kept", code)
	}
}

// TestStockClient uploads 200 MB with tus-js-client on a line that is cut again
// and again, to a server that is killed and started again meanwhile.
func TestStockClient(t *testing.T) {
	needClients(t)
	s := newSite(t)
	path := filepath.Join(s.dir, "goi.zip")
	const code = "H29.68-100301-0100"
	digest := largePackage(t, path, code, 200_000_000)
	line := newCutter(t, s.addr)
	client, err := filepath.Abs("../../.ci/tus/upload.mjs")
	if err != nil {
		t.Fatal(err)
	}
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", client, "http://"+line.Addr().String()+"/v1/uploads", s.token, path, filepath.Join(s.dir, "tus.json"))
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	kills := 0
	for at := int64(40_000_000); ; {
		select {
		case err = <-done:
		case <-time.After(5 * time.Millisecond):
			if line.passed.Load() > at && kills < 4 {
				s.kill()
				s.start()
				kills, at = kills+1, at+40_000_000
			}
			continue
		}
		break
	}
	if err != nil || !strings.Contains(out.String(), code) {
		t.Fatalf("client: %v\n%s%s", err, &out, &diag)
	}
	t.Logf("line cut %d times, server killed %d times, %d octets for 200 MB; client: %s", line.broken.Load(), kills, line.passed.Load(), strings.TrimSpace(diag.String()))
	if line.broken.Load() < 5 || kills < 3 {
		t.Error("hardly anything was broken")
	}
	s.kept(code, digest)
	if again := s.run("push", "--token-file", "portal.token", "--json", path); !strings.Contains(again, code) {
		t.Errorf("pushed again: %s", again)
	}
}

// TestOurClientOnABadLine does the same with luutru push, which is killed, too.
func TestOurClientOnABadLine(t *testing.T) {
	needClients(t)
	s := newSite(t)
	path := filepath.Join(s.dir, "goi.zip")
	const code = "H29.68-100301-0101"
	digest := largePackage(t, path, code, 100_000_000)
	line := newCutter(t, s.addr)
	args := []string{"push", "--server", "http://" + line.Addr().String(), "--token-file", "portal.token", "--receipts", "receipts", "--tries", "20", "goi.zip"}
	kills := 0
	for at := int64(25_000_000); ; at += 25_000_000 {
		cmd := exec.CommandContext(t.Context(), "luutru", args...)
		var diag bytes.Buffer
		cmd.Dir, cmd.Stderr = s.dir, &diag
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		var err error
		for ended := false; !ended; {
			select {
			case err = <-done:
				ended = true
			case <-time.After(5 * time.Millisecond):
				if kills < 3 && line.passed.Load() > at {
					_ = cmd.Process.Kill()
					s.kill()
					s.start()
					kills++
					at = 1 << 60 // for this run
				}
			}
		}
		if err == nil {
			break
		}
		if at < 1<<60 {
			t.Fatalf("push: %v\n%s", err, &diag)
		}
		at = line.passed.Load()
	}
	t.Logf("line cut %d times, client and server killed %d times, %d octets for 100 MB", line.broken.Load(), kills, line.passed.Load())
	if sent := line.passed.Load(); sent > 200_000_000 || kills < 2 {
		t.Errorf("%d octets sent, killed %d times: it did not go on where it broke", sent, kills)
	}
	s.kept(code, digest)
}

// TestCurl pushes a ZIP and follows the tus protocol with curl.
func TestCurl(t *testing.T) {
	needClients(t)
	s := newSite(t)
	path := filepath.Join(s.dir, "goi.zip")
	digest := largePackage(t, path, "H29.68-100301-0102", 3_000_000)
	curl := func(args ...string) string {
		t.Helper()
		args = append([]string{"-sS", "-H", "Authorization: Bearer " + s.token, "-H", "Tus-Resumable: 1.0.0"}, args...)
		out, err := exec.CommandContext(t.Context(), "curl", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	url := "http://" + s.addr
	first := curl("-X", "POST", "-H", "Content-Type: application/zip", "-T", path, url+"/v1/dossiers")
	if !strings.Contains(first, "H29.68-100301-0102") {
		t.Fatalf("ZIP: %s", first)
	}
	if again := curl("-F", "package=@"+path+";type=application/zip", url+"/v1/dossiers"); again != first {
		t.Errorf("as a form: %s", again)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	head := curl("-i", "-X", "POST", "-H", fmt.Sprintf("Upload-Length: %d", info.Size()), url+"/v1/uploads")
	_, location, _ := strings.Cut(head, "Location: ")
	location = strings.TrimSpace(strings.SplitN(location, "\n", 2)[0])
	if !strings.HasPrefix(location, "/v1/uploads/") {
		t.Fatalf("created: %s", head)
	}
	if answer := curl("-i", "-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream", "-H", "Upload-Offset: 0", "--data-binary", "@"+path, url+location); !strings.Contains(answer, "204") {
		t.Fatalf("sent: %s", answer)
	}
	if answer := curl(url + location); answer != first {
		t.Errorf("answer: %s", answer)
	}
	s.kept("H29.68-100301-0102", digest)
}

// TestPackageMemory pushes 1 GiB as loose documents and as a ZIP, with the
// server's memory watched: a package takes little more than documents do.
func TestPackageMemory(t *testing.T) {
	needClients(t)
	peaks := map[string]int64{}
	for _, way := range []string{"documents", "ZIP"} {
		s := newSite(t)
		path := filepath.Join(s.dir, "lon.zip")
		largePackage(t, path, "H29.68-100301-0104", 1<<30)
		if way == "documents" {
			path = unzipped(t, path)
		}
		idle, begin := s.peak(), time.Now()
		s.run("push", "--token-file", "portal.token", "--resumable-above", "10000", path)
		peaks[way] = s.peak()
		t.Logf("1 GiB as %s: %s, the server held at most %d MiB, idle %d MiB", way, time.Since(begin).Round(time.Second/10), peaks[way]>>20, idle>>20)
		s.kill()
	}
	if more := peaks["ZIP"] - peaks["documents"]; more > 128<<20 || peaks["ZIP"] > 512<<20 {
		t.Errorf("a ZIP takes %d MiB more than its documents", more>>20)
	}
}

// TestCompareForms pushes dossiers of about 3 MB and one of 128 MiB as loose
// documents, as a ZIP, and as a resumable upload, in turn, and tells how fast
// each was. It fails only if one of them does.
func TestCompareForms(t *testing.T) {
	needClients(t)
	s := newSite(t)
	c := &api.Client{URL: "http://" + s.addr, Token: s.token}
	ways := map[string]func(path string) error{
		"parts": func(path string) error {
			b, err := readBundle(filepath.Join(path, declarationFile), path)
			if err == nil {
				_, err = c.Push(t.Context(), b.declaration, b.files)
			}
			return err
		},
		"ZIP": func(path string) error { return pushFile(t, path, c.PushPackage) },
		"tus": func(path string) error {
			p := &pusher{pushOptions: &pushOptions{root: &root{}, tries: 1}, client: c, bar: io.Discard}
			var err error
			if p.done, err = openJournal("", time.Now); err != nil {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			info, err := f.Stat()
			if err == nil {
				_, err = p.upload(t.Context(), &parcel{path: path}, f, info.Size())
			}
			return err
		},
	}
	names := []string{"parts", "ZIP", "tus"}
	n := 200
	for _, size := range []int{3_000_000, 128 << 20} {
		rounds := max(1, 60_000_000/size)
		took, cpu := map[string]time.Duration{}, map[string]time.Duration{}
		for i := range rounds * len(names) {
			way := names[i%len(names)]
			n++
			path := filepath.Join(s.dir, fmt.Sprintf("bench-%d.zip", n))
			largePackage(t, path, fmt.Sprintf("H29.68-100301-%04d", n), size)
			if way == "parts" {
				path = unzipped(t, path)
			}
			begin, used := time.Now(), s.cpu()
			if err := ways[way](path); err != nil {
				t.Fatalf("%s: %v", way, err)
			}
			took[way] += time.Since(begin)
			cpu[way] += s.cpu() - used
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
		for _, way := range names {
			one := took[way] / time.Duration(rounds)
			t.Logf("%9d octets as %-5s %8s  %6.1f MB/s, CPU of the server %s", size, way, one.Round(time.Millisecond), float64(size)/1e6/one.Seconds(), cpu[way]/time.Duration(rounds))
		}
	}
}

func pushFile(t *testing.T, path string, push func(context.Context, string, io.Reader, int64) (*archive.Receipt, error)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		_, err = push(t.Context(), "application/zip", f, info.Size())
	}
	return err
}

// unzipped unpacks a package and returns the folder of its dossier.
func unzipped(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	to := path + ".dir"
	if err := errors.Join(os.CopyFS(to, z), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, "ho-so")
}
