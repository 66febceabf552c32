package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
)

type tokenOptions struct {
	*root
	subject         string
	roles, agencies []string
	days            int
}

func newTokenCommand(r *root) *cobra.Command {
	o := &tokenOptions{root: r}
	cmd := &cobra.Command{
		Use: "new --subject WHO --role ROLE --agency AGENCY", Short: "Cấp mã truy cập · Make an access token", Args: cobra.NoArgs,
		Long: "In mã truy cập một lần duy nhất và ghi mã băm của nó vào tệp tokens; máy chủ đang chạy nhận ngay.\n" +
			"Print the token, this once, and add its digest to the tokens file; a running server sees it at once.\n\n" +
			"Vai trò · Roles: producer archivist council approver inspector auditor administrator",
		Example: "  luutru token new --subject lan --role archivist --agency H29 > lan.token",
		RunE:    func(*cobra.Command, []string) error { return runTokenNew(o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.subject, "subject", "", "tài khoản (bắt buộc) · account (required)")
	f.StringArrayVar(&o.roles, "role", nil, "vai trò, có thể nhiều · role, may be several")
	f.StringArrayVar(&o.agencies, "agency", nil, "mã cơ quan và mọi đơn vị dưới nó; * là tất cả · an agency and all below it; * is all")
	f.IntVar(&o.days, "days", 365, "có giá trị bao nhiêu ngày · days it is valid")
	return group("token", "Mã truy cập · Access tokens", cmd)
}

func runTokenNew(o *tokenOptions) error {
	c, err := o.loadConfig()
	if err != nil {
		return err
	}
	if c.Tokens == "" {
		return usagef(`cấu hình thiếu "tokens" · the configuration lacks "tokens"`)
	}
	by := archive.Agent{Subject: o.subject, Agencies: o.agencies}
	for _, x := range o.roles {
		by.Roles = append(by.Roles, archive.Role(x))
	}
	secret, err := addToken(c.Tokens, by, o.now().AddDate(0, 0, o.days))
	if err != nil {
		return err
	}
	return o.print(map[string]string{"token": secret}, func(w io.Writer) { fmt.Fprintln(w, secret) })
}

// addToken makes a token and adds it to a token file.
func addToken(path string, by archive.Agent, expires time.Time) (string, error) {
	var all []api.Token
	raw, err := os.ReadFile(path)
	if err == nil {
		all, err = api.ParseTokens(raw)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	secret, t := api.NewToken(by, expires)
	out, err := json.MarshalIndent(append(all, t), "", "  ")
	if err != nil {
		return "", err
	}
	if _, err := api.ParseTokens(out); err != nil {
		return "", usageError{err}
	}
	return secret, writeFile(path, append(out, '\n'), 0o600)
}

func newVersionCommand(r *root) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Phiên bản · Version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			out := map[string]string{"version": "(devel)"}
			if b, ok := debug.ReadBuildInfo(); ok {
				out["version"], out["go"] = b.Main.Version, b.GoVersion
				for _, s := range b.Settings {
					if s.Key == "vcs.revision" || s.Key == "vcs.time" {
						out[s.Key] = s.Value
					}
				}
			}
			return r.print(out, func(w io.Writer) {
				fmt.Fprintf(w, "luutru %s (%s) %s\n", out["version"], out["go"], out["vcs.revision"])
			})
		},
	}
}
