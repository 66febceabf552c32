package sample

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	sizedFiles = 7
	// paperUntil is when agencies began to make documents on screens; what is older was scanned for the archive.
	paperUntil   = 2012
	dayMonthYear = "02/01/2006"
)

// caseOf is what the dossiers of one case share: the chance they draw from, the place and the people.
type caseOf struct {
	rng      *rand.Rand
	province province
	commune  commune
	closed   time.Time
	people   map[string]person // by letter: applicant, spouse, father, mother, child, elder, other
	shared   map[string]string // what templates may name, the same in all dossiers of the case
}

func newCase(rng *rand.Rand, m *maker, closed time.Time) *caseOf {
	c := &caseOf{rng: rng, province: pick(rng, m.provinces), closed: closed, people: map[string]person{}, shared: map[string]string{}}
	c.commune = pick(rng, c.province.communes)
	draw := func(youngest, oldest int, male bool, surname string) person {
		return newPerson(rng, c.province, closed, youngest, oldest, male, surname)
	}
	a := draw(22, 44, rng.IntN(2) == 0, "")
	s := draw(22, 44, !a.male, "")
	a.address = c.province.address(rng, c.commune, closed)
	s.address = a.address
	e := draw(66, 92, rng.IntN(2) == 0, a.surname())
	e.address = c.province.address(rng, c.commune, closed)
	f, mother := a, s
	if !a.male {
		f, mother = s, a
	}
	child := person{male: rng.IntN(2) == 0, ethnic: f.ethnic, address: a.address}
	child.birth = closed.AddDate(0, 0, -28-rng.IntN(28))
	child.name = newName(rng, child.male, f.surname())
	child.id = newPersonalID(rng, c.province.id, child.birth, child.male)
	c.people["a"], c.people["s"], c.people["e"], c.people["f"], c.people["m"], c.people["c"] = a, s, e, f, mother, child
	c.people["o"] = draw(30, 64, rng.IntN(2) == 0, "")
	for letter, who := range c.people {
		c.addPerson(letter, who)
	}
	c.addFamily()
	c.addProperty()
	c.addTopics()
	return c
}

// plan is one dossier before its documents are written.
type plan struct {
	*caseOf
	kind                      string
	part                      part
	agency                    agency
	received, settled, closed time.Time
	outcome, channel          string
	code, group, title        string
	leader, clerk             string
	result                    int // number of the result
	oldCode                   bool
	facts                     map[string]string
}

func newPlan(c *caseOf, name string, pt part) *plan {
	p := &plan{caseOf: c, kind: name, part: pt, closed: c.closed, outcome: "granted"}
	p.settled = workday(p.closed.AddDate(0, 0, -p.rng.IntN(4)), -1)
	p.received = workday(p.settled.AddDate(0, 0, -pt.days-p.rng.IntN(1+pt.days/2)), -1)
	p.agency = agencyFor(pt.office, c.province, c.commune, p.received)
	switch n := p.rng.IntN(40); {
	case n < 2:
		p.outcome = "refused"
	case n == 2:
		p.outcome = "stopped"
	case n == 3:
		p.outcome = "withdrawn"
	}
	p.channel = drawChannel(p.rng, p.received)
	p.leader, p.clerk = newName(p.rng, p.rng.IntN(2) == 0, ""), newName(p.rng, p.rng.IntN(2) == 0, "")
	p.result = 1 + p.rng.IntN(4000)
	old := 15
	if p.received.Before(date(2018, 7, 1)) {
		old = 100
	} else if p.received.Before(date(2021, 7, 1)) {
		old = 70
	}
	p.oldCode = p.rng.IntN(100) < old
	return p
}

func drawChannel(rng *rand.Rand, on time.Time) string {
	n := rng.IntN(20)
	switch {
	case n == 0:
		return "post"
	case on.Year() >= 2021 && n < 15, on.Year() >= 2015 && n < 5:
		return "online"
	}
	return "direct"
}

// shift puts the j-th part of a group on its days: the first one spans all the others.
func (p *plan) shift(j int) {
	start := workday(p.caseOf.closed.AddDate(0, 0, -16), -1)
	if j == 0 {
		p.received, p.settled = start, p.caseOf.closed
		p.closed = p.settled
		return
	}
	p.received = workday(start.AddDate(0, 0, 2*(j-1)), 1)
	p.settled = workday(p.received.AddDate(0, 0, 1+p.rng.IntN(2)), 1)
	p.closed = p.settled
	p.channel = "online"
}

// settle fixes the facts, once the code is known.
func (p *plan) settle() {
	p.facts = maps.Clone(p.shared)
	f := p.facts
	f["code"], f["proc"], f["agency"], f["AGENCY"] = p.code, p.part.name, p.agency.name, strings.ToUpper(p.agency.name)
	f["place"], f["leader"], f["leadertitle"], f["clerk"], f["clerktitle"] = p.agency.place, p.leader, p.agency.leader, p.clerk, p.agency.clerk
	f["recv"], f["settled"], f["due"] = inWords(p.received), inWords(p.settled), inWords(p.due())
	f["recvd"], f["settledd"], f["closedd"] = p.received.Format(dayMonthYear), p.settled.Format(dayMonthYear), p.closed.Format(dayMonthYear)
	f["year"], f["month"] = strconv.Itoa(p.settled.Year()), strconv.Itoa(int(p.settled.Month()))
	p.title = p.expand(p.part.title)
}

// due is the day promised to the applicant.
func (p *plan) due() time.Time { return workday(p.received.AddDate(0, 0, p.part.days+1), 1) }

func (c *caseOf) addPerson(letter string, who person) {
	ong := who.addressed()
	if letter == "c" {
		ong = "trẻ"
	}
	f := c.shared
	f[letter] = who.name
	f[letter+".id"] = who.id
	f[letter+".birth"] = who.birth.Format(dayMonthYear)
	f[letter+".born"] = inWords(who.birth)
	f[letter+".year"] = strconv.Itoa(who.birth.Year())
	f[letter+".sex"] = who.sex()
	f[letter+".ong"] = ong
	f[letter+".Ong"] = capital(ong)
	f[letter+".addr"] = who.address
	f[letter+".ethnic"] = who.ethnic
	f[letter+".prov"] = who.id[1:3]
}

func (c *caseOf) addFamily() {
	f, a := c.shared, c.people["a"]
	f["province"], f["commune"] = c.province.name, c.commune.name
	f["phone"] = fmt.Sprintf("0%d%08d", pick(c.rng, []int{3, 7, 8, 9}), c.rng.IntN(100_000_000))
	f["fee"] = pick(c.rng, []string{"không thu phí", "8.000 đồng", "15.000 đồng", "50.000 đồng", "100.000 đồng"})
	f["money"] = pick(c.rng, []string{"20.000.000", "23.400.000", "35.000.000", "50.000.000", "120.000.000", "450.000.000", "1.250.000.000"})
	f["serialno"] = fmt.Sprintf("%010d", c.rng.Int64N(10_000_000_000))
	f["registry"] = fmt.Sprintf("%06d", 1+c.rng.IntN(90_000))
	f["died"] = c.closed.AddDate(0, 0, -20-c.rng.IntN(12)).Format(dayMonthYear)
	f["f2"], f["s2"] = newName(c.rng, true, a.surname()), newName(c.rng, true, "")
	f["martyr"] = newName(c.rng, true, a.surname())
	f["parent"], f["elderkin"] = "mẹ", "con gái"
	if a.male {
		f["parent"], f["elderkin"] = "cha", "con trai"
	}
}

func (c *caseOf) addProperty() {
	f, r := c.shared, c.rng
	house := 40 + r.IntN(90)
	floors := 1 + r.IntN(5)
	f["plot"], f["sheet"] = strconv.Itoa(1+r.IntN(900)), strconv.Itoa(1+r.IntN(120))
	f["area"] = fmt.Sprintf("%d,%d", house+10+r.IntN(300), 1+r.IntN(9))
	f["housearea"], f["floors"], f["floorarea"] = strconv.Itoa(house), strconv.Itoa(floors), strconv.Itoa(house*floors)
	f["height"] = fmt.Sprintf("%d,%d", floors*3+1, 1+r.IntN(9))
	f["builtyear"] = strconv.Itoa(c.closed.Year() - 6 - r.IntN(20))
	f["serial"] = fmt.Sprintf("%c%c %06d", 'A'+r.IntN(26), 'A'+r.IntN(26), r.IntN(1_000_000))
	f["site"] = c.province.address(r, c.commune, c.closed)
	f["landuse"], f["landorigin"], f["designer"] = oneOf(r, landUses), oneOf(r, landOrigins), oneOf(r, designers)
	trade := r.IntN(6)
	f["trade"] = strings.Split(trades, "|")[trade]
	f["shop"] = oneOf(r, shopNames) + " " + lastWord(c.people["a"].name)
	f["oldnumber"] = fmt.Sprintf("%d/QĐ-UBND", 100+r.IntN(5000))
	goods := []string{
		fmt.Sprintf("quyền sử dụng thửa đất số %s, tờ bản đồ số %s, diện tích %s m², tại %s", f["plot"], f["sheet"], f["area"], f["site"]),
		fmt.Sprintf("quyền sử dụng thửa đất số %s, tờ bản đồ số %s, diện tích %s m², Giấy chứng nhận số %s", f["plot"], f["sheet"], f["area"], f["serial"]),
		fmt.Sprintf("xe ô tô con nhãn hiệu %s, biển kiểm soát %s%c-%05d", pick(r, []string{"Toyota Vios", "Kia Morning", "Mazda 3", "VinFast VF 5"}), c.province.id[1:], 'A'+r.IntN(8), r.IntN(100_000)),
		fmt.Sprintf("xe mô tô nhãn hiệu %s, biển kiểm soát %s-B%d %05d", pick(r, []string{"Honda Wave", "Honda Vision", "Yamaha Sirius", "SYM Attila"}), c.province.id[1:], 1+r.IntN(9), r.IntN(100_000)),
		fmt.Sprintf("nhà ở diện tích %s m² tại %s, thời hạn thuê 24 tháng", f["housearea"], f["site"]),
		fmt.Sprintf("quản lý nhà ở và quyền sử dụng đất tại %s", f["site"]),
	}
	i := r.IntN(len(goods))
	f["goods"], f["deal"] = goods[i], strings.Split(deals, "|")[i]
	f["DEAL"] = strings.ToUpper(f["deal"])
}

func (c *caseOf) addTopics() {
	f, r := c.shared, c.rng
	f["hospital"] = strings.ReplaceAll(oneOf(r, hospitalsOf), "{p}", c.province.short)
	f["clinic"] = strings.ReplaceAll(oneOf(r, clinicsOf), "{p}", c.commune.name)
	f["cause"], f["matter"], f["nuisance"] = oneOf(r, causes), oneOf(r, matters), oneOf(r, nuisances)
	f["paper"] = oneOf(r, papersOf)
	f["Paper"] = capital(f["paper"])
	f["recordform"] = pick(r, []string{"1", "1", "2"})
	f["recordpurpose"], f["maritalpurpose"] = oneOf(r, recordUses), oneOf(r, maritalUses)
	f["against"] = "Chủ tịch Ủy ban nhân dân " + c.commune.name
}

// expand draws the choices of a template and fills in the facts.
func (p *plan) expand(template string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "[")
		b.WriteString(before)
		if !ok {
			break
		}
		choice, after, _ := strings.Cut(rest, "]")
		b.WriteString(oneOf(p.rng, choice))
		template = after
	}
	return p.fill(b.String())
}

func (p *plan) fill(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		key, after, _ := strings.Cut(rest, "}")
		value, known := p.facts[key]
		if !known {
			panic(fmt.Sprintf("sample: internal error: template without fact %q", key))
		}
		b.WriteString(value)
		text = after
	}
}

// papers lists the documents the dossier has in the end.
func (p *plan) papers(sized bool) []form {
	forms := append([]form(nil), p.part.forms...)
	last := len(forms) - 1
	switch p.outcome {
	case "refused":
		forms[last] = result("thong-bao-tu-choi", "Thông báo về việc không giải quyết hồ sơ", typeNotice, "TB-KGQ", refusalBody)
	case "stopped":
		forms[last] = result("thong-bao-dung", "Thông báo về việc dừng giải quyết hồ sơ", typeNotice, "TB-DGQ", stoppedBody)
	case "withdrawn":
		forms[last] = request("don-xin-rut", "Đơn xin rút hồ sơ", asPDF, withdrawalBody)
	}
	if sized {
		forms = []form{forms[last], receipt()}
		for i := len(forms); i < sizedFiles; i++ {
			forms = append(forms, scan(fmt.Sprintf("ban-chup-%d", i-1), fmt.Sprintf("Bản chụp giấy tờ kèm theo số %d", i-1), "{agency}"))
		}
	}
	if p.onPaper() {
		for i := range forms {
			if forms[i].as != asScan {
				forms[i].as = asPDF
			}
		}
	}
	return forms
}

func (p *plan) onPaper() bool {
	return p.closed.Year() < paperUntil
}

func oneOf(rng *rand.Rand, list string) string {
	return pick(rng, strings.Split(list, "|"))
}

// inWords writes a day as Decree 30/2020 asks: zeros before days under ten and before the months January and February.
func inWords(day time.Time) string {
	month := strconv.Itoa(int(day.Month()))
	if day.Month() < time.March {
		month = "0" + month
	}
	return fmt.Sprintf("ngày %02d tháng %s năm %d", day.Day(), month, day.Year())
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func lastWord(s string) string {
	return s[strings.LastIndexByte(s, ' ')+1:]
}
