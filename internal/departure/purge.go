package departure

import (
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/feedback"
	"lethe/internal/message"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/models"
)

// reopen undoes what turning departed did, as long as nothing was destroyed.
func reopen(tx *database.Tx, dep models.Departure, by models.Actor, entry uuid.UUID) error {
	if err := retention.Cancel(tx, dep.ID, by); err != nil {
		return fmt.Errorf("cancelling the retention: %w", err)
	}
	err := archive.EndEmployment(tx, dep.EmploymentID, nil, entry)
	if database.Violates(err, "employments_one_current") {
		return ErrRehired
	}
	return err
}

// PurgingBegan turns the stage purging with the first committed purge intent. It is part of the
// intent's transaction; later intents change nothing.
func PurgingBegan(tx *database.Tx, id uuid.UUID) error {
	dep, err := Lock(tx, id)
	if err != nil || dep.Stage == models.StagePurging {
		return err
	}
	if err := update(tx, dep, map[string]any{"stage": models.StagePurging}); err != nil {
		return err
	}
	return record(tx, dep, EventPurgingBegan, models.System, nil)
}

// CategoriesPurged tells what a certified purge destroyed and turns the stage purged after the last
// category.
func CategoriesPurged(tx *database.Tx, certificate models.DestructionCertificate, categories []models.Category) error {
	id := certificate.DepartureID
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	if err := tell(tx, id, EventCategoryPurged, models.System, *certificate.LedgerEntryID, categories...); err != nil {
		return err
	}
	all, err := retention.AllPurged(tx, id)
	if err != nil || !all || dep.Stage == models.StagePurged {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if err := update(tx, dep, map[string]any{"stage": models.StagePurged, "purged_at": now}); err != nil {
		return err
	}
	if err := record(tx, dep, EventPurged, models.System, nil); err != nil {
		return err
	}
	return markPurged(tx, dep)
}

// markPurged shows the person as purged, unless there is a current employment (I8) or another one
// whose data is still kept.
func markPurged(tx *database.Tx, dep models.Departure) error {
	var kept bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT 1 FROM employments WHERE employee_id = ? AND ended_at IS NULL)
		OR EXISTS (SELECT 1 FROM departures WHERE employee_id = ? AND id <> ? AND stage IN ?)`,
		dep.EmployeeID, dep.EmployeeID, dep.ID,
		[]models.Stage{models.StagePendingDeparture, models.StageDeparted, models.StagePurging}).Scan(&kept).Error
	if err != nil {
		return database.Wrap("looking for other employments", err)
	}
	if kept {
		return nil
	}
	if err := archive.SetStatus(tx, dep.EmployeeID, models.StatusPurged); err != nil {
		return err
	}
	if err := message.End(tx, dep.EmployeeID); err != nil {
		return err
	}
	if err := feedback.End(tx, dep.EmployeeID); err != nil {
		return err
	}
	if err := subject.End(tx, dep.EmployeeID); err != nil {
		return err
	}
	if err := account.EndCuts(tx, dep.EmployeeID); err != nil {
		return err
	}
	return consent.End(tx, dep.EmployeeID)
}

// ClearFile clears the texts of the employment's departures. It is part of the purge of the
// category departure_file.
func ClearFile(tx *database.Tx, id uuid.UUID) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	err = tx.DB().Model(&models.Departure{}).Where("employment_id = ?", dep.EmploymentID).
		Updates(map[string]any{"note_sealed": nil, "withdrawal_reason_sealed": nil, "annulment_reason_sealed": nil,
			columnLegalGround: nil, columnReasonCode: nil, "legal_ground": "", "reason_code": ""}).Error
	return database.Wrap("clearing a departure's texts", err)
}
