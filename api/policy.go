package api

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/intake"
)

// policy shows the intake policy in force. A producer sees what is asked of
// itself, and not where the archive's own services are.
func (s *Server) policy(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	p, err := s.Archive.Policy(r.Context())
	if err != nil {
		return err
	}
	if producerOnly(by) {
		own := *p
		own.Scanner, own.Producers = "", nil
		if actions, ok := p.Producers[by.Subject]; ok {
			own.Producers = map[string]map[string]intake.Action{by.Subject: actions}
		}
		p = &own
	}
	return sendPolicy(w, p)
}

func producerOnly(by archive.Agent) bool {
	return !slices.ContainsFunc(by.Roles, func(r archive.Role) bool { return r != archive.Producer })
}

func sendPolicy(w http.ResponseWriter, p *intake.Policy) error {
	b, err := p.Encode()
	if err != nil {
		return err
	}
	return send(w, "application/json", b)
}

// setPolicy puts another intake policy in force, and shows it as it is then.
func (s *Server) setPolicy(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	if mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mt != "application/json" {
		return fmt.Errorf("%w: Content-Type is not application/json", ErrRequest)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("%w: %v", ErrRequest, err)
	}
	p, err := intake.Parse(b)
	if err != nil {
		return err
	}
	if err := s.Archive.SetPolicy(r.Context(), by, p); err != nil {
		return err
	}
	if p, err = s.Archive.Policy(r.Context()); err != nil {
		return err
	}
	return sendPolicy(w, p)
}
