package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/signing"
)

// pins are where the archive's certificate and log key lie, as published.
type pins struct{ certificate, logKey string }

func (p *pins) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.certificate, "certificate", "", "chứng thư do kho lưu trữ công bố (mặc định: cấu hình)\nthe archive's certificate, as published (default: the configuration)")
	cmd.Flags().StringVar(&p.logKey, "log-key", "", "tệp khóa sổ cái do kho lưu trữ công bố (mặc định: cấu hình)\nfile of the ledger's key, as published (default: the configuration)")
}

// trust is what a verification rests on.
type trust struct {
	certificate *signing.Certificate
	log         string
	borrowed    bool // from the very thing that is verified, or from the server
}

// load reads what is pinned by flags or configuration.
func (p *pins) load(r *root) (*trust, error) {
	c, err := r.loadConfig()
	if err != nil {
		return nil, err
	}
	t := &trust{}
	if p.certificate == "" {
		p.certificate = c.Certificate
	}
	if p.logKey == "" {
		p.logKey = c.LogKey
	}
	if p.certificate != "" {
		b, err := os.ReadFile(p.certificate)
		if err != nil {
			return nil, usageError{err}
		}
		if t.certificate, err = signing.ParseCertificate(b); err != nil {
			return nil, usagef("%s: %w", p.certificate, err)
		}
	}
	if p.logKey != "" {
		if t.log, err = secret(p.logKey); err != nil {
			return nil, usageError{err}
		}
	}
	return t, nil
}

// fill takes what is not pinned from elsewhere, and remembers that.
func (t *trust) fill(certificate []byte, log string) (err error) {
	if t.certificate == nil {
		t.borrowed = true
		if t.certificate, err = signing.ParseCertificate(certificate); err != nil {
			return fmt.Errorf("%w: certificate: %w", archive.ErrProof, err)
		}
	}
	if t.log == "" {
		t.borrowed = true
		t.log = strings.TrimSpace(log)
	}
	return nil
}

// verified is what a verification found.
type verified struct {
	Kind        string `json:"kind"` // copy, receipt, certificate of destruction
	File        string `json:"file,omitempty"`
	Archive     string `json:"archive"`
	Dossier     string `json:"dossier"`
	Code        string `json:"code,omitempty"`         // of a receipt: as it says, not proved by it
	ArchiveCode string `json:"archive_code,omitempty"` // of a receipt
	Declared    bool   `json:"declared,omitempty"`     // the receipt is of the declaration that was given
	Files       int    `json:"files,omitempty"`        // of a copy, each with its digest
	Since       string `json:"since"`                  // time of the act that is proved
	Certificate string `json:"certificate"`            // fingerprint
	LogKey      string `json:"log_key"`
	Pinned      bool   `json:"pinned"` // both were known beforehand
}

func (t *trust) result(kind, name, id string) *verified {
	return &verified{Kind: kind, Archive: name, Dossier: id, Certificate: t.certificate.Fingerprint(), LogKey: t.log, Pinned: !t.borrowed}
}

var verifiedKinds = map[string]string{"copy": "bản sao · copy", "receipt": "biên nhận · receipt", "certificate": "biên bản hủy · certificate of destruction"}

func (v *verified) print(w io.Writer) {
	fmt.Fprintf(w, "ĐÚNG · VERIFIED  %s %s\n", verifiedKinds[v.Kind], v.File)
	fmt.Fprintf(w, "  kho lưu trữ · archive    %s\n  hồ sơ · dossier          %s\n", v.Archive, v.Dossier)
	if v.ArchiveCode != "" {
		fmt.Fprintf(w, "  mã lưu trữ · archive code %s\n", v.ArchiveCode)
	}
	if v.Declared {
		fmt.Fprintf(w, "  mã hồ sơ · code          %s (đúng bản khai · as declared)\n", v.Code)
	} else if v.Code != "" {
		fmt.Fprintf(w, "  mã hồ sơ · code          %s%s\n", v.Code, map[string]string{"receipt": " (biên nhận ghi, chữ ký không bao gồm · as written, not signed)"}[v.Kind])
	}
	if v.Files > 0 {
		fmt.Fprintf(w, "  tệp nguyên vẹn · files   %d\n", v.Files)
	}
	fmt.Fprintf(w, "  ghi việc lúc · since     %s\n  chứng thư · certificate  %s\n  khóa sổ cái · log key    %s\n", v.Since, v.Certificate, v.LogKey)
}

// warn says that the verification rests on what nobody has compared.
func (v *verified) warn(r *root) {
	if v.Pinned {
		return
	}
	r.say("CẢNH BÁO: chứng thư và khóa sổ cái lấy từ chính nguồn được kiểm tra. Hãy đối chiếu với bản kho lưu trữ công bố\n"+
		"(--certificate, --log-key):\n"+
		"WARNING: certificate and log key come from the very source that is verified. Compare them with what the archive publishes\n"+
		"(--certificate, --log-key):\n  %s\n  %s", v.Certificate, v.LogKey)
}

type verifyOptions struct {
	*root
	pins
	declaration string
}

func newVerifyCommand(r *root) *cobra.Command {
	o := &verifyOptions{root: r}
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Kiểm tra bản sao, biên nhận, biên bản hủy; không cần mạng · Verify a copy, a receipt, a certificate of destruction, offline",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runVerify(o, args[0]) },
	}
	o.pins.flags(cmd)
	cmd.Flags().StringVar(&o.declaration, "declaration", "", "bản khai: biên nhận phải là của đúng bản khai này\na declaration: the receipt must be of just this one")
	return cmd
}

func runVerify(o *verifyOptions, path string) error {
	t, err := o.pins.load(o.root)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	out, err := verifyFile(f, info.Size(), t)
	if err != nil {
		return err
	}
	if o.declaration != "" {
		if err := o.declared(f, info.Size(), t, out); err != nil {
			return err
		}
	}
	out.File = path
	out.warn(o.root)
	return o.print(out, out.print)
}

// declared checks that a receipt is of the declaration.
func (o *verifyOptions) declared(f io.ReaderAt, size int64, t *trust, out *verified) error {
	if out.Kind != "receipt" {
		return usagef("--declaration: chỉ cho biên nhận · for receipts only")
	}
	b, err := io.ReadAll(io.LimitReader(io.NewSectionReader(f, 0, size), maxProof))
	if err != nil {
		return err
	}
	r, err := archive.ParseReceipt(bytes.TrimSuffix(b, []byte("\n")))
	if err != nil {
		return err
	}
	d, err := readDeclaration(o.declaration)
	if err != nil {
		return err
	}
	if _, err := r.VerifyDeclaration(t.certificate, t.log, d); err != nil {
		return err
	}
	out.Declared, out.Code = true, d.Code
	return nil
}

const maxProof = 64 << 20 // a receipt or certificate of destruction

func verifyFile(f io.ReaderAt, size int64, t *trust) (*verified, error) {
	magic := make([]byte, 2)
	if _, err := f.ReadAt(magic, 0); err != nil || string(magic) == "PK" {
		return verifyCopy(f, size, t)
	}
	b, err := io.ReadAll(io.LimitReader(io.NewSectionReader(f, 0, size), maxProof))
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n")) // what a shell or editor adds
	if t.certificate == nil || t.log == "" {
		return nil, usagef("cần --certificate và --log-key · --certificate and --log-key are needed")
	}
	var kind struct {
		Seal string
		Acts []string
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return nil, fmt.Errorf("%w: neither a ZIP nor JSON", archive.ErrProof)
	}
	if kind.Seal != "" {
		return verifyReceipt(b, t)
	}
	return verifyDestruction(b, t)
}

func verifyReceipt(b []byte, t *trust) (*verified, error) {
	r, err := archive.ParseReceipt(b)
	if err != nil {
		return nil, err
	}
	if _, err := r.Verify(t.certificate, t.log); err != nil {
		return nil, err
	}
	out := t.result("receipt", r.Archive, r.Dossier)
	out.Code, out.ArchiveCode, out.Since = r.Code, r.ArchiveCode, since(r.Seal)
	return out, nil
}

func verifyDestruction(b []byte, t *trust) (*verified, error) {
	c, err := archive.ParseCertificate(b)
	if err != nil {
		return nil, err
	}
	if err := c.Verify(t.certificate, t.log); err != nil {
		return nil, err
	}
	out := t.result("certificate", c.Archive, c.Dossier)
	out.Since = since(c.Acts[len(c.Acts)-1])
	return out, nil
}

// since returns the time of an act whose signature was verified.
func since(statement string) string {
	line, _, _ := strings.Cut(statement, "\n")
	var a struct{ Time string }
	if json.Unmarshal([]byte(line), &a) != nil {
		return ""
	}
	return a.Time
}

// copyReader reads a disseminated package (docs/format.md §9).
type copyReader struct {
	top   string
	files map[string]*zip.File
}

// proofFiles are all that may stand beside the package. What the README says is
// not proved.
var proofFiles = []string{
	"proof/receipt.json", "proof/archive.asc", "proof/log.vkey", "proof/dissemination.json", "proof/dissemination.proof", "proof/README.txt",
}

// verifyCopy verifies a disseminated package: the seal, by the archive's
// signature and the ledger; METS.xml, by the seal and a signature of its own;
// every other file, by METS.xml; and that the ledger has the dissemination.
func verifyCopy(f io.ReaderAt, size int64, t *trust) (*verified, error) {
	c, err := openCopy(f, size)
	if err != nil {
		return nil, err
	}
	receipt, err := c.proof(t)
	if err != nil {
		return nil, err
	}
	seal, err := receipt.Verify(t.certificate, t.log)
	if err != nil {
		return nil, err
	}
	if err := c.disseminated(receipt, seal, t); err != nil {
		return nil, err
	}
	n, err := c.contents(seal, t)
	if err != nil {
		return nil, err
	}
	if err := c.named(receipt); err != nil {
		return nil, err
	}
	out := t.result("copy", receipt.Archive, receipt.Dossier)
	out.Code, out.Since, out.Files = receipt.Code, since(receipt.Seal), n
	return out, nil
}

// proof reads the receipt, and what it may be verified with if nothing is
// pinned.
func (c *copyReader) proof(t *trust) (*archive.Receipt, error) {
	certificate, err := c.read("proof/archive.asc")
	if err != nil {
		return nil, err
	}
	log, err := c.read("proof/log.vkey")
	if err != nil {
		return nil, err
	}
	if err := t.fill(certificate, string(log)); err != nil {
		return nil, err
	}
	raw, err := c.read("proof/receipt.json")
	if err != nil {
		return nil, err
	}
	return archive.ParseReceipt(raw)
}

func openCopy(f io.ReaderAt, size int64) (*copyReader, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", archive.ErrProof, err)
	}
	c := &copyReader{files: map[string]*zip.File{}}
	for _, e := range z.File {
		top, _, inside := strings.Cut(e.Name, "/")
		if c.files[e.Name] != nil || !inside || !fs.ValidPath(e.Name) {
			return nil, fmt.Errorf("%w: a file twice, or out of place", archive.ErrProof)
		}
		if top != "proof" && c.top == "" {
			c.top = top
		}
		if top != c.top && !slices.Contains(proofFiles, e.Name) {
			return nil, fmt.Errorf("%w: a file that belongs to nothing", archive.ErrProof)
		}
		c.files[e.Name] = e
	}
	return c, nil
}

// read returns a small file.
func (c *copyReader) read(name string) ([]byte, error) {
	e := c.files[name]
	if e == nil {
		return nil, fmt.Errorf("%w: %s is missing", archive.ErrProof, name)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", archive.ErrProof, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxProof))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", archive.ErrProof, name, err)
	}
	return b, nil
}

// disseminated checks that the ledger has an entry for handing out just this
// package.
func (c *copyReader) disseminated(r *archive.Receipt, seal *life.Seal, t *trust) error {
	raw, err := c.read("proof/dissemination.json")
	if err != nil {
		return err
	}
	proof, err := c.read("proof/dissemination.proof")
	if err != nil {
		return err
	}
	if _, err := audit.VerifyProof(t.log, raw, proof); err != nil {
		return fmt.Errorf("%w: dissemination: %w", archive.ErrProof, err)
	}
	e, err := audit.ParseEntry(raw)
	if err != nil || e.Type != "dissemination" || e.Chain != life.Chain(r.Dossier) || e.Details["package"] != seal.Package || e.Details["mets"] != seal.METS {
		return fmt.Errorf("%w: the dissemination is of another package", archive.ErrProof)
	}
	return nil
}

// contents verifies METS.xml and, by it, everything else under the top folder.
func (c *copyReader) contents(seal *life.Seal, t *trust) (int, error) {
	mets, err := c.read(c.top + "/METS.xml")
	if err != nil {
		return 0, err
	}
	if sum := sha256.Sum256(mets); hex.EncodeToString(sum[:]) != seal.METS {
		return 0, fmt.Errorf("%w: METS.xml is not the one that was sealed", archive.ErrProof)
	}
	signature, err := c.read(c.top + "/METS.xml.asc")
	if err != nil {
		return 0, err
	}
	if err := t.certificate.Verify(mets, append(bytes.TrimRight(signature, "\n"), '\n')); err != nil {
		return 0, fmt.Errorf("%w: METS.xml: %w", archive.ErrProof, err)
	}
	want, err := listedIn(mets)
	if err != nil {
		return 0, err
	}
	n := 0
	for name, e := range c.files {
		path, inside := strings.CutPrefix(name, c.top+"/")
		if !inside || path == "METS.xml" || path == "METS.xml.asc" {
			continue
		}
		if err := want[path].verify(e); err != nil {
			return 0, fmt.Errorf("%w: %s: %w", archive.ErrProof, path, err)
		}
		delete(want, path)
		n++
	}
	if len(want) > 0 {
		return 0, fmt.Errorf("%w: %d files are missing", archive.ErrProof, len(want))
	}
	return n + 1, nil
}

// named checks the code in the receipt, which no signature covers, against the
// declaration, which is verified by now.
func (c *copyReader) named(r *archive.Receipt) error {
	raw, err := c.read(c.top + "/documentation/declaration.json")
	if err != nil {
		return err
	}
	var d dossier.Declaration
	if err := json.Unmarshal(raw, &d); err != nil || d.Code != r.Code {
		return fmt.Errorf("%w: the receipt is of another dossier code", archive.ErrProof)
	}
	return nil
}

// listed is a file as METS.xml lists it.
type listed struct {
	size   int64
	digest string
}

func (l *listed) verify(e *zip.File) error {
	if l == nil {
		return errors.New("not listed in METS.xml")
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(r, l.size+1))
	if err != nil {
		return err
	}
	if n != l.size || hex.EncodeToString(sum.Sum(nil)) != l.digest {
		return errors.New("altered")
	}
	return nil
}

// listedIn returns the files that METS.xml lists, by path. METS.xml is the
// archive's own, as its signature has shown.
func listedIn(mets []byte) (map[string]*listed, error) {
	all := map[string]*listed{}
	var now *listed
	for d := xml.NewDecoder(bytes.NewReader(mets)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: METS.xml: %w", archive.ErrProof, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		a := map[string]string{}
		for _, x := range e.Attr {
			a[x.Name.Local] = x.Value
		}
		if a["CHECKSUM"] != "" {
			size, err := strconv.ParseInt(a["SIZE"], 10, 64)
			if err != nil || a["CHECKSUMTYPE"] != "SHA-256" {
				return nil, fmt.Errorf("%w: METS.xml lists a file without size and SHA-256", archive.ErrProof)
			}
			now = &listed{size, a["CHECKSUM"]}
		}
		if link := a["href"]; now != nil && (e.Name.Local == "FLocat" || e.Name.Local == "mdRef") {
			path, err := url.PathUnescape(link)
			if err != nil || all[path] != nil {
				return nil, fmt.Errorf("%w: METS.xml lists a file twice", archive.ErrProof)
			}
			all[path] = now
		}
	}
}
