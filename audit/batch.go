package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxBatchBytes bounds the entries of one batch, maxObject what is read of one
// object of the ledger.
const (
	maxBatchBytes = 4 << 20
	maxObject     = 32 << 20
)

// batch is an object ledger/seq/<n>. Its fields are in the order of canonical
// JSON.
type batch struct {
	Name       string   `json:"batch"`
	Checkpoint string   `json:"checkpoint"`
	Entries    [][]byte `json:"entries"`
	Prev       string   `json:"prev"`
	Start      uint64   `json:"start"`
	V          int      `json:"v"`
}

const (
	seqPrefix        = "ledger/seq/"
	disclosurePrefix = "ledger/disclosures/"
)

func seqKey(n uint64) string { return fmt.Sprintf("%s%016d", seqPrefix, n) }

func (b *batch) end() uint64 { return b.Start + uint64(len(b.Entries)) }

// encode writes canonical JSON: there is nothing in a batch that JSON must
// escape but line feeds. It is not jcs.Marshal, which takes ten times as long
// for large batches.
func (b *batch) encode() ([]byte, error) {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}

// parseBatch reads exactly what encode writes.
func parseBatch(raw []byte) (*batch, error) {
	b := new(batch)
	if err := json.Unmarshal(raw, b); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	again, err := b.encode()
	if err != nil {
		return nil, err
	}
	switch {
	case b.V != 1:
		return nil, fmt.Errorf("batch of version %d", b.V)
	case !bytes.Equal(again, raw):
		return nil, errors.New("batch: not canonical JSON")
	case !isDigest(b.Prev) || !isName(b.Name):
		return nil, errors.New("batch: prev or name malformed")
	case strings.ContainsAny(b.Checkpoint, "\u2028\u2029") || b.Entries == nil:
		return nil, errors.New("batch: checkpoint or entries malformed")
	}
	return b, nil
}

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && strings.ToLower(s) == s
}

func isName(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

func digest(raw []byte) string {
	d := sha256.Sum256(raw)
	return hex.EncodeToString(d[:])
}

// zeros is what the first batch has for the digest of the one before.
const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// keys are the log's name and keys.
type keys struct {
	origin   string
	verifier note.Verifier
	signer   note.Signer // nil where the log is only read
}

func (c *Config) keys() (*keys, error) {
	v, err := note.NewVerifier(c.VKey)
	if err != nil {
		return nil, fmt.Errorf("ledger: verifier key: %w", err)
	}
	k := &keys{origin: c.Origin, verifier: v}
	if k.origin == "" {
		k.origin = v.Name()
	}
	if k.origin != v.Name() {
		return nil, fmt.Errorf("ledger: origin %q, but the key is that of %q", k.origin, v.Name())
	}
	if c.Key == "" {
		return k, nil
	}
	if k.signer, err = note.NewSigner(c.Key); err != nil {
		return nil, fmt.Errorf("ledger: signer key: %w", err)
	}
	if k.signer.Name() != v.Name() || k.signer.KeyHash() != v.KeyHash() {
		return nil, errors.New("ledger: signer key and verifier key do not belong together")
	}
	return k, nil
}

// sign returns the signed checkpoint of a tree. It must not leave the process
// before the tree is committed.
func (k *keys) sign(t tlog.Tree) ([]byte, error) {
	return note.Sign(&note.Note{Text: checkpointText(k.origin, t)}, k.signer)
}

func checkpointText(origin string, t tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.N, t.Hash)
}

// open verifies a signed checkpoint. It may have been cosigned by others.
func (k *keys) open(signed []byte) (tlog.Tree, error) {
	n, err := note.Open(signed, note.VerifierList(k.verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != k.origin {
		return tlog.Tree{}, errors.New("checkpoint: malformed, or of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, errors.New("checkpoint: malformed size")
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, errors.New("checkpoint: malformed hash")
	}
	t := tlog.Tree{N: size, Hash: hash}
	if n.Text != checkpointText(k.origin, t) {
		return tlog.Tree{}, errors.New("checkpoint: not canonical")
	}
	return t, nil
}

// openOwn verifies a checkpoint in a batch: it has the log's signature and
// nothing else.
func (k *keys) openOwn(signed string) (tlog.Tree, error) {
	t, err := k.open([]byte(signed))
	if err != nil {
		return t, err
	}
	_, sig, _ := strings.Cut(signed, "\n\n")
	sig, ok := strings.CutPrefix(sig, "— "+k.verifier.Name()+" ")
	if sig, lf := strings.CutSuffix(sig, "\n"); ok && lf {
		if _, err := decode(base64.StdEncoding, sig); err == nil {
			return t, nil
		}
	}
	return t, errors.New("checkpoint: more than the log's signature")
}

// openBatch reads the batch at key and verifies what can be verified of it
// alone: its checkpoint, which covers its last entry.
func (k *keys) openBatch(key string, raw []byte) (*batch, tlog.Tree, error) {
	b, err := parseBatch(raw)
	if err != nil {
		return nil, tlog.Tree{}, tampered(key, "%v", err)
	}
	t, err := k.openOwn(b.Checkpoint)
	if err != nil {
		return nil, tlog.Tree{}, tampered(key, "%v", err)
	}
	if uint64(t.N) != b.end() {
		return nil, tlog.Tree{}, tampered(key, "checkpoint of %d entries after entry %d", t.N, b.end())
	}
	return b, t, nil
}
