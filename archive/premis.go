package archive

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/luutru/luutru/dossier"
)

// premis is as much of PREMIS 3 as this package reads in its own packages, and
// writes beside a bag.
type premis struct {
	XMLName xml.Name       `xml:"http://www.loc.gov/premis/v3 premis"`
	Version string         `xml:"version,attr"`
	Objects []premisObject `xml:"object"`
	Events  []premisEvent  `xml:"event"`
	Agents  []premisAgent  `xml:"agent"`
}

// premisObject is a file, or the dossier as a whole.
type premisObject struct {
	Kind         string          `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
	IDType       string          `xml:"objectIdentifier>objectIdentifierType"`
	ID           string          `xml:"objectIdentifier>objectIdentifierValue"`
	Is           *premisFileFact `xml:"objectCharacteristics"`
	OriginalName string          `xml:"originalName,omitempty"`
}

type premisFileFact struct {
	Level     int    `xml:"compositionLevel"`
	Algorithm string `xml:"fixity>messageDigestAlgorithm"`
	Digest    string `xml:"fixity>messageDigest"`
	Size      int64  `xml:"size"`
	Format    string `xml:"format>formatDesignation>formatName"`
}

type premisEvent struct {
	IDType  string            `xml:"eventIdentifier>eventIdentifierType"`
	ID      string            `xml:"eventIdentifier>eventIdentifierValue"`
	Type    string            `xml:"eventType"`
	Time    string            `xml:"eventDateTime"`
	Detail  *premisDetail     `xml:"eventDetailInformation"`
	Outcome premisOutcome     `xml:"eventOutcomeInformation"`
	Agent   premisLinkedAgent `xml:"linkingAgentIdentifier"`
	Objects []premisLinked    `xml:"linkingObjectIdentifier"`
}

type premisDetail struct {
	Text string `xml:"eventDetail"`
}

type premisOutcome struct {
	Outcome string      `xml:"eventOutcome"`
	Detail  *premisNote `xml:"eventOutcomeDetail"`
}

type premisNote struct {
	Text string `xml:"eventOutcomeDetailNote"`
}

type premisLinkedAgent struct {
	Type  string `xml:"linkingAgentIdentifierType"`
	Value string `xml:"linkingAgentIdentifierValue"`
}

type premisLinked struct {
	Type  string `xml:"linkingObjectIdentifierType"`
	Value string `xml:"linkingObjectIdentifierValue"`
}

type premisAgent struct {
	IDType string `xml:"agentIdentifier>agentIdentifierType"`
	ID     string `xml:"agentIdentifier>agentIdentifierValue"`
	Name   string `xml:"agentName"`
}

// readEvents returns the events in a PREMIS file of one of our packages.
func readEvents(data []byte) ([]dossier.Event, error) {
	var p premis
	if err := xml.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("PREMIS: %w", err)
	}
	names := map[string]string{}
	for _, o := range p.Objects {
		names[o.ID] = o.OriginalName
	}
	var events []dossier.Event
	for _, e := range p.Events {
		at, err := time.Parse(time.RFC3339, e.Time)
		if err != nil {
			return nil, fmt.Errorf("PREMIS: %w", err)
		}
		one := dossier.Event{Type: e.Type, Time: at, Agent: e.Agent.Value, Outcome: e.Outcome.Outcome}
		if e.Detail != nil {
			one.Detail = e.Detail.Text
		}
		if e.Outcome.Detail != nil {
			one.Code = e.Outcome.Detail.Text
		}
		for _, o := range e.Objects {
			one.Document = names[o.Value]
			events = append(events, one)
		}
	}
	return events, nil
}

// writeEvents returns PREMIS about the documents of a package and what happened
// to them. The identifiers lead back to the dossier's name.
func writeEvents(id string, documents []dossier.Entry, events []dossier.Event) ([]byte, error) {
	const local = "LOCAL"
	p := premis{Version: "3.0", Objects: []premisObject{{Kind: "intellectualEntity", IDType: local, ID: id}}}
	for _, d := range documents {
		p.Objects = append(p.Objects, premisObject{
			Kind: "file", IDType: local, ID: id + "/" + d.Name, OriginalName: d.Name,
			Is: &premisFileFact{Algorithm: "SHA-256", Digest: d.SHA256, Size: d.Size, Format: d.MediaType},
		})
	}
	agents := map[string]bool{}
	for i, e := range events {
		about := id
		if e.Document != "" {
			about += "/" + e.Document
		}
		agent := cmp.Or(e.Agent, "luutru")
		x := premisEvent{
			IDType: local, ID: fmt.Sprintf("%s/event/%d", id, i+1), Type: e.Type, Time: e.Time.In(vietnam()).Format(time.RFC3339),
			Outcome: premisOutcome{Outcome: e.Outcome}, Agent: premisLinkedAgent{local, agent}, Objects: []premisLinked{{local, about}},
		}
		if e.Detail != "" {
			x.Detail = &premisDetail{e.Detail}
		}
		if e.Code != "" {
			x.Outcome.Detail = &premisNote{e.Code}
		}
		p.Events = append(p.Events, x)
		if !agents[agent] {
			agents[agent] = true
			p.Agents = append(p.Agents, premisAgent{local, agent, agent})
		}
	}
	b, err := xml.MarshalIndent(&p, "", " ")
	if err != nil {
		return nil, fmt.Errorf("PREMIS: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

// vietnam is the time that packages are dated in.
func vietnam() *time.Location { return time.FixedZone("", 7*60*60) }

// isPREMIS reports whether a path in a package is that of a PREMIS file.
func isPREMIS(path string) bool {
	return strings.HasSuffix(path, "/metadata/preservation/PREMIS.xml") || strings.HasSuffix(path, "/metadata/preservation/PREMIS_rep1.xml")
}
