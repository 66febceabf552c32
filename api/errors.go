package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/luutru/luutru/archive"
	"github.com/luutru/luutru/audit"
	"github.com/luutru/luutru/chain"
	"github.com/luutru/luutru/custody"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/index"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/retention"
	"github.com/luutru/luutru/staging"
)

// Errors of the protocol itself.
var (
	// ErrUnauthenticated: no token, or one that is unknown or expired. Get
	// another.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrRequest: the request is not of the form that is asked for.
	ErrRequest = errors.New("request not understood")
	// ErrSlow: the request came to a stop. Send it again.
	ErrSlow = errors.New("request came too slowly")

	errClosing = errors.New("server is closing")
)

// kind is a line of the table of errors.
type kind struct {
	errs       []error // the error, and the wider ones it is at the same time
	code       string
	status     int
	title      string
	vietnamese string
	english    string
	// say tells that the error's own text is for the client too: it holds
	// what the client sent, or reasons, and nothing else.
	say bool
}

// kinds is the one table from errors to answers, and back. The first line that
// fits counts: what is corrupt may well wrap what is absent.
var kinds = []kind{
	{[]error{ErrUnauthenticated}, "unauthenticated", http.StatusUnauthorized, "Chưa xác thực · Not authenticated",
		"Thiếu mã truy cập, hoặc mã không đúng hay đã hết hạn.", "The access token is missing, unknown or expired.", false},
	{[]error{ErrSlow}, "slow", http.StatusRequestTimeout, "Yêu cầu bị ngắt quãng · Request came to a stop",
		"Dữ liệu ngừng đến quá lâu. Hãy gửi lại; chưa có gì được lưu.", "Data stopped coming for too long. Send it again; nothing was kept.", false},
	{[]error{errUpload}, "upload", http.StatusBadRequest, "Tải lên không hợp lệ · Upload not acceptable",
		"Yêu cầu không theo giao thức tus 1.0, hoặc không khớp phần đã nhận. Hỏi lại vị trí (HEAD) rồi gửi tiếp từ đó.",
		"The request does not follow tus 1.0, or does not fit what was received. Ask for the offset (HEAD) and go on from there.", true},
	{[]error{errUnfinished}, "unfinished", http.StatusConflict, "Chưa tải lên xong · Upload is not complete",
		"Gói tin chưa đến đủ; gửi tiếp phần còn lại.", "The package is not all here yet; send the rest.", true},
	{[]error{staging.ErrOffset}, "offset", http.StatusConflict, "Sai vị trí tải lên · Upload is at another offset",
		"Nơi khác vừa gửi tiếp tệp này. Hỏi lại vị trí (HEAD) rồi gửi tiếp từ đó.", "Somebody else went on with this upload. Ask for the offset (HEAD) and go on from there.", false},
	{[]error{staging.ErrTooLarge}, "too-large", http.StatusRequestEntityTooLarge, "Gói tin quá lớn · Package is too large",
		"Gói tin lớn hơn mức cho phép, hoặc lớn hơn kích thước đã khai.", "The package is larger than is allowed, or than was declared.", false},
	{[]error{staging.ErrTooMany}, "too-many", http.StatusTooManyRequests, "Quá nhiều lần tải lên dở dang · Too many uploads open",
		"Hoàn tất hoặc hủy bớt các lần tải lên dở dang; gửi từng phần lớn hơn.", "Finish or delete some of the uploads that are open; send larger pieces.", false},
	{[]error{staging.ErrCorrupt}, "staged-corrupt", http.StatusInternalServerError, "Phần đã tải lên bị hỏng · What was uploaded is damaged",
		"Phần đã tải lên không còn nguyên vẹn; hãy gửi lại từ đầu.", "What was uploaded is not what was sent any more; send it again from the beginning.", false},
	{[]error{archive.ErrWait}, "wait", http.StatusServiceUnavailable, "Chưa tiếp nhận được · Can't be taken in now",
		"Một kiểm tra bắt buộc chưa làm được (ví dụ: phần mềm diệt vi-rút chưa chạy). Chưa có gì được lưu; hãy gửi lại sau.",
		"A check that must be made can't be made now (the virus scanner is away, for example). Nothing was kept; send it again later.", true},
	{[]error{archive.ErrGroup}, "group", http.StatusConflict, "Hồ sơ thuộc nhóm liên thông · Dossier belongs to a group",
		"Hồ sơ đi cùng các hồ sơ liên thông ngoài phạm vi của tài khoản; người có đủ phạm vi phải làm.",
		"The dossier goes together with others of its group that are beyond the account's scope; somebody whose scope has all of them must act.", true},
	{[]error{errClosing}, "closing", http.StatusServiceUnavailable, "Máy chủ đang dừng · Server is closing",
		"Máy chủ đang dừng; hãy thử lại sau.", "The server is closing; try again later.", false},
	{[]error{ErrRequest}, "request", http.StatusBadRequest, "Yêu cầu không hợp lệ · Request not understood",
		"Yêu cầu không đúng dạng mà hệ thống nhận.", "The request does not have the form that is asked for.", true},
	{[]error{chain.ErrTampered}, "tampered", http.StatusInternalServerError, "Dữ liệu lưu trữ bị can thiệp · Stored acts were tampered with",
		"Văn bản ghi việc trong kho không khớp sổ cái. Hồ sơ bị khóa cho đến khi có người kiểm tra; hãy báo người vận hành.",
		"The acts in the store do not match the ledger. The dossier is frozen until somebody has looked; tell the operator.", false},
	{[]error{audit.ErrTampered}, "ledger-tampered", http.StatusInternalServerError, "Sổ cái bị can thiệp · Ledger was tampered with",
		"Sổ cái trong kho không nguyên vẹn. Hãy báo người vận hành.", "The ledger in the store is not whole. Tell the operator.", false},
	{[]error{archive.ErrCorrupt}, "corrupt", http.StatusInternalServerError, "Gói tin hỏng · Stored package is damaged",
		"Dữ liệu trong kho không phải dữ liệu đã lưu; không gì được giao ra. Hãy báo người vận hành khôi phục từ bản sao.",
		"What is stored is not what was archived; nothing of it was handed out. Tell the operator to restore it from a copy.", false},
	{[]error{archive.ErrClock}, "clock", http.StatusServiceUnavailable, "Lệch đồng hồ · Clocks differ",
		"Đồng hồ máy chủ và kho lệch nhau quá 5 phút; không hủy gì. Chỉnh giờ rồi thử lại.",
		"The clocks of server and store are more than 5 minutes apart; nothing is destroyed. Set them and try again.", true},
	{[]error{archive.ErrDenied}, "denied", http.StatusForbidden, "Không có quyền · Not allowed",
		"Tài khoản không có quyền làm việc này, hoặc thiếu mục đích, lý do.", "The account may not do this, or the purpose or reason is missing.", true},
	{[]error{archive.ErrConflict}, "conflict", http.StatusConflict, "Trùng mã hồ sơ · Another dossier has this code",
		"Mã hồ sơ này đã được lưu với nội dung khác. Hãy so sánh; bản sửa phải nộp bằng hồ sơ riêng.",
		"Another content was archived under this code. Compare them; push a correction as a dossier of its own.", true},
	{[]error{archive.ErrDestroyed}, "destroyed", http.StatusGone, "Hồ sơ đã hủy · Dossier was destroyed",
		"Hồ sơ đã bị hủy theo quyết định, hoặc việc hủy không dừng lại được nữa.", "The dossier was destroyed by decision, or its destruction can't be stopped any more.", false},
	{[]error{retention.ErrFourEyes, archive.ErrCase}, "four-eyes", http.StatusConflict, "Một người không được làm hai bước · One person in two parts",
		"Người này đã làm một bước khác của hồ sơ hủy; phải do người khác làm.", "This person took another step of the case; somebody else must act.", true},
	{[]error{retention.ErrLate, archive.ErrCase}, "late", http.StatusConflict, "Quá hạn thi hành · Deadline passed",
		"Quá 15 ngày từ quyết định hủy; cần quyết định mới.", "More than 15 days have passed since the decision; a new one is needed.", true},
	{[]error{retention.ErrOrder, archive.ErrCase}, "order", http.StatusConflict, "Sai trình tự hủy · Steps out of order",
		"Chưa đến bước này, hoặc bước này đã làm.", "It is not the turn of this step, or it was taken already.", true},
	{[]error{custody.ErrStopped}, "stopped", http.StatusConflict, "Việc hủy bị dừng · Destruction stopped",
		"Người giữ khóa đã dừng việc hủy: có lệnh tạm dừng, chưa hết thời hạn, hoặc quyết định không bao gồm hồ sơ.",
		"The custodian stopped the destruction: a hold, the retention period or the decision forbids it.", true},
	{[]error{archive.ErrNotDue}, "not-due", http.StatusConflict, "Chưa được hủy · Not due for destruction",
		"Thời hạn lưu trữ hoặc lệnh tạm dừng không cho hủy.", "The retention period, or a hold, forbids destruction.", true},
	{[]error{fs.ErrExist}, "changed", http.StatusConflict, "Vừa có người khác thay đổi · Changed by somebody else",
		"Người khác vừa thay đổi; hãy đọc lại rồi làm lại.", "Somebody else made a change at the same time; read it again and repeat.", false},
	{[]error{fs.ErrNotExist}, "not-found", http.StatusNotFound, "Không tìm thấy · Not found",
		"Không có, hoặc không thuộc phạm vi của tài khoản.", "It does not exist, or is not within the account's scope.", false},
	{[]error{archive.ErrCase}, "case", http.StatusConflict, "Hồ sơ hủy không cho bước này · Case does not allow this step",
		"Hồ sơ hủy chưa đến, hoặc đã qua, bước này.", "The case is not at this step.", true},
	{[]error{index.ErrQuery}, "query", http.StatusBadRequest, "Câu tìm không nhận được · Query not acceptable",
		"Câu tìm quá dài, quá nhiều từ, hoặc trang quá xa.", "The query is too long, has too many words, or asks for too deep a page.", false},
}

// other is every error that is not in the table.
var other = kind{code: "internal", status: http.StatusInternalServerError, title: "Lỗi máy chủ · Internal error",
	vietnamese: "Máy chủ gặp lỗi; đã ghi nhật ký theo mã số này. Hãy thử lại.", english: "The server failed; it is in its log under this number. Try again."}

// Problem is an answer that says no (RFC 9457), and on the client's side the
// error made of it. It wraps the error that the server met, so that errors.Is
// and errors.As find in it what they would find there.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`   // Vietnamese, line feed, English
	Instance string `json:"instance,omitempty"` // where to find more in the server's log
	Code     string `json:"code"`

	Problems     []dossier.Problem  `json:"problems,omitempty"`     // of a submission, or what it waits for
	Reasons      []retention.Reason `json:"reasons,omitempty"`      // why something must wait
	Verdict      *retention.Verdict `json:"verdict,omitempty"`      // that forbids a destruction
	Conflict     *conflict          `json:"conflict,omitempty"`     // of two contents under one code
	Certificates []json.RawMessage  `json:"certificates,omitempty"` // of what was destroyed before the problem
}

type conflict struct {
	Dossier  string `json:"dossier"`
	Archived string `json:"archived"`
	Sent     string `json:"sent"`
}

const (
	validationCode = "validation"
	problemType    = "application/problem+json"
	retryAfter     = "60" // seconds, for what passes
)

// final reports whether the same request would get the same answer again.
func (p *Problem) final() bool {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return p.Status < http.StatusInternalServerError
}

// problemOf says what to answer to an error. Internal errors become a number.
func problemOf(err error, number string) *Problem {
	var invalid *dossier.ValidationError
	if errors.As(err, &invalid) {
		title := "Hồ sơ chưa hợp lệ · Dossier has faults"
		if errors.Is(err, intake.ErrPolicy) {
			title = "Chính sách tiếp nhận chưa hợp lệ · Intake policy has faults"
		}
		return &Problem{
			Type: typeOf(validationCode), Code: validationCode, Status: http.StatusUnprocessableEntity, Title: title,
			Detail: "Xem danh sách lỗi; chưa có gì được lưu.\nSee the list of problems; nothing was kept.", Problems: invalid.Problems,
		}
	}
	k := kindOf(err)
	p := &Problem{Type: typeOf(k.code), Code: k.code, Status: k.status, Title: k.title, Detail: k.vietnamese + "\n" + k.english}
	var protocol *protocolError
	if errors.As(err, &protocol) {
		p.Status = protocol.status
	}
	if k.status >= http.StatusInternalServerError {
		p.Instance = "urn:luutru:log:" + number
	}
	if k.say {
		p.explain(err, &k)
	}
	var half *partly
	if errors.As(err, &half) {
		p.Certificates = half.certificates
	}
	return p
}

func typeOf(code string) string { return "urn:luutru:problem:" + code }

func kindOf(err error) kind {
	for _, k := range kinds {
		if errors.Is(err, k.errs[0]) {
			return k
		}
	}
	return other
}

// explain adds what the error itself says, in lines of its own.
func (p *Problem) explain(err error, k *kind) {
	p.Reasons = reasonsOf(err)
	vietnamese, english := k.vietnamese, k.english
	for _, r := range p.Reasons {
		vietnamese += "\n- " + r.Vietnamese
	}
	if _, several := err.(interface{ Unwrap() []error }); !several && len(p.Reasons) > 0 {
		for _, r := range p.Reasons {
			english += "\n- " + r.English
		}
	} else if text := err.Error(); text != k.errs[0].Error() {
		english += "\n- " + strings.ReplaceAll(text, "\n", "\n- ")
	}
	p.Detail = vietnamese + "\n" + english
	var wait *archive.WaitError
	if errors.As(err, &wait) {
		for _, f := range wait.Findings {
			p.Problems = append(p.Problems, f.Problem())
		}
	}
	var not *archive.NotDueError
	if errors.As(err, &not) {
		p.Verdict = &not.Verdict
	}
	var c *archive.ConflictError
	if errors.As(err, &c) {
		p.Conflict = &conflict{c.Dossier, c.Archived, c.Sent}
	}
}

// reasonsOf collects the reasons in all branches of an error.
func reasonsOf(err error) []retention.Reason {
	switch e := err.(type) {
	case nil:
		return nil
	case *archive.NotDueError:
		return e.Verdict.Reasons
	case *retention.Error:
		return e.Problems
	case interface{ Unwrap() []error }:
		var all []retention.Reason
		for _, err := range e.Unwrap() {
			all = append(all, reasonsOf(err)...)
		}
		return all
	}
	return reasonsOf(errors.Unwrap(err))
}

// Error returns title and detail, in both languages.
func (p *Problem) Error() string {
	s := strings.Join(append([]string{p.Title}, p.texts()...), "\n")
	if p.Instance != "" {
		s += "\n" + p.Instance
	}
	return s
}

func (p *Problem) texts() []string {
	var all []string
	if p.Detail != "" {
		all = append(all, p.Detail)
	}
	for _, x := range p.Problems {
		all = append(all, fmt.Sprintf("%s (%s)\n  %s\n  %s", x.Field, x.Code, x.Vietnamese, x.English))
	}
	return all
}

// Unwrap returns the errors that the server met, as far as they are known on
// this side.
func (p *Problem) Unwrap() []error {
	switch {
	case p.Code == validationCode:
		return []error{&dossier.ValidationError{Problems: p.Problems}}
	case p.Conflict != nil:
		return []error{&archive.ConflictError{Dossier: p.Conflict.Dossier, Archived: p.Conflict.Archived, Sent: p.Conflict.Sent}}
	}
	var errs []error
	for _, k := range kinds {
		if k.code == p.Code {
			errs = append(errs, k.errs...)
		}
	}
	if p.Verdict != nil {
		errs = append(errs, &archive.NotDueError{Verdict: *p.Verdict})
	}
	return errs
}

// write sends the problem.
func (p *Problem) write(w http.ResponseWriter) {
	b, err := json.Marshal(p)
	if err != nil {
		b = []byte(`{"type":"about:blank","title":"Internal error","status":500,"code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Content-Length", fmt.Sprint(len(b)))
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", retryAfter)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="luutru"`)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // or the client is gone
}

// gone reports whether an error only says that the client went away.
func gone(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded)
}
