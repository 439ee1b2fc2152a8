package retention

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Facts is what a Retention workflow needs to know.
type Facts struct {
	// Done: every category is purged or cancelled.
	Done bool
	// WakeIn is the time until the next deadline, at least a second; 0: purges or holds are waited for.
	WakeIn time.Duration
}

// Spread is by how much purges are moved behind their deadline, never before it, so that what falls
// due at one midnight does not start at one instant. The zero value is not at all.
type Spread struct{ Most time.Duration }

// delay is the same for one departure whenever it is asked for, so that its categories stay together.
func (s Spread) delay(departureID uuid.UUID) time.Duration {
	if s.Most <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write(departureID[:])
	return time.Duration(h.Sum64() % uint64(s.Most))
}

// Look orders a purge for what is due and not held, records that everything up to now was seen,
// and says what comes next. It may run any number of times.
func Look(tx *database.Tx, departureID uuid.UUID, spread Spread) (Facts, error) {
	dep, err := LockDeparture(tx, departureID)
	if err != nil {
		return Facts{}, err
	}
	retentions, err := database.LockAll[models.Retention](tx, "a retention", "id = ?", departureID)
	if err != nil {
		return Facts{}, err
	}
	if len(retentions) == 0 {
		return Facts{}, fmt.Errorf("locking a retention: %w", database.ErrNotFound)
	}
	deadlines, err := applyHolds(tx, departureID)
	if err != nil {
		return Facts{}, err
	}
	if retentions[0].State == models.RetentionEnded || !slices.ContainsFunc(deadlines, unfinished) {
		return Facts{Done: true}, finish(tx, departureID)
	}
	waiting, err := unclaimed(tx, departureID, deadlines)
	if err != nil {
		return Facts{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return Facts{}, err
	}
	due, next := split(waiting, now, spread.delay(departureID))
	if err := claim(tx, dep, due, now); err != nil {
		return Facts{}, err
	}
	if next.IsZero() {
		return Facts{}, tx.Seen(models.DrivenRetention, departureID, nil)
	}
	return Facts{WakeIn: max(next.Sub(now), time.Second)}, tx.Seen(models.DrivenRetention, departureID, &next)
}

func unfinished(l models.RetentionDeadline) bool {
	return l.State != models.DeadlinePurged && l.State != models.DeadlineCancelled
}

func finish(tx *database.Tx, departureID uuid.UUID) error {
	if err := end(tx, departureID); err != nil {
		return err
	}
	return tx.Seen(models.DrivenRetention, departureID, nil)
}

// unclaimed keeps the scheduled deadlines that no purge has claimed.
func unclaimed(tx *database.Tx, departureID uuid.UUID, deadlines []models.RetentionDeadline) ([]models.RetentionDeadline, error) {
	var claimed []models.Category
	err := tx.DB().Model(&models.PurgeClaim{}).Where("departure_id = ? AND state = ?", departureID, models.ClaimOpen).
		Pluck("category", &claimed).Error
	if err != nil {
		return nil, database.Wrap("reading the claims", err)
	}
	return slices.DeleteFunc(deadlines, func(l models.RetentionDeadline) bool {
		return l.State != models.DeadlineScheduled || slices.Contains(claimed, l.Category)
	}), nil
}

// split separates what is due from the next instant at which something will be (zero: nothing).
func split(waiting []models.RetentionDeadline, now time.Time, delay time.Duration) (due []models.RetentionDeadline, next time.Time) {
	for _, l := range waiting {
		at := l.Deadline.Add(delay)
		switch {
		case !at.After(now):
			due = append(due, l)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return due, next
}

// claim orders one purge for everything that is due, another one for what wants the review, and one each for
// what the same people rejected before, so that people hold nothing else up.
func claim(tx *database.Tx, dep models.Departure, due []models.RetentionDeadline, now time.Time) error {
	if len(due) == 0 {
		return nil
	}
	early, err := reviewUntil(tx, dep.ID)
	if err != nil {
		return err
	}
	wanting, err := wantReview(tx, due)
	if err != nil {
		return err
	}
	former, err := rejections(tx, claimed{deadlines: due}.categoryIDs())
	if err != nil {
		return err
	}
	var plain, reviewed []models.RetentionDeadline
	var refused []refusal
	for _, l := range due {
		switch {
		case rejected(former, l):
			refused = refuse(refused, rejectionsOf(former, l), l)
		case slices.Contains(wanting, l.Category):
			reviewed = append(reviewed, l)
		default:
			plain = append(plain, l)
		}
	}
	if err := order(tx, dep, plain, models.Purge{ReviewUntil: early}, now); err != nil {
		return err
	}
	if err := order(tx, dep, reviewed, models.Purge{ReviewRequired: true}, now); err != nil {
		return err
	}
	for _, r := range refused {
		if err := order(tx, dep, r.due, asRejected(r.rows), now); err != nil {
			return err
		}
	}
	return nil
}

// order inserts a purge with its claims. What waits for a review is shown to reviewers from the start.
func order(tx *database.Tx, dep models.Departure, due []models.RetentionDeadline, purge models.Purge, now time.Time) error {
	if len(due) == 0 {
		return nil
	}
	id := models.NewID()
	purge.ID, purge.DepartureID, purge.EmploymentID = id, dep.ID, dep.EmploymentID
	purge.Revision = 1
	claims := make([]models.PurgeClaim, len(due))
	categories := make([]models.Category, len(due))
	for i, l := range due {
		claims[i] = models.PurgeClaim{PurgeID: id, DepartureID: dep.ID, CategoryID: l.CategoryID, Category: l.Category, State: models.ClaimOpen}
		categories[i] = l.Category
	}
	ready, _ := reviewed(purge, now)
	switch {
	case ready:
		purge.State = models.PurgeClaimed
	case purge.State == "":
		purge.State = models.PurgeInReview
	}
	if !ready {
		if _, err := setDeadlines(tx, dep.ID, categories, []models.DeadlineState{models.DeadlineScheduled}, models.DeadlineInReview); err != nil {
			return err
		}
	}
	details := map[string]string{
		"categories": categoryList(categories), "state": string(purge.State),
		"review_required": strconv.FormatBool(purge.ReviewRequired), "review_until": instantOrNone(purge.ReviewUntil),
	}
	if purge.RejectedBy != nil {
		details["rejected_by"] = purge.RejectedBy.String()
	}
	var err error
	if purge.LedgerEntryID, err = recordPurge(tx, actionPurgeOrdered, id, dep, models.System, details); err != nil {
		return err
	}
	if err := tx.DB().Create(&purge).Error; err != nil {
		return database.Wrap("ordering a purge", err)
	}
	if err := tx.DB().Create(&claims).Error; err != nil {
		return database.Wrap("claiming categories", err)
	}
	tx.Nudge(models.DrivenPurge, id)
	return nil
}

// reviewUntil is the end of the 30 days within which a reviewer must agree (I1); nil where that has
// no meaning, for DEMO in development. It is computed as lethe_purgeable computes it.
func reviewUntil(tx *database.Tx, departureID uuid.UUID) (*time.Time, error) {
	var until []time.Time
	err := tx.DB().Raw(`SELECT d.departed_at + interval '30 days' FROM departures d JOIN employments m ON m.id = d.employment_id
		WHERE d.id = ? AND d.departed_at IS NOT NULL
		AND NOT (m.jurisdiction = ? AND (SELECT i.mode FROM installation i) = 'dev')`,
		departureID, models.DemoJurisdiction).Scan(&until).Error
	if err != nil {
		return nil, database.Wrap("reading when a departure took effect", err)
	}
	if len(until) == 0 {
		return nil, nil
	}
	return &until[0], nil
}

// Exempt says whether a jurisdiction is DEMO in a development database, where what keeps people's data
// from being destroyed early has no meaning. In production nothing is.
func Exempt(tx *database.Tx, jurisdiction string) (bool, error) {
	var exempt bool
	err := tx.DB().Raw("SELECT ? = ? AND (SELECT i.mode FROM installation i) = 'dev'", jurisdiction, models.DemoJurisdiction).Scan(&exempt).Error
	return exempt, database.Wrap("reading what the installation is for", err)
}

// wantReview are the categories among the deadlines that are not destroyed without a reviewer's word,
// however long nobody says it: their rule asks for the review, or people brought the deadline forward.
func wantReview(tx *database.Tx, due []models.RetentionDeadline) ([]models.Category, error) {
	ids := make([]uuid.UUID, len(due))
	for i, l := range due {
		ids[i] = l.RuleID
	}
	var asking []uuid.UUID
	err := tx.DB().Model(&models.RetentionRule{}).Where("id IN ? AND review_required", ids).Pluck("id", &asking).Error
	if err != nil {
		return nil, database.Wrap("reading the rules", err)
	}
	var wanting []models.Category
	for _, l := range due {
		if l.Advanced || slices.Contains(asking, l.RuleID) {
			wanting = append(wanting, l.Category)
		}
	}
	return wanting, nil
}
