package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/signing"
)

// Names in the keys folder. What lies in offline/ is to be moved away.
const (
	archiveKeyFile   = "archive.asc"  // private
	archiveCertFile  = "archive.cert" // to be published
	recoveryCertFile = "recovery.cert"
	auditCertFile    = "audit.cert"
	idKeyFile        = "id.key"
	logKeyFile       = "log.key"
	logVKeyFile      = "log.vkey" // to be published
	indexKeyFile     = "index.key"
	profileFile      = "profile"
	offlineFolder    = "offline"
)

const offlineAdvice = `Hãy chuyển ngay thư mục %[1]s ra khỏi máy này: khóa phục hồi (recovery) vào két của lãnh đạo, khóa kiểm toán (audit) cho
người kiểm toán. Máy chủ không cần hai khóa đó. Cất thêm một bản id.key cùng khóa phục hồi: mất nó thì không tra theo mã được.
Move the folder %[1]s off this machine now: the recovery key into a safe, the audit key to the auditors. The server needs
neither. Keep a copy of id.key with the recovery key: without it no dossier is found by its code.`

func newKeysCommand(r *root) *cobra.Command {
	return group("keys", "Khóa của kho lưu trữ · Keys of the archive", newKeysGenerateCommand(r), newKeysListCommand(r))
}

type keysOptions struct {
	*root
	name, profile string
}

func newKeysGenerateCommand(r *root) *cobra.Command {
	o := &keysOptions{root: r}
	cmd := &cobra.Command{
		Use: "generate --name NAME", Short: "Tạo bộ khóa mới · Make new keys", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runKeysGenerate(o) },
	}
	o.flags(cmd)
	return cmd
}

func (o *keysOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "name", "", "tên kho lưu trữ, ví dụ luutru.tinh.gov.vn\nname of the archive, such as luutru.tinh.gov.vn")
	cmd.Flags().StringVar(&o.profile, "profile", string(signing.Hybrid), "hybrid: chống máy tính lượng tử; classic: mọi công cụ RFC 9580 đọc được\nhybrid: withstands quantum computers; classic: readable by every RFC 9580 tool")
}

func runKeysGenerate(o *keysOptions) error {
	c, err := o.loadConfig()
	if err != nil {
		return err
	}
	if c.Keys == "" {
		return usagef(`cấu hình thiếu "keys" · the configuration lacks "keys"`)
	}
	k, err := generateKeys(c, o.profile, o.name, o.now())
	if err != nil {
		return err
	}
	o.say(offlineAdvice, filepath.Join(c.Keys, offlineFolder))
	return printKeys(o.root, k)
}

// generateKeys makes the keys of a new archive and writes them.
func generateKeys(c *Config, profile, name string, now time.Time) (*archive.Keyring, error) {
	if name == "" || strings.ContainsAny(name, " +()<>\n") {
		return nil, usagef("cần --name, không có dấu cách và + ( ) < > · --name is needed, without spaces and + ( ) < >")
	}
	p := signing.Profile(profile)
	if p != signing.Hybrid && p != signing.Classic {
		return nil, usagef("profile %q: hybrid | classic", profile)
	}
	if _, err := os.Stat(filepath.Join(c.Keys, archiveKeyFile)); err == nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(c.Keys, archiveKeyFile), fs.ErrExist)
	}
	phrase, err := passphrase(c)
	if err != nil {
		return nil, err
	}
	k, off, err := archive.GenerateKeyring(p, name, now)
	if err != nil {
		return nil, err
	}
	return k, saveKeys(c.Keys, k, off, phrase)
}

// passphrase reads the passphrase of the archive key; nil means that it has
// none.
func passphrase(c *Config) ([]byte, error) {
	if c.PassphraseFile == "" {
		return nil, nil
	}
	s, err := secret(c.PassphraseFile)
	if err == nil && s == "" {
		err = fmt.Errorf("%s is empty", c.PassphraseFile)
	}
	return []byte(s), err
}

// saveKeys writes the keys, the archive key last: without it there is no
// keyring.
func saveKeys(dir string, k *archive.Keyring, off *archive.Offline, phrase []byte) error {
	if err := os.MkdirAll(filepath.Join(dir, offlineFolder), 0o700); err != nil {
		return err
	}
	indexKey := make([]byte, index.KeySize)
	rand.Read(indexKey)
	for _, f := range []struct {
		name string
		data func() ([]byte, error)
		mode fs.FileMode
	}{
		{profileFile, text(string(k.Profile)), 0o644},
		{filepath.Join(offlineFolder, "recovery.asc"), func() ([]byte, error) { return off.Recovery.Armor(nil) }, 0o600},
		{filepath.Join(offlineFolder, "audit.asc"), func() ([]byte, error) { return off.Audit.Armor(nil) }, 0o600},
		{recoveryCertFile, k.Recovery.Armor, 0o644},
		{auditCertFile, k.Audit.Armor, 0o644},
		{archiveCertFile, k.Archive.Certificate().Armor, 0o644},
		{idKeyFile, text(hex.EncodeToString(k.ID[:])), 0o600},
		{indexKeyFile, text(hex.EncodeToString(indexKey)), 0o600},
		{logKeyFile, text(k.LogSigner), 0o600},
		{logVKeyFile, text(k.LogVerifier), 0o644},
		{archiveKeyFile, func() ([]byte, error) { return k.Archive.Armor(phrase) }, 0o600},
	} {
		b, err := f.data()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := writeFile(filepath.Join(dir, f.name), b, f.mode); err != nil {
			return err
		}
	}
	return nil
}

func text(line string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(line + "\n"), nil }
}

// loadKeys reads what a server needs of the keys.
func loadKeys(c *Config) (*archive.Keyring, error) {
	phrase, err := passphrase(c)
	if err != nil {
		return nil, err
	}
	k := &archive.Keyring{}
	read := func(name string, use func([]byte) error) {
		if err != nil {
			return
		}
		var b []byte
		if b, err = os.ReadFile(filepath.Join(c.Keys, name)); err == nil {
			err = use(b)
		}
		if err != nil {
			err = fmt.Errorf("keys: %s: %w", name, err)
		}
	}
	line := func(to *string) func([]byte) error {
		return func(b []byte) error { *to = strings.TrimSpace(string(b)); return nil }
	}
	certificate := func(to **signing.Certificate) func([]byte) error {
		return func(b []byte) (err error) { *to, err = signing.ParseCertificate(b); return err }
	}
	read(archiveKeyFile, func(b []byte) (err error) { k.Archive, err = signing.ParseKey(b, phrase); return err })
	read(recoveryCertFile, certificate(&k.Recovery))
	read(auditCertFile, certificate(&k.Audit))
	read(idKeyFile, func(b []byte) error { return unhex(k.ID[:], b) })
	read(logKeyFile, line(&k.LogSigner))
	read(logVKeyFile, line(&k.LogVerifier))
	read(profileFile, func(b []byte) error { k.Profile = signing.Profile(strings.TrimSpace(string(b))); return nil })
	k.Origin, _, _ = strings.Cut(k.LogVerifier, "+")
	return k, err
}

// unhex reads hexadecimal that must fill to.
func unhex(to, b []byte) error {
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(raw) != len(to) {
		return errors.New("not a key in hexadecimal")
	}
	copy(to, raw)
	return nil
}

func newKeysListCommand(r *root) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Liệt kê khóa và vân tay · List keys and fingerprints", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := r.loadConfig()
			if err != nil {
				return err
			}
			k, err := loadKeys(c)
			if err != nil {
				return err
			}
			return printKeys(r, k)
		},
	}
}

func printKeys(r *root, k *archive.Keyring) error {
	out := map[string]string{
		"profile": string(k.Profile), "archive": k.Archive.Fingerprint(), "recovery": k.Recovery.Fingerprint(), "audit": k.Audit.Fingerprint(), "log": k.LogVerifier,
	}
	return r.print(out, func(w io.Writer) {
		fmt.Fprintf(w, "bộ thuật toán · profile     %s\n", out["profile"])
		fmt.Fprintf(w, "kho lưu trữ · archive       %s\n", out["archive"])
		fmt.Fprintf(w, "phục hồi · recovery         %s\n", out["recovery"])
		fmt.Fprintf(w, "kiểm toán · audit           %s\n", out["audit"])
		fmt.Fprintf(w, "sổ cái · log                %s\n", out["log"])
	})
}
