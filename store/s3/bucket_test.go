package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/store"
	"github.com/luutru/luutru/store/s3"
	"github.com/luutru/luutru/store/storetest"
)

func (f *fake) mark(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(key).marker = true
}

type markedFake struct {
	*s3.Bucket
	f *fake
}

func (m markedFake) Mark(_ context.Context, key string) error {
	m.f.mark(key)
	return nil
}

// TestConformance runs the suite on servers with all the gaps that s3 is to
// bridge.
func TestConformance(t *testing.T) {
	for name, f := range map[string]*fake{
		"Good":  {},
		"Gaps":  {ignoreCondition: true, refuseLockedPut: true, afterInclusive: true, markersFirst: true},
		"Gaps2": {markerIsTaken: true, dropLockedPut: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.versioned, f.locking = true, true
			storetest.Test(t, func(t *testing.T) store.Store { return markedFake{f.open(t), f} })
		})
	}
}

func TestConformancePlain(t *testing.T) {
	for name, f := range map[string]*fake{
		"Good":  {},
		"Gaps":  {ignoreCondition: true},
		"Flaky": {intercept: flaky(), retries: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.TestPlain(t, func(t *testing.T) store.Store { return f.open(t) })
		})
	}
}

// flaky is for a plain bucket: in one with versions, a put that is repeated
// leaves two, which is right, but not what the suite counts. It loses every 100th answer and the request after it.
func flaky() func(*http.Request, func() *http.Response) (*http.Response, error) {
	var mu sync.Mutex
	n := 0
	return func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		mu.Lock()
		n++
		lost := n % 100
		mu.Unlock()
		switch lost {
		case 0:
			serve()
			return nil, io.ErrUnexpectedEOF
		case 1:
			return nil, errors.New("connection refused")
		}
		return serve(), nil
	}
}

// TestRequests: what an operation costs.
func TestRequests(t *testing.T) {
	f := &fake{versioned: true, locking: true}
	archive := f.open(t)
	plain := (&fake{}).open(t)
	until := time.Now().Add(time.Hour)
	put := func(b *s3.Bucket, key string, opts *store.PutOptions) {
		t.Helper()
		if _, err := b.Put(t.Context(), key, []byte("x"), opts); err != nil {
			t.Fatal(err)
		}
	}
	// The first of a kind finds out what the server can.
	put(archive, "learn", &store.PutOptions{IfAbsent: true, Lock: until})
	put(plain, "learn", &store.PutOptions{IfAbsent: true})
	for _, c := range []struct {
		name string
		b    *s3.Bucket
		want uint64
		call func(b *s3.Bucket) error
	}{
		{"put", archive, 1, func(b *s3.Bucket) error { put(b, "a", nil); return nil }},
		{"put if absent", archive, 1, func(b *s3.Bucket) error { put(b, "b", &store.PutOptions{IfAbsent: true}); return nil }},
		{"put locked", archive, 1, func(b *s3.Bucket) error { put(b, "c", &store.PutOptions{IfAbsent: true, Lock: until}); return nil }},
		{"get", archive, 1, func(b *s3.Bucket) error { _, _, err := store.ReadAll(t.Context(), b, "a", 9); return err }},
		{"lock", archive, 2, func(b *s3.Bucket) error { return b.Lock(t.Context(), "b", "", until) }},
		{"delete", archive, 3, func(b *s3.Bucket) error { return b.Delete(t.Context(), "a") }},
		{"delete missing", archive, 1, func(b *s3.Bucket) error { return b.Delete(t.Context(), "a") }},
		{"plain put", plain, 1, func(b *s3.Bucket) error { put(b, "a", &store.PutOptions{IfAbsent: true}); return nil }},
		{"plain delete", plain, 1, func(b *s3.Bucket) error { return b.Delete(t.Context(), "a") }},
		{"upload", plain, 3, func(b *s3.Bucket) error {
			u, err := b.Create(t.Context(), "u")
			if err != nil {
				return err
			}
			if err := u.Part(t.Context(), 1, []byte("x")); err != nil {
				return err
			}
			_, err = u.Complete(t.Context())
			return err
		}},
	} {
		before := c.b.Requests()
		if err := c.call(c.b); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := c.b.Requests() - before; got != c.want {
			t.Errorf("%s: %d requests, want %d", c.name, got, c.want)
		}
	}
	if !slices.Contains(f.requests, "PUT object") || uint64(len(f.requests)) != archive.Requests() {
		t.Errorf("%d requests counted, %d arrived", archive.Requests(), len(f.requests))
	}
}

// TestOwnWrite: an exclusive put whose answer was lost is not mistaken for
// somebody else's, nor the other way round.
func TestOwnWrite(t *testing.T) {
	unavailable := func() *http.Response {
		return &http.Response{StatusCode: 503, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}
	}
	for _, c := range []struct {
		name    string
		answers []func(serve func() *http.Response) (*http.Response, error)
		want    error
		content string
	}{
		{"lost answer", answers(lose), nil, "mine"},
		{"proxy repeats", answers(twice), nil, "mine"},
		{"proxy gives up", answers(instead(unavailable), instead(unavailable), instead(unavailable)), nil, "mine"},
		{"lost thrice", answers(lose, lose, lose), nil, "mine"},
		{"other's", answers(), fs.ErrExist, "other"},
		{"other's, lost answer", answers(lose), fs.ErrExist, "other"},
	} {
		for _, versioned := range []bool{false, true} {
			f := &fake{versioned: versioned, locking: versioned, retries: 3}
			b := f.open(t)
			// Learn what the server can, undisturbed.
			if _, err := b.Put(t.Context(), "other", []byte("other"), &store.PutOptions{IfAbsent: true}); err != nil {
				t.Fatal(err)
			}
			key := c.content
			puts := 0
			f.intercept = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
				if r.Method != "PUT" || puts >= len(c.answers) {
					return serve(), nil
				}
				puts++
				return c.answers[puts-1](serve)
			}
			info, err := b.Put(t.Context(), key, []byte("mine"), &store.PutOptions{IfAbsent: true})
			if !errors.Is(err, c.want) || err == nil && (info.Key != key || info.Size != 4 || (info.Version != "") != versioned) {
				t.Errorf("%s: %+v, %v", c.name, info, err)
			}
			got, _, err := store.ReadAll(t.Context(), b, key, 10)
			if err != nil || string(got) != c.content {
				t.Errorf("%s: read %q, %v", c.name, got, err)
			}
			if n := len(f.objects[key]); n != 1 {
				t.Errorf("%s: %d versions", c.name, n)
			}
		}
	}
}

type answerer = func(serve func() *http.Response) (*http.Response, error)

func answers(list ...answerer) []answerer { return list }

func lose(serve func() *http.Response) (*http.Response, error) {
	serve()
	return nil, errors.New("connection reset")
}

func twice(serve func() *http.Response) (*http.Response, error) {
	serve()
	return serve(), nil
}

func instead(answer func() *http.Response) answerer {
	return func(serve func() *http.Response) (*http.Response, error) {
		serve()
		return answer(), nil
	}
}

// TestConflict: a server that is busy with the same key asks to come again.
func TestConflict(t *testing.T) {
	f := &fake{}
	b := f.open(t)
	if _, err := b.Put(t.Context(), "learn", []byte("x"), &store.PutOptions{IfAbsent: true}); err != nil {
		t.Fatal(err)
	}
	for _, conflicts := range []int{1, 3, 100} {
		left := conflicts
		f.intercept = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			if r.Method == "PUT" && left > 0 {
				left--
				body := "<Error><Code>ConditionalRequestConflict</Code></Error>"
				return &http.Response{StatusCode: 409, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
			}
			return serve(), nil
		}
		_, err := b.Put(t.Context(), fmt.Sprint(conflicts), []byte("x"), &store.PutOptions{IfAbsent: true})
		if (err != nil) != (conflicts == 100) || errors.Is(err, fs.ErrExist) {
			t.Errorf("%d conflicts: %v", conflicts, err)
		}
	}
}

// TestCompleteLost: the same for the end of an upload.
func TestCompleteLost(t *testing.T) {
	f := &fake{versioned: true, locking: true, retries: 2}
	b := f.open(t)
	u, err := b.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Part(t.Context(), 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	lost := false
	f.intercept = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
		if r.Method == "POST" && !lost {
			lost = true
			return lose(serve)
		}
		return serve(), nil
	}
	info, err := u.Complete(t.Context())
	if err != nil || info.Version == "" || info.Size != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
	if _, err := u.Complete(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("second Complete: %v", err)
	}
}

// TestVersionsLater: a plain bucket in which somebody has switched versions on.
func TestVersionsLater(t *testing.T) {
	f := &fake{}
	b := f.open(t)
	f.versioned = true
	for range 2 {
		if _, err := b.Put(t.Context(), "key", []byte("secret"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if len(f.objects) != 0 {
		t.Errorf("left: %v", f.objects)
	}
}

// TestLockDropped: a server that accepts locks and forgets them.
func TestLockDropped(t *testing.T) {
	f := &fake{versioned: true, locking: true, dropLock: true, dropHold: true}
	b := f.open(t)
	until := time.Now().Add(time.Hour)
	info, err := b.Put(t.Context(), "a", []byte("x"), &store.PutOptions{Lock: until})
	if err == nil || info == nil {
		t.Errorf("Put: %+v, %v", info, err)
	}
	if err := b.Lock(t.Context(), "a", "", until); err == nil {
		t.Error("Lock: no error")
	}
	if err := b.Hold(t.Context(), "a", "", true); err == nil {
		t.Error("Hold: no error")
	}
}

// TestReadError: a body that breaks off is an error, never a short object.
func TestReadError(t *testing.T) {
	f := &fake{}
	b := f.open(t)
	if _, err := b.Put(t.Context(), "a", bytes.Repeat([]byte("x"), 1000), nil); err != nil {
		t.Fatal(err)
	}
	f.intercept = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		resp := serve()
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 500), broken{}))
		return resp, nil
	}
	data, _, err := store.ReadAll(t.Context(), b, "a", 1000)
	if err == nil || data != nil {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestMarkersFirst: a server that lists delete markers apart.
func TestMarkersFirst(t *testing.T) {
	f := &fake{versioned: true, locking: true, markersFirst: true}
	b := f.open(t)
	var want []string
	for i := range page + 10 {
		key := fmt.Sprintf("k%03d", i)
		first, err := b.Put(t.Context(), key, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		f.mark(key)
		second, err := b.Put(t.Context(), key, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, key+" "+second.Version, key+" marker", key+" "+first.Version)
	}
	var got []string
	for info, err := range b.List(t.Context(), "", &store.ListOptions{Versions: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if info.DeleteMarker {
			info.Version = "marker"
		}
		got = append(got, info.Key+" "+info.Version)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	// "k" comes before all of them, also where the markers of others do not.
	for range 2 {
		if _, err := b.Put(t.Context(), "k", []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(t.Context(), "k"); err != nil || len(f.objects["k"]) != 0 {
		t.Errorf("%v, %d versions left", err, len(f.objects["k"]))
	}
}

// TestListBroken: a listing that is out of order or breaks off is an error.
func TestListBroken(t *testing.T) {
	f := &fake{retries: 1}
	b := f.open(t)
	const n = 2*page + 50
	for i := range n {
		if _, err := b.Put(t.Context(), fmt.Sprintf("k%03d", i), []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	list := func() (n int, err error) {
		for _, err := range b.List(t.Context(), "k", nil) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	if got, err := list(); got != n || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	f.shuffle = true
	if got, err := list(); got == n || err == nil {
		t.Errorf("out of order: %d, %v", got, err)
	}
	f.shuffle = false
	pages := 0
	f.intercept = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		if pages++; pages > 2 {
			return nil, errors.New("gone")
		}
		return serve(), nil
	}
	if got, err := list(); got != 2*page || err == nil {
		t.Errorf("broken off: %d, %v", got, err)
	}
}

func TestCreateBucket(t *testing.T) {
	for _, locked := range []bool{false, true} {
		f := &fake{}
		if _, err := s3.Open(t.Context(), f.config()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open before: %v", err)
		}
		for range 2 {
			if err := s3.CreateBucket(t.Context(), f.config(), locked); err != nil {
				t.Fatal(err)
			}
		}
		if err := s3.CreateBucket(t.Context(), f.config(), !locked); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("CreateBucket of the other kind: %v", err)
		}
		if _, err := s3.Open(t.Context(), f.config()); err != nil {
			t.Error(err)
		}
	}
}

func TestConfig(t *testing.T) {
	good := (&fake{created: true}).config()
	for name, change := range map[string]func(*s3.Config){
		"endpoint":        func(c *s3.Config) { c.Endpoint = "http://s3.test/" },
		"access key":      func(c *s3.Config) { c.AccessKey = "" },
		"secret key":      func(c *s3.Config) { c.SecretKey = "" },
		"bucket":          func(c *s3.Config) { c.Bucket = "" },
		"other bucket":    func(c *s3.Config) { c.Bucket = "other" },
		"unsigned remote": func(c *s3.Config) { c.Transport, c.Endpoint = nil, "192.0.2.1:9000" },
	} {
		cfg := good
		change(&cfg)
		if _, err := s3.Open(t.Context(), cfg); err == nil || strings.Contains(err.Error(), good.SecretKey) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := s3.Open(t.Context(), good); err != nil {
		t.Error(err)
	}
}

// TestSigned: without TLS and off this machine, the content is signed.
func TestSigned(t *testing.T) {
	for _, unsigned := range []bool{false, true} {
		f := &fake{created: true}
		cfg := f.config()
		cfg.UnsignedPayload = unsigned
		b, err := s3.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f.intercept = func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			got := r.Header.Get("X-Amz-Content-Sha256")
			if (got == "UNSIGNED-PAYLOAD") != unsigned || r.Header.Get("X-Amz-Checksum-Crc32c") == "" {
				t.Errorf("unsigned %v: content digest %q", unsigned, got)
			}
			return serve(), nil
		}
		if _, err := b.Put(t.Context(), "a", []byte("x"), nil); err != nil {
			t.Error(err)
		}
	}
}

func TestProbe(t *testing.T) {
	cases := []struct {
		name    string
		f       *fake
		lacking []string
	}{
		{"good", &fake{versioned: true, locking: true}, nil},
		{"plain", &fake{}, nil},
		{"condition", &fake{versioned: true, locking: true, ignoreCondition: true}, []string{"put-if-absent"}},
		{"marker", &fake{versioned: true, locking: true, markerIsTaken: true}, []string{"put-over-marker"}},
		{"locked put", &fake{versioned: true, locking: true, dropLockedPut: true}, []string{"lock-in-put"}},
		{"refused locked put", &fake{versioned: true, locking: true, refuseLockedPut: true}, []string{"lock-in-put"}},
		{"lock", &fake{versioned: true, locking: true, dropLock: true},
			[]string{"lock", "hold", "lock-multipart", "lock-in-put", "lock-ends", "hold-outlives-lock"}},
		{"hold", &fake{versioned: true, locking: true, dropHold: true}, []string{"hold", "hold-outlives-lock"}},
		{"default lock", &fake{versioned: true, locking: true, autolock: true},
			[]string{"read-after-write", "put-if-absent", "range", "list", "multipart", "damage-refused", "private",
				"no-default-lock", "versions", "delete-versions", "put-over-marker", "lock", "hold", "lock-multipart",
				"lock-in-put", "lock-ends", "hold-outlives-lock"}},
		{"checksum", &fake{ignoreChecksum: true}, []string{"damage-refused"}},
		{"range", &fake{ignoreRange: true}, []string{"range"}},
		{"public", &fake{public: true}, []string{"private"}},
		{"skew", &fake{skew: 20 * time.Second}, []string{"clock"}},
		{"slow clock", &fake{versioned: true, locking: true, skew: -time.Hour}, []string{"clock"}},
	}
	// All at once, as most of the time goes in waiting for locks to end.
	var group sync.WaitGroup
	for _, c := range cases {
		b := c.f.open(t)
		group.Go(func() { checkProbe(t, c.name, c.f, b, c.lacking) })
	}
	group.Wait()
}

func checkProbe(t *testing.T, name string, f *fake, b *s3.Bucket, want []string) {
	report := probe(t, b, f.versioned)
	if report == nil {
		return
	}
	var lacking []string
	needed := 0
	for _, c := range report.Capabilities {
		if !c.OK {
			lacking = append(lacking, c.Name)
			if c.Needed {
				needed++
			}
		}
	}
	if !slices.Equal(lacking, want) || len(report.Missing()) != needed {
		t.Errorf("%s: lacking %q, want %q", name, lacking, want)
	}
	if len(f.uploads) != 0 {
		t.Errorf("%s: %d uploads left", name, len(f.uploads))
	}
}

// TestProbeOrder: where listings are wrong, Probe cannot clean up either.
func TestProbeOrder(t *testing.T) {
	f := &fake{shuffle: true}
	report, err := s3.Probe(t.Context(), f.open(t), false)
	if err != nil {
		t.Fatal(err)
	}
	if missing := report.Missing(); len(missing) != 1 || missing[0].Name != "list" {
		t.Errorf("missing: %+v", missing)
	}
}

// TestProbeKind: a bucket of the wrong kind.
func TestProbeKind(t *testing.T) {
	for _, archive := range []bool{false, true} {
		f := &fake{versioned: !archive, locking: !archive}
		report := probe(t, f.open(t), archive)
		if len(report.Missing()) == 0 {
			t.Errorf("archive %v: nothing missing", archive)
		}
	}
}

// TestProbeSweep: an interrupted Probe leaves what the next one removes.
func TestProbeSweep(t *testing.T) {
	f := &fake{versioned: true, locking: true, skew: -time.Hour}
	b := f.open(t)
	if _, err := b.Put(t.Context(), "probe/old/held", []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Hold(t.Context(), "probe/old/held", "", true); err != nil {
		t.Fatal(err)
	}
	f.mark("probe/old/marked")
	f.skew = 0
	probe(t, b, true)
}

// TestProbeGone: a server that does not answer is an error, not a report.
func TestProbeGone(t *testing.T) {
	f := &fake{retries: 1}
	b := f.open(t)
	f.intercept = func(*http.Request, func() *http.Response) (*http.Response, error) {
		return nil, errors.New("no route to host")
	}
	if report, err := s3.Probe(t.Context(), b, false); err == nil {
		t.Errorf("%+v", report)
	}
	f.intercept = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s3.Probe(ctx, b, false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
