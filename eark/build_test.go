package eark_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/eark"
)

func now() time.Time {
	return time.Date(2026, 11, 24, 10, 22, 30, 0, time.FixedZone("+07:00", 7*60*60))
}

// contents are three documents with names as people give them.
func contents() (names []string, files map[string][]byte) {
	names = []string{"Tờ khai đăng ký (bản 1) 100%.pdf", "giấy chứng sinh #2.jpg", "Trích lục.pdf"}
	files = make(map[string][]byte)
	for i, name := range names {
		files[name] = bytes.Repeat([]byte{byte('a' + i)}, 1+i*40000)
	}
	return names, files
}

func declare() *dossier.Declaration {
	d := &dossier.Declaration{
		Code: "H29.68-260630-0001", Agency: "H29.68", AgencyName: "Ủy ban nhân dân phường Bến Nghé",
		Procedure: "1.001193", ProcedureName: "Đăng ký khai sinh", Sector: "Hộ tịch",
		Title: "Hồ sơ đăng ký khai sinh <thử> & kiểm", Access: "conditional", Language: "vi",
		Received: "2026-06-30", Settled: "2026-07-02", Closed: "2026-07-03", Outcome: "granted", Channel: "online",
		Applicant: dossier.Person{Name: "Trần Thị Thử", PersonalID: "079190001234", Birth: "1990-04-30"},
		Keywords:  []string{"khai sinh", "hộ tịch"},
		Opinions:  []dossier.Opinion{{By: "Công chức hộ tịch", Time: "2026-07-01T09:00:00+07:00", Text: "Đủ giấy tờ.\nTrình ký."}},
	}
	names, files := contents()
	for i, name := range names {
		sum := sha256.Sum256(files[name])
		doc := dossier.Document{
			Name: name, Subject: fmt.Sprintf("Tài liệu %d", i+1), Type: "32", Role: "submitted", Origin: "digitised",
			MediaType: "application/pdf", Size: int64(len(files[name])), SHA256: hex.EncodeToString(sum[:]), Pages: 1,
		}
		if i == 2 {
			doc.Role, doc.Origin, doc.Type = "result", "born_digital", "02"
			doc.Number, doc.Notation, doc.Issued, doc.Issuer = "12", "QĐ-UBND", "2026-07-02", "UBND phường"
		}
		d.Documents = append(d.Documents, doc)
	}
	return d
}

// write returns the package of the kind as this archive writes it, and the name
// of its folder.
func write(t testing.TB, kind dossier.Kind) (name string, packed []byte) {
	t.Helper()
	meta := dossier.PackageMeta{
		Kind: kind, UUID: "7D0D1987-0F1C-47A7-8FD6-CC5C7DE4064F", Archive: "Lưu trữ thử nghiệm", Retention: "01", Created: now(),
	}
	if kind == dossier.AIP {
		meta.Sign = func([]byte) ([]byte, error) {
			return []byte("-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"), nil
		}
	}
	d := declare()
	plan, err := dossier.NewPlan(d, meta)
	if err != nil {
		t.Fatal(err)
	}
	_, files := contents()
	var b bytes.Buffer
	w := plan.Writer(&b)
	for _, doc := range d.Documents {
		part, err := w.Document(doc.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(files[doc.Name]); err != nil {
			t.Fatal(err)
		}
	}
	var events []dossier.Event
	if kind != dossier.SIP {
		events = []dossier.Event{
			{Type: "ingestion", Time: now(), Outcome: "success"},
			{Type: "virus check", Time: now(), Agent: "clamav 1.4", Outcome: "success", Detail: "không có mã độc <&>"},
		}
	}
	if _, err := w.Close(events); err != nil {
		t.Fatal(err)
	}
	return plan.Name(), b.Bytes()
}

func open(t testing.TB, b []byte) *eark.Package {
	t.Helper()
	p, err := eark.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	p.Now = now()
	return p
}

// unpack returns the files of a ZIP by their path below the top folder, and
// their order.
func unpack(t testing.TB, b []byte) (order []string, files map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files = make(map[string][]byte)
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		at := f.Name[bytes.IndexByte([]byte(f.Name), '/')+1:]
		order = append(order, at)
		files[at] = content
	}
	return order, files
}

// repack makes a ZIP of files under one folder.
func repack(t testing.TB, top string, order []string, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, at := range order {
		content, ok := files[at]
		if !ok {
			continue
		}
		h := &zip.FileHeader{Name: top + at, Method: zip.Store}
		if len(content) < 4096 {
			h.Method = zip.Deflate
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
