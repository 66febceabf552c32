package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

type checkOptions struct {
	*root
	deep, content bool
}

func newCheckCommand(r *root) *cobra.Command {
	o := &checkOptions{root: r}
	cmd := &cobra.Command{
		Use: "check", Short: "So sánh mọi thứ đã lưu với văn bản ghi việc và sổ cái · Compare all that is stored with acts and ledger", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.deep, "deep", false, "đọc lại mọi gói tin và so mã băm · read every package and compare its digest")
	cmd.Flags().BoolVar(&o.content, "content", false, "mở mọi gói tin và kiểm tra từng tài liệu · open every package and verify every document")
	return cmd
}

func runCheck(ctx context.Context, o *checkOptions) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	bar := o.bar(100, "kiểm tra · check", false)
	report, err := c.Check(ctx, o.deep, o.content, func(done, all int) { _ = bar.Set(100 * done / max(all, 1)) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	err = o.print(report, func(w io.Writer) {
		fmt.Fprintf(w, "%[1]d hồ sơ, %[2]d đã hủy, %[3]d gói tin (%[4]d byte đã đọc), %[5]d mục sổ cái\n%[1]d dossiers, %[2]d destroyed, %[3]d packages (%[4]d bytes read), %[5]d ledger entries\n",
			report.Dossiers, report.Destroyed, report.Packages, report.Bytes, report.Entries)
		for _, f := range report.Findings {
			fmt.Fprintf(w, "  %s (%s)\n    %s\n    %s\n", f.Object, f.Code, f.Vietnamese, f.English)
		}
	})
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("%d: %w", len(report.Findings), errFindings)
	}
	return err
}

func newRebuildCommand(r *root) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Dựng lại chỉ mục tra cứu từ kho chứa · Rebuild the search index from the store", Args: cobra.NoArgs,
		Long: "Bỏ chỉ mục và dựng lại từ kho chứa và khóa. Máy chủ của thư mục trạng thái này phải đang dừng.\n" +
			"Throw the index away and build it again from store and keys. The server of this state folder must not be running.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runRebuild(cmd.Context(), r) },
	}
}

func runRebuild(ctx context.Context, r *root) (err error) {
	c, err := r.nodeConfig()
	if err != nil {
		return err
	}
	if ix, err := openIndex(c); err == nil { // nobody else has it
		if err := ix.Close(); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(indexFolder(c)); err != nil {
		return err
	}
	n, err := r.openNode(ctx, c, slog.New(slog.NewTextHandler(r.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	if err := n.archive.Indexed(ctx); err != nil {
		return err
	}
	count, err := n.index.Count()
	if err != nil {
		return err
	}
	return r.print(map[string]uint64{"dossiers": count}, func(w io.Writer) {
		fmt.Fprintf(w, "%[1]d hồ sơ trong chỉ mục · %[1]d dossiers in the index\n", count)
	})
}
