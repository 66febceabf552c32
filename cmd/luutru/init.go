package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/retention"
)

type initOptions struct {
	keysOptions
	dir, schedule, code string
}

func newInitCommand(r *root) *cobra.Command {
	o := &initOptions{keysOptions: keysOptions{root: r}}
	cmd := &cobra.Command{
		Use: "init --name NAME", Short: "Tạo kho lưu trữ mới · Create a new archive", Args: cobra.NoArgs,
		Long: "Tạo khóa (nếu chưa có), thùng chứa và bảng thời hạn lưu trữ đầu tiên theo tệp cấu hình.\n" +
			"Với --new, viết trước một cấu hình dùng thử với kho chứa trong tiến trình.\n\n" +
			"Make the keys (unless there are some), the buckets and the first retention schedule as the configuration says.\n" +
			"With --new, first write a configuration for trials with a store inside the process.",
		Example: "  luutru init --new ./thu --name luutru.thu",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.dir, "new", "", "thư mục cho một kho dùng thử\nfolder for an archive to try")
	cmd.Flags().StringVar(&o.code, "code", "", "mã cơ quan lưu trữ, đứng đầu mọi mã lưu trữ hồ sơ (mặc định: tên kho)\nthe archive's agency code, with which archive codes begin (default: its name)")
	cmd.Flags().StringVar(&o.schedule, "schedule", "", "tệp bảng thời hạn lưu trữ (mặc định: bảng khởi đầu, phần lớn chưa được duyệt)\nfile of the retention schedule (default: one to start from, mostly not approved)")
	return cmd
}

func runInit(ctx context.Context, o *initOptions) error {
	if o.dir != "" {
		path, err := newConfig(o.dir)
		if err != nil {
			return err
		}
		o.config = path
	}
	c, err := o.nodeConfig()
	if err != nil {
		return err
	}
	s, err := o.retentionSchedule()
	if err != nil {
		return err
	}
	return o.create(ctx, c, s)
}

// newConfig writes a configuration for trials.
func newConfig(dir string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "luutru.json")
	if _, err := os.Stat(path); err == nil {
		return "", fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	b, err := json.MarshalIndent(trialConfig(), "", "  ")
	if err != nil {
		return "", err
	}
	return path, writeFile(path, append(b, '\n'), 0o644)
}

func trialConfig() *Config {
	return &Config{
		Server: "http://127.0.0.1:8440", Listen: "127.0.0.1:8440", Tokens: "tokens.json", Keys: "keys", State: "state",
		Certificate: filepath.Join("keys", archiveCertFile), LogKey: filepath.Join("keys", logVKeyFile), Store: StoreConfig{Embedded: "store"},
	}
}

func (o *initOptions) retentionSchedule() (*retention.Schedule, error) {
	if o.schedule == "" {
		return retention.Seed(), nil
	}
	b, err := os.ReadFile(o.schedule)
	if err != nil {
		return nil, err
	}
	return retention.ParseSchedule(b)
}

func (o *initOptions) create(ctx context.Context, c *Config, s *retention.Schedule) (err error) {
	k, err := loadKeys(c)
	if errors.Is(err, fs.ErrNotExist) {
		k, err = generateKeys(c, o.profile, o.name, o.now())
	}
	if err != nil {
		return err
	}
	st, err := openStores(ctx, &c.Store, o.now, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := o.suits(ctx, c, st); err != nil {
		return err
	}
	evidence, err := st.evidence(ctx)
	if err != nil {
		return err
	}
	cfg := archive.Config{Archive: evidence, Keys: st.keys, Work: st.work, Keyring: k, Node: c.Node, Now: o.now, NoLock: c.Store.NoLock, Code: o.code}
	if err := archive.Create(ctx, cfg, o.name, s); err != nil {
		return err
	}
	if c.Tokens != "" {
		if _, err := os.Stat(c.Tokens); errors.Is(err, fs.ErrNotExist) {
			if err := writeFile(c.Tokens, []byte("[]\n"), 0o600); err != nil {
				return err
			}
		}
	}
	o.say(offlineAdvice, filepath.Join(c.Keys, offlineFolder))
	out := map[string]any{"archive": o.name, "certificate": k.Archive.Fingerprint(), "log_key": k.LogVerifier, "schedule": s.Version}
	return o.print(out, func(w io.Writer) {
		fmt.Fprintf(w, "Đã tạo kho lưu trữ %[1]s · Archive %[1]s created\n", o.name)
		fmt.Fprintf(w, "  chứng thư · certificate  %s\n  khóa sổ cái · log key    %s\n", k.Archive.Fingerprint(), k.LogVerifier)
		fmt.Fprintf(w, "  bảng thời hạn · schedule %s, %d\n", s.Title, s.Version)
		fmt.Fprintln(w, "Công bố hai dòng trên để mọi người đối chiếu. · Publish these, for everybody to compare with.")
	})
}
