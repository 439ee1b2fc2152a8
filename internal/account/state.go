package account

import (
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// DeriveAccountsState says where a departure's accounts stand, from its operations: linked as long
// as it ordered nothing. It is for a departure whose operations have changed; one that found nothing
// to unlink has none.
func DeriveAccountsState(tx *database.Tx, departureID uuid.UUID) (models.AccountsState, error) {
	ops, err := database.Find[models.AccountOperation](tx.DB(), "account operations", "departure_id = ?", departureID)
	if err != nil {
		return "", err
	}
	if len(ops) == 0 {
		return models.AccountsLinked, nil
	}
	last := ops[len(ops)-1]
	state := accountsState(last)
	if state != models.AccountsSettled {
		return state, nil
	}
	var open int64
	err = tx.DB().Model(&models.LinkedAccount{}).
		Where("employment_id = ? AND state NOT IN ?", last.EmploymentID, settledStates).Count(&open).Error
	if err != nil {
		return "", database.Wrap("counting open accounts", err)
	}
	if open > 0 {
		return models.AccountsNeedsAttention, nil
	}
	return state, nil
}

// accountsState is a pure function of a departure's newest operation.
func accountsState(op models.AccountOperation) models.AccountsState {
	switch {
	case op.State == models.OperationNeedsAttention:
		return models.AccountsNeedsAttention
	case op.State == models.OperationSuperseded:
		// A withdrawal found nothing touched, or a later order took the accounts over: either way
		// this departure has nothing left to do with them.
		return models.AccountsRelinked
	case op.Kind == models.OperationRelink && ended(op.State):
		return models.AccountsRelinked
	case op.Kind == models.OperationRelink:
		return models.AccountsRelinking
	case ended(op.State) && len(op.Asked) == 0:
		// Ordered before systems were asked by employee number: that is still to come (AskLater).
		return models.AccountsUnlinking
	case ended(op.State):
		return models.AccountsSettled
	}
	return models.AccountsUnlinking
}
