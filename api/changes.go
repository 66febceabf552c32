package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
)

const (
	batchType   = "application/cloudevents-batch+json"
	changeType  = "vn.luutru.dossier."
	maxChanges  = 1000
	usedChanges = 100
)

// Event says what became of a dossier, as CloudEvents 1.0 has it.
type Event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`     // the entry's index in the ledger
	Source      string    `json:"source"` // the archive
	Type        string    `json:"type"`   // vn.luutru.dossier. and the type of the ledger entry
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        struct {
		Code    string            `json:"code,omitempty"` // of living dossiers, once they are indexed
		Agency  string            `json:"agency"`
		Details map[string]string `json:"details,omitempty"`
	} `json:"data"`
}

// changes tells what became of the dossiers in the agent's scope since an index
// of the ledger. Where to go on stands in a Link header.
func (s *Server) changes(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	after, limit := uint64(0), usedChanges
	for name, values := range r.URL.Query() {
		var err error
		switch name {
		case "after":
			after, err = strconv.ParseUint(values[0], 10, 63)
		case "limit":
			if limit, err = strconv.Atoi(values[0]); err == nil && (limit < 1 || limit > maxChanges) {
				err = strconv.ErrRange
			}
		default:
			err = strconv.ErrSyntax
		}
		if err != nil || len(values) != 1 {
			return fmt.Errorf("%w: field %q", ErrRequest, name)
		}
	}
	found, next, err := s.Archive.Changes(r.Context(), by, after, limit)
	if err != nil {
		return err
	}
	all := []Event{}
	for i := range found {
		all = append(all, s.eventOf(&found[i]))
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	w.Header().Set("Link", fmt.Sprintf(`</v1/changes?after=%d>; rel="next"`, next))
	return send(w, batchType, b)
}

func (s *Server) eventOf(c *archive.Change) Event {
	e := Event{
		SpecVersion: "1.0", ID: strconv.FormatUint(c.Index, 10), Source: "urn:luutru:" + s.Archive.Name(), Type: changeType + strings.ReplaceAll(c.Type, " ", "_"),
		Subject: c.Dossier, Time: c.Time, ContentType: "application/json",
	}
	e.Data.Code, e.Data.Agency, e.Data.Details = c.Code, c.Agency, c.Details
	return e
}
