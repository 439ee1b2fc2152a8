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
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/leavers"
	"lethe/internal/pdf"
)

var codeUnitUnknown = httpkit.Code("report_unit_unknown", http.StatusUnprocessableEntity)

func init() {
	httpkit.Refuses(leavers.ErrTooLong, httpkit.Code("report_too_long", http.StatusUnprocessableEntity))
}

func (s *server) registerLeaversExport(r httpkit.Resource) {
	httpkit.Handle(r, httpkit.Route{
		At: "POST /reports/leavers/exports", Summary: "Take a report on leavers away as files; this is recorded with their digests", To: httpkit.Roles{httpkit.Auditor, httpkit.HR},
		More: "A zip file with the report as table and as pages, the receipt of the entry of the query log that holds the digest of each, and how to check them. " +
			"`lethe ledger verify-export --report` says whether a file is what an entry of an evidence pack tells of. An Idempotency-Key is not looked at: each call makes files and an entry of its own.",
		NoSealedCodes: true, Shape: httpkit.Answering("application/zip", http.StatusOK, "The files", &huma.Schema{Type: huma.TypeString, Format: "binary"}),
	}, s.exportLeavers)
}

type exportLeaversInput struct {
	httpkit.Speaking
	Body struct {
		Period
		Outcomes []leavers.Outcome `json:"outcomes,omitempty" maxItems:"7" uniqueItems:"true" doc:"Only those that came to one of these; left out: all"`
		Formats  []leavers.Format  `json:"formats,omitempty" maxItems:"3" uniqueItems:"true" doc:"Left out: all"`
	}
}

func (s *server) exportLeavers(ctx context.Context, in *exportLeaversInput) (*huma.StreamResponse, error) {
	f, err := in.Body.filter(httpkit.ActorOf(ctx), "body.")
	if err != nil {
		return nil, err
	}
	units, err := s.unitsOf(ctx, in.Language(), f, "body.")
	if err != nil {
		return nil, err
	}
	formats := in.Body.Formats
	if len(formats) == 0 {
		formats = leavers.Formats
	}
	asOf, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	listed, totals, err := leavers.Page(s.DB.Read(ctx), f, in.Body.Outcomes, nil, leavers.MaxRows)
	if err != nil {
		return nil, err
	}
	if len(listed) > leavers.MaxRows {
		return nil, leavers.ErrTooLong
	}
	w := newWriting(in.Language(), f, in.Body.Outcomes, totalsView(in.Language(), f, totals, asOf), units, formats, len(listed))
	for chunk := range slices.Chunk(listed, chunkRows) {
		views, err := s.leaverViews(ctx, in.Language(), chunk)
		if err != nil {
			return nil, err
		}
		if err := w.add(views); err != nil {
			return nil, err
		}
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	return s.leave(ctx, w.files, w.counted(), leavers.ActionExported, func(tx *database.Tx) (uuid.UUID, string, error) {
		return leavers.Record(tx, leavers.Made{Filter: f, Outcomes: in.Body.Outcomes, Rows: len(listed), AsOf: asOf, Digests: w.digests()})
	})
}

// unitsOf names the units that a report is narrowed to, by code and name, and refuses one that does not exist: a report on
// it would read as if nobody had left. Place is where a fault is, "query.".
func (s *server) unitsOf(ctx context.Context, language i18n.Language, f leavers.Filter, place string) (units []string, _ error) {
	for _, u := range []struct {
		table, text string
		id          uuid.UUID
	}{{"legal_entities", "legal_entity", f.LegalEntityID}, {"departments", "department", f.DepartmentID}, {"sites", "site", f.SiteID}} {
		if u.id == uuid.Nil {
			continue
		}
		var found []struct{ Code, NameZh, NameEn string }
		if err := s.DB.Read(ctx).Table(u.table).Select("code, name_zh, name_en").Where("id = ?", u.id).Find(&found).Error; err != nil {
			return nil, database.Wrap("reading a unit of a report", err)
		}
		if len(found) == 0 {
			return nil, httpkit.NewProblem(codeUnitUnknown, httpkit.FieldError{Location: place + u.text + "_id", Code: codeUnitUnknown})
		}
		units = append(units, i18n.Text(language, "ledger.detail."+u.text+"_id")+" "+found[0].Code+language.Of("（", " (")+language.Of(found[0].NameZh, found[0].NameEn)+language.Of("）", ")"))
	}
	return units, nil
}

// chunkRows are read at once.
const chunkRows = 1000

// pagesRows is how many employments the pages have at most: the worst, since those come first. The tables have all.
const pagesRows = 2000

// writing is the files of a report on leavers that are being written.
type writing struct {
	*files
	filter   leavers.Filter
	outcomes []leavers.Outcome
	totals   LeaversTotals
	units    []string // that it is narrowed to
	rows     int      // employments
	written  int      // of them
	pages    [][]string
}

func newWriting(language i18n.Language, f leavers.Filter, outcomes []leavers.Outcome, totals LeaversTotals, units []string, formats []leavers.Format, rows int) *writing {
	w := &writing{files: &files{language: language, texts: "leavers_report."}, filter: f, outcomes: outcomes, totals: totals, units: units, rows: rows}
	title := "title"
	if w.part() {
		title = "title_part"
	}
	w.begin(formats, leavers.FileName(f.From.String(), f.To.String(), w.part()), title, w.about(), w.titles())
	return w
}

// part says whether the report is narrowed, so that it does not have everybody of the period.
func (w *writing) part() bool { return len(w.units) > 0 || len(w.outcomes) > 0 }

// columns are those of the tables, by the names of their texts. A line is an account, with its employment before it: who
// filters by system or state keeps everything that belongs to it, and no cell has two accounts.
var columns = []string{
	"employment", "number", "name", "department", "legal_entity", "kind", "end", "cutoff", "entered_late", "outcome", "delay", "delay_seconds",
	"account", "account_state", "account_at", "account_delay_seconds", "exceptions",
}

// inZone are the columns with times.
var inZone = []string{"cutoff", "account_at", "exceptions"}

func (w *writing) titles() []string {
	return httpkit.Each(columns, func(name string) string {
		if slices.Contains(inZone, name) {
			return w.text("column."+name) + w.aside(w.filter.Zone.String())
		}
		return w.text("column." + name)
	})
}

func (w *writing) add(views []LeaverView) error {
	for _, v := range views {
		w.written++
		before, exceptions := w.employment(v), strings.Join(w.exceptions(v), "\n")
		accounts := v.Accounts
		if len(accounts) == 0 {
			w.line(append(before, w.text("no_accounts"), "", "", "", exceptions))
		}
		for _, a := range accounts {
			w.line(slices.Concat(before, w.account(a), []string{exceptions}))
		}
		if slices.Contains(w.wanted, leavers.PDF) && len(w.pages) < pagesRows {
			w.pages = append(w.pages, []string{
				v.Person.Text() + "\n" + v.Department + "\n" + v.LegalEntity, v.KindText + "\n" + v.EmploymentEndDate.String() + "\n" + w.until(v.AccessCutoffAt),
				strings.TrimSpace(v.OutcomeText + "\n" + v.DelayText), strings.Join(append(w.accounts(v), w.exceptions(v)...), "\n"),
			})
		}
	}
	if w.lines > sheetRows && slices.Contains(w.wanted, leavers.XLSX) {
		return leavers.ErrTooLong
	}
	return w.err
}

// employment are the cells of a line before its account. The first counts employments: whoever counts people by it counts
// right though each account has a line.
func (w *writing) employment(v LeaverView) []string {
	late := ""
	if v.EnteredLate {
		late = w.text("yes")
	}
	return []string{
		strconv.Itoa(w.written), v.Person.EmployeeNo, v.Person.Name, v.Department, v.LegalEntity, v.KindText, v.EmploymentEndDate.String(), w.at(v.AccessCutoffAt), late,
		v.OutcomeText, v.DelayText, number(v.DelaySeconds),
	}
}

// account are the cells of an account.
func (w *writing) account(a LeaverAccount) []string {
	state, at := a.StateText, ""
	if a.Open {
		state = w.text("open_mark") + " " + state
	}
	if a.ConfirmedAt != nil {
		at = w.at(*a.ConfirmedAt)
	}
	return []string{a.SystemText, state, at, number(a.DelaySeconds)}
}

// number is a number as a cell.
func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// at is an instant by the clock of the report's zone.
func (w *writing) at(t time.Time) string { return t.In(w.filter.Zone).Format("2006-01-02 15:04:05") }

// until is an instant by which something has to be; where it is the end of a day, people say the day.
func (w *writing) until(t time.Time) string {
	if last := clock.Today(t.Add(-time.Nanosecond), w.filter.Zone); clock.EndOfDay(last, w.filter.Zone).Equal(t) {
		return fmt.Sprintf(w.text("end_of_day"), last)
	}
	return w.at(t)
}

// accounts are those of an employment as the pages have them.
func (w *writing) accounts(v LeaverView) []string {
	if len(v.Accounts) == 0 {
		return []string{w.text("no_accounts")}
	}
	after := "after_cutoff"
	if v.EnteredLate {
		after = "after_entry"
	}
	return httpkit.Each(v.Accounts, func(a LeaverAccount) string {
		parts := []string{a.SystemText + w.colon() + a.StateText}
		if a.Open {
			parts[0] = w.text("open_mark") + " " + parts[0]
		}
		if a.ConfirmedAt != nil {
			parts = append(parts, w.at(*a.ConfirmedAt))
		}
		if a.DelayText != "" {
			parts = append(parts, fmt.Sprintf(w.text(after), a.DelayText))
		}
		return strings.Join(parts, w.language.Of("，", ", "))
	})
}

func (w *writing) exceptions(v LeaverView) []string {
	return httpkit.Each(v.Exceptions, func(e ExceptionView) string {
		what := e.WhatText
		if e.SystemText != "" {
			what += w.aside(e.SystemText)
		}
		parts := []string{what, w.at(e.At)}
		if e.AfterText != "" {
			parts = append(parts, e.AfterText)
		}
		people := []string{}
		if e.By != nil {
			people = append(people, e.By.Text())
		}
		if e.Second != nil {
			people = append(people, e.Second.Text())
		}
		if len(people) > 0 {
			parts = append(parts, strings.Join(people, " + "))
		}
		return strings.Join(parts, w.language.Of("，", ", "))
	})
}

// end ends the tables and writes the pages.
func (w *writing) end() error {
	if !slices.Contains(w.wanted, leavers.PDF) {
		return w.close(nil)
	}
	d := w.document(w.counted())
	if w.totals.Own > 0 {
		d.Text(pdf.SizeText, w.text("own"))
	}
	if w.rows > len(w.pages) {
		d.Text(pdf.SizeText, fmt.Sprintf(w.text("more"), len(w.pages), w.rows))
	}
	if w.part() {
		d.Text(pdf.SizeText, w.text("part"))
	} else {
		d.Text(pdf.SizeText, w.text("whole"))
	}
	d.Faint(pdf.SizeSmall, w.text("proves"))
	d.Heading(w.text("people"))
	d.Table(pdf.Table{Columns: []pdf.Column{
		{Title: w.text("column.person"), Share: 1.1}, {Title: w.text("column.dates"), Share: 1.1}, {Title: w.text("column.outcome"), Share: 0.9}, {Title: w.text("column.accounts"), Share: 2},
	}, Rows: w.pages})
	return w.close(d)
}

// counted are the totals, which are about all results whichever the report is limited to.
func (w *writing) counted() string {
	if len(w.outcomes) > 0 {
		return w.text("all_results") + w.language.Of("：", ": ") + w.totals.Text
	}
	return w.totals.Text
}

// about is what the report is about.
func (w *writing) about() [][]string {
	return [][]string{
		{w.text("period"), w.filter.From.String() + " – " + w.filter.To.String()}, {w.text("basis"), closed.Text(w.language, w.filter.Basis)},
		{w.text("zone"), w.filter.Zone.String()}, {w.text("late_after"), fmt.Sprintf(i18n.Plural(w.language, "duration.minutes", w.totals.LateAfterMinutes), w.totals.LateAfterMinutes)},
		{w.text("as_of"), w.at(w.totals.AsOf)}, {w.text("rows"), strconv.Itoa(w.rows)}, {w.text("covers"), w.covers()},
	}
}

// covers says who of the period is in the report.
func (w *writing) covers() string {
	only := slices.Clone(w.units)
	if len(w.outcomes) > 0 {
		only = append(only, w.text("column.outcome")+w.language.Of("：", ": ")+w.language.List(closed.Texts(w.language, w.outcomes)))
	}
	text := w.text("everybody")
	if w.part() {
		text = w.text("only") + w.language.Of("：", ": ") + strings.Join(only, w.language.Of("；", "; "))
	}
	if w.totals.Own > 0 {
		text += w.language.Of("；", "; ") + w.text("without_own")
	}
	return text
}
