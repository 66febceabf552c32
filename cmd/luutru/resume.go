package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// upload sends a package so that a broken transfer goes on where it broke, also
// in the next run. It gives up when no octet gets through for as many tries as
// are allowed.
func (p *pusher) upload(ctx context.Context, x *parcel, f io.ReaderAt, size int64) (*archive.Receipt, error) {
	path, at, err := p.place(ctx, x, size)
	if err != nil {
		return nil, err
	}
	begin := at
	for try := 1; at < size; {
		end, err := p.client.Send(ctx, path, at, io.TeeReader(io.NewSectionReader(f, at, size-at), p.bar))
		if err == nil {
			at = end
			continue
		}
		if !broken(ctx, err) {
			return nil, err
		}
		if try++; try > p.tries {
			return nil, err
		}
		if err := sleep(ctx, backOff(try-1)); err != nil {
			return nil, err
		}
		now, asked := p.client.Offset(ctx, path)
		if asked == nil && now > at {
			try = 1 // it gets on
		}
		if asked == nil {
			at = now
		} else if !broken(ctx, asked) {
			return nil, asked
		}
	}
	if begin > 0 {
		p.say("%s: gửi tiếp từ %[2]d byte · went on from octet %[2]d", x.path, begin)
	}
	return p.client.Outcome(ctx, path)
}

// place finds where a package is being uploaded to and how far that is, or
// begins anew.
func (p *pusher) place(ctx context.Context, x *parcel, size int64) (path string, at int64, err error) {
	if n, ok := p.done.of(x); ok && n.State == stateUploading {
		at, err := p.client.Offset(ctx, n.Upload)
		if !errors.Is(err, fs.ErrNotExist) {
			return n.Upload, at, err
		}
	}
	if path, err = p.client.Begin(ctx, size); err != nil {
		return "", 0, err
	}
	return path, 0, p.done.uploading(x, path)
}

// broken reports whether a transfer may go on after an error: what passes, or a
// conflict about the offset.
func broken(ctx context.Context, err error) bool {
	var answer *api.Problem
	if errors.As(err, &answer) && answer.Status == http.StatusConflict {
		return answer.Code == "upload" || answer.Code == "offset"
	}
	return passes(ctx, err)
}

// passes reports whether the same request may succeed later: the line broke, or
// the server says so.
func passes(ctx context.Context, err error) bool {
	var answer *api.Problem
	var local *fs.PathError
	var usage usageError
	var invalid *dossier.ValidationError
	switch {
	case ctx.Err() != nil:
		return false
	case errors.As(err, &answer):
		switch answer.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusLocked:
			return true
		}
		return answer.Status >= http.StatusInternalServerError && answer.Code != "staged-corrupt"
	case errors.As(err, &local), errors.As(err, &usage), errors.As(err, &invalid), errors.Is(err, fs.ErrInvalid):
		return false
	}
	return true
}

// backOff is how long to wait after so many tries: a second, then twice as long
// each time, up to a minute.
func backOff(try int) time.Duration { return min(time.Second<<min(try-1, 6), time.Minute) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Names of the reports beside a parcel.
const (
	problemsText = ".problems.txt"
	problemsJSON = ".problems.json"
	receiptFile  = ".receipt.json"
)

// complain writes what is wrong with a parcel beside it, for people and for
// programs, where a journal is kept.
func (p *pusher) complain(x *parcel, err error) error {
	if !p.done.kept() {
		return nil
	}
	return writeProblems(x.path, err)
}

func writeProblems(path string, err error) error {
	report := map[string]any{"error": err.Error()}
	var answer *api.Problem
	var b []byte
	var failed error
	if errors.As(err, &answer) {
		b, failed = json.MarshalIndent(answer, "", "  ")
	} else {
		b, failed = json.MarshalIndent(report, "", "  ")
	}
	if failed != nil {
		return failed
	}
	text := message(err, exitCode(err)) + "\n"
	return errors.Join(writeFile(path+problemsJSON, append(b, '\n'), 0o644), writeFile(path+problemsText, []byte(text), 0o644))
}

// forgive removes such reports of an earlier run.
func (p *pusher) forgive(x *parcel) error {
	if !p.done.kept() {
		return nil
	}
	var errs []error
	for _, name := range []string{problemsText, problemsJSON} {
		if err := os.Remove(x.path + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("report: %w", err))
		}
	}
	return errors.Join(errs...)
}
