package embedded

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// record is what is known of a version (or of a part of an upload) besides its
// bytes. It stands behind them in the same file, so that both appear and
// disappear together: bytes, JSON, footer.
type record struct {
	Key          string            `json:"key,omitempty"`
	Version      string            `json:"version,omitempty"`
	Size         int64             `json:"size"`
	ETag         string            `json:"etag"`
	Modified     time.Time         `json:"modified"`
	DeleteMarker bool              `json:"delete_marker,omitempty"`
	Headers      headers           `json:"headers,omitzero"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	Checksum     checksum          `json:"checksum,omitzero"`
	Lock         lock              `json:"lock,omitzero"`
}

// headers are the HTTP headers a client may set and gets back.
type headers struct {
	ContentType        string `json:"content_type,omitempty"`
	ContentEncoding    string `json:"content_encoding,omitempty"`
	ContentDisposition string `json:"content_disposition,omitempty"`
	ContentLanguage    string `json:"content_language,omitempty"`
	CacheControl       string `json:"cache_control,omitempty"`
	Expires            string `json:"expires,omitempty"`
}

// checksum is one of S3's additional checksums, in its spelling.
type checksum struct {
	Algorithm string `json:"algorithm"`
	Type      string `json:"type"`
	Value     string `json:"value"`
}

// lock is a version's retention and legal hold.
type lock struct {
	Mode  string    `json:"mode,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Hold  bool      `json:"hold,omitempty"`
}

const (
	footerMagic = "luutru.1"
	footerSize  = 16
	// maxRecord is far above what HTTP headers of 8 KiB can make of a record.
	maxRecord = 1 << 20
	// tailGuess is what is read first; nearly every record fits.
	tailGuess = 2048
)

func castagnoli(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// tail returns what stands behind the bytes.
func (r *record) tail() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	n := len(data)
	sum := castagnoli(data)
	data = binary.BigEndian.AppendUint32(data, uint32(n))
	data = binary.BigEndian.AppendUint32(data, sum)
	return append(data, footerMagic...), nil
}

// errRecord: the file is not one this package wrote, or lost bytes.
var errRecord = errors.New("object file damaged")

// readRecord reads the record at the end of a file of the given size.
func readRecord(f io.ReaderAt, size int64) (*record, error) {
	guess := min(size, tailGuess)
	end := make([]byte, guess)
	if _, err := f.ReadAt(end, size-guess); err != nil && err != io.EOF {
		return nil, err
	}
	if guess < footerSize || string(end[guess-8:]) != footerMagic {
		return nil, fmt.Errorf("%w: no footer", errRecord)
	}
	footer := end[guess-footerSize:]
	n, sum := int64(binary.BigEndian.Uint32(footer)), binary.BigEndian.Uint32(footer[4:])
	if n > maxRecord || n > size-footerSize {
		return nil, fmt.Errorf("%w: record of %d bytes", errRecord, n)
	}
	data := end[:guess-footerSize]
	if n <= int64(len(data)) {
		data = data[int64(len(data))-n:]
	} else {
		data = make([]byte, n)
		if _, err := f.ReadAt(data, size-footerSize-n); err != nil {
			return nil, err
		}
	}
	if castagnoli(data) != sum {
		return nil, fmt.Errorf("%w: checksum of the record", errRecord)
	}
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%w: %v", errRecord, err)
	}
	if r.Size != size-footerSize-n {
		return nil, fmt.Errorf("%w: %d bytes, of %d", errRecord, size-footerSize-n, r.Size)
	}
	return r, nil
}

// openRecord opens a file and reads its record. The caller closes the file.
func openRecord(path string) (*os.File, *record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil {
		var r *record
		if r, err = readRecord(f, st.Size()); err == nil {
			return f, r, nil
		}
	}
	return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
}

// nullVersion is the version put into a bucket without versioning.
const nullVersion = "null"

// newVersion returns a version name that sorts after the given one, and
// otherwise by time. Names of versions are lower-case hexadecimal.
func newVersion(now time.Time, after string) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(now.UnixMilli())<<16)
	rand.Read(id[6:])
	if v := hex.EncodeToString(id[:]); v > after || after == nullVersion {
		return v
	}
	// The clock went back, or two fell on one millisecond: count on from
	// there, since the newest version must sort last.
	if _, err := hex.Decode(id[:], []byte(after)); err != nil {
		return hex.EncodeToString(id[:])
	}
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return hex.EncodeToString(id[:])
}

// validVersion tells whether a client's version name may be used in a path.
func validVersion(v string) bool {
	if v == nullVersion {
		return true
	}
	b, err := hex.DecodeString(v)
	return err == nil && len(b) == 16 && hex.EncodeToString(b) == v
}
