package api

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
)

const (
	ndjsonType = "application/x-ndjson"
	csvType    = "text/csv"
	maxLine    = 64 << 10 // octets of a line of JSON
)

// reconcile compares a system's list of closed dossiers with the archive. Lines
// come and answers go as they are found, in the form of the request: the list
// may have millions of lines, and is held nowhere.
func (s *Server) reconcile(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	var lines iter.Seq2[archive.Line, error]
	var out answers
	body, buffer := bufio.NewReaderSize(r.Body, 64<<10), bufio.NewWriterSize(w, 64<<10)
	mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mt {
	case csvType:
		lines, out = csvLines(body), csvAnswers{csv.NewWriter(buffer)}

	case ndjsonType, "application/ndjson", "application/jsonl":
		mt, lines, out = ndjsonType, jsonLines(body), jsonAnswers{json.NewEncoder(buffer)}
	default:
		return fmt.Errorf("%w: Content-Type is neither %s nor %s", ErrRequest, csvType, ndjsonType)
	}
	if mt == csvType && r.Header.Get("Accept") == ndjsonType {
		mt, out = ndjsonType, jsonAnswers{json.NewEncoder(buffer)}
	}
	w.Header().Set("Content-Type", mt)
	w.Header().Set("Cache-Control", "no-store")
	if err := out.begin(); err != nil {
		return err
	}
	for a, err := range s.Archive.Reconcile(r.Context(), by, lines) {
		if err == nil {
			err = out.write(&a)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(out.flush(), buffer.Flush())
}

func jsonLines(r *bufio.Reader) iter.Seq2[archive.Line, error] {
	return func(yield func(archive.Line, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), maxLine)
		n := 0
		for lines.Scan() {
			n++
			text := lines.Bytes()
			if len(strings.TrimSpace(string(text))) == 0 {
				continue
			}
			var l archive.Line
			if err := json.Unmarshal(text, &l); err != nil {
				yield(archive.Line{}, fmt.Errorf("%w: line %d is not JSON of the form asked for", ErrRequest, n))
				return
			}
			if !yield(l, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(archive.Line{}, fmt.Errorf("%w: after line %d: %v", ErrRequest, n, err))
		}
	}
}

// columns are those of a list; their order is the list's own, and all but the
// first may be absent.
var columns = []string{"code", "agency", "closed", "documents", "declaration"}

func csvLines(r *bufio.Reader) iter.Seq2[archive.Line, error] {
	return func(yield func(archive.Line, error) bool) {
		if mark, err := r.Peek(3); err == nil && string(mark) == "\ufeff" {
			_, _ = r.Discard(3)
		}
		c := csv.NewReader(r)
		c.ReuseRecord = true
		head, err := c.Read()
		at := map[string]int{}
		for i, name := range head {
			name = strings.ToLower(strings.TrimSpace(name))
			if !slices.Contains(columns, name) {
				continue // of the system's own
			}
			at[name] = i
		}
		if _, ok := at["code"]; err != nil || !ok {
			yield(archive.Line{}, fmt.Errorf("%w: the first line of the CSV must name the columns, of these: %s", ErrRequest, strings.Join(columns, ",")))
			return
		}
		for {
			row, err := c.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(archive.Line{}, fmt.Errorf("%w: %v", ErrRequest, err))
				return
			}
			if !yield(lineOf(row, at), nil) {
				return
			}
		}
	}
}

func lineOf(row []string, at map[string]int) archive.Line {
	field := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.Clone(strings.TrimSpace(row[i]))
		}
		return ""
	}
	l := archive.Line{Code: field("code"), Agency: field("agency"), Closed: field("closed"), Declaration: field("declaration")}
	if text := field("documents"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1 // no dossier has so many
		}
		l.Documents = n
	}
	return l
}

// answers writes answers in one form.
type answers interface {
	begin() error
	write(a *archive.Answer) error
	flush() error
}

type jsonAnswers struct{ *json.Encoder }

func (j jsonAnswers) begin() error { return nil }
func (j jsonAnswers) flush() error { return nil }

func (j jsonAnswers) write(a *archive.Answer) error { return j.Encode(a) }

type csvAnswers struct{ *csv.Writer }

func (c csvAnswers) begin() error {
	return c.Writer.Write([]string{"code", "agency", "status", "dossier", "archived", "codes", "late"})
}

func (c csvAnswers) write(a *archive.Answer) error {
	archived, late := "", ""
	if !a.Archived.IsZero() {
		archived = a.Archived.UTC().Format(time.RFC3339)
	}
	if a.Late {
		late = "late"
	}
	return c.Writer.Write([]string{a.Code, a.Agency, string(a.Status), a.Dossier, archived, strings.Join(a.Codes, " "), late})
}

func (c csvAnswers) flush() error {
	c.Writer.Flush()
	return c.Error()
}
