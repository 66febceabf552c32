package container

import (
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"
)

// The directory is read here, not by archive/zip, because that holds as many
// entries as a file claims to have, and leaves it to its caller that entries
// share octets and that a local header names another file than the directory.
//
// APPNOTE 6.3: §4.3.7 local header, §4.3.12 directory, §4.3.14 to §4.3.16 end.
const (
	sigLocal     = 0x04034b50
	sigCentral   = 0x02014b50
	sigEnd64     = 0x06064b50
	sigLocator64 = 0x07064b50
	sigEnd       = 0x06054b50

	lenLocal     = 30
	lenCentral   = 46
	lenEnd64     = 56
	lenLocator64 = 20
	lenEnd       = 22
	maxComment   = 1<<16 - 1

	limit16 = 1<<16 - 1
	limit32 = 1<<32 - 1

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagStrong     = 1 << 6
	flagMasked     = 1 << 13

	stored   = 0
	deflated = 8

	zip64Extra   = 1
	maxDirectory = 64 << 20

	// A package that unpacks to more than bombFree octets must not be larger
	// than bombRatio times its own size: documents compress 3 to 20 times.
	bombRatio = 100
	bombFree  = 64 << 20
)

// An end says where the directory is.
type end struct {
	at, size, count int64
}

// An entry is one record of the directory.
type entry struct {
	name         string
	flags        uint16
	method       uint16
	crc          uint32
	packed, size int64
	header       int64 // offset of the local header
	data         int64 // offset of the content
	mode         uint32
}

func damagedZIP(rule, vietnamese, english string) error {
	return unreadable("package.zip_"+rule, "ZIP hỏng: "+vietnamese+"; hãy đóng gói và gửi lại.",
		"The ZIP is damaged: "+english+"; pack and send it again.")
}

func readZIP(r io.ReaderAt, size int64, limits Limits) (*Tree, error) {
	e, start, err := findEnd(r, size)
	if err != nil {
		return nil, err
	}
	entries, err := readDirectory(r, e, limits)
	if err != nil {
		return nil, err
	}
	if e.at+e.size != start {
		return nil, damagedZIP("directory", "thư mục trung tâm không nằm đúng chỗ", "its directory is not where it should be")
	}
	b := newBuilder(ZIP, limits)
	kept := entries[:0]
	for _, x := range entries {
		ok, err := b.entry(r, &x, e.at)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, x)
		}
	}
	if err := apart(kept); err != nil {
		return nil, err
	}
	if err := b.take(r, kept); err != nil {
		return nil, err
	}
	return &b.Tree, nil
}

// take makes files of the entries.
func (b *builder) take(r io.ReaderAt, entries []entry) error {
	for _, e := range entries {
		if strings.HasSuffix(e.name, "/") {
			b.dir(e.name)
			continue
		}
		if err := b.add(File{Path: e.name, Size: e.size, open: e.opener(r)}); err != nil {
			return err
		}
	}
	return nil
}

// findEnd returns what the end records say, and where they begin.
func findEnd(r io.ReaderAt, size int64) (end, int64, error) {
	noEnd := damagedZIP("end", "thiếu phần cuối (gửi chưa hết?)", "its end is missing (not sent whole?)")
	if size < lenEnd {
		return end{}, 0, noEnd
	}
	tail := make([]byte, min(size, lenEnd+maxComment))
	if _, err := readAt(r, tail, size-int64(len(tail))); err != nil {
		return end{}, 0, err
	}
	found := -1
	for i := len(tail) - lenEnd; i >= 0; i-- {
		if le32(tail[i:]) != sigEnd || i+lenEnd+int(le16(tail[i+20:])) != len(tail) {
			continue
		}
		if found >= 0 {
			return end{}, 0, damagedZIP("ambiguous", "có hai phần cuối", "it has two ends")
		}
		found = i
	}
	if found < 0 {
		return end{}, 0, noEnd
	}
	b := tail[found:]
	at := size - int64(len(b))
	if le16(b[4:]) != 0 || le16(b[6:]) != 0 || le16(b[8:]) != le16(b[10:]) {
		return end{}, 0, damagedZIP("split", "là một phần của bộ nhiều tệp", "it is one of several parts")
	}
	return findEnd64(r, at, end{at: int64(le32(b[16:])), size: int64(le32(b[12:])), count: int64(le16(b[10:]))})
}

// findEnd64 looks for the records of 64 bits before the end at the offset.
func findEnd64(r io.ReaderAt, at int64, e end) (end, int64, error) {
	if at < lenLocator64+lenEnd64 {
		return e, at, nil
	}
	b := make([]byte, lenEnd64+lenLocator64)
	if _, err := readAt(r, b, at-int64(len(b))); err != nil {
		return end{}, 0, err
	}
	locator := b[lenEnd64:]
	if le32(locator) != sigLocator64 {
		return e, at, nil
	}
	start := at - int64(len(b))
	far := end{at: int64(le64(b[48:])), size: int64(le64(b[40:])), count: int64(le64(b[32:]))}
	agree := func(near, far, limit int64) bool { return near == limit || near == far }
	same := agree(e.at, far.at, limit32) && agree(e.size, far.size, limit32) && agree(e.count, far.count, limit16)
	if !same || le32(b) != sigEnd64 || int64(le64(locator[8:])) != start || le64(b[4:]) != lenEnd64-12 {
		return end{}, 0, damagedZIP("end64", "phần cuối ZIP64 không khớp", "its ZIP64 end does not fit")
	}
	return far, start, nil
}

func (e end) plausible() bool {
	return e.count >= 0 && e.size >= 0 && e.at >= 0 && e.count <= e.size/lenCentral && e.at <= math.MaxInt64-e.size
}

func readDirectory(r io.ReaderAt, e end, limits Limits) ([]entry, error) {
	broken := damagedZIP("directory", "thư mục trung tâm sai", "its directory is wrong")
	if !e.plausible() {
		return nil, broken
	}
	if e.count > int64(limits.Files) || e.size > maxDirectory {
		return nil, unreadable("package.too_many",
			"Gói tin có quá nhiều tệp và thư mục; hãy chia nhỏ.",
			"The package holds too many files and folders; divide it.")
	}
	// Read within what exists: the caller compares the place afterwards.
	dir := make([]byte, e.size)
	if n, err := r.ReadAt(dir, e.at); n < len(dir) {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, broken
		}
		return nil, fmt.Errorf("package: %w", err)
	}
	entries, ok := parseDirectory(dir, e.count)
	if !ok {
		return nil, broken
	}
	return entries, nil
}

// parseDirectory reads exactly so many records.
func parseDirectory(dir []byte, count int64) ([]entry, bool) {
	entries := make([]entry, 0, count)
	for range count {
		x, n, ok := parseCentral(dir)
		if !ok {
			return nil, false
		}
		entries = append(entries, x)
		dir = dir[n:]
	}
	return entries, len(dir) == 0
}

func parseCentral(b []byte) (e entry, n int, ok bool) {
	if len(b) < lenCentral || le32(b) != sigCentral {
		return e, 0, false
	}
	name := lenCentral + int(le16(b[28:]))
	extra := name + int(le16(b[30:]))
	n = extra + int(le16(b[32:]))
	if len(b) < n || le16(b[34:]) != 0 {
		return e, 0, false
	}
	e = entry{
		name: string(b[lenCentral:name]), flags: le16(b[8:]), method: le16(b[10:]), crc: le32(b[16:]),
		packed: int64(le32(b[20:])), size: int64(le32(b[24:])), header: int64(le32(b[42:])),
	}
	if creator := b[5]; creator == 3 || creator == 19 { // Unix, macOS
		e.mode = le32(b[38:]) >> 16
	}
	return e, n, e.widen(b[name:extra])
}

// widen replaces the values that did not fit by those of the ZIP64 field.
func (e *entry) widen(extra []byte) bool {
	wide := []*int64{}
	for _, v := range []*int64{&e.size, &e.packed, &e.header} {
		if *v == limit32 {
			wide = append(wide, v)
		}
	}
	for len(wide) > 0 {
		if len(extra) < 4 {
			return false
		}
		n := int(le16(extra[2:]))
		if len(extra) < 4+n {
			return false
		}
		if le16(extra) != zip64Extra {
			extra = extra[4+n:]
			continue
		}
		if n < 8*len(wide) {
			return false
		}
		for i, v := range wide {
			*v = int64(le64(extra[4+8*i:]))
		}
		break
	}
	return e.size >= 0 && e.packed >= 0 && e.header >= 0
}

// entry holds an entry to its local header; the directory begins at dir. The
// fault of one that cannot be used is noted.
func (b *builder) entry(r io.ReaderAt, e *entry, dir int64) (ok bool, err error) {
	if b.unfit(e) {
		return false, nil
	}
	want := lenLocal + len(e.name)
	outside := damagedZIP("entry", "có tệp nằm ngoài phạm vi", "a file lies outside of it")
	if e.header > dir-int64(want) {
		return false, outside
	}
	h := make([]byte, want)
	if _, err := readAt(r, h, e.header); err != nil {
		return false, err
	}
	e.data = e.header + int64(want) + int64(le16(h[28:]))
	if e.data > dir || e.packed > dir-e.data {
		return false, outside
	}
	if !e.matches(h) {
		b.fault(lying(e.name))
		return false, nil
	}
	return true, nil
}

// unfit notes what the directory says of an entry that cannot be used.
func (b *builder) unfit(e *entry) bool {
	folder := strings.HasSuffix(e.name, "/")
	switch {
	case e.flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		b.fault(Fault{Rule: "package.encrypted", Path: e.name,
			Vietnamese: "Gói tin có tệp được mã hóa bằng mật khẩu; hãy đóng gói lại, không đặt mật khẩu.",
			English:    "The package holds a file encrypted with a password; pack it again without one."})
	case !plainKind(e.mode&0o170000, folder):
		b.fault(special(e.name))
	case e.method != stored && e.method != deflated:
		b.fault(Fault{Rule: "package.method", Path: e.name,
			Vietnamese: "Gói tin dùng cách nén không được hỗ trợ; hãy đóng gói lại bằng ZIP thường (deflate hoặc không nén).",
			English:    "The package uses a compression that is not supported; pack it again as a plain ZIP (deflate or stored)."})
	case folder && e.size != 0 || e.method == stored && e.packed != e.size:
		b.fault(lying(e.name))
	default:
		return false
	}
	return true
}

// plainKind reports whether a Unix kind is that of a file or folder, or none.
func plainKind(kind uint32, folder bool) bool {
	return kind == 0 || kind == 0o100000 || kind == 0o040000 && folder
}

// matches compares the entry with its local header. Where a descriptor follows
// the content, or a ZIP64 field holds the sizes, they stand elsewhere.
func (e *entry) matches(h []byte) bool {
	flags, method := le16(h[6:]), le16(h[8:])
	if le32(h) != sigLocal || method != e.method || (flags^e.flags)&flagEncrypted != 0 ||
		int(le16(h[26:])) != len(e.name) || !bytes.Equal(h[lenLocal:], []byte(e.name)) {
		return false
	}
	if flags&flagDescriptor != 0 {
		return true
	}
	fits := func(v uint32, want int64) bool { return v == limit32 || int64(v) == want }
	return le32(h[14:]) == e.crc && fits(le32(h[18:]), e.packed) && fits(le32(h[22:]), e.size)
}

func lying(name string) Fault {
	return Fault{Rule: "package.zip_header", Path: name,
		Vietnamese: "Hai chỗ mô tả một tệp trong ZIP không khớp nhau (hỏng hoặc bị sửa); hãy đóng gói và gửi lại.",
		English:    "The two places that describe a file of the ZIP do not agree (damaged or altered); pack and send it again."}
}

// apart refuses entries that share octets, and those that unpack to far more
// than they are.
func apart(entries []entry) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b entry) int { return cmp.Compare(a.header, b.header) })
	next, packed, size := int64(0), int64(0), int64(0)
	for _, e := range sorted {
		if e.header < next {
			return damagedZIP("overlap", "các tệp chồng lên nhau", "its files share octets")
		}
		next = e.data + e.packed
		packed += e.packed
		if size += e.size; size < 0 {
			size = math.MaxInt64 / 2
		}
	}
	if size > bombFree && size/bombRatio > packed {
		return unreadable("package.bomb",
			"Gói tin mở nén ra lớn hơn hàng trăm lần; không nhận. Hãy gửi tài liệu gốc.",
			"The package unpacks to hundreds of times its size and is not taken; send the documents themselves.")
	}
	return nil
}

// opener returns how to read the entry.
func (e entry) opener(r io.ReaderAt) func() (io.ReadCloser, error) {
	data, packed, size, crc, method := e.data, e.packed, e.size, e.crc, e.method
	return func() (io.ReadCloser, error) {
		raw := io.NewSectionReader(r, data, packed)
		c := &checked{left: size, crc: crc32.NewIEEE(), want: crc}
		if method == stored {
			c.r = raw
			return c, nil
		}
		f := flate.NewReader(raw)
		c.r, c.flate = f, true // nothing to close: a flate reader holds nothing
		return c, nil
	}
}

// checked passes on exactly the promised octets, and ends in ErrDamaged if they
// are others.
type checked struct {
	r      io.Reader
	closer io.Closer
	left   int64
	crc    hash.Hash32 // nil where the container has none
	want   uint32
	flate  bool
	err    error
}

func (c *checked) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		n, err = int(c.left), ErrDamaged
	}
	c.left -= int64(n)
	if c.crc != nil {
		c.crc.Write(p[:n])
	}
	c.err = c.ending(err)
	return n, c.err
}

// ending turns the end of the content into what the caller may rely on.
func (c *checked) ending(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		if c.left != 0 || c.crc != nil && c.crc.Sum32() != c.want {
			return ErrDamaged
		}
		return io.EOF
	case errors.As(err, &corrupt), c.flate && errors.Is(err, io.ErrUnexpectedEOF):
		return ErrDamaged
	}
	return err
}

// Close closes what lies below.
func (c *checked) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}
