//go:build unix

package soak_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
)

// The people, whose accounts' tokens are made for every test.
var (
	portal    = archive.Agent{Subject: "cong-dvc", Roles: []archive.Role{archive.Producer}, Agencies: []string{"*"}}
	archivist = archive.Agent{Subject: "lan", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"*"}}
	member    = archive.Agent{Subject: "hoa", Roles: []archive.Role{archive.Council}, Agencies: []string{"*"}}
	chief     = archive.Agent{Subject: "son", Roles: []archive.Role{archive.Approver}, Agencies: []string{"*"}}
	executor  = archive.Agent{Subject: "minh", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"*"}}
	inspector = archive.Agent{Subject: "thanh-tra", Roles: []archive.Role{archive.Inspector}, Agencies: []string{"*"}}
)

// Classes of the schedule: one whose dossiers are due, one that is kept for
// ever.
const (
	due       = "GP"
	permanent = "HT"
)

func schedule() *retention.Schedule {
	return &retention.Schedule{
		Version: 1, Title: "Thử nghiệm · Test", Effective: time.Date(2000, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600)),
		Rules: []retention.Rule{
			{Class: due, Group: "Giấy phép", Vietnamese: "Giấy phép", English: "Licences", Years: 5, Trigger: "end-of-work", Action: "destroy", Basis: "test", Certainty: "confirmed", Approved: true},
			{Class: permanent, Group: "Hộ tịch", Vietnamese: "Hộ tịch", English: "Civil status", Permanent: true, Trigger: "end-of-work", Action: "transfer", Basis: "test", Certainty: "confirmed", Approved: true},
		},
		Procedures: map[string]string{}, Groups: map[string]string{},
	}
}

// rounds returns how many rounds are asked for.
func rounds(t *testing.T, usual int) int {
	t.Helper()
	s := os.Getenv("LUUTRU_KILL")
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("LUUTRU_KILL is %q, not a number of rounds", s)
	}
	return n
}

// patience is how long anything may take that has no bound of its own, on a
// machine that is busy with something else.
const patience = 3 * time.Minute

// bed is an archive with all that survives its processes.
type bed struct {
	t       *testing.T
	dir     string
	order   order // what all processes are told
	ring    *archive.Keyring
	secrets map[string]string // of the people
	indexes int
}

// newBed makes an archive: in an outside store if one is given, else in the
// embedded one, which runs in the server's process, or in one of its own where
// several servers need it.
func newBed(t *testing.T, p signing.Profile, several bool) *bed {
	t.Helper()
	ring, _, err := archive.GenerateKeyring(p, "luutru.test", time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, dir: t.TempDir(), ring: ring}
	b.order = order{Role: "node", Suffix: "-" + strings.ToLower(rand.Text()[:12]), Tokens: b.tokens()}
	if b.order.Keys, err = keysOf(ring); err != nil {
		t.Fatal(err)
	}
	switch raw := os.Getenv("LUUTRU_TEST_S3"); {
	case raw != "":
		b.order.Store = outside(t, raw)
	case several:
		o := order{Role: "store", Dir: filepath.Join(b.dir, "store")}
		b.order.Store = *b.launch(o).hear("the store").Store
	default:
		b.order.Dir = filepath.Join(b.dir, "store")
	}
	b.create()
	return b
}

func outside(t *testing.T, raw string) access {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		t.Fatal("LUUTRU_TEST_S3 is not of the form http://key:secret@host:port")
	}
	secret, _ := u.User.Password()
	return access{u.Host, u.User.Username(), secret, u.Scheme == "https"}
}

// tokens makes everybody's tokens and returns the file for the servers.
func (b *bed) tokens() string {
	b.secrets = map[string]string{}
	var all []api.Token
	for _, who := range []archive.Agent{portal, archivist, member, chief, executor, inspector} {
		secret, token := api.NewToken(who, time.Now().Add(24*time.Hour))
		b.secrets[who.Subject] = secret
		all = append(all, token)
	}
	raw, err := json.Marshal(all)
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(b.dir, "tokens.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// create makes the archive in empty buckets.
func (b *bed) create() {
	o := b.order
	o.Node = "setup"
	s, err := o.connect(b.t.Context(), true)
	if err != nil {
		b.t.Fatal(err)
	}
	err = archive.Create(b.t.Context(), o.config(s, b.ring, nil), "luutru.test", schedule())
	if err := errors.Join(err, s.close()); err != nil {
		b.t.Fatal(err)
	}
}

// newIndex makes an empty index and returns its directory.
func (b *bed) newIndex() string {
	b.indexes++
	dir := filepath.Join(b.dir, "index-"+strconv.Itoa(b.indexes))
	ix, err := index.Create(dir, indexKey)
	if err == nil {
		err = ix.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return dir
}

// process is a child. Its methods are for the test's goroutine, but for as.
type process struct {
	bed   *bed
	order order
	cmd   *exec.Cmd
	stdin io.Closer
	words chan word // closed when it has ended
	ended chan struct{}
	log   bytes.Buffer // complete once it has ended
	url   string
	http  *http.Client
	over  bool // we ended it
}

// node starts a server and waits until it answers, which it does while it still
// recovers what the last one left.
func (b *bed) node(name, index string, suspects ...string) (*process, *word) {
	b.t.Helper()
	o := b.order
	o.Node, o.Index, o.Suspects = name, index, suspects
	p := b.launch(o)
	w := p.hear("node " + name)
	p.url = "http://" + w.Address
	p.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	return p, w
}

// launch starts a child. The end of the test kills it, if nothing else did.
func (b *bed) launch(o order) *process {
	b.t.Helper()
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	p := &process{bed: b, order: o, cmd: exec.Command(self, "-test.run=^$"), words: make(chan word, 8), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childVariable+"=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &p.log
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	p.stdin = stdin
	b.t.Cleanup(p.kill)
	var once sync.WaitGroup
	once.Go(func() { _ = json.NewEncoder(stdin).Encode(&o) }) // a child that is killed first reads nothing
	go func() {
		once.Wait()
		for d := json.NewDecoder(stdout); ; {
			var w word
			if d.Decode(&w) != nil {
				break
			}
			p.words <- w
		}
		_ = p.cmd.Wait()
		close(p.words)
		close(p.ended)
	}()
	return p
}

// hear waits for the child's next word.
func (p *process) hear(what string) *word {
	p.bed.t.Helper()
	select {
	case w, ok := <-p.words:
		if !ok {
			p.bed.t.Fatalf("%s ended:\n%s", what, p.log.String())
		}
		return &w
	case <-time.After(patience):
		p.bed.t.Fatalf("%s does not answer", what)
	}
	return nil
}

// kill sends SIGKILL and waits for the end. A child has a process group of its
// own, so that the system ends it, even stopped, when its parent is no more.
func (p *process) kill() {
	if p.over {
		return
	}
	p.over = true
	select {
	case <-p.ended:
		p.bed.t.Errorf("a process ended by itself:\n%s", p.log.String())
		return
	default:
	}
	_ = p.cmd.Process.Kill() // stopped or not
	p.gone()
}

// stop has the child end in order, and waits for that.
func (p *process) stop() {
	p.bed.t.Helper()
	p.over = true
	_ = p.stdin.Close()
	p.gone()
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.bed.t.Errorf("server ended with %d:\n%s", code, p.log.String())
	}
}

// gone waits for the end, and looks for what a child must never say.
func (p *process) gone() {
	p.bed.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.bed.t.Errorf("process %d does not end", p.cmd.Process.Pid)
		return
	}
	if p.http != nil {
		p.http.CloseIdleConnections()
	}
	for _, bad := range []string{"DATA RACE", "panic: ", "fatal error: ", "TAMPERING"} {
		if strings.Contains(p.log.String(), bad) {
			p.bed.t.Errorf("the process wrote:\n%s", p.log.String())
			return
		}
	}
}

// signal sends SIGSTOP or SIGCONT.
func (p *process) signal(s syscall.Signal) {
	p.bed.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.bed.t.Fatalf("%v: %v", s, err)
	}
}

// ready waits until recovery is over and returns how long the start took.
func (p *process) ready() durations {
	p.bed.t.Helper()
	return p.hear("recovery").Started
}

// as returns the client of one of the people.
func (p *process) as(who archive.Agent) *api.Client {
	return &api.Client{URL: p.url, Token: p.bed.secrets[who.Subject], HTTP: p.http}
}

// after waits for a time, or for the end of ctx.
func after(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
