package database_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// TestI1_TheUpgradeStopsWhatWasRejected has purges of 0.2 in each state, of a departure that was entered in
// time and of one that was entered as long over, and takes them through the migration.
func TestI1_TheUpgradeStopsWhatWasRejected(t *testing.T) {
	env := databasetest.NewUnmarked(t)
	db := env.Facts.Read(t.Context())
	must(t, database.MigrateDown(t.Context(), env.Facts, database.SchemaMain, 18))
	reviewer := env.Hire(t, "CN").EmployeeID
	for name, c := range map[string]struct {
		backdated       bool
		state, decision string
		deadline        string
		wantState       string
		wantRequired    bool // of the purge
		wantRefused     bool // of the category
		wantSeen        bool // nothing wakes it
	}{
		"claimed":                   {false, "claimed", "", "scheduled", "claimed", false, false, true},
		"in review":                 {false, "in_review", "", "in_review", "in_review", false, false, true},
		"approved":                  {false, "in_review", "approved", "in_review", "in_review", false, false, true},
		"rejected":                  {false, "in_review", "rejected", "in_review", "rejected", true, true, false},
		"rejected, then begun":      {false, "purging", "rejected", "purging", "purging", false, true, true},
		"rejected and done":         {false, "purged", "rejected", "purged", "purged", false, true, true},
		"cancelled":                 {false, "cancelled", "rejected", "held", "cancelled", false, true, true},
		"laid aside by a hold":      {false, "cancelled", "rejected", "in_review", "cancelled", false, true, true},
		"entered late, claimed":     {true, "claimed", "", "scheduled", "claimed", true, false, false},
		"entered late, in review":   {true, "in_review", "", "in_review", "in_review", true, false, false},
		"entered late and rejected": {true, "in_review", "rejected", "in_review", "rejected", true, true, false},
		"entered late and done":     {true, "purged", "", "purged", "purged", false, false, true},
	} {
		ago := "0 days"
		if c.backdated {
			ago = "900 days"
		}
		employment := env.Hire(t, "CN")
		dep, category, rule, purge := uuid.New(), uuid.New(), uuid.New(), uuid.New()
		exec := func(sql string, args ...any) {
			t.Helper()
			if err := db.Exec(sql, args...).Error; err != nil {
				t.Fatalf("%s: %s: %v", name, sql, database.Hide(err))
			}
		}
		exec(`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date,
			access_cutoff_at, employment_ended_at, time_zone) SELECT ?, ?, ?, 'resignation', d, d, d, d, d, 'Asia/Shanghai'
			FROM (SELECT now() - ?::interval AS d) AS x`, dep, employment.EmployeeID, employment.ID, ago)
		exec("UPDATE departures SET stage = 'departed', departed_at = now() WHERE id = ?", dep)
		if !c.backdated { // it was entered before it ended
			exec("UPDATE departures SET created_at = employment_ended_at - interval '20 days' WHERE id = ?", dep)
		}
		exec("INSERT INTO employment_categories (id, employment_id, category, state) VALUES (?, ?, 'contract', 'open')", category, employment.ID)
		exec("INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, basis_zh, basis_en) VALUES (?, ?, 'contract', 1, 'P2Y', 'P2Y', 'employment_end', '', '')", rule, rule)
		exec(`INSERT INTO retention_deadlines (id, departure_id, employment_id, category_id, category, rule_id, event_at, deadline, floor_at, state)
			SELECT ?, id, employment_id, ?, 'contract', ?, employment_ended_at, employment_ended_at, employment_ended_at, ? FROM departures WHERE id = ?`,
			uuid.New(), category, rule, c.deadline, dep)
		exec("ALTER TABLE purges DISABLE TRIGGER purges_recorded") // the row is there from before
		exec(`INSERT INTO purges (id, departure_id, employment_id, state, decision, decided_by, decided_at, intent_at, seen_revision)
			VALUES (?, ?, ?, ?, ?, NULLIF(?, '')::uuid, now(), CASE WHEN ? IN ('purging', 'purged') THEN now() END, 1)`,
			purge, dep, employment.ID, c.state, c.decision, map[bool]string{true: reviewer.String()}[c.decision != ""], c.state)
		claim := map[string]string{"purged": "purged", "cancelled": "left"}[c.state]
		if claim == "" {
			claim = "open"
		}
		exec("INSERT INTO purge_claims (purge_id, departure_id, category_id, category, state) VALUES (?, ?, ?, 'contract', ?)", purge, dep, category, claim)

		next := uuid.New()
		if claim == "left" && c.deadline == "in_review" { // the hold was released, and somebody approved the purge that followed
			exec("INSERT INTO purges (id, departure_id, employment_id, state, decision, decided_by, decided_at, seen_revision) VALUES (?, ?, ?, 'in_review', 'approved', ?, now(), 1)",
				next, dep, employment.ID, env.Hire(t, "CN").EmployeeID)
			exec("INSERT INTO purge_claims (purge_id, departure_id, category_id, category) VALUES (?, ?, ?, 'contract')", next, dep, category)
		}

		t.Run(name, func(t *testing.T) {
			must(t, database.Migrate(t.Context(), env.Facts, database.SchemaMain))
			p, err := database.First[models.Purge](db.Where("id = ?", purge))
			must(t, err)
			l, err := database.First[models.RetentionDeadline](db.Where("departure_id = ?", dep))
			must(t, err)
			var refused bool
			must(t, db.Raw("SELECT EXISTS (SELECT FROM purge_rejections WHERE category_id = ? AND purge_id = ? AND rejected_by = ?)", category, purge, reviewer).Scan(&refused).Error)
			var asleep int64
			must(t, db.Raw("SELECT count(*) FROM purges WHERE id = ? AND revision = seen_revision", next).Scan(&asleep).Error)
			if asleep != 0 {
				t.Error("the purge that followed does not look again")
			}
			d, err := database.First[models.Departure](db.Where("id = ?", dep))
			must(t, err)
			if string(p.State) != c.wantState || p.ReviewRequired != (c.wantRequired && c.wantState != "rejected") && c.wantState != "rejected" ||
				refused != c.wantRefused || (p.Revision == p.SeenRevision) != c.wantSeen {
				t.Errorf("state %s, review required %v, refused %v, revision %d, seen %d", p.State, p.ReviewRequired, refused, p.Revision, p.SeenRevision)
			}
			if c.wantState == "rejected" && (p.RejectedBy == nil || *p.RejectedBy != reviewer || p.RejectedAt == nil) {
				t.Errorf("rejected by %v at %v", p.RejectedBy, p.RejectedAt)
			}
			if d.Advanced != c.backdated || l.Advanced != (c.backdated && c.wantState != "purged") || !d.EventAt().Equal(d.EmploymentEndedAt) {
				t.Errorf("advanced %v and %v, counts from %s, ended %s", d.Advanced, l.Advanced, d.CountsFrom, d.EmploymentEndedAt)
			}
			var may bool
			must(t, db.Raw("SELECT lethe_purgeable(?)", category).Scan(&may).Error)
			if want := c.decision == "approved"; may != want {
				t.Errorf("purgeable: %v, want %v", may, want)
			}
			must(t, database.MigrateDown(t.Context(), env.Facts, database.SchemaMain, 18))
		})
	}
}
