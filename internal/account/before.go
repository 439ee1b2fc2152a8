package account

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// before is how an operation of an emergency cut found an account. Without a state it was not there: the operation asked
// for it first, or found it.
type before struct {
	State       models.AccountState `json:"state,omitempty"`
	ConfirmedAt *time.Time          `json:"confirmed_at,omitempty"`
	OperationID *uuid.UUID          `json:"operation_id,omitempty"`
	Registered  bool                `json:"registered,omitempty"`
	LookUp      bool                `json:"look_up,omitempty"`
	Finding     models.Finding      `json:"finding,omitempty"`
}

// foundAs writes down how an operation of a cut finds an account that it takes over.
func foundAs(a models.LinkedAccount) (*string, error) {
	b := before{a.State, a.ConfirmedAt, a.OperationID, a.Registered, a.LookUp(), a.Finding}
	if a.CreatedAt.IsZero() { // not read: the operation has just made it
		b = before{}
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, errors.New("writing how an account was found failed")
	}
	written := string(text)
	return &written, nil
}

// was reads it. Steps from before it was written down had taken what people had linked.
func was(written *string, registered bool) (b before, err error) {
	if written == nil && registered {
		return before{State: models.AccountLinked, Registered: true}, nil
	}
	if written != nil && json.Unmarshal([]byte(*written), &b) != nil {
		return b, errors.New("how an account was found cannot be read")
	}
	return b, nil
}

// plainlyLinked says whether the account was linked, and no more, before the cut whose operation has it.
func plainlyLinked(tx *database.Tx, a models.LinkedAccount) (bool, error) {
	step, err := database.First[models.AccountStep](tx.DB().Where("account_id = ? AND operation_id = ?", a.ID, a.OperationID))
	if err != nil {
		return false, database.Wrap("reading how an account was found", err)
	}
	b, err := was(step.Before, a.Registered)
	return (b.State == "" || b.State == models.AccountLinked) && b.OperationID == nil, err
}

// cutStep is an account's part in an operation of an emergency cut.
type cutStep struct {
	AccountID   uuid.UUID
	OperationID uuid.UUID
	Before      *string
	OrderedAt   time.Time
	// Secret: the person was not told of the cut. Closes: it keeps the account closed.
	Secret, Closes bool
	// EndedBy is the order of a departure that has ended the access since, at EndedAt.
	EndedBy *uuid.UUID
	EndedAt *time.Time
}

type cutSteps map[[2]uuid.UUID]cutStep // by account and operation

func (c cutSteps) of(account uuid.UUID, operation *uuid.UUID) (cutStep, bool) {
	if operation == nil {
		return cutStep{}, false
	}
	s, ok := c[[2]uuid.UUID{account, *operation}]
	return s, ok
}

// stepsOfCuts are the parts of some accounts in emergency cuts.
func stepsOfCuts(db *gorm.DB, accounts models.IDs) (cutSteps, error) {
	var steps []cutStep
	err := db.Raw(`SELECT s.account_id, s.operation_id, s.before, o.created_at AS ordered_at, c.told_at IS NULL AS secret, c.state IN ('unconfirmed', 'confirmed') AND s.action = 'unlink' AS closes,
			w.id AS ended_by, w.created_at AS ended_at
		FROM account_steps s JOIN account_operations o ON o.id = s.operation_id JOIN access_cuts c ON c.id = o.cut_id
		LEFT JOIN LATERAL (SELECT l.id, l.created_at FROM account_operations l JOIN departures d ON d.id = l.departure_id
			WHERE l.employment_id = o.employment_id AND l.kind = 'unlink' AND l.created_at > o.created_at AND d.stage NOT IN ('withdrawn', 'annulled')
			ORDER BY l.id LIMIT 1) w ON true
		WHERE s.account_id = ANY (?)`, accounts).Scan(&steps).Error
	found := cutSteps{}
	for _, s := range steps {
		found[[2]uuid.UUID{s.AccountID, s.OperationID}] = s
	}
	return found, database.Wrap("looking what nobody was told of", err)
}

// asBefore is an account as those see it who know of no emergency cut before the person was told: as the first of its
// cuts that they do not know of found it; off, once a departure has ended the access since; given back, if that one was
// taken back. Nil: as it is.
func (v View) asBefore(a models.LinkedAccount, steps cutSteps, ops map[uuid.UUID]ordered) (*View, error) {
	v.KeptOff = false
	step, ok := steps.of(a.ID, a.OperationID)
	if !ok || !step.Secret {
		return nil, nil //nolint:nilnil // as it is
	}
	if step.EndedBy != nil {
		v.OperationID, v.Operation = step.EndedBy, models.OperationUnlink
		if v.ConfirmedAt != nil && v.ConfirmedAt.Before(*step.EndedAt) {
			v.ConfirmedAt = step.EndedAt
		}
		return &v, nil
	}
	var b before
	for ok && step.Secret {
		var err error
		if b, err = was(step.Before, a.Registered); err != nil {
			return nil, err
		}
		step, ok = steps.of(a.ID, b.OperationID)
	}
	v.State, v.ConfirmedAt, v.OperationID, v.Operation = b.State, b.ConfirmedAt, b.OperationID, ""
	v.Registered, v.LookUp, v.Finding = b.Registered, b.LookUp, b.Finding
	if v.LookUp {
		v.ExternalID = nil
	}
	if b.OperationID != nil {
		op := ops[*b.OperationID]
		if v.Operation = op.Kind; op.TakenBack && op.Kind == models.OperationUnlink {
			v.State, v.ConfirmedAt, v.OperationID, v.Operation = models.AccountRelinked, nil, nil, ""
		}
	}
	v.CalledOff = b.State == "" || v.LookUp && (v.State == models.AccountLinked || v.State == models.AccountRelinked)
	return &v, nil
}

// askedBecause says whether a question was put only since an emergency cut, of which nobody may know, had taken the
// accounts of its system: a departure asks where it takes none itself.
func askedBecause(question models.LinkedAccount, rows []models.LinkedAccount, steps cutSteps) bool {
	return question.LookUp() && slices.ContainsFunc(rows, func(a models.LinkedAccount) bool {
		step, ok := steps.of(a.ID, a.OperationID)
		return ok && step.Secret && !a.LookUp() && a.EmploymentID == question.EmploymentID && a.System == question.System && question.CreatedAt.After(step.OrderedAt)
	})
}

// AsBefore are accounts as those see them who know of no emergency cut before the person was told.
func AsBefore(views []View) []View {
	shown := make([]View, len(views))
	for i, v := range views {
		if shown[i] = v; v.Before != nil {
			shown[i] = *v.Before
		}
	}
	return shown
}

// SeenOtherwise are the accounts, of all employments, that those who know of no emergency cut before the person was told see
// otherwise than they are.
func SeenOtherwise(db *gorm.DB) ([]View, error) {
	rows, err := database.Find[models.LinkedAccount](db, "accounts", `employment_id IN (SELECT o.employment_id FROM account_operations o
		JOIN access_cuts c ON c.id = o.cut_id WHERE o.cut_id IS NOT NULL AND c.told_at IS NULL)`)
	views, err := viewed(db)(rows, err)
	return slices.DeleteFunc(views, func(v View) bool { return v.Before == nil }), err
}

// StateOf is where the accounts of an employment stand whose departure was taken back and is said to have given them
// back: off, or on their way, as far as an emergency cut keeps them closed.
func StateOf(said models.AccountsState, views []View) models.AccountsState {
	if said != models.AccountsRelinked {
		return said
	}
	for _, v := range views {
		switch {
		case !v.KeptOff || said == models.AccountsNeedsAttention:
		case v.State == models.AccountStuck:
			said = models.AccountsNeedsAttention
		case !v.State.Settled():
			said = models.AccountsUnlinking
		case said == models.AccountsRelinked:
			said = models.AccountsSettled
		}
	}
	return said
}
