package archive_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

func lines(all ...archive.Line) iter.Seq2[archive.Line, error] {
	return func(yield func(archive.Line, error) bool) {
		for _, l := range all {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func digestOf(t testing.TB, d *dossier.Declaration) string {
	t.Helper()
	b, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestReconcile(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	ingest(t, a, code(1))
	prompt, c := submission(code(2), usual)
	prompt.Closed = "2040-02-20"
	if _, err := a.Ingest(t.Context(), portal, prompt, c); err != nil {
		t.Fatal(err)
	}
	refused, c := submission(code(3), usual)
	refused.Class, refused.Documents[0].Role = "XX", "?"
	if _, err := a.Ingest(t.Context(), portal, refused, c); len(codes(err)) < 2 {
		t.Fatal(err)
	}
	ingest(t, a, code(4))
	if _, err := a.Execute(t.Context(), executor, decided(t, a, code(4))); err != nil {
		t.Fatal(err)
	}
	d, _ := submission(code(1), usual)
	const agency = "H29.68"
	tests := []struct {
		line   archive.Line
		status archive.Status
		codes  []string
		late   bool
	}{
		{archive.Line{Code: code(1), Agency: agency}, archive.Stored, nil, true},
		{archive.Line{Code: "000.00.68.H29-280301-0001", Agency: agency}, archive.Stored, nil, true},
		{archive.Line{Code: code(1), Agency: agency, Closed: "2028-05-04", Documents: 2, Declaration: digestOf(t, d)}, archive.Stored, nil, true},
		{archive.Line{Code: code(1), Agency: agency, Closed: "2028-05-05", Documents: 3, Declaration: strings.Repeat("0", 64)}, archive.Different, []string{"closed", "documents", "declaration"}, true},
		{archive.Line{Code: code(2), Agency: agency}, archive.Stored, nil, false},
		{archive.Line{Code: code(3), Agency: agency}, archive.Rejected, nil, false},
		{archive.Line{Code: code(4), Agency: agency}, archive.Destroyed, nil, false},
		{archive.Line{Code: code(5), Agency: agency}, archive.Missing, nil, false},
		{archive.Line{Code: code(5), Agency: agency, Closed: "2040-01-01"}, archive.Missing, nil, false},
		{archive.Line{Code: code(5), Agency: agency, Closed: "2039-12-30"}, archive.Missing, nil, true},
		{archive.Line{Code: code(5), Agency: "H30.1"}, archive.Invalid, []string{"dossier.agency_not_yours"}, false},
		{archive.Line{Agency: agency, Closed: "hôm qua", Documents: -1, Declaration: "x"}, archive.Invalid, []string{"line.code", "line.closed", "line.documents", "line.declaration"}, false},
		{archive.Line{Code: strings.Repeat("x", 1<<20)}, archive.Invalid, []string{"line.code", "line.agency"}, false},
	}
	var all []archive.Line
	for _, tt := range tests {
		all = append(all, tt.line)
	}
	i := 0
	for answer, err := range b.Reconcile(t.Context(), portal, lines(all...)) {
		if err != nil {
			t.Fatal(err)
		}
		want := tests[i]
		i++
		if answer.Status == archive.Rejected {
			if !slices.Contains(answer.Codes, "dossier.class_unknown") {
				t.Errorf("line %d: rejected for %v", i, answer.Codes)
			}
			answer.Codes = nil
		}
		if answer.Status != want.status || !reflect.DeepEqual(answer.Codes, want.codes) || answer.Late != want.late || answer.Line != want.line {
			t.Errorf("line %d: got %+v, want %+v", i, answer, want)
		}
	}
	if i != len(tests) {
		t.Errorf("%d answers", i)
	}
	for _, err := range a.Reconcile(t.Context(), chief, lines(all...)) {
		if !errors.Is(err, archive.ErrDenied) {
			t.Errorf("asked by somebody else: %v", err)
		}
	}
}

// TestReconcileEnds: an error in the list, and the end of the context, end it.
func TestReconcileEnds(t *testing.T) {
	a := newWorld(t).open(t)
	broken := errors.New("broken")
	for _, err := range a.Reconcile(t.Context(), portal, func(yield func(archive.Line, error) bool) { yield(archive.Line{}, broken) }) {
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range a.Reconcile(ctx, portal, lines(make([]archive.Line, 10)...)) {
		if n++; n == 3 {
			cancel()
		}
		if n > 3 && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if n != 4 {
		t.Errorf("%d answers", n)
	}
}

func TestChanges(t *testing.T) {
	w := newWorld(t)
	a, b := w.open(t), w.other(t, "b").open(t)
	ingest(t, a, code(1))
	h, err := a.Hold(t.Context(), archivist, code(1), "khiếu nại")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Lift(t.Context(), archivist, code(1), h, "đã giải quyết"); err != nil {
		t.Fatal(err)
	}
	refused, c := submission(code(2), usual)
	refused.Class = "XX"
	if _, err := a.Ingest(t.Context(), portal, refused, c); err == nil {
		t.Fatal("not refused")
	}
	ingest(t, a, code(3))
	if _, err := a.Execute(t.Context(), executor, decided(t, a, code(1))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Ledger().Sync(t.Context()), b.Indexed(t.Context())); err != nil {
		t.Fatal(err)
	}
	var got []string
	var after uint64
	for {
		page, next, err := b.Changes(t.Context(), portal, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			got = append(got, strings.Join(strings.Fields(c.Type+" "+c.Code+" "+c.Details["codes"]), " "))
			if c.Agency != "H29.68" || c.Index < after || c.Index >= next || c.Time.IsZero() {
				t.Errorf("got %+v", c)
			}
		}
		if next == after {
			break
		}
		after = next
	}
	want := []string{"ingestion", "hold", "hold lifted", "rejected dossier.class_unknown", "ingestion " + code(3), "destruction begun", "destroyed"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	other := portal
	other.Agencies = []string{"H30"}
	if page, _, err := b.Changes(t.Context(), other, 0, 0); err != nil || len(page) != 0 {
		t.Errorf("another agency is told %+v, %v", page, err)
	}
	if _, _, err := b.Changes(t.Context(), chief, 0, 0); !errors.Is(err, archive.ErrDenied) {
		t.Errorf("somebody else: %v", err)
	}
}

// TestSameRefusalOnce: a system that tries again and again does not fill the
// ledger; another reason is another entry.
func TestSameRefusalOnce(t *testing.T) {
	a := newWorld(t).open(t)
	for range 3 {
		d, c := submission(code(1), usual)
		d.Class = "XX"
		if _, err := a.Ingest(t.Context(), portal, d, c); err == nil {
			t.Fatal("not refused")
		}
	}
	d, c := submission(code(1), usual)
	d.Documents[0].SHA256 = strings.Repeat("0", 64)
	if _, err := a.Ingest(t.Context(), portal, d, c); err == nil {
		t.Fatal("not refused")
	}
	page, _, err := a.Changes(t.Context(), portal, 0, 0)
	if err != nil || len(page) != 2 {
		t.Errorf("got %+v, %v; want two refusals", page, err)
	}
	a.Reject(t.Context(), portal, &dossier.Declaration{Code: code(2), Agency: "H30.1"}, &dossier.ValidationError{})
	a.Reject(t.Context(), portal, nil, fs.ErrNotExist)
	if page, _, err := a.Changes(t.Context(), archive.Agent{Subject: "x", Roles: []archive.Role{archive.Producer}, Agencies: []string{"*"}}, 0, 0); err != nil || len(page) != 2 {
		t.Errorf("got %+v, %v", page, err)
	}
}

// BenchmarkReconcile answers a million lines an iteration, of an archive with a
// thousand dossiers in its register.
func BenchmarkReconcile(b *testing.B) {
	a := newWorld(b).open(b)
	for n := range 100 {
		ingest(b, a, code(n))
	}
	million := func(yield func(archive.Line, error) bool) {
		for n := range 1_000_000 {
			if !yield(archive.Line{Code: fmt.Sprintf("H29.68-280301-%04d", n), Agency: "H29.68", Closed: "2028-05-04", Documents: 2, Declaration: strings.Repeat("0", 64)}, nil) {
				return
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for answer, err := range a.Reconcile(b.Context(), portal, million) {
			if err != nil {
				b.Fatal(err)
			}
			if answer.Status != archive.Missing {
				n++
			}
		}
		if n != 100 {
			b.Fatalf("%d known", n)
		}
	}
}
