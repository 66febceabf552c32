package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/staging"
	"github.com/luutru/luutru/submission"
)

// packagePart is the name of the part of a push that holds a whole package.
const packagePart = "package"

// packageTypes are the media types of packages: a ZIP (E-ARK, BagIt, or a
// folder with its declaration) or a TAR (BagIt).
var packageTypes = map[string]bool{
	"application/zip": true, "application/x-zip-compressed": true, "application/x-tar": true, "application/tar": true,
}

// push takes a dossier in, in whatever form it comes.
func (s *Server) push(w http.ResponseWriter, r *http.Request, by archive.Agent) error {
	receipt, err := s.pushed(r, by)
	if err != nil {
		return err
	}
	return sendReceipt(w, receipt)
}

func (s *Server) pushed(r *http.Request, by archive.Agent) (*archive.Receipt, error) {
	mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if packageTypes[mt] {
		return s.pushPackage(r.Context(), by, r.Body, r.ContentLength, nil)
	}
	mr, err := multipartOf(r)
	if err != nil {
		return nil, err
	}
	return s.pushParts(r.Context(), by, mr)
}

// pushParts takes in a multipart body: the declaration and then the documents in
// its order, or a package and, before or after it, what its form can't say.
// Documents are not held anywhere on their way.
func (s *Server) pushParts(ctx context.Context, by archive.Agent, mr *multipart.Reader) (*archive.Receipt, error) {
	first, err := mr.NextRawPart()
	if err != nil {
		return nil, fmt.Errorf("%w: no declaration: %v", ErrRequest, err)
	}
	if isPackage(first) {
		return s.pushPackage(ctx, by, first, staging.Unknown, func() (*dossier.Declaration, error) { return s.lastPart(mr) })
	}
	mt, _, _ := mime.ParseMediaType(first.Header.Get("Content-Type"))
	if first.FormName() != declarationPart && mt != "application/json" {
		return nil, fmt.Errorf("%w: the first part must be the declaration or a package", ErrRequest)
	}
	d, err := s.declaration(first)
	second, end := mr.NextRawPart()
	if end == nil && isPackage(second) {
		extra, err := extraOf(d, err)
		if err != nil {
			return nil, err
		}
		return s.pushPackage(ctx, by, second, staging.Unknown, func() (*dossier.Declaration, error) {
			if _, err := mr.NextRawPart(); err != io.EOF {
				return nil, fmt.Errorf("%w: something after the package", ErrRequest)
			}
			return extra, nil
		})
	}
	if err != nil {
		s.Archive.Reject(ctx, by, d, err)
		return nil, err
	}
	receipt, err := s.Archive.Ingest(ctx, by, d, &parts{mr: mr, first: second, err: end})
	if err == nil {
		s.counts.ingests.Add(1)
	}
	return receipt, err
}

// isPackage reports whether a part holds a whole package. A ZIP under the name
// "document" is a document.
func isPackage(p *multipart.Part) bool { return p.FormName() == packagePart }

// extraOf takes a declaration that completes a package: it need not be whole,
// but it must be readable.
func extraOf(d *dossier.Declaration, err error) (*dossier.Declaration, error) {
	var invalid *dossier.ValidationError
	if d != nil && (err == nil || errors.As(err, &invalid)) {
		return d, nil
	}
	return nil, err
}

// lastPart reads what may follow a package: one declaration.
func (s *Server) lastPart(mr *multipart.Reader) (*dossier.Declaration, error) {
	p, err := mr.NextRawPart()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRequest, err)
	}
	if p.FormName() != declarationPart {
		return nil, fmt.Errorf("%w: something after the package that is not the declaration", ErrRequest)
	}
	extra, err := extraOf(dossier.ParseDeclaration(p, s.Archive.Limits))
	if err != nil {
		return nil, err
	}
	if _, err := mr.NextRawPart(); err != io.EOF {
		return nil, fmt.Errorf("%w: something after the declaration", ErrRequest)
	}
	return extra, nil
}

// pushPackage takes a package in that can be read only when all of it is here:
// it is staged, opened, and ingested like any other. The rest of the request,
// if there is one, gives the extra declaration.
func (s *Server) pushPackage(ctx context.Context, by archive.Agent, body io.Reader, size int64, rest func() (*dossier.Declaration, error)) (_ *archive.Receipt, err error) {
	if err := s.mayStage(by); err != nil {
		return nil, err
	}
	u, err := s.Staging.Create(ctx, by.Subject, size, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, u.Delete(context.WithoutCancel(ctx))) }()
	if _, err := u.Append(ctx, 0, body); err != nil {
		return nil, err
	}
	var extra *dossier.Declaration
	if rest != nil {
		if extra, err = rest(); err != nil {
			return nil, err
		}
	}
	return s.ingest(ctx, by, u, extra)
}

// mayStage refuses those whose package would be refused when all of it is here.
func (s *Server) mayStage(by archive.Agent) error {
	if s.Staging == nil {
		return fmt.Errorf("%w: this server takes no packages", ErrRequest)
	}
	if !slices.Contains(by.Roles, archive.Producer) {
		return fmt.Errorf("%w: push", archive.ErrDenied)
	}
	return nil
}

// ingest takes in a package that is staged.
func (s *Server) ingest(ctx context.Context, by archive.Agent, u *staging.Upload, extra *dossier.Declaration) (*archive.Receipt, error) {
	r := u.Reader(ctx)
	sub, err := submission.Open(ctx, r, r.Size(), s.Archive.Limits, extra)
	switch {
	case err == nil:
		var receipt *archive.Receipt
		if receipt, err = s.Archive.Ingest(ctx, by, sub.Declaration, sub); err == nil {
			s.counts.ingests.Add(1)
			return receipt, nil
		}
	case sub != nil && r.Err() == nil:
		s.Archive.Reject(ctx, by, sub.Declaration, err)
	}
	if failed := r.Err(); failed != nil {
		return nil, failed // what else went wrong is a consequence
	}
	return nil, err
}
