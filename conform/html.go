package conform

import (
	"fmt"
	"html/template"
	"io"
)

// HTML writes the report as one page that needs nothing else: no script, no
// file, no network.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"word": word, "form": formWord, "place": printable, "byStatus": r.byStatus,
		"class": func(s Status) string {
			if s == NotApplicable {
				return "na"
			}
			return string(s)
		},
	}).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := page.Execute(w, r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// group is the rules of one package that share an outcome.
type group struct {
	Status Status
	Codes  []string
}

func (r *Report) byStatus(p *Result) []group {
	groups := []group{{Status: Fail}, {Status: Warn}, {Status: Pass}, {Status: NotApplicable}}
	for _, l := range r.lines(p) {
		for i := range groups {
			if groups[i].Status == l.Status {
				groups[i].Codes = append(groups[i].Codes, l.Rule.Code)
			}
		}
	}
	return groups
}

const pageHTML = `<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Báo cáo kiểm tra gói tin nộp lưu · Conformance report</title>
<style>
:root { --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --fail: #a3161a; --warn: #8a5a00; --pass: #1e6b34; --ground: #f5f7f9; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); margin: 0 auto; padding: 1.5rem; max-width: 70rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.en { color: var(--soft); } .fail { color: var(--fail); } .warning { color: var(--warn); } .pass { color: var(--pass); } .na { color: var(--soft); }
article { border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: 1rem 0; }
article > h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: .75rem 0 .25rem; }
code { font: .9em ui-monospace, Consolas, monospace; background: var(--ground); padding: 0 .25em; border-radius: 3px; overflow-wrap: anywhere; }
ul { margin: .25rem 0; padding-left: 1.25rem; } p { margin: .25rem 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; }
summary { cursor: pointer; padding: .5rem 0; } .src { color: var(--soft); font-size: .88rem; }
@media print { details { display: block; } body { max-width: none; } }
</style>
</head>
<body>
<h1>Báo cáo kiểm tra gói tin nộp lưu</h1>
<p class="en">Conformance report · {{.Time.Format "2006-01-02 15:04 -07:00"}}</p>
<p>{{if .OK}}<strong class="pass">Tất cả đạt · All conform</strong>{{else}}<strong class="fail">{{.Failed}} / {{len .Results}} gói tin không đạt · packages do not conform</strong>{{end}}</p>
{{range $p := .Results}}
<article>
<h3>{{if .OK}}<span class="pass">Đạt · Conforms</span>{{else}}<span class="fail">Không đạt · Does not conform</span>{{end}} — {{place .Name}} <span class="en">({{form .Form}})</span></h3>
{{range .Findings}}
<section>
<p><strong class="{{class .Status}}">{{word .Status}}</strong> <code>{{.Code}}</code></p>
<p>{{.Vietnamese}}</p>
<p class="en">{{.English}}</p>
{{if .Places}}<ul>{{range .Places}}<li><code>{{place .}}</code></li>{{end}}{{if .More}}<li>… và {{.More}} chỗ khác · and {{.More}} more</li>{{end}}</ul>{{end}}
<p class="src">Căn cứ · Source: {{.Source}}</p>
</section>
{{end}}
<details><summary>Mọi quy tắc · Every rule</summary>
{{range byStatus $p}}<p><strong class="{{class .Status}}">{{word .Status}}</strong> ({{len .Codes}})<br>{{range .Codes}}<code>{{.}}</code> {{end}}</p>
{{end}}</details>
</article>
{{end}}
<h2>Theo quy tắc · By rule</h2>
<div class="wide"><table>
<tr><th>Quy tắc · Rule</th><th>Nội dung · What is asked</th><th class="n">Không đạt<br>fail</th><th class="n">Cảnh báo<br>warning</th><th class="n">Đạt<br>pass</th><th class="n">Không áp dụng<br>n/a</th><th>Căn cứ<br>source</th></tr>
{{range .Counts}}<tr><td><code>{{.Rule.Code}}</code> {{.Rule.Level}}</td><td>{{.Rule.Vietnamese}}<br><span class="en">{{.Rule.English}}</span></td><td class="n{{if .Fail}} fail{{end}}">{{.Fail}}</td><td class="n{{if .Warn}} warning{{end}}">{{.Warn}}</td><td class="n">{{.Pass}}</td><td class="n na">{{.NotApplicable}}</td><td class="src">{{.Rule.Source}}</td></tr>
{{end}}</table></div>
</body>
</html>
`
