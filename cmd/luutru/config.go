package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/luutru/luutru/agency"
)

// Config is the configuration, one JSON file. Relative paths are relative to
// the folder of the file. Secrets are never in it, only the paths to them.
type Config struct {
	// Server is the address of the server, for the commands that ask it:
	// "https://luutru.example.vn".
	Server string `json:"server,omitempty"`
	// TokenFile holds the access token of whoever uses the commands.
	TokenFile string `json:"token_file,omitempty"`
	// CAFile holds the certificates of the authorities that the server's TLS
	// certificate may come from. Empty: those of the system.
	CAFile string `json:"ca_file,omitempty"`
	// Certificate and LogKey are the archive's certificate and the ledger's
	// verifier key, as published: what luutru verify and luutru get compare
	// with.
	Certificate string `json:"certificate,omitempty"`
	LogKey      string `json:"log_key,omitempty"`

	// Node names this server among the servers of the archive. Empty: the
	// name of the machine.
	Node string `json:"node,omitempty"`
	// Listen is where the server listens: "127.0.0.1:8440".
	Listen string `json:"listen,omitempty"`
	// TLSCertificate and TLSKey are the server's certificate and key, PEM.
	// Without them it speaks plain HTTP, which production mode allows on
	// loopback addresses only.
	TLSCertificate string `json:"tls_certificate,omitempty"`
	TLSKey         string `json:"tls_key,omitempty"`
	// Tokens is the file of the access tokens' digests; see luutru token new.
	Tokens string `json:"tokens,omitempty"`
	// Keys is the folder of the archive's keys; see luutru keys generate.
	Keys string `json:"keys,omitempty"`
	// PassphraseFile holds the passphrase of the archive key, if it has one.
	PassphraseFile string `json:"passphrase_file,omitempty"`
	// State is a folder for what can be lost: the index, and the ledger's
	// checkpoint as this server last saw it.
	State string `json:"state,omitempty"`
	// Agencies is a table (CSV) of agencies that took the place of others, in
	// place of the one that comes with the program; see luutru agencies.
	Agencies string `json:"agencies,omitempty"`
	// Store says where the objects are.
	Store StoreConfig `json:"store,omitzero"`
	// Production makes the server refuse to run where the store, or this
	// configuration, does not give what an archive must rely on.
	Production bool `json:"production,omitempty"`
}

// StoreConfig is either a folder, for trials and small sites, or an S3 server.
type StoreConfig struct {
	// Embedded is the folder of a store inside this process. Whoever is root
	// on the machine can delete what is in it: not for production.
	Embedded string `json:"embedded,omitempty"`

	// Endpoint is host:port of the S3 server, Region its region, Secure
	// whether it speaks TLS.
	Endpoint string `json:"endpoint,omitempty"`
	Region   string `json:"region,omitempty"`
	Secure   bool   `json:"secure,omitempty"`
	// AccessKeyFile and SecretKeyFile hold the credentials.
	AccessKeyFile string `json:"access_key_file,omitempty"`
	SecretKeyFile string `json:"secret_key_file,omitempty"`
	// KeysAccessKeyFile and KeysSecretKeyFile hold those of the keys bucket,
	// which should be others. Empty: the same.
	KeysAccessKeyFile string `json:"keys_access_key_file,omitempty"`
	KeysSecretKeyFile string `json:"keys_secret_key_file,omitempty"`
	// ArchiveBucket has versions and object lock; KeysBucket and WorkBucket
	// have neither.
	ArchiveBucket string `json:"archive_bucket,omitempty"`
	KeysBucket    string `json:"keys_bucket,omitempty"`
	WorkBucket    string `json:"work_bucket,omitempty"`
	// NoLock says that the archive bucket has no object lock: whoever has the
	// bucket can delete everything. Not for production.
	NoLock bool `json:"no_lock,omitempty"`
}

const maxConfig = 1 << 20

// parseConfig reads a configuration. A name that it does not know is an error:
// it may be a safeguard misspelt.
func parseConfig(data []byte) (*Config, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	c := &Config{}
	if err := d.Decode(c); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something after the configuration")
	}
	return c, nil
}

// anchor makes the paths relative to a folder.
func (c *Config) anchor(dir string) {
	for _, p := range []*string{
		&c.TokenFile, &c.CAFile, &c.Certificate, &c.LogKey, &c.TLSCertificate, &c.TLSKey, &c.Tokens, &c.Keys, &c.PassphraseFile, &c.State, &c.Agencies,
		&c.Store.Embedded, &c.Store.AccessKeyFile, &c.Store.SecretKeyFile, &c.Store.KeysAccessKeyFile, &c.Store.KeysSecretKeyFile,
	} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// loadConfig reads the configuration; without a file it is empty. Errors are of
// usage: exit code 3 is for dossiers.
func (r *root) loadConfig() (*Config, error) {
	path, needed := r.config, true
	if path == "" {
		path = r.getenv("LUUTRU_CONFIG")
	}
	if path == "" {
		path, needed = "luutru.json", false
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !needed {
		return &Config{}, nil
	}
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(data)
	if err != nil {
		return nil, usagef("%s: %w", path, err)
	}
	c.anchor(filepath.Dir(path))
	return c, nil
}

// nodeConfig is loadConfig for the commands that work on the archive itself.
func (r *root) nodeConfig() (*Config, error) {
	c, err := r.loadConfig()
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"keys": c.Keys, "state": c.State} {
		if value == "" {
			return nil, usagef("cấu hình thiếu %[1]q · the configuration lacks %[1]q", name)
		}
	}
	s := &c.Store
	if s.Embedded == "" && (s.Endpoint == "" || s.ArchiveBucket == "" || s.KeysBucket == "" || s.WorkBucket == "" || s.AccessKeyFile == "" || s.SecretKeyFile == "") {
		return nil, usagef("cấu hình thiếu kho chứa (store) · the configuration lacks the store")
	}
	if s.Embedded != "" && s.Endpoint != "" {
		return nil, usagef("chỉ chọn một kho chứa: embedded hoặc endpoint · choose one store: embedded or endpoint")
	}
	if c.Node == "" {
		if c.Node, err = os.Hostname(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// history reads the table of agencies; nil is the one that comes with the
// program.
func (c *Config) history() (*agency.History, error) {
	if c.Agencies == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Agencies)
	if err != nil {
		return nil, usageError{err}
	}
	h, err := agency.Parse(data)
	if err != nil {
		return nil, usagef("%s: %w", c.Agencies, err)
	}
	return h, nil
}

// secret reads a file with a secret in one line.
func secret(path string) (string, error) {
	b, err := os.ReadFile(path)
	return strings.TrimSpace(string(b)), err
}

// writeFile makes a file appear whole.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".luutru-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
