package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// Asking is what the body of a dangerous call may say to the second person.
type Asking struct {
	ApprovalReason string `json:"approval_reason,omitempty" maxLength:"500" doc:"Why, for the second person and the log, if two people are needed. No names, numbers or illnesses"`
}

// dangerousCall is one call of a dangerous step.
type dangerousCall struct {
	operation string // a name of package operations
	command   any    // of the operation's type
	reason    string
	// key, route and body recognise a repeated request (I26).
	key, route string
	body       any
	language   i18n.Language
	// first, if given, is what of the call one person may do without waiting; it is part of the transaction
	// in which the request is made.
	first func(tx *database.Tx) error
}

// waitingError is the answer to a call that waits for a second person: 202 with the request. It
// travels as an error so that a call may also answer with what it did.
type waitingError struct {
	view     ApprovalView
	location string
}

// Error says what it is; nobody sees it.
func (r *waitingError) Error() string { return "waits for a second person: " + r.location }

// GetStatus is huma's way to the status.
func (r *waitingError) GetStatus() int { return http.StatusAccepted }

// ContentType is that of any other answer, not a problem's.
func (r *waitingError) ContentType(string) string { return "application/json" }

// dangerous carries a dangerous step out. A session needs a fresh re-authentication (I22). Where
// two people are needed, and for every token, the call becomes a request, and the error is
// *waitingError (I21).
func (s *server) dangerous(ctx context.Context, call dangerousCall) (creation, error) {
	bearer := bearerOf(ctx)
	if err := s.steppedUp(ctx, bearer); err != nil {
		return creation{}, err
	}
	made, err := s.create(ctx, call.key, call.route, call.body, func(tx *database.Tx) (creation, error) {
		if bearer.SessionID == uuid.Nil || s.Approvals.NeedsTwo(call.operation) {
			if call.first != nil {
				if err := call.first(tx); err != nil {
					return creation{}, err
				}
			}
			row, err := s.Approvals.Request(tx, approval.Order{Operation: call.operation, Command: call.command, Reason: call.reason})
			return accepted(row.ID, approvalAddress(row.ID)), err
		}
		location, err := s.Approvals.Alone(tx, call.operation, call.command)
		if err != nil {
			return creation{}, err
		}
		id, err := uuid.Parse(location[strings.LastIndexByte(location, '/')+1:])
		return creation{ID: id, Status: http.StatusOK, Location: location}, err
	})
	if err != nil {
		return made, err
	}
	return made, s.requested(ctx, made, call.language)
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

// requested is *waitingError if what was made is a request for approval, else nil.
func (s *server) requested(ctx context.Context, made creation, language i18n.Language) error {
	if made.Location != approvalAddress(made.ID) {
		return nil
	}
	row, err := approval.Get(ctx, s.DB, made.ID)
	if err != nil {
		return err
	}
	view, err := s.oneApproval(ctx, row, language)
	if err != nil {
		return err
	}
	return &waitingError{view: view, location: made.Location}
}

// ask is dangerous for steps that always need two people.
func (s *server) ask(ctx context.Context, call dangerousCall) (*createdAnswer[ApprovalView], error) {
	made, err := s.dangerous(ctx, call)
	var waits *waitingError
	switch {
	case err == nil:
		return nil, approval.ErrTwoRequired // the table says that it always needs two
	case asRequested(err, &waits):
		return &createdAnswer[ApprovalView]{http.StatusAccepted, made.Location, waits.view}, nil
	}
	return nil, err
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
