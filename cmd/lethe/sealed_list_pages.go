package main

import (
	"fmt"

	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/pdf"
)

// sealedListPages are a list to print: what to do first, whom to call for whom, and how it ends.
func sealedListPages(l disclosure.SealedList, d listedDepartment, language i18n.Language) ([]byte, error) {
	text := func(key string, args ...any) string {
		return fmt.Sprintf(i18n.Text(language, "sealed_list."+key), args...)
	}
	doc := pdf.New(pdf.About{Title: text("title"), Unseen: []string{i18n.Text(language, "pdf.unseen")}})
	doc.Title(text("title"))
	doc.Text(pdf.SizeText, text("only"))
	doc.Space(pdf.SizeSmall)
	doc.Table(pdf.Facts(
		[]string{text("department"), language.Of(d.NameZh, d.NameEn) + " (" + d.Code + ")"}, []string{text("legal_entity"), language.Of(d.entity.NameZh, d.entity.NameEn)},
		[]string{text("made_on"), l.MadeOn.String()}, []string{text("holds_to"), l.HoldsTo.String()}, []string{text("people"), text("people_of", len(l.People), l.Hidden)},
		[]string{text("envelope"), "                "},
	))
	doc.Heading(text("first"))
	doc.Text(pdf.SizeText, text("first_steps", i18n.Text(language, "emergency.public_numbers")))
	doc.Heading(text("whom"))
	t := pdf.Table{Columns: []pdf.Column{{Title: text("number"), Share: 1.3}, {Title: text("name"), Share: 1.6}, {Title: text("contact"), Share: 1.8}, {Title: text("relation"), Share: 1.2}, {Title: text("phone"), Share: 2}}}
	for _, p := range l.People {
		number, name := p.EmployeeNo, p.Name
		if len(p.Contacts) == 0 {
			t.Rows = append(t.Rows, []string{number, name, text("nobody"), "", ""})
		}
		for _, c := range p.Contacts {
			t.Rows = append(t.Rows, []string{number, name, c.Name, c.Relation, c.Phone})
			number, name = "", ""
		}
	}
	doc.Table(t)
	doc.Heading(text("ends"))
	doc.Text(pdf.SizeText, text("ends_how", l.HoldsTo.String()))
	doc.Heading(text("receipt"))
	doc.Faint(pdf.SizeSmall, l.Receipt)
	return doc.Bytes()
}
