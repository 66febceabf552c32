package index

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/blevesearch/bleve/v2/search/query"
)

const (
	maxQueryText  = 4 << 10 // bytes
	maxQueryTerms = 64
)

// Weights of the parts of a score, chosen on judged questions.
const (
	weightFolded = 0.2 // a word, its accents aside
	weightExact  = 1.0 // a word as written
	weightPairs  = 1.0 // neighbouring words
	weightHead   = 0.5 // a word of a title or name
	weightNumber = 4.0 // a code or number
)

// terms is what the text of a query asks for.
type terms struct {
	must   []query.Query // one for each word, number and phrase
	words  []word        // the free words
	pairs  [][]byte      // neighbouring free words
	lit    map[string]string
	marked bool // some word has an accent
}

// parse reads what people type: words, codes and numbers, and phrases in quotes.
func (a *analyzer) parse(text string) (*terms, error) {
	if len(text) > maxQueryText {
		return nil, fmt.Errorf("%w: %d bytes", ErrQuery, len(text))
	}
	t := &terms{lit: map[string]string{}}
	text = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`).Replace(text)
	for i, piece := range strings.Split(text, `"`) {
		if i%2 == 1 {
			t.phrase(a, a.words([]byte(piece)))
			continue
		}
		for _, field := range strings.Fields(piece) {
			words := a.words([]byte(field))
			if n := a.asNumber(field); n != "" && len(words) > 0 {
				t.number(n, words)
				continue
			}
			for _, w := range words {
				t.word(w)
			}
		}
		t.pairs = append(t.pairs, pairs(a.words([]byte(piece)))...)
	}
	if len(t.must) > maxQueryTerms {
		return nil, fmt.Errorf("%w: %d words", ErrQuery, len(t.must))
	}
	return t, nil
}

// asNumber returns the identifier in s if s looks like the beginning of a code or of a number that is worth it, else nothing.
func (a *analyzer) asNumber(s string) string {
	s = a.letters.identifier(strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
	digits, letters, marks := 0, 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		case strings.ContainsRune("/-.", r):
			marks++
		default:
			return ""
		}
	}
	if digits >= 6 || digits > 0 && len(s) >= 3 && letters+marks > 0 {
		return s
	}
	return ""
}

func (t *terms) light(words ...word) {
	for _, w := range words {
		t.lit[string(w.folded)] = string(w.exact)
	}
}

func (t *terms) word(w word) {
	t.light(w)
	t.words = append(t.words, w)
	t.must = append(t.must, term(fieldFolded, string(w.folded), weightFolded))
	t.marked = t.marked || string(w.exact) != string(w.folded)
}

// number asks for a code or number, whole or its beginning, or for its parts in this order.
func (t *terms) number(n string, words []word) {
	t.light(words...)
	parts := query.Query(term(fieldFolded, string(words[0].folded), 1))
	if len(words) > 1 {
		parts = exactPhrase(words)
	}
	t.must = append(t.must, query.NewDisjunctionQuery([]query.Query{term(fieldNumber, numberTerm(n), weightNumber), parts}))
}

// phrase asks for words in this order. Only the words as written have positions, so a phrase typed without any accent is first
// narrowed down by its pairs of neighbours.
func (t *terms) phrase(a *analyzer, words []word) {
	if len(words) == 0 {
		return
	}
	t.light(words...)
	for _, w := range words {
		if string(w.exact) != string(w.folded) {
			t.marked = true
			t.must = append(t.must, exactPhrase(words))
			return
		}
	}
	if len(words) == 1 {
		t.must = append(t.must, term(fieldFolded, string(words[0].folded), weightExact))
		return
	}
	all := []query.Query{foldedPhrase{a.letters, words}}
	for _, p := range pairs(words) {
		all = append(all, term(fieldPairs, string(p), weightPairs))
	}
	t.must = append(t.must, query.NewConjunctionQuery(all))
}

func exactPhrase(words []word) query.Query {
	p := make([]string, len(words))
	for i, w := range words {
		p[i] = string(w.exact)
	}
	return query.NewPhraseQuery(p, fieldExact)
}

func term(field, value string, weight float64) *query.TermQuery {
	q := query.NewTermQuery(value)
	q.SetField(field)
	q.SetBoost(weight)
	return q
}

// query puts the terms together: all of them must be found, or with relaxed, a third; how well they are found decides the order.
// Words typed with accents count most where they are written so; words typed without find every spelling alike.
func (t *terms) query(relaxed bool, filter query.Query) query.Query {
	var must query.Query = query.NewConjunctionQuery(t.must)
	if relaxed {
		some := query.NewDisjunctionQuery(t.must)
		some.SetMin(float64(max(1, len(t.must)/3)))
		must = some
	}
	var exact, head, near []query.Query
	for _, w := range t.words {
		if t.marked {
			exact = append(exact, term(fieldExact, string(w.exact), weightExact))
		} else {
			exact = append(exact, term(fieldFolded, string(w.folded), weightExact))
		}
		head = append(head, term(fieldHead, string(w.folded), weightHead))
	}
	for _, p := range t.pairs {
		near = append(near, term(fieldPairs, string(p), weightPairs))
	}
	var should []query.Query
	for _, qs := range [][]query.Query{exact, near, head} {
		if len(qs) > 0 {
			should = append(should, query.NewDisjunctionQuery(qs))
		}
	}
	all := []query.Query{must}
	if filter != nil {
		all = append(all, filter)
	}
	return query.NewBooleanQuery(all, should, nil)
}
