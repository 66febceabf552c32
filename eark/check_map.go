package eark

import "strings"

// structMap asks CSIP80 to CSIP112, CSIP116, CSIP118 and CSIP119.
func (c *checker) structMap(m *mets) {
	at := place{m, "mets/structMap", 0}
	var own []*node
	for _, s := range m.children("structMap") {
		if s.attr("LABEL") == "CSIP" {
			own = append(own, s)
		}
	}
	c.ask("CSIP80", at, len(own) == 1)
	if len(own) == 0 {
		c.ask("CSIP82", at, false)
		return
	}
	s := own[0]
	c.ask("CSIP81", at, s.attr("TYPE") == "PHYSICAL")
	c.ask("CSIP82", at, true)
	c.id("CSIP83", at, s)
	tops := s.children("div")
	c.ask("CSIP84", at, len(tops) == 1)
	if len(tops) == 0 {
		return
	}
	top := tops[0]
	at.el = "mets/structMap/div"
	c.id("CSIP85", at, top)
	// What representations put there varies; samples of the circular write the
	// folder's name.
	label, level := top.attr("LABEL"), Must
	if m != c.p.root {
		level = Should
	}
	c.askAs(level, "CSIP86", at, label != "" && (label == m.attr("OBJID") || m != c.p.root && m.dir == repFolder+label+"/"))
	c.metadataDiv(m, top)
	pointed := pointers(s)
	c.groupDiv(m, pointed, top, "Documentation", divRules{"CSIP93", "CSIP94", "CSIP96", "CSIP116"})
	c.groupDiv(m, pointed, top, "Schemas", divRules{"CSIP97", "CSIP98", "CSIP100", "CSIP118"})
	c.groupDiv(m, pointed, top, "Representations", divRules{"CSIP101", "CSIP102", "CSIP104", "CSIP119"})
	if m == c.p.root {
		c.representationDivs(m, s)
	}
}

// labelled returns the divisions below top with that label.
func labelled(top *node, label string) (list []*node) {
	for _, d := range top.children("div") {
		if d.attr("LABEL") == label {
			list = append(list, d)
		}
	}
	return list
}

func (c *checker) metadataDiv(m *mets, top *node) {
	at := place{m, "mets/structMap/div/div[Metadata]", 0}
	divs := labelled(top, "Metadata")
	c.ask("CSIP88", at, len(divs) == 1)
	c.ask("CSIP90", at, len(divs) == 1)
	if len(divs) == 0 {
		return
	}
	d := divs[0]
	c.id("CSIP89", at, d)
	current, all := sectionIDs(m.children("dmdSec"))
	if len(all) > 0 {
		c.references("CSIP92", at, d, "DMDID", current, all)
	}
	var sections []*node
	for _, s := range m.children("amdSec") {
		sections = append(sections, s.kids...)
	}
	current, all = sectionIDs(sections)
	if len(all) > 0 {
		c.references("CSIP91", at, d, "ADMID", current, append(all, administrativeIDs(m)...))
	}
}

// references asks that an attribute lists all current sections, and none that
// is not there.
func (c *checker) references(rule string, at place, d *node, attribute string, current, all []string) {
	listed := strings.Fields(d.attr(attribute))
	c.ask(rule, at, within(current, listed) && within(listed, all))
}

// sectionIDs returns the IDs of sections, first those that are not superseded.
func sectionIDs(sections []*node) (current, all []string) {
	for _, s := range sections {
		id := s.attr("ID")
		if id == "" {
			continue
		}
		all = append(all, id)
		if s.attr("STATUS") != "SUPERSEDED" {
			current = append(current, id)
		}
	}
	return current, all
}

// divRules are the numbers for a division that points to file groups: the
// division, its ID, its pointers, what they point to.
type divRules [4]string

// groupDiv asks that the file groups of one use and the divisions of that label
// belong together.
func (c *checker) groupDiv(m *mets, pointed map[string]bool, top *node, use string, rules divRules) {
	at := place{m, "mets/structMap/div/div[" + use + "]", 0}
	divs := labelled(top, use)
	if use != "Representations" && (m == c.p.root || c.folded[strings.ToLower(m.dir+use)]) {
		c.ask(rules[0], at, len(divs) > 0)
	}
	c.askAs(Must, rules[0], at, len(divs) <= 1)
	files := make(map[string]bool) // of the groups of that use
	for _, g := range m.groups {
		if !uses(use)(g) {
			continue
		}
		all := true
		for _, f := range g.children("file") {
			files[f.attr("ID")] = true
			all = all && pointed[f.attr("ID")]
		}
		if ok := pointed[g.attr("ID")] || all && len(g.kids) > 0; use == g.attr("USE") || use == "Representations" {
			c.ask(rules[2], at, ok)
			c.ask(rules[3], at, ok)
		}
	}
	for _, d := range divs {
		c.id(rules[1], at, d)
		for _, f := range d.children("fptr") {
			g := m.groupIDs[f.attr("FILEID")]
			ok := g != nil && uses(use)(g) || files[f.attr("FILEID")]
			c.ask(rules[2], at, ok)
			c.ask(rules[3], at, ok)
		}
	}
}

// pointers returns what fptr and mptr of a map name.
func pointers(s *node) map[string]bool {
	ids := make(map[string]bool)
	for n := range s.all() {
		switch n.name {
		case "fptr":
			ids[n.attr("FILEID")] = true
		case "mptr":
			ids[n.attr("xlink:title")] = true
		}
	}
	delete(ids, "")
	return ids
}

// representationDivs asks that every representation with METS has a division.
func (c *checker) representationDivs(m *mets, s *node) {
	covered := make(map[string]bool)
	i := 0
	for _, d := range s.find("div") {
		mptrs := d.children("mptr")
		if len(mptrs) == 0 {
			continue
		}
		i++
		at := place{m, "mets/structMap/div/div (mptr)", i}
		p := mptrs[0]
		ref, ok := c.p.resolve(m, p.attr("xlink:href"))
		covered[ref] = true
		c.id("CSIP106", at, d)
		c.ask("CSIP107", at, strings.EqualFold(d.attr("LABEL")+"/"+metsName, ref))
		c.ask("CSIP108", at, m.groupIDs[p.attr("xlink:title")] != nil)
		c.ask("CSIP109", at, len(mptrs) == 1)
		c.ask("CSIP110", at, ok)
		c.ask("CSIP111", at, p.attr("xlink:type") == "simple")
		c.ask("CSIP112", at, p.attr("LOCTYPE") == "URL")
	}
	for _, r := range c.p.reps {
		c.ask("CSIP105", file("/"+r.path), covered[r.path])
	}
}
