package pdfa

import (
	"maps"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/luutru/luutru/internal/pdf"
)

// icc is the header of a colour profile.
type icc struct {
	version      byte // major
	class, space string
}

// profile reads the header of a profile; of what is none, everything is empty.
func (c *Check) profile(o any) icc {
	r, isRef := o.(pdf.Ref)
	p, ok := c.profiles[r]
	if !ok || !isRef {
		p = c.readProfile(o)
	}
	if isRef {
		c.profiles[r] = p
	}
	return p
}

func (c *Check) readProfile(o any) icc {
	s := c.stream(o)
	if s == nil {
		return icc{}
	}
	b, err := c.f.Data(s)
	if err != nil || len(b) < 128 || string(b[36:40]) != "acsp" {
		return icc{version: 255}
	}
	return icc{b[8], string(b[12:16]), string(b[16:20])}
}

// device checks the use of a device colour space: it needs an output intent that says what its numbers mean, or a default space in the
// resources in its place.
func (c *Check) device(kind string, resources pdf.Dict) {
	instead := map[string]pdf.Name{"DeviceGray": "DefaultGray", "DeviceRGB": "DefaultRGB", "DeviceCMYK": "DefaultCMYK"}[kind]
	if o := c.dict(resources["ColorSpace"])[instead]; o != nil {
		if c.name(o) == "" { // a device space by another name would go round in circles
			c.space(o, nil, 1)
		}
		return
	}
	switch kind {
	case "DeviceRGB":
		if c.output != "RGB " {
			c.bad("6.2.3.3-1", "6.2.4.3-2", "DeviceRGB without an RGB output intent")
		}
	case "DeviceCMYK":
		if c.output != "CMYK" {
			c.bad("6.2.3.3-2", "6.2.4.3-3", "DeviceCMYK without a CMYK output intent")
		}
	case "DeviceGray":
		if c.output == "" {
			c.bad("6.2.3.3-3", "6.2.4.3-4", "DeviceGray without an output intent")
		}
	}
}

// space checks a colour space that is used.
func (c *Check) space(o any, resources pdf.Dict, depth int) {
	if r, ok := o.(pdf.Ref); ok {
		if c.spaces[r] {
			return
		}
		c.spaces[r] = true
	}
	if depth > 8 {
		return
	}
	switch v := c.f.Get(o).(type) {
	case pdf.Name:
		c.namedSpace(v, resources, depth)
	case pdf.Array:
		if len(v) == 1 {
			c.space(v[0], resources, depth+1)
		}
		if len(v) >= 2 {
			c.family(c.name(v[0]), v, resources, depth)
		}
	}
}

func (c *Check) namedSpace(n pdf.Name, resources pdf.Dict, depth int) {
	switch n {
	case "DeviceGray", "G":
		c.device("DeviceGray", resources)
	case "DeviceRGB", "RGB":
		c.device("DeviceRGB", resources)
	case "DeviceCMYK", "CMYK":
		c.device("DeviceCMYK", resources)
	case "Pattern", "":
	default:
		if o := c.dict(resources["ColorSpace"])[n]; o != nil {
			c.space(o, resources, depth+1)
		}
	}
}

// family checks a colour space given by an array.
func (c *Check) family(kind pdf.Name, v pdf.Array, resources pdf.Dict, depth int) {
	switch kind {
	case "ICCBased":
		c.iccBased(v[1])
	case "Indexed", "I", "Pattern":
		c.space(v[1], resources, depth+1)
	case "Separation":
		if len(v) > 3 {
			c.separation(v)
		}
		if len(v) > 2 {
			c.space(v[2], resources, depth+1)
		}
	case "DeviceN":
		if len(v) > 2 {
			c.deviceN(v)
			c.space(v[2], resources, depth+1)
		}
	}
}

// tint is how a colorant is shown where it is not at hand.
type tint struct{ alternate, function any }

// separation checks that one colorant is shown in one way throughout.
func (c *Check) separation(v pdf.Array) {
	n := c.name(v[1])
	c.colorant(n)
	if n == "All" || n == "None" || n == "" {
		return
	}
	t := tint{v[2], v[3]}
	first, ok := c.tints[n]
	if !ok {
		c.tints[n] = t
		return
	}
	if !c.same(first.alternate, t.alternate, 0) || !c.same(first.function, t.function, 0) {
		c.bad("", "6.2.4.4-2", "one colorant shown in two ways")
	}
}

func (c *Check) colorant(n pdf.Name) {
	if !utf8.ValidString(string(n)) {
		c.bad("", "6.1.8-1", "the name of a colorant is not UTF-8")
	}
}

// same compares two values, streams by their place in the file.
func (c *Check) same(a, b any, depth int) bool {
	if r, ok := a.(pdf.Ref); ok && any(r) == b {
		return true
	}
	if depth > maxDepth {
		return false
	}
	a, b = c.f.Get(a), c.f.Get(b)
	switch a := a.(type) {
	case pdf.Array:
		b, ok := b.(pdf.Array)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return c.same(x, y, depth+1) })
	case pdf.Dict:
		b, ok := b.(pdf.Dict)
		return ok && maps.EqualFunc(a, b, func(x, y any) bool { return c.same(x, y, depth+1) })
	case *pdf.Stream:
		b, ok := b.(*pdf.Stream)
		return ok && (a.Offset == b.Offset || depth < 2 && string(c.data(a)) == string(c.data(b)))
	}
	return reflect.DeepEqual(a, b)
}

func (c *Check) deviceN(v pdf.Array) {
	names := c.array(v[1])
	if len(names) > 8 {
		c.bad("6.1.12-9", "", "DeviceN with more than 8 components")
	}
	if len(names) > 32 {
		c.bad("", "6.1.13-9", "DeviceN with more than 32 components")
	}
	var attributes pdf.Dict
	if len(v) > 4 {
		attributes = c.dict(v[4])
	}
	colorants := c.dict(attributes["Colorants"])
	process := c.array(c.dict(attributes["Process"])["Components"])
	for _, o := range c.dict(attributes["Colorants"]) {
		if a := c.array(o); len(a) > 3 && c.name(a[0]) == "Separation" {
			c.separation(a)
		}
	}
	for _, o := range names {
		n := c.name(o)
		c.colorant(n)
		if n != "None" && colorants[n] == nil && !slices.Contains(process, any(n)) {
			c.bad("", "6.2.4.4-1", "DeviceN with a colorant that is not described")
		}
	}
}

func (c *Check) iccBased(o any) {
	s := c.stream(o)
	if s == nil {
		return
	}
	p := c.profile(o)
	limit := byte(3)
	if c.claim.Part > 1 {
		limit = 5
	}
	if !slices.Contains([]string{"prtr", "mntr", "scnr", "spac"}, p.class) || !slices.Contains([]string{"RGB ", "CMYK", "GRAY", "Lab "}, p.space) || p.version >= limit {
		c.bad("6.2.3.2-1", "6.2.4.2-1", "a colour profile that is none, or of a later version of ICC")
	}
	n, _ := c.f.Get(s.Dict["N"]).(int)
	if want := map[string]int{"GRAY": 1, "RGB ": 3, "Lab ": 3, "CMYK": 4}[p.space]; n != want {
		c.bad("6.2.3.2-2", "", "a colour profile whose number of components is not that of its use")
	}
}
