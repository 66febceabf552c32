// Package sample makes closed e-dossiers of Vietnamese administrative procedures, for demonstrations, tests and benchmarks:
// declarations, PDF, DOCX, XML, JSON and text documents in real administrative Vietnamese, and images that stand for scans.
//
// Nothing in it is real. Names, personal IDs, plots, cases and decisions are drawn by lot; agencies and procedure codes are
// modelled on real ones and must not be taken as a reference. A seed always gives the same bytes, and a longer series
// begins with the shorter one of the same seed.
package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// Options chooses what Make makes. The zero value gives small dossiers of every kind, closed from 1995 to October 2026.
type Options struct {
	// Kinds are names out of Kinds; none means all.
	Kinds []string
	// From and To are the first and the last day a dossier may be closed. A kind that came into being after From starts
	// later. Zero means 1995-01-02 and 2026-10-30.
	From, To time.Time
	// Size, if not zero, asks for dossiers of about so many bytes in seven files, five of them scans that do not compress.
	Size int
}

// Dossier is one closed dossier as an agency's system would push it.
type Dossier struct {
	// Declaration is the description, in canonical JSON (RFC 8785).
	Declaration []byte
	// Files are the documents in the order of the declaration.
	Files []File
	// Code is the dossier code as the agency writes it: H29.68-210630-0001, or the older 000.00.68.H29-210630-0001.
	Code string
	// Title is the title in the declaration.
	Title string
	// Kind is one of Kinds.
	Kind string
}

// File is one document of a dossier.
type File struct {
	Name      string
	MediaType string
	SHA256    string // lower-case hexadecimal
	Data      []byte
}

// Kinds lists the kinds of dossiers that Make knows.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Make yields n dossiers and holds one at a time. The first ones show every kind asked for, the rest come by weight. Some kinds
// are groups: several dossiers of different agencies that follow each other and name the first one's code as their group;
// the last group is cut where n is reached.
//
// Codes are unique within a series, and two seeds that differ modulo 16 never share one. Make panics on a kind it does not know.
func Make(seed uint64, n int, opts Options) iter.Seq[Dossier] {
	return func(yield func(Dossier) bool) {
		m := newMaker(seed, opts)
		made := 0
		for i := uint64(0); made < n; i++ {
			for _, p := range m.open(i) {
				if made == n || !yield(m.dossier(p)) {
					return
				}
				made++
			}
		}
	}
}

// maker holds what is the same for a whole series.
type maker struct {
	seed      uint64
	opts      Options
	kinds     []kind // the chosen ones
	weighted  []int  // indexes into kinds, each as often as its weight
	provinces []province
	laws      map[string][]law
	fonts     fonts
	ordinals  map[ordinalKey]int
}

type ordinalKey struct {
	agency string
	day    int
}

func newMaker(seed uint64, opts Options) *maker {
	if opts.From.IsZero() {
		opts.From = date(1995, 1, 2)
	}
	if opts.To.IsZero() {
		opts.To = date(2026, 10, 30)
	}
	opts.From, opts.To = day(opts.From), day(opts.To)
	if opts.From.After(opts.To) {
		opts.From = opts.To
	}
	m := &maker{seed: seed, opts: opts, provinces: provinces(), laws: laws(), fonts: newFonts(), ordinals: map[ordinalKey]int{}}
	all := kinds()
	for _, name := range opts.Kinds {
		if !slices.ContainsFunc(all, func(k kind) bool { return k.name == name }) {
			panic(fmt.Sprintf("sample: no kind %q", name))
		}
	}
	for _, k := range all {
		if len(opts.Kinds) > 0 && !slices.Contains(opts.Kinds, k.name) {
			continue
		}
		for range k.weight {
			m.weighted = append(m.weighted, len(m.kinds))
		}
		m.kinds = append(m.kinds, k)
	}
	return m
}

// open draws the i-th case and plans its dossiers. Every case has its own source of chance, so that the number of draws of one
// does not shift the next.
func (m *maker) open(i uint64) []*plan {
	rng := rand.New(rand.NewPCG(m.seed, i))
	k := m.kinds[m.weighted[rng.IntN(len(m.weighted))]]
	if i < uint64(len(m.kinds)) {
		k = m.kinds[i]
	}
	since := k.since
	if i < uint64(len(m.kinds)) && k.linked.After(since) {
		since = k.linked // the first of a kind shows the whole group
	}
	closed := m.closingDay(rng, since)
	parts := k.parts
	if closed.Before(k.linked) {
		parts = parts[k.alone : k.alone+1]
	}
	c := newCase(rng, m, closed)
	var plans []*plan
	for j, part := range parts {
		if closed.Before(part.since) {
			continue
		}
		p := newPlan(c, k.name, part)
		if len(parts) > 1 {
			// Parts of a group follow each other by days and are all granted: one refused would stop the rest.
			p.shift(j)
			p.outcome = "granted"
		}
		p.code = m.code(p)
		plans = append(plans, p)
	}
	for _, p := range plans {
		if len(plans) > 1 {
			p.group = plans[0].code
		}
		p.settle()
	}
	return plans
}

// closingDay draws a working day, recent ones more often.
func (m *maker) closingDay(rng *rand.Rand, since time.Time) time.Time {
	from, to := m.opts.From, m.opts.To
	if since.After(from) && since.Before(to) {
		from = since
	}
	days := int(to.Sub(from).Hours() / 24)
	u := rng.Float64()
	day := workday(to.AddDate(0, 0, -int(u*u*u*float64(days))), -1)
	if day.Before(from) {
		day = workday(from, 1)
	}
	return day
}

// code gives the dossier the next free code of its agency's day. Ordinals step over the other fifteen residues modulo 16, which
// belong to other seeds.
func (m *maker) code(p *plan) string {
	day := p.received
	key := ordinalKey{p.agency.code, day.Year()*400 + day.YearDay()}
	ordinal, ok := m.ordinals[key]
	if ok {
		ordinal += 16
	} else {
		ordinal = int((m.seed+15)%16) + 1 + 16*p.rng.IntN(6)
	}
	m.ordinals[key] = ordinal
	unit := p.agency.code
	if p.oldCode {
		unit = reversed(unit)
	}
	return fmt.Sprintf("%s-%s-%04d", unit, day.Format("060102"), ordinal)
}

// dossier writes the documents of a plan.
func (m *maker) dossier(p *plan) Dossier {
	var files []File
	var docs []documentEntry
	used := 0
	for i, f := range p.papers(m.opts.Size > 0) {
		size := 0
		if m.opts.Size > 0 && f.as == asScan {
			size = (m.opts.Size - used) / (sizedFiles - i)
		}
		w := p.write(m, f, size)
		name := fmt.Sprintf("%02d-%s.%s", i+1, f.slug, w.extension)
		sum := sha256.Sum256(w.data)
		file := File{Name: name, MediaType: w.mediaType, SHA256: hex.EncodeToString(sum[:]), Data: w.data}
		used += len(w.data)
		files = append(files, file)
		docs = append(docs, p.entry(f, file, w.pages))
	}
	return Dossier{Declaration: p.declaration(docs), Files: files, Code: p.code, Title: p.title, Kind: p.kind}
}

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// day forgets the hour, and the zone it was read in.
func day(t time.Time) time.Time {
	year, month, d := t.Date()
	return date(year, int(month), d)
}

// workday moves a day in steps until it is no weekend and none of the fixed holidays.
func workday(day time.Time, step int) time.Time {
	for {
		_, month, d := day.Date()
		switch {
		case day.Weekday() == time.Saturday, day.Weekday() == time.Sunday:
		case d == 1 && (month == time.January || month == time.May), d == 2 && month == time.September, d == 30 && month == time.April:
		default:
			return day
		}
		day = day.AddDate(0, 0, step)
	}
}

func pick[T any](rng *rand.Rand, list []T) T {
	return list[rng.IntN(len(list))]
}
