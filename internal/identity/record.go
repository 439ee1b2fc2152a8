package identity

import (
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// record appends to the ledger what happened to a user, decided by somebody, and returns the entry, which
// each row that it changes names: it comes before them.
func record(tx *database.Tx, by models.Actor, action string, user models.User, details map[string]string) (uuid.UUID, error) {
	return ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindIdentity, Action: action, Actor: &by, Subject: &user.EmployeeID, Object: "user/" + user.ID.String(), Details: details,
	})
}

// recordSession appends what a user did with a session. At a login nobody is behind the context
// yet, so it is told who it is and how they were authenticated.
func recordSession(
	tx *database.Tx, by models.Actor, action string, user models.User, how models.Authentication, details map[string]string,
) (uuid.UUID, error) {
	return ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindSession, Action: action, Actor: &by, Authenticated: how, UserID: user.ID,
		Subject: &user.EmployeeID, Object: "user/" + user.ID.String(), Details: details,
	})
}
