package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// What one person in so many has, or is.
const (
	everyDeparture = 3   // has left, or is about to
	everyUser      = 100 // has an account here
	everyCase      = 20  // of those who left: an account was stuck
	everyPurge     = 3   // of those who left: a purge
	everyApproval  = 10  // of those who left: a request for approval
	departments    = 500
)

// The names: two characters that many people have, others that a dozen has, and one name that one has.
const (
	surnames   = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
	givenNames = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华国文建志海天宇浩然晨阳雪梅兰竹菊琳欣悦佳思雨子轩梓涵"
	rareName   = "司徒霁月"
)

// A rowID is in the order of its number, as ids by time are.
func rowID(table byte, n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(1_600_000_000_000+int64(n)*300)<<16) // half a million a day
	id[6], id[8], id[9] = 0x70, 0x80, table
	binary.BigEndian.PutUint32(id[12:], uint32(n)) // a number of a row
	return id
}

// The tables, in the ids of their rows.
const (
	tableEmployee byte = iota
	tableEmployment
	tableDeparture
	tableCategory
	tableDeadline
	tableAccount
	tableOperation
	tableStep
	tableCase
	tablePurge
	tableApproval
	tableUser
	tableDepartment
)

// mix scatters a number, so that what people have does not go by their order.
func mix(n, salt int) int {
	x := uint64(n)*0x9e3779b97f4a7c15 + uint64(salt)*0xbf58476d1ce4e5b9 // wraps
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	return int((x ^ x>>29) >> 2)
}

func personName(n int) string {
	if n == 123_456 || n == 7 {
		return rareName
	}
	first, given := []rune(surnames), []rune(givenNames)
	if mix(n, 1)%20 == 0 {
		return []string{"Anna", "Omar", "Jean", "Lars", "Mei"}[mix(n, 2)%5] + " " + []string{"Schmidt", "Haddad", "Dupont", "Lindqvist", "Tanaka"}[mix(n, 3)%5] + fmt.Sprint(mix(n, 4)%1000)
	}
	pick := func(from []rune, salt int) string { // the first ones most
		return string(from[mix(n, salt)%len(from)*(mix(n, salt+1)%len(from))/len(from)])
	}
	if mix(n, 5)%3 == 0 {
		return pick(first, 6) + pick(given, 8)
	}
	return pick(first, 6) + pick(given, 8) + pick(given, 10)
}

// filler copies rows.
type filler struct {
	conn       *pgx.Conn
	people     int
	entity     uuid.UUID
	rules      map[models.Category]uuid.UUID
	now        time.Time
	categories []models.Category
}

// table copies so many rows.
func (f *filler) table(ctx context.Context, name string, columns []string, count int, row func(n int) []any) error {
	next := 0
	_, err := f.conn.CopyFrom(ctx, pgx.Identifier{name}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if next == count {
			return nil, nil //nolint:nilnil // the end of the rows
		}
		next++
		return row(next - 1), nil
	}))
	if err != nil {
		return fmt.Errorf("copying %s: %w", name, database.Hide(err))
	}
	return nil
}

// stage is where the departure of somebody is.
func stage(d int) models.Stage {
	switch s := mix(d, 20) % 100; {
	case s < 5:
		return models.StagePendingDeparture
	case s < 60:
		return models.StageDeparted
	case s < 62:
		return models.StagePurging
	case s < 96:
		return models.StagePurged
	}
	return models.StageWithdrawn
}

// lastDay is spread over ten years, those to come within a quarter.
func (f *filler) lastDay(d int) time.Time {
	if stage(d) == models.StagePendingDeparture {
		return f.now.AddDate(0, 0, 1+mix(d, 21)%90).Truncate(24 * time.Hour)
	}
	return f.now.AddDate(0, 0, -1-mix(d, 21)%3650).Truncate(24 * time.Hour)
}

func (f *filler) status(n int) string {
	if n%everyDeparture != 0 {
		return string(models.StatusActive)
	}
	switch stage(n / everyDeparture) {
	case models.StagePendingDeparture:
		return string(models.StatusPendingDeparture)
	case models.StagePurged:
		return string(models.StatusPurged)
	case models.StageWithdrawn:
		return string(models.StatusActive)
	}
	return string(models.StatusDeparted)
}

// fill copies everybody with what they have. Triggers and foreign keys are off: no statement of it could
// happen so, and nothing of the database is kept.
func (f *filler) fill(ctx context.Context) error {
	left := f.people / everyDeparture
	person := func(d int) uuid.UUID { return rowID(tableEmployee, d*everyDeparture) }
	employment := func(d int) uuid.UUID { return rowID(tableEmployment, d*everyDeparture) }
	per := len(f.categories)
	old := f.now.AddDate(-12, 0, 0)
	for _, t := range []struct {
		name    string
		columns []string
		count   int
		row     func(n int) []any
	}{
		{"departments", []string{"id", "legal_entity_id", "code", "code_key", "name_zh", "name_en"}, departments, func(n int) []any {
			return []any{rowID(tableDepartment, n), f.entity, fmt.Sprintf("P%d", n), fmt.Sprintf("p%d", n), fmt.Sprintf("部门%d", n), fmt.Sprintf("Department %d", n)}
		}},
		{"employees", []string{"id", "employee_no", "employee_no_key", "name", "department_id", "status", "search_names"}, f.people, func(n int) []any {
			no := fmt.Sprintf("%07d", n)
			return []any{rowID(tableEmployee, n), "P" + no, "p" + no, personName(n), rowID(tableDepartment, mix(n, 12)%departments), f.status(n), archive.FoundBy(personName(n))}
		}},
		{"employments", []string{"id", "employee_id", "legal_entity_id", "department_id", "post", "jurisdiction", "time_zone", "hired_on"}, f.people, func(n int) []any {
			return []any{rowID(tableEmployment, n), rowID(tableEmployee, n), f.entity, rowID(tableDepartment, mix(n, 12)%departments), "工程师", "CN", "Asia/Shanghai", old}
		}},
		{"employment_categories", []string{"id", "employment_id", "category"}, left * per, func(n int) []any {
			return []any{rowID(tableCategory, n), employment(n / per), string(f.categories[n%per])}
		}},
		{"departures", []string{
			"id", "employee_id", "employment_id", "kind", "initiator", "stage", "accounts_state", "notice_received_on", "last_working_day",
			"employment_end_date", "access_cutoff_at", "employment_ended_at", "time_zone", "seen_revision", "nudged_at", "search_text", "search_names",
			"created_at", "accounts_settled_at",
		}, left, func(n int) []any {
			day := f.lastDay(n)
			var settled any
			if s := stage(n); s == models.StageDeparted || s == models.StagePurging || s == models.StagePurged {
				settled = day.Add(10*time.Hour + time.Duration(mix(n, 24)%100_000)*time.Second)
			}
			return []any{
				rowID(tableDeparture, n), person(n), employment(n), "resignation", "employee", string(stage(n)), "settled", day.AddDate(0, 0, -30), day, day,
				day.Add(10 * time.Hour), day.Add(16 * time.Hour), "Asia/Shanghai", 1, nil,
				strings.ToLower(personName(n*everyDeparture)) + fmt.Sprintf("\np%07d", n*everyDeparture), // as person_text gives it
				archive.FoundBy(personName(n * everyDeparture)), day.AddDate(0, 0, -30), settled,
			}
		}},
		{"retention_deadlines", []string{
			"id", "departure_id", "employment_id", "category_id", "category", "rule_id", "event_at", "deadline", "floor_at", "state",
		}, left * per, func(n int) []any {
			d, state := n/per, models.DeadlineScheduled
			if stage(d) == models.StagePurged {
				state = models.DeadlinePurged
			}
			end := f.lastDay(d).Add(16 * time.Hour)
			deadline := end.AddDate(1+mix(n, 22)%12, 0, mix(n, 23)%200)
			return []any{
				rowID(tableDeadline, n), rowID(tableDeparture, d), employment(d), rowID(tableCategory, n), string(f.categories[n%per]), f.rules[f.categories[n%per]],
				end, deadline, end, string(state),
			}
		}},
		{"linked_accounts", []string{"id", "employment_id", "system", "kind", "external_id", "state", "operation_id"}, left * 2, func(n int) []any {
			return []any{rowID(tableAccount, n), employment(n / 2), systemNames[n%2], systemNames[n%2], fmt.Sprintf("x%d", n), "unlinked", rowID(tableOperation, n/2)}
		}},
		{"account_operations", []string{"id", "employment_id", "departure_id", "kind", "mode", "origin", "state", "seen_revision", "nudged_at"}, left, func(n int) []any {
			return []any{rowID(tableOperation, n), employment(n), rowID(tableDeparture, n), "unlink", "disable", "departure", "settled", 1, nil}
		}},
		{"account_steps", []string{"id", "operation_id", "account_id", "system", "position", "action", "state", "tries"}, left * 2, func(n int) []any {
			return []any{rowID(tableStep, n), rowID(tableOperation, n/2), rowID(tableAccount, n), systemNames[n%2], n % 2, "unlink", "confirmed", 1}
		}},
		{"support_cases", []string{"id", "operation_id", "step_id", "account_id", "departure_id", "system", "reason", "state", "closed_at"}, left / everyCase, func(n int) []any {
			d, state, closed := n*everyCase, "closed", &f.now
			if n%100 == 0 {
				state, closed = "open", nil
			}
			return []any{rowID(tableCase, n), rowID(tableOperation, d), rowID(tableStep, d*2), rowID(tableAccount, d*2), rowID(tableDeparture, d), systemNames[0], "unavailable", state, closed}
		}},
		{"purges", []string{"id", "departure_id", "employment_id", "state", "review_required", "seen_revision", "nudged_at"}, left / everyPurge, func(n int) []any {
			state := models.PurgePurged
			if n%200 == 0 {
				state = models.PurgeInReview
			}
			return []any{rowID(tablePurge, n), rowID(tableDeparture, n*everyPurge), employment(n * everyPurge), string(state), true, 1, nil}
		}},
		{"purge_claims", []string{"purge_id", "departure_id", "category_id", "category", "state"}, left / everyPurge, func(n int) []any {
			d := n * everyPurge
			return []any{rowID(tablePurge, n), rowID(tableDeparture, d), rowID(tableCategory, d*per), string(f.categories[0]), "purged"}
		}},
		{"approvals", []string{
			"id", "operation", "command_hash", "targets", "state_digest", "hash", "subject_ids", "requester_id", "requester_role",
			"requester_authenticated", "state", "expires_at", "decided_by", "ended_at",
		}, left / everyApproval, func(n int) []any {
			zero, d := make([]byte, 32), n*everyApproval
			return []any{
				rowID(tableApproval, n), "departure.annul", zero, fmt.Sprintf(`[{"kind": "departure", "id": %q, "version": "1"}]`, rowID(tableDeparture, d)), zero, zero,
				[]uuid.UUID{person(d)}, rowID(tableEmployee, 1), "hr_admin", "totp", "approved", f.now.Add(time.Hour), rowID(tableEmployee, 2), f.now,
			}
		}},
		{"users", []string{"id", "employee_id", "login", "state"}, f.people / everyUser, func(n int) []any {
			return []any{rowID(tableUser, n), rowID(tableEmployee, n*everyUser+4), fmt.Sprintf("p%d", n), "active"}
		}},
	} {
		began := time.Now()
		if err := f.alone(ctx, t.name); err != nil {
			return err
		}
		if err := f.table(ctx, t.name, t.columns, t.count, t.row); err != nil {
			return err
		}
		fmt.Printf("  %-22s %8d rows in %.0f s\n", t.name, t.count, time.Since(began).Seconds())
	}
	return nil
}

// alone takes a table's triggers and foreign keys away.
func (f *filler) alone(ctx context.Context, table string) error {
	if _, err := f.conn.Exec(ctx, "ALTER TABLE "+table+" DISABLE TRIGGER ALL"); err != nil {
		return fmt.Errorf("preparing %s: %w", table, database.Hide(err))
	}
	return nil
}

// newFiller knows the rules of the installation that it fills.
func newFiller(ctx context.Context, w *world, people int) (*filler, error) {
	f := &filler{people: people, rules: map[models.Category]uuid.UUID{}, categories: models.Categories, now: time.Now().UTC()}
	var rules []models.RetentionRule
	if err := w.facts.Read(ctx).Where("jurisdiction = 'CN'").Find(&rules).Error; err != nil {
		return nil, fmt.Errorf("reading the rules: %w", database.Hide(err))
	}
	for _, r := range rules {
		f.rules[r.Category] = r.ID
	}
	var err error
	if f.conn, err = pgx.Connect(ctx, w.postgres.URL("lethe")); err != nil {
		return nil, fmt.Errorf("connecting: %w", database.Hide(err))
	}
	if err := f.conn.QueryRow(ctx, "SELECT id FROM legal_entities").Scan(&f.entity); err != nil {
		return nil, fmt.Errorf("reading the legal entity: %w", database.Hide(err))
	}
	return f, nil
}
