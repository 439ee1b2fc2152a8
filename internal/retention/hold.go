package retention

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

// HoldOrder asks for a legal hold on somebody's data, before or after a departure: exactly one of
// EmployeeID, Query and Everybody is given. It reaches every employment, also one that begins later.
type HoldOrder struct {
	EmployeeID uuid.UUID
	Query      HoldQuery
	// Everybody: two people agreed to that.
	Everybody bool
	// Categories are suspended from deletion; none means all that are not destroyed yet.
	Categories []models.Category
	// Matter is the reference of the case, not its story. It is sealed as a reason: it ends with the log.
	Matter string
	By     models.Actor
	// Approver is the second person, where there was one: a filter that reaches whoever places it needs one.
	Approver models.Actor
}

// HoldQuery is the filter of a hold: all that is given must fit one and the same employment, whoever
// has such a one is covered with all employments. It is judged anew whenever something would be
// destroyed, so that who comes to match later is covered too; who matched once stays covered.
type HoldQuery struct {
	LegalEntityID *uuid.UUID `json:"legal_entity_id,omitempty"`
	DepartmentID  *uuid.UUID `json:"department_id,omitempty"`
	// LeftFrom and LeftTo are the first and the last day on which the employment ended, by the
	// departure that took effect.
	LeftFrom *clock.Date `json:"left_from,omitempty"`
	LeftTo   *clock.Date `json:"left_to,omitempty"`
}

// Empty says that the filter names nothing.
func (q HoldQuery) Empty() bool { return q == HoldQuery{} }

// PlaceHold suspends deletion from its commit on. A hold and a purge meet on one lock (I4): a
// category whose purge has committed its intent is too late. Categories of a person that are named
// and of which no employment has anything left make it *TooLateError without any effect; a hold on
// everything takes what is left and returns the rest.
func PlaceHold(tx *database.Tx, o HoldOrder) (hold models.Hold, tooLate []models.Category, err error) {
	if err := tx.LockHolds(); err != nil {
		return hold, nil, err
	}
	if err := alone(AssessHold(tx, o)); err != nil {
		return hold, nil, err
	}
	var employments []models.Employment
	if o.EmployeeID != uuid.Nil {
		if o.By.EmployeeID == o.EmployeeID {
			return hold, nil, ErrSubject // nobody decides how long the own data is kept
		}
		if employments, err = archive.LockEmployments(tx, o.EmployeeID); err != nil {
			return hold, nil, err
		}
		if tooLate, err = o.tooLate(tx); err != nil {
			return hold, nil, err
		}
	}
	if hold, err = o.insert(tx); err != nil {
		return hold, nil, err
	}
	if o.EmployeeID == uuid.Nil {
		return hold, nil, letGoOfHeld(tx)
	}
	return hold, tooLate, resumeAll(tx, employments)
}

// AssessHold is why one person may not place a hold: by a filter it would keep the own data, or will once the own
// departure has taken effect. Nobody decides alone how long that is kept.
func AssessHold(tx *database.Tx, o HoldOrder) ([]models.Cause, error) {
	if err := cmp.Or(o.check(), o.known(tx)); err != nil {
		return nil, err
	}
	return reaches(tx, o.row(uuid.Nil), o.By, o.Approver)
}

// reaches is why one person may not place or release a hold. Two people may both be covered, as by one on
// everybody; else nobody could place or release one on the only company that there is.
func reaches(tx *database.Tx, h models.Hold, by, approver models.Actor) ([]models.Cause, error) {
	if h.EmployeeID != nil || h.Everybody || by.EmployeeID == uuid.Nil || approver.EmployeeID != uuid.Nil && approver.EmployeeID != by.EmployeeID {
		return nil, nil
	}
	scope, err := json.Marshal(map[string]any{
		"id": h.ID, "everybody": false, "legal_entity_id": h.LegalEntityID, "department_id": h.DepartmentID, "left_from": h.LeftFrom, "left_to": h.LeftTo,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the scope of a hold: %w", err)
	}
	var covered bool
	err = tx.DB().Raw(`SELECT lethe_hold_covers(h, @by) OR EXISTS (
			SELECT FROM departures d JOIN employments m ON m.id = d.employment_id
			WHERE d.employee_id = @by AND d.stage = @pending
				AND (h.legal_entity_id IS NULL OR m.legal_entity_id = h.legal_entity_id)
				AND (h.department_id IS NULL OR m.department_id = h.department_id)
				AND (h.left_from IS NULL OR d.employment_end_date >= h.left_from)
				AND (h.left_to IS NULL OR d.employment_end_date <= h.left_to))
		FROM jsonb_populate_record(NULL::holds, CAST(@scope AS jsonb)) h`,
		map[string]any{"by": by.EmployeeID, "pending": models.StagePendingDeparture, "scope": string(scope)}).Scan(&covered).Error
	if err != nil {
		return nil, database.Wrap("looking whom a hold covers", err)
	}
	if covered {
		return []models.Cause{models.CauseReaches}, nil
	}
	return nil, nil
}

// alone is ErrReachesOneself where one person is not enough.
func alone(causes []models.Cause, err error) error {
	if err == nil && len(causes) > 0 {
		err = ErrReachesOneself
	}
	return err
}

func (o HoldOrder) check() error {
	scopes := 0
	for _, given := range []bool{o.EmployeeID != uuid.Nil, !o.Query.Empty(), o.Everybody} {
		if given {
			scopes++
		}
	}
	switch {
	case scopes != 1:
		return ErrHoldScope
	case o.Query.LeftFrom != nil && o.Query.LeftTo != nil && o.Query.LeftTo.Before(*o.Query.LeftFrom):
		return ErrHoldPeriod
	case o.Matter == "":
		return ErrMatterRequired
	}
	for _, c := range o.Categories {
		if !slices.Contains(models.Categories, c) {
			return ErrUnknownCategory
		}
	}
	return nil
}

// known refuses a filter that names what does not exist: it would keep nothing, in silence.
func (o HoldOrder) known(tx *database.Tx) error {
	var known struct{ Entity, Department bool }
	err := tx.DB().Raw(`SELECT ?::uuid IS NULL OR EXISTS (SELECT FROM legal_entities WHERE id = ?) AS entity,
			?::uuid IS NULL OR EXISTS (SELECT FROM departments WHERE id = ?) AS department`,
		o.Query.LegalEntityID, o.Query.LegalEntityID, o.Query.DepartmentID, o.Query.DepartmentID).Scan(&known).Error
	switch {
	case err != nil:
		return database.Wrap("reading what a hold is about", err)
	case !known.Entity:
		return ErrHoldEntity
	case !known.Department:
		return ErrHoldDepartment
	}
	return nil
}

// tooLate are the order's categories of which no employment of the person has anything left.
func (o HoldOrder) tooLate(tx *database.Tx) ([]models.Category, error) {
	var open []models.Category
	err := tx.DB().Raw(`SELECT DISTINCT c.category FROM employment_categories c JOIN employments m ON m.id = c.employment_id
		WHERE m.employee_id = ? AND c.state = ?`, o.EmployeeID, models.CategoryOpen).Scan(&open).Error
	if err != nil {
		return nil, database.Wrap("reading the categories", err)
	}
	wanted := o.Categories
	if len(wanted) == 0 {
		wanted = models.Categories
	}
	var gone []models.Category
	for _, c := range wanted {
		if !slices.Contains(open, c) {
			gone = append(gone, c)
		}
	}
	if len(gone) > 0 && (len(o.Categories) > 0 || len(open) == 0) {
		return nil, &TooLateError{gone}
	}
	return gone, nil
}

func (o HoldOrder) insert(tx *database.Tx) (hold models.Hold, err error) {
	hold = o.row(models.NewID())
	if hold.MatterSealed, err = reasons.Seal(tx, matterPlace(hold.ID), o.Matter); err != nil {
		return hold, err
	}
	if hold.LedgerEntryID, err = recordHold(tx, actionHoldPlaced, hold, o.By); err != nil {
		return hold, err
	}
	err = tx.DB().Exec(`INSERT INTO holds (id, employee_id, everybody, legal_entity_id, department_id, left_from, left_to,
			categories, matter_sealed, placed_by, ledger_entry_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, string_to_array(NULLIF(?, ''), ','), ?, ?, ?)`,
		hold.ID, hold.EmployeeID, hold.Everybody, hold.LegalEntityID, hold.DepartmentID, hold.LeftFrom, hold.LeftTo,
		strings.Join(hold.Categories, ","), hold.MatterSealed, hold.PlacedBy, hold.LedgerEntryID).Error
	return hold, database.Wrap("placing a hold", err)
}

// row is the hold without what is sealed or recorded.
func (o HoldOrder) row(id uuid.UUID) models.Hold {
	hold := models.Hold{
		ID: id, Everybody: o.Everybody, LegalEntityID: o.Query.LegalEntityID, DepartmentID: o.Query.DepartmentID,
		LeftFrom: o.Query.LeftFrom, LeftTo: o.Query.LeftTo, PlacedBy: o.By.ID(),
	}
	for _, c := range o.Categories {
		hold.Categories = append(hold.Categories, string(c))
	}
	if o.EmployeeID != uuid.Nil {
		hold.EmployeeID = &o.EmployeeID
	}
	return hold
}

// PrepareRelease reads a hold that somebody asks to release, with what [ReleaseHold] refuses of two people.
func PrepareRelease(tx *database.Tx, holdID uuid.UUID, by models.Actor) (hold HoldView, err error) {
	if err := tx.LockHolds(); err != nil {
		return hold, err
	}
	hold, err = oneHold(tx.DB(), holdID)
	switch {
	case err != nil || hold.ReleasedAt != nil:
		return hold, err
	case hold.EmployeeID != nil && by.EmployeeID == *hold.EmployeeID:
		return hold, ErrSubject
	}
	return hold, nil
}

// ReleaseHold ends a hold. What it alone suspended is purged when due, which may be at once; other
// holds on the same categories stay. A second release changes nothing. approver is the second person, if
// there was one.
func ReleaseHold(tx *database.Tx, holdID uuid.UUID, by, approver models.Actor) error {
	hold, err := PrepareRelease(tx, holdID, by)
	if err != nil || hold.ReleasedAt != nil {
		return err
	}
	if err := alone(reaches(tx, hold.row(), by, approver)); err != nil {
		return err
	}
	var employments []models.Employment
	if hold.EmployeeID != nil {
		if employments, err = archive.LockEmployments(tx, *hold.EmployeeID); err != nil {
			return err
		}
	}
	entry, err := recordHold(tx, actionHoldReleased, hold.row(), by)
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE holds SET released_at = lethe_now(), released_by = ?, release_entry_id = ?
		WHERE id = ? AND released_at IS NULL`, by.ID(), entry, holdID))
	if err != nil {
		return fmt.Errorf("releasing a hold: %w", err)
	}
	if hold.EmployeeID == nil {
		return wakeHeld(tx)
	}
	return resumeAll(tx, employments)
}

// letGoOfHeld lets the purges before their intent that a hold on many people reaches see it. Deadlines
// are not touched one by one: whoever looks at one judges it anew, and the intent does.
func letGoOfHeld(tx *database.Tx) error {
	err := tx.DB().Exec(`UPDATE purges SET revision = revision + 1 WHERE id IN (
			SELECT p.id FROM purges p WHERE p.state IN ? AND EXISTS (
				SELECT FROM purge_claims k WHERE k.purge_id = p.id AND k.state = ? AND lethe_held(p.employment_id, k.category))
			ORDER BY p.id FOR NO KEY UPDATE)`,
		[]models.PurgeState{models.PurgeClaimed, models.PurgeInReview, models.PurgeRejected}, models.ClaimOpen).Error
	return database.Wrap("letting purges see a hold", err)
}

// wakeHeld lets the retentions look again whose deadlines were found held and are not any more.
func wakeHeld(tx *database.Tx) error {
	err := tx.DB().Exec(`UPDATE retentions SET revision = revision + 1 WHERE id IN (
			SELECT r.id FROM retentions r WHERE r.state = ? AND EXISTS (
				SELECT FROM retention_deadlines l WHERE l.departure_id = r.id AND l.state = ? AND NOT lethe_held(l.employment_id, l.category))
			ORDER BY r.id FOR NO KEY UPDATE)`, models.RetentionRunning, models.DeadlineHeld).Error
	return database.Wrap("waking what was held", err)
}

func resumeAll(tx *database.Tx, employments []models.Employment) error {
	for _, employment := range employments {
		if err := resume(tx, employment.ID); err != nil {
			return err
		}
	}
	return nil
}

// resume lets the running retention of an employment, and its purges before their intent, see
// which holds there are now. The employment is locked.
func resume(tx *database.Tx, employmentID uuid.UUID) error {
	var departures []uuid.UUID
	err := tx.DB().Model(&models.Retention{}).Where("employment_id = ? AND state = ?", employmentID, models.RetentionRunning).
		Pluck("id", &departures).Error
	if err != nil {
		return database.Wrap("looking for a running retention", err)
	}
	for _, id := range departures {
		if _, err := LockDeparture(tx, id); err != nil {
			return err
		}
		if _, err := database.LockAll[models.Retention](tx, "a retention", "id = ?", id); err != nil {
			return err
		}
		open := []models.PurgeState{models.PurgeClaimed, models.PurgeInReview, models.PurgeRejected}
		purges, err := database.LockAll[models.Purge](tx, "purges", "departure_id = ? AND state IN ?", id, open)
		if err != nil {
			return err
		}
		if _, err := applyHolds(tx, id); err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenRetention, id); err != nil {
			return err
		}
		for _, purge := range purges {
			if err := tx.Touch(models.DrivenPurge, purge.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyHolds brings the states of a departure's deadlines into line with the holds that are active
// and returns the deadlines, locked, by id. The employment is locked.
func applyHolds(tx *database.Tx, departureID uuid.UUID) ([]models.RetentionDeadline, error) {
	rows, err := database.LockAll[models.RetentionDeadline](tx, "deadlines", "departure_id = ?", departureID)
	if err != nil {
		return nil, err
	}
	var held []models.Category
	err = tx.DB().Raw("SELECT category FROM retention_deadlines WHERE departure_id = ? AND lethe_held(employment_id, category)", departureID).
		Scan(&held).Error
	if err != nil {
		return nil, database.Wrap("reading the holds", err)
	}
	for i, row := range rows {
		var next models.DeadlineState
		switch isHeld := slices.Contains(held, row.Category); {
		case isHeld && (row.State == models.DeadlineScheduled || row.State == models.DeadlineInReview):
			next = models.DeadlineHeld
		case !isHeld && row.State == models.DeadlineHeld:
			next = models.DeadlineScheduled
		default:
			continue
		}
		if _, err := setDeadlines(tx, departureID, []models.Category{row.Category}, []models.DeadlineState{row.State}, next); err != nil {
			return nil, err
		}
		rows[i].State = next
	}
	return rows, nil
}
