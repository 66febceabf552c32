package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The fields of these types are sorted by their JSON names, which makes the encoding canonical.

type declarationJSON struct {
	Accepted      string          `json:"accepted"`
	Access        string          `json:"access"`
	Agency        string          `json:"agency"`
	AgencyName    string          `json:"agency_name"`
	Applicant     applicantJSON   `json:"applicant"`
	Begin         string          `json:"begin"`
	Channel       string          `json:"channel"`
	Closed        string          `json:"closed"`
	Code          string          `json:"code"`
	Delivered     string          `json:"delivered,omitempty"`
	Documents     []documentEntry `json:"documents"`
	Due           string          `json:"due"`
	End           string          `json:"end"`
	Fonds         string          `json:"fonds"`
	Group         string          `json:"group,omitempty"`
	Keywords      []string        `json:"keywords"`
	Language      string          `json:"language"`
	Level         string          `json:"level"`
	Links         []linkJSON      `json:"links,omitempty"`
	Note          string          `json:"note,omitempty"`
	Opinions      []opinionJSON   `json:"opinions,omitempty"`
	Outcome       string          `json:"outcome"`
	Procedure     string          `json:"procedure"`
	ProcedureName string          `json:"procedure_name"`
	Received      string          `json:"received"`
	ResultDate    string          `json:"result_date,omitempty"`
	ResultNumber  string          `json:"result_number,omitempty"`
	ResultSigner  string          `json:"result_signer,omitempty"`
	Sector        string          `json:"sector"`
	Settled       string          `json:"settled"`
	Subjects      []subjectJSON   `json:"subjects,omitempty"`
	Title         string          `json:"title"`
}

type linkJSON struct {
	Code string `json:"code"`
	Kind string `json:"kind"`
}

type applicantJSON struct {
	Address    string `json:"address"`
	Birth      string `json:"birth"`
	Name       string `json:"name"`
	PersonalID string `json:"personal_id"`
	Sex        string `json:"sex"`
}

type subjectJSON struct {
	Birth      string `json:"birth"`
	Name       string `json:"name"`
	PersonalID string `json:"personal_id"`
	Sex        string `json:"sex"`
}

type opinionJSON struct {
	By   string `json:"by"`
	Text string `json:"text"`
	Time string `json:"time"`
}

type documentEntry struct {
	Copy      string `json:"copy,omitempty"`
	Issued    string `json:"issued"`
	Issuer    string `json:"issuer"`
	MediaType string `json:"media_type"`
	Name      string `json:"name"`
	Notation  string `json:"notation,omitempty"`
	Number    string `json:"number,omitempty"`
	Origin    string `json:"origin"`
	Pages     int    `json:"pages"`
	Role      string `json:"role"`
	SHA256    string `json:"sha256"`
	Size      int    `json:"size"`
	Subject   string `json:"subject"`
	Type      string `json:"type"`
}

// entry describes a written document.
func (p *plan) entry(f form, file File, pages int) documentEntry {
	e := documentEntry{MediaType: file.MediaType, Name: file.Name, Pages: pages, Role: f.role, SHA256: file.SHA256, Size: len(file.Data), Type: f.kind}
	e.Subject = p.expand(f.title)
	e.Issued = p.issued(f).Format(time.DateOnly)
	e.Issuer = p.issuer(f)
	if f.notation != "" {
		e.Number, e.Notation = strconv.Itoa(p.number(f)), f.notation
	}
	e.Origin = "born_digital"
	if f.as == asScan || p.onPaper() || p.channel != "online" && f.role == "submitted" && f.as == asPDF {
		e.Origin = "digitised"
	}
	switch {
	case f.role == "submitted" && e.Origin == "digitised":
		e.Copy = "copy"
	case f.role == "result":
		e.Copy = "original"
	}
	return e
}

// issued says when a form was signed: what is asked for with the request, older papers before, the rest in between.
func (p *plan) issued(f form) time.Time {
	switch {
	case f.slug == receiptSlug:
		return p.received
	case f.role == "result" || f.slug == slipSlug || p.outcome == "withdrawn" && f.slug == "don-xin-rut":
		return p.settled
	case f.role == "processing":
		between := p.settled.Sub(p.received) / 2
		return workday(p.received.Add(between).Truncate(24*time.Hour), -1)
	case f.as == asScan:
		return p.received.AddDate(0, 0, -1-len(f.slug)%20)
	default:
		return p.received
	}
}

// number is drawn once for the result; other papers count from it, so that no number needs to be kept.
func (p *plan) number(f form) int {
	if f.role == "result" {
		return p.result
	}
	return p.result/2 + len(f.slug)
}

func (p *plan) issuer(f form) string {
	switch f.by {
	case byApplicant:
		return p.people["a"].name
	case byOther:
		return p.fill(f.other)
	}
	if p.byCommittee(f) {
		return "Ủy ban nhân dân " + p.province.name
	}
	return p.agency.name
}

// byCommittee tells whether the People's Committee decides what another agency has prepared.
func (p *plan) byCommittee(f form) bool {
	return f.by == byLeader && strings.HasSuffix(f.notation, "-UBND") && !strings.HasPrefix(p.agency.name, "Ủy ban")
}

func (p *plan) declaration(docs []documentEntry) []byte {
	a := p.people["a"]
	d := declarationJSON{
		Access: "open", Agency: p.agency.code, AgencyName: p.agency.name,
		Applicant: applicantJSON{Address: a.address, Birth: a.birth.Format(time.DateOnly), Name: a.name, PersonalID: a.id, Sex: a.sexCode()},
		Accepted:  p.received.Format(time.DateOnly), Due: p.due().Format(time.DateOnly), Level: p.level(),
		Begin: p.received.Format(time.DateOnly), End: p.closed.Format(time.DateOnly),
		Received: p.received.Format(time.DateOnly), Settled: p.settled.Format(time.DateOnly), Closed: p.closed.Format(time.DateOnly),
		Channel: p.channel, Code: p.code, Documents: docs, Fonds: p.agency.code, Group: p.group,
		Keywords: strings.Split(p.part.keywords, ","), Language: "vi", Opinions: p.opinions(), Outcome: p.outcome,
		Procedure: p.part.code, ProcedureName: p.part.name, Sector: p.part.sector, Title: p.title,
	}
	if p.part.conditional {
		d.Access = "conditional"
	}
	if p.group != "" && p.group != p.code {
		d.Links = []linkJSON{{Code: p.group, Kind: "parent"}}
	}
	if p.rng.IntN(4) == 0 {
		d.Note = oneOf(p.rng, noteTexts)
	}
	for _, doc := range docs {
		if doc.Role == "result" && doc.Notation != "" {
			d.ResultNumber, d.ResultDate, d.ResultSigner = doc.Number+"/"+doc.Notation, doc.Issued, p.leader
			d.Delivered = d.Closed
		}
	}
	for _, letter := range p.part.subjects {
		who := p.people[string(letter)]
		if who.id == a.id {
			continue // the applicant is named already
		}
		d.Subjects = append(d.Subjects, subjectJSON{Birth: who.birth.Format(time.DateOnly), Name: who.name, PersonalID: who.id, Sex: who.sexCode()})
	}
	return encode(d, "")
}

// level says where in the state the competent agency stands.
func (p *plan) level() string {
	if p.part.office == atCommune || p.part.office == atPolice {
		return "commune"
	}
	return "province"
}

// opinions are what the system kept of the handling; paper dossiers have none.
func (p *plan) opinions() []opinionJSON {
	if p.onPaper() {
		return nil
	}
	day := p.received
	var list []opinionJSON
	add := func(by, text string, hour int) {
		at := day.Add(time.Duration(hour*3600+p.rng.IntN(3000)) * time.Second)
		list = append(list, opinionJSON{By: by, Text: text, Time: at.Format("2006-01-02T15:04:05.000000Z")})
	}
	clerk := fmt.Sprintf("%s, %s", p.clerk, p.agency.clerk)
	add(clerk, oneOf(p.rng, opinionTexts), 1+p.rng.IntN(2))
	if p.rng.IntN(2) == 0 {
		add(clerk, oneOf(p.rng, opinionTexts), 4)
	}
	day = p.settled
	if p.outcome == "granted" {
		add(fmt.Sprintf("%s, %s", p.leader, p.agency.leader), oneOf(p.rng, leaderTexts), 7)
	}
	return list
}

// encode writes JSON without the escapes that RFC 8785 forbids.
func encode(v any, indent string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		panic("sample: internal error: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
