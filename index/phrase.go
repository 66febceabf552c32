package index

import (
	"context"
	"errors"
	"slices"

	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
	api "github.com/blevesearch/bleve_index_api"
)

// foldedPhrase finds words in this order, whatever their accents: each stands for all its spellings that occur in the index.
type foldedPhrase struct {
	letters *alphabet
	words   []word
}

// Searcher looks up the spellings and leaves the rest to bleve.
func (p foldedPhrase) Searcher(ctx context.Context, r api.IndexReader, _ mapping.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	places := make([][]string, len(p.words))
	for i, w := range p.words {
		spellings, err := p.spellings(r, string(w.folded))
		if err != nil {
			return nil, err
		}
		if len(spellings) == 0 { // bleve would take it for a gap
			return searcher.NewMatchNoneSearcher(r)
		}
		places[i] = spellings
	}
	return searcher.NewMultiPhraseSearcher(ctx, r, places, 0, false, fieldExact, weightExact, o)
}

func (p foldedPhrase) spellings(r api.IndexReader, folded string) ([]string, error) {
	if !slices.ContainsFunc([]byte(folded), func(c byte) bool { return c >= 'a' && c <= 'z' }) {
		return []string{folded}, nil
	}
	dict, ok := r.(api.IndexReaderRegexp)
	if !ok {
		return nil, errors.New("no search by pattern")
	}
	found, err := dict.FieldDictRegexp(fieldExact, p.letters.spellings(folded))
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		e, err := found.Next()
		if err != nil || e == nil {
			return out, errors.Join(err, found.Close())
		}
		out = append(out, e.Term)
	}
}
