package signing_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/luutru/luutru/signing"
)

var now = time.Date(2026, 11, 24, 9, 30, 0, 0, time.FixedZone("ICT", 7*3600))

func profiles() []signing.Profile { return []signing.Profile{signing.Hybrid, signing.Classic} }

func generate(tb testing.TB, p signing.Profile) *signing.Key {
	tb.Helper()
	k, err := signing.Generate(p, "Lưu trữ xã Thử Nghiệm", now)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// must is for results that cannot be wrong where they are used.
func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func dearmor(tb testing.TB, text []byte) []byte {
	tb.Helper()
	b := must(armor.Decode(bytes.NewReader(text)))(tb)
	return must(io.ReadAll(b.Body))(tb)
}

func enarmor(tb testing.TB, packets []byte, block string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := must(armor.Encode(&b, block, nil))(tb)
	w.Write(packets)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// entity makes a key with go-crypto, for shapes that Generate does not make.
func entity(tb testing.TB, change func(c *packet.Config)) *openpgp.Entity {
	tb.Helper()
	c := foreign(now)
	if change != nil {
		change(c)
	}
	return must(openpgp.NewEntity("Cán bộ", "", "", c))(tb)
}

func foreign(t time.Time) *packet.Config {
	return &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519, Time: func() time.Time { return t },
		AEADConfig: &packet.AEADConfig{}}
}

func armored(tb testing.TB, e *openpgp.Entity) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		tb.Fatal(err)
	}
	return enarmor(tb, b.Bytes(), "PGP PUBLIC KEY BLOCK")
}

func certificate(tb testing.TB, e *openpgp.Entity) *signing.Certificate {
	tb.Helper()
	return must(signing.ParseCertificate(armored(tb, e)))(tb)
}

func TestKeyRoundTrip(t *testing.T) {
	for _, p := range profiles() {
		k := generate(t, p)
		if len(k.Fingerprint()) != 64 || k.Fingerprint() != k.Certificate().Fingerprint() {
			t.Errorf("%s: fingerprint %s", p, k.Fingerprint())
		}
		for _, passphrase := range [][]byte{nil, []byte("bí mật")} {
			text := must(k.Armor(passphrase))(t)
			back, err := signing.ParseKey(text, passphrase)
			if err != nil || back.Fingerprint() != k.Fingerprint() {
				t.Fatalf("%s, passphrase %q: %v", p, passphrase, err)
			}
			sig := must(back.Sign([]byte("quyết định"), now))(t)
			if err := k.Certificate().Verify([]byte("quyết định"), sig); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
		text := must(k.Certificate().Armor())(t)
		if !bytes.HasPrefix(text, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")) || !bytes.HasSuffix(text, []byte("-----\n")) {
			t.Errorf("%s: %s", p, text)
		}
		cert := must(signing.ParseCertificate(text))(t)
		if again := must(cert.Armor())(t); !bytes.Equal(again, text) {
			t.Errorf("%s: the certificate changed on the way", p)
		}
	}
}

// What go-crypto would choose by itself is another version, hash, cipher and
// mode, so the octets are looked at.
func TestKeyWire(t *testing.T) {
	for p, want := range map[signing.Profile]struct{ primary, sub byte }{signing.Hybrid: {30, 35}, signing.Classic: {27, 25}} {
		k := generate(t, p)
		r := packet.NewOpaqueReader(bytes.NewReader(dearmor(t, must(k.Certificate().Armor())(t))))
		var tags []byte
		for {
			op, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			tags = append(tags, op.Tag)
			switch c := op.Contents; op.Tag {
			case 6:
				if c[0] != 6 || c[5] != want.primary {
					t.Errorf("%s: primary key version %d, algorithm %d", p, c[0], c[5])
				}
			case 14:
				if c[0] != 6 || c[5] != want.sub {
					t.Errorf("%s: subkey version %d, algorithm %d", p, c[0], c[5])
				}
			case 2:
				if c[0] != 6 || c[2] != want.primary || c[3] != 10 {
					t.Errorf("%s: signature version %d, algorithm %d, hash %d", p, c[0], c[2], c[3])
				}
			}
		}
		if want := []byte{6, 2, 13, 2, 14, 2}; !bytes.Equal(tags, want) {
			t.Errorf("%s: packets %d, want %d", p, tags, want)
		}
		// AES-256 with GCM comes first for those who encrypt to this key.
		entities := must(openpgp.ReadArmoredKeyRing(bytes.NewReader(must(k.Certificate().Armor())(t))))(t)
		self := must(entities[0].PrimarySelfSignature(now, nil))(t)
		if suites := self.PreferredCipherSuites; len(suites) == 0 || suites[0] != [2]uint8{9, 3} || !self.SEIPDv2 {
			t.Errorf("%s: preferences %v", p, suites)
		}
		if self.KeyLifetimeSecs != nil && *self.KeyLifetimeSecs != 0 {
			t.Errorf("%s: expires after %d seconds", p, *self.KeyLifetimeSecs)
		}
	}
}

// secret is what follows the public half in a version 6 private key packet.
func secret(p []byte) []byte {
	return p[10+int(p[8])<<8+int(p[9]):]
}

func TestLockedKeyWire(t *testing.T) {
	k := generate(t, signing.Hybrid)
	text := must(k.Armor([]byte("bí mật")))(t)
	r := packet.NewOpaqueReader(bytes.NewReader(dearmor(t, text)))
	n := 0
	for {
		op, err := r.Next()
		if err != nil {
			break
		}
		if op.Tag != 5 && op.Tag != 7 {
			continue
		}
		n++
		s := secret(op.Contents)
		// AEAD, AES-256, GCM; Argon2 with 3 passes, 4 lanes, 2^16 KiB.
		if got := hex.EncodeToString(s[:1]) + hex.EncodeToString(s[2:4]) + hex.EncodeToString(s[5:6]) + hex.EncodeToString(s[22:25]); got != "fd0903"+"04"+"030410" {
			t.Errorf("packet %d: %s", op.Tag, got)
		}
	}
	if n != 2 {
		t.Errorf("%d secrets", n)
	}
}

func TestPassphrase(t *testing.T) {
	k := generate(t, signing.Classic)
	text := must(k.Armor([]byte("bí mật")))(t)
	for _, wrong := range [][]byte{nil, {}, []byte("sai"), []byte("bí mật ")} {
		if _, err := signing.ParseKey(text, wrong); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
	}
	if _, err := k.Armor([]byte{}); err == nil {
		t.Error("locked with an empty passphrase")
	}
	// Locking is done to a copy: the key goes on working.
	must(k.Sign(nil, now))(t)
}

// A key file must not make the program take terabytes to try a passphrase.
func TestStretchingIsBounded(t *testing.T) {
	k := generate(t, signing.Classic)
	for name, change := range map[string]func(s []byte){
		"memory": func(s []byte) { s[24] = 31 },
		"passes": func(s []byte) { s[22], s[24] = 255, 20 },
	} {
		packets := dearmor(t, must(k.Armor([]byte("bí mật")))(t))
		at := bytes.LastIndex(packets, []byte{253}) // the usage octet, or one of the ciphertext
		for at > 0 && !bytes.Equal(packets[at+2:at+4], []byte{9, 3}) {
			at = bytes.LastIndex(packets[:at], []byte{253})
		}
		change(packets[at:])
		_, err := signing.ParseKey(enarmor(t, packets, "PGP PRIVATE KEY BLOCK"), []byte("bí mật"))
		if err == nil || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	if _, err := signing.Generate("quantum", "x", now); err == nil {
		t.Error("unknown profile")
	}
	if _, err := signing.Generate(signing.Classic, "a <b>", now); err == nil {
		t.Error("bad name")
	}
}

func TestParseErrors(t *testing.T) {
	k := generate(t, signing.Classic)
	private, public := must(k.Armor(nil))(t), must(k.Certificate().Armor())(t)
	two := append(dearmor(t, public), dearmor(t, public)...)
	v4 := entity(t, func(c *packet.Config) { c.V6Keys = false })
	rsa := entity(t, func(c *packet.Config) { c.Algorithm = packet.PubKeyAlgoRSA })
	bare := entity(t, nil)
	bare.DirectSignatures = nil
	other := entity(t, nil)
	stolen := entity(t, nil)
	stolen.DirectSignatures = other.DirectSignatures
	idle := entity(t, nil)
	idle.DirectSignatures[0].Packet.FlagSign = false
	idle.DirectSignatures[0].Packet.SignDirectKeyBinding(idle.PrimaryKey, idle.PrivateKey, foreign(now))
	idle.Subkeys = nil
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("xin chào"), "private": private, "cut": public[:len(public)/2],
		"twice": append(bytes.Clone(public), public...), "before": append([]byte("x\n"), public...), "after": append(bytes.Clone(public), 'x'),
		"two keys": enarmor(t, two, "PGP PUBLIC KEY BLOCK"), "empty": enarmor(t, nil, "PGP PUBLIC KEY BLOCK"),
		"version 4": armored(t, v4), "RSA": armored(t, rsa), "no signature": armored(t, bare), "another's signature": armored(t, stolen),
		"cannot do anything": armored(t, idle),
	} {
		if _, err := signing.ParseCertificate(text); err == nil {
			t.Errorf("%s: parsed as a certificate", name)
		}
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "public": public, "public as private": enarmor(t, dearmor(t, public), "PGP PRIVATE KEY BLOCK"),
		"cut": enarmor(t, dearmor(t, private)[:200], "PGP PRIVATE KEY BLOCK"),
	} {
		if _, err := signing.ParseKey(text, nil); err == nil {
			t.Errorf("%s: parsed as a private key", name)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	for _, p := range profiles() {
		k := generate(t, p)
		cert := must(signing.ParseCertificate(must(k.Certificate().Armor())(t)))(t)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				message := []byte{byte(i)}
				sig, err := k.Sign(message, now)
				if err == nil {
					err = cert.Verify(message, sig)
				}
				if err != nil {
					t.Error(err)
				}
				sealed, err := signing.Encrypt(message, cert)
				if err == nil {
					_, err = k.Decrypt(sealed)
				}
				if err != nil {
					t.Error(err)
				}
				if _, err := k.Armor(nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}
