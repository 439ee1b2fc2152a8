package identity

import (
	"errors"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// recordReturn appends that somebody came back from the provider and was not let in. Nobody has
// proved to be somebody here, so that the system is the actor; whom the login is linked with, if
// anybody, is the subject.
func recordReturn(tx *database.Tx, flow models.OIDCFlow, found proof, issuer, why string) error {
	details := map[string]string{"authenticated": string(models.ByOIDC), "issuer": issuer}
	entry := ledger.Entry{
		Kind: ledger.KindSession, Action: "session.refused", Actor: &models.System, Object: "oidc_flow/" + flow.ID.String(),
		Result: ledger.Refused, Rule: "oidc_" + why, Details: details,
	}
	if flow.SessionID != nil {
		entry.Action, entry.Object = "session.step_up_refused", "session/"+flow.SessionID.String()
	}
	if found.subject != "" {
		digest, err := subjectDigest(tx, found.issuer, found.subject)
		if err != nil {
			return err
		}
		details["subject_mac"] = digest
		link, err := linkOf(tx.DB(), found.issuer, found.subject)
		if err != nil && !errors.Is(err, ErrNotLinked) {
			return err
		}
		if err == nil {
			user, err := lockUser(tx, link.UserID)
			if err != nil {
				return err
			}
			entry.Subject, details["link"] = &user.EmployeeID, link.ID.String()
		}
	}
	_, err := ledger.Append(tx, entry)
	return err
}
