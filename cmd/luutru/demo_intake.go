package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/bagit/container"
	"github.com/luutru/luutru/internal/sample"
)

// otherSeed gives sample dossiers besides those that are pushed first.
const otherSeed = 8

// packages pushes a dossier as a bag, and another on a line that breaks, and
// hands one out for the historical archive.
func (d *demo) packages(ctx context.Context) error {
	for s := range sample.Make(otherSeed, 2, sample.Options{To: closedUpTo(d.now())}) {
		push := d.pushBag
		if len(d.receipts) > d.dossiers {
			push = d.pushBroken
		}
		b, err := d.bag(&s)
		if err != nil {
			return err
		}
		r, err := push(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Code, err)
		}
		if _, err := r.Verify(d.trust.certificate, d.trust.log); err != nil {
			return err
		}
		d.receipts[s.Code] = r
		d.codes = append(d.codes, s.Code)
	}
	if err := d.node.archive.Indexed(ctx); err != nil {
		return err
	}
	return d.handOver(ctx)
}

// bag packs a dossier as BagIt (RFC 8493) has it.
func (d *demo) bag(s *sample.Dossier) ([]byte, error) {
	var b bytes.Buffer
	w, err := bagit.NewWriter(&b, bagit.Options{Form: container.ZIP, Name: "ho-so", Time: d.now(), Info: []bagit.Tag{{Label: "External-Identifier", Value: s.Code}}})
	if err != nil {
		return nil, err
	}
	for _, f := range append([]sample.File{{Name: declarationFile, Data: s.Declaration}}, s.Files...) {
		to, err := w.Create(bagit.Payload{Path: f.Name, Size: int64(len(f.Data)), SHA256: f.SHA256})
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return b.Bytes(), err
}

func (d *demo) pushBag(ctx context.Context, b []byte) (*archive.Receipt, error) {
	r, err := d.people["cong-dvc"].PushPackage(ctx, "application/zip", bytes.NewReader(b), int64(len(b)))
	if err == nil {
		d.seen("Một gói BagIt (RFC 8493) dạng ZIP: kiểm tra mọi giá trị băm rồi nhận lưu.", "A bag (RFC 8493) in a ZIP: every digest compared, then archived.")
	}
	return r, err
}

// errCut is the line of the demonstration breaking.
var errCut = errors.New("line cut")

type cut struct{}

// Read implements io.Reader.
func (cut) Read([]byte) (int, error) { return 0, errCut }

// pushBroken uploads a package on a line that breaks in the middle, and goes on.
func (d *demo) pushBroken(ctx context.Context, b []byte) (*archive.Receipt, error) {
	c := d.people["cong-dvc"]
	path, err := c.Begin(ctx, int64(len(b)))
	if err != nil {
		return nil, err
	}
	half, err := c.Send(ctx, path, 0, bytes.NewReader(b[:len(b)/2]))
	if err != nil {
		return nil, err
	}
	if _, err := c.Send(ctx, path, half, io.MultiReader(bytes.NewReader(b[half:3*len(b)/4]), cut{})); err == nil {
		return nil, errors.New("a broken line went unnoticed")
	}
	at, end := int64(0), int64(0)
	for tries := 0; end < int64(len(b)); tries++ {
		if at, err = c.Offset(ctx, path); err != nil {
			return nil, err
		}
		end, err = c.Send(ctx, path, at, bytes.NewReader(b[at:]))
		if err != nil && (tries == 10 || !broken(ctx, err)) { // what was cut off may still be arriving
			return nil, err
		}
	}
	r, err := c.Outcome(ctx, path)
	if err == nil {
		d.seen(fmt.Sprintf("Đứt đường truyền giữa chừng (tus): máy chủ giữ %d trong %d byte, gửi tiếp từ đó.", at, len(b)),
			fmt.Sprintf("The line broke in the middle (tus): the server kept %d of %d octets, and the rest followed.", at, len(b)))
	}
	return r, err
}

// handOver gets a dossier in the form that the historical archive takes.
func (d *demo) handOver(ctx context.Context) error {
	path := filepath.Join(d.dir, "nop-lich-su.zip")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.people["lan"].CopyAs(ctx, d.codes[0], archive.FormSIP, "nộp lưu trữ lịch sử · to the historical archive", f); err != nil {
		return err
	}
	if err := wellFormed(ctx, f, archive.FormSIP); err != nil {
		return err
	}
	d.tell("   luutru get %s --form sip", d.codes[0])
	d.seen("Gói nộp lưu trữ lịch sử (SIP, Thông tư 05/2025): đạt mọi yêu cầu bắt buộc của E-ARK.", "The package for the historical archive (SIP, Circular 05/2025) meets every MUST of E-ARK.")
	return nil
}

// reconcile compares the list of what the portal has closed with the archive.
func (d *demo) reconcile(ctx context.Context) error {
	var list strings.Builder
	list.WriteString("code,agency\n")
	for _, code := range append(d.codes, "H29.68-260101-9999") {
		fmt.Fprintf(&list, "%s,H29\n", code)
	}
	sums := map[archive.Status]int{}
	for a, err := range d.people["cong-dvc"].Reconcile(ctx, "text/csv", strings.NewReader(list.String())) {
		if err != nil {
			return err
		}
		sums[a.Status]++
	}
	for _, s := range answers {
		if n := sums[s.Status]; n > 0 {
			d.tell("   %6d  %s", n, s.name)
		}
	}
	if sums[archive.Stored] != len(d.codes)-1 || sums[archive.Missing] != 1 || sums[archive.Destroyed] != 1 {
		return fmt.Errorf("the reconciliation says %v", sums)
	}
	d.seen("Danh mục của cổng khớp với kho: hồ sơ còn thiếu và hồ sơ đã hủy được chỉ ra.", "The portal's list is compared: what is missing and what was destroyed shows.")
	events, _, err := d.people["cong-dvc"].Changes(ctx, 0, 1000)
	if err != nil || len(events) == 0 {
		return fmt.Errorf("changes: %w", errors.Join(err, errors.New("none")))
	}
	last := events[len(events)-1]
	d.seen(fmt.Sprintf("Dòng sự kiện (CloudEvents): %d sự kiện, mới nhất là %s.", len(events), last.Type), fmt.Sprintf("The feed (CloudEvents): %d events, the newest is %s.", len(events), last.Type))
	return nil
}
