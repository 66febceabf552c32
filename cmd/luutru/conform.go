package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/conform"
	signers "github.com/luutru/luutru/docsig/trust"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
)

// errNotConform is a package that does not conform; the report says why.
var errNotConform = errors.New("có gói tin không đạt, xem báo cáo · a package does not conform, see the report")

type conformOptions struct {
	policy string
	html   string
	all    bool
	most   int64
}

func newConformCommand(r *root) *cobra.Command {
	var o conformOptions
	cmd := &cobra.Command{
		Use: "conform PATH|URL…", Short: "Kiểm tra gói tin của hệ thống nguồn, không cần kho lưu trữ · Check a source system's packages, without an archive",
		Args: cobra.MinimumNArgs(1),
		Long: "Dành cho đơn vị làm hệ thống một cửa: chạy mọi quy tắc của kho trên gói tin mà hệ thống xuất ra (thư mục có dossier.json,\n" +
			"gói E-ARK, gói BagIt; ZIP, TAR hay thư mục; một thư mục chứa nhiều gói; URL của một gói, hoặc của danh sách JSON các URL).\n" +
			"Không cần kho, không cần khóa, không gửi gì đi. Báo cáo từng quy tắc: đạt, không đạt, không áp dụng, căn cứ và cách sửa.\n" +
			"Mã thoát 0: mọi gói đạt; 1: có gói không đạt.\n\n" +
			"For those who build source systems: runs every rule of the archive over the packages that their system produces (a folder\n" +
			"with dossier.json, an E-ARK package, a bag; as ZIP, TAR or folder; a folder of many; the URL of a package, or of a JSON list\n" +
			"of URLs). It needs no archive and no keys, and sends nothing. Each rule is reported: passed, failed, not applicable, with\n" +
			"its source and how to mend it. Exit code 0: every package conforms; 1: one does not.",
		Example: "  luutru conform hoso/2026-0001\n  luutru conform --html bao-cao.html xuat/\n  luutru conform https://motcua.example.vn/xuat/danh-sach.json",
		RunE:    func(cmd *cobra.Command, args []string) error { return runConform(cmd.Context(), r, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.policy, "policy", "", "tệp chính sách tiếp nhận của kho (mặc định: chính sách có sẵn)\nfile with the archive's intake policy (default: the one that comes with the program)")
	f.StringVar(&o.html, "html", "", "ghi thêm báo cáo HTML vào tệp này\nwrite the report as HTML to this file, too")
	f.BoolVar(&o.all, "all", false, "liệt kê cả quy tắc đạt và không áp dụng\nlist the rules that passed or do not apply, too")
	f.Int64Var(&o.most, "max-download", 4<<30, "dung lượng lớn nhất của một gói tải về, byte\nlargest package to be downloaded, in bytes")
	return cmd
}

func runConform(ctx context.Context, r *root, o conformOptions, args []string) error {
	kit, err := r.kit(o.policy)
	if err != nil {
		return err
	}
	run := conformRun{kit: kit, report: kit.Report(), client: &http.Client{Timeout: time.Hour}, most: o.most}
	for _, arg := range args {
		if err := run.argument(ctx, arg); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := writeReport(o.html, run.report.HTML); err != nil {
			return err
		}
	}
	write := func(w io.Writer) error { return run.report.Text(w, o.all) }
	if r.json {
		write = run.report.JSON
	}
	if err := write(r.stdout); err != nil {
		return err
	}
	if !run.report.OK() {
		return errNotConform
	}
	return nil
}

// kit makes a conformance kit that follows the policy.
func (r *root) kit(file string) (*conform.Kit, error) {
	policy := intake.Default()
	if file != "" {
		var err error
		if policy, err = readPolicy(file); err != nil {
			return nil, err
		}
	}
	var anchors *signers.Anchors
	if len(policy.Trust.CAs) > 0 {
		var err error
		if anchors, err = signers.New(slices.Concat(policy.Trust.CAs, policy.Trust.CRLs), policy.Trust.TSAs); err != nil {
			return nil, err
		}
	}
	inspector, err := inspect.New(inspect.Config{Permitted: policy.Formats, Anchors: anchors, Scanner: policy.Scanner, Now: r.now})
	if err != nil {
		return nil, err
	}
	return conform.New(conform.Config{Policy: policy, Inspector: inspector, Now: r.now})
}

// conformRun checks one package after the other.
type conformRun struct {
	kit    *conform.Kit
	report *conform.Report
	client *http.Client
	most   int64
}

func (c *conformRun) argument(ctx context.Context, arg string) error {
	if conform.IsAddress(arg) {
		addresses, err := conform.Fetch(ctx, c.client, arg)
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
		for _, address := range addresses {
			if err := c.download(ctx, address); err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
		}
		return nil
	}
	found, err := conform.Find(arg)
	if err != nil {
		return err
	}
	for _, at := range found {
		if err := c.one(ctx, at, at); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (c *conformRun) download(ctx context.Context, address string) (err error) {
	name, err := conform.Download(ctx, c.client, address, "", c.most)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(name)) }()
	return c.one(ctx, name, address)
}

func (c *conformRun) one(ctx context.Context, at, name string) (err error) {
	source, closer, err := conform.OpenSource(at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	source.Name = name
	result, err := c.kit.Check(ctx, source)
	if err != nil {
		return err
	}
	c.report.Add(result)
	return nil
}

// writeReport writes a report to a file.
func writeReport(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
