package s3_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/luutru/luutru/store"
)

// sentinels are all that callers may tell apart.
func sentinels() map[string]error {
	return map[string]error{
		"missing": fs.ErrNotExist, "taken": fs.ErrExist, "invalid": fs.ErrInvalid,
		"locked": store.ErrLocked, "unsupported": errors.ErrUnsupported,
	}
}

func sentinel(err error) string {
	for name, s := range sentinels() {
		if errors.Is(err, s) {
			return name
		}
	}
	return ""
}

// answering is a bucket whose server gives one answer to all requests.
func answering(status int, body string) func(*http.Request, func() *http.Response) (*http.Response, error) {
	return func(*http.Request, func() *http.Response) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func TestErrors(t *testing.T) {
	f := &fake{retries: 1}
	b := f.open(t)
	for _, c := range []struct {
		status        int
		code          string
		get, put, del string
	}{
		{404, "NoSuchKey", "missing", "missing", "ok"},
		{404, "NoSuchVersion", "missing", "missing", "ok"},
		{404, "", "missing", "missing", "ok"}, // without a body
		{404, "NoSuchBucket", "", "", ""},     // not that the object is missing
		{405, "MethodNotAllowed", "missing", "", ""},
		{412, "PreconditionFailed", "taken", "taken", "taken"},
		{412, "", "taken", "taken", "taken"},
		{416, "InvalidRange", "invalid", "invalid", "invalid"},
		{416, "", "invalid", "invalid", "invalid"},
		{403, "AccessDenied", "", "", ""},
		{403, "SignatureDoesNotMatch", "", "", ""},
		{403, "RequestTimeTooSkewed", "", "", ""},
		{400, "ObjectLocked", "locked", "locked", "locked"},
		{400, "InvalidRequest", "", "", ""},
		{409, "OperationAborted", "", "", ""},
		{507, "XMinioStorageFull", "", "", ""},
		{301, "PermanentRedirect", "", "", ""},
	} {
		body := ""
		if c.code != "" {
			body = "<Error><Code>" + c.code + "</Code><Message>words</Message></Error>"
		}
		f.intercept = answering(c.status, body)
		_, _, get := b.Get(t.Context(), "key", nil)
		_, put := b.Put(t.Context(), "key", []byte("x"), nil)
		del := b.Delete(t.Context(), "key")
		for _, got := range []struct {
			op, want string
			err      error
		}{{"get", c.get, get}, {"put", c.put, put}, {"delete", c.del, del}} {
			if got.want == "ok" && got.err == nil {
				continue
			}
			if got.err == nil || sentinel(got.err) != got.want {
				t.Errorf("%s, %d %s: %v, want %q", got.op, c.status, c.code, got.err, got.want)
			}
		}
	}
}

// TestErrorText: an error names the operation, the key and the reason, and
// neither the URL nor the access keys.
func TestErrorText(t *testing.T) {
	f := &fake{retries: 1}
	b := f.open(t)
	for _, cause := range []error{
		&url.Error{Op: "Get", URL: "http://ACCESSKEY:SECRETKEY@s3.test/bucket/key?X-Amz-Signature=abc", Err: errors.New("refused")},
		errors.New("EOF"),
		errors.New("dial tcp: SECRETKEY"),
	} {
		f.intercept = func(*http.Request, func() *http.Response) (*http.Response, error) { return nil, cause }
		_, _, err := b.Get(t.Context(), "some/key", nil)
		checkText(t, err)
		if !strings.HasPrefix(err.Error(), `get "some/key": `) {
			t.Errorf("%v", err)
		}
	}
}

func checkText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	for _, secret := range []string{"SECRETKEY", "ACCESSKEY", "X-Amz-Signature", "Authorization"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q contains %s", text, secret)
		}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 400 {
		t.Errorf("%q is not clean", text)
	}
}

// FuzzErrors: whatever a server answers, an error is clean, carries at most one
// meaning, and a Get of a whole object is never mistaken for done.
func FuzzErrors(f *testing.F) {
	f.Add(404, "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>")
	f.Add(403, "<Error><Code>AccessDenied</Code><Message>SECRETKEY</Message></Error>")
	f.Add(400, "<Error><Code>ACCESSKEY</Code><Message>\x00\x1b[31m</Message></Error>")
	f.Add(418, "SECRETKEY")
	f.Add(400, strings.Repeat("é", 1000))
	f.Add(404, "")
	server := &fake{retries: 1}
	b := server.open(f)
	f.Fuzz(func(t *testing.T, status int, body string) {
		status = 300 + (status%300+300)%300
		server.intercept = answering(status, body)
		_, _, err := b.Get(t.Context(), "key", nil)
		if err == nil {
			t.Fatal("no error")
		}
		checkText(t, err)
		meanings := 0
		for _, s := range sentinels() {
			if errors.Is(err, s) {
				meanings++
			}
		}
		if meanings > 1 {
			t.Errorf("%v means %d things", err, meanings)
		}
	})
}
