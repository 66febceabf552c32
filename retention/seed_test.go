package retention_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/retention"
)

var update = flag.Bool("update", false, "write the golden files and seed.json")

const seedTitle = "Bảng thời hạn lưu trữ khởi đầu / Retention schedule to start from"

const seedNote = "Bảng này chỉ để khởi đầu, không phải văn bản pháp luật. Phần lớn các dòng lấy từ Thông tư 09/2011/TT-BNV, " +
	"đã bị thay thế từ 15/02/2023 bởi Thông tư 10/2022/TT-BNV; mã TT09 là số thứ tự, không phải số chính thức. " +
	"Người làm lưu trữ phải đối chiếu từng dòng với văn bản đang có hiệu lực rồi mới phê duyệt; dòng chưa phê duyệt giữ hồ sơ lại, không cho hủy. " +
	"Các thời hạn tính theo sự kiện chưa có trong bảng. / " +
	"This table is a starting point and not a legal text. Most rows come from Circular 09/2011/TT-BNV, " +
	"replaced on 15 February 2023 by Circular 10/2022/TT-BNV; the TT09 codes are ordinals, not official numbers. " +
	"An archivist must check every row against the text in force before approving it; a row not approved holds its dossiers and lets nothing be destroyed. " +
	"Periods that run from an event are not in the table yet."

func readCSV(t testing.TB, name string, columns int) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = columns
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// seedFromTables builds the seed from the tables in testdata, which are what a
// person edits.
func seedFromTables(t testing.TB) *retention.Schedule {
	t.Helper()
	s := &retention.Schedule{
		Version:    1,
		Title:      seedTitle,
		Effective:  time.Date(2025, 7, 1, 0, 0, 0, 0, zone),
		Default:    "TTHC-MD",
		Note:       seedNote,
		Procedures: map[string]string{},
		Groups:     map[string]string{},
	}
	for _, c := range readCSV(t, "seed.csv", 11) {
		rule := retention.Rule{Class: c[0], Group: c[1], Vietnamese: c[2], English: c[3], Permanent: c[4] == "permanent",
			Trigger: c[5], Action: c[6], Basis: c[7], Certainty: c[8], Approved: c[9] == "yes", Note: c[10]}
		if !rule.Permanent {
			years, err := strconv.Atoi(c[4])
			if err != nil {
				t.Fatal(err)
			}
			rule.Years = years
		}
		s.Rules = append(s.Rules, rule)
	}
	for _, c := range readCSV(t, "procedures.csv", 3) {
		s.Procedures[c[0]] = c[1]
	}
	for _, c := range readCSV(t, "groups.csv", 2) {
		s.Groups[c[0]] = c[1]
	}
	return s
}

func TestSeedIsWhatTheTablesSay(t *testing.T) {
	canonical, err := seedFromTables(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, canonical, "", "\t"); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile("seed.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("seed.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatal("seed.json differs from testdata/*.csv: go test ./retention -run TestSeedIs -update")
	}
	again, err := retention.Seed().Encode()
	if err != nil || !bytes.Equal(again, canonical) {
		t.Fatalf("Seed() does not encode to the canonical bytes: %v", err)
	}
}

func TestSeedApprovesOnlyWhatIsInForce(t *testing.T) {
	s := retention.Seed()
	approved := 0
	for _, r := range s.Rules {
		if !r.Approved {
			continue
		}
		approved++
		if r.Certainty != "found" && r.Certainty != "confirmed" {
			t.Errorf("%s: approved with certainty %s", r.Class, r.Certainty)
		}
		for _, replaced := range []string{"thay thế", "09/2011", "01/2011"} {
			if strings.Contains(r.Basis, replaced) {
				t.Errorf("%s: approved on a replaced text: %s", r.Class, r.Basis)
			}
		}
		if strings.Contains(r.Note, "nâng lên") {
			t.Errorf("%s: approved with a period that is not the text's", r.Class)
		}
	}
	if approved < 25 || approved > 60 {
		t.Errorf("%d of %d rules approved", approved, len(s.Rules))
	}
	for _, r := range s.Rules {
		if strings.HasPrefix(r.Class, "TTHC-") && r.Approved {
			t.Errorf("%s: a proposed period is approved", r.Class)
		}
	}
	for _, half := range strings.SplitN(s.Note, " / ", 2) {
		if !strings.Contains(half, "09/2011/TT-BNV") {
			t.Errorf("the note does not name the replaced circular: %s", half)
		}
	}
}

// The procedures that an archive of a commune sees most, and what the seed
// makes of a dossier closed in 2003.
func TestSeedOnUsualProcedures(t *testing.T) {
	s := retention.Seed()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, zone)
	want := map[string]retention.Status{
		"1.001193": retention.Undetermined, // birth: sector table not read
		"1.000656": retention.Undetermined,
		"1.004222": retention.Undetermined,
		"2.002409": retention.Undetermined,
		"2.000908": retention.Undetermined,
		"9.999999": retention.Undetermined, // default, not approved
		"2.000884": retention.Due,          // signatures: 2 years
		"2.001035": retention.Due,          // contracts: 20 years
		"2.001019": retention.Undetermined, // wills
	}
	for _, procedure := range slices.Sorted(maps.Keys(want)) {
		v := s.Decide(retention.Facts{Procedure: procedure, Closed: time.Date(2003, 5, 6, 0, 0, 0, 0, zone)}, nil, now)
		if v.Status != want[procedure] {
			t.Errorf("%s: %s, want %s: %v", procedure, v.Status, want[procedure], v.Reasons)
		}
		if v.Basis == "" {
			t.Errorf("%s: no legal basis", procedure)
		}
	}
	if class, ok := s.Class("2.000884", "Hộ tịch"); !ok || class != "ND23-14.2" {
		t.Errorf("procedure before group: %s, %t", class, ok)
	}
	if class, ok := s.Class("", "Hộ tịch"); !ok || class != "TTHC-HT" {
		t.Errorf("group: %s, %t", class, ok)
	}
	if class, ok := s.Class("", ""); !ok || class != "TTHC-MD" {
		t.Errorf("default: %s, %t", class, ok)
	}
	if class, ok := new(retention.Schedule).Class("", ""); ok {
		t.Errorf("empty schedule: %s", class)
	}
}
