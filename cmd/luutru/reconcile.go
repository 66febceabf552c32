package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/archive"
)

type reconcileOptions struct {
	*root
	only []string
}

type answer struct {
	archive.Status
	name string
}

// answers are what the archive answers to a line, and how it is called.
var answers = []answer{
	{archive.Stored, "đã lưu · archived"}, {archive.Missing, "còn thiếu · missing"}, {archive.Different, "khác nội dung · different"},
	{archive.Rejected, "đã bị từ chối · rejected"}, {archive.Destroyed, "đã hủy · destroyed"}, {archive.Invalid, "dòng không hợp lệ · invalid line"},
}

func newReconcileCommand(r *root) *cobra.Command {
	o := &reconcileOptions{root: r}
	cmd := &cobra.Command{
		Use: "reconcile FILE.csv|FILE.ndjson|-", Short: "Đối chiếu danh mục hồ sơ đã đóng · Reconcile a list of closed dossiers", Args: cobra.ExactArgs(1),
		Long: "So danh mục hồ sơ đã đóng của hệ thống với kho lưu trữ, bao nhiêu dòng cũng được. CSV: dòng đầu nêu tên cột trong số\n" +
			"code,agency,closed,documents,declaration; mỗi dòng JSON (NDJSON) dùng cùng tên. In ra những dòng không khớp, rồi tổng hợp.\n" +
			"declaration là SHA-256 (hex) của bản khai dạng JSON chuẩn tắc (RFC 8785).\n\n" +
			"Compare a system's list of closed dossiers, of any length, with the archive. CSV: the first line names the columns, of\n" +
			"code,agency,closed,documents,declaration; lines of JSON (NDJSON) use the same names. Prints the lines that do not agree,\n" +
			"then the sums. declaration is the SHA-256, in hexadecimal, of the declaration in canonical JSON (RFC 8785).",
		Example: "  luutru reconcile da-dong.csv\n  luutru reconcile --only missing,rejected - < da-dong.ndjson",
		RunE:    func(cmd *cobra.Command, args []string) error { return runReconcile(cmd.Context(), o, args[0]) },
	}
	cmd.Flags().StringSliceVar(&o.only, "only", nil, "chỉ in các dòng có trạng thái này (mặc định: mọi dòng trừ archived; all: tất cả)\nprint only lines of these answers (default: all but archived; all: every line)")
	return cmd
}

func runReconcile(ctx context.Context, o *reconcileOptions, path string) error {
	for _, name := range o.only {
		if !slices.ContainsFunc(answers, func(s answer) bool { return string(s.Status) == name }) && name != "all" {
			return usagef("--only %s: missing, archived, different, rejected, destroyed, invalid, all", name)
		}
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	in, size, err := o.list(path)
	if err != nil {
		return err
	}
	defer in.Close()
	bar := o.bar(size, "đối chiếu · reconcile", true)
	body := bufio.NewReaderSize(&counting{in, bar}, 64<<10)
	out := bufio.NewWriterSize(o.stdout, 64<<10)
	sums := map[archive.Status]int{}
	late := 0
	for a, err := range c.Reconcile(ctx, listType(path, body), body) {
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		sums[a.Status]++
		if a.Late {
			late++
		}
		if err := o.answer(out, &a); err != nil {
			return err
		}
	}
	_ = bar.Finish()
	return errors.Join(out.Flush(), o.summary(sums, late))
}

// list opens a list; of one without a size, none is known.
func (o *reconcileOptions) list(path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(o.stdin), -1, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// listType tells the form of a list by its name, else by its first octet.
func listType(path string, r *bufio.Reader) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return "text/csv"
	case ".ndjson", ".jsonl", ".json":
		return "application/x-ndjson"
	}
	if first, err := r.Peek(1); err == nil && first[0] == '{' {
		return "application/x-ndjson"
	}
	return "text/csv"
}

// counting shows how much was read.
type counting struct {
	r   io.Reader
	bar io.Writer
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	_, _ = c.bar.Write(p[:n])
	return n, err
}

// answer prints a line, if it is one that was asked for.
func (o *reconcileOptions) answer(w io.Writer, a *archive.Answer) error {
	switch {
	case len(o.only) == 0 && a.Status == archive.Stored:
		return nil
	case len(o.only) > 0 && !slices.Contains(o.only, string(a.Status)) && !slices.Contains(o.only, "all"):
		return nil
	}
	if o.json {
		b, err := json.Marshal(a)
		if err == nil {
			_, err = w.Write(append(b, '\n'))
		}
		return err
	}
	late := ""
	if a.Late {
		late = "late"
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Status, a.Code, a.Agency, strings.Join(a.Codes, " "), late)
	return err
}

// summary tells how many lines had each status. It goes where the lines do not,
// for they may be read by a program.
func (o *reconcileOptions) summary(sums map[archive.Status]int, late int) error {
	all := 0
	for _, s := range answers {
		all += sums[s.Status]
		if n := sums[s.Status]; n > 0 {
			o.say("%10d  %s", n, s.name)
		}
	}
	if late > 0 {
		o.say("%10d  nộp muộn, hoặc chưa nộp mà đã quá hạn · late, or overdue", late)
	}
	o.say("%10d  dòng · lines", all)
	return nil
}

type changesOptions struct {
	*root
	after  uint64
	limit  int
	cursor string
}

func newChangesCommand(r *root) *cobra.Command {
	o := &changesOptions{root: r}
	cmd := &cobra.Command{
		Use: "changes", Short: "Những gì đã xảy ra với hồ sơ · What happened to dossiers", Args: cobra.NoArgs,
		Long: "Liệt kê từ một vị trí trong sổ cái: đã lưu, bị từ chối, tạm dừng hủy, đã hủy… Dòng cuối (stderr) cho biết vị trí để đọc\n" +
			"tiếp; với --cursor, vị trí được giữ trong tệp. --json in sự kiện CloudEvents 1.0, mỗi dòng một sự kiện.\n\n" +
			"Lists, from a place in the ledger, what was archived, rejected, held, destroyed… The last line (stderr) says where to go\n" +
			"on; with --cursor that is kept in a file. --json prints CloudEvents 1.0, one a line.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runChanges(cmd.Context(), o) },
	}
	cmd.Flags().Uint64Var(&o.after, "after", 0, "vị trí bắt đầu · place to begin at")
	cmd.Flags().IntVar(&o.limit, "limit", 0, "nhiều nhất bao nhiêu sự kiện (0: tất cả)\nat most so many events (0: all)")
	cmd.Flags().StringVar(&o.cursor, "cursor", "", "tệp giữ vị trí giữa các lần chạy\nfile that keeps the place between runs")
	return cmd
}

func runChanges(ctx context.Context, o *changesOptions) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if o.cursor != "" {
		if b, err := os.ReadFile(o.cursor); err == nil {
			if _, err := fmt.Sscan(string(b), &o.after); err != nil {
				return usagef("%s: %w", o.cursor, err)
			}
		}
	}
	for printed := 0; o.limit == 0 || printed < o.limit; {
		page := 0
		if o.limit > 0 {
			page = min(o.limit-printed, 1000)
		}
		events, next, err := c.Changes(ctx, o.after, page)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := o.print(e, func(w io.Writer) {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.ID, e.Time.Format("2006-01-02T15:04:05Z"), strings.TrimPrefix(e.Type, "vn.luutru.dossier."), e.Subject, e.Data.Code)
			}); err != nil {
				return err
			}
		}
		printed += len(events)
		if next == o.after {
			break
		}
		o.after = next
		if o.cursor != "" {
			if err := writeFile(o.cursor, fmt.Appendln(nil, next), 0o644); err != nil {
				return err
			}
		}
	}
	o.say("vị trí đọc tiếp · go on from: --after %d", o.after)
	return nil
}
