package eark

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contentCategories are the terms of the vocabulary of CSIP2, with the dashes
// that systems write.
func contentCategories() []string {
	return []string{"Textual works - Print", "Textual works - Digital", "Textual works - Electronic Serials",
		"Digital Musical Composition (score-based representations)", "Photographs - Print", "Photographs - Digital",
		"Other Graphic Images - Print", "Other Graphic Images - Digital", "Microforms", "Audio - On Tangible Medium (digital or analog)",
		"Audio - Media-independent (digital)", "Motion Pictures - Digital and Physical Media", "Video - File-based and Physical Media",
		"Software", "Datasets", "Geospatial Data", "Databases", "Websites", "Collection", "Event", "Interactive resource",
		"Physical object", "Service", "Mixed", "Other", "OTHER"}
}

// isCategory reports whether s is a term, and whether it is spelled like one.
func isCategory(s string) (ok, exact bool) {
	s = strings.NewReplacer("–", "-", "—", "-").Replace(s)
	return slices.ContainsFunc(contentCategories(), func(c string) bool { return strings.EqualFold(c, s) }),
		slices.Contains(contentCategories(), s)
}

// isContentType holds for the content information types: the closed part of the
// vocabulary, and the specifications by name and version (citserms_v2_1).
func isContentType(s string) bool {
	if slices.Contains([]string{"ERMS", "SIARD1", "SIARD2", "SIARDDK", "GeoData", "MIXED", "OTHER"}, s) {
		return true
	}
	name, version, ok := strings.Cut(strings.ToLower(s), "_v")
	if !ok {
		name, version = s, "1"
	}
	return strings.HasPrefix(name, "cits") && len(name) > 4 && strings.Trim(version, "0123456789_") == ""
}

// rootElement asks CSIP1 to CSIP6.
func (c *checker) rootElement(m *mets) {
	at := place{m, "mets", 0}
	objid, isRoot := m.attr("OBJID"), m == c.p.root
	c.ask("CSIP1", at, strings.TrimSpace(objid) != "")
	name := c.p.name
	if !isRoot {
		name = path.Base(strings.TrimSuffix(m.dir, "/"))
	}
	if objid != "" && name != "" {
		c.askAs(Should, "CSIP1", at, objid == name || strings.ReplaceAll(objid, ":", "_") == name)
	}
	kind, other := m.attr("TYPE"), m.attr("csip:OTHERTYPE")
	isOther := strings.EqualFold(kind, "OTHER")
	known, exact := isCategory(kind)
	c.ask("CSIP2", at, known && (!isOther || other != ""))
	if known {
		c.askAs(Should, "CSIP2", at, exact)
	}
	if m.has("csip:OTHERTYPE") {
		taken, _ := isCategory(other)
		c.askAs(Must, "CSIP3", at, isOther && (!taken || strings.EqualFold(other, "OTHER")))
	}
	c.contentType(m.node, at, "CSIP4", "CSIP5", !isRoot)
	if !m.has("csip:CONTENTINFORMATIONTYPE") && isRoot {
		c.ask("CSIP4", at, false)
	}
	c.ask("CSIP6", at, isURL(m.attr("PROFILE")))
}

// contentType asks for the pair of attributes that name the content information
// type; always demands it.
func (c *checker) contentType(n *node, at place, rule, otherRule string, always bool) {
	kind, there := n.lookup("csip:CONTENTINFORMATIONTYPE")
	if there || always {
		c.askAs(Must, rule, at, isContentType(kind) && (kind != "OTHER" || n.attr("csip:OTHERCONTENTINFORMATIONTYPE") != "" || otherRule != "CSIP5"))
	}
	other := n.attr("csip:OTHERCONTENTINFORMATIONTYPE")
	if kind == "OTHER" {
		c.askAs(Must, otherRule, at, other != "" && !isContentType(other))
	} else if n.has("csip:OTHERCONTENTINFORMATIONTYPE") {
		c.askAs(Must, otherRule, at, false)
	}
}

const profileCSIP = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP"

func isURL(s string) bool {
	return (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && !strings.ContainsAny(s, " \t\n")
}

// headerElement asks CSIP7 to CSIP16 and CSIP117.
func (c *checker) headerElement(m *mets) {
	at := place{m, "mets/metsHdr", 0}
	h := m.header()
	c.ask("CSIP117", at, h != nil)
	if h == nil {
		return
	}
	created, ok := parseTime(h.attr("CREATEDATE"))
	c.ask("CSIP7", at, ok)
	if h.has("LASTMODDATE") {
		modified, ok := parseTime(h.attr("LASTMODDATE"))
		c.askAs(Must, "CSIP8", at, ok && !modified.Before(created) && (c.p.Now.IsZero() || !modified.After(c.p.Now.Add(24*time.Hour))))
	}
	c.ask("CSIP9", at, slices.Contains([]string{"SIP", "AIP", "DIP", "AIU", "AIC"}, h.attr("csip:OAISPACKAGETYPE")))
	agents := h.children("agent")
	c.ask("CSIP10", at, len(agents) > 0)
	if len(agents) > 0 {
		c.software(m, agents)
	}
}

// software asks for the agent of the software. Of several agents the one that is
// most like it is meant: so one missing attribute is one violation.
func (c *checker) software(m *mets, agents []*node) {
	best, score, which := agents[0], -1, 0
	for i, a := range agents {
		n := 0
		for _, like := range []bool{a.attr("ROLE") == "CREATOR", a.attr("TYPE") == "OTHER", a.attr("OTHERTYPE") == "SOFTWARE",
			slices.ContainsFunc(a.children("note"), func(n *node) bool { return n.attr("csip:NOTETYPE") == "SOFTWARE VERSION" })} {
			if like {
				n++
			}
		}
		if n > score {
			best, score, which = a, n, i
		}
	}
	at := place{m, "mets/metsHdr/agent", which + 1}
	c.ask("CSIP11", at, best.attr("ROLE") == "CREATOR")
	c.ask("CSIP12", at, best.attr("TYPE") == "OTHER")
	c.ask("CSIP13", at, best.attr("OTHERTYPE") == "SOFTWARE")
	c.ask("CSIP14", at, best.child("name") != nil && best.child("name").text != "")
	notes := best.children("note")
	c.ask("CSIP15", at, len(notes) == 1 && notes[0].text != "")
	c.ask("CSIP16", at, len(notes) > 0 && notes[0].attr("csip:NOTETYPE") == "SOFTWARE VERSION")
}

// profile asks what SIP and DIP demand beyond CSIP.
func (c *checker) profile(m *mets) {
	root, h := place{m, "mets", 0}, m.header()
	hdr := place{m, "mets/metsHdr", 0}
	kind := c.p.Kind()
	own := m.attr("PROFILE")
	isSIP := kind == "SIP" || strings.Contains(own, "E-ARK-SIP")
	switch {
	case isSIP && m == c.p.root:
		// A SIP of the circular states the common profile, as its published sample does.
		ead, _ := c.p.eadFile()
		c.ask("SIP2", root, strings.HasPrefix(own, "https://earksip.dilcis.eu/profile/E-ARK-SIP") || ead != nil && strings.HasPrefix(own, profileCSIP))
		c.ask("SIP4", hdr, h.attr("csip:OAISPACKAGETYPE") == "SIP")
	case kind == "DIP" && m == c.p.root:
		c.ask("DIP2", root, strings.HasPrefix(own, "https://earkdip.dilcis.eu/profile/E-ARK-DIP"))
		c.ask("DIP3", hdr, h.attr("csip:OAISPACKAGETYPE") == "DIP")
	}
	if kind == "DIP" {
		for i, n := range m.children("dmdSec") {
			c.ask("DIP4", place{m, "mets/dmdSec", i + 1}, n.attr("STATUS") == "CURRENT")
		}
	}
	if isSIP {
		c.submission(m, h, root, hdr)
	}
}

// submission asks what SIP demands of root element, header and files.
func (c *checker) submission(m *mets, h *node, root, hdr place) {
	if m.has("LABEL") {
		c.askAs(Must, "SIP1", root, strings.TrimSpace(m.attr("LABEL")) != "")
	}
	if status, ok := h.lookup("RECORDSTATUS"); ok {
		// The published vocabulary misspells one term; both spellings are taken.
		c.askAs(Must, "SIP3", hdr, slices.Contains([]string{"NEW", "SUPPLEMENT", "REPLACEMENT", "REPLEACEMENT", "TEST", "VERSION", "DELETE", "OTHER"}, status))
	}
	c.alternatives(h, hdr)
	c.submitters(m, h)
	for i, f := range m.find("file") {
		for j, name := range []string{"sip:FILEFORMATNAME", "sip:FILEFORMATVERSION", "sip:FILEFORMATREGISTRY", "sip:FILEFORMATKEY"} {
			if value, ok := f.lookup(name); ok {
				c.askAs(Should, "SIP"+strconv.Itoa(32+j), place{m, "mets/fileSec/fileGrp/file", i + 1}, value != "")
			}
		}
	}
}

// alternatives asks SIP5 to SIP8: identifiers of agreements and references.
func (c *checker) alternatives(h *node, hdr place) {
	for i, kind := range []string{"SUBMISSIONAGREEMENT", "PREVIOUSSUBMISSIONAGREEMENT", "REFERENCECODE", "PREVIOUSREFERENCECODE"} {
		n, empty := 0, false
		for _, r := range h.children("altRecordID") {
			if r.attr("TYPE") == kind {
				n++
				empty = empty || r.text == ""
			}
		}
		many := strings.HasPrefix(kind, "PREVIOUS")
		if n > 0 {
			c.askAs(Must, "SIP"+strconv.Itoa(5+i), hdr, !empty && (n == 1 || many))
		}
	}
}

// submitters asks SIP10, SIP11, SIP15 and SIP20: who makes and submits.
func (c *checker) submitters(m *mets, h *node) {
	submits := false
	for i, a := range h.children("agent") {
		at := place{m, "mets/metsHdr/agent", i + 1}
		kind := a.attr("TYPE")
		party := kind == "ORGANIZATION" || kind == "INDIVIDUAL"
		c.ask("SIP10", at, a.attr("ROLE") != "")
		c.ask("SIP11", at, party || kind == "OTHER")
		submits = submits || party && a.attr("ROLE") == "CREATOR"
		if note := a.child("note"); kind == "ORGANIZATION" && note != nil {
			c.ask("SIP20", at, note.attr("csip:NOTETYPE") == "IDENTIFICATIONCODE")
		}
	}
	if h != nil && m == c.p.root && strings.Contains(m.attr("PROFILE"), "E-ARK-SIP") {
		c.ask("SIP15", place{m, "mets/metsHdr", 0}, submits)
	}
}
