package container

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const block = 512

// looksTAR tells a TAR by its magic, or, for the oldest form, by the sum of its
// first header.
func looksTAR(head []byte) bool {
	if len(head) < block {
		return false
	}
	if string(head[257:262]) == "ustar" {
		return true
	}
	sum, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 32)
	if err != nil || head[0] == 0 {
		return false
	}
	got := int64(8 * ' ')
	for i, c := range head[:block] {
		if i < 148 || i >= 156 {
			got += int64(c)
		}
	}
	return got == sum
}

// readTAR walks over the headers. archive/tar seeks over the content, and
// bounds what a header may hold.
func readTAR(r io.ReaderAt, size int64, limits Limits) (*Tree, error) {
	b := newBuilder(TAR, limits)
	failed := &failing{r: r}
	s := io.NewSectionReader(failed, 0, size)
	t := tar.NewReader(s)
	next := int64(0) // where the next header must begin
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, tarError(failed.err)
		}
		at, err := s.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		held := content(h)
		if held < 0 || held > size-at {
			return nil, tarError(nil)
		}
		next = at + (held+block-1)/block*block
		if err := b.member(r, h, at); err != nil {
			return nil, err
		}
	}
	if err := ended(failed, size, next); err != nil {
		return nil, err
	}
	return &b.Tree, nil
}

// content returns how many octets follow a header.
func content(h *tar.Header) int64 {
	if h.Typeflag != tar.TypeReg {
		return 0
	}
	return h.Size
}

// ended asks for the empty block after the last member: a TAR that was cut
// between two members looks whole otherwise.
func ended(r io.ReaderAt, size, at int64) error {
	last := make([]byte, block)
	if at > size-block {
		return tarError(nil)
	}
	if _, err := readAt(r, last, at); err != nil {
		return err
	}
	if strings.Trim(string(last), "\x00") != "" {
		return tarError(nil)
	}
	return nil
}

func tarError(below error) error {
	if below != nil {
		return fmt.Errorf("package: %w", below)
	}
	return unreadable("package.tar", "TAR hỏng hoặc chưa gửi hết; hãy đóng gói và gửi lại.",
		"The TAR is damaged or was not sent whole; pack and send it again.")
}

// member takes in one member whose content begins at the offset.
func (b *builder) member(r io.ReaderAt, h *tar.Header, at int64) error {
	if err := b.count(); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeDir:
		b.dir(strings.TrimPrefix(h.Name, "./"))
		return nil
	case tar.TypeReg:
	default:
		b.fault(special(h.Name))
		return nil
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			b.fault(special(h.Name))
			return nil
		}
	}
	size := h.Size
	return b.add(File{Path: strings.TrimPrefix(h.Name, "./"), Size: size, open: func() (io.ReadCloser, error) {
		return &checked{r: io.NewSectionReader(r, at, size), left: size}, nil
	}})
}

// failing remembers that reading failed, which archive/tar may report as a
// fault of the format.
type failing struct {
	r   io.ReaderAt
	err error
}

func (f *failing) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.r.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
