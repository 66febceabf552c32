package s3_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/luutru/luutru/store/s3"
)

// fake is an S3 server of one bucket, without signatures. It is here to be
// broken: to lose answers, to be slow to admit a lock, to have the gaps that
// real servers have. Its switches are set before it is used.
type fake struct {
	versioned, locking bool // what the bucket is

	ignoreCondition bool // If-None-Match means nothing, as on Ceph 16 with versions
	markerIsTaken   bool // If-None-Match fails over a delete marker
	refuseLockedPut bool
	dropLockedPut   bool // accept a PUT with a lock, and forget the lock
	dropLock        bool // the same for all locks
	dropHold        bool
	ignoreChecksum  bool
	ignoreRange     bool
	public          bool
	autolock        bool
	shuffle         bool // list backwards
	afterInclusive  bool // key-marker lists the key itself, too
	markersFirst    bool // before the versions of a page
	skew            time.Duration

	retries int // of the client

	// intercept, if not nil, may answer a request instead of serve, or lose
	// the answer of serve.
	intercept func(r *http.Request, serve func() *http.Response) (*http.Response, error)

	mu       sync.Mutex
	created  bool
	objects  map[string][]*fakeVersion // oldest first
	uploads  map[string]*fakeUpload
	last     int
	requests []string // method and what is asked for, as "PUT ?retention"
}

type fakeVersion struct {
	id       string
	data     []byte
	marker   bool
	modified time.Time
	header   http.Header // metadata
	until    time.Time
	hold     bool
}

type fakeUpload struct {
	key    string
	parts  map[int][]byte
	header http.Header
}

func (f *fake) config() s3.Config {
	return s3.Config{
		Endpoint: "s3.test", Bucket: "bucket", AccessKey: "ACCESSKEY", SecretKey: "SECRETKEY",
		Transport: f, UnsignedPayload: true, Now: time.Now, Retries: f.retries,
	}
}

func (f *fake) open(t testing.TB) *s3.Bucket {
	t.Helper()
	f.created = true
	b, err := s3.Open(t.Context(), f.config())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RoundTrip implements http.RoundTripper.
func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	serve := func() *http.Response {
		w := httptest.NewRecorder()
		w.Header().Set("Date", f.now().UTC().Format(http.TimeFormat))
		w.Header().Set("Server", "fake")
		f.serve(w, req, body)
		resp := w.Result()
		resp.Body = &cancelled{resp.Body, req}
		return resp
	}
	f.mu.Lock()
	f.requests = append(f.requests, req.Method+" "+what(req))
	f.mu.Unlock()
	if f.intercept != nil {
		return f.intercept(req, serve)
	}
	return serve(), nil
}

// cancelled is a body that ends with the request's context.
type cancelled struct {
	io.ReadCloser
	req *http.Request
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.req.Context().Err(); err != nil {
		return 0, err
	}
	return c.ReadCloser.Read(p)
}

func (f *fake) now() time.Time { return time.Now().Add(f.skew) }

// what names the subresource a request is for.
func what(r *http.Request) string {
	q := r.URL.Query()
	for _, name := range []string{"versioning", "object-lock", "retention", "legal-hold", "uploads", "uploadId", "versions", "list-type"} {
		if q.Has(name) {
			return "?" + name
		}
	}
	return "object"
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") == "" && !f.public {
		fail(w, 403, "AccessDenied", "no key")
		return
	}
	bucket, key, isObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	key, isObject = strings.TrimSuffix(key, "/"), isObject && key != ""
	switch {
	case r.Method == "PUT" && !isObject:
		f.create(w, r)
	case !f.created || bucket != "bucket":
		fail(w, 404, "NoSuchBucket", "no such bucket")
	case !isObject:
		f.bucket(w, r)
	case f.corrupt(w, r, body):
	default:
		f.object(w, r, key, body)
	}
}

func (f *fake) create(w http.ResponseWriter, r *http.Request) {
	if f.created {
		fail(w, 409, "BucketAlreadyOwnedByYou", "yours")
		return
	}
	f.created = true
	f.locking = r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true"
	f.versioned = f.locking
}

func (f *fake) bucket(w http.ResponseWriter, r *http.Request) {
	switch what(r) {
	case "?versioning":
		status := ""
		if f.versioned {
			status = "<Status>Enabled</Status>"
		}
		fmt.Fprintf(w, "<VersioningConfiguration>%s</VersioningConfiguration>", status)
	case "?object-lock":
		rule := "<Rule></Rule>"
		if f.autolock {
			rule = "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>10</Years></DefaultRetention></Rule>"
		}
		if !f.locking {
			fail(w, 404, "ObjectLockConfigurationNotFoundError", "none")
			return
		}
		fmt.Fprintf(w, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>%s</ObjectLockConfiguration>", rule)
	case "?versions":
		f.listVersions(w, r.URL.Query())
	case "?list-type":
		f.list(w, r.URL.Query())
	}
}

// corrupt answers a request whose body does not fit its headers.
func (f *fake) corrupt(w http.ResponseWriter, r *http.Request, body []byte) bool {
	sum := sha256.Sum256(body)
	if got := r.Header.Get("X-Amz-Content-Sha256"); len(got) == 64 && r.Method == "PUT" && got != hex.EncodeToString(sum[:]) {
		fail(w, 400, "XAmzContentSHA256Mismatch", "mismatch")
		return true
	}
	crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	if got := r.Header.Get("X-Amz-Checksum-Crc32c"); got != "" && !f.ignoreChecksum && got != base64.StdEncoding.EncodeToString(crc) {
		fail(w, 400, "BadDigest", "mismatch")
		return true
	}
	return false
}

func (f *fake) object(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	q := r.URL.Query()
	switch r.Method + " " + what(r) {
	case "PUT object":
		f.put(w, r, key, body)
	case "GET object", "HEAD object":
		f.get(w, r, key)
	case "DELETE object":
		f.delete(w, key, q.Get("versionId"))
	case "PUT ?retention", "PUT ?legal-hold", "GET ?retention", "GET ?legal-hold":
		f.lock(w, r, key, body)
	default:
		f.upload(w, r, key, body)
	}
}

func (f *fake) put(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	latest := f.find(key, "")
	taken := latest != nil && (!latest.marker || f.markerIsTaken)
	if r.Header.Get("If-None-Match") == "*" && taken && !f.ignoreCondition {
		fail(w, 412, "PreconditionFailed", "taken")
		return
	}
	until := time.Time{}
	if date := r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date"); date != "" {
		until, _ = time.Parse(time.RFC3339, date)
		if f.refuseLockedPut || !f.locking || until.Before(f.now()) {
			fail(w, 400, "InvalidRequest", "no such lock")
			return
		}
		if f.dropLockedPut || f.dropLock {
			until = time.Time{}
		}
	}
	v := f.add(key)
	v.data, v.header, v.until = body, r.Header, until
	w.Header().Set("ETag", etag(body))
	f.tellVersion(w, v)
}

func (f *fake) tellVersion(w http.ResponseWriter, v *fakeVersion) {
	if f.versioned {
		w.Header().Set("X-Amz-Version-Id", v.id)
	}
}

func (f *fake) add(key string) *fakeVersion {
	if f.objects == nil {
		f.objects, f.uploads = map[string][]*fakeVersion{}, map[string]*fakeUpload{}
	}
	v := &fakeVersion{id: "null", modified: f.now()}
	if f.versioned {
		f.last++
		v.id = fmt.Sprintf("v%06d", f.last)
		f.objects[key] = append(f.objects[key], v)
	} else {
		f.objects[key] = []*fakeVersion{v}
	}
	return v
}

func (f *fake) find(key, id string) *fakeVersion {
	for _, v := range slices.Backward(f.objects[key]) {
		if id == "" || v.id == id {
			return v
		}
	}
	return nil
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, key string) {
	id := r.URL.Query().Get("versionId")
	v := f.find(key, id)
	switch {
	case v == nil && id != "":
		fail(w, 404, "NoSuchVersion", "no such version")
		return
	case v == nil || v.marker && id == "":
		fail(w, 404, "NoSuchKey", "no such key")
		return
	case v.marker:
		fail(w, 405, "MethodNotAllowed", "a marker")
		return
	}
	f.tellVersion(w, v)
	h := w.Header()
	for name := range v.header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			h.Set(name, v.header.Get(name))
		}
	}
	h.Set("ETag", etag(v.data))
	h.Set("Content-Type", "application/octet-stream")
	if f.ignoreRange {
		r.Header.Del("Range")
	}
	http.ServeContent(w, r, "", v.modified, bytes.NewReader(v.data))
}

func (f *fake) delete(w http.ResponseWriter, key, id string) {
	if id == "" && f.versioned {
		v := f.add(key)
		v.marker = true
		w.Header().Set("X-Amz-Delete-Marker", "true")
		w.Header().Set("X-Amz-Version-Id", v.id)
		w.WriteHeader(204)
		return
	}
	v := f.find(key, id)
	if v != nil && (v.hold || v.until.After(f.now())) {
		fail(w, 403, "AccessDenied", "forbidden by object lock")
		return
	}
	f.objects[key] = slices.DeleteFunc(f.objects[key], func(o *fakeVersion) bool { return o == v })
	if len(f.objects[key]) == 0 {
		delete(f.objects, key)
	}
	w.WriteHeader(204)
}

func (f *fake) lock(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	v := f.find(key, r.URL.Query().Get("versionId"))
	var in struct {
		Mode, RetainUntilDate, Status string
	}
	xml.Unmarshal(body, &in)
	switch method := r.Method + what(r); {
	case v == nil || v.marker:
		fail(w, 404, "NoSuchKey", "no such key")
	case method == "PUT?legal-hold":
		v.hold = in.Status == "ON" && !f.dropHold
	case method == "PUT?retention":
		until, _ := time.Parse(time.RFC3339, in.RetainUntilDate)
		switch {
		case until.Before(f.now()):
			fail(w, 400, "InvalidArgument", "date in the past")
		case until.Before(v.until):
			fail(w, 403, "AccessDenied", "shorter")
		case !f.dropLock:
			v.until = until
		}
	case method == "GET?retention" && !v.until.IsZero():
		fmt.Fprintf(w, "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>%s</RetainUntilDate></Retention>", v.until.Format(time.RFC3339))
	case method == "GET?legal-hold" && v.hold:
		fmt.Fprint(w, "<LegalHold><Status>ON</Status></LegalHold>")
	default:
		fail(w, 404, "NoSuchObjectLockConfiguration", "no lock")
	}
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	q := r.URL.Query()
	if what(r) == "?uploads" {
		f.last++
		id := fmt.Sprintf("u%06d", f.last)
		if f.uploads == nil {
			f.uploads = map[string]*fakeUpload{}
		}
		f.uploads[id] = &fakeUpload{key: key, parts: map[int][]byte{}, header: r.Header}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
		return
	}
	id := q.Get("uploadId")
	u := f.uploads[id]
	if u == nil || u.key != key {
		fail(w, 404, "NoSuchUpload", "no such upload")
		return
	}
	switch r.Method {
	case "PUT":
		n, _ := strconv.Atoi(q.Get("partNumber"))
		u.parts[n] = body
		w.Header().Set("ETag", etag(body))
	case "DELETE":
		delete(f.uploads, id)
		w.WriteHeader(204)
	case "POST":
		var data []byte
		for _, n := range slices.Sorted(maps.Keys(u.parts)) {
			data = append(data, u.parts[n]...)
		}
		delete(f.uploads, id)
		v := f.add(key)
		v.data, v.header = data, u.header
		f.tellVersion(w, v)
		fmt.Fprintf(w, "<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>k</Key></CompleteMultipartUploadResult>")
	}
}

// page is how much the fake lists at once.
const page = 100

// keys returns the next keys with the prefix, and whether there are more.
func (f *fake) keys(q url.Values, after string, inclusive bool) (keys []string, more bool) {
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key < after || key == after && !inclusive {
			continue
		}
		if len(keys) == page {
			return keys, true
		}
		keys = append(keys, key)
	}
	if f.shuffle {
		slices.Reverse(keys)
	}
	return keys, false
}

func (f *fake) list(w http.ResponseWriter, q url.Values) {
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	last, entries := "", ""
	more := true
	for more && entries == "" {
		var keys []string
		keys, more = f.keys(q, after, false)
		for _, key := range keys {
			last, after = key, key
			v := f.find(key, "")
			if !v.marker {
				entries += "<Contents>" + fields(key, v) + "</Contents>"
			}
		}
	}
	fmt.Fprintf(w, "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated><NextContinuationToken>%s</NextContinuationToken>%s</ListBucketResult>",
		more, escape(last), entries)
}

func (f *fake) listVersions(w http.ResponseWriter, q url.Values) {
	keys, more := f.keys(q, q.Get("key-marker"), f.afterInclusive)
	last, entries, markers := "", "", ""
	for _, key := range keys {
		last = key
		for i, v := range slices.Backward(f.objects[key]) {
			name := "Version"
			if v.marker {
				name = "DeleteMarker"
			}
			entry := fmt.Sprintf("<%s>%s<VersionId>%s</VersionId><IsLatest>%v</IsLatest></%s>",
				name, fields(key, v), v.id, i == len(f.objects[key])-1, name)
			if v.marker && f.markersFirst {
				markers += entry
			} else {
				entries += entry
			}
		}
	}
	entries = markers + entries
	if f.afterInclusive && more {
		last += "\x01"
	}
	fmt.Fprintf(w, "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated><NextKeyMarker>%s</NextKeyMarker>%s</ListVersionsResult>",
		more, url.QueryEscape(last), entries)
}

func fields(key string, v *fakeVersion) string {
	return fmt.Sprintf("<Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified>",
		url.QueryEscape(key), len(v.data), v.modified.UTC().Format(time.RFC3339Nano))
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

func etag(data []byte) string { return fmt.Sprintf("%q", hex.EncodeToString(md5sum(data))) }

func md5sum(data []byte) []byte {
	sum := md5.Sum(data)
	return sum[:]
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, escape(message))
}
