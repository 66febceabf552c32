package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/dossier"
)

// declarationFile is the declaration's name in the folder of a dossier.
const declarationFile = "dossier.json"

type pushOptions struct {
	*root
	receipts string
	jobs     int
}

func newPushCommand(r *root) *cobra.Command {
	o := &pushOptions{root: r}
	cmd := &cobra.Command{
		Use: "push DIR... | push FILE.json [DIR]", Short: "Nộp hồ sơ đã đóng · Push closed dossiers", Args: cobra.MinimumNArgs(1),
		Long: "Mỗi thư mục chứa dossier.json (bản khai) và các tệp tài liệu. Tệp nào trong bản khai chưa có size và sha256 thì được\n" +
			"tính từ tệp. Nộp lại cùng một hồ sơ thì nhận lại đúng biên nhận cũ.\n\n" +
			"Each folder holds dossier.json, the declaration, and the documents. Where the declaration has no size and sha256 of a\n" +
			"document, they are taken from the file. Pushing a dossier again gives the same receipt again.",
		Example: "  luutru push hoso/H29.68-240115-0001\n  luutru push --receipts biennhan hoso/*",
		RunE:    func(cmd *cobra.Command, args []string) error { return runPush(cmd.Context(), o, args) },
	}
	cmd.Flags().StringVar(&o.receipts, "receipts", "", "thư mục lưu biên nhận\nfolder to keep the receipts in")
	cmd.Flags().IntVarP(&o.jobs, "jobs", "j", 4, "số hồ sơ nộp cùng lúc\ndossiers pushed at a time")
	return cmd
}

// bundle is a dossier to be pushed.
type bundle struct {
	name        string
	declaration []byte
	files       []api.File
	size        int64
}

func runPush(ctx context.Context, o *pushOptions, args []string) error {
	if o.jobs < 1 {
		return usagef("--jobs %d", o.jobs)
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	bundles, err := readBundles(args)
	if err != nil {
		return err
	}
	var total int64
	for _, b := range bundles {
		total += b.size
	}
	bar := o.bar(total, "nộp · push", true)
	var mu sync.Mutex
	var errs []error
	each(ctx, o.jobs, bundles, func(b *bundle) {
		receipt, err := c.Push(ctx, b.declaration, b.watched(bar))
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			err = o.received(receipt)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
		}
	})
	_ = bar.Finish()
	return errors.Join(errors.Join(errs...), ctx.Err())
}

// each calls do for each element, some at a time.
func each[T any](ctx context.Context, jobs int, all []T, do func(T)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, jobs)
	for _, x := range all {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			wg.Wait()
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			do(x)
		})
	}
	wg.Wait()
}

func (o *pushOptions) received(receipt *archive.Receipt) error {
	if o.receipts != "" {
		if err := saveReceipt(o.receipts, receipt); err != nil {
			return err
		}
	}
	return o.print(receipt, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\n", receipt.Dossier, receipt.Code) })
}

func readBundles(args []string) ([]*bundle, error) {
	var all []*bundle
	if filepath.Ext(args[0]) == ".json" {
		if len(args) > 2 {
			return nil, usagef("push FILE.json [DIR]")
		}
		dir := filepath.Dir(args[0])
		if len(args) == 2 {
			dir = args[1]
		}
		b, err := readBundle(args[0], dir)
		return []*bundle{b}, err
	}
	for _, dir := range args {
		b, err := readBundle(filepath.Join(dir, declarationFile), dir)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// readBundle reads a declaration and completes it from the files. One with
// faults goes to the server as it is, which lists all of them.
func readBundle(path, dir string) (*bundle, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := &bundle{name: path, declaration: raw}
	d, err := dossier.ParseDeclaration(bytes.NewReader(raw), dossier.Limits{})
	if err != nil || d == nil {
		return b, nil
	}
	completed := false
	for i := range d.Documents {
		doc := &d.Documents[i]
		if doc.Size == 0 && doc.SHA256 == "" {
			if doc.Size, doc.SHA256, err = measure(dir, doc.Name); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			completed = true
		}
		b.size += doc.Size
		b.files = append(b.files, api.File{Name: doc.Name, Open: func() (io.ReadCloser, error) { return os.OpenInRoot(dir, doc.Name) }})
	}
	if completed {
		b.declaration, err = json.Marshal(d)
	}
	return b, err
}

// measure returns size and digest of a file of the folder.
func measure(dir, name string) (int64, string, error) {
	f, err := os.OpenInRoot(dir, name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return n, hex.EncodeToString(sum.Sum(nil)), err
}

// watched returns the files, with all that is read from them also written to
// w.
func (b *bundle) watched(w io.Writer) []api.File {
	var all []api.File
	for _, f := range b.files {
		all = append(all, api.File{Name: f.Name, Open: func() (io.ReadCloser, error) {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r, w), r}, nil
		}})
	}
	return all
}
