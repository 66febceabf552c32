package agency_test

import (
	"fmt"

	"github.com/luutru/luutru/agency"
)

// A province's own table says which commune took over a district's dossiers.
func ExampleHistory_Covers() {
	h, err := agency.Parse([]byte("H49.31,huyện Hải Hà,,2025-06-30,H49.97,read,an example\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Covers("H49.97", "000.00.31.H49"), h.Successors("H49.31", "2025-06-30"), h.Successors("H49.31", "2026-01-01"))
	// Output: true [H49.31] [H49.97]
}
