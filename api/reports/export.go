package reports

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/leavers"
	"lethe/internal/pdf"
	"lethe/internal/sheet"
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
	w := newWriting(in.Language(), f, in.Body.Outcomes, totalsView(in.Language(), f, totals, asOf), units)
	w.begin(formats, len(listed))
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
	made := leavers.Made{Filter: f, Outcomes: in.Body.Outcomes, Rows: len(listed), AsOf: asOf, Digests: w.digests()}
	var entry uuid.UUID
	var receipt string
	err = database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		entry, receipt, err = leavers.Record(tx, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	content, err := w.pack(entry, receipt)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "application/zip")
		hctx.SetHeader("Content-Length", strconv.Itoa(len(content)))
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+w.name+`.zip"`)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(content)
	}}, nil
}

// unitsOf names the units that a report is narrowed to, by code and name, and refuses one that does not exist: a report on
// it would read as if nobody had left. Place is where a fault is, "query.".
func (s *server) unitsOf(ctx context.Context, language i18n.Language, f leavers.Filter, place string) (units []string, err error) {
	for _, u := range []struct {
		table, text string
		id          uuid.UUID
	}{{"legal_entities", "legal_entity", f.LegalEntityID}, {"departments", "department", f.DepartmentID}, {"sites", "site", f.SiteID}} {
		if u.id == uuid.Nil {
			continue
		}
		found, err := database.Find[struct{ Code, NameZh, NameEn string }](s.DB.Read(ctx), u.table, "id = ?", u.id)
		if err != nil {
			return nil, err
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

// pagesRows is how many rows the pages have at most: the worst, since those come first. The tables have all.
const pagesRows = 2000

// writing is the files of a report that are being written. They are small once they are packed, and never on a disk.
type writing struct {
	language i18n.Language
	filter   leavers.Filter
	outcomes []leavers.Outcome
	totals   LeaversTotals
	units    []string // that it is narrowed to
	rows     int
	name     string
	out      bytes.Buffer
	zip      *zip.Writer
	tables   map[leavers.Format]sheet.Writer
	sums     map[leavers.Format]hash.Hash
	workbook bytes.Buffer // goes into the zip file once it is whole: members follow one another
	pages    [][]string
	doc      []byte
	wanted   []leavers.Format
	err      error
}

func newWriting(language i18n.Language, f leavers.Filter, outcomes []leavers.Outcome, totals LeaversTotals, units []string) *writing {
	w := &writing{
		language: language, filter: f, outcomes: outcomes, totals: totals, units: units, tables: map[leavers.Format]sheet.Writer{}, sums: map[leavers.Format]hash.Hash{},
	}
	w.name = leavers.FileName(f.From.String(), f.To.String(), w.part())
	w.zip = zip.NewWriter(&w.out)
	return w
}

// part says whether the report is narrowed, so that it does not have everybody of the period.
func (w *writing) part() bool { return len(w.units) > 0 || len(w.outcomes) > 0 }

// title is the text of the report's title.
func (w *writing) title() string {
	if w.part() {
		return "leavers_report.title_part"
	}
	return "leavers_report.title"
}

// begin begins files in formats.
func (w *writing) begin(formats []leavers.Format, rows int) {
	w.wanted, w.rows = formats, rows
	for _, format := range formats {
		w.sums[format] = sha256.New()
		switch format {
		case leavers.CSV:
			to, err := w.zip.Create(w.file(format))
			w.try(err)
			if err == nil {
				w.table(format, sheet.CSV, to)
			}
		case leavers.XLSX:
			w.table(format, sheet.XLSX, &w.workbook)
		}
	}
}

func (w *writing) try(err error) {
	if w.err == nil && err != nil {
		w.err = errors.New("writing a report failed") // the cause could quote it
	}
}

func (w *writing) file(f leavers.Format) string { return w.name + "." + string(f) }

func (w *writing) table(f leavers.Format, as sheet.Format, to io.Writer) {
	table, err := sheet.NewWriter(io.MultiWriter(to, w.sums[f]), as)
	w.try(err)
	if err == nil {
		w.tables[f] = table
		w.try(table.Write([]string{tableMark + i18n.Text(w.language, w.title())}))
		for _, fact := range w.facts() {
			w.try(table.Write(append([]string{tableMark + fact[0]}, fact[1:]...)))
		}
		w.try(table.Write(w.titles()))
	}
}

// tableMark begins each line of a table that is before its titles: what the file is about, so that one without rows is not
// that of another period. They are as many in each file.
const tableMark = "# "

func (w *writing) text(key string) string { return i18n.Text(w.language, "leavers_report."+key) }

// columns are those of the tables, by the names of their texts.
var columns = []string{"number", "name", "department", "legal_entity", "kind", "end", "cutoff", "outcome", "delay", "delay_seconds", "accounts", "exceptions"}

func (w *writing) titles() []string {
	return httpkit.Each(columns, func(name string) string {
		if name == "cutoff" || name == "accounts" || name == "exceptions" {
			return w.text("column."+name) + w.language.Of("（", " (") + w.filter.Zone.String() + w.language.Of("）", ")")
		}
		return w.text("column." + name)
	})
}

func (w *writing) add(views []LeaverView) error {
	for _, v := range views {
		cells := w.cells(v)
		for _, table := range w.tables {
			w.try(table.Write(cells))
		}
		if slices.Contains(w.wanted, leavers.PDF) && len(w.pages) < pagesRows {
			w.pages = append(w.pages, []string{
				v.Person.Text() + "\n" + v.Department + "\n" + v.LegalEntity, v.KindText + "\n" + v.EmploymentEndDate.String() + "\n" + w.at(v.AccessCutoffAt),
				strings.TrimSpace(v.OutcomeText + "\n" + v.DelayText), strings.TrimSpace(w.accounts(v) + "\n" + w.exceptions(v)),
			})
		}
	}
	return w.err
}

func (w *writing) cells(v LeaverView) []string {
	took := ""
	if v.DelaySeconds != nil {
		took = strconv.FormatInt(*v.DelaySeconds, 10)
	}
	return []string{
		v.Person.EmployeeNo, v.Person.Name, v.Department, v.LegalEntity, v.KindText, v.EmploymentEndDate.String(), w.at(v.AccessCutoffAt), v.OutcomeText,
		v.DelayText, took, w.accounts(v), w.exceptions(v),
	}
}

// at is an instant by the clock of the report's zone.
func (w *writing) at(t time.Time) string { return t.In(w.filter.Zone).Format("2006-01-02 15:04:05") }

func (w *writing) accounts(v LeaverView) string {
	if len(v.Accounts) == 0 {
		return w.text("no_accounts")
	}
	return strings.Join(httpkit.Each(v.Accounts, func(a LeaverAccount) string {
		parts := []string{a.SystemText + w.language.Of("：", ": ") + a.StateText}
		if a.Open {
			parts[0] = w.text("open_mark") + " " + parts[0]
		}
		if a.ConfirmedAt != nil {
			parts = append(parts, w.at(*a.ConfirmedAt))
		}
		if a.DelayText != "" {
			parts = append(parts, fmt.Sprintf(w.text("after_cutoff"), a.DelayText))
		}
		return strings.Join(parts, w.language.Of("，", ", "))
	}), "\n")
}

func (w *writing) exceptions(v LeaverView) string {
	return strings.Join(httpkit.Each(v.Exceptions, func(e ExceptionView) string {
		what := e.WhatText
		if e.SystemText != "" {
			what += w.language.Of("（", " (") + e.SystemText + w.language.Of("）", ")")
		}
		parts := []string{what, w.at(e.At)}
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
	}), "\n")
}

// end ends the tables and writes the pages.
func (w *writing) end() error {
	for _, table := range w.tables {
		w.try(table.Close())
	}
	if !slices.Contains(w.wanted, leavers.PDF) {
		return w.err
	}
	d := httpkit.NewPDF(w.language, w.title())
	d.Space(4)
	d.Table(pdf.Facts(w.facts()...))
	d.Space(4)
	d.Text(pdf.SizeText, w.counted())
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
	var err error
	w.doc, err = d.Bytes()
	w.try(err)
	_, _ = w.sums[leavers.PDF].Write(w.doc)
	return w.err
}

// counted are the totals, which are about all results whichever the report is limited to.
func (w *writing) counted() string {
	if len(w.outcomes) > 0 {
		return w.text("all_results") + w.language.Of("：", ": ") + w.totals.Text
	}
	return w.totals.Text
}

// facts are what the report is about.
func (w *writing) facts() [][]string {
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

func (w *writing) digests() map[leavers.Format][]byte {
	all := make(map[leavers.Format][]byte, len(w.sums))
	for format, sum := range w.sums {
		all[format] = sum.Sum(nil)
	}
	return all
}

// pack ends the zip file, with the receipt and how to check all of it.
func (w *writing) pack(entry uuid.UUID, receipt string) ([]byte, error) {
	if slices.Contains(w.wanted, leavers.XLSX) {
		w.member(w.file(leavers.XLSX), w.workbook.Bytes())
	}
	if w.doc != nil {
		w.member(w.file(leavers.PDF), w.doc)
	}
	w.member("receipt.txt", []byte(receipt))
	lines := []string{i18n.Text(w.language, w.title()), ""}
	for _, fact := range w.facts() {
		lines = append(lines, fact[0]+w.language.Of("：", ": ")+fact[1])
	}
	lines = append(lines, "", w.counted(), "", w.text("entry")+w.language.Of("：", ": ")+entry.String(), "SHA-256")
	for _, format := range leavers.Formats {
		if sum, made := w.sums[format]; made {
			lines = append(lines, "  "+hex.EncodeToString(sum.Sum(nil))+"  "+w.file(format))
		}
	}
	// The action is named as the log names it: who looks for its words finds the entry.
	lines = append(lines, "", fmt.Sprintf(w.text("check"), i18n.Text(w.language, "ledger.action."+leavers.ActionExported)), "")
	w.member("README.txt", []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\r\n")))
	w.try(w.zip.Close())
	return w.out.Bytes(), w.err
}

func (w *writing) member(name string, content []byte) {
	to, err := w.zip.Create(name)
	w.try(err)
	if err == nil {
		_, err = to.Write(content)
		w.try(err)
	}
}
