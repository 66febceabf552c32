package api

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	"golang.org/x/exp/slog"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/staging"
)

// Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload) by the
// handler of the protocol's makers, on package staging. Around it are what it
// lacks, the extensions checksum and expiration, the names of uploads kept to
// their owners, and the one table of errors.
const (
	uploadsPath      = "/v1/uploads"
	checksumMismatch = 460 // of the tus protocol
)

// routesOfUploads are the routes of the tus protocol, and the answer.
func (s *Server) routesOfUploads() {
	if s.Staging == nil {
		return
	}
	composer := handler.NewStoreComposer()
	composer.UseCore(&uploads{s.Staging})
	composer.UseTerminater(&uploads{s.Staging})
	composer.UseLocker(&locks{held: map[string]*lock{}})
	h, err := handler.NewHandler(handler.Config{
		StoreComposer: composer, BasePath: uploadsPath + "/", MaxSize: s.Staging.MaxSize, DisableDownload: true, DisableConcatenation: true,
		Logger: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1})), // it logs paths; we log
		Cors:   &handler.CorsConfig{Disable: true}, NetworkTimeout: 2 * s.Patience,
	})
	if err != nil {
		panic("api: internal error: " + err.Error()) // of our own configuration
	}
	s.tus = http.StripPrefix(uploadsPath, h)
	s.private("POST "+uploadsPath, s.upload)
	s.private("POST "+uploadsPath+"/{$}", s.upload)
	for _, method := range []string{"HEAD", "PATCH", "DELETE", "POST"} { // POST is for X-HTTP-Method-Override
		s.private(method+" "+uploadsPath+"/{id}", s.upload)
	}
	s.private("GET "+uploadsPath+"/{id}", s.uploaded)
	s.public("OPTIONS "+uploadsPath, s.uploadOptions)
	s.public("OPTIONS "+uploadsPath+"/", s.uploadOptions)
}

// call is what one request of the tus protocol and our side of it tell each
// other.
type call struct {
	by       archive.Agent
	body     *breaker
	err      error // of ours: it counts more than what the protocol says
	expires  time.Time
	complete string // name of the upload that is all there now
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// failed remembers an error of ours and tells the protocol.
func (c *call) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, staging.ErrOffset):
		return handler.ErrMismatchOffset
	case errors.Is(err, fs.ErrNotExist):
		return handler.ErrNotFound
	}
	c.err = err
	return err
}

// upload serves the tus protocol.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	if err := s.mayStage(by); err != nil {
		return err
	}
	if s.closing.Load() {
		return errClosing
	}
	if id := r.PathValue("id"); id != "" && !s.Staging.Owns(by.Subject, id) {
		return fmt.Errorf("upload: %w", fs.ErrNotExist)
	}
	if err := checksum(w, r); err != nil {
		return err
	}
	c := &call{by: by, body: newBreaker(w, r.Body)}
	out := &tusReply{ResponseWriter: w, call: c}
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	r.Body = c.body
	defer context.AfterFunc(s.stopping, func() { c.body.off(errClosing) })()
	s.tus.ServeHTTP(out, r)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // the protocol's handler leaves one behind
	if c.complete != "" {
		s.finishing.begin(c.complete, s.finishOf(by, c.complete))
	}
	if out.refused {
		if c.err != nil {
			return c.err
		}
		if why := c.body.reason(); why != nil {
			return why
		}
		return refusal(out.status, strings.TrimSpace(out.text.String()))
	}
	return nil
}

// errInterrupted is what a request ends with when another for the same upload
// arrives, be it an older one that was late on its way. It must not sound like a
// fault of the request, after which stock clients give up.
var errInterrupted = &protocolError{http.StatusLocked, "another request for this upload arrived"}

// refusal is what the protocol's handler says no with.
func refusal(status int, text string) error {
	if status == http.StatusInternalServerError { // the body could not be read; who read it knows why
		code, _, _ := strings.Cut(text, ":")
		return fmt.Errorf("%w: %s", ErrRequest, code)
	}
	return &protocolError{status, text}
}

func (s *Server) uploadOptions(w http.ResponseWriter, r *http.Request) error {
	s.tus.ServeHTTP(&tusReply{ResponseWriter: w, call: &call{}}, r)
	return nil
}

// tusReply lets answers of the tus handler pass that say yes, with what we add,
// and keeps back those that say no.
type tusReply struct {
	http.ResponseWriter
	call    *call
	refused bool
	status  int
	text    bytes.Buffer
}

// Unwrap is for http.ResponseController.
func (t *tusReply) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (t *tusReply) WriteHeader(status int) {
	h := t.Header()
	if list := h.Get("Tus-Extension"); list != "" {
		h.Set("Tus-Extension", list+",checksum,expiration")
		h.Set("Tus-Checksum-Algorithm", "sha1,sha256")
	}
	if at := t.call.expires; !at.IsZero() {
		h.Set("Upload-Expires", at.UTC().Format(http.TimeFormat))
	}
	if location := h.Get("Location"); location != "" { // the scheme and host that we see need not be the client's
		h.Set("Location", location[strings.LastIndex(location, uploadsPath):])
	}
	if t.status = status; status >= http.StatusBadRequest {
		t.refused = true
		h.Del("Content-Length")
		return
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (t *tusReply) Write(p []byte) (int, error) {
	if !t.refused {
		return t.ResponseWriter.Write(p)
	}
	return t.text.Write(p[:min(len(p), 1024)])
}

// checksum verifies the extension's header, for which a body must be held in
// memory: it may be as long as one object of an upload.
func checksum(w http.ResponseWriter, r *http.Request) error {
	header := r.Header.Get("Upload-Checksum")
	if header == "" {
		return nil
	}
	name, value, _ := strings.Cut(header, " ")
	sums := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New} // the protocol asks for SHA-1
	want, err := base64.StdEncoding.DecodeString(value)
	if sums[name] == nil || err != nil {
		return &protocolError{http.StatusBadRequest, "Upload-Checksum: sha1 or sha256, and the digest in base64"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, staging.Block))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &protocolError{http.StatusRequestEntityTooLarge, fmt.Sprintf("Upload-Checksum: at most %d octets a request", staging.Block)}
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrRequest, err)
	}
	sum := sums[name]()
	sum.Write(body)
	if subtle.ConstantTimeCompare(sum.Sum(nil), want) != 1 {
		return &protocolError{checksumMismatch, "Upload-Checksum: the octets have another digest; nothing of them was kept"}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// protocolError is what the tus protocol says no with.
type protocolError struct {
	status int
	text   string
}

// Error implements error.
func (e *protocolError) Error() string { return e.text }

// Unwrap tells who looks at the table of errors.
func (e *protocolError) Unwrap() error { return errUpload }

var errUpload = errors.New("upload not acceptable")

// uploads is the tus handler's store.
type uploads struct{ area *staging.Area }

// NewUpload implements handler.DataStore.
func (s *uploads) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	c := callOf(ctx)
	u, err := s.area.Create(ctx, c.by.Subject, info.Size, info.MetaData)
	if err != nil {
		return nil, c.failed(err)
	}
	return &tusUpload{u}, nil
}

// GetUpload implements handler.DataStore.
func (s *uploads) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	c := callOf(ctx)
	u, err := s.area.Open(ctx, c.by.Subject, id)
	if err != nil {
		return nil, c.failed(err)
	}
	return &tusUpload{u}, nil
}

// AsTerminatableUpload implements handler.TerminaterDataStore.
func (s *uploads) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload {
	return u.(*tusUpload)
}

type tusUpload struct{ *staging.Upload }

// GetInfo implements handler.Upload.
func (u *tusUpload) GetInfo(ctx context.Context) (handler.FileInfo, error) {
	callOf(ctx).expires = u.Expires()
	return handler.FileInfo{ID: u.ID, Size: u.Size, Offset: u.Offset(), MetaData: u.Meta}, nil
}

// WriteChunk implements handler.Upload. When a line is cut, what came before is
// kept.
func (u *tusUpload) WriteChunk(ctx context.Context, offset int64, r io.Reader) (int64, error) {
	n, err := u.Append(ctx, offset, r)
	return n, callOf(ctx).failed(err)
}

// FinishUpload implements handler.Upload: the dossier is ingested behind the
// answer, which the protocol has no place for.
func (u *tusUpload) FinishUpload(ctx context.Context) error {
	callOf(ctx).complete = u.ID
	return nil
}

// GetReader implements handler.Upload; what was uploaded is not given back.
func (u *tusUpload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// Terminate implements handler.TerminatableUpload.
func (u *tusUpload) Terminate(ctx context.Context) error {
	return callOf(ctx).failed(u.Delete(ctx))
}

// outcome is what became of an upload, as it is left in its place.
type outcome struct {
	Status    int             `json:"status"`
	MediaType string          `json:"media_type"`
	Body      json.RawMessage `json:"body"`
}

// finishOf returns what ingests a complete upload and leaves the outcome in its
// place. It may run again, here or on another node, until there is one: the
// archive gives the same receipt to the same dossier. Whatever may be otherwise
// next time, such as a scanner that is away, is left open.
func (s *Server) finishOf(by archive.Agent, id string) func(context.Context) error {
	return func(ctx context.Context) error {
		u, err := s.Staging.Open(ctx, by.Subject, id)
		if err != nil || u.Answer() != nil {
			return err
		}
		if !u.Complete() {
			return fmt.Errorf("%w: %d octets of %d", errUnfinished, u.Offset(), u.Size)
		}
		o, err := s.outcomeOf(ctx, by, u)
		if err != nil {
			s.Log.Info("upload not ingested", "code", kindOf(err).code, "error", err)
			return err
		}
		b, err := json.Marshal(o)
		if err != nil {
			return err
		}
		return u.Finish(ctx, b)
	}
}

func (s *Server) outcomeOf(ctx context.Context, by archive.Agent, u *staging.Upload) (*outcome, error) {
	receipt, err := s.receiptFor(ctx, by, u)
	if err == nil {
		b, err := receipt.Encode()
		return &outcome{http.StatusOK, "application/json", b}, err
	}
	p := problemOf(err, "")
	if !p.final() {
		return nil, err
	}
	b, err := json.Marshal(p)
	return &outcome{p.Status, problemType, b}, err
}

func (s *Server) receiptFor(ctx context.Context, by archive.Agent, u *staging.Upload) (*archive.Receipt, error) {
	var extra *dossier.Declaration
	if text := u.Meta[declarationPart]; text != "" {
		var err error
		if extra, err = extraOf(dossier.ParseDeclaration(strings.NewReader(text), s.Archive.Limits)); err != nil {
			return nil, err
		}
	}
	return s.ingest(ctx, by, u, extra)
}

// uploaded answers with what became of an upload: the receipt, or the problem.
// Asked again it says the same. While the dossier is being ingested it waits a
// little, and then says so.
func (s *Server) uploaded(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	id := r.PathValue("id")
	if !s.Staging.Owns(by.Subject, id) {
		return fmt.Errorf("upload: %w", fs.ErrNotExist)
	}
	switch err := s.finishing.begin(id, s.finishOf(by, id)).wait(r.Context(), s.Patience/2); {
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "2")
		return sendStatus(w, http.StatusAccepted, "application/json", []byte(`{"state":"ingesting"}`))
	case err != nil:
		return err
	}
	u, err := s.Staging.Open(r.Context(), by.Subject, id)
	if err != nil {
		return err
	}
	var o outcome
	if err := json.Unmarshal(u.Answer(), &o); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	return sendStatus(w, o.Status, o.MediaType, o.Body)
}
