package xmlsig

import (
	"bytes"
	"context"
)

// Canonical gives tests the canonical form of the element with an ID, of the
// whole document for "".
func Canonical(doc []byte, algorithm, id string, prefixes ...string) ([]byte, error) {
	t, err := read(doc)
	if err != nil {
		return nil, err
	}
	f, _ := formOf(algorithm)
	f.inclusive = prefixes
	set := nodeSet{apex: t.doc, comments: true}
	if id != "" {
		if set.apex = t.byID(id); set.apex == nil {
			return nil, errMalformed
		}
	}
	var b bytes.Buffer
	w := work{ctx: context.Background(), left: maxDigested}
	err = canonicalise(w.meter(&b), set, f, nil)
	return b.Bytes(), err
}
