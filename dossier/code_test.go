package dossier_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/luutru/luutru/dossier"
)

func TestCanonicalCode(t *testing.T) {
	tests := []struct{ name, agency, code, want string }{
		{"new form", "H29.68", "H29.68-210630-0001", "H29.68-210630-0001"},
		{"old form, unit first", "H29.01", "000.00.01.H29-240115-0001", "H29.01-240115-0001"},
		{"old form, already reversed", "H29.01", "H29.01.00.000-240115-0001", "H29.01-240115-0001"},
		{"old form, two levels", "H29.98.38", "38.98.H29-210519-0013", "H29.98.38-210519-0013"},
		{"old form of the top itself", "H29", "000.00.00.H29-210519-0013", "H29-210519-0013"},
		{"zeros around", "H29.01", "000.H29.01-240115-0001", "H29.01-240115-0001"},
		{"zeros behind", "H29.01", "01.H29.000-240115-0001", "H29.01-240115-0001"},
		{"top on both ends stays", "H29", "B22.01.H29-240115-0001", "B22.01.H29-240115-0001"},
		{"long year is another code", "H29.01", "H29.01-20240115-0001", "H29.01-20240115-0001"},
		{"spaces, dashes, case", "H29.68", " h29.68 –\u00a0210630\u20110001\n", "H29.68-210630-0001"},
		{"the agency argument does not matter to a full code", "H30", "H29.68-210630-0001", "H29.68-210630-0001"},
		{"own form of a system", "H29.68", "MC/2021/17", "H29.68/MC/2021/17"},
		{"own form, old agency order", "000.00.68.h29", "mc 17", "H29.68/MC17"},
		{"own form with the agency already there", "H29.68", "H29.68/MC17", "H29.68/MC17"},
		{"no day", "H29.68", "H29.68-211330-0001", "H29.68/H29.68-211330-0001"},
		{"no ordinal", "H29.68", "H29.68-210630-", "H29.68/H29.68-210630-"},
		{"no top-level body", "H29.68", "123-210630-0001", "H29.68/123-210630-0001"},
		{"empty segment", "H29.68", "H29..68-210630-0001", "H29.68/H29..68-210630-0001"},
		{"a style to come", "H29.68", "H29.68.2027.000000123-X", "H29.68/H29.68.2027.000000123-X"},
		{"a style to come, of another agency", "H29.68", "DVCQG-000123456789", "H29.68/DVCQG-000123456789"},
		{"composed and decomposed", "H29.68", "hồ-1", "H29.68/HỒ-1"},
		{"decomposed", "H29.68", "ho\u0302\u0300-1", "H29.68/HỒ-1"},
		{"nothing", "", "", "/"},
	}
	for _, tt := range tests {
		if got := dossier.CanonicalCode(tt.agency, tt.code); got != tt.want {
			t.Errorf("%s: CanonicalCode(%q, %q) = %q, want %q", tt.name, tt.agency, tt.code, got, tt.want)
		}
	}
}

func ExampleCanonicalCode() {
	fmt.Println(dossier.CanonicalCode("H29.01", "000.00.01.H29-240115-0001"))
	fmt.Println(dossier.CanonicalCode("H29.01", "h29.01 – 240115 – 0001"))
	fmt.Println(dossier.CanonicalCode("H29.01", "TN/77"))
	// Output:
	// H29.01-240115-0001
	// H29.01-240115-0001
	// H29.01/TN/77
}

func FuzzCanonicalCode(f *testing.F) {
	for _, code := range []string{
		"H29.68-210630-0001", "000.00.01.H29-240115-0001", "01.H29.000-240115-0001", "B22.01.H29-240115-1",
		"H29.68/x", " h29 – 210630 - 1", "ı̇ŉǅß", "\xff-\u2028", "a\u0345\u0301", "/", "0.0",
	} {
		f.Add("H29.68", code)
		f.Add(code, code)
	}
	f.Fuzz(func(t *testing.T, agency, code string) {
		once := dossier.CanonicalCode(agency, code)
		if twice := dossier.CanonicalCode(agency, once); twice != once {
			t.Errorf("%q, %q: %q becomes %q", agency, code, once, twice)
		}
		if strings.ContainsAny(once, " \n\t\u2010\u2013") {
			t.Errorf("%q, %q: %q is not clean", agency, code, once)
		}
		if spaced := dossier.CanonicalCode(agency, " "+code+"\u00a0"); spaced != once {
			t.Errorf("%q, %q: spaces make %q of %q", agency, code, spaced, once)
		}
	})
}
