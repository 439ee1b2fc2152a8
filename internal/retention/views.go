package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// DeadlineView is one category's deadline with the rule that it follows.
type DeadlineView struct {
	DepartureID  uuid.UUID
	Category     models.Category
	Deadline     time.Time
	FloorAt      time.Time
	State        models.DeadlineState
	RuleID       uuid.UUID
	Jurisdiction string
	Version      int
	Period       string
	BasisZh      string
	BasisEn      string
}

// Deadlines reads a departure's deadlines, the next one first.
func Deadlines(ctx context.Context, db *database.DB, departureID uuid.UUID) ([]DeadlineView, error) {
	byDeparture, err := DeadlinesOf(ctx, db, []uuid.UUID{departureID})
	return byDeparture[departureID], err
}

// DeadlinesOf reads the deadlines of many departures at once, for lists.
func DeadlinesOf(ctx context.Context, db *database.DB, departureIDs []uuid.UUID) (map[uuid.UUID][]DeadlineView, error) {
	if len(departureIDs) == 0 {
		return nil, nil
	}
	var rows []DeadlineView
	err := db.Read(ctx).Raw(`
		SELECT l.departure_id, l.category, l.deadline, l.floor_at, l.state, l.rule_id,
			r.jurisdiction, r.version, r.period, r.basis_zh, r.basis_en
		FROM retention_deadlines l JOIN retention_rules r ON r.id = l.rule_id
		WHERE l.departure_id IN ? ORDER BY l.deadline, l.category`, departureIDs).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading deadlines: %w", database.Hide(err))
	}
	byDeparture := make(map[uuid.UUID][]DeadlineView, len(departureIDs))
	for _, row := range rows {
		byDeparture[row.DepartureID] = append(byDeparture[row.DepartureID], row)
	}
	return byDeparture, nil
}

// Certificates reads a departure's destruction certificates, oldest first.
func Certificates(ctx context.Context, db *database.DB, departureID uuid.UUID) ([]models.DestructionCertificate, error) {
	var rows []models.DestructionCertificate
	if err := db.Read(ctx).Where("departure_id = ?", departureID).Order(byID).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading certificates: %w", database.Hide(err))
	}
	return rows, nil
}

// PurgeFilter narrows a list of purges. Zero values do not filter.
type PurgeFilter struct {
	State       models.PurgeState
	DepartureID *uuid.UUID
	// Before is the cursor: only purges older than this one.
	Before *uuid.UUID
	Limit  int
}

// PurgeView is a purge with the categories that it claims or purged; of a cancelled one, what it left.
type PurgeView struct {
	models.Purge
	EmployeeID uuid.UUID
	Categories []models.Category `gorm:"-"`
}

// Purges reads purges, newest first, one more than Limit at most: the extra one says that another
// page follows.
func Purges(ctx context.Context, db *database.DB, f PurgeFilter) ([]PurgeView, error) {
	q := db.Read(ctx).Table("purges").Select("purges.*, departures.employee_id").
		Joins("JOIN departures ON departures.id = purges.departure_id").
		Order(clause.OrderByColumn{Column: clause.Column{Table: "purges", Name: "id"}, Desc: true}).Limit(f.Limit + 1)
	if f.State != "" {
		q = q.Where("purges.state = ?", f.State)
	}
	if f.DepartureID != nil {
		q = q.Where("purges.departure_id = ?", *f.DepartureID)
	}
	if f.Before != nil {
		q = q.Where("purges.id < ?", *f.Before)
	}
	var rows []PurgeView
	if err := q.Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing purges: %w", database.Hide(err))
	}
	return rows, withCategories(ctx, db, rows)
}

// GetPurge reads one purge.
func GetPurge(ctx context.Context, db *database.DB, id uuid.UUID) (PurgeView, error) {
	view, err := database.First[PurgeView](db.Read(ctx).Table("purges").Select("purges.*, departures.employee_id").
		Joins("JOIN departures ON departures.id = purges.departure_id").Where("purges.id = ?", id))
	if err != nil {
		return view, fmt.Errorf("reading a purge: %w", err)
	}
	rows := []PurgeView{view}
	err = withCategories(ctx, db, rows)
	return rows[0], err
}

func withCategories(ctx context.Context, db *database.DB, rows []PurgeView) error {
	at := make(map[uuid.UUID]int, len(rows))
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		at[row.ID], ids[i] = i, row.ID
	}
	if len(ids) == 0 {
		return nil
	}
	var claims []models.PurgeClaim
	if err := db.Read(ctx).Where("purge_id IN ?", ids).Order("category").Find(&claims).Error; err != nil {
		return fmt.Errorf("reading claims: %w", database.Hide(err))
	}
	for _, c := range claims {
		row := &rows[at[c.PurgeID]]
		if c.State != models.ClaimLeft || row.State == models.PurgeCancelled {
			row.Categories = append(row.Categories, c.Category)
		}
	}
	return nil
}
