package conform

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const maxPackages = 100000

// Find returns the packages at a path of the file system: the file itself; the
// folder, where it is a package; else every ZIP, TAR and package folder that lies
// in it. Links are not followed.
func Find(at string) ([]string, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, fmt.Errorf("package: %w", err)
	}
	if !info.IsDir() || isPackageFolder(at) {
		return []string{at}, nil
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	var list []string
	for _, e := range entries {
		inner := filepath.Join(at, e.Name())
		if e.Type().IsRegular() && isPackageFile(e.Name()) || e.IsDir() && isPackageFolder(inner) {
			list = append(list, inner)
		}
	}
	switch {
	case len(list) == 0:
		return []string{at}, nil // to be told what is missing
	case len(list) > maxPackages:
		return nil, fmt.Errorf("folder: more than %d packages", maxPackages)
	}
	slices.Sort(list)
	return list, nil
}

// isPackageFolder goes by the files that a package of each form has at its top.
func isPackageFolder(dir string) bool {
	for _, name := range []string{"dossier.json", "declaration.json", "METS.xml", "bagit.txt"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

func isPackageFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".zip", ".tar", ".gz", ".tgz":
		return true
	}
	return false
}

// OpenSource opens a file or folder that Find returned. A folder is opened so
// that no link leads out of it. The caller closes what comes with it.
func OpenSource(at string) (Source, io.Closer, error) {
	info, err := os.Stat(at)
	if err != nil {
		return Source{}, nil, fmt.Errorf("package: %w", err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(at)
		if err != nil {
			return Source{}, nil, fmt.Errorf("folder: %w", err)
		}
		base, err := filepath.Abs(at)
		if err != nil {
			return Source{}, nil, errors.Join(err, root.Close())
		}
		return Source{Name: at, FS: root.FS(), Base: filepath.Base(base)}, root, nil
	}
	if !info.Mode().IsRegular() {
		return Source{}, nil, fmt.Errorf("package: neither file nor folder: %w", fs.ErrInvalid)
	}
	f, err := os.Open(at)
	if err != nil {
		return Source{}, nil, fmt.Errorf("package: %w", err)
	}
	return Source{Name: at, R: f, Size: info.Size()}, f, nil
}
