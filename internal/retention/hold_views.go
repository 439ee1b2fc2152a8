package retention

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

// HoldView is a legal hold with whose data it keeps.
type HoldView struct {
	ID            uuid.UUID
	EmployeeID    *uuid.UUID
	Everybody     bool
	LegalEntityID *uuid.UUID
	DepartmentID  *uuid.UUID
	LeftFrom      *clock.Date
	LeftTo        *clock.Date
	// Categories are separated by commas; none means all.
	Categories string
	// Matter is empty once it has ended with the log.
	Matter       string `gorm:"-"`
	MatterSealed models.Sealed
	// PlainMatter is that of version 0.2, until the upgrade has sealed it.
	PlainMatter string
	PlacedBy    *uuid.UUID
	PlacedAt    time.Time
	ReleasedBy  *uuid.UUID
	ReleasedAt  *time.Time
}

// Query is the hold's filter; empty unless it is one by a filter.
func (v HoldView) Query() HoldQuery {
	return HoldQuery{LegalEntityID: v.LegalEntityID, DepartmentID: v.DepartmentID, LeftFrom: v.LeftFrom, LeftTo: v.LeftTo}
}

// row is the hold as far as its entries tell of it.
func (v HoldView) row() models.Hold {
	hold := models.Hold{
		ID: v.ID, EmployeeID: v.EmployeeID, Everybody: v.Everybody, LegalEntityID: v.LegalEntityID, DepartmentID: v.DepartmentID,
		LeftFrom: v.LeftFrom, LeftTo: v.LeftTo,
	}
	if v.Categories != "" {
		hold.Categories = strings.Split(v.Categories, ",")
	}
	return hold
}

// HoldFilter selects holds. The zero value is all of them.
type HoldFilter struct {
	// EmployeeID: those that cover the person now, by a filter or on everybody too.
	EmployeeID *uuid.UUID
	// NotOn leaves out those that were placed on somebody.
	NotOn uuid.UUID
	// Active keeps those in force, or those that are released; nil: both.
	Active *bool
	After  uuid.UUID
	Limit  int
}

// Holds lists holds by id, oldest first, and says whether there are more.
func Holds(ctx context.Context, db *database.DB, f HoldFilter) (holds []HoldView, more bool, err error) {
	q := holdViews(db.Read(ctx)).Where("h.id > ? AND h.employee_id IS DISTINCT FROM ?", f.After, f.NotOn)
	if f.EmployeeID != nil {
		q = q.Where("lethe_hold_covers(h, ?)", *f.EmployeeID)
	}
	switch {
	case f.Active == nil:
	case *f.Active:
		q = q.Where("h.released_at IS NULL")
	default:
		q = q.Where("h.released_at IS NOT NULL")
	}
	err = q.Order(clause.OrderByColumn{Column: clause.Column{Table: "h", Name: "id"}}).Limit(f.Limit + 1).Scan(&holds).Error
	if err != nil {
		return nil, false, database.Wrap("listing holds", err)
	}
	if len(holds) > f.Limit {
		holds, more = holds[:f.Limit], true
	}
	return holds, more, openMatters(ctx, db, holds)
}

// HoldInForce is an active hold that keeps a category of a departure.
type HoldInForce struct {
	DepartureID uuid.UUID
	ID          uuid.UUID
	PlacedAt    time.Time
}

// HoldsInForce are the active holds that keep a category of departures which took effect from being destroyed
// when it is due, by departure, in the order in which they were placed.
func HoldsInForce(ctx context.Context, db *database.DB, departures []uuid.UUID) (map[uuid.UUID][]HoldInForce, error) {
	var holds []HoldInForce
	err := db.Read(ctx).Raw(`SELECT d.id AS departure_id, h.id, h.placed_at FROM holds h, departures d
		WHERE d.id = ANY (?) AND h.released_at IS NULL AND lethe_hold_covers(h, d.employee_id) AND EXISTS (
			SELECT FROM retention_deadlines l
			WHERE l.departure_id = d.id AND l.state IN ? AND (h.categories IS NULL OR l.category = ANY (h.categories)))
		ORDER BY h.placed_at, h.id`, models.IDs(departures),
		[]models.DeadlineState{models.DeadlineScheduled, models.DeadlineHeld, models.DeadlineInReview}).Scan(&holds).Error
	if err != nil {
		return nil, database.Wrap("looking for holds", err)
	}
	byDeparture := make(map[uuid.UUID][]HoldInForce, len(holds))
	for _, h := range holds {
		byDeparture[h.DepartureID] = append(byDeparture[h.DepartureID], h)
	}
	return byDeparture, nil
}

// HoldCover is how much a hold in force keeps at the moment.
type HoldCover struct {
	// People are those of whom something is left that it keeps, Files their employments of which something is.
	People, Files int64
}

// CoverOf counts what a hold keeps now, of one by a filter whoever matches or once did; nothing once it is
// released. It takes as long as the hold is wide: it is for one hold, not for a list.
func CoverOf(ctx context.Context, db *database.DB, holdID uuid.UUID) (cover HoldCover, err error) {
	err = db.Read(ctx).Raw(`SELECT count(DISTINCT m.employee_id) AS people, count(*) AS files
		FROM holds h CROSS JOIN employments m
		WHERE h.id = @hold AND h.released_at IS NULL AND (h.everybody OR m.employee_id = h.employee_id OR m.employee_id IN (
				SELECT p.employee_id FROM (
					SELECT x.employee_id FROM employments x, holds f WHERE f.id = @hold AND f.employee_id IS NULL AND NOT f.everybody
						AND (f.legal_entity_id IS NULL OR x.legal_entity_id = f.legal_entity_id)
						AND (f.department_id IS NULL OR x.department_id = f.department_id)
					UNION SELECT employee_id FROM hold_people WHERE hold_id = @hold) p
				JOIN holds f ON f.id = @hold WHERE lethe_hold_covers(f, p.employee_id)))
			AND EXISTS (SELECT FROM employment_categories c WHERE c.employment_id = m.id AND c.state = @open
				AND (h.categories IS NULL OR c.category = ANY (h.categories)))`,
		map[string]any{"hold": holdID, "open": models.CategoryOpen}).Scan(&cover).Error
	return cover, database.Wrap("counting what a hold covers", err)
}

// What people did to keep a departure's data, as its timeline says it.
const (
	EventHoldPlaced    = "hold_placed"
	EventHoldReleased  = "hold_released"
	EventPurgeRejected = "purge_rejected"
)

// Objection is that somebody kept a departure's data from being destroyed, or stopped doing so.
type Objection struct {
	DepartureID uuid.UUID

	At      time.Time
	What    string
	ByID    *uuid.UUID
	HoldID  *uuid.UUID
	PurgeID *uuid.UUID
}

// Objections are the holds that cover the persons of departures and were in force since these began, their
// releases, and the rejections of their purges, by departure, oldest first. A hold by a filter covers whoever
// matches or once did.
func Objections(ctx context.Context, db *database.DB, departures []uuid.UUID) (map[uuid.UUID][]Objection, error) {
	var rows []Objection
	err := db.Read(ctx).Raw(`WITH these AS (
			SELECT d.id AS departure_id, h.id, h.placed_at, h.placed_by, h.released_at, h.released_by
			FROM departures d JOIN holds h ON (h.released_at IS NULL OR h.released_at >= d.created_at)
				AND (h.employee_id = d.employee_id OR h.employee_id IS NULL AND lethe_hold_covers(h, d.employee_id))
			WHERE d.id = ANY (@departures))
		SELECT departure_id, placed_at AS at, @placed AS what, placed_by AS by_id, id AS hold_id, NULL::uuid AS purge_id FROM these
		UNION ALL SELECT departure_id, released_at, @released, released_by, id, NULL FROM these WHERE released_at IS NOT NULL
		UNION ALL SELECT p.departure_id, min(r.rejected_at), @rejected, r.rejected_by, NULL::uuid, r.purge_id
			FROM purge_rejections r JOIN purges p ON p.id = r.purge_id WHERE p.departure_id = ANY (@departures)
			GROUP BY p.departure_id, r.purge_id, r.rejected_by
		ORDER BY at, hold_id, purge_id`, map[string]any{
		"departures": models.IDs(departures),
		"placed":     EventHoldPlaced, "released": EventHoldReleased, "rejected": EventPurgeRejected,
	}).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading who kept a departure's data", err)
	}
	byDeparture := make(map[uuid.UUID][]Objection, len(departures))
	for _, o := range rows {
		byDeparture[o.DepartureID] = append(byDeparture[o.DepartureID], o)
	}
	return byDeparture, nil
}

// GetHold reads a hold; none is database.ErrNotFound.
func GetHold(ctx context.Context, db *database.DB, id uuid.UUID) (HoldView, error) {
	return openHold(ctx, db, db.Read(ctx), id)
}

// LockHold locks whose data a hold keeps, in the order that every transaction keeps, and reads it.
func LockHold(tx *database.Tx, id uuid.UUID) (HoldView, error) {
	if err := tx.LockHolds(); err != nil {
		return HoldView{}, err
	}
	hold, err := openHold(tx.Context(), tx, tx.DB(), id)
	if err != nil || hold.EmployeeID == nil {
		return hold, err
	}
	_, err = archive.LockEmployments(tx, *hold.EmployeeID)
	return hold, err
}

func oneHold(g *gorm.DB, id uuid.UUID) (HoldView, error) {
	var found []HoldView
	if err := holdViews(g).Where("h.id = ?", id).Scan(&found).Error; err != nil {
		return HoldView{}, database.Wrap("reading a hold", err)
	}
	if len(found) == 0 {
		return HoldView{}, fmt.Errorf("reading a hold: %w", database.ErrNotFound)
	}
	return found[0], nil
}

func openHold(ctx context.Context, c reasons.Carrier, g *gorm.DB, id uuid.UUID) (HoldView, error) {
	hold, err := oneHold(g, id)
	if err != nil {
		return hold, err
	}
	holds := []HoldView{hold}
	err = openMatters(ctx, c, holds)
	return holds[0], err
}

// openMatters opens which matters holds are for.
func openMatters(ctx context.Context, c reasons.Carrier, holds []HoldView) error {
	texts := make([]reasons.Text, len(holds))
	for i, h := range holds {
		texts[i] = reasons.Text{Cell: matterPlace(h.ID), Sealed: h.MatterSealed}
	}
	opened, err := reasons.Open(ctx, c, texts...)
	if err != nil {
		return err
	}
	for i := range holds {
		holds[i].Matter = opened[i] + holds[i].PlainMatter
	}
	return nil
}

func matterPlace(hold uuid.UUID) string { return reasons.Cell("holds.matter_sealed", hold) }

// SealPlainMatters carries the matters of version 0.2 over; see [database.SealFormer].
func SealPlainMatters(ctx context.Context, db *database.DB, ready func() error) error {
	return database.SealFormer(ctx, db, database.Former{
		Table: "holds", Mark: "holds_matter_sealed", Columns: []database.FormerColumn{{Name: "matter", Type: "text", Empty: "''"}},
		Seal: func(tx *database.Tx, id uuid.UUID) error {
			if err := tx.LockHolds(); err != nil {
				return err
			}
			hold, err := oneHold(tx.DB(), id)
			if err != nil {
				return err
			}
			sealed, err := reasons.SealAt(tx.Context(), tx, hold.PlacedAt, matterPlace(id), hold.PlainMatter)
			if err != nil {
				return err
			}
			return database.UpdateOne(tx.DB().Exec("UPDATE holds SET matter = '', matter_sealed = ? WHERE id = ? AND matter <> ''", sealed, id))
		},
	}, ready)
}

func holdViews(g *gorm.DB) *gorm.DB {
	return g.Table("holds h").
		Select("h.id", "h.employee_id", "h.everybody", "h.legal_entity_id", "h.department_id", "h.left_from", "h.left_to",
			"COALESCE(array_to_string(h.categories, ','), '') AS categories", "h.matter_sealed", "h.matter AS plain_matter",
			"h.placed_by", "h.placed_at", "h.released_by", "h.released_at")
}
