package archive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/internal/extract"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
	"github.com/luutru/luutru/store"
	"golang.org/x/text/unicode/norm"
)

const (
	// onePut is the largest package stored in one request, from one buffer.
	onePut = 16 << 20
	// partSize is the size of the parts of larger packages. With two on their
	// way and one filling, a package of any size takes some 24 MiB.
	partSize = 8 << 20
	// partsAtOnce is how many parts are on their way.
	partsAtOnce = 2
	// keepText is the largest document kept in memory for checking and
	// indexing; larger ones are read back by ranges.
	keepText = 8 << 20
)

// putPackage streams the submission's documents through digest, package and
// seal into the store. Neither plain text nor a whole large document is ever
// on disk or in memory. Nothing is stored before ready says so.
func (a *Archive) putPackage(ctx context.Context, sub *submission, c Content, ready <-chan error) error {
	plan, err := dossier.NewPlan(sub.Declaration, a.packageMeta(sub))
	if err != nil {
		return err
	}
	sub.texts = newHandoff(sub)
	size := signing.SealedSize(plan.Size())
	sink, err := a.newSink(ctx, packageKey(sub.id, sub.Package), size, ready)
	if err != nil {
		return err
	}
	workers := 1
	if size > onePut {
		workers = a.Workers
	}
	sealer, err := signing.NewSealer(sink, plan.Size(), sub.sk, workers)
	if err != nil {
		return errors.Join(err, sink.abort())
	}
	mets, err := a.writePackage(ctx, sub, plan.Writer(sealer), c)
	if err != nil {
		sealer.Close()
		return errors.Join(err, sink.abort())
	}
	if err := sealer.Close(); err != nil {
		return errors.Join(err, sink.abort())
	}
	digest, err := sink.finish()
	if err != nil {
		return err
	}
	sub.stored = &packaged{size: size, digest: digest, mets: mets}
	return a.inspectLarge(ctx, sub)
}

func (a *Archive) packageMeta(sub *submission) dossier.PackageMeta {
	return dossier.PackageMeta{
		UUID: uuidOf(sub.Package), Archive: a.name, Fonds: sub.Fonds, Created: a.Now(), Retention: retentionCode(a.Schedule(), sub.class),
		ArchiveCode: sub.code,
		Sign:        func(mets []byte) ([]byte, error) { return a.Keyring.Archive.Sign(mets, a.Now()) },
	}
}

// retentionCode returns the code of field "maintenance" of Circular
// 05/2025/TT-BNV for a class: 01 permanent, then by years, 07 other.
func retentionCode(s *retention.Schedule, class string) string {
	codes := map[int]string{70: "02", 50: "03", 30: "04", 20: "05", 10: "06"}
	for _, r := range s.Rules {
		switch {
		case r.Class != class:
		case r.Permanent:
			return "01"
		case codes[r.Years] != "":
			return codes[r.Years]
		}
	}
	return "07"
}

// uuidOf makes a version 8 UUID (RFC 9562) of an attempt's name, so that the
// package's own name leads back to its object.
func uuidOf(attempt string) string {
	b := sha256.Sum256([]byte(attempt))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// writePackage copies the documents into the package, in declared order, and
// has them looked into beside that. It returns every fault of all of them
// together.
func (a *Archive) writePackage(ctx context.Context, sub *submission, w *dossier.Writer, c Content) (mets string, err error) {
	n := a.inspect(ctx, sub, func(l look) {
		d := &sub.Documents[l.index]
		if !extract.HasText(d.Name, d.MediaType) || !sub.texts.add(d, l.data) {
			a.buffers.give(l.data)
		}
	})
	problems, err := a.writeDocuments(sub, w, c, n)
	found, failed := n.end()
	if err := errors.Join(err, failed); err != nil {
		return "", err
	}
	refused := sub.judge(found, problems)
	mets, err = w.Close(sub.events(a.Now()))
	return mets, together(err, refused)
}

// together joins the problems of two refusals; of other errors the first counts.
func together(first, second error) error {
	var a, b *dossier.ValidationError
	if errors.As(first, &a) && errors.As(second, &b) {
		return &dossier.ValidationError{Problems: slices.Concat(a.Problems, b.Problems)}
	}
	return cmp.Or(first, second)
}

// writeDocuments returns what is wrong with the order of the documents; the
// writer remembers what is wrong with size or digest.
func (a *Archive) writeDocuments(sub *submission, w *dossier.Writer, c Content, n *inspection) ([]dossier.Problem, error) {
	for i := 0; ; i++ {
		name, r, err := c.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if i == len(sub.Documents) || norm.NFC.String(name) != norm.NFC.String(sub.Documents[i].Name) {
			return []dossier.Problem{problemOrder}, nil
		}
		if err := a.writeDocument(sub, w, i, r, n); err != nil {
			return nil, fmt.Errorf("document: %w", err)
		}
	}
}

var problemOrder = dossier.Problem{Code: "document.order", Field: "documents",
	Vietnamese: "Các tệp phải được gửi đúng thứ tự đã khai, không thừa tệp nào.",
	English:    "Files must come in the order of the declaration, and no others."}

// writeDocument copies one document and, if it is small enough to be kept, hands
// it to the inspection.
func (a *Archive) writeDocument(sub *submission, w *dossier.Writer, i int, r io.Reader, n *inspection) error {
	d := &sub.Documents[i]
	dst, err := w.Document(d.Name)
	if err != nil {
		return err
	}
	var kept *bytes.Buffer
	if d.Size <= keepText {
		kept = bytes.NewBuffer(a.buffers.take(d.Size))
		dst = io.MultiWriter(dst, kept)
	}
	var invalid *dossier.ValidationError
	_, err = io.Copy(dst, r)
	if errors.As(err, &invalid) { // longer than declared
		return nil
	}
	if err == nil && kept != nil {
		n.add(look{i, kept.Bytes()})
	}
	return err
}

// sink collects a sealed package: in one buffer for one request, or in parts
// that leave while the next fills.
type sink struct {
	ctx    context.Context
	s      store.Store
	key    string
	buf    []byte
	sum    hash.Hash
	ready  <-chan error
	pool   *buffers     // where buf goes back to
	upload store.Upload // nil for one request
	number int
	free   chan []byte // buffers of parts; nil entries are not made yet
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error
}

func (a *Archive) newSink(ctx context.Context, key string, size int64, ready <-chan error) (*sink, error) {
	k := &sink{ctx: ctx, s: a.Archive, key: key, sum: sha256.New(), ready: ready}
	if size <= onePut {
		k.pool = &a.buffers
		k.buf = k.pool.take(size)
		return k, nil
	}
	u, ok := k.s.(store.Uploader)
	if !ok {
		return nil, errors.New("store takes no large objects")
	}
	if err := <-ready; err != nil {
		return nil, err
	}
	var err error
	if k.upload, err = u.Create(ctx, key); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	k.free = make(chan []byte, partsAtOnce+1)
	for range partsAtOnce {
		k.free <- nil
	}
	k.buf = make([]byte, 0, partSize)
	return k, nil
}

// Write implements io.Writer.
func (k *sink) Write(p []byte) (int, error) {
	if k.upload != nil { // a package in one buffer is digested beside its request
		k.sum.Write(p)
	}
	n := len(p)
	for k.upload != nil && len(k.buf)+len(p) >= partSize {
		m := partSize - len(k.buf)
		k.buf = append(k.buf, p[:m]...)
		p = p[m:]
		if err := k.send(); err != nil {
			return 0, err
		}
	}
	k.buf = append(k.buf, p...)
	return n, nil
}

// send puts the full part on its way and takes a free buffer.
func (k *sink) send() error {
	part := k.buf
	k.number++
	number := k.number
	next := <-k.free // waits while enough parts are on their way
	k.wg.Go(func() {
		err := k.upload.Part(k.ctx, number, part)
		k.mu.Lock()
		k.err = errors.Join(k.err, err)
		k.mu.Unlock()
		k.free <- part[:0]
	})
	if next == nil {
		next = make([]byte, 0, partSize)
	}
	k.buf = next
	return k.failed()
}

func (k *sink) failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// finish makes the object appear and returns its digest.
func (k *sink) finish() (string, error) {
	if k.upload == nil {
		if err := <-k.ready; err != nil {
			return "", err
		}
		digested := make(chan string, 1)
		go func() { digested <- digest(k.buf) }()
		_, err := k.s.Put(k.ctx, k.key, k.buf, nil)
		digest := <-digested
		if err == nil { // else a request that failed may still be reading it
			k.pool.give(k.buf)
		}
		k.buf = nil
		return digest, err
	}
	digest := hex.EncodeToString(k.sum.Sum(nil))
	if len(k.buf) > 0 {
		if err := k.send(); err != nil {
			return "", errors.Join(err, k.abort())
		}
	}
	k.wg.Wait()
	if err := k.failed(); err != nil {
		return "", errors.Join(err, k.abort())
	}
	_, err := k.upload.Complete(k.ctx)
	return digest, err
}

// abort leaves nothing behind.
func (k *sink) abort() error {
	k.wg.Wait()
	if k.upload == nil {
		k.pool.give(k.buf)
		k.buf = nil
		return nil
	}
	return k.upload.Abort(context.WithoutCancel(k.ctx))
}

// buffers are octets to be used again: fresh ones cost as much to clear as they
// cost to fill.
type buffers struct{ pool sync.Pool }

// take returns an empty buffer with room for size octets.
func (b *buffers) take(size int64) []byte {
	if p, ok := b.pool.Get().(*[]byte); ok && int64(cap(*p)) >= size {
		return (*p)[:0]
	}
	return make([]byte, 0, size)
}

// give takes a buffer back that nobody reads any more.
func (b *buffers) give(p []byte) {
	if cap(p) >= 64<<10 {
		b.pool.Put(&p)
	}
}
