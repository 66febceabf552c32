package eark

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	maxListed  = 1000 // violations of a report
	maxPerRule = 20   // and of one rule
)

// Check returns every requirement that the package does not meet: structure,
// METS, and the digest of every file, each read once. Where the bytes could not
// be read to their end, or ctx was cancelled, the last violation is of rule "read".
func (p *Package) Check(ctx context.Context) []Violation {
	r, err := p.Inspect(ctx, true)
	if err != nil {
		return append(r.Violations, Violation{"read", Must, "",
			"Không đọc hết được gói tin; hãy thử lại.", "The package could not be read to its end; try again."})
	}
	return r.Violations
}

// Inspect does what [Package.Check] does and says besides which rules were
// asked. With content unset the documents' bytes are not read, for a caller that
// reads them through [Package.Open] anyway; the digests of metadata are held to
// METS all the same. Errors are those of ctx and of the reader beneath; the report
// holds what was found until then.
func (p *Package) Inspect(ctx context.Context, content bool) (*Report, error) {
	c := checker{p: p, asks: make(map[string]Requirement), order: make(map[string]int), failed: make(map[string]int), ids: make(map[string]int)}
	c.report.Asked = make(map[string]int)
	for i, r := range Requirements() {
		c.asks[r.Rule], c.order[r.Rule] = r, i
	}
	c.structure()
	if p.root != nil {
		for _, m := range p.allMETS() {
			c.countIDs(m)
			c.rootElement(m)
			c.headerElement(m)
			c.profile(m)
			c.descriptive(m)
			c.administrative(m)
			c.fileSection(m)
			c.structMap(m)
		}
		c.circular()
	}
	err := c.fixity(ctx, content)
	slices.SortStableFunc(c.report.Violations, func(a, b Violation) int {
		return cmp.Or(rank(a.Level)-rank(b.Level), c.order[a.Rule]-c.order[b.Rule])
	})
	return &c.report, err
}

func rank(l Level) int {
	return slices.Index([]Level{Must, Should, May}, l)
}

// A checker asks the requirements of one package.
type checker struct {
	p      *Package
	asks   map[string]Requirement
	order  map[string]int // of the rules, in the specifications
	failed map[string]int
	ids    map[string]int // how often an xml:id stands in the METS file under way
	report Report

	folders map[string]bool // of the package, as deep as a file group's name goes
	folded  map[string]bool // the same in lower case
}

// A place is where something was asked; it is written out only where that is
// missing.
type place struct {
	m  *mets
	el string
	i  int // which of its kind, from 1; 0 where there is one
}

// String writes the place out.
func (a place) String() string {
	if a.i == 0 {
		return a.m.path + " " + a.el
	}
	return fmt.Sprintf("%s %s[%d]", a.m.path, a.el, a.i)
}

// ask records that a rule was asked, and what is missing.
func (c *checker) ask(rule string, at fmt.Stringer, ok bool) {
	c.askAs(c.asks[rule].Level, rule, at, ok)
}

// askAs asks a rule at a level of its own: what a SHOULD says of its details is
// often a MUST.
func (c *checker) askAs(level Level, rule string, at fmt.Stringer, ok bool) {
	c.report.Asked[rule]++
	if ok {
		return
	}
	c.add(Violation{rule, level, at.String(), c.asks[rule].Vietnamese, c.asks[rule].English})
}

func (c *checker) add(v Violation) {
	if v.Level == Must {
		c.report.musts++
	}
	if c.failed[v.Rule]++; c.failed[v.Rule] > maxPerRule || len(c.report.Violations) == maxListed {
		c.report.More++
		return
	}
	c.report.Violations = append(c.report.Violations, v)
}

// A file of the package as a place.
type file string

// String returns the path.
func (f file) String() string { return string(f) }

func (c *checker) countIDs(m *mets) {
	clear(c.ids)
	for n := range m.node.all() {
		if id := n.attr("ID"); id != "" {
			c.ids[id]++
		}
	}
}

// id asks for an identifier that no other element of the METS file has. METS of
// the package and of a representation may give one file one identifier.
func (c *checker) id(rule string, at place, n *node) {
	c.ask(rule, at, isNCName(n.attr("ID")) && c.ids[n.attr("ID")] == 1)
}

// isNCName holds for what XML Schema takes as xs:ID, for letters of any script.
func isNCName(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\n:/#?&;,()[]{}\"'<>*+=!@$%^|\\~`") && !strings.ContainsRune("0123456789-.", rune(s[0]))
}

// isTime holds for xs:dateTime.
func isTime(s string) bool {
	_, ok := parseTime(s)
	return ok
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

const maxUse = 8 // folders in the name of a file group

func (c *checker) listFolders() {
	c.folders, c.folded = make(map[string]bool), make(map[string]bool)
	for _, f := range c.p.files.list() {
		depth := 0
		for i := 0; i < len(f.path) && depth < maxUse; i++ {
			if f.path[i] == '/' {
				depth++
				c.folders[f.path[:i]] = true
			}
		}
	}
	for f := range c.folders {
		c.folded[strings.ToLower(f)] = true
	}
}

// structure asks for the folders of the package.
func (c *checker) structure() {
	c.listFolders()
	folders, files := c.folders, c.p.files.list()
	reps := make(map[string]bool)
	beside := false
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f.path, repFolder); ok {
			name, _, inside := strings.Cut(rest, "/")
			if inside {
				reps[name] = true
			}
			beside = beside || !inside
		}
	}
	c.ask("CSIPSTR1", file("/"), !c.p.loose && len(files) > 0)
	_, there := c.p.files.stat(metsName)
	c.ask("CSIPSTR4", file("/METS.xml"), there)
	for _, v := range c.p.broken {
		c.report.Asked[v.Rule]++
		c.add(v)
	}
	c.ask("CSIPSTR5", file("/metadata"), folders["metadata"])
	c.ask("CSIPSTR9", file("/representations"), folders["representations"])
	c.ask("CSIPSTR15", file("/schemas"), folders["schemas"])
	c.ask("CSIPSTR16", file("/documentation"), folders["documentation"])
	if folders["metadata"] {
		c.ask("CSIPSTR7", file("/metadata/descriptive"), folders["metadata/descriptive"])
	}
	if folders["representations"] {
		c.ask("CSIPSTR10", file("/representations"), len(reps) > 0 && !beside)
	}
	for _, name := range slices.Sorted(maps.Keys(reps)) {
		at := repFolder + name
		_, own := c.p.files.stat(at + "/" + metsName)
		c.ask("CSIPSTR11", file("/"+at+"/data"), folders[at+"/data"])
		c.ask("CSIPSTR12", file("/"+at+"/METS.xml"), own)
		c.ask("CSIPSTR13", file("/"+at+"/metadata"), folders[at+"/metadata"])
	}
}
