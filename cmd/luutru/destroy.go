package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/archive"
)

const destroyLong = `Hủy hồ sơ qua bốn bước, mỗi bước một người: đề nghị (propose), Hội đồng xét (review), quyết định (decide), thi hành
(execute). Không có --execute thì execute chỉ cho biết sẽ làm gì.
A destruction takes four steps by four people: propose, review, decide, execute. Without --execute, execute only says what it would do.`

type destroyOptions struct {
	*root
	reason, number, certificates string
	keep                         []string
	approve, reject, execute     bool
}

func newDestroyCommand(r *root) *cobra.Command {
	o := &destroyOptions{root: r}
	propose := &cobra.Command{
		Use: "propose REF... --reason WHY", Short: "Đề nghị hủy hồ sơ đến hạn · Propose dossiers that are due", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runPropose(cmd.Context(), o, args) },
	}
	review := &cobra.Command{
		Use: "review CASE [--keep REF] --reason MINUTES", Short: "Ghi kết quả Hội đồng xét hủy · Record the council's review", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runReview(cmd.Context(), o, args[0]) },
	}
	decide := &cobra.Command{
		Use: "decide CASE --approve|--reject --number N", Short: "Ra quyết định · Decide", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runDecide(cmd.Context(), o, args[0]) },
	}
	execute := &cobra.Command{
		Use: "execute CASE [--execute]", Short: "Thi hành quyết định hủy · Execute the decision", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runExecute(cmd.Context(), o, args[0]) },
	}
	show := &cobra.Command{
		Use: "show CASE", Short: "Xem hồ sơ hủy · Show a case", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runShowCase(cmd.Context(), r, args[0]) },
	}
	propose.Flags().StringVar(&o.reason, "reason", "", "lý do (bắt buộc) · reason (required)")
	review.Flags().StringVar(&o.reason, "reason", "", "số biên bản họp (bắt buộc) · number of the minutes (required)")
	review.Flags().StringArrayVar(&o.keep, "keep", nil, "hồ sơ giữ lại · dossier to keep")
	decide.Flags().BoolVar(&o.approve, "approve", false, "đồng ý hủy · approve")
	decide.Flags().BoolVar(&o.reject, "reject", false, "không đồng ý · reject")
	decide.Flags().StringVar(&o.number, "number", "", "số quyết định (bắt buộc) · number of the decision (required)")
	execute.Flags().BoolVar(&o.execute, "execute", false, "hủy thật, không đảo ngược · really destroy, for good")
	execute.Flags().StringVar(&o.certificates, "certificates", "", "thư mục lưu biên bản hủy · folder to keep the certificates in")
	cmd := group("destroy", "Hủy hồ sơ đến hạn · Destroy dossiers that are due", propose, review, decide, execute, show)
	cmd.Long = destroyLong
	return cmd
}

func (o *destroyOptions) printCase(name string) error {
	return o.print(map[string]string{"case": name}, func(w io.Writer) { fmt.Fprintln(w, name) })
}

func runPropose(ctx context.Context, o *destroyOptions, refs []string) error {
	if o.reason == "" {
		return usagef("cần --reason · --reason is needed")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	name, err := c.Propose(ctx, refs, o.reason)
	if err != nil {
		return err
	}
	return o.printCase(name)
}

func runReview(ctx context.Context, o *destroyOptions, name string) error {
	if o.reason == "" {
		return usagef("cần --reason · --reason is needed")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := c.Review(ctx, name, o.keep, o.reason); err != nil {
		return err
	}
	return o.printCase(name)
}

func runDecide(ctx context.Context, o *destroyOptions, name string) error {
	if o.approve == o.reject || o.number == "" {
		return usagef("cần --approve hoặc --reject, và --number · --approve or --reject is needed, and --number")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := c.Decide(ctx, name, o.approve, o.number); err != nil {
		return err
	}
	return o.printCase(name)
}

func runExecute(ctx context.Context, o *destroyOptions, name string) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if !o.execute {
		plan, err := c.Preview(ctx, name)
		if err != nil {
			return err
		}
		o.say("Chưa hủy gì; thêm --execute để hủy thật. · Nothing was destroyed; add --execute to do it.")
		return o.print(plan, func(w io.Writer) {
			for _, d := range plan.Destroy {
				fmt.Fprintf(w, "sẽ hủy · would destroy\t%s\n", d)
			}
			for _, d := range slices.Sorted(maps.Keys(plan.Refused)) {
				fmt.Fprintf(w, "không hủy · would keep\t%s\t%s\n", d, plan.Refused[d])
			}
		})
	}
	done, err := c.Execute(ctx, name)
	for _, k := range done {
		err = errors.Join(err, o.keepCertificate(k))
	}
	if done == nil {
		done = []*archive.Certificate{}
	}
	return errors.Join(err, o.print(done, func(w io.Writer) {
		for _, k := range done {
			fmt.Fprintf(w, "đã hủy · destroyed\t%s\n", k.Dossier)
		}
	}))
}

func (o *destroyOptions) keepCertificate(k *archive.Certificate) error {
	if o.certificates == "" {
		return nil
	}
	b, err := k.Encode()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(o.certificates, k.Dossier+".destroyed.json"), b, 0o644)
}

func runShowCase(ctx context.Context, r *root, name string) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	k, err := c.Case(ctx, name)
	if err != nil {
		return err
	}
	return r.print(k, func(w io.Writer) {
		fmt.Fprintf(w, "hồ sơ hủy · case %s\n", k.Case)
		found := map[string]string{}
		for _, f := range k.Findings {
			found[f.Dossier] = f.Finding
		}
		for _, o := range k.Outcomes {
			found[o.Dossier] = o.Outcome
		}
		for _, d := range k.Dossiers {
			fmt.Fprintf(w, "  %s  %s\n", d, found[d])
		}
		printActs(w, k.Acts)
	})
}
