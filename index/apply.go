package index

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	api "github.com/blevesearch/bleve_index_api"
)

// The fields of a dossier in the index. Documents are put together here and terms are analysed here, on both sides: bleve's mapping,
// whose analyzers a query finds only under some circumstances, stays empty.
const (
	fieldExact     = "x" // all words, with positions
	fieldFolded    = "f" // all words without accents
	fieldPairs     = "p" // neighbouring words without accents
	fieldHead      = "h" // words of titles, names and keywords without accents
	fieldNumber    = "n" // beginnings of codes, personal IDs and of the numbers in the texts
	fieldCode      = "c" // beginnings of the dossier code
	fieldPerson    = "i" // personal IDs
	fieldAgency    = "a"
	fieldProcedure = "r"
	fieldClass     = "k"
	fieldAccess    = "s"
	fieldGroup     = "g"
	fieldEnd       = "e"    // end of the period
	fieldOrder     = "o"    // sort key: latest end first, then ID
	fieldMeta      = "meta" // stored, see meta
	fieldText      = "text" // stored texts of the documents, one after the other
)

const (
	maxText      = 4 << 20 // bytes of text of one dossier; the analysis needs some 50 times as much memory
	maxBatchText = 3 << 19 // 1.5 MB: bounds the memory of one step
	maxBatchDocs = 500
	maxNumbers   = 1000 // numbers taken from the texts of one dossier
	maxPrefix    = 40   // characters of the longest beginning of a number that is indexed
	maxID        = 512
	maxField     = 16 << 10 // bytes of one descriptive field
	maxParts     = 100_000
	wordOptions  = api.IndexField
	keyOptions   = api.IndexField | api.SkipFreqNorm
	sortOptions  = keyOptions | api.DocValues
	placeOptions = api.IndexField | api.IncludeTermVectors
)

// meta is what a hit shows, stored with the dossier.
type meta struct {
	Code, Title, Agency, Procedure, Class, Access string
	ArchiveCode, Group                            string
	Begin, End                                    time.Time
	Parts                                         []metaPart
}

// metaPart says which stretch of the stored text is whose.
type metaPart struct {
	Name string
	Size int
}

func emptyMapping() *mapping.IndexMappingImpl {
	m := bleve.NewIndexMapping()
	m.DefaultMapping = bleve.NewDocumentDisabledMapping()
	return m
}

// Apply makes a set of changes. When it returns nil they are durable, and of removed dossiers no term and no stored word is left in
// any file of the index (of copies, backups and deleted blocks of the file system it knows nothing; there only the key helps).
//
// A large batch is written in several steps. The position goes in with the last of them, in one commit, after the removals: it is
// never ahead of the content. After an error or a crash, apply the same batch again.
//
// A removal rewrites the segments that held the dossiers, of which the largest costs most; put many removals into one batch.
func (ix *Index) Apply(ctx context.Context, b Batch) error {
	ix.apply.Lock()
	defer ix.apply.Unlock()
	if err := ix.remove(ctx, b.Remove); err != nil {
		return fmt.Errorf("index: remove: %w", err)
	}
	step, err := ix.add(ctx, b)
	if err != nil {
		return err
	}
	forward := b.Position > ix.position.Load()
	if forward {
		step.SetInternal(positionKey, binary.BigEndian.AppendUint64(nil, b.Position))
	}
	if err := ix.commit(ctx, step); err != nil {
		return err
	}
	if forward {
		ix.position.Store(b.Position)
	}
	return nil
}

// add writes the additions of a batch but for the last step, which it returns.
func (ix *Index) add(ctx context.Context, b Batch) (*bleve.Batch, error) {
	removed := make(map[string]bool, len(b.Remove))
	for _, id := range b.Remove {
		removed[id] = true
	}
	step, size := ix.bleve.NewBatch(), 0
	for _, d := range b.Add {
		if removed[d.ID] {
			continue
		}
		doc, n, err := ix.document(d)
		if err != nil {
			return nil, fmt.Errorf("index: dossier %.20q: %w", d.ID, err)
		}
		if size > 0 && (size+n > maxBatchText || step.Size() >= maxBatchDocs) {
			if err := ix.commit(ctx, step); err != nil {
				return nil, err
			}
			step, size = ix.bleve.NewBatch(), 0
		}
		size += n
		if err := step.IndexAdvanced(doc); err != nil {
			return nil, fmt.Errorf("index: dossier %.20q: %w", d.ID, err)
		}
	}
	return step, nil
}

func (ix *Index) commit(ctx context.Context, step *bleve.Batch) (err error) {
	defer guard(&err)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("index: apply: %w", err)
	}
	if step.Size() == 0 {
		return nil
	}
	if err := ix.bleve.Batch(step); err != nil {
		return fmt.Errorf("index: apply: %w", err)
	}
	return nil
}

// document puts one dossier into bleve's form and tells its size.
func (ix *Index) document(d *Document) (*document.Document, int, error) {
	if d.ID == "" || len(d.ID) > maxID {
		return nil, 0, fmt.Errorf("ID of %d bytes", len(d.ID))
	}
	if len(d.Documents) > maxParts {
		return nil, 0, fmt.Errorf("%d documents", len(d.Documents))
	}
	b := &builder{words: ix.words, doc: document.NewDocument(d.ID), numbers: map[string]bool{}}
	b.keys(d)
	for _, s := range append([]string{d.Title, d.Applicant, d.Code}, d.Keywords...) {
		b.head(clean(s, maxField))
	}
	m := meta{Code: d.Code, Title: d.Title, Agency: d.Agency, Procedure: d.Procedure, Class: d.Class, Access: d.Access,
		ArchiveCode: d.ArchiveCode, Group: d.Group, Begin: d.Begin, End: d.End}
	text := b.parts(d.Documents, &m)
	b.prefixed(fieldNumber, b.sortedNumbers())
	if err := b.dates(d); err != nil {
		return nil, 0, err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, 0, err
	}
	b.doc.AddField(document.NewTextFieldCustom(fieldMeta, nil, data, api.StoreField, nil))
	if text != "" {
		b.doc.AddField(document.NewTextFieldCustom(fieldText, nil, []byte(text), api.StoreField, nil))
	}
	return b.doc, b.size + len(data), nil
}

// clean makes valid UTF-8 of s and cuts it to max bytes.
func clean(s string, max int) string {
	if len(s) > max {
		for max > 0 && !utf8.RuneStart(s[max]) {
			max--
		}
		s = s[:max]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// A builder puts a bleve document together.
type builder struct {
	words   *analyzer
	doc     *document.Document
	values  uint64 // number of passages so far: their array position keeps phrases from running over their borders
	size    int
	numbers map[string]bool
}

func (b *builder) keys(d *Document) {
	code := b.words.letters.identifier(clean(d.Code, maxField))
	codes := []string{code}
	if d.ArchiveCode != "" {
		codes = append(codes, b.words.letters.identifier(clean(d.ArchiveCode, maxField)))
	}
	b.prefixed(fieldCode, codes)
	for _, c := range codes {
		b.numbers[c] = true
	}
	if d.Group != "" {
		group := b.words.letters.identifier(clean(d.Group, maxField))
		b.key(fieldGroup, group)
		b.numbers[group] = true
	}
	for i, id := range d.PersonalIDs {
		id = b.words.letters.identifier(clean(id, maxID))
		b.key(fieldPerson, id, uint64(i))
		b.numbers[id] = true
	}
	for i, a := range lineage(d.Agency) {
		b.key(fieldAgency, a, uint64(i))
	}
	b.key(fieldProcedure, d.Procedure)
	b.key(fieldClass, d.Class)
	b.key(fieldAccess, d.Access)
}

// lineage is an agency identifier and all that it lies below: H29.68.1 is H29, H29.68 and H29.68.1.
func lineage(agency string) []string {
	var all []string
	for i, r := range agency {
		if r == '.' && i > 0 {
			all = append(all, agency[:i])
		}
	}
	return append(all, agency)
}

func (b *builder) key(field, value string, position ...uint64) {
	if value != "" {
		b.doc.AddField(document.NewTextFieldCustom(field, position, []byte(clean(value, maxField)), keyOptions, nil))
	}
}

// passage adds a text to the fields of words.
func (b *builder) passage(text string) *passage {
	p := &passage{a: b.words, text: []byte(text)}
	at := []uint64{b.values}
	b.values++
	b.size += len(text)
	add := func(field string, options api.FieldIndexingOptions, terms func([]word) analysis.TokenStream) {
		b.doc.AddField(document.NewTextFieldCustom(field, at, nil, options, view{p, terms}))
	}
	add(fieldExact, placeOptions, exactTerms)
	add(fieldFolded, wordOptions, foldedTerms)
	add(fieldPairs, wordOptions, pairTerms)
	return p
}

// head adds a text that says what the dossier or one of its documents is.
func (b *builder) head(text string) {
	if text == "" {
		return
	}
	p := b.passage(text)
	b.doc.AddField(document.NewTextFieldCustom(fieldHead, []uint64{b.values - 1}, nil, wordOptions, view{p, foldedTerms}))
	b.words.numbers(p.text, p.split(), b.numbers, maxNumbers)
}

// parts adds the documents of the dossier and returns their texts for storing.
func (b *builder) parts(parts []Part, m *meta) string {
	var text strings.Builder
	for _, part := range parts {
		b.head(clean(part.Title, maxField))
		t := clean(part.Text, maxText-text.Len())
		m.Parts = append(m.Parts, metaPart{Name: clean(part.Name, maxField), Size: len(t)})
		if t == "" {
			continue
		}
		text.WriteString(t)
		p := b.passage(t)
		b.words.numbers(p.text, p.split(), b.numbers, maxNumbers)
	}
	return text.String()
}

func (b *builder) sortedNumbers() []string {
	out := make([]string, 0, len(b.numbers))
	for n := range b.numbers {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// prefixed adds every beginning of each value as a term: a search for a beginning is then a look-up, however many values share it.
func (b *builder) prefixed(field string, values []string) {
	seen := map[string]bool{}
	var tokens analysis.TokenStream
	for _, v := range values {
		n := 0
		for i := range v + "." {
			if n++; i > 0 && n <= maxPrefix+1 && !seen[v[:i]] {
				seen[v[:i]] = true
				tokens = append(tokens, &analysis.Token{Term: []byte(v[:i])})
			}
		}
		if n > maxPrefix+1 {
			tokens = append(tokens, &analysis.Token{Term: []byte("=" + v)})
		}
	}
	if len(tokens) > 0 {
		b.doc.AddField(document.NewTextFieldCustom(field, nil, nil, keyOptions, ready(tokens)))
	}
}

// numberTerm is the term under which prefixed finds values that begin with v.
func numberTerm(v string) string {
	if utf8.RuneCountInString(v) > maxPrefix {
		return "=" + v
	}
	return v
}

// ready is an analysis that is already done.
type ready analysis.TokenStream

func (r ready) Analyze([]byte) analysis.TokenStream { return analysis.TokenStream(r) }

func (b *builder) dates(d *Document) error {
	order := uint64(math.MaxUint64) // without an end: last
	if !d.End.IsZero() {
		f, err := document.NewDateTimeFieldWithIndexingOptions(fieldEnd, nil, d.End, time.RFC3339, keyOptions)
		if err != nil {
			return fmt.Errorf("end: %w", err)
		}
		b.doc.AddField(f)
		order = uint64(math.MaxInt64) - uint64(d.End.Unix()) // before 1970 the sum wraps, and is still larger
	}
	key := fmt.Sprintf("%016x%s", order, d.ID)
	b.doc.AddField(document.NewTextFieldCustom(fieldOrder, nil, []byte(key), sortOptions, nil))
	return nil
}

// remove deletes dossiers and has the segments that held them rewritten.
func (ix *Index) remove(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	for chunk := range slices.Chunk(ids, maxBatchDocs) {
		step := ix.bleve.NewBatch()
		for _, id := range chunk {
			step.Delete(id)
		}
		if err := ix.commit(ctx, step); err != nil {
			return err
		}
	}
	if ix.dir == "" {
		return nil
	}
	return ix.purge(ctx)
}

// purge has every segment with deleted dossiers rewritten and waits until the old files are gone.
//
// bleve forgets a deleted dossier only when it happens to merge the segment, and a forced merge leaves a lone segment as it is.
// Dropping the identifier of a file, meant for a change of keys, rewrites exactly that file. The call itself looks for the end only
// every five seconds, so it runs aside and the files are watched here.
func (ix *Index) purge(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var rewriting chan error
	for n := 1; ; n++ {
		dirty, stale, err := ix.residue()
		switch {
		case err != nil:
			return err
		case len(dirty) == 0 && !stale:
			return syncDir(filepath.Join(ix.dir, "store"))
		case len(dirty) > 0 && rewriting == nil:
			rewriting = ix.rewrite(dirty)
		case len(dirty) == 0 && n%10 == 0:
			// old files go when the next change is written, and perhaps there is none
			if err := ix.bleve.SetInternal(purgeKey, []byte{1}); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-rewriting:
			if err != nil {
				return err
			}
			rewriting = nil
		case <-tick.C:
		}
	}
}

func (ix *Index) rewrite(files map[string]struct{}) chan error {
	done := make(chan error, 1)
	ix.rewrites.Go(func() { done <- ix.engine.DropFileWriterIDs(files) })
	return done
}

// residue lists the identifiers of files that hold deleted dossiers, and tells whether there are files the index no longer uses.
func (ix *Index) residue() (dirty map[string]struct{}, stale bool, err error) {
	entries, err := os.ReadDir(filepath.Join(ix.dir, "store")) // first, so that a file made since is not taken for an old one
	if err != nil {
		return nil, false, err
	}
	dirty = map[string]struct{}{}
	used := map[string]bool{}
	err = ix.read(func(r api.IndexReader) error {
		snapshot, ok := r.(*scorch.IndexSnapshot)
		if !ok {
			return errors.New("unknown reader")
		}
		for _, s := range snapshot.Segments() {
			file, ok := s.Segment().(interface {
				Path() string
				CallbackId() string
			})
			if !ok {
				stale = true // not yet a file: look again
				continue
			}
			used[filepath.Base(file.Path())] = true
			if s.Deleted() != nil && !s.Deleted().IsEmpty() {
				dirty[file.CallbackId()] = struct{}{}
			}
		}
		return nil
	})
	for _, e := range entries {
		stale = stale || filepath.Ext(e.Name()) == ".zap" && !used[e.Name()]
	}
	return dirty, stale, err
}
