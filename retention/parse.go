package retention

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxBytes = 8 << 20
	maxDepth = 8 // a schedule needs 3
	maxText  = 4000
)

// ParseSchedule reads a schedule from its JSON file. The order and the spacing
// of the file are free; everything else is strict: names unknown or doubled,
// values of another type and rules outside the law are refused. The error, an
// *Error wrapping ErrSchedule, lists every problem and not the first alone.
func ParseSchedule(data []byte) (*Schedule, error) {
	r := reader{}
	tree, err := readTree(data, &r)
	if err != nil {
		r.problem("json", "", "Tệp không phải JSON hợp lệ: "+err.Error()+".", "The file is not valid JSON: "+err.Error()+".")
		return nil, r.orNil()
	}
	o := r.object("", tree, "default", "effective", "groups", "note", "procedures", "rules", "title", "version")
	s := &Schedule{
		Version:    o.number("version", true),
		Title:      o.text("title", true),
		Effective:  o.date("effective"),
		Procedures: o.classes("procedures"),
		Groups:     o.classes("groups"),
		Default:    o.text("default", false),
		Note:       o.text("note", false),
	}
	for i, v := range o.array("rules") {
		s.Rules = append(s.Rules, r.rule(fmt.Sprintf("rules[%d]", i), v))
	}
	r.check(s)
	if err := r.orNil(); err != nil {
		return nil, err
	}
	return s, nil
}

// Encode returns the schedule as canonical JSON (RFC 8785): parsing it gives
// the same schedule, and encoding that the same bytes. It fails, as
// ParseSchedule does, on a schedule that could not be read again.
func (s *Schedule) Encode() ([]byte, error) {
	rules := make([]map[string]any, 0, len(s.Rules))
	for _, r := range s.Rules {
		rules = append(rules, r.tree())
	}
	tree := map[string]any{
		"version":    s.Version,
		"title":      s.Title,
		"effective":  s.Effective.In(local()).Format(time.DateOnly),
		"rules":      rules,
		"procedures": orEmpty(s.Procedures),
		"groups":     orEmpty(s.Groups),
	}
	put(tree, "default", s.Default)
	put(tree, "note", s.Note)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, err
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if _, err := ParseSchedule(data); err != nil {
		return nil, err
	}
	return data, nil
}

func (r Rule) tree() map[string]any {
	tree := map[string]any{
		"class": r.Class, "group": r.Group, "vietnamese": r.Vietnamese, "english": r.English,
		"trigger": r.Trigger, "action": r.Action, "basis": r.Basis, "certainty": r.Certainty, "approved": r.Approved,
	}
	if r.Permanent {
		tree["permanent"] = true
	}
	if r.Years != 0 {
		tree["years"] = r.Years
	}
	put(tree, "note", r.Note)
	return tree
}

func put(tree map[string]any, name, text string) {
	if text != "" {
		tree[name] = text
	}
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// readTree reads one JSON value. Names that occur twice in an object are
// problems, which encoding/json would pass over.
func readTree(data []byte, r *reader) (any, error) {
	if len(data) > maxBytes {
		return nil, errors.New("too large")
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	tree, err := readValue(d, r, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something after the end")
	}
	return tree, nil
}

func readValue(d *json.Decoder, r *reader, path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, r, path+"["+strconv.Itoa(len(list))+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, ok := token.(string)
			if !ok {
				return nil, errors.New("a name that is not a string")
			}
			if _, ok := object[name]; ok {
				r.problem("name-twice", join(path, name), "Tên trường bị lặp lại.", "The name occurs twice.")
			}
			if object[name], err = readValue(d, r, join(path, name), depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, err
	}
	return token, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// A reader turns a tree into a schedule and collects the problems.
type reader struct{ Error }

func (r *reader) problem(code, about, vietnamese, english string) {
	r.add(ErrSchedule, Reason{code, about, vietnamese, english})
}

// orNil returns the problems; the reader itself is no error.
func (r *reader) orNil() error { return r.Error.orNil() }

// A node is an object of the tree, with its place.
type node struct {
	r      *reader
	path   string
	fields map[string]any
}

func (r *reader) wrongType(path, vietnamese, english string) {
	r.problem("type", path, "Giá trị phải là "+vietnamese+".", "The value must be "+english+".")
}

// object returns v as an object that has no other names than these.
func (r *reader) object(path string, v any, names ...string) node {
	fields, ok := v.(map[string]any)
	if !ok {
		r.wrongType(path, "đối tượng", "an object")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, name) {
			r.problem("name-unknown", join(path, name), "Không có trường này.", "There is no such field.")
		}
	}
	return node{r, path, fields}
}

// get returns a field, and reports one that is missing though it must not.
func (n node) get(name string, required bool) (any, bool) {
	v, ok := n.fields[name]
	if !ok && required {
		n.r.problem("missing", join(n.path, name), "Thiếu trường này.", "The field is missing.")
	}
	return v, ok
}

func (n node) text(name string, required bool) string {
	v, ok := n.get(name, required)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		n.r.wrongType(join(n.path, name), "chuỗi ký tự", "a string")
		return ""
	}
	n.r.checkText(join(n.path, name), s)
	return s
}

func (r *reader) checkText(path, s string) {
	bad := func(c rune) bool {
		return unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp) || c == utf8.RuneError
	}
	switch {
	case strings.TrimSpace(s) == "" || strings.TrimSpace(s) != s:
		r.problem("text-space", path, "Văn bản trống hoặc có khoảng trắng ở đầu, cuối.", "The text is empty or has space at an end.")
	case len(s) > maxText:
		r.problem("text-long", path, "Văn bản quá dài.", "The text is too long.")
	case strings.ContainsFunc(s, bad):
		r.problem("text-characters", path, "Văn bản có ký tự điều khiển hoặc ký tự hỏng.", "The text has control or broken characters.")
	}
}

func (n node) number(name string, required bool) int {
	v, ok := n.get(name, required)
	if !ok {
		return 0
	}
	// Only the plain form, so that a number is written back as it was read.
	if num, ok := v.(json.Number); ok {
		if i, err := strconv.Atoi(num.String()); err == nil && i > 0 && i <= 1e9 {
			return i
		}
	}
	n.r.wrongType(join(n.path, name), "số nguyên dương", "a whole number above 0")
	return 0
}

func (n node) flag(name string, required bool) bool {
	v, ok := n.get(name, required)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		n.r.wrongType(join(n.path, name), "true hoặc false", "true or false")
	}
	return b
}

func (n node) date(name string) time.Time {
	s := n.text(name, true)
	t, err := time.ParseInLocation(time.DateOnly, s, local())
	if s != "" && (err != nil || t.Year() < earliestYear) {
		n.r.wrongType(join(n.path, name), "ngày dạng 2026-01-31", "a date such as 2026-01-31")
	}
	return t
}

func (n node) array(name string) []any {
	v, ok := n.get(name, true)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		n.r.wrongType(join(n.path, name), "danh sách", "an array")
	} else if len(list) == 0 {
		n.r.problem("empty", join(n.path, name), "Danh sách trống.", "The array is empty.")
	}
	return list
}

// classes returns an object whose values are all strings.
func (n node) classes(name string) map[string]string {
	m := map[string]string{}
	v, ok := n.get(name, false)
	if !ok {
		return m
	}
	path := join(n.path, name)
	fields, ok := v.(map[string]any)
	if !ok {
		n.r.wrongType(path, "đối tượng", "an object")
		return m
	}
	o := node{n.r, path, fields}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		n.r.checkText(path, key)
		if strings.ContainsFunc(key, func(c rune) bool { return c > 0xFFFF }) {
			// Canonical JSON orders these by UTF-16; nobody needs them here.
			n.r.problem("text-characters", join(path, key), "Tên có ký tự không dùng được.", "The name has a character that cannot be used.")
		}
		m[key] = o.text(key, true)
	}
	return m
}

func (r *reader) rule(path string, v any) Rule {
	o := r.object(path, v, "action", "approved", "basis", "certainty", "class", "english", "group", "note", "permanent", "trigger", "vietnamese", "years")
	return Rule{
		Class:      o.text("class", true),
		Group:      o.text("group", true),
		Vietnamese: o.text("vietnamese", true),
		English:    o.text("english", true),
		Permanent:  o.flag("permanent", false),
		Years:      o.number("years", false),
		Trigger:    o.text("trigger", true),
		Action:     o.text("action", true),
		Basis:      o.text("basis", true),
		Certainty:  o.text("certainty", true),
		Approved:   o.flag("approved", true),
		Note:       o.text("note", false),
	}
}

// check checks what the law and the schedule itself ask. Fields that could not
// be read are empty and have been reported.
func (r *reader) check(s *Schedule) {
	s.byClass = make(map[string]int, len(s.Rules))
	for i, rule := range s.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		if rule.Class != "" {
			if j, ok := s.byClass[rule.Class]; ok {
				r.problem("class-twice", path+".class",
					fmt.Sprintf("Nhóm %s đã có ở rules[%d].", rule.Class, j), fmt.Sprintf("Class %s is in rules[%d] already.", rule.Class, j))
			} else {
				s.byClass[rule.Class] = i
			}
		}
		r.checkPeriod(path, rule)
		r.checkWords(path, rule)
	}
	r.checkClasses(s, "procedures", s.Procedures)
	r.checkClasses(s, "groups", s.Groups)
	if s.Default != "" {
		r.checkClasses(s, "", map[string]string{"default": s.Default})
	}
	for _, code := range slices.Sorted(maps.Keys(s.Procedures)) {
		if !isCode(code) {
			r.problem("procedure-code", join("procedures", code), "Mã thủ tục chỉ gồm chữ, số và . - _", "A procedure code has letters, digits and . - _ only.")
		}
	}
}

func (r *reader) checkPeriod(path string, rule Rule) {
	switch {
	case rule.Permanent && rule.Years != 0:
		r.problem("period", path+".years", "Nhóm vĩnh viễn không có số năm.", "A permanent class has no years.")
	case rule.Permanent && rule.Action == actionDestroy:
		r.problem("permanent-destroyed", path+".action", "Hồ sơ vĩnh viễn không được hủy.", "Permanent dossiers are never destroyed.")
	case !rule.Permanent && (rule.Years < minYears || rule.Years > maxYears):
		r.problem("period", path+".years",
			"Thời hạn phải từ 2 đến 70 năm, hoặc vĩnh viễn (Luật Lưu trữ 33/2024/QH15).",
			"The period must be 2 to 70 years, or permanent (Law on Archives 33/2024/QH15).")
	}
}

func (r *reader) checkWords(path string, rule Rule) {
	if rule.Class != "" && !isCode(rule.Class) {
		r.problem("class-code", path+".class", "Mã nhóm chỉ gồm chữ, số và . - _", "The code of a class has letters, digits and . - _ only.")
	}
	if rule.Trigger != "" && !isCode(rule.Trigger) {
		r.problem("trigger", path+".trigger", "Tên sự kiện chỉ gồm chữ, số và . - _", "The name of an event has letters, digits and . - _ only.")
	}
	if rule.Action != "" && !slices.Contains([]string{actionDestroy, actionTransfer, actionReview}, rule.Action) {
		r.problem("action", path+".action", "Phải là destroy, transfer hoặc review.", "Must be destroy, transfer or review.")
	}
	switch rule.Certainty {
	case "", "confirmed", "found":
	case "secondary", "memory", "inference":
		if rule.Approved {
			r.problem("approved-uncertain", path+".approved",
				"Chưa đọc văn bản gốc thì không được phê duyệt: đối chiếu rồi ghi certainty là confirmed.",
				"Not to be approved before the original was read: check it, then set certainty to confirmed.")
		}
	default:
		r.problem("certainty", path+".certainty",
			"Phải là confirmed, found, secondary, memory hoặc inference.", "Must be confirmed, found, secondary, memory or inference.")
	}
}

// checkClasses reports classes that are named but not in the schedule.
func (r *reader) checkClasses(s *Schedule, path string, classes map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(classes)) {
		if class := classes[key]; class != "" && s.rule(class) == nil {
			r.problem("class-unknown", join(path, key), "Nhóm "+class+" không có trong bảng.", "Class "+class+" is not in the schedule.")
		}
	}
}

// isCode reports whether s is safe in a path, a log and a table.
func isCode(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
