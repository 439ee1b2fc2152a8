package disclosures

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
)

// sheetPolicy lets the page have its own style, and nothing else.
const sheetPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"

// both is a text in both languages.
func both(key string) string {
	return i18n.Text(i18n.Chinese, key) + " / " + i18n.Text(i18n.English, key)
}

var sheetPage = template.Must(template.New("sheet").Funcs(template.FuncMap{"both": both}).Parse(`<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8"><title>{{both "sheet.title"}}</title>
<style>
body{font-family:"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;font-size:11pt;max-width:180mm;margin:10mm auto}
h1{font-size:15pt}table{width:100%;border-collapse:collapse;margin:4mm 0}
th,td{border:1px solid #555;padding:2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:38%;font-weight:normal;background:#f2f2f2}
pre{font-size:8pt;white-space:pre-wrap;overflow-wrap:anywhere}.sign td{height:18mm}
@media print{body{margin:0}}
</style></head><body>
<h1>{{both "sheet.title"}}</h1>
<table>
<tr><th>{{both "sheet.person"}}</th><td>{{.Person}}</td></tr>
{{range .Evidence}}<tr><th>{{.Label}}</th><td>{{.Value}}</td></tr>
{{end}}<tr><th>{{both "sheet.given_by"}}</th><td>{{.By}}</td></tr>
<tr><th>{{both "sheet.given_at"}}</th><td>{{.GivenAt}}</td></tr>
<tr><th>{{both "sheet.printed_at"}}</th><td>{{.PrintedAt}}</td></tr>
</table>
<p>{{both "sheet.fields"}}</p>
<table>
<tr><th>{{both "sheet.item"}}</th><th>{{both "sheet.value"}}</th></tr>
{{range .Fields}}<tr><td>{{.LabelZh}} / {{.LabelEn}}</td><td>{{if $.WithValues}}{{if .Value}}{{.Value}}{{else}}{{both "sheet.nothing"}}{{end}}{{end}}</td></tr>
{{end}}</table>
{{if not .WithValues}}<p>{{both "sheet.no_values"}}</p>
{{end}}<table class="sign"><tr><td>{{both "sheet.official_signs"}}</td><td>{{both "sheet.hr_signs"}}</td></tr></table>
<p>{{both "sheet.entry"}}: {{.Entry}}</p>
<p>{{both "sheet.receipt"}}</p>
<pre>{{.Receipt}}</pre>
</body></html>
`))

type sheetView struct {
	Person, By, GivenAt, PrintedAt, Receipt string
	Entry                                   uuid.UUID
	Evidence                                []struct{ Label, Value string }
	Fields                                  []disclosure.SheetField
	WithValues                              bool
}

// sheetTime is an instant on paper.
const sheetTime = "2006-01-02 15:04:05 UTC"

func sheetOf(s disclosure.Sheet, people render.Named) sheetView {
	name := func(id uuid.UUID) string {
		if p := people.Of(&id); p != nil {
			return p.Text()
		}
		return ""
	}
	v := sheetView{
		Person: name(s.EmployeeID), By: name(s.ActorID), GivenAt: s.ShownAt.UTC().Format(sheetTime), PrintedAt: s.PrintedAt.UTC().Format(sheetTime),
		Receipt: s.Receipt, Entry: s.LedgerEntryID, Fields: s.Fields, WithValues: s.WithValues,
	}
	for _, p := range disclosure.Purposes() {
		if string(p.Purpose) != s.Purpose {
			continue
		}
		for _, e := range p.Evidence {
			v.Evidence = append(v.Evidence, struct{ Label, Value string }{both("evidence_key." + e.Key), s.Statement.Evidence[e.Key]})
		}
	}
	return v
}

// printSheet records that the sheet is printed, and then sends it.
func (s *server) printSheet(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	var sheet disclosure.Sheet
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		sheet, err = disclosure.Print(tx, s.Vault, httpkit.ActorOf(ctx), in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	people, err := s.PeopleInLog(ctx, in.Language(), []uuid.UUID{sheet.EmployeeID, sheet.ActorID})
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := sheetPage.Execute(&page, sheetOf(sheet, people)); err != nil {
		return nil, fmt.Errorf("writing a sheet: %w", err)
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "text/html; charset=utf-8")
		hctx.SetHeader("Content-Security-Policy", sheetPolicy)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(page.Bytes())
	}}, nil
}
