package audit

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/luutru/luutru/internal/jcs"
)

// disclosures is an object ledger/disclosures/<batch>, decrypted: the openings of
// the commitments in a batch.
type disclosures struct {
	Entries []disclosed `json:"entries"`
	V       int         `json:"v"`
}

type disclosed struct {
	Fields map[string]field `json:"fields"`
	ID     string           `json:"id"`
}

// Disclose returns the private values of an entry, for an auditor who can
// decrypt what Config.Seal encrypted. Each value is the one the entry was
// committed to. An entry without private values has none. Where the disclosures
// are gone, with the audit key of their year, the error wraps fs.ErrNotExist.
func (l *Log) Disclose(ctx context.Context, index uint64, decrypt func([]byte) ([]byte, error)) (map[string]string, error) {
	e, err := l.Entry(ctx, index)
	if err != nil || len(e.Commitments) == 0 {
		return nil, err
	}
	m, err := l.find(ctx, index)
	if err != nil {
		return nil, err
	}
	key := disclosurePrefix + m.name
	sealed, _, err := l.get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("disclosures of entry %d: %w", index, err)
	}
	plain, err := decrypt(sealed)
	if err != nil {
		return nil, fmt.Errorf("disclosures of entry %d: %w", index, err)
	}
	var d disclosures
	if err := jcs.Unmarshal(plain, &d); err != nil || d.V != 1 {
		return nil, tampered(key, "not disclosures of version 1: %v", err)
	}
	for _, x := range d.Entries {
		if x.ID == e.ID {
			return x.open(key, e)
		}
	}
	return nil, tampered(key, "has nothing of entry %d", index)
}

// open returns the values that the entry has commitments to.
func (x *disclosed) open(key string, e *Entry) (map[string]string, error) {
	values := map[string]string{}
	for name, want := range e.Commitments {
		f := x.Fields[name]
		salt, err := decode(base64.RawURLEncoding, f.Salt)
		if err != nil || commitment(salt, e.ID, name, f.Value) != want {
			return nil, tampered(key, "value of %q is not the one entry %d is committed to", name, e.Index)
		}
		values[name] = f.Value
	}
	if len(x.Fields) != len(values) {
		return nil, tampered(key, "more values than entry %d has commitments", e.Index)
	}
	return values, nil
}
