package dossier

import (
	"embed"
	"strings"
	"sync"
)

//go:embed schemas/*.xsd
var schemaFiles embed.FS

// A schema is a file of the folder schemas.
type schema struct {
	file
	kind string // of the packages that hold it; all where empty
}

// knownSchemas reads the schemas once: they are the same in every package.
var knownSchemas = sync.OnceValue(func() []schema {
	var list []schema
	for _, source := range []string{
		"mets1_12", "xlink", "DILCISExtensionMETS", "DILCISExtensionSIPMETS", "premis",
		"ead-aip", "ead-sip", "ead-dip", "ead_doc-aip", "ead_doc-sip", "ead_doc-dip",
	} {
		content, err := schemaFiles.ReadFile("schemas/" + source + ".xsd")
		if err != nil {
			panic("dossier: internal error: " + err.Error())
		}
		name, kind, _ := strings.Cut(source, "-")
		list = append(list, schema{newFile(schemasPath+name+".xsd", "", content), strings.ToUpper(kind)})
	}
	return list
})

// schemas returns what a package of the kind validates against: METS with the
// extensions that it uses, PREMIS where there is any, and the circular's own
// two forms, which bear the same names in every kind.
func (m *PackageMeta) schemas() []file {
	var files []file
	for _, s := range knownSchemas() {
		switch {
		case s.kind != "" && s.kind != string(m.Kind),
			s.path == schemasPath+"premis.xsd" && !m.Preservation,
			s.path == schemasPath+"DILCISExtensionSIPMETS.xsd" && m.Kind != SIP:
			continue
		}
		s.mediaType = m.mediaTypes().schema
		files = append(files, s.file)
	}
	return files
}
