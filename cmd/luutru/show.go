package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/life"
	"github.com/luutru/luutru/retention"
)

func newShowCommand(r *root) *cobra.Command {
	return &cobra.Command{
		Use: "show REF", Short: "Xem hồ sơ và đời sống của nó · Show a dossier and its life", Args: cobra.ExactArgs(1),
		Long: "REF là mã hồ sơ (viết kiểu cũ hay mới đều được) hoặc tên 32 ký tự của hồ sơ.\n" +
			"REF is the dossier code, in its old or new form, or the dossier's name of 32 characters.",
		RunE: func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), r, args[0]) },
	}
}

func runShow(ctx context.Context, r *root, ref string) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	rec, err := c.Show(ctx, ref)
	if err != nil {
		return err
	}
	var group *api.Result
	if rec.Group != "" && !r.json {
		if group, err = c.Search(ctx, index.Query{Group: rec.Group, Limit: 100}); err != nil {
			return err
		}
	}
	return r.print(rec, func(w io.Writer) { printRecord(w, rec, group) })
}

// states are the words for the states of a dossier.
var states = map[string]string{
	"archived": "đang lưu trữ · archived", "destroying": "đang hủy · being destroyed", "condemned": "đã hủy khóa · keys condemned", "destroyed": "đã hủy · destroyed",
}

// acts are the words for the acts of a dossier and of a case.
var acts = map[string]string{
	"ingestion": "tiếp nhận, niêm phong · taken in and sealed", "attempt abandoned": "bỏ một lần nộp dở · attempt abandoned",
	"hold": "tạm dừng hủy · hold", "hold lifted": "thôi tạm dừng hủy · hold lifted",
	"destruction begun": "bắt đầu hủy · destruction begun", "destruction stopped": "dừng việc hủy · destruction stopped",
	"keys condemned": "quyết hủy khóa, không đảo ngược · keys condemned", "destroyed": "đã hủy · destroyed",
	"destruction proposed": "đề nghị hủy · proposed", "destruction reviewed": "Hội đồng xét · reviewed", "destruction decided": "quyết định · decided",
	"destruction executed": "thi hành · executed",
}

// statuses are the words for what retention says.
var statuses = map[retention.Status]string{
	retention.Retained: "còn thời hạn · retained", retention.Due: "đến hạn hủy · due", retention.Held: "tạm dừng hủy · held",
	retention.Permanent: "vĩnh viễn · permanent", retention.Undetermined: "chưa xác định · undetermined",
}

// vietnam is Vietnamese time: people read the archive's times in it.
func vietnam(t time.Time) string {
	return t.In(time.FixedZone("", 7*60*60)).Format("2006-01-02 15:04:05 -07:00")
}

func printRecord(w io.Writer, rec *api.Record, group *api.Result) {
	fmt.Fprintf(w, "%s  %s\n", rec.Code, rec.Title)
	fmt.Fprintf(w, "  hồ sơ · dossier       %s\n", rec.Dossier)
	if rec.Archive != "" {
		fmt.Fprintf(w, "  mã lưu trữ · archive  %s\n", rec.Archive)
	}
	fmt.Fprintf(w, "  trạng thái · state    %s\n", states[string(rec.State)])
	fmt.Fprintf(w, "  cơ quan · agency      %s\n", rec.Agency)
	fmt.Fprintf(w, "  nhóm · class          %s\n", rec.Class)
	fmt.Fprintf(w, "  mức tiếp cận · access %s\n", rec.Access)
	fmt.Fprintf(w, "  kết thúc · closed     %s\n", rec.Closed)
	fmt.Fprintf(w, "  tài liệu · documents  %d (%d byte)\n", rec.Documents, rec.Size)
	printVerdict(w, &rec.Verdict)
	for _, h := range slices.Sorted(maps.Keys(rec.Holds)) {
		fmt.Fprintf(w, "  tạm dừng · hold       %s  %s\n", h, vietnam(rec.Holds[h]))
	}
	printFindings(w, rec.Findings)
	if group != nil {
		fmt.Fprintf(w, "  nhóm liên thông · group  %s, %d hồ sơ · dossiers\n", rec.Group, group.Total)
		for _, h := range group.Hits {
			if h.Dossier != rec.Dossier {
				fmt.Fprintf(w, "    %s  %s\n", h.Code, h.Title)
			}
		}
	}
	fmt.Fprintln(w, "  đời sống · life")
	printActs(w, rec.Acts)
}

// printFindings shows what the checks at intake found wanting.
func printFindings(w io.Writer, found []life.Result) {
	for _, f := range found {
		rule, known := intake.RuleOf(f.Code)
		if !known { // a check that passed
			continue
		}
		fmt.Fprintf(w, "  khi tiếp nhận · intake %s%s\n    %s\n    %s\n", f.Code, places(f.Documents), rule.Vietnamese, rule.English)
	}
}

// places names documents by their place in the declaration, from 1.
func places(documents []int) string {
	var b strings.Builder
	for i, n := range documents {
		if i == 0 {
			b.WriteString(", tài liệu · document")
		}
		fmt.Fprintf(&b, " %d", n+1)
	}
	return b.String()
}

func printActs(w io.Writer, all []api.Act) {
	for _, a := range all {
		fmt.Fprintf(w, "    %04d  %s  %s\n", a.N, vietnam(a.Time), acts[a.Type])
	}
}

func printVerdict(w io.Writer, v *retention.Verdict) {
	fmt.Fprintf(w, "  thời hạn · retention  %s", statuses[v.Status])
	if !v.Until.IsZero() {
		fmt.Fprintf(w, ", %s", v.Until.In(time.FixedZone("", 7*60*60)).Format(time.DateOnly))
	}
	fmt.Fprintf(w, "\n%s\n", reasons(v.Reasons, "    "))
}
