package emergencies

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/duty"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// readers see all calls; everybody else the own ones.
var readers = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

func (s *server) registerCalls() {
	r := s.Resource("Emergencies", identity.ScopeEmergencies)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /emergency-calls", Summary: "Call HR in an emergency: who is on duty now, with the number to call", To: httpkit.Everyone, Status: http.StatusCreated, Problems: []int{http.StatusTooManyRequests},
		More: "About a colleague whom the caller may see or who is in the own department, or about somebody whom the caller describes. Who is on duty is told by mail as well. Where nobody is, the answer names other HR administrators; it is never empty. For a gatehouse's phone: a token that is kept to the scope emergencies.",
	}, s.makeCall)
	httpkit.Handle(r, httpkit.Route{At: "GET /emergency-calls", Summary: "List emergency calls, newest first: HR, reviewers and auditors all, everybody else the own ones", To: httpkit.Everyone}, s.listCalls)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /emergency-calls/events", Summary: "Follow the emergency calls that nobody looks after yet", To: httpkit.Roles{httpkit.HR}, Problems: []int{http.StatusTooManyRequests},
		More:  "Server-sent events. `event` is snapshot or changed (or problem), `data` is the list as GET gives it with state=open, without pages. Following does not keep a session alive.",
		Shape: httpkit.Streaming[httpkit.Page[EmergencyCall]](s.API),
	}, s.followCalls)
	httpkit.Handle(r, httpkit.Route{At: "GET /emergency-calls/{id}", Summary: "Read an emergency call; by others than the caller that is recorded", To: httpkit.Everyone}, s.getCall)
	httpkit.Handle(r, httpkit.Route{At: "POST /emergency-calls/{id}/taking", Summary: "Look after an emergency call, as HR", To: httpkit.Roles{httpkit.HR}}, s.takeCall)
	httpkit.Handle(r, httpkit.Route{At: "POST /emergency-calls/{id}/closing", Summary: "Tell what came of an emergency call", To: httpkit.Roles{httpkit.HR}}, s.closeCall)
}

// EmergencyCall is one call. No number is part of it.
type EmergencyCall struct {
	ID         uuid.UUID             `json:"id"`
	CalledAt   time.Time             `json:"called_at"`
	Caller     *render.PersonView    `json:"caller,omitempty"`
	EmployeeID *uuid.UUID            `json:"employee_id,omitempty" doc:"About whom; left out: somebody whom the caller described"`
	Person     *render.PersonView    `json:"person,omitempty" doc:"employee_id, by name"`
	State      models.EmergencyState `json:"state"`
	StateText  string                `json:"state_text"`
	OnDuty     []render.PersonView   `json:"on_duty" nullable:"false" doc:"Who was on duty then; nobody: the caller was given others"`
	TakenBy    *render.PersonView    `json:"taken_by,omitempty" doc:"Who of HR looks after it"`
	TakenAt    *time.Time            `json:"taken_at,omitempty"`
	Escalated  *time.Time            `json:"escalated_at,omitempty" doc:"When all of HR were told, since nobody took it"`
	ClosedAt   *time.Time            `json:"closed_at,omitempty"`
	// What the caller does not learn: how it ended.
	Closing *EmergencyClosing `json:"closing,omitempty" doc:"What came of it: for HR, reviewers and auditors"`
	What    string            `json:"what,omitempty" doc:"What happened: of one that is read by itself"`
	Who     string            `json:"who,omitempty" doc:"To whom, as the caller described them"`
}

// EmergencyClosing is what came of a call.
type EmergencyClosing struct {
	Outcome      models.EmergencyOutcome `json:"outcome"`
	OutcomeText  string                  `json:"outcome_text"`
	DisclosureID *uuid.UUID              `json:"disclosure_id,omitempty" doc:"The look that was made for it"`
	By           *render.PersonView      `json:"by,omitempty"`
	Note         string                  `json:"note,omitempty" doc:"Of one that is read by itself"`
}

// Reached is somebody whom the caller can call.
type Reached struct {
	Person *render.PersonView `json:"person,omitempty"`
	Phone  string             `json:"phone,omitempty" doc:"Left out: Lethe knows none"`
	Until  *time.Time         `json:"until,omitempty" doc:"When the shift ends"`
}

// EmergencyAnswer is a call with whom to call.
type EmergencyAnswer struct {
	EmergencyCall
	CallNow       []Reached `json:"call_now" nullable:"false" doc:"Who is on duty; nobody: call the others"`
	Others        []Reached `json:"others" nullable:"false" doc:"Where nobody is on duty: other HR administrators"`
	Advice        string    `json:"advice" doc:"What to do now, in a sentence"`
	PublicNumbers string    `json:"public_numbers" doc:"Ambulance, police and fire brigade"`
	LedgerEntryID uuid.UUID `json:"ledger_entry_id"`
	Receipt       string    `json:"receipt,omitempty" doc:"A signed promise that the entry is in the ledger"`
}

func (s *server) calls(ctx context.Context, language i18n.Language, rows []models.EmergencyCall) ([]EmergencyCall, error) {
	var who []uuid.UUID
	for _, c := range rows {
		who = append(append(who, render.GivenOf(&c.CallerID, c.EmployeeID, c.TakenBy, c.ClosedBy)...), c.OnDuty...)
	}
	people, err := s.PeopleInLog(ctx, language, who)
	if err != nil {
		return nil, err
	}
	all := slices.Contains(readers, httpkit.ActorOf(ctx).Role)
	if !all { // a caller hears of nobody that the data is deleted
		maps.DeleteFunc(people, func(_ uuid.UUID, p render.PersonView) bool { return p.EmployeeNo == "" })
	}
	return httpkit.Each(rows, func(c models.EmergencyCall) EmergencyCall {
		v := EmergencyCall{
			ID: c.ID, CalledAt: c.CalledAt.UTC(), Caller: people.Of(&c.CallerID), EmployeeID: c.EmployeeID, Person: people.Of(c.EmployeeID),
			State: c.State, StateText: closed.Text(language, c.State), OnDuty: []render.PersonView{}, TakenBy: people.Of(c.TakenBy), TakenAt: render.UTC(c.TakenAt),
			Escalated: render.UTC(c.EscalatedAt), ClosedAt: render.UTC(c.ClosedAt),
		}
		for _, id := range c.OnDuty {
			if p := people.Of(&id); p != nil {
				v.OnDuty = append(v.OnDuty, *p)
			}
		}
		if all && c.State == models.EmergencyClosed {
			v.Closing = &EmergencyClosing{Outcome: c.Outcome, OutcomeText: closed.Text(language, c.Outcome), DisclosureID: c.DisclosureID, By: people.Of(c.ClosedBy)}
		}
		return v
	}), nil
}

type callInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body struct {
		EmployeeID *uuid.UUID `json:"employee_id,omitempty" doc:"About whom: a colleague of the own department, or whom the caller may see"`
		Who        string     `json:"who,omitempty" maxLength:"200" doc:"Or about whom in words: name, number on the badge, where they are. Sealed, kept as long as the log"`
		What       string     `json:"what" minLength:"1" maxLength:"1000" doc:"What happened. Sealed, kept as long as the log"`
	}
}

func (s *server) makeCall(ctx context.Context, in *callInput) (*httpkit.CreatedAnswer[EmergencyAnswer], error) {
	var call duty.Call
	b, by := in.Body, httpkit.ActorOf(ctx)
	made, err := s.Create(ctx, in.Key, "POST /emergency-calls", b, func(tx *database.Tx) (_ httpkit.Creation, err error) {
		call, err = duty.Make(tx, s.Vault, by, duty.Request{EmployeeID: b.EmployeeID, Who: b.Who, What: b.What, Mail: s.Mail})
		return httpkit.Created(models.Ref{Kind: models.RefEmergency, ID: call.ID}), err
	})
	switch {
	case errors.Is(err, database.ErrNotFound):
		return nil, httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
	case err != nil:
		return nil, err
	case call.ID != made.ID:
		err = database.Run(ctx, s.DB, func(tx *database.Tx) error {
			call, err = duty.Again(tx, s.Vault, by, made.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	view, err := s.answer(ctx, in.Language(), call)
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) answer(ctx context.Context, language i18n.Language, c duty.Call) (a EmergencyAnswer, err error) {
	if a.EmergencyCall, err = httpkit.One(s.calls(ctx, language, []models.EmergencyCall{c.EmergencyCall})); err != nil {
		return a, err
	}
	people, err := s.People(ctx, language, httpkit.Each(slices.Concat(c.OnDutyNow, c.Others), func(r duty.Reached) uuid.UUID { return r.EmployeeID }))
	if err != nil {
		return a, err
	}
	reached := func(r duty.Reached) Reached {
		v := Reached{Person: people.Of(&r.EmployeeID), Phone: r.Phone}
		if !r.Until.IsZero() {
			v.Until = &r.Until
		}
		return v
	}
	a.CallNow, a.Others = httpkit.Each(c.OnDutyNow, reached), httpkit.Each(c.Others, reached)
	advice := "emergency.advice.on_duty"
	switch {
	case len(a.CallNow) == 0 && len(a.Others) > 0:
		advice = "emergency.advice.others"
	case len(a.CallNow) == 0:
		advice = "emergency.advice.nobody"
	}
	a.Advice, a.PublicNumbers = i18n.Text(language, advice), i18n.Text(language, "emergency.public_numbers")
	a.LedgerEntryID, a.Receipt = c.LedgerEntryID, c.Receipt
	return a, nil
}

type listCallsInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID             `query:"employee_id" doc:"Only those about this person"`
	State      models.EmergencyState `query:"state" doc:"Only those in this state"`
	Waiting    httpkit.YesNo         `query:"waiting" enum:"true,false" doc:"true: only those of which nobody has told yet what came of them"`
}

func (s *server) listCalls(ctx context.Context, in *listCallsInput) (*httpkit.Answer[httpkit.Page[EmergencyCall]], error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	by := httpkit.ActorOf(ctx)
	f := duty.CallFilter{EmployeeID: httpkit.Given(in.EmployeeID), State: in.State, Waiting: in.Waiting == "true", NotOf: by.EmployeeID, Before: before, Limit: in.Limit}
	if !slices.Contains(readers, by.Role) {
		f.CallerID = &by.EmployeeID
	}
	rows, err := duty.Calls(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(c models.EmergencyCall) uuid.UUID { return c.ID })
	views, err := s.calls(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

// openCalls tells whether anything changed about the calls that nobody looks after; they are followed together.
const openCalls httpkit.StreamKind = `
		SELECT n.id, coalesce((SELECT string_agg(c.id::text || c.xmin::text, ',' ORDER BY c.id) FROM emergency_calls c WHERE c.state = 'open'), '') AS fingerprint
		FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id) n WHERE n.id IN ?`

// mostOpen is how many open calls a follower is shown.
const mostOpen = 50

func (s *server) followCalls(ctx context.Context, in *httpkit.Speaking) (*huma.StreamResponse, error) {
	by, language := httpkit.ActorOf(ctx), in.Language()
	look := func(ctx context.Context, _ int64) (now httpkit.Moment, err error) {
		rows, err := duty.Calls(ctx, s.DB, duty.CallFilter{State: models.EmergencyOpen, NotOf: by.EmployeeID, Limit: mostOpen})
		if err != nil {
			return now, err
		}
		views, err := s.calls(ctx, language, rows)
		now.View = httpkit.PageOf(views, nil)
		return now, err
	}
	return s.Stream(ctx, httpkit.Followed{Kind: openCalls, Language: language, Look: look})
}

// getCall is one call with what was said: that somebody else than the caller reads it is recorded first (I18).
func (s *server) getCall(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[EmergencyCall], error) {
	c, err := duty.CallOf(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	by := httpkit.ActorOf(ctx)
	own, about := c.CallerID == by.EmployeeID, c.EmployeeID != nil && *c.EmployeeID == by.EmployeeID
	if !own && (about || !slices.Contains(readers, by.Role)) {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	if !own {
		if err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return duty.RecordRead(tx, c) }); err != nil {
			return nil, err
		}
	}
	v, err := httpkit.One(s.calls(ctx, in.Language(), []models.EmergencyCall{c}))
	if err != nil {
		return nil, err
	}
	said, note, err := duty.Texts(ctx, s.DB, c)
	v.What, v.Who = said.What, said.Who
	if v.Closing != nil {
		v.Closing.Note = note
	}
	return httpkit.AnswerOf(v, err)
}

func (s *server) takeCall(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[EmergencyCall], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.EmergencyCall, error) {
		return duty.Take(tx, httpkit.ActorOf(ctx), in.ID)
	})
}

type closeInput struct {
	httpkit.ByID
	Body struct {
		Outcome      models.EmergencyOutcome `json:"outcome"`
		DisclosureID *uuid.UUID              `json:"disclosure_id,omitempty" doc:"The look that was made for it"`
		Note         string                  `json:"note,omitempty" maxLength:"500" doc:"Sealed, kept as long as the log"`
	}
}

func (s *server) closeCall(ctx context.Context, in *closeInput) (*httpkit.Answer[EmergencyCall], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.EmergencyCall, error) {
		return duty.Close(tx, httpkit.ActorOf(ctx), in.ID, duty.Closing(in.Body))
	})
}

func (s *server) changed(ctx context.Context, language i18n.Language, do func(tx *database.Tx) (models.EmergencyCall, error)) (*httpkit.Answer[EmergencyCall], error) {
	var row models.EmergencyCall
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		row, err = do(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(httpkit.One(s.calls(ctx, language, []models.EmergencyCall{row})))
}
