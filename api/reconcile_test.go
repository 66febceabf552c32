package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/intake"
)

func TestReconcile(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	list := "\ufeffcode,of_ours,agency,closed,documents\n" +
		code + ",x,H29.68,2028-05-04,2\n" + code + ",x,H29.68,2028-05-05,2\n" + "H29.68-280301-0002,x,H29.68,2040-02-28,\n" + ",x,H29.68,,\n" + code + ",x,H30,,\n" + code + ",x,H29.68,,two\n"
	want := []archive.Status{archive.Stored, archive.Different, archive.Missing, archive.Invalid, archive.Invalid, archive.Invalid}
	var got []archive.Status
	for a, err := range s.as("portal").Reconcile(t.Context(), "text/csv", strings.NewReader(list)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.Status)
		if a.Status == archive.Stored && (a.Dossier == "" || !a.Archived.Equal(now) || !a.Late) {
			t.Errorf("got %+v", a)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	status, text := s.send(t, "POST", "/v1/reconcile", "portal", "text/csv", strings.NewReader(list))
	rows := strings.Split(strings.TrimSpace(text), "\n")
	if status != 200 || len(rows) != 7 || rows[0] != "code,agency,status,dossier,archived,codes,late" || !strings.HasPrefix(rows[1], code+",H29.68,archived,") || !strings.HasSuffix(rows[2], ",closed,late") {
		t.Errorf("got %d %s", status, text)
	}
	lines := fmt.Sprintf("{\"code\":%q,\"agency\":\"H29.68\"}\n\n{\"code\":\"x\",\"agency\":\"H29\"}\n", code)
	status, text = s.send(t, "POST", "/v1/reconcile", "portal", "application/x-ndjson", strings.NewReader(lines))
	if status != 200 || strings.Count(text, "\n") != 2 || !strings.Contains(text, `"status":"archived"`) || !strings.Contains(text, `"status":"missing"`) {
		t.Errorf("got %d %s", status, text)
	}
}

func TestReconcileRefuses(t *testing.T) {
	s := serve(t)
	for name, tt := range map[string]struct {
		who, mediaType, body string
		want                 int
	}{
		"other type":      {"portal", "text/plain", "code\nx\n", 400},
		"no columns":      {"portal", "text/csv", "", 400},
		"no code":         {"portal", "text/csv", "name,agency\nx,y\n", 400},
		"a row too short": {"portal", "text/csv", "code,agency\nx\n", 400},
		"not JSON":        {"portal", "application/x-ndjson", "code\n", 400},
		"a long line":     {"portal", "application/x-ndjson", `{"code":"` + strings.Repeat("x", 100<<10), 400},
		"not theirs":      {"hoa", "text/csv", "code\nx\n", 403},
	} {
		status, text := s.send(t, "POST", "/v1/reconcile", tt.who, tt.mediaType, strings.NewReader(tt.body))
		if status != tt.want || !strings.Contains(text, `"code":`) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for _, err := range s.as("hoa").Reconcile(t.Context(), "text/csv", strings.NewReader("code\nx\n")) {
		if !errors.Is(err, archive.ErrDenied) {
			t.Errorf("got %v", err)
		}
	}
}

// TestReconcileStreams sends a list without an end, reads some answers, and
// leaves.
func TestReconcileStreams(t *testing.T) {
	s := serve(t)
	n := 0
	for a, err := range s.as("portal").Reconcile(t.Context(), "application/x-ndjson", &endless{}) {
		if err != nil || a.Status != archive.Missing {
			t.Fatalf("got %+v, %v", a, err)
		}
		if n++; n == 20_000 {
			break
		}
	}
	if n != 20_000 {
		t.Errorf("%d answers", n)
	}
}

type endless struct{ rest []byte }

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = []byte(`{"code":"H29.68-280301-0001","agency":"H29.68","closed":"2028-05-04"}` + "\n")
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestChanges(t *testing.T) {
	s := serve(t)
	r := s.push(t, code)
	s.push(t, "H29.68-280301-0002")
	if err := s.archive.Indexed(t.Context()); err != nil {
		t.Fatal(err)
	}
	hold, err := s.as("lan").Hold(t.Context(), code, "khiếu nại")
	if err != nil {
		t.Fatal(err)
	}
	c := s.as("portal")
	var all []api.Event
	next := uint64(0)
	for range 20 {
		events, to, err := c.Changes(t.Context(), next, 1)
		if err != nil {
			t.Fatal(err)
		}
		if to == next {
			break
		}
		all, next = append(all, events...), to
	}
	if len(all) != 3 || all[0].Type != "vn.luutru.dossier.ingestion" || all[0].Subject != r.Dossier || all[0].Data.Code != code ||
		all[2].Type != "vn.luutru.dossier.hold" || all[2].Data.Details["hold"] != hold || all[0].SpecVersion != "1.0" || all[0].ID == all[2].ID {
		t.Errorf("got %+v", all)
	}
	if events, _, err := s.as("stranger").Changes(t.Context(), 0, 0); err != nil || len(events) != 0 {
		t.Errorf("for a stranger: %+v, %v", events, err)
	}
	for _, path := range []string{"?after=-1", "?limit=0", "?limit=9999", "?since=1", "?after=1&after=2"} {
		if status, text := s.send(t, "GET", "/v1/changes"+path, "portal", "", nil); status != 400 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	res := s.request(t, "GET", "/v1/changes", "portal", nil)
	if res.Header.Get("Content-Type") != "application/cloudevents-batch+json" {
		t.Errorf("got %v", res.Header)
	}
}

func TestPolicy(t *testing.T) {
	s := serve(t)
	p, err := s.as("portal").Policy(t.Context())
	if err != nil || p.LateDays != 60 {
		t.Fatalf("got %+v, %v", p, err)
	}
	p.LateDays, p.Scanner = 30, "unix:/run/clamav/clamd.ctl"
	p.Producers = map[string]map[string]intake.Action{"portal": {"dossier.late": intake.Reject}, "gate": {"dossier.late": intake.Warn}}
	if _, err := s.as("portal").SetPolicy(t.Context(), p); !errors.Is(err, archive.ErrDenied) {
		t.Errorf("by a producer: %v", err)
	}
	set, err := s.as("operator").SetPolicy(t.Context(), p)
	if err != nil || set.Version != 1 || set.LateDays != 30 || len(set.Producers) != 2 {
		t.Fatalf("got %+v, %v", set, err)
	}
	seen, err := s.as("portal").Policy(t.Context())
	if err != nil || seen.LateDays != 30 || seen.Scanner != "" || len(seen.Producers) != 1 {
		t.Errorf("a producer sees %+v, %v", seen, err)
	}
	for name, body := range map[string]string{"unknown field": `{"late_day":1}`, "bad action": `{"late_days":60,"actions":{"dossier.late":"burn"}}`, "no JSON": `x`} {
		status, text := s.send(t, "PUT", "/v1/policy", "operator", "application/json", strings.NewReader(body))
		var problem api.Problem
		if err := json.Unmarshal([]byte(text), &problem); err != nil || status != 422 || len(problem.Problems) == 0 || !strings.Contains(problem.Title, "policy") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, _ := s.send(t, "PUT", "/v1/policy", "operator", "text/plain", strings.NewReader("{}")); status != 400 {
		t.Errorf("not said to be JSON: %d", status)
	}
}

// TestWait: a scanner that is away holds dossiers up, in every form, and says
// when to try again.
func TestWait(t *testing.T) {
	s := serve(t)
	p, err := s.as("operator").Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Scanner = "unix:" + t.TempDir() + "/away"
	if _, err := s.as("operator").SetPolicy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	d, files := declare(t, code, usual)
	_, err = s.as("portal").Push(t.Context(), d, files)
	var problem *api.Problem
	if !errors.Is(err, archive.ErrWait) || !errors.As(err, &problem) || len(problem.Problems) == 0 {
		t.Fatalf("got %v", err)
	}
	z := packed(t, d, usual)
	path := s.begin(t, len(z))
	s.patch(t, path, 0, z)
	res := s.request(t, "GET", path, "portal", nil)
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("got %s %s", res.Status, said(t, res))
	}
	if left := s.objects(t); left != nil {
		t.Errorf("left behind: %v", left)
	}
	p.Scanner = ""
	if _, err := s.as("operator").SetPolicy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if res := s.request(t, "GET", path, "portal", nil); res.StatusCode != 200 {
		t.Errorf("the scanner is back, nothing sent again: %s %s", res.Status, said(t, res))
	}
}

func TestReceiptForTheProducer(t *testing.T) {
	s := serve(t)
	r := s.push(t, code)
	again, err := s.as("portal").Receipt(t.Context(), code)
	if err != nil || *again != *r {
		t.Errorf("got %+v, %v", again, err)
	}
}

// TestResumedByTheClient uploads with our own client, on a line that is cut.
func TestResumedByTheClient(t *testing.T) {
	s := serve(t)
	d, _ := declare(t, code, usual)
	z := packed(t, d, usual)
	c := s.as("portal")
	path, err := c.Begin(t.Context(), int64(len(z)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(t.Context(), path, 0, io.MultiReader(strings.NewReader(string(z[:500])), failing{}))
	if err == nil {
		t.Fatal("a broken line went unnoticed")
	}
	var at int64
	for range 1000 { // the server may still be at the end of the broken request
		if at, err = c.Offset(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if at == 500 {
			break
		}
	}
	if at, err = c.Send(t.Context(), path, at, strings.NewReader(string(z[at:]))); err != nil || at != int64(len(z)) {
		t.Fatalf("at %d: %v", at, err)
	}
	r, err := c.Outcome(t.Context(), path)
	if err != nil || r.Code != code {
		t.Fatalf("got %+v, %v", r, err)
	}
	if _, err := c.PushPackage(t.Context(), "application/zip", strings.NewReader(string(z)), int64(len(z))); err != nil {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cut") }

// FuzzReconcile sends any list: it is answered, or refused.
func FuzzReconcile(f *testing.F) {
	s := serve(f)
	f.Add("text/csv", "code,agency\nx,H29\n")
	f.Add("text/csv", "code\n\"")
	f.Add("application/x-ndjson", `{"code":"x","agency":"H29","declaration":"00"}`)
	f.Fuzz(func(t *testing.T, mediaType, body string) {
		if mediaType != "text/csv" {
			mediaType = "application/x-ndjson"
		}
		status, text := s.send(t, "POST", "/v1/reconcile", "portal", mediaType, strings.NewReader(body))
		if status != 200 && status != 400 {
			t.Errorf("got %d %s", status, text)
		}
	})
}
