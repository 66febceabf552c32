package bagit

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/bagit/container"
)

// A manifest is one manifest-<algorithm>.txt or tagmanifest-<algorithm>.txt.
type manifest struct {
	name      string
	algorithm string // normalised: sha256
	tags      bool
	sums      map[string]string // path as in the bag → digest
	missing   []string          // listed, but not there
}

// algorithm returns the hash, nil if it is not known, and whether it proves
// that nobody altered a file on purpose.
func algorithm(name string) (make func() hash.Hash, size int, strong bool) {
	switch name {
	case "sha256":
		return sha256.New, sha256.Size, true
	case "sha512":
		return sha512.New, sha512.Size, true
	case "sha384":
		return sha512.New384, sha512.Size384, true
	case "sha224":
		return sha256.New224, sha256.Size224, true
	case "sha1":
		return sha1.New, sha1.Size, false
	case "md5":
		return md5.New, md5.Size, false
	}
	return nil, 0, false
}

// manifestName divides the name of a manifest (RFC 8493 §2.4: the algorithm in
// lower case, letters and digits only).
func manifestName(path string) (algorithm string, tags, ok bool) {
	name := strings.ToLower(path)
	rest, tags := strings.CutPrefix(name, "tag")
	rest, ok = strings.CutPrefix(rest, "manifest-")
	rest, txt := strings.CutSuffix(rest, ".txt")
	algorithm = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, rest)
	return algorithm, tags, ok && txt && algorithm != "" && !strings.Contains(path, "/")
}

func (b *Bag) readManifests() error {
	seen := map[string]bool{}
	for _, f := range b.tree.Files() {
		alg, tags, ok := manifestName(f.Path)
		if !ok {
			continue
		}
		m := manifest{name: f.Path, algorithm: alg, tags: tags, sums: map[string]string{}}
		prefix := "manifest-"
		if tags {
			prefix = "tagmanifest-"
		}
		if seen[prefix+alg] || len(seen) == maxManifests {
			b.fail("bag.manifest_twice", f.Path,
				"Có hơn một bảng kê cho cùng một thuật toán băm (hoặc quá nhiều bảng kê); hãy giữ lại một.",
				"There is more than one manifest for an algorithm (or too many manifests); keep one.")
			continue
		}
		seen[prefix+alg] = true
		if f.Path != prefix+alg+".txt" {
			b.warn("bag.manifest_name", f.Path,
				"Tên bảng kê nên viết chữ thường, ví dụ manifest-sha256.txt.",
				"The name of a manifest should be in lower case, such as manifest-sha256.txt.")
		}
		if err := b.readManifest(&m); err != nil {
			return err
		}
		if tags {
			b.tags = append(b.tags, m)
		} else {
			b.payload = append(b.payload, m)
		}
	}
	return nil
}

func (b *Bag) readManifest(m *manifest) error {
	text, ok, err := b.text(m.name)
	if err != nil || !ok {
		return err
	}
	cases := map[string]bool{}
	most := 2*len(b.tree.Files()) + 1000 // short lines must not become large memory
	for _, line := range splitLines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(m.sums) == most {
			b.fail("bag.manifest_too_long", m.name,
				"Bảng kê liệt kê nhiều tệp hơn hẳn số tệp trong gói; hãy tạo lại.",
				"The manifest lists far more files than the bag has; make it again.")
			return nil
		}
		sum, path, ok := splitLine(line)
		if !ok {
			b.fail("bag.manifest_line", m.name,
				"Bảng kê có dòng sai dạng; mỗi dòng gồm giá trị băm, khoảng trắng và đường dẫn.",
				"A line of the manifest is malformed; each is a digest, white space and a path.")
			continue
		}
		b.readEntry(m, sum, path, cases)
	}
	return nil
}

// splitLine divides "digest  path".
func splitLine(line string) (sum, path string, ok bool) {
	i := strings.IndexAny(line, " \t")
	if i <= 0 {
		return "", "", false
	}
	path = strings.TrimLeft(line[i:], " \t")
	return strings.ToLower(line[:i]), path, path != ""
}

// readEntry takes one line in.
func (b *Bag) readEntry(m *manifest, sum, path string, cases map[string]bool) {
	if rest, ok := strings.CutPrefix(path, "*"); ok {
		b.warn("bag.manifest_star", m.name,
			"Bảng kê có dấu * trước đường dẫn (do md5sum tạo); nên bỏ đi.",
			"A path of the manifest has a * before it (md5sum writes it); better leave it out.")
		path = rest
	}
	if rest, ok := strings.CutPrefix(path, "./"); ok {
		b.warn("bag.manifest_dot", m.name,
			"Đường dẫn trong bảng kê bắt đầu bằng ./; nên bỏ đi.",
			"A path of the manifest begins with ./; better leave it out.")
		path = rest
	}
	path = b.resolve(m, path)
	if !b.inScope(m, path) {
		return
	}
	if _, size, _ := algorithm(m.algorithm); size > 0 && !isHex(sum, size) {
		b.fail("bag.digest_shape", m.name,
			"Bảng kê có giá trị băm không đúng độ dài hoặc không phải số thập lục phân.",
			"A digest of the manifest has the wrong length or is not hexadecimal.")
		return
	}
	if old, taken := m.sums[path]; taken {
		b.repeated(m, old == sum, path)
		return
	}
	folded := strings.ToLower(norm.NFC.String(path))
	if cases[folded] {
		b.warn("bag.manifest_case", path,
			"Bảng kê có hai đường dẫn chỉ khác nhau ở chữ hoa, chữ thường hoặc cách ghép dấu.",
			"Two paths of the manifest differ only in case or in the composition of letters.")
	}
	cases[folded] = true
	m.sums[path] = sum
	if _, ok := b.tree.Lookup(path); !ok {
		m.missing = append(m.missing, path)
	}
}

func (b *Bag) repeated(m *manifest, same bool, path string) {
	const vi, en = "Bảng kê liệt kê một tệp hơn một lần; hãy giữ lại một dòng.", "The manifest lists a file more than once; keep one line."
	if same && !b.version.strict() {
		b.warn("bag.manifest_repeated", path, vi, en)
		return
	}
	b.fail("bag.manifest_repeated", path, vi, en)
}

// inScope checks that the path stays in the bag, and in its part of it.
func (b *Bag) inScope(m *manifest, path string) bool {
	if fault, bad := container.CheckPath(path); bad {
		b.fail("bag.path", path, fault.Vietnamese, fault.English)
		return false
	}
	if strings.HasPrefix(path, payloadFolder) == m.tags {
		b.fail("bag.path", path,
			"Bảng kê manifest chỉ được liệt kê tệp trong data/, tagmanifest chỉ tệp ngoài data/.",
			"A manifest must list files under data/ only, a tag manifest only others.")
		return false
	}
	if _, tags, ok := manifestName(path); m.tags && ok && tags {
		b.fail("bag.tagmanifest_self", path,
			"Bảng kê tagmanifest không được liệt kê tagmanifest.",
			"A tag manifest must not list tag manifests.")
		return false
	}
	return true
}

// resolve turns a path of a manifest into one of the bag. RFC 8493 §2.1.3
// writes CR, LF and % as %0D, %0A and %25; many writers leave % as it is, so a
// path that is there as it stands is taken so. Where a name is composed
// otherwise (NFC, NFD) than in the manifest, the bag's own is taken (§6.1).
func (b *Bag) resolve(m *manifest, path string) string {
	decoded := unescape(path)
	for _, candidate := range []string{decoded, path} {
		f, ok := b.tree.Lookup(candidate)
		if !ok {
			continue
		}
		if candidate != decoded || b.version.strict() && strings.Contains(strings.NewReplacer("%0D", "", "%0A", "", "%25", "", "%0d", "", "%0a", "").Replace(path), "%") {
			b.warn("bag.percent", m.name,
				"Dấu % trong đường dẫn của bảng kê phải viết là %25 (RFC 8493).",
				"A % in a path of the manifest must be written %25 (RFC 8493).")
		}
		if f.Path != candidate {
			if _, taken := m.sums[f.Path]; taken {
				return candidate // listed both ways
			}
			b.warn("bag.normalization", m.name,
				"Tên tệp trong bảng kê và trong gói ghép dấu khác nhau (NFC, NFD).",
				"A file name in the manifest and in the bag compose letters differently (NFC, NFD).")
		}
		return f.Path
	}
	return decoded
}

func unescape(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	return strings.NewReplacer("%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r", "%25", "%").Replace(path)
}

func escape(path string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A", "\r", "%0D").Replace(path)
}

func isHex(s string, octets int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == octets
}

// readFetch reads fetch.txt (RFC 8493 §2.2.3) for one question: does anything
// remain to be fetched? Nothing is ever fetched here.
func (b *Bag) readFetch() error {
	text, ok, err := b.text(nameFetch)
	if err != nil || !ok {
		return err
	}
	absent := 0
	for _, line := range splitLines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.SplitN(strings.Join(strings.FieldsFunc(line, unicode.IsSpace), " "), " ", 3)
		if len(fields) < 3 {
			b.badFetch()
			continue
		}
		path := unescape(strings.TrimPrefix(fields[2], "./"))
		if _, bad := container.CheckPath(path); bad || !strings.HasPrefix(path, payloadFolder) {
			b.badFetch()
			continue
		}
		if _, ok := b.tree.Lookup(path); !ok {
			absent++
		}
	}
	if absent > 0 {
		b.fail("bag.fetch", nameFetch,
			"Gói BagIt còn tệp phải tải từ mạng (fetch.txt); kho không tải giúp. Hãy gửi gói đầy đủ.",
			"The bag has files that are still to be fetched (fetch.txt); the archive fetches nothing. Send the whole bag.")
		return nil
	}
	b.warn("bag.fetch_present", nameFetch,
		"Gói BagIt có fetch.txt nhưng đã đủ tệp; fetch.txt được bỏ qua.",
		"The bag has a fetch.txt, but is whole; fetch.txt is passed over.")
	return nil
}

func (b *Bag) badFetch() {
	b.fail("bag.fetch_line", nameFetch,
		"Tệp fetch.txt có dòng sai dạng hoặc đường dẫn ra ngoài data/.",
		"A line of fetch.txt is malformed or leads out of data/.")
}
