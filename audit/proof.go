package audit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// Prove returns the proof that the log has the entry at index, as C2SP
// tlog-proof text. It is made against the checkpoint that was committed with the
// entry, so it has the same bytes whenever and wherever it is made.
func (l *Log) Prove(ctx context.Context, index uint64) ([]byte, error) {
	s := l.view()
	if index >= s.size {
		return nil, fmt.Errorf("proof of ledger entry %d of %d: %w", index, s.size, fs.ErrNotExist)
	}
	m, err := l.find(ctx, index)
	if err != nil {
		return nil, err
	}
	head, err := l.keys.openOwn(string(m.checkpoint))
	if err != nil {
		return nil, err
	}
	r := l.reader(ctx, s)
	path, err := tlog.ProveRecord(head.N, int64(index), r)
	if err != nil {
		return nil, err
	}
	leaf, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
	if err != nil {
		return nil, err
	}
	if tlog.CheckRecord(path, head.N, head.Hash, int64(index), leaf[0]) != nil {
		return nil, l.fail(tampered(seqKey(m.seq), "checkpoint is not that of the log"))
	}
	p := proof{index: index, path: path, checkpoint: m.checkpoint}
	return p.encode(), nil
}

// VerifyProof checks, without any log at hand, that the log whose key is vkey
// has the entry raw, and returns its index.
func VerifyProof(vkey string, raw, proof []byte) (index uint64, err error) {
	k, err := (&Config{VKey: vkey}).keys()
	if err != nil {
		return 0, err
	}
	p, err := parseProof(proof)
	if err != nil {
		return 0, err
	}
	head, err := k.open(p.checkpoint)
	if err != nil {
		return 0, fmt.Errorf("proof: %w", err)
	}
	if err := tlog.CheckRecord(p.path, head.N, head.Hash, int64(p.index), tlog.RecordHash(raw)); err != nil {
		return 0, errors.New("proof: entry is not in the log")
	}
	return p.index, nil
}

// proof is a C2SP tlog-proof without extra data.
type proof struct {
	index      uint64
	path       tlog.RecordProof
	checkpoint []byte
}

func (p *proof) encode() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nindex %d\n", proofHeader, p.index)
	for _, h := range p.path {
		fmt.Fprintf(&b, "%s\n", h)
	}
	return append([]byte(b.String()+"\n"), p.checkpoint...)
}

func parseProof(data []byte) (*proof, error) {
	rest, ok := strings.CutPrefix(string(data), proofHeader+"\nindex ")
	if !ok {
		return nil, errors.New("proof: malformed header")
	}
	line, rest, ok := strings.Cut(rest, "\n")
	index, err := strconv.ParseInt(line, 10, 64)
	if err != nil || !ok || index < 0 || strconv.FormatInt(index, 10) != line {
		return nil, errors.New("proof: malformed index")
	}
	p := &proof{index: uint64(index)}
	for {
		line, rest, ok = strings.Cut(rest, "\n")
		if !ok {
			return nil, errors.New("proof: cut short")
		}
		if line == "" {
			p.checkpoint = []byte(rest)
			return p, nil
		}
		h, err := decode(base64.StdEncoding, line)
		if err != nil || len(h) != tlog.HashSize || len(p.path) == 64 {
			return nil, errors.New("proof: malformed hash")
		}
		p.path = append(p.path, tlog.Hash(h))
	}
}

// decode reads base64 in its one canonical form: encoding/base64 alone lets line
// breaks and loose bits pass.
func decode(form *base64.Encoding, text string) ([]byte, error) {
	b, err := form.Strict().DecodeString(text)
	if err == nil && form.EncodeToString(b) != text {
		err = errors.New("not canonical base64")
	}
	return b, err
}
