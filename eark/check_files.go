package eark

import (
	"slices"
	"strings"
)

// referenceRules are the numbers of the requirements for a reference: locator
// type, link type, location, metadata type, media type, size, creation, digest,
// digest type.
type referenceRules [9]string

func dmdRules() referenceRules {
	return referenceRules{"CSIP22", "CSIP23", "CSIP24", "CSIP25", "CSIP26", "CSIP27", "CSIP28", "CSIP29", "CSIP30"}
}

func digiprovRules() referenceRules {
	return referenceRules{"CSIP36", "CSIP37", "CSIP38", "CSIP39", "CSIP40", "CSIP41", "CSIP42", "CSIP43", "CSIP44"}
}

func rightsRules() referenceRules {
	return referenceRules{"CSIP49", "CSIP50", "CSIP51", "CSIP52", "CSIP53", "CSIP54", "CSIP55", "CSIP56", "CSIP57"}
}

// fileRules has no metadata type.
func fileRules() referenceRules {
	return referenceRules{"CSIP77", "CSIP78", "CSIP79", "", "CSIP68", "CSIP69", "CSIP70", "CSIP71", "CSIP72"}
}

// mdRef asks for everything about one reference to a metadata file.
func (c *checker) mdRef(m *mets, n *node, at place, rules referenceRules) {
	c.locator(m, n, at, rules)
	c.ask(rules[3], at, isMetadataType(n.attr("MDTYPE")) && (n.attr("MDTYPE") != "OTHER" || n.attr("OTHERMDTYPE") != ""))
	c.described(n, at, rules)
}

// locator asks how a reference is written, and that it leads to a file.
func (c *checker) locator(m *mets, n *node, at place, rules referenceRules) {
	c.ask(rules[0], at, n.attr("LOCTYPE") == "URL")
	c.ask(rules[1], at, n.attr("xlink:type") == "simple")
	_, ok := c.p.resolve(m, n.attr("xlink:href"))
	c.ask(rules[2], at, ok)
}

// described asks for what is said of the file; fixity holds the file to it.
func (c *checker) described(n *node, at place, rules referenceRules) {
	c.ask(rules[4], at, isMediaType(n.attr("MIMETYPE")))
	c.ask(rules[5], at, sizeOf(n) >= 0)
	c.ask(rules[6], at, isTime(n.attr("CREATED")))
	c.ask(rules[7], at, isChecksum(n.attr("CHECKSUMTYPE"), strings.TrimSpace(n.attr("CHECKSUM"))))
	c.ask(rules[8], at, isChecksumType(n.attr("CHECKSUMTYPE")))
}

func isChecksumType(s string) bool {
	return slices.Contains([]string{"Adler-32", "CRC32", "HAVAL", "MD5", "MNP", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "TIGER", "WHIRLPOOL"}, s)
}

// isChecksum holds for what a digest of that type can be.
func isChecksum(kind, sum string) bool {
	h := newHash(kind)
	if h == nil || h.Size() == 4 {
		return sum != ""
	}
	return len(sum) == 2*h.Size() && strings.Trim(strings.ToLower(sum), "0123456789abcdef") == ""
}

func isMetadataType(s string) bool {
	return slices.Contains([]string{"MARC", "MODS", "EAD", "DC", "NISOIMG", "LC-AV", "VRA", "TEIHDR", "DDI", "FGDC", "LOM", "PREMIS",
		"PREMIS:OBJECT", "PREMIS:AGENT", "PREMIS:RIGHTS", "PREMIS:EVENT", "TEXTMD", "METSRIGHTS", "ISO 19115:2003 NAP", "EAC-CPF", "LIDO", "OTHER"}, s)
}

// isMediaType holds for names of the registry's form: a registered top level and
// a subtype. The registry itself changes every week and is not held here.
func isMediaType(s string) bool {
	top, sub, ok := strings.Cut(s, "/")
	return ok && len(s) <= 256 && sub != "" &&
		slices.Contains([]string{"application", "audio", "font", "example", "haptics", "image", "message", "model", "multipart", "text", "video"}, top) &&
		strings.Trim(strings.ToLower(sub), "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+") == ""
}

// inFolder reports whether the package holds a file below dir, and how many of
// them no section refers to.
func (c *checker) inFolder(m *mets, dir string, sections []*node) (files, unlisted int) {
	listed := make(map[string]bool)
	for _, s := range sections {
		for _, r := range s.find("mdRef") {
			if at, ok := c.p.resolve(m, r.attr("xlink:href")); ok {
				listed[at] = true
			}
		}
	}
	for _, f := range c.p.files.list() {
		if strings.HasPrefix(f.path, dir) {
			files++
			if !listed[f.path] {
				unlisted++
			}
		}
	}
	return files, unlisted
}

// descriptive asks CSIP17 to CSIP30.
func (c *checker) descriptive(m *mets) {
	sections := m.children("dmdSec")
	files, unlisted := c.inFolder(m, m.dir+"metadata/descriptive/", sections)
	if files > 0 {
		c.askAs(Must, "CSIP17", place{m, "mets/dmdSec", 0}, unlisted == 0)
	}
	for i, s := range sections {
		at := place{m, "mets/dmdSec", i + 1}
		c.id("CSIP18", at, s)
		c.ask("CSIP19", at, isTime(s.attr("CREATED")))
		c.status("CSIP20", at, s)
		c.ask("CSIP21", at, s.child("mdRef") != nil || s.child("mdWrap") != nil && files == 0)
		for _, r := range s.children("mdRef") {
			c.mdRef(m, r, place{m, "mets/dmdSec/mdRef", i + 1}, dmdRules())
		}
	}
}

// status asks for the state of a section, whose values are fixed.
func (c *checker) status(rule string, at place, s *node) {
	value, ok := s.lookup("STATUS")
	c.ask(rule, at, ok)
	if ok {
		c.askAs(Must, rule, at, value == "CURRENT" || value == "SUPERSEDED")
	}
}

// administrative asks CSIP31 to CSIP57.
func (c *checker) administrative(m *mets) {
	sections := m.children("amdSec")
	files, unlisted := c.inFolder(m, m.dir+"metadata/preservation/", sections)
	at := place{m, "mets/amdSec", 0}
	var digiprov, rights []*node
	for _, s := range sections {
		digiprov = append(digiprov, s.children("digiprovMD")...)
		rights = append(rights, s.children("rightsMD")...)
	}
	if files > 0 {
		c.askAs(Must, "CSIP31", at, len(sections) > 0 && unlisted == 0)
		c.askAs(Must, "CSIP32", at, len(digiprov) > 0 && unlisted == 0)
	}
	c.ask("CSIP31", at, len(sections) <= 1)
	for i, s := range digiprov {
		at := place{m, "mets/amdSec/digiprovMD", i + 1}
		c.id("CSIP33", at, s)
		c.status("CSIP34", at, s)
		c.ask("CSIP35", at, s.child("mdRef") != nil)
		for _, r := range s.children("mdRef") {
			c.mdRef(m, r, place{m, "mets/amdSec/digiprovMD/mdRef", i + 1}, digiprovRules())
			if at, ok := c.p.resolve(m, r.attr("xlink:href")); ok && m == c.p.root && r.attr("MDTYPE") == "PREMIS" {
				c.ask("CSIPSTR6", file("/"+at), strings.Contains("/"+at, "/metadata/preservation/"))
			}
		}
	}
	for i, s := range rights {
		at := place{m, "mets/amdSec/rightsMD", i + 1}
		c.id("CSIP46", at, s)
		c.status("CSIP47", at, s)
		c.ask("CSIP48", at, s.child("mdRef") != nil)
		for _, r := range s.children("mdRef") {
			c.mdRef(m, r, place{m, "mets/amdSec/rightsMD/mdRef", i + 1}, rightsRules())
		}
	}
}

// fileSection asks CSIP58 to CSIP79, CSIP113 and CSIP114.
func (c *checker) fileSection(m *mets) {
	sections := m.children("fileSec")
	c.ask("CSIP58", place{m, "mets/fileSec", 0}, len(sections) == 1)
	for i, s := range sections {
		c.id("CSIP59", place{m, "mets/fileSec", i + 1}, s)
	}
	groups := m.groups
	if m == c.p.root && len(sections) > 0 {
		c.ask("CSIP60", place{m, "mets/fileSec", 0}, slices.ContainsFunc(groups, uses("Documentation")))
		c.ask("CSIP113", place{m, "mets/fileSec", 0}, slices.ContainsFunc(groups, uses("Schemas")))
		c.ask("CSIP114", place{m, "mets/fileSec", 0}, slices.ContainsFunc(groups, uses("Representations")))
	}
	sectionIDs := administrativeIDs(m)
	for i, g := range groups {
		at := place{m, "mets/fileSec/fileGrp", i + 1}
		if ids, ok := g.lookup("ADMID"); ok {
			c.askAs(Must, "CSIP61", at, within(strings.Fields(ids), sectionIDs))
		}
		c.contentType(g, at, "CSIP62", "CSIP63", m == c.p.root && uses("Representations")(g))
		c.ask("CSIP64", at, g.has("USE") && c.isUse(m, g.attr("USE")))
		c.id("CSIP65", at, g)
		c.ask("CSIP66", at, len(g.children("file")) > 0 || len(g.children("fileGrp")) > 0)
	}
	for i, f := range m.find("file") {
		c.oneFile(m, f, i+1)
	}
}

// uses returns a test for file groups of that use, or of a folder below it.
func uses(what string) func(*node) bool {
	return func(g *node) bool {
		use := g.attr("USE")
		return use == what || strings.HasPrefix(use, what+"/")
	}
}

// isUse holds for a use that begins with a term of the vocabulary and names a
// folder, whatever its case. Data is what a representation's own METS has.
func (c *checker) isUse(m *mets, use string) bool {
	top, _, _ := strings.Cut(use, "/")
	terms := []string{"Documentation", "Schemas", "Representations", "Metadata"}
	if m != c.p.root {
		terms = append(terms, "Data")
	}
	if !slices.ContainsFunc(terms, func(t string) bool { return strings.EqualFold(t, top) }) {
		return false
	}
	return c.folded[strings.ToLower(m.dir+strings.TrimSuffix(use, "/"))]
}

func (c *checker) oneFile(m *mets, f *node, i int) {
	at := place{m, "mets/fileSec/fileGrp/file", i}
	c.id("CSIP67", at, f)
	c.described(f, at, fileRules())
	locators := f.children("FLocat")
	c.ask("CSIP76", at, len(locators) == 1)
	for _, l := range locators {
		c.locator(m, l, at, fileRules())
	}
}

// administrativeIDs returns the IDs that ADMID may name.
func administrativeIDs(m *mets) (ids []string) {
	for _, s := range m.children("amdSec") {
		for _, k := range append(slices.Clone(s.kids), s) {
			if id := k.attr("ID"); id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// within reports whether all holds every one of list.
func within(list, all []string) bool {
	set := make(map[string]bool, len(all))
	for _, s := range all {
		set[s] = true
	}
	for _, s := range list {
		if !set[s] {
			return false
		}
	}
	return true
}
