package pades

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	maxFields     = 1 << 16
	maxSignatures = 64
)

// signature is one signature dictionary with what its bytes say.
type signature struct {
	id       ref // of the dictionary; zero where it stands in the field itself
	field    ref
	kind     name // SubFilter
	doc      bool // a document timestamp
	gap, end int64
	resume   int64  // where the second range begins
	der      []byte // of Contents
	mdp      int64  // permissions of a certification signature, 0 for none
	broken   string // what is wrong with it, in words
}

// signatures finds those of the form's fields, in every field of the tree.
func (v view) signatures() ([]signature, error) {
	root, _, err := v.root()
	if err != nil {
		return nil, err
	}
	form, err := v.resolve(root["AcroForm"])
	if err != nil {
		return nil, err
	}
	fields, err := v.resolve(get[any](asDict(form), "Fields"))
	if err != nil {
		return nil, err
	}
	f := finder{v: v, seen: map[any]bool{}}
	list, _ := fields.(array)
	for _, one := range list {
		if err := f.field(one, "", 0); err != nil {
			return nil, err
		}
	}
	// A certification that no field carries is looked at as well.
	perms, err := v.resolve(root["Perms"])
	if err != nil {
		return nil, err
	}
	if id, ok := asDict(perms)["DocMDP"].(ref); ok {
		err = f.value(id, ref{})
	}
	return f.found, err
}

func asDict(v any) dict { d, _ := v.(dict); return d }

type finder struct {
	v     view
	seen  map[any]bool
	found []signature
}

func (f *finder) field(val any, inherited name, depth int) error {
	id, _ := val.(ref)
	if id.num != 0 && f.seen[id] {
		return nil
	}
	f.seen[id] = true
	if depth > maxNest || len(f.seen) > maxFields {
		return fmt.Errorf("%w: too many fields", errStructure)
	}
	val, err := f.v.resolve(val)
	if err != nil {
		return err
	}
	d := asDict(val)
	if ft, ok := d["FT"].(name); ok {
		inherited = ft
	}
	kids, err := f.v.resolve(d["Kids"])
	if err != nil {
		return err
	}
	if list, ok := kids.(array); ok {
		for _, k := range list {
			if err := f.field(k, inherited, depth+1); err != nil {
				return err
			}
		}
	}
	if inherited != "Sig" || d["V"] == nil {
		return nil
	}
	return f.value(d["V"], id)
}

// value reads the signature dictionary of a field.
func (f *finder) value(val any, field ref) error {
	s := signature{field: field}
	off := int64(0)
	if id, ok := val.(ref); ok {
		if f.seen[value{id}] {
			return nil
		}
		f.seen[value{id}] = true
		o, err := f.v.load(id)
		if err != nil {
			return err
		}
		s.id, val, off = id, o.value, o.off
	}
	d, ok := val.(dict)
	if !ok {
		return nil // an empty field
	}
	if len(f.found) == maxSignatures {
		return fmt.Errorf("%w: more than %d signatures", errStructure, maxSignatures)
	}
	s.kind = get[name](d, "SubFilter")
	s.doc = timestamp(d)
	s.mdp = f.permissions(d)
	if err := s.bytes(d, f.v.f.size); err != nil {
		s.broken = err.Error()
	}
	if off < 0 || d[doubled] != nil {
		s.broken = "signature dictionary"
	}
	f.found = append(f.found, s)
	return nil
}

// timestamp tells whether a signature dictionary is that of a document timestamp.
func timestamp(d dict) bool {
	return d["Type"] == name("DocTimeStamp") || d["SubFilter"] == name("ETSI.RFC3161")
}

// value as a key of seen: a dictionary, not a field.
type value struct{ ref }

// permissions is P of DocMDP (ISO 32000-2 section 12.8.2.2).
func (f *finder) permissions(d dict) int64 {
	list, err := f.v.resolve(d["Reference"])
	refs, ok := list.(array)
	if err != nil || !ok {
		return 0
	}
	for _, r := range refs {
		val, err := f.v.resolve(r)
		if err != nil || asDict(val)["TransformMethod"] != name("DocMDP") {
			continue
		}
		params, err := f.v.resolve(asDict(val)["TransformParams"])
		if p, ok := asDict(params)["P"].(int64); ok && err == nil && p >= 1 && p <= 3 {
			return p
		}
		return 2
	}
	return 0
}

var (
	errRange    = errors.New("ByteRange")
	errContents = errors.New("Contents")
)

// bytes checks the byte range: two ranges, from the first octet of the file,
// with nothing between them but the value of Contents.
func (s *signature) bytes(d dict, size int64) error {
	n, err := fourNumbers(get[array](d, "ByteRange"), size)
	if err != nil {
		return err
	}
	c, ok := d["Contents"].(text)
	if !ok || !c.hex {
		return errContents
	}
	s.gap, s.resume, s.end = n[1], n[2], n[2]+n[3]
	if n[0] != 0 || n[1] <= 0 || n[3] <= 0 || s.end > size || c.off != s.gap || c.end != s.resume {
		return errRange
	}
	digits := c.data
	if strings.ContainsAny(digits, " \t\r\n\f\x00") {
		digits = strings.Join(strings.Fields(strings.ReplaceAll(digits, "\x00", " ")), "")
	}
	digits += strings.Repeat("0", len(digits)%2)
	if s.der, err = hex.DecodeString(digits); err != nil || len(s.der) == 0 {
		return errContents
	}
	return nil
}

func fourNumbers(list array, size int64) (n [4]int64, err error) {
	if len(list) != len(n) {
		return n, errRange
	}
	for i := range n {
		v, ok := list[i].(int64)
		if !ok || v < 0 || v > size {
			return n, errRange
		}
		n[i] = v
	}
	return n, nil
}
