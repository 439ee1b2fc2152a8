package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lethe/internal/clock"
	"lethe/internal/cut"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/overview"
	"lethe/models"
)

// line is how much of one thing waits, and where in the console it is.
type line struct {
	what, path string // what is the name of a text
	n          int
	aside      bool // good to know, and nothing to do: by itself no reason for a mail
}

// urgent counts what cannot wait for somebody, and says when the newest of it came to be.
func urgent(g *gorm.DB, t told) (lines []line, newest *time.Time, err error) {
	holds := func(roles ...models.Role) bool {
		return slices.ContainsFunc(roles, func(r models.Role) bool { return slices.Contains(t.Held, string(r)) })
	}
	var found []struct {
		What string
		N    int
		At   *time.Time
	}
	err = g.Raw(`SELECT 'cuts' AS what, count(*) AS n, max(coalesce(escalated_at, ordered_at)) AS at FROM access_cuts
			WHERE @confirms AND state = 'unconfirmed' AND employee_id <> @person AND ordered_by <> @person
		UNION ALL SELECT 'looks', count(*), max(escalated_at) FROM disclosures
			WHERE @urgent AND @confirms AND escalated_at IS NOT NULL AND reviewed_at IS NULL AND employee_id <> @person AND actor_id <> @person
		UNION ALL SELECT 'purges', count(*), max(p.escalated_at) FROM purges p JOIN departures d ON d.id = p.departure_id
			WHERE @urgent AND @reviews AND p.escalated_at IS NOT NULL AND p.state IN ('in_review', 'rejected') AND d.employee_id <> @person
		UNION ALL SELECT 'requests', count(*), max(answer_due_at) FROM subject_requests
			WHERE @urgent AND @answers AND state = 'open' AND answer_due_at <= lethe_now() AND employee_id <> @person
		UNION ALL SELECT 'alarms', count(*), max(alarm_since) FROM (
			SELECT DISTINCT ON (system) outcome, alarm_since FROM reconciliation_systems WHERE @compares AND ended_at IS NOT NULL ORDER BY system, ended_at DESC
		) last WHERE @urgent AND outcome = 'alarm'`, map[string]any{
		"person": t.EmployeeID, "urgent": t.Urgent, "confirms": holds(cut.Confirmers...), "reviews": holds(models.RoleReviewer), "answers": holds(models.RoleHRAdmin), "compares": holds(models.RoleITOps),
	}).Scan(&found).Error
	if err != nil {
		return nil, nil, database.Wrap("counting what is urgent", err)
	}
	paths := map[string]string{"cuts": "cuts", "looks": "", "purges": "retention", "requests": "requests", "alarms": "reconciliation"}
	for _, f := range found {
		lines = append(lines, line{what: "urgent_" + f.What, path: paths[f.What], n: f.N})
		if f.At != nil && (newest == nil || f.At.After(*newest)) {
			newest = f.At
		}
	}
	return lines, newest, nil
}

// digest counts what waits for somebody, as the console's first screen does.
func (n *Reminders) digest(ctx context.Context, t told, now time.Time) ([]line, error) {
	zone, err := clock.LoadZone(t.TimeZone)
	if err != nil {
		return nil, err
	}
	a := overview.Asker{Person: t.EmployeeID, Today: clock.Today(now, zone)}
	for _, role := range t.roles() {
		a.Decides = append(a.Decides, n.Approvals.DecidedBy(role)...)
		a.Confirms = a.Confirms || slices.Contains(cut.Confirmers, role)
	}
	w, err := overview.Count(ctx, n.DB, a)
	if err != nil {
		return nil, err
	}
	lines := []line{{"approvals", "approvals", w.Approvals, false}, {"cuts", "cuts", w.Cuts, false}}
	hr, it := slices.Contains(t.roles(), models.RoleHRAdmin), slices.Contains(t.roles(), models.RoleITOps)
	if hr || it {
		lines = append(lines, line{"cases", "cases", w.Cases, hr && !it})
	}
	if hr || slices.Contains(t.roles(), models.RoleReviewer) {
		lines = append(lines, line{"looks", "", w.Looks, false})
	}
	if hr {
		lines = append(lines, line{"requests", "requests", w.Requests, false})
	}
	if hr || it {
		lines = append(lines, line{"leaving_today", "departures", w.LeavingToday, true}, line{"leaving_week", "departures", w.LeavingWeek, true})
	}
	if hr {
		lines = append(lines, line{"deletions", "retention", w.Deletions, true})
	}
	return lines, nil
}

// Write is a mail's subject and text; empty: nothing waits.
func (n *Reminders) Write(ctx context.Context, m models.Message) (subject, text string, err error) {
	rows, err := of(n.DB.Read(ctx), m.EmployeeID)
	if err != nil || len(rows) == 0 {
		return "", "", err
	}
	t := rows[0]
	now, err := n.DB.Now(ctx)
	if err != nil {
		return "", "", err
	}
	var lines []line
	if m.Reminder == models.ReminderUrgent {
		lines, _, err = urgent(n.DB.Read(ctx), t)
	} else {
		lines, err = n.digest(ctx, t, now)
	}
	lines = slices.DeleteFunc(lines, func(l line) bool { return l.n == 0 })
	if err != nil || !slices.ContainsFunc(lines, func(l line) bool { return !l.aside }) {
		return "", "", err
	}
	// What is good to know stands behind what waits.
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(btoi(a.aside), btoi(b.aside)) })
	subject, text = n.text(t.Language, m.Reminder, lines)
	return subject, text, nil
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (n *Reminders) text(language i18n.Language, notice models.ReminderKind, lines []line) (subject, text string) {
	say := func(key string) string { return i18n.Text(language, "reminder."+key) }
	at := func(path string) string { return strings.TrimRight(n.PublicURL, "/") + "/console/" + path }
	var b strings.Builder
	b.WriteString(say(string(notice)) + "\n\n")
	for i, l := range lines {
		if l.aside && !lines[i-1].aside {
			b.WriteString("\n" + say("aside") + "\n\n")
		}
		b.WriteString(fmt.Sprintf(say(l.what), l.n) + "\n")
		if n.PublicURL != "" {
			b.WriteString("  " + at(l.path) + "\n")
		}
	}
	b.WriteString("\n" + say("end") + "\n")
	return say(string(notice) + "_subject"), b.String()
}
