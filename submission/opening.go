package submission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
)

// maxProblems keeps the answer to a hostile package small.
const maxProblems = 500

// An opening is the work of Open.
type opening struct {
	ctx    context.Context
	tree   *container.Tree // the whole container
	inner  *container.Tree // its top folder
	top    string
	source source
	limits dossier.Limits

	form        string
	declaration *dossier.Declaration
	files       []file            // of the package that may be documents
	faults      []container.Fault // become problems once documents are known
	documents   []file            // in declared order
	named       map[string]int    // path → document
	ordered     bool              // files are the documents, in order
	stopped     bool              // the rest was not read
	problems    []dossier.Problem
	findings    []intake.Finding
	told        map[intake.Finding]bool
}

func (o *opening) add(code, field, vietnamese, english string) {
	o.report(dossier.Problem{Code: code, Field: field, Vietnamese: vietnamese, English: english})
}

func (o *opening) report(ps ...dossier.Problem) {
	for _, p := range ps {
		if len(o.problems) < maxProblems && !slices.Contains(o.problems, p) {
			o.problems = append(o.problems, p)
		}
	}
}

// find notes a finding, once.
func (o *opening) find(code, check string, outcome intake.Outcome, document int, detail string) {
	f := intake.Finding{Code: code, Check: check, Outcome: outcome, Document: document, Agent: Agent, Detail: detail}
	if !o.told[f] {
		o.findings = append(o.findings, f)
	}
	o.told[f] = true
}

// problem turns a fault into one that may be logged: the texts hold no name.
func problem(f container.Fault, field string) dossier.Problem {
	return dossier.Problem{Code: f.Rule, Field: field, Vietnamese: f.Vietnamese, English: f.English}
}

// declare parses the declaration at the path.
func (o *opening) declare(t *container.Tree, at string) error {
	r, err := t.Open(at)
	if err != nil {
		return err
	}
	defer r.Close()
	d, err := dossier.ParseDeclaration(r, o.limits)
	var invalid *dossier.ValidationError
	switch {
	case errors.As(err, &invalid):
		o.report(invalid.Problems...)
	case errors.Is(err, container.ErrDamaged):
		o.add("declaration.damaged", "",
			"Tệp bản khai bị hỏng trong gói nén; hãy đóng gói và gửi lại.",
			"The declaration is damaged inside the container; pack and send it again.")
	case err != nil:
		return err
	}
	o.declaration = d
	return nil
}

// measure reads the files whose digest is not known yet.
func (o *opening) measure() error {
	for i := range o.files {
		f := &o.files[i]
		if f.sha256 != "" || f.open == nil {
			continue
		}
		sum, size, err := o.digest(f)
		if err != nil {
			return err
		}
		f.sha256, f.size = sum, size
	}
	return nil
}

func (o *opening) digest(f *file) (sum string, size int64, err error) {
	r, err := f.open()
	if err != nil {
		return "", 0, fmt.Errorf("file: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	size, err = io.Copy(h, &interruptible{o.ctx, r})
	if errors.Is(err, container.ErrDamaged) {
		o.faults = append(o.faults, damaged(f.path))
		return "", f.size, nil
	}
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func damaged(path string) container.Fault {
	return container.Fault{Rule: "package.damaged", Path: path,
		Vietnamese: "Nội dung một tệp bị hỏng trong gói tin (khác giá trị kiểm tra); hãy gửi lại tệp gốc.",
		English:    "A file is damaged inside the package (it does not have the check value); send the original again."}
}

// interruptible reads until the context ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// describe brings declaration, extra and files together.
func (o *opening) describe(extra *dossier.Declaration) {
	switch {
	case o.stopped:
	case o.declaration == nil && extra != nil:
		o.declaration = clone(extra)
	case o.declaration != nil && extra != nil:
		o.report(merge(o.declaration, extra)...)
	case o.declaration == nil && len(o.problems) == 0:
		o.add("declaration.missing", "",
			"Gói tin không có bản khai (dossier.json); hãy thêm vào, hoặc gửi kèm bản khai.",
			"The package has no declaration (dossier.json); add it, or send one along.")
	}
	o.named = map[string]int{}
	if o.declaration != nil {
		o.match()
		o.report(o.declaration.Validate(endOfTime(), o.limits)...)
	}
	o.tellFaults()
}

// tellFaults turns faults into problems, warnings into findings.
func (o *opening) tellFaults() {
	for _, f := range o.faults {
		if f.Warning {
			o.find(f.Rule, intake.Validation, intake.Warning, o.document(f.Path), "")
			continue
		}
		o.report(problem(f, o.field(f.Path)))
	}
}

// match gives each declared document its file, and asks every file for its
// document.
func (o *opening) match() {
	byName := map[string][]int{}
	for i, f := range o.files {
		name := norm.NFC.String(path.Base(f.path))
		byName[name] = append(byName[name], i)
	}
	used := make([]bool, len(o.files))
	for n := range o.declaration.Documents {
		d := &o.declaration.Documents[n]
		field := fmt.Sprintf("documents[%d]", n)
		i, ok := o.fileOf(d, n, byName)
		switch {
		case d.Name == "":
			continue // told by Validate
		case !ok && len(byName[norm.NFC.String(d.Name)]) > 1:
			o.add("document.file_ambiguous", field,
				"Gói tin có hơn một tệp mang tên này ở các thư mục khác nhau; hãy đổi tên.",
				"The package has more than one file of this name in different folders; rename them.")
			continue
		case !ok || used[i]:
			o.add("document.absent", field,
				"Gói tin không có tệp của tài liệu này; hãy gửi đủ tệp, đúng tên đã khai.",
				"The package does not have the file of this document; send all files under their declared names.")
			continue
		}
		used[i] = true
		o.named[o.files[i].path] = n
		o.hold(d, n, field, &o.files[i])
		o.documents = append(o.documents, o.files[i])
	}
	for i, f := range o.files {
		if !used[i] {
			o.undeclared(f)
		}
	}
}

// fileOf finds the file of a document: the one in the main folder, else the
// only one of its name.
func (o *opening) fileOf(d *dossier.Document, n int, byName map[string][]int) (int, bool) {
	if o.ordered && n < len(o.files) && norm.NFC.String(o.files[n].path) == norm.NFC.String(d.Name) {
		return n, true
	}
	name := norm.NFC.String(d.Name)
	at := byName[name]
	if len(at) == 1 {
		return at[0], true
	}
	for _, i := range at {
		if p := norm.NFC.String(o.files[i].path); p == name || p == "data/"+name {
			return i, true
		}
	}
	return 0, false
}

// hold completes a document by what is known of its file, and compares.
func (o *opening) hold(d *dossier.Document, n int, field string, f *file) {
	declared := d.SHA256 != ""
	if d.Size == 0 {
		d.Size = f.size
	}
	if d.SHA256 == "" {
		d.SHA256 = f.sha256
	}
	if d.MediaType == "" {
		d.MediaType = mediaType(d.Name)
	}
	if d.Size != f.size {
		o.add("document.size_mismatch", field+".size",
			"Dung lượng tệp trong gói tin khác dung lượng đã khai; hãy gửi đúng tệp.",
			"The file in the package does not have the declared size; send the right file.")
	}
	switch {
	case f.sha256 == "": // damaged, told already
	case d.SHA256 != f.sha256:
		o.add("document.digest_mismatch", field+".sha256",
			"Giá trị băm SHA-256 của tệp trong gói tin khác giá trị đã khai; hãy gửi đúng tệp.",
			"The file in the package does not have the declared SHA-256; send the right file.")
	case declared || f.proved:
		o.find("fixity.matched", intake.Fixity, intake.Pass, n, "SHA-256")
	default:
		o.find("fixity.undeclared", intake.Fixity, intake.Warning, n, "")
	}
}

func (o *opening) undeclared(f file) {
	if name := path.Base(f.path); name == ".DS_Store" || strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini") {
		o.find("package.junk", intake.Validation, intake.Warning, intake.Dossier, "")
		return
	}
	o.report(dossier.Problem{Code: "document.undeclared", Field: fileField(f.index),
		Vietnamese: "Gói tin có tệp không được khai trong danh sách tài liệu; hãy khai thêm hoặc bỏ tệp.",
		English:    "The package has a file that the list of documents does not declare; declare or remove it."})
}

// fileField names a file by its place in the container, since its name may be
// personal.
func fileField(index int) string { return fmt.Sprintf("files[%d]", index) }

// document returns the document that a path belongs to, else intake.Dossier.
func (o *opening) document(at string) int {
	if n, ok := o.named[at]; ok {
		return n
	}
	if o.declaration != nil {
		name := norm.NFC.String(path.Base(at))
		for n, d := range o.declaration.Documents {
			if d.Name == name {
				return n
			}
		}
	}
	return intake.Dossier
}

// field says where a fault is, without a name that may be personal.
func (o *opening) field(at string) string {
	if n := o.document(at); n >= 0 {
		return fmt.Sprintf("documents[%d]", n)
	}
	switch at {
	case "":
		return ""
	case "bagit.txt", "bag-info.txt", "fetch.txt", "METS.xml", "dossier.json", "declaration.json", "data", "data/dossier.json":
		return at
	}
	if isManifest(at) {
		return at
	}
	for i, f := range o.tree.Files() {
		if f.Path == at || o.top != "" && f.Path == o.top+"/"+at {
			return fileField(i)
		}
	}
	return "files"
}

// isManifest tells the manifests of a bag by their names.
func isManifest(at string) bool {
	name, ok := strings.CutSuffix(at, ".txt")
	algorithm, manifest := strings.CutPrefix(strings.TrimPrefix(name, "tag"), "manifest-")
	return ok && manifest && slices.Contains([]string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}, algorithm)
}

// indexes maps the paths below the top folder to places in the container.
func (o *opening) indexes() map[string]int {
	at := make(map[string]int)
	for i, f := range o.tree.Files() {
		name := f.Path
		if o.top != "" {
			name = strings.TrimPrefix(name, o.top+"/")
		}
		at[name] = i
	}
	return at
}

func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
