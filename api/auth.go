package api

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/archive"
)

// Authenticator says who is asking.
type Authenticator interface {
	// Authenticate returns the agent behind a request, or an error wrapping
	// ErrUnauthenticated that does not say why. It may be called concurrently.
	Authenticate(r *http.Request) (archive.Agent, error)
}

// Token lets whoever knows it act as an agent. Only its digest is kept.
type Token struct {
	Subject  string         `json:"subject"`
	SHA256   string         `json:"token_sha256"` // hexadecimal
	Roles    []archive.Role `json:"roles"`
	Agencies []string       `json:"agencies"` // an identifier and all below it; "*" for all
	Expires  time.Time      `json:"expires"`
}

// NewToken makes a token for an agent: the secret, and what is kept of it.
func NewToken(by archive.Agent, expires time.Time) (secret string, t Token) {
	secret = "luutru_" + rand.Text()
	sum := sha256.Sum256([]byte(secret))
	return secret, Token{Subject: by.Subject, SHA256: hex.EncodeToString(sum[:]), Roles: by.Roles, Agencies: by.Agencies, Expires: expires.UTC().Truncate(time.Second)}
}

// maxTokens is the largest token file that is read.
const maxTokens = 16 << 20

// ParseTokens reads a token file, a JSON list. It is strict: a slip in this
// file would give somebody more than was meant, or less.
func ParseTokens(data []byte) ([]Token, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var ts []Token
	if err := d.Decode(&ts); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("tokens: something after the list")
	}
	seen := map[string]bool{}
	for i, t := range ts {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("tokens[%d]: %w", i, err)
		}
		if seen[t.SHA256] {
			return nil, fmt.Errorf("tokens[%d]: one token twice", i)
		}
		seen[t.SHA256] = true
	}
	return ts, nil
}

func (t *Token) check() error {
	sum, err := hex.DecodeString(t.SHA256)
	switch {
	case t.Subject == "":
		return errors.New("no subject")
	case err != nil || len(sum) != sha256.Size || strings.ToLower(t.SHA256) != t.SHA256:
		return errors.New("token_sha256 is not a SHA-256 in lower-case hexadecimal")
	case len(t.Roles) == 0:
		return errors.New("no roles")
	case t.Expires.IsZero():
		return errors.New("no end of validity")
	}
	for _, r := range t.Roles {
		switch r {
		case archive.Producer, archive.Archivist, archive.Council, archive.Approver, archive.Inspector, archive.Auditor, archive.Administrator:
		default:
			return fmt.Errorf("unknown role %q", r)
		}
	}
	for _, a := range t.Agencies {
		if a == "" {
			return errors.New("empty agency")
		}
	}
	return nil
}

// Tokens is an Authenticator that knows the bearer tokens of a file. A file
// that changes is read again; while it can't be read, the last good one counts
// and the log says so.
type Tokens struct {
	path string
	now  func() time.Time
	log  *slog.Logger

	mu     sync.Mutex
	seen   fs.FileInfo
	tokens []Token
}

// OpenTokens reads a token file.
func OpenTokens(path string, now func() time.Time, log *slog.Logger) (*Tokens, error) {
	t := &Tokens{path: path, now: now, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	t.seen = info
	t.tokens, err = readTokens(path)
	return t, err
}

func readTokens(path string) ([]Token, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTokens+1))
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	if len(data) > maxTokens {
		return nil, errors.New("tokens: file too large")
	}
	return ParseTokens(data)
}

// current returns the tokens of the file as it is now.
func (t *Tokens) current() []Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	info, err := os.Stat(t.path)
	if err == nil && os.SameFile(info, t.seen) && info.ModTime().Equal(t.seen.ModTime()) && info.Size() == t.seen.Size() {
		return t.tokens
	}
	var ts []Token
	if err == nil {
		t.seen = info
		ts, err = readTokens(t.path)
	}
	if err != nil {
		t.log.Error("token file not usable; the tokens read before count", "error", err)
		return t.tokens
	}
	t.tokens = ts
	return ts
}

// Authenticate implements Authenticator. It compares with every token, in the
// same time whatever was sent.
func (t *Tokens) Authenticate(r *http.Request) (archive.Agent, error) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return archive.Agent{}, ErrUnauthenticated
	}
	sum := sha256.Sum256([]byte(secret))
	sent := []byte(hex.EncodeToString(sum[:]))
	ts := t.current()
	found := -1
	for i := range ts {
		if subtle.ConstantTimeCompare(sent, []byte(ts[i].SHA256)) == 1 {
			found = i
		}
	}
	if found < 0 || !t.now().Before(ts[found].Expires) {
		return archive.Agent{}, ErrUnauthenticated
	}
	return archive.Agent{Subject: ts[found].Subject, Roles: ts[found].Roles, Agencies: ts[found].Agencies}, nil
}
