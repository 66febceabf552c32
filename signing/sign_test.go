package signing_test

import (
	"bytes"
	"crypto"
	"errors"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/luutru/luutru/signing"
)

func TestSignature(t *testing.T) {
	message := []byte(`{"act":"sealed"}`)
	for _, p := range profiles() {
		k := generate(t, p)
		sig := must(k.Sign(message, now.Add(time.Hour)))(t)
		if !bytes.HasPrefix(sig, []byte("-----BEGIN PGP SIGNATURE-----\n\n")) || !bytes.HasSuffix(sig, []byte("\n-----END PGP SIGNATURE-----\n")) {
			t.Errorf("%s: %s", p, sig)
		}
		cert := k.Certificate()
		if err := cert.Verify(message, sig); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if err := cert.Verify(message, bytes.ReplaceAll(sig, []byte("\n"), []byte("\r\n"))); err != nil {
			t.Errorf("%s, other line ends: %v", p, err)
		}
		packets := dearmor(t, sig)
		refuse := func(name string, message, sig []byte) {
			t.Helper()
			if err := cert.Verify(message, sig); !errors.Is(err, signing.ErrSignature) {
				t.Errorf("%s, %s: %v", p, name, err)
			}
		}
		armor := func(packets []byte) []byte { return enarmor(t, packets, "PGP SIGNATURE") }
		refuse("message", append(bytes.Clone(message), '\n'), sig)
		refuse("no message", nil, sig)
		refuse("no signature", message, nil)
		refuse("not armored", message, packets)
		refuse("other block", message, enarmor(t, packets, "PGP MESSAGE"))
		refuse("no packet", message, armor(nil))
		refuse("cut", message, armor(packets[:len(packets)-1]))
		refuse("octet more", message, armor(append(bytes.Clone(packets), 0)))
		refuse("octet more inside", message, armor(longer(packets)))
		refuse("two signatures", message, armor(append(bytes.Clone(packets), packets...)))
		refuse("two blocks", message, append(bytes.Clone(sig), sig...))
		refuse("text before", message, append([]byte("x"), sig...))
		refuse("other key's", message, must(generate(t, p).Sign(message, now))(t))
		refuse("a certificate", message, armor(dearmor(t, must(cert.Armor())(t))))
		for i := range packets {
			if i > 150 && i%97 != 0 { // the numbers themselves: a sample will do
				continue
			}
			b := bytes.Clone(packets)
			b[i] ^= 1
			if err := cert.Verify(message, armor(b)); err == nil {
				t.Errorf("%s: octet %d does not matter", p, i)
			}
		}
	}
}

// longer adds an octet to the body of a packet whose length takes one or two octets.
func longer(p []byte) []byte {
	p = append(bytes.Clone(p), 0)
	if p[1] < 191 {
		p[1]++
	} else {
		p[2]++
	}
	return p
}

func TestSignatureWire(t *testing.T) {
	for p, want := range map[signing.Profile][]byte{
		signing.Hybrid:  {6, 0, 30, 10}, // version, binary document, algorithm, SHA-512
		signing.Classic: {6, 0, 27, 10},
	} {
		b := dearmor(t, must(generate(t, p).Sign([]byte("x"), now))(t))
		op := must(packet.NewOpaqueReader(bytes.NewReader(b)).Next())(t)
		if b[0] != 0xC2 || !bytes.Equal(op.Contents[:4], want) {
			t.Errorf("%s: %x %x", p, b[0], op.Contents[:4])
		}
	}
}

// What a signature says of itself decides whether it is believed at all.
func TestUnacceptable(t *testing.T) {
	message := []byte("biên bản")
	e := entity(t, nil)
	cert := certificate(t, e)
	lifetime := uint32(3600)
	for name, c := range map[string]struct {
		sign func(sig *packet.Signature)
		good bool
	}{
		"good":              {func(*packet.Signature) {}, true},
		"SHA-256":           {func(s *packet.Signature) { s.Hash = crypto.SHA256 }, true},
		"SHA3-512":          {func(s *packet.Signature) { s.Hash = crypto.SHA3_512 }, true},
		"SHA-224":           {func(s *packet.Signature) { s.Hash = crypto.SHA224 }, false},
		"text":              {func(s *packet.Signature) { s.SigType = packet.SigTypeText }, false},
		"of a key":          {func(s *packet.Signature) { s.SigType = packet.SigTypeDirectSignature }, false},
		"with an end":       {func(s *packet.Signature) { s.SigLifetimeSecs = &lifetime }, false},
		"critical notation": {func(s *packet.Signature) { s.Notations = []*packet.Notation{{Name: "a@b", IsCritical: true}} }, false},
		"other notation":    {func(s *packet.Signature) { s.Notations = []*packet.Notation{{Name: "a@b"}} }, true},
		"older than its key": {func(s *packet.Signature) {
			s.CreationTime = now.Add(-time.Second)
		}, false},
	} {
		sig := &packet.Signature{Version: 6, SigType: packet.SigTypeBinary, PubKeyAlgo: packet.PubKeyAlgoEd25519,
			Hash: crypto.SHA512, CreationTime: now}
		c.sign(sig)
		h, err := sig.PrepareSign(nil)
		if err != nil {
			continue // no signature of this kind can be made
		}
		h.Write(message)
		if err := sig.Sign(h, e.PrivateKey, nil); err != nil {
			t.Fatal(name, err)
		}
		var b bytes.Buffer
		if err := sig.Serialize(&b); err != nil {
			t.Fatal(name, err)
		}
		err = cert.Verify(message, enarmor(t, b.Bytes(), "PGP SIGNATURE"))
		if c.good && err != nil || !c.good && !errors.Is(err, signing.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// detach signs with go-crypto, as another tool would.
func detach(tb testing.TB, e *openpgp.Entity, message []byte, at time.Time) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, []*openpgp.Entity{e}, bytes.NewReader(message), &openpgp.SignParams{Config: foreign(at)}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// A signature is judged by the day on which it was made. No other day is known
// to Verify, so what verifies once verifies for ever.
func TestExpiredCertificate(t *testing.T) {
	message := []byte("biên nhận")
	const year = 365 * 24 * time.Hour
	e := entity(t, func(c *packet.Config) { c.KeyLifetimeSecs = uint32(year / time.Second) })
	cert := certificate(t, e)
	if err := cert.Verify(message, detach(t, e, message, now.Add(year/2))); err != nil {
		t.Errorf("signed while valid: %v", err)
	}
	k := must(signing.ParseKey(private(t, e), nil))(t)
	if err := cert.Verify(message, must(k.Sign(message, now.Add(year-time.Second)))(t)); err != nil {
		t.Errorf("signed in the last second: %v", err)
	}
	for name, at := range map[string]time.Time{"before": now.Add(-time.Second), "after": now.Add(year)} {
		if _, err := k.Sign(message, at); err == nil {
			t.Errorf("signed %s the key was valid", name)
		}
	}
	// A thief with a wrong clock: the octets are right, the day is not.
	late := &packet.Signature{Version: 6, SigType: packet.SigTypeBinary, PubKeyAlgo: packet.PubKeyAlgoEd25519, Hash: crypto.SHA512, CreationTime: now.Add(year)}
	h := must(late.PrepareSign(nil))(t)
	h.Write(message)
	late.Sign(h, e.PrivateKey, nil)
	var b bytes.Buffer
	late.Serialize(&b)
	if err := cert.Verify(message, enarmor(t, b.Bytes(), "PGP SIGNATURE")); !errors.Is(err, signing.ErrSignature) {
		t.Errorf("signed after the end: %v", err)
	}
	// An expired certificate can still be wrapped to and unwrapped with.
	sk := signing.NewSessionKey()
	if got := must(k.UnwrapKey(must(signing.WrapKey(sk, cert))(t)))(t); got != sk {
		t.Error("another session key")
	}
}

func private(tb testing.TB, e *openpgp.Entity) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
		tb.Fatal(err)
	}
	return enarmor(tb, b.Bytes(), "PGP PRIVATE KEY BLOCK")
}

func TestRevokedCertificate(t *testing.T) {
	message := []byte("quyết định")
	for _, c := range []struct {
		why           packet.ReasonForRevocation
		before, after bool
	}{
		{packet.KeySuperseded, true, false}, {packet.KeyRetired, true, false},
		{packet.KeyCompromised, false, false}, {packet.NoReason, false, false},
	} {
		e := entity(t, nil)
		before, after := detach(t, e, message, now.Add(time.Hour)), detach(t, e, message, now.Add(3*time.Hour))
		if err := e.Revoke(c.why, "", foreign(now.Add(2*time.Hour))); err != nil {
			t.Fatal(err)
		}
		cert := certificate(t, e)
		if err := cert.Verify(message, before); (err == nil) != c.before {
			t.Errorf("reason %d, signed before: %v", c.why, err)
		}
		if err := cert.Verify(message, after); (err == nil) != c.after {
			t.Errorf("reason %d, signed after: %v", c.why, err)
		}
		if _, err := signing.WrapKey(signing.NewSessionKey(), cert); err == nil {
			t.Errorf("reason %d: wrapped to a revoked certificate", c.why)
		}
	}
	// A revocation by somebody else counts for nothing.
	e, other := entity(t, nil), entity(t, nil)
	if err := other.Revoke(packet.KeyCompromised, "", foreign(now)); err != nil {
		t.Fatal(err)
	}
	signed := detach(t, e, message, now)
	e.Revocations = other.Revocations
	cert := certificate(t, e)
	if err := cert.Verify(message, signed); err != nil {
		t.Errorf("revoked by another key: %v", err)
	}
	must(signing.WrapKey(signing.NewSessionKey(), cert))(t)
}

// Other tools sign with a subkey.
func TestSigningSubkey(t *testing.T) {
	message := []byte("quyết định")
	e := entity(t, nil)
	if err := e.AddSigningSubkey(foreign(now.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, e)
	if err := cert.Verify(message, detach(t, e, message, now.Add(time.Hour))); err != nil {
		t.Error(err)
	}
	k := must(signing.ParseKey(private(t, e), nil))(t)
	if err := cert.Verify(message, must(k.Sign(message, now.Add(time.Hour)))(t)); err != nil {
		t.Error(err)
	}
	signed := detach(t, e, message, now.Add(time.Hour))
	if err := e.Subkeys[1].Revoke(packet.KeyCompromised, "", foreign(now.Add(2*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if err := certificate(t, e).Verify(message, signed); !errors.Is(err, signing.ErrSignature) {
		t.Errorf("subkey revoked: %v", err)
	}
	// A subkey does not outlive its primary key.
	brief := entity(t, func(c *packet.Config) { c.KeyLifetimeSecs = 7200 })
	if err := brief.AddSigningSubkey(foreign(now.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	k = must(signing.ParseKey(private(t, brief), nil))(t)
	must(k.Sign(message, now.Add(time.Hour)))(t)
	if _, err := k.Sign(message, now.Add(3*time.Hour)); err == nil {
		t.Error("the subkey signs after the end of its primary key")
	}
	// A subkey that the primary key has not bound is nobody's.
	mine, thief := entity(t, nil), entity(t, nil)
	if err := thief.AddSigningSubkey(foreign(now)); err != nil {
		t.Fatal(err)
	}
	signed = detach(t, thief, message, now.Add(time.Hour))
	mine.Subkeys = append(mine.Subkeys, thief.Subkeys[1])
	if err := certificate(t, mine).Verify(message, signed); !errors.Is(err, signing.ErrSignature) {
		t.Errorf("subkey of another key: %v", err)
	}
}
