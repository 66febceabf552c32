package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/agency"
)

// newAgenciesCommand shows and checks the table by which a successor sees the
// dossiers of the agencies whose place it took.
func newAgenciesCommand(r *root) *cobra.Command {
	show := &cobra.Command{
		Use: "show", Short: "Xem bảng cơ quan đang dùng · Show the table in use", Args: cobra.NoArgs,
		Long: "Mỗi dòng: mã định danh, tên, ngày bắt đầu và kết thúc, cơ quan kế thừa, mức chắc chắn, nguồn. Chỉ các dòng 'read' có hiệu lực khi\n" +
			"xét quyền. In ra tệp, sửa, rồi đặt \"agencies\" trong cấu hình.\n\n" +
			"A line is: identifier, name, first and last day, successors, certainty, source. Only rows marked 'read' count for rights. Write\n" +
			"it to a file, edit it, and name that as \"agencies\" in the configuration.",
		Example: "  luutru agencies show > co-quan.csv",
		RunE: func(*cobra.Command, []string) error {
			c, err := r.loadConfig()
			if err != nil {
				return err
			}
			h, err := c.history()
			if err != nil {
				return err
			}
			if h == nil {
				h = agency.Default()
			}
			return printAgencies(r, h)
		},
	}
	check := &cobra.Command{
		Use: "check FILE.csv", Short: "Kiểm tra tệp bảng cơ quan · Check the file of a table", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			h, err := agency.Parse(data)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			read := 0
			for _, u := range h.Units() {
				if u.Certainty == agency.Read {
					read++
				}
			}
			r.say("%d cơ quan, %d có hiệu lực khi xét quyền · %[1]d agencies, %[2]d count for rights", len(h.Units()), read)
			return nil
		},
	}
	return group("agencies", "Bảng cơ quan kế thừa · Agencies that took the place of others", show, check)
}

func printAgencies(r *root, h *agency.History) error {
	return r.print(h.Units(), func(w io.Writer) { _, _ = w.Write(h.Encode()) })
}
