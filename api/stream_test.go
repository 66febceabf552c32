package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// body makes the body of a push and its media type.
func body(t testing.TB, declaration []byte, texts []text) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	mw := multipart.NewWriter(&b)
	w, err := mw.CreateFormField("declaration")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(declaration); err != nil {
		t.Fatal(err)
	}
	for _, x := range texts {
		w, err := mw.CreateFormFile("document", x.name) // raw UTF-8 in quotes, as browsers and curl do
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, x.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), mw.FormDataContentType()
}

func (s *served) send(t testing.TB, method, path, who, mediaType string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", "Bearer "+who)
	res, err := s.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestOtherClientsPushToo(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	b, mediaType := body(t, d, usual)
	mixed := strings.Replace(mediaType, "form-data", "mixed", 1)
	status, first := s.send(t, "POST", "/v1/dossiers", "portal", mediaType, bytes.NewReader(b))
	again, second := s.send(t, "PUT", "/v1/dossiers", "portal", mixed, bytes.NewReader(b))
	if status != 200 || again != 200 || first != second {
		t.Errorf("got %d %s, then %d %s", status, first, again, second)
	}
}

func TestBadRequests(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	whole, mediaType := body(t, d, usual)
	noDeclaration, otherType := body(t, nil, nil)
	tests := map[string]struct {
		method, path, who, mediaType, body string
		want                               int
	}{
		"no token":             {"GET", "/v1/dossiers?q=x", "", "", "", 401},
		"unknown token":        {"GET", "/v1/dossiers?q=x", "somebody", "", "", 401},
		"not multipart":        {"POST", "/v1/dossiers", "portal", "application/json", "{}", 400},
		"empty":                {"POST", "/v1/dossiers", "portal", mediaType, "", 400},
		"no closing boundary":  {"POST", "/v1/dossiers", "portal", mediaType, string(whole[:len(whole)-10]), 400},
		"half a document":      {"POST", "/v1/dossiers", "portal", mediaType, string(whole[:len(whole)-200]), 400},
		"half a declaration":   {"POST", "/v1/dossiers", "portal", mediaType, string(whole[:300]), 400},
		"empty declaration":    {"POST", "/v1/dossiers", "portal", otherType, string(noDeclaration), 422},
		"may not push":         {"POST", "/v1/dossiers", "lan", mediaType, string(whole), 403},
		"may not search":       {"GET", "/v1/dossiers?q=x", "portal", "", "", 403},
		"misspelt field":       {"GET", "/v1/dossiers?query=x", "lan", "", "", 400},
		"field twice":          {"GET", "/v1/dossiers?q=x&q=y", "lan", "", "", 400},
		"bad date":             {"GET", "/v1/dossiers?from=1.1.2020", "lan", "", "", 400},
		"too deep":             {"GET", "/v1/dossiers?offset=99999999", "lan", "", "", 400},
		"no purpose":           {"GET", "/v1/dossiers/" + code + "/copy", "lan", "", "", 403},
		"absent":               {"GET", "/v1/dossiers/x%2Fy", "lan", "", "", 404},
		"unknown JSON field":   {"POST", "/v1/cases", "lan", "application/json", `{"dossier":[]}`, 400},
		"JSON and more":        {"POST", "/v1/cases", "lan", "application/json", `{} {}`, 400},
		"not said to be JSON":  {"POST", "/v1/cases", "lan", "text/plain", `{}`, 400},
		"no such case":         {"GET", "/v1/cases/x", "lan", "", "", 404},
		"bad due date":         {"GET", "/v1/retention/due?at=x", "lan", "", "", 400},
		"no reason for a hold": {"POST", "/v1/dossiers/" + code + "/holds", "lan", "application/json", `{"reason":""}`, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, answer := s.send(t, tt.method, tt.path, tt.who, tt.mediaType, strings.NewReader(tt.body))
			if status != tt.want || !strings.Contains(answer, `"code":`) {
				t.Errorf("got %d %s, want %d", status, answer, tt.want)
			}
		})
	}
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// dial opens a connection and sends text on it.
func (s *served) dial(t testing.TB, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func head(mediaType string, size int) string {
	return fmt.Sprintf("POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer portal\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", mediaType, size)
}

func TestTruncatedUploadLeavesNothing(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	b, mediaType := body(t, d, usual)
	for n := 0; n < len(b); n += 97 {
		c := s.dial(t, head(mediaType, len(b))+string(b[:n]))
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("cut after %d octets: %v", n, err)
		}
		if res.StatusCode != 400 {
			t.Errorf("cut after %d octets: got %s", n, res.Status)
		}
		res.Body.Close()
	}
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestSlowClientIsLetGo(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.Patience = 20 * time.Millisecond })
	d, _ := declare(t, code, usual)
	b, mediaType := body(t, d, usual)
	c := s.dial(t, head(mediaType, len(b))+string(b[:len(b)-100]))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("got %s", res.Status)
	}
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
	s.push(t, code) // and nobody else notices
}

func TestTricklingClientIsLetGo(t *testing.T) {
	var ticks atomic.Int64
	s := serve(t, func(c *api.Config) {
		c.Now = func() time.Time { return now.Add(10 * time.Second * time.Duration(ticks.Add(1))) }
	})
	texts := []text{{"lon.txt", strings.Repeat("x", 200<<10)}}
	d, _ := declare(t, code, texts)
	b, mediaType := body(t, d, texts)
	status, answer := s.send(t, "POST", "/v1/dossiers", "portal", mediaType, iotest.OneByteReader(bytes.NewReader(b)))
	if status != http.StatusRequestTimeout {
		t.Errorf("got %d %s", status, answer)
	}
}

func TestHTTP2(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.Patience = forHTTP2 })
	s.push(t, code)
	var zip bytes.Buffer
	if err := s.as("lan").Copy(t.Context(), code, "xem", &zip); err != nil || zip.Len() < 1000 {
		t.Errorf("copy of %d octets: %v", zip.Len(), err)
	}
	const size = 1 << 30
	d, _ := declare(t, code, []text{{"lon.txt", ""}})
	d = bytes.Replace(d, []byte(`"size": 0`), []byte(fmt.Sprintf(`"size": %d`, int64(size))), 1)
	if _, err := s.as("portal").Push(t.Context(), d, []api.File{zeros("lon.txt", size)}); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	s.damage(t)
	if err := s.as("lan").Copy(t.Context(), code, "xem", io.Discard); err == nil {
		t.Error("a damaged copy came whole")
	}
	res, err := s.server.Client().Get(s.server.URL + "/healthz")
	if err != nil || res.ProtoMajor != 2 {
		t.Fatalf("got %+v, %v", res, err)
	}
	res.Body.Close()
}

// zeros is a document of so many zeros.
func zeros(name string, size int64) api.File {
	return api.File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zero{}, size)), nil }}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestEarlyAnswerReachesTheClient(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.Drain = 1 << 20 })
	s.push(t, code)
	const size = 1 << 30
	texts := []text{{"lon.txt", ""}}
	d, _ := declare(t, code, texts)
	d = bytes.Replace(d, []byte(`"size": 0`), []byte(fmt.Sprintf(`"size": %d`, int64(size))), 1)
	if _, err := s.as("portal").Push(t.Context(), d, []api.File{zeros("lon.txt", size)}); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

// TestAnswerAfterEverythingWasSent is for clients that read no answer before
// they have sent all.
func TestAnswerAfterEverythingWasSent(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	texts := []text{{"lon.txt", strings.Repeat("x", 8<<20)}}
	d, _ := declare(t, code, texts)
	b, mediaType := body(t, d, texts)
	c := s.dial(t, head(mediaType, len(b))+string(b))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusConflict {
		t.Errorf("got %s", res.Status)
	}
}

func TestUploadIsNotHeldInMemory(t *testing.T) {
	s := serve(t)
	const size = 64 << 20
	d, _ := declare(t, code, []text{{"lon.bin", ""}})
	d = bytes.Replace(d, []byte(`"size": 0`), []byte(fmt.Sprintf(`"size": %d`, int64(size))), 1)
	d = bytes.Replace(d, []byte(`text/plain`), []byte(`application/zip`), 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := s.as("portal").Push(t.Context(), d, []api.File{zeros("lon.bin", size)})
	var invalid *dossier.ValidationError
	if !errors.As(err, &invalid) {
		t.Errorf("got %v: the digest is not declared", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size+size*3/4 { // once, by the store in memory
		t.Errorf("allocated %d MiB for %d MiB", used>>20, size>>20)
	}
}

// damage alters every package.
func (s *served) damage(t testing.TB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for info, err := range s.packages.List(ctx, "packages/", nil) {
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := s.packages.Get(ctx, info.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1 // in the middle of the documents: much is sent before it shows
		if _, err := s.packages.Put(ctx, info.Key, b, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedPackageIsBrokenOff(t *testing.T) {
	s := serve(t)
	texts := []text{{"lon.txt", strings.Repeat("Giấy phép xây dựng. ", 200_000)}}
	d, files := declare(t, code, texts)
	if _, err := s.as("portal").Push(t.Context(), d, files); err != nil {
		t.Fatal(err)
	}
	s.damage(t)
	var got bytes.Buffer
	if err := s.as("lan").Copy(t.Context(), code, "xem", &got); err == nil || got.Len() == 0 {
		t.Errorf("copy: %d octets, %v", got.Len(), err)
	}
	got.Reset()
	if err := s.as("lan").Document(t.Context(), code, "lon.txt", "xem", &got); err == nil || got.Len() == len(texts[0].data) {
		t.Errorf("document: %d octets, %v", got.Len(), err)
	}
}

func TestUnreadableFileIsTheClientsError(t *testing.T) {
	s := serve(t)
	d, files := declare(t, code, usual)
	mine := errors.New("disk on fire")
	files[1].Open = func() (io.ReadCloser, error) { return nil, mine }
	if _, err := s.as("portal").Push(t.Context(), d, files); !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
	s.server.Close() // waits for the handler
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// FuzzPush sends any body as a push: it is refused, and leaves nothing.
func FuzzPush(f *testing.F) {
	s := serve(f)
	d, _ := declare(f, code, usual)
	b, _ := body(f, d, usual)
	f.Add(string(b))
	f.Add("--x\r\nContent-Disposition: form-data; name=declaration\r\n\r\n{}\r\n--x--")
	f.Add("--x\r\nContent-Type: application/json\r\n\r\n{\"code\":\"1\"}\r\n--x\r\n\r\n--x--")
	f.Fuzz(func(t *testing.T, body string) {
		status, answer := s.send(t, "POST", "/v1/dossiers", "portal", "multipart/mixed; boundary=x", strings.NewReader(body))
		if status != 400 && status != 422 {
			t.Errorf("got %d %s", status, answer)
		}
		if left := s.objects(t); left != nil {
			t.Errorf("left behind: %v", left)
		}
	})
}

// FuzzSearch asks for anything: the answer is a page or a refusal.
func FuzzSearch(f *testing.F) {
	s := serve(f)
	s.push(f, code)
	if err := s.archive.Indexed(context.WithoutCancel(f.Context())); err != nil {
		f.Fatal(err)
	}
	f.Add("q=gi%E1%BA%A5y+ph%C3%A9p&limit=5")
	f.Add("person=079190000123&from=2020-01-01&to=2040-01-01&offset=1")
	f.Add("q=%22gi%E1%BA%A5y")
	f.Add("q=\xff")
	f.Fuzz(func(t *testing.T, form string) {
		status, answer := s.send(t, "POST", "/v1/search", "lan", "application/x-www-form-urlencoded", strings.NewReader(form))
		if status != 200 && status != 400 {
			t.Errorf("got %d %s", status, answer)
		}
	})
}
