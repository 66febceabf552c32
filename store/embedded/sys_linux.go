package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockDir takes the directory for this server until the result is closed or
// the process ends, however it ends.
func lockDir(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// syncTree brings everything on the file system of dir to stable storage.
func syncTree(dir *os.File) error { return unix.Syncfs(int(dir.Fd())) }

// syncData brings a file's bytes, and its size if that changed, to stable
// storage; unlike fsync it needs no journal commit for a time stamp.
func syncData(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

// freeSpace returns the bytes that may still be written under dir.
func freeSpace(dir *os.File) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// socket names the server's socket. A socket's path may have 107 bytes only,
// fewer than the paths of test directories often have, so a long one is named
// through an open descriptor of its directory.
type socket struct {
	name string
	dir  *os.File // nil when the plain path is short enough
}

func newSocket(dir string) (*socket, error) {
	s := &socket{name: filepath.Join(dir, "s3.sock")}
	if len(s.name) > 100 {
		d, err := os.Open(dir)
		if err != nil {
			return nil, err
		}
		s.dir, s.name = d, fmt.Sprintf("/proc/self/fd/%d/s3.sock", d.Fd())
	}
	return s, nil
}

func (s *socket) path() string { return s.name }

// Close removes the socket's name, if the listener has not done so.
func (s *socket) Close() error {
	err := os.Remove(s.name)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if s.dir != nil {
		err = errors.Join(err, s.dir.Close())
	}
	return err
}
