package signing_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"testing"

	"github.com/luutru/luutru/signing"
)

// craft seals any plaintext with the standard library alone, as whoever has the
// session key could, and returns the body of the encrypted packet.
func craft(tb testing.TB, plain []byte, sk signing.SessionKey) []byte {
	tb.Helper()
	bound := []byte{0xD2, 2, 9, 3, 12}
	salt := make([]byte, 32)
	derived := must(hkdf.Key(sha256.New, sk[:], salt, string(bound), 36))(tb)
	gcm := must(cipher.NewGCM(must(aes.NewCipher(derived[:32]))(tb)))(tb)
	body := append(bytes.Clone(bound[1:]), salt...)
	nonce, total := bytes.Clone(derived[32:]), len(plain)
	nonce = append(nonce, make([]byte, 8)...)
	i := uint64(0)
	for ; len(plain) > 0; i++ {
		n := min(chunk, len(plain))
		binary.BigEndian.PutUint64(nonce[4:], i)
		body = gcm.Seal(body, nonce, plain[:n], bound)
		plain = plain[n:]
	}
	binary.BigEndian.PutUint64(nonce[4:], i)
	return gcm.Seal(body, nonce, nil, binary.BigEndian.AppendUint64(bound, uint64(total)))
}

// framed is a packet with one five-octet length.
func framed(tag byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{tag, 0xFF}, uint32(len(body))), body...)
}

func literal(content string) []byte {
	return framed(0xCB, append([]byte{'b', 0, 0, 0, 0, 0}, content...))
}

// The bytes of the format, written down a second time.
func TestCrafted(t *testing.T) {
	sk := signing.NewSessionKey()
	sealed := framed(0xD2, craft(t, literal("hồ sơ"), sk))
	if got, err := io.ReadAll(signing.OpenStream(bytes.NewReader(sealed), sk)); err != nil || string(got) != "hồ sơ" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := io.ReadAll(open(t, sealed, sk).Section(0, 8)); err != nil || string(got) != "hồ sơ" {
		t.Errorf("%q, %v", got, err)
	}
}

// Who has the key can seal what is not of this format. It is refused all the
// same, so that every reader agrees on what an object holds.
func TestCraftedOtherwise(t *testing.T) {
	sk := signing.NewSessionKey()
	good := literal("hồ sơ")
	for name, plain := range map[string][]byte{
		"empty":               {},
		"two literal packets": append(bytes.Clone(good), good...),
		"octet after":         append(bytes.Clone(good), 0),
		"padding after":       append(bytes.Clone(good), framed(0xD5, []byte{1, 2})...),
		"cut":                 good[:len(good)-1],
		"text":                framed(0xCB, []byte("u\x00\x00\x00\x00\x00xin")),
		"name":                framed(0xCB, []byte("b\x01a\x00\x00\x00\x00xin")),
		"date":                framed(0xCB, []byte("b\x00\x00\x00\x00\x01xin")),
		"short head":          framed(0xCB, []byte("b\x00\x00")),
		"short length":        append([]byte{0xCB, 9}, "b\x00\x00\x00\x00\x00xin"...),
		"compressed":          framed(0xC8, []byte("\x00xin chao")),
	} {
		t.Run(name, func(t *testing.T) { refused(t, framed(0xD2, craft(t, plain, sk)), sk, []byte("hồ sơ")) })
	}
	body := craft(t, literal("hồ sơ"), sk)
	t.Run("short outer length", func(t *testing.T) {
		refused(t, append([]byte{0xD2, byte(len(body))}, body...), sk, []byte("hồ sơ"))
	})
}

// Segments are for packets that are too long for one length, of one size, and
// none is empty.
func TestCraftedSegments(t *testing.T) {
	sk := signing.NewSessionKey()
	const seg = 1 << 16
	// cut frames a body with partial segments and a last one.
	cut := func(tag byte, body []byte, partials int) []byte {
		out := []byte{tag}
		for range partials {
			out = append(append(out, 0xE0|16), body[:seg]...)
			body = body[seg:]
		}
		out = append(out, 0xFF)
		return append(binary.BigEndian.AppendUint32(out, uint32(len(body))), body...)
	}
	// A body of five segments exactly: four partial ones and a last one.
	plain := random(5*seg - 36 - (1 + 4 + 5 + 6) - 3*16)
	head := []byte{'b', 0, 0, 0, 0, 0}
	body := craft(t, cut(0xCB, append(head, plain...), 4), sk)
	if len(body) != 5*seg {
		t.Fatalf("body of %d octets", len(body))
	}
	for partials, good := range []bool{4: true, 5: false} {
		sealed := cut(0xD2, body, partials)
		got, err := io.ReadAll(small.OpenStream(bytes.NewReader(sealed), sk))
		if good != (err == nil && bytes.Equal(got, plain)) {
			t.Errorf("%d partial segments: %d octets, %v", partials, len(got), err)
		}
		o, err := small.Open(source(sealed), int64(len(sealed)), sk)
		if err == nil {
			_, err = io.ReadAll(o.Section(0, o.Size()))
		}
		if good != (err == nil) {
			t.Errorf("%d partial segments: %v", partials, err)
		}
	}
	// Below the limit there are none.
	plain = random(2 * seg)
	sealed := cut(0xD2, craft(t, literal(string(plain)), sk), 1)
	if _, err := io.ReadAll(small.OpenStream(bytes.NewReader(sealed), sk)); err == nil {
		t.Error("a short packet in segments is opened")
	}
}
