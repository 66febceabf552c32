package archive

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/signing"
)

// Keyring holds the keys of an archive. Whoever has all of it and the buckets
// has the archive.
type Keyring struct {
	Profile     signing.Profile
	Archive     *signing.Key         // signs acts and packages, opens key packets
	Recovery    *signing.Certificate // its private key lies offline
	Audit       *signing.Certificate // opens what is personal in the ledger; private key with the auditors
	ID          [32]byte             // names dossiers; never changes
	Origin      string               // of the ledger
	LogSigner   string               // note signer key of the ledger
	LogVerifier string               // note verifier key of the ledger
}

// Offline holds the private keys that a running archive does not need.
type Offline struct{ Recovery, Audit *signing.Key }

// GenerateKeyring makes the keys of a new archive.
func GenerateKeyring(p signing.Profile, name string, now time.Time) (*Keyring, *Offline, error) {
	k, o := &Keyring{Profile: p, Origin: name + "/ledger"}, &Offline{}
	var err error
	if k.Archive, err = signing.Generate(p, name+" archive", now); err != nil {
		return nil, nil, err
	}
	if o.Recovery, err = signing.Generate(p, name+" recovery", now); err != nil {
		return nil, nil, err
	}
	if o.Audit, err = signing.Generate(p, name+" audit", now); err != nil {
		return nil, nil, err
	}
	k.Recovery, k.Audit = o.Recovery.Certificate(), o.Audit.Certificate()
	rand.Read(k.ID[:])
	k.LogSigner, k.LogVerifier, err = audit.GenerateKey(k.Origin)
	return k, o, err
}

func (k *Keyring) recipients() []*signing.Certificate {
	return []*signing.Certificate{k.Archive.Certificate(), k.Recovery}
}

func (k *Keyring) fingerprints() []string {
	return []string{k.Archive.Fingerprint(), k.Recovery.Fingerprint()}
}

func (k *Keyring) sealForAudit(plain []byte) ([]byte, error) { return signing.Encrypt(plain, k.Audit) }

var lower = base32.StdEncoding.WithPadding(base32.NoPadding)

// keyed returns a keyed name (docs/format.md §1).
func (k *Keyring) keyed(label, value string) string {
	return strings.ToLower(lower.EncodeToString(k.mac(label, value)[:20]))
}

func (k *Keyring) mac(label, value string) []byte {
	m := hmac.New(sha256.New, k.ID[:])
	m.Write([]byte(label))
	m.Write([]byte{0})
	m.Write([]byte(value))
	return m.Sum(nil)
}

func (k *Keyring) canary(name string) string   { return k.keyed("canary", name) }
func (k *Keyring) agent(subject string) string { return k.keyed("agent", subject) }

// dossier returns the name of a dossier's objects.
func (k *Keyring) dossier(agency, code string) string {
	return k.keyed("dossier", dossier.CanonicalCode(agency, code))
}

// group returns the keyed name of a group of interconnected dossiers; "" for no
// group. Its code is read as dossier codes are, and belongs to no agency.
func (k *Keyring) group(code string) string {
	if code == "" {
		return ""
	}
	return k.keyed("group", groupCode(code))
}

// groupCode returns the one form of a group's code; "" for no group.
func groupCode(code string) string {
	return strings.TrimPrefix(dossier.CanonicalCode("", code), "/")
}

// content returns the content key of a dossier. Whoever has it, and the
// declaration, can tell that a seal is of just that declaration; nobody can
// find the declaration by it.
func (k *Keyring) content(id string) []byte { return k.mac("content", id) }

// random returns a name that nothing else has.
func random() string { return strings.ToLower(rand.Text()) }
