package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store"
)

// translate turns an error of minio-go into one that callers can understand
// without knowing minio-go: a sentinel where there is one, else text.
func (b *Bucket) translate(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return &fs.PathError{Op: op, Path: key, Err: cause}
	}
	if sentinel := meaning(err); sentinel != nil {
		return &fs.PathError{Op: op, Path: key, Err: sentinel}
	}
	return fmt.Errorf("%s %q: %s", op, key, b.text(err))
}

// meaning returns the sentinel that an error of minio-go stands for, or nil.
func meaning(err error) error {
	resp := minio.ToErrorResponse(err)
	switch resp.Code {
	case "NoSuchBucket":
		// Not fs.ErrNotExist: an archive that lost its bucket must not
		// conclude that its objects never were.
		return nil
	case "NoSuchKey", "NoSuchVersion", "NoSuchUpload":
		return fs.ErrNotExist
	case "PreconditionFailed":
		return fs.ErrExist
	case "InvalidRange":
		return fs.ErrInvalid
	case "EntityTooSmall", "InvalidPart", "InvalidPartOrder":
		return fs.ErrInvalid
	case "ObjectLocked":
		return store.ErrLocked
	}
	switch resp.StatusCode {
	case http.StatusPreconditionFailed:
		return fs.ErrExist
	case http.StatusRequestedRangeNotSatisfiable:
		return fs.ErrInvalid
	}
	return nil
}

// text describes an error of minio-go. The server's words are cut and cleaned,
// since they end up in logs, and the keys of this client are taken out of
// them.
func (b *Bucket) text(err error) string {
	for urlErr := (*url.Error)(nil); errors.As(err, &urlErr); {
		err = urlErr.Err // without the URL
	}
	var text string
	resp := minio.ToErrorResponse(err)
	switch {
	case resp.StatusCode != 0:
		text = fmt.Sprintf("HTTP %d %s: %s", resp.StatusCode, resp.Code, resp.Message)
	case resp.Code != "":
		text = resp.Code + ": " + resp.Message
	default:
		text = err.Error()
	}
	if strings.HasPrefix(text, "Connection closed by foreign host") {
		text = "connection closed by the server" // minio-go repeats the URL here
	}
	for _, secret := range b.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[removed]")
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// refused reports whether the server understood a request and declined it.
func refused(err error) bool {
	status := minio.ToErrorResponse(err).StatusCode
	return status >= 400 && status < 500 && !uncertain(err)
}

// uncertain reports whether a request that failed may have taken effect all
// the same: the answer was lost, or is that of something between the server
// and here.
func uncertain(err error) bool {
	switch status := minio.ToErrorResponse(err).StatusCode; status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, 499:
		return true
	default:
		return status == 0 || status >= 500
	}
}
