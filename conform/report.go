package conform

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Report gathers the results of many packages.
type Report struct {
	kit     *Kit
	Time    time.Time // Vietnamese
	Results []*Result
	counts  []Count
}

// Count is how a rule fared over all packages.
type Count struct {
	Rule          Rule `json:"rule"`
	Pass          int  `json:"pass"`
	Warn          int  `json:"warning"`
	Fail          int  `json:"fail"`
	NotApplicable int  `json:"not_applicable"`
}

// Report returns a report without results.
func (k *Kit) Report() *Report {
	r := &Report{kit: k, Time: k.config.Now().In(time.FixedZone("+07:00", 7*60*60))}
	for _, rule := range k.rules {
		r.counts = append(r.counts, Count{Rule: rule})
	}
	return r
}

// Add adds the result of one package.
func (r *Report) Add(result *Result) {
	r.Results = append(r.Results, result)
	for i, s := range result.statuses {
		r.counts[i].count(s)
	}
	for _, f := range result.Findings {
		if _, known := r.kit.at[f.Code]; !known {
			r.unknown(f).count(f.Status)
		}
	}
}

// unknown counts a rule that is in no catalogue.
func (r *Report) unknown(f Finding) *Count {
	i := slices.IndexFunc(r.counts[len(r.kit.rules):], func(c Count) bool { return c.Rule.Code == f.Code })
	if i < 0 {
		r.counts = append(r.counts, Count{Rule: Rule{Code: f.Code, Level: "MUST", Vietnamese: f.Vietnamese, English: f.English, Source: f.Source}})
		return &r.counts[len(r.counts)-1]
	}
	return &r.counts[len(r.kit.rules)+i]
}

func (c *Count) count(s Status) {
	switch s {
	case Pass:
		c.Pass++
	case Warn:
		c.Warn++
	case Fail:
		c.Fail++
	default:
		c.NotApplicable++
	}
}

// OK reports whether no package failed, and there was one.
func (r *Report) OK() bool {
	return len(r.Results) > 0 && !slices.ContainsFunc(r.Results, func(p *Result) bool { return !p.OK })
}

// Failed returns how many packages failed.
func (r *Report) Failed() (n int) {
	for _, p := range r.Results {
		if !p.OK {
			n++
		}
	}
	return n
}

// Counts returns the summary by rule, in the order of the catalogue.
func (r *Report) Counts() []Count { return slices.Clone(r.counts) }

// line is a rule's outcome for one package, in a report.
type line struct {
	Rule   Rule
	Status Status
}

func (r *Report) lines(p *Result) []line {
	list := make([]line, len(r.kit.rules))
	for i, rule := range r.kit.rules {
		list[i] = line{rule, p.statuses[i]}
	}
	return list
}

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	type packageJSON struct {
		*Result
		Rules map[string]Status `json:"rules"`
	}
	packages := make([]packageJSON, 0, len(r.Results))
	for _, p := range r.Results {
		rules := make(map[string]Status, len(r.kit.rules))
		for _, l := range r.lines(p) {
			rules[l.Rule.Code] = l.Status
		}
		packages = append(packages, packageJSON{p, rules})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]any{
		"ok": r.OK(), "time": r.Time.Format(time.RFC3339), "packages": packages, "summary": r.counts,
	})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// word is what a status is called.
func word(s Status) string {
	switch s {
	case Pass:
		return "đạt · pass"
	case Warn:
		return "cảnh báo · warning"
	case Fail:
		return "KHÔNG ĐẠT · FAIL"
	}
	return "không áp dụng · not applicable"
}

func formWord(form string) string {
	switch form {
	case "eark":
		return "E-ARK"
	case "bagit":
		return "BagIt"
	case "plain":
		return "dossier.json"
	}
	return "không rõ dạng · unknown form"
}

// Text writes the report for a terminal. With all, every rule is listed for
// every package, not only those that were not met.
func (r *Report) Text(w io.Writer, all bool) error {
	b := bufio.NewWriter(w)
	for _, p := range r.Results {
		r.textOf(b, p, all)
	}
	if len(r.Results) != 1 {
		r.summary(b)
	}
	fmt.Fprintf(b, "%d gói tin · packages, %d không đạt · failed\n", len(r.Results), r.Failed())
	if err := b.Flush(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func (r *Report) textOf(w io.Writer, p *Result, all bool) {
	verdict := "ĐẠT · CONFORMS"
	if !p.OK {
		verdict = "KHÔNG ĐẠT · DOES NOT CONFORM"
	}
	fmt.Fprintf(w, "%s  %s  (%s)\n", verdict, p.Name, formWord(p.Form))
	var total Count
	for _, s := range p.statuses {
		total.count(s)
	}
	fmt.Fprintf(w, "  %d đạt · pass, %d không đạt · fail, %d cảnh báo · warning, %d không áp dụng · not applicable\n",
		total.Pass, total.Fail, total.Warn, total.NotApplicable)
	for _, f := range p.Findings {
		fmt.Fprintf(w, "\n  %s  %s\n    %s\n    %s\n", word(f.Status), f.Code, f.Vietnamese, f.English)
		for _, at := range f.Places {
			fmt.Fprintf(w, "      tại · at: %s\n", printable(at))
		}
		if f.More > 0 {
			fmt.Fprintf(w, "      … và %d chỗ khác · and %d more\n", f.More, f.More)
		}
		fmt.Fprintf(w, "    căn cứ · source: %s\n", f.Source)
	}
	if all {
		fmt.Fprintln(w)
		for _, l := range r.lines(p) {
			fmt.Fprintf(w, "  %-32s %-24s %s\n", word(l.Status), l.Rule.Code, l.Rule.Vietnamese)
		}
	}
	fmt.Fprintln(w)
}

// summary lists the rules that some package does not meet.
func (r *Report) summary(w io.Writer) {
	fmt.Fprintf(w, "Theo quy tắc · By rule\n  %-28s %8s %8s %8s\n", "", "không đạt", "cảnh báo", "đạt")
	for _, c := range r.counts {
		if c.Fail+c.Warn > 0 {
			fmt.Fprintf(w, "  %-28s %8d %8d %8d  %s\n", c.Rule.Code, c.Fail, c.Warn, c.Pass, c.Rule.Vietnamese)
		}
	}
	fmt.Fprintln(w)
}

// printable keeps what a package calls its files from driving a terminal.
func printable(s string) string {
	q := []rune(s)
	for i, c := range q {
		if c < ' ' || c >= 0x7F && c < 0xA0 || c >= 0x200B && c <= 0x200F || c >= 0x202A && c <= 0x202E || c >= 0x2066 && c <= 0x2069 {
			q[i] = '?'
		}
	}
	return string(q)
}
