package bagit_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf16"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
)

func sum256(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }
func sum512(s string) string { x := sha512.Sum512([]byte(s)); return hex.EncodeToString(x[:]) }
func sumMD5(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }

// text is the files of a bag.
type text map[string]string

func (f text) fs() fs.FS {
	fsys := fstest.MapFS{}
	for name, content := range f {
		fsys[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return fsys
}

const declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// good is a valid bag of two documents.
func good() text {
	return text{
		"bagit.txt":           declaration,
		"bag-info.txt":        "Source-Organization: UBND xã Hòa Bình\nExternal-Identifier: H29.68-260630-0001\nExternal-Description: dòng đầu\n  dòng sau\nPayload-Oxum: 10.2\n",
		"data/a.pdf":          "first",
		"data/sub/đơn.pdf":    "other",
		"manifest-sha256.txt": sum256("first") + "  data/a.pdf\n" + sum256("other") + "  data/sub/đơn.pdf\n",
	}
}

func verify(t *testing.T, f text) (string, *bagit.Bag) {
	t.Helper()
	b, err := bagit.OpenFS(f.fs())
	if err != nil {
		t.Fatal(err)
	}
	faults := b.Verify(t.Context())
	for _, f := range faults {
		if f.Vietnamese == "" || f.English == "" || !strings.Contains(f.Rule, ".") {
			t.Errorf("fault %+v", f)
		}
	}
	return rules(faults), b
}

// TestRules changes one thing of a valid bag, and names what is wrong then. A
// question mark is a warning.
func TestRules(t *testing.T) {
	manifest := good()["manifest-sha256.txt"]
	for name, c := range map[string]struct {
		change text // "-" removes
		want   string
	}{
		"nothing":                    {text{}, ""},
		"CRLF everywhere":            {text{"bagit.txt": strings.ReplaceAll(declaration, "\n", "\r\n"), "manifest-sha256.txt": strings.ReplaceAll(manifest, "\n", "\r\n")}, ""},
		"CR everywhere":              {text{"bagit.txt": strings.ReplaceAll(declaration, "\n", "\r"), "manifest-sha256.txt": strings.ReplaceAll(manifest, "\n", "\r")}, ""},
		"no last line feed":          {text{"bagit.txt": strings.TrimSpace(declaration), "manifest-sha256.txt": strings.TrimSpace(manifest)}, ""},
		"digests in capitals":        {text{"manifest-sha256.txt": strings.ToUpper(sum256("first")) + "\tdata/a.pdf\n" + sum256("other") + " data/sub/đơn.pdf"}, ""},
		"empty lines":                {text{"manifest-sha256.txt": "\n" + manifest + "\n\n"}, ""},
		"no bagit.txt":               {text{"bagit.txt": "-"}, "bag.declaration_missing"},
		"bagit.txt empty":            {text{"bagit.txt": ""}, "bag.declaration"},
		"bagit.txt of three lines":   {text{"bagit.txt": declaration + "More: 1\n"}, "bag.declaration"},
		"bagit.txt reversed":         {text{"bagit.txt": "Tag-File-Character-Encoding: UTF-8\nBagIt-Version: 1.0\n"}, "bag.declaration"},
		"bagit.txt with BOM":         {text{"bagit.txt": "\uFEFF" + declaration}, "bag.declaration_encoding"},
		"bagit.txt not UTF-8":        {text{"bagit.txt": declaration + "\xff"}, "bag.declaration_encoding bag.declaration"},
		"bagit.txt with spaces":      {text{"bagit.txt": "BagIt-Version : 1.0\nTag-File-Character-Encoding: UTF-8\n"}, "bag.declaration"},
		"version 2.0":                {text{"bagit.txt": strings.Replace(declaration, "1.0", "2.0", 1)}, "bag.version"},
		"version 0.92":               {text{"bagit.txt": strings.Replace(declaration, "1.0", "0.92", 1)}, "bag.version"},
		"version without number":     {text{"bagit.txt": strings.Replace(declaration, "1.0", "one", 1)}, "bag.version"},
		"version with sign":          {text{"bagit.txt": strings.Replace(declaration, "1.0", "+1.0", 1)}, "bag.version"},
		"unknown encoding":           {text{"bagit.txt": strings.Replace(declaration, "UTF-8", "TCVN3", 1)}, "bag.encoding"},
		"tag file not UTF-8":         {text{"bag-info.txt": "Source-Organization: \xc8\n"}, "bag.tag_encoding"},
		"BOM in a tag file":          {text{"manifest-sha256.txt": "\uFEFF" + manifest}, "bag.byte_order_mark?"},
		"bag-info without colon":     {text{"bag-info.txt": "Source-Organization\n"}, "bag.info"},
		"bag-info absent":            {text{"bag-info.txt": "-"}, ""},
		"oxum of octets":             {text{"bag-info.txt": "Payload-Oxum: 11.2\n"}, "bag.oxum"},
		"oxum of files":              {text{"bag-info.txt": "Payload-Oxum: 10.3\n"}, "bag.oxum"},
		"oxum of nothing":            {text{"bag-info.txt": "Payload-Oxum: many\n"}, "bag.oxum"},
		"oxum twice":                 {text{"bag-info.txt": "Payload-Oxum: 10.2\nPayload-Oxum: 10.2\n"}, "bag.oxum_repeated"},
		"no manifest":                {text{"manifest-sha256.txt": "-"}, "bag.manifest_missing bag.file_unlisted bag.file_unlisted"},
		"no payload":                 {text{"data/a.pdf": "-", "data/sub/đơn.pdf": "-"}, "bag.payload_missing bag.oxum bag.file_missing bag.file_missing"},
		"file altered":               {text{"data/a.pdf": "First"}, "bag.digest"},
		"file cut":                   {text{"data/a.pdf": "fir"}, "bag.oxum bag.digest"},
		"file missing":               {text{"data/a.pdf": "-"}, "bag.oxum bag.file_missing"},
		"file not listed":            {text{"data/b.pdf": ""}, "bag.oxum bag.file_unlisted"},
		"Thumbs.db":                  {text{"data/Thumbs.db": "", "bag-info.txt": "-", "manifest-sha256.txt": manifest + sum256("") + " data/Thumbs.db\n"}, "bag.system_file?"},
		"line without path":          {text{"manifest-sha256.txt": manifest + sum256("x") + "\n"}, "bag.manifest_line"},
		"line without digest":        {text{"manifest-sha256.txt": manifest + " data/a.pdf\n"}, "bag.manifest_line"},
		"digest too short":           {text{"manifest-sha256.txt": manifest + "abcd data/x.pdf\n"}, "bag.digest_shape"},
		"digest not hexadecimal":     {text{"manifest-sha256.txt": manifest + strings.Repeat("g", 64) + " data/x.pdf\n"}, "bag.digest_shape"},
		"listed twice":               {text{"manifest-sha256.txt": manifest + sum256("first") + " data/a.pdf\n"}, "bag.manifest_repeated"},
		"listed twice, draft":        {text{"bagit.txt": strings.Replace(declaration, "1.0", "0.97", 1), "manifest-sha256.txt": manifest + sum256("first") + " data/a.pdf\n"}, "bag.manifest_repeated?"},
		"listed twice, other":        {text{"bagit.txt": strings.Replace(declaration, "1.0", "0.97", 1), "manifest-sha256.txt": manifest + sum256("x") + " data/a.pdf\n"}, "bag.manifest_repeated"},
		"out of data":                {text{"manifest-sha256.txt": manifest + sum256("x") + " bagit.txt\n"}, "bag.path"},
		"out of the bag":             {text{"manifest-sha256.txt": manifest + sum256("x") + " data/../../secret\n"}, "bag.path"},
		"absolute":                   {text{"manifest-sha256.txt": manifest + sum256("x") + " /etc/passwd\n"}, "bag.path"},
		"home":                       {text{"manifest-sha256.txt": manifest + sum256("x") + " ~/secret\n"}, "bag.path"},
		"drive":                      {text{"manifest-sha256.txt": manifest + sum256("x") + ` C:\secret` + "\n"}, "bag.path"},
		"backslash":                  {text{"manifest-sha256.txt": manifest + sum256("x") + ` data\a.pdf` + "\n"}, "bag.path"},
		"star and dot":               {text{"manifest-sha256.txt": strings.Replace(manifest, " data/a", " *./data/a", 1)}, "bag.manifest_star? bag.manifest_dot?"},
		"case":                       {text{"manifest-sha256.txt": manifest + sum256("first") + "  data/A.pdf\n"}, "bag.manifest_case? bag.file_missing"},
		"decomposed in the manifest": {text{"manifest-sha256.txt": strings.Replace(manifest, "đơn", "đo\u031bn", 1)}, "bag.normalization?"},
		"decomposed in the bag":      {text{"data/sub/đơn.pdf": "-", "data/sub/đo\u031bn.pdf": "other"}, "bag.normalization?"},
		"composed both ways":         {text{"manifest-sha256.txt": manifest + sum256("other") + " data/sub/đo\u031bn.pdf\n"}, "bag.manifest_case?"},
		"percent as the RFC has it":  {text{"data/a.pdf": "-", "data/a%0A.pdf": "first", "manifest-sha256.txt": strings.Replace(manifest, "a.pdf", "a%250A.pdf", 1)}, ""},
		"percent as it is":           {text{"data/a.pdf": "-", "data/a%0A.pdf": "first", "manifest-sha256.txt": strings.Replace(manifest, "a.pdf", "a%0A.pdf", 1)}, "bag.percent?"},
		"percent of nothing":         {text{"data/a.pdf": "-", "data/50%.pdf": "first", "manifest-sha256.txt": strings.Replace(manifest, "a.pdf", "50%.pdf", 1)}, "bag.percent?"},
		"SHA-512 alone":              {text{"manifest-sha256.txt": "-", "manifest-sha512.txt": sum512("first") + " data/a.pdf\n" + sum512("other") + " data/sub/đơn.pdf\n"}, ""},
		"SHA-512 wrong":              {text{"manifest-sha512.txt": sum512("First") + " data/a.pdf\n" + sum512("other") + " data/sub/đơn.pdf\n"}, "bag.digest"},
		"SHA-512 not of all":         {text{"manifest-sha512.txt": sum512("first") + " data/a.pdf\n"}, "bag.file_unlisted"},
		"SHA-512 not of all, draft":  {text{"bagit.txt": strings.Replace(declaration, "1.0", "0.97", 1), "manifest-sha512.txt": sum512("first") + " data/a.pdf\n"}, ""},
		"MD5 beside":                 {text{"manifest-md5.txt": sumMD5("first") + " data/a.pdf\n" + sumMD5("other") + " data/sub/đơn.pdf\n"}, ""},
		"MD5 alone":                  {text{"manifest-sha256.txt": "-", "manifest-md5.txt": sumMD5("first") + " data/a.pdf\n" + sumMD5("other") + " data/sub/đơn.pdf\n"}, "bag.weak_digest?"},
		"unknown algorithm beside":   {text{"manifest-blake3.txt": "ab data/a.pdf\ncd data/sub/đơn.pdf\n"}, "bag.algorithm?"},
		"unknown algorithm alone":    {text{"manifest-sha256.txt": "-", "manifest-blake3.txt": "ab data/a.pdf\ncd data/sub/đơn.pdf\n"}, "bag.algorithm"},
		"manifest in capitals":       {text{"manifest-sha256.txt": "-", "manifest-SHA-256.txt": manifest}, "bag.manifest_name?"},
		"manifest twice":             {text{"manifest-sha-256.txt": manifest}, "bag.manifest_name? bag.manifest_twice"},
		"tag manifest":               {text{"tagmanifest-sha256.txt": sum256(declaration) + " bagit.txt\n" + sum256(manifest) + " manifest-sha256.txt\n"}, ""},
		"tag manifest wrong":         {text{"tagmanifest-sha256.txt": sum256("x") + " bagit.txt\n" + sum256(manifest) + " manifest-sha256.txt\n"}, "bag.digest"},
		"tag manifest of few":        {text{"tagmanifest-sha256.txt": sum256(declaration) + " bagit.txt\n"}, "bag.tagmanifest_incomplete"},
		"tag file missing":           {text{"tagmanifest-sha256.txt": sum256("x") + " note.txt\n" + sum256(manifest) + " manifest-sha256.txt\n"}, "bag.file_missing"},
		"tag manifest of payload":    {text{"tagmanifest-sha256.txt": sum256("first") + " data/a.pdf\n" + sum256(manifest) + " manifest-sha256.txt\n"}, "bag.path"},
		"tag manifest of itself":     {text{"tagmanifest-sha256.txt": sum256("x") + " tagmanifest-sha256.txt\n" + sum256(manifest) + " manifest-sha256.txt\n"}, "bag.tagmanifest_self"},
		"fetch":                      {text{"data/a.pdf": "-", "bag-info.txt": "-", "fetch.txt": "https://example.vn/a.pdf 5 data/a.pdf\n"}, "bag.fetch bag.file_missing"},
		"fetch of what is there":     {text{"fetch.txt": "https://example.vn/a.pdf - data/a.pdf\n"}, "bag.fetch_present?"},
		"fetch out of data":          {text{"fetch.txt": "https://example.vn/a.pdf - ../a.pdf\n"}, "bag.fetch_line bag.fetch_present?"},
		"fetch malformed":            {text{"fetch.txt": "https://example.vn/a.pdf\n"}, "bag.fetch_line bag.fetch_present?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			for name, content := range c.change {
				if f[name] = content; content == "-" {
					delete(f, name)
				}
			}
			if got, _ := verify(t, f); sortWords(got) != sortWords(c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func sortWords(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestReading(t *testing.T) {
	got, b := verify(t, good())
	if got != "" || b.Version() != "1.0" || b.Err() != nil {
		t.Errorf("%s, version %s, %v", got, b.Version(), b.Err())
	}
	info := b.Info()
	if len(info) != 4 || info[0] != (bagit.Tag{Label: "Source-Organization", Value: "UBND xã Hòa Bình"}) || info[2].Value != "dòng đầu dòng sau" {
		t.Errorf("info %+v", info)
	}
	files := b.Files()
	if len(files) != 2 || files[0].Path != "data/a.pdf" || files[0].Size != 5 || files[0].Digests["sha256"] != sum256("first") || len(b.TagFiles()) != 3 {
		t.Errorf("files %+v", files)
	}
	if string(readAll(t, b, "data/sub/đơn.pdf")) != "other" {
		t.Error("content")
	}
	if _, err := b.Open("data/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	f := good()
	delete(f, "manifest-sha256.txt")
	f["manifest-md5.txt"] = sumMD5("first") + " data/a.pdf\n" + sumMD5("other") + " data/sub/đơn.pdf\n"
	_, b = verify(t, f)
	if b.SHA256("data/a.pdf") != sum256("first") || b.SHA256("data/none") != "" {
		t.Error("SHA-256 is not computed on the way")
	}
}

// TestEncodings: tag files in what bagit.txt names.
func TestEncodings(t *testing.T) {
	manifest := good()["manifest-sha256.txt"]
	wide := func(s string, big, mark bool) string {
		var out []byte
		units := utf16.Encode([]rune(s))
		if mark {
			units = append([]uint16{0xFEFF}, units...)
		}
		for _, u := range units {
			if big {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return string(out)
	}
	for name, manifest := range map[string]string{
		"UTF-16BE": wide(manifest, true, false), "UTF-16LE": wide(manifest, false, false), "utf-16": wide(manifest, false, true), "UTF-16": wide(manifest, true, true),
	} {
		f := good()
		f["bagit.txt"] = strings.Replace(declaration, "UTF-8", name, 1)
		f["manifest-sha256.txt"] = manifest
		delete(f, "bag-info.txt")
		if got, _ := verify(t, f); got != "" {
			t.Errorf("%s: %s", name, got)
		}
		f["manifest-sha256.txt"] += "x"
		if got, _ := verify(t, f); !strings.Contains(got, "bag.tag_encoding") {
			t.Errorf("%s with an odd octet: %s", name, got)
		}
	}
}

// TestBase: where the bag lies in a container.
func TestBase(t *testing.T) {
	for name, c := range map[string]struct {
		top  string
		more text
		want string
	}{
		"one folder":         {"bag/", nil, ""},
		"no folder":          {"", nil, "bag.top_folder?"},
		"files beside":       {"bag/", text{"other.txt": "x"}, "bag.outside"},
		"system files":       {"bag/", text{"__MACOSX/bag/._a": "x"}, "package.junk?"},
		"no bag":             {"bag/deep/", nil, "bag.declaration_missing bag.payload_missing bag.manifest_missing"},
		"two folders, first": {"bag/", text{"zoo/a.txt": "x"}, "bag.outside"},
	} {
		f := text{}
		for name, content := range good() {
			f[c.top+name] = content
		}
		maps.Copy(f, c.more)
		for _, b := range [][]byte{zipped(t, f.fs(), ""), tarred(t, f.fs(), "")} {
			bag, err := openBytes(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(bag.Verify(t.Context())); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	}
	if _, err := openBytes([]byte("text")); err == nil {
		t.Error("text opens as a bag")
	}
}

// TestManyFaults: warnings do not hide what is wrong.
func TestManyFaults(t *testing.T) {
	f := good()
	delete(f, "bag-info.txt")
	var manifest strings.Builder
	manifest.WriteString(f["manifest-sha256.txt"])
	for i := range 2000 {
		manifest.WriteString(sum256("x") + "  data/" + strings.Repeat("x", 100) + strconv.Itoa(i) + "\n")
	}
	f["manifest-sha256.txt"] = manifest.String()
	b, err := bagit.OpenFS(f.fs())
	if err != nil {
		t.Fatal(err)
	}
	if faults := b.Verify(t.Context()); len(faults) != 500 || bagit.Valid(faults) || !strings.Contains(rules(faults), "bag.manifest_too_long") {
		t.Errorf("%d faults", len(faults))
	}
}

func TestInterrupted(t *testing.T) {
	b, err := bagit.OpenFS(good().fs())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := rules(b.Verify(ctx)); got != "bag.interrupted" || !errors.Is(b.Err(), context.Canceled) {
		t.Errorf("%s, %v", got, b.Err())
	}
	down := errors.New("store is down")
	content := zipped(t, good().fs(), "bag/")
	failed := 0
	for n := range 200 {
		b, err := bagit.Open(&failing{bytes.NewReader(content), n, down}, int64(len(content)))
		if err == nil {
			b.Verify(t.Context())
			err = b.Err()
		}
		if err == nil {
			break
		}
		failed++
		if !errors.Is(err, down) {
			t.Errorf("call %d: %v", n, err)
		}
	}
	if failed < 10 {
		t.Errorf("%d calls", failed)
	}
}

type failing struct {
	r    io.ReaderAt
	left int
	err  error
}

func (f *failing) ReadAt(p []byte, at int64) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	f.left--
	return f.r.ReadAt(p, at)
}

func bagged() time.Time { return time.Date(2026, 11, 24, 10, 22, 30, 0, time.UTC) }

// write makes a bag of the files, a document of each.
func write(t testing.TB, form string, files text) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := bagit.NewWriter(&out, bagit.Options{Form: form, Name: "H29.68-260630-0001", Time: bagged(),
		Info: []bagit.Tag{{Label: "Source-Organization", Value: "UBND xã Hòa Bình"}, {Label: "External-Identifier", Value: "H29.68-260630-0001"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.Create(bagit.Payload{Path: name, Size: int64(len(files[name])), SHA256: sum256(files[name])})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Tag("metadata/dossier.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func payload() text {
	return text{"đơn đăng ký.pdf": "first", "sub/100%.pdf": strings.Repeat("second", 1000), "sub/a%0Ab.pdf": "", " spaces .txt": "x", "trích lục.pdf": "result"}
}

func TestWriter(t *testing.T) {
	for _, form := range []string{container.ZIP, container.TAR} {
		packed := write(t, form, payload())
		if !bytes.Equal(packed, write(t, form, payload())) {
			t.Errorf("%s: another bag the second time", form)
		}
		b, err := openBytes(packed)
		if err != nil {
			t.Fatal(err)
		}
		if faults := b.Verify(t.Context()); len(faults) > 0 {
			t.Errorf("%s: %s", form, rules(faults))
		}
		if len(b.Files()) != len(payload()) || b.Version() != "1.0" {
			t.Errorf("%s: files %+v", form, b.Files())
		}
		for name, content := range payload() {
			if got := readAll(t, b, "data/"+name); string(got) != content {
				t.Errorf("%s: %s differs", form, name)
			}
			if b.SHA256("data/"+name) != sum256(content) {
				t.Errorf("%s: %s: digest", form, name)
			}
		}
	}
}

// TestWriterRefuses: what cannot stand in a bag, and what is not what was
// announced.
func TestWriterRefuses(t *testing.T) {
	for name, o := range map[string]bagit.Options{
		"form": {Form: "7z", Name: "bag"}, "name": {Form: "zip", Name: "a/b"}, "no name": {Form: "zip"}, "up": {Form: "tar", Name: ".."},
		"tag": {Form: "zip", Name: "bag", Info: []bagit.Tag{{Label: "A:B"}}}, "tag of lines": {Form: "zip", Name: "bag", Info: []bagit.Tag{{Label: "A", Value: "b\nPayload-Oxum: 1.1"}}},
		"own tag": {Form: "zip", Name: "bag", Info: []bagit.Tag{{Label: "payload-oxum", Value: "1.1"}}},
	} {
		if _, err := bagit.NewWriter(io.Discard, o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	put := func(w *bagit.Writer, p bagit.Payload, content string) error {
		part, err := w.Create(p)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		return err
	}
	for name, c := range map[string]struct {
		write func(*bagit.Writer) error
		want  error
	}{
		"nothing":   {func(*bagit.Writer) error { return nil }, bagit.ErrContent},
		"too short": {func(w *bagit.Writer) error { return put(w, bagit.Payload{Path: "a", Size: 3}, "ab") }, bagit.ErrContent},
		"too long":  {func(w *bagit.Writer) error { return put(w, bagit.Payload{Path: "a", Size: 1}, "ab") }, bagit.ErrContent},
		"negative":  {func(w *bagit.Writer) error { return put(w, bagit.Payload{Path: "a", Size: -1}, "") }, bagit.ErrContent},
		"other digest": {func(w *bagit.Writer) error {
			return put(w, bagit.Payload{Path: "a", Size: 2, SHA256: sum256("x")}, "ab")
		}, bagit.ErrContent},
		"path":            {func(w *bagit.Writer) error { return put(w, bagit.Payload{Path: "../a", Size: 2}, "ab") }, bagit.ErrName},
		"tag in payload":  {func(w *bagit.Writer) error { return w.Tag("data/x", nil) }, bagit.ErrName},
		"tag as manifest": {func(w *bagit.Writer) error { return w.Tag("manifest-md5.txt", nil) }, bagit.ErrName},
		"tag again":       {func(w *bagit.Writer) error { return w.Tag("bagit.txt", nil) }, bagit.ErrName},
		"file again": {func(w *bagit.Writer) error {
			return errors.Join(put(w, bagit.Payload{Path: "a", Size: 1}, "a"), put(w, bagit.Payload{Path: "a", Size: 1}, "a"))
		}, bagit.ErrName},
	} {
		for _, form := range []string{container.ZIP, container.TAR} {
			w, err := bagit.NewWriter(io.Discard, bagit.Options{Form: form, Name: "bag", Time: bagged()})
			if err != nil {
				t.Fatal(err)
			}
			_ = c.write(w)
			if err := w.Close(); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
		}
	}
	full := errors.New("disk is full")
	for n := range 12 {
		w, err := bagit.NewWriter(&short{n: 100 * n, err: full}, bagit.Options{Form: container.TAR, Name: "bag", Time: bagged()})
		if err == nil {
			_ = put(w, bagit.Payload{Path: "a", Size: 2}, "ab")
			err = w.Close()
		}
		if !errors.Is(err, full) {
			t.Errorf("after %d octets: %v", 100*n, err)
		}
	}
}

type short struct {
	n   int
	err error
}

func (s *short) Write(p []byte) (int, error) {
	if s.n -= len(p); s.n < 0 {
		return 0, s.err
	}
	return len(p), nil
}

// FuzzBag: what Verify passes has, in every file, the digest of its manifest.
func FuzzBag(f *testing.F) {
	f.Add([]byte(declaration), []byte(good()["manifest-sha256.txt"]), []byte(good()["bag-info.txt"]), []byte("first"), []byte(""))
	f.Add([]byte("BagIt-Version: 0.97\r\nTag-File-Character-Encoding: UTF-16\r\n"), []byte("\xfe\xff\x00a"), []byte(" x\n:"), []byte("first"), []byte("http://x - data/a.pdf"))
	f.Add([]byte("BagIt-Version: .\nTag-File-Character-Encoding: ISO-8859-1\n"), []byte(sum256("first")+" *./data/%0a%25"), []byte("A: b\r\r\n\tc"), []byte("x"), []byte("a b ../c"))
	f.Fuzz(func(t *testing.T, bagitTxt, manifest, info, content, fetch []byte) {
		files := text{"bagit.txt": string(bagitTxt), "manifest-sha256.txt": string(manifest), "bag-info.txt": string(info), "data/a.pdf": string(content)}
		if len(fetch) > 0 {
			files["fetch.txt"] = string(fetch)
		}
		b, err := bagit.OpenFS(files.fs())
		if err != nil {
			t.Fatal(err)
		}
		faults := b.Verify(t.Context())
		if bagit.Valid(faults) && !bytes.Contains(bytes.ToLower(manifest), []byte(sum256(string(content)))) && !bytes.Contains(manifest, []byte{0}) {
			t.Errorf("valid without a digest: %q", manifest)
		}
		if again := b.Verify(t.Context()); rules(again) != rules(faults) {
			t.Errorf("another answer the second time")
		}
	})
}
