package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/audit"
)

func newLedgerCommand(r *root) *cobra.Command {
	verify := &cobra.Command{
		Use: "verify", Short: "Kiểm tra toàn bộ sổ cái trong kho chứa · Verify the whole ledger in the store", Args: cobra.NoArgs,
		Long: "Đọc sổ cái từ thùng chứa, chỉ tin khóa của sổ cái và điểm kiểm (checkpoint) lần trước. Không cần khóa bí mật nào.\n" +
			"Read the ledger from the bucket, trusting its verifier key and the last checkpoint alone. No secret key is needed.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runLedgerVerify(cmd.Context(), r) },
	}
	o := &ledgerOptions{root: r}
	show := &cobra.Command{
		Use: "show", Short: "Xem các mục của sổ cái · Show entries of the ledger", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.last = !cmd.Flags().Changed("from")
			return runLedgerShow(cmd.Context(), o)
		},
	}
	show.Flags().Uint64Var(&o.from, "from", 0, "từ mục số (mặc định: các mục cuối) · first entry (default: the last ones)")
	show.Flags().Uint64Var(&o.count, "count", 20, "bao nhiêu mục · how many entries")
	return group("ledger", "Sổ cái · The ledger", verify, show)
}

func runLedgerVerify(ctx context.Context, r *root) (err error) {
	c, err := r.nodeConfig()
	if err != nil {
		return err
	}
	vkey, err := secret(filepath.Join(c.Keys, logVKeyFile))
	if err != nil {
		return err
	}
	known, err := remembered(c.State)
	if err != nil {
		return err
	}
	s, err := openStores(ctx, &c.Store, r.now, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := audit.Verify(ctx, audit.Config{Store: s.archive, Work: s.work, VKey: vkey, Known: known, Now: r.now})
	if report != nil {
		err = errors.Join(err, r.printLedger(report))
	}
	return err
}

func (r *root) printLedger(p *audit.Report) error {
	return r.print(p, func(w io.Writer) {
		fmt.Fprintf(w, "%[1]d mục, %[2]d đợt · %[1]d entries, %[2]d batches\n", p.Entries, p.Batches)
		for _, f := range p.Findings {
			fmt.Fprintf(w, "  %s: %s\n", f.Object, f.Problem)
		}
		if len(p.Findings) == 0 {
			fmt.Fprintf(w, "ĐÚNG · VERIFIED\n%s", p.Checkpoint)
		}
	})
}

type ledgerOptions struct {
	*root
	from, count uint64
	last        bool // no first entry was named: show the last ones
}

// shown is an entry as it is shown.
type shown struct {
	Index uint64          `json:"index"`
	Entry json.RawMessage `json:"entry"`
}

func runLedgerShow(ctx context.Context, o *ledgerOptions) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	size, err := ledgerSize(ctx, c)
	if err != nil {
		return err
	}
	from := o.from
	if o.last && size > o.count {
		from = size - o.count
	}
	for i := from; i < min(size, from+o.count); {
		entries, err := bundleOf(ctx, c, i, size)
		if err != nil {
			return err
		}
		for _, raw := range entries[i%256:] {
			if i >= from+o.count {
				break
			}
			if err := o.printEntry(i, raw); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}

func (o *ledgerOptions) printEntry(i uint64, raw []byte) error {
	e, err := audit.ParseEntry(raw)
	if err != nil {
		return err
	}
	return o.print(shown{i, raw}, func(w io.Writer) {
		what := e.Chain
		if e.N > 0 {
			what += fmt.Sprintf("/%04d", e.N)
		}
		fmt.Fprintf(w, "%8d  %s  %-20s %s\n", i, vietnam(e.Time), e.Type, what)
	})
}

// ledgerSize reads the size in a checkpoint (C2SP tlog-checkpoint).
func ledgerSize(ctx context.Context, c *api.Client) (uint64, error) {
	note, err := c.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	lines := strings.SplitN(string(note), "\n", 3)
	if len(lines) < 3 {
		return 0, errors.New("checkpoint has another form")
	}
	return strconv.ParseUint(lines[1], 10, 64)
}

// bundleOf returns the entries of the bundle that has entry i (C2SP
// tlog-tiles).
func bundleOf(ctx context.Context, c *api.Client, i, size uint64) ([][]byte, error) {
	path := "tile/entries/" + tileNumber(i/256)
	if width := size - i/256*256; width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	b, err := c.Tile(ctx, path)
	if err != nil {
		return nil, err
	}
	return splitBundle(b)
}

// tileNumber writes a number in groups of three digits, all but the last with
// an x.
func tileNumber(n uint64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}

func splitBundle(b []byte) ([][]byte, error) {
	var all [][]byte
	for r := bytes.NewReader(b); r.Len() > 0; {
		var n uint16
		if err := binary.Read(r, binary.BigEndian, &n); err != nil {
			return nil, err
		}
		entry := make([]byte, n)
		if _, err := io.ReadFull(r, entry); err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	return all, nil
}
