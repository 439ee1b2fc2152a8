// Package reconciliations serves what comparing connected systems with the facts found.
package reconciliations

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/reconcile"
	"lethe/models"
)

type server struct {
	*approvals.Desk
	systems *connector.Registry
}

// Register serves the resources.
func Register(desk *approvals.Desk, systems *connector.Registry) {
	s := &server{desk, systems}
	r := s.Resource("Reconciliation", identity.ScopeAccounts)
	readers, runners := httpkit.Roles{httpkit.HR, httpkit.IT, httpkit.Auditor}, httpkit.Roles{httpkit.HR, httpkit.IT}
	httpkit.Handle(r, httpkit.Route{
		At: "POST /reconciliations", Summary: "Compare what connected systems have with the facts, now", To: runners, Status: http.StatusAccepted,
		More: "Each system is listed as a whole and compared. Nothing is switched off by it: an account that can be used though its access was taken away becomes a support case. " +
			"A listing that is incomplete, empty where it was not, or much smaller than the last one is an alarm, and nothing is concluded from it. One runs at a time.",
	}, s.begin)
	httpkit.Handle(r, httpkit.Route{At: "GET /reconciliations", Summary: "List runs, the newest first", To: readers}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /reconciliations/{id}", Summary: "Read what came of a run, system by system", To: readers}, s.get)
	httpkit.Handle(r, httpkit.Route{At: "POST /reconciliations/{id}/stop", Summary: "Stop a run; what was compared so far stays", To: runners}, s.stop)
	httpkit.Handle(r, httpkit.Route{At: "GET /reconciled-systems", Summary: "How each connected system stood when it was compared last, and what is open there", To: readers}, s.overview)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /drift", Summary: "List what systems have otherwise than the facts say, the newest first", To: readers,
		More: "It ends by itself when a later whole listing does not show it any more. Of the own accounts nobody reads here.",
	}, s.drift)
}

// ReconciliationRun is one comparison of systems with the facts.
type ReconciliationRun struct {
	ID            uuid.UUID                  `json:"id"`
	State         models.ReconciliationState `json:"state"`
	StateText     string                     `json:"state_text"`
	StartedAt     time.Time                  `json:"started_at"`
	StartedBy     *render.PersonView         `json:"started_by,omitempty" doc:"Left out: the schedule"`
	AcceptSmaller bool                       `json:"accept_smaller,omitempty"`
	EndedAt       *time.Time                 `json:"ended_at,omitempty"`
	StoppedBy     *render.PersonView         `json:"stopped_by,omitempty"`
	Systems       []SystemComparison         `json:"systems" nullable:"false"`
}

// SystemComparison is one system in a run.
type SystemComparison struct {
	System      string                   `json:"system"`
	SystemText  string                   `json:"system_text"`
	Outcome     models.ComparisonOutcome `json:"outcome,omitempty" doc:"Left out: it is being compared, or is to be"`
	OutcomeText string                   `json:"outcome_text"`
	Alarm       string                   `json:"alarm,omitempty" doc:"Why nothing was concluded from the listing: empty, shrunk, or a code as support cases have it"`
	AlarmText   string                   `json:"alarm_text,omitempty"`
	AlarmSince  *time.Time               `json:"alarm_since,omitempty" doc:"Since when it is so without a whole listing in between"`
	Expected    int                      `json:"expected" doc:"How many accounts the last whole listing had; before the first, how many are known and in use"`
	Listed      *int                     `json:"listed,omitempty"`
	Found       int                      `json:"found" doc:"What was not there before"`
	Still       int                      `json:"still" doc:"What was there before, and is"`
	Ended       int                      `json:"ended" doc:"What is there no more"`
	StartedAt   *time.Time               `json:"started_at,omitempty" doc:"Since when it is being compared; left out: it has yet to begin"`
	EndedAt     *time.Time               `json:"ended_at,omitempty"`
}

func comparison(language i18n.Language, s models.ReconciliationSystem) SystemComparison {
	v := SystemComparison{
		System: s.System, SystemText: accounts.SystemText(language, s.System, s.Kind), Outcome: s.Outcome, OutcomeText: i18n.Text(language, "comparison_outcome.none"),
		Alarm: s.Alarm, AlarmSince: render.UTC(s.AlarmSince), Expected: s.Expected, Listed: s.Listed, Found: s.Found, Still: s.Still, Ended: s.Ended, StartedAt: render.UTC(s.StartedAt), EndedAt: render.UTC(s.EndedAt),
	}
	if s.Outcome != "" {
		v.OutcomeText = closed.Text(language, s.Outcome)
	}
	if s.Alarm != "" {
		v.AlarmText = i18n.Text(language, "reconciliation_alarm."+s.Alarm)
	}
	return v
}

type newRunInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body struct {
		System        string `json:"system,omitempty" maxLength:"64" doc:"Only this one; left out: all"`
		AcceptSmaller bool   `json:"accept_smaller,omitempty" doc:"The system has many accounts less for a good reason: its listing is believed. For one system"`
	}
}

func (s *server) begin(ctx context.Context, in *newRunInput) (*httpkit.CreatedAnswer[ReconciliationRun], error) {
	order := reconcile.Order{AcceptSmaller: in.Body.AcceptSmaller}
	if in.Body.System != "" {
		if _, ok := s.systems.Get(in.Body.System); !ok {
			return nil, httpkit.NewProblem(accounts.CodeUnknownSystem, httpkit.FieldError{Location: "body.system", Code: accounts.CodeUnknownSystem, Allowed: s.systems.Names()})
		}
		order.Systems = []string{in.Body.System}
	} else if order.AcceptSmaller {
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.system", Code: httpkit.FieldRequired})
	}
	made, err := s.Create(ctx, in.Key, "POST /reconciliations", in.Body, func(tx *database.Tx) (httpkit.Creation, error) {
		row, err := reconcile.Begin(tx, s.systems, order)
		return httpkit.Accepted(models.Ref{Kind: models.RefReconcile, ID: row.ID}), err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.read(ctx, in.Language(), made.ID)
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) list(ctx context.Context, in *struct {
	httpkit.Paging
	httpkit.Speaking
}) (*httpkit.Answer[httpkit.Page[ReconciliationRun]], error) {
	return httpkit.List(in.Paging, func(v ReconciliationRun) uuid.UUID { return v.ID }, func(before uuid.UUID) ([]ReconciliationRun, bool, error) {
		rows, err := reconcile.List(ctx, s.DB, before, in.Limit)
		if err != nil {
			return nil, false, err
		}
		rows, more := cut(rows, in.Limit)
		views, err := s.runs(ctx, in.Language(), rows)
		return views, more, err
	})
}

// cut takes the row off that says that there are more.
func cut[T any](rows []T, limit int) ([]T, bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

func (s *server) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[ReconciliationRun], error) {
	return httpkit.AnswerOf(s.read(ctx, in.Language(), in.ID))
}

func (s *server) stop(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[ReconciliationRun], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		_, err := reconcile.Stop(tx, in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.get(ctx, in)
}

func (s *server) read(ctx context.Context, language i18n.Language, id uuid.UUID) (ReconciliationRun, error) {
	row, err := reconcile.Get(ctx, s.DB, id)
	if err != nil {
		return ReconciliationRun{}, err
	}
	return httpkit.One(s.runs(ctx, language, []models.Reconciliation{row}))
}

func (s *server) runs(ctx context.Context, language i18n.Language, rows []models.Reconciliation) ([]ReconciliationRun, error) {
	var ids, who []uuid.UUID
	for _, r := range rows {
		ids, who = append(ids, r.ID), append(who, render.GivenOf(r.StartedBy, r.StoppedBy)...)
	}
	people, err := s.PeopleInLog(ctx, language, who)
	if err != nil {
		return nil, err
	}
	systems, err := reconcile.SystemsOf(ctx, s.DB, ids, httpkit.ActorOf(ctx).EmployeeID)
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(r models.Reconciliation) ReconciliationRun {
		return ReconciliationRun{
			ID: r.ID, State: r.State, StateText: closed.Text(language, r.State), StartedAt: r.StartedAt.UTC(), StartedBy: people.Of(r.StartedBy), AcceptSmaller: r.AcceptSmaller,
			EndedAt: render.UTC(r.EndedAt), StoppedBy: people.Of(r.StoppedBy),
			Systems: httpkit.Each(systems[r.ID], func(c models.ReconciliationSystem) SystemComparison { return comparison(language, c) }),
		}
	}), nil
}

// SystemStanding is how a connected system stood when it was compared last.
type SystemStanding struct {
	System     string            `json:"system"`
	SystemText string            `json:"system_text"`
	Last       *SystemComparison `json:"last,omitempty" doc:"Left out: it was never compared"`
	Lists      bool              `json:"lists" doc:"It gives a list of everybody, so that it can be compared"`
	Open       []OpenDrift       `json:"open" nullable:"false" doc:"How much is open there, the gravest first"`
}

// OpenDrift is how much of one kind is open.
type OpenDrift struct {
	Kind     models.DriftKind `json:"kind"`
	KindText string           `json:"kind_text"`
	Count    int              `json:"count"`
}

func (s *server) overview(ctx context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[httpkit.Page[SystemStanding]], error) {
	reader := httpkit.ActorOf(ctx).EmployeeID
	last, err := reconcile.Last(ctx, s.DB, reader)
	if err != nil {
		return nil, err
	}
	counts, err := reconcile.OpenDrift(ctx, s.DB, reader)
	if err != nil {
		return nil, err
	}
	page := httpkit.Page[SystemStanding]{Items: []SystemStanding{}}
	for _, name := range s.systems.Names() {
		system, _ := s.systems.Get(name)
		_, lists := system.Connector.(connector.Lister)
		v := SystemStanding{System: name, SystemText: accounts.SystemText(in.Language(), name, system.Kind), Lists: lists, Open: []OpenDrift{}}
		if row, ok := last[name]; ok {
			c := comparison(in.Language(), row)
			v.Last = &c
		}
		for _, kind := range models.DriftKinds {
			for _, c := range counts {
				if c.System == name && c.Kind == kind {
					v.Open = append(v.Open, OpenDrift{kind, closed.Text(in.Language(), kind), c.Open})
				}
			}
		}
		page.Items = append(page.Items, v)
	}
	return &httpkit.Answer[httpkit.Page[SystemStanding]]{Body: page}, nil
}

// Drift is something that a system has otherwise than the facts say.
type Drift struct {
	ID            uuid.UUID          `json:"id"`
	System        string             `json:"system"`
	SystemText    string             `json:"system_text"`
	Kind          models.DriftKind   `json:"kind"`
	KindText      string             `json:"kind_text"`
	NextStep      string             `json:"next_step" doc:"What people do about it, in words"`
	ExternalID    string             `json:"external_id,omitempty" doc:"By which the system knows the account, for those who may know ids of accounts; gone once it has ended"`
	EmployeeID    *uuid.UUID         `json:"employee_id,omitempty"`
	Person        *render.PersonView `json:"person,omitempty" doc:"Whom it concerns; left out: nobody known"`
	AccountID     *uuid.UUID         `json:"account_id,omitempty" doc:"Our account; left out: nobody registered one"`
	Active        bool               `json:"active" doc:"The account can be used"`
	LastSignInAt  *time.Time         `json:"last_sign_in_at,omitempty" doc:"Left out: the system does not tell, or it never was"`
	SupportCaseID *uuid.UUID         `json:"support_case_id,omitempty" doc:"Left out: it is no matter for people, or the data of whom it concerns was deleted"`
	FirstSeenAt   time.Time          `json:"first_seen_at"`
	LastSeenAt    time.Time          `json:"last_seen_at"`
	EndedAt       *time.Time         `json:"ended_at,omitempty" doc:"When a whole listing did not show it any more"`
}

func (s *server) drift(ctx context.Context, in *struct {
	httpkit.Paging
	httpkit.Speaking
	System     string           `query:"system" maxLength:"64" doc:"Only of this system, by its name"`
	Kind       models.DriftKind `query:"kind" doc:"Only of this kind"`
	State      string           `query:"state" enum:"open,ended" doc:"Left out: both"`
	EmployeeID uuid.UUID        `query:"employee_id" doc:"Only what concerns this person"`
}) (*httpkit.Answer[httpkit.Page[Drift]], error) {
	by := httpkit.ActorOf(ctx)
	f := reconcile.DriftFilter{System: in.System, Kind: in.Kind, EmployeeID: httpkit.Given(in.EmployeeID), NotOf: by.EmployeeID, Limit: in.Limit}
	if in.State != "" {
		open := in.State == "open"
		f.Open = &open
	}
	return httpkit.List(in.Paging, func(v Drift) uuid.UUID { return v.ID }, func(before uuid.UUID) ([]Drift, bool, error) {
		f.Before = before
		rows, err := reconcile.Drift(ctx, s.DB, f)
		if err != nil {
			return nil, false, err
		}
		rows, more := cut(rows, in.Limit)
		views, err := s.drifts(ctx, in.Language(), rows, access.MayKnow(by, false, access.PartIDs))
		return views, more, err
	})
}

func (s *server) drifts(ctx context.Context, language i18n.Language, rows []models.AccountDrift, ids bool) ([]Drift, error) {
	var who []uuid.UUID
	for _, d := range rows {
		who = append(who, render.GivenOf(d.EmployeeID)...)
	}
	people, err := s.PeopleInLog(ctx, language, who)
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(d models.AccountDrift) Drift {
		v := Drift{
			ID: d.ID, System: d.System, SystemText: accounts.SystemText(language, d.System, d.SystemKind), Kind: d.Kind, KindText: closed.Text(language, d.Kind),
			NextStep: i18n.Text(language, "drift_next."+string(d.Kind)), EmployeeID: d.EmployeeID, Person: people.Of(d.EmployeeID), AccountID: d.AccountID, Active: d.Active,
			LastSignInAt: render.UTC(d.LastSignInAt), SupportCaseID: d.SupportCaseID, FirstSeenAt: d.FirstSeenAt.UTC(), LastSeenAt: d.LastSeenAt.UTC(), EndedAt: render.UTC(d.EndedAt),
		}
		if ids && d.ExternalID != nil {
			v.ExternalID = *d.ExternalID
		}
		if v.Person != nil && v.Person.EmployeeNo == "" { // their data is deleted; the case names them
			v.SupportCaseID = nil
		}
		return v
	}), nil
}
