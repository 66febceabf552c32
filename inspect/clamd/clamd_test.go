package clamd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/luutru/luutru/inspect/clamd"
)

func now() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) }

// serve answers on a socket as clamd does; each connection is handed to answer after its command.
func serve(t *testing.T, answer func(command string, c net.Conn)) *clamd.Scanner {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				var command []byte
				for b := make([]byte, 1); ; command = append(command, b[0]) {
					if _, err := c.Read(b); err != nil || b[0] == 0 {
						break
					}
				}
				answer(string(command), c)
			}()
		}
	}()
	return scanner(t, "unix:"+path)
}

func scanner(t *testing.T, address string) *clamd.Scanner {
	t.Helper()
	s, err := clamd.New(address, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chunks reads a stream to its end, or up to a limit.
func chunks(c net.Conn, limit int) ([]byte, bool) {
	var out []byte
	for {
		var n uint32
		if binary.Read(c, binary.BigEndian, &n) != nil {
			return out, false
		}
		if n == 0 {
			return out, true
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			return out, false
		}
		if out = append(out, b...); len(out) > limit {
			return out, false
		}
	}
}

func TestScan(t *testing.T) {
	const limit = 1 << 20
	s := serve(t, func(command string, c net.Conn) {
		data, whole := chunks(c, limit)
		switch {
		case command != "zINSTREAM":
			io.WriteString(c, "UNKNOWN COMMAND\x00")
		case !whole && len(data) > limit:
			io.WriteString(c, "INSTREAM size limit exceeded. ERROR\x00")
		case bytes.Contains(data, []byte("virus")):
			io.WriteString(c, "stream: Test.Virus-1 FOUND\x00")
		case bytes.Contains(data, []byte("fail")):
			io.WriteString(c, "stream: Can't allocate memory ERROR\x00")
		case bytes.Contains(data, []byte("half")):
			io.WriteString(c, "stream: O")
		case bytes.Contains(data, []byte("long")):
			io.WriteString(c, strings.Repeat("x", 1<<20))
		case bytes.Contains(data, []byte("away")):
		default:
			io.WriteString(c, "stream: OK\x00")
		}
	})
	for _, c := range []struct {
		data, virus string
		err         error
	}{
		{"", "", nil}, {"harmless", "", nil}, {strings.Repeat("x", 900<<10), "", nil}, {strings.Repeat("x", 900<<10) + "virus", "Test.Virus-1", nil},
		{strings.Repeat("x", 3<<20), "", clamd.ErrTooLarge}, {"fail", "", clamd.ErrScan}, {"half", "", clamd.ErrAway}, {"away", "", clamd.ErrAway},
		{"long", "", clamd.ErrAway},
	} {
		virus, err := s.Scan(t.Context(), strings.NewReader(c.data))
		if virus != c.virus || !errors.Is(err, c.err) {
			t.Errorf("%.20q: %q, %v; want %q, %v", c.data, virus, err, c.virus, c.err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestScanErrors(t *testing.T) {
	s := serve(t, func(_ string, c net.Conn) { chunks(c, 1<<30) })
	if _, err := s.Scan(t.Context(), failing{}); !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, clamd.ErrAway) {
		t.Errorf("source that fails: %v", err)
	}
	if _, err := scanner(t, "unix:"+filepath.Join(t.TempDir(), "none")).Scan(t.Context(), strings.NewReader("x")); !errors.Is(err, clamd.ErrAway) {
		t.Errorf("no socket: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stuck := serve(t, func(_ string, c net.Conn) {
		chunks(c, 1<<30)
		cancel()
		io.Copy(io.Discard, c)
	})
	if _, err := stuck.Scan(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in mid-scan: %v", err)
	}
}

func TestVersion(t *testing.T) {
	var asked atomic.Int32
	s := serve(t, func(command string, c net.Conn) {
		asked.Add(1)
		if command == "zVERSION" {
			io.WriteString(c, "ClamAV 1.4.3/27800/Mon\n\x00")
		}
	})
	for range 3 {
		if v, err := s.Version(t.Context()); v != "ClamAV 1.4.3/27800/Mon" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times within a minute", n)
	}
}

func TestAddress(t *testing.T) {
	for _, a := range []string{"", "unix:", "tcp:host", "tcp:", "http://host", "/run/clamd"} {
		if _, err := clamd.New(a, now); !errors.Is(err, clamd.ErrAddress) {
			t.Errorf("%q: %v", a, err)
		}
	}
	for _, a := range []string{"unix:/run/clamav/clamd.ctl", "tcp:127.0.0.1:3310", "tcp:[::1]:3310"} {
		if _, err := clamd.New(a, now); err != nil {
			t.Errorf("%q: %v", a, err)
		}
	}
}
