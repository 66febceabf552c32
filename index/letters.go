package index

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A letter is a Vietnamese vowel taken apart: its base with circumflex, breve or horn, and its tone mark.
type letter struct{ base, tone rune }

// An alphabet knows the Vietnamese letters. It never changes once made.
type alphabet struct {
	split map[rune]letter
	join  map[letter]rune
	plain map[rune]rune // base with quality mark -> Latin letter
}

func newAlphabet() *alphabet {
	a := &alphabet{
		split: map[rune]letter{},
		join:  map[letter]rune{},
		plain: map[rune]rune{'â': 'a', 'ă': 'a', 'ê': 'e', 'ô': 'o', 'ơ': 'o', 'ư': 'u', 'đ': 'd'},
	}
	for _, base := range "aăâeêioôơuưy" {
		a.add(base, letter{base, 0})
		for _, tone := range "\u0300\u0301\u0303\u0309\u0323" {
			whole := norm.NFC.String(string(base) + string(tone))
			if r, n := utf8.DecodeRuneInString(whole); n == len(whole) {
				a.add(r, letter{base, tone})
			}
		}
	}
	return a
}

func (a *alphabet) add(r rune, l letter) {
	a.split[r] = l
	a.join[l] = r
}

// canonical brings one word to the form under which all its spellings meet: lower case, composed, the tone mark on the vowel the
// rule gives it (hoà = hòa, qúy = quý), y as i where the schools allow both (lý = lí, công ty = công ti).
// Words that are not one Vietnamese syllable are only composed and lower-cased.
func (a *alphabet) canonical(word string) string {
	word = lower(word)
	syllable, tone, ok := a.spell(word)
	if !ok {
		return word
	}
	if tone != 0 {
		p := tonePlace(syllable)
		if p < 0 {
			return word
		}
		if r, ok := a.join[letter{syllable[p], tone}]; ok {
			syllable[p] = r
		}
	}
	return a.foldY(string(syllable))
}

// lower composes and lower-cases s, and writes đ for the Icelandic eth that some keyboards and fonts give instead.
func lower(s string) string {
	return strings.ReplaceAll(strings.ToLower(norm.NFC.String(s)), "ð", "đ")
}

// spell takes the tone mark off a word; not ok if the word is not written like one syllable.
func (a *alphabet) spell(word string) (letters []rune, tone rune, ok bool) {
	const longest = 8 // nghiêng has 7
	letters = make([]rune, 0, longest)
	for _, r := range word {
		l, isVowel := a.split[r]
		switch {
		case len(letters) == longest, isVowel && l.tone != 0 && tone != 0, !isVowel && r != 'đ' && (r < 'a' || r > 'z'):
			return nil, 0, false
		case isVowel:
			tone |= l.tone
			r = l.base
		}
		letters = append(letters, r)
	}
	return letters, tone, true
}

// tonePlace tells which letter of a syllable carries the tone mark, or -1 if the letters are not one syllable.
func tonePlace(s []rune) int {
	first := slices.IndexFunc(s, isVowel)
	if first < 0 {
		return -1
	}
	if first == 1 && isGlide(s) {
		first++
	}
	vowels := s[first:]
	if n := slices.IndexFunc(vowels, func(r rune) bool { return !isVowel(r) }); n >= 0 {
		if slices.ContainsFunc(vowels[n:], isVowel) {
			return -1
		}
		vowels = vowels[:n]
	}
	marked := -1
	for i, r := range vowels {
		if strings.ContainsRune("ăâêôơư", r) {
			marked = i
		}
	}
	open := first+len(vowels) == len(s)
	switch n := len(vowels); {
	case marked >= 0:
		return first + marked
	case n == 1 || n == 2 && open:
		return first
	case n <= 3:
		return first + 1
	}
	return -1
}

// isGlide tells whether s begins with qu or gi as a consonant, which they are when another vowel follows.
func isGlide(s []rune) bool {
	return len(s) > 2 && isVowel(s[2]) && (s[0] == 'q' && s[1] == 'u' || s[0] == 'g' && s[1] == 'i')
}

func isVowel(r rune) bool { return strings.ContainsRune("aăâeêioôơuưy", r) }

// foldY writes i for y, with any tone, where it is the only vowel of an open syllable after h, k, l, m, s, t or qu.
func (a *alphabet) foldY(s string) string {
	r, n := utf8.DecodeLastRuneInString(s)
	l, ok := a.split[r]
	if !ok || l.base != 'y' {
		return s
	}
	switch head := s[:len(s)-n]; head {
	case "h", "k", "l", "m", "s", "t", "qu":
		return head + string(a.join[letter{'i', l.tone}])
	}
	return s
}

// fold takes every accent off a canonical word, and writes d for đ.
func (a *alphabet) fold(word string) string {
	if isASCII(word) {
		return word
	}
	var b strings.Builder
	b.Grow(len(word))
	for _, r := range word {
		if l, ok := a.split[r]; ok {
			r = l.base
		}
		if p, ok := a.plain[r]; ok {
			r = p
		}
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, d := range norm.NFD.String(string(r)) {
			if !unicode.Is(unicode.Mn, d) {
				b.WriteRune(d)
			}
		}
	}
	return b.String()
}

// spellings is a regular expression for the canonical words that fold to the same as word.
func (a *alphabet) spellings(word string) string {
	var b strings.Builder
	for _, r := range word {
		class := string(r)
		for marked, l := range a.split {
			if base := l.base; marked != r && (base == r || a.plain[base] == r) {
				class += string(marked)
			}
		}
		if r == 'd' {
			class = "dđ"
		}
		if class == string(r) {
			b.WriteString(regexp.QuoteMeta(class))
			continue
		}
		b.WriteString("[" + class + "]")
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// identifier is the form in which codes and numbers are compared: folded, upper case, without spaces, every dash a hyphen.
func (a *alphabet) identifier(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.Pd, r):
			return '-'
		}
		return unicode.ToUpper(r)
	}, a.fold(lower(s)))
}
