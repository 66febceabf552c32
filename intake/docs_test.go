package intake_test

import (
	"os"
	"strings"
	"testing"

	"github.com/luutru/luutru/intake"
)

// The vendors' guide lists every rule, with what becomes of it.
func TestGuideListsEveryRule(t *testing.T) {
	guide, err := os.ReadFile("../docs/vendors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range intake.Rules() {
		line := ""
		for l := range strings.Lines(string(guide)) {
			if strings.HasPrefix(l, "| `"+r.Code+"` |") {
				line = l
			}
		}
		if !strings.Contains(line, "| "+string(r.Default)+" |") {
			t.Errorf("docs/vendors.md: %s, %s, is not there so: %q", r.Code, r.Default, line)
		}
	}
}
