package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

type holdOptions struct {
	*root
	reason string
}

func newHoldCommand(r *root) *cobra.Command {
	o := &holdOptions{root: r}
	add := &cobra.Command{
		Use: "add REF --reason WHY", Short: "Tạm dừng hủy một hồ sơ · Suspend the destruction of a dossier", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runHoldAdd(cmd.Context(), o, args[0]) },
	}
	lift := &cobra.Command{
		Use: "lift REF HOLD --reason WHY", Short: "Thôi tạm dừng · Lift a hold", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return runHoldLift(cmd.Context(), o, args[0], args[1]) },
	}
	for _, c := range []*cobra.Command{add, lift} {
		c.Flags().StringVar(&o.reason, "reason", "", "lý do (bắt buộc), được mã hóa cho kiểm toán · reason (required), encrypted to the auditors")
	}
	list := &cobra.Command{
		Use: "list REF", Short: "Liệt kê lệnh tạm dừng · List the holds of a dossier", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runHoldList(cmd.Context(), r, args[0]) },
	}
	return group("hold", "Tạm dừng hủy · Holds", add, lift, list)
}

func runHoldAdd(ctx context.Context, o *holdOptions, ref string) error {
	if o.reason == "" {
		return usagef("cần --reason · --reason is needed")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	name, err := c.Hold(ctx, ref, o.reason)
	if err != nil {
		return err
	}
	return o.print(map[string]string{"hold": name}, func(w io.Writer) { fmt.Fprintln(w, name) })
}

func runHoldLift(ctx context.Context, o *holdOptions, ref, name string) error {
	if o.reason == "" {
		return usagef("cần --reason · --reason is needed")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := c.Lift(ctx, ref, name, o.reason); err != nil {
		return err
	}
	return o.print(map[string]string{"lifted": name}, func(w io.Writer) { fmt.Fprintln(w, name) })
}

func runHoldList(ctx context.Context, r *root, ref string) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	rec, err := c.Show(ctx, ref)
	if err != nil {
		return err
	}
	if rec.Holds == nil {
		rec.Holds = map[string]time.Time{}
	}
	return r.print(rec.Holds, func(w io.Writer) {
		for _, h := range slices.Sorted(maps.Keys(rec.Holds)) {
			fmt.Fprintf(w, "%s\t%s\n", h, vietnam(rec.Holds[h]))
		}
	})
}
