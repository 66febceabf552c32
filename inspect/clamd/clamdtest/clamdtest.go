// Package clamdtest starts a real clamd for tests.
package clamdtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/luutru/luutru/inspect/clamd"
)

// Daemon is a clamd that a test started. It ends with the test.
type Daemon struct {
	Address string // for clamd.New and the intake policy
	Config  string // file, for other programs of ClamAV
	Process *os.Process

	ended chan struct{}
}

// Start runs a clamd that knows one signature, under a name, and returns when it
// answers. Settings are lines of clamd.conf. It needs
// clamav-daemon; unless LUUTRU_CLAMD is 1 the test is skipped.
func Start(t testing.TB, name string, signature []byte, settings string) *Daemon {
	t.Helper()
	if os.Getenv("LUUTRU_CLAMD") != "1" {
		t.Skip("LUUTRU_CLAMD is not set")
	}
	dir := t.TempDir()
	socket, db := filepath.Join(dir, "s"), filepath.Join(dir, "db")
	d := &Daemon{Address: "unix:" + socket, Config: filepath.Join(dir, "clamd.conf"), ended: make(chan struct{})}
	if err := os.Mkdir(db, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("LocalSocket %s\nDatabaseDirectory %s\nForeground yes\nUser root\nTemporaryDirectory %s\n%s\n", socket, db, dir, settings)
	for path, text := range map[string]string{filepath.Join(db, "luutru.ndb"): fmt.Sprintf("%s:0:*:%x\n", name, signature), d.Config: conf} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("clamd", "--config-file", d.Config)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.Process = cmd.Process
	go func() {
		_ = cmd.Wait() // how it ended is the test's business
		close(d.ended)
	}()
	t.Cleanup(d.Stop)
	d.ready(t, &out)
	return d
}

// ready waits until it answers.
func (d *Daemon) ready(t testing.TB, out *bytes.Buffer) {
	t.Helper()
	s, err := clamd.New(d.Address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 600 {
		if v, err := s.Version(t.Context()); err == nil {
			t.Log(v)
			return
		}
		select {
		case <-d.ended:
			t.Fatalf("clamd ended: %s", out)
		case <-ticker.C:
		}
	}
	t.Fatal("clamd does not answer")
}

// Stop kills it and waits for its end.
func (d *Daemon) Stop() {
	_ = d.Process.Kill()
	<-d.ended
}
