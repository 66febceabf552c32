package index

// A snippet is looked for in the first part of what a dossier says; the rest would cost more than it tells.
const (
	snippetText  = 512 << 10 // bytes looked at for one hit
	snippetWords = 36        // words shown
	snippetLead  = 6         // of them before the first word found
	snippetGap   = 40        // bytes shown of what lies between two words
)

// window is a stretch of words and how well it fits.
type window struct {
	text       []byte
	words      []word
	first, end int
	score      float64
	part       int
}

// snippet finds the document and the place in it that fit a query best.
func (a *analyzer) snippet(t *terms, parts []metaPart, text string) (document string, fragments []Fragment) {
	var best window
	budget := snippetText
	for i, p := range parts {
		if p.Size > len(text) || budget <= 0 {
			break
		}
		part := []byte(clean(text[:p.Size], budget))
		text = text[p.Size:]
		budget -= len(part)
		if w := a.bestWindow(t, part); w.score > best.score {
			w.part = i
			best = w
		}
	}
	if best.score == 0 {
		return "", nil
	}
	return parts[best.part].Name, best.fragments(t)
}

// bestWindow slides over the words and counts which of those asked for are in sight: each once, more if written as asked, and a
// little for standing together.
func (a *analyzer) bestWindow(t *terms, text []byte) window {
	w := window{text: text, words: a.words(text)}
	var found []int // places of words asked for
	for i := range w.words {
		if _, ok := t.lit[string(w.words[i].folded)]; ok {
			found = append(found, i)
		}
	}
	for n, i := range found {
		seen := map[string]float64{}
		score, last := 0.0, i
		for m := n; m < len(found) && found[m] < i+snippetWords-snippetLead; m++ {
			at := w.words[found[m]]
			worth := 1.0
			if t.lit[string(at.folded)] == string(at.exact) {
				worth = 1.5
			}
			if m > n && found[m] == found[m-1]+1 {
				score += 0.25 / float64(1+len(seen))
			}
			if have := seen[string(at.folded)]; worth > have {
				score += worth - have
				seen[string(at.folded)] = worth
				last = found[m]
			}
		}
		if score > w.score {
			w.score = score
			w.first = max(0, i-snippetLead)
			w.end = min(len(w.words), max(last+1, w.first+snippetWords))
		}
	}
	return w
}

// fragments cuts the window into pieces. Words that are lit up side by side make one piece.
func (w window) fragments(t *terms) []Fragment {
	var out []Fragment
	add := func(s string, lit bool) {
		switch n := len(out); {
		case s == "":
		case n > 0 && out[n-1].Lit == lit:
			out[n-1].Text += s
		default:
			out = append(out, Fragment{Text: s, Lit: lit})
		}
	}
	at := w.words[w.first].start
	before := false
	for _, word := range w.words[w.first:w.end] {
		_, lit := t.lit[string(word.folded)]
		add(clean(string(w.text[at:word.start]), snippetGap), lit && before && word.joined)
		add(string(w.text[word.start:word.end]), lit)
		at, before = word.end, lit
	}
	return out
}
