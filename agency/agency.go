// Package agency knows which agency took the place of which: identifiers of the
// administrative units that were merged or abolished, so that dossiers keep the
// identifier under which they were settled and the successor still reaches them.
//
// The built-in table holds the People's Committees of the provinces: 63 until
// 30 June 2025, 34 since (Resolution 202/2025/QH15). A row says where it was
// read and how sure it is. It knows no unit below the provinces: districts were
// abolished on 1 July 2025 and communes merged by some thirty resolutions, and
// no public list ties the communes' identifiers of before to those of after. A
// province that needs them gives a table of its own ([Parse]). [History.Covers]
// follows no inferred row, and most of the built-in ones are: an operator who
// has the decision's annex before them marks the rows as read.
package agency

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is the longest identifier, in characters (Decision 20/2020/QĐ-TTg).
const MaxLength = 35

// Canonical returns the one form of an identifier: upper case, without white
// space, dashes of every kind as '-', segments of zeros only dropped, and the
// top of the agency (one letter and two digits) first. Identifiers before
// Decision 20/2020/QĐ-TTg name the unit first: 000.00.68.H29 is H29.68.
func Canonical(id string) string {
	var kept []string
	for segment := range strings.SplitSeq(Clean(id), ".") {
		if segment != "" && strings.Trim(segment, "0") == "" {
			continue
		}
		kept = append(kept, segment)
	}
	if n := len(kept); n > 1 && IsTop(kept[n-1]) && !IsTop(kept[0]) {
		for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
			kept[i], kept[j] = kept[j], kept[i]
		}
	}
	return strings.Join(kept, ".")
}

// Clean brings a code to upper-case NFC without white space, with '-' for
// dashes of every kind (U+2010 to U+2015).
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r >= '\u2010' && r <= '\u2015':
			return '-'
		}
		return r
	}, s)
	return norm.NFC.String(strings.ToUpper(norm.NFC.String(s)))
}

// IsTop reports whether a segment of a clean identifier names a body of the
// first level: H29, G09.
func IsTop(s string) bool {
	return len(s) == 3 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9'
}
