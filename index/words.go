package index

import (
	"regexp"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
)

// A word is one syllable, number or foreign word of a text, with its place in the original bytes, so that what is shown is what
// was written, whatever the encoding of its accents.
type word struct {
	start, end int
	exact      []byte // canonical form
	folded     []byte // the same without accents
	joined     bool   // only white space or a hyphen lies between this word and the one before
}

// forms are the two spellings under which a word is indexed.
type forms struct{ exact, folded []byte }

// An analyzer turns texts into words. It is safe for concurrent use.
type analyzer struct {
	letters *alphabet
	number  *regexp.Regexp

	mu    sync.RWMutex
	cache map[string]forms
}

// Vietnamese has fewer than 10,000 syllables: with their capitals and both encodings they fit, and nearly every word is found.
const (
	maxCache     = 1 << 16
	maxCacheWord = 24
)

func newAnalyzer() *analyzer {
	return &analyzer{
		letters: newAlphabet(),
		// dossier codes in both styles, numbers of documents, numbers of 9 to 13 digits (identity cards, personal IDs, taxpayers)
		number: regexp.MustCompile(`^(?:(?:\d{1,3}\.){0,5}[A-Za-z]\d{2}(?:\.\d{1,4})*-\d{6,8}-\d{3,7}` +
			`|\d{1,6}(?:/\d{4})?/\p{Lu}[\p{Lu}\d]*(?:-[\p{Lu}\d]+)*` +
			`|\d{9,13}\b)`),
		cache: map[string]forms{},
	}
}

// words splits a text. Words longer than maxWord bytes are left out: they are noise, and no term may be longer than 64 KiB.
func (a *analyzer) words(text []byte) []word {
	const maxWord = 256
	out := make([]word, 0, len(text)/5+1)
	joined := false
	for i := 0; i < len(text); {
		n, in := wordRune(text[i:])
		if !in {
			joined = joined && joins(text[i])
			i += n
			continue
		}
		start := i
		for i < len(text) {
			if n, in = wordRune(text[i:]); !in {
				break
			}
			i += n
		}
		if i-start > maxWord {
			joined = false
			continue
		}
		f := a.forms(text[start:i])
		out = append(out, word{start: start, end: i, exact: f.exact, folded: f.folded, joined: joined})
		joined = true
	}
	return out
}

func joins(c byte) bool { return c == ' ' || c == '-' || c == '\n' || c == '\r' || c == '\t' }

// wordRune measures the first character of text and tells whether it is part of a word.
func wordRune(text []byte) (int, bool) {
	if c := text[0]; c < utf8.RuneSelf {
		return 1, c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	r, n := utf8.DecodeRune(text)
	return n, unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func (a *analyzer) forms(raw []byte) forms {
	if len(raw) > maxCacheWord {
		return a.makeForms(string(raw))
	}
	a.mu.RLock()
	f, ok := a.cache[string(raw)]
	a.mu.RUnlock()
	if ok {
		return f
	}
	s := string(raw)
	f = a.makeForms(s)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.cache) >= maxCache {
		a.cache = map[string]forms{}
	}
	a.cache[s] = f
	return f
}

func (a *analyzer) makeForms(s string) forms {
	c := a.letters.canonical(s)
	exact := []byte(c)
	if f := a.letters.fold(c); f != c {
		return forms{exact, []byte(f)}
	}
	return forms{exact, exact}
}

// pairs returns the folded forms of neighbouring words, as "word_word".
func pairs(words []word) [][]byte {
	out := make([][]byte, 0, len(words))
	for i := 1; i < len(words); i++ {
		if words[i].joined {
			out = append(out, pair(words[i-1], words[i]))
		}
	}
	return out
}

func pair(a, b word) []byte {
	p := make([]byte, 0, len(a.folded)+1+len(b.folded))
	p = append(p, a.folded...)
	p = append(p, '_')
	return append(p, b.folded...)
}

// numbers returns the distinct codes and numbers in a text, at most limit of them, as identifiers.
func (a *analyzer) numbers(text []byte, words []word, seen map[string]bool, limit int) {
	const longest = 64
	done := 0
	for _, w := range words {
		if len(seen) >= limit {
			return
		}
		if w.start < done || !hasDigit(text[w.start:w.end]) {
			continue
		}
		m := a.number.Find(text[w.start:min(len(text), w.start+longest)])
		if m == nil {
			continue
		}
		done = w.start + len(m)
		if done < len(text) {
			if _, in := wordRune(text[done:]); in {
				continue
			}
		}
		seen[a.letters.identifier(string(m))] = true
	}
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			return true
		}
	}
	return false
}

// A passage is one value of the text fields. bleve analyses the fields of a document one after the other: the first to come
// splits the text for all three.
type passage struct {
	a     *analyzer
	text  []byte
	once  sync.Once
	words []word
}

func (p *passage) split() []word {
	p.once.Do(func() { p.words = p.a.words(p.text) })
	return p.words
}

// A view is a passage as one text field sees it.
type view struct {
	*passage
	terms func([]word) analysis.TokenStream
}

func (v view) Analyze([]byte) analysis.TokenStream { return v.terms(v.split()) }

func exactTerms(words []word) analysis.TokenStream {
	return stream(len(words), func(i int, t *analysis.Token) {
		t.Term, t.Start, t.End, t.Position = words[i].exact, words[i].start, words[i].end, i+1
	})
}

func foldedTerms(words []word) analysis.TokenStream {
	return stream(len(words), func(i int, t *analysis.Token) { t.Term = words[i].folded })
}

func pairTerms(words []word) analysis.TokenStream {
	p := pairs(words)
	return stream(len(p), func(i int, t *analysis.Token) { t.Term = p[i] })
}

// stream makes n tokens in two allocations.
func stream(n int, fill func(int, *analysis.Token)) analysis.TokenStream {
	tokens := make([]analysis.Token, n)
	out := make(analysis.TokenStream, n)
	for i := range tokens {
		fill(i, &tokens[i])
		out[i] = &tokens[i]
	}
	return out
}
