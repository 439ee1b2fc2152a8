package subject

import (
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// PaperCopy is the look by which HR prints the copy that somebody asked for on paper. The paper is its evidence.
func PaperCopy(tx *database.Tx, by identity.Bearer, id uuid.UUID, language i18n.Language) (q disclosure.Request, err error) {
	r, err := database.First[models.SubjectRequest](tx.DB().Where("id = ?", id)) // not locked: a purge locks the file first
	switch {
	case err != nil:
		return q, database.Found("reading a request", err, ErrNotFound)
	case r.EmployeeID == by.Actor.EmployeeID:
		return q, ErrOwn
	case r.State != models.SubjectOpen:
		return q, ErrClosed
	case r.Kind != models.SubjectCopy || r.Form != models.ConsentWritten || r.ReceivedOn == nil:
		return q, ErrNoPaper
	}
	if err := grantable(tx, r); err != nil {
		return q, err
	}
	alone, err := enteredBy(tx, r, by)
	if err != nil {
		return q, err
	}
	reason := i18n.Text(language, "copy.look_reason")
	if r.ByRelative {
		reason = i18n.Text(language, "copy.look_reason_relative")
	}
	return disclosure.Request{
		EmployeeID: r.EmployeeID, Purpose: access.OwnRequest, Reason: reason,
		Evidence: map[string]string{"confirmed_how": "document", "confirmed_on": r.ReceivedOn.String()},
		Copy:     &disclosure.PaperCopy{RequestID: r.ID, EnteredAlone: alone, ByRelative: r.ByRelative}, Language: language,
	}, nil
}
