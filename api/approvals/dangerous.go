package approvals

import (
	"context"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/succession"
	"lethe/models"
)

// ApprovalFields are what the body of a call that may take two people says to the second one.
type ApprovalFields struct {
	ApprovalReason string `json:"approval_reason,omitempty" maxLength:"500" doc:"Why, for the second person and the log, if two people are needed. No names, numbers or illnesses"`
}

// Step is a call that one person carries out, or that a second person is asked about. Which of them is assessed
// before anything is written.
type Step struct {
	Operation string // a name of package operations: what is asked for
	Command   any    // of the operation's type
	Reason    string
	// assess says why this command takes two people; it may change what is asked for. Without it the operation
	// itself says so, and is carried out as the table has it.
	Assess func(tx *database.Tx) ([]models.Cause, error)
	// alone carries it out for one person, in the same transaction as assess.
	Alone func(tx *database.Tx) (httpkit.Creation, error)
	// first, if given, is what of the call one person may do without waiting; it is part of the transaction
	// in which the request is made.
	First func(tx *database.Tx) error
	// Fresh: what one person makes is new, so that nobody can have asked for anything about it.
	Fresh bool
	// key, route and body recognise a repeated request (I26).
	Key, Route string
	Body       any
}

// Outcome answers a step: with what it came to, or with the request for a second person's agreement.
type Outcome[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     either[T]
}

// either is a T or a request.
type either[T any] struct {
	done    T
	request *ApprovalView
}

// Schema documents the T. What is answered when a request was made, [route.orRequest] says.
func (either[T]) Schema(r huma.Registry) *huma.Schema {
	t := reflect.TypeFor[T]()
	if t.Name() == "" { // nothing: the step answers 204
		return &huma.Schema{Type: huma.TypeObject}
	}
	return r.Schema(t, true, t.Name())
}

// Shown is what the answer's body has.
func (e either[T]) Shown() any {
	if e.request != nil {
		return *e.request
	}
	return e.done
}

// Take carries a step out or asks a second person (I21), and shows what it came to.
func Take[T any](ctx context.Context, s *Desk, language i18n.Language, st *Step, show func(id uuid.UUID) (T, error)) (*Outcome[T], error) {
	made, err := s.Create(ctx, st.Key, st.Route, st.Body, func(tx *database.Tx) (httpkit.Creation, error) { return s.carry(ctx, tx, st) })
	if err != nil {
		return nil, err
	}
	out := &Outcome[T]{Status: made.Status, Location: made.Location}
	if made.Location != httpkit.AddressOf(models.RefApproval, made.ID) {
		if !st.Fresh {
			s.endChanged(ctx, made.ID)
		}
		out.Body.done, err = show(made.ID)
		return out, err
	}
	row, err := approval.Get(ctx, s.DB, made.ID)
	if err != nil {
		return nil, err
	}
	if err := s.overtake(ctx, st, row); err != nil {
		return nil, err
	}
	view, err := s.oneApproval(ctx, row, language)
	out.Body.request = &view
	return out, err
}

// overtake ends the requests that are overtaken by what one person might do at once, beside asking for the rest.
func (s *Desk) overtake(ctx context.Context, st *Step, row models.Approval) error {
	if st.First == nil {
		return nil
	}
	targets, err := approval.Targets(row)
	for _, t := range targets {
		s.endChanged(ctx, t.ID)
	}
	return err
}

// Ask is take for what always takes two people.
func (s *Desk) Ask(ctx context.Context, language i18n.Language, st Step) (*Outcome[ApprovalView], error) {
	return Take(ctx, s, language, &st, func(uuid.UUID) (ApprovalView, error) { return ApprovalView{}, approval.ErrTwoRequired })
}

func (s *Desk) carry(ctx context.Context, tx *database.Tx, st *Step) (httpkit.Creation, error) {
	bearer := httpkit.BearerOf(ctx)
	causes, err := s.assess(tx, st)
	if err == nil && (len(causes) > 0 || st.Assess == nil) {
		err = httpkit.SteppedUp(bearer, tx.Now)
	}
	switch {
	case err != nil:
		return httpkit.Creation{}, err
	case len(causes) == 0 && st.Alone != nil:
		return st.Alone(tx)
	case len(causes) == 0:
		result, err := s.Approvals.Alone(tx, st.Operation, st.Command)
		return httpkit.Done(result), err
	case st.First != nil:
		if err := st.First(tx); err != nil {
			return httpkit.Creation{}, err
		}
	}
	row, err := s.Approvals.Request(tx, approval.Order{Operation: st.Operation, Command: st.Command, Reason: st.Reason, Causes: causes})
	return httpkit.Accepted(models.Ref{Kind: models.RefApproval, ID: row.ID}), err
}

func (s *Desk) assess(tx *database.Tx, st *Step) ([]models.Cause, error) {
	if st.Assess != nil {
		return st.Assess(tx)
	}
	return s.Approvals.Assess(models.CallerOf(tx.Context()), st.Operation), nil
}

// Confirm is a second person's agreement to the open request about a row; absent is the problem if
// there is none.
func (s *Desk) Confirm(ctx context.Context, operation, kind string, id uuid.UUID, absent string) error {
	row, err := approval.Pending(ctx, s.DB, operation, kind, id)
	if isNotFound(err) {
		return httpkit.NewProblem(absent)
	}
	if err != nil {
		return err
	}
	decided, err := s.Approvals.Decide(ctx, s.DB, httpkit.BearerOf(ctx), row.ID, models.ApprovalApproved, "")
	if err != nil {
		return err
	}
	return overtaken(decided, models.ApprovalApproved)
}

// endChanged ends the requests that a change of what they are about has overtaken.
func (s *Desk) endChanged(ctx context.Context, about uuid.UUID) {
	if err := s.Approvals.EndChanged(ctx, s.DB, about); err != nil {
		s.Log.WarnContext(ctx, "requests about what was changed are left open for now", "request_id", httpkit.RequestIDOf(ctx), "error", err.Error())
	}
}

// passOnWithin is how long an answer waits for what passes on: much of it goes on by the sweep.
const passOnWithin = 2 * time.Second

// PassOn has what people who are gone look after pass on at once. What fails here, or takes longer, is left to the next sweep.
func (s *Desk) PassOn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, passOnWithin)
	defer cancel()
	if _, err := succession.Sweep(ctx, s.DB); err != nil {
		s.Log.WarnContext(ctx, "what somebody who is gone looks after stays with them for now", "request_id", httpkit.RequestIDOf(ctx), "error", err.Error())
	}
}

// EndOvertaken ends the looks and the requests that a command has just overtaken. What fails here is left to the next sweep.
func (s *Desk) EndOvertaken(ctx context.Context) {
	if _, err := disclosure.EndOvertaken(ctx, s.DB); err != nil {
		s.Log.WarnContext(ctx, "looks that were overtaken are left open for now", "request_id", httpkit.RequestIDOf(ctx), "error", err.Error())
	}
	if _, err := s.Approvals.EndOvertaken(ctx, s.DB); err != nil {
		s.Log.WarnContext(ctx, "requests that were overtaken are left open for now", "request_id", httpkit.RequestIDOf(ctx), "error", err.Error())
	}
}
