package sample

import "time"

// Planned is what a dossier is before its documents are written: cheap enough to look at thousands.
type Planned struct {
	Code, Agency, Kind, Group string
	Received, Settled, Closed time.Time
	Outcome, Title            string
}

// Plan plans the dossiers of Make without writing them.
func Plan(seed uint64, n int, opts Options) []Planned {
	m := newMaker(seed, opts)
	var list []Planned
	for i := uint64(0); len(list) < n; i++ {
		for _, p := range m.open(i) {
			list = append(list, Planned{p.code, p.agency.code, p.kind, p.group, p.received, p.settled, p.closed, p.outcome, p.title})
		}
	}
	return list[:n]
}

// Texts writes out every template of every kind for one case.
func Texts(seed uint64) []string {
	m := newMaker(seed, Options{})
	var list []string
	for i, k := range m.kinds {
		p := m.open(uint64(i))[0]
		for _, part := range k.parts {
			p.part = part
			forms := append([]form{receipt(), slip(), idCard()}, part.forms...)
			for _, outcome := range []string{"refused", "stopped", "withdrawn"} {
				p.outcome = outcome
				forms = append(forms, p.papers(false)...)
			}
			for _, f := range forms {
				l := p.letter(m, f)
				list = append(list, l.title, l.agency, l.number, l.dated, l.signTitle, l.signer)
				list = append(list, l.body...)
			}
		}
	}
	return list
}

// PDFMaker gives a function that writes one document of a page, the fonts being cut already.
func PDFMaker() func() []byte {
	m := newMaker(1, Options{})
	p := m.open(0)[0]
	l := p.letter(m, result("thong-bao", "Thông báo", typeNotice, "TB", birthGroupResultBody))
	return func() []byte {
		data, _ := m.fonts.pdf(l, p.settled)
		return data
	}
}

// Alphabet lists the characters the fonts keep.
func Alphabet() string { return alphabet() }

// IDProvinces lists the province codes of personal IDs.
func IDProvinces() string { return idProvinces }
