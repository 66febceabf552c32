package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/intake"
)

// declarationFile is the declaration's name in the folder of a dossier.
const declarationFile = "dossier.json"

type pushOptions struct {
	*root
	receipts, journal string
	jobs, tries       int
	resumable         bool
	above             int64 // octets from which a package is uploaded so that it can be resumed
	watch             string
	once              bool
	every, settle     time.Duration
}

func newPushCommand(r *root) *cobra.Command {
	o := &pushOptions{root: r}
	cmd := &cobra.Command{
		Use: "push DIR|FILE.zip|FILE.tar... | push FILE.json [DIR] | push --watch DIR", Short: "Nộp hồ sơ đã đóng · Push closed dossiers", Args: cobra.ArbitraryArgs,
		Long: "Mỗi hồ sơ là một thư mục có dossier.json (bản khai) và các tệp tài liệu, hoặc một gói: E-ARK (SIP), BagIt, dạng thư mục, ZIP\n" +
			"hay TAR. Tệp nào trong bản khai chưa có size và sha256 thì được tính từ tệp. Nộp lại cùng một hồ sơ thì nhận lại đúng biên\n" +
			"nhận cũ. Với --journal (mặc định khi có --receipts), hồ sơ đã có biên nhận không gửi lại, hồ sơ lỗi được gửi lại ở lần chạy\n" +
			"sau, và lỗi được ghi vào tệp .problems.txt cạnh hồ sơ. Gói lớn được gửi sao cho đứt đường truyền thì gửi tiếp.\n" +
			"Với --watch: hồ sơ nào đặt trọn vào thư mục thì được nộp rồi chuyển sang done/ (kèm biên nhận) hoặc failed/ (kèm lỗi).\n\n" +
			"A dossier is a folder with dossier.json, the declaration, and the documents, or a package: E-ARK (SIP) or BagIt, as a folder,\n" +
			"a ZIP or a TAR. Where the declaration has no size and sha256 of a document, they are taken from the file. Pushing a dossier\n" +
			"again gives the same receipt again. With --journal (by default where there is --receipts) what has a receipt is not sent\n" +
			"again, what failed is sent again by the next run, and what is wrong stands in a .problems.txt beside the dossier. Large\n" +
			"packages are sent so that a broken transfer goes on where it broke. With --watch, what is put whole into the folder is\n" +
			"pushed and then moved to done/ (with its receipt) or failed/ (with what is wrong).",
		Example: "  luutru push hoso/H29.68-240115-0001\n  luutru push --receipts biennhan hoso/*\n  luutru push --resumable goi-lon.zip\n  luutru push --watch /srv/nop-luu",
		RunE:    func(cmd *cobra.Command, args []string) error { return runPush(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.receipts, "receipts", "", "thư mục lưu biên nhận\nfolder to keep the receipts in")
	f.StringVar(&o.journal, "journal", "", "tệp nhật ký để chạy lại không gửi lại (mặc định: push.journal trong --receipts)\njournal by which the next run sends nothing twice (default: push.journal in --receipts)")
	f.IntVarP(&o.jobs, "jobs", "j", 4, "số hồ sơ nộp cùng lúc\ndossiers pushed at a time")
	f.IntVar(&o.tries, "tries", 4, "số lần gửi khi mạng hay máy chủ lỗi, giãn dần\ntimes to try while network or server fails, ever longer apart")
	f.BoolVar(&o.resumable, "resumable", false, "gửi mọi gói ZIP, TAR theo cách gửi tiếp được (tus)\nsend every ZIP or TAR so that it can be resumed (tus)")
	f.Int64Var(&o.above, "resumable-above", 64, "gói từ bao nhiêu MiB thì gửi theo cách gửi tiếp được\nMiB from which a package is sent so that it can be resumed")
	f.StringVar(&o.watch, "watch", "", "thư mục theo dõi, cho đến Ctrl-C\nfolder to watch, until Ctrl-C")
	f.BoolVar(&o.once, "once", false, "với --watch: xử lý xong những gì đang có thì dừng\nwith --watch: stop when what is there is done")
	f.DurationVar(&o.every, "every", 2*time.Second, "với --watch: nhìn thư mục mỗi\nwith --watch: how often to look")
	f.DurationVar(&o.settle, "settle", 3*time.Second, "với --watch: không đổi bao lâu thì coi là đã đặt trọn\nwith --watch: unchanged for so long means that it is whole")
	return cmd
}

func runPush(ctx context.Context, o *pushOptions, args []string) error {
	if o.jobs < 1 || o.tries < 1 || o.every <= 0 || o.settle < 0 {
		return usagef("--jobs, --tries, --every, --settle")
	}
	if (o.watch == "") == (len(args) == 0) {
		return usagef("cần hồ sơ để nộp, hoặc --watch THƯ-MỤC · dossiers to push are needed, or --watch DIR")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	p := &pusher{pushOptions: o, client: c}
	if o.watch != "" {
		return p.watchFolder(ctx)
	}
	parcels, err := parcelsOf(args)
	if err != nil {
		return err
	}
	if o.journal == "" && o.receipts != "" {
		o.journal = filepath.Join(o.receipts, "push.journal")
	}
	if p.done, err = openJournal(o.journal, o.now); err != nil {
		return err
	}
	return errors.Join(p.all(ctx, parcels), p.done.close())
}

// pusher pushes parcels.
type pusher struct {
	*pushOptions
	client *api.Client
	done   *journal
	bar    io.Writer // takes what is sent

	mu       sync.Mutex
	archived int
	known    int // before this run
	failed   int
}

// all pushes some parcels, and says what became of them.
func (p *pusher) all(ctx context.Context, parcels []*parcel) error {
	total := int64(0)
	for _, x := range parcels {
		total += x.size
	}
	bar := p.pushOptions.bar(total, "nộp · push", true)
	p.bar = bar
	var mu sync.Mutex
	var errs []error
	each(ctx, p.jobs, parcels, func(x *parcel) {
		if err := p.deliver(ctx, x); err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %w", x.path, err))
		}
	})
	_ = bar.Finish()
	if len(parcels) > 1 || p.known > 0 {
		p.say("%d đã nhận lưu, %d đã có biên nhận từ trước, %d lỗi · %[1]d archived, %[2]d had a receipt before, %[3]d failed", p.archived, p.known, p.failed)
	}
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

// deliver pushes a parcel unless the journal says that it has a receipt, and
// writes down what came of it.
func (p *pusher) deliver(ctx context.Context, x *parcel) error {
	if p.done.has(x) {
		p.count(&p.known)
		return nil
	}
	receipt, err := p.patiently(ctx, x)
	if err == nil {
		err = p.received(receipt)
	}
	if ctx.Err() != nil {
		return err // neither failed nor done
	}
	if err != nil {
		p.count(&p.failed)
		return errors.Join(err, p.done.note(x, stateFailed, nil), p.complain(x, err))
	}
	p.count(&p.archived)
	return errors.Join(p.done.note(x, stateArchived, receipt), p.forgive(x))
}

func (p *pusher) count(n *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
}

// patiently pushes a parcel, and again while what fails may pass.
func (p *pusher) patiently(ctx context.Context, x *parcel) (*archive.Receipt, error) {
	for try := 1; ; try++ {
		receipt, err := p.push(ctx, x)
		if err == nil || try >= p.tries || !passes(ctx, err) {
			return receipt, err
		}
		pause := backOff(try)
		p.say("%s: %s\n  thử lại sau %[3]s · trying again in %[3]s", x.path, firstLine(err), pause)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// received keeps and prints a receipt.
func (p *pusher) received(receipt *archive.Receipt) error {
	if p.receipts != "" {
		if err := saveReceipt(p.receipts, receipt); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.print(receipt, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", receipt.Dossier, cmp.Or(receipt.Code, receipt.ArchiveCode))
		printWarnings(w, receipt)
	})
}

// printWarnings tells what the checks at intake found wanting in a dossier that
// was taken in; luutru show has the whole text.
func printWarnings(w io.Writer, receipt *archive.Receipt) {
	found, err := receipt.Findings()
	if err != nil {
		return // luutru verify says so
	}
	var codes []string
	for _, f := range found {
		if _, known := intake.RuleOf(f.Code); known && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	if len(codes) > 0 {
		fmt.Fprintf(w, "\tlưu ý · note: %s\n", strings.Join(codes, ", "))
	}
}
