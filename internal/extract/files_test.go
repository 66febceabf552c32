package extract_test

import (
	"encoding/ascii85"
	"encoding/binary"
	"encoding/hex"
	"unicode/utf16"
)

func encode85(data []byte) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(data)))
	return string(out[:ascii85.Encode(out, data)]) + "~>"
}

func encodeHex(data []byte) string { return hex.EncodeToString(data) + ">" }

func utf16File(s string, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}
