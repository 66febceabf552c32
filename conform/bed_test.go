package conform_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/conform"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/inspect"
	"github.com/luutru/luutru/intake"
)

func now() time.Time {
	return time.Date(2026, 11, 24, 10, 22, 30, 0, time.FixedZone("+07:00", 7*60*60))
}

// inspector loads the signatures of formats once for all tests.
var inspector = sync.OnceValues(func() (*inspect.Inspector, error) {
	return inspect.New(inspect.Config{Permitted: intake.Default().Formats, Now: now})
})

func kit(t testing.TB) *conform.Kit {
	t.Helper()
	i, err := inspector()
	if err != nil {
		t.Fatal(err)
	}
	k, err := conform.New(conform.Config{Inspector: i, Now: now, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func files() map[string][]byte {
	return map[string][]byte{
		"Tờ khai.txt":   []byte("Tờ khai đăng ký khai sinh.\n"),
		"Trích lục.txt": []byte("Trích lục khai sinh.\nNgười ký: Nguyễn Văn Mẫu.\n"),
	}
}

// declare returns a declaration that nothing is wrong with.
func declare() *dossier.Declaration {
	d := &dossier.Declaration{
		Code: "H29.68-261030-0001", Agency: "H29.68", AgencyName: "Ủy ban nhân dân phường Bến Nghé",
		Procedure: "1.001193", ProcedureName: "Đăng ký khai sinh", Title: "Hồ sơ đăng ký khai sinh", Access: "conditional", Language: "vi",
		Received: "2026-10-30", Settled: "2026-11-02", Closed: "2026-11-03", Outcome: "granted",
		Applicant: dossier.Person{Name: "Trần Thị Thử"},
		Opinions:  []dossier.Opinion{{By: "Công chức hộ tịch", Time: "2026-11-01T09:00:00+07:00", Text: "Đủ giấy tờ."}},
	}
	for i, name := range []string{"Tờ khai.txt", "Trích lục.txt"} {
		content := files()[name]
		sum := sha256.Sum256(content)
		doc := dossier.Document{
			Name: name, Subject: "Tài liệu", Type: "32", Role: "submitted", Origin: "born_digital",
			MediaType: "text/plain", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Pages: 1,
		}
		if i == 1 {
			doc.Role, doc.Type, doc.Issued, doc.Issuer = "result", "02", "2026-11-02", "UBND phường"
		}
		d.Documents = append(d.Documents, doc)
	}
	return d
}

// folder is a plain package; change may spoil it.
func folder(t testing.TB, change func(*dossier.Declaration, fstest.MapFS)) conform.Source {
	t.Helper()
	d, fsys := declare(), fstest.MapFS{}
	for name, content := range files() {
		fsys[name] = &fstest.MapFile{Data: content}
	}
	if change != nil {
		change(d, fsys)
	}
	if _, taken := fsys["dossier.json"]; !taken {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		fsys["dossier.json"] = &fstest.MapFile{Data: b}
	}
	return conform.Source{Name: "hồ sơ", FS: fsys, Base: "hoso"}
}

// sip is the same dossier as an E-ARK SIP.
func sip(t testing.TB) []byte {
	t.Helper()
	d := declare()
	plan, err := dossier.NewPlan(d, dossier.PackageMeta{
		Kind: dossier.SIP, UUID: "7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F", Archive: "Lưu trữ thử nghiệm", Retention: "01", Created: now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := plan.Writer(&b)
	for _, doc := range d.Documents {
		part, err := w.Document(doc.Name)
		if err == nil {
			_, err = part.Write(files()[doc.Name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bag is the same dossier as a bag.
func bag(t testing.TB) []byte {
	t.Helper()
	d := declare()
	var b bytes.Buffer
	w, err := bagit.NewWriter(&b, bagit.Options{Form: container.ZIP, Name: "hoso", Time: now()})
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte) {
		part, err := w.Create(bagit.Payload{Path: name, Size: int64(len(content))})
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("dossier.json", canonical)
	for _, doc := range d.Documents {
		put(doc.Name, files()[doc.Name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packed(b []byte) conform.Source {
	return conform.Source{Name: "gói tin", R: bytes.NewReader(b), Size: int64(len(b))}
}

func check(t testing.TB, k *conform.Kit, src conform.Source) *conform.Result {
	t.Helper()
	r, err := k.Check(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
