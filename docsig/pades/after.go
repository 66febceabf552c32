package pades

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
)

// change is the worst that was done to a document after a signature.
type change int

const (
	nothing    change = iota // the signature covers every octet
	validation               // validation data, timestamps
	unseen                   // signatures, or fields for them, that do not show
	signed                   // signatures that show on a page, or empty fields for them
	filled                   // fields filled in, notes added
	unclear                  // octets that are no revision, or one that cannot be read
	altered                  // anything else
)

// maxCompared bounds the objects of signed revisions that are looked at, over
// all signatures.
const maxCompared = 1 << 20

// after finds what follows the signed octets and what it does. The error is
// that of ctx.
func (d *document) after(ctx context.Context, s *signature) (change, error) {
	if d.blank(s.end) {
		return nothing, nil
	}
	at, err := d.f.startxref(s.end)
	if err != nil {
		return unclear, nil
	}
	if d.f.sections[0].off == at {
		return unclear, nil
	}
	from := slices.IndexFunc(d.f.sections, func(x section) bool { return x.off < s.end })
	if from <= 0 || at != d.f.sections[from].off || slices.ContainsFunc(d.f.sections[from:], func(x section) bool { return x.off >= s.end }) {
		return altered, nil // the update does not build on what was signed
	}
	c := comparison{
		d: d, old: view{d.f, from}, now: view{d.f, 0}, end: s.end,
		refs: map[int][]int{}, fresh: map[int]bool{}, pages: map[int]bool{}, lists: map[int]bool{}, store: map[int]bool{},
	}
	if s.id.num != 0 && !c.same(s.id.num) {
		return altered, nil // the signature is none of the revision that it signs
	}
	err = c.run(ctx)
	if ctx.Err() != nil {
		return altered, ctx.Err()
	}
	switch {
	case errors.Is(err, errAltered):
		return altered, nil
	case err != nil:
		return unclear, nil
	}
	return c.worst, nil
}

// blank tells whether nothing but white space follows.
func (d *document) blank(from int64) bool {
	if d.size == from {
		return true
	}
	if d.size-from > 4096 {
		return false
	}
	b, err := d.f.read(from, 4096)
	return err == nil && len(bytes.Trim(b, "\x00\t\n\f\r ")) == 0
}

// comparison holds a signed revision against the file as it is now.
type comparison struct {
	d        *document
	old, now view
	end      int64
	worst    change

	changed                           []int         // numbers of objects that are not what they were
	fresh                             map[int]bool  // those of them that were not there
	refs                              map[int][]int // changed object: the old objects that refer to it; 0 is the trailer
	pages                             map[int]bool  // old pages
	lists                             map[int]bool  // old arrays of annotations
	store                             map[int]bool  // old objects of the validation store
	catalog, form, fields, info, meta int
}

var errAltered = errors.New("PDF: altered after signing")

// same tells whether an object is where it was.
func (c *comparison) same(num int) bool {
	was, ok1 := c.old.lookup(num)
	is, ok2 := c.now.lookup(num)
	return ok1 && ok2 && was == is
}

func (c *comparison) raise(to change) { c.worst = max(c.worst, to) }

func (c *comparison) run(ctx context.Context) error {
	c.worst = validation
	was, is := c.old.f.sections[c.old.from].trailer, c.now.f.sections[0].trailer
	if !equal(was["Encrypt"], is["Encrypt"]) {
		return errAltered
	}
	for _, step := range []func(context.Context) error{c.entries, c.hidden, c.roles, c.survey, c.prune} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := c.moved(); err != nil {
		return err
	}
	for _, num := range c.changed {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.object(num); err != nil {
			return err
		}
	}
	return nil
}

// moved judges a catalog that got a new number, as some signers write it.
func (c *comparison) moved() error {
	old, was, err1 := c.old.root()
	now, is, err2 := c.now.root()
	if err := errors.Join(err1, err2); err != nil || was == is {
		return err
	}
	if !c.fresh[is.num] {
		return errAltered
	}
	return c.root(old, now)
}

// entries collects what the later sections changed. What they point to must
// lie after the signed octets: hidden objects of the signed part are not to be
// brought to light.
func (c *comparison) entries(context.Context) error {
	nums := map[int]bool{}
	for _, s := range c.now.f.sections[:c.old.from] {
		for n := range s.entries {
			nums[n] = true
		}
	}
	for _, num := range slices.Sorted(maps.Keys(nums)) {
		was, had := c.old.lookup(num)
		is, has := c.now.lookup(num)
		switch {
		case had == has && (was == is || !had):
			continue
		case !has:
			return errAltered // deleted
		}
		at := is
		if is.kind == 2 {
			var ok bool
			if at, ok = c.now.lookup(int(is.off)); !ok || at.kind != 1 {
				return errAltered
			}
		}
		if at.off < c.end {
			return errAltered
		}
		c.changed = append(c.changed, num)
		c.fresh[num] = !had
		c.refs[num] = nil
	}
	return nil
}

// hidden refuses objects after the signed octets that no section knows: a
// reader that rebuilds a table from the objects would find them.
func (c *comparison) hidden(ctx context.Context) error {
	known := map[int64]bool{}
	for _, s := range c.now.f.sections[:c.old.from] {
		known[c.begin(s.off)] = true
		for _, e := range s.entries {
			if e.kind == 1 && e.off >= c.end {
				known[c.begin(e.off)] = true
			}
		}
	}
	head := regexp.MustCompile(`(?:^|[^0-9])(\d{1,10})[\x00\t\n\f\r ]+\d{1,5}[\x00\t\n\f\r ]+obj\b`)
	const window, overlap = 256 << 10, 64
	for off := c.end - 1; off < c.d.size; off += window - overlap {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := c.d.f.read(off, window)
		if err != nil {
			return err
		}
		for _, m := range head.FindAllSubmatchIndex(b, -1) {
			if m[2] < window-overlap && !known[off+int64(m[2])] && off+int64(m[2]) >= c.end && !(off > c.end && m[0] == 0) {
				return errAltered
			}
		}
	}
	return nil
}

// begin passes the white space before an object: some writers point at it.
func (c *comparison) begin(off int64) int64 {
	b, err := c.d.f.read(off, 16)
	if err != nil {
		return off
	}
	return off + int64(len(b)-len(bytes.TrimLeft(b, "\x00\t\n\f\r ")))
}

// roles finds the objects that may change, in the signed revision.
func (c *comparison) roles(context.Context) error {
	root, id, err := c.old.root()
	if err != nil {
		return err
	}
	number := func(v any) int { id, _ := v.(ref); return id.num }
	c.catalog, c.form, c.meta = id.num, number(root["AcroForm"]), number(root["Metadata"])
	form, err := c.old.resolve(root["AcroForm"])
	if err != nil {
		return err
	}
	c.fields = number(asDict(form)["Fields"])
	info := c.old.f.sections[c.old.from].trailer["Info"]
	c.info = number(info)
	// The validation store, and all that it leads to; prune takes away what
	// something else leads to as well.
	todo := []ref{}
	walk(root["DSS"], func(r ref) { todo = append(todo, r) })
	for len(todo) > 0 && len(c.store) < 4*maxStored {
		r := todo[0]
		todo = todo[1:]
		if c.store[r.num] || r.num == c.catalog {
			continue
		}
		c.store[r.num] = true
		c.refs[r.num] = nil
		o, err := c.old.load(r)
		if err != nil {
			return err
		}
		walk(o.value, func(r ref) { todo = append(todo, r) })
	}
	return nil
}

// prune takes from the store what is not only the store's: pages, for one, to
// which the one who prepared the document let the store lead.
func (c *comparison) prune(context.Context) error {
	for again := true; again; {
		again = false
		for num := range c.store {
			if !c.only(num, func(n int) bool { return c.store[n] }) {
				delete(c.store, num)
				again = true
			}
		}
	}
	return nil
}

// survey reads every object of the signed revision: which pages there are, and
// who refers to what was changed, and to the store. The places where the
// catalog and the trailer name store, metadata and information do not count.
func (c *comparison) survey(ctx context.Context) error {
	was := c.old.f.sections[c.old.from:]
	tables := map[int64]bool{}
	for _, s := range was {
		tables[s.off] = true
	}
	for _, at := range c.objects() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.d.compared++; c.d.compared > maxCompared {
			return errStructure
		}
		if _, replaced := c.fresh[int(at.off)]; replaced && at.kind == 2 {
			return errAltered // what holds the object was replaced, and the object with it
		}
		o, err := c.old.load(ref{at.num, at.generation()})
		if err != nil {
			return err
		}
		d := asDict(o.value)
		switch {
		case at.num == c.catalog:
			c.note(at.num, without(d, "DSS", "Metadata"))
		case at.kind == 1 && tables[at.off]:
			c.note(at.num, without(d, "Root", "Info"))
		default:
			c.note(at.num, o.value)
		}
		if d["Type"] == name("Page") {
			c.pages[at.num] = true
			if id, ok := d["Annots"].(ref); ok {
				c.lists[id.num] = true
			}
		}
	}
	c.note(0, without(was[0].trailer, "Root", "Info"))
	return nil
}

// placed is an object and where it is.
type placed struct {
	entry
	num int
}

// objects lists those of the signed revision, the ones of one stream together.
func (c *comparison) objects() []placed {
	seen, out := map[int]bool{}, []placed{}
	for _, s := range c.old.f.sections[c.old.from:] {
		for num, e := range s.entries {
			if !seen[num] && e.kind != 0 {
				out = append(out, placed{e, num})
			}
			seen[num] = true
		}
	}
	slices.SortFunc(out, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.off, b.off), cmp.Compare(a.num, b.num))
	})
	return out
}

// note remembers who refers to the objects of interest, once for every time.
func (c *comparison) note(from int, v any) {
	walk(v, func(r ref) {
		if list, ok := c.refs[r.num]; ok && len(list) < 1024 {
			c.refs[r.num] = append(list, from)
		}
	})
}

func without(d dict, keys ...name) dict {
	d = maps.Clone(d)
	for _, k := range keys {
		delete(d, k)
	}
	return d
}

// generation of an object: those in streams have none.
func (e entry) generation() int {
	if e.kind == 2 {
		return 0
	}
	return e.gen
}
