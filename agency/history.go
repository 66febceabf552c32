package agency

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed history.csv
var builtIn string

// Certainty of a row: whether both the identifier and what became of it were
// read in a source, or follow from something else.
const (
	Read     = "read"
	Inferred = "inferred"
)

const (
	maxTable = 16 << 20 // octets
	maxUnits = 100_000
	maxDepth = 32 // mergers in a row
	columns  = 7
)

// ErrTable means that a table of agencies cannot be used.
var ErrTable = errors.New("table of agencies is not usable")

// A Unit is an agency under one identifier, for as long as it had it.
type Unit struct {
	ID         string   `json:"id"` // canonical
	Name       string   `json:"name"`
	From       string   `json:"from,omitempty"`       // first day, 2006-01-02; empty where it is not known
	Until      string   `json:"until,omitempty"`      // last day; empty while it exists
	Successors []string `json:"successors,omitempty"` // canonical; whoever took over, several after a division
	Certainty  string   `json:"certainty"`            // Read, Inferred
	Source     string   `json:"source"`
}

// A History knows the units of a table. It is not changed by its methods and
// may be used by several goroutines. The zero value knows none.
type History struct {
	units map[string]Unit
	order []string
}

// Default returns the built-in table.
func Default() *History {
	h, err := Parse([]byte(builtIn))
	if err != nil {
		panic("agency: internal error: " + err.Error())
	}
	return h
}

// Parse reads a table: UTF-8 CSV (RFC 4180) with the columns id, name, from,
// until, successors (parted by spaces), certainty, source; lines that begin
// with # are comments. Identifiers may come in both orders. An identifier
// stands once; what follows another must not lead back to it. Errors wrap
// [ErrTable] and name the line.
func Parse(data []byte) (*History, error) {
	if len(data) > maxTable {
		return nil, fmt.Errorf("more than %d octets: %w", maxTable, ErrTable)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace = '#', columns, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrTable)
	}
	h := &History{units: make(map[string]Unit, len(rows))}
	for i, row := range rows {
		u, err := newUnit(row)
		if err == nil && len(h.units) == maxUnits {
			err = errors.New("too many rows")
		}
		if _, twice := h.units[u.ID]; err == nil && twice {
			err = errors.New("identifier stands twice")
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w: %w", i+1, err, ErrTable)
		}
		h.units[u.ID], h.order = u, append(h.order, u.ID)
	}
	return h, h.finite()
}

func newUnit(row []string) (Unit, error) {
	u := Unit{ID: Canonical(row[0]), Name: strings.TrimSpace(row[1]), From: row[2], Until: row[3], Certainty: row[5], Source: row[6]}
	for s := range strings.FieldsSeq(row[4]) {
		u.Successors = append(u.Successors, Canonical(s))
	}
	for _, id := range append([]string{u.ID}, u.Successors...) {
		if !plausible(id) {
			return Unit{}, errors.New("not an agency identifier")
		}
	}
	for _, day := range []string{u.From, u.Until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return Unit{}, errors.New("day is not of the form 2006-01-02")
		}
	}
	switch {
	case u.Until != "" && u.From > u.Until:
		return Unit{}, errors.New("ends before it begins")
	case len(u.Successors) > 0 && u.Until == "":
		return Unit{}, errors.New("has successors but no last day")
	case u.Certainty != Read && u.Certainty != Inferred:
		return Unit{}, fmt.Errorf("certainty is not %q or %q", Read, Inferred)
	}
	return u, nil
}

// plausible takes what can be compared: segments of ASCII letters and digits.
func plausible(id string) bool {
	if id == "" || len(id) > MaxLength {
		return false
	}
	for segment := range strings.SplitSeq(id, ".") {
		if segment == "" || strings.Trim(segment, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return false
		}
	}
	return true
}

// finite refuses successors that lead back to where they began. What is above
// an identifier counts: a unit's successor may not lie below the unit.
func (h *History) finite() error {
	done := make(map[string]bool, len(h.order))
	for _, id := range h.order {
		if !h.ends(id, done, maxDepth) {
			return fmt.Errorf("%s: successors lead in a circle or too far: %w", id, ErrTable)
		}
	}
	return nil
}

func (h *History) ends(id string, done map[string]bool, left int) bool {
	if done[id] {
		return true
	}
	if left == 0 {
		return false
	}
	u, known := h.closed(id)
	for _, next := range u.Successors {
		if !h.ends(next, done, left-1) {
			return false
		}
	}
	done[id] = done[id] || !known || len(u.Successors) > 0
	return true
}

// closed returns the unit of id, or the nearest above it, that was closed.
func (h *History) closed(id string) (Unit, bool) {
	for at := id; at != ""; at = above(at) {
		if u, ok := h.units[at]; ok {
			if u.Until != "" {
				return u, true
			}
			if at == id {
				break // it stands in the table as existing
			}
		}
	}
	return Unit{}, false
}

func above(id string) string {
	i := strings.LastIndexByte(id, '.')
	return id[:max(i, 0)]
}

// Units returns the rows of the table in their order.
func (h *History) Units() []Unit {
	list := make([]Unit, len(h.order))
	for i, id := range h.order {
		list[i] = h.units[id]
		list[i].Successors = slices.Clone(list[i].Successors)
	}
	return list
}

// Lookup returns the unit of an identifier, in whatever order it is written.
func (h *History) Lookup(id string) (Unit, bool) {
	u, ok := h.units[Canonical(id)]
	u.Successors = slices.Clone(u.Successors)
	return u, ok
}

// Successors returns who stands for id on a day (2006-01-02; empty for the end
// of the table): id itself while it exists or where the table knows nothing of
// it, else those who took over, sorted. Where only a unit above it was closed,
// as a province whose departments are not in the table, the successors of that
// unit stand for it. None where it was abolished and nobody took over.
func (h *History) Successors(id, on string) []string {
	found := make(map[string]bool)
	h.follow(Canonical(id), on, found, maxDepth)
	list := make([]string, 0, len(found))
	for s := range found {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

func (h *History) follow(id, on string, found map[string]bool, left int) {
	u, ok := h.closed(id)
	if !ok || left == 0 || on != "" && on <= u.Until {
		found[id] = true
		return
	}
	for _, next := range u.Successors {
		h.follow(next, on, found, left-1)
	}
}

// Covers reports whether an account for scope may reach what id settled: scope
// is id, or above it, or took the place of id or of a unit above id, in however
// many steps, or is above one that did. Nobody gets access by an inference:
// only rows that were [Read] are followed, so whoever relies on an inferred one
// checks it first and says so in a table of their own. An identifier that the
// table does not know is compared as it is. An empty scope covers nothing.
func (h *History) Covers(scope, id string) bool {
	scope, id = Canonical(scope), Canonical(id)
	return scope != "" && id != "" && h.covers(scope, id, maxDepth)
}

func (h *History) covers(scope, id string, left int) bool {
	if id == scope || strings.HasPrefix(id, scope+".") {
		return true
	}
	u, ok := h.closed(id)
	return ok && u.Certainty == Read && left > 0 && slices.ContainsFunc(u.Successors, func(next string) bool {
		return h.covers(scope, next, left-1)
	})
}

// Encode returns the table as [Parse] reads it.
func (h *History) Encode() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, u := range h.Units() {
		// A bytes.Buffer never fails.
		_ = w.Write([]string{u.ID, u.Name, u.From, u.Until, strings.Join(u.Successors, " "), u.Certainty, u.Source})
	}
	w.Flush()
	return b.Bytes()
}
