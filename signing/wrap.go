package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const tagKey = 0xC1 // packet type 1, public-key encrypted session key

// WrapKey encrypts the session key to each certificate and returns the key
// packets, in that order. The certificates must be of one profile, for the
// weakest of them decides how well the object is protected. Whether a
// certificate has expired is not asked.
//
// To give an object to other recipients, wrap its session key anew; key packets
// are never edited.
func WrapKey(sk SessionKey, to ...*Certificate) ([]byte, error) {
	if len(to) == 0 {
		return nil, errors.New("key packets: no recipient")
	}
	var b bytes.Buffer
	for _, c := range to {
		if c.profile != to[0].profile {
			return nil, fmt.Errorf("recipient %s: %s among %s", c.fingerprint, c.profile, to[0].profile)
		}
		if c.wrap == nil {
			return nil, fmt.Errorf("recipient %s: certificate has no key to encrypt to", c.fingerprint)
		}
		// With version 6 packets the cipher stands in the data, not here.
		if err := packet.SerializeEncryptedKeyAEAD(&b, c.wrap, packet.CipherAES256, true, sk[:], nil); err != nil {
			return nil, fmt.Errorf("recipient %s: %v", c.fingerprint, err)
		}
	}
	return b.Bytes(), nil
}

// UnwrapKey returns the session key from key packets, if one of them is for this
// key: ErrNoKey otherwise. Packets for others are not looked into.
func (k *Key) UnwrapKey(packets []byte) (SessionKey, error) {
	n, sk, err := k.unwrapPackets(packets)
	if err == nil && n < len(packets) {
		return SessionKey{}, fmt.Errorf("octet %d is not a key packet: %w", n, ErrNoKey)
	}
	return sk, err
}

// unwrapPackets reads key packets up to the first octet that begins none.
func (k *Key) unwrapPackets(message []byte) (n int, sk SessionKey, err error) {
	found := false
	for n < len(message) && message[n] == tagKey {
		size, err := packetSize(message[n:])
		if err != nil {
			return 0, SessionKey{}, err
		}
		if !found {
			sk, found = k.unwrapPacket(message[n : n+size])
		}
		n += size
	}
	if !found {
		return 0, SessionKey{}, fmt.Errorf("key %s: %w", k.Fingerprint(), ErrNoKey)
	}
	return n, sk, nil
}

// packetSize is the size of the key packet that p begins with.
func packetSize(p []byte) (int, error) {
	var head, body int
	switch {
	case len(p) >= 2 && p[1] < 192:
		head, body = 2, int(p[1])
	case len(p) >= 3 && p[1] < 224:
		head, body = 3, int(p[1]-192)<<8+int(p[2])+192
	default:
		// No key packet is so long that it needs more than two octets.
		return 0, fmt.Errorf("key packet: bad length: %w", ErrNoKey)
	}
	if len(p) < head+body {
		return 0, fmt.Errorf("key packet: cut: %w", ErrNoKey)
	}
	return head + body, nil
}

func (k *Key) unwrapPacket(raw []byte) (SessionKey, bool) {
	p, err := packet.Read(bytes.NewReader(raw))
	if err != nil {
		return SessionKey{}, false
	}
	ek, ok := p.(*packet.EncryptedKey)
	if !ok || ek.Version != 6 {
		return SessionKey{}, false
	}
	for _, s := range k.unwrap {
		if !bytes.Equal(ek.KeyFingerprint, s.Fingerprint) || ek.Algo != s.PubKeyAlgo {
			continue
		}
		var sk SessionKey
		if ek.Decrypt(s, nil) == nil && len(ek.Key) == len(sk) {
			copy(sk[:], ek.Key)
			clear(ek.Key)
			return sk, true
		}
	}
	return SessionKey{}, false
}

// Encrypt makes one OpenPGP message of key packets and sealed object. It is for
// small things that are in memory; see Sealer for others.
func Encrypt(plain []byte, to ...*Certificate) ([]byte, error) {
	sk := NewSessionKey()
	defer clear(sk[:])
	packets, err := WrapKey(sk, to...)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, int64(len(packets))+SealedSize(int64(len(plain)))))
	b.Write(packets)
	s, err := NewSealer(b, int64(len(plain)), sk, 1)
	if err != nil {
		return nil, err
	}
	if _, err := s.Write(plain); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Decrypt opens a message that Encrypt made, or key packets followed by their
// sealed object. The error is ErrNoKey or ErrSealed.
func (k *Key) Decrypt(message []byte) ([]byte, error) {
	n, sk, err := k.unwrapPackets(message)
	if err != nil {
		return nil, err
	}
	defer clear(sk[:])
	sealed := message[n:]
	lay, err := standard().layoutOf(int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	plain := make([]byte, lay.size)
	r := OpenStream(bytes.NewReader(sealed), sk)
	if _, err := io.ReadFull(r, plain); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, fmt.Errorf("message: %w", errors.Join(err, ErrSealed))
	}
	return plain, nil
}
