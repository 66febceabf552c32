package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/retention"
)

func newRetentionCommand(r *root) *cobra.Command {
	var at string
	due := &cobra.Command{
		Use: "due", Short: "Liệt kê hồ sơ đến hạn hủy · List the dossiers that are due", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDue(cmd.Context(), r, at) },
	}
	due.Flags().StringVar(&at, "at", "", "tính đến ngày (mặc định hôm nay) · as of this day (default today)")
	explain := &cobra.Command{
		Use: "explain REF", Short: "Giải thích thời hạn của một hồ sơ · Explain the retention of a dossier", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runExplain(cmd.Context(), r, args[0]) },
	}
	return group("retention", "Thời hạn lưu trữ · Retention", due, explain)
}

func runDue(ctx context.Context, r *root, at string) error {
	when, err := day(at)
	if err != nil {
		return err
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	due, err := c.Due(ctx, when)
	if err != nil {
		return err
	}
	return r.print(due, func(w io.Writer) {
		for _, d := range due {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Dossier, d.Agency, d.Class, d.Closed, d.Verdict.Until.Format("2006"))
		}
	})
}

func runExplain(ctx context.Context, r *root, ref string) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	v, err := c.Retention(ctx, ref)
	if err != nil {
		return err
	}
	return r.print(v, func(w io.Writer) { printVerdict(w, v) })
}

func newScheduleCommand(r *root) *cobra.Command {
	show := &cobra.Command{
		Use: "show [FILE]", Short: "Xem bảng thời hạn lưu trữ (mặc định: bảng khởi đầu) · Show a retention schedule (default: the one to start from)", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runScheduleShow(r, args) },
	}
	check := &cobra.Command{
		Use: "check FILE", Short: "Kiểm tra tệp bảng thời hạn · Check the file of a schedule", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runScheduleShow(r, args) },
	}
	return group("schedule", "Bảng thời hạn lưu trữ · Retention schedules", show, check)
}

func runScheduleShow(r *root, args []string) error {
	s := retention.Seed()
	if len(args) == 1 {
		b, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		if s, err = retention.ParseSchedule(b); err != nil {
			return err
		}
	}
	if r.json {
		b, err := s.Encode()
		if err != nil {
			return err
		}
		_, err = r.stdout.Write(append(b, '\n'))
		return err
	}
	approved := 0
	for _, x := range s.Rules {
		mark := " "
		if x.Approved {
			mark, approved = "✓", approved+1
		}
		years := fmt.Sprintf("%d năm · years", x.Years)
		if x.Permanent {
			years = "vĩnh viễn · permanent"
		}
		fmt.Fprintf(r.stdout, "%s %-12s %-22s %-9s %s\n", mark, x.Class, years, x.Action, x.Vietnamese)
	}
	_, err := fmt.Fprintf(r.stdout, "\n%s, %d\n%[3]d nhóm, %[4]d được duyệt (✓), %[5]d thủ tục · %[3]d classes, %[4]d approved (✓), %[5]d procedures\n%[6]s\n",
		s.Title, s.Version, len(s.Rules), approved, len(s.Procedures), s.Note)
	return err
}
