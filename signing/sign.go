package signing

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Sign signs the message, as made at now, and returns an armored detached
// signature. It fails if the key is not valid at now.
func (k *Key) Sign(message []byte, now time.Time) ([]byte, error) {
	signer := k.signerAt(now)
	if signer == nil {
		return nil, fmt.Errorf("key %s: cannot sign at %s", k.Fingerprint(), now.UTC().Format(time.RFC3339))
	}
	sig := &packet.Signature{
		Version:           6,
		SigType:           packet.SigTypeBinary,
		PubKeyAlgo:        signer.PubKeyAlgo,
		Hash:              crypto.SHA512,
		CreationTime:      now.Truncate(time.Second),
		IssuerKeyId:       &signer.KeyId,
		IssuerFingerprint: signer.Fingerprint,
	}
	h, err := sig.PrepareSign(nil)
	if err != nil {
		return nil, fmt.Errorf("signature: %v", err)
	}
	h.Write(message)
	if err := sig.Sign(h, signer, nil); err != nil {
		return nil, fmt.Errorf("signature: %v", err)
	}
	// go-crypto drops the errors of its algorithms and leaves the value empty.
	if len(sig.EdSig) == 0 || k.cert.profile == Hybrid && len(sig.MldsaSig) == 0 {
		return nil, errors.New("signature: the algorithm failed")
	}
	var b bytes.Buffer
	if err := sig.Serialize(&b); err != nil {
		return nil, fmt.Errorf("signature: %v", err)
	}
	return enarmor(b.Bytes(), openpgp.SignatureType)
}

// signerAt is the newest private key that can sign at t.
func (k *Key) signerAt(t time.Time) *packet.PrivateKey {
	for i := len(k.cert.verify) - 1; i >= 0; i-- {
		v := k.cert.verify[i]
		for _, s := range k.sign {
			if v.validAt(t.Truncate(time.Second)) && bytes.Equal(s.Fingerprint, v.key.Fingerprint) {
				return s
			}
		}
	}
	return nil
}

// Verify checks that the armored detached signature was made over the message
// by this certificate, while the certificate was valid. That it has expired
// since changes nothing; what the archive kept stays verifiable. Every failure
// is ErrSignature.
func (c *Certificate) Verify(message, signature []byte) error {
	sig, err := readSignature(signature)
	if err != nil {
		return err
	}
	for _, v := range c.verify {
		if bytes.Equal(v.key.Fingerprint, sig.IssuerFingerprint) {
			return v.check(message, sig)
		}
	}
	return fmt.Errorf("signed by %s: %w", hex.EncodeToString(sig.IssuerFingerprint), ErrSignature)
}

// readSignature reads one signature packet and nothing else.
func readSignature(armored []byte) (*packet.Signature, error) {
	b, err := dearmor(armored, openpgp.SignatureType)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrSignature)
	}
	// What the packet's length says, what is there, and what the parser takes of
	// it must be the same: go-crypto's parser alone does not mind.
	if _, err := packet.NewOpaqueReader(bytes.NewReader(b)).Next(); err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrSignature)
	}
	parsed := bytes.NewReader(b)
	p, err := packet.Read(parsed)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrSignature)
	}
	sig, ok := p.(*packet.Signature)
	if !ok || parsed.Len() > 0 {
		return nil, fmt.Errorf("not one signature packet: %w", ErrSignature)
	}
	return sig, nil
}

func (v verifier) check(message []byte, sig *packet.Signature) error {
	if err := acceptable(sig); err != nil {
		return err
	}
	if !v.validAt(sig.CreationTime) {
		return fmt.Errorf("key %s was not valid at %s: %w", hex.EncodeToString(v.key.Fingerprint),
			sig.CreationTime.UTC().Format(time.RFC3339), ErrSignature)
	}
	h, err := sig.PrepareVerify()
	if err != nil {
		return fmt.Errorf("%v: %w", err, ErrSignature)
	}
	h.Write(message)
	if err := v.key.VerifySignature(h, sig); err != nil {
		return fmt.Errorf("key %s: %w", hex.EncodeToString(v.key.Fingerprint), ErrSignature)
	}
	return nil
}

// acceptable says what kind of signature is believed at all. One that limits its
// own life is not: a record must not lose its signature.
func acceptable(sig *packet.Signature) error {
	switch sig.Hash {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512:
	default:
		return fmt.Errorf("hash %s: %w", sig.Hash, ErrSignature)
	}
	if sig.Version != 6 || sig.SigType != packet.SigTypeBinary {
		return fmt.Errorf("version %d, type %d: %w", sig.Version, sig.SigType, ErrSignature)
	}
	if n := sig.SigLifetimeSecs; n != nil && *n != 0 {
		return fmt.Errorf("signature with an end: %w", ErrSignature)
	}
	for _, n := range sig.Notations {
		if n.IsCritical {
			return fmt.Errorf("critical notation %q: %w", n.Name, ErrSignature)
		}
	}
	return nil
}
