package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/staging"
)

// Config says what a Server serves.
type Config struct {
	Archive       *archive.Archive
	Authenticator Authenticator
	// Staging keeps uploads and packages until they can be read. Nil: neither
	// is taken.
	Staging *staging.Area
	Log     *slog.Logger
	// Now measures how long requests take, and clients.
	Now func() time.Time
	// Patience is how long one read from, or write to, a client may take.
	// Zero: 30 seconds.
	Patience time.Duration
	// Drain is how many octets are still taken from a client that was
	// answered before it had sent everything. Zero: 64 MiB.
	Drain int64
}

// Server is the archive's face to the network, an http.Handler.
type Server struct {
	Config
	mux       *http.ServeMux
	tus       http.Handler
	finishing *finishing
	stopping  context.Context // ends with Stop
	stop      context.CancelFunc
	counts    counters
	closing   atomic.Bool
}

// counters are what /metrics shows besides what the archive knows itself.
type counters struct {
	ingests, retrievals, refusals, failures, requests atomic.Uint64
}

const (
	defaultPatience = 30 * time.Second
	defaultDrain    = 64 << 20
	drainTime       = 10 * time.Second
	maxBody         = 4 << 20 // of a request that is JSON or a form
)

// New returns a server.
func New(c Config) *Server {
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	if c.Drain == 0 {
		c.Drain = defaultDrain
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Config: c, mux: http.NewServeMux(), finishing: newFinishing()}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.routes()
	s.routesOfUploads()
	return s
}

func (s *Server) routes() {
	s.private("POST /v1/dossiers", s.push)
	s.private("PUT /v1/dossiers", s.push)
	s.private("GET /v1/dossiers", s.search)
	s.private("POST /v1/search", s.search)
	s.private("GET /v1/dossiers/{ref}", s.show)
	s.private("GET /v1/dossiers/{ref}/copy", s.copy)
	s.private("POST /v1/dossiers/{ref}/copy", s.copy)
	s.private("GET /v1/dossiers/{ref}/documents/{name}", s.document)
	s.private("POST /v1/dossiers/{ref}/documents/{name}", s.document)
	s.private("GET /v1/dossiers/{ref}/receipt", s.receipt)
	s.private("POST /v1/dossiers/{ref}/holds", s.hold)
	s.private("DELETE /v1/dossiers/{ref}/holds/{hold}", s.lift)
	s.private("GET /v1/dossiers/{ref}/retention", s.retention)
	s.private("GET /v1/retention/due", s.due)
	s.private("POST /v1/reconcile", s.reconcile)
	s.private("GET /v1/changes", s.changes)
	s.private("GET /v1/policy", s.policy)
	s.private("PUT /v1/policy", s.setPolicy)

	s.private("POST /v1/cases", s.propose)
	s.private("GET /v1/cases/{name}", s.showCase)
	s.private("POST /v1/cases/{name}/review", s.review)
	s.private("POST /v1/cases/{name}/decision", s.decide)
	s.private("POST /v1/cases/{name}/execution", s.execute)
	s.private("POST /v1/check", s.check)

	s.public("GET /v1/archive", s.about)
	s.public("GET /ledger/checkpoint", s.checkpoint)
	s.public("GET /ledger/tile/{path...}", s.tile)
	s.public("GET /healthz", s.healthy)
	s.public("GET /readyz", s.ready)
	s.public("GET /metrics", s.metrics)
}

// Stop makes /readyz say no, for those who send requests here, and breaks
// uploads off, which go on elsewhere or later.
func (s *Server) Stop() {
	s.closing.Store(true)
	s.stop()
}

// Close ends what is done apart from requests: the ingest of complete uploads,
// which whoever asks for the answer begins again.
func (s *Server) Close() {
	s.Stop()
	s.finishing.close()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	s.counts.requests.Add(1)
	s.mux.ServeHTTP(w, r)
}

// private serves a route to authenticated agents.
func (s *Server) private(pattern string, h func(http.ResponseWriter, *http.Request, archive.Agent) error) {
	s.public(pattern, func(w http.ResponseWriter, r *http.Request) error {
		by, err := s.Authenticator.Authenticate(r)
		if err != nil {
			return err
		}
		return h(w, r, by)
	})
}

// public serves a route to everybody.
func (s *Server) public(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		in, r := newUpload(w, r, s.Patience, s.Now)
		out := newReply(w, s.Patience, in)
		begin := s.Now()
		err := error(nil)
		if !utf8.ValidString(r.URL.Path) {
			err = fmt.Errorf("%w: path is not UTF-8", ErrRequest)
		} else {
			err = h(out, r)
		}
		if failure := in.failure(); failure != nil && err != nil && !errors.Is(err, errClosing) && !errors.Is(err, errUpload) {
			err = failure // what else went wrong is a consequence, unless it was we who broke off
		}
		s.finish(out, r, err, s.Now().Sub(begin))
		if r.ProtoMajor == 1 {
			_ = http.NewResponseController(w).Flush()
			in.drain(s.Drain, drainTime)
		}
	})
}

// finish answers to a handler's error and logs the request: the route as it
// stands in the table, for the path holds dossier codes. Where an answer has
// begun it breaks the connection, so that the client can't take what it has
// for the whole.
func (s *Server) finish(w *reply, r *http.Request, err error, took time.Duration) {
	log := s.Log.With("route", r.Pattern, "took", took.Round(time.Millisecond))
	if err == nil {
		log.Debug("request", "status", "done")
		return
	}
	number := rand.Text()
	if w.begun {
		s.counts.failures.Add(1)
		log.Error("answer broken off", "number", number, "error", err)
		panic(http.ErrAbortHandler)
	}
	p := problemOf(err, number)
	if p.Status >= http.StatusInternalServerError && !gone(err) {
		s.counts.failures.Add(1)
		log.Error("request", "status", p.Status, "code", p.Code, "number", number, "error", err)
	} else {
		s.counts.refusals.Add(1)
		log.Info("request", "status", p.Status, "code", p.Code)
	}
	for _, h := range []string{"Content-Disposition", "Repr-Digest"} {
		w.Header().Del(h)
	}
	p.write(w)
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return send(w, "application/json", b)
}

func send(w http.ResponseWriter, mediaType string, b []byte) error {
	return sendStatus(w, http.StatusOK, mediaType, b)
}

func sendStatus(w http.ResponseWriter, status int, mediaType string, b []byte) error {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", fmt.Sprint(len(b)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, err := w.Write(b)
	return err
}

// decode reads a request's JSON into v.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	if mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mt != "application/json" {
		return fmt.Errorf("%w: Content-Type is not application/json", ErrRequest)
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %v", ErrRequest, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something after the JSON", ErrRequest)
	}
	return nil
}

// form reads the fields of a query or of a form, which keeps what was asked
// out of the logs of proxies.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %v", ErrRequest, err)
	}
	for name, values := range r.Form {
		if !utf8.ValidString(name + strings.Join(values, "")) {
			return fmt.Errorf("%w: field is not UTF-8", ErrRequest)
		}
	}
	return nil
}

// attachment names a file in a header, in any script (RFC 6266).
func attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": strings.ToValidUTF8(name, "_")})
}
