package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/luutru/luutru/archive"
)

// about says which archive this is.
func (s *Server) about(w http.ResponseWriter, _ *http.Request) error {
	k := s.Archive.Keyring
	certificate, err := k.Archive.Certificate().Armor()
	if err != nil {
		return err
	}
	return answer(w, &About{
		Archive: s.Archive.Name(), Certificate: string(certificate), Fingerprint: k.Archive.Fingerprint(), LogKey: k.LogVerifier,
		Profile: string(k.Profile), Schedule: s.Archive.Schedule().Version,
	})
}

// checkpoint and tile are the read side of C2SP tlog-tiles. They are public:
// what the ledger says of people is commitments.
func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) error {
	b, err := s.Archive.Ledger().ReadTile(r.Context(), "checkpoint")
	if err != nil {
		return err
	}
	return send(w, "text/plain; charset=utf-8", b)
}

func (s *Server) tile(w http.ResponseWriter, r *http.Request) error {
	path := "tile/" + r.PathValue("path")
	b, err := s.Archive.Ledger().ReadTile(r.Context(), path)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return send(w, "application/octet-stream", b)
}

func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) error {
	return send(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

// ready says whether requests should come here.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	if s.closing.Load() {
		return errClosing
	}
	published, err := s.Archive.Ledger().Published()
	return answer(w, &readiness{s.Archive.Ledger().Size(), published, err == nil, s.Archive.Lag()})
}

type readiness struct {
	Ledger     uint64 `json:"ledger"`
	Published  uint64 `json:"published"`
	Publishing bool   `json:"publishing"`
	Lag        uint64 `json:"lag"`
}

// metrics writes a few figures as Prometheus reads them.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) error {
	var b bytes.Buffer
	published, publishing := s.Archive.Ledger().Published()
	failing := 0
	if publishing != nil {
		failing = 1
	}
	for _, m := range []struct {
		name, kind, help string
		value            any
	}{
		{"luutru_requests_total", "counter", "Requests.", s.counts.requests.Load()},
		{"luutru_ingests_total", "counter", "Receipts given, repeated ones included.", s.counts.ingests.Load()},
		{"luutru_retrievals_total", "counter", "Copies and documents handed out.", s.counts.retrievals.Load()},
		{"luutru_refusals_total", "counter", "Requests refused.", s.counts.refusals.Load()},
		{"luutru_failures_total", "counter", "Requests failed by the server's fault.", s.counts.failures.Load()},
		{"luutru_ledger_entries", "gauge", "Entries of the ledger.", s.Archive.Ledger().Size()},
		{"luutru_ledger_published_entries", "gauge", "Entries under the published checkpoint.", published},
		{"luutru_ledger_publish_failing", "gauge", "1 if the ledger can't be published.", failing},
		{"luutru_index_lag_entries", "gauge", "Ledger entries that the index has yet to follow.", s.Archive.Lag()},
	} {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n%s %v\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
	return send(w, "text/plain; version=0.0.4", b.Bytes())
}

// check runs a check and reports how far it is, a JSON line at a time: it may
// take hours, and a connection that says nothing for long is cut by somebody.
func (s *Server) check(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	if !slices.Contains(by.Roles, archive.Auditor) && !slices.Contains(by.Roles, archive.Administrator) {
		return fmt.Errorf("%w: check", archive.ErrDenied)
	}
	var in checkRequest
	if err := decode(w, r, &in); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &lines{w: w, flush: http.NewResponseController(w).Flush}
	report, err := s.Archive.Check(r.Context(), archive.CheckOptions{Deep: in.Deep, Content: in.Content, Progress: out.progress})
	if err != nil {
		return err
	}
	return out.write(&checkLine{Report: reportOf(report)})
}

// lines writes JSON lines.
type lines struct {
	w     io.Writer
	flush func() error

	mu   sync.Mutex
	last int
}

func (l *lines) progress(done, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	percent := 100 * done / all
	if percent == l.last || done == all {
		return
	}
	l.last = percent
	_ = l.write(&checkLine{Done: done, All: all}) // the last line will fail, too
}

func (l *lines) write(line *checkLine) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := l.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return l.flush()
}

func reportOf(r *archive.CheckReport) *Report {
	out := &Report{Dossiers: r.Dossiers, Destroyed: r.Destroyed, Packages: r.Packages, Bytes: r.Bytes, Entries: r.Entries, Findings: []Finding{}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, Finding{f.Object, f.Code, f.Vietnamese, f.English})
	}
	slices.SortStableFunc(out.Findings, func(a, b Finding) int { return strings.Compare(a.Object, b.Object) })
	return out
}
