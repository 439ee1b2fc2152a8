package reports

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/holders"
	"lethe/internal/leavers"
	"lethe/internal/pdf"
)

func (s *server) registerAccessExport(r httpkit.Resource) {
	httpkit.Handle(r, httpkit.Route{
		At: "POST /reports/access/exports", Summary: "Take the report on who could see what away as files; this is recorded with their digests", To: httpkit.Roles{httpkit.Auditor},
		More:          "A zip file as `POST /reports/leavers/exports` has it, always of everybody. An Idempotency-Key is not looked at: each call makes files and an entry of its own.",
		NoSealedCodes: true, Shape: httpkit.Answering("application/zip", http.StatusOK, "The files", &huma.Schema{Type: huma.TypeString, Format: "binary"}),
	}, s.exportAccess)
}

type exportAccessInput struct {
	httpkit.Speaking
	Body struct {
		AccessDay
		Formats []leavers.Format `json:"formats,omitempty" maxItems:"3" uniqueItems:"true" doc:"Left out: all"`
	}
}

func (s *server) exportAccess(ctx context.Context, in *exportAccessInput) (*huma.StreamResponse, error) {
	state, asOf, err := s.day(ctx, in.Body.AccessDay, "body.")
	if err != nil {
		return nil, err
	}
	formats := in.Body.Formats
	if len(formats) == 0 {
		formats = leavers.Formats
	}
	told, err := s.tell(ctx, in.Language(), state, state.Holders)
	if err != nil {
		return nil, err
	}
	w := &accessFiles{files: &files{language: in.Language(), texts: "access_report."}, told: told, sum: told.summary()}
	w.begin(formats, holders.FileName(state.On.String()), "title", w.about(asOf), w.titles())
	for _, h := range state.Holders {
		w.add(h)
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	return s.leave(ctx, w.files, w.sum.Text, holders.ActionExported, func(tx *database.Tx) (uuid.UUID, string, error) {
		return holders.Record(tx, state, asOf, len(state.Holders), w.digests())
	})
}

// accessFiles are the files of a report on who could see what that are being written.
type accessFiles struct {
	*files
	told  told
	sum   AccessSummary
	pages [][]string
}

// accessColumns are those of the tables, by the names of their texts. A line is a group of fields as somebody in a role and
// a tier saw it; a role that the permissions are not about has one line.
var accessColumns = []string{
	"number", "name", "department", "role", "since", "given_by", "agreed_by", "tier", "scope", "sees", "group", "shown", "looks", "after_review", "protected_looks", "protected_after_review",
}

func (w *accessFiles) titles() []string {
	return httpkit.Each(accessColumns, func(name string) string {
		if name == "since" {
			return w.text("column."+name) + w.aside(w.told.Zone.String())
		}
		return w.text("column." + name)
	})
}

func (w *accessFiles) at(t time.Time) string { return t.In(w.told.Zone).Format("2006-01-02 15:04:05") }

// about is what the report is about.
func (w *accessFiles) about(asOf time.Time) [][]string {
	day := w.sum.On.String()
	if w.sum.Today {
		day += w.aside(w.text("until_now"))
	}
	return [][]string{
		{w.text("day"), day}, {w.text("zone"), w.sum.Zone}, {w.text("as_of"), w.at(asOf)}, {w.text("permissions"), w.sum.VersionText},
		{w.text("protected_people"), w.persons(w.told.Permissions.Protected)}, {w.text("configurers"), w.persons(w.told.Permissions.Configurers)},
		{w.text("rows"), strconv.Itoa(len(w.told.Holders))},
	}
}

func (w *accessFiles) persons(ids []uuid.UUID) string {
	var all []string
	for _, p := range w.told.people(ids) {
		all = append(all, p.Text())
	}
	if len(all) == 0 {
		return w.text("none")
	}
	return w.language.List(all)
}

// purposes are those of a group whose level, at most people or at protected ones, is one.
func (w *accessFiles) purposes(g AccessGroup, level access.Level, protected bool) string {
	var all []string
	for _, p := range g.Purposes {
		if is := p.Level; protected && p.Protected == level || !protected && is == level {
			all = append(all, p.PurposeText)
		}
	}
	return w.language.List(all)
}

func (w *accessFiles) add(h holders.Holder) {
	v := w.told.holder(h)
	person := func() []string {
		given, agreed := w.text("installation"), ""
		if v.GivenBy != nil {
			given = v.GivenBy.Text()
		}
		if v.AgreedBy != nil {
			agreed = v.AgreedBy.Text()
		}
		return []string{v.Person.EmployeeNo, v.Person.Name, v.Person.Department, v.RoleText, w.at(v.Since), given, agreed}
	}
	tiers := w.told.TiersOf(h)
	if len(tiers) == 0 {
		w.line(append(person(), "", "", v.Sees, "", "", "", "", "", ""))
	}
	for i, tier := range tiers {
		for _, group := range w.told.Groups() {
			g := w.told.group(tier, group)
			w.line(append(person(), v.Tiers[i].Name, v.Tiers[i].ScopeText, v.Sees, g.GroupText, g.ShownText,
				w.purposes(g, access.Look, false), w.purposes(g, access.LookAfterReview, false), w.purposes(g, access.Look, true), w.purposes(g, access.LookAfterReview, true)))
		}
	}
	if slices.Contains(w.wanted, leavers.PDF) && len(w.pages) < pagesRows {
		cells := person()
		by := cells[5]
		if cells[6] != "" {
			by += " + " + cells[6]
		}
		reach := v.Sees
		for _, t := range v.Tiers {
			reach += "\n" + t.Name + w.colon() + t.ScopeText
		}
		w.pages = append(w.pages, []string{v.Person.Text() + "\n" + v.Person.Department, v.RoleText, cells[4] + "\n" + by, reach})
	}
}

// end ends the tables and writes the pages.
func (w *accessFiles) end() error {
	if !slices.Contains(w.wanted, leavers.PDF) {
		return w.close(nil)
	}
	d := w.document(w.sum.Text)
	d.Text(pdf.SizeText, w.sum.LimitsText)
	d.Faint(pdf.SizeSmall, w.text("proves"))
	for _, tier := range w.sum.Tiers {
		d.Heading(tier.Name + w.aside(tier.RoleText+w.language.Of("，", ", ")+tier.ScopeText))
		d.Text(pdf.SizeText, w.holdersOf(tier))
		d.Table(pdf.Table{Columns: []pdf.Column{
			{Title: w.text("column.group"), Share: 1}, {Title: w.text("column.shown"), Share: 0.7}, {Title: w.text("column.purposes"), Share: 2.4},
		}, Rows: httpkit.Each(tier.Groups, func(g AccessGroup) []string { return []string{g.GroupText, g.ShownText, w.levels(g)} })})
	}
	d.Heading(w.text("people"))
	if len(w.told.Holders) > len(w.pages) {
		d.Text(pdf.SizeText, fmt.Sprintf(w.text("more"), len(w.pages), len(w.told.Holders)))
	}
	d.Table(pdf.Table{Columns: []pdf.Column{
		{Title: w.text("column.person"), Share: 1.1}, {Title: w.text("column.role"), Share: 0.8}, {Title: w.text("column.since"), Share: 1.2}, {Title: w.text("column.sees"), Share: 2},
	}, Rows: w.pages})
	if len(w.sum.Changes) > 0 {
		d.Heading(w.text("changes"))
		d.Table(pdf.Table{Columns: []pdf.Column{{Title: w.text("column.at"), Share: 1}, {Title: w.text("column.what"), Share: 1.4}, {Title: w.text("column.person"), Share: 1.2}, {Title: w.text("column.by"), Share: 1.4}},
			Rows: httpkit.Each(w.sum.Changes, w.change)})
	}
	d.Heading(w.text("gaps"))
	for _, gap := range w.sum.Gaps {
		d.Text(pdf.SizeText, "· "+gap)
	}
	return w.close(d)
}

// holdersOf says how many were in a tier, and how they came to be.
func (w *accessFiles) holdersOf(t AccessTier) string {
	key := "tier.named"
	if t.Default {
		key = "tier.default"
	}
	return fmt.Sprintf(w.text(key), t.Holders)
}

// levels are what a group was opened for, in words.
func (w *accessFiles) levels(g AccessGroup) string {
	var lines []string
	for _, level := range []access.Level{access.Look, access.LookAfterReview} {
		text := closed.Text(w.language, level)
		if of := w.purposes(g, level, false); of != "" {
			lines = append(lines, text+w.colon()+of)
		}
		if of := w.purposes(g, level, true); of != "" {
			lines = append(lines, w.text("of_protected")+w.language.Of("，", ", ")+text+w.colon()+of)
		}
	}
	return strings.Join(lines, "\n")
}

func (w *accessFiles) change(c AccessChange) []string {
	person, by := "", []string{}
	if c.Person != nil {
		person = c.Person.Text()
	}
	if c.By != nil {
		by = append(by, c.By.Text())
	}
	if c.Second != nil {
		by = append(by, c.Second.Text())
	}
	what := c.WhatText
	if c.RoleText != "" {
		what += w.colon() + c.RoleText
	}
	return []string{w.at(c.At), what, person, strings.Join(by, " + ")}
}
