package dossier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const maxName = 200 // octets; leaves room for the folders on systems that allow 255

// name lists what makes a file name unfit to be unpacked anywhere.
func (c *checker) name(field, name string) {
	if name == "" {
		c.missing(field, "tên tệp", "file name")
		return
	}
	add := func(bad bool, code, vi, en string) {
		if bad {
			c.add("document.name_"+code, field, vi, en)
		}
	}
	add(len(norm.NFC.String(name)) > maxName, "too_long",
		"Tên tệp dài hơn 200 byte (chữ có dấu chiếm 2–3 byte); hãy rút ngắn.",
		"The file name is longer than 200 bytes (letters with marks take 2 or 3); shorten it.")
	add(!utf8.ValidString(name) || strings.ContainsFunc(name, isUnprintable), "control",
		"Tên tệp có ký tự điều khiển, ký tự ẩn hoặc chữ bị hỏng mã; hãy đặt lại tên.",
		"The file name holds control characters, invisible or broken ones; rename it.")
	add(utf8.ValidString(name) && !norm.NFC.IsNormalString(name), "not_nfc",
		"Tên tệp chưa ở dạng Unicode dựng sẵn (NFC); hãy chuyển mã.",
		"The file name is not in composed Unicode (NFC); convert it.")
	add(strings.ContainsAny(name, `/\`), "separator",
		"Tên tệp không được có dấu / hoặc \\; chỉ khai tên tệp, không khai thư mục.",
		"The file name must not hold / or \\; declare the name alone, without folders.")
	add(strings.Contains(name, ".."), "dots",
		"Tên tệp không được có hai dấu chấm liền nhau; hãy đổi tên.",
		"The file name must not hold two dots in a row; rename it.")
	add(strings.ContainsAny(name, `<>:"|?*`), "characters",
		`Tên tệp không được có các ký tự < > : " | ? *; hãy đổi tên.`,
		`The file name must not hold any of < > : " | ? *; rename it.`)
	add(strings.TrimFunc(name, isEdge) != name, "edges",
		"Tên tệp không được bắt đầu hoặc kết thúc bằng dấu chấm hay khoảng trắng.",
		"The file name must not begin or end with a dot or a space.")
	add(isDevice(name), "reserved",
		"Tên tệp trùng tên thiết bị của Windows (CON, NUL, COM1, …); hãy đổi tên.",
		"The file name is that of a Windows device (CON, NUL, COM1, …); rename it.")
}

func isEdge(r rune) bool {
	return r == '.' || unicode.IsSpace(r)
}

// isUnprintable holds for what cannot be seen or trusted in a name or text:
// control and format characters (among them those that turn the direction of
// writing), line separators, private use, and the mark of broken text.
func isUnprintable(r rune) bool {
	return r == utf8.RuneError || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
}

// isDevice reports whether Windows would open a device instead of the file,
// whatever the extension.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimSpace(base))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	port, ok := strings.CutPrefix(base, "COM")
	if !ok {
		port, ok = strings.CutPrefix(base, "LPT")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.ContainsAny(port, "0123456789¹²³")
}

// foldName maps names to one form that differ only in case or composition, for
// they would overwrite each other on some systems.
func foldName(name string) string {
	folded := strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, norm.NFC.String(name))
	return norm.NFC.String(folded)
}
