package s3

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// wire carries the requests, counts them, and keeps what minio-go drops from
// the answers.
type wire struct {
	base     http.RoundTripper
	requests atomic.Uint64
	date     atomic.Pointer[string] // the Date of the last answer
}

// answer, under answerKey in a context, receives the header of the last answer
// to the requests made with that context, and counts the answers.
type answer struct {
	header http.Header
	count  int
}

type answerKey struct{}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.requests.Add(1)
	resp, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date := resp.Header.Get("Date"); date != "" {
		w.date.Store(&date)
	}
	if a, ok := req.Context().Value(answerKey{}).(*answer); ok {
		a.header = resp.Header
		a.count++
	}
	return resp, nil
}

// time returns the server's time as of its last answer, zero if it has not
// told.
func (w *wire) time() time.Time {
	date := w.date.Load()
	if date == nil {
		return time.Time{}
	}
	t, err := http.ParseTime(*date)
	if err != nil {
		return time.Time{}
	}
	return t
}

// listen returns a context that catches the header of an answer.
func listen(ctx context.Context) (context.Context, *answer) {
	a := &answer{header: http.Header{}}
	return context.WithValue(ctx, answerKey{}, a), a
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       90 * time.Second,
		// As many as there may be requests at once: a connection not kept is
		// a handshake for the next request.
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 256,
		WriteBufferSize:     64 << 10,
		ReadBufferSize:      64 << 10,
		// Objects are sealed: they neither shrink nor may be altered.
		DisableCompression: true,
	}
}
