package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"luutru": main}) }

// TestScript runs the scripts in testdata/script against the real program.
// Every script begins with testdata/common in its folder.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			return errors.Join(os.CopyFS(e.WorkDir, os.DirFS("testdata/common")),
				os.CopyFS(filepath.Join(e.WorkDir, "signed"), os.DirFS("../../inspect/testdata")))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"archive": cmdArchive, "people": cmdPeople, "waitfor": cmdWaitFor, "exits": cmdExits, "indexed": cmdIndexed, "corrupt": cmdCorrupt, "only": cmdOnly, "certificate": cmdCertificate,
			"pack": cmdPack, "unpack": cmdUnpack, "corruptzip": cmdCorruptZip, "waitgone": cmdWaitGone,
		},
		RequireUniqueNames: true,
	})
}

// cmdArchive makes an archive in the script's folder.
func cmdArchive(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(ts.Exec("luutru", "init", "--new", ".", "--name", "luutru.test", "--profile", "classic", "--schedule", "schedule.json"))
	cmdPeople(ts, false, nil)
}

// cmdPeople makes the tokens of everybody, in WHO.token.
func cmdPeople(ts *testscript.TestScript, _ bool, _ []string) {
	for _, p := range [][3]string{
		{"portal", "producer", "H29"}, {"lan", "archivist", "*"}, {"minh", "archivist", "*"}, {"hoa", "council", "*"}, {"son", "approver", "*"},
		{"stranger", "archivist", "H30"}, {"auditor", "auditor", "*"},
	} {
		ts.Check(ts.Exec("luutru", "token", "new", "--subject", p[0], "--role", p[1], "--agency", p[2]))
		ts.Check(os.WriteFile(ts.MkAbs(p[0]+".token"), []byte(ts.ReadFile("stdout")), 0o600))
	}
}

// cmdCertificate makes a TLS certificate for 127.0.0.1 that certifies itself.
func cmdCertificate(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

const patience = time.Minute

// cmdWaitFor waits until a file is there, and puts its content into a variable.
func cmdWaitFor(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil {
			ts.Setenv(args[1], strings.TrimSpace(string(b)))
			ts.Check(os.Remove(ts.MkAbs(args[0])))
			return
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(end) {
			ts.Fatalf("%s: %v", args[0], err)
		}
	}
}

// cmdExits runs a command that must end with a certain exit code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// cmdIndexed waits until the server's index has caught up.
func cmdIndexed(ts *testscript.TestScript, _ bool, _ []string) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var b bytes.Buffer
		res, err := http.Get(ts.Getenv("LUUTRU_SERVER") + "/readyz")
		ts.Check(err)
		_, err = b.ReadFrom(res.Body)
		ts.Check(errors.Join(err, res.Body.Close()))
		if strings.Contains(b.String(), `"lag":0`) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not indexed: %s", &b)
		}
	}
}

// cmdCorrupt alters the middle of the last file that a pattern finds, folders
// and all; with -delete it removes the file.
func cmdCorrupt(ts *testscript.TestScript, _ bool, args []string) {
	pattern := args[len(args)-1]
	found, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("%s: nothing there", pattern)
	}
	path := found[len(found)-1]
	if args[0] == "-delete" {
		ts.Check(os.Remove(path))
		return
	}
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/3] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// cmdOnly checks that a folder holds just the named files.
func cmdOnly(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(args[1:], " ") {
		ts.Fatalf("%s holds %q, not %q", args[0], got, args[1:])
	}
}

// cmdPack makes a package of a dossier's folder: zip, bag (in a ZIP) or bag.tar.
func cmdPack(ts *testscript.TestScript, _ bool, args []string) {
	form, from, to := args[0], os.DirFS(ts.MkAbs(args[1])), ts.MkAbs(args[2])
	files := map[string][]byte{}
	ts.Check(fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path], err = fs.ReadFile(from, path)
		}
		return err
	}))
	if form != "zip" {
		files = bagged(files)
	}
	var b bytes.Buffer
	if form == "bag.tar" {
		w := tar.NewWriter(&b)
		for name, data := range files {
			ts.Check(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "ho-so/" + name, Size: int64(len(data)), Mode: 0o644}))
			_, err := w.Write(data)
			ts.Check(err)
		}
		ts.Check(w.Close())
	} else {
		w := zip.NewWriter(&b)
		for name, data := range files {
			f, err := w.Create("ho-so/" + name)
			ts.Check(err)
			_, err = f.Write(data)
			ts.Check(err)
		}
		ts.Check(w.Close())
	}
	ts.Check(os.WriteFile(to, b.Bytes(), 0o600))
}

// bagged makes a bag (RFC 8493) of files.
func bagged(files map[string][]byte) map[string][]byte {
	bag := map[string][]byte{"bagit.txt": []byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")}
	var manifest bytes.Buffer
	for name, data := range files {
		bag["data/"+name] = data
		fmt.Fprintf(&manifest, "%x  data/%s\n", sha256.Sum256(data), name)
	}
	bag["manifest-sha256.txt"] = manifest.Bytes()
	return bag
}

// cmdUnpack unpacks a ZIP into a folder.
func cmdUnpack(ts *testscript.TestScript, _ bool, args []string) {
	z, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer z.Close()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), z))
}

// cmdCorruptZip copies a file with its first half alone.
func cmdCorruptZip(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b[:len(b)/2], 0o600))
}

// cmdWaitGone waits until a file is not there.
func cmdWaitGone(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s is still there", args[0])
		}
	}
}
