package departures

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// RequestedDates is what a person asks for of a departure's dates; what is left out is derived.
type RequestedDates struct {
	LastWorkingDay    *clock.Date `json:"last_working_day,omitempty" doc:"Required unless immediate"`
	NoticeReceivedOn  *clock.Date `json:"notice_received_on,omitempty" doc:"Left out: today, or the last working day if that is earlier"`
	EmploymentEndDate *clock.Date `json:"employment_end_date,omitempty" doc:"Left out: the last working day"`
	AccessCutoffAt    *time.Time  `json:"access_cutoff_at,omitempty" doc:"When accounts are disabled. Left out: the legal entity's time of day on the last working day"`
	TimeZone          string      `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name. Left out: the employment's" example:"Asia/Shanghai"`
	Immediate         bool        `json:"immediate,omitempty" doc:"Today, with cutoff and end of employment now; the days are left out"`
	ConfirmPast       bool        `json:"confirm_past,omitempty" doc:"The last working day may be in the past. Without it the refusal says by how many days"`
	CountFromEnd      bool        `json:"count_from_end,omitempty" doc:"Of an employment that is over: deadlines count from its end, not from the day of entry. A second person decides; the departure runs meanwhile. An end more than 30 days back implies it"`
}

func (w RequestedDates) requested() departure.RequestedDates {
	return departure.RequestedDates{
		NoticeReceivedOn: w.NoticeReceivedOn, LastWorkingDay: w.LastWorkingDay, EmploymentEndDate: w.EmploymentEndDate,
		AccessCutoffAt: w.AccessCutoffAt, TimeZone: w.TimeZone, Immediate: w.Immediate, ConfirmPast: w.ConfirmPast, CountFromEnd: w.CountFromEnd,
	}
}

// NewDeparture is the body of a departure.
type NewDeparture struct {
	EmployeeID        uuid.UUID            `json:"employee_id"`
	Kind              models.DepartureKind `json:"kind" enum:"resignation,mutual_agreement,dismissal,contract_end,retirement,death,assignment_end" example:"resignation"`
	ConfidentialUntil *clock.Date          `json:"confidential_until,omitempty" doc:"Not supported yet"`
	LegalGround       string               `json:"legal_ground,omitempty" maxLength:"100"`
	Initiator         models.Initiator     `json:"initiator,omitempty" doc:"Left out: by the kind"`
	ReasonCode        string               `json:"reason_code,omitempty" maxLength:"100"`
	Note              string               `json:"note,omitempty" maxLength:"2000" doc:"Sealed, and destroyed with the departure's file"`
	approvals.ApprovalFields
	RequestedDates
}

func (n NewDeparture) notice() departure.Notice {
	return departure.Notice{
		EmployeeID: n.EmployeeID, Kind: n.Kind, LegalGround: n.LegalGround, Initiator: n.Initiator,
		ReasonCode: n.ReasonCode, Note: n.Note, ConfidentialUntil: n.ConfidentialUntil, RequestedDates: n.requested(),
	}
}

type newDepartureInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewDeparture
}

func (s *server) registerDepartures() {
	r := s.Resource("Departures", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{At: "POST /departures", Summary: "Begin a departure", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted, OrRequest: true}, s.createDeparture)
	httpkit.Handle(r, httpkit.Route{At: "GET /departures", Summary: "List departures, newest first", To: httpkit.Everyone}, s.listDepartures)
	httpkit.Handle(r, httpkit.Route{At: "GET /departures/{id}", Summary: "Read a departure", To: httpkit.Everyone}, s.getDeparture)
	httpkit.Handle(r, httpkit.Route{
		At: "PUT /departures/{id}/dates", Summary: "Change the dates of a pending departure, or what the deadlines of one that took effect count from", To: httpkit.Roles{httpkit.HR},
		OrRequest: true,
	}, s.putDates)
	httpkit.Handle(r, httpkit.Route{At: "POST /departures/{id}/withdrawal", Summary: "Take a departure back before the employment has ended", To: httpkit.Roles{httpkit.HR}, OrRequest: true}, s.withdraw)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /departures/{id}/annulment", Summary: "Ask to undo a departure that was a mistake; a second person decides", To: httpkit.Roles{httpkit.HR},
		Status: http.StatusAccepted,
	}, s.askAnnulment)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /departures/{id}/annulment/confirmation", Summary: "Confirm an annulment, as a second person", To: httpkit.Roles{httpkit.Reviewer},
		Session: true, NoSealedCodes: true,
	}, s.confirmAnnulment)
}

func (s *server) createDeparture(ctx context.Context, in *newDepartureInput) (*approvals.Outcome[DepartureView], error) {
	b := in.Body
	notice := b.notice()
	actor := httpkit.ActorOf(ctx)
	var beginning departure.Beginning
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.BeginImmediately, Command: notice, Reason: b.ApprovalReason,
		Key: in.Key, Route: "POST /departures", Body: b,
		Assess: func(tx *database.Tx) (_ []models.Cause, err error) {
			beginning, err = departure.Prepare(tx, actor, notice)
			return beginning.Causes, err
		},
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			dep, err := beginning.Begin(tx, s.Vault, actor)
			if err == nil && beginning.Remains(notice.RequestedDates) {
				err = s.askEarlier(ctx, tx, dep.ID, notice.RequestedDates, b.ApprovalReason)
			}
			return httpkit.Accepted(models.Ref{Kind: models.RefDeparture, ID: dep.ID}), err
		},
	}, s.departureShown(ctx, in.Language()))
	return out, b.locate(err)
}

// departureShown is how a step on a departure shows it.
func (s *server) departureShown(ctx context.Context, language i18n.Language) func(id uuid.UUID) (DepartureView, error) {
	return func(id uuid.UUID) (DepartureView, error) {
		return s.departureView(ctx, httpkit.ActorOf(ctx), language, id)
	}
}

// askEarlier asks a second person for what of a departure's dates one may not give alone, in the
// transaction in which the departure begins. A session proves again who it is, as for every request.
func (s *server) askEarlier(ctx context.Context, tx *database.Tx, id uuid.UUID, w departure.RequestedDates, reason string) error {
	if err := httpkit.SteppedUp(httpkit.BearerOf(ctx), tx.Now); err != nil {
		return err
	}
	_, err := s.Approvals.Request(tx, approval.Order{
		Operation: operations.EarlierDates, Command: operations.Reschedule{DepartureID: id, RequestedDates: w}, Reason: reason,
		Causes: []models.Cause{models.CauseEarlier},
	})
	return err
}

type listDeparturesInput struct {
	httpkit.Paging
	httpkit.Speaking
	Stage       []models.Stage       `query:"stage" maxItems:"6" doc:"Only those in one of these stages, with commas between them"`
	Accounts    models.AccountsState `query:"accounts_state" doc:"Only those whose accounts stand so"`
	Left        httpkit.YesNo        `query:"left" enum:"true,false" doc:"true: only of people who have left: what is still kept of them, how many days are left, and the certificates of what is not"`
	DueBefore   time.Time            `query:"due_before" doc:"Only those whose access or employment ends before it"`
	EmployeeID  uuid.UUID            `query:"employee_id" doc:"Only those of this person"`
	LastDayFrom string               `query:"last_working_day_from" format:"date" doc:"The earliest last working day; the day itself is included, as in the other three"`
	LastDayTo   string               `query:"last_working_day_to" format:"date" doc:"The latest last working day"`
	EndFrom     string               `query:"employment_end_date_from" format:"date" doc:"The earliest last day of the employment"`
	EndTo       string               `query:"employment_end_date_to" format:"date" doc:"The latest last day of the employment"`
	Sort        departure.Order      `query:"sort" doc:"Earliest first. Left out: the newest first"`
	Search      string               `query:"q" maxLength:"100" doc:"Part of a name or employee number"`
}

func (s *server) listDepartures(ctx context.Context, in *listDeparturesInput) (*httpkit.Answer[httpkit.Page[DepartureView]], error) {
	f := departure.Filter{Stages: in.Stage, Accounts: in.Accounts, Search: in.Search, Limit: in.Limit, EmployeeID: in.EmployeeID, Order: in.Sort, Left: in.Left == "true"}
	for _, d := range []struct {
		name, text string
		day        **clock.Date
	}{
		{"last_working_day_from", in.LastDayFrom, &f.LastDayFrom}, {"last_working_day_to", in.LastDayTo, &f.LastDayTo},
		{"employment_end_date_from", in.EndFrom, &f.EndFrom}, {"employment_end_date_to", in.EndTo, &f.EndTo},
	} {
		if d.text == "" {
			continue
		}
		day, err := clock.ParseDate(d.text)
		if err != nil {
			return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "query." + d.name, Code: httpkit.FieldNotAllowed})
		}
		*d.day = &day
	}
	for name, d := range map[string][2]*clock.Date{"last_working_day_to": {f.LastDayFrom, f.LastDayTo}, "employment_end_date_to": {f.EndFrom, f.EndTo}} {
		if d[0] != nil && d[1] != nil && d[1].Before(*d[0]) {
			return nil, httpkit.NewProblem(httpkit.CodeRangeReversed, httpkit.FieldError{Location: "query." + name, Code: httpkit.CodeRangeReversed})
		}
	}
	if !in.DueBefore.IsZero() {
		f.DueBefore = &in.DueBefore
	}
	var err error
	if f.After, f.AfterAt, err = in.Sorted(); err != nil {
		return nil, err
	}
	actor := httpkit.ActorOf(ctx)
	if actor.Role == models.RoleEmployee || actor.Role == models.RoleDepartmentHead {
		f.VisibleTo = &actor
	}
	rows, err := departure.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(d models.Departure) uuid.UUID { return d.ID })
	if next != nil && f.Order != "" {
		last := rows[len(rows)-1]
		next = in.SortedCursor(last.ID, f.Order.At(last))
	}
	views, err := s.departureViews(ctx, actor, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

func (s *server) getDeparture(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DepartureView], error) {
	return httpkit.AnswerOf(s.departureView(ctx, httpkit.ActorOf(ctx), in.Language(), in.ID))
}

type datesInput struct {
	httpkit.ByID
	Body struct {
		approvals.ApprovalFields
		RequestedDates
	}
}

func (s *server) putDates(ctx context.Context, in *datesInput) (*approvals.Outcome[DepartureView], error) {
	b, actor := in.Body, httpkit.ActorOf(ctx)
	var dating departure.Dating
	st := approvals.Step{
		Operation: operations.BringForward, Command: operations.Reschedule{DepartureID: in.ID, RequestedDates: b.requested()}, Reason: b.ApprovalReason,
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			return httpkit.Done(models.Ref{Kind: models.RefDeparture, ID: in.ID}), dating.Set(tx, actor)
		},
		// The cut waits for nobody.
		First: func(tx *database.Tx) error { return departure.CutNow(tx, actor, in.ID, b.requested()) },
	}
	st.Assess = func(tx *database.Tx) (_ []models.Cause, err error) {
		if dating, err = departure.PrepareDates(tx, actor, in.ID, b.requested()); dating.Earlier {
			st.Operation, st.First = operations.EarlierDates, nil
		}
		return dating.Causes, err
	}
	out, err := approvals.Take(ctx, s.Desk, in.Language(), &st, s.departureShown(ctx, in.Language()))
	return out, b.locate(err)
}

type withdrawalInput struct {
	httpkit.ByID
	Body struct {
		Reason         string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why it is taken back. Sealed with the departure file; where a second person decides, shown in the request"`
		CompanyConsent bool   `json:"company_consent,omitempty" doc:"The company agrees: needed once the notice was received"`
		approvals.ApprovalFields
	}
}

func (s *server) withdraw(ctx context.Context, in *withdrawalInput) (*approvals.Outcome[DepartureView], error) {
	b, actor := in.Body, httpkit.ActorOf(ctx)
	return approvals.Take(ctx, s.Desk, in.Language(), &approvals.Step{
		Operation: operations.WithdrawUnlinked, Reason: b.ApprovalReason,
		Command: operations.Withdrawal{DepartureID: in.ID, Reason: b.Reason, CompanyConsent: b.CompanyConsent},
		Assess: func(tx *database.Tx) ([]models.Cause, error) {
			return departure.AssessWithdrawal(tx, actor, in.ID, b.CompanyConsent)
		},
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			return httpkit.Done(models.Ref{Kind: models.RefDeparture, ID: in.ID}), departure.Withdraw(tx, s.Vault, actor, in.ID, b.Reason, b.CompanyConsent)
		},
	}, s.departureShown(ctx, in.Language()))
}

type annulmentInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why it was a mistake. Sealed with the departure file; shown to the second person in the request"`
		approvals.ApprovalFields
	}
}

func (s *server) askAnnulment(ctx context.Context, in *annulmentInput) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.Annul, Command: operations.Annulment{DepartureID: in.ID, Reason: in.Body.Reason},
		Reason: in.Body.ApprovalReason, Key: in.Key, Route: "POST /departures/" + in.ID.String() + "/annulment", Body: in.Body,
	})
}

// confirmAnnulment is the decision about the open request, at the address that it always had.
func (s *server) confirmAnnulment(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DepartureView], error) {
	if err := s.Confirm(ctx, operations.Annul, "departure", in.ID, codeNoAnnulment); err != nil {
		return nil, err
	}
	return s.getDeparture(ctx, in)
}
