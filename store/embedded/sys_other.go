//go:build !linux

package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// The durability of this package rests on Linux's syncfs. Elsewhere the
// program builds, and the embedded store says why it does not start.

func lockDir(string) (io.Closer, error) {
	return nil, fmt.Errorf("it needs Linux: %w", errors.ErrUnsupported)
}

func syncTree(*os.File) error { return errors.ErrUnsupported }

func syncData(f *os.File) error { return f.Sync() }

func freeSpace(*os.File) (int64, error) { return 0, errors.ErrUnsupported }

type socket struct{}

func newSocket(string) (*socket, error) { return nil, errors.ErrUnsupported }

func (*socket) path() string { return "" }

func (*socket) Close() error { return nil }
