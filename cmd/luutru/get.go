package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

type getOptions struct {
	*root
	pins
	purpose, output, form string
	force                 bool
}

func newGetCommand(r *root) *cobra.Command {
	o := &getOptions{root: r}
	cmd := &cobra.Command{
		Use: "get REF [DOCUMENT] --purpose WHY", Short: "Lấy bản sao đã kiểm tra · Get a verified copy", Args: cobra.RangeArgs(1, 2),
		Long: "Lấy cả hồ sơ (tệp ZIP tự chứng minh) hoặc một tài liệu. Mục đích được ghi vào sổ cái trước khi mở hồ sơ.\n" +
			"Bản sao được kiểm tra xong mới có tệp; không đạt thì không có tệp nào. --form: dip (gói sử dụng) hoặc sip (gói nộp lưu trữ\n" +
			"lịch sử), theo E-ARK và Thông tư 05/2025/TT-BNV; bag (BagIt). Các dạng này không kèm chứng minh của kho lưu trữ.\n\n" +
			"Get the whole dossier, a ZIP that proves itself, or one document. The purpose is in the ledger before the dossier is opened.\n" +
			"The file appears when the copy is verified; if it does not verify, there is no file. --form: dip, to use, or sip, for the\n" +
			"historical archive, E-ARK packages after Circular 05/2025/TT-BNV; bag, BagIt. These do not hold the archive's proof.",
		Example: "  luutru get H29.68-240115-0001 --purpose 'giải quyết khiếu nại' -o ban-sao.zip",
		RunE:    func(cmd *cobra.Command, args []string) error { return runGet(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.purpose, "purpose", "", "mục đích khai thác (bắt buộc) · what for (required)")
	f.StringVarP(&o.output, "output", "o", "", "tệp ra; - là stdout · file to write; - is stdout")
	f.StringVar(&o.form, "form", "", "dạng: dip, sip, bag (mặc định: bản sao tự chứng minh)\nform: dip, sip, bag (default: a copy that proves itself)")
	f.BoolVar(&o.force, "force", false, "ghi đè tệp đã có · overwrite a file")
	o.pins.flags(cmd)
	return cmd
}

func runGet(ctx context.Context, o *getOptions, args []string) error {
	if o.purpose == "" {
		return usagef("cần --purpose · --purpose is needed")
	}
	document, ending := "", ".zip"
	if len(args) == 2 {
		document = args[1]
	}
	if o.form != "" {
		if document != "" || !slices.Contains([]string{archive.FormDIP, archive.FormSIP, archive.FormBag}, o.form) {
			return usagef("--form: dip, sip, bag; không cùng tên tài liệu · and without a document")
		}
		ending = "." + o.form + ".zip"
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	path := cmp.Or(o.output, document, strings.NewReplacer("/", "_", `\`, "_").Replace(args[0])+ending)
	if _, err := os.Lstat(path); err == nil && !o.force && path != "-" {
		return fmt.Errorf("%s: %w (--force)", path, fs.ErrExist)
	}
	return o.get(ctx, c, args[0], document, path)
}

// get fetches into a temporary file, verifies that, and only then gives it its
// name.
func (o *getOptions) get(ctx context.Context, c *api.Client, ref, document, path string) (err error) {
	dir := filepath.Dir(path)
	if path == "-" {
		dir = ""
	}
	f, err := os.CreateTemp(dir, ".luutru-*")
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	defer f.Close()
	var out *verified
	if document != "" {
		err = c.Document(ctx, ref, document, o.purpose, f)
	} else if o.form != "" {
		if err = c.CopyAs(ctx, ref, o.form, o.purpose, f); err == nil {
			err = wellFormed(ctx, f, o.form)
		}
	} else if err = c.Copy(ctx, ref, o.purpose, f); err == nil {
		out, err = o.verify(ctx, c, f)
	}
	if err != nil {
		return err
	}
	if path == "-" {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := io.Copy(o.stdout, f)
		return err
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(f.Name(), path)); err != nil {
		return err
	}
	if out == nil {
		return o.print(map[string]string{"file": path}, func(w io.Writer) { fmt.Fprintf(w, "%s\n", path) })
	}
	out.File = path
	return o.print(out, out.print)
}

// verify checks a copy against what is pinned, else against what the server
// says it is.
func (o *getOptions) verify(ctx context.Context, c *api.Client, f *os.File) (*verified, error) {
	t, err := o.pins.load(o.root)
	if err != nil {
		return nil, err
	}
	if t.certificate == nil || t.log == "" {
		about, err := c.About(ctx)
		if err != nil {
			return nil, err
		}
		if err := t.fill([]byte(about.Certificate), about.LogKey); err != nil {
			return nil, err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	out, err := verifyCopy(f, info.Size(), t)
	if err == nil {
		out.warn(o.root)
	}
	return out, err
}

// wellFormed checks that a package is one, whole, as its own form has it.
func wellFormed(ctx context.Context, f *os.File, form string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	faults := ""
	if form == archive.FormBag {
		faults, err = bagFaults(ctx, f, info.Size())
	} else {
		faults, err = earkFaults(ctx, f, info.Size())
	}
	if faults != "" {
		err = errors.New(faults)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", archive.ErrCorrupt, form, err)
	}
	return nil
}

func bagFaults(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	b, err := bagit.Open(r, size)
	if err != nil {
		return "", err
	}
	var all []string
	if faults := b.Verify(ctx); !bagit.Valid(faults) {
		for _, x := range faults {
			all = append(all, x.Rule)
		}
	}
	return strings.Join(all, ", "), b.Err()
}

func earkFaults(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	p, err := eark.Open(r, size)
	if err != nil {
		return "", err
	}
	var all []string
	for _, v := range p.Check(ctx) {
		if v.Level == eark.Must {
			all = append(all, v.Rule)
		}
	}
	return strings.Join(all, ", "), nil
}

type receiptOptions struct {
	*root
	pins
	output, declaration string
}

func newReceiptCommand(r *root) *cobra.Command {
	o := &receiptOptions{root: r}
	cmd := &cobra.Command{
		Use: "receipt CODE", Short: "Lấy lại biên nhận · Get a receipt again", Args: cobra.ExactArgs(1),
		Long: "Biên nhận luôn đúng từng byte như lần đầu. Với --declaration, kiểm tra luôn rằng kho lưu trữ đã nhận đúng bản khai ấy;\n" +
			"kiểm tra không cần mạng: luutru verify --declaration dossier.json BIÊN-NHẬN.json\n\n" +
			"A receipt is the same, byte for byte, whenever it is asked for. With --declaration it is also checked that just this\n" +
			"declaration was archived; without a network: luutru verify --declaration dossier.json RECEIPT.json",
		RunE: func(cmd *cobra.Command, args []string) error { return runReceipt(cmd.Context(), o, args[0]) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "tệp ra · file to write")
	cmd.Flags().StringVar(&o.declaration, "declaration", "", "bản khai đã nộp, để đối chiếu · the declaration that was pushed, to compare")
	o.pins.flags(cmd)
	return cmd
}

func runReceipt(ctx context.Context, o *receiptOptions, code string) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	receipt, err := c.Receipt(ctx, code)
	if err != nil {
		return err
	}
	if o.declaration != "" {
		if err := o.compare(ctx, c, receipt); err != nil {
			return err
		}
	}
	b, err := receipt.Encode()
	if err != nil {
		return err
	}
	if o.output != "" {
		return writeFile(o.output, b, 0o644)
	}
	_, err = o.stdout.Write(append(b, '\n'))
	return err
}

// compare checks that a receipt is of the declaration.
func (o *receiptOptions) compare(ctx context.Context, c *api.Client, receipt *archive.Receipt) error {
	t, err := o.pins.load(o.root)
	if err != nil {
		return err
	}
	if t.certificate == nil || t.log == "" {
		about, err := c.About(ctx)
		if err != nil {
			return err
		}
		if err := t.fill([]byte(about.Certificate), about.LogKey); err != nil {
			return err
		}
	}
	d, err := readDeclaration(o.declaration)
	if err != nil {
		return err
	}
	_, err = receipt.VerifyDeclaration(t.certificate, t.log, d)
	return err
}

// readDeclaration reads a declaration as push sends it: completed from the files
// beside it.
func readDeclaration(path string) (*dossier.Declaration, error) {
	b, err := readBundle(path, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	return dossier.ParseDeclaration(bytes.NewReader(b.declaration), dossier.Limits{})
}
