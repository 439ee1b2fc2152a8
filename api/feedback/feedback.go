// Package feedback serves what people say about the screens that they work with, and the answers.
package feedback

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
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/feedback"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/sheet"
	"lethe/models"
)

type server struct {
	*approvals.Desk
	version string
}

// readers see what everybody said, and answer.
var readers = httpkit.Roles{httpkit.HR, httpkit.IT}

// Register serves the resources; version is the program's.
func Register(desk *approvals.Desk, version string) {
	s := &server{desk, version}
	r := s.Resource("Feedback", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /feedback", Summary: "Say something about a screen", To: httpkit.Everyone, Session: true, Status: http.StatusCreated, Problems: []int{http.StatusTooManyRequests},
		More: "The role and the program's version are taken along. Name nobody in it: HR and IT read it, without who wrote it. Sealed; removed after two years, or with the data of who wrote.",
	}, s.say)
	httpkit.Handle(r, httpkit.Route{At: "GET /feedback", Summary: "List feedback with its answers, newest first: HR and IT all, everybody else the own", To: httpkit.Everyone}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /feedback/{id}", Summary: "Read one piece of feedback", To: httpkit.Everyone}, s.get)
	httpkit.Handle(r, httpkit.Route{At: "POST /feedback/{id}/answer", Summary: "Answer who said it, once", To: readers, Session: true, Problems: []int{http.StatusConflict}}, s.answer)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /feedback-export", Summary: "Download feedback as a table, for a review: without who said it", To: readers, Session: true,
		Shape: httpkit.Answering("text/csv", http.StatusOK, "The newest 10,000", &huma.Schema{Type: huma.TypeString}),
	}, s.export)
}

// Feedback is what somebody said, and what was answered.
type Feedback struct {
	ID         uuid.UUID           `json:"id"`
	Own        bool                `json:"own" doc:"Who reads it said it"`
	Role       models.Role         `json:"role,omitempty" doc:"In which role it was said; left out for others where few have it"`
	RoleText   string              `json:"role_text,omitempty"`
	Kind       models.FeedbackKind `json:"kind"`
	KindText   string              `json:"kind_text"`
	Screen     string              `json:"screen" doc:"The console's name of the screen"`
	ScreenText string              `json:"screen_text"`
	Version    string              `json:"version" doc:"Of the program"`
	Doing      string              `json:"doing,omitempty" doc:"What they were doing"`
	Text       string              `json:"text"`
	SaidAt     time.Time           `json:"said_at" doc:"For others than who said it: the day, in UTC"`
	Answer     string              `json:"answer,omitempty"`
	AnsweredAt *time.Time          `json:"answered_at,omitempty"`
}

type sayInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewFeedback
}

// NewFeedback is what somebody says.
type NewFeedback struct {
	Kind   models.FeedbackKind `json:"kind"`
	Screen string              `json:"screen" pattern:"^[a-z]{1,40}$" doc:"The console's name of the screen" example:"departures"`
	Doing  string              `json:"doing,omitempty" maxLength:"2000" doc:"What they were doing"`
	Text   string              `json:"text" minLength:"1" maxLength:"2000" doc:"What went wrong, or well, or is wished for. No names, numbers or illnesses"`
}

func (s *server) say(ctx context.Context, in *sayInput) (*httpkit.CreatedAnswer[Feedback], error) {
	b := in.Body
	made, err := s.Create(ctx, in.Key, "POST /feedback", b, func(tx *database.Tx) (httpkit.Creation, error) {
		f, err := feedback.Say(tx, httpkit.ActorOf(ctx), feedback.New{Kind: b.Kind, Screen: b.Screen, Version: s.version, Doing: b.Doing, Text: b.Text})
		return httpkit.Created(models.Ref{Kind: models.RefFeedback, ID: f.ID}), err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.one(ctx, in.Language(), made.ID)
	return httpkit.CreatedOf(made, view, err)
}

type listInput struct {
	httpkit.Paging
	httpkit.Speaking
	Kind     models.FeedbackKind `query:"kind" doc:"Only this kind"`
	Answered httpkit.YesNo       `query:"answered" enum:"true,false" doc:"Only what was answered, or was not"`
	Own      httpkit.YesNo       `query:"own" enum:"true,false" doc:"true: only the own"`
}

func (s *server) list(ctx context.Context, in *listInput) (*httpkit.Answer[httpkit.Page[Feedback]], error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	f := feedback.Filter{Kind: in.Kind, Answered: in.Answered.Bool(), Before: before, Limit: in.Limit}
	if by := httpkit.ActorOf(ctx); in.Own == "true" || !slices.Contains(readers, by.Role) {
		f.EmployeeID = &by.EmployeeID
	}
	rows, err := feedback.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(f models.Feedback) uuid.UUID { return f.ID })
	views, err := s.views(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

func (s *server) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[Feedback], error) {
	return httpkit.AnswerOf(s.one(ctx, in.Language(), in.ID))
}

// one is a piece of feedback, for who said it and for who answers.
func (s *server) one(ctx context.Context, language i18n.Language, id uuid.UUID) (Feedback, error) {
	f, err := feedback.Get(ctx, s.DB, id)
	if by := httpkit.ActorOf(ctx); err == nil && f.EmployeeID != by.EmployeeID && !slices.Contains(readers, by.Role) {
		err = feedback.ErrNotFound
	}
	if err != nil {
		return Feedback{}, err
	}
	return httpkit.One(s.views(ctx, language, []models.Feedback{f}))
}

func (s *server) views(ctx context.Context, language i18n.Language, rows []models.Feedback) ([]Feedback, error) {
	written, err := feedback.WrittenFor(ctx, s.DB, rows...)
	if err != nil {
		return nil, err
	}
	common, err := feedback.CommonRoles(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	own := httpkit.ActorOf(ctx).EmployeeID
	views := make([]Feedback, len(rows))
	for i, f := range rows {
		w := written[i]
		views[i] = Feedback{
			ID: f.ID, Own: f.EmployeeID == own, Role: f.Role, RoleText: closed.Text(language, f.Role), Kind: f.Kind, KindText: closed.Text(language, f.Kind),
			Screen: f.Screen, ScreenText: screenText(language, f.Screen), Version: f.Version, Doing: w.Doing, Text: w.Text, SaidAt: f.SaidAt.UTC(),
			Answer: w.Answer, AnsweredAt: render.UTC(f.AnsweredAt),
		}
		if views[i].Own {
			continue
		}
		// Neither a role of few nor the moment tells who it was.
		views[i].SaidAt = views[i].SaidAt.Truncate(24 * time.Hour)
		if !slices.Contains(common, f.Role) {
			views[i].Role, views[i].RoleText = "", ""
		}
	}
	return views, nil
}

// screenText is what people read above the screen. One of another version may have no words any more.
func screenText(language i18n.Language, screen string) string {
	if text, ok := i18n.Lookup(language, "screen."+screen); ok {
		return text
	}
	return screen
}

type answerInput struct {
	httpkit.ByID
	Body NewFeedbackAnswer
}

// NewFeedbackAnswer is the body of an answer.
type NewFeedbackAnswer struct {
	Text string `json:"text" minLength:"1" maxLength:"2000" doc:"For who said it"`
}

func (s *server) answer(ctx context.Context, in *answerInput) (*httpkit.Answer[Feedback], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return feedback.Answer(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Text)
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.one(ctx, in.Language(), in.ID))
}

// mostExported rows are in a table.
const mostExported = 10_000

type exportInput struct {
	httpkit.Speaking
	From time.Time `query:"from" doc:"Said at or after it"`
	To   time.Time `query:"to" doc:"Said before it"`
}

func (s *server) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	rows, err := feedback.List(ctx, s.DB, feedback.Filter{From: httpkit.Instant(in.From), To: httpkit.Instant(in.To), Limit: mostExported})
	if err != nil {
		return nil, err
	}
	language := in.Language()
	views, err := s.views(ctx, language, rows[:min(len(rows), mostExported)])
	if err != nil {
		return nil, err
	}
	var table bytes.Buffer
	if err := write(&table, language, views); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hctx.SetHeader("Content-Disposition", `attachment; filename="feedback.csv"`)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(table.Bytes())
	}}, nil
}

func write(table *bytes.Buffer, language i18n.Language, views []Feedback) error {
	out, err := sheet.NewWriter(table, sheet.CSV)
	if err != nil {
		return err
	}
	var header []string
	for _, column := range []string{"said_at", "screen", "kind", "role", "version", "doing", "text", "answer", "answered_at"} {
		header = append(header, i18n.Text(language, "feedback.column."+column))
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, f := range views {
		answered := ""
		if f.AnsweredAt != nil {
			answered = f.AnsweredAt.Format(time.RFC3339)
		}
		if err := out.Write([]string{f.SaidAt.Format(time.RFC3339), f.ScreenText, f.KindText, f.RoleText, f.Version, f.Doing, f.Text, f.Answer, answered}); err != nil {
			return err
		}
	}
	return out.Close()
}
