package signing

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/go-crypto/openpgp/s2k"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Key is a private key: it signs, and unwraps session keys. It may be used by
// several goroutines at once.
type Key struct {
	cert   *Certificate
	entity *openpgp.Entity
	sign   []*packet.PrivateKey
	unwrap []*packet.PrivateKey
}

// Certificate is the public half of a Key. Whoever holds one has decided to
// trust it: there is no further chain of trust. It may be used by several
// goroutines at once.
type Certificate struct {
	packets     []byte // as they were read
	fingerprint string
	profile     Profile
	verify      []verifier
	wrap        *packet.PublicKey // nil if the certificate can only verify
}

// verifier is a public key with the time in which it could sign.
type verifier struct {
	key         *packet.PublicKey
	from, until time.Time // until is zero where there is no end
}

// algorithms are those of a profile.
type algorithms struct{ sign, wrap packet.PublicKeyAlgorithm }

func (p Profile) algorithms() (algorithms, error) {
	switch p {
	case Hybrid:
		return algorithms{packet.PubKeyAlgoMldsa65Ed25519, packet.PubKeyAlgoMlkem768X25519}, nil
	case Classic:
		return algorithms{packet.PubKeyAlgoEd25519, packet.PubKeyAlgoX25519}, nil
	}
	return algorithms{}, fmt.Errorf("unknown profile %q", string(p))
}

// config says everything that go-crypto would otherwise choose itself, because
// what it chooses is AES-128, OCB, SHA-256 and version 4. The clock has no
// default that is safe, so it is never left out.
func config(a algorithms, now time.Time) *packet.Config {
	return &packet.Config{
		V6Keys:        true,
		Algorithm:     a.sign,
		DefaultHash:   crypto.SHA512,
		DefaultCipher: packet.CipherAES256,
		AEADConfig:    &packet.AEADConfig{DefaultMode: packet.AEADModeGCM},
		S2KConfig: &s2k.Config{
			S2KMode: s2k.Argon2S2K,
			// The second recommendation of RFC 9106: 64 MiB, 3 passes, 4 lanes.
			Argon2Config: &s2k.Argon2Config{NumberOfPasses: 3, DegreeOfParallelism: 4, Memory: 64 << 10},
		},
		Time: func() time.Time { return now },
	}
}

// Generate makes a key that does not expire. The name, which stands in the
// certificate for everybody to read, must not contain "(", ")", "<" or ">".
func Generate(p Profile, name string, now time.Time) (*Key, error) {
	a, err := p.algorithms()
	if err != nil {
		return nil, err
	}
	e, err := openpgp.NewEntity(name, "", "", config(a, now))
	if err != nil {
		return nil, fmt.Errorf("key %q: %v", name, err)
	}
	return newKey(e)
}

// ParseKey reads one armored private key. The passphrase is used if the key is
// locked; ErrNoKey says that it is wrong or missing.
func ParseKey(armored, passphrase []byte) (*Key, error) {
	packets, err := dearmor(armored, openpgp.PrivateKeyType)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if err := checkStretching(packets); err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	e, err := readEntity(packets)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if e.PrivateKey == nil {
		return nil, errors.New("private key: only the public half is here")
	}
	// Without a passphrase there is nothing to stretch, which takes long.
	if passphrase == nil && locked(e) {
		return nil, fmt.Errorf("private key: locked: %w", ErrNoKey)
	}
	if err := e.DecryptPrivateKeys(passphrase); err != nil {
		return nil, fmt.Errorf("private key: %w", ErrNoKey)
	}
	return newKey(e)
}

func locked(e *openpgp.Entity) bool {
	return slices.ContainsFunc(secrets(e), func(s *packet.PrivateKey) bool { return s.Encrypted })
}

// secrets are the private keys that are really there.
func secrets(e *openpgp.Entity) []*packet.PrivateKey {
	all := []*packet.PrivateKey{e.PrivateKey}
	for _, sub := range e.Subkeys {
		all = append(all, sub.PrivateKey)
	}
	return slices.DeleteFunc(all, func(s *packet.PrivateKey) bool { return s == nil || s.Dummy() })
}

// ParseCertificate reads one armored certificate of either profile.
func ParseCertificate(armored []byte) (*Certificate, error) {
	packets, err := dearmor(armored, openpgp.PublicKeyType)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	e, err := readEntity(packets)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return newCertificate(e, packets)
}

// readEntity reads one key and nothing else. go-crypto's own reader of key rings
// skips what it cannot read, and would turn a damaged key into a missing one.
func readEntity(packets []byte) (*openpgp.Entity, error) {
	r := packet.NewReader(bytes.NewReader(packets))
	e, err := openpgp.ReadEntity(r)
	if err != nil {
		return nil, fmt.Errorf("not readable: %v", err)
	}
	if _, err := r.Next(); err != io.EOF {
		return nil, errors.New("more than one key")
	}
	return e, nil
}

func newKey(e *openpgp.Entity) (*Key, error) {
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return nil, fmt.Errorf("key: %v", err)
	}
	cert, err := newCertificate(e, public.Bytes())
	if err != nil {
		return nil, err
	}
	a, err := cert.profile.algorithms()
	if err != nil {
		return nil, err
	}
	k := &Key{cert: cert, entity: e}
	for _, s := range secrets(e) {
		switch s.PubKeyAlgo {
		case a.sign:
			k.sign = append(k.sign, s)
		case a.wrap:
			k.unwrap = append(k.unwrap, s)
		}
	}
	return k, nil
}

// newCertificate checks every signature by which the key speaks about itself,
// once and for all, so that later use neither depends on the day nor writes to
// what several goroutines share.
func newCertificate(e *openpgp.Entity, packets []byte) (*Certificate, error) {
	primary := e.PrimaryKey
	c := &Certificate{packets: packets, fingerprint: hex.EncodeToString(primary.Fingerprint)}
	switch primary.PubKeyAlgo {
	case packet.PubKeyAlgoMldsa65Ed25519:
		c.profile = Hybrid
	case packet.PubKeyAlgoEd25519:
		c.profile = Classic
	}
	a, err := c.profile.algorithms()
	if err != nil || primary.Version != 6 {
		return nil, fmt.Errorf("key %s: version %d, algorithm %d belong to no profile", c.fingerprint, primary.Version, primary.PubKeyAlgo)
	}
	always := time.Time{}
	cfg := config(a, always)
	self, err := e.PrimarySelfSignature(always, cfg)
	if err != nil {
		return nil, fmt.Errorf("key %s: %v", c.fingerprint, err)
	}
	whole := validity(primary, self)
	dead := whole.revoke(e.Revocations, primary.VerifyRevocationSignature)
	if self.FlagsValid && self.FlagSign {
		c.verify = append(c.verify, whole)
	}
	c.addSubkeys(e, whole, dead)
	if len(c.verify) == 0 && c.wrap == nil {
		return nil, fmt.Errorf("key %s: good for nothing", c.fingerprint)
	}
	return c, nil
}

// addSubkeys takes the subkeys that the primary key has bound, of the profile's
// algorithms: all that sign, and the newest that encrypts.
func (c *Certificate) addSubkeys(e *openpgp.Entity, whole verifier, dead bool) {
	a, _ := c.profile.algorithms()
	always := time.Time{}
	var newest time.Time
	for i := range e.Subkeys {
		sub := &e.Subkeys[i]
		binding, err := sub.LatestValidBindingSignature(always, config(a, always))
		if err != nil || sub.PublicKey.Version != 6 || !binding.FlagsValid {
			continue
		}
		v := validity(sub.PublicKey, binding)
		revoked := v.revoke(sub.Revocations, func(sig *packet.Signature) error {
			return e.PrimaryKey.VerifySubkeyRevocationSignature(sig, sub.PublicKey)
		})
		encrypts := binding.FlagEncryptStorage || binding.FlagEncryptCommunications
		switch {
		case sub.PublicKey.PubKeyAlgo == a.sign && binding.FlagSign:
			c.verify = append(c.verify, v.within(whole))
		case sub.PublicKey.PubKeyAlgo == a.wrap && encrypts && !dead && !revoked && !v.from.Before(newest):
			c.wrap, newest = sub.PublicKey, v.from
		}
	}
}

// validity is the time that the key's own signature gives it.
func validity(key *packet.PublicKey, self *packet.Signature) verifier {
	v := verifier{key: key, from: key.CreationTime}
	if n := self.KeyLifetimeSecs; n != nil && *n != 0 {
		v.until = key.CreationTime.Add(time.Duration(*n) * time.Second)
	}
	return v
}

// revoke ends the validity. A key that was retired or replaced ends then; a key
// revoked for any other reason, or none, may have been stolen long before.
func (v *verifier) revoke(revocations []*packet.VerifiableSignature, check func(*packet.Signature) error) (revoked bool) {
	for _, r := range revocations {
		if check(r.Packet) != nil {
			continue
		}
		end := v.from
		if why := r.Packet.RevocationReason; why != nil && (*why == packet.KeyRetired || *why == packet.KeySuperseded) {
			end = r.Packet.CreationTime
		}
		v.end(end)
		revoked = true
	}
	return revoked
}

func (v *verifier) end(t time.Time) {
	if v.until.IsZero() || t.Before(v.until) {
		v.until = t
	}
}

// within is the validity of a subkey, which ends with that of its primary key.
func (v verifier) within(primary verifier) verifier {
	if !primary.until.IsZero() {
		v.end(primary.until)
	}
	return v
}

func (v verifier) validAt(t time.Time) bool {
	return !t.Before(v.from) && (v.until.IsZero() || t.Before(v.until))
}

// Certificate returns the public half.
func (k *Key) Certificate() *Certificate { return k.cert }

// Fingerprint names the key: 64 hexadecimal digits.
func (k *Key) Fingerprint() string { return k.cert.fingerprint }

// Fingerprint names the key: 64 hexadecimal digits.
func (c *Certificate) Fingerprint() string { return c.fingerprint }

// Format prints the fingerprint, whatever the verb.
func (k *Key) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "private key %s", k.cert.fingerprint) }

// Armor writes the key as a private key block. A passphrase locks it, stretched
// with Argon2id; nil leaves it open, which suits a file that only the service
// can read.
func (k *Key) Armor(passphrase []byte) ([]byte, error) {
	if passphrase != nil && len(passphrase) == 0 {
		return nil, errors.New("private key: the passphrase is empty")
	}
	var open bytes.Buffer
	if err := k.entity.SerializePrivateWithoutSigning(&open, nil); err != nil {
		return nil, fmt.Errorf("private key: %v", err)
	}
	defer clear(open.Bytes())
	if passphrase == nil {
		return enarmor(open.Bytes(), openpgp.PrivateKeyType)
	}
	// Locking changes a key in place, so it is done to a copy.
	locked, err := readEntity(open.Bytes())
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if err := locked.EncryptPrivateKeys(passphrase, config(algorithms{}, time.Time{})); err != nil {
		return nil, fmt.Errorf("private key: %v", err)
	}
	var b bytes.Buffer
	if err := locked.SerializePrivateWithoutSigning(&b, nil); err != nil {
		return nil, fmt.Errorf("private key: %v", err)
	}
	return enarmor(b.Bytes(), openpgp.PrivateKeyType)
}

// Armor writes the certificate as a public key block.
func (c *Certificate) Armor() ([]byte, error) {
	return enarmor(c.packets, openpgp.PublicKeyType)
}

func enarmor(packets []byte, block string) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&b, block, nil, false)
	if err != nil {
		return nil, fmt.Errorf("armor: %v", err)
	}
	if _, err := w.Write(packets); err != nil {
		return nil, fmt.Errorf("armor: %v", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("armor: %v", err)
	}
	return append(b.Bytes(), '\n'), nil
}

// dearmor reads one block that stands alone. go-crypto's decoder looks for a
// block anywhere and drops what stands around it.
func dearmor(armored []byte, block string) ([]byte, error) {
	text := bytes.TrimSpace(armored)
	if !bytes.HasPrefix(text, []byte("-----BEGIN "+block+"-----")) ||
		!bytes.HasSuffix(text, []byte("-----END "+block+"-----")) ||
		bytes.Count(text, []byte("-----BEGIN ")) != 1 {
		return nil, fmt.Errorf("not one %s", block)
	}
	b, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("armor: %v", err)
	}
	packets, err := io.ReadAll(b.Body)
	if err != nil {
		return nil, fmt.Errorf("armor: %v", err)
	}
	return packets, nil
}

// maxStretching bounds what a private key file can make this program spend on
// its passphrase, as a power of two of KiB: 2 GiB in one pass, which is the first
// recommendation of RFC 9106, or less memory in more passes.
const maxStretching = 21

// checkStretching refuses a key whose Argon2 parameters would exhaust the
// machine before the passphrase can turn out to be wrong.
func checkStretching(packets []byte) error {
	r := packet.NewOpaqueReader(bytes.NewReader(packets))
	for {
		p, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not readable: %v", err)
		}
		if p.Tag != 5 && p.Tag != 7 { // private key, private subkey
			continue
		}
		passes, memory := stretching(p.Contents)
		if memory > maxStretching || passes<<memory > 1<<maxStretching {
			return errors.New("the passphrase takes too much memory to check")
		}
	}
}

// stretching finds the passes and the memory of Argon2 in a version 6 private
// key packet (RFC 9580 section 5.5.3), and zeros in any other.
func stretching(p []byte) (passes, memory uint64) {
	const lengthAt, publicAt = 6, 10
	if len(p) < publicAt || p[0] != 6 {
		return 0, 0
	}
	public := uint64(p[lengthAt])<<24 | uint64(p[lengthAt+1])<<16 | uint64(p[lengthAt+2])<<8 | uint64(p[lengthAt+3])
	if uint64(len(p)-publicAt) < public {
		return 0, 0
	}
	// Usage, count, cipher, mode, count; then 4 for Argon2, salt, passes, lanes, memory.
	secret := p[publicAt+public:]
	if len(secret) < 25 || secret[0] != 253 || secret[5] != 4 {
		return 0, 0
	}
	return uint64(secret[22]), uint64(secret[24])
}
