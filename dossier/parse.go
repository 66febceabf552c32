package dossier

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ParseDeclaration reads a declaration. It takes any order, spacing and escapes
// of JSON, null for "not given", and a byte order mark; it brings text to
// Unicode NFC. Unknown and repeated names and wrong types are problems, all of
// them listed in a [*ValidationError]; what could be read is returned beside
// that error, so that the caller may add the problems of
// [Declaration.Validate]. Only if the JSON itself cannot be read is the
// declaration nil.
func ParseDeclaration(r io.Reader, limits Limits) (*Declaration, error) {
	limits = limits.withDefaults()
	data, err := io.ReadAll(io.LimitReader(r, limits.Declaration+1))
	if err != nil {
		return nil, fmt.Errorf("declaration: %w", err)
	}
	p := parser{items: max(limits.Documents, 1000)}
	if int64(len(data)) > limits.Declaration {
		p.add("declaration.too_large", "",
			fmt.Sprintf("Bản khai dài hơn %d byte; hãy tách hồ sơ hoặc bớt ý kiến, ghi chú.", limits.Declaration),
			fmt.Sprintf("The declaration is longer than %d bytes; split the dossier or shorten opinions and notes.", limits.Declaration))
		return nil, p.err()
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		p.add("declaration.encoding", "",
			"Bản khai không phải UTF-8; hãy gửi JSON mã UTF-8 (không dùng TCVN3, VNI).",
			"The declaration is not UTF-8; send JSON in UTF-8 (not TCVN3 or VNI).")
		return nil, p.err()
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var raw json.RawMessage
	err = dec.Decode(&raw)
	if err == nil && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		err = fmt.Errorf("data after the value")
	}
	if err != nil || raw[0] != '{' {
		p.add("declaration.syntax", "",
			fmt.Sprintf("Bản khai không phải một đối tượng JSON đúng cú pháp (gần byte %d); hãy kiểm tra lại.", dec.InputOffset()),
			fmt.Sprintf("The declaration is not one well-formed JSON object (near byte %d); check it.", dec.InputOffset()))
		return nil, p.err()
	}
	d := new(Declaration)
	p.value(raw, reflect.ValueOf(d).Elem(), "")
	if d.Language == "" {
		d.Language = "vi"
	}
	return d, p.err()
}

// A parser fills values as encoding/json does, but goes on after a problem,
// and holds names to their exact spelling.
type parser struct {
	problems
	items int // most members of a list: short JSON must not become large memory
}

func (p *parser) value(raw json.RawMessage, v reflect.Value, path string) {
	kind := v.Kind()
	switch c := raw[0]; {
	case c == 'n':
	case c == '{' && kind == reflect.Struct:
		p.object(raw, v, path)
	case c == '[' && kind == reflect.Slice:
		p.array(raw, v, path)
	case c == '"' && kind == reflect.String:
		var s string
		if json.Unmarshal(raw, &s) != nil {
			p.mistyped(path, kind)
			return
		}
		v.SetString(norm.NFC.String(s))
	case (c == 't' || c == 'f') && kind == reflect.Bool:
		v.SetBool(c == 't')
	case kind == reflect.Int || kind == reflect.Int64:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			p.mistyped(path, kind)
			return
		}
		v.SetInt(n)
	default:
		p.mistyped(path, kind)
	}
}

func (p *parser) object(raw json.RawMessage, v reflect.Value, path string) {
	fields := make(map[string]int)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	seen := make(map[string]bool)
	p.members(raw, func(dec *json.Decoder) bool {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return false
		}
		var member json.RawMessage
		if dec.Decode(&member) != nil {
			return false
		}
		at := join(path, printable(name))
		i, known := fields[name]
		switch {
		case !known:
			p.add("field.unknown", at,
				"Trường này không có trong mẫu bản khai; hãy bỏ đi hoặc sửa tên.",
				"There is no such field in a declaration; remove it or correct its name.")
		case seen[name]:
			p.add("field.repeated", at,
				"Trường này xuất hiện hơn một lần; chỉ giữ lại một.",
				"This field occurs more than once; keep one.")
		default:
			seen[name] = true
			p.value(member, v.Field(i), at)
		}
		return true
	})
}

func (p *parser) array(raw json.RawMessage, v reflect.Value, path string) {
	p.members(raw, func(dec *json.Decoder) bool {
		if v.Len() == p.items {
			p.add("list.too_long", path,
				fmt.Sprintf("Danh sách này có hơn %d mục; hãy bớt hoặc tách hồ sơ.", p.items),
				fmt.Sprintf("This list has more than %d members; shorten it or split the dossier.", p.items))
			return false
		}
		var member json.RawMessage
		if dec.Decode(&member) != nil {
			return false
		}
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		last := v.Len() - 1
		p.value(member, v.Index(last), index(path, last))
		return true
	})
}

// members calls next before each member of an object or array until it says
// false. The text is known to be well formed.
func (p *parser) members(raw json.RawMessage, next func(*json.Decoder) bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return
	}
	for dec.More() && next(dec) {
	}
}

func (p *parser) mistyped(path string, want reflect.Kind) {
	vi, en := "một chuỗi ký tự", "a string"
	switch want {
	case reflect.Int, reflect.Int64:
		vi, en = "một số nguyên", "a whole number"
	case reflect.Bool:
		vi, en = "true hoặc false, không đặt trong ngoặc kép", "true or false, without quotes"
	case reflect.Slice:
		vi, en = "một danh sách", "a list"
	case reflect.Struct:
		vi, en = "một đối tượng", "an object"
	}
	p.add("field.type", path,
		"Giá trị của trường này phải là "+vi+".",
		"The value of this field must be "+en+".")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// printable returns a member name that may be shown: an unknown name can be
// anything, a citizen's number too.
func printable(name string) string {
	if name == "" || len(name) > 40 {
		return "?"
	}
	for i := range len(name) {
		c := name[i] | 0x20
		if (c < 'a' || c > 'z') && name[i] != '_' {
			return "?"
		}
	}
	return name
}
