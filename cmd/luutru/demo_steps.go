package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/internal/sample"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/store"
)

// sampleOne is a sample dossier as it is pushed.
type sampleOne struct {
	code        string
	declaration []byte
	files       []api.File
}

func sampleOf(s sample.Dossier) sampleOne {
	one := sampleOne{code: s.Code, declaration: s.Declaration}
	for _, f := range s.Files {
		one.files = append(one.files, api.File{Name: f.Name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Data)), nil }})
	}
	return one
}

// pushers is how many dossiers are pushed at a time.
const pushers = 8

func (d *demo) ingest(ctx context.Context) error {
	bar := d.bar(int64(d.dossiers), "   nộp · push", false)
	begin := d.now()
	var mu sync.Mutex
	var errs []error
	todo := make(chan sampleOne)
	var wg sync.WaitGroup
	for range pushers {
		wg.Go(func() {
			for s := range todo {
				r, err := d.people["cong-dvc"].Push(ctx, s.declaration, s.files)
				mu.Lock()
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", s.code, err))
				}
				d.receipts[s.code] = r
				mu.Unlock()
				_ = bar.Add(1)
			}
		})
	}
	documents := 0
	for s := range sample.Make(7, d.dossiers, sample.Options{To: closedUpTo(d.now())}) {
		one := sampleOf(s)
		if d.codes == nil {
			d.one = one
		}
		d.codes = append(d.codes, s.Code)
		documents += len(s.Files)
		todo <- one
	}
	close(todo)
	wg.Wait()
	_ = bar.Finish()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	took := d.now().Sub(begin)
	for code, r := range d.receipts {
		if _, err := r.Verify(d.trust.certificate, d.trust.log); err != nil {
			return fmt.Errorf("receipt of %s: %w", code, err)
		}
	}
	d.seen(fmt.Sprintf("%d hồ sơ, %d tài liệu trong %s; mọi biên nhận đều kiểm tra đúng.", d.dossiers, documents, took.Round(time.Second/10)),
		fmt.Sprintf("%d dossiers, %d documents in %s; every receipt verifies.", d.dossiers, documents, took.Round(time.Second/10)))
	if err := d.node.archive.Indexed(ctx); err != nil {
		return err
	}
	d.seen("Chỉ mục đã theo kịp sổ cái.", "The index has caught up with the ledger.")
	return nil
}

// closedUpTo returns the last day for a sample to be closed: that of package
// sample, unless it has not come yet on this machine.
func closedUpTo(now time.Time) time.Time {
	if last := now.AddDate(0, -1, 0); last.Before(time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC)) {
		return last
	}
	return time.Time{}
}

func (d *demo) again(ctx context.Context) error {
	again, err := d.people["cong-dvc"].Push(ctx, d.one.declaration, d.one.files)
	if err != nil {
		return err
	}
	if *again != *d.receipts[d.one.code] {
		return errors.New("pushed again, the receipt is another")
	}
	d.seen("Nộp lại đúng hồ sơ cũ: nhận lại đúng biên nhận cũ, từng byte.", "The same dossier pushed again: the same receipt, byte for byte.")
	other := bytes.Replace(d.one.declaration, []byte(`"title":"`), []byte(`"title":"Khác: `), 1)
	_, err = d.people["cong-dvc"].Push(ctx, other, d.one.files)
	if !errors.Is(err, archive.ErrConflict) {
		return fmt.Errorf("another content under the same code was not refused: %w", err)
	}
	d.seen("Nội dung khác dưới cùng mã: bị từ chối.", "Another content under the same code: refused.")
	d.quote(err)
	return nil
}

// quote shows what the server said.
func (d *demo) quote(err error) {
	for line := range strings.Lines(err.Error()) {
		d.tell("     │ %s", strings.TrimRight(line, "\n"))
	}
}

// question is what the demonstration searches for.
const question = "đăng ký khai sinh"

func (d *demo) search(ctx context.Context) error {
	lan := d.people["lan"]
	with, err := lan.Search(ctx, index.Query{Text: question, Limit: 200})
	if err != nil {
		return err
	}
	without, err := lan.Search(ctx, index.Query{Text: "dang ky khai sinh", Limit: 200})
	if err != nil {
		return err
	}
	if with.Total == 0 || with.Total != without.Total || !slices.Equal(sorted(with), sorted(without)) {
		return fmt.Errorf("with accents %d dossiers, without %d", with.Total, without.Total)
	}
	d.tell(`   luutru search "%s"`, question)
	top := *with
	top.Hits = top.Hits[:min(2, len(top.Hits))]
	d.printed(func(w io.Writer) { printHits(w, &top, terminal(d.stdout)) })
	d.seen(fmt.Sprintf("Có dấu hay không dấu đều ra đúng %d hồ sơ ấy.", with.Total), fmt.Sprintf("With and without accents the same %d dossiers.", with.Total))
	by, err := lan.Search(ctx, index.Query{Code: d.codes[0]})
	if err != nil || by.Total == 0 {
		return fmt.Errorf("code %s: %w", d.codes[0], errors.Join(err, errors.New("not found")))
	}
	d.seen("Theo mã hồ sơ "+d.codes[0]+": có ngay.", "By the dossier code: there it is.")
	_, err = d.people["cong-dvc"].Search(ctx, index.Query{Text: question})
	if !errors.Is(err, archive.ErrDenied) {
		return fmt.Errorf("the portal may search: %w", err)
	}
	d.seen("Tài khoản của cổng chỉ được nộp, không được tra cứu.", "The portal's account may push, and not search.")
	return nil
}

// sorted returns the dossiers found, in an order of their own.
func sorted(r *api.Result) []string {
	var ids []string
	for _, h := range r.Hits {
		ids = append(ids, h.Dossier)
	}
	slices.Sort(ids)
	return ids
}

// printed indents what a command prints.
func (d *demo) printed(print func(io.Writer)) {
	var b bytes.Buffer
	print(&b)
	for line := range strings.Lines(b.String()) {
		d.tell("   %s", strings.TrimRight(line, "\n"))
	}
}

func (d *demo) show(ctx context.Context) error {
	rec, err := d.people["lan"].Show(ctx, d.codes[0])
	if err != nil {
		return err
	}
	d.printed(func(w io.Writer) { printRecord(w, rec, nil) })
	if rec.State != "archived" || len(rec.Acts) == 0 || rec.Dossier != d.receipts[d.codes[0]].Dossier {
		return errors.New("not the record of the dossier")
	}
	_, err = d.people["lan"].Show(ctx, "H29.68-999999-9999")
	d.seen("Đời sống của hồ sơ là các văn bản ghi việc có chữ ký, nối nhau bằng mã băm.", "Its life is signed acts, each naming the digest of the one before.")
	if err == nil {
		return errors.New("a dossier that does not exist was shown")
	}
	return nil
}

func (d *demo) retrieve(ctx context.Context) error {
	path := filepath.Join(d.dir, "ban-sao.zip")
	quiet := *d.root
	quiet.stdout, quiet.stderr, quiet.config = discard{}, discard{}, filepath.Join(d.dir, "luutru.json")
	get := &getOptions{root: &quiet, purpose: "trình diễn · demonstration"}
	if err := get.get(ctx, d.people["lan"], d.codes[0], "", path); err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	t := d.trust
	out, err := verifyFile(bytes.NewReader(raw), int64(len(raw)), &t)
	if err != nil {
		return err
	}
	d.printed(out.print)
	d.seen("Bản sao tự chứng minh: chữ ký, niêm phong, sổ cái, từng tệp.", "The copy proves itself: signature, seal, ledger, every file.")
	for _, at := range []int{len(raw) / 4, len(raw) / 2} {
		forged := bytes.Clone(raw)
		forged[at] ^= 1
		t := d.trust
		if _, err := verifyFile(bytes.NewReader(forged), int64(len(forged)), &t); !errors.Is(err, archive.ErrProof) {
			return fmt.Errorf("a copy with one bit altered verifies: %w", err)
		}
	}
	d.seen("Đổi một bit: bị phát hiện và từ chối.", "One bit altered: noticed and refused.")
	err = d.people["lan"].Copy(ctx, d.codes[0], "", io.Discard)
	if !errors.Is(err, archive.ErrDenied) {
		return fmt.Errorf("a copy without a purpose: %w", err)
	}
	d.seen("Không nêu mục đích thì không có bản sao; mục đích đã nằm trong sổ cái.", "Without a purpose there is no copy; the purpose is in the ledger.")
	return nil
}

func (d *demo) explain(ctx context.Context) error {
	due, err := d.people["lan"].Due(ctx, time.Time{})
	if err != nil {
		return err
	}
	for _, x := range due {
		if x.Verdict.Action == "destroy" {
			d.due = append(d.due, d.codeOf(x.Dossier))
		}
	}
	if len(d.due) < 4 {
		return fmt.Errorf("only %d dossiers are due", len(d.due))
	}
	d.tell("   luutru retention due → %d", len(due))
	found := map[retention.Status]bool{}
	for _, code := range append([]string{d.due[0]}, d.codes...) {
		v, err := d.people["lan"].Retention(ctx, code)
		if err != nil {
			return err
		}
		if !found[v.Status] {
			found[v.Status] = true
			d.tell("   luutru retention explain %s", code)
			d.printed(func(w io.Writer) { printVerdict(w, v) })
		}
		if found[retention.Due] && found[retention.Retained] && found[retention.Permanent] {
			d.seen("Còn thời hạn, vĩnh viễn, đến hạn: mỗi kết luận kèm lý do.", "Retained, permanent, due: each with its reasons.")
			return nil
		}
	}
	return fmt.Errorf("not every kind of verdict came up: %v", found)
}

// codeOf returns the code of a dossier that was pushed.
func (d *demo) codeOf(id string) string {
	for code, r := range d.receipts {
		if r.Dossier == id {
			return code
		}
	}
	return id
}

func (d *demo) hold(ctx context.Context) error {
	lan, code := d.people["lan"], d.due[0]
	name, err := lan.Hold(ctx, code, "đang có khiếu nại · a complaint is pending")
	if err != nil {
		return err
	}
	_, err = lan.Propose(ctx, []string{code}, "hết thời hạn · period over")
	var not *archive.NotDueError
	if !errors.As(err, &not) || not.Verdict.Status != retention.Held {
		return fmt.Errorf("a held dossier may be proposed for destruction: %w", err)
	}
	d.tell("   luutru hold add %s --reason …  →  %s", code, name)
	d.quote(err)
	d.seen("Hồ sơ đến hạn nhưng đang tạm dừng: không ai đề nghị hủy được.", "The dossier is due but held: nobody can propose its destruction.")
	return nil
}

func (d *demo) destroy(ctx context.Context) error {
	codes := d.due[1:4]
	name, err := d.people["lan"].Propose(ctx, codes, "hết thời hạn lưu trữ · period over")
	if err != nil {
		return err
	}
	d.tell("   lan đề nghị · proposes     %s", strings.Join(codes, ", "))
	if err := d.people["lan"].Review(ctx, name, nil, "x"); !errors.Is(err, archive.ErrDenied) {
		return fmt.Errorf("the archivist reviews her own proposal: %w", err)
	}
	if err := d.people["hoa"].Review(ctx, name, codes[2:], "Biên bản số 5/BB-HĐ"); err != nil {
		return err
	}
	d.tell("   hoa xét · reviews          giữ lại · keep %s", codes[2])
	if err := d.people["son"].Decide(ctx, name, true, "12/QĐ-UBND"); err != nil {
		return err
	}
	d.tell("   son quyết định · decides   12/QĐ-UBND")
	if _, err := d.people["lan"].Execute(ctx, name); !errors.Is(err, retention.ErrFourEyes) {
		return fmt.Errorf("one person takes two steps: %w", err)
	}
	d.seen("Lan không thi hành được đề nghị của chính mình.", "Lan can't execute what she proposed.")
	if _, err := d.people["lan"].Hold(ctx, codes[1], "đơn mới · a new petition"); err != nil {
		return err
	}
	plan, err := d.people["minh"].Preview(ctx, name)
	if err != nil || len(plan.Destroy) != 1 || len(plan.Refused) != 1 {
		return fmt.Errorf("the dry run says %+v: %w", plan, err)
	}
	d.seen("Một hồ sơ bị tạm dừng sau quyết định: chạy thử cho biết nó sẽ được giữ.", "One is held after the decision: the dry run says that it will be kept.")
	certificates, err := d.people["minh"].Execute(ctx, name)
	if !errors.Is(err, archive.ErrNotDue) || len(certificates) != 1 {
		return fmt.Errorf("%d dossiers destroyed: %w", len(certificates), err)
	}
	d.tell("   minh thi hành · executes   đã hủy · destroyed %s", codes[0])
	d.gone = codes[0]
	return d.certified(certificates[0])
}

// certified verifies a certificate of destruction, and that a forged one does
// not.
func (d *demo) certified(k *archive.Certificate) error {
	b, err := k.Encode()
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(d.dir, "bien-ban-huy.json"), b, 0o644); err != nil {
		return err
	}
	t := d.trust
	out, err := verifyFile(bytes.NewReader(b), int64(len(b)), &t)
	if err != nil {
		return err
	}
	if k.Dossier != d.receipts[d.gone].Dossier {
		return errors.New("the certificate is of another dossier")
	}
	d.printed(out.print)
	other := *k
	other.Dossier = d.receipts[d.codes[0]].Dossier
	if err := other.Verify(d.trust.certificate, d.trust.log); !errors.Is(err, archive.ErrProof) {
		return fmt.Errorf("a forged certificate verifies: %w", err)
	}
	d.seen("Biên bản hủy tự chứng minh: đủ bốn bước, bốn người; biên bản giả bị từ chối.", "The certificate proves itself, with four steps by four people; a forged one is refused.")
	return nil
}

func (d *demo) after(ctx context.Context) error {
	lan := d.people["lan"]
	err := lan.Copy(ctx, d.gone, "xem lại · to look again", io.Discard)
	if !errors.Is(err, archive.ErrDestroyed) {
		return fmt.Errorf("a destroyed dossier can be retrieved: %w", err)
	}
	d.quote(err)
	id := d.receipts[d.gone].Dossier
	packages, err := count(ctx, d.node.stores.archive, "packages/"+id+"/")
	if err != nil {
		return err
	}
	packets, err := count(ctx, d.node.stores.keys, id+"/")
	if err != nil {
		return err
	}
	if left := packages + packets; left > 0 {
		return fmt.Errorf("%d objects of it are left in the store", left)
	}
	d.seen("Trong kho chứa không còn gói tin và khóa nào của nó.", "No package and no key packet of it is left in the store.")
	found, err := lan.Search(ctx, index.Query{Code: d.gone})
	if err != nil || found.Total != 0 {
		return fmt.Errorf("the index still finds it: %w", err)
	}
	rec, err := lan.Show(ctx, d.gone)
	if err != nil || rec.State != "destroyed" {
		return fmt.Errorf("its acts are gone, too: %w", err)
	}
	d.tell("   luutru show %s", d.gone)
	d.printed(func(w io.Writer) { printActs(w, rec.Acts) })
	d.seen("Chỉ mục không còn tìm ra; văn bản ghi việc và sổ cái thì còn mãi.", "The index finds it no more; acts and ledger remain.")
	return nil
}

// count returns how many objects, in all their versions, are below a prefix.
func count(ctx context.Context, s store.Store, prefix string) (n int, err error) {
	for _, err := range s.List(ctx, prefix, &store.ListOptions{Versions: true}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (d *demo) verify(ctx context.Context) error {
	s := d.node.stores
	report, err := audit.Verify(ctx, audit.Config{Store: s.archive, Work: s.work, VKey: d.trust.log, Known: d.node.archive.Ledger().Checkpoint(), Now: d.now})
	if err != nil {
		return err
	}
	d.seen(fmt.Sprintf("Sổ cái đọc thẳng từ kho chứa: %d mục trong %d đợt, nguyên vẹn.", report.Entries, report.Batches),
		fmt.Sprintf("The ledger, read from the store: %d entries in %d batches, whole.", report.Entries, report.Batches))
	check, err := d.people["kiem-toan"].Check(ctx, true, true, nil)
	if err != nil {
		return err
	}
	for _, f := range check.Findings {
		d.tell("     %s %s: %s", f.Object, f.Code, f.Vietnamese)
	}
	if len(check.Findings) > 0 {
		return errFindings
	}
	d.seen(fmt.Sprintf("Toàn kho: %d hồ sơ mở ra và so từng tài liệu, %d đã hủy, không sai lệch.", check.Dossiers, check.Destroyed),
		fmt.Sprintf("The archive: %d dossiers opened and every document compared, %d destroyed, nothing wrong.", check.Dossiers, check.Destroyed))
	return nil
}

func (d *demo) restart(ctx context.Context) error {
	before, err := d.people["lan"].Search(ctx, index.Query{Text: question, Limit: 200})
	if err != nil {
		return err
	}
	if err := errors.Join(d.serving.stop(), d.node.Close()); err != nil {
		return err
	}
	d.serving, d.node = nil, nil
	if err := os.RemoveAll(d.config.State); err != nil {
		return err
	}
	d.tell("   rm -r %s", d.config.State)
	begin := d.now()
	if err := d.open(ctx); err != nil {
		return err
	}
	if err := d.node.archive.Indexed(ctx); err != nil {
		return err
	}
	after, err := d.people["lan"].Search(ctx, index.Query{Text: question, Limit: 200})
	if err != nil {
		return err
	}
	if !slices.Equal(sorted(before), sorted(after)) {
		return fmt.Errorf("before %d dossiers, after %d", before.Total, after.Total)
	}
	d.seen(fmt.Sprintf("Dựng lại trong %s chỉ từ kho chứa và khóa; câu hỏi cũ, câu trả lời cũ: %d hồ sơ.", d.now().Sub(begin).Round(time.Second/10), after.Total),
		fmt.Sprintf("Rebuilt in %s from store and keys alone; same question, same answer: %d dossiers.", d.now().Sub(begin).Round(time.Second/10), after.Total))
	return nil
}
