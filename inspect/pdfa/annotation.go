package pdfa

import (
	"github.com/luutru/luutru/internal/pdf"
)

// annotation checks one annotation of a page, and what it shows.
func (c *Check) annotation(d pdf.Dict, page *painter) {
	if d == nil {
		return
	}
	kind := c.name(d["Subtype"])
	c.annotationKind(kind)
	c.annotationFlags(d, kind)
	if n, ok := c.number(d["CA"]); ok && n != 1 {
		c.bad("6.5.3-1", "", "a transparent annotation")
		page.transparent = true
	}
	if (d["C"] != nil || d["IC"] != nil) && c.output != "RGB " {
		c.bad("6.5.3-3", "", "a coloured annotation without an RGB output intent")
	}
	if a := c.dict(d["A"]); a != nil {
		c.action(a)
	}
	if kind == "Widget" {
		c.widget(d)
	}
	c.appearance(d, kind, page)
}

// annotationFlags checks that an annotation is shown and printed.
func (c *Check) annotationFlags(d pdf.Dict, kind pdf.Name) {
	flags, has := c.number(d["F"])
	const hidden, printed, unseen = 1 | 2 | 32, 4, 256
	f := int(flags)
	switch {
	case c.claim.Part == 1:
		if f&printed == 0 || f&hidden != 0 {
			c.bad("6.5.3-2", "", "an annotation that is not printed, or hidden")
		}
	case !has && kind != "Popup":
		c.bad("", "6.3.2-1", "an annotation without flags")
	case has && (f&printed == 0 || f&(hidden|unseen) != 0):
		c.bad("", "6.3.2-2", "an annotation that is not printed, or hidden")
	}
}

func (c *Check) annotationKind(kind pdf.Name) {
	switch kind {
	case "Text", "Link", "FreeText", "Line", "Square", "Circle", "Highlight", "Underline", "Squiggly", "StrikeOut", "Stamp", "Ink", "Popup", "Widget",
		"PrinterMark", "TrapNet":
	case "Polygon", "PolyLine", "Caret", "FileAttachment", "Redact", "Watermark":
		c.bad("6.5.2-1", "", "an annotation of a kind that is not allowed")
	default:
		c.bad("6.5.2-1", "6.3.1-1", "an annotation of a kind that is not allowed")
	}
}

func (c *Check) widget(d pdf.Dict) {
	if d["A"] != nil {
		c.bad("6.6.1-3", "6.4.1-1", "a form field with an action")
	}
	if d["AA"] != nil {
		c.bad("6.6.2-1", "6.4.1-1", "a form field with additional actions")
		for _, a := range c.dict(d["AA"]) {
			c.action(c.dict(a))
		}
	}
	if d["AP"] == nil {
		c.bad("6.9-2", "", "a form field without an appearance")
	}
}

// appearance checks what an annotation shows.
func (c *Check) appearance(d pdf.Dict, kind pdf.Name, page *painter) {
	ap, has := c.f.Get(d["AP"]).(pdf.Dict)
	if !has {
		if kind != "Popup" && kind != "Link" && !c.empty(c.array(d["Rect"])) {
			c.bad("", "6.3.3-1", "an annotation without an appearance")
		}
		return
	}
	for k := range ap {
		if k != "N" {
			c.bad("6.5.3-4", "6.3.3-2", "an annotation with an appearance besides the normal one")
		}
	}
	normal := c.f.Get(ap["N"])
	button := kind == "Widget" && c.inherits(d, "FT") == pdf.Name("Btn")
	switch n := normal.(type) {
	case *pdf.Stream:
		if button {
			c.bad("6.5.3-5", "6.3.3-3", "a button without appearances of its states")
		}
		page.form(ap["N"], n, 0)
	case pdf.Dict:
		if !button {
			c.bad("6.5.3-6", "6.3.3-4", "an annotation with appearances of states, which only buttons have")
		}
		for _, o := range n {
			if s := c.stream(o); s != nil {
				page.form(o, s, 0)
			}
		}
	default:
		if ap["N"] == nil {
			c.bad("6.5.3-4", "6.3.3-2", "an annotation without a normal appearance")
		}
	}
}

// inherits finds a value in a field or above it.
func (c *Check) inherits(d pdf.Dict, key pdf.Name) any {
	for range maxDepth {
		if v := c.f.Get(d[key]); v != nil {
			return v
		}
		if d = c.dict(d["Parent"]); d == nil {
			return nil
		}
	}
	return nil
}

func (c *Check) empty(rect pdf.Array) bool {
	if len(rect) != 4 {
		return false
	}
	var n [4]float64
	for i, o := range rect {
		n[i], _ = c.number(o)
	}
	return n[0] == n[2] && n[1] == n[3]
}
