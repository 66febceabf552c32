package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/intake"
)

// PushPackage pushes a dossier that is one package, of type application/zip or
// application/x-tar. A size below zero is not known.
func (c *Client) PushPackage(ctx context.Context, mediaType string, r io.Reader, size int64) (*archive.Receipt, error) {
	q, err := c.request(ctx, http.MethodPost, "/v1/dossiers", mediaType, io.NopCloser(r))
	if err != nil {
		return nil, err
	}
	q.ContentLength = max(size, -1)
	if size == 0 {
		q.Body = http.NoBody
	}
	res, err := c.answered(q)
	if err != nil {
		return nil, err
	}
	receipt := new(archive.Receipt)
	return receipt, errors.Join(readJSON(res.Body, receipt), res.Body.Close())
}

// request makes a request of this client.
func (c *Client) request(ctx context.Context, method, path, mediaType string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return r, nil
}

// answered sends a request and returns the answer, or the problem in it.
func (c *Client) answered(r *http.Request) (*http.Response, error) {
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	res, err := h.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text has the path, and the path the code
			err = fmt.Errorf("%s %s: %w", u.Op, c.URL, u.Err)
		}
		return nil, err
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, problemIn(res)
}

const (
	tusVersion = "1.0.0"
	offsetType = "application/offset+octet-stream"
)

// tus sends a request of the tus protocol.
func (c *Client) tus(ctx context.Context, method, path, mediaType string, body io.Reader, headers ...string) (http.Header, error) {
	r, err := c.request(ctx, method, path, mediaType, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Tus-Resumable", tusVersion)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.answered(r)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return res.Header, errors.Join(err, res.Body.Close())
}

// Begin begins an upload that can be resumed, of a package of so many octets,
// and returns its path. The upload is the account's own, and is kept a week.
func (c *Client) Begin(ctx context.Context, size int64) (path string, err error) {
	name := base64.StdEncoding.EncodeToString([]byte("package"))
	h, err := c.tus(ctx, http.MethodPost, uploadsPath, "", nil, "Upload-Length", strconv.FormatInt(size, 10), "Upload-Metadata", "filename "+name)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(h.Get("Location"))
	if err != nil || !strings.Contains(u.Path, uploadsPath+"/") {
		return "", errors.New("answer: no place for the upload")
	}
	return u.Path[strings.Index(u.Path, uploadsPath):], nil
}

// Offset tells how much of an upload the server has, durably.
func (c *Client) Offset(ctx context.Context, path string) (int64, error) {
	h, err := c.tus(ctx, http.MethodHead, path, "", nil)
	if err != nil {
		return 0, err
	}
	return offsetIn(h)
}

func offsetIn(h http.Header) (int64, error) {
	n, err := strconv.ParseInt(h.Get("Upload-Offset"), 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("answer: no offset")
	}
	return n, nil
}

// Send goes on with an upload at its offset, and returns the offset after it.
// After an error the server may have more than before: ask for the offset.
func (c *Client) Send(ctx context.Context, path string, offset int64, r io.Reader) (int64, error) {
	h, err := c.tus(ctx, http.MethodPatch, path, offsetType, io.NopCloser(r), "Upload-Offset", strconv.FormatInt(offset, 10))
	if err != nil {
		return 0, err
	}
	return offsetIn(h)
}

// Outcome waits until a complete upload is ingested and returns the receipt, or
// the problem. Asked again, it returns the same.
func (c *Client) Outcome(ctx context.Context, path string) (*archive.Receipt, error) {
	for {
		res, err := c.do(ctx, http.MethodGet, path, "", nil)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusAccepted {
			receipt := new(archive.Receipt)
			return receipt, errors.Join(readJSON(res.Body, receipt), res.Body.Close())
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		pause := time.NewTimer(time.Second)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// Reconcile compares a list of closed dossiers with the archive, line by line.
// The lines are text/csv, with the names of the columns in the first, or
// application/x-ndjson. Each answer comes as soon as the server has it; an error
// is the last thing that comes.
func (c *Client) Reconcile(ctx context.Context, mediaType string, lines io.Reader) iter.Seq2[archive.Answer, error] {
	return func(yield func(archive.Answer, error) bool) {
		r, err := c.request(ctx, http.MethodPost, "/v1/reconcile", mediaType, io.NopCloser(lines))
		if err == nil {
			r.Header.Set("Accept", ndjsonType)
			var res *http.Response
			if res, err = c.answered(r); err == nil {
				defer res.Body.Close()
				if err = readAnswers(res.Body, yield); err == nil {
					return
				}
			}
		}
		if !errors.Is(err, errEnough) {
			yield(archive.Answer{}, err)
		}
	}
}

var errEnough = errors.New("nothing more is wanted")

func readAnswers(r io.Reader, yield func(archive.Answer, error) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 2*maxLine)
	for lines.Scan() {
		var a archive.Answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if !yield(a, nil) {
			return errEnough
		}
	}
	return lines.Err()
}

// Changes returns what became of dossiers since a place in the ledger, and the
// place to go on from; zero is the beginning, and a limit of zero the server's.
// A page may be empty though the place has moved: ask again then.
func (c *Client) Changes(ctx context.Context, after uint64, limit int) ([]Event, uint64, error) {
	path := "/v1/changes?after=" + strconv.FormatUint(after, 10)
	if limit != 0 {
		path += "&limit=" + strconv.Itoa(limit)
	}
	res, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, after, err
	}
	defer res.Body.Close()
	var all []Event
	if err := readJSON(res.Body, &all); err != nil {
		return nil, after, err
	}
	_, rest, _ := strings.Cut(res.Header.Get("Link"), "?after=")
	digits, _, _ := strings.Cut(rest, ">")
	next, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return nil, after, errors.New("answer: no place to go on from")
	}
	return all, next, nil
}

// Policy returns the intake policy in force, as far as the account may see it.
func (c *Client) Policy(ctx context.Context) (*intake.Policy, error) {
	res, err := c.do(ctx, http.MethodGet, "/v1/policy", "", nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readPolicy(res.Body)
}

// SetPolicy puts another intake policy in force, and returns it with its
// version.
func (c *Client) SetPolicy(ctx context.Context, p *intake.Policy) (*intake.Policy, error) {
	b, err := p.Encode()
	if err != nil {
		return nil, err
	}
	res, err := c.do(ctx, http.MethodPut, "/v1/policy", "application/json", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readPolicy(res.Body)
}

func readPolicy(r io.Reader) (*intake.Policy, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return intake.Parse(b)
}

// forms are those that a copy can be had in: the archive's package with its
// proof, E-ARK packages to use and to hand over, and a bag.
func forms() []string {
	return []string{archive.FormProof, archive.FormDIP, archive.FormSIP, archive.FormBag}
}

// CopyAs writes a copy in another form to w: "dip" or "sip", E-ARK packages to
// use and to hand over, or "bag" (BagIt). Empty is what Copy writes.
func (c *Client) CopyAs(ctx context.Context, ref, form, purpose string, w io.Writer) error {
	if !slices.Contains(forms(), form) {
		return fmt.Errorf("%w: form %q", ErrRequest, form)
	}
	res, err := c.postForm(ctx, dossierPath(ref)+"/copy", url.Values{"purpose": {purpose}, "form": {form}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}
