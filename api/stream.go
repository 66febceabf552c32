package api

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// patience bounds how long one read or write on a connection may take. Whole
// transfers take as long as they take, but a peer that stops is let go. The
// clock runs only while we wait for the peer, not while the archive works.
type patience struct {
	limit time.Duration
	set   func(time.Time) error // a deadline of the connection
}

// during calls do, and ends it when it takes too long.
func (p patience) during(do func()) {
	t := time.AfterFunc(p.limit, func() { _ = p.set(longAgo) })
	defer t.Stop()
	do()
}

// A client that sends a little now and then would hold its place for ever. One
// that we have waited for longer than graceTime must have sent slowest octets a
// second on the average.
const (
	graceTime = time.Minute
	slowest   = 4 << 10
)

// upload reads a request's body, and remembers how that failed.
type upload struct {
	io.Closer
	patience
	r      io.Reader
	now    func() time.Time
	waited time.Duration
	octets int64

	mu  sync.Mutex
	end error
}

// newUpload returns the request with a body that is read through an upload. The
// request itself is left alone: net/http looks at its body to see whether the
// connection can be used again.
func newUpload(w http.ResponseWriter, r *http.Request, limit time.Duration, now func() time.Time) (*upload, *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex() // so that an answer may be sent before all of the body came; HTTP/2 does so always
	u := &upload{Closer: r.Body, r: r.Body, now: now, patience: patience{limit, rc.SetReadDeadline}}
	r = r.WithContext(r.Context())
	r.Body = u
	return u, r
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (n int, err error) {
	begin := u.now()
	u.during(func() { n, err = u.r.Read(p) })
	u.waited += u.now().Sub(begin)
	u.octets += int64(n)
	if err == nil && u.waited > graceTime && u.octets < slowest*int64(u.waited/time.Second) {
		err = ErrSlow
	}
	if err == nil {
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrSlow
	}
	u.mu.Lock()
	u.end = err
	u.mu.Unlock()
	return n, err
}

// failure returns why the body could not be read, if it could not.
func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.end == nil || u.end == io.EOF {
		return nil
	}
	if errors.Is(u.end, ErrSlow) {
		return ErrSlow
	}
	return errCut
}

// drain takes what a client still sends after it was answered. Many clients
// read no answer before they have sent everything; without this they would see
// a broken connection instead of it. It takes so many octets and so long, and
// no more.
func (u *upload) drain(octets int64, long time.Duration) {
	u.mu.Lock()
	end := u.end
	u.mu.Unlock()
	if end != nil {
		return
	}
	patience{long, u.set}.during(func() {
		_, _ = io.CopyN(io.Discard, u.r, octets)
	})
}

// errCut is what a multipart body ends with that ends before its closing
// boundary.
var errCut = fmt.Errorf("%w: it ended too early", ErrRequest)

// multipartOf reads the parts of a body. After its end it gives errCut, since
// mime/multipart takes some truncated bodies for whole ones; the line feed is
// for a closing boundary that has none.
func multipartOf(r *http.Request) (*multipart.Reader, error) {
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(r.Body, strings.NewReader("\r\n"), cut{}), r.Body}
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRequest, err)
	}
	return mr, nil
}

type cut struct{}

// Read implements io.Reader.
func (cut) Read([]byte) (int, error) { return 0, errCut }

// parts gives the documents of a submission as they arrive.
type parts struct {
	mr    *multipart.Reader
	first *multipart.Part // read ahead
	err   error           // in its place
}

// Next implements archive.Content.
func (p *parts) Next() (string, io.Reader, error) {
	part, err := p.first, p.err
	if part == nil && err == nil {
		part, err = p.mr.NextRawPart()
	}
	p.first, p.err = nil, err
	if err == io.EOF {
		return "", nil, io.EOF
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %v", ErrRequest, err)
	}
	return part.FileName(), part, nil
}

// reply is a ResponseWriter that lets go of a client that takes nothing, and
// knows whether anything was sent.
type reply struct {
	http.ResponseWriter
	patience
	in    *upload
	begun bool
}

func newReply(w http.ResponseWriter, limit time.Duration, in *upload) *reply {
	return &reply{ResponseWriter: w, patience: patience{limit, http.NewResponseController(w).SetWriteDeadline}, in: in}
}

// Unwrap is for http.ResponseController.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (r *reply) WriteHeader(status int) {
	if !r.begun && r.in.failure() != nil {
		// Where a body was left in its middle, net/http must not look for
		// another request behind it: a read that it has begun itself would be in
		// its way.
		r.Header().Set("Connection", "close")
	}
	r.begun = true
	r.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (r *reply) Write(p []byte) (n int, err error) {
	if !r.begun {
		r.WriteHeader(http.StatusOK)
	}
	r.during(func() { n, err = r.ResponseWriter.Write(p) })
	return n, err
}
