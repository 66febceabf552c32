// Package watch tells a document that cannot be understood from one that could
// not be read.
package watch

import (
	"errors"
	"io"
)

// Reader remembers an error of reading: it is no fault of the document.
type Reader struct {
	R   io.ReaderAt
	Err error // of the last read that failed, other than by the end
}

// ReadAt implements io.ReaderAt.
func (w *Reader) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.R.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.Err = err
	}
	return n, err
}
