// Package signing signs what the archive vouches for and seals what it keeps.
//
// Everything it writes is OpenPGP (RFC 9580; RFC 9980 for the post-quantum
// algorithms), so that it can be verified and opened without this program:
//
//   - A signature is one armored, detached, version 6 binary signature.
//   - A sealed object is one encrypted data packet (SEIPD version 2, AES-256-GCM,
//     chunks of 256 KiB) with one literal packet inside. It names no key.
//   - Key packets are the session key of a sealed object, encrypted to each
//     recipient (PKESK version 6). They are kept elsewhere than the object they
//     open. Key packets followed by the sealed object are an ordinary OpenPGP
//     message; without them the object is noise.
//
// A sealed object is written with lengths that are known beforehand and in one
// way only, so its size follows from the size of its content, and any part of
// the content can be read with one ranged read. Readers accept no other layout.
//
// The package holds no policy: it does not know who may sign, for whom an
// object is sealed, or what the time is.
package signing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

var (
	// ErrSignature says that a signature was not made over this message by this
	// certificate, or not in a way this package accepts. The message must not
	// be believed.
	ErrSignature = errors.New("signature does not verify")

	// ErrSealed says that sealed bytes were altered or cut, or that the session
	// key is not theirs. Nothing read so far may be taken for the whole.
	ErrSealed = errors.New("sealed bytes are altered, cut or of another key")

	// ErrNoKey says that the key at hand opens none of the key packets, or that
	// its passphrase is wrong or missing. Another key may do.
	ErrNoKey = errors.New("no key opens this")
)

// Profile names a set of algorithms. All recipients of one object have the same.
type Profile string

const (
	// Hybrid withstands quantum computers and, should the new algorithms fail,
	// is as strong as Classic: ML-DSA-65 with Ed25519, ML-KEM-768 with X25519.
	Hybrid Profile = "hybrid"

	// Classic is what all tools for RFC 9580 read today: Ed25519 and X25519.
	Classic Profile = "classic"
)

// SessionKey is the AES-256 key from which the keys of one sealed object are
// derived. Whoever holds it can read the object, so it does not let itself be
// printed or marshaled.
type SessionKey [32]byte

// NewSessionKey returns a fresh random key. Every object gets its own.
func NewSessionKey() SessionKey {
	var sk SessionKey
	rand.Read(sk[:]) // never fails
	return sk
}

// Format prints the words "session key", whatever the verb.
func (sk SessionKey) Format(s fmt.State, _ rune) {
	io.WriteString(s, "session key")
}

// MarshalText always fails, so that no log or JSON file comes to hold a key.
func (sk SessionKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a session key is not for writing down")
}
