package accounts

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/closed"
	"lethe/internal/connector"
	"lethe/internal/cut"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// AccessCut is an emergency cut of somebody's access, with what was read back of it.
type AccessCut struct {
	ID            uuid.UUID          `json:"id"`
	EmployeeID    uuid.UUID          `json:"employee_id"`
	Person        *render.PersonView `json:"person,omitempty"`
	State         models.CutState    `json:"state" doc:"unconfirmed and confirmed keep closed what was closed"`
	StateText     string             `json:"state_text"`
	Systems       []string           `json:"systems,omitempty" doc:"Left out: all"`
	HolderOfText  []string           `json:"holder_of_text,omitempty" doc:"The roles of the person for which all others who hold them were told at once"`
	OrderedAt     time.Time          `json:"ordered_at"`
	OrderedBy     *render.PersonView `json:"ordered_by,omitempty"`
	ConfirmDueAt  time.Time          `json:"confirm_due_at" doc:"Until when a second person has to confirm it; nothing opens by itself"`
	EscalatedAt   *time.Time         `json:"escalated_at,omitempty" doc:"When it was shown last that nobody confirms it"`
	ConfirmedAt   *time.Time         `json:"confirmed_at,omitempty"`
	ConfirmedBy   *render.PersonView `json:"confirmed_by,omitempty"`
	ToldAt        *time.Time         `json:"told_at,omitempty" doc:"When it was entered that the person was told; left out: heads and employees see nothing of it"`
	ToldBy        *render.PersonView `json:"told_by,omitempty"`
	LiftedAt      *time.Time         `json:"lifted_at,omitempty"`
	LiftedBy      *render.PersonView `json:"lifted_by,omitempty"`
	LiftedWith    *render.PersonView `json:"lifted_with,omitempty" doc:"Who agreed"`
	EndedAt       *time.Time         `json:"ended_at,omitempty" doc:"When the employment, or what was kept of it, ended: that keeps closed what it had closed"`
	LiftRequestID *uuid.UUID         `json:"lift_request_id,omitempty" doc:"The request to lift it that waits for a second person"`
	OwnAccessOff  bool               `json:"own_access_off" doc:"Nobody can log in to Lethe as the person"`
	Off           int                `json:"off" doc:"In how many systems it was read back that the access is away"`
	StillOn       int                `json:"still_on" doc:"In how many it was not, yet"`
	Accounts      []CutAccount       `json:"accounts" nullable:"false"`
	ByHand        []ByHand           `json:"by_hand" nullable:"false" doc:"What no system reaches: whom to call, where the cut is read by itself"`
	Reason        string             `json:"reason,omitempty" doc:"Of one that is read by itself, not followed: for HR, reviewers, auditors and who ordered it. That somebody else reads it is recorded"`
}

// CutAccount is one account of somebody whose access was cut.
type CutAccount struct {
	AccountID     uuid.UUID           `json:"account_id"`
	System        string              `json:"system"`
	SystemText    string              `json:"system_text"`
	Off           bool                `json:"off" doc:"It was read back from the system that it is off, or not there"`
	ResultText    string              `json:"result_text"`
	State         models.AccountState `json:"state"`
	StateText     string              `json:"state_text"`
	ReadAt        *time.Time          `json:"read_at,omitempty" doc:"When that was read back"`
	Seconds       *int                `json:"seconds,omitempty" doc:"How long after the order; left out: it was off before"`
	Tries         int                 `json:"tries" doc:"Failed tries of this round"`
	StuckText     string              `json:"stuck_reason_text,omitempty"`
	SupportCaseID *uuid.UUID          `json:"support_case_id,omitempty"`
}

// ByHand is something that no system reaches.
type ByHand struct {
	Name string `json:"name" example:"工牌"`
	Call string `json:"call" doc:"Whom to call"`
}

var cutReaders = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

func (s *server) registerCuts() {
	r := s.Resource("Emergency cuts", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /access-cuts", Summary: "Take somebody's access away at once, without a departure or before one", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Session: true, NoSealedCodes: true, Status: http.StatusCreated,
		More: "Wants a session with a step-up, never a token, and takes one person: anybody may cut anybody but themselves. The person's own access to Lethe ends first, then every connected system is asked. " +
			"Of heads, HR administrators, IT operations and reviewers one within 24 hours, and all others who hold the role are told at once. A second person confirms it within four hours.",
	}, s.makeCut)
	httpkit.Handle(r, httpkit.Route{At: "GET /access-cuts", Summary: "List emergency cuts, newest first", To: httpkit.Staff}, s.listCuts)
	httpkit.Handle(r, httpkit.Route{At: "GET /access-cuts/{id}", Summary: "Read an emergency cut, with what was read back from each system", To: httpkit.Staff}, s.getCut)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /access-cuts/{id}/events", Summary: "Follow an emergency cut as the systems answer", To: httpkit.Staff, Problems: []int{http.StatusTooManyRequests},
		More:  "Server-sent events. `event` is snapshot or changed (or problem), `data` is the cut as GET gives it. Following does not keep a session alive.",
		Shape: httpkit.Streaming[AccessCut](s.API),
	}, s.followCut)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /access-cuts/{id}/telling", Summary: "Enter that the person was told: from now on it is shown to whoever sees the person", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Session: true, NoSealedCodes: true,
	}, s.tellCut)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /access-cuts/{id}/confirmation", Summary: "Confirm an emergency cut as the second person", To: cut.Confirmers,
		Session: true, NoSealedCodes: true,
	}, s.confirmCut)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /access-cuts/{id}/lifting", Summary: "Ask for what an emergency cut closed to be opened again; a second person decides", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Status: http.StatusAccepted,
	}, s.liftCut)
}

type newCutInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body struct {
		EmployeeID uuid.UUID `json:"employee_id"`
		Systems    []string  `json:"systems,omitempty" minItems:"1" maxItems:"50" doc:"Left out: all"`
		Reason     string    `json:"reason" minLength:"1" maxLength:"500" doc:"Why. Sealed, kept as long as the log"`
		Told       bool      `json:"told,omitempty" doc:"The person was told already"`
	}
}

func (s *server) makeCut(ctx context.Context, in *newCutInput) (*httpkit.CreatedAnswer[AccessCut], error) {
	b := in.Body
	if err := s.knownSystems(b.Systems); err != nil {
		return nil, err
	}
	err := s.Visible(ctx, httpkit.ActorOf(ctx), b.EmployeeID)
	var row models.AccessCut
	var made httpkit.Creation
	var ended []models.Approval
	if err == nil {
		made, err = s.Create(ctx, in.Key, "POST /access-cuts", b, func(tx *database.Tx) (_ httpkit.Creation, err error) {
			ended, err = s.Approvals.EndWith(tx, b.EmployeeID, func() (err error) {
				row, err = cut.Make(tx, httpkit.BearerOf(ctx), s.Systems, cut.Order(b))
				return err
			})
			return httpkit.Created(models.Ref{Kind: models.RefCut, ID: row.ID}), err
		})
	}
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	if row.ID == made.ID {
		cut.Count(row)
		s.Approvals.Shred(ctx, ended)
		s.PassOn(ctx)
	}
	view, err := s.cutRead(ctx, in.Language(), made.ID)
	return httpkit.CreatedOf(made, view, err)
}

// cuts shows some; what they show is read for all of them at once.
func (s *server) cuts(ctx context.Context, language i18n.Language, rows []models.AccessCut) ([]AccessCut, error) {
	var who, persons, ids []uuid.UUID
	for _, c := range rows {
		who = append(who, render.GivenOf(&c.EmployeeID, &c.OrderedBy, c.ConfirmedBy, c.ToldBy, c.LiftedBy, c.LiftedWith)...)
		persons, ids = append(persons, c.EmployeeID), append(ids, c.ID)
	}
	people, err := s.PeopleInLog(ctx, language, who)
	if err != nil {
		return nil, err
	}
	closings, err := account.Closings(ctx, s.DB, persons)
	if err != nil {
		return nil, err
	}
	active, err := identity.Usable(ctx, s.DB, persons)
	if err != nil {
		return nil, err
	}
	requests, err := approval.PendingAbout(ctx, s.DB, models.RefCut, ids)
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(c models.AccessCut) AccessCut {
		v := AccessCut{
			ID: c.ID, EmployeeID: c.EmployeeID, Person: people.Of(&c.EmployeeID), State: c.State, StateText: closed.Text(language, c.State), Systems: c.Systems,
			OrderedAt: c.OrderedAt.UTC(), OrderedBy: people.Of(&c.OrderedBy), ConfirmDueAt: c.ConfirmDueAt.UTC(), EscalatedAt: render.UTC(c.EscalatedAt),
			ConfirmedAt: render.UTC(c.ConfirmedAt), ConfirmedBy: people.Of(c.ConfirmedBy), ToldAt: render.UTC(c.ToldAt), ToldBy: people.Of(c.ToldBy),
			LiftedAt: render.UTC(c.LiftedAt), LiftedBy: people.Of(c.LiftedBy), LiftedWith: people.Of(c.LiftedWith), EndedAt: render.UTC(c.EndedAt), OwnAccessOff: !active[c.EmployeeID],
			Accounts: []CutAccount{}, ByHand: []ByHand{},
		}
		for _, role := range c.HolderOf {
			v.HolderOfText = append(v.HolderOfText, closed.Text(language, models.Role(role)))
		}
		for _, request := range requests[c.ID] {
			v.LiftRequestID = &request.ID
		}
		for _, a := range closings[c.EmployeeID] {
			if c.Systems != nil && !slices.Contains(c.Systems, a.System) {
				continue
			}
			v.Accounts = append(v.Accounts, cutAccount(language, c, a))
		}
		v.Off, v.StillOn = inSystems(v.Accounts)
		return v
	}), nil
}

// inSystems counts systems: one is off if all that is in it is.
func inSystems(all []CutAccount) (off, on int) {
	open := map[string]bool{}
	for _, a := range all {
		open[a.System] = open[a.System] || !a.Off
	}
	for _, still := range open {
		if still {
			on++
		} else {
			off++
		}
	}
	return off, on
}

func cutAccount(language i18n.Language, c models.AccessCut, a account.Closing) CutAccount {
	v := CutAccount{
		AccountID: a.AccountID, System: a.System, SystemText: SystemText(language, a.System, a.Kind), Off: a.Off(), ResultText: i18n.Text(language, cutResult(c, a)),
		State: a.State, StateText: closed.Text(language, a.State), ReadAt: render.UTC(a.ConfirmedAt), Tries: a.Tries, SupportCaseID: a.SupportCaseID,
	}
	if v.Off && v.ReadAt != nil && !v.ReadAt.Before(c.OrderedAt) {
		seconds := int(math.Ceil(v.ReadAt.Sub(c.OrderedAt).Seconds()))
		v.Seconds = &seconds
	}
	if a.StepState == models.StepStuck {
		v.StuckText = i18n.Text(language, "case_reason."+account.ReasonOf(a.StuckReason))
	}
	return v
}

// cutResult is the key of what people are told of an account; a system that says so and does otherwise has not closed it.
// Of a look-up that has ended, what it came to.
func cutResult(c models.AccessCut, a account.Closing) string {
	switch {
	case a.Asked() && a.State.Settled() && a.Finding != "" && a.Finding != models.FindingNothing:
		return "account_finding." + string(a.Finding)
	case a.Off() && a.Asked():
		return "cut_result.nobody"
	case a.Off():
		return "cut_result.off"
	case a.Asked():
		return "cut_result.asked"
	case a.State == models.AccountDetached:
		return "cut_result.detached"
	case c.State == models.CutLifted && a.State == models.AccountRelinking:
		return "cut_result.giving_back"
	case c.State == models.CutLifted:
		return "cut_result.given_back"
	}
	return "cut_result.on"
}

func (s *server) cutView(ctx context.Context, language i18n.Language, id uuid.UUID) (AccessCut, error) {
	by := httpkit.ActorOf(ctx)
	row, err := cut.Get(ctx, s.DB, id)
	if err == nil && row.EmployeeID == by.EmployeeID {
		err = cut.ErrNotFound
	}
	if err == nil {
		if err = s.Visible(ctx, by, row.EmployeeID); errors.Is(err, database.ErrNotFound) {
			err = cut.ErrNotFound
		}
	}
	if err != nil {
		return AccessCut{}, err
	}
	v, err := httpkit.One(s.cuts(ctx, language, []models.AccessCut{row}))
	if err != nil {
		return v, err
	}
	v.ByHand = ByHandViews(language, s.Systems)
	return v, nil
}

// ByHandViews are what no connector reaches, with whom to call.
func ByHandViews(language i18n.Language, systems *connector.Registry) []ByHand {
	return httpkit.Each(systems.ByHand(), func(h connector.ByHand) ByHand {
		return ByHand{language.Of(h.NameZh, h.NameEn), language.Of(h.CallZh, h.CallEn)}
	})
}

// cutRead is a cut with why it was ordered: that somebody else than who wrote it reads that is recorded first (I18).
func (s *server) cutRead(ctx context.Context, language i18n.Language, id uuid.UUID) (AccessCut, error) {
	v, err := s.cutView(ctx, language, id)
	if err != nil {
		return v, err
	}
	row, err := cut.Get(ctx, s.DB, id)
	if err != nil {
		return v, err
	}
	by := httpkit.ActorOf(ctx)
	if by.EmployeeID != row.OrderedBy {
		if !slices.Contains(cutReaders, by.Role) {
			return v, nil
		}
		if err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return cut.RecordRead(tx, row, by) }); err != nil {
			return v, err
		}
	}
	v.Reason, err = cut.Reason(ctx, s.DB, row)
	return v, err
}

type listCutsInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID       `query:"employee_id" doc:"Only those of this person"`
	State      models.CutState `query:"state" doc:"Only those in this state"`
	Standing   httpkit.YesNo   `query:"standing" enum:"true,false" doc:"true: only those that keep something closed"`
	ToConfirm  httpkit.YesNo   `query:"to_confirm" enum:"true,false" doc:"true: only those that wait for the caller to confirm them; of a role that confirms none, none"`
}

func (s *server) listCuts(ctx context.Context, in *listCutsInput) (*httpkit.Answer[httpkit.Page[AccessCut]], error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	by := httpkit.ActorOf(ctx)
	if in.ToConfirm == "true" && !slices.Contains(cut.Confirmers, by.Role) {
		return httpkit.AnswerOf(httpkit.PageOf([]AccessCut{}, nil), nil)
	}
	rows, err := cut.List(ctx, s.DB, cut.Filter{
		EmployeeID: httpkit.Given(in.EmployeeID), State: in.State, Standing: in.Standing == "true", ToConfirm: in.ToConfirm == "true", NotOf: by.EmployeeID,
		Before: before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(c models.AccessCut) uuid.UUID { return c.ID })
	views, err := s.cuts(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

func (s *server) getCut(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[AccessCut], error) {
	return httpkit.AnswerOf(s.cutRead(ctx, in.Language(), in.ID))
}

// streamsOfCuts tells whether anything changed that the view of a cut shows.
const streamsOfCuts httpkit.StreamKind = `
		SELECT c.id, concat_ws('|', c.xmin::text,
			(SELECT string_agg(u.xmin::text, ',' ORDER BY u.id) FROM users u WHERE u.employee_id = c.employee_id),
			(SELECT string_agg(a.xmin::text, ',' ORDER BY a.id) FROM linked_accounts a JOIN employments m ON m.id = a.employment_id WHERE m.employee_id = c.employee_id),
			(SELECT string_agg(s.xmin::text, ',' ORDER BY s.id) FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
				JOIN account_steps s ON s.account_id = a.id AND s.operation_id = a.operation_id WHERE m.employee_id = c.employee_id)
		) AS fingerprint FROM access_cuts c WHERE c.id IN ?`

func (s *server) followCut(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	language := in.Language()
	if _, err := s.cutView(ctx, language, in.ID); err != nil {
		return nil, err
	}
	look := func(ctx context.Context, _ int64) (now httpkit.Moment, err error) {
		now.View, err = s.cutView(ctx, language, in.ID)
		return now, err
	}
	return s.Stream(ctx, httpkit.Followed{Kind: streamsOfCuts, ID: in.ID, Language: language, Look: look})
}

func (s *server) tellCut(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[AccessCut], error) {
	return s.changedCut(ctx, in, cut.Tell)
}

func (s *server) confirmCut(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[AccessCut], error) {
	return s.changedCut(ctx, in, cut.Confirm)
}

func (s *server) changedCut(ctx context.Context, in *httpkit.ByID, do func(*database.Tx, identity.Bearer, uuid.UUID) (models.AccessCut, error)) (*httpkit.Answer[AccessCut], error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		_, err := do(tx, httpkit.BearerOf(ctx), in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.getCut(ctx, in)
}

type liftCutInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		approvals.ApprovalFields
	}
}

func (s *server) liftCut(ctx context.Context, in *liftCutInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.LiftCut, Command: operations.CutLift{CutID: in.ID}, Reason: in.Body.ApprovalReason,
		Key: in.Key, Route: "POST /access-cuts/" + in.ID.String() + "/lifting", Body: in.Body,
	})
}
