package index

// What the tests look at from inside.

// Canonical is the form of one word, with and without accents.
func Canonical(word string) (exact, folded string) {
	a := newAlphabet()
	c := a.canonical(word)
	return c, a.fold(c)
}

// Identifier is the form of a code or number.
func Identifier(s string) string { return newAlphabet().identifier(s) }

// Words splits a text and returns the exact words, the pairs and the numbers in it.
func Words(text string) (exact, near, numbers []string) {
	a := newAnalyzer()
	words := a.words([]byte(text))
	for _, w := range words {
		exact = append(exact, string(w.exact))
	}
	for _, p := range pairs(words) {
		near = append(near, string(p))
	}
	b := &builder{words: a, numbers: map[string]bool{}}
	a.numbers([]byte(text), words, b.numbers, maxNumbers)
	return exact, near, b.sortedNumbers()
}
