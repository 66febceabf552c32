package signing_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/luutru/luutru/signing"
)

// FuzzOpen: altered octets open to the same content or to none, whichever way
// they are read, and cost no more memory than they have octets.
func FuzzOpen(f *testing.F) {
	sk := goldenSessionKey(f)
	var plains [][]byte
	for _, size := range []int{0, 1, 40, 300} {
		plains = append(plains, random(size))
		f.Add(seal(f, random(size), sk, 1))
	}
	large := golden(f, "data.pgp")
	plains = append(plains, goldenPlain())
	f.Add(large)
	f.Add(large[:42])
	f.Fuzz(func(t *testing.T, sealed []byte) {
		check := func(how string, got []byte, err error) {
			if err != nil {
				return
			}
			for _, plain := range plains {
				if bytes.Equal(got, plain) {
					return
				}
			}
			t.Errorf("%s: opened to %d octets of something else", how, len(got))
		}
		got, err := io.ReadAll(signing.OpenStream(bytes.NewReader(sealed), sk))
		check("stream", got, err)
		streamed := err == nil
		o, err := signing.Open(source(sealed), int64(len(sealed)), sk)
		if err != nil {
			if streamed {
				t.Errorf("a stream, but not opened: %v", err)
			}
			return
		}
		if o.Size() > int64(len(sealed)) {
			t.Fatalf("%d octets hold %d", len(sealed), o.Size())
		}
		got, err = io.ReadAll(o.Section(0, o.Size()))
		check("section", got, err)
		// Of an empty content there is no chunk to read: the final tag says it all.
		if (err == nil) != streamed && o.Size() > 0 {
			t.Errorf("stream: %v, section: %v", streamed, err)
		}
		got, err = io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		check("ReadAt", got, err)
	})
}

// goldenKeys parses the private keys of testdata, of each profile.
func goldenKeys(tb testing.TB) []*signing.Key {
	var keys []*signing.Key
	for _, p := range profiles() {
		keys = append(keys, must(signing.ParseKey(golden(tb, string(p)+"-key.asc"), nil))(tb))
	}
	return keys
}

// FuzzKeyPackets: altered key packets give the same session key or none.
func FuzzKeyPackets(f *testing.F) {
	sk, keys := goldenSessionKey(f), goldenKeys(f)
	for _, p := range profiles() {
		f.Add(golden(f, string(p)+"-keys.pgp"))
	}
	f.Fuzz(func(t *testing.T, packets []byte) {
		for _, k := range keys {
			if got, err := k.UnwrapKey(packets); err == nil && got != sk || err != nil && got != (signing.SessionKey{}) {
				t.Errorf("another session key, %v", err)
			}
			if got, err := k.Decrypt(packets); err == nil {
				t.Errorf("key packets alone hold %d octets", len(got))
			}
		}
	})
}

// FuzzVerify: no altered message verifies, whatever the signature.
func FuzzVerify(f *testing.F) {
	var certs []*signing.Certificate
	for _, p := range profiles() {
		certs = append(certs, must(signing.ParseCertificate(golden(f, string(p)+"-certificate.asc")))(f))
		sig := golden(f, string(p)+"-signature.asc")
		f.Add(goldenMessage(), sig, false)
		f.Add(goldenMessage(), dearmor(f, sig), true)
	}
	f.Fuzz(func(t *testing.T, message, sig []byte, armored bool) {
		if armored {
			sig = enarmor(t, sig, "PGP SIGNATURE")
		}
		for _, c := range certs {
			if err := c.Verify(message, sig); err == nil && !bytes.Equal(message, goldenMessage()) {
				t.Errorf("%q verifies", message)
			}
		}
	})
}

// FuzzParseKey: what parses as a key or certificate is written and read again
// as the same one.
func FuzzParseKey(f *testing.F) {
	for _, p := range profiles() {
		for _, name := range []string{"-key.asc", "-key-locked.asc", "-certificate.asc"} {
			text := golden(f, string(p)+name)
			f.Add(text, false)
			f.Add(dearmor(f, text), true)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, packets bool) {
		private, public := text, text
		if packets {
			private, public = enarmor(t, text, "PGP PRIVATE KEY BLOCK"), enarmor(t, text, "PGP PUBLIC KEY BLOCK")
		}
		if k, err := signing.ParseKey(private, nil); err == nil {
			again, err := signing.ParseKey(must(k.Armor(nil))(t), nil)
			if err != nil || again.Fingerprint() != k.Fingerprint() {
				t.Errorf("key: %v", err)
			}
			k.Sign(nil, now)
		}
		if c, err := signing.ParseCertificate(public); err == nil {
			again, err := signing.ParseCertificate(must(c.Armor())(t))
			if err != nil || again.Fingerprint() != c.Fingerprint() {
				t.Errorf("certificate: %v", err)
			}
			c.Verify(nil, nil)
			signing.WrapKey(signing.SessionKey{}, c)
		}
	})
}
