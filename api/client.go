package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/retention"
)

// Client asks a Server. Its methods return the errors that the archive met
// there, wrapped in a *Problem, and may be called concurrently.
type Client struct {
	URL   string // of the server, such as https://luutru.example.vn
	Token string
	HTTP  *http.Client // nil: http.DefaultClient
}

// maxAnswer is the largest JSON answer that is read.
const maxAnswer = 256 << 20

// File is a document to be pushed.
type File struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// do sends a request and returns the answer, or the problem in it.
func (c *Client) do(ctx context.Context, method, path, mediaType string, body io.Reader) (*http.Response, error) {
	r, err := c.request(ctx, method, path, mediaType, body)
	if err != nil {
		return nil, err
	}
	return c.answered(r)
}

func problemIn(res *http.Response) error {
	p := &Problem{}
	mt, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || mt != problemType || json.Unmarshal(b, p) != nil {
		*p = Problem{Type: "about:blank", Title: res.Status}
	}
	p.Status = res.StatusCode
	return p
}

// call sends in as JSON, if it is not nil, and reads the answer into out.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	mediaType := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, mediaType = bytes.NewReader(b), "application/json"
	}
	res, err := c.do(ctx, method, path, mediaType, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return readJSON(res.Body, out)
}

func readJSON(r io.Reader, out any) error {
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer))
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func dossierPath(ref string) string { return "/v1/dossiers/" + url.PathEscape(ref) }
func casePath(name string) string   { return "/v1/cases/" + url.PathEscape(name) }

// Push pushes a dossier: its declaration and the documents in the order of
// that. It returns the receipt, the same when the dossier is pushed again.
func (c *Client) Push(ctx context.Context, declaration []byte, files []File) (*archive.Receipt, error) {
	r, w := io.Pipe()
	mw := multipart.NewWriter(w)
	sent := make(chan error, 1)
	go func() {
		err := writeParts(mw, declaration, files)
		sent <- err
		w.CloseWithError(err)
	}()
	receipt := new(archive.Receipt)
	res, err := c.do(ctx, http.MethodPost, "/v1/dossiers", mw.FormDataContentType(), r)
	if err == nil {
		err = errors.Join(readJSON(res.Body, receipt), res.Body.Close())
	}
	r.CloseWithError(io.ErrClosedPipe) // answered, or given up: nothing more is wanted
	unsent := <-sent
	var p *Problem
	if err != nil && unsent != nil && !errors.Is(unsent, io.ErrClosedPipe) && !errors.As(err, &p) {
		return nil, unsent // such as a document that could not be read
	}
	if err != nil {
		return nil, err
	}
	return receipt, nil
}

func writeParts(mw *multipart.Writer, declaration []byte, files []File) error {
	w, err := mw.CreatePart(partHeader(declarationPart, "", "application/json"))
	if err != nil {
		return err
	}
	if _, err := w.Write(declaration); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(mw, &f); err != nil {
			return err
		}
	}
	return mw.Close()
}

func writeFile(mw *multipart.Writer, f *File) error {
	w, err := mw.CreatePart(partHeader("document", f.Name, "application/octet-stream"))
	if err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

func partHeader(name, file, mediaType string) textproto.MIMEHeader {
	params := map[string]string{"name": name}
	if file != "" {
		params["filename"] = file
	}
	return textproto.MIMEHeader{"Content-Disposition": {mime.FormatMediaType("form-data", params)}, "Content-Type": {mediaType}}
}

// Search finds dossiers. Scope and access are the server's to say.
func (c *Client) Search(ctx context.Context, q index.Query) (*Result, error) {
	v := url.Values{}
	for name, value := range map[string]string{
		"q": q.Text, "code": q.Code, "agency": q.Agency, "procedure": q.Procedure, "person": q.PersonalID, "class": q.Class, "group": q.Group, "from": date(q.From),
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if !q.To.IsZero() {
		v.Set("to", date(q.To.AddDate(0, 0, -1)))
	}
	if q.Offset != 0 {
		v.Set("offset", strconv.Itoa(q.Offset))
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	res, err := c.postForm(ctx, "/v1/search", v)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := new(Result)
	return out, readJSON(res.Body, out)
}

func (c *Client) postForm(ctx context.Context, path string, v url.Values) (*http.Response, error) {
	return c.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

// Show returns the record of a dossier.
func (c *Client) Show(ctx context.Context, ref string) (*Record, error) {
	out := new(Record)
	return out, c.call(ctx, http.MethodGet, dossierPath(ref), nil, out)
}

// Copy writes a copy of the whole dossier to w. After an error, what was
// written must not be used; without one, it still proves nothing until it is
// verified.
func (c *Client) Copy(ctx context.Context, ref, purpose string, w io.Writer) error {
	return c.CopyAs(ctx, ref, "", purpose, w)
}

// Document writes one document to w, and compares it with the digest that the
// server says it has.
func (c *Client) Document(ctx context.Context, ref, name, purpose string, w io.Writer) error {
	res, err := c.postForm(ctx, dossierPath(ref)+"/documents/"+url.PathEscape(name), url.Values{"purpose": {purpose}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), res.Body); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	if res.Header.Get("Repr-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(sum.Sum(nil))+":" {
		return fmt.Errorf("document: %w", archive.ErrCorrupt)
	}
	return nil
}

// Receipt returns the receipt of a dossier again.
func (c *Client) Receipt(ctx context.Context, ref string) (*archive.Receipt, error) {
	out := new(archive.Receipt)
	return out, c.call(ctx, http.MethodGet, dossierPath(ref)+"/receipt", nil, out)
}

// Hold suspends the destruction of a dossier and returns the hold's name.
func (c *Client) Hold(ctx context.Context, ref, reason string) (string, error) {
	var out holdAnswer
	err := c.call(ctx, http.MethodPost, dossierPath(ref)+"/holds", holdRequest{reason}, &out)
	return out.Hold, err
}

// Lift ends a hold.
func (c *Client) Lift(ctx context.Context, ref, hold, reason string) error {
	return c.call(ctx, http.MethodDelete, dossierPath(ref)+"/holds/"+url.PathEscape(hold), holdRequest{reason}, &struct{}{})
}

// Retention says what may become of a dossier, and why.
func (c *Client) Retention(ctx context.Context, ref string) (*retention.Verdict, error) {
	out := new(retention.Verdict)
	return out, c.call(ctx, http.MethodGet, dossierPath(ref)+"/retention", nil, out)
}

// Due lists the dossiers that are due; a zero time is now.
func (c *Client) Due(ctx context.Context, at time.Time) ([]Due, error) {
	path := "/v1/retention/due"
	if !at.IsZero() {
		path += "?at=" + date(at)
	}
	var out []Due
	err := c.call(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// Propose opens a destruction case and returns its name.
func (c *Client) Propose(ctx context.Context, dossiers []string, reason string) (string, error) {
	var out caseAnswer
	err := c.call(ctx, http.MethodPost, "/v1/cases", proposal{dossiers, reason}, &out)
	return out.Case, err
}

// Case returns a destruction case.
func (c *Client) Case(ctx context.Context, name string) (*Case, error) {
	out := new(Case)
	return out, c.call(ctx, http.MethodGet, casePath(name), nil, out)
}

// Review records the council's review: the named dossiers are to be kept.
func (c *Client) Review(ctx context.Context, name string, keep []string, reason string) error {
	return c.call(ctx, http.MethodPost, casePath(name)+"/review", reviewRequest{keep, reason}, &caseAnswer{})
}

// Decide approves or rejects a case under the number of the written decision.
func (c *Client) Decide(ctx context.Context, name string, approve bool, number string) error {
	return c.call(ctx, http.MethodPost, casePath(name)+"/decision", decisionRequest{approve, number}, &caseAnswer{})
}

// Preview says what Execute would do.
func (c *Client) Preview(ctx context.Context, name string) (*Plan, error) {
	var out executionAnswer
	err := c.call(ctx, http.MethodPost, casePath(name)+"/execution", executionRequest{}, &out)
	if err == nil && out.Plan == nil {
		err = errors.New("answer: no plan")
	}
	return out.Plan, err
}

// Execute destroys the dossiers of an approved case and returns their
// certificates; beside an error, those of the dossiers destroyed before it.
func (c *Client) Execute(ctx context.Context, name string) ([]*archive.Certificate, error) {
	var out executionAnswer
	err := c.call(ctx, http.MethodPost, casePath(name)+"/execution", executionRequest{Execute: true}, &out)
	var p *Problem
	if errors.As(err, &p) {
		out.Certificates = p.Certificates
	}
	var all []*archive.Certificate
	for _, raw := range out.Certificates {
		k, parse := archive.ParseCertificate(raw)
		if parse != nil {
			return all, errors.Join(err, parse)
		}
		all = append(all, k)
	}
	return all, err
}

// Check runs a check on the server and calls progress, which may be nil, as it
// goes on.
func (c *Client) Check(ctx context.Context, deep, content bool, progress func(done, all int)) (*Report, error) {
	b, err := json.Marshal(checkRequest{deep, content})
	if err != nil {
		return nil, err
	}
	res, err := c.do(ctx, http.MethodPost, "/v1/check", "application/json", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(io.LimitReader(res.Body, maxAnswer))
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		var l checkLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
		if l.Report != nil {
			return l.Report, nil
		}
		if progress != nil {
			progress(l.Done, l.All)
		}
	}
	return nil, errors.Join(errors.New("answer: the check ended without a report"), lines.Err())
}

// About says which archive this is.
func (c *Client) About(ctx context.Context) (*About, error) {
	out := new(About)
	return out, c.call(ctx, http.MethodGet, "/v1/archive", nil, out)
}

// Checkpoint returns the signed checkpoint of the ledger.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return c.Tile(ctx, "checkpoint")
}

// Tile returns what C2SP tlog-tiles has at a path below the ledger's.
func (c *Client) Tile(ctx context.Context, path string) ([]byte, error) {
	res, err := c.do(ctx, http.MethodGet, "/ledger/"+path, "", nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(io.LimitReader(res.Body, maxAnswer))
}
