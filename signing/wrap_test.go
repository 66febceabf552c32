package signing_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/luutru/luutru/signing"
)

func TestWrapKey(t *testing.T) {
	for p, want := range map[signing.Profile]struct {
		algorithm byte
		size      int
	}{signing.Hybrid: {35, 1200}, signing.Classic: {25, 111}} {
		archive, recovery, other := generate(t, p), generate(t, p), generate(t, p)
		sk := signing.NewSessionKey()
		packets := must(signing.WrapKey(sk, archive.Certificate(), recovery.Certificate()))(t)
		if len(packets) != 2*want.size {
			t.Errorf("%s: %d octets", p, len(packets))
		}
		r := packet.NewOpaqueReader(bytes.NewReader(packets))
		for range 2 {
			op := must(r.Next())(t)
			// PKESK, version 6, to a version 6 key, the algorithm after its fingerprint.
			if c := op.Contents; op.Tag != 1 || c[0] != 6 || c[1] != 33 || c[2] != 6 || c[35] != want.algorithm {
				t.Errorf("%s: packet %d, % x", p, op.Tag, c[:36])
			}
		}
		if bytes.Contains(packets, sk[:8]) {
			t.Errorf("%s: the session key stands in the open", p)
		}
		for _, k := range []*signing.Key{archive, recovery} {
			if got, err := k.UnwrapKey(packets); err != nil || got != sk {
				t.Errorf("%s: %v", p, err)
			}
		}
		if got, err := other.UnwrapKey(packets); !errors.Is(err, signing.ErrNoKey) || got != (signing.SessionKey{}) {
			t.Errorf("%s, other key: %v", p, err)
		}
		// Rotation: the same session key, another recipient.
		rotated := must(signing.WrapKey(must(archive.UnwrapKey(packets))(t), other.Certificate()))(t)
		if got, err := other.UnwrapKey(rotated); err != nil || got != sk {
			t.Errorf("%s, rotated: %v", p, err)
		}
		if _, err := archive.UnwrapKey(rotated); !errors.Is(err, signing.ErrNoKey) {
			t.Errorf("%s, rotated, old key: %v", p, err)
		}
	}
}

func TestWrapKeyErrors(t *testing.T) {
	sk := signing.NewSessionKey()
	if _, err := signing.WrapKey(sk); err == nil {
		t.Error("wrapped to nobody")
	}
	hybrid, classic := generate(t, signing.Hybrid), generate(t, signing.Classic)
	if _, err := signing.WrapKey(sk, hybrid.Certificate(), classic.Certificate()); err == nil {
		t.Error("wrapped to a weaker recipient among strong ones")
	}
	e := entity(t, nil)
	e.Subkeys = nil
	if _, err := signing.WrapKey(sk, certificate(t, e)); err == nil {
		t.Error("wrapped to a certificate that cannot encrypt")
	}
	if _, err := signing.Encrypt(nil); err == nil {
		t.Error("encrypted to nobody")
	}
}

// The newest subkey is encrypted to; older ones go on unwrapping.
func TestEncryptionSubkeys(t *testing.T) {
	e := entity(t, nil)
	sk := signing.NewSessionKey()
	old := must(signing.WrapKey(sk, certificate(t, e)))(t)
	if err := e.AddEncryptionSubkey(foreign(now.AddDate(1, 0, 0))); err != nil {
		t.Fatal(err)
	}
	recent := must(signing.WrapKey(sk, certificate(t, e)))(t)
	if bytes.Equal(old[4:36], recent[4:36]) {
		t.Error("not the newest subkey")
	}
	slices.Reverse(e.Subkeys)
	if again := must(signing.WrapKey(sk, certificate(t, e)))(t); !bytes.Equal(again[4:36], recent[4:36]) {
		t.Error("not the newest subkey, but the last")
	}
	slices.Reverse(e.Subkeys)
	if err := e.Subkeys[1].Revoke(packet.KeySuperseded, "", foreign(now.AddDate(2, 0, 0))); err != nil {
		t.Fatal(err)
	}
	if again := must(signing.WrapKey(sk, certificate(t, e)))(t); !bytes.Equal(old[4:36], again[4:36]) {
		t.Error("wrapped to a revoked subkey")
	}
	k := must(signing.ParseKey(private(t, e), nil))(t)
	for _, packets := range [][]byte{old, recent} {
		if got := must(k.UnwrapKey(packets))(t); got != sk {
			t.Error("another session key")
		}
	}
}

func TestUnwrapKeyErrors(t *testing.T) {
	k := generate(t, signing.Classic)
	sk := signing.NewSessionKey()
	good := must(signing.WrapKey(sk, k.Certificate()))(t)
	forOther := must(signing.WrapKey(signing.NewSessionKey(), generate(t, signing.Classic).Certificate()))(t)
	flipped := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	short := bytes.NewBuffer(nil) // an AES-128 session key
	entities := must(openpgp.ReadArmoredKeyRing(bytes.NewReader(must(k.Certificate().Armor())(t))))(t)
	enc, _ := entities[0].EncryptionKey(now, nil)
	if err := packet.SerializeEncryptedKeyAEAD(short, enc.PublicKey, packet.CipherAES128, true, sk[:16], nil); err != nil {
		t.Fatal(err)
	}
	v3 := bytes.NewBuffer(nil)
	if err := packet.SerializeEncryptedKeyAEAD(v3, enc.PublicKey, packet.CipherAES256, false, sk[:], nil); err != nil {
		t.Fatal(err)
	}
	for name, packets := range map[string][]byte{
		"nothing": nil, "text": []byte("xin chào"), "tag only": good[:1], "cut": good[:len(good)-1], "octet more": append(bytes.Clone(good), 0),
		"version": flipped(2), "fingerprint": flipped(10), "algorithm": flipped(37), "ephemeral key": flipped(40), "wrapped key": flipped(len(good) - 1),
		"for another": forOther, "AES-128": short.Bytes(), "version 3": v3.Bytes(),
		"long length": append([]byte{0xC1, 0xFF, 0, 0, 0, byte(len(good) - 2)}, good[2:]...),
		"with data":   append(bytes.Clone(good), seal(t, []byte("x"), sk, 1)...),
	} {
		if got, err := k.UnwrapKey(packets); !errors.Is(err, signing.ErrNoKey) || got != (signing.SessionKey{}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, packets := range map[string][]byte{
		"first": append(bytes.Clone(good), forOther...), "second": append(bytes.Clone(forOther), good...),
		"after a damaged one": append(flipped(len(good)-1), good...),
	} {
		if got, err := k.UnwrapKey(packets); err != nil || got != sk {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncrypt(t *testing.T) {
	for _, p := range profiles() {
		a, b := generate(t, p), generate(t, p)
		for _, size := range []int{0, 1, 100, chunk, 2*chunk + 1} {
			plain := random(size)
			message := must(signing.Encrypt(plain, a.Certificate(), b.Certificate()))(t)
			for _, k := range []*signing.Key{a, b} {
				if got, err := k.Decrypt(message); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s, size %d: %d octets, %v", p, size, len(got), err)
				}
			}
			if _, err := generate(t, p).Decrypt(message); !errors.Is(err, signing.ErrNoKey) {
				t.Errorf("%s, other key: %v", p, err)
			}
			for i := len(message) - 1; i > len(message)-60 && i > 0; i-- {
				bad := bytes.Clone(message)
				bad[i] ^= 1
				if got, err := a.Decrypt(bad); !errors.Is(err, signing.ErrSealed) || got != nil {
					t.Errorf("%s, size %d, octet %d: %d octets, %v", p, size, i, len(got), err)
				}
			}
			for _, bad := range [][]byte{message[:len(message)-1], append(bytes.Clone(message), 0)} {
				if got, err := a.Decrypt(bad); !errors.Is(err, signing.ErrSealed) || got != nil {
					t.Errorf("%s, size %d, other length: %d octets, %v", p, size, len(got), err)
				}
			}
		}
	}
}

// cat key data is an ordinary message: go-crypto's own reader opens it.
func TestGoCryptoReadsMessage(t *testing.T) {
	for _, p := range profiles() {
		a, b := generate(t, p), generate(t, p)
		sk, plain := signing.NewSessionKey(), random(2*chunk+5)
		packets := must(signing.WrapKey(sk, a.Certificate(), b.Certificate()))(t)
		sealed := seal(t, plain, sk, 1)
		for _, k := range []*signing.Key{a, b} {
			keyring := must(openpgp.ReadArmoredKeyRing(bytes.NewReader(must(k.Armor(nil))(t))))(t)
			md := must(openpgp.ReadMessage(io.MultiReader(bytes.NewReader(packets), bytes.NewReader(sealed)), keyring, nil, nil))(t)
			if lit := md.LiteralData; !lit.IsBinary || lit.FileName != "" || lit.Time != 0 {
				t.Errorf("%s: literal packet %+v", p, lit)
			}
			got, err := io.ReadAll(md.UnverifiedBody)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: %d octets, %v", p, len(got), err)
			}
		}
	}
}
