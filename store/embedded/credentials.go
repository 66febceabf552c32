package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// credentials are the server's only account.
type credentials struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// loadCredentials reads the file, or writes a new random pair to it.
func loadCredentials(path string) (credentials, error) {
	var c credentials
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newCredentials(path)
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil || c.AccessKey == "" || c.SecretKey == "" {
		return c, fmt.Errorf("credentials %q: not readable as credentials", path)
	}
	return c, nil
}

func newCredentials(path string) (credentials, error) {
	c := credentials{AccessKey: "luutru" + rand.Text()[:14], SecretKey: rand.Text() + rand.Text()}
	data, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	// Under another name first: a crash must not leave half a file, which
	// would lock the owner out.
	tmp := path + ".new"
	if err := writeSynced(tmp, append(data, '\n'), 0o600); err != nil {
		return c, err
	}
	if err := os.Rename(tmp, path); err != nil {
		return c, err
	}
	return c, syncDir(filepath.Dir(path))
}

// writeSynced creates or replaces a file and syncs its bytes, not its name.
func writeSynced(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
