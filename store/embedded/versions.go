package embedded

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/versity/versitygw/s3err"
)

// versionPaths returns the paths of a key's versions, the newest first.
func (b *backend) versionPaths(base string) ([]string, error) {
	var paths []string
	entries, err := os.ReadDir(b.path(base + laterMark))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range slices.Backward(entries) { // ReadDir sorts, and so do names of versions
		paths = append(paths, laterVersion(base, e.Name()))
	}
	if _, err := os.Lstat(b.path(firstVersion(base))); err == nil {
		paths = append(paths, firstVersion(base))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return paths, nil
}

// latest opens the newest version of a key, which may be a delete marker, or
// returns fs.ErrNotExist. The caller holds the key's lock, shared or not, and
// closes the file.
func (b *backend) latest(base string) (*version, error) {
	paths, err := b.versionPaths(base)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fs.ErrNotExist
	}
	return b.openVersion(paths[0])
}

// version is an open version.
type version struct {
	*record
	f    *os.File
	path string // below the storage directory
}

func (v *version) close() { v.f.Close() }

func (b *backend) openVersion(path string) (*version, error) {
	f, r, err := openRecord(b.path(path))
	if err != nil {
		return nil, err
	}
	return &version{record: r, f: f, path: path}, nil
}

// find opens the version a client names, or the newest if it names none. Its
// errors are the ones S3 has for this.
func (b *backend) find(base, key, id string) (*version, error) {
	if id == "" {
		v, err := b.latest(base)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, s3err.GetAPIError(s3err.ErrNoSuchKey)
		}
		return v, err
	}
	if !validVersion(id) {
		return nil, s3err.GetInvalidArgumentErr(s3err.InvalidArgVersionId, id)
	}
	v, err := b.openVersion(laterVersion(base, id))
	if !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	v, err = b.openVersion(firstVersion(base))
	if err == nil && v.Version != id {
		v.close()
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s3err.GetNoSuchVersionErr(key, id)
	}
	return v, err
}

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
