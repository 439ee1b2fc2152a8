package retention

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// What people do to the purges of a life: they decide, overrule, extend, and their workers die.

func (l *life) openPurges() []models.Purge {
	return query[[]models.Purge](l, l.w, `SELECT p.* FROM purges p JOIN departures d ON d.id = p.departure_id
		WHERE d.employee_id = ? AND p.state IN ('claimed', 'in_review', 'rejected', 'purging') ORDER BY p.id`, l.current().employee)
}

func (l *life) claimed(purge uuid.UUID) []models.Category {
	return query[[]models.Category](l, l.w, "SELECT category FROM purge_claims WHERE purge_id = ? AND state = 'open'", purge)
}

func (l *life) spellOf(p models.Purge) *spell {
	return l.spells[slices.IndexFunc(l.spells, func(s *spell) bool { return s.employment == p.EmploymentID })]
}

// decide lets one reviewer decide about each purge, or two about one that was rejected. They see
// what the relay has ordered.
func (l *life) decide() {
	l.relay()
	for _, p := range l.openPurges() {
		who := l.Perm(len(l.reviewers))
		first, second := l.reviewers[who[0]], l.reviewers[who[1]]
		switch {
		case p.State != models.PurgeRejected:
			l.alone(p, first, []models.Decision{models.DecisionApproved, models.DecisionRejected}[l.IntN(2)])
		case l.IntN(2) == 0:
			l.overrule(p, first, second)
		default:
			l.extend(p, first, second)
		}
	}
}

func (l *life) alone(p models.Purge, by models.Actor, decision models.Decision) {
	categories := l.claimed(p.ID)
	err := l.w.decide(p.ID, by, decision)
	switch {
	case p.State == models.PurgeRejected && !errors.Is(err, ErrRejected) && decision == models.DecisionApproved:
		l.fail("one person approved what was rejected: %v", err)
	case err != nil && !errors.Is(err, ErrNotInReview) && !errors.Is(err, ErrRejected):
		l.fail("deciding: %v", err)
	case err != nil:
		return
	}
	l.decisions[string(decision)]++
	if decision == models.DecisionApproved {
		l.agree(p, categories, by)
		return
	}
	for _, c := range categories {
		l.spellOf(p).refusers[c] = append(l.spellOf(p).refusers[c], by)
	}
}

// agree notes who agreed to the destruction of categories by a purge.
func (l *life) agree(p models.Purge, categories []models.Category, by ...models.Actor) {
	if l.approved[p.ID] == nil {
		l.approved[p.ID] = map[models.Category][]models.Actor{}
	}
	for _, c := range categories {
		l.approved[p.ID][c] = by
	}
}

// refused says whether one of the actors rejected one of the categories, in whichever purge.
func (l *life) refused(s *spell, categories []models.Category, actors ...models.Actor) bool {
	return slices.ContainsFunc(categories, func(c models.Category) bool {
		return slices.ContainsFunc(actors, func(a models.Actor) bool { return slices.Contains(s.refusers[c], a) })
	})
}

// overrule is the approval by two people of what was rejected; neither of them ever rejected any of it.
func (l *life) overrule(p models.Purge, first, second models.Actor) {
	categories := l.claimed(p.ID)
	err := l.w.agreed(l, "purge.overrule", p.ID, first, second, func(tx *database.Tx) error { return Overrule(tx, p.ID, first, second) })
	if l.refused(l.spellOf(p), categories, first, second) {
		if !errors.Is(err, ErrSamePerson) {
			l.fail("who rejected it approved it after all: %v", err)
		}
		return
	}
	if err != nil {
		l.fail("overruling: %v", err)
	}
	l.decisions["overruled"]++
	l.agree(p, categories, first, second)
}

// extend keeps what was rejected for up to four years more; then two others are asked again.
func (l *life) extend(p models.Purge, first, second models.Actor) {
	s, categories := l.spellOf(p), l.claimed(p.ID)
	loc := zone(l, zoneOf[s.jurisdiction])
	until := clock.Today(l.w.now(l), loc).AddDays(1 + l.IntN(1500))
	err := l.w.agreed(l, "purge.extend", p.ID, first, second, func(tx *database.Tx) error { return Extend(tx, p.ID, first, second, until) })
	if errors.Is(err, ErrAboveCeiling) {
		return
	}
	if err != nil {
		l.fail("extending: %v", err)
	}
	l.decisions[string(models.DecisionExtended)]++
	for _, c := range categories {
		s.deadlines[c] = clock.EndOfDay(until, loc)
	}
}

// interrupted tries the first steps of a purge, whether its workflow would or not, and dies.
func (l *life) interrupted() {
	for _, p := range l.openPurges() {
		steps := l.w.steps(l.w.purger(), p.ID)
		for _, step := range steps[:1+l.IntN(len(steps))] {
			if err := step(); errors.Is(err, ErrOutOfOrder) || errors.Is(err, ErrNotPurgeable) {
				break
			} else if err != nil {
				l.fail("a step: %v", err)
			}
		}
	}
}
