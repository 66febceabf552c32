package dossier

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// CanonicalCode returns the one form of a dossier code under which all its
// spellings meet (docs/format.md §3): old codes name the agency from the unit
// up, new ones from the top down, and both come with zeros, spaces and dashes
// of every kind. The canonical form of a canonical code is itself.
func CanonicalCode(agency, code string) string {
	code = clean(code)
	if part, rest, ok := splitCode(code); ok {
		return orderSegments(part) + rest
	}
	prefix := orderSegments(clean(agency)) + "/"
	if strings.HasPrefix(code, prefix) {
		return code
	}
	return prefix + code
}

func clean(s string) string {
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

// splitCode divides <agency>-<date>-<ordinal> before the date.
func splitCode(code string) (agency, rest string, ok bool) {
	parts := strings.Split(code, "-")
	if len(parts) != 3 || !isDay(parts[1]) || !isDigits(parts[2]) {
		return "", "", false
	}
	named := false
	for segment := range strings.SplitSeq(parts[0], ".") {
		if !isAlphanumeric(segment) {
			return "", "", false
		}
		named = named || isTop(segment)
	}
	return parts[0], "-" + parts[1] + "-" + parts[2], named
}

// orderSegments drops the segments that are zeros only and puts the top of the
// agency, one letter and two digits, first.
func orderSegments(agency string) string {
	var kept []string
	for segment := range strings.SplitSeq(agency, ".") {
		if segment != "" && strings.Trim(segment, "0") == "" {
			continue
		}
		kept = append(kept, segment)
	}
	if n := len(kept); n > 1 && isTop(kept[n-1]) && !isTop(kept[0]) {
		for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
			kept[i], kept[j] = kept[j], kept[i]
		}
	}
	return strings.Join(kept, ".")
}

// isTop reports whether a segment names a top-level body: H29, G09.
func isTop(s string) bool {
	return len(s) == 3 && s[0] >= 'A' && s[0] <= 'Z' && isDigits(s[1:])
}

// isDay reports whether s reads YYMMDD or YYYYMMDD.
func isDay(s string) bool {
	if (len(s) != 6 && len(s) != 8) || !isDigits(s) {
		return false
	}
	month, day := s[len(s)-4:len(s)-2], s[len(s)-2:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isAlphanumeric takes upper-case letters, as of a cleaned code.
func isAlphanumeric(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return s != ""
}
