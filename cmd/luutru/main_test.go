package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/internal/sample"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/embedded"
)

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{errors.New("x"), exitFailed},
		{fs.ErrExist, exitFailed},
		{usagef("x"), exitUsage},
		{fmt.Errorf("x: %w", usagef("y: %w", fs.ErrNotExist)), exitUsage},
		{fmt.Errorf("x: %w", fs.ErrNotExist), exitNotFound},
		{archive.ErrConflict, exitRefused},
		{archive.ErrNotDue, exitRefused},
		{archive.ErrDenied, exitRefused},
		{archive.ErrDestroyed, exitRefused},
		{archive.ErrCase, exitRefused},
		{custody.ErrStopped, exitRefused},
		{api.ErrUnauthenticated, exitRefused},
		{&dossier.ValidationError{}, exitRefused},
		{errors.Join(fs.ErrNotExist, archive.ErrNotDue), exitRefused},
		{archive.ErrProof, exitUnverified},
		{fmt.Errorf("%w: %w", archive.ErrCorrupt, fs.ErrNotExist), exitUnverified},
		{chain.ErrTampered, exitUnverified},
		{audit.ErrTampered, exitUnverified},
		{signing.ErrSignature, exitUnverified},
		{errFindings, exitUnverified},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestPathsAreRelativeToTheConfiguration(t *testing.T) {
	c := trialConfig()
	c.anchor("/etc/luutru")
	if c.Keys != "/etc/luutru/keys" || c.Store.Embedded != "/etc/luutru/store" || c.CAFile != "" {
		t.Errorf("got %+v", c)
	}
	v := reflect.ValueOf(Config{
		Server: "s", Node: "n", Listen: "l",
		Store: StoreConfig{Endpoint: "e", Region: "r", ArchiveBucket: "a", KeysBucket: "k", WorkBucket: "w"},
	})
	if unlisted := paths(v); unlisted != 16 { // a new path must be anchored, too; adjust the number then
		t.Errorf("%d fields may be paths", unlisted)
	}
}

// paths counts the empty strings in a configuration.
func paths(v reflect.Value) (n int) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			n += paths(f)
		case reflect.String:
			if f.String() == "" {
				n++
			}
		}
	}
	return n
}

// FuzzConfig reads any configuration: what is accepted survives being written.
func FuzzConfig(f *testing.F) {
	b, err := json.Marshal(trialConfig())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"store":{"endpoint":"x:9000","secure":true},"production":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil {
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseConfig(b); err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%s: got %+v, %v", b, again, err)
		}
	})
}

// FuzzBundle reads any entry bundle: what is accepted is all of it.
func FuzzBundle(f *testing.F) {
	f.Add([]byte("\x00\x01a\x00\x02bc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := splitBundle(data)
		if err != nil {
			return
		}
		n := 0
		for _, e := range entries {
			n += 2 + len(e)
		}
		if n != len(data) {
			t.Errorf("%d octets of %d", n, len(data))
		}
	})
}

func TestTileNumber(t *testing.T) {
	for n, want := range map[uint64]string{0: "000", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067"} {
		if got := tileNumber(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// handedOut makes a copy of a dossier, and says what to trust.
func handedOut(t testing.TB) ([]byte, *trust) {
	t.Helper()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	k, _, err := archive.GenerateKeyring(signing.Classic, "luutru.test", now.AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	ix, err := index.NewMemory()
	if err != nil {
		t.Fatal(err)
	}
	memory := func(v bool) *store.Memory { return store.NewMemory(store.MemoryOptions{Versioned: v, Now: clock}) }
	c := archive.Config{Archive: memory(true), Keys: memory(false), Work: memory(false), Keyring: k, Node: "a", Index: ix, Now: clock}
	if err := archive.Create(t.Context(), c, "luutru.test", retention.Seed()); err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	defer a.Close()
	by := archive.Agent{Subject: "x", Roles: []archive.Role{archive.Producer, archive.Inspector}, Agencies: []string{"*"}}
	for s := range sample.Make(1, 1, sample.Options{}) {
		d, err := dossier.ParseDeclaration(bytes.NewReader(s.Declaration), dossier.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		files := content(s.Files)
		if _, err := a.Ingest(t.Context(), by, d, &files); err != nil {
			t.Fatal(err)
		}
		cp, err := a.Retrieve(t.Context(), by, s.Code, "test")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := cp.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if err := cp.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes(), &trust{certificate: k.Archive.Certificate(), log: k.LogVerifier}
	}
	panic("no sample")
}

type content []sample.File

func (c *content) Next() (string, io.Reader, error) {
	if len(*c) == 0 {
		return "", nil, io.EOF
	}
	f := (*c)[0]
	*c = (*c)[1:]
	return f.Name, bytes.NewReader(f.Data), nil
}

// under returns the files of a copy that are proved by it, by name.
func under(t testing.TB, b []byte) map[string]string {
	t.Helper()
	c, err := openCopy(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name := range c.files {
		if name == "proof/README.txt" {
			continue
		}
		data, err := c.read(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

// FuzzCopy alters a copy: either that is noticed, or what the copy proves is
// the same.
func FuzzCopy(f *testing.F) {
	b, t := handedOut(f)
	want := under(f, b)
	if _, err := verifyFile(bytes.NewReader(b), int64(len(b)), t); err != nil {
		f.Fatal(err)
	}
	for i := range 40 {
		f.Add(i*len(b)/40, byte(1), 0)
	}
	f.Add(0, byte(0), len(b)-1)
	f.Fuzz(func(tt *testing.T, at int, mask byte, cut int) {
		forged := bytes.Clone(b)
		if at >= 0 && at < len(b) {
			forged[at] ^= mask
		}
		if cut > 0 && cut < len(b) {
			forged = forged[:cut]
		}
		trust := *t
		_, err := verifyFile(bytes.NewReader(forged), int64(len(forged)), &trust)
		if err == nil && !reflect.DeepEqual(under(tt, forged), want) {
			tt.Errorf("octet %d altered by %d, cut at %d: not noticed", at, mask, cut)
		}
	})
}

// TestProductionOnS3 makes and serves an archive on an S3 server over TCP.
func TestProductionOnS3(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: filepath.Join(dir, "s3"), Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() // its error is that clients keep connections open
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("access", s.Endpoint().AccessKey)
	write("secret", s.Endpoint().SecretKey)
	config := trialConfig()
	config.Production = true
	config.Store = StoreConfig{Endpoint: addr, Region: s.Endpoint().Region, AccessKeyFile: "access", SecretKeyFile: "secret", ArchiveBucket: "archive-1", KeysBucket: "keys-1", WorkBucket: "work-1"}
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write("luutru.json", string(b))
	luutru := func(args ...string) (int, string) {
		var out bytes.Buffer
		e := env{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now, getenv: func(string) string { return "" }}
		code := run(t.Context(), e, append([]string{"--config", filepath.Join(dir, "luutru.json")}, args...))
		return code, out.String()
	}
	if code, out := luutru("init", "--name", "luutru.test", "--profile", "classic"); code != exitDone {
		t.Fatalf("init: %d\n%s", code, out)
	}
	if code, out := luutru("rebuild"); code != exitDone || !strings.Contains(out, "0 hồ sơ") {
		t.Errorf("rebuild: %d\n%s", code, out)
	}
	if code, out := luutru("serve", "--listen", "0.0.0.0:0"); code != exitUsage || !strings.Contains(out, "TLS") {
		t.Errorf("serve everywhere without TLS: %d\n%s", code, out)
	}
	config.Store.ArchiveBucket = "work-1" // no versions, no lock
	if b, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	write("luutru.json", string(b))
	if code, out := luutru("rebuild"); code != exitFailed || !strings.Contains(out, "the store lacks") {
		t.Errorf("on a bucket without lock: %d\n%s", code, out)
	}
}
