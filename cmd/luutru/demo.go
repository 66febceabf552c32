package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/signing"
)

type demoOptions struct {
	*root
	exit             bool
	dir, addressFile string
	dossiers         int
}

func newDemoCommand(r *root) *cobra.Command {
	o := &demoOptions{root: r}
	cmd := &cobra.Command{
		Use: "demo", Short: "Trình diễn toàn bộ, không cần chuẩn bị gì · Show everything, with nothing to prepare", Args: cobra.NoArgs,
		Long: "Lập một kho lưu trữ trong thư mục tạm, nộp các hồ sơ mẫu qua HTTP, rồi trình diễn và tự kiểm tra từng bước. Sau đó tiếp\n" +
			"tục chạy cho đến Ctrl-C để thử lệnh.\n\n" +
			"Make an archive in a temporary folder, push sample dossiers over HTTP, then show every step and check it. Then keep\n" +
			"running until Ctrl-C, to try commands.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.exit, "exit", false, "dừng khi trình diễn xong · stop when everything was shown")
	cmd.Flags().StringVar(&o.dir, "dir", "", "thư mục (mặc định: tạm, xóa khi dừng) · folder (default: a temporary one, removed at the end)")
	cmd.Flags().StringVar(&o.addressFile, "address-file", "", "ghi địa chỉ máy chủ vào tệp này khi trình diễn xong\nwrite the server's address to this file when everything was shown")
	cmd.Flags().IntVar(&o.dossiers, "dossiers", 300, "số hồ sơ mẫu · number of sample dossiers")
	return cmd
}

// demo is a demonstration under way.
type demo struct {
	*demoOptions
	ours     bool // the folder, and it goes at the end
	config   *Config
	node     *node
	serving  *serving
	log      *slog.Logger
	schedule *retention.Schedule
	people   map[string]*api.Client
	trust    trust
	receipts map[string]*archive.Receipt // by dossier code
	codes    []string                    // in the order of the samples
	one      sampleOne                   // pushed first, for pushing it again
	due      []string                    // codes of dossiers that are due
	gone     string                      // code of the dossier that was destroyed
}

// staff are the accounts of the demonstration: the portal, and five people
// none of whom can destroy anything alone.
var staff = []struct {
	archive.Agent
	what string
}{
	{archive.Agent{Subject: "cong-dvc", Roles: []archive.Role{archive.Producer}, Agencies: []string{"*"}}, "cổng dịch vụ công, nộp hồ sơ · the portal, pushes dossiers"},
	{archive.Agent{Subject: "lan", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"*"}}, "lưu trữ viên, đề nghị hủy · archivist, proposes"},
	{archive.Agent{Subject: "hoa", Roles: []archive.Role{archive.Council}, Agencies: []string{"*"}}, "Hội đồng xét hủy · council, reviews"},
	{archive.Agent{Subject: "son", Roles: []archive.Role{archive.Approver}, Agencies: []string{"*"}}, "người có thẩm quyền, quyết định · approver, decides"},
	{archive.Agent{Subject: "minh", Roles: []archive.Role{archive.Archivist}, Agencies: []string{"*"}}, "lưu trữ viên, thi hành · archivist, executes"},
	{archive.Agent{Subject: "kiem-toan", Roles: []archive.Role{archive.Auditor}, Agencies: []string{"*"}}, "kiểm toán · auditor, checks"},
}

// step is one thing that is shown. It fails with the reason why what was to be
// seen was not.
type step struct {
	vietnamese, english string
	run                 func(context.Context) error
}

func (d *demo) steps() []step {
	return []step{
		{"Lập kho lưu trữ", "Create the archive", d.create},
		{"Nộp hồ sơ qua HTTP", "Push dossiers over HTTP", d.ingest},
		{"Nộp lại và nộp trùng mã", "Push again, and push another under the same code", d.again},
		{"Nộp gói, gửi tiếp khi đứt mạng, nộp lưu trữ lịch sử", "Packages: in, over a broken line, and out for the historical archive", d.packages},
		{"Tra cứu có dấu và không dấu", "Search with and without accents", d.search},
		{"Hồ sơ và đời sống của nó", "A dossier and its life", d.show},
		{"Giao bản sao, kiểm tra không cần mạng", "Retrieve a copy and verify it offline", d.retrieve},
		{"Thời hạn lưu trữ, có giải thích", "Retention, explained", d.explain},
		{"Tạm dừng hủy thì không ai hủy được", "What is held nobody destroys", d.hold},
		{"Hủy hồ sơ: bốn bước, bốn người", "Destruction: four steps, four people", d.destroy},
		{"Sau khi hủy", "After the destruction", d.after},
		{"Đối chiếu danh mục của hệ thống nguồn", "Reconcile the source system's list", d.reconcile},
		{"Kiểm tra sổ cái và toàn kho", "Verify the ledger and the whole archive", d.verify},
		{"Mất máy chủ: dựng lại từ kho chứa", "The server is lost: rebuild from the store", d.restart},
	}
}

func runDemo(ctx context.Context, o *demoOptions) (err error) {
	if o.dossiers < 100 {
		return usagef("--dossiers: ít nhất 100 · at least 100")
	}
	d := &demo{demoOptions: o, people: map[string]*api.Client{}, receipts: map[string]*archive.Receipt{}, log: slog.New(slog.NewTextHandler(o.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := d.place(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	begin := o.now()
	for i, s := range d.steps() {
		d.tell("\n━━ %d. %s · %s", i+1, s.vietnamese, s.english)
		if err := s.run(ctx); err != nil {
			d.tell("   ✗ không đạt · failed")
			return fmt.Errorf("demo %d: %w", i+1, err)
		}
	}
	d.tell("\n✓ Mọi bước đều đạt sau %[1]s · Everything was as it must be, after %[1]s", o.now().Sub(begin).Round(time.Second/10))
	if o.exit {
		return nil
	}
	d.invite()
	if o.addressFile != "" {
		if err := writeFile(o.addressFile, []byte(d.serving.url+"\n"), 0o644); err != nil {
			return err
		}
	}
	return d.serving.wait(ctx, d.node)
}

// tell writes a line of the demonstration.
func (d *demo) tell(format string, args ...any) { fmt.Fprintf(d.stdout, format+"\n", args...) }

// seen reports that something was as it must be.
func (d *demo) seen(vietnamese, english string) { d.tell("   ✓ %s\n     %s", vietnamese, english) }

// place finds a folder and configures an archive in it.
func (d *demo) place() error {
	if d.dir == "" {
		dir, err := os.MkdirTemp("", "luutru-demo-")
		if err != nil {
			return err
		}
		d.dir, d.ours = dir, true
	}
	if entries, err := os.ReadDir(d.dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s: %w", d.dir, fs.ErrExist)
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	d.config = trialConfig()
	d.config.Listen, d.config.Server, d.config.Node = "127.0.0.1:0", "", "demo"
	d.config.anchor(d.dir)
	return nil
}

// close stops everything. A folder of our own making goes away.
func (d *demo) close() error {
	var errs []error
	if d.serving != nil {
		errs = append(errs, d.serving.stop())
	}
	if d.node != nil {
		errs = append(errs, d.node.Close())
	}
	if d.ours {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// practice makes a schedule of its own from the one to start from: with every
// rule for administrative procedures approved, so that there is something to
// be seen.
func practice() *retention.Schedule {
	s := retention.Seed()
	s.Version++
	s.Title = "Bảng thực hành, chỉ để trình diễn / Practice schedule, for demonstrations only"
	s.Rules = slices.Clone(s.Rules)
	for i := range s.Rules {
		if r := &s.Rules[i]; strings.HasPrefix(r.Class, "TTHC-") {
			r.Certainty, r.Approved = "confirmed", true
		}
	}
	return s
}

func (d *demo) create(ctx context.Context) error {
	d.schedule = practice()
	quiet := *d.root
	quiet.stdout, quiet.stderr = discard{}, discard{}
	init := &initOptions{keysOptions: keysOptions{root: &quiet, name: "luutru.demo", profile: string(signing.Hybrid)}}
	if err := init.create(ctx, d.config, d.schedule); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	for _, p := range staff {
		secret, err := addToken(d.config.Tokens, p.Agent, d.now().AddDate(0, 0, 1))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(d.dir, p.Subject+".token"), []byte(secret+"\n"), 0o600); err != nil {
			return err
		}
		d.people[p.Subject] = &api.Client{URL: d.serving.url, Token: secret}
		d.tell("   %-10s %s", p.Subject, p.what)
	}
	about, err := d.people["lan"].About(ctx)
	if err != nil {
		return err
	}
	if err := d.trust.fill([]byte(about.Certificate), about.LogKey); err != nil {
		return err
	}
	d.trust.borrowed = false // we made them
	d.tell("   thư mục · folder %s\n   chứng thư · certificate %s\n   sổ cái · ledger %s", d.dir, about.Fingerprint, about.LogKey)
	d.tell("   CHÚ Ý: bảng thời hạn lưu trữ ở đây là BẢNG THỰC HÀNH: mọi nhóm TTHC-* được coi như đã duyệt để có cái mà xem.\n" +
		"   Nó không phải ý kiến pháp lý; bảng khởi đầu thật (luutru schedule show) phần lớn còn chờ người có thẩm quyền duyệt.\n" +
		"   NOTE: the retention schedule here is a PRACTICE SCHEDULE: all TTHC-* classes are taken as approved, so that there is\n" +
		"   something to see. It is no legal opinion; most of the real one to start from still waits for approval.")
	d.seen("Khóa lai chống lượng tử, ba thùng chứa, sổ cái, bảng thời hạn đã có.", "Post-quantum hybrid keys, three buckets, ledger and schedule are there.")
	return d.keepConfig()
}

// open opens the archive and begins to serve it.
func (d *demo) open(ctx context.Context) (err error) {
	quiet := *d.root
	quiet.stderr = discard{}
	if d.node, err = quiet.openNode(ctx, d.config, d.log); err != nil {
		return err
	}
	if _, err := os.Stat(d.config.Tokens); errors.Is(err, fs.ErrNotExist) {
		if err := writeFile(d.config.Tokens, []byte("[]\n"), 0o600); err != nil {
			return err
		}
	}
	if d.serving, err = d.serve(d.config, d.node, d.log); err != nil {
		return err
	}
	d.config.Listen = strings.TrimPrefix(d.serving.url, "http://") // the same after a restart
	return nil
}

// keepConfig writes a configuration for the commands to try.
func (d *demo) keepConfig() error {
	c := trialConfig()
	c.Server, c.TokenFile, c.Listen, c.Node = d.serving.url, "lan.token", d.config.Listen, d.config.Node
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(d.dir, "luutru.json"), append(b, '\n'), 0o644)
}

// invite says what can be tried now.
func (d *demo) invite() {
	d.tell(`
Máy chủ vẫn chạy tại %[1]s. Mở cửa sổ khác và thử · The server is still running at %[1]s. Open another window and try:

  export LUUTRU_CONFIG=%[2]s
  luutru search khai sinh
  luutru show %[3]s
  luutru get %[3]s --purpose 'xem thử' -o ban-sao.zip && luutru verify ban-sao.zip
  luutru get %[3]s --purpose 'nộp lưu trữ' --form sip
  luutru policy show
  luutru retention due
  luutru ledger show
  luutru check --content --token-file %[4]s

Người khác · Other people: --token-file %[5]s/{hoa,son,minh,cong-dvc}.token
Ctrl-C để dừng · to stop`, d.serving.url, filepath.Join(d.dir, "luutru.json"), d.codes[0], filepath.Join(d.dir, "kiem-toan.token"), d.dir)
}

// discard takes what nobody shall see.
type discard struct{}

// Write implements io.Writer.
func (discard) Write(p []byte) (int, error) { return len(p), nil }
