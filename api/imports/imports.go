// Package imports serves the import of people from files, and departures from files.
package imports

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/imports"
	"lethe/internal/operations"
	"lethe/internal/sheet"
	"lethe/models"
)

// server serves the batches of one kind, shown as V.
type server[V shown] struct {
	*approvals.Desk
	vault imports.Vault
	kind  models.BatchKind
	base  string
	// show shows batches in a list, complete adds what is shown of one alone.
	show     func(b models.Batch, of BatchFile, language i18n.Language) V
	complete func(ctx context.Context, v *V, language i18n.Language) error
	// reads bounds the memory: one file at a time.
	reads chan struct{}
}

// shown is a batch as people see it.
type shown interface{ file() BatchFile }

// The types of files.
const (
	typeCSV  = "text/csv"
	typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typeAny  = "application/octet-stream"
)

var tableTypes = map[sheet.Format]string{sheet.CSV: typeCSV + "; charset=utf-8", sheet.XLSX: typeXLSX}

var fileTypes = []string{typeCSV, typeXLSX, typeAny}

// Register serves the resources.
func Register(desk *approvals.Desk, v imports.Vault, limits imports.Limits) {
	httpkit.Describe[sheet.Format](desk.API)
	reads := make(chan struct{}, 1)
	registerDepartures(desk, v, limits, reads)
	s := &people{server[ImportView]{Desk: desk, vault: v, kind: models.BatchImport, base: "/employee-imports", reads: reads, show: importView}}
	s.complete = s.completed
	hr := httpkit.Roles{httpkit.HR}
	r := s.Resource("Import", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employee-imports", Summary: "Send a file of people; a dry run follows", To: hr, Status: http.StatusAccepted, NoSealedCodes: true,
		More:  "CSV (UTF-8, UTF-16 with a byte order mark, GB18030) or XLSX, as it is: what it is, is found out from the file. Nothing is entered before the run is asked for.",
		Shape: httpkit.TakesFile(fileTypes...),
	}, s.upload)
	httpkit.Handle(r, httpkit.Route{At: "GET /employee-imports", Summary: "List imports, the newest first", To: hr}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /employee-imports/{id}", Summary: "Read how far an import is, and what it would do or did", To: hr}, s.get)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employee-imports/{id}/events", Summary: "Follow an import as it goes on", To: hr,
		More:  "Server-sent events. `event` is snapshot or changed (or problem), `data` is the resource as GET gives it. The stream ends when nothing goes on by itself any more.",
		Shape: httpkit.Streaming[ImportView](s.API), Problems: []int{http.StatusTooManyRequests},
	}, s.events)
	httpkit.Handle(r, httpkit.Route{At: "GET /employee-imports/{id}/problems", Summary: "List what is wrong with rows, by row and column", To: hr}, s.problems)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employee-imports/{id}/people", Summary: "List the numbers and names of whom the run would enter or change", To: hr,
		More: "What a second person agrees to: rows without a problem, part by part. Nothing else of a row is shown to anybody but who sent the file.",
	}, s.people)
	httpkit.Handle(r, httpkit.Route{At: "PUT /employee-imports/{id}/mapping", Summary: "Say which column is which field, and have the file checked anew", To: hr}, s.remap)
	httpkit.Handle(r, httpkit.Route{At: "POST /employee-imports/{id}/run", Summary: "Enter and change the people of a file that was checked", To: hr, Status: http.StatusAccepted, OrRequest: true}, s.run)
	httpkit.Handle(r, httpkit.Route{At: "POST /employee-imports/{id}/cancellation", Summary: "Cancel an import; what it has written stays", To: hr}, s.cancel)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employee-imports/{id}/file", Summary: "Get the rows with something wrong, to be mended and sent again; who sent the file alone does", To: hr, NoSealedCodes: true,
		Shape:    answersTable("The rows as they came, each with what is wrong beside it"),
		Problems: []int{http.StatusConflict, http.StatusGone},
	}, s.report)
}

// people serves imports of people.
type people struct{ server[ImportView] }

// BatchFile is a file on its way, whatever its rows are about.
type BatchFile struct {
	ID         uuid.UUID         `json:"id"`
	State      models.BatchState `json:"state"`
	StateText  string            `json:"state_text"`
	Format     sheet.Format      `json:"format"`
	FormatText string            `json:"format_text"`
	Bytes      int64             `json:"bytes"`
	Columns    []ImportColumn    `json:"columns"`
	Rows       int               `json:"rows" doc:"Without the header and empty ones"`
	Checked    int               `json:"checked" doc:"Rows that the dry run has behind it"`
	Ran        int               `json:"ran" doc:"Rows that the run has behind it"`
	Pace       *ImportPace       `json:"pace,omitempty" doc:"How fast it goes on; absent while nothing does, or it has only begun"`
	Removed    int               `json:"removed" doc:"Rows that were removed since data of somebody near them in the file was deleted: send them again"`
	Uploader   render.PersonView `json:"uploader"`
	Approval   *uuid.UUID        `json:"approval_id,omitempty" doc:"By which two people agree to it; it may still wait"`
	EndedBy    models.BatchEnd   `json:"ended_by,omitempty"`
	EndedText  string            `json:"ended_text,omitempty" doc:"Why it ended before it was done"`
	File       string            `json:"file,omitempty" doc:"Where the rows with something wrong in them are, for who sent the file"`
	CreatedAt  time.Time         `json:"created_at"`
	EndedAt    *time.Time        `json:"ended_at,omitempty"`
	GoneAt     time.Time         `json:"file_gone_at" doc:"When the file and everything made of it is removed at the latest"`
	Gone       bool              `json:"file_gone"`
}

func (f BatchFile) file() BatchFile { return f }

// ImportView is an import.
type ImportView struct {
	BatchFile
	Plan   ImportPlan   `json:"plan" doc:"What the run would do, as the dry run says"`
	Result ImportResult `json:"result" doc:"What the run did so far"`
}

func importView(b models.Batch, of BatchFile, _ i18n.Language) ImportView {
	return ImportView{
		BatchFile: of, Plan: ImportPlan{Create: b.ToCreate, Change: b.ToChange, Same: b.Same, Faulty: b.Faulty},
		Result: ImportResult{b.Created, b.Departed, b.Changed, b.Unchanged, b.Refused},
	}
}

// completed adds who of a file left.
func (s *people) completed(ctx context.Context, v *ImportView, language i18n.Language) error {
	left, err := imports.Leaving(s.DB.Read(ctx), v.ID)
	v.Plan.Left = leftView(left, language)
	return err
}

// ImportPace is how fast an import goes on.
type ImportPace struct {
	PerMinute   int `json:"rows_per_minute" doc:"Over the last minute"`
	SecondsLeft int `json:"seconds_left" doc:"What is left of this step will about take"`
}

// ImportColumn is a column of the file.
type ImportColumn struct {
	Column int    `json:"column" doc:"From 1"`
	Header string `json:"header,omitempty" doc:"As it is in the file; for who sent it alone"`
	Field  string `json:"field,omitempty" doc:"Of the catalogue; absent: the column is left out"`
	Label  string `json:"label,omitempty"`
}

// ImportPlan is what a run would do.
type ImportPlan struct {
	Create int `json:"create" doc:"People who are new"`
	Change int `json:"change" doc:"People whose file would be written to. Sensitive values are not opened to be compared"`
	Same   int `json:"same" doc:"People whose file already says so"`
	Faulty int `json:"faulty" doc:"Rows with something wrong: they are left out"`
	// Left is about people who left; nil: the file has none.
	Left *ImportLeft `json:"left,omitempty" doc:"Of the new people, those who left before; absent in lists"`
}

// ImportLeft is about people of a file who left.
type ImportLeft struct {
	People    int         `json:"people"`
	First     clock.Date  `json:"first" doc:"The first day on which one of them left"`
	Last      clock.Date  `json:"last"`
	DuePeople int         `json:"due_people" doc:"Those with data that is due to be deleted at once. Nothing is, before a reviewer agreed"`
	Due       []ImportDue `json:"due" doc:"By category"`
}

// ImportDue is how many people have data in a category that is due at once.
type ImportDue struct {
	Category models.Category `json:"category"`
	Text     string          `json:"category_text"`
	People   int             `json:"people"`
}

func leftView(l models.BatchLeaving, language i18n.Language) *ImportLeft {
	if l.People == 0 {
		return nil
	}
	v := &ImportLeft{People: l.People, First: l.First, Last: l.Last, DuePeople: l.DuePeople, Due: []ImportDue{}}
	for _, category := range models.Categories {
		if n := l.Due[category]; n > 0 {
			v.Due = append(v.Due, ImportDue{category, closed.Text(language, category), n})
		}
	}
	return v
}

// ImportResult is what a run did.
type ImportResult struct {
	Created   int `json:"created"`
	Departed  int `json:"departed" doc:"Of those, people who had left before"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused" doc:"Rows with something wrong, now or in the dry run"`
}

func (s *server[V]) view(ctx context.Context, b models.Batch, language i18n.Language) (v V, err error) {
	files, err := s.files(ctx, []models.Batch{b}, language)
	if err != nil {
		return v, err
	}
	of := files[0]
	headers, err := imports.Headers(ctx, s.vault, b, httpkit.ActorOf(ctx).EmployeeID)
	if err != nil {
		return v, err
	}
	for i := range of.Columns {
		if i < len(headers) {
			of.Columns[i].Header = headers[i]
		}
	}
	if of.Removed, err = imports.Removed(ctx, s.DB, b.ID); err != nil {
		return v, err
	}
	v = s.show(b, of, language)
	return v, s.complete(ctx, &v, language)
}

func (s *server[V]) views(ctx context.Context, rows []models.Batch, language i18n.Language) ([]V, error) {
	files, err := s.files(ctx, rows, language)
	if err != nil {
		return nil, err
	}
	views := make([]V, len(rows))
	for i, b := range rows {
		views[i] = s.show(b, files[i], language)
	}
	return views, nil
}

func (s *server[V]) files(ctx context.Context, rows []models.Batch, language i18n.Language) ([]BatchFile, error) {
	var ids []uuid.UUID
	for _, b := range rows {
		ids = append(ids, b.ActorID)
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	waiting, err := approval.PendingAbout(ctx, s.DB, s.kind.Ref(), httpkit.Each(rows, func(b models.Batch) uuid.UUID { return b.ID }))
	if err != nil {
		return nil, err
	}
	paces, err := imports.Paces(ctx, s.DB, rows)
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(b models.Batch) BatchFile {
		v := BatchFile{
			ID: b.ID, State: b.State, StateText: stateText(language, b), Format: sheet.Format(b.Format), FormatText: closed.Text(language, sheet.Format(b.Format)), Bytes: b.Bytes, Columns: []ImportColumn{},
			Rows: b.Rows, Checked: b.Checked, Ran: b.Ran, Uploader: people[b.ActorID], Approval: b.ApprovalID, EndedBy: b.EndedBy,
			CreatedAt: b.CreatedAt.UTC(), EndedAt: render.UTC(b.EndedAt), GoneAt: b.ContentUntil.UTC(), Gone: b.ContentEndedAt != nil,
		}
		if requests := waiting[b.ID]; v.Approval == nil && len(requests) > 0 {
			v.Approval = &requests[0].ID
		}
		if pace, moves := paces[b.ID]; moves {
			v.Pace = &ImportPace{pace.PerMinute, int(pace.Left.Seconds())}
		}
		for i, field := range b.Mapping {
			v.Columns = append(v.Columns, ImportColumn{Column: i + 1, Field: field, Label: imports.ColumnLabel(language, labels, field)})
		}
		if b.EndedBy != "" {
			v.EndedText = closed.Text(language, b.EndedBy)
		}
		if !v.Gone && reported(b) && b.ActorID == httpkit.ActorOf(ctx).EmployeeID {
			v.File = httpkit.AddressOf(s.kind.Ref(), b.ID) + "/file"
		}
		return v
	}), nil
}

// reported says whether a batch has rows to be got: of people those with something wrong, of departures all.
func reported(b models.Batch) bool {
	return b.State != models.BatchChecking && b.State != models.BatchMapping && (b.Faulty+b.Refused > 0 || b.Kind == models.BatchDepartures)
}

// stateText says it of departures in words of their own where those of an import would be odd.
func stateText(language i18n.Language, b models.Batch) string {
	if b.Kind == models.BatchDepartures {
		return i18n.Text(language, "departure_batch_state."+string(b.State))
	}
	return closed.Text(language, b.State)
}

func (s *server[V]) read(ctx context.Context, id uuid.UUID, language i18n.Language) (v V, err error) {
	b, err := imports.Get(ctx, s.DB, s.kind, id)
	if err != nil {
		return v, err
	}
	return s.view(ctx, b, language)
}

type uploadInput struct {
	httpkit.Upload
	httpkit.Idempotent
	httpkit.Speaking
}

func (s *server[V]) upload(ctx context.Context, in *uploadInput) (*httpkit.CreatedAnswer[V], error) {
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := in.Takes(fileTypes...); err != nil {
		return nil, err
	}
	content, err := in.Content(sheet.MaxBytes)
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(content)
	if err != nil {
		return nil, err
	}
	up, err := imports.Read(ctx, s.vault, s.kind, file)
	if err != nil {
		return nil, err
	}
	clear(file)
	made, err := s.Create(ctx, in.Key, "POST "+s.base, map[string]string{"file": up.SHA256()}, func(tx *database.Tx) (httpkit.Creation, error) {
		id, err := imports.Begin(tx, up)
		return httpkit.Accepted(models.Ref{Kind: s.kind.Ref(), ID: id}), err
	})
	if err != nil || made.ID != up.ID() { // nothing refers to what was sealed
		up.Forget(context.WithoutCancel(ctx), s.vault)
	}
	if err != nil {
		return nil, err
	}
	view, err := s.read(ctx, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}

func (s *server[V]) list(ctx context.Context, in *struct {
	httpkit.Paging
	httpkit.Speaking
}) (*httpkit.Answer[httpkit.Page[V]], error) {
	return httpkit.List(in.Paging, func(v V) uuid.UUID { return v.file().ID }, func(before uuid.UUID) ([]V, bool, error) {
		rows, more, err := imports.List(ctx, s.DB, s.kind, before, in.Limit)
		if err != nil {
			return nil, false, err
		}
		views, err := s.views(ctx, rows, in.Language())
		return views, more, err
	})
}

func (s *server[V]) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[V], error) {
	return httpkit.AnswerOf(s.read(ctx, in.ID, in.Language()))
}

func (s *server[V]) events(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	look := func(ctx context.Context, _ int64) (httpkit.Moment, error) {
		view, err := s.read(ctx, in.ID, in.Language())
		return httpkit.Moment{View: view, Over: view.file().still()}, err
	}
	if _, err := look(ctx, 0); err != nil {
		return nil, err
	}
	return s.Stream(ctx, httpkit.Followed{Kind: streams, ID: in.ID, Language: in.Language(), Look: look})
}

// still says that nothing goes on by itself.
func (v BatchFile) still() bool {
	return v.State != models.BatchChecking && v.State != models.BatchRunning
}

const streams httpkit.StreamKind = `SELECT b.id, b.xmin::text AS fingerprint FROM batches b WHERE b.id IN ?`

// RowProblem is what is wrong with a cell, or with a row. The value is not repeated.
type RowProblem struct {
	Row    int             `json:"row" doc:"As a spreadsheet program counts: the header is 1"`
	Column int             `json:"column,omitempty" doc:"From 1; absent: the row itself"`
	Field  string          `json:"field,omitempty"`
	Code   imports.Problem `json:"code"`
	Text   string          `json:"text"`
}

// RowProblems is a page of them.
type RowProblems struct {
	Items   []RowProblem `json:"items"`
	NextRow *int         `json:"next_after_row" doc:"after_row of the next page; null: there is none"`
}

const problemsOfPage = 500

// ImportedPerson is whom a row is about.
type ImportedPerson struct {
	Row        int                   `json:"row" doc:"As a spreadsheet program counts: the header is 1"`
	EmployeeNo string                `json:"employee_no"`
	Name       string                `json:"name" doc:"As the file says; empty where it leaves the name of somebody who is there"`
	Known      bool                  `json:"known" doc:"The number is that of somebody who is there already"`
	LeftOn     *clock.Date           `json:"left_on,omitempty"`
	Kind       *models.DepartureKind `json:"departure_kind,omitempty"`
	KindText   string                `json:"departure_kind_text,omitempty"`
}

// ImportedPeople is a page of them.
type ImportedPeople struct {
	Items    []ImportedPerson `json:"items"`
	NextPage *int             `json:"next_page" doc:"page of the next ones; null: there are none"`
}

func (s *people) people(ctx context.Context, in *struct {
	httpkit.ByID
	Page int `query:"page" minimum:"0" maximum:"100000" doc:"From 0; a page is up to 500 rows of the file"`
}) (*httpkit.Answer[ImportedPeople], error) {
	if _, err := imports.Get(ctx, s.DB, s.kind, in.ID); err != nil {
		return nil, err
	}
	w := imports.Worker{DB: s.DB, Vault: s.vault}
	people, more, err := w.People(ctx, in.ID, in.Page)
	if err != nil {
		return nil, err
	}
	page := ImportedPeople{Items: httpkit.Each(people, func(p imports.Person) ImportedPerson {
		shown := ImportedPerson{Row: p.Row, EmployeeNo: p.EmployeeNo, Name: p.Name, Known: p.Known}
		if !p.Left.Day.IsZero() {
			shown.LeftOn, shown.Kind, shown.KindText = &p.Left.Day, &p.Left.Kind, closed.Text(in.Language(), p.Left.Kind)
		}
		return shown
	})}
	if more {
		next := in.Page + 1
		page.NextPage = &next
	}
	return &httpkit.Answer[ImportedPeople]{Body: page}, nil
}

func (s *server[V]) problems(ctx context.Context, in *struct {
	httpkit.ByID
	After int `query:"after_row" minimum:"0" maximum:"2000000" doc:"Only rows behind this one"`
}) (*httpkit.Answer[RowProblems], error) {
	b, err := imports.Get(ctx, s.DB, s.kind, in.ID)
	if err != nil {
		return nil, err
	}
	found, more, err := imports.Found(ctx, s.DB, in.ID, in.After, problemsOfPage)
	if err != nil {
		return nil, err
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	page := RowProblems{Items: problemViews(in.Language(), labels, b, found)}
	if more {
		page.NextRow = &found[len(found)-1].Row
	}
	return &httpkit.Answer[RowProblems]{Body: page}, nil
}

func problemViews(language i18n.Language, labels archive.Labels, b models.Batch, found []models.BatchProblem) []RowProblem {
	return httpkit.Each(found, func(p models.BatchProblem) RowProblem {
		shown := RowProblem{Row: p.Row, Column: p.Column, Code: imports.Problem(p.Code), Text: imports.Sentence(language, labels, b.Mapping, p)}
		if p.Column > 0 && p.Column <= len(b.Mapping) {
			shown.Field = b.Mapping[p.Column-1]
		}
		return shown
	})
}

// ImportMapping is the body that says which column is which field.
type ImportMapping struct {
	Columns []MappedColumn `json:"columns" minItems:"1" maxItems:"200" doc:"What is not named stays as it is"`
}

// MappedColumn is one of its columns.
type MappedColumn struct {
	Column int    `json:"column" minimum:"1" maximum:"200" doc:"From 1"`
	Field  string `json:"field,omitempty" maxLength:"64" doc:"A key of the field catalogue, legal_entity, time_zone, left_on or departure_kind; left out: the column is not read"`
}

func (s *server[V]) remap(ctx context.Context, in *struct {
	httpkit.ByID
	Body ImportMapping
}) (*httpkit.Answer[V], error) {
	if _, err := imports.Get(ctx, s.DB, s.kind, in.ID); err != nil {
		return nil, err
	}
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return imports.Map(tx, s.vault, in.ID, httpkit.Each(in.Body.Columns, func(c MappedColumn) imports.Column { return imports.Column(c) }))
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.read(ctx, in.ID, in.Language()))
}

func (s *people) run(ctx context.Context, in *struct {
	httpkit.ByID
	httpkit.Idempotent
	Body approvals.ApprovalFields
}) (*approvals.Outcome[ImportView], error) {
	return approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.RunImport, Command: operations.ImportRun{ImportID: in.ID}, Reason: in.Body.ApprovalReason,
		Key: in.Key, Route: "POST /employee-imports/{id}/run", Body: []any{in.ID, in.Body},
		Assess: func(tx *database.Tx) ([]models.Cause, error) { return imports.Assess(tx, in.ID) },
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			return httpkit.Accepted(models.Ref{Kind: models.RefImport, ID: in.ID}), imports.Run(tx, models.BatchImport, in.ID, imports.Agreement{})
		},
	}, func(id uuid.UUID) (ImportView, error) { return s.read(ctx, id, in.Language()) })
}

func (s *server[V]) cancel(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[V], error) {
	if _, err := imports.Get(ctx, s.DB, s.kind, in.ID); err != nil {
		return nil, err
	}
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return imports.Cancel(tx, in.ID) })
	if err != nil {
		return nil, err
	}
	if err := s.Approvals.EndChanged(ctx, s.DB, in.ID); err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.read(ctx, in.ID, in.Language()))
}

// report records the download, and then sends the rows.
func (s *server[V]) report(ctx context.Context, in *struct {
	httpkit.ByID
	Format sheet.Format `query:"format" default:"xlsx" doc:"In which format"`
}) (*huma.StreamResponse, error) {
	batch, err := imports.Get(ctx, s.DB, s.kind, in.ID)
	if err != nil {
		return nil, err
	}
	err = database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		batch, err = imports.Download(tx, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	bearer, language := httpkit.BearerOf(ctx), in.Language()
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		out, stop := s.AnswerAtLength(hctx, bearer, func(ctx context.Context) error { return imports.Ended(ctx, s.DB, in.ID) })
		defer stop()
		hctx.SetHeader("Content-Type", tableTypes[in.Format])
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+s.reportName()+"."+string(in.Format)+`"`)
		hctx.SetStatus(http.StatusOK)
		if err := imports.Report(ctx, s.DB, s.vault, batch, language, in.Format, out); err != nil {
			out.Cut()
		}
	}}, nil
}

func (s *server[V]) reportName() string {
	if s.kind == models.BatchDepartures {
		return "departures"
	}
	return "import-problems"
}
