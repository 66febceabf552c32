package index

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	api "github.com/blevesearch/bleve_index_api"
)

// A Query says which dossiers to find. Every condition that is set must hold; the zero Query finds all.
type Query struct {
	Text       string    // words (all of them), codes and numbers (whole or their beginning), "phrases in quotes"
	Code       string    // dossier code or archive code, or its beginning
	ID         string    // of the dossier itself
	Agency     string    // identifier of an agency: it and all below it
	Procedure  string    // code of the procedure
	PersonalID string    // of a person concerned, whole
	Class      string    // class of the retention schedule
	Group      string    // code of the group of interconnected dossiers, whole
	From, To   time.Time // the period of the dossier ends at or after From and before To

	// Agencies (each with all below it) and Access are what the caller may see: nil means everything, an empty list nothing. They are part of the query
	// itself, so that totals and pages count only what is allowed.
	Agencies []string
	Access   []string

	Offset int // hits to skip
	Limit  int // hits to return; 0: 20, at most 200
}

// A Result is one page of the answer.
type Result struct {
	Total   uint64 // dossiers that match
	Relaxed bool   // no dossier has all the words: these have some of them
	Hits    []Hit  // best first; without a text, the latest first
	Took    time.Duration
}

// A Hit is one dossier found.
type Hit struct {
	ID, Code, Title, Agency, Procedure, Class, Access string
	ArchiveCode, Group                                string // Group is searched for with Query.Group
	Begin, End                                        time.Time
	Score                                             float64
	Document                                          string     // name of the document that fits best, empty if none does
	Snippet                                           []Fragment // from that document
}

// A Fragment is a piece of a snippet. Showing it is the caller's business: it is text, not markup.
type Fragment struct {
	Text string
	Lit  bool // to be highlighted
}

const (
	defaultLimit = 20
	maxLimit     = 200
	maxDepth     = 10_000
	maxScope     = 10_000
)

// Search answers a query. Unacceptable queries give an error that wraps ErrQuery.
func (ix *Index) Search(ctx context.Context, q *Query) (*Result, error) {
	p, err := q.page()
	if err != nil {
		return nil, err
	}
	t, err := ix.words.parse(q.Text)
	if err != nil {
		return nil, err
	}
	hasText := strings.TrimSpace(q.Text) != ""
	if hasText && len(t.must) == 0 || closed(q.Agencies) || closed(q.Access) {
		return &Result{}, nil
	}
	filter := ix.filter(q)
	if !hasText {
		return ix.list(ctx, filter, p)
	}
	r, err := ix.run(ctx, t, t.query(false, filter), p)
	if err != nil || r.Total > 0 || len(t.must) < 2 {
		return r, err
	}
	again, err := ix.run(ctx, t, t.query(true, filter), p)
	if err != nil {
		return nil, err
	}
	again.Took += r.Took
	again.Relaxed = again.Total > 0
	return again, nil
}

// page is the stretch of hits asked for.
type page struct{ offset, limit int }

func (q *Query) page() (page, error) {
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if limit < 0 || limit > maxLimit || q.Offset < 0 || q.Offset > maxDepth-limit {
		return page{}, fmt.Errorf("%w: page of %d after %d", ErrQuery, q.Limit, q.Offset)
	}
	if len(q.Agencies) > maxScope || len(q.Access) > maxScope {
		return page{}, fmt.Errorf("%w: scope of %d agencies", ErrQuery, len(q.Agencies))
	}
	return page{q.Offset, limit}, nil
}

// closed tells whether a scope lets nothing through.
func closed(scope []string) bool { return scope != nil && len(scope) == 0 }

// filter puts together the conditions other than the text; nil means none.
func (ix *Index) filter(q *Query) query.Query {
	var all []query.Query
	equal := func(field string, values ...string) {
		var any []query.Query
		for _, v := range values {
			any = append(any, term(field, v, 1))
		}
		all = append(all, query.NewDisjunctionQuery(any))
	}
	if q.ID != "" {
		all = append(all, query.NewDocIDQuery([]string{q.ID}))
	}
	if q.Code != "" {
		equal(fieldCode, numberTerm(ix.words.letters.identifier(q.Code)))
	}
	if q.Group != "" {
		equal(fieldGroup, ix.words.letters.identifier(q.Group))
	}
	if q.PersonalID != "" {
		equal(fieldPerson, ix.words.letters.identifier(q.PersonalID))
	}
	for field, value := range map[string]string{fieldAgency: q.Agency, fieldProcedure: q.Procedure, fieldClass: q.Class} {
		if value != "" {
			equal(field, value)
		}
	}
	if q.Agencies != nil {
		equal(fieldAgency, q.Agencies...)
	}
	if q.Access != nil {
		equal(fieldAccess, q.Access...)
	}
	if !q.From.IsZero() || !q.To.IsZero() {
		from, to := true, false
		d := query.NewDateRangeInclusiveQuery(q.From, q.To, &from, &to)
		d.SetField(fieldEnd)
		all = append(all, d)
	}
	if all == nil {
		return nil
	}
	return unscored{query.NewConjunctionQuery(all)}
}

// unscored is a condition that has no say in the order of the hits.
type unscored struct{ query.Query }

// Searcher has bleve work with bitmaps, as it does where no score is asked for.
func (u unscored) Searcher(ctx context.Context, r api.IndexReader, m mapping.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	return u.Query.Searcher(ctx, r, m, search.SearcherOptions{Score: "none"})
}

// list answers a query without a text.
func (ix *Index) list(ctx context.Context, filter query.Query, p page) (*Result, error) {
	if filter == nil {
		filter = query.NewMatchAllQuery()
	}
	req := bleve.NewSearchRequestOptions(filter, p.limit, p.offset, false)
	req.Score = "none"
	req.Fields = []string{fieldMeta}
	req.SortBy([]string{fieldOrder})
	return ix.answer(ctx, nil, req)
}

func (ix *Index) run(ctx context.Context, t *terms, q query.Query, p page) (*Result, error) {
	req := bleve.NewSearchRequestOptions(q, p.limit, p.offset, false)
	req.Fields = []string{fieldMeta, fieldText}
	req.SortBy([]string{"-_score", fieldOrder})
	return ix.answer(ctx, t, req)
}

func (ix *Index) answer(ctx context.Context, t *terms, req *bleve.SearchRequest) (r *Result, err error) {
	defer guard(&err)
	res, err := ix.bleve.SearchInContext(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("index: search: %w", err)
	}
	out := &Result{Total: res.Total, Took: res.Took, Hits: make([]Hit, 0, len(res.Hits))}
	for _, h := range res.Hits {
		hit, err := ix.hit(t, h)
		if err != nil {
			return nil, fmt.Errorf("index: hit: %w", err)
		}
		out.Hits = append(out.Hits, hit)
	}
	return out, nil
}

func (ix *Index) hit(t *terms, h *search.DocumentMatch) (Hit, error) {
	data, _ := h.Fields[fieldMeta].(string)
	var m meta
	if err := json.Unmarshal([]byte(data), &m); err != nil {
		return Hit{}, err
	}
	hit := Hit{ID: h.ID, Code: m.Code, Title: m.Title, Agency: m.Agency, Procedure: m.Procedure, Class: m.Class, Access: m.Access,
		ArchiveCode: m.ArchiveCode, Group: m.Group, Begin: m.Begin, End: m.End, Score: h.Score}
	if t != nil {
		text, _ := h.Fields[fieldText].(string)
		hit.Document, hit.Snippet = ix.words.snippet(t, m.Parts, text)
	}
	return hit, nil
}

// Code returns the dossier code of an ID; "" where the index does not have it.
func (ix *Index) Code(ctx context.Context, id string) string {
	r, err := ix.Search(ctx, &Query{ID: id, Limit: 1})
	if err != nil || len(r.Hits) == 0 {
		return ""
	}
	return r.Hits[0].Code
}
