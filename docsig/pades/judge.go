package pades

import (
	"errors"
	"slices"
)

// only tells whether nobody but the given ones refers to an object.
func (c *comparison) only(num int, may func(int) bool) bool {
	return !slices.ContainsFunc(c.refs[num], func(n int) bool { return !may(n) })
}

func (c *comparison) load(v view, num int) (object, error) {
	e, ok := v.lookup(num)
	if !ok {
		return object{}, nil
	}
	return v.load(ref{num, e.generation()})
}

// object judges one changed object by what it was for in the signed revision.
func (c *comparison) object(num int) error {
	if c.fresh[num] {
		if len(c.refs[num]) > 0 {
			return errAltered // the signed revision left a hole for it
		}
		return nil // it counts where something changed leads to it
	}
	is, err1 := c.load(c.now, num)
	was, err2 := c.load(c.old, num)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	old, now := asDict(was.value), asDict(is.value)
	switch {
	case old[doubled] != nil || now[doubled] != nil:
		return errAltered
	case num == c.catalog:
		return c.root(old, now)
	case num == c.form:
		return c.acroForm(old, now)
	case num == c.fields, c.lists[num]:
		return c.arrays(num, was.value, is.value)
	case c.aside(num, old, now):
		return nil
	case was.stream != 0 || is.stream != 0 || old == nil || now == nil:
		return errAltered
	case c.pages[num]:
		return c.page(old, now)
	}
	return c.widget(old, now)
}

// aside tells whether an object is validation data, document information or
// metadata and nothing else: whether nobody else refers to it.
func (c *comparison) aside(num int, old, now dict) bool {
	const metadata = name("Metadata")
	switch {
	case c.store[num]:
		return true
	case num == c.info:
		return len(c.refs[num]) == 0
	case num == c.meta:
		return len(c.refs[num]) == 0 && old["Type"] == metadata && now["Type"] == metadata
	}
	return false
}

// arrays judges a list of fields or annotations; nothing else may use it.
func (c *comparison) arrays(num int, was, is any) error {
	if len(c.refs[num]) != 1 {
		return errAltered
	}
	if num == c.fields && !c.lists[num] {
		return c.grown(was, is, c.newField)
	}
	return c.grown(was, is, c.newAnnotation)
}

// differ lists the keys that are not the same in two dictionaries.
func differ(old, now dict) (keys []name) {
	for k, v := range old {
		if w, ok := now[k]; !ok || !equal(v, w) {
			keys = append(keys, k)
		}
	}
	for k := range now {
		if _, ok := old[k]; !ok {
			keys = append(keys, k)
		}
	}
	return keys
}

func (c *comparison) root(old, now dict) error {
	for _, k := range differ(old, now) {
		switch k {
		case "DSS", "Extensions", "Version":
		case "Metadata":
			if id, ok := now[k].(ref); !ok || !c.fresh[id.num] {
				return errAltered
			}
		case "AcroForm":
			was, err1 := c.old.resolve(old[k])
			is, err2 := c.now.resolve(now[k])
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			if err := c.acroForm(asDict(was), asDict(is)); err != nil {
				return err
			}
		default:
			return errAltered
		}
	}
	return nil
}

func (c *comparison) acroForm(old, now dict) error {
	if now == nil || now[doubled] != nil {
		return errAltered
	}
	for _, k := range differ(old, now) {
		switch k {
		case "Fields":
			if err := c.grown(old[k], now[k], c.newField); err != nil {
				return err
			}
		case "SigFlags":
		case "DA", "DR", "Q":
			if len(old) > 0 {
				return errAltered
			}
		default:
			return errAltered // NeedAppearances and XFA among them
		}
	}
	return nil
}

// grown accepts an array that kept what it had, and asks about what was added.
func (c *comparison) grown(old, now any, added func(dict) error) error {
	old, err1 := c.old.resolve(old)
	now, err2 := c.now.resolve(now)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	was, _ := old.(array)
	is, ok := now.(array)
	if now == nil && old == nil {
		return nil
	}
	if !ok || len(is) < len(was) || !slices.EqualFunc(was, is[:len(was)], equal) {
		return errAltered
	}
	for _, v := range is[len(was):] {
		id, ok := v.(ref)
		if !ok || !c.fresh[id.num] {
			return errAltered
		}
		o, err := c.now.load(id)
		if err != nil {
			return err
		}
		d := asDict(o.value)
		if d == nil || d[doubled] != nil || o.stream != 0 {
			return errAltered
		}
		if err := added(d); err != nil {
			return err
		}
	}
	return nil
}

// newField judges a field that was added to the form: only for signatures.
func (c *comparison) newField(d dict) error {
	if d["FT"] != name("Sig") {
		c.raise(filled)
		return nil
	}
	return c.signatureField(d)
}

// signatureField judges a new field for a signature, or its widget.
func (c *comparison) signatureField(d dict) error {
	if d["A"] != nil || d["AA"] != nil {
		return errAltered // an action, a script
	}
	value, err := c.now.resolve(d["V"])
	if value == nil && err == nil { // a widget apart from its field
		var parent any
		parent, err = c.now.resolve(d["Parent"])
		if err == nil {
			value, err = c.now.resolve(asDict(parent)["V"])
		}
	}
	if err != nil {
		return err
	}
	switch {
	case visible(d):
		c.raise(signed)
	case !timestamp(asDict(value)):
		c.raise(unseen)
	}
	return c.grown(nil, d["Kids"], func(kid dict) error {
		if kid["Kids"] != nil {
			return errAltered
		}
		return c.signatureField(kid)
	})
}

// visible tells whether a widget shows something: it has an appearance and room.
func visible(d dict) bool {
	if d["AP"] == nil {
		return false
	}
	r, ok := d["Rect"].(array)
	if !ok || len(r) != 4 {
		return true
	}
	return !equal(r[0], r[2]) && !equal(r[1], r[3])
}

func (c *comparison) page(old, now dict) error {
	for _, k := range differ(old, now) {
		if k != "Annots" {
			return errAltered
		}
		if err := c.grown(old[k], now[k], c.newAnnotation); err != nil {
			return err
		}
	}
	return nil
}

// newAnnotation judges what was added to a page: only widgets of signatures.
func (c *comparison) newAnnotation(d dict) error {
	ft := d["FT"]
	if ft == nil && d["Parent"] != nil {
		parent, err := c.now.resolve(d["Parent"])
		if err != nil {
			return err
		}
		ft = asDict(parent)["FT"]
	}
	if d["Subtype"] != name("Widget") || ft != name("Sig") {
		c.raise(filled)
		return nil
	}
	return c.signatureField(d)
}

// widget judges a field or annotation that was there. An empty field may be
// signed; other fields may be filled in, which the signature does not cover.
func (c *comparison) widget(old, now dict) error {
	if old["FT"] == name("Sig") {
		return c.signedField(old, now)
	}
	if old["FT"] == nil && old["Subtype"] != name("Widget") {
		return errAltered
	}
	for _, k := range differ(old, now) {
		if !slices.Contains([]name{"V", "AP", "AS", "M", "I"}, k) {
			return errAltered
		}
	}
	c.raise(filled)
	return nil
}

// signedField judges an empty field for a signature that got one. The types
// tell its keys from those that mean something else in other dictionaries.
func (c *comparison) signedField(old, now dict) error {
	for _, k := range differ(old, now) {
		ok := false
		switch v := now[k].(type) {
		case ref:
			ok = k == "P" || k == "AP" || (k == "V" && old[k] == nil && c.fresh[v.num])
		case dict:
			ok = k == "AP"
		case int64:
			ok = k == "F"
		case text:
			ok = k == "M"
		case name:
			ok = k == "AS"
		}
		if !ok {
			return errAltered
		}
	}
	c.raise(unseen)
	if visible(now) {
		c.raise(signed)
	}
	return nil
}
