package disclosures

import (
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/pdf"
)

// paper writes a copy as pages.
type paper struct {
	*pdf.Document
	language i18n.Language
	zone     *time.Location
	// relative: a near relative of somebody who died reads it, so that it speaks of the person and not to them.
	relative bool
}

func (p paper) text(key string) string {
	if p.relative {
		if text, ok := i18n.Lookup(p.language, "copy."+key+"_relative"); ok {
			return text
		}
	}
	return i18n.Text(p.language, "copy."+key)
}

// at is an instant in the zone in which the person works or worked, which stands above.
func (p paper) at(t *time.Time) string {
	if t == nil {
		return p.text("none")
	}
	return p.language.Minute(t.In(p.zone))
}

// sendCopy answers with a copy as pages.
func sendCopy(c OwnCopy, employments []disclosure.OwnEmployment, language i18n.Language, relative bool) (*huma.StreamResponse, error) {
	p := paper{httpkit.NewPDF(language, "copy.title"), language, time.UTC, relative}
	if n := len(employments); n > 0 {
		zone, err := clock.LoadZone(employments[n-1].TimeZone)
		if err != nil {
			return nil, fmt.Errorf("loading an employment's zone: %w", err)
		}
		p.zone = zone
	}
	p.write(c)
	content, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	return httpkit.SendPDF("own-data-"+c.MadeAt.In(p.zone).Format(time.DateOnly), content), nil
}

func (p paper) write(c OwnCopy) {
	p.Faint(pdf.SizeSmall, p.text("intro"))
	p.Space(pdf.SizeSmall)
	p.Table(pdf.Facts(
		[]string{p.text("name"), c.Name}, []string{p.text("number"), c.EmployeeNo},
		[]string{p.text("former_names"), p.list(c.FormerNames...)}, []string{p.text("made_at"), p.at(&c.MadeAt)},
		[]string{p.text("zone"), p.zone.String()}, []string{p.text("status"), c.StatusText}, []string{p.text("site"), p.maybe(c.Site)},
	))
	for i, m := range c.Employments {
		p.employment(i+1, m)
	}
	p.kept(c)
	p.consents(c)
	p.departures(c)
	p.accounts(c)
	p.requests(c)
	p.looks(c)
	if c.Receipt != "" {
		p.Heading(p.text("receipt"))
		p.Faint(pdf.SizeSmall, p.text("receipt_hint"))
		p.Text(pdf.SizeSmall, c.Receipt)
	}
}

func (p paper) list(words ...string) string {
	if text := p.language.List(words); text != "" {
		return text
	}
	return p.text("none")
}

func (p paper) employment(n int, m OwnEmployment) {
	p.Heading(fmt.Sprintf(p.text("employment"), n))
	rows := [][]string{{p.text("legal_entity"), p.list(m.LegalEntity)}, {p.text("department"), p.list(m.Department)}, {p.text("post"), p.list(m.Post)}, {p.text("hired_on"), p.language.Day(time.Date(m.HiredOn.Year, m.HiredOn.Month, m.HiredOn.Day, 0, 0, 0, 0, time.UTC))}}
	if m.EndedAt != nil {
		rows = append(rows, []string{p.text("ended_at"), p.at(m.EndedAt)})
	}
	p.Table(pdf.Facts(rows...))
	if len(m.Fields) == 0 {
		p.Faint(pdf.SizeText, p.text("no_fields"))
		return
	}
	fields := make([][]string, len(m.Fields))
	for i, f := range m.Fields {
		fields[i] = []string{f.Label, p.value(f)}
	}
	p.Table(pdf.Facts(fields...))
}

// value is what stands on paper for a field.
func (p paper) value(f ShownField) string {
	value := ""
	switch {
	case f.Text != nil:
		value = *f.Text
	case f.Value != nil:
		value = *f.Value
	}
	for _, d := range f.Attachments {
		name := d.Name
		if name == "" {
			name = p.text("nameless")
		}
		if value != "" {
			value += "\n"
		}
		value += fmt.Sprintf(p.text("document"), name, d.TypeText, (d.Size+1023)/1024)
	}
	return value
}

func (p paper) kept(c OwnCopy) {
	p.Heading(p.text("kept"))
	if len(c.KeptUntil) == 0 {
		nothing := "kept_none"
		if n := len(c.Employments); n > 0 && c.Employments[n-1].EndedAt != nil {
			nothing = "kept_nothing"
		}
		p.Faint(pdf.SizeText, p.text(nothing))
		return
	}
	t := pdf.Table{Columns: []pdf.Column{{Title: p.text("category"), Share: 2}, {Title: p.text("until"), Share: 1.8}, {Title: p.text("state"), Share: 1.2}, {Title: p.text("basis"), Share: 4}}}
	for _, k := range c.KeptUntil {
		t.Rows = append(t.Rows, []string{k.CategoryText, p.at(&k.Deadline), k.StateText, k.Basis})
	}
	p.Table(t)
}

func (p paper) consents(c OwnCopy) {
	p.Heading(p.text("consents"))
	t := pdf.Table{Columns: []pdf.Column{{Title: p.text("purpose"), Share: 3}, {Title: p.text("answer"), Share: 1.5}, {Title: p.text("answered_at"), Share: 2}}}
	for _, a := range c.Consents {
		t.Rows = append(t.Rows, []string{a.PurposeText, a.StateText, p.at(a.AnsweredAt)})
	}
	p.Table(t)
}

func (p paper) looks(c OwnCopy) {
	p.Heading(p.text("looks"))
	if len(c.Looks) == 0 {
		p.Faint(pdf.SizeText, p.text("looks_none"))
		return
	}
	p.Faint(pdf.SizeSmall, fmt.Sprintf(p.text("looks_hint"), mostLooks))
	t := pdf.Table{Columns: []pdf.Column{
		{Title: p.text("when"), Share: 1.9}, {Title: p.text("department"), Share: 1.7}, {Title: p.text("purpose"), Share: 1.8},
		{Title: p.text("fields"), Share: 3}, {Title: p.text("result"), Share: 1.8},
	}}
	for _, l := range c.Looks {
		t.Rows = append(t.Rows, []string{p.at(&l.AskedAt), p.list(l.Department), l.PurposeText, p.list(l.FieldsText...), l.StateText})
	}
	p.Table(t)
	for _, l := range c.Looks {
		if l.Objection != "" {
			p.Table(pdf.Facts([]string{p.text("objected"), p.at(l.ObjectedAt)}, []string{p.text("objection"), l.Objection}, []string{p.text("answer_text"), p.maybe(l.Answer)}))
		}
	}
}

// maybe is a text, or that there is none.
func (p paper) maybe(text string) string {
	if text == "" {
		return p.text("none")
	}
	return text
}

func (p paper) departures(c OwnCopy) {
	if len(c.Departures) == 0 {
		return
	}
	p.Heading(p.text("departures"))
	t := pdf.Table{Columns: []pdf.Column{
		{Title: p.text("departure"), Share: 3}, {Title: p.text("state"), Share: 2}, {Title: p.text("notice_on"), Share: 1.5}, {Title: p.text("last_day"), Share: 1.5}, {Title: p.text("end_date"), Share: 1.5},
	}}
	for _, d := range c.Departures {
		t.Rows = append(t.Rows, []string{d.KindText, d.StageText, d.NoticeReceivedOn.String(), d.LastWorkingDay.String(), d.EmploymentEndDate.String()})
	}
	p.Table(t)
}

func (p paper) accounts(c OwnCopy) {
	if len(c.Accounts) == 0 {
		return
	}
	p.Heading(p.text("accounts"))
	t := pdf.Table{Columns: []pdf.Column{{Title: p.text("system"), Share: 3}, {Title: p.text("state"), Share: 4}}}
	for _, a := range c.Accounts {
		t.Rows = append(t.Rows, []string{a.SystemText, a.StateText})
	}
	p.Table(t)
}

func (p paper) requests(c OwnCopy) {
	if len(c.Requests) == 0 {
		return
	}
	p.Heading(p.text("requests"))
	for _, r := range c.Requests {
		rows := [][]string{{p.text("asked_for"), r.KindText}, {p.text("when"), p.at(&r.EnteredAt)}, {p.text("state"), r.StateText}}
		p.Table(pdf.Facts(append(rows, p.said(r)...)...))
	}
}

// said is what was written for a request.
func (p paper) said(r OwnRequest) (rows [][]string) {
	for _, one := range [][]string{
		{"fields", p.language.List(r.FieldsText)}, {"asked_text", r.Text}, {"kept_at", r.KeptAt}, {"extension", r.Extension},
		{"answer", r.AnswerText}, {"answer_text", r.Answer}, {"answer_basis", r.Basis},
	} {
		if one[1] != "" {
			rows = append(rows, []string{p.text(one[0]), one[1]})
		}
	}
	return rows
}
