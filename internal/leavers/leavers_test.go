package leavers

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

var reader = models.Actor{EmployeeID: uuid.New(), Role: models.RoleAuditor}

// world is a company whose rows a test writes as it likes.
type world struct {
	*testing.T
	env                          *databasetest.Env
	entities, departments, sites [2]uuid.UUID
	now                          time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, env: databasetest.New(t)}
	// What may be written when is not what these tests are about.
	for _, table := range []string{"departures", "employments", "linked_accounts", "batches"} {
		w.exec("ALTER TABLE " + table + " DISABLE TRIGGER USER")
	}
	for i := range w.entities {
		w.entities[i], w.departments[i], w.sites[i] = uuid.New(), uuid.New(), uuid.New()
		w.exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'E', 'CN', 'Asia/Shanghai')", w.entities[i], w.entities[i])
		w.exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", w.departments[i], w.entities[i], w.departments[i])
		w.exec("INSERT INTO sites (id, code, name_zh, name_en) VALUES (?, ?, '地', 'S')", w.sites[i], w.sites[i])
	}
	var err error
	if w.now, err = w.env.Facts.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if err := databasetest.Exec(w, w.env.Facts, sql, args...); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

// life is an employment with the departure that ended it, or did not.
type life struct {
	departure, employment, person uuid.UUID
	entity, site                  int
	stage                         models.Stage
	accounts                      models.AccountsState
	end                           clock.Date
	ended, cutoff, entered        time.Time
	linked                        []linked
}

type linked struct {
	state      models.AccountState
	registered bool
	external   bool
	finding    models.Finding
	confirmed  *time.Time
}

func (w *world) person() (id uuid.UUID, site int) {
	id, site = uuid.Must(uuid.NewV7()), rand.N(2)
	w.exec("INSERT INTO employees (id, employee_no, name, department_id, site_id) VALUES (?, ?, 'N', ?, ?)", id, id.String(), w.departments[0], w.sites[site])
	return id, site
}

func (w *world) write(l life) {
	w.exec(`INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ended_at)
		VALUES (?, ?, ?, ?, 'CN', 'Asia/Shanghai', '2020-01-01', ?)`, l.employment, l.person, w.entities[l.entity], w.departments[l.entity], l.ended)
	w.exec(`INSERT INTO departures (id, employee_id, employment_id, kind, stage, accounts_state, notice_received_on, last_working_day, employment_end_date,
			access_cutoff_at, employment_ended_at, time_zone, counts_from, created_at)
		VALUES (?, ?, ?, 'resignation', ?, ?, ?, ?, ?, ?, ?, 'Asia/Shanghai', ?, ?)`,
		l.departure, l.person, l.employment, l.stage, l.accounts, l.end, l.end, l.end, l.cutoff, l.ended, l.ended, l.entered)
	for _, a := range l.linked {
		var external *string
		if a.external {
			id := uuid.NewString()
			external = &id
		}
		w.exec("INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, registered, finding, state, confirmed_at) VALUES (?, ?, 'mail', 'mail', ?, ?, ?, ?, ?)",
			uuid.New(), l.employment, external, a.registered, a.finding, a.state, a.confirmed)
	}
}

func pick[T any](from []T) T { return from[rand.N(len(from))] }

// random is any employment, around a time.
func (w *world) random(person uuid.UUID, site int, around time.Time) life {
	zone, err := clock.LoadZone(pick([]string{"Asia/Shanghai", "Pacific/Auckland", "America/Los_Angeles"}))
	if err != nil {
		w.Fatal(err)
	}
	l := life{
		departure: uuid.Must(uuid.NewV7()), employment: uuid.Must(uuid.NewV7()), person: person, entity: rand.N(2), site: site,
		stage:    pick([]models.Stage{models.StagePendingDeparture, models.StageDeparted, models.StageDeparted, models.StagePurging, models.StagePurged, models.StageWithdrawn, models.StageAnnulled}),
		accounts: pick([]models.AccountsState{models.AccountsSettled, models.AccountsSettled, models.AccountsSettled, models.AccountsRelinked, models.AccountsLinked, models.AccountsUnlinking, models.AccountsNeedsAttention}),
		end:      clock.Today(around, zone).AddDays(rand.N(9) - 4),
	}
	l.ended = clock.EndOfDay(l.end, zone).UTC()
	l.cutoff = l.ended.Add(-time.Duration(rand.N(3)*rand.N(36)) * time.Hour)
	l.entered = l.cutoff.Add(-30 * 24 * time.Hour)
	if rand.N(3) == 0 {
		l.entered = l.cutoff.Add(time.Duration(rand.N(300)-20) * time.Minute)
	}
	for range rand.N(4) {
		a := linked{registered: rand.N(2) == 0, external: rand.N(2) == 0, state: pick([]models.AccountState{
			models.AccountDisabled, models.AccountDisabled, models.AccountDisabled, models.AccountDetached, models.AccountNotFound, models.AccountWaived,
			models.AccountLinked, models.AccountRelinked, models.AccountUnlinking, models.AccountStuck, models.AccountAccepted,
		})}
		if a.state.Settled() {
			at := l.cutoff.Add(time.Duration(rand.N(400)-100) * time.Minute)
			a.confirmed = &at
			if !a.registered {
				a.finding = pick([]models.Finding{models.FindingNothing, models.FindingKnown, models.FindingFound, models.FindingDetached})
			}
		}
		l.linked = append(l.linked, a)
	}
	return l
}

// wanted is what a report should say of a life, written without a look at how it does.
func (l life) wanted(late time.Duration) (outcome Outcome, delay time.Duration) {
	var known, open, waived, asked bool
	due := l.cutoff
	if l.late() {
		due = l.entered
	}
	for _, a := range l.linked {
		question := models.LinkedAccount{Registered: a.registered, Finding: a.finding}
		if a.external {
			question.ExternalID = new(string)
		}
		if question.LookUp() && (a.state == models.AccountLinked || a.state == models.AccountRelinked) {
			continue // called off
		}
		open = open || !a.state.Settled() || a.state == models.AccountDetached // nobody agreed to that
		waived = waived || a.state == models.AccountWaived
		off := a.state == models.AccountDisabled || a.state == models.AccountNotFound
		switch {
		case question.LookUp():
			asked = asked || off
		case off:
			known, delay = true, max(delay, a.confirmed.Sub(due))
		default:
			known = true
		}
	}
	switch {
	case open:
		return Open, 0
	case !known && !waived && !asked:
		return NotLooked, 0
	case l.accounts != models.AccountsSettled && l.accounts != models.AccountsRelinked:
		return Open, 0
	case waived:
		return Accepted, delay
	case !known:
		return NoneFound, 0
	case delay > late:
		return Late, delay
	}
	return InTime, delay
}

// late says that nobody could end access at the cutoff: the departure was not known.
func (l life) late() bool { return l.entered.Sub(l.cutoff) > time.Minute }

// inPeriod says whether a life is in a report.
func (l life) inPeriod(f Filter, now time.Time, w *world) bool {
	over := slices.Contains([]models.Stage{models.StageDeparted, models.StagePurging, models.StagePurged}, l.stage) ||
		l.stage == models.StagePendingDeparture && !l.ended.After(now)
	day := l.end
	if f.Basis == ByCutoff {
		day = clock.Today(l.cutoff, f.Zone)
	}
	return over && l.person != f.Reader.EmployeeID && !day.Before(f.From) && !f.To.Before(day) &&
		(f.LegalEntityID == uuid.Nil || f.LegalEntityID == w.entities[l.entity]) && (f.DepartmentID == uuid.Nil || f.DepartmentID == w.departments[l.entity]) &&
		(f.SiteID == uuid.Nil || f.SiteID == w.sites[l.site])
}

// TestEachEndedEmploymentIsThereOnce: random lives, periods, filters and pages.
func TestEachEndedEmploymentIsThereOnce(t *testing.T) {
	w := newWorld(t)
	var lives []life
	for i := range 150 {
		person, site := w.person()
		if i == 0 {
			person = reader.EmployeeID
			w.exec("INSERT INTO employees (id, employee_no, name, department_id, site_id) VALUES (?, 'own', 'N', ?, ?)", person, w.departments[0], w.sites[site])
		}
		for range 1 + rand.N(3) {
			l := w.random(person, site, w.now)
			w.write(l)
			lives = append(lives, l)
		}
	}
	for range 60 {
		zone, err := clock.LoadZone(pick([]string{"UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati"}))
		if err != nil {
			t.Fatal(err)
		}
		f := Filter{Reader: reader, Basis: pick(Bases), From: clock.Today(w.now, time.UTC).AddDays(rand.N(8) - 5), Zone: zone, LateAfter: time.Hour}
		f.To = f.From.AddDays(rand.N(4))
		switch rand.N(6) {
		case 0:
			f.LegalEntityID = w.entities[rand.N(2)]
		case 1:
			f.DepartmentID = w.departments[rand.N(2)]
		case 2:
			f.SiteID = w.sites[rand.N(2)]
		}
		want, counted := map[uuid.UUID]Outcome{}, map[Outcome]int{}
		delays, own, entered := []float64{}, 0, 0
		for _, l := range lives {
			if !l.inPeriod(f, w.now, w) {
				other := f
				other.Reader.EmployeeID = uuid.Nil
				if l.person == reader.EmployeeID && l.inPeriod(other, w.now, w) {
					own++
				}
				continue
			}
			outcome, delay := l.wanted(f.LateAfter)
			want[l.departure] = outcome
			counted[outcome]++
			if l.late() {
				entered++
			}
			if outcome == Late || outcome == InTime {
				delays = append(delays, max(0, delay.Seconds()))
			}
		}
		got, totals := w.read(f, nil, 1+rand.N(20))
		if diff := cmp.Diff(want, outcomes(got)); diff != "" || len(got) != len(want) {
			t.Fatalf("%+v: %d rows: %s", f, len(got), diff)
		}
		ordered(t, got)
		slices.Sort(delays)
		expected := Totals{
			Leavers: len(want), Open: counted[Open], NotLooked: counted[NotLooked], Accepted: counted[Accepted], Late: counted[Late], InTime: counted[InTime],
			NoneFound: counted[NoneFound], EnteredLate: entered, Own: own,
		}
		if n := len(delays); n > 0 {
			median := (delays[(n-1)/2] + delays[n/2]) / 2
			expected.Median, expected.Longest = &median, &delays[n-1]
		}
		if diff := cmp.Diff(expected, totals, cmp.Comparer(func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 })); diff != "" {
			t.Fatalf("%+v: %s", f, diff)
		}
		some := []Outcome{pick(Outcomes), pick(Outcomes)}
		few, same := w.read(f, some, 7)
		if same.Leavers != totals.Leavers || len(few) != counted[some[0]]+map[bool]int{true: counted[some[1]]}[some[1] != some[0]] {
			t.Fatalf("of %v: %d rows, totals of %d", some, len(few), same.Leavers)
		}
	}
}

// read walks all pages.
func (w *world) read(f Filter, some []Outcome, limit int) (all []Listed, totals Totals) {
	w.Helper()
	var after *Position
	for {
		rows, t, err := Page(w.env.Facts.Read(w.Context()), f, some, after, limit)
		if err != nil {
			w.Fatal(err)
		}
		all, totals = append(all, rows[:min(len(rows), limit)]...), t
		if len(rows) <= limit {
			return all, totals
		}
		after = &rows[limit-1].Position
	}
}

func outcomes(rows []Listed) map[uuid.UUID]Outcome {
	of := make(map[uuid.UUID]Outcome, len(rows))
	for _, r := range rows {
		of[r.ID] = r.Outcome
	}
	return of
}

// ordered: what is open comes first, then the longest delay.
func ordered(t *testing.T, rows []Listed) {
	t.Helper()
	rank := func(r Listed) (int, time.Duration) {
		switch {
		case r.Outcome == Open:
			return 0, 0
		case r.Outcome == NotLooked:
			return 1, 0
		case r.Delay == nil:
			return 2, 0
		}
		return 2, *r.Delay
	}
	for i := 1; i < len(rows); i++ {
		before, longer := rank(rows[i-1])
		now, shorter := rank(rows[i])
		if before > now || before == now && longer < shorter-time.Millisecond {
			t.Fatalf("%+v comes before %+v", rows[i-1], rows[i])
		}
	}
}
