package retention

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

// A life is what one person, the HR that deals with them, the reviewers and time do to one another, drawn
// from a seed: one to three employments, holds of each kind, rehires, annulments, withdrawals, moves to
// another entity, decisions about purges by one person and by two, interrupted purges. The model below says by its own bookkeeping what may be
// destroyed and what must be.

// kept is a hold as the model knows it. Whoever matched once stays covered.
type kept struct {
	id         uuid.UUID
	categories []models.Category
	matches    func(l *life) bool
	covered    bool
}

// asksForReview is the category whose rules ask for a review in every jurisdiction here; the packs' own do not.
const asksForReview = models.CategoryContract

// spell is one employment as the model knows it.
type spell struct {
	person
	at         string // the jurisdiction whose department it is in now
	ended      bool
	endedOn    clock.Date
	departedAt time.Time
	endedAt    time.Time
	deadlines  map[models.Category]time.Time
	asking     map[models.Category]bool
	refusers   map[models.Category][]models.Actor // for good
	gone       map[models.Category]bool
}

type life struct {
	*testing.T
	*rand.Rand
	w         *world
	reviewers []models.Actor
	spells    []*spell
	holds     []*kept
	last      []models.Actor // two reviewers who decide nothing before the end
	approved  map[uuid.UUID]map[models.Category][]models.Actor
	decisions map[string]int
	history   []string
}

func (l *life) current() *spell { return l.spells[len(l.spells)-1] }

func (l *life) fail(format string, args ...any) {
	l.Helper()
	l.Fatalf("%s\nafter %v", fmt.Sprintf(format, args...), l.history)
}

func (l *life) held(c models.Category) bool {
	return slices.ContainsFunc(l.holds, func(h *kept) bool {
		return h.covered && (len(h.categories) == 0 || slices.Contains(h.categories, c))
	})
}

// mayNot says why a category must not be destroyed at an instant; empty if it may.
func (l *life) mayNot(s *spell, c models.Category, at time.Time, by []models.Actor) string {
	agreed := len(by) > 0
	switch {
	case !s.ended:
		return "of an employment that has not ended"
	case at.Before(s.deadlines[c]):
		return "before its deadline"
	case l.held(c):
		return "under hold"
	case s.asking[c] && !agreed:
		return "without the review that its rule asks for"
	case len(s.refusers[c]) > 0 && (len(by) != 2 || by[0] == by[1]):
		return "on fewer than two people's word though a reviewer refused it"
	case slices.ContainsFunc(by, func(a models.Actor) bool { return slices.Contains(s.refusers[c], a) }):
		return "on the word of somebody who had refused it"
	case s.jurisdiction != "DEMO" && at.Before(s.departedAt.Add(30*day)) && !agreed:
		return "within 30 days without a reviewer"
	}
	return ""
}

var lawful = []string{"CN", "DE", "JP", "DEMO"}

func (l *life) pick(list []string) string { return list[l.IntN(len(list))] }

func (l *life) depart() {
	s := l.current()
	if s.ended {
		return
	}
	// The days of a departure that lie back count as they are here; nobody asks who agreed to them.
	s.endedAt = l.w.now(l).Add(-time.Duration(l.IntN(20)) * day)
	s.person = l.w.depart(l, s.person, s.endedAt)
	row := query[models.Departure](l, l.w, "SELECT * FROM departures WHERE id = ?", s.departure)
	s.ended, s.departedAt, s.endedAt, s.endedOn = true, *row.DepartedAt, row.EmploymentEndedAt, row.EmploymentEndDate
	s.deadlines = map[models.Category]time.Time{}
	s.asking, s.gone = map[models.Category]bool{}, map[models.Category]bool{}
	if s.refusers == nil { // a departure that was annulled leaves them
		s.refusers = map[models.Category][]models.Actor{}
	}
	rules, err := loadPack(s.jurisdiction)
	if err != nil {
		l.Fatal(err)
	}
	for _, r := range rules.Rules {
		deadline, _, err := Deadline(r.row(s.jurisdiction), s.endedAt, zone(l, zoneOf[s.jurisdiction]))
		if err != nil {
			l.Fatal(err)
		}
		s.deadlines[r.Category], s.asking[r.Category] = deadline, r.ReviewRequired || r.Category == asksForReview
	}
}

func (l *life) rehire() {
	last := l.current()
	if !last.ended || len(l.spells) == 3 {
		return
	}
	to := l.pick(lawful)
	p := l.w.hireAs(l, to, last.number, clock.DateOf(l.w.now(l)).AddDays(1))
	l.spells = append(l.spells, &spell{person: p, at: to})
}

// annul takes a departure back, as two people do: before the first intent, and while nobody came back. Once
// they left again the package departure refuses it by itself.
func (l *life) annul() {
	s := l.spells[l.IntN(len(l.spells))]
	if !s.ended || s != l.current() && l.current().ended {
		return
	}
	err := l.w.try(func(tx *database.Tx) error {
		if err := Cancel(tx, s.departure, l.w.hr); err != nil {
			return err
		}
		if err := archive.EndEmployment(tx, s.employment, nil, databasetest.Entry(l, tx)); err != nil {
			return err
		}
		if err := archive.SetStatus(tx, s.employee, models.StatusActive); err != nil {
			return err
		}
		err := database.UpdateOne(tx.DB().Exec("UPDATE departures SET stage = 'annulled', annulled_at = lethe_now() WHERE id = ?", s.departure))
		return errors.Join(err, databasetest.Told(tx, s.departure))
	})
	switch {
	case len(s.gone) > 0:
		if !errors.Is(err, ErrPurgeBegan) {
			l.fail("annulled after a purge: %v", err)
		}
	case !l.current().ended:
		if !errors.Is(err, archive.ErrStillEmployed) {
			l.fail("annulled after a rehire: %v", err)
		}
	case err != nil:
		l.fail("annulling: %v", err)
	default:
		s.ended = false
	}
}

// withdraw begins a departure and takes it back before its end.
func (l *life) withdraw() {
	s := l.current()
	if s.ended {
		return
	}
	id, at := uuid.Must(uuid.NewV7()), l.w.now(l).Add(30*day)
	d := clock.DateOf(at)
	l.w.tx(l, func(tx *database.Tx) error {
		if err := archive.SetStatus(tx, s.employee, models.StatusPendingDeparture); err != nil {
			return err
		}
		dep := models.Departure{
			ID: id, EmployeeID: s.employee, EmploymentID: s.employment, Kind: models.KindResignation,
			Stage: models.StagePendingDeparture, AccountsState: models.AccountsLinked, NoticeReceivedOn: d, LastWorkingDay: d,
			EmploymentEndDate: d, AccessCutoffAt: at, EmploymentEndedAt: at, TimeZone: zoneOf[s.jurisdiction], CountsFrom: at, Driven: models.Driven{Revision: 1},
		}
		if err := tx.DB().Create(&dep).Error; err != nil {
			return database.Hide(err)
		}
		err := database.UpdateOne(tx.DB().Exec("UPDATE departures SET stage = 'withdrawn', withdrawn_at = lethe_now() WHERE id = ?", id))
		if err != nil {
			return err
		}
		if err := databasetest.Told(tx, id); err != nil {
			return err
		}
		return archive.SetStatus(tx, s.employee, models.StatusActive)
	})
}

// move is a change of department and with it of the legal entity; the jurisdiction stays.
func (l *life) move() {
	s := l.current()
	to := l.pick(lawful)
	department := l.w.department[to]
	l.w.tx(l, func(tx *database.Tx) error {
		file, err := archive.Patch{DepartmentID: &department}.Prepare(tx, s.employee)
		if err != nil {
			return err
		}
		if err := file.Write(tx, l.w.vault); err != nil {
			return err
		}
		if !s.ended {
			return nil
		}
		following, err := PrepareFollowing(tx, file.Employment)
		if err != nil {
			return err
		}
		return following.Write(tx)
	})
	s.at = to
}

func (l *life) hold() {
	o := HoldOrder{Matter: "A", By: l.w.hr}
	for range l.IntN(3) {
		o.Categories = append(o.Categories, models.Categories[l.IntN(len(models.Categories))])
	}
	h := &kept{categories: o.Categories, matches: func(*life) bool { return true }}
	switch l.IntN(6) {
	case 0, 1:
		o.EmployeeID = l.current().employee
	case 2:
		o.Everybody = true
	case 3, 4:
		at := l.pick(lawful)
		department := l.w.department[at]
		o.Query.DepartmentID = &department
		h.matches = func(l *life) bool { return slices.ContainsFunc(l.spells, func(s *spell) bool { return s.at == at }) }
	default:
		from := clock.DateOf(l.w.now(l)).AddDays(-l.IntN(60))
		to := from.AddDays(l.IntN(90))
		o.Query.LeftFrom, o.Query.LeftTo = &from, &to
		h.matches = func(l *life) bool {
			return slices.ContainsFunc(l.spells, func(s *spell) bool { return s.ended && !s.endedOn.Before(from) && !s.endedOn.After(to) })
		}
	}
	placed, err := l.w.hold(o)
	var tooLate *TooLateError
	if errors.As(err, &tooLate) {
		return
	}
	if err != nil {
		l.fail("placing a hold: %v", err)
	}
	h.id = placed.ID
	l.holds = append(l.holds, h)
}

func (l *life) release() {
	if len(l.holds) == 0 {
		return
	}
	i := l.IntN(len(l.holds))
	l.w.release(l, l.holds[i].id)
	l.holds = slices.Delete(l.holds, i, i+1)
}

func (l *life) wait() {
	units := []time.Duration{time.Minute, day, 29 * day, 31 * day, 400 * day, 3 * 366 * day}
	l.w.env.Advance(l.T, units[l.IntN(len(units))])
}

// relay does what relay and workflows do: it looks at what has an unseen revision or whose time has come,
// and at nothing else, until there is no more.
func (l *life) relay() {
	const due = "(revision > seen_revision OR wake_at <= lethe_now())"
	for range 50 {
		retentions := query[[]uuid.UUID](l, l.w, `SELECT r.id FROM retentions r JOIN employments m ON m.id = r.employment_id
			WHERE m.employee_id = ? AND `+due+" ORDER BY r.id", l.current().employee)
		purges := query[[]uuid.UUID](l, l.w, `SELECT p.id FROM purges p JOIN employments m ON m.id = p.employment_id
			WHERE m.employee_id = ? AND `+due+" ORDER BY p.id", l.current().employee)
		for _, id := range retentions {
			l.w.look(l, person{departure: id})
		}
		for _, id := range purges {
			if !l.w.lookAtPurge(l, id).Run {
				continue
			}
			if err := l.w.carryOut(id); err != nil {
				l.fail("a purge: %v", err)
			}
			l.w.lookAtPurge(l, id)
		}
		if len(retentions)+len(purges) == 0 {
			return
		}
		l.judge()
	}
	l.fail("the relay never comes to rest")
}

// judge holds what was destroyed since against the model.
func (l *life) judge() {
	rows := query[[]struct {
		EmploymentID uuid.UUID
		Category     models.Category
		PurgingAt    time.Time
		PurgeID      uuid.UUID
	}](l, l.w, `SELECT c.employment_id, c.category, c.purging_at, k.purge_id FROM employment_categories c
		JOIN employments m ON m.id = c.employment_id
		JOIN purge_claims k ON k.category_id = c.id AND k.state <> 'left' JOIN purges p ON p.id = k.purge_id AND p.intent_at IS NOT NULL
		WHERE m.employee_id = ? AND c.state <> 'open'`, l.current().employee)
	seen := map[uuid.UUID]map[models.Category]bool{}
	for _, r := range rows {
		s := l.spells[slices.IndexFunc(l.spells, func(s *spell) bool { return s.employment == r.EmploymentID })]
		if seen[r.EmploymentID] == nil {
			seen[r.EmploymentID] = map[models.Category]bool{}
		}
		if seen[r.EmploymentID][r.Category] {
			l.fail("%s was destroyed twice", r.Category)
		}
		seen[r.EmploymentID][r.Category] = true
		if s.gone[r.Category] {
			continue
		}
		if why := l.mayNot(s, r.Category, r.PurgingAt, l.approved[r.PurgeID][r.Category]); why != "" {
			l.fail("%s was destroyed %s", r.Category, why)
		}
		s.gone[r.Category] = true
	}
}

// missed finds what should be destroyed by now, once the relay has come to rest. What a reviewer refused
// waits for people, however long.
func (l *life) missed() {
	now := l.w.now(l)
	for _, s := range l.spells {
		for c, deadline := range s.deadlines {
			if !s.ended || s.gone[c] || l.mayNot(s, c, now.Add(-time.Second), nil) != "" {
				continue
			}
			l.fail("%s of %s, due at %s, is still there at %s", c, s.jurisdiction, deadline, now)
		}
	}
}

// end releases every hold and lets everything come due: each category of each ended employment is
// destroyed, with one certificate, and nothing of one that goes on.
func (l *life) end() {
	for len(l.holds) > 0 {
		l.release()
	}
	l.w.env.Advance(l.T, 40*366*day)
	for range 4 {
		l.relay()
		for _, p := range l.openPurges() {
			l.alone(p, l.last[0], models.DecisionApproved)
			if p.State == models.PurgeRejected {
				l.overrule(p, l.last[0], l.last[1])
			}
		}
	}
	l.relay()
	for _, s := range l.spells {
		want := 0
		if s.ended {
			want = len(models.Categories)
		}
		got := query[int](l, l.w, `SELECT count(*) FROM employment_categories c WHERE c.employment_id = ? AND c.state = 'purged'
			AND 1 = (SELECT count(*) FROM purge_claims k JOIN destruction_certificates z ON z.purge_id = k.purge_id
				WHERE k.category_id = c.id AND k.state = 'purged')`, s.employment)
		if got != want {
			l.fail("%d categories of an employment (ended: %t) are destroyed with one certificate, want %d", got, s.ended, want)
		}
	}
}

func (l *life) live(actions int) {
	for range actions {
		a := []struct {
			name string
			do   func()
		}{
			{"wait", l.wait}, {"wait", l.wait}, {"hold", l.hold}, {"release", l.release}, {"depart", l.depart}, {"depart", l.depart},
			{"rehire", l.rehire}, {"annul", l.annul}, {"withdraw", l.withdraw}, {"move", l.move}, {"decide", l.decide},
			{"interrupted", l.interrupted}, {"relay", func() { l.relay(); l.missed() }}, {"relay", func() { l.relay(); l.missed() }},
		}[l.IntN(14)]
		l.history = append(l.history, a.name)
		a.do()
		l.judge()
		for _, h := range l.holds {
			h.covered = h.covered || h.matches(l)
		}
	}
	l.history = append(l.history, "end")
	l.end()
}

// TestI4_I8_RandomLivesWithSeveralEmployments: no category that a hold covers is ever destroyed, nothing early,
// nothing missed, nothing twice.
func TestI4_I8_RandomLivesWithSeveralEmployments(t *testing.T) {
	const perLife = 40
	w := newWorld(t)
	steps, seed, destroyed, again := launchtest.Steps(t, 1000), launchtest.Seed(t), 0, 0
	w.exec(t, "UPDATE retention_rules SET review_required = true WHERE category = ?", asksForReview)
	reviewers, decisions := w.reviewers(t, 6), map[string]int{}
	for n := 0; n*perLife < steps; n++ {
		w.exec(t, "UPDATE lethe_clock SET shift = '0'") // each life begins today
		l := &life{
			T: t, Rand: rand.New(rand.NewPCG(seed, uint64(n))), w: w, reviewers: reviewers[:4], last: reviewers[4:], decisions: decisions,
			approved: map[uuid.UUID]map[models.Category][]models.Actor{},
		}
		first := l.pick(lawful)
		l.spells = []*spell{{person: w.hire(t, first), at: first}}
		l.live(perLife)
		for _, s := range l.spells {
			destroyed += len(s.gone)
		}
		if len(l.spells) > 1 {
			again++
		}
		if n%100 == 99 {
			t.Logf("%d steps", (n+1)*perLife)
		}
	}
	t.Logf("%d categories were destroyed, %d people came back, decisions: %v", destroyed, again, decisions)
	if steps >= 5000 && (destroyed < steps/20 || again < steps/perLife/3 || len(decisions) < 4) || destroyed == 0 || again == 0 {
		t.Error("the lives try too little")
	}
}
