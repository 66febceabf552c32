package api_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/staging"
	"github.com/luutru/luutru/store/storetest"
)

// packed is a dossier as a ZIP of one folder.
func packed(t testing.TB, declaration []byte, texts []text) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, x := range append([]text{{"dossier.json", string(declaration)}}, texts...) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "ho-so/" + x.name, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, x.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// request makes a request of the tus protocol.
func (s *served) request(t testing.TB, method, path, who string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+who)
	r.Header.Set("Tus-Resumable", "1.0.0")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// begin creates an upload and returns its path.
func (s *served) begin(t testing.TB, size int, headers ...string) string {
	t.Helper()
	res := s.request(t, "POST", "/v1/uploads", "portal", nil, append([]string{"Upload-Length", strconv.Itoa(size)}, headers...)...)
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("got %s: %s", res.Status, said(t, res))
	}
	return res.Header.Get("Location")
}

func (s *served) patch(t testing.TB, path string, offset int, data []byte, headers ...string) *http.Response {
	t.Helper()
	headers = append([]string{"Content-Type", "application/offset+octet-stream", "Upload-Offset", strconv.Itoa(offset)}, headers...)
	return s.request(t, "PATCH", path, "portal", bytes.NewReader(data), headers...)
}

func said(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// uploads lists what the work bucket holds of uploads.
func (s *served) uploads(t testing.TB) (all []string) {
	t.Helper()
	for info, err := range s.work.List(context.WithoutCancel(t.Context()), "uploads/", nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}

func TestResumableUpload(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	z := packed(t, d, usual)
	path := s.begin(t, len(z), "Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte("hồ sơ.zip")))
	if !strings.HasPrefix(path, "/v1/uploads/") {
		t.Fatalf("location %q", path)
	}
	if res := s.request(t, "GET", path, "portal", nil); res.StatusCode != http.StatusConflict {
		t.Errorf("the answer before the end: %s %s", res.Status, said(t, res))
	}
	for at := 0; at < len(z); at += 300 {
		res := s.request(t, "HEAD", path, "portal", nil)
		if res.StatusCode != 200 || res.Header.Get("Upload-Offset") != strconv.Itoa(at) || res.Header.Get("Upload-Length") != strconv.Itoa(len(z)) {
			t.Fatalf("head: %s %v", res.Status, res.Header)
		}
		res = s.patch(t, path, at, z[at:min(at+300, len(z))])
		if res.StatusCode != 204 || res.Header.Get("Upload-Offset") != strconv.Itoa(min(at+300, len(z))) {
			t.Fatalf("patch: %s %v %s", res.Status, res.Header, said(t, res))
		}
		if _, err := http.ParseTime(res.Header.Get("Upload-Expires")); err != nil {
			t.Errorf("expires: %v", err)
		}
	}
	var first string
	for range 3 {
		res := s.request(t, "GET", path, "portal", nil)
		text := said(t, res)
		if first == "" {
			first = text
		}
		if res.StatusCode != 200 || text != first {
			t.Fatalf("answer: %s %s", res.Status, text)
		}
	}
	if r := s.push(t, code); !strings.Contains(first, r.Dossier) {
		t.Errorf("another receipt: %s", first)
	}
	if left := s.uploads(t); len(left) != 1 || !strings.HasPrefix(left[0], "uploads/answer/") {
		t.Errorf("left: %q", left)
	}
	if res := s.request(t, "HEAD", path, "portal", nil); res.Header.Get("Upload-Offset") != strconv.Itoa(len(z)) {
		t.Errorf("offset of what is finished: %v", res.Header)
	}
}

// TestAnswerAfterCrash completes an upload on a node that dies before it
// ingests: whoever asks for the answer gets it all the same.
func TestAnswerAfterCrash(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	z := packed(t, d, usual)
	u, err := s.staging.Create(t.Context(), "portal", int64(len(z)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Append(t.Context(), 0, bytes.NewReader(z)); err != nil {
		t.Fatal(err)
	}
	res := s.request(t, "GET", "/v1/uploads/"+u.ID, "portal", nil)
	if text := said(t, res); res.StatusCode != 200 || !strings.Contains(text, code) {
		t.Errorf("got %s %s", res.Status, text)
	}
}

func TestUploadsAreTheirOwners(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 1000)
	for _, who := range []string{"gate", "lan", "somebody"} {
		want := map[string]int{"gate": 404, "lan": 403, "somebody": 401}[who]
		for _, method := range []string{"HEAD", "PATCH", "DELETE"} {
			res := s.request(t, method, path, who, strings.NewReader("x"), "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
			if res.StatusCode != want {
				t.Errorf("%s by %s: %s", method, who, res.Status)
			}
		}
	}
	if res := s.request(t, "GET", path, "gate", nil); res.StatusCode != 404 {
		t.Errorf("the answer for another: %s", res.Status)
	}
	if res := s.request(t, "POST", "/v1/uploads", "lan", nil, "Upload-Length", "10"); res.StatusCode != 403 {
		t.Errorf("an archivist: %s", res.Status)
	}
}

func TestUploadRefusals(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 10)
	octets := "application/offset+octet-stream"
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
		code               string
	}{
		"no version":       {"PATCH", path, "x", []string{"Tus-Resumable", "0.2.2", "Upload-Offset", "0", "Content-Type", octets}, 412, "upload"},
		"wrong offset":     {"PATCH", path, "x", []string{"Upload-Offset", "5", "Content-Type", octets}, 409, "upload"},
		"no offset":        {"PATCH", path, "x", []string{"Content-Type", octets}, 400, "upload"},
		"wrong type":       {"PATCH", path, "x", []string{"Upload-Offset", "0", "Content-Type", "text/plain"}, 400, "upload"},
		"too much":         {"PATCH", path, "12345678901", []string{"Upload-Offset", "0", "Content-Type", octets}, 413, "upload"},
		"no length":        {"POST", "/v1/uploads", "", nil, 400, "upload"},
		"too large":        {"POST", "/v1/uploads", "", []string{"Upload-Length", "99999999999999"}, 413, "upload"},
		"deferred":         {"POST", "/v1/uploads", "", []string{"Upload-Defer-Length", "1"}, 501, "upload"},
		"absent":           {"PATCH", "/v1/uploads/abc", "x", []string{"Upload-Offset", "0", "Content-Type", octets}, 404, "not-found"},
		"unknown checksum": {"PATCH", path, "x", []string{"Upload-Offset", "0", "Content-Type", octets, "Upload-Checksum", "md5 AAAA"}, 400, "upload"},
		"wrong checksum":   {"PATCH", path, "x", []string{"Upload-Offset", "0", "Content-Type", octets, "Upload-Checksum", "sha1 AAAA"}, 460, "upload"},
	} {
		res := s.request(t, tt.method, tt.path, "portal", strings.NewReader(tt.body), tt.headers...)
		text := said(t, res)
		var p api.Problem
		if err := json.Unmarshal([]byte(text), &p); err != nil || res.StatusCode != tt.want || p.Status != tt.want || p.Code != tt.code {
			t.Errorf("%s: got %s %s", name, res.Status, text)
		}
	}
	if res := s.request(t, "HEAD", path, "portal", nil); res.Header.Get("Upload-Offset") != "0" {
		t.Errorf("something was kept: %v", res.Header)
	}
}

func TestUploadChecksum(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 10+staging.Block+1)
	one, two := sha1.Sum([]byte("12345")), sha256.Sum256([]byte("67890"))
	if res := s.patch(t, path, 0, []byte("12345"), "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(one[:])); res.StatusCode != 204 {
		t.Errorf("sha1: %s %s", res.Status, said(t, res))
	}
	if res := s.patch(t, path, 5, []byte("67890"), "Upload-Checksum", "sha256 "+base64.StdEncoding.EncodeToString(two[:])); res.StatusCode != 204 {
		t.Errorf("sha256: %s %s", res.Status, said(t, res))
	}
	if res := s.patch(t, path, 10, make([]byte, staging.Block+1), "Upload-Checksum", "sha1 AAAA"); res.StatusCode != 413 {
		t.Errorf("too much at once: %s %s", res.Status, said(t, res))
	}
}

func TestUploadOptions(t *testing.T) {
	s := serve(t)
	res := s.request(t, "OPTIONS", "/v1/uploads", "", nil)
	for name, want := range map[string]string{
		"Tus-Version": "1.0.0", "Tus-Extension": "creation,creation-with-upload,termination,checksum,expiration", "Tus-Checksum-Algorithm": "sha1,sha256",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if res.Header.Get("Tus-Max-Size") == "" {
		t.Error("no largest size")
	}
}

func TestUploadTerminated(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 10)
	s.patch(t, path, 0, []byte("12345"))
	if res := s.request(t, "DELETE", path, "portal", nil); res.StatusCode != 204 {
		t.Errorf("got %s", res.Status)
	}
	if res := s.request(t, "HEAD", path, "portal", nil); res.StatusCode != 404 || s.uploads(t) != nil {
		t.Errorf("after it: %s, left %q", res.Status, s.uploads(t))
	}
}

func TestUploadOfSomethingElse(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 5)
	s.patch(t, path, 0, []byte("12345"))
	var first string
	for range 2 {
		res := s.request(t, "GET", path, "portal", nil)
		text := said(t, res)
		if first == "" {
			first = text
		}
		if res.StatusCode != 422 || res.Header.Get("Content-Type") != "application/problem+json" || text != first {
			t.Errorf("got %s %s", res.Status, text)
		}
	}
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestTooManyUploads(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.Staging.MaxOpen = 2 })
	s.begin(t, 5)
	s.begin(t, 5)
	res := s.request(t, "POST", "/v1/uploads", "portal", nil, "Upload-Length", "5")
	if text := said(t, res); res.StatusCode != 429 || !strings.Contains(text, `"too-many"`) || res.Header.Get("Retry-After") == "" {
		t.Errorf("got %s %s", res.Status, text)
	}
}

// TestUploadWhileTheStoreFails: what the store's failing makes of a package is
// no word on the package.
func TestUploadWhileTheStoreFails(t *testing.T) {
	fail := false
	var healthy *staging.Area
	s := serve(t, func(c *api.Config) {
		healthy = c.Staging
		sc := c.Staging.Config
		sc.Store = storetest.Faulty{Store: sc.Store, OnCall: func(op, key string) (bool, error) {
			if fail && op == "get" && strings.HasPrefix(key, "uploads/data/") {
				return false, errors.New("disk on fire")
			}
			return true, nil
		}}
		var err error
		if c.Staging, err = staging.New(sc); err != nil {
			t.Fatal(err)
		}
	})
	d, _ := declare(t, code, usual)
	z := packed(t, d, usual)
	u, err := healthy.Create(t.Context(), "portal", int64(len(z)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Append(t.Context(), 0, bytes.NewReader(z)); err != nil {
		t.Fatal(err)
	}
	fail = true
	res := s.request(t, "GET", "/v1/uploads/"+u.ID, "portal", nil)
	if text := said(t, res); res.StatusCode != 500 || strings.Contains(text, "fire") {
		t.Errorf("got %s %s", res.Status, text)
	}
	fail = false
	if res := s.request(t, "GET", "/v1/uploads/"+u.ID, "portal", nil); res.StatusCode != 200 {
		t.Errorf("got %s %s", res.Status, said(t, res))
	}
}

func TestPushPackage(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	z := packed(t, d, usual)
	status, first := s.send(t, "POST", "/v1/dossiers", "portal", "application/zip", bytes.NewReader(z))
	if status != 200 || !strings.Contains(first, code) {
		t.Fatalf("got %d %s", status, first)
	}
	again, second := s.send(t, "POST", "/v1/dossiers", "portal", "application/zip", io.MultiReader(bytes.NewReader(z))) // of unknown length
	if again != 200 || first != second {
		t.Errorf("again: %d %s", again, second)
	}
	r := s.push(t, code)
	if b, err := r.Encode(); err != nil || string(b) != first {
		t.Errorf("as parts: another receipt: %s, %v", b, err)
	}
	if status, text := s.send(t, "POST", "/v1/dossiers", "portal", "application/zip", strings.NewReader("no ZIP")); status != 422 {
		t.Errorf("no ZIP: %d %s", status, text)
	}
	if status, text := s.send(t, "POST", "/v1/dossiers", "lan", "application/zip", bytes.NewReader(z)); status != 403 {
		t.Errorf("an archivist: %d %s", status, text)
	}
	if left := s.uploads(t); left != nil {
		t.Errorf("left: %q", left)
	}
}

// partsOf makes a multipart body.
func partsOf(t testing.TB, all ...text) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	mw := multipart.NewWriter(&b)
	for _, x := range all {
		w, err := mw.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="x"`, x.name)}})
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

func TestPushPackageAsPart(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	z := text{"package", string(packed(t, d, usual))}
	var first string
	for name, all := range map[string][]text{
		"alone": {z}, "declaration before": {{"declaration", string(d)}, z}, "declaration after": {z, {"declaration", string(d)}},
	} {
		b, mediaType := partsOf(t, all...)
		status, answer := s.send(t, "POST", "/v1/dossiers", "portal", mediaType, bytes.NewReader(b))
		if first == "" {
			first = answer
		}
		if status != 200 || answer != first {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for name, all := range map[string][]text{
		"two packages": {z, z}, "a document after it": {z, {"document", "x"}}, "three": {{"declaration", string(d)}, z, {"document", "x"}}, "more": {z, {"declaration", string(d)}, z},
	} {
		b, mediaType := partsOf(t, all...)
		if status, answer := s.send(t, "POST", "/v1/dossiers", "portal", mediaType, bytes.NewReader(b)); status != 400 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	b, mediaType := partsOf(t, z)
	if status, answer := s.send(t, "POST", "/v1/dossiers", "portal", mediaType, bytes.NewReader(b[:len(b)-100])); status != 400 {
		t.Errorf("cut: %d %s", status, answer)
	}
	if left := s.uploads(t); left != nil {
		t.Errorf("left: %q", left)
	}
}

func TestSlowUploadKeepsWhatCame(t *testing.T) {
	s := serve(t, func(c *api.Config) { c.Patience = 50 * time.Millisecond })
	path := s.begin(t, 100_000)
	c := s.dial(t, "PATCH "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer portal\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 70_000))
	if _, err := c.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if res := s.request(t, "HEAD", path, "portal", nil); res.Header.Get("Upload-Offset") != "70000" {
		t.Errorf("offset %v", res.Header)
	}
	// Another request takes over from one that hangs.
	if res := s.patch(t, path, 70_000, make([]byte, 30_000)); res.StatusCode != 204 {
		t.Errorf("got %s", res.Status)
	}
}

// TestNewRequestTakesOver: a client that lost its line asks for the offset, and
// need not wait until the server notices.
func TestNewRequestTakesOver(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 100_000)
	c := s.dial(t, "PATCH "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer portal\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 70_000))
	answered := make(chan *http.Response, 1)
	go func() {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Error(err)
			res = &http.Response{}
		}
		answered <- res
	}()
	for {
		head := s.request(t, "HEAD", path, "portal", nil)
		if head.StatusCode != 200 {
			t.Fatalf("got %s", head.Status)
		}
		select {
		case res := <-answered:
			if res.StatusCode != http.StatusLocked {
				t.Errorf("the old request: %s", res.Status)
			}
			at, err := strconv.Atoi(s.request(t, "HEAD", path, "portal", nil).Header.Get("Upload-Offset"))
			if err != nil || at > 70_000 {
				t.Fatalf("offset %d, %v", at, err)
			}
			if res := s.patch(t, path, at, make([]byte, 100_000-at)); res.StatusCode != 204 {
				t.Errorf("the new request: %s %s", res.Status, said(t, res))
			}
			return
		default:
		}
	}
}

// TestStopBreaksUploadsOff: a server that stops keeps what has come, and says so
// in time.
func TestStopBreaksUploadsOff(t *testing.T) {
	s := serve(t)
	path := s.begin(t, 100_000)
	c := s.dial(t, "PATCH "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer portal\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 70_000))
	for { // until the request is being served
		res, err := s.server.Client().Get(s.server.URL + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text := said(t, res)
		res.Body.Close()
		if strings.Contains(text, "\nluutru_requests_total 3\n") || !strings.Contains(text, "\nluutru_requests_total 2\n") {
			break
		}
	}
	s.handler.Stop()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %s", res.Status)
	}
	u, err := s.staging.Open(t.Context(), "portal", path[strings.LastIndex(path, "/")+1:])
	if err != nil || u.Offset() > 70_000 {
		t.Errorf("got %d, %v", u.Offset(), err)
	}
	if res := s.request(t, "POST", "/v1/uploads", "portal", nil, "Upload-Length", "1"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("another upload: %s", res.Status)
	}
}

func TestCopyInOtherForms(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	for _, form := range []string{"dip", "sip", "bag", ""} {
		var b bytes.Buffer
		if err := s.as("lan").CopyAs(t.Context(), code, form, "xem", &b); err != nil {
			t.Fatalf("%q: %v", form, err)
		}
		if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
			t.Errorf("%q: %v", form, err)
		}
	}
	if err := s.as("lan").CopyAs(t.Context(), code, "pdf", "xem", io.Discard); !errors.Is(err, api.ErrRequest) {
		t.Errorf("no such form: %v", err)
	}
	if status, text := s.send(t, "GET", "/v1/dossiers/"+code+"/copy?purpose=x&form=pdf", "lan", "", nil); status != 400 {
		t.Errorf("no such form: %d %s", status, text)
	}
}

// FuzzUpload sends any headers: it is answered, and never by a failure of ours.
func FuzzUpload(f *testing.F) {
	s := serve(f)
	path := s.begin(f, 1000)
	f.Add("PATCH", "Upload-Offset", "0", "Upload-Checksum", "sha1 AAAA", []byte("x"))
	f.Add("POST", "Upload-Length", "9", "Upload-Metadata", "a b,,c", []byte(""))
	f.Add("POST", "X-HTTP-Method-Override", "PATCH", "Upload-Concat", "final;/v1/uploads/a", []byte("x"))
	f.Fuzz(func(t *testing.T, method, h1, v1, h2, v2 string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, bytes.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set(h1, v1)
		r.Header.Set(h2, v2)
		r.Header.Set("Authorization", "Bearer portal")
		r.Header.Set("Tus-Resumable", "1.0.0")
		r.Header.Set("Content-Type", "application/offset+octet-stream")
		res, err := s.server.Client().Do(r)
		if err != nil {
			return
		}
		res.Body.Close()
		if res.StatusCode == 500 {
			t.Errorf("got %s", res.Status)
		}
	})
}
