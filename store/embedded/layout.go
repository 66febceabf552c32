package embedded

import (
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/s3err"
)

// Below data/<bucket>, directories are the segments of keys. The names of
// objects end in '@' and no directory of segments does, so that "a" and "a/b"
// can both be keys.
const (
	firstMark = "@"  // file: the version put when the key had none
	laterMark = "@@" // directory: the versions put on top of it

	maxKey     = 1024
	maxSegment = 240 // of an escaped segment; names may have 255 bytes
)

const hexDigits = "0123456789ABCDEF"

// escape turns a segment of a key into a file name: no '@', no NUL, not empty,
// not "." or "..", and a different one for each segment.
func escape(segment string) string {
	switch segment {
	case "":
		return "%"
	case ".", "..":
		return strings.ReplaceAll(segment, ".", "%2E")
	}
	if !strings.ContainsAny(segment, "@%\x00") {
		return segment
	}
	var b strings.Builder
	for i := range len(segment) {
		switch c := segment[i]; c {
		case '@', '%', 0:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape is the inverse of escape; false for what escape never returns.
func unescape(name string) (string, bool) {
	if name == "%" {
		return "", true
	}
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b = append(b, name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		hi, lo := strings.IndexByte(hexDigits, name[i+1]), strings.IndexByte(hexDigits, name[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	s := string(b)
	return s, escape(s) == name
}

func bucketDir(bucket string) string { return filepath.Join("data", bucket) }

func bucketFile(bucket string) string { return filepath.Join("buckets", bucket+".json") }

// objectBase returns the path, below the storage directory, that the names of
// a key's versions begin with.
func objectBase(bucket, key string) (string, error) {
	if key == "" || len(key) > maxKey {
		return "", s3err.GetKeyTooLongErr(int64(len(key)), maxKey)
	}
	var b strings.Builder
	b.WriteString(bucketDir(bucket))
	for segment := range strings.SplitSeq(key, "/") {
		name := escape(segment)
		if len(name) > maxSegment {
			return "", s3err.GetKeyTooLongErr(int64(len(name)), maxSegment)
		}
		b.WriteByte('/')
		b.WriteString(name)
	}
	return b.String(), nil
}

func firstVersion(base string) string { return base + firstMark }

func laterVersion(base, id string) string { return base + laterMark + "/" + id }
