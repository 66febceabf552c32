// Package clamd asks a running clamd, the scanner of ClamAV, whether a virus is in a stream of bytes (clamd(8), INSTREAM). It does not
// start or update the scanner.
//
// A scanner that is away, slow or refuses a stream gives an error, never "clean": the caller decides what that means.
package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

var (
	// ErrAddress says that an address is none.
	ErrAddress = errors.New("clamd: address is neither unix:/path nor tcp:host:port")
	// ErrAway says that the scanner could not be reached, did not answer in time, or went away in mid-scan. It may be tried again.
	ErrAway = errors.New("clamd: scanner is away")
	// ErrTooLarge says that the stream is longer than the scanner's StreamMaxLength, which an administrator can raise.
	ErrTooLarge = errors.New("clamd: larger than the scanner accepts")
	// ErrScan says that the scanner answered that it could not scan.
	ErrScan = errors.New("clamd: scanner failed")
)

const (
	dialTime   = 5 * time.Second
	idleTime   = 30 * time.Second // between two chunks taken by the scanner
	answerTime = 2 * time.Minute  // from the last chunk to the answer: ClamAV's own MaxScanTime is 2 minutes
	chunkSize  = 128 << 10
	maxAnswer  = 4 << 10
	versionAge = time.Minute
)

// A Scanner is a clamd at an address. It may be used by many goroutines at once; every scan has a connection of its own.
type Scanner struct {
	network, address string
	now              func() time.Time

	mu      sync.Mutex
	version string
	asked   time.Time
}

// New takes an address, "unix:/run/clamav/clamd.ctl" or "tcp:127.0.0.1:3310", and a clock. It does not connect.
func New(address string, now func() time.Time) (*Scanner, error) {
	network, rest, ok := strings.Cut(address, ":")
	switch {
	case !ok || rest == "":
		return nil, ErrAddress
	case network == "unix":
		return &Scanner{network: network, address: rest, now: now}, nil
	case network == "tcp":
		if _, port, err := net.SplitHostPort(rest); err == nil && port != "" {
			return &Scanner{network: network, address: rest, now: now}, nil
		}
	}
	return nil, ErrAddress
}

// Scan sends a stream and returns the name of the virus that was found in it, or "" if there is none. Memory does not grow with the
// stream.
func (s *Scanner) Scan(ctx context.Context, r io.Reader) (virus string, err error) {
	var answer string
	err = s.talk(ctx, func(c net.Conn) error {
		answer, err = instream(c, r)
		return err
	})
	if err != nil {
		return "", err
	}
	switch result := strings.TrimPrefix(answer, "stream: "); {
	case result == "OK":
		return "", nil
	case strings.HasSuffix(result, " FOUND"):
		return clean(strings.TrimSuffix(result, " FOUND")), nil
	case strings.Contains(result, "size limit exceeded"):
		return "", ErrTooLarge
	case answer == "":
		return "", ErrAway
	}
	return "", ErrScan
}

// Version is what the scanner says of itself and its signatures, "ClamAV 1.4.3/27800/Mon Nov 23 09:00:00 2026". An answer is kept for a
// minute.
func (s *Scanner) Version(ctx context.Context) (string, error) {
	s.mu.Lock()
	version, asked := s.version, s.asked
	s.mu.Unlock()
	now := s.now()
	if version != "" && now.Sub(asked) < versionAge && !now.Before(asked) {
		return version, nil
	}
	err := s.talk(ctx, func(c net.Conn) error {
		if _, err := io.WriteString(c, "zVERSION\x00"); err != nil {
			return err
		}
		var err error
		version, err = answerOf(c)
		return err
	})
	if err != nil {
		return "", err
	}
	if version = clean(version); version == "" {
		return "", ErrAway
	}
	s.mu.Lock()
	s.version, s.asked = version, now
	s.mu.Unlock()
	return version, nil
}

// talk runs one exchange on a connection that ends with the context. Errors of the connection become ErrAway.
func (s *Scanner) talk(ctx context.Context, exchange func(net.Conn) error) error {
	d := net.Dialer{Timeout: dialTime}
	c, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %v", ErrAway, errors.Unwrap(err))
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	err = exchange(c)
	var source *sourceError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &source):
		return source.err
	case err != nil:
		return fmt.Errorf("%w: %v", ErrAway, err)
	}
	return nil
}

// A sourceError is of what is scanned, not of the scanner.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

// instream sends "zINSTREAM", chunks with their length before them, an empty one, and reads the answer.
func instream(c net.Conn, r io.Reader) (string, error) {
	deadline(c, idleTime)
	if _, err := io.WriteString(c, "zINSTREAM\x00"); err != nil {
		return "", err
	}
	buf := make([]byte, 4+chunkSize)
	for {
		n, err := io.ReadFull(r, buf[4:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return "", &sourceError{err}
		}
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			deadline(c, idleTime)
			if _, failed := c.Write(buf[:4+n]); failed != nil {
				return early(c, failed)
			}
		}
		if err != nil {
			break
		}
	}
	if _, err := c.Write(make([]byte, 4)); err != nil {
		return early(c, err)
	}
	deadline(c, answerTime)
	return answerOf(c)
}

// early reads the answer of a scanner that takes no more: too large, or found something already.
func early(c net.Conn, failed error) (string, error) {
	deadline(c, dialTime)
	if answer, err := answerOf(c); err == nil && answer != "" {
		return answer, nil
	}
	return "", failed
}

// deadline bounds the next step of an exchange. It is real time, whatever clock the caller has.
func deadline(c net.Conn, d time.Duration) { c.SetDeadline(time.Now().Add(d)) }

// answerOf reads up to the zero byte that ends an answer.
func answerOf(c net.Conn) (string, error) {
	var out []byte
	buf := make([]byte, 512)
	for len(out) < maxAnswer {
		n, err := c.Read(buf)
		out = append(out, buf[:n]...)
		if i := bytes.IndexByte(out, 0); i >= 0 {
			return strings.TrimSpace(string(out[:i])), nil
		}
		if err == io.EOF {
			return "", io.ErrUnexpectedEOF // an answer that is cut off says nothing
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("answer too long")
}

// clean keeps names from the scanner printable and short.
func clean(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}
