package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
)

// env is what a command knows of the world.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer // results; everything else
	now            func() time.Time
	getenv         func(string) string
}

// Exit codes, as the help says.
const (
	exitDone = iota
	exitFailed
	exitUsage
	exitNotFound
	exitRefused
	exitUnverified
)

const rootLong = `luutru lưu trữ hồ sơ điện tử đã đóng của thủ tục hành chính: tiếp nhận, giữ nguyên vẹn và chứng minh được,
tra cứu, giao bản sao đã kiểm tra, và hủy khi đến hạn.
luutru keeps closed electronic dossiers of administrative procedures: takes them in, keeps them provable, finds
them, hands out verified copies, and destroys them when their time has come.

Thử ngay · Try it:  luutru demo

Mã thoát · Exit codes:
  0  xong · done
  1  thất bại · failed
  2  dùng sai lệnh · wrong usage
  3  không tìm thấy · not found
  4  bị từ chối (đang tạm dừng hủy, chưa đến hạn, không có quyền, trùng mã, hồ sơ có lỗi)
     refused (held, not due, not allowed, conflict, dossier with faults)
  5  kiểm tra không đạt · verification failed`

// usageError is a command that was not understood.
type usageError struct{ error }

// Unwrap returns the error.
func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// root is what all commands share.
type root struct {
	env
	config    string
	server    string
	tokenFile string
	json      bool
	started   bool // the command line was understood
}

func newRootCommand(e env) (*cobra.Command, *root) {
	r := &root{env: e}
	cmd := &cobra.Command{
		Use: "luutru", Short: "Kho lưu trữ hồ sơ điện tử · Archive of electronic dossiers", Long: rootLong,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun:  func(*cobra.Command, []string) { r.started = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	cmd.SetOut(e.stdout)
	cmd.SetErr(e.stderr)
	cmd.SetIn(e.stdin)
	cmd.SetUsageTemplate(usageTemplate)
	f := cmd.PersistentFlags()
	f.StringVar(&r.config, "config", "", "tệp cấu hình (mặc định $LUUTRU_CONFIG, rồi ./luutru.json)\nconfiguration file (default $LUUTRU_CONFIG, then ./luutru.json)")
	f.StringVar(&r.server, "server", "", "địa chỉ máy chủ (mặc định $LUUTRU_SERVER, rồi tệp cấu hình)\naddress of the server (default $LUUTRU_SERVER, then the configuration)")
	f.StringVar(&r.tokenFile, "token-file", "", "tệp chứa mã truy cập (mặc định $LUUTRU_TOKEN là chính mã đó, rồi tệp cấu hình)\nfile with the access token (default $LUUTRU_TOKEN, the token itself, then the configuration)")
	f.BoolVar(&r.json, "json", false, "in kết quả dạng JSON\nprint results as JSON")
	cmd.AddCommand(
		newInitCommand(r), newServeCommand(r), newPushCommand(r), newSearchCommand(r), newShowCommand(r), newGetCommand(r), newReceiptCommand(r),
		newVerifyCommand(r), newHoldCommand(r), newRetentionCommand(r), newDestroyCommand(r), newLedgerCommand(r), newCheckCommand(r),
		newRebuildCommand(r), newReconcileCommand(r), newChangesCommand(r), newPolicyCommand(r), newAgenciesCommand(r), newConformCommand(r), newKeysCommand(r), newTokenCommand(r), newScheduleCommand(r), newDemoCommand(r), newVersionCommand(r),
	)
	cmd.SetHelpCommand(&cobra.Command{Use: "help [command]", Short: "Trợ giúp về một lệnh · Help about a command", Hidden: true, RunE: func(c *cobra.Command, args []string) error {
		found, _, err := c.Root().Find(args)
		if err != nil {
			return usageError{err}
		}
		return found.Help()
	}})
	return cmd, r
}

const usageTemplate = `Cách dùng · Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasExample}}

Ví dụ · Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Lệnh · Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Tùy chọn · Options:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Tùy chọn chung · Common options:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		c.SetOut(c.ErrOrStderr())
		return errors.Join(usagef("thiếu lệnh con · subcommand missing"), c.Usage())
	}}
	cmd.AddCommand(commands...)
	return cmd
}

// run runs a command line and returns the exit code.
func run(ctx context.Context, e env, args []string) int {
	cmd, r := newRootCommand(e)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !r.started {
		err = usageError{err}
	}
	code := exitCode(err)
	fmt.Fprintln(e.stderr, message(err, code))
	if code == exitUsage {
		fmt.Fprintln(e.stderr, "hint: luutru --help, luutru <command> --help")
	}
	return code
}

// exits is the one table from errors to exit codes. The first that fits counts.
var exits = []struct {
	code int
	errs []error
}{
	{exitUnverified, []error{archive.ErrProof, archive.ErrCorrupt, chain.ErrTampered, audit.ErrTampered, signing.ErrSignature, dossier.ErrPackage, errFindings}},
	{exitRefused, []error{archive.ErrConflict, archive.ErrDestroyed, archive.ErrNotDue, archive.ErrGroup, archive.ErrDenied, archive.ErrCase, custody.ErrStopped, api.ErrUnauthenticated}},
	{exitNotFound, []error{fs.ErrNotExist}},
}

// errFindings is a check that found something.
var errFindings = errors.New("kiểm tra phát hiện sai lệch · the check found something")

func exitCode(err error) int {
	var usage usageError
	var invalid *dossier.ValidationError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &invalid):
		return exitRefused
	}
	for _, x := range exits {
		for _, known := range x.errs {
			if errors.Is(err, known) {
				return x.code
			}
		}
	}
	return exitFailed
}

// message writes an error for people: what kind it is in both languages, unless
// the server said that already, and then the error.
func message(err error, code int) string {
	var p *api.Problem
	var s *retention.Error
	if errors.As(err, &p) {
		return "luutru: " + err.Error()
	}
	if errors.As(err, &s) {
		return "luutru: " + problems(s.Problems)
	}
	var invalid *dossier.ValidationError
	if errors.As(err, &invalid) {
		text := ""
		for _, x := range invalid.Problems {
			text += fmt.Sprintf("\n%s (%s)\n  %s\n  %s", x.Field, x.Code, x.Vietnamese, x.English)
		}
		return "luutru: " + err.Error() + text
	}
	kind := []string{"", "thất bại · failed", "dùng sai lệnh · wrong usage", "không tìm thấy · not found", "bị từ chối · refused", "kiểm tra không đạt · verification failed"}[code]
	return "luutru: " + kind + ": " + err.Error()
}

// reasons writes reasons, each in both languages.
func reasons(rs []retention.Reason, indent string) string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "\n%s%s\n%s%s", indent, r.Vietnamese, indent, r.English)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// problems writes what is wrong with a file, and where.
func problems(rs []retention.Reason) string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "\n%s (%s)\n  %s\n  %s", r.About, r.Code, r.Vietnamese, r.English)
	}
	return b.String()
}

// print writes a result: as JSON if that was asked for, else as text writes it.
func (r *root) print(v any, text func(w io.Writer)) error {
	if !r.json {
		var b strings.Builder
		text(&b)
		_, err := io.WriteString(r.stdout, b.String())
		return err
	}
	e := json.NewEncoder(r.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// say writes a remark for people.
func (r *root) say(format string, args ...any) { fmt.Fprintf(r.stderr, format+"\n", args...) }
