package clamd_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/luutru/luutru/inspect/clamd"
	"github.com/luutru/luutru/inspect/clamd/clamdtest"
)

// eicar is the harmless file that every scanner calls a virus, put together only here so that no scanner takes this file for one.
func eicar() []byte {
	return []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-` + `ANTIVIRUS-TEST-FILE!$H+H*`)
}

// start runs a real clamd that knows one signature, that of eicar.
func start(t testing.TB, settings string) *clamdtest.Daemon {
	t.Helper()
	return clamdtest.Start(t, "Luutru.Test.EICAR", eicar()[:60], settings)
}

func zipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("a.com")
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attached puts a file into a PDF file, compressed.
func attached(data []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(data)
	z.Close()
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a) 4 0 R] >> >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
		"<< /Type /Filespec /F (a.com) /EF << /F 5 0 R >> >>",
		fmt.Sprintf("<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", packed.Len(), packed.Bytes()),
	} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	b.WriteString("xref\n0 6\n0000000000 65535 f \n")
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", at)
	return b.Bytes()
}

func TestRealScan(t *testing.T) {
	d := start(t, "StreamMaxLength 8M")
	s := scanner(t, d.Address)
	for name, data := range map[string][]byte{"bare": eicar(), "in ZIP": zipped(t, eicar()), "in ZIP in ZIP": zipped(t, zipped(t, eicar())), "attached to PDF": attached(eicar())} {
		if virus, err := s.Scan(t.Context(), bytes.NewReader(data)); err != nil || !strings.Contains(virus, "Luutru.Test.EICAR") {
			t.Errorf("%s: %q, %v", name, virus, err)
		}
	}
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("xin chào"), "ZIP": zipped(t, []byte("x")), "PDF": attached([]byte("x")), "7 MiB": make([]byte, 7<<20)} {
		if virus, err := s.Scan(t.Context(), bytes.NewReader(data)); err != nil || virus != "" {
			t.Errorf("%s: %q, %v", name, virus, err)
		}
	}
	if _, err := s.Scan(t.Context(), io.LimitReader(zeros{}, 64<<20)); !errors.Is(err, clamd.ErrTooLarge) {
		t.Errorf("64 MiB: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// killing is a stream that kills the scanner after the first bytes.
type killing struct {
	d    *clamdtest.Daemon
	t    *testing.T
	read int
}

func (k *killing) Read(b []byte) (int, error) {
	if k.read += len(b); k.read > 4<<20 && k.d != nil {
		if err := k.d.Process.Signal(syscall.SIGKILL); err != nil {
			k.t.Error(err)
		}
		k.d = nil
	}
	clear(b)
	return len(b), nil
}

func TestRealKilled(t *testing.T) {
	d := start(t, "StreamMaxLength 1000M")
	s := scanner(t, d.Address)
	if virus, err := s.Scan(t.Context(), io.LimitReader(&killing{d: d, t: t}, 512<<20)); virus != "" || !errors.Is(err, clamd.ErrAway) {
		t.Errorf("killed in mid-scan: %q, %v", virus, err)
	}
	if _, err := s.Scan(t.Context(), strings.NewReader("x")); !errors.Is(err, clamd.ErrAway) {
		t.Errorf("after that: %v", err)
	}
}

func TestRealStopped(t *testing.T) {
	d := start(t, "")
	s := scanner(t, d.Address)
	if err := d.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if virus, err := s.Scan(ctx, strings.NewReader("x")); virus != "" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("scanner that hangs: %q, %v", virus, err)
	}
}

// BenchmarkReal compares the socket with the command of ClamAV, for a document of half a megabyte.
func BenchmarkReal(b *testing.B) {
	d := start(b, "")
	data := bytes.Repeat([]byte("luu tru "), 64<<10)
	name := filepath.Join(b.TempDir(), "a")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		b.Fatal(err)
	}
	s, err := clamd.New(d.Address, now)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("socket", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := s.Scan(b.Context(), bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("clamdscan", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if out, err := exec.CommandContext(b.Context(), "clamdscan", "--config-file", d.Config, "--no-summary", name).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}
