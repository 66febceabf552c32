package dossier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/luutru/luutru/dossier"
)

var vietnam = time.FixedZone("+07:00", 7*60*60)

func now() time.Time { return time.Date(2026, 11, 24, 10, 22, 30, 0, vietnam) }

// declare returns a valid declaration of the named documents.
func declare(contents map[string][]byte, names ...string) *dossier.Declaration {
	d := &dossier.Declaration{
		Code: "H29.68-260630-0001", Agency: "H29.68", AgencyName: "Ủy ban nhân dân phường Bến Nghé",
		Procedure: "1.001193", ProcedureName: "Đăng ký khai sinh", Sector: "Hộ tịch",
		Title: "Hồ sơ đăng ký khai sinh <thử> & kiểm", Access: "conditional", Language: "vi",
		Received: "2026-06-30", Settled: "2026-07-02", Closed: "2026-07-03",
		Outcome: "granted", Channel: "online",
		Applicant: dossier.Person{Name: "Trần Thị Thử", PersonalID: "079190001234", Birth: "1990-04-30"},
		Subjects:  []dossier.Person{{Name: "Trần Văn Mẫu"}},
		Keywords:  []string{"khai sinh", "hộ tịch"},
		Opinions:  []dossier.Opinion{{By: "Công chức hộ tịch", Time: "2026-07-01T09:00:00+07:00", Text: "Đủ giấy tờ.\nTrình ký."}},
	}
	for i, name := range names {
		d.Documents = append(d.Documents, document(i, name, contents[name]))
	}
	return d
}

func document(i int, name string, content []byte) dossier.Document {
	sum := sha256.Sum256(content)
	doc := dossier.Document{
		Name: name, Subject: fmt.Sprintf("Tài liệu %d", i+1), Type: "32", Role: "submitted", Origin: "digitised",
		MediaType: "application/pdf", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Pages: 1,
	}
	if i%3 == 2 {
		doc.Role, doc.Origin, doc.Type = "result", "born_digital", "02"
		doc.Number, doc.Notation, doc.Issued, doc.Issuer = "12", "QĐ-UBND", "2026-07-02", "UBND phường"
	}
	return doc
}

func meta() dossier.PackageMeta {
	return dossier.PackageMeta{
		UUID: "7d0d1987-0f1c-47a7-8fd6-cc5c7de4064f", Archive: "Lưu trữ thử nghiệm", Retention: "01", Created: now(),
		Sign: func(mets []byte) ([]byte, error) {
			sum := sha256.Sum256(mets)
			return fmt.Appendf(nil, "-----BEGIN PGP SIGNATURE-----\n\n%x\n-----END PGP SIGNATURE-----\n", sum), nil
		},
	}
}

func events() []dossier.Event {
	return []dossier.Event{
		{Type: "ingestion", Time: now(), Outcome: "success"},
		{Type: "virus check", Time: now(), Agent: "clamav 1.4", Outcome: "success", Detail: "không có mã độc <&>"},
	}
}

// pack writes the package of d and holds it to its plan.
func pack(t testing.TB, d *dossier.Declaration, contents map[string][]byte, m dossier.PackageMeta, e []dossier.Event) (zip []byte, mets string) {
	t.Helper()
	plan, err := dossier.NewPlan(d, m)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := plan.Writer(&b)
	for _, doc := range d.Documents {
		part, err := w.Document(doc.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(part, bytes.NewReader(contents[doc.Name])); err != nil {
			t.Fatal(err)
		}
	}
	mets, err = w.Close(e)
	if err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != plan.Size() {
		t.Fatalf("%d documents: planned %d octets, wrote %d", len(d.Documents), plan.Size(), b.Len())
	}
	if got := open(t, b.Bytes(), mets).Documents(); !slices.Equal(got, plan.Documents()) {
		t.Fatalf("documents planned at %v, found at %v", plan.Documents(), got)
	}
	return b.Bytes(), mets
}

func open(t testing.TB, zip []byte, mets string) *dossier.Package {
	t.Helper()
	p, err := dossier.OpenPackage(bytes.NewReader(zip), int64(len(zip)), mets)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// few returns three documents with names as people give them.
func few() (map[string][]byte, []string) {
	names := []string{"Tờ khai đăng ký (bản 1) 100%.pdf", "giấy chứng sinh #2.jpg", "Trích lục.pdf"}
	r := rand.New(rand.NewPCG(1, 2))
	contents := map[string][]byte{}
	for i, name := range names {
		contents[name] = random(r, 1+i*4000)
	}
	return contents, names
}

func sha(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
