package container

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxPath   = 1024 // octets of a path
	maxName   = 255  // octets of one name in it
	maxFaults = 500  // keeps the answer to a hostile package small
)

// A builder collects the files of a tree, and what is wrong with the others.
type builder struct {
	Tree
	limits Limits
	seen   int
	total  int64
	cases  map[string]int // paths in one case and composition
}

func newBuilder(form string, limits Limits) *builder {
	return &builder{
		Tree: Tree{form: form, exact: map[string]int{}, folded: map[string]int{}, dirs: map[string]bool{}},

		limits: limits, cases: map[string]int{},
	}
}

func (b *builder) fault(f Fault) {
	if len(b.faults) < maxFaults {
		f.Path = Printable(f.Path)
		b.faults = append(b.faults, f)
	}
}

// count counts an entry of any kind.
func (b *builder) count() error {
	if b.seen++; b.seen > b.limits.Files {
		return unreadable("package.too_many",
			"Gói tin có quá nhiều tệp và thư mục; hãy chia nhỏ.",
			"The package holds too many files and folders; divide it.")
	}
	return nil
}

// dir notes a folder.
func (b *builder) dir(path string) {
	path = strings.TrimSuffix(path, "/")
	if path == "" || path == "." {
		return
	}
	if f, bad := CheckPath(path); bad {
		b.fault(f)
		return
	}
	if _, taken := b.exact[path]; taken {
		b.fault(twice(path))
		return
	}
	b.parents(path + "/")
}

func (b *builder) parents(path string) {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			if b.dirs[path[:i]] {
				return
			}
			b.dirs[path[:i]] = true
		}
	}
}

// junk reports whether a system put the file beside the sender's own.
func junk(path string) bool {
	return strings.HasPrefix(path, "__MACOSX/") || strings.Contains(path, "/__MACOSX/")
}

// add takes a file in, or says why not.
func (b *builder) add(f File) error {
	if fault, bad := CheckPath(f.Path); bad {
		b.fault(fault)
		return nil
	}
	if junk(f.Path) {
		b.fault(Fault{Rule: "package.junk", Path: f.Path, Warning: true,
			Vietnamese: "Gói tin có tệp do hệ điều hành tự thêm (__MACOSX); tệp này được bỏ qua.",
			English:    "The package holds a file that the operating system added (__MACOSX); it is passed over."})
		return nil
	}
	if _, taken := b.exact[f.Path]; taken || b.dirs[f.Path] || b.underFile(f.Path) {
		b.fault(twice(f.Path))
		return nil
	}
	if f.Size > b.limits.Total-b.total {
		return unreadable("package.too_large",
			"Các tệp trong gói tin, khi mở nén, lớn hơn mức cho phép; hãy chia nhỏ.",
			"The files of the package are larger, unpacked, than is allowed; divide it.")
	}
	b.total += f.Size
	folded := strings.ToLower(norm.NFC.String(f.Path))
	if _, taken := b.cases[folded]; taken {
		b.fault(Fault{Rule: "package.name_case", Path: f.Path, Warning: true,
			Vietnamese: "Hai tên tệp chỉ khác nhau ở chữ hoa, chữ thường hoặc cách ghép dấu; chúng sẽ đè lên nhau trên Windows, macOS.",
			English:    "Two file names differ only in case or in the composition of letters; on Windows and macOS they overwrite each other."})
	}
	b.cases[folded] = len(b.files)
	b.parents(f.Path)
	b.keep(f)
	return nil
}

// underFile reports whether a file stands where the path needs a folder.
func (b *builder) underFile(path string) bool {
	for i := range len(path) {
		if path[i] == '/' {
			if _, taken := b.exact[path[:i]]; taken {
				return true
			}
		}
	}
	return false
}

func (b *builder) keep(f File) {
	b.exact[f.Path] = len(b.files)
	if composed := norm.NFC.String(f.Path); composed != f.Path {
		b.folded[composed] = len(b.files)
	}
	b.files = append(b.files, f)
}

func twice(path string) Fault {
	return Fault{Rule: "package.duplicate", Path: path,
		Vietnamese: "Một tên xuất hiện hơn một lần trong gói tin (hoặc vừa là tệp vừa là thư mục); hãy đóng gói lại.",
		English:    "A name occurs more than once in the package (or as a file and a folder); pack it again."}
}

// special is the fault of what is neither a file nor a folder.
func special(path string) Fault {
	return Fault{Rule: "package.special", Path: path,
		Vietnamese: "Gói tin có liên kết hoặc tệp đặc biệt; hãy thay bằng tệp thật.",
		English:    "The package holds a link or a special file; put the file itself in its place."}
}

// CheckPath says what is wrong with the path of a file in a package: it must be
// relative, with slashes, without segments that lead elsewhere, and fit to be
// unpacked on any system.
func CheckPath(path string) (Fault, bool) {
	switch {
	case path == "" || len(path) > maxPath || overlong(path):
		return Fault{Rule: "package.path_length", Path: path,
			Vietnamese: "Tên tệp trong gói tin rỗng hoặc quá dài; hãy đặt lại tên.",
			English:    "The name of a file in the package is empty or too long; rename it."}, true
	case !utf8.ValidString(path):
		return Fault{Rule: "package.path_encoding", Path: path,
			Vietnamese: "Tên tệp trong gói tin không phải UTF-8; hãy đóng gói lại bằng phần mềm hỗ trợ UTF-8.",
			English:    "The name of a file in the package is not UTF-8; pack it again with a program that writes UTF-8."}, true
	case strings.ContainsFunc(path, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return Fault{Rule: "package.path_control", Path: path,
			Vietnamese: "Tên tệp trong gói tin có ký tự điều khiển hoặc chữ hỏng mã; hãy đặt lại tên.",
			English:    "The name of a file in the package holds control characters or broken ones; rename it."}, true
	case !local(path):
		return Fault{Rule: "package.path", Path: path,
			Vietnamese: "Tên tệp trỏ ra ngoài gói tin (bắt đầu bằng /, ổ đĩa, có .. hoặc \\); hãy đóng gói lại với tên tương đối.",
			English:    "The name of a file leads out of the package (it begins with / or a drive, or holds .. or \\); pack it again with relative names."}, true
	}
	return Fault{}, false
}

func overlong(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) > maxName {
			return true
		}
	}
	return false
}

func local(path string) bool {
	if strings.Contains(path, `\`) || len(path) > 1 && path[1] == ':' && unicode.IsLetter(rune(path[0])) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// Printable returns a path fit to be shown: what cannot be printed is replaced,
// and it is cut.
func Printable(path string) string {
	path = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(path, "\uFFFD"))
	const most = 300
	for len(path) > most {
		_, n := utf8.DecodeLastRuneInString(path)
		path = path[:len(path)-n]
	}
	return path
}
