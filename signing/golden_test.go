package signing_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/luutru/luutru/signing"
)

var writeGolden = flag.Bool("write-golden", false, "write testdata/v1, which must not exist")

// testdata/v1 is what version 1 of the format wrote. It is read for ever and
// never written again: a change of the format gets a directory of its own. The
// keys in it protect nothing.
const v1 = "testdata/v1"

const goldenPassphrase = "chỉ để thử"

func goldenPlain() []byte { return random(chunk + 1000) }

func goldenMessage() []byte {
	return []byte("Phiếu kiểm soát quá trình giải quyết hồ sơ\n")
}

func TestWriteGolden(t *testing.T) {
	if !*writeGolden {
		t.Skip("-write-golden is not set")
	}
	if err := os.Mkdir(v1, 0o755); err != nil {
		t.Fatal(err) // fs.ErrExist: what was written stays
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(v1, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sk := signing.NewSessionKey()
	put("session-key.txt", []byte(hex.EncodeToString(sk[:])+"\n"))
	put("data.pgp", seal(t, goldenPlain(), sk, 1))
	for _, p := range profiles() {
		k, recovery := generate(t, p), generate(t, p)
		put(string(p)+"-key.asc", must(k.Armor(nil))(t))
		put(string(p)+"-key-locked.asc", must(k.Armor([]byte(goldenPassphrase)))(t))
		put(string(p)+"-certificate.asc", must(k.Certificate().Armor())(t))
		put(string(p)+"-keys.pgp", must(signing.WrapKey(sk, recovery.Certificate(), k.Certificate()))(t))
		put(string(p)+"-signature.asc", must(k.Sign(goldenMessage(), now))(t))
		put(string(p)+"-message.pgp", must(signing.Encrypt(goldenMessage(), k.Certificate(), recovery.Certificate()))(t))
	}
}

func golden(tb testing.TB, name string) []byte {
	tb.Helper()
	return must(os.ReadFile(filepath.Join(v1, name)))(tb)
}

func goldenSessionKey(tb testing.TB) (sk signing.SessionKey) {
	tb.Helper()
	copy(sk[:], must(hex.DecodeString(string(bytes.TrimSpace(golden(tb, "session-key.txt")))))(tb))
	return sk
}

func TestGolden(t *testing.T) {
	sk, plain, sealed := goldenSessionKey(t), goldenPlain(), golden(t, "data.pgp")
	if int64(len(sealed)) != signing.SealedSize(int64(len(plain))) {
		t.Errorf("%d octets sealed", len(sealed))
	}
	o := open(t, sealed, sk)
	got := make([]byte, o.Size())
	if _, err := o.ReadAt(got, 0); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened %d octets, %v", len(got), err)
	}
	for _, p := range profiles() {
		read := func(name string) []byte { return golden(t, string(p)+"-"+name) }
		open := must(signing.ParseKey(read("key.asc"), nil))(t)
		locked := must(signing.ParseKey(read("key-locked.asc"), []byte(goldenPassphrase)))(t)
		cert := must(signing.ParseCertificate(read("certificate.asc")))(t)
		for _, k := range []*signing.Key{open, locked} {
			if k.Fingerprint() != cert.Fingerprint() {
				t.Errorf("%s: key %s, certificate %s", p, k.Fingerprint(), cert.Fingerprint())
			}
			if got, err := k.UnwrapKey(read("keys.pgp")); err != nil || got != sk {
				t.Errorf("%s: session key: %v", p, err)
			}
			if got, err := k.Decrypt(read("message.pgp")); err != nil || !bytes.Equal(got, goldenMessage()) {
				t.Errorf("%s: message: %q, %v", p, got, err)
			}
		}
		if err := cert.Verify(goldenMessage(), read("signature.asc")); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if text := must(cert.Armor())(t); !bytes.Equal(text, read("certificate.asc")) {
			t.Errorf("%s: the certificate is written otherwise", p)
		}
		if text := must(open.Armor(nil))(t); !bytes.Equal(text, read("key.asc")) {
			t.Errorf("%s: the key is written otherwise", p)
		}
	}
}

// Old bytes are never replaced by new ones.
func TestGoldenIsNotOverwritten(t *testing.T) {
	if err := os.Mkdir(v1, 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
}
