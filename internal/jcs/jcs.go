// Package jcs reads and writes canonical JSON (RFC 8785, JSON
// Canonicalization Scheme), so that a fact has exactly one form to be hashed
// and signed.
//
// It covers the JSON that luutru writes: objects with ASCII names, strings,
// integers, booleans, null and arrays. Fractions and exponents are refused.
package jcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Marshal returns the canonical JSON of v on one line, without a final line
// feed.
func Marshal(v any) ([]byte, error) {
	plain, err := encode(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	if err := integersOnly(tree); err != nil {
		return nil, err
	}
	return encode(tree) // maps are written with sorted names
}

// Unmarshal parses data into v. It fails on unknown names, on anything after
// the value, and on bytes that are not the canonical form of what was read:
// whatever Unmarshal accepts, Marshal writes back byte for byte.
func Unmarshal(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data after the JSON value")
	}
	again, err := Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return errors.New("not canonical JSON (RFC 8785)")
	}
	return nil
}

// lineSeparators undoes the one escape that encoding/json always makes and
// RFC 8785 never does.
var lineSeparators = strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029", `\\`, `\\`)

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if bytes.Contains(line, []byte(`\u202`)) {
		line = []byte(lineSeparators.Replace(string(line)))
	}
	return line, nil
}

func integersOnly(tree any) error {
	switch t := tree.(type) {
	case json.Number:
		if n, err := t.Int64(); err != nil || n > 1<<53 || n < -1<<53 {
			return fmt.Errorf("number %s: only whole numbers up to 2^53 are canonical here", t)
		}
	case []any:
		for _, x := range t {
			if err := integersOnly(x); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, x := range t {
			if err := integersOnly(x); err != nil {
				return err
			}
		}
	}
	return nil
}
