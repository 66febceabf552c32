package bagit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/luutru/luutru/bagit/container"
)

// Verify checks that the bag is complete and valid (RFC 8493 §3), reading every
// file once, and returns everything that is wrong; a bag without a fault that
// is more than a warning is valid. A context that ends, or a source that cannot
// be read, is a fault too (bag.interrupted, bag.unreadable), and [Bag.Err].
func (b *Bag) Verify(ctx context.Context) []Fault {
	before := slices.Clone(b.faults)
	defer func() { b.faults = before }()
	b.err = nil
	b.structure()
	b.oxum()
	b.complete()
	b.valid(ctx)
	return slices.Clone(b.faults)
}

// Err returns what kept the last Verify from reading the bag to its end: an
// error of the context or of the source, none of the bag.
func (b *Bag) Err() error { return b.err }

// Valid reports whether none of the faults is more than a warning.
func Valid(faults []Fault) bool {
	return !slices.ContainsFunc(faults, func(f Fault) bool { return !f.Warning })
}

// structure checks what a bag must have (§2.1).
func (b *Bag) structure() {
	if !b.tree.Has("data") {
		b.fail("bag.payload_missing", "data",
			"Gói BagIt không có thư mục data/; hãy tạo lại gói.", "The bag has no folder data/; make it again.")
	}
	if len(b.payload) == 0 {
		b.fail("bag.manifest_missing", "",
			"Gói BagIt không có bảng kê (manifest-sha256.txt hoặc manifest-sha512.txt); hãy tạo lại gói.",
			"The bag has no manifest (manifest-sha256.txt or manifest-sha512.txt); make it again.")
		return
	}
	b.algorithms()
}

// algorithms asks whether the digests can be checked, and what they prove.
func (b *Bag) algorithms() {
	known, strong := false, false
	for _, m := range b.payload {
		make, _, s := algorithm(m.algorithm)
		known, strong = known || make != nil, strong || s
	}
	for _, m := range slices.Concat(b.payload, b.tags) {
		if make, _, _ := algorithm(m.algorithm); make == nil {
			f := Fault{Rule: "bag.algorithm", Path: m.name, Warning: known || m.tags,
				Vietnamese: "Thuật toán băm của bảng kê không được hỗ trợ; hãy dùng SHA-256 hoặc SHA-512.",
				English:    "The algorithm of a manifest is not supported; use SHA-256 or SHA-512."}
			b.note(f)
		}
	}
	if known && !strong {
		b.warn("bag.weak_digest", "",
			"Bảng kê chỉ dùng MD5 hoặc SHA-1, không chứng minh được tệp chưa bị sửa; hãy dùng SHA-256 hoặc SHA-512.",
			"The manifests are MD5 or SHA-1 only, which does not prove that a file was not altered; use SHA-256 or SHA-512.")
	}
}

// complete checks that what is listed is there, and what is there is listed.
func (b *Bag) complete() {
	for _, m := range slices.Concat(b.payload, b.tags) {
		for _, path := range m.missing {
			b.fail("bag.file_missing", path,
				"Bảng kê có tệp mà gói không có; hãy gửi đủ tệp.",
				"A manifest lists a file that the bag does not have; send all files.")
		}
	}
	for _, f := range b.tree.Files() {
		if !strings.HasPrefix(f.Path, payloadFolder) {
			continue
		}
		listed := len(b.digests(f.Path))
		// §2.1.3: in 1.0 every manifest lists every file; before, one had to.
		if listed == 0 || listed < len(b.payload) && b.version.strict() {
			b.fail("bag.file_unlisted", f.Path,
				"Trong data/ có tệp không nằm trong bảng kê; hãy tạo lại bảng kê hoặc bỏ tệp.",
				"There is a file under data/ that a manifest does not list; make the manifests again or remove it.")
		}
		if isSystemFile(f.Path) {
			b.warn("bag.system_file", f.Path,
				"Gói có tệp của hệ điều hành (Thumbs.db, .DS_Store), không phải tài liệu.",
				"The bag holds a file of an operating system (Thumbs.db, .DS_Store), not a document.")
		}
	}
	if b.version.strict() {
		b.tagManifests()
	}
}

func isSystemFile(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return name == ".DS_Store" || strings.EqualFold(name, "Thumbs.db")
}

// tagManifests asks that each of them lists every manifest (§2.2.1).
func (b *Bag) tagManifests() {
	for _, m := range b.tags {
		for _, p := range b.payload {
			if _, ok := m.sums[p.name]; !ok {
				b.fail("bag.tagmanifest_incomplete", m.name,
					"Bảng kê tagmanifest phải liệt kê mọi bảng kê manifest.",
					"A tag manifest must list every payload manifest.")
			}
		}
	}
}

// valid reads every file and compares its digests.
func (b *Bag) valid(ctx context.Context) {
	buf := make([]byte, 128<<10)
	for _, f := range b.tree.Files() {
		want := b.digests(f.Path)
		hashes := hashesFor(f.Path, want)
		if len(hashes) == 0 {
			continue
		}
		err := b.digest(ctx, f, hashes, buf)
		if err != nil && !b.unread(ctx, f.Path, err) {
			return
		}
		if err == nil {
			b.compare(f.Path, want, hashes)
		}
	}
}

// hashesFor returns a hash for each digest that is known; of the payload, the
// SHA-256 besides.
func hashesFor(path string, want map[string]string) map[string]hash.Hash {
	hashes := map[string]hash.Hash{}
	for alg := range want {
		if make, _, _ := algorithm(alg); make != nil {
			hashes[alg] = make()
		}
	}
	if hashes["sha256"] == nil && strings.HasPrefix(path, payloadFolder) {
		hashes["sha256"] = sha256.New()
	}
	return hashes
}

func (b *Bag) digest(ctx context.Context, f container.File, hashes map[string]hash.Hash, buf []byte) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		for _, h := range hashes {
			h.Write(buf[:n])
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// unread notes why a file could not be read, and reports whether the next one
// may be tried.
func (b *Bag) unread(ctx context.Context, path string, err error) bool {
	switch {
	case ctx.Err() != nil:
		b.err = ctx.Err()
		b.fail("bag.interrupted", "",
			"Việc kiểm tra gói bị ngắt giữa chừng; hãy thử lại.", "The check was interrupted; try again.")
		return false
	case errors.Is(err, container.ErrDamaged):
		b.fail("bag.damaged", path,
			"Tệp bị hỏng trong gói nén; hãy đóng gói và gửi lại.", "A file is damaged inside the container; pack and send it again.")
		return true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		b.fail("bag.unreadable", path,
			"Không đọc được một tệp của gói; hãy kiểm tra quyền truy cập.", "A file of the bag cannot be read; check its permissions.")
		return true
	}
	b.err = err
	b.fail("bag.unreadable", "",
		"Không đọc được gói; hãy thử lại sau.", "The bag cannot be read; try again later.")
	return false
}

func (b *Bag) compare(path string, want map[string]string, hashes map[string]hash.Hash) {
	differs := false
	for alg, h := range hashes {
		got := hex.EncodeToString(h.Sum(nil))
		if alg == "sha256" {
			b.sums[path] = got
		}
		if sum, ok := want[alg]; ok && sum != got {
			differs = true
		}
	}
	if differs {
		b.fail("bag.digest", path,
			"Nội dung một tệp khác giá trị băm trong bảng kê (hỏng hoặc bị sửa); hãy gửi lại tệp gốc.",
			"A file does not have the digest that its manifest states (damaged or altered); send the original again.")
	}
}
