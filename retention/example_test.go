package retention_test

import (
	"fmt"
	"time"

	"github.com/luutru/luutru/retention"
)

func ExampleSchedule_Decide() {
	hanoi := time.FixedZone("", 7*60*60)
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, hanoi)
	facts := retention.Facts{
		Procedure: "2.001035", // certification of a contract: 20 years
		Closed:    time.Date(2004, 3, 15, 10, 0, 0, 0, hanoi),
	}
	v := retention.Seed().Decide(facts, []retention.Hold{{ID: "H-1"}}, now)
	fmt.Println(v.Status, v.Until.Format(time.RFC3339))
	for _, r := range v.Reasons {
		fmt.Println(r.Vietnamese)
		fmt.Println(" ", r.English)
	}
	// Output:
	// held 2025-01-01T00:00:00+07:00
	// Nhóm hồ sơ ND23-14.3 theo thủ tục 2.001035.
	//   Class ND23-14.3 by procedure 2.001035.
	// Nhóm ND23-14.3 lưu trữ 20 năm tính từ năm 2004 (kết thúc công việc ngày 15/03/2004).
	//   Class ND23-14.3 is kept 20 years counted from 2004 (the end of the work on 15/03/2004).
	// Lệnh tạm dừng hủy H-1: không được hủy cho đến khi lệnh được gỡ bỏ.
	//   Hold H-1: no destruction until it is lifted.
	// Thời hạn lưu trữ đã hết ngày 31/12/2024.
	//   The period ended on 31/12/2024.
}
