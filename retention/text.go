package retention

import (
	"strconv"
	"time"
)

// The texts are joined by hand and not formatted: a due list is a million of
// them.

// triggerName returns the trigger in words; one that the texts do not know is
// shown by its own name.
func triggerName(trigger string) (vietnamese, english string) {
	switch trigger {
	case endOfWork:
		return "kết thúc công việc", "the end of the work"
	case "rule-lapsed":
		return "văn bản hết hiệu lực", "the lapse of the rule"
	case "contract-ended":
		return "chấm dứt hợp đồng", "the end of the contract"
	case "death":
		return "người được lập hồ sơ qua đời", "the death of the person"
	case "destruction":
		return "hủy tài liệu", "the destruction of the records"
	case "structure-demolished":
		return "công trình bị phá dỡ", "the demolition of the structure"
	case "equipment-retired":
		return "thiết bị ngừng sử dụng", "the retirement of the equipment"
	}
	return "sự kiện " + trigger, "the event " + trigger
}

func textNotEffective(version int, effective time.Time) Reason {
	n := strconv.Itoa(version)
	return Reason{"schedule-not-effective", "",
		"Bảng thời hạn phiên bản " + n + " chỉ có hiệu lực từ " + day(effective) + ": dùng phiên bản đang có hiệu lực.",
		"Schedule version " + n + " takes effect on " + day(effective) + " only: use the version in force."}
}

func textClass(way, class string, f Facts) Reason {
	r := Reason{Code: way, About: class}
	switch way {
	case "class-given":
		r.Vietnamese = "Nhóm hồ sơ " + class + " được ghi cho hồ sơ."
		r.English = "Class " + class + " was given to the dossier."
	case "class-of-procedure":
		r.Vietnamese = "Nhóm hồ sơ " + class + " theo thủ tục " + f.Procedure + "."
		r.English = "Class " + class + " by procedure " + f.Procedure + "."
	case "class-of-group":
		r.Vietnamese = "Nhóm hồ sơ " + class + " theo lĩnh vực " + f.Group + "."
		r.English = "Class " + class + " by group " + f.Group + "."
	case "class-default":
		r.Vietnamese = "Nhóm hồ sơ " + class + " theo mặc định của cơ quan, vì thủ tục và lĩnh vực chưa có trong bảng."
		r.English = "Class " + class + " by the default of the agency, since procedure and group are not in the schedule."
	default:
		r.Vietnamese = "Chưa xác định được nhóm hồ sơ: hãy ghi nhóm cho hồ sơ hoặc bổ sung thủ tục vào bảng thời hạn. Hồ sơ được giữ lại."
		r.English = "No class: give the dossier one or add its procedure to the schedule. The dossier is kept."
	}
	return r
}

func textDocumentDecides(class string) Reason {
	return Reason{"document-decides", class,
		"Một tài liệu trong hồ sơ thuộc nhóm " + class + " quyết định thời hạn của cả hồ sơ.",
		"A document of class " + class + " decides for the whole dossier."}
}

func textTerm(t term) Reason {
	if t.rule.Permanent {
		return Reason{"permanent", t.rule.Class,
			"Nhóm " + t.rule.Class + " được lưu trữ vĩnh viễn: không bao giờ hủy.",
			"Class " + t.rule.Class + " is kept permanently: never destroyed."}
	}
	n := strconv.Itoa(t.rule.Years)
	y := strconv.Itoa(t.start.In(local()).Year())
	vi, en := triggerName(t.rule.Trigger)
	return Reason{"term", t.rule.Class,
		"Nhóm " + t.rule.Class + " lưu trữ " + n + " năm tính từ năm " + y + " (" + vi + " ngày " + day(t.start) + ").",
		"Class " + t.rule.Class + " is kept " + n + " years counted from " + y + " (" + en + " on " + day(t.start) + ")."}
}

func textPeriod(until, now time.Time) Reason {
	last := day(until.Add(-time.Second))
	if now.Before(until) {
		return Reason{"period-running", "",
			"Thời hạn lưu trữ đến hết ngày " + last + ".",
			"The period runs to the end of " + last + "."}
	}
	return Reason{"period-over", "",
		"Thời hạn lưu trữ đã hết ngày " + last + ".",
		"The period ended on " + last + "."}
}

func textUnknownClass(class string, version int) *Reason {
	n := strconv.Itoa(version)
	return &Reason{"class-unknown", class,
		"Nhóm " + class + " không có trong bảng thời hạn phiên bản " + n + ": hãy sửa nhóm hoặc bổ sung vào bảng. Hồ sơ được giữ lại.",
		"Class " + class + " is not in schedule version " + n + ": correct it or add it to the schedule. The dossier is kept."}
}

func textNotApproved(r *Rule) *Reason {
	return &Reason{"rule-not-approved", r.Class,
		"Thời hạn của nhóm " + r.Class + " chưa được phê duyệt: người làm lưu trữ cần đối chiếu văn bản gốc rồi trình phê duyệt. Hồ sơ được giữ lại.",
		"The period of class " + r.Class + " is not approved: an archivist must check it against the original and have it approved. The dossier is kept."}
}

func textBadYears(r *Rule) *Reason {
	n := strconv.Itoa(r.Years)
	return &Reason{"rule-years", r.Class,
		"Thời hạn " + n + " năm của nhóm " + r.Class + " nằm ngoài khoảng 2 đến 70 năm luật định: hãy sửa bảng thời hạn. Hồ sơ được giữ lại.",
		"The period of " + n + " years of class " + r.Class + " is outside the legal 2 to 70: correct the schedule. The dossier is kept."}
}

func textNoTrigger(r *Rule) *Reason {
	vi, en := triggerName(r.Trigger)
	return &Reason{"trigger-missing", r.Class,
		"Thời hạn của nhóm " + r.Class + " tính từ khi " + vi + ", nhưng chưa có ngày đó: hãy ghi nhận khi sự kiện xảy ra. Hồ sơ được giữ lại.",
		"The period of class " + r.Class + " runs from " + en + ", whose date is not known: record it when it happens. The dossier is kept."}
}

func textImplausible(r *Rule, start time.Time) *Reason {
	return &Reason{"trigger-implausible", r.Class,
		"Ngày bắt đầu tính thời hạn " + day(start) + " không hợp lý: hãy kiểm tra với hệ thống nguồn. Hồ sơ được giữ lại.",
		"The period would start on " + day(start) + ", which is not plausible: check with the source system. The dossier is kept."}
}

func textFuture(r *Rule, start time.Time) *Reason {
	return &Reason{"trigger-future", r.Class,
		"Ngày bắt đầu tính thời hạn " + day(start) + " còn ở tương lai: hãy kiểm tra ngày và đồng hồ. Hồ sơ được giữ lại.",
		"The period would start on " + day(start) + ", which is in the future: check the date and the clock. The dossier is kept."}
}

func textFloor(f Facts, class string) Reason {
	return Reason{"floor-of-procedure", class,
		"Nhóm " + f.Class + " được ghi không được thấp hơn thời hạn của thủ tục " + f.Procedure + ": áp dụng nhóm " + class + ".",
		"The given class " + f.Class + " may not go below the period of procedure " + f.Procedure + ": class " + class + " applies."}
}

func textMixed(r *Rule) Reason {
	return Reason{"action-mixed", r.Class,
		"Hồ sơ có tài liệu thuộc nhóm " + r.Class + " không thuộc diện hủy khi hết hạn: phải xét lại.",
		"The dossier has documents of class " + r.Class + ", which are not destroyed at the end of their period: review."}
}

func textLinked(v Verdict) Reason {
	if v.Status == Permanent {
		return Reason{"linked-permanent", v.Class,
			"Hồ sơ liên thông thuộc nhóm " + v.Class + " được lưu trữ vĩnh viễn: giữ hồ sơ này khi còn liên kết.",
			"A linked dossier of class " + v.Class + " is permanent: this one is kept as long as it is linked."}
	}
	return Reason{"linked-undetermined", v.Class,
		"Chưa xác định được thời hạn của một hồ sơ liên thông: hãy xác định trước. Hồ sơ này được giữ lại.",
		"The period of a linked dossier is not determined: determine it first. This dossier is kept."}
}

func textLinkedLonger(v Verdict) Reason {
	last := day(v.Until.Add(-time.Second))
	return Reason{"linked-longer", v.Class,
		"Hồ sơ liên thông thuộc nhóm " + v.Class + " còn thời hạn đến hết ngày " + last + ": giữ hồ sơ này đến khi đó.",
		"A linked dossier of class " + v.Class + " is kept to the end of " + last + ": this one is kept till then."}
}

func textLinkedTransfer(v Verdict) Reason {
	return Reason{"linked-transfer", v.Class,
		"Hồ sơ liên thông thuộc nhóm " + v.Class + " phải nộp vào lưu trữ lịch sử: hồ sơ này đi cùng, không hủy trước.",
		"A linked dossier of class " + v.Class + " goes to the historical archive: this one goes with it and is not destroyed before."}
}

func textHold(h Hold) Reason {
	vi, en := "Lệnh tạm dừng hủy "+h.ID, "Hold "+h.ID
	if !h.Placed.IsZero() {
		vi, en = vi+" từ ngày "+day(h.Placed), en+" since "+day(h.Placed)
	}
	return Reason{"hold", h.ID, vi + ": không được hủy cho đến khi lệnh được gỡ bỏ.", en + ": no destruction until it is lifted."}
}

func textHoldReview(h Hold) Reason {
	return Reason{"hold-review", h.ID,
		"Lệnh tạm dừng hủy " + h.ID + " đã đến hạn xem xét ngày " + day(h.Review) + ": hãy gia hạn hoặc gỡ bỏ.",
		"Hold " + h.ID + " was to be reviewed on " + day(h.Review) + ": renew it or lift it."}
}

func textFoundPermanent(f Finding) Reason {
	return Reason{"found-permanent", "",
		"Hội đồng đã kết luận lưu trữ vĩnh viễn ngày " + day(f.Time) + ".",
		"A council found it to be permanent on " + day(f.Time) + "."}
}

func textFoundTransfer(f Finding) Reason {
	return Reason{"found-transfer", "",
		"Hội đồng đã kết luận nộp vào lưu trữ lịch sử ngày " + day(f.Time) + ".",
		"A council found on " + day(f.Time) + " that it goes to the historical archive."}
}

func textFoundKeep(f Finding, until time.Time) Reason {
	n := strconv.Itoa(f.Years)
	last := day(until.Add(-time.Second))
	return Reason{"found-keep", "",
		"Hội đồng đã kết luận ngày " + day(f.Time) + " lưu thêm " + n + " năm: đến hết ngày " + last + ".",
		"A council found on " + day(f.Time) + " that it is kept " + n + " more years: to the end of " + last + "."}
}

func textFoundInvalid(f Finding) *Reason {
	return &Reason{"finding-invalid", f.Dossier,
		"Kết luận của hội đồng không hợp lệ (" + f.Outcome + ", " + strconv.Itoa(f.Years) + " năm): hãy sửa biên bản. Hồ sơ được giữ lại.",
		"The finding of the council is not valid (" + f.Outcome + ", " + strconv.Itoa(f.Years) + " years): correct the minutes. The dossier is kept."}
}
