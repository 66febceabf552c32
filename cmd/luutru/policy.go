package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/intake"
)

func newPolicyCommand(r *root) *cobra.Command {
	show := &cobra.Command{
		Use: "show", Short: "Xem chính sách đang áp dụng · Show the policy in force", Args: cobra.NoArgs,
		Long: "Mỗi quy tắc kiểm tra, và việc làm khi không đạt: từ chối (reject), chờ (wait), cảnh báo (warn), chỉ ghi lại (record).\n" +
			"--json in chính sách để sửa rồi luutru policy set.\n\n" +
			"Every rule that is checked, and what is done where it is broken: reject, wait, warn, record. --json prints the policy, to\n" +
			"be edited for luutru policy set.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runPolicyShow(cmd.Context(), r) },
	}
	var change policyChange
	set := &cobra.Command{
		Use: "set [FILE.json]", Short: "Áp dụng chính sách mới · Put another policy in force", Args: cobra.MaximumNArgs(1),
		Long: "Không nêu tệp thì sửa chính sách đang áp dụng theo các tùy chọn.\n\n" +
			"Without a file, the policy in force is changed as the options say.",
		Example: "  luutru policy set chinh-sach.json\n  luutru policy set --ca goc-bca.pem --tsa tsa.pem --scanner unix:/run/clamav/clamd.ctl",
		RunE:    func(cmd *cobra.Command, args []string) error { return runPolicySet(cmd.Context(), r, args, &change) },
	}
	set.Flags().StringSliceVar(&change.cas, "ca", nil, "thêm chứng thư gốc tin cậy của người ký (tệp PEM)\nadd trust anchors of signers (PEM file)")
	set.Flags().StringSliceVar(&change.tsas, "tsa", nil, "thêm chứng thư của dịch vụ dấu thời gian (tệp PEM)\nadd trust anchors of time-stamps (PEM file)")
	set.Flags().StringSliceVar(&change.crls, "crl", nil, "thêm danh sách thu hồi (tệp PEM)\nadd revocation lists (PEM file)")
	set.Flags().StringVar(&change.scanner, "scanner", "", "bộ quét mã độc clamd: unix:/đường/dẫn hoặc tcp:máy:cổng\nmalware scanner clamd: unix:/path or tcp:host:port")
	check := &cobra.Command{
		Use: "check FILE.json", Short: "Kiểm tra tệp chính sách, không cần máy chủ · Check the file of a policy, without a server", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			return printPolicy(r, p)
		},
	}
	return group("policy", "Chính sách tiếp nhận · The intake policy", show, set, check)
}

func runPolicyShow(ctx context.Context, r *root) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	p, err := c.Policy(ctx)
	if err != nil {
		return err
	}
	return printPolicy(r, p)
}

// policyChange is what the options of policy set add to a policy.
type policyChange struct {
	cas, tsas, crls []string // PEM files
	scanner         string
}

// apply adds to the policy, and reports whether there was anything to add.
func (c *policyChange) apply(p *intake.Policy) (changed bool, err error) {
	for _, part := range []struct {
		kind  string
		files []string
		to    *[]string
	}{{"CERTIFICATE", c.cas, &p.Trust.CAs}, {"CERTIFICATE", c.tsas, &p.Trust.TSAs}, {"X509 CRL", c.crls, &p.Trust.CRLs}} {
		for _, path := range part.files {
			blocks, err := readPEM(path, part.kind)
			if err != nil {
				return false, err
			}
			for _, b := range blocks {
				if !slices.Contains(*part.to, b) {
					*part.to = append(*part.to, b)
				}
			}
			changed = true
		}
	}
	if c.scanner != "" {
		p.Scanner, changed = c.scanner, true
	}
	return changed, nil
}

// readPEM returns the blocks of a PEM file, each as a text of its own.
func readPEM(path, kind string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var blocks []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != kind {
			return nil, fmt.Errorf("%s: %s, %s: %w", path, block.Type, kind, errPEM)
		}
		blocks = append(blocks, string(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})))
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%s: %w", path, errPEM)
	}
	return blocks, nil
}

var errPEM = errors.New("không phải tệp PEM cần có · not the PEM file that is asked for")

func runPolicySet(ctx context.Context, r *root, args []string, change *policyChange) error {
	var p *intake.Policy
	var err error
	if len(args) > 0 {
		if p, err = readPolicy(args[0]); err != nil {
			return err
		}
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	if p == nil {
		if p, err = c.Policy(ctx); err != nil {
			return err
		}
	}
	changed, err := change.apply(p)
	if err != nil {
		return err
	}
	if !changed && len(args) == 0 {
		return usagef("policy set FILE.json | policy set --ca FILE.pem …")
	}
	if p, err = c.SetPolicy(ctx, p); err != nil {
		return err
	}
	r.say("Chính sách số %[1]d có hiệu lực · Policy %[1]d is in force", p.Version)
	return printPolicy(r, p)
}

func readPolicy(path string) (*intake.Policy, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := intake.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// printPolicy shows what becomes of a dossier that breaks a rule.
func printPolicy(r *root, p *intake.Policy) error {
	if r.json {
		b, err := p.Encode()
		if err == nil {
			_, err = r.stdout.Write(append(b, '\n'))
		}
		return err
	}
	return r.print(p, func(w io.Writer) {
		for _, rule := range intake.Rules() {
			action, mark := rule.Default, " "
			if a, ok := p.Actions[rule.Code]; ok {
				action, mark = a, "*"
			}
			fmt.Fprintf(w, "%s %-8s %-26s %s\n%38s%s\n", mark, action, rule.Code, rule.Vietnamese, "", rule.English)
		}
		for _, subject := range slices.Sorted(maps.Keys(p.Producers)) {
			var own []string
			for _, code := range slices.Sorted(maps.Keys(p.Producers[subject])) {
				own = append(own, fmt.Sprintf("%s=%s", code, p.Producers[subject][code]))
			}
			fmt.Fprintf(w, "riêng · for %s: %s\n", subject, strings.Join(own, ", "))
		}
		scanner := p.Scanner
		if scanner == "" {
			scanner = "không · none"
		}
		fmt.Fprintf(w, "\nsố · version %d; hạn nộp · days to submit %d; quét vi-rút · scanner %s; chứng thư tin cậy · trusted CAs %d, TSAs %d\n",
			p.Version, p.LateDays, scanner, len(p.Trust.CAs), len(p.Trust.TSAs))
		fmt.Fprintln(w, "(* khác mặc định · not the default)")
	})
}
