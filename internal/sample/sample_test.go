package sample_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/luutru/luutru/internal/sample"
)

// declaration is what the tests read; the names are those of the declaration format.
type declaration struct {
	Access, Agency, Channel, Code, Fonds, Group, Language, Level, Outcome, Procedure, Sector, Title string

	AgencyName    string `json:"agency_name"`
	ProcedureName string `json:"procedure_name"`
	ResultNumber  string `json:"result_number"`
	ResultDate    string `json:"result_date"`
	ResultSigner  string `json:"result_signer"`
	Note          string

	Received, Accepted, Due, Settled, Delivered, Closed, Begin, End string

	Links []struct{ Code, Kind string }

	Applicant struct {
		Name, Address, Birth, Sex string

		PersonalID string `json:"personal_id"`
	}
	Subjects []struct {
		Name, Birth, Sex string

		PersonalID string `json:"personal_id"`
	}
	Keywords  []string
	Opinions  []struct{ By, Text, Time string }
	Documents []struct {
		Name, Subject, Type, Number, Notation, Issued, Issuer, Role, Origin, Copy, SHA256 string

		MediaType string `json:"media_type"`
		Size      int
		Pages     int
	}
}

func read(t *testing.T, d sample.Dossier) declaration {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(d.Declaration))
	dec.DisallowUnknownFields()
	var v declaration
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("declaration of %s: %v", d.Code, err)
	}
	return v
}

func collect(seed uint64, n int, opts sample.Options) []sample.Dossier {
	return slices.Collect(sample.Make(seed, n, opts))
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	a, b := collect(3, 12, sample.Options{}), collect(3, 12, sample.Options{})
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave other dossiers")
	}
	if !reflect.DeepEqual(a[:5], collect(3, 5, sample.Options{})) {
		t.Error("a longer series does not begin with the shorter one")
	}
	if c := collect(4, 1, sample.Options{}); bytes.Equal(a[0].Declaration, c[0].Declaration) {
		t.Error("two seeds gave the same dossier")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	n := 0
	for range sample.Make(1, 1_000_000, sample.Options{}) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d dossiers", n)
	}
	if got := collect(1, 0, sample.Options{}); len(got) != 0 {
		t.Errorf("asked for none, got %d", len(got))
	}
}

func TestDeclarations(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for d := range sample.Make(11, 60, sample.Options{}) {
		seen[d.Kind]++
		v := read(t, d)
		checkCanonical(t, d)
		checkDocuments(t, d, v)
		checkFields(t, d, v)
	}
	for _, k := range sample.Kinds() {
		if seen[k] == 0 {
			t.Errorf("no dossier of kind %q", k)
		}
	}
}

// checkCanonical compares with the encoding of a map, which sorts its keys.
func checkCanonical(t *testing.T, d sample.Dossier) {
	t.Helper()
	var v any
	if err := json.Unmarshal(d.Declaration, &v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if want := bytes.TrimSuffix(b.Bytes(), []byte("\n")); !bytes.Equal(want, d.Declaration) {
		t.Errorf("declaration of %s is not canonical:\n%s\n%s", d.Code, d.Declaration, want)
	}
}

func checkDocuments(t *testing.T, d sample.Dossier, v declaration) {
	t.Helper()
	if len(v.Documents) != len(d.Files) {
		t.Fatalf("%s: %d documents declared, %d files", d.Code, len(v.Documents), len(d.Files))
	}
	names := map[string]bool{}
	for i, f := range d.Files {
		doc := v.Documents[i]
		sum := sha256.Sum256(f.Data)
		if digest := hex.EncodeToString(sum[:]); f.SHA256 != digest || doc.SHA256 != digest {
			t.Errorf("%s %s: digest differs", d.Code, f.Name)
		}
		if doc.Name != f.Name || doc.MediaType != f.MediaType || doc.Size != len(f.Data) || doc.Pages < 1 {
			t.Errorf("%s: %+v does not describe the file %s %s %d", d.Code, doc, f.Name, f.MediaType, len(f.Data))
		}
		if names[f.Name] || !regexp.MustCompile(`^[0-9a-z][0-9a-z.-]+$`).MatchString(f.Name) {
			t.Errorf("%s: name %q", d.Code, f.Name)
		}
		names[f.Name] = true
		if !slices.Contains([]string{"submitted", "processing", "result"}, doc.Role) || !slices.Contains([]string{"born_digital", "digitised"}, doc.Origin) {
			t.Errorf("%s %s: role %q, origin %q", d.Code, f.Name, doc.Role, doc.Origin)
		}
		if doc.Subject == "" || doc.Issuer == "" || !regexp.MustCompile(`^\d\d$`).MatchString(doc.Type) || (doc.Number == "") != (doc.Notation == "") {
			t.Errorf("%s %s: incomplete %+v", d.Code, f.Name, doc)
		}
		if _, err := time.Parse(time.DateOnly, doc.Issued); err != nil || doc.Issued > v.Closed {
			t.Errorf("%s %s: issued %s, closed %s", d.Code, f.Name, doc.Issued, v.Closed)
		}
	}
}

func checkFields(t *testing.T, d sample.Dossier, v declaration) {
	t.Helper()
	if v.Code != d.Code || v.Title != d.Title || v.Title == "" || v.Language != "vi" || v.Fonds == "" || v.AgencyName == "" || v.Sector == "" || v.ProcedureName == "" {
		t.Errorf("%s: incomplete %+v", d.Code, v)
	}
	if !(v.Received <= v.Settled && v.Settled <= v.Closed) || v.Begin > v.End {
		t.Errorf("%s: received %s, settled %s, closed %s, begin %s, end %s", d.Code, v.Received, v.Settled, v.Closed, v.Begin, v.End)
	}
	if v.Accepted != v.Received || v.Due < v.Received || (v.Delivered == "") != (v.ResultDate == "") || (v.ResultSigner == "") != (v.ResultDate == "") {
		t.Errorf("%s: accepted %s, due %s, delivered %s, result of %s by %q", d.Code, v.Accepted, v.Due, v.Delivered, v.ResultDate, v.ResultSigner)
	}
	if linked := v.Group != "" && v.Group != v.Code; linked != (len(v.Links) == 1 && v.Links[0].Code == v.Group && v.Links[0].Kind == "parent") {
		t.Errorf("%s: group %q, links %v", d.Code, v.Group, v.Links)
	}
	if !regexp.MustCompile(`^\d\.\d{6}$`).MatchString(v.Procedure) {
		t.Errorf("%s: procedure %q", d.Code, v.Procedure)
	}
	if !slices.Contains([]string{"open", "conditional"}, v.Access) || !slices.Contains([]string{"online", "direct", "post"}, v.Channel) {
		t.Errorf("%s: access %q, channel %q", d.Code, v.Access, v.Channel)
	}
	withdrawn := v.Outcome == "withdrawn"
	if !slices.Contains([]string{"granted", "refused", "stopped", "withdrawn"}, v.Outcome) || withdrawn != (v.ResultNumber == "") {
		t.Errorf("%s: outcome %q, result %q", d.Code, v.Outcome, v.ResultNumber)
	}
	for _, o := range v.Opinions {
		if at, err := time.Parse("2006-01-02T15:04:05.000000Z", o.Time); err != nil || o.By == "" || o.Text == "" || at.Format(time.DateOnly) < v.Received || at.Format(time.DateOnly) > v.Settled {
			t.Errorf("%s: opinion %+v", d.Code, o)
		}
	}
	if len(v.Keywords) == 0 || v.Applicant.Address == "" {
		t.Errorf("%s: keywords %v, address %q", d.Code, v.Keywords, v.Applicant.Address)
	}
	checkID(t, v.Applicant.PersonalID, v.Closed)
	checkName(t, v.Applicant.Name)
	for _, s := range v.Subjects {
		checkID(t, s.PersonalID, v.Closed)
		checkName(t, s.Name)
		if s.PersonalID == v.Applicant.PersonalID {
			t.Errorf("%s: the applicant stands among the subjects", d.Code)
		}
	}
}

// checkID holds a personal ID against the rules: province, century and sex, year of birth, six digits.
func checkID(t *testing.T, id, closed string) {
	t.Helper()
	if !regexp.MustCompile(`^\d{12}$`).MatchString(id) {
		t.Errorf("personal ID %q", id)
		return
	}
	if !slices.Contains(strings.Fields(sample.IDProvinces()), id[:3]) {
		t.Errorf("personal ID %q: no such province", id)
	}
	century := 1900 + int(id[3]-'0')/2*100
	born := century + int(id[4]-'0')*10 + int(id[5]-'0')
	var year int
	if _, err := fmt.Sscan(closed[:4], &year); err != nil {
		t.Fatal(err)
	}
	if born < 1900 || born > year {
		t.Errorf("personal ID %q: born in %d, dossier of %d", id, born, year)
	}
}

func checkName(t *testing.T, name string) {
	t.Helper()
	if n := len(strings.Fields(name)); n < 3 || n > 4 || name != strings.Join(strings.Fields(name), " ") {
		t.Errorf("name %q", name)
	}
}

func TestIDProvinces(t *testing.T) {
	t.Parallel()
	codes := strings.Fields(sample.IDProvinces())
	if len(codes) != 63 || !slices.IsSorted(codes) || codes[0] != "001" || codes[62] != "096" {
		t.Errorf("%d provinces %v, want the 63 of before the mergers", len(codes), codes)
	}
}

// canonical follows the format's rule for agency-date-ordinal codes.
func canonical(code string) string {
	i := strings.LastIndexByte(code[:strings.LastIndexByte(code, '-')], '-')
	parts := strings.Split(code[:i], ".")
	unit := regexp.MustCompile(`^[A-Z]\d\d$`)
	if unit.MatchString(parts[len(parts)-1]) && !unit.MatchString(parts[0]) {
		slices.Reverse(parts)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return strings.Trim(s, "0") == "" })
	return strings.Join(parts, ".") + code[i:]
}

func TestCodes(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^([A-Z]\d\d(\.\d+)*|\d+(\.\d+)*\.[A-Z]\d\d)-\d{6}-\d{4}$`)
	seen := map[string]uint64{}
	old := 0
	for _, seed := range []uint64{0, 1, 2, 15} {
		for _, p := range sample.Plan(seed, 3000, sample.Options{}) {
			if !pattern.MatchString(p.Code) || !strings.Contains(p.Code, p.Received.Format("-060102-")) {
				t.Errorf("code %q, received %s", p.Code, p.Received)
			}
			c := canonical(p.Code)
			if !strings.HasPrefix(c, p.Agency+"-") {
				t.Errorf("code %q of agency %s is canonically %s", p.Code, p.Agency, c)
			}
			if other, ok := seen[c]; ok {
				t.Errorf("code %q of seed %d given by seed %d already", p.Code, seed, other)
			}
			seen[c] = seed
			if c != p.Code {
				old++
			}
		}
	}
	if old < 1000 || old > 9000 {
		t.Errorf("%d of 12000 codes in the older form", old)
	}
}

// TestCrowdedDays packs thousands of dossiers into a few days of one kind.
func TestCrowdedDays(t *testing.T) {
	t.Parallel()
	opts := sample.Options{Kinds: []string{"petition"}, From: date(2026, 3, 2), To: date(2026, 3, 6)}
	seen := map[string]bool{}
	for _, p := range sample.Plan(5, 5000, opts) {
		c := canonical(p.Code)
		if seen[c] {
			t.Fatalf("code %s twice", c)
		}
		seen[c] = true
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	due := 0
	plans := sample.Plan(8, 4000, sample.Options{})
	for _, p := range plans {
		for _, day := range []time.Time{p.Received, p.Settled, p.Closed} {
			if day.Weekday() == time.Sunday || day.Weekday() == time.Saturday {
				t.Errorf("%s: %s is a %s", p.Code, day.Format(time.DateOnly), day.Weekday())
			}
		}
		if p.Closed.Before(date(1995, 1, 2)) || p.Closed.After(date(2026, 10, 30)) {
			t.Errorf("%s closed %s", p.Code, p.Closed)
		}
		period := map[string]int{"signature certification": 2, "contract certification": 20, "complaint": 15, "petition": 15, "building permit": 20, "household business": 20, "alcohol licence": 20}[p.Kind]
		if period > 0 && p.Closed.Year()+period < 2026 {
			due++
		}
	}
	if share := 100 * due / len(plans); share < 5 || share > 35 {
		t.Errorf("%d %% of the dossiers are due for destruction, want some and not most", share)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	opts := sample.Options{Kinds: []string{"complaint", "birth"}, From: date(2001, 1, 1), To: date(2003, 12, 31)}
	for _, p := range sample.Plan(1, 200, opts) {
		if p.Closed.Before(opts.From) || p.Closed.After(opts.To) {
			t.Errorf("%s closed %s", p.Code, p.Closed)
		}
		if p.Kind != "complaint" && p.Kind != "birth" || p.Group != "" {
			t.Errorf("%s: kind %q, group %q in years without groups", p.Code, p.Kind, p.Group)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown kind went unnoticed")
		}
	}()
	collect(1, 1, sample.Options{Kinds: []string{"no such kind"}})
}

func TestGroups(t *testing.T) {
	t.Parallel()
	members := map[string][]sample.Planned{}
	plans := sample.Plan(2, 3000, sample.Options{Kinds: []string{"birth", "death"}, From: date(2022, 1, 1)})
	cut := plans[len(plans)-1].Group // may lack members
	for _, p := range plans {
		if p.Group != "" && p.Group != cut {
			members[p.Group] = append(members[p.Group], p)
		}
	}
	sizes := map[int]int{}
	for code, list := range members {
		sizes[len(list)]++
		agencies := map[string]bool{}
		for _, p := range list {
			agencies[p.Agency] = true
			if p.Received.Before(list[0].Received) || p.Closed.After(list[0].Closed) || p.Outcome != "granted" {
				t.Errorf("%s is not within its group %s", p.Code, code)
			}
		}
		if list[0].Code != code || len(agencies) < 2 {
			t.Errorf("group %s begins with %s and has %d agencies", code, list[0].Code, len(agencies))
		}
	}
	if sizes[4] == 0 || sizes[5] == 0 {
		t.Errorf("sizes of groups %v, want 4 and 5 (with the identity card)", sizes)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{200_000, 3_000_000} {
		for d := range sample.Make(6, 5, sample.Options{Size: size}) {
			total := 0
			for _, f := range d.Files {
				total += len(f.Data)
			}
			if len(d.Files) != 7 || total < size*98/100 || total > size*102/100 {
				t.Errorf("%s: %d files, %d bytes, want 7 and about %d", d.Code, len(d.Files), total, size)
			}
			checkDocuments(t, d, read(t, d))
		}
	}
}

// TestMemory makes 120 MB and sees that nothing of it stays. It does not run beside other tests.
func TestMemory(t *testing.T) {
	var start uint64
	n := 0
	for range sample.Make(6, 40, sample.Options{Size: 3_000_000}) {
		if n++; n == 5 {
			start = heap()
		}
	}
	if end := heap(); end > start+4<<20 {
		t.Errorf("heap grew from %d to %d bytes", start, end)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

func BenchmarkDossier(b *testing.B) {
	b.ReportAllocs()
	n, size := 0, 0
	for d := range sample.Make(1, b.N, sample.Options{}) {
		n++
		for _, f := range d.Files {
			size += len(f.Data)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "dossiers/s")
	b.ReportMetric(float64(size)/float64(n), "bytes/dossier")
}

func BenchmarkDossier3MB(b *testing.B) {
	b.SetBytes(3_000_000)
	n := 0
	for range sample.Make(1, b.N, sample.Options{Size: 3_000_000}) {
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "dossiers/s")
}

func BenchmarkPDF(b *testing.B) {
	write := sample.PDFMaker()
	b.ReportAllocs()
	for b.Loop() {
		write()
	}
}

func ExampleMake() {
	for d := range sample.Make(7, 2, sample.Options{Kinds: []string{"death"}}) {
		fmt.Println(d.Code, d.Title)
		for _, f := range d.Files {
			fmt.Println(" ", f.Name, f.MediaType)
		}
	}
	// Output:
	// 000.00.112.H26-241211-0007 Liên thông khai tử, xóa đăng ký thường trú, trợ cấp mai táng đối với ông Tạ Quang Xuân Bảo
	//   01-to-khai-lien-thong.xml application/xml
	//   02-giay-tiep-nhan.txt text/plain
	//   03-phieu-kiem-soat.json application/json
	//   04-thong-bao-ket-qua.pdf application/pdf
	// H26.112-241211-0023 Đăng ký khai tử cho ông Tạ Quang Xuân Bảo
	//   01-to-khai-khai-tu.pdf application/pdf
	//   02-giay-bao-tu.png image/png
	//   03-giay-tiep-nhan.txt text/plain
	//   04-trich-luc-khai-tu.pdf application/pdf
}
