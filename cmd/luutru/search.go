package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/index"
)

type searchOptions struct {
	*root
	q        index.Query
	from, to string
}

func newSearchCommand(r *root) *cobra.Command {
	o := &searchOptions{root: r}
	cmd := &cobra.Command{
		Use: "search [WORDS...]", Short: "Tra cứu hồ sơ · Search for dossiers",
		Long: "Từ có dấu hay không dấu đều được; cụm từ đặt trong \"ngoặc kép\"; mã hồ sơ và số hiệu gõ cả hoặc phần đầu.\n" +
			"Words with or without accents; phrases in \"quotes\"; codes and numbers whole or their beginning.",
		Example: "  luutru search giấy phép xây dựng\n  luutru search 'giay phep xay dung' --from 2024-01-01",
		RunE:    func(cmd *cobra.Command, args []string) error { return runSearch(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.q.Code, "code", "", "mã hồ sơ hoặc phần đầu · dossier code or its beginning")
	f.StringVar(&o.q.Agency, "agency", "", "mã cơ quan · agency")
	f.StringVar(&o.q.Procedure, "procedure", "", "mã thủ tục · procedure")
	f.StringVar(&o.q.PersonalID, "person", "", "số định danh cá nhân · personal ID")
	f.StringVar(&o.q.Class, "class", "", "nhóm hồ sơ · retention class")
	f.StringVar(&o.q.Group, "group", "", "mã nhóm liên thông: mọi hồ sơ trong nhóm\ncode of a group: all dossiers in it")
	f.StringVar(&o.from, "from", "", "kết thúc từ ngày · closed from this day (2024-01-31)")
	f.StringVar(&o.to, "to", "", "kết thúc đến hết ngày · closed up to this day")
	f.IntVar(&o.q.Offset, "offset", 0, "bỏ qua bao nhiêu kết quả · hits to skip")
	f.IntVar(&o.q.Limit, "limit", 20, "số kết quả · hits to show")
	return cmd
}

func runSearch(ctx context.Context, o *searchOptions, args []string) (err error) {
	o.q.Text = strings.Join(args, " ")
	if o.q.From, err = day(o.from); err != nil {
		return err
	}
	if o.q.To, err = day(o.to); err != nil {
		return err
	}
	if !o.q.To.IsZero() {
		o.q.To = o.q.To.AddDate(0, 0, 1)
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	res, err := c.Search(ctx, o.q)
	if err != nil {
		return err
	}
	return o.print(res, func(w io.Writer) { printHits(w, res, terminal(o.stdout)) })
}

// day reads a date given on the command line; empty is none.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, usagef("ngày viết như 2024-01-31 · a date is written 2024-01-31: %q", s)
	}
	return t, nil
}

func printHits(w io.Writer, res *api.Result, colour bool) {
	fmt.Fprintf(w, "%[1]d hồ sơ · %[1]d dossiers\n", res.Total)
	if res.Relaxed {
		fmt.Fprintln(w, "Không hồ sơ nào có đủ các từ; đây là các hồ sơ gần nhất. · No dossier has all the words; these come nearest.")
	}
	for _, h := range res.Hits {
		fmt.Fprintf(w, "\n%s  %s\n  %s · %s · %s – %s · %s\n", h.Code, h.Title, h.Dossier, h.Agency, h.Begin, h.End, h.Class)
		if h.Group != "" {
			fmt.Fprintf(w, "  nhóm liên thông · group %s\n", h.Group)
		}
		if h.Document != "" {
			fmt.Fprintf(w, "  %s: %s\n", h.Document, snippet(h.Snippet, colour))
		}
	}
}

// snippet writes what was found on one line, what was asked for bold or in
// brackets.
func snippet(fs []api.Fragment, colour bool) string {
	on, off := "[", "]"
	if colour {
		on, off = "\x1b[1m", "\x1b[0m"
	}
	var b strings.Builder
	for _, f := range fs {
		s := printable(f.Text)
		if f.Lit {
			s = on + s + off
		}
		b.WriteString(s)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// printable drops what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, s)
}
