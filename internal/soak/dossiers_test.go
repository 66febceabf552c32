//go:build unix

package soak_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/sample"
)

// fate is what the world has in mind with a dossier once it is pushed.
type fate int

const (
	kept      fate = iota
	held           // a hold is put on it
	lifted         // and taken off again
	doomed         // it is destroyed
	contested      // it is destroyed and held at the same time
	forgotten      // it is not pushed again if the first push was cut off
)

// fates are dealt out in turn.
var fates = [...]fate{kept, doomed, held, kept, contested, kept, forgotten, doomed, kept, lifted, kept, doomed}

// subject is one dossier, with everything that the world was told about it.
type subject struct {
	n           int
	code        string
	declaration []byte
	class       string
	texts       map[string][]byte // documents by name
	files       []api.File

	mu          sync.Mutex
	fate        fate
	receipt     *archive.Receipt
	holds       map[string]bool // name → whether it was lifted
	doubtful    map[string]bool // holds whose lifting was not acknowledged
	name        string          // of the destruction case
	steps       int             // of the case that were acknowledged
	executing   bool            // an execution was begun
	certificate *archive.Certificate
	stopped     bool     // the destruction was refused
	copies      [][]byte // ledger entries of copies that arrived whole
	documents   int      // documents that arrived whole
}

func (s *subject) String() string { return fmt.Sprintf("dossier %d", s.n) }

// with calls do with the subject locked.
func (s *subject) with(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *subject) archived() *archive.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receipt
}

func (s *subject) destroyed() *archive.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.certificate
}

func (s *subject) meant() fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fate
}

// maker makes dossiers from a few realistic ones: each gets a code and a
// document of its own.
type maker struct {
	t         *testing.T
	templates []sample.Dossier

	mu   sync.Mutex
	made int
}

func newMaker(t *testing.T) *maker {
	m := &maker{t: t}
	opts := sample.Options{From: time.Date(2006, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2014, 12, 31, 0, 0, 0, 0, time.UTC)}
	for d := range sample.Make(1, 12, opts) {
		m.templates = append(m.templates, d)
	}
	return m
}

// papers is how many of a sample's documents, the smallest, are pushed.
const papers = 2

// next makes another dossier.
func (m *maker) next() *subject {
	m.mu.Lock()
	m.made++
	n := m.made
	m.mu.Unlock()
	from := &m.templates[n%len(m.templates)]
	s := &subject{
		n: n, class: due, fate: fates[n%len(fates)], texts: map[string][]byte{}, holds: map[string]bool{}, doubtful: map[string]bool{},
		code: fmt.Sprintf("%s%06d", from.Code[:strings.LastIndexByte(from.Code, '-')+1], n),
	}
	if s.fate == kept && n%4 == 0 {
		s.class = permanent
	}
	var d dossier.Declaration
	if err := json.Unmarshal(from.Declaration, &d); err != nil {
		m.t.Fatal(err)
	}
	d.Code, d.Class, d.Group = s.code, s.class, ""
	note := []byte(fmt.Sprintf("Phiếu kiểm soát hồ sơ %s\n%s\n", s.code, strings.Repeat(rand.Text()+"\n", 20)))
	sum := sha256.Sum256(note)
	own := dossier.Document{
		Name: "90-phieu-kiem-soat.txt", Subject: "Phiếu kiểm soát quá trình giải quyết hồ sơ", Type: "32", Role: "processing", Origin: "born_digital",
		Issued: d.Closed, Issuer: d.AgencyName, MediaType: "text/plain", Size: int64(len(note)), SHA256: hex.EncodeToString(sum[:]),
	}
	d.Documents = append(smallest(d.Documents), own)
	s.texts[own.Name] = note
	for _, f := range from.Files {
		s.texts[f.Name] = f.Data
	}
	for _, t := range d.Documents {
		data := s.texts[t.Name]
		s.files = append(s.files, api.File{Name: t.Name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
	}
	for name := range s.texts {
		if !slices.ContainsFunc(d.Documents, func(t dossier.Document) bool { return t.Name == name }) {
			delete(s.texts, name)
		}
	}
	var err error
	if s.declaration, err = json.Marshal(&d); err != nil {
		m.t.Fatal(err)
	}
	return s
}

func smallest(all []dossier.Document) []dossier.Document {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b dossier.Document) int { return cmp.Compare(a.Size, b.Size) })
	all = all[:min(papers, len(all))]
	slices.SortFunc(all, func(a, b dossier.Document) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
