package chain

import (
	"bytes"
	"fmt"
	"time"

	"github.com/luutru/luutru/signing"
)

// A statement is one line of canonical JSON, a line feed, and the armored
// detached signature over the JSON (docs/format.md §1).

// SignStatement returns line with key's signature under it.
func SignStatement(key *signing.Key, line []byte, now time.Time) ([]byte, error) {
	sig, err := key.Sign(line, now)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(line)+1+len(sig))
	b = append(b, line...)
	b = append(b, '\n')
	return append(b, sig...), nil
}

// OpenStatement returns the JSON line of a statement that one of the trusted
// certificates signed, or an error wrapping [signing.ErrSignature].
func OpenStatement(statement []byte, trust ...*signing.Certificate) ([]byte, error) {
	line, sig, ok := bytes.Cut(statement, []byte("\n"))
	if !ok {
		return nil, fmt.Errorf("statement has no signature: %w", signing.ErrSignature)
	}
	err := fmt.Errorf("no certificate is trusted: %w", signing.ErrSignature)
	for _, c := range trust {
		if err = c.Verify(line, sig); err == nil {
			return line, nil
		}
	}
	return nil, err
}
