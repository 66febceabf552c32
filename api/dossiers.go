package api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
)

// declarationPart is the name of the first part of a push.
const declarationPart = "declaration"

// declaration reads a declaration, and returns all that is wrong with it.
func (s *Server) declaration(r io.Reader) (*dossier.Declaration, error) {
	d, err := dossier.ParseDeclaration(r, s.Archive.Limits)
	var invalid *dossier.ValidationError
	if errors.As(err, &invalid) && d != nil {
		err = &dossier.ValidationError{Problems: append(invalid.Problems, d.Validate(s.Archive.Now(), s.Archive.Limits)...)}
	}
	return d, err
}

func sendReceipt(w http.ResponseWriter, receipt *archive.Receipt) error {
	b, err := receipt.Encode()
	if err != nil {
		return err
	}
	return send(w, "application/json", b)
}

func (s *Server) search(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	if err := form(w, r); err != nil {
		return err
	}
	q, err := queryOf(r.Form)
	if err != nil {
		return err
	}
	found, err := s.Archive.Search(r.Context(), by, q)
	if err != nil {
		return err
	}
	res := &Result{Total: found.Total, Relaxed: found.Relaxed, Hits: []Hit{}}
	for i := range found.Hits {
		res.Hits = append(res.Hits, hitOf(&found.Hits[i]))
	}
	return answer(w, res)
}

// queryOf reads the fields of a search. Unknown ones are errors: a misspelt
// condition must not find everything.
func queryOf(v url.Values) (q index.Query, err error) {
	for name, values := range v {
		if len(values) != 1 {
			return q, fmt.Errorf("%w: %q given twice", ErrRequest, name)
		}
		value := values[0]
		switch name {
		case "q":
			q.Text = value
		case "code":
			q.Code = value
		case "agency":
			q.Agency = value
		case "procedure":
			q.Procedure = value
		case "person":
			q.PersonalID = value
		case "class":
			q.Class = value
		case "group":
			q.Group = value
		case "from":
			q.From, err = parseDate(value)
		case "to":
			q.To, err = parseDate(value)
			q.To = q.To.AddDate(0, 0, 1) // that day included
		case "offset":
			q.Offset, err = strconv.Atoi(value)
		case "limit":
			q.Limit, err = strconv.Atoi(value)
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return q, fmt.Errorf("%w: field %q", ErrRequest, name)
		}
	}
	return q, nil
}

func hitOf(h *index.Hit) Hit {
	out := Hit{
		Dossier: h.ID, Code: h.Code, Title: h.Title, Agency: h.Agency, Procedure: h.Procedure, Class: h.Class, Access: h.Access,
		Archive: h.ArchiveCode, Group: h.Group,
		Begin: date(h.Begin), End: date(h.End), Document: h.Document,
	}
	for _, f := range h.Snippet {
		out.Snippet = append(out.Snippet, Fragment{f.Text, f.Lit})
	}
	return out
}

// parseDate reads a date of a time in which there can be dossiers.
func parseDate(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err == nil && (t.Year() < 1700 || t.Year() > 2200) {
		err = errors.New("out of range")
	}
	return t, err
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	rec, err := s.Archive.Show(r.Context(), by, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return answer(w, recordOf(rec))
}

func recordOf(rec *archive.Record) *Record {
	out := &Record{
		Dossier: rec.Dossier, State: rec.State, Holds: rec.Holds, Verdict: rec.Verdict, Acts: actsOf(rec.Acts),
		Agency: rec.Seal.Agency, Class: rec.Seal.Class, Access: rec.Seal.Access, Closed: rec.Seal.Closed,
		Documents: rec.Seal.Documents, Size: rec.Seal.Size, Findings: rec.Seal.Findings,
	}
	if rec.Hit != nil {
		out.Code, out.Title, out.Archive, out.Group = rec.Hit.Code, rec.Hit.Title, rec.Hit.ArchiveCode, rec.Hit.Group
	}
	return out
}

func (s *Server) retention(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	rec, err := s.Archive.Show(r.Context(), by, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return answer(w, rec.Verdict)
}

func (s *Server) due(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	at := s.Archive.Now()
	if text := r.URL.Query().Get("at"); text != "" {
		var err error
		if at, err = parseDate(text); err != nil {
			return fmt.Errorf("%w: field \"at\"", ErrRequest)
		}
	}
	found, err := s.Archive.Due(r.Context(), by, at)
	if err != nil {
		return err
	}
	due := []Due{}
	for _, d := range found {
		due = append(due, Due{d.Dossier, d.Agency, d.Class, date(d.Closed), d.Verdict})
	}
	return answer(w, due)
}

// retrieve opens a copy. Its Close, which says in the ledger what became of the
// retrieval, is not to be forgotten.
func (s *Server) retrieve(w http.ResponseWriter, r *http.Request, by archive.Agent) (*archive.Copy, error) {
	if err := form(w, r); err != nil {
		return nil, err
	}
	return s.Archive.Retrieve(r.Context(), by, r.PathValue("ref"), r.Form.Get("purpose"))
}

// copy sends the whole dossier, in the form that is asked for.
func (s *Server) copy(w http.ResponseWriter, r *http.Request, by archive.Agent) (err error) {
	if err := form(w, r); err != nil {
		return err
	}
	f := r.Form.Get("form")
	if !slices.Contains(forms(), f) { // before anything stands in the ledger
		return fmt.Errorf("%w: field \"form\" is one of dip, sip, bag", ErrRequest)
	}
	c, err := s.retrieve(w, r, by)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", attachment(strings.Trim(c.Receipt.Dossier+"."+f, ".")+".zip"))
	w.Header().Set("Cache-Control", "no-store")
	if _, err := c.WriteForm(w, f); err != nil {
		return err
	}
	s.counts.retrievals.Add(1)
	return nil
}

// document sends one document, with its digest in a header (RFC 9530).
func (s *Server) document(w http.ResponseWriter, r *http.Request, by archive.Agent) (err error) {
	c, err := s.retrieve(w, r, by)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	doc, e, err := c.Document(r.PathValue("name"))
	if err != nil {
		return err
	}
	defer doc.Close()
	sum, err := hex.DecodeString(e.SHA256)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", e.MediaType)
	h.Set("Content-Length", fmt.Sprint(e.Size))
	h.Set("Content-Disposition", attachment(e.Name))
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	h.Set("Cache-Control", "no-store")
	if _, err := io.Copy(w, doc); err != nil {
		return err
	}
	s.counts.retrievals.Add(1)
	return nil
}

// receipt sends a receipt again, to the dossier's producer as well.
func (s *Server) receipt(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	receipt, err := s.Archive.Receipt(r.Context(), by, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return sendReceipt(w, receipt)
}

func (s *Server) hold(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in holdRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	name, err := s.Archive.Hold(r.Context(), by, r.PathValue("ref"), in.Reason)
	if err != nil {
		return err
	}
	return answer(w, holdAnswer{name})
}

func (s *Server) lift(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in holdRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := s.Archive.Lift(r.Context(), by, r.PathValue("ref"), r.PathValue("hold"), in.Reason); err != nil {
		return err
	}
	return answer(w, struct{}{})
}
