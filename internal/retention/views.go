package retention

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// DeadlineView is one category's deadline with the rule that it follows.
type DeadlineView struct {
	models.RetentionDeadline
	Rule models.RetentionRule
	// Purge claims it now; nil: none does.
	Purge *models.Purge
	// CertificateID is the proof that it was destroyed; nil: it was not.
	CertificateID *uuid.UUID
}

// DeadlinesOf reads the deadlines of many departures at once, for lists.
func DeadlinesOf(ctx context.Context, db *database.DB, departureIDs []uuid.UUID) (map[uuid.UUID][]DeadlineView, error) {
	if len(departureIDs) == 0 {
		return nil, nil
	}
	var deadlines []models.RetentionDeadline
	err := db.Read(ctx).Where("departure_id = ANY (?)", models.IDs(departureIDs)).Order(by("deadline", "category")).Find(&deadlines).Error
	if err != nil {
		return nil, database.Wrap("reading deadlines", err)
	}
	views, err := viewDeadlines(ctx, db, departureIDs, deadlines)
	byDeparture := make(map[uuid.UUID][]DeadlineView, len(departureIDs))
	for _, v := range views {
		byDeparture[v.DepartureID] = append(byDeparture[v.DepartureID], v)
	}
	return byDeparture, err
}

// viewDeadlines adds to deadlines of departures their rules, and who claims or holds what they are about.
func viewDeadlines(ctx context.Context, db *database.DB, departureIDs []uuid.UUID, deadlines []models.RetentionDeadline) ([]DeadlineView, error) {
	ruleByID := map[uuid.UUID]models.RetentionRule{} // a few for all of them
	for _, l := range deadlines {
		ruleByID[l.RuleID] = models.RetentionRule{}
	}
	ids := slices.Collect(maps.Keys(ruleByID))
	var (
		rules        []models.RetentionRule
		purges       map[uuid.UUID]*models.Purge
		certificates map[uuid.UUID]*uuid.UUID
	)
	group, each := errgroup.WithContext(ctx) // a page of departures waits for these
	group.Go(func() error { return markHeld(each, db, departureIDs, deadlines) })
	group.Go(func() (err error) {
		rules, err = database.Find[models.RetentionRule](db.Read(each), "the rules of deadlines", "id = ANY (?)", models.IDs(ids))
		return err
	})
	group.Go(func() (err error) {
		purges, err = claimants(each, db, departureIDs)
		return err
	})
	group.Go(func() (err error) {
		certificates, err = certificatesOf(each, db, departureIDs)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, rule := range rules {
		ruleByID[rule.ID] = rule
	}
	views := make([]DeadlineView, len(deadlines))
	for i, l := range deadlines {
		views[i] = DeadlineView{l, ruleByID[l.RuleID], purges[l.CategoryID], certificates[l.CategoryID]}
	}
	return views, nil
}

// certificatesOf are the proofs of what was destroyed, by category.
func certificatesOf(ctx context.Context, db *database.DB, departureIDs []uuid.UUID) (map[uuid.UUID]*uuid.UUID, error) {
	var rows []struct{ CategoryID, CertificateID uuid.UUID }
	err := db.Read(ctx).Raw(`SELECT k.category_id, x.id AS certificate_id FROM purge_claims k JOIN destruction_certificates x ON x.purge_id = k.purge_id
		WHERE k.departure_id = ANY (?) AND k.state = ?`, models.IDs(departureIDs), models.ClaimPurged).Scan(&rows).Error
	certificates := make(map[uuid.UUID]*uuid.UUID, len(rows))
	for _, r := range rows {
		certificates[r.CategoryID] = &r.CertificateID
	}
	return certificates, database.Wrap("reading certificates", err)
}

// Destroyable is so of a row of retention_deadlines whose category can have something in it: of accounts of which nothing was
// backed up there is no backup to destroy, and nobody is told of one.
const Destroyable = `(retention_deadlines.category <> 'account_snapshot' OR EXISTS (SELECT FROM employment_categories c JOIN account_snapshots s ON s.category_id = c.id
	WHERE c.employment_id = retention_deadlines.employment_id AND c.category = retention_deadlines.category AND s.snapshot_sealed IS NOT NULL))`

// UpcomingFilter narrows the list of what will be destroyed. Zero values do not filter.
type UpcomingFilter struct {
	Before *time.Time
	// Within is how far from the database's now; 0: however far.
	Within     time.Duration
	Category   models.Category
	EmployeeID *uuid.UUID
	// NotHeld leaves out what a hold keeps.
	NotHeld bool
	// After is the cursor: the last deadline of the page before, and when it was then.
	After   *uuid.UUID
	AfterAt time.Time
	Limit   int
}

// Upcoming is a deadline that has not come, or whose category a hold keeps, and whose data it is about.
type Upcoming struct {
	DeadlineView
	EmployeeID uuid.UUID
}

// UpcomingDeadlines lists what will be destroyed, soonest first, and says whether there is more.
func UpcomingDeadlines(ctx context.Context, db *database.DB, f UpcomingFilter) (upcoming []Upcoming, more bool, err error) {
	q := db.Read(ctx).Model(&models.RetentionDeadline{}).Where("retention_deadlines.state IN ('scheduled', 'held')").Where(Destroyable).
		Order(by("deadline", "id")).Limit(f.Limit + 1)
	if f.After != nil {
		q = q.Where("(deadline, id) > (?::timestamptz, ?)", f.AfterAt, *f.After)
	}
	if f.Before != nil {
		q = q.Where("deadline < ?", *f.Before)
	}
	if f.Within > 0 {
		q = q.Where("deadline < (SELECT lethe_now()) + make_interval(secs => ?)", f.Within.Seconds())
	}
	if f.Category != "" {
		q = q.Where("category = ?", f.Category)
	}
	if f.EmployeeID != nil {
		q = q.Where("employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", *f.EmployeeID)
	}
	if f.NotHeld {
		q = q.Where("NOT (EXISTS (SELECT FROM holds WHERE released_at IS NULL) AND lethe_held(employment_id, category))")
	}
	var rows []models.RetentionDeadline
	if err := q.Find(&rows).Error; err != nil {
		return nil, false, database.Wrap("listing deadlines", err)
	}
	if len(rows) > f.Limit {
		rows, more = rows[:f.Limit], true
	}
	departures, employments := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
	for i, l := range rows {
		departures[i], employments[i] = l.DepartureID, l.EmploymentID
	}
	views, err := viewDeadlines(ctx, db, departures, rows)
	if err != nil {
		return nil, false, err
	}
	var of []models.Employment
	if err := db.Read(ctx).Select("id", "employee_id").Where("id = ANY (?)", models.IDs(employments)).Find(&of).Error; err != nil {
		return nil, false, database.Wrap("reading employments", err)
	}
	person := make(map[uuid.UUID]uuid.UUID, len(of))
	for _, m := range of {
		person[m.ID] = m.EmployeeID
	}
	upcoming = make([]Upcoming, len(views))
	for i, v := range views {
		upcoming[i] = Upcoming{v, person[v.EmploymentID]}
	}
	return upcoming, more, nil
}

// markHeld shows as held what a hold on many people keeps: it is not written to each deadline, the row
// says so only once its workflow has looked.
func markHeld(ctx context.Context, db *database.DB, departureIDs []uuid.UUID, deadlines []models.RetentionDeadline) error {
	var held []uuid.UUID
	err := db.Read(ctx).Raw(`SELECT id FROM retention_deadlines WHERE departure_id = ANY (?) AND state IN ?
			AND EXISTS (SELECT FROM holds WHERE employee_id IS NULL AND released_at IS NULL) AND lethe_held(employment_id, category)`,
		models.IDs(departureIDs), []models.DeadlineState{models.DeadlineScheduled, models.DeadlineInReview}).Scan(&held).Error
	if err != nil {
		return database.Wrap("reading which deadlines are held", err)
	}
	for i, l := range deadlines {
		if slices.Contains(held, l.ID) {
			deadlines[i].State = models.DeadlineHeld
		}
	}
	return nil
}

// claimants are the purges that claim categories of departures now, by category.
func claimants(ctx context.Context, db *database.DB, departureIDs []uuid.UUID) (map[uuid.UUID]*models.Purge, error) {
	var rows []struct {
		models.Purge
		CategoryID uuid.UUID
	}
	err := db.Read(ctx).Table("purge_claims").Select("purges.*, purge_claims.category_id").
		Joins("JOIN purges ON purges.id = purge_claims.purge_id").
		Where("purge_claims.departure_id = ANY (?) AND purge_claims.state = ?", models.IDs(departureIDs), models.ClaimOpen).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading the claims of departures", err)
	}
	purges := make(map[uuid.UUID]*models.Purge, len(rows))
	for i := range rows {
		purges[rows[i].CategoryID] = &rows[i].Purge
	}
	return purges, nil
}

// RulesNamed reads versions of rules by their names: jurisdiction, category and version.
func RulesNamed(ctx context.Context, db *database.DB, names []string) (map[string]models.RetentionRule, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var rows []models.RetentionRule
	if err := db.Read(ctx).Where("jurisdiction || '/' || category || '/' || version IN ?", names).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading rules", err)
	}
	rules := make(map[string]models.RetentionRule, len(rows))
	for _, rule := range rows {
		rules[fmt.Sprintf("%s/%s/%d", rule.Jurisdiction, rule.Category, rule.Version)] = rule
	}
	return rules, nil
}

// Certificates reads a departure's destruction certificates, oldest first.
func Certificates(ctx context.Context, db *database.DB, departureID uuid.UUID) ([]models.DestructionCertificate, error) {
	return database.Find[models.DestructionCertificate](db.Read(ctx), "certificates", "departure_id = ?", departureID)
}

// PurgeFilter narrows a list of purges. Zero values do not filter.
type PurgeFilter struct {
	State      models.PurgeState
	Departures []uuid.UUID // nil: of all
	// EmployeeID keeps those of a person, of each employment.
	EmployeeID *uuid.UUID
	// NotOf leaves out those of somebody's data.
	NotOf uuid.UUID
	// Escalated keeps those that wait for a decision and were found to wait too long, or that were not.
	Escalated *bool
	// After is the cursor: only purges that are younger than this one.
	After uuid.UUID
	// Limit bounds the page; 0: everything.
	Limit int
}

// PurgeView is a purge with the categories that it claims or purged; of a cancelled one, what it left.
type PurgeView struct {
	models.Purge
	EmployeeID uuid.UUID
	// BatchID is the file by which the person came in, who had left before.
	BatchID *uuid.UUID
	// DueSince is when the first of what it claims fell due; of what it claims no more, when it was made.
	DueSince   time.Time
	Categories []models.Category `gorm:"-"`
	// Rejections are all of those categories, in this purge and in former ones, by category, oldest first.
	Rejections []Rejection `gorm:"-"`
}

// Rejection is that somebody rejected the destruction of a category.
type Rejection struct {
	models.PurgeRejection
	Category models.Category
}

// Purges reads purges, oldest first, and says whether another page follows.
func Purges(ctx context.Context, db *database.DB, f PurgeFilter) (rows []PurgeView, more bool, err error) {
	q := purgeViews(ctx, db).Where("purges.id > ? AND departures.employee_id <> ?", f.After, f.NotOf).
		Order(clause.OrderByColumn{Column: clause.Column{Table: "purges", Name: "id"}})
	if f.Limit > 0 {
		q = q.Limit(f.Limit + 1)
	}
	if f.State != "" {
		q = q.Where("purges.state = ?", f.State)
	}
	if f.Escalated != nil {
		q = q.Where("(purges.escalated_at IS NOT NULL) = ? AND "+undecided, *f.Escalated)
	}
	if f.Departures != nil {
		q = q.Where("purges.departure_id = ANY (?)", models.IDs(f.Departures))
	}
	if f.EmployeeID != nil {
		q = q.Where("departures.employee_id = ?", *f.EmployeeID)
	}
	if err := q.Find(&rows).Error; err != nil {
		return nil, false, database.Wrap("listing purges", err)
	}
	if f.Limit > 0 && len(rows) > f.Limit {
		rows, more = rows[:f.Limit], true
	}
	return rows, more, withCategories(ctx, db, rows)
}

// undecided are purges that wait for somebody's decision.
const undecided = "(purges.state = 'rejected' OR purges.state = 'in_review' AND purges.decision = '')"

// Undecided are the purges of departures that wait for a decision, by departure, oldest first.
func Undecided(ctx context.Context, db *database.DB, departures []uuid.UUID) (map[uuid.UUID][]models.Purge, error) {
	// OFFSET: else the planner may walk all that nobody has decided yet, to find those of a page.
	of := db.Read(ctx).Table("purges").Where("departure_id = ANY (?)", models.IDs(departures))
	rows, err := database.Find[models.Purge](db.Read(ctx).Table("(? OFFSET 0) AS purges", of), "purges that wait for a decision", undecided)
	byDeparture := make(map[uuid.UUID][]models.Purge, len(rows))
	for _, p := range rows {
		byDeparture[p.DepartureID] = append(byDeparture[p.DepartureID], p)
	}
	return byDeparture, err
}

func purgeViews(ctx context.Context, db *database.DB) *gorm.DB {
	return db.Read(ctx).Table("purges").Select(`purges.*, departures.employee_id, departures.batch_id,
			coalesce((SELECT min(l.deadline) FROM purge_claims c JOIN retention_deadlines l ON l.departure_id = purges.departure_id AND l.category = c.category
				WHERE c.purge_id = purges.id AND c.state <> 'left'), purges.created_at) AS due_since`).
		Joins("JOIN departures ON departures.id = purges.departure_id")
}

// GetPurge reads one purge.
func GetPurge(ctx context.Context, db *database.DB, id uuid.UUID) (PurgeView, error) {
	view, err := database.First[PurgeView](purgeViews(ctx, db).Where("purges.id = ?", id))
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
	if err := db.Read(ctx).Where("purge_id IN ?", ids).Order(by("category")).Find(&claims).Error; err != nil {
		return database.Wrap("reading claims", err)
	}
	var former []models.PurgeRejection
	err := db.Read(ctx).Where("category_id IN (SELECT category_id FROM purge_claims WHERE purge_id IN ?)", ids).
		Order(by("rejected_at", "purge_id", "category_id")).Find(&former).Error
	if err != nil {
		return database.Wrap("reading rejections", err)
	}
	for _, c := range claims {
		row := &rows[at[c.PurgeID]]
		if c.State == models.ClaimLeft && row.State != models.PurgeCancelled {
			continue
		}
		row.Categories = append(row.Categories, c.Category)
		for _, r := range former {
			if r.CategoryID == c.CategoryID {
				row.Rejections = append(row.Rejections, Rejection{r, c.Category})
			}
		}
	}
	return nil
}

// by orders rows by columns, ascending.
func by(columns ...string) clause.OrderBy {
	var order clause.OrderBy
	for _, name := range columns {
		order.Columns = append(order.Columns, clause.OrderByColumn{Column: clause.Column{Name: name}})
	}
	return order
}
