package disclosure

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/permission"
	"lethe/internal/screening"
	"lethe/models"
)

// PatternKind is what is noticeable about several looks of one person.
type PatternKind string

// The kinds. None of them says that something was wrong.
const (
	ManyPeople PatternKind = "many_people"
	AtNight    PatternKind = "at_night"
	OneReason  PatternKind = "one_reason"
	Colleagues PatternKind = "colleagues"
)

// PatternKinds lists them all.
var PatternKinds = closed.Of("pattern_kind", ManyPeople, AtNight, OneReason, Colleagues)

// From where on something is noticeable, in a window.
const (
	patternPeople     = 20 // different people, and
	patternTimes      = 3  // times as many as the median of the others
	patternNights     = 5  // looks between 22:00 and 6:00, emergencies aside
	patternRepeated   = 5  // different people for one reason
	patternColleagues = 3  // different people of the own department
)

const (
	nightFrom = 22
	nightTo   = 6
)

// Glance is a look as patterns are found in it.
type Glance struct {
	ID, ActorID, EmployeeID uuid.UUID
	At                      time.Time
	Zone                    *time.Location // the looker's
	// Urgent: a review of its own follows it, at whatever hour.
	Urgent bool
	// Colleague: looked at as HR, though both are of one department.
	Colleague bool
	Reason    string
	Purpose   access.Purpose
}

// Pattern is what is noticeable about looks of one person, with its numbers.
type Pattern struct {
	Kind    PatternKind
	ActorID uuid.UUID
	// Looks are those that it is about, in order, at so many People.
	Looks  []Glance
	People int
	// Of is how many looks the person made in the window at all, Median at how many people the others looked.
	Of, Median  int
	First, Last time.Time
}

// FindPatterns finds what is noticeable about looks, by person and kind. It is pure, and judges nobody.
func FindPatterns(all []Glance) (found []Pattern) {
	byActor := map[uuid.UUID][]Glance{}
	for _, g := range all {
		byActor[g.ActorID] = append(byActor[g.ActorID], g)
	}
	actors := slices.SortedFunc(maps.Keys(byActor), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, actor := range actors {
		own := byActor[actor]
		add := func(kind PatternKind, median int, looks []Glance) {
			found = append(found, patternOf(kind, actor, looks, len(own), median))
		}
		median := medianOfOthers(byActor, actor)
		if n := peopleIn(own); n >= patternPeople && n >= patternTimes*median {
			add(ManyPeople, median, own)
		}
		if nights := only(own, Glance.atNight); len(nights) >= patternNights {
			add(AtNight, 0, nights)
		}
		reasons := map[string][]Glance{}
		for _, g := range own {
			if g.Reason != "" {
				reasons[g.Reason] = append(reasons[g.Reason], g)
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			if peopleIn(reasons[reason]) >= patternRepeated {
				add(OneReason, 0, reasons[reason])
			}
		}
		if colleagues := only(own, func(g Glance) bool { return g.Colleague }); peopleIn(colleagues) >= patternColleagues {
			add(Colleagues, 0, colleagues)
		}
	}
	return found
}

func (g Glance) atNight() bool {
	hour := g.At.In(g.Zone).Hour()
	return !g.Urgent && (hour >= nightFrom || hour < nightTo)
}

func only(all []Glance, is func(Glance) bool) (some []Glance) {
	for _, g := range all {
		if is(g) {
			some = append(some, g)
		}
	}
	return some
}

func peopleIn(all []Glance) int {
	people := map[uuid.UUID]bool{}
	for _, g := range all {
		people[g.EmployeeID] = true
	}
	return len(people)
}

// medianOfOthers is at how many people the others looked; of two in the middle the lower one. Without others it is 0.
func medianOfOthers(byActor map[uuid.UUID][]Glance, actor uuid.UUID) int {
	var counts []int
	for other, looks := range byActor {
		if other != actor {
			counts = append(counts, peopleIn(looks))
		}
	}
	if len(counts) == 0 {
		return 0
	}
	slices.Sort(counts)
	return counts[(len(counts)-1)/2]
}

func patternOf(kind PatternKind, actor uuid.UUID, looks []Glance, of, median int) Pattern {
	p := Pattern{Kind: kind, ActorID: actor, Looks: looks, People: peopleIn(looks), Of: of, Median: median, First: looks[0].At, Last: looks[0].At}
	for _, g := range looks {
		if g.At.Before(p.First) {
			p.First = g.At
		}
		if g.At.After(p.Last) {
			p.Last = g.At
		}
	}
	return p
}

// Patterns are what is noticeable in a window.
type Patterns struct {
	Found []Pattern
	// Looks are how many were read; More: there were more, and the latest were read.
	Looks int
	More  bool
	// Hidden are the legal entities of whose people nothing is shown.
	Hidden []models.LegalEntity
	Days   int
}

// maxGlances bounds what is read at once.
const maxGlances = 20_000

// ReadPatterns finds what is noticeable in the looks of so many days, refused ones included, and records that it was
// read, before anything is shown. Looks by the reader, and at the reader's own file, are left out; so are those of people
// whose legal entity, when they looked, has patterns switched off.
func ReadPatterns(tx *database.Tx, by models.Actor, days int) (p Patterns, err error) {
	p.Days = days
	matrix, err := permission.Current(tx.DB())
	if err != nil {
		return p, err
	}
	var entities []models.LegalEntity
	if err := tx.DB().Order(database.ByID).Find(&entities).Error; err != nil {
		return p, database.Wrap("reading the legal entities", err)
	}
	hidden := map[uuid.UUID]bool{}
	for _, e := range entities {
		if !matrix.ShowsPatterns(e.ID, e.Jurisdiction) {
			p.Hidden, hidden[e.ID] = append(p.Hidden, e), true
		}
	}
	rows, err := glances(tx, by, days)
	if err != nil {
		return p, err
	}
	if p.More = len(rows) > maxGlances; p.More {
		rows = rows[:maxGlances]
	}
	rows = slices.DeleteFunc(rows, func(r glance) bool { return hidden[r.LegalEntityID] })
	slices.Reverse(rows)
	all, err := glancesOf(tx, rows)
	if err != nil {
		return p, err
	}
	p.Looks, p.Found = len(all), FindPatterns(all)
	_, err = ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindDisclosure, Action: actionPatterns, Object: "disclosures",
		Details: map[string]string{"days": strconv.Itoa(days), "found": strconv.Itoa(len(p.Found))},
	})
	return p, err
}

// glance is a row of [ReadPatterns].
type glance struct {
	models.Disclosure
	LegalEntityID  uuid.UUID // the looker's, at that time
	TimeZone       string
	SameDepartment bool
}

func glances(tx *database.Tx, by models.Actor, days int) (rows []glance, err error) {
	err = tx.DB().Raw(`SELECT d.*, m.legal_entity_id, m.time_zone, a.department_id = e.department_id AS same_department
		FROM disclosures d JOIN employees a ON a.id = d.actor_id JOIN employees e ON e.id = d.employee_id
		JOIN LATERAL (SELECT legal_entity_id, time_zone FROM employments WHERE employee_id = d.actor_id
			ORDER BY created_at <= d.asked_at DESC, created_at DESC, id DESC LIMIT 1) m ON true
		WHERE d.asked_at > public.lethe_now() - make_interval(days => @days) AND cardinality(d.fields) > 0 AND d.actor_id <> @me AND d.employee_id <> @me
		ORDER BY d.id DESC LIMIT @most`, map[string]any{"days": days, "me": by.EmployeeID, "most": maxGlances + 1}).Scan(&rows).Error
	return rows, database.Wrap("reading the looks of a window", err)
}

func glancesOf(tx *database.Tx, rows []glance) ([]Glance, error) {
	looks := make([]models.Disclosure, len(rows))
	for i, r := range rows {
		looks[i] = r.Disclosure
	}
	written, err := Statements(tx.Context(), tx, looks...)
	if err != nil {
		return nil, err
	}
	all := make([]Glance, len(rows))
	for i, r := range rows {
		zone, err := clock.LoadZone(r.TimeZone)
		if err != nil {
			return nil, err
		}
		purpose, _ := purposeOf(access.Purpose(r.Purpose))
		all[i] = Glance{
			ID: r.ID, ActorID: r.ActorID, EmployeeID: r.EmployeeID, At: r.AskedAt, Zone: zone, Urgent: purpose.Reviewed,
			Colleague: r.SameDepartment && r.ActorRole == models.RoleHRAdmin, Reason: screening.Normalise(written[i].Reason), Purpose: access.Purpose(r.Purpose),
		}
	}
	return all, nil
}
