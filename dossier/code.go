package dossier

import (
	"strings"

	"github.com/luutru/luutru/agency"
)

// CanonicalCode returns the one form of a dossier code under which all its
// spellings meet (docs/format.md §3): old codes name the agency from the unit
// up, new ones from the top down, and both come with zeros, spaces and dashes
// of every kind. The canonical form of a canonical code is itself.
func CanonicalCode(agencyID, code string) string {
	code = clean(code)
	if part, rest, ok := splitCode(code); ok {
		return canonicalAgency(part) + rest
	}
	prefix := canonicalAgency(agencyID) + "/"
	if strings.HasPrefix(code, prefix) {
		return code
	}
	return prefix + code
}

func clean(s string) string { return agency.Clean(s) }

func canonicalAgency(id string) string { return agency.Canonical(id) }

// splitCode divides <agency>-<date>-<ordinal> before the date.
func splitCode(code string) (unit, rest string, ok bool) {
	parts := strings.Split(code, "-")
	if len(parts) != 3 || !isDay(parts[1]) || !isDigits(parts[2]) {
		return "", "", false
	}
	named := false
	for segment := range strings.SplitSeq(parts[0], ".") {
		if !isAlphanumeric(segment) {
			return "", "", false
		}
		named = named || agency.IsTop(segment)
	}
	return parts[0], "-" + parts[1] + "-" + parts[2], named
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
