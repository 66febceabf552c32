package dossier

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The ZIP of a package is written and read here, not by archive/zip, because
// its layout is part of the contract: the size must be known to the octet
// before the documents are, and a document's place must follow from the
// directory alone, without a read per document. Everything is stored, entries
// follow each other without gaps, and nothing has a comment.
//
// APPNOTE 6.3: §4.3.7 local header, §4.3.9 data descriptor, §4.3.12 central
// directory, §4.3.14 to §4.3.16 its end.
const (
	sigLocal      = 0x04034b50
	sigDescriptor = 0x08074b50
	sigCentral    = 0x02014b50
	sigEnd64      = 0x06064b50
	sigLocator64  = 0x07064b50
	sigEnd        = 0x06054b50

	lenLocal     = 30
	lenCentral   = 46
	lenEnd64     = 56
	lenLocator64 = 20
	lenEnd       = 22

	flagDescriptor = 1 << 3  // CRC and sizes follow the data
	flagUTF8       = 1 << 11 // names are UTF-8

	limit16 = 1<<16 - 1
	limit32 = 1<<32 - 1

	versionPlain = 20
	version64    = 45

	zip64Extra = 1

	unix    = 3
	regular = 0o100644
)

// An entry is one file of the ZIP.
type entry struct {
	name     string
	size     int64
	crc      uint32
	streamed bool  // CRC unknown when the header is written
	offset   int64 // of the local header
	far      bool  // the directory states the offset in 64 bits
}

// big entries have their sizes in 64 bits.
func (e *entry) big() bool { return e.size >= limit32 }

func (e *entry) version() uint16 {
	if e.big() || e.far {
		return version64
	}
	return versionPlain
}

func (e *entry) flags() uint16 {
	if e.streamed {
		return flagUTF8 | flagDescriptor
	}
	return flagUTF8
}

// data returns the offset of the entry's content.
func (e *entry) data() int64 {
	n := int64(lenLocal + len(e.name))
	if e.big() {
		n += 20
	}
	return e.offset + n
}

// next returns the offset after the entry.
func (e *entry) next() int64 {
	end := e.data() + e.size
	switch {
	case e.streamed && e.big():
		return end + 24
	case e.streamed:
		return end + 16
	}
	return end
}

// header returns the local header. Where a descriptor follows, CRC and sizes
// are zero here (§4.4.4), except for the marks that the 64-bit field demands.
func (e *entry) header(at stamp) []byte {
	var b buffer
	b.put32(sigLocal)
	b.put16(e.version(), e.flags(), 0)
	b.put32(uint32(at))
	crc, size := e.crc, uint64(e.size)
	if e.streamed {
		crc, size = 0, 0
	}
	b.put32(crc)
	if e.big() {
		b.put32(limit32, limit32)
		b.put16(uint16(len(e.name)), 20)
		b.WriteString(e.name)
		b.put16(zip64Extra, 16)
		b.put64(size, size)
		return b.Bytes()
	}
	b.put32(uint32(size), uint32(size))
	b.put16(uint16(len(e.name)), 0)
	b.WriteString(e.name)
	return b.Bytes()
}

// descriptor returns what follows the content.
func (e *entry) descriptor() []byte {
	if !e.streamed {
		return nil
	}
	var b buffer
	b.put32(sigDescriptor, e.crc)
	if e.big() {
		b.put64(uint64(e.size), uint64(e.size))
	} else {
		b.put32(uint32(e.size), uint32(e.size))
	}
	return b.Bytes()
}

// central returns the entry's record in the directory.
func (e *entry) central(at stamp) []byte {
	var b, extra buffer
	size, offset := uint32(limit32), uint32(limit32)
	if e.big() {
		extra.put64(uint64(e.size), uint64(e.size))
	} else {
		size = uint32(e.size)
	}
	if e.far {
		extra.put64(uint64(e.offset))
	} else {
		offset = uint32(e.offset)
	}
	extraLen := 0
	if extra.Len() > 0 {
		extraLen = 4 + extra.Len()
	}
	b.put32(sigCentral)
	b.put16(unix<<8|version64, e.version(), e.flags(), 0)
	b.put32(uint32(at))
	b.put32(e.crc, size, size)
	b.put16(uint16(len(e.name)), uint16(extraLen), 0, 0, 0)
	b.put32(regular<<16, offset)
	b.WriteString(e.name)
	if extraLen > 0 {
		b.put16(zip64Extra, uint16(extra.Len()))
		b.Write(extra.Bytes())
	}
	return b.Bytes()
}

// place gives the entries their offsets one after the other and returns the
// offset after the last.
func place(entries []entry) int64 {
	at := int64(0)
	for i := range entries {
		entries[i].offset = at
		at = entries[i].next()
	}
	return at
}

// directory returns the central directory, which begins at offset at, and its
// end records.
func directory(entries []entry, at int64, when stamp) []byte {
	var b buffer
	for i := range entries {
		b.Write(entries[i].central(when))
	}
	b.Write(end{at, int64(b.Len()), len(entries)}.records())
	return b.Bytes()
}

// An end says where the directory is.
type end struct {
	at, size int64
	count    int
}

// records returns what follows the directory.
func (e end) records() []byte {
	var b buffer
	if e.at >= limit32 || e.size >= limit32 || e.count >= limit16 {
		b.put32(sigEnd64)
		b.put64(lenEnd64 - 12)
		b.put16(unix<<8|version64, version64)
		b.put32(0, 0)
		b.put64(uint64(e.count), uint64(e.count), uint64(e.size), uint64(e.at))
		b.put32(sigLocator64, 0)
		b.put64(uint64(e.at + e.size))
		b.put32(1)
	}
	count := uint16(min(e.count, limit16))
	b.put32(sigEnd)
	b.put16(0, 0, count, count)
	b.put32(uint32(min(e.size, limit32)), uint32(min(e.at, limit32)))
	b.put16(0)
	return b.Bytes()
}

type buffer struct{ bytes.Buffer }

func (b *buffer) put16(values ...uint16) {
	for _, v := range values {
		b.Write(binary.LittleEndian.AppendUint16(nil, v))
	}
}

func (b *buffer) put32(values ...uint32) {
	for _, v := range values {
		b.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
}

func (b *buffer) put64(values ...uint64) {
	for _, v := range values {
		b.Write(binary.LittleEndian.AppendUint64(nil, v))
	}
}

// A stamp is a time as ZIP has it: local, without a zone.
type stamp uint32

func newStamp(t time.Time) stamp {
	t = t.In(vietnam())
	day := (t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()
	return stamp(day<<16 | t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}

var errZIP = errors.New("not a ZIP of the archive's form")

// parseEnd reads the end records from tail, the last octets of a ZIP of the
// given size. Records are read for the values that may differ, and then held to
// the bytes that this package would write for them.
func parseEnd(tail []byte, size int64) (end, error) {
	if len(tail) < lenEnd {
		return end{}, errZIP
	}
	b := tail[len(tail)-lenEnd:]
	e := end{int64(le32(b[16:])), int64(le32(b[12:])), int(le16(b[10:]))}
	if e.at == limit32 || e.size == limit32 || e.count == limit16 {
		if len(tail) < lenEnd64+lenLocator64+lenEnd {
			return end{}, errZIP
		}
		b = tail[len(tail)-lenEnd64-lenLocator64-lenEnd:]
		e = end{int64(le64(b[48:])), int64(le64(b[40:])), int(le32(b[32:]))}
	}
	if !bytes.Equal(e.records(), b) || e.at < 0 || e.size < 0 || e.at > size || e.at+e.size != size-int64(len(b)) {
		return end{}, errZIP
	}
	return e, nil
}

// parseDirectory reads the records of a directory that begins at offset at and
// holds the entries to the form of this package: stored, without gaps.
func parseDirectory(dir []byte, at int64, count int) ([]entry, error) {
	if count > len(dir)/lenCentral {
		return nil, errZIP
	}
	entries := make([]entry, 0, count)
	next := int64(0)
	for range count {
		e, n, err := parseCentral(dir)
		if err != nil {
			return nil, err
		}
		if e.offset != next || e.size > at {
			return nil, fmt.Errorf("gap or overlap before entry %d: %w", len(entries), errZIP)
		}
		if next = e.next(); next > at {
			return nil, fmt.Errorf("entry %d reaches into the directory: %w", len(entries), errZIP)
		}
		entries = append(entries, e)
		dir = dir[n:]
	}
	if next != at || len(dir) != 0 {
		return nil, fmt.Errorf("octets that belong to no entry: %w", errZIP)
	}
	return entries, nil
}

func parseCentral(b []byte) (entry, int, error) {
	if len(b) < lenCentral {
		return entry{}, 0, errZIP
	}
	name := lenCentral + int(le16(b[28:]))
	n := name + int(le16(b[30:]))
	if len(b) < n {
		return entry{}, 0, errZIP
	}
	e := entry{
		name: string(b[lenCentral:name]), streamed: le16(b[8:])&flagDescriptor != 0, crc: le32(b[16:]),
		size: int64(le32(b[24:])), offset: int64(le32(b[42:])),
	}
	extra := b[name:n]
	if e.size == limit32 && len(extra) >= 4+16 {
		e.size, extra = int64(le64(extra[4:])), extra[16:]
	}
	if e.offset == limit32 && len(extra) >= 4+8 {
		e.offset, e.far = int64(le64(extra[4:])), true
	}
	if !bytes.Equal(e.central(stamp(le32(b[12:]))), b[:n]) {
		return entry{}, 0, errZIP
	}
	return e, n, nil
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
