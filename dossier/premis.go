package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is something that happened to the dossier (PREMIS event): up to its
// packaging in an AIP, in all its life in an export. Types are those of PREMIS:
// ingestion, validation, virus check.
type Event struct {
	Type     string
	Time     time.Time
	Agent    string // who or what did it; the program where empty
	Outcome  string // success, failure, warning
	Code     string // stable name of what was found, "format.mismatch"; may be empty
	Detail   string // may be empty or have several lines; shortened where room is short
	Document string // name of the one document it is about; the whole dossier where empty
}

// An event is an Event as it is written: about one thing, or several where
// room is short.
type event struct {
	Event
	id    string
	about []string // identifiers of objects
}

// premisFiles returns PREMIS.xml, about the package, and PREMIS_rep1.xml, about
// its documents.
func (m *describer) premisFiles(documents []file, events []event) (premis, rep []byte) {
	of := func(document bool) []event {
		return slices.DeleteFunc(slices.Clone(events), func(e event) bool { return (e.Document != "") != document })
	}
	x := newPREMIS("../../", 2<<10+len(events)<<10)
	m.premisObject(x, "intellectualEntity", m.objid)
	x.end()
	m.premisRepresentation(x)
	m.premisEvents(x, of(false))
	x.end()
	y := newPREMIS("../../../../", 2<<10+(len(documents)+len(events))<<10)
	m.premisRepresentation(y)
	for _, f := range documents {
		m.premisFile(y, f)
	}
	m.premisEvents(y, of(true))
	y.end()
	return x.Bytes(), y.Bytes()
}

// newPREMIS begins a file that lies so far below the top folder.
func newPREMIS(up string, about int) *xmlWriter {
	x := newXML(about)
	x.start("premis", "xmlns", premisNS, "xmlns:xsi", xsiNS,
		"xsi:schemaLocation", premisNS+" "+up+schemasPath+"premis.xsd", "version", "3.0")
	return x
}

// prepare gives events their identifiers and says what they are about.
func (m *describer) prepare(events []Event) []event {
	list := make([]event, len(events))
	for i, e := range events {
		about := m.objid
		if e.Document != "" {
			about = m.file(dataPath + e.Document)
		}
		e.Agent = cmp.Or(e.Agent, softwareName)
		list[i] = event{e, strings.TrimPrefix(m.id("event", strconv.Itoa(i)), "uuid-"), []string{about}}
	}
	return list
}

// shorten returns events with details of at most so many characters; with none
// at all, what differs only in its document becomes one event about several.
func shorten(events []event, most int) []event {
	type key struct {
		kind, agent, outcome, code string
		at                         int64
		document                   bool
	}
	var list []event
	places := make(map[key]int)
	for _, e := range events {
		if most > 0 {
			e.Detail = within(e.Detail, most)
			list = append(list, e)
			continue
		}
		e.Detail = ""
		k := key{e.Type, e.Agent, e.Outcome, e.Code, e.Time.Unix(), e.Document != ""}
		if i, ok := places[k]; ok {
			list[i].about = append(list[i].about, e.about...)
			continue
		}
		places[k] = len(list)
		e.about = slices.Clone(e.about) // events is used again
		list = append(list, e)
	}
	return list
}

// premisEvents writes events and the agents that they name.
func (m *describer) premisEvents(x *xmlWriter, events []event) {
	agents := []string{softwareName}
	known := map[string]bool{softwareName: true}
	for _, e := range events {
		if !known[e.Agent] {
			known[e.Agent] = true
			agents = append(agents, e.Agent)
		}
		premisEvent(x, e)
	}
	for _, a := range agents {
		x.start("agent")
		premisIdentifier(x, "agent", "LOCAL", a)
		x.text("agentName", a)
		if a == softwareName {
			x.text("agentType", "software")
		}
		x.end()
	}
}

// premisObject opens an object; the caller ends it.
func (m *describer) premisObject(x *xmlWriter, kind, id string) {
	x.start("object", "xsi:type", kind)
	premisIdentifier(x, "object", "LOCAL", id)
}

func (m *describer) premisRepresentation(x *xmlWriter) {
	m.premisObject(x, "representation", m.file(repMETSPath))
	premisPartOf(x, m.objid)
	x.end()
}

func (m *describer) premisFile(x *xmlWriter, f file) {
	m.premisObject(x, "file", m.file(f.path))
	x.start("objectCharacteristics")
	x.text("compositionLevel", "0")
	x.start("fixity")
	x.text("messageDigestAlgorithm", "SHA-256")
	x.text("messageDigest", f.digest)
	x.end()
	x.text("size", strconv.FormatInt(f.size, 10))
	x.start("format")
	x.start("formatDesignation")
	x.text("formatName", f.mediaType)
	x.end()
	x.end()
	x.end()
	x.text("originalName", strings.TrimPrefix(f.path, dataPath))
	premisPartOf(x, m.file(repMETSPath))
	x.end()
}

func premisEvent(x *xmlWriter, e event) {
	x.start("event")
	premisIdentifier(x, "event", "UUID", e.id)
	x.text("eventType", e.Type)
	x.text("eventDateTime", circularTime(e.Time))
	if e.Detail != "" {
		x.start("eventDetailInformation")
		x.text("eventDetail", e.Detail)
		x.end()
	}
	x.start("eventOutcomeInformation")
	x.text("eventOutcome", e.Outcome)
	if e.Code != "" {
		x.start("eventOutcomeDetail")
		x.text("eventOutcomeDetailNote", e.Code)
		x.end()
	}
	x.end()
	premisIdentifier(x, "linkingAgent", "LOCAL", e.Agent)
	for _, object := range e.about {
		premisIdentifier(x, "linkingObject", "LOCAL", object)
	}
	x.end()
}

func premisIdentifier(x *xmlWriter, of, kind, value string) {
	x.start(of + "Identifier")
	x.text(of+"IdentifierType", kind)
	x.text(of+"IdentifierValue", value)
	x.end()
}

func premisPartOf(x *xmlWriter, whole string) {
	x.start("relationship")
	x.text("relationshipType", "structural")
	x.text("relationshipSubType", "is part of")
	premisIdentifier(x, "relatedObject", "LOCAL", whole)
	x.end()
}

func circularTime(t time.Time) string {
	return t.In(vietnam()).Format("2006-01-02T15:04:05-07:00")
}

// checkEvents refuses what could not be written or would be about nothing.
func checkEvents(events []Event, documents []file) error {
	known := make(map[string]bool, len(documents))
	for _, f := range documents {
		known[strings.TrimPrefix(f.path, dataPath)] = true
	}
	for i, e := range events {
		if e.Type == "" || e.Outcome == "" || e.Time.IsZero() {
			return fmt.Errorf("event %d lacks type, outcome or time", i)
		}
		if e.Document != "" && !known[e.Document] {
			return fmt.Errorf("event %d is about no document of the dossier", i)
		}
	}
	return nil
}
