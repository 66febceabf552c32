// Package index finds dossiers by what they say: words of their titles and documents in Vietnamese, with or without accents, codes,
// numbers, agencies and dates.
//
// An index is a projection of the archive that can be thrown away and rebuilt. It states how far it has followed the ledger
// (Position), and it is never the authority for a right, a hold or a destruction. What is removed from it is gone from its files when
// Apply returns. With a key, everything it writes is encrypted; sizes and counts are not hidden.
//
// The texts of one dossier are searchable up to 4 MiB; the rest is left out.
package index

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	api "github.com/blevesearch/bleve_index_api"
)

// KeySize is the length of the key of an encrypted index.
const KeySize = 32

var (
	// ErrKey says that an index is encrypted and the key is missing or another, or that it is not encrypted and a key was given.
	ErrKey = errors.New("index: wrong key")
	// ErrFormat says that a folder holds no whole index of this program's format, or damaged files: it must be rebuilt.
	ErrFormat = errors.New("index: not a whole index of this format")
	// ErrQuery says that a query asks for more than is answered: too long, too many words, or too deep a page.
	ErrQuery = errors.New("index: query not acceptable")
)

// A Document is what the index knows of one dossier. Only ID must be given.
type Document struct {
	ID          string    // opaque, as in the names of objects
	Code        string    // dossier code
	ArchiveCode string    // code that the archive gave it
	Group       string    // code of the group that it belongs to
	Title       string    // what the dossier is about
	Agency      string    // identifier of the agency, such as H29.68
	Procedure   string    // code of the administrative procedure
	Class       string    // class of the retention schedule
	Access      string    // access mode
	Applicant   string    // name of the person or body that applied
	PersonalIDs []string  // personal IDs of the people concerned
	Keywords    []string  // free keywords
	Begin, End  time.Time // period covered by the dossier
	Documents   []Part    // the documents of the dossier
}

// A Part is one document of a dossier.
type Part struct {
	Name  string // as in the package
	Title string // subject
	Text  string // what was extracted, UTF-8
}

// A Batch is a set of changes. An ID that is both added and removed is removed.
type Batch struct {
	Add      []*Document // each replaces what was known of the same ID
	Remove   []string    // IDs to forget; unknown ones are fine
	Position uint64      // how far the ledger has been followed when this batch is in; 0 or a smaller one changes nothing
}

// An Index answers queries. Any number of goroutines may search while one applies.
type Index struct {
	words    *analyzer
	bleve    bleve.Index
	engine   *scorch.Scorch
	dir      string // empty: in memory
	apply    sync.Mutex
	position atomic.Uint64
	rewrites sync.WaitGroup
}

// header is the one file of an index that is never encrypted. It is written last: where it is missing, creation did not end.
type header struct {
	Format int    `json:"format"`
	Key    string `json:"key,omitempty"`
}

const (
	headerName = "luutru-index.json"
	format     = 2 // of fields and of analysis: another one needs a rebuild
)

// Names of values that bleve keeps in the same commit as the documents. Neither is ever changed.
var (
	positionKey = []byte("luutru position")
	purgeKey    = []byte("luutru purge")
)

// Create makes an empty index in dir, which must not exist or be empty; else the error wraps fs.ErrExist. A nil key means not encrypted.
func Create(dir string, key []byte) (*Index, error) {
	check, err := keyCheck(key)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("index: folder not empty: %w", fs.ErrExist)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if err := sealed.enter(dir, key); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	b, err := bleve.NewUsing(dir, emptyMapping(), scorch.Name, scorch.Name, mergeConfig())
	if err != nil {
		sealed.leave(dir)
		return nil, fmt.Errorf("index: create: %w", err)
	}
	ix, err := newIndex(b, dir)
	if err == nil {
		err = writeHeader(dir, header{format, check})
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return ix, nil
}

// mergeConfig has segments of some hundred dossiers left alone for a while: bleve's own floor of 2,000 documents merges every batch
// with the whole of a small index.
func mergeConfig() map[string]any {
	return map[string]any{"scorchMergePlanOptions": map[string]any{
		"maxSegmentsPerTier": 10, "maxSegmentSize": 5_000_000, "tierGrowth": 10.0, "segmentsPerMergeTask": 10,
		"floorSegmentSize": 100, "reclaimDeletesWeight": 2.0,
	}}
}

// Open opens the index in dir. The error wraps fs.ErrNotExist if there is none, ErrKey or ErrFormat.
func Open(dir string, key []byte) (*Index, error) {
	check, err := keyCheck(key)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	h, err := readHeader(dir)
	switch {
	case err != nil:
		return nil, err
	case h.Format != format:
		return nil, fmt.Errorf("index: format %d, not %d: %w", h.Format, format, ErrFormat)
	case h.Key != check:
		return nil, ErrKey
	}
	if err := sealed.enter(dir, key); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	// another process holds the lock: say so instead of waiting for ever
	b, err := openBleve(dir, map[string]any{"bolt_timeout": "2s"})
	if err != nil {
		sealed.leave(dir)
		if strings.Contains(err.Error(), "timeout") { // of the lock
			return nil, fmt.Errorf("index: in use: %w", err)
		}
		// A kill in the middle of a removal can leave blocks that no key fits:
		// whatever can't be opened has to be rebuilt.
		return nil, fmt.Errorf("index: open: %w: %w", err, ErrFormat)
	}
	ix, err := newIndex(b, dir)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return ix, nil
}

// NewMemory makes an index that is gone when it is closed, for tests and for small sets: its segments are never merged.
func NewMemory() (*Index, error) {
	b, err := bleve.NewUsing("", emptyMapping(), scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, fmt.Errorf("index: memory: %w", err)
	}
	return newIndex(b, "")
}

func openBleve(dir string, config map[string]any) (b bleve.Index, err error) {
	defer guard(&err)
	return bleve.OpenUsing(dir, config)
}

// guard makes an error of the panics with which bleve meets damaged files. To be deferred.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("index: damaged files: %w", ErrFormat)
	}
}

func newIndex(b bleve.Index, dir string) (*Index, error) {
	ix := &Index{words: newAnalyzer(), bleve: b, dir: dir}
	inner, err := b.Advanced()
	if err == nil {
		ix.engine, _ = inner.(*scorch.Scorch)
	}
	if ix.engine == nil {
		return nil, errors.Join(fmt.Errorf("index: storage: %w", ErrFormat), err)
	}
	raw, err := b.GetInternal(positionKey)
	if err != nil {
		return nil, fmt.Errorf("index: position: %w", err)
	}
	if len(raw) == 8 {
		ix.position.Store(binary.BigEndian.Uint64(raw))
	}
	return ix, nil
}

func readHeader(dir string) (header, error) {
	var h header
	data, err := os.ReadFile(filepath.Join(dir, headerName))
	if errors.Is(err, fs.ErrNotExist) {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return h, fmt.Errorf("index: creation did not end: %w", ErrFormat)
		}
	}
	if err != nil {
		return h, fmt.Errorf("index: %w", err)
	}
	if err := json.Unmarshal(data, &h); err != nil {
		return h, fmt.Errorf("index: header: %w", ErrFormat)
	}
	return h, nil
}

func writeHeader(dir string, h header) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("index: header: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, headerName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("index: header: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close(), syncDir(dir)); err != nil {
		return fmt.Errorf("index: header: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Position is the ledger position of the last batch that carried one.
func (ix *Index) Position() uint64 { return ix.position.Load() }

// Count is the number of dossiers in the index.
func (ix *Index) Count() (uint64, error) {
	n, err := ix.bleve.DocCount()
	if err != nil {
		return 0, fmt.Errorf("index: count: %w", err)
	}
	return n, nil
}

// Has tells whether the index knows a dossier.
func (ix *Index) Has(ctx context.Context, id string) (bool, error) {
	found := false
	err := ix.read(func(r api.IndexReader) error {
		internal, err := r.InternalID(id)
		found = internal != nil
		return err
	})
	return found, err
}

// IDs yields the IDs of all dossiers in no particular order, as of one moment.
func (ix *Index) IDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := ix.read(func(r api.IndexReader) error {
			ids, err := r.DocIDReaderAll()
			if err != nil {
				return err
			}
			defer ids.Close()
			for {
				internal, err := ids.Next()
				if err != nil || internal == nil {
					return err
				}
				id, err := r.ExternalID(internal)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					return err
				}
				if !yield(id, nil) {
					return nil
				}
			}
		})
		if err != nil {
			yield("", err)
		}
	}
}

// read runs do on one state of the index.
func (ix *Index) read(do func(api.IndexReader) error) (err error) {
	defer guard(&err)
	r, err := ix.engine.Reader()
	if err != nil {
		return fmt.Errorf("index: read: %w", err)
	}
	if err := errors.Join(do(r), r.Close()); err != nil {
		return fmt.Errorf("index: read: %w", err)
	}
	return nil
}

// Close closes the index. Nothing may use it any more.
func (ix *Index) Close() error {
	ix.apply.Lock()
	defer ix.apply.Unlock()
	err := ix.bleve.Close()
	ix.rewrites.Wait()
	if ix.dir != "" {
		sealed.leave(ix.dir)
	}
	if err != nil {
		return fmt.Errorf("index: close: %w", err)
	}
	return nil
}
