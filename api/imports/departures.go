package imports

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
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

// leaves serves batches of departures.
type leaves struct {
	server[DepartureBatchView]
	limits imports.Limits
}

// DepartureBatchView is a batch of departures.
type DepartureBatchView struct {
	BatchFile
	Plan   DepartureBatchPlan   `json:"plan" doc:"What the run would do, as the dry run says"`
	Result DepartureBatchResult `json:"result" doc:"What the run did so far"`
	Alone  *bool                `json:"one_person,omitempty" doc:"Of a batch that was checked, for who sent it: whether one person may have it run"`
	// Because is why one person may not.
	Because []approvals.CauseView `json:"because,omitempty" doc:"Why a second person has to release it"`
}

// DepartureBatchPlan is what a run would do.
type DepartureBatchPlan struct {
	Begin     int         `json:"begin" doc:"Departures that would begin"`
	Same      int         `json:"same" doc:"Rows that a departure says already: nothing to do"`
	Faulty    int         `json:"faulty" doc:"Rows with something wrong: they are left out"`
	First     *clock.Date `json:"first,omitempty" doc:"The earliest last working day; absent in lists, as the rest"`
	Last      *clock.Date `json:"last,omitempty"`
	AtOnce    int         `json:"at_once" doc:"Whose access ends as the departure begins"`
	Protected int         `json:"protected" doc:"Heads of departments and administrators among them"`
	Sudden    int         `json:"sudden" doc:"Of these, whose access or employment would end within a day"`
	Past      int         `json:"past" doc:"Whose last working day is over: their access ends as the departure begins"`
}

// DepartureBatchResult is what a run did.
type DepartureBatchResult struct {
	Begun     int `json:"begun"`
	Unchanged int `json:"unchanged" doc:"A departure said the same already"`
	Refused   int `json:"refused" doc:"Rows with something wrong, now or in the dry run, and those that came to something else than the dry run said"`
}

func registerDepartures(desk *approvals.Desk, v imports.Vault, limits imports.Limits, reads chan struct{}) {
	httpkit.Describe[models.BatchOutcome](desk.API)
	hr := httpkit.Roles{httpkit.HR}
	s := &leaves{server[DepartureBatchView]{Desk: desk, vault: v, kind: models.BatchDepartures, base: "/departure-batches", reads: reads, show: departureBatchView}, limits}
	s.server.complete = s.completed
	r := s.Resource("Departure batches", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /departure-batches", Summary: "Send a file of departures; a dry run follows", To: hr, Status: http.StatusAccepted, NoSealedCodes: true,
		More:  "CSV (UTF-8, UTF-16 with a byte order mark, GB18030) or XLSX, one person a row. Nothing begins before the run is asked for.",
		Shape: httpkit.TakesFile(fileTypes...),
	}, s.upload)
	httpkit.Handle(r, httpkit.Route{At: "GET /departure-batches", Summary: "List batches of departures, the newest first", To: hr}, s.list)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /departure-batches/template", Summary: "Get a file with the headers, to be filled in", To: hr, Shape: answersTable("A table with headers, and no rows"),
	}, s.template)
	httpkit.Handle(r, httpkit.Route{At: "GET /departure-batches/{id}", Summary: "Read how far a batch is, and what it would do or did", To: hr}, s.get)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /departure-batches/{id}/events", Summary: "Follow a batch as it goes on", To: hr,
		More:  "Server-sent events. `event` is snapshot or changed (or problem), `data` is the resource as GET gives it. The stream ends when nothing goes on by itself any more.",
		Shape: httpkit.Streaming[DepartureBatchView](s.API), Problems: []int{http.StatusTooManyRequests},
	}, s.events)
	httpkit.Handle(r, httpkit.Route{At: "GET /departure-batches/{id}/problems", Summary: "List what is wrong with rows, by row and column", To: hr}, s.problems)
	httpkit.Handle(r, httpkit.Route{At: "GET /departure-batches/{id}/rows", Summary: "List the rows, with what would become, or became, of each", To: hr}, s.rows)
	httpkit.Handle(r, httpkit.Route{At: "PUT /departure-batches/{id}/mapping", Summary: "Say which column is which field, and have the file checked anew", To: hr}, s.remap)
	httpkit.Handle(r, httpkit.Route{At: "POST /departure-batches/{id}/run", Summary: "Begin the departures of a file that was checked", To: hr, Status: http.StatusAccepted, OrRequest: true}, s.run)
	httpkit.Handle(r, httpkit.Route{At: "POST /departure-batches/{id}/pause", Summary: "Stop a run for now; what has begun goes on", To: hr}, s.pause)
	httpkit.Handle(r, httpkit.Route{At: "POST /departure-batches/{id}/resumption", Summary: "Go on with a run that was paused", To: hr}, s.resume)
	httpkit.Handle(r, httpkit.Route{At: "POST /departure-batches/{id}/cancellation", Summary: "Cancel the rest of a batch; what has begun goes on", To: hr}, s.cancelRest)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /departure-batches/{id}/file", Summary: "Get all rows, each with what would become, or became, of it; who sent the file alone does", To: hr, NoSealedCodes: true,
		Shape:    answersTable("The rows as they came, each with its outcome beside it"),
		Problems: []int{http.StatusConflict, http.StatusGone},
	}, s.report)
}

// answersTable documents a table in both formats.
func answersTable(what string) func(op *huma.Operation) {
	return func(op *huma.Operation) {
		binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
		httpkit.Answering(typeXLSX, http.StatusOK, what, binary)(op)
		op.Responses["200"].Content[typeCSV] = &huma.MediaType{Schema: binary}
	}
}

func departureBatchView(b models.Batch, of BatchFile, _ i18n.Language) DepartureBatchView {
	return DepartureBatchView{
		BatchFile: of, Plan: DepartureBatchPlan{Begin: b.ToCreate, Same: b.Same, Faulty: b.Faulty},
		Result: DepartureBatchResult{b.Created, b.Unchanged, b.Refused},
	}
}

// completed adds what is unusual, and, for who sent the file, whether one person may have it run.
func (s *leaves) completed(ctx context.Context, v *DepartureBatchView, language i18n.Language) error {
	left, err := imports.Leaving(s.DB.Read(ctx), v.ID)
	if err != nil {
		return err
	}
	if left.People > 0 {
		v.Plan.First, v.Plan.Last = &left.First, &left.Last
	}
	v.Plan.AtOnce = left.AtOnce
	v.Plan.Protected, v.Plan.Sudden, v.Plan.Past = left.Protected, left.Sudden, left.Past
	if v.State != models.BatchChecked || v.Plan.Begin == 0 || v.Uploader.EmployeeID != httpkit.ActorOf(ctx).EmployeeID {
		return nil
	}
	return database.Run(ctx, s.DB, func(tx *database.Tx) error {
		causes, err := imports.AssessLeaves(tx, v.ID, s.limits)
		alone := len(causes) == 0
		v.Alone, v.Because = &alone, approvals.CauseViews(causes, language)
		return err
	})
}

func (s *leaves) run(ctx context.Context, in *struct {
	httpkit.ByID
	httpkit.Idempotent
	Body approvals.ApprovalFields
}) (*approvals.Outcome[DepartureBatchView], error) {
	return approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.RunDepartures, Command: operations.DeparturesRun{BatchID: in.ID}, Reason: in.Body.ApprovalReason,
		Key: in.Key, Route: "POST /departure-batches/{id}/run", Body: []any{in.ID, in.Body},
		Assess: func(tx *database.Tx) ([]models.Cause, error) { return imports.AssessLeaves(tx, in.ID, s.limits) },
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			return httpkit.Accepted(models.Ref{Kind: models.RefDepartures, ID: in.ID}), imports.Run(tx, models.BatchDepartures, in.ID, imports.Agreement{})
		},
	}, func(id uuid.UUID) (DepartureBatchView, error) { return s.read(ctx, id, in.Language()) })
}

type keyedByID struct {
	httpkit.ByID
	httpkit.Idempotent
}

// turn carries out a command about a batch once, however often it comes.
func (s *leaves) turn(ctx context.Context, in *keyedByID, what string, does func(tx *database.Tx, id uuid.UUID) error) (*httpkit.Answer[DepartureBatchView], error) {
	if _, err := imports.Get(ctx, s.DB, s.kind, in.ID); err != nil {
		return nil, err
	}
	_, err := s.Create(ctx, in.Key, "POST "+s.base+"/{id}/"+what, in.ID, func(tx *database.Tx) (httpkit.Creation, error) {
		if err := imports.NotOwn(tx, in.ID, httpkit.ActorOf(ctx)); err != nil {
			return httpkit.Creation{}, err
		}
		return httpkit.Done(models.Ref{Kind: models.RefDepartures, ID: in.ID}), does(tx, in.ID)
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.read(ctx, in.ID, in.Language()))
}

func (s *leaves) pause(ctx context.Context, in *keyedByID) (*httpkit.Answer[DepartureBatchView], error) {
	return s.turn(ctx, in, "pause", imports.Pause)
}

func (s *leaves) resume(ctx context.Context, in *keyedByID) (*httpkit.Answer[DepartureBatchView], error) {
	return s.turn(ctx, in, "resumption", imports.Resume)
}

func (s *leaves) cancelRest(ctx context.Context, in *keyedByID) (*httpkit.Answer[DepartureBatchView], error) {
	answer, err := s.turn(ctx, in, "cancellation", imports.Cancel)
	if err != nil {
		return nil, err
	}
	return answer, s.Approvals.EndChanged(ctx, s.DB, in.ID)
}

// DepartureRow is a row of a batch of departures.
type DepartureRow struct {
	Row         int                  `json:"row" doc:"As a spreadsheet program counts: the header is 1"`
	EmployeeID  *uuid.UUID           `json:"employee_id,omitempty"`
	EmployeeNo  string               `json:"employee_no,omitempty" doc:"Of whom it is about, if anybody has the number"`
	Name        string               `json:"name,omitempty"`
	Outcome     models.BatchOutcome  `json:"outcome"`
	OutcomeText string               `json:"outcome_text"`
	Kind        models.DepartureKind `json:"kind,omitempty" doc:"How the row says that the person leaves"`
	KindText    string               `json:"kind_text,omitempty"`
	LastDay     *clock.Date          `json:"last_working_day,omitempty"`
	Cutoff      *time.Time           `json:"access_cutoff_at,omitempty" doc:"When accounts are disabled"`
	End         *time.Time           `json:"employment_ended_at,omitempty"`
	AtOnce      bool                 `json:"at_once" doc:"Access ends as the departure begins"`
	Protected   bool                 `json:"protected" doc:"Heads a department or administers"`
	Sudden      bool                 `json:"sudden" doc:"Protected, and access or employment ends within a day: two people are needed"`
	Past        bool                 `json:"past" doc:"The last working day is over"`
	DepartureID *uuid.UUID           `json:"departure_id,omitempty" doc:"What was begun"`
	Problems    []RowProblem         `json:"problems"`
}

// DepartureRows is a page of them.
type DepartureRows struct {
	Items    []DepartureRow `json:"items"`
	NextPage *int           `json:"next_page" doc:"page of the next ones; null: there are none"`
}

func (s *leaves) rows(ctx context.Context, in *struct {
	httpkit.ByID
	Page int `query:"page" minimum:"0" maximum:"100000" doc:"From 0; a page is up to 50 rows of the file"`
}) (*httpkit.Answer[DepartureRows], error) {
	b, err := imports.Get(ctx, s.DB, s.kind, in.ID)
	if err != nil {
		return nil, err
	}
	rows, more, err := imports.Rows(s.DB.Read(ctx), in.ID, in.Page)
	if err != nil {
		return nil, err
	}
	// Nobody learns from the file of somebody else that they are to leave (I27); what was begun tells them itself.
	self := httpkit.ActorOf(ctx).EmployeeID
	rows = slices.DeleteFunc(rows, func(r imports.Row) bool { return r.Employee == self && r.Departure == nil && b.ActorID != self })
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	page := DepartureRows{Items: httpkit.Each(rows, func(r imports.Row) DepartureRow {
		shown := DepartureRow{
			Row: r.Row, EmployeeNo: r.EmployeeNo, Name: r.Name, Outcome: r.Outcome, OutcomeText: closed.Text(in.Language(), r.Outcome),
			LastDay: r.LastDay, Cutoff: r.Cutoff, End: r.End, AtOnce: r.AtOnce, Protected: r.Protected, Sudden: r.Sudden, Past: r.Past,
			DepartureID: r.Departure, Problems: problemViews(in.Language(), labels, b, r.Problems),
		}
		if r.Employee != uuid.Nil {
			shown.EmployeeID = &r.Employee
		}
		if r.Kind != "" {
			shown.Kind, shown.KindText = r.Kind, closed.Text(in.Language(), r.Kind)
		}
		return shown
	})}
	if more {
		next := in.Page + 1
		page.NextPage = &next
	}
	return &httpkit.Answer[DepartureRows]{Body: page}, nil
}

// template is a file with headers in the reader's language.
func (s *leaves) template(_ context.Context, in *struct {
	httpkit.Speaking
	Format sheet.Format `query:"format" default:"xlsx" doc:"In which format"`
}) (*huma.StreamResponse, error) {
	var file bytes.Buffer
	w, err := sheet.NewWriter(&file, in.Format)
	if err != nil {
		return nil, err
	}
	headers := make([]string, len(imports.LeaveColumns))
	for i, column := range imports.LeaveColumns {
		headers[i] = imports.ColumnLabel(in.Language(), nil, column)
	}
	if err := w.Write(headers); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", tableTypes[in.Format])
		hctx.SetHeader("Content-Disposition", `attachment; filename="departures.`+string(in.Format)+`"`)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(file.Bytes())
	}}, nil
}
