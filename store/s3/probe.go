package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/luutru/luutru/store"
)

// Report says what a bucket and its server can.
type Report struct {
	Server       string        // what the server calls itself, may be empty
	Skew         time.Duration // by how much its clock is ahead of the local one
	Capabilities []Capability
}

// Capability is one thing that Probe has tried.
type Capability struct {
	Name   string
	OK     bool
	Needed bool   // production must not do without
	Detail string // what was seen instead, if not OK

	// What follows where it is lacking.
	Vietnamese, English string
}

// Missing returns what production needs and the bucket lacks.
func (r *Report) Missing() []Capability {
	var missing []Capability
	for _, c := range r.Capabilities {
		if c.Needed && !c.OK {
			missing = append(missing, c)
		}
	}
	return missing
}

// Probe tries out, on scratch objects below "probe/", what luutru needs of a
// bucket: of the archive bucket if archive is true, which must have versions
// and object lock, else of a plain one, which must have neither. It takes some
// seconds, since it waits for a lock to end, and leaves nothing behind; what
// an earlier Probe left when it was interrupted it removes.
//
// The error is for a server that does not answer; all else is in the Report.
func Probe(ctx context.Context, b *Bucket, archive bool) (*Report, error) {
	heard, answer := listen(ctx)
	versioning, err := b.core.GetBucketVersioning(heard, b.name)
	if err != nil {
		return nil, b.translate(ctx, "probe", b.name, err)
	}
	p := &probe{b: b, prefix: scratch + newMark() + "/", archive: archive, versioning: versioning.Status}
	report := &Report{Server: answer.header.Get("Server")}
	if !b.autolock {
		p.sweep(ctx)
		defer p.clean(ctx)
	}
	for _, trial := range p.trials() {
		c := Capability{
			Name: trial.name, Needed: trial.needed,
			Vietnamese: trial.vietnamese, English: trial.english,
		}
		err := errNotTried
		if !b.autolock || trial.harmless {
			err = trial.run(ctx, p)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("probe %q: %w", b.name, ctx.Err())
		}
		if c.OK = err == nil; !c.OK {
			c.Detail = b.text(err)
		}
		report.Capabilities = append(report.Capabilities, c)
	}
	report.Skew = p.skew
	return report, nil
}

var errNotTried = errors.New("not tried: the bucket locks everything by default, and a trial would stay for as long")

// probe is the state of one Probe.
type probe struct {
	b          *Bucket
	prefix     string
	archive    bool
	versioning string
	skew       time.Duration
	locked     *store.Info // under a short lock, for the trials of its end
	held       *store.Info // the same, and held
	lift       []*store.Info
}

// trial is one check. An error says what is wrong.
type trial struct {
	name                string
	needed              bool
	harmless            bool // leaves no object
	run                 func(context.Context, *probe) error
	vietnamese, english string
}

func (p *probe) trials() []trial {
	trials := []trial{
		{name: "clock", needed: true, harmless: true, run: tryClock,
			vietnamese: "Đồng hồ của máy chủ lưu trữ lệch so với máy này: thời hạn khóa và mốc thời gian không đáng tin cậy.",
			english:    "The clocks of the storage server and of this machine differ: locks and dates cannot be relied on."},
		{name: "read-after-write", needed: true, run: tryRead,
			vietnamese: "Dữ liệu vừa ghi có thể chưa đọc lại được: kho sẽ báo thiếu hồ sơ đang có.",
			english:    "What was just written may not be read back: the archive would miss records that are there."},
		{name: "put-if-absent", needed: true, run: tryPutIfAbsent,
			vietnamese: "Hai tiến trình có thể ghi đè lên nhau: chỉ được chạy một máy chủ luutru trên kho này.",
			english:    "Two processes can overwrite each other: only one luutru server may run on this bucket."},
		{name: "range", needed: true, run: tryRange,
			vietnamese: "Không đọc được từng phần của gói: không mở được tài liệu trong gói.",
			english:    "Objects cannot be read in part: documents cannot be taken out of a package."},
		{name: "list", needed: true, run: tryList,
			vietnamese: "Danh sách đối tượng thiếu hoặc sai thứ tự: không kiểm tra và phục hồi được kho.",
			english:    "Listings are incomplete or out of order: the archive cannot be checked or recovered."},
		{name: "multipart", needed: true, run: tryMultipart,
			vietnamese: "Không nhận được gói lớn.",
			english:    "Large packages cannot be stored."},
		{name: "damage-refused", run: tryDamage,
			vietnamese: "Dữ liệu hỏng trên đường truyền vẫn được nhận và chỉ bị phát hiện khi đọc lại.",
			english:    "Content damaged on its way is accepted, and found out only when it is read."},
		{name: "private", needed: true, run: tryPrivate,
			vietnamese: "Người không có khóa truy cập vẫn đọc được kho.",
			english:    "The bucket can be read without an access key."},
	}
	if p.archive {
		return append(trials, archiveTrials()...)
	}
	return append(trials,
		trial{name: "no-versions", needed: true, harmless: true, run: tryNoVersions,
			vietnamese: "Kho giữ lại bản cũ: khóa mã hóa đã hủy vẫn có thể khôi phục.",
			english:    "The bucket keeps old versions: destroyed keys could be recovered."},
		trial{name: "delete", needed: true, run: tryDelete,
			vietnamese: "Không xóa hẳn được: khóa mã hóa đã hủy vẫn còn.",
			english:    "Deleting is not final: destroyed keys are still there."},
	)
}

func archiveTrials() []trial {
	return []trial{
		{name: "no-default-lock", needed: true, harmless: true, run: tryNoDefaultLock,
			vietnamese: "Kho tự khóa mọi đối tượng: phần ghi dở không xóa được và hồ sơ không hủy được đúng hạn.",
			english:    "The bucket locks everything by itself: leftovers cannot be removed, nor records destroyed when due."},
		{name: "versions", needed: true, run: tryVersions,
			vietnamese: "Ghi đè làm mất bản cũ: khóa không bảo vệ được nội dung.",
			english:    "Overwriting loses the older version: a lock protects nothing."},
		{name: "delete-versions", needed: true, run: tryDelete,
			vietnamese: "Không xóa hẳn được: hồ sơ đã hủy vẫn còn trên đĩa.",
			english:    "Deleting is not final: destroyed records stay on the disks."},
		{name: "put-over-marker", run: tryMarker,
			vietnamese: "Nếu có người xóa bằng công cụ khác, khóa đối tượng đó chỉ dùng lại được sau khi xóa hẳn.",
			english:    "After somebody deletes with another tool, the key can be written again only once it is purged."},
		{name: "lock", needed: true, run: tryLock,
			vietnamese: "Không khóa được: hồ sơ có thể bị xóa trước thời hạn.",
			english:    "Locks do not hold: records can be removed before their time."},
		{name: "hold", needed: true, run: tryHold,
			vietnamese: "Không tạm dừng hủy được ở mức kho.",
			english:    "A legal hold does not keep an object from being removed."},
		{name: "lock-multipart", needed: true, run: tryLockMultipart,
			vietnamese: "Gói lớn không khóa được.",
			english:    "Large packages cannot be locked."},
		{name: "lock-in-put", run: tryLockInPut,
			vietnamese: "Mỗi lần ghi có khóa cần thêm hai yêu cầu.",
			english:    "Every locked put costs two more requests."},
		{name: "lock-ends", needed: true, run: tryLockEnds,
			vietnamese: "Khóa hết hạn vẫn không xóa được: không hủy được hồ sơ đúng hạn.",
			english:    "What was locked cannot be removed afterwards: records cannot be destroyed when due."},
		{name: "hold-outlives-lock", needed: true, run: tryHoldOutlivesLock,
			vietnamese: "Hồ sơ đang tạm dừng hủy có thể bị xóa khi khóa hết hạn.",
			english:    "An object on hold can be removed once its lock has ended."},
	}
}

// clean removes what this Probe wrote, waiting for its locks to end.
func (p *probe) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for _, info := range p.lift {
		p.b.Hold(ctx, info.Key, info.Version, false)
	}
	for left := true; left; {
		left = false
		for info := range p.latest(ctx, p.prefix) {
			left = p.b.Delete(ctx, info.Key) != nil || left
		}
		if left && !pause(ctx, 3) {
			return
		}
	}
}

// sweep removes what an interrupted Probe left. It may meet the scratch objects
// of one that is running, which are younger than the limit.
func (p *probe) sweep(ctx context.Context) {
	const limit = 5 * time.Minute
	for info := range p.latest(ctx, scratch) {
		if p.b.wire.time().Sub(info.Modified) < limit {
			continue
		}
		if p.b.locking && !info.DeleteMarker {
			if lock, err := p.b.Locked(ctx, info.Key, info.Version); err == nil && lock.Hold {
				p.b.Hold(ctx, info.Key, info.Version, false)
			}
		}
		p.b.Delete(ctx, info.Key)
	}
}

// latest yields the latest version of every key, also where that is a delete
// marker.
func (p *probe) latest(ctx context.Context, prefix string) iter.Seq[*store.Info] {
	return func(yield func(*store.Info) bool) {
		for info, err := range p.b.List(ctx, prefix, &store.ListOptions{Versions: p.versioning != ""}) {
			if err != nil || info.Latest && !yield(info) {
				return
			}
		}
	}
}
