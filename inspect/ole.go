package inspect

import "github.com/luutru/luutru/inspect/ole"

// ole looks for macros and encryption by the names of streams.
func (l *look) ole() {
	f, err := ole.Open(l.r, l.size)
	if err != nil {
		l.fail("document.broken", "OLE")
		return
	}
	if f.Encrypted() {
		l.fail("document.encrypted", "OLE")
	}
	for _, name := range []string{"_VBA_PROJECT", "VBA", "Macros", "_VBA_PROJECT_CUR"} {
		if f.Has(name) {
			l.warn("document.macro", "VBA")
			break
		}
	}
	if f.Has("ObjectPool") || f.Has("\x01Ole10Native") {
		l.warn("document.embedded", "")
	}
	l.signed = f.Has("_xmlsignatures")
}
