package bench

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// wire carries requests, counts them by kind, and measures how long they take
// and how many octets of content come back.
type wire struct {
	base http.RoundTripper

	mu    sync.Mutex
	kinds map[string]*kindOf
}

// kindOf is all requests of a kind.
type kindOf struct {
	name     string
	n        int
	time     time.Duration // until the whole answer had come
	received int64
}

// traffic is what went over a wire.
type traffic []*kindOf

func (t traffic) requests() (n int) {
	for _, k := range t {
		n += k.n
	}
	return n
}

func (t traffic) time() (d time.Duration) {
	for _, k := range t {
		d += k.time
	}
	return d
}

func (t traffic) received() (n int64) {
	for _, k := range t {
		n += k.received
	}
	return n
}

func newWire(base http.RoundTripper) *wire { return &wire{base: base, kinds: map[string]*kindOf{}} }

// take returns what was counted since it was called last.
func (w *wire) take() (t traffic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kinds {
		t = append(t, k)
	}
	w.kinds = map[string]*kindOf{}
	slices.SortFunc(t, byCount)
	return t
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	kind, begun := kindName(r), time.Now()
	res, err := w.base.RoundTrip(r)
	w.note(kind, 1, time.Since(begun), 0)
	if err != nil {
		return nil, err
	}
	res.Body = &body{ReadCloser: res.Body, w: w, kind: kind}
	return res, nil
}

func (w *wire) note(kind string, n int, d time.Duration, received int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kinds[kind]
	if k == nil {
		k = &kindOf{name: kind}
		w.kinds[kind] = k
	}
	k.n, k.time, k.received = k.n+n, k.time+d, k.received+received
}

// body counts the octets of an answer, and the time spent on waiting for them.
type body struct {
	io.ReadCloser
	w    *wire
	kind string
}

func (b *body) Read(p []byte) (int, error) {
	begun := time.Now()
	n, err := b.ReadCloser.Read(p)
	b.w.note(b.kind, 0, time.Since(begun), int64(n))
	return n, err
}

// kindName says what a request is for: method, bucket, first part of the key.
func kindName(r *http.Request) string {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket, _, _ = strings.Cut(bucket, "-")
	name := r.Method + " " + bucket
	if bucket != "keys" && key != "" {
		parts := strings.Split(key, "/")
		name += "/" + strings.Join(parts[:min(len(parts)-1, 1)], "/") + "/…"
		if strings.HasPrefix(key, "ledger/") && len(parts) > 2 {
			name = r.Method + " " + bucket + "/ledger/" + parts[1] + "/…"
		}
	}
	for _, q := range []string{"retention", "legal-hold", "uploadId", "uploads", "versioning", "object-lock", "list-type", "versions"} {
		if r.URL.Query().Has(q) {
			name += " ?" + q
		}
	}
	return name
}
