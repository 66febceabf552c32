package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ead describes the dossier in the 18 fields of the circular, or, in a DIP, the
// request that it answers in 7.
func (m *describer) ead() []byte {
	if m.meta.Kind == DIP {
		return m.request()
	}
	f := m.figures()
	x := newXML(2 << 10)
	x.start("simpledc", "xmlns:xsi", xsiNS, "xsi:noNamespaceSchemaLocation", "../../schemas/ead.xsd")
	if m.meta.Kind == SIP {
		x.text("fileCode", m.d.Code)
	} else {
		x.text("arcFileCode", m.meta.ArchiveCode)
	}
	x.text("title", m.d.Title)
	x.text("maintenance", m.meta.Retention)
	x.text("mode", modeCode(m.d.Access))
	x.text("language", languageCode(m.d.Language))
	x.text("startDate", circularDate(m.d.begin()))
	x.text("endDate", circularDate(m.d.end()))
	x.text("keyword", joinWithin(m.d.Keywords, maxKeyword))
	x.text("totalDoc", strconv.Itoa(len(m.d.Documents)))
	x.text("numberOfPaper", strconv.Itoa(f.sheets))
	x.text("numberOfPage", strconv.Itoa(f.pages))
	x.text("format", conditionCode(m.d.Condition))
	x.text("inforSign", m.d.InfoSign)
	x.text("confidenceLevel", f.confidence)
	x.text("paperFileCode", f.paper)
	x.text("riskRecovery", backupBit(m.d.Backup))
	x.text("riskRecoveryStatus", backupCode(m.d.Backup))
	x.text("description", m.d.Note)
	x.end()
	return x.Bytes()
}

func (m *describer) request() []byte {
	r := m.meta.Request
	x := newXML(2 << 10)
	x.start("simpledc", "xmlns:xsi", xsiNS, "xsi:noNamespaceSchemaLocation", "../../schemas/ead.xsd")
	x.text("requestID", r.ID)
	x.text("requestDate", circularDate(r.Date))
	x.text("purpose", r.Purpose)
	x.text("purposeContent", within(r.Content, 500))
	x.text("feeObjectType", r.Fee)
	x.text("researchTopic", within(r.Topic, 250))
	x.text("description", within(r.Note, maxNote))
	x.end()
	return x.Bytes()
}

// figures are what the circular asks of a dossier and its documents tell.
type figures struct {
	pages, sheets     int
	confidence, paper string
}

func (m *describer) figures() figures {
	f := figures{confidence: "03", paper: cmp.Or(m.d.PaperCode, m.d.Code)}
	digitised := 0
	for _, doc := range m.d.Documents {
		f.pages += doc.Pages
		if doc.Origin == "digitised" {
			digitised++
			f.sheets += doc.Pages
		}
	}
	f.sheets = cmp.Or(m.d.Sheets, f.sheets)
	switch digitised {
	case 0:
		f.confidence, f.paper = "01", m.d.PaperCode
	case len(m.d.Documents):
		f.confidence = "02"
	}
	return f
}

// field is one element of a form.
type field struct{ name, value string }

// eadDoc describes a document: in 19 fields in an AIP, 21 in a SIP and 20 in a
// DIP, which are named and chosen differently.
func (m *describer) eadDoc(i int) []byte {
	fields := m.documentFields(i)
	x := newXML(2 << 10)
	x.start("simpledc", "xmlns:xsi", xsiNS, "xsi:noNamespaceSchemaLocation", "../../../../schemas/ead_doc.xsd")
	for _, name := range documentForm(m.meta.Kind) {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		x.text(name, fields[at].value)
	}
	x.end()
	return x.Bytes()
}

// documentForm lists the fields of a document in the order of the circular.
func documentForm(k Kind) []string {
	form := "arcFileCode mode language keyword numberOfPage format inforSign confidenceLevel description " +
		"docCode docOrdinal typeName codeNumber codeNotation issuedDate organName subject autograph process"
	if k != AIP {
		form = "docId docCode maintenance typeName codeNumber codeNotation issuedDate organName subject language numberOfPage " +
			"inforSign keyword mode confidenceLevel autograph format process riskRecovery riskRecoveryStatus description"
	}
	if k == DIP {
		form = strings.NewReplacer("docCode", "arcDocCode", "organName ", "").Replace(form)
	}
	return strings.Fields(form)
}

func (m *describer) documentFields(i int) []field {
	doc := &m.d.Documents[i]
	ordinal := fmt.Sprintf("%07d", i+1)
	confidence, process := "01", "0"
	if doc.Origin == "digitised" {
		confidence = "02"
	}
	if doc.Process || doc.Role != "submitted" && len(m.d.Opinions) > 0 {
		process = "1" // the opinions are in declaration.json
	}
	backup := cmp.Or(doc.Backup, m.d.Backup)
	return []field{
		{"docId", m.docID(i)},
		{"docCode", m.d.Code + "." + ordinal},
		{"arcDocCode", m.meta.ArchiveCode + "." + ordinal},
		{"arcFileCode", m.meta.ArchiveCode},
		{"docOrdinal", ordinal},
		{"maintenance", m.meta.Retention},
		{"typeName", doc.Type},
		{"codeNumber", doc.Number},
		{"codeNotation", doc.Notation},
		// A paper of the applicant without a date counts from the day it was handed in.
		{"issuedDate", circularDate(cmp.Or(doc.Issued, m.d.Received))},
		{"organName", cmp.Or(doc.Issuer, "Người nộp hồ sơ")},
		{"subject", doc.Subject},
		{"language", languageCode(cmp.Or(doc.Language, m.d.Language))},
		{"numberOfPage", strconv.Itoa(doc.Pages)},
		{"inforSign", doc.InfoSign},
		{"keyword", joinWithin(doc.Keywords, maxKeyword)},
		{"mode", modeCode(cmp.Or(doc.Access, m.d.Access))},
		{"confidenceLevel", confidence},
		{"autograph", doc.Autograph},
		{"format", conditionCode(doc.Condition)},
		{"process", process},
		{"riskRecovery", backupBit(backup)},
		{"riskRecoveryStatus", backupCode(backup)},
		{"description", doc.Note},
	}
}

// docID returns the identifier of a document: the source system's, or the
// dossier code and its ordinal where that is not too long, or the ordinal.
func (m *describer) docID(i int) string {
	id := cmp.Or(m.d.Documents[i].ID, m.d.Code+"."+strconv.Itoa(i+1))
	if utf8.RuneCountInString(id) > maxDocID {
		return fmt.Sprintf("%07d", i+1)
	}
	return id
}

// circularDate turns 2026-11-24 into 24/11/2026.
func circularDate(day string) string {
	if len(day) != len(dateLayout) {
		return day
	}
	return day[8:] + "/" + day[5:7] + "/" + day[:4]
}

func modeCode(access string) string {
	if access == "open" {
		return "01"
	}
	return "02"
}

func conditionCode(condition string) string {
	switch condition {
	case "good":
		return "01"
	case "normal":
		return "02"
	case "damaged":
		return "03"
	}
	return ""
}

func backupBit(backup string) string {
	if backup == "" {
		return "0"
	}
	return "1"
}

func backupCode(backup string) string {
	switch backup {
	case "done":
		return "01"
	case "pending":
		return "02"
	}
	return ""
}

// languageCode returns the code of the circular for one language, or for
// Vietnamese and another; 11 stands for every other case.
func languageCode(languages string) string {
	var codes []string
	for l := range strings.SplitSeq(languages, ",") {
		codes = append(codes, oneLanguage(l))
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	switch strings.Join(codes, " ") {
	case "01 02":
		return "06"
	case "01 04":
		return "07"
	case "01 03":
		return "08"
	case "01 05":
		return "10"
	}
	if len(codes) == 1 {
		return codes[0]
	}
	return "11"
}

func oneLanguage(language string) string {
	switch language {
	case "", "vi", "vie":
		return "01"
	case "en", "eng":
		return "02"
	case "fr", "fra":
		return "03"
	case "ru", "rus":
		return "04"
	case "zh", "zho":
		return "05"
	case "lzh": // literary Chinese and Nôm
		return "09"
	}
	return "11"
}

// joinWithin joins as many whole words as fit.
func joinWithin(words []string, most int) string {
	joined := ""
	for _, w := range words {
		next := w
		if joined != "" {
			next = joined + "; " + w
		}
		if utf8.RuneCountInString(next) > most {
			break
		}
		joined = next
	}
	return joined
}

// within cuts a text to so many characters.
func within(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:max(most-1, 0)]) + "…"
}
