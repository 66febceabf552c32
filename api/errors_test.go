package api_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/staging"
)

// over sends an error through a server and its client.
func over(t *testing.T, err error) *api.Problem {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { api.WriteProblem(w, err) }))
	defer srv.Close()
	_, got := (&api.Client{URL: srv.URL}).About(t.Context())
	var p *api.Problem
	if !errors.As(got, &p) {
		t.Fatalf("%v came over as %v", err, got)
	}
	return p
}

func TestErrorsCrossTheNetwork(t *testing.T) {
	notDue := &archive.NotDueError{Verdict: retention.Verdict{Status: retention.Held, Reasons: []retention.Reason{{Code: "hold", Vietnamese: "Đang tạm dừng hủy.", English: "It is held."}}}}
	tests := map[string]struct {
		err    error
		status int
		also   []error
	}{
		"unauthenticated":   {api.ErrUnauthenticated, 401, nil},
		"denied":            {fmt.Errorf("%w: read", archive.ErrDenied), 403, nil},
		"absent":            {fmt.Errorf("dossier: %w", fs.ErrNotExist), 404, nil},
		"slow":              {api.ErrSlow, 408, nil},
		"request":           {fmt.Errorf("%w: x", api.ErrRequest), 400, nil},
		"conflict":          {&archive.ConflictError{Dossier: "d", Archived: "a", Sent: "b"}, 409, []error{archive.ErrConflict}},
		"destroyed":         {archive.ErrDestroyed, 410, nil},
		"not due":           {notDue, 409, []error{archive.ErrNotDue}},
		"stopped":           {fmt.Errorf("%w: hold", custody.ErrStopped), 409, nil},
		"case":              {archive.ErrCase, 409, nil},
		"four eyes":         {fmt.Errorf("%w: %w", archive.ErrCase, retention.ErrFourEyes), 409, []error{archive.ErrCase, retention.ErrFourEyes}},
		"late":              {fmt.Errorf("%w: %w", archive.ErrCase, retention.ErrLate), 409, []error{archive.ErrCase, retention.ErrLate}},
		"order":             {fmt.Errorf("%w: %w", archive.ErrCase, retention.ErrOrder), 409, []error{archive.ErrCase, retention.ErrOrder}},
		"clock":             {archive.ErrClock, 503, nil},
		"corrupt":           {fmt.Errorf("%w: %w", archive.ErrCorrupt, fs.ErrNotExist), 500, []error{archive.ErrCorrupt}},
		"tampered":          {chain.ErrTampered, 500, nil},
		"ledger":            {audit.ErrTampered, 500, nil},
		"query":             {index.ErrQuery, 400, nil},
		"wait":              {&archive.WaitError{Findings: []intake.Finding{{Code: "virus.unchecked", Document: 0}}}, 503, []error{archive.ErrWait}},
		"group":             {fmt.Errorf("x: %w", archive.ErrGroup), 409, nil},
		"changed":           {fmt.Errorf("intake policy: %w", fs.ErrExist), 409, nil},
		"offset":            {fmt.Errorf("%w: another is faster", staging.ErrOffset), 409, nil},
		"too large":         {staging.ErrTooLarge, 413, nil},
		"too many":          {staging.ErrTooMany, 429, nil},
		"staged corrupt":    {staging.ErrCorrupt, 500, nil},
		"several, joined":   {errors.Join(fmt.Errorf("a: %w", notDue), fmt.Errorf("b: %w", notDue)), 409, []error{archive.ErrNotDue}},
		"a join with other": {errors.Join(errors.New("x"), archive.ErrConflict), 409, []error{archive.ErrConflict}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := over(t, tt.err)
			if p.Status != tt.status || p.Code == "" || p.Title == "" || !strings.Contains(p.Detail, "\n") {
				t.Errorf("got %+v", p)
			}
			want := tt.also
			if want == nil {
				for e := tt.err; e != nil; e = errors.Unwrap(e) {
					want = []error{e} // the innermost
				}
			}
			for _, e := range want {
				if !errors.Is(p, e) {
					t.Errorf("%v is lost on the way: %v", e, p)
				}
			}
		})
	}
}

func TestTypedErrorsCrossTheNetwork(t *testing.T) {
	invalid := &dossier.ValidationError{Problems: []dossier.Problem{
		{Code: "document.absent", Field: "documents[1]", Vietnamese: "Thiếu tệp.", English: "A file is missing."}, {Code: "x", Field: "y", Vietnamese: "z", English: "w"}}}
	var gotInvalid *dossier.ValidationError
	if p := over(t, invalid); p.Status != 422 || !errors.As(p, &gotInvalid) || !reflect.DeepEqual(gotInvalid, invalid) {
		t.Errorf("got %+v", p)
	}
	conflict := &archive.ConflictError{Dossier: "d", Archived: "a", Sent: "b"}
	var gotConflict *archive.ConflictError
	if p := over(t, conflict); !errors.As(p, &gotConflict) || *gotConflict != *conflict {
		t.Errorf("got %+v", p)
	}
	notDue := &archive.NotDueError{Verdict: retention.Verdict{Status: retention.Held, Holds: []string{"h"}, Reasons: []retention.Reason{{Code: "hold", Vietnamese: "v", English: "e"}}}}
	var gotNotDue *archive.NotDueError
	if p := over(t, notDue); !errors.As(p, &gotNotDue) || !reflect.DeepEqual(gotNotDue, notDue) || !strings.Contains(p.Detail, "v") {
		t.Errorf("got %+v", p)
	}
}

func TestOtherErrorsAreANumberOnly(t *testing.T) {
	p := over(t, errors.New("open /var/lib/nguyen-van-a: broken"))
	if p.Status != 500 || p.Instance == "" || strings.Contains(p.Error(), "nguyen") {
		t.Errorf("got %+v", p)
	}
	if p := over(t, fmt.Errorf("packages/secret: %w", fs.ErrNotExist)); strings.Contains(p.Error(), "secret") {
		t.Errorf("absence says of what: %+v", p)
	}
}

func TestAbsentAndNotYoursLookTheSame(t *testing.T) {
	s := serve(t)
	s.push(t, code)
	_, absent := s.as("stranger").Show(t.Context(), "H29.68-280301-9999")
	_, notYours := s.as("stranger").Show(t.Context(), code)
	var a, b *api.Problem
	if !errors.As(absent, &a) || !errors.As(notYours, &b) || !reflect.DeepEqual(a, b) {
		t.Errorf("absent: %v; not yours: %v", absent, notYours)
	}
}
