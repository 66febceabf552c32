package extract

import "mime"

// HasText tells whether a document of this name and declared media type may hold text that [Text] reads. It looks at nothing else.
func HasText(name, mediaType string) bool {
	if m, _, err := mime.ParseMediaType(mediaType); err == nil {
		mediaType = m
	}
	for _, says := range []string{mediaType, ByExtension(name)} {
		switch says {
		case typePDF, typeDOCX, typeXLSX, typePPTX, typeODT, typeODS, typeODP, typeXML, "text/xml", typeJSON, typeHTML, typeText, typeCSV:
			return true
		}
	}
	return false
}
