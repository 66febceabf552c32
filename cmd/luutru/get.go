package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
)

type getOptions struct {
	*root
	pins
	purpose, output string
	force           bool
}

func newGetCommand(r *root) *cobra.Command {
	o := &getOptions{root: r}
	cmd := &cobra.Command{
		Use: "get REF [DOCUMENT] --purpose WHY", Short: "Lấy bản sao đã kiểm tra · Get a verified copy", Args: cobra.RangeArgs(1, 2),
		Long: "Lấy cả hồ sơ (tệp ZIP tự chứng minh) hoặc một tài liệu. Mục đích được ghi vào sổ cái trước khi mở hồ sơ.\n" +
			"Bản sao được kiểm tra xong mới có tệp; không đạt thì không có tệp nào.\n\n" +
			"Get the whole dossier, a ZIP that proves itself, or one document. The purpose is in the ledger before the dossier is opened.\n" +
			"The file appears when the copy is verified; if it does not verify, there is no file.",
		Example: "  luutru get H29.68-240115-0001 --purpose 'giải quyết khiếu nại' -o ban-sao.zip",
		RunE:    func(cmd *cobra.Command, args []string) error { return runGet(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.purpose, "purpose", "", "mục đích khai thác (bắt buộc) · what for (required)")
	f.StringVarP(&o.output, "output", "o", "", "tệp ra; - là stdout · file to write; - is stdout")
	f.BoolVar(&o.force, "force", false, "ghi đè tệp đã có · overwrite a file")
	o.pins.flags(cmd)
	return cmd
}

func runGet(ctx context.Context, o *getOptions, args []string) error {
	if o.purpose == "" {
		return usagef("cần --purpose · --purpose is needed")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	document := ""
	if len(args) == 2 {
		document = args[1]
	}
	path := cmp.Or(o.output, document, strings.NewReplacer("/", "_", `\`, "_").Replace(args[0])+".zip")
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

func newReceiptCommand(r *root) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "receipt REF", Short: "Lấy lại biên nhận · Get a receipt again", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			receipt, err := c.Receipt(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			b, err := receipt.Encode()
			if err != nil {
				return err
			}
			if output != "" {
				return writeFile(output, b, 0o644)
			}
			_, err = r.stdout.Write(append(b, '\n'))
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "tệp ra · file to write")
	return cmd
}
