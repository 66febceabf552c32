package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/luutru/luutru/archive"
)

func (s *Server) propose(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in proposal
	if err := decode(w, r, &in); err != nil {
		return err
	}
	name, err := s.Archive.Propose(r.Context(), by, in.Dossiers, in.Reason)
	if err != nil {
		return err
	}
	return answer(w, caseAnswer{name})
}

func (s *Server) showCase(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	name := r.PathValue("name")
	acts, k, err := s.Archive.Case(r.Context(), by, name)
	if err != nil {
		return err
	}
	return answer(w, &Case{Case: name, Dossiers: k.Proposed, Findings: k.Findings, Decision: k.Decision, Outcomes: k.Outcomes, Acts: actsOf(acts)})
}

func (s *Server) review(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in reviewRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := s.Archive.Review(r.Context(), by, r.PathValue("name"), in.Keep, in.Reason); err != nil {
		return err
	}
	return answer(w, caseAnswer{r.PathValue("name")})
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in decisionRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := s.Archive.Decide(r.Context(), by, r.PathValue("name"), in.Approve, in.Number); err != nil {
		return err
	}
	return answer(w, caseAnswer{r.PathValue("name")})
}

// execute destroys, if that is asked for in so many words; else it says what it
// would do. An execution is not broken off because a client went away.
func (s *Server) execute(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var in executionRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if !in.Execute {
		p, err := s.Archive.Preview(r.Context(), by, r.PathValue("name"))
		if err != nil {
			return err
		}
		return answer(w, executionAnswer{Plan: &Plan{Case: p.Case, Destroy: p.Destroy, Refused: p.Refused}})
	}
	done, err := s.Archive.Execute(context.WithoutCancel(r.Context()), by, r.PathValue("name"))
	var out executionAnswer
	for _, c := range done {
		b, encode := c.Encode()
		if encode != nil {
			return encode
		}
		out.Certificates = append(out.Certificates, json.RawMessage(b))
	}
	if err != nil && len(done) > 0 {
		return &partly{err, out.Certificates}
	}
	if err != nil {
		return err
	}
	return answer(w, out)
}

// partly is an error after some dossiers were destroyed.
type partly struct {
	error
	certificates []json.RawMessage
}

// Unwrap returns the error.
func (p *partly) Unwrap() error { return p.error }
