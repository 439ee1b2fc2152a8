package querylog

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
	"lethe/internal/operations"
	"lethe/internal/sheet"
	"lethe/models"
)

// NewExport is what somebody wants exported.
type NewExport struct {
	Filters *ExportFilters `json:"filters,omitempty" doc:"As those of GET /query-log. Left out, with no range: everything so far"`
	Range   *ExportRange   `json:"range,omitempty" doc:"All entries of a range of indexes, which proves that none is left out. Not together with filters"`
	Formats []sheet.Format `json:"formats,omitempty" maxItems:"2" doc:"Tables for people beside the evidence itself; left out: both"`
	Reason  string         `json:"reason" minLength:"1" maxLength:"1000" doc:"Why, for the log. No names, numbers or illnesses"`
	approvals.ApprovalFields
}

// ExportFilters choose what is exported.
type ExportFilters struct {
	Search     string        `json:"q,omitempty" maxLength:"100"`
	Actor      *uuid.UUID    `json:"actor,omitempty"`
	EmployeeID *uuid.UUID    `json:"employee_id,omitempty"`
	Kind       ledger.Kind   `json:"kind,omitempty"`
	Action     string        `json:"action,omitempty" maxLength:"64"`
	Purpose    string        `json:"purpose,omitempty" maxLength:"64"`
	Result     ledger.Result `json:"result,omitempty"`
	From       *time.Time    `json:"from,omitempty"`
	To         *time.Time    `json:"to,omitempty"`
}

// ExportRange is the entries of an epoch from first_index up to, and without, end_index.
type ExportRange struct {
	Epoch int   `json:"epoch,omitempty" default:"1" minimum:"1"`
	First int64 `json:"first_index" minimum:"0"`
	End   int64 `json:"end_index" minimum:"1" doc:"Not included"`
}

// ExportView is an evidence pack, asked for or made.
type ExportView struct {
	ID          uuid.UUID            `json:"id"`
	State       evidence.ExportState `json:"state"`
	StateText   string               `json:"state_text"`
	Reason      string               `json:"reason"`
	RequestedBy uuid.UUID            `json:"requested_by"`
	Requester   render.PersonView    `json:"requester" doc:"requested_by, by name"`
	Formats     []string             `json:"formats"`
	EntryID     uuid.UUID            `json:"ledger_entry_id" doc:"The entry that records the request; the export holds entries before it"`
	Written     int64                `json:"written" doc:"Entries written so far"`
	Total       *int64               `json:"total" doc:"Entries that there will be; null: not known yet"`
	Tampered    *int64               `json:"tampered,omitempty" doc:"Entries that somebody changed in the database"`
	Failure     evidence.Failure     `json:"failure,omitempty"`
	FailureText string               `json:"failure_text,omitempty"`
	File        string               `json:"file,omitempty" doc:"Where to download the pack"`
	Bytes       *int64               `json:"bytes,omitempty"`
	SHA256      string               `json:"sha256,omitempty" doc:"Hexadecimal; the log holds it too"`
	CreatedAt   time.Time            `json:"created_at"`
	FinishedAt  *time.Time           `json:"finished_at,omitempty"`
	ExpiresAt   *time.Time           `json:"expires_at,omitempty" doc:"The file is removed then"`
}

func (s *server) registerExports() {
	r := s.Resource("Query log", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /query-log/exports", Summary: "Make an evidence pack in the background", To: httpkit.Roles{httpkit.Auditor},
		Status: http.StatusAccepted, NoSealedCodes: true, OrRequest: true,
	}, s.exportLog)
	httpkit.Handle(r, httpkit.Route{At: "GET /query-log/exports/{id}", Summary: "Read how far an evidence pack is", To: httpkit.Roles{httpkit.Auditor}}, s.getExport)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /query-log/exports/{id}/events", Summary: "Follow an evidence pack as it is made", To: httpkit.Roles{httpkit.Auditor},
		More:  "Server-sent events. `event` is snapshot or changed (or problem), `data` is the resource as GET gives it. The stream ends when nothing more can happen.",
		Shape: httpkit.Streaming[ExportView](s.API), Problems: []int{http.StatusTooManyRequests},
	}, s.exportEvents)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /query-log/exports/{id}/file", Summary: "Download an evidence pack; this is recorded too", To: httpkit.Roles{httpkit.Auditor},
		NoSealedCodes: true, Shape: httpkit.Answering("application/zip", http.StatusOK, "The pack", &huma.Schema{Type: huma.TypeString, Format: "binary"}),
		Problems: []int{http.StatusConflict, http.StatusGone},
	}, s.downloadExport)
}

type newExportInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewExport
}

func (s *server) exportLog(ctx context.Context, in *newExportInput) (*approvals.Outcome[ExportView], error) {
	if f := in.Body.Filters; f != nil {
		if err := knownAction("body.filters.", f.Action); err != nil {
			return nil, err
		}
	}
	r := in.Body.request()
	var entries int64
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.ExportLog, Command: r, Reason: in.Body.ApprovalReason, Key: in.Key, Route: "POST /query-log/exports", Body: in.Body,
		Assess: func(tx *database.Tx) (causes []models.Cause, err error) {
			causes, entries, err = evidence.Assess(tx, httpkit.ActorOf(ctx), r, s.ExportLimit)
			return causes, err
		},
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			id, err := evidence.OrderAlone(tx, httpkit.ActorOf(ctx), r, entries)
			return httpkit.Accepted(models.Ref{Kind: models.RefExport, ID: id}), err
		},
	}, func(id uuid.UUID) (ExportView, error) { return s.exportView(ctx, id, in.Language()) })
	return out, refused(err, "body.filters.")
}

func (b NewExport) request() evidence.Request {
	r := evidence.Request{Reason: b.Reason}
	if b.Formats != nil { // none is something else than nothing said, which is both
		r.Formats = httpkit.Each(b.Formats, func(f sheet.Format) string { return string(f) })
	}
	if b.Range != nil {
		r.Range = &evidence.Range{Epoch: max(b.Range.Epoch, 1), First: b.Range.First, End: b.Range.End}
	}
	if f := b.Filters; f != nil {
		r.Filter = LogFilter{
			Search: f.Search, Kind: f.Kind, Action: f.Action, Purpose: f.Purpose, Result: f.Result,
		}.filter()
		r.Filter.Actor, r.Filter.Subject, r.Filter.From, r.Filter.To = f.Actor, f.EmployeeID, render.UTC(f.From), render.UTC(f.To)
	}
	return r
}

// refused is a refusal of a search: what is wrong with its words or its range, below a place such as "query.".
func refused(err error, place string) error {
	for _, r := range []struct {
		err        error
		code, name string
	}{
		{querylog.ErrTermTooShort, codeSearchTooShort, "q"},
		{querylog.ErrTermTooLong, codeSearchTooLong, "q"},
		{querylog.ErrTooManyTerms, codeSearchTerms, "q"},
		{querylog.ErrNotText, httpkit.CodeTextUnreadable, "q"},
		{querylog.ErrTooBroad, codeSearchTooBroad, "q"},
		{querylog.ErrRangeReversed, httpkit.CodeRangeReversed, "to"},
	} {
		if errors.Is(err, r.err) {
			return httpkit.NewProblem(r.code, httpkit.FieldError{Location: place + r.name, Code: r.code})
		}
	}
	return err
}

func (s *server) getExport(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[ExportView], error) {
	return httpkit.AnswerOf(s.exportView(ctx, in.ID, in.Language()))
}

func (s *server) exportView(ctx context.Context, id uuid.UUID, language i18n.Language) (ExportView, error) {
	e, err := evidence.Get(ctx, s.DB, id)
	if err != nil {
		return ExportView{}, err
	}
	written, err := e.Open(ctx, s.DB)
	if err != nil {
		return ExportView{}, err
	}
	people, err := s.People(ctx, language, []uuid.UUID{e.RequestedBy})
	if err != nil {
		return ExportView{}, err
	}
	v := ExportView{
		ID: e.ID, State: e.State, StateText: closed.Text(language, e.State), Reason: written.Reason, RequestedBy: e.RequestedBy, Requester: people[e.RequestedBy],
		Formats: []string{}, EntryID: e.EntryID, Written: e.Written, Total: e.Total, Tampered: e.Tampered, Failure: e.Failure,
		Bytes: e.Bytes, SHA256: hex.EncodeToString(e.SHA256), CreatedAt: e.CreatedAt.UTC(), FinishedAt: render.UTC(e.FinishedAt), ExpiresAt: render.UTC(e.ExpiresAt),
	}
	if e.Formats != "" {
		v.Formats = strings.Split(e.Formats, ",")
	}
	if e.Failure != "" {
		v.FailureText = closed.Text(language, e.Failure)
	}
	if e.State == evidence.Done {
		v.File = httpkit.AddressOf(models.RefExport, e.ID) + "/file"
	}
	return v, nil
}

// downloadExport records the download, and then sends the file from the disk.
func (s *server) downloadExport(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	e, err := evidence.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	var file *os.File
	if e.State == evidence.Done {
		if file, err = os.Open(s.Exports.Path(e)); err != nil {
			return nil, evidence.ErrMissing
		}
	}
	if e, err = evidence.Download(ctx, s.DB, in.ID); err != nil {
		if file != nil {
			_ = file.Close()
		}
		return nil, err
	}
	bearer := httpkit.BearerOf(ctx)
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer func() { _ = file.Close() }()
		out, stop := s.AnswerAtLength(hctx, bearer, func(ctx context.Context) error { return evidence.Ended(ctx, s.DB, e.ID) })
		defer stop()
		hctx.SetHeader("Content-Type", "application/zip")
		hctx.SetHeader("Content-Length", strconv.FormatInt(*e.Bytes, 10))
		hctx.SetHeader("Content-Disposition", `attachment; filename="query-log-`+e.ID.String()+`.zip"`)
		hctx.SetHeader("Digest", "sha-256="+hex.EncodeToString(e.SHA256))
		hctx.SetStatus(http.StatusOK)
		_, _ = io.Copy(out, file) // a client that goes away cuts its own file, whose length tells it
	}}, nil
}
