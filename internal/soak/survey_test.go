//go:build unix

package soak_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/store"
)

// survey is what a killed process left: the steps that it had come to.
type survey struct {
	Attempts     []remains
	Destructions map[string]string // dossier → how far its destruction had come
}

// remains are what is there of an attempt that was under way.
type remains struct {
	Dossier, Package string
	Step             string
}

// Steps of an attempt, in order.
const (
	registered = "registered" // nothing stored
	stored     = "stored"     // package, or key packets, or both
	sealed     = "sealed"     // not in the ledger
	entered    = "entered"    // in the ledger
)

// looking is a survey under way.
type looking struct {
	*buckets
	ring   *archive.Keyring
	ledger map[string]bool // IDs of entries
}

// look takes stock of what is under way by this node's markers, and of the
// dossiers that the parent suspects, before anything is recovered.
func (o *order) look(ctx context.Context, b *buckets, ring *archive.Keyring) (*survey, error) {
	s := &survey{Destructions: map[string]string{}}
	l := &looking{b, ring, map[string]bool{}}
	log, err := audit.Open(ctx, audit.Config{
		Store: b.archive, Work: b.work, Origin: ring.Origin, VKey: ring.LogVerifier, Now: time.Now,
		Apply: func(e *audit.Entry) { l.ledger[e.ID] = true },
	})
	if err != nil {
		return nil, err
	}
	if err := log.Close(); err != nil {
		return nil, err
	}
	for info, err := range b.work.List(ctx, "pending/", nil) {
		if err != nil {
			return nil, err
		}
		at, err := l.marker(ctx, info.Key, o.Node)
		if err != nil {
			return nil, err
		}
		s.Attempts = append(s.Attempts, at...)
	}
	for _, id := range o.Suspects {
		if s.Destructions[id], err = l.destruction(ctx, id); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// pending is what a pending marker says (archive/attempts.go).
type pending struct {
	Node, Swept string
	Attempts    []remains
}

func readPending(ctx context.Context, work store.Store, key string) (*pending, error) {
	raw, err := readAll(ctx, work, key)
	if err != nil {
		return nil, err
	}
	p := &pending{}
	return p, json.Unmarshal(raw, p)
}

func (l *looking) marker(ctx context.Context, key, node string) ([]remains, error) {
	p, err := readPending(ctx, l.work, key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (p.Node != node || p.Swept != "") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range p.Attempts {
		if p.Attempts[i].Step, err = l.step(ctx, &p.Attempts[i]); err != nil {
			return nil, err
		}
	}
	return p.Attempts, nil
}

func (l *looking) step(ctx context.Context, at *remains) (string, error) {
	acts, err := l.acts(ctx, at.Dossier)
	if err != nil {
		return "", err
	}
	for _, a := range acts {
		var s life.Seal
		if a.Type != life.Ingestion || a.Decode(&s) != nil || s.Package != at.Package {
			continue
		}
		if l.ledger[chain.Key(a.Chain, a.N)] {
			return entered, nil
		}
		return sealed, nil
	}
	for b, prefix := range map[store.Store]string{l.archive: "packages/" + at.Dossier + "/" + at.Package, l.keys: at.Dossier + "/" + at.Package} {
		n, err := count(ctx, b, prefix)
		if err != nil {
			return "", err
		}
		if n > 0 {
			return stored, nil
		}
	}
	return registered, nil
}

// destruction says how far a destruction has come, in words for the table.
func (l *looking) destruction(ctx context.Context, id string) (string, error) {
	acts, err := l.acts(ctx, id)
	if err != nil || len(acts) == 0 {
		return "", err
	}
	last := acts[len(acts)-1]
	step := last.Type
	if step == life.KeysCondemned {
		n, err := count(ctx, l.keys, id+"/")
		if err != nil {
			return "", err
		}
		if n == 0 {
			step += ", keys gone"
		}
	}
	if !l.ledger[chain.Key(last.Chain, last.N)] {
		step += ", not in the ledger"
	}
	return step, nil
}

func (l *looking) acts(ctx context.Context, id string) ([]*chain.Act, error) {
	var acts []*chain.Act
	for n := 1; ; n++ {
		raw, err := readAll(ctx, l.archive, chain.Key(life.Chain(id), n))
		if errors.Is(err, fs.ErrNotExist) {
			return acts, nil
		}
		if err != nil {
			return nil, err
		}
		a, err := chain.Parse(raw, l.ring.Archive.Certificate())
		if err != nil {
			return nil, fmt.Errorf("act %d of %s: %w", n, id, err)
		}
		acts = append(acts, a)
	}
}

func count(ctx context.Context, s store.Store, prefix string) (n int, err error) {
	for _, err := range s.List(ctx, prefix, &store.ListOptions{Versions: true}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func readAll(ctx context.Context, s store.Store, key string) ([]byte, error) {
	r, _, err := s.Get(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, r)
	return b.Bytes(), errors.Join(err, r.Close())
}

// attemptOf returns dossier and attempt of a key in packages/ or in the keys
// bucket.
func attemptOf(key string) (dossier, attempt string) {
	dossier, attempt, _ = strings.Cut(strings.TrimPrefix(key, "packages/"), "/")
	attempt, _, _ = strings.Cut(attempt, ".")
	return dossier, attempt
}
