package signing_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/luutru/luutru/signing"
)

// goCryptoRead opens a sealed object with go-crypto's packets alone.
func goCryptoRead(tb testing.TB, sealed []byte, sk signing.SessionKey) []byte {
	tb.Helper()
	p, err := packet.Read(bytes.NewReader(sealed))
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := p.(*packet.SymmetricallyEncrypted).Decrypt(0, sk[:])
	if err != nil {
		tb.Fatal(err)
	}
	literal, err := packet.Read(plain)
	if err != nil {
		tb.Fatal(err)
	}
	got, err := io.ReadAll(literal.(*packet.LiteralData).Body)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		tb.Fatal(err)
	}
	// go-crypto checks the final tag here, and not before.
	if err := plain.Close(); err != nil {
		tb.Fatal(err)
	}
	return got
}

// interop skips the test unless other tools were asked for. Where they were, a
// tool that is missing is a failure.
func interop(t *testing.T) {
	if os.Getenv("LUUTRU_INTEROP") != "1" {
		t.Skip("LUUTRU_INTEROP is not 1")
	}
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a tool and returns what it prints.
func run(t *testing.T, stdin []byte, name string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("%s: %v\n%s", name, err, stderr.Bytes())
	}
	return out, err
}

// message is one of each: key packets and sealed object, plaintext, session key.
func message(t *testing.T, k *signing.Key, size int) (message, plain []byte, sk signing.SessionKey) {
	t.Helper()
	sk, plain = signing.NewSessionKey(), random(size)
	packets := must(signing.WrapKey(sk, generateLike(t, k).Certificate(), k.Certificate()))(t)
	return append(packets, seal(t, plain, sk, 2)...), plain, sk
}

func generateLike(t *testing.T, k *signing.Key) *signing.Key {
	t.Helper()
	for _, p := range profiles() {
		other := generate(t, p)
		if _, err := signing.WrapKey(signing.NewSessionKey(), k.Certificate(), other.Certificate()); err == nil {
			return other
		}
	}
	t.Fatal("a key of no profile")
	return nil
}

const pythonReader = "../docs/reader/open_sealed.py"

func TestPythonReader(t *testing.T) {
	interop(t)
	sk := signing.NewSessionKey()
	key := write(t, "key", []byte("9:"+hex.EncodeToString(sk[:])+"\n"))
	open := func(sealed []byte) ([]byte, error) {
		out := filepath.Join(t.TempDir(), "content")
		if _, err := run(t, nil, "python3", pythonReader, key, write(t, "sealed", sealed), out); err != nil {
			if _, err := os.Stat(out); err == nil {
				t.Error("an output file is left after a failure")
			}
			return nil, err
		}
		return os.ReadFile(out)
	}
	for _, size := range []int{0, 1, chunk - heads, chunk - heads + 1, 3*chunk + 5} {
		plain := random(size)
		if got, err := open(seal(t, plain, sk, 1)); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("size %d: %d octets, %v", size, len(got), err)
		}
	}
	var b bytes.Buffer
	plain := random(40<<16 + 5)
	s := must(small.NewSealer(&b, int64(len(plain)), sk, 1))(t)
	s.Write(plain)
	s.Close()
	if got, err := open(b.Bytes()); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("partial segments: %d octets, %v", len(got), err)
	}
	sealed := seal(t, random(2*chunk), sk, 1)
	for name, bad := range map[string][]byte{
		"octet": append(append(bytes.Clone(sealed[:1000]), sealed[1000]^1), sealed[1001:]...),
		"cut":   sealed[:len(sealed)-1], "cut at a chunk": sealed[:42+chunk+16], "octet more": append(bytes.Clone(sealed), 0),
	} {
		if _, err := open(bad); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

const openPGPjs = "../.ci/openpgpjs/openpgp.mjs"

// OpenPGP.js has no post-quantum algorithms.
func TestOpenPGPjs(t *testing.T) {
	interop(t)
	k := generate(t, signing.Classic)
	msg, plain, _ := message(t, k, 2*chunk+5)
	out := filepath.Join(t.TempDir(), "content")
	if _, err := run(t, nil, "node", openPGPjs, "decrypt", write(t, "key", must(k.Armor(nil))(t)), write(t, "message", msg), out); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d octets, %v", len(got), err)
	}
	text := []byte("Quyết định hủy số 12/QĐ\r\n")
	cert, sig := write(t, "cert", must(k.Certificate().Armor())(t)), write(t, "sig", must(k.Sign(text, now))(t))
	if _, err := run(t, nil, "node", openPGPjs, "verify", cert, write(t, "text", text), sig); err != nil {
		t.Error("does not verify")
	}
	if _, err := run(t, nil, "node", openPGPjs, "verify", cert, write(t, "text", append(text, ' ')), sig); err == nil {
		t.Error("verifies something else")
	}
}

// gosop is the command line of GopenPGP. From version 3.5 on it knows the
// algorithms of the hybrid profile; LUUTRU_GOSOP is the path of such a one.
func TestGosop(t *testing.T) {
	gosop := os.Getenv("LUUTRU_GOSOP")
	if gosop == "" {
		t.Skip("LUUTRU_GOSOP is not set")
	}
	for _, p := range profiles() {
		t.Run(string(p), func(t *testing.T) {
			k := generate(t, p)
			msg, plain, sk := message(t, k, 2*chunk+5)
			sessionKey := filepath.Join(t.TempDir(), "session-key")
			locked, passphrase := write(t, "key", must(k.Armor([]byte("bí mật")))(t)), write(t, "passphrase", []byte("bí mật"))
			got, err := run(t, msg, gosop, "decrypt", "--session-key-out="+sessionKey, "--with-key-password="+passphrase, locked)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("decrypt: %d octets, %v", len(got), err)
			}
			hexKey, err := os.ReadFile(sessionKey)
			if want := "9:" + hex.EncodeToString(sk[:]); err != nil || !bytes.EqualFold(bytes.TrimSpace(hexKey), []byte(want)) {
				t.Errorf("session key: %d octets, %v", len(hexKey), err)
			}
			text := []byte("Quyết định hủy số 12/QĐ\r\n")
			cert, sig := write(t, "cert", must(k.Certificate().Armor())(t)), write(t, "sig", must(k.Sign(text, now))(t))
			if _, err := run(t, text, gosop, "verify", sig, cert); err != nil {
				t.Error("verify:", err)
			}
			if _, err := run(t, append(text, ' '), gosop, "verify", sig, cert); err == nil {
				t.Error("verifies something else")
			}
			// And the other way: an officer signs with a key of gosop's.
			made, err := run(t, must(k.Armor(nil))(t), gosop, "sign", write(t, "open", must(k.Armor(nil))(t)))
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Certificate().Verify(must(k.Armor(nil))(t), made); err != nil {
				t.Error("signature of gosop:", err)
			}
		})
	}
}
