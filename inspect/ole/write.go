package ole

import (
	"encoding/binary"
	"unicode/utf16"
)

// A Part is a stream to write, or a storage where it is nil.
type Part struct {
	Name string
	Data []byte
}

const (
	size       = 512 // bytes of a sector
	free       = 0xffffffff
	tableChain = 0xfffffffd
	headTables = 109 // sectors of the allocation table that the header lists
)

// Write makes an OLE file of some parts at the top, one below the other in a tree that leans to the right. Every stream is padded with
// zeros to the size from which on it has sectors of its own. It is meant for small files: of more than 7 MB it keeps the beginning.
func Write(parts []Part) []byte {
	le := binary.LittleEndian
	sectors := (len(parts) + 1 + 3) / 4 // of the directory
	for i, p := range parts {
		if p.Data == nil {
			continue
		}
		if n := sectors + padded(p.Data)/size; n < headTables*size/4-headTables {
			sectors = n
			continue
		}
		parts = parts[:i]
		break
	}
	tables := 1
	for tables*size/4 < tables+sectors {
		tables++
	}
	fat := make([]uint32, 0, tables*size/4)
	for range tables {
		fat = append(fat, tableChain)
	}
	chain := func(n int) (first uint32) {
		first = uint32(len(fat))
		for i := range n {
			next := uint32(len(fat) + 1)
			if i == n-1 {
				next = endOfChain
			}
			fat = append(fat, next)
		}
		return first
	}
	directory := make([]byte, (len(parts)+1+3)/4*size)
	first := chain(len(directory) / size)
	writeEntry(directory, "Root Entry", 5, endOfChain, 0)
	le.PutUint32(directory[76:], 1)
	var body []byte
	for i, p := range parts {
		e := directory[128*(i+1):]
		if p.Data == nil {
			writeEntry(e, p.Name, 1, 0, 0)
		} else {
			data := make([]byte, padded(p.Data))
			copy(data, p.Data)
			writeEntry(e, p.Name, 2, chain(len(data)/size), len(data))
			body = append(body, data...)
		}
		if i < len(parts)-1 {
			le.PutUint32(e[72:], uint32(i+2))
		}
	}
	out := header(tables, first)
	for len(fat) < cap(fat) {
		fat = append(fat, free)
	}
	for _, v := range fat {
		out = le.AppendUint32(out, v)
	}
	return append(append(out, directory...), body...)
}

func padded(data []byte) int { return (max(cutoff, len(data)) + size - 1) / size * size }

func writeEntry(e []byte, name string, kind byte, start uint32, length int) {
	le := binary.LittleEndian
	units := utf16.Encode([]rune(name))
	units = append(units[:min(len(units), 31)], 0)
	for i, u := range units {
		le.PutUint16(e[2*i:], u)
	}
	le.PutUint16(e[64:], uint16(2*len(units)))
	e[66], e[67] = kind, 1
	for i := 68; i < 80; i += 4 {
		le.PutUint32(e[i:], free)
	}
	le.PutUint32(e[116:], start)
	le.PutUint32(e[120:], uint32(length))
}

// header is that of version 3, with sectors of 512 bytes.
func header(tables int, directory uint32) []byte {
	le := binary.LittleEndian
	h := make([]byte, size)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(h[24:], 0x3e)
	le.PutUint16(h[26:], 3)
	le.PutUint16(h[28:], 0xfffe)
	le.PutUint16(h[30:], 9)
	le.PutUint16(h[32:], 6)
	le.PutUint32(h[44:], uint32(tables))
	le.PutUint32(h[48:], directory)
	le.PutUint32(h[56:], cutoff)
	le.PutUint32(h[60:], endOfChain)
	le.PutUint32(h[68:], endOfChain)
	for i := range headTables {
		v := uint32(free)
		if i < tables {
			v = uint32(i)
		}
		le.PutUint32(h[76+4*i:], v)
	}
	return h
}
