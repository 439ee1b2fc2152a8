package api

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// ApprovalFields are what the body of a call that may take two people says to the second one.
type ApprovalFields struct {
	ApprovalReason string `json:"approval_reason,omitempty" maxLength:"500" doc:"Why, for the second person and the log, if two people are needed. No names, numbers or illnesses"`
}

// step is a call that one person carries out, or that a second person is asked about. Which of them is assessed
// before anything is written.
type step struct {
	operation string // a name of package operations: what is asked for
	command   any    // of the operation's type
	reason    string
	// assess says why this command takes two people; it may change what is asked for. Without it the operation
	// itself says so, and is carried out as the table has it.
	assess func(tx *database.Tx) ([]models.Cause, error)
	// alone carries it out for one person, in the same transaction as assess.
	alone func(tx *database.Tx) (creation, error)
	// first, if given, is what of the call one person may do without waiting; it is part of the transaction
	// in which the request is made.
	first func(tx *database.Tx) error
	// key, route and body recognise a repeated request (I26).
	key, route string
	body       any
}

// outcome answers a step: with what it came to, or with the request for a second person's agreement.
type outcome[T any] struct {
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
	return r.Schema(reflect.TypeFor[T](), true, reflect.TypeFor[T]().Name())
}

func (e either[T]) shown() any {
	if e.request != nil {
		return *e.request
	}
	return e.done
}

// take carries a step out or asks a second person (I21), and shows what it came to.
func take[T any](ctx context.Context, s *server, language i18n.Language, st *step, show func(id uuid.UUID) (T, error)) (*outcome[T], error) {
	made, err := s.create(ctx, st.key, st.route, st.body, func(tx *database.Tx) (creation, error) { return s.carry(ctx, tx, st) })
	if err != nil {
		return nil, err
	}
	out := &outcome[T]{Status: made.Status, Location: made.Location}
	if made.Location != addressOf(models.RefApproval, made.ID) {
		out.Body.done, err = show(made.ID)
		return out, err
	}
	row, err := approval.Get(ctx, s.DB, made.ID)
	if err != nil {
		return nil, err
	}
	view, err := s.oneApproval(ctx, row, language)
	out.Body.request = &view
	return out, err
}

// ask is take for what always takes two people.
func (s *server) ask(ctx context.Context, language i18n.Language, st step) (*outcome[ApprovalView], error) {
	return take(ctx, s, language, &st, func(uuid.UUID) (ApprovalView, error) { return ApprovalView{}, approval.ErrTwoRequired })
}

func (s *server) carry(ctx context.Context, tx *database.Tx, st *step) (creation, error) {
	bearer := bearerOf(ctx)
	causes, err := s.assess(tx, st)
	if err == nil && (len(causes) > 0 || st.assess == nil) {
		err = s.steppedUp(ctx, bearer)
	}
	switch {
	case err != nil:
		return creation{}, err
	case len(causes) == 0 && st.alone != nil:
		return st.alone(tx)
	case len(causes) == 0:
		result, err := s.Approvals.Alone(tx, st.operation, st.command)
		return done(result), err
	case st.first != nil:
		if err := st.first(tx); err != nil {
			return creation{}, err
		}
	}
	row, err := s.Approvals.Request(tx, approval.Order{Operation: st.operation, Command: st.command, Reason: st.reason, Causes: causes})
	return accepted(models.Ref{Kind: models.RefApproval, ID: row.ID}), err
}

func (s *server) assess(tx *database.Tx, st *step) ([]models.Cause, error) {
	if st.assess != nil {
		return st.assess(tx)
	}
	return s.Approvals.Assess(models.CallerOf(tx.Context()), st.operation), nil
}

// steppedUp refuses a session whose user has not proved lately who they are (I22). A token never
// can; what becomes of its calls is decided elsewhere.
func (s *server) steppedUp(ctx context.Context, bearer identity.Bearer) error {
	if bearer.SessionID == uuid.Nil {
		return nil
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return err
	}
	if !identity.Fresh(bearer, now) {
		return problem(codeStepUpRequired)
	}
	return nil
}

// confirm is a second person's agreement to the open request about a row; absent is the problem if
// there is none.
func (s *server) confirm(ctx context.Context, operation, kind string, id uuid.UUID, absent string) error {
	row, err := approval.Pending(ctx, s.DB, operation, kind, id)
	if isNotFound(err) {
		return problem(absent)
	}
	if err != nil {
		return err
	}
	decided, err := s.Approvals.Decide(ctx, s.DB, bearerOf(ctx), row.ID, models.DecisionApproved, "")
	if err != nil {
		return err
	}
	return overtaken(decided, models.ApprovalApproved)
}
