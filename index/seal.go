package index

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	api "github.com/blevesearch/bleve_index_api"
)

// bleve asks two package variables of its own how to write and read the blocks of every file of every index in the process. They
// are set once; which key applies is decided by the folder of the file in question. This is the only state the package keeps.
//
// Each file gets an identifier of its own. In an encrypted index it carries the salt from which the file's key is derived, so that
// nonces can simply count. In a plain index it only serves, as in an encrypted one, to have single files rewritten (see purge).
var sealed folders

type folders struct {
	install sync.Once
	mu      sync.RWMutex
	keys    map[string][]byte // folder of an open index -> key, nil: not encrypted
}

const (
	plainFile  = "p" // first letter of the identifier of a plain file
	sealedFile = "s"
	saltSize   = 16
)

// enter makes the key of an index known for as long as the index is open.
func (f *folders) enter(dir string, key []byte) error {
	f.install.Do(func() {
		f.keys = map[string][]byte{}
		api.WriterHook, api.ReaderHook = f.writer, f.reader
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.keys[dir]; ok {
		return fmt.Errorf("already open in this process: %w", fs.ErrExist)
	}
	f.keys[dir] = key
	return nil
}

func (f *folders) leave(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, dir)
}

// key finds the key for a file of an index; files lie in the folder of the index or one below.
func (f *folders) key(path string) (key []byte, known bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	dir := filepath.Dir(path)
	if key, known = f.keys[dir]; !known {
		key, known = f.keys[filepath.Dir(dir)]
	}
	return key, known
}

func (f *folders) writer(path []byte) (string, func([]byte) []byte, error) {
	key, known := f.key(string(path))
	if !known {
		return "", nil, nil
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	if key == nil {
		return plainFile + hex.EncodeToString(salt), nil, nil
	}
	aead, err := fileCipher(key, salt)
	if err != nil {
		return "", nil, err
	}
	var count atomic.Uint64
	return sealedFile + hex.EncodeToString(salt), func(block []byte) []byte {
		nonce := make([]byte, aead.NonceSize())
		n := count.Add(1)
		binary.BigEndian.PutUint64(nonce[len(nonce)-8:], n)
		out := make([]byte, 8, 8+len(block)+aead.Overhead())
		binary.BigEndian.PutUint64(out, n)
		return aead.Seal(out, nonce, block, nil)
	}, nil
}

func (f *folders) reader(id string, path []byte) (func([]byte) ([]byte, error), error) {
	key, known := f.key(string(path))
	if !known {
		return nil, nil
	}
	salt, isSealed := strings.CutPrefix(id, sealedFile)
	if isSealed != (key != nil) {
		return nil, ErrKey
	}
	if !isSealed {
		return nil, nil
	}
	raw, err := hex.DecodeString(salt)
	if err != nil || len(raw) != saltSize {
		return nil, ErrKey
	}
	aead, err := fileCipher(key, raw)
	if err != nil {
		return nil, err
	}
	return func(block []byte) ([]byte, error) {
		if len(block) < 8+aead.Overhead() {
			return nil, errBlock
		}
		nonce := make([]byte, aead.NonceSize())
		copy(nonce[len(nonce)-8:], block[:8])
		out, err := aead.Open(nil, nonce, block[8:], nil)
		if err != nil {
			return nil, errBlock
		}
		return out, nil
	}, nil
}

var errBlock = errors.New("index: altered or damaged block")

func fileCipher(key, salt []byte) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, salt, "luutru index file", 32)
	if err != nil {
		return nil, fmt.Errorf("index: file key: %w", err)
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("index: cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// keyCheck is what a folder tells openly about its key, so that another key is refused before anything is touched.
func keyCheck(key []byte) (string, error) {
	if key == nil {
		return "", nil
	}
	if len(key) != KeySize {
		return "", fmt.Errorf("index: a key has %d bytes, this one %d: %w", KeySize, len(key), ErrKey)
	}
	c, err := hkdf.Key(sha256.New, key, nil, "luutru index key check", 8)
	if err != nil {
		return "", fmt.Errorf("index: key check: %w", err)
	}
	return hex.EncodeToString(c), nil
}
