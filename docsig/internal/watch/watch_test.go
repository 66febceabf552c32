package watch_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/luutru/luutru/docsig/internal/watch"
)

type broken struct{ err error }

func (b broken) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func TestReader(t *testing.T) {
	whole := &watch.Reader{R: strings.NewReader("abc")}
	b := make([]byte, 5)
	if n, err := whole.ReadAt(b, 1); n != 2 || err != io.EOF || whole.Err != nil {
		t.Errorf("%d octets, %v; remembered %v", n, err, whole.Err)
	}
	fault := errors.New("disk")
	bad := &watch.Reader{R: broken{fault}}
	if _, err := bad.ReadAt(b, 0); !errors.Is(err, fault) || !errors.Is(bad.Err, fault) {
		t.Errorf("%v, remembered %v", err, bad.Err)
	}
}
