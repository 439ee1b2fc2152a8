package retention

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/models"
)

// witness knows what happened to one person by its own bookkeeping and says what may be destroyed,
// without the database's predicate.
type witness struct {
	endedAt, departedAt time.Time
	deadlines           map[models.Category]time.Time
	asking              map[models.Category]bool
	demo                bool
	holds               map[uuid.UUID][]models.Category
	approved            map[uuid.UUID][]models.Category // by purge
}

func (k *witness) held(c models.Category) bool {
	for _, categories := range k.holds {
		if len(categories) == 0 || slices.Contains(categories, c) {
			return true
		}
	}
	return false
}

func (k *witness) agreed(c models.Category, claimedBy uuid.UUID) bool {
	return slices.Contains(k.approved[claimedBy], c)
}

// may says why a category must not be destroyed at an instant; empty if it may.
func (k *witness) mayNot(c models.Category, at time.Time, claimedBy uuid.UUID) string {
	switch {
	case at.Before(k.endedAt):
		return "before the employment ended"
	case at.Before(k.deadlines[c]):
		return "before its deadline"
	case k.held(c):
		return "under hold"
	case k.asking[c] && !k.agreed(c, claimedBy):
		return "without the review that its rule asks for"
	case !k.demo && at.Before(k.departedAt.Add(30*day)) && !k.agreed(c, claimedBy):
		return "within 30 days without a reviewer"
	}
	return ""
}

// trial is one person's random life.
type trial struct {
	*rapid.T
	w       *world
	p       person
	witness *witness
}

func TestI1_NothingIsDestroyedEarlyUnderHoldOrUnreviewed(t *testing.T) {
	w := newWorld(t)
	destroyed, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		tr := begin(t, rt, w)
		actions := map[string]func(){
			"wait": func() { tr.wait(t) }, "hold": tr.hold, "release": tr.release, "look": func() { w.look(rt, tr.p) },
			"look at purges": tr.lookAtPurges, "decide": tr.decide, "purge": tr.purge, "by hand": func() { refused += tr.byHand() },
		}
		names := []string{"wait", "wait", "hold", "release", "look", "look at purges", "decide", "purge", "purge", "by hand"}
		for range rapid.IntRange(4, 16).Draw(rt, "actions") {
			before := w.states(rt, tr.p)
			name := rapid.SampledFrom(names).Draw(rt, "action")
			claims := tr.claims()
			actions[name]()
			destroyed += tr.judge(name, before, claims)
		}
	})
	if destroyed < 20 || refused < 20 {
		t.Fatalf("the trials destroyed %d categories and were refused %d times: they try too little", destroyed, refused)
	}
}

func begin(t *testing.T, rt *rapid.T, w *world) *trial {
	t.Helper()
	jurisdiction := rapid.SampledFrom([]string{"CN", "DE", "JP", "DEMO"}).Draw(rt, "jurisdiction")
	ago := time.Duration(rapid.IntRange(0, 12*365).Draw(rt, "ended days ago")) * day
	endedAt := w.now(rt).Add(-ago)
	p := w.depart(rt, w.hire(rt, jurisdiction), endedAt)
	k := &witness{
		demo: jurisdiction == "DEMO", deadlines: map[models.Category]time.Time{}, asking: map[models.Category]bool{},
		holds: map[uuid.UUID][]models.Category{}, approved: map[uuid.UUID][]models.Category{},
	}
	k.endedAt = query[time.Time](rt, w, "SELECT employment_ended_at FROM departures WHERE id = ?", p.departure)
	k.departedAt = query[time.Time](rt, w, "SELECT departed_at FROM departures WHERE id = ?", p.departure)
	rules, err := loadPack(jurisdiction)
	if err != nil {
		rt.Fatal(err)
	}
	for _, r := range rules.Rules {
		deadline, _, err := Deadline(r.row(jurisdiction), k.endedAt, zone(rt, zoneOf[jurisdiction]))
		if err != nil {
			rt.Fatal(err)
		}
		k.deadlines[r.Category], k.asking[r.Category] = deadline, r.ReviewRequired
	}
	return &trial{rt, w, p, k}
}

// claims says which open purge claims each category.
func (tr *trial) claims() map[models.Category]uuid.UUID {
	rows := query[[]models.PurgeClaim](tr, tr.w, "SELECT * FROM purge_claims WHERE departure_id = ? AND state = 'open'", tr.p.departure)
	claims := map[models.Category]uuid.UUID{}
	for _, r := range rows {
		claims[r.Category] = r.PurgeID
	}
	return claims
}

// judge looks at every category that was destroyed since and counts them.
func (tr *trial) judge(action string, before map[models.Category]string, claims map[models.Category]uuid.UUID) (n int) {
	rows := query[[]models.EmploymentCategory](tr, tr.w, "SELECT * FROM employment_categories WHERE employment_id = ? AND state <> 'open'", tr.p.employment)
	for _, r := range rows {
		if s := before[r.Category]; s == "purging/purging" || s == "purged/purged" {
			continue
		}
		n++
		if why := tr.witness.mayNot(r.Category, *r.PurgingAt, claims[r.Category]); why != "" {
			tr.Fatalf("%s destroyed %s %s", action, r.Category, why)
		}
	}
	return n
}

func (tr *trial) wait(t *testing.T) {
	units := []time.Duration{time.Second, 4 * time.Second, day, 29 * day, 400 * day, 3 * 366 * day}
	tr.w.env.Advance(t, rapid.SampledFrom(units).Draw(tr.T, "how long"))
}

func (tr *trial) hold() {
	categories := rapid.SliceOfNDistinct(rapid.SampledFrom(models.Categories), 0, 3, rapid.ID).Draw(tr.T, "categories")
	hold, err := tr.w.hold(HoldOrder{EmployeeID: tr.p.employee, Categories: categories, Matter: "A", By: tr.w.hr})
	var tooLate *TooLateError
	switch {
	case errors.As(err, &tooLate):
	case err != nil:
		tr.Fatal(err)
	default:
		tr.witness.holds[hold.ID] = categories
	}
}

func (tr *trial) release() {
	for id := range tr.witness.holds {
		tr.w.tx(tr, func(tx *database.Tx) error { return ReleaseHold(tx, id, tr.w.hr, models.Actor{}) })
		delete(tr.witness.holds, id)
		return
	}
}

func (tr *trial) lookAtPurges() {
	for _, id := range tr.w.openPurges(tr, tr.p) {
		tr.w.lookAtPurge(tr, id)
	}
}

func (tr *trial) decide() {
	decision := rapid.SampledFrom([]models.Decision{models.DecisionApproved, models.DecisionRejected}).Draw(tr.T, "decision")
	claims := tr.claims()
	for _, id := range tr.w.openPurges(tr, tr.p) {
		if err := tr.w.decide(id, tr.w.reviewer, decision); err != nil || decision != models.DecisionApproved {
			continue
		}
		for category, by := range claims {
			if by == id {
				tr.witness.approved[id] = append(tr.witness.approved[id], category)
			}
		}
	}
}

// purge calls all steps of every open purge, or the first few of them.
func (tr *trial) purge() {
	for _, id := range tr.w.openPurges(tr, tr.p) {
		steps := tr.w.steps(tr.w.purger(), id)
		for _, step := range steps[:rapid.IntRange(1, len(steps)).Draw(tr.T, "steps")] {
			if err := step(); errors.Is(err, ErrOutOfOrder) {
				break
			} else if err != nil {
				tr.Fatal(err)
			}
		}
	}
}

// byHand tries what an operator with SQL could try, and counts how often the trigger refused. What
// it lets pass is judged like everything else and rolled back.
func (tr *trial) byHand() (refused int) {
	rollback := errors.New("roll back")
	claims := tr.claims()
	for _, category := range models.Categories {
		id := tr.w.categoryID(tr, tr.p, category)
		err := tr.w.try(func(tx *database.Tx) error {
			r := tx.DB().Exec("UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE id = ? AND state = 'open'", id)
			if r.Error != nil {
				return database.Hide(r.Error)
			}
			now, err := tx.Now()
			if err != nil {
				return err
			}
			if why := tr.witness.mayNot(category, now, claims[category]); r.RowsAffected > 0 && why != "" {
				tr.Fatalf("the trigger lets %s pass %s", category, why)
			}
			return rollback
		})
		if database.Code(err) == database.CodeNotPurgeable {
			refused++
		} else if !errors.Is(err, rollback) {
			tr.Fatal(err)
		}
	}
	return refused
}
